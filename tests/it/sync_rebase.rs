//! `ecosystem sync` by `rebase`: a cousin that is a fork of the monorepo and has commits of its own.

use ecosystem_dispatcher::embedded_github::MergeMethod;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::circle::{Circle, FEATURE, change, lines, write};

mod branches;
mod landing;

const BRANCH: &str = "update-from-upstream-features-push";
const APP: &str = "features/push/app.txt";

/// A fork with one more commit of its own, in [`APP`].
fn fork() -> Circle {
    let circle = Circle::forked();
    circle.here("own: nine\n\nFixes #1, thanks @ada", |web| change(web, APP, "app 9", "app nine"));
    circle
}

/// Returns the subjects of what the branch has beyond a revision, newest first.
fn subjects(circle: &Circle, beyond: &str, branch: &str) -> Vec<String> {
    let range = format!("{beyond}..{branch}");
    let log = circle.bare(&["log", "--first-parent", "--format=%s", &range]);
    log.lines().map(str::to_owned).collect()
}

fn outcome(report: &Value) -> &str {
    report["features"][0]["outcome"].as_str().unwrap()
}

/// Returns what was said at the step `applied`.
fn applied(report: &Value) -> String {
    let steps = report["features"][0]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["step"] == "applied");
    step.map(|step| step["message"].as_str().unwrap().to_owned()).unwrap_or_default()
}

/// Returns the commit that the lock file says the cousin has.
fn locked(circle: &Circle, revision: &str) -> String {
    let lock: Value = serde_json::from_str(&circle.at(revision, "ecosystem.lock.json")).unwrap();
    lock["features"][FEATURE]["commit"].as_str().unwrap().to_owned()
}

#[test]
fn own_commits_are_put_on_top_of_upstreams_as_they_are() {
    let circle = fork();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    let head = circle.upstream("up: other", |mono| write(mono, "features/other/y.txt", "y\n"));
    let report = circle.pull();
    assert_eq!(outcome(&report), "proposed", "{report:#}");
    let text = applied(&report);
    assert_eq!(text, "2 paths by rebase of 2 commits of this repository's own");
    let told = subjects(&circle, "main", BRANCH);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[0].starts_with("Update features/push to acme/monorepo@"), "{told:?}");
    assert_eq!(told[1..], ["own: nine", "the cousin's beginning", "up: other", "up: two"]);
    // Upstream's commits are the very same; own ones keep author, date and message.
    assert_eq!(circle.bare(&["rev-parse", &format!("{BRANCH}~3")]), head);
    let format = "--format=%an <%ae> %ad%n%B";
    let copied = circle.bare(&["log", "-1", format, &format!("{BRANCH}~1")]);
    assert_eq!(copied, circle.bare(&["log", "-1", format, "main"]));
    assert!(copied.contains("\n\nFixes #1, thanks @ada"), "{copied}");
    let expected = lines("app").replace("app 2", "app two").replace("app 9", "app nine");
    assert_eq!(circle.at(BRANCH, APP), expected.trim_end());
    assert_eq!(circle.at(BRANCH, "features/other/y.txt"), "y");
    assert_eq!(circle.at(BRANCH, "own.txt"), "the cousin's own");
    assert_eq!(locked(&circle, BRANCH), head);
    let pulls = circle.pulls();
    assert_eq!((pulls.len(), pulls[0].proposed.draft), (1, false));
    circle.bare(&["fsck", "--strict"]);

    // The second time nothing happens.
    let before = circle.bare(&["rev-parse", BRANCH]);
    assert_eq!(outcome(&circle.pull()), "nothing-to-do");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), before);
    assert_eq!(circle.pulls().len(), 1);
}

/// A fork whose own commits do not fit on upstream one by one, but as a whole.
fn entangled() -> Circle {
    let circle = fork();
    circle.here("own: five", |web| change(web, APP, "app 5", "app five"));
    circle.here("own: not five", |web| change(web, APP, "app five", "app 5"));
    circle.upstream("up: five", |mono| change(mono, APP, "app 5", "app fünf"));
    circle
}

#[test]
fn where_an_own_commit_conflicts_there_is_one_merge() {
    let circle = entangled();
    let report = circle.pull();
    assert_eq!(outcome(&report), "proposed", "{report:#}");
    assert!(applied(&report).contains("by a merge, since"), "{report:#}");
    let merge = format!("{BRANCH}~1");
    let parents = circle.bare(&["log", "-1", "--format=%P", &merge]);
    let main = circle.bare(&["rev-parse", "main"]);
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    assert_eq!(parents, format!("{main} {head}"));
    let expected = lines("app").replace("app 5", "app fünf").replace("app 9", "app nine");
    assert_eq!(circle.at(BRANCH, APP), expected.trim_end());
    assert_eq!((locked(&circle, BRANCH), circle.pulls()[0].proposed.draft), (head, false));
    assert_eq!(outcome(&circle.pull()), "nothing-to-do");
    // It is ours, and moves on.
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    assert_eq!(outcome(&circle.pull()), "updated");
    let parents = circle.bare(&["log", "-1", "--format=%P", &merge]);
    assert_eq!(parents.split(' ').next(), Some(&*main));
}

#[test]
fn a_conflict_of_the_whole_becomes_a_draft_or_a_failure() {
    let circle = fork();
    circle.upstream("up: nine", |mono| change(mono, APP, "app 9", "app neun"));
    let failing = ["--pull", "--conflict", "fail", "--format", "json"];
    let report = circle.sync().args(failing).run().expect_code(1).json();
    assert_eq!(report["features"][0]["code"], "conflict", "{report:#}");
    assert_eq!(circle.bare(&["branch", "--list", "update-*"]), "");
    let by_hand = report["features"][0]["by_hand"].as_str().unwrap();
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    assert!(by_hand.contains(&format!("\ngit rebase {head}\n")), "{by_hand}");
    assert!(!by_hand.contains("git apply") && by_hand.contains("\ngh pr create "), "{by_hand}");

    let report = circle.pull();
    assert_eq!(outcome(&report), "proposed", "{report:#}");
    assert!(circle.pulls()[0].proposed.draft);
    assert_eq!(report["features"][0]["conflicts"][0]["path"], APP, "{report:#}");
    let text = circle.at(BRANCH, APP);
    assert!(text.contains("<<<<<<< ours\napp nine\n"), "{text}");
    assert_eq!(circle.bare(&["log", "-1", "--format=%P", BRANCH]).split(' ').count(), 2);
}

#[test]
fn what_upstream_took_of_the_cousin_is_not_there_twice() {
    let circle = fork();
    circle.here("own: eight", |web| change(web, APP, "app 8", "app eight"));
    // One as it is, one under another message.
    circle.upstream("up: beside", |mono| write(mono, "features/push/new.txt", "new\n"));
    let web = circle.sandbox.path().join("web.git");
    circle.sandbox.git(&circle.mono, &["fetch", "-q", web.to_str().unwrap(), "main"]);
    circle.sandbox.git(&circle.mono, &["cherry-pick", "FETCH_HEAD~1"]);
    circle.upstream("up: eight is taken", |mono| change(mono, APP, "app 8", "app eight"));
    let report = circle.pull();
    assert_eq!(outcome(&report), "proposed", "{report:#}");
    let told = subjects(&circle, "main", BRANCH);
    let own = ["the cousin's beginning", "up: eight is taken", "own: nine", "up: beside"];
    assert_eq!(told[1..], own, "{report:#}");
    assert!(applied(&report).contains("rebase of 1 commit "), "{report:#}");
}

#[test]
fn a_fork_that_has_all_of_upstream_has_nothing_to_do() {
    let circle = fork();
    assert_eq!(outcome(&circle.pull()), "nothing-to-do");
    assert_eq!(circle.bare(&["branch", "--list", "update-*"]), "");
}

#[test]
fn a_history_that_cannot_be_completed_is_said_to_be_cut_off() {
    let circle = fork();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    let checkout = circle.checkout();
    circle.sandbox.git(&checkout, &["remote", "remove", "origin"]);
    let args = ["--pull", "--dry-run", "--format", "json"];
    let report = circle.sync_in(&checkout).args(args).run().expect_code(1).json();
    assert_eq!(report["features"][0]["code"], "cut-off", "{report:#}");
    let help = report["features"][0]["help"].as_str().unwrap();
    assert!(help.contains("git fetch --unshallow"), "{help}");
}

#[test]
fn commits_that_only_look_alike_are_all_put_on_top() {
    let circle = fork();
    for (from, to) in [("app 7", "app seven"), ("app seven", "app 7"), ("app 7", "app sept")] {
        circle.here("own: wip", |web| change(web, APP, from, to));
    }
    let head = circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    let report = circle.pull();
    assert_eq!(outcome(&report), "proposed", "{report:#}");
    let told = subjects(&circle, &head, BRANCH);
    let own = ["own: wip", "own: wip", "own: wip", "own: nine", "the cousin's beginning"];
    assert_eq!(told[1..], own, "{report:#}");
}

#[test]
fn without_a_shared_history_it_is_refused() {
    let circle = Circle::by("rebase");
    let report = circle.sync().args(["--pull", "--format", "json"]).run().expect_code(1).json();
    assert_eq!(outcome(&report), "refused", "{report:#}");
    let error = &report["features"][0];
    assert_eq!(error["code"], "no-shared-history", "{report:#}");
    let message = error["error"].as_str().unwrap();
    assert!(message.contains("shares no commit with acme/monorepo@"), "{message}");
    let help = error["help"].as_str().unwrap();
    assert!(help.contains("\"merge\" or \"squash\""), "{help}");
    assert_eq!(circle.bare(&["branch", "--list", "update-*"]), "");
}

/// Gives the monorepo more commits than are fetched at first.
fn long_history(circle: &Circle) {
    let mut stream = String::new();
    for number in 0..60 {
        stream +=
            "commit refs/heads/main\ncommitter Ada Test <ada@test.example> 1767000000 +0000\n";
        stream += &format!("data <<END\nup: {number}\nEND\n");
        stream += if number == 0 { "from refs/heads/main^0\n" } else { "" };
        stream +=
            &format!("M 100644 inline features/push/number.txt\ndata <<END\n{number}\nEND\n\n");
    }
    let bare = circle.sandbox.path().join("monorepo.git");
    circle.sandbox.git_fed(&bare, &["fast-import", "--quiet"], stream.as_bytes());
    circle.sandbox.git(&circle.mono, &["pull", "-q", "--ff-only", "origin", "main"]);
}

#[test]
fn every_kind_of_checkout_will_do() {
    let mut trees = Vec::new();
    for options in [
        &["--depth=1"][..],
        &[],
        &["--depth=2"],
        &["--filter=blob:none"],
        &["--filter=tree:0"],
        &["--filter=blob:none", "--depth=1", "--no-checkout"],
    ] {
        let circle = fork();
        let bare = circle.sandbox.path().join("web.git");
        for setting in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            circle.sandbox.git(&bare, &["config", setting, "true"]);
        }
        circle.here("own: in between", |web| write(web, "between.txt", "once\n"));
        circle.here("own: no more", |web| write(web, "between.txt", "now\n"));
        long_history(&circle);
        circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
        let checkout = circle.checkout_with(options);
        let subscriptions = circle.web.join("subscriptions.json");
        let sync = || {
            let run = circle.sync_in(&checkout).args(["--pull", "--format", "json"]);
            run.arg("--subscriptions").arg(&subscriptions)
        };
        // First without a push, into the clone itself; a branch of ours is moved.
        for _ in 0..2 {
            let report = sync().arg("--dry-run").run().expect_code(0).json();
            assert_eq!(outcome(&report), "committed", "{options:?}");
        }
        let log = circle.sandbox.git(&checkout, &["log", "--format=%s", BRANCH]);
        assert_eq!(log.lines().count(), 67, "{options:?}: {log}");
        let file = format!("{BRANCH}:{APP}");
        let text = circle.sandbox.git(&checkout, &["cat-file", "blob", &file]);
        assert!(text.contains("app two") && text.contains("app nine"), "{options:?}");

        let report = sync().run().expect_code(0).json();
        assert_eq!(outcome(&report), "proposed", "{options:?}: {report:#}");
        let told = subjects(&circle, "main", BRANCH);
        assert_eq!(told.len(), 66, "{options:?}: {told:?}");
        assert_eq!(told[1..3], ["own: no more", "own: in between"], "{options:?}");
        circle.bare(&["fsck", "--strict", "--connectivity-only"]);
        let listed = circle.bare(&["ls-tree", "-r", BRANCH]);
        trees.push(listed.lines().filter(|it| !it.contains("lock.json")).collect::<String>());
    }
    trees.dedup();
    assert_eq!(trees.len(), 1);
}

#[test]
fn workflows_of_upstream_are_refused_unless_they_are_wanted() {
    let circle = fork();
    circle.upstream("up: a workflow", |mono| {
        write(mono, ".github/workflows/ci.yml", "on: push\n");
        change(mono, APP, "app 2", "app two");
    });
    let args = ["--pull", "--format", "json"];
    let report = circle.sync().args(args).run().expect_code(1).json();
    assert_eq!(outcome(&report), "refused", "{report:#}");
    let error = &report["features"][0];
    assert_eq!(error["code"], "path-refused", "{report:#}");
    assert!(error["error"].as_str().unwrap().contains(".github/workflows/ci.yml"), "{error:#}");
    assert_eq!(circle.bare(&["branch", "--list", "update-*"]), "");
    let run = circle.sync().args(args).args(["--allow-workflows", "--dry-run"]).run();
    assert_eq!(outcome(&run.expect_code(0).json()), "committed");
}

#[test]
fn the_lock_file_and_the_subscriptions_stay_the_cousins_own() {
    let circle = fork();
    let own = circle.at("main", "subscriptions.json");
    circle.upstream("up: a cousin itself", |mono| {
        write(mono, "subscriptions.json", "[\"features/evil\"]\n");
        write(mono, "ecosystem.lock.json", "{}\n");
        change(mono, APP, "app 2", "app two");
    });
    let report = circle.pull();
    assert_eq!(outcome(&report), "proposed", "{report:#}");
    assert_eq!(circle.at(BRANCH, "subscriptions.json"), own);
    assert_eq!(locked(&circle, BRANCH), circle.sandbox.rev(&circle.mono, "HEAD"));
    assert!(applied(&report).contains("by rebase of 2 commits"), "{report:#}");
}

#[test]
fn the_work_tree_is_not_for_rebase() {
    let circle = fork();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    let args = ["--pull", "--worktree", "--format", "json"];
    let report = circle.sync().args(args).run().expect_code(1).json();
    let error = &report["features"][0];
    assert_eq!(error["code"], "rebase-worktree", "{report:#}");
    assert!(error["help"].as_str().unwrap().contains("git rebase"), "{error:#}");
}

#[test]
fn a_merge_in_the_cousins_own_history_is_no_hindrance() {
    let circle = fork();
    let mono = circle.mono.to_str().unwrap().to_owned();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    circle.here("own: seven", |web| change(web, APP, "app 7", "app seven"));
    circle.sandbox.git(&circle.web, &["fetch", "-q", &mono, "main"]);
    circle.sandbox.git(&circle.web, &["merge", "-q", "--no-edit", "FETCH_HEAD"]);
    circle.sandbox.git(&circle.web, &["push", "-q", "origin", "main"]);
    let head = circle.upstream("up: two again", |mono| change(mono, APP, "app two", "app zwei"));
    let report = circle.pull();
    assert_eq!(outcome(&report), "proposed", "{report:#}");
    let told = subjects(&circle, &head, BRANCH);
    assert_eq!(told[1..], ["own: seven", "own: nine", "the cousin's beginning"], "{report:#}");
    let expected = lines("app").replace("app 2", "app zwei").replace("app 7", "app seven");
    assert_eq!(circle.at(BRANCH, APP), expected.replace("app 9", "app nine").trim_end());
}

/// Makes a change of every kind below a directory, with names of its own.
#[cfg(unix)]
fn every_kind(circle: &Circle, dir: &std::path::Path, of: &str) {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt, symlink};

    let at = |name: &str| dir.join("features/push").join(of).join(name);
    let rename = |old: &str, new: &str| std::fs::rename(at(old), at(new)).unwrap();
    rename("old.txt", "renamed.txt");
    std::fs::remove_file(at("deleted.txt")).unwrap();
    std::fs::set_permissions(at("run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("renamed.txt", at("link")).unwrap();
    std::fs::write(at("binary"), b"\0\x01\xff\0new").unwrap();
    std::fs::write(at("crlf.txt"), "one\r\nzwei\r\n").unwrap();
    std::fs::write(at("").join(OsStr::from_bytes(b"caf\xe9")), "latin\n").unwrap();
    std::fs::write(at("empty"), "").unwrap();
    std::fs::remove_file(at("thing")).unwrap();
    write(dir, &format!("features/push/{of}/thing/below"), "a file becomes a directory\n");
    let link = format!("160000,{},features/push/{of}/module", "7".repeat(40));
    std::fs::create_dir_all(at("module")).unwrap();
    circle.sandbox.git(dir, &["add", "--all"]);
    circle.sandbox.git(dir, &["update-index", "--add", "--cacheinfo", &link]);
    circle.sandbox.git(dir, &["commit", "-q", "-m", &format!("{of}: every kind")]);
    circle.sandbox.git(dir, &["push", "-q", "origin", "HEAD"]);
}

#[cfg(unix)]
#[test]
fn changes_of_every_kind_come_out_as_git_rebases_them() {
    let circle = Circle::forked();
    circle.upstream("up: what is there", |mono| {
        for of in ["up", "own"] {
            let at = |name: &str| format!("features/push/{of}/{name}");
            write(mono, &at("old.txt"), lines("old"));
            write(mono, &at("deleted.txt"), "deleted\n");
            write(mono, &at("run.sh"), "#!/bin/sh\n");
            write(mono, &at("binary"), b"\0\x01old");
            write(mono, &at("crlf.txt"), "one\r\ntwo\r\n");
            write(mono, &at("thing"), "a file\n");
        }
    });
    circle.pull();
    circle.merge(1, MergeMethod::Merge);
    circle.here("own: in a file that is renamed", |web| {
        change(web, "features/push/up/old.txt", "old 9", "old nine");
    });
    every_kind(&circle, &circle.web, "own");
    every_kind(&circle, &circle.mono, "up");
    let report = circle.pull();
    assert_eq!(outcome(&report), "proposed", "{report:#}");
    assert!(applied(&report).contains("by rebase of 3 commits"), "{report:#}");

    let web = &circle.web;
    let mono = circle.mono.to_str().unwrap();
    circle.sandbox.git(web, &["fetch", "-q", mono, "main"]);
    circle.sandbox.git(web, &["checkout", "-q", "--detach", "main"]);
    circle.sandbox.git(web, &["rebase", "-q", "FETCH_HEAD"]);
    circle.sandbox.git(web, &["fetch", "-q", "origin"]);
    let tree = |revision: &str| {
        let listed = circle.sandbox.git_bytes(web, &["ls-tree", "-r", "-z", revision]);
        let entries = listed.split(|byte| *byte == 0).map(<[u8]>::to_vec);
        entries.filter(|it| !it.ends_with(b"ecosystem.lock.json")).collect::<Vec<_>>()
    };
    assert_eq!(tree(&format!("origin/{BRANCH}")), tree("HEAD"));
}
