//! What a manual page has and `--help` has no room for: the table of exit codes and that of
//! environment variables. The README has the same tables with more words; tests hold these against
//! those.

/// What each exit code means.
pub(super) const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Done: all delivered, or nothing to do, or what was looked at is clean."),
    (
        "1",
        "A dispatch was not delivered or not recorded, a feature was not brought in, or a validation \
         found errors.",
    ),
    ("2", "An error of usage, configuration or environment. Nothing was sent."),
    ("130", "Interrupted (SIGINT, Ctrl-C)."),
    ("143", "Terminated (SIGTERM)."),
];

/// What the environment forms of options are; see `variables`.
pub(super) const FORMS: &str = "Every long option but --source has an environment form, with \
     ECOSYSTEM_ before its name in capitals and _ for -: ECOSYSTEM_DRY_RUN=true is --dry-run. A \
     flag is true or false; what is empty counts as not given; the command line wins.";

/// An environment variable that the program reads.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// The commands that read it; empty when all do.
    pub(super) of: &'static [&'static str],
    pub(super) what: &'static str,
}

const fn variable(name: &'static str, of: &'static [&'static str], what: &'static str) -> Variable {
    Variable { name, of, what }
}

const EVERY: &[&str] = &[];
/// Those that leave a report and outputs.
const REPORTERS: &[&str] = &["dispatch", "send", "sync"];
/// Those that ask GitHub's API, and for which an App may speak.
const ASKERS: &[&str] = &["dispatch", "send", "validate", "onboard"];
/// Those that send, ask or read.
const WORKERS: &[&str] = &["dispatch", "send", "validate", "onboard", "status", "sync"];
/// Those that leave a summary.
const SUMMARIZED: &[&str] = &["dispatch", "send", "validate", "status", "sync"];
/// The one that is about a push.
const DISPATCH: &[&str] = &["dispatch"];
/// Those that an event starts.
const EVENTFUL: &[&str] = &["dispatch", "sync"];

/// All variables, in the order in which a reader will look for them.
pub(super) const VARIABLES: &[Variable] = &[
    variable(
        "ECOSYSTEM_PAT",
        WORKERS,
        "The token: the first choice to send with and to ask GitHub with.",
    ),
    variable("GH_TOKEN", WORKERS, "The same, second choice."),
    variable(
        "GITHUB_TOKEN",
        WORKERS,
        "The same, last choice; and the first choice for the monorepo itself, where git fetches and \
         writes watermarks with it. The token_env of a cousin names a variable of its own, and no \
         other is used for that cousin.",
    ),
    variable(
        "ECOSYSTEM_APP_ID",
        ASKERS,
        "The client id, or App ID, of a GitHub App, which speaks for every cousin without a \
         token_env, before any other token.",
    ),
    variable(
        "ECOSYSTEM_APP_PRIVATE_KEY",
        ASKERS,
        "Its private key, the text of the .pem file; \\n may stand for line breaks.",
    ),
    variable("ECOSYSTEM_APP_PRIVATE_KEY_FILE", ASKERS, "Or the path of that file."),
    variable(
        "ECOSYSTEM_NOTIFY_URL",
        DISPATCH,
        "A Slack-compatible incoming webhook, which hears when failures begin and end; a secret.",
    ),
    variable(
        "ECOSYSTEM_SOURCE_TOKEN",
        &["sync"],
        "A token for the source alone, where that is private: to fetch it with, and to write an \
         issue there when a sync fails.",
    ),
    variable(
        "GITHUB_API_URL",
        &["dispatch", "send", "validate", "onboard", "sync"],
        "The address of GitHub's API: https, or http on loopback. The default is \
         https://api.github.com.",
    ),
    variable(
        "GITHUB_SERVER_URL",
        WORKERS,
        "GitHub's address; tokens for fetching go to this host only. The default is \
         https://github.com.",
    ),
    variable(
        "GITHUB_ACTIONS",
        EVERY,
        "Set to true by GitHub Actions: failures and warnings become annotations, results a summary \
         and outputs.",
    ),
    variable(
        "GITHUB_EVENT_NAME",
        EVENTFUL,
        "The event that started the run. Without it the run is a person's.",
    ),
    variable("GITHUB_EVENT_PATH", EVENTFUL, "The file with the event."),
    variable(
        "GITHUB_REPOSITORY",
        WORKERS,
        "The repository that the run belongs to, OWNER/NAME: the monorepo, of sync the cousin.",
    ),
    variable(
        "GITHUB_REF",
        &["dispatch", "send", "onboard", "status"],
        "The ref, for events that do not name it.",
    ),
    variable("GITHUB_SHA", &["send"], "The commit, for --with-context."),
    variable(
        "GITHUB_RUN_ID",
        &["dispatch", "send", "onboard", "sync"],
        "The run, for the run_url of what is sent, and for pull requests and issues.",
    ),
    variable("GITHUB_OUTPUT", REPORTERS, "The file that the outputs are written to."),
    variable("GITHUB_STEP_SUMMARY", SUMMARIZED, "The file that the summary is written to."),
    variable("RUNNER_TEMP", REPORTERS, "The directory that the report is written to."),
    variable("NO_COLOR", EVERY, "When set and not empty, no colours."),
    variable(
        "CLICOLOR_FORCE",
        EVERY,
        "When set and not 0, colours also where the output is no terminal.",
    ),
    variable("TERM", EVERY, "When it is dumb, no colours and no progress line."),
];
