//! What the model says (`answers`, `apps`, `contents`, `listings`, `runs`, `grants`, `issues`,
//! `pulls`, `refs`, without a socket) and what of it arrives (`over_http`, `reads_over_http`,
//! `broken`, `garbage`, `git`, through a real one).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::*;

mod answers;
mod apps;
mod broken;
mod contents;
mod garbage;
mod git;
mod grants;
mod issues;
mod listings;
mod over_http;
mod pulls;
mod reads_over_http;
mod refs;
mod runs;

/// 2027-01-15 08:00:00 UTC.
const START: i64 = 1_800_000_000;

/// A clock that only moves when it is told to.
#[derive(Clone, Default)]
struct VirtualClock(Arc<AtomicI64>);

impl VirtualClock {
    fn now(&self) -> Now {
        let clock = self.0.clone();
        Arc::new(move || {
            Timestamp::from_second(START + clock.load(Ordering::SeqCst)).unwrap_or_default()
        })
    }

    fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

const SECRET: &str = "s3cret-canary";

fn model() -> Model {
    Model::new()
        .repository("acme/web")
        .repository_with("acme/old", |it| it.renamed_to("acme/new"))
        .archived("acme/attic")
        .repository_with("acme/blocked", Repository::disabled)
        .repository_with("acme/secret", Repository::private)
        .token(SECRET, Token::may_write_all().labelled("everything"))
        .token("classic", Token::classic())
        .token("fine", Token::fine_grained().may_read("acme/secret"))
        .token("app", Token::installation().may_write("acme/old"))
        .token("built-in", Token::built_in("acme/web"))
}

fn body() -> String {
    json!({"event_type": "feature-update", "client_payload": {"updated_feature": "a"}}).to_string()
}

/// A POST of a good dispatch.
fn post(path: &str, token: Option<&str>) -> Request {
    Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        authorization: token.map(|it| format!("Bearer {it}")),
        user_agent: Some("tests/1".to_owned()),
        body: body().into_bytes(),
        ..Request::default()
    }
}

fn get(path: &str, token: Option<&str>) -> Request {
    Request { method: "GET".to_owned(), body: Vec::new(), ..post(path, token) }
}

/// Receives a request and finishes it at once.
fn ask(model: &mut Model, request: &Request) -> Answer {
    let reply = model.receive(request);
    model.finish(reply.ticket);
    reply.answer
}

/// Asks, and returns the status and the JSON body.
fn json_at(model: &mut Model, path: &str, token: Option<&str>) -> (u16, serde_json::Value) {
    match ask(model, &get(path, token)) {
        Answer { status, body: Body::Json(value), .. } => (status, value),
        other => panic!("{path}: {other:?}"),
    }
}

/// A client as strict as ours: no redirects and no proxy.
#[allow(clippy::disallowed_methods, reason = "a test's client, not the product's")]
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent("tests/1")
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

/// A server and a client to it.
struct Session {
    github: EmbeddedGitHub,
    client: reqwest::Client,
}

impl Session {
    async fn start(model: Model) -> Self {
        Self { github: EmbeddedGitHub::start(model).await.unwrap(), client: client() }
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.github.url())).bearer_auth(SECRET).body(body())
    }

    async fn dispatch(&self, repository: &str) -> reqwest::Result<reqwest::Response> {
        self.post(&format!("/repos/{repository}/dispatches")).send().await
    }

    async fn status(&self, repository: &str) -> u16 {
        self.dispatch(repository).await.unwrap().status().as_u16()
    }

    fn delivered(&self) -> usize {
        self.github.with(|it| it.events().len())
    }
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn json_of(response: reqwest::Response) -> serde_json::Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}
