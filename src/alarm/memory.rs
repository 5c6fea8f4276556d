//! What the alarm remembers, written into the text of its issue where nobody sees it, and read
//! from there. The text is everybody's who may edit the issue: what is written cannot end the
//! comment that it stands in, and whatever is read that is not what was written is no memory.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::{Failure, State, Trouble};
use crate::names::{CommitSha, RepoName};
use crate::text::markdown::{hidden_json, size};

/// The line by which the issue is known.
pub(super) const MARKER: &str = "<!-- ecosystem-dispatcher:alarm -->";

const BEGIN: &str = "<!-- ecosystem-dispatcher:state ";
const END: &str = " -->";

/// How long the memory gets, in characters: two of these and what people read fit into a text of
/// 60,000.
const LONGEST: usize = 28_000;
/// How much of that names and times may take, so that there is room for the words of some.
const LONGEST_NAMES: usize = 22_000;

#[derive(Serialize, Deserialize)]
struct Written {
    v: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<Detail>,
    #[serde(default, skip_serializing_if = "is_none")]
    more: usize,
    cousins: Vec<Cousin>,
}

impl Written {
    fn read(self) -> Option<State> {
        let Self { v: 1, run, more, cousins } = self else { return None };
        let mut state = State {
            run: run.map(|run| run.read().ok_or(())).transpose().ok()?,
            cousins: BTreeMap::new(),
            // More than GitHub has repositories is no number of ours.
            more: if more < 1_000_000 { more } else { return None },
        };
        for cousin in cousins {
            let (name, trouble) = match cousin {
                Cousin::Full(name, detail) => (name, detail.read()?),
                Cousin::Short(name, since) => {
                    let since = Timestamp::from_second(since).ok()?;
                    let failure = Failure::new("", None);
                    (name, Trouble { failure, since, since_commit: None })
                }
            };
            let repo = RepoName::parse(&name).ok()?;
            state.cousins.insert(repo.key(), (repo, trouble));
        }
        Some(state)
    }
}

fn is_none(more: &usize) -> bool {
    *more == 0
}

/// A name, since when in seconds, and the rest where there was room.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Cousin {
    Full(String, Detail),
    Short(String, i64),
}

#[derive(Serialize, Deserialize)]
struct Detail {
    since: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    error: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Detail {
    fn of(trouble: &Trouble) -> Self {
        Self {
            since: trouble.since.as_second().max(0),
            commit: trouble.since_commit.as_ref().map(ToString::to_string),
            error: trouble.failure.error().to_owned(),
            help: trouble.failure.help().map(ToOwned::to_owned),
        }
    }

    fn read(self) -> Option<Trouble> {
        Some(Trouble {
            failure: Failure::new(&self.error, self.help.as_deref()),
            since: Timestamp::from_second(self.since).ok()?,
            since_commit: self.commit.map(|sha| CommitSha::parse(&sha)).transpose().ok()?,
        })
    }
}

/// Returns the line that holds the state.
pub(super) fn written(state: &State) -> String {
    format!("{BEGIN}{}{END}", state.to_json())
}

/// Returns the state in an issue's text; none when it has none that can be read.
pub(super) fn read(body: &str) -> Option<State> {
    let mut lines = body.lines().map(str::trim_end);
    State::from_json(lines.find_map(|line| line.strip_prefix(BEGIN)?.strip_suffix(END))?)
}

impl State {
    /// Returns the state as JSON on one line, of at most 28,000 characters, for where it is kept
    /// from run to run. Of very many cousins it holds the first by name and how many more there
    /// are, and the words of those for which there is room.
    #[must_use]
    pub fn to_json(&self) -> String {
        hidden_json(&cut(self))
    }

    /// Returns the state in JSON that [`State::to_json`] has made; none for anything else.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str::<Written>(json).ok()?.read()
    }
}

/// Returns as much of the state as is written.
fn cut(state: &State) -> Written {
    let run = state.run.as_ref().map(Detail::of);
    let mut size = run.as_ref().map_or(0, size_of) + 100;
    let mut short = Vec::new();
    for (repo, trouble) in state.cousins() {
        let one = Cousin::Short(repo.to_string(), trouble.since.as_second().max(0));
        let next = size + size_of(&one) + 1;
        if next > LONGEST_NAMES {
            break;
        }
        size = next;
        short.push((one, trouble));
    }
    let more = state.failing() - short.len();
    let cousins = short
        .into_iter()
        .map(|(one, trouble)| {
            let Cousin::Short(name, _) = &one else { return one };
            let full = Cousin::Full(name.clone(), Detail::of(trouble));
            let next = size - size_of(&one) + size_of(&full);
            if next > LONGEST {
                return one;
            }
            size = next;
            full
        })
        .collect();
    Written { v: 1, run, more, cousins }
}

/// Returns whether the text begins as an alarm's does.
pub(super) fn is_headed(body: &str) -> bool {
    body.lines().next().is_some_and(is_marked)
}

/// Returns whether the text is an alarm's.
pub(super) fn is_marked(body: &str) -> bool {
    body.lines().any(|line| line.trim_end() == MARKER)
}

fn size_of(value: &impl Serialize) -> usize {
    size(&hidden_json(value))
}
