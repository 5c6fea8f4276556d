//! Real git repositories for the tests of this module, in a temporary directory with a home of its
//! own. They are made by the git program: what is tested must not also prepare the test.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::{Oid, Repository};
use tempfile::TempDir;

use super::command::{Git, git_path};
use super::fetch::Remote;
use crate::names::CommitSha;

/// A directory for repositories.
pub(crate) struct Sandbox {
    root: TempDir,
}

/// Lets a repository be fetched from as GitHub's are.
pub(crate) const LIKE_GITHUB: [&str; 2] =
    ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"];

#[expect(clippy::disallowed_methods, reason = "only tests run git past the one constructor")]
impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::Builder::new().prefix("ecosystem-git-").tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = self.root.path().as_os_str().to_owned();
        [
            ("PATH", path),
            ("HOME", home),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
        ]
        .map(|(name, value)| (name.into(), value))
        .to_vec()
    }

    /// Returns the program under test, as it sees git.
    pub(crate) fn program(&self) -> Git {
        Git::new(self.environment())
    }

    /// Runs git in a directory with that input; its output, or what it says when it fails.
    pub(crate) fn try_git(
        &self,
        dir: &Path,
        args: &[&str],
        input: &[u8],
    ) -> Result<Vec<u8>, String> {
        let mut git = Command::new("git")
            .env_clear()
            .envs(self.environment())
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Ada Test")))
            .envs(
                ["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "ada@test.example")),
            )
            .envs(
                ["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_DATE"), "1767000000 +0000")),
            )
            .args(["-c", "protocol.file.allow=always"])
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = git.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = git.wait_with_output().unwrap();
        writer.join().unwrap();
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    pub(crate) fn fed(&self, dir: &Path, args: &[&str], input: &[u8]) -> String {
        let output = self.try_git(dir, args, input);
        let output = output.unwrap_or_else(|error| panic!("git {args:?}: {error}"));
        String::from_utf8_lossy(&output).trim_end().to_owned()
    }

    pub(crate) fn git(&self, dir: &Path, args: &[&str]) -> String {
        self.fed(dir, args, b"")
    }

    /// Makes a bare repository that is served as GitHub's are.
    pub(crate) fn bare(&self, name: &str) -> PathBuf {
        let dir = self.path(name);
        self.git(self.root.path(), &["init", "-q", "--bare", "-b", "main", name]);
        for setting in LIKE_GITHUB {
            self.git(&dir, &["config", setting, "true"]);
        }
        dir
    }

    /// Adds commits to a branch of a bare repository, each with the files given and no others, on
    /// the branch's head or on a commit named; returns their ids.
    pub(crate) fn commits(
        &self,
        dir: &Path,
        branch: &str,
        from: Option<Oid>,
        states: &[&[(&str, &str)]],
    ) -> Vec<Oid> {
        let mut ids = Vec::new();
        let mut parent = from.map(|from| from.to_string());
        for files in states {
            let mut stream = format!(
                "commit refs/heads/{branch}\nmark :1\ncommitter Ada Test <ada@test.example> \
                 1767000000 +0000\ndata 5\nwork\n"
            );
            if let Some(parent) = &parent {
                stream.push_str(&format!("from {parent}\n"));
            }
            stream.push_str("deleteall\n");
            for (path, content) in *files {
                let path = format!("\"{path}\"");
                stream.push_str(&format!("M 644 inline {path}\ndata {}\n", content.len()));
                stream.push_str(&format!("{content}\n"));
            }
            stream.push_str("get-mark :1\ndone\n");
            let args = ["fast-import", "--quiet", "--done", "--force"];
            let id = self.fed(dir, &args, stream.as_bytes());
            ids.push(Oid::from_str(&id).unwrap());
            parent = Some(id);
        }
        ids
    }

    /// Clones over `file://`, which takes `--depth` and `--filter` at their word.
    pub(crate) fn clone(&self, from: &Path, name: &str, args: &[&str]) -> Repository {
        let url = file_url(from);
        let mut all = vec!["clone", "-q"];
        all.extend_from_slice(args);
        all.extend([url.as_str(), name]);
        self.git(self.root.path(), &all);
        super::open(&self.path(name)).unwrap()
    }

    pub(crate) fn remote(&self, dir: &Path) -> Remote {
        let url = file_url(dir);
        Remote::new(&url, self.root.path(), "https://github.com", &[]).unwrap()
    }
}

fn file_url(path: &Path) -> String {
    let path = git_path(path).to_string_lossy().into_owned();
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("file://{slash}{path}")
}

/// Returns the id as a name.
pub(crate) fn sha(id: Oid) -> CommitSha {
    CommitSha::parse(&id.to_string()).unwrap()
}
