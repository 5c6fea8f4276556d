//! What the facts about a cousin mean: a pure function from [`Facts`] to findings. Each stands at
//! the place in `ecosystem.json` that is to be changed or that leads to what is to be changed
//! elsewhere, and says in its help where that is.

use std::collections::HashSet;

use super::access;
use super::answers::unexpected;
use super::{Facts, Gaps, Repository, Seen, Speaker, Workflows, listeners, theirs};
use crate::delivery::requests::Unanswered;
use crate::ecosystem::{Code, Finding, Findings, Listed, Pointer, Severity, Span};
use crate::github::Reply;
use crate::github::auth::{AuthError, TokenForm};
use crate::github::error::said;
use crate::names::{FeaturePath, RepoName};

/// The cousin that is judged.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// What `ecosystem.json` says of it.
    pub(crate) listed: &'a Listed,
    /// What it would be told of.
    pub(crate) features: &'a [FeaturePath],
    /// The monorepo's own name, where it is known.
    pub(crate) source: Option<&'a RepoName>,
    /// The keys of all cousins' names.
    pub(crate) others: &'a HashSet<String>,
    /// Takes the run's tokens out of what a server has sent.
    pub(crate) redacted: &'a dyn Fn(String) -> String,
}

impl Subject<'_> {
    /// Returns its `repo`.
    pub(super) fn repo(&self) -> Spot {
        (self.listed.at.key("repo"), self.listed.repo)
    }

    /// Returns one of its values, or its `repo` where it has none of that key.
    pub(super) fn spot(&self, key: &'static str, span: Option<Span>) -> Spot {
        span.map_or_else(|| self.repo(), |span| (self.listed.at.key(key), span))
    }
}

/// What was found out about a cousin, to be recorded in the order of the file: answers come in any
/// order, and what they were read from can be forgotten as soon as they are judged.
#[derive(Debug, Default)]
pub(crate) struct Verdict(Vec<(Severity, Code, Spot, Finding)>);

/// A value in `ecosystem.json`: its JSON pointer and its place.
pub(super) type Spot = (Pointer<'static>, Span);

impl Verdict {
    /// Records what was found out about a cousin.
    pub(crate) fn record(self, listed: &Listed, findings: &mut Findings<'_>) {
        for (severity, code, (pointer, span), finding) in self.0 {
            findings.add(severity, code, span, || {
                finding.pointer(pointer).repo(Some(listed.cousin.repo.as_str()))
            });
        }
    }

    /// Adds a finding about the cousin, at its `repo`.
    pub(super) fn find(
        &mut self,
        subject: &Subject<'_>,
        severity: Severity,
        code: Code,
        finding: Finding,
    ) {
        self.find_at(severity, code, subject.repo(), finding);
    }

    /// Adds a finding about a value of the cousin.
    pub(super) fn find_at(&mut self, severity: Severity, code: Code, spot: Spot, finding: Finding) {
        self.0.push((severity, code, spot, finding));
    }
}

/// Returns that there is no token for a cousin.
pub(crate) fn token_missing(subject: &Subject<'_>, error: &AuthError) -> Verdict {
    let spot = subject.spot("token_env", subject.listed.token_env);
    let help = match error {
        AuthError::NoToken => {
            "set ECOSYSTEM_PAT to a token that may write to the cousins".to_owned()
        }
        error => error.help(),
    };
    let mut verdict = Verdict::default();
    let finding = Finding::new(error.to_string(), help);
    verdict.find_at(Severity::Error, Code::TokenMissing, spot, finding);
    verdict
}

/// Returns that GitHub was not asked about a cousin.
pub(crate) fn not_asked(subject: &Subject<'_>, why: &str) -> Verdict {
    let mut verdict = Verdict::default();
    let repo = &subject.listed.cousin.repo;
    let finding = Finding::new(format!("GitHub was not asked about {repo}: {why}"), "run again");
    verdict.find(subject, Severity::Error, Code::Unreachable, finding);
    verdict
}

/// Returns what the facts say against a cousin.
pub(crate) fn judge(subject: &Subject<'_>, speaker: &Speaker, facts: &Facts) -> Verdict {
    let mut verdict = Verdict::default();
    match &facts.repository {
        Seen::Known(repository) => known(subject, speaker, (repository, facts), &mut verdict),
        Seen::Answered(reply) => not_shown(subject, speaker, reply, &mut verdict),
        Seen::Unanswered(unanswered) => silent(subject, unanswered, &mut verdict),
    }
    verdict
}

fn known(
    subject: &Subject<'_>,
    speaker: &Speaker,
    (repository, facts): (&Repository, &Facts),
    verdict: &mut Verdict,
) {
    if !itself(subject, speaker, repository, verdict) {
        return;
    }
    let name = &repository.name;
    if facts.actions_enabled == Some(false) {
        let finding = Finding::new(
            format!("GitHub Actions are turned off in {name}: no workflow will start"),
            format!("turn them on in the repository's settings (Actions, General) of {name}"),
        );
        verdict.find(subject, Severity::Error, Code::ActionsDisabled, finding);
    }
    match &facts.workflows {
        Workflows::NotAsked => {}
        Workflows::Refused(reply) if matches!(reply.status, 401 | 403) => {
            unreadable(subject, speaker, reply, verdict);
        }
        Workflows::Refused(reply) => unclear(subject, &unexpected(reply), verdict),
        Workflows::Unanswered(unanswered) => silent(subject, unanswered, verdict),
        Workflows::Read { files, unread } => {
            let elsewhere = &facts.elsewhere;
            let workflows = listeners::Read { files, unread: *unread, repository, elsewhere };
            listeners::judge(subject, speaker, &workflows, verdict);
        }
    }
    theirs::judge(subject, &facts.theirs, verdict);
    gaps(subject, speaker, (repository, facts), verdict);
}

/// Says what could not be learned.
fn gaps(
    subject: &Subject<'_>,
    speaker: &Speaker,
    (repository, facts): (&Repository, &Facts),
    verdict: &mut Verdict,
) {
    // Where not even the workflows could be read, that has been said.
    let Workflows::Read { .. } = facts.workflows else { return };
    let name = &repository.name;
    let Gaps { unanswered, unknown } = &facts.gaps;
    if !unanswered.is_empty() {
        let finding = Finding::new(
            format!("GitHub did not tell of {name} {}", unanswered.join("; ")),
            "run again later",
        );
        verdict.find(subject, Severity::Error, Code::Unreachable, finding);
    }
    let mut unknown = unknown.clone();
    if access::is_told(speaker) && repository.permissions.is_none() && repository.scopes.is_none() {
        let token = speaker.token();
        unknown.push(format!("whether {token} may send dispatches (GitHub names no permissions)"));
    }
    if !unknown.is_empty() {
        let finding = Finding::new(
            format!("it is not known of {name} {}", unknown.join("; ")),
            "see for yourself, or try one dispatch",
        );
        verdict.find(subject, Severity::Note, Code::NotChecked, finding);
    }
}

/// Judges the repository itself, and returns whether dispatches to it can be of any use.
fn itself(
    subject: &Subject<'_>,
    speaker: &Speaker,
    repository: &Repository,
    verdict: &mut Verdict,
) -> bool {
    let written = &subject.listed.cousin.repo;
    let name = &repository.name;
    if written.key() != name.key() {
        let help = if subject.others.contains(&name.key()) {
            format!("{name} is listed too and would be told twice: make one cousin of the two")
        } else {
            format!(
                "write \"{name}\": GitHub redirects the old name only as long as nobody takes it"
            )
        };
        let finding = Finding::new(format!("{written} is now {name}"), help);
        verdict.find(subject, Severity::Warning, Code::RepoRenamed, finding);
    }
    if repository.archived {
        let finding = Finding::new(
            format!("{name} is archived: GitHub refuses dispatches to it"),
            "take the cousin out, or unarchive the repository",
        );
        verdict.find(subject, Severity::Error, Code::RepoArchived, finding);
    }
    if repository.disabled {
        blocked(subject, "it is marked as disabled", verdict);
    }
    if repository.archived || repository.disabled {
        return false;
    }
    let elsewhere = subject.source.is_none_or(|source| source.key() != name.key());
    if let Some(why) = access::why_not(repository, speaker, elsewhere) {
        let finding = Finding::new(why, access::needed_to_dispatch(speaker));
        verdict.find(subject, Severity::Error, Code::TokenCannotDispatch, finding);
    } else if !access::is_told(speaker) {
        let token = speaker.token();
        let finding = Finding::new(
            format!(
                "whether {token} may send dispatches to {name} is not known: \
                 GitHub does not tell what an App was granted"
            ),
            access::needed_to_dispatch(speaker),
        );
        verdict.find(subject, Severity::Note, Code::TokenCannotDispatch, finding);
    }
    true
}

fn blocked(subject: &Subject<'_>, said: &str, verdict: &mut Verdict) {
    let finding = Finding::new(
        format!("GitHub has disabled {}: {said}", subject.listed.cousin.repo),
        "take the cousin out; the repository's owner can ask GitHub's support why",
    );
    verdict.find(subject, Severity::Error, Code::RepoDisabled, finding);
}

/// Judges an answer that describes no repository.
fn not_shown(subject: &Subject<'_>, speaker: &Speaker, reply: &Reply, verdict: &mut Verdict) {
    let repo = &subject.listed.cousin.repo;
    let said = said(reply);
    match reply.status {
        404 if reply.html => unclear(subject, &unexpected(reply), verdict),
        404 => {
            let finding = Finding::new(
                format!(
                    "there is no repository {repo}, or {} cannot see it (404)",
                    speaker.token()
                ),
                format!(
                    "see whether it is spelled so; if it is private, {}",
                    access::needed_to_read(speaker)
                ),
            );
            verdict.find(subject, Severity::Error, Code::RepoNotFound, finding);
        }
        403 | 451 if said.to_ascii_lowercase().contains("blocked") => {
            blocked(subject, &format!("{} {said}", reply.status), verdict);
        }
        451 => blocked(subject, &format!("451 {said}"), verdict),
        403 => unreadable(subject, speaker, reply, verdict),
        200 => {
            let why = "its answer does not describe a repository; is GITHUB_API_URL right?";
            unclear(subject, why, verdict);
        }
        _ => unclear(subject, &unexpected(reply), verdict),
    }
}

/// Judges an answer that tells nothing.
pub(super) fn unclear(subject: &Subject<'_>, why: &str, verdict: &mut Verdict) {
    let repo = &subject.listed.cousin.repo;
    let finding = Finding::new(
        format!("cannot ask GitHub about {repo}: {why}"),
        "run again later; GITHUB_API_URL must be that of GitHub's REST interface",
    );
    verdict.find(subject, Severity::Error, Code::Unreachable, finding);
}

/// Judges a refusal to show a repository, or its files.
pub(super) fn unreadable(
    subject: &Subject<'_>,
    speaker: &Speaker,
    reply: &Reply,
    verdict: &mut Verdict,
) {
    let repo = &subject.listed.cousin.repo;
    let token = speaker.token();
    let status = reply.status;
    let said = said(reply);
    let help = if reply.sso.is_some() {
        format!(
            "authorize the token for the single sign-on of {} (GitHub: Settings, Developer \
             settings, Configure SSO)",
            repo.as_str().split('/').next().unwrap_or_default()
        )
    } else {
        match &reply.permissions {
            Some(permissions) if speaker.form != TokenForm::Classic => {
                format!("GitHub asks for {permissions}: {}", access::needed_to_read(speaker))
            }
            _ => access::needed_to_read(speaker).to_owned(),
        }
    };
    let finding = Finding::new(
        format!(
            "{token} cannot read {repo} ({status}: {said}), so what listens there is not known"
        ),
        help,
    );
    verdict.find(subject, Severity::Error, Code::TokenCannotRead, finding);
}

/// Judges that no answer came.
pub(super) fn silent(subject: &Subject<'_>, unanswered: &Unanswered, verdict: &mut Verdict) {
    let repo = &subject.listed.cousin.repo;
    let (code, help) = match unanswered {
        Unanswered::TokenRefused(_) => {
            (Code::TokenCannotRead, "replace the token: GitHub refuses it everywhere")
        }
        Unanswered::NoToken(_) => (
            Code::TokenCannotRead,
            "until then nothing can be sent there: mend the App's installation, or give the cousin \
             a token_env",
        ),
        Unanswered::Deferred(..) => {
            (Code::Unreachable, "run again later, or ask about fewer cousins with --only")
        }
        Unanswered::Unreachable(_) | Unanswered::Unknown(_) => {
            (Code::Unreachable, "run it again; --only asks about this cousin alone")
        }
    };
    let finding = Finding::new(format!("cannot ask GitHub about {repo}: {unanswered}"), help);
    verdict.find(subject, Severity::Error, code, finding);
}

#[cfg(test)]
mod tests;
