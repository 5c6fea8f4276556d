//! What `ecosystem send` refuses, and what it never says.

use super::test;
use crate::support::case;
use crate::support::github::TOKEN;

#[test]
fn a_variable_that_is_neither_true_nor_false_sends_nothing() {
    test(&["acme/web"], |t| {
        let sending = || t.sending().args(["--to", "acme/web", "-e", "x"]);
        let done = sending().env("ECOSYSTEM_DRY_RUN", "ture").run().expect_code(2);
        assert_eq!(
            done.stderr,
            "error: ECOSYSTEM_DRY_RUN is \"ture\"\nhelp: it must be true or false, or empty\n"
        );
        let done = sending().env("ECOSYSTEM_TIMEOUT", "soon").run().expect_code(2);
        let hint = "\nin the environment ECOSYSTEM_TIMEOUT stands for --timeout\n";
        assert!(done.stderr.ends_with(hint), "{}", done.stderr);
        t.expect_no_request();
    });
}

#[test]
fn a_secret_of_the_run_is_in_no_event_and_in_no_error() {
    let quoted = "opaque\"token\\of-20-characters";
    test(&["acme/web"], |t| {
        let sending = || t.as_a_step(t.sending()).args(["--to", "acme/web"]);
        for run in [
            sending().args(["-e", TOKEN]),
            sending().args(["-e", "x", "-f", &format!("a={TOKEN}")]),
            sending().args(["-e", "x", "-f", TOKEN]),
            sending().args(["-e", "x", "--payload", &format!("{{\"a\": {TOKEN}}}")]),
            sending().args(["-e", "x", "--payload-file", TOKEN]),
            sending().args(["-e", "x", "--timeout", TOKEN]),
            sending().args(["-e", "x", "--to", TOKEN]),
            sending().args(["-e", "x"]).env("ECOSYSTEM_DRY_RUN", TOKEN),
            sending().args(["-e", "x"]).env("ECOSYSTEM_FORMAT", TOKEN),
            sending().args(["-e", "x"]).env("ECOSYSTEM_FIELD", TOKEN),
        ] {
            run.run().expect_code(2).expect_without(&[TOKEN]);
        }
        let done = sending()
            .args(["-e", "x", "-f", &format!("a=<{quoted}>")])
            .env("ECOSYSTEM_NOTIFY_URL", quoted)
            .run()
            .expect_code(2);
        let message = "error: the event holds what ECOSYSTEM_NOTIFY_URL holds";
        assert!(done.stderr.contains(message), "{}", done.stderr);
        t.expect_no_request();
    });
}

#[test]
fn a_usage_error_is_an_annotation_and_no_command_to_a_terminal() {
    test(&[], |t| {
        let step = || t.as_a_step(t.sending()).args(["--to", "acme/web"]);
        let done = step().run().expect_code(2);
        let line = "::error title=ecosystem::the following required arguments were not provided:";
        assert!(done.stderr.contains(line), "{}", done.stderr);
        let hostile = "x\u{1b}]0;pwn\u{7}\n::error::y";
        let done = step().args(["-e", "x", "--format", hostile]).run().expect_code(2);
        assert!(!done.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", done.stderr);
        assert!(!done.stderr.contains("\n::error::y"), "{:?}", done.stderr);
        let done = t
            .sending()
            .env("ECOSYSTEM_PAYLOAD", "@release.json")
            .env("ECOSYSTEM_TO", "acme/web")
            .args(["-e", "x"])
            .run()
            .expect_code(2);
        let end = "help: nothing was sent; --payload-file names a file with the payload\n\
                   in the environment ECOSYSTEM_PAYLOAD stands for --payload\n";
        assert!(done.stderr.ends_with(end), "{}", done.stderr);
    });
}

#[test]
fn names_and_types_that_cannot_be_meant_are_refused() {
    test(&["acme/we"], |t| {
        for (run, said) in [
            (t.sending().args(["-e", "x", "--to-file=-"]).input("acme/we#b"), "cannot hold '#'"),
            (t.sending().args(["--to=acme/we", "-e", "build "]), "white space at an end"),
            (t.sending().args(["--to=acme/we", "-e", " "]), "white space at an end"),
            (t.sending().args(["--to=acme/we", "-e", "bu\u{200b}ild"]), "not seen"),
            (
                t.sending().args(["--to=acme/we", "-e", "x"]).env("ECOSYSTEM_DRY_RUN", " "),
                "ECOSYSTEM_DRY_RUN is \" \"",
            ),
            (
                t.sending().args(["-C", "nowhere", "--to=acme/we", "-e", "x"]),
                "there is no directory nowhere",
            ),
            (t.sending().args(["--to=acme/we", "-e", "x", "-f", "a:="]), "the value is empty"),
        ] {
            case(said);
            let done = run.run().expect_code(2);
            assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
        }
        t.expect_no_request();
    });
}

/// A key of several lines, in whatever form it is given to the run and to the event.
#[test]
fn a_line_of_an_apps_key_is_a_secret_too() {
    let lines = ["MIIEowIBAAKCAQEAqUjYpwXeC4Vq", "b0wSsOYUaPjvBzQpmTzG9mXtM8Jc", "Zg=="];
    let pem = |end: &str| {
        let all =
            [&["-----BEGIN RSA PRIVATE KEY-----"], &lines[..], &["-----END RSA PRIVATE KEY-----"]];
        format!("{}{end}", all.concat().join(end))
    };
    test(&["acme/web"], |t| {
        let file = t.file(&pem("\n"));
        let sending = || t.sending().args(["--to", "acme/web", "-e", "x", "-n"]);
        for (variable, value) in [
            ("ECOSYSTEM_APP_PRIVATE_KEY", pem("\n").as_str()),
            ("ECOSYSTEM_APP_PRIVATE_KEY", &pem("\r\n")),
            ("ECOSYSTEM_APP_PRIVATE_KEY", &pem("\\n")),
            ("ECOSYSTEM_APP_PRIVATE_KEY", &pem("\\r\\n")),
            ("ECOSYSTEM_APP_PRIVATE_KEY", &pem("\r")),
            ("ECOSYSTEM_APP_PRIVATE_KEY", &pem(" ")),
            ("ECOSYSTEM_APP_PRIVATE_KEY", &format!("  {}\n", pem(" "))),
            ("ECOSYSTEM_APP_PRIVATE_KEY_FILE", file.to_str().unwrap()),
        ] {
            for field in [pem("\n"), pem("\r\n"), pem("\\n"), lines[1].to_owned()] {
                let run =
                    sending().env(variable, value).args(["-f", &format!("key={field}")]).run();
                let done = run.expect_code(2).expect_without(&[lines[0], lines[1]]);
                let message = format!("error: the event holds what {variable} holds");
                assert!(done.stderr.contains(&message), "{}", done.stderr);
            }
            sending().env(variable, value).args(["-f", "key=Zg=="]).run().expect_code(0);
        }
        sending().env("ECOSYSTEM_APP_PRIVATE_KEY_FILE", "/nowhere").run().expect_code(0);
    });
}
