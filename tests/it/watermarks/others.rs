//! `dispatch --watermarks` while other runs are at work, or after they died: each is played by what
//! it leaves in origin, at the very moment at which it matters.
#![cfg(unix)]

use ecosystem_dispatcher::embedded_github::Fault;
use pretty_assertions::assert_eq;

use super::{rows, run_world, states, told};
use crate::support::case;
use crate::support::world::{Pushed, World};

/// Sets a ref of the tool as another run does.
fn set(w: &World<'_>, name: &str, to: &str) {
    w.t.sandbox.git(&w.origin, &["update-ref", &format!("refs/ecosystem/{name}"), to]);
}

/// Says that a run for this commit is at work, or dead: nobody can tell.
fn sends(w: &World<'_>, pushed: &Pushed) {
    set(w, &format!("sending/{}", pushed.after), &pushed.after);
}

#[test]
fn what_another_run_was_sending_is_held_against_head_once() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        let third = w.push(&[("a", "1")]);
        // The run of the second push is at work, or dead: nobody can tell.
        let sending = format!("refs/ecosystem/sending/{}", second.after);
        w.t.sandbox.git(&w.origin, &["update-ref", &sending, &second.after]);
        let told = ["acme/web features/a delivered watermarks"];
        assert_eq!(rows(&w.run(&third).run().expect_code(0)), told);
        assert_eq!(w.refs().len(), 2, "{:?}", w.refs());
        assert_eq!(rows(&w.scheduled().run().expect_code(0)), [""; 0]);
        w.received(0);
    });
}

#[test]
fn what_a_dead_run_was_sending_is_held_against_head_until_the_cousin_has_received_everything() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        sends(w, &w.push(&[("a", "2")]));
        let third = w.push(&[("a", "1")]);
        w.t.fault("acme/web", Fault::status(403));
        let done = w.run(&third).run().expect_code(1);
        assert_eq!(rows(&done), ["acme/web features/a failed watermarks"]);
        assert!(w.refs().keys().all(|name| !name.starts_with("sending/")), "{:?}", w.refs());
        let done = w.scheduled().run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a delivered watermarks"]);
        assert_eq!(w.refs().len(), 2, "{:?}", w.refs());
        w.received(0);
    });
}

#[test]
fn what_another_run_for_the_same_commit_moves_before_this_one_sends_is_planned_again() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        let third = w.push(&[("a", "1"), ("b", "1")]);
        // Two more runs are at work while this one says that it sends: one for the same commit says
        // so first, and a late one has told web of the second push.
        let sending = format!("refs/ecosystem/sending/{}", third.after);
        w.hook(
            "update",
            &format!(
                "[ $1 = {sending} ] && [ $3 = {0} ] || exit 0\n\
                 git update-ref refs/ecosystem/watermarks/acme/web {1}\n\
                 git update-ref {sending} {0}",
                third.after, second.after
            ),
        );
        let done = w.run(&third).run().expect_code(0);
        let both = ["a", "b"].map(|feature| told("acme/web", feature, &third.after));
        assert_eq!(w.received(1), both);
        assert_eq!(states(&done), ["acme/docs advanced", "acme/web advanced"]);
        assert_eq!(w.refs().len(), 2, "{:?}", w.refs());
    });
}

#[test]
fn the_first_run_of_all_sends_its_push_though_a_newer_one_begins_before_it() {
    for (what, moved) in [("it has just begun", false), ("it is over", true)] {
        case(what);
        run_world(|w| {
            let first = w.push(&[("a", "1")]);
            let second = w.push(&[("c", "1")]);
            let at = if moved { &second.after } else { &second.before };
            w.hook(
                "update",
                &format!(
                    "[ $3 = {} ] || exit 0\n\
                     for name in web docs; do\n\
                     git update-ref refs/ecosystem/watermarks/acme/$name {at}\ndone",
                    first.before
                ),
            );
            let done = w.run(&first).run().expect_code(0);
            assert_eq!(rows(&done), ["acme/web features/a delivered push"]);
            assert_eq!(w.received(0), [told("acme/web", "a", &first.after)]);
            assert_eq!(w.refs().get("watermarks/acme/web"), Some(at), "it is not moved back");
            let web = done.json()["watermarks"][1].clone();
            assert_eq!([&web["before"], &web["after"]], [at, at], "{web}");
        });
    }
}

#[test]
fn after_a_first_run_in_which_all_failed_nobody_begins_at_the_next_push() {
    run_world(|w| {
        let first = Pushed { before: "0".repeat(40), after: w.tip(), forced: false };
        w.t.fault("acme/web", Fault::status(403).times(2));
        w.t.fault("acme/docs", Fault::status(403));
        w.run(&first).run().expect_code(1);
        assert!(w.refs().keys().all(|name| name.starts_with("failing/")), "{:?}", w.refs());
        let done = w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        assert_eq!(
            rows(&done),
            [
                "acme/docs features/c delivered first-delivery",
                "acme/web features/a delivered first-delivery",
                "acme/web features/b delivered first-delivery",
            ]
        );
        w.received(0);
    });
}

#[test]
fn an_interrupted_run_leaves_word_of_what_it_told_a_cousin_that_another_has_moved() {
    use std::time::Duration;
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        let third = w.push(&[("a", "1")]);
        let before = w.t.with(|model| model.requests().len());
        w.t.fault("acme/web", Fault::delay(Duration::from_millis(800)));
        let mut run = w.run(&second).spawn();
        while w.t.with(|model| model.requests().len()) == before {
            std::thread::sleep(Duration::from_millis(5));
        }
        // The run of the third push finds nothing that differs, and is over before this one.
        for name in ["web", "docs"] {
            set(w, &format!("watermarks/acme/{name}"), &third.after);
        }
        let args = ["-INT", &run.id().to_string()];
        assert!(std::process::Command::new("kill").args(args).status().unwrap().success());
        run.wait_for("interrupted: nothing more is sent");
        let done = run.wait().expect_code(130);
        assert_eq!(rows(&done), ["acme/web features/a delivered watermarks"]);
        let tried = format!("tried/acme/web/{}-", second.after);
        assert!(w.refs().keys().any(|name| name.starts_with(&tried)), "{:?}", w.refs());
        let done = w.scheduled().run().expect_code(0);
        assert_eq!(rows(&done), ["acme/web features/a delivered watermarks"]);
        assert_eq!(w.refs().len(), 2, "{:?}", w.refs());
        w.received(0);
    });
}
