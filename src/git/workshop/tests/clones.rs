use pretty_assertions::assert_eq;

use super::*;

const COUSIN: &[(&str, &str)] = &[("a/b", "b\n"), ("src/push/x", "x\n"), ("z", "z\n")];
const OLDER: &[(&str, &str)] = &[("a/b", "old\n"), ("gone", "gone\n"), ("z", "z\n")];

/// Every kind of clone that a cousin may be worked on in, of an origin with a longer history.
fn clones(sandbox: &Sandbox, origin: &Path) -> Vec<(&'static str, Repository)> {
    let plain = sandbox.clone(origin, "full", &[]);
    sandbox.git(&sandbox.path("full"), &["worktree", "add", "-q", "--detach", "../linked"]);
    drop(sandbox.clone(origin, "shallow-too", &["--depth=1"]));
    let shallow_too = sandbox.path("shallow-too");
    sandbox.git(&shallow_too, &["worktree", "add", "-q", "--detach", "../shallow-linked"]);
    let reference = format!("--reference={}", sandbox.path("full").display());
    let mut all = vec![("full", plain)];
    for (name, args) in [
        ("depth 1", &["--depth=1"][..]),
        ("blobless", &["--filter=blob:none"]),
        ("treeless", &["--filter=tree:0"]),
        ("blobless, not checked out", &["--filter=blob:none", "--no-checkout"]),
        ("shallow and blobless", &["--filter=blob:none", "--depth=1", "--no-checkout"]),
        ("borrowing", &["--shared", &reference]),
        ("bare", &["--bare"]),
        ("bare and shallow", &["--bare", "--depth=1"]),
    ] {
        all.push((name, sandbox.clone(origin, &name.replace([' ', ','], "-"), args)));
    }
    all.push(("linked work tree", crate::git::open(&sandbox.path("linked")).unwrap()));
    let linked = crate::git::open(&sandbox.path("shallow-linked")).unwrap();
    all.push(("linked work tree of a shallow clone", linked));
    all
}

fn push_ref(reference: &str, new: ObjectId, expected: Option<ObjectId>) -> PushRef {
    PushRef { reference: reference.to_owned(), new: Some(new), expected, force: false }
}

#[test]
fn a_commit_on_the_cousins_head_is_pushed_from_every_kind_of_clone() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    // As GitHub does.
    sandbox.git(&origin, &["config", "receive.fsckObjects", "true"]);
    let ids = sandbox.commits(&origin, "main", None, &[OLDER, OLDER, COUSIN]);
    let head = ids[2];
    let remote = sandbox.remote(&origin);
    for (number, (kind, clone)) in clones(&sandbox, &origin).into_iter().enumerate() {
        let before = listing(&sandbox, clone.commondir());
        let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
        workshop.set_origin(&remote);
        let mut new = files(&workshop, &[("x", "new\n"), ("y/z", kind)]);
        // A file of the cousin's that only changes its place: no blob of it need be here.
        let Found::Entry(moved) = workshop.at(workshop.root(head).unwrap(), b"a/b").unwrap() else {
            panic!("{kind}");
        };
        new.insert(b"moved".to_vec(), moved);
        let commit = commit_on(&workshop, head, "src/push", &new);
        let reference = format!("refs/heads/update-{number}");
        let told = workshop.push(&remote, &[push_ref(&reference, commit, None)]).unwrap();
        assert_eq!(told, [(reference.clone(), Ok(()))], "{kind}");
        let listed = sandbox.git(&origin, &["ls-tree", "-r", "--name-only", &reference]);
        assert_eq!(listed, "a/b\nsrc/push/moved\nsrc/push/x\nsrc/push/y/z\nz", "{kind}");
        let count = sandbox.git(&origin, &["rev-list", "--count", &reference]);
        assert_eq!(count, "4", "{kind}: the history is whole there");
        assert_eq!(listing(&sandbox, clone.commondir()), before, "{kind}: the clone is as it was");
    }
    sandbox.git(&origin, &["fsck", "--strict"]);
    assert!(!origin.join("shallow").exists());
}

/// Returns the refs of a repository and the names of all files in it but objects.
fn listing(sandbox: &Sandbox, dir: &Path) -> String {
    let mut all = vec![sandbox.git(dir, &["for-each-ref"])];
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let length = entry.metadata().unwrap().len();
                all.push(format!("{} {length}", path.display()));
            }
        }
    }
    all.sort_unstable();
    all.join("\n")
}

#[test]
fn an_origin_whose_branches_have_moved_on_is_pushed_to_as_well() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let ids = sandbox.commits(&origin, "main", None, &[OLDER, COUSIN]);
    let remote = sandbox.remote(&origin);
    let all = clones(&sandbox, &origin);
    sandbox.commits(&origin, "main", Some(ids[1]), &[&[("other", "other\n")]]);
    for (number, (kind, clone)) in all.into_iter().enumerate() {
        let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
        workshop.set_origin(&remote);
        let new = files(&workshop, &[("x", kind)]);
        let commit = commit_on(&workshop, ids[1], "src/push", &new);
        let reference = format!("refs/heads/update-{number}");
        let told = workshop.push(&remote, &[push_ref(&reference, commit, None)]).unwrap();
        assert_eq!(told, [(reference, Ok(()))], "{kind}");
    }
}

#[test]
fn a_ref_is_written_only_where_it_is_what_was_expected() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let ids = sandbox.commits(&origin, "main", None, &[OLDER, COUSIN]);
    let theirs = sandbox.commits(&origin, "update", Some(ids[1]), &[&[("p", "person\n")]])[0];
    let clone = sandbox.clone(&origin, "cousin", &[]);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    let remote = sandbox.remote(&origin);
    let commit = commit_on(&workshop, ids[1], "a", &files(&workshop, &[("n", "n")]));
    let update = "refs/heads/update";
    let push = |new, expected, force| {
        let update = PushRef { reference: update.to_owned(), new, expected, force };
        workshop.push(&remote, &[update]).unwrap().remove(0).1
    };
    assert!(push(Some(commit), None, true).unwrap_err().contains("stale info"), "it is there");
    assert!(push(Some(commit), Some(ids[1]), true).unwrap_err().contains("stale info"));
    let lost = push(Some(commit), Some(theirs), false).unwrap_err();
    assert!(lost.contains("would be lost"), "{lost}");
    assert_eq!(sandbox.git(&origin, &["rev-parse", update]), theirs.to_string());
    assert_eq!(push(Some(commit), Some(theirs), true), Ok(()));
    assert_eq!(sandbox.git(&origin, &["rev-parse", update]), commit.to_string());
    assert_eq!(push(Some(commit), Some(commit), false), Ok(()), "up to date");
    assert!(push(None, Some(theirs), true).is_err());
    assert_eq!(push(None, Some(commit), true), Ok(()));
    assert_eq!(push(None, None, true), Ok(()), "what is not there is gone");
    let tips = workshop.tips(&remote, &["refs/heads/*", "HEAD"]).unwrap();
    let names: Vec<&str> = tips.keys().map(String::as_str).collect();
    assert_eq!(names, ["HEAD", "refs/heads/main"]);
    assert_eq!(tips["HEAD"], ids[1]);
    assert_eq!(workshop.default_branch(&remote).unwrap().as_deref(), Some("refs/heads/main"));
}

#[test]
fn what_the_server_refuses_is_told_ref_by_ref_in_its_words() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let ids = sandbox.commits(&origin, "main", None, &[COUSIN]);
    let hook = origin.join("hooks/update");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\ncase $1 in */no) echo refused here >&2; exit 1;; esac\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let clone = sandbox.clone(&origin, "cousin", &[]);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    let commit = commit_on(&workshop, ids[0], "a", &files(&workshop, &[("n", "n")]));
    let updates = ["refs/heads/no", "refs/heads/yes"].map(|name| push_ref(name, commit, None));
    let told = workshop.push(&sandbox.remote(&origin), &updates).unwrap();
    assert_eq!(told[0].1, Err("[remote rejected] (hook declined)".to_owned()));
    assert_eq!(told[1].1, Ok(()));
    for odd in ["main", "refs/heads/a b", "refs/heads/a:refs/heads/main", "refs/heads/*", ""] {
        assert!(workshop.push(&sandbox.remote(&origin), &[push_ref(odd, commit, None)]).is_err());
    }
}

#[test]
fn no_hook_and_no_setting_of_the_clone_takes_part() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let ids = sandbox.commits(&origin, "main", None, &[COUSIN]);
    let clone = sandbox.clone(&origin, "cousin", &[]);
    let dir = sandbox.path("cousin");
    let trace = sandbox.path("ran");
    let script = format!("#!/bin/sh\ntouch {}\n", trace.display());
    for name in ["pre-push", "post-update", "reference-transaction", "pre-commit"] {
        let hook = dir.join(".git/hooks").join(name);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, &script).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let command = format!("touch {}", trace.display());
    for name in ["core.fsmonitor", "core.sshCommand", "merge.x.driver", "filter.x.clean"] {
        sandbox.git(&dir, &["config", name, &command]);
    }
    sandbox.git(&dir, &["config", "core.hooksPath", ".git/hooks"]);
    fs::remove_file(&trace).ok();
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    let commit = commit_on(&workshop, ids[0], "a", &files(&workshop, &[("n", "n")]));
    let remote = sandbox.remote(&origin);
    workshop.push(&remote, &[push_ref("refs/heads/u", commit, None)]).unwrap().remove(0).1.unwrap();
    workshop.fetch_branch(&remote, "refs/heads/u", "refs/cousin/u").unwrap();
    workshop.export(&clone, commit, &ids).unwrap();
    assert!(!trace.exists());
}
