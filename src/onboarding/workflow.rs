//! A workflow file of GitHub Actions, as far as a dispatch is concerned: what it listens to, and
//! where it lets an event write its scripts. It takes text and does no I/O, and it checks no
//! workflow: of what GitHub would refuse it refuses only what keeps it from answering these two
//! questions, so that somebody's odd key is not reported as our finding.
//!
//! The text is hostile until read. `yaml` bounds what it comes to, `source` knows its lines,
//! `triggers` its `on`, `expression` the language between `${{` and `}}`, `taint` which values
//! the sender chooses, `scripts` where they end up.

mod expression;
mod scripts;
mod source;
mod taint;
mod triggers;
mod yaml;

use std::collections::BTreeSet;

use source::Source;
use yaml::Tree;

/// Why a file cannot be read, or why GitHub would not read it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct BadWorkflow {
    /// What is wrong, in lower case, fit to be shown on one line.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
}

/// Which `repository_dispatch` events start a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listens {
    /// None: `on` does not hold `repository_dispatch`.
    No,
    /// All: `types` is absent, null or an empty list. "By default, all `repository_dispatch`
    /// activity types trigger a workflow to run", says GitHub's page "Events that trigger
    /// workflows". That an empty list limits nothing either is what GitHub was seen to do with
    /// `issues`, `issue_comment` and `merge_group` (buildkite/buildkite-gha, pulls 452 and 475).
    Every,
    /// Those of one of these types.
    Types(Vec<String>),
}

impl Listens {
    /// Returns whether an event of the type starts the workflow. Types are compared letter by
    /// letter; GitHub documents no patterns for them.
    #[must_use]
    pub fn hears(&self, event_type: &str) -> bool {
        match self {
            Self::No => false,
            Self::Every => true,
            Self::Types(types) => types.iter().any(|one| one == event_type),
        }
    }
}

/// A place where event data becomes part of a script. The texts are fit to be shown on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The line of the `${{`, from 1.
    pub line: usize,
    /// That line, without the space around it, of at most 160 characters.
    pub text: String,
    /// What stands between `${{` and `}}`, of at most 160 characters.
    pub expression: String,
    /// A name for the environment variable through which a script would be given the value; for a
    /// variable that is there already, its name.
    pub variable: String,
}

/// A job that runs another workflow of the same repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The called file, as `.github/workflows/NAME`. What others wrote: to be made fit to be shown.
    pub path: String,
    /// The line of the path, from 1.
    pub line: usize,
    /// The names, in lower case, of the inputs that carry event data.
    pub tainted: BTreeSet<String>,
}

/// A workflow file that could be read.
#[derive(Debug, Clone)]
pub struct Workflow {
    source: Source,
    tree: Tree,
    dispatches: Listens,
}

impl Workflow {
    /// Reads a workflow file: YAML 1.2, as GitHub has it, with aliases and without merge keys
    /// (a `<<` is a key like any other). A byte order mark at the start is skipped.
    ///
    /// # Errors
    /// With the line: what is not YAML; what is not one document that is a mapping; a key twice in
    /// a mapping, without regard to case; an alias inside of what it stands for; more than 1 MiB,
    /// or than GitHub's limits with all aliases written out; `types` that are not names.
    pub fn parse(text: &str) -> Result<Self, BadWorkflow> {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Source::new(body);
        let tree = Tree::load(&source, body)?;
        let root = tree.root();
        let dispatches = root.map(|root| triggers::dispatches(&source, root)).transpose()?;
        Ok(Self { dispatches: dispatches.unwrap_or(Listens::No), source, tree })
    }

    /// Returns which `repository_dispatch` events start it.
    #[must_use]
    pub const fn dispatches(&self) -> &Listens {
        &self.dispatches
    }

    /// Returns every `${{ }}` of a script (`run`, and the `script` of `actions/github-script`)
    /// through which the sender of an event writes part of that script, in the order of the file.
    /// `tainted_inputs` are the inputs, in lower case, that callers fill with event data.
    ///
    /// An expression of which only a yes or no comes out is none. One that GitHub cannot read is
    /// none either: GitHub does not run such a file.
    #[must_use]
    pub fn injections(&self, tainted_inputs: &BTreeSet<String>) -> Vec<Injection> {
        self.tree
            .root()
            .map_or_else(Vec::new, |root| scripts::injections(&self.source, root, tainted_inputs))
    }

    /// Returns the workflows of the same repository that its jobs call
    /// (`uses: ./.github/workflows/NAME`), in the order of the file, each with the inputs that
    /// carry event data on. `tainted_inputs` is as in [`Workflow::injections`].
    #[must_use]
    pub fn calls(&self, tainted_inputs: &BTreeSet<String>) -> Vec<Call> {
        self.tree
            .root()
            .map_or_else(Vec::new, |root| scripts::calls(&self.source, root, tainted_inputs))
    }
}

#[cfg(test)]
mod tests;
