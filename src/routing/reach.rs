//! Which directories of a tree some subscription can reach, so that the walk of two trees enters
//! no other. It also notices when a literal subscription misses a changed path only because of
//! upper and lower case or the Unicode form of an accent: that is never a match (routing folds
//! nothing), but its author wants to hear of it.

use std::borrow::Cow;
use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

use super::pattern::{Pattern, Shape};

/// The directories that patterns can reach, as a tree of path components.
#[derive(Debug, Default)]
pub struct Reach {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    /// Everything below is in reach.
    everything: bool,
    /// The path of a literal subscription that ends here.
    literal: Option<Box<[u8]>>,
    /// By folded name; the names in a list differ only in case or Unicode form.
    children: HashMap<Box<[u8]>, Vec<Spelling>>,
}

type Spelling = (Box<[u8]>, Node);

/// A place in a tree during a walk, with what can be reached below it.
#[derive(Debug, Clone)]
pub struct Scope<'r> {
    within: Within<'r>,
    /// Places that the path would have reached if it were spelled as the subscription is.
    misspelled: Vec<&'r Node>,
}

#[derive(Debug, Clone, Copy)]
enum Within<'r> {
    Nothing,
    Node(&'r Node),
    Everything,
}

impl Reach {
    /// Returns what the positive patterns can reach.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p Pattern>) -> Self {
        let mut reach = Self::default();
        for pattern in patterns {
            if pattern.is_exclusion() {
                continue;
            }
            let (path, literal) = match pattern.shape() {
                Shape::Literal(path) => (path, true),
                Shape::Glob { directory, .. } => (directory, false),
            };
            let components = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
            let node = components.fold(&mut reach.root, Node::child);
            node.everything = true;
            if literal {
                node.literal = Some(path.as_slice().into());
            }
        }
        reach
    }

    /// Returns the reach of a pattern that matches all paths.
    #[must_use]
    pub fn everything() -> Self {
        Self { root: Node { everything: true, ..Node::default() } }
    }

    /// Returns the scope of a tree's root.
    #[must_use]
    pub fn root(&self) -> Scope<'_> {
        let within =
            if self.root.everything { Within::Everything } else { Within::Node(&self.root) };
        Scope { within, misspelled: Vec::new() }
    }
}

impl Node {
    fn child(&mut self, name: &[u8]) -> &mut Self {
        let spellings = self.children.entry(folded(name).into()).or_default();
        let at = match spellings.iter().position(|(spelling, _)| **spelling == *name) {
            Some(at) => at,
            None => {
                spellings.push((name.into(), Self::default()));
                spellings.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the index was just found or made")]
        &mut spellings[at].1
    }

    fn spellings(&self, folded_name: &[u8]) -> &[Spelling] {
        self.children.get(folded_name).map(Vec::as_slice).unwrap_or_default()
    }
}

impl<'r> Scope<'r> {
    /// Returns whether the changed files that stand right in this directory are wanted.
    #[must_use]
    pub fn wants_files(&self) -> bool {
        !matches!(self.within, Within::Nothing)
    }

    /// Returns the scope of the entry `name` in this directory; none when nothing at or below it
    /// can be reached.
    #[must_use]
    pub fn enter(&self, name: &[u8]) -> Option<Self> {
        let mut misspelled = Vec::new();
        let mut within = self.within;
        if let Within::Node(node) = self.within {
            within = Within::Nothing;
            for (spelling, child) in node.spellings(&folded(name)) {
                if **spelling != *name {
                    misspelled.push(child);
                } else if child.everything {
                    within = Within::Everything;
                } else {
                    within = Within::Node(child);
                }
            }
        }
        if !self.misspelled.is_empty() {
            let folded = folded(name);
            let below = self.misspelled.iter().flat_map(|node| node.spellings(&folded));
            misspelled.extend(below.map(|(_, child)| child));
        }
        let scope = Self { within, misspelled };
        (scope.wants_files() || !scope.misspelled.is_empty()).then_some(scope)
    }

    /// Returns the literal subscriptions that this place would match if it were spelled as they
    /// are.
    pub fn near_misses(&self) -> impl Iterator<Item = &'r [u8]> {
        self.misspelled.iter().filter_map(|node| node.literal.as_deref())
    }
}

/// Returns a name without case and in Unicode's composed form (NFC); a name that is not UTF-8
/// stays as it is.
pub(crate) fn folded(name: &[u8]) -> Cow<'_, [u8]> {
    if name.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    match std::str::from_utf8(name) {
        Ok(text) if is_nfc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes => {
            Cow::Owned(text.to_lowercase().into_bytes())
        }
        Ok(text) => Cow::Owned(text.nfc().collect::<String>().to_lowercase().into_bytes()),
        Err(_) => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(patterns: &[&str]) -> Reach {
        let patterns: Vec<_> = patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        Reach::new(&patterns)
    }

    /// Whether the walk gets to see a changed file at the path.
    fn sees(reach: &Reach, path: &str) -> bool {
        let (directory, _) = path.rsplit_once('/').unwrap_or(("", path));
        let names = directory.split('/').filter(|name| !name.is_empty());
        names
            .into_iter()
            .try_fold(reach.root(), |scope, name| scope.enter(name.as_bytes()))
            .is_some_and(|scope| scope.wants_files())
    }

    fn near_misses(reach: &Reach, path: &str) -> Vec<String> {
        path.split('/')
            .try_fold(reach.root(), |scope, name| scope.enter(name.as_bytes()))
            .iter()
            .flat_map(Scope::near_misses)
            .map(|path| String::from_utf8(path.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn only_directories_on_the_way_to_or_below_a_subscription_are_entered() {
        let reach = reach(&["features/webpush/flask", "docs/*/api", "!other", "top.txt"]);
        for (path, expected) in [
            ("top.txt", true),
            ("any-file-in-an-entered-directory", true),
            ("features/x", true),
            ("features/webpush/flask/deep/er/x", true),
            ("features/pwa/x", false),
            ("docs/guide/api/x", true),
            ("other/x", false),
            ("Features/webpush/flask/x", false),
        ] {
            assert_eq!(sees(&reach, path), expected, "{path}");
        }
    }

    #[test]
    fn a_glob_without_a_directory_reaches_everything() {
        assert!(sees(&reach(&["**/*.md"]), "any/where/x"));
        assert!(!sees(&reach(&["!**/*.md"]), "any/where/x"));
    }

    #[test]
    fn a_literal_that_misses_by_case_or_unicode_form_is_noticed() {
        let reach = reach(&["Features/Web", "caf\u{e9}/x", "features/ok"]);
        assert_eq!(near_misses(&reach, "features/web"), ["Features/Web"]);
        assert_eq!(near_misses(&reach, "Features/WEB"), ["Features/Web"]);
        assert_eq!(near_misses(&reach, "cafe\u{301}/x"), ["caf\u{e9}/x"]);
        assert_eq!(near_misses(&reach, "Features/Web"), Vec::<String>::new());
        assert_eq!(near_misses(&reach, "features/other"), Vec::<String>::new());
        assert_eq!(near_misses(&reach, "features/ok"), Vec::<String>::new());
    }
}
