//! Checking `ecosystem.json` offline: 10,000 cousins with 10 subscriptions each against a tree of
//! 200,000 files.
//!
//!     cargo bench --bench onboarding
//!     cargo bench --bench onboarding -- --memory
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, fails by panicking and runs itself"
)]

mod monorepo;

use std::hint::black_box;

use criterion::Criterion;
use ecosystem_dispatcher::ecosystem;
use ecosystem_dispatcher::onboarding::subscriptions::diagnose;
use ecosystem_dispatcher::routing::ChangedPath;
use serde_json::{Value, json};

/// Subscriptions to check: what they are called, how they are made, and how many warnings there are
/// at least.
type Case = (&'static str, fn() -> Vec<Vec<String>>, usize);

const CASES: [Case; 7] = [
    ("all match", monorepo::literals, 0),
    ("all are typos", || each(monorepo::literals(), |text| format!("{text}x")), 99_000),
    ("all in upper case", || each(monorepo::literals(), str::to_uppercase), 99_000),
    (
        "1,000 globs among them",
        || monorepo::with_globs(monorepo::literals(), &monorepo::globs()),
        0,
    ),
    (
        "1,000 hard globs among them",
        || monorepo::with_globs(monorepo::literals(), &monorepo::hard_globs()),
        0,
    ),
    (
        "1,000 globs that match nothing among them",
        || monorepo::with_globs(monorepo::literals(), &(0..1000).map(absent).collect::<Vec<_>>()),
        1000,
    ),
    ("an exclusion in each cousin", excluding, 0),
];

fn absent(number: usize) -> String {
    format!("**/*.x{number}")
}

fn each(mut subscriptions: Vec<Vec<String>>, change: fn(&str) -> String) -> Vec<Vec<String>> {
    for text in subscriptions.iter_mut().flatten() {
        *text = change(text);
    }
    subscriptions
}

/// Returns the subscriptions with one exclusion more, the same for every cousin.
fn excluding() -> Vec<Vec<String>> {
    let mut subscriptions = monorepo::literals();
    for cousin in &mut subscriptions {
        cousin.push("!**/*.ext7".to_owned());
    }
    subscriptions
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().position(|argument| argument == "--memory") {
        Some(at) => match arguments.get(at + 1).and_then(|number| number.parse().ok()) {
            Some(case) => memory_of(case),
            None => memory(),
        },
        None => time(&mut Criterion::default().sample_size(10).configure_from_args()),
    }
}

fn time(criterion: &mut Criterion) {
    let paths = monorepo::all_paths();
    let mut group = criterion.benchmark_group("validate offline");
    for (name, subscriptions, warnings) in CASES {
        let file = file_of(&subscriptions());
        group.bench_function(name, |bench| bench.iter(|| checked(&file, &paths, warnings)));
    }
    // What of each is the reading of the file.
    let file = file_of(&monorepo::literals());
    group.bench_function("reading the file alone", |bench| {
        bench.iter(|| ecosystem::parse("ecosystem.json", black_box(&file)).unwrap());
    });
    group.finish();
    criterion.final_summary();
}

/// Reads and checks the file, and returns how many findings there are.
fn checked(file: &[u8], paths: &[ChangedPath], warnings: usize) -> usize {
    let diagnosis = diagnose("ecosystem.json", black_box(file), black_box(paths)).unwrap();
    let counts = diagnosis.counts();
    assert_eq!(counts.errors, 0);
    assert!(counts.warnings >= warnings, "{} warnings of {warnings}", counts.warnings);
    counts.all()
}

/// Returns the file as an editor would save it.
fn file_of(subscriptions: &[Vec<String>]) -> Vec<u8> {
    let cousin = |(number, subscriptions)| json!({"repo": monorepo::repository(number), "subscriptions": subscriptions});
    let cousins: Vec<Value> = subscriptions.iter().enumerate().map(cousin).collect();
    serde_json::to_vec_pretty(&cousins).unwrap()
}

/// Prints the memory that checking takes, each case in a process of its own.
fn memory() {
    for number in 0..CASES.len() {
        let mut case = std::process::Command::new(std::env::current_exe().unwrap());
        let status = case.args(["--memory", &number.to_string()]).status().unwrap();
        assert!(status.success());
    }
}

fn memory_of(case: usize) {
    let (name, subscriptions, warnings) = CASES[case];
    let paths = monorepo::all_paths();
    let file = file_of(&subscriptions());
    let before = peak_mebibytes();
    let findings = checked(&file, &paths, warnings);
    let (before, after) = before.zip(peak_mebibytes()).expect("Linux tells it in /proc/self");
    println!(
        "{name}: {findings} findings, peak {after} MiB in all, of which {before} MiB at most are \
         paths and file"
    );
}

/// Returns the most memory that this process ever had resident; none where the system is not Linux.
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.div_ceil(1024))
}
