//! The documents say what the program does: tables, lists and links are read here, examples and
//! workflows in `examples`, and held against the code, so that whoever changes one has to change
//! the other.

mod examples;
mod migrating;

use std::collections::BTreeSet;
use std::path::Path;

use ecosystem_dispatcher::cli::Exit;
use ecosystem_dispatcher::delivery::Outcome;
use ecosystem_dispatcher::ecosystem;
use ecosystem_dispatcher::git::range::Reason;
use ecosystem_dispatcher::github::auth::VARIABLES;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::document::{Document, quoted};
use crate::support::ecosystem::Run;
use crate::support::repository::Sandbox;

fn readme() -> Document {
    Document::read("README.md")
}

/// Returns the flags of a help text, as the README writes them: `-n, --dry-run`, `--base REV`.
fn flags(help: &str) -> BTreeSet<String> {
    let is_flag = |line: &&str| line.starts_with('-') && !line.starts_with("- ");
    let (options, _) = help.split_once("\nExamples:\n").unwrap_or((help, ""));
    let lines = options.lines().map(str::trim).filter(is_flag);
    lines
        .map(|line| line.split("  ").next().unwrap_or_default())
        .map(|flag| flag.replace(['<', '>'], "").replace("...", ""))
        .collect()
}

fn help(args: &[&str]) -> String {
    Run::new(&Sandbox::new()).args(args).run().expect_code(0).stdout
}

#[test]
fn every_flag_is_in_the_readme_and_every_flag_in_the_readme_exists() {
    let of_every = readme().column("Of every command", 0);
    for (command, examples) in [
        ("dispatch", ["-n, --dry-run", "--base REV"]),
        ("send", ["--to OWNER/NAME", "-f, --field KEY=TEXT"]),
        ("validate", ["--online", "--only OWNER/NAME"]),
        ("onboard", ["--probe[=SECONDS]", "-n, --dry-run"]),
        ("status", ["--prune", "--head REV"]),
        ("sync", ["--worktree", "--conflict WHAT"]),
        ("rehearse", ["--keep DIR", "-C DIR"]),
        ("man", ["--dir DIR", "-C DIR"]),
    ] {
        let found = flags(&help(&[command, "--help"]));
        for flag in examples {
            assert!(found.contains(flag), "{flag} is not read from the help: {found:?}");
        }
        let mut described = readme().column(&format!("Of `{command}`"), 0);
        described.extend(of_every.iter().cloned());
        assert_eq!(described, found, "{command}");
    }
}

#[test]
fn the_defaults_in_the_readme_are_those_of_the_program() {
    let mut checked = 0;
    for command in ["dispatch", "validate", "status", "sync"] {
        let help = help(&[command, "-h"]).split_whitespace().collect::<Vec<_>>().join(" ");
        let mut rows = readme().rows(&format!("Of `{command}`"));
        rows.extend(readme().rows("Of every command"));
        for row in rows {
            let default = row[2].strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
            let Some(default) = default.filter(|cell| !cell.contains('`')) else { continue };
            let mut words = row[0].trim_matches('`').split(' ');
            let name = words.find(|word| word.starts_with("--")).unwrap();
            let (_, after) = help.split_once(&format!(" {name} ")).unwrap();
            let own = after.split(" --").next().unwrap();
            assert!(own.contains(&format!("[default: {default}]")), "{name}: {own}");
            checked += 1;
        }
    }
    assert_eq!(checked, 18, "a default is checked when its cell holds nothing else");
}

#[test]
fn the_exit_codes_in_the_readme_are_those_of_the_program() {
    let all = [
        Exit::Done,
        Exit::Undelivered,
        Exit::Invalid,
        Exit::Misused,
        Exit::Interrupted,
        Exit::Terminated,
    ];
    for exit in all {
        // A new way to end is a new row.
        match exit {
            Exit::Done
            | Exit::Undelivered
            | Exit::Invalid
            | Exit::Misused
            | Exit::Interrupted
            | Exit::Terminated => {}
        }
    }
    let codes: BTreeSet<String> = all.map(|exit| exit.code().to_string()).into();
    assert_eq!(readme().column("Exit codes", 0), codes);
}

#[test]
fn the_outcomes_in_the_readme_are_those_of_the_program() {
    let all = [
        Outcome::Delivered,
        Outcome::Failed,
        Outcome::Exhausted,
        Outcome::Deferred,
        Outcome::Skipped,
        Outcome::Planned,
    ];
    for outcome in all {
        match outcome {
            Outcome::Delivered
            | Outcome::Failed
            | Outcome::Exhausted
            | Outcome::Deferred
            | Outcome::Skipped
            | Outcome::Planned => {}
        }
    }
    let words: BTreeSet<String> = all.map(|outcome| outcome.to_string()).into();
    assert_eq!(readme().column("Outcomes", 0), words);
}

#[test]
fn the_reasons_in_the_readme_are_those_of_the_program() {
    let all = [
        Reason::Push,
        Reason::ForcedPush,
        Reason::NewBranch,
        Reason::FirstCommit,
        Reason::PullRequest,
        Reason::MergeGroup,
        Reason::Flags,
        Reason::Local,
        Reason::All,
        Reason::Watermarks,
        Reason::FirstDelivery,
    ];
    for reason in all {
        match reason {
            Reason::Push
            | Reason::ForcedPush
            | Reason::NewBranch
            | Reason::FirstCommit
            | Reason::PullRequest
            | Reason::MergeGroup
            | Reason::Flags
            | Reason::Local
            | Reason::All
            | Reason::Watermarks
            | Reason::FirstDelivery => {}
        }
    }
    let words: BTreeSet<String> =
        all.iter().map(|reason| serde_json::to_value(reason).unwrap()).map(text).collect();
    let text = readme().text;
    let (_, after) = text.split_once("`range.reason` is one of ").unwrap();
    let (sentence, _) = after.split_once(". ").unwrap();
    let described = sentence.split('`').skip(1).step_by(2).map(str::to_owned);
    assert_eq!(described.collect::<BTreeSet<_>>(), words);
}

fn text(value: Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn every_warning_of_the_program_is_in_the_readme_and_no_other() {
    let source = source().split_whitespace().collect::<Vec<_>>().join(" ");
    let calls = source.replace("Warning::new( \"", "Warning::new(\"");
    let calls = calls.replace(".warn( \"", ".warn(\"").replace(".warn(\"", "Warning::new(\"");
    let codes = calls.split("Warning::new(\"").skip(1).filter_map(|after| after.split('"').next());
    let is_code = |code: &&str| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let codes: BTreeSet<String> = codes.filter(is_code).map(str::to_owned).collect();
    assert!(codes.contains("incomplete-range") && codes.contains("unconfirmed"), "{codes:?}");
    assert_eq!(readme().column("Warnings", 0), codes);
}

#[test]
fn every_code_of_a_finding_is_in_the_readme_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(root.join("src/document/diagnostic.rs")).unwrap();
    let (_, codes) = source.split_once("impl Code {").unwrap();
    let (codes, _) = codes.split_once("\n}\n").unwrap();
    let codes = codes.lines().filter_map(|line| line.trim().strip_prefix("Self::"));
    let codes = codes.filter_map(|line| Some(line.split('"').nth(1)?.to_owned()));
    let codes: BTreeSet<String> = codes.collect();
    assert!(codes.contains("syntax") && codes.len() > 30, "{codes:?}");
    assert_eq!(readme().column("Findings", 0), codes);
}

#[test]
fn the_variables_in_the_readme_are_those_that_are_read() {
    let source = source();
    let mut read: BTreeSet<String> = VARIABLES.map(str::to_owned).into();
    // By name where it is read, or by a constant.
    for reader in [".text(\"", ".raw(\"", "environment, \"", ": &str = \""] {
        let after = source.split(reader).skip(1).filter_map(|after| after.split('"').next());
        let variable = |name: &&str| {
            name.len() > 1 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        };
        read.extend(after.filter(variable).map(str::to_owned));
    }
    for variable in ["GITHUB_OUTPUT", "RUNNER_TEMP", "ECOSYSTEM_APP_ID"] {
        assert!(read.contains(variable), "{variable} is not found: {read:?}");
    }
    assert_eq!(readme().column("Environment variables", 0), read);
}

/// Returns the whole source of the program, without its tests.
fn source() -> String {
    fn add(directory: &Path, all: &mut String) {
        let mut entries: Vec<_> =
            std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                add(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                all.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
            }
        }
    }
    let mut all = String::new();
    add(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    all
}

#[test]
fn the_keys_in_the_readme_are_those_of_the_schema() {
    let schema: Value = serde_json::from_str(&ecosystem::schema()).unwrap();
    let cousin = schema["definitions"]["Cousin"]["properties"].as_object().unwrap();
    let keys: BTreeSet<String> = cousin.keys().cloned().collect();
    assert_eq!(readme().column("1. `ecosystem.json`", 0), keys);
    for row in readme().rows("1. `ecosystem.json`") {
        let default = &cousin[&quoted(&row[0]).unwrap()]["default"];
        let described = quoted(&row[2]).unwrap_or_default();
        let default = default.as_str().map_or(default.to_string(), str::to_owned);
        assert_eq!(described, if default == "null" { "" } else { &default }, "{row:?}");
    }
}

#[test]
fn the_outputs_in_the_readme_are_those_that_are_written() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let file = sandbox.path().join("outputs");
    Run::new(&sandbox)
        .dir(&bare)
        .args(["dispatch", "--dry-run"])
        .event("push", "push.json")
        .env("GITHUB_OUTPUT", &file)
        .env("RUNNER_TEMP", sandbox.path())
        .run()
        .expect_code(0);
    Run::new(&sandbox)
        .args(["send", "--dry-run", "--to", "acme/web", "--event-type", "x"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", &file)
        .env("RUNNER_TEMP", sandbox.path())
        .run()
        .expect_code(0);
    let cousin = sandbox.new_repository("cousin");
    sandbox.write(&cousin, "subscriptions.json", r#"["features/pwa/vanilla"]"#);
    sandbox.commit_all(&cousin, "follow");
    Run::new(&sandbox)
        .dir(&cousin)
        .args(["sync", "--pull", "--dry-run", "--source"])
        .arg(&bare)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", &file)
        .env("RUNNER_TEMP", sandbox.path())
        .run()
        .expect_code(0);
    let written = std::fs::read_to_string(&file).unwrap();
    let names: BTreeSet<String> =
        written.lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
    assert_eq!(readme().column("In GitHub Actions", 0), names);
}

#[test]
fn the_dependencies_in_the_architecture_are_those_that_are_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let (_, after) = manifest.split_once("\n[dependencies]\n").unwrap();
    let listed = after.lines().take_while(|line| !line.is_empty());
    let source = source();
    let used: BTreeSet<String> = listed
        .filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()))
        .filter(|name| source.contains(&format!("{}::", name.replace('-', "_"))))
        .collect();
    assert!(used.contains("git2") && used.contains("tokio"), "{used:?}");
    let described: BTreeSet<String> = Document::read("ARCHITECTURE.md")
        .rows("Dependencies")
        .iter()
        .flat_map(|row| row[0].split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(described, used);
}

#[test]
fn every_path_and_module_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/migrating.md",
        "docs/sync.md",
    ] {
        let text = Document::read(name).text;
        let quoted = text.split('`').skip(1).step_by(2);
        let paths = quoted.filter(|word| {
            ["src/", "tests/", "fixtures/", "benches/", "schema/", ".ci/"]
                .iter()
                .any(|directory| word.starts_with(directory))
        });
        for path in paths.filter(|path| !path.contains("NAME")) {
            let path = path.split(' ').next().unwrap();
            assert!(root.join(path).exists(), "{name} names {path}");
        }
    }
    let architecture = Document::read("ARCHITECTURE.md").text;
    for entry in std::fs::read_dir(root.join("src")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = file.strip_suffix(".rs").filter(|module| *module != "lib") else {
            continue;
        };
        assert!(architecture.contains(module), "ARCHITECTURE.md does not say what {file} is for");
    }
}

#[test]
fn every_file_that_a_document_links_to_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let document = Document::read(name);
        for target in document.links() {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            if !file.is_empty() {
                assert!(root.join(file).exists(), "{name} links to {target}");
            } else {
                assert!(document.anchors().contains(anchor), "{name} links to {target}");
            }
        }
    }
}
