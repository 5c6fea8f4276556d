//! A GitHub App as the speaker for cousins: who it is (`ECOSYSTEM_APP_ID`), the key that proves it,
//! and what it is asked for. What GitHub sees of the key is a signature; the tokens that it answers
//! with are for named repositories and permissions, live an hour and are given back at the end.
//! Nothing here sends a request: `client::as_app` does, and asks this module what is missing
//! (`installation`), what proves who asks (`jwt`) and what an answer means (`meaning`).

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

pub(super) mod installation;
mod jwt;
mod key;
pub(super) mod meaning;
pub(super) mod minted;
mod permissions;

pub use key::BadKey;
pub use permissions::Permissions;

use key::AppKey;

/// The variable of the App's id, or its client id.
pub const ID: &str = "ECOSYSTEM_APP_ID";

/// The variable of the App's private key, as PEM text.
pub const KEY: &str = "ECOSYSTEM_APP_PRIVATE_KEY";

/// The variable of the path of a file with the App's private key.
pub const KEY_FILE: &str = "ECOSYSTEM_APP_PRIVATE_KEY_FILE";

/// The longest key that is read, in bytes: one of 16,384 bits takes 13 KB.
pub const LONGEST_KEY: usize = 1 << 20;

/// How long a JWT is used before another is made: what is sent within a moment is one secret.
const JWT_USE: SignedDuration = SignedDuration::from_secs(60);

/// Our clock and GitHub's are the same when they differ by no more: a `date` has whole seconds, and
/// travels.
const SAME_TIME: SignedDuration = SignedDuration::from_secs(5);

/// An App and its private key.
pub struct App {
    id: String,
    key: AppKey,
    passport: Mutex<Passport>,
}

/// What proves who asks, as it was made last.
#[derive(Default)]
struct Passport {
    /// How far GitHub's clock is ahead of ours, as far as it is known.
    ahead: SignedDuration,
    last: Option<(Timestamp, SecretString)>,
}

/// A JWT, and how far GitHub's clock was taken to be ahead.
pub(super) struct Jwt {
    pub(super) secret: SecretString,
    ahead: SignedDuration,
}

impl App {
    /// Returns the App of the environment, if there is one. `read` reads the file of [`KEY_FILE`],
    /// of which no more than [`LONGEST_KEY`] is a key.
    ///
    /// # Errors
    /// See [`AppError`]; it never holds a value.
    pub fn resolve(
        lookup: &dyn Fn(&str) -> Option<OsString>,
        read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Option<Self>, AppError> {
        let (id, variable, pem) = match (lookup(ID), lookup(KEY), lookup(KEY_FILE)) {
            (None, None, None) => return Ok(None),
            (_, Some(_), Some(_)) => return Err(AppError::TwoKeys),
            (Some(_), None, None) => return Err(AppError::NoKey),
            (None, Some(_), None) => return Err(AppError::NoId { key: KEY }),
            (None, None, Some(_)) => return Err(AppError::NoId { key: KEY_FILE }),
            (Some(id), Some(pem), None) => (id, KEY, pem.into_encoded_bytes()),
            (Some(id), None, Some(path)) if path.is_empty() => {
                let _ = id;
                return Err(AppError::BadKey { variable: KEY_FILE, why: BadKey::Empty });
            }
            (Some(id), None, Some(path)) => {
                let unread = |error: io::Error| AppError::Unread { why: error.to_string() };
                (id, KEY_FILE, read(Path::new(&path)).map_err(unread)?)
            }
        };
        let id = app_id(&id).ok_or(AppError::BadId)?;
        // Not text is no PEM, which the key's parser says.
        let pem = SecretString::from(String::from_utf8_lossy(&pem).into_owned());
        let key =
            AppKey::parse(pem.expose_secret()).map_err(|why| AppError::BadKey { variable, why })?;
        Ok(Some(Self { id, key, passport: Mutex::default() }))
    }

    /// Returns the id, or client id, that the App is known by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns a JWT for a request at `wall`, our clock; `None` when the key does not sign.
    pub(super) fn jwt(&self, wall: Timestamp) -> Option<Jwt> {
        let mut passport = self.passport.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = passport.ahead;
        if let Some((made, secret)) = &passport.last
            && *made <= wall
            && wall.duration_since(*made) < JWT_USE
        {
            return Some(Jwt { secret: secret.clone(), ahead });
        }
        let claims = jwt::unsigned(&self.id, wall.checked_add(ahead).ok()?);
        let secret = SecretString::from(jwt::signed(claims, &self.key)?);
        passport.last = Some((wall, secret.clone()));
        Some(Jwt { secret, ahead })
    }

    /// Returns whether a JWT that GitHub refused with this `date` would be another by GitHub's
    /// clock; JWTs are made by that from now on.
    pub(super) fn corrected(&self, refused: &Jwt, date: Option<&str>, wall: Timestamp) -> bool {
        let Some(ahead) = jwt::ahead(date, wall) else { return false };
        if (ahead - refused.ahead).abs() <= SAME_TIME {
            return false;
        }
        let mut passport = self.passport.lock().unwrap_or_else(PoisonError::into_inner);
        *passport = Passport { ahead, last: None };
        true
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Returns the id when it can be one. Both forms are short and of few characters: a number, and a
/// client id such as `Iv23liAbc`.
fn app_id(value: &OsString) -> Option<String> {
    let id = value.to_str()?.trim();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    ((1..=64).contains(&id.len()) && id.bytes().all(fits)).then(|| id.to_owned())
}

/// Why there is no App where there should be one. It names variables, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// There is an id, and no key.
    #[error("{ID} is set, and neither {KEY} nor {KEY_FILE} is")]
    NoKey,
    /// There is a key, and no id.
    #[error("{key} is set, and {ID} is not")]
    NoId {
        /// The key's variable.
        key: &'static str,
    },
    /// Both variables of a key are set.
    #[error("{KEY} and {KEY_FILE} are both set")]
    TwoKeys,
    /// The id is none.
    #[error("{ID} is neither an App's id nor its client id")]
    BadId,
    /// The key's file cannot be read.
    #[error("cannot read the file that {KEY_FILE} names: {why}")]
    Unread {
        /// What the file system says.
        why: String,
    },
    /// The key is none.
    #[error("the key in {variable} {why}")]
    BadKey {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        why: BadKey,
    },
}

impl AppError {
    /// Returns what to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoKey => {
                format!("set {KEY} to the App's private key, or unset {ID} to use a token")
            }
            Self::NoId { key } => {
                format!("set {ID} to the App's client id (or id), or unset {key} to use a token")
            }
            Self::TwoKeys => "unset one of them".to_owned(),
            Self::BadId => {
                "copy the App's client id (or the number that is its App ID) from the App's settings"
                    .to_owned()
            }
            Self::Unread { .. } => format!("let {KEY_FILE} name the .pem file that GitHub gave you"),
            Self::BadKey { variable, why: BadKey::Empty } => format!(
                "set {variable} or leave it unset; in GitHub Actions a secret that does not exist is empty"
            ),
            Self::BadKey { why, .. } => why.help().to_owned(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
