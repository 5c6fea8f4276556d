//! The webhook against small servers on real sockets, on the virtual clock.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use pretty_assertions::assert_eq;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::delivery::VirtualClock;

/// A part of the address that must never be seen.
const CANARY: &str = "T00000000-canary-XXXXXXXX";

/// Takes messages, and answers each with the next of its answers, the last one for ever; nothing
/// where that is empty.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/{CANARY}", listener.local_addr().unwrap());
        let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
        let got = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&got);
        let task = tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut text = Vec::new();
                while !text.ends_with(b"\"}") {
                    let mut buffer = [0; 4096];
                    match stream.read(&mut buffer).await.unwrap() {
                        0 => break,
                        read => text.extend_from_slice(&buffer[..read]),
                    }
                }
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(String::from_utf8(text).unwrap());
                    log.len()
                };
                let answer = &answers[number.min(answers.len()) - 1];
                if answer.is_empty() {
                    silent.push(stream);
                } else {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        });
        Self { url, got, task }
    }

    fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn http(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n")
}

fn webhook(url: &str) -> Webhook {
    let url = SecretString::from(url);
    Webhook { timeout: Duration::from_millis(300), ..Webhook::parse(&url).unwrap() }
}

/// Posts, and returns what came of it and the waits in seconds.
async fn posted(url: &str) -> (Result<(), String>, Vec<u64>) {
    let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
    let webhook = webhook(url);
    let ended = webhook.post("a \"message\"", &clock).await;
    let shown = format!("{ended:?} {webhook:?}");
    assert!(!shown.contains("canary") && !shown.contains("127.0.0.1"), "{shown}");
    let waits = clock.waits().iter().map(|it| (it.until - it.from).as_secs()).collect();
    (ended, waits)
}

#[tokio::test]
async fn a_message_is_one_post_of_slacks_json() {
    let receiver = Receiver::start(&[&http("200 OK", "")]).await;
    assert_eq!(posted(&receiver.url).await, (Ok(()), vec![]));
    let text = receiver.got().concat();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("POST /services/{CANARY} HTTP/1.1\r\n")), "{head}");
    assert!(head.contains("content-type: application/json") && !head.contains("authorization"));
    assert_eq!(body, r#"{"text":"a \"message\""}"#);
}

#[tokio::test]
async fn each_answer_ends_in_a_message_or_in_a_warning_without_the_address() {
    let after = |seconds: &str| http("429 Slow", &format!("retry-after: {seconds}\r\n"));
    let ok = http("200 OK", "");
    let failed = http("500 No", "");
    let elsewhere = http("302 Found", "location: /x\r\n");
    for (answers, ended, waits) in [
        (vec![&*failed, &ok], "", vec![1]),
        (vec![&failed], "it answered 500 (tried 3 times)", vec![1, 2]),
        (vec![&after("7"), &ok], "", vec![7]),
        (vec![&after("3600"), &ok], "", vec![10]),
        (vec![&after("-1"), &after("x"), &ok], "", vec![1, 2]),
        (vec![&after("0")], "it answered 429 (tried 3 times)", vec![1, 1]),
        (vec![&elsewhere], "it answered 302 and redirects, which is not followed", vec![]),
        (
            vec![&http("307 x", "location: https://evil.example/\r\n")],
            "it answered 307 and redirects, which is not followed",
            vec![],
        ),
        (
            vec![&http("404 no_service", "")],
            "it answered 404: it was revoked, or the address is not right; make a new one",
            vec![],
        ),
        (vec![&http("400 invalid_payload", "")], "it answered 400", vec![]),
        (vec!["garbage\r\n\r\n"], "the answer is broken", vec![]),
        (vec![""], "timed out", vec![]),
    ] {
        let receiver = Receiver::start(&answers).await;
        let expected = if ended.is_empty() { Ok(()) } else { Err(ended.to_owned()) };
        assert_eq!(posted(&receiver.url).await, (expected, waits.clone()), "{answers:?}");
        assert_eq!(receiver.got().len(), waits.len() + 1, "{answers:?}");
    }
}

#[tokio::test]
async fn who_is_not_there_is_tried_three_times() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/{CANARY}", listener.local_addr().unwrap());
    drop(listener);
    let expected = Err("cannot connect (tried 3 times)".to_owned());
    assert_eq!(posted(&url).await, (expected, vec![1, 2]));
}

#[test]
fn an_address_is_https_or_loopback_and_never_repeated() {
    for (url, expected) in [
        ("https://hooks.slack.com/services/canary", Ok(())),
        ("https://h.example:8443/canary?x=@y", Ok(())),
        ("http://localhost:80/canary", Ok(())),
        ("http://[::1]/canary", Ok(())),
        ("http://hooks.slack.com/canary", Err(BadWebhook::Plain)),
        ("https://canary:x@h.example/", Err(BadWebhook::UserInfo)),
        ("https://canary@h.example/", Err(BadWebhook::UserInfo)),
        ("ftp://h.example/canary", Err(BadWebhook::NoUrl)),
        ("file:///canary", Err(BadWebhook::NoUrl)),
        ("https://h.example/canary\n", Err(BadWebhook::NoUrl)),
        ("https:\\\\h.example\\canary", Err(BadWebhook::NoUrl)),
        ("canary", Err(BadWebhook::NoUrl)),
        ("", Err(BadWebhook::NoUrl)),
    ] {
        let parsed = Webhook::parse(&SecretString::from(url));
        let shown = format!(
            "{parsed:?} {}",
            parsed.as_ref().map_or_else(ToString::to_string, |_| String::new())
        );
        assert!(!shown.contains("canary") && !shown.contains("h.example"), "{shown}");
        assert_eq!(parsed.map(|_| ()), expected, "{url}");
    }
}
