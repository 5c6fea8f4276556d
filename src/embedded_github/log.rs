//! What arrived: every request and every delivered event, as a test or `rehearse` wants to read
//! them. A token's secret is never written down.

use jiff::Timestamp;
use serde_json::Value;

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    /// The token of that number.
    Token(usize),
    /// Somebody without a token.
    Anonymous,
    /// Somebody with a token that does not exist.
    Unknown,
}

/// The number of a request in [`super::Model::requests`]; hand it to [`super::Model::finish`] when
/// the request is over.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) usize);

/// One request.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it arrived.
    pub at: Timestamp,
    /// The method in capitals.
    pub method: String,
    /// The path as it was sent, with the query.
    pub path: String,
    /// The token's label; "none" without one, "unknown" for one that does not exist.
    pub token: String,
    /// The status that was answered, if anything was.
    pub status: Option<u16>,
    /// How many requests were in flight when it arrived, itself included.
    pub in_flight: usize,
    /// Whether it met a scripted fault.
    pub faulted: bool,
    pub(super) sender: Sender,
    pub(super) open: bool,
}

/// One request over git that was let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitRequest {
    /// The repository's full name at that time.
    pub repository: String,
    /// The path below the repository: `/info/refs`, `/git-upload-pack` or `/git-receive-pack`.
    pub path: String,
    /// The token's label; "none" without one.
    pub token: String,
    /// How many bytes the client sent, as they came.
    pub received_bytes: u64,
    /// Whether the client had compressed them.
    pub compressed: bool,
    /// How many bytes the client was sent.
    pub sent_bytes: u64,
}

/// One `repository_dispatch` event that a repository received.
#[derive(Debug, Clone)]
pub struct Event {
    /// When it was delivered.
    pub at: Timestamp,
    /// The repository's full name at that time.
    pub repository: String,
    /// What the request called it: `owner/name` as sent, or `repositories/ID`.
    pub sent_to: String,
    /// The event type.
    pub event_type: String,
    /// The payload; an empty object when none was sent.
    pub client_payload: Value,
    /// The body's length in bytes.
    pub body_length: usize,
    /// The request's number, counted from 1.
    pub request: usize,
}
