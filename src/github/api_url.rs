//! Where GitHub's API is. Only an address that a token may be sent to becomes an [`ApiUrl`]: https,
//! or http on loopback, without user info, query or fragment. Nothing here repeats the text that
//! was refused, because it may hold a password.

use url::{Host, Url};

use crate::github::below::Below;
use crate::names::RepoName;

/// The base address of GitHub's REST API, without a trailing slash: `https://api.github.com`, or
/// `https://HOST/api/v3` of a GitHub Enterprise Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl(Url);

/// Why an API URL was refused, and what to write instead. It never holds the refused text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadApiUrl {
    /// What is wrong, in lower case, without the remedy.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl BadApiUrl {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// What to write when nothing nearer can be said.
const EXAMPLES: &str =
    "write https://api.github.com, or https://HOST/api/v3 for a GitHub Enterprise Server";

impl ApiUrl {
    /// The API of github.com.
    pub const GITHUB_COM: &'static str = "https://api.github.com";

    /// Returns the address when a token may be sent there.
    ///
    /// Trailing slashes are dropped (GitHub answers 404 to a path that ends in one), the path of a
    /// GitHub Enterprise Server is kept. Loopback is 127.0.0.0/8, `::1` and `localhost`.
    ///
    /// # Errors
    /// Says which rule is broken and what to write, without repeating the text.
    pub fn parse(text: &str) -> Result<Self, BadApiUrl> {
        if text.is_empty() {
            return Err(BadApiUrl::new("the API URL is empty", EXAMPLES));
        }
        // The URL parser drops tabs and newlines and takes `\` for `/`: what is written would not
        // be where the token goes.
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(BadApiUrl::new(
                "the API URL holds white space, a control character or a backslash",
                EXAMPLES,
            ));
        }
        let mut url = Url::parse(text).map_err(|error| {
            BadApiUrl::new(format!("the API URL cannot be read: {error}"), EXAMPLES)
        })?;
        let user_info = text.split(['/', '?', '#']).any(|part| part.contains('@'));
        if user_info || !url.username().is_empty() || url.password().is_some() {
            return Err(BadApiUrl::new(
                "the API URL has user info (or an @) in it",
                "take it out: the token comes from the environment, never from a URL",
            ));
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BadApiUrl::new("the API URL is not an https address", EXAMPLES));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadApiUrl::new(
                "the API URL has a query or a fragment",
                "leave out what begins with ? or #",
            ));
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            let host = url.host_str().unwrap_or("HOST");
            return Err(BadApiUrl::new(
                "the API URL is http: the token would cross the network in clear",
                format!("write https://{host} (http is for loopback only)"),
            ));
        }
        if matches!(url.host_str(), Some("github.com" | "www.github.com")) {
            return Err(BadApiUrl::new(
                "github.com is the web site, not the API",
                format!("write {}", Self::GITHUB_COM),
            ));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Returns whether the API is on this machine: no proxy may stand between, and http is allowed.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Returns the host, as it stands in a URL.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Returns whether requests go over http, without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Returns the host of the web site and of git that this is the API of: of `api.github.com` it
    /// is `github.com`, of `api.NAME.ghe.com` `NAME.ghe.com`, of a GitHub Enterprise Server the same.
    /// None where all that stands for the API is on this machine. Source: GitHub's documentation of
    /// the REST API ("Getting started", for each of the three).
    #[must_use]
    pub fn site(&self) -> Option<&str> {
        let host = Some(self.host()).filter(|_| !self.is_loopback())?;
        let below_api = host.strip_prefix("api.");
        let hosted = |site: &&str| *site == "github.com" || site.ends_with(".ghe.com");
        Some(below_api.filter(hosted).unwrap_or(host))
    }

    /// Returns the address of "Create a repository dispatch event" of `repo`, without a trailing
    /// slash.
    #[must_use]
    pub fn dispatches(&self, repo: &RepoName) -> Url {
        self.at(&format!("/repos/{repo}/dispatches"))
    }

    /// Returns the address of what is read or written.
    #[must_use]
    pub(super) fn address(&self, below: &Below) -> Url {
        let mut url = self.at(&below.path());
        url.set_query(below.query());
        url
    }

    /// Returns the address that these parts of a path lead to; none of them needs an encoding.
    pub(super) fn path(&self, segments: &[&str]) -> Url {
        self.at(&format!("/{}", segments.join("/")))
    }

    /// Returns the address of an encoded path below the API's own.
    fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// Returns the part of `url`'s path below the API's own, such as `/repos/acme/web/dispatches`.
    pub(super) fn below<'a>(&self, url: &'a Url) -> &'a str {
        let base = self.0.path().trim_end_matches('/');
        url.path().strip_prefix(base).unwrap_or(url.path())
    }
}

impl std::fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Returns whether both addresses have the same scheme, host and port (RFC 6454).
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host() == b.host()
        && a.port_or_known_default() == b.port_or_known_default()
}

/// Returns whether the host is this machine: 127.0.0.0/8, `::1` or `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_address_that_a_token_may_go_to_is_taken_without_its_trailing_slash() {
        for (text, shown, dispatches) in [
            ("https://api.github.com", "https://api.github.com", "/repos/acme/web/dispatches"),
            ("https://api.github.com/", "https://api.github.com", "/repos/acme/web/dispatches"),
            ("HTTPS://API.GitHub.com//", "https://api.github.com", "/repos/acme/web/dispatches"),
            (
                "https://ghe.acme.example/api/v3/",
                "https://ghe.acme.example/api/v3",
                "/api/v3/repos/acme/web/dispatches",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "/repos/acme/web/dispatches"),
            ("http://127.9.9.9", "http://127.9.9.9", "/repos/acme/web/dispatches"),
            ("http://[::1]:9/", "http://[::1]:9", "/repos/acme/web/dispatches"),
            ("http://localhost:9", "http://localhost:9", "/repos/acme/web/dispatches"),
        ] {
            let api = ApiUrl::parse(text).unwrap();
            assert_eq!(api.to_string(), shown);
            let url = api.dispatches(&RepoName::parse("acme/web").unwrap());
            assert_eq!(url.as_str(), format!("{}{dispatches}", shown.trim_end_matches("/api/v3")));
            assert_eq!(api.below(&url), "/repos/acme/web/dispatches");
        }
    }

    #[test]
    fn an_address_that_would_leak_the_token_is_refused_without_being_repeated() {
        for (text, message) in [
            ("", "empty"),
            ("api.github.com", "cannot be read"),
            ("https://", "cannot be read"),
            ("https://hunter2:x@h:port", "cannot be read"),
            ("http://api.github.com", "in clear"),
            ("http://10.0.0.1", "in clear"),
            ("http://128.0.0.1", "in clear"),
            ("http://localhost.evil.example", "in clear"),
            ("http://[::2]", "in clear"),
            ("https://hunter2@api.github.com", "user info"),
            ("https://u:hunter2@api.github.com", "user info"),
            ("https://@api.github.com", "user info"),
            ("hunter2:x@api.github.com", "user info"),
            ("https://api.github.com/?token=hunter2", "query"),
            ("https://api.github.com/#hunter2", "fragment"),
            ("ftp://hunter2.example", "not an https"),
            ("file:///etc/hunter2", "not an https"),
            ("https://api.github.com\n", "white space"),
            (" https://api.github.com", "white space"),
            ("https://good.example\\hunter2.example", "backslash"),
            ("https://github.com/", "web site"),
        ] {
            let bad = ApiUrl::parse(text).unwrap_err();
            assert!(bad.message.contains(message), "{text:?}: {}", bad.message);
            assert!(!format!("{bad:?}").contains("hunter2"), "{text:?}: {bad:?}");
            assert!(!bad.help.is_empty());
        }
    }

    #[test]
    fn another_scheme_host_or_port_is_another_origin() {
        let origin = |a: &str, b: &str| same_origin(&a.parse().unwrap(), &b.parse().unwrap());
        assert!(origin("https://h/a", "https://h:443/b"));
        assert!(origin("http://H:81/a", "http://h:81/b"));
        for other in
            ["http://h/", "http://h:443/", "https://h:444/", "https://h.evil/", "https://xh/"]
        {
            assert!(!origin("https://h/", other), "{other}");
        }
    }
}
