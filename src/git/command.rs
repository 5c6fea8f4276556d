//! The one constructor of git processes. A repository, its configuration and its remote may be
//! hostile, so every process starts from an allowed environment, with no hooks, no pager, no
//! prompt, no recursion into submodules and no transport beyond those named here. Credentials
//! travel in `GIT_CONFIG_*` variables: argv and URLs are there for every process to read.
//!
//! git does the network, libgit2 reads: nothing here parses an object.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

pub use super::command_error::CommandError;
use super::command_error::last_words;
use super::interrupt::{Interrupt, Waited};

/// The oldest git that is supported: 2.30, of December 2020.
const OLDEST: (u32, u32) = (2, 30);

/// The oldest git that reads `GIT_CONFIG_COUNT`, by which a token is handed over.
const OLDEST_WITH_CREDENTIALS: (u32, u32) = (2, 31);

/// What of our environment git gets to see: where things are, how the network is reached, and
/// which key to use. No token of ours is among it.
const ALLOWED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "HOMEDRIVE",
    "HOMEPATH",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_EXEC_PATH",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
];

/// Settings that no repository's configuration may override.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.interactive=false",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "fetch.fsckObjects=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=2",
    "fetch.writeCommitGraph=false",
    // A server that stops sending is given up after a minute.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
];

/// The transports that are spoken, whatever a repository's configuration allows (`ext` runs any
/// program); `file` is added only where the user named a path.
const PROTOCOLS: &str = "https:http:ssh";

/// A token for the server that the monorepo is fetched from.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The name of the environment variable that the token came from.
    pub variable: String,
    /// The token.
    pub secret: SecretString,
}

/// The git program with the environment that it may see.
#[derive(Debug, Clone)]
pub struct Git {
    environment: Vec<(OsString, OsString)>,
    inherited_config: Vec<(OsString, OsString)>,
    version: std::sync::OnceLock<(u32, u32)>,
    interrupt: Interrupt,
}

/// The repository that a command works on.
#[derive(Debug, Default)]
pub(crate) enum Place<'a> {
    #[default]
    Nowhere,
    /// The user's clone: git checks that it belongs to the user.
    Clone(&'a Path),
    /// A bare repository of our own, named outright: with `safe.bareRepository=explicit` git takes
    /// no other.
    Own(&'a Path),
}

/// Where a command runs and what it is given beyond its arguments.
#[derive(Debug, Default)]
pub(crate) struct Context<'a> {
    pub(crate) place: Place<'a>,
    /// The user named a path on this machine as the remote.
    pub(crate) local_remote: bool,
    /// The remote is reached by ssh.
    pub(crate) ssh: bool,
    /// Configuration that may hold a secret.
    pub(crate) config: Vec<(String, SecretString)>,
    /// An interrupt from the terminal is for us and not for git: what it does is to be finished.
    pub(crate) uninterrupted: bool,
    /// Variables of this command alone.
    pub(crate) variables: Vec<(&'static str, OsString)>,
    /// Settings of this command alone.
    pub(crate) settings: &'static [&'static str],
    /// Whether git's standard output tells what came of each part, although git says it failed.
    pub(crate) partial_success: Option<fn(&[u8]) -> bool>,
}

impl Git {
    /// Returns the git program that `PATH` finds, which will see what is allowed of `environment`.
    pub fn new(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut git = Self {
            environment: Vec::new(),
            inherited_config: Vec::new(),
            version: std::sync::OnceLock::new(),
            interrupt: Interrupt::default(),
        };
        let mut numbered = Vec::new();
        for (name, value) in environment {
            let Some(text) = name.to_str() else { continue };
            if ALLOWED.iter().any(|allowed| text.eq_ignore_ascii_case(allowed)) {
                git.environment.push((name, value));
            } else if text.starts_with("GIT_CONFIG_") {
                numbered.push((text.to_owned(), value));
            }
        }
        let find = |name: &str| numbered.iter().find(|(n, _)| n == name).map(|(_, value)| value);
        let count = find("GIT_CONFIG_COUNT").and_then(|count| count.to_str()?.parse().ok());
        for number in 0..count.unwrap_or(0_usize).min(100) {
            let key = find(&format!("GIT_CONFIG_KEY_{number}"));
            let value = find(&format!("GIT_CONFIG_VALUE_{number}"));
            if let (Some(key), Some(value)) = (key, value) {
                git.inherited_config.push((key.clone(), value.clone()));
            }
        }
        git
    }

    /// Returns it such that what it runs ends when that is wished.
    #[must_use]
    pub fn ended_by(self, interrupt: Interrupt) -> Self {
        Self { interrupt, ..self }
    }

    /// Runs a git command and returns its standard output.
    ///
    /// # Errors
    /// [`CommandError`] when git is missing, too old or reports a failure.
    pub(crate) fn run<I>(&self, context: &Context<'_>, args: I) -> Result<Vec<u8>, CommandError>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.run_with(context, args, None)
    }

    /// As [`Git::run`], with a file as git's standard input.
    pub(crate) fn run_with<I>(
        &self,
        context: &Context<'_>,
        args: I,
        input: Option<File>,
    ) -> Result<Vec<u8>, CommandError>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let version = self.version()?;
        let has_config = !context.config.is_empty() || !self.inherited_config.is_empty();
        if has_config && version < OLDEST_WITH_CREDENTIALS {
            return Err(too_old(version, OLDEST_WITH_CREDENTIALS, ", to hand it a token"));
        }
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let mut command = self.placed(context);
        if !(context.ssh && self.configures_ssh(context)) {
            self.keep_ssh_quiet(&mut command);
        }
        if let Some(input) = input {
            command.stdin(input);
        }
        #[cfg(unix)]
        if context.uninterrupted {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let subcommand =
            args.first().map(|arg| arg.to_string_lossy().into_owned()).unwrap_or_default();
        tracing::debug!(?args, "running git");
        if self.interrupt.is_raised() {
            return Err(CommandError::Interrupted);
        }
        let child = command.args(&args).spawn().map_err(CommandError::NotStarted)?;
        let waited = self.interrupt.wait_for(child, context.uninterrupted);
        let output = match waited.map_err(CommandError::NotStarted)? {
            Waited::Ended(output) => output,
            Waited::Stopped => return Err(CommandError::Interrupted),
            Waited::TooLong => return Err(CommandError::TooLong { subcommand }),
        };
        if output.status.success()
            || context.partial_success.is_some_and(|told| told(&output.stdout))
        {
            return Ok(output.stdout);
        }
        Err(CommandError::Failed { subcommand, message: last_words(&output.stderr) })
    }

    /// Returns a command that works on the repository of the context, with its configuration.
    fn placed(&self, context: &Context<'_>) -> Command {
        let mut command = self.command();
        for setting in SETTINGS.iter().chain(context.settings) {
            command.args(["-c", setting]);
        }
        match context.place {
            Place::Nowhere => {}
            Place::Clone(dir) => {
                command.arg("-C").arg(dir);
            }
            Place::Own(dir) => {
                command.arg("--git-dir").arg(dir);
                // What is lacking is asked for by name. git would ask by itself, in a process that
                // asks in turn, for as long as a server does not send it.
                command.env("GIT_NO_LAZY_FETCH", "1");
            }
        }
        let file = if context.local_remote { ":file" } else { "" };
        command.env("GIT_ALLOW_PROTOCOL", format!("{PROTOCOLS}{file}"));
        command.envs(context.variables.iter().map(|(name, value)| (name, value)));
        let inherited =
            self.inherited_config.iter().map(|(key, value)| (key.clone(), value.clone()));
        let own = context
            .config
            .iter()
            .map(|(key, value)| (OsString::from(key), OsString::from(value.expose_secret())));
        let mut count = 0;
        for (key, value) in inherited.chain(own) {
            command.env(format!("GIT_CONFIG_KEY_{count}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        if count > 0 {
            command.env("GIT_CONFIG_COUNT", count.to_string());
        }
        command
    }

    /// Whether the user's configuration says how ssh is started, such as with a deploy key. git
    /// itself is asked: it takes nothing from a repository that belongs to somebody else.
    fn configures_ssh(&self, context: &Context<'_>) -> bool {
        self.setting(context, "core.sshCommand").is_some()
    }

    /// Returns a setting as git sees it in that place.
    pub(crate) fn setting(&self, context: &Context<'_>, name: &str) -> Option<String> {
        self.version().ok()?;
        let output = self.placed(context).args(["config", "--get", name]).output().ok()?;
        let value = output.status.success().then(|| String::from_utf8(output.stdout).ok())??;
        Some(value.trim_end_matches('\n').to_owned()).filter(|value| !value.is_empty())
    }

    /// Lets ssh never ask for a passphrase or a host key on a terminal.
    fn keep_ssh_quiet(&self, command: &mut Command) {
        let named = |(name, _): &(OsString, _)| name == "GIT_SSH_COMMAND" || name == "GIT_SSH";
        if !self.environment.iter().any(named) {
            command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
        }
    }

    fn command(&self) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the one constructor of git processes")]
        let mut command = Command::new("git");
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "")
            .env("SSH_ASKPASS", "")
            .env("GIT_PAGER", "cat")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn version(&self) -> Result<(u32, u32), CommandError> {
        if let Some(version) = self.version.get() {
            return Ok(*version);
        }
        let output = self.command().arg("--version").output().map_err(CommandError::NotStarted)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = parse_version(&text).ok_or_else(|| CommandError::Failed {
            subcommand: "--version".to_owned(),
            message: crate::text::quoted(text.trim()),
        })?;
        if version < OLDEST {
            return Err(too_old(version, OLDEST, ""));
        }
        Ok(*self.version.get_or_init(|| version))
    }
}

/// Returns the configuration by which git sends the token to that origin and nowhere else. An
/// empty value first drops a header that the checkout configured: GitHub refuses two.
pub(crate) fn credential_config(origin: &str, token: &SecretString) -> Vec<(String, SecretString)> {
    let key = format!("http.{origin}/.extraheader");
    let basic = STANDARD.encode(format!("x-access-token:{}", token.expose_secret()));
    vec![
        (key.clone(), SecretString::from(String::new())),
        (key, SecretString::from(format!("AUTHORIZATION: basic {basic}"))),
    ]
}

/// Returns a path as git takes it on every system, with forward slashes.
pub(crate) fn git_path(path: &Path) -> PathBuf {
    if cfg!(windows) {
        let text = path.to_string_lossy();
        return PathBuf::from(text.strip_prefix(r"\\?\").unwrap_or(&text).replace('\\', "/"));
    }
    path.to_owned()
}

fn too_old(found: (u32, u32), needed: (u32, u32), reason: &'static str) -> CommandError {
    CommandError::TooOld {
        found: format!("{}.{}", found.0, found.1),
        needed: format!("{}.{}", needed.0, needed.1),
        reason,
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split(['.', ' ', '\n']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_every_vendors_spelling() {
        assert_eq!(parse_version("git version 2.39.5\n"), Some((2, 39)));
        assert_eq!(parse_version("git version 2.39.3 (Apple Git-146)\n"), Some((2, 39)));
        assert_eq!(parse_version("git version 2.45.1.windows.1\n"), Some((2, 45)));
        assert_eq!(parse_version("svn 1.14"), None);
    }

    #[test]
    fn no_token_and_no_git_variable_of_ours_reaches_git() {
        let environment = [
            ("PATH", "/bin"),
            ("GIT_DIR", "/x"),
            ("ECOSYSTEM_PAT", "t"),
            ("GITHUB_TOKEN", "t"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "a.b"),
            ("GIT_CONFIG_VALUE_0", "c"),
            ("https_proxy", "p"),
        ];
        let git = Git::new(environment.map(|(name, value)| (name.into(), value.into())));
        let names: Vec<_> =
            git.environment.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        assert_eq!(names, ["PATH", "https_proxy"]);
        assert_eq!(git.inherited_config, [("a.b".into(), "c".into())]);
    }

    #[test]
    fn the_token_is_only_in_the_value_of_the_configuration() {
        let config = credential_config("https://github.com", &SecretString::from("s3cret"));
        assert!(config.iter().all(|(key, _)| key == "http.https://github.com/.extraheader"));
        assert!(!format!("{config:?}").contains("s3cret"));
        assert_eq!(
            config[1].1.expose_secret(),
            "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46czNjcmV0"
        );
    }
}
