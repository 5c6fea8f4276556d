//! What the integration tests stand on: programs that cannot hang (`process`), git repositories
//! in a directory of their own (`repository`), the built binary (`ecosystem`), the embedded GitHub
//! (`github`), a monorepo that lives (`world`), one with a cousin (`circle`, or without a GitHub `pair`), histories of it (`script`, `simulation`) and the law
//! that they are held to (`oracle`), the table of sample events (`events`), the documents
//! (`document`) and YAML files (`yaml`). Nothing here knows what a test expects, and nothing reads
//! the configuration, the home directory or the tokens of the person who runs it.
#![allow(dead_code, reason = "not every test needs all of it")]

pub(crate) mod circle;
pub(crate) mod document;
pub(crate) mod ecosystem;
pub(crate) mod events;
pub(crate) mod github;
pub(crate) mod loopback;
pub(crate) mod oracle;
pub(crate) mod pair;
pub(crate) mod process;
pub(crate) mod repository;
pub(crate) mod script;
pub(crate) mod simulation;
pub(crate) mod world;
pub(crate) mod yaml;

use std::path::PathBuf;

/// Returns the path of a file in `fixtures/`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    assert!(path.is_file(), "there is no fixture {}", path.display());
    path
}

/// Says which case of a table is next, which the test runner shows when it fails.
#[expect(clippy::print_stdout, reason = "the test runner takes it")]
pub(crate) fn case(name: &str) {
    println!("case: {name}");
}

/// Says that a test shows nothing here, past the test runner, which keeps what `eprintln!` says to
/// itself while a test passes.
pub(crate) fn skipped(why: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED: {why}");
}
