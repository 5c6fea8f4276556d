//! Small servers on real sockets: each accepts connections one after another and reacts to the one
//! request of each as it was told.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::github::{ApiUrl, Client, Tokens, auth};

/// A token that must never be seen outside the `Authorization` header.
pub(super) const CANARY: &str = "ghp_canary0123456789";

/// What a server does with a request.
pub(super) enum Reaction {
    /// Writes this and closes.
    Say(String),
    /// Resets the connection.
    Reset,
    /// Says nothing, and keeps the connection open.
    Stall,
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(react: impl Fn(&str) -> Reaction + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut stalled = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = request(&mut stream).await;
                let reaction = react(&request);
                log.lock().unwrap().push(request);
                match reaction {
                    Reaction::Say(text) => drop(stream.write_all(text.as_bytes()).await),
                    Reaction::Reset => stream.set_zero_linger().unwrap(),
                    Reaction::Stall => stalled.push(stream),
                }
            }
        });
        Self { address, requests, task }
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn client(&self) -> Client {
        client(&format!("http://{}", self.address))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let so_far = String::from_utf8_lossy(&text);
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return so_far.into_owned();
            }
        }
        match stream.read(&mut buffer).await.unwrap() {
            0 => return String::from_utf8_lossy(&text).into_owned(),
            read => text.extend_from_slice(&buffer[..read]),
        }
    }
}

pub(super) fn client(api: &str) -> Client {
    let mut tokens = Tokens::new();
    let lookup = |_: &str| Some(OsString::from(CANARY));
    tokens.add(auth::resolve(None, &lookup).unwrap());
    Client::new(ApiUrl::parse(api).unwrap(), tokens, Duration::from_millis(200)).unwrap()
}

pub(super) fn http(status: &str, headers: &str, body: &str) -> Reaction {
    Reaction::Say(format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    ))
}
