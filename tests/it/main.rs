//! End to end: the built binary, real git repositories, the embedded GitHub on a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and runs programs"
)]

mod actions;
mod bad_input;
mod dispatch;
mod docs;
mod fixtures;
mod harness;
mod help;
mod limits;
mod outcomes;
mod report;
mod secrets;
mod stopping;
mod support;
