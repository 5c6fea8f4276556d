//! An issue or a comment as GitHub lists it, and whether a stranger could have written it: on a public
//! repository everybody may open an issue and comment, with any text. What a text means is for
//! others to say.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// An issue, as far as anybody here looks at it.
#[derive(Debug, Deserialize)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    state: String,
    pub(crate) body: Option<String>,
    pull_request: Option<IgnoredAny>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(flatten)]
    author: Author,
}

#[derive(Debug, Deserialize)]
struct Label {
    #[serde(default)]
    name: String,
}

impl Issue {
    /// Returns whether it has this label.
    pub(crate) fn is_labelled(&self, name: &str) -> bool {
        self.labels.iter().any(|label| label.name.eq_ignore_ascii_case(name))
    }

    /// Returns whether it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.state == "open"
    }

    /// Returns whether it is a pull request, which GitHub lists among the issues.
    pub(crate) fn is_pull_request(&self) -> bool {
        self.pull_request.is_some()
    }

    /// Returns whether a stranger could not have written it.
    pub(crate) fn is_of_the_house(&self) -> bool {
        self.author.is_of_the_house()
    }
}

/// A comment on an issue or a pull request.
#[derive(Debug, Deserialize)]
pub(crate) struct Comment {
    pub(crate) body: Option<String>,
    #[serde(flatten)]
    author: Author,
}

impl Comment {
    /// Returns whether a stranger could not have written it.
    pub(crate) fn is_of_the_house(&self) -> bool {
        self.author.is_of_the_house()
    }
}

#[derive(Debug, Deserialize)]
struct Author {
    author_association: Option<String>,
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Author {
    /// Source of the names: GraphQL documentation, `CommentAuthorAssociation`.
    fn is_of_the_house(&self) -> bool {
        let association = self.author_association.as_deref();
        matches!(association, Some("OWNER" | "MEMBER" | "COLLABORATOR"))
            || self.user.as_ref().and_then(|user| user.kind.as_deref()) == Some("Bot")
    }
}
