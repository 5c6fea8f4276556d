//! The help of the commands that send nothing to a cousin.

use super::help_of;

#[test]
fn the_help_of_rehearse_says_what_it_keeps() {
    insta::assert_snapshot!(help_of("rehearse"), @r"
    See all of it happen on this machine, without account, token or network
    
    Starts a small GitHub on a free loopback port, pushes the last commit of the sample monorepo (or
    with `-C DIR` of your own), dispatches over real HTTP, and shows what each cousin received. One
    cousin answers 429 first, one was renamed and one is gone. Then each cousin takes it in with
    `ecosystem sync`, and its pull request is shown with the beginning of its diff.
    
    Usage: ecosystem rehearse [OPTIONS]
    
    Options:
          --keep <DIR>
              Leave the repositories, the reports and what was received in this new directory
    
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    [global options]
    
    Examples:
      # The sample monorepo
      ecosystem rehearse
    
      # Your own: who is told of the last commit, and what comes of it?
      ecosystem -C ~/src/monorepo rehearse --keep /tmp/rehearsal
    ");
}

#[test]
fn the_help_of_validate_says_what_needs_a_token() {
    insta::assert_snapshot!(help_of("validate"), @r"
    Check ecosystem.json before anything is sent
    
    Without a flag it needs no token, and no network as long as the clone has HEAD's trees: it checks
    the file, and compares each subscription with the paths at HEAD and with the other subscriptions.
    With --online it also asks GitHub whether each repository is there, may be written to, and listens.
    
    Usage: ecosystem validate [OPTIONS]
    
    Options:
          --online
              Also ask GitHub about each cousin; needs a token
    
          --strict
              Count warnings as errors
    
          --format <FORMAT>
              How to print what was found
    
              Possible values:
              - human: Text for people
              - json:  One JSON document
              
              [default: human]
    
          --only <OWNER/NAME>
              Only this cousin (faults of the file are shown all the same); may be given several times
    
          --ecosystem <FILE>
              The list of cousins [default: ecosystem.json of the work tree, else of HEAD]
    
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    With --online:
          --concurrency <N>
              Requests in flight at a time, 1 to 100
              
              [default: 16]
    
          --timeout <SECONDS>
              Time for one request
              
              [default: 30]
    
          --max-wait <SECONDS>
              How long to wait in sum when GitHub limits the rate
              
              [default: 900]
    
    [global options]
    
    Examples:
      # Check the file and its patterns
      ecosystem validate
    
      # Also check that each cousin is there and listens; warnings count as errors
      ECOSYSTEM_PAT=… ecosystem validate --online --strict
    
      # One cousin, for a script
      ECOSYSTEM_PAT=… ecosystem validate --online --only acme/web --format json
    ");
}

#[test]
fn the_help_of_status_says_what_it_writes_and_when() {
    insta::assert_snapshot!(help_of("status"), @r#"
    Show what each cousin has received, and what it has yet to hear of
    
    The watermarks of `ecosystem dispatch --watermarks` say what each cousin has received. They are read
    from the monorepo's remote and compared with HEAD. It needs no token but what git needs to fetch,
    and sends nothing.
    
    Usage: ecosystem status [OPTIONS]
    
    Options:
          --format <FORMAT>
              How to print the status
    
              Possible values:
              - human: Text for people
              - json:  One JSON document
              
              [default: human]
    
          --prune
              Delete the refs of repositories that are not in the list of cousins
              
              Needs "contents: write" on the monorepo. HEAD must be what its branch stands at on the
              remote, so that no old list counts, unless --ecosystem names the list.
    
          --only <OWNER/NAME>
              Only this cousin; may be given several times
    
          --ecosystem <FILE>
              The list of cousins [default: ecosystem.json of the work tree, else of head]
    
          --head <REV>
              What cousins are compared with [default: HEAD]
    
          --remote <URL>
              Work without a clone: fetch what is needed from there
    
          --source <OWNER/NAME>
              The monorepo's name [default: `GITHUB_REPOSITORY`, else read from origin]
    
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    [global options]
    
    Examples:
      # How does each cousin stand?
      ecosystem status
    
      # Which ones are behind, for a script
      ecosystem status --format json |
        jq -r '.cousins[] | select(.state == "behind") | .repo'
    
      # Delete what repositories have left that are not in ecosystem.json any more
      ecosystem status --prune
    "#);
}
