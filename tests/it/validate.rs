//! `ecosystem validate` without a network: what it finds, where, how it says so, and how it ends.

mod faults;

use std::path::PathBuf;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::ecosystem::{Done, Run};
use crate::support::repository::Sandbox;

/// Returns a monorepo with some features, and `ecosystem.json` in its work tree.
fn monorepo(sandbox: &Sandbox, ecosystem: &str) -> PathBuf {
    let dir = sandbox.new_repository("monorepo");
    for path in [
        "features/webpush/flask/app.py",
        "features/webpush/node/index.js",
        "features/pwa/vanilla/index.html",
        "docs/guide/a.md",
        "docs/Install.md",
        "README.md",
    ] {
        sandbox.write(&dir, path, path);
    }
    sandbox.commit_all(&dir, "first");
    sandbox.write(&dir, "ecosystem.json", ecosystem);
    dir
}

fn validate(sandbox: &Sandbox, ecosystem: &str, args: &[&str]) -> Done {
    let dir = monorepo(sandbox, ecosystem);
    Run::new(sandbox).dir(&dir).arg("validate").args(args).run()
}

/// Validates a list that has errors as GitHub Actions does, and returns the step's summary, too.
fn faulty_in_actions(ecosystem: &str) -> (Done, String) {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, ecosystem);
    let summary = sandbox.path().join("summary");
    let done = Run::new(&sandbox)
        .dir(&dir)
        .arg("validate")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .run()
        .expect_code(1);
    (done, std::fs::read_to_string(summary).unwrap())
}

/// Returns the findings of a list of subscriptions, as `severity code line:column`.
fn found(subscriptions: &Value) -> Vec<String> {
    let sandbox = Sandbox::new();
    let file = json!([{ "repo": "acme/web", "subscriptions": subscriptions }]).to_string();
    let done = validate(&sandbox, &file, &["--format", "json"]);
    let all = done.json();
    let each = all["diagnostics"].as_array().unwrap().iter();
    each.map(|it| {
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        let place = text("pointer");
        format!("{} {} {place}", text("severity"), text("code"))
    })
    .collect()
}

#[test]
fn a_clean_file_ends_with_0_and_says_what_was_compared() {
    let sandbox = Sandbox::new();
    let file = r#"[{"repo": "acme/web", "subscriptions": ["features/webpush/flask", "docs"]}]"#;
    let done = validate(&sandbox, file, &[]).expect_code(0);
    let (shown, _) = done.stdout.split_once(" of ").unwrap();
    assert_eq!(shown, "ecosystem.json: no findings (1 cousin with 2 subscriptions against 6 paths");
    assert_eq!(done.stderr, "");
}

#[test]
fn each_slip_in_a_subscription_has_its_own_code() {
    for (subscriptions, expected) in [
        (json!(["features/webpush/flask"]), vec![]),
        (json!(["features/webpush/flsk"]), vec!["warning matches-nothing /0/subscriptions/0"]),
        (json!(["docs", "!docs/drafts"]), vec!["note matches-nothing /0/subscriptions/1"]),
        (json!(["Features/webpush"]), vec!["warning case-or-unicode-mismatch /0/subscriptions/0"]),
        (json!(["docs/*.MD"]), vec!["warning case-or-unicode-mismatch /0/subscriptions/0"]),
        (
            json!(["features/*", "features/webpush"]),
            vec!["warning covered-subscription /0/subscriptions/1"],
        ),
        (
            json!(["features/webpush", "features/webpush/flask"]),
            vec!["note covered-subscription /0/subscriptions/1"],
        ),
        (
            json!(["features/webpush", "!features"]),
            vec!["warning excluded-subscription /0/subscriptions/0"],
        ),
        (json!(["docs", "./docs"]), vec!["warning duplicate-subscription /0/subscriptions/1"]),
        (json!(["docs", "!docs/guide", "docs/guide/a.md"]), vec![]),
    ] {
        assert_eq!(found(&subscriptions), expected, "{subscriptions}");
    }
}

#[test]
fn a_slip_is_shown_with_its_line_a_mark_and_the_nearest_path() {
    let sandbox = Sandbox::new();
    let file = "[\n  {\n    \"repo\": \"acme/web\",\n    \"subscriptions\": [\"feature/webpush/flask\"]\n  }\n]\n";
    let done = validate(&sandbox, file, &[]).expect_code(0);
    let (shown, _) = done.stdout.split_once("\n\n").unwrap();
    insta::assert_snapshot!(shown, @r#"
    warning[matches-nothing]: no path at HEAD matches "feature/webpush/flask": acme/web would not hear of anything by it
      --> ecosystem.json:4:23
       |
     4 |     "subscriptions": ["feature/webpush/flask"]
       |                       ^^^^^^^^^^^^^^^^^^^^^^^
       = help: the nearest path at HEAD is "features/webpush/flask"
    "#);
}

#[test]
fn two_lines_that_conflict_are_both_shown() {
    let sandbox = Sandbox::new();
    let file = "[{\"repo\": \"acme/web\", \"subscriptions\": [\n  \"features/*\",\n  \"docs\",\n  \"features/pwa\"\n]}]";
    let done = validate(&sandbox, file, &[]).expect_code(0);
    let (shown, _) = done.stdout.split_once("\n\n").unwrap();
    insta::assert_snapshot!(shown, @r#"
    warning[covered-subscription]: "features/pwa" changes nothing: "features/*" covers all of it
      --> ecosystem.json:4:3
       |
     2 |   "features/*",
       |   ------------ covered here
    ...
     4 |   "features/pwa"
       |   ^^^^^^^^^^^^^^
       = help: leave it out
    "#);
}

#[test]
fn errors_and_slips_are_shown_in_one_go_and_end_with_1() {
    let sandbox = Sandbox::new();
    let file = r#"[
        {"repo": "acme/web", "subscription": ["docs"]},
        {"repo": "acme/api", "subscriptions": ["dcos"]},
        {"repo": "Acme/API", "subscriptions": ["docs"]},
        {"repo": "acme/off", "subscriptions": ["docs"], "enabled": false}
    ]"#;
    let done = validate(&sandbox, file, &["--format", "json"]).expect_code(1);
    let all = done.json();
    let codes: Vec<&str> = all["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["unknown-key", "matches-nothing", "duplicate-repo", "disabled-cousin"]);
    assert_eq!(all["summary"], json!({"errors": 2, "warnings": 1, "notes": 1}));
}

#[test]
fn every_field_of_a_finding_is_there_for_scripts() {
    let sandbox = Sandbox::new();
    let file = "[{\"repo\": \"acme/web\",\n\"subscriptions\": [\"dosc\"]}]";
    let all = validate(&sandbox, file, &["--format", "json"]).expect_code(0).json();
    assert_eq!(all["schema"], 1);
    let mut one = all["diagnostics"][0].clone();
    for text in ["message", "help"] {
        assert!(one[text].take().as_str().unwrap().contains("\"do"), "{all}");
    }
    assert_eq!(
        one,
        json!({
            "severity": "warning", "code": "matches-nothing", "repo": "acme/web",
            "pointer": "/0/subscriptions/0",
            "line": 2, "column": 19, "end_line": 2, "end_column": 25,
            "message": null, "help": null, "related": null,
        })
    );
    assert_eq!(
        all["cousins"],
        json!([{
            "repo": "acme/web", "enabled": true, "subscriptions": 1, "features": 0,
            "listener": null, "token": null, "state": "warning",
        }])
    );
    assert_eq!((&all["online"], &all["requests"]), (&json!(false), &Value::Null));
}

#[test]
fn strict_makes_errors_of_warnings_and_leaves_notes() {
    let slip = r#"[{"repo": "acme/web", "subscriptions": ["dosc"]}]"#;
    let done = validate(&Sandbox::new(), slip, &["--strict"]).expect_code(1);
    assert!(done.stdout.starts_with("error[matches-nothing]"), "{}", done.stdout);
    let off = r#"[{"repo": "acme/web", "subscriptions": ["docs"], "enabled": false}]"#;
    let done = validate(&Sandbox::new(), off, &["--strict"]).expect_code(0);
    assert!(done.stdout.starts_with("note[disabled-cousin]"), "{}", done.stdout);
}

#[test]
fn only_looks_at_one_cousin_and_an_unknown_one_is_misuse() {
    let file = r#"[{"repo": "acme/web", "subscriptions": ["dosc"]},
                   {"repo": "acme/api", "subscriptions": ["docs"]}]"#;
    let done = validate(&Sandbox::new(), file, &["--only", "ACME/api", "--format", "json"]);
    let all = done.expect_code(0).json();
    assert_eq!(all["diagnostics"], json!([]));
    assert_eq!(all["cousins"].as_array().unwrap().len(), 1);
    let done = validate(&Sandbox::new(), file, &["--only", "acme/wb"]).expect_code(2);
    assert!(done.stderr.contains("did you mean acme/web?"), "{}", done.stderr);
}

#[test]
fn what_cannot_be_validated_ends_with_2_and_prints_no_result() {
    let clean = r#"[{"repo": "acme/web", "subscriptions": ["docs"]}]"#;
    let broken = r#"[{"repo": "acme/web", "subscriptions": []}]"#;
    let sandbox = Sandbox::new();
    let nowhere = sandbox.path().join("nowhere");
    std::fs::create_dir(&nowhere).unwrap();
    let run = || Run::new(&sandbox).dir(&nowhere).arg("validate");

    let done = run().run().expect_code(2);
    assert!(done.stderr.contains("is not in a git repository"), "{}", done.stderr);
    std::fs::write(nowhere.join("ecosystem.json"), clean).unwrap();
    let done = run().run().expect_code(2);
    assert!(done.stderr.contains("is not in a git repository"), "{}", done.stderr);
    let done = run().args(["--ecosystem", "missing.json"]).run().expect_code(2);
    assert!(done.stderr.contains("missing.json"), "{}", done.stderr);
    assert!(done.stderr.contains("see that it is the right file"), "{}", done.stderr);
    assert_eq!(done.stdout, "");

    // What is wrong with the file by itself is found all the same.
    std::fs::write(nowhere.join("ecosystem.json"), broken).unwrap();
    let done = run().run().expect_code(1);
    assert!(done.stdout.contains("error[no-positive-pattern]"), "{}", done.stdout);
    assert!(done.stderr.contains("not compared with paths"), "{}", done.stderr);

    let unborn = sandbox.new_repository("unborn");
    std::fs::write(unborn.join("ecosystem.json"), clean).unwrap();
    let done = Run::new(&sandbox).dir(&unborn).arg("validate").run().expect_code(2);
    assert!(done.stderr.contains("no commit yet"), "{}", done.stderr);
    assert!(done.stderr.contains("help: commit something first\n"), "{}", done.stderr);
}

#[test]
fn no_help_names_a_flag_that_validate_does_not_have() {
    let clean = r#"[{"repo": "acme/web", "subscriptions": ["docs"]}]"#;
    let sandbox = Sandbox::new();
    let nowhere = sandbox.path().join("nowhere");
    std::fs::create_dir(&nowhere).unwrap();
    let unborn = sandbox.new_repository("unborn");
    let reftable = sandbox.new_repository("reftable");
    let odd = sandbox.new_repository("odd");
    for (dir, extension) in [(&reftable, "refstorage = reftable"), (&odd, "strange = yes")] {
        let config = dir.join(".git/config");
        let text = std::fs::read_to_string(&config).unwrap();
        let text = text.replace("repositoryformatversion = 0", "repositoryformatversion = 1");
        std::fs::write(&config, format!("{text}[extensions]\n\t{extension}\n")).unwrap();
    }
    for (dir, help) in [
        (&nowhere, "run it in a clone, or name one with -C DIR"),
        (&unborn, "commit something first"),
        (
            &reftable,
            "run `git refs migrate --ref-format=files` in a copy, and name that with -C DIR",
        ),
        (&odd, "see `git status` there, or name another clone with -C DIR"),
    ] {
        std::fs::write(dir.join("ecosystem.json"), clean).unwrap();
        let run = Run::new(&sandbox).dir(dir).arg("validate").env("GITHUB_ACTIONS", "true");
        let done = run.run().expect_code(2);
        assert!(done.stderr.contains(help), "{}", done.stderr);
        let flags = ["--remote", "--head", "--base"];
        assert!(!flags.iter().any(|flag| done.stderr.contains(flag)), "{}", done.stderr);
    }
}

#[test]
fn a_bare_repository_is_validated_by_the_file_at_head() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let all = Run::new(&sandbox)
        .dir(&bare)
        .args(["validate", "--format", "json"])
        .run()
        .expect_code(0)
        .json();
    assert_eq!(all["file"], "d3eb70e1a5:ecosystem.json");
    assert_eq!(all["commit"], "d3eb70e1a51d32042dfb601506713bbbfa440b19");
}

#[test]
fn a_shallow_clone_is_enough_and_nothing_is_fetched() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let shallow = sandbox.clone(&bare, "shallow", &["--depth", "1"]);
    // Were anything asked of the remote, this would fail.
    std::fs::remove_dir_all(&bare).unwrap();
    Run::new(&sandbox).dir(&shallow).arg("validate").run().expect_code(0);
}

#[test]
fn an_annotation_stands_on_the_line_of_the_file_and_the_summary_has_a_row_a_cousin() {
    let (done, summary) = faulty_in_actions(
        "[\n{\"repo\": \"acme/web\", \"subscriptions\": [\"dosc\"]},\n{\"repo\": \"acme/api\", \"subscriptions\": [\"docs\"], \"event_type\": \"\"}]",
    );
    let commands: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), 2, "{}", done.stderr);
    assert!(
        commands[0].starts_with(
            "::error file=ecosystem.json,line=3,endLine=3,col=63,endColumn=65,title=bad-event-type::"
        ),
        "{commands:?}"
    );
    assert!(
        commands[1].starts_with(
            "::warning file=ecosystem.json,line=2,endLine=2,col=40,endColumn=46,title=matches-nothing::"
        ),
        "{commands:?}"
    );
    assert!(
        summary.contains("| acme/web | 1 | 0 | not asked | not asked | ⚠️ warnings |\n"),
        "{summary}"
    );
}

#[test]
fn at_most_ten_annotations_of_a_level_are_made() {
    let sandbox = Sandbox::new();
    let cousins = (0..30).map(|n| json!({"repo": format!("acme/r{n}"), "subscriptions": ["x"]}));
    let dir = monorepo(&sandbox, &Value::from_iter(cousins).to_string());
    let done = Run::new(&sandbox)
        .dir(&dir)
        .arg("validate")
        .env("GITHUB_ACTIONS", "true")
        .run()
        .expect_code(0);
    let commands: Vec<&str> =
        done.stderr.lines().filter(|line| line.starts_with("::warning ")).collect();
    assert_eq!(commands.len(), 10);
    let more =
        "::21 more warnings: `ecosystem validate --format json` shows up to 1,000 of each severity";
    assert!(commands[9].ends_with(more), "{commands:?}");
}

#[test]
fn an_annotation_names_the_file_as_its_repository_does_or_not_at_all() {
    let sandbox = Sandbox::new();
    let slip = r#"[{"repo": "acme/web", "subscriptions": ["dosc"]}]"#;
    let dir = monorepo(&sandbox, slip);
    sandbox.write(&dir, "config/list.json", slip);
    sandbox.write(&dir, "docs/ecosystem.json", slip);
    let elsewhere = sandbox.path().join("elsewhere.json");
    std::fs::write(&elsewhere, slip).unwrap();
    let annotation = |from: &str, args: &[&str]| {
        let run = Run::new(&sandbox).dir(&dir.join(from)).arg("validate").args(args);
        // The checkout may lie anywhere below the workspace.
        let run = run.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", sandbox.path());
        let done = run.run().expect_code(0);
        done.stderr.lines().find(|line| line.starts_with("::")).unwrap().to_owned()
    };
    let outside = elsewhere.to_str().unwrap();
    for (from, args, begins) in [
        ("", &[][..], "::warning file=ecosystem.json,line=1,"),
        ("docs", &[], "::warning file=ecosystem.json,line=1,"),
        ("", &["--ecosystem", "config/list.json"], "::warning file=config/list.json,line=1,"),
        ("config", &["--ecosystem", "list.json"], "::warning file=config/list.json,line=1,"),
        (
            "",
            &["--ecosystem", outside],
            &format!("::warning title=matches-nothing::{outside}:1: no path at HEAD"),
        ),
    ] {
        let line = annotation(from, args);
        assert!(line.starts_with(begins), "{from} {args:?}: {line}");
    }
    sandbox.commit_all(&dir, "second");
    std::fs::remove_file(dir.join("ecosystem.json")).unwrap();
    let line = annotation("", &[]);
    assert!(line.starts_with("::warning file=ecosystem.json,line=1,"), "{line}");
}

#[test]
fn names_that_strangers_chose_are_no_commands_and_break_no_line() {
    let sandbox = Sandbox::new();
    let odd = "x\n::error::y|<b>%0A##[error]z\u{202e}";
    let file = json!([{"repo": "acme/web", "subscriptions": [odd]}]).to_string();
    let dir = monorepo(&sandbox, &file);
    let summary = sandbox.path().join("summary");
    let run = || {
        Run::new(&sandbox)
            .dir(&dir)
            .arg("validate")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &summary)
    };
    let done = run().run().expect_code(0);
    let all = format!("{}{}", done.stdout, done.stderr);
    assert!(!all.lines().any(|line| line.starts_with("::error")), "{all}");
    assert!(!all.contains('\u{202e}') && !all.contains("##["), "{all}");
    let json = run().args(["--format", "json"]).run().expect_code(0).json();
    assert_eq!(json["diagnostics"][0]["code"], "matches-nothing");
}

#[test]
fn the_same_input_gives_the_same_bytes_and_a_closed_pipe_is_no_error() {
    let file =
        r#"[{"repo": "acme/web", "subscriptions": ["dosc", "docs", "docs/guide", "!features"]}]"#;
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, file);
    let run = || Run::new(&sandbox).dir(&dir).args(["validate", "--format", "json"]).run().stdout;
    assert_eq!(run(), run());
}
