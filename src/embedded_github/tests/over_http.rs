//! The same model through a real socket: headers, answers, redirects, and limits to the boundary.

use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn every_answer_carries_githubs_headers() {
    let clock = VirtualClock::default();
    let session = Session::start(model().clock(clock.now())).await;
    clock.set(5);
    let delivered = session.dispatch("acme/web").await.unwrap();
    assert_eq!(delivered.status(), 204);
    for (name, value) in [
        ("date", "Fri, 15 Jan 2027 08:00:05 GMT"),
        ("x-github-media-type", "github.v3; format=json"),
        ("x-github-api-version-selected", "2022-11-28"),
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-used", "1"),
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-reset", &(START + 3_605).to_string()),
        ("x-ratelimit-resource", "core"),
        ("content-type", ""),
    ] {
        assert_eq!(header(&delivered, name), value, "{name}");
    }
    let first_id = header(&delivered, "x-github-request-id").to_owned();
    assert_eq!(delivered.bytes().await.unwrap().len(), 0);

    let refused = session.dispatch("acme/gone").await.unwrap();
    assert_eq!(header(&refused, "content-type"), "application/json; charset=utf-8");
    assert_eq!(header(&refused, "x-ratelimit-used"), "2");
    assert!(!first_id.is_empty());
    assert_ne!(header(&refused, "x-github-request-id"), first_id);
    let body = json_of(refused).await;
    assert_eq!(
        body,
        json!({
            "message": "Not Found",
            "documentation_url":
                "https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event",
            "status": "404",
        })
    );
    session.github.stop().await;
}

#[tokio::test]
async fn every_class_of_answer_arrives_with_its_status_and_message() {
    let session = Session::start(model()).await;
    for (repository, token, status, message) in [
        ("acme/web", SECRET, 204, ""),
        ("acme/old", SECRET, 307, "Moved Permanently"),
        ("acme/web", "wrong", 401, "Bad credentials"),
        ("acme/attic", SECRET, 403, "Repository was archived so is read-only."),
        ("acme/web", "fine", 403, "Resource not accessible by personal access token"),
        ("acme/web", "app", 403, "Resource not accessible by integration"),
        ("acme/gone", SECRET, 404, "Not Found"),
        ("acme/web/dispatches", SECRET, 404, "Not Found"),
    ] {
        let url = format!("{}/repos/{repository}/dispatches", session.github.url());
        let request = session.client.post(url).bearer_auth(token).body(body());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{repository} {token}");
        if status != 204 {
            assert_eq!(json_of(response).await["message"], message, "{repository} {token}");
        }
    }
    for (body, status) in
        [("{}", 422), ("{", 400), (r#"{"event_type":"e","client_payload":"x"}"#, 422)]
    {
        let request = session.post("/repos/acme/web/dispatches").body(body);
        assert_eq!(request.send().await.unwrap().status(), status, "{body}");
    }
    let bare = session.client.post(format!("{}/repos/acme/web/dispatches", session.github.url()));
    let answer = json_of(bare.body(body()).send().await.unwrap()).await;
    assert_eq!(answer["message"], "Requires authentication");
    let nameless = session.post("/repos/acme/web/dispatches").header("user-agent", "");
    let response = nameless.send().await.unwrap();
    assert_eq!(response.status(), 403);
    assert!(header(&response, "content-type").starts_with("text/html"));
    assert_eq!(session.delivered(), 1);
}

#[tokio::test]
async fn a_write_to_a_former_name_arrives_once_its_location_is_followed() {
    let session = Session::start(model()).await;
    let moved = session.dispatch("acme/old").await.unwrap();
    let location = header(&moved, "location").to_owned();
    let path = location.strip_prefix(session.github.url()).unwrap();
    assert_eq!(json_of(moved).await["url"], location);
    assert_eq!(session.delivered(), 0);
    assert_eq!(session.post(path).send().await.unwrap().status(), 204);
    assert_eq!(session.github.with(|it| it.events_for("acme/new").len()), 1);

    let shown = session.client.get(format!("{}/repos/acme/old", session.github.url()));
    let moved = shown.send().await.unwrap();
    assert_eq!(moved.status(), 301);
    let there = session.client.get(header(&moved, "location")).send().await.unwrap();
    assert_eq!(json_of(there).await["full_name"], "acme/new");
}

#[tokio::test]
async fn eighty_dispatches_pass_in_a_minute_and_five_hundred_in_an_hour() {
    let clock = VirtualClock::default();
    let session = Session::start(model().clock(clock.now())).await;
    let mut sent = 0;
    for minute in 0..6 {
        clock.set(minute * 60);
        for _ in 0..80 {
            assert_eq!(session.status("acme/web").await, 204, "minute {minute}");
            sent += 1;
        }
        let refused = session.dispatch("acme/web").await.unwrap();
        assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (403, "60"));
        assert_eq!(header(&refused, "x-ratelimit-used"), sent.to_string());
        clock.set(minute * 60 + 59);
        assert_eq!(session.status("acme/web").await, 403, "minute {minute}");
    }
    clock.set(360);
    for _ in 0..20 {
        assert_eq!(session.status("acme/web").await, 204);
    }
    let refused = session.dispatch("acme/web").await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(header(&refused, "retry-after"), (3_600 - 360).to_string());
    let message = json_of(refused).await["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("You have exceeded a secondary rate limit."), "{message}");
    assert_eq!(session.delivered(), 500);
    clock.set(3_600);
    assert_eq!(session.status("acme/web").await, 204);
}

#[tokio::test]
async fn the_last_of_an_hours_requests_passes_and_the_next_is_told_the_reset() {
    let clock = VirtualClock::default();
    let limits = Limits { content_per_hour: None, content_per_minute: None, ..Limits::github() };
    let limits = Limits { points_per_minute: Some(10), primary: Some(4), ..limits };
    let session = Session::start(model().limits(limits).clock(clock.now())).await;
    for (second, status, retry_after, remaining) in [
        (0, 204, "", "3"),
        (0, 204, "", "2"),
        (59, 403, "1", "2"),
        (60, 204, "", "1"),
        (3_599, 204, "", "0"),
        (3_599, 403, "", "0"),
        (3_600, 204, "", "3"),
    ] {
        clock.set(second);
        let response = session.dispatch("acme/web").await.unwrap();
        let seen = (
            response.status().as_u16(),
            header(&response, "retry-after"),
            header(&response, "x-ratelimit-remaining"),
        );
        assert_eq!(seen, (status, retry_after, remaining), "second {second}");
    }
}

#[tokio::test]
async fn a_hundred_requests_at_a_time_pass_and_the_next_does_not() {
    let limits = Limits { concurrent: Some(100), ..Limits::none() };
    let session = Session::start(model().limits(limits)).await;
    session.github.fault("acme/web", Fault::silence().delivered().times(100));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        waiting.spawn(session.post("/repos/acme/web/dispatches").send());
    }
    while session.github.with(|it| it.in_flight()) < 100 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(session.delivered(), 100);
    let refused = session.dispatch("acme/web").await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (403, "60"));
    waiting.shutdown().await;
    while session.github.with(|it| it.in_flight()) > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(session.status("acme/web").await, 204, "whoever goes away is not in flight");
    assert_eq!(session.github.with(|it| it.max_in_flight()), 101);
}
