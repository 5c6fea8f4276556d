//! `dispatch --watermarks` killed and interrupted: what was recorded is not repeated, what was not
//! is, with the same id, and nothing is lost.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use ecosystem_dispatcher::embedded_github::Fault;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::ecosystem::Running;
use crate::support::github::{Tester, github_with, run_test_without_sample};
use crate::support::world::World;

/// Runs a test with so many cousins, `acme/c0` and so on, that all follow `features/a`.
fn run_world(count: usize, test: impl FnOnce(&World<'_>)) {
    let names: Vec<String> = (0..count).map(|n| format!("acme/c{n}")).collect();
    let cousin = |name: &String| json!({"repo": name, "subscriptions": ["features/a"]});
    let list: Value = names.iter().map(cousin).collect();
    let github = github_with(names.iter().map(String::as_str));
    run_test_without_sample(github, |t| test(&World::new(t, &list)));
}

#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn wait_for_requests(t: &Tester, count: usize) {
    wait_until("requests", || t.with(|it| it.requests().len()) >= count);
}

/// Waits until GitHub has noticed that its peer is gone, and takes what it was to do to others.
fn nobody_is_there(t: &Tester) {
    wait_until("the end of a request", || t.with(|it| it.in_flight()) == 0);
    t.with(|it| it.clear_faults());
}

/// Returns the ids of all events of each cousin, in the order of their arrival.
fn ids(t: &Tester) -> BTreeMap<String, Vec<String>> {
    let id = |payload: &Value| payload["dispatch_id"].as_str().unwrap().to_owned();
    let all = t.delivered().into_iter();
    let all = all.map(|(name, events)| (name, events.iter().map(|(_, it)| id(it)).collect()));
    t.tried();
    all.collect()
}

/// Returns which cousins stand at a commit.
fn standing_at(world: &World<'_>, commit: &str) -> Vec<String> {
    let refs = world.refs().into_iter().filter(|(_, at)| at == commit);
    refs.filter_map(|(name, _)| name.strip_prefix("watermarks/acme/").map(str::to_owned)).collect()
}

fn signal(name: &str, id: &str) {
    assert!(Command::new("kill").args([name, "--", id]).status().unwrap().success());
}

/// A hook in origin at which pushes wait.
struct Gate(PathBuf);

impl Gate {
    /// Closes it for pushes of watermarks; those that wait go on with `then` when it opens.
    fn close(world: &World<'_>, then: &str) -> Self {
        let dir = world.t.sandbox.path().join("gate");
        std::fs::create_dir_all(&dir).unwrap();
        let gate = Self(dir);
        gate.open();
        std::fs::remove_file(gate.0.join("open")).unwrap();
        let dir = gate.0.display();
        let script = format!(
            "grep -q refs/ecosystem/watermarks || exit 0\ntouch '{dir}/waits'\n\
             while [ ! -e '{dir}/open' ]; do sleep 0.01; done\n{then}"
        );
        world.hook("pre-receive", &script);
        gate
    }

    fn wait_for_a_push(&self) {
        wait_until("a push", || self.0.join("waits").exists());
    }

    fn open(&self) {
        std::fs::write(self.0.join("open"), "").unwrap();
    }
}

#[test]
fn killed_while_sending_repeats_what_was_not_recorded_and_nothing_else() {
    run_world(8, |w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        let before = w.t.with(|it| it.requests().len());
        w.t.with(|it| it.fault_nth(before + 4, Fault::silence().delivered()));
        let run = w.run(&second).args(["--concurrency", "1"]).spawn();
        wait_for_requests(w.t, before + 4);
        wait_until("what was delivered is recorded", || standing_at(w, &second.after).len() == 3);
        run.kill();
        nobody_is_there(w.t);
        let recorded = standing_at(w, &second.after);
        assert_eq!(recorded, ["c0", "c1", "c2"]);
        w.scheduled().run().expect_code(0);
        assert_eq!(standing_at(w, &second.after).len(), 8);
        for (at, (name, ids)) in ids(w.t).into_iter().enumerate() {
            // One of the first push, and those of the second.
            let expected = if at == 3 { 3 } else { 2 };
            assert_eq!(ids.len(), expected, "{name}");
            assert_eq!(ids[1], ids[expected - 1], "{name}: the same news");
        }
    });
}

#[test]
fn killed_right_after_the_start_nothing_is_lost() {
    run_world(2, |w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        for (at, wait) in [0, 10, 25, 50, 100, 200].into_iter().enumerate() {
            let pushed = w.push(&[("a", &format!("then {at}"))]);
            let dir = w.checkout(&pushed.after);
            let run = w.run_in(&dir, &pushed).spawn();
            std::thread::sleep(Duration::from_millis(wait));
            run.kill();
            nobody_is_there(w.t);
            // In the same checkout: what the first has left there is no obstacle.
            w.run_in(&dir, &pushed).run().expect_code(0);
            assert_eq!(standing_at(w, &pushed.after), ["c0", "c1"]);
        }
        let events = w.t.delivered();
        w.t.tried();
        for (name, events) in events {
            let text = |payload: &Value, key: &str| payload[key].as_str().unwrap().to_owned();
            let told: BTreeMap<String, String> = events
                .iter()
                .map(|(_, it)| (text(it, "commit_sha"), text(it, "dispatch_id")))
                .collect();
            assert_eq!(told.len(), 7, "{name} was told of each push");
            let same = |payload: &Value| {
                told[&text(payload, "commit_sha")] == text(payload, "dispatch_id")
            };
            assert!(events.iter().all(|(_, payload)| same(payload)), "{name}");
        }
    });
}

/// Kills a run while its push of refs waits in origin; returns how often each cousin was told.
fn killed_at_the_gate(w: &World<'_>, run: Running, gate: &Gate) {
    gate.wait_for_a_push();
    run.kill();
    nobody_is_there(w.t);
    gate.open();
    // The push goes on by itself: the next run comes when it is over.
    wait_until("the end of the push", || !is_held(w));
    std::fs::remove_file(w.origin.join("hooks/pre-receive")).unwrap();
}

/// Whether a process is still at work in origin's hook or after it.
fn is_held(w: &World<'_>) -> bool {
    let mine = w.origin.display().to_string();
    let processes = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    String::from_utf8_lossy(&processes.stdout)
        .lines()
        .any(|line| line.contains("receive-pack") && line.contains(&mine))
}

#[test]
fn killed_while_the_first_refs_are_written_nothing_was_sent() {
    for then in ["exit 0", "exit 1"] {
        run_world(2, |w| {
            let first = w.push(&[("a", "1")]);
            let gate = Gate::close(w, then);
            killed_at_the_gate(w, w.run(&first).spawn(), &gate);
            w.t.expect_no_request();
            let begun = if then == "exit 0" { 2 } else { 0 };
            assert_eq!(standing_at(w, &first.before).len(), begun);
            w.run(&first).run().expect_code(0);
            assert!(ids(w.t).values().all(|ids| ids.len() == 1));
            assert_eq!(standing_at(w, &first.after), ["c0", "c1"]);
        });
    }
}

#[test]
fn killed_while_what_was_delivered_is_recorded_repeats_it_only_if_it_was_not() {
    for (then, times) in [("exit 0", 2), ("exit 1", 3)] {
        run_world(2, |w| {
            w.run(&w.push(&[("a", "1")])).run().expect_code(0);
            let second = w.push(&[("a", "2")]);
            let gate = Gate::close(w, then);
            killed_at_the_gate(w, w.run(&second).spawn(), &gate);
            w.scheduled().run().expect_code(0);
            assert_eq!(standing_at(w, &second.after), ["c0", "c1"]);
            for (name, ids) in ids(w.t) {
                assert_eq!(ids.len(), times, "{name}");
                assert_eq!(ids[1], ids[times - 1], "{name}: the same news");
            }
        });
    }
}

#[test]
fn a_signal_lets_what_was_delivered_be_recorded() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        run_world(3, |w| {
            w.run(&w.push(&[("a", "1")])).run().expect_code(0);
            let second = w.push(&[("a", "2")]);
            w.t.fault("acme/c1", Fault::delay(Duration::from_millis(600)));
            let before = w.t.with(|it| it.requests().len());
            let mut run = w.run(&second).args(["--concurrency", "1"]).spawn();
            wait_for_requests(w.t, before + 2);
            signal(name, &run.id().to_string());
            run.wait_for("interrupted: nothing more is sent");
            let done = run.wait().expect_code(code);
            assert_eq!(standing_at(w, &second.after), ["c0", "c1"]);
            assert_eq!(done.json()["watermarks"][2]["state"], "kept");
            assert!(!w.refs().contains_key("failing/acme/c2"), "it did not fail");
            let done = w.scheduled().run().expect_code(0);
            assert_eq!(done.json()["summary"]["delivered"], 1);
            assert!(ids(w.t).values().all(|ids| ids.len() == 2));
        });
    }
}

#[test]
fn a_signal_while_runs_are_looked_for_keeps_the_watermark_and_the_next_run_sends_again() {
    run_world(1, |w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        let look = ["-v", "--confirm", "60", "--require-confirmation"];
        let mut run = w.run(&second).args(look).spawn();
        run.wait_for("looking for the runs");
        signal("-TERM", &run.id().to_string());
        let done = run.wait().expect_code(143);
        let row = done.dispatch("acme/c0");
        assert_eq!((&row["outcome"], &row["status"]), (&json!("skipped"), &json!(204)));
        assert_eq!(done.json()["watermarks"][0]["state"], "kept");
        let done = w.scheduled().run().expect_code(0);
        assert_eq!(done.json()["summary"]["delivered"], 1);
        w.t.looked_at_all();
    });
}

#[test]
fn an_interrupt_from_a_terminal_does_not_stop_the_push_of_refs() {
    run_world(2, |w| {
        // In the first push of all: the program ends, its push does not.
        let first = w.push(&[("a", "1")]);
        let gate = Gate::close(w, "exit 0");
        let run = w.run(&first).in_a_group().spawn();
        gate.wait_for_a_push();
        signal("-INT", &format!("-{}", run.id()));
        let done = run.wait();
        assert_eq!(done.code, None, "ended by the signal: {}", done.stderr);
        w.t.expect_no_request();
        gate.open();
        wait_until("the push went on", || standing_at(w, &first.before).len() == 2);
        wait_until("the end of the push", || !is_held(w));
        w.run(&first).run().expect_code(0);

        // When all is sent: the program waits for its push.
        let second = w.push(&[("a", "2")]);
        std::fs::remove_dir_all(&gate.0).unwrap();
        let gate = Gate::close(w, "exit 0");
        let run = w.run(&second).in_a_group().spawn();
        gate.wait_for_a_push();
        signal("-INT", &format!("-{}", run.id()));
        std::thread::sleep(Duration::from_millis(50));
        gate.open();
        run.wait().expect_code(0);
        assert_eq!(standing_at(w, &second.after), ["c0", "c1"]);
        assert!(ids(w.t).values().all(|ids| ids.len() == 2));
    });
}
