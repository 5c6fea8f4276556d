//! The repository that features come from, as a cousin's file or `--source` names it: `owner/name`,
//! a URL, or a path on this machine. What is not one of these is refused, and above all what holds a
//! secret, which is not repeated. Nothing is resolved or asked here.

use std::fmt;

use url::Url;

use crate::github::api_url::is_loopback;
use crate::names::{BadName, RepoName};

/// How long an address may be: what servers take as a URL.
const MAX_BYTES: usize = 2048;

const FORMS: &str =
    "write \"owner/name\", a URL (https, ssh, file), or a path that begins with /, ./ or ../";

/// The monorepo, as it is named to a cousin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceName {
    /// Its `owner/name`, where it is written or can be read in the URL.
    pub repository: Option<RepoName>,
    /// A URL or a path; none for an `owner/name`, which the server of the run precedes.
    pub address: Option<String>,
}

impl SourceName {
    /// Returns the source that `text` names.
    ///
    /// # Errors
    /// Says what to write instead. No error repeats what may be a secret.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if text.is_empty() {
            return Err(BadName::new("the source is empty", FORMS));
        }
        if text.len() > MAX_BYTES {
            let message = format!("the source has {} bytes, the limit is {MAX_BYTES}", text.len());
            return Err(BadName::new(message, FORMS));
        }
        if text.chars().any(char::is_control) {
            return Err(BadName::new("the source holds a control character", FORMS));
        }
        let is_path = ["/", "./", "../"].iter().any(|begin| text.starts_with(begin));
        if is_path || text == "." || text == ".." {
            return Ok(Self { repository: None, address: Some(text.to_owned()) });
        }
        if text.contains("://") {
            return url(text);
        }
        if text.contains([':', '@']) {
            return Err(BadName::new(
                "the source is an address without a scheme",
                match RepoName::in_address(text) {
                    Some(name) => {
                        format!("write \"{name}\", or a URL such as ssh://git@host/{name}")
                    }
                    None => FORMS.to_owned(),
                },
            ));
        }
        Ok(Self { repository: Some(RepoName::parse(text)?), address: None })
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, &self.repository) {
            (Some(address), _) => f.write_str(address),
            (None, Some(name)) => name.fmt(f),
            (None, None) => Ok(()),
        }
    }
}

fn url(text: &str) -> Result<SourceName, BadName> {
    let unreadable = || BadName::new("the source's URL cannot be read", FORMS);
    // Where readers of URLs differ on what is the host, none of them is asked.
    let behind = text.split_once("://").map_or("", |(_, behind)| behind);
    let hostless = behind.starts_with('/') && !text.starts_with("file:");
    if hostless || text.contains('\\') || text.contains(char::is_whitespace) {
        return Err(unreadable());
    }
    let Ok(parsed) = Url::parse(text) else { return Err(unreadable()) };
    let encrypted = match parsed.scheme() {
        "https" | "ssh" | "file" => true,
        "http" => is_loopback(&parsed),
        other => {
            let message =
                format!("the source's scheme {} is not spoken", crate::text::quoted(other));
            return Err(BadName::new(message, FORMS));
        }
    };
    // ssh needs a user's name, which is no secret.
    let plain_user = |user: &str| {
        user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            && !user.starts_with('-')
    };
    let user = parsed.username();
    let allowed = user.is_empty() || (parsed.scheme() == "ssh" && plain_user(user));
    if parsed.password().is_some() || !allowed {
        return Err(BadName::new(
            "the source's URL holds a user name or password, and this is a secret in a file",
            "take it out, and if it was a token revoke it; tokens come from the environment",
        ));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(BadName::new(
            "the source's URL holds a query or fragment, which git does not take",
            "end it after the repository's name",
        ));
    }
    if !encrypted {
        return Err(BadName::new(
            "the source's URL is not encrypted: whoever stands between can change what is synced",
            "write https:// (http is for loopback only)",
        ));
    }
    let host = parsed.host_str().unwrap_or_default();
    let named = parsed.scheme() == "file" || !(host.is_empty() || host.starts_with('-'));
    if !named || parsed.path().trim_matches('/').is_empty() {
        return Err(BadName::new("the source's URL names no repository", FORMS));
    }
    Ok(SourceName { repository: RepoName::in_address(text), address: Some(text.to_owned()) })
}

/// Returns the name of a branch, without `refs/heads/` before it. Source of the rules: git's
/// documentation, "git-check-ref-format".
///
/// # Errors
/// Refuses what git would not take as a branch.
pub fn branch(text: &str) -> Result<String, BadName> {
    let name = text.strip_prefix("refs/heads/").unwrap_or(text);
    let full = format!("refs/heads/{name}");
    let valid = gix_validate::reference::name(full.as_bytes().into()).is_ok()
        && !name.starts_with('-')
        && !name.starts_with("refs/")
        && name != "HEAD"
        && full.len() <= 255;
    if valid {
        return Ok(name.to_owned());
    }
    Err(BadName::new(
        format!("{} cannot be the name of a branch", crate::text::quoted(text)),
        "write the branch that is trusted, such as \"main\"",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_name_a_url_or_a_path() {
        for (text, repository, address) in [
            ("acme/monorepo", Some("acme/monorepo"), None),
            ("https://github.com/acme/mono.git", Some("acme/mono"), Some("")),
            ("https://ghe.example.com:8443/acme/mono", Some("acme/mono"), Some("")),
            ("ssh://git@github.com/acme/mono", Some("acme/mono"), Some("")),
            ("http://127.0.0.1:4000/acme/mono.git", Some("acme/mono"), Some("")),
            ("https://git.example.com/group/sub/mono", None, Some("")),
            ("file:///srv/mono.git", None, Some("")),
            ("/srv/mono", None, Some("")),
            ("../mono", None, Some("")),
            ("./-mono", None, Some("")),
            ("..", None, Some("")),
        ] {
            let source = SourceName::parse(text).unwrap();
            assert_eq!(source.repository.as_ref().map(RepoName::as_str), repository, "{text}");
            assert_eq!(source.address.as_deref(), address.map(|_| text), "{text}");
            assert_eq!(source.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_source_or_names_it_unsafely_is_refused() {
        for text in [
            "",
            "mono",
            "acme/mono.git",
            "a/b/c",
            "--upload-pack=x",
            "git@github.com:acme/mono.git",
            "ext::sh -c id",
            "ext::sh://x",
            "git://github.com/acme/mono",
            "http://github.com/acme/mono",
            "http://localhost.example.com/a/b",
            "https://github.com",
            "https://github.com/",
            "https://",
            "https:///github.com/acme/mono",
            r"https://github.com\@evil.example/acme/mono",
            "ssh://-oProxyCommand=id/x",
            "ssh://-oX@host/x",
            "https://github.com/acme/mono?x=1",
            "https://github.com/acme/mono#x",
            "https://github.com/acme/mono x",
            "C:/acme/mono",
            "a/b\n",
            "/srv/\u{7f}",
        ] {
            let bad = SourceName::parse(text).expect_err(text);
            assert!(!bad.help.is_empty(), "{text}");
        }
        assert!(SourceName::parse(&format!("/{}", "a".repeat(MAX_BYTES))).is_err());
        let help = SourceName::parse("git@github.com:acme/mono.git").unwrap_err().help;
        assert_eq!(help, "write \"acme/mono\", or a URL such as ssh://git@host/acme/mono");
    }

    #[test]
    fn no_refusal_repeats_a_secret() {
        for text in [
            "https://hunter2@github.com/acme/mono",
            "https://x:hunter2@github.com/acme/mono",
            "ssh://git:hunter2@github.com/acme/mono",
            "https://github.com/acme/mono?token=hunter2",
            "https://github.com/acme/mono#hunter2",
            "ssh://a%0Ahunter2@github.com/acme/mono",
            "https://hunter2@[/acme",
            "x:hunter2@github.com/acme/mono",
            "hunter2@github.com/acme",
            "http://hunter2@github.com/acme/mono",
        ] {
            let bad = SourceName::parse(text).expect_err(text);
            assert!(!format!("{bad:?}").contains("hunter2"), "{bad:?}");
        }
    }

    #[test]
    fn a_branch_is_what_git_takes_as_one() {
        for (text, name) in [
            ("main", "main"),
            ("refs/heads/main", "main"),
            ("release/1.x", "release/1.x"),
            ("ü", "ü"),
        ] {
            assert_eq!(branch(text).unwrap(), name);
        }
        let long = "a".repeat(300);
        for text in [
            "",
            "refs/heads/",
            "-x",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a*",
            "a?",
            "a[",
            "a\\b",
            "a/",
            "/a",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a@{b",
            "a.",
            "a\n",
            "HEAD",
            "refs/tags/v1",
            "refs/heads/refs/tags/v1",
            &long,
        ] {
            assert!(branch(text).is_err(), "{text:?}");
        }
    }
}
