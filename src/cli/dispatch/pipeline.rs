//! The pipeline, from a range to a report: each function is one arrow of the picture in the
//! crate's documentation.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::sending::{self, Push, Shared};
use super::{Request, watermarks};
use crate::actions;
use crate::cli::listing::{self, Listing};
use crate::cli::part::{Called, Part, Parts};
use crate::cli::sending::Line;
use crate::cli::{self, Exit, Failure, Output};
use crate::delivery::{Ending, Outcome};
use crate::ecosystem::{self, Cousin};
use crate::event::Context;
use crate::git::GitError;
use crate::git::command::Git;
use crate::git::range::{Comparison, Trigger};
use crate::git::source::{Outside, Source};
use crate::names::{CommitSha, RepoName};
use crate::report::{Report, Warning, Watermark};

/// What a run works on, once the range's head and the list of cousins are known.
pub(super) struct Run<'r> {
    pub(super) request: &'r Request<'r>,
    pub(super) comparison: &'r Comparison,
    pub(super) git: &'r Git,
    pub(super) source: Source<'r>,
    pub(super) head: CommitSha,
    /// All cousins of the list.
    pub(super) cousins: Vec<Cousin>,
    /// Which of them the run is about.
    pub(super) chosen: Vec<usize>,
    /// The name of the list, for messages.
    pub(super) file_name: String,
    pub(super) repository: Option<RepoName>,
    pub(super) reference: Option<String>,
    pub(super) warnings: Vec<Warning>,
}

/// Runs the whole pipeline.
pub(super) fn run(
    request: &Request<'_>,
    comparison: &Comparison,
    output: &Output,
) -> Result<(Report, Exit), Failure> {
    let git = cli::git(request.environment);
    let credentials = listing::git_credentials(request.environment);
    let outside = Outside {
        remote: request.remote.as_deref(),
        server: actions::server_url(request.environment),
        credentials: &credentials,
    };
    let source = Source::open(request.dir, &outside, &git).map_err(with_flags)?;
    let mut run = Run::prepare(request, comparison, &git, source)?;
    let told = if request.flags.watermarks && comparison.sends {
        watermarks::carry_out(&mut run, output)?
    } else {
        let mut parts = Parts::default();
        let Run { source, chosen, cousins, .. } = &mut run;
        parts.add(cousins, chosen, None, |reach| Ok(source.compare(comparison, reach)?))?;
        parts.sort(cousins, &HashSet::new());
        let (round, exit) = run.send(parts, output, |_, _| {})?;
        Rounds { rounds: vec![round], watermarks: None, exit, ..Rounds::default() }
    };
    Ok(run.report(told))
}

/// What was sent, in one round or several, and what became of it.
#[derive(Default)]
pub(super) struct Rounds {
    pub(super) rounds: Vec<Round>,
    /// What became of the watermarks, where they were used.
    pub(super) watermarks: Option<Vec<Watermark>>,
    /// Who was failing before, since when and with which commit, as far as refs tell.
    pub(super) failing: Vec<(RepoName, Option<Timestamp>, CommitSha)>,
    /// Who fails after it by the refs.
    pub(super) still: Vec<RepoName>,
    /// How the process is to end when it was interrupted, or when something besides went wrong.
    pub(super) exit: Option<Exit>,
}

/// What was planned together, and what became of it.
pub(super) struct Round {
    pub(super) parts: Parts,
    /// One for each dispatch that is called for, in their order.
    pub(super) lines: Vec<Line>,
}

impl Round {
    /// Returns the dispatches with what became of each.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&Called, &Line)> {
        self.parts.called.iter().zip(&self.lines)
    }
}

impl<'r> Run<'r> {
    fn prepare(
        request: &'r Request<'r>,
        comparison: &'r Comparison,
        git: &'r Git,
        mut source: Source<'r>,
    ) -> Result<Self, Failure> {
        // A broken file stops the run before anything is fetched, where it can be read before.
        let early = listing::outside_of_git(request.ecosystem.as_deref(), source.work_tree())?;
        let head = source.find_head(&comparison.head).map_err(with_flags)?;
        let Listing { name: file_name, bytes, .. } = match early {
            Some(found) => found,
            None => listing::at_head(&source, &head)?,
        };
        let cousins = ecosystem::parse(&file_name, &bytes)?.cousins;
        let all = cousins.iter().enumerate().collect();
        let chosen = listing::chosen(all, |(_, cousin)| &cousin.repo, &request.only)?;
        let chosen = chosen.into_iter().map(|(at, _)| at).collect();
        let named = request.source.clone();
        let repository = named.or_else(|| RepoName::in_address(source.remote_url()?));
        let reference = reference(request, Some(&source));
        let warnings = Vec::new();
        Ok(Self {
            request,
            comparison,
            git,
            source,
            head,
            cousins,
            chosen,
            file_name,
            repository,
            reference,
            warnings,
        })
    }

    /// Whether anything is to be sent.
    pub(super) fn sends(&self) -> bool {
        self.comparison.sends && !self.request.dry_run
    }

    /// Sends what the comparisons call for and returns how each dispatch ended. `ended` is told of
    /// each as soon as it has.
    pub(super) fn send(
        &mut self,
        parts: Parts,
        output: &Output,
        mut ended: impl FnMut(&Called, &Ending),
    ) -> Result<(Round, Option<Exit>), Failure> {
        let superseded = |called: &Called| parts.of(called).and_then(|part| part.superseded);
        let skipped = |why: &str| Line {
            ending: Ending { error: Some(why.to_owned()), ..Ending::unsent(Outcome::Skipped) },
            confirmation: None,
        };
        let open = parts.called.iter().filter(|called| superseded(called).is_none());
        let open: Vec<Called> = open.cloned().collect();
        let (sent, exit) = if !self.sends() || open.is_empty() {
            let planned = || Line::from(Ending::unsent(Outcome::Planned));
            (open.iter().map(|_| planned()).collect(), None)
        } else {
            let shared: Vec<Arc<Shared>> =
                parts.parts.iter().map(|part| self.shared(part)).collect::<Result<_, _>>()?;
            let push = Push { shared: &shared, cousins: &self.cousins, plan: &open };
            let told = |at: usize, ending: &Ending| {
                open.get(at).into_iter().for_each(|called| ended(called, ending));
            };
            sending::send(self.request, &push, &mut self.warnings, output, told)?
        };
        let mut sent = sent.into_iter();
        let all = parts.called.iter().filter_map(|called| match superseded(called) {
            Some(why) => Some(skipped(why)),
            None => sent.next(),
        });
        let lines = all.collect();
        Ok((Round { parts, lines }, exit))
    }

    fn shared(&self, part: &Part) -> Result<Arc<Shared>, Failure> {
        let context = Context {
            source: self.repository.clone().ok_or_else(unknown_source)?,
            source_ref: self.reference.clone(),
            base: part.compared.base.clone(),
            head: self.head.clone(),
            run_url: actions::run_url(self.request.environment),
        };
        Ok(Arc::new(Shared { context, changed: Arc::clone(&part.changed) }))
    }
}

/// Returns the failure with the flags of this command that help too.
pub(in crate::cli) fn with_flags(error: GitError) -> Failure {
    let flag = match &error {
        GitError::NotARepository(_) => "fetch what is needed with --remote URL",
        GitError::Unsupported { by_remote: true, .. } => "use --remote URL",
        GitError::Unborn => "name a commit with --head REV",
        _ => return error.into(),
    };
    let help = format!("{}, or {flag}", error.help());
    Failure::new(error.to_string(), help)
}

/// Returns the full name of the ref that was pushed, or that is checked out.
pub(super) fn reference(request: &Request<'_>, source: Option<&Source<'_>>) -> Option<String> {
    if let Trigger::Push(push) = &request.trigger {
        return Some(push.reference.clone());
    }
    if let Some(reference) = actions::reference(request.environment) {
        return Some(reference.to_owned());
    }
    source?.checked_out().filter(|_| request.flags.head.is_none())
}

pub(super) fn unknown_source() -> Failure {
    Failure::new(
        "cannot tell the monorepo's own name, which every event carries",
        "name it with --source OWNER/NAME; else it is read from GITHUB_REPOSITORY or from origin",
    )
}
