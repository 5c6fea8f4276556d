//! Files with faults: what is found beside a fault, and what is said of cousins and findings that
//! are too many to be shown.

use ecosystem_dispatcher::embedded_github::{Limits, Model};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{faulty_in_actions, monorepo, validate};
use crate::support::ecosystem::Run;
use crate::support::github::{TOKEN, run_test_with};
use crate::support::repository::Sandbox;

/// Returns the findings as `pointer code`, and the cousins as `repo state subscriptions features`.
fn judged(file: &str) -> (Vec<String>, Vec<String>) {
    let all = validate(&Sandbox::new(), file, &["--format", "json"]).json();
    let each = |list: &str, keys: &[&str]| -> Vec<String> {
        let shown = |value: &Value| value.as_str().map_or(value.to_string(), ToOwned::to_owned);
        let line = |it: &Value| keys.iter().map(|key| shown(&it[*key])).collect::<Vec<_>>();
        all[list].as_array().unwrap().iter().map(|it| line(it).join(" ")).collect()
    };
    let cousins = each("cousins", &["repo", "state", "subscriptions", "features"]);
    (each("diagnostics", &["pointer", "code"]), cousins)
}

#[test]
fn a_fault_of_a_cousin_hides_no_slip_in_its_subscriptions() {
    let slip = "\"subscriptions\": [\"dox\"]";
    for (cousin, fault) in [
        (format!(r#"{{"repo": "a/b", {slip}, "event_type": ""}}"#), "/0/event_type bad-event-type"),
        (format!(r#"{{"repo": "a/b", {slip}, "event_type": 1}}"#), "/0/event_type wrong-type"),
        (format!(r#"{{"repo": "a/b", {slip}, "token_env": "$X"}}"#), "/0/token_env bad-token-env"),
        (format!(r#"{{"repo": "a/b", {slip}, "colour": 1}}"#), "/0/colour unknown-key"),
    ] {
        let (found, cousins) = judged(&format!("[{cousin}]"));
        assert_eq!(found, ["/0/subscriptions/0 matches-nothing", fault], "{cousin}");
        assert_eq!(cousins, ["a/b error 1 0"], "{cousin}");
    }
}

#[test]
fn beside_a_pattern_that_cannot_be_read_the_others_are_held_against_head_at_their_own_place() {
    let file =
        r#"[{"repo": "a/b", "subscriptions": ["[a", "dox", 7, "docs", "docs/guide", "Docs"]}]"#;
    let (found, cousins) = judged(file);
    // What patterns do to each other is not told of a list that has gaps.
    assert_eq!(
        found,
        [
            "/0/subscriptions/0 bad-pattern",
            "/0/subscriptions/1 matches-nothing",
            "/0/subscriptions/2 wrong-type",
            "/0/subscriptions/5 case-or-unicode-mismatch",
        ]
    );
    assert_eq!(cousins, ["a/b error 4 2"]);
}

#[test]
fn a_repository_that_is_listed_twice_is_compared_both_times_and_only_the_second_is_at_fault() {
    let file = r#"[{"repo": "a/b", "subscriptions": ["docs"]},
                   {"repo": "A/b", "subscriptions": ["dox", "docs", "docs"]}]"#;
    let (found, cousins) = judged(file);
    assert_eq!(
        found,
        [
            "/1/repo duplicate-repo",
            "/1/subscriptions/0 matches-nothing",
            "/1/subscriptions/2 duplicate-subscription",
        ]
    );
    assert_eq!(cousins, ["a/b ready 1 1", "A/b error 3 1"]);
}

#[test]
fn an_error_of_grammar_counts_for_the_cousin_in_which_it_stands() {
    let file = r#"[{"repo": "a/a", "subscriptions": ["docs"]},
                   {"repo": "a/b", "subscriptions": ["docs",]},
                   {"repo": "a/c", "subscriptions": ["docs"]},]"#;
    let (found, cousins) = judged(file);
    assert_eq!(found, [" syntax", " syntax"]);
    assert_eq!(cousins, ["a/a ready 1 1", "a/b error 1 1", "a/c ready 1 1"]);
}

#[test]
fn nobody_is_asked_about_a_cousin_with_a_fault_and_the_answers_stand_with_the_others() {
    let model = Model::new().limits(Limits::none()).repository_with("acme/web", |it| {
        it.file(".github/workflows/follow.yml", "on: repository_dispatch\njobs: {}\n")
    });
    run_test_with(model, |t| {
        // With a slip in "token_env", it would be another token that speaks for the first.
        let cousins = json!([
            { "repo": "acme/a", "subscriptions": ["features/webpush"], "token_evn": "ACME_PAT" },
            { "repo": "acme/b", "subscriptions": ["features/webpush"], "event_type": "" },
            7,
            { "repo": "acme/web", "subscriptions": ["features/webpush/flask"] },
        ]);
        let done = Run::new(&t.sandbox)
            .dir(&t.checkout)
            .args(["validate", "--online", "--format", "json", "--ecosystem"])
            .arg(t.file(&cousins.to_string()))
            .env("GITHUB_API_URL", t.url())
            .env("ECOSYSTEM_PAT", TOKEN)
            .run()
            .expect_code(1);
        let reads = t.reads();
        assert!(reads.iter().all(|path| path.starts_with("/repos/acme/web")), "{reads:?}");
        let all = done.json();
        let tokens: Vec<&Value> =
            all["cousins"].as_array().unwrap().iter().map(|it| &it["token"]).collect();
        assert_eq!(
            tokens,
            [&Value::Null, &Value::Null, &Value::Null, &json!("ECOSYSTEM_PAT")],
            "{all}"
        );
        assert_eq!(all["cousins"][3]["listener"], ".github/workflows/follow.yml");
    });
}

#[test]
fn every_cousin_has_a_row_also_where_its_name_or_all_of_it_cannot_be_read() {
    let token = "ghp_CanaryCanaryCanaryCanaryCanaryCanary";
    let file = json!([
        { "repo": "a/b", "subscriptions": ["docs"] },
        { "repo": "a b", "subscriptions": ["docs", "features"] },
        { "repo": 7, "subscriptions": ["docs"] },
        7,
        { "repo": "a/c", "subscriptions": "docs" },
        { "repo": token, "subscriptions": ["docs"], "enabled": false },
    ])
    .to_string();
    let (_, cousins) = judged(&file);
    assert_eq!(
        cousins,
        [
            "a/b ready 1 1",
            "a b error 2 0",
            "null error 1 0",
            "null error 0 0",
            "a/c error 0 0",
            "ghp_************************************ error 1 0",
        ]
    );
    let (done, summary) = faulty_in_actions(&file);
    assert!(done.stdout.contains("(2 of 6 cousins with 1 subscription against "), "{done:?}");
    assert!(summary.contains("\n| ? | 0 | 0 | not asked | not asked | ❌ errors |\n"), "{summary}");
    assert_eq!(summary.matches("❌ errors").count(), 5, "{summary}");
    assert!(!summary.contains("Canary"), "{summary}");
}

#[test]
fn what_is_no_cousin_a_hundred_thousand_times_has_a_thousand_rows_and_is_counted() {
    let numbers = Value::from(vec![7; 100_000]).to_string();
    let done = validate(&Sandbox::new(), &numbers, &["--format", "json"]).expect_code(1);
    assert_eq!(done.json()["cousins"].as_array().unwrap().len(), 1000);
    let done = validate(&Sandbox::new(), &numbers, &[]).expect_code(1);
    let counted = "100000 errors (0 of 100000 cousins with 0 subscriptions against 6 paths of";
    assert!(done.stdout.contains(counted), "{}", done.stdout);
}

#[test]
fn the_state_of_a_cousin_is_the_gravest_of_all_its_findings_however_many_there_are() {
    let mut file: Vec<Value> = (0..3000)
        .map(|n| json!({"repo": format!("acme/r{n}"), "subscriptions": ["dox"]}))
        .collect();
    file.push(json!({"repo": "acme/fine", "subscriptions": ["docs"]}));
    let file = Value::from(file).to_string();
    let all = validate(&Sandbox::new(), &file, &["--format", "json"]).expect_code(0).json();
    assert_eq!(all["diagnostics"].as_array().unwrap().len(), 1000);
    let states = |all: &Value, state: &str| {
        let cousins = all["cousins"].as_array().unwrap();
        cousins.iter().filter(|it| it["state"] == state).count()
    };
    assert_eq!((states(&all, "warning"), states(&all, "ready")), (3000, 1));
    let strict = validate(&Sandbox::new(), &file, &["--format", "json", "--strict"]);
    let all = strict.expect_code(1).json();
    assert_eq!((states(&all, "error"), states(&all, "ready")), (3000, 1));
}

#[test]
fn an_error_is_shown_however_many_warnings_stand_before_it() {
    let mut file: Vec<Value> =
        (0..150).map(|n| json!({"repo": format!("acme/r{n}"), "subscriptions": ["dox"]})).collect();
    file.push(json!({"repo": "acme/last", "subscriptions": ["docs"], "event_type": ""}));
    let done = validate(&Sandbox::new(), &Value::from(file).to_string(), &[]).expect_code(1);
    assert_eq!(done.stdout.matches("warning[").count(), 99);
    let at = |what: &str| done.stdout.find(what).unwrap_or_else(|| panic!("{}", done.stdout));
    assert!(at("error[bad-event-type]") > at("acme/r98 would not hear"));
    let more =
        "\nand 51 more: `ecosystem validate --format json` shows up to 1,000 of each severity\n";
    assert!(done.stdout.contains(more), "{}", done.stdout);
}

#[test]
fn only_names_a_cousin_of_the_file_also_where_that_has_faults() {
    let file = r#"[{"repo": "acme/web", "subscriptions": []},
                   {"repo": "acme/api", "subscriptions": ["dox"]},
                   {"repo": 7, "subscriptions": ["dox"]}]"#;
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, file);
    let run = |name: &str| {
        Run::new(&sandbox).dir(&dir).args(["validate", "--format", "json", "--only", name]).run()
    };
    for (name, state, findings) in [("acme/web", "error", 2), ("acme/api", "warning", 3)] {
        let all = run(name).expect_code(1).json();
        let cousins = all["cousins"].as_array().unwrap();
        assert_eq!(cousins.len(), 1, "{all}");
        assert_eq!((&cousins[0]["repo"], &cousins[0]["state"]), (&json!(name), &json!(state)));
        assert_eq!(all["diagnostics"].as_array().unwrap().len(), findings, "{all}");
    }
    let done = run("acme/wbe").expect_code(2);
    assert!(done.stderr.contains("did you mean acme/web?"), "{}", done.stderr);
    assert_eq!(done.stdout, "");
    // Whom a file lists that is no JSON, nobody knows.
    sandbox.write(&dir, "ecosystem.json", "[{");
    assert_eq!(run("acme/web").expect_code(1).json()["cousins"], json!([]));
}
