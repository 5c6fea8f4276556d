//! What the model takes from a repository's real history: where its branches are, the files that
//! are on them, and what became of pull requests whose branches have moved. It is looked up when it
//! is asked for, so that whatever was pushed past the server is seen as well.
//!
//! Source: "About pull request merges" (a pull request whose commits reach the base by another way
//! counts as merged; one whose head branch is deleted is closed).

use git2::Oid;
use jiff::Timestamp;

use super::files::Tree;
use super::model::Model;
use super::repository::Repository;
use super::tracker::{Issue, Proposed};
use crate::git::hosted::Hosted;

impl Model {
    /// Lets the pull requests of a repository follow their branches.
    pub(super) fn follow_heads(&mut self, id: u64) {
        let now = (self.now)();
        if let Some(repository) = self.repositories.get_mut(&id) {
            repository.follow_heads(now);
        }
    }

    /// Reads the files of a repository's branches again where they have moved.
    pub(super) fn reread(&mut self, id: u64) {
        if let Some(repository) = self.repositories.get_mut(&id) {
            repository.reread();
        }
    }
}

impl Repository {
    /// Returns the real history, if there is one.
    pub(super) fn hosted(&self) -> Option<Hosted> {
        let opened = Hosted::open(self.bare.as_ref()?);
        opened.inspect_err(|error| tracing::debug!(%error, "opening a hosted repository")).ok()
    }

    /// Returns the commit that a branch is at.
    pub(super) fn tip(&self, branch: &str) -> Option<String> {
        if self.bare.is_some() {
            let id = self.hosted()?.at(&format!("refs/heads/{branch}"))?;
            return Some(id.to_string());
        }
        self.branches.get(branch).map(Tree::commit_id)
    }

    fn reread(&mut self) {
        let Some(hosted) = self.hosted() else { return };
        let mut branches = std::collections::BTreeMap::new();
        for (name, id) in hosted.branches() {
            let id_text = id.to_string();
            let known = self.branches.remove(&name).filter(|tree| tree.commit_id() == id_text);
            let read = || hosted.files(id).map(|files| Tree::of_commit(id_text.clone(), files));
            if let Some(tree) = known.or_else(|| read().ok()) {
                branches.insert(name, tree);
            }
        }
        self.branches = branches;
    }

    /// Lets the pull requests follow their branches.
    pub(super) fn follow_heads(&mut self, now: Timestamp) {
        let Some(hosted) = self.hosted() else { return };
        let open = self.tracker.pulls().filter(|(issue, _)| issue.open);
        let open: Vec<u64> = open.map(|(issue, _)| issue.number).collect();
        for number in open {
            if let Some((issue, pull)) = self.tracker.pull_mut(number) {
                follow(&hosted, issue, pull, now);
            }
        }
    }
}

/// Takes over where the branches of an open pull request are now.
fn follow(hosted: &Hosted, issue: &mut Issue, pull: &mut Proposed, now: Timestamp) {
    let at = |branch: &str| hosted.at(&format!("refs/heads/{branch}"));
    let Some(head) = at(&pull.head) else {
        return close(issue, now);
    };
    let Some(base) = at(&pull.base) else {
        return close(issue, now);
    };
    let pushed = pull.head_sha != head.to_string();
    if pushed || hosted.at(&pull_ref(issue.number)).is_none() {
        hosted.force(&pull_ref(issue.number), head);
    }
    if pushed {
        pull.head_sha = head.to_string();
        issue.updated_at = now;
    }
    let landed_elsewhere = pull.base_sha != base.to_string();
    pull.base_sha = base.to_string();
    if (pushed || landed_elsewhere) && hosted.is_in(head, base) {
        // Who resets the branch to its base takes the proposal back; else its commits have landed.
        if !pushed {
            pull.merged_at = Some(now);
            pull.merge_commit_sha = Some(base.to_string());
        }
        close(issue, now);
    }
}

fn close(issue: &mut Issue, now: Timestamp) {
    issue.open = false;
    issue.updated_at = now;
}

/// Returns the ref by which a pull request's head can be fetched.
pub(super) fn pull_ref(number: u64) -> String {
    format!("refs/pull/{number}/head")
}

/// Returns the id that a text of 40 hexadecimal digits is.
pub(super) fn object(sha: &str) -> Option<Oid> {
    Oid::from_str(sha).ok().filter(|_| sha.len() == 40)
}
