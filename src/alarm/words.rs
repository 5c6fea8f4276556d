//! What the alarm says: the text, the comment on a change, the webhook's message. Pure.
//! What others wrote (GitHub's messages, for the most part) stands in code spans that it cannot
//! leave, so that it mentions nobody, links nothing and is no markup; and no text gets longer than
//! its reader takes, whatever went in.

use super::memory::{self, MARKER};
use super::state::{Change, State, Trouble, Who};
use crate::names::RepoName;
use crate::text::markdown::{address, code, size};

pub(super) mod slack;

/// The title. It says no number, so that it stays true and a maintainer may change it.
pub(super) const TITLE: &str = "Ecosystem updates are not arriving";

/// How long the table gets, in characters.
const LONGEST_TABLE: usize = 28_000;
/// How many rows it has.
const ROWS: usize = 100;
/// How many names a comment has of those who came, of those who are gone, and of those who left.
const NAMES: usize = 50;
/// How long the list of each gets, in characters.
const LONGEST_LIST: usize = 18_000;

/// What all texts are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The monorepo.
    pub(super) source: &'a RepoName,
    /// The run's page.
    pub(super) run_url: Option<&'a str>,
}

impl Subject<'_> {
    /// Returns the run's page when it is an address that can stand in a link.
    fn run_url(&self) -> Option<String> {
        address(self.run_url?)
    }

    fn this_run(&self) -> String {
        self.run_url().map_or_else(|| "this run".to_owned(), |url| format!("[this run](<{url}>)"))
    }
}

/// Returns the text: its memory, which is not shown, and what people read.
pub(super) fn body(subject: &Subject<'_>, state: &State) -> String {
    let mut text = format!("{MARKER}\n{}\n", memory::written(state));
    if state.is_empty() {
        text.push_str("Nothing is failing any more.\n");
    }
    if let Some(trouble) = state.run() {
        text += &format!(
            "**The run itself fails**, since {}, so that nothing is sent at all: {}.\n",
            since(trouble),
            code(trouble.failure.error()),
        );
        if let Some(help) = trouble.failure.help() {
            text += &format!("What to do: {}.\n", code(help));
        }
        text.push('\n');
    }
    if state.failing() > 0 {
        text += &format!(
            "**{} not getting updates from {}.**\n\n",
            counted(state.failing(), "cousin is", "cousins are"),
            code(subject.source.as_str()),
        );
        text += &table(state);
    }
    if subject.run_url().is_some() {
        text += &format!("\nLast looked at by {}.\n", subject.this_run());
    }
    text.push_str(
        "\nThis issue is kept up to date by `ecosystem dispatch --issue-on-failure`. It closes \
         itself with the first run that finds nothing failing, and is opened again when something \
         fails again. Its text is written anew each time: put notes into comments.\n",
    );
    text
}

fn table(state: &State) -> String {
    let mut table =
        "| cousin | failing since | why, and what to do |\n| --- | --- | --- |\n".to_owned();
    let mut length = size(&table);
    let mut rows = 0;
    for (repo, trouble) in state.cousins().take(ROWS) {
        let help = trouble.failure.help().map(|help| format!("; {}", code(help)));
        let row = format!(
            "| {} | {} | {}{} |\n",
            code(repo.as_str()),
            since(trouble),
            code(trouble.failure.error()),
            help.unwrap_or_default(),
        );
        length += size(&row);
        if length > LONGEST_TABLE {
            break;
        }
        table += &row;
        rows += 1;
    }
    let more = state.failing() - rows;
    if more > 0 {
        table += &format!("\n… and {more} more.\n");
    }
    table
}

fn since(trouble: &Trouble) -> String {
    let time = trouble.since.strftime("%Y-%m-%d %H:%M UTC");
    match &trouble.since_commit {
        Some(sha) => format!("{time}, commit `{}`", sha.short()),
        None => time.to_string(),
    }
}

/// Returns the comment that a change is worth, if it is one that people must hear of.
pub(super) fn comment(subject: &Subject<'_>, change: &Change, state: &State) -> Option<String> {
    let this_run = subject.this_run();
    match change {
        Change::Nothing | Change::Still => None,
        Change::Began(came) => {
            Some(format!("Failing again since {this_run}:\n\n{}", listed(came, state)))
        }
        Change::Changed { came, gone, left } => Some(paragraphs(
            &[
                (format!("Failing too since {this_run}"), came),
                (format!("Recovered with {this_run}"), gone),
                (LEFT.to_owned(), left),
            ],
            state,
        )),
        Change::Ended { gone, left } => {
            let lists = [("Recovered".to_owned(), gone), (LEFT.to_owned(), left)];
            let lists = paragraphs(&lists, state);
            Some(format!("Nothing is failing any more since {this_run}. {lists}"))
        }
    }
}

/// What is said of those who are not sent to any more.
const LEFT: &str = "Disabled or not listed any more, so that nothing is sent there and nobody knows \
                    whether it would arrive";

/// Returns a list for each of these that is not empty, below its words.
fn paragraphs(lists: &[(String, &Who)], state: &State) -> String {
    let lists = lists.iter().filter(|(_, who)| !who.is_empty());
    let lists = lists.map(|(words, who)| format!("{words}:\n\n{}", listed(who, state)));
    lists.collect::<Vec<_>>().join("\n")
}

/// Returns the comment with which an issue is closed whose memory was lost.
pub(super) fn nothing_fails(subject: &Subject<'_>) -> String {
    format!("Nothing is failing, as {} found.", subject.this_run())
}

/// Returns the text that is left of an issue that another run has written at the same moment.
pub(super) fn duplicate(of: u64) -> String {
    format!("Duplicate of #{of}, which another run opened at the same moment.\n")
}

/// Returns a list with one line for each, with the error of those that fail.
fn listed(who: &Who, state: &State) -> String {
    let mut lines = Vec::new();
    if who.run {
        let error = state.run().map(|it| format!(": {}", code(it.failure.error())));
        lines.push(format!("- the run itself{}\n", error.unwrap_or_default()));
    }
    for repo in who.cousins.iter().take(NAMES) {
        let error = state.of(repo).map(|it| format!(": {}", code(it.failure.error())));
        lines.push(format!("- {}{}\n", code(repo.as_str()), error.unwrap_or_default()));
    }
    let mut text = String::new();
    let mut shown = 0;
    for line in lines {
        if size(&text) + size(&line) > LONGEST_LIST {
            break;
        }
        text += &line;
        shown += 1;
    }
    if who.count() > shown {
        text += &format!("- … and {} more\n", who.count() - shown);
    }
    text
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
