use pretty_assertions::assert_eq;

use super::*;

const A: &[(&str, &str)] = &[("a", "a\n")];
const B: &[(&str, &str)] = &[("a", "b\n"), ("d/e", "e\n")];

fn told(workshop: &Workshop, tip: ObjectId, base: ObjectId) -> Result<Vec<String>, GitError> {
    let beyond = workshop.commits_beyond(tip, base)?;
    Ok(beyond.into_iter().map(|record| record.id.to_string()).collect())
}

fn names(ids: &[ObjectId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn a_branch_is_fetched_with_what_it_has_beyond_the_base() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let main = sandbox.commits(&origin, "main", None, &[A; 80]);
    let all = [
        ("full", &["--single-branch"][..]),
        ("shallow", &["--depth=1"]),
        ("blobless", &["--single-branch", "--filter=blob:none"]),
        ("treeless", &["--single-branch", "--filter=tree:0", "--no-checkout"]),
    ]
    .map(|(kind, args)| (kind, sandbox.clone(&origin, kind, args)));
    let on_top = sandbox.commits(&origin, "on-top", Some(main[79]), &[B, A, B]);
    let from_below = sandbox.commits(&origin, "from-below", Some(main[5]), &[B, A, B]);
    let remote = sandbox.remote(&origin);
    for (kind, clone) in all {
        let was_shallow = fs::read(clone.commondir().join("shallow")).unwrap_or_default();
        let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
        for (branch, ids) in [("on-top", &on_top), ("from-below", &from_below)] {
            let reference = format!("refs/heads/{branch}");
            let into = format!("refs/cousin/{branch}");
            let tip = workshop.fetch_branch(&remote, &reference, &into).unwrap();
            assert_eq!(tip, ids[2], "{kind}");
            assert_eq!(told(&workshop, tip, main[79]).unwrap(), names(ids), "{kind} {branch}");
            for id in ids {
                let files = workshop.files(workshop.root(*id).unwrap()).unwrap();
                for entry in files.values() {
                    assert!(!workshop.blob(entry.id).unwrap().is_empty(), "{kind}");
                }
            }
            // What is built on top of it can be pushed.
            let commit = commit_on(&workshop, tip, "new", &files(&workshop, &[("n", kind)]));
            let update =
                PushRef { reference, new: Some(commit), expected: Some(tip), force: false };
            assert_eq!(workshop.push(&remote, &[update]).unwrap()[0].1, Ok(()), "{kind}");
            let name = format!("refs/heads/{branch}");
            sandbox.git(&origin, &["update-ref", &name, &tip.to_string()]);
        }
        let shallow = fs::read(clone.commondir().join("shallow")).unwrap_or_default();
        assert_eq!(shallow, was_shallow, "{kind}");
    }
}

#[test]
fn a_branch_that_is_merged_has_nothing_beyond_the_base() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let main = sandbox.commits(&origin, "main", None, &[A; 70]);
    sandbox.git(&origin, &["update-ref", "refs/heads/old", &main[2].to_string()]);
    let remote = sandbox.remote(&origin);
    for (kind, args) in [("full", &[][..]), ("shallow", &["--depth=1"])] {
        let clone = sandbox.clone(&origin, kind, args);
        let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
        let tip = workshop.fetch_branch(&remote, "refs/heads/old", "refs/cousin/old").unwrap();
        assert_eq!(told(&workshop, tip, main[69]).unwrap(), [""; 0], "{kind}");
    }
}

#[test]
fn a_history_that_does_not_tell_is_an_error_and_never_empty() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let main = sandbox.commits(&origin, "main", None, &[A; 5]);
    let clone = sandbox.clone(&origin, "cut", &["--depth=2"]);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    // No origin is known, and the parent of the older one is hidden.
    assert_eq!(told(&workshop, main[2], main[4]).unwrap(), [""; 0], "a parent link says so");
    let error = told(&workshop, main[1], main[4]).unwrap_err().to_string();
    assert!(error.contains("the history is cut off"), "{error}");
    assert_eq!(told(&workshop, main[4], main[3]).unwrap(), names(&main[4..]));
    // An origin that is cut off itself is not asked for ever.
    drop(sandbox.clone(&origin, "cut.git", &["--bare", "--depth=3"]));
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    workshop.set_origin(&sandbox.remote(&sandbox.path("cut.git")));
    assert_eq!(told(&workshop, main[4], main[2]).unwrap(), names(&main[3..]));
    assert!(told(&workshop, main[1], main[4]).is_err());
    let error = workshop.fetch_branch(&sandbox.remote(&origin), "refs/heads/no", "refs/x/y");
    assert!(error.unwrap_err().to_string().contains("refs/heads/no"));
}

#[test]
fn the_cousins_history_is_completed_in_the_workshop_and_not_in_the_clone() {
    let sandbox = Sandbox::new();
    let origin = sandbox.bare("origin.git");
    let main = sandbox.commits(&origin, "main", None, &[A, B, A, B]);
    for (kind, args) in [("shallow", &["--depth=1"][..]), ("full", &[])] {
        let clone = sandbox.clone(&origin, kind, args);
        let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
        workshop.unshallow(&sandbox.remote(&origin)).unwrap();
        assert_eq!(told(&workshop, main[3], main[0]).unwrap(), names(&main[1..]), "{kind}");
        assert_eq!(workshop.files(workshop.root(main[1]).unwrap()).unwrap().len(), 2);
        assert!(!workshop.path().join("shallow").exists());
        assert_eq!(clone.commondir().join("shallow").exists(), kind == "shallow");
    }
}
