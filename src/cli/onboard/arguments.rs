//! What the flags about the cousin's files take: how updates are brought in, and where to. What
//! `subscriptions.json` would refuse is refused here, before anything is looked at.

use clap::ValueEnum;

use crate::subscriptions::{self, Directory};

/// How updates are brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    /// A three-way merge, which keeps what was changed there
    Merge,
    /// The directory becomes exactly the feature
    Copy,
    /// Each commit of the monorepo by itself
    CherryPick,
    /// One squashed merge, for a repository that has the monorepo's layout
    Squash,
    /// Onto the monorepo's branch, for a repository with commits of its own on it
    Rebase,
}

impl Method {
    /// Returns the word for it in `subscriptions.json`; none for the one that needs no word.
    pub(super) fn word(self) -> Option<&'static str> {
        let method = subscriptions::Method::from(self);
        (method != subscriptions::Method::default()).then(|| method.as_str())
    }
}

impl From<Method> for subscriptions::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Merge => Self::Merge,
            Method::Copy => Self::Copy,
            Method::CherryPick => Self::CherryPick,
            Method::Squash => Self::Squash,
            Method::Rebase => Self::Rebase,
        }
    }
}

/// Returns a directory of the cousin, `.` for its root.
pub(super) fn directory(text: &str) -> Result<String, String> {
    match Directory::parse(text) {
        Ok(directory) => Ok(directory.to_string()),
        Err(bad) => Err(format!("{}: {}", bad.message, bad.help)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_one_of_the_repository() {
        for (text, expected) in [
            ("src/push", "src/push"),
            ("./src/", "src"),
            (".", "."),
            ("./", "."),
            (".githubs/x", ".githubs/x"),
        ] {
            assert_eq!(directory(text).as_deref(), Ok(expected), "{text}");
        }
        for bad in [
            "",
            "a//b",
            "..",
            "a/../b",
            ".git",
            "a/.GIT/b",
            "a\\b",
            "a\nb",
            "a/./b",
            "a*",
            ".github/workflows",
            "ecosystem.lock.json",
        ] {
            assert!(directory(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn each_method_of_the_file_can_be_asked_for_by_its_word() {
        let words = |method: &Method| method.to_possible_value().unwrap().get_name().to_owned();
        let all: Vec<String> = Method::value_variants().iter().map(words).collect();
        assert_eq!(all, subscriptions::Method::ALL.map(subscriptions::Method::as_str));
        for method in Method::value_variants() {
            let expected = Some(words(method)).filter(|word| word != "merge");
            assert_eq!(method.word(), expected.as_deref());
        }
    }
}
