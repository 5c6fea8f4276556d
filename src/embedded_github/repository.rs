//! A repository as far as dispatching is concerned: what it is called now, what it was called, and
//! whether it can be seen and written. Who may do so is the tokens' matter.

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The number that stays when the name changes.
    pub id: u64,
    /// The current `owner/name`.
    pub full_name: String,
    /// The names that it went by, which redirect to it.
    pub former_names: Vec<String>,
    /// Only tokens that may read it see it.
    pub private: bool,
    /// Nothing can be written.
    pub archived: bool,
    /// Taken down by GitHub's staff.
    pub disabled: bool,
    /// The default branch.
    pub default_branch: String,
}

impl Repository {
    pub(super) fn new(full_name: &str) -> Self {
        Self {
            id: 0,
            full_name: full_name.to_owned(),
            former_names: Vec::new(),
            private: false,
            archived: false,
            disabled: false,
            default_branch: "main".to_owned(),
        }
    }

    /// Hides it from tokens that may not read it.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Makes it read-only.
    #[must_use]
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// Takes it down.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.disabled = true;
        self
    }

    /// Gives it another name and keeps the present one as a former name.
    #[must_use]
    pub fn renamed_to(mut self, full_name: &str) -> Self {
        let former = std::mem::replace(&mut self.full_name, full_name.to_owned());
        self.former_names.push(former);
        self
    }

    /// Names its default branch.
    #[must_use]
    pub fn default_branch(mut self, branch: &str) -> Self {
        branch.clone_into(&mut self.default_branch);
        self
    }

    /// Returns the names, lower case, by which a token may have been given access.
    pub(super) fn keys(&self) -> Vec<String> {
        std::iter::once(&self.full_name).chain(&self.former_names).map(|it| key(it)).collect()
    }
}

/// Returns what two names of one repository have in common.
pub(super) fn key(full_name: &str) -> String {
    full_name.to_ascii_lowercase()
}
