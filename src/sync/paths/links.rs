//! Where the symbolic links of a feature lead: each is walked part by part, through other links
//! too, and must never be outside of the feature on the way.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::fold::fold;
use super::names::component;
use super::refusal::{Reason, Refusal};
use crate::git::files::{Entry, Files, Mode, ObjectId};

/// The most links that one leads through: what Linux follows.
const MOST_LINKS: usize = 40;

/// The most bytes of a target: no system makes a link with more.
const LONGEST_TARGET: usize = 4095;

/// A link of the result.
struct Link<'a> {
    /// Where it leads; none when that is not known.
    target: Option<&'a [u8]>,
    /// Whether upstream changed it.
    changed: bool,
}

/// The links of the result.
struct Links<'a> {
    /// Each by its folded path.
    all: HashMap<Cow<'a, [u8]>, Link<'a>>,
    /// How many parts `into` has.
    depth: usize,
}

/// A walk along a link.
struct Walk<'a> {
    place: Vec<&'a [u8]>,
    links: usize,
    /// Whether a link on the way is one that upstream changed.
    changed: bool,
}

/// Returns each link that upstream changed, or that leads through one that it changed, and that
/// does not stay inside of `into`.
pub(super) fn check(
    before: &Files,
    after: &Files,
    into: &[u8],
    targets: &BTreeMap<ObjectId, Vec<u8>>,
) -> Vec<Refusal> {
    let mut links = Links { all: HashMap::new(), depth: parts(into).count() };
    for (path, entry) in after.iter().filter(|(_, entry)| entry.mode == Mode::Symlink) {
        let changed = before.get(path) != Some(entry);
        let target = targets.get(&entry.id).map(Vec::as_slice);
        links.all.insert(fold(path), Link { target, changed });
    }
    if !links.all.values().any(|link| link.changed) {
        return Vec::new();
    }
    let mut refusals = Vec::new();
    let is_link = |entry: &Entry| entry.mode == Mode::Symlink;
    for (path, _) in after.iter().filter(|(path, entry)| is_link(entry) && is_within(path, into)) {
        let Some(link) = links.all.get(fold(path).as_ref()) else { continue };
        let mut place: Vec<&[u8]> = parts(path).collect();
        place.pop();
        let mut walk = Walk { place, links: 0, changed: link.changed };
        let found = links.walk(&mut walk, link.target);
        if let Some(reason) = found.filter(|_| walk.changed) {
            refusals.push(Refusal { path: path.clone(), reason });
        }
    }
    refusals
}

impl<'a> Links<'a> {
    /// Goes where a target leads, and returns what is wrong with it.
    fn walk(&self, walk: &mut Walk<'a>, target: Option<&'a [u8]>) -> Option<Reason> {
        let Some(target) = target else { return Some(Reason::LinkUnread) };
        walk.links += 1;
        if walk.links > MOST_LINKS {
            return Some(Reason::LinkCircle);
        }
        if target.is_empty() || target.contains(&0) || target.len() > LONGEST_TARGET {
            return Some(Reason::LinkNowhere);
        }
        let is_drive = matches!(target, [letter, b':', ..] if letter.is_ascii_alphabetic());
        if target.starts_with(b"/") || target.contains(&b'\\') || is_drive {
            return Some(Reason::LinkAbsolute);
        }
        // A feature that is a link itself has no inside.
        if walk.place.len() < self.depth {
            return Some(Reason::LinkOutward);
        }
        for part in parts(target) {
            match part {
                b"." => continue,
                b".." => {
                    if walk.place.len() <= self.depth {
                        return Some(Reason::LinkOutward);
                    }
                    walk.place.pop();
                    continue;
                }
                part if component(part, false).is_some() => return Some(Reason::LinkIntoGit),
                part => walk.place.push(part),
            }
            let here = walk.place.join(&b'/');
            if let Some(link) = self.all.get(fold(&here).as_ref()) {
                walk.changed |= link.changed;
                walk.place.pop();
                if let Some(reason) = self.walk(walk, link.target) {
                    return Some(reason);
                }
            }
        }
        None
    }
}

/// Returns the parts of a path that name something.
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty())
}

/// Returns whether a path is `into` or lies below it.
pub(super) fn is_within(path: &[u8], into: &[u8]) -> bool {
    into.is_empty()
        || path.strip_prefix(into).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
