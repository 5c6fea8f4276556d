//! The help of the command that brings a cousin in.

use super::help_of;

#[test]
fn the_help_of_onboard_says_what_is_written_and_when_something_is_sent() {
    insta::assert_snapshot!(help_of("onboard"), @r"
    Bring a repository in: list it, write its files, see that it hears
    
    Adds the repository to ecosystem.json, where nothing else is touched, shows what it would get now,
    and writes what it needs itself: subscriptions.json and a workflow that runs `ecosystem sync`.
    Nothing is written when a subscription matches nothing at HEAD. Of a repository that is listed
    already the subscriptions that it lacks are added.
    
    Usage: ecosystem onboard [OPTIONS] <OWNER/NAME>
    
    Arguments:
      <OWNER/NAME>
              The repository
    
    Options:
          --subscribe <PATTERN>
              A pattern that it follows; may be given several times
    
          --staged
              List it as not enabled; with --probe it is enabled when the probe was confirmed
    
          --probe[=<SECONDS>]
              At the end send one real dispatch, and look for its workflow run for up to so long
              [default: off; 120 without a value]
    
      -n, --dry-run
              Show everything, write nothing, send nothing
    
          --format <FORMAT>
              How to print what was done
    
              Possible values:
              - human: Text for people
              - json:  One JSON document
              
              [default: human]
    
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    Its files:
          --output <DIR>
              Write the files to this directory, such as a clone of the repository [default: they are
              shown]
              
              A file that is there already and says something else is not written over: then nothing is
              written at all.
    
          --pull-request
              Open a pull request there with the files, or bring the one that is open up to date
              
              It needs a token that may write contents, pull requests and workflows there: the cousin's
              own (`token_env`), else that in `ECOSYSTEM_PAT`, `GH_TOKEN` or `GITHUB_TOKEN`. A file that
              is there already and says something else, and other people's commits on the branch
              ecosystem-onboarding, are left as they are: then nothing is written at all.
    
          --into <DIR>
              Where the feature goes, of several each by its name [default: the feature's own path]
    
          --method <METHOD>
              How updates are brought in
    
              Possible values:
              - merge:       A three-way merge, which keeps what was changed there
              - copy:        The directory becomes exactly the feature
              - cherry-pick: Each commit of the monorepo by itself
              - squash:      One squashed merge, for a repository that has the monorepo's layout
              - rebase:      Onto the monorepo's branch, for a repository with commits of its own on it
              
              [default: merge]
    
          --action <OWNER/NAME@COMMIT>
              The action, as in `uses:` [default: the one in the monorepo's own workflows]
    
    The monorepo:
          --ecosystem <FILE>
              The list of cousins [default: ecosystem.json of the work tree]
    
          --source <OWNER/NAME>
              The monorepo's name [default: `GITHUB_REPOSITORY`, else read from origin]
    
          --branch <NAME>
              Its trusted branch [default: that of origin, else the one that is checked out]
    
    With a token:
          --timeout <SECONDS>
              Time for one request
              
              [default: 30]
    
          --max-wait <SECONDS>
              How long to wait in sum when GitHub limits the rate
              
              [default: 900]
    
    [global options]
    
    Examples:
      # What would happen
      ecosystem onboard acme/web --subscribe features/web --dry-run
    
      # List it, not enabled yet, and write its files into a clone of it
      ecosystem onboard acme/web --subscribe features/web --staged --output ../web
    
      # The same by a pull request there; the token needs Contents, Pull requests and Workflows
      ECOSYSTEM_PAT=… ecosystem onboard acme/web --subscribe features/web --staged --pull-request
    
      # When they are on its default branch: try it, and enable it when it hears
      ECOSYSTEM_PAT=… ecosystem onboard acme/web --staged --probe
    
      # Into a directory of its own, which becomes exactly the feature
      ecosystem onboard acme/app --subscribe features/push --into src/push --method copy
    ");
}
