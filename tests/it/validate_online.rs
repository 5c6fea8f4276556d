//! `ecosystem validate --online` against the embedded GitHub: each thing that would keep a cousin
//! from hearing of a push is found, from GitHub's answers alone, and nothing is ever sent.

mod requests;

use ecosystem_dispatcher::embedded_github::{Fault, Limits, Model, Repository, Token};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::ecosystem::{Done, Run};
use crate::support::github::{TOKEN, Tester, run_test_with};

const WORKFLOW: &str = ".github/workflows/follow.yml";

/// A workflow that hears of every feature update and does no harm.
const LISTENER: &str = "on:\n  repository_dispatch:\n    types: [feature-update]\njobs:\n  follow:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: jq -r .client_payload.commit_sha \"$GITHUB_EVENT_PATH\"\n";

/// Returns a GitHub with `acme/web`, as `describe` says, and no limits.
fn github(describe: impl FnOnce(Repository) -> Repository) -> Model {
    Model::new().limits(Limits::none()).repository_with("acme/web", describe)
}

fn listening(it: Repository) -> Repository {
    it.file(WORKFLOW, LISTENER)
}

/// Prepares a validation of a list of cousins in the checkout of the sample.
fn validation(t: &Tester, cousins: &Value) -> Run {
    Run::new(&t.sandbox)
        .dir(&t.checkout)
        .args(["validate", "--online", "--ecosystem"])
        .arg(t.file(&cousins.to_string()))
        .env("GITHUB_API_URL", t.url())
        .env("ECOSYSTEM_PAT", TOKEN)
}

fn web() -> Value {
    json!([{"repo": "acme/web", "subscriptions": ["features/webpush/flask"]}])
}

/// Returns `severity code pointer` of each finding.
fn found(done: &Done) -> Vec<String> {
    let all = done.json();
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    let each = all["diagnostics"].as_array().unwrap().iter();
    each.map(|it| format!("{} {} {}", text(it, "severity"), text(it, "code"), text(it, "pointer")))
        .collect()
}

/// Validates `acme/web` as it is described, and returns the findings and the first one's message
/// with its help.
fn judged(describe: impl FnOnce(Repository) -> Repository) -> (Vec<String>, String) {
    let mut result = None;
    run_test_with(github(describe), |t| {
        let done = validation(t, &web()).args(["--format", "json"]).run();
        t.reads();
        let all = done.json();
        let first = &all["diagnostics"][0];
        let text = |key: &str| first[key].as_str().unwrap_or_default().to_owned();
        let clean = all["summary"]["errors"] == 0;
        assert_eq!(done.code, Some(i32::from(!clean)), "{}", done.stderr);
        result = Some((found(&done), format!("{}\nhelp: {}", text("message"), text("help"))));
    });
    result.unwrap()
}

#[test]
fn a_cousin_that_listens_is_ready_after_a_few_requests() {
    let model =
        github(|it| listening(it).file("subscriptions.json", r#"["features/webpush/flask"]"#));
    run_test_with(model, |t| {
        let done = validation(t, &web()).args(["--format", "json"]).run().expect_code(0);
        let all = done.json();
        assert_eq!(all["diagnostics"], json!([]));
        assert_eq!(all["requests"], 5);
        assert_eq!(
            all["cousins"][0],
            json!({
                "repo": "acme/web", "enabled": true, "subscriptions": 1, "features": 1,
                "listener": WORKFLOW, "token": "ECOSYSTEM_PAT", "state": "ready",
            })
        );
        let mut reads = t.reads();
        reads.sort();
        assert_eq!(
            reads,
            [
                "/repos/acme/web",
                "/repos/acme/web/actions/workflows?per_page=100",
                "/repos/acme/web/contents/.github/workflows",
                "/repos/acme/web/contents/.github/workflows/follow.yml",
                "/repos/acme/web/contents/subscriptions.json",
            ]
        );
    });
}

#[test]
fn a_github_that_answers_nothing_is_given_up() {
    let names: Vec<String> = (0..100).map(|n| format!("acme/r{n}")).collect();
    let cousins = names.iter().map(|name| json!({"repo": name, "subscriptions": ["docs"]}));
    let cousins = Value::from_iter(cousins);
    run_test_with(github(listening), |t| {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let run = validation(t, &cousins).env("GITHUB_API_URL", format!("http://{closed}"));
        let done = run.args(["--format", "json"]).run().expect_code(1);
        let all = found(&done);
        assert_eq!(all.len(), 100);
        assert!(all.iter().all(|it| it.starts_with("error unreachable")), "{all:?}");
        assert!(done.stdout.contains("it answered about no other cousin"), "{}", done.stdout);
    });
}

#[test]
fn each_spelling_of_the_trigger_is_heard() {
    for on in [
        "on: repository_dispatch",
        "\"on\": [push, repository_dispatch]",
        "on:\n  repository_dispatch:",
        "on: {repository_dispatch: {types: feature-update}}",
        "true:\n  repository_dispatch:\n    types:\n      - feature-update",
        "x: &t [feature-update]\non: {repository_dispatch: {types: *t}}",
    ] {
        for path in [".github/workflows/a.yml", ".github/workflows/b.yaml"] {
            let (found, said) = judged(|it| it.file(path, format!("{on}\njobs: {{}}\n")));
            assert_eq!(found, Vec::<String>::new(), "{on}: {said}");
        }
    }
}

#[test]
fn what_is_wrong_with_the_repository_itself_is_told() {
    type Row = (fn(Repository) -> Repository, &'static [&'static str], &'static str);
    let table: [Row; 4] = [
        (|it| listening(it).archived(), &["error repo-archived /0/repo"], "unarchive"),
        (|it| listening(it).disabled(), &["error repo-disabled /0/repo"], "GitHub has disabled"),
        (
            |it| listening(it).renamed_to("acme/site"),
            &["warning repo-renamed /0/repo"],
            "acme/web is now acme/site\nhelp: write \"acme/site\"",
        ),
        (
            |it| listening(it).renamed_to("acme/elsewhere").private(),
            &["warning repo-renamed /0/repo"],
            "acme/elsewhere",
        ),
    ];
    for (describe, expected, says) in table {
        let (found, said) = judged(describe);
        assert_eq!(found, expected, "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn a_repository_that_is_not_there_or_not_seen_is_told() {
    let cousins = json!([{"repo": "acme/nowhere", "subscriptions": ["docs"]}]);
    run_test_with(github(listening), |t| {
        let done = validation(t, &cousins).args(["--format", "json"]).run().expect_code(1);
        assert_eq!(found(&done), ["error repo-not-found /0/repo"]);
        t.reads();
    });
}

#[test]
fn what_does_not_listen_is_told_with_what_to_change() {
    let other = "on: {repository_dispatch: {types: [docs-update, Feature-Update]}}\njobs: {}\n";
    type Row = (Box<dyn FnOnce(Repository) -> Repository>, &'static str, &'static str);
    let table: Vec<Row> = vec![
        (Box::new(|it| it.file("README.md", "x")), "no-listener /0/repo", "it has no workflow"),
        (
            Box::new(|it| it.file(WORKFLOW, "on: push\njobs: {}\n")),
            "no-listener /0/repo",
            "has other triggers",
        ),
        (
            Box::new(|it| it.file(WORKFLOW, "on: [push\n")),
            "no-listener /0/repo",
            "follow.yml cannot be read: line",
        ),
        (
            Box::new(|it| it.file(".github/workflows/follow.txt", LISTENER)),
            "no-listener /0/repo",
            "it has no workflow",
        ),
        (
            Box::new(move |it| it.file(WORKFLOW, other)),
            "listener-other-type /0/repo",
            "\"docs-update\", \"Feature-Update\" (upper and lower case count)",
        ),
        (
            Box::new(|it| it.file("README.md", "x").file_on("topic/sync", WORKFLOW, LISTENER)),
            "listener-on-other-branch /0/repo",
            "the branch topic/sync only",
        ),
        (Box::new(|it| it), "no-listener /0/repo", "it has no workflow"),
        (
            Box::new(|it| {
                let other = "on: {repository_dispatch: {types: [x]}}\njobs: {}\n";
                it.file(WORKFLOW, other).file_on("dev", WORKFLOW, LISTENER)
            }),
            "listener-other-type /0/repo",
            "follow.yml on the branch dev does",
        ),
        (
            Box::new(|it| it.file(WORKFLOW, "on: [push\n").file_on("dev", WORKFLOW, LISTENER)),
            "listener-on-other-branch /0/repo",
            "follow.yml cannot be read: line",
        ),
        (
            Box::new(|it| it.file(WORKFLOW, "on: {repository_dispatch: {<<: x}}\njobs: {}\n")),
            "no-listener /0/repo",
            "takes `types` and nothing else",
        ),
    ];
    for (describe, code, says) in table {
        let (found, said) = judged(describe);
        assert_eq!(found, [format!("error {code}")], "{said}");
        assert!(said.contains(says), "{code}: {said}");
    }
}

#[test]
fn the_event_type_of_the_cousin_is_the_one_that_must_be_heard() {
    let cousins = json!([{
        "repo": "acme/web", "subscriptions": ["docs"], "event_type": "docs-update",
    }]);
    run_test_with(github(listening), |t| {
        let done = validation(t, &cousins).args(["--format", "json"]).run().expect_code(1);
        assert_eq!(found(&done), ["error listener-other-type /0/event_type"]);
        t.reads();
    });
}

#[test]
fn a_listener_whose_script_the_sender_writes_is_told_with_its_line_and_the_safe_form() {
    let unsafe_one = LISTENER.replace(
        "run: jq",
        "run: |\n          FEATURE=\"${{ github.event.client_payload.updated_feature }}\"\n          jq",
    );
    let (found, said) = judged(|it| it.file(WORKFLOW, unsafe_one));
    assert_eq!(found, ["error unsafe-listener /0/repo"]);
    assert!(said.contains("follow.yml:9 of acme/web"), "{said}");
    assert!(
        said.contains("`env: UPDATED_FEATURE: ${{ github.event.client_payload.updated_feature }}`"),
        "{said}"
    );
}

#[test]
fn an_injection_in_a_workflow_that_the_listener_calls_is_found() {
    let caller = "on: repository_dispatch\njobs:\n  a:\n    uses: ./.github/workflows/apply.yml\n    with:\n      feature: ${{ github.event.client_payload.updated_feature }}\n";
    let callee = "on:\n  workflow_call:\n    inputs:\n      feature: {type: string}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo ${{ inputs.feature }}\n";
    let (found, said) =
        judged(|it| it.file(WORKFLOW, caller).file(".github/workflows/apply.yml", callee));
    assert_eq!(found, ["error unsafe-listener /0/repo"], "{said}");
    assert!(said.contains("apply.yml:9"), "{said}");
}

#[test]
fn actions_and_workflows_that_are_turned_off_are_told() {
    let scheduled = LISTENER.replace("on:\n", "on:\n  schedule: [{cron: '0 5 * * 1'}]\n");
    let model = || {
        github(|it| listening(it).actions_disabled()).repository_with("acme/idle", |it| {
            it.file(WORKFLOW, scheduled.as_str()).workflow_state(WORKFLOW, "disabled_inactivity")
        })
    };
    let cousins = json!([
        {"repo": "acme/web", "subscriptions": ["docs"], "token_env": "ADMIN"},
        {"repo": "acme/idle", "subscriptions": ["docs"]},
    ]);
    let admin = Token::classic().scopes(&["repo"]).may_write("acme/web").admin_of("acme/web");
    run_test_with(model().token("t-admin", admin), |t| {
        let run = validation(t, &cousins).env("ADMIN", "t-admin").args(["--format", "json"]);
        let done = run.run().expect_code(1);
        assert_eq!(
            found(&done),
            ["error actions-disabled /0/repo", "error listener-disabled /1/repo"]
        );
        t.reads();
    });
}

#[test]
fn what_the_token_may_not_do_is_told_in_the_words_of_its_kind() {
    let tokens = [
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", Token::classic().scopes(&["read:org"])),
        ("github_pat_11AAAAAAA0abcdefghijkl_0123456789", Token::fine_grained()),
    ];
    let says = [
        "it has the scopes read:org\nhelp: a classic token needs the scope \"repo\"",
        "it may read there, and not write\nhelp: a fine-grained token needs",
    ];
    for ((secret, token), says) in tokens.into_iter().zip(says) {
        run_test_with(github(listening).token(secret, token), |t| {
            let run = validation(t, &web()).env("ECOSYSTEM_PAT", secret);
            let done = run.args(["--format", "json"]).run().expect_code(1);
            assert_eq!(found(&done), ["error token-cannot-dispatch /0/repo"]);
            let all = done.json();
            let one = &all["diagnostics"][0];
            let said =
                format!("{}\nhelp: {}", one["message"], one["help"]).replace(['"', '\\'], "");
            assert!(said.contains(&says.replace('"', "")), "{said}");
            assert!(!format!("{}{}", done.stdout, done.stderr).contains(secret));
            t.reads();
        });
    }
}

#[test]
fn a_token_that_is_missing_refused_or_blind_is_told() {
    let model = github(|it| listening(it).private()).token(
        "t-blind",
        Token::fine_grained().may_write("acme/web").may_not_read_contents("acme/web"),
    );
    run_test_with(model, |t| {
        let run = || validation(t, &web()).args(["--format", "json"]);
        let mut own = web();
        own[0]["token_env"] = json!("WEB_PAT");
        let done = validation(t, &own).args(["--format", "json"]).run().expect_code(1);
        assert_eq!(found(&done), ["error token-missing /0/token_env"]);
        t.expect_no_request();
        let done = run().env("ECOSYSTEM_PAT", "t-wrong").run().expect_code(1);
        assert_eq!(found(&done), ["error token-cannot-read /0/repo"]);
        let done = run().env("ECOSYSTEM_PAT", "t-blind").run().expect_code(1);
        assert_eq!(found(&done), ["error token-cannot-read /0/repo"]);
        assert!(done.stdout.contains("contents=read"), "{}", done.stdout);
        t.reads();
    });
}

#[test]
fn of_an_apps_token_it_is_said_that_github_does_not_tell_what_it_may_do() {
    let secret = "ghs_0123456789abcdefghijABCDEFGHIJ012345";
    let model = github(listening).token(secret, Token::installation().may_write("acme/web"));
    run_test_with(model, |t| {
        let run = validation(t, &web()).env("ECOSYSTEM_PAT", secret);
        let done = run.args(["--format", "json", "--strict"]).run().expect_code(0);
        assert_eq!(found(&done), ["note token-cannot-dispatch /0/repo"]);
        assert!(done.stdout.contains("a GitHub App must be installed"), "{}", done.stdout);
        t.reads();
    });
}

#[test]
fn the_token_of_the_job_is_told_to_reach_no_other_repository() {
    let model = github(listening).token("ghs_built-in", Token::built_in("acme/monorepo"));
    run_test_with(model, |t| {
        let run = Run::new(&t.sandbox)
            .dir(&t.checkout)
            .args(["validate", "--online", "--format", "json", "--ecosystem"])
            .arg(t.file(&web().to_string()))
            .env("GITHUB_API_URL", t.url())
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "acme/monorepo")
            .env("GITHUB_TOKEN", "ghs_built-in");
        let done = run.run().expect_code(1);
        assert_eq!(found(&done), ["error token-cannot-dispatch /0/repo"]);
        assert!(done.stdout.contains("for the run's own repository"), "{}", done.stdout);
        t.reads();
    });
}

#[test]
fn a_single_sign_on_that_is_missing_is_told() {
    let model = github(listening).token("t-sso", Token::may_write_all().needs_sso("acme"));
    run_test_with(model, |t| {
        let run = validation(t, &web()).env("ECOSYSTEM_PAT", "t-sso");
        let done = run.args(["--format", "json"]).run().expect_code(1);
        assert_eq!(found(&done), ["error token-cannot-read /0/repo"]);
        assert!(done.stdout.contains("single sign-on of acme"), "{}", done.stdout);
        t.reads();
    });
}

#[test]
fn a_cousin_that_would_ignore_the_news_is_told() {
    for (theirs, expected) in [
        (r#"["features/webpush/flask"]"#, None),
        (r#"["features/webpush"]"#, None),
        (
            r#"["features/pwa", "features/webpush/flask/x"]"#,
            Some("lacks \"features/webpush/flask\""),
        ),
        (
            r#"{"source": "acme/monorepo", "subscriptions": [{"feature": "features/webpush/flask"}]}"#,
            None,
        ),
        (
            r#"{"source": "acme/other", "subscriptions": ["features/webpush/flask"]}"#,
            Some("follows acme/other"),
        ),
        ("[", Some("cannot be read")),
    ] {
        run_test_with(github(|it| listening(it).file("subscriptions.json", theirs)), |t| {
            let run = validation(t, &web()).env("GITHUB_REPOSITORY", "acme/monorepo");
            let done = run.args(["--format", "json"]).run().expect_code(0);
            t.reads();
            let all = done.json();
            match expected {
                None => assert_eq!(found(&done), Vec::<String>::new(), "{theirs}"),
                Some(says) => {
                    assert_eq!(all["diagnostics"][0]["code"], "not-subscribed-there");
                    let said = all["diagnostics"][0]["message"].as_str().unwrap();
                    assert!(said.contains(says), "{said}");
                }
            }
        });
    }
}

#[test]
fn a_github_that_fails_limits_or_talks_nonsense_is_unreachable_and_hides_no_other() {
    let cousins = json!([
        {"repo": "acme/web", "subscriptions": ["docs"]},
        {"repo": "acme/odd", "subscriptions": ["docs"]},
        {"repo": "acme/limited", "subscriptions": ["docs"]},
        {"repo": "acme/page", "subscriptions": ["docs"]},
    ]);
    let model = github(listening)
        .repository_with("acme/odd", listening)
        .repository_with("acme/limited", listening)
        .repository_with("acme/page", listening);
    run_test_with(model, |t| {
        t.fault("acme/limited", Fault::limited(1));
        t.fault("acme/odd", Fault::truncated(200));
        t.fault("acme/page", Fault::html(200));
        let done = validation(t, &cousins).args(["--format", "json"]).run();
        t.reads();
        assert_eq!(found(&done), ["error unreachable /3/repo"], "{}", done.stdout);
    });
}

#[test]
fn nothing_listens_at_the_address_of_the_api() {
    run_test_with(github(listening), |t| {
        let run = validation(t, &web()).env("GITHUB_API_URL", "http://10.0.0.1");
        let done = run.run().expect_code(2);
        assert!(done.stderr.contains("in clear"), "{}", done.stderr);
        t.expect_no_request();
    });
}

#[test]
fn a_token_is_in_no_output_however_much_is_said() {
    let model = github(|it| it.file(WORKFLOW, format!("on: push # {TOKEN}\nname: {TOKEN}: x\n")));
    run_test_with(model, |t| {
        let summary = t.file("");
        let run = validation(t, &web()).arg("-vvv");
        let done = run
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &summary)
            .run()
            .expect_code(1);
        t.reads();
        let said = format!("{}{}", done.stdout, done.stderr);
        let said = said.replace(&format!("::add-mask::{TOKEN}"), "");
        assert!(!said.contains(TOKEN), "{said}");
        assert!(!std::fs::read_to_string(summary).unwrap().contains(TOKEN));
    });
}
