//! `ecosystem.json`: reading and checking 10,000 cousins with 10 subscriptions each.
//!
//!     cargo bench --bench ecosystem
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking"
)]

mod monorepo;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecosystem_dispatcher::ecosystem;

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = parse
}
criterion_main!(benches);

fn parse(criterion: &mut Criterion) {
    let literals = monorepo::literals();
    let globs = monorepo::with_globs(literals.clone(), &monorepo::globs());
    let mut group = criterion.benchmark_group("parse 10,000 cousins");
    for (name, subscriptions) in
        [("10 literals", literals), ("10 literals, 1,000 globs among them", globs)]
    {
        let file = monorepo::list(&subscriptions);
        group.throughput(Throughput::Bytes(file.len() as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let read = ecosystem::parse("ecosystem.json", black_box(&file)).unwrap();
                assert_eq!(read.cousins.len(), monorepo::COUSINS);
                read
            });
        });
    }
    group.finish();
}
