//! A large monorepo and its cousins, invented: the same on every machine and in every run. It holds
//! no measurement; each bench takes of it what it needs.
#![allow(dead_code, reason = "not every bench needs all of it")]

use std::collections::BTreeSet;

use ecosystem_dispatcher::ecosystem::Cousin;
use ecosystem_dispatcher::names::{EventType, RepoName};
use ecosystem_dispatcher::routing::{ChangedPath, Pattern};
use serde_json::{Value, json};

/// The directory that everything lies in.
pub(crate) const SHARED: &str = "packages";

pub(crate) const COUSINS: usize = 10_000;
pub(crate) const SUBSCRIPTIONS: usize = 10;
pub(crate) const GLOBS: usize = 1_000;

const AREAS: u64 = 20;
/// The features of each area; in the first half of them something changed.
const FEATURES: u64 = 100;
const PARTS: u64 = 10;
const FILES: u64 = 10;
const EXTENSIONS: u64 = 200;

/// Numbers without a visible order. Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom
/// Number Generators" (`SplitMix64`).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new() -> Self {
        Self(0)
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// Returns 100,000 changed paths in 10,000 directories, sorted.
pub(crate) fn changed_paths() -> Vec<ChangedPath> {
    paths_of(FEATURES / 2)
}

/// Returns all 200,000 paths, sorted.
pub(crate) fn all_paths() -> Vec<ChangedPath> {
    paths_of(FEATURES)
}

/// Returns the paths of the first features of each area, sorted.
fn paths_of(features: u64) -> Vec<ChangedPath> {
    let mut paths = Vec::new();
    for area in 0..AREAS {
        for feature in 0..features {
            for part in 0..PARTS {
                for file in 0..FILES {
                    let path = file_path(area, feature, part, file).into_bytes();
                    paths.push(ChangedPath { path, submodule: false });
                }
            }
        }
    }
    paths.sort();
    assert_eq!(paths.len() as u64, AREAS * features * PARTS * FILES);
    paths
}

fn file_path(area: u64, feature: u64, part: u64, file: u64) -> String {
    let extension = (area * 7 + feature * 3 + part * 11 + file * 13) % EXTENSIONS;
    let part = part_path(area, feature, part);
    format!("{part}/file-{file}.ext{extension}")
}

fn part_path(area: u64, feature: u64, part: u64) -> String {
    format!("{}/part-{part}", feature_path(area, feature))
}

fn feature_path(area: u64, feature: u64) -> String {
    format!("{SHARED}/area-{area:02}/feature-{feature:02}")
}

/// Returns the subscriptions of each cousin: directories, and one file in ten. About half of them
/// concern something that changed.
pub(crate) fn literals() -> Vec<Vec<String>> {
    let mut numbers = Numbers::new();
    let mut subscription = || {
        let (area, feature) = (numbers.below(AREAS), numbers.below(FEATURES));
        let (part, file) = (numbers.below(PARTS), numbers.below(FILES));
        match numbers.below(10) {
            0 => file_path(area, feature, part, file),
            1..4 => feature_path(area, feature),
            _ => part_path(area, feature, part),
        }
    };
    let mut cousin = || (0..SUBSCRIPTIONS).map(|_| subscription()).collect();
    (0..COUSINS).map(|_| cousin()).collect()
}

/// Returns 1,000 distinct globs of five kinds, as people write them; three fifths of them lie in an
/// area's directory.
pub(crate) fn globs() -> Vec<String> {
    let glob = |number: usize| {
        let number = number as u64;
        let (kind, number) = (number % 5, number / 5);
        let (tens, ones) = (number / 10, number % 10);
        let area = format!("{SHARED}/area-{tens:02}");
        match kind {
            0 => format!("{area}/*/part-{ones}"),
            1 => format!("**/*.ext{number}"),
            2 => format!("{area}/**/file-{ones}.ext?"),
            3 => format!("{area}/feature-[0-4]{ones}/**/*.ext1?"),
            _ => {
                let parts = ["[0-2]", "[3-5]", "{6,7}", "[89]"][number as usize % 4];
                format!("**/feature-{:02}/part-{parts}/*", number / 4)
            }
        }
    };
    distinct((0..GLOBS).map(glob))
}

/// Returns 1,000 distinct globs that lie in no directory, so that each path is held against all of
/// them, and that globset can look up by no name or extension: the hardest to match.
pub(crate) fn hard_globs() -> Vec<String> {
    let glob = |number: usize| match number {
        0..500 => format!("**/feature-{:02}/*/file-{}.*", number / 10, number % 10),
        500..700 => format!("*/area-{:02}/**/part-{}/*.ext?", (number - 500) / 10, number % 10),
        _ => format!("*/*/feature-{:02}/**/*.ext?{}", (number - 700) / 6, (number - 700) % 6),
    };
    distinct((0..GLOBS).map(glob))
}

fn distinct(globs: impl Iterator<Item = String>) -> Vec<String> {
    let globs: Vec<String> = globs.collect();
    assert_eq!(globs.iter().collect::<BTreeSet<_>>().len(), GLOBS);
    globs
}

/// Returns the subscriptions with a glob in the place of one cousin's in ten.
pub(crate) fn with_globs(
    mut subscriptions: Vec<Vec<String>>,
    globs: &[String],
) -> Vec<Vec<String>> {
    for (cousin, glob) in subscriptions.iter_mut().step_by(COUSINS / GLOBS).zip(globs) {
        glob.clone_into(&mut cousin[0]);
    }
    subscriptions
}

/// Returns the subscriptions with one more of each cousin, which all have in common.
pub(crate) fn with_shared_directory(mut subscriptions: Vec<Vec<String>>) -> Vec<Vec<String>> {
    for cousin in &mut subscriptions {
        cousin.push(SHARED.to_owned());
    }
    subscriptions
}

/// Returns the cousins with these subscriptions.
pub(crate) fn cousins(subscriptions: &[Vec<String>]) -> Vec<Cousin> {
    let cousin = |(number, patterns): (usize, &Vec<String>)| Cousin {
        repo: RepoName::parse(&repository(number)).unwrap(),
        subscriptions: patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect(),
        event_type: EventType::default(),
        enabled: true,
        token_env: None,
        description: None,
        line: 1,
    };
    subscriptions.iter().enumerate().map(cousin).collect()
}

/// Returns the name of a cousin's repository.
pub(crate) fn repository(number: usize) -> String {
    format!("acme/cousin-{number:05}")
}

/// Returns a list of cousins as an editor would save it: indented, each subscription on a line of
/// its own.
pub(crate) fn list(subscriptions: &[Vec<String>]) -> Vec<u8> {
    let cousin = |(number, subscriptions)| json!({"repo": repository(number), "subscriptions": subscriptions});
    let cousins: Vec<Value> = subscriptions.iter().enumerate().map(cousin).collect();
    serde_json::to_vec_pretty(&cousins).unwrap()
}
