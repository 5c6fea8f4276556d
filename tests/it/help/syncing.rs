//! The help of the command that brings a feature in.

use super::help_of;

#[test]
fn the_help_of_sync_says_what_is_brought_from_where_and_into_what() {
    insta::assert_snapshot!(help_of("sync"), @r"
    Bring what changed upstream into this repository, as a pull request
    
    Run in a repository with a `subscriptions.json`, usually by the workflow that a
    `repository_dispatch` event starts. The event is only a hint: the commit must lie on the trusted
    branch of the source, and be newer than what is here. What upstream changed is merged into what is
    here, proven, committed and proposed; nothing that is synced is executed, and nobody's work is
    overwritten. The token is in `ECOSYSTEM_PAT`, `GH_TOKEN` or `GITHUB_TOKEN`, and for a private source
    in `ECOSYSTEM_SOURCE_TOKEN`; without one the commit stays on a local branch.
    
    Usage: ecosystem sync [OPTIONS]
    
    Options:
      -n, --dry-run
              Commit on a local branch only, and show the pull request that would be opened
    
          --worktree
              Change the work tree only: no commit, no branch, no pull request
    
          --format <FORMAT>
              How to print the report
    
              Possible values:
              - human: Text for people
              - json:  One JSON document
              
              [default: human]
    
          --timeout <SECONDS>
              Time for one request
              
              [default: 30]
    
          --max-wait <SECONDS>
              How long to wait in sum when GitHub limits the rate
              
              [default: 300]
    
      -h, --help
              Print help (see a summary with '-h')
    
      -V, --version
              Print version
    
    What to bring:
          --pull
              Bring everything that is subscribed to, up to the trusted branch's head; what a schedule
              and a run by hand do
    
          --feature <PATH>
              Bring this feature
    
          --commit <SHA>
              Bring it at this commit, in full [default: the trusted branch's head]
    
          --event <FILE>
              Read the `repository_dispatch` event from FILE [default: `GITHUB_EVENT_PATH`]
    
    From where:
          --source <SOURCE>
              The repository that features come from: OWNER/NAME, a URL or a path [default: the file's]
    
          --branch <BRANCH>
              The only branch of it that is trusted [default: the file's, else the source's default
              branch]
    
          --remote <URL>
              Fetch the source from URL, when it is elsewhere than its name says
    
          --subscriptions <FILE>
              What is subscribed to [default: `subscriptions.json`]
    
          --allow-rewritten
              The trusted branch may have been rewritten since the last sync
    
    Into what:
          --repository <OWNER/NAME>
              This repository's name [default: `GITHUB_REPOSITORY`, else read from origin]
    
          --base <BRANCH>
              The branch that pull requests go into [default: the one that is checked out]
    
          --conflict <WHAT>
              What to do where upstream and this repository changed the same lines
    
              Possible values:
              - draft: Propose it with conflict markers, as a draft
              - fail:  Propose nothing, and fail
              
              [default: draft]
    
          --allow-workflows
              Also write workflows, actions and code owners that upstream has
    
          --no-issue
              Write no issue when it fails
    
    [global options]
    
    Examples:
      # In a workflow on repository_dispatch, schedule or workflow_dispatch
      ecosystem sync
    
      # What would it bring, and what would the pull request say?
      ecosystem sync --pull --dry-run
    
      # One feature, at one commit
      ecosystem sync --feature features/webpush/flask \
        --commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904
    
      # Into the work tree, for a person to look at and commit
      ecosystem sync --pull --worktree
    ");
}
