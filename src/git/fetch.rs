//! What is brought from the monorepo's remote, by the git program: a commit into the user's own
//! clone, two trees into a scratch repository, or the commits alone to find where two branches
//! parted. It fetches; what the objects say is read elsewhere.

use std::path::{Path, PathBuf};

use git2::{ConfigLevel, Oid, Repository, RepositoryInitOptions};
use secrecy::SecretString;
use tempfile::TempDir;
use url::Url;

use super::command::{CommandError, Context, Credential, Git, Place, credential_config, git_path};
use super::{GitError, init};
use crate::names::CommitSha;

/// Where the monorepo is fetched from.
#[derive(Debug, Clone)]
pub struct Remote {
    url: String,
    kind: Kind,
    /// Header settings that the checkout left in the clone's own configuration.
    inherited: Vec<(String, SecretString)>,
    /// The clone whose origin this is.
    clone: Option<PathBuf>,
    credentials: Vec<Credential>,
}

/// How a remote is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Ssh,
    /// A path on this machine, which the user named.
    Path,
}

impl Remote {
    /// Returns the remote at a URL, an scp-like address or a path, which is taken from `dir` when
    /// it is relative.
    ///
    /// The credentials are kept only when the URL is https on the same host as `server` (GitHub's
    /// own address), or loopback: a token goes nowhere else.
    ///
    /// # Errors
    /// [`GitError::BadRemote`] for a URL with a password in it or of a kind that is not spoken.
    pub fn new(
        url: &str,
        dir: &Path,
        server: &str,
        credentials: &[Credential],
    ) -> Result<Self, GitError> {
        let refuse = |message: &str, help: &str| {
            Err(GitError::BadRemote { message: message.to_owned(), help: help.to_owned() })
        };
        if url.is_empty() || url.starts_with('-') || url.contains(char::is_control) {
            return refuse(
                "the remote is not a URL or path",
                "write https://github.com/OWNER/NAME",
            );
        }
        if let Some((helper, _)) = url.split_once("::")
            && helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
        {
            return refuse(
                &format!("the remote's transport {} is not spoken", crate::text::quoted(helper)),
                "use https, ssh, or a path",
            );
        }
        let mut remote = Self {
            url: url.to_owned(),
            kind: kind(url),
            inherited: Vec::new(),
            clone: None,
            credentials: Vec::new(),
        };
        let Some((scheme, _)) = url.split_once("://") else {
            if remote.kind == Kind::Path && Path::new(url).is_relative() {
                // git is run elsewhere, where a relative path leads elsewhere.
                let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
                remote.url = git_path(&dir.join(url)).to_string_lossy().into_owned();
            }
            return Ok(remote);
        };
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
        let dir = directory(clone);
        let mut remote = Self::new(url, &dir, server, credentials)?;
        remote.inherited = configured_headers(clone);
        remote.clone = Some(dir);
        Ok(Some(remote))
    }

    /// Returns the address as given; it holds no secret.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs `attempt` with the configuration of each credential that may help, beginning with
    /// none: a public repository refuses a token that has expired.
    pub(super) fn with_credentials<T>(
        &self,
        git: &Git,
        place: Place<'_>,
        mut attempt: impl FnMut(&mut Context<'_>) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        // The clone's own configuration holds what the checkout left: nothing is given twice.
        let config = match place {
            Place::Own(_) | Place::Nowhere => self.inherited(git),
            Place::Clone(_) => Vec::new(),
        };
        let local_remote = self.kind == Kind::Path;
        let ssh = self.kind == Kind::Ssh;
        let mut context = Context { place, local_remote, ssh, config, ..Context::default() };
        if self.kind == Kind::Http && !self.inherited.is_empty() {
            context.config.push(stay_at_the_server());
        }
        let mut outcome = attempt(&mut context);
        let Ok(url) = Url::parse(&self.url) else { return outcome };
        for credential in &self.credentials {
            match &outcome {
                Err(error) if error.may_be_refused_access() => {}
                _ => break,
            }
            tracing::debug!(variable = credential.variable, "trying the fetch with a token");
            let origin = url.origin().ascii_serialization();
            context.config = credential_config(&origin, &credential.secret);
            context.config.push(stay_at_the_server());
            outcome = match (attempt(&mut context), outcome) {
                (Err(later), Err(first)) => Err(first.and(&credential.variable, &later)),
                (later, _) => later,
            };
        }
        outcome
    }

    /// Returns what a scratch repository takes over of the clone's own configuration: the headers
    /// or the ssh key that the checkout left there.
    fn inherited(&self, git: &Git) -> Vec<(String, SecretString)> {
        let mut inherited = self.inherited.clone();
        if let (Kind::Ssh, Some(clone)) = (self.kind, &self.clone) {
            let context = Context { place: Place::Clone(clone), ..Context::default() };
            let ssh = git.setting(&context, "core.sshCommand");
            inherited.extend(ssh.map(|ssh| ("core.sshCommand".to_owned(), ssh.into())));
        }
        inherited
    }
}

/// Returns the setting by which git follows no redirect. It would take the header with the token
/// along, to any host: curl leaves it out, but git then goes on with the new address by itself.
fn stay_at_the_server() -> (String, SecretString) {
    ("http.followRedirects".to_owned(), "false".into())
}

fn kind(url: &str) -> Kind {
    match (url.split_once("://"), url.split_once(':')) {
        (Some(("file", _)), _) | (None, None) => Kind::Path,
        (Some(("ssh", _)), _) => Kind::Ssh,
        (Some(_), _) => Kind::Http,
        // A drive letter; anything longer before a colon is a host (scp-like).
        (None, Some((host, _))) if host.len() <= 1 || host.contains('/') => Kind::Path,
        (None, Some(_)) => Kind::Ssh,
    }
}

/// Returns where git is run for a clone: its work tree, or itself when it is bare.
pub(super) fn directory(clone: &Repository) -> PathBuf {
    clone.workdir().unwrap_or_else(|| clone.path()).to_owned()
}

/// Returns whether the clone lacks a part of its history. libgit2's own answer is wrong in a
/// linked work tree: the list of where history ends belongs to all work trees together.
pub(crate) fn is_shallow(clone: &Repository) -> bool {
    clone.commondir().join("shallow").metadata().is_ok_and(|file| file.len() > 0)
}

/// Returns whether the clone was made with a filter: git fetches what it lacks when asked.
pub(crate) fn is_partial(repository: &Repository) -> bool {
    repository.config().is_ok_and(|config| {
        config.get_string("extensions.partialclone").is_ok()
            || config.get_bool("remote.origin.promisor").unwrap_or(false)
    })
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
            // git reads the user's and the system's by itself, and GitHub refuses a header that
            // comes twice.
            let own = matches!(entry.level(), ConfigLevel::Local | ConfigLevel::Worktree);
            if let (true, Ok(name), Ok(value)) = (own, entry.name(), entry.value()) {
                headers.push((name.to_owned(), SecretString::from(value.to_owned())));
            }
        });
    }
    headers
}

/// Fetches commits from `origin` into the user's own clone: with depth 1 only when the clone is
/// shallow already, and without touching a branch, a tag or `FETCH_HEAD`.
pub(crate) fn into_clone<'c>(
    git: &Git,
    clone: &Repository,
    remote: &Remote,
    commits: impl IntoIterator<Item = &'c CommitSha>,
) -> Result<(), GitError> {
    let dir = directory(clone);
    let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="];
    args.push("--no-recurse-submodules");
    if is_shallow(clone) {
        args.push("--depth=1");
    }
    args.extend(["--end-of-options", "origin"]);
    args.extend(commits.into_iter().map(CommitSha::as_str));
    let place = Place::Clone(&dir);
    remote.with_credentials(git, place, |context| git.run(context, &args).map(drop))?;
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
    let dir = directory(clone);
    let base = base.map_or_else(|| EMPTY_TREE.to_owned(), |base| base.to_string());
    let head = head.to_string();
    let args = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", &base, &head];
    let place = Place::Clone(&dir);
    remote.with_credentials(git, place, |context| git.run(context, args).map(drop))?;
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
    /// Returns an empty scratch repository whose remote `source` is the given one. libgit2 makes
    /// it: git would ask the user's settings for templates, reftable and SHA-256.
    pub(crate) fn new(remote: &Remote) -> Result<Self, GitError> {
        let dir = tempfile::Builder::new()
            .prefix("ecosystem-")
            .tempdir()
            .map_err(|source| GitError::Scratch { source })?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        let repository = init(dir.path(), &options)?;
        repository.config()?.set_str("remote.source.url", remote.url())?;
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
        let place = Place::Own(&dir);
        remote.with_credentials(git, place, |context| git.run(context, &args).map(drop))?;
        Ok(())
    }

    /// Fetches the commits, without trees, that are in a commit's history and not in that of a ref
    /// of the remote, whose full name is given. It is an error when there are none.
    pub(crate) fn fetch_beyond(
        &self,
        git: &Git,
        remote: &Remote,
        reference: &str,
        commit: Oid,
    ) -> Result<(), GitError> {
        let dir = self.path();
        let exclude = format!("--shallow-exclude={reference}");
        let commit = commit.to_string();
        let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        args.extend(["--filter=tree:0", &exclude, "--end-of-options", "source", &commit]);
        let place = Place::Own(&dir);
        remote.with_credentials(git, place, |context| git.run(context, &args).map(drop))?;
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
        let mut fetch = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        fetch.extend(["--filter=blob:none", "--end-of-options", "source", &id]);
        let read = ["cat-file", "blob", &id];
        let there = Context { place: Place::Own(&dir), ..Context::default() };
        if let Ok(blob) = git.run(&there, read) {
            return Ok(blob);
        }
        remote.with_credentials(git, Place::Own(&dir), |context| {
            context.settings = &["fetch.negotiationAlgorithm=noop"];
            git.run(context, &fetch)
        })?;
        Ok(git.run(&there, read)?)
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
    let dir = directory(clone);
    let id = id.to_string();
    let args = ["cat-file", "blob", &id];
    let place = Place::Clone(&dir);
    Ok(match remote {
        Some(remote) => remote.with_credentials(git, place, |context| git.run(context, args))?,
        None => git.run(&Context { place, ..Context::default() }, args)?,
    })
}
