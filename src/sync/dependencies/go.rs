//! `go.mod`, as the Go Modules Reference describes it ("go.mod files"): `require`, marked indirect or
//! not, and `replace`.

use super::Kind;

/// Returns what the file declares. What is no directive that is known says nothing.
pub(super) fn read(text: &str) -> Option<Vec<(Kind, String, String)>> {
    let mut all = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let code = code.trim();
        if code == ")" {
            block = None;
            continue;
        }
        let (directive, rest) = match &block {
            Some(directive) => (directive.as_str(), code),
            None => code.split_once([' ', '\t', '(']).map_or((code, ""), |(word, _)| {
                (word, code.get(word.len()..).unwrap_or_default().trim())
            }),
        };
        if block.is_none() && rest == "(" {
            block = Some(directive.to_owned());
            continue;
        }
        match directive {
            "require" => all.extend(required(rest, comment)),
            "replace" => all.extend(replaced(rest)),
            _ => {}
        }
    }
    Some(all)
}

fn required(rest: &str, comment: &str) -> Option<(Kind, String, String)> {
    let mut words = rest.split_whitespace().map(unquoted);
    let (name, version) = (words.next()?, words.next()?);
    let is_indirect = comment.trim().split(';').next().is_some_and(|it| it.trim() == "indirect");
    let kind = if is_indirect { Kind::Group("indirect".to_owned()) } else { Kind::Normal };
    words.next().is_none().then(|| (kind, name.to_owned(), version.to_owned()))
}

fn replaced(rest: &str) -> Option<(Kind, String, String)> {
    let (from, to) = rest.split_once("=>")?;
    let words = |text: &str| text.split_whitespace().map(unquoted).collect::<Vec<_>>().join(" ");
    let (from, to) = (words(from), words(to));
    (!from.is_empty() && !to.is_empty()).then_some((Kind::Replace, from, to))
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '`'])
}
