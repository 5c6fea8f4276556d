//! The guide for those who tell other repositories by a script, an action or a matrix today: what
//! it shows of ours is run and linted, and what it says of scripts is what they do. The "before"
//! blocks are marked in their fences, and are held to none of our rules.

use ecosystem_dispatcher::ecosystem;
use pretty_assertions::assert_eq;
use serde_json::{Map, Value, json};

use crate::support::document::Document;
use crate::support::github::{github_with, run_test_with};
use crate::support::{case, yaml};

#[cfg(unix)]
mod scripts;

const GUIDE: &str = "docs/migrating.md";

fn guide() -> Document {
    Document::read(GUIDE)
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

#[test]
fn the_inputs_that_the_guide_and_the_readme_name_are_those_of_the_action() {
    let action = yaml::read("action.yml");
    let known = |name: &str| action["inputs"].get(name).is_some();
    let mut used = 0;
    let readme = Document::read("README.md").codes("yaml");
    for workflow in guide().codes("yaml").into_iter().chain(readme) {
        let workflow = yaml::parse(&workflow).unwrap();
        let jobs = workflow["jobs"].as_object().unwrap().values();
        let steps = jobs.flat_map(|job| job["steps"].as_array().unwrap());
        let ours =
            |step: &&Value| step["uses"].as_str().is_some_and(|it| it.contains("-dispatcher@"));
        for step in steps.filter(ours) {
            for name in step["with"].as_object().into_iter().flat_map(Map::keys) {
                assert!(known(name), "the action has no input {name}");
                used += 1;
            }
        }
    }
    assert!(used >= 16, "{used}");
    for cell in guide().column("Inputs", 2) {
        let name = cell.split('`').next().unwrap_or_default();
        assert!(known(name), "the action has no input {name}");
    }
    // What the steps of the change say to write.
    assert!(known("dry-run") && known("watermarks"));
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
