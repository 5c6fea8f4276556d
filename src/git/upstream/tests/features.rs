use std::collections::BTreeSet;

use pretty_assertions::assert_eq;

use super::*;

const STATE: &[(&str, &str)] = &[
    ("features/push/flask/app.py", "app\n"),
    ("features/push/flask/deep/er/x", "x\n"),
    ("features/push/flask.txt", "beside\n"),
    ("features/file", "a file\n"),
    ("huge/a/b", "not asked for\n"),
];

#[test]
fn of_a_feature_only_its_own_trees_and_blobs_come() {
    let sandbox = Sandbox::new();
    let source = sandbox.bare("source.git");
    let ids = sandbox.commits(&source, "main", None, &[STATE, STATE]);
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &source, None).unwrap();
    let found = upstream.feature(&ids, b"features/push/flask").unwrap();
    let [Found::Directory(tree), Found::Directory(same)] = found[..] else { panic!("{found:?}") };
    assert_eq!(tree, same);
    let id = |path: &str| {
        let id = sandbox.git(&source, &["rev-parse", &format!("main:{path}")]);
        ObjectId::from_str(&id).unwrap()
    };
    assert_eq!(tree, id("features/push/flask"));
    assert!(!workshop.has(id("features/push/flask/deep")));
    upstream.bring_trees(&[tree].into()).unwrap();
    let files = workshop.files(tree).unwrap();
    let names: Vec<&[u8]> = files.keys().map(Vec::as_slice).collect();
    assert_eq!(names, [&b"app.py"[..], b"deep/er/x"]);
    let blobs: BTreeSet<ObjectId> = files.values().map(|entry| entry.id).collect();
    assert!(blobs.iter().all(|blob| !workshop.has(*blob)), "no blob was asked for");
    upstream.bring_blobs(&blobs).unwrap();
    assert_eq!(workshop.blob(files[&b"deep/er/x"[..]].id).unwrap(), b"x\n");
    for unasked in ["huge", "huge/a", "huge/a/b", "features/file", "features/push/flask.txt"] {
        assert!(!workshop.has(id(unasked)), "{unasked}");
    }
}

#[test]
fn what_is_at_a_path_is_told_of_each_commit() {
    let sandbox = Sandbox::new();
    let source = sandbox.bare("source.git");
    let ids = sandbox.commits(&source, "main", None, &[&[("x", "x")], STATE]);
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &source, None).unwrap();
    let mut at = |path: &str| upstream.feature(&ids, path.as_bytes()).unwrap();
    assert_eq!(at("features/none")[..], [Found::Nothing, Found::Nothing]);
    assert_eq!(at("features/file/x")[1], Found::Through(b"features/file".to_vec()));
    assert!(matches!(at("features/file")[1], Found::Entry(_)));
    assert!(matches!(at("")[..], [Found::Directory(_), Found::Directory(_)]));
    assert_eq!(at("features/push/flask/app.py/x/y")[1], {
        Found::Through(b"features/push/flask/app.py".to_vec())
    });
}

#[test]
fn a_server_that_takes_no_filter_works_too() {
    let sandbox = Sandbox::new();
    let source = sandbox.bare("source.git");
    let ids = sandbox.commits(&source, "main", None, &[STATE, STATE]);
    sandbox.git(&source, &["config", "uploadpack.allowFilter", "false"]);
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &source, None).unwrap();
    let found = upstream.feature(&ids[1..], b"features").unwrap();
    let [Found::Directory(tree)] = found[..] else { panic!("{found:?}") };
    upstream.bring_trees(&[tree].into()).unwrap();
    let files = workshop.files(tree).unwrap();
    upstream.bring_blobs(&files.values().map(|entry| entry.id).collect()).unwrap();
    assert_eq!(files.len(), 4);
}

#[test]
fn an_object_that_is_not_sent_is_named() {
    let sandbox = Sandbox::new();
    let (source, ids) = source(&sandbox, 2);
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &source, None).unwrap();
    let missing = ObjectId::from_str("1234567890123456789012345678901234567890").unwrap();
    let error = upstream.bring_blobs(&[missing].into()).unwrap_err();
    assert!(error.to_string().ends_with(&format!("does not send the blob {missing}")), "{error}");
    let error = upstream.bring_trees(&[missing].into()).unwrap_err();
    assert!(error.to_string().ends_with(&format!("does not send the tree {missing}")), "{error}");
    // A tree that was never brought is an error, and no empty directory.
    let root = workshop.root(ids[1]).unwrap();
    let error = workshop.files(root).unwrap_err();
    assert_eq!(error.to_string(), format!("the tree {root} is not here"));
    assert!(workshop.at(root, b"a").is_err());
}

#[test]
fn a_feature_that_is_partly_here_is_completed() {
    let sandbox = Sandbox::new();
    let source = sandbox.bare("source.git");
    let ids = sandbox.commits(&source, "main", None, &[STATE]);
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &source, None).unwrap();
    // The way to the deepest directory is here now, and nothing beside it.
    upstream.feature(&ids, b"features/push/flask/deep/er/x").unwrap();
    let root = workshop.root(ids[0]).unwrap();
    assert!(workshop.files(root).is_err());
    upstream.bring_trees(&[root].into()).unwrap();
    assert_eq!(workshop.files(root).unwrap().len(), STATE.len());
}

#[test]
fn of_whole_commits_all_comes_but_what_is_known() {
    let sandbox = Sandbox::new();
    let source = sandbox.bare("source.git");
    let newer: &[(&str, &str)] = &[("features/file", "once\n"), ("huge/a/b", "not asked for\n")];
    let newest: &[(&str, &str)] = &[("features/file", "new\n"), ("huge/a/b", "not asked for\n")];
    let ids = sandbox.commits(&source, "main", None, &[STATE, newer, newest]);
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &source, None).unwrap();
    let roots = ids.iter().map(|id| workshop.root(*id).unwrap()).collect::<Vec<_>>();
    upstream.bring_trees(&[roots[0]].into()).unwrap();
    let new: BTreeSet<ObjectId> = roots[1..].iter().copied().collect();
    upstream.bring_whole(&new, &roots[..1]).unwrap();
    let id = |path: &str| ObjectId::from_str(&sandbox.git(&source, &["rev-parse", path])).unwrap();
    for brought in ["main~1:features/file", "main:features/file", "main:features"] {
        assert!(workshop.has(id(brought)), "{brought}");
    }
    for known in ["main:huge/a/b", "main~2:features/file"] {
        assert!(!workshop.has(id(known)), "{known}");
    }
}
