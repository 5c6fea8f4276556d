//! Pull requests as GitHub lists them. Pure: a page's bytes in, those of one branch of the cousin's
//! own out.

use serde::Deserialize;

use super::marker::Marker;

/// A pull request from a branch of the cousin's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its page, as GitHub gives it.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text, with plain line ends.
    pub body: String,
    /// Whether it is a draft.
    pub draft: bool,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// What it remembers, when a sync has made it.
    pub marker: Option<Marker>,
    /// The commit that its branch is at or, once it is closed, was.
    pub(super) head: String,
    pub(super) open: bool,
    pub(super) merged: bool,
}

impl Pull {
    /// Returns whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Returns whether a person has closed it, when it is closed.
    pub(super) fn is_declined(&self) -> bool {
        !self.open && !self.merged && !self.marker.as_ref().is_some_and(|it| it.closed_by_us)
    }

    /// Returns whether it proposes, or proposed, this tree.
    #[must_use]
    pub fn proposed(&self, tree: &str) -> bool {
        self.marker.as_ref().is_some_and(|marker| marker.tree == tree)
    }
}

#[derive(Deserialize)]
pub(super) struct Listed {
    number: u64,
    #[serde(default)]
    html_url: String,
    state: String,
    #[serde(default)]
    title: String,
    body: Option<String>,
    #[serde(default)]
    draft: bool,
    merged_at: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Label {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    sha: String,
    repo: Option<Repo>,
}

#[derive(Deserialize)]
struct Repo {
    id: u64,
}

impl Listed {
    /// Returns it when it is from this branch of the same repository into that one. A fork's branch
    /// may have the same name, and GitHub's filter knows only the owner of where it comes from.
    pub(super) fn of(self, branch: &str, base: &str) -> Option<Pull> {
        let (from, to) = (self.head.repo.as_ref()?.id, self.base.repo.as_ref()?.id);
        if from != to || self.head.reference != branch || self.base.reference != base {
            return None;
        }
        Some(self.pull())
    }

    /// Returns it when it is from whichever branch of the same repository.
    pub(super) fn own(self) -> Option<Pull> {
        let (from, to) = (self.head.repo.as_ref()?.id, self.base.repo.as_ref()?.id);
        (from == to).then(|| self.pull())
    }

    fn pull(self) -> Pull {
        let body = self.body.unwrap_or_default().replace("\r\n", "\n");
        Pull {
            number: self.number,
            url: self.html_url,
            title: self.title,
            draft: self.draft,
            labels: self.labels.into_iter().map(|label| label.name).collect(),
            marker: Marker::read(&body),
            head: self.head.sha,
            open: self.state == "open",
            merged: self.merged_at.is_some(),
            body,
        }
    }
}
