//! End to end: the built binary, real git repositories, the embedded GitHub on a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and runs programs"
)]

mod action;
mod actions;
mod alarms;
mod app;
mod app_keys;
mod app_tokens;
mod bad_input;
mod changes;
mod comfort;
mod dispatch;
mod docs;
mod fetch_tokens;
mod fixtures;
mod harness;
mod help;
mod ladder;
mod limits;
mod limits_proof;
mod onboard;
mod outcomes;
mod range;
mod receipts;
mod rehearse;
mod release;
mod report;
mod repositories;
mod secrets;
mod send;
mod status;
mod stopping;
mod support;
mod sync;
mod sync_by_hand;
mod sync_matrix;
mod sync_pulls;
mod sync_rebase;
mod sync_shown;
mod sync_threats;
mod sync_trailers;
mod validate;
mod validate_lies;
mod validate_online;
mod watermarks;
mod watermarks_hostile;
mod watermarks_kills;
mod watermarks_orders;
mod watermarks_places;
mod watermarks_random;
