//! The content of both sides of a merge. Which of them a blob is of decides who is asked for it when
//! it is not here: the source is never asked for what is the cousin's, which it need not have.

use std::collections::BTreeSet;

use super::Bench;
use crate::git::files::{Files, Mode, ObjectId};
use crate::git::workshop::FileMerge;
use crate::sync::merge::Contents;
use crate::sync::outcome::Trouble;

/// What both sides hold: a clone may lack blobs of its own, which only its origin has, and all others
/// are upstream's.
pub(in crate::sync) struct Both<'x, 'w, 'b> {
    bench: &'x mut Bench<'w, 'b>,
    own: BTreeSet<ObjectId>,
}

impl<'x, 'w, 'b> Both<'x, 'w, 'b> {
    pub(in crate::sync) fn new(bench: &'x mut Bench<'w, 'b>, ours: &Files) -> Self {
        let own = ours.values().filter(|entry| entry.mode != Mode::Submodule);
        Self { bench, own: own.map(|entry| entry.id).collect() }
    }
}

impl Contents for Both<'_, '_, '_> {
    type Error = Trouble;

    fn blob(&mut self, id: ObjectId) -> Result<Vec<u8>, Trouble> {
        Ok(self.bench.workshop.blob(id)?)
    }

    fn merge_file(
        &mut self,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<FileMerge, Trouble> {
        Ok(self.bench.workshop.merge_file(base, ours, theirs, ("ours", "base", "upstream"))?)
    }

    fn prepare(&mut self, blobs: &BTreeSet<ObjectId>) -> Result<(), Trouble> {
        let (own, others) = blobs.iter().copied().partition(|id| self.own.contains(id));
        self.bench.workshop.bring_own_blobs(&own)?;
        Ok(self.bench.upstream.bring_blobs(&others)?)
    }
}
