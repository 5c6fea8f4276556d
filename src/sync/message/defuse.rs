//! Takes from a text what GitHub reads out of it: mentions, references to issues, closing keywords.
//! Nothing is left out; a character that nobody sees stands where GitHub would begin to read. Bytes
//! in, bytes out, because a commit's message need not be UTF-8.

use std::borrow::Cow;

/// U+200B, a space without width: `@`, it and a name are no mention.
const BREAK: &[u8] = "\u{200b}".as_bytes();

/// The host whose addresses GitHub turns into references, and the one that only leads there: what
/// GitHub's own update bot writes instead.
const HOST: &[u8] = b"github.com";
const REDIRECT: &[u8] = b"redirect.github.com";

/// What keeps workflows from running when it stands between brackets in the newest commit's message.
/// Source: GitHub's documentation, "Skipping workflow runs".
const SKIPS: [&[u8]; 5] = [b"skip ci", b"ci skip", b"no ci", b"skip actions", b"actions skip"];

/// Returns `text` so that GitHub mentions nobody, links no issue, closes none and leaves out no
/// workflow because of it: a break behind the `@` of a mention, the `#` of an issue's number, `GH-` and the `[` of `[skip ci]`, and addresses on
/// github.com by way of redirect.github.com.
///
/// A trailer that credits somebody (`Co-authored-by: NAME <MAIL>`) keeps the mail address as it is.
/// Doing it twice changes nothing more. Source of the forms: GitHub's documentation, "Autolinked
/// references and URLs" and "Linking a pull request to an issue".
#[must_use]
pub fn defuse(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 16);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match credit(line) {
            Some(at) => {
                let (name, mail) = line.split_at_checked(at).unwrap_or((line, &[]));
                defuse_into(name, &mut out);
                out.extend(mail);
            }
            None => defuse_into(line, &mut out),
        }
    }
    out
}

/// Returns [`defuse`]d text.
#[must_use]
pub fn defused(text: &str) -> String {
    // What is added is ASCII or whole UTF-8, and stands beside ASCII.
    match String::from_utf8_lossy(&defuse(text.as_bytes())) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

fn defuse_into(line: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(byte) = line.get(at).copied() {
        let before = at.checked_sub(1).and_then(|at| line.get(at)).copied();
        let rest = line.get(at..).unwrap_or_default();
        let next = rest.get(1).copied().unwrap_or(b' ');
        let begins_word = before.is_none_or(|byte| !is_word(byte));
        if let Some(length) = host(before, rest) {
            out.extend(REDIRECT);
            at += length;
            continue;
        }
        out.push(byte);
        at += 1;
        match byte {
            b'@' if begins_word && next.is_ascii_alphanumeric() => out.extend(BREAK),
            b'#' if next.is_ascii_digit() => out.extend(BREAK),
            b'[' if is_skip(rest.get(1..).unwrap_or_default()) => out.extend(BREAK),
            b'g' | b'G' if begins_word && is_gh(rest) => {
                out.extend(rest.get(1..3).unwrap_or_default());
                out.extend(BREAK);
                at += 2;
            }
            _ => {}
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether this, behind a bracket, keeps workflows from running.
fn is_skip(rest: &[u8]) -> bool {
    SKIPS.iter().any(|skip| {
        rest.get(..skip.len()).is_some_and(|it| it.eq_ignore_ascii_case(skip))
            && rest.get(skip.len()) == Some(&b']')
    })
}

/// Whether this begins with `GH-` and a digit.
fn is_gh(rest: &[u8]) -> bool {
    rest.get(..3).is_some_and(|it| it.eq_ignore_ascii_case(b"gh-"))
        && rest.get(3).is_some_and(u8::is_ascii_digit)
}

/// Returns how many bytes the host takes up when an address on it goes on here; one that git takes
/// (`git@github.com:acme/web`) is none.
fn host(before: Option<u8>, rest: &[u8]) -> Option<usize> {
    if before.is_some_and(|byte| is_word(byte) || b".-".contains(&byte)) {
        return None;
    }
    let starts =
        |name: &[u8]| rest.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
    let www = b"www.".len();
    let length = if starts(HOST) {
        HOST.len()
    } else if starts(b"www.github.com") {
        HOST.len() + www
    } else {
        return None;
    };
    let behind = rest.get(length..)?;
    let digits = |port: &[u8]| port.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let behind = match behind.strip_prefix(b":") {
        Some(port) => port.get(digits(port)..)?,
        None => behind,
    };
    behind.starts_with(b"/").then_some(length)
}

/// Returns where the mail address begins in a line that credits somebody: `Signed-off-by: NAME
/// <MAIL>`. GitHub takes no `@` for a mention when a dot and more follow the word behind it.
fn credit(line: &[u8]) -> Option<usize> {
    let (key, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
    let is_key = key.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
    if !is_key || !key.to_ascii_lowercase().ends_with(b"-by") {
        return None;
    }
    let mail = value.trim_ascii_end().strip_suffix(b">")?;
    let begin = mail.iter().rposition(|byte| *byte == b'<')?;
    let mail = mail.get(begin + 1..)?;
    if mail.windows(4).any(is_gh) {
        return None;
    }
    let (name, domain) = mail.split_at_checked(mail.iter().position(|byte| *byte == b'@')?)?;
    let domain = domain.strip_prefix(b"@")?;
    let odd = |byte: &u8| byte.is_ascii_whitespace() || b"@#<>/".contains(byte);
    let mut labels = domain.split(|byte| *byte == b'.');
    let is_label = |label: &[u8]| {
        label.first().is_some_and(u8::is_ascii_alphanumeric)
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    let is_domain = domain.contains(&b'.') && labels.all(is_label);
    (is_domain && !name.is_empty() && !name.iter().any(odd)).then_some(key.len() + begin)
}
