//! The harness keeps its word: what every other test takes for granted is tested here.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use crate::support::ecosystem::Done;
use crate::support::process::Child;
use crate::support::repository::Sandbox;

/// Starts git against a server that takes the connection and never says a word.
fn hung_git(sandbox: &Sandbox, server: &TcpListener, limit: Duration) -> Child {
    let url = format!("git://{}/x", server.local_addr().unwrap());
    let mut git = sandbox.command("git");
    git.args(["ls-remote", &url]);
    Child::start_with_limit(&mut git, b"", limit)
}

#[test]
fn a_program_that_hangs_is_killed_and_fails_the_test() {
    let sandbox = Sandbox::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hung = std::panic::catch_unwind(|| {
        hung_git(&sandbox, &silent, Duration::from_millis(300)).wait();
    });
    let message = *hung.expect_err("it must not wait").downcast::<String>().unwrap();
    assert!(message.contains("is still running, and its time is over"), "{message}");
}

#[test]
fn a_program_does_not_outlive_the_test_that_started_it() {
    let sandbox = Sandbox::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let child = hung_git(&sandbox, &silent, Duration::from_secs(20));
    let (mut connection, _) = silent.accept().unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    drop(child);
    let ended = connection.read_to_end(&mut Vec::new());
    let timed_out = ended.is_err_and(|error| error.kind() != std::io::ErrorKind::ConnectionReset);
    assert!(!timed_out, "its end of the connection is still open");
}

#[test]
fn waiting_for_words_that_never_come_shows_what_was_said_instead() {
    let sandbox = Sandbox::new();
    let said = std::panic::catch_unwind(|| {
        let mut git = sandbox.command("git");
        git.arg("--version");
        let mut child = Child::start(&mut git, b"");
        child.wait_for("git version");
        child.wait_for("ready");
    });
    let message = *said.expect_err("it is never ready").downcast::<String>().unwrap();
    assert!(message.contains("has ended without saying \"ready\""), "{message}");
    assert!(message.contains("--- stdout\ngit version"), "{message}");
}

#[test]
fn output_that_is_not_json_is_shown_with_the_standard_error() {
    let done = Done { code: Some(2), stdout: String::new(), stderr: "error: no token".to_owned() };
    let shown = std::panic::catch_unwind(|| done.json()).expect_err("it is not JSON");
    let message = *shown.downcast::<String>().unwrap();
    assert!(message.contains("error: no token") && message.contains("Some(2)"), "{message}");
}

#[test]
fn a_clone_is_as_shallow_as_asked_and_its_work_tree_is_clean() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    assert_eq!(sandbox.git(&clone, &["rev-list", "--all"]), sandbox.rev(&bare, "main"));
    assert_eq!(sandbox.git(&clone, &["status", "--porcelain"]), "");
    let older = sandbox.rev(&bare, "step/mode");
    sandbox.git(&clone, &["fetch", "--quiet", "--depth=1", "origin", &older]);
    assert_eq!(sandbox.rev(&clone, "FETCH_HEAD"), older, "any commit is served, as on GitHub");
}

#[test]
fn a_test_makes_the_same_commits_on_every_machine() {
    let sandbox = Sandbox::new();
    let repository = sandbox.new_repository("own");
    sandbox.write(&repository, "features/a/b.txt", "b\n");
    let first = sandbox.commit_all(&repository, "first");
    let second = sandbox.commit_all(&repository, "nothing has changed");
    assert_eq!(first, "08ba0c855b2c66c67533f402c6f9e578ef6893d1");
    assert_eq!(sandbox.rev(&repository, "main~1"), first);
    assert_ne!(first, second);
}

#[test]
fn git_in_a_sandbox_does_not_know_who_runs_the_test() {
    let sandbox = Sandbox::new();
    let configured = sandbox.git(sandbox.path(), &["config", "--list", "--show-origin"]);
    assert_eq!(configured, "");
    assert_eq!(
        sandbox.git(sandbox.path(), &["var", "GIT_AUTHOR_IDENT"]),
        "Ada Test <ada@test.example> 1768046400 +0000"
    );
}
