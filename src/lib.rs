//! Ecosystem Dispatcher keeps a family of repositories in step with a monorepo.
//!
//! ```text
//! commit range ─► changed paths ─► plan (cousin × feature) ─► events ─► delivery ─► report
//!    git/range      git/changes        routing                 event      delivery    report
//!    (I/O)          (I/O)              (pure)                  (pure)     (I/O)       (pure)
//! ```
//!
//! `ecosystem.json` enters once: for a push as a validated `ecosystem::Ecosystem`, and for
//! `ecosystem validate` as a `document::Document`, whose cousins keep their places in the file.
//! `onboarding` finds out of these, before anything is sent, whether each cousin will hear what it
//! follows. `watermark` says what of that it has received already, which git remembers, and `alarm`
//! who is failing. What is pure takes no clock, no environment and no client, so that every rule in it can
//! be tested as a table.
//!
//! Only `github` speaks HTTP to GitHub, only `git` knows libgit2 and the git program, only
//! `environment` reads the process's environment and only `actions` knows the names of the
//! runner's variables in it. `report` returns text, only `cli` prints, and only `main` exits.

pub mod actions;
pub mod alarm;
pub mod cli;
pub mod delivery;
mod document;
pub mod ecosystem;
pub mod embedded_github;
pub mod environment;
pub mod event;
pub mod git;
pub mod github;
mod input;
pub mod names;
pub mod onboarding;
pub mod report;
pub mod routing;
pub mod subscriptions;
pub mod sync;
pub mod text;
pub mod watermark;
