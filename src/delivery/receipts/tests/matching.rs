//! Whose run is whose.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::delivery::receipts::matching::{Delivered, Match, Run, assign};

/// A dispatch: its number and when it was answered.
type Sent = (usize, i64);

fn run(run_id: u64, workflow: u64, created: i64, title: &str) -> Run {
    let names = [title.to_ascii_lowercase(), "follow".to_owned()];
    Run { id: run_id, names, workflow, created_at: at(created), url: None }
}

/// Returns for each dispatch the number of its run, with a question mark where that is by time.
fn assigned(sent: &[Sent], runs: &[Run]) -> Vec<String> {
    let ids: Vec<String> = sent.iter().map(|(number, _)| id(*number)).collect();
    let delivered = sent.iter().zip(&ids).map(|((_, when), id)| Delivered { id, at: at(*when) });
    let delivered: Vec<Delivered<'_>> = delivered.collect();
    let shown = |found: Option<Match<'_>>| match found {
        Some(Match::ById(run)) => run.id.to_string(),
        Some(Match::ByTime(run)) => format!("{}?", run.id),
        None => "-".to_owned(),
    };
    assign(&delivered, runs).into_iter().map(shown).collect()
}

/// What a table says, the runs as (number, workflow, created, title).
type Row<'a> = (&'a str, &'a [Sent], &'a [(u64, u64, i64, &'a str)], &'a [&'a str]);

#[test]
fn each_dispatch_has_the_run_that_it_started_as_far_as_that_can_be_told() {
    let [one, two, other] = [id(1), id(2), id(77)];
    let upper = format!("[{}]", id(0xabc).to_ascii_uppercase());
    let (long, both) = (format!("{one}0{other}"), format!("{one} {two}"));
    let named = |id: &str| format!("update {id} of the monorepo");
    let (by_one, by_two, by_other) = (named(&one), named(&two), named(&other));
    let table: &[Row<'_>] = &[
        ("no run", &[(1, 0)], &[], &["-"]),
        ("by its id", &[(1, 0)], &[(8, 1, 1, &by_one)], &["8"]),
        ("by its id in capitals", &[(0xabc, 0)], &[(8, 1, 1, &upper)], &["8"]),
        ("by its id as part of a word", &[(1, 0)], &[(8, 1, 1, &long)], &["8"]),
        ("by time", &[(1, 0)], &[(8, 1, 1, "x")], &["8?"]),
        ("two seconds before the answer", &[(1, 0)], &[(8, 1, -2, "x")], &["8?"]),
        ("three seconds before the answer", &[(1, 0)], &[(8, 1, -3, "x")], &["-"]),
        ("another's id", &[(1, 0)], &[(8, 1, 1, &by_other)], &["-"]),
        ("the ids of both", &[(1, 0), (2, 0)], &[(8, 1, 1, &both)], &["-", "-"]),
        ("its id before time", &[(1, 0)], &[(7, 1, 1, "x"), (8, 1, 2, &by_one)], &["8"]),
        (
            "each its own, whatever the order",
            &[(1, 0), (2, 0)],
            &[(7, 1, 1, &by_two), (8, 1, 2, &by_one)],
            &["8", "7"],
        ),
        (
            "in the order of time",
            &[(1, 9), (2, 0)],
            &[(8, 1, 10, "x"), (7, 1, 1, "x")],
            &["8?", "7?"],
        ),
        ("one run for two dispatches", &[(1, 0), (2, 1)], &[(7, 1, 1, "x")], &["7?", "-"]),
        (
            "too early for the second",
            &[(1, 0), (2, 60)],
            &[(7, 1, 1, "x"), (8, 1, 5, "x")],
            &["7?", "-"],
        ),
        (
            "two workflows start two runs for one dispatch, and none for another",
            &[(1, 0), (2, 0)],
            &[(7, 1, 1, "x"), (8, 2, 1, "x")],
            &["7?", "-"],
        ),
        (
            "two workflows, one of which tells",
            &[(1, 0), (2, 1)],
            &[(5, 1, 1, &by_one), (6, 2, 1, "x"), (8, 2, 2, "x")],
            &["5", "8?"],
        ),
        (
            "two workflows that both tell",
            &[(1, 0), (2, 1)],
            &[(5, 1, 1, &by_one), (6, 2, 1, &by_one)],
            &["5", "-"],
        ),
        (
            "an earlier attempt whose answer was lost gives way",
            &[(1, 60)],
            &[(5, 1, 1, &by_one), (6, 1, 61, &by_one), (7, 1, 62, &by_one)],
            &["6"],
        ),
        ("an earlier attempt alone", &[(1, 60)], &[(5, 1, 1, &by_one)], &["5"]),
        ("the same id twice", &[(1, 0), (1, 0)], &[(5, 1, 1, &by_one)], &["5", "-"]),
    ];
    for (what, sent, runs, expected) in table {
        let made: Vec<Run> = runs.iter().map(|&(id, w, c, title)| run(id, w, c, title)).collect();
        assert_eq!(&assigned(sent, &made), expected, "{what}");
    }
}

#[test]
fn what_is_no_id_is_found_in_no_name() {
    for odd in ["", "a", "follow", "0000000000000000000000000000001"] {
        let delivered = [Delivered { id: odd, at: at(0) }];
        let run = run(7, 1, 1, &id(1));
        assert_eq!(assign(&delivered, [&run]), [None], "{odd:?}");
    }
}

/// A run of an invented history: its title names a dispatch, an event of others, or none.
fn any_runs() -> impl Strategy<Value = Vec<(u64, i64, Option<usize>)>> {
    let title = prop_oneof![Just(None), (0usize..8).prop_map(Some)];
    proptest::collection::vec((1u64..4, -5i64..40, title), 0..24)
}

proptest! {
    #[test]
    fn a_run_is_given_once_an_id_always_counts_and_as_many_as_can_be_have_one(
        times in proptest::collection::vec(0i64..30, 1..6),
        history in any_runs(),
        turn in 0usize..24,
    ) {
        let sent: Vec<Sent> = times.iter().copied().enumerate().collect();
        let mut runs: Vec<Run> = history
            .iter()
            .enumerate()
            .map(|(at, (workflow, created, title))| {
                let title = title.map_or_else(|| "plain".to_owned(), |number| format!("({})", id(number)));
                run(at as u64, *workflow, *created, &title)
            })
            .collect();
        let found = assigned(&sent, &runs);
        let given: Vec<u64> = found.iter().filter_map(|it| it.trim_end_matches('?').parse().ok()).collect();
        let mut once = given.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), given.len(), "{:?}", &found);
        for ((number, when), found) in sent.iter().zip(&found) {
            let named = history.iter().any(|(_, _, title)| *title == Some(*number));
            let by_id = found.parse::<usize>().ok();
            prop_assert_eq!(by_id.is_some(), named, "{:?}", found);
            if let Some(run) = by_id {
                prop_assert_eq!(history[run].2, Some(*number));
            }
            if let Some(run) = found.strip_suffix('?') {
                let (_, created, title) = history[run.parse::<usize>().unwrap()];
                prop_assert!(title.is_none() && created >= when - 2);
            }
        }
        // With one workflow and no names, no other way to give them out reaches more dispatches.
        let plain: Vec<i64> = history.iter().map(|(_, created, _)| *created).collect();
        let alike: Vec<Run> =
            plain.iter().enumerate().map(|(at, created)| run(at as u64, 1, *created, "x")).collect();
        let count = assigned(&sent, &alike).iter().filter(|it| *it != "-").count();
        prop_assert_eq!(count, most(&times, &plain));
        // The order in which GitHub lists them changes nothing.
        let turn = turn % runs.len().max(1);
        runs.rotate_left(turn);
        prop_assert_eq!(assigned(&sent, &runs), found);
    }
}

/// Returns how many dispatches can have a run of their own, by trying (Kuhn's augmenting paths).
fn most(sent: &[i64], runs: &[i64]) -> usize {
    fn place(
        dispatch: usize,
        sent: &[i64],
        runs: &[i64],
        seen: &mut Vec<bool>,
        taken: &mut Vec<Option<usize>>,
    ) -> bool {
        for run in 0..runs.len() {
            if runs[run] < sent[dispatch] - 2 || seen[run] {
                continue;
            }
            seen[run] = true;
            if taken[run].is_none_or(|other| place(other, sent, runs, seen, taken)) {
                taken[run] = Some(dispatch);
                return true;
            }
        }
        false
    }
    let mut taken = vec![None; runs.len()];
    (0..sent.len())
        .filter(|dispatch| place(*dispatch, sent, runs, &mut vec![false; runs.len()], &mut taken))
        .count()
}
