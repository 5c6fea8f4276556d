//! Whose run is whose as tables and laws (`matching`), the rounds on the virtual clock against
//! invented servers (`polling`), what is made of answers (`answers`), and all of it over real HTTP
//! against the embedded GitHub (`github`).

use std::time::Duration;

use jiff::Timestamp;

use super::*;

mod answers;
mod github;
mod matching;
mod polling;

const S: fn(u64) -> Duration = Duration::from_secs;

/// 2026-01-02 03:04:05 UTC, when all of these runs start.
const START: i64 = 1_767_323_045;

/// Returns the time so many seconds after the start.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

/// Returns an id that tells its number.
fn id(number: usize) -> String {
    format!("{number:032x}")
}

fn name(repo: &str) -> RepoName {
    RepoName::parse(repo).unwrap()
}
