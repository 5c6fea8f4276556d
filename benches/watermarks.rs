//! Watermarks at scale, against a bare repository on this machine: 10,000 refs are read, and all
//! are moved in one push, next to what git itself takes for moving as many; and `ecosystem
//! dispatch --dry-run --watermarks` plans for 1,000 cousins that stand at 20 commits, next to the
//! same cousins at one.
//!
//!     cargo bench --bench watermarks
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, fails by panicking and runs the program and git"
)]

mod monorepo;
mod packed;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::Criterion;
use ecosystem_dispatcher::git::command::Git;
use ecosystem_dispatcher::git::fetch::Remote;
use ecosystem_dispatcher::git::refs::{self, Update, Writer};
use ecosystem_dispatcher::names::CommitSha;

const REFS: usize = 10_000;
const COUSINS: usize = 1_000;
const COMMITS: usize = 20;

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let directory = tempfile::tempdir().unwrap();
    moving(&mut criterion, directory.path());
    planning(&mut criterion, directory.path());
    criterion.final_summary();
}

/// 10,000 refs of a small repository.
fn moving(criterion: &mut Criterion, directory: &Path) {
    let origin = directory.join("small.git");
    packed::repository(&origin, |out| {
        packed::commit(out, "main", None, ["a"].into_iter());
        packed::commit(out, "main", None, ["b"].into_iter());
    });
    let [new, old] = ["main", "main~1"].map(|revision| commit(&origin, revision));
    let git = Git::new(std::env::vars_os());
    let remote =
        Remote::new(origin.to_str().unwrap(), directory, "https://github.com", &[]).unwrap();
    let updates = |old: Option<&CommitSha>, new: &CommitSha| -> Vec<Update> {
        let update = |number| Update {
            name: format!("watermarks/{}", monorepo::repository(number)),
            old: old.cloned(),
            new: Some(new.clone()),
        };
        (0..REFS).map(update).collect()
    };
    let writer = Writer::new(&git, &remote, &[origin.join("objects")], Some(&new)).unwrap();
    let write = |updates: &[Update]| {
        let start = Instant::now();
        let told = writer.write(updates).unwrap();
        let took = start.elapsed();
        assert!(told.len() == REFS && told.iter().all(Result::is_ok));
        took
    };
    println!("made 10,000 refs: {:.2?}", write(&updates(None, &old)));

    criterion.bench_function("10,000 refs: read", |bench| {
        bench.iter(|| assert_eq!(refs::list(&git, &remote, None).unwrap().refs.len(), REFS));
    });
    criterion.bench_function("10,000 refs: git ls-remote", |bench| {
        bench.iter(|| {
            let mut git = Command::new("git");
            let output = git.arg("ls-remote").arg(&origin).output().unwrap();
            assert!(output.stdout.iter().filter(|byte| **byte == b'\n').count() > REFS);
        });
    });
    let there_and_back =
        |rounds: u64, there: &mut dyn FnMut(&CommitSha, &CommitSha) -> Duration| {
            let (mut from, mut to) = (&old, &new);
            let mut sum = Duration::ZERO;
            for _ in 0..rounds {
                sum += there(from, to);
                std::mem::swap(&mut from, &mut to);
            }
            // The next measurement begins where this one did.
            if rounds % 2 == 1 {
                there(from, to);
            }
            sum
        };
    criterion.bench_function("10,000 refs: all moved in one push", |bench| {
        bench.iter_custom(|rounds| {
            there_and_back(rounds, &mut |from, to| write(&updates(Some(from), to)))
        });
    });
    criterion.bench_function("10,000 refs: git update-ref --stdin", |bench| {
        bench.iter_custom(|rounds| {
            there_and_back(rounds, &mut |from, to| {
                let start = Instant::now();
                update_refs(&origin, &updates(Some(from), to));
                start.elapsed()
            })
        });
    });
}

/// 1,000 cousins of a monorepo with 200,000 files, of which each of 20 commits changes a twentieth.
fn planning(criterion: &mut Criterion, directory: &Path) {
    let origin = directory.join("large.git");
    let paths = monorepo::all_paths();
    let paths: Vec<&str> =
        paths.iter().map(|changed| std::str::from_utf8(&changed.path).unwrap()).collect();
    packed::repository(&origin, |out| {
        packed::commit(out, "main", None, paths.iter().copied());
        for number in 0..COMMITS {
            let some = paths.iter().skip(number).step_by(COMMITS).copied();
            packed::commit_as(out, "main", None, some, &number.to_string());
        }
    });
    let clone = directory.join("clone");
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--no-checkout"]).arg(&origin).arg(&clone);
    assert!(git.status().unwrap().success());
    let subscriptions: Vec<Vec<String>> = monorepo::literals().into_iter().take(COUSINS).collect();
    let list = directory.join("list.json");
    std::fs::write(&list, monorepo::list(&subscriptions)).unwrap();
    let commits: Vec<CommitSha> =
        (1..=COMMITS).map(|back| commit(&origin, &format!("main~{back}"))).collect();
    let mut at = |name: &str, of: &dyn Fn(usize) -> usize| {
        let mark = |number: usize| Update {
            name: format!("watermarks/{}", monorepo::repository(number)),
            old: None,
            new: Some(commits[of(number)].clone()),
        };
        update_refs(&origin, &(0..COUSINS).map(mark).collect::<Vec<_>>());
        criterion.bench_function(&format!("1,000 cousins at {name}: planned"), |bench| {
            bench.iter(|| plan(&clone, &list));
        });
    };
    at("one commit", &|_| COMMITS - 1);
    at("20 commits", &|number| number % COMMITS);
}

fn plan(clone: &Path, list: &PathBuf) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_ecosystem"));
    process.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    process.arg("-C").arg(clone).args(["dispatch", "--dry-run", "--watermarks", "--ecosystem"]);
    let output = process.arg(list).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let end = said.lines().last().unwrap_or_default();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(end.contains("1000 cousins planned"), "{end}");
}

fn commit(repository: &Path, revision: &str) -> CommitSha {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(repository).args(["rev-parse", revision]).output().unwrap();
    CommitSha::parse(std::str::from_utf8(&output.stdout).unwrap().trim()).unwrap()
}

/// Lets git itself move the refs, without any transport.
fn update_refs(repository: &Path, updates: &[Update]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(repository).args(["update-ref", "--stdin"]).stdin(Stdio::piped());
    let mut git = git.spawn().unwrap();
    let mut text = String::new();
    for Update { name, new, .. } in updates {
        let new = new.as_ref().unwrap();
        writeln!(text, "update {}{name} {new}", refs::PREFIX).unwrap();
    }
    git.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(git.wait().unwrap().success());
}
