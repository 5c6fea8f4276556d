//! What differs between two commits of a repository of the rehearsal: which paths, how many lines of
//! each, and the beginning of the diff, for people. Bytes are handed on as they are: who shows them
//! makes them fit to be shown.

use git2::{Delta, DiffLineType, DiffOptions, Patch};

use super::cousin::Bare;
use crate::git::GitError;

/// Of more files than these no lines are counted and none are shown: that would take too long.
const MAX_FILES: usize = 500;

/// A longer file, in bytes, counts as binary: nobody reads it here.
const MAX_BYTES: i64 = 10 * 1024 * 1024;

/// How many lines around a change are shown.
const CONTEXT: u32 = 1;

/// What differs.
#[derive(Debug, Default)]
pub struct Difference {
    /// Each file, by its path.
    pub files: Vec<FileChange>,
    /// The first lines of the diff.
    pub lines: Vec<Line>,
    /// How many more lines it has.
    pub more: usize,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path; its new one where it was renamed.
    pub path: Vec<u8>,
    /// The path that it had, where it was renamed.
    pub from: Option<Vec<u8>>,
    /// What changes in it.
    pub lines: Lines,
}

/// How much changes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// So many lines are new, and so many gone.
    Counted(usize, usize),
    /// It has no lines.
    Binary,
    /// There are too many files to count.
    Uncounted,
}

/// A line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// Its text without the line's end, and with the sign before it.
    pub text: Vec<u8>,
}

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Which file it is about.
    File,
    /// Which lines it is about.
    Hunk,
    /// A new line.
    Added,
    /// A line that is gone.
    Removed,
    /// A line around the change, or a remark.
    Context,
}

impl Bare {
    /// Returns what differs between two commits, with at most so many lines of the diff; those of
    /// the file `unshown` are left out.
    ///
    /// # Errors
    /// [`GitError`] when an object cannot be read.
    pub fn difference(
        &self,
        (from, to): (&str, &str),
        most: usize,
        unshown: &[u8],
    ) -> Result<Difference, GitError> {
        let (before, after) = (self.tree(from)?, self.tree(to)?);
        let mut options = DiffOptions::new();
        options.context_lines(CONTEXT).max_size(MAX_BYTES);
        let repository = self.repository();
        let mut diff =
            repository.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options))?;
        let count = diff.deltas().len();
        if count <= MAX_FILES {
            diff.find_similar(None)?;
        }
        let mut difference = Difference::default();
        for (at, delta) in diff.deltas().enumerate() {
            let path = |file: git2::DiffFile<'_>| file.path_bytes().unwrap_or_default().to_vec();
            let renamed = delta.status() == Delta::Renamed;
            let (old, new) = (path(delta.old_file()), path(delta.new_file()));
            let mut lines = Lines::Uncounted;
            if count <= MAX_FILES
                && let Some(mut patch) = Patch::from_diff(&diff, at)?
            {
                let (_, added, removed) = patch.line_stats()?;
                let is_binary = patch.delta().flags().is_binary();
                lines = if is_binary { Lines::Binary } else { Lines::Counted(added, removed) };
                if new != unshown {
                    difference.show(&mut patch, most)?;
                }
            }
            difference.files.push(FileChange { path: new, from: renamed.then_some(old), lines });
        }
        Ok(difference)
    }
}

impl Difference {
    /// Returns every path that differs, by its old and its new name.
    pub fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.files.iter().flat_map(|it| it.from.iter().chain([&it.path])).map(Vec::as_slice)
    }

    fn show(&mut self, patch: &mut Patch<'_>, most: usize) -> Result<(), GitError> {
        patch.print(&mut |_, _, line| {
            let (kind, sign): (LineKind, &[u8]) = match line.origin_value() {
                DiffLineType::FileHeader => (LineKind::File, b""),
                DiffLineType::HunkHeader => (LineKind::Hunk, b""),
                DiffLineType::Addition => (LineKind::Added, b"+"),
                DiffLineType::Deletion => (LineKind::Removed, b"-"),
                DiffLineType::Context => (LineKind::Context, b" "),
                _ => (LineKind::Context, b""),
            };
            let content = line.content();
            let content = content.strip_suffix(b"\n").unwrap_or(content);
            let idle = |text: &&[u8]| sign.is_empty() && is_idle(text);
            for text in content.split(|byte| *byte == b'\n').filter(|text| !idle(text)) {
                if self.lines.len() < most {
                    self.lines.push(Line { kind, text: [sign, text].concat() });
                } else {
                    self.more += 1;
                }
            }
            true
        })?;
        Ok(())
    }
}

/// Whether a line of a file's head tells people nothing: ids, and the names a second time.
fn is_idle(text: &[u8]) -> bool {
    let idle: [&[u8]; 4] = [b"index ", b"similarity index ", b"--- ", b"+++ "];
    text.is_empty() || idle.iter().any(|start| text.starts_with(start))
}
