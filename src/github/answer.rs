//! What came of one dispatch, read or write, as it came over the wire and not yet judged: a reply with its
//! status, message and limit headers, or the way the transport failed; how many requests that took;
//! and where the repository has moved. What to do about it is `delivery`'s decision.

use crate::github::error::TransportError;
use crate::github::rate_limit::LimitHeaders;
use crate::names::RepoName;

/// What came of sending one dispatch, read or write, redirects included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How many requests may have reached the server: one and each redirect that was followed; 0
    /// when no connection came about. They count against the server's limits.
    pub requests: u32,
    /// Where a redirect led, when one was followed.
    pub moved: Option<Moved>,
    /// The last reply, or how the transport failed.
    pub result: Result<Reply, TransportError>,
}

/// One HTTP answer. Of a body only the message in it is kept, but for what was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The server's own words, fit to be shown, at most 300 characters.
    pub message: Option<String>,
    /// Whether the body was an HTML page, which GitHub's API does not answer.
    pub html: bool,
    /// Whether the body broke off, so that what it was going to say is not known.
    pub broken: bool,
    /// What the answer says about limits.
    pub limits: LimitHeaders,
    /// `x-accepted-github-permissions`: what a token would need, such as `contents=write`.
    pub permissions: Option<String>,
    /// `x-oauth-scopes`: what a token with scopes may do, such as `repo, workflow`; empty when it
    /// has none, not there for a token with permissions.
    pub oauth_scopes: Option<String>,
    /// The first word of `x-github-sso`: `required` when the token must first be authorized for
    /// the organization's single sign-on. The link that follows it there is for one person alone.
    pub sso: Option<String>,
    /// Whether `link` tells of a next page.
    pub next_page: bool,
    /// The body of a read or write that was answered 200 or 201, as it came: whoever shows parts of
    /// it takes the tokens out by [`crate::github::Client::redacted`]. Empty for everything else.
    pub body: Vec<u8>,
    /// Whether the body of a read or write that was answered 200 or 201 is longer than is taken: it
    /// was given up, and `body` is empty.
    pub too_large: bool,
    /// Why a redirect was not followed.
    pub refused: Option<RefusedRedirect>,
}

impl Reply {
    /// Returns whether this is a limit to wait for, and not a refusal.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.limits.is_limit(self.status, self.message.as_deref())
    }
}

/// Why a redirect was not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedRedirect {
    /// It leads to another scheme, host or port: the token never goes there.
    #[error("to another server, where the token must not go")]
    OtherOrigin,
    /// It has no `Location`.
    #[error("without a Location")]
    NoLocation,
    /// Its `Location` cannot be read, or has user info in it.
    #[error("with a Location that cannot be read")]
    BadLocation,
    /// It leads back to where this request has been already.
    #[error("in a circle")]
    Loop,
    /// It is one more than the three that are followed.
    #[error("for the fourth time in a row")]
    TooMany,
    /// It asks for a GET (303), or is no redirect that a POST or PATCH can follow.
    #[error("in a way that a POST cannot follow")]
    NotForPost,
    /// It is no redirect that a read follows: 300, or 303, which leads to something else.
    #[error("in a way that a read does not follow")]
    NotForGet,
}

/// Where a repository has moved, as far as a redirect tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// Its new name.
    To(RepoName),
    /// Its number, which is how GitHub redirects.
    ToId(u64),
    /// Somewhere that tells no name.
    Elsewhere,
}

impl Moved {
    /// Returns what the path below the API's base tells: `/repos/OWNER/NAME/…` or
    /// `/repositories/ID/…`.
    pub(super) fn read(path: &str) -> Self {
        let mut parts = path.trim_start_matches('/').split('/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("repos"), Some(owner), Some(name)) => {
                RepoName::parse(&format!("{owner}/{name}")).map_or(Self::Elsewhere, Self::To)
            }
            (Some("repositories"), Some(id), _) => id.parse().map_or(Self::Elsewhere, Self::ToId),
            _ => Self::Elsewhere,
        }
    }

    /// Returns the warning that `place`, which names the repository `from`, should follow.
    #[must_use]
    pub fn warning(&self, from: &RepoName, place: &str) -> String {
        match self {
            Self::To(name) => format!("{from} is now {name}: write the new name in {place}"),
            Self::ToId(id) => format!(
                "{from} was renamed: write its new name in {place} (`gh api repositories/{id} --jq .full_name` tells it)"
            ),
            Self::Elsewhere => {
                format!("{from} was redirected: write its new name in {place}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_redirects_path_tells_the_new_name_or_number() {
        let to = |name| Moved::To(RepoName::parse(name).unwrap());
        for (path, moved) in [
            ("/repos/acme/new/dispatches", to("acme/new")),
            ("/repositories/1296269/dispatches", Moved::ToId(1_296_269)),
            ("/repositories/12ab/dispatches", Moved::Elsewhere),
            ("/repositories/99999999999999999999999/dispatches", Moved::Elsewhere),
            ("/repos/..%2f/x/dispatches", Moved::Elsewhere),
            ("/repos/acme", Moved::Elsewhere),
            ("/", Moved::Elsewhere),
        ] {
            assert_eq!(Moved::read(path), moved, "{path}");
        }
    }

    #[test]
    fn the_warning_names_the_old_repository_and_what_to_write() {
        let from = RepoName::parse("acme/old").unwrap();
        let to = Moved::To(RepoName::parse("acme/new").unwrap());
        assert_eq!(
            to.warning(&from, "ecosystem.json"),
            "acme/old is now acme/new: write the new name in ecosystem.json"
        );
        for moved in [Moved::ToId(7), Moved::Elsewhere] {
            let warning = moved.warning(&from, "ecosystem.json");
            assert!(
                warning.contains("acme/old") && warning.contains("ecosystem.json"),
                "{warning}"
            );
        }
    }
}
