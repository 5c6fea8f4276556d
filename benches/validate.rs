//! `ecosystem validate` as whole processes: offline in a packed repository of 200,000 files with
//! 10,000 cousins, and online about 200 cousins of the embedded GitHub, which answers each request
//! after 100 ms and enforces GitHub's limits.
//!
//!     cargo bench --bench validate
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
mod served;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::Criterion;
use ecosystem_dispatcher::embedded_github::{Model, Token};
use served::Served;

const TOKEN: &str = "bench-token";
const LATENCY: Duration = Duration::from_millis(100);
const ONLINE: usize = 200;

const LISTENER: &str = "on:\n  repository_dispatch:\n    types: [feature-update]\njobs:\n  follow:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cat \"$GITHUB_EVENT_PATH\"\n";

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let directory = tempfile::tempdir().unwrap();
    let repository = directory.path().join("monorepo.git");
    make_repository(&repository);

    let all = directory.path().join("all.json");
    std::fs::write(&all, monorepo::list(&monorepo::literals())).unwrap();
    let name = "offline: 10,000 cousins with 10 subscriptions, 200,000 files";
    criterion.bench_function(name, |bench| {
        bench.iter(|| run(validate(&repository, &all), "10000 cousins with 100000 subscriptions"));
    });

    let few: Vec<Vec<String>> =
        monorepo::literals().into_iter().take(ONLINE).map(|it| it[..1].to_vec()).collect();
    let some = directory.path().join("some.json");
    std::fs::write(&some, monorepo::list(&few)).unwrap();
    let mut requests = 0;
    criterion.bench_function("online: 200 cousins, each request answered after 100 ms", |bench| {
        bench.iter_custom(|rounds| {
            let mut one = || {
                let served = Served::start(model(&few));
                let mut process = validate(&repository, &some);
                process.arg("--online").env("GITHUB_API_URL", served.github.url());
                process.env("ECOSYSTEM_PAT", TOKEN);
                let start = Instant::now();
                run(process, "200 cousins with 200 subscriptions");
                let took = start.elapsed();
                requests = served.github.with(|model| model.requests().len());
                took
            };
            (0..rounds).map(|_| one()).sum()
        });
    });
    criterion.final_summary();
    println!("online: {requests} requests about {ONLINE} cousins");
}

fn validate(repository: &Path, list: &Path) -> Command {
    let mut process = Command::new(env!("CARGO_BIN_EXE_ecosystem"));
    process.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    process.arg("-C").arg(repository).args(["validate", "--ecosystem"]).arg(list);
    process
}

/// Runs a validation that must end well and have looked at everything.
fn run(mut process: Command, looked_at: &str) {
    let output = process.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let end = said.lines().last().unwrap_or_default();
    assert!(output.status.success(), "{end}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(end.contains(looked_at) && end.contains("200000 paths"), "{end}");
}

/// Returns a GitHub with its limits that has the cousins, each set up as it should be.
fn model(subscriptions: &[Vec<String>]) -> Model {
    let model = Model::new().latency(LATENCY).token(TOKEN, Token::may_write_all());
    subscriptions.iter().enumerate().fold(model, |model, (number, features)| {
        model.repository_with(&monorepo::repository(number), |it| {
            it.file(".github/workflows/follow.yml", LISTENER)
                .file("subscriptions.json", serde_json::to_vec(features).unwrap())
        })
    })
}

/// Makes a repository whose HEAD has all paths of the invented monorepo.
fn make_repository(directory: &Path) {
    let paths = monorepo::all_paths();
    let paths = paths.iter().map(|changed| std::str::from_utf8(&changed.path).unwrap());
    packed::repository(directory, |out| packed::commit(out, "main", None, paths));
}
