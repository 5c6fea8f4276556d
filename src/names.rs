//! Newtypes for the strings that must not be mixed up: repository names, commit ids, event types
//! and feature paths. Each can only be made by parsing, so whoever holds one holds a valid one;
//! this module decides what is valid and says what to write instead, and does nothing else.

use std::fmt;

use serde::{Serialize, Serializer};

/// Why a name was refused: what is wrong with it, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadName {
    /// What is wrong, in lower case, without the remedy.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl BadName {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// A repository's `owner/name`, as GitHub spells it.
///
/// Compared and hashed as written; GitHub takes no account of case, for which there is
/// [`RepoName::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoName(String);

impl RepoName {
    /// Returns the name when `text` is an `owner/name` that GitHub could have given out.
    ///
    /// An owner has 1 to 39 letters, digits, hyphens or (in enterprise-managed accounts)
    /// underscores and begins with a letter or digit; a name has 1 to 100 letters, digits, `.`,
    /// `-` or `_`, is not `.` or `..` and does not end in `.git`. Source: the refusals of GitHub's
    /// own sign-up and repository forms.
    ///
    /// # Errors
    /// Says what to write instead: for a whole URL the slug in it, for `name.git` the name.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if let Some(slug) = slug_in_url(text) {
            return Err(BadName::new(
                "a repository is named by its owner and name, not by a URL",
                match Self::parse(&slug) {
                    Ok(name) => format!("write \"{name}\""),
                    Err(_) => "write \"owner/name\"".to_owned(),
                },
            ));
        }
        let shape = || {
            BadName::new(
                format!("{} is not of the form owner/name", crate::text::quoted(text)),
                "write \"owner/name\", as in the repository's address after github.com/",
            )
        };
        let (owner, name) = text.split_once('/').ok_or_else(shape)?;
        if owner.is_empty() || name.is_empty() || name.contains('/') {
            return Err(shape());
        }
        if let Some(odd) = owner.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_".contains(*c))
        {
            return Err(odd_character("owner", odd));
        }
        if let Some(odd) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_.".contains(*c))
        {
            return Err(odd_character("name", odd));
        }
        if !owner.starts_with(|c: char| c.is_ascii_alphanumeric()) || owner.len() > 39 {
            return Err(BadName::new(
                format!("\"{owner}\" cannot be an owner on GitHub"),
                "an owner begins with a letter or digit and has at most 39 characters",
            ));
        }
        if name == "." || name == ".." || name.len() > 100 {
            return Err(BadName::new(
                format!("\"{name}\" cannot be a repository's name on GitHub"),
                "a name is not . or .. and has at most 100 characters",
            ));
        }
        let bare = name.len().checked_sub(4).and_then(|at| name.split_at_checked(at));
        if let Some((bare, suffix)) = bare
            && suffix.eq_ignore_ascii_case(".git")
        {
            return Err(BadName::new(
                "a repository's name does not end in .git",
                if bare.is_empty() {
                    "write \"owner/name\"".to_owned()
                } else {
                    format!("write \"{owner}/{bare}\"")
                },
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the `owner/name` in a remote's address (a URL, or scp-like), when it has exactly
    /// those two parts; a path on this machine names nothing.
    #[must_use]
    pub fn in_address(address: &str) -> Option<Self> {
        let (_, path) = parts_of(address)?;
        let path = path.trim_matches('/');
        Self::parse(path.strip_suffix(".git").unwrap_or(path)).ok()
    }

    /// Returns `owner/name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part before the slash, as written.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(owner, _)| owner)
    }

    /// Returns the part behind the slash, as written.
    #[must_use]
    pub fn name(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(_, name)| name)
    }

    /// Returns what two names must share to be the same repository: the name without case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// Returns the host in a remote's address (a URL, or scp-like), in lower case and without port and
/// user; a path on this machine has none.
#[must_use]
pub fn host_in_address(address: &str) -> Option<String> {
    let (authority, _) = parts_of(address)?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Splits a remote's address into what is before its path and the path, which may be empty.
fn parts_of(address: &str) -> Option<(&str, &str)> {
    match address.split_once("://") {
        Some(("file", _)) => None,
        Some((_, rest)) => Some(rest.split_once('/').unwrap_or((rest, ""))),
        // One letter is a drive.
        None => address.split_once(':').filter(|(host, _)| !host.contains('/') && host.len() > 1),
    }
}

/// Returns the `owner/name` in a URL or an scp-like address, as far as there is one.
fn slug_in_url(text: &str) -> Option<String> {
    let path = if let Some((_, rest)) = text.split_once("://") {
        rest.split_once('/').map_or("", |(_, path)| path)
    } else if let Some(rest) = text.strip_prefix("git@") {
        rest.split_once(':').map_or("", |(_, path)| path)
    } else {
        text.strip_prefix("github.com/").or_else(|| text.strip_prefix("www.github.com/"))?
    };
    let mut parts = path.split(['/', '?', '#']).filter(|part| !part.is_empty());
    let owner = parts.next().unwrap_or_default();
    let name = parts.next().unwrap_or_default();
    Some(format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name)))
}

fn odd_character(part: &str, odd: char) -> BadName {
    let shown = if odd.is_ascii_graphic() {
        format!("'{odd}'")
    } else {
        format!("'{}' (U+{:04X})", odd.escape_debug(), u32::from(odd))
    };
    BadName::new(
        format!("a repository's {part} cannot hold {shown}"),
        if odd.is_alphabetic() {
            "GitHub's names are plain ASCII: this may be a letter of another alphabet that looks alike"
        } else {
            "use letters, digits, hyphens, and in the name also . and _"
        },
    )
}

/// A commit's object id: 40 lower-case hexadecimal digits (SHA-1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitSha(String);

impl CommitSha {
    /// Returns the id when `text` is 40 hexadecimal digits that are not all zero (git's way to
    /// write "no commit"); upper case is folded.
    ///
    /// # Errors
    /// Anything else is refused, with what a commit id looks like.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let hex = text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex || text.bytes().all(|b| b == b'0') {
            return Err(BadName::new(
                format!("{} is not a commit id", crate::text::quoted(text)),
                "a commit id is 40 hexadecimal digits, as `git rev-parse` prints it",
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Returns the 40 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first 10 digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

/// The name of a `repository_dispatch` event, which a receiving workflow lists under `types:`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(String);

impl EventType {
    /// The event type of a cousin that names none.
    pub const DEFAULT: &'static str = "feature-update";

    /// Returns the event type when `text` has 1 to 100 characters, none of them a control
    /// character. Source of the length: GitHub's REST documentation of
    /// "Create a repository dispatch event".
    ///
    /// # Errors
    /// Says which of the rules is broken.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let length = text.chars().count();
        if length == 0 || length > 100 {
            return Err(BadName::new(
                format!("an event type has 1 to 100 characters, this one has {length}"),
                format!("shorten it, or leave it out for \"{}\"", Self::DEFAULT),
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(BadName::new(
                "an event type cannot hold a control character",
                "use letters, digits, hyphens and underscores",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the event type as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for EventType {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

/// A path in the monorepo's tree that an event is about: bytes, as git keeps them, without a
/// leading or trailing slash. The root is `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeaturePath(Vec<u8>);

impl FeaturePath {
    /// Returns the feature for a path in a tree; the empty path is the root.
    #[must_use]
    pub fn new(path: &[u8]) -> Self {
        Self(if path.is_empty() { b".".to_vec() } else { path.to_vec() })
    }

    /// Returns the path's bytes, which need not be UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

macro_rules! shown_as_written {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )*};
}
shown_as_written!(RepoName, CommitSha, EventType);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_that_github_could_give_out_is_taken_as_written() {
        for good in ["acme/web", "Acme/Web.js", "a/b", "user_corp/x_y-z.1", "a-/.github", "0/0"] {
            assert_eq!(RepoName::parse(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn a_bad_slug_is_refused_with_what_to_write_instead() {
        let help = |text| RepoName::parse(text).map_err(|bad| bad.help).unwrap_err();
        assert_eq!(help("https://github.com/acme/web.git"), "write \"acme/web\"");
        assert_eq!(help("git@github.com:acme/web.git"), "write \"acme/web\"");
        assert_eq!(help("ssh://git@github.com/acme/web"), "write \"acme/web\"");
        assert_eq!(help("https://github.com/acme/web/tree/main?x=1"), "write \"acme/web\"");
        assert_eq!(help("github.com/acme/web"), "write \"acme/web\"");
        assert_eq!(help("acme/web.git"), "write \"acme/web\"");
        assert_eq!(help("acme/web.GIT"), "write \"acme/web\"");
        let bad =
            ["", "/", "a", "a/", "/b", "../x", "a/..", "a/.", "a/b/c", "a/b?x", "a b/c", "a/b "];
        for bad in
            bad.into_iter().chain(["-a/b", "a/b\n", "a/.git", "аcme/web", "acme/ｗeb", "a/b#c"])
        {
            assert!(RepoName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(RepoName::parse(&format!("{}/b", "a".repeat(40))).is_err());
        assert!(RepoName::parse(&format!("a/{}", "b".repeat(101))).is_err());
    }

    #[test]
    fn a_letter_that_only_looks_like_latin_is_named_by_its_code_point() {
        let bad = RepoName::parse("acme/wеb").unwrap_err();
        assert_eq!(bad.message, "a repository's name cannot hold 'е' (U+0435)");
    }

    #[test]
    fn a_remotes_address_names_its_repository() {
        for (address, name) in [
            ("https://github.com/acme/mono.git", Some("acme/mono")),
            ("https://ghe.example.com:8443/acme/mono/", Some("acme/mono")),
            ("git@github.com:acme/mono.git", Some("acme/mono")),
            ("ssh://git@github.com/acme/mono", Some("acme/mono")),
            ("https://git.example.com/group/sub/mono", None),
            ("file:///srv/acme/mono.git", None),
            ("/srv/acme/mono", None),
            ("../acme/mono", None),
            ("C:/acme/mono", None),
            ("", None),
        ] {
            assert_eq!(RepoName::in_address(address).as_ref().map(RepoName::as_str), name);
        }
    }

    #[test]
    fn an_address_has_a_host() {
        for (address, host) in [
            ("https://github.com/a/b", Some("github.com")),
            ("https://github.com", Some("github.com")),
            ("https://user:secret@GitHub.com:443/a/b", Some("github.com")),
            ("git@github.com:a/b.git", Some("github.com")),
            ("ssh://git@ssh.github.com:443/a/b", Some("ssh.github.com")),
            ("work:a/b", Some("work")),
            ("https:///a/b", None),
            ("file:///a/b", None),
            ("C:/a/b", None),
            ("/a/b", None),
        ] {
            assert_eq!(host_in_address(address).as_deref(), host, "{address}");
        }
    }

    #[test]
    fn only_forty_digits_that_are_not_all_zero_are_a_commit() {
        let sha = "0123456789ABCDEF0123456789abcdef01234567";
        assert_eq!(CommitSha::parse(sha).unwrap().as_str(), sha.to_ascii_lowercase());
        for bad in ["", "abc", &"0".repeat(40), &"a".repeat(41), &"g".repeat(40), "--upload-pack=x"]
        {
            assert!(CommitSha::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_event_type_is_counted_in_characters() {
        assert!(EventType::parse(&"é".repeat(100)).is_ok());
        assert!(EventType::parse(&"é".repeat(101)).is_err());
        assert!(EventType::parse("").is_err());
        assert!(EventType::parse("a\nb").is_err());
    }
}
