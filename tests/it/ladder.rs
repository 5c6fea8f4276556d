//! The ladder for a commit that is not in the clone: which rung has it, what the clone looks like
//! afterwards, and what is said when no rung has it.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::ecosystem::{Done, Run};
use crate::support::loopback::{Protocol, can_serve_git, git_server};
use crate::support::repository::{Sandbox, file_url};

fn list(sandbox: &Sandbox) -> PathBuf {
    let text = r#"[{"repo": "acme/all", "subscriptions": ["**"]}]"#;
    sandbox.write(sandbox.path(), "list.json", text);
    sandbox.path().join("list.json")
}

/// Prepares a dry run, without any event.
pub(crate) fn dry_run(sandbox: &Sandbox, dir: &Path, args: &[&str]) -> Run {
    Run::new(sandbox)
        .dir(dir)
        .args(["dispatch", "--dry-run", "--format=json", "--source=acme/monorepo", "--ecosystem"])
        .arg(list(sandbox))
        .args(args)
}

/// Prepares the dry run of a push from `before` to `after`.
pub(crate) fn push(sandbox: &Sandbox, dir: &Path, before: &str, after: &str) -> Run {
    let event = format!(
        r#"{{"ref": "refs/heads/main", "before": "{before}", "after": "{after}",
            "forced": false, "repository": {{"default_branch": "main"}}}}"#
    );
    sandbox.write(sandbox.path(), "event.json", &event);
    dry_run(sandbox, dir, &[])
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_EVENT_PATH", sandbox.path().join("event.json"))
}

fn range(done: Done) -> Value {
    done.expect_code(0).json()["range"].take()
}

pub(crate) fn found_by(done: Done) -> String {
    let range = range(done);
    assert_eq!(range["complete"], true, "{range}");
    range["found_by"].as_str().unwrap().to_owned()
}

/// Everything in a clone that a fetch could change, other than objects and where history ends.
fn state(sandbox: &Sandbox, clone: &Path) -> [String; 5] {
    let git_dir = PathBuf::from(sandbox.git(clone, &["rev-parse", "--absolute-git-dir"]));
    let read = |name: &str| std::fs::read_to_string(git_dir.join(name)).unwrap_or_default();
    [
        sandbox.git(clone, &["for-each-ref"]),
        read("HEAD"),
        read("FETCH_HEAD"),
        read("config"),
        sandbox.git(clone, &["status", "--porcelain"]),
    ]
}

#[test]
fn a_base_that_is_here_needs_no_remote() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &[]);
    sandbox.git(&clone, &["remote", "set-url", "origin", "file:///nowhere/at/all"]);
    let before = sandbox.rev(&bare, "step/before-head");
    assert_eq!(found_by(dry_run(&sandbox, &clone, &["--base", &before]).run()), "local");
}

#[test]
fn a_shallow_clone_gets_the_base_and_stays_as_it_is() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    sandbox.git(&clone, &["config", "fetch.prune", "true"]);
    sandbox.git(&clone, &["config", "remote.origin.tagOpt", "--tags"]);
    let before = state(&sandbox, &clone);
    let base = sandbox.rev(&bare, "step/mode");
    assert_eq!(found_by(dry_run(&sandbox, &clone, &["--base", &base]).run()), "fetched");
    assert_eq!(state(&sandbox, &clone), before);
    assert_eq!(sandbox.git(&clone, &["rev-list", "HEAD"]).lines().count(), 1, "still shallow");
    assert_eq!(sandbox.git(&clone, &["rev-list", &base]).lines().count(), 1, "that commit only");
    assert_eq!(found_by(dry_run(&sandbox, &clone, &["--base", &base]).run()), "local");
}

#[test]
fn a_linked_work_tree_of_a_shallow_clone_stays_shallow_too() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    sandbox.git(&clone, &["worktree", "add", "--quiet", "--detach", "../linked"]);
    let linked = sandbox.path().join("linked");
    let base = sandbox.rev(&bare, "step/mode");
    assert_eq!(found_by(dry_run(&sandbox, &linked, &["--base", &base]).run()), "fetched");
    assert_eq!(sandbox.git(&linked, &["rev-list", &base]).lines().count(), 1, "that commit only");
}

#[test]
fn a_full_clone_stays_full() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &["--single-branch", "--no-tags"]);
    let before = state(&sandbox, &clone);
    // Where main was before a force-push: on no branch and no tag of the clone.
    let base = sandbox.rev(&bare, "rewritten-before");
    assert_eq!(
        found_by(push(&sandbox, &clone, &base, &sandbox.rev(&bare, "main")).run()),
        "fetched"
    );
    assert_eq!(state(&sandbox, &clone), before);
    assert!(!clone.join(".git/shallow").exists());
    assert_eq!(sandbox.git(&clone, &["rev-parse", "--is-shallow-repository"]), "false");
}

#[test]
fn what_was_force_pushed_away_is_had_by_its_id_alone() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let before = sandbox.rev(&bare, "rewritten-before");
    for name in
        sandbox.git(&bare, &["for-each-ref", "--format=%(refname)", "--contains", &before]).lines()
    {
        sandbox.git(&bare, &["update-ref", "-d", name]);
    }
    for depth in [&["--depth=1"][..], &[]] {
        let clone = sandbox.clone(&bare, &format!("clone{}", depth.len()), depth);
        let head = sandbox.rev(&clone, "HEAD");
        assert_eq!(found_by(push(&sandbox, &clone, &before, &head).run()), "fetched");
        assert_eq!(
            found_by(
                push(&sandbox, &clone, &before, &head).args(["--remote", &file_url(&bare)]).run()
            ),
            "scratch"
        );
    }
}

/// Asserts that everything at head counts as changed, and that the cause is told.
fn everything(sandbox: &Sandbox, bare: &Path, done: Done, cause: &str) {
    let report = done.expect_code(0).json();
    let range = &report["range"];
    assert_eq!((&range["found_by"], &range["complete"]), (&"none".into(), &false.into()));
    assert_eq!(range["base"], Value::Null);
    let all = sandbox.git_bytes(bare, &["ls-tree", "-r", "-z", "--name-only", "main"]);
    assert_eq!(range["changed_paths"], all.iter().filter(|byte| **byte == 0).count());
    let warning =
        report["warnings"].as_array().unwrap().iter().find(|w| w["code"] == "incomplete-range");
    let message = warning.expect("a warning")["message"].as_str().unwrap();
    assert!(message.contains(cause), "{message}");
    assert!(message.contains("every path at head counts as changed"), "{message}");
}

#[test]
fn where_nobody_has_the_base_everything_counts_as_changed_and_the_cause_is_told() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let [base, main] = ["step/mode", "main"].map(|revision| sandbox.rev(&bare, revision));
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);

    let gone = "deadbeef".repeat(5);
    let done = push(&sandbox, &clone, &gone, &main).run();
    everything(&sandbox, &bare, done, "not our ref deadbeef");

    sandbox.git(&clone, &["remote", "set-url", "origin", "file:///nowhere/at/all"]);
    let done = push(&sandbox, &clone, &base, &main).run();
    everything(&sandbox, &bare, done, "/nowhere/at/all' does not appear to be a git repository");
    dry_run(&sandbox, &clone, &["--base", &base]).run().expect_code(2);

    sandbox.git(&clone, &["remote", "remove", "origin"]);
    let done = push(&sandbox, &clone, &base, &main).run();
    everything(&sandbox, &bare, done, "there is no origin");

    for url in ["ext::sh -c false", "https://me:secret@github.com/acme/monorepo", "-x"] {
        sandbox.git(&clone, &["config", "remote.origin.url", url]);
        let done = push(&sandbox, &clone, &base, &main).run();
        assert!(
            done.stderr.contains("origin is not used") && !done.stderr.contains("secret"),
            "{}",
            done.stderr
        );
        everything(&sandbox, &bare, done, "");
    }
}

#[test]
fn a_head_that_nobody_has_ends_the_run() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let gone = "deadbeef".repeat(5);
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    for remote in [None, Some(file_url(&bare)), Some("file:///nowhere".to_owned())] {
        let mut run = push(&sandbox, &clone, &sandbox.rev(&bare, "main"), &gone);
        if let Some(url) = &remote {
            run = run.args(["--remote", url]);
        }
        let done = run.run().expect_code(2);
        assert!(
            done.stderr.contains(&gone) && done.stderr.contains("git fetch failed"),
            "{}",
            done.stderr
        );
        assert_eq!(done.stdout, "");
    }
}

/// Overwrites what a clone has of objects.
fn tear(clone: &Path) {
    for file in std::fs::read_dir(clone.join(".git/objects/pack")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pack") {
            let length = std::fs::metadata(&path).unwrap().len();
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, vec![0xa5; usize::try_from(length).unwrap()]).unwrap();
        }
    }
}

#[test]
fn a_damaged_clone_is_left_alone_and_the_remote_asked_instead() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let [base, main] = ["step/before-head", "main"].map(|revision| sandbox.rev(&bare, revision));

    let torn = sandbox.clone(&bare, "torn", &[]);
    tear(&torn);
    let found = found_by(push(&sandbox, &torn, &base, &main).run());
    assert_eq!(found, "scratch");
    // HEAD says which commit is meant, even where the commit itself is damaged.
    let torn = sandbox.clone(&bare, "torn-as-well", &[]);
    tear(&torn);
    sandbox.git(&torn, &["config", "--rename-section", "remote.origin", "remote.elsewhere"]);
    let done = dry_run(&sandbox, &torn, &["--base", &base]).run().expect_code(2);
    assert!(done.stderr.contains(&main) && done.stderr.contains("git fsck"), "{}", done.stderr);
    sandbox.git(&torn, &["config", "--rename-section", "remote.elsewhere", "remote.origin"]);
    assert_eq!(found_by(dry_run(&sandbox, &torn, &["--base", &base]).run()), "scratch");

    let holed = sandbox.clone(&bare, "holed", &[]);
    let pack = holed.join(".git/objects/pack");
    let away = sandbox.path().join("away");
    std::fs::rename(&pack, &away).unwrap();
    std::fs::create_dir(&pack).unwrap();
    for file in std::fs::read_dir(&away).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "pack") {
            sandbox.git_fed(&holed, &["unpack-objects", "-q"], &std::fs::read(file).unwrap());
        }
    }
    let tree = sandbox.git(&holed, &["rev-parse", "HEAD:features"]);
    std::fs::remove_file(holed.join(".git/objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    assert_eq!(found_by(push(&sandbox, &holed, &base, &main).run()), "scratch");
    // And without the remote: no guess.
    sandbox.git(&holed, &["remote", "remove", "origin"]);
    let done = push(&sandbox, &holed, &base, &main).run().expect_code(2);
    assert!(done.stderr.contains(&tree) && done.stderr.contains("git fsck"), "{}", done.stderr);
}

#[test]
fn a_remote_is_named_by_url_or_path_and_needs_no_clone() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let range_args = ["--base=step/before-head", "--head=main"];
    let plain = bare.to_str().unwrap().to_owned();
    for remote in [file_url(&bare), plain, "monorepo.git".to_owned(), "./monorepo.git/".to_owned()]
    {
        let done = dry_run(&sandbox, sandbox.path(), &range_args).args(["--remote", &remote]).run();
        assert_eq!(found_by(done), "scratch", "{remote}");
    }
    // From the directory that is named, not the one that the program runs in.
    let done = dry_run(&sandbox, Path::new("/"), &range_args)
        .args(["--remote=../monorepo.git", "-C"])
        .arg(sandbox.home())
        .run();
    assert_eq!(found_by(done), "scratch");
    let relative = sandbox.clone(&bare, "relative", &["--depth=1"]);
    sandbox.git(&relative, &["remote", "set-url", "origin", "../monorepo.git"]);
    sandbox.write(&relative, "sub/x", "");
    let base = sandbox.rev(&bare, "step/mode");
    let done = dry_run(&sandbox, &relative.join("sub"), &["--base", &base]).run();
    assert_eq!(found_by(done), "fetched");
    assert_eq!(std::fs::read_dir(sandbox.temporary()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn settings_of_the_user_do_not_reach_the_scratch_repository() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    sandbox.write(
        &sandbox.home(),
        ".gitconfig",
        "[safe]\n bareRepository = explicit\n[init]\n defaultRefFormat = reftable\n \
         defaultObjectFormat = sha256\n templateDir = /nowhere\n[fetch]\n fsckObjects = true\n\
         [transfer]\n fsckObjects = true\n",
    );
    let args = ["--base=step/before-head", "--head=main", "--remote", &file_url(&bare)];
    assert_eq!(found_by(dry_run(&sandbox, sandbox.path(), &args).run()), "scratch");
}

#[test]
fn a_remote_that_holds_a_password_or_speaks_something_odd_is_refused() {
    let sandbox = Sandbox::new();
    let touched = sandbox.path().join("touched");
    let ext = format!("ext::sh -c touch% {}", touched.display());
    for remote in [
        "https://me:s3cret@github.com/acme/monorepo",
        "https://s3cret@github.com/acme/monorepo",
        "ssh://git:s3cret@github.com/acme/monorepo",
        "http://s3cret@127.0.0.1/x",
        &ext,
        "fd::0,1/x",
        "git://github.com/acme/monorepo",
        "ftp://github.com/acme/monorepo",
        "https://",
        "",
        "--upload-pack=touch",
        "https://github.com/a\nb",
    ] {
        let done = dry_run(&sandbox, sandbox.path(), &["--head=main", "--all", "-vvv"])
            .arg(format!("--remote={remote}"))
            .run()
            .expect_code(2);
        assert!(done.stderr.contains("help:"), "{remote}: {}", done.stderr);
        assert!(!done.stderr.contains("s3cret"), "{remote}: {}", done.stderr);
    }
    assert!(!touched.exists());
}

#[test]
fn an_old_server_that_serves_only_what_a_branch_reaches_is_enough_or_said_to_be_the_cause() {
    if !can_serve_git() {
        return;
    }
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    sandbox.git(&bare, &["config", "uploadpack.allowAnySHA1InWant", "false"]);
    sandbox.git(&bare, &["config", "uploadpack.allowFilter", "false"]);
    let [base, main] = ["step/before-head", "main"].map(|revision| sandbox.rev(&bare, revision));
    for (protocol, found) in [(Protocol::V2, "fetched"), (Protocol::V0, "none")] {
        // The tags of the sample would make its steps tips.
        for name in sandbox.git(&bare, &["tag"]).lines() {
            sandbox.git(&bare, &["tag", "-d", name]);
        }
        let server = git_server(sandbox.path(), protocol, None);
        let url = format!("{}/monorepo.git", server.url());
        let clone = sandbox.clone(&bare, found, &["--depth=1"]);
        sandbox.git(&clone, &["remote", "set-url", "origin", &url]);
        let done = push(&sandbox, &clone, &base, &main).run();
        if protocol == Protocol::V2 {
            assert_eq!(found_by(done), found);
        } else {
            everything(&sandbox, &bare, done, "unadvertised object");
        }
    }
}
