//! Tokens: of which kind each is, and which repositories it may read and write. The secret itself
//! is the model's key to a token and no part of it, so a token can be shown and logged.

use std::collections::BTreeSet;

/// The kinds of token that GitHub's answers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A classic personal access token.
    Classic,
    /// A fine-grained personal access token.
    FineGrained,
    /// An installation token of a GitHub App.
    Installation,
    /// The `GITHUB_TOKEN` of a workflow run.
    BuiltIn,
}

/// Which repositories a permission covers, by lower-case `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reach {
    All,
    Only(BTreeSet<String>),
}

impl Reach {
    fn covers(&self, names: &[&str]) -> bool {
        match self {
            Self::All => true,
            Self::Only(known) => names.iter().any(|name| known.contains(*name)),
        }
    }

    fn add(&mut self, name: &str) {
        if let Self::Only(known) = self {
            known.insert(name.to_ascii_lowercase());
        }
    }
}

/// What a token may do. Every token may read public repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    kind: TokenKind,
    label: Option<String>,
    reads: Reach,
    writes: Reach,
}

impl Token {
    fn of_kind(kind: TokenKind) -> Self {
        let nothing = || Reach::Only(BTreeSet::new());
        Self { kind, label: None, reads: nothing(), writes: nothing() }
    }

    /// Returns a classic token that may do everything: what most tests want.
    #[must_use]
    pub fn may_write_all() -> Self {
        Self::classic().may_write_everything()
    }

    /// Returns a classic token that may only read public repositories.
    #[must_use]
    pub fn classic() -> Self {
        Self::of_kind(TokenKind::Classic)
    }

    /// Returns a fine-grained token that may only read public repositories.
    #[must_use]
    pub fn fine_grained() -> Self {
        Self::of_kind(TokenKind::FineGrained)
    }

    /// Returns a GitHub App's installation token that may only read public repositories.
    #[must_use]
    pub fn installation() -> Self {
        Self::of_kind(TokenKind::Installation)
    }

    /// Returns the `GITHUB_TOKEN` of a run in `repository`, with `contents: write` there and no
    /// reach beyond it.
    #[must_use]
    pub fn built_in(repository: &str) -> Self {
        Self::of_kind(TokenKind::BuiltIn).may_write(repository)
    }

    /// Lets the token read `repository`, which matters when it is private.
    #[must_use]
    pub fn may_read(mut self, repository: &str) -> Self {
        self.reads.add(repository);
        self
    }

    /// Lets the token read `repository` and write its contents.
    #[must_use]
    pub fn may_write(mut self, repository: &str) -> Self {
        self.writes.add(repository);
        self.may_read(repository)
    }

    /// Lets the token read every repository and write its contents.
    #[must_use]
    pub fn may_write_everything(mut self) -> Self {
        self.reads = Reach::All;
        self.writes = Reach::All;
        self
    }

    /// Names the token in the log, which else calls it "token 1", "token 2" and so on.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    /// Returns the token's kind.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    pub(super) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Whether the token may read a private repository that goes or went by one of `names`.
    pub(super) fn reads(&self, names: &[&str]) -> bool {
        self.reads.covers(names)
    }

    /// Whether the token may write to a repository that goes or went by one of `names`.
    pub(super) fn writes(&self, names: &[&str]) -> bool {
        self.writes.covers(names)
    }
}
