//! Bad input: each ends with exit 2 and an error that names the place and the remedy, and nothing
//! has reached GitHub.

use std::time::{Duration, Instant};

use crate::support::ecosystem::{Done, Run};
use crate::support::events::broken_events;
use crate::support::fixture;
use crate::support::github::{TOKEN, Tester, github_with, run_test, run_test_with};

/// Runs it and returns the errors, which must be all that was said, after exit 2.
fn refused(t: &Tester, run: Run) -> String {
    let Done { stdout, stderr, .. } = run.run().expect_code(2);
    assert_eq!(stdout, "", "standard output is for results");
    assert!(stderr.starts_with("error"), "{stderr}");
    assert!(stderr.contains("help:"), "it must say what to do: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    t.expect_no_request();
    stderr
}

#[test]
fn every_bad_list_of_cousins_is_refused_with_its_places() {
    run_test(|t| {
        let directory = fixture("ecosystem/bad/empty.json").parent().unwrap().to_owned();
        let mut count = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let said = refused(t, t.push().arg("--ecosystem").arg(&path));
            assert!(said.contains(&format!("{name}:")), "{name}: {said}");
            assert!(said.contains("nothing was sent"), "{name}: {said}");
            count += 1;
        }
        assert!(count > 20, "the fixtures are there");
    });
}

#[test]
fn a_bad_list_in_the_work_tree_or_in_the_commit_is_refused_too() {
    run_test(|t| {
        std::fs::write(t.checkout.join("ecosystem.json"), "[{\"repo\": \"acme/web.git\"}]")
            .unwrap();
        let said = refused(t, t.push());
        assert!(said.contains("ecosystem.json:1:11"), "{said}");
        assert!(said.contains("write \"acme/web\""), "{said}");
        assert!(said.contains("subscriptions"), "all errors in one go: {said}");

        let bare = t.sandbox.new_repository("bare");
        t.sandbox.write(&bare, "ecosystem.json", "[");
        let head = t.sandbox.commit_all(&bare, "broken");
        std::fs::remove_file(bare.join("ecosystem.json")).unwrap();
        let run = Run::new(&t.sandbox).dir(&bare).args(["dispatch", "--source", "acme/mono"]);
        let said = refused(t, run);
        assert!(said.contains(&format!("{}:ecosystem.json:1:", &head[..10])), "{said}");
    });
}

#[test]
fn a_list_that_is_missing_is_asked_for() {
    run_test(|t| {
        let said = refused(t, t.push().args(["--ecosystem", "no-such.json"]));
        assert!(said.contains("cannot read") && said.contains("no-such.json"), "{said}");
        let empty = t.sandbox.new_repository("without");
        t.sandbox.write(&empty, "a", "b");
        t.sandbox.commit_all(&empty, "no list");
        let run = Run::new(&t.sandbox).dir(&empty).args(["dispatch", "--all"]);
        let said = refused(t, run);
        assert!(said.contains("there is no ecosystem.json"), "{said}");
        assert!(said.contains("\"subscriptions\""), "it shows one: {said}");
    });
}

#[test]
fn a_list_of_100_mb_is_refused_without_being_read() {
    run_test(|t| {
        let path = t.sandbox.path().join("large.json");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(100 << 20).unwrap();
        drop(file);
        let said = refused(t, t.push().arg("--ecosystem").arg(&path));
        assert!(said.contains("large.json: it has more than 10 MiB"), "{said}");
        std::fs::copy(&path, t.checkout.join("ecosystem.json")).unwrap();
        let said = refused(t, t.push());
        assert!(said.contains("ecosystem.json: it has more than 10 MiB"), "{said}");
    });
}

#[test]
fn a_list_nested_a_million_deep_is_refused() {
    run_test(|t| {
        for text in ["[".repeat(1 << 20), "{\"a\":".repeat(1 << 20)] {
            let said = refused(t, t.push().arg("--ecosystem").arg(t.file(&text)));
            assert!(said.contains("deeper than"), "{said}");
            assert!(said.len() < 10_000, "{} bytes of errors", said.len());
        }
    });
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    run_test(|t| {
        let fifo = t.sandbox.path().join("fifo");
        let status = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(status.success());
        let before = Instant::now();
        for path in [fifo.as_path(), "/dev/zero".as_ref(), "/dev/stdin".as_ref(), t.sandbox.path()]
        {
            let said = refused(t, t.push().arg("--ecosystem").arg(path));
            assert!(said.contains("not a regular file") || said.contains("a directory"), "{said}");
            let said = refused(t, t.push().env("GITHUB_EVENT_PATH", path));
            assert!(said.contains("cannot read the event file"), "{said}");
        }
        std::fs::remove_file(t.checkout.join("ecosystem.json")).unwrap();
        std::fs::create_dir(t.checkout.join("ecosystem.json")).unwrap();
        let said = refused(t, t.push());
        assert!(said.contains("it is a directory"), "{said}");
        assert!(before.elapsed() < Duration::from_secs(30));
    });
}

#[cfg(unix)]
#[test]
fn a_list_that_is_a_link_to_the_outside_is_not_shown() {
    run_test(|t| {
        let list = t.checkout.join("ecosystem.json");
        for target in ["/proc/self/environ", "../secret", "/dev/zero"] {
            std::fs::write(t.sandbox.path().join("secret"), "hunter2").unwrap();
            std::fs::remove_file(&list).unwrap();
            std::os::unix::fs::symlink(target, &list).unwrap();
            let said = refused(t, t.push());
            assert!(said.contains("leads out of the work tree"), "{target}: {said}");
            assert!(!said.contains("hunter2") && !said.contains(TOKEN), "{said}");
        }
        // A link inside of the work tree is anybody's own business.
        std::fs::write(t.checkout.join("other.json"), "[]").unwrap();
        std::fs::remove_file(&list).unwrap();
        std::os::unix::fs::symlink("other.json", &list).unwrap();
        t.push().run().expect_code(0);
        t.expect_no_request();
    });
}

#[test]
fn every_broken_event_file_is_refused() {
    run_test(|t| {
        let broken = broken_events();
        assert!(broken.len() >= 7);
        for file in broken {
            let said = refused(t, t.push().event("push", &file).env("GITHUB_ACTIONS", "false"));
            assert!(said.contains(&file), "{file}: {said}");
            assert!(said.contains("that of a push event"), "{file}: {said}");
        }
        let said = refused(t, t.push().env("GITHUB_EVENT_PATH", "no-such-event.json"));
        assert!(said.contains("cannot read the event file no-such-event.json"), "{said}");
        let said = refused(t, t.push().env("GITHUB_EVENT_PATH", ""));
        assert!(said.contains("GITHUB_EVENT_PATH is not set"), "{said}");
    });
}

#[test]
fn an_event_of_another_kind_than_was_said_is_refused() {
    run_test(|t| {
        for (name, file) in [
            ("push", "pull-request.json"),
            ("push", "merge-group.json"),
            ("push", "workflow-dispatch.json"),
            ("pull_request", "push.json"),
            ("pull_request", "merge-group.json"),
            ("merge_group", "push.json"),
        ] {
            let said = refused(t, t.push().event(name, file).env("GITHUB_ACTIONS", "false"));
            assert!(said.contains(&format!("not that of a {name} event")), "{name} {file}: {said}");
        }
        let run = t.push().event("pull_request_target", "pull-request-target.json");
        let said = refused(t, run.env("GITHUB_ACTIONS", "false"));
        assert!(said.contains("pull_request_target"), "{said}");
        for (name, file) in
            [("workflow_dispatch", "workflow-dispatch.json"), ("schedule", "schedule.json")]
        {
            let said = refused(t, t.push().event(name, file).env("GITHUB_ACTIONS", "false"));
            assert!(said.contains("--base") && said.contains("--all"), "{name}: {said}");
        }
    });
}

#[test]
fn what_is_no_repository_or_has_no_commit_is_refused() {
    run_test(|t| {
        let nowhere = t.sandbox.path().join("nowhere");
        std::fs::create_dir(&nowhere).unwrap();
        let said = refused(t, t.push().dir(&nowhere));
        assert!(said.contains("is not in a git repository"), "{said}");
        let unborn = t.sandbox.new_repository("unborn");
        let said = refused(t, Run::new(&t.sandbox).dir(&unborn).arg("dispatch"));
        assert!(said.contains("commit"), "{said}");
        let said = refused(t, t.push().args(["--base", "no-such-revision"]));
        assert!(said.contains("no-such-revision"), "{said}");
        let said = refused(t, t.push().args(["--head=--upload-pack=x"]));
        assert!(said.contains("--upload-pack"), "{said}");
    });
}

#[test]
fn a_token_that_is_none_is_refused_by_its_variables_name() {
    run_test(|t| {
        let without = || {
            Run::new(&t.sandbox)
                .dir(&t.checkout)
                .event("push", "push.json")
                .env("GITHUB_ACTIONS", "false")
                .env("GITHUB_API_URL", t.url())
                .arg("dispatch")
        };
        let said = refused(t, without());
        assert!(said.contains("there is no token") && said.contains("ECOSYSTEM_PAT"), "{said}");
        for (value, says) in [
            ("", "is empty"),
            ("hunter2\n", "ends in a newline"),
            ("hunter2\r\n", "ends in a newline"),
            ("hun\nter2", "holds white space or a control character"),
            (" hunter2", "holds white space"),
            ("hunter2\u{e9}", "holds a character outside ASCII"),
        ] {
            for variable in ["ECOSYSTEM_PAT", "GH_TOKEN", "GITHUB_TOKEN"] {
                let said = refused(t, without().env(variable, value));
                assert!(said.contains(&format!("the token in {variable} {says}")), "{said}");
                assert!(!said.contains("hunter2") && !said.contains("ter2"), "{said}");
            }
        }
        let list = r#"[{"repo":"acme/web","subscriptions":["features/webpush/flask"],"token_env":"WEB_PAT"}]"#;
        let said = refused(t, t.push().arg("--ecosystem").arg(t.file(list)));
        assert!(said.contains("acme/web") && said.contains("WEB_PAT is not set"), "{said}");
    });
}

#[test]
fn an_api_url_that_a_token_must_not_go_to_is_refused_without_being_repeated() {
    run_test(|t| {
        for (url, says) in [
            ("http://api.github.com", "in clear"),
            ("http://hunter2.example", "in clear"),
            ("https://hunter2@api.github.com", "user info"),
            ("https://u:hunter2@api.github.com", "user info"),
            ("https://api.github.com/?x=hunter2", "query"),
            ("hunter2", "cannot be read"),
            ("ftp://127.0.0.1", "not an https address"),
            ("https://github.com", "web site"),
        ] {
            let said = refused(t, t.push().env("GITHUB_API_URL", url));
            assert!(said.contains("GITHUB_API_URL") && said.contains(says), "{url}: {said}");
            let repeated = said.contains("hunter2") && !url.starts_with("http://");
            assert!(!repeated, "{said}");
        }
    });
}

#[test]
fn an_api_url_with_a_trailing_slash_works() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        for slashes in ["/", "//"] {
            let url = format!("{}{slashes}", t.url());
            t.push().env("GITHUB_API_URL", url).arg("--ecosystem").arg(&list).run().expect_code(0);
        }
        assert_eq!(t.requests("acme/web").len(), 2, "no path ends or begins in two slashes");
        assert_eq!(t.events("acme/web").len(), 2);
    });
}

#[test]
fn an_argument_that_makes_no_sense_is_refused() {
    run_test(|t| {
        for arguments in [
            &["--concurrency", "0"][..],
            &["--concurrency", "101"],
            &["--per-minute", "0"],
            &["--per-minute", "x"],
            &["--timeout", "0"],
            &["--timeout", "-1"],
            &["--timeout", "NaN"],
            &["--timeout", "1e300"],
            &["--max-wait", "inf"],
            &["--only", "../x"],
            &["--only", "https://github.com/acme/web"],
            &["--source", "acme"],
            &["--all", "--base", "HEAD"],
            &["-q", "-v"],
            &["--token", "x"],
            &["--format", "yaml"],
        ] {
            let done = t.push().args(arguments).run().expect_code(2);
            assert!(done.stderr.starts_with("error:"), "{arguments:?}: {}", done.stderr);
            assert_eq!(done.stdout, "", "{arguments:?}");
        }
        let done = t.push().args(["--only", "https://github.com/acme/web"]).run();
        assert!(done.stderr.contains("write \"acme/web\""), "{}", done.stderr);
        t.expect_no_request();
    });
}

#[test]
fn an_event_too_large_for_github_fails_alone() {
    run_test_with(github_with(["acme/web"]), |t| {
        // Longer than a path may be on a file system, but not than a name in a tree of git.
        let long = "x".repeat(35_000);
        let repository = t.sandbox.new_repository("long");
        let head = t.sandbox.commit_all(&repository, "first");
        let blob = t.sandbox.git_fed(&repository, &["hash-object", "-w", "--stdin"], b"x");
        let blob = String::from_utf8(blob).unwrap();
        let mktree = |entry: String| {
            let tree = t.sandbox.git_fed(&repository, &["mktree"], entry.as_bytes());
            String::from_utf8(tree).unwrap().trim().to_owned()
        };
        let below = mktree(format!("100644 blob {}\ta\n", blob.trim()));
        let above = |name: &str| mktree(format!("040000 tree {below}\t{name}\n"));
        let (deep, flat) = (above(&long), above("feature"));
        let tree = mktree(format!("040000 tree {deep}\t{long}\n040000 tree {flat}\tshort\n"));
        let head = t.sandbox.git(&repository, &["commit-tree", "-p", &head, "-m", "long", &tree]);
        t.sandbox.git(&repository, &["update-ref", "refs/heads/main", &head]);
        let list = t.file(r#"[{"repo":"acme/web","subscriptions":["*/*"]}]"#);
        let done = t
            .push()
            .dir(&repository)
            .env("GITHUB_EVENT_NAME", "")
            .args(["--format", "json", "--ecosystem"])
            .arg(list)
            .run()
            .expect_code(1);
        let report = done.json();
        let [short, failed] = &report["dispatches"].as_array().unwrap()[..] else { panic!("two") };
        assert_eq!(
            (&short["outcome"], &short["updated_feature"]),
            (&"delivered".into(), &"short/feature".into())
        );
        assert_eq!((&failed["outcome"], &failed["attempts"]), (&"failed".into(), &0.into()));
        let error = failed["error"].as_str().unwrap();
        assert!(error.starts_with("not sent: the event has"), "{error}");
        assert_eq!(t.events("acme/web").len(), 1);
    });
}
