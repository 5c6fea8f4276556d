//! The process's environment, taken once and handed down as a value: what is below can be tested
//! with any environment, and nothing reads a variable behind the caller's back.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The variables that hold secrets.
const SECRETS: [&str; 5] = [
    "ECOSYSTEM_PAT",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "ECOSYSTEM_APP_PRIVATE_KEY",
    "ECOSYSTEM_NOTIFY_URL",
];

/// What is shorter may stand anywhere by chance, and is no token of GitHub's.
const SHORTEST_SECRET: usize = 16;

/// How many characters a line of PEM has (RFC 7468, section 2).
const PEM_LINE: usize = 64;

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

/// Returns whether `holds` finds part of a secret in something.
pub(crate) fn is_held(secret: &str, holds: impl FnMut(&str) -> bool) -> bool {
    parts(secret).into_iter().any(holds)
}

/// A snapshot of environment variables.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Returns the environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that takes the snapshot")]
        Self(std::env::vars_os().collect())
    }

    /// Returns a variable's value as it is.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Returns a variable's value; none when it is unset, empty or not Unicode, which for every
    /// variable that is read as text mean the same.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str().filter(|value| !value.is_empty())
    }

    /// Returns an environment of only the named variables, as far as they are set.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let named = |name: &OsStr| {
            name.to_str().is_some_and(|name| names.iter().any(|n| name.eq_ignore_ascii_case(n)))
        };
        self.iter().filter(|(name, _)| named(name)).collect()
    }

    /// Returns this environment with one variable set.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut environment = self.clone();
        environment.0.insert(name.into(), value.into());
        environment
    }

    /// Returns text without what secrets hold: the tokens by their names, an App's key, the webhook's
    /// address. Tokens that `token_env` names are not known here.
    #[must_use]
    pub fn redacted(&self, text: &str) -> String {
        let secrets = SECRETS.iter().filter_map(|name| self.text(name)).flat_map(parts);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// Returns the variable whose secret `holds` finds in something.
    pub(crate) fn secret_in(&self, holds: impl Fn(&str) -> bool) -> Option<&'static str> {
        let held = |name: &str| self.text(name).is_some_and(|secret| is_held(secret, &holds));
        SECRETS.into_iter().find(|name| held(name))
    }

    /// Returns all variables.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

// Values may be secrets: only the names are shown.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
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
