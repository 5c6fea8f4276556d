//! The client's reads against small servers on real sockets.

use pretty_assertions::assert_eq;

use super::server::{CANARY, Reaction, Server, http};
use super::*;

/// Returns the read of a workflow file.
fn file() -> Read {
    let repo = RepoName::parse("acme/web").unwrap();
    Read::new(&repo, &["contents", ".github", "a b#?.yml"], &[("ref", "x/y&z")]).unwrap()
}

async fn got(client: &Client, read: &Read) -> Answer {
    let answer = client.get(read, TokenId(0)).await;
    let shown = format!("{answer:?} {client:?}");
    assert!(!shown.contains("canary"), "the token was shown: {shown}");
    answer
}

/// Returns what a server that always reacts like this makes of a read, and how many requests it
/// got.
async fn answer_to(
    read: &Read,
    react: impl Fn(&str) -> Reaction + Send + 'static,
) -> (Answer, usize) {
    let server = Server::start(react).await;
    let answer = got(&server.client(), read).await;
    (answer, server.requests().len())
}

async fn reply_to(read: &Read, status: &'static str, headers: &'static str, body: &str) -> Reply {
    let body = body.to_owned();
    answer_to(read, move |_| http(status, headers, &body)).await.0.result.unwrap()
}

#[tokio::test]
async fn a_read_is_one_get_with_exactly_githubs_headers_and_no_body() {
    let server = Server::start(|_| http("200 OK", "", "{\"a\":1}")).await;
    let answer = got(&server.client(), &file()).await;
    let expected = Reply { status: 200, body: b"{\"a\":1}".to_vec(), ..Reply::default() };
    assert_eq!(answer, Answer { requests: 1, moved: None, result: Ok(expected) });
    let text = server.requests().concat();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let path = "/repos/acme/web/contents/.github/a%20b%23%3F.yml?ref=x%2Fy%26z";
    assert_eq!(lines.next(), Some(&*format!("GET {path} HTTP/1.1")));
    let mut headers: Vec<_> = lines.collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            "accept: application/vnd.github+json",
            &format!("authorization: Bearer {CANARY}"),
            &format!("host: {}", server.address),
            concat!("user-agent: ecosystem-dispatcher/", env!("CARGO_PKG_VERSION")),
            "x-github-api-version: 2022-11-28",
        ]
    );
    assert_eq!(body, "");
}

#[tokio::test]
async fn a_renamed_repository_is_read_where_it_is_now() {
    let below = "contents/.github/a%20b%23%3F.yml?ref=x%2Fy%26z";
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let server = Server::start(move |request| {
            if request.starts_with("GET /repositories/7/") {
                return http("200 OK", "", "here");
            }
            http(status, &format!("location: /repositories/7/{below}\r\n"), "moved")
        })
        .await;
        let answer = got(&server.client(), &file()).await;
        assert_eq!((answer.requests, answer.moved), (2, Some(Moved::ToId(7))), "{status}");
        assert_eq!(answer.result.unwrap().body, b"here");
        let requests = server.requests();
        let after_path = |text: &str| text.split_once(" HTTP/1.1").unwrap().1.to_owned();
        assert_eq!(after_path(&requests[0]), after_path(&requests[1]), "the token goes along");
        assert!(requests[1].starts_with(&format!("GET /repositories/7/{below} ")));
    }
}

#[tokio::test]
async fn another_address_of_the_same_repository_is_no_move() {
    for (location, moved) in [
        ("/repos/Acme/web/contents/b", None),
        ("/repos/acme/new/contents/b", Some(Moved::To(RepoName::parse("acme/new").unwrap()))),
        ("/elsewhere", Some(Moved::Elsewhere)),
    ] {
        let (answer, _) = answer_to(&file(), move |request| {
            if request.starts_with(&format!("GET {location} ")) {
                return http("200 OK", "", "");
            }
            http("302 Found", &format!("location: {location}\r\n"), "")
        })
        .await;
        assert_eq!((answer.requests, answer.moved), (2, moved), "{location}");
    }
}

#[tokio::test]
async fn a_read_is_not_redirected_to_another_origin_in_a_circle_or_a_fourth_time() {
    let other = Server::start(|_| http("200 OK", "", "mine")).await;
    let elsewhere = format!("location: http://{}/x\r\n", other.address);
    let own = "location: /repos/acme/web/contents/.github/a%20b%23%3F.yml?ref=x%2Fy%26z\r\n";
    for (status, headers, why) in [
        ("302 Found", elsewhere.as_str(), RefusedRedirect::OtherOrigin),
        ("301 Moved", own, RefusedRedirect::Loop),
        ("301 Moved", "", RefusedRedirect::NoLocation),
        ("307 Temporary", "location: http://[\r\n", RefusedRedirect::BadLocation),
        ("300 Choices", "location: /x\r\n", RefusedRedirect::NotForGet),
        ("303 See Other", "location: /x\r\n", RefusedRedirect::NotForGet),
        ("304 Not Modified", "", RefusedRedirect::NotForGet),
    ] {
        let headers = headers.to_owned();
        let (answer, requests) = answer_to(&file(), move |_| http(status, &headers, "")).await;
        assert_eq!((answer.requests, requests, &answer.moved), (1, 1, &None), "{status}");
        let reply = answer.result.unwrap();
        assert_eq!((reply.refused, reply.body.len()), (Some(why), 0), "{status}");
    }
    assert_eq!(other.requests(), Vec::<String>::new());

    let (answer, requests) = answer_to(&file(), |request| {
        let path = request.split([' ', '?']).nth(1).unwrap();
        http("301 Moved", &format!("location: {path}/x\r\n"), "")
    })
    .await;
    assert_eq!((answer.requests, requests), (4, 4));
    assert_eq!(answer.result.unwrap().refused, Some(RefusedRedirect::TooMany));
}

#[tokio::test]
async fn a_body_is_taken_up_to_the_limit_and_given_up_beyond_it() {
    let announced = |length: usize| http("200 OK", "", &"x".repeat(length));
    let streamed = |length: usize| {
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        Reaction::Say(format!("{head}{}", "x".repeat(length)))
    };
    for at_most in [0, 1, 100_000] {
        let read = file().at_most(at_most);
        for say in [announced, streamed] {
            for (length, too_large) in [(at_most, false), (at_most + 1, true), (8 << 20, true)] {
                let (answer, _) = answer_to(&read, move |_| say(length)).await;
                let reply = answer.result.unwrap();
                let taken = if too_large { 0 } else { length };
                let found = (reply.too_large, reply.body.len(), reply.broken);
                assert_eq!(found, (too_large, taken, false), "{at_most} {length}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_not_waited_for() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9999999999999\r\n\r\n";
    let (answer, _) = answer_to(&file(), move |_| Reaction::Say(head.to_owned())).await;
    let reply = answer.result.unwrap();
    assert_eq!((reply.too_large, reply.broken), (true, false));
}

#[tokio::test]
async fn a_body_that_broke_off_is_not_taken_for_a_whole_one() {
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"cut\":";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz";
    for text in [short, chunked] {
        let (answer, _) = answer_to(&file(), move |_| Reaction::Say(text.to_owned())).await;
        let reply = answer.result.unwrap();
        assert_eq!((reply.status, reply.broken, reply.body.len()), (200, true, 0), "{text:?}");
    }
}

#[tokio::test]
async fn what_tells_about_the_token_and_further_pages_is_read() {
    let some = |text: &str| Some(text.to_owned());
    for (headers, scopes, sso, next) in [
        ("", None, None, false),
        ("x-oauth-scopes: \r\n", some(""), None, false),
        ("x-oauth-scopes: repo, workflow\r\n", some("repo, workflow"), None, false),
        (
            "x-github-sso: required; url=https://github.com/orgs/acme/sso?authorization_request=A\r\n",
            None,
            some("required"),
            false,
        ),
        (
            "X-GitHub-SSO: partial-results; organizations=1,2\r\n",
            None,
            some("partial-results"),
            false,
        ),
        ("link: </x?page=2>; rel=\"next\"\r\n", None, None, true),
        ("link: </x?page=1>; rel=\"prev\"\r\n", None, None, false),
        ("link: </a>; rel=\"prev\"\r\nlink: </b>; rel=\"next\"\r\n", None, None, true),
    ] {
        for status in ["200 OK", "403 Forbidden"] {
            let reply = reply_to(&file(), status, headers, "{}").await;
            let found = (reply.oauth_scopes, reply.sso, reply.next_page);
            assert_eq!(found, (scopes.clone(), sso.clone(), next), "{headers}");
        }
    }
}

#[tokio::test]
async fn a_long_list_of_scopes_is_kept_whole() {
    const SCOPES: &str = "admin:enterprise, admin:gpg_key, admin:org, admin:org_hook, admin:public_key, admin:repo_hook, admin:ssh_signing_key, audit_log, codespace, copilot, delete:packages, delete_repo, gist, notifications, project, user, workflow, write:discussion, write:network_configurations, write:packages, read:many_things, repo";
    let (answer, _) =
        answer_to(&file(), |_| http("200 OK", &format!("x-oauth-scopes: {SCOPES}\r\n"), "")).await;
    assert_eq!(answer.result.unwrap().oauth_scopes.as_deref(), Some(SCOPES));
}

#[tokio::test]
async fn a_refused_read_has_githubs_message_and_no_body() {
    let headers = "x-accepted-github-permissions: contents=read\r\nx-ratelimit-remaining: 9\r\n";
    let reply = reply_to(&file(), "403 Forbidden", headers, r#"{"message":"No\nno"}"#).await;
    let limits = LimitHeaders { remaining: Some("9".to_owned()), ..LimitHeaders::default() };
    let expected = Reply {
        status: 403,
        message: Some("No\\nno".to_owned()),
        permissions: Some("contents=read".to_owned()),
        limits,
        ..Reply::default()
    };
    assert_eq!(reply, expected);
}

#[tokio::test]
async fn a_page_of_html_is_recognised_where_json_was_read() {
    for (content_type, html) in
        [("Text/HTML; charset=utf-8", true), ("application/json", false), ("text/plain", false)]
    {
        let headers = format!("content-type: {content_type}\r\n");
        let (answer, _) = answer_to(&file(), move |_| http("200 OK", &headers, "<html>")).await;
        assert_eq!(answer.result.unwrap().html, html, "{content_type}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_token_cannot_put_it_into_a_report() {
    let headers = format!("x-oauth-scopes: {CANARY}\r\nx-github-sso: {CANARY}; url=x\r\n");
    let server =
        Server::start(move |_| http("404 X", &headers, &format!("{{\"message\":\"{CANARY}\"}}")))
            .await;
    let client = server.client();
    let reply = got(&client, &file()).await.result.unwrap();
    for text in [reply.message, reply.oauth_scopes, reply.sso] {
        assert_eq!(text.as_deref(), Some("***"));
    }
    // A body is handed on as it came, and never as text.
    assert_eq!(client.redacted(format!("a {CANARY} b")), "a *** b");
}

#[tokio::test]
async fn a_token_that_is_not_there_reads_nothing() {
    let server = Server::start(|_| http("200 OK", "", "")).await;
    let answer = server.client().get(&file(), TokenId(1)).await;
    assert!(answer.result.is_err());
    assert_eq!((answer.requests, server.requests().len()), (0, 0));
}
