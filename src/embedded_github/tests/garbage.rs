//! What is not a request, or too much of one: refused, and the next request is answered.

use pretty_assertions::assert_eq;
use tokio::net::TcpStream;

use super::*;

/// Writes all of it; an error means that the server has closed the connection already.
pub(super) async fn write(stream: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        if stream.writable().await.is_err() {
            return;
        }
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Reads until the server closes the connection.
pub(super) async fn read(stream: &TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => all.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn garbage_is_refused_and_the_next_request_is_answered() {
    let session = Session::start(model().limits(Limits::none())).await;
    let address = session.github.url().strip_prefix("http://").unwrap().to_owned();
    let huge_header = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(2 << 20));
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(10_000));
    let long_path = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000));
    let chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    let lengths = "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx";
    for (text, answer) in [
        ("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", "HTTP/1.1 400"),
        ("nonsense\r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n", "HTTP/1.1 400"),
        (lengths, "HTTP/1.1 400"),
        (chunks, "HTTP/1.1 400"),
        (&huge_header, "HTTP/1.1 431"),
        (&many_headers, "HTTP/1.1 431"),
        (&long_path, "HTTP/1.1 414"),
        ("GET http://user@elsewhere/x HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 403"),
        ("OPTIONS * HTTP/1.1\r\nUser-Agent: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404"),
        ("GET /%00/../\u{7f} HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 4"),
    ] {
        let stream = TcpStream::connect(&address).await.unwrap();
        write(&stream, text.as_bytes()).await;
        let reading = tokio::time::timeout(Duration::from_secs(10), read(&stream));
        let seen = reading.await.unwrap();
        // The kernel may drop an answer when the server closes with unread bytes before it.
        let dropped = seen.is_empty() && text.len() > 60_000;
        let shown = text.get(..30).unwrap_or(text);
        assert!(seen.starts_with(answer) || dropped, "{shown:?}: {seen:?}");
        assert_eq!(session.status("acme/web").await, 204, "{shown:?}");
    }
    let stream = TcpStream::connect(&address).await.unwrap();
    write(&stream, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(read(&stream).await, "", "HTTP/2 is hung up on");
    assert_eq!(session.github.with(|it| it.in_flight()), 0);
}

#[tokio::test]
async fn a_body_over_a_mebibyte_is_read_and_refused() {
    let session = Session::start(model()).await;
    for size in [(1 << 20) + 1, 20 << 20] {
        let request = session.post("/repos/acme/web/dispatches").body(vec![b'x'; size]);
        assert_eq!(request.send().await.unwrap().status(), 413, "{size}");
    }
    // A client that reads nothing before all of its request is out still gets to read the answer.
    let address = session.github.url().strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /repos/acme/web/dispatches HTTP/1.1\r\nUser-Agent: x\r\nConnection: close\r\n";
    let size = 20 << 20;
    write(&stream, format!("{head}Content-Length: {size}\r\n\r\n").as_bytes()).await;
    write(&stream, &vec![b'x'; size]).await;
    assert!(read(&stream).await.starts_with("HTTP/1.1 413"));
    let largest = session.post("/repos/acme/web/dispatches").body(vec![b'x'; 1 << 20]);
    assert_eq!(largest.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_a_request() {
    let session = Session::start(model()).await;
    let address = session.github.url().strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /repos/acme/web/dispatches HTTP/1.1\r\nContent-Length: 100\r\n\r\n{";
    write(&stream, head.as_bytes()).await;
    drop(stream);
    assert_eq!(session.status("acme/web").await, 204);
    assert_eq!(session.github.with(|it| it.requests().len()), 1);
}

#[tokio::test]
async fn two_hundred_connections_at_once_are_all_served() {
    let session = Session::start(model().limits(Limits::none())).await;
    session.github.with(|it| it.fault_any(Fault::delay(Duration::from_millis(200)).forever()));
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..200 {
        sent.spawn(session.post("/repos/acme/web/dispatches").send());
    }
    while let Some(response) = sent.join_next().await {
        assert_eq!(response.unwrap().unwrap().status(), 204);
    }
    let (events, most, now) =
        session.github.with(|it| (it.events().len(), it.max_in_flight(), it.in_flight()));
    assert_eq!((events, now), (200, 0));
    assert!(most > 100, "{most}");
    session.github.stop().await;
}

#[tokio::test]
async fn it_can_serve_from_another_thread_than_the_one_that_looks_at_it() {
    let (started, starting) = tokio::sync::oneshot::channel();
    let (end, ending) = tokio::sync::oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            assert!(started.send(EmbeddedGitHub::start(model()).await.unwrap()).is_ok());
            ending.await
        })
    });
    let session = Session { github: starting.await.unwrap(), client: client() };
    assert_eq!(session.status("acme/web").await, 204);
    assert_eq!(session.delivered(), 1);
    session.github.stop().await;
    end.send(()).unwrap();
    server.join().unwrap().unwrap();
}
