//! Who is sent to: the repositories of `--to` and of `--to-file`, else the one that this is. A list
//! that was asked for and names nobody is an error, never the default: it may be a program's that
//! went wrong.

use std::collections::HashSet;
use std::path::Path;

use super::Args;
use crate::actions;
use crate::cli::Failure;
use crate::environment::Environment;
use crate::git::source::{Outside, Source};
use crate::github::ApiUrl;
use crate::names::{BadName, RepoName, host_in_address};
use crate::report::Warning;
use crate::text;

/// The most bytes of a list: ten times as many names as anybody has repositories.
const MAX_LIST: usize = 8 << 20;

/// How many mistakes of a list are shown.
const SHOWN: usize = 20;

/// Returns the repositories in order, each once.
pub(super) fn read(
    dir: &Path,
    args: &Args,
    environment: &Environment,
    api: &ApiUrl,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<RepoName>, Failure> {
    if args.to.is_empty() && args.to_file.is_none() {
        return Ok(vec![this(dir, environment, api)?]);
    }
    let mut mistakes = Vec::new();
    let mut names = Vec::new();
    for (place, written) in written(dir, args)? {
        match RepoName::parse(&written) {
            Ok(name) => names.push(name),
            Err(BadName { message, help }) => mistakes.push(format!("{place}: {message}; {help}")),
        }
    }
    if !mistakes.is_empty() {
        return Err(refused(mistakes));
    }
    names.sort_by_cached_key(|name| (name.key(), name.to_string()));
    let mut known = HashSet::new();
    let mut twice = Vec::new();
    names.retain(|name| {
        let new = known.insert(name.key());
        if !new {
            twice.push(name.to_string());
        }
        new
    });
    if names.is_empty() {
        let message = "the list of repositories to send to names none";
        return Err(Failure::new(message, "name one with --to OWNER/NAME"));
    }
    names.sort();
    if let Some(first) = twice.first() {
        let more = match twice.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let message = format!("{first} is named more than once{more}: it is sent to once");
        warnings.push(Warning::new("duplicate-repository", message));
    }
    Ok(names)
}

/// Returns what was written, each name with its place.
fn written(dir: &Path, args: &Args) -> Result<Vec<(String, String)>, Failure> {
    let mut written = Vec::new();
    for value in &args.to {
        let names = value.split(|c: char| c == ',' || c.is_whitespace());
        let names = names.filter(|name| !name.is_empty());
        written.extend(names.map(|name| ("--to".to_owned(), name.to_owned())));
    }
    let Some(file) = &args.to_file else { return Ok(written) };
    let (name, bytes) = super::read(dir, file, MAX_LIST, "--to-file names a list of repositories")?;
    let list = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = line.iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::new(format!("{name}:{line}: it is not UTF-8"), "save it as UTF-8")
    })?;
    for (at, line) in list.trim_start_matches('\u{feff}').lines().enumerate() {
        // No name has one: in a name it is a slip, and what is before it another name.
        let comment = line.starts_with('#').then_some(0);
        let comment = comment.or_else(|| line.find(" #")).or_else(|| line.find("\t#"));
        let line = line.get(..comment.unwrap_or(line.len())).unwrap_or_default().trim();
        if !line.is_empty() {
            written.push((format!("{name}:{}", at + 1), line.to_owned()));
        }
    }
    Ok(written)
}

fn refused(mut mistakes: Vec<String>) -> Failure {
    let more = mistakes.len().saturating_sub(SHOWN);
    mistakes.truncate(SHOWN);
    if more > 0 {
        mistakes.push(format!("and {more} more"));
    }
    Failure::new(mistakes.join("\n"), "nothing was sent")
}

/// Returns the repository that this is: the workflow's, else the clone's. What only may be meant is
/// not sent to: a name from another host is that of a stranger's repository where events go.
fn this(dir: &Path, environment: &Environment, api: &ApiUrl) -> Result<RepoName, Failure> {
    const REMEDY: &str = "name it with --to OWNER/NAME";
    let elsewhere = |what: &str, name: &RepoName, host: &str, site: &str| {
        let host = text::quoted(host);
        let message =
            format!("{what} is on {host}, and events go to {site}: {name} there is another");
        Failure::new(message, REMEDY)
    };
    // A server on this machine stands for the site that is told, or is one itself.
    let told = actions::told_server_url(environment).and_then(host_in_address);
    let site = api.site().unwrap_or(api.host());
    let stands_for = told.as_deref().unwrap_or("github.com");
    let is_site = |host: &str| host == site || api.is_loopback() && host == stands_for;
    if let Some(written) = environment.raw(actions::REPOSITORY).filter(|name| !name.is_empty()) {
        let name = actions::repository(environment).ok_or_else(|| {
            let written = text::quoted(&written.to_string_lossy());
            let message =
                format!("{} is {written}, which names no repository", actions::REPOSITORY);
            Failure::new(message, REMEDY)
        })?;
        return match told {
            Some(host) if !is_site(&host) => Err(elsewhere("this workflow", &name, &host, site)),
            _ => Ok(name),
        };
    }
    let git = crate::cli::git(environment);
    let server = actions::server_url(environment);
    let outside = Outside { remote: None, server, credentials: &[] };
    let unknown = || {
        let help = format!("{REMEDY}; else it is read from GITHUB_REPOSITORY or from origin");
        Failure::new("cannot tell which repository to send to", help)
    };
    let source = Source::open(dir, &outside, &git).ok();
    let address = source.as_ref().and_then(Source::remote_url).ok_or_else(unknown)?;
    let name = RepoName::in_address(address).ok_or_else(unknown)?;
    let host = host_in_address(address).unwrap_or_default();
    // github.com's own second address, for ssh where port 22 is shut.
    let is_second = host == "ssh.github.com" && is_site("github.com");
    if is_second || is_site(&host) {
        Ok(name)
    } else {
        Err(elsewhere("origin", &name, &host, site))
    }
}
