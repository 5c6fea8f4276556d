//! Changes to `ecosystem.json` that leave everything else as it is, to the byte: text in, text out.
//! A cousin is added behind the others, written as the one before it is (`style`); a subscription
//! is added behind the cousin's others; a cousin is enabled. The file is never written anew from
//! its meaning, because whoever reads the diff wants to see what was added and nothing else.
//!
//! It changes no file that has a fault, and returns no text that has one: what comes out was read
//! by [`parse`].

mod style;

use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::Ranged;

use self::style::{Entry, Style};
use super::{Diagnosis, Findings, decode, parse};
use crate::names::RepoName;
use crate::routing::pattern::Pattern;

/// What is to be listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The repository.
    pub(crate) repo: &'a RepoName,
    /// What it is to follow.
    pub(crate) subscriptions: &'a [Pattern],
    /// Whether a new entry is dispatched to.
    pub(crate) enabled: bool,
}

/// What a change has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// There was no file.
    Created,
    /// The cousin was not listed.
    Added,
    /// It was, and lacked some subscriptions.
    Subscribed,
    /// There was nothing to do.
    Unchanged,
}

impl Change {
    /// Returns the word that scripts read.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Added => "added",
            Self::Subscribed => "subscribed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A file after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edited {
    /// All of it.
    pub(crate) text: String,
    /// What was done.
    pub(crate) change: Change,
    /// The subscriptions that were added, as they are written.
    pub(crate) added: Vec<String>,
    /// The position in the list, from 0, at which the cousin stands.
    pub(crate) index: usize,
    /// How many subscriptions it had before.
    pub(crate) before: usize,
}

/// Returns the file with the cousin in it; without bytes there is no file yet. `file_name` is for
/// messages only.
///
/// # Errors
/// What is wrong with the file, or would be after the change.
pub(crate) fn add(
    file_name: &str,
    bytes: Option<&[u8]>,
    wanted: &Wanted<'_>,
) -> Result<Edited, Diagnosis> {
    let edited = match bytes {
        None => {
            let entry = Style::many_lines().entry(&Entry::of(wanted));
            let added = wanted.subscriptions.iter().map(written).collect();
            let text = format!("[\n  {entry}\n]\n");
            Edited { text, change: Change::Created, added, index: 0, before: 0 }
        }
        Some(bytes) => with_tree(file_name, bytes, |text, root| added_to(text, root, wanted))?,
    };
    parse(file_name, edited.text.as_bytes())?;
    Ok(edited)
}

/// Returns the file with the cousin enabled; none when it is enabled, or not listed.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn enable(
    file_name: &str,
    bytes: &[u8],
    repo: &RepoName,
) -> Result<Option<String>, Diagnosis> {
    let enabled = with_tree(file_name, bytes, |text, root| {
        let (_, cousin) = find(list(root)?, repo)?;
        let Some(Value::BooleanLit(flag)) = cousin.get("enabled").map(|it| &it.value) else {
            return None;
        };
        (!flag.value).then(|| spliced(text, flag.range.start..flag.range.end, "true"))
    })?;
    if let Some(text) = &enabled {
        parse(file_name, text.as_bytes())?;
    }
    Ok(enabled)
}

/// Hands on the text and the tree of a file that has no fault.
fn with_tree<T>(
    file_name: &str,
    bytes: &[u8],
    change: impl FnOnce(&str, &Value<'_>) -> T,
) -> Result<T, Diagnosis> {
    parse(file_name, bytes)?;
    let document = decode(file_name, bytes)?;
    let lines = document.lines();
    let mut findings = Findings::new(&lines);
    match document.tree(&lines, &mut findings) {
        Some(root) => Ok(change(lines.text(), &root)),
        None => Err(document.diagnosis(findings)),
    }
}

fn added_to(text: &str, root: &Value<'_>, wanted: &Wanted<'_>) -> Edited {
    let unchanged = |index, before| Edited {
        text: text.to_owned(),
        change: Change::Unchanged,
        added: Vec::new(),
        index,
        before,
    };
    // A file without fault has a list.
    let Some(list) = list(root) else { return unchanged(0, 0) };
    let Some((index, cousin)) = find(list, wanted.repo) else {
        let added = wanted.subscriptions.iter().map(written).collect();
        let text = appended(text, list, wanted);
        let index = list.elements.len();
        return Edited { text, change: Change::Added, added, index, before: 0 };
    };
    let Some(subscriptions) = cousin.get_array("subscriptions") else {
        return unchanged(index, 0);
    };
    let before = subscriptions.elements.len();
    let missing = missing(subscriptions, wanted.subscriptions);
    let Some(last) = subscriptions.elements.last().filter(|_| !missing.is_empty()) else {
        return unchanged(index, before);
    };
    let between = Style::of(text, cousin).between_items;
    let added: Vec<String> = missing.into_iter().map(written).collect();
    let items: String =
        added.iter().map(|item| format!("{between}{}", style::string(item))).collect();
    let end = last.range().end;
    let text = spliced(text, end..end, &items);
    Edited { text, change: Change::Subscribed, added, index, before }
}

fn written(pattern: &Pattern) -> String {
    pattern.as_str().to_owned()
}

/// Returns the wanted patterns that say something else than all that are there, each once.
fn missing<'p>(there: &Array<'_>, wanted: &'p [Pattern]) -> Vec<&'p Pattern> {
    let there = there.elements.iter().filter_map(|item| item.as_string_lit());
    let there: Vec<Pattern> = there.filter_map(|item| Pattern::parse(&item.value).ok()).collect();
    let same = |one: &Pattern, other: &Pattern| {
        let of = |it: &Pattern| (it.is_exclusion(), it.is_directory_only());
        of(one) == of(other) && one.shape() == other.shape()
    };
    let mut missing: Vec<&Pattern> = Vec::new();
    for pattern in wanted {
        let is_known = there.iter().chain(missing.iter().copied()).any(|it| same(it, pattern));
        if !is_known {
            missing.push(pattern);
        }
    }
    missing
}

/// Returns the list of cousins.
fn list<'v, 't>(root: &'v Value<'t>) -> Option<&'v Array<'t>> {
    match root {
        Value::Array(list) => Some(list),
        Value::Object(file) => file.get_array("cousins"),
        _ => None,
    }
}

/// Returns a cousin and its position.
fn find<'v, 't>(list: &'v Array<'t>, repo: &RepoName) -> Option<(usize, &'v Object<'t>)> {
    let cousins = list.elements.iter().enumerate();
    let mut cousins = cousins.filter_map(|(at, cousin)| Some((at, cousin.as_object()?)));
    cousins.find(|(_, cousin)| {
        cousin.get_string("repo").is_some_and(|it| it.value.eq_ignore_ascii_case(repo.as_str()))
    })
}

/// Returns the text with a new entry behind the last.
fn appended(text: &str, list: &Array<'_>, wanted: &Wanted<'_>) -> String {
    let entry = Entry::of(wanted);
    let cousins: Vec<&Object<'_>> = list.elements.iter().filter_map(Value::as_object).collect();
    let Some(last) = cousins.last() else {
        let (at, entry) = style::first(text, list, &entry);
        return spliced(text, at..at, &entry);
    };
    let style = Style::of(text, last);
    let between = match cousins.get(cousins.len().wrapping_sub(2)) {
        Some(one) => style::gap(text, one.range.end..last.range.start).to_owned(),
        None => style::separator(style::gap(text, list.range.start + 1..last.range.start), &style),
    };
    let end = last.range.end;
    spliced(text, end..end, &format!("{between}{}", style.entry(&entry)))
}

/// Returns the text with something else in a range of it.
fn spliced(text: &str, range: Range<usize>, with: &str) -> String {
    let before = text.get(..range.start).unwrap_or_default();
    let behind = text.get(range.end..).unwrap_or_default();
    format!("{before}{with}{behind}")
}

#[cfg(test)]
mod tests;
