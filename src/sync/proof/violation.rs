//! What a proof finds wrong.

use std::fmt;

use crate::text::shown;

/// Something that a result holds and should not, or should and does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where.
    pub path: Vec<u8>,
    /// What.
    pub fault: Fault,
}

/// What is wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It should be there.
    Missing,
    /// It should not be there.
    Unexpected,
    /// Its content is not what the two sides make of it.
    Content,
    /// Its mode is not what the two sides make of it.
    Mode,
    /// It is to be preserved and is not what it was.
    Preserved,
    /// It is a file and a directory.
    TwoKinds,
    /// The sides disagree on it, and that is not listed.
    Unlisted,
    /// It is listed as a conflict, and the sides do not disagree in that way.
    Unfounded,
    /// Its content was merged cleanly, and it holds conflict markers.
    MarkerLeft,
    /// It is listed as a conflict with markers, and has none.
    MarkerMissing,
    /// Its content was merged, and a line that one side added, or both kept, is gone.
    LineLost,
    /// Its content was merged cleanly, and it has a line that neither side has.
    LineInvented,
    /// It is said to be the new name of a renamed file, and is not.
    RenameUntrue,
    /// It is said to have been moved aside, and had no reason to be.
    MoveUntrue,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Missing => "should be there and is not",
            Fault::Unexpected => "is there and should not be",
            Fault::Content => "has a content that the two sides do not make",
            Fault::Mode => "has a mode that the two sides do not make",
            Fault::Preserved => "is to be preserved and was touched",
            Fault::TwoKinds => "is a file and a directory at once",
            Fault::Unlisted => "is a conflict that is not listed",
            Fault::Unfounded => "is listed as a conflict and is none of that kind",
            Fault::MarkerLeft => "holds conflict markers and is not listed as a conflict",
            Fault::MarkerMissing => "is listed as a conflict with markers and has none",
            Fault::LineLost => "has lost a line in merging",
            Fault::LineInvented => "has a line that neither side has",
            Fault::RenameUntrue => "is not the new name of the file that it is said to be",
            Fault::MoveUntrue => "was moved aside without a reason",
        };
        let path = if self.path.is_empty() { "the feature".into() } else { shown(&self.path) };
        write!(f, "{path} {fault}")
    }
}
