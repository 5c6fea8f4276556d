//! What the issue about a failure says. Pure; what others wrote stands in code that it cannot leave.

use jiff::Timestamp;

use super::found::Key;
use super::{Failure, Subject};
use crate::sync::message::{defused, last_columns};
use crate::sync::proposal::plain;
use crate::text::markdown::{address, code, size};
use crate::text::shown;

/// How long a title gets, in columns, before what is in it is defused, which may make a path half as
/// long again: GitHub takes 256 characters.
const TITLE: usize = 170;

/// How long the commands get, in characters.
const LONGEST_COMMANDS: usize = 20_000;

/// Returns the title.
pub(super) fn title(subject: &Subject<'_>) -> String {
    let of = format!(" from {} fails", subject.source);
    // At the source many cousins have such an issue.
    let whole = format!("{of} in {}", subject.cousin);
    let of = if whole.len() + 40 > TITLE { of } else { whole };
    let room = TITLE.saturating_sub(of.len()).max(20);
    let feature = last_columns(&shown(subject.feature.as_bytes()), room);
    defused(&format!("Sync of {feature}{of}"))
}

/// Returns the text.
pub(super) fn body(
    subject: &Subject<'_>,
    failure: &Failure<'_>,
    key: &Key,
    since: Timestamp,
) -> String {
    let server = subject.server.trim_end_matches('/');
    let mut text = format!(
        "{}\n**Updates of {} from {} do not arrive in {}**, since {}.\n\n",
        key.line(since),
        code(&shown(subject.feature.as_bytes())),
        linked(subject.source.as_str(), &format!("{server}/{}", subject.source)),
        linked(subject.cousin.as_str(), &format!("{server}/{}", subject.cousin)),
        since.strftime("%Y-%m-%d %H:%M UTC"),
    );
    text += &format!("What failed: {}\n", code(failure.error));
    if let Some(help) = failure.help {
        text += &format!("\nWhat to do: {}\n", plain(help));
    }
    if let Some(commit) = failure.commit {
        let url = format!("{server}/{}/commit/{commit}", subject.source);
        text += &format!("\nWhat was to be brought: {}\n", linked(commit.short(), &url));
    }
    text += &commands(failure.commands);
    if let Some(url) = subject.run_url.and_then(address) {
        text += &format!("\nLast tried by [this run](<{url}>).\n");
    }
    text + "\nThis issue is kept up to date by `ecosystem sync`. It closes itself with the first sync \
            of the feature that succeeds, and is opened again when one fails again. Its text is \
            written anew each time: put notes into comments.\n"
}

/// Returns the comment with which the issue is closed.
pub(super) fn over(subject: &Subject<'_>) -> String {
    let run = subject.run_url.and_then(address);
    let run = run.map_or_else(|| "this sync".to_owned(), |url| format!("[this run](<{url}>)"));
    format!("Updates arrive again, as of {run}.\n")
}

/// Returns the text that is left of an issue which another run has opened at the same moment.
pub(super) fn duplicate(of: u64) -> String {
    format!("Duplicate of #{of}, which another run opened at the same moment.\n")
}

fn linked(words: &str, url: &str) -> String {
    let words = code(words);
    address(url).map_or_else(|| words.clone(), |url| format!("[{words}](<{url}>)"))
}

/// Returns the commands in a block whose fence none of them has.
fn commands(commands: &[String]) -> String {
    let lines: Vec<String> =
        commands.iter().map(|line| shown(line.as_bytes()).into_owned()).collect();
    let block = lines.join("\n");
    if block.is_empty() {
        return block;
    }
    if size(&block) > LONGEST_COMMANDS {
        return "\nThe commands to finish by hand are in the run's log.\n".to_owned();
    }
    let ticks = block.split(|c| c != '`').map(str::len).max().unwrap_or(0).max(2) + 1;
    let fence = "`".repeat(ticks);
    format!("\nTo finish by hand, in a clone of the cousin:\n\n{fence}sh\n{block}\n{fence}\n")
}
