//! What a path may be called, whatever lies there: parts that git refuses, and places that decide
//! over the cousin itself.

use gix_validate::path::component::{Error, Mode, Options};

use super::refusal::Reason;

/// Windows device names stay allowed, as they are in git elsewhere: `aux.c` is a file.
const RULES: Options = Options { protect_windows: false, protect_hfs: true, protect_ntfs: true };

/// Files of the cousin's root that no upstream writes.
const OUR_OWN: [&str; 2] = ["ecosystem.lock.json", "subscriptions.json"];

/// Returns what is wrong with the parts of a path.
pub(super) fn spelling(path: &[u8], is_link: bool) -> Option<Reason> {
    if path.contains(&0) {
        return Some(Reason::Zero);
    }
    let mut parts = path.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let found = component(part, is_last && is_link);
        // On Windows a backslash parts a path too.
        let mut pieces = part.split(|byte| *byte == b'\\').filter(|_| part.contains(&b'\\'));
        let hidden = || {
            pieces.find_map(|piece| {
                component(piece, is_last && is_link).filter(|_| !piece.is_empty() && piece != b".")
            })
        };
        if let Some(reason) = found.or_else(hidden) {
            return Some(reason);
        }
    }
    None
}

/// Returns what is wrong with one part of a path.
pub(super) fn component(part: &[u8], is_link: bool) -> Option<Reason> {
    let mode = is_link.then_some(Mode::Symlink);
    match gix_validate::path::component(part.into(), mode, RULES) {
        Ok(_) => None,
        Err(Error::DotGitDir) => Some(Reason::DotGit),
        Err(Error::SymlinkedGitModules) => Some(Reason::LinkedGitModules),
        Err(_) => Some(Reason::Relative),
    }
}

/// Returns whether a folded path is a place from which GitHub takes what runs in a repository or
/// who reviews it. `is_opaque` says that it is no file: what a link or a submodule holds is not
/// seen, and `.github` may hold anything.
pub(super) fn decides(folded: &[u8], is_opaque: bool) -> bool {
    let mut parts = folded.split(|byte| *byte == b'/').map(trimmed).peekable();
    while let Some(part) = parts.next() {
        let next = parts.peek();
        if part == b".github" {
            let is_place = |next: &&[u8]| matches!(*next, b"workflows" | b"actions");
            if next.is_some_and(is_place) || (next.is_none() && is_opaque) {
                return true;
            }
        }
        if part == b"codeowners" && next.is_none() {
            return true;
        }
    }
    false
}

/// Windows drops what a name ends in.
fn trimmed(part: &[u8]) -> &[u8] {
    let end = part.iter().rposition(|byte| !matches!(byte, b'.' | b' '));
    end.and_then(|end| part.get(..=end)).unwrap_or_default()
}

/// Returns whether a folded path is one of the files that no upstream writes, or lies where one is.
pub(super) fn is_our_own(folded: &[u8]) -> bool {
    let first = folded.split(|byte| *byte == b'/').next().unwrap_or_default();
    OUR_OWN.iter().any(|own| own.as_bytes() == trimmed(first))
}
