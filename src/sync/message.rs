//! The messages of commits: subject, text, and the trailers by which a later run knows its own. What
//! upstream wrote is defused: it pings nobody, links no issue and closes none. Pure: nothing here
//! makes a commit, and no identity is compared. Whether a commit is ours is told by a trailer that
//! names its very own tree, so that whatever a person has amended or rebased is a person's.

use unicode_width::UnicodeWidthStr;

use crate::git::files::ObjectId;
use crate::names::{CommitSha, FeaturePath, RepoName};
use crate::text::shown;

mod defuse;
mod own;
mod rebased;
mod trailers;

pub use defuse::{defuse, defused};
pub use own::Own;
pub use rebased::{joining_message, rebased, rebased_from};

use trailers::{rename_ours, tail, written};

/// How wide a subject is, at most, in columns: what `git log --oneline` shows without wrapping.
const SUBJECT: usize = 72;

/// How many subjects of upstream commits a message holds.
const SUBJECTS: usize = 20;

/// How many characters of an upstream subject are shown.
const LONGEST: usize = 120;

/// What the trailers of a commit of ours say.
#[derive(Debug, Clone, Copy)]
pub struct Trailers<'a> {
    /// The features that the commit brings, one trailer each.
    pub features: &'a [FeaturePath],
    /// The monorepo.
    pub source: &'a RepoName,
    /// The commit of it that is brought.
    pub commit: &'a CommitSha,
    /// The id of the dispatch that asked for it, when one did.
    pub dispatch_id: Option<&'a str>,
    /// The tree of the commit that the message is for.
    pub tree: ObjectId,
}

/// An upstream commit, as far as messages and pull requests tell of it. All of it was written by
/// others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamCommit {
    /// Its id.
    pub id: CommitSha,
    /// Its author's name.
    pub author: Vec<u8>,
    /// The first line of its message.
    pub subject: Vec<u8>,
}

/// What a commit of ours says.
#[derive(Debug, Clone, Copy)]
pub struct CommitText<'a> {
    /// The trailers, which also name what the subject is about.
    pub trailers: Trailers<'a>,
    /// The upstream commits that it brings, oldest first; none where that is not known.
    pub commits: &'a [UpstreamCommit],
}

/// Returns the message of a commit that brings features up to an upstream commit.
#[must_use]
pub fn commit_message(text: &CommitText<'_>) -> Vec<u8> {
    let trailers = &text.trailers;
    let (subject, is_cut) = subject(trailers);
    let mut message = subject;
    message.push('\n');
    if is_cut || trailers.features.len() != 1 {
        message.push('\n');
        for feature in trailers.features {
            message += &format!("Feature: {}\n", shown(feature.as_bytes()));
        }
        message += &format!("Source: {} at {}\n", trailers.source, trailers.commit);
    }
    if !text.commits.is_empty() {
        message += "\nUpstream commits:\n";
    }
    // The newest say most about where things stand.
    for commit in text.commits.iter().rev().take(SUBJECTS) {
        message += &format!("- {} {}\n", commit.id.short(), line(&commit.subject));
    }
    let more = text.commits.len().saturating_sub(SUBJECTS);
    if more > 0 {
        message += &format!("and {more} more\n");
    }
    let mut message = defuse(message.as_bytes());
    message.push(b'\n');
    message.extend(written(trailers).into_bytes());
    message
}

/// Returns the message of an upstream commit that is applied by itself: upstream's own, defused, with
/// our trailers behind it. Lines that look like our trailers are renamed, so that nobody upstream can
/// pass a commit off as ours.
#[must_use]
pub fn picked_message(upstream: &[u8], trailers: &Trailers<'_>) -> Vec<u8> {
    let message = rename_ours(&clean(upstream));
    let mut message = defuse(message.trim_ascii());
    if message.is_empty() {
        message = defuse(subject(trailers).0.as_bytes());
    }
    message.push(b'\n');
    if tail(&message).is_none() {
        message.push(b'\n');
    }
    message.extend(written(trailers).into_bytes());
    message
}

/// Returns the first line of a commit's message, which is its subject.
#[must_use]
pub fn subject_of(message: &[u8]) -> &[u8] {
    let message = message.trim_ascii_start();
    message.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end()
}

/// Returns a subject of at most [`SUBJECT`] columns, and whether something was left out of it.
fn subject(trailers: &Trailers<'_>) -> (String, bool) {
    let what = match trailers.features {
        [feature] => shown(feature.as_bytes()).into_owned(),
        features => format!("{} features", features.len()),
    };
    let to = format!(" to {}@{}", trailers.source, trailers.commit.short());
    let whole = format!("Update {what}{to}");
    if columns(&whole) <= SUBJECT {
        return (whole, false);
    }
    // A long name leaves no room for the feature, and the text names it anyway.
    let room = SUBJECT.saturating_sub("Update ".len());
    let to = if columns(&to) + 20 > room { format!(" to {}", trailers.commit.short()) } else { to };
    let what = last_columns(&what, room.saturating_sub(columns(&to)));
    (format!("Update {what}{to}"), true)
}

/// Returns the end of a path, which tells more than its beginning, in at most so many columns.
pub(super) fn last_columns(text: &str, limit: usize) -> String {
    if columns(text) <= limit {
        return text.to_owned();
    }
    let fits = |at: &usize| text.get(*at..).is_some_and(|rest| columns(rest) < limit);
    let at = text.char_indices().map(|(at, _)| at).find(fits).unwrap_or(text.len());
    format!("…{}", text.get(at..).unwrap_or_default())
}

/// Returns how wide a text is; marks that stand over others count too, or there could be any number.
pub(super) fn columns(text: &str) -> usize {
    text.width().max(text.chars().count())
}

/// Returns text of others on one line, cut.
fn line(text: &[u8]) -> String {
    let shown = shown(text.trim_ascii());
    match shown.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", shown.get(..at).unwrap_or_default()),
        None => shown.into_owned(),
    }
}

/// Returns a message with plain line ends, in which control characters are escapes: a terminal that
/// shows the log must not obey it, and git ends a message at its first NUL.
fn clean(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    let mut rest = message.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\r' if rest.peek() == Some(&b'\n') => {}
            b'\n' | b'\t' => out.push(byte),
            byte if byte.is_ascii_control() => {
                out.extend(format!("\\x{byte:02x}").into_bytes());
            }
            byte => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests;
