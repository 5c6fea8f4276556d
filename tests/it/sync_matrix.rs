//! What `ecosystem sync` makes of each kind of change by each method, and of each state that a
//! cousin, its clone and its files can be in. Whatever needs no GitHub runs without one.

mod adopting;
mod conflicts;
mod files;
mod history;
mod kinds;
mod layout;
mod picking;
mod places;
mod preserving;
mod report;
mod step;

use serde_json::{Value, json};

/// The methods that bring a state, and not a branch.
const METHODS: [&str; 4] = ["merge", "copy", "cherry-pick", "squash"];

/// The feature of most tests.
const FEATURE: &str = "features/push";

/// Its branch at the cousin.
const BRANCH: &str = "update-from-upstream-features-push";

/// Returns where a method puts [`FEATURE`]: one that keeps the source's layout leaves it there.
fn into(method: &str) -> &'static str {
    if method == "squash" { FEATURE } else { "src/push" }
}

/// Returns a subscription to [`FEATURE`].
fn subscription(method: &str) -> Value {
    json!({ "feature": FEATURE, "into": into(method), "method": method })
}
