//! Which issue is the alarm's, whoever wrote what.

use pretty_assertions::assert_eq;

use super::*;

fn marked(author: Author) -> Draft {
    Draft::by(author, "mine", &format!("{}\n", memory::MARKER))
}

fn stranger() -> Author {
    Author::person("mallory", "NONE")
}

#[tokio::test]
async fn a_strangers_issue_with_our_marker_neither_steers_nor_silences_the_alarm() {
    let mut world = World::start().await;
    // It claims to remember that `a` fails already.
    let failed = Heard::Failed(Failure::new("x", None));
    let claimed = Results {
        cousins: vec![(RepoName::parse("acme/a").unwrap(), failed)],
        ..Results::default()
    };
    let (_, state) = judge(&State::default(), &claimed, Timestamp::UNIX_EPOCH, None);
    let text = format!("{}\n{}\n", memory::MARKER, memory::written(&state));
    world.github.with(|model| {
        for association in ["NONE", "CONTRIBUTOR", "FIRST_TIMER", "MANNEQUIN"] {
            model.open_issue(MONO, Draft::by(Author::person("mallory", association), "x", &text));
        }
        let owner = Author::person("maintainer", "OWNER");
        model.open_issue(MONO, marked(Author::app("ours")).pull_request());
        model.open_issue(MONO, marked(owner).label(LABEL).pull_request());
    });
    assert!(matches!(world.run(&["a"]).await.change, Change::Began(_)));
    assert_eq!(world.issues()[6].labels, [LABEL]);
    world.run(&[]).await;
    let issues = world.issues();
    assert!(issues[..6].iter().all(|it| it.open && it.comments.is_empty()), "{issues:?}");
    assert!(!issues[6].open);
    world.github.stop().await;
}

#[tokio::test]
async fn an_issue_that_lost_its_label_is_found_by_its_marker_on_the_newest_pages() {
    for (others, found) in [(0, true), (99, true), (250, true), (300, false)] {
        let mut world = World::start().await;
        world.run(&["a"]).await;
        world.github.with(|model| {
            model.change_issue(MONO, 1, |it| it.labels.clear());
            for _ in 0..others {
                model.open_issue(MONO, marked(stranger()));
            }
        });
        let sounded = world.run(&["a"]).await;
        assert_eq!(sounded.change == Change::Still, found, "{others}");
        assert_eq!(world.issues().len() == others + 1, found, "{others}");
        world.github.stop().await;
    }
}

#[tokio::test]
async fn an_issue_of_the_house_without_the_label_is_the_alarms() {
    for author in [
        Author::person("o", "OWNER"),
        Author::person("m", "MEMBER"),
        Author::person("c", "COLLABORATOR"),
        Author::app("ours"),
    ] {
        let mut world = World::start().await;
        world.github.with(|model| model.open_issue(MONO, marked(author.clone())));
        world.run(&["a"]).await;
        assert_eq!(world.issues().len(), 1, "{author:?}");
        world.github.stop().await;
    }
}

#[tokio::test]
async fn a_token_that_may_not_label_is_warned_of() {
    let mut world = World::with(model(Token::classic().scopes(&["public_repo"]))).await;
    let sounded = world.run(&["a"]).await;
    assert_eq!(sounded.warnings.len(), 1, "{sounded:?}");
    assert!(sounded.warnings[0].starts_with("the alarm issue #1 in acme/mono has no label"));
    world.github.stop().await;
}

#[tokio::test]
async fn what_a_bot_repeats_of_a_stranger_is_not_the_alarms() {
    let mut world = World::start().await;
    let repeated = format!("mallory says:\n{}\n", memory::MARKER);
    let draft = Draft::by(Author::app("bridge"), "x", &repeated);
    world.github.with(|model| model.open_issue(MONO, draft));
    world.run(&["a"]).await;
    assert_eq!(world.issues().len(), 2);
    assert_eq!(world.issues()[0].body.as_deref(), Some(repeated.as_str()));
    world.github.stop().await;
}

#[tokio::test]
async fn of_several_the_open_one_counts_and_else_the_newest_closed() {
    let mut world = World::start().await;
    let draft = || marked(Author::app("github-actions")).label(LABEL);
    world.github.with(|model| {
        model.open_issue(MONO, draft().closed());
        model.open_issue(MONO, draft().closed());
    });
    world.run(&["a"]).await;
    assert_eq!(world.shown()[1], "#2 open reopened: 1 comments");
    // Two that are open become one, the older; what only holds the marker is left alone.
    let quoted = format!("see\n{}\n", memory::MARKER);
    world.github.with(|model| {
        model.open_issue(MONO, draft());
        let maintainer = Author::person("maintainer", "OWNER");
        model.open_issue(MONO, Draft::by(maintainer, "about the alarm", &quoted).label(LABEL));
    });
    world.run(&["a"]).await;
    let shown = world.shown();
    assert!(shown[0].starts_with("#1 closed completed"), "{shown:?}");
    assert!(shown[1].starts_with("#2 open"), "{shown:?}");
    assert!(shown[2].starts_with("#3 closed not_planned"), "{shown:?}");
    assert!(shown[3].starts_with("#4 open -"), "{shown:?}");
    assert!(world.issues()[2].body.as_deref().unwrap().starts_with("Duplicate of #2"));
    world.github.stop().await;
}

#[tokio::test]
async fn a_page_of_garbage_is_a_warning() {
    for text in ["", "{}", "[{}]", "null", "[1]", "<html>"] {
        let mut world = World::start().await;
        let fault = Fault::status(200).text("application/json", text);
        world.github.with(|model| model.fault_nth(1, fault));
        let sounded = world.run(&["a"]).await;
        let why = "GitHub's list of issues cannot be read";
        let expected = format!("the alarm issue in acme/mono is not up to date: {why}");
        assert_eq!(sounded.warnings, [expected]);
        assert_eq!(world.count(), 1, "nothing is created blindly");
        world.github.stop().await;
    }
}
