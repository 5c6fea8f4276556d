//! What a cousin's repository holds after its syncs, held against what it should hold. It is found
//! out by other means than the syncs have: trees are compared by their ids, between the cousin's
//! repository and the monorepo.

use super::super::Rehearsal;
use super::cast::Followed;
use super::{Member, Runs, State, Taken};
use crate::embedded_github::PullRequest;
use crate::git::GitError;
use crate::git::stage::cousin::{BRANCH, Bare};
use crate::report::synced::{Feature, Synced};
use crate::sync::lock::{self, Lock};
use crate::text;

/// What a cousin was and what became of it.
#[derive(Clone, Copy)]
pub(super) struct Its<'a> {
    pub(super) member: &'a Member,
    pub(super) bare: &'a Bare,
    pub(super) runs: &'a Runs<'a>,
}

/// What the judgement of a cousin rests on.
pub(super) struct Judge<'a> {
    pub(super) rehearsal: &'a Rehearsal<'a>,
    pub(super) monorepo: &'a Bare,
    pub(super) its: Its<'a>,
}

/// Returns what a report says of the event's feature.
pub(super) fn row(report: &Synced) -> Option<&Feature> {
    report.features.first()
}

/// Returns the pull request that an event led to.
pub(super) fn pull<'s>(state: &'s State, row: &Feature) -> Option<&'s PullRequest> {
    let number = row.pull_request.as_ref()?.number?;
    state.pulls.iter().find(|it| it.issue.number == number)
}

impl Judge<'_> {
    /// Returns what is otherwise than it should be, a sentence each.
    pub(super) fn all(&self) -> Result<Vec<String>, GitError> {
        let Runs { taken, first, second } = self.its.runs;
        let mut wrong = Vec::new();
        for taken in taken {
            let feature = text::shown(taken.followed.feature.as_bytes());
            let said = self.one(taken)?.into_iter().chain(self.again(taken));
            wrong.extend(said.map(|it| format!("{} {feature}: {it}", self.its.member.cousin.name)));
        }
        let mut tell = |what: &str| wrong.push(format!("{}: {what}", self.its.member.cousin.name));
        let main = first.branches.get(BRANCH).map(ToString::to_string);
        if main.as_deref() != Some(self.its.member.start.as_str()) {
            tell("its main was moved");
        }
        let proposed = taken.iter().filter(|it| row(&it.report).is_some_and(is_proposed)).count();
        if first.pulls.len() != proposed {
            tell(&format!("it has {} pull requests, not {proposed}", first.pulls.len()));
        }
        if first.branches.len() != proposed + 1 {
            tell(&format!(
                "it has {} branches beside main",
                first.branches.len().saturating_sub(1)
            ));
        }
        if first != second {
            tell("the second run of an event changed something");
        }
        Ok(wrong)
    }

    fn one(&self, taken: &Taken<'_>) -> Result<Vec<String>, GitError> {
        let Some(row) = row(&taken.report) else {
            return Ok(vec!["nothing is said of it".to_owned()]);
        };
        let feature = taken.followed.feature.as_bytes();
        match row.outcome {
            "proposed" => return self.proposed(taken.followed, row),
            // Something that may not be written is kept out by purpose; the sample has none.
            "refused" if self.rehearsal.own.is_some() => return Ok(Vec::new()),
            "nothing-to-do" => {
                let before = self.rehearsal.author.before.as_ref();
                let before = before.map(|it| self.monorepo.at(it.as_str(), feature)).transpose()?;
                let now = self.monorepo.at(self.rehearsal.author.after.as_str(), feature)?;
                if before.flatten() == now {
                    return Ok(Vec::new());
                }
            }
            _ => {}
        }
        let why = row.error.as_deref().map(|it| format!(" ({})", text::shown(it.as_bytes())));
        Ok(vec![format!("{}, not proposed{}", row.outcome, why.unwrap_or_default())])
    }

    fn again(&self, taken: &Taken<'_>) -> Option<String> {
        let first = row(&taken.report)?.outcome;
        let second = taken.again.as_ref().and_then(row)?.outcome;
        let wanted = if first == "refused" { "refused" } else { "nothing-to-do" };
        (second != wanted).then(|| format!("{second} at the second run, not {wanted}"))
    }

    fn proposed(&self, followed: &Followed, row: &Feature) -> Result<Vec<String>, GitError> {
        let Some(pull) = pull(&self.its.runs.first, row) else {
            return Ok(vec!["its pull request is not there".to_owned()]);
        };
        let mut wrong = Vec::new();
        let head = pull.proposed.head_sha.as_str();
        let branch = row.branch.as_deref().unwrap_or_default();
        let tip = self.its.runs.first.branches.get(branch).map(ToString::to_string);
        if pull.proposed.head != branch
            || tip.as_deref() != Some(head)
            || row.made.as_ref().map(ToString::to_string) != tip
        {
            wrong.push("the pull request is not of what was made".to_owned());
        }
        if !pull.issue.open || pull.proposed.base != BRANCH {
            wrong.push(format!("the pull request is not an open one into {BRANCH}"));
        }
        let conflicts = followed.edit.is_some_and(|edit| edit.conflicts);
        if pull.proposed.draft != conflicts || row.conflicts.is_empty() == conflicts {
            wrong.push(
                "the pull request is a draft without a conflict, or none with one".to_owned(),
            );
        }
        wrong.extend(self.elsewhere(followed, head)?);
        wrong.extend(self.content(followed, head)?);
        wrong.extend(self.lock(followed, head)?);
        Ok(wrong)
    }

    /// Returns whether something beside the feature and the lock file is changed.
    fn elsewhere(&self, followed: &Followed, head: &str) -> Result<Option<String>, GitError> {
        let range = (self.its.member.start.as_str(), head);
        let difference = self.its.bare.difference(range, 0, b"")?;
        let into = followed.into.as_bytes();
        let is_inside = |path: &[u8]| {
            let rest = path.strip_prefix(into);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let mut paths = difference.paths();
        let other = paths.find(|path| !is_inside(path) && *path != lock::FILE_NAME.as_bytes());
        Ok(other.map(|path| format!("it changes {}, too", text::shown(path))))
    }

    /// Returns how the directory differs from what it should hold: the feature as it is upstream,
    /// with what the cousin has edited.
    fn content(&self, followed: &Followed, head: &str) -> Result<Option<String>, GitError> {
        let (feature, into) = (followed.feature.as_bytes(), followed.into.as_bytes());
        let (after, bare) = (self.rehearsal.author.after.as_str(), self.its.bare);
        let other = || Some("what it brings is not what is upstream".to_owned());
        let Some(edit) = &followed.edit else {
            let same = bare.at(head, into)? == self.monorepo.at(after, feature)?;
            return Ok(if same { None } else { other() });
        };
        let mut here = bare.files(head, into)?;
        let mut there = self.monorepo.files(after, feature)?;
        let ours = here.remove(edit.file.as_bytes());
        there.remove(edit.file.as_bytes());
        if here != there {
            return Ok(other());
        }
        let path = |above: &[u8]| [above, b"/", edit.file.as_bytes()].concat();
        let ours = ours.map(|_| bare.file(head, &path(into))).transpose()?.flatten();
        let ours = ours.unwrap_or_default();
        let theirs = self.monorepo.file(after, &path(feature))?.unwrap_or_default();
        let right = if edit.conflicts {
            let text = String::from_utf8_lossy(&ours).into_owned();
            let both = [&edit.to.as_bytes(), &&theirs[..]];
            let lines = both.iter().flat_map(|it| it.split(|byte| *byte == b'\n'));
            let has = |line: &[u8]| text.contains(&*String::from_utf8_lossy(line));
            text.contains("<<<<<<<") && lines.into_iter().all(has)
        } else {
            edit.apply(&theirs).as_deref() == Some(ours.as_slice())
        };
        Ok(if right { None } else { Some("the cousin's edit is not in it".to_owned()) })
    }

    /// Returns what the lock file says otherwise than what was brought.
    fn lock(&self, followed: &Followed, head: &str) -> Result<Option<String>, GitError> {
        let bytes = self.its.bare.file(head, lock::FILE_NAME.as_bytes())?.unwrap_or_default();
        let lock = Lock::parse(&bytes).unwrap_or_default();
        let right = lock.get(&followed.feature).is_some_and(|locked| {
            locked.commit == self.rehearsal.author.after
                && locked.dispatch_id == followed.dispatch_id
        });
        Ok((!right).then(|| format!("{} does not say that it has it", lock::FILE_NAME)))
    }
}

fn is_proposed(row: &Feature) -> bool {
    row.outcome == "proposed"
}
