//! Makes a bare, packed repository with `git fast-import`: many files cost seconds, where a work
//! tree and commits of it would cost minutes. What is in it, each bench says.
#![allow(dead_code, reason = "not every bench needs all of it")]

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes a repository whose HEAD is `main`, of what `write` writes in git fast-import's format.
pub(crate) fn repository(directory: &Path, write: impl FnOnce(&mut dyn Write)) {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        // Nobody's configuration, and no repository but this one.
        git.env("GIT_CONFIG_GLOBAL", directory.join("no-config"));
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_DIR", directory).args(arguments);
        git
    };
    assert!(git(&["init", "--quiet", "--bare", "-b", "main"]).status().unwrap().success());
    let mut import = git(&["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut out = BufWriter::new(import.stdin.take().unwrap());
    write(&mut out);
    out.flush().unwrap();
    drop(out);
    assert!(import.wait().unwrap().success());
    assert!(git(&["repack", "-a", "-d", "--quiet"]).status().unwrap().success());
}

/// Writes a commit in which each file has contents of its own.
pub(crate) fn commit<'p>(
    out: &mut dyn Write,
    branch: &str,
    parent: Option<&str>,
    paths: impl Iterator<Item = &'p str>,
) {
    commit_as(out, branch, parent, paths, branch);
}

/// The same, with a mark in the contents, so that the same path changes with another mark.
pub(crate) fn commit_as<'p>(
    out: &mut dyn Write,
    branch: &str,
    parent: Option<&str>,
    paths: impl Iterator<Item = &'p str>,
    mark: &str,
) {
    writeln!(out, "commit refs/heads/{branch}").unwrap();
    writeln!(out, "committer Nobody <nobody@example.org> 1700000000 +0000\ndata 0").unwrap();
    if let Some(parent) = parent {
        writeln!(out, "from refs/heads/{parent}").unwrap();
    }
    for path in paths {
        let contents = format!("{path} {mark}");
        writeln!(out, "M 100644 inline {path}\ndata {}\n{contents}", contents.len()).unwrap();
    }
}
