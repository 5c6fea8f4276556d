//! The model asked directly: every answer, limit and log entry, without a socket.

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::*;

#[test]
fn a_dispatch_is_answered_as_github_answers_it() {
    let not_found = "Not Found";
    let archived = "Repository was archived so is read-only.";
    let by_pat = "Resource not accessible by personal access token";
    let by_app = "Resource not accessible by integration";
    for (repository, token, status, message) in [
        ("acme/web", Some(SECRET), 204, ""),
        ("ACME/Web", Some(SECRET), 204, ""),
        ("acme/new", Some(SECRET), 204, ""),
        ("acme/secret", Some(SECRET), 204, ""),
        ("acme/new", Some("app"), 204, ""),
        ("acme/web", Some("built-in"), 204, ""),
        ("acme/old", Some(SECRET), 307, "Moved Permanently"),
        ("acme/attic", Some(SECRET), 403, archived),
        ("acme/blocked", Some(SECRET), 403, "Repository access blocked"),
        ("acme/gone", Some(SECRET), 404, not_found),
        ("acme/web/", Some(SECRET), 404, not_found),
        ("acme", Some(SECRET), 404, not_found),
        ("/web", Some(SECRET), 404, not_found),
        ("acme/web", Some("classic"), 404, not_found),
        ("acme/web", Some("fine"), 403, by_pat),
        ("acme/secret", Some("fine"), 403, by_pat),
        ("acme/web", Some("app"), 403, by_app),
        ("acme/new", Some("built-in"), 403, by_app),
        ("acme/attic", Some("app"), 403, by_app),
        ("acme/secret", Some("app"), 404, not_found),
        ("acme/secret", None, 404, not_found),
        ("acme/web", None, 401, "Requires authentication"),
        ("acme/web", Some("wrong"), 401, "Bad credentials"),
        ("acme/gone", Some("wrong"), 401, "Bad credentials"),
        ("acme/web", Some(""), 401, "Bad credentials"),
    ] {
        let mut model = model();
        let path = format!("/repos/{repository}/dispatches");
        let answer = ask(&mut model, &post(&path, token));
        let said = answer.message().unwrap_or_default();
        assert_eq!((answer.status, said), (status, message), "{repository} {token:?}");
        assert_eq!(model.events().len(), usize::from(status == 204), "{repository} {token:?}");
        if message == by_pat || message == by_app {
            let needed = answer.header_value("x-accepted-github-permissions");
            assert_eq!(needed, Some("contents=write"));
        }
    }
}

#[test]
fn only_the_exact_path_and_method_exist() {
    for (method, path, status) in [
        ("POST", "/repos/acme/web/dispatches", 204),
        ("POST", "/repos/acme/web/dispatches?a=b", 204),
        ("POST", "/repos/acme/web/dispatches/", 404),
        ("POST", "/repos/acme/web/dispatches/x", 404),
        ("POST", "//repos/acme/web/dispatches", 404),
        ("POST", "/repos/acme/web", 404),
        ("POST", "/repositories/x/dispatches", 404),
        ("POST", "/repositories/99999999999999999999/dispatches", 404),
        ("POST", "/repositories/1/dispatches", 404),
        ("POST", "/rate_limit", 404),
        ("POST", "", 404),
        ("GET", "/repos/acme/web/dispatches", 404),
        ("PUT", "/repos/acme/web/dispatches", 404),
        ("GET", "/repos/acme/web", 200),
        ("HEAD", "/repos/acme/web", 200),
        ("GET", "/repos/acme/web/", 404),
        ("DELETE", "/repos/acme/web", 404),
        ("GET", "/rate_limit", 200),
        ("GET", "/", 404),
    ] {
        let request = Request { method: method.to_owned(), ..post(path, Some(SECRET)) };
        assert_eq!(ask(&mut model(), &request).status, status, "{method} {path}");
    }
}

#[test]
fn a_token_is_taken_with_either_scheme_and_no_other() {
    for (authorization, status) in [
        (format!("Bearer {SECRET}"), 204),
        (format!("bearer {SECRET}"), 204),
        (format!("token {SECRET}"), 204),
        (format!("Basic {SECRET}"), 401),
        (SECRET.to_owned(), 401),
        (format!("Bearer {SECRET}x"), 401),
    ] {
        let mut request = post("/repos/acme/web/dispatches", None);
        request.authorization = Some(authorization.clone());
        assert_eq!(ask(&mut model(), &request).status, status, "{authorization}");
    }
}

#[test]
fn a_request_without_a_user_agent_never_reaches_the_api() {
    for user_agent in [None, Some(String::new()), Some(" ".to_owned())] {
        let request = Request { user_agent, ..post("/repos/acme/web/dispatches", Some(SECRET)) };
        let answer = ask(&mut model(), &request);
        assert_eq!(answer.status, 403);
        let Body::Text { text, .. } = answer.body else { panic!("not text") };
        assert!(text.contains("Please make sure your request has a User-Agent header"), "{text}");
    }
}

#[test]
fn an_event_is_logged_with_the_current_name_and_the_name_it_was_sent_to() {
    let mut model = model();
    let moved = ask(&mut model, &post("/repos/Acme/Old/dispatches", Some(SECRET)));
    let location = moved.header_value("location").unwrap();
    let path = location.strip_prefix("https://api.github.com").unwrap();
    assert!(path.starts_with("/repositories/"), "{path}");
    assert_eq!(ask(&mut model, &post(path, Some(SECRET))).status, 204);
    ask(&mut model, &post("/repos/Acme/NEW/dispatches", Some(SECRET)));
    let sent: Vec<_> = model.events_for("acme/new").iter().map(|it| it.sent_to.clone()).collect();
    assert_eq!(sent, [path.trim_matches('/').trim_end_matches("/dispatches"), "Acme/NEW"]);
    let event = &model.events()[0];
    assert_eq!(
        (event.repository.as_str(), event.event_type.as_str()),
        ("acme/new", "feature-update")
    );
    assert_eq!(event.client_payload["updated_feature"], "a");
    assert_eq!((event.body_length, event.request), (body().len(), 2));
}

#[test]
fn a_repository_is_shown_as_the_token_sees_it() {
    let mut model = model();
    let mut show = |path: &str, token| match ask(&mut model, &get(path, token)) {
        Answer { status: 200, body: Body::Json(value), .. } => value,
        other => panic!("{other:?}"),
    };
    let web = show("/repos/ACME/web", Some(SECRET));
    assert_eq!(web["full_name"], "acme/web");
    assert_eq!(web["default_branch"], "main");
    assert_eq!(web["permissions"]["push"], true);
    assert_eq!(show(&format!("/repositories/{}", web["id"]), Some(SECRET)), web);
    assert_eq!(show("/repos/acme/web", Some("fine"))["permissions"]["push"], false);
    assert_eq!(show("/repos/acme/web", None)["permissions"], Value::Null);
    assert_eq!(show("/repos/acme/secret", Some("fine"))["private"], true);
    assert_eq!(show("/repos/acme/attic", None)["archived"], true);
    for (repository, token, status) in [
        ("acme/old", Some(SECRET), 301),
        ("acme/secret", None, 404),
        ("acme/secret", Some("classic"), 404),
        ("acme/gone", Some(SECRET), 404),
        ("acme/blocked", Some(SECRET), 403),
    ] {
        let answer = ask(&mut model, &get(&format!("/repos/{repository}"), token));
        assert_eq!(answer.status, status, "{repository} {token:?}");
    }
}

#[test]
fn a_repository_can_be_renamed_removed_and_replaced_while_running() {
    let mut model = Model::new().repository("acme/a").token(SECRET, Token::may_write_all());
    let status = |model: &mut Model, name: &str| {
        ask(model, &post(&format!("/repos/{name}/dispatches"), Some(SECRET))).status
    };
    model.rename("acme/a", "acme/b");
    model.rename("acme/b", "acme/c");
    model.rename("acme/nothing", "acme/d");
    let seen: Vec<_> =
        ["acme/a", "acme/b", "acme/c", "acme/d"].map(|it| status(&mut model, it)).into();
    assert_eq!(seen, [307, 307, 204, 404]);
    model = model.repository("acme/a");
    assert_eq!(status(&mut model, "acme/a"), 204, "a new repository takes the name over");
    assert_eq!(status(&mut model, "acme/b"), 307);
    model.remove("acme/c");
    assert_eq!(status(&mut model, "acme/b"), 404);
    assert_eq!(status(&mut model, "acme/a"), 204);
    model = model.archived("acme/a");
    assert_eq!(status(&mut model, "acme/a"), 403, "what is said later is added");
}

#[test]
fn a_repository_that_takes_the_name_of_another_becomes_that_one() {
    let mut model = Model::new().repository("acme/a").repository("acme/b").repository("acme/c");
    let ids = ["a", "b", "c"]
        .map(|name| json_at(&mut model, &format!("/repos/acme/{name}"), None).1["id"].clone());
    model = model.repository_with("acme/a", |it| it.renamed_to("acme/b"));
    model.rename("acme/c", "acme/b");
    for (name, id) in ["a", "b", "c"].into_iter().zip(&ids) {
        let (status, shown) = json_at(&mut model, &format!("/repos/acme/{name}"), None);
        assert_eq!(status, if name == "b" { 200 } else { 301 }, "{name}");
        let at_id = json_at(&mut model, &format!("/repositories/{id}"), None).0;
        assert_eq!(at_id, if name == "b" { 200 } else { 404 }, "{name}");
        let there = shown["url"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(name == "b" || ids[1] == there.parse::<u64>().unwrap(), "{shown}");
    }
}

#[test]
fn a_body_over_a_mebibyte_is_refused() {
    let mut request = post("/repos/acme/web/dispatches", Some(SECRET));
    request.body = vec![b' '; 1024 * 1024];
    assert_eq!(ask(&mut model(), &request).status, 422);
    request.body.push(b' ');
    assert_eq!(ask(&mut model(), &request).status, 413);
}

#[test]
fn a_limit_is_refused_in_githubs_words_with_the_time_to_wait() {
    let clock = VirtualClock::default();
    let with = |limits| model().limits(limits).clock(clock.now());
    let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you \
         try again. If you reach out to GitHub Support for help, please include the request ID ";
    let by_user = "API rate limit exceeded for user ID 1000001. If you reach out";
    let by_app = "API rate limit exceeded for installation ID 5000004. If you reach out";
    let by_nobody = "API rate limit exceeded for 127.0.0.1. If you reach out";
    let one_hour = Limits { primary: Some(1), anonymous: Some(1), ..Limits::none() };
    let one_minute = Limits { content_per_minute: Some(1), ..Limits::none() };
    let late = Limits { refusal_status: 429, ..one_minute.clone() };
    for (limits, token, status, message, retry_after) in [
        (one_hour.clone(), Some(SECRET), 403, by_user, None),
        (one_hour.clone(), Some("app"), 403, by_app, None),
        (one_hour, None, 403, by_nobody, None),
        (one_minute, Some(SECRET), 403, secondary, Some("60")),
        (late, Some(SECRET), 429, secondary, Some("60")),
    ] {
        let mut model = with(limits);
        ask(&mut model, &post("/repos/acme/new/dispatches", token));
        let answer = ask(&mut model, &post("/repos/acme/new/dispatches", token));
        assert_eq!(answer.status, status);
        let said = answer.message().unwrap();
        assert!(said.starts_with(message), "{said}");
        assert!(said.ends_with("and timestamp 2027-01-15 08:00:00 UTC."), "{said}");
        assert_eq!(answer.header_value("retry-after"), retry_after);
        if retry_after.is_none() {
            assert_eq!(answer.header_value("x-ratelimit-remaining"), Some("0"));
            let reset = (START + 3_600).to_string();
            assert_eq!(answer.header_value("x-ratelimit-reset"), Some(reset.as_str()));
        }
    }
}

#[test]
fn limits_count_for_each_token_by_itself_and_rate_limit_is_free() {
    let limits = Limits { primary: Some(2), ..Limits::none() };
    let mut model = model().limits(limits);
    let core = |model: &mut Model, token| match ask(model, &get("/rate_limit", Some(token))).body {
        Body::Json(value) => value["resources"]["core"].clone(),
        other => panic!("{other:?}"),
    };
    let web = |token| get("/repos/acme/web", Some(token));
    for (used, status) in [(0, 200), (1, 200), (2, 403), (2, 403)] {
        assert_eq!(core(&mut model, SECRET)["used"], used);
        assert_eq!(ask(&mut model, &web(SECRET)).status, status);
    }
    assert_eq!(core(&mut model, "fine")["remaining"], 2);
    assert_eq!(ask(&mut model, &web("fine")).status, 200);
    let answer = ask(&mut model, &get("/rate_limit", Some("built-in")));
    assert_eq!(answer.message(), Some("Rate limiting is not enabled."));
    assert_eq!(answer.header_value("x-ratelimit-limit"), None);
}

#[test]
fn a_faulted_request_neither_counts_nor_delivers_unless_it_is_let_through() {
    let mut model = model();
    model.fault("acme/web", Fault::status(502).times(2));
    model.fault("acme/web", Fault::status(502).delivered());
    let dispatch = post("/repos/acme/web/dispatches", Some(SECRET));
    let seen: Vec<_> = (0..4)
        .map(|_| {
            let answer = ask(&mut model, &dispatch);
            let used = answer.header_value("x-ratelimit-used").unwrap().to_owned();
            (answer.status, used, model.events().len())
        })
        .collect();
    let expected = [(502, "0", 0), (502, "0", 0), (502, "1", 1), (204, "2", 2)];
    assert_eq!(seen, expected.map(|(status, used, events)| (status, used.to_owned(), events)));
    let faulted: Vec<_> = model.requests().iter().map(|it| it.faulted).collect();
    assert_eq!(faulted, [true, true, true, false]);
}

#[test]
fn a_fault_waits_for_the_name_that_a_request_uses() {
    let mut model = model();
    model.fault("ACME/old", Fault::status(500));
    model.fault("acme/gone", Fault::status(501));
    model.fault("acme/new", Fault::status(502));
    let mut status = |path: &str| ask(&mut model, &post(path, Some(SECRET))).status;
    assert_eq!(status("/repos/acme/web/dispatches"), 204);
    assert_eq!(status("/repos/acme/old/dispatches"), 500);
    assert_eq!(status("/repos/acme/old/dispatches"), 307);
    assert_eq!(status("/repositories/1000002/dispatches"), 502);
    assert_eq!(status("/repositories/1000002/dispatches"), 204);
    assert_eq!(status("/repos/acme/gone/dispatches"), 501);
    assert_eq!(status("/repos/acme/gone/dispatches"), 404);
}

#[test]
fn the_log_knows_tokens_by_label_and_how_many_requests_were_under_way() {
    let mut model = model();
    let first = model.receive(&post("/repos/acme/web/dispatches", Some(SECRET)));
    let second = model.receive(&post("/repos/acme/web/dispatches", Some("classic")));
    model.finish(first.ticket);
    let third = model.receive(&get("/x?y=z", None));
    model.finish(second.ticket);
    model.finish(third.ticket);
    model.fault_any(Fault::reset());
    let fourth = model.receive(&get("/", Some("wrong")));
    assert_eq!(fourth.ending, Ending::Reset);
    model.finish(fourth.ticket);
    let log: Vec<_> = model
        .requests()
        .iter()
        .map(|it| (it.token.as_str(), it.path.as_str(), it.status, it.in_flight))
        .collect();
    let dispatches = "/repos/acme/web/dispatches";
    assert_eq!(
        log,
        [
            ("everything", dispatches, Some(204), 1),
            ("token 2", dispatches, Some(404), 2),
            ("none", "/x?y=z", Some(404), 2),
            ("unknown", "/", None, 1),
        ]
    );
    assert_eq!((model.in_flight(), model.max_in_flight()), (0, 2));
    assert!(!format!("{:?}{:?}", model.requests(), model.events()).contains(SECRET));
}
