//! `dispatch --watermarks` in every kind of checkout, with every setting of the user's that might
//! meddle with a push, and for events that have nothing to do with watermarks.

use std::path::PathBuf;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::case;
use crate::support::ecosystem::Run;
use crate::support::github::{TOKEN, github_with, run_test, run_test_without_sample};
use crate::support::repository::file_url;
use crate::support::world::World;

fn run_world(test: impl FnOnce(&World<'_>)) {
    let list = json!([
        {"repo": "acme/web", "subscriptions": ["features/a"]},
        {"repo": "acme/docs", "subscriptions": ["features/b"]},
    ]);
    run_test_without_sample(github_with(["acme/web", "acme/docs"]), |t| {
        test(&World::new(t, &list));
    });
}

/// Returns repository and feature of what was delivered from the n-th event on.
fn received(w: &World<'_>, after: usize) -> Vec<String> {
    let all = w.received(after).into_iter();
    all.map(|(repo, feature, _)| format!("{repo} {feature}")).collect()
}

#[track_caller]
fn expect_all_at(w: &World<'_>, commit: &str) {
    let refs = w.refs();
    let names: Vec<&str> = refs.keys().map(String::as_str).collect();
    assert_eq!(names, ["watermarks/acme/docs", "watermarks/acme/web"]);
    assert!(refs.values().all(|at| at == commit), "{refs:?} and not {commit}");
}

/// Hooks that a fetch or a push from a clone would run.
const CLIENTS: [&str; 3] = ["pre-push", "reference-transaction", "post-checkout"];

/// Makes a checkout of a commit.
type Prepare = fn(&World<'_>, &str) -> PathBuf;

#[test]
fn every_kind_of_checkout_reads_and_writes_the_same_refs() {
    let kinds: [(&str, Prepare); 6] = [
        ("a detached HEAD", |w, commit| {
            let dir = w.checkout(commit);
            w.t.sandbox.git(&dir, &["checkout", "--quiet", "--detach"]);
            dir
        }),
        ("a bare clone", |w, commit| {
            let dir = format!("bare-{commit}");
            w.t.sandbox.clone(&w.origin, &dir, &["--bare"])
        }),
        ("a linked work tree", |w, commit| {
            let dir = w.checkout(commit);
            let linked = w.t.sandbox.path().join(format!("linked-{commit}"));
            w.t.sandbox
                .git(&dir, &["worktree", "add", "--quiet", "--detach", linked.to_str().unwrap()]);
            linked
        }),
        ("a clone without blobs", |w, commit| {
            let dir = format!("blobless-{commit}");
            w.t.sandbox.clone(&w.origin, &dir, &["--filter=blob:none"])
        }),
        ("a clone without trees", |w, commit| {
            let dir = format!("treeless-{commit}");
            w.t.sandbox.clone(&w.origin, &dir, &["--filter=tree:0"])
        }),
        ("an origin that is a relative path", |w, commit| {
            let dir = w.checkout(commit);
            w.t.sandbox.git(&dir, &["remote", "set-url", "origin", "../world.git"]);
            dir
        }),
    ];
    for (kind, prepare) in kinds {
        case(kind);
        run_world(|w| {
            let first = w.push(&[("a", "1")]);
            w.run_in(&prepare(w, &first.after), &first).run().expect_code(0);
            assert_eq!(received(w, 0), ["acme/web features/a"]);
            expect_all_at(w, &first.after);
            w.push(&[("b", "1")]);
            let third = w.push(&[("a", "2")]);
            let dir = prepare(w, &third.after);
            w.run_in(&dir, &third).run().expect_code(0);
            assert_eq!(received(w, 1), ["acme/docs features/b", "acme/web features/a"]);
            expect_all_at(w, &third.after);
            w.run_in(&dir, &first).run().expect_code(0);
            assert_eq!(received(w, 3), [""; 0]);
            expect_all_at(w, &third.after);
            let own = w.t.sandbox.try_git(&dir, &["for-each-ref", "refs/ecosystem"], b"");
            assert_eq!(String::from_utf8_lossy(&own.stdout), "", "the clone gets no refs");
            let left = std::fs::read_dir(w.t.sandbox.temporary()).unwrap().count();
            assert_eq!(left, 0, "nothing is left behind");
        });
    }
}

#[test]
fn the_branch_may_have_any_name() {
    run_world(|w| {
        let sandbox = &w.t.sandbox;
        sandbox.git(&w.origin, &["symbolic-ref", "HEAD", "refs/heads/trunk/1.x"]);
        let run = |branch: &str, content: &str| {
            let before = w.head();
            let after = w.commit(&[("a", content)]);
            sandbox.git(&w.author, &["push", "--quiet", "origin", &format!("HEAD:{branch}")]);
            let event = json!({
                "ref": branch, "before": before, "after": after, "forced": false,
                "repository": {"default_branch": "trunk/1.x"},
            });
            let event = w.t.file(&event.to_string());
            let dir = w.checkout(&after);
            let done = w
                .scheduled_in(&dir)
                .env("GITHUB_EVENT_NAME", "push")
                .env("GITHUB_EVENT_PATH", event)
                .env("GITHUB_REF", branch)
                .run()
                .expect_code(0);
            expect_all_at(w, &after);
            done.warnings()
        };
        assert_eq!(run("refs/heads/trunk/1.x", "1"), [""; 0]);
        assert_eq!(run("refs/heads/trunk/1.x", "2"), [""; 0]);
        assert_eq!(run("refs/heads/other", "3"), ["watermarks-of-another-branch"]);
        assert_eq!(w.received(0).len(), 3);
    });
}

#[test]
fn no_setting_and_no_hook_of_the_users_takes_part_in_the_push() {
    run_world(|w| {
        let sandbox = &w.t.sandbox;
        let elsewhere = sandbox.path().join("elsewhere.git");
        sandbox.git(sandbox.path(), &["init", "--quiet", "--bare", "elsewhere.git"]);
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        let dir = w.checkout(&second.after);
        let hooks = sandbox.path().join("hooks");
        // The first are origin's, too: what it runs by itself is none of our business.
        let clones = dir.join(".git/hooks");
        for (hooks, names) in [(&hooks, &["pre-push"][..]), (&clones, &CLIENTS)] {
            for name in names {
                let path = hooks.join(name);
                sandbox.write(
                    hooks,
                    name,
                    &format!("#!/bin/sh\ntouch '{}.ran'\nexit 1\n", path.display()),
                );
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt as _;
                    let all = std::fs::Permissions::from_mode(0o755);
                    std::fs::set_permissions(&path, all).unwrap();
                }
            }
        }
        let settings = format!(
            "[push]\n default = nothing\n followTags = true\n gpgSign = true\n autoSetupRemote = true\n \
             recurseSubmodules = only\n pushOption = ci.skip\n negotiate = true\n[remote]\n pushDefault = elsewhere\n\
             [remote \"elsewhere\"]\n url = {0}\n[core]\n hooksPath = {1}\n[user]\n signingKey = none\n\
             [tag]\n gpgSign = true\n[init]\n defaultRefFormat = reftable\n defaultObjectFormat = sha256\n",
            elsewhere.display(),
            hooks.display(),
        );
        sandbox.write(&sandbox.home(), ".gitconfig", &settings);
        for (key, value) in [
            ("remote.origin.push", "refs/heads/*:refs/heads/stray/*"),
            ("remote.origin.mirror", "true"),
            ("remote.origin.pushurl", elsewhere.to_str().unwrap()),
            ("branch.main.pushRemote", "elsewhere"),
            ("push.default", "matching"),
        ] {
            sandbox.git(&dir, &["config", key, value]);
        }
        std::fs::write(dir.join(".git/refs/tags/v1"), format!("{}\n", second.after)).unwrap();
        w.run_in(&dir, &second).run().expect_code(0);
        expect_all_at(w, &second.after);
        let all = sandbox.git(&w.origin, &["for-each-ref", "--format=%(refname)"]);
        let others: Vec<&str> =
            all.lines().filter(|name| !name.starts_with("refs/ecosystem/")).collect();
        assert_eq!(others, ["refs/heads/main"], "nothing else was pushed");
        assert_eq!(sandbox.git(&elsewhere, &["for-each-ref"]), "", "and nothing elsewhere");
        for hooks in [&hooks, &clones] {
            let ran = std::fs::read_dir(hooks).unwrap().flatten();
            let ran: Vec<_> =
                ran.filter(|it| it.path().extension().is_some_and(|e| e == "ran")).collect();
            assert!(ran.is_empty(), "{ran:?}");
        }
        assert_eq!(w.received(0).len(), 2);
    });
}

#[test]
fn the_users_own_rewriting_of_addresses_holds_for_reading_and_writing_alike() {
    run_world(|w| {
        let sandbox = &w.t.sandbox;
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        let dir = w.checkout(&second.after);
        let url = file_url(&w.origin);
        // An address that only the user's settings lead to origin.
        sandbox.git(&dir, &["remote", "set-url", "origin", "file:///nowhere/world.git"]);
        let parent = url.strip_suffix("world.git").unwrap();
        let settings = format!("[url \"{parent}\"]\n insteadOf = file:///nowhere/\n");
        sandbox.write(&sandbox.home(), ".gitconfig", &settings);
        w.run_in(&dir, &second).run().expect_code(0);
        expect_all_at(w, &second.after);

        // Only what is pushed goes to another address, such as ssh for https: to the same
        // repository, or git's own comparison with what was read says that it is not.
        let other = sandbox.path().join("other");
        std::fs::create_dir(&other).unwrap();
        sandbox.git(&other, &["init", "--quiet", "--bare", "world.git"]);
        let settings = format!("[url \"{}/\"]\n pushInsteadOf = {parent}\n", file_url(&other));
        sandbox.write(&sandbox.home(), ".gitconfig", &settings);
        let third = w.push(&[("a", "3")]);
        let done = w.run(&third).run();
        assert_ne!(done.code, Some(0), "{}", done.stderr);
        expect_all_at(w, &second.after);
        sandbox.write(&sandbox.home(), ".gitconfig", "");
        w.scheduled().run().expect_code(0);
        expect_all_at(w, &third.after);
        w.received(0);
    });
}

#[test]
fn a_commit_that_the_branch_does_not_have_is_nobodys_news() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        // A person's terminal, with a commit that is not pushed.
        let dir = w.checkout(&first.after);
        w.t.sandbox.write(&dir, "features/a/file", "mine");
        let mine = w.t.sandbox.commit_all(&dir, "mine");
        let local = || w.scheduled_in(&dir).env("GITHUB_EVENT_NAME", "").env("GITHUB_REF", "");
        let done = local().run().expect_code(2);
        assert!(done.stderr.contains(&mine[..10]), "{}", done.stderr);
        assert!(done.stderr.contains("is not on the remote's main"), "{}", done.stderr);
        expect_all_at(w, &first.after);
        // The branch is deleted while its last run is on its way.
        w.t.sandbox.git(&w.origin, &["update-ref", "-d", "refs/heads/main"]);
        w.run_in(&w.t.sandbox.path().join("run-0"), &first).run().expect_code(0);
        expect_all_at(w, &first.after);
        assert_eq!(w.received(0).len(), 1);
    });
}

#[test]
fn events_without_a_delivery_touch_no_watermark() {
    let events = [
        ("push", "push-tag.json", "refs/tags/v1.0.0"),
        ("push", "push-deleted-branch.json", "refs/heads/gone"),
        ("pull_request", "pull-request.json", "refs/pull/7/merge"),
        ("merge_group", "merge-group.json", "refs/heads/gh-readonly-queue/main/pr-7"),
    ];
    run_test(|t| {
        // Nobody can read or write there.
        t.sandbox.git(&t.checkout, &["remote", "set-url", "origin", "file:///nowhere/at-all.git"]);
        for (name, file, reference) in events {
            let done = Run::new(&t.sandbox)
                .dir(&t.checkout)
                .event(name, file)
                .env("GITHUB_ACTIONS", "false")
                .env("GITHUB_REF", reference)
                .env("GITHUB_API_URL", t.url())
                .env("ECOSYSTEM_PAT", TOKEN)
                .args(["dispatch", "--watermarks", "--format", "json"])
                .run()
                .expect_code(0);
            let report = done.json();
            let outcomes = report["dispatches"].as_array().unwrap().iter();
            assert!(outcomes.clone().all(|it| it["outcome"] == "planned"), "{file}: {report:#}");
            assert_eq!(report["watermarks"], Value::Null, "{file}");
            t.expect_no_request();
        }
    });
}
