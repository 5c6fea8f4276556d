//! What is written to GitHub: a POST or a PATCH of a JSON document to one address below a repository
//! (made by the rules of `below`, as a read's is). Whether it may be sent a second time when nobody
//! knows what became of the first is part of it: a POST creates something, and would do so twice.

use std::fmt;

use serde_json::Value;

use crate::github::below::{BadAddress, Below};
use crate::names::RepoName;

/// How much of an answer is taken, in bytes: GitHub answers what it has written, an issue of up to
/// 65,536 characters, which JSON writes in up to six bytes each, among some KB of links.
const AT_MOST: usize = 512 * 1024;

/// A write below a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    method: Method,
    at: Below,
    body: Vec<u8>,
}

/// How something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Post,
    Patch,
}

impl Write {
    /// Returns the POST of `body` to `repos/OWNER/NAME/SEGMENT/…`, which creates something there.
    ///
    /// # Errors
    /// A segment that is empty, `.` or `..`, and an address that is too long.
    pub fn post(repo: &RepoName, segments: &[&str], body: &Value) -> Result<Self, BadAddress> {
        Self::new(Method::Post, repo, segments, body)
    }

    /// Returns the PATCH of `repos/OWNER/NAME/SEGMENT/…`, which sets what `body` names to what it
    /// says, and so does no more when it is sent twice.
    ///
    /// # Errors
    /// As [`Write::post`].
    pub fn patch(repo: &RepoName, segments: &[&str], body: &Value) -> Result<Self, BadAddress> {
        Self::new(Method::Patch, repo, segments, body)
    }

    fn new(
        method: Method,
        repo: &RepoName,
        segments: &[&str],
        body: &Value,
    ) -> Result<Self, BadAddress> {
        let at = Below::new(repo, segments, &[])?;
        Ok(Self { method, at, body: body.to_string().into_bytes() })
    }

    /// Returns the repository.
    #[must_use]
    pub fn repo(&self) -> &RepoName {
        self.at.repo()
    }

    /// Returns whether it creates something, so that it must not be sent again while nobody knows
    /// whether it has.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.method == Method::Post
    }

    pub(super) fn method(&self) -> Method {
        self.method
    }

    /// Returns where it goes.
    pub(super) fn below(&self) -> &Below {
        &self.at
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns how many bytes of the answer's body are taken.
    pub(super) fn limit(&self) -> usize {
        AT_MOST
    }
}

/// Shows the request as GitHub's documentation writes it: `POST /repos/OWNER/NAME/…`, encoded.
impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::Post => "POST",
            Method::Patch => "PATCH",
        };
        write!(f, "{method} {}", self.at)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_write_goes_below_its_repository_and_only_a_post_creates() {
        let repo = RepoName::parse("acme/mono").unwrap();
        let post = Write::post(&repo, &["issues", "7", "a b"], &json!({ "body": "x" })).unwrap();
        assert_eq!(post.to_string(), "POST /repos/acme/mono/issues/7/a%20b");
        assert_eq!((post.body(), post.creates()), (&br#"{"body":"x"}"#[..], true));
        let patch = Write::patch(&repo, &["issues", "7"], &json!({})).unwrap();
        assert_eq!(
            (patch.to_string().as_str(), patch.creates()),
            ("PATCH /repos/acme/mono/issues/7", false)
        );
        for (segments, why) in
            [(&["issues", ".."][..], BadAddress::Dots), (&["issues", ""], BadAddress::Empty)]
        {
            assert_eq!(Write::post(&repo, segments, &json!({})), Err(why));
            assert_eq!(Write::patch(&repo, segments, &json!({})), Err(why));
        }
    }
}
