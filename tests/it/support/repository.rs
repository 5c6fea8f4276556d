//! Git repositories for tests, each set in a directory of its own with its own `HOME`, fixed
//! names and a fixed date, so that the same test makes the same commits on every machine. All of
//! it goes through the git program: what is tested must not also prepare the test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{Child, Finished, scrubbed};

/// The date of every commit that a test makes.
const DATE: &str = "2026-01-10T12:00:00+00:00";

/// A directory that goes away with the test, holding a home directory, a directory for temporary
/// files, and whatever repositories the test asks for.
#[derive(Debug)]
pub(crate) struct Sandbox {
    root: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("ecosystem-it-").tempdir().unwrap();
        std::fs::create_dir(root.path().join("home")).unwrap();
        std::fs::create_dir(root.path().join("tmp")).unwrap();
        Self { root }
    }

    /// Returns the directory that holds everything.
    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// Returns the home directory of the programs that run in here.
    pub(crate) fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// Returns where the programs that run in here put temporary files; empty unless one of them
    /// has left something behind.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.path().join("tmp")
    }

    /// Returns a command that knows nothing of the person who runs the test.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = scrubbed(program);
        command
            .current_dir(self.path())
            .env("HOME", self.home())
            .env("USERPROFILE", self.home())
            .envs(["TMPDIR", "TMP", "TEMP"].map(|name| (name, self.temporary())))
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// Runs git in `dir` and returns its output without the last line feed. Fails the test when
    /// git does.
    pub(crate) fn git(&self, dir: &Path, args: &[&str]) -> String {
        let output = self.git_bytes(dir, args);
        let text = String::from_utf8(output).unwrap_or_else(|error| {
            panic!("git {args:?} prints bytes that are not UTF-8: {error}")
        });
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }

    /// Runs git in `dir` and returns its output as it is.
    pub(crate) fn git_bytes(&self, dir: &Path, args: &[&str]) -> Vec<u8> {
        self.git_fed(dir, args, b"")
    }

    /// Runs git in `dir` with `input` on its standard input.
    pub(crate) fn git_fed(&self, dir: &Path, args: &[&str], input: &[u8]) -> Vec<u8> {
        let finished = self.try_git(dir, args, input);
        assert!(
            finished.status.success(),
            "git {args:?} in {} ended with {}\n--- stdout\n{}\n--- stderr\n{}",
            dir.display(),
            finished.status,
            String::from_utf8_lossy(&finished.stdout),
            String::from_utf8_lossy(&finished.stderr),
        );
        finished.stdout
    }

    /// Runs git in `dir` and returns what came of it, failed or not.
    pub(crate) fn try_git(&self, dir: &Path, args: &[&str], input: &[u8]) -> Finished {
        let mut git = self.command("git");
        git.current_dir(dir)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_AUTHOR_NAME", "Ada Test")
            .env("GIT_AUTHOR_EMAIL", "ada@test.example")
            .env("GIT_AUTHOR_DATE", DATE)
            .env("GIT_COMMITTER_NAME", "Ada Test")
            .env("GIT_COMMITTER_EMAIL", "ada@test.example")
            .env("GIT_COMMITTER_DATE", DATE)
            .args(args);
        Child::start(&mut git, input).wait()
    }

    /// Imports the sample monorepo of `fixtures/` into the bare repository `monorepo.git`. Like
    /// GitHub, it serves filtered clones and any commit that it has by its id.
    pub(crate) fn sample_monorepo(&self) -> PathBuf {
        let history = std::fs::read(super::fixture("monorepo.fast-import")).unwrap();
        let bare = self.path().join("monorepo.git");
        self.git(self.path(), &["init", "--quiet", "--bare", "-b", "main", "monorepo.git"]);
        self.git_fed(&bare, &IMPORT, &history);
        self.git(&bare, &["config", "uploadpack.allowFilter", "true"]);
        self.git(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        bare
    }

    /// Clones `source` over `file://`, which, other than a plain path, takes `--depth` and
    /// `--filter` at their word.
    pub(crate) fn clone(&self, source: &Path, name: &str, args: &[&str]) -> PathBuf {
        let url = file_url(source);
        let mut all = vec!["clone", "--quiet"];
        all.extend_from_slice(args);
        all.extend_from_slice(&[url.as_str(), name]);
        self.git(self.path(), &all);
        self.path().join(name)
    }

    /// Makes an empty repository with a work tree, on an unborn `main`.
    pub(crate) fn new_repository(&self, name: &str) -> PathBuf {
        self.git(self.path(), &["init", "--quiet", "-b", "main", name]);
        self.path().join(name)
    }

    /// Writes a file and the directories above it.
    pub(crate) fn write(&self, dir: &Path, path: &str, content: &str) {
        let file = dir.join(path);
        std::fs::create_dir_all(file.parent().expect("a file is in a directory")).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// Commits the work tree as it is, also when nothing has changed, and returns the commit's id.
    pub(crate) fn commit_all(&self, dir: &Path, message: &str) -> String {
        self.git(dir, &["add", "--all"]);
        self.git(dir, &["commit", "--quiet", "--allow-empty", "-m", message]);
        self.rev(dir, "HEAD")
    }

    /// Returns the id of the commit that a revision names; tags are peeled.
    pub(crate) fn rev(&self, dir: &Path, revision: &str) -> String {
        self.git(dir, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])
    }
}

/// What reads `monorepo.fast-import` alike on every system: see the head of that file.
pub(crate) const IMPORT: [&str; 8] = [
    "-c",
    "core.ignorecase=false",
    "-c",
    "core.protectNTFS=false",
    "-c",
    "core.protectHFS=false",
    "fast-import",
    "--quiet",
];

/// Returns the `file://` URL of a directory.
pub(crate) fn file_url(dir: &Path) -> String {
    let path = dir.to_str().expect("a temporary directory has a plain name").replace('\\', "/");
    format!("file://{}{path}", if path.starts_with('/') { "" } else { "/" })
}
