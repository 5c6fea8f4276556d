//! A directory as git stores it, flattened: each file, symbolic link and submodule below it by its
//! path. Merging, copying and proving compare such maps; how they are read from trees and written
//! as trees is the business of [`super::workshop`]. Plain data: nothing here reads an object.

use std::collections::BTreeMap;

/// The id of an object: 20 bytes, shown as 40 hexadecimal digits.
pub type ObjectId = git2::Oid;

/// What an entry of a tree is. git stores no other modes; the historic `100664` is read as
/// [`Mode::File`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `100644`.
    File,
    /// `100755`.
    Executable,
    /// `120000`: the blob holds the target.
    Symlink,
    /// `160000`: the id is a commit of another repository, which is never fetched.
    Submodule,
}

impl Mode {
    /// Returns the mode as a tree holds it.
    #[must_use]
    pub fn raw(self) -> u32 {
        match self {
            Self::File => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Symlink => 0o120_000,
            Self::Submodule => 0o160_000,
        }
    }

    /// Returns the mode that a tree holds; none for a directory and for what git does not write.
    #[must_use]
    pub fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            0o100_644 | 0o100_664 => Some(Self::File),
            0o100_755 => Some(Self::Executable),
            0o120_000 => Some(Self::Symlink),
            0o160_000 => Some(Self::Submodule),
            _ => None,
        }
    }

    /// Returns whether the id is that of a blob with a file's content.
    #[must_use]
    pub fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }
}

/// One file, symbolic link or submodule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// What it is.
    pub mode: Mode,
    /// Its blob, or a submodule's commit.
    pub id: ObjectId,
}

/// Everything below a directory, by its path from there: bytes, with `/` between the parts.
///
/// The empty path stands for the thing itself, where that is no directory but a file, a symbolic
/// link or a submodule; then it is the only one. A directory that is not there has no entries: git
/// knows no empty directories.
pub type Files = BTreeMap<Vec<u8>, Entry>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_is_read_as_it_is_written() {
        for mode in [Mode::File, Mode::Executable, Mode::Symlink, Mode::Submodule] {
            assert_eq!(Mode::from_raw(mode.raw()), Some(mode));
        }
        assert_eq!(Mode::from_raw(0o100_664), Some(Mode::File));
        assert_eq!((Mode::from_raw(0o40_000), Mode::from_raw(0)), (None, None));
    }
}
