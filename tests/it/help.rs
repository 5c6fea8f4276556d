//! What `--help` says, to the character: people read it more often than any document, and whoever
//! changes it should see what they see.

mod bringing;
mod comfort;
mod looking;
mod syncing;

use crate::support::ecosystem::Run;
use crate::support::repository::Sandbox;

fn help(args: &[&str]) -> String {
    // On Windows the program is named with its suffix.
    Run::new(&Sandbox::new())
        .args(args)
        .run()
        .expect_code(0)
        .stdout
        .replace("ecosystem.exe", "ecosystem")
}

/// What the help of every command says of the options that all have.
const GLOBAL: &str = "\
Global options:
  -C <DIR>
          Run as if started in DIR

  -v, --verbose...
          Say more on standard error: -v what is fetched, -vv each request, -vvv everything

  -q, --quiet
          Say nothing but the result and errors

      --color <WHEN>
          When to use colours; `auto` respects `NO_COLOR` and the terminal
          
          [default: auto]
          [possible values: auto, always, never]
";

/// Returns a command's help, in which these stand once, by a word.
fn help_of(command: &str) -> String {
    let help = help(&[command, "--help"]);
    assert_eq!(help.matches(GLOBAL).count(), 1, "{help}");
    help.replace(GLOBAL, "[global options]\n")
}

#[test]
fn the_help_of_the_program_names_its_commands() {
    insta::assert_snapshot!(help(&["--help"]), @r"
    Keeps downstream repositories in step with a monorepo
    
    Usage: ecosystem [OPTIONS] <COMMAND>
    
    Commands:
      dispatch     Tell every subscribed repository what a push changed
      send         Send an event of your own to one repository or many
      validate     Check ecosystem.json before anything is sent
      onboard      Bring a repository in: list it, write its files, see that it hears
      status       Show what each cousin has received, and what it has yet to hear of
      sync         Bring what changed upstream into this repository, as a pull request
      rehearse     See all of it happen on this machine, without account, token or network
      completions  Print a script that completes commands and flags in your shell
      man          Print a manual page, or write all of them
    
    Options:
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    Global options:
      -C <DIR>
              Run as if started in DIR
    
      -v, --verbose...
              Say more on standard error: -v what is fetched, -vv each request, -vvv everything
    
      -q, --quiet
              Say nothing but the result and errors
    
          --color <WHEN>
              When to use colours; `auto` respects `NO_COLOR` and the terminal
              
              [default: auto]
              [possible values: auto, always, never]
    
    First steps:
      # See all of it happen on this machine, with a sample monorepo
      ecosystem rehearse
    
      # In your monorepo, with ecosystem.json: is it right, what would be sent?
      ecosystem validate
      ecosystem dispatch --dry-run
    
      # All about one command
      ecosystem dispatch --help
    
    Exit codes: 0 done, clean or nothing to do, 1 something was not delivered or brought in or a
    validation found errors, 2 usage, configuration or environment error (nothing was sent), 130 and 143
    interrupted.
    
    Every long option but --source has an environment form: ECOSYSTEM_DRY_RUN=true is --dry-run.
    ");
}

#[test]
fn the_short_help_of_the_program_stays_short() {
    insta::assert_snapshot!(help(&["-h"]), @r"
    Keeps downstream repositories in step with a monorepo
    
    Usage: ecosystem [OPTIONS] <COMMAND>
    
    Commands:
      dispatch     Tell every subscribed repository what a push changed
      send         Send an event of your own to one repository or many
      validate     Check ecosystem.json before anything is sent
      onboard      Bring a repository in: list it, write its files, see that it hears
      status       Show what each cousin has received, and what it has yet to hear of
      sync         Bring what changed upstream into this repository, as a pull request
      rehearse     See all of it happen on this machine, without account, token or network
      completions  Print a script that completes commands and flags in your shell
      man          Print a manual page, or write all of them
    
    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version
    
    Global options:
      -C <DIR>            Run as if started in DIR
      -v, --verbose...    Say more on standard error: -v what is fetched, -vv each request, -vvv
                          everything
      -q, --quiet         Say nothing but the result and errors
          --color <WHEN>  When to use colours; `auto` respects `NO_COLOR` and the terminal [default:
                          auto] [possible values: auto, always, never]
    
    Exit codes: 0 done, clean or nothing to do, 1 something was not delivered or brought in or a
    validation found errors, 2 usage, configuration or environment error (nothing was sent), 130 and 143
    interrupted.
    
    Every long option but --source has an environment form: ECOSYSTEM_DRY_RUN=true is --dry-run.
    ");
}

#[test]
fn the_help_of_send_explains_each_flag() {
    insta::assert_snapshot!(help_of("send"), @r#"
    Send an event of your own to one repository or many
    
    Sends a `repository_dispatch` event, which starts the workflows that listen to its type: checked
    before anything leaves, at GitHub's pace, tried again where that helps, and each repository with an
    outcome of its own.
    
    Usage: ecosystem send [OPTIONS] --event-type <TYPE>
    
    Options:
      -n, --dry-run
              Show the request that would be sent; needs no token and no network
    
          --format <FORMAT>
              How to print the report
    
              Possible values:
              - human: Text for people
              - json:  One JSON document
              
              [default: human]
    
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    Repositories:
          --to <OWNER/NAME>
              The repository to send to; may be given several times [default: `GITHUB_REPOSITORY`, else
              read from origin]
              
              One value may hold several names, separated by commas or white space.
    
          --to-file <FILE>
              Send to the repositories in FILE, one on a line; - is standard input
              
              Blank lines count for nothing, nor does a # at the beginning or after white space, and
              what follows it.
    
    Event:
      -e, --event-type <TYPE>
              What receivers list under `types:`, 1 to 100 characters
    
          --payload <JSON>
              The `client_payload`, a JSON object of at most 10 keys and less than 64 KB
    
          --payload-file <FILE>
              Read the `client_payload` from FILE; - is standard input
    
      -f, --field <KEY=TEXT>
              Add a key to the payload: KEY=TEXT, or KEY:=JSON; may be given several times
    
          --with-context
              Add what GitHub Actions knows of this run: `source_repository`, `commit_sha`, `source_ref`
              and `run_url`
              
              A key that the payload has already stays as it is.
    
    Delivery:
          --concurrency <N>
              Requests in flight at a time, 1 to 100
              
              [default: 16]
    
          --per-minute <N>
              Requests a minute; more than 80 also lifts the limit of 500 an hour
              
              [default: 80]
    
          --timeout <SECONDS>
              Time for one request
              
              [default: 30]
    
          --max-wait <SECONDS>
              How long to wait in sum when GitHub limits the rate; what would wait longer is deferred
              
              [default: 900]
    
          --confirm [<SECONDS>]
              After sending, look for the workflow runs that were started, for up to so long [default:
              off; 120 without a value]
              
              GitHub takes an event whether a workflow listens or not. A run is confirmed when its name
              has the `dispatch_id`, probable when it was started at the time; a dispatch without a run
              is a warning. On private repositories the token needs "actions: read".
    
          --require-confirmation
              Count a dispatch as failed when no workflow run was seen; `dispatch --watermarks` sends it
              again
    
    [global options]
    
    Examples:
      # To the repository of this clone, or of this workflow
      ecosystem send --event-type rebuild
    
      # To others, with a payload of fields: = is text, := is JSON
      ecosystem send --to acme/web --to acme/app --event-type release \
        --field version=1.4.0 --field prerelease:=false
    
      # What exactly would be sent
      ecosystem send --dry-run --to acme/web --event-type release \
        --payload-file release.json
    
      # A list of repositories, and a payload that a program makes, in a workflow
      make-payload | ecosystem send --to-file repositories.txt --event-type build \
        --payload-file - --with-context
    "#);
}

#[test]
fn the_help_of_dispatch_explains_each_flag() {
    insta::assert_snapshot!(help_of("dispatch"), @r#"
    Tell every subscribed repository what a push changed
    
    In GitHub Actions the pushed range is read from the event. On a terminal the current branch is
    compared with its upstream. On `pull_request` and `merge_group` nothing is sent: the run shows what
    merging would notify.
    
    Usage: ecosystem dispatch [OPTIONS]
    
    Options:
      -n, --dry-run
              Show what would be sent; needs no token, and no network when both commits are here
    
          --format <FORMAT>
              How to print the report
    
              Possible values:
              - human: Text for people
              - json:  One JSON document
              
              [default: human]
    
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    What is compared:
          --ecosystem <FILE>
              The list of cousins [default: ecosystem.json of the work tree, else of head]
    
          --base <REV>
              Compare with this commit [default: the event's, else the upstream, else head's first
              parent]
    
          --head <REV>
              Compare this commit [default: the event's, else HEAD]
    
          --watermarks
              Compare each cousin with what it has received, and record what it receives
              
              For each cousin a ref of the monorepo, refs/ecosystem/watermarks/OWNER/NAME, stands at the
              newest commit whose dispatches it has all received. What a run has missed, the next one
              makes up for. The event's range and --base count only as long as no cousin has a
              watermark. Needs "contents: write" on the monorepo.
    
          --all
              Treat every path at head as changed
    
          --remote <URL>
              Work without a clone: fetch the two trees from there
    
          --source <OWNER/NAME>
              The monorepo's name [default: `GITHUB_REPOSITORY`, else read from origin]
    
    Delivery:
          --only <OWNER/NAME>
              Only this cousin; may be given several times
    
          --concurrency <N>
              Requests in flight at a time, 1 to 100
              
              [default: 16]
    
          --per-minute <N>
              Requests a minute; more than 80 also lifts the limit of 500 an hour
              
              [default: 80]
    
          --timeout <SECONDS>
              Time for one request
              
              [default: 30]
    
          --max-wait <SECONDS>
              How long to wait in sum when GitHub limits the rate; what would wait longer is deferred
              
              [default: 900]
    
          --confirm [<SECONDS>]
              After sending, look for the workflow runs that were started, for up to so long [default:
              off; 120 without a value]
              
              GitHub takes an event whether a workflow listens or not. A run is confirmed when its name
              has the `dispatch_id`, probable when it was started at the time; a dispatch without a run
              is a warning. On private repositories the token needs "actions: read".
    
          --require-confirmation
              Count a dispatch as failed when no workflow run was seen; `dispatch --watermarks` sends it
              again
    
          --issue-on-failure
              Keep one issue in the monorepo that says which cousins fail; it closes itself
              
              Needs "issues: write" on the monorepo, for `GITHUB_TOKEN`, else `GH_TOKEN` or
              `ECOSYSTEM_PAT`. An issue that cannot be written is a warning and changes no result.
    
    [global options]
    
    Examples:
      # What would be sent for the commits that are not pushed yet
      ecosystem dispatch --dry-run
    
      # Send what changed between two commits
      ECOSYSTEM_PAT=… ecosystem dispatch --base v1.4.0 --head v1.5.0
    
      # In a workflow: what cousins missed is sent too, failures become an issue
      ecosystem dispatch --watermarks --issue-on-failure
    
      # Without a checkout
      ecosystem dispatch --remote https://github.com/acme/monorepo
    "#);
}

/// At 80 columns a longer line is broken, and the second half of a command is another command.
#[test]
fn an_example_fits_a_terminal_of_80_columns() {
    let commands =
        ["dispatch", "send", "validate", "status", "rehearse", "completions", "man"].map(Some);
    for command in commands.into_iter().chain([None]) {
        let help = help(&command.into_iter().chain(["--help"]).collect::<Vec<_>>());
        let start = if command.is_some() { "\nExamples:\n" } else { "\nFirst steps:\n" };
        let (_, examples) = help.split_once(start).unwrap();
        let examples = examples.split("\nExit codes:").next().unwrap();
        assert!(examples.contains("  ecosystem "), "{examples}");
        for line in examples.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
