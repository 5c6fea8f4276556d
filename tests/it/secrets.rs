//! Tokens are nowhere but in a request's header: canaries are searched for in every output, file
//! and process that a run leaves behind, whatever came of it.

use std::path::Path;

use ecosystem_dispatcher::embedded_github::{Fault, Token};
use serde_json::json;

use crate::support::ecosystem::Run;
use crate::support::github::{Bait, FEATURE, TOKEN, Tester, github_with, run_test_with};

const OWN: &str = "canary-own-7be0d5c2";
const BUILT_IN: &str = "canary-job-92aa61f3";
const CANARIES: [&str; 3] = [TOKEN, OWN, BUILT_IN];

fn with_canaries(run: Run) -> Run {
    run.env("OWN_TOKEN", OWN).env("GITHUB_TOKEN", BUILT_IN).env("GH_TOKEN", BUILT_IN)
}

fn two_tokens(t: &Tester) -> std::path::PathBuf {
    let list = json!([
        {"repo": "acme/web", "subscriptions": [FEATURE]},
        {"repo": "acme/own", "subscriptions": [FEATURE], "token_env": "OWN_TOKEN"},
    ]);
    t.file(&list.to_string())
}

/// Fails when a file below `dir` holds a canary; git's objects are deflated and are left out.
fn expect_no_file_with_a_canary(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            expect_no_file_with_a_canary(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let text = String::from_utf8_lossy(&bytes);
            for canary in CANARIES {
                assert!(!text.contains(canary), "{} holds {canary}", path.display());
            }
        }
    }
}

fn outcomes() -> Vec<(&'static str, Fault)> {
    let echo = format!("{{\"message\":\"Authorization: Bearer {TOKEN} token {OWN}\"}}");
    vec![
        ("delivered", Fault::delay(std::time::Duration::ZERO)),
        ("refused token", Fault::status(401)),
        ("no permission", Fault::status(403)),
        ("not found", Fault::status(404)),
        ("invalid", Fault::status(422)),
        ("echo", Fault::status(422).text("application/json", &echo)),
        ("echo as text", Fault::status(404).text("text/plain", &echo)),
        ("echo as a page", Fault::status(404).text("text/html", &format!("<title>{echo}</title>"))),
        ("echo as a permission", Fault::status(403).header("x-accepted-github-permissions", TOKEN)),
        ("echo as a name", Fault::redirect(307, &format!("/repos/acme/{TOKEN}/dispatches"))),
        ("broken redirect", Fault::redirect(307, &format!("http://{TOKEN}@[x"))),
        ("deferred", Fault::limited(600)),
        ("once lost", Fault::reset()),
    ]
}

#[test]
fn no_output_and_no_file_holds_a_token_whatever_came_of_it() {
    for (what, fault) in outcomes() {
        let model = github_with(["acme/web", "acme/own"]).token(OWN, Token::may_write_all());
        run_test_with(model, |t| {
            t.fault("acme/web", fault);
            let list = two_tokens(t);
            let done = with_canaries(t.push())
                .args(["-vvv", "--max-wait", "1", "--ecosystem"])
                .arg(list)
                .run()
                .expect_without(&CANARIES);
            assert!(matches!(done.code, Some(0 | 1)), "{what}: {done:?}");
            assert!(!t.requests("acme/web").is_empty() && !t.requests("acme/own").is_empty());
            t.with(|it| it.requests().len());
            t.delivered();
            t.requests(&format!("acme/{TOKEN}"));
            expect_no_file_with_a_canary(t.sandbox.path());
        });
    }
}

#[test]
fn in_a_workflow_only_the_line_that_masks_a_token_holds_it_and_it_comes_first() {
    for (what, fault) in outcomes() {
        let model = github_with(["acme/web", "acme/own"]).token(OWN, Token::may_write_all());
        run_test_with(model, |t| {
            t.fault("acme/web", fault);
            let list = two_tokens(t);
            let done = with_canaries(t.action())
                .args(["-vvv", "--max-wait", "1", "--format", "json", "--ecosystem"])
                .arg(list)
                .run();
            let mut lines = done.stderr.lines().filter(|line| !line.contains("running git"));
            assert_eq!(
                lines.next(),
                Some(&*format!("::add-mask::{OWN}")),
                "{what}: {}",
                done.stderr
            );
            assert_eq!(lines.next(), Some(&*format!("::add-mask::{TOKEN}")), "{what}");
            // Those that the run does not use are hidden as well.
            for line in lines.filter(|line| !line.starts_with("::add-mask::")) {
                assert!(!CANARIES.iter().any(|canary| line.contains(canary)), "{what}: {line}");
            }
            assert!(!CANARIES.iter().any(|canary| done.stdout.contains(canary)), "{what}");
            done.json();
            t.requests("acme/web");
            t.requests("acme/own");
            t.requests(&format!("acme/{TOKEN}"));
            t.delivered();
            expect_no_file_with_a_canary(t.sandbox.path());
        });
    }
}

#[test]
fn a_failure_before_anything_is_sent_shows_no_token() {
    run_test_with(github_with([]), |t| {
        let list = two_tokens(t);
        for (name, value) in [
            ("OWN_TOKEN", format!("{OWN}\n")),
            ("OWN_TOKEN", format!("{OWN} ")),
            ("ECOSYSTEM_PAT", format!("{TOKEN}\u{e9}")),
            ("GITHUB_API_URL", format!("https://{TOKEN}@api.example")),
            ("GITHUB_API_URL", format!("https://api.example/?token={TOKEN}")),
        ] {
            for run in [t.push(), t.action()] {
                let done = with_canaries(run)
                    .env(name, &value)
                    .args(["-vvv", "--ecosystem"])
                    .arg(&list)
                    .run()
                    .expect_code(2);
                for output in [&done.stdout, &done.stderr] {
                    for line in output.lines().filter(|line| !line.starts_with("::add-mask::")) {
                        assert!(!CANARIES.iter().any(|it| line.contains(it)), "{name}: {line}");
                    }
                }
            }
        }
        t.expect_no_request();
        expect_no_file_with_a_canary(t.sandbox.path());
    });
}

#[test]
fn a_proxy_is_not_asked_for_what_is_on_this_machine() {
    run_test_with(github_with(["acme/web"]), |t| {
        let proxy = Bait::new();
        let list = t.cousins(["acme/web"]);
        let mut run = t.push().args(["--ecosystem"]).arg(list);
        for name in
            ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        {
            run = run.env(name, proxy.url());
        }
        run.run().expect_code(0);
        assert_eq!(t.events("acme/web").len(), 1);
        proxy.expect_nobody();
    });
}

/// A `git` that writes down its arguments and environment, and then is git.
#[cfg(unix)]
fn spied_git(t: &Tester) -> (String, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let dir = t.sandbox.path().join("spy");
    std::fs::create_dir(&dir).unwrap();
    let log = dir.join("log");
    let path = std::env::var("PATH").unwrap();
    let script = format!(
        "#!/bin/sh\n{{ echo \"$0 $*\"; env; }} >> '{}'\nPATH='{path}' exec git \"$@\"\n",
        log.display()
    );
    std::fs::write(dir.join("git"), script).unwrap();
    std::fs::set_permissions(dir.join("git"), PermissionsExt::from_mode(0o755)).unwrap();
    (format!("{}:{path}", dir.display()), log)
}

#[cfg(unix)]
#[test]
fn a_git_process_that_does_not_need_the_token_has_none_in_arguments_or_environment() {
    use base64::Engine as _;
    run_test_with(github_with(["acme/web"]), |t| {
        let (path, log) = spied_git(t);
        let shallow = t.sandbox.clone(&t.monorepo, "shallow", &["--depth=1"]);
        let list = t.cousins(["acme/web"]);
        with_canaries(t.push())
            .dir(&shallow)
            .env("PATH", path)
            .args(["-vvv", "--ecosystem"])
            .arg(list)
            .run()
            .expect_code(0)
            .expect_without(&CANARIES);
        assert_eq!(t.events("acme/web").len(), 1);
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains("fetch"), "git was asked for the base: {log}");
        for canary in CANARIES {
            assert!(!log.contains(canary), "{log}");
            let base64 = base64::engine::general_purpose::STANDARD;
            let basic = base64.encode(format!("x-access-token:{canary}"));
            assert!(!log.contains(&basic), "the remote is a directory: {log}");
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_list_shows_no_token_while_it_runs() {
    run_test_with(github_with(["acme/web"]), |t| {
        t.fault("acme/web", Fault::delay(std::time::Duration::from_millis(300)));
        let list = t.cousins(["acme/web"]);
        let mut run = with_canaries(t.push()).args(["-vv", "--ecosystem"]).arg(list).spawn();
        run.wait_for("sending, attempt 1");
        let arguments = std::fs::read(format!("/proc/{}/cmdline", run.id())).unwrap();
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        assert!(arguments.contains("dispatch"), "{arguments}");
        assert!(!CANARIES.iter().any(|canary| arguments.contains(canary)), "{arguments}");
        run.wait().expect_code(0);
        assert_eq!(t.events("acme/web").len(), 1);
    });
}

#[test]
fn the_built_in_token_is_warned_of_where_it_cannot_reach() {
    let model = github_with(["acme/web", "acme/monorepo"])
        .token(BUILT_IN, Token::built_in("acme/monorepo"));
    run_test_with(model, |t| {
        for (cousin, warned, code) in [("acme/web", true, 1), ("acme/monorepo", false, 0)] {
            let list = t.cousins([cousin]);
            let done = Run::new(&t.sandbox)
                .dir(&t.checkout)
                .event("push", "push.json")
                .env("GITHUB_API_URL", t.url())
                .env("GITHUB_TOKEN", BUILT_IN)
                .args(["dispatch", "--format", "json", "--ecosystem"])
                .arg(list)
                .run()
                .expect_code(code);
            assert_eq!(done.warnings().contains(&"built-in-token".to_owned()), warned, "{cousin}");
            t.requests(cousin);
        }
    });
}
