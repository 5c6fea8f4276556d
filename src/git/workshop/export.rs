//! New commits handed to the cousin's clone, for a dry run: what it lacks of them, as one pack in
//! its object directory. No branch of it is set here.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use git2::{Odb, OdbLookupFlags, Repository};

use super::trees::is_tree;
use super::{GitError, ObjectError, ObjectId, Workshop};
use crate::git::command::{Context, Place, git_path};
use crate::git::store::{file_of, rewound};
use crate::git::tree::Tree;

/// What is to be packed.
struct Packing<'o> {
    /// What the clone has.
    there: Odb<'o>,
    objects: BTreeSet<ObjectId>,
    seen: HashSet<(ObjectId, Option<ObjectId>)>,
}

impl Packing<'_> {
    fn add(&mut self, id: ObjectId) {
        if !self.there.exists_ext(id, OdbLookupFlags::NO_REFRESH) {
            self.objects.insert(id);
        }
    }
}

impl Workshop {
    /// Writes what the clone lacks of a commit and its ancestors into its object directory, as one
    /// pack. `beyond` are commits that the clone has, with all that they lead to.
    ///
    /// # Errors
    /// [`GitError`] when an object is nowhere to be had or the clone cannot be written.
    pub fn export(
        &self,
        clone: &Repository,
        commit: ObjectId,
        beyond: &[ObjectId],
    ) -> Result<(), GitError> {
        self.refresh()?;
        let there = clone.odb()?;
        there.refresh()?;
        let mut packing = Packing { there, objects: BTreeSet::new(), seen: HashSet::new() };
        let mut open = vec![commit];
        let mut seen: HashSet<ObjectId> = beyond.iter().copied().collect();
        while let Some(id) = open.pop() {
            // A commit that the clone has is one of its own history, which is whole.
            if !seen.insert(id) || packing.there.exists_ext(id, OdbLookupFlags::NO_REFRESH) {
                continue;
            }
            let record = self.record(id)?;
            packing.objects.insert(id);
            let parent = record.parents.first().filter(|parent| self.has(**parent));
            let parent = parent.map(|parent| self.root(*parent)).transpose()?;
            self.collect(&mut packing, record.tree, parent)?;
            open.extend(record.parents);
        }
        let absent: BTreeSet<ObjectId> =
            packing.objects.iter().copied().filter(|id| !self.has(*id)).collect();
        if !absent.is_empty() {
            self.obtain("blob", &absent)?;
            // What the clone's own git has fetched is in the clone by now.
            packing.there.refresh()?;
            let there = &packing.there;
            packing.objects.retain(|id| !there.exists_ext(*id, OdbLookupFlags::NO_REFRESH));
        }
        self.pack(clone, &packing.objects)
    }

    /// Collects what a tree has and the tree beside it has not, at the same places: what is the
    /// same there is in the clone, or left out of it by its filter.
    fn collect(
        &self,
        packing: &mut Packing<'_>,
        tree: ObjectId,
        beside: Option<ObjectId>,
    ) -> Result<(), GitError> {
        let mut open = vec![(tree, beside)];
        while let Some((tree, beside)) = open.pop() {
            if Some(tree) == beside || !packing.seen.insert((tree, beside)) {
                continue;
            }
            packing.add(tree);
            let beside = self.names(beside)?;
            self.read_tree(tree, |name, mode, id| {
                let known = beside.get(name).copied();
                if known.map(|(_, id)| id) == Some(id) || mode & 0o170_000 == SUBMODULE {
                    return Ok(());
                }
                if is_tree(mode) {
                    open.push((id, known.filter(|(mode, _)| is_tree(*mode)).map(|(_, id)| id)));
                } else {
                    packing.add(id);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Returns the entries of a tree by their names; of one that is not here nothing is known.
    fn names(&self, tree: Option<ObjectId>) -> Result<HashMap<Vec<u8>, (u32, ObjectId)>, GitError> {
        let mut names = HashMap::new();
        let Some(tree) = tree.filter(|tree| self.has(*tree)) else { return Ok(names) };
        let odb = self.odb()?;
        let mut tree = Tree::read(&odb, tree).map_err(ObjectError::from)?;
        while let Some(entry) = tree.take().map_err(ObjectError::from)? {
            names.insert(entry.name().to_owned(), (entry.mode(), entry.id()));
        }
        Ok(names)
    }

    /// Packs objects in the workshop and moves the pack into the clone.
    fn pack(&self, clone: &Repository, objects: &BTreeSet<ObjectId>) -> Result<(), GitError> {
        if objects.is_empty() {
            return Ok(());
        }
        let scratch = |source| GitError::Scratch { source };
        let lines: String = objects.iter().map(|id| format!("{id}\n")).collect();
        let input = file_of(lines.as_bytes()).and_then(|file| rewound(&file)).map_err(scratch)?;
        let packs = self.dir.path().join("export");
        fs::create_dir_all(&packs).map_err(scratch)?;
        // git packs into the workshop's own object directory first and then renames.
        let base = git_path(&packs).join("pack");
        let dir = git_path(self.path());
        let context = Context { place: Place::Own(&dir), ..Context::default() };
        let base = base.to_string_lossy();
        let args = ["pack-objects", "--quiet", "--window=0", "--end-of-options", &base];
        let told = self.git.run_with(&context, args, Some(input))?;
        let name = format!("pack-{}", String::from_utf8_lossy(&told).trim());
        let to = crate::git::refs::objects_of(clone).join("pack");
        let failed = |what: &'static str| {
            let path = to.as_os_str().as_encoded_bytes().to_vec();
            move |source| ObjectError::File { what, path, source }
        };
        fs::create_dir_all(&to).map_err(failed("make"))?;
        // The index comes last: by it a pack is found.
        for ending in ["pack", "idx"] {
            let file = format!("{name}.{ending}");
            publish(&packs.join(&file), &to, &file).map_err(failed("write into"))?;
        }
        Ok(())
    }
}

const SUBMODULE: u32 = 0o160_000;

/// Copies a file into a directory, where it appears at once and whole.
fn publish(from: &Path, to: &Path, name: &str) -> io::Result<()> {
    let mut copy = tempfile::Builder::new().prefix("tmp_pack_").tempfile_in(to)?;
    io::copy(&mut fs::File::open(from)?, copy.as_file_mut())?;
    copy.as_file().sync_all()?;
    let mut permissions = copy.as_file().metadata()?.permissions();
    readable_by_all(&mut permissions);
    copy.as_file().set_permissions(permissions)?;
    copy.persist(to.join(name)).map_err(|error| error.error)?;
    Ok(())
}

/// As git leaves its packs; a temporary file is its owner's alone.
#[cfg(unix)]
fn readable_by_all(permissions: &mut fs::Permissions) {
    std::os::unix::fs::PermissionsExt::set_mode(permissions, 0o444);
}

#[cfg(not(unix))]
fn readable_by_all(_: &mut fs::Permissions) {}
