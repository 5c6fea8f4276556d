//! Who `ecosystem send` sends to.

use ecosystem_dispatcher::embedded_github::{Limits, Model};
use pretty_assertions::assert_eq;
use serde_json::json;

use super::{received, test};
use crate::support::case;
use crate::support::github::run_test_with;

#[test]
fn without_a_name_it_goes_to_this_repository() {
    test(&["acme/self", "acme/clone"], |t| {
        let event = ["--event-type", "rebuild"];
        t.sending().env("GITHUB_REPOSITORY", "acme/self").args(event).run().expect_code(0);
        let clone = t.sandbox.new_repository("clone");
        t.sandbox.git(&clone, &["remote", "add", "origin", "git@github.com:acme/clone.git"]);
        t.sending().dir(&clone).args(event).run().expect_code(0);
        let told = json!([["rebuild", {}]]);
        assert_eq!(received(t), json!({"acme/self": told, "acme/clone": told}));
        let lost = t.sending().args(event).run().expect_code(2);
        assert!(lost.stderr.contains("name it with --to OWNER/NAME"), "{}", lost.stderr);
    });
}

#[test]
fn a_list_that_names_nobody_or_something_else_is_never_the_default() {
    test(&["acme/self"], |t| {
        let sending = || t.sending().env("GITHUB_REPOSITORY", "acme/self").args(["-e", "x"]);
        for (run, said) in [
            (sending().args(["--to", ""]), "names none"),
            (sending().args(["--to", " , "]), "names none"),
            (sending().env("ECOSYSTEM_TO", " "), "names none"),
            (sending().args(["--to-file", "-"]).input(""), "names none"),
            (sending().args(["--to-file", "-"]).input("# a/b\n\n"), "names none"),
            (sending().args(["--to-file", "-"]).input("a/b\n\nweb\n../x\n"), "standard input:3: "),
            (sending().args(["--to-file", "-"]).input("a/b\n\nweb\n../x\n"), "standard input:4: "),
            (
                sending().args(["--to-file", "-"]).input(b"a/b\n\xff\n".to_vec()),
                "standard input:2: it is not UTF-8",
            ),
            (sending().args(["--to-file", "none"]), "cannot read none: "),
            (sending().args(["--to-file", "."]), "cannot read .: it is a directory"),
            (sending().args(["--to", "https://github.com/acme/web"]), "write \"acme/web\""),
            (
                sending().args(["--to-file=-", "--payload-file=-"]).input("{}"),
                "both read standard input",
            ),
        ] {
            case(said);
            let done = run.run().expect_code(2);
            assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
            assert_eq!(done.stdout, "");
        }
        t.expect_no_request();
    });
}

#[test]
fn a_repository_that_is_named_twice_is_sent_to_once() {
    test(&["acme/web"], |t| {
        let done = t
            .sending()
            .args(["--to", "acme/web", "--to", "Acme/WEB,acme/web", "-e", "x", "--format=json"])
            .run()
            .expect_code(0);
        assert_eq!(done.warnings(), ["duplicate-repository"]);
        assert_eq!(t.requests("Acme/WEB").len() + t.requests("acme/web").len(), 1);
        t.delivered();
    });
}

#[test]
fn a_renamed_repository_is_followed_and_warned_of() {
    let github = Model::new()
        .limits(Limits::none())
        .repository_with("acme/old", |it| it.renamed_to("acme/new"));
    run_test_with(github, |t| {
        let done = t.sending().args(["--to", "acme/old", "-e", "x"]).run().expect_code(0);
        assert!(done.stderr.contains("in --to"), "{}", done.stderr);
        assert_eq!(received(t), json!({"acme/new": [["x", {}]]}));
        t.looked_at_all();
    });
}

#[test]
fn the_name_in_an_origin_of_another_host_is_not_sent_to() {
    test(&["foo/bar"], |t| {
        let clone = t.sandbox.new_repository("clone");
        let sending = || t.sending().dir(&clone).args(["--event-type", "x", "--dry-run"]);
        t.sandbox.git(&clone, &["remote", "add", "origin", "none"]);
        for (origin, said) in [
            ("https://gitlab.com/foo/bar.git", Some("origin is on \"gitlab.com\"")),
            ("work:foo/bar.git", Some("origin is on \"work\"")),
            ("https://github.com.evil.example/foo/bar", Some("github.com.evil.example")),
            ("/srv/foo/bar", Some("cannot tell which repository")),
            ("ssh://git@ssh.github.com:443/foo/bar.git", None),
            ("https://GitHub.com/foo/bar", None),
        ] {
            case(origin);
            t.sandbox.git(&clone, &["remote", "set-url", "origin", origin]);
            let done = sending().run().expect_code(if said.is_some() { 2 } else { 0 });
            assert!(done.stderr.contains(said.unwrap_or_default()), "{}", done.stderr);
            assert_eq!(done.stdout.contains("/repos/foo/bar/dispatches"), said.is_none());
        }
        // What is set and wrong is no reason to take another.
        let done = sending().env("GITHUB_REPOSITORY", "garbage").run().expect_code(2);
        let message = "GITHUB_REPOSITORY is \"garbage\", which names no repository";
        assert!(done.stderr.contains(message), "{}", done.stderr);
        let own = sending().env("GITHUB_SERVER_URL", "https://ghe.example:8443");
        t.sandbox.git(&clone, &["remote", "set-url", "origin", "git@ghe.example:foo/bar"]);
        own.run().expect_code(0);
    });
}

#[test]
fn a_name_of_one_server_is_not_taken_for_one_of_another() {
    test(&[], |t| {
        let clone = t.sandbox.new_repository("clone");
        t.sandbox.git(&clone, &["remote", "add", "origin", "none"]);
        for (origin, api, said) in [
            ("git@github.com:foo/bar", "https://api.github.com", None),
            ("git@ghe.example:foo/bar", "https://ghe.example/api/v3", None),
            ("https://acme.ghe.com/foo/bar", "https://api.acme.ghe.com", None),
            ("git@github.com:foo/bar", "https://ghe.example/api/v3", Some("go to ghe.example:")),
            ("git@ghe.example:foo/bar", "https://api.github.com", Some("go to github.com:")),
            ("git@acme.ghe.com:foo/bar", "https://api.other.ghe.com", Some("to other.ghe.com:")),
            ("https://ssh.github.com/foo/bar", "https://ghe.example", Some("go to ghe.example:")),
            ("http://127.0.0.1:3000/foo/bar", "http://127.0.0.1:3000", None),
            ("git@ghe.example:foo/bar", "http://127.0.0.1:3000", Some("go to 127.0.0.1:")),
        ] {
            case(&format!("{origin} {api}"));
            t.sandbox.git(&clone, &["remote", "set-url", "origin", origin]);
            let sending = || {
                t.sending().dir(&clone).args(["-e", "x", "--dry-run"]).env("GITHUB_API_URL", api)
            };
            let done = sending().run().expect_code(if said.is_some() { 2 } else { 0 });
            assert!(done.stderr.contains(said.unwrap_or_default()), "{}", done.stderr);
            assert_eq!(done.stdout.contains("/repos/foo/bar/dispatches"), said.is_none());
            // A workflow's name is no better, and what is named goes where it is told.
            let workflow = || sending().env("GITHUB_REPOSITORY", "foo/bar");
            let server = "https://github.com";
            let here = ["https://api.github.com", "http://127.0.0.1:3000"].contains(&api);
            let done = workflow().env("GITHUB_SERVER_URL", server).run();
            let done = done.expect_code(if here { 0 } else { 2 });
            assert_eq!(done.stderr.contains("this workflow is on \"github.com\""), !here);
            sending().arg("--to=foo/bar").env("GITHUB_SERVER_URL", server).run().expect_code(0);
        }
    });
}
