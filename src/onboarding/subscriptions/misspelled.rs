//! What a pattern that matches nothing would match if upper and lower case and the Unicode form of
//! accents did not count. They do count when events are routed; this only tells an author.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use globset::Candidate;
use unicode_normalization::is_nfc;

use super::meaning::{Meaning, levels};
use super::tree::{Node, Tree};
use crate::routing::matching::Tally;
use crate::routing::pattern::{Shape, compile, escaped};
use crate::routing::reach::folded;
use crate::routing::{ChangedPath, Matcher, Pattern, TooComplex};

/// Returns the place that a literal, or the directory of every entry, would be if it were spelled as
/// at HEAD.
pub(super) fn place<'t, 'p>(
    tree: &'t Tree<'p>,
    meaning: Meaning<'_>,
    directory_only: bool,
) -> Option<&'t Node<'p>> {
    let fits = |node: &Node<'_>| match meaning {
        Meaning::Literal(_) => !directory_only || node.is_like_directory(),
        Meaning::Entries(_) => node
            .children
            .iter()
            .filter_map(|id| tree.node(*id))
            .any(|entry| !directory_only || entry.is_like_directory()),
        Meaning::Glob { .. } => false,
    };
    let mut alike = tree.alike(meaning.place()).map(|(_, node)| node);
    alike.find(|node| node.path != meaning.place() && fits(node))
}

/// Returns for the texts of true globs that match nothing where the first path stands that they
/// would match.
///
/// # Errors
/// [`TooComplex`] when a glob cannot be compiled.
pub(super) fn globs<'p>(
    missed: impl IntoIterator<Item = &'p Pattern>,
    paths: &[ChangedPath],
) -> Result<HashMap<&'p str, usize>, TooComplex> {
    let mut seen = HashSet::new();
    let (mut as_written, mut otherwise) = (Vec::new(), Vec::new());
    for pattern in missed {
        let text = pattern.as_str();
        if !seen.insert(text) {
            continue;
        }
        let Some(pattern) = folded_pattern(text) else { continue };
        let group = if pattern.as_str() == text { &mut as_written } else { &mut otherwise };
        group.push((text, pattern));
    }
    let mut found = HashMap::new();
    if as_written.is_empty() && otherwise.is_empty() {
        return Ok(found);
    }
    let mut folds: Vec<(ChangedPath, usize)> = Vec::new();
    for (at, changed) in paths.iter().enumerate() {
        let path = folded(&changed.path);
        let differs = matches!(&path, Cow::Owned(path) if *path != changed.path);
        // A glob that folding leaves alone can only be missed by a path that it does not.
        if differs || !otherwise.is_empty() {
            let path = path.into_owned();
            folds.push((ChangedPath { path, submodule: changed.submodule }, at));
        }
    }
    folds.sort_unstable();
    folds.dedup_by(|later, first| later.0.path == first.0.path);
    let (folds, origins): (Vec<ChangedPath>, Vec<usize>) = folds.into_iter().unzip();
    for group in [as_written, otherwise] {
        let patterns = group.iter().map(|(_, pattern)| std::slice::from_ref(pattern));
        let tally = Tally::of(&Matcher::unbuilt(patterns), &folds)?;
        for (at, (text, _)) in group.iter().enumerate() {
            let first = tally.pattern(at, 0).first;
            if let Some(origin) = first.and_then(|first| origins.get(first as usize)) {
                found.insert(*text, *origin);
            }
        }
    }
    Ok(found)
}

/// Returns the pattern as it would be written for folded paths; none where that is no pattern.
fn folded_pattern(text: &str) -> Option<Pattern> {
    let folded = folded(text.as_bytes());
    Pattern::parse(std::str::from_utf8(&folded).ok()?).ok()
}

/// Returns what of `path`, a path that a glob would match, it would match: the path itself or the
/// first directory above it.
pub(super) fn matched_part<'p>(pattern: &Pattern, path: &'p ChangedPath) -> &'p [u8] {
    let whole = path.path.as_slice();
    let glob = folded_pattern(pattern.as_str()).and_then(|pattern| match pattern.shape() {
        Shape::Glob { glob, .. } => Some(compile(glob).ok()?.compile_matcher()),
        Shape::Literal(_) => None,
    });
    let Some(glob) = glob else { return whole };
    let part = levels(whole).skip(1).filter_map(|length| whole.get(..length)).find(|part| {
        let leaf = part.len() == whole.len() && !path.submodule;
        !(leaf && pattern.is_directory_only())
            && glob.is_match_candidate(&Candidate::from_bytes(&folded(part)))
    });
    part.unwrap_or(whole)
}

/// Returns whether upper and lower case are all that keeps a pattern from matching `part`.
pub(super) fn only_by_case(pattern: &Pattern, part: &[u8]) -> bool {
    let Ok(part) = std::str::from_utf8(part) else { return false };
    let place = String::from_utf8_lossy(Meaning::of(pattern).place());
    place.to_lowercase() == part.to_lowercase() || is_nfc(pattern.as_str()) && is_nfc(part)
}

/// Returns the pattern with its directory spelled as in `part`, which is at HEAD, if it matches
/// that then.
pub(super) fn respelled(pattern: &Pattern, part: &[u8]) -> Option<String> {
    let meaning = Meaning::of(pattern);
    let end = if pattern.is_directory_only() { "/" } else { "" };
    let bang = if pattern.is_exclusion() { "!" } else { "" };
    let directory = |names: usize| {
        let ends = levels(part).skip(1).nth(names.checked_sub(1)?);
        ends.and_then(|length| part.get(..length))
    };
    let names = |path: &[u8]| path.split(|byte| *byte == b'/').filter(|n| !n.is_empty()).count();
    let text = match meaning {
        Meaning::Literal(_) => as_pattern(part)?,
        Meaning::Entries(_) => {
            let stars =
                if pattern.as_str().trim_end_matches('/').ends_with("**") { "**" } else { "*" };
            format!("{}/{stars}", as_pattern(part)?)
        }
        Meaning::Glob { directory: own, below, .. } => {
            let text = format!("{}/{below}", as_pattern(directory(names(own))?)?);
            let Shape::Glob { glob, .. } = Pattern::parse(&text).ok()?.shape().clone() else {
                return None;
            };
            let glob = compile(&glob).ok()?.compile_matcher();
            glob.is_match_candidate(&Candidate::from_bytes(part)).then_some(text)?
        }
    };
    Some(format!("{bang}{text}{end}"))
}

/// Returns the pattern that means exactly this path; none when the path is not UTF-8.
pub(super) fn as_pattern(path: &[u8]) -> Option<String> {
    let text = String::from_utf8(escaped(path).into_owned()).ok()?;
    Some(if text.starts_with('!') { format!("\\{text}") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> ChangedPath {
        ChangedPath { path: path.as_bytes().to_vec(), submodule: false }
    }

    fn missed(pattern: &str, at_head: &str) -> Option<(String, Option<String>)> {
        let pattern = Pattern::parse(pattern).unwrap();
        let paths = [path(at_head)];
        let tree = Tree::new(&paths);
        let part = match Meaning::of(&pattern) {
            Meaning::Glob { .. } => {
                let found = globs([&pattern], &paths).unwrap();
                matched_part(&pattern, &paths[*found.get(pattern.as_str())?])
            }
            meaning => place(&tree, meaning, pattern.is_directory_only())?.path,
        };
        Some((String::from_utf8(part.to_vec()).unwrap(), respelled(&pattern, part)))
    }

    #[test]
    fn what_is_missed_by_its_spelling_alone_is_found_with_what_to_write() {
        let e = "caf\u{e9}";
        for (pattern, at_head, expected) in [
            ("Features/Web", "features/web/x", Some(("features/web", Some("features/web")))),
            ("!Docs/", "docs/x", Some(("docs", Some("!docs/")))),
            ("docs/", "Docs", None),
            ("cafe\u{301}/x", "caf\u{e9}/x", Some(("caf\u{e9}/x", Some("caf\u{e9}/x")))),
            ("DOCS/**", "docs/x", Some(("docs", Some("docs/**")))),
            ("DOCS/*/", "docs/x", None),
            ("DOCS/*.md", "docs/x.md", Some(("docs/x.md", Some("docs/*.md")))),
            ("docs/*.MD", "docs/x.md", Some(("docs/x.md", None))),
            ("docs/*.md", "docs/X.MD", Some(("docs/X.MD", None))),
            ("docs/*.md", "docs/x.txt", None),
            ("[A-C]/x", "b/x", Some(("b/x", None))),
            (r"App/\[id\]/x", "app/[id]/x", Some(("app/[id]/x", Some(r"app/\[id\]/x")))),
            ("A/x", "a/y", None),
        ] {
            let expected = expected.map(|(part, write): (&str, Option<&str>)| {
                (part.to_owned(), write.map(str::to_owned))
            });
            assert_eq!(missed(pattern, at_head), expected, "{pattern} on {at_head}");
        }
        assert!(missed(&format!("{e}/*.txt"), "cafe\u{301}/a.txt").is_some());
    }
}
