//! The life of a pull request of `ecosystem sync`, on the embedded GitHub with real repositories:
//! from the first run to the last, with all that people do to it in between.

mod branches;
mod closing;
mod conflicts;
mod features;
mod issues;
mod people;
mod permissions;
mod rolling;
mod running;

use ecosystem_dispatcher::embedded_github::{MergeMethod, PullRequest};
use serde_json::Value;

use crate::support::circle::{COUSIN, Circle, change};

/// The branch of the feature that all these tests follow.
const BRANCH: &str = "update-from-upstream-features-push";

/// The file that both sides change.
const UPSTREAM_FILE: &str = "features/push/app.txt";
const OWN_FILE: &str = "src/push/app.txt";

/// The number of the request that opens the pull request: after the open and the closed ones were
/// looked for.
const OPENS: usize = 3;

/// Returns a cousin that has merged its first pull request, and deleted its branch.
fn settled() -> Circle {
    let circle = Circle::by("merge");
    settle(&circle);
    circle
}

fn settle(circle: &Circle) {
    circle.pull();
    circle.merge(1, MergeMethod::Squash);
    circle.bare(&["branch", "-D", BRANCH]);
}

/// Changes a line upstream and returns the commit.
fn upstream(circle: &Circle, line: u32, to: &str) -> String {
    circle.upstream(&format!("line {line}"), |mono| {
        change(mono, UPSTREAM_FILE, &format!("app {line}\n"), &format!("{to}\n"));
    })
}

/// Changes a line of the cousin's `main`.
fn here(circle: &Circle, line: u32, to: &str) -> String {
    circle.here(&format!("our line {line}"), |web| {
        change(web, OWN_FILE, &format!("app {line}\n"), &format!("{to}\n"));
    })
}

/// Lets both sides change the same line.
fn both_change(circle: &Circle, line: u32) {
    upstream(circle, line, "of upstream");
    here(circle, line, "of the cousin");
}

/// Runs `ecosystem sync --pull` to an end with this code, and returns the report.
#[track_caller]
fn pull(circle: &Circle, code: i32) -> Value {
    pull_with(circle, code, &[])
}

#[track_caller]
fn pull_with(circle: &Circle, code: i32, args: &[&str]) -> Value {
    let run = circle.sync().args(["--pull", "--format", "json"]).args(args);
    run.run().expect_code(code).json()
}

/// Fails unless the run's one feature ended so; returns what is told of it.
#[track_caller]
fn expect<'r>(report: &'r Value, outcome: &str) -> &'r Value {
    assert_eq!(report["features"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(report["features"][0]["outcome"], outcome, "{report:#}");
    &report["features"][0]
}

/// Returns each pull request as `#1 open draft`.
fn shown(circle: &Circle) -> Vec<String> {
    let shown = |it: &PullRequest| {
        let state = match (it.issue.open, it.proposed.merged_at) {
            (true, _) => "open",
            (false, Some(_)) => "merged",
            (false, None) => "closed",
        };
        let draft = if it.proposed.draft { " draft" } else { "" };
        format!("#{} {state}{draft}", it.issue.number)
    };
    circle.pulls().iter().map(shown).collect()
}

fn numbered(circle: &Circle, number: u64) -> PullRequest {
    circle.pulls().into_iter().find(|it| it.issue.number == number).unwrap()
}

fn body(circle: &Circle, number: u64) -> String {
    numbered(circle, number).issue.body.unwrap_or_default()
}

fn comments(circle: &Circle, number: u64) -> Vec<String> {
    circle.github(|it| it.comments_of(COUSIN, number).iter().map(|it| it.body.clone()).collect())
}

fn tip(circle: &Circle, branch: &str) -> String {
    circle.bare(&["rev-parse", &format!("refs/heads/{branch}")])
}

fn has_branch(circle: &Circle, branch: &str) -> bool {
    !circle.bare(&["for-each-ref", &format!("refs/heads/{branch}")]).is_empty()
}

/// Fails unless the commit can be reached from the branch.
#[track_caller]
fn expect_kept(circle: &Circle, branch: &str, commit: &str) {
    let range = format!("refs/heads/{branch}");
    let all = circle.bare(&["rev-list", &range]);
    assert!(all.lines().any(|it| it == commit), "{commit} is lost from {branch}:\n{all}");
}

/// Returns whether git itself can merge a branch into `main`.
fn is_mergeable(circle: &Circle, branch: &str) -> bool {
    let bare = circle.sandbox.path().join("web.git");
    let args = ["merge-tree", "--write-tree", "main", branch];
    circle.sandbox.try_git(&bare, &args, b"").status.success()
}

/// Returns how many requests GitHub has had.
fn requests(circle: &Circle) -> usize {
    circle.github(|it| it.requests().len())
}

/// Returns what was asked since so many requests, each as `METHOD path` without the query.
fn asked_since(circle: &Circle, before: usize) -> Vec<String> {
    circle.github(|it| {
        let short = |path: &str| {
            let path = path.split('?').next().unwrap_or_default();
            path.replacen(&format!("/repos/{COUSIN}/"), "", 1)
        };
        let asked = it.requests().iter().skip(before);
        asked.map(|it| format!("{} {}", it.method, short(&it.path))).collect()
    })
}
