//! A monorepo and a cousin as two bare repositories side by side, with no GitHub: what a test of
//! `ecosystem sync --dry-run` is lent. States are written with `git fast-import` and read with
//! `git cat-file --batch`, a process each, so that names and kinds of files that a work tree cannot
//! hold everywhere are no matter.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::ecosystem::Run;
use super::repository::{IMPORT, Sandbox};

/// What a path of a commit holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct File {
    pub(crate) mode: &'static str,
    /// Of a submodule the commit's id.
    pub(crate) content: Vec<u8>,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mode, self.content.escape_ascii())
    }
}

/// Returns a plain file.
pub(crate) fn file(content: impl AsRef<[u8]>) -> File {
    File { mode: "100644", content: content.as_ref().to_vec() }
}

/// Returns a program.
pub(crate) fn program(content: impl AsRef<[u8]>) -> File {
    File { mode: "100755", ..file(content) }
}

/// Returns a symbolic link.
pub(crate) fn link(target: impl AsRef<[u8]>) -> File {
    File { mode: "120000", ..file(target) }
}

/// Returns a submodule at a commit whose id is of this digit.
pub(crate) fn submodule(digit: char) -> File {
    File { mode: "160000", content: digit.to_string().repeat(40).into_bytes() }
}

/// A commit's files by their paths.
pub(crate) type Tree = BTreeMap<Vec<u8>, File>;

/// Returns a tree of these files.
pub(crate) fn tree<P: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, File)>) -> Tree {
    files.into_iter().map(|(path, file)| (path.as_ref().to_vec(), file)).collect()
}

/// Returns a tree as it is when it lies in a directory.
pub(crate) fn below(directory: &str, files: &Tree) -> Tree {
    let name = |path: &Vec<u8>| [directory.as_bytes(), b"/", path].concat();
    files.iter().map(|(path, file)| (name(path), file.clone())).collect()
}

/// Returns what lies in a directory of a tree, by paths from there.
pub(crate) fn inside(directory: &str, files: &Tree) -> Tree {
    let prefix = format!("{directory}/").into_bytes();
    let inner = |(path, file): (&Vec<u8>, &File)| {
        Some((path.strip_prefix(prefix.as_slice())?.to_vec(), file.clone()))
    };
    files.iter().filter_map(inner).collect()
}

/// A commit that is to be made.
pub(crate) struct Commit<'a> {
    pub(crate) message: &'a [u8],
    /// Name and e-mail address, as a commit has them.
    pub(crate) author: &'a [u8],
    /// Seconds and time zone.
    pub(crate) date: &'a str,
    /// Its parents; none is the commit before, where there is one.
    pub(crate) parents: Option<&'a [&'a str]>,
    pub(crate) files: &'a Tree,
}

impl<'a> Commit<'a> {
    pub(crate) fn new(message: &'a str, files: &'a Tree) -> Self {
        let (author, date) = (b"Ada Test <ada@test.example>".as_slice(), "1768046400 +0000");
        Self { message: message.as_bytes(), author, date, parents: None, files }
    }
}

/// A monorepo and a cousin.
pub(crate) struct Pair {
    pub(crate) sandbox: Sandbox,
    pub(crate) mono: PathBuf,
    pub(crate) web: PathBuf,
    subscriptions: Value,
}

impl Pair {
    /// Makes both, empty. What is subscribed to is part of each commit of the cousin.
    pub(crate) fn new(subscriptions: &[Value]) -> Self {
        Self::with(json!({ "source": "../mono.git", "subscriptions": subscriptions }))
    }

    /// As [`Pair::new`], with the whole of `subscriptions.json`.
    pub(crate) fn with(subscriptions: Value) -> Self {
        let sandbox = Sandbox::new();
        let bare = |name: &str| {
            sandbox.git(sandbox.path(), &["init", "-q", "--bare", "-b", "main", name]);
            let path = sandbox.path().join(name);
            // As GitHub does: else all blobs come along, and none is ever missed.
            for setting in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
                sandbox.git(&path, &["config", setting, "true"]);
            }
            path
        };
        let (mono, web) = (bare("mono.git"), bare("web.git"));
        Self { sandbox, mono, web, subscriptions }
    }

    /// Changes what is subscribed to from the cousin's next commit on.
    pub(crate) fn subscribe(&mut self, subscriptions: &[Value]) {
        self.subscriptions["subscriptions"] = json!(subscriptions);
    }

    /// Commits a state of the monorepo.
    pub(crate) fn upstream(&self, files: &Tree) -> String {
        self.import(&self.mono, "main", &[Commit::new("upstream", files)])
    }

    /// Commits a state of the cousin, to which `subscriptions.json` and what is its own are added,
    /// and the lock file that it has.
    pub(crate) fn here(&self, files: &Tree) -> String {
        let mut files = files.clone();
        let lock = "main:ecosystem.lock.json";
        let lock = self.sandbox.try_git(&self.web, &["cat-file", "blob", lock], b"");
        if lock.status.success() {
            files.insert(b"ecosystem.lock.json".to_vec(), file(lock.stdout));
        }
        files.extend(self.own());
        self.import(&self.web, "main", &[Commit::new("here", &files)])
    }

    /// Returns what the cousin has besides features.
    pub(crate) fn own(&self) -> Tree {
        let subscriptions = format!("{:#}\n", self.subscriptions);
        tree([("subscriptions.json", file(subscriptions)), ("own.txt", file("the cousin's own\n"))])
    }

    /// Makes commits on a branch, one on the other, and returns the last.
    pub(crate) fn import(&self, repository: &Path, branch: &str, commits: &[Commit<'_>]) -> String {
        let reference = format!("refs/heads/{branch}");
        let has = ["rev-parse", "-q", "--verify", &reference];
        let begun = self.sandbox.try_git(repository, &has, b"").status.success();
        let mut stream = Vec::new();
        for (at, commit) in commits.iter().enumerate() {
            // Behind the first one fast-import goes on from what it has just read.
            write(&mut stream, &reference, commit, begun && at == 0);
        }
        self.sandbox.git_fed(repository, &IMPORT, &stream);
        self.sandbox.rev(repository, &reference)
    }

    /// Prepares `ecosystem sync` in the cousin.
    pub(crate) fn sync(&self) -> Run {
        self.sync_in(&self.web)
    }

    /// Prepares `ecosystem sync` in a clone of the cousin.
    pub(crate) fn sync_in(&self, dir: &Path) -> Run {
        Run::new(&self.sandbox).dir(dir).arg("sync")
    }

    /// Brings everything to local branches, and returns the report.
    pub(crate) fn pull(&self) -> Value {
        self.pull_with(&[])
    }

    /// As [`Pair::pull`], with more arguments.
    pub(crate) fn pull_with(&self, args: &[&str]) -> Value {
        let run = self.sync().args(["--pull", "--dry-run", "--format", "json"]).args(args);
        run.run().expect_code(0).json()
    }

    /// Makes a branch of the cousin its `main`, as a merge that is a fast-forward does.
    pub(crate) fn accept(&self, branch: &str) {
        self.sandbox.git(&self.web, &["update-ref", "refs/heads/main", branch]);
    }

    /// Returns all files of a commit.
    pub(crate) fn files(&self, repository: &Path, revision: &str) -> Tree {
        let listed = self.sandbox.git_bytes(repository, &["ls-tree", "-r", "-z", revision]);
        let mut entries = Vec::new();
        for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t').unwrap();
            let head: Vec<&str> = std::str::from_utf8(&line[..tab]).unwrap().split(' ').collect();
            let mode = ["100644", "100755", "120000", "160000"]
                .into_iter()
                .find(|mode| *mode == head[0])
                .unwrap_or_else(|| panic!("no mode of ours: {}", head[0]));
            entries.push((line[tab + 1..].to_vec(), mode, head[2].to_owned()));
        }
        let wanted = entries.iter().filter(|(_, mode, _)| *mode != "160000");
        let ids: String = wanted.map(|(_, _, id)| format!("{id}\n")).collect();
        let batch = ["cat-file", "--batch=%(objectsize)"];
        let told = self.sandbox.git_fed(repository, &batch, ids.as_bytes());
        let mut rest = told.as_slice();
        let mut next = || {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
            let size: usize = std::str::from_utf8(&rest[..end]).unwrap().parse().unwrap();
            let content = rest[end + 1..end + 1 + size].to_vec();
            rest = &rest[end + size + 2..];
            content
        };
        let file = |(path, mode, id): (Vec<u8>, &'static str, String)| {
            let content = if mode == "160000" { id.into_bytes() } else { next() };
            (path, File { mode, content })
        };
        entries.into_iter().map(file).collect()
    }

    /// Returns where each branch of the cousin stands.
    pub(crate) fn branches(&self) -> String {
        self.sandbox.git(&self.web, &["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// Returns the lock file's entry of a feature.
    pub(crate) fn locked(&self, revision: &str, feature: &str) -> Value {
        let path = format!("{revision}:ecosystem.lock.json");
        let text = self.sandbox.git(&self.web, &["cat-file", "blob", &path]);
        serde_json::from_str::<Value>(&text).unwrap()["features"][feature].clone()
    }
}

fn write(stream: &mut Vec<u8>, reference: &str, commit: &Commit<'_>, begun: bool) {
    let mut line = |text: &[u8]| {
        stream.extend_from_slice(text);
        stream.push(b'\n');
    };
    line(format!("commit {reference}").as_bytes());
    line(&[b"author ", commit.author, b" ", commit.date.as_bytes()].concat());
    line(b"committer Ada Test <ada@test.example> 1768046400 +0000");
    line(format!("data {}", commit.message.len()).as_bytes());
    line(commit.message);
    match commit.parents {
        Some([first, others @ ..]) => {
            line(format!("from {first}").as_bytes());
            for other in others {
                line(format!("merge {other}").as_bytes());
            }
        }
        _ if begun => line(format!("from {reference}^0").as_bytes()),
        _ => {}
    }
    line(b"deleteall");
    for (path, file) in commit.files {
        let path = quoted(path);
        if file.mode == "160000" {
            let id = String::from_utf8_lossy(&file.content);
            line(format!("M 160000 {id} {path}").as_bytes());
            continue;
        }
        line(format!("M {} inline {path}", file.mode).as_bytes());
        line(format!("data {}", file.content.len()).as_bytes());
        line(&file.content);
    }
}

/// Returns a path as fast-import reads it, whatever bytes it holds.
fn quoted(path: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(*byte)),
        0x20..=0x7e => char::from(*byte).to_string(),
        other => format!("\\{other:03o}"),
    };
    format!("\"{}\"", path.iter().map(byte).collect::<String>())
}
