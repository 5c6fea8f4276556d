//! What is brought from the monorepo's remote, by the git program: a commit into the user's own
//! clone, two trees into a scratch repository, or the commits alone to find where two branches
//! parted. It fetches; what the objects say is read elsewhere.

use std::path::{Path, PathBuf};

use git2::{Oid, Repository};
use secrecy::SecretString;
use tempfile::TempDir;
use url::Url;

use super::command::{CommandError, Context, Credential, Git, credential_config, git_path};
use super::{GitError, open_bare};
use crate::names::CommitSha;

/// Where the monorepo is fetched from.
#[derive(Debug, Clone)]
pub struct Remote {
    url: String,
    local: bool,
    /// Header settings that the checkout left in the clone's own configuration.
    inherited: Vec<(String, SecretString)>,
    credentials: Vec<Credential>,
}

impl Remote {
    /// Returns the remote at a URL, an scp-like address or a path.
    ///
    /// The credentials are kept only when the URL is https on the same host as `server` (GitHub's
    /// own address), or loopback: a token goes nowhere else.
    ///
    /// # Errors
    /// [`GitError::BadRemote`] for a URL with a password in it or of a kind that is not spoken.
    pub fn new(url: &str, server: &str, credentials: &[Credential]) -> Result<Self, GitError> {
        let refuse = |message: &str, help: &str| {
            Err(GitError::BadRemote { message: message.to_owned(), help: help.to_owned() })
        };
        if url.is_empty() || url.starts_with('-') || url.contains(char::is_control) {
            return refuse(
                "the remote is not a URL or path",
                "write https://github.com/OWNER/NAME",
            );
        }
        let mut remote = Self {
            url: url.to_owned(),
            local: is_local(url),
            inherited: Vec::new(),
            credentials: Vec::new(),
        };
        let Some((scheme, _)) = url.split_once("://") else { return Ok(remote) };
        if !["https", "http", "ssh", "file"].contains(&scheme) {
            return refuse(
                &format!("the remote's scheme {} is not spoken", crate::text::quoted(scheme)),
                "use https, ssh, or a path",
            );
        }
        let Ok(parsed) = Url::parse(url) else {
            return refuse(
                "the remote's URL cannot be read",
                "write https://github.com/OWNER/NAME",
            );
        };
        if parsed.password().is_some()
            || (scheme.starts_with("http") && !parsed.username().is_empty())
        {
            return refuse(
                "the remote's URL holds a user name or password, which every process can read",
                "take it out of the URL and put the token into ECOSYSTEM_PAT or GITHUB_TOKEN",
            );
        }
        if may_have_token(&parsed, server) {
            remote.credentials = credentials.to_vec();
        }
        Ok(remote)
    }

    /// Returns the remote that a clone calls `origin`; none when it has none.
    ///
    /// # Errors
    /// As [`Remote::new`].
    pub(crate) fn origin(
        clone: &Repository,
        server: &str,
        credentials: &[Credential],
    ) -> Result<Option<Self>, GitError> {
        let Ok(origin) = clone.find_remote("origin") else { return Ok(None) };
        let Some(url) = std::str::from_utf8(origin.url_bytes()).ok().filter(|u| !u.is_empty())
        else {
            return Ok(None);
        };
        let mut remote = Self::new(url, server, credentials)?;
        if remote.local && !url.starts_with("file://") && Path::new(url).is_relative() {
            let from = clone.workdir().unwrap_or_else(|| clone.path());
            remote.url = git_path(&from.join(url)).to_string_lossy().into_owned();
        }
        remote.inherited = configured_headers(clone);
        Ok(Some(remote))
    }

    /// Returns the address as given; it holds no secret.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs `attempt` with the configuration of each credential that may help, beginning with
    /// none: a public repository refuses a token that has expired.
    fn with_credentials<T>(
        &self,
        inherited: &[(String, SecretString)],
        mut attempt: impl FnMut(Vec<(String, SecretString)>) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let mut outcome = attempt(inherited.to_vec());
        let Ok(url) = Url::parse(&self.url) else { return outcome };
        for credential in &self.credentials {
            if outcome.is_ok() {
                break;
            }
            tracing::debug!(variable = credential.variable, "trying the fetch with a token");
            let origin = url.origin().ascii_serialization();
            let with_token = attempt(credential_config(&origin, &credential.secret));
            if with_token.is_ok() {
                outcome = with_token;
            }
        }
        outcome
    }
}

/// Whether the remote is a path on this machine, which the user named.
fn is_local(url: &str) -> bool {
    if let Some((scheme, _)) = url.split_once("://") {
        return scheme == "file";
    }
    match url.split_once(':') {
        // A drive letter; anything longer before a colon is a host (scp-like).
        Some((host, _)) => host.len() <= 1 || host.contains('/'),
        None => true,
    }
}

fn may_have_token(url: &Url, server: &str) -> bool {
    let same = Url::parse(server).is_ok_and(|server| server.origin() == url.origin());
    (same && url.scheme() == "https") || (url.scheme().starts_with("http") && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Returns the `http.<url>.extraheader` settings of a clone: how the checkout action leaves its
/// credentials.
fn configured_headers(clone: &Repository) -> Vec<(String, SecretString)> {
    let mut headers = Vec::new();
    let Ok(config) = clone.config().and_then(|mut config| config.snapshot()) else {
        return headers;
    };
    if let Ok(entries) = config.entries(Some(r"^http\..*\.extraheader$")) {
        let _ = entries.for_each(|entry| {
            if let (Ok(name), Ok(value)) = (entry.name(), entry.value()) {
                headers.push((name.to_owned(), SecretString::from(value.to_owned())));
            }
        });
    }
    headers
}

/// Fetches one commit from `origin` into the user's own clone: with depth 1 only when the clone is
/// shallow already, and without touching a branch, a tag or `FETCH_HEAD`.
pub(crate) fn into_clone(
    git: &Git,
    clone: &Repository,
    remote: &Remote,
    commit: &CommitSha,
) -> Result<(), GitError> {
    let dir = clone.workdir().unwrap_or_else(|| clone.path()).to_owned();
    let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="];
    args.push("--no-recurse-submodules");
    if clone.is_shallow() {
        args.push("--depth=1");
    }
    args.extend(["--end-of-options", "origin", commit.as_str()]);
    // The clone's own configuration holds what the checkout left: nothing is inherited twice.
    remote.with_credentials(&[], |config| {
        let context = Context { dir: Some(&dir), local_remote: remote.local, config };
        git.run(&context, &args).map(drop)
    })?;
    Ok(())
}

/// Lets a clone without trees fetch those that differ between two commits, all in one go.
pub(crate) fn missing_trees(
    git: &Git,
    clone: &Repository,
    remote: &Remote,
    base: Option<Oid>,
    head: Oid,
) -> Result<(), GitError> {
    let dir = clone.workdir().unwrap_or_else(|| clone.path()).to_owned();
    let base = base.map_or_else(|| EMPTY_TREE.to_owned(), |base| base.to_string());
    let head = head.to_string();
    let args = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", &base, &head];
    remote.with_credentials(&[], |config| {
        let context = Context { dir: Some(&dir), local_remote: remote.local, config };
        git.run(&context, args).map(drop)
    })?;
    Ok(())
}

/// The id of the tree without entries, which git knows without storing it.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A bare repository of our own in a temporary directory, gone when dropped.
pub(crate) struct Scratch {
    dir: TempDir,
    pub(crate) repository: Repository,
}

/// What of each commit a scratch repository fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// One commit with its trees, without blobs.
    Trees,
    /// The whole history, commits only.
    History,
}

impl Scratch {
    /// Returns an empty scratch repository whose remote `source` is the given one.
    pub(crate) fn new(git: &Git, remote: &Remote) -> Result<Self, GitError> {
        let dir = tempfile::Builder::new()
            .prefix("ecosystem-")
            .tempdir()
            .map_err(|source| GitError::Scratch { source })?;
        let path = git_path(dir.path());
        let here = Context { dir: Some(&path), ..Context::default() };
        git.run(&here, ["init", "--quiet", "--bare", "--template=", "."])?;
        git.run(&here, ["config", "remote.source.url", remote.url()])?;
        let repository = open_bare(dir.path())?;
        Ok(Self { dir, repository })
    }

    /// Fetches revisions of the remote (commit ids, branches, tags, `HEAD`), each into the ref
    /// `refs/scratch/NAME`.
    pub(crate) fn fetch(
        &self,
        git: &Git,
        remote: &Remote,
        depth: Depth,
        revisions: &[(&str, &str)],
    ) -> Result<(), GitError> {
        let dir = self.path();
        let mut args: Vec<String> =
            ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"].map(str::to_owned).to_vec();
        args.extend(match depth {
            Depth::Trees => ["--depth=1".to_owned(), "--filter=blob:none".to_owned()].to_vec(),
            Depth::History => ["--filter=tree:0".to_owned()].to_vec(),
        });
        args.extend(["--end-of-options".to_owned(), "source".to_owned()]);
        args.extend(revisions.iter().map(|(name, rev)| format!("+{rev}:refs/scratch/{name}")));
        remote.with_credentials(&remote.inherited, |config| {
            let context = Context { dir: Some(&dir), local_remote: remote.local, config };
            git.run(&context, &args).map(drop)
        })?;
        Ok(())
    }

    /// Returns the commit that `refs/scratch/NAME` leads to, tags peeled.
    pub(crate) fn commit(&self, name: &str) -> Result<Oid, GitError> {
        let found = self
            .repository
            .revparse_single(&format!("refs/scratch/{name}"))
            .and_then(|object| object.peel_to_commit());
        Ok(found.map_err(GitError::from)?.id())
    }

    /// Returns a blob, fetched now when the filter left it out.
    pub(crate) fn blob(&self, git: &Git, remote: &Remote, id: Oid) -> Result<Vec<u8>, GitError> {
        let dir = self.path();
        let id = id.to_string();
        Ok(remote.with_credentials(&remote.inherited, |config| {
            let context = Context { dir: Some(&dir), local_remote: remote.local, config };
            git.run(&context, ["cat-file", "blob", &id])
        })?)
    }

    fn path(&self) -> PathBuf {
        git_path(self.dir.path())
    }
}

/// Returns a blob of the user's clone, fetched now when the clone has none.
pub(crate) fn blob_of_clone(
    git: &Git,
    clone: &Repository,
    remote: Option<&Remote>,
    id: Oid,
) -> Result<Vec<u8>, GitError> {
    if let Ok(blob) = clone.find_blob(id) {
        return Ok(blob.content().to_vec());
    }
    let dir = clone.workdir().unwrap_or_else(|| clone.path()).to_owned();
    let local_remote = remote.is_some_and(|remote| remote.local);
    let id = id.to_string();
    let attempt = |config| {
        let context = Context { dir: Some(&dir), local_remote, config };
        git.run(&context, ["cat-file", "blob", &id])
    };
    Ok(match remote {
        Some(remote) => remote.with_credentials(&[], attempt)?,
        None => attempt(Vec::new())?,
    })
}
