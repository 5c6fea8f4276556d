use pretty_assertions::assert_eq;

use super::*;

const COUSIN: &[(&str, &str)] = &[("a/b", "b\n"), ("src/push/x", "x\n"), ("z", "z\n")];

fn packs(clone: &Repository) -> usize {
    let dir = fs::read_dir(clone.commondir().join("objects/pack")).unwrap();
    dir.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|it| it == "pack"))
        .count()
}

#[test]
fn an_exported_commit_is_whole_in_every_kind_of_clone() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let ids = sandbox.commits(&origin, "main", None, &[&[("old", "old\n")], COUSIN]);
    for (kind, args) in [
        ("full", &[][..]),
        ("shallow", &["--depth=1"]),
        ("blobless", &["--filter=blob:none"]),
        ("blobless-bare", &["--filter=blob:none", "--bare"]),
        ("bare", &["--bare"]),
    ] {
        let clone = sandbox.clone(&origin, kind, args);
        let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
        workshop.set_origin(&sandbox.remote(&origin));
        let mut new = files(&workshop, &[("n", "n\n"), ("deep/er", "e\n")]);
        let root = workshop.root(ids[1]).unwrap();
        let Found::Entry(moved) = workshop.at(root, b"a/b").unwrap() else { panic!() };
        new.insert(b"moved".to_vec(), moved);
        let first = commit_on(&workshop, ids[1], "src/push", &new);
        let second = commit_on(&workshop, first, "a", &Files::new());
        let before = packs(&clone);
        workshop.export(&clone, second, &[ids[1]]).unwrap();
        assert_eq!(packs(&clone), before + 1, "{kind}: one pack");
        workshop.export(&clone, second, &[ids[1]]).unwrap();
        assert_eq!(packs(&clone), before + 1, "{kind}: nothing is lacking any more");
        drop(workshop);
        let dir = sandbox.path(kind);
        sandbox.git(&dir, &["update-ref", "refs/heads/dry-run", &second.to_string()]);
        sandbox.git(&dir, &["fsck", "--connectivity-only", "--no-dangling"]);
        let log = sandbox.git(&dir, &["log", "--format=%s", "-2", "dry-run"]);
        assert_eq!(log, "new\nnew", "{kind}");
        assert_eq!(sandbox.git(&dir, &["show", "dry-run:src/push/moved"]), "b", "{kind}");
        assert_eq!(sandbox.git(&dir, &["show", "dry-run:src/push/deep/er"]), "e", "{kind}");
    }
}

#[test]
fn what_the_clone_has_already_is_not_packed_again() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let ids = sandbox.commits(&origin, "main", None, &[COUSIN]);
    let clone = sandbox.clone(&origin, "cousin", &[]);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    let commit = commit_on(&workshop, ids[0], "src/push", &files(&workshop, &[("y", "x\n")]));
    workshop.export(&clone, commit, &[ids[0]]).unwrap();
    let packs = clone.commondir().join("objects/pack");
    let of = |ending: &str| {
        let all = fs::read_dir(&packs).unwrap().map(|file| file.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|it| it == ending)).collect::<Vec<_>>()
    };
    let counts: Vec<usize> = of("idx")
        .iter()
        .map(|index| {
            let listed = sandbox.git(&packs, &["verify-pack", "-v", index.to_str().unwrap()]);
            listed.lines().filter(|line| line.len() > 40 && line.as_bytes()[40] == b' ').count()
        })
        .collect();
    // The commit, its root, src and src/push; the blob is the cousin's own.
    assert!(counts.contains(&4), "{counts:?}");
}

#[test]
fn a_commit_that_is_not_whole_is_not_exported() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let ids = sandbox.commits(&origin, "main", None, &[COUSIN]);
    let clone = sandbox.clone(&origin, "cousin", &[]);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    let id = ObjectId::from_str("1234567890123456789012345678901234567890").unwrap();
    let new: Files = [(b"n".to_vec(), Entry { mode: Mode::File, id })].into();
    let commit = commit_on(&workshop, ids[0], "a", &new);
    let before = packs(&clone);
    let error = workshop.export(&clone, commit, &[ids[0]]).unwrap_err();
    assert!(error.to_string().contains(&id.to_string()), "{error}");
    assert_eq!(packs(&clone), before);
}

#[test]
fn ten_thousand_files_are_flattened_written_and_exported() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let ids = sandbox.commits(&origin, "main", None, &[COUSIN]);
    let clone = sandbox.clone(&origin, "cousin", &[]);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    let id = workshop.write_blob(b"x").unwrap();
    let entry = Entry { mode: Mode::File, id };
    let all: Files = (0..10_000)
        .map(|n| (format!("d{}/e{}/f{n}", n % 10, n % 100).into_bytes(), entry))
        .collect();
    let commit = commit_on(&workshop, ids[0], "src", &all);
    let Found::Directory(tree) = workshop.at(workshop.root(commit).unwrap(), b"src").unwrap()
    else {
        panic!();
    };
    assert_eq!(workshop.files(tree).unwrap(), all);
    workshop.export(&clone, commit, &ids).unwrap();
    let listed =
        sandbox.git(&sandbox.path("cousin"), &["ls-tree", "-r", &commit.to_string(), "src"]);
    assert_eq!(listed.lines().count(), 10_000);
}
