//! `dispatch --watermarks` in random histories: what `watermarks_orders.rs` writes down is made up
//! here. A case that fails shows its script, which can be put into the tables there.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::script::{Checkout, Edit, Killed, Listed, Of, Start, Step};
use crate::support::simulation::{COUSINS, play_steps};

/// How many histories are played; more are worth the time after a change to watermarks.
const HISTORIES: u32 = 10;

/// How many steps each has at most.
const STEPS: usize = 12;

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let feature = prop::sample::select(vec!['a', 'b', 'c', 'd']);
    // Few contents, so that features are often again as they were.
    let edit = (feature, 0_u32..5).prop_map(|(name, content)| match content {
        3 => Edit::New(name),
        4 => Edit::Delete(name),
        content => Edit::Set(name, content),
    });
    prop::collection::vec(edit, 0..3)
}

fn cousin() -> impl Strategy<Value = String> {
    prop::sample::select(COUSINS.map(|(name, _)| name.to_owned()).to_vec())
}

fn start() -> impl Strategy<Value = Start> {
    let of = prop_oneof![
        4 => Just(Of::Newest),
        3 => (0_usize..20).prop_map(Of::Push),
        1 => Just(Of::Tip),
    ];
    let checkout = prop_oneof![
        4 => Just(Checkout::Shallow),
        1 => Just(Checkout::Full),
        1 => Just(Checkout::Path),
        1 => Just(Checkout::Remote),
    ];
    let only = prop::option::weighted(0.1, cousin());
    (of, only, checkout).prop_map(|(of, only, checkout)| Start {
        of,
        only,
        checkout,
        killed: None,
        slow: false,
    })
}

fn killed() -> impl Strategy<Value = Killed> {
    prop_oneof![(0_usize..4).prop_map(Killed::After), (0_u64..300).prop_map(Killed::In)]
}

fn step() -> impl Strategy<Value = Step> {
    let listed = vec![Listed::Add, Listed::Remove, Listed::Enable, Listed::Disable];
    prop_oneof![
        6 => edits().prop_map(Step::Push),
        2 => (0_usize..20, edits()).prop_map(|(to, edits)| Step::Reset(to, edits)),
        1 => edits().prop_map(Step::Unrelated),
        2 => (prop::sample::select(listed), cousin()).prop_map(|(it, name)| Step::List(it, name)),
        2 => (cousin(), 0_u32..2).prop_map(|(name, taken)| Step::Refuse(name, taken)),
        5 => start().prop_map(|start| Step::Run(vec![start], None)),
        1 => (start(), start(), prop::bool::ANY).prop_map(|(a, b, slow)| {
            Step::Run(vec![Start { slow, ..a }, b], None)
        }),
        2 => (start(), killed()).prop_map(|(start, killed)| {
            Step::Run(vec![Start { killed: Some(killed), ..start }], None)
        }),
    ]
}

/// Returns the steps with the numbers of pushes that there are, after a first push with its run:
/// what was before that nobody has promised to deliver.
fn history(steps: Vec<Step>) -> Vec<Step> {
    let first = Start {
        of: Of::Newest,
        only: None,
        checkout: Checkout::Shallow,
        killed: None,
        slow: false,
    };
    let mut history = vec![Step::Push(vec![Edit::New('a')]), Step::Run(vec![first], None)];
    let mut pushes = 2;
    for mut step in steps {
        match &mut step {
            Step::Reset(to, _) => *to %= pushes,
            Step::Run(starts, _) => {
                for start in starts {
                    if let Of::Push(number) = &mut start.of {
                        *number %= pushes;
                    }
                }
            }
            _ => {}
        }
        pushes += usize::from(matches!(step, Step::Push(_) | Step::Reset(..) | Step::Unrelated(_)));
        history.push(step);
    }
    history
}

#[test]
fn in_any_history_each_cousin_receives_what_differs_and_nothing_else() {
    // A step takes a tenth of a second and more: few are spent on a shorter script.
    let config = Config {
        cases: HISTORIES,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = prop::collection::vec(step(), STEPS / 2..=STEPS);
    let told = TestRunner::new(config).run(&steps, |steps| {
        play_steps(&history(steps));
        Ok(())
    });
    if let Err(error) = told {
        panic!("{error}");
    }
}
