//! Which requests are sent about a cousin, how many at most, and that what they leave open is said.

use ecosystem_dispatcher::embedded_github::{Fault, Limits, Model, Repository, Token};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{LISTENER, WORKFLOW, found, github, judged, listening, validation, web};
use crate::support::github::run_test_with;

const OTHER: &str = "on: push\njobs: {}\n";

/// Returns the path of a workflow file.
fn workflow(name: &str) -> String {
    format!(".github/workflows/{name}.yml")
}

/// Adds workflow files of these names that listen to nothing.
fn others(it: Repository, names: impl IntoIterator<Item = String>) -> Repository {
    names.into_iter().fold(it, |it, name| it.file(&workflow(&name), OTHER))
}

#[test]
fn up_to_150_cousins_of_a_token_are_asked_everything_and_of_more_what_is_not_asked_is_said() {
    // With six requests each, 150 fit into the 900 of a minute: nothing waits for the next one.
    for (count, more_files, each, first) in [
        (150, &[][..], 6, "error actions-disabled /0/repo"),
        (151, &["ci"], 4, "note not-checked "),
    ] {
        let names: Vec<String> = (0..count).map(|n| format!("acme/r{n}")).collect();
        let model = names.iter().fold(Model::new().limits(Limits::none()), |model, name| {
            let more_files = more_files.iter().map(|it| (*it).to_owned());
            model.repository_with(name, |it| others(listening(it), more_files).actions_disabled())
        });
        let admin = Token::classic().scopes(&["repo"]);
        let admin = names.iter().fold(admin, |admin, name| admin.admin_of(name));
        let cousins = names.iter().map(|name| json!({"repo": name, "subscriptions": ["docs"]}));
        let cousins = Value::from_iter(cousins);
        run_test_with(model.token("t-admin", admin), |t| {
            let run = validation(t, &cousins).env("ECOSYSTEM_PAT", "t-admin");
            let done = run.args(["--format", "json"]).run();
            assert_eq!(found(&done)[0], first);
            assert_eq!(done.json()["requests"], count * each);
            assert_eq!(t.reads().len(), count * each);
        });
    }
}

#[test]
fn a_repository_that_takes_no_dispatch_is_asked_about_once() {
    for describe in [Repository::archived, Repository::disabled] {
        run_test_with(github(|it| describe(listening(it))), |t| {
            validation(t, &web()).run().expect_code(1);
            assert_eq!(t.reads(), ["/repos/acme/web"]);
        });
    }
}

#[test]
fn workflows_that_were_not_read_beside_the_listener_are_counted() {
    let likely = (1..5).map(|n| format!("sync-{n}"));
    let (found, said) = judged(|it| others(listening(it), likely.chain(["zzz".to_owned()])));
    assert_eq!(found, ["note not-checked /0/repo"]);
    assert!(said.contains("what 1 more of its workflows do (they were not read)"), "{said}");
}

#[test]
fn of_very_many_workflows_thirty_are_read() {
    let many = (0..40).map(|n| format!("sync-{n:02}"));
    run_test_with(github(|it| others(it, many)), |t| {
        let done = validation(t, &web()).run().expect_code(1);
        assert!(done.stdout.contains("; 10 more were not read"), "{}", done.stdout);
        let read =
            t.reads().iter().filter(|it| it.contains("/contents/.github/workflows/")).count();
        assert_eq!(read, 30);
    });
}

#[test]
fn a_workflow_is_likely_when_its_name_has_the_event_type() {
    let cousins = json!([
        {"repo": "acme/web", "subscriptions": ["docs"], "event_type": "docs-news"},
    ]);
    let docs = LISTENER.replace("feature-update", "docs-news");
    let model = github(|it| {
        let it = it.file(&workflow("aaa"), docs.as_str()).file(&workflow("on-docs-news"), OTHER);
        others(it, (0..5).map(|n| format!("x{n}")))
    });
    run_test_with(model, |t| {
        let done = validation(t, &cousins).args(["--format", "json"]).run().expect_code(0);
        assert!(done.stdout.contains("what 5 more of its workflows do"), "{}", done.stdout);
        let named = t.reads().iter().filter(|it| it.ends_with("on-docs-news.yml")).count();
        assert_eq!(named, 1);
    });
}

#[test]
fn a_listener_that_github_lists_behind_its_first_hundred_may_be_turned_off() {
    let (found, said) = judged(|it| {
        let it = others(it, (0..100).map(|n| format!("a{n:02}")));
        it.file(&workflow("sync"), LISTENER).workflow_state(&workflow("sync"), "disabled_manually")
    });
    assert_eq!(found, ["note not-checked /0/repo"]);
    assert!(said.contains("it is not among the first 100 that GitHub lists"), "{said}");
}

#[test]
fn a_file_that_is_on_many_branches_is_read_once() {
    let model = github(|it| {
        let branches = ["dev", "next", "old"];
        branches
            .into_iter()
            .fold(it.file(WORKFLOW, OTHER), |it, name| it.file_on(name, WORKFLOW, OTHER))
    });
    run_test_with(model, |t| {
        validation(t, &web()).run().expect_code(1);
        let read = t.reads().iter().filter(|it| it.contains("follow.yml")).count();
        assert_eq!(read, 1);
    });
}

#[test]
fn what_a_listener_calls_and_cannot_be_read_is_said_once() {
    let caller = "on: repository_dispatch\njobs:\n  a:\n    uses: ./.github/workflows/gone.yml\n";
    let (found, said) = judged(|it| it.file(WORKFLOW, caller));
    assert_eq!(found, ["note not-checked /0/repo"]);
    assert!(
        said.contains("gone.yml does, which a listener calls (there is no such file)"),
        "{said}"
    );
}

#[test]
fn a_limit_that_is_not_waited_for_leaves_open_what_was_still_to_be_asked() {
    // The requests go one by one: the repository, its workflow files, its list, the workflow, and
    // what is turned off.
    for (nth, says) in [
        (4, "cannot ask GitHub about acme/web: "),
        (5, "did not tell of acme/web whether the workflow that listens is turned on"),
    ] {
        run_test_with(github(listening), |t| {
            t.with(|model| model.fault_nth(nth, Fault::limited(60)));
            let run = validation(t, &web()).args(["--max-wait", "0", "--concurrency", "1"]);
            let done = run.args(["--format", "json"]).run().expect_code(1);
            assert_eq!(found(&done), ["error unreachable /0/repo"]);
            assert!(done.stdout.contains(says), "{nth}: {}", done.stdout);
            assert_eq!(t.reads().len(), nth);
        });
    }
}
