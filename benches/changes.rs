//! Changed paths: our own walk of two trees, next to libgit2's diff of the same two, in a packed
//! repository of 200,000 files with the layout of `benches/compare`.
//!
//!     cargo bench --bench changes
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench fails by panicking and runs git"
)]

mod packed;

use std::hint::black_box;
use std::path::Path;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use ecosystem_dispatcher::git::changes;
use ecosystem_dispatcher::routing::{Pattern, Reach};
use git2::{Oid, Repository, RepositoryOpenFlags};

const AREAS: usize = 20;
const FEATURES: usize = 10;
const PARTS: usize = 10;
const FILES: usize = 100;

/// A change: its branch, how many files it changes, and how many of those lie in a tenth of the tree.
const CHANGES: [(&str, usize, usize); 2] = [("one", 1, 1), ("many", 20_000, 2_000)];

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = walk
}
criterion_main!(benches);

fn walk(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    make_repository(directory.path());
    let repository = open(directory.path());
    let base = tree(&repository, "base");
    let tenth: Vec<String> = (0..AREAS / 10).map(|area| format!("area-{area:02}")).collect();
    for (branch, all, in_a_tenth) in CHANGES {
        let mut group = criterion.benchmark_group(format!("{all} of 200,000 files changed"));
        let head = tree(&repository, branch);
        for (name, patterns, expected) in [
            ("all in reach", vec!["**".to_owned()], all),
            ("a tenth in reach", tenth.clone(), in_a_tenth),
        ] {
            let patterns: Vec<Pattern> =
                patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect();
            let reach = Reach::new(&patterns);
            let between = |repository: &Repository| {
                let changes = changes::between(repository, Some(base), Some(head), &reach).unwrap();
                assert_eq!(changes.paths.len(), expected);
                changes
            };
            compare(&mut group, &format!("walk, {name}"), directory.path(), between);
        }
        compare(&mut group, "libgit2's diff", directory.path(), |repository| {
            let [base, head] = [base, head].map(|id| repository.find_tree(id).unwrap());
            let diff = repository.diff_tree_to_tree(Some(&base), Some(&head), None);
            let paths = diff.unwrap().deltas().len();
            assert_eq!(paths, all);
            paths
        });
        group.finish();
    }
}

/// Measures `find` as often as wanted in one repository, and in one that was just opened, as a
/// process finds it.
fn compare<R>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    directory: &Path,
    find: impl Fn(&Repository) -> R,
) {
    let repository = open(directory);
    group.bench_function(name, |bench| bench.iter(|| black_box(find(&repository))));
    group.bench_function(format!("{name}, just opened"), |bench| {
        let find = |repository| {
            let found = black_box(find(&repository));
            // Closing is not measured: what is returned is dropped outside of the time.
            (repository, found)
        };
        bench.iter_batched(|| open(directory), find, BatchSize::PerIteration);
    });
}

fn open(directory: &Path) -> Repository {
    let none: [&str; 0] = [];
    Repository::open_ext(directory, RepositoryOpenFlags::NO_SEARCH, none).unwrap()
}

/// Returns the tree of a branch.
fn tree(repository: &Repository, branch: &str) -> Oid {
    let name = format!("refs/heads/{branch}");
    repository.find_reference(&name).unwrap().peel_to_tree().unwrap().id()
}

/// Makes a bare, packed repository with the branch `base`, and on it one for each of [`CHANGES`].
fn make_repository(directory: &Path) {
    let every = paths();
    assert_eq!(every.len(), 200_000);
    let every = || every.iter().map(String::as_str);
    packed::repository(directory, |out| {
        packed::commit(out, "base", None, every());
        for (branch, files, _) in CHANGES {
            // Spread evenly over the tree.
            let changed = every().step_by(every().len() / files);
            packed::commit(out, branch, Some("base"), changed);
        }
    });
}

fn paths() -> Vec<String> {
    let parts = (0..AREAS * FEATURES * PARTS).map(|number| {
        let (area, feature) = (number / (FEATURES * PARTS), number / PARTS % FEATURES);
        format!("area-{area:02}/feature-{feature}/part-{}", number % PARTS)
    });
    let file = |part: String| (0..FILES).map(move |file| format!("{part}/file-{file:02}.txt"));
    parts.flat_map(file).collect()
}
