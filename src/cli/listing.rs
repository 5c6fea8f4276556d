//! Where the list of cousins comes from: the file that was named, else the work tree's, else
//! head's. The same for each command that reads it, so that what `validate` has looked at is what
//! `dispatch` goes by.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::actions;
use crate::ecosystem;
use crate::environment::Environment;
use crate::git::command::Credential;
use crate::git::source::{Outside, Source};
use crate::input;
use crate::names::{CommitSha, RepoName};
use crate::text;

/// The name of the file that lists the cousins.
pub(super) const FILE: &str = "ecosystem.json";

/// A list of cousins as it was read.
#[derive(Debug)]
pub(super) struct Listing {
    /// Its name for messages.
    pub(super) name: String,
    /// Its content.
    pub(super) bytes: Vec<u8>,
    /// Where it lies, unless it was read from a commit.
    pub(super) path: Option<PathBuf>,
}

/// Returns a file that was named on the command line, as seen from here.
pub(super) fn from(dir: &Path, named: &Path) -> PathBuf {
    // Without -C it is shown as it was written.
    if dir == Path::new(".") { named.to_owned() } else { dir.join(named) }
}

/// Returns the list that was named, else the one in the work tree; none when it can only be in
/// head's tree.
pub(super) fn outside_of_git(
    named: Option<&Path>,
    work_tree: Option<&Path>,
) -> Result<Option<Listing>, Failure> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        let help = match named {
            Some(_) => "--ecosystem names the list of cousins: see that it is the right file",
            None => "name the list of cousins with --ecosystem FILE",
        };
        Failure::new(format!("cannot read {}: {error}", text::shown_path(path)), help)
    };
    if let Some(path) = named {
        let bytes =
            input::read(path, ecosystem::MAX_BYTES).map_err(|error| unreadable(path, &error))?;
        let name = text::shown_path(path);
        return Ok(Some(Listing { name, bytes, path: Some(path.to_owned()) }));
    }
    let Some(dir) = work_tree else { return Ok(None) };
    let path = dir.join(FILE);
    if leads_out_of(dir, &path) {
        // Messages show lines of the file: whoever writes the monorepo must not choose any other.
        let message = "it is a symbolic link that leads out of the work tree";
        return Err(unreadable(&path, &message));
    }
    match input::read(&path, ecosystem::MAX_BYTES) {
        Ok(bytes) => Ok(Some(Listing { name: FILE.to_owned(), bytes, path: Some(path) })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

/// Returns whether a file of the work tree is a symbolic link to what is none of it.
pub(super) fn leads_out_of(dir: &Path, path: &Path) -> bool {
    match (dir.canonicalize(), path.canonicalize()) {
        (Ok(dir), Ok(path)) => !path.starts_with(dir),
        _ => false,
    }
}

/// Returns the list in head's tree.
pub(super) fn at_head(source: &Source<'_>, head: &CommitSha) -> Result<Listing, Failure> {
    let bytes = source.file_at_head(FILE, ecosystem::MAX_BYTES)?.ok_or_else(|| {
        Failure::new(
            format!("there is no {FILE}, neither in the work tree nor in {}", head.short()),
            format!(
                "add one, such as [{{\"repo\": \"owner/name\", \"subscriptions\": \
                 [\"features/x\"]}}], or name it with --ecosystem FILE (looked for {FILE} at the \
                 root of the repository)"
            ),
        )
    })?;
    Ok(Listing { name: format!("{}:{FILE}", head.short()), bytes, path: None })
}

/// Returns the items that `--only` leaves, all of them without it.
pub(super) fn chosen<T>(
    items: Vec<T>,
    repo: impl Fn(&T) -> &RepoName,
    only: &[RepoName],
) -> Result<Vec<T>, Failure> {
    if only.is_empty() {
        return Ok(items);
    }
    all_listed(items.iter().map(&repo), only)?;
    let only: HashSet<String> = only.iter().map(RepoName::key).collect();
    Ok(items.into_iter().filter(|item| only.contains(&repo(item).key())).collect())
}

/// Sees that `--only` names no repository that is not listed.
pub(super) fn all_listed<'n>(
    names: impl Iterator<Item = &'n RepoName> + Clone,
    only: &[RepoName],
) -> Result<(), Failure> {
    let listed: HashSet<String> = names.clone().map(RepoName::key).collect();
    if let Some(unknown) = only.iter().find(|name| !listed.contains(&name.key())) {
        let help = match text::nearest(unknown.as_str(), names.map(RepoName::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => "--only takes a repository that the list of cousins holds".to_owned(),
        };
        return Err(Failure::new(format!("--only: {unknown} is not among the cousins"), help));
    }
    Ok(())
}

/// Returns what a command that reads the monorepo has to know of the outside.
pub(super) fn outside<'a>(
    environment: &'a Environment,
    remote: Option<&'a str>,
    credentials: &'a [Credential],
) -> Outside<'a> {
    Outside { remote, server: actions::server_url(environment), credentials }
}

/// Returns the tokens that may fetch a private monorepo, the one with the least power first.
pub(super) fn git_credentials(environment: &Environment) -> Vec<Credential> {
    let mut credentials: Vec<Credential> = Vec::new();
    for variable in ["GITHUB_TOKEN", "GH_TOKEN", "ECOSYSTEM_PAT"] {
        let value = environment.text(variable);
        let fit = value.filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic()));
        if let Some(value) = fit {
            credentials.push(Credential {
                variable: variable.to_owned(),
                secret: value.to_owned().into(),
            });
        }
    }
    credentials
}
