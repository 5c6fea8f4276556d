use pretty_assertions::assert_eq;

use super::*;

#[test]
fn only_commits_come_at_first_and_only_the_newest() {
    let sandbox = Sandbox::new();
    let (source, ids) = source(&sandbox, 120);
    let workshop = workshop(&sandbox);
    let upstream = upstream(&sandbox, &workshop, &source, Some("main")).unwrap();
    assert_eq!((upstream.tip(), upstream.branch()), (ids[119], "main"));
    assert!(workshop.has(ids[119]) && !workshop.has(ids[60]));
    assert!(!workshop.has(workshop.root(ids[119]).unwrap()), "no tree was asked for");
}

#[test]
fn an_old_commit_is_found_by_deepening_and_read_with_its_true_parents() {
    let sandbox = Sandbox::new();
    let (source, ids) = source(&sandbox, 260);
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &source, None).unwrap();
    assert_eq!(upstream.branch(), "main", "the default branch");
    // At 210 lies the first edge, whose parents a shallow repository hides.
    for at in [259, 210, 100, 1, 0] {
        let record = upstream.find(&sha(ids[at])).unwrap().unwrap();
        let parents: Vec<ObjectId> = at.checked_sub(1).map(|at| ids[at]).into_iter().collect();
        assert_eq!((record.parents, record.id), (parents, sha(ids[at])), "{at}");
        assert_eq!(record.message, b"work\n");
        assert_eq!(record.author.name, b"Ada Test");
        assert_eq!(record.committed, 1_767_000_000);
    }
}

#[test]
fn a_commit_that_no_parent_link_leads_to_is_an_impostor_wherever_it_lies() {
    let sandbox = Sandbox::new();
    let (source, ids) = source(&sandbox, 60);
    // As a pull request's: in the same object store, and one whose branch is gone.
    let pulled = sandbox.commits(&source, "evil", Some(ids[59]), &[&[("a/b/x", "evil")]])[0];
    let gone = sandbox.commits(&source, "gone", Some(ids[10]), &[&[("a/b/x", "gone")]])[0];
    sandbox.git(&source, &["update-ref", "refs/pull/1/head", &pulled.to_string()]);
    sandbox.git(&source, &["update-ref", "-d", "refs/heads/gone"]);
    // A cousin that is a fork and has the commit itself.
    let fork = sandbox.clone(&source, "fork", &["--branch", "evil"]);
    assert!(fork.find_commit(pulled).is_ok());
    let in_a_fork = Workshop::new(&sandbox.program(), &fork).unwrap();
    for workshop in [workshop(&sandbox), in_a_fork] {
        let mut upstream = upstream(&sandbox, &workshop, &source, Some("main")).unwrap();
        for impostor in [pulled, gone] {
            assert_eq!(upstream.find(&sha(impostor)).unwrap(), None);
            assert_eq!(upstream.relation(&sha(impostor), &sha(ids[3])).unwrap(), Relation::Apart);
            assert_eq!(upstream.relation(&sha(ids[3]), &sha(impostor)).unwrap(), Relation::Apart);
            assert_eq!(upstream.relation(&sha(impostor), &sha(impostor)).unwrap(), Relation::Apart);
            assert!(upstream.commits(None, &sha(impostor)).is_err());
        }
        assert!(upstream.find(&sha(ids[3])).unwrap().is_some());
    }
}

#[test]
fn how_two_commits_are_related_is_told_across_the_edge_of_what_was_fetched() {
    let sandbox = Sandbox::new();
    let (source, ids) = source(&sandbox, 300);
    for (new, last, expected) in [
        (299, 299, Relation::Same),
        (299, 298, Relation::Ahead),
        (299, 0, Relation::Ahead),
        (298, 299, Relation::Behind),
        (0, 299, Relation::Behind),
        (5, 5, Relation::Same),
        (5, 90, Relation::Behind),
    ] {
        let workshop =
            Workshop::new(&sandbox.program(), &git2::Repository::open_bare(&source).unwrap());
        let workshop = workshop.unwrap();
        let mut upstream = upstream(&sandbox, &workshop, &source, Some("main")).unwrap();
        let relation = upstream.relation(&sha(ids[new]), &sha(ids[last])).unwrap();
        assert_eq!(relation, expected, "{new} {last}");
    }
}

#[test]
fn after_a_rewrite_upstream_the_last_commit_is_apart() {
    let sandbox = Sandbox::new();
    let (source, ids) = source(&sandbox, 70);
    let new = sandbox.commits(&source, "main", Some(ids[60]), &[&[("a/b/x", "rewritten")]])[0];
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &source, Some("main")).unwrap();
    assert_eq!(upstream.relation(&sha(new), &sha(ids[69])).unwrap(), Relation::Apart);
    assert_eq!(upstream.relation(&sha(new), &sha(ids[60])).unwrap(), Relation::Ahead);
}

#[test]
fn the_commits_since_another_are_those_of_git_rev_list() {
    let sandbox = Sandbox::new();
    let (source, ids) = source(&sandbox, 130);
    // A side branch from far below, merged at the top.
    let side = sandbox.commits(&source, "side", Some(ids[20]), &[&[("s", "1")], &[("s", "2")]])[1];
    let tree = format!("{}^{{tree}}", ids[129]);
    let (a, b) = (ids[129].to_string(), side.to_string());
    let merge = sandbox.git(&source, &["commit-tree", &tree, "-p", &a, "-p", &b, "-m", "merge"]);
    sandbox.git(&source, &["update-ref", "refs/heads/main", &merge]);
    let merge = ObjectId::from_str(&merge).unwrap();
    for since in [Some(ids[129]), Some(ids[128]), Some(ids[100]), Some(ids[20]), Some(side), None] {
        let workshop = Workshop::new(
            &sandbox.program(),
            &git2::Repository::open_bare(sandbox.bare("empty.git")).unwrap(),
        );
        let workshop = workshop.unwrap();
        let mut upstream = upstream(&sandbox, &workshop, &source, Some("main")).unwrap();
        let told = upstream.commits(since.map(sha).as_ref(), &sha(merge)).unwrap();
        let told: Vec<String> = told.iter().map(|record| record.id.to_string()).collect();
        let not = since.map(|since| format!("^{since}")).unwrap_or_else(|| "HEAD".to_owned());
        let expected = sandbox.git(&source, &["rev-list", &merge.to_string(), &not]);
        let mut expected: Vec<&str> = expected.lines().collect();
        let position = |id: &str| told.iter().position(|told| told == id).unwrap();
        for id in &expected {
            let parents = sandbox.git(&source, &["rev-list", "--parents", "-1", id]);
            for parent in parents.split(' ').skip(1).filter(|parent| expected.contains(parent)) {
                assert!(position(parent) < position(id), "parents come first");
            }
        }
        let mut told = told.clone();
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "{since:?}");
    }
}

#[test]
fn a_branch_that_is_not_there_is_named_with_what_to_do() {
    let sandbox = Sandbox::new();
    let (source, _) = source(&sandbox, 1);
    let workshop = workshop(&sandbox);
    let error = upstream(&sandbox, &workshop, &source, Some("mian")).unwrap_err();
    assert!(error.to_string().ends_with("source.git has no branch \"mian\""), "{error}");
    assert!(error.help().contains("git ls-remote --heads"));
    for odd in ["-x", "--upload-pack=x", "a b", "a..b", "", "a:b", "*", "x.lock", "HEAD", "@{-1}"] {
        let error = upstream(&sandbox, &workshop, &source, Some(odd)).unwrap_err();
        assert!(matches!(error, UpstreamError::BadBranch { .. }), "{odd}: {error}");
    }
    let empty = sandbox.bare("unborn.git");
    let error = upstream(&sandbox, &workshop, &empty, Some("main")).unwrap_err();
    assert!(matches!(error, UpstreamError::NoSuchBranch { .. }), "{error}");
}

#[test]
fn a_source_that_is_itself_cut_off_is_not_taken_for_whole() {
    let sandbox = Sandbox::new();
    let (whole, ids) = source(&sandbox, 20);
    drop(sandbox.clone(&whole, "cut", &["--bare", "--depth=5"]));
    let cut = sandbox.path("cut");
    for setting in LIKE_GITHUB {
        sandbox.git(&cut, &["config", setting, "true"]);
    }
    let workshop = workshop(&sandbox);
    let mut upstream = upstream(&sandbox, &workshop, &cut, Some("main")).unwrap();
    assert!(upstream.find(&sha(ids[17])).unwrap().is_some());
    let error = upstream.find(&sha(ids[3])).unwrap_err();
    assert!(matches!(error, UpstreamError::Incomplete { .. }), "{error}");
}
