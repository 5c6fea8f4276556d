//! The issue about a sync that fails.

use ecosystem_dispatcher::embedded_github::{Issue, Token};
use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::support::circle::{FEATURE, SOURCE, write};

/// The token for the source, which no output may hold.
const SOURCE_TOKEN: &str = "canary-source-token-9b1e";

/// What fails each feature: an upstream path that may not be written.
fn poison(circle: &Circle, feature: &str) {
    circle.upstream("a workflow", |mono| {
        write(mono, &format!("{feature}/.github/workflows/evil.yml"), "on: push\n");
    });
}

fn heal(circle: &Circle, feature: &str) {
    circle.upstream("no workflow", |mono| {
        std::fs::remove_dir_all(mono.join(feature).join(".github")).unwrap();
    });
}

/// A cousin whose root follows the feature, so that a workflow in it is refused.
fn at_the_root() -> Circle {
    let circle = Circle::new(&json!({ "source": SOURCE, "subscriptions": [
        { "feature": FEATURE, "into": "." },
    ]}));
    settle(&circle);
    circle
}

fn issues(circle: &Circle, repository: &str) -> Vec<Issue> {
    let all = circle.github(|it| it.issues_of(repository).to_vec());
    all.into_iter().filter(|it| !it.pull_request).collect()
}

#[test]
fn one_issue_opens_follows_and_closes_with_the_failure() {
    let circle = at_the_root();
    poison(&circle, FEATURE);
    let report = pull(&circle, 1);
    let feature = expect(&report, "refused");
    let all = issues(&circle, COUSIN);
    assert_eq!(all.len(), 1);
    let page = format!("{}/{COUSIN}/issues/{}", circle.url(), all[0].number);
    assert_eq!(feature["issues"], json!([page]), "{report:#}");
    let mut labels = all[0].labels.clone();
    labels.sort();
    assert_eq!(labels, ["help-wanted", "upstream-issue", "upstream-sync"]);
    let body = all[0].body.clone().unwrap();
    assert!(body.contains("evil.yml") && body.contains("--allow-workflows"), "{body}");
    assert!(!body.contains("git remote add"), "no commands for what was refused: {body}");
    // The same again, and about something newer.
    pull(&circle, 1);
    let newer = upstream(&circle, 2, "app two");
    pull(&circle, 1);
    let all = issues(&circle, COUSIN);
    assert_eq!((all.len(), all[0].comments.len()), (1, 0));
    assert!(all[0].body.as_ref().unwrap().contains(&newer[..7]));
    heal(&circle, FEATURE);
    expect(&pull(&circle, 0), "proposed");
    let all = issues(&circle, COUSIN);
    assert_eq!((all.len(), all[0].open, all[0].comments.len()), (1, false, 1));
    poison(&circle, FEATURE);
    pull(&circle, 1);
    let all = issues(&circle, COUSIN);
    assert_eq!((all.len(), all[0].open), (1, true), "it is opened again");
}

#[test]
fn an_event_that_comes_again_does_not_hide_that_a_newer_one_failed() {
    let circle = at_the_root();
    let applied = circle.sandbox.rev(&circle.mono, "HEAD");
    poison(&circle, FEATURE);
    pull(&circle, 1);
    let payload = json!({ "updated_feature": FEATURE, "commit_sha": applied });
    let report = circle.on_event(&payload).expect_code(0).json();
    expect(&report, "nothing-to-do");
    assert!(issues(&circle, COUSIN)[0].open);
    heal(&circle, FEATURE);
    expect(&pull(&circle, 0), "nothing-to-do");
    assert!(!issues(&circle, COUSIN)[0].open, "a failure whose cause is gone is over");
}

#[test]
fn what_a_person_has_closed_proves_nothing_of_what_failed() {
    let circle = at_the_root();
    upstream(&circle, 2, "app two");
    expect(&pull(&circle, 0), "proposed");
    circle.github(|it| assert!(it.close_pull_request(COUSIN, 2)));
    poison(&circle, FEATURE);
    expect(&pull(&circle, 1), "refused");
    heal(&circle, FEATURE);
    expect(&pull(&circle, 0), "snoozed");
    assert!(issues(&circle, COUSIN)[0].open);
    upstream(&circle, 3, "app three");
    expect(&pull(&circle, 0), "proposed");
    assert!(!issues(&circle, COUSIN)[0].open);
}

#[test]
fn what_an_event_merely_claims_opens_no_issue() {
    let old = json!({ "feature": FEATURE, "into": "src/push" });
    let subscriptions = json!({ "source": SOURCE, "max_age_days": 1, "subscriptions": [old] });
    let circle = Circle::new(&subscriptions);
    let aged = circle.sandbox.rev(&circle.mono, "HEAD");
    upstream(&circle, 2, "app two");
    let nowhere = "1".repeat(40);
    let claim = |commit: &str, source| {
        json!({
            "updated_feature": FEATURE, "commit_sha": commit, "source_repository": source,
        })
    };
    for (payload, code) in [
        (claim(&nowhere, SOURCE), "impostor-commit"),
        (claim(&aged, "evil/monorepo"), "wrong-source"),
        (claim(&aged, SOURCE), "too-old"),
    ] {
        let report = circle.on_event(&payload).expect_code(1).json();
        let feature = expect(&report, "refused");
        assert_eq!((&feature["code"], &feature["issues"]), (&json!(code), &json!([])));
        assert_eq!(issues(&circle, COUSIN).len(), 0, "{report:#}");
    }
    // Whoever runs it by hand is no stranger.
    let run = circle.sync().args(["--feature", FEATURE, "--commit", &nowhere, "--format", "json"]);
    let report = run.run().expect_code(1).json();
    assert_eq!(expect(&report, "refused")["issues"].as_array().unwrap().len(), 1, "{report:#}");
}

#[test]
fn each_feature_that_fails_has_its_own() {
    let features = [FEATURE, "features/other"];
    let circle = Circle::new(&json!({ "source": SOURCE, "subscriptions": features }));
    for feature in features {
        circle.upstream("a link", |mono| {
            std::os::unix::fs::symlink("/etc/passwd", mono.join(feature).join("link")).unwrap();
        });
    }
    let report = pull(&circle, 1);
    assert_eq!(report["summary"]["refused"], 2, "{report:#}");
    let titles: Vec<String> = issues(&circle, COUSIN).into_iter().map(|it| it.title).collect();
    assert_eq!(titles.len(), 2);
    for (title, feature) in titles.iter().zip(features) {
        assert!(title.contains(feature), "{title}");
    }
}

#[test]
fn the_source_is_told_where_there_is_a_token_for_it() {
    let circle = at_the_root();
    circle.github(|it| {
        let model = std::mem::take(it);
        *it = model.token(SOURCE_TOKEN, Token::fine_grained().may_write_issues(SOURCE));
    });
    poison(&circle, FEATURE);
    let run = |code| {
        let run = circle.sync().args(["--pull", "--format", "json"]);
        let done = run.env("ECOSYSTEM_SOURCE_TOKEN", SOURCE_TOKEN).run();
        done.expect_code(code).expect_without(&[SOURCE_TOKEN]).json()
    };
    let report = run(1);
    assert_eq!(expect(&report, "refused")["issues"].as_array().unwrap().len(), 2, "{report:#}");
    let at_source = issues(&circle, SOURCE);
    assert_eq!(at_source.len(), 1);
    assert!(at_source[0].title.contains(COUSIN), "{}", at_source[0].title);
    heal(&circle, FEATURE);
    upstream(&circle, 2, "app two");
    expect(&run(0), "proposed");
    for repository in [SOURCE, COUSIN] {
        assert!(!issues(&circle, repository)[0].open, "{repository}");
    }
}

#[test]
fn no_issue_is_written_where_none_is_wanted_or_may_be() {
    let circle = at_the_root();
    poison(&circle, FEATURE);
    let before = requests(&circle);
    let report = pull_with(&circle, 1, &["--no-issue"]);
    assert_eq!(expect(&report, "refused")["issues"], json!([]));
    assert!(asked_since(&circle, before).iter().all(|it| !it.contains("issues")));
    assert_eq!(report["warnings"], json!([]));

    let subscription = json!({ "feature": FEATURE, "into": "." });
    let subscriptions = json!({ "source": SOURCE, "subscriptions": [subscription] });
    let off = Circle::with(&subscriptions, |it| it.issues_disabled(), |it| it);
    settle(&off);
    poison(&off, FEATURE);
    let report = pull(&off, 1);
    let warning = report["warnings"][0]["message"].as_str().unwrap();
    assert!(warning.contains("issues are turned off"), "{warning}");

    let weak = Token::built_in(COUSIN).may_write_pull_requests(COUSIN);
    let weak = Circle::with(&subscriptions, |it| it, |it| it.token("weak-canary-31", weak));
    settle(&weak);
    poison(&weak, FEATURE);
    let run = weak.sync().env("GITHUB_TOKEN", "weak-canary-31");
    let report = run.args(["--pull", "--format", "json"]).run().expect_code(1).json();
    let warning = report["warnings"][0]["message"].as_str().unwrap();
    assert!(warning.contains("issues: write"), "{warning}");
}

#[test]
fn what_a_quiet_run_asks_does_not_grow_with_the_features() {
    let names: Vec<String> = (0..3).map(|n| format!("features/f{n}")).collect();
    let circle = Circle::new(&json!({ "source": SOURCE, "subscriptions": names }));
    circle.upstream("features", |mono| {
        for name in &names {
            write(mono, &format!("{name}/a.txt"), name);
        }
    });
    let before = requests(&circle);
    let report = pull(&circle, 0);
    assert_eq!(report["summary"]["proposed"], 3, "{report:#}");
    let asked = asked_since(&circle, before);
    let count = |what: &str| asked.iter().filter(|it| it.as_str() == what).count();
    assert_eq!((count("GET pulls"), count("POST pulls")), (6, 3), "{asked:#?}");
    assert_eq!(count("GET issues"), 1, "{asked:#?}");
    let before = requests(&circle);
    assert_eq!(pull(&circle, 0)["summary"]["nothing-to-do"], 3);
    let asked = asked_since(&circle, before);
    assert_eq!(asked.iter().filter(|it| *it == "GET pulls").count(), 3, "{asked:#?}");
    assert_eq!(asked.len(), 4, "{asked:#?}");
    for number in 1..=3 {
        pull(&circle, 0);
        circle.merge(number, MergeMethod::Squash);
    }
    let before = requests(&circle);
    assert_eq!(pull(&circle, 0)["summary"]["nothing-to-do"], 3);
    assert_eq!(asked_since(&circle, before), ["GET issues"]);
}
