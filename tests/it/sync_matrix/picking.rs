//! `cherry-pick`: one commit for each of upstream's, with its author, date and message, and whatever
//! they leave in one more.

use ecosystem_dispatcher::embedded_github::MergeMethod;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{BRANCH, FEATURE, into, subscription};
use crate::support::circle::{Circle, change, lines};
use crate::support::pair::{Commit, File, Pair, Tree, below, file, inside, tree};

fn files(all: &[(&str, &str)]) -> Tree {
    tree(all.iter().map(|(path, content)| (*path, file(*content))))
}

fn app(changed: &[(&str, &str)]) -> File {
    file(changed.iter().fold(lines("app"), |text, (from, to)| text.replace(from, to)))
}

/// A cousin that has the first version of a feature.
fn begun(first: &Tree) -> Pair {
    let pair = Pair::new(&[subscription("cherry-pick")]);
    pair.here(&Tree::new());
    pair.upstream(&below(FEATURE, first));
    pair.pull();
    pair.accept(BRANCH);
    pair
}

/// Returns the cousin's new commits as git stores them, oldest first.
fn made(pair: &Pair) -> Vec<Vec<u8>> {
    let range = format!("main..{BRANCH}");
    let ids = pair.sandbox.git(&pair.web, &["rev-list", "--reverse", &range]);
    let raw = |id: &str| pair.sandbox.git_bytes(&pair.web, &["cat-file", "commit", id]);
    ids.lines().map(raw).collect()
}

fn contains(commit: &[u8], wanted: &[u8]) -> bool {
    commit.windows(wanted.len()).any(|window| window == wanted)
}

#[track_caller]
fn holds(commit: &[u8], wanted: &[u8]) {
    let (commit_shown, wanted_shown) = (commit.escape_ascii(), wanted.escape_ascii());
    assert!(contains(commit, wanted), "no {wanted_shown} in {commit_shown}");
}

fn brought(pair: &Pair) -> Value {
    let report = pair.pull();
    assert_eq!(report["features"][0]["outcome"], "committed", "{report:#}");
    assert_eq!(report["features"][0]["conflicts"], json!([]), "{report:#}");
    report["features"][0].clone()
}

#[test]
fn authors_dates_and_messages_are_kept_and_ping_nobody() {
    let first = files(&[("app", "1\n"), ("x", "1\n")]);
    let pair = begun(&first);
    let second = files(&[("app", "2\n"), ("x", "1\n")]);
    let mut elsewhere = below(FEATURE, &second);
    elsewhere.extend(files(&[("features/other/y", "1\n")]));
    let third: Tree =
        elsewhere.clone().into_iter().chain(below(FEATURE, &files(&[("x", "2\n")]))).collect();
    let own = |message, author, date, files| Commit { message, author, date, parents: None, files };
    let ids = pair.import(
        &pair.mono,
        "main",
        &[
            own(
                b"Second\n\nFixes #7 for @ada.\n\nSigned-off-by: Bo <bo@b.example>\n",
                b"Bo B <bo@b.example>",
                "1234567890 +0530",
                &below(FEATURE, &second),
            ),
            own(b"not of the feature", b"Bo B <bo@b.example>", "1234567891 +0000", &elsewhere),
            own(b"caf\xe9 \xff", b"J\xf6rg \xfe <j\xf6rg@b.example>", "1234567892 -0800", &third),
        ],
    );
    brought(&pair);
    let made = made(&pair);
    assert_eq!(made.len(), 2, "{made:?}");
    holds(&made[0], b"\nauthor Bo B <bo@b.example> 1234567890 +0530\n");
    holds(&made[0], b"\n\nSecond\n\nFixes #\xe2\x80\x8b7 for @\xe2\x80\x8bada.\n");
    holds(&made[0], b"\nSigned-off-by: Bo <bo@b.example>\nEcosystem-Feature: features/push\n");
    holds(&made[1], b"\nauthor J\xf6rg \xfe <j\xf6rg@b.example> 1234567892 -0800\n");
    holds(&made[1], b"\n\ncaf\xe9 \xff\n");
    holds(&made[1], format!("\nEcosystem-Source: local/mono@{ids}\n").as_bytes());
    for commit in &made {
        let author =
            commit.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"committer"));
        assert!(!contains(author.unwrap(), b"b.example"), "the committer is not upstream's");
    }
    // Each state in between is upstream's of that commit, and recorded so.
    let between = pair.files(&pair.web, &format!("{BRANCH}^"));
    assert_eq!(inside(into("cherry-pick"), &between), second);
    let upstream = pair.sandbox.git(&pair.mono, &["rev-parse", "main~2"]);
    assert_eq!(pair.locked(&format!("{BRANCH}^"), FEATURE)["commit"], upstream);
    assert_eq!(pair.locked(BRANCH, FEATURE)["commit"], ids);
}

#[test]
fn local_edits_stay_below_what_is_picked() {
    let pair = begun(&tree([("app", app(&[]))]));
    pair.here(&below(into("cherry-pick"), &tree([("app", app(&[("app 9", "ours")]))])));
    pair.upstream(&below(FEATURE, &tree([("app", app(&[("app 1", "one")]))])));
    pair.upstream(&below(FEATURE, &tree([("app", app(&[("app 1", "one"), ("app 5", "five")]))])));
    brought(&pair);
    assert_eq!(made(&pair).len(), 2);
    let all = [("app 1", "one"), ("app 5", "five"), ("app 9", "ours")];
    assert_eq!(inside("src/push", &pair.files(&pair.web, BRANCH)), tree([("app", app(&all))]));
}

#[test]
fn what_a_merge_upstream_has_of_its_own_lands_in_the_last_commit() {
    let first = files(&[("x", "1\n"), ("y", "1\n"), ("z", "1\n")]);
    let pair = begun(&first);
    let of = |x, y, z| below(FEATURE, &files(&[("x", x), ("y", y), ("z", z)]));
    let (left, right, both) =
        (of("2\n", "1\n", "1\n"), of("1\n", "2\n", "1\n"), of("2\n", "2\n", "evil\n"));
    let base = pair.sandbox.rev(&pair.mono, "main");
    let side = [base.as_str()];
    let parents = Commit { parents: Some(&side), ..Commit::new("left", &left) };
    pair.import(&pair.mono, "left", &[parents]);
    pair.import(&pair.mono, "main", &[Commit::new("right", &right)]);
    let two = ["refs/heads/main^0", "refs/heads/left^0"];
    pair.import(
        &pair.mono,
        "main",
        &[Commit { parents: Some(&two), ..Commit::new("a merge", &both) }],
    );
    let told = brought(&pair);
    assert_eq!(told["changed_paths"], 3);
    let made = made(&pair);
    assert_eq!(made.len(), 3);
    let subjects = ["\n\nleft\n", "\n\nright\n"];
    for subject in subjects {
        assert_eq!(made.iter().filter(|it| contains(it, subject.as_bytes())).count(), 1);
    }
    holds(&made[2], b"\n\nUpdate features/push to local/mono@");
    let last = format!("{BRANCH}^!");
    let changed = pair.sandbox.git(&pair.web, &["diff", "--name-only", &last]);
    assert_eq!(changed, "ecosystem.lock.json\nsrc/push/z");
    let expected = files(&[("x", "2\n"), ("y", "2\n"), ("z", "evil\n")]);
    assert_eq!(inside("src/push", &pair.files(&pair.web, BRANCH)), expected);
}

#[test]
fn a_merge_upstream_that_adds_nothing_is_no_commit_of_its_own() {
    let pair = begun(&files(&[("x", "1\n"), ("y", "1\n")]));
    let of = |x, y| below(FEATURE, &files(&[("x", x), ("y", y)]));
    let base = pair.sandbox.rev(&pair.mono, "main");
    let side = [base.as_str()];
    let (left, both) = (of("2\n", "1\n"), of("2\n", "2\n"));
    pair.import(
        &pair.mono,
        "left",
        &[Commit { parents: Some(&side), ..Commit::new("left", &left) }],
    );
    pair.import(&pair.mono, "main", &[Commit::new("right", &of("1\n", "2\n"))]);
    let two = ["refs/heads/main^0", "refs/heads/left^0"];
    let head = pair.import(
        &pair.mono,
        "main",
        &[Commit { parents: Some(&two), ..Commit::new("m", &both) }],
    );
    brought(&pair);
    assert_eq!(made(&pair).len(), 2);
    assert_eq!(pair.locked(BRANCH, FEATURE)["commit"], head);
}

#[test]
fn a_pick_that_conflicts_where_the_whole_does_not_ends_in_one_commit_of_the_rest() {
    let pair = begun(&tree([("app", app(&[])), ("x", file("1\n"))]));
    // The cousin has the second of upstream's two changes of a line already.
    pair.here(&below("src/push", &tree([("app", app(&[("app 5", "last")])), ("x", file("1\n"))])));
    for (line, x) in [("app 5", "2\n"), ("between", "2\n"), ("last", "3\n")] {
        let files = tree([("app", app(&[("app 5", line)])), ("x", file(x))]);
        pair.upstream(&below(FEATURE, &files));
    }
    brought(&pair);
    let made = made(&pair);
    assert_eq!(made.len(), 2);
    holds(&made[0], b"\n\nupstream\n");
    holds(&made[1], b"\n\nUpdate features/push to local/mono@");
    let expected = tree([("app", app(&[("app 5", "last")])), ("x", file("3\n"))]);
    assert_eq!(inside("src/push", &pair.files(&pair.web, BRANCH)), expected);
    pair.accept(BRANCH);
    assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
}

#[test]
fn a_commit_and_its_revert_are_both_there_and_alone_they_are_nothing() {
    let pair = begun(&files(&[("x", "1\n")]));
    for x in ["2\n", "1\n"] {
        pair.upstream(&below(FEATURE, &files(&[("x", x)])));
    }
    let before = pair.branches();
    assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
    assert_eq!(pair.branches(), before);
    pair.upstream(&below(FEATURE, &files(&[("x", "1\n"), ("y", "1\n")])));
    brought(&pair);
    assert_eq!(made(&pair).len(), 3);
    let expected = files(&[("x", "1\n"), ("y", "1\n")]);
    assert_eq!(inside("src/push", &pair.files(&pair.web, BRANCH)), expected);
}

#[test]
fn three_hundred_commits_are_picked_in_their_order() {
    let pair = begun(&files(&[("x", "0\n")]));
    let states: Vec<(String, Tree)> = (1..=300)
        .map(|n| (format!("commit {n}"), below(FEATURE, &files(&[("x", &format!("{n}\n"))]))))
        .collect();
    let commits: Vec<Commit<'_>> =
        states.iter().map(|(message, files)| Commit::new(message, files)).collect();
    pair.import(&pair.mono, "main", &commits);
    brought(&pair);
    let range = format!("main..{BRANCH}");
    let args = ["log", "--reverse", "--format=%s", &range];
    let expected: Vec<String> = (1..=300).map(|n| format!("commit {n}")).collect();
    assert_eq!(pair.sandbox.git(&pair.web, &args), expected.join("\n"));
    pair.accept(BRANCH);
    assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
}

#[test]
fn what_may_not_be_written_and_was_taken_back_ends_the_picking_and_not_the_sync() {
    let pair = begun(&files(&[("x", "1\n")]));
    let workflow = ".github/workflows/ci.yml";
    let states = [
        files(&[("x", "2\n")]),
        files(&[("x", "3\n"), (workflow, "on: push\n")]),
        files(&[("x", "4\n")]),
    ];
    let heads: Vec<String> =
        states.iter().map(|state| pair.upstream(&below(FEATURE, state))).collect();
    brought(&pair);
    let made = made(&pair);
    assert_eq!(made.len(), 2);
    holds(&made[0], format!("\nEcosystem-Source: local/mono@{}\n", heads[0]).as_bytes());
    holds(&made[1], b"\n\nUpdate features/push to local/mono@");
    assert_eq!(inside("src/push", &pair.files(&pair.web, BRANCH)), states[2]);
    assert_eq!(pair.locked(BRANCH, FEATURE)["commit"], heads[2]);
    let range = format!("main..{BRANCH}");
    let touching = ["rev-list", &range, "--", "src/push/.github"];
    assert_eq!(pair.sandbox.git(&pair.web, &touching), "");
}

#[test]
fn on_top_of_a_persons_commit_only_what_the_branch_has_not_is_picked() {
    let circle = Circle::by("cherry-pick");
    circle.pull();
    circle.merge(1, MergeMethod::Merge);
    let goes_on = |message: &str, from: &str, to: &str| {
        circle.upstream(message, |mono| change(mono, "features/push/app.txt", from, to))
    };
    goes_on("second", "app 2\n", "two\n");
    circle.pull();
    // To pick the second again would conflict with what became of it.
    let theirs = circle.on_branch(BRANCH, "a person's", |web| {
        change(web, "src/push/app.txt", "two\n", "of a person\n");
    });
    let head = goes_on("third", "app 8\n", "eight\n");
    let report = circle.pull();
    assert_eq!(report["features"][0]["outcome"], "updated", "{report:#}");
    let range = format!("{theirs}..{BRANCH}");
    assert_eq!(circle.bare(&["log", "--format=%s", &range]), "third");
    let message = circle.bare(&["log", "-1", "--format=%B", BRANCH]);
    assert!(message.contains(&format!("Ecosystem-Source: acme/monorepo@{head}")), "{message}");
    let text = lines("app").replace("app 2", "of a person").replace("app 8", "eight");
    assert_eq!(circle.at(BRANCH, "src/push/app.txt"), text.trim_end());
    // The pull request brings both.
    let body = &circle.pulls()[1].issue.body;
    let body = body.as_deref().unwrap();
    assert!(body.contains("second") && body.contains("third"), "{body}");
}
