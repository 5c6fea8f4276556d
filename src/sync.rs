//! The cousin's side: brings what upstream changed in a subscribed feature into the cousin, in commits
//! that are proven to hold exactly that, and proposes them.
//!
//! ```text
//! hint ─► subscription ─► verified commit ─► merged files ─► proof ─► commit ─► pull request
//!         subscriptions   git::upstream      merge, copy …   proof    message   proposal
//! ```
//!
//! An event is a hint: which repository is the source, which branch of it is trusted and what is
//! subscribed to stand in the cousin's own file. Nothing that is synced is ever executed: no hook,
//! no filter, no merge driver, no script. Work is done on objects, in a repository of our own that
//! borrows the cousin's; the cousin's work tree, index and branches are not touched unless that is
//! asked for.

pub mod apply;
pub mod dependencies;
pub mod failure;
pub mod hint;
mod json;
pub mod lock;
pub mod merge;
pub mod message;
pub mod news;
pub mod outcome;
pub mod paths;
pub mod proof;
pub mod proposal;
pub mod rebase;
pub mod record;
#[cfg(test)]
mod scripted;
pub mod since;
pub mod verify;
