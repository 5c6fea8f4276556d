//! Paths that a cousin's file, a flag or an event names: a feature of the source, and a directory of
//! the cousin. Both are cleaned by the rule of subscriptions in `ecosystem.json` (a leading `./` or
//! `/` and a trailing `/` are dropped) and are plain names: a glob would not say where its matches
//! are to be put. Whether there is such a directory is not asked here.

use std::fmt;

use gix_validate::path::component;

use crate::names::{BadName, FeaturePath};

/// How many bytes a path may have: what Linux allows one (`PATH_MAX`).
const MAX_BYTES: usize = 4096;

/// What the cousin's own part of a sync is made of; nothing from upstream may be put there.
const OWN_FILES: [&str; 2] = ["subscriptions.json", "ecosystem.lock.json"];

/// Where GitHub looks for what it runs.
const EXECUTED: [&str; 2] = [".github/workflows", ".github/actions"];

/// Returns the feature that a person names.
///
/// # Errors
/// Refuses the root, what no path in a git tree can be, and every glob, with what to write instead.
pub fn feature(text: &str) -> Result<FeaturePath, BadName> {
    let path = plain(text, "write each feature by its name")?;
    if path.is_empty() {
        return Err(BadName::new(
            "the path names the root of the source",
            "name a directory of it, such as \"features/web\"",
        ));
    }
    Ok(FeaturePath::new(path.as_bytes()))
}

/// Returns the feature that an event names, which need not be UTF-8. It is what some directory is
/// called, so no character is special.
///
/// # Errors
/// Refuses what no path in a git tree can be, and control characters.
pub(crate) fn told(path: &[u8]) -> Result<FeaturePath, BadName> {
    cleaned(path).map(FeaturePath::new)
}

/// A directory of the cousin, from its root: without a leading or trailing slash, and empty for the
/// root itself, which is shown as `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Directory(String);

impl Directory {
    /// Returns the directory that a person names; `.` is the root.
    ///
    /// # Errors
    /// Refuses what no path in a git tree can be, every glob, git's own directory in any spelling,
    /// where GitHub looks for workflows and actions, and the files that steer a sync.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let help = "name one directory, such as \"src/push\"";
        let path = plain(text, help)?;
        let is_git = |name: &&str| {
            let options = component::Options {
                protect_windows: false,
                protect_hfs: true,
                protect_ntfs: true,
            };
            gix_validate::path::component(name.as_bytes().into(), None, options).is_err()
        };
        let names = path.split('/').filter(|_| !path.is_empty());
        if let Some(name) = names.clone().find(is_git) {
            return Err(BadName::new(
                format!("{} is git's own directory, or is read as it", crate::text::quoted(name)),
                help,
            ));
        }
        let is_or_is_below = |above: &str| {
            let head = path.get(..above.len());
            let rest = path.get(above.len()..).unwrap_or_default();
            head.is_some_and(|head| head.eq_ignore_ascii_case(above))
                && (rest.is_empty() || rest.starts_with('/'))
        };
        if let Some(executed) = EXECUTED.into_iter().find(|above| is_or_is_below(above)) {
            return Err(BadName::new(
                format!("what is in {executed} is run by GitHub with the cousin's own rights"),
                help,
            ));
        }
        if let Some(own) = OWN_FILES.into_iter().find(|own| is_or_is_below(own)) {
            return Err(BadName::new(format!("{own} steers the sync itself"), help));
        }
        Ok(Self(path.to_owned()))
    }

    /// Returns the path's bytes; none for the root.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the path; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is the cousin's root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

/// Returns a path that a person wrote, cleaned; empty for the root.
fn plain<'t>(text: &'t str, help: &str) -> Result<&'t str, BadName> {
    if text.is_empty() {
        return Err(BadName::new("the path is empty", help));
    }
    if text.starts_with('!') {
        return Err(BadName::new("nothing is excluded here: the list holds what is wanted", help));
    }
    if text.contains('\\') {
        return Err(BadName::new(
            "the path holds a backslash, which does not separate directories here",
            format!("{help}, with / between directories"),
        ));
    }
    if let Some(special) = text.chars().find(|c| "*?[]{}".contains(*c)) {
        let message = format!("the path holds {special}, and globs have no meaning here");
        return Err(BadName::new(message, help));
    }
    let path = cleaned(text.as_bytes())?;
    Ok(std::str::from_utf8(path).unwrap_or_default())
}

/// Returns a path without `./` or `/` before it and `/` behind it; empty for the root.
fn cleaned(path: &[u8]) -> Result<&[u8], BadName> {
    let from_root = "write the path from the root of the repository, as `git ls-files` prints it";
    let bad = |message: &str| Err(BadName::new(message, from_root));
    if path.len() > MAX_BYTES {
        return bad(&format!("the path has {} bytes, the limit is {MAX_BYTES}", path.len()));
    }
    let control = |chunk: std::str::Utf8Chunk<'_>| chunk.valid().chars().any(char::is_control);
    if path.utf8_chunks().any(control) {
        return bad("the path holds a control character");
    }
    if path.is_empty() {
        return bad("the path is empty");
    }
    let path = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")).unwrap_or(path);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if path.is_empty() || path == b"." {
        return Ok(b"");
    }
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" => return bad("the path holds an empty directory name (//)"),
            b"." => return bad("the path holds the directory name \".\""),
            b".." => return bad("the path holds \"..\", which no path in a git tree does"),
            _ => {}
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature_of(text: &str) -> String {
        String::from_utf8(feature(text).unwrap().as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_path_is_cleaned_as_a_subscription_of_the_monorepo_is() {
        for (text, clean) in [
            ("features/webpush/flask", "features/webpush/flask"),
            ("./features/a", "features/a"),
            ("/features/a/", "features/a"),
            ("a b/ü,!", "a b/ü,!"),
            ("-rf", "-rf"),
            ("$(id)/`id`", "$(id)/`id`"),
            ("...", "..."),
        ] {
            assert_eq!(feature_of(text), clean);
            assert_eq!(Directory::parse(text).unwrap().as_str(), clean);
            assert_eq!(told(text.as_bytes()), feature(text));
        }
    }

    #[test]
    fn what_is_no_plain_path_is_refused_with_the_reason() {
        for (text, message) in [
            ("", "the path is empty"),
            ("!a", "nothing is excluded here: the list holds what is wanted"),
            ("features/*", "the path holds *, and globs have no meaning here"),
            ("a{b,c}", "the path holds {, and globs have no meaning here"),
            ("a?", "the path holds ?, and globs have no meaning here"),
            ("[a]", "the path holds [, and globs have no meaning here"),
            (r"a\b", "the path holds a backslash, which does not separate directories here"),
            ("a/../b", "the path holds \"..\", which no path in a git tree does"),
            ("..", "the path holds \"..\", which no path in a git tree does"),
            ("./../a", "the path holds \"..\", which no path in a git tree does"),
            ("a/./b", "the path holds the directory name \".\""),
            ("a//b", "the path holds an empty directory name (//)"),
            ("//a", "the path holds an empty directory name (//)"),
            ("a//", "the path holds an empty directory name (//)"),
            ("a\nb", "the path holds a control character"),
            ("a\0b", "the path holds a control character"),
            ("a\u{85}b", "the path holds a control character"),
        ] {
            assert_eq!(feature(text).unwrap_err().message, message, "{text:?}");
            assert_eq!(Directory::parse(text).unwrap_err().message, message, "{text:?}");
        }
        assert!(feature(&"a".repeat(MAX_BYTES)).is_ok());
        assert!(feature(&"a".repeat(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn the_root_is_a_directory_of_the_cousin_and_no_feature() {
        for root in [".", "./", "/"] {
            let directory = Directory::parse(root).unwrap();
            assert_eq!((directory.as_str(), directory.to_string().as_str()), ("", "."));
            assert!(feature(root).is_err(), "{root}");
        }
    }

    #[test]
    fn nothing_is_put_where_git_or_github_would_take_it_for_its_own() {
        for text in [
            ".git",
            "a/.git/hooks",
            ".GIT",
            "git~1",
            ".git ",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            ".github/workflows",
            ".github/workflows/",
            ".github/Workflows/deep",
            ".github/actions/x",
            "subscriptions.json",
            "ecosystem.lock.json/x",
        ] {
            assert!(Directory::parse(text).is_err(), "{text:?}");
        }
        for text in [".github", ".github/workflows-old", ".gitignore", "a/.github/workflows", "con"]
        {
            assert!(Directory::parse(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn an_event_may_name_a_feature_that_no_file_can() {
        assert_eq!(told(b"app/[id]").unwrap().as_bytes(), b"app/[id]");
        assert_eq!(told(b"a/\xff").unwrap().as_bytes(), b"a/\xff");
        assert_eq!(told(b".").unwrap().as_bytes(), b".");
        assert!(told(b"a/../\xff").is_err() && told(b"").is_err() && told(b"a\xff\nb").is_err());
    }
}
