//! Both alarms together, and the webhook's alone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pretty_assertions::assert_eq;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::delivery::{RequestSettings, VirtualClock};
use crate::embedded_github::{EmbeddedGitHub, Model, Token};
use crate::github::{ApiUrl, Client, Tokens, auth};

const CANARY: &str = "canary-0123456789";

/// Starts a receiver that answers `status`, and returns its address and what it gets.
async fn receiver(status: &'static str) -> (SecretString, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/{CANARY}", listener.local_addr().unwrap());
    let got = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = Vec::new();
            while !text.ends_with(b"\"}") {
                let mut buffer = [0; 4096];
                match stream.read(&mut buffer).await.unwrap() {
                    0 => break,
                    read => text.extend_from_slice(&buffer[..read]),
                }
            }
            let text = String::from_utf8(text).unwrap();
            let body: serde_json::Value =
                serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
            log.lock().unwrap().push(body["text"].as_str().unwrap().to_owned());
            let answer =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (SecretString::from(url), got)
}

/// Ends runs one after another, each of which fails or does not; returns what came of each.
async fn runs(fails: &[bool], token: Token, issue: bool, webhook: &SecretString) -> Vec<Sounded> {
    let model = Model::new().repository("acme/mono").token("t0ken", token);
    let github = EmbeddedGitHub::start(model).await.unwrap();
    let mut tokens = Tokens::new();
    let token = tokens.add(auth::resolve(None, &|_| Some("t0ken".into())).unwrap());
    let settings = RequestSettings { tokens: tokens.labels(), ..RequestSettings::default() };
    let client =
        Client::new(ApiUrl::parse(github.url()).unwrap(), tokens, Duration::from_secs(5)).unwrap();
    let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
    let requests = Requests::new(Arc::new(client), clock.clone(), settings, || 0.0);
    let source = RepoName::parse("acme/mono").unwrap();
    let webhook = Some(webhook);
    let alarm =
        Alarm { requests: &requests, clock: &clock, source: &source, token, issue, webhook };
    let mut all = Vec::new();
    let mut before = State::default();
    for fails in fails {
        let heard = if *fails { Heard::Failed(Failure::new("no", None)) } else { Heard::Recovered };
        let results = Results {
            cousins: vec![(RepoName::parse("acme/web").unwrap(), heard)],
            ..Results::default()
        };
        let run = Run { results: &results, url: None, head: None, at: Timestamp::UNIX_EPOCH };
        let sounded = sound(&alarm, &run, &before).await;
        assert!(!format!("{sounded:?}").contains("canary"), "{sounded:?}");
        if !issue {
            before.clone_from(&sounded.state);
        }
        all.push(sounded);
    }
    github.with(|model| assert_eq!(model.requests().is_empty(), !issue));
    github.stop().await;
    all
}

#[tokio::test]
async fn the_webhook_hears_once_of_a_beginning_and_once_of_the_end_whoever_remembers() {
    for issue in [true, false] {
        let (url, got) = receiver("200 OK").await;
        let token = Token::built_in("acme/mono").may_write_issues("acme/mono");
        let fails = [false, true, true, false, false, true];
        let all = runs(&fails, token, issue, &url).await;
        assert!(all.iter().all(|it| it.warnings.is_empty()), "{all:?}");
        let began = "1 cousin is not getting updates from `acme/mono`:\n• `acme/web`: `no`";
        let ended = "All updates from `acme/mono` arrive again.";
        assert_eq!(*got.lock().unwrap(), [began, ended, began], "{issue}");
    }
}

#[tokio::test]
async fn one_alarm_that_cannot_be_raised_does_not_silence_the_other() {
    let (url, got) = receiver("410 Gone").await;
    let token = Token::built_in("acme/mono").may_write_issues("acme/mono");
    let all = runs(&[true], token, true, &url).await;
    assert_eq!(
        all[0].warnings,
        [
            "the webhook in ECOSYSTEM_NOTIFY_URL got no message: it answered 410: it was revoked, or the address is not right; make a new one"
        ]
    );
    assert_eq!(got.lock().unwrap().len(), 1);

    let (url, got) = receiver("200 OK").await;
    let all = runs(&[true], Token::built_in("acme/mono"), true, &url).await;
    assert_eq!(all[0].warnings.len(), 1, "{all:?}");
    assert_eq!((got.lock().unwrap().len(), all[0].state.failing()), (1, 1));

    let bad = SecretString::from(format!("http://hooks.example/{CANARY}"));
    let all = runs(&[true], Token::built_in("acme/mono"), false, &bad).await;
    assert_eq!(
        all[0].warnings,
        [
            "the webhook in ECOSYSTEM_NOTIFY_URL got no message: it is not https, so that the message and the address would cross the network in clear"
        ]
    );
}
