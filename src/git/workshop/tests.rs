use git2::{ObjectType, Repository};

use super::*;
use crate::git::files::{Files, Mode};
use crate::git::sandbox::Sandbox;

mod clones;
mod exports;
mod grafts;
mod hostile;
mod merges;
mod own_branches;
mod shared;
#[cfg(unix)]
mod work_trees;

/// A workshop for an empty cousin.
fn empty(sandbox: &Sandbox) -> Workshop {
    let origin = sandbox.bare("nothing.git");
    Workshop::new(&sandbox.program(), &Repository::open_bare(origin).unwrap()).unwrap()
}

fn ada() -> Signature {
    Signature {
        name: b"Ada Test".to_vec(),
        email: b"ada@test.example".to_vec(),
        seconds: 1_767_000_000,
        offset_minutes: 0,
    }
}

/// Commits the cousin's root with the directory `into` replaced.
fn commit_on(workshop: &Workshop, parent: ObjectId, into: &str, files: &Files) -> ObjectId {
    let root = workshop.root(parent).unwrap();
    let tree = workshop.graft(Some(root), into.as_bytes(), files).unwrap();
    let (author, parents) = (ada(), [parent]);
    let commit = NewCommit {
        tree,
        parents: &parents,
        message: b"new\n",
        author: &author,
        committer: &author,
    };
    workshop.commit(&commit).unwrap()
}

/// Writes blobs and returns the files.
fn files(workshop: &Workshop, all: &[(&str, &str)]) -> Files {
    let entry = |content: &str| Entry {
        mode: Mode::File,
        id: workshop.write_blob(content.as_bytes()).unwrap(),
    };
    all.iter().map(|(path, content)| (path.as_bytes().to_vec(), entry(content))).collect()
}

/// Mode, name and id, as they are to stand in a tree.
type RawEntry<'e> = (&'e str, &'e [u8], ObjectId);

/// Writes a tree from its bytes.
fn raw(workshop: &Workshop, entries: &[RawEntry<'_>]) -> ObjectId {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend_from_slice(mode.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.extend_from_slice(id.as_bytes());
    }
    workshop.write(ObjectType::Tree, &bytes).unwrap()
}
