//! The issue over real HTTP, against the embedded GitHub.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pretty_assertions::assert_eq;
use secrecy::SecretString;

use super::*;
use crate::alarm::{Alarm, Failure, Heard, Results, Sounded, sound};
use crate::delivery::{RequestSettings, VirtualClock};
use crate::embedded_github::{
    Author, Comment, Draft, EmbeddedGitHub, Fault, Issue, Model, Repository, Token,
};
use crate::github::{ApiUrl, Client, Tokens, auth};

mod finding;
mod together;

const MONO: &str = "acme/mono";
const SECRET: &str = "alarm-token-canary";

fn model(token: Token) -> Model {
    Model::new().repository(MONO).token(SECRET, token)
}

fn built_in() -> Token {
    Token::built_in(MONO).may_write_issues(MONO)
}

/// A monorepo whose runs end one after another.
struct World {
    github: EmbeddedGitHub,
    requests: Requests<Client, VirtualClock>,
    clock: VirtualClock,
    token: TokenId,
    runs: u32,
}

impl World {
    async fn start() -> Self {
        Self::with(model(built_in())).await
    }

    async fn with(model: Model) -> Self {
        let github = EmbeddedGitHub::start(model).await.unwrap();
        let clock = VirtualClock::new(Timestamp::from_second(1_767_323_045).unwrap());
        let mut tokens = Tokens::new();
        let token = tokens.add(auth::resolve(None, &|_| Some(SECRET.into())).unwrap());
        let settings = RequestSettings { tokens: tokens.labels(), ..RequestSettings::default() };
        let api = ApiUrl::parse(github.url()).unwrap();
        let client = Client::new(api, tokens, Duration::from_millis(500)).unwrap();
        let requests = Requests::new(Arc::new(client), clock.clone(), settings, || 0.0);
        Self { github, requests, clock, token, runs: 0 }
    }

    /// Ends a run in which these fail, of all that are listed; no others do.
    async fn run(&mut self, failing: &[&str]) -> Sounded {
        self.runs += 1;
        let name = |name: &str| RepoName::parse(&format!("acme/{name}")).unwrap();
        let failure = Failure::new("the server failed (503)", Some("run again"));
        let failed = failing.iter().map(|it| (name(it), Heard::Failed(failure.clone())));
        let enabled = ["a", "b", "c"].map(name);
        let recovered = enabled.iter().filter(|it| !failing.contains(&&it.as_str()[5..]));
        let recovered = recovered.map(|it| (it.clone(), Heard::Recovered));
        let cousins = failed.chain(recovered).collect();
        let results = Results { run: None, cousins, enabled: Some(enabled.to_vec()) };
        self.tell(&results, None, true, &State::default()).await
    }

    async fn tell(
        &self,
        results: &Results,
        webhook: Option<&SecretString>,
        issue: bool,
        before: &State,
    ) -> Sounded {
        let alarm = Alarm {
            requests: &self.requests,
            clock: &self.clock,
            source: &RepoName::parse(MONO).unwrap(),
            token: self.token,
            issue,
            webhook,
        };
        let url = format!("https://github.com/acme/mono/actions/runs/{}", self.runs);
        let at = Timestamp::from_second(1_767_323_045 + i64::from(self.runs)).unwrap();
        let sounded =
            sound(&alarm, &Run { results, url: Some(&url), head: None, at }, before).await;
        assert!(!format!("{sounded:?}").contains("canary"), "{sounded:?}");
        sounded
    }

    fn issues(&self) -> Vec<Issue> {
        self.github.with(|model| model.issues_of(MONO).to_vec())
    }

    /// Returns each issue as `number state labels: comments`.
    fn shown(&self) -> Vec<String> {
        let shown = |it: &Issue| {
            let state = if it.open { "open" } else { "closed" };
            let reason = it.state_reason.as_deref().unwrap_or("-");
            format!("#{} {state} {reason}: {} comments", it.number, it.comments.len())
        };
        self.issues().iter().map(shown).collect()
    }

    fn comments(&self, number: u64) -> Vec<String> {
        let text = |it: &Comment| it.body.lines().next().unwrap_or_default().to_owned();
        self.github.with(|model| model.comments_of(MONO, number).iter().map(text).collect())
    }

    /// Returns the methods and paths of the requests since the last call's, without queries.
    fn asked(&self, from: usize) -> Vec<String> {
        self.github.with(|model| {
            let request = |it: &crate::embedded_github::Received| {
                let path = it.path.split('?').next().unwrap_or_default();
                format!("{} {}", it.method, path.trim_start_matches("/repos/acme/mono"))
            };
            model.requests().iter().skip(from).map(request).collect()
        })
    }

    fn count(&self) -> usize {
        self.github.with(|model| model.requests().len())
    }
}

#[tokio::test]
async fn one_issue_opens_follows_closes_and_opens_again() {
    let mut world = World::start().await;
    assert_eq!(world.run(&[]).await.change, Change::Nothing);
    assert_eq!(world.asked(0), ["GET /issues"; 2], "nothing is written where nothing fails");

    assert!(matches!(world.run(&["a"]).await.change, Change::Began(_)));
    let [issue] = &world.issues()[..] else { panic!("{:?}", world.issues()) };
    assert_eq!((issue.title.as_str(), &issue.labels[..]), (words::TITLE, &[LABEL.to_owned()][..]));
    let body = issue.body.clone().unwrap();
    assert!(
        body.contains(
            "| `acme/a` | 2026-01-02 03:04 UTC | `the server failed (503)`; `run again` |"
        ),
        "{body}"
    );
    assert!(body.contains("actions/runs/2>"), "{body}");

    let from = world.count();
    assert_eq!(world.run(&["a"]).await.change, Change::Still);
    assert_eq!(world.asked(from), ["GET /issues", "PATCH /issues/1"], "no comment");
    assert!(world.issues()[0].body.as_deref().unwrap().contains("actions/runs/3>"));

    world.run(&["a", "b"]).await;
    world.run(&["b"]).await;
    assert_eq!(world.shown(), ["#1 open -: 2 comments"]);
    assert!(matches!(world.run(&[]).await.change, Change::Ended { .. }));
    assert_eq!(world.shown(), ["#1 closed completed: 3 comments"]);
    let from = world.count();
    assert_eq!(world.run(&[]).await.change, Change::Nothing);
    assert_eq!(world.asked(from), ["GET /issues"]);

    assert!(matches!(world.run(&["c"]).await.change, Change::Began(_)));
    assert_eq!(world.shown(), ["#1 open reopened: 4 comments"]);
    let heads: Vec<String> = world
        .comments(1)
        .iter()
        .map(|it| it.split([' ', '[']).take(3).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        heads,
        ["Failing too since", "Recovered with ", "Nothing is failing", "Failing again since"]
    );
    world.github.stop().await;
}

#[tokio::test]
async fn an_issue_without_a_change_is_left_alone() {
    let mut world = World::start().await;
    world.run(&["a"]).await;
    // The same run told once more: not even the link changes.
    let from = world.count();
    world.runs -= 1;
    world.run(&["a"]).await;
    assert_eq!(world.asked(from), ["GET /issues"]);
    world.github.stop().await;
}

#[tokio::test]
async fn an_issue_that_was_closed_by_hand_is_opened_again_without_a_word() {
    let mut world = World::start().await;
    world.run(&["a"]).await;
    world.github.with(|model| model.change_issue(MONO, 1, |it| it.open = false));
    assert_eq!(world.run(&["a"]).await.change, Change::Still);
    assert_eq!(world.shown(), ["#1 open reopened: 0 comments"]);
    world.github.with(|model| model.change_issue(MONO, 1, |it| it.open = false));
    assert!(matches!(world.run(&[]).await.change, Change::Ended { .. }));
    assert_eq!(world.run(&[]).await.change, Change::Nothing);
    assert_eq!(world.shown(), ["#1 closed reopened: 0 comments"]);
    world.github.stop().await;
}

#[tokio::test]
async fn an_issue_whose_memory_was_lost_is_written_anew_or_closed() {
    let mut world = World::start().await;
    for (failing, shown) in
        [(&["a"][..], "#1 open -: 1 comments"), (&[], "#1 closed completed: 2 comments")]
    {
        world.run(&["a"]).await;
        let forget = |it: &mut Issue| it.body = Some(format!("{}\ngone", memory::MARKER));
        world.github.with(|model| model.change_issue(MONO, 1, forget));
        world.run(failing).await;
        assert_eq!(world.shown(), [shown]);
    }
    world.github.stop().await;
}

#[tokio::test]
async fn what_github_refuses_is_a_warning_that_says_what_is_missing() {
    let needs = "it needs the permission \"Issues: read and write\" there";
    let private = model(Token::built_in(MONO)).repository_with(MONO, Repository::private);
    let off = model(built_in()).repository_with(MONO, Repository::issues_disabled);
    for (model, expected) in [
        (model(Token::built_in(MONO)), needs),
        (model(Token::fine_grained().may_write(MONO)), needs),
        (model(Token::classic().scopes(&[])), needs),
        (private, needs),
        (off, "issues are turned off (410"),
        (model(built_in()).archived(MONO), "archived"),
        (Model::new().repository(MONO), "the token in ECOSYSTEM_PAT was refused (401"),
        (Model::new().token(SECRET, built_in()), needs),
    ] {
        let mut world = World::with(model).await;
        let sounded = world.run(&["a"]).await;
        let [warning] = &sounded.warnings[..] else { panic!("{sounded:?}") };
        assert!(
            warning.starts_with("the alarm issue in acme/mono is not up to date: "),
            "{warning}"
        );
        assert!(warning.contains(expected), "{warning}");
        assert!(matches!(sounded.change, Change::Began(_)), "what failed is told all the same");
        assert_eq!(sounded.state.failing(), 1);
        world.github.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_a_warning_after_the_usual_attempts() {
    let mut world = World::start().await;
    world.github.with(|model| model.fault_any(Fault::status(503).forever()));
    let sounded = world.run(&["a"]).await;
    assert_eq!(sounded.warnings.len(), 1, "{sounded:?}");
    assert!(sounded.warnings[0].contains("tried 5 times"), "{sounded:?}");
    assert_eq!(world.count(), 5);
    world.github.stop().await;
}

#[tokio::test]
async fn a_limit_is_waited_for() {
    let mut world = World::start().await;
    world.github.with(|model| model.fault_nth(3, Fault::limited(30)));
    assert_eq!(world.run(&["a"]).await.warnings, [""; 0]);
    assert_eq!(world.shown(), ["#1 open -: 0 comments"]);
    assert_eq!(world.clock.waits().iter().map(|it| it.until.as_secs()).collect::<Vec<_>>(), [30]);
    world.github.stop().await;
}
