//! From arguments, environment and event to one resolved `Request`: what is to be brought from
//! where, into what, and what may come of it.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use url::Url;

use super::{Args, OnConflict};
use crate::actions;
use crate::cli;
use crate::cli::Failure;
use crate::cli::listing::{from, leads_out_of};
use crate::document::MAX_BYTES;
use crate::environment::Environment;
use crate::git::command::Credential;
use crate::git::cousin::{self, Base};
use crate::git::fetch::Remote;
use crate::git::workshop::{Found, Workshop};
use crate::git::{self, GitError};
use crate::input;
use crate::names::{CommitSha, FeaturePath, RepoName, host_in_address};
use crate::subscriptions::{self, FILE_NAME, SourceName, Subscriptions};
use crate::sync::hint::{Hint, HintOrOther};
use crate::text;

/// The variable with a token for the source alone: to fetch it where it is private, and to write
/// an issue there when a sync fails.
pub(in crate::cli) const SOURCE_TOKEN: &str = "ECOSYSTEM_SOURCE_TOKEN";

/// What is to be brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// What an event claims.
    Hint(Hint),
    /// One feature, at a commit or the trusted branch's head.
    Feature(FeaturePath, Option<CommitSha>),
    /// Everything.
    Pull,
}

/// What may come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A pull request, where there is a token.
    Propose,
    /// A commit on a local branch.
    Commit,
    /// Changes of the work tree.
    WorkTree,
}

/// One resolved request.
pub(super) struct Request<'a> {
    pub(super) dir: &'a Path,
    pub(super) what: What,
    pub(super) subscriptions: Subscriptions,
    pub(super) source: SourceName,
    /// How the source is called in commits and files.
    pub(super) source_name: RepoName,
    /// The address that the source is fetched from.
    pub(super) address: String,
    pub(super) branch: Option<String>,
    pub(super) allow_rewritten: bool,
    pub(super) repository: Option<RepoName>,
    pub(super) base: Option<String>,
    pub(super) conflict: OnConflict,
    pub(super) allow_workflows: bool,
    pub(super) issue: bool,
    pub(super) mode: Mode,
    pub(super) timeout: Duration,
    pub(super) max_wait: Duration,
    pub(super) environment: &'a Environment,
}

impl Request<'_> {
    /// Returns the tokens that may fetch the source, its own first.
    pub(super) fn source_credentials(&self) -> Vec<Credential> {
        credentials(self.environment, &[SOURCE_TOKEN, "ECOSYSTEM_PAT", "GH_TOKEN", "GITHUB_TOKEN"])
    }

    /// Returns whether the source is on the server whose API is asked: elsewhere a repository of the
    /// same name is somebody else's.
    pub(super) fn source_is_here(&self) -> bool {
        let server = actions::server_url(self.environment);
        match (Url::parse(&self.address), Url::parse(server)) {
            (Ok(source), Ok(server)) if source.scheme().starts_with("http") => {
                source.origin() == server.origin()
            }
            _ => {
                let host = host_in_address(&self.address);
                host.is_some() && host == host_in_address(server)
            }
        }
    }

    /// Returns the tokens that may push to this repository, in the order in which one speaks for it.
    pub(super) fn own_credentials(&self) -> Vec<Credential> {
        credentials(self.environment, &crate::github::auth::VARIABLES)
    }
}

fn credentials(environment: &Environment, variables: &[&str]) -> Vec<Credential> {
    let fit = |variable: &&str| {
        let value = environment.text(variable)?;
        value.bytes().all(|byte| byte.is_ascii_graphic()).then(|| Credential {
            variable: (*variable).to_owned(),
            secret: value.to_owned().into(),
        })
    };
    variables.iter().filter_map(fit).collect()
}

/// Returns the request that the arguments make.
pub(super) fn resolve<'a>(
    dir: &'a Path,
    args: &Args,
    environment: &'a Environment,
) -> Result<Request<'a>, Failure> {
    let clone = git::open(dir)?;
    let what = what(dir, args, environment)?;
    let subscriptions = read(dir, &clone, args, environment)?;
    let source = match &args.source {
        Some(source) => SourceName::parse(source)
            .map_err(|bad| Failure::new(format!("--source: {}", bad.message), bad.help))?,
        None => subscriptions.source.clone().ok_or_else(|| {
            Failure::new(
                "the repository that features come from is not named",
                "add \"source\": \"owner/name\" to subscriptions.json (the object form), or name \
                 it with --source OWNER/NAME",
            )
        })?,
    };
    let branch = match &args.branch {
        Some(branch) => Some(
            subscriptions::branch(branch)
                .map_err(|bad| Failure::new(format!("--branch: {}", bad.message), bad.help))?,
        ),
        None => subscriptions.branch.clone(),
    };
    let mode = match (args.dry_run, args.worktree) {
        (true, _) => Mode::Commit,
        (_, true) => Mode::WorkTree,
        _ => Mode::Propose,
    };
    let origin = clone.find_remote("origin").ok();
    let origin = origin.and_then(|it| it.url().ok().and_then(RepoName::in_address));
    Ok(Request {
        dir,
        what,
        address: address(args, &source, environment)?,
        subscriptions,
        source_name: called(&source)?,
        source,
        branch,
        allow_rewritten: args.allow_rewritten,
        repository: args.repository.clone().or_else(|| actions::repository(environment)).or(origin),
        base: args.base.clone(),
        conflict: args.conflict,
        allow_workflows: args.allow_workflows,
        issue: !args.no_issue,
        mode,
        timeout: args.timeout,
        max_wait: args.max_wait,
        environment,
    })
}

/// Returns how a source is called: a directory of this machine has no owner.
fn called(source: &SourceName) -> Result<RepoName, Failure> {
    let named = source.repository.clone();
    let directory = source.address.as_deref().unwrap_or_default().trim_end_matches(['/', '.']);
    let name = directory.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.trim_end_matches(".git");
    let stand_in = || RepoName::parse(&format!("local/{name}")).ok();
    named
        .or_else(stand_in)
        .map_or_else(|| RepoName::parse("local/source"), Ok)
        .map_err(|bad| Failure::new(bad.message, bad.help))
}

/// Returns where the source is fetched from: a relative path is one from the cousin's directory.
fn address(args: &Args, source: &SourceName, environment: &Environment) -> Result<String, Failure> {
    if let Some(remote) = &args.remote {
        return Ok(remote.clone());
    }
    match (&source.address, &source.repository) {
        (Some(address), _) => Ok(address.clone()),
        (None, Some(name)) => {
            let server = actions::server_url(environment).trim_end_matches('/');
            Ok(format!("{server}/{name}"))
        }
        (None, None) => Err(Failure::new("the source has no address", "name it with --remote URL")),
    }
}

/// Returns what the arguments, or the run's event, ask for.
fn what(dir: &Path, args: &Args, environment: &Environment) -> Result<What, Failure> {
    if args.pull {
        return Ok(What::Pull);
    }
    if let Some(feature) = &args.feature {
        let feature = subscriptions::path::feature(feature)
            .map_err(|bad| Failure::new(format!("--feature: {}", bad.message), bad.help))?;
        return Ok(What::Feature(feature, args.commit.clone()));
    }
    if let Some(file) = &args.event {
        return hint(&from(dir, file));
    }
    match environment.text("GITHUB_EVENT_NAME") {
        Some("schedule" | "workflow_dispatch") => Ok(What::Pull),
        Some("repository_dispatch") | None => match environment.raw("GITHUB_EVENT_PATH") {
            Some(path) if !path.is_empty() => hint(Path::new(path)),
            _ => Err(Failure::new(
                "nothing says what is to be brought",
                "--pull brings everything that is subscribed to, --feature PATH one feature; in a \
                 workflow on repository_dispatch GITHUB_EVENT_PATH names the event's file",
            )),
        },
        Some(other) => Err(Failure::new(
            format!(
                "a run of the event {} does not say what is to be brought",
                text::quoted(other)
            ),
            "run it on repository_dispatch, schedule or workflow_dispatch, or say --pull",
        )),
    }
}

fn hint(path: &Path) -> Result<What, Failure> {
    let name = text::shown_path(path);
    let bytes = input::read(path, actions::MAX_EVENT).map_err(|error| {
        Failure::new(
            format!("cannot read the event file {name}: {error}"),
            "GITHUB_EVENT_PATH names it in a workflow, else --event FILE_NAME; --pull needs none",
        )
    })?;
    match Hint::from_event(&bytes, &[]) {
        Ok(HintOrOther::Hint(hint)) => Ok(What::Hint(hint)),
        // Every type is for us.
        Ok(HintOrOther::Other { event_type }) => Err(Failure::new(
            format!("the event file {name} is that of {}", text::quoted(&event_type)),
            "--pull brings everything that is subscribed to",
        )),
        Err(error) => Err(Failure::new(format!("{name}: {error}"), error.help())),
    }
}

/// Reads the cousin's file: the one that is named, else the work tree's, else that of the commit
/// which is checked out.
fn read(
    dir: &Path,
    clone: &git::Repository,
    args: &Args,
    environment: &Environment,
) -> Result<Subscriptions, Failure> {
    let unreadable = |name: &str, error: &dyn std::fmt::Display| {
        Failure::new(
            format!("cannot read {name}: {error}"),
            format!(
                "write {FILE_NAME} at the repository's root: {{\"source\": \"owner/name\", \
                 \"subscriptions\": [\"features/x\"]}}; `ecosystem onboard` in the source writes one"
            ),
        )
    };
    if let Some(named) = &args.subscriptions {
        let path = from(dir, named);
        let name = text::shown_path(&path);
        let bytes = input::read(&path, MAX_BYTES).map_err(|error| unreadable(&name, &error))?;
        return parsed(&name, &bytes);
    }
    if let Some(work_tree) = clone.workdir() {
        let path = work_tree.join(FILE_NAME);
        if leads_out_of(work_tree, &path) {
            // Messages show lines of the file.
            let message = "it is a symbolic link that leads out of the work tree";
            return Err(unreadable(FILE_NAME, &message));
        }
        match input::read(&path, MAX_BYTES) {
            Ok(bytes) => return parsed(FILE_NAME, &bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(FILE_NAME, &error)),
        }
    }
    match at_head(clone, environment)? {
        Some(bytes) => parsed(FILE_NAME, &bytes),
        None => Err(unreadable(FILE_NAME, &"there is none")),
    }
}

/// Returns the cousin's file at the commit that is checked out, which a partial clone may have to
/// ask its origin for; none where it has none.
fn at_head(
    clone: &git::Repository,
    environment: &Environment,
) -> Result<Option<Vec<u8>>, GitError> {
    let Ok(Base { commit, .. }) = cousin::base(clone, None) else { return Ok(None) };
    let own = credentials(environment, &crate::github::auth::VARIABLES);
    let origin = Remote::origin(clone, actions::server_url(environment), &own)?;
    let workshop = Workshop::new(&cli::git(environment), clone)?;
    if let Some(origin) = &origin {
        workshop.set_origin(origin);
    }
    match workshop.at(workshop.root(commit)?, FILE_NAME.as_bytes())? {
        Found::Entry(entry) if entry.mode.is_file() => {
            let bytes = workshop.blob(entry.id)?;
            let (path, size, limit) = (FILE_NAME.to_owned(), bytes.len(), MAX_BYTES);
            if size > limit {
                return Err(GitError::TooLarge { path, size, limit });
            }
            Ok(Some(bytes))
        }
        _ => Ok(None),
    }
}

fn parsed(name: &str, bytes: &[u8]) -> Result<Subscriptions, Failure> {
    let help = Some("mend it; nothing was brought".to_owned());
    subscriptions::parse(name, bytes)
        .map_err(|diagnosis| Failure { help, ..Failure::from(diagnosis) })
}
