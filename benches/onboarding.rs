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

mod memory;
mod monorepo;

use std::hint::black_box;

use criterion::Criterion;
use ecosystem_dispatcher::ecosystem;
use ecosystem_dispatcher::onboarding::subscriptions::diagnose;
use ecosystem_dispatcher::routing::ChangedPath;

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
    memory::instead(CASES.len(), memory_of, || {
        time(&mut Criterion::default().sample_size(10).configure_from_args());
    });
}

fn time(criterion: &mut Criterion) {
    let paths = monorepo::all_paths();
    let mut group = criterion.benchmark_group("validate offline");
    for (name, subscriptions, warnings) in CASES {
        let file = monorepo::list(&subscriptions());
        group.bench_function(name, |bench| bench.iter(|| checked(&file, &paths, warnings)));
    }
    // What of each is the reading of the file.
    let file = monorepo::list(&monorepo::literals());
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

/// Prints the memory that checking takes.
fn memory_of(case: usize) {
    let (name, subscriptions, warnings) = CASES[case];
    let paths = monorepo::all_paths();
    let file = monorepo::list(&subscriptions());
    let before = memory::peak_mebibytes();
    let findings = checked(&file, &paths, warnings);
    let after = memory::peak_mebibytes();
    println!(
        "{name}: {findings} findings, peak {after} MiB in all, of which {before} MiB at most are \
         paths and file"
    );
}
