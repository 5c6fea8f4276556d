//! The client over real HTTP against the embedded GitHub, which enforces GitHub's limits by the
//! same virtual clock.

use pretty_assertions::assert_eq;

use super::*;
use crate::embedded_github::{EmbeddedGitHub, Model, Token};
use crate::github::{ApiUrl, Tokens, auth};

const TOKEN: &str = "reads-token";

#[tokio::test]
async fn a_thousand_reads_by_one_token_take_just_over_a_minute_and_meet_no_refusal() {
    let clock = clock();
    let model = {
        let clock = clock.clone();
        Model::new()
            .clock(Arc::new(move || clock.wall()))
            .token(TOKEN, Token::may_write_all())
            .repository("acme/web")
    };
    let github = EmbeddedGitHub::start(model).await.unwrap();
    let mut tokens = Tokens::new();
    let token = tokens.add(auth::resolve(None, &|_| Some(TOKEN.into())).unwrap());
    let settings = RequestSettings { tokens: tokens.labels(), ..RequestSettings::default() };
    let api = ApiUrl::parse(github.url()).unwrap();
    let client = Client::new(api, tokens, S(60)).unwrap();
    let requests = Arc::new(Requests::new(Arc::new(client), clock.clone(), settings, || 1.0));
    let read = Read::new(&RepoName::parse("acme/web").unwrap(), &[], &[]).unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let (requests, read) = (Arc::clone(&requests), read.clone());
        tasks.spawn(async move { requests.get(&read, token).await });
    }
    for ended in tasks.join_all().await {
        let reply = ended.unwrap();
        assert_eq!(reply.status, 200);
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["full_name"], "acme/web");
    }
    github.with(|model| {
        let refused: Vec<_> =
            model.requests().iter().filter(|request| request.status != Some(200)).collect();
        assert!(refused.is_empty(), "{refused:#?}");
        assert_eq!(model.requests().len(), 1_000);
    });
    assert_eq!((requests.sent(), clock.now()), (1_000, S(60)));
    github.stop().await;
}
