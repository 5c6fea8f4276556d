//! Issues and comments: who may do what, what is taken, and what a list shows.

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::*;

const ISSUES: &str = "/repos/acme/web/issues";

fn granted() -> Model {
    model()
        .repository_with("acme/off", Repository::issues_disabled)
        .token("stranger", Token::classic().scopes(&["public_repo"]).labelled("mallory"))
        .token("admin", Token::classic().admin_of("acme/web").labelled("ann"))
        .token("unscoped", Token::classic().scopes(&["gist"]))
        .token("fine-reads", Token::fine_grained().may_read_issues("acme/secret"))
        .token("fine-issues", Token::fine_grained().may_write_issues("acme/web").labelled("fay"))
        .token("app-issues", Token::installation().may_write_issues("acme/web").labelled("bot"))
        .token("run", Token::built_in("acme/web").may_write_issues("acme/web"))
}

fn send(
    model: &mut Model,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> (u16, Value) {
    let request =
        Request { method: method.to_owned(), body: body.as_bytes().to_vec(), ..post(path, token) };
    match ask(model, &request) {
        Answer { status, body: Body::Json(value), .. } => (status, value),
        other => panic!("{method} {path}: {other:?}"),
    }
}

fn message(value: &Value) -> &str {
    value["message"].as_str().unwrap_or_default()
}

#[test]
fn who_may_write_is_known_by_kind_and_only_who_may_triage_sets_labels() {
    let body = json!({ "title": "t", "body": "b", "labels": ["x", { "name": "y" }] }).to_string();
    for (token, status, said, login, kind, association, labels) in [
        (None, 401, "Requires authentication", "", "", "", 0),
        (Some("unscoped"), 404, "Not Found", "", "", "", 0),
        (Some("fine"), 403, "Resource not accessible by personal access token", "", "", "", 0),
        (Some("app"), 403, "Resource not accessible by integration", "", "", "", 0),
        (Some("built-in"), 403, "Resource not accessible by integration", "", "", "", 0),
        (Some("stranger"), 201, "", "mallory", "User", "NONE", 0),
        (Some("admin"), 201, "", "ann", "User", "OWNER", 2),
        (Some(SECRET), 201, "", "everything", "User", "COLLABORATOR", 2),
        (Some("fine-issues"), 201, "", "fay", "User", "NONE", 0),
        (Some("app-issues"), 201, "", "bot[bot]", "Bot", "NONE", 2),
        (Some("run"), 201, "", "github-actions[bot]", "Bot", "NONE", 2),
    ] {
        let mut model = granted();
        let (found, value) = send(&mut model, "POST", ISSUES, token, &body);
        assert_eq!((found, message(&value)), (status, said), "{token:?}");
        let issues = model.issues_of("ACME/Web");
        assert_eq!(issues.len(), usize::from(status == 201), "{token:?}");
        if let [issue] = issues {
            let author = (value["user"]["login"].as_str(), value["user"]["type"].as_str());
            assert_eq!(author, (Some(login), Some(kind)));
            assert_eq!(value["author_association"], association, "{token:?}");
            assert_eq!((issue.labels.len(), issue.open), (labels, true), "{token:?}");
        }
    }
}

#[test]
fn only_a_private_repositorys_issues_ask_for_the_permission_to_read() {
    for (repository, token, status) in [
        ("acme/web", None, 200),
        ("acme/web", Some("fine"), 200),
        ("acme/web", Some("built-in"), 200),
        ("acme/secret", None, 404),
        ("acme/secret", Some("fine"), 403),
        ("acme/secret", Some("fine-reads"), 200),
        ("acme/secret", Some(SECRET), 200),
    ] {
        let mut model = granted();
        let request = get(&format!("/repos/{repository}/issues"), token);
        let answer = ask(&mut model, &request);
        assert_eq!(answer.status, status, "{repository} {token:?}");
        let newer = token.is_some_and(|it| it != SECRET) && status != 404;
        let asked = answer.header_value("x-accepted-github-permissions");
        assert_eq!(asked, newer.then_some("issues=read"), "{repository} {token:?}");
    }
}

#[test]
fn what_github_does_not_take_it_refuses_in_its_words() {
    let long = |count: usize| "é".repeat(count);
    let valid = json!({ "title": long(256), "body": long(65_536) }).to_string();
    let no_title = json!({ "resource": "Issue", "code": "missing_field", "field": "title" });
    let too_long = |resource: &str, field: &str, longest: usize| {
        json!({
            "resource": resource, "code": "custom", "field": field,
            "message": format!("{field} is too long (maximum is {longest} characters)"),
        })
    };
    let invalid = |field: &str| json!({ "resource": "Issue", "code": "invalid", "field": field });
    let comments = "/repos/acme/web/issues/1/comments";
    let one = "/repos/acme/web/issues/1";
    for (method, path, body, status, said, error) in [
        ("POST", ISSUES, valid, 201, "", Value::Null),
        (
            "POST",
            ISSUES,
            String::new(),
            422,
            "Invalid request.\n\nFor 'links/0/schema', nil is not an object.",
            Value::Null,
        ),
        ("POST", ISSUES, "{".to_owned(), 400, "Problems parsing JSON", Value::Null),
        ("POST", ISSUES, "[]".to_owned(), 400, "Body should be a JSON object", Value::Null),
        ("POST", ISSUES, "{}".to_owned(), 422, "Validation Failed", no_title.clone()),
        (
            "POST",
            ISSUES,
            json!({ "title": " " }).to_string(),
            422,
            "Validation Failed",
            no_title.clone(),
        ),
        ("POST", ISSUES, json!({ "title": 7 }).to_string(), 422, "Validation Failed", no_title),
        (
            "POST",
            ISSUES,
            json!({ "title": long(257) }).to_string(),
            422,
            "Validation Failed",
            too_long("Issue", "title", 256),
        ),
        (
            "POST",
            ISSUES,
            json!({ "title": "t", "body": long(65_537) }).to_string(),
            422,
            "Validation Failed",
            too_long("Issue", "body", 65_536),
        ),
        (
            "PATCH",
            one,
            json!({ "state": "shut" }).to_string(),
            422,
            "Validation Failed",
            invalid("state"),
        ),
        (
            "PATCH",
            one,
            json!({ "state_reason": 1 }).to_string(),
            422,
            "Validation Failed",
            invalid("state_reason"),
        ),
        ("PATCH", "/repos/acme/web/issues/9", "{}".to_owned(), 404, "Not Found", Value::Null),
        (
            "POST",
            comments,
            "{}".to_owned(),
            422,
            "Validation Failed",
            json!({ "resource": "IssueComment", "code": "missing_field", "field": "body" }),
        ),
        (
            "POST",
            comments,
            json!({ "body": long(65_537) }).to_string(),
            422,
            "Validation Failed",
            too_long("IssueComment", "body", 65_536),
        ),
        (
            "POST",
            "/repos/acme/web/issues/9/comments",
            json!({ "body": "x" }).to_string(),
            404,
            "Not Found",
            Value::Null,
        ),
        (
            "POST",
            "/repos/acme/off/issues",
            json!({ "title": "t" }).to_string(),
            410,
            "Issues are disabled for this repo",
            Value::Null,
        ),
        (
            "POST",
            "/repos/acme/attic/issues",
            json!({ "title": "t" }).to_string(),
            403,
            "Repository was archived so is read-only.",
            Value::Null,
        ),
    ] {
        let mut model = granted();
        model.open_issue("acme/web", Draft::by(Author::person("o", "OWNER"), "first", ""));
        let (found, value) = send(&mut model, method, path, Some(SECRET), &body);
        assert_eq!((found, message(&value)), (status, said), "{method} {path}");
        assert_eq!(value["errors"][0], error, "{method} {path}");
        let issues = model.issues_of("acme/web");
        assert_eq!(issues.len(), if status == 201 { 2 } else { 1 });
        assert!(issues[0].comments.is_empty() && issues[0].open);
    }
}

#[test]
fn an_issue_changes_as_it_is_told_and_by_whom_it_may() {
    let mut model = granted();
    model.open_issue("acme/web", Draft::by(Author::person("o", "OWNER"), "t", "b").label("x"));
    let one = "/repos/acme/web/issues/1";
    let close = json!({ "state": "closed", "state_reason": "not_planned" }).to_string();
    let (status, value) = send(&mut model, "PATCH", one, Some("stranger"), &close);
    assert_eq!((status, message(&value)), (403, "Must have admin rights to Repository."));
    let (status, value) = send(&mut model, "PATCH", one, Some("run"), &close);
    assert_eq!(
        (status, &value["state"], &value["state_reason"]),
        (200, &json!("closed"), &json!("not_planned"))
    );
    assert_eq!(
        (&value["title"], &value["body"], value["labels"].as_array().unwrap().len()),
        (&json!("t"), &json!("b"), 1)
    );
    let open = json!({ "state": "open", "body": null, "labels": [] }).to_string();
    let (_, value) = send(&mut model, "PATCH", one, Some("run"), &open);
    assert_eq!(
        (&value["state_reason"], &value["body"], &value["labels"]),
        (&json!("reopened"), &Value::Null, &json!([]))
    );
    let said = json!({ "body": "hello" }).to_string();
    let (status, value) =
        send(&mut model, "POST", &format!("{one}/comments"), Some("stranger"), &said);
    assert_eq!(
        (status, &value["body"], &value["user"]["login"]),
        (201, &json!("hello"), &json!("mallory"))
    );
    let (_, value) = json_at(&mut model, &format!("{one}/comments"), None);
    assert_eq!(
        (value.as_array().unwrap().len(), &value[0]["author_association"]),
        (1, &json!("NONE"))
    );
    assert_eq!(json_at(&mut model, one, None).1["comments"], 1);
    assert_eq!(model.comments_of("acme/web", 1)[0].body, "hello");
}

#[test]
fn a_list_shows_what_its_query_asks_for_newest_first() {
    let clock = VirtualClock::default();
    let mut model = granted().clock(clock.now());
    let draft = |name: &str| Draft::by(Author::person(name, "NONE"), name, "");
    for (at, draft) in [
        draft("1").label("a").label("b"),
        draft("2").label("A").closed(),
        draft("3").pull_request(),
        draft("4"),
    ]
    .into_iter()
    .enumerate()
    {
        clock.set(at as i64);
        model.open_issue("acme/web", draft.clone());
        model.open_issue("acme/off", draft);
    }
    clock.set(9);
    send(&mut model, "POST", &format!("{ISSUES}/1/comments"), Some("run"), r#"{"body":"x"}"#);
    for (query, expected) in [
        ("", "4 3 1"),
        ("?state=open", "4 3 1"),
        ("?state=all", "4 3 2 1"),
        ("?state=closed", "2"),
        ("?state=all&labels=a", "2 1"),
        ("?state=all&labels=B,a", "1"),
        ("?labels=c", ""),
        ("?direction=asc&state=all&sort=created", "1 2 3 4"),
        ("?sort=updated", "1 4 3"),
        ("?state=all&per_page=3&page=2", "1"),
    ] {
        let (status, value) = json_at(&mut model, &format!("{ISSUES}{query}"), None);
        let numbers: Vec<String> =
            value.as_array().unwrap().iter().map(|it| it["number"].to_string()).collect();
        assert_eq!((status, numbers.join(" ").as_str()), (200, expected), "{query}");
    }
    let answer = ask(&mut model, &get(&format!("{ISSUES}?state=all&per_page=3"), None));
    assert!(answer.header_value("link").unwrap().contains("page=2>; rel=\"next\""));
    // Where issues are off, pull requests are left.
    let (_, value) = json_at(&mut model, "/repos/acme/off/issues?state=all", None);
    assert_eq!((value.as_array().unwrap().len(), &value[0]["number"]), (1, &json!(3)));
    assert!(value[0]["pull_request"].is_object());
    assert_eq!(json_at(&mut model, "/repos/acme/off/issues/1", None).0, 410);
    assert_eq!(json_at(&mut model, "/repos/acme/off/issues/3", None).0, 200);
}

#[test]
fn a_write_to_a_former_name_is_sent_on_with_its_method_and_a_read_as_ever() {
    let mut model = granted();
    for (method, status) in [("GET", 301), ("POST", 307)] {
        let request = Request {
            method: method.to_owned(),
            ..post("/repos/acme/old/issues?x=1", Some("run"))
        };
        let answer = ask(&mut model, &request);
        assert_eq!(answer.status, status);
        assert!(answer.header_value("location").unwrap().ends_with("/issues?x=1"));
    }
    for path in [
        "issues/",
        "issues/x",
        "issues/1/x",
        "issues/1/comments/2",
        "issues/+1",
        "issues/99999999999999999999",
    ] {
        for method in ["GET", "POST", "PATCH"] {
            let path = format!("/repos/acme/web/{path}");
            assert_eq!(
                send(&mut model, method, &path, Some("run"), "{}").0,
                404,
                "{method} {path}"
            );
        }
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(send(&mut model, method, ISSUES, Some("run"), "{}").0, 404);
    }
}

#[test]
fn what_happens_between_two_requests_happens_once_and_before_the_second() {
    let mut model = granted();
    model.before_request(2, |model| {
        model.open_issue("acme/web", Draft::by(Author::app("other"), "t", "b"));
    });
    let counts: Vec<usize> =
        (0..3).map(|_| json_at(&mut model, ISSUES, None).1.as_array().unwrap().len()).collect();
    assert_eq!(counts, [0, 1, 1]);
    assert_eq!(model.open_issue("acme/nowhere", Draft::by(Author::app("x"), "t", "b")), None);
    assert_eq!(
        (model.issues_of("acme/nowhere").len(), model.comments_of("acme/web", 9).len()),
        (0, 0)
    );
}
