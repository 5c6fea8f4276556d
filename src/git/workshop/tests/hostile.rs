use pretty_assertions::assert_eq;

use super::*;

#[test]
fn a_tree_that_git_would_not_write_is_refused_with_the_place() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let blob = workshop.write_blob(b"x").unwrap();
    let tree = raw(&workshop, &[("100644", b"x", blob)]);
    let cases: &[(&[RawEntry<'_>], &str)] = &[
        (
            &[("100644", b"a", blob), ("100644", b"a", blob)],
            "\"d/a\" is refused: it is there twice",
        ),
        (
            &[("100644", b"a", blob), ("100644", b"a-b", blob), ("40000", b"a", tree)],
            "\"d/a\" is refused: it is there twice",
        ),
        (&[("40000", b"a", tree), ("40000", b"a", tree)], "\"d/a\" is refused: it is there twice"),
        (
            &[("100644", b"b", blob), ("100644", b"a", blob)],
            "\"d/a\" is refused: it is out of order",
        ),
        (
            &[("40000", b"a", tree), ("100644", b"a-b", blob)],
            "\"d/a-b\" is refused: it is out of order",
        ),
        (&[("100644", b"", blob)], "\"d/\" is refused: its name is empty"),
        (&[("100644", b".", blob)], "\"d/.\" is refused: its name leads elsewhere"),
        (&[("40000", b"..", tree)], "\"d/..\" is refused: its name leads elsewhere"),
        (&[("100644", b"../x", blob)], "\"d/../x\" is refused: its name holds a slash"),
        (&[("100600", b"a", blob)], "\"d/a\" is refused: its mode is none that git writes"),
        (&[("0", b"a", blob)], "\"d/a\" is refused: its mode is none that git writes"),
        (&[("40755", b"a", tree)], "\"d/a\" is refused: its mode is none that git writes"),
        (&[("100648", b"a", blob)], "cannot be read: it is cut off or malformed"),
        (&[("40000", b"a", blob)], "cannot be read: it is a blob"),
    ];
    for (entries, expected) in cases {
        let bad = raw(&workshop, entries);
        let root = raw(&workshop, &[("40000", b"d", bad)]);
        let error = workshop.files(root).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}\n{expected}");
    }
    let fine = raw(
        &workshop,
        &[("100644", b"a-b", blob), ("040000", b"a", tree), ("100664", b"a0", blob)],
    );
    assert_eq!(workshop.files(fine).unwrap().len(), 3);
}

#[test]
fn a_way_that_can_be_read_in_two_ways_is_refused() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let blob = workshop.write_blob(b"x").unwrap();
    let tree = raw(&workshop, &[("100644", b"x", blob)]);
    let twice = raw(&workshop, &[("100644", b"a", blob), ("40000", b"a", tree)]);
    let error = workshop.at(twice, b"a/x").unwrap_err();
    assert_eq!(error.to_string(), "the entry \"a\" is refused: it is there twice");
    let root = raw(&workshop, &[("40000", b"a", tree), ("160000", b"s", blob)]);
    let entry = |mode| Found::Entry(Entry { mode, id: blob });
    for (path, expected) in [
        ("", Found::Directory(root)),
        ("a", Found::Directory(tree)),
        ("a/x", entry(Mode::File)),
        ("a/x/y/z", Found::Through(b"a/x".to_vec())),
        ("s", entry(Mode::Submodule)),
        ("s/x", Found::Through(b"s".to_vec())),
        ("b", Found::Nothing),
        ("a/b/c", Found::Nothing),
        ("a/", Found::Nothing),
        ("/a", Found::Nothing),
        ("a//x", Found::Nothing),
        ("../a", Found::Nothing),
    ] {
        assert_eq!(workshop.at(root, path.as_bytes()).unwrap(), expected, "{path}");
    }
}

#[test]
fn trees_in_each_other_ten_thousand_deep_are_refused_and_not_followed() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let blob = workshop.write_blob(b"x").unwrap();
    let mut tree = raw(&workshop, &[("100644", b"x", blob)]);
    for depth in 0..10_000 {
        if depth == 1_000 {
            assert_eq!(workshop.files(tree).unwrap().len(), 1, "a thousand are read");
        }
        tree = raw(&workshop, &[("40000", b"d", tree)]);
    }
    let error = workshop.files(tree).unwrap_err().to_string();
    assert!(error.contains("its directories lie more than 1,000 deep, at \"d/d/"), "{error}");
    assert!(error.len() < 400);
    let path = [b"d".as_slice(); 2_000].join(&b'/');
    let entry = Entry { mode: Mode::File, id: blob };
    assert!(workshop.write_tree(&[(path, entry)].into()).is_err());
}

#[test]
fn trees_that_multiply_are_given_up() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let names: Vec<Vec<u8>> = (b'a'..=b'j').map(|name| vec![name]).collect();
    // Ten directories in ten directories, ten times: no file at all, and with files.
    for leaf in [raw(&workshop, &[]), raw(&workshop, &[("100644", b"x", empty_blob(&workshop))])] {
        let mut tree = leaf;
        for _ in 0..10 {
            let all: Vec<_> = names.iter().map(|name| ("40000", name.as_slice(), tree)).collect();
            tree = raw(&workshop, &all);
        }
        let error = workshop.files_within(tree, 5_000, usize::MAX).unwrap_err().to_string();
        assert!(error.starts_with("the directory is too large: it has more than 1,0"), "{error}");
    }
    let long = vec![b'n'; 1 << 10];
    let mut tree = raw(&workshop, &[("100644", b"x", empty_blob(&workshop))]);
    for _ in 0..30 {
        tree = raw(&workshop, &[("40000", &long, tree)]);
    }
    assert!(workshop.files(tree).is_ok());
    let error = workshop.files_within(tree, 100, 1 << 18).unwrap_err().to_string();
    assert!(error.starts_with("the directory is too large: its paths have more"), "{error}");
}

fn empty_blob(workshop: &Workshop) -> ObjectId {
    workshop.write_blob(b"").unwrap()
}

#[test]
fn what_no_tree_can_hold_is_not_written() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let entry = Entry { mode: Mode::File, id: empty_blob(&workshop) };
    for paths in [
        &[""][..],
        &["a//b"],
        &["a/"],
        &["/a"],
        &["."],
        &["a/../b"],
        &[".git/hooks/post-checkout"],
        &["a/.GiT"],
        &["a", "a/b"],
        &["a", "a-b", "a/b"],
        &["a\0b"],
    ] {
        let files: Files = paths.iter().map(|path| (path.as_bytes().to_vec(), entry)).collect();
        assert!(workshop.write_tree(&files).is_err(), "{paths:?}");
        assert!(workshop.graft(None, b"", &files).is_err(), "{paths:?}");
    }
}
