//! The same merges by git. git decides what is a conflict and what a clean merge holds.
//!
//! Two things are turned off in git, as they are not in our rules: renames where the scenarios have
//! none, and guessing that a directory was renamed because its files were.
//!
//! Where we say that a merge is clean, git always does. In two cases we list what git (2.47) may
//! not. One side renames a file that the other made a link, to a name that the other has too: git
//! says that all is well, and one of the two versions is gone. Or the other side has an empty file
//! of the new name: git fills it.

use std::fs::File;
use std::path::Path;

use git2::{IndexEntry, IndexTime, MergeFileOptions, Repository, Signature};
use pretty_assertions::assert_eq;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::super::*;
use super::scenario::{Scenario, scenarios, stored};
use crate::environment::Environment;
use crate::git::command::{Context, Git, Place};

/// How many merges are compared: each takes some milliseconds, as git reads real objects.
const MERGES: usize = 250;

/// The blobs of a repository.
struct Objects<'a>(&'a Repository);

fn index_entry(path: &[u8], entry: Entry) -> IndexEntry {
    let never = IndexTime::new(0, 0);
    IndexEntry {
        ctime: never,
        mtime: never,
        dev: 0,
        ino: 0,
        mode: entry.mode.raw(),
        uid: 0,
        gid: 0,
        file_size: 0,
        id: entry.id,
        flags: 0,
        flags_extended: 0,
        path: path.to_vec(),
    }
}

impl Contents for Objects<'_> {
    type Error = git2::Error;

    fn prepare(&mut self, _: &BTreeSet<ObjectId>) -> Result<(), git2::Error> {
        Ok(())
    }

    fn blob(&mut self, id: ObjectId) -> Result<Vec<u8>, git2::Error> {
        Ok(self.0.find_blob(id)?.content().to_vec())
    }

    fn merge_file(
        &mut self,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<FileMerge, git2::Error> {
        let base = base.map_or_else(|| self.0.blob(b""), Ok)?;
        for id in [base, ours, theirs] {
            if self.0.find_blob(id)?.is_binary() {
                return Ok(FileMerge::Binary);
            }
        }
        let mode = crate::git::files::Mode::File;
        let [base, ours, theirs] =
            [base, ours, theirs].map(|id| index_entry(b"file", Entry { mode, id }));
        let mut options = MergeFileOptions::new();
        options.our_label("ours").their_label("upstream");
        let merged = self.0.merge_file_from_index(&base, &ours, &theirs, Some(&mut options))?;
        let id = self.0.blob(merged.content())?;
        Ok(match merged.is_automergeable() {
            true => FileMerge::Clean { id },
            false => FileMerge::Conflict { id },
        })
    }
}

fn write_tree(repository: &Repository, files: &Files) -> ObjectId {
    let mut index = git2::Index::new().unwrap();
    for (path, entry) in files {
        index.add(&index_entry(path, *entry)).unwrap();
    }
    index.write_tree_to(repository).unwrap()
}

fn commit(repository: &Repository, files: &Files, parent: Option<ObjectId>) -> ObjectId {
    let tree = repository.find_tree(write_tree(repository, files)).unwrap();
    let ada = Signature::new("Ada", "ada@test.example", &git2::Time::new(0, 0)).unwrap();
    let parent = parent.map(|id| repository.find_commit(id).unwrap());
    let parents: Vec<_> = parent.iter().collect();
    repository.commit(None, &ada, &ada, "", &tree, &parents).unwrap()
}

/// Returns, for each line of `input`, whether git merges it cleanly, and the tree of the result.
fn by_git(bare: &Path, input: &str, settings: &'static [&'static str]) -> Vec<(bool, ObjectId)> {
    let asked = bare.join("asked");
    std::fs::write(&asked, input).unwrap();
    let environment = Environment::of_process()
        .only(&["PATH", "LD_LIBRARY_PATH", "SYSTEMROOT"])
        .with("HOME", bare.to_str().unwrap());
    let git = Git::new(environment.iter().map(|(name, value)| (name.into(), value.into())));
    let context = Context { place: Place::Own(bare), settings, ..Context::default() };
    let args = ["merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages"];
    let told = git.run_with(&context, args, Some(File::open(asked).unwrap())).unwrap();
    let told = String::from_utf8_lossy(&told).into_owned();
    let mut fields = told.split('\0');
    let mut results = Vec::new();
    for _ in input.lines() {
        let (status, tree) = (fields.next().unwrap(), fields.next().unwrap());
        results.push((status == "1", ObjectId::from_str(tree).unwrap()));
        // The names of conflicted files, up to an empty one.
        fields.by_ref().find(|name| name.is_empty());
    }
    results
}

fn compare_with_git(renames: bool, settings: &'static [&'static str]) {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init_bare(directory.path()).unwrap();
    // In memory, and then as one pack: a file for each object would take ten times as long.
    let odb = repository.odb().unwrap();
    let objects = odb.add_new_mempack_backend(1000).unwrap();
    let mut runner = TestRunner::deterministic();
    let strategy = scenarios(renames);
    let mut input = String::new();
    let mut merges: Vec<(Scenario, Merge, ObjectId)> = Vec::new();
    for _ in 0..MERGES {
        let scenario = strategy.new_tree(&mut runner).unwrap().current();
        let trees = [&scenario.base, &scenario.ours, &scenario.theirs];
        let [base, ours, theirs] =
            trees.map(|tree| stored(tree, |content| repository.blob(content).unwrap()));
        let merge =
            three_way(&mut Objects(&repository), &base, &ours, &theirs, &|_| false).unwrap();
        let tree = write_tree(&repository, &merge.files);
        let root = commit(&repository, &base, None);
        let [ours, theirs] = [&ours, &theirs].map(|side| commit(&repository, side, Some(root)));
        input += &format!("{root} -- {ours} {theirs}\n");
        merges.push((scenario, merge, tree));
    }
    let mut pack = git2::Buf::new();
    objects.dump(&repository, &mut pack).unwrap();
    let mut writer = odb.packwriter().unwrap();
    std::io::Write::write_all(&mut writer, &pack).unwrap();
    writer.commit().unwrap();
    let judged = by_git(directory.path(), &input, settings);
    let mut clean = 0;
    for ((scenario, merge, tree), (is_clean, git_s)) in merges.into_iter().zip(judged) {
        if is_clean && !merge.conflicts.is_empty() && scenario.may_be_listed_by_us_alone() {
            continue;
        }
        assert_eq!(merge.conflicts.is_empty(), is_clean, "{merge:#?}\n{scenario:#?}");
        if is_clean {
            assert_eq!(tree, git_s, "{merge:#?}\n{scenario:#?}");
            clean += 1;
        }
    }
    // The scenarios must be worth it.
    assert!((MERGES / 5..MERGES * 4 / 5).contains(&clean), "{clean} of {MERGES} are clean");
}

#[test]
fn without_renames_the_result_is_that_of_git() {
    compare_with_git(false, &["merge.renames=false"]);
}

#[test]
fn with_renames_the_result_is_that_of_git() {
    compare_with_git(true, &["merge.renames=true", "merge.directoryRenames=false"]);
}
