//! Whether a workflow of the cousin will start on the event, and whether it is safe when it does.
//! GitHub starts `repository_dispatch` workflows from the default branch only, and answers 204
//! whether one listens or not. Source: GitHub's documentation, "Events that trigger workflows".

use std::collections::{BTreeMap, BTreeSet};

use super::asking::hears;
use super::judging::{self, Subject, Verdict};
use super::{Elsewhere, Repository, Speaker, Unread, WorkflowFile};
use crate::ecosystem::{Code, Finding, Severity};
use crate::names::EventType;
use crate::onboarding::workflow::{Injection, Listens};
use crate::text;

/// How many files or places a message names.
const NAMED: usize = 3;

/// The workflows of a repository's default branch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<'a> {
    /// Those that were read.
    pub(super) files: &'a [WorkflowFile],
    /// How many were not.
    pub(super) unread: usize,
    pub(super) repository: &'a Repository,
    /// Those of other branches.
    pub(super) elsewhere: &'a Elsewhere,
}

/// Adds what the workflows of the default branch, and of others, say against a cousin.
pub(super) fn judge(
    subject: &Subject<'_>,
    speaker: &Speaker,
    workflows: &Read<'_>,
    verdict: &mut Verdict,
) {
    let Read { files, repository, .. } = *workflows;
    let event_type = &subject.listed.cousin.event_type;
    let listeners: Vec<&WorkflowFile> =
        files.iter().filter(|file| hears(file, event_type)).collect();
    if listeners.is_empty() {
        return deaf(subject, speaker, workflows, verdict);
    }
    let off = |file: &&WorkflowFile| {
        file.state.as_ref().is_some_and(|state| state.starts_with("disabled"))
    };
    if listeners.iter().all(off) {
        let finding = turned_off(repository, &listeners);
        verdict.find(subject, Severity::Error, Code::ListenerDisabled, finding);
    }
    if let Some(finding) = injected(subject, workflows, &listeners) {
        verdict.find(subject, Severity::Error, Code::UnsafeListener, finding);
    }
    // What one of the others does is not known; what was called and not read is told elsewhere.
    for file in files {
        if let Err(why @ (Unread::Refused(_) | Unread::Unanswered(_) | Unread::Unclear(_))) =
            &file.workflow
            && !file.sha.is_empty()
        {
            let finding = Finding::new(
                format!("it is not known what {} of {} does: {why}", file.path, repository.name),
                "run again later, or look at it yourself",
            );
            verdict.find(subject, Severity::Note, Code::NotChecked, finding);
        }
    }
}

/// Adds what is wrong where nothing on the default branch hears the event type.
fn deaf(subject: &Subject<'_>, speaker: &Speaker, workflows: &Read<'_>, verdict: &mut Verdict) {
    for file in workflows.files {
        match &file.workflow {
            // The one that would listen may be this one.
            Err(Unread::Refused(reply)) => {
                return judging::unreadable(subject, speaker, reply, verdict);
            }
            Err(Unread::Unanswered(why)) => return judging::silent(subject, why, verdict),
            Err(Unread::Unclear(why)) => {
                return judging::unclear(subject, &format!("{}: {why}", file.path), verdict);
            }
            Ok(_) | Err(Unread::Broken(_)) => {}
        }
    }
    let listed = subject.listed;
    let others =
        workflows.files.iter().filter_map(|file| match file.workflow.as_ref().ok()?.dispatches() {
            Listens::Types(types) => Some((file.path.as_str(), types.as_slice())),
            Listens::Every | Listens::No => None,
        });
    let others: Vec<(&str, &[String])> = others.collect();
    if !others.is_empty() {
        let spot = subject.spot("event_type", listed.event_type);
        let finding = other_types(subject, workflows, &others);
        return verdict.find_at(Severity::Error, Code::ListenerOtherType, spot, finding);
    }
    let Repository { name, shown_branch: branch, .. } = workflows.repository;
    if let Some((other, path)) = &workflows.elsewhere.found {
        let finding = Finding::new(
            format!(
                "{path} of {name} listens on the branch {other} only, and GitHub starts it from \
                 the default branch, {branch}{}",
                broken(workflows)
            ),
            format!("merge {path} into {branch}"),
        );
        return verdict.find(subject, Severity::Error, Code::ListenerOnOtherBranch, finding);
    }
    let finding = nothing(workflows, &listed.cousin.event_type);
    verdict.find(subject, Severity::Error, Code::NoListener, finding);
}

fn other_types(
    subject: &Subject<'_>,
    workflows: &Read<'_>,
    others: &[(&str, &[String])],
) -> Finding {
    let event_type = &subject.listed.cousin.event_type;
    let name = &workflows.repository.name;
    let said: Vec<String> = others
        .iter()
        .take(NAMED)
        .map(|(path, types)| format!("{path} listens to {}", shown(subject, types)))
        .collect();
    let near = |it: &String| it.eq_ignore_ascii_case(event_type.as_str());
    let near = others.iter().any(|(_, types)| types.iter().any(near));
    let case = if near { " (upper and lower case count)" } else { "" };
    let elsewhere = match &workflows.elsewhere.found {
        Some((branch, path)) => format!("; {path} on the branch {branch} does"),
        None => String::new(),
    };
    let path = others.first().map_or("the workflow", |(path, _)| path);
    let first = others.first().and_then(|(_, types)| types.first());
    Finding::new(
        format!("nothing in {name} listens to {event_type}: {}{case}{elsewhere}", said.join(", ")),
        match first {
            Some(first) => format!(
                "add {event_type} to the types of {path}, or set \"event_type\": {} here",
                quoted(subject, first)
            ),
            None => format!("add {event_type} to the types of {path}"),
        },
    )
}

/// Returns which files are no workflows, to be added to a message.
fn broken(workflows: &Read<'_>) -> String {
    let broken = workflows.files.iter().filter_map(|file| {
        file.workflow.as_ref().err().map(|why| format!("; {} cannot be read: {why}", file.path))
    });
    broken.take(NAMED).collect()
}

fn nothing(workflows: &Read<'_>, event_type: &EventType) -> Finding {
    let Read { files, unread, repository, elsewhere } = *workflows;
    let name = &repository.name;
    let branch = &repository.shown_branch;
    let among = match (files.len(), files.iter().filter(|file| file.workflow.is_ok()).count()) {
        (0, _) => format!("it has no workflow on its default branch, {branch}"),
        (_, 0) => format!("no workflow on its default branch, {branch}, can be read"),
        (_, 1) => format!("the workflow on its default branch, {branch}, has other triggers"),
        (_, many) => {
            format!("the {many} workflows on its default branch, {branch}, have other triggers")
        }
    };
    let rest = match unread {
        0 => String::new(),
        unread => format!("; {unread} more were not read"),
    };
    let unseen = elsewhere.unseen.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
    let broken = broken(workflows);
    let help = if broken.is_empty() {
        format!(
            "add a workflow with `on: repository_dispatch: types: [{event_type}]` to {branch} of {name}"
        )
    } else {
        format!("mend it, or add a workflow that listens to {event_type}, on {branch} of {name}")
    };
    let message = format!("nothing in {name} listens to dispatches: {among}{broken}{rest}{unseen}");
    Finding::new(message, help)
}

fn shown(subject: &Subject<'_>, types: &[String]) -> String {
    let mut shown: Vec<String> = types.iter().take(NAMED).map(|it| quoted(subject, it)).collect();
    let more = types.len().saturating_sub(NAMED);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

fn quoted(subject: &Subject<'_>, written: &str) -> String {
    text::quoted(&(subject.redacted)(written.to_owned()))
}

fn turned_off(repository: &Repository, listeners: &[&WorkflowFile]) -> Finding {
    let name = &repository.name;
    let paths: Vec<&str> = listeners.iter().map(|file| file.path.as_str()).take(NAMED).collect();
    let idle = listeners.iter().any(|file| file.state.as_deref() == Some("disabled_inactivity"));
    let why = if idle {
        "GitHub turned it off, because the repository saw no activity for 60 days"
    } else {
        "somebody turned it off"
    };
    let first = paths.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    Finding::new(
        format!("{} of {name} would listen, and is turned off: {why}", paths.join(", ")),
        format!("turn it on: gh workflow enable {first} --repo {name}"),
    )
}

/// Returns where event data becomes part of a script, in the listeners and in what they call.
fn injected(
    subject: &Subject<'_>,
    workflows: &Read<'_>,
    listeners: &[&WorkflowFile],
) -> Option<Finding> {
    let Read { files, repository, .. } = *workflows;
    let mut found: Vec<(&str, Injection)> = Vec::new();
    // What is called gets some inputs from each caller; each is looked at until nothing is new.
    let mut tainted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut waiting: Vec<&WorkflowFile> = listeners.to_vec();
    while let Some(file) = waiting.pop() {
        let Ok(workflow) = &file.workflow else { continue };
        let inputs = tainted.entry(&file.path).or_default().clone();
        for call in workflow.calls(&inputs) {
            let Some(callee) = files.iter().find(|file| file.path == call.path) else { continue };
            let seen = tainted.contains_key(callee.path.as_str());
            let known = tainted.entry(&callee.path).or_default();
            let before = known.len();
            known.extend(call.tainted);
            if !seen || known.len() > before {
                waiting.push(callee);
            }
        }
    }
    for file in files {
        let (Ok(workflow), Some(inputs)) = (&file.workflow, tainted.get(file.path.as_str())) else {
            continue;
        };
        let of_file = workflow.injections(inputs);
        found.extend(of_file.into_iter().map(|injection| (file.path.as_str(), injection)));
    }
    let (path, first) = found.first()?;
    let more = match found.len() - 1 {
        0 => String::new(),
        1 => ", and in one more place".to_owned(),
        many => format!(", and in {many} more places"),
    };
    let Injection { line, .. } = first;
    let [text, expression, variable] = [&first.text, &first.expression, &first.variable]
        .map(|written| (subject.redacted)(written.clone()));
    let name = &repository.name;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let help = if first.expression.starts_with("env.") {
        format!("the variable is there already: write \"${variable}\" in the script")
    } else if expression.chars().all(plain) {
        format!(
            "hand it over as data: under the step, `env: {variable}: ${{{{ {expression} }}}}`, and in \
             the script \"${variable}\""
        )
    } else {
        "read it in the script from the event's file, $GITHUB_EVENT_PATH, or hand over one value of \
         it through `env:`"
            .to_owned()
    };
    Some(Finding::new(
        format!(
            "{path}:{line} of {name} lets whoever sends the event write its script: {text}{more}"
        ),
        help,
    ))
}
