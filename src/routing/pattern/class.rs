//! A character class of a pattern, `[…]`, written anew for globset so that it cannot match a slash:
//! globset lets a class match one in spite of `literal_separator`; git and shells do not.

use super::{BadPattern, bad};

/// Reads a class behind its `[` and returns it in globset's syntax.
pub(super) fn class(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<String, BadPattern> {
    let unclosed =
        || bad("a [ is never closed", "add the ], or write \\\\[ for a bracket in a name");
    let negated = chars.next_if(|c| matches!(c, '!' | '^')).is_some();
    let mut members = Vec::new();
    loop {
        match chars.next() {
            None => return unclosed(),
            Some(']') if !members.is_empty() => break,
            Some('/') => {
                return bad("a class cannot match a slash", "write the slash outside of [ ]");
            }
            Some('\\') => {
                return bad(
                    "a backslash within [ ] is read differently everywhere",
                    "put the character itself; ] stands first, - stands last",
                );
            }
            Some(c) => members.push(c),
        }
    }
    let mut ranges = Vec::new();
    let mut rest = members.as_slice();
    while let [first, tail @ ..] = rest {
        if let ['-', last, beyond @ ..] = tail {
            if first > last {
                return bad(
                    format!("the range {first}-{last} in [ ] is empty"),
                    "write the lower end first",
                );
            }
            // A range across the slash goes on behind it.
            if !negated && *first <= '/' && '/' <= *last {
                ranges.extend([(*first, '.'), ('0', *last)]);
            } else {
                ranges.push((*first, *last));
            }
            rest = beyond;
        } else {
            ranges.push((*first, *first));
            rest = tail;
        }
    }
    ranges.retain(|(first, last)| first <= last);
    Ok(class_of(negated, &ranges))
}

/// Writes the class so that no `]`, `-`, `!` or `^` among its members can be taken for syntax:
/// that depends on their position alone.
fn class_of(negated: bool, ranges: &[(char, char)]) -> String {
    let single = |c: char| ranges.contains(&(c, c));
    let like_syntax = |c: char| matches!(c, '!' | '^');
    let mut body = String::new();
    if single(']') {
        body.push(']');
    }
    for late in [false, true] {
        for (first, last) in ranges.iter().filter(|(first, _)| like_syntax(*first) == late) {
            match (first, last) {
                (']' | '-', last) if first == last => {}
                (first, last) => body.extend([*first, '-', *last]),
            }
        }
    }
    if single('-') {
        let at = if !negated && body.starts_with(like_syntax) { 0 } else { body.len() };
        body.insert(at, '-');
    }
    if negated {
        // Before a trailing hyphen, where it would otherwise become the end of a range.
        let hyphen = if body.ends_with('-') { "-" } else { "" };
        let rest = body.strip_suffix('-').unwrap_or(&body);
        return format!("[!{rest}/{hyphen}]");
    }
    format!("[{body}]")
}

#[cfg(test)]
mod tests {
    use super::super::{Pattern, Shape, compile};

    #[test]
    fn a_class_never_matches_a_slash() {
        for (text, path, matches) in [
            ("a[!b]c", "a/c", false),
            ("a[!b]c", "axc", true),
            ("a[+-9]c", "a/c", false),
            ("a[+-9]c", "a0c", true),
            ("a[+-9]c", "a.c", true),
            ("a[]x]c", "a]c", true),
            ("a[x-]c", "a-c", true),
            ("a[^x]c", "axc", false),
            ("[!!]", "!", false),
            ("[!!]", "x", true),
            ("[!!]", "/", false),
            ("[-!]", "!", true),
            ("[-!]", "-", true),
            ("[-!]", "x", false),
            ("[a!]", "!", true),
            ("[a^-]", "^", true),
            ("[a^-]", "-", true),
            ("[]!-]", "-", true),
            ("[]!-]", "!", true),
            ("[]!-]", "]", true),
            ("[!]-]", "]", false),
            ("[!]-]", "-", false),
            ("[!]-]", "x", true),
            ("[!-a]", "-", false),
            ("[!-a]", "b", true),
            ("[--0]", "-", true),
            ("[--0]", "/", false),
            ("[ -~]", "!", true),
            ("[!-]", "-", false),
            ("[!-]", "x", true),
        ] {
            let Shape::Glob { glob, .. } = Pattern::parse(text).unwrap().shape else { panic!() };
            let matcher = compile(&glob).unwrap().compile_matcher();
            assert_eq!(matcher.is_match(path), matches, "{text} as {glob} on {path}");
        }
    }
}
