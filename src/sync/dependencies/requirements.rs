//! `requirements.txt`, as pip's documentation describes it ("Requirements File Format"), and one
//! requirement, as the Python packaging specifications do ("Dependency specifiers", PEP 508; "Names
//! and normalization", PEP 503). Files that a file refers to (`-r`, `-c`) are not read.

use super::Kind;

/// Returns what the file declares. Every text is one: what is no requirement says nothing.
pub(super) fn read(text: &str) -> Option<Vec<(Kind, String, String)>> {
    let all =
        joined(text).iter().filter_map(|line| requirement(line.split(" --").next()?)).collect();
    Some(all)
}

/// Returns the lines as pip reads them: those that end in a backslash with what follows them, and
/// without comments, which begin a line or have white space before them.
fn joined(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in text.lines() {
        let is_comment = part.trim_start().starts_with('#');
        match part.strip_suffix('\\') {
            // A comment ends what goes on in it.
            Some(part) if !is_comment => line.push_str(part),
            _ => {
                line.push_str(if is_comment { "" } else { part });
                lines.push(std::mem::take(&mut line));
            }
        }
    }
    lines.push(line);
    for line in &mut lines {
        if let Some((at, _)) = line.match_indices('#').find(|(at, _)| {
            line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
        }) {
            line.truncate(at);
        }
    }
    lines
}

/// Returns the name and what is asked for; none when the line is an option, an address without a
/// name or nothing.
pub(super) fn requirement(line: &str) -> Option<(Kind, String, String)> {
    let line = line.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end)?;
    let fits = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !fits(name.chars().next()) || !fits(name.chars().next_back()) {
        return None;
    }
    let rest = rest.trim();
    // `./local.whl` and `https://…` have no name; `name @ https://…` has one.
    if !rest.is_empty() && !rest.starts_with(['=', '<', '>', '!', '~', '[', '(', ';', '@', ',']) {
        return None;
    }
    let asked = if rest.is_empty() { "*" } else { rest };
    Some((Kind::Normal, normal(name), asked.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// Returns the name in its normal form, in which names that are the same are equal (PEP 503).
pub(super) fn normal(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}
