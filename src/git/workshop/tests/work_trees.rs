use std::os::unix::fs::{PermissionsExt as _, symlink};

use pretty_assertions::assert_eq;

use super::*;

const BEFORE: &[(&str, &str)] = &[("a", "a\n"), ("d/e/f", "f\n"), ("keep", "keep\n"), ("x", "x\n")];

/// A cousin with `BEFORE` in `in/to`, checked out.
fn cousin(sandbox: &Sandbox) -> (Repository, PathBuf) {
    let origin = sandbox.bare("origin.git");
    let all: Vec<(String, &str)> =
        BEFORE.iter().map(|(path, content)| (format!("in/to/{path}"), *content)).collect();
    let mut all: Vec<(&str, &str)> = all.iter().map(|(path, it)| (path.as_str(), *it)).collect();
    all.push(("root", "root\n"));
    sandbox.commits(&origin, "main", None, &[&all]);
    let clone = sandbox.clone(&origin, "cousin", &[]);
    (clone, sandbox.path("cousin/in/to"))
}

fn apply(
    workshop: &Workshop,
    clone: &Repository,
    before: &[(&str, &str)],
    after: &Files,
) -> Result<(), GitError> {
    workshop.apply_to_worktree(clone, &files(workshop, before), after, b"in/to")
}

#[test]
fn the_work_tree_becomes_what_is_wanted_and_the_index_stays() {
    let sandbox = Sandbox::new();
    let (clone, dir) = cousin(&sandbox);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    let mut after = files(
        &workshop,
        &[("a/now/a/directory", "1\n"), ("d", "a file\n"), ("keep", "keep\n"), ("run", "#!\n")],
    );
    after.get_mut(&b"run"[..]).unwrap().mode = Mode::Executable;
    let target = workshop.write_blob(b"keep").unwrap();
    after.insert(b"link".to_vec(), Entry { mode: Mode::Symlink, id: target });
    after.insert(b"sub".to_vec(), Entry { mode: Mode::Submodule, id: target });
    after.insert(b"\xff\xfe".to_vec(), Entry { mode: Mode::File, id: target });
    let index = fs::read(sandbox.path("cousin/.git/index")).unwrap();
    apply(&workshop, &clone, BEFORE, &after).unwrap();
    assert_eq!(fs::read(dir.join("a/now/a/directory")).unwrap(), b"1\n");
    assert_eq!(fs::read(dir.join("d")).unwrap(), b"a file\n");
    assert_eq!(fs::read_link(dir.join("link")).unwrap(), Path::new("keep"));
    assert_eq!(fs::metadata(dir.join("run")).unwrap().permissions().mode() & 0o111, 0o111);
    assert!(dir.join("sub").is_dir() && !dir.join("x").exists());
    assert_eq!(fs::read(sandbox.path("cousin/.git/index")).unwrap(), index);
    // Once more changes nothing, and back again is as before.
    apply(&workshop, &clone, BEFORE, &after).unwrap();
    workshop.apply_to_worktree(&clone, &after, &files(&workshop, BEFORE), b"in/to").unwrap();
    assert_eq!(sandbox.git(&sandbox.path("cousin"), &["status", "--porcelain"]), "");
    apply(&workshop, &clone, BEFORE, &Files::new()).unwrap();
    assert!(!sandbox.path("cousin/in").exists(), "emptied directories are gone");
    assert!(sandbox.path("cousin/root").exists());
}

/// Does to the work tree what a person may have done.
type Doing = fn(&Path);

#[test]
fn nothing_is_lost_and_nothing_is_written_where_one_path_is_in_the_way() {
    let cases: &[(&str, Doing, &str)] = &[
        ("edited", |dir| fs::write(dir.join("a"), "mine").unwrap(), "\"in/to/a\" was changed here"),
        (
            "made executable",
            |dir| {
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(dir.join("a"), mode).unwrap();
            },
            "\"in/to/a\" was changed here",
        ),
        (
            "untracked",
            |dir| fs::write(dir.join("new"), "mine").unwrap(),
            "\"in/to/new\" is there and not of the commit",
        ),
        ("deleted", |dir| fs::remove_file(dir.join("a")).unwrap(), "\"in/to/a\" was deleted here"),
        (
            "edited where it is to be deleted",
            |dir| fs::write(dir.join("x"), "mine").unwrap(),
            "\"in/to/x\" was changed here",
        ),
        (
            "a directory in the way",
            |dir| {
                fs::create_dir(dir.join("new")).unwrap();
                fs::write(dir.join("new/mine"), "mine").unwrap();
            },
            "\"in/to/new\" holds files that would be lost",
        ),
        (
            "a file beside those that make room",
            |dir| fs::write(dir.join("d/e/mine"), "mine").unwrap(),
            "\"in/to/d\" holds files that would be lost",
        ),
        (
            "a file where a directory is to be",
            |dir| fs::write(dir.join("n"), "mine").unwrap(),
            "\"in/to/n/o\" lies below what is no directory",
        ),
        (
            "a link to a file",
            |dir| {
                fs::remove_file(dir.join("a")).unwrap();
                symlink("keep", dir.join("a")).unwrap();
            },
            "\"in/to/a\" was changed here",
        ),
        (
            "a link to a directory elsewhere",
            |dir| symlink("/tmp", dir.join("n")).unwrap(),
            "\"in/to/n/o\" lies behind a symbolic link",
        ),
        (
            "a link above",
            |dir| {
                fs::rename(dir, dir.with_file_name("other")).unwrap();
                symlink("other", dir).unwrap();
            },
            "\"in/to/a\" lies behind a symbolic link",
        ),
    ];
    for (what, doing, expected) in cases {
        let sandbox = Sandbox::new();
        let (clone, dir) = cousin(&sandbox);
        let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
        doing(&dir);
        let status = |args: &[&str]| sandbox.git(&sandbox.path("cousin"), args);
        let before = status(&["status", "--porcelain", "-uall"]);
        let after = files(
            &workshop,
            &[("a", "new\n"), ("d", "file"), ("keep", "keep\n"), ("n/o", "o"), ("new", "new\n")],
        );
        let error = apply(&workshop, &clone, BEFORE, &after).unwrap_err().to_string();
        assert!(error.starts_with("the work tree is left as it is: "), "{what}: {error}");
        assert!(error.contains(expected), "{what}: {error}");
        assert_eq!(status(&["status", "--porcelain", "-uall"]), before, "{what}");
    }
}

#[test]
fn no_path_leads_out_of_the_work_tree_or_into_git() {
    let sandbox = Sandbox::new();
    let (clone, _) = cousin(&sandbox);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    for odd in [
        "../../../x",
        ".git/hooks/pre-commit",
        ".GIT/x",
        "git~1/x",
        "/x",
        "a/./b",
        ".g\u{200c}it/x",
    ] {
        let after = files(&workshop, &[(odd, "evil")]);
        let error = workshop.apply_to_worktree(&clone, &Files::new(), &after, b"").unwrap_err();
        assert!(error.to_string().contains("cannot be the path of a file"), "{odd}: {error}");
    }
    let bare = Repository::open_bare(sandbox.path("origin.git")).unwrap();
    let error = workshop.apply_to_worktree(&bare, &Files::new(), &Files::new(), b"").unwrap_err();
    assert!(error.to_string().contains("bare repository"), "{error}");
}

#[test]
fn a_submodules_files_are_left_alone() {
    let sandbox = Sandbox::new();
    let (clone, dir) = cousin(&sandbox);
    let workshop = Workshop::new(&sandbox.program(), &clone).unwrap();
    let id = workshop.write_blob(b"").unwrap();
    let before: Files = [(b"sub".to_vec(), Entry { mode: Mode::Submodule, id })].into();
    fs::create_dir_all(dir.join("sub")).unwrap();
    fs::write(dir.join("sub/mine"), "mine").unwrap();
    let apply = || workshop.apply_to_worktree(&clone, &before, &Files::new(), b"in/to");
    assert!(apply().unwrap_err().to_string().contains("holds a submodule's files"));
    fs::remove_file(dir.join("sub/mine")).unwrap();
    apply().unwrap();
    assert!(!dir.join("sub").exists());
}
