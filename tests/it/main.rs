//! End to end: the built binary, real git repositories, the embedded GitHub on a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and runs programs"
)]

mod changes;
mod fetch_tokens;
mod fixtures;
mod harness;
mod ladder;
mod range;
mod repositories;
mod support;
