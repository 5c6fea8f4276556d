//! Which token speaks for which cousin. Tokens come from environment variables only, through a
//! look-up that the caller gives; this module chooses the variable, refuses values that cannot be
//! tokens, and keeps the secret where nothing can print it. Elsewhere a token is a [`TokenId`], so
//! that limits, pace and reports can tell tokens apart without holding one.

use std::ffi::OsString;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

mod form;
mod tokens;

pub use form::TokenForm;
pub(super) use tokens::Spoken;
pub use tokens::Tokens;

/// The variables that are tried in turn for a cousin without its own `token_env`.
pub const VARIABLES: [&str; 3] = ["ECOSYSTEM_PAT", "GH_TOKEN", BUILT_IN];

/// The variable of the token that GitHub Actions makes for each job: it reaches the job's own
/// repository only.
const BUILT_IN: &str = "GITHUB_TOKEN";

/// Which token of a run: its place in [`Tokens`], never the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub usize);

/// A token and the environment variable it came from.
#[derive(Clone)]
pub struct Token {
    secret: SecretString,
    variable: String,
}

impl Token {
    /// Returns the secret, for a request's header and for `::add-mask::`.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Returns the name of the environment variable it came from.
    #[must_use]
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// Returns whether it came from `GITHUB_TOKEN`: inside Actions that token cannot reach another
    /// repository, which deserves a warning.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.variable == BUILT_IN
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("variable", &self.variable).finish_non_exhaustive()
    }
}

/// Why there is no token. It names variables, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// None of [`VARIABLES`] is set.
    #[error("there is no token to send dispatches with")]
    NoToken,
    /// A cousin names its own variable, and that one is not set.
    #[error("the environment variable {variable} is not set, and a cousin's token_env names it")]
    Missing {
        /// The cousin's `token_env`.
        variable: String,
    },
    /// The variable is set to something that cannot be a token.
    #[error("the token in {variable} {problem}")]
    Unusable {
        /// The variable.
        variable: String,
        /// What is wrong with the value.
        problem: Problem,
    },
}

/// What is wrong with a value that should have been a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It has no characters.
    #[error("is empty")]
    Empty,
    /// It ends in a line break, and would be fine without.
    #[error("ends in a newline")]
    TrailingNewline,
    /// It holds a space, a tab, a line break or a control character.
    #[error("holds white space or a control character")]
    WhiteSpace,
    /// It holds a character outside ASCII.
    #[error("holds a character outside ASCII")]
    NotAscii,
}

impl AuthError {
    /// Returns what to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoToken => format!(
                "set {} to a token that may write to the repositories that are sent to (or preview with --dry-run, which needs none)",
                VARIABLES[0]
            ),
            Self::Missing { variable } => {
                format!("set {variable}, or take \"token_env\" out to use {}", VARIABLES[0])
            }
            Self::Unusable { variable, problem: Problem::Empty } => format!(
                "set {variable} or leave it unset; in GitHub Actions a secret that does not exist is empty"
            ),
            Self::Unusable { variable, problem: Problem::TrailingNewline } => format!(
                "save {variable} again without the newline: `printf %s` writes none, `echo` does"
            ),
            Self::Unusable { variable, .. } => {
                format!("copy the token into {variable} again, alone and as GitHub showed it")
            }
        }
    }
}

/// Returns the token for a cousin: its own `token_env`, else the first of [`VARIABLES`] that is
/// set.
///
/// A cousin's own variable is never replaced by another, and a variable that is set is never passed
/// over: either would send with a token that nobody chose.
///
/// # Errors
/// See [`AuthError`]; it never holds a value.
pub fn resolve(
    token_env: Option<&str>,
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Token, AuthError> {
    if let Some(variable) = token_env {
        let value =
            lookup(variable).ok_or_else(|| AuthError::Missing { variable: variable.to_owned() })?;
        return check(variable, value);
    }
    VARIABLES
        .iter()
        .find_map(|variable| lookup(variable).map(|value| check(variable, value)))
        .unwrap_or(Err(AuthError::NoToken))
}

fn check(variable: &str, value: OsString) -> Result<Token, AuthError> {
    let unusable = |problem| AuthError::Unusable { variable: variable.to_owned(), problem };
    let Ok(value) = value.into_string() else { return Err(unusable(Problem::NotAscii)) };
    let secret = SecretString::from(value);
    let text = secret.expose_secret();
    let odd = |text: &str| text.contains(|c: char| c.is_whitespace() || c.is_control());
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        Err(unusable(Problem::Empty))
    } else if line.is_some_and(|line| !line.is_empty() && !odd(line)) {
        Err(unusable(Problem::TrailingNewline))
    } else if odd(text) {
        Err(unusable(Problem::WhiteSpace))
    } else if !text.is_ascii() {
        Err(unusable(Problem::NotAscii))
    } else {
        Ok(Token { secret, variable: variable.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn resolved(own: Option<&str>, environment: &[(&str, &str)]) -> Result<Token, AuthError> {
        resolve(own, &|name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_first_variable_that_is_set_wins_and_a_cousins_own_before_all() {
        let all = [
            ("GITHUB_TOKEN", "t4"),
            ("GH_TOKEN", "t3"),
            ("ECOSYSTEM_PAT", "t2"),
            ("WEB_PAT", "t1"),
        ];
        for (own, environment, variable) in [
            (Some("WEB_PAT"), &all[..], "WEB_PAT"),
            (None, &all[..], "ECOSYSTEM_PAT"),
            (None, &all[..2], "GH_TOKEN"),
            (None, &all[..1], "GITHUB_TOKEN"),
        ] {
            let token = resolved(own, environment).unwrap();
            assert_eq!(token.variable(), variable);
            assert_eq!(token.is_built_in(), variable == "GITHUB_TOKEN");
        }
        assert_eq!(resolved(None, &[]).unwrap_err(), AuthError::NoToken);
    }

    #[test]
    fn a_cousins_missing_variable_is_never_replaced_by_another_token() {
        let error = resolved(Some("WEB_PAT"), &[("ECOSYSTEM_PAT", "t")]).unwrap_err();
        assert_eq!(error, AuthError::Missing { variable: "WEB_PAT".to_owned() });
        assert!(error.to_string().contains("WEB_PAT"));
    }

    #[test]
    fn a_value_that_cannot_be_a_token_is_refused_by_its_variables_name_alone() {
        for (value, problem) in [
            ("", Problem::Empty),
            ("hunter2\n", Problem::TrailingNewline),
            ("hunter2\r\n", Problem::TrailingNewline),
            ("hunter2\n\n", Problem::WhiteSpace),
            ("\n", Problem::WhiteSpace),
            ("hunter2\r", Problem::WhiteSpace),
            (" hunter2", Problem::WhiteSpace),
            ("hunter2 ", Problem::WhiteSpace),
            ("hunt\ner2", Problem::WhiteSpace),
            ("hunter2\u{7f}", Problem::WhiteSpace),
            ("hunter2\0", Problem::WhiteSpace),
            ("hunter2é", Problem::NotAscii),
        ] {
            // A later variable that would do must not hide the earlier, broken one.
            let error =
                resolved(None, &[("ECOSYSTEM_PAT", value), ("GH_TOKEN", "good")]).unwrap_err();
            let variable = "ECOSYSTEM_PAT".to_owned();
            assert_eq!(error, AuthError::Unusable { variable, problem }, "{value:?}");
            let all = format!("{error} {error:?} {}", error.help());
            assert!(all.contains("ECOSYSTEM_PAT") && !all.contains("hunter2"), "{all}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text_are_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let error = resolve(None, &|_| Some(OsString::from_vec(vec![b'g', 0xff]))).unwrap_err();
        assert!(matches!(error, AuthError::Unusable { problem: Problem::NotAscii, .. }));
    }

    #[test]
    fn equal_secrets_under_two_names_are_one_token() {
        let token = |variable, value| resolved(Some(variable), &[(variable, value)]).unwrap();
        let mut tokens = Tokens::new();
        assert_eq!(tokens.add(token("ECOSYSTEM_PAT", "one")), TokenId(0));
        assert_eq!(tokens.add(token("WEB_PAT", "two")), TokenId(1));
        assert_eq!(tokens.add(token("API_PAT", "one")), TokenId(0));
        assert_eq!(tokens.add(token("API_PAT", "one")), TokenId(0));
        assert_eq!(tokens.labels(), ["ECOSYSTEM_PAT and API_PAT", "WEB_PAT"]);
        assert_eq!(tokens.iter().count(), 2);
        assert!(tokens.get(TokenId(2)).is_none());
    }

    #[test]
    fn every_token_is_taken_out_of_a_text() {
        let mut tokens = Tokens::new();
        for (variable, secret) in [("A", "hunter22"), ("B", "swordfish"), ("C", "two")] {
            tokens.add(resolved(Some(variable), &[(variable, secret)]).unwrap());
        }
        let text = "hunter22 swordfish hunter222 hunter2 two".to_owned();
        assert_eq!(tokens.redacted(text), "*** *** ***2 hunter2 two");
        let long = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
        tokens.add(resolved(Some("D"), &[("D", long)]).unwrap());
        let text = format!("{long}é{} {} ghp_0123… {}", &long[..12], &long[..30], &long[1..]);
        let cut = format!("***é*** *** ghp_0123… {}", &long[1..]);
        assert_eq!(tokens.redacted(text), cut);
    }

    #[test]
    fn no_debug_form_shows_a_secret() {
        let mut tokens = Tokens::new();
        let token = resolved(None, &[("GH_TOKEN", "hunter2")]).unwrap();
        assert_eq!(format!("{token:?}"), "Token { variable: \"GH_TOKEN\", .. }");
        tokens.add(token);
        assert!(!format!("{tokens:?}").contains("hunter2"));
    }
}
