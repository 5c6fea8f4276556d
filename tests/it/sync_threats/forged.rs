//! A forged dispatch: whoever may send one chooses every byte of its payload, and gets nothing by it.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{expect_no_command, expect_untouched, step, told};
use crate::support::case;
use crate::support::circle::{Circle, FEATURE};

/// What a shell, git, the Actions runner, a terminal or JSON may take for something else. `CANARY`
/// is a file that must never be.
const TEXTS: [&str; 14] = [
    "$(touch CANARY)",
    "`touch CANARY`",
    "';touch CANARY;'",
    "x\ntouch CANARY\n::set-output name=x::y",
    "\r::stop-commands::x",
    "::set-output name=x::y",
    "x%0A::set-output name=x::y",
    "##[set-output name=x]y",
    "--upload-pack=touch CANARY",
    "ext::sh -c touch% CANARY",
    "../../.git/hooks/post-checkout",
    "a\0b",
    "\u{202e}\u{2066}gnp\u{1b}[2J",
    "${{ github.token }}",
];

const FIELDS: [&str; 5] =
    ["updated_feature", "commit_sha", "source_repository", "dispatch_id", "path_encoding"];

fn odd_values(canary: &str) -> Vec<Value> {
    let mut values: Vec<Value> =
        TEXTS.iter().map(|text| json!(text.replace("CANARY", canary))).collect();
    values.extend([json!(7), json!(true), json!([]), json!({"a": [1]}), json!("")]);
    values.push(json!("x".repeat(200_000)));
    values
}

#[test]
fn no_text_in_a_payload_is_run_shown_raw_or_a_reason_to_write() {
    let circle = Circle::by("merge");
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let canary = circle.sandbox.path().join("canary");
    let checkout = circle.checkout();
    for field in FIELDS {
        let values = odd_values(canary.to_str().unwrap()).into_iter().enumerate();
        // What a feature may be called is the widest grammar.
        let skipped = if field == "updated_feature" { 1 } else { 5 };
        for (number, value) in values.step_by(skipped) {
            let mut payload = told(&head);
            payload[field] = value.clone();
            // An odd id is passed over, and the run goes on: that it may not do here.
            if field == "dispatch_id" {
                payload["updated_feature"] = json!("features/not-ours");
            }
            case(&format!("{field}: {:.80}", value.to_string()));
            let run = step(&circle, &checkout, &payload);
            let format = if number % 2 == 0 { "json" } else { "human" };
            let done = run.args(["-vv", "--format", format]).run();
            assert!(matches!(done.code, Some(0..=2)), "{done:?}");
            if done.code == Some(0) {
                // The words "not-subscribed" and "not in": nothing was asked for by it.
                assert!(done.stdout.contains("not"), "{done:?}");
            }
            expect_no_command(&done);
            assert!(!canary.exists());
        }
    }
    for name in ["output", "summary"] {
        let text = std::fs::read_to_string(circle.sandbox.path().join(name)).unwrap_or_default();
        for line in text.lines().map(str::trim_start) {
            assert!(!line.starts_with("x=") && !line.starts_with("::"), "{name}: {line}");
        }
        assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{name}");
    }
    expect_untouched(&circle);
    assert!(circle.github(|model| model.git_requests().is_empty()), "nobody was asked anything");
}

#[test]
fn an_odd_id_and_unknown_keys_have_no_effect() {
    let circle = Circle::by("merge");
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let mut payload = told(&head);
    payload["dispatch_id"] = json!("$(id)\n::set-output name=x::y\u{202e}");
    for key in ["base", "branch", "remote", "into", "method", "allow_workflows", "--source"] {
        payload[key] = json!("refs/heads/evil\n::set-output name=x::y");
    }
    let checkout = circle.checkout();
    let done = step(&circle, &checkout, &payload).args(["-vv", "--format", "human"]).run();
    expect_no_command(&done);
    let done = done.expect_code(0);
    assert!(done.stderr.contains("dispatch_id"), "{}", done.stderr);
    let pulls = circle.pulls();
    assert_eq!(pulls.len(), 1);
    let body = pulls[0].issue.body.as_deref().unwrap();
    assert!(!body.contains("set-output"), "{body}");
    let message = circle.bare(&["log", "-1", "--format=%B", super::BRANCH]);
    assert!(!message.contains("set-output") && !message.contains("Dispatch-Id"), "{message}");
    assert_eq!(circle.at(super::BRANCH, "own.txt"), "the cousin's own");
    assert_eq!(pulls[0].proposed.base, "main");
}

#[test]
fn a_payload_that_is_no_object_and_an_event_that_is_no_json_end_it() {
    let circle = Circle::by("merge");
    let checkout = circle.checkout();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let twice = format!(
        "{{\"client_payload\":{{\"updated_feature\":\"{FEATURE}\",\"updated_feature\":\"features/other\",\
         \"commit_sha\":\"{}\"}}}}",
        "a".repeat(40)
    );
    let texts = ["", "null", "[]", "{}", "{\"client_payload\":7}", &deep, &twice, "{\"a\":\u{1}}"];
    for (number, text) in texts.iter().enumerate() {
        case(&format!("{number}"));
        let file = circle.sandbox.path().join("event.json");
        std::fs::write(&file, text).unwrap();
        let run = step(&circle, &checkout, &json!({})).env("GITHUB_EVENT_PATH", &file);
        let done = run.arg("-v").run();
        assert!(matches!(done.code, Some(1..=2)), "{done:?}");
        assert!(done.stderr.contains("help:"), "{}", done.stderr);
        expect_no_command(&done);
    }
    expect_untouched(&circle);
}
