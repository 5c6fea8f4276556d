//! Routing: a day of 10,000 cousins with 10 subscriptions each and 100,000 changed paths.
//!
//!     cargo bench --bench routing
//!     cargo bench --bench routing -- --memory
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
use ecosystem_dispatcher::ecosystem::Cousin;
use ecosystem_dispatcher::routing::{ChangedPath, Matcher, Pattern, plan};

/// Subscriptions to plan for: what they are called and how they are made.
type Case = (&'static str, fn() -> Vec<Vec<String>>);

const CASES: [Case; 4] = [
    ("10 literals", monorepo::literals),
    ("10 literals, 1,000 globs among them", || {
        monorepo::with_globs(monorepo::literals(), &monorepo::globs())
    }),
    ("10 literals, 1,000 hard globs among them", || {
        monorepo::with_globs(monorepo::literals(), &monorepo::hard_globs())
    }),
    ("10 literals, and a directory that all follow", || {
        monorepo::with_shared_directory(monorepo::literals())
    }),
];

fn main() {
    memory::instead(CASES.len(), memory_of, || {
        time(&mut Criterion::default().sample_size(10).configure_from_args());
    });
}

fn time(criterion: &mut Criterion) {
    let changed = monorepo::changed_paths();
    let mut group = criterion.benchmark_group("plan");
    for (name, subscriptions) in CASES {
        let cousins = monorepo::cousins(&subscriptions());
        group.bench_function(name, |bench| bench.iter(|| planned(&cousins, &changed)));
        // What of it is the making of the matcher.
        group.bench_function(format!("{name}: matcher only"), |bench| {
            let lists = || cousins.iter().map(|cousin| cousin.subscriptions.as_slice());
            bench.iter(|| Matcher::new(black_box(lists())).unwrap());
        });
    }
    group.finish();
    let texts = monorepo::with_globs(monorepo::literals(), &monorepo::globs());
    criterion.bench_function("Pattern::parse, 100,000 of them", |bench| {
        let parse = |text: &String| Pattern::parse(text).unwrap();
        bench.iter(|| texts.iter().flatten().map(parse).map(black_box).count());
    });
    criterion.final_summary();
}

/// Plans, and returns how many dispatches the plan has.
fn planned(cousins: &[Cousin], changed: &[ChangedPath]) -> usize {
    let plan = plan(black_box(cousins), black_box(changed)).unwrap();
    assert!(plan.dispatches.len() > 10_000, "the plan of a busy day is long");
    black_box(&plan).dispatches.len()
}

/// Prints the memory that planning takes.
fn memory_of(case: usize) {
    let (name, subscriptions) = CASES[case];
    let changed = monorepo::changed_paths();
    let cousins = monorepo::cousins(&subscriptions());
    let before = memory::peak_mebibytes();
    let dispatches = planned(&cousins, &changed);
    let after = memory::peak_mebibytes();
    println!(
        "{name}: {dispatches} dispatches, peak {after} MiB in all, of which {before} MiB at most \
         are cousins and paths"
    );
}
