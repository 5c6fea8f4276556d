//! The scripts of a workflow, and the reusable workflows that it calls: where does event data get
//! into the text of a script? GitHub puts the value of `${{ }}` into a script before the shell, or
//! Node, reads it, so whoever chooses the value writes the script. The same value in a variable of
//! `env` is only ever data. `if`, `name`, `with` of other actions are no scripts of this workflow.

use std::collections::{BTreeMap, BTreeSet};

use super::expression;
use super::source::{Source, shown};
use super::taint::{Known, Variables};
use super::yaml::{Scalar, View};
use super::{Call, Injection};

/// Returns every place where a script takes from the event, in the order of the file. A script that
/// several steps share by an alias is one place.
pub(super) fn injections(
    source: &Source,
    root: View<'_>,
    inputs: &BTreeSet<String>,
) -> Vec<Injection> {
    let mut found = BTreeMap::new();
    each_job(root, inputs, |job, known| {
        for step in job.get("steps").and_then(View::items).into_iter().flatten() {
            let own = known.variables(step.get("env"));
            let mut nearest = vec![&own];
            nearest.extend(known.variables);
            let known = Known { variables: &nearest, ..*known };
            for script in scripts(step) {
                search(source, script, &known, &mut found);
            }
        }
    });
    let mut last = (0, String::new());
    found
        .into_iter()
        .map(|(place, (expression, variable))| {
            let line = source.line(place);
            // A line may be most of the file, and hold thousands of them.
            if last.0 != line {
                last = (line, source.shown_line(line));
            }
            Injection { line, text: last.1.clone(), expression, variable }
        })
        .collect()
}

/// Returns the workflows of the same repository that the jobs call, in the order of the file.
pub(super) fn calls(source: &Source, root: View<'_>, inputs: &BTreeSet<String>) -> Vec<Call> {
    let mut calls = Vec::new();
    each_job(root, inputs, |job, known| {
        let Some(uses) = job.get("uses").and_then(View::scalar) else { return };
        let Some(path) = local_workflow(&uses.text) else { return };
        let given = job.get("with").and_then(View::entries).into_iter().flatten();
        let tainted = given
            .filter(|(_, value)| known.taints_below(*value))
            .map(|(name, _)| name.text.to_lowercase())
            .collect();
        calls.push(Call { path, line: source.line(uses.place.start), tainted });
    });
    calls
}

/// Hands each job over, with what carries event data in it.
fn each_job(root: View<'_>, inputs: &BTreeSet<String>, mut each: impl FnMut(View<'_>, &Known<'_>)) {
    let outside = Known { inputs, variables: &[], matrix: false };
    let everywhere = outside.variables(root.get("env"));
    for (_, job) in root.get("jobs").and_then(View::entries).into_iter().flatten() {
        let variables = [&everywhere];
        let mut known = Known { variables: &variables, ..outside };
        let matrix = job.get("strategy").and_then(|strategy| strategy.get("matrix"));
        known.matrix = matrix.is_some_and(|matrix| known.taints_below(matrix));
        let own: Variables = known.variables(job.get("env"));
        each(job, &Known { variables: &[&own, &everywhere], ..known });
    }
}

/// Returns the texts of a step that something runs.
fn scripts(step: View<'_>) -> impl Iterator<Item = &Scalar> {
    let uses = step.get("uses").and_then(View::scalar).map(|uses| uses.text.trim());
    let action = uses.and_then(|uses| uses.split('@').next()).unwrap_or_default();
    let given = action
        .eq_ignore_ascii_case("actions/github-script")
        .then(|| step.get("with").and_then(View::entries))
        .flatten();
    let script = given
        .into_iter()
        .flatten()
        .find(|(name, _)| name.text.eq_ignore_ascii_case("script"))
        .and_then(|(_, value)| value.scalar());
    step.get("run").and_then(View::scalar).into_iter().chain(script)
}

/// Finds the expressions of a script that take from the event: where each begins in the file, what
/// it says, and what a variable for it would be called.
fn search(
    source: &Source,
    script: &Scalar,
    known: &Known<'_>,
    found: &mut BTreeMap<usize, (String, String)>,
) {
    let fenced = expression::fenced(&script.text);
    if fenced.is_empty() {
        return;
    }
    let openings = source.openings(script);
    for fenced in fenced {
        let parsed = expression::parse(fenced.text);
        let Some(variable) = parsed.and_then(|expression| known.taint(&expression)) else {
            continue;
        };
        let place = openings.get(fenced.opening).copied().unwrap_or(script.place.start);
        found.entry(place).or_insert_with(|| {
            let one_line: Vec<&str> = fenced.text.lines().map(str::trim).collect();
            (shown(&one_line.join(" ")), shown(&variable))
        });
    }
}

/// Returns the path of a workflow that is called by its place in the same repository.
fn local_workflow(uses: &str) -> Option<String> {
    let path = uses.trim().strip_prefix("./")?;
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    match parts.as_slice() {
        [".github", "workflows", file] if *file != ".." => {
            Some(format!(".github/workflows/{file}"))
        }
        _ => None,
    }
}
