//! What a pattern means, whatever its spelling, and which patterns provably have no path in common.
//! It looks at the patterns' text only: a proof must hold for every tree that there will ever be.

use crate::routing::Pattern;
use crate::routing::pattern::{Shape, below, is_every_entry};

/// What a pattern matches, apart from its `!` and its trailing slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Meaning<'p> {
    /// One path.
    Literal(&'p [u8]),
    /// Everything right in a directory, with what is below: `dir/*` and `dir/**` are the same here.
    Entries(&'p [u8]),
    /// Any other glob.
    Glob {
        /// In globset's syntax.
        glob: &'p str,
        /// The directory that all it matches lies in.
        directory: &'p [u8],
        /// What of the glob is below that directory.
        below: &'p str,
    },
}

impl<'p> Meaning<'p> {
    pub(super) fn of(pattern: &'p Pattern) -> Self {
        match pattern.shape() {
            Shape::Literal(path) => Self::Literal(path),
            Shape::Glob { glob, directory } => match below(glob, directory) {
                below if is_every_entry(below) => Self::Entries(directory),
                below => Self::Glob { glob, directory, below },
            },
        }
    }

    /// Returns the path that must be in a tree for the pattern to match anything: the literal
    /// itself, the directory of a glob (empty is the root).
    pub(super) const fn place(self) -> &'p [u8] {
        match self {
            Self::Literal(path) | Self::Entries(path) => path,
            Self::Glob { directory, .. } => directory,
        }
    }
}

/// One name of a path that a glob describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Component<'g> {
    text: &'g str,
    /// Whether alternatives in it hold a slash, so that it describes more than one name.
    spreads: bool,
}

/// Splits a glob at the slashes between names; those within braces or a class are not.
fn components(glob: &str) -> impl Iterator<Item = Component<'_>> {
    let mut rest = Some(glob);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut braces = 0_usize;
        let mut spreads = false;
        let mut bytes = text.bytes().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'\\' => {
                    bytes.next();
                }
                b'{' => braces += 1,
                b'}' => braces = braces.saturating_sub(1),
                b'[' => {
                    bytes.next_if(|(_, byte)| matches!(byte, b'!' | b'^'));
                    // The first member may be a ].
                    bytes.next();
                    bytes.by_ref().find(|(_, byte)| *byte == b']');
                }
                b'/' if braces > 0 => spreads = true,
                b'/' => {
                    rest = text.get(at + 1..);
                    return Some(Component { text: text.get(..at)?, spreads });
                }
                _ => {}
            }
        }
        rest = None;
        Some(Component { text, spreads })
    })
}

/// Returns whether a glob, below its directory, describes one name and nothing deeper.
pub(super) fn is_one_name(below: &str) -> bool {
    let mut components = components(below);
    components.next().is_some_and(|first| !first.spreads && first.text != "**")
        && components.next().is_none()
}

/// Returns whether a glob, below its directory, never matches right in it.
pub(super) fn is_deeper(below: &str) -> bool {
    let mut components = components(below);
    // An alternative that is empty could leave a name out together with its slash.
    components.next().is_some_and(|first| !first.spreads && first.text != "**")
        && components.next().is_some_and(|second| !second.spreads && second.text != "**")
}

/// What is known of one name in all paths that a pattern matches.
#[derive(Debug, Clone, Copy)]
enum Name<'p> {
    Exactly(&'p [u8]),
    Between { prefix: &'p [u8], suffix: &'p [u8] },
}

/// What is known of the first names of all paths that a pattern matches.
#[derive(Debug)]
pub(super) struct Outline<'p>(Vec<Name<'p>>);

impl<'p> Outline<'p> {
    pub(super) fn of(meaning: Meaning<'p>) -> Self {
        let names = |path: &'p [u8]| {
            path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).map(Name::Exactly)
        };
        let mut outline: Vec<Name<'p>> = names(meaning.place()).collect();
        if let Meaning::Glob { below, .. } = meaning {
            let fixed = components(below).take_while(|name| !name.spreads && name.text != "**");
            outline.extend(fixed.map(|name| Name::of(name.text)));
        }
        Self(outline)
    }

    /// Returns whether no path can be matched by both patterns. Each matches a path by some of its
    /// first names, so that the names that both describe must agree.
    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a.contradicts(*b))
    }
}

impl<'p> Name<'p> {
    /// Returns what is certain of a name: how it begins before the first special character, and how
    /// it ends behind the last.
    fn of(glob: &'p str) -> Self {
        let special = |byte: &u8| b"*?[]{}\\".contains(byte);
        let bytes = glob.as_bytes();
        match (bytes.iter().position(special), bytes.iter().rposition(special)) {
            (Some(first), Some(last)) => Self::Between {
                prefix: bytes.get(..first).unwrap_or_default(),
                suffix: bytes.get(last + 1..).unwrap_or_default(),
            },
            _ => Self::Exactly(bytes),
        }
    }

    fn contradicts(self, other: Self) -> bool {
        match (self, other) {
            (Self::Exactly(a), Self::Exactly(b)) => a != b,
            (Self::Exactly(name), Self::Between { prefix, suffix })
            | (Self::Between { prefix, suffix }, Self::Exactly(name)) => {
                let rest = name.strip_prefix(prefix);
                !rest.is_some_and(|rest| rest.ends_with(suffix))
            }
            (Self::Between { prefix: a, suffix: x }, Self::Between { prefix: b, suffix: y }) => {
                !(a.starts_with(b) || b.starts_with(a)) || !(x.ends_with(y) || y.ends_with(x))
            }
        }
    }
}

/// Returns the lengths of the directories above a path and of the path itself, from the root (0)
/// down.
pub(super) fn levels(path: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let own = (!path.is_empty()).then_some(path.len());
    std::iter::once(0).chain(slashes).chain(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn spelling_does_not_change_the_meaning() {
        for (a, b, same) in [
            ("docs", "./docs", true),
            ("docs", "/docs", true),
            ("docs/*", "docs/**", true),
            ("*", "**", true),
            ("**/**", "**", true),
            ("docs/**/*", "docs/*", true),
            ("docs/*/**", "docs/**", false),
            ("docs/*/*", "docs/*", false),
            (r"app/\[id\]/*", r"app/\[id\]/**", true),
            ("docs", "docs/*", false),
            ("docs/*.md", "docs/*.txt", false),
        ] {
            let (a, b) = (pattern(a), pattern(b));
            assert_eq!(Meaning::of(&a) == Meaning::of(&b), same, "{} {}", a.as_str(), b.as_str());
        }
    }

    #[test]
    fn only_what_no_path_can_match_twice_is_disjoint() {
        for (a, b, disjoint) in [
            ("docs", "src", true),
            ("docs", "docs/api", false),
            ("docs/api", "docs-old", true),
            ("docs/*", "docs/api/x", false),
            ("docs/*", "src/*", true),
            ("*/api", "docs/web", true),
            ("docs/*.md", "docs/*.txt", true),
            ("docs/*.md", "docs/a.md/x", false),
            ("docs/*.md", "docs/a.txt", true),
            ("docs/a*", "docs/b*", true),
            ("docs/a*a", "docs/a", true),
            ("**/*.md", "**/*.txt", false),
            ("docs/**/x", "docs/y", false),
            ("{a/b,c}/x", "a/y", false),
            ("{a,b}/x", "c/y", true),
            ("{a,b}/x", "c/x", false),
            ("[!a-c]x", "zy", true),
            ("a[!b]/x", "ac/y", true),
            ("a[!b]/x", "ac/x/y", false),
        ] {
            let a = pattern(a);
            let b = pattern(b);
            let (x, y) = (Outline::of(Meaning::of(&a)), Outline::of(Meaning::of(&b)));
            assert_eq!(x.is_disjoint(&y), disjoint, "{} {}", a.as_str(), b.as_str());
            assert_eq!(y.is_disjoint(&x), disjoint, "{} {}", b.as_str(), a.as_str());
        }
    }

    #[test]
    fn how_deep_a_glob_matches_is_read_from_its_text() {
        for (below, one_name, deeper) in [
            ("*.md", true, false),
            ("[!a/]*", true, false),
            ("**", false, false),
            ("**/x", false, false),
            ("*/x", false, true),
            ("*/**", false, false),
            ("{a,b/c}", false, false),
        ] {
            assert_eq!((is_one_name(below), is_deeper(below)), (one_name, deeper), "{below}");
        }
    }

    #[test]
    fn the_levels_of_a_path_begin_at_the_root() {
        assert_eq!(levels(b"").collect::<Vec<_>>(), [0]);
        assert_eq!(levels(b"a/bc").collect::<Vec<_>>(), [0, 1, 4]);
    }
}
