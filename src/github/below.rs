//! An address below a repository. Parts of it (paths, branch names) were named by others, so every
//! one is percent-encoded here, and what could lead out of the repository is refused: whoever holds
//! a [`Read`](crate::github::Read) or a [`Write`](crate::github::Write) holds an address that stays
//! below `repos/OWNER/NAME`.

use std::fmt::{self, Write as _};

use crate::names::RepoName;

/// The longest address below the API's own, in bytes. GitHub and what stands before it refuse those
/// of more than about 8 KB, each with an answer of its own.
const LONGEST: usize = 8_000;

/// An address below a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Below {
    repo: RepoName,
    /// The encoded parts, each with a slash before it.
    below: String,
    /// The encoded query, without its question mark.
    query: String,
}

/// Why there is no such address: it would not be what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// One of the parts has no characters: a double or trailing slash, which GitHub answers 404.
    #[error("a part of the path is empty")]
    Empty,
    /// One of the parts is `.` or `..`. Encoding does not help: `%2e%2e` leads up just as well
    /// (WHATWG URL Standard, "double-dot URL path segment").
    #[error("a part of the path is . or .., which leads elsewhere")]
    Dots,
    /// The address has more characters than a server takes.
    #[error("the path and query are longer than {LONGEST} bytes")]
    TooLong,
}

impl Below {
    /// Returns `repos/OWNER/NAME/SEGMENT/…?KEY=VALUE&…`; without segments it is the repository
    /// itself.
    ///
    /// # Errors
    /// A segment that is empty, `.` or `..`, and an address that is too long.
    pub(super) fn new(
        repo: &RepoName,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Self, BadAddress> {
        let mut below = String::new();
        for segment in segments {
            match *segment {
                "" => return Err(BadAddress::Empty),
                "." | ".." => return Err(BadAddress::Dots),
                segment => {
                    below.push('/');
                    encode(segment, &mut below);
                }
            }
        }
        let mut pairs = String::new();
        for (key, value) in query {
            if !pairs.is_empty() {
                pairs.push('&');
            }
            encode(key, &mut pairs);
            pairs.push('=');
            encode(value, &mut pairs);
        }
        if below.len().saturating_add(pairs.len()) > LONGEST {
            return Err(BadAddress::TooLong);
        }
        Ok(Self { repo: repo.clone(), below, query: pairs })
    }

    /// Returns the repository.
    pub(super) fn repo(&self) -> &RepoName {
        &self.repo
    }

    /// Returns whether it is the repository itself, and nothing below it.
    pub(super) fn is_repository(&self) -> bool {
        self.below.is_empty()
    }

    /// Returns the path below the API's own, encoded: `/repos/OWNER/NAME/…`.
    pub(super) fn path(&self) -> String {
        format!("/repos/{}{}", self.repo, self.below)
    }

    /// Returns the encoded query, when there is one.
    pub(super) fn query(&self) -> Option<&str> {
        Some(self.query.as_str()).filter(|query| !query.is_empty())
    }
}

/// Shows the address as GitHub's documentation writes it: `/repos/OWNER/NAME/…?…`, encoded.
impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())?;
        self.query().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// Adds `text` with everything but RFC 3986's unreserved characters as `%XX`.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
