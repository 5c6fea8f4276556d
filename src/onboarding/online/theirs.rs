//! The cousin's own `subscriptions.json`, as far as it says which features the cousin takes: the
//! plain array of names, or the object with `source` and `subscriptions`. What else it holds is
//! the cousin's affair.

use serde_json::Value;

use crate::names::RepoName;
use crate::routing::pattern::Pattern;
use crate::routing::{ChangedPath, Matcher};
use crate::text;

/// What a cousin follows by its own account.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    /// The monorepo that it follows, where the file names it.
    pub(crate) source: Option<RepoName>,
    matcher: Matcher,
}

impl Subscriptions {
    /// Returns the subscriptions in the text of a file.
    ///
    /// # Errors
    /// Says what is wrong, with the line where there is one.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| text::shown(error.to_string().as_bytes()).into_owned())?;
        let (source, list) = match &value {
            Value::Array(list) => (None, list),
            Value::Object(object) => match object.get("subscriptions") {
                Some(Value::Array(list)) => (object.get("source"), list),
                _ => return Err("it has no array \"subscriptions\"".to_owned()),
            },
            _ => return Err("it is neither an array nor an object".to_owned()),
        };
        let names = list.iter().enumerate().map(|(at, entry)| {
            let name = match entry {
                Value::Object(object) => object.get("feature").and_then(Value::as_str),
                entry => entry.as_str(),
            };
            let name = name.ok_or_else(|| {
                format!("subscription {} is neither a string nor has a \"feature\"", at + 1)
            })?;
            Pattern::parse(name).map_err(|bad| format!("{}: {}", text::quoted(name), bad.message))
        });
        let patterns = names.collect::<Result<Vec<Pattern>, String>>()?;
        Ok(Self {
            source: source.and_then(Value::as_str).and_then(|name| RepoName::parse(name).ok()),
            matcher: Matcher::new([&patterns]).map_err(|error| error.to_string())?,
        })
    }

    /// Returns whether the cousin takes events about a feature.
    pub(crate) fn takes(&self, feature: &[u8]) -> bool {
        // A feature is a directory, and so is a submodule.
        let feature = ChangedPath { path: feature.to_vec(), submodule: true };
        !self.matcher.select(&[feature]).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_which_features_are_taken() {
        for (text, taken, not) in [
            (r#"["features/a"]"#, "features/a", "features/b"),
            (r#"["./features/a/"]"#, "features/a", "features"),
            (r#"["features/*"]"#, "features/a", "docs"),
            (r#"["features", "!features/b"]"#, "features/a", "features/b"),
            (
                r#"{"source": "acme/mono", "branch": "main", "subscriptions":
                    ["docs", {"feature": "features/a", "into": "src"}]}"#,
                "features/a",
                "src",
            ),
        ] {
            let theirs = Subscriptions::parse(text.as_bytes()).unwrap();
            assert!(theirs.takes(taken.as_bytes()), "{text} {taken}");
            assert!(!theirs.takes(not.as_bytes()), "{text} {not}");
        }
    }

    #[test]
    fn what_is_no_list_of_features_is_an_error() {
        for (text, error) in [
            ("", "EOF"),
            ("{}", "no array"),
            ("3", "neither an array"),
            (r#"[3]"#, "subscription 1"),
            (r#"["a", {"into": "x"}]"#, "subscription 2"),
            (r#"["a//b"]"#, "\"a//b\""),
            ("[\"a\u{1b}\"", "control character"),
        ] {
            let found = Subscriptions::parse(text.as_bytes()).unwrap_err();
            assert!(found.contains(error), "{text:?}: {found}");
        }
    }
}
