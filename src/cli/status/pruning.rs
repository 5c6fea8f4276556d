//! `--prune`: deletes the refs of repositories that are not in the list, and what is known of them
//! with these. It refuses to where the list may be another than the one that counts.

use super::inquiry::Inquiry;
use crate::cli::{Exit, Failure, listing};
use crate::git::refs::{PREFIX, Writer};
use crate::report::Warning;
use crate::report::status::Pruned;
use crate::text;

/// What writing needs, for people.
const NEEDED: &str = "the checkout's credentials or GITHUB_TOKEN must be allowed to write the \
                      monorepo's contents (in a workflow: permissions: contents: write)";

impl Inquiry<'_> {
    /// Sees that the list is one to delete by: what is not in it loses what is known of it.
    pub(super) fn may_prune(&self) -> Result<(), Failure> {
        if self.cousins.is_empty() {
            return Err(Failure::new(
                "--prune: the list of cousins is empty, so every ref would be deleted",
                "see that it is the right list; nothing was deleted",
            ));
        }
        if self.args.ecosystem.is_some() || (self.args.head.is_some() && self.list_is_heads) {
            return Ok(());
        }
        let reference = self.reference.as_deref().or(self.marks.branch.as_deref());
        let reference = reference.unwrap_or("refs/heads/");
        let head = self.head.short();
        let message = if self.args.head.is_some() {
            "--prune: the list is that of the work tree, whatever --head says".to_owned()
        } else if !reference.starts_with("refs/heads/") {
            let reference = text::shown(reference.as_bytes());
            format!("--prune: {reference} is no branch, and its list may be one that never counts")
        } else if self.marks.default_branch.as_deref().is_some_and(|default| default != reference) {
            let reference = text::shown(reference.as_bytes());
            format!("--prune: {reference} is not the default branch, whose list counts")
        } else if self.tip.as_ref() != Some(&self.head) {
            let reference = text::shown(reference.as_bytes());
            format!(
                "--prune: {head} is not what {reference} stands at on the remote, so its list may \
                 be old"
            )
        } else if self.list_differs() {
            format!("--prune: the list in the work tree is not the one of {head}")
        } else {
            return Ok(());
        };
        let help = "run it on the branch as it is on the remote, or name the list that counts with \
                    --ecosystem FILE; nothing was deleted";
        Err(Failure::new(message, help))
    }

    /// Whether the list was read from the work tree, and head's is another or cannot be had.
    fn list_differs(&self) -> bool {
        let Some(bytes) = &self.list else { return false };
        let limit = crate::ecosystem::MAX_BYTES;
        let heads = self.source.file_at_head(listing::FILE, limit).ok().flatten();
        heads.as_ref() != Some(bytes)
    }

    /// Deletes the refs of repositories that are not in the list, each only where it still stands
    /// where it stood.
    pub(super) fn prune(&mut self) -> Result<(Vec<Pruned>, Exit), Failure> {
        let listed = self.listed();
        let updates = self.marks.prune(|repo| listed.contains(&repo.key()));
        if updates.is_empty() {
            self.notes.push("there is nothing to prune".to_owned());
            return Ok((Vec::new(), Exit::Done));
        }
        let not_writable = |error| Failure::new(format!("cannot delete the refs: {error}"), NEEDED);
        let writer = Writer::new(self.git, &self.remote, &self.source.objects(), None);
        let told = writer.and_then(|it| it.write(&updates)).map_err(not_writable)?;
        let (mut pruned, mut exit) = (Vec::new(), Exit::Done);
        for (update, told) in updates.into_iter().zip(told) {
            let reference = format!("{PREFIX}{}", update.name);
            match told {
                Ok(()) => {
                    self.marks.wrote(&update);
                    pruned.extend(update.old.map(|commit| Pruned { reference, commit }));
                }
                Err(why) => {
                    let message = format!("{reference} was not deleted: {why}");
                    self.warnings.push(Warning::new("watermarks-not-written", message));
                    exit = Exit::Misused;
                }
            }
        }
        Ok((pruned, exit))
    }
}
