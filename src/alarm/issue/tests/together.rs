//! Two runs at the same moment, and answers that never came.

use pretty_assertions::assert_eq;

use super::*;

/// What another run leaves when `acme/b` fails.
fn of_another_run() -> Draft {
    let failed = Heard::Failed(Failure::new("x", None));
    let results = Results {
        cousins: vec![(RepoName::parse("acme/b").unwrap(), failed)],
        ..Results::default()
    };
    let (_, state) = judge(&State::default(), &results, Timestamp::UNIX_EPOCH, None);
    let source = RepoName::parse(MONO).unwrap();
    let body = words::body(&Subject { source: &source, run_url: None }, &state);
    Draft::by(Author::app("github-actions"), words::TITLE, &body).label(LABEL)
}

/// Lets another run write its issue just before the n-th request.
fn another_run_before(world: &World, number: usize) {
    world.github.with(|model| {
        model.before_request(number, |model| {
            model.open_issue(MONO, of_another_run());
        });
    });
}

#[tokio::test]
async fn of_two_issues_of_the_same_moment_the_older_stays_and_is_told_of_both() {
    let mut world = World::start().await;
    // Between our look, which takes two requests, and our POST.
    another_run_before(&world, 3);
    let sounded = world.run(&["a", "b"]).await;
    assert_eq!(sounded.warnings, [""; 0]);
    assert_eq!(world.shown(), ["#1 open -: 1 comments", "#2 closed not_planned: 0 comments"]);
    let issues = world.issues();
    assert!(issues[0].body.as_deref().unwrap().contains("| `acme/a` |"));
    let duplicate = "Duplicate of #1, which another run opened at the same moment.\n";
    assert_eq!(issues[1].body.as_deref().unwrap(), duplicate);
    assert!(issues[1].labels.is_empty());
    assert!(matches!(sounded.change, Change::Changed { .. }), "it had begun already: {sounded:?}");
    // The duplicate is never taken for the alarm again.
    world.run(&[]).await;
    world.run(&["a"]).await;
    assert_eq!(world.shown()[0], "#1 open reopened: 3 comments");
    world.github.stop().await;
}

#[tokio::test]
async fn an_issue_that_another_run_writes_after_ours_is_that_runs_to_close() {
    let mut world = World::start().await;
    another_run_before(&world, 4);
    let sounded = world.run(&["a"]).await;
    assert!(matches!(sounded.change, Change::Began(_)));
    assert_eq!(world.shown(), ["#1 open -: 0 comments", "#2 open -: 0 comments"]);
    // Should it have died before that, the next run does.
    world.run(&["a"]).await;
    assert_eq!(world.shown(), ["#1 open -: 0 comments", "#2 closed not_planned: 0 comments"]);
    world.github.stop().await;
}

#[tokio::test]
async fn an_issue_whose_answer_never_came_is_looked_for_and_not_written_twice() {
    for fault in [
        Fault::status(502).delivered(),
        Fault::reset().delivered(),
        Fault::silence().delivered(),
        Fault::truncated(201).delivered(),
        Fault::status(201).text("application/json", "{}").delivered(),
    ] {
        let mut world = World::start().await;
        world.github.with(|model| model.fault_nth(3, fault));
        let sounded = world.run(&["a"]).await;
        assert_eq!(sounded.warnings, [""; 0]);
        assert!(matches!(sounded.change, Change::Began(_)), "it is ours: {sounded:?}");
        assert_eq!(world.shown(), ["#1 open -: 0 comments"]);
        world.github.stop().await;
    }
}

#[tokio::test]
async fn an_issue_that_was_not_written_is_tried_once_more() {
    let mut world = World::start().await;
    world.github.with(|model| model.fault_nth(3, Fault::status(502)));
    assert_eq!(world.run(&["a"]).await.warnings, [""; 0]);
    assert_eq!(world.shown(), ["#1 open -: 0 comments"]);
    world.github.stop().await;

    let mut world = World::start().await;
    world.github.with(|model| {
        for number in [3, 6] {
            model.fault_nth(number, Fault::reset());
        }
    });
    let sounded = world.run(&["a"]).await;
    let unknown = "whether it was opened is not known: the connection was lost";
    assert!(sounded.warnings[0].contains(unknown), "{sounded:?}");
    assert_eq!(world.issues(), []);
    world.github.stop().await;
}

#[tokio::test]
async fn a_comment_whose_answer_never_came_is_not_repeated() {
    let mut world = World::start().await;
    world.run(&["a"]).await;
    let next = world.count();
    // The look, the PATCH, the comment.
    world.github.with(|model| model.fault_nth(next + 3, Fault::status(502).delivered()));
    let sounded = world.run(&["a", "b"]).await;
    assert_eq!(sounded.warnings.len(), 1, "{sounded:?}");
    assert_eq!(world.comments(1).len(), 1);
    world.run(&["a", "b"]).await;
    assert_eq!(world.comments(1).len(), 1);
    world.github.stop().await;
}

#[tokio::test]
async fn a_change_whose_answer_never_came_is_sent_again() {
    let mut world = World::start().await;
    world.run(&["a"]).await;
    let next = world.count();
    world.github.with(|model| model.fault_nth(next + 2, Fault::status(502)));
    assert_eq!(world.run(&[]).await.warnings, [""; 0]);
    assert_eq!(world.shown(), ["#1 closed completed: 1 comments"]);
    world.github.stop().await;
}
