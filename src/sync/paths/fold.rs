//! Which paths a file system may take for the same: macOS and Windows do not tell upper from lower
//! case, and macOS does not tell ways of composing a character.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use unicode_normalization::UnicodeNormalization as _;

use super::refusal::{Reason, Refusal};
use crate::git::files::{Entry, Files};

/// Returns what all spellings share that a file system may take for one path. What is not UTF-8
/// has only its ASCII letters folded.
pub(super) fn fold(path: &[u8]) -> Cow<'_, [u8]> {
    if path.is_ascii() {
        return match path.iter().any(u8::is_ascii_uppercase) {
            true => Cow::Owned(path.to_ascii_lowercase()),
            false => Cow::Borrowed(path),
        };
    }
    let Ok(text) = std::str::from_utf8(path) else {
        return Cow::Owned(path.to_ascii_lowercase());
    };
    // By way of the upper case, as some letters have two lower ones: s and the long s.
    let seen = text.chars().filter(|char| !is_ignored(*char));
    let upper = seen.nfd().flat_map(char::to_uppercase);
    let lower: String = upper.flat_map(char::to_lowercase).nfc().collect();
    Cow::Owned(lower.into_bytes())
}

/// Returns whether HFS+ takes a name with this character for the same as without it.
fn is_ignored(char: char) -> bool {
    matches!(
        char,
        '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
    )
}

/// A file or directory of the result.
struct Place<'a> {
    path: &'a [u8],
    /// What it is; none for a directory.
    entry: Option<Entry>,
}

/// Returns each path that is new, or a new kind of thing, and that a file system may take for
/// another one of the result. Two that were there before are nobody's new write.
pub(super) fn collisions(before: &Files, after: &Files) -> Vec<Refusal> {
    let is_new_thing = |path: &[u8], entry: Entry| {
        let old = before.get(path);
        old.is_none_or(|old| {
            old.mode != entry.mode && !(old.mode.is_file() && entry.mode.is_file())
        })
    };
    if !after.iter().any(|(path, entry)| is_new_thing(path, *entry)) {
        return Vec::new();
    }
    let is_new = |place: &Place<'_>| match place.entry {
        Some(entry) => is_new_thing(place.path, entry),
        None => !is_directory(before, place.path),
    };
    let mut taken: HashMap<Cow<'_, [u8]>, Place<'_>> = HashMap::with_capacity(after.len());
    let mut refusals = Vec::new();
    let mut last: &[u8] = &[];
    for (path, entry) in after {
        // The directories above it come first, those of the path before it only once.
        let directories = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let directories = directories.map(|(at, _)| path.get(..at).unwrap_or_default());
        let known = last;
        let is_known = |directory: &&[u8]| {
            known.strip_prefix(*directory).is_some_and(|rest| rest.starts_with(b"/"))
        };
        let new = directories.filter(|directory| !is_known(directory));
        let places = new.map(|path| Place { path, entry: None });
        for place in places.chain([Place { path, entry: Some(*entry) }]) {
            match taken.entry(fold(place.path)) {
                Slot::Vacant(slot) => drop(slot.insert(place)),
                Slot::Occupied(slot) if slot.get().path == place.path => {}
                Slot::Occupied(slot) => {
                    let other = slot.get();
                    let (path, with) = match (is_new(&place), is_new(other)) {
                        (true, _) => (place.path, other.path),
                        (false, true) => (other.path, place.path),
                        (false, false) => continue,
                    };
                    let reason = Reason::Collision { with: with.to_vec() };
                    refusals.push(Refusal { path: path.to_vec(), reason });
                }
            }
        }
        last = path;
    }
    refusals
}

fn is_directory(files: &Files, path: &[u8]) -> bool {
    let below = [path, b"/"].concat();
    let next = files.range(below.clone()..).next();
    next.is_some_and(|(next, _)| next.starts_with(&below))
}
