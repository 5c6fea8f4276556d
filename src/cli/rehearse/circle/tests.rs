//! The judgement of a cousin's repository: that it is right, and that it can be wrong.

use super::*;
use crate::cli::When;
use crate::environment::Environment;

/// The process's own, as far as git needs it.
fn environment() -> Environment {
    Environment::of_process().only(&["PATH", "HOME", "TMPDIR"])
}

fn output() -> Output {
    Output::new(&environment(), When::Never, true, false)
}

fn event(repository: &str, feature: &str, commit: &str) -> Event {
    Event {
        at: Timestamp::UNIX_EPOCH,
        repository: repository.to_owned(),
        sent_to: repository.to_owned(),
        event_type: "feature-update".to_owned(),
        client_payload: serde_json::json!({
            "updated_feature": feature,
            "commit_sha": commit,
            "dispatch_id": "0123456789abcdef0123456789abcdef",
            "source_repository": "acme/monorepo",
        }),
        body_length: 0,
        request: 1,
    }
}

/// Lets one cousin of the sample take one event in, does something to what came of it, and returns
/// the judgement.
fn judged(
    repository: &str,
    feature: &str,
    tamper: impl FnOnce(&Bare, &mut Runs<'_>),
) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let rehearsal = Rehearsal::push(None, dir.path(), &environment()).unwrap();
    let monorepo = rehearsal.stage.monorepo().unwrap();
    let event = event(repository, feature, rehearsal.author.after.as_str());
    let mut cast = cast::cast(&[event], &rehearsal.source, true);
    let member = rehearsal.member(cast.cousins.remove(0), &monorepo).unwrap();
    let members = [member];
    let model = rehearsal.model(&members, &monorepo);
    let mut all = on_github(model, &OnceLock::new(), |github| {
        Ok(rehearsal.all_runs(&members, github, &OnceLock::new(), &output()))
    })
    .unwrap();
    let mut runs = all.remove(0).unwrap().unwrap();
    let bare = Bare::open(&members[0].dir).unwrap();
    tamper(&bare, &mut runs);
    let its = verdict::Its { member: &members[0], bare: &bare, runs: &runs };
    verdict::Judge { rehearsal: &rehearsal, monorepo: &monorepo, its }.all().unwrap()
}

fn head(runs: &Runs<'_>) -> String {
    runs.first.pulls[0].proposed.head_sha.clone()
}

/// Puts another commit in place of the pull request's, with a file of other content.
fn replace(bare: &Bare, runs: &mut Runs<'_>, path: &str, content: &[u8]) {
    let commit = bare.amended(&head(runs), path.as_bytes(), content).unwrap();
    for state in [&mut runs.first, &mut runs.second] {
        state.pulls[0].proposed.head_sha = commit.to_string();
        let branch = state.pulls[0].proposed.head.clone();
        state.branches.insert(branch, commit);
    }
    let row = &mut runs.taken[0].report.features[0];
    row.made = crate::names::CommitSha::parse(&commit.to_string()).ok();
}

#[test]
fn what_each_way_of_the_sample_leads_to_is_right() {
    for (repository, feature) in [
        ("acme/docs-site", "docs"),
        ("acme/flask-push-demo", "features/webpush/flask"),
        ("acme/flask-starter", "features/webpush/flask"),
        ("acme/push-service", "features/webpush/flask"),
        ("acme/new-name", "features/pwa/vanilla"),
        ("acme/any-other", "features/pwa/vanilla"),
    ] {
        assert_eq!(judged(repository, feature, |_, _| ()), [""; 0], "{repository}");
    }
}

#[test]
fn each_thing_that_is_not_as_it_should_be_is_told() {
    type Tamper = fn(&Bare, &mut Runs<'_>);
    let docs = ("acme/docs-site", "docs");
    let edited = ("acme/flask-push-demo", "features/webpush/flask");
    let draft = ("acme/flask-starter", "features/webpush/flask");
    let cases: [((&str, &str), Tamper, &str); 10] = [
        (docs, |bare, runs| replace(bare, runs, "handbook/push.md", b"x"), "not what is upstream"),
        (docs, |bare, runs| replace(bare, runs, "handbook/more.md", b"x"), "not what is upstream"),
        (docs, |bare, runs| replace(bare, runs, "own.md", b"x"), "it changes own.md, too"),
        (docs, |bare, runs| replace(bare, runs, lock::FILE_NAME, b"{}"), "does not say that it"),
        (edited, |bare, runs| replace(bare, runs, "src/push/app.py", b"x"), "edit is not in it"),
        (draft, |bare, runs| replace(bare, runs, "starter/app.py", b"x"), "edit is not in it"),
        (draft, |_, runs| runs.first.pulls[0].proposed.draft = false, "is a draft without"),
        (docs, |_, runs| drop(runs.second.pulls.pop()), "second run of an event changed something"),
        (docs, |_, runs| drop(runs.first.pulls.pop()), "its pull request is not there"),
        (
            docs,
            |_, runs| {
                let (main, other) = (BRANCH.to_owned(), runs.first.branches.values().next_back());
                let other = *other.unwrap();
                runs.first.branches.insert(main, other);
            },
            "its main was moved",
        ),
    ];
    for ((repository, feature), tamper, wanted) in cases {
        let wrong = judged(repository, feature, tamper);
        assert!(wrong.iter().any(|it| it.contains(wanted)), "{wanted}: {wrong:?}");
    }
}

#[test]
fn a_sync_that_came_to_nothing_is_wrong_and_says_why() {
    let wrong = judged("acme/docs-site", "docs", |_, runs| {
        let row = &mut runs.taken[0].report.features[0];
        row.outcome = "failed";
        row.error = Some("no \u{1b}reason".to_owned());
    });
    let said = "acme/docs-site docs: failed, not proposed (no \\u{1b}reason)";
    assert!(wrong.iter().any(|it| it == said), "{wrong:?}");
}
