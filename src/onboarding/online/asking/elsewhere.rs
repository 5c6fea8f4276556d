//! Looks for a listener on the branches besides the default one, from which GitHub starts nothing:
//! a workflow that was never merged is a likely cause of silence. The likeliest branches and
//! files only, because each costs a request, and what was not looked at is said.

use std::collections::BTreeSet;

use super::{ALL_READ, About, PER_PAGE, is_likely};
use crate::onboarding::online::answers::{Branch, unexpected};
use crate::onboarding::online::{Elsewhere, WorkflowFile};

/// How many other branches are looked at for a listener: the likeliest first.
const BRANCHES: usize = 10;

impl About<'_> {
    /// Looks for a workflow on another branch that hears the event type; `known` are the files of
    /// the default branch.
    pub(super) async fn elsewhere(
        &self,
        default_branch: &str,
        known: &[WorkflowFile],
    ) -> Elsewhere {
        let unseen = |why: String| Elsewhere { found: None, unseen: Some(why) };
        let reply = match self.get(&["branches"], &[PER_PAGE]).await {
            Ok(reply) if reply.status == 200 => reply,
            Ok(reply) => {
                return unseen(format!("other branches are not known: {}", unexpected(&reply)));
            }
            Err(unanswered) => {
                return unseen(format!("other branches are not known: {unanswered}"));
            }
        };
        let Ok(mut branches) = serde_json::from_slice::<Vec<Branch>>(&reply.body) else {
            return unseen("other branches are not known: GitHub's list cannot be read".to_owned());
        };
        branches.retain(|branch| branch.name != default_branch);
        let trunk = |name: &str| ["main", "master", "develop", "trunk"].contains(&name);
        branches.sort_by_cached_key(|branch| {
            (!trunk(&branch.name) && !is_likely(&branch.name), branch.name.clone())
        });
        // The same file on many branches is read once.
        let mut deaf: BTreeSet<String> = known.iter().map(|file| file.sha.clone()).collect();
        let mut skipped = branches.len().saturating_sub(BRANCHES);
        let mut partly = false;
        for branch in branches.iter().take(BRANCHES) {
            let Ok(Ok(entries)) = self.listed(Some(&branch.name)).await else {
                skipped += 1;
                continue;
            };
            partly |= entries.len() > ALL_READ;
            for entry in entries.into_iter().take(ALL_READ) {
                if !entry.sha.is_empty() && !deaf.insert(entry.sha.clone()) {
                    continue;
                }
                let file = self.workflow(&entry, Some(&branch.name)).await;
                if self.hears(&file) {
                    let found = Some((self.shown(&branch.name), file.path));
                    return Elsewhere { found, unseen: None };
                }
            }
        }
        let unseen = (skipped > 0 || partly || reply.next_page).then(|| {
            let looked_at = branches.len() - skipped;
            let all = if reply.next_page { "more".to_owned() } else { branches.len().to_string() };
            let files = if partly { ", and of their workflows the likeliest" } else { "" };
            format!("only {looked_at} of {all} other branches were looked at{files}")
        });
        Elsewhere { found: None, unseen }
    }
}
