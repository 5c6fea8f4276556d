//! The cousin's own `subscriptions.json`, as far as it says which features the cousin takes: the
//! plain array of names, or the object with `source` and `subscriptions`; and what it lacks of
//! what the cousin would be told of. What else it holds is the cousin's affair.

use std::collections::HashSet;

use serde_json::Value;

use super::Theirs;
use super::judging::{Spot, Subject, Verdict};
use crate::ecosystem::{Code, Finding, Listed, Severity};
use crate::names::{FeaturePath, RepoName};
use crate::routing::pattern::{Pattern, Shape};
use crate::routing::{ChangedPath, Matcher};
use crate::subscriptions::SourceName;
use crate::text;

/// How many features a message names.
const NAMED: usize = 3;

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
            source: source.and_then(Value::as_str).and_then(followed),
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

/// Returns the repository that a cousin follows by its own words, a name or a URL; none where that
/// is no repository's name, or is not understood.
fn followed(source: &str) -> Option<RepoName> {
    SourceName::parse(source).ok()?.repository
}

/// Judges the cousin's own list of what it takes.
pub(super) fn judge(subject: &Subject<'_>, theirs: &Theirs, verdict: &mut Verdict) {
    let Listed { cousin, patterns, items, subscriptions, at, .. } = subject.listed;
    let repo = &cousin.repo;
    let list = (at.key("subscriptions"), *subscriptions);
    let mut warn = |spot: Spot, finding: Finding| {
        verdict.find_at(Severity::Warning, Code::NotSubscribedThere, spot, finding);
    };
    let theirs = match theirs {
        Theirs::None => return,
        Theirs::Unreadable(why) => {
            return warn(
                list,
                Finding::new(
                    format!("the subscriptions.json of {repo} cannot be read: {why}"),
                    "it is an array of features, such as [\"features/x\"]",
                ),
            );
        }
        Theirs::Read(theirs) => theirs,
    };
    if let (Some(followed), Some(source)) = (&theirs.source, subject.source)
        && followed.key() != source.key()
    {
        return warn(
            list,
            Finding::new(
                format!("the subscriptions.json of {repo} follows {followed}, and not {source}"),
                format!("write \"source\": \"{source}\" there"),
            ),
        );
    }
    let shown = |feature: &[u8]| text::quoted(&String::from_utf8_lossy(feature));
    // A plain path is told of by its own name, whether or not it is there at HEAD already.
    let mut literals = HashSet::new();
    let written = cousin.subscriptions.iter().zip(patterns).zip(items);
    for ((pattern, span), item) in written {
        if let Shape::Literal(path) = pattern.shape()
            && !pattern.is_exclusion()
        {
            literals.insert(path.as_slice());
            if !theirs.takes(path) {
                warn((list.0.item(*item), *span), lacks(repo, &shown(path)));
            }
        }
    }
    let others = subject.features.iter().map(FeaturePath::as_bytes);
    let missing = others.filter(|feature| !literals.contains(feature) && !theirs.takes(feature));
    let missing: Vec<&[u8]> = missing.collect();
    if !missing.is_empty() {
        let named: Vec<String> = missing.iter().take(NAMED).map(|it| shown(it)).collect();
        let more = match missing.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        warn(list, lacks(repo, &format!("{}{more}", named.join(", "))));
    }
}

fn lacks(repo: &RepoName, features: &str) -> Finding {
    Finding::new(
        format!("{repo} would ignore the news: its own subscriptions.json lacks {features}"),
        format!("add it to subscriptions.json in {repo}, or take the subscription out here"),
    )
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
    fn what_is_followed_is_a_name_or_a_url() {
        for (source, followed) in [
            (r#""acme/mono""#, Some("acme/mono")),
            (r#""https://github.com/acme/mono""#, Some("acme/mono")),
            (r#""https://github.com/acme/mono.git""#, Some("acme/mono")),
            (r#""git@github.com:acme/mono.git""#, None),
            (r#""file:///srv/mono""#, None),
            (r#""""#, None),
            ("3", None),
        ] {
            let text = format!(r#"{{"source": {source}, "subscriptions": ["a"]}}"#);
            let theirs = Subscriptions::parse(text.as_bytes()).unwrap();
            assert_eq!(theirs.source.as_ref().map(RepoName::as_str), followed, "{text}");
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
