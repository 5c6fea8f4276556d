//! Many globs matched as one. How many go into one set is decided by measurement; a set that is too
//! large for one automaton is halved until each half is not. A glob is matched against what a path
//! has below the glob's directory, so that directories with the same globs share their automata:
//! building one costs as much as thousands of searches.

use std::collections::HashMap;
use std::sync::Arc;

use globset::{Candidate, GlobSet, GlobSetBuilder};

use super::TooComplex;
use crate::routing::pattern::compile;

/// How many globs are matched as one. Each set costs a search for each path, so few are better; but
/// a set can be too much for the regex engine. 1,000 globs that may match anywhere took 0.5 s in
/// sets of 50, 0.45 to 0.65 s of 100, 0.6 s of 250, 1 s of 500, and in a single set more than a
/// minute and 1 GiB (`benches/routing.rs`): 100 is fast and far from there.
const GLOBS_IN_A_SET: usize = 100;

/// How many built chunks are kept for others that hold the same globs; each may take some 100 KB.
const KEPT_CHUNKS: usize = 100;

/// Globs of one directory that are matched against the same paths, each with the number that stands
/// for it.
#[derive(Debug, Default)]
pub(crate) struct GlobGroup {
    chunks: Vec<(Arc<Chunk>, Vec<usize>)>,
}

/// Sets that are to be searched one by one, each with how many globs stand before it.
type Chunk = Vec<(usize, GlobSet)>;

/// The chunks that were built last.
#[derive(Debug, Default)]
pub(crate) struct GlobCache {
    chunks: HashMap<Vec<String>, Arc<Chunk>>,
}

impl GlobCache {
    /// Returns the group of the globs, each given with its number.
    ///
    /// # Errors
    /// [`TooComplex`] when a single glob is more than the regex engine takes.
    pub(crate) fn group<S: AsRef<str>>(
        &mut self,
        globs: &[(usize, S)],
    ) -> Result<GlobGroup, TooComplex> {
        let mut sorted: Vec<(&str, usize)> =
            globs.iter().map(|(number, glob)| (glob.as_ref(), *number)).collect();
        sorted.sort_unstable();
        let mut group = GlobGroup::default();
        for part in sorted.chunks(GLOBS_IN_A_SET) {
            let numbers = part.iter().map(|(_, number)| *number).collect();
            group.chunks.push((self.chunk(part)?, numbers));
        }
        Ok(group)
    }

    fn chunk(&mut self, part: &[(&str, usize)]) -> Result<Arc<Chunk>, TooComplex> {
        let globs: Vec<String> = part.iter().map(|(glob, _)| (*glob).to_owned()).collect();
        if let Some(chunk) = self.chunks.get(&globs) {
            return Ok(Arc::clone(chunk));
        }
        if self.chunks.len() >= KEPT_CHUNKS {
            self.chunks.clear();
        }
        let mut chunk = Chunk::new();
        build(&globs, 0, &mut chunk)?;
        let chunk = Arc::new(chunk);
        self.chunks.insert(globs, Arc::clone(&chunk));
        Ok(chunk)
    }
}

fn build(globs: &[String], before: usize, chunk: &mut Chunk) -> Result<(), TooComplex> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        let too_complex = |source| TooComplex { pattern: glob.clone(), source };
        builder.add(compile(glob).map_err(too_complex)?);
    }
    match (builder.build(), globs) {
        (Ok(set), _) => {
            chunk.push((before, set));
            Ok(())
        }
        (Err(source), [glob]) => Err(TooComplex { pattern: glob.clone(), source }),
        // Together they are too large for one automaton; in halves they may not be.
        (Err(_), _) => {
            let (left, right) = globs.split_at(globs.len() / 2);
            build(left, before, chunk)?;
            build(right, before + left.len(), chunk)
        }
    }
}

impl GlobGroup {
    /// Calls `found` with the number of each glob that matches what a path has below the group's
    /// directory; `buffer` is reused from search to search.
    pub(crate) fn matches(
        &self,
        below: &Candidate<'_>,
        buffer: &mut Vec<usize>,
        mut found: impl FnMut(usize),
    ) {
        for (chunk, numbers) in &self.chunks {
            for (before, set) in chunk.iter() {
                set.matches_candidate_into(below, buffer);
                buffer.iter().filter_map(|at| numbers.get(before + at)).for_each(|n| found(*n));
            }
        }
    }
}
