//! The process's environment, taken once and handed down as a value: what is below can be tested
//! with any environment, and nothing reads a variable behind the caller's back.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

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
