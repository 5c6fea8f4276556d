//! Runs that are killed at any moment, told to stop, or meet another: the next one finds its way, and
//! nobody finds anything twice.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use ecosystem_dispatcher::embedded_github::{Fault, Model};
use pretty_assertions::assert_eq;

use super::{BRANCH, expect_nothing_left, step, told};
use crate::support::case;
use crate::support::circle::{COUSIN, Circle, lines, write};
use crate::support::ecosystem::Running;
use crate::support::loopback::{Loopback, Response};

fn signal(name: &str, id: u32) {
    assert!(Command::new("kill").args([name, &id.to_string()]).status().unwrap().success());
}

/// Fails unless the next run ends well and has left one pull request with the right content.
#[track_caller]
fn expect_right_in_the_end(circle: &Circle, checkout: &std::path::Path, head: &str) {
    step(circle, checkout, &told(head)).run().expect_code(0);
    let pulls = circle.pulls();
    assert_eq!(pulls.len(), 1);
    assert_eq!(pulls[0].issue.labels, ["automated", "upstream-sync"]);
    assert_eq!(circle.at(BRANCH, "src/push/app.txt"), lines("app").trim_end());
    assert_eq!(circle.bare(&["rev-list", "--count", &format!("main..{BRANCH}")]), "1");
    assert_eq!(circle.bare(&["for-each-ref", "--format=%(refname)"]).lines().count(), 3);
    assert_eq!(circle.sandbox.git(checkout, &["status", "--porcelain"]), "");
    assert_eq!(circle.sandbox.git(checkout, &["for-each-ref", "refs/heads"]).lines().count(), 1);
    circle.sandbox.git(checkout, &["fsck", "--no-dangling"]);
}

#[test]
fn a_run_that_is_killed_at_any_step_is_made_good_by_the_next() {
    // Before the n-th request to the API, and (0) while its push is taken in.
    for step_at in [0, 3, 4] {
        case(&format!("{step_at}"));
        let circle = Circle::by("merge");
        let head = circle.sandbox.rev(&circle.mono, "HEAD");
        let checkout = circle.checkout();
        let id = Arc::new(AtomicU32::new(0));
        let (killed, was_killed) = mpsc::channel();
        let its = Arc::clone(&id);
        let kill = move |_: &mut Model| {
            while its.load(Ordering::SeqCst) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            signal("-KILL", its.load(Ordering::SeqCst));
            killed.send(()).unwrap();
        };
        circle.github(|model| match step_at {
            0 => model.before_push(COUSIN, kill),
            nth => model.before_request(nth, kill),
        });
        let run = step(&circle, &checkout, &told(&head)).spawn();
        id.store(run.id(), Ordering::SeqCst);
        let done = run.wait();
        let is_killed = was_killed.try_recv().is_ok();
        assert_eq!(done.code.is_none(), is_killed, "{done:?}");
        expect_right_in_the_end(&circle, &checkout, &head);
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_signal_ends_a_run_at_any_step_with_its_code_and_leaves_no_temporary_file() {
    // A source that never answers.
    for (name, code) in [("-TERM", 143), ("-INT", 130)] {
        case(&format!("{name} while a source is silent"));
        let circle = Circle::by("merge");
        let (stop, stopped) = mpsc::channel::<()>();
        let stopped = std::sync::Mutex::new(stopped);
        let server = Loopback::start(move |_| {
            let _ = stopped.lock().unwrap().recv_timeout(Duration::from_secs(30));
            Response::status("500 Internal Server Error")
        });
        let checkout = circle.checkout();
        let remote = format!("{}/monorepo", server.url());
        let run = circle.sync_in(&checkout).args(["--pull", "--no-issue", "--remote", &remote]);
        let run = run.spawn();
        wait_until("the source is asked", || !server.requests().is_empty());
        let before = Instant::now();
        signal(name, run.id());
        let done = run.wait().expect_code(code);
        assert!(before.elapsed() < Duration::from_secs(8), "{done:?}");
        drop(stop);
        drop(server);
        expect_nothing_left(&circle);
        super::expect_untouched(&circle);

        case(&format!("{name} while GitHub is silent"));
        circle.github(|model| model.fault(COUSIN, Fault::silence()));
        let run = circle.sync_in(&checkout).args(["--pull", "--no-issue"]).spawn();
        wait_until("GitHub is asked", || circle.github(|model| !model.requests().is_empty()));
        signal(name, run.id());
        run.wait().expect_code(code);
        expect_nothing_left(&circle);
    }
}

/// A push that has begun is finished; what comes behind it is not begun.
#[test]
fn a_signal_during_a_push_is_not_lost() {
    let circle = Circle::by("merge");
    let checkout = circle.checkout();
    let id = Arc::new(AtomicU32::new(0));
    let its = Arc::clone(&id);
    circle.github(|model| {
        model.before_push(COUSIN, move |_| {
            signal("-TERM", its.load(Ordering::SeqCst));
            std::thread::sleep(Duration::from_millis(300));
        });
    });
    let run: Running = circle.sync_in(&checkout).args(["--pull", "--no-issue"]).spawn();
    id.store(run.id(), Ordering::SeqCst);
    run.wait().expect_code(143);
    assert!(circle.pulls().is_empty(), "what comes behind it was not begun");
    expect_nothing_left(&circle);
    circle.pull();
    assert_eq!(circle.pulls().len(), 1);
}

#[test]
fn what_another_pushes_meanwhile_is_not_overwritten() {
    for exists in [false, true] {
        case(if exists { "the branch is there" } else { "the branch is new" });
        let circle = Circle::by("merge");
        if exists {
            circle.pull();
            circle.upstream("more", |mono| write(mono, "features/push/more.txt", "more\n"));
        }
        let own = circle.sandbox.rev(&circle.web, "main");
        let web = circle.web.clone();
        let root = circle.sandbox.path().join("web.git");
        let tree = circle.sandbox.git(&web, &["rev-parse", "main^{tree}"]);
        let commit =
            circle.sandbox.git(&web, &["commit-tree", &tree, "-p", &own, "-m", "a person's"]);
        circle.sandbox.git(&web, &["push", "-q", "origin", &format!("{commit}:refs/keep/it")]);
        let at = commit.clone();
        let (git, reference) = (root.clone(), format!("refs/heads/{BRANCH}"));
        circle.github(|model| {
            model.before_push(COUSIN, move |_| {
                let mut update = Command::new("git");
                update.arg("--git-dir").arg(git).args(["update-ref", &reference, &at]);
                assert!(update.status().unwrap().success());
            });
        });
        let run = circle.sync().args(["--pull", "--no-issue", "--format", "json"]).run();
        let report = run.expect_code(1).json();
        assert_eq!(report["features"][0]["code"], "push-refused", "{report:#}");
        assert_eq!(circle.bare(&["rev-parse", BRANCH]), commit);
        // The next run goes on top of it.
        circle.pull();
        assert_eq!(circle.bare(&["merge-base", BRANCH, &commit]), commit);
        assert_eq!(circle.pulls().len(), 1);
    }
}

#[test]
fn two_runs_at_once_leave_one_pull_request() {
    let circle = Circle::by("merge");
    let checkouts = [circle.checkout(), circle.checkout(), circle.checkout()];
    let runs = checkouts.each_ref().map(|checkout| {
        circle.sync_in(checkout).args(["--pull", "--no-issue", "--format", "json"]).spawn()
    });
    let codes = runs.map(|run| run.wait().code);
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 1))), "{codes:?}");
    circle.pull();
    let pulls = circle.pulls();
    assert_eq!(pulls.len(), 1);
    assert_eq!(circle.bare(&["rev-list", "--count", &format!("main..{BRANCH}")]), "1");
}
