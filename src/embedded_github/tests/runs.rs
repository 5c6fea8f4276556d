//! Which runs a dispatch starts, what they are called, and how they are listed.

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::*;

const LISTENS: &str = "name: Follow\non:\n  repository_dispatch:\n    types: [feature-update]\n";

/// A model whose clock is the one returned, with `acme/web` as described.
fn world(describe: impl FnOnce(Repository) -> Repository) -> (Model, VirtualClock) {
    let clock = VirtualClock::default();
    (model().clock(clock.now()).repository_with("acme/web", describe), clock)
}

fn dispatch(model: &mut Model, repository: &str, payload: Value) {
    let body = json!({ "event_type": "feature-update", "client_payload": payload });
    let path = format!("/repos/{repository}/dispatches");
    let request = Request { body: body.to_string().into_bytes(), ..post(&path, Some(SECRET)) };
    assert_eq!(ask(model, &request).status, 204);
}

fn titles(model: &Model) -> Vec<&str> {
    model.runs_for("acme/web").into_iter().map(|run| run.display_title.as_str()).collect()
}

fn runs(model: &mut Model, query: &str) -> Value {
    let (status, shown) = json_at(model, &format!("/repos/acme/web/actions/runs{query}"), None);
    assert_eq!(status, 200, "{query}");
    shown
}

/// Returns how many runs a query finds, and the numbers of those on the page.
fn numbers(model: &mut Model, query: &str) -> (u64, Vec<u64>) {
    let shown = runs(model, query);
    let numbers = shown["workflow_runs"].as_array().unwrap().iter();
    let numbers = numbers.map(|run| run["run_number"].as_u64().unwrap()).collect();
    (shown["total_count"].as_u64().unwrap(), numbers)
}

#[test]
fn a_dispatch_starts_each_workflow_of_the_default_branch_that_hears_it() {
    let (mut model, _) = world(|it| {
        it.file(".github/workflows/a.yml", LISTENS)
            .file(".github/workflows/b.yaml", "on: [push, repository_dispatch]\n")
            .file(".github/workflows/c.yml", "on: push\n")
            .file(".github/workflows/d.yml", LISTENS.replace("feature-update", "other"))
            .file(".github/workflows/e.yml", LISTENS)
            .workflow_state(".github/workflows/e.yml", "disabled_manually")
            .file(".github/workflows/broken.yml", "on: [")
            .file(".github/workflows/deeper/f.yml", LISTENS)
            .file("g.yml", LISTENS)
            .file_on("branch", ".github/workflows/h.yml", LISTENS)
    });
    dispatch(&mut model, "acme/web", json!({}));
    let started: Vec<_> = model
        .runs_for("Acme/Web")
        .into_iter()
        .map(|run| (run.path.as_str(), run.name.as_str(), run.display_title.as_str()))
        .collect();
    let b = ".github/workflows/b.yaml";
    assert_eq!(
        started,
        [(".github/workflows/a.yml", "Follow", "feature-update"), (b, b, "feature-update")]
    );
}

#[test]
fn nothing_starts_where_actions_are_off_or_the_dispatch_was_refused() {
    let (mut model, _) = world(|it| it.file(".github/workflows/a.yml", LISTENS).actions_disabled());
    dispatch(&mut model, "acme/web", json!({}));
    assert_eq!((model.events().len(), titles(&model).len()), (1, 0));
    let (mut model, _) = world(|it| it.file(".github/workflows/a.yml", LISTENS));
    for token in [None, Some("fine"), Some("wrong")] {
        ask(&mut model, &post("/repos/acme/web/dispatches", token));
    }
    model.fault("acme/web", Fault::status(502));
    ask(&mut model, &post("/repos/acme/web/dispatches", Some(SECRET)));
    assert_eq!(titles(&model), [""; 0]);
    model.fault("acme/web", Fault::status(502).delivered());
    ask(&mut model, &post("/repos/acme/web/dispatches", Some(SECRET)));
    assert_eq!(titles(&model), ["feature-update"], "it arrived, whatever was answered");
}

#[test]
fn a_run_is_called_what_its_workflow_says_with_the_events_values() {
    let payload = json!({ "dispatch_id": "5a", "n": 7, "yes": true, "list": [1], "no": null });
    for (run_name, title) in [
        ("Update ${{ github.event.client_payload.dispatch_id }}", "Update 5a"),
        ("\"[${{github.event.client_payload.dispatch_id}}] #1\"", "[5a] #1"),
        ("'a ${{ github.event.client_payload.n }}' # why", "a 7"),
        ("${{ github.event.client_payload.yes }}${{ github.event.action }}", "truefeature-update"),
        ("by ${{ github.event_name }}", "by repository_dispatch"),
        ("x${{ github.event.client_payload.list }}${{ github.actor }}", "x"),
        ("x${{ github.event.client_payload.gone }}", "x"),
        ("${{ github.event.client_payload.no }}", "feature-update"),
        ("x ${{ github.event.action", "x ${{ github.event.action"),
        ("''", "feature-update"),
    ] {
        let text = format!("run-name: {run_name}\n{LISTENS}");
        let (mut model, _) = world(|it| it.file(".github/workflows/a.yml", text));
        dispatch(&mut model, "acme/web", payload.clone());
        assert_eq!(titles(&model), [title], "{run_name}");
    }
}

#[test]
fn a_run_is_there_after_its_delay_and_moves_with_its_repository() {
    let (mut model, clock) =
        world(|it| it.file(".github/workflows/a.yml", LISTENS).runs_after(Duration::from_secs(5)));
    dispatch(&mut model, "acme/web", json!({}));
    clock.set(4);
    assert_eq!((titles(&model).len(), numbers(&mut model, "").0), (0, 0));
    clock.set(5);
    assert_eq!((titles(&model).len(), numbers(&mut model, "").0), (1, 1));
    model.rename("acme/web", "acme/site");
    assert_eq!(model.runs_for("acme/site").len(), 1);
    let moved = ask(&mut model, &get("/repos/acme/web/actions/runs?event=push", None));
    assert_eq!(moved.status, 301);
    let location = moved.header_value("location").unwrap();
    assert!(location.ends_with("/actions/runs?event=push"), "{location}");
}

#[test]
fn a_run_is_shown_as_github_shows_it() {
    let (mut model, _) = world(|it| it.file(".github/workflows/a.yml", LISTENS));
    dispatch(&mut model, "acme/web", json!({}));
    let shown = runs(&mut model, "");
    let run = &shown["workflow_runs"][0];
    let id = run["id"].as_u64().unwrap();
    assert_eq!(
        run,
        &json!({
            "id": id,
            "name": "Follow",
            "display_title": "feature-update",
            "event": "repository_dispatch",
            "status": "queued",
            "conclusion": null,
            "workflow_id": run["workflow_id"],
            "path": ".github/workflows/a.yml",
            "head_branch": "main",
            "run_number": 1,
            "run_attempt": 1,
            "created_at": "2027-01-15T08:00:00Z",
            "updated_at": "2027-01-15T08:00:00Z",
            "run_started_at": "2027-01-15T08:00:00Z",
            "url": format!("https://api.github.com/repos/acme/web/actions/runs/{id}"),
            "html_url": format!("https://github.com/acme/web/actions/runs/{id}"),
            "repository": run["repository"],
        })
    );
    let workflows = json_at(&mut model, "/repos/acme/web/actions/workflows", None).1;
    assert_eq!(run["workflow_id"], workflows["workflows"][0]["id"]);
    assert_eq!(run["repository"]["full_name"], "acme/web");
}

#[test]
fn runs_are_listed_newest_first_as_far_as_they_are_asked_for() {
    let (mut model, clock) = world(|it| it.file(".github/workflows/a.yml", LISTENS));
    for second in [0, 1, 1, 60, 86_400] {
        clock.set(second);
        dispatch(&mut model, "acme/web", json!({}));
        if second == 0 {
            model.conclude_runs("acme/web", "failure");
        }
    }
    let at = |second: i64| Timestamp::from_second(START + second).unwrap();
    for (query, found) in [
        (String::new(), &[5, 4, 3, 2, 1][..]),
        ("?event=repository_dispatch".to_owned(), &[5, 4, 3, 2, 1]),
        ("?event=push".to_owned(), &[]),
        ("?event=".to_owned(), &[5, 4, 3, 2, 1]),
        ("?status=queued".to_owned(), &[5, 4, 3, 2]),
        ("?status=completed".to_owned(), &[1]),
        ("?status=failure&event=repository_dispatch".to_owned(), &[1]),
        ("?status=success".to_owned(), &[]),
        (format!("?created=%3E%3D{}", at(1)), &[5, 4, 3, 2]),
        (format!("?created=>{}", at(1)), &[5, 4]),
        (format!("?created=<={}", at(1)), &[3, 2, 1]),
        (format!("?created=<{}", at(1)), &[1]),
        (format!("?created={}..{}", at(1), at(60)), &[4, 3, 2]),
        (format!("?created={}..*", at(60)), &[5, 4]),
        (format!("?created=*..{}", at(0)), &[1]),
        (format!("?created={}", at(60)), &[4]),
        ("?created=2027-01-15".to_owned(), &[4, 3, 2, 1]),
        ("?created=>2027-01-15".to_owned(), &[5]),
        ("?created=>=2027-01-15T09:00:01%2B01:00".to_owned(), &[5, 4, 3, 2]),
        ("?created=yesterday".to_owned(), &[]),
        ("?created=>=".to_owned(), &[]),
    ] {
        let expected = (found.len() as u64, found.to_vec());
        assert_eq!(numbers(&mut model, &query), expected, "{query}");
    }
    for (query, on_page) in [("?per_page=2", &[5, 4][..]), ("?per_page=2&page=3", &[1])] {
        assert_eq!(numbers(&mut model, query), (5, on_page.to_vec()), "{query}");
    }
    let path = "/repos/acme/web/actions/runs?created=>=2027-01-15&per_page=2";
    let answer = ask(&mut model, &get(path, None));
    let link = answer.header_value("link").unwrap();
    assert!(link.contains("created=%3E%3D2027-01-15&per_page=2&page=2>; rel=\"next\""), "{link}");
}

#[test]
fn runs_of_a_private_repository_are_for_tokens_with_actions() {
    let by_pat = (403, "Resource not accessible by personal access token");
    let by_app = (403, "Resource not accessible by integration");
    let sealed = |token: Token| token.may_write("acme/secret").may_not_read_actions("Acme/Secret");
    let mut model = model()
        .token("sealed", sealed(Token::fine_grained()).may_not_read_actions("acme/web"))
        .token("app-sealed", sealed(Token::installation()))
        .token("classic-sealed", sealed(Token::may_write_all()));
    for (token, secret, web) in [
        (None, (404, "Not Found"), (200, "")),
        (Some(SECRET), (200, ""), (200, "")),
        (Some("fine"), (200, ""), (200, "")),
        (Some("classic"), (404, "Not Found"), (200, "")),
        (Some("sealed"), by_pat, (200, "")),
        (Some("app-sealed"), by_app, (200, "")),
        (Some("classic-sealed"), (200, ""), (200, "")),
    ] {
        for (repository, expected) in [("acme/secret", secret), ("acme/web", web)] {
            for below in ["runs", "workflows"] {
                let path = format!("/repos/{repository}/actions/{below}");
                let answer = ask(&mut model, &get(&path, token));
                let seen = (answer.status, answer.message().unwrap_or_default());
                assert_eq!(seen, expected, "{path} {token:?}");
                let needs = answer.header_value("x-accepted-github-permissions");
                let told = token.is_some_and(|token| token.contains("sealed") || token == "fine");
                let told = told && token != Some("classic-sealed");
                assert_eq!(needs, told.then_some("actions=read"), "{path} {token:?}");
            }
        }
    }
}
