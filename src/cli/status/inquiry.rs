//! Finds out how each cousin stands: the watermarks from the remote, what they are behind from the
//! history, and what is pending from a comparison for all that have received the same. What can
//! not be told is left open with a warning, and the rest stands.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::Args;
use crate::actions;
use crate::cli::dispatch::with_flags;
use crate::cli::listing::{self, Listing};
use crate::cli::part::{Bases, Parts};
use crate::cli::{Exit, Failure};
use crate::delivery::Outcome;
use crate::ecosystem::{self, Cousin};
use crate::environment::Environment;
use crate::git::command::Git;
use crate::git::fetch::Remote;
use crate::git::history::Standing;
use crate::git::range::{Head, Reason};
use crate::git::refs;
use crate::git::source::{Outside, Source};
use crate::names::{CommitSha, FeaturePath, RepoName};
use crate::report::human::counted;
use crate::report::status::{Row, SCHEMA, State, Status, Totals};
use crate::report::{self, Warning, Written};
use crate::text;
use crate::watermark::{Marks, Since};

/// What is asked about, once head, the list of cousins and the refs are known.
pub(super) struct Inquiry<'r> {
    pub(super) args: &'r Args,
    pub(super) git: &'r Git,
    pub(super) source: Source<'r>,
    pub(super) remote: Remote,
    pub(super) reference: Option<String>,
    repository: Option<RepoName>,
    pub(super) head: CommitSha,
    /// All cousins of the list, by repository, and whether each is enabled. They are planned for as
    /// if all were.
    pub(super) cousins: Vec<Cousin>,
    enabled: Vec<bool>,
    /// Whether the list was read from head's tree.
    pub(super) list_is_heads: bool,
    /// The list, where it was read from the work tree or a file that was named.
    pub(super) list: Option<Vec<u8>>,
    /// Which of them it is about.
    chosen: Vec<usize>,
    pub(super) marks: Marks,
    /// Where the branch stands at the remote, where that is known.
    pub(super) tip: Option<CommitSha>,
    pub(super) warnings: Vec<Warning>,
    pub(super) notes: Vec<String>,
}

/// Where commits stand; none of which it cannot be told.
type Standings = BTreeMap<CommitSha, Option<Standing>>;

impl<'r> Inquiry<'r> {
    /// Reads head, the list of cousins and the refs.
    pub(super) fn prepare(
        dir: &Path,
        args: &'r Args,
        outside: &Outside<'_>,
        git: &'r Git,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let mut source = Source::open(dir, outside, git).map_err(with_flags)?;
        let named = args.ecosystem.as_ref().map(|file| listing::from(dir, file));
        let early = listing::outside_of_git(named.as_deref(), source.work_tree())?;
        let actions = actions::reference(environment).map(str::to_owned);
        let checked_out = source.checked_out().filter(|_| args.head.is_none());
        let reference = actions.or(checked_out);
        let revision = args.head.clone().unwrap_or_else(|| "HEAD".to_owned());
        let head = source.find_head(&Head::Revision(revision)).map_err(with_flags)?;
        let list_is_heads = early.is_none();
        let Listing { name, bytes, .. } = match early {
            Some(found) => found,
            None => listing::at_head(&source, &head)?,
        };
        let list = (!list_is_heads).then(|| bytes.clone());
        let mut cousins = ecosystem::parse(&name, &bytes)?.cousins;
        cousins.sort_by(|a, b| a.repo.cmp(&b.repo));
        let enabled = cousins.iter_mut().map(|it| std::mem::replace(&mut it.enabled, true));
        let enabled = enabled.collect();
        let all = cousins.iter().enumerate().collect();
        let chosen = listing::chosen(all, |(_, cousin)| &cousin.repo, &args.only)?;
        let chosen = chosen.into_iter().map(|(at, _)| at).collect();
        let remote = source.remote().cloned().ok_or_else(|| {
            Failure::new(
                "there is no origin, where the watermarks are kept",
                "add one (`git remote add origin URL`), or name the monorepo with --remote URL",
            )
        })?;
        let told = refs::list(git, &remote, reference.as_deref()).map_err(|error| {
            Failure::new(format!("cannot read the watermarks: {error}"), error.help())
        })?;
        let mut marks = Marks::read(told);
        if args.remote.is_some() && args.head.is_none() {
            // It is the remote's own HEAD.
            marks.tip = Some(head.clone());
        }
        let tip = marks.tip.clone();
        // A commit that is not pushed yet, or was pushed away, is looked at all the same.
        marks.tip = marks.tip.filter(|tip| *tip == head);
        let named = args.source.clone().or_else(|| actions::repository(environment));
        Ok(Self {
            args,
            git,
            repository: named.or_else(|| RepoName::in_address(source.remote_url()?)),
            source,
            remote,
            reference,
            head,
            cousins,
            enabled,
            list_is_heads,
            list,
            chosen,
            marks,
            tip,
            warnings: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Finds out how each cousin stands, and deletes what is to be deleted.
    pub(super) fn carry_out(mut self) -> Result<(Status, Exit), Failure> {
        if self.args.prune {
            self.may_prune()?;
        }
        let removed = self.removed();
        let standings = self.standings(&removed);
        let parts = self.pending(&standings)?;
        let (rows, path_encoding) = self.rows(parts, &standings);
        let (mut rows, mut exit, mut pruned) = (rows, Exit::Done, Vec::new());
        if self.args.prune {
            (pruned, exit) = self.prune()?;
        }
        rows.extend(self.removed().into_iter().map(|repo| self.row(repo, &standings)));
        if self.marks.is_empty() && self.enabled.contains(&true) {
            let note = "no cousin has a watermark yet: they begin with the first `ecosystem dispatch \
                        --watermarks`";
            self.notes.push(note.to_owned());
        }
        let status = Status {
            schema: SCHEMA,
            source: report::Source { repository: self.repository, reference: self.reference },
            head: self.head,
            path_encoding,
            summary: Totals::of(&rows),
            cousins: rows,
            pruned,
            notes: self.notes,
            warnings: self.warnings,
        };
        Ok((status, exit))
    }

    /// Returns the repositories that have refs and are not in the list, in order.
    fn removed(&self) -> Vec<RepoName> {
        if !self.args.only.is_empty() {
            return Vec::new();
        }
        let listed = self.listed();
        let all = self.marks.watermarks().chain(self.marks.all_failing()).map(|mark| &mark.repo);
        // Both refs of one repository may spell it otherwise.
        let gone = all.filter(|repo| !listed.contains(&repo.key()));
        let by_key: BTreeMap<String, &RepoName> = gone.map(|repo| (repo.key(), repo)).collect();
        let gone: BTreeSet<&RepoName> = by_key.into_values().collect();
        gone.into_iter().cloned().collect()
    }

    pub(super) fn listed(&self) -> HashSet<String> {
        self.cousins.iter().map(|cousin| cousin.repo.key()).collect()
    }

    /// Returns where the watermarks stand, each commit once; where all are at head, without a look
    /// at the history.
    fn standings(&mut self, removed: &[RepoName]) -> Standings {
        let chosen = self.chosen.iter().filter_map(|at| Some(&self.cousins.get(*at)?.repo));
        let marks = chosen.chain(removed).filter_map(|repo| self.marks.watermark(repo));
        let commits: BTreeSet<CommitSha> = marks.map(|mark| mark.commit.clone()).collect();
        let head = self.head.clone();
        let at_head = self.source.committed(&head);
        let at_head = at_head.map(|committed| Standing { behind: 0, committed });
        let mut standings = Standings::from([(head.clone(), at_head)]);
        let open: BTreeSet<CommitSha> = commits.into_iter().filter(|it| *it != head).collect();
        let tip = self.tip.clone().filter(|tip| self.args.head.is_none() && *tip != head);
        let mut holds_head = None;
        if !open.is_empty() {
            match self.source.history(&open) {
                Ok(history) => {
                    holds_head = tip.as_ref().and_then(|tip| history.is_in(tip));
                    let known = open.iter().map(|it| (it.clone(), history.standing(it)));
                    standings.extend(known);
                    let unknown = standings.values().filter(|it| it.is_none()).count();
                    if unknown > 0 {
                        let message = format!(
                            "{} at which watermarks stand cannot be read, so how far their cousins \
                             are behind is not known",
                            counted(unknown, "commit")
                        );
                        self.warnings.push(Warning::new("unclear-watermarks", message));
                    }
                }
                Err(error) => {
                    let message = format!(
                        "the history of {} cannot be had ({error}), so how far cousins are behind \
                         is not known",
                        head.short()
                    );
                    self.warnings.push(Warning::new("unclear-watermarks", message));
                    standings.extend(open.iter().map(|it| (it.clone(), None)));
                }
            }
        }
        if let Some(tip) = tip {
            self.note_where_the_branch_is(&tip, holds_head);
        }
        standings
    }

    /// Says that head is not what the remote's branch stands at; `holds_head` is whether that has
    /// head in its history.
    fn note_where_the_branch_is(&mut self, tip: &CommitSha, holds_head: Option<bool>) {
        let reference = self.reference.as_deref().unwrap_or_default();
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        let branch = text::shown(branch.as_bytes());
        let (head, tip) = (self.head.short(), tip.short());
        self.notes.push(match holds_head {
            Some(true) => {
                format!("origin/{branch} is at {tip}, further than {head}: fetch, or give --head")
            }
            Some(false) => format!(
                "origin/{branch} is at {tip} and does not hold {head}: what is pending is what \
                 pushing it would send"
            ),
            None => format!("origin/{branch} is at {tip}, not at {head}: fetch, or give --head"),
        });
    }

    /// Compares head with what cousins have received; those that have received the same share a
    /// comparison.
    fn pending(&mut self, standings: &Standings) -> Result<Parts, Failure> {
        let behind = |it: &Option<Standing>| it.map(|it| it.behind == 0);
        let is_in = standings.iter().map(|(commit, it)| (commit.clone(), behind(it))).collect();
        let mut groups: BTreeMap<Bases, Vec<usize>> = BTreeMap::new();
        for at in &self.chosen {
            let Some(cousin) = self.cousins.get(*at) else { continue };
            let received = match self.marks.since(&cousin.repo, &self.head, &is_in) {
                Since::Newer(_) | Since::Rewritten => continue,
                Since::Head => None,
                Since::Nothing => Some(None),
                Since::Watermark(commit) | Since::Unclear(commit) => Some(Some(commit)),
            };
            let heard_of = self.marks.heard_of(&cousin.repo, &self.head);
            let bases = Bases { received, reason: Reason::Watermarks, heard_of };
            groups.entry(bases).or_default().push(*at);
        }
        let mut parts = Parts::default();
        parts.add_groups(&mut self.source, &self.cousins, &groups)?;
        parts.sort(&self.cousins, &HashSet::new());
        let incomplete = parts.parts.iter().filter(|part| !part.compared.complete);
        self.warnings.extend(incomplete.map(|part| {
            let message = format!(
                "what some cousins received last could not be had ({}), so all that they follow \
                 counts as pending",
                part.compared.fallbacks.join("; ")
            );
            Warning::new("incomplete-range", message)
        }));
        Ok(parts)
    }

    /// Returns a row for each cousin, and the encoding of the features' paths.
    fn rows(&self, parts: Parts, standings: &Standings) -> (Vec<Row>, Option<&'static str>) {
        let called = parts.called.into_iter().map(|it| (it.planned.cousin, it.planned.feature));
        let (cousins, features): (Vec<usize>, Vec<FeaturePath>) = called.unzip();
        let (features, encoding) = report::write_features(features);
        let mut pending: BTreeMap<usize, Vec<Written>> = BTreeMap::new();
        for (at, feature) in cousins.into_iter().zip(features) {
            pending.entry(at).or_default().push(feature);
        }
        let rows = self.chosen.iter().filter_map(|at| {
            let repo = self.cousins.get(*at)?.repo.clone();
            let enabled = self.enabled.get(*at).copied().unwrap_or_default();
            let features = pending.remove(at).unwrap_or_default();
            let has_watermark = self.marks.watermark(&repo).is_some();
            Some(Row {
                state: State::of(enabled, has_watermark, features.len()),
                enabled,
                features_pending: features.len(),
                features: features.iter().map(Written::text).collect(),
                ..self.row(repo, standings)
            })
        });
        (rows.collect(), encoding)
    }

    /// Returns what the refs alone say of a repository, as of one that is not in the list.
    fn row(&self, repo: RepoName, standings: &Standings) -> Row {
        let watermark = self.marks.watermark(&repo).map(|mark| mark.commit.clone());
        let failing_since = self.marks.failing(&repo).map(|mark| mark.commit.clone());
        let standing =
            watermark.as_ref().and_then(|commit| standings.get(commit).copied().flatten());
        let here = || self.source.committed(watermark.as_ref()?);
        let committed = standing.map(|standing| standing.committed).or_else(here);
        let last_outcome = match (&failing_since, &watermark) {
            (Some(_), _) => Some(Outcome::Failed),
            (None, Some(commit)) if *commit == self.head => Some(Outcome::Delivered),
            _ => None,
        };
        Row {
            repo,
            state: State::Removed,
            enabled: false,
            watermark,
            committed: committed.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            commits_behind: standing.map(|standing| standing.behind),
            features_pending: 0,
            features: Vec::new(),
            last_outcome,
            failing_since,
        }
    }
}
