//! Which of GitHub's issues are the alarm's. Pure: a page's bytes in, the issues out.

use super::memory;
use crate::alarm::state::State;
use crate::github::issue::Issue;

/// An issue that is the alarm's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: u64,
    pub(super) open: bool,
    /// The text, without white space behind it and with plain line ends.
    pub(super) body: String,
    /// What it remembers, when that can be read.
    pub(super) state: Option<State>,
    /// Whether it is as an alarm leaves it, so that nobody else's work is lost with it.
    pub(super) is_certain: bool,
}

/// Returns the issues of a page that are the alarm's; none when the page cannot be read. All of a
/// page that is `labelled` have the label, which only those may set who may change issues.
pub(super) fn ours(page: &[u8], labelled: bool) -> Option<Vec<Found>> {
    let issues: Vec<Issue> = serde_json::from_slice(page).ok()?;
    let ours = |issue: Issue| {
        let body = issue.body.as_deref().unwrap_or_default();
        // A bot may repeat what a stranger told it, but its own words come first.
        let trusted = labelled || (issue.is_of_the_house() && memory::is_headed(body));
        if issue.is_pull_request() || !trusted || !memory::is_marked(body) {
            return None;
        }
        Some(Found {
            number: issue.number,
            open: issue.is_open(),
            body: body.replace("\r\n", "\n").trim_end().to_owned(),
            state: memory::read(body),
            is_certain: labelled && memory::is_headed(body),
        })
    };
    Some(issues.into_iter().filter_map(ours).collect())
}
