//! What is said of a subscription: message, help, and the other place that has to do with it.
//! Called only for findings that are kept, so that it may look around in the tree.

use super::covering::{Feature, Flaw};
use super::meaning::{Meaning, levels};
use super::misspelled;
use super::nearest::{Nearest, holds, nearest};
use super::tree::{Kind, Tree};
use crate::ecosystem::{Finding, Listed};
use crate::routing::Pattern;
use crate::text;

/// A subscription that something is said of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'l> {
    pub(super) listed: &'l Listed,
    pub(super) position: usize,
    pub(super) pattern: &'l Pattern,
}

impl Subject<'_> {
    fn said(&self, message: String, help: impl Into<String>) -> Finding {
        let Listed { cousin, at, items, .. } = self.listed;
        let item = items.get(self.position).copied().unwrap_or(self.position);
        Finding::new(message, help)
            .pointer(at.key("subscriptions").item(item))
            .repo(Some(cousin.repo.as_str()))
    }

    fn beside(&self, finding: Finding, other: usize, label: &str) -> Finding {
        match self.listed.patterns.get(other) {
            Some(span) => finding.related(*span, label),
            None => finding,
        }
    }

    fn own(&self) -> String {
        text::quoted(self.pattern.as_str())
    }

    fn other(&self, position: usize) -> String {
        let other = self.listed.cousin.subscriptions.get(position);
        text::quoted(other.map_or("", Pattern::as_str))
    }

    /// Says what is wrong by the text of the cousin's other patterns.
    pub(super) fn flaw(&self, flaw: Flaw) -> Finding {
        match flaw {
            Flaw::Duplicate { first, undone } => self.duplicate(first, undone),
            Flaw::Excluded { by } => self.excluded(by),
            Flaw::Covered { by, feature } => self.covered(by, feature),
            Flaw::Undone { by, naming } => self.undone(by, naming),
        }
    }

    fn duplicate(&self, first: usize, undone: bool) -> Finding {
        let (own, other) = (self.own(), self.other(first));
        let message = if own == other {
            format!("the subscription {own} is listed twice")
        } else {
            format!("the subscription {own} means the same as {other}, which is listed before it")
        };
        let help = if undone {
            "leave out the one that is listed first: the last pattern that matches a path decides, \
             and this one decides anew what stands between the two"
        } else {
            "leave one of them out"
        };
        self.beside(self.said(message, help), first, "listed first here")
    }

    /// Returns whether the cousin would have nothing but exclusions without it.
    fn is_only_positive(&self) -> bool {
        let patterns = self.listed.cousin.subscriptions.iter();
        !self.pattern.is_exclusion() && patterns.filter(|p| !p.is_exclusion()).count() == 1
    }

    fn excluded(&self, by: usize) -> Finding {
        let (own, by_text) = (self.own(), self.other(by));
        let or = if self.is_only_positive() {
            format!("leave {by_text} out")
        } else {
            "leave it out".to_owned()
        };
        let finding = self.said(
            format!("{own} selects nothing: {by_text} behind it takes all of it away"),
            format!(
                "{or}, or move {own} behind {by_text}: the last pattern that matches a path decides"
            ),
        );
        self.beside(finding, by, "taken away here")
    }

    /// Says that exclusions together leave nothing at HEAD; `by` takes the first of its paths.
    pub(super) fn excluded_at_head(&self, by: Option<usize>) -> Finding {
        let or = if self.is_only_positive() { "narrow the exclusion" } else { "leave it out" };
        let finding = self.said(
            format!(
                "{} selects nothing at HEAD: each path that it matches is taken away by an \
                 exclusion behind it",
                self.own()
            ),
            // Moved behind the exclusion it would undo that.
            format!(
                "nothing else is there at HEAD yet: nothing to do if more is to come, else {or}"
            ),
        );
        match by {
            Some(by) => self.beside(finding, by, "taken away here"),
            None => finding,
        }
    }

    fn covered(&self, by: usize, feature: Feature) -> Finding {
        let (own, by_text) = (self.own(), self.other(by));
        let (message, help) = match feature {
            Feature::Same if self.pattern.is_exclusion() => {
                (format!("{own} changes nothing: {by_text} takes all of it away"), "leave it out")
            }
            Feature::Same => {
                (format!("{own} changes nothing: {by_text} covers all of it"), "leave it out")
            }
            Feature::LongerForAFile => (
                format!(
                    "{by_text} covers all of {own}: it only makes changes of this file an event of their own"
                ),
                "nothing to do if that is wanted; else leave it out",
            ),
            Feature::Longer => (
                format!(
                    "{by_text} covers all of {own}: it only makes changes there an event of their \
                     own"
                ),
                "nothing to do if that is wanted; else leave it out",
            ),
        };
        self.beside(self.said(message, help), by, "covered here")
    }

    fn undone(&self, by: usize, naming: bool) -> Finding {
        let (own, by_text) = (self.own(), self.other(by));
        let but = if naming { "; it can only change which feature an event names" } else { "" };
        let finding = self.said(
            format!(
                "{own} takes nothing away: {by_text} behind it includes all of it again, and the \
                 last pattern that matches a path decides{but}"
            ),
            format!("move it behind {by_text}, or leave it out"),
        );
        self.beside(finding, by, "included again here")
    }

    /// Says that only the spelling keeps the pattern from matching `part`, which is at HEAD.
    pub(super) fn misspelled(&self, part: &[u8]) -> Finding {
        let written = self.pattern.as_str();
        let only_case = misspelled::only_by_case(self.pattern, part);
        let spelling =
            if only_case { "upper and lower case" } else { "upper and lower case or Unicode form" };
        // What differs in its Unicode form looks the same.
        let escapes = if only_case {
            String::new()
        } else {
            format!(" ({} and {})", written.as_bytes().escape_ascii(), part.escape_ascii())
        };
        let (own, there) = (self.own(), quoted(part));
        let message = match Meaning::of(self.pattern) {
            Meaning::Literal(_) => format!(
                "{own} matches no path at HEAD: it differs from {there} only in {spelling}{escapes}"
            ),
            _ => format!(
                "{own} matches no path at HEAD: it misses {there} only by {spelling}{escapes}"
            ),
        };
        let help = match misspelled::respelled(self.pattern, part) {
            Some(pattern) => format!("write {}", json(&pattern)),
            None => format!("spell it as at HEAD, so that it matches {there}"),
        };
        self.said(message, help)
    }

    /// Says that the pattern matches nothing, and what there is.
    pub(super) fn matches_nothing(&self, tree: &Tree<'_>) -> Finding {
        let own = self.own();
        let message = if self.pattern.is_exclusion() {
            format!("{own} takes nothing away: no path at HEAD matches it")
        } else {
            format!(
                "no path at HEAD matches {own}: {} would not hear of anything by it",
                self.listed.cousin.repo
            )
        };
        self.said(message, self.what_there_is(tree))
    }

    /// Says what to write where the pattern, or its first names, would be at HEAD if nothing in
    /// them were special: frameworks name directories `[slug]`.
    fn taken_literally(&self, tree: &Tree<'_>) -> Option<String> {
        let text = self.pattern.as_str();
        let (bang, text) = text.strip_prefix('!').map_or(("", text), |text| ("!", text));
        let text = text.strip_prefix("./").or_else(|| text.strip_prefix('/')).unwrap_or(text);
        let ends: Vec<usize> = levels(text.trim_end_matches('/').as_bytes()).skip(1).collect();
        let named = |end: usize| {
            let (head, rest) = text.split_at_checked(end)?;
            let (_, node) = tree.find(head.as_bytes()).filter(|_| head.bytes().any(is_special))?;
            Some((node, rest))
        };
        let (node, rest) = ends.into_iter().rev().find_map(named)?;
        let pattern = format!("{bang}{}{rest}", misspelled::as_pattern(node.path)?);
        Some(format!(
            "{} is at HEAD, but brackets, braces, * and ? are a pattern unless a backslash stands \
             before them: write {}",
            quoted(node.path),
            json(&pattern)
        ))
    }

    fn what_there_is(&self, tree: &Tree<'_>) -> String {
        if let Some(taken_literally) = self.taken_literally(tree) {
            return taken_literally;
        }
        let meaning = Meaning::of(self.pattern);
        let place = meaning.place();
        let is_literal = matches!(meaning, Meaning::Literal(_));
        let missing = if is_literal { "" } else { "there is no such directory; " };
        if !is_literal
            && let Some((_, directory)) = tree.find(place)
            && directory.kind == Kind::Directory
        {
            return what_it_holds(&holds(tree, directory));
        }
        let directory = !is_literal || self.pattern.is_directory_only();
        match nearest(tree, place, directory) {
            Nearest::Paths(paths) => format!("{missing}{}", the_nearest(&paths)),
            Nearest::Ends(paths) => {
                format!("a pattern begins at the root of the repository: {}", the_nearest(&paths))
            }
            Nearest::NoDirectory { path, kind: Kind::Submodule } => format!(
                "{} is a submodule: what is in it is not in this repository, a change of it as a \
                 whole is what can be followed",
                quoted(path)
            ),
            Nearest::NoDirectory { path, .. } if path == place && is_literal => {
                format!(
                    "{} is a file at HEAD, and a slash at the end means a directory: leave the \
                     slash out",
                    quoted(path)
                )
            }
            Nearest::NoDirectory { path, .. } => {
                format!("{} is a file at HEAD, not a directory", quoted(path))
            }
            there @ Nearest::Holds { .. } => what_it_holds(&there),
        }
    }
}

/// Returns whether a character is more than itself in a pattern.
fn is_special(byte: u8) -> bool {
    b"*?[]{}".contains(&byte)
}

fn the_nearest(paths: &[&[u8]]) -> String {
    let (noun, verb) = if paths.len() == 1 { ("path", "is") } else { ("paths", "are") };
    format!("the nearest {noun} at HEAD {verb} {}", listing(paths))
}

fn what_it_holds(there: &Nearest<'_>) -> String {
    let Nearest::Holds { directory, entries, more } = there else { return String::new() };
    if entries.is_empty() {
        return "there is no path at HEAD at all".to_owned();
    }
    let more = if *more == 0 { String::new() } else { format!(" and {more} more") };
    let directory = if directory.is_empty() {
        "the root of the repository".to_owned()
    } else {
        quoted(directory)
    };
    format!("at HEAD {directory} holds {}{more}", listing(entries))
}

fn listing(paths: &[&[u8]]) -> String {
    paths.iter().map(|path| quoted(path)).collect::<Vec<_>>().join(", ")
}

/// Returns a path as [`text::quoted`] text, whatever its bytes.
fn quoted(path: &[u8]) -> String {
    text::quoted(&text::shown(path))
}

/// Returns text as it is written in `ecosystem.json`.
fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
