//! Trailers: how ours are written, where a message's are, and what of them another may have forged.
//! What is a block of trailers goes by `git interpret-trailers`, so that other tools find ours too.

use super::Trailers;
use crate::text;

pub(super) const FEATURE: &str = "Ecosystem-Feature";
pub(super) const SOURCE: &str = "Ecosystem-Source";
pub(super) const DISPATCH_ID: &str = "Ecosystem-Dispatch-Id";
pub(super) const TREE: &str = "Ecosystem-Tree";
pub(super) const REBASED: &str = "Ecosystem-Rebased";

/// The trailer by which GitHub runs no checks for a commit. Source: GitHub's documentation, "About
/// status checks".
const SKIP: &str = "skip-checks";

/// What stands before a trailer of ours that upstream's message brought along.
const RENAMED: &[u8] = b"Upstream-";

/// Returns our trailers, each on a line.
pub(super) fn written(trailers: &Trailers<'_>) -> String {
    let mut out = String::new();
    for feature in trailers.features {
        out += &format!("{FEATURE}: {}\n", encoded(feature.as_bytes()));
    }
    out += &format!("{SOURCE}: {}@{}\n", trailers.source, trailers.commit);
    if let Some(id) = trailers.dispatch_id.filter(|id| is_dispatch_id(id)) {
        out += &format!("{DISPATCH_ID}: {id}\n");
    }
    out + &format!("{TREE}: {}\n", trailers.tree)
}

/// Returns whether this is the id of a dispatch: 32 hexadecimal digits.
pub(super) fn is_dispatch_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns a path as a trailer's value: bytes that are not UTF-8, `%` and what would end the line or
/// be read by GitHub as `%XX`, the rest as it is.
fn encoded(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    let is_odd =
        |c: char| "@# ".contains(c) || text::shown(c.to_string().as_bytes()) != c.to_string();
    for c in text::percent(path).chars() {
        if is_odd(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                out += &format!("%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns the path that [`encoded`] has written; none for anything else.
pub(super) fn decoded(value: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let (hex, behind) = rest.split_at_checked(2)?;
        if !hex.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        out.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
        rest = behind;
    }
    (!out.is_empty()).then_some(out)
}

/// Returns the block of trailers at the end of a message, without the lines that go on with another:
/// the last paragraph, when it is not the first, and all of its lines are trailers; or one in four,
/// and git itself has written one of them (git's documentation, `git-interpret-trailers`).
pub(super) fn tail(message: &[u8]) -> Option<Vec<&[u8]>> {
    let lines: Vec<&[u8]> = message.trim_ascii_end().split(|byte| *byte == b'\n').collect();
    let blank = lines.iter().rposition(|line| line.trim_ascii().is_empty())?;
    let begins_with_text = lines.get(..blank)?.iter().any(|line| !line.trim_ascii().is_empty());
    let last = lines.get(blank + 1..)?;
    let own: Vec<&[u8]> = last
        .iter()
        .copied()
        .enumerate()
        .filter(|(at, line)| *at == 0 || !line.starts_with(b" ") && !line.starts_with(b"\t"))
        .map(|(_, line)| line)
        .collect();
    let trailers = own.iter().filter(|line| split(line).is_some() || is_gits(line)).count();
    let all = trailers == own.len();
    let most = own.iter().any(|line| is_gits(line)) && trailers * 4 >= own.len();
    (begins_with_text && !own.is_empty() && (all || most)).then_some(own)
}

fn is_gits(line: &[u8]) -> bool {
    line.starts_with(b"Signed-off-by: ") || line.starts_with(b"(cherry picked from commit ")
}

/// Returns a trailer's key and value.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
    let key = key.trim_ascii_end();
    let is_key = key.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    (is_key && !key.is_empty()).then_some((key, value.strip_prefix(b":")?.trim_ascii()))
}

/// Returns a message in which every line that could be read as a trailer of ours has another name.
pub(super) fn rename_ours(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let key = split(line.trim_ascii_start()).map(|(key, _)| key);
        let is_ours = key.is_some_and(|key| {
            [FEATURE, SOURCE, DISPATCH_ID, TREE, REBASED, SKIP]
                .iter()
                .any(|it| key.eq_ignore_ascii_case(it.as_bytes()))
        });
        if is_ours {
            out.extend(RENAMED);
            out.extend(line.trim_ascii_start());
        } else {
            out.extend(line);
        }
    }
    out
}
