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
        let (token, name) = (speaker.token(), &repository.name);
        Some(format!("{token} cannot send dispatches to {name}: {why}"))
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::github::TokenId;
    use crate::names::RepoName;
    use crate::onboarding::online::Permissions;

    const FORMS: [TokenForm; 5] = [
        TokenForm::Classic,
        TokenForm::FineGrained,
        TokenForm::App,
        TokenForm::OAuth,
        TokenForm::Unknown,
    ];

    fn speaker(form: TokenForm, built_in: bool) -> Speaker {
        Speaker { id: TokenId(0), variable: "ECOSYSTEM_PAT".to_owned(), form, built_in }
    }

    /// Returns why a token of this kind cannot send dispatches, without what is always said.
    fn why(form: TokenForm, scopes: Option<&str>, private: bool, push: Option<bool>) -> String {
        let repository = Repository {
            name: RepoName::parse("acme/web").unwrap(),
            default_branch: "main".to_owned(),
            shown_branch: "main".to_owned(),
            private,
            archived: false,
            disabled: false,
            permissions: push.map(|push| Permissions { push, admin: false }),
            scopes: scopes.map(str::to_owned),
        };
        let all = why_not(&repository, &speaker(form, false), true).unwrap_or_default();
        let always = "the token in ECOSYSTEM_PAT cannot send dispatches to acme/web: ";
        all.strip_prefix(always).unwrap_or(&all).to_owned()
    }

    #[test]
    fn scopes_decide_where_a_token_has_them_and_then_the_role_of_its_owner() {
        let (private, public) = (true, false);
        let read_only = "it may read there, and not write";
        for (form, scopes, visible, push, expected) in [
            (TokenForm::Classic, Some("repo"), private, Some(true), ""),
            (TokenForm::Classic, Some("gist, repo"), private, Some(true), ""),
            (TokenForm::Classic, Some("gist, public_repo"), public, Some(true), ""),
            (
                TokenForm::Classic,
                Some("gist, public_repo"),
                private,
                Some(true),
                "it has the scopes gist, public_repo",
            ),
            (
                TokenForm::Classic,
                Some("repo:status, admin:repo_hook"),
                public,
                Some(true),
                "it has the scopes repo:status, admin:repo_hook",
            ),
            (TokenForm::Classic, Some(""), public, Some(true), "it has no scope"),
            (TokenForm::Unknown, Some(" "), public, Some(true), "it has no scope"),
            (TokenForm::Unknown, None, public, Some(true), ""),
            (TokenForm::OAuth, Some("gist"), public, Some(true), "it has the scopes gist"),
            // A user's token of a GitHub App has permissions.
            (TokenForm::OAuth, Some(""), private, Some(true), ""),
            (TokenForm::FineGrained, Some(""), private, Some(true), ""),
            (TokenForm::App, Some(" "), private, Some(true), ""),
            (TokenForm::App, None, private, Some(false), ""),
            (TokenForm::Classic, Some("repo"), public, Some(false), read_only),
            (TokenForm::FineGrained, None, public, Some(false), read_only),
            (TokenForm::Classic, Some("repo"), public, None, ""),
        ] {
            let found = why(form, scopes, visible, push);
            assert_eq!(found, expected, "{form:?} {scopes:?} {visible} {push:?}");
        }
    }

    #[test]
    fn what_is_needed_is_said_for_each_kind_that_the_token_may_be_of_and_no_other() {
        let said = |of: &dyn Fn(&Speaker) -> String| {
            FORMS.map(|form| {
                let said = of(&speaker(form, false)).to_ascii_lowercase();
                ["classic", "fine-grained", "app"].map(|kind| said.contains(kind))
            })
        };
        let classic = [true, false, false];
        let fine_grained = [false, true, false];
        let app = [false, false, true];
        let oauth = [true, false, true];
        let any = [true; 3];
        assert_eq!(said(&needed_to_dispatch), [classic, fine_grained, app, oauth, any]);
        let needed_to_read = |speaker: &Speaker| needed_to_read(speaker).to_owned();
        assert_eq!(said(&needed_to_read), [classic, fine_grained, app, classic, any]);
    }
}
