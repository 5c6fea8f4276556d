//! Ecosystem Dispatcher keeps a family of repositories in step with a monorepo.
//!
//! ```text
//! commit range ─► changed paths ─► plan (cousin × feature) ─► events ─► delivery ─► report
//!    git/range      git/changes        routing                 event      delivery    report
//!    (I/O)          (I/O)              (pure)                  (pure)     (I/O)       (I/O)
//! ```
//!
//! `ecosystem.json` enters once, as a validated `ecosystem::Ecosystem`. The pure middle takes
//! no clock, no environment and no client, so that every rule in it can be tested as a table.
//! Only `github` speaks HTTP to GitHub, only `git` knows libgit2 and the git program, only
//! `actions` reads `GITHUB_*`, only `cli` and `report` print, and only `main` exits.

pub mod actions;
pub mod cli;
pub mod delivery;
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
pub mod text;
