//! A GitHub App instead of a token: minted for exactly the cousins of each owner, given
//! back at the end, and nobody's trouble but the owner's whom it is refused for. What befalls a
//! token meanwhile is in `app_tokens`.

use std::time::Duration;

use ecosystem_dispatcher::embedded_github::{App, Fault, Installation, Limits, Model};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::ecosystem::{Done, Run};
use crate::support::github::{FEATURE, Tester, github_with, run_test_with};

/// A key that opens nothing: see `support/keys/README.md`.
pub(crate) const KEY: &str = include_str!("support/keys/test-only-app-key.pem");

/// The App as it is registered, installed nowhere yet.
pub(crate) fn app() -> App {
    App::new(12345, "Iv23liTest", KEY)
}

pub(crate) fn writes(it: Installation) -> Installation {
    it.may("contents", "write")
}

/// Prepares a dispatch to these cousins, with the App and no other token.
pub(crate) fn dispatch<'a>(t: &Tester, cousins: impl IntoIterator<Item = &'a str>) -> Run {
    as_app(t.push()).arg("--ecosystem").arg(t.cousins(cousins))
}

/// Adds the App and its key.
fn as_app(run: Run) -> Run {
    run.env("ECOSYSTEM_APP_ID", "12345")
        .env("ECOSYSTEM_APP_PRIVATE_KEY", KEY)
        .args(["--format", "json"])
}

/// Returns `repo outcome error` of each dispatch.
pub(crate) fn outcomes(done: &Done) -> Vec<String> {
    let report = done.json();
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let each = report["dispatches"].as_array().unwrap().iter();
    each.map(|it| {
        format!("{} {} {}", text(it, "repo"), text(it, "outcome"), text(it, "error"))
            .trim()
            .to_owned()
    })
    .collect()
}

/// Fails when one of the outputs holds a token, a part of the key or what looks like a JWT.
#[track_caller]
fn expect_no_secret(t: &Tester, done: &Done) {
    let mut secrets = t.with(|it| it.minted());
    secrets.extend(KEY.lines().filter(|line| !line.starts_with('-')).map(ToOwned::to_owned));
    secrets.push("eyJhbGciOi".to_owned());
    for secret in &secrets {
        assert!(
            !done.stdout.contains(secret.as_str()) && !done.stderr.contains(secret.as_str()),
            "holds {secret:?}\n{}\n{}",
            done.stdout,
            done.stderr
        );
    }
}

#[test]
fn one_app_serves_two_owners_each_with_a_token_for_exactly_their_cousins() {
    let names = ["acme/web", "acme/api", "acme/other", "zoo/site"];
    let model = github_with(names)
        .app(app().installed("Acme", writes).installed("zoo", |it| writes(it).on("zoo/site")));
    run_test_with(model, |t| {
        let done =
            dispatch(t, ["acme/web", "ACME/api", "zoo/site"]).arg("-vvv").run().expect_code(0);
        expect_no_secret(t, &done);
        let mut asked = t.asked_as_app();
        asked.sort();
        assert_eq!(
            asked,
            [
                "DELETE /installation/token 204",
                "DELETE /installation/token 204",
                "GET /users/ACME/installation 200",
                "GET /users/zoo/installation 200",
                "POST /app/installations/60000000/access_tokens 201",
                "POST /app/installations/60000001/access_tokens 201",
            ]
        );
        assert_eq!(t.with(|it| (it.minted().len(), it.alive())), (2, 0));
        assert_eq!(t.delivered().len(), 3);
        let senders = t.with(|it| -> Vec<String> {
            let all = it.requests().iter().filter(|it| it.path.ends_with("/dispatches"));
            all.map(|it| format!("{} {}", it.path, it.token)).collect()
        });
        for (owner, installation) in [("acme", "Acme"), ("ACME", "Acme"), ("zoo", "zoo")] {
            let mine = |it: &&String| it.starts_with(&format!("/repos/{owner}/"));
            for sender in senders.iter().filter(mine) {
                assert!(sender.ends_with(&format!("installation of {installation}")), "{sender}");
            }
        }
    });
}

#[test]
fn twenty_cousins_at_a_time_make_one_question_and_one_token_per_owner() {
    let names: Vec<String> = (0..20).map(|n| format!("acme/r{n}")).collect();
    let all = || names.iter().map(String::as_str);
    let model = github_with(all())
        .app(app().installed("acme", writes).token_length(700))
        .latency(Duration::from_millis(20));
    run_test_with(model, |t| {
        let done = dispatch(t, all()).args(["--concurrency", "20"]).run().expect_code(0);
        assert_eq!(t.delivered().len(), 20);
        assert_eq!(
            t.asked_as_app(),
            [
                "GET /users/acme/installation 200",
                "POST /app/installations/60000000/access_tokens 201",
                "DELETE /installation/token 204",
            ]
        );
        assert_eq!(t.with(|it| it.minted()[0].len()), 700);
        expect_no_secret(t, &done);
    });
}

#[test]
fn more_cousins_than_a_token_can_be_for_are_told_with_several() {
    let names: Vec<String> = (0..501).map(|n| format!("acme/r{n}")).collect();
    let all = || names.iter().map(String::as_str);
    run_test_with(github_with(all()).app(app().installed("acme", writes)), |t| {
        dispatch(t, all()).args(["--per-minute", "9000"]).run().expect_code(0);
        assert_eq!(t.delivered().len(), 501);
        assert_eq!(t.with(|it| (it.minted().len(), it.alive())), (2, 0));
        assert_eq!(t.asked_as_app().iter().filter(|it| it.starts_with("GET")).count(), 1);
    });
}

#[test]
fn an_owner_without_the_app_fails_alone_and_says_what_to_do() {
    let names = ["acme/web", "gone/a", "gone/b", "halt/a", "poor/a"];
    let model = github_with(names).app(
        app()
            .installed("acme", writes)
            .installed("halt", |it| writes(it).suspended())
            .installed("poor", |it| it.may("contents", "read")),
    );
    run_test_with(model, |t| {
        let done = dispatch(t, names).run().expect_code(1);
        insta::assert_snapshot!(outcomes(&done).join("\n"), @"
        acme/web delivered
        gone/a failed no token: the App 12345 is not installed for gone: install it there with access to the cousins, or give them a token_env
        gone/b failed no token: the App 12345 is not installed for gone: install it there with access to the cousins, or give them a token_env
        halt/a failed no token: the installation of the App 12345 for halt is suspended: unsuspend it among the GitHub Apps in the settings of halt
        poor/a failed no token: the App 12345 was not granted contents: write for poor: add it in the App's settings, and accept it in those of poor
        ");
        assert_eq!(t.asked_as_app().iter().filter(|it| it.contains("/gone/")).count(), 1);
        assert_eq!(t.delivered().len(), 1);
    });
}

#[test]
fn a_cousin_out_of_reach_is_left_out_and_the_others_are_told() {
    for others in [1, 6] {
        let names: Vec<String> = (0..others).map(|n| format!("acme/r{n}")).collect();
        let app = app().installed("acme", |it| {
            names.iter().fold(writes(it), |it, name| it.on(name)).on("acme/new-name")
        });
        let model = github_with(names.iter().map(String::as_str).chain(["acme/secret"]))
            .repository_with("acme/old-name", |it| it.renamed_to("acme/new-name"))
            .app(app);
        run_test_with(model, |t| {
            let all = names.iter().map(String::as_str);
            let done =
                dispatch(t, all.chain(["acme/nowhere", "acme/old-name", "acme/secret"])).run();
            let failed: Vec<String> =
                outcomes(&done).into_iter().filter(|it| !it.contains("delivered")).collect();
            assert_eq!(done.code, Some(1), "{}", done.stderr);
            assert_eq!(t.delivered().len(), others);
            let id = t.with(|it| it.id_of("acme/new-name").unwrap());
            let renamed = format!("`gh api repositories/{id} --jq .full_name`");
            insta::allow_duplicates! {
                insta::assert_snapshot!(failed.join("\n").replace(&renamed, "`gh …`"), @"
                acme/nowhere failed no token: the App 12345 is not installed on acme/nowhere: add the repository to its installation for acme, or check the name
                acme/old-name failed no token: acme/old-name was renamed: write its new name in ecosystem.json (`gh …` tells it) (an App's token is for present names)
                acme/secret failed no token: the App 12345 is not installed on acme/secret: add the repository to its installation for acme, or check the name
                ");
            }
            let asked = t.asked_as_app();
            let listed = asked.iter().any(|it| it.starts_with("GET /installation/repositories"));
            assert_eq!(listed, others > 4, "{asked:#?}");
            assert_eq!(t.with(|it| it.alive()), 0);
        });
    }
}

#[test]
fn a_server_that_repeats_what_it_was_shown_shows_nothing() {
    let model = github_with(["acme/web"]).app(app().installed("acme", writes));
    run_test_with(model, |t| {
        t.fault("acme/web", Fault::delay(Duration::from_millis(300)));
        let mut run = dispatch(t, ["acme/web"]).arg("-vvv").spawn();
        run.wait_for("sending, attempt 1");
        let done = run.wait().expect_code(0);
        expect_no_secret(t, &done);
        t.delivered();
        t.asked_as_app();
    });
    let refused = github_with(["acme/web"]).app(app().installed("acme", writes));
    run_test_with(refused, |t| {
        // What the model will mint is known, since its tokens are made by their number.
        dispatch(t, ["acme/web"]).run().expect_code(0);
        let secret = t.with(|it| it.minted()[0].clone());
        let echo = format!("{{\"message\":\"Bearer {secret}\"}}");
        t.with(|it| it.forget_minted());
        t.fault("acme/web", Fault::status(422).text("application/json", &echo));
        let done = dispatch(t, ["acme/web"]).arg("-vvv").run().expect_code(1);
        assert_eq!(t.with(|it| it.minted()), [secret]);
        assert!(done.stdout.contains("Bearer ***"), "{}", done.stdout);
        expect_no_secret(t, &done);
        t.requests("acme/web");
        t.delivered();
        t.asked_as_app();
    });
}

#[test]
fn in_a_workflow_each_minted_token_is_masked_and_nowhere_else() {
    let model = github_with(["acme/web"]).app(app().installed("acme", writes));
    run_test_with(model, |t| {
        let list = t.cousins(["acme/web"]);
        let done = as_app(t.action()).arg("-vvv").arg("--ecosystem").arg(list).run();
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let secret = t.with(|it| it.minted()[0].clone());
        let with: Vec<&str> = done.stderr.lines().filter(|it| it.contains(&secret)).collect();
        assert_eq!(with, [format!("::add-mask::{secret}")]);
        assert!(!done.stdout.contains(&secret));
        t.delivered();
        t.asked_as_app();
    });
}

#[test]
fn a_cousin_with_its_own_token_keeps_it_and_all_others_have_the_app_before_any_variable() {
    let model = github_with(["acme/web", "acme/own"]).app(app().installed("acme", writes));
    run_test_with(model, |t| {
        let list = t.file(
            &json!([
                {"repo": "acme/web", "subscriptions": [FEATURE]},
                {"repo": "acme/own", "subscriptions": [FEATURE], "token_env": "ECOSYSTEM_PAT"},
            ])
            .to_string(),
        );
        as_app(t.push()).arg("--ecosystem").arg(list).run().expect_code(0);
        let token = |name: &str| t.requests(name)[0].token.clone();
        assert_eq!(
            (token("acme/own"), token("acme/web")),
            ("pat".into(), "installation of acme".into())
        );
        t.delivered();
        t.asked_as_app();
    });
}

#[test]
fn a_validation_reads_with_the_least_that_it_needs() {
    let follow = "on:\n  repository_dispatch:\n    types: [feature-update]\njobs: {}\n";
    let model = Model::new()
        .limits(Limits::none())
        .repository_with("acme/web", |it| it.private().file(".github/workflows/f.yml", follow))
        .app(app().installed("acme", |it| writes(it).on("acme/web")));
    run_test_with(model, |t| {
        let done = Run::new(&t.sandbox)
            .dir(&t.checkout)
            .args(["validate", "--online", "-vvv", "--format", "json", "--ecosystem"])
            .arg(t.cousins(["acme/web", "acme/nowhere"]))
            .env("GITHUB_API_URL", t.url())
            .env("ECOSYSTEM_APP_ID", "Iv23liTest")
            .env("ECOSYSTEM_APP_PRIVATE_KEY", KEY.replace('\n', "\\n"))
            .run()
            .expect_code(1);
        expect_no_secret(t, &done);
        let report = done.json();
        let found: Vec<String> = report["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                format!("{} {} {}", it["severity"], it["code"], it["message"]).replace('"', "")
            })
            .collect();
        insta::assert_snapshot!(found.join("\n"), @"
        note token-cannot-dispatch whether the token of the App Iv23liTest (installation of acme) may send dispatches to acme/web is not known: GitHub does not tell what an App was granted
        error token-cannot-read cannot ask GitHub about acme/nowhere: no token: the App Iv23liTest is not installed on acme/nowhere: add the repository to its installation for acme, or check the name
        ");
        assert_eq!(t.with(|it| it.alive()), 0);
        t.asked_as_app();
        t.reads();
    });
}

#[test]
fn an_app_that_github_does_not_know_is_named() {
    let model = github_with(["acme/web", "zoo/site"]).app(app().installed("acme", writes));
    run_test_with(model, |t| {
        let done = dispatch(t, ["acme/web"]).env("ECOSYSTEM_APP_ID", "54321").run().expect_code(1);
        let error = done.dispatch("acme/web")["error"].to_string();
        assert!(error.contains("GitHub refuses the App 54321 (404"), "{error}");
        assert!(error.contains("ECOSYSTEM_APP_ID and ECOSYSTEM_APP_PRIVATE_KEY"), "{error}");
        t.asked_as_app();
    });
}

#[test]
fn a_dry_run_and_a_rehearsal_need_no_app() {
    run_test_with(github_with(["acme/web"]), |t| {
        for command in [&["dispatch", "--dry-run"][..], &["rehearse"]] {
            Run::new(&t.sandbox)
                .dir(&t.checkout)
                .event("push", "push.json")
                .env("GITHUB_ACTIONS", "false")
                .env("GITHUB_API_URL", t.url())
                .env("ECOSYSTEM_APP_ID", "12345")
                .env("ECOSYSTEM_APP_PRIVATE_KEY", "no key")
                .args(command)
                .run()
                .expect_code(0);
        }
        t.expect_no_request();
    });
}
