//! Dispatches, their runs and the looking for them, over real HTTP against the embedded GitHub,
//! all by one virtual clock.

use pretty_assertions::assert_eq;

use super::*;
use crate::delivery::clock::VirtualClock;
use crate::delivery::requests::RequestSettings;
use crate::delivery::{Body, Job, Means, Outcome, Settings, Stopped, deliver};
use crate::embedded_github::{EmbeddedGitHub, Fault, Model, Repository, Token};
use crate::github::{ApiUrl, Client, Moved, Tokens, auth};

const TOKEN: &str = "receipts-token";

const NAMED: &str = "name: Follow\nrun-name: Update ${{ github.event.client_payload.dispatch_id }}\non: repository_dispatch\n";
const PLAIN: &str = "name: Follow\non: repository_dispatch\n";
const DEAF: &str = "on: push\n";

fn with(workflow: &str, delay: u64) -> impl FnOnce(Repository) -> Repository {
    move |it| it.file(".github/workflows/follow.yml", workflow).runs_after(S(delay))
}

/// A world with one token.
struct World {
    github: EmbeddedGitHub,
    clock: VirtualClock,
    client: Arc<Client>,
    token: TokenId,
}

impl World {
    async fn start(model: Model, token: Token) -> Self {
        let clock = VirtualClock::new(at(0));
        let told = clock.clone();
        let model = model.clock(Arc::new(move || told.wall())).token(TOKEN, token);
        let github = EmbeddedGitHub::start(model).await.unwrap();
        let mut tokens = Tokens::new();
        let token = tokens.add(auth::resolve(None, &|_| Some(TOKEN.into())).unwrap());
        let api = ApiUrl::parse(github.url()).unwrap();
        let client = Arc::new(Client::new(api, tokens, S(60)).unwrap());
        Self { github, clock, client, token }
    }

    /// Sends a dispatch to each, and returns what was delivered as the caller of this would.
    async fn deliver(&self, repos: &[&str]) -> Vec<Dispatched> {
        let job = |(number, repo): (usize, &&str)| {
            let payload = serde_json::json!({ "dispatch_id": id(number) });
            let body = serde_json::json!({ "event_type": "e", "client_payload": payload });
            let body = Body::new(move || body.to_string().into_bytes());
            Job { repo: name(repo), body, token: self.token }
        };
        let jobs: Arc<[Job]> = repos.iter().enumerate().map(job).collect();
        let sender = Arc::clone(&self.client);
        let means = Means { sender, clock: self.clock.clone(), jitter: || 1.0 };
        let settings = Settings::default();
        let endings = deliver(Arc::clone(&jobs), &settings, means, Stopped::never(), |_| {}).await;
        let dispatched = jobs.iter().zip(endings).enumerate().map(|(number, (job, ending))| {
            assert_eq!(ending.outcome, Outcome::Delivered, "{ending:?}");
            Dispatched {
                repo: job.repo.clone(),
                moved_to: match ending.renamed_to {
                    Some(Moved::To(name)) => Some(name),
                    _ => None,
                },
                token: job.token,
                dispatch_id: id(number),
                answered_at: ending.answered_at.unwrap(),
            }
        });
        dispatched.collect()
    }

    /// Returns the link without the number, which depends on who came first, and checks that it leads
    /// to a run of the cousin's, and to that of the dispatch where it says so.
    fn run(&self, sent: &Dispatched, known: &Confirmation, url: &str) -> String {
        let (before, number) = url.rsplit_once('/').unwrap();
        self.github.with(|model| {
            let runs = model.runs_for(sent.repo.as_str());
            let run = runs.iter().find(|run| run.id.to_string() == number).unwrap();
            let sure = matches!(known, Confirmation::Confirmed { .. });
            assert_eq!(
                run.display_title == format!("Update {}", sent.dispatch_id),
                sure,
                "{run:?}"
            );
        });
        format!(" {before}/…{}", number.len())
    }

    /// Looks for the runs, and returns a line for each and how many requests it took.
    async fn look(&self, dispatched: &[Dispatched], timeout: u64) -> (Vec<String>, u64) {
        let settings =
            RequestSettings { tokens: vec!["PAT".to_owned()], ..RequestSettings::default() };
        let client = Arc::clone(&self.client);
        let requests = Arc::new(Requests::new(client, self.clock.clone(), settings, || 1.0));
        let mut receipts = Receipts::new(dispatched, S(timeout));
        receipts.look(&requests, |_| {}).await;
        let shown = |(sent, known): (&Dispatched, Confirmation)| {
            let run = known.url().map(|url| self.run(sent, &known, url)).unwrap_or_default();
            let why = known.warning(&sent.repo).map(|why| format!(": {why}")).unwrap_or_default();
            format!("{}{run}{why}", known.as_str())
        };
        let lines = dispatched.iter().zip(receipts.confirmations()).map(shown).collect();
        (lines, requests.sent())
    }
}

#[tokio::test]
async fn each_delivered_dispatch_is_confirmed_probable_or_not() {
    let model = Model::new()
        .repository_with("acme/named", with(NAMED, 0))
        .repository_with("acme/later", with(NAMED, 5))
        .repository_with("acme/plain", with(PLAIN, 1))
        .repository_with("acme/deaf", with(DEAF, 0))
        .repository_with("acme/off", |it| with(NAMED, 0)(it).actions_disabled())
        .repository_with("acme/new", with(NAMED, 2))
        .repository_with("acme/new", |it| it.renamed_to("acme/now"))
        .repository_with("acme/fails", with(NAMED, 0));
    let world = World::start(model, Token::may_write_all()).await;
    let repos = [
        "acme/named",
        "acme/named",
        "acme/later",
        "acme/plain",
        "acme/plain",
        "acme/deaf",
        "acme/off",
        "acme/new",
        "acme/fails",
    ];
    let dispatched = world.deliver(&repos).await;
    world.github.fault("acme/fails", Fault::status(502).times(2));
    let (lines, sent) = world.look(&dispatched, 20).await;
    insta::assert_snapshot!(lines.join("\n"), @"
    confirmed https://github.com/acme/named/actions/runs/…10
    confirmed https://github.com/acme/named/actions/runs/…10
    confirmed https://github.com/acme/later/actions/runs/…10
    probable https://github.com/acme/plain/actions/runs/…10
    probable https://github.com/acme/plain/actions/runs/…10
    unconfirmed: acme/deaf: delivered, but not confirmed: no run of it was seen within 20 s: see that Actions are turned on there, and that a workflow on the default branch listens to the event type (`ecosystem validate --online` looks)
    unconfirmed: acme/off: delivered, but not confirmed: no run of it was seen within 20 s: see that Actions are turned on there, and that a workflow on the default branch listens to the event type (`ecosystem validate --online` looks)
    confirmed https://github.com/acme/now/actions/runs/…10
    confirmed https://github.com/acme/fails/actions/runs/…10
    ");
    // One, two (the run came after the first) and two (probable); three each without a run; one and
    // its redirect; one that failed twice.
    assert_eq!((sent, world.clock.now()), (1 + 2 + 2 + 3 + 3 + 2 + 3, S(20)));
    world.github.with(|model| {
        let refused = model.requests().iter().filter(|it| it.status == Some(403));
        assert_eq!(refused.count(), 0);
    });
    world.github.stop().await;
}

#[tokio::test]
async fn a_token_without_actions_learns_nothing_of_a_private_cousin_and_says_what_it_lacks() {
    let model = Model::new()
        .repository_with("acme/secret", |it| with(NAMED, 0)(it).private())
        .repository_with("acme/web", with(NAMED, 0));
    let token = Token::fine_grained()
        .may_write("acme/secret")
        .may_write("acme/web")
        .may_not_read_actions("acme/secret")
        .may_not_read_actions("acme/web");
    let world = World::start(model, token).await;
    let dispatched = world.deliver(&["acme/secret", "acme/web"]).await;
    let (lines, sent) = world.look(&dispatched, 120).await;
    insta::assert_snapshot!(lines.join("\n"), @r#"
    unconfirmed: acme/secret: delivered, but not confirmed: the token in PAT may not read the workflow runs of acme/secret (403: "Resource not accessible by personal access token"): give it the permission "Actions: read" there (a classic token the scope "repo")
    confirmed https://github.com/acme/web/actions/runs/…10
    "#);
    assert_eq!((sent, world.clock.now()), (2, S(3)));
    world.github.stop().await;
}

#[tokio::test]
async fn a_hundred_and_fifty_runs_are_told_apart_over_two_pages() {
    let world = World::start(
        Model::new().repository_with("acme/web", with(NAMED, 0)),
        Token::may_write_all(),
    )
    .await;
    let dispatched = world.deliver(&["acme/web"; 150]).await;
    let (lines, sent) = world.look(&dispatched, 120).await;
    assert!(lines.iter().all(|line| line.starts_with("confirmed ")), "{lines:#?}");
    assert_eq!((lines.len(), sent), (150, 2));
    world.github.stop().await;
}
