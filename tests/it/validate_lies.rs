//! `ecosystem validate --online` against servers that are not GitHub, or lie: whatever they answer,
//! the run ends with a finding, the token goes nowhere else, and no name becomes a command.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::ecosystem::{Done, Run};
use crate::support::loopback::{Loopback, Request, Response};
use crate::support::repository::Sandbox;

const TOKEN: &str = "canary-pat-77aa01";

/// Validates `acme/web` against a server, in the sample monorepo.
fn validated(server: &Loopback, format: &str) -> Done {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let list = json!([{"repo": "acme/web", "subscriptions": ["docs"]}]);
    std::fs::write(sandbox.path().join("list.json"), list.to_string()).unwrap();
    let done = Run::new(&sandbox)
        .dir(&bare)
        .args(["validate", "--online", "--ecosystem", "../list.json", "--format", format])
        .env("GITHUB_API_URL", server.url())
        .env("ECOSYSTEM_PAT", TOKEN)
        .env("GITHUB_ACTIONS", "true")
        .run();
    let said = format!("{}{}", done.stdout, done.stderr);
    let said = said.replace(&format!("::add-mask::{TOKEN}"), "");
    assert!(!said.contains(TOKEN), "{said}");
    done
}

fn codes(done: &Done) -> Vec<String> {
    let all = done.json();
    let each = all["diagnostics"].as_array().unwrap().iter();
    each.map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

fn ok(body: impl Into<Vec<u8>>) -> Response {
    Response { status: "200 OK".to_owned(), headers: Vec::new(), body: body.into() }
}

fn repository() -> Value {
    json!({"full_name": "acme/web", "default_branch": "main", "permissions": {"push": true}})
}

/// Answers for the repository itself with `described`, and for what is below with `below`.
fn serve(
    described: impl Fn() -> Response + Send + Sync + 'static,
    below: impl Fn(&str) -> Response + Send + Sync + 'static,
) -> Loopback {
    Loopback::start(move |request: &Request| match request.target.strip_prefix("/repos/acme/web") {
        Some("") => described(),
        Some(path) => below(path),
        None => Response::status("404 Not Found"),
    })
}

#[test]
fn a_description_that_is_none_is_unreachable() {
    for body in [
        "",
        "[]",
        "null",
        "<html>proxy</html>",
        r#"{"default_branch": "main"}"#,
        r#"{"full_name": "../../evil", "default_branch": "main"}"#,
        r#"{"full_name": 7, "default_branch": "main"}"#,
        r#"{"full_name": "acme/web", "default_branch": "main", "permissions": "all"}"#,
        "{\"full_name\": \"acme/w\u{0}b\", \"default_branch\": \"main\"}",
    ] {
        let server = serve(move || ok(body), |_| Response::status("404 Not Found"));
        let done = validated(&server, "json").expect_code(1);
        assert_eq!(codes(&done), ["unreachable"], "{body}");
    }
}

#[test]
fn the_token_follows_no_answer_to_another_server() {
    let other = Loopback::start(|_| ok(repository().to_string()));
    let target = format!("location: {}/repos/acme/web", other.url());
    let server = serve(
        move || Response::status("301 Moved Permanently").header(target.clone()),
        |_| Response::status("404 Not Found"),
    );
    let done = validated(&server, "json").expect_code(1);
    assert_eq!(codes(&done), ["unreachable"]);
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn names_that_a_server_makes_up_stay_names() {
    let names = [
        "..",
        "../../../user.yml",
        "a/b.yml",
        "\n::error::x.yml",
        "..%2f..%2fx.yml",
        "##[error]\u{202e}.yaml",
        ".yml",
        &"x".repeat(3000),
    ];
    let entries: Vec<Value> =
        names.iter().map(|name| json!({"type": "file", "name": name, "sha": ""})).collect();
    let listing = Value::Array(entries).to_string();
    for format in ["json", "human"] {
        let listing = listing.clone();
        let server = serve(
            || ok(repository().to_string()),
            move |path| match path {
                "/contents/.github/workflows" => ok(listing.as_str()),
                _ => ok("{}"),
            },
        );
        let done = validated(&server, format).expect_code(1);
        let said = format!("{}{}", done.stdout, done.stderr);
        assert!(!said.lines().any(|line| line.starts_with("::error::x")), "{said}");
        assert!(!said.contains("##[error]") && !said.contains('\u{202e}'), "{said}");
        for request in server.requests() {
            assert!(request.target.starts_with("/repos/acme/web"), "{}", request.target);
            assert!(!request.target.contains("../"), "{}", request.target);
        }
    }
}

#[test]
fn files_that_are_none_are_told_and_hide_no_other() {
    let text = |content: &str| {
        json!({"type": "file", "encoding": "base64", "content": STANDARD.encode(content)})
            .to_string()
    };
    let listener = text("on: repository_dispatch\njobs: {}\n");
    // The second is what is found where no other file listens.
    for (odd, alone) in [
        ("", "unreachable"),
        ("[]", "no-listener"),
        (r#"{"type": "submodule"}"#, "no-listener"),
        (r#"{"type": "file", "encoding": "base64", "content": "%%%"}"#, "unreachable"),
        (r#"{"type": "file", "encoding": "base64", "content": "/w=="}"#, "no-listener"),
        (r#"{"type": "file", "encoding": "none", "content": ""}"#, "no-listener"),
        (r#"{"type": "file", "download_url": "http://x"}"#, "unreachable"),
        (&text("on: [push\n"), "no-listener"),
        (&text("&a [*a]"), "no-listener"),
    ] {
        for with_listener in [true, false] {
            let (odd, listener) = (odd.to_owned(), listener.clone());
            let server = serve(
                || ok(repository().to_string()),
                move |path| match path {
                    "/contents/.github/workflows" if with_listener => ok(json!([
                        {"name": "odd.yml", "sha": "1"}, {"type": "file", "name": "good.yaml"},
                    ])
                    .to_string()),
                    "/contents/.github/workflows" => {
                        ok(json!([{"name": "odd.yml", "sha": "1"}]).to_string())
                    }
                    "/contents/.github/workflows/good.yaml" => ok(listener.as_str()),
                    "/contents/.github/workflows/odd.yml" => ok(odd.as_str()),
                    _ => Response::status("404 Not Found"),
                },
            );
            let done = validated(&server, "json").expect_code(i32::from(!with_listener));
            let expected = match (with_listener, alone) {
                (false, alone) => vec![alone],
                // What the other file does is not known then.
                (true, "unreachable") => vec!["not-checked"],
                (true, _) => vec![],
            };
            assert_eq!(codes(&done), expected);
        }
    }
}

#[test]
fn what_is_not_told_is_never_taken_for_well() {
    let caller = "on: repository_dispatch\njobs: {a: {uses: ./.github/workflows/callee.yml}}\n";
    let file = json!({"content": STANDARD.encode(caller)}).to_string();
    for (odd, status, expected, code) in [
        ("/contents/.github/workflows/callee.yml", "403 Forbidden", "not-checked", 0),
        ("/contents/.github/workflows/callee.yml", "404 Not Found", "not-checked", 0),
        ("/contents/.github/workflows/b.yml", "403 Forbidden", "not-checked", 0),
        ("/contents/subscriptions.json", "403 Forbidden", "not-checked", 0),
        ("/contents/subscriptions.json", "204 No Content", "not-checked", 0),
        ("/contents/.github/workflows", "403 Forbidden", "token-cannot-read", 1),
        ("/contents/.github/workflows", "204 No Content", "unreachable", 1),
        ("", "202 Accepted", "unreachable", 1),
        ("", "451 Unavailable", "repo-disabled", 1),
    ] {
        let file = file.clone();
        let server = Loopback::start(move |request: &Request| {
            let path = request.target.strip_prefix("/repos/acme/web").unwrap();
            match path {
                path if path == odd => Response::status(status),
                "" => ok(repository().to_string()),
                "/contents/.github/workflows" => ok(json!([
                    {"name": "a.yml", "sha": "1"}, {"name": "b.yml", "sha": "2"},
                ])
                .to_string()),
                "/contents/.github/workflows/a.yml" => ok(file.as_str()),
                path if path.ends_with(".yml") => {
                    ok(json!({"content": STANDARD.encode("on: push\n")}).to_string())
                }
                _ => Response::status("404 Not Found"),
            }
        });
        let done = validated(&server, "json").expect_code(code);
        assert_eq!(codes(&done), [expected], "{odd} {status}");
    }
}

#[test]
fn a_cousin_of_a_thousand_workflows_costs_no_thousand_requests() {
    let mut calls = String::from("on: repository_dispatch\njobs:\n");
    for n in 0..500 {
        let _ = write!(calls, "  j{n}:\n    uses: ./.github/workflows/w{n}.yml\n");
    }
    for text in ["on: push\njobs: {}\n".to_owned(), calls] {
        let server = serve(
            || ok(repository().to_string()),
            move |path| match path {
                "/contents/.github/workflows" => {
                    let entries: Vec<Value> = (0..1000)
                        .map(|n| json!({"type": "file", "name": format!("sync{n}.yml")}))
                        .collect();
                    ok(Value::Array(entries).to_string())
                }
                path if path.starts_with("/contents/.github/workflows/") => ok(json!({
                    "type": "file", "encoding": "base64", "content": STANDARD.encode(&text),
                })
                .to_string()),
                _ => Response::status("404 Not Found"),
            },
        );
        validated(&server, "json");
        assert!(server.requests().len() < 50, "{}", server.requests().len());
    }
}

#[test]
fn an_answer_without_end_is_read_no_further_than_needed() {
    let server = serve(
        || ok(repository().to_string()),
        |path| match path {
            "/contents/.github/workflows" => ok(format!("[{}", " ".repeat(20 << 20))),
            _ => Response::status("404 Not Found"),
        },
    );
    let done = validated(&server, "json").expect_code(1);
    assert_eq!(codes(&done), ["unreachable"]);
}

#[test]
fn a_list_of_workflows_that_is_none_is_not_taken_for_an_empty_one() {
    for listing in ["", "7", "{}", "[7]", r#"[{"type": "file"}]"#] {
        let server = serve(
            || ok(repository().to_string()),
            move |path| match path {
                "/contents/.github/workflows" => ok(listing),
                _ => Response::status("404 Not Found"),
            },
        );
        let done = validated(&server, "json").expect_code(1);
        assert_eq!(codes(&done), ["unreachable"], "{listing}");
    }
}

#[test]
fn what_a_server_repeats_is_shown_without_the_token() {
    let script = format!(
        "on:\n  repository_dispatch: {{types: [{TOKEN}]}}\n  schedule: []\njobs:\n  a:\n    steps:\n      - run: echo {TOKEN} ${{{{ github.event.client_payload.x }}}}\n"
    );
    for text in [script.replace(&format!("[{TOKEN}]"), "[]"), script] {
        let server = serve(
            || ok(json!({"full_name": "acme/web", "default_branch": TOKEN}).to_string()),
            move |path| {
                let name = format!("sync-{TOKEN}.yml");
                match path {
                    "/contents/.github/workflows" => {
                        ok(json!([{"type": "file", "name": name}]).to_string())
                    }
                    "/contents/subscriptions.json" => ok(json!({
                        "type": "file", "encoding": "base64",
                        "content": STANDARD.encode(format!(r#"["{TOKEN}//"]"#)),
                    })
                    .to_string()),
                    path if path.ends_with(".yml") => ok(json!({
                        "type": "file", "encoding": "base64", "content": STANDARD.encode(&text),
                    })
                    .to_string()),
                    path if path.contains("branches") => {
                        ok(json!([{"name": format!("x{TOKEN}")}]).to_string())
                    }
                    _ => Response::status("404 Not Found"),
                }
            },
        );
        for format in ["json", "human"] {
            let done = validated(&server, format).expect_code(1);
            assert!(done.stdout.contains("***"), "{}", done.stdout);
        }
    }
}

#[test]
fn an_api_that_answers_404_to_all_knows_no_repository() {
    let server = Loopback::start(|_| Response::status("404 Not Found"));
    let done = validated(&server, "json").expect_code(1);
    assert_eq!(codes(&done), ["repo-not-found"]);
}
