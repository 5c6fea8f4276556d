//! The projection of the model onto HTTP: reads a request, asks the model under its lock, and
//! sends what the model says in the way that it says. It decides nothing about GitHub.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body as HttpBody, HttpBody as _};
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer::{Answer, Body, Request};
use super::fault::Ending;
use super::log::Ticket;
use super::model::Model;
use super::rest::BODY_BYTES;
use super::server::Wire;
use super::smart_http::{self, Asked};

/// How much of a body that is too large is read and dropped, in bytes, so that the client gets to
/// read the refusal: a server that closes with bytes unread resets the connection, and macOS and
/// Windows then throw away what the client has not read yet.
const DRAINED_BYTES: usize = 64 * BODY_BYTES;

/// The model behind a lock that is never held over an await.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Model>>);

impl Shared {
    pub(super) fn new(model: Model) -> Self {
        Self(Arc::new(Mutex::new(model)))
    }

    /// Locks the model. A test that panicked with the lock in hand has failed by itself; the log
    /// is still worth reading.
    pub(super) fn lock(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a request in the model also when the client goes away and the handler is dropped.
struct InFlight {
    shared: Shared,
    ticket: Option<Ticket>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.lock().finish(ticket);
        }
    }
}

/// Answers every request, whatever its path.
pub(super) async fn handle(
    State(shared): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: HttpRequest,
) -> Response {
    let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
    if let Some(asked) = Asked::of(request.method().as_str(), path) {
        return smart_http::handle(shared, asked, request).await;
    }
    let (parts, body) = request.into_parts();
    let Some(body) = read(body).await else {
        return refused(StatusCode::BAD_REQUEST);
    };
    let path = parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path,
        authorization: text(&parts.headers, &header::AUTHORIZATION),
        user_agent: text(&parts.headers, &header::USER_AGENT),
        accept: text(&parts.headers, &header::ACCEPT),
        api_version: text(&parts.headers, &HeaderName::from_static("x-github-api-version")),
        body,
    };
    let reply = shared.lock().receive(&request);
    let _in_flight = InFlight { shared, ticket: Some(reply.ticket) };
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    match reply.ending {
        Ending::Whole => {}
        Ending::Reset => wire.reset(),
        Ending::Truncated => wire.truncate(body_of(&reply.answer).len() / 2),
        Ending::Silence => {
            wire.stopped().await;
            wire.reset();
        }
    }
    projected(&reply.answer)
}

/// Returns the body, or its first bytes past the limit when it is longer; nothing when it breaks
/// off.
async fn read(mut body: HttpBody) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut dropped = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        let room = (BODY_BYTES + 1).saturating_sub(bytes.len());
        let kept = data.get(..room).unwrap_or(&data);
        bytes.extend_from_slice(kept);
        dropped += data.len() - kept.len();
        if dropped > DRAINED_BYTES {
            break;
        }
    }
    Some(bytes)
}

pub(super) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn body_of(answer: &Answer) -> Vec<u8> {
    match &answer.body {
        Body::Empty => Vec::new(),
        Body::Json(value) => value.to_string().into_bytes(),
        Body::Text { text, .. } => text.clone().into_bytes(),
        Body::Bytes { bytes, .. } => bytes.clone(),
    }
}

pub(super) fn projected(answer: &Answer) -> Response {
    let mut response = Response::new(HttpBody::from(body_of(answer)));
    let status = StatusCode::from_u16(answer.status);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let content_type = match &answer.body {
        Body::Empty => None,
        Body::Json(_) => Some("application/json; charset=utf-8"),
        Body::Text { content_type, .. } | Body::Bytes { content_type, .. } => {
            Some(content_type.as_str())
        }
    };
    let named = content_type.map(|value| ("content-type", value));
    let others = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in named.into_iter().chain(others) {
        // A scripted header may be anything; what HTTP cannot carry is left out.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.insert(name, value);
        }
    }
    response
}

pub(super) fn refused(status: StatusCode) -> Response {
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = status;
    response
}
