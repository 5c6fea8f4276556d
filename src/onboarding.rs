//! Whether a cousin will hear of what it subscribes to, found out before the first push. GitHub
//! answers 204 to a dispatch that nobody listens to, so a slip in a path, a renamed repository or
//! a workflow on a side branch would lose updates without a word.
//!
//! [`subscriptions`] compares the patterns with each other and with the paths at HEAD, offline.
//! [`workflow`] reads a workflow file: what it listens to, and whether it lets an event write its
//! scripts. [`online`] asks GitHub about each cousin and judges the answers. Everything found
//! becomes a finding about a place in `ecosystem.json`: that is the file to be changed.

pub(crate) mod cousin_files;
pub mod online;
pub mod subscriptions;
pub mod workflow;
