//! Refs of the remote below one prefix, which a command keeps its state in: read in one go, and
//! written in as few pushes as possible, each ref only where it still is what was read. What the
//! refs mean is decided elsewhere. Everything goes through the git program, from a bare repository
//! of our own that borrows the objects it needs: no branch, hook or setting of the user's clone
//! takes part, and none of them changes.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use git2::RepositoryInitOptions;
use tempfile::TempDir;

use super::command::{CommandError, Context, Git, Place, git_path};
use super::fetch::Remote;
pub use super::porcelain::Told;
use super::porcelain::{tells_of_refs, told};
use super::{GitError, init};
use crate::names::CommitSha;

/// The prefix of all refs that are read and written here.
pub const PREFIX: &str = "refs/ecosystem/";

/// How many refs are written in one push, at most. Each takes some hundred bytes of the server's
/// memory; servers bound what one push may hold.
const AT_A_TIME: usize = 10_000;

/// How many refs are deleted in one push, at most: each stands on git's command line.
const DELETED_AT_A_TIME: usize = 500;

/// What the remote has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The refs below [`PREFIX`], by the rest of their names, with the very ids that they hold:
    /// each is written only where it still holds that. It may be a tag's, though we write none.
    pub refs: BTreeMap<String, CommitSha>,
    /// The full name of the branch that was asked for besides, else of the remote's default branch.
    pub branch: Option<String>,
    /// Where that branch stands; none when the remote has none of that name.
    pub tip: Option<CommitSha>,
    /// The full name of the remote's default branch, where it tells.
    pub default_branch: Option<String>,
}

/// One ref that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Update {
    /// Its name below [`PREFIX`].
    pub name: String,
    /// Where it stands now; none when it is not there.
    pub old: Option<CommitSha>,
    /// Where it is to stand; none deletes it.
    pub new: Option<CommitSha>,
}

/// Returns the refs of the remote below [`PREFIX`], and where `branch` stands, a full name; without
/// one it is the remote's default branch.
///
/// # Errors
/// [`CommandError`] when the remote cannot be asked.
pub fn list(git: &Git, remote: &Remote, branch: Option<&str>) -> Result<Listing, CommandError> {
    let all = format!("{PREFIX}*");
    let mut args =
        vec!["ls-remote", "--quiet", "--symref", "--end-of-options", remote.url(), &all, "HEAD"];
    args.extend(branch);
    let output = remote.with_credentials(git, Place::Nowhere, |context| git.run(context, &args))?;
    Ok(read(&output, branch))
}

fn read(output: &[u8], branch: Option<&str>) -> Listing {
    let mut listing = Listing { branch: branch.map(str::to_owned), ..Listing::default() };
    let mut head = None;
    let lines =
        output.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    for (id, name) in lines.filter_map(|line| line.split_once('\t')) {
        if let (Some(target), "HEAD") = (id.strip_prefix("ref: "), name) {
            listing.default_branch = Some(target.to_owned());
        }
        let Ok(commit) = CommitSha::parse(id) else { continue };
        // What a tag leads to follows the tag.
        if name.ends_with("^{}") {
            continue;
        }
        if Some(name) == branch {
            listing.tip = Some(commit);
        } else if name == "HEAD" {
            head = Some(commit);
        } else if let Some(name) = name.strip_prefix(PREFIX) {
            listing.refs.insert(name.to_owned(), commit);
        }
    }
    if branch.is_none() {
        listing.branch.clone_from(&listing.default_branch);
        listing.tip = head;
    }
    listing
}

/// How git learns that the remote has the commits which are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It takes it for granted.
    Here,
    /// It asks the remote.
    Asked,
}

/// Writes refs of one remote.
#[derive(Debug)]
pub struct Writer {
    git: Git,
    remote: Remote,
    dir: TempDir,
    /// A commit that the remote shows among its branches.
    tip: Option<CommitSha>,
    /// Whether that commit was found here.
    has_tip: Cell<bool>,
    /// Where the history ends that was borrowed.
    ends: BTreeSet<String>,
}

impl Writer {
    /// Returns a writer that finds the commits it writes in the object directories given. `tip` is
    /// a commit that the remote shows among its branches.
    ///
    /// # Errors
    /// [`GitError`] when its own repository cannot be made.
    pub fn new(
        git: &Git,
        remote: &Remote,
        objects: &[PathBuf],
        tip: Option<&CommitSha>,
    ) -> Result<Self, GitError> {
        let scratch = |source| GitError::Scratch { source };
        let dir = tempfile::Builder::new().prefix("ecosystem-refs-").tempdir().map_err(scratch)?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        let repository = init(dir.path(), &options)?;
        let mut config = repository.config()?;
        config.set_str("remote.source.url", remote.url())?;
        // What `--force-with-lease` holds the remote's refs against.
        config.set_str("remote.source.fetch", &format!("+{PREFIX}*:refs/old/*"))?;
        let mut borrowed = Vec::new();
        for path in objects {
            borrowed.extend_from_slice(git_path(path).as_os_str().as_encoded_bytes());
            borrowed.push(b'\n');
        }
        let info = dir.path().join("objects").join("info");
        fs::create_dir_all(&info).map_err(scratch)?;
        fs::write(info.join("alternates"), borrowed).map_err(scratch)?;
        let ends = |path: &PathBuf| fs::read_to_string(path.with_file_name("shallow")).ok();
        let ends: Vec<String> = objects.iter().filter_map(ends).collect();
        let ends = ends.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
        let (git, remote, tip) = (git.clone(), remote.clone(), tip.cloned());
        Ok(Self { git, remote, dir, tip, has_tip: Cell::new(false), ends })
    }

    /// Sees that the remote lets us write, without writing: `updates` are what would be.
    ///
    /// # Errors
    /// [`GitError`] when it does not.
    pub fn check(&self, updates: &[Update]) -> Result<(), GitError> {
        let set: Vec<&Update> = updates.iter().filter(|update| update.new.is_some()).collect();
        self.push(&set, &[], true, Known::Asked).map(drop)
    }

    /// Writes the refs, each only where it still is what `old` says, and returns for each, in their
    /// order, whether it now is what `new` says, or why not, in the server's words. The remote must
    /// have the new commits already.
    ///
    /// # Errors
    /// [`GitError`] when the remote could not be reached or refused everything; what was written
    /// before that stays written, and writing all of it again does no harm.
    pub fn write(&self, updates: &[Update]) -> Result<Vec<Told>, GitError> {
        let (set, deleted): (Vec<&Update>, Vec<&Update>) =
            updates.iter().partition(|update| update.new.is_some());
        let (mut set, mut deleted) = (set.chunks(AT_A_TIME), deleted.chunks(DELETED_AT_A_TIME));
        let mut told = BTreeMap::new();
        loop {
            let (set, deleted) =
                (set.next().unwrap_or_default(), deleted.next().unwrap_or_default());
            if set.is_empty() && deleted.is_empty() {
                break;
            }
            told.extend(self.write_some(set, deleted)?);
        }
        let unsaid = || Err("the server did not say what came of it".to_owned());
        Ok(updates.iter().map(|it| told.remove(&it.name).unwrap_or_else(unsaid)).collect())
    }

    /// Pushes once, or twice where a ref that is to be deleted is gone: git then refuses the whole
    /// push, and what is not there is as it was to be.
    fn write_some(
        &self,
        set: &[&Update],
        deleted: &[&Update],
    ) -> Result<BTreeMap<String, Told>, GitError> {
        let error = match self.push_known(set, deleted) {
            Err(error) if !deleted.is_empty() => error,
            told => return told,
        };
        let there = list(&self.git, &self.remote, None).map_err(GitError::from)?.refs;
        let (left, gone): (Vec<&Update>, Vec<&Update>) =
            deleted.iter().partition(|update| there.contains_key(&update.name));
        if gone.is_empty() {
            return Err(error);
        }
        let mut told = match (set, left.as_slice()) {
            ([], []) => BTreeMap::new(),
            (set, left) => self.push_known(set, left)?,
        };
        told.extend(gone.iter().map(|update| (update.name.clone(), Ok(()))));
        Ok(told)
    }

    /// Pushes without sending objects, which the remote has; where that cannot be arranged here,
    /// the remote is asked what it has.
    fn push_known(
        &self,
        set: &[&Update],
        deleted: &[&Update],
    ) -> Result<BTreeMap<String, Told>, GitError> {
        if self.know(set)? {
            match self.push(set, deleted, false, Known::Here) {
                Err(error) if !is_turned_away(&error) => {
                    tracing::info!("asking the remote which commits it has: {error}");
                }
                told => return told,
            }
        }
        self.push(set, deleted, false, Known::Asked)
    }

    /// Lets git take for granted that the remote has the new commits: to our repository they are
    /// parents of the tip that the remote shows (`info/grafts`). git would else pack them, in a
    /// shallow or partial clone as if they were new, or die of what it lacks. Returns whether that
    /// is so now.
    fn know(&self, set: &[&Update]) -> Result<bool, GitError> {
        let scratch = |source| GitError::Scratch { source };
        let shallow = || drop(fs::remove_file(self.dir.path().join("shallow")));
        if set.is_empty() {
            // What is only deleted takes no commit along.
            shallow();
            return Ok(true);
        }
        let Some(tip) = self.tip.as_ref().filter(|tip| self.brings(tip)) else { return Ok(false) };
        let parents: BTreeSet<&str> =
            set.iter().filter_map(|update| Some(update.new.as_ref()?.as_str())).collect();
        let others = parents.into_iter().filter(|commit| *commit != tip.as_str());
        let line: Vec<&str> = [tip.as_str()].into_iter().chain(others).collect();
        // So are the ends of the history that was borrowed, which a file `shallow` would tell the
        // remote of, and that refuses what is shallow.
        let ends = self.ends.iter().map(String::as_str).filter(|end| *end != tip.as_str());
        let line = line.join(" ");
        let grafts: Vec<&str> = ends.chain([line.as_str(), ""]).collect();
        let info = self.dir.path().join("info");
        fs::create_dir_all(&info).map_err(scratch)?;
        fs::write(info.join("grafts"), grafts.join("\n")).map_err(scratch)?;
        shallow();
        Ok(true)
    }

    /// Returns whether the tip is here, fetched if need be; git is asked until it is.
    fn brings(&self, tip: &CommitSha) -> bool {
        let dir = git_path(self.dir.path());
        let commit = format!("{tip}^{{commit}}");
        let has_tip = || {
            let context = Context { place: Place::Own(&dir), ..Context::default() };
            self.git.run(&context, ["cat-file", "-e", &commit]).is_ok()
        };
        if !self.has_tip.get() && !has_tip() {
            let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
            args.extend(["--depth=1", "--filter=tree:0", "--end-of-options", "source"]);
            args.push(tip.as_str());
            let fetched = self.remote.with_credentials(&self.git, Place::Own(&dir), |context| {
                self.git.run(context, &args)
            });
            if fetched.is_err() || !has_tip() {
                return false;
            }
        }
        self.has_tip.set(true);
        true
    }

    /// Leaves it to git to find out what the remote has.
    fn ask(&self) -> Result<(), GitError> {
        drop(fs::remove_file(self.dir.path().join("info").join("grafts")));
        if self.ends.is_empty() {
            return Ok(());
        }
        // Where the history that was borrowed ends; git would die of what lies beyond.
        let ends: Vec<&str> = self.ends.iter().map(String::as_str).chain([""]).collect();
        let shallow = self.dir.path().join("shallow");
        fs::write(shallow, ends.join("\n")).map_err(|source| GitError::Scratch { source })
    }

    /// Pushes once and returns what git tells of each ref, by its name below the prefix.
    fn push(
        &self,
        set: &[&Update],
        deleted: &[&Update],
        dry_run: bool,
        known: Known,
    ) -> Result<BTreeMap<String, Told>, GitError> {
        if known == Known::Asked {
            self.ask()?;
        }
        let packed = self.dir.path().join("packed-refs");
        fs::write(packed, packed_refs(set)).map_err(|source| GitError::Scratch { source })?;
        let dir = git_path(self.dir.path());
        let mut args: Vec<String> = PUSH.map(str::to_owned).to_vec();
        // Named one by one: git would take each out of our packed-refs by itself, and write that
        // file again each time.
        args.extend(deleted.iter().map(|Update { name, old, .. }| {
            let old = old.as_ref().map_or("", CommitSha::as_str);
            format!("--force-with-lease={PREFIX}{name}:{old}")
        }));
        if dry_run {
            args.push("--dry-run".to_owned());
        }
        args.push("source".to_owned());
        args.push(format!("refs/new/*:{PREFIX}*"));
        args.extend(deleted.iter().map(|update| format!(":{PREFIX}{}", update.name)));
        let output = self.remote.with_credentials(&self.git, Place::Own(&dir), |context| {
            context.partial_success = Some(tells_of_refs);
            context.uninterrupted = true;
            // The server may have a commit that it shows nowhere: then nothing need be sent.
            context.settings = match known {
                Known::Here => &SETTINGS[..2],
                Known::Asked => &SETTINGS,
            };
            self.git.run(context, &args)
        })?;
        Ok(told(&output, PREFIX))
    }
}

/// A push that takes nothing along but the refs, whatever the user's settings say, and that asks of
/// each ref on the remote that it be what ours below `refs/old` is.
const PUSH: [&str; 7] = [
    "push",
    "--porcelain",
    "--force-with-lease",
    "--no-verify",
    "--no-follow-tags",
    "--no-signed",
    "--recurse-submodules=no",
];

/// The user's own options for a push, which many a server does not take, are left out; then what
/// lets git ask which commits the server has.
const SETTINGS: [&str; 3] =
    ["push.pushOption=", "advice.graftFileDeprecated=false", "push.negotiate=true"];

/// Returns the file in which git finds what is to be written (`refs/new`) and what is there now
/// (`refs/old`). One file instead of a command for each ref; and one pattern instead of a
/// refspec for each, with which git takes minutes for ten thousand.
fn packed_refs(updates: &[&Update]) -> String {
    let mut lines: Vec<(String, &CommitSha)> = Vec::with_capacity(2 * updates.len());
    for Update { name, old, new } in updates {
        lines.extend(old.iter().map(|old| (format!("refs/old/{name}"), old)));
        lines.extend(new.iter().map(|new| (format!("refs/new/{name}"), new)));
    }
    lines.sort_unstable();
    let mut file = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    for (name, id) in lines {
        file.push_str(id.as_str());
        file.push(' ');
        file.push_str(&name);
        file.push('\n');
    }
    file
}

/// What git says when a server turns it away before any commit is spoken of, so that it makes no
/// difference what is taken for granted. A status that comes later is told as "RPC failed".
const TURNED_AWAY: [&str; 6] = [
    "The requested URL returned error: 401",
    "The requested URL returned error: 403",
    "Authentication failed for",
    "could not read Username for",
    "unable to get password from user",
    "Could not read from remote repository",
];

/// Whether the push would be refused however it is done.
fn is_turned_away(error: &GitError) -> bool {
    let GitError::Command(CommandError::Failed { message, .. }) = error else { return false };
    // With several tokens the last word counts.
    let last = message.rsplit("; with ").next().unwrap_or_default();
    !last.contains("RPC failed") && TURNED_AWAY.iter().any(|words| last.contains(words))
}

/// Returns the directory of a repository's objects, which may be borrowed from.
pub(super) fn objects_of(repository: &git2::Repository) -> PathBuf {
    let objects: &Path = repository.commondir();
    objects.join("objects")
}

#[cfg(test)]
mod tests;
