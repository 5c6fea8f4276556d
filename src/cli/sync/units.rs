//! What is brought by itself: a feature, or all that is brought in one commit because it keeps the
//! source's layout.

use super::request::{Request, What};
use crate::names::{CommitSha, FeaturePath, RepoName};
use crate::subscriptions::{Method, PullRequests, Subscription, Subscriptions};

/// What becomes one commit, on a branch of its own.
#[derive(Debug, Clone)]
pub(super) struct Unit<'a> {
    /// At least one; several only of a method that keeps the layout.
    pub(super) subscriptions: Vec<&'a Subscription>,
    /// The commit that is asked for; none is the trusted branch's head.
    pub(super) commit: Option<CommitSha>,
    /// The event's.
    pub(super) dispatch_id: Option<String>,
    /// What it is called in the name of its branch, where that is one for all commits.
    slug: String,
    pub(super) pull_requests: PullRequests,
}

impl Unit<'_> {
    /// Returns how it is brought.
    pub(super) fn method(&self) -> Method {
        self.subscriptions.first().map(|it| it.method).unwrap_or_default()
    }

    /// Returns its features.
    pub(super) fn features(&self) -> Vec<FeaturePath> {
        self.subscriptions.iter().map(|it| it.feature.clone()).collect()
    }

    /// Returns the name of its branch for a commit.
    pub(super) fn branch(&self, commit: &CommitSha) -> String {
        match self.pull_requests {
            PullRequests::Rolling => format!("update-from-upstream-{}", self.slug),
            PullRequests::PerCommit => format!("update-from-upstream-{commit}"),
        }
    }

    /// Returns the name of its branch for a commit where another feature has the plain one.
    pub(super) fn other_branch(&self, commit: &CommitSha) -> String {
        format!("update-from-upstream-{commit}-{}", self.slug)
    }
}

/// Returns what is to be brought, in the order of `subscriptions.json`, or the feature that is asked
/// for and not subscribed to.
pub(super) fn of<'a>(request: &'a Request<'_>) -> Result<Vec<Unit<'a>>, FeaturePath> {
    let all = &request.subscriptions.subscriptions;
    let (feature, commit, dispatch_id) = match &request.what {
        What::Hint(hint) => (&hint.feature, Some(&hint.commit), hint.dispatch_id.as_ref()),
        What::Feature(feature, commit) => (feature, commit.as_ref(), None),
        What::Pull => {
            let mut units: Vec<Unit<'a>> = Vec::new();
            for subscription in all {
                let has = |unit: &Unit<'_>| {
                    unit.subscriptions.iter().any(|it| it.feature == subscription.feature)
                };
                if !units.iter().any(has) {
                    units.push(unit(&request.subscriptions, &request.source_name, subscription));
                }
            }
            return Ok(units);
        }
    };
    let subscription = request.subscriptions.find(feature).ok_or_else(|| feature.clone())?;
    Ok(vec![Unit {
        commit: commit.cloned(),
        dispatch_id: dispatch_id.cloned(),
        ..unit(&request.subscriptions, &request.source_name, subscription)
    }])
}

/// Returns what is brought with a subscription.
fn unit<'a>(all: &'a Subscriptions, source: &RepoName, subscription: &'a Subscription) -> Unit<'a> {
    let together = |other: &&Subscription| {
        other.feature == subscription.feature
            || (subscription.method.keeps_layout() && other.method == subscription.method)
    };
    let subscriptions: Vec<&Subscription> = all.subscriptions.iter().filter(together).collect();
    let slug = match subscriptions.as_slice() {
        [_] => all.slug(subscription),
        _ => all.group_slug(source.name(), subscription.method),
    };
    // Whichever of them is named, what they share is proposed in the same way.
    let pull_requests =
        subscriptions.first().map_or(subscription.pull_request, |it| it.pull_request);
    Unit { subscriptions, commit: None, dispatch_id: None, slug, pull_requests }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the name of the branch of what is brought with each subscription.
    fn branches(source: &str, subscriptions: &str) -> Vec<String> {
        let all = crate::subscriptions::parse("", subscriptions.as_bytes()).unwrap();
        let source = RepoName::parse(source).unwrap();
        let commit = CommitSha::parse(&"1".repeat(40)).unwrap();
        let units = all.subscriptions.iter().map(|one| unit(&all, &source, one));
        units.map(|unit| unit.branch(&commit)).collect()
    }

    #[test]
    fn each_unit_has_a_branch_of_its_own() {
        let subscriptions = r#"[
            {"feature": "a", "method": "squash"}, {"feature": "b", "method": "squash"},
            {"feature": "c", "method": "rebase"}, {"feature": "d", "method": "rebase"},
            {"feature": "mono", "into": "e"}
        ]"#;
        let branch = |slug: &str| format!("update-from-upstream-{slug}");
        assert_eq!(
            branches("acme/mono", subscriptions),
            ["mono-squash", "mono-squash", "mono-rebase", "mono-rebase", "mono"].map(branch)
        );
    }

    #[test]
    fn features_that_are_brought_together_are_proposed_alike_whichever_is_named() {
        let subscriptions = r#"[
            {"feature": "a", "method": "squash"},
            {"feature": "b", "method": "squash", "pull_request": "per-commit"}
        ]"#;
        let [first, second] = branches("acme/mono", subscriptions).try_into().unwrap();
        assert_eq!((first.as_str(), &second), ("update-from-upstream-mono-squash", &first));
    }
}
