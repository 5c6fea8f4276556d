use pretty_assertions::assert_eq;

use super::*;

const EMPTY: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Names whose order in a tree is not that of their bytes, and ones that are no UTF-8.
const ODD: &[(&str, &str)] = &[
    ("a-b", "1"),
    ("a.b", "2"),
    ("a/x/y", "3"),
    ("a/x-y", "4"),
    ("a0", "5"),
    ("b/c/d/e/f", "6"),
    ("b/c.d", "7"),
    ("tab\there \"q\"", "8"),
];

#[test]
fn what_is_written_as_a_tree_is_what_git_writes_and_is_read_again() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let mut all = files(&workshop, ODD);
    let id = workshop.write_blob(b"t").unwrap();
    for (name, mode) in [
        (&b"latin\xe9/\xff"[..], Mode::Executable),
        (b"link", Mode::Symlink),
        (b"sub", Mode::Submodule),
    ] {
        all.insert(name.to_vec(), Entry { mode, id });
    }
    let tree = workshop.write_tree(&all).unwrap().unwrap();
    assert_eq!(workshop.files(tree).unwrap(), all);
    let mut index = Vec::new();
    for (path, entry) in &all {
        index.extend_from_slice(format!("{:06o} {}\t", entry.mode.raw(), entry.id).as_bytes());
        index.extend_from_slice(path);
        index.push(0);
    }
    let dir = workshop.path();
    sandbox.fed(dir, &["update-index", "-z", "--index-info"], &index);
    assert_eq!(tree.to_string(), sandbox.git(dir, &["write-tree", "--missing-ok"]));
    assert_eq!(workshop.write_tree(&Files::new()).unwrap(), None);
}

#[test]
fn a_graft_replaces_one_directory_and_nothing_beside_it() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let root = workshop.write_tree(&files(&workshop, ODD)).unwrap();
    for (into, new) in [
        ("a", &[("n", "n")][..]),
        ("a/x", &[("n", "n"), ("m/n", "n")]),
        ("b/c/d", &[]),
        ("b/c/d/e/f", &[]),
        ("a", &[]),
        ("new/deep/er", &[("n", "n")]),
        ("a-", &[("n", "n")]),
        ("zz", &[]),
        ("b/zz/y", &[]),
        ("", &[("n", "n")]),
    ] {
        let new = files(&workshop, new);
        let mut expected = files(&workshop, ODD);
        let below = format!("{into}/").into_bytes();
        let replaced =
            |path: &[u8]| into.is_empty() || path == into.as_bytes() || path.starts_with(&below);
        expected.retain(|path, _| !replaced(path));
        for (path, entry) in &new {
            let mut whole = if into.is_empty() { Vec::new() } else { below.clone() };
            whole.extend_from_slice(path);
            expected.insert(whole, *entry);
        }
        let grafted = workshop.graft(root, into.as_bytes(), &new).unwrap();
        assert_eq!(workshop.files(grafted).unwrap(), expected, "{into}");
        assert_eq!(Some(grafted), workshop.write_tree(&expected).unwrap(), "{into}");
    }
}

#[test]
fn what_gets_empty_vanishes_up_to_the_root() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let root = workshop.write_tree(&files(&workshop, &[("a/b/c/d", "x")])).unwrap();
    for (root, into) in [(root, "a/b/c"), (root, "a"), (root, ""), (None, "a/b"), (None, "")] {
        let grafted = workshop.graft(root, into.as_bytes(), &Files::new()).unwrap();
        assert_eq!(grafted.to_string(), EMPTY, "{into}");
        assert!(workshop.has(grafted) && workshop.files(grafted).unwrap().is_empty());
    }
}

#[test]
fn a_graft_knows_only_the_trees_on_its_way() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let unknown = ObjectId::from_str("1234567890123456789012345678901234567890").unwrap();
    let way = raw(&workshop, &[("40000", b"old", unknown), ("40000", b"there", unknown)]);
    let root = raw(&workshop, &[("40000", b"way", way), ("40000", b"z", unknown)]);
    let grafted = workshop.graft(Some(root), b"way/old", &files(&workshop, &[("n", "n")])).unwrap();
    assert_eq!(workshop.at(grafted, b"z").unwrap(), Found::Directory(unknown));
    assert_eq!(workshop.at(grafted, b"way/there").unwrap(), Found::Directory(unknown));
    assert!(matches!(workshop.at(grafted, b"way/old/n").unwrap(), Found::Entry(_)));
    let error = workshop.graft(Some(root), b"z/a", &Files::new()).unwrap_err();
    assert_eq!(error.to_string(), format!("the tree {unknown} is not here"));
    let error = workshop.graft(Some(unknown), b"a", &Files::new()).unwrap_err();
    assert_eq!(error.to_string(), format!("the tree {unknown} is not here"));
}

#[test]
fn nothing_is_put_below_a_file_a_link_or_a_submodule() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let new = files(&workshop, &[("n", "n")]);
    for mode in [Mode::File, Mode::Symlink, Mode::Submodule] {
        let id = workshop.write_blob(b"t").unwrap();
        let all: Files = [(b"a/link".to_vec(), Entry { mode, id })].into();
        let root = workshop.write_tree(&all).unwrap();
        for into in ["a/link/x", "a/link/x/y"] {
            let error = workshop.graft(root, into.as_bytes(), &new).unwrap_err();
            assert_eq!(
                error.to_string(),
                "\"a/link\" is not a directory, so nothing can be put below it"
            );
        }
        // It is itself what is replaced.
        let grafted = workshop.graft(root, b"a/link", &new).unwrap();
        assert!(matches!(workshop.at(grafted, b"a/link/n").unwrap(), Found::Entry(_)));
    }
}

#[test]
fn a_feature_that_is_one_file_is_grafted_as_one() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let root = workshop.write_tree(&files(&workshop, ODD)).unwrap();
    let one = files(&workshop, &[("", "one")]);
    let grafted = workshop.graft(root, b"a", &one).unwrap();
    assert_eq!(workshop.at(grafted, b"a").unwrap(), Found::Entry(one[&b""[..]]));
    assert!(workshop.files(grafted).is_ok());
    assert!(workshop.graft(root, b"", &one).is_err());
    for odd in ["a//b", "/a", "a/", "../a", "a/./b"] {
        assert!(workshop.graft(root, odd.as_bytes(), &one).is_err(), "{odd}");
    }
}
