//! The GitHub Actions runtime: the event that started the run, and where outputs, summary and
//! annotations go. The only module that reads `GITHUB_*` by name, but for `GITHUB_TOKEN`, which
//! `github::auth` and the credentials for fetching in `cli` name as they name other tokens.
//! Everything it writes may hold names that strangers chose, so all of it is escaped: a line that
//! begins with `::` is a command to the runner.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::environment::Environment;
use crate::git::range::{Push, Trigger};
use crate::input;
use crate::names::{CommitSha, RepoName};
use crate::text;

/// GitHub's own limit for a webhook's payload is 25 MB; what is larger is no event.
pub(crate) const MAX_EVENT: usize = 32 << 20;

/// GitHub drops a step summary over 1 MiB whole; ours ends before.
pub const MAX_SUMMARY: usize = 900_000;

/// GitHub refuses an output over 1 MB; lists in outputs end long before.
pub const MAX_OUTPUT: usize = 100_000;

/// Why the event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum EventFileError {
    /// The variable that names the file is missing.
    #[error("GITHUB_EVENT_NAME is \"{0}\", but GITHUB_EVENT_PATH is not set")]
    NoPath(String),
    /// The file cannot be read.
    #[error("cannot read the event file {}: {source}", text::shown_path(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what the event's name promises.
    #[error("the event file {} is not that of a {event} event: {message}", text::shown_path(path))]
    Unexpected {
        /// The file.
        path: PathBuf,
        /// The event's name.
        event: String,
        /// What is wrong, with line and column where there is one.
        message: String,
    },
}

impl EventFileError {
    /// Returns what to do next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoPath(_) | Self::Unreadable { .. } => {
                "GitHub Actions sets both; in a container job the event file must be mounted. \
                 Without them, unset GITHUB_EVENT_NAME and give --base REV"
            }
            Self::Unexpected { .. } => {
                "GITHUB_EVENT_NAME and GITHUB_EVENT_PATH must belong to the same run; without \
                 them, give --base REV"
            }
        }
    }
}

#[derive(Deserialize)]
struct PushEvent {
    #[serde(rename = "ref")]
    reference: String,
    before: String,
    after: String,
    #[serde(default)]
    forced: bool,
    #[serde(default)]
    deleted: bool,
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct PullRequestEvent {
    pull_request: PullRequest,
}

#[derive(Deserialize)]
struct PullRequest {
    base: Commit,
    head: Commit,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

#[derive(Deserialize)]
struct MergeGroupEvent {
    merge_group: MergeGroup,
}

#[derive(Deserialize)]
struct MergeGroup {
    base_sha: String,
    head_sha: String,
}

/// Returns what started the run; [`Trigger::Local`] outside of GitHub Actions.
///
/// # Errors
/// [`EventFileError`] when the event file is missing or of another event.
pub fn trigger(environment: &Environment) -> Result<Trigger, EventFileError> {
    let Some(event) = environment.text("GITHUB_EVENT_NAME") else { return Ok(Trigger::Local) };
    match event {
        "push" | "pull_request" | "merge_group" => {}
        "pull_request_target" => return Ok(Trigger::PullRequestTarget),
        other => return Ok(Trigger::Other(other.to_owned())),
    }
    let (path, bytes) = event_file(environment, event)?;
    parse(event, &bytes).map_err(|message| EventFileError::Unexpected {
        path,
        event: event.to_owned(),
        message,
    })
}

/// Returns the event file of a run that a `repository_dispatch` event started; none for any other
/// run. What the event says is for `sync::hint` to judge.
///
/// # Errors
/// [`EventFileError`] when the event file is missing or cannot be read.
pub fn repository_dispatch(environment: &Environment) -> Result<Option<Vec<u8>>, EventFileError> {
    match environment.text("GITHUB_EVENT_NAME") {
        Some(event @ "repository_dispatch") => {
            event_file(environment, event).map(|(_, bytes)| Some(bytes))
        }
        _ => Ok(None),
    }
}

/// Returns the path of the event file and what it holds.
fn event_file(
    environment: &Environment,
    event: &str,
) -> Result<(PathBuf, Vec<u8>), EventFileError> {
    let path = environment
        .raw("GITHUB_EVENT_PATH")
        .filter(|path| !path.is_empty())
        .ok_or_else(|| EventFileError::NoPath(event.to_owned()))?;
    let path = PathBuf::from(path);
    match input::read(&path, MAX_EVENT) {
        Ok(bytes) => Ok((path, bytes)),
        Err(source) => Err(EventFileError::Unreadable { path, source }),
    }
}

fn parse(event: &str, bytes: &[u8]) -> Result<Trigger, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // An array would be taken for the fields in their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err("it holds no JSON object".to_owned());
    }
    let said = |error: serde_json::Error| text::shown(error.to_string().as_bytes()).into_owned();
    let commit = |what: &str, sha: &str| {
        CommitSha::parse(sha).map_err(|bad| format!("\"{what}\": {}", bad.message))
    };
    Ok(match event {
        "push" => {
            let push: PushEvent = serde_json::from_slice(bytes).map_err(said)?;
            let optional = |what, sha: &str| match sha.len() {
                40 if sha.bytes().all(|byte| byte == b'0') => Ok(None),
                _ => commit(what, sha).map(Some),
            };
            Trigger::Push(Push {
                before: optional("before", &push.before)?,
                after: optional("after", &push.after)?.filter(|_| !push.deleted),
                reference: push.reference,
                forced: push.forced,
                default_branch: push.repository.and_then(|repository| repository.default_branch),
            })
        }
        "pull_request" => {
            let event: PullRequestEvent = serde_json::from_slice(bytes).map_err(said)?;
            Trigger::PullRequest {
                base: commit("pull_request.base.sha", &event.pull_request.base.sha)?,
                head: commit("pull_request.head.sha", &event.pull_request.head.sha)?,
            }
        }
        _ => {
            let event: MergeGroupEvent = serde_json::from_slice(bytes).map_err(said)?;
            Trigger::MergeGroup {
                base: commit("merge_group.base_sha", &event.merge_group.base_sha)?,
                head: commit("merge_group.head_sha", &event.merge_group.head_sha)?,
            }
        }
    })
}

/// Returns whether this is a run of GitHub Actions.
#[must_use]
pub fn is_actions(environment: &Environment) -> bool {
    environment.text("GITHUB_ACTIONS") == Some("true")
}

/// The variable with the repository that the run belongs to.
pub const REPOSITORY: &str = "GITHUB_REPOSITORY";

/// Returns the repository that the run belongs to.
#[must_use]
pub fn repository(environment: &Environment) -> Option<RepoName> {
    RepoName::parse(environment.text(REPOSITORY)?).ok()
}

/// Returns the commit that the run is for.
#[must_use]
pub fn commit(environment: &Environment) -> Option<CommitSha> {
    CommitSha::parse(environment.text("GITHUB_SHA")?).ok()
}

/// Returns the ref that the run is for, such as `refs/heads/main`.
#[must_use]
pub fn reference(environment: &Environment) -> Option<&str> {
    environment.text("GITHUB_REF")
}

/// Returns GitHub's own address: `https://github.com`, or that of an enterprise server.
#[must_use]
pub fn server_url(environment: &Environment) -> &str {
    told_server_url(environment).unwrap_or("https://github.com")
}

/// Returns GitHub's own address where the environment tells it.
#[must_use]
pub fn told_server_url(environment: &Environment) -> Option<&str> {
    environment.text("GITHUB_SERVER_URL")
}

/// Returns the address of GitHub's REST interface.
#[must_use]
pub fn api_url(environment: &Environment) -> &str {
    environment.text("GITHUB_API_URL").unwrap_or("https://api.github.com")
}

/// Returns the address of the run's page.
#[must_use]
pub fn run_url(environment: &Environment) -> Option<String> {
    let repository = repository(environment)?;
    let id = environment.text("GITHUB_RUN_ID")?;
    let server = server_url(environment).trim_end_matches('/');
    id.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| format!("{server}/{repository}/actions/runs/{id}"))
}

/// Returns where the report may be written: the run's own temporary directory.
#[must_use]
pub fn temporary_directory(environment: &Environment) -> Option<PathBuf> {
    environment.raw("RUNNER_TEMP").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// How grave an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `::error`
    Error,
    /// `::warning`
    Warning,
    /// `::notice`
    Notice,
}

impl Level {
    const fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Returns the command line that makes the runner show an annotation. Source of the escapes: the
/// runner's `ActionCommand` and the actions toolkit.
#[must_use]
pub fn annotation(level: Level, title: &str, message: &str) -> String {
    format!("::{} title={}::{}", level.command(), escaped_property(title), escaped(message))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escaped_property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// A place in a file of the repository, for an annotation: lines and columns from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot<'a> {
    /// The file's path in the repository, with `/` between directories.
    pub file: &'a str,
    /// The first line.
    pub line: usize,
    /// The first column.
    pub column: usize,
    /// The last line.
    pub end_line: usize,
    /// The column behind the last character.
    pub end_column: usize,
}

/// Returns the command line that makes the runner show an annotation at a place of a file. Columns
/// are left out where the place has several lines, as GitHub does not show them then.
#[must_use]
pub fn annotation_at(level: Level, title: &str, spot: &Spot<'_>, message: &str) -> String {
    let Spot { file, line, column, end_line, end_column } = spot;
    let mut place = format!("file={},line={line},endLine={end_line}", escaped_property(file));
    if line == end_line {
        place.push_str(&format!(",col={column},endColumn={end_column}"));
    }
    let title = escaped_property(title);
    format!("::{} {place},title={title}::{}", level.command(), escaped(message))
}

/// Returns the path of a file in its repository, as annotations name it; none when it lies outside
/// of the work tree.
#[must_use]
pub fn in_repository(work_tree: &Path, path: &Path) -> Option<String> {
    let work_tree = work_tree.canonicalize().ok()?;
    let path = path.canonicalize().ok()?;
    let below = path.strip_prefix(work_tree).ok()?;
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    Some(parts.join("/"))
}

/// Returns the command line that makes the runner hide a secret in all that follows.
#[must_use]
pub fn mask(secret: &str) -> String {
    format!("::add-mask::{}", escaped(secret))
}

/// Appends the step's outputs to the file that `GITHUB_OUTPUT` names, if any.
///
/// # Errors
/// Passes on what the file system says.
pub fn write_outputs(environment: &Environment, outputs: &[(&str, String)]) -> std::io::Result<()> {
    let mut all = String::new();
    for (name, value) in outputs {
        let _ = if value.contains(['\r', '\n']) {
            let delimiter = unused_line(value);
            writeln!(all, "{name}<<{delimiter}\n{value}\n{delimiter}")
        } else {
            writeln!(all, "{name}={value}")
        };
    }
    append(environment, "GITHUB_OUTPUT", &all)
}

/// Appends Markdown to the step's summary, cut at [`MAX_SUMMARY`] bytes.
///
/// # Errors
/// Passes on what the file system says.
pub fn write_summary(environment: &Environment, markdown: &str) -> std::io::Result<()> {
    append(environment, "GITHUB_STEP_SUMMARY", markdown)
}

fn append(environment: &Environment, variable: &str, text: &str) -> std::io::Result<()> {
    let Some(path) = environment.raw(variable).filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Returns a delimiter that nobody who chose the value could have foreseen.
fn unused_line(value: &str) -> String {
    use std::hash::{BuildHasher as _, RandomState};
    loop {
        let random = RandomState::new().hash_one(value);
        let delimiter =
            format!("ecosystem-{random:016x}{:016x}", RandomState::new().hash_one(random));
        if !value.contains(&delimiter) {
            return delimiter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_cannot_be_ended_or_begun_by_its_text() {
        assert_eq!(
            annotation(Level::Error, "a: b,c", "100%\n::set-output name=x::y"),
            "::error title=a%3A b%2Cc::100%25%0A::set-output name=x::y"
        );
    }

    #[test]
    fn a_run_has_an_address_only_in_actions() {
        let environment: Environment =
            [("GITHUB_REPOSITORY", "acme/mono"), ("GITHUB_RUN_ID", "42")].into_iter().collect();
        assert_eq!(
            run_url(&environment).as_deref(),
            Some("https://github.com/acme/mono/actions/runs/42")
        );
        assert_eq!(run_url(&Environment::default()), None);
    }

    #[test]
    fn only_a_dispatch_has_an_event_to_be_told_by() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{}").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let read = |event: &str, path: &Path| {
            let variables =
                [("GITHUB_EVENT_NAME", event.as_ref()), ("GITHUB_EVENT_PATH", path.as_os_str())];
            repository_dispatch(&variables.into_iter().collect())
        };
        assert_eq!(read("repository_dispatch", file.path()).unwrap().as_deref(), Some(&b"{}"[..]));
        assert_eq!(read("schedule", file.path()).unwrap(), None);
        let unreadable = read("repository_dispatch", directory.path());
        assert!(matches!(unreadable, Err(EventFileError::Unreadable { .. })), "{unreadable:?}");
        let unnamed = read("repository_dispatch", Path::new(""));
        assert!(matches!(unnamed, Err(EventFileError::NoPath(_))), "{unnamed:?}");
        assert_eq!(repository_dispatch(&Environment::default()).unwrap(), None);
    }

    #[test]
    fn outputs_of_several_lines_come_through_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let environment: Environment = [("GITHUB_OUTPUT", file.path())].into_iter().collect();
        let outputs = ["1\nEOF\nb=2", "d<<EOF", "", "x\ry=1"].map(str::to_owned);
        let outputs: Vec<(&str, String)> = ["a", "c", "e", "f"].into_iter().zip(outputs).collect();
        write_outputs(&environment, &outputs).unwrap();
        let written = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        let delimiter = lines[0].strip_prefix("a<<").unwrap();
        assert_eq!(lines[1..5], ["1", "EOF", "b=2", delimiter]);
        assert_eq!(lines[5..7], ["c=d<<EOF", "e="]);
        // To the runner a lone CR ends a line as well.
        assert!(lines[7].starts_with("f<<") && lines[8] == "x\ry=1", "{lines:?}");
    }

    #[test]
    fn an_event_of_another_kind_is_refused_by_name() {
        for (event, text) in [
            ("push", "{}"),
            ("push", "[]"),
            ("merge_group", &format!(r#"[["{0}","{0}"]]"#, "1".repeat(40))),
            ("push", ""),
            ("push", "<html>"),
            ("push", r#"{"ref":"refs/heads/main","before":"x","after":"y"}"#),
            ("pull_request", r#"{"ref":"refs/heads/main"}"#),
            ("merge_group", r#"{"merge_group":{"base_sha":"0"}}"#),
        ] {
            assert!(parse(event, text.as_bytes()).is_err(), "{event} {text}");
        }
    }
}
