//! The client's dispatches against small servers on real sockets; its reads are in `get`.

use pretty_assertions::assert_eq;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::github::LimitHeaders;

mod as_app;
mod get;
mod server;
mod write;

use server::{CANARY, Reaction, Server, client, http};

async fn sent(client: &Client) -> Answer {
    let repo = RepoName::parse("acme/web").unwrap();
    let answer = client.dispatch(&repo, TokenId(0), b"{\"event_type\":\"x\"}").await;
    let shown = format!("{answer:?} {client:?}");
    assert!(!shown.contains("canary"), "the token was shown: {shown}");
    answer
}

/// Returns what a server that always reacts like this makes of a dispatch.
async fn answer_to(react: impl Fn(&str) -> Reaction + Send + 'static) -> (Answer, usize) {
    let server = Server::start(react).await;
    let answer = sent(&server.client()).await;
    (answer, server.requests().len())
}

fn reply(answer: Answer) -> Reply {
    answer.result.unwrap()
}

#[tokio::test]
async fn a_dispatch_is_one_post_with_exactly_githubs_headers() {
    let server =
        Server::start(|_| Reaction::Say("HTTP/1.1 204 No Content\r\n\r\n".to_owned())).await;
    let answer = sent(&server.client()).await;
    let expected = Reply { status: 204, ..Reply::default() };
    assert_eq!(answer, Answer { requests: 1, moved: None, result: Ok(expected) });
    let text = server.requests().concat();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /repos/acme/web/dispatches HTTP/1.1"));
    let mut headers: Vec<_> = lines.collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            "accept: application/vnd.github+json",
            &format!("authorization: Bearer {CANARY}"),
            "content-length: 18",
            "content-type: application/json",
            &format!("host: {}", server.address),
            concat!("user-agent: ecosystem-dispatcher/", env!("CARGO_PKG_VERSION")),
            "x-github-api-version: 2022-11-28",
        ]
    );
    assert_eq!(body, r#"{"event_type":"x"}"#);
}

#[tokio::test]
async fn a_redirect_to_the_same_origin_gets_the_same_post() {
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        for location in ["/repositories/7/dispatches", "../../../repositories/7/dispatches#x"] {
            let server = Server::start(move |request| {
                if request.starts_with("POST /repositories/7/dispatches ") {
                    return http("204 No Content", "", "");
                }
                http(status, &format!("location: {location}\r\n"), "moved")
            })
            .await;
            let answer = sent(&server.client()).await;
            assert_eq!(answer.requests, 2, "{status} {location}");
            assert_eq!(answer.moved, Some(Moved::ToId(7)));
            assert_eq!(reply(answer).status, 204);
            let requests = server.requests();
            let after_path = |text: &str| text.split_once(" HTTP/1.1").unwrap().1.to_owned();
            assert_eq!(after_path(&requests[0]), after_path(&requests[1]));
        }
    }
}

#[tokio::test]
async fn a_redirect_to_another_origin_receives_nothing() {
    let other = Server::start(|_| http("204 No Content", "", "")).await;
    let port = other.address.port();
    for location in [
        format!("http://127.0.0.1:{port}/repos/acme/web/dispatches"),
        format!("//127.0.0.1:{port}/x"),
        format!("http://localhost:{port}/x"),
        format!("https://127.0.0.1:{port}/x"),
    ] {
        let headers = format!("location: {location}\r\n");
        let (answer, requests) = answer_to(move |_| http("307 Temporary", &headers, "")).await;
        assert_eq!((answer.requests, requests, answer.moved.clone()), (1, 1, None), "{location}");
        assert_eq!(reply(answer).refused, Some(RefusedRedirect::OtherOrigin), "{location}");
    }
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_that_a_post_cannot_follow_is_refused_and_says_why() {
    for (status, headers, why) in [
        ("303 See Other", "location: /x\r\n", RefusedRedirect::NotForPost),
        ("304 Not Modified", "", RefusedRedirect::NotForPost),
        ("307 Temporary", "", RefusedRedirect::NoLocation),
        ("307 Temporary", "location: http://[\r\n", RefusedRedirect::BadLocation),
        ("307 Temporary", "location: /\u{e9}\r\n", RefusedRedirect::BadLocation),
        ("308 Permanent", "location: /repos/acme/web/dispatches\r\n", RefusedRedirect::Loop),
        ("308 Permanent", "location: #x\r\n", RefusedRedirect::Loop),
    ] {
        let (answer, requests) = answer_to(move |_| http(status, headers, "")).await;
        assert_eq!((answer.requests, requests), (1, 1), "{status} {headers}");
        assert_eq!(reply(answer).refused, Some(why), "{status} {headers}");
    }
}

#[tokio::test]
async fn user_info_in_a_location_never_replaces_the_token() {
    let server = Server::start(|request| {
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        http("307 Temporary", &format!("location: http://u:p@{host}/x\r\n"), "")
    })
    .await;
    let answer = sent(&server.client()).await;
    assert_eq!(reply(answer).refused, Some(RefusedRedirect::BadLocation));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn redirects_end_after_three() {
    let (answer, requests) = answer_to(|request| {
        let path = request.split(' ').nth(1).unwrap();
        http("307 Temporary", &format!("location: {path}/x\r\n"), "")
    })
    .await;
    assert_eq!((answer.requests, requests), (4, 4));
    assert_eq!(reply(answer).refused, Some(RefusedRedirect::TooMany));

    let (answer, requests) = answer_to(|request| {
        let next = if request.starts_with("POST /b ") { "/c" } else { "/b" };
        http("307 Temporary", &format!("location: {next}\r\n"), "")
    })
    .await;
    assert_eq!((answer.requests, requests), (3, 3));
    let reply = reply(answer);
    assert_eq!((reply.refused, reply.status), (Some(RefusedRedirect::Loop), 307));
}

#[tokio::test]
async fn githubs_message_limits_and_permissions_are_read() {
    let headers = "retry-after: 7\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 99\r\ndate: D\r\nx-accepted-github-permissions: contents=write\r\n";
    let (answer, _) =
        answer_to(move |_| http("403 Forbidden", headers, r#"{"message":"No\nno"}"#)).await;
    let some = |text: &str| Some(text.to_owned());
    let limits = LimitHeaders {
        retry_after: some("7"),
        remaining: some("0"),
        reset: some("99"),
        date: some("D"),
    };
    let expected = Reply {
        status: 403,
        message: some("No\\nno"),
        limits,
        permissions: some("contents=write"),
        ..Reply::default()
    };
    assert_eq!(reply(answer), expected);
}

#[tokio::test]
async fn a_page_of_html_is_recognised() {
    let (answer, _) = answer_to(|_| {
        http("502 Bad", "content-type: text/html\r\n", "<html><title>Unicorn!</title>")
    })
    .await;
    let found = reply(answer);
    assert_eq!((found.status, found.html), (502, true));
    assert_eq!(found.message.as_deref(), Some("Unicorn!"));
}

#[tokio::test]
async fn a_broken_body_keeps_the_class_of_its_status() {
    let cut = "HTTP/1.1 422 X\r\ncontent-length: 500\r\n\r\n{\"message\":\"cut";
    let chunked = "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\nzz";
    let overlong = "HTTP/1.1 204 No Content\r\ncontent-length: 10\r\n\r\nabc";
    for (text, status) in [(cut, 422), (chunked, 204), (overlong, 204)] {
        let (answer, _) = answer_to(move |_| Reaction::Say(text.to_owned())).await;
        let reply = reply(answer);
        // A 204 has said all that it has to say.
        assert_eq!((reply.status, reply.broken), (status, status != 204), "{text:?}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_read_no_further_than_needed() {
    let (answer, _) =
        answer_to(|_| http("500 Oops", "", &format!("first\n{}", "x".repeat(4 << 20)))).await;
    let found = reply(answer);
    assert_eq!((found.status, found.message.as_deref()), (500, Some("first")));
}

#[tokio::test]
async fn a_failed_transport_is_told_by_its_kind() {
    let say = |text: &'static str| move || Reaction::Say(text.to_owned());
    for (react, kind) in [
        (Box::new(|| Reaction::Reset) as Box<dyn Fn() -> Reaction + Send>, TransportKind::Reset),
        (Box::new(say("")), TransportKind::Reset),
        (Box::new(say("HTTP/1.1 204 No")), TransportKind::Reset),
        (Box::new(|| Reaction::Stall), TransportKind::Timeout),
        (Box::new(say("SSH-2.0-OpenSSH_9.6\r\n\r\n")), TransportKind::Broken),
    ] {
        let (answer, requests) = answer_to(move |_| react()).await;
        let error = answer.result.unwrap_err();
        assert_eq!((error.kind, error.sent), (kind, true), "{error}");
        assert_eq!((answer.requests, requests), (1, 1), "nothing is sent twice: {error}");
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn what_never_reached_the_server_counts_as_no_request() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let answer = sent(&client(&format!("http://{closed}"))).await;
    assert_eq!(answer.requests, 0);
    assert_eq!(answer.result.unwrap_err().kind, TransportKind::Connect);

    let unknown = sent(&client("https://nowhere.invalid")).await;
    assert_eq!(unknown.requests, 0);
    let kind = unknown.result.unwrap_err().kind;
    // A resolver that is out of reach takes longer than the time for a request.
    assert!(matches!(kind, TransportKind::Dns | TransportKind::Timeout), "{kind:?}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_a_tls_failure_and_gets_no_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let mut received = Vec::new();
        drop(stream.read_to_end(&mut received).await);
        received
    });
    let answer = sent(&client(&format!("https://{address}"))).await;
    let error = answer.result.unwrap_err();
    assert_eq!((error.kind, answer.requests), (TransportKind::Tls, 0), "{error}");
    let received = String::from_utf8_lossy(&task.await.unwrap()).into_owned();
    assert!(!received.is_empty() && !received.contains("canary"));
}

#[tokio::test]
async fn a_server_that_repeats_the_token_cannot_put_it_into_a_report() {
    for body in [
        format!(r#"{{"message":"bad header: Bearer {CANARY}"}}"#),
        format!("<html>ghp_<b></b>{}", &CANARY[4..]),
        format!("{}{CANARY}", "x".repeat(290)),
    ] {
        let headers = format!("x-accepted-github-permissions: {CANARY}\r\n");
        let (answer, _) = answer_to(move |_| http("403 Forbidden", &headers, &body)).await;
        assert!(reply(answer).message.unwrap().contains("***"));
    }
    let (answer, _) = answer_to(move |request| {
        if request.starts_with("POST /repos/acme/ghp_") {
            return http("204 No Content", "", "");
        }
        http("307 X", &format!("location: /repos/acme/{CANARY}/dispatches\r\n"), "")
    })
    .await;
    assert_eq!(answer.moved, Some(Moved::Elsewhere));
}

#[tokio::test]
async fn a_token_that_is_not_there_sends_nothing() {
    let server = Server::start(|_| http("204 No Content", "", "")).await;
    let repo = RepoName::parse("acme/web").unwrap();
    let answer = server.client().dispatch(&repo, TokenId(1), b"{}").await;
    assert!(answer.result.is_err());
    assert_eq!((answer.requests, server.requests().len()), (0, 0));
}
