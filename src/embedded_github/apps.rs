//! A GitHub App: who it is, where it is installed and with which power, and the tokens that it was
//! given. The endpoints for Apps are here and not in `rest`, because those who ask are no tokens: an
//! App shows a JWT, which `jwt` verifies as GitHub does.
//!
//! Source: REST documentation, "GitHub Apps" and "GitHub App installations"; where it is silent
//! (the words of a 422, "Integration not found"), answers that people quoted in public issues of
//! actions/create-github-app-token and octokit/auth-app.js.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use ring::signature::{KeyPair as _, RsaKeyPair};
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, Request};
use super::log::Sender;
use super::model::Model;
use super::query::Page;
use super::repository::{Repository, key};
use super::tokens::{Token, TokenKind};

mod jwt;
mod mint;

const DOCS: &str = "https://docs.github.com/rest/apps/apps";

/// An App, as its owner registered it.
#[derive(Debug, Clone)]
pub struct App {
    id: u64,
    client_id: String,
    /// PKCS#1.
    public_key: Vec<u8>,
    installations: Vec<Installation>,
    lag: u32,
    token_length: usize,
    life: Duration,
}

/// An installation of the App, for one owner.
#[derive(Debug, Clone)]
pub struct Installation {
    id: u64,
    owner: String,
    /// The keys of the repositories; all that the owner has when none is named.
    repositories: BTreeSet<String>,
    permissions: BTreeMap<String, String>,
    suspended: bool,
}

impl App {
    /// Returns an App that is installed nowhere. Of the private key (PEM, PKCS#1) only the public
    /// half is kept, as GitHub does; with what is no such key no JWT is ever right.
    #[must_use]
    pub fn new(id: u64, client_id: &str, private_key: &str) -> Self {
        let pem = PrivatePkcs1KeyDer::from_pem_slice(private_key.as_bytes()).ok();
        let pair = pem.and_then(|key| RsaKeyPair::from_der(key.secret_pkcs1_der()).ok());
        Self {
            id,
            client_id: client_id.to_owned(),
            public_key: pair.map(|it| it.public_key().as_ref().to_vec()).unwrap_or_default(),
            installations: Vec::new(),
            lag: 0,
            token_length: 40,
            life: Duration::from_secs(60 * 60),
        }
    }

    /// Installs it for `owner`, as `describe` says: at first on all repositories, with no
    /// permission but `metadata: read`.
    #[must_use]
    pub fn installed(
        mut self,
        owner: &str,
        describe: impl FnOnce(Installation) -> Installation,
    ) -> Self {
        let installation = Installation {
            id: 60_000_000 + self.installations.len() as u64,
            owner: owner.to_owned(),
            repositories: BTreeSet::new(),
            permissions: BTreeMap::from([("metadata".to_owned(), "read".to_owned())]),
            suspended: false,
        };
        self.installations.push(describe(installation));
        self
    }

    /// Lets the first `uses` of each new token be answered 401, as long as GitHub does not know
    /// it everywhere.
    #[must_use]
    pub fn lag(mut self, uses: u32) -> Self {
        self.lag = uses;
        self
    }

    /// Sets how many characters a token has; 40 unless said.
    #[must_use]
    pub fn token_length(mut self, characters: usize) -> Self {
        self.token_length = characters;
        self
    }

    /// Sets how long a token lives; an hour unless said.
    #[must_use]
    pub fn token_life(mut self, life: Duration) -> Self {
        self.life = life;
        self
    }

    fn installation_of(&self, owner: &str) -> Option<&Installation> {
        self.installations.iter().find(|it| it.owner.eq_ignore_ascii_case(owner))
    }
}

impl Installation {
    /// Chooses a repository: it is installed on those that were chosen, and on no other.
    #[must_use]
    pub fn on(mut self, full_name: &str) -> Self {
        self.repositories.insert(key(full_name));
        self
    }

    /// Grants a permission, such as `contents`, `write`.
    #[must_use]
    pub fn may(mut self, name: &str, level: &str) -> Self {
        self.permissions.insert(name.to_owned(), level.to_owned());
        self
    }

    /// Suspends it.
    #[must_use]
    pub fn suspended(mut self) -> Self {
        self.suspended = true;
        self
    }

    fn reaches(&self, repository: &Repository) -> bool {
        repository.owner().eq_ignore_ascii_case(&self.owner)
            && (self.repositories.is_empty()
                || repository.keys().iter().any(|it| self.repositories.contains(it)))
    }

    fn shown(&self, root: &str, app: &App) -> Value {
        let selected = if self.repositories.is_empty() { "all" } else { "selected" };
        let suspended = self.suspended.then_some("2026-01-01T00:00:00Z");
        json!({
            "id": self.id,
            "account": { "login": self.owner },
            "app_id": app.id,
            "client_id": app.client_id,
            "repository_selection": selected,
            "access_tokens_url": format!("{root}/app/installations/{}/access_tokens", self.id),
            "permissions": self.permissions,
            "suspended_at": suspended,
        })
    }
}

/// The App of a model, and what became of its tokens.
#[derive(Default)]
pub(super) struct Apps {
    app: Option<App>,
    /// By the number of the token.
    leases: HashMap<usize, Lease>,
}

/// What a minted token is good for, beside what every token says of itself.
struct Lease {
    ends: Timestamp,
    revoked: bool,
    /// How many uses more are refused.
    lag: u32,
    repositories: Vec<u64>,
}

impl Model {
    /// Registers an App; there is one at a time.
    #[must_use]
    pub fn app(mut self, app: App) -> Self {
        self.apps.app = Some(app);
        self
    }

    /// Returns the App, to be changed.
    pub fn app_mut(&mut self) -> Option<&mut App> {
        self.apps.app.as_mut()
    }

    /// Returns the secrets of all tokens that the App was given, in order.
    #[must_use]
    pub fn minted(&self) -> Vec<String> {
        let minted = self.tokens.iter().enumerate();
        let minted = minted.filter(|(number, _)| self.apps.leases.contains_key(number));
        minted.map(|(_, (secret, _))| secret.clone()).collect()
    }

    /// Returns how many of the App's tokens are good at this time of the model's clock.
    #[must_use]
    pub fn alive(&self) -> usize {
        let now = self.clock_time();
        self.apps.leases.values().filter(|lease| !lease.revoked && now < lease.ends).count()
    }

    /// Forgets all of the App's tokens; those that it is given next have the same secrets.
    pub fn forget_minted(&mut self) {
        if let Some(first) = self.apps.leases.keys().min() {
            self.tokens.truncate(*first);
        }
        self.apps.leases.clear();
    }

    /// Ends all of the App's tokens, as uninstalling it does.
    pub fn end_minted(&mut self) {
        self.apps.leases.values_mut().for_each(|lease| lease.revoked = true);
    }

    /// Returns who sends, when a token counts: one that was minted may not be known yet, or not
    /// any more.
    pub(super) fn admitted(&mut self, sender: Sender, now: Timestamp) -> Sender {
        let Sender::Token(number) = sender else { return sender };
        let Some(lease) = self.apps.leases.get_mut(&number) else { return sender };
        if lease.revoked || now >= lease.ends {
            return Sender::Unknown;
        }
        if lease.lag > 0 {
            lease.lag -= 1;
            return Sender::Unknown;
        }
        sender
    }

    /// Returns the answer of an endpoint for Apps; `None` for every other path.
    pub(super) fn answer_app(
        &mut self,
        request: &Request,
        sender: Sender,
        now: Timestamp,
    ) -> Option<Answer> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        let known = match (request.method.as_str(), parts.as_slice()) {
            ("DELETE", ["installation", "token"]) => return Some(self.revoke(sender)),
            (_, ["installation", "repositories"]) if reads => {
                return Some(self.list_reached(sender, query));
            }
            (_, ["app"] | ["users" | "orgs", _, "installation"]) => reads,
            (_, ["repos", _, _, "installation"] | ["repositories", _, "installation"]) => reads,
            ("POST", ["app", "installations", _, "access_tokens"]) => true,
            _ => false,
        };
        if !known {
            return None;
        }
        let app = match jwt::verified(self.apps.app.as_ref(), request, now) {
            Ok(app) => app.clone(),
            Err(refused) => return Some(*refused),
        };
        Some(match parts.as_slice() {
            ["users" | "orgs", owner, _] => {
                self.show_installation(&app, app.installation_of(owner))
            }
            ["repos", owner, name, _] => self.installed_on(&app, &format!("{owner}/{name}")),
            ["repositories", id, _] => {
                let found = id.parse().ok().and_then(|id: u64| self.repositories.get(&id));
                let found = found.and_then(|repository| app.reaching(repository));
                self.show_installation(&app, found)
            }
            ["app", _, id, _] => self.mint(&app, id, &request.body, now),
            _ => Answer::json(
                200,
                json!({ "id": app.id, "client_id": app.client_id, "slug": "ecosystem" }),
            ),
        })
    }

    fn show_installation(&self, app: &App, installation: Option<&Installation>) -> Answer {
        match installation {
            Some(found) => Answer::json(200, found.shown(&self.root, app)),
            None => Answer::not_found(DOCS),
        }
    }

    fn installed_on(&self, app: &App, full_name: &str) -> Answer {
        let id = self.names.get(&key(full_name));
        let Some(repository) = id.and_then(|id| self.repositories.get(id)) else {
            return Answer::not_found(DOCS);
        };
        let found = app.reaching(repository);
        if found.is_some() && key(full_name) != key(&repository.full_name) {
            let location = format!("{}/repositories/{}/installation", self.root, repository.id);
            return Answer::moved(301, &location);
        }
        self.show_installation(app, found)
    }

    fn revoke(&mut self, sender: Sender) -> Answer {
        match (sender, self.token_of(sender).map(Token::kind)) {
            (Sender::Token(number), Some(TokenKind::Installation)) => {
                if let Some(lease) = self.apps.leases.get_mut(&number) {
                    lease.revoked = true;
                }
                Answer::no_content()
            }
            (Sender::Token(_), Some(kind)) => Answer::not_accessible(kind, DOCS),
            _ => Answer::error(401, "Bad credentials", super::answer::REST_DOCS),
        }
    }

    fn list_reached(&self, sender: Sender, query: &str) -> Answer {
        let lease = match sender {
            Sender::Token(number) => self.apps.leases.get(&number),
            Sender::Anonymous | Sender::Unknown => None,
        };
        let Some(lease) = lease else {
            return Answer::error(401, "Bad credentials", super::answer::REST_DOCS);
        };
        let reached = lease.repositories.iter().filter_map(|id| self.repositories.get(id));
        let shown = reached.map(|it| json!({ "id": it.id, "full_name": it.full_name }));
        let shown = Page::of(query).of_all(shown);
        let total = lease.repositories.len();
        Answer::json(200, json!({ "total_count": total, "repositories": shown }))
    }
}

impl App {
    fn reaching(&self, repository: &Repository) -> Option<&Installation> {
        self.installations.iter().find(|it| it.reaches(repository))
    }
}

/// Returns a token that looks like GitHub's, another for each number.
fn secret(number: usize, length: usize) -> String {
    let mut secret = "ghs_".to_owned();
    while secret.len() < length {
        let digest = Sha256::digest(format!("{number} {}", secret.len()));
        secret.extend(digest.iter().map(|byte| format!("{byte:02x}")));
    }
    secret.truncate(length.max(8));
    secret
}

/// Returns the name by which a fault can be set for an endpoint that is no repository's:
/// `users/OWNER`, `app/installations`, `installation/repositories`, `installation/token`.
pub(super) fn name_in(path: &str) -> Option<String> {
    let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
    let mut parts = path.split('/');
    match (parts.next()?, parts.next()) {
        (root @ ("users" | "orgs" | "app" | "installation"), Some(next)) => {
            Some(format!("{root}/{}", next.to_ascii_lowercase()))
        }
        _ => None,
    }
}
