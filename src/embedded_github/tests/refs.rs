//! Refs, branches, files and runs of a repository with a real history.

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::git::{bare, commit};
use super::*;

const REFS: &str = "/repos/acme/web/git/refs";

fn hub() -> (Model, tempfile::TempDir) {
    let root = tempfile::tempdir().unwrap();
    bare(root.path());
    commit(root.path(), "main", &[("a", "1\n")]);
    let dir = root.path().to_owned();
    let model = model().limits(Limits::none());
    let model = model
        .token("fine-p", Token::fine_grained().may_write_pull_requests("acme/web"))
        .repository_with("acme/web", |it| it.file("stale", "x").git(&dir).protected("release"));
    (model, root)
}

fn send(model: &mut Model, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request { method: method.to_owned(), body, ..post(path, Some(SECRET)) };
    let Answer { status, body, .. } = ask(model, &request);
    match body {
        Body::Json(value) => (status, value),
        _ => (status, Value::Null),
    }
}

fn words(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["message"].as_str().unwrap_or_default())
}

#[test]
fn refs_are_made_moved_and_deleted() {
    let (mut model, root) = hub();
    let first = commit(root.path(), "main", &[("a", "2\n")]);
    let second = commit(root.path(), "main", &[("a", "3\n")]);
    let make = |name: &str, sha: &str| json!({"ref": name, "sha": sha});
    let made = send(&mut model, "POST", REFS, make("refs/heads/x/y", &first));
    assert_eq!(made.0, 201);
    assert_eq!(
        (&made.1["ref"], &made.1["object"]["sha"]),
        (&json!("refs/heads/x/y"), &json!(first))
    );
    for (body, message) in [
        (make("refs/heads/x/y", &first), "Reference already exists"),
        (make("refs/heads/x", &first), "'refs/heads/x/y' exists; cannot create 'refs/heads/x'"),
        (make("refs/heads/z", &"1".repeat(40)), "Object does not exist"),
        (make("refs/heads/z", "main"), "Object does not exist"),
        (make("refs/heads/a..b", &first), "refs/heads/a..b is not a valid ref name."),
        (make("refs/pull/1/head", &first), "Reference cannot be written"),
        (
            make("heads/z", &first),
            "Reference name must start with 'refs' and have at least two slashes.",
        ),
        (json!({"sha": first}), "Invalid request.\n\n\"ref\" wasn't supplied."),
    ] {
        assert_eq!(words(&send(&mut model, "POST", REFS, body)), (422, message));
    }
    let one = format!("{REFS}/heads/x/y");
    assert_eq!(send(&mut model, "PATCH", &one, json!({"sha": second})).1["object"]["sha"], second);
    let back = send(&mut model, "PATCH", &one, json!({"sha": first}));
    assert_eq!(words(&back), (422, "Update is not a fast forward"));
    assert_eq!(send(&mut model, "PATCH", &one, json!({"sha": first, "force": true})).0, 200);
    let gone = format!("{REFS}/heads/gone");
    let answer = send(&mut model, "PATCH", &gone, json!({"sha": first}));
    assert_eq!(words(&answer), (422, "Reference does not exist"));
    assert_eq!(send(&mut model, "DELETE", &one, Value::Null).0, 204);
    let answer = send(&mut model, "DELETE", &one, Value::Null);
    assert_eq!(words(&answer), (422, "Reference does not exist"));
    let main = format!("{REFS}/heads/main");
    assert_eq!(send(&mut model, "DELETE", &main, Value::Null).0, 422, "the default branch stays");
    assert_eq!(send(&mut model, "POST", REFS, make("refs/heads/release", &second)).0, 201);
    let release = format!("{REFS}/heads/release");
    for (method, body) in [("PATCH", json!({"sha": first, "force": true})), ("DELETE", Value::Null)]
    {
        let answer = send(&mut model, method, &release, body);
        let message = "Protected branch update failed for refs/heads/release.";
        assert_eq!(words(&answer), (422, message), "{method}");
    }
    for token in ["fine-p", "classic"] {
        let request = Request {
            body: make("refs/heads/n", &first).to_string().into_bytes(),
            ..post(REFS, Some(token))
        };
        let status = ask(&mut model, &request).status;
        assert_eq!(status, if token == "classic" { 404 } else { 403 }, "{token}");
    }
}

#[test]
fn refs_are_shown_one_by_one_and_by_their_beginning() {
    let (mut model, root) = hub();
    let dir = root.path();
    let ids = ["feature-a", "feature-b", "other"].map(|name| commit(dir, name, &[(name, name)]));
    let at = |model: &mut Model, below: &str| {
        json_at(model, &format!("/repos/acme/web/git/{below}"), Some("classic"))
    };
    let (status, shown) = at(&mut model, "ref/heads/feature-a");
    assert_eq!((status, &shown["object"]["sha"]), (200, &json!(ids[0])));
    assert_eq!(shown["object"]["type"], "commit");
    assert_eq!(at(&mut model, "ref/heads/feature").0, 404, "a beginning is no ref");
    let (_, all) = at(&mut model, "matching-refs/heads/feature");
    let names: Vec<_> = all.as_array().unwrap().iter().map(|it| it["ref"].as_str()).collect();
    assert_eq!(names, [Some("refs/heads/feature-a"), Some("refs/heads/feature-b")]);
    assert_eq!(at(&mut model, "matching-refs/heads/none").1, json!([]));
}

#[test]
fn files_branches_and_runs_are_those_of_the_history() {
    let (mut model, root) = hub();
    let show = |model: &mut Model, below: &str| {
        json_at(model, &format!("/repos/acme/web{below}"), Some(SECRET))
    };
    assert_eq!(show(&mut model, "/contents/stale").0, 404);
    assert_eq!(show(&mut model, "/contents/a").1["content"], "MQo=\n");
    let workflow = "on: { repository_dispatch: }\n";
    let head = commit(
        root.path(),
        "main",
        &[("a", "2\n"), ("d/ü", "3"), (".github/workflows/sync.yml", workflow)],
    );
    assert_eq!(show(&mut model, "/contents/a").1["content"], "Mgo=\n");
    assert_eq!(show(&mut model, "/contents/d/%C3%BC").0, 200);
    let (_, branch) = show(&mut model, "/branches/main");
    assert_eq!((&branch["name"], &branch["commit"]["sha"]), (&json!("main"), &json!(head)));
    assert_eq!(branch["protected"], false);
    let (status, answer) = show(&mut model, "/branches/gone");
    assert_eq!((status, &answer["message"]), (404, &json!("Branch not found")));
    commit(root.path(), "x/y", &[("b", "b")]);
    assert_eq!(show(&mut model, "/branches/x/y").1["name"], "x/y");
    assert_eq!(show(&mut model, "/branches").1.as_array().unwrap().len(), 2);
    assert_eq!(show(&mut model, "/contents/b?ref=x/y").0, 200);
    assert_eq!(show(&mut model, "/actions/workflows").1["total_count"], 1);
    let sent = ask(&mut model, &post("/repos/acme/web/dispatches", Some(SECRET)));
    assert_eq!(sent.status, 204);
    let runs = model.runs_for("acme/web");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].path, ".github/workflows/sync.yml");
}
