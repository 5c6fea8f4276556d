//! The GitHub Action. No runner is at hand, so `runner` stands in for one: it reads `action.yml`,
//! sets what Actions would set, and runs the steps' scripts under bash. `install` is about which
//! program gets there and from where, `source` about the one that is built, `verification` and
//! `attestation` about what is checked, `cache` about what is kept, `surroundings` about what the
//! runner and its environment do to the scripts, `released` about what `release.yml` makes, `inputs`
//! about what the program is told, `run` about the program itself against the embedded GitHub,
//! `guide` about what the guide for migrating tells people to write. The scripts are bash on every
//! system, but the stand-ins for its tools are Unix programs; CI runs the action itself on each
//! system.

#[cfg(unix)]
mod attestation;
#[cfg(unix)]
mod cache;
#[cfg(unix)]
mod guide;
#[cfg(unix)]
mod inputs;
#[cfg(unix)]
mod install;
#[cfg(unix)]
mod released;
#[cfg(unix)]
mod releases;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod runner;
#[cfg(unix)]
mod source;
#[cfg(unix)]
mod surroundings;
#[cfg(unix)]
mod verification;

use std::collections::BTreeSet;
use std::path::Path;

use ecosystem_dispatcher::names::CommitSha;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::document::{Document, quoted};
use crate::support::yaml;

fn action() -> Value {
    yaml::read("action.yml")
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// Returns the scripts of the action: name and text.
fn scripts() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("action");
    let mut scripts: Vec<(String, String)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(file.path()).unwrap())
        })
        .collect();
    scripts.sort();
    assert!(scripts.len() > 5, "{scripts:?}");
    scripts
}

/// Returns every file of workflows and actions in this repository, and whether it is a workflow.
fn workflows() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let names = std::fs::read_dir(directory).unwrap().map(|entry| {
        format!(".github/workflows/{}", entry.unwrap().file_name().into_string().unwrap())
    });
    names.map(|name| (name.clone(), yaml::read(&name))).collect()
}

/// Returns the steps of an action or of all jobs of a workflow.
fn steps(file: &Value) -> Vec<Value> {
    let of = |holder: &Value| holder["steps"].as_array().cloned().unwrap_or_default();
    match file["jobs"].as_object() {
        Some(jobs) => jobs.values().flat_map(of).collect(),
        None => of(&file["runs"]),
    }
}

#[test]
fn the_inputs_in_the_readme_are_those_of_the_action() {
    let action = action();
    let readme = Document::read("README.md");
    assert_eq!(readme.column("Inputs of the action", 0), keys(&action["inputs"]));
    for row in readme.rows("Inputs of the action") {
        let name = quoted(&row[0]).unwrap();
        let input = &action["inputs"][&name];
        let described = quoted(&row[3]).unwrap_or_default();
        assert_eq!(input["default"], described, "the default of {name}");
        assert!(input["description"].as_str().unwrap().len() > 20, "{name}");
    }
}

#[test]
fn the_outputs_in_the_readme_are_those_of_the_action_and_of_the_program() {
    let outputs = keys(&action()["outputs"]);
    let readme = Document::read("README.md");
    assert_eq!(readme.column("Outputs of the action", 0), outputs);
    // What the program writes is what the action hands on.
    for name in readme.column("In GitHub Actions", 0) {
        assert!(outputs.contains(&name), "the action does not hand on {name}");
    }
    for (name, output) in action()["outputs"].as_object().unwrap() {
        let step = if ["version", "binary"].contains(&name.as_str()) { "install" } else { "run" };
        assert_eq!(output["value"], format!("${{{{ steps.{step}.outputs.{name} }}}}"));
    }
}

#[test]
fn the_examples_of_the_action_in_the_readme_have_inputs_that_exist() {
    let inputs = keys(&action()["inputs"]);
    let example = Document::read("README.md").code("Use it as an action", "yml");
    let example = yaml::parse(&example).unwrap();
    let of_ours = |step: &&Value| step["uses"].as_str().unwrap().starts_with("OWNER/");
    let ours: Vec<&Value> = example.as_array().unwrap().iter().filter(of_ours).collect();
    let commands =
        |step: &&Value| step["with"]["command"].as_str().unwrap_or("dispatch").to_owned();
    let commands: Vec<String> = ours.iter().map(commands).collect();
    assert_eq!(commands, ["dispatch", "send", "validate", "status"]);
    for step in ours {
        assert!(keys(&step["with"]).is_subset(&inputs), "{step:#}");
    }
}

#[test]
fn the_workflow_of_a_cousin_has_inputs_that_exist_and_pins_as_the_readme_does() {
    let inputs = keys(&action()["inputs"]);
    let name = "fixtures/cousin/.github/workflows/sync-upstream.yml";
    let workflow = yaml::read(name);
    let steps = steps(&workflow);
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[1]["with"]["command"], "sync");
    assert!(keys(&steps[1]["with"]).is_subset(&inputs));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let pinned = text(name);
    let checkout = pinned.lines().find(|line| line.contains("actions/checkout@")).unwrap();
    assert!(text("README.md").lines().any(|line| line == checkout), "{checkout}");
}

#[test]
fn no_expression_stands_in_a_script_and_every_action_is_a_commit() {
    let mut files = workflows();
    files.push(("action.yml".to_owned(), action()));
    let (mut scripts, mut actions) = (0, 0);
    for (name, file) in files {
        for step in steps(&file) {
            for key in ["run", "working-directory", "shell"] {
                if let Some(text) = step[key].as_str() {
                    assert!(!text.contains("${{"), "{name}: an expression in {text}");
                    scripts += usize::from(key == "run");
                }
            }
            let Some(uses) = step["uses"].as_str().filter(|uses| *uses != "./") else { continue };
            let (_, commit) = uses.split_once('@').unwrap_or_else(|| panic!("{name}: {uses}"));
            CommitSha::parse(commit).unwrap_or_else(|bad| panic!("{name}: {uses}: {bad}"));
            actions += 1;
        }
    }
    assert!(scripts > 20 && actions > 15, "{scripts} scripts, {actions} actions");
}

#[test]
fn every_input_reaches_the_scripts_and_only_the_last_step_has_the_token_that_sends() {
    let action = action();
    let mut handed_on = BTreeSet::new();
    let scripts = scripts().into_iter().map(|(_, text)| text).collect::<String>();
    for step in steps(&action) {
        for (variable, value) in step["env"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            assert!(variable.starts_with("INPUT_"), "{variable} would reach the program");
            assert!(scripts.contains(variable), "no script reads {variable}");
            if let Some(name) = value.strip_prefix("${{ inputs.") {
                let name = name.strip_suffix(" }}").unwrap();
                let expected = format!("INPUT_{}", name.to_uppercase().replace('-', "_"));
                assert_eq!(*variable, expected);
                handed_on.insert(name.to_owned());
            }
        }
        assert_eq!(step["env"].get("INPUT_TOKEN").is_some(), step["id"] == "run");
    }
    assert_eq!(handed_on, keys(&action["inputs"]));
}

#[test]
fn the_scripts_are_for_the_bash_of_every_system_and_evaluate_no_text() {
    for (name, text) in scripts() {
        assert!(!text.contains('\r'), "{name} has line ends of Windows");
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            for newer in [
                "mapfile",
                "readarray",
                "declare -A",
                "local -A",
                "local -n",
                "declare -n",
                ",,}",
                "^^}",
                "@Q}",
                "&>>",
                "|&",
                ";;&",
                "coproc",
                "[[ -v",
                "eval",
                "wait -n",
                "EPOCH",
            ] {
                assert!(!line.contains(newer), "{name}: {newer} in {line}");
            }
        }
        let entry = text.starts_with("#!/usr/bin/env bash\n");
        assert_eq!(entry, text.contains("\nset -euf -o pipefail\n"), "{name}");
    }
}
