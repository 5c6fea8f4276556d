//! Three-way merge of one file's content, by libgit2 on blobs. No driver, filter or attribute of a
//! repository has a say: what merges is the same everywhere.

use git2::{MergeFileInput, MergeFileOptions, merge_file};

use super::{GitError, ObjectId, Workshop};

/// What came of merging a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileMerge {
    /// Both sides' changes fit together.
    Clean {
        /// The merged blob.
        id: ObjectId,
    },
    /// Both sides changed the same lines.
    Conflict {
        /// A blob in which they stand between markers.
        id: ObjectId,
    },
    /// The content is no text, or a pointer to what is no text: nothing was written.
    Binary,
}

/// How far into a file a NUL makes it binary, in bytes. Source: git's `buffer_is_binary`.
const LOOKED_AT: usize = 8000;

/// How a pointer of Git LFS begins: merged, it would point nowhere.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

impl Workshop {
    /// Merges the content of a file; without a base both sides added it. The labels stand at the
    /// markers: of ours, the base and theirs.
    ///
    /// # Errors
    /// [`GitError`] when a blob cannot be had or written.
    pub fn merge_file(
        &self,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
        (our_label, base_label, their_label): (&str, &str, &str),
    ) -> Result<FileMerge, GitError> {
        let base = base.map_or_else(|| Ok(Vec::new()), |base| self.blob(base))?;
        let (ours, theirs) = (self.blob(ours)?, self.blob(theirs)?);
        let sides = [&base, &ours, &theirs];
        if sides.iter().any(|side| is_binary(side)) {
            return Ok(FileMerge::Binary);
        }
        let label = |label: &str| crate::text::shown(label.as_bytes()).into_owned();
        let mut options = MergeFileOptions::new();
        options
            .ancestor_label(label(base_label))
            .our_label(label(our_label))
            .their_label(label(their_label))
            .style_standard(true);
        let [mut base_in, mut ours_in, mut theirs_in] =
            [MergeFileInput::new(), MergeFileInput::new(), MergeFileInput::new()];
        base_in.content(&base);
        ours_in.content(&ours);
        theirs_in.content(&theirs);
        let merged = merge_file(&base_in, &ours_in, &theirs_in, Some(&mut options))?;
        if merged.is_automergeable() {
            return Ok(FileMerge::Clean { id: self.write_blob(merged.content())? });
        }
        let mut content = merged.content().to_vec();
        if ours.is_empty() {
            label_first(&mut content, &label(our_label));
        }
        if theirs.is_empty() {
            label_last(&mut content, &label(their_label));
        }
        Ok(FileMerge::Conflict { id: self.write_blob(&content)? })
    }
}

/// Puts the label behind the first line's marker. libgit2 leaves out that of an empty side, whose
/// conflict is the whole file. Source: its `merge_file__xdiff`.
fn label_first(content: &mut Vec<u8>, label: &str) {
    if matches!(content.get(..8), Some(b"<<<<<<<\n" | b"<<<<<<<\r")) {
        content.splice(7..7, format!(" {label}").into_bytes());
    }
}

/// As [`label_first`], of the last line.
fn label_last(content: &mut Vec<u8>, label: &str) {
    let end = content.trim_ascii_end().len();
    let ends = |marker: &[u8]| content.get(..end).is_some_and(|it| it.ends_with(marker));
    if ends(b"\n>>>>>>>") {
        content.splice(end..end, format!(" {label}").into_bytes());
    }
}

fn is_binary(content: &[u8]) -> bool {
    content.iter().take(LOOKED_AT).any(|byte| *byte == 0) || content.starts_with(LFS)
}
