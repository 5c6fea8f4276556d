//! Why the git program could not do what was asked, as far as its own words tell: whether a token
//! may help, and what to do next. The words are those of `LC_ALL=C`; what they do not tell is left
//! to the person who reads them.

/// What git and servers say of a commit or ref that is not there.
const LACKING: [&str; 3] = ["not our ref", "unadvertised object", "couldn't find remote ref"];

/// What git and curl say of a server that is out of reach.
const UNREACHED: [&str; 7] = [
    "Could not resolve",
    "Failed to connect",
    "Could not connect",
    "Couldn't connect",
    "Connection refused",
    "too slow",
    "timed out",
];

/// Why the git program could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program is not there or cannot be started.
    #[error("cannot run git: {0}")]
    NotStarted(#[source] std::io::Error),
    /// The program is too old.
    #[error("git {found} is too old, {needed} or newer is needed{reason}")]
    TooOld {
        /// The version found.
        found: String,
        /// The oldest version that would do.
        needed: String,
        /// What it is needed for, beginning with a comma, or nothing.
        reason: &'static str,
    },
    /// The user or the runner wished that the run stops.
    #[error("interrupted")]
    Interrupted,
    /// The program did not end.
    #[error("git {subcommand} did not end within an hour")]
    TooLong {
        /// The subcommand.
        subcommand: String,
    },
    /// The program ran and reported a failure.
    #[error("git {subcommand} failed: {message}")]
    Failed {
        /// The subcommand.
        subcommand: String,
        /// git's own last words, fit to be shown.
        message: String,
    },
}

impl CommandError {
    /// Whether a token may help: neither does the remote lack what was asked for, nor is it out of
    /// reach, where each further attempt could cost a minute.
    pub(crate) fn may_be_refused_access(&self) -> bool {
        let Self::Failed { message, .. } = self else { return false };
        !LACKING.iter().chain(&UNREACHED).any(|words| message.contains(words))
    }

    /// Returns what to do next.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::NotStarted(_) => "install git and see that PATH finds it",
            Self::TooOld { .. } => "update git",
            Self::Interrupted => "run it again",
            Self::TooLong { .. } => "see whether the server answers, and try the same with git",
            Self::Failed { message, .. } => {
                let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
                if says(&["returned error: 30"]) {
                    "the repository has moved, and no token is taken along to another address: \
                     name the new one"
                } else if says(&["dubious ownership"]) {
                    "the clone belongs to another user: `git config --global --add \
                     safe.directory DIR` lets git use it"
                } else if says(&LACKING) {
                    "give a commit id, branch or tag that the remote has"
                } else {
                    "try the same with git; a private repository needs a token with contents: read"
                }
            }
        }
    }

    /// Returns this error with what came of the same attempt with a token.
    pub(crate) fn and(self, variable: &str, later: &Self) -> Self {
        match (self, later) {
            (Self::Failed { subcommand, message }, Self::Failed { message: later, .. })
                if message != *later =>
            {
                let message = format!("{message}; with {variable}: {later}");
                Self::Failed { subcommand, message }
            }
            (first, _) => first,
        }
    }
}

/// Returns the lines in which git says why it failed, fit to be shown on one line.
pub(super) fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let said: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| {
            ["fatal:", "error:", "remote:", "ssh:"].iter().any(|start| line.starts_with(start))
        })
        .collect();
    let lines = if said.is_empty() { text.lines().rev().take(1).collect() } else { said };
    let joined = lines.join("; ");
    let shown = crate::text::shown(joined.as_bytes());
    shown.chars().take(600).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gits_last_words_are_one_line_without_control_characters() {
        assert_eq!(
            last_words(b"From x\nwarning: y\nfatal: bad \x1b[31m thing\n"),
            "fatal: bad \\u{1b}[31m thing"
        );
    }

    #[test]
    fn only_where_access_may_be_refused_is_a_token_tried() {
        for (message, expected) in [
            (
                "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
                true,
            ),
            ("remote: Repository not found.; fatal: repository 'x' not found", true),
            ("fatal: Authentication failed for 'x'", true),
            ("fatal: unable to access 'x': The requested URL returned error: 403", true),
            ("fatal: remote error: upload-pack: not our ref deadbeef", false),
            ("error: Server does not allow request for unadvertised object deadbeef", false),
            ("fatal: couldn't find remote ref nonsense", false),
            ("fatal: unable to access 'x': Could not resolve host: x", false),
            ("fatal: unable to access 'x': Operation too slow. Less than 1 bytes/sec", false),
        ] {
            let subcommand = "fetch".to_owned();
            let error = CommandError::Failed { subcommand, message: message.to_owned() };
            assert_eq!(error.may_be_refused_access(), expected, "{message}");
        }
        let old = CommandError::TooOld { found: "2.20".into(), needed: "2.30".into(), reason: "" };
        assert!(!old.may_be_refused_access());
    }
}
