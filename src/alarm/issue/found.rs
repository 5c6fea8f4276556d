//! Which of GitHub's issues are the alarm's. Pure: a page's bytes in, the issues out.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::memory;
use crate::alarm::state::State;

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

#[derive(Deserialize)]
struct Issue {
    number: u64,
    state: String,
    body: Option<String>,
    pull_request: Option<IgnoredAny>,
    author_association: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Issue {
    /// Whether a stranger could not have written it: on a public repository everybody may open an
    /// issue, with any text. Source of the names: GraphQL documentation, `CommentAuthorAssociation`.
    fn is_of_the_house(&self) -> bool {
        let association = self.author_association.as_deref();
        matches!(association, Some("OWNER" | "MEMBER" | "COLLABORATOR"))
            || self.user.as_ref().and_then(|user| user.kind.as_deref()) == Some("Bot")
    }
}

/// Returns the issues of a page that are the alarm's; none when the page cannot be read. All of a
/// page that is `labelled` have the label, which only those may set who may change issues.
pub(super) fn ours(page: &[u8], labelled: bool) -> Option<Vec<Found>> {
    let issues: Vec<Issue> = serde_json::from_slice(page).ok()?;
    let ours = |issue: Issue| {
        let body = issue.body.as_deref().unwrap_or_default();
        // A bot may repeat what a stranger told it, but its own words come first.
        let trusted = labelled || (issue.is_of_the_house() && memory::is_headed(body));
        if issue.pull_request.is_some() || !trusted || !memory::is_marked(body) {
            return None;
        }
        Some(Found {
            number: issue.number,
            open: issue.state == "open",
            body: body.replace("\r\n", "\n").trim_end().to_owned(),
            state: memory::read(body),
            is_certain: labelled && memory::is_headed(body),
        })
    };
    Some(issues.into_iter().filter_map(ours).collect())
}
