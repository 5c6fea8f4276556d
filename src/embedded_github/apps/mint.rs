//! `POST /app/installations/ID/access_tokens`: a token for what is asked for, as far as the
//! installation has it, and for all that it has where nothing is said.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{App, Installation, Lease, secret};
use crate::embedded_github::answer::Answer;
use crate::embedded_github::model::Model;
use crate::embedded_github::repository::{Repository, key};
use crate::embedded_github::tokens::Token;

const DOCS: &str = "https://docs.github.com/rest/apps/apps\
                    #create-an-installation-access-token-for-an-app";

/// The most repositories that a token can be asked for.
const MOST: usize = 500;

#[derive(Default, Deserialize)]
struct Asked {
    repositories: Option<Vec<String>>,
    permissions: Option<BTreeMap<String, String>>,
}

impl Model {
    pub(super) fn mint(&mut self, app: &App, id: &str, body: &[u8], now: Timestamp) -> Answer {
        let Some(installation) = app.installations.iter().find(|it| it.id.to_string() == id) else {
            return Answer::not_found(DOCS);
        };
        if installation.suspended {
            return Answer::error(403, "This installation has been suspended", DOCS);
        }
        let asked =
            if body.is_empty() { Ok(Asked::default()) } else { serde_json::from_slice(body) };
        let Ok(Asked { repositories, permissions }) = asked else {
            return Answer::error(400, "Problems parsing JSON", DOCS);
        };
        let Some(reached) = self.reached_by(installation, repositories.as_deref()) else {
            let message = "There is at least one repository that does not exist or is not \
                           accessible to the parent installation.";
            return Answer::error(422, message, DOCS);
        };
        let permissions = permissions.unwrap_or_else(|| installation.permissions.clone());
        if !permissions.iter().all(|(name, level)| installation.grants(name, level)) {
            let message = "The permissions requested are not granted to this installation.";
            return Answer::error(422, message, DOCS);
        }
        let token = token(installation, &reached, &permissions);
        let secret = secret(self.tokens.len(), app.token_length);
        let ends = now.checked_add(app.life).unwrap_or(Timestamp::MAX);
        let shown: Vec<_> =
            reached.iter().map(|it| json!({ "id": it.id, "full_name": it.full_name })).collect();
        let ids = reached.iter().map(|it| it.id).collect();
        let lease = Lease { ends, revoked: false, lag: app.lag, repositories: ids };
        self.apps.leases.insert(self.tokens.len(), lease);
        self.tokens.push((secret.clone(), token));
        Answer::json(
            201,
            json!({
                "token": secret,
                "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "permissions": permissions,
                "repository_selection": if repositories.is_some() { "selected" } else { "all" },
                "repositories": shown,
            }),
        )
    }

    /// Returns the repositories of these names, or all; none when one of them is out of reach.
    /// That a former name is one of those is decided here: the documentation is silent.
    fn reached_by(
        &self,
        installation: &Installation,
        names: Option<&[String]>,
    ) -> Option<Vec<Repository>> {
        let mut all = self.repositories.values().filter(|it| installation.reaches(it));
        let Some(names) = names else { return Some(all.cloned().collect()) };
        if names.is_empty() || names.len() > MOST {
            return None;
        }
        let all: Vec<&Repository> = all.by_ref().collect();
        let named = |name: &String| {
            let full_name = key(&format!("{}/{name}", installation.owner));
            all.iter().find(|it| key(&it.full_name) == full_name).map(|it| (*it).clone())
        };
        names.iter().map(named).collect()
    }
}

impl Installation {
    fn grants(&self, name: &str, level: &str) -> bool {
        let rank = |level: &str| ["read", "write", "admin"].iter().position(|it| *it == level);
        let granted = self.permissions.get(name).and_then(|granted| rank(granted));
        rank(level).is_some_and(|asked| granted >= Some(asked))
    }
}

/// Returns the token, which may do in these repositories what its permissions say.
fn token(
    installation: &Installation,
    reached: &[Repository],
    permissions: &BTreeMap<String, String>,
) -> Token {
    let level = |name: &str| permissions.get(name).map(String::as_str);
    let token = Token::installation().labelled(&format!("installation of {}", installation.owner));
    reached.iter().fold(token, |token, repository| {
        let name = &repository.full_name;
        let token = match level("contents") {
            Some("write") => token.may_write(name),
            Some(_) => token.may_read(name),
            None => token.may_read(name).may_not_read_contents(name),
        };
        let token = match level("issues") {
            Some("write") => token.may_write_issues(name),
            Some(_) => token.may_read_issues(name),
            None => token,
        };
        let token = match level("pull_requests") {
            Some("write") => token.may_write_pull_requests(name),
            Some(_) => token.may_read_pull_requests(name),
            None => token,
        };
        let token = match level("workflows") {
            Some("write") => token.may_write_workflows(name),
            _ => token,
        };
        let token = match level("actions") {
            Some(_) => token,
            None => token.may_not_read_actions(name),
        };
        if level("administration").is_some() { token.admin_of(name) } else { token }
    })
}
