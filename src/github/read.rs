//! What is read from GitHub: one address below a repository, and how much of the answer is wanted.
//! Parts of it (paths, branch names) were named by others, so every one is percent-encoded here,
//! and what could lead out of the repository is refused: whoever holds a [`Read`] holds an address
//! that stays below `repos/OWNER/NAME`.

use std::fmt::{self, Write as _};

use crate::names::RepoName;

/// How much of an answer is taken when the caller does not say, in bytes: the contents API sends
/// files of up to 1 MB, which base64 and JSON make a third longer.
pub const AT_MOST: usize = 2 * 1024 * 1024;

/// The longest address below the API's own, in bytes. GitHub and what stands before it refuse those
/// of more than about 8 KB, each with an answer of its own.
const LONGEST: usize = 8_000;

/// A GET below a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Read {
    repo: RepoName,
    /// The encoded parts, each with a slash before it.
    below: String,
    /// The encoded query, without its question mark.
    query: String,
    at_most: usize,
}

/// Why something cannot be read: its address would not be what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRead {
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

impl Read {
    /// Returns the GET of `repos/OWNER/NAME/SEGMENT/…?KEY=VALUE&…`; without segments it is the
    /// repository itself.
    ///
    /// Each segment is one part of the path: a slash in it (in a branch's name) is encoded, so a
    /// file's path is given part by part, as [`str::split`] makes it.
    ///
    /// # Errors
    /// A segment that is empty, `.` or `..`, and an address that is too long.
    pub fn new(
        repo: &RepoName,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Self, BadRead> {
        let mut below = String::new();
        for segment in segments {
            match *segment {
                "" => return Err(BadRead::Empty),
                "." | ".." => return Err(BadRead::Dots),
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
            return Err(BadRead::TooLong);
        }
        Ok(Self { repo: repo.clone(), below, query: pairs, at_most: AT_MOST })
    }

    /// Returns the same with another limit for the answer's body than [`AT_MOST`], in bytes.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.at_most = bytes;
        self
    }

    /// Returns the repository.
    #[must_use]
    pub fn repo(&self) -> &RepoName {
        &self.repo
    }

    /// Returns whether it is the repository itself that is read, and nothing below it.
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

    /// Returns how many bytes of the answer's body are taken.
    pub(super) fn limit(&self) -> usize {
        self.at_most
    }
}

/// Shows the request as GitHub's documentation writes it: `GET /repos/OWNER/NAME/…?…`, encoded.
impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GET {}", self.path())?;
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use url::form_urlencoded;

    use super::*;
    use crate::github::ApiUrl;

    fn read(segments: &[&str], query: &[(&str, &str)]) -> Result<Read, BadRead> {
        Read::new(&RepoName::parse("acme/web").unwrap(), segments, query)
    }

    /// Returns the request line's address at a GitHub Enterprise Server.
    fn address(segments: &[&str], query: &[(&str, &str)]) -> String {
        let api = ApiUrl::parse("https://ghe.example/api/v3").unwrap();
        let url = api.address(&read(segments, query).unwrap());
        url.as_str().strip_prefix("https://ghe.example/api/v3/repos/acme/web").unwrap().to_owned()
    }

    #[test]
    fn every_part_arrives_as_it_is_called() {
        for (segments, query, expected) in [
            (&[][..], &[][..], ""),
            (&["actions", "permissions"], &[], "/actions/permissions"),
            (
                &["contents", ".github", "workflows", "a b#?.yml"],
                &[("ref", "main")],
                "/contents/.github/workflows/a%20b%23%3F.yml?ref=main",
            ),
            (&["branches", "feature/x"], &[], "/branches/feature%2Fx"),
            (
                &["contents", "100%"],
                &[("ref", "a/b&c=d%20+é"), ("per_page", "100")],
                "/contents/100%25?ref=a%2Fb%26c%3Dd%2520%2B%C3%A9&per_page=100",
            ),
            (&["..a", "a..", "...", "~"], &[("", "")], "/..a/a../.../~?="),
            // What a URL parser drops, takes for a slash or reads twice stays what it is.
            (&["a\tb\nc\r"], &[("r", "\n'")], "/a%09b%0Ac%0D?r=%0A%27"),
            (&["..\\..\\user"], &[], "/..%5C..%5Cuser"),
            (&["../../../user"], &[], "/..%2F..%2F..%2Fuser"),
            (&["%2e%2e", "%2E", ".%2e"], &[], "/%252e%252e/%252E/.%252e"),
            (&["\0", ";a=b", "@h", ":"], &[], "/%00/%3Ba%3Db/%40h/%3A"),
            (&["ü", "日本", "e\u{301}"], &[], "/%C3%BC/%E6%97%A5%E6%9C%AC/e%CC%81"),
        ] {
            assert_eq!(address(segments, query), expected, "{segments:?} {query:?}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for (segments, why) in [
            (&["."][..], BadRead::Dots),
            (&[".."], BadRead::Dots),
            (&["contents", "..", "..", "..", "user"], BadRead::Dots),
            (&["contents", "a", "."], BadRead::Dots),
            (&[""], BadRead::Empty),
            (&["contents", "", "a"], BadRead::Empty),
            (&["contents", ""], BadRead::Empty),
        ] {
            assert_eq!(read(segments, &[]), Err(why), "{segments:?}");
        }
    }

    #[test]
    fn an_address_has_an_end() {
        let long = |count| "a".repeat(count);
        assert!(read(&[&long(4_000)], &[("k", &long(3_997))]).is_ok());
        assert_eq!(read(&[&long(4_000)], &[("k", &long(3_998))]), Err(BadRead::TooLong));
        assert_eq!(read(&[&"é".repeat(1_400)], &[]), Err(BadRead::TooLong));
    }

    #[test]
    fn it_is_shown_as_the_documentation_writes_requests() {
        let read = read(&["contents", "a b"], &[("ref", "x")]).unwrap();
        assert_eq!(read.to_string(), "GET /repos/acme/web/contents/a%20b?ref=x");
    }

    proptest! {
        #[test]
        fn whatever_the_names_are_the_address_stays_below_the_repository_and_tells_them(
            segments in proptest::collection::vec(
                prop_oneof![".*", "[./%\\\\2e]{1,6}", "\\PC{0,20}"], 0..5),
            query in proptest::collection::vec((".*", ".*"), 0..4),
        ) {
            let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
            let pairs: Vec<_> = query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let Ok(read) = read(&parts, &pairs) else {
                let odd = |part: &&str| matches!(*part, "" | "." | "..");
                prop_assert!(parts.iter().any(odd));
                return Ok(());
            };
            let url = ApiUrl::parse("https://api.github.com").unwrap().address(&read);
            prop_assert_eq!(url.origin().ascii_serialization(), "https://api.github.com");
            prop_assert!(url.fragment().is_none() && url.username().is_empty());
            let path: Vec<&str> = url.path().strip_prefix("/repos/acme/web").unwrap().split('/').skip(1).collect();
            let decoded: Vec<String> = path
                .iter()
                .map(|part| form_urlencoded::parse(format!("={part}").as_bytes()).next().unwrap().1.into_owned())
                .collect();
            prop_assert_eq!(decoded, segments);
            prop_assert_eq!(url.query_pairs().into_owned().collect::<Vec<_>>(), query);
            // Reading the address again changes nothing in it.
            prop_assert_eq!(&url.as_str().parse::<url::Url>().unwrap(), &url);
        }
    }
}
