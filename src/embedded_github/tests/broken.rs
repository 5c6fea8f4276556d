//! Every scripted fault as a client meets it, and what becomes of connections when the server ends.

use std::time::Instant;

use pretty_assertions::assert_eq;

use super::*;

/// Sends one dispatch to a repository that meets `fault`, then one that does not.
async fn meets(fault: Fault) -> (reqwest::Result<reqwest::Response>, Session) {
    let session = Session::start(model()).await;
    session.github.fault("acme/web", fault);
    let first = session.dispatch("acme/web").await;
    assert_eq!(session.status("acme/web").await, 204, "the fault is used up");
    (first, session)
}

#[tokio::test]
async fn a_scripted_status_stands_in_once() {
    let (first, session) = meets(Fault::status(502).header("X-Extra", "1")).await;
    let first = first.unwrap();
    assert_eq!((first.status().as_u16(), header(&first, "x-extra")), (502, "1"));
    assert_eq!(json_of(first).await["message"], "Server Error");
    assert_eq!(session.delivered(), 1);
    let statuses =
        session.github.with(|it| it.requests().iter().map(|r| r.status).collect::<Vec<_>>());
    assert_eq!(statuses, [Some(502), Some(204)]);
}

#[tokio::test]
async fn a_scripted_limit_looks_like_githubs() {
    let (first, _) = meets(Fault::limited(7)).await;
    let first = first.unwrap();
    assert_eq!((first.status().as_u16(), header(&first, "retry-after")), (403, "7"));
    assert_eq!(header(&first, "x-ratelimit-remaining"), "5000");
    let message = json_of(first).await["message"].to_string();
    assert!(message.contains("secondary rate limit"), "{message}");

    let before = Timestamp::now().as_second();
    let (first, _) = meets(Fault::exhausted(30)).await;
    let first = first.unwrap();
    assert_eq!((first.status().as_u16(), header(&first, "x-ratelimit-remaining")), (403, "0"));
    let reset: i64 = header(&first, "x-ratelimit-reset").parse().unwrap();
    assert!((before + 30..before + 40).contains(&reset), "{reset}");
}

#[tokio::test]
async fn a_page_of_html_arrives_as_html() {
    let (first, _) = meets(Fault::html(503)).await;
    let first = first.unwrap();
    assert_eq!(first.status(), 503);
    assert_eq!(header(&first, "content-type"), "text/html; charset=utf-8");
    assert!(first.bytes().await.unwrap().starts_with(b"<html>"));
}

#[tokio::test]
async fn a_redirect_may_lead_anywhere() {
    let (first, _) = meets(Fault::redirect(307, "http://127.0.0.2:1/x")).await;
    let first = first.unwrap();
    assert_eq!(
        (first.status().as_u16(), header(&first, "location")),
        (307, "http://127.0.0.2:1/x")
    );
}

#[tokio::test]
async fn a_reset_connection_is_an_error_and_not_an_answer() {
    for (fault, delivered) in [(Fault::reset(), 1), (Fault::reset().delivered(), 2)] {
        let (first, session) = meets(fault).await;
        let error = format!("{:?}", first.unwrap_err());
        assert!(error.contains("ConnectionReset"), "{error}");
        assert_eq!(session.delivered(), delivered);
        assert_eq!(session.github.with(|it| it.requests()[0].status), None);
        session.github.fault("acme/web", Fault::reset());
        assert!(session.dispatch("acme/web").await.is_err(), "nor on a connection kept alive");
        assert_eq!(session.delivered(), delivered);
    }
}

#[tokio::test]
async fn a_truncated_body_breaks_off_after_its_headers() {
    let (first, _) = meets(Fault::truncated(200)).await;
    let first = first.unwrap();
    assert_eq!(first.status(), 200);
    let promised: usize = header(&first, "content-length").parse().unwrap();
    assert!(promised > 10);
    let error = format!("{:?}", first.bytes().await.unwrap_err());
    assert!(error.contains("IncompleteMessage") || error.contains("UnexpectedEof"), "{error}");

    let long = "x".repeat(300_000);
    let (first, _) = meets(Fault::truncated(500).text("text/plain", &long)).await;
    assert!(first.unwrap().bytes().await.is_err());
}

#[tokio::test]
async fn a_delay_holds_the_real_answer_back() {
    let session = Session::start(model().latency(Duration::from_millis(20))).await;
    session.github.fault("acme/web", Fault::delay(Duration::from_millis(100)));
    for least in [120, 20] {
        let begin = Instant::now();
        assert_eq!(session.status("acme/web").await, 204);
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(least), "{took:?}");
    }
}

#[tokio::test]
async fn silence_lasts_until_the_client_gives_up() {
    let session = Session::start(model()).await;
    session.github.fault("acme/web", Fault::silence());
    let request = session.post("/repos/acme/web/dispatches").timeout(Duration::from_millis(100));
    let error = request.send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(session.status("acme/web").await, 204);
    assert_eq!(session.delivered(), 1);
}

#[tokio::test]
async fn the_nth_request_and_every_request_can_be_met() {
    let session = Session::start(model()).await;
    session.github.with(|it| {
        it.fault_nth(2, Fault::status(500));
        it.fault_any(Fault::status(503).forever());
    });
    for status in [503, 500, 503, 503] {
        assert_eq!(session.status("acme/web").await, status);
    }
    session.github.with(Model::clear_faults);
    assert_eq!(session.status("acme/web").await, 204);
}

#[tokio::test]
async fn stopping_ends_every_connection_whatever_it_waits_for() {
    use tokio::net::TcpStream;

    let session = Session::start(model()).await;
    let address = session.github.url().strip_prefix("http://").unwrap().to_owned();
    session.github.fault("acme/web", Fault::silence());
    session.github.fault("acme/web", Fault::delay(Duration::from_secs(600)));
    let mut open = tokio::task::JoinSet::new();
    for _ in 0..2 {
        open.spawn(session.post("/repos/acme/web/dispatches").send());
    }
    // One that says nothing, one in the middle of its head, one in the middle of its body, and one
    // that has sent the next request behind the one that is never answered.
    let half = "POST /repos/acme/web/dispatches HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n";
    let piped = "GET /repos/acme/new HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\n\r\n".repeat(3);
    session.github.fault("acme/new", Fault::silence().forever());
    let mut streams = Vec::new();
    for text in ["", half, &format!("{half}\r\n{{"), &piped] {
        let stream = TcpStream::connect(&address).await.unwrap();
        garbage::write(&stream, text.as_bytes()).await;
        streams.push(stream);
    }
    while session.github.with(|it| it.in_flight()) < 3 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::timeout(Duration::from_secs(5), session.github.stop()).await.unwrap();
    while let Some(sent) = open.join_next().await {
        assert!(sent.unwrap().is_err());
    }
    for stream in &streams {
        assert_eq!(garbage::read(stream).await, "");
    }
    assert!(TcpStream::connect(&address).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn dropping_closes_the_port_too() {
    let session = Session::start(model()).await;
    let url = session.github.url().to_owned();
    session.github.fault("acme/web", Fault::silence());
    let waiting = tokio::spawn(session.post("/repos/acme/web/dispatches").send());
    while session.github.with(|it| it.in_flight()) < 1 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(session.github);
    assert!(waiting.await.unwrap().is_err());
    let error = session.client.get(url).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
}
