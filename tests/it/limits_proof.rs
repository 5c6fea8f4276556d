//! The pace keeps GitHub's limits: not one of a thousand dispatches is refused, though they go as
//! early as the limits allow. Over real HTTP, on a virtual clock that the embedded GitHub counts by.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ecosystem_dispatcher::delivery::{
    Body, Clock, Job, Means, Outcome, Settings, Stopped, VirtualClock, deliver,
};
use ecosystem_dispatcher::embedded_github::{EmbeddedGitHub, Model, Request, Token};
use ecosystem_dispatcher::github::{ApiUrl, Client, Tokens, auth};
use ecosystem_dispatcher::names::RepoName;
use jiff::Timestamp;
use pretty_assertions::assert_eq;

const TOKEN: &str = "limits-token";

/// The least time for 1,000 dispatches at 80 in any minute and 500 in any hour: 500 in the first
/// six minutes, the other 500 an hour after those.
const LEAST: Duration = Duration::from_secs(3_600 + 6 * 60);

const BODY: &str =
    r#"{"event_type":"feature-update","client_payload":{"updated_feature":"features/web"}}"#;

fn repository(number: usize) -> String {
    format!("acme/n{number:04}")
}

/// GitHub with its limits and `repositories` cousins, by this clock.
fn github(repositories: usize, clock: &VirtualClock) -> Model {
    let clock = clock.clone();
    let model =
        Model::new().clock(Arc::new(move || clock.wall())).token(TOKEN, Token::may_write_all());
    (0..repositories).fold(model, |model, number| model.repository(&repository(number)))
}

fn clock() -> VirtualClock {
    VirtualClock::new(Timestamp::from_second(1_795_219_200).unwrap())
}

#[tokio::test]
async fn a_thousand_dispatches_are_never_refused_and_take_hardly_more_than_the_least_time() {
    let clock = clock();
    let github = EmbeddedGitHub::start(github(1_000, &clock)).await.unwrap();
    let mut tokens = Tokens::new();
    let token = tokens.add(auth::resolve(None, &|_| Some(TOKEN.into())).unwrap());
    let settings = Settings { tokens: tokens.labels(), ..Settings::default() };
    let api = ApiUrl::parse(github.url()).unwrap();
    let client = Client::new(api, tokens, Duration::from_secs(60)).unwrap();
    let job = |number| Job {
        repo: RepoName::parse(&repository(number)).unwrap(),
        body: Body::new(|| BODY.as_bytes().to_vec()),
        token,
    };
    let jobs = (0..1_000).map(job).collect();
    let means = Means { sender: Arc::new(client), clock: clock.clone(), jitter: || 1.0 };

    let endings = deliver(jobs, &settings, means, Stopped::never(), |_| {}).await;

    let outcomes: Vec<Outcome> = endings.iter().map(|ending| ending.outcome).collect();
    assert_eq!(outcomes, [Outcome::Delivered; 1_000]);
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    github.with(|model| {
        let refused: Vec<_> =
            model.requests().iter().filter(|request| request.status != Some(204)).collect();
        assert!(refused.is_empty(), "{refused:#?}");
        assert_eq!(model.requests().len(), 1_000);
        for event in model.events() {
            *arrived.entry(event.repository.clone()).or_default() += 1;
        }
    });
    assert_eq!(arrived, (0..1_000).map(|number| (repository(number), 1)).collect());
    let took = clock.now();
    assert!(took >= LEAST, "the limits cannot have been enforced: {took:?}");
    assert!(took <= LEAST + LEAST / 20, "{took:?} instead of {LEAST:?}");
    github.stop().await;
}

/// Why the pace is no token bucket: one that holds 80 and gains 80 a minute.
#[test]
fn a_token_bucket_lets_159_through_in_the_first_minute_of_which_github_refuses_79() {
    let clock = clock();
    let mut github = github(1, &clock);
    let every = Duration::from_secs(60) / 80;
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    // All at the start that the bucket holds, then each as soon as it has gained one.
    let times = (0..80).map(|_| Duration::ZERO).chain((1..).map(|gained| every * gained));
    for at in times.take_while(|at| *at < Duration::from_secs(60)) {
        clock.advance(at - clock.now());
        let reply = github.receive(&Request {
            method: "POST".to_owned(),
            path: format!("/repos/{}/dispatches", repository(0)),
            authorization: Some(format!("Bearer {TOKEN}")),
            user_agent: Some("bucket".to_owned()),
            body: BODY.as_bytes().to_vec(),
            ..Request::default()
        });
        *statuses.entry(reply.answer.status).or_default() += 1;
        github.finish(reply.ticket);
    }
    assert_eq!(statuses, BTreeMap::from([(204, 80), (403, 79)]));
}
