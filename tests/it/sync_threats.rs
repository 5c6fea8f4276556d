//! Each threat to a cousin as a hostile event, history, tree, machine, server or end, through the
//! binary and the embedded GitHub: what is refused leaves the cousin as it was, and nothing that a
//! stranger wrote is ever run.

mod forged;
mod impostors;
mod liars;
#[cfg(unix)]
mod machine;
mod masses;
mod replays;
#[cfg(unix)]
mod stopped;
mod tokens;
mod trees;

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::circle::{Circle, FEATURE, SOURCE};
use crate::support::ecosystem::{Done, Run};

/// The branch that a sync of [`FEATURE`] pushes to.
const BRANCH: &str = "update-from-upstream-features-push";

/// Returns what `ecosystem dispatch` would say of a commit of [`FEATURE`].
fn told(commit: &str) -> Value {
    json!({
        "updated_feature": FEATURE, "commit_sha": commit, "source_repository": SOURCE,
        "dispatch_id": "0123456789abcdef0123456789abcdef",
    })
}

/// Prepares a run on an event in a checkout, as a step of GitHub Actions.
fn step(circle: &Circle, checkout: &Path, payload: &Value) -> Run {
    let file = |name: &str| circle.sandbox.path().join(name);
    circle
        .sync_in(checkout)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "repository_dispatch")
        .env("GITHUB_EVENT_PATH", circle.event(payload))
        .env("RUNNER_TEMP", reports(circle))
        .env("GITHUB_OUTPUT", file("output"))
        .env("GITHUB_STEP_SUMMARY", file("summary"))
        .arg("--no-issue")
}

/// Returns where reports are left, which are meant to stay.
fn reports(circle: &Circle) -> PathBuf {
    let dir = circle.sandbox.path().join("reports");
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// Fails unless the cousin is as it was: one branch, no pull request, no issue.
#[track_caller]
fn expect_untouched(circle: &Circle) {
    assert_eq!(circle.bare(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
    assert!(circle.pulls().is_empty());
}

/// Fails unless a run was refused with this word, and its exit code says so.
#[track_caller]
fn expect_refused(done: Done, code: &str) -> Value {
    let report = done.expect_code(1).json();
    let feature = report["features"][0].clone();
    let found = (&feature["outcome"], &feature["code"]);
    assert_eq!(found, (&json!("refused"), &json!(code)), "{}", feature["error"]);
    feature
}

/// Fails when the Actions runner would find a command of a stranger's in what was said.
#[track_caller]
fn expect_no_command(done: &Done) {
    let own = ["::add-mask::", "::error title=", "::warning title=", "::notice title="];
    for text in [&done.stdout, &done.stderr] {
        for line in text.split(['\n', '\r']) {
            let line = line.trim_start();
            let is_own = own.iter().any(|own| line.starts_with(own));
            assert!(is_own || !line.starts_with("::"), "a command: {line:?}");
            assert!(!line.contains("##["), "a command: {line:?}");
        }
        // JSON is for programs, and holds names as they are.
        let odd = ['\0', '\u{1b}', '\u{202e}', '\u{2066}'];
        let is_json = text.starts_with('{');
        for odd in odd.into_iter().take(if is_json { 2 } else { 4 }) {
            assert!(!text.contains(odd), "{odd:?} is shown as it is: {text}");
        }
    }
}

/// Returns every file below a directory, with its content.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all.extend(files(&path)),
            // A file may go while it is looked for.
            Ok(kind) if kind.is_file() => {
                all.extend(std::fs::read(&path).ok().map(|bytes| (path, bytes)));
            }
            _ => {}
        }
    }
    all
}

/// Fails unless no run has left a temporary file behind.
#[track_caller]
fn expect_nothing_left(circle: &Circle) {
    let left: Vec<_> = std::fs::read_dir(circle.sandbox.temporary()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The bare repository of the monorepo: who writes into it directly asks no server for leave.
struct Source<'c>(&'c Circle);

impl Source<'_> {
    fn dir(&self) -> PathBuf {
        self.0.sandbox.path().join("monorepo.git")
    }

    fn git(&self, args: &[&str]) -> String {
        self.0.sandbox.git(&self.dir(), args)
    }

    /// Writes an object as it is given, whatever git thinks of it.
    fn write(&self, kind: &str, content: &[u8]) -> String {
        let args = ["hash-object", "-t", kind, "-w", "--literally", "--stdin"];
        let id = self.0.sandbox.git_fed(&self.dir(), &args, content);
        String::from_utf8(id).unwrap().trim().to_owned()
    }

    /// Writes a tree of entries in just this order.
    fn tree(&self, entries: &[(&str, &[u8], &str)]) -> String {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name);
            bytes.push(0);
            let pairs = id.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
            bytes.extend(pairs.map(|two| u8::from_str_radix(two, 16).unwrap()));
        }
        self.write("tree", &bytes)
    }

    /// Returns the root tree that holds [`FEATURE`] alone.
    fn root(&self, feature: &str) -> String {
        let features = self.tree(&[("40000", b"push", feature)]);
        self.tree(&[("40000", b"features", &features)])
    }

    /// Writes a commit of a root tree whose parent is where `main` was at first.
    fn commit(&self, root: &str, when: &str) -> String {
        let parent = self.git(&["rev-parse", "refs/heads/main"]);
        let who = format!("Eve <eve@test.example> {when}");
        let text =
            format!("tree {root}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nan update\n");
        self.write("commit", text.as_bytes())
    }

    /// Lets `main` be a commit of this tree of the feature.
    fn publish(&self, feature: &str) -> String {
        let commit = self.commit(&self.root(feature), "1767000000 +0000");
        self.git(&["update-ref", "refs/heads/main", &commit]);
        commit
    }
}
