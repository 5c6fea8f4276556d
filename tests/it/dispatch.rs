//! The main job: a push, and every subscribed cousin receives exactly its events.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::ecosystem::Run;
use crate::support::github::{BASE, FEATURE, HEAD, Tester, github_with, run_test, run_test_with};

/// What each cousin is told of when `step/head` is pushed, as `fixtures/README.md` has it.
const TOLD: [(&str, &str, &str); 7] = [
    ("acme/docs-site", "feature-update", "docs"),
    ("acme/flask-push-demo", "feature-update", "features/webpush/flask"),
    ("acme/flask-starter", "flask-update", "features/webpush/flask"),
    ("acme/gone", "feature-update", "features/pwa/vanilla"),
    ("acme/old-name", "feature-update", "features/pwa/vanilla"),
    ("acme/push-service", "feature-update", "features/webpush/flask"),
    ("acme/pwa-gallery", "feature-update", "features/pwa/vanilla"),
];

/// Returns the changed paths of the last push below a directory, as git tells them.
fn changed_below(t: &Tester, feature: &str) -> Vec<String> {
    let args = ["diff-tree", "-r", "--no-renames", "--name-only", BASE, HEAD, "--", feature];
    t.sandbox.git(&t.checkout, &args).lines().map(ToOwned::to_owned).collect()
}

#[test]
fn each_subscribed_cousin_receives_exactly_its_events_and_nobody_else_anything() {
    run_test(|t| {
        let done = t
            .push()
            .env("GITHUB_RUN_ID", "42")
            .env("GITHUB_SERVER_URL", "https://github.com/")
            .args(["--format", "json"])
            .run()
            .expect_code(1);
        let report = done.json();

        let mut expected: BTreeMap<String, Vec<(String, Value)>> = BTreeMap::new();
        for (cousin, event_type, feature) in TOLD {
            let planned = done.dispatch(cousin);
            assert_eq!(planned["event_type"], event_type, "{cousin}");
            assert_eq!(planned["updated_feature"], feature, "{cousin}");
            let paths = changed_below(t, feature);
            assert_eq!(planned["matched_paths"], paths.len(), "{cousin}");
            let payload = json!({
                "updated_feature": feature,
                "commit_sha": HEAD,
                "base_sha": BASE,
                "source_repository": "acme/monorepo",
                "source_ref": "refs/heads/main",
                "changed_paths": paths,
                "changed_paths_total": paths.len(),
                "dispatch_id": planned["dispatch_id"],
                "run_url": "https://github.com/acme/monorepo/actions/runs/42",
            });
            let receives = match cousin {
                "acme/gone" => continue,
                "acme/old-name" => "acme/new-name",
                other => other,
            };
            expected.insert(receives.to_owned(), vec![(event_type.to_owned(), payload)]);
        }
        assert_eq!(t.delivered(), expected);

        assert_eq!(t.statuses("acme/gone"), [Some(404)]);
        assert_eq!(t.statuses("acme/old-name"), [Some(307)]);
        let outcome = |cousin| done.dispatch(cousin)["outcome"].clone();
        assert_eq!(outcome("acme/gone"), "failed");
        assert_eq!(outcome("acme/old-name"), "delivered");
        assert_eq!(report["disabled"], json!(["acme/portfolio"]));
        assert_eq!(
            report["summary"],
            json!({
                "cousins": 7, "planned": 0, "delivered": 6, "failed": 1,
                "exhausted": 0, "deferred": 0, "skipped": 0,
            })
        );
        assert_eq!(done.warnings(), ["renamed-repository"]);
    });
}

#[test]
fn the_request_is_the_one_that_githubs_documentation_asks_for() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        t.push().arg("--ecosystem").arg(list).run().expect_code(0);
        let [request] = &t.requests("acme/web")[..] else { panic!("one request") };
        assert_eq!((request.method.as_str(), request.token.as_str()), ("POST", "pat"));
        assert_eq!(t.events("acme/web")[0].sent_to, "acme/web");
    });
}

#[test]
fn only_the_named_cousins_are_told_whatever_the_case() {
    run_test(|t| {
        t.push()
            .args(["--only", "ACME/Docs-Site", "--only", "acme/pwa-gallery"])
            .run()
            .expect_code(0);
        let told: Vec<String> = t.delivered().into_keys().collect();
        assert_eq!(told, ["acme/docs-site", "acme/pwa-gallery"]);
    });
}

#[test]
fn an_unknown_cousin_is_refused_with_the_nearest_that_there_is() {
    run_test(|t| {
        let done = t.push().args(["--only", "acme/dosc-site"]).run().expect_code(2);
        assert!(done.stderr.contains("--only: acme/dosc-site is not among the cousins"));
        assert!(done.stderr.contains("did you mean acme/docs-site?"), "{}", done.stderr);
        assert_eq!(done.stdout, "");
        t.expect_no_request();
    });
}

#[test]
fn a_cousin_that_is_not_enabled_is_told_nothing_even_when_it_is_named() {
    run_test(|t| {
        let done = t.push().args(["--only", "acme/portfolio"]).run().expect_code(0);
        assert!(done.stdout.contains("not enabled, so not told: acme/portfolio"));
        assert!(done.stdout.ends_with("nothing to dispatch\n"), "{}", done.stdout);
        t.expect_no_request();
    });
}

#[test]
fn a_dry_run_needs_no_token_and_no_server() {
    run_test(|t| {
        let done = Run::new(&t.sandbox)
            .dir(&t.checkout)
            .event("push", "push.json")
            .env("GITHUB_ACTIONS", "false")
            // Nobody listens on port 1; an address that cannot even be read must not matter.
            .env("GITHUB_API_URL", "http://127.0.0.1:1")
            .args(["dispatch", "--dry-run", "--format", "json"])
            .run()
            .expect_code(0);
        let report = done.json();
        assert_eq!(report["dry_run"], true);
        assert_eq!(report["summary"]["planned"], 7);
        let told: Vec<(&str, &str, &str)> = report["dispatches"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                assert_eq!((&it["attempts"], &it["outcome"]), (&json!(0), &json!("planned")));
                let text = |key: &str| it[key].as_str().unwrap();
                (text("repo"), text("event_type"), text("updated_feature"))
            })
            .collect();
        assert_eq!(told, TOLD);
        t.expect_no_request();
    });
}

#[test]
fn a_pull_request_and_a_merge_group_only_preview_whatever_token_there_is() {
    run_test(|t| {
        for (name, file, git_ref) in [
            ("pull_request", "pull-request.json", "refs/pull/7/merge"),
            ("pull_request", "pull-request-from-fork.json", "refs/pull/8/merge"),
            (
                "merge_group",
                "merge-group.json",
                "refs/heads/gh-readonly-queue/main/pr-7-d3eb70e1a51d32042dfb601506713bbbfa440b19",
            ),
        ] {
            t.sandbox.git(&t.checkout, &["fetch", "--quiet", "origin", git_ref]);
            t.sandbox.git(&t.checkout, &["checkout", "--quiet", "FETCH_HEAD"]);
            let done = t
                .push()
                .event(name, file)
                .env("GITHUB_ACTIONS", "false")
                .env("GITHUB_REF", git_ref)
                .args(["--format", "json"])
                .run()
                .expect_code(0);
            let report = done.json();
            assert_eq!(report["dry_run"], true, "{file}");
            assert!(report["summary"]["planned"].as_u64().unwrap() > 0, "{file}: {report:#}");
            assert!(report["note"].as_str().unwrap().starts_with("a preview"), "{file}");
            t.expect_no_request();
        }
    });
}

#[test]
fn a_push_that_concerns_nobody_ends_well_and_says_why() {
    run_test(|t| {
        for (file, note) in [
            ("push-deleted-branch.json", true),
            ("push-tag.json", true),
            ("push-new-branch-without-commits.json", false),
        ] {
            let done = t
                .push()
                .event("push", file)
                .env("GITHUB_ACTIONS", "false")
                .args(["--format", "json"])
                .run()
                .expect_code(0);
            let report = done.json();
            assert_eq!(report["dispatches"], json!([]), "{file}");
            assert_eq!(report["summary"]["delivered"], 0, "{file}");
            assert_eq!(report["note"].is_string(), note, "{file}: {report:#}");
        }
        t.expect_no_request();
    });
}

#[test]
fn what_was_sent_twice_carries_the_same_id() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["Acme/Web"]);
        for _ in 0..2 {
            t.push().arg("--ecosystem").arg(&list).run().expect_code(0);
        }
        let ids: Vec<Value> = t
            .events("acme/web")
            .into_iter()
            .map(|event| event.client_payload["dispatch_id"].clone())
            .collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);
        assert_eq!(ids[0].as_str().unwrap().len(), 32);
    });
}

#[test]
fn a_person_at_a_terminal_sends_what_flags_name() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        Run::new(&t.sandbox)
            .env("GITHUB_API_URL", t.url())
            .env("GH_TOKEN", crate::support::github::TOKEN)
            .arg("-C")
            .arg(&t.checkout)
            .args(["dispatch", "--base", "step/before-head", "--source", "acme/monorepo"])
            .arg("--ecosystem")
            .arg(list)
            .run()
            .expect_code(0);
        let [event] = &t.events("acme/web")[..] else { panic!("one event") };
        assert_eq!(event.client_payload["updated_feature"], FEATURE);
        assert_eq!(event.client_payload["base_sha"], BASE);
        assert_eq!(event.client_payload["run_url"], Value::Null);
    });
}
