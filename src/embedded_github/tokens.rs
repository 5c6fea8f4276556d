//! Tokens: of which kind each is, which repositories it may read, write and administer, and what
//! stands in its way. The secret itself is the model's key to a token and no part of it, so a token
//! can be shown and logged.
//!
//! A classic token is two things: the role that its owner has in a repository, and the scopes that
//! it was given. It may do what both allow; the `permissions` of a repository show the role only.
//! For the newer kinds the role and the permission are told apart in one point: an admin's
//! fine-grained token does not write contents unless it was given that.

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

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Only(known) if known.is_empty())
    }

    fn add(&mut self, name: &str) {
        if let Self::Only(known) = self {
            known.insert(name.to_ascii_lowercase());
        }
    }
}

/// What a token may do. Every token may read public repositories, contents and all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    kind: TokenKind,
    label: Option<String>,
    reads: Reach,
    writes: Reach,
    administers: Reach,
    reads_issues: Reach,
    writes_issues: Reach,
    writes_workflows: Reach,
    reads_pulls: Reach,
    writes_pulls: Reach,
    /// Whose contents it may not read.
    sealed: Reach,
    /// Whose workflows and runs it may not read.
    no_actions: Reach,
    /// The scopes that were said.
    scopes: Option<Vec<String>>,
    /// The owners, lower case, whose single sign-on it has not passed.
    unauthorized: BTreeSet<String>,
}

/// What `permissions` shows of the role in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) admin: bool,
    pub(super) push: bool,
}

impl Token {
    fn of_kind(kind: TokenKind) -> Self {
        let nothing = || Reach::Only(BTreeSet::new());
        Self {
            kind,
            label: None,
            reads: nothing(),
            writes: nothing(),
            administers: nothing(),
            reads_issues: nothing(),
            writes_issues: nothing(),
            writes_workflows: nothing(),
            reads_pulls: nothing(),
            writes_pulls: nothing(),
            sealed: nothing(),
            no_actions: nothing(),
            scopes: None,
            unauthorized: BTreeSet::new(),
        }
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

    /// Lets a token of the newer kinds read the issues of a private repository (`issues=read`). A
    /// classic token reads them wherever it may read.
    #[must_use]
    pub fn may_read_issues(mut self, repository: &str) -> Self {
        self.reads_issues.add(repository);
        self.may_read(repository)
    }

    /// Lets a token of the newer kinds read and write issues (`issues=write`). A classic token
    /// writes them wherever it may read and has the scope.
    #[must_use]
    pub fn may_write_issues(mut self, repository: &str) -> Self {
        self.writes_issues.add(repository);
        self.may_read_issues(repository)
    }

    /// Lets a token of the newer kinds read the pull requests of a private repository
    /// (`pull_requests=read`). A classic token reads them wherever it may read.
    #[must_use]
    pub fn may_read_pull_requests(mut self, repository: &str) -> Self {
        self.reads_pulls.add(repository);
        self.may_read(repository)
    }

    /// Lets a token of the newer kinds read and write pull requests (`pull_requests=write`). A
    /// classic token writes them wherever it may write contents.
    #[must_use]
    pub fn may_write_pull_requests(mut self, repository: &str) -> Self {
        self.writes_pulls.add(repository);
        self.may_read_pull_requests(repository)
    }

    /// Lets a token of the newer kinds push workflows (`workflows=write`). A classic token needs
    /// the scope `workflow` for that: [`Token::scopes`].
    #[must_use]
    pub fn may_write_workflows(mut self, repository: &str) -> Self {
        self.writes_workflows.add(repository);
        self.may_read(repository)
    }

    /// Lets the token read every repository and write its contents, issues and pull requests, but
    /// no workflows.
    #[must_use]
    pub fn may_write_everything(mut self) -> Self {
        self.reads = Reach::All;
        self.writes = Reach::All;
        self.reads_issues = Reach::All;
        self.writes_issues = Reach::All;
        self.reads_pulls = Reach::All;
        self.writes_pulls = Reach::All;
        self
    }

    /// Makes the token an admin's of `repository`: it may read it and its Actions settings
    /// (`administration=read`). A classic token may also write; one of the newer kinds only what
    /// [`Token::may_write`] says, although `permissions` shows `push`.
    #[must_use]
    pub fn admin_of(mut self, repository: &str) -> Self {
        self.administers.add(repository);
        self.may_read(repository)
    }

    /// Sets the scopes of a classic token, which answers show in `x-oauth-scopes` and which bound
    /// what it may do: without `repo` it sees no private repository and writes to none, with
    /// `public_repo` it may write to public ones. Unless said, a token that may do more than read
    /// what is public has `repo`, and another has none. The newer kinds have no scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = Some(scopes.iter().map(|it| (*it).to_owned()).collect());
        self
    }

    /// Takes contents from a fine-grained or installation token: it sees the metadata of
    /// `repository` but neither its files and branches, when it is private, nor writes them. To a
    /// classic token, which knows no such difference, it does nothing.
    #[must_use]
    pub fn may_not_read_contents(mut self, repository: &str) -> Self {
        self.sealed.add(repository);
        self
    }

    /// Takes Actions from a fine-grained or installation token: it does not see the workflows and
    /// runs of `repository`, when it is private. To a classic token it does nothing.
    #[must_use]
    pub fn may_not_read_actions(mut self, repository: &str) -> Self {
        self.no_actions.add(repository);
        self
    }

    /// Makes `owner` an organization with single sign-on that this token was not authorized for:
    /// it is refused whatever repository of theirs it could see, public ones too.
    #[must_use]
    pub fn needs_sso(mut self, owner: &str) -> Self {
        self.unauthorized.insert(owner.to_ascii_lowercase());
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

    /// Returns the scopes of a classic token.
    pub(super) fn shown_scopes(&self) -> Vec<&str> {
        match &self.scopes {
            Some(scopes) => scopes.iter().map(String::as_str).collect(),
            None if self.reads.is_nothing() => Vec::new(),
            None => vec!["repo"],
        }
    }

    /// Whether the token may read a private repository that goes or went by one of `names`.
    pub(super) fn reads(&self, names: &[&str]) -> bool {
        self.reads.covers(names) && self.has_scope(&["repo"])
    }

    /// Whether the token may read the files of a private repository that it may read.
    pub(super) fn reads_contents(&self, names: &[&str]) -> bool {
        self.kind == TokenKind::Classic || !self.sealed.covers(names)
    }

    /// Whether the token may read the workflows and runs of a private repository that it may read.
    pub(super) fn reads_actions(&self, names: &[&str]) -> bool {
        self.kind == TokenKind::Classic || !self.no_actions.covers(names)
    }

    /// Whether the token may write to a repository, which it sees, that goes or went by one of
    /// `names`.
    pub(super) fn writes(&self, names: &[&str]) -> bool {
        if self.kind == TokenKind::Classic {
            self.role(names).push && self.has_scope(&["repo", "public_repo"])
        } else {
            self.writes.covers(names) && !self.sealed.covers(names)
        }
    }

    /// Whether the token may read the issues of a private repository that it may read.
    pub(super) fn reads_issues(&self, names: &[&str]) -> bool {
        self.kind == TokenKind::Classic || self.reads_issues.covers(names)
    }

    /// Whether the token may write issues in a repository that it sees: a classic token anywhere,
    /// as anybody may.
    pub(super) fn writes_issues(&self, names: &[&str]) -> bool {
        match self.kind {
            TokenKind::Classic => self.has_scope(&["repo", "public_repo"]),
            _ => self.writes_issues.covers(names),
        }
    }

    /// Whether the token may read the pull requests of a private repository that it may read.
    pub(super) fn reads_pull_requests(&self, names: &[&str]) -> bool {
        self.kind == TokenKind::Classic || self.reads_pulls.covers(names)
    }

    /// Whether the token may open and change pull requests in a repository that it sees.
    pub(super) fn writes_pull_requests(&self, names: &[&str]) -> bool {
        match self.kind {
            TokenKind::Classic => self.writes(names),
            _ => self.writes_pulls.covers(names),
        }
    }

    /// Whether the token may write what issues and pull requests have in common: comments and
    /// labels. Either permission will do.
    pub(super) fn writes_conversations(&self, names: &[&str]) -> bool {
        self.writes_issues(names) || self.writes_pull_requests(names)
    }

    /// Whether the token may read what issues and pull requests have in common.
    pub(super) fn reads_conversations(&self, names: &[&str]) -> bool {
        self.reads_issues(names) || self.reads_pull_requests(names)
    }

    /// Whether the token may push workflows to a repository that it may write to.
    pub(super) fn writes_workflows(&self, names: &[&str]) -> bool {
        match self.kind {
            TokenKind::Classic => self.has_scope(&["workflow"]),
            _ => self.writes_workflows.covers(names),
        }
    }

    /// Whether the token may read the settings of a repository that goes or went by one of `names`.
    pub(super) fn administers(&self, names: &[&str]) -> bool {
        self.administers.covers(names) && self.has_scope(&["repo"])
    }

    /// Returns the role in a repository that goes or went by one of `names`: that of the token's
    /// owner, which an App's installation has none of, whatever it was granted. Source: the
    /// verification of semantic-release/github ("`push` will always be false").
    pub(super) fn role(&self, names: &[&str]) -> Role {
        if matches!(self.kind, TokenKind::Installation | TokenKind::BuiltIn) {
            return Role { admin: false, push: false };
        }
        let admin = self.administers.covers(names);
        Role { admin, push: admin || self.writes.covers(names) }
    }

    /// Whether `owner` asks for single sign-on first.
    pub(super) fn lacks_sso(&self, owner: &str) -> bool {
        self.unauthorized.contains(&owner.to_ascii_lowercase())
    }

    fn has_scope(&self, enough: &[&str]) -> bool {
        self.kind != TokenKind::Classic
            || self.shown_scopes().iter().any(|scope| enough.contains(scope))
    }
}
