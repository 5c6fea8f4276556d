//! What is said of a sync: the JSON is a contract, field by field; what people read is shown as it
//! is, and the exit code says whether somebody has to look.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::FEATURE;
use crate::support::circle::{Circle, SOURCE, change, write};
use crate::support::ecosystem::Run;

/// Three features: one that conflicts, one that is new, one that is not there.
pub(super) fn mixed() -> Circle {
    let circle = Circle::new(&json!({
        "source": SOURCE,
        "subscriptions": [
            { "feature": FEATURE, "into": "src/push" },
            { "feature": "features/other", "method": "copy" },
            "features/no-such",
        ],
    }));
    circle.upstream("dependencies", |mono| {
        write(mono, "features/push/package.json", "{\"dependencies\": {\"a\": \"1.0.0\"}}\n");
    });
    let run = circle.sync().args(["--feature", FEATURE]);
    run.run().expect_code(0);
    circle.merge(1, ecosystem_dispatcher::embedded_github::MergeMethod::Squash);
    circle.here("ours", |web| change(web, "src/push/app.txt", "app 5", "ours"));
    circle.upstream("theirs, for #7", |mono| {
        change(mono, "features/push/app.txt", "app 5", "theirs");
        change(mono, "features/push/package.json", "1.0.0", "2.0.0");
        std::fs::remove_file(mono.join("features/push/README.md")).unwrap();
    });
    circle
}

/// Returns an output in which nothing differs from run to run.
pub(super) fn settled(circle: &Circle, output: &str) -> String {
    let mut text = output.replace(circle.url(), "https://github.test");
    text = text.replace(circle.sandbox.path().to_str().unwrap(), "DIR");
    let mut known: Vec<String> = Vec::new();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let digits =
            rest.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
        if digits == 40 || digits == 10 {
            let id = &rest[..digits];
            let at =
                known.iter().position(|one| one.starts_with(id) || id.starts_with(one.as_str()));
            let at = at.unwrap_or_else(|| {
                known.push(id.to_owned());
                known.len() - 1
            });
            out += &format!("{}{}", if digits == 40 { "COMMIT-" } else { "SHORT-" }, at + 1);
            rest = &rest[digits..];
            continue;
        }
        let step = digits.max(c.len_utf8());
        out += &rest[..step];
        rest = &rest[step..];
    }
    out
}

#[test]
fn the_json_of_a_run_is_the_contract() {
    let circle = mixed();
    let run = circle.sync().args(["--pull", "--format", "json"]);
    let done = run.run().expect_code(1);
    let mut report = done.json();
    // What they say is tested where they are written.
    for feature in report["features"].as_array_mut().unwrap() {
        if let Some(pull) = feature["pull_request"].as_object_mut() {
            assert!(pull["body"].as_str().unwrap().len() > 500);
            pull["body"] = "BODY".into();
        }
        // Which there are is tested with the issues.
        feature["issues"].as_array_mut().unwrap().clear();
    }
    insta::assert_snapshot!(settled(&circle, &format!("{report:#}")), @r##"
        {
          "cousin": {
            "base": "main",
            "commit": "COMMIT-1",
            "repository": "acme/web"
          },
          "dry_run": false,
          "features": [
            {
              "branch": "update-from-upstream-features-push",
              "by_hand": null,
              "changed_paths": 3,
              "changes": [
                {
                  "change": "deleted",
                  "path": "src/push/README.md"
                },
                {
                  "change": "modified",
                  "path": "src/push/app.txt"
                },
                {
                  "change": "modified",
                  "path": "src/push/package.json"
                }
              ],
              "code": null,
              "commit": "COMMIT-2",
              "conflicts": [
                {
                  "marked": true,
                  "message": "the same lines were changed here and upstream",
                  "path": "src/push/app.txt"
                }
              ],
              "dependencies": [
                {
                  "after": "2.0.0",
                  "before": "1.0.0",
                  "manifest": "src/push/package.json",
                  "name": "a"
                }
              ],
              "dispatch_id": null,
              "error": null,
              "feature": "features/push",
              "help": null,
              "into": "src/push",
              "issues": [],
              "made": "COMMIT-3",
              "method": "merge",
              "outcome": "proposed",
              "previous": "COMMIT-4",
              "pull_request": {
                "body": "BODY",
                "draft": true,
                "number": 2,
                "title": "Update features/push from acme/monorepo@SHORT-2",
                "url": "https://github.test/acme/web/pull/2"
              },
              "steps": [
                {
                  "message": "in subscriptions.json",
                  "passed": true,
                  "step": "subscribed"
                },
                {
                  "message": "SHORT-2 is on main, since SHORT-4",
                  "passed": true,
                  "step": "verified"
                },
                {
                  "message": "3 paths by merge, with 1 conflict",
                  "passed": true,
                  "step": "applied"
                },
                {
                  "message": "the result holds what both sides say, and nothing else",
                  "passed": true,
                  "step": "proven"
                },
                {
                  "message": "in a commit, with ecosystem.lock.json",
                  "passed": true,
                  "step": "recorded"
                },
                {
                  "message": "update-from-upstream-features-push, moved on",
                  "passed": true,
                  "step": "pushed"
                },
                {
                  "message": "draft #2 opened",
                  "passed": true,
                  "step": "proposed"
                }
              ]
            },
            {
              "branch": "update-from-upstream-features-other",
              "by_hand": null,
              "changed_paths": 1,
              "changes": [
                {
                  "change": "added",
                  "path": "features/other/x.txt"
                }
              ],
              "code": null,
              "commit": "COMMIT-2",
              "conflicts": [],
              "dependencies": [],
              "dispatch_id": null,
              "error": null,
              "feature": "features/other",
              "help": null,
              "into": "features/other",
              "issues": [],
              "made": "COMMIT-5",
              "method": "copy",
              "outcome": "proposed",
              "previous": null,
              "pull_request": {
                "body": "BODY",
                "draft": false,
                "number": 3,
                "title": "Update features/other from acme/monorepo@SHORT-2",
                "url": "https://github.test/acme/web/pull/3"
              },
              "steps": [
                {
                  "message": "in subscriptions.json",
                  "passed": true,
                  "step": "subscribed"
                },
                {
                  "message": "SHORT-2 is on main, for the first time",
                  "passed": true,
                  "step": "verified"
                },
                {
                  "message": "1 path by copy",
                  "passed": true,
                  "step": "applied"
                },
                {
                  "message": "the result holds what both sides say, and nothing else",
                  "passed": true,
                  "step": "proven"
                },
                {
                  "message": "in a commit, with ecosystem.lock.json",
                  "passed": true,
                  "step": "recorded"
                },
                {
                  "message": "update-from-upstream-features-other",
                  "passed": true,
                  "step": "pushed"
                },
                {
                  "message": "#3 opened",
                  "passed": true,
                  "step": "proposed"
                }
              ]
            },
            {
              "branch": "update-from-upstream-features-no-such",
              "by_hand": null,
              "changed_paths": 0,
              "changes": [],
              "code": "no-such-feature",
              "commit": "COMMIT-2",
              "conflicts": [],
              "dependencies": [],
              "dispatch_id": null,
              "error": "there is no features/no-such upstream at SHORT-2",
              "feature": "features/no-such",
              "help": "see how it is spelled in the source, and write that into subscriptions.json",
              "into": "features/no-such",
              "issues": [],
              "made": null,
              "method": "merge",
              "outcome": "failed",
              "previous": null,
              "pull_request": null,
              "steps": [
                {
                  "message": "in subscriptions.json",
                  "passed": true,
                  "step": "subscribed"
                },
                {
                  "message": "SHORT-2 is on main, for the first time",
                  "passed": true,
                  "step": "verified"
                },
                {
                  "message": "there is no features/no-such upstream at SHORT-2",
                  "passed": false,
                  "step": "applied"
                }
              ]
            }
          ],
          "mode": "propose",
          "path_encoding": null,
          "schema": 1,
          "source": {
            "address": "https://github.test/acme/monorepo",
            "branch": "main",
            "repository": "acme/monorepo",
            "tip": "COMMIT-2"
          },
          "summary": {
            "applied": 0,
            "closed": 0,
            "commented": 0,
            "committed": 0,
            "failed": 1,
            "not-subscribed": 0,
            "nothing-to-do": 0,
            "proposed": 2,
            "refused": 0,
            "snoozed": 0,
            "updated": 0
          },
          "warnings": []
        }
    "##);
}

#[test]
fn the_report_for_people_is_plain_on_a_pipe() {
    let circle = mixed();
    let done = circle.sync().args(["--pull", "--dry-run"]).run().expect_code(1);
    assert_eq!(done.stderr, "");
    insta::assert_snapshot!(settled(&circle, &done.stdout), @r##"
        source  acme/monorepo main at SHORT-1
        cousin  acme/web main at SHORT-2

        features/push into src/push by merge: committed, with 1 conflict
          ✓ subscribed  in subscriptions.json
          ✓ verified    SHORT-1 is on main, since SHORT-3
          ✓ applied     3 paths by merge, with 1 conflict
          ✓ proven      the result holds what both sides say, and nothing else
          ✓ recorded    in a commit, with ecosystem.lock.json
          ✓             on the local branch update-from-upstream-features-push
             ecosystem.lock.json   | 6 +++---
             src/push/README.md    | 1 -
             src/push/app.txt      | 4 ++++
             src/push/package.json | 2 +-
             4 files changed, 8 insertions(+), 5 deletions(-)
          conflict src/push/app.txt: the same lines were changed here and upstream
          dependency a 1.0.0 -> 2.0.0 (src/push/package.json)
          branch update-from-upstream-features-push at SHORT-4
          pull request that would be opened: draft Update features/push from acme/monorepo@SHORT-1
            | Brings `features/push` of [`acme/monorepo`](<https://github.test/acme/monorepo>) up to [`SHORT-1`](<https://github.test/acme/monorepo/commit/COMMIT-1>), from [`SHORT-3`](<https://github.test/acme/monorepo/commit/COMMIT-3>) ([compare](<https://github.test/acme/monorepo/compare/COMMIT-3...COMMIT-1>)).
            |
            | Applied to `src/push` by `merge`.
            |
            | ### Conflicts
            |
            | **1 file is in conflict: this pull request is a draft until a person has resolved it.**
            |
            | - `src/push/app.txt`: the same lines were changed here and upstream
            |
            | ### Upstream commits (1)
            |
            | - [`SHORT-1`](<https://github.test/acme/monorepo/commit/COMMIT-1>) `theirs, for #7` by `Ada Test`
            |
            | ### Dependency changes
            |
            | | manifest | dependency | before | after |
            | | --- | --- | --- | --- |
            | | `src/push/package.json` | `a` | `1.0.0` | `2.0.0` |
            |
            | ### Files changed (0 added, 2 modified, 1 deleted)
            |
            | <details><summary>3 files</summary>
            |
            | - `src/push/README.md` deleted
            | - `src/push/app.txt` modified
            | - `src/push/package.json` modified
            |
            | </details>
            |
            | ### Next steps
            |
            | 1. Check this branch out and settle what is listed above. Where lines are in conflict, the file holds both sides between `<<<<<<<` and `>>>>>>>`.
            | 2. Commit and push to this branch: the next sync does not overwrite it.
            | 3. Mark the pull request ready for review, and merge it.
            |
            | ---
            | The title and everything above this line are written anew by each sync: put notes below it, or into comments.
          next: `git diff main...update-from-upstream-features-push` shows it, `git switch update-from-upstream-features-push` goes there

        features/other by copy: committed
          ✓ subscribed  in subscriptions.json
          ✓ verified    SHORT-1 is on main, for the first time
          ✓ applied     1 path by copy
          ✓ proven      the result holds what both sides say, and nothing else
          ✓ recorded    in a commit, with ecosystem.lock.json
          ✓             on the local branch update-from-upstream-features-other
             ecosystem.lock.json  |  9 +++++++++
             features/other/x.txt |  1 +
             2 files changed, 10 insertions(+)
          branch update-from-upstream-features-other at SHORT-5
          pull request that would be opened: Update features/other from acme/monorepo@SHORT-1
            | Brings `features/other` of [`acme/monorepo`](<https://github.test/acme/monorepo>) up to [`SHORT-1`](<https://github.test/acme/monorepo/commit/COMMIT-1>), for the first time.
            |
            | Applied to `features/other` by `copy`.
            |
            | ### Files changed (1 added, 0 modified, 0 deleted)
            |
            | <details><summary>1 file</summary>
            |
            | - `features/other/x.txt` added
            |
            | </details>
            |
            | ### Next steps
            |
            | 1. Look through the changes, and let your checks run.
            | 2. Change what does not fit by commits on this branch: they are kept, and the next sync goes on top of them.
            | 3. Merge it; or close it to say no: it is not opened again before upstream's content is another.
            |
            | ---
            | The title and everything above this line are written anew by each sync: put notes below it, or into comments.
          next: `git diff main...update-from-upstream-features-other` shows it, `git switch update-from-upstream-features-other` goes there

        features/no-such by merge: failed
          ✓ subscribed  in subscriptions.json
          ✓ verified    SHORT-1 is on main, for the first time
          ✗ applied     there is no features/no-such upstream at SHORT-1
          help: see how it is spelled in the source, and write that into subscriptions.json

        3 features: 2 committed, 1 failed
    "##);
}

#[test]
fn quiet_leaves_out_all_but_the_result() {
    let circle = mixed();
    let without_token = |args: &[&str]| {
        let run = circle.sync().without("GITHUB_TOKEN").args(["--feature", "features/other"]);
        run.args(args).run().expect_code(0)
    };
    let told = without_token(&[]);
    assert!(told.stderr.starts_with("warning: there is no token, so nothing is pushed"));
    let quiet = without_token(&["-q"]);
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.contains("features/other by copy: committed\n"), "{}", quiet.stdout);
}

#[test]
fn the_exit_code_says_whether_somebody_has_to_look() {
    let circle = mixed();
    let run = |args: &[&str]| circle.sync().args(args).run();
    // Nothing to do, done, not for us.
    run(&["--feature", "features/other"]).expect_code(0);
    run(&["--feature", "features/other"]).expect_code(0);
    run(&["--feature", "features/unknown"]).expect_code(0);
    // Refused, failed.
    run(&["--feature", "features/other", "--commit", &"1".repeat(40)]).expect_code(1);
    run(&["--feature", "features/no-such"]).expect_code(1);
    run(&["--feature", FEATURE, "--conflict", "fail"]).expect_code(1);
    // Usage, configuration, environment.
    run(&["--pull", "--feature", FEATURE]).expect_code(2);
    run(&["--feature", FEATURE, "--commit", "main"]).expect_code(2);
    run(&[]).expect_code(2);
    run(&["--pull", "--subscriptions", "no-such.json"]).expect_code(2);
    Run::new(&circle.sandbox).args(["sync", "--pull"]).run().expect_code(2);
}
