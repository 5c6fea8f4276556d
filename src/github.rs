//! The one place that speaks HTTP to GitHub: where the API is ([`ApiUrl`]), which token speaks for
//! whom ([`auth`], and [`app`] for a GitHub App's), what is read ([`Read`]) and written ([`Write`]),
//! one `repository_dispatch`, read or write sent and its [`Answer`] taken in ([`Client`]), what
//! GitHub's limit headers ask for ([`rate_limit`]) and what a refusal means in words ([`error`]).
//! It decides nothing about when or whether to send again: that is `delivery`, which can so be
//! tested without a socket.

pub mod answer;
pub mod api_url;
pub mod app;
pub mod auth;
mod below;
pub mod client;
pub mod error;
pub(crate) mod issue;
pub mod rate_limit;
pub mod read;
pub mod write;

pub use answer::{Answer, Moved, RefusedRedirect, Reply};
pub use api_url::ApiUrl;
pub use app::{App, AppError};
pub use auth::{Token, TokenForm, TokenId, Tokens};
pub use below::BadAddress;
pub use client::{Client, HEADERS};
pub use error::{TransportError, TransportKind};
pub use rate_limit::LimitHeaders;
pub use read::Read;
pub use write::Write;
