//! How somebody writes an entry of the list: the white space between its parts, taken over to the
//! byte. So a new entry looks as its author would have written it, with any indentation, on one
//! line or many, with LF or CRLF.

use std::ops::Range;

use jsonc_parser::ast::{Array, Object};
use jsonc_parser::common::Ranged;

use super::Wanted;

/// What an entry says, in the order in which it is written.
#[derive(Debug)]
pub(super) struct Entry {
    repo: String,
    subscriptions: Vec<String>,
    enabled: bool,
}

impl Entry {
    pub(super) fn of(wanted: &Wanted<'_>) -> Self {
        Self {
            repo: wanted.repo.as_str().to_owned(),
            subscriptions: wanted.subscriptions.iter().map(super::written).collect(),
            enabled: wanted.enabled,
        }
    }
}

/// What stands between the parts of an entry; commas and colons included.
#[derive(Debug, Clone)]
pub(super) struct Style {
    open: String,
    between: String,
    close: String,
    colon: String,
    open_list: String,
    pub(super) between_items: String,
    close_list: String,
}

impl Style {
    /// Returns how an entry is written where there is no other: a key a line.
    pub(super) fn many_lines() -> Self {
        Self::indented("\n", "  ", "  ")
    }

    /// A key a line, in an entry that stands at this indentation.
    fn indented(line_end: &str, indentation: &str, unit: &str) -> Self {
        Self {
            open: format!("{line_end}{indentation}{unit}"),
            between: format!(",{line_end}{indentation}{unit}"),
            close: format!("{line_end}{indentation}"),
            colon: ": ".to_owned(),
            open_list: String::new(),
            between_items: ", ".to_owned(),
            close_list: String::new(),
        }
    }

    /// Returns how a cousin is written, which has both of its required keys.
    pub(super) fn of(text: &str, cousin: &Object<'_>) -> Self {
        let own = |range: Range<usize>| gap(text, range).to_owned();
        let keys: Vec<Range<usize>> =
            cousin.properties.iter().map(|it| it.range.start..it.range.end).collect();
        let start = |at: usize| keys.get(at).map_or(0, |key| key.start);
        let end = |at: usize| keys.get(at).map_or(0, |key| key.end);
        let last = keys.len().saturating_sub(1);
        let colon = cousin
            .properties
            .first()
            .map_or_else(String::new, |it| own(it.name.range().end..it.value.range().start));
        let mut style = Self {
            open: own(cousin.range.start + 1..start(0)),
            between: own(end(0)..start(1)),
            close: own(end(last)..cousin.range.end.saturating_sub(1)),
            colon,
            open_list: String::new(),
            between_items: String::new(),
            close_list: String::new(),
        };
        let Some(list) = cousin.get_array("subscriptions") else { return style };
        let items: Vec<Range<usize>> =
            list.elements.iter().map(|it| it.range().start..it.range().end).collect();
        if let (Some(first), Some(last)) = (items.first(), items.last()) {
            style.open_list = own(list.range.start + 1..first.start);
            style.close_list = own(last.end..list.range.end.saturating_sub(1));
            style.between_items = match items.get(items.len().wrapping_sub(2)) {
                Some(one) => own(one.end..last.start),
                None => separator(&style.open_list, &style),
            };
        }
        style
    }

    /// Returns an entry.
    pub(super) fn entry(&self, entry: &Entry) -> String {
        let Self { open, between, close, colon, .. } = self;
        let items: Vec<String> = entry.subscriptions.iter().map(|item| string(item)).collect();
        let items = items.join(&self.between_items);
        let mut keys = vec![
            format!("\"repo\"{colon}{}", string(&entry.repo)),
            format!("\"subscriptions\"{colon}[{}{items}{}]", self.open_list, self.close_list),
        ];
        if !entry.enabled {
            keys.push(format!("\"enabled\"{colon}false"));
        }
        format!("{{{open}{}{close}}}", keys.join(between))
    }
}

/// Returns what stands between two items of a list of which only the beginning is known.
pub(super) fn separator(open: &str, style: &Style) -> String {
    match open {
        "" if style.colon.ends_with(':') && !style.between.ends_with(char::is_whitespace) => {
            ",".to_owned()
        }
        open if open.contains('\n') => format!(",{open}"),
        _ => ", ".to_owned(),
    }
}

/// Returns the first entry of an empty list with what stands around it, and where it goes.
pub(super) fn first(text: &str, list: &Array<'_>, entry: &Entry) -> (usize, String) {
    let at = list.range.start + 1;
    let before = gap(text, 0..list.range.start);
    let inside = gap(text, at..list.range.end.saturating_sub(1));
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = before.rsplit('\n').next().unwrap_or_default();
    let outer: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    // An object on one line stays on it.
    if !before.trim().is_empty() && !before.contains('\n') && !inside.contains('\n') {
        let space = if before.ends_with(':') { "" } else { " " };
        let style = Style {
            open: String::new(),
            between: format!(",{space}"),
            close: String::new(),
            colon: format!(":{space}"),
            between_items: format!(",{space}"),
            ..Style::many_lines()
        };
        return (at, style.entry(entry));
    }
    // One level of the object is one level of the list.
    let unit = if outer.is_empty() { "  ".to_owned() } else { outer.clone() };
    let inner = format!("{outer}{unit}");
    let entry = Style::indented(line_end, &inner, &unit).entry(entry);
    let close = if inside.contains('\n') { String::new() } else { format!("{line_end}{outer}") };
    (at, format!("{line_end}{inner}{entry}{close}"))
}

/// Returns a piece of the text.
pub(super) fn gap(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// Returns a string of JSON.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
