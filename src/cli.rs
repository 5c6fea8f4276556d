//! The command line: what a person types becomes one resolved request, the library carries it
//! out, and what came of it becomes text and an exit code. The environment enters here, as a
//! snapshot; nothing below reads it, prints or exits.

mod app;
mod arguments;
pub mod completions;
mod confirming;
pub mod dispatch;
mod failure;
mod listing;
pub mod man;
mod monorepo;
pub mod onboard;
mod output;
mod part;
mod progress;
pub mod rehearse;
mod secrets;
pub mod send;
mod sending;
mod signals;
pub mod status;
pub mod sync;
mod telling;
mod usage;
pub mod validate;
mod variables;
mod version;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint};
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use failure::{Exit, Failure};
pub use output::Output;

use crate::environment::Environment;
use crate::git::command::Git;
use crate::github::Tokens;
use crate::github::auth::{VARIABLES, resolve};

/// What a script may rely on, in the help of the program; the manual has a table of them.
macro_rules! exit_codes {
    () => {
        "Exit codes: 0 done, clean or nothing to do, 1 something was not delivered or brought in or a \
         validation found errors, 2 usage, configuration or environment error (nothing was sent), 130 and 143 \
         interrupted.\n\nEvery long option but --source has an environment form: ECOSYSTEM_DRY_RUN=true is --dry-run."
    };
}
const EXIT_CODES: &str = exit_codes!();

/// Keeps downstream repositories in step with a monorepo.
#[derive(Debug, Parser)]
#[command(
    name = "ecosystem",
    version = version::SHORT,
    long_version = version::long(),
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = EXIT_CODES,
    after_long_help = concat!("\
First steps:
  # See all of it happen on this machine, with a sample monorepo
  ecosystem rehearse

  # In your monorepo, with ecosystem.json: is it right, what would be sent?
  ecosystem validate
  ecosystem dispatch --dry-run

  # All about one command
  ecosystem dispatch --help

", exit_codes!())
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", value_hint = ValueHint::DirPath, global = true)]
    dir: Option<PathBuf>,
    /// Say more on standard error: -v what is fetched, -vv each request, -vvv everything
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    /// Say nothing but the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// When to use colours; `auto` respects `NO_COLOR` and the terminal
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    color: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dispatch(Box<dispatch::Args>),
    Send(Box<send::Args>),
    Validate(validate::Args),
    Onboard(Box<onboard::Args>),
    Status(status::Args),
    Sync(Box<sync::Args>),
    Rehearse(rehearse::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command that the arguments name and returns the process's exit code.
pub fn main(environment: &Environment, args: impl IntoIterator<Item = OsString>) -> u8 {
    let args = match variables::with(Cli::command, environment, args) {
        Ok(args) => args,
        Err(failure) => {
            Output::new(environment, When::Auto, false, false).failure(&failure, environment);
            return failure.exit.code();
        }
    };
    let cli = match Cli::try_parse_from(&args.all) {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error, &args, environment).code(),
    };
    let output =
        Output::new(environment, cli.global.color, cli.global.quiet, cli.global.verbose > 0);
    start_logging(&cli.global, output.colour_on_stderr());
    let dir = cli.global.dir.as_deref();
    let here = dir.unwrap_or(Path::new("."));
    let outcome = match cli.command {
        Command::Dispatch(args) => dispatch::run(here, &args, environment, &output),
        Command::Send(args) => send::run(here, &args, environment, &output),
        Command::Validate(args) => validate::run(here, &args, environment, &output),
        Command::Onboard(args) => onboard::run(here, &args, environment, &output),
        Command::Status(args) => status::run(here, &args, environment, &output),
        Command::Sync(args) => sync::run(here, &args, environment, &output),
        Command::Rehearse(args) => rehearse::run(dir, &args, environment, &output),
        Command::Completions(args) => completions::run(&args, &output),
        Command::Man(args) => man::run(here, &args, &output),
    };
    match outcome {
        Ok(exit) => exit.code(),
        Err(failure) => {
            output.failure(&failure, environment);
            if let Some(hint) = args.hint(&failure.message) {
                output.line(&hint);
            }
            failure.exit.code()
        }
    }
}

/// Returns the git program, with what it may see of the environment.
fn git(environment: &Environment) -> Git {
    Git::new(environment.iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// Returns all of standard input, which may be at most `limit` bytes.
fn standard_input(limit: usize) -> std::io::Result<Vec<u8>> {
    crate::input::read_all(std::io::stdin().lock(), limit)
}

/// Adds the tokens of the environment that a run may hold besides its own, so that they are hidden
/// in whatever others wrote.
fn hide_others(tokens: &mut Tokens, environment: &Environment) {
    for variable in VARIABLES {
        let lookup = |name: &str| environment.raw(name).map(ToOwned::to_owned);
        if let Ok(token) = resolve(Some(variable), &lookup) {
            tokens.add(token);
        }
    }
}

/// Returns the runtime for a command's requests: one thread, on which everything takes turns.
fn network() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the network runtime: {error}"), ""))
}

/// Our own events only: what libraries log at their finest level may hold headers.
fn start_logging(global: &Global, colour: bool) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let ours = tracing_subscriber::filter::Targets::new()
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_default(LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| output::Log)
        .with_ansi(colour)
        .with_target(false)
        .without_time();
    // A second subscriber in one process (tests) changes nothing.
    let _ = tracing_subscriber::registry().with(ours).with(lines).try_init();
}
