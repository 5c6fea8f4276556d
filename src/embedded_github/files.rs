//! What is in a repository: the files of one branch, how git lists them, and the ids that git
//! gives to them, to their directories and to the commit that holds them. It has no history: each
//! state of a branch is one commit without parents, the same wherever the same files are, unless
//! the files were read from a commit of a bare repository. Links and submodules are not there,
//! because nothing that is asked for here looks at them.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid};

/// The files of one branch, by their path from the root, without a leading slash.
///
/// The order of the paths' bytes is the order in which git keeps a tree, where a directory counts
/// as its name with a slash behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    /// The commit of a real history that they are of.
    commit: Option<String>,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// A file with these bytes.
    File(&'a [u8]),
    /// A directory.
    Directory,
}

impl Tree {
    /// Returns the files of a commit.
    pub(super) fn of_commit(commit: String, files: Vec<(String, Vec<u8>)>) -> Self {
        Self { files: files.into_iter().collect(), commit: Some(commit) }
    }

    /// Puts a file at `path`, instead of what stands in its way: a file or directory there, or a
    /// file where the path needs a directory.
    pub(super) fn put(&mut self, path: &str, bytes: Vec<u8>) {
        let path = cleaned(path);
        let below = format!("{path}/");
        self.files.retain(|known, _| {
            let above = path.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('/'));
            !above && !known.starts_with(&below)
        });
        if !path.is_empty() {
            self.files.insert(path, bytes);
        }
    }

    /// Adds the files of another tree, save those that are there already.
    pub(super) fn fill(&mut self, other: &Self) {
        for (path, bytes) in &other.files {
            if self.at(path).is_none() {
                self.put(path, bytes.clone());
            }
        }
    }

    /// Whether there is no file.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns what is at `path`; the empty path is the root.
    pub(super) fn at(&self, path: &str) -> Option<Entry<'_>> {
        if path.is_empty() {
            return Some(Entry::Directory);
        }
        if let Some(bytes) = self.files.get(path) {
            return Some(Entry::File(bytes));
        }
        self.below(path).next().map(|_| Entry::Directory)
    }

    /// Returns the names in a directory and what each is, as git orders them.
    pub(super) fn list(&self, directory: &str) -> Vec<(&str, Entry<'_>)> {
        let mut entries: Vec<(&str, Entry<'_>)> = Vec::new();
        for (rest, bytes) in self.below(directory) {
            let (name, entry) = match rest.split_once('/') {
                Some((name, _)) => (name, Entry::Directory),
                None => (rest, Entry::File(bytes)),
            };
            if entries.last().is_none_or(|(last, _)| *last != name) {
                entries.push((name, entry));
            }
        }
        entries
    }

    /// Returns the id of what is at `path`, 40 hexadecimal digits, as git would give it.
    pub(super) fn id(&self, path: &str, entry: Entry<'_>) -> String {
        match entry {
            Entry::File(bytes) => object_id(ObjectType::Blob, bytes),
            Entry::Directory => self.tree_id(path),
        }
        .to_string()
    }

    /// Returns the id of the commit of a real history that they are of, else of the one that holds
    /// these files and nothing else.
    pub(super) fn commit_id(&self) -> String {
        if let Some(commit) = &self.commit {
            return commit.clone();
        }
        let tree = self.tree_id("");
        let by = "embedded <embedded@localhost> 1767225600 +0000";
        let commit = format!("tree {tree}\nauthor {by}\ncommitter {by}\n\nfiles\n");
        object_id(ObjectType::Commit, commit.as_bytes()).to_string()
    }

    fn tree_id(&self, directory: &str) -> Oid {
        let mut listing = Vec::new();
        for (name, entry) in self.list(directory) {
            let (mode, id) = match entry {
                Entry::File(bytes) => ("100644", object_id(ObjectType::Blob, bytes)),
                Entry::Directory => ("40000", self.tree_id(&joined(directory, name))),
            };
            listing.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            listing.extend_from_slice(id.as_bytes());
        }
        object_id(ObjectType::Tree, &listing)
    }

    /// Returns the files below a directory, each by its path from there.
    fn below(&self, directory: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let length = prefix.len();
        self.files
            .range(prefix.clone()..)
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .filter_map(move |(path, bytes)| Some((path.get(length..)?, bytes.as_slice())))
    }
}

/// Returns the path of what is called `name` in a directory.
pub(super) fn joined(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// Returns the path without empty parts, which git has no place for.
pub(super) fn cleaned(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// Returns git's id of an object; libgit2 fails at it only when there is no memory left.
pub(super) fn object_id(kind: ObjectType, bytes: &[u8]) -> Oid {
    Oid::hash_object(kind, bytes).unwrap_or(Oid::ZERO_SHA1)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.put(path, text.as_bytes().to_vec());
        }
        tree
    }

    fn id(tree: &Tree, path: &str) -> String {
        tree.id(path, tree.at(path).unwrap())
    }

    #[test]
    fn ids_are_those_of_git() {
        // As `git hash-object` prints them.
        let tree = tree(&[("a.txt", "hello\n"), ("empty", "")]);
        for (path, expected) in [
            ("empty", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            ("a.txt", "ce013625030ba8dba906f756967f9e9ca394464a"),
        ] {
            assert_eq!(id(&tree, path), expected, "{path}");
        }
        assert_eq!(id(&Tree::default(), ""), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }

    #[test]
    fn trees_and_commits_are_what_git_makes_of_the_same_files() {
        let files = [("z/y/x", "1"), ("a.b", "2"), ("a/c", "3"), ("a-b", "4"), ("ü ü", "5")];
        let tree = tree(&files);
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init_bare(directory.path()).unwrap();
        let mut index = git2::Index::new().unwrap();
        for (path, text) in files {
            index
                .add(&git2::IndexEntry {
                    ctime: git2::IndexTime::new(0, 0),
                    mtime: git2::IndexTime::new(0, 0),
                    dev: 0,
                    ino: 0,
                    mode: 0o100_644,
                    uid: 0,
                    gid: 0,
                    file_size: 0,
                    id: repository.blob(text.as_bytes()).unwrap(),
                    flags: 0,
                    flags_extended: 0,
                    path: path.as_bytes().to_vec(),
                })
                .unwrap();
        }
        let written = index.write_tree_to(&repository).unwrap();
        assert_eq!(id(&tree, ""), written.to_string());
        let written = repository.find_tree(written).unwrap();
        for entry in &written {
            let name = entry.name().unwrap();
            assert_eq!(id(&tree, name), entry.id().to_string(), "{name}");
        }
        let ours: Vec<_> = tree.list("").into_iter().map(|(name, _)| name.to_owned()).collect();
        let gits: Vec<_> = written.iter().map(|it| it.name().unwrap().to_owned()).collect();
        assert_eq!(ours, gits);

        let by = git2::Signature::new(
            "embedded",
            "embedded@localhost",
            &git2::Time::new(1_767_225_600, 0),
        );
        let by = by.unwrap();
        let commit = repository.commit(None, &by, &by, "files\n", &written, &[]).unwrap();
        assert_eq!(tree.commit_id(), commit.to_string());
    }

    #[test]
    fn a_path_is_a_file_or_a_directory_and_the_later_one_stays() {
        let mut tree = tree(&[("/docs//guide.md/", "1"), ("docs/a/b", "2"), ("docsy", "3")]);
        assert_eq!(tree.at("docs/guide.md"), Some(Entry::File(b"1")));
        for (path, entry) in [
            ("", Some(Entry::Directory)),
            ("docs", Some(Entry::Directory)),
            ("docs/a", Some(Entry::Directory)),
            ("doc", None),
            ("docs/", None),
            ("docs/guide.md/x", None),
        ] {
            assert_eq!(tree.at(path), entry, "{path}");
        }
        tree.put("docs/a", b"4".to_vec());
        assert_eq!(tree.at("docs/a/b"), None);
        tree.put("docs/guide.md/x", b"5".to_vec());
        assert_eq!(tree.at("docs/guide.md"), Some(Entry::Directory));
        let names: Vec<_> = tree.list("docs").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "guide.md"]);
    }
}
