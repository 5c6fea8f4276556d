//! What the refs below `refs/ecosystem/` mean, and so what each cousin is compared with and what is
//! to be written when its dispatches have ended. It reads and writes nothing: `git::refs` does.
//!
//! - `watermarks/OWNER/NAME` stands at the newest commit of the monorepo whose dispatches that
//!   cousin has all received.
//! - `sending/COMMIT` is there while a run sends for that commit, and stays when the run dies: any
//!   cousin may have heard of that commit, until a run for the newest has ended.
//! - `tried/OWNER/NAME/COMMIT-FEATURE` says that one cousin may have heard of that feature as it is in
//!   that commit, without having received everything; the feature is given by a hash, and not at
//!   all where there are many. What it heard may differ from head where its watermark does not:
//!   then it has to be told.
//! - `failing/OWNER/NAME` stands at the commit with which its dispatches began to fail.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::git::refs::{Listing, Update};
use crate::names::{CommitSha, FeaturePath, RepoName};

mod ledger;

pub use ledger::{Ledger, Settled};

/// Below [`crate::git::refs::PREFIX`]: what a cousin has received.
pub(crate) const WATERMARKS: &str = "watermarks/";

/// Below [`crate::git::refs::PREFIX`]: since when a cousin's dispatches fail.
const FAILING: &str = "failing/";

/// Below [`crate::git::refs::PREFIX`]: a commit that a run sends for.
const SENDING: &str = "sending/";

/// Below [`crate::git::refs::PREFIX`]: a commit of which a cousin has heard in part.
const TRIED: &str = "tried/";

/// One ref that belongs to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The repository that the ref's name names.
    pub repo: RepoName,
    /// The ref's name below [`crate::git::refs::PREFIX`].
    pub name: String,
    /// Where it stands.
    pub commit: CommitSha,
}

/// What of a commit a cousin may have heard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Anything.
    All,
    /// These features, by their hashes.
    Only(BTreeSet<String>),
}

/// With more features than so many it is not said which a cousin has heard of.
const FEATURES: usize = 32;

/// All refs of the tool at the remote, by repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    watermarks: BTreeMap<String, Mark>,
    failing: BTreeMap<String, Mark>,
    /// By the repository, then the ref's name, with the feature's hash.
    tried: BTreeMap<String, BTreeMap<String, (Mark, Option<String>)>>,
    sending: BTreeSet<CommitSha>,
    /// Where the branch stands that the run is about; none when it is not known or not there.
    pub tip: Option<CommitSha>,
    /// The full name of that branch.
    pub branch: Option<String>,
    /// The full name of the remote's default branch.
    pub default_branch: Option<String>,
}

/// What a cousin is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// Its watermark.
    Watermark(CommitSha),
    /// Nothing: it has received nothing so far.
    Nothing,
    /// Head itself: it has received everything.
    Head,
    /// A watermark that has head in its history already: a newer run has been there.
    Newer(CommitSha),
    /// The branch was rewritten and does not hold head any more: nobody is to hear of it.
    Rewritten,
    /// Its watermark, of which nobody can tell whether it is older than head. It must not be moved.
    Unclear(CommitSha),
}

impl Marks {
    /// Returns what a listing of the remote's refs holds; refs that name no repository are nothing.
    #[must_use]
    pub fn read(listing: Listing) -> Self {
        let Listing { refs, branch, tip, default_branch } = listing;
        let mut marks = Self { tip, branch, default_branch, ..Self::default() };
        for (name, commit) in refs {
            marks.set(&name, commit);
        }
        marks
    }

    /// Takes up where a ref stands.
    fn set(&mut self, name: &str, commit: CommitSha) {
        if let Some(of) = name.strip_prefix(SENDING) {
            if of == commit.as_str() {
                self.sending.insert(commit);
            }
        } else if let Some((repo, of)) = name.strip_prefix(TRIED).and_then(|it| it.rsplit_once('/'))
        {
            let (at, feature) = match of.split_once('-') {
                Some((at, feature)) => (at, Some(feature.to_owned())),
                None => (of, None),
            };
            if let Some(repo) = named_by(repo).filter(|_| at == commit.as_str()) {
                let of = self.tried.entry(repo.key()).or_default();
                let mark = Mark { repo, name: name.to_owned(), commit };
                of.insert(name.to_owned(), (mark, feature));
            }
        } else {
            let (of, rest) = match (name.strip_prefix(WATERMARKS), name.strip_prefix(FAILING)) {
                (Some(rest), _) => (&mut self.watermarks, rest),
                (_, Some(rest)) => (&mut self.failing, rest),
                _ => return,
            };
            let Some(repo) = named_by(rest) else { return };
            let mark = Mark { repo, name: name.to_owned(), commit };
            // GitHub takes no account of case, and neither must a new spelling in ecosystem.json
            // be a new cousin. Of two refs that differ in nothing else the first counts.
            match of.entry(mark.repo.key()) {
                Entry::Vacant(vacant) => drop(vacant.insert(mark)),
                Entry::Occupied(known) if known.get().name == name => *known.into_mut() = mark,
                Entry::Occupied(_) => {}
            }
        }
    }

    /// Returns whether no cousin has a watermark.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watermarks.is_empty()
    }

    /// Returns whether there is no ref at all: no run has ever begun. Where one has and nobody has a
    /// watermark, its first run came to nothing, and everybody lacks everything.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.is_empty()
            && self.failing.is_empty()
            && self.tried.is_empty()
            && self.sending.is_empty()
    }

    /// Returns a repository's watermark.
    #[must_use]
    pub fn watermark(&self, repo: &RepoName) -> Option<&Mark> {
        self.watermarks.get(&repo.key())
    }

    /// Returns the mark that a repository's dispatches fail.
    #[must_use]
    pub fn failing(&self, repo: &RepoName) -> Option<&Mark> {
        self.failing.get(&repo.key())
    }

    /// Returns all watermarks, ordered by repository without regard to case.
    pub fn watermarks(&self) -> impl Iterator<Item = &Mark> {
        self.watermarks.values()
    }

    /// Returns all marks of failing repositories, in the same order.
    pub fn all_failing(&self) -> impl Iterator<Item = &Mark> {
        self.failing.values()
    }

    /// Returns the commits about which it has to be known whether head lies in their history, each
    /// with a ref that stands there: watermarks and the tip of the branch.
    ///
    /// Where head is the tip of its branch that makes no difference: either it is newer, or the
    /// branch was rewritten, and what cousins have received has to be taken back.
    pub fn in_question<'m>(
        &'m self,
        repos: impl Iterator<Item = &'m RepoName>,
        head: &CommitSha,
    ) -> BTreeMap<CommitSha, String> {
        if self.tip.as_ref() == Some(head) {
            return BTreeMap::new();
        }
        let tip = self.tip.clone().zip(self.branch.clone());
        let marks = repos.filter_map(|repo| self.watermark(repo));
        let marks = marks.filter(|mark| mark.commit != *head);
        let full = |mark: &Mark| format!("{}{}", crate::git::refs::PREFIX, mark.name);
        marks.map(|mark| (mark.commit.clone(), full(mark))).chain(tip).collect()
    }

    /// Returns what a cousin is compared with. `is_in` says of a commit that was in question
    /// whether head lies in its history, none where that cannot be told.
    #[must_use]
    pub fn since(
        &self,
        repo: &RepoName,
        head: &CommitSha,
        is_in: &BTreeMap<CommitSha, Option<bool>>,
    ) -> Since {
        let is_tip = self.tip.as_ref() == Some(head);
        let holds = |commit: &CommitSha| is_in.get(commit).copied().flatten();
        if !is_tip && self.tip.as_ref().and_then(holds) == Some(false) {
            return Since::Rewritten;
        }
        let Some(Mark { commit, .. }) = self.watermark(repo) else { return Since::Nothing };
        if commit == head {
            return Since::Head;
        }
        if is_tip {
            return Since::Watermark(commit.clone());
        }
        match is_in.get(commit).copied().flatten() {
            Some(true) => Since::Newer(commit.clone()),
            Some(false) => Since::Watermark(commit.clone()),
            None => Since::Unclear(commit.clone()),
        }
    }

    /// Returns the name of a repository's watermark below [`crate::git::refs::PREFIX`], whether it
    /// is there or not.
    #[must_use]
    pub fn name_of(&self, repo: &RepoName) -> String {
        self.watermark(repo).map_or_else(|| name_of(WATERMARKS, repo), |mark| mark.name.clone())
    }

    /// Returns the update that creates a repository's watermark, which must not be there.
    #[must_use]
    pub fn create(repo: &RepoName, at: &CommitSha) -> Update {
        Update { name: name_of(WATERMARKS, repo), old: None, new: Some(at.clone()) }
    }

    /// Returns whether head is the newest commit of its branch, as far as is known: a run for an
    /// older one leaves it to another to take back what cousins have heard besides.
    #[must_use]
    pub fn is_newest(&self, head: &CommitSha) -> bool {
        self.tip.as_ref().is_none_or(|tip| tip == head)
    }

    /// Returns the commits of which a cousin may have heard besides its watermark, each with what:
    /// there head is compared with it, too.
    #[must_use]
    pub fn heard_of(&self, repo: &RepoName, head: &CommitSha) -> BTreeMap<CommitSha, Extent> {
        let mut all: BTreeMap<CommitSha, Extent> = BTreeMap::new();
        if !self.is_newest(head) {
            return all;
        }
        let watermark = self.watermark(repo).map(|mark| &mark.commit);
        let is_known = |commit: &CommitSha| commit == head || Some(commit) == watermark;
        for (Mark { commit, .. }, feature) in
            self.tried_of(repo).filter(|it| !is_known(&it.0.commit))
        {
            let heard = all.entry(commit.clone()).or_insert_with(|| Extent::Only(BTreeSet::new()));
            match (heard, feature) {
                (Extent::Only(features), Some(feature)) => drop(features.insert(feature.clone())),
                (heard, None) => *heard = Extent::All,
                (Extent::All, Some(_)) => {}
            }
        }
        let sending = self.sending.iter().filter(|commit| !is_known(commit));
        all.extend(sending.map(|commit| (commit.clone(), Extent::All)));
        all
    }

    fn tried_of(&self, repo: &RepoName) -> impl Iterator<Item = &(Mark, Option<String>)> {
        self.tried.get(&repo.key()).into_iter().flat_map(BTreeMap::values)
    }

    /// Returns what says that a run sends for `head`; none where that is said already.
    #[must_use]
    pub fn sends(&self, head: &CommitSha) -> Option<Update> {
        let name = format!("{SENDING}{head}");
        let update = Update { name, old: None, new: Some(head.clone()) };
        (!self.sending.contains(head)).then_some(update)
    }

    /// Returns what says that no run sends for `commit` any more.
    #[must_use]
    pub fn has_sent(&self, commit: &CommitSha) -> Option<Update> {
        let name = format!("{SENDING}{commit}");
        let update = Update { name, old: Some(commit.clone()), new: None };
        self.sending.contains(commit).then_some(update)
    }

    /// Returns the commits that other runs send for than the one for `head`, or that such runs died
    /// with.
    #[must_use]
    pub fn sent_by_others(&self, head: &CommitSha) -> Vec<CommitSha> {
        self.sending.iter().filter(|commit| *commit != head).cloned().collect()
    }

    /// Returns whether an update stands as it was to be.
    #[must_use]
    pub fn holds(&self, update: &Update) -> bool {
        let name = update.name.as_str();
        let at = if let Some(of) = name.strip_prefix(SENDING) {
            self.sending.iter().find(|commit| commit.as_str() == of)
        } else {
            let tried = self.tried.values().find_map(|of| of.get(name)).map(|(mark, _)| mark);
            let all = [&self.watermarks, &self.failing];
            let other = all.iter().find_map(|of| of.values().find(|mark| mark.name == name));
            tried.or(other).map(|mark| &mark.commit)
        };
        match &update.new {
            // Since when a cousin fails another run may have said as well.
            Some(_) if name.starts_with(FAILING) => at.is_some(),
            Some(new) => at == Some(new),
            None => at.is_none(),
        }
    }

    /// Returns what says that a cousin may have heard of a commit in part, as far as that is not
    /// known already; without features, of any.
    #[must_use]
    pub fn tried(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        features: Option<&BTreeSet<FeaturePath>>,
    ) -> Vec<Update> {
        if self.watermark(repo).is_some_and(|mark| mark.commit == *commit) {
            return Vec::new();
        }
        let name = format!("{}/{commit}", name_of(TRIED, repo));
        let names: Vec<String> = match features.filter(|features| features.len() <= FEATURES) {
            None => vec![name],
            Some(all) => all.iter().map(|it| format!("{name}-{}", hash_of(it))).collect(),
        };
        let known = self.tried.get(&repo.key());
        let is_new = |name: &String| !known.is_some_and(|known| known.contains_key(name));
        let update = |name| Update { name, old: None, new: Some(commit.clone()) };
        names.into_iter().filter(is_new).map(update).collect()
    }

    /// Returns what is to be written when all of a cousin's dispatches were delivered: its
    /// watermark moves to head. The marks go that it fails and what it heard of in part, unless
    /// there is a newer commit than head, whose run may have failed.
    #[must_use]
    pub fn delivered(&self, repo: &RepoName, head: &CommitSha) -> Vec<Update> {
        let mut updates = match self.watermark(repo) {
            None => vec![Self::create(repo, head)],
            Some(mark) if mark.commit == *head => Vec::new(),
            Some(mark) => vec![mark.to(Some(head))],
        };
        if self.is_newest(head) {
            updates.extend(self.failing(repo).map(|mark| mark.to(None)));
            updates.extend(self.tried_of(repo).map(|(mark, _)| mark.to(None)));
        }
        updates
    }

    /// Returns what is to be written when a cousin's dispatches failed: the mark of the commit with
    /// which that began, unless it is there.
    #[must_use]
    pub fn failed(&self, repo: &RepoName, head: &CommitSha) -> Option<Update> {
        let name = name_of(FAILING, repo);
        let update = Update { name, old: None, new: Some(head.clone()) };
        self.failing(repo).is_none().then_some(update)
    }

    /// Returns the updates that delete the marks of failing repositories to which nothing is sent:
    /// whether they would fail still, nobody knows.
    pub fn unsent(&self, is_enabled: impl Fn(&RepoName) -> bool) -> Vec<Update> {
        let failing = self.failing.values().filter(|mark| !is_enabled(&mark.repo));
        failing.map(|mark| mark.to(None)).collect()
    }

    /// Returns the updates that delete all that belongs to repositories which `is_listed` does not
    /// know.
    pub fn prune(&self, is_listed: impl Fn(&RepoName) -> bool) -> Vec<Update> {
        let tried = self.tried.values().flat_map(BTreeMap::values).map(|(mark, _)| mark);
        let all = self.watermarks.values().chain(self.failing.values()).chain(tried);
        all.filter(|mark| !is_listed(&mark.repo)).map(|mark| mark.to(None)).collect()
    }

    /// Notes that an update was written.
    pub fn wrote(&mut self, update: &Update) {
        let name = update.name.as_str();
        match (&update.new, &update.old) {
            (Some(commit), _) => self.set(name, commit.clone()),
            (None, Some(old)) if name.starts_with(SENDING) => drop(self.sending.remove(old)),
            (None, _) => self.unset(name),
        }
    }

    fn unset(&mut self, name: &str) {
        if let Some((repo, _)) = name.strip_prefix(TRIED).and_then(|rest| rest.rsplit_once('/')) {
            let of = named_by(repo).and_then(|repo| self.tried.get_mut(&repo.key()));
            of.and_then(|of| of.remove(name));
            return;
        }
        for (of, prefix) in [(&mut self.watermarks, WATERMARKS), (&mut self.failing, FAILING)] {
            let key = name.strip_prefix(prefix).and_then(named_by).map(|repo| repo.key());
            let is_it = |key: &String| of.get(key).is_some_and(|mark| mark.name == name);
            if let Some(key) = key.filter(is_it) {
                of.remove(&key);
            }
        }
    }
}

impl Mark {
    fn to(&self, new: Option<&CommitSha>) -> Update {
        Update { name: self.name.clone(), old: Some(self.commit.clone()), new: new.cloned() }
    }
}

/// Returns the hash by which a feature is named in a ref: 16 hexadecimal digits of its SHA-256.
#[must_use]
pub fn hash_of(feature: &FeaturePath) -> String {
    let digest = Sha256::digest(feature.as_bytes());
    digest.iter().take(8).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Returns the name of a repository's ref. GitHub allows names that git does not allow in a ref
/// (`.github`, `a..b`, `a.lock`, `a.`): there the dot is written `%2E`, which no name holds.
/// Source: git-check-ref-format(1).
fn name_of(kind: &str, repo: &RepoName) -> String {
    let mut name = kind.to_owned();
    let text = repo.as_str();
    let lock = text.len() >= 5 && text.to_ascii_lowercase().ends_with(".lock");
    let mut before = '/';
    for (at, c) in text.char_indices() {
        let rest = text.len() - at;
        let refused = c == '.' && ("/.".contains(before) || rest == 1 || (lock && rest == 5));
        name.push_str(if refused {
            "%2E"
        } else {
            text.get(at..at + c.len_utf8()).unwrap_or_default()
        });
        before = c;
    }
    name
}

/// Returns the repository that the rest of a ref's name names.
fn named_by(rest: &str) -> Option<RepoName> {
    RepoName::parse(&rest.replace("%2E", ".")).ok().filter(|repo| name_of("", repo) == rest)
}

#[cfg(test)]
mod tests;
