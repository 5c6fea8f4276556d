//! Tokens: in no output at the finest level of the log, in no file, in no command line while git
//! works, and at no other server than the one that they are for.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecosystem_dispatcher::embedded_github::{Fault, Token};
use pretty_assertions::assert_eq;

use super::{expect_nothing_left, files, step, told};
use crate::support::case;
use crate::support::circle::{COUSIN, Circle, SOURCE, TOKEN};
use crate::support::ecosystem::Run;
use crate::support::github::Bait;
use crate::support::loopback::{Loopback, Response};

const PAT: &str = "canary-pat-5d1e77b0";
const OF_SOURCE: &str = "canary-source-0be94c31";

/// What must be nowhere: the tokens, and as git is handed them.
fn canaries() -> Vec<String> {
    let all = [TOKEN, PAT, OF_SOURCE];
    let encoded = all.map(|token| STANDARD.encode(format!("x-access-token:{token}")));
    all.map(str::to_owned).into_iter().chain(encoded).collect()
}

#[track_caller]
fn expect_none(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for canary in canaries() {
        assert!(!text.contains(&canary), "{what} holds {canary}");
    }
}

fn with_tokens(run: Run) -> Run {
    run.env("ECOSYSTEM_PAT", PAT).env("ECOSYSTEM_SOURCE_TOKEN", OF_SOURCE).arg("-vvv")
}

/// Returns a circle whose source is private, so that a token is needed to fetch it.
fn private() -> Circle {
    let subscriptions = serde_json::json!({ "source": SOURCE, "subscriptions": ["features/push"] });
    Circle::with(
        &subscriptions,
        |it| it,
        |model| {
            model
                .repository_with(SOURCE, ecosystem_dispatcher::embedded_github::Repository::private)
                .token(PAT, Token::may_write_all().labelled("pat"))
                .token(
                    OF_SOURCE,
                    Token::fine_grained()
                        .may_read(SOURCE)
                        .may_write_issues(SOURCE)
                        .labelled("source"),
                )
        },
    )
}

/// What is seen of the machine while git waits for the server.
type Seen = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

fn look_around(temporary: &std::path::Path, seen: &Seen) {
    let mut seen = seen.lock().unwrap();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Ok(line) = std::fs::read(entry.path().join("cmdline")) {
            seen.push(("a command line".to_owned(), line));
        }
    }
    for (path, content) in files(temporary) {
        seen.push((path.display().to_string(), content));
    }
}

#[test]
fn a_token_is_in_no_output_file_or_command_line_whatever_comes_of_a_sync() {
    let circle = private();
    let temporary = circle.sandbox.temporary();
    let seen = Seen::default();
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    for what in ["it is pushed", "it is there", "the server fails", "the answer echoes"] {
        case(what);
        let (temporary, seen) = (temporary.clone(), Arc::clone(&seen));
        circle.github(|model| {
            model.before_push(COUSIN, move |_| look_around(&temporary, &seen));
            let echo = format!("{{\"message\":\"bad {PAT} {TOKEN} {OF_SOURCE}\"}}");
            match what {
                "the server fails" => model.fault(COUSIN, Fault::status(403)),
                "the answer echoes" => {
                    let fault = Fault::status(422).text("application/json", &echo);
                    model.fault(COUSIN, fault.header("x-accepted-github-permissions", PAT));
                }
                _ => {}
            }
        });
        let checkout = circle.checkout();
        let config = std::fs::read(checkout.join(".git/config")).unwrap();
        for format in ["human", "json"] {
            let run = with_tokens(step(&circle, &checkout, &told(&head)));
            let done = run.args(["--max-wait", "0", "--format", format]).run();
            assert!(matches!(done.code, Some(0 | 1)), "{done:?}");
            // What the runner is told to hide it hides.
            let said = done.stderr.lines().filter(|line| !line.starts_with("::add-mask::"));
            expect_none("standard error", said.collect::<Vec<_>>().join("\n").as_bytes());
            expect_none("standard output", done.stdout.as_bytes());
        }
        assert_eq!(std::fs::read(checkout.join(".git/config")).unwrap(), config);
    }
    let seen = seen.lock().unwrap();
    let pushing = |(_, text): &(String, Vec<u8>)| {
        String::from_utf8_lossy(text).contains("--force-with-lease")
    };
    assert!(!cfg!(target_os = "linux") || seen.iter().any(pushing), "it looked while git pushed");
    for (what, text) in seen.iter() {
        expect_none(what, text);
    }
    for (path, content) in files(circle.sandbox.path()) {
        expect_none(&path.display().to_string(), &content);
    }
    for pull in circle.pulls() {
        expect_none("the pull request", format!("{pull:?}").as_bytes());
    }
    expect_none("history", circle.bare(&["log", "--all", "--format=fuller", "-p"]).as_bytes());
    expect_nothing_left(&circle);
}

#[test]
fn a_source_elsewhere_gets_no_token_by_its_address_or_by_a_redirect() {
    let circle = Circle::by("merge");
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let asks = || {
        Loopback::start(|_| {
            Response::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"git\"")
        })
    };
    // Names that lead nowhere here: a proxy sees what would be sent to them.
    let proxy = asks();
    let checkout = circle.checkout();
    for remote in ["http://git.example/acme/monorepo", "http://127.0.0.1.example/acme/monorepo"] {
        case(remote);
        let run = with_tokens(step(&circle, &checkout, &told(&head))).args(["--remote", remote]);
        let done = run.env("http_proxy", proxy.url()).env("no_proxy", "127.0.0.1").run();
        done.expect_code(1);
    }
    assert!(!proxy.requests().is_empty());
    let elsewhere = asks();
    let to = elsewhere.url();
    let moved = Loopback::start(move |request| {
        Response::status("302 Found").header(format!("Location: {to}{}", request.target))
    });
    let to = elsewhere.url();
    let moved_when_asked = Loopback::start(move |request| match request.header("authorization") {
        None => Response::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"x\""),
        Some(_) => Response::status("307 Temporary Redirect")
            .header(format!("Location: {to}{}", request.target)),
    });
    for server in [&moved, &moved_when_asked] {
        let remote = format!("{}/acme/monorepo", server.url());
        let run = with_tokens(step(&circle, &checkout, &told(&head))).args(["--remote", &remote]);
        run.run().expect_code(1);
    }
    for server in [&proxy, &elsewhere] {
        for request in server.requests() {
            assert_eq!(request.header("authorization"), None, "{request:?}");
            expect_none("the request", format!("{request:?}").as_bytes());
        }
    }
    super::expect_untouched(&circle);
}

#[test]
fn an_api_that_leads_elsewhere_leads_no_token_there() {
    let circle = Circle::by("merge");
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let bait = Bait::new();
    let checkout = circle.checkout();
    for status in [301, 302, 307, 308] {
        case(&status.to_string());
        let to = format!("{}/repos/{COUSIN}/pulls", bait.url());
        circle.github(|model| model.fault(COUSIN, Fault::redirect(status, &to)));
        let run = with_tokens(step(&circle, &checkout, &told(&head))).args(["--max-wait", "0"]);
        let done = run.run();
        assert_eq!(done.code, Some(1), "{done:?}");
        bait.expect_nobody();
    }
    for api in ["http://api.example", "https://u:p@127.0.0.1", "ftp://127.0.0.1", "x"] {
        case(api);
        let run = with_tokens(step(&circle, &checkout, &told(&head)));
        run.env("GITHUB_API_URL", api).run().expect_code(2);
    }
    super::expect_untouched(&circle);
}

/// The token for the source is for nothing else, and the cousin's is not needed there.
#[test]
fn each_token_goes_to_its_own_repository() {
    let circle = private();
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let checkout = circle.checkout();
    let run = step(&circle, &checkout, &told(&head)).env("ECOSYSTEM_SOURCE_TOKEN", OF_SOURCE);
    run.run().expect_code(0);
    circle.github(|model| {
        for it in model.git_requests() {
            let is_of_source = it.token == "source";
            match it.repository.as_str() {
                SOURCE => assert!(is_of_source, "{it:?}"),
                _ => assert!(!is_of_source, "{it:?}"),
            }
        }
        assert!(model.git_requests().iter().any(|it| it.path == "/git-receive-pack"));
    });
}
