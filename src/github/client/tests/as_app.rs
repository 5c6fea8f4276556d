//! An App's requests as they go over the wire, and a server that repeats what it was shown.

use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::server::{Reaction, Server, http};
use super::*;
use crate::github::app::tests::app;
use crate::github::app::{App, Permissions};

const MINTED: &str = "ghs_canary0123456789abcdefghijABCDEFGHIJ";

fn client(server: &Server, repos: &[&str]) -> Client {
    let app: std::sync::Arc<App> = app();
    let mut tokens = Tokens::new();
    for repo in repos {
        tokens.add_app(&app, &RepoName::parse(repo).unwrap(), &Permissions::to_dispatch());
    }
    let api = ApiUrl::parse(&format!("http://{}/api/v3", server.address)).unwrap();
    Client::new(api, tokens, Duration::from_secs(5)).unwrap()
}

/// GitHub as far as it matters; `dispatch` answers what is sent with the token.
fn github(dispatch: fn(&str) -> Reaction) -> impl Fn(&str) -> Reaction + Send + 'static {
    move |request| {
        if request.starts_with("GET /api/v3/users/") {
            return http("200 OK", "", r#"{"id":9,"permissions":{"contents":"write"}}"#);
        }
        if request.starts_with("POST /api/v3/app/") {
            let body = format!(r#"{{"token":"{MINTED}","expires_at":"2100-01-01T00:00:00Z"}}"#);
            return http("201 Created", "", &body);
        }
        dispatch(request)
    }
}

async fn sent(client: &Client, repo: &str) -> Answer {
    let repo = RepoName::parse(repo).unwrap();
    let answer = client.dispatch(&repo, TokenId(0), b"{}").await;
    let shown = format!("{answer:?} {client:?}");
    assert!(!shown.contains("canary") && !shown.contains("eyJ"), "a secret was shown: {shown}");
    answer
}

fn echo(request: &str) -> Reaction {
    let header = request.lines().find(|line| line.starts_with("authorization")).unwrap();
    http("422 Unprocessable", "", &format!("{{\"message\":\"{header}\"}}"))
}

#[tokio::test]
async fn the_app_asks_as_github_wants_to_be_asked_and_for_no_more_than_is_needed() {
    let server = Server::start(github(|_| http("204 No Content", "", ""))).await;
    let client = client(&server, &["Acme/web", "acme/API"]);
    assert_eq!(sent(&client, "acme/web").await.requests, 1);
    client.give_tokens_back().await;
    client.give_tokens_back().await;
    let requests = server.requests();
    let lines: Vec<_> = requests.iter().map(|it| it.lines().next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "GET /api/v3/users/Acme/installation HTTP/1.1",
            "POST /api/v3/app/installations/9/access_tokens HTTP/1.1",
            "POST /api/v3/repos/acme/web/dispatches HTTP/1.1",
            "DELETE /api/v3/installation/token HTTP/1.1",
        ]
    );
    for request in &requests {
        assert!(request.contains("\r\naccept: application/vnd.github+json\r\n"), "{request}");
        assert!(request.contains("\r\nx-github-api-version: 2022-11-28\r\n"), "{request}");
    }
    let bearer = |at: usize| requests[at].split_once("authorization: Bearer ").unwrap().1;
    assert!(bearer(0).starts_with("eyJ") && bearer(1).starts_with("eyJ"));
    assert!(bearer(2).starts_with(MINTED) && bearer(3).starts_with(MINTED));
    let (_, body) = requests[1].split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let expected = serde_json::json!({
        "repositories": ["web", "API"],
        "permissions": { "contents": "write" },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_server_that_repeats_a_jwt_or_a_minted_token_shows_neither() {
    for repeats in ["GET /api/v3/users/", "POST /api/v3/app/", "POST /api/v3/repos/"] {
        let others = github(echo);
        let server = Server::start(move |request| {
            if request.starts_with(repeats) { echo(request) } else { others(request) }
        })
        .await;
        let answer = sent(&client(&server, &["acme/web"]), "acme/web").await;
        let told = match answer.result {
            Ok(reply) => reply.message.unwrap(),
            Err(error) => error.to_string(),
        };
        assert!(told.contains("Bearer ***"), "{repeats}: {told}");
    }
}

#[tokio::test]
async fn a_jwt_and_a_token_go_to_no_other_origin() {
    let other = Server::start(|_| http("200 OK", "", "{}")).await;
    let port = other.address.port();
    for redirected in ["GET /api/v3/users/", "POST /api/v3/app/", "POST /api/v3/repos/"] {
        let others = github(|_| http("204 No Content", "", ""));
        let server = Server::start(move |request| {
            if request.starts_with(redirected) {
                return http(
                    "307 Temporary",
                    &format!("location: http://127.0.0.1:{port}/x\r\n"),
                    "",
                );
            }
            others(request)
        })
        .await;
        match sent(&client(&server, &["acme/web"]), "acme/web").await.result {
            Ok(reply) => assert_eq!(reply.refused, Some(RefusedRedirect::OtherOrigin)),
            Err(error) => assert!(error.to_string().contains("the token must not go"), "{error}"),
        }
    }
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_no_token() {
    for body in [
        r#"{"token":"a\r\nx-evil: 1","expires_at":"2100-01-01T00:00:00Z"}"#,
        r#"{"token":"","expires_at":"2100-01-01T00:00:00Z"}"#,
        "[]",
        "",
    ] {
        let server = Server::start(move |request| {
            if request.starts_with("POST /api/v3/app/") {
                return http("201 Created", "", body);
            }
            github(|_| http("204 No Content", "", ""))(request)
        })
        .await;
        let client = client(&server, &["acme/web", "acme/api"]);
        for repo in ["acme/web", "acme/api"] {
            let error = sent(&client, repo).await.result.unwrap_err();
            assert_eq!(error.kind, TransportKind::NoToken, "{error}");
        }
        assert_eq!(server.requests().len(), 2, "what is final is asked once");
    }
}
