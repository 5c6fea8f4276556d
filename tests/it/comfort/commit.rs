//! What a build says it was built from: the shape of `--version`, and `build.rs` itself, run as
//! cargo would in every kind of place that a crate is built in.

use std::path::{Path, PathBuf};
use std::process::Command;

use pretty_assertions::assert_eq;

use super::output;
use crate::support::ecosystem::Run;
use crate::support::repository::Sandbox;

fn version(args: &[&str]) -> String {
    Run::new(&Sandbox::new()).args(args).run().expect_code(0).stdout
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[test]
fn the_version_is_one_line_and_with_the_long_flag_says_what_a_bug_report_needs() {
    let short = version(&["-V"]);
    let line = short.strip_suffix('\n').unwrap();
    let rest = line.strip_prefix(concat!("ecosystem ", env!("CARGO_PKG_VERSION"))).unwrap();
    if !rest.is_empty() {
        let built = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')')).unwrap();
        let (commit, date) = built.split_once(' ').unwrap_or((built, "2026-01-01"));
        assert!(commit.len() == 10 && is_hex(commit), "{line}");
        assert!(date.len() == 10 && date.split('-').count() == 3, "{line}");
    }
    let long = version(&["--version"]);
    let mut lines = long.lines();
    assert_eq!(lines.next(), Some(line));
    let mut keys = Vec::new();
    for line in lines {
        let (key, value) = line.split_once(": ").unwrap();
        match key {
            "commit" => assert!(value.len() == 40 && is_hex(value) && rest.contains(&value[..10])),
            "libgit2" => assert_eq!(value.split('.').count(), 3, "{value}"),
            _ => assert!(value.contains('-'), "{value}"),
        }
        keys.push(key);
    }
    let expected = ["commit", "libgit2", "target"];
    assert_eq!(keys, expected[usize::from(rest.is_empty())..]);
}

#[test]
fn the_version_of_a_command_is_that_of_the_program() {
    for flag in ["-V", "--version"] {
        for command in ["dispatch", "man"] {
            assert_eq!(version(&[command, flag]), version(&[flag]));
        }
    }
}

/// The compiled `build.rs`, and crates to run it in.
struct BuildScript {
    sandbox: Sandbox,
    program: PathBuf,
}

impl BuildScript {
    fn compile() -> Self {
        let sandbox = Sandbox::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
        let named = format!("build_script{}", std::env::consts::EXE_SUFFIX);
        let program = sandbox.path().join(named);
        // With the environment of the test: a rustup proxy needs to know its home.
        let compiled = Command::new("rustc")
            .args(["--edition", "2024", "--out-dir"])
            .arg(sandbox.path())
            .args(["--crate-name", "build_script"])
            .arg(source)
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        Self { sandbox, program }
    }

    fn command(&self, dir: &Path) -> Command {
        let mut command = self.sandbox.command(&self.program);
        command.current_dir(dir).env("CARGO_PKG_VERSION", "1.2.3").env("TARGET", "some-target");
        command
    }

    /// Runs it in `dir` and returns the version and the files that it watches, by their last names.
    fn run(&self, dir: &Path) -> (String, Vec<String>) {
        let printed = output(&mut self.command(dir));
        let values = |key: &str| -> Vec<String> {
            let prefix = format!("cargo::{key}=");
            printed
                .lines()
                .filter_map(|line| Some(line.strip_prefix(&prefix)?.to_owned()))
                .collect()
        };
        let watched = values("rerun-if-changed");
        for file in watched.iter().filter(|file| *file != "build.rs") {
            assert!(
                dir.join(file).is_file(),
                "a file that is missing makes every build anew: {file}"
            );
        }
        let names = watched.iter().map(|file| file.rsplit(['/', '\\']).next().unwrap().to_owned());
        let set = values("rustc-env");
        let version = set.iter().find_map(|value| value.strip_prefix("BUILD_VERSION=")).unwrap();
        for name in ["BUILD_COMMIT", "BUILD_DATE", "BUILD_TARGET"] {
            let prefix = format!("{name}=");
            assert!(set.iter().any(|value| value.starts_with(&prefix)), "{name}: {set:?}");
        }
        (version.to_owned(), names.collect())
    }

    fn git(&self, dir: &Path, args: &[&str]) {
        self.sandbox.git(dir, args);
    }
}

fn built(id: &str) -> String {
    format!("1.2.3 ({} 2026-01-10)", &id[..10])
}

#[test]
fn a_checkout_is_built_from_its_commit_however_git_keeps_its_refs() {
    let script = BuildScript::compile();
    let crate_ = script.sandbox.new_repository("crate");
    script.sandbox.write(&crate_, "src/lib.rs", "");
    let first = script.sandbox.commit_all(&crate_, "first");
    let watched = |files: &[&str]| files.iter().map(|&file| file.to_owned()).collect::<Vec<_>>();
    let loose = watched(&["build.rs", "HEAD", "main"]);
    assert_eq!(script.run(&crate_), (built(&first), loose.clone()));

    script.git(&crate_, &["pack-refs", "--all"]);
    let packed = watched(&["build.rs", "HEAD", "packed-refs", "HEAD"]);
    assert_eq!(script.run(&crate_), (built(&first), packed), "the second HEAD is its log");

    let log = crate_.join(".git/logs/HEAD");
    let before = std::fs::read(&log).unwrap();
    let second = script.sandbox.commit_all(&crate_, "second");
    assert_ne!(std::fs::read(&log).unwrap(), before, "the log is what tells of the next commit");
    assert_eq!(script.run(&crate_), (built(&second), loose));

    let linked = script.sandbox.path().join("linked");
    script.git(&crate_, &["worktree", "add", "-q", "-b", "other", "../linked", &first]);
    assert_eq!(script.run(&linked), (built(&first), watched(&["build.rs", "HEAD", "other"])));

    script.git(&crate_, &["checkout", "-q", "--detach", &first]);
    assert_eq!(script.run(&crate_), (built(&first), watched(&["build.rs", "HEAD"])));
}

#[test]
fn a_crate_inside_of_somebody_elses_repository_is_not_built_from_its_commit() {
    let script = BuildScript::compile();
    let outer = script.sandbox.new_repository("outer");
    script.sandbox.write(&outer, "vendor/crate/build.rs", "");
    script.sandbox.commit_all(&outer, "vendored");
    let nothing = ("1.2.3".to_owned(), vec!["build.rs".to_owned()]);
    assert_eq!(script.run(&outer.join("vendor/crate")), nothing);
    assert_eq!(script.run(script.sandbox.path()), nothing, "in no repository at all");
    let unborn = script.sandbox.new_repository("unborn");
    assert_eq!(script.run(&unborn).0, "1.2.3", "without a commit");
    // A hook of the outer repository builds: git's variables speak of that one.
    let mut hook = script.command(script.sandbox.path());
    let printed = output(hook.env("GIT_DIR", outer.join(".git")).env("GIT_WORK_TREE", &outer));
    assert!(printed.contains("BUILD_COMMIT=\n"), "{printed}");
}

#[test]
fn a_published_crate_is_built_from_the_commit_that_it_was_made_of() {
    let script = BuildScript::compile();
    let id = "0123456789abcdef0123456789abcdef01234567";
    // Also in a repository: that of somebody who packs it.
    for dir in ["plain", "packed"] {
        let crate_ = script.sandbox.path().join(dir);
        if dir == "packed" {
            script.sandbox.new_repository(dir);
            script.sandbox.commit_all(&crate_, "imported");
        }
        for (git, version) in [
            (format!(r#"{{"sha1": "{id}"}}"#), "1.2.3 (0123456789)"),
            (format!(r#"{{"sha1": "{id}", "dirty": true}}"#), "1.2.3"),
            (r#"{"sha1": "no id; $(x)"}"#.to_owned(), "1.2.3"),
        ] {
            let note = format!("{{\n  \"git\": {git},\n  \"path_in_vcs\": \"\"\n}}");
            script.sandbox.write(&crate_, ".cargo_vcs_info.json", &note);
            let (built, watched) = script.run(&crate_);
            assert_eq!(built, version, "{note}");
            assert!(watched.contains(&".cargo_vcs_info.json".to_owned()), "{watched:?}");
        }
    }
}

#[test]
fn a_build_without_git_is_a_build_without_a_commit() {
    let script = BuildScript::compile();
    let crate_ = script.sandbox.new_repository("crate");
    script.sandbox.commit_all(&crate_, "first");
    let empty = script.sandbox.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let printed = output(script.command(&crate_).env("PATH", &empty));
    assert!(printed.contains("BUILD_VERSION=1.2.3\n"), "{printed}");
}
