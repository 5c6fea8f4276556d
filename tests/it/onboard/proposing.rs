//! A cousin is brought in by a pull request: what is pushed and proposed there, what of others is
//! left alone, and the whole way from nothing to a feature that has come in.

use std::path::Path;

use ecosystem_dispatcher::embedded_github::{MergeMethod, Token};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::FILES;
use crate::support::circle::{COUSIN, Circle, FEATURE, SOURCE, write};
use crate::support::ecosystem::{Done, Run};

/// A person's token, which no output may hold.
const PAT: &str = "canary-personal-token-31bb07";
const BRANCH: &str = "ecosystem-onboarding";

/// Returns a token of the newer kinds that may do all that is needed.
fn able() -> Token {
    Token::fine_grained()
        .may_write(COUSIN)
        .may_write_pull_requests(COUSIN)
        .may_write_workflows(COUSIN)
        .may_read(SOURCE)
}

/// A cousin that follows nothing yet.
fn circle(token: Token) -> Circle {
    let circle = Circle::with(&json!([FEATURE]), |it| it, |model| model.token(PAT, token));
    circle.here("nothing is followed", |web| {
        std::fs::remove_file(web.join(FILES[0])).unwrap();
    });
    let uses = format!("- uses: acme/ecosystem-dispatcher@{} # v1\n", "1".repeat(40));
    circle.upstream("a workflow", |mono| write(mono, ".github/workflows/d.yml", &uses));
    circle
}

/// Prepares a run in the monorepo that brings the cousin in.
fn run(circle: &Circle, args: &[&str]) -> Run {
    Run::new(&circle.sandbox)
        .dir(&circle.mono)
        .env("GITHUB_API_URL", circle.url())
        .env("GITHUB_SERVER_URL", circle.url())
        .env("GITHUB_REPOSITORY", SOURCE)
        .env("ECOSYSTEM_PAT", PAT)
        .args(["onboard", COUSIN, "--subscribe", FEATURE, "--pull-request"])
        .args(args)
}

fn ended(done: Done, code: i32) -> Done {
    let done = done.expect_code(code);
    assert!(!done.stdout.contains(PAT) && !done.stderr.contains(PAT), "a token is told");
    done
}

fn report(circle: &Circle, args: &[&str]) -> Value {
    ended(run(circle, &[args, &["--format", "json"]].concat()).run(), 0).json()
}

fn list(circle: &Circle) -> Option<String> {
    std::fs::read_to_string(circle.mono.join("ecosystem.json")).ok()
}

#[test]
fn from_nothing_to_a_feature_that_has_come_in() {
    let circle = circle(able());
    let told = report(&circle, &["--staged", "--into", "src/push", "--probe=0"]);
    assert_eq!(told["pull_request"]["state"], "opened");
    assert_eq!(told["pull_request"]["number"], 1);
    assert_eq!(told["pull_request"]["url"], format!("{}/{COUSIN}/pull/1", circle.url()));
    // The probe would not be heard yet.
    assert_eq!(told["probe"], Value::Null);
    assert_eq!(told["warnings"][0]["code"], "probe-later");
    assert_eq!(told["next"][0].as_str().unwrap().matches("merge the pull request #1").count(), 1);
    let pulls = circle.pulls();
    let [pull] = pulls.as_slice() else { panic!("{pulls:?}") };
    assert_eq!(pull.issue.title, "Follow acme/monorepo with ecosystem sync");
    let body = pull.issue.body.as_deref().unwrap();
    for part in [
        "| `features/push` | `src/push` | `merge` |",
        "Allow GitHub Actions to create and approve pull requests",
        "`pull-requests: write`",
        "ecosystem onboard acme/web --probe",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    // One commit on what is there, with nothing but the two files.
    assert_eq!(
        circle.bare(&["rev-parse", &format!("{BRANCH}^")]),
        circle.bare(&["rev-parse", "main"])
    );
    let changed = circle.bare(&["diff", "--name-status", "main", BRANCH]);
    assert_eq!(changed, format!("A\t{}\nA\t{}", FILES[1], FILES[0]));
    circle.merge(1, MergeMethod::Squash);
    // Now there is nothing to propose, and the probe is heard.
    let told = report(&circle, &["--staged", "--into", "src/push", "--probe=0"]);
    assert_eq!(told["pull_request"]["state"], "not-needed");
    assert_eq!(told["probe"]["confirmation"], "confirmed", "{told:#}");
    assert_eq!(told["ecosystem"]["enabled"], true);
    let synced = circle.pull();
    assert_eq!(synced["features"][0]["outcome"], "proposed", "{synced:#}");
    circle.merge(2, MergeMethod::Merge);
    assert_eq!(circle.at("main", "src/push/README.md"), "push");
}

#[test]
fn an_open_pull_request_is_brought_up_to_date_and_is_left_as_it_is_where_it_says_so_already() {
    let circle = circle(able());
    assert_eq!(report(&circle, &[])["pull_request"]["state"], "opened");
    let first = circle.bare(&["rev-parse", BRANCH]);
    assert_eq!(report(&circle, &[])["pull_request"]["state"], "unchanged");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), first);
    circle.here("meanwhile", |web| write(web, "other.txt", "x"));
    assert_eq!(report(&circle, &["--method", "copy"])["pull_request"]["state"], "updated");
    assert_eq!(
        circle.bare(&["rev-parse", &format!("{BRANCH}^")]),
        circle.bare(&["rev-parse", "main"])
    );
    assert!(circle.at(BRANCH, FILES[0]).contains("\"method\": \"copy\""));
    let pulls = circle.pulls();
    assert_eq!(pulls.len(), 1);
    assert!(pulls[0].issue.body.as_deref().unwrap().contains("| `copy` |"));
}

#[test]
fn a_persons_commits_on_the_branch_and_files_on_the_default_branch_are_left_alone() {
    let circle = circle(able());
    report(&circle, &[]);
    let before = list(&circle);
    circle.on_branch(BRANCH, "a person's", |web| write(web, FILES[0], "[\"features/push\"]\n"));
    let theirs = circle.bare(&["rev-parse", BRANCH]);
    let done = ended(run(&circle, &["--subscribe", "features/other"]).run(), 1);
    insta::assert_snapshot!(done.stderr, @r"
    error: the branch ecosystem-onboarding of acme/web has commits of others
    help: nothing was written; without --pull-request the files are shown, to be put together by hand
    ");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), theirs);
    assert_eq!(list(&circle), before);
    circle.merge(1, MergeMethod::Merge);
    let done = ended(run(&circle, &["--subscribe", "features/other"]).run(), 1);
    insta::assert_snapshot!(done.stderr, @r"
    error: acme/web has subscriptions.json on main already, and it says something else
    help: nothing was written; without --pull-request the files are shown, to be put together by hand
    ");
    assert_eq!(list(&circle), before);
    // A link where the workflow's directory would be.
    circle.here("a link", |web| {
        std::fs::remove_dir_all(web.join(".github")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("elsewhere", web.join(".github")).unwrap();
        #[cfg(not(unix))]
        write(web, ".github", "a file");
    });
    let done = ended(run(&circle, &[]).run(), 1);
    assert!(
        done.stderr.contains("subscriptions.json and .github on main already"),
        "{}",
        done.stderr
    );
}

#[test]
fn what_the_token_may_not_do_is_told_with_the_remedy_and_nothing_is_written() {
    let no_workflows = Token::fine_grained().may_write(COUSIN).may_write_pull_requests(COUSIN);
    let no_pulls = Token::fine_grained().may_write(COUSIN).may_write_workflows(COUSIN);
    let reads = Token::fine_grained().may_write_pull_requests(COUSIN);
    let classic = Token::may_write_all().scopes(&["repo"]);
    for (token, said, help) in [
        (no_workflows, "refusing to allow", "\"Workflows: read and write\""),
        (classic, "without `workflow` scope", "the scope workflow of a classic token"),
        (no_pulls, "may not open a pull request", "\"Pull requests: read and write\""),
        (reads, "", "\"Contents: read and write\""),
    ] {
        let circle = circle(token);
        let done = ended(run(&circle, &[]).run(), 1);
        assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
        assert!(done.stderr.contains(help), "{help}: {}", done.stderr);
        assert_eq!((list(&circle), circle.pulls().len()), (None, 0), "{said}");
    }
    let circle = circle(able());
    let done = ended(run(&circle, &[]).without("ECOSYSTEM_PAT").run(), 2);
    assert!(done.stderr.contains("needs a token, and there is none"), "{}", done.stderr);
    let done = ended(run(&circle, &["--output", "x"]).run(), 2);
    assert!(done.stderr.contains("cannot be used with"), "{}", done.stderr);
    write(&circle.mono, ".github/workflows/d.yml", "");
    let done = ended(run(&circle, &[]).run(), 2);
    assert!(done.stderr.contains("name it with --action"), "{}", done.stderr);
    assert_eq!(list(&circle), None);
    assert!(left_behind(circle.sandbox.temporary().as_path()).is_empty());
}

#[test]
fn a_dry_run_shows_the_pull_request_and_asks_nobody() {
    let circle = circle(able());
    let run = |args: &[&str]| {
        run(&circle, args).env("GITHUB_API_URL", "http://127.0.0.1:9").without("ECOSYSTEM_PAT")
    };
    let done = ended(run(&["--dry-run"]).run(), 0);
    for part in [
        "pull request  would be opened at acme/web, from ecosystem-onboarding\n",
        "Follow acme/monorepo with ecosystem sync\n",
        "  ### What it asks for\n",
        "subscriptions.json  would be written to the pull request\n{",
    ] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    assert!(!done.stdout.contains("<!--"), "{}", done.stdout);
    assert_eq!((list(&circle), circle.pulls().len()), (None, 0));
}

fn left_behind(dir: &Path) -> Vec<std::ffi::OsString> {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}
