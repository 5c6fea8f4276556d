//! The tokens of a run: secrets from variables, and an App's installations. It keeps them apart by
//! [`TokenId`] and takes them out of texts; it shows none.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Token, TokenId};
use crate::github::app::installation::Installation;
use crate::github::app::minted::Issued;
use crate::github::app::{App, Permissions};
use crate::names::RepoName;

/// What is shorter is not taken out of texts. GitHub's tokens have 40 characters and more.
const SHORTEST_SECRET: usize = 8;

/// How much of a token gives away that it is one, where it was cut off.
const TELLING: usize = 12;

/// The tokens of a run, each once: variables that hold the same secret share a [`TokenId`], because
/// GitHub counts its limits by token and not by the variable's name. For the same reason an App's
/// installation has one id, however many tokens it takes.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    tokens: Vec<Spoken>,
    issued: Arc<Issued>,
}

/// What a [`TokenId`] stands for.
#[derive(Debug, Clone)]
pub(in crate::github) enum Spoken {
    /// A token that was there before the run.
    Secret(Token, Vec<String>),
    /// The tokens that an App gets for an owner's repositories.
    App(Arc<Installation>),
}

impl Spoken {
    fn token(&self) -> Option<&Token> {
        match self {
            Self::Secret(token, _) => Some(token),
            Self::App(_) => None,
        }
    }

    fn label(&self) -> String {
        match self {
            Self::Secret(_, variables) => variables.join(" and "),
            Self::App(installation) => installation.label(),
        }
    }
}

impl Tokens {
    /// Returns an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a token, unless its secret is there already, and returns its id.
    pub fn add(&mut self, token: Token) -> TokenId {
        let new = token.secret.expose_secret();
        for (at, known) in self.tokens.iter_mut().enumerate() {
            let Spoken::Secret(known, variables) = known else { continue };
            if known.secret.expose_secret() == new {
                if !variables.contains(&token.variable) {
                    variables.push(token.variable);
                }
                return TokenId(at);
            }
        }
        let variables = vec![token.variable.clone()];
        self.push(Spoken::Secret(token, variables))
    }

    /// Adds the App as who speaks for a repository, and returns the id of its installation for the
    /// repository's owner, which another with other permissions does not share. All repositories
    /// are added before the first request: the tokens are for exactly those.
    pub fn add_app(
        &mut self,
        app: &Arc<App>,
        repo: &RepoName,
        permissions: &Permissions,
    ) -> TokenId {
        let known = self.tokens.iter().position(|known| match known {
            Spoken::App(known) => {
                known.who.owner.eq_ignore_ascii_case(repo.owner())
                    && known.permissions == *permissions
            }
            Spoken::Secret(..) => false,
        });
        let id = match known {
            Some(at) => TokenId(at),
            None => {
                let app = Arc::clone(app);
                let new = Installation::new(app, repo.owner(), permissions.clone());
                self.push(Spoken::App(Arc::new(new)))
            }
        };
        if let Some(Spoken::App(installation)) = self.tokens.get(id.0) {
            installation.reach(repo);
        }
        id
    }

    fn push(&mut self, spoken: Spoken) -> TokenId {
        self.tokens.push(spoken);
        TokenId(self.tokens.len() - 1)
    }

    pub(in crate::github) fn spoken(&self, id: TokenId) -> Option<&Spoken> {
        self.tokens.get(id.0)
    }

    pub(in crate::github) fn issued(&self) -> &Issued {
        &self.issued
    }

    /// Returns the token with this id; of an App there is none to show.
    #[must_use]
    pub fn get(&self, id: TokenId) -> Option<&Token> {
        self.tokens.get(id.0)?.token()
    }

    /// Returns all tokens that were there before the run, in the order of their ids. Those that are
    /// minted for an App [`Tokens::on_minted`] tells of.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter_map(Spoken::token)
    }

    /// Has `hook` called with each token that is minted for an App, before anything is sent with
    /// it: to mask it. Only the first hook is kept.
    pub fn on_minted(&self, hook: impl Fn(&SecretString) + Send + Sync + 'static) {
        self.issued.on_minted(Box::new(hook));
    }

    /// Takes every token out of a text that somebody else wrote: a server that repeats what it was
    /// sent, or a file that a token was pasted into, must not put it into a log. What has fewer than
    /// 8 characters is no token of GitHub's: it stays, because it may be part of any word. Of a long
    /// token also a beginning is taken out: the text may have been cut.
    #[must_use]
    pub fn redacted(&self, text: String) -> String {
        let text = self.iter().fold(text, |text, token| without(text, &token.secret));
        self.issued.fold(text, without)
    }

    /// Returns for each id the variables that hold the token, such as `ECOSYSTEM_PAT and WEB_PAT`,
    /// or whose App's it is, such as `the App 7 (installation of acme)`.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        self.tokens.iter().map(Spoken::label).collect()
    }

    /// Returns the label of one id; see [`Tokens::labels`].
    #[must_use]
    pub fn label(&self, id: TokenId) -> Option<String> {
        self.tokens.get(id.0).map(Spoken::label)
    }
}

/// Returns the text without the secret, and without what a cut has left of it.
fn without(text: String, secret: &SecretString) -> String {
    let secret = secret.expose_secret();
    if secret.len() < SHORTEST_SECRET {
        return text;
    }
    let telling = if secret.len() >= 2 * TELLING { TELLING } else { secret.len() };
    let Some(beginning) = secret.get(..telling).filter(|beginning| text.contains(beginning)) else {
        return text;
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, found)) = rest.find(beginning).and_then(|at| rest.split_at_checked(at))
    {
        out.push_str(before);
        out.push_str("***");
        let same = found.bytes().zip(secret.bytes()).take_while(|(a, b)| a == b).count();
        rest = found.get(same..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::github::app::tests::app;
    use crate::github::auth::resolve;

    #[test]
    fn an_installation_is_one_token_for_all_repositories_of_an_owner() {
        let (app, mut tokens) = (app(), Tokens::new());
        let dispatch = Permissions::to_dispatch();
        let mut add = |repo: &str, permissions: &Permissions| {
            tokens.add_app(&app, &RepoName::parse(repo).unwrap(), permissions).0
        };
        for (repo, permissions, id) in [
            ("acme/web", &dispatch, 0),
            ("zoo/site", &dispatch, 1),
            ("ACME/api", &dispatch, 0),
            ("acme/web", &Permissions::to_read(), 2),
            ("acme/web", &dispatch, 0),
        ] {
            assert_eq!(add(repo, permissions), id, "{repo}");
        }
        tokens.add(resolve(None, &|_| Some("hunter22".into())).unwrap());
        let labels = ["acme", "zoo", "acme"].map(|it| format!("the App 7 (installation of {it})"));
        assert_eq!(tokens.labels(), [&labels[..], &["ECOSYSTEM_PAT".to_owned()]].concat());
        assert_eq!(tokens.label(TokenId(1)), Some(labels[1].clone()));
        assert_eq!((tokens.label(TokenId(4)), tokens.iter().count()), (None, 1));
        assert!(tokens.get(TokenId(0)).is_none() && tokens.get(TokenId(3)).is_some());
    }

    #[test]
    fn what_was_minted_is_taken_out_of_texts_and_shown_in_no_debug_form() {
        let tokens = Tokens::new();
        tokens.issued().add(&"ghs_0123456789abcdefghijABCDEFGHIJ012345".into());
        tokens.issued().add_jwt(&"eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl".into());
        let text = "ghs_0123456789abcdefghijABCDEFGHIJ012345 eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl";
        assert_eq!(tokens.redacted(text.to_owned()), "*** ***");
        assert_eq!(tokens.clone().redacted(text[..20].to_owned()), "***");
        let shown = format!("{tokens:?}");
        assert!(shown.contains("1 tokens and 1 JWTs") && !shown.contains("0123"), "{shown}");
    }
}
