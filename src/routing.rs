//! Which cousin asked for which of the changed paths. Pure: no client, no clock, no repository;
//! patterns and paths come in, a plan goes out, and the same input gives the same plan.
//!
//! [`pattern`] reads one subscription, [`reach`] tells the walk of two trees where to look,
//! [`matching`] finds what every cousin is to hear, [`mod@plan`] puts that in its fixed order.

pub mod matching;
pub mod pattern;
pub mod plan;
pub mod reach;

pub use matching::{ChangedPath, Matcher, Selected, TooComplex};
pub use pattern::Pattern;
pub use plan::{Plan, Planned, plan};
pub use reach::Reach;
