//! `dispatch --confirm`: a 204 is not yet a workflow that runs.

use ecosystem_dispatcher::embedded_github::Model;
use serde_json::json;

use crate::support::github::{FEATURE, Tester, github_with, run_test_with};
use crate::support::world::World;

/// A receiver that puts the id into its run's name, as the README's does.
const NAMED: &str = "name: Follow\nrun-name: Follow (${{ github.event.client_payload.dispatch_id }})\non:\n  repository_dispatch:\n    types: [feature-update]\njobs: {}\n";

/// A receiver that does not.
const PLAIN: &str = "name: Follow\non: repository_dispatch\njobs: {}\n";

const WORKFLOW: &str = ".github/workflows/follow.yml";

/// A GitHub with a cousin that names its runs, one that does not, and one that listens to nothing.
fn github() -> Model {
    github_with(["acme/deaf"])
        .repository_with("acme/named", |it| it.file(WORKFLOW, NAMED))
        .repository_with("acme/plain", |it| it.file(WORKFLOW, PLAIN))
}

fn confirmations(t: &Tester, report: &serde_json::Value) -> Vec<String> {
    t.delivered();
    t.reads();
    let rows = report["dispatches"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    rows.map(|row| {
        let url = if row["run_url"].is_string() { "with its page" } else { "-" };
        let repo = text(&row["repo"]);
        format!("{repo} {} {} {url}", text(&row["outcome"]), text(&row["confirmation"]))
    })
    .collect()
}

#[test]
fn each_dispatch_is_confirmed_probable_or_unconfirmed_with_the_page_of_its_run() {
    run_test_with(github(), |t| {
        let list = t.cousins(["acme/named", "acme/plain", "acme/deaf"]);
        let done = t
            .push()
            .args(["--confirm", "0", "--format", "json", "--ecosystem"])
            .arg(&list)
            .run()
            .expect_code(0);
        let expected = [
            "acme/deaf delivered unconfirmed -",
            "acme/named delivered confirmed with its page",
            "acme/plain delivered probable with its page",
        ];
        assert_eq!(confirmations(t, &done.json()), expected);
        assert_eq!(done.warnings(), ["unconfirmed"]);
    });
}

#[test]
fn where_confirmation_is_required_an_unconfirmed_dispatch_has_failed() {
    run_test_with(github(), |t| {
        let list = t.cousins(["acme/named", "acme/deaf"]);
        let done = t
            .push()
            .args(["--confirm=0", "--require-confirmation", "--format", "json", "--ecosystem"])
            .arg(&list)
            .run()
            .expect_code(1);
        let expected =
            ["acme/deaf failed unconfirmed -", "acme/named delivered confirmed with its page"];
        assert_eq!(confirmations(t, &done.json()), expected);
        let error = done.dispatch("acme/deaf")["error"].as_str().unwrap().to_owned();
        assert!(
            error.starts_with("delivered, but not confirmed: no run of it was seen"),
            "{error}"
        );
        assert_eq!(done.warnings(), [""; 0]);
    });
}

#[test]
fn nothing_is_looked_for_unless_it_is_asked_for_and_a_dry_run_looks_for_nothing() {
    run_test_with(github(), |t| {
        let list = t.cousins(["acme/named"]);
        for args in [&["--dry-run", "--confirm"][..], &[]] {
            let run = t.push().args(args).args(["--format", "json", "--ecosystem"]).arg(&list);
            let done = run.run().expect_code(0);
            assert_eq!(done.dispatch("acme/named")["confirmation"], json!(null));
            assert_eq!(done.dispatch("acme/named")["run_url"], json!(null));
        }
        assert_eq!(t.reads(), [""; 0]);
        assert_eq!(t.events("acme/named").len(), 1);
    });
}

#[test]
fn the_flag_takes_a_number_of_seconds_or_none() {
    run_test_with(github(), |t| {
        let list = t.cousins(["acme/named"]);
        let list = list.to_str().unwrap();
        for (args, code) in [
            (&["--confirm", "--dry-run"][..], 0),
            (&["--confirm", "5", "--dry-run"], 0),
            (&["--dry-run", "--confirm=5"], 0),
            (&["--dry-run", "--confirm"], 0),
            (&["--dry-run", "--confirm", "soon"], 2),
            (&["--dry-run", "--require-confirmation"], 2),
        ] {
            t.push().args(["--ecosystem", list]).args(args).run().expect_code(code);
        }
        t.expect_no_request();
    });
}

#[test]
fn a_watermark_stays_until_the_run_was_seen_where_that_is_required() {
    let names = ["acme/named", "acme/deaf"];
    let cousins = names.map(|name| json!({"repo": name, "subscriptions": ["features/a"]}));
    run_test_with(github(), |t| {
        let w = World::new(t, &json!(cousins));
        let pushed = w.push(&[("a", "1")]);
        let run = || w.run(&pushed).args(["--confirm", "0", "--require-confirmation"]);
        let done = run().run().expect_code(1);
        let refs = w.refs();
        assert_eq!(refs["watermarks/acme/named"], pushed.after);
        assert_eq!(refs["watermarks/acme/deaf"], pushed.before);
        let id = done.dispatch("acme/deaf")["dispatch_id"].clone();
        // Somebody adds the workflow, and the next run makes up for it.
        t.with(|model| {
            let all = std::mem::take(model);
            *model = all.repository_with("acme/deaf", |it| it.file(WORKFLOW, NAMED));
        });
        let done = run().run().expect_code(0);
        assert_eq!(done.dispatch("acme/deaf")["dispatch_id"], id);
        assert_eq!(w.refs()["watermarks/acme/deaf"], pushed.after);
        assert!(FEATURE.len() > 1);
        t.delivered();
        t.reads();
    });
}
