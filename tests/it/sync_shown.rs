//! What `ecosystem sync` shows to people, to the character: each step once, what changes, and what a
//! person does next.

use std::path::Path;

use crate::support::circle::{Circle, change};
use crate::support::ecosystem::{Done, Run};

/// Runs without a token, as a person does, with short names for commits and the server.
fn shown(circle: &Circle, checkout: &Path, args: &[&str], code: i32) -> String {
    let run = circle.sync_in(checkout).without("GITHUB_TOKEN").args(args);
    text(circle, run, code).stdout
}

fn text(circle: &Circle, run: Run, code: i32) -> Done {
    let mut done = run.run().expect_code(code);
    let here = circle.bare(&["rev-parse", "main"]);
    let there = circle.sandbox.rev(&circle.mono, "HEAD");
    for (id, name) in [(here, "HERE"), (there, "THERE")] {
        done.stdout = done.stdout.replace(&id, name).replace(&id[..10], name);
    }
    done.stdout = done.stdout.replace(circle.url(), "URL");
    done
}

/// The part before the text of the pull request, whose ids change with the time.
fn before<'t>(text: &'t str, mark: &str) -> &'t str {
    text.split(mark).next().unwrap()
}

#[test]
fn a_dry_run_says_where_the_commit_is_and_how_to_look_at_it() {
    let circle = Circle::by("merge");
    let checkout = circle.checkout();
    let text = shown(&circle, &checkout, &["--pull", "--dry-run"], 0);
    insta::assert_snapshot!(before(&text, "  branch "), @r"
    source  acme/monorepo main at THERE
    cousin  acme/web main at HERE
    
    features/push into src/push by merge: committed
      ✓ subscribed  in subscriptions.json
      ✓ verified    THERE is on main, for the first time
      ✓ applied     3 paths by merge
      ✓ proven      the result holds what both sides say, and nothing else
      ✓ recorded    in a commit, with ecosystem.lock.json
      ✓             on the local branch update-from-upstream-features-push
         ecosystem.lock.json        | 14 ++++++++++++++
         src/push/README.md         |  1 +
         src/push/app.txt           |  9 +++++++++
         src/push/lib/deep/util.txt |  9 +++++++++
         4 files changed, 33 insertions(+)
    ");
    assert!(!text.contains("<!--"), "{text}");
    insta::assert_snapshot!(text.split("into comments.\n").nth(1).unwrap(), @r"
      next: `git diff main...update-from-upstream-features-push` shows it, `git switch update-from-upstream-features-push` goes there
    
    1 feature: 1 committed
    ");
}

#[test]
fn in_the_work_tree_conflicts_are_left_to_a_person_with_a_word() {
    let circle = Circle::by("merge");
    circle.pull();
    circle.merge(1, ecosystem_dispatcher::embedded_github::MergeMethod::Squash);
    circle.upstream("theirs", |mono| change(mono, "features/push/app.txt", "app 5", "theirs"));
    circle.here("ours", |web| change(web, "src/push/app.txt", "app 5", "ours"));
    let checkout = circle.checkout();
    let text = shown(&circle, &checkout, &["--pull", "--worktree"], 0);
    let since = circle.sandbox.rev(&circle.mono, "HEAD^");
    insta::assert_snapshot!(text.replace(&since[..10], "SINCE"), @r"
    source  acme/monorepo main at THERE
    cousin  acme/web main at HERE
    
    features/push into src/push by merge: applied, with 1 conflict
      ✓ subscribed  in subscriptions.json
      ✓ verified    THERE is on main, since SINCE
      ✓ applied     1 path by merge, with 1 conflict
      ✓ proven      the result holds what both sides say, and nothing else
      ✓ recorded    with ecosystem.lock.json
      ✓             the work tree has it; nothing is staged
         ecosystem.lock.json | 6 +++---
         src/push/app.txt    | 4 ++++
         2 files changed, 7 insertions(+), 3 deletions(-)
      conflict src/push/app.txt: the same lines were changed here and upstream
      next: resolve what is between <<<<<<< and >>>>>>>, then commit it together with ecosystem.lock.json
    
    1 feature: 1 applied
    ");
    let failed = shown(&circle, &circle.checkout(), &["--pull", "-n", "--conflict", "fail"], 1);
    let failed = failed.replace(&since[..10], "SINCE");
    insta::assert_snapshot!(before(&failed, "    git remote add"), @r"
    source  acme/monorepo main at THERE
    cousin  acme/web main at HERE
    
    features/push into src/push by merge: failed
      ✓ subscribed  in subscriptions.json
      ✓ verified    THERE is on main, since SINCE
      ✓ applied     1 path by merge, with 1 conflict
      ✓ proven      the result holds what both sides say, and nothing else
      ✓ recorded    in a commit, with ecosystem.lock.json
      ✗ recorded    upstream and this repository changed the same
      help: resolve it by hand, or let it be proposed as a draft with --conflict draft
         ecosystem.lock.json | 6 +++---
         src/push/app.txt    | 4 ++++
         2 files changed, 7 insertions(+), 3 deletions(-)
      conflict src/push/app.txt: the same lines were changed here and upstream
      to finish it by hand:
    ");
}

#[test]
fn a_feature_that_is_not_subscribed_to_is_no_failure_and_the_nearest_is_named() {
    let circle = Circle::by("merge");
    let checkout = circle.checkout();
    let text = shown(&circle, &checkout, &["--feature", "features/pusch"], 0);
    insta::assert_snapshot!(text, @r#"
    source  acme/monorepo
    cousin  acme/web main at HERE
    
    features/pusch: not subscribed
      – subscribed  not in subscriptions.json: nothing to do; did you mean "features/push"?
    
    1 feature: 1 not subscribed
    "#);
    let nothing = shown(&circle, &checkout, &["--feature", "else/where"], 0);
    assert!(nothing.contains("nothing to do\n") && !nothing.contains("did you mean"), "{nothing}");
    // An event is not misspelled.
    let event = serde_json::json!({
        "updated_feature": "features/pusch", "commit_sha": "1".repeat(40),
    });
    let done = circle.on_event(&event).expect_code(0);
    assert!(!done.stdout.contains("did you mean"), "{}", done.stdout);
}

#[test]
fn what_is_refused_comes_with_no_commands_that_would_bring_it_in() {
    let circle = Circle::by("merge");
    circle.upstream("a link", |mono| {
        circle.sandbox.write(mono, "target", "../../../../etc/passwd");
        let id = circle.sandbox.git(mono, &["hash-object", "-w", "target"]);
        std::fs::remove_file(mono.join("target")).unwrap();
        let entry = format!("120000,{id},features/push/link");
        circle.sandbox.git(mono, &["config", "core.symlinks", "false"]);
        circle.sandbox.git(mono, &["update-index", "--add", "--cacheinfo", &entry]);
        circle.sandbox.git(mono, &["checkout", "--", "features/push/link"]);
    });
    let text = shown(&circle, &circle.checkout(), &["--pull", "-n"], 1);
    insta::assert_snapshot!(text, @r"
    source  acme/monorepo main at THERE
    cousin  acme/web main at HERE
    
    features/push into src/push by merge: refused
      ✓ subscribed  in subscriptions.json
      ✓ verified    THERE is on main, for the first time
      ✗ applied     upstream changes a path that may not be written here:
                      src/push/link: the symbolic link leads out of the feature
      help: replace the link upstream with one that stays inside of the feature, or list the path in `preserve`
    
    1 feature: 1 refused
    ");
}
