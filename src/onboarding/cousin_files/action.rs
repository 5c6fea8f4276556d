//! What a workflow names to run the program: the action, by the commit of a release.

use std::fmt;

use crate::names::CommitSha;

/// The name of the action's repository, whoever owns it.
const NAME: &str = "ecosystem-dispatcher";

/// The action, as a step `uses` it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionRef {
    /// `OWNER/NAME@REF`.
    reference: String,
    /// The version, which stands behind it as a comment.
    version: Option<String>,
    stands_for_another: bool,
}

impl ActionRef {
    /// Returns the action that a text names: `OWNER/NAME@REF`, perhaps with `# VERSION` behind it.
    ///
    /// # Errors
    /// Says what to write instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (reference, version) = match text.split_once(" #") {
            Some((reference, version)) => (reference.trim(), Some(version.trim())),
            None => (text.trim(), None),
        };
        let word = |text: &str| {
            !text.is_empty()
                && text.len() <= 200
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
                && !text.contains("..")
        };
        let (name, at) = reference.split_once('@').unwrap_or_default();
        let is_named = name.split('/').count() >= 2 && name.split('/').all(word);
        if !is_named || name.starts_with('.') || !word(at) {
            return Err("write OWNER/ecosystem-dispatcher@COMMIT, as in `uses:`".to_owned());
        }
        let version = version.filter(|version| word(version)).map(str::to_owned);
        Ok(Self { reference: reference.to_owned(), version, stands_for_another: false })
    }

    /// Returns the action that a workflow of the monorepo uses, where it uses this one: the first
    /// by a commit, else the first.
    pub(crate) fn in_workflow(text: &str) -> Option<Self> {
        let used = text.lines().filter_map(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("- ").map_or(line, str::trim_start);
            Self::parse(line.strip_prefix("uses:")?).ok()
        });
        let is_ours = |it: &Self| {
            let name = it.reference.split_once('@').map(|(name, _)| name);
            name.and_then(|name| name.rsplit_once('/')).is_some_and(|(_, name)| name == NAME)
        };
        let used: Vec<Self> = used.filter(is_ours).collect();
        used.iter().find(|it| it.is_commit()).or(used.first()).cloned()
    }

    /// Returns what stands for the action where it is not known: a person puts the owner and the
    /// commit there.
    pub(crate) fn unknown() -> Self {
        Self {
            reference: format!("OWNER/{NAME}@{}", "0".repeat(40)),
            version: Some(concat!("v", env!("CARGO_PKG_VERSION")).to_owned()),
            stands_for_another: true,
        }
    }

    /// Returns whether it is a commit's, which nobody can move.
    pub(crate) fn is_commit(&self) -> bool {
        let at = self.reference.split_once('@').map(|(_, at)| at);
        at.is_some_and(|at| CommitSha::parse(at).is_ok())
    }

    /// Returns whether nobody knows yet which action it is.
    pub(crate) fn stands_for_another(&self) -> bool {
        self.stands_for_another
    }

    /// Returns what is to be said of it before anybody relies on it.
    pub(crate) fn warning(&self) -> Option<String> {
        if self.stands_for_another {
            return Some(format!(
                "the workflow uses {}: put the owner of the action and the commit of a release there, \
                 or name them with --action OWNER/{NAME}@COMMIT",
                self.reference
            ));
        }
        (!self.is_commit()).then(|| {
            format!(
                "{} can be moved to other code: name the action by a commit with --action",
                self.reference
            )
        })
    }
}

impl fmt::Display for ActionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reference)?;
        self.version.iter().try_for_each(|version| write!(f, " # {version}"))
    }
}
