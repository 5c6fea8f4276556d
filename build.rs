//! Which commit the program is built from, and for which target, so that `--version` can say it.
//! The commit is that of the checkout whose top level this crate is, or the one that the published
//! crate was made of; else none is named, never a wrong one: not that of a repository that merely
//! contains the crate. Whether files differ from the commit is not said: to know that at each
//! build, each build would have to be a whole one. Nothing here can fail a build.

use std::fs;
use std::path::Path;
use std::process::Command;

/// As many characters of a commit's id as are shown: those of `rustc --version` and one more.
const SHORT: usize = 10;

fn main() {
    // Without a line of this kind cargo would come here after every change of any file.
    println!("cargo::rerun-if-changed=build.rs");
    let note = Path::new(".cargo_vcs_info.json");
    let commit = if note.is_file() { published(note) } else { checked_out() };
    let (id, date) = commit.unwrap_or_default();
    let mut version = variable("CARGO_PKG_VERSION");
    if let Some(short) = id.get(..SHORT) {
        let date = if date.is_empty() { String::new() } else { format!(" {date}") };
        version = format!("{version} ({short}{date})");
    }
    // Set also when empty, so that no variable of whoever builds is taken for them.
    println!("cargo::rustc-env=BUILD_VERSION={version}");
    println!("cargo::rustc-env=BUILD_COMMIT={id}");
    println!("cargo::rustc-env=BUILD_DATE={date}");
    println!("cargo::rustc-env=BUILD_TARGET={}", variable("TARGET"));
}

#[expect(
    clippy::disallowed_methods,
    reason = "what cargo tells a build script, it tells like this"
)]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Returns the commit that a published crate was made of, which cargo has noted in it. It says no
/// date, and of a tree that was not committed it says nothing that counts. A repository that such a
/// crate lies in is that of whoever packs it.
fn published(note: &Path) -> Option<(String, String)> {
    println!("cargo::rerun-if-changed={}", note.display());
    let text = fs::read_to_string(note).ok()?;
    let text: String = text.split_whitespace().collect();
    let (_, after) = text.split_once("\"sha1\":\"")?;
    let (id, _) = after.split_once('"')?;
    let committed = !text.contains("\"dirty\":true");
    Some((id.to_owned(), String::new())).filter(|_| committed && is_id(id))
}

/// Returns the commit that is checked out here and its date, and has cargo come back when another
/// one is.
fn checked_out() -> Option<(String, String)> {
    // Empty at the top level, and nowhere below it.
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    watch();
    let shown =
        git(&["show", "--no-patch", "--no-show-signature", "--date=short", "--format=%H %cd"])?;
    let (id, date) = shown.split_once(' ')?;
    let is_date = date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = if is_date { date } else { "" };
    Some((id.to_owned(), date.to_owned())).filter(|_| is_id(id))
}

/// Names the files that change when another commit is checked out or made, in whatever way the
/// repository keeps its refs. Only those that exist: one that is missing counts as changed always.
fn watch() {
    let mut files = vec![path("HEAD")];
    // None when HEAD is detached: it holds the commit itself.
    if let Some(branch) = git(&["symbolic-ref", "--quiet", "HEAD"]) {
        let loose = path(&branch);
        if loose.as_deref().is_some_and(|file| Path::new(file).is_file()) {
            files.push(loose);
        } else {
            // The next commit makes a file of its own for the branch: HEAD's log notices.
            files.extend([path("packed-refs"), path("logs/HEAD")]);
            for directory in ["--git-dir", "--git-common-dir"] {
                let tables = git(&["rev-parse", directory]);
                files.push(tables.map(|directory| format!("{directory}/reftable/tables.list")));
            }
        }
    }
    for file in files.into_iter().flatten().filter(|file| Path::new(file).is_file()) {
        println!("cargo::rerun-if-changed={file}");
    }
}

/// Returns where git keeps something: beside a linked work tree, or with the repository's own.
fn path(name: &str) -> Option<String> {
    git(&["rev-parse", "--git-path", name])
}

/// Runs git and returns its one line; none where it fails or is not installed.
#[expect(
    clippy::disallowed_methods,
    reason = "it reads the crate's own checkout, before there is a program"
)]
fn git(args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // Set where a hook of another repository builds.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let output = command.args(args).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let fine = output.status.success() && !line.contains('\n');
    fine.then(|| line.to_owned())
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
