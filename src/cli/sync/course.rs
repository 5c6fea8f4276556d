//! Carries a request out, one unit after the other: whatever becomes of one, the others are tried.

use jiff::Timestamp;

use super::failing;
use super::making::{Maker, rebasing};
use super::publishing::{Parcel, Publisher};
use super::request::{Mode, Request, What};
use super::speaker::Speaker;
use super::stopping::Stopping;
use super::units::{self, Unit};
use crate::actions;
use crate::cli::{self, Exit, Failure, Output};
use crate::git;
use crate::git::cousin::{self, Base};
use crate::git::fetch::Remote;
use crate::git::upstream::Upstream;
use crate::git::workshop::{Signature, Workshop};
use crate::names::FeaturePath;
use crate::report::Warning;
use crate::report::synced::{self, Synced};
use crate::subscriptions::{FILE_NAME, Method};
use crate::sync::apply::named;
use crate::sync::outcome::{Brought, Outcome, Stage, Trouble};
use crate::sync::record::Onto;
use crate::sync::verify::sha;

/// What all units of a run share.
pub(super) struct Course<'r, 'w> {
    pub(super) request: &'r Request<'r>,
    pub(super) clone: &'w git2::Repository,
    pub(super) workshop: &'w Workshop,
    pub(super) upstream: Option<Upstream<'w>>,
    /// The cousin's base branch.
    pub(super) base: Base,
    /// What its head holds.
    pub(super) onto: Onto,
    pub(super) speaker: Option<Speaker>,
    pub(super) origin: Option<Remote>,
    pub(super) committer: Signature,
    pub(super) now: Timestamp,
    pub(super) warnings: Vec<Warning>,
    stopping: Stopping,
    /// The issues that were open.
    pub(super) issues: failing::Known,
    /// How the process is to end, where a signal came.
    pub(super) stopped: Option<Exit>,
}

/// Carries the request out.
///
/// # Errors
/// [`Failure`] when nothing can be begun; what becomes of a unit is in the report.
pub(super) fn carry_out(
    request: &Request<'_>,
    output: &Output,
) -> Result<(Synced, Option<Exit>), Failure> {
    let clone = git::open(request.dir)?;
    let stopping = Stopping::listen()?;
    let speaker = match request.mode {
        Mode::Propose => Speaker::open(request, &stopping, output)?,
        Mode::Commit | Mode::WorkTree => None,
    };
    let base = base(&clone, request, speaker.is_some())?;
    let git = cli::git(request.environment).ended_by(stopping.interrupt());
    let server = actions::server_url(request.environment);
    let origin = Remote::origin(&clone, server, &request.own_credentials())?;
    let workshop = Workshop::new(&git, &clone)?;
    if let Some(origin) = &origin {
        workshop.set_origin(origin);
    }
    let onto = Onto::read(&workshop, base.commit).map_err(unreadable)?;
    let now = Timestamp::now();
    let mut course = Course {
        request,
        clone: &clone,
        workshop: &workshop,
        upstream: None,
        committer: committer(&clone, request, now),
        base,
        onto,
        speaker,
        origin,
        now,
        warnings: Vec::new(),
        stopping,
        issues: failing::Known::new(),
        stopped: None,
    };
    course.warn_at_first();
    let brought = match units::of(request) {
        Ok(units) => course.all(&units, &git, output),
        Err(stranger) => vec![course.not_subscribed(stranger)],
    };
    Ok((course.report(brought), course.stopped))
}

fn unreadable(trouble: Trouble) -> Failure {
    Failure::new(trouble.message, trouble.help)
}

/// Returns the branch that pull requests go into, with a name where something is proposed.
fn base(clone: &git::Repository, request: &Request<'_>, proposes: bool) -> Result<Base, Failure> {
    let mut base = cousin::base(clone, request.base.as_deref())?;
    if base.branch.is_none() {
        base.branch = cousin::default_branch(clone);
    }
    if base.branch.is_none() && proposes {
        return Err(Failure::new(
            "the clone is at no branch, so it is not known what a pull request would go into",
            "check a branch out, or name one with --base BRANCH",
        ));
    }
    Ok(base)
}

/// Returns who commits: in a workflow GitHub's own bot, else whoever git would commit as.
fn committer(clone: &git::Repository, request: &Request<'_>, now: Timestamp) -> Signature {
    let bot = || {
        (
            b"github-actions[bot]".to_vec(),
            b"41898282+github-actions[bot]@users.noreply.github.com".to_vec(),
        )
    };
    let own = cousin::identity(clone).filter(|_| !actions::is_actions(request.environment));
    let (name, email) = own.unwrap_or_else(bot);
    Signature { name, email, seconds: now.as_second(), offset_minutes: 0 }
}

impl<'r, 'w> Course<'r, 'w> {
    fn warn_at_first(&mut self) {
        if self.request.mode == Mode::Propose && self.speaker.is_none() {
            self.warn(
                "no-token",
                "there is no token, so nothing is pushed: the commit stays on a local branch; set \
                 GITHUB_TOKEN to propose it",
            );
        }
        if let What::Hint(hint) = &self.request.what {
            for warning in &hint.warnings {
                self.warn("event", warning);
            }
        }
    }

    pub(super) fn warn(&mut self, code: &'static str, message: &str) {
        self.warnings.push(Warning::new(code, message.to_owned()));
    }

    /// Returns the mode that it comes to: without a token nothing leaves this machine.
    pub(super) fn mode(&self) -> Mode {
        match self.request.mode {
            Mode::Propose if self.speaker.is_none() => Mode::Commit,
            mode => mode,
        }
    }

    fn all(
        &mut self,
        units: &[Unit<'r>],
        git: &git::command::Git,
        output: &Output,
    ) -> Vec<Brought> {
        let mut all = Vec::with_capacity(units.len());
        for unit in units {
            if self.stopped.is_some() {
                break;
            }
            tracing::info!(features = unit.subscriptions.len(), "bringing {}", name(unit));
            let mut brought =
                Brought::new(named(&unit.subscriptions), Some(unit.method().as_str()), None);
            brought.dispatch_id.clone_from(&unit.dispatch_id);
            let mut stage = Stage::Subscribed;
            if let Err(trouble) = self.one(unit, git, &mut brought, &mut stage) {
                brought.fail(stage, trouble);
            }
            // One that came when all was done has interrupted nothing.
            let is_done = brought.outcome.is_fine();
            self.stopped = self.stopped.or(self.stopping.exit().filter(|_| !is_done));
            if self.stopped.is_none() {
                failing::tell(self, unit, &mut brought);
            }
            all.push(brought);
        }
        if self.stopped.is_some() {
            output.warning("interrupted: what follows was not begun");
        }
        all
    }

    /// Brings a unit.
    fn one(
        &mut self,
        unit: &Unit<'r>,
        git: &git::command::Git,
        brought: &mut Brought,
        stage: &mut Stage,
    ) -> Result<(), Trouble> {
        if !self.is_for_us(unit, brought)? {
            return Ok(());
        }
        *stage = Stage::Verified;
        self.fetch(git)?;
        let Some(mut maker) = Maker::verified(self, unit, brought)? else { return Ok(()) };
        if unit.method() == Method::Rebase {
            rebasing::prepare(self)?;
        }
        let publisher = match self.mode() {
            Mode::Propose => Publisher::look(self, unit, &maker.good, brought)?,
            Mode::Commit | Mode::WorkTree => Publisher::local(self, unit, &maker.good)?,
        };
        let Some(publisher) = publisher else { return Ok(()) };
        *stage = Stage::Applied;
        let made = maker.make(self, unit, publisher.onto(), brought, stage)?;
        self.may_go_on()?;
        let parcel = Parcel { unit, good: &maker.good, made: &made };
        publisher.publish(self, &parcel, brought, stage)
    }

    /// Sees that nothing is written when a signal came while objects were merged.
    fn may_go_on(&self) -> Result<(), Trouble> {
        match self.stopping.exit() {
            None => Ok(()),
            Some(_) => Err(Trouble::new("interrupted", "interrupted", "run it again")),
        }
    }

    /// Returns whether there is something to do, as far as that can be told without asking anybody;
    /// where there is not, it is noted.
    fn is_for_us(&mut self, unit: &Unit<'_>, brought: &mut Brought) -> Result<bool, Trouble> {
        brought.pass(Stage::Subscribed, format!("in {FILE_NAME}"));
        if let What::Hint(hint) = &self.request.what
            && let (Some(claimed), Some(own)) = (&hint.source, &self.request.source.repository)
            && !claimed.eq_ignore_ascii_case(own.as_str())
        {
            return Err(Trouble::refused(
                "wrong-source",
                format!(
                    "the event is from {}, and {} is from {own}",
                    crate::text::quoted(claimed),
                    name(unit)
                ),
                "if the source was renamed, write its new name into subscriptions.json",
            ));
        }
        let Some(id) = &unit.dispatch_id else { return Ok(true) };
        for subscription in &unit.subscriptions {
            let locked = self.onto.lock.get(&subscription.feature);
            let Some(locked) = locked.filter(|it| it.dispatch_id.as_ref() == Some(id)) else {
                continue;
            };
            brought.commit = Some(locked.commit.clone());
            brought.previous = Some(locked.commit.clone());
            let said = format!("the event {id} was applied already");
            brought.end(Stage::Verified, Outcome::NothingToDo, said);
            if unit.commit.as_ref().is_some_and(|commit| *commit != locked.commit) {
                self.warn(
                    "dispatch-id",
                    "an event with the id of one that was applied names another commit; the next \
                     --pull brings what is new",
                );
            }
            return Ok(false);
        }
        Ok(true)
    }

    fn fetch(&mut self, git: &git::command::Git) -> Result<(), Trouble> {
        if self.upstream.is_some() {
            return Ok(());
        }
        let request = self.request;
        let server = actions::server_url(request.environment);
        let credentials = request.source_credentials();
        let remote = Remote::new(&request.address, request.dir, server, &credentials)?;
        let branch = request.branch.as_deref();
        self.upstream = Some(Upstream::fetch(self.workshop, git, remote, branch)?);
        Ok(())
    }

    fn not_subscribed(&self, feature: FeaturePath) -> Brought {
        let dispatch_id = match &self.request.what {
            What::Hint(hint) => hint.dispatch_id.clone(),
            _ => None,
        };
        let mut brought = Brought::new(vec![(feature, Vec::new())], None, dispatch_id);
        let said = format!("not in {FILE_NAME}: nothing to do{}", self.meant(&brought));
        brought.end(Stage::Subscribed, Outcome::NotSubscribed, said);
        brought
    }

    /// Returns the feature that a person may have meant; an event is not misspelled.
    fn meant(&self, brought: &Brought) -> String {
        let request = self.request;
        let (What::Feature(..), Some((named, _))) = (&request.what, brought.features.first())
        else {
            return String::new();
        };
        let text = |feature: &FeaturePath| String::from_utf8_lossy(feature.as_bytes()).into_owned();
        let all: Vec<String> =
            request.subscriptions.subscriptions.iter().map(|it| text(&it.feature)).collect();
        let near = crate::text::nearest(&text(named), all.iter().map(String::as_str));
        near.map(|near| format!("; did you mean {}?", crate::text::quoted(near)))
            .unwrap_or_default()
    }

    fn report(&mut self, brought: Vec<Brought>) -> Synced {
        let request = self.request;
        let source = synced::Upstream {
            repository: request.source.repository.clone(),
            address: request.address.clone(),
            branch: self.upstream.as_ref().map(|it| it.branch().to_owned()),
            tip: self.upstream.as_ref().and_then(|it| sha(it.tip()).ok()),
        };
        let cousin = synced::Cousin {
            repository: request.repository.clone(),
            base: self.base.branch.clone(),
            commit: sha(self.base.commit).ok(),
        };
        let mode = match self.mode() {
            Mode::Propose => "propose",
            Mode::Commit => "commit",
            Mode::WorkTree => "worktree",
        };
        Synced::new(Some(source), cousin, mode, brought, std::mem::take(&mut self.warnings))
    }
}

/// Returns how a unit is called in a line.
pub(super) fn name(unit: &Unit<'_>) -> String {
    let names = unit.subscriptions.iter().map(|it| crate::text::shown(it.feature.as_bytes()));
    names.collect::<Vec<_>>().join(", ")
}
