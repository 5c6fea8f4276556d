//! What a sync leaves alone: patterns of paths below the cousin's directory, read and matched as the
//! subscriptions of `ecosystem.json` are. A pattern means the path itself or any directory above it,
//! `!` excludes, and the last pattern that matches decides.

use globset::{Candidate, GlobMatcher};

use crate::routing::pattern::{BadPattern, Pattern, Shape, compile};

/// The paths, relative to `into`, that a sync neither writes nor changes nor deletes.
#[derive(Debug, Clone, Default)]
pub struct Preserve {
    rules: Vec<Rule>,
}

/// A pattern, and its glob ready to be matched.
#[derive(Debug, Clone)]
struct Rule {
    pattern: Pattern,
    glob: Option<GlobMatcher>,
}

impl Preserve {
    /// Returns what the patterns, in their order, preserve.
    ///
    /// # Errors
    /// Passes on why a pattern was refused.
    pub fn parse<'t>(patterns: impl IntoIterator<Item = &'t str>) -> Result<Self, BadPattern> {
        let mut preserve = Self::default();
        patterns.into_iter().try_for_each(|text| preserve.add(text))?;
        Ok(preserve)
    }

    /// Adds a pattern behind the others.
    pub(super) fn add(&mut self, text: &str) -> Result<(), BadPattern> {
        let pattern = Pattern::parse(text)?;
        let glob = match pattern.shape() {
            Shape::Literal(_) => None,
            Shape::Glob { glob, .. } => {
                let glob = compile(glob).map_err(|error| BadPattern {
                    message: error.kind().to_string(),
                    help: "simplify the pattern".to_owned(),
                })?;
                Some(glob.compile_matcher())
            }
        };
        self.rules.push(Rule { pattern, glob });
        Ok(())
    }

    /// Returns whether it preserves nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns the patterns as their author wrote them.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.pattern.as_str())
    }

    /// Returns whether no pattern preserves anything, though there are some.
    pub(super) fn only_excludes(&self) -> bool {
        !self.is_empty() && self.rules.iter().all(|rule| rule.pattern.is_exclusion())
    }

    /// Returns whether a sync leaves the path alone; it is relative to `into`. The directory itself
    /// (the empty path) never is.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        if path.is_empty() {
            return false;
        }
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        // The path itself, then what is above it.
        let mut places: Vec<Candidate<'_>> = vec![Candidate::from_bytes(path)];
        if self.rules.iter().any(|rule| rule.glob.is_some()) {
            places.extend(ends.filter_map(|end| path.get(..end)).map(Candidate::from_bytes));
        }
        let decides = self.rules.iter().rev().find(|rule| rule.matches(path, &places));
        decides.is_some_and(|rule| !rule.pattern.is_exclusion())
    }
}

impl Rule {
    fn matches(&self, path: &[u8], places: &[Candidate<'_>]) -> bool {
        let directory_only = self.pattern.is_directory_only();
        match (self.pattern.shape(), &self.glob) {
            (Shape::Literal(literal), _) => match path.strip_prefix(literal.as_slice()) {
                Some([]) => !directory_only,
                Some(rest) => rest.starts_with(b"/"),
                None => false,
            },
            (_, Some(glob)) => {
                let places = places.iter().skip(usize::from(directory_only));
                places.into_iter().any(|place| glob.is_match_candidate(place))
            }
            (_, None) => false,
        }
    }
}

impl PartialEq for Preserve {
    fn eq(&self, other: &Self) -> bool {
        self.rules.iter().map(|rule| &rule.pattern).eq(other.rules.iter().map(|rule| &rule.pattern))
    }
}

impl Eq for Preserve {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_preserves_a_path_and_what_is_below_it() {
        for (patterns, preserved, not) in [
            (&["config/**"][..], &["config/a", "config/b/c"][..], &["config", "x/config/a"][..]),
            (&["config"], &["config", "config/a/b"], &["configuration", "a/config"]),
            (&["config/"], &["config/a"], &["config"]),
            (&["*.local"], &["a.local", "b.local/c"], &["a/b.local", "local"]),
            (&["**/*.local"], &["a.local", "x/y/b.local", "x/b.local/c"], &["local"]),
            (&["a/*", "!a/b", "a/b/c"], &["a/x", "a/b/c", "a/b/c/d"], &["a/b", "a/b/d", "a"]),
            (&["**"], &["a", "a/b", ".hidden"], &[""]),
            (&["*/"], &["a/b", "a/b/c"], &["a"]),
            (&["./x", "/y"], &["x", "y/z"], &["z"]),
            (&[r"\[id\]"], &["[id]", "[id]/a"], &["i"]),
            (&[], &[], &["a", ""]),
        ] {
            let preserve = Preserve::parse(patterns.iter().copied()).unwrap();
            for path in preserved {
                assert!(preserve.matches(path.as_bytes()), "{patterns:?} {path}");
            }
            for path in not {
                assert!(!preserve.matches(path.as_bytes()), "{patterns:?} {path}");
            }
        }
    }

    #[test]
    fn a_name_that_is_not_utf8_is_matched_by_its_bytes() {
        let preserve = Preserve::parse(["a/*", "!b"]).unwrap();
        assert!(preserve.matches(b"a/\xff") && !preserve.matches(b"\xff/a"));
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_rule_said_path_by_path(
            patterns in prop::collection::vec("!?[ab*]{1,2}(/[ab*]{1,2}){0,2}/?", 0..5),
            path in "[ab]{1,2}(/[ab]{1,2}){0,3}",
        ) {
            let read = Preserve::parse(patterns.iter().map(String::as_str));
            prop_assume!(read.is_ok());
            let mut expected = false;
            for text in &patterns {
                let pattern = Pattern::parse(text).unwrap();
                let mut place = Some(path.as_str());
                let mut hit = false;
                while let Some(at) = place {
                    let whole = at.len() == path.len();
                    hit |= !(whole && pattern.is_directory_only()) && match pattern.shape() {
                        Shape::Literal(literal) => literal == at.as_bytes(),
                        Shape::Glob { glob, .. } => compile(glob).unwrap().compile_matcher().is_match(at),
                    };
                    place = at.rsplit_once('/').map(|(above, _)| above);
                }
                if hit {
                    expected = !pattern.is_exclusion();
                }
            }
            prop_assert_eq!(read.unwrap().matches(path.as_bytes()), expected);
        }
    }
}
