//! Which values the sender of an event chooses. Of a `repository_dispatch` these are the event
//! type (`github.event.action`) and the whole of `github.event.client_payload`
//! (docs.github.com/rest/repos/repos#create-a-repository-dispatch-event). What GitHub itself puts
//! beside them the sender cannot choose: `repository`, `organization`, `sender`, `installation`
//! and `branch` (the default branch), as little as `github.event_name`, `github.event_path` or
//! `github.sha`. What other events bring along, such as the title of an issue, is not there.
//!
//! From there it follows variables of `env`, inputs of a reusable workflow and the values of a
//! matrix. Outputs of steps and jobs are left out: what a step writes there is up to its script.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::{self, Expression, Reference, Step};
use super::yaml::View;

/// The ways into `github` that end at what the sender chooses.
const CHOSEN: [[&str; 2]; 2] = [["event", "client_payload"], ["event", "action"]];

/// The variables that one `env` sets.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// By name in lower case: the name as written, and whether it carries event data.
    named: BTreeMap<String, (String, bool)>,
    /// Whether any of these does.
    some: bool,
    /// Whether event data chooses the names as well.
    any: bool,
}

/// What is known to carry event data in some part of a workflow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'k> {
    /// Inputs of the workflow, in lower case.
    pub(super) inputs: &'k BTreeSet<String>,
    /// The variables of the step, the job and the workflow, the nearest first.
    pub(super) variables: &'k [&'k Variables],
    /// Whether any value of the job's matrix does.
    pub(super) matrix: bool,
}

impl Known<'_> {
    /// Returns the name of a variable that would suit what an expression takes from the event, or
    /// nothing where it takes nothing from there.
    pub(super) fn taint(&self, expression: &Expression) -> Option<String> {
        match expression {
            Expression::Constant => None,
            Expression::Reference(reference) => self.reference(reference),
            Expression::Of(parts) => parts.iter().find_map(|part| self.taint(part)),
        }
    }

    /// Returns whether a text has an expression that takes something from the event.
    pub(super) fn taints(&self, text: &str) -> bool {
        expression::fenced(text)
            .iter()
            .filter_map(|fenced| expression::parse(fenced.text))
            .any(|expression| self.taint(&expression).is_some())
    }

    /// Returns whether a node or anything below it does; keys aside.
    pub(super) fn taints_below(&self, node: View<'_>) -> bool {
        let mut rest = vec![node];
        while let Some(node) = rest.pop() {
            if node.scalar().is_some_and(|scalar| self.taints(&scalar.text)) {
                return true;
            }
            rest.extend(node.children());
        }
        false
    }

    /// Returns the variables that an `env` sets, of which some may take from others further out.
    pub(super) fn variables(&self, env: Option<View<'_>>) -> Variables {
        let mut variables = Variables::default();
        let Some(env) = env else { return variables };
        if let Some(whole) = env.scalar() {
            variables.any = self.taints(&whole.text);
        }
        for (key, value) in env.entries().into_iter().flatten() {
            let tainted = self.taints_below(value);
            if key.text.contains("${{") {
                variables.any |= tainted;
            } else {
                variables.some |= tainted;
                let folded = key.text.to_lowercase();
                variables.named.insert(folded, (key.text.clone(), tainted));
            }
        }
        variables
    }

    fn reference(&self, reference: &Reference) -> Option<String> {
        let path = &reference.path;
        let last = path.iter().rev().find_map(|step| match step {
            Step::Named(name) => Some(name.as_str()),
            Step::Any => None,
        });
        match reference.context.as_str() {
            "github" => CHOSEN.iter().any(|chosen| leads_to(path, chosen)).then(|| {
                if path.len() == 2 && last.is_some_and(|name| name.eq_ignore_ascii_case("action")) {
                    return "EVENT_TYPE".to_owned();
                }
                variable(last.unwrap_or("event"))
            }),
            "env" => match path.first() {
                Some(Step::Named(name)) => self.variable_is_tainted(name).then(|| name.clone()),
                _ => self.any_variable().then(|| "ENVIRONMENT".to_owned()),
            },
            "inputs" => match path.first() {
                Some(Step::Named(name)) => {
                    self.inputs.contains(&name.to_lowercase()).then(|| variable(name))
                }
                _ => (!self.inputs.is_empty()).then(|| "INPUTS".to_owned()),
            },
            "matrix" => self.matrix.then(|| variable(last.unwrap_or("matrix"))),
            _ => None,
        }
    }

    /// Returns whether `env.name` carries event data. GitHub looks a name up without regard to
    /// case where the runner's system has none, and with it elsewhere; so a variable nearer by hides
    /// only the one of the very same name.
    fn variable_is_tainted(&self, name: &str) -> bool {
        let folded = name.to_lowercase();
        let mut hidden = BTreeSet::new();
        for variables in self.variables {
            match variables.named.get(&folded) {
                Some((written, true)) if !hidden.contains(written) => return true,
                Some((written, _)) => {
                    hidden.insert(written);
                }
                None if variables.any && hidden.is_empty() => return true,
                None => {}
            }
        }
        false
    }

    fn any_variable(&self) -> bool {
        self.variables.iter().any(|variables| variables.any || variables.some)
    }
}

/// Returns whether a way into a context ends at `chosen`, above it or below it.
fn leads_to(path: &[Step], chosen: &[&str]) -> bool {
    path.iter().zip(chosen).all(|(step, name)| match step {
        Step::Named(written) => written.eq_ignore_ascii_case(name),
        Step::Any => true,
    })
}

/// Returns a name for an environment variable that holds what a property of this name does, in
/// upper case, and none of those that shells and runners go by: to set `PATH` from an event would
/// be no remedy.
fn variable(name: &str) -> String {
    const TAKEN: [&str; 17] = [
        "CI", "EDITOR", "ENV", "GROUPS", "HOME", "HOSTNAME", "IFS", "LANG", "OPTIONS", "PATH",
        "PROMPT", "PWD", "SHELL", "TERM", "TMPDIR", "UID", "USER",
    ];
    const TAKEN_PREFIXES: [&str; 12] = [
        "ACTIONS_", "BASH", "DYLD_", "GIT_", "GITHUB_", "LC_", "LD_", "NODE_", "PERL", "PS",
        "PYTHON", "RUNNER_",
    ];
    let plain: String = name
        .chars()
        .take(60)
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    let begins_well = plain.starts_with(|c: char| c.is_ascii_uppercase());
    let taken = TAKEN.contains(&plain.as_str())
        || TAKEN_PREFIXES.iter().any(|prefix| plain.starts_with(prefix));
    if begins_well && !taken { plain } else { format!("EVENT_{}", plain.trim_start_matches('_')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_name_is_one_that_a_shell_takes_and_does_not_go_by() {
        for (name, suggested) in [
            ("updated_feature", "UPDATED_FEATURE"),
            ("commit-sha", "COMMIT_SHA"),
            ("path", "EVENT_PATH"),
            ("LD_preload", "EVENT_LD_PRELOAD"),
            ("github_token", "EVENT_GITHUB_TOKEN"),
            ("1st", "EVENT_1ST"),
            ("_x", "EVENT_X"),
            ("naïve x", "NA_VE_X"),
            ("", "EVENT_"),
        ] {
            assert_eq!(variable(name), suggested, "{name}");
        }
        assert_eq!(variable(&"x".repeat(500)).len(), 60);
    }
}
