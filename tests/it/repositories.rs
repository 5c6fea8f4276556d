//! Repositories of every kind: bare, linked, sparse, somebody else's, of formats that libgit2 does
//! not read, and those made to do harm. Each works, or ends in an error with cause and remedy;
//! nothing of a repository's own is ever run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;

use crate::support::ecosystem::{Done, Run};
use crate::support::repository::{Sandbox, file_url};
use crate::support::skipped;

const EVERYTHING: &str = r#"[{"repo": "acme/all", "subscriptions": ["**"]}]"#;

fn dry_run(sandbox: &Sandbox, dir: &Path, args: &[&str]) -> Run {
    sandbox.write(sandbox.path(), "list.json", EVERYTHING);
    Run::new(sandbox)
        .dir(dir)
        .args(["dispatch", "--dry-run", "--format=json", "--source=acme/monorepo", "--ecosystem"])
        .arg(sandbox.path().join("list.json"))
        .args(args)
}

/// Returns where the range was found and how many paths have changed.
fn found(done: Done) -> (String, u64) {
    let report = done.expect_code(0).json();
    let range = &report["range"];
    assert_eq!(range["complete"], true, "{report}");
    (range["found_by"].as_str().unwrap().to_owned(), range["changed_paths"].as_u64().unwrap())
}

fn local(changed: u64) -> (String, u64) {
    ("local".to_owned(), changed)
}

/// Ends with exit 2 after words that name the cause and the remedy.
fn refused(done: Done, words: &[&str]) {
    let done = done.expect_code(2);
    assert_eq!(done.stdout, "");
    for word in words.iter().chain(&["help:"]) {
        assert!(done.stderr.contains(word), "{word}: {}", done.stderr);
    }
}

#[test]
fn bare_linked_and_sparse_repositories_work_like_any_other() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    assert_eq!(found(dry_run(&sandbox, &bare, &[]).run()), local(4));
    let clone = sandbox.clone(&bare, "clone", &["--sparse"]);
    assert!(!clone.join("features").exists());
    let range = ["--base", "HEAD~1"];
    assert_eq!(found(dry_run(&sandbox, &clone, &range).run()), local(4));
    sandbox.git(&clone, &["worktree", "add", "--quiet", "../linked", "-b", "linked"]);
    let linked = sandbox.path().join("linked");
    sandbox.write(&linked, "below/it/x", "");
    assert_eq!(found(dry_run(&sandbox, &linked.join("below/it"), &range).run()), local(4));
    sandbox.git(&clone, &["config", "extensions.worktreeConfig", "true"]);
    assert_eq!(found(dry_run(&sandbox, &linked, &range).run()), local(4));
    // The list of a bare repository is that of head.
    let run = Run::new(&sandbox).dir(&bare).args(["dispatch", "--dry-run", "--format=json"]);
    let report = run.run().expect_code(0).json();
    assert_eq!(report["summary"]["planned"], 7);
    assert_eq!(report["warnings"][0]["code"], "unknown-source");
}

#[test]
fn variables_that_point_git_elsewhere_are_not_followed() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let other = sandbox.new_repository("other");
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    let done = dry_run(&sandbox, &clone, &["--base=HEAD~1"])
        .env("GIT_DIR", other.join(".git"))
        .env("GIT_WORK_TREE", &other)
        .env("GIT_INDEX_FILE", other.join("index"))
        .env("GIT_OBJECT_DIRECTORY", other.join(".git/objects"))
        .env("GIT_NAMESPACE", "x")
        .run();
    assert_eq!(found(done), ("fetched".to_owned(), 4));
}

#[cfg(unix)]
#[test]
fn a_clone_of_another_owner_is_read_and_never_fetched_into() {
    use std::os::unix::fs::chown;
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    sandbox
        .git(&clone, &["fetch", "--quiet", "--depth=1", "origin", &sandbox.rev(&bare, "HEAD~1")]);
    let touched = sandbox.path().join("touched");
    sandbox.git(&clone, &["config", "core.sshCommand", &format!("touch {};", touched.display())]);
    let mut all = vec![clone.clone()];
    while let Some(path) = all.pop() {
        if chown(&path, Some(12_345), Some(12_345)).is_err() {
            skipped("only root can give a clone to another owner");
            return;
        }
        if path.is_dir() && !path.is_symlink() {
            all.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert_eq!(found(dry_run(&sandbox, &clone, &["--base=HEAD~1"]).run()), local(4));
    let base = sandbox.rev(&bare, "step/mode");
    let done = dry_run(&sandbox, &clone, &["--base", &base]).run();
    assert_eq!(found(done).0, "scratch");
    // Its settings count for nothing, also where it is only read.
    let config = std::fs::read_to_string(clone.join(".git/config")).unwrap();
    let config = config.replace(&file_url(&bare), "ssh://git@localhost:1/acme/monorepo");
    std::fs::write(clone.join(".git/config"), config).unwrap();
    let other = sandbox.rev(&bare, "step/symlink");
    let done = dry_run(&sandbox, &clone, &["--base", &other]).run();
    refused(done, &["dubious ownership", "ssh"]);
    assert!(!touched.exists(), "a setting of somebody else's was run");
}

#[cfg(unix)]
#[test]
fn the_ssh_key_that_the_checkout_configured_is_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    // Stands in for ssh: drops the host and runs what git wants to run there.
    let script = sandbox.path().join("as-ssh");
    sandbox.write(
        sandbox.path(),
        "as-ssh",
        "#!/bin/sh\necho \"$@\" >> \"$(dirname \"$0\")/log\"\nfor last; do :; done\neval \"$last\"\n",
    );
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    let url = format!("ssh://git@host.example{}", bare.display());
    sandbox.git(&clone, &["remote", "set-url", "origin", &url]);
    sandbox.git(&clone, &["config", "core.sshCommand", script.to_str().unwrap()]);
    sandbox.git(&clone, &["config", "ssh.variant", "simple"]);
    let base = sandbox.rev(&bare, "step/mode");
    assert_eq!(found(dry_run(&sandbox, &clone, &["--base", &base]).run()).0, "fetched");
    // Also for the scratch repository: git does not fetch into this clone.
    sandbox.git(&clone, &["config", "fetch.negotiationAlgorithm", "nonsense"]);
    let base = sandbox.rev(&bare, "step/symlink");
    assert_eq!(found(dry_run(&sandbox, &clone, &["--base", &base]).run()).0, "scratch");
    assert!(std::fs::read_to_string(sandbox.path().join("log")).unwrap().lines().count() >= 2);
}

/// Makes a repository of a format with one commit; `None`, said loudly, when git is too old.
fn of_format(sandbox: &Sandbox, option: &str) -> Option<PathBuf> {
    let made =
        sandbox.try_git(sandbox.path(), &["init", "--quiet", "-b", "main", option, "odd"], b"");
    if !made.status.success() {
        skipped(&format!("this git does not know {option}"));
        return None;
    }
    let odd = sandbox.path().join("odd");
    sandbox.write(&odd, "a", "1");
    sandbox.git(&odd, &["add", "--all"]);
    sandbox.git(&odd, &["commit", "--quiet", "-m", "first"]);
    Some(odd)
}

#[test]
fn refs_in_the_reftable_format_are_named_as_the_cause() {
    let sandbox = Sandbox::new();
    let Some(odd) = of_format(&sandbox, "--ref-format=reftable") else { return };
    refused(dry_run(&sandbox, &odd, &["--all"]).run(), &["refstorage", "reftable", "--remote"]);
    // The remedy works.
    let args = ["--all", "--head=main", "--remote", odd.to_str().unwrap()];
    assert_eq!(found(dry_run(&sandbox, sandbox.path(), &args).run()).1, 1);
}

#[test]
fn ids_of_sha_256_are_named_as_the_cause() {
    let sandbox = Sandbox::new();
    let Some(odd) = of_format(&sandbox, "--object-format=sha256") else { return };
    refused(dry_run(&sandbox, &odd, &["--all"]).run(), &["SHA-256", "SHA-1 repository"]);
    let args = ["--all", "--head=main", "--remote", odd.to_str().unwrap()];
    refused(dry_run(&sandbox, sandbox.path(), &args).run(), &["git fetch failed"]);
}

/// Puts a program at `path` that leaves a trace.
fn trap(path: &Path, touched: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create(path).unwrap();
    writeln!(file, "#!/bin/sh\necho \"$0\" >> '{}'", touched.display()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

const HOOKS: [&str; 9] = [
    "post-checkout",
    "reference-transaction",
    "post-merge",
    "pre-auto-gc",
    "fsmonitor-watchman",
    "post-index-change",
    "pre-receive",
    "update",
    "post-update",
];

#[test]
fn no_hook_runs_in_the_clone_the_remote_or_from_a_template() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    let touched = sandbox.path().join("touched");
    let template = sandbox.path().join("template");
    for hook in HOOKS {
        for dir in [clone.join(".git/hooks"), bare.join("hooks"), template.join("hooks")] {
            trap(&dir.join(hook), &touched);
        }
    }
    sandbox.git(
        sandbox.path(),
        &["config", "--global", "init.templateDir", template.to_str().unwrap()],
    );
    let global = template.join("hooks");
    let path = global.to_str().unwrap();
    sandbox.git(sandbox.path(), &["config", "--global", "core.hooksPath", path]);
    for dir in [&clone, &bare] {
        let hook = clone.join(".git/hooks/fsmonitor-watchman");
        sandbox.git(dir, &["config", "core.fsmonitor", hook.to_str().unwrap()]);
        sandbox.git(dir, &["config", "core.hooksPath", clone.join(".git/hooks").to_str().unwrap()]);
        sandbox.git(dir, &["config", "uploadpack.packObjectsHook", hook.to_str().unwrap()]);
    }
    let base = sandbox.rev(&bare, "step/mode");
    assert_eq!(found(dry_run(&sandbox, &clone, &["--base", &base]).run()).0, "fetched");
    let url = file_url(&bare);
    let args = ["--base", &base, "--head=main", "--remote", &url];
    assert_eq!(found(dry_run(&sandbox, sandbox.path(), &args).run()).0, "scratch");
    let ran = std::fs::read_to_string(&touched).unwrap_or_default();
    assert_eq!(ran, "");
}

#[test]
fn transports_that_run_programs_stay_shut_whatever_the_configuration_allows() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let touched = sandbox.path().join("touched");
    let ext = format!("ext::sh -c touch% {}", touched.display());
    let program = ext.strip_prefix("ext::").unwrap();
    let base = sandbox.rev(&bare, "step/mode");
    for (name, settings) in [
        ("url", vec![("remote.origin.url", ext.as_str())]),
        ("pushed-aside", vec![("url.ext::sh -c touch% TOUCHED #.insteadOf", "file://")]),
        // To libgit2 a path, to git a program.
        ("vcs", vec![("remote.origin.vcs", "ext"), ("remote.origin.url", program)]),
        ("git", vec![("remote.origin.url", "git://127.0.0.1/x"), ("core.gitProxy", ext.as_str())]),
    ] {
        let clone = sandbox.clone(&bare, name, &["--depth=1"]);
        for protocol in ["ext", "fd", "git"] {
            sandbox.git(&clone, &["config", &format!("protocol.{protocol}.allow"), "always"]);
        }
        sandbox.git(&clone, &["config", "protocol.allow", "always"]);
        for (key, value) in settings {
            let key = key.replace("TOUCHED", touched.to_str().unwrap());
            sandbox.git(&clone, &["config", &key, value]);
        }
        dry_run(&sandbox, &clone, &["--base", &base])
            .env("GIT_ALLOW_PROTOCOL", "ext:file:https")
            .run()
            .expect_code(2);
        assert!(!touched.exists(), "{name}");
    }
}

#[test]
fn what_a_fetched_repository_configures_counts_for_nothing() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let touched = sandbox.path().join("touched");
    let run = format!("touch {};", touched.display());
    for key in [
        "core.sshCommand",
        "core.fsmonitor",
        "core.pager",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "uploadpack.packObjectsHook",
        "remote.source.uploadpack",
        "remote.origin.uploadpack",
        "credential.helper",
        "diff.external",
        "core.editor",
        "alias.upload-pack",
        "alias.fetch",
    ] {
        sandbox.git(&bare, &["config", key, &run]);
    }
    let args = ["--base=step/mode", "--head=main", "--remote", &file_url(&bare)];
    assert_eq!(found(dry_run(&sandbox, sandbox.path(), &args).run()).0, "scratch");
    assert!(!touched.exists());
}

/// A tree's entry as it is written: mode, name and id.
type Raw<'a> = (&'a str, &'a [u8], &'a str);

/// Writes a commit of a tree that is given as raw bytes, and returns the commit's id.
fn commit_of(sandbox: &Sandbox, dir: &Path, entries: &[Raw<'_>]) -> String {
    let mut tree = Vec::new();
    for (mode, name, id) in entries {
        tree.extend_from_slice(mode.as_bytes());
        tree.push(b' ');
        tree.extend_from_slice(name);
        tree.push(0);
        tree.extend((0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
    }
    let args = ["hash-object", "-t", "tree", "-w", "--stdin", "--literally"];
    let tree = String::from_utf8(sandbox.git_fed(dir, &args, &tree)).unwrap();
    sandbox.git(dir, &["commit-tree", "-m", "hostile", tree.trim()])
}

#[test]
fn names_that_no_work_tree_could_hold_are_names_like_any_other() {
    let sandbox = Sandbox::new();
    let dir = sandbox.new_repository("names");
    sandbox.write(&dir, "a/b", "1");
    let first = sandbox.commit_all(&dir, "first");
    let blob = sandbox.git(&dir, &["rev-parse", "HEAD:a/b"]);
    let tree = sandbox.git(&dir, &["rev-parse", "HEAD:a"]);
    let head = commit_of(
        &sandbox,
        &dir,
        &[
            ("100644", b".", &blob),
            ("100644", b"..", &blob),
            ("40000", b".git", &tree),
            ("100644", b"::error::x\n::stop-commands::y", &blob),
            ("40000", b"GIT~1", &tree),
            ("100644", b"..\\x", &blob),
        ],
    );
    let done = dry_run(&sandbox, &dir, &["--base", &first, "--head", &head]).run();
    assert_eq!(found(done), local(7));
}

#[test]
fn trees_that_git_itself_would_not_write_end_in_a_clear_result() {
    let sandbox = Sandbox::new();
    let dir = sandbox.new_repository("broken");
    sandbox.write(&dir, "a/b", "1");
    let first = sandbox.commit_all(&dir, "first");
    let blob = sandbox.git(&dir, &["rev-parse", "HEAD:a/b"]);
    let tree = sandbox.git(&dir, &["rev-parse", "HEAD:a"]);
    let gone = "deadbeef".repeat(5);
    let cases: [(&str, &[Raw<'_>]); 8] = [
        ("out of order", &[("100644", b"z", &blob), ("100644", b"a", &blob)]),
        ("twice", &[("100644", b"z", &blob), ("100644", b"z", &blob)]),
        ("a file and a directory", &[("100644", b"z", &blob), ("40000", b"z", &tree)]),
        ("a slash", &[("100644", b"x/../../y", &blob)]),
        ("a blob as a directory", &[("40000", b"z", &blob)]),
        ("a directory that is not here", &[("40000", b"z", &gone)]),
        ("no name", &[("100644", b"", &blob)]),
        ("a mode of no kind", &[("7777777", b"z", &blob)]),
    ];
    for (name, entries) in cases {
        let head = commit_of(&sandbox, &dir, entries);
        for range in [[&first, &head], [&head, &first]] {
            let done = dry_run(&sandbox, &dir, &["--base", range[0], "--head", range[1]]).run();
            assert!(matches!(done.code, Some(0 | 2)), "{name}: {done:?}");
            assert!(!done.stderr.contains("panicked"), "{name}: {}", done.stderr);
            assert_eq!(done.code == Some(2), done.stderr.contains("help:"), "{name}: {done:?}");
        }
    }
    let cut = sandbox.git_fed(
        &dir,
        &["hash-object", "-t", "tree", "-w", "--stdin", "--literally"],
        b"100644 a\0xx",
    );
    let cut = String::from_utf8(cut).unwrap();
    let head = sandbox.git(&dir, &["commit-tree", "-m", "cut", cut.trim()]);
    refused(dry_run(&sandbox, &dir, &["--base", &first, "--head", &head]).run(), &["fsck"]);
}

#[test]
fn a_tree_may_be_as_deep_as_git_allows_and_no_deeper() {
    let sandbox = Sandbox::new();
    let dir = sandbox.new_repository("deep");
    sandbox.write(&dir, "a", "1");
    let first = sandbox.commit_all(&dir, "first");
    let blob = sandbox.git(&dir, &["rev-parse", "HEAD:a"]);
    let repository = git2::Repository::open(&dir).unwrap();
    let mut inner = ("100644", git2::Oid::from_str(&blob).unwrap());
    let odb = repository.odb().unwrap();
    for depth in 1..=5_000 {
        let mut bytes = format!("{} d\0", inner.0).into_bytes();
        bytes.extend_from_slice(inner.1.as_bytes());
        inner = ("40000", odb.write(git2::ObjectType::Tree, &bytes).unwrap());
        if depth == 2_000 || depth == 5_000 {
            let tree = inner.1.to_string();
            let head = sandbox.git(&dir, &["commit-tree", "-m", "deep", &tree]);
            let done = dry_run(&sandbox, &dir, &["--base", &first, "--head", &head]).run();
            if depth == 2_000 {
                assert_eq!(found(done), local(2));
            } else {
                refused(done, &["deeper than 2048 directories"]);
            }
        }
    }
}

#[test]
fn a_directory_of_a_hundred_thousand_files_is_no_matter() {
    let sandbox = Sandbox::new();
    let dir = sandbox.new_repository("wide");
    let mut import = String::from(
        "blob\nmark :1\ndata 1\n1\ncommit refs/heads/main\ncommitter A <a@b> 1768046400 +0000\ndata 1\nx\n",
    );
    for number in 0..100_000 {
        import.push_str(&format!("M 100644 :1 f/{number}\n"));
    }
    sandbox.git_fed(&dir, &["fast-import", "--quiet"], import.as_bytes());
    let started = Instant::now();
    assert_eq!(found(dry_run(&sandbox, &dir, &["--all"]).run()), local(100_000));
    assert!(started.elapsed() < Duration::from_secs(20));
}
