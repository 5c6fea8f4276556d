//! What is pushed from the workshop to the cousin's origin, each ref only where it still is what
//! was expected, and which refs the origin has.

use std::collections::BTreeMap;

use super::absent::check_reference;
use super::{GitError, ObjectId, Told, Workshop};
use crate::git::command::{Place, git_path};
use crate::git::fetch::Remote;
use crate::git::porcelain::{tells_of_refs, told};

/// A ref that is to be written on a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRef {
    /// Its full name.
    pub reference: String,
    /// The commit that it is to lead to; none deletes it.
    pub new: Option<ObjectId>,
    /// What it leads to now; none when it must not be there.
    pub expected: Option<ObjectId>,
    /// Whether commits that it leads to now may be lost.
    pub force: bool,
}

/// Takes nothing along but the refs, whatever the user's settings say. The pack stands alone: deltas
/// against what a filter left out here could not be made.
const PUSH: [&str; 7] = [
    "push",
    "--porcelain",
    "--no-thin",
    "--no-verify",
    "--no-follow-tags",
    "--no-signed",
    "--recurse-submodules=no",
];

/// No push option of the user's; the remote is asked which commits it has where its branches have
/// moved on; and what it has is told by whole trees, so that a file that only changed its place is
/// known to be there.
const SETTINGS: [&str; 3] = ["push.pushOption=", "push.negotiate=true", "pack.useSparse=false"];

impl Workshop {
    /// Pushes commits of the workshop and returns for each ref, in their order, what came of it, in
    /// the server's words.
    ///
    /// # Errors
    /// [`GitError`] when the remote could not be reached or refused everything, and when a name
    /// cannot be that of a ref: nothing was written then.
    pub fn push(
        &self,
        remote: &Remote,
        updates: &[PushRef],
    ) -> Result<Vec<(String, Told)>, GitError> {
        let mut args: Vec<String> = PUSH.map(str::to_owned).to_vec();
        let mut refspecs = Vec::new();
        let mut known: BTreeMap<String, Told> = BTreeMap::new();
        for update in updates {
            let name = &update.reference;
            check_reference(name)?;
            if let Some(told) = self.settled(update)? {
                known.insert(name.clone(), told);
                continue;
            }
            let id = |id: Option<ObjectId>| id.map(|id| id.to_string()).unwrap_or_default();
            args.push(format!("--force-with-lease={name}:{}", id(update.expected)));
            refspecs.push(format!("{}:{name}", id(update.new)));
        }
        if !refspecs.is_empty() {
            args.extend(["--end-of-options".to_owned(), remote.url().to_owned()]);
            args.extend(refspecs);
            let dir = git_path(self.path());
            let output = remote.with_credentials(&self.git, Place::Own(&dir), |context| {
                context.partial_success = Some(tells_of_refs);
                context.uninterrupted = true;
                context.settings = &SETTINGS;
                self.git.run(context, &args)
            })?;
            known.extend(told(&output, ""));
        }
        let unsaid = || Err("the server did not say what came of it".to_owned());
        let name = |update: &PushRef| update.reference.clone();
        let mut told = |name: &str| known.remove(name).unwrap_or_else(unsaid);
        Ok(updates.iter().map(|update| (name(update), told(&update.reference))).collect())
    }

    /// Returns what comes of an update without asking the remote, where that is certain.
    fn settled(&self, update: &PushRef) -> Result<Option<Told>, GitError> {
        match (update.new, update.expected) {
            (None, None) => Ok(Some(Ok(()))),
            (Some(new), Some(old)) if !update.force => {
                let reach = self.ancestry.reach(&self.odb()?, new)?;
                let is_kept = reach.commits.contains(&old) || reach.missing.contains(&old);
                let lost = "[rejected] (commits that it leads to now would be lost)";
                Ok(if is_kept { None } else { Some(Err(lost.to_owned())) })
            }
            _ => Ok(None),
        }
    }

    /// Returns the refs of a remote that the patterns match, full names or globs, by their full
    /// names.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be asked.
    pub fn tips(
        &self,
        remote: &Remote,
        patterns: &[&str],
    ) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let mut args = vec!["ls-remote", "--quiet", "--end-of-options", remote.url()];
        args.extend(patterns);
        let output = remote
            .with_credentials(&self.git, Place::Nowhere, |context| self.git.run(context, &args))?;
        let text = String::from_utf8_lossy(&output);
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        let refs = lines.filter_map(|(id, name)| {
            let is_ref = name == "HEAD" || name.starts_with("refs/");
            let id = ObjectId::from_str(id).ok().filter(|_| is_ref && !name.ends_with("^{}"))?;
            Some((name.to_owned(), id))
        });
        Ok(refs.collect())
    }

    /// Returns the full name of a remote's default branch, where it tells.
    ///
    /// # Errors
    /// [`GitError`] when the remote cannot be asked.
    pub fn default_branch(&self, remote: &Remote) -> Result<Option<String>, GitError> {
        let args = ["ls-remote", "--quiet", "--symref", "--end-of-options", remote.url(), "HEAD"];
        let output = remote
            .with_credentials(&self.git, Place::Nowhere, |context| self.git.run(context, args))?;
        let text = String::from_utf8_lossy(&output);
        let mut lines = text.lines();
        Ok(lines.find_map(|line| {
            let target = line.strip_prefix("ref: ")?.strip_suffix("\tHEAD")?;
            Some(target.to_owned())
        }))
    }
}
