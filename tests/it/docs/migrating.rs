//! The guide for those who tell other repositories by a script, an action or a matrix today: what
//! it shows of ours is run and linted, and what it says of scripts is what they do. The "before"
//! blocks are marked in their fences, and are held to none of our rules.

use std::collections::BTreeSet;
use std::path::Path;

use ecosystem_dispatcher::ecosystem;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::document::Document;
use crate::support::github::{github_with, run_test_with};
use crate::support::{case, skipped};

#[cfg(unix)]
mod scripts;

const GUIDE: &str = "docs/migrating.md";

fn guide() -> Document {
    Document::read(GUIDE)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the language of every block, with its mark.
fn fences(text: &str) -> Vec<&str> {
    let fences = text.lines().filter_map(|line| line.strip_prefix("```"));
    fences.step_by(2).collect()
}

#[test]
fn every_block_of_the_guide_is_tested_or_marked_as_what_people_have_today() {
    let guide = guide();
    for indented in guide.text.lines().filter(|line| line.trim_start().starts_with("```")) {
        assert!(indented.starts_with("```"), "no test sees what is in {indented:?}");
    }
    let fences = fences(&guide.text);
    let count = |wanted: &str| fences.iter().filter(|fence| **fence == wanted).count();
    assert_eq!(
        ["bash before", "yaml before", "yaml", "sh", "json", "text"].map(count),
        [2, 2, 3, 8, 1, 1],
        "{fences:?}"
    );
    assert_eq!(fences.len(), 17, "a language that no test reads: {fences:?}");
    for language in ["yaml", "sh"] {
        for code in guide.codes(language) {
            for bad in ["gh api", "curl ", "peter-evans", "HEAD~1 HEAD |"] {
                assert!(!code.contains(bad), "{bad} belongs into a block that is marked:\n{code}");
            }
        }
    }
}

#[test]
fn every_link_of_the_guide_leads_somewhere() {
    let guide = guide();
    let readme = Document::read("README.md");
    let mut led = 0;
    for target in guide.links() {
        let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let anchors = match file {
            "" => guide.anchors(),
            "../README.md" => readme.anchors(),
            other => panic!("{GUIDE} links to {other}"),
        };
        if anchor == "use-it-as-an-action" && !root().join("action.yml").exists() {
            skipped("there is no action.yml, so the README has no section about it");
            continue;
        }
        assert!(anchor.is_empty() || anchors.contains(anchor), "{GUIDE} links to {target}");
        led += 1;
    }
    assert!(led > 10, "links were not read");
    assert!(readme.text.contains("(docs/migrating.md)"), "the README must lead here");
}

#[test]
fn the_list_of_the_guide_is_valid_and_follows_what_it_says() {
    let list = guide().code("After: `ecosystem dispatch`", "json");
    let parsed = ecosystem::parse(GUIDE, list.as_bytes()).unwrap();
    let names: Vec<_> = parsed.cousins.iter().map(|cousin| cousin.repo.as_str()).collect();
    assert_eq!(names, ["acme/flask-push-demo", "acme/pwa-gallery"]);
    let script = guide().code("Before: the script", "bash before");
    for name in names {
        assert!(script.contains(name), "the script tells {name} too");
    }
}

/// Returns what stands below `with:` of each step that uses this action: the names of the inputs.
fn inputs_used(workflow: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let (mut ours, mut inside) = (false, None);
    for line in workflow.lines() {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim_start().trim_start_matches("- ");
        if text.starts_with("uses: ") {
            ours = text.contains("/ecosystem-dispatcher@");
            inside = None;
        } else if ours && text == "with:" {
            inside = Some(indent + 2);
        } else if inside == Some(indent) {
            used.extend(text.split_once(':').map(|(name, _)| name.to_owned()));
        } else if inside.is_some_and(|start| indent < start) {
            inside = None;
        }
    }
    used
}

#[test]
fn the_workflows_of_the_guide_use_inputs_that_the_action_has() {
    let workflows = guide().codes("yaml");
    let used: BTreeSet<String> = workflows.iter().flat_map(|it| inputs_used(it)).collect();
    let expected =
        ["args", "client-payload", "command", "event-type", "repositories", "repository", "token"];
    assert_eq!(used, expected.map(str::to_owned).into());
    let Ok(action) = std::fs::read_to_string(root().join("action.yml")) else {
        return skipped("there is no action.yml to hold the guide against");
    };
    let (_, inputs) = action.split_once("\ninputs:\n").unwrap();
    let (inputs, _) = inputs.split_once("\noutputs:\n").unwrap();
    let known = inputs.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    let known: BTreeSet<&str> = known.collect();
    for input in used.iter().map(String::as_str).chain(["dry-run", "watermarks"]) {
        assert!(known.contains(input), "the action has no input {input}: {known:?}");
    }
    let described = guide().column("Inputs", 2);
    for known in described.iter().filter_map(|cell| cell.split('`').next()) {
        assert!(action.contains(&format!("  {known}:\n")), "the action has no input {known}");
    }
}

#[test]
fn what_the_guide_says_that_send_refuses_is_refused_and_nothing_is_sent() {
    let rows = guide().rows("What went wrong in the action");
    let eleven = (0..11).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(",");
    run_test_with(github_with(["acme/web"]), |tester| {
        for (payload, said) in [
            (r#"{"ref": "a", "message": "done", "ref": "refs/heads/release"}"#, "\"ref\""),
            (r#"{"message": "fix "quotes""}"#, "--payload:1:19"),
            (r#"{"build": 12345678901234567890}"#, "12345678901234567890"),
            (r#""text""#, "object"),
            (&format!("{{{eleven}}}"), "10"),
        ] {
            case(payload);
            let args = ["--to", "acme/web", "--event-type", "deploy", "--payload", payload];
            let done = tester.sending().args(args).run().expect_code(2);
            assert!(done.stderr.contains(said), "{}", done.stderr);
        }
        tester.expect_no_request();
    });
    for said in ["{\"build\": 12345678901234567890}", "done\", \"ref\": \"refs/heads/release"] {
        assert!(rows.iter().any(|row| row[0].contains(said)), "no row is about {said}");
    }
}

#[test]
fn a_renamed_repository_is_told_and_named_as_the_guide_says() {
    let model = github_with(["acme/web"])
        .repository_with("acme/old-name", |it| it.renamed_to("acme/new-name"));
    run_test_with(model, |tester| {
        let args = ["--to", "acme/old-name", "--event-type", "deploy", "--format", "json"];
        let done = tester.sending().args(args).run().expect_code(0);
        assert_eq!(done.warnings(), ["renamed-repository"]);
        assert_eq!(tester.delivered()["acme/new-name"], [("deploy".to_owned(), json!({}))]);
        assert_eq!(tester.statuses("acme/old-name"), [Some(307)]);
    });
    assert!(guide().text.contains("with the warning `renamed-repository`"));
}
