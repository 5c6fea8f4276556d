//! `dispatch --watermarks`: what a run has missed, the next one makes up for, and nothing is sent
//! that was received.

mod others;

use std::collections::BTreeMap;

use ecosystem_dispatcher::embedded_github::Fault;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::ecosystem::{Done, Run};
use crate::support::github::{github_with, run_test_without_sample};
use crate::support::world::World;

fn cousins() -> Value {
    json!([
        {"repo": "acme/web", "subscriptions": ["features/a", "features/b"]},
        {"repo": "acme/docs", "subscriptions": ["features/c"]},
    ])
}

fn run_world(test: impl FnOnce(&World<'_>)) {
    let names = ["acme/web", "acme/docs", "acme/new"];
    run_test_without_sample(github_with(names), |t| test(&World::new(t, &cousins())));
}

fn refs<const N: usize>(refs: [(&str, &str); N]) -> BTreeMap<String, String> {
    refs.into_iter().map(|(name, id)| (name.to_owned(), id.to_owned())).collect()
}

/// Returns repo, feature, outcome and reason of each dispatch.
fn rows(done: &Done) -> Vec<String> {
    let report = done.json();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = report["dispatches"].as_array().unwrap().iter();
    rows.map(|row| {
        ["repo", "updated_feature", "outcome", "reason"].map(|key| text(row, key)).join(" ")
    })
    .collect()
}

/// Returns repo and state of each watermark.
fn states(done: &Done) -> Vec<String> {
    let report = done.json();
    let rows = report["watermarks"].as_array().unwrap().iter();
    rows.map(|row| format!("{} {}", row["repo"].as_str().unwrap(), row["state"].as_str().unwrap()))
        .collect()
}

fn told(repo: &str, feature: &str, commit: &str) -> (String, String, String) {
    (repo.to_owned(), format!("features/{feature}"), commit.to_owned())
}

#[test]
fn the_first_run_begins_at_the_events_base_and_the_next_at_what_was_received() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        let done = w.run(&first).run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a delivered push"]);
        assert_eq!(states(&done), ["acme/docs created", "acme/web created"]);
        assert_eq!(done.json()["range"]["base"], first.before);
        let all = |at: &str| refs([("watermarks/acme/docs", at), ("watermarks/acme/web", at)]);
        assert_eq!(w.refs(), all(&first.after));

        // This push gets no run: cancelled, or [skip ci].
        w.push(&[("b", "1"), ("c", "1")]);
        let third = w.push(&[("a", "2")]);
        let done = w.run(&third).run().expect_code(0);
        assert_eq!(
            rows(&done),
            [
                "acme/docs features/c delivered watermarks",
                "acme/web features/a delivered watermarks",
                "acme/web features/b delivered watermarks",
            ]
        );
        assert_eq!(done.json()["range"]["reason"], "watermarks");
        assert_eq!(done.json()["range"]["base"], first.after);
        assert_eq!(states(&done), ["acme/docs advanced", "acme/web advanced"]);
        assert_eq!(w.refs(), all(&third.after));
        let base = w.t.events("acme/docs")[0].client_payload["base_sha"].clone();
        assert_eq!(base, first.after);

        let done = w.scheduled().run().expect_code(0);
        assert_eq!(states(&done), ["acme/docs current", "acme/web current"]);
        assert_eq!(w.received(1).len(), 3, "nothing more was sent");
    });
}

#[test]
fn a_cousin_that_failed_keeps_its_watermark_and_is_told_by_the_next_run() {
    run_world(|w| {
        let first = w.push(&[("a", "1"), ("c", "1")]);
        w.t.fault("acme/web", Fault::status(403));
        let done = w.run(&first).run().expect_code(1);
        assert_eq!(states(&done), ["acme/docs created", "acme/web kept"]);
        let after = refs([
            ("failing/acme/web", &first.after),
            ("watermarks/acme/docs", &first.after),
            ("watermarks/acme/web", &first.before),
        ]);
        assert_eq!(w.refs(), after);
        let id = done.dispatch("acme/web")["dispatch_id"].clone();

        let done = w.scheduled().run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a delivered watermarks"]);
        assert_eq!(done.dispatch("acme/web")["dispatch_id"], id, "the same news");
        let after =
            refs([("watermarks/acme/docs", &first.after), ("watermarks/acme/web", &first.after)]);
        assert_eq!(w.refs(), after);
        w.received(0);
    });
}

#[test]
fn a_new_cousin_is_told_of_everything_that_it_follows_and_a_disabled_one_of_what_it_missed() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let mut list = cousins();
        list[1]["enabled"] = json!(false);
        list.as_array_mut()
            .unwrap()
            .push(json!({"repo": "acme/new", "subscriptions": ["features/*", "!features/a"]}));
        w.list(&list);
        let second = w.push(&[("c", "1")]);
        let done = w.run(&second).run().expect_code(0);
        assert_eq!(
            rows(&done),
            ["b", "c", "d"]
                .map(|name| format!("acme/new features/{name} delivered first-delivery"))
        );
        assert_eq!(done.json()["disabled"], json!(["acme/docs"]));
        assert_eq!(states(&done), ["acme/new created", "acme/web advanced"]);
        assert_ne!(w.refs()["watermarks/acme/docs"], second.after);
        // Everybody who is to hear of it has: what a disabled cousin missed is not the range.
        let done = w.run(&second).run().expect_code(0);
        let range = &done.json()["range"];
        let told = ["base", "head"].map(|end| range[end].as_str().unwrap().to_owned());
        assert_eq!(told, [second.after.clone(), second.after.clone()]);
        assert_eq!((&range["reason"], &range["changed_paths"]), (&json!("watermarks"), &json!(0)));

        list[1]["enabled"] = json!(true);
        w.list(&list);
        let third = w.push(&[("c", "2")]);
        let done = w.run(&third).run().expect_code(0);
        let expected = [
            "acme/docs features/c delivered watermarks",
            "acme/new features/c delivered watermarks",
        ];
        assert_eq!(rows(&done), expected);
        assert_eq!(w.refs()["watermarks/acme/docs"], third.after);
        w.received(0);
    });
}

#[test]
fn an_old_run_that_comes_late_sends_nothing_and_moves_nothing() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        let late = w.push(&[("a", "2")]);
        let newer = w.push(&[("b", "2")]);
        w.run(&newer).run().expect_code(0);
        let before = w.refs();
        let count = w.received(0).len();
        for again in [&late, &first, &newer] {
            let done = w.run(again).run().expect_code(0);
            let expected: &[&str] = match again.after == newer.after {
                true => &[],
                false => &["acme/web features/a skipped push"],
            };
            assert_eq!(rows(&done), expected);
            if let [_] = expected {
                let error = &done.dispatch("acme/web")["error"];
                assert_eq!(error, "already delivered by a newer run");
                assert_eq!(states(&done), ["acme/docs newer", "acme/web newer"]);
            }
        }
        assert_eq!(w.refs(), before);
        assert_eq!(w.received(0).len(), count);
    });
}

#[test]
fn a_rewritten_branch_is_compared_with_what_was_received_forward_sideways_and_back() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        let second = w.push(&[("b", "2")]);
        w.run(&second).run().expect_code(0);
        // Sideways: the second commit is replaced by another.
        w.reset(&first.after);
        let sideways = w.push(&[("c", "3")]);
        assert!(sideways.forced);
        let done = w.run(&sideways).run().expect_code(0);
        let both = [
            "acme/docs features/c delivered watermarks",
            "acme/web features/b delivered watermarks",
        ];
        assert_eq!(rows(&done), both);
        // Back: nothing new, and yet other than what was received.
        w.reset(&first.after);
        let back = w.publish();
        let done = w.run(&back).run().expect_code(0);
        assert_eq!(rows(&done), ["acme/docs features/c delivered watermarks"]);
        assert_eq!(w.refs()["watermarks/acme/docs"], first.after);
        // Nobody wants the run of the commit that is no more.
        let count = w.received(0).len();
        let done = w.run(&second).run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/b skipped push"]);
        let error = done.dispatch("acme/web")["error"].to_string();
        assert!(error.contains("the branch does not hold this commit"), "{error}");
        assert_eq!(w.refs()["watermarks/acme/web"], first.after);
        assert_eq!(w.received(0).len(), count);
    });
}

#[test]
fn without_a_base_each_watermark_is_made_when_its_cousin_has_received_something() {
    run_world(|w| {
        let first = w.publish();
        let root = crate::support::world::Pushed { before: "0".repeat(40), ..first };
        w.t.fault("acme/docs", Fault::status(404));
        let done = w.run(&root).run().expect_code(1);
        assert_eq!(states(&done), ["acme/docs kept", "acme/web created"]);
        assert_eq!(
            w.refs().keys().collect::<Vec<_>>(),
            ["failing/acme/docs", "watermarks/acme/web"]
        );
        let done = w.scheduled().run().expect_code(0);
        assert_eq!(rows(&done), ["acme/docs features/c delivered first-delivery"]);
        assert_eq!(w.received(0).len(), 3);
    });
}

#[test]
fn an_event_without_a_range_cannot_be_the_first() {
    run_world(|w| {
        let done = w.scheduled().run().expect_code(2);
        assert!(done.stderr.contains("no cousin has a watermark yet"), "{}", done.stderr);
        let tip = w.head();
        w.push(&[("a", "1")]);
        let done = w.scheduled().args(["--base", &tip]).run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a delivered flags"]);
        assert_eq!(w.received(0), [told("acme/web", "a", &w.head())]);
    });
}

#[test]
fn a_dry_run_plans_with_the_watermarks_and_moves_none() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        let done = w.run(&first).arg("--dry-run").run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a planned push"]);
        assert_eq!(w.refs(), BTreeMap::new());
        w.run(&first).run().expect_code(0);
        w.push(&[("b", "1")]);
        let before = w.refs();
        let done = w.scheduled().arg("--dry-run").run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/b planned watermarks"]);
        assert_eq!(w.refs(), before);
        w.received(0);
    });
}

#[test]
fn what_a_cousin_heard_in_part_is_taken_back_when_it_is_undone_and_nothing_else_is_told() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1"), ("b", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2"), ("b", "2")]);
        w.t.fault("acme/web", Fault::status(403));
        let done = w.run(&second).args(["--concurrency", "1"]).run().expect_code(1);
        let told =
            ["acme/web features/a failed watermarks", "acme/web features/b delivered watermarks"];
        assert_eq!(rows(&done), told);
        let tried: Vec<String> =
            w.refs().into_keys().filter(|it| it.starts_with("tried/")).collect();
        let [tried] = &tried[..] else { panic!("{tried:?}") };
        assert!(tried.starts_with(&format!("tried/acme/web/{}-", second.after)), "{tried}");

        // Both are as they were: only of one it has heard that they were not.
        w.push(&[("a", "1"), ("b", "1")]);
        let done = w.scheduled().run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/b delivered watermarks"]);
        assert_eq!(done.dispatch("acme/web")["base_sha"], second.after);
        assert_eq!(w.refs().len(), 2, "{:?}", w.refs());
        w.received(0);
    });
}

/// Refused in the end, and nobody knows what became of the attempt before.
#[test]
fn what_a_cousin_may_have_heard_is_taken_back_when_it_is_undone() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        w.t.fault("acme/web", Fault::reset().delivered());
        w.t.fault("acme/web", Fault::status(403));
        let done = w.run(&second).run().expect_code(1);
        assert_eq!(rows(&done), ["acme/web features/a failed watermarks"]);
        w.push(&[("a", "1")]);
        let done = w.scheduled().run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a delivered watermarks"]);
        assert_eq!(done.dispatch("acme/web")["base_sha"], second.after);
        w.received(0);
    });
}

#[test]
fn what_is_not_on_the_remote_is_told_to_nobody_and_published_by_nothing() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        let clone = w.t.sandbox.clone(&w.origin, "person", &[]);
        w.t.sandbox.write(&clone, "features/a/file", "mine");
        let mine = w.t.sandbox.commit_all(&clone, "not pushed");
        let person = |args: &[&str]| {
            Run::new(&w.t.sandbox)
                .dir(&clone)
                .env("GITHUB_API_URL", w.t.url())
                .env("ECOSYSTEM_PAT", crate::support::github::TOKEN)
                .args(["dispatch", "--watermarks", "--format", "json", "--source", "acme/monorepo"])
                .args(args)
        };
        for branch in ["main", "another"] {
            w.t.sandbox.git(&clone, &["checkout", "--quiet", "-B", branch]);
            let done = person(&[]).run().expect_code(2);
            assert!(
                done.stderr.contains(&format!("is not on the remote's {branch}")),
                "{}",
                done.stderr
            );
            assert!(done.stderr.contains("push it first"), "{}", done.stderr);
            let done = person(&["--dry-run"]).run().expect_code(0);
            assert_eq!(rows(&done), ["acme/web features/a planned watermarks"]);
        }
        let known = w.t.sandbox.try_git(&w.origin, &["cat-file", "-e", &mine], b"");
        assert!(!known.status.success(), "nothing of it was pushed");
        w.t.sandbox.git(&clone, &["push", "--quiet", "origin", "another:main"]);
        w.t.sandbox.git(&clone, &["checkout", "--quiet", "-B", "main"]);
        let done = person(&[]).run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a delivered watermarks"]);
        assert_eq!(w.received(0).len(), 2);
    });
}

#[test]
fn a_run_on_another_branch_and_a_base_that_does_not_count_are_told() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        w.t.sandbox.git(&w.origin, &["branch", "side", "main"]);
        let done = w.scheduled().env("GITHUB_REF", "refs/heads/side").run().expect_code(0);
        assert_eq!(done.warnings(), ["watermarks-of-another-branch"]);
        let done = w.scheduled().args(["--base", &first.before]).run().expect_code(0);
        assert_eq!(done.warnings(), ["base-not-used"]);
        w.received(0);
    });
}

#[test]
fn a_staged_rollout_without_an_enabled_cousin_has_nothing_to_do() {
    run_world(|w| {
        w.list(&json!([{"repo": "acme/web", "subscriptions": ["features/a"], "enabled": false}]));
        w.push(&[("a", "1")]);
        let done = w.scheduled().run().expect_code(0);
        assert_eq!((rows(&done).len(), w.refs().len()), (0, 0));
    });
}

#[test]
fn the_first_run_needs_no_file_of_the_base() {
    run_world(|w| {
        let first = w.push(&[("a", "a file that head does not have any more")]);
        let second = w.push(&[("a", "1")]);
        let url = crate::support::repository::file_url(&w.origin);
        let done = Run::new(&w.t.sandbox)
            .env("GITHUB_API_URL", w.t.url())
            .env("ECOSYSTEM_PAT", crate::support::github::TOKEN)
            .args(["dispatch", "--watermarks", "--format", "json", "--source", "acme/monorepo"])
            .args(["--remote", &url, "--base", &first.after, "--head", &second.after])
            .run()
            .expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a delivered flags"]);
        assert_eq!(states(&done), ["acme/docs created", "acme/web created"]);
        w.received(0);
    });
}
