//! What people copy from the README works, and what it shows is what they will see.

use std::collections::BTreeMap;
use std::path::Path;

use ecosystem_dispatcher::delivery::pace::{Cost, PER_MINUTE, Pace};
use ecosystem_dispatcher::ecosystem;
use ecosystem_dispatcher::event::{Context, encode};
use ecosystem_dispatcher::names::{CommitSha, EventType, FeaturePath, RepoName};
use ecosystem_dispatcher::routing::pattern::Pattern;
use ecosystem_dispatcher::routing::{ChangedPath, Matcher};
use pretty_assertions::assert_eq;
use serde_json::Value;

use super::readme;
use crate::support::document::{Document, quoted};
use crate::support::ecosystem::Run;
use crate::support::github::HEAD;
use crate::support::repository::Sandbox;

#[test]
fn the_ecosystem_files_that_people_will_copy_are_valid() {
    let readme = readme();
    let example = readme.code("1. `ecosystem.json`", "json");
    let parsed = ecosystem::parse("README.md", example.as_bytes()).unwrap();
    let names: Vec<_> = parsed.cousins.iter().map(|cousin| cousin.repo.as_str()).collect();
    assert_eq!(names, ["acme/flask-push-demo", "acme/docs-site", "partner/showcase"]);

    let own = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("ecosystem.json")).unwrap();
    ecosystem::parse("ecosystem.json", &own).unwrap();

    let sandbox = Sandbox::new();
    let sample = sandbox.git(&sandbox.sample_monorepo(), &["show", "main:ecosystem.json"]);
    assert_eq!(ecosystem::parse("sample", sample.as_bytes()).unwrap().cousins.len(), 9);
}

#[test]
fn the_error_in_the_readme_is_the_one_that_is_shown() {
    let readme = readme();
    let example = readme.code("1. `ecosystem.json`", "json");
    let wrong = example.replacen("\"subscriptions\"", "\"subscription\"", 1);
    let said = ecosystem::parse("ecosystem.json", wrong.as_bytes()).unwrap_err().to_string();
    let (first, _) = said.split_once("\n\n").unwrap();
    assert_eq!(readme.code("1. `ecosystem.json`", "text").trim_end(), first);
}

#[test]
fn each_example_of_a_subscription_gives_the_feature_beside_it() {
    let rows = readme().rows("Subscriptions");
    assert!(rows.len() >= 10, "{rows:?}");
    for row in rows {
        let patterns: Vec<Pattern> = row[0]
            .split("`, `")
            .map(|text| Pattern::parse(text.trim_matches('`')).unwrap())
            .collect();
        let path = quoted(&row[1]).unwrap().into_bytes();
        let selected = Matcher::new([patterns.as_slice()])
            .unwrap()
            .select(&[ChangedPath { path, submodule: false }]);
        let features: Vec<Vec<u8>> =
            selected.iter().map(|selected| selected.feature.as_bytes().to_owned()).collect();
        let expected: Vec<Vec<u8>> = quoted(&row[2]).map(String::into_bytes).into_iter().collect();
        assert_eq!(features, expected, "{row:?}");
    }
}

#[test]
fn the_event_in_the_readme_is_the_one_that_is_sent() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let sha = |revision| CommitSha::parse(&sandbox.rev(&bare, revision)).unwrap();
    let name = |text| RepoName::parse(text).unwrap();
    let changed = sandbox.git(
        &bare,
        &["diff", "--name-only", "step/before-head", "step/head", "--", "features/webpush/flask"],
    );
    let paths: Vec<&[u8]> = changed.lines().map(str::as_bytes).collect();
    let context = Context {
        source: name("acme/monorepo"),
        source_ref: Some("refs/heads/main".to_owned()),
        base: Some(sha("step/before-head")),
        head: sha("step/head"),
        run_url: Some("https://github.com/acme/monorepo/actions/runs/42".to_owned()),
    };
    let event = encode(
        &context,
        &name("acme/flask-push-demo"),
        &EventType::default(),
        &FeaturePath::new(b"features/webpush/flask"),
        paths.iter().copied(),
        paths.len(),
    );
    let sent: Value = serde_json::from_slice(&event.body).unwrap();
    let described: Value =
        serde_json::from_str(&readme().code("What a cousin receives", "json")).unwrap();
    assert_eq!(described, sent);
}

#[test]
fn the_reports_in_the_readme_are_what_is_printed() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let dry_run = || {
        let args = ["dispatch", "--dry-run", "--source", "acme/monorepo"];
        Run::new(&sandbox).dir(&bare).args(args)
    };
    let readme = readme();
    let table = dry_run().run().expect_code(0);
    assert_eq!(table.stdout, readme.code("4. Try it", "text"));
    let json = dry_run().args(["--format", "json", "--only", "acme/docs-site"]).run();
    assert_eq!(json.expect_code(0).stdout, readme.code("The report", "json"));
}

#[test]
fn the_status_in_the_readme_is_what_is_printed() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let refs = |at: &str, names: &[&str]| {
        for name in names {
            sandbox.git(&bare, &["update-ref", &format!("refs/ecosystem/{name}"), at]);
        }
    };
    let received = ["flask-push-demo", "flask-starter", "former", "old-name", "push-service"];
    let received = received.into_iter().chain(["react-components"]);
    let received: Vec<String> = received.map(|name| format!("watermarks/acme/{name}")).collect();
    refs("step/head", &received.iter().map(String::as_str).collect::<Vec<_>>());
    let behind = ["docs-site", "gone", "portfolio"].map(|name| format!("watermarks/acme/{name}"));
    refs("step/before-head", &behind.each_ref().map(String::as_str));
    refs("step/head", &["failing/acme/gone"]);
    let clone = sandbox.clone(&bare, "clone", &[]);
    let args = ["status", "--source", "acme/monorepo"];
    let shown = Run::new(&sandbox).dir(&clone).args(args).run().expect_code(0).stdout;
    // How long ago the sample's commits were made depends on today: that column is left out.
    let ageless = |text: &str| -> Vec<String> {
        let at = text.lines().find_map(|line| line.find("age  ")).expect("there is a table");
        let table = |line: &str| line.starts_with("acme/");
        let cut = |line: &str| line.chars().take(at).chain(line.chars().skip(at + 10)).collect();
        text.lines().map(|line| if table(line) { cut(line) } else { line.to_owned() }).collect()
    };
    let described = readme().code("Who is behind", "text");
    assert_eq!(ageless(&shown), ageless(&described));
}

#[test]
fn the_validation_in_the_readme_is_what_is_printed() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let file = sandbox.path().join("ecosystem.json");
    let list = |subscription: &str| {
        format!(
            "[\n  {{\n    \"repo\": \"acme/flask-push-demo\",\n    \"subscriptions\": [\"{subscription}\"]\n  }}\n]\n"
        )
    };
    std::fs::write(&file, list("features/web-push/flask")).unwrap();
    let validate = |args: &[&str]| {
        Run::new(&sandbox)
            .dir(&bare)
            .args(["validate", "--ecosystem", "../ecosystem.json"])
            .args(args)
            .run()
            .expect_code(0)
            .stdout
            .replace("../ecosystem.json", "ecosystem.json")
    };
    let readme = readme();
    assert_eq!(validate(&[]), readme.code("Validating", "text"));
    assert_eq!(validate(&["--format", "json"]), readme.code("Findings", "json"));
}

#[test]
fn the_rehearsal_ends_as_the_readme_says() {
    let sandbox = Sandbox::new();
    let shown = Run::new(&sandbox).arg("rehearse").run().expect_code(0).stdout;
    let end = readme().code("The two commands", "text");
    assert!(end.starts_with("What each cousin received\n"), "{end}");
    let at = shown.find("What each cousin received\n").expect("it says what was received");
    // A line of dots stands for what the README leaves out.
    let parts: Vec<&str> = end.split("\n…\n").collect();
    let mut rest = &shown[at..];
    for (number, part) in parts.iter().enumerate() {
        let found = rest.find(part.trim_matches('\n'));
        let at =
            found.unwrap_or_else(|| panic!("the rehearsal does not show\n{part}\nbut\n{rest}"));
        assert!(number > 0 || at == 0, "it begins otherwise: {rest}");
        rest = &rest[at + part.trim_matches('\n').len()..];
    }
    assert_eq!(rest.trim(), "", "the README ends too early");
}

/// Returns a workflow in which a reader has written the commit of this action.
fn with_commit(workflow: String) -> String {
    workflow.replace(&format!("@{} # v", "0".repeat(40)), &format!("@{HEAD} # v"))
}

#[test]
fn every_workflow_is_pinned_and_keeps_expressions_out_of_shell_code() {
    let mut workflows: BTreeMap<String, String> = BTreeMap::new();
    for (number, code) in readme().codes("yaml").into_iter().enumerate() {
        workflows.insert(format!("README.md, {number}"), with_commit(code));
    }
    assert_eq!(workflows.len(), 3, "the dispatching, the checking and the receiving one");
    for (number, code) in Document::read("docs/migrating.md").codes("yaml").into_iter().enumerate()
    {
        workflows.insert(format!("docs/migrating.md, {number}"), with_commit(code));
    }
    assert_eq!(workflows.len(), 6, "and one for each way to migrate");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        workflows.insert(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
    }
    assert!(workflows.len() > 2, "and the repository's own");
    for (name, workflow) in workflows {
        assert!(workflow.contains("\npermissions: {}\n"), "{name}: permissions are not taken away");
        let mut shell = None;
        for line in workflow.lines() {
            let indent = line.len() - line.trim_start().len();
            if shell.is_some_and(|start| indent <= start && !line.trim().is_empty()) {
                shell = None;
            }
            let step = line.trim_start().trim_start_matches("- ");
            if step.starts_with("run:") {
                shell = Some(line.len() - step.len());
            }
            assert!(shell.is_none() || !line.contains("${{"), "{name}: an expression in {line}");
            let local = step.starts_with("uses: ./ ");
            if let Some(action) = step.strip_prefix("uses: ").filter(|_| !local) {
                let (_, pin) = action.split_once('@').expect("an action has a version");
                let (commit, version) = pin.split_once(" # v").expect("a comment says the version");
                CommitSha::parse(commit).unwrap_or_else(|bad| panic!("{name}: {line}: {bad}"));
                assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{name}: {line}");
            }
        }
        let does = |it: &str| workflow.contains(it);
        assert!(does("run:") || does("/ecosystem-dispatcher@"), "{name}: nothing was checked");
    }
}

#[test]
fn a_thousand_cousins_take_as_long_as_the_readme_says() {
    let mut pace = Pace::new(PER_MINUTE);
    let mut times = Vec::new();
    for _ in 0..1000 {
        let now = times.last().copied().unwrap_or_default();
        let at = pace.free_at(now, Cost::Write).expect("nothing is in flight");
        pace.sent(Cost::Write);
        pace.answered(at, Cost::Write, 1);
        times.push(at);
    }
    assert_eq!(times[499].as_secs(), 6 * 60);
    assert_eq!(times[999].as_secs(), 66 * 60);
    let text = readme().text;
    for claim in ["1,000 cousins take 66 minutes", "500 go in the first 6 minutes"] {
        assert!(text.contains(claim), "the README must say {claim:?}");
    }
}
