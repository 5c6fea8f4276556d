//! `dispatch --watermarks` in every order of pushes and runs: tables of scripts (`support/script.rs`)
//! with what each run delivers. After each step every cousin is held to the law that stands in
//! `support/oracle.rs`, and at the end a scheduled run makes up for what is left. web follows a and
//! b, docs follows b and c; new, which is not listed at first, follows a, c and d.

use crate::support::case;
use crate::support::simulation::play;

fn play_all(table: &[(&str, &str)]) {
    for (name, script) in table {
        case(name);
        play(script);
    }
}

#[test]
fn runs_on_time_late_twice_and_not_at_all_lose_nothing() {
    play_all(&[
        (
            "each push has its run",
            "push a\n run 1 -> web:a\n push b\n run 2 -> docs:b web:b\n push\n run 3 -> nothing",
        ),
        (
            "a run is cancelled, and the next makes up for it",
            "push a\n run 1 -> web:a\n push b\n push c\n run 3 -> docs:b docs:c web:b",
        ),
        (
            "a schedule makes up for it",
            "push a\n run 1 -> web:a\n push c\n schedule -> docs:c\n schedule -> nothing",
        ),
        (
            "old runs come late and again",
            "push a\n run 1 -> web:a\n push a\n push b\n run 3 -> docs:b web:a web:b\n
             run 2 -> nothing\n run 1 -> nothing\n run 3 -> nothing",
        ),
        (
            "what is at once as it was before is no news",
            "push a=1\n run 1 -> web:a\n push a=2\n push a=1\n run 3 -> nothing",
        ),
        (
            "the first run is that of the first commit",
            "run 0 -> docs:b docs:c web:a web:b\n push a\n run 1 -> web:a",
        ),
        (
            "a feature goes and comes back",
            "push -a\n run 1 -> web:a\n push a=0\n run 2 -> web:a\n push -a -b\n push b=0\n
             run 4 -> web:a",
        ),
    ]);
}

#[test]
fn runs_at_once_lose_nothing_and_move_nothing_back() {
    play_all(&[
        (
            "two runs at once",
            "push a\n run 1 -> web:a\n push b\n push a c\n run 2 & run 3\n schedule -> nothing",
        ),
        (
            "an old run is slow, and a newer one overtakes it",
            "push a\n run 1 -> web:a\n push b\n push a c\n
             run 2 slow & run 3 -> docs:b docs:b docs:c web:a web:b web:b\n schedule -> nothing",
        ),
        (
            "a new run is slow, and an old one is over before it",
            "push a\n run 1 -> web:a\n push b\n push a c\n
             run 3 slow & run 2 -> docs:b docs:b docs:c web:a web:b web:b\n schedule -> nothing",
        ),
        (
            "meanwhile an old run tells what the slow one found as it was before",
            "push a=1\n run 1 -> web:a\n push a=2\n push a=1 c\n run 3 slow & run 2\n
             schedule -> nothing",
        ),
        (
            "the same run at once, twice",
            "push a\n run 1 -> web:a\n push b\n run 2 & run 2\n schedule -> nothing",
        ),
        ("the first two runs at once", "push a\n push b\n run 2 & run 2\n schedule -> nothing"),
    ]);
}

#[test]
fn cousins_that_come_and_go_receive_what_they_missed() {
    play_all(&[
        (
            "a new cousin receives all that it follows",
            "push a\n run 1 -> web:a\n add new\n push b\n run 2 -> docs:b new:a new:c new:d web:b",
        ),
        (
            "a new cousin was added by a push without a run",
            "push a\n run 1 -> web:a\n add new\n push -d\n push b\n
             run 3 -> docs:b new:a new:c web:b\n run 2 -> nothing",
        ),
        (
            "a disabled cousin receives what it missed, each feature once",
            "push a\n run 1 -> web:a\n disable web\n push a\n run 2 -> nothing\n push a\n
             run 3 -> nothing\n enable web\n push b\n run 4 -> docs:b web:a web:b",
        ),
        (
            "what was undone while it was disabled is no news",
            "push a=1\n run 1 -> web:a\n disable web\n push a=2\n run 2 -> nothing\n push a=1\n
             enable web\n push c\n run 4 -> docs:c",
        ),
        (
            "one that is disabled at the first run is new when it is enabled",
            "disable docs\n push b\n run 1 -> web:b\n enable docs\n push a\n
             run 2 -> docs:b docs:c web:a",
        ),
        (
            "a removed cousin that comes back receives what it missed",
            "push a\n run 1 -> web:a\n remove docs\n push c\n run 2 -> nothing\n add docs\n push a\n
             run 3 -> docs:c web:a",
        ),
        (
            "a late run goes by the list of its own commit",
            "push a\n run 1 -> web:a\n push b\n remove docs\n push c\n run 3 -> web:b\n
             run 2 -> docs:b\n add docs\n push a\n run 4 -> docs:c web:a",
        ),
        (
            "a run for one cousin leaves the others behind",
            "push a b c\n run 1 only web -> web:a web:b\n schedule only web -> nothing\n
             schedule -> docs:b docs:c",
        ),
    ]);
}

#[test]
fn a_rewritten_branch_is_told_as_it_is_now() {
    play_all(&[
        (
            "sideways",
            "push a\n run 1 -> web:a\n push b\n run 2 -> docs:b web:b\n reset 1 c\n
             run 3 -> docs:b docs:c web:b\n run 2 -> nothing\n run 1 -> nothing",
        ),
        (
            "back, and forth again",
            "push a\n run 1 -> web:a\n push a\n run 2 -> web:a\n reset 1\n run 3 -> web:a\n
             run 2 -> nothing\n reset 2\n run 4 -> web:a\n run 3 -> nothing",
        ),
        (
            "back before the first run",
            "push a\n push b\n run 2 -> docs:b web:b\n reset 0\n run 3 -> docs:b web:a web:b",
        ),
        (
            "a push that had no run is pushed away",
            "push a\n run 1 -> web:a\n push b\n reset 1 a\n run 3 -> web:a\n run 2 -> nothing",
        ),
        (
            "the rewritten branch has no run, and grows",
            "push a\n run 1 -> web:a\n push b\n run 2 -> docs:b web:b\n reset 1 c\n push a\n
             run 4 -> docs:b docs:c web:a web:b\n run 3 -> nothing",
        ),
        (
            "to a history that has nothing in common",
            "push a\n run 1 -> web:a\n unrelated b\n run 2 -> docs:b web:b\n run 1 -> nothing\n
             push c\n run 3 -> docs:c",
        ),
        (
            "rewritten while a cousin is disabled",
            "push a\n run 1 -> web:a\n disable web\n push a\n run 2 -> nothing\n enable web\n
             reset 1 b\n run 3 -> docs:b web:b",
        ),
        (
            "two runs at once, before and after",
            "push a\n run 1 -> web:a\n push b\n reset 1 c\n run 2 & run 3\n schedule -> nothing",
        ),
    ]);
}

#[test]
fn what_a_broken_run_leaves_is_made_up_for_by_the_next() {
    play_all(&[
        (
            "a cousin refuses",
            "push a\n run 1 -> web:a\n push a c\n refuse web\n run 2 -> docs:c\n run 2 -> web:a",
        ),
        (
            "a cousin refuses in the first run",
            "push a c\n refuse web\n run 1 -> docs:c\n push b\n run 2 -> docs:b web:a web:b",
        ),
        (
            "a late run delivers a part of what a newer one could not",
            "push a\n run 1 -> web:a\n push b\n push c\n refuse docs 1\n run 3\n
             run 2 -> docs:b\n schedule -> docs:c",
        ),
        (
            "a new cousin refuses, and is new again",
            "push a\n run 1 -> web:a\n add new\n push -c -d\n refuse new\n run 2 -> docs:c\n
             push b\n run 3 -> docs:b new:a web:b",
        ),
        (
            "killed with the first dispatch under way",
            "push a\n run 1 -> web:a\n push a b c\n kill 2 after 0 -> docs:b\n
             schedule -> docs:b docs:c web:a web:b",
        ),
        (
            "killed with the last dispatch under way, before anything was recorded",
            "push a\n run 1 -> web:a\n push a b c\n kill 2 after 3 -> docs:b docs:c web:a web:b\n
             run 2 -> docs:b docs:c web:a web:b",
        ),
        (
            "killed again and again",
            "push a\n run 1 -> web:a\n push b\n kill 2 after 0 -> docs:b\n push c\n
             kill 3 after 1 -> docs:b docs:c\n kill 3 after 0 -> docs:b\n
             run 3 -> docs:b docs:c web:b",
        ),
        (
            "the first run of all is killed",
            "push a\n kill 1 after 0 -> web:a\n push c\n run 2 -> docs:c web:a",
        ),
        (
            "killed, and the branch is rewritten",
            "push a\n run 1 -> web:a\n push b\n kill 2 after 1 -> docs:b web:b\n reset 1 a\n
             run 3 -> docs:b web:a web:b\n schedule -> nothing",
        ),
        (
            "killed, and what it told is undone",
            "push a=1\n run 1 -> web:a\n push a=2\n kill 2 after 0 -> web:a\n push a=1\n
             run 3 -> web:a\n schedule -> nothing",
        ),
        (
            "all is refused and undone: nobody has heard of it",
            "push a=1\n run 1 -> web:a\n push a=2\n refuse web\n run 2\n push a=1\n
             run 3 -> nothing\n schedule -> nothing",
        ),
    ]);
}

#[test]
fn it_is_the_same_from_every_checkout() {
    for checkout in ["", "full", "path", "remote"] {
        case(checkout);
        play(&format!(
            "push a\n run 1 {checkout} -> web:a\n push b\n push c\n
             run 3 {checkout} -> docs:b docs:c web:b\n run 2 {checkout} -> nothing\n
             run 1 {checkout} -> nothing\n reset 1 c\n run 4 {checkout} -> docs:b docs:c web:b\n
             run 2 {checkout} -> nothing\n unrelated a\n schedule {checkout} -> web:a\n
             schedule {checkout} -> nothing"
        ));
    }
}
