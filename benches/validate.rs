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

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use criterion::Criterion;
use ecosystem_dispatcher::embedded_github::{EmbeddedGitHub, Model, Token};
use serde_json::{Value, json};
use tokio::sync::oneshot;

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
    std::fs::write(&all, list(&monorepo::literals())).unwrap();
    let name = "offline: 10,000 cousins with 10 subscriptions, 200,000 files";
    criterion.bench_function(name, |bench| {
        bench.iter(|| run(validate(&repository, &all), "10000 cousins with 100000 subscriptions"));
    });

    let few: Vec<Vec<String>> =
        monorepo::literals().into_iter().take(ONLINE).map(|it| it[..1].to_vec()).collect();
    let some = directory.path().join("some.json");
    std::fs::write(&some, list(&few)).unwrap();
    let mut requests = 0;
    criterion.bench_function("online: 200 cousins, each request answered after 100 ms", |bench| {
        bench.iter_custom(|rounds| {
            let mut one = || {
                let github = Served::start(github(&few));
                let mut process = validate(&repository, &some);
                process.arg("--online").env("GITHUB_API_URL", github.0.url());
                process.env("ECOSYSTEM_PAT", TOKEN);
                let start = Instant::now();
                run(process, "200 cousins with 200 subscriptions");
                let took = start.elapsed();
                requests = github.0.with(|model| model.requests().len());
                took
            };
            (0..rounds).map(|_| one()).sum()
        });
    });
    criterion.final_summary();
    println!("online: {requests} requests about {ONLINE} cousins");
}

/// Returns a list of cousins as an editor would save it.
fn list(subscriptions: &[Vec<String>]) -> Vec<u8> {
    let cousin = |(number, subscriptions)| json!({"repo": monorepo::repository(number), "subscriptions": subscriptions});
    let cousins: Vec<Value> = subscriptions.iter().enumerate().map(cousin).collect();
    serde_json::to_vec_pretty(&cousins).unwrap()
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
fn github(subscriptions: &[Vec<String>]) -> Model {
    let model = Model::new().latency(LATENCY).token(TOKEN, Token::may_write_all());
    subscriptions.iter().enumerate().fold(model, |model, (number, features)| {
        model.repository_with(&monorepo::repository(number), |it| {
            it.file(".github/workflows/follow.yml", LISTENER)
                .file("subscriptions.json", serde_json::to_vec(features).unwrap())
        })
    })
}

/// GitHub on a thread of its own, which ends with it.
struct Served(Arc<EmbeddedGitHub>, #[expect(dead_code, reason = "dropping it stops")] Stop);

type Stop = oneshot::Sender<()>;

impl Served {
    fn start(model: Model) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (lend, lent) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                lend.send(Arc::new(EmbeddedGitHub::start(model).await.unwrap())).unwrap();
                // An error: nobody needs it any more.
                let _ = stopped.await;
            });
        });
        Self(lent.recv().unwrap(), stop)
    }
}

/// Makes a bare, packed repository whose HEAD has all paths of the invented monorepo.
fn make_repository(directory: &Path) {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        // Nobody's configuration, and no repository but this one.
        git.env("GIT_CONFIG_GLOBAL", directory.join("no-config"));
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_DIR", directory).args(arguments);
        git
    };
    assert!(git(&["init", "--quiet", "--bare", "-b", "main"]).status().unwrap().success());
    let mut import = git(&["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut out = BufWriter::new(import.stdin.take().unwrap());
    writeln!(out, "commit refs/heads/main").unwrap();
    writeln!(out, "committer Nobody <nobody@example.org> 1700000000 +0000\ndata 0").unwrap();
    for changed in monorepo::all_paths() {
        let path = String::from_utf8(changed.path).unwrap();
        writeln!(out, "M 100644 inline {path}\ndata {}\n{path}", path.len()).unwrap();
    }
    out.flush().unwrap();
    drop(out);
    assert!(import.wait().unwrap().success());
    assert!(git(&["repack", "-a", "-d", "--quiet"]).status().unwrap().success());
}
