//! The client's writes against small servers on real sockets.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::server::{CANARY, Reaction, Server, http};
use super::*;

fn repo() -> RepoName {
    RepoName::parse("acme/mono").unwrap()
}

fn patch() -> Write {
    Write::patch(&repo(), &["issues", "7"], &json!({ "state": "closed" })).unwrap()
}

async fn written(
    write: &Write,
    react: impl Fn(&str) -> Reaction + Send + 'static,
) -> (Answer, Vec<String>) {
    let server = Server::start(react).await;
    let client = server.client();
    let answer = client.write(write, TokenId(0)).await;
    let shown = format!("{answer:?} {client:?}");
    assert!(!shown.contains("canary"), "the token was shown: {shown}");
    (answer, server.requests())
}

#[tokio::test]
async fn a_write_is_one_request_with_its_method_and_json() {
    let post = Write::post(&repo(), &["issues"], &json!({ "title": "é" })).unwrap();
    for (write, line, body) in [
        (post, "POST /repos/acme/mono/issues HTTP/1.1", r#"{"title":"é"}"#),
        (patch(), "PATCH /repos/acme/mono/issues/7 HTTP/1.1", r#"{"state":"closed"}"#),
    ] {
        let (answer, requests) = written(&write, |_| http("201 Created", "", "{}")).await;
        let reply = answer.result.unwrap();
        assert_eq!((reply.status, &reply.body[..], answer.requests), (201, &b"{}"[..], 1));
        let text = requests.concat();
        let (head, sent) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!((head.lines().next().unwrap(), sent), (line, body));
        for header in [
            "content-type: application/json",
            &format!("authorization: Bearer {CANARY}"),
            "accept: application/vnd.github+json",
        ] {
            assert!(head.contains(header), "{head}");
        }
    }
}

#[tokio::test]
async fn a_moved_repository_gets_the_same_write_and_another_origin_nothing() {
    for status in ["301 Moved", "307 Temporary", "308 Permanent"] {
        let (answer, requests) = written(&patch(), move |request| {
            if request.starts_with("PATCH /repositories/7/issues/7 ") {
                return http("200 OK", "", "{\"number\":7}");
            }
            http(status, "location: /repositories/7/issues/7\r\n", "")
        })
        .await;
        assert_eq!((answer.requests, answer.moved), (2, Some(Moved::ToId(7))), "{status}");
        assert_eq!(answer.result.unwrap().body, b"{\"number\":7}");
        assert!(requests[1].ends_with("{\"state\":\"closed\"}"));
    }
    for (status, location, why) in [
        ("307 Temporary", "https://evil.example/x", RefusedRedirect::OtherOrigin),
        ("303 See Other", "/x", RefusedRedirect::NotForPost),
    ] {
        let headers = format!("location: {location}\r\n");
        let (answer, requests) = written(&patch(), move |_| http(status, &headers, "")).await;
        assert_eq!((answer.result.unwrap().refused, requests.len()), (Some(why), 1));
    }
}

#[tokio::test]
async fn a_refused_write_has_githubs_message_and_a_huge_answer_is_given_up() {
    let refusal =
        r#"{"message":"Validation Failed","errors":[{"field":"title","code":"missing_field"}]}"#;
    let (answer, _) = written(&patch(), move |_| http("422 No", "", refusal)).await;
    let reply = answer.result.unwrap();
    assert_eq!(reply.message.as_deref(), Some("Validation Failed: title missing_field"));
    let huge = "x".repeat(600 * 1024);
    let (answer, _) = written(&patch(), move |_| http("200 OK", "", &huge)).await;
    let reply = answer.result.unwrap();
    assert_eq!((reply.too_large, reply.body.len()), (true, 0));
}
