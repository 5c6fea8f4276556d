//! `dispatch --watermarks` with an origin that refuses, vanishes or holds refs that nobody expects.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecosystem_dispatcher::embedded_github::Fault;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::case;
use crate::support::github::{github_with, run_test_without_sample};
use crate::support::loopback::{Loopback, Protocol, Response, can_serve_git, serve_git};
use crate::support::world::World;

const NEEDED: &str = "permissions: contents: write";

/// Runs a test with cousins that all follow `features/a`.
fn run_world(names: &[&str], test: impl FnOnce(&World<'_>)) {
    let cousin = |name: &&str| json!({"repo": name, "subscriptions": ["features/a"]});
    let list: Value = names.iter().map(cousin).collect();
    run_test_without_sample(github_with(names.iter().copied()), |t| test(&World::new(t, &list)));
}

fn at(refs: &BTreeMap<String, String>, name: &str) -> String {
    refs.get(&format!("watermarks/{name}")).cloned().unwrap_or_default()
}

#[test]
fn an_origin_that_refuses_the_refs_is_told_before_anything_is_sent_where_it_can_be() {
    run_world(&["acme/web"], |w| {
        let first = w.push(&[("a", "1")]);
        w.hook("pre-receive", "echo 'no such refs here' >&2\nexit 1");
        let done = w.run(&first).run().expect_code(2);
        assert!(done.stderr.contains("the remote does not take the watermarks"), "{}", done.stderr);
        assert!(done.stderr.contains("pre-receive hook declined"), "{}", done.stderr);
        assert!(done.stderr.contains(NEEDED), "{}", done.stderr);
        w.t.expect_no_request();
        assert_eq!(w.refs(), BTreeMap::new());

        // A hook that refuses each ref by itself is met before anything is sent, too.
        w.hook("pre-receive", "exit 0");
        w.run(&first).run().expect_code(0);
        w.hook("update", "case $1 in refs/ecosystem/*) exit 1;; esac");
        w.push(&[("a", "2")]);
        let done = w.scheduled().run().expect_code(2);
        assert!(done.stderr.contains("the remote does not take the watermarks"), "{}", done.stderr);
        assert_eq!(at(&w.refs(), "acme/web"), first.after);

        // One that refuses some only shows when these are written.
        w.hook("update", "case $1 in refs/ecosystem/watermarks/*) exit 1;; esac");
        let done = w.scheduled().run().expect_code(1);
        assert_eq!(done.warnings(), ["watermarks-not-written"]);
        assert_eq!(done.json()["watermarks"][0]["state"], "unrecorded");
        assert_eq!(at(&w.refs(), "acme/web"), first.after);
        w.hook("update", "exit 0");
        w.scheduled().run().expect_code(0);
        let events = w.t.events("acme/web");
        assert_eq!(events.len(), 3);
        let id = |at: usize| events[at].client_payload["dispatch_id"].clone();
        assert_eq!(id(1), id(2), "the same news");
    });
}

#[test]
fn a_token_that_may_only_read_is_told_before_anything_is_sent_and_shown_nowhere() {
    if !can_serve_git() {
        return;
    }
    const READER: &str = "canary-reader-9d1c";
    const WRITER: &str = "canary-writer-5e77";
    run_world(&["acme/web"], |w| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (argv, root) = (Arc::clone(&seen), w.t.sandbox.path().to_owned());
        let server = Loopback::start(move |request| {
            argv.lock().unwrap().extend(command_lines());
            let writes = request.target.contains("git-receive-pack");
            match (request.has_token(READER), request.has_token(WRITER)) {
                (true, _) if writes => Response::status("403 Forbidden"),
                (false, false) => Response::status("401 Unauthorized")
                    .header("WWW-Authenticate: Basic realm=\"git\""),
                _ => serve_git(&root, Protocol::V2, request),
            }
        });
        w.t.sandbox.git(&w.origin, &["config", "http.receivepack", "true"]);
        let url = format!("{}/world.git", server.url());
        let run = |commit: &crate::support::world::Pushed, token: &str| {
            let dir = w.checkout(&commit.after);
            w.t.sandbox.git(&dir, &["remote", "set-url", "origin", &url]);
            let done = w.run_in(&dir, commit).arg("-vvv").env("GITHUB_TOKEN", token).run();
            done.expect_without(&[READER, WRITER, "eC1hY2Nlc3MtdG9rZW4"])
        };
        let first = w.push(&[("a", "1")]);
        let done = run(&first, READER).expect_code(2);
        assert!(done.stderr.contains(NEEDED) && done.stderr.contains("403"), "{}", done.stderr);
        w.t.expect_no_request();
        assert_eq!(w.refs(), BTreeMap::new());
        run(&first, WRITER).expect_code(0);
        assert_eq!(at(&w.refs(), "acme/web"), first.after);
        let second = w.push(&[("a", "2")]);
        let writes = || {
            let all = server.requests();
            all.iter().filter(|request| request.target.contains("git-receive-pack")).count()
        };
        let before = writes();
        let done = run(&second, READER).expect_code(2);
        assert!(done.stderr.contains(NEEDED), "{}", done.stderr);
        assert_eq!(writes() - before, 3, "without a token and with each of two, and not once more");
        assert_eq!(w.received(0).len(), 1, "nothing was sent in vain");
        run(&second, WRITER).expect_code(0);
        assert_eq!(w.received(0).len(), 2);
        let seen = seen.lock().unwrap();
        assert!(seen.iter().any(|line| line.contains("push\0")), "it looked while git pushed");
        for line in seen.iter() {
            let shown = line.contains(READER) || line.contains(WRITER);
            assert!(!shown && !line.contains("eC1hY2Nlc3MtdG9rZW4"), "{line}");
        }
        assert!(server.requests().iter().all(|request| !request.target.contains("canary")));
    });
}

/// Returns the arguments of every process, where the system shows them as files.
fn command_lines() -> Vec<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return vec!["push\0".to_owned()] };
    let read = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).ok();
    let lines = processes.flatten().filter_map(read);
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

#[test]
fn an_origin_that_goes_away_while_sending_costs_a_repeat_and_nothing_else() {
    run_world(&["acme/web"], |w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        w.t.fault("acme/web", Fault::delay(Duration::from_millis(400)));
        let before = w.t.with(|it| it.requests().len());
        let run = w.run(&second).spawn();
        while w.t.with(|it| it.requests().len()) == before {
            std::thread::sleep(Duration::from_millis(2));
        }
        let away = w.t.sandbox.path().join("away.git");
        std::fs::rename(&w.origin, &away).unwrap();
        let done = run.wait().expect_code(1);
        assert_eq!(done.warnings(), ["watermarks-not-written"]);
        assert_eq!(done.dispatch("acme/web")["outcome"], "delivered");
        // Nor can it be read: then nothing is sent.
        let dir = w.t.sandbox.path().join("run-1");
        let done = w.run_in(&dir, &second).run().expect_code(2);
        assert!(done.stderr.contains("cannot read the watermarks"), "{}", done.stderr);
        std::fs::rename(&away, &w.origin).unwrap();
        w.scheduled().run().expect_code(0);
        assert_eq!(at(&w.refs(), "acme/web"), second.after);
        let events = w.t.events("acme/web");
        assert_eq!(events.len(), 3);
        let id = |at: usize| events[at].client_payload["dispatch_id"].clone();
        assert_eq!(id(1), id(2), "the same news");
    });
}

#[test]
fn refs_that_name_no_cousin_are_left_alone() {
    let names = [
        "watermarks/x",
        "watermarks/acme/web/deep/er",
        "watermarks/acme/%2Fweb",
        "watermarks/-/-",
        "failing/y",
        "other/acme/web",
        "alone",
    ];
    run_world(&["acme/docs"], |w| {
        let first = w.push(&[("a", "1")]);
        for name in names {
            let name = format!("refs/ecosystem/{name}");
            w.t.sandbox.git(&w.origin, &["update-ref", &name, &first.before]);
        }
        w.run(&first).run().expect_code(0);
        let mut refs = w.refs();
        assert_eq!(refs.remove("watermarks/acme/docs"), Some(first.after.clone()));
        assert_eq!(refs.len(), names.len());
        assert!(refs.values().all(|at| *at == first.before));
        assert_eq!(w.received(0).len(), 1);
    });
}

#[test]
fn a_ref_below_a_watermarks_name_is_in_the_way_and_that_is_said() {
    run_world(&["acme/docs", "acme/web"], |w| {
        let first = w.push(&[("a", "1")]);
        let name = "refs/ecosystem/watermarks/acme/web/deep";
        w.t.sandbox.git(&w.origin, &["update-ref", name, &first.before]);
        let done = w.run(&first).run().expect_code(1);
        assert_eq!(done.warnings(), ["watermarks-not-written"]);
        let states: Vec<Value> =
            (0..2).map(|at| done.json()["watermarks"][at]["state"].clone()).collect();
        assert_eq!(states, ["advanced", "unrecorded"]);
        assert_eq!(at(&w.refs(), "acme/docs"), first.after);
        assert_eq!(w.received(0).len(), 2);
    });
}

#[test]
fn a_watermark_at_what_is_no_commit_is_put_right_by_the_next_run() {
    type Make = fn(&World<'_>) -> String;
    let cases: [(&str, Make); 3] = [
        ("an annotated tag", |w| {
            let tip = w.tip();
            w.t.sandbox.git(&w.author, &["tag", "-a", "-m", "v1", "v1", &tip]);
            w.t.sandbox.git(&w.author, &["push", "--quiet", "origin", "v1"]);
            w.t.sandbox.git(&w.origin, &["rev-parse", "v1"])
        }),
        ("a blob", |w| w.t.sandbox.git(&w.origin, &["rev-parse", "main:features/a/file"])),
        ("a tree", |w| w.t.sandbox.git(&w.origin, &["rev-parse", "main:features"])),
    ];
    for (what, make) in cases {
        case(what);
        run_world(&["acme/web"], |w| {
            w.run(&w.push(&[("a", "1")])).run().expect_code(0);
            let id = make(w);
            w.t.sandbox.git(&w.origin, &["update-ref", "refs/ecosystem/watermarks/acme/web", &id]);
            let second = w.push(&[("a", "2")]);
            w.run(&second).run().expect_code(0);
            assert_eq!(at(&w.refs(), "acme/web"), second.after);
            w.scheduled().run().expect_code(0);
            assert_eq!(w.received(0).len(), 2);
        });
    }
}

#[test]
fn every_name_that_github_allows_has_a_ref() {
    let names =
        ["acme/.github", "acme/a.lock", "acme/a..b", "acme/a.", "acme/-", "acme/x.LOCK", "acme/%"];
    let names = &names[..names.len() - 1];
    run_world(names, |w| {
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        w.run(&second).run().expect_code(0);
        let refs = w.refs();
        assert_eq!(refs.len(), names.len(), "{refs:?}");
        assert!(refs.values().all(|at| *at == second.after), "{refs:?}");
        w.scheduled().run().expect_code(0);
        assert_eq!(w.received(0).len(), 2 * names.len());
    });
}

#[test]
fn a_cousin_that_is_spelled_otherwise_keeps_its_ref() {
    run_world(&["acme/web"], |w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        w.list(&json!([{"repo": "Acme/WEB", "subscriptions": ["features/a"]}]));
        let second = w.push(&[("b", "2")]);
        w.run(&second).run().expect_code(0);
        let refs = w.refs();
        assert_eq!(refs.keys().collect::<Vec<_>>(), ["watermarks/acme/web"]);
        assert_eq!(at(&refs, "acme/web"), second.after);
        assert_eq!(w.received(0).len(), 1, "it is not new");
    });
}

#[test]
fn a_run_that_sends_pushes_twice_and_one_that_has_nothing_to_write_never() {
    let names: Vec<String> = (0..10).map(|n| format!("acme/c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    run_world(&names, |w| {
        let log = w.t.sandbox.path().join("pushes");
        let script = format!("grep -q refs/ecosystem && echo >> '{0}'\nexit 0", log.display());
        w.hook("post-receive", &script);
        let pushes = || std::fs::read_to_string(&log).unwrap_or_default().len();
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        assert_eq!(pushes(), 2);
        for (at, features) in [[("a", "2")], [("a", "3")]].iter().enumerate() {
            let done = w.run(&w.push(features)).arg("-vvv").run().expect_code(0);
            assert_eq!(pushes(), 4 + 2 * at, "{features:?}");
            let looks = done.stderr.lines().filter(|line| line.contains("\"cat-file\"")).count();
            assert_eq!(looks, 1, "whether the tip is here is asked once: {}", done.stderr);
        }
        w.scheduled().run().expect_code(0);
        assert_eq!(pushes(), 6, "nothing is written when nothing is to be");
        w.run(&w.push(&[("d", "1")])).run().expect_code(0);
        assert_eq!(pushes(), 7, "nothing is sent, and the watermarks move");
        w.received(0);
    });
}
