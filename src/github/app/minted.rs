//! The secrets that come into being while a run goes on: the tokens that GitHub mints for an App,
//! and the JWTs that were shown for them. They are kept for two ends only: to be taken out of texts
//! that others wrote, and to be given back when the run is over.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// How long before its end a token is no longer used, so that what is sent with it has time.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// A token of an installation.
#[derive(Clone)]
pub(crate) struct Minted {
    pub(crate) secret: SecretString,
    /// When it was minted.
    pub(crate) at: Instant,
    /// How long it lives from then on.
    pub(crate) life: Duration,
    /// Which one of the run's it is.
    pub(crate) number: u64,
    /// Whether GitHub has taken it already.
    pub(crate) taken: Arc<AtomicBool>,
}

impl Minted {
    /// Returns whether another is to be minted before it is used again.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        is_stale(now.saturating_duration_since(self.at), self.life)
    }
}

/// A token is not used in its last five minutes. GitHub's live an hour; one that lives less than
/// ten minutes is used for half of its life, so that it is used at all.
fn is_stale(age: Duration, life: Duration) -> bool {
    age >= life.saturating_sub(MARGIN.min(life / 2))
}

/// Returns how long a token lives from the time of GitHub's answer: by GitHub's own clock, since
/// ours may differ.
pub(crate) fn life(expires_at: Timestamp, date: Option<Timestamp>, wall: Timestamp) -> Duration {
    Duration::try_from(expires_at.duration_since(date.unwrap_or(wall))).unwrap_or_default()
}

type Hook = Box<dyn Fn(&SecretString) + Send + Sync>;

/// The secrets of a run that were not there when it began.
#[derive(Default)]
pub(crate) struct Issued {
    list: Mutex<List>,
    on_minted: OnceLock<Hook>,
}

#[derive(Default)]
struct List {
    tokens: Vec<SecretString>,
    jwts: Vec<SecretString>,
    given_back: usize,
}

impl Issued {
    /// Has `hook` called with each token as it is minted, before it is used. Only the first hook
    /// is kept.
    pub(crate) fn on_minted(&self, hook: Hook) {
        let _ = self.on_minted.set(hook);
    }

    /// Takes in a token that was minted just now, and returns its number.
    pub(crate) fn add(&self, secret: &SecretString) -> u64 {
        if let Some(hook) = self.on_minted.get() {
            hook(secret);
        }
        let mut list = self.list();
        list.tokens.push(secret.clone());
        list.tokens.len() as u64
    }

    /// Takes in a JWT that is going to be shown to GitHub.
    pub(crate) fn add_jwt(&self, secret: &SecretString) {
        let mut list = self.list();
        let known = list.jwts.last().is_some_and(|it| it.expose_secret() == secret.expose_secret());
        if !known {
            list.jwts.push(secret.clone());
        }
    }

    /// Hands all secrets to `each` in turn, with a text that it may take them out of.
    pub(crate) fn fold(&self, text: String, each: fn(String, &SecretString) -> String) -> String {
        let list = self.list();
        list.tokens.iter().chain(&list.jwts).fold(text, each)
    }

    /// Returns the tokens that were not given back yet; they count as given back from now on.
    pub(crate) fn to_give_back(&self) -> Vec<SecretString> {
        let mut list = self.list();
        let tokens = list.tokens.iter().skip(list.given_back).cloned().collect();
        list.given_back = list.tokens.len();
        tokens
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.list();
        write!(f, "{} tokens and {} JWTs", list.tokens.len(), list.jwts.len())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn a_token_is_used_until_five_minutes_before_its_end() {
        for (age, life, stale) in [
            (0, 3600, false),
            (3299, 3600, false),
            (3300, 3600, true),
            (3600, 3600, true),
            (9999, 3600, true),
            (299, 600, false),
            (300, 600, true),
            (29, 60, false),
            (30, 60, true),
            (0, 0, true),
        ] {
            assert_eq!(is_stale(S(age), S(life)), stale, "{age} of {life}");
        }
    }

    #[test]
    fn a_life_is_measured_by_the_clock_that_set_its_end() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (end, date, wall, seconds) in [
            (3600, Some(0), 999_999, 3600),
            (3600, Some(0), 0, 3600),
            (3600, None, 600, 3000),
            (3600, None, 4000, 0),
            (3600, Some(4000), 0, 0),
        ] {
            assert_eq!(life(at(end), date.map(at), at(wall)), S(seconds), "{end} {date:?} {wall}");
        }
    }

    #[test]
    fn each_token_is_told_as_it_comes_and_given_back_once() {
        let issued = Issued::default();
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        issued.on_minted(Box::new(move |secret| {
            heard.lock().unwrap().push(secret.expose_secret().to_owned());
        }));
        let texts = |all: Vec<SecretString>| -> Vec<String> {
            all.iter().map(|it| it.expose_secret().to_owned()).collect()
        };
        issued.add_jwt(&"jwt".into());
        issued.add_jwt(&"jwt".into());
        assert_eq!((issued.add(&"one".into()), issued.add(&"two".into())), (1, 2));
        assert_eq!(told.lock().unwrap().concat(), "onetwo");
        assert_eq!(texts(issued.to_give_back()), ["one", "two"]);
        issued.add(&"three".into());
        assert_eq!(texts(issued.to_give_back()), ["three"]);
        assert_eq!(texts(issued.to_give_back()), Vec::<String>::new());
        let all = issued.fold(String::new(), |text, secret| text + secret.expose_secret());
        assert_eq!(all, "onetwothreejwt");
        assert_eq!(format!("{issued:?}"), "3 tokens and 1 JWTs");
    }
}
