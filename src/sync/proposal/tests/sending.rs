//! What is sent about a pull request, against a repository in memory.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::*;
use crate::sync::scripted::{Fault, TOKEN, World, pull};

const BRANCH: &str = "update-from-upstream-features-webpush-flask";

impl World {
    fn proposals(
        &self,
    ) -> Proposals<'_, crate::sync::scripted::Scripted, crate::delivery::VirtualClock> {
        Proposals { requests: &self.requests, repo: &self.repo, token: TOKEN }
    }

    async fn look(&self) -> Standing {
        self.proposals().look(BRANCH, "main").await.unwrap()
    }

    async fn open(&self, draft: bool) -> Result<Opened, ProposalError> {
        self.proposals().open(BRANCH, "main", &Parts::new().proposal(), draft, None).await
    }

    /// Returns the state of each pull request: `#1 open draft`.
    fn shown(&self) -> Vec<String> {
        let shown = |it: &Value| {
            let draft = if it["draft"] == true { " draft" } else { "" };
            format!("#{} {}{draft}", it["number"], it["state"].as_str().unwrap())
        };
        self.model().pulls.iter().map(shown).collect()
    }

    fn comments(&self) -> usize {
        self.model().comments.values().map(Vec::len).sum()
    }
}

fn ours() -> String {
    Parts::new().with(|it| it.body())
}

/// A pull request with these fields changed.
fn changed(number: u64, fields: Value) -> Value {
    let mut pull = pull(number, BRANCH, &ours());
    pull.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    pull
}

#[tokio::test]
async fn only_pull_requests_of_the_repositorys_own_branch_stand() {
    let closed = json!({ "state": "closed" });
    let merged = json!({ "state": "closed", "merged_at": "2026-01-01T00:00:00Z" });
    let by_us = json!({ "state": "closed", "body": Marker::closing(&ours()).unwrap() });
    let fork = |state: &str| json!({ "state": state, "head": { "ref": BRANCH, "label": format!("acme:{BRANCH}"), "repo": { "id": 8 } } });
    let gone =
        json!({ "head": { "ref": BRANCH, "label": format!("acme:{BRANCH}"), "repo": null } });
    let another =
        json!({ "head": { "ref": "x", "label": format!("acme:{BRANCH}"), "repo": { "id": 7 } } });
    for (name, pulls, open, declined) in [
        ("nothing", vec![], None, None),
        ("an open one", vec![changed(1, json!({}))], Some(1), None),
        ("a fork's", vec![changed(1, fork("open")), changed(2, fork("closed"))], None, None),
        ("a gone fork's", vec![changed(1, gone)], None, None),
        ("another branch", vec![changed(1, another)], None, None),
        ("one that a person has closed", vec![changed(1, closed.clone())], None, Some(1)),
        (
            "behind a fork's",
            vec![changed(1, closed.clone()), changed(2, fork("closed"))],
            None,
            Some(1),
        ),
        ("a merged one", vec![changed(1, merged.clone())], None, None),
        ("merged since", vec![changed(1, closed.clone()), changed(2, merged)], None, None),
        ("closed by us since", vec![changed(1, closed.clone()), changed(2, by_us)], None, None),
        ("closed and open", vec![changed(1, closed), changed(2, json!({}))], Some(2), None),
    ] {
        let world = World::new();
        world.model().pulls = pulls;
        let standing = world.look().await;
        let number = |pull: &Option<Pull>| pull.as_ref().map(|it| it.number);
        assert_eq!((number(&standing.open), number(&standing.closed)), (open, declined), "{name}");
    }
}

#[tokio::test]
async fn an_own_one_behind_pages_of_forks_is_found() {
    let world = World::new();
    let fork = json!({ "head": { "ref": BRANCH, "label": format!("acme:{BRANCH}"), "repo": { "id": 8 } } });
    let mut pulls = vec![changed(1, json!({}))];
    pulls.extend((2..70).map(|number| changed(number, fork.clone())));
    world.model().pulls = pulls;
    assert_eq!(world.look().await.open.unwrap().number, 1);
    assert_eq!(world.asked(), ["GET pulls"; 3]);
}

#[tokio::test]
async fn there_is_one_pull_request_whoever_else_opens_one_and_whatever_is_heard() {
    let other = |model: &mut crate::sync::scripted::Model| {
        let body = ours().replace(TREE, SHA);
        model.pulls.push(pull(1, BRANCH, &body));
    };
    let mut table = String::new();
    for (name, fault, meanwhile) in [
        ("as it should be", None, None),
        ("another run was faster", None, Some(other as fn(&mut _))),
        ("done, not heard", Some(Fault::After(502)), None),
        ("not done, not heard", Some(Fault::Before(502, "Bad Gateway")), None),
        ("not heard, and another", Some(Fault::Before(502, "Bad Gateway")), Some(other)),
        ("refused", Some(Fault::Before(422, "Validation Failed: base invalid")), None),
    ] {
        let world = World::new();
        world.model().faults.extend(fault.map(|it| ("POST pulls", it)));
        world.model().meanwhile = meanwhile.map(|act| ("POST pulls", act));
        let opened = world.open(false).await;
        let opened = opened.map(|it| (it.number, it.is_new)).map_err(|error| error.to_string());
        table += &format!("{name}: {opened:?}, {:?}, {:?}\n", world.shown(), world.asked());
        if opened.is_ok() {
            assert_eq!(world.model().pulls[0]["body"].as_str().unwrap(), ours(), "{name}");
        }
    }
    insta::assert_snapshot!(table, @r##"
    as it should be: Ok((1, true)), ["#1 open"], ["POST pulls"]
    another run was faster: Ok((1, false)), ["#1 open"], ["POST pulls", "GET pulls", "PATCH pulls/1"]
    done, not heard: Ok((1, false)), ["#1 open"], ["POST pulls", "GET pulls"]
    not done, not heard: Ok((1, true)), ["#1 open"], ["POST pulls", "GET pulls", "POST pulls"]
    not heard, and another: Ok((1, false)), ["#1 open"], ["POST pulls", "GET pulls", "PATCH pulls/1"]
    refused: Err("GitHub does not let us open a pull request in acme/web (422: \"Validation Failed: base invalid\")"), [], ["POST pulls"]
    "##);
}

#[tokio::test]
async fn an_update_sends_what_differs_and_keeps_what_people_wrote() {
    let title = Parts::new().with(|it| it.title());
    let old = ours().replace(TREE, SHA);
    for (name, before, fields, after) in [
        ("the same", ours(), json!({ "title": title }), None),
        ("GitHub's line ends", ours().replace('\n', "\r\n"), json!({ "title": title }), None),
        ("old", old.clone(), json!({}), Some((title.as_str(), ours()))),
        (
            "a note below",
            format!("{old}\nmine\n"),
            json!({}),
            Some((&title, format!("{}\nmine\n", ours()))),
        ),
        (
            "a person's",
            "mine".to_owned(),
            json!({ "title": "Mine" }),
            Some(("Mine", format!("{}\nmine\n", ours()))),
        ),
        ("another title", ours(), json!({ "title": "Mine" }), Some((&title, ours()))),
    ] {
        let world = World::new();
        world.model().pulls = vec![pull(1, BRANCH, &before)];
        world.model().pulls[0].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let open = world.look().await.open.unwrap();
        world.asked();
        let changed = world.proposals().update(&open, &Parts::new().proposal()).await.unwrap();
        let asked = world.asked();
        assert_eq!(asked, if changed { vec!["PATCH pulls/1"] } else { vec![] }, "{name}");
        let now = world.model().pulls[0].clone();
        assert_eq!(
            changed.then(|| (
                now["title"].as_str().unwrap(),
                now["body"].as_str().unwrap().to_owned()
            )),
            after,
            "{name}"
        );
        // And once more changes nothing, but for the title of what was adopted: it is ours now.
        let open = world.look().await.open.unwrap();
        let again = world.proposals().update(&open, &Parts::new().proposal()).await.unwrap();
        assert_eq!(again, name == "a person's", "{name}");
    }
}

#[tokio::test]
async fn a_long_note_of_a_person_stays_whole_and_the_text_is_one_that_github_takes() {
    for (length, is_rolled) in [(10_000, true), (50_000, true), (56_000, true), (60_000, false)] {
        let world = World::new();
        let note = "n".repeat(length);
        let old = Parts::new().with(|it| body::body(it, 0)).replace(TREE, SHA);
        world.model().pulls = vec![pull(1, BRANCH, &format!("{old}\n{note}\n"))];
        let open = world.look().await.open.unwrap();
        let parts = hostile(b"some path", 10_000);
        world.proposals().update(&open, &parts.proposal()).await.unwrap();
        let body = world.model().pulls[0]["body"].as_str().unwrap().to_owned();
        assert!(body.ends_with(&format!("{END}\n\n{note}\n")), "{length}");
        assert_eq!(body.contains(TREE), is_rolled, "{length}");
    }
}

#[tokio::test]
async fn what_a_sync_closes_is_told_why_and_is_no_persons_decision() {
    let world = World::new();
    let opened = world.open(false).await.unwrap();
    assert!(opened.is_new && opened.number == 1 && opened.url.ends_with("/pull/1"));
    let open = world.look().await.open.unwrap();
    world.model().faults.push(("PATCH pulls/1", Fault::Before(403, "Resource not accessible")));
    assert!(world.proposals().close(&open, "Nothing is left of it.").await.is_err());
    world.proposals().close(&open, "Nothing is left of it.").await.unwrap();
    assert_eq!((world.shown(), world.comments()), (vec!["#1 closed".to_owned()], 1));
    assert_eq!(world.look().await, Standing::default());
    // What is closed by a person is.
    world.open(false).await.unwrap();
    world.model().pulls[1]["state"] = json!("closed");
    let standing = world.look().await;
    let wanted = Wanted { tree: TREE, conflicts: true, differs: true };
    assert_eq!(decide(&standing, &wanted), Action::Snoozed(2));
}

#[tokio::test]
async fn a_draft_takes_the_place_of_what_is_none() {
    let world = World::new();
    world.open(false).await.unwrap();
    world.model().pulls[0]["body"] = json!(format!("{}mine\n", ours()));
    let open = world.look().await.open.unwrap();
    let parts = Parts::new();
    let replace = || async {
        world.proposals().close(&open, "There are conflicts now.").await?;
        world.proposals().open(BRANCH, "main", &parts.proposal(), true, Some(&open)).await
    };
    world.model().faults.push((
        "POST pulls",
        Fault::Before(422, "Draft pull requests are not supported in this repository."),
    ));
    let error = replace().await.unwrap_err();
    assert!(matches!(error, ProposalError::NoDrafts(_)) && error.opened_nothing(), "{error}");
    assert_eq!(world.shown(), ["#1 closed"]);
    world.proposals().reopen(&open, false).await.unwrap();
    assert_eq!(world.shown(), ["#1 open"]);
    assert_eq!(world.look().await.open.unwrap().marker, open.marker, "as it was");
    let draft = replace().await.unwrap();
    assert_eq!((draft.number, draft.draft, draft.is_new), (2, true, true));
    assert_eq!(world.shown(), ["#1 closed", "#2 open draft"]);
    let body = world.model().pulls[1]["body"].clone();
    assert_eq!(body.as_str().unwrap(), format!("{}\nmine\n", ours()), "what people wrote stays");
    assert_eq!(world.comments(), 1);
}

#[tokio::test]
async fn nothing_is_said_twice() {
    let world = World::new();
    let say = |text: &'static str| {
        let world = &world;
        async move { world.proposals().comment(1, text).await }
    };
    assert_eq!(say("a").await, Ok(true));
    assert_eq!(say("a").await, Ok(false));
    assert_eq!(say("b").await, Ok(true));
    assert_eq!(say("a").await, Ok(true), "it is not the last any more");
    // What a stranger repeats of us is not ours.
    let stranger =
        json!({ "body": "<!-- ecosystem-sync: comment -->\nc\n", "author_association": "NONE" });
    world.model().comments.get_mut(&1).unwrap().push(stranger);
    assert_eq!(say("c").await, Ok(true));
    let at = "POST issues/1/comments";
    world.model().faults.push((at, Fault::After(502)));
    assert_eq!(say("d").await, Ok(true));
    world.model().faults.push((at, Fault::Before(502, "x")));
    assert_eq!(say("e").await, Ok(true));
    assert_eq!(world.comments(), 7);
    world.model().faults.extend([0, 1].map(|_| (at, Fault::Before(502, "x"))));
    assert!(matches!(say("f").await, Err(ProposalError::Unanswered(_))));
    world.model().faults.push((at, Fault::Before(403, "x")));
    assert!(matches!(say("f").await, Err(ProposalError::Forbidden { .. })));
    // Beyond a page the last one counts too.
    for number in 0..40 {
        let text: &'static str = Box::leak(format!("{number}").into_boxed_str());
        assert_eq!(say(text).await, Ok(true));
    }
    assert_eq!(say("39").await, Ok(false));
}

#[tokio::test]
async fn labels_are_made_and_set_where_they_are_missing_and_else_a_warning() {
    let world = World::new();
    world.open(false).await.unwrap();
    world.model().labels.push("automated".to_owned());
    world.asked();
    assert_eq!(world.proposals().label(1, &[], &LABELS).await, None);
    assert_eq!(world.asked(), ["POST labels", "POST labels", "POST issues/1/labels"]);
    assert_eq!(world.model().labels, LABELS);
    let open = world.look().await.open.unwrap();
    assert_eq!(open.labels, LABELS);
    world.asked();
    assert_eq!(world.proposals().label(1, &open.labels, &LABELS).await, None);
    assert_eq!(world.asked(), [""; 0]);
    let at = "POST issues/1/labels";
    world.model().faults.push((at, Fault::Before(403, "Resource not accessible by integration")));
    let warning = world.proposals().label(1, &[], &LABELS).await.unwrap();
    insta::assert_snapshot!(warning, @r#"the labels automated, upstream-sync could not be set on #1 in acme/web: 403: "Resource not accessible by integration"; the token in PAT needs the permission "Issues: read and write" there (`issues: write` in a workflow)"#);
}

#[tokio::test]
async fn a_refusal_says_what_it_is_and_what_to_do() {
    let mut texts = String::new();
    for (status, message) in [
        (403, "GitHub Actions is not permitted to create or approve pull requests."),
        (403, "Resource not accessible by integration"),
        (404, "Not Found"),
        (422, "Draft pull requests are not supported in this repository."),
        (422, "Validation Failed: No commits between main and x"),
        (422, "Validation Failed: head invalid"),
        (401, "Bad credentials"),
        (503, "Down"),
    ] {
        let world = World::new();
        world.model().faults.extend([0, 1].map(|_| ("POST pulls", Fault::Before(status, message))));
        let error = world.open(true).await.unwrap_err();
        texts += &format!("{error}\n  help: {}\n", error.help().unwrap_or("-"));
        assert_eq!(world.shown(), [""; 0]);
    }
    // GitHub says that there is one, and lists none: the owner has another name now.
    let world = World::new();
    let label = json!({ "ref": BRANCH, "label": format!("new:{BRANCH}"), "repo": { "id": 7 } });
    world.model().pulls = vec![changed(1, json!({ "head": label }))];
    let error = world.open(false).await.unwrap_err();
    texts += &format!("{error}\n  help: {}\n", error.help().unwrap_or("-"));
    insta::assert_snapshot!(texts, @r#"
    workflows of acme/web are not permitted to create pull requests
      help: turn on "Allow GitHub Actions to create and approve pull requests" under Settings → Actions → General (an organization may have turned it off for all), or give the workflow a token of its own
    the token in PAT may not open a pull request in acme/web ("Resource not accessible by integration")
      help: give the workflow's job `permissions: pull-requests: write` (and `issues: write` for labels), or the token "Pull requests: read and write" there (the scope repo of a classic token)
    cannot open a pull request in acme/web: not found, or the token in PAT cannot see it
      help: check the repository's name, and that the token may read pull requests there
    acme/web has no draft pull requests, and conflicts are proposed in nothing else
      help: run with --conflict fail and bring the update in by hand, or make the repository public or its plan one with draft pull requests
    there is nothing on the branch that the base of the pull request in acme/web has not
      help: look at whether the branch was pushed, and run again
    GitHub does not let us open a pull request in acme/web (422: "Validation Failed: head invalid")
      help: -
    the token in PAT was refused (401: "Bad credentials"); it is wrong, expired or revoked: replace it
      help: -
    the server failed (503: "Down")
      help: -
    GitHub says that acme/web has a pull request for the branch already, and lists none
      help: look at whether the repository or its owner was renamed, and write the new name
    "#);
}
