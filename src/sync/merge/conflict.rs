//! What a merge could not decide, in a form that a person can act on.

use crate::text::shown;

/// A path on which the cousin and upstream disagree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// Where, in the merged directory.
    pub path: Vec<u8>,
    /// What it is about.
    pub kind: ConflictKind,
    /// Whether the file there holds conflict markers.
    pub marked: bool,
}

/// What the two sides disagree on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// Both changed the same lines.
    Content,
    /// Both added a file of this name, with different lines.
    BothAdded,
    /// Both changed a file that is not text; ours stays.
    Binary,
    /// Both changed a file that only names one in Git LFS; ours stays.
    Pointer,
    /// Both changed where a symbolic link leads; ours stays.
    Symlink,
    /// Both moved a submodule to another commit; ours stays.
    Submodule,
    /// It is a different kind of thing on each side; ours stays.
    Kind,
    /// Both added the file, executable on one side only; ours stays.
    Mode,
    /// Changed here, deleted upstream; it stays, with the change.
    DeletedUpstream,
    /// Deleted here, changed upstream; it is back, with the change.
    DeletedHere,
    /// Renamed here, deleted upstream; it stays under the new name.
    RenamedHereDeletedUpstream {
        /// Its name before.
        from: Vec<u8>,
    },
    /// Deleted here, renamed upstream; it is back, under the new name.
    DeletedHereRenamedUpstream {
        /// Its name before.
        from: Vec<u8>,
    },
    /// Renamed on both sides, to different names; both are kept. The path is the name here.
    RenamedApart {
        /// Its name before.
        from: Vec<u8>,
        /// Its name upstream.
        upstream: Vec<u8>,
    },
    /// A file on one side has the name of a directory on the other: ours stays where it is.
    InTheWay {
        /// Where upstream's was put instead; nowhere when the feature itself is that file, for
        /// then there is no place beside it.
        beside: Option<Vec<u8>>,
    },
}

impl Conflict {
    /// Returns one sentence about it, without the path.
    #[must_use]
    pub fn describe(&self) -> String {
        let name = |path: &[u8]| shown(path).into_owned();
        let sentence = match &self.kind {
            ConflictKind::Content => "the same lines were changed here and upstream",
            ConflictKind::BothAdded => "it was added here and upstream, with different content",
            ConflictKind::Binary => {
                "it is no text, and was changed here and upstream; the one of here stays"
            }
            ConflictKind::Pointer => {
                "it names another file in Git LFS here than upstream; the one of here stays"
            }
            ConflictKind::Symlink => {
                "the symbolic link was changed here and upstream; it leads where it led here"
            }
            ConflictKind::Submodule => {
                "the submodule was moved here and upstream; it stays at the commit of here"
            }
            ConflictKind::Kind => {
                "it is another kind of thing here than upstream; what is here stays"
            }
            ConflictKind::Mode => {
                "it was added here and upstream, executable on one side; the mode of here stays"
            }
            ConflictKind::DeletedUpstream => "it was changed here and deleted upstream; it stays",
            ConflictKind::DeletedHere => {
                "it was deleted here and changed upstream; upstream's version is back"
            }
            ConflictKind::RenamedHereDeletedUpstream { from } => {
                return format!(
                    "it was renamed here, from {}, and deleted upstream; it stays",
                    name(from)
                );
            }
            ConflictKind::DeletedHereRenamedUpstream { from } => {
                return format!(
                    "it was deleted here as {}, and renamed upstream; upstream's version is back",
                    name(from)
                );
            }
            ConflictKind::RenamedApart { from, upstream } => {
                return format!(
                    "it was renamed from {} here, and to {} upstream; both are kept",
                    name(from),
                    name(upstream)
                );
            }
            ConflictKind::InTheWay { beside: Some(beside) } => {
                return format!(
                    "a file on one side, a directory on the other; what is here stays, upstream's \
                     is put at {}",
                    name(beside)
                );
            }
            ConflictKind::InTheWay { beside: None } => {
                "the feature is a file on one side and a directory on the other; what is here \
                 stays, and upstream's is left out"
            }
        };
        sentence.to_owned()
    }
}
