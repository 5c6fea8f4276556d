//! Blobs in memory for tests, and directories as one line of text: `a=1,2 b*=x c@=a d#=7` is a
//! file `a` of the lines 1 and 2, an executable `b`, a link `c` to `a` and a submodule `d`. `=x` is
//! a feature that is a file itself; `%` in a content is a zero byte, `^` a carriage return, a
//! content that ends in `!` has no line feed at its end, and `\xff` in a path is that byte.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use git2::{MergeFileInput, MergeFileOptions, ObjectType};

use super::{Contents, FileMerge};
use crate::git::files::{Entry, Files, Mode, ObjectId};

/// Spoils a merged file: what a broken line merge would do.
pub(crate) type Spoil = fn(FileMerge, Vec<u8>) -> (FileMerge, Vec<u8>);

/// Blobs in memory, and what was asked of them.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) blobs: BTreeMap<ObjectId, Vec<u8>>,
    /// What was announced, call by call.
    pub(crate) prepared: Vec<BTreeSet<ObjectId>>,
    /// What was read without having been announced.
    pub(crate) unannounced: BTreeSet<ObjectId>,
    pub(crate) spoil: Option<Spoil>,
}

impl Memory {
    pub(crate) fn add(&mut self, content: &[u8]) -> ObjectId {
        let id = ObjectId::hash_object(ObjectType::Blob, content).unwrap();
        self.blobs.insert(id, content.to_vec());
        id
    }

    /// Reads a directory as one writes it in a table.
    pub(crate) fn files(&mut self, text: &str) -> Files {
        let mut files = Files::new();
        for item in text.split_whitespace() {
            let (path, content) = item.split_once('=').unwrap();
            let (path, mode) = match path.as_bytes().last() {
                Some(b'*') => (&path[..path.len() - 1], Mode::Executable),
                Some(b'@') => (&path[..path.len() - 1], Mode::Symlink),
                Some(b'#') => (&path[..path.len() - 1], Mode::Submodule),
                _ => (path, Mode::File),
            };
            let id = match mode {
                Mode::Submodule => ObjectId::from_str(&format!("{content:0>40}")).unwrap(),
                Mode::Symlink => self.add(content.as_bytes()),
                _ => self.add(&lines(content)),
            };
            let path = path.replace("\\xff", "\u{1}").into_bytes();
            let path = path.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
            files.insert(path, Entry { mode, id });
        }
        files
    }

    /// Writes a directory as [`Memory::files`] reads it.
    pub(crate) fn shown(&self, files: &Files) -> String {
        let mut items = Vec::new();
        for (path, entry) in files {
            let content = self.blobs.get(&entry.id).map_or_else(
                || entry.id.to_string().trim_start_matches('0').to_owned(),
                |content| {
                    let text = String::from_utf8_lossy(content)
                        .replace('\n', ",")
                        .replace(' ', "_")
                        .replace('\0', "%")
                        .replace('\r', "^");
                    match text.strip_suffix(',') {
                        Some(text) => text.to_owned(),
                        None if text.is_empty() || entry.mode == Mode::Symlink => text,
                        None => text + "!",
                    }
                },
            );
            let mark = match entry.mode {
                Mode::File => "",
                Mode::Executable => "*",
                Mode::Symlink => "@",
                Mode::Submodule => "#",
            };
            items.push(format!("{}{mark}={content}", crate::text::shown(path)));
        }
        items.join(" ")
    }

    fn announced(&mut self, id: ObjectId) {
        if !self.prepared.iter().any(|ids| ids.contains(&id)) {
            self.unannounced.insert(id);
        }
    }
}

fn lines(content: &str) -> Vec<u8> {
    let text = content.replace('%', "\0").replace('^', "\r").replace('_', " ").replace(',', "\n");
    match text.strip_suffix('!') {
        Some(text) => text.to_owned().into_bytes(),
        None if text.is_empty() => Vec::new(),
        None => (text + "\n").into_bytes(),
    }
}

impl Contents for Memory {
    type Error = Infallible;

    fn prepare(&mut self, blobs: &BTreeSet<ObjectId>) -> Result<(), Infallible> {
        self.prepared.push(blobs.clone());
        Ok(())
    }

    fn blob(&mut self, id: ObjectId) -> Result<Vec<u8>, Infallible> {
        self.announced(id);
        Ok(self.blobs[&id].clone())
    }

    fn merge_file(
        &mut self,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<FileMerge, Infallible> {
        for id in base.into_iter().chain([ours, theirs]) {
            self.announced(id);
        }
        let base = base.map(|id| self.blobs[&id].clone()).unwrap_or_default();
        let (ours, theirs) = (self.blobs[&ours].clone(), self.blobs[&theirs].clone());
        if [&base, &ours, &theirs].iter().any(|content| content.contains(&0)) {
            return Ok(FileMerge::Binary);
        }
        let mut inputs = [&base, &ours, &theirs].map(|content| {
            let mut input = MergeFileInput::new();
            input.content(content);
            input
        });
        for input in &mut inputs {
            input.path("file");
        }
        let mut options = MergeFileOptions::new();
        options.our_label("ours").their_label("upstream");
        let [base, ours, theirs] = &inputs;
        let merged = git2::merge_file(base, ours, theirs, Some(&mut options)).unwrap();
        let mut content = merged.content().to_vec();
        let mut kind = match merged.is_automergeable() {
            true => FileMerge::Clean { id: ObjectId::ZERO_SHA1 },
            false => FileMerge::Conflict { id: ObjectId::ZERO_SHA1 },
        };
        if let Some(spoil) = self.spoil {
            (kind, content) = spoil(kind, content);
        }
        let id = self.add(&content);
        self.prepared.push(BTreeSet::from([id]));
        Ok(match kind {
            FileMerge::Clean { .. } => FileMerge::Clean { id },
            FileMerge::Conflict { .. } => FileMerge::Conflict { id },
            FileMerge::Binary => FileMerge::Binary,
        })
    }
}
