//! What is read from GitHub: one address below a repository (made by the rules of `below`), and how
//! much of the answer is wanted.

use std::fmt;

use crate::github::below::{BadAddress, Below};
use crate::names::RepoName;

/// How much of an answer is taken when the caller does not say, in bytes: the contents API sends
/// files of up to 1 MB, which base64 and JSON make a third longer.
pub const AT_MOST: usize = 2 * 1024 * 1024;

/// A GET below a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Read {
    at: Below,
    at_most: usize,
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
    ) -> Result<Self, BadAddress> {
        Ok(Self { at: Below::new(repo, segments, query)?, at_most: AT_MOST })
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
        self.at.repo()
    }

    /// Returns whether it is the repository itself that is read, and nothing below it.
    pub(super) fn is_repository(&self) -> bool {
        self.at.is_repository()
    }

    /// Returns where it is.
    pub(super) fn below(&self) -> &Below {
        &self.at
    }

    /// Returns how many bytes of the answer's body are taken.
    pub(super) fn limit(&self) -> usize {
        self.at_most
    }
}

/// Shows the request as GitHub's documentation writes it: `GET /repos/OWNER/NAME/…?…`, encoded.
impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GET {}", self.at)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use url::form_urlencoded;

    use super::*;
    use crate::github::ApiUrl;

    fn read(segments: &[&str], query: &[(&str, &str)]) -> Result<Read, BadAddress> {
        Read::new(&RepoName::parse("acme/web").unwrap(), segments, query)
    }

    /// Returns the request line's address at a GitHub Enterprise Server.
    fn address(segments: &[&str], query: &[(&str, &str)]) -> String {
        let api = ApiUrl::parse("https://ghe.example/api/v3").unwrap();
        let url = api.address(read(segments, query).unwrap().below());
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
            (&["."][..], BadAddress::Dots),
            (&[".."], BadAddress::Dots),
            (&["contents", "..", "..", "..", "user"], BadAddress::Dots),
            (&["contents", "a", "."], BadAddress::Dots),
            (&[""], BadAddress::Empty),
            (&["contents", "", "a"], BadAddress::Empty),
            (&["contents", ""], BadAddress::Empty),
        ] {
            assert_eq!(read(segments, &[]), Err(why), "{segments:?}");
        }
    }

    #[test]
    fn an_address_has_an_end() {
        let long = |count| "a".repeat(count);
        assert!(read(&[&long(4_000)], &[("k", &long(3_997))]).is_ok());
        assert_eq!(read(&[&long(4_000)], &[("k", &long(3_998))]), Err(BadAddress::TooLong));
        assert_eq!(read(&[&"é".repeat(1_400)], &[]), Err(BadAddress::TooLong));
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
            let url = ApiUrl::parse("https://api.github.com").unwrap().address(read.below());
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
