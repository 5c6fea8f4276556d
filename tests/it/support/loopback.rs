//! A tiny HTTP server on loopback: one handler, one request a connection, and a list of what came
//! in. With [`serve_git`] it is a git server like any other, by way of git's own `http-backend`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::process::{Child, scrubbed};

/// One request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether the request carries the token as GitHub takes it for git: by basic auth.
    pub(crate) fn has_token(&self, token: &str) -> bool {
        let basic = STANDARD.encode(format!("x-access-token:{token}"));
        self.header("authorization")
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(kind, value)| kind.eq_ignore_ascii_case("basic") && value == basic)
    }
}

/// What a handler answers: the status line's number and words, header lines, body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn status(status: &str) -> Self {
        Self { status: status.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, line: impl Into<String>) -> Self {
        self.headers.push(line.into());
        self
    }
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Loopback {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    pub(crate) fn start(handle: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (log, stopped) = (Arc::clone(&requests), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let handle = &handle;
            let log = &log;
            std::thread::scope(|scope| {
                while let Ok((connection, _)) = listener.accept() {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    scope.spawn(move || answer(&connection, handle, log));
                }
            });
        });
        Self { address, requests, stop, thread: Some(thread) }
    }

    /// Returns a GitHub that takes every dispatch.
    pub(crate) fn api() -> Self {
        Self::start(|_| Response::status("204 No Content"))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(
    connection: &TcpStream,
    handle: &(impl Fn(&Request) -> Response + Sync),
    log: &Mutex<Vec<Request>>,
) {
    let _ = connection.set_read_timeout(Some(Duration::from_secs(20)));
    let Some(request) = read(connection) else { return };
    log.lock().unwrap().push(request.clone());
    let response = handle(&request);
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", response.status);
    for line in &response.headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    if !response.status.starts_with("204") {
        head.push_str(&format!("Content-Length: {}\r\n", response.body.len()));
    }
    head.push_str("\r\n");
    let mut connection = connection;
    let _ = connection.write_all(head.as_bytes());
    let _ = connection.write_all(&response.body);
}

fn read(connection: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request =
        Request { method: words.next()?, target: words.next()?, ..Request::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|value| value.parse().ok());
    request.body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Returns whether this machine's git can serve over HTTP; says so loudly when it cannot, because
/// the test that asked then shows nothing.
pub(crate) fn can_serve_git() -> bool {
    let output = scrubbed("git").arg("--exec-path").output().unwrap();
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let found = ["git-http-backend", "git-http-backend.exe"].iter().any(|n| path.join(n).is_file());
    if !found {
        super::skipped(&format!("there is no git http-backend in {}", path.display()));
    }
    found
}

/// Which protocol a git server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// As old servers do: only what a branch or tag reaches is served.
    V0,
    V2,
}

/// Answers a request with git's own `http-backend` for the repositories in `root`.
pub(crate) fn serve_git(root: &Path, protocol: Protocol, request: &Request) -> Response {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut cgi = scrubbed("git");
    cgi.arg("http-backend")
        .env("HOME", root)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", request.header("content-encoding").unwrap_or_default());
    if let (Protocol::V2, Some(wanted)) = (protocol, request.header("git-protocol")) {
        cgi.env("GIT_PROTOCOL", wanted);
    }
    let output = Child::start(&mut cgi, &request.body).wait().stdout;
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").expect("a CGI answer");
    let mut response = Response::status("200 OK");
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        match line.strip_prefix("Status: ") {
            Some(status) => response.status = status.to_owned(),
            None => response.headers.push(line.to_owned()),
        }
    }
    response.body = output[end + 4..].to_vec();
    response
}

/// Starts a git server for the repositories in `root`; with a token, one that asks for it.
pub(crate) fn git_server(root: &Path, protocol: Protocol, token: Option<&str>) -> Loopback {
    let root = root.to_owned();
    let token = token.map(str::to_owned);
    Loopback::start(move |request| match &token {
        Some(token) if !request.has_token(token) => {
            Response::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"git\"")
        }
        _ => serve_git(&root, protocol, request),
    })
}
