//! What of the environment is secret, and where it stands in something else: nothing of it is
//! printed, and no event carries it. Tokens that `token_env` names are not known here; the client
//! hides what it holds itself.

use std::path::Path;

use super::sync::SOURCE_TOKEN;
use crate::alarm;
use crate::environment::Environment;
use crate::github::app::{KEY, KEY_FILE, LONGEST_KEY};
use crate::github::auth::VARIABLES;
use crate::input;

/// What is shorter may stand anywhere by chance, and is no token of GitHub's.
const SHORTEST_SECRET: usize = 16;

/// How many characters a line of PEM has (RFC 7468, section 2).
const PEM_LINE: usize = 64;

/// Returns text without what secrets hold: the tokens by their names, an App's key, the webhook's
/// address.
pub(super) fn redacted(environment: &Environment, text: &str) -> String {
    let secrets = variables().filter_map(|name| environment.text(name)).flat_map(parts);
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

/// Returns the variable whose secret, or whose file's secret, `holds` finds in something.
pub(super) fn held(
    environment: &Environment,
    holds: impl Fn(&str) -> bool,
) -> Option<&'static str> {
    let is_held = |secret: &str| parts(secret).into_iter().any(&holds);
    let mut variables = variables();
    variables
        .find(|name| environment.text(name).is_some_and(is_held))
        .or_else(|| key_in_file(environment).filter(|key| is_held(key)).map(|_| KEY_FILE))
}

/// Returns the variables that hold secrets.
fn variables() -> impl Iterator<Item = &'static str> {
    VARIABLES.into_iter().chain([KEY, alarm::WEBHOOK, SOURCE_TOKEN])
}

/// Returns what the file of the App's private key holds, when there is one that can be read.
fn key_in_file(environment: &Environment) -> Option<String> {
    let path = environment.raw(KEY_FILE).filter(|path| !path.is_empty())?;
    String::from_utf8(input::read(Path::new(path), LONGEST_KEY).ok()?).ok()
}

/// Returns what of a secret is secret: a token is one part, of a key in PEM each line is, however
/// its line breaks are written (`\n` in two characters too, or not at all).
fn parts(secret: &str) -> Vec<&str> {
    let all: Vec<&str> = if secret.contains("-----BEGIN ") {
        let between = secret.split("-----");
        let bodies = between.filter(|it| !it.starts_with("BEGIN ") && !it.starts_with("END "));
        let written = bodies.flat_map(|body| body.split("\\r")).flat_map(|it| it.split("\\n"));
        written.flat_map(str::split_whitespace).flat_map(lines).collect()
    } else {
        vec![secret.trim()]
    };
    all.into_iter().filter(|part| part.len() >= SHORTEST_SECRET).collect()
}

/// Cuts what stands in one line into lines of PEM.
fn lines(mut text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    while let Some((line, rest)) = text.split_at_checked(PEM_LINE) {
        lines.push(line);
        text = rest;
    }
    lines.push(text);
    lines
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_token_is_one_part_and_of_a_key_each_line_is_however_it_breaks() {
        let (first, second) = ("A".repeat(64), "b".repeat(64));
        for end in ["\n", "\r\n", "\r", "\\n", "\\r\\n", " ", "\n\n", ""] {
            let key = [
                "-----BEGIN RSA PRIVATE KEY-----",
                &first,
                &second,
                "short=",
                "-----END RSA PRIVATE KEY-----",
            ];
            assert_eq!(parts(&key.join(end)), [first.as_str(), &second], "{end:?}");
        }
        assert_eq!(parts(" ghp_0123456789abcdef\n"), ["ghp_0123456789abcdef"]);
        assert_eq!(parts("too short"), Vec::<&str>::new());
        assert_eq!(parts("C:\\new\\remote-token-of-windows"), ["C:\\new\\remote-token-of-windows"]);
        assert_eq!(parts("-----BEGIN é"), Vec::<&str>::new());
        assert_eq!(parts(&format!("-----BEGIN X-----{}", "é".repeat(80))).len(), 3);
    }
}
