//! What a pull request remembers of the sync that made it, in a comment that nobody sees. Whoever may
//! edit the text may change it: what is read is compared, never obeyed.

use serde::{Deserialize, Serialize};

use crate::names::{CommitSha, FeaturePath};
use crate::text::markdown::hidden_json;

/// How much of a feature's path a pull request remembers, in characters: it is there for people who
/// look for it.
const LONGEST_FEATURE: usize = 200;

const BEGIN: &str = "<!-- ecosystem-sync: {";
const CLOSE: &str = "} -->";

/// The line that our text ends with: what stands below it is other people's and is kept.
pub(super) const END: &str = "<!-- ecosystem-sync: end -->";

/// What a pull request remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The first feature, with `%` and every byte that is not UTF-8 as `%XX`.
    pub feature: String,
    /// The upstream commit.
    pub commit: String,
    /// The tree of what is proposed.
    pub tree: String,
    /// Whether a sync has closed the pull request, so that no person has decided anything by it.
    pub closed_by_us: bool,
    /// Whether no draft could take the pull request's place, because the repository has none.
    pub no_drafts: bool,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u8,
    feature: String,
    commit: String,
    tree: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    closed_by_us: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    no_drafts: bool,
}

impl Marker {
    /// Returns what is remembered of a sync of these features.
    #[must_use]
    pub fn new(features: &[FeaturePath], commit: &CommitSha, tree: &str) -> Self {
        let feature = features.first().map(FeaturePath::as_bytes).unwrap_or_default();
        Self {
            feature: crate::text::percent(feature).chars().take(LONGEST_FEATURE).collect(),
            commit: commit.to_string(),
            tree: tree.to_owned(),
            closed_by_us: false,
            no_drafts: false,
        }
    }

    /// Returns the marker's line.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { feature, commit, tree, closed_by_us, no_drafts } = self.clone();
        let written = Written { version: 1, feature, commit, tree, closed_by_us, no_drafts };
        let json = hidden_json(&written);
        format!("{BEGIN}{}{CLOSE}", json.trim_start_matches('{').trim_end_matches('}'))
    }

    /// Returns the marker in a text; none when its first such line is not one that we write.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        let mut lines = body.lines().map(str::trim_end);
        let json = lines.find_map(|line| line.strip_prefix(BEGIN)?.strip_suffix(CLOSE))?;
        let written: Written = serde_json::from_str(&format!("{{{json}}}")).ok()?;
        let Written { version: 1, feature, commit, tree, closed_by_us, no_drafts } = written else {
            return None;
        };
        Some(Self { feature, commit, tree, closed_by_us, no_drafts })
    }

    /// Returns a text that says so of a pull request which a sync closes; everything else stays.
    pub(super) fn closing(body: &str) -> Option<String> {
        Self::changed(body, |it| it.closed_by_us = true)
    }

    /// Returns a text that says so of a pull request whose place no draft could take.
    pub(super) fn undraftable(body: &str) -> Option<String> {
        Self::changed(body, |it| it.no_drafts = true)
    }

    fn changed(body: &str, change: impl FnOnce(&mut Self)) -> Option<String> {
        let mut marker = Self::read(body)?;
        change(&mut marker);
        let line = body.lines().find(|line| line.starts_with(BEGIN))?;
        Some(body.replacen(line, &marker.line(), 1))
    }
}

/// Returns what people have written to a text of ours: all that is below its end; all of it when it
/// is none of ours.
pub(super) fn kept(body: &str) -> &str {
    let lines = || body.lines().map(str::trim_end);
    if !lines().any(|line| line.starts_with(BEGIN)) {
        return body.trim();
    }
    let ends = body.match_indices(END).find(|(at, _)| {
        body.get(..*at).is_none_or(|before| before.is_empty() || before.ends_with('\n'))
    });
    ends.and_then(|(at, end)| body.get(at + end.len()..)).unwrap_or_default().trim()
}
