//! What GitHub says of the new cousin, and the probe.

use ecosystem_dispatcher::embedded_github::Model;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{FILES, LIST, list, monorepo};
use crate::support::ecosystem::Run;
use crate::support::github::{TOKEN, Tester, github_with, run_test_without_sample};

/// Prepares a run with a token.
fn onboard(t: &Tester, args: &[&str]) -> Run {
    Run::new(&t.sandbox)
        .dir(&t.sandbox.path().join("monorepo"))
        .env("GITHUB_API_URL", t.url())
        .env("ECOSYSTEM_PAT", TOKEN)
        .arg("onboard")
        .args(args)
}

/// Puts the files that were written to `web` on the default branch of `acme/web`.
fn merge(t: &Tester) {
    let web = t.sandbox.path().join("web");
    t.with(|model| {
        let all = std::mem::take(model);
        *model = all.repository_with("acme/web", |it| {
            FILES.into_iter().fold(it, |it, name| {
                it.file(name, std::fs::read_to_string(web.join(name)).unwrap())
            })
        });
    });
}

fn codes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
}

#[test]
fn a_staged_cousin_is_enabled_when_its_own_workflow_was_seen_to_start() {
    run_test_without_sample(github_with(["acme/web"]), |t| {
        let dir = monorepo(&t.sandbox, Some(LIST));
        let first = ["acme/web", "--subscribe", "features/*", "--staged", "--output", "../web"];
        onboard(t, &first).run().expect_code(0);
        t.looked_at_all();
        let disabled = list(&dir);
        assert!(disabled.contains("\"enabled\": false"), "{disabled}");
        let probe = ["acme/web", "--staged", "--probe=0", "--format", "json"];
        // The files are not there yet: it hears nothing, and stays as it is.
        let report = onboard(t, &probe).run().expect_code(1).json();
        assert_eq!(report["probe"]["outcome"], "failed");
        assert_eq!(codes(&report), ["disabled-cousin"]);
        let next = report["next"].to_string();
        assert!(next.contains("acme/web: put both files on its default branch"), "{next}");
        assert_eq!(report["probe"]["confirmation"], "unconfirmed");
        assert_eq!(report["ecosystem"]["enabled"], false);
        assert_eq!(list(&dir), disabled);
        merge(t);
        let report = onboard(t, &probe).run().expect_code(0).json();
        assert_eq!(report["probe"]["outcome"], "delivered");
        assert_eq!(report["probe"]["confirmation"], "confirmed");
        assert_eq!(report["ecosystem"]["enabled"], true);
        assert_eq!(report["ecosystem"]["written"], true);
        let next = report["next"].to_string();
        assert!(next.contains("commit ecosystem.json") && !next.contains("put both"), "{next}");
        assert_eq!(codes(&report), [""; 0], "it is not said to be disabled any more");
        assert_eq!(list(&dir), disabled.replace("\"enabled\": false", "\"enabled\": true"));
        // One dispatch each time, of the first feature, to nobody else.
        let told = t.delivered();
        let names: Vec<&String> = told.keys().collect();
        assert_eq!(names, ["acme/web"]);
        let features = told["acme/web"].iter().map(|(_, payload)| &payload["updated_feature"]);
        assert_eq!(features.collect::<Vec<_>>(), [&json!("features/pwa"), &json!("features/pwa")]);
        t.looked_at_all();
    });
}

#[test]
fn a_probe_without_staged_changes_nothing_and_a_dry_one_sends_nothing() {
    run_test_without_sample(github_with(["acme/web"]), |t| {
        let dir = monorepo(&t.sandbox, Some(LIST));
        let args = ["acme/web", "--subscribe", "docs", "--output", "../web"];
        let dry = [&args[..], &["--probe", "--dry-run"]].concat();
        let done = onboard(t, &dry).run().expect_code(0);
        assert!(done.stdout.contains("probe  docs: planned"), "{}", done.stdout);
        t.expect_no_request();
        onboard(t, &args).run().expect_code(0);
        merge(t);
        let before = list(&dir);
        let done = onboard(t, &["acme/web", "--probe=0"]).run().expect_code(0);
        assert!(done.stdout.contains("probe  docs: delivered, confirmed, http"), "{}", done.stdout);
        assert_eq!(list(&dir), before);
        assert_eq!(t.events("acme/web").len(), 1);
        t.looked_at_all();
    });
}

#[test]
fn where_a_token_is_there_github_is_asked_about_the_cousin_and_nobody_else() {
    run_test_without_sample(github_with(["acme/web"]), |t| {
        let dir = monorepo(&t.sandbox, Some(LIST));
        let json = |name| ["--subscribe", "docs", "--format", "json", name];
        // That nobody listens yet is known.
        let report = onboard(t, &json("acme/web")).run().expect_code(0).json();
        assert_eq!(codes(&report), ["no-listener"]);
        // That there is no such repository is not.
        let report = onboard(t, &json("acme/wbe")).run().expect_code(1).json();
        assert_eq!(codes(&report), ["repo-not-found"]);
        assert!(list(&dir).contains("acme/wbe"));
        let paths = t.reads();
        assert!(paths.len() > 1 && !paths.iter().any(|it| it.contains("acme/old")), "{paths:?}");
    });
}

#[test]
fn without_a_token_a_probe_is_an_error_and_says_what_was_written() {
    run_test_without_sample(Model::new(), |t| {
        let dir = monorepo(&t.sandbox, Some(LIST));
        let args = ["acme/web", "--subscribe", "docs", "--probe", "--staged"];
        let done = onboard(t, &args).without("ECOSYSTEM_PAT").run().expect_code(2);
        assert!(done.stderr.contains("token"), "{}", done.stderr);
        assert!(done.stdout.contains("acme/web is added to ecosystem.json, not enabled\n"));
        assert!(list(&dir).contains("\"enabled\": false"));
        t.expect_no_request();
    });
}
