//! Which permission a token needs, in the words of GitHub's settings pages for its kind. A token's
//! kind is read from its form; where that tells nothing, all kinds are named.
//!
//! Source: GitHub's REST documentation, "Create a repository dispatch event" and "Permissions
//! required for fine-grained personal access tokens".

use super::{Repository, Speaker};
use crate::github::auth::TokenForm;

const CLASSIC: &str = "a classic token needs the scope \"repo\" (\"public_repo\" for a public \
                       repository), and its owner write access to the repository";
const FINE_GRAINED: &str = "a fine-grained token needs the repository among those that it may \
                            access, the permission \"Contents: read and write\" there, and an \
                            owner with write access";
const APP: &str = "a GitHub App must be installed on the repository with the permission \
                   \"Contents: read and write\"; the GITHUB_TOKEN of a workflow reaches its own \
                   repository only";

/// Returns what a token needs to send dispatches.
pub(super) fn needed_to_dispatch(speaker: &Speaker) -> String {
    match speaker.form {
        TokenForm::Classic => CLASSIC.to_owned(),
        // An OAuth app's token has scopes, a user's token of a GitHub App has permissions.
        TokenForm::OAuth => format!("{CLASSIC}; {APP}"),
        TokenForm::FineGrained => FINE_GRAINED.to_owned(),
        TokenForm::App => APP.to_owned(),
        TokenForm::Unknown => format!("{CLASSIC}; {FINE_GRAINED}; {APP}"),
    }
}

/// Returns what a token needs to read a repository's files.
pub(super) fn needed_to_read(speaker: &Speaker) -> &'static str {
    match speaker.form {
        TokenForm::Classic | TokenForm::OAuth => {
            "a classic token needs the scope \"repo\" to read a private repository"
        }
        TokenForm::FineGrained => {
            "a fine-grained token needs the repository among those that it may access, and the \
             permission \"Contents: read\", which \"read and write\" includes"
        }
        TokenForm::App => {
            "a GitHub App must be installed on the repository with the permission \"Contents: \
             read\", which \"read and write\" includes"
        }
        TokenForm::Unknown => {
            "it needs the scope \"repo\" (classic), or access to the repository with the \
             permission \"Contents: read\" (fine-grained, App)"
        }
    }
}

/// Returns whether GitHub's answers tell what a token may do. `permissions` is the role of the
/// token's owner; an App's installation has none, and `push` is false for it always. Source: the
/// verification in semantic-release/github, which meets App tokens.
pub(super) fn is_told(speaker: &Speaker) -> bool {
    speaker.form != TokenForm::App
}

/// Returns why the token cannot send dispatches to the repository, when GitHub's answer shows it;
/// `elsewhere` says that it is not the repository of the run.
pub(super) fn why_not(
    repository: &Repository,
    speaker: &Speaker,
    elsewhere: bool,
) -> Option<String> {
    let because = |why: &str| {
        let (variable, name) = (&speaker.variable, &repository.name);
        Some(format!("the token in {variable} cannot send dispatches to {name}: {why}"))
    };
    if speaker.built_in && elsewhere {
        return because("GitHub Actions makes it for the run's own repository");
    }
    // For tokens that have permissions and no scopes the header is empty or not there.
    let has_scopes = matches!(speaker.form, TokenForm::Classic | TokenForm::Unknown);
    let scopes = repository.scopes.as_ref();
    let scopes = scopes.filter(|it| has_scopes || !it.trim().is_empty());
    if let Some(scopes) = scopes {
        let has = |scope: &str| scopes.split(',').any(|one| one.trim() == scope);
        if !has("repo") && (repository.private || !has("public_repo")) {
            return because(&match scopes.trim() {
                "" => "it has no scope".to_owned(),
                scopes => format!("it has the scopes {scopes}"),
            });
        }
    }
    // Of an App's token GitHub says `push: false` whatever the App was granted: see `is_told`.
    let denied = repository.permissions.is_some_and(|permissions| !permissions.push);
    (denied && is_told(speaker)).then(|| because("it may read there, and not write")).flatten()
}
