//! What a merge asks of the objects: the bytes of a blob, and the merge of three. Where blobs lie
//! and how they are fetched is the business of who implements it; nothing else of a merge does I/O.

use std::collections::BTreeSet;

use crate::git::files::ObjectId;
pub use crate::git::workshop::FileMerge;

/// The blobs that a merge reads and writes.
pub trait Contents {
    /// Why a blob could not be read or written.
    type Error;

    /// Told before they are read which blobs will be, at most twice in a merge, so that what is not
    /// here can be fetched in one go.
    ///
    /// # Errors
    /// When they cannot be had.
    fn prepare(&mut self, blobs: &BTreeSet<ObjectId>) -> Result<(), Self::Error>;

    /// Returns the bytes of a blob.
    ///
    /// # Errors
    /// When it cannot be read.
    fn blob(&mut self, id: ObjectId) -> Result<Vec<u8>, Self::Error>;

    /// Merges the changes from `base` to `theirs` into `ours`, line by line, and writes the result.
    /// Without a base, both were added, and the base is the empty file. The same three must always
    /// give the same blob: the proof asks again.
    ///
    /// # Errors
    /// When one cannot be read, or the result cannot be written.
    fn merge_file(
        &mut self,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<FileMerge, Self::Error>;
}
