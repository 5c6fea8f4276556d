//! What is read, through a real socket: bodies, headers and redirects as a client meets them.

use pretty_assertions::assert_eq;
use reqwest::Method;

use super::*;

const RAW: &str = "application/vnd.github.raw+json";

async fn session() -> Session {
    let describe = |it: Repository| {
        it.file(".github/workflows/a b.yml", "on: repository_dispatch\n")
            .file("ü/x", [0, 255, 13, 10])
            .file("large", vec![b'x'; 3 << 20])
            .branch("b")
    };
    let model = model()
        .repository_with("acme/web", describe)
        .repository_with("acme/new", describe)
        .repository_with("acme/secret", describe)
        .token("admin", Token::fine_grained().admin_of("acme/web"))
        .token("outside", Token::may_write_all().needs_sso("acme"));
    Session::start(model).await
}

impl Session {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: &str,
        accept: &str,
    ) -> reqwest::Response {
        let url = format!("{}{path}", self.github.url());
        let request = self.client.request(method, url).bearer_auth(token);
        request.header("accept", accept).send().await.unwrap()
    }

    async fn read(&self, path: &str, token: &str) -> reqwest::Response {
        self.ask(Method::GET, path, token, "application/vnd.github+json").await
    }
}

#[tokio::test]
async fn each_endpoint_answers_get_and_head_alike_and_no_other_method() {
    let session = session().await;
    for below in [
        "",
        "/contents/.github/workflows",
        "/contents/.github%2Fworkflows%2Fa%20b.yml?ref=b",
        "/contents/%C3%BC/x",
        "/branches?per_page=1",
        "/actions/workflows?page=0",
        "/actions/runs?event=repository_dispatch&per_page=100",
        "/actions/permissions",
    ] {
        let path = format!("/repos/acme/web{below}");
        let read = session.read(&path, "admin").await;
        let head = session.ask(Method::HEAD, &path, "admin", "*/*").await;
        for name in ["content-type", "content-length", "link", "x-accepted-github-permissions"] {
            assert_eq!(header(&head, name), header(&read, name), "{path} {name}");
        }
        assert_eq!((read.status().as_u16(), head.status().as_u16()), (200, 200), "{path}");
        assert_eq!(head.bytes().await.unwrap().len(), 0, "{path}");
        json_of(read).await;
        for method in [Method::PUT, Method::DELETE, Method::POST, Method::OPTIONS] {
            let refused = session.ask(method.clone(), &path, "admin", "*/*").await;
            assert_eq!(refused.status(), 404, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_file_arrives_byte_for_byte_and_breaks_off_when_told_to() {
    let session = session().await;
    let raw = session.ask(Method::GET, "/repos/acme/web/contents/ü/x", SECRET, RAW).await;
    assert_eq!(header(&raw, "content-type"), "application/vnd.github.raw+json; charset=utf-8");
    assert_eq!(raw.bytes().await.unwrap().as_ref(), [0, 255, 13, 10]);

    let large = "/repos/acme/web/contents/large";
    let shown = json_of(session.read(large, SECRET).await).await;
    assert_eq!((&shown["encoding"], &shown["content"]), (&json!("none"), &json!("")));
    let raw = session.ask(Method::GET, large, SECRET, RAW).await;
    assert_eq!(raw.bytes().await.unwrap().len(), 3 << 20);

    session.github.fault("acme/web", Fault::truncated(200));
    let cut = session.ask(Method::GET, large, SECRET, RAW).await;
    assert!(cut.bytes().await.is_err());
    session.github.fault("acme/web", Fault::reset());
    let url = format!("{}{large}", session.github.url());
    assert!(session.client.get(url).send().await.is_err());
}

#[tokio::test]
async fn a_former_name_is_left_with_one_redirect() {
    let session = session().await;
    for below in ["/contents/%C3%BC/x?ref=b", "/branches?per_page=1&page=2", "/actions/workflows"] {
        let moved = session.read(&format!("/repos/acme/old{below}"), SECRET).await;
        assert_eq!(moved.status(), 301, "{below}");
        let location = header(&moved, "location").to_owned();
        assert!(location.ends_with(below), "{location}");
        let path = location.strip_prefix(session.github.url()).unwrap();
        assert_eq!(session.read(path, SECRET).await.status(), 200, "{location}");
    }
}

#[tokio::test]
async fn pages_are_linked_to_where_they_are_served() {
    let session = session().await;
    let first = session.read("/repos/acme/web/branches?per_page=1", SECRET).await;
    let link = header(&first, "link").to_owned();
    let next = link.split_once(">; rel=\"next\"").unwrap().0.trim_start_matches('<');
    assert_eq!(json_of(first).await[0]["name"], "b");
    let path = next.strip_prefix(session.github.url()).unwrap();
    assert_eq!(json_of(session.read(path, SECRET).await).await[0]["name"], "main");
}

#[tokio::test]
async fn refusals_arrive_with_their_words_and_headers() {
    let session = session().await;
    for (path, token, status, message, name, value) in [
        (
            "/repos/acme/web/actions/permissions",
            SECRET,
            403,
            "Must have admin rights to Repository.",
            "x-accepted-oauth-scopes",
            "repo",
        ),
        (
            "/repos/acme/web/actions/permissions",
            "fine",
            403,
            "Resource not accessible by personal access token",
            "x-accepted-github-permissions",
            "administration=read",
        ),
        (
            "/repos/acme/web",
            "outside",
            403,
            "Resource protected by organization SAML enforcement. You must grant your Personal \
             Access token access to this organization.",
            "x-github-sso",
            "required; url=https://github.com/orgs/acme/sso?authorization_request=EMBEDDED",
        ),
        (
            "/repos/acme/web/contents/x?ref=%F0%9F%A6%80",
            SECRET,
            404,
            "No commit found for the ref 🦀",
            "x-oauth-scopes",
            "repo",
        ),
        ("/repos/acme/attic/contents/", SECRET, 404, "This repository is empty.", "link", ""),
        ("/repos/acme/secret/contents/large", "classic", 404, "Not Found", "x-oauth-scopes", ""),
        ("/repos/acme/web/contents/..%2F..", SECRET, 404, "Not Found", "link", ""),
    ] {
        let refused = session.read(path, token).await;
        assert_eq!((refused.status().as_u16(), header(&refused, name)), (status, value), "{path}");
        assert_eq!(json_of(refused).await["message"], message, "{path}");
    }
}
