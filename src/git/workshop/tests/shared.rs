use pretty_assertions::assert_eq;

use super::*;

/// Makes a repository of a few commits with the parents that are given, and returns their ids.
fn history(workshop: &Workshop, parents: &[&[usize]]) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> = Vec::new();
    for (number, parents) in parents.iter().enumerate() {
        let parents: Vec<ObjectId> = parents.iter().map(|parent| ids[*parent]).collect();
        let tree = workshop.graft(None, b"", &Files::new()).unwrap();
        let at = Signature { seconds: i64::try_from(number).unwrap(), ..ada() };
        let message = format!("{number}\n");
        let commit = NewCommit {
            tree,
            parents: &parents,
            message: message.as_bytes(),
            author: &at,
            committer: &at,
        };
        ids.push(workshop.commit(&commit).unwrap());
    }
    ids
}

/// What it is called, the parents of each commit, two of the commits, and what they share.
type Case = (&'static str, &'static [&'static [usize]], usize, usize, &'static [usize]);

#[test]
fn the_newest_common_commits_are_those_that_git_finds() {
    let cases: [Case; 6] = [
        ("the same", &[&[]], 0, 0, &[0]),
        ("one behind the other", &[&[], &[0], &[1]], 2, 1, &[1]),
        ("apart", &[&[], &[0], &[1], &[1]], 2, 3, &[1]),
        ("nothing in common", &[&[], &[]], 0, 1, &[]),
        ("merged once", &[&[], &[0], &[0], &[1, 2], &[2]], 3, 4, &[2]),
        ("criss-cross", &[&[], &[0], &[0], &[1, 2], &[2, 1]], 3, 4, &[2, 1]),
    ];
    for (what, parents, one, other, expected) in cases {
        let sandbox = Sandbox::new();
        let workshop = empty(&sandbox);
        let ids = history(&workshop, parents);
        let expected: Vec<ObjectId> = expected.iter().map(|at| ids[*at]).collect();
        for (one, other) in [(ids[one], ids[other]), (ids[other], ids[one])] {
            let found = workshop.merge_bases(one, other).unwrap();
            assert_eq!(found.as_deref(), Some(&expected[..]), "{what}");
            let told = sandbox.try_git(
                workshop.path(),
                &["merge-base", "--all", &one.to_string(), &other.to_string()],
                b"",
            );
            let told = String::from_utf8(told.unwrap_or_default()).unwrap();
            let mut told: Vec<&str> = told.lines().collect();
            let mut found: Vec<String> = expected.iter().map(ToString::to_string).collect();
            told.sort_unstable();
            found.sort_unstable();
            assert_eq!(told, found, "{what}");
        }
    }
}

#[test]
fn a_history_that_is_cut_off_leaves_open_where_it_parted() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let state: &[(&str, &str)] = &[("a", "a\n")];
    let main = sandbox.commits(&origin, "main", None, &[state; 3]);
    let clone = sandbox.clone(&origin, "shallow", &["--depth=2"]);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    assert_eq!(workshop.merge_bases(main[2], main[1]).unwrap(), None);
    workshop.unshallow(&sandbox.remote(&origin)).unwrap();
    assert_eq!(workshop.merge_bases(main[2], main[1]).unwrap(), Some(vec![main[1]]));
    assert!(workshop.descends(main[2], main[0]).unwrap());
    assert!(!workshop.descends(main[0], main[2]).unwrap());
}
