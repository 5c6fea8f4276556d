//! Facts as GitHub would give them, and what is found: tables, because judging asks nobody.

use pretty_assertions::assert_eq;

use super::*;
use crate::ecosystem;
use crate::github::TokenId;
use crate::onboarding::online::{Elsewhere, Permissions, Theirs, Unread, WorkflowFile};
use crate::onboarding::workflow::Workflow;

const LISTENER: &str = "on: {repository_dispatch: {types: [feature-update]}}\njobs: {}\n";
const SLOPPY: &str = "on: repository_dispatch\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo ${{ github.event.client_payload.updated_feature }}\n";

/// Returns `severity code: message` of what is found in these facts about `acme/web`.
fn found(form: TokenForm, facts: &Facts) -> Vec<String> {
    found_from(None, &Speaker { built_in: false, ..speaker(form) }, facts)
}

/// Returns the same for a run of this repository.
fn found_from(source: Option<&str>, speaker: &Speaker, facts: &Facts) -> Vec<String> {
    let list = br#"[{"repo": "acme/web", "subscriptions": ["docs"]}]"#;
    let document = ecosystem::decode("ecosystem.json", list).unwrap();
    let lines = document.lines();
    let listed = document.cousins(&lines, &mut Findings::new(&lines));
    let source = source.map(|name| RepoName::parse(name).unwrap());
    let others = HashSet::from(["acme/web".to_owned(), "acme/listed".to_owned()]);
    let redacted = |text| text;
    let subject = Subject {
        listed: &listed[0],
        features: &[],
        source: source.as_ref(),
        others: &others,
        redacted: &redacted,
    };
    let Verdict(found) = judge(&subject, speaker, facts);
    let said = |(severity, code, _, finding): &(Severity, Code, Spot, Finding)| {
        let help = finding.help.as_deref().unwrap_or_default();
        format!("{} {code}: {}; {help}", severity.as_str(), finding.message)
    };
    found.iter().map(said).collect()
}

fn speaker(form: TokenForm) -> Speaker {
    Speaker { id: TokenId(0), variable: "ECOSYSTEM_PAT".to_owned(), form, built_in: false }
}

fn repository(name: &str) -> Repository {
    Repository {
        name: RepoName::parse(name).unwrap(),
        default_branch: "main".to_owned(),
        shown_branch: "main".to_owned(),
        private: false,
        archived: false,
        disabled: false,
        permissions: Some(Permissions { push: true, admin: false }),
        scopes: None,
    }
}

fn file(path: &str, workflow: Result<&str, Unread>) -> WorkflowFile {
    let workflow = workflow.map(|text| Workflow::parse(text).unwrap());
    WorkflowFile { path: path.to_owned(), sha: "1".to_owned(), workflow, state: None }
}

/// Returns what is known of a repository with these workflow files.
fn facts(files: Vec<WorkflowFile>) -> Facts {
    Facts {
        workflows: Workflows::Read { files, unread: 0 },
        ..Facts::only(Seen::Known(repository("acme/web")))
    }
}

fn listening() -> Facts {
    facts(vec![file("a.yml", Ok(LISTENER))])
}

fn reply(status: u16) -> Box<Reply> {
    Box::new(Reply { status, message: Some("Not Words".to_owned()), ..Reply::default() })
}

fn deferred() -> Unanswered {
    Unanswered::Deferred("a limit".to_owned(), jiff::Timestamp::UNIX_EPOCH)
}

/// Sees that each row's facts lead to one finding that begins so and says this.
#[track_caller]
fn each_is_found(table: Vec<(Facts, &str, &str)>) {
    for (facts, begins, says) in table {
        let found = found(TokenForm::FineGrained, &facts);
        assert_eq!(found.len(), 1, "{begins}: {found:#?}");
        assert!(found[0].starts_with(begins) && found[0].contains(says), "{found:#?}");
    }
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(TokenForm::FineGrained, &listening()), [""; 0]);
}

#[test]
fn what_was_not_answered_is_an_error_and_what_is_not_told_a_note() {
    let gaps = |unanswered: &[&str], unknown: &[&str]| {
        let owned = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
        Facts {
            gaps: Gaps { unanswered: owned(unanswered), unknown: owned(unknown) },
            ..listening()
        }
    };
    each_is_found(vec![
        (gaps(&["this"], &[]), "error unreachable: ", "did not tell of acme/web this; run again"),
        (gaps(&["this", "that"], &[]), "error unreachable: ", "acme/web this; that; "),
        (gaps(&[], &["this"]), "note not-checked: ", "not known of acme/web this; see for"),
    ]);
}

#[test]
fn permissions_that_github_does_not_name_are_said_to_be_unknown() {
    let with = |permissions, scopes: Option<&str>| {
        let scopes = scopes.map(str::to_owned);
        let repository = Repository { permissions, scopes, ..repository("acme/web") };
        Facts { repository: Seen::Known(repository), ..listening() }
    };
    let found = |facts| found(TokenForm::Unknown, &facts);
    let unknown = found(with(None, None));
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].starts_with("note not-checked: "), "{unknown:?}");
    assert!(unknown[0].contains("whether the token in ECOSYSTEM_PAT may send"), "{unknown:?}");
    assert_eq!(found(with(None, Some("repo"))), [""; 0], "the scopes tell");
    assert_eq!(found(with(repository("acme/web").permissions, None)), [""; 0], "the role tells");
}

#[test]
fn a_new_name_that_is_listed_too_is_told_as_that() {
    let named = |name| Facts { repository: Seen::Known(repository(name)), ..listening() };
    each_is_found(vec![
        (named("acme/new"), "warning repo-renamed: ", "write \"acme/new\""),
        (named("acme/listed"), "warning repo-renamed: ", "make one cousin of the two"),
    ]);
    assert_eq!(found(TokenForm::FineGrained, &named("Acme/Web")), [""; 0], "case is no rename");
}

#[test]
fn an_answer_that_describes_no_repository_is_judged_by_its_status() {
    let answered = |reply| Facts::only(Seen::Answered(reply));
    let html = Box::new(Reply { html: true, ..*reply(404) });
    let blocked = Box::new(Reply { message: Some("Repository Blocked".to_owned()), ..*reply(403) });
    let sso = Box::new(Reply { sso: Some("required".to_owned()), ..*reply(403) });
    let needs = Box::new(Reply { permissions: Some("metadata=read".to_owned()), ..*reply(403) });
    each_is_found(vec![
        (answered(reply(404)), "error repo-not-found: ", "no repository acme/web"),
        (answered(html), "error unreachable: ", "cannot ask GitHub about acme/web"),
        (answered(reply(403)), "error token-cannot-read: ", "403: \"Not Words\""),
        (answered(sso), "error token-cannot-read: ", "the single sign-on of acme "),
        (answered(needs), "error token-cannot-read: ", "GitHub asks for metadata=read"),
        (answered(blocked), "error repo-disabled: ", "403"),
        (answered(reply(451)), "error repo-disabled: ", "451"),
        (answered(reply(200)), "error unreachable: ", "is GITHUB_API_URL right?"),
        (answered(reply(500)), "error unreachable: ", "run again later"),
    ]);
}

#[test]
fn an_answer_that_did_not_come_is_judged_by_why() {
    let silent = |why| Facts::only(Seen::Unanswered(why));
    let refused = || Unanswered::TokenRefused("401".to_owned());
    let unreachable = || Unanswered::Unreachable("no".to_owned());
    let workflows = |workflows| Facts { workflows, ..listening() };
    each_is_found(vec![
        (silent(refused()), "error token-cannot-read: ", "replace the token"),
        (silent(deferred()), "error unreachable: ", "run again later"),
        (silent(unreachable()), "error unreachable: ", "run it again"),
        (workflows(Workflows::Unanswered(deferred())), "error unreachable: ", "a limit"),
        (workflows(Workflows::Refused(reply(403))), "error token-cannot-read: ", "403"),
        (workflows(Workflows::Refused(reply(401))), "error token-cannot-read: ", "401"),
        (workflows(Workflows::Refused(reply(500))), "error unreachable: ", "500"),
    ]);
}

#[test]
fn a_file_that_was_not_read_may_be_the_listener() {
    let unread =
        |why| facts(vec![file("a.yml", Err(why)), file("b.yml", Ok("on: push\njobs: {}"))]);
    each_is_found(vec![
        (unread(Unread::Unanswered(deferred())), "error unreachable: ", "a limit"),
        (unread(Unread::Unclear("odd".to_owned())), "error unreachable: ", "a.yml: odd"),
        (unread(Unread::Refused(reply(403))), "error token-cannot-read: ", "403"),
        (unread(Unread::Broken("odd".to_owned())), "error no-listener: ", "a.yml cannot be read"),
    ]);
    // Beside one that listens it is only worth a note, and none where it was said already.
    let beside = |why, sha: &str| {
        let other = WorkflowFile { sha: sha.to_owned(), ..file("b.yml", Err(why)) };
        facts(vec![file("a.yml", Ok(LISTENER)), other])
    };
    let called = beside(Unread::Unanswered(deferred()), "");
    assert_eq!(found(TokenForm::FineGrained, &called), [""; 0]);
    let broken = beside(Unread::Broken("odd".to_owned()), "1");
    assert_eq!(found(TokenForm::FineGrained, &broken), [""; 0]);
    each_is_found(vec![
        (beside(Unread::Unanswered(deferred()), "1"), "note not-checked: ", "what b.yml of"),
        (beside(Unread::Refused(reply(403)), "1"), "note not-checked: ", "what b.yml of"),
    ]);
}

#[test]
fn a_listener_is_turned_off_when_no_other_is_on() {
    let states = |states: &[Option<&str>]| {
        let listener = |state: &Option<&str>| WorkflowFile {
            state: state.map(str::to_owned),
            ..file("a.yml", Ok(LISTENER))
        };
        facts(states.iter().map(listener).collect())
    };
    for on in [&[None][..], &[Some("active")], &[Some("disabled_manually"), None]] {
        assert_eq!(found(TokenForm::FineGrained, &states(on)), [""; 0], "{on:?}");
    }
    each_is_found(vec![
        (states(&[Some("disabled_manually")]), "error listener-disabled: ", "somebody"),
        (states(&[Some("disabled_fork")]), "error listener-disabled: ", "somebody"),
        (states(&[Some("disabled_inactivity")]), "error listener-disabled: ", "for 60 days"),
    ]);
}

#[test]
fn a_repository_that_takes_nothing_is_told_as_that_and_nothing_else_of_it() {
    let marked = |mark: fn(&mut Repository)| {
        let mut repository = Repository { permissions: None, ..repository("acme/web") };
        mark(&mut repository);
        Facts::only(Seen::Known(repository))
    };
    each_is_found(vec![
        (marked(|it| it.archived = true), "error repo-archived: ", "unarchive"),
        (marked(|it| it.disabled = true), "error repo-disabled: ", "it is marked as disabled"),
    ]);
}

#[test]
fn actions_that_are_turned_off_silence_every_listener() {
    let enabled = |enabled| Facts { actions_enabled: enabled, ..listening() };
    assert_eq!(found(TokenForm::FineGrained, &enabled(Some(true))), [""; 0]);
    each_is_found(vec![(enabled(Some(false)), "error actions-disabled: ", "acme/web")]);
}

#[test]
fn the_places_of_unsafe_scripts_are_counted() {
    let sloppy =
        |count: usize| facts((0..count).map(|at| file(&format!("{at}.yml"), Ok(SLOPPY))).collect());
    each_is_found(vec![
        (sloppy(1), "error unsafe-listener: ", "0.yml:6 of acme/web"),
        (sloppy(2), "error unsafe-listener: ", ", and in one more place"),
        (sloppy(3), "error unsafe-listener: ", ", and in 2 more places"),
    ]);
}

#[test]
fn what_was_not_looked_at_is_said_where_nothing_listens() {
    let unseen = Elsewhere { found: None, unseen: Some("only 1 of 2 was seen".to_owned()) };
    let files = vec![file("a.yml", Ok("on: push\njobs: {}"))];
    let workflows = Workflows::Read { files, unread: 7 };
    let none = Facts { workflows, elsewhere: unseen, ..listening() };
    each_is_found(vec![(
        none,
        "error no-listener: ",
        "has other triggers; 7 more were not read; only 1 of 2 was seen",
    )]);
}

#[test]
fn the_jobs_own_token_reaches_the_runs_own_repository() {
    let built_in = Speaker { built_in: true, ..speaker(TokenForm::App) };
    let own = found_from(Some("Acme/Web"), &built_in, &listening());
    assert!(own[0].starts_with("note token-cannot-dispatch: "), "{own:?}");
    for source in [None, Some("acme/monorepo")] {
        let other = found_from(source, &built_in, &listening());
        assert!(other[0].starts_with("error token-cannot-dispatch: "), "{other:?}");
    }
}

#[test]
fn a_list_of_the_cousins_own_that_cannot_be_read_is_a_warning() {
    let theirs = Theirs::Unreadable("line 1".to_owned());
    let facts = Facts { theirs, ..listening() };
    each_is_found(vec![(facts, "warning not-subscribed-there: ", "cannot be read: line 1")]);
}
