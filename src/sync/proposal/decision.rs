//! What is to be done about a pull request: one pure function, of what stands and what is wanted.

use super::listing::Pull;

/// What there is for a branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The one that is open.
    pub open: Option<Pull>,
    /// The newest that is not, when it was closed by a person and not merged.
    pub closed: Option<Pull>,
    /// The commit that the newest brought in, when it was merged.
    pub merged: Option<String>,
}

/// What a sync has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The tree of what is proposed, as in [`Marker`](super::Marker).
    pub tree: &'a str,
    /// Whether a person must decide something in it.
    pub conflicts: bool,
    /// Whether it differs from what the cousin has.
    pub differs: bool,
}

/// What is to be done; the numbers are those of pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// One is to be opened, as a draft when there are conflicts.
    Open {
        /// Whether as a draft.
        draft: bool,
    },
    /// The open one is to say what it now proposes.
    Update(u64),
    /// The open one is to be closed, and a draft opened instead: the REST API makes none of it.
    ReplaceByDraft(u64),
    /// The open one proposes nothing any more.
    Close(u64),
    /// A person has closed one that proposed the same: it is left at that until the content changes.
    Snoozed(u64),
    /// Nothing.
    Nothing,
}

/// Returns what is to be done.
#[must_use]
pub fn decide(standing: &Standing, wanted: &Wanted<'_>) -> Action {
    match (&standing.open, &standing.closed) {
        (Some(open), _) if !wanted.differs => Action::Close(open.number),
        (Some(open), _) if wanted.conflicts && !open.draft => Action::ReplaceByDraft(open.number),
        (Some(open), _) => Action::Update(open.number),
        (None, _) if !wanted.differs => Action::Nothing,
        (None, Some(closed)) if closed.proposed(wanted.tree) => Action::Snoozed(closed.number),
        (None, _) => Action::Open { draft: wanted.conflicts },
    }
}
