//! Which range each trigger gives, through the whole program: every row of the table of events,
//! in a clone with the whole history and in one of depth 1, as the checkout action makes them.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::ecosystem::{Done, Run};
use crate::support::events::{Base, Event, broken_events, events};
use crate::support::loopback::Loopback;
use crate::support::repository::{Sandbox, file_url};

/// How much of the history a checkout brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum History {
    Full,
    Depth1,
    /// No checkout at all: `--remote`.
    None,
}

/// Does what the checkout action does for a ref whose commit is `sha`.
fn checkout(sandbox: &Sandbox, bare: &Path, sha: &str, history: History) -> PathBuf {
    if history == History::None {
        return sandbox.path().to_owned();
    }
    let name = format!("{history:?}-{}", &sha[..12]);
    let clone = sandbox.path().join(&name);
    // Nothing is ever fetched into a full clone, so that the next test of the commit may have it.
    if clone.is_dir() && history == History::Full {
        return clone;
    }
    if clone.is_dir() {
        std::fs::remove_dir_all(&clone).unwrap();
    }
    sandbox.git(sandbox.path(), &["init", "--quiet", "-b", "main", &name]);
    sandbox.git(&clone, &["remote", "add", "origin", &file_url(bare)]);
    let wanted = format!("+{sha}:refs/remotes/origin/it");
    let mut fetch = vec!["fetch", "--quiet", "--no-tags"];
    match history {
        History::Full => {
            let all = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];
            fetch.extend(["origin", all[0], all[1], &wanted]);
        }
        History::Depth1 => fetch.extend(["--depth=1", "origin", &wanted]),
        History::None => {}
    }
    sandbox.git(&clone, &fetch);
    sandbox.git(&clone, &["checkout", "--quiet", "--detach", sha]);
    clone
}

/// Writes a list of one cousin that wants to hear of everything.
fn everything(sandbox: &Sandbox) -> PathBuf {
    sandbox.write(
        sandbox.path(),
        "all.json",
        r#"[{"repo": "acme/everything", "subscriptions": ["**"]}]"#,
    );
    sandbox.path().join("all.json")
}

/// Prepares `dispatch` for an event, with a token and a GitHub that takes everything.
fn dispatch(sandbox: &Sandbox, api: &Loopback, event: &Event, bare: &Path) -> Run {
    Run::new(sandbox)
        .event(&event.name, &event.file)
        .env("GITHUB_REF", &event.git_ref)
        .env("GITHUB_SHA", sandbox.rev(bare, &event.sha))
        .env("GITHUB_API_URL", api.url())
        .env("ECOSYSTEM_PAT", "canary")
        .args(["dispatch", "--format=json", "--ecosystem"])
        .arg(everything(sandbox))
}

/// Returns how many paths git finds changed between two revisions, or at `head` without a base.
fn changed(sandbox: &Sandbox, bare: &Path, base: Option<&str>, head: &str) -> usize {
    let names = match base {
        Some(base) => {
            let args = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", base, head];
            sandbox.git_bytes(bare, &args)
        }
        None => sandbox.git_bytes(bare, &["ls-tree", "-r", "-z", "--name-only", head]),
    };
    names.iter().filter(|byte| **byte == 0).count()
}

/// What the range must say of a row: the reason, where it is found in a full clone and in one of
/// depth 1, whether it is complete, and whether events are sent.
type Expected = (&'static str, [&'static str; 2], bool, bool);

/// `None` where the event alone is refused.
fn expected(file: &str) -> Option<Expected> {
    let local = ["local", "fetched"];
    let here = ["local", "local"];
    let nowhere = ["none", "none"];
    Some(match file {
        "push.json" | "push-several-commits.json" => ("push", local, true, true),
        "push-before-gone.json" => ("push", nowhere, false, true),
        "push-forced.json" | "push-forced-default-branch.json" => {
            ("forced-push", local, true, true)
        }
        "push-forced-before-gone.json" => ("forced-push", local, false, true),
        "push-forced-default-branch-before-gone.json" => ("forced-push", nowhere, false, true),
        "push-new-branch.json" => ("new-branch", local, true, true),
        "push-new-branch-without-commits.json" | "push-new-default-branch.json" => {
            ("new-branch", here, true, true)
        }
        "push-new-branch-unrelated.json" | "push-first-commit.json" => {
            ("first-commit", here, true, true)
        }
        "push-deleted-branch.json"
        | "push-after-zeros.json"
        | "push-tag.json"
        | "push-annotated-tag.json" => ("push", nowhere, true, true),
        "pull-request.json"
        | "pull-request-from-fork.json"
        | "pull-request-from-deleted-fork.json" => ("pull-request", local, true, false),
        "merge-group.json" => ("merge-group", local, true, false),
        "pull-request-target.json"
        | "workflow-dispatch.json"
        | "schedule.json"
        | "repository-dispatch.json" => return None,
        other => panic!("say here what must come of {other}"),
    })
}

fn every_row(history: History) {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    for event in events() {
        let file = &event.file;
        let api = Loopback::api();
        let clone = checkout(&sandbox, &bare, &sandbox.rev(&bare, &event.sha), history);
        let mut run = dispatch(&sandbox, &api, &event, &bare).dir(&clone);
        if history == History::None {
            run = run.args(["--remote", &file_url(&bare)]);
        }
        let done = run.run();
        let Some((reason, found_by, complete, sends)) = expected(file) else {
            assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{file} {}", done.stderr);
            assert_eq!(api.requests().len(), 0, "{file}");
            continue;
        };
        let report = done.expect_code(0).json();
        let range = &report["range"];
        let rev = |revision: &str| Value::from(sandbox.rev(&bare, revision));
        assert_eq!(range["reason"], reason, "{file}");
        let found_by = match history {
            History::Full => found_by[0],
            History::Depth1 => found_by[1],
            History::None if found_by[0] == "none" => "none",
            History::None => "scratch",
        };
        assert_eq!(range["found_by"], found_by, "{file}");
        assert_eq!(range["complete"], complete, "{file}");
        // Without a checkout no merge commit is at HEAD: the branch is what the event names.
        let branch = event.git_ref.replace("/merge", "/head");
        let is_branch = history == History::None && event.name == "pull_request";
        let head = event.head.as_deref().map(|head| if is_branch { &branch } else { head });
        let Some(head) = head else {
            assert_eq!((&report["dispatches"], api.requests().len()), (&Value::Array(vec![]), 0));
            continue;
        };
        assert_eq!(range["head"], rev(head), "{file}");
        let parted = sandbox.try_git(&bare, &["merge-base", "main", head], b"").stdout;
        let parted = String::from_utf8(parted).unwrap();
        let base = match &event.base {
            Base::Revision(_) if is_branch => Some(parted.trim()),
            Base::Revision(base) => Some(base.as_str()),
            _ => None,
        };
        assert_eq!(range["base"], base.map_or(Value::Null, rev), "{file}");
        let count = changed(&sandbox, &bare, base, head);
        assert_eq!(range["changed_paths"], count, "{file}");
        let warned =
            report["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "incomplete-range");
        assert_eq!(warned, !complete, "{file}: {}", report["warnings"]);
        assert_eq!(report["dry_run"], !sends, "{file}");
        let dispatches = report["dispatches"].as_array().unwrap();
        let outcome = if sends { "delivered" } else { "planned" };
        assert!(dispatches.iter().all(|d| d["outcome"] == outcome), "{file}: {report}");
        assert_eq!(dispatches.is_empty(), count == 0, "{file}");
        let sent = if sends { dispatches.len() } else { 0 };
        assert_eq!(api.requests().len(), sent, "{file}");
    }
}

#[test]
fn every_row_of_the_table_in_a_clone_with_the_whole_history() {
    every_row(History::Full);
}

#[test]
fn every_row_of_the_table_in_a_checkout_of_depth_1() {
    every_row(History::Depth1);
}

#[test]
fn every_row_of_the_table_without_a_checkout() {
    every_row(History::None);
}

#[test]
fn an_event_file_that_is_broken_sends_nothing() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = checkout(&sandbox, &bare, &sandbox.rev(&bare, "step/head"), History::Depth1);
    let push = events().swap_remove(0);
    for file in broken_events() {
        let api = Loopback::api();
        let event = Event { file: file.clone(), ..push.clone() };
        let done = dispatch(&sandbox, &api, &event, &bare).dir(&clone).run();
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{file}");
        assert!(done.stderr.contains(&file) && done.stderr.contains("help:"), "{}", done.stderr);
        assert_eq!(api.requests().len(), 0, "{file}");
    }
}

#[test]
fn flags_win_over_every_event_and_a_preview_stays_one() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let [base, head, other] =
        ["step/mode", "step/head", "step/merge"].map(|revision| sandbox.rev(&bare, revision));
    let cases: [(&[&str], _, &str, _); 4] = [
        (&["--base", &base], Some(&base), "flags", None),
        (&["--all"], None, "all", None),
        (&["--base", &base, "--head", &other], Some(&base), "flags", Some(&other)),
        (&["--all", "--head", &other], None, "all", Some(&other)),
    ];
    for event in events() {
        let gone = ["push-deleted-branch.json", "push-after-zeros.json"];
        let sha = sandbox.rev(&bare, &event.sha);
        let clone = checkout(&sandbox, &bare, &sha, History::Full);
        for (flags, base, reason, named_head) in cases {
            let file = format!("{} {flags:?}", event.file);
            let api = Loopback::api();
            let done = dispatch(&sandbox, &api, &event, &bare).dir(&clone).args(flags).run();
            if event.name == "pull_request_target" {
                assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{file}");
                assert!(done.stderr.contains("pull_request_target"), "{}", done.stderr);
                assert_eq!(api.requests().len(), 0, "{file}");
                continue;
            }
            let report = done.expect_code(0).json();
            if gone.contains(&event.file.as_str()) && named_head.is_none() {
                assert_eq!(report["range"]["head"], Value::Null, "{file}");
                continue;
            }
            let range = &report["range"];
            assert_eq!(range["reason"], reason, "{file}");
            assert_eq!(range["base"], base.map_or(Value::Null, |id| id.as_str().into()), "{file}");
            assert_eq!(range["complete"], true, "{file}");
            let head = named_head.unwrap_or(&sha);
            assert_eq!(range["head"], head.as_str(), "{file}");
            let count = changed(&sandbox, &bare, base.map(String::as_str), head);
            assert_eq!(range["changed_paths"], count, "{file}");
            let preview = ["pull_request", "merge_group"].contains(&event.name.as_str());
            assert_eq!(report["dry_run"], preview, "{file}");
            assert_eq!(api.requests().is_empty(), preview, "{file}");
        }
        // A head alone keeps the event's base.
        if event.file == "push.json" {
            let api = Loopback::api();
            let run = dispatch(&sandbox, &api, &event, &bare).dir(&clone);
            let report = run.args(["--head", &head]).run().expect_code(0).json();
            assert_eq!(report["range"]["base"], sandbox.rev(&bare, "step/before-head"));
        }
    }
}

#[test]
fn a_pull_request_whose_branch_is_checked_out_is_compared_with_where_it_began() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let event = events().into_iter().find(|event| event.file == "pull-request.json").unwrap();
    let branch = sandbox.rev(&bare, "refs/pull/7/head");
    for (history, found_by) in [(History::Full, "local"), (History::Depth1, "fetched")] {
        let api = Loopback::api();
        let clone = checkout(&sandbox, &bare, &branch, history);
        let done = dispatch(&sandbox, &api, &event, &bare).dir(&clone).run();
        let range = &done.expect_code(0).json()["range"];
        assert_eq!(range["head"], branch.as_str());
        assert_eq!(range["base"], sandbox.rev(&bare, "step/after-revert"), "{history:?}");
        assert_eq!((&range["found_by"], &range["complete"]), (&found_by.into(), &true.into()));
    }
}

#[test]
fn a_new_branch_is_compared_with_the_clones_own_default_branch_when_origin_is_out_of_reach() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let event = events().into_iter().find(|event| event.file == "push-new-branch.json").unwrap();
    let Base::Revision(base) = &event.base else { panic!("the branch left main somewhere") };
    let base = sandbox.rev(&bare, base);
    let clone = checkout(&sandbox, &bare, &sandbox.rev(&bare, &event.sha), History::Full);
    sandbox.git(&clone, &["branch", "main", "origin/main"]);
    sandbox.git(&clone, &["update-ref", "-d", "refs/remotes/origin/main"]);
    let gone = file_url(&sandbox.path().join("gone.git"));
    sandbox.git(&clone, &["remote", "set-url", "origin", &gone]);
    let range = |own: &str| {
        sandbox.git(&clone, &["update-ref", "refs/heads/main", own]);
        let api = Loopback::api();
        let done = dispatch(&sandbox, &api, &event, &bare).dir(&clone).run();
        done.expect_code(0).json()["range"].clone()
    };
    let main = sandbox.rev(&bare, "main");
    let compared = range(&main);
    assert_eq!((&compared["base"], &compared["complete"]), (&base.into(), &true.into()));
    // Were the clone's main ahead of the remote's, nothing would seem to be new.
    let ahead = range(&sandbox.rev(&bare, &event.sha));
    assert_eq!((&ahead["base"], &ahead["complete"]), (&Value::Null, &false.into()));
    assert_ne!(ahead["changed_paths"], 0);
}

#[test]
fn a_pull_request_needs_no_token() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    for event in events().iter().filter(|event| event.name == "pull_request") {
        let sha = sandbox.rev(&bare, &event.sha);
        let clone = checkout(&sandbox, &bare, &sha, History::Depth1);
        let api = Loopback::api();
        let run = dispatch(&sandbox, &api, event, &bare).dir(&clone).env("ECOSYSTEM_PAT", "");
        let report = run.run().expect_code(0).json();
        assert_eq!(report["dry_run"], true);
        assert_eq!(api.requests().len(), 0);
    }
}

/// Runs `dispatch --dry-run` as a person does, without any event.
fn local(sandbox: &Sandbox, dir: &Path, args: &[&str]) -> Done {
    Run::new(sandbox)
        .dir(dir)
        .args(["dispatch", "--dry-run", "--format=json", "--source=acme/monorepo", "--ecosystem"])
        .arg(everything(sandbox))
        .args(args)
        .run()
}

/// Returns reason, base, head and how many paths have changed.
fn range_of(done: Done) -> (String, Option<String>, String, u64) {
    let report = done.expect_code(0).json();
    let range = &report["range"];
    assert_eq!(range["complete"], true, "{report}");
    let text = |name: &str| range[name].as_str().map(str::to_owned);
    let changed = range["changed_paths"].as_u64().unwrap();
    (text("reason").unwrap(), text("base"), text("head").unwrap(), changed)
}

#[test]
fn a_person_gets_what_the_upstream_lacks_or_else_what_the_last_commit_changed() {
    let sandbox = Sandbox::new();
    let source = sandbox.new_repository("source");
    sandbox.write(&source, "a", "1");
    let first = sandbox.commit_all(&source, "first");
    assert_eq!(
        range_of(local(&sandbox, &source, &[])),
        ("first-commit".into(), None, first.clone(), 1)
    );

    let clone = sandbox.clone(&source, "clone", &[]);
    let done = local(&sandbox, &clone, &[]);
    let note = done.json()["note"].as_str().unwrap().to_owned();
    assert!(note.contains("--base HEAD~1"), "{note}");
    assert_eq!(range_of(done).3, 0, "nothing that upstream lacks");
    sandbox.write(&clone, "b", "2");
    let second = sandbox.commit_all(&clone, "second");
    sandbox.write(&clone, "c", "3");
    let third = sandbox.commit_all(&clone, "third");
    let expected = |base: &str, head: &str, changed| {
        ("local".into(), Some(base.to_owned()), head.to_owned(), changed)
    };
    assert_eq!(range_of(local(&sandbox, &clone, &[])), expected(&first, &third, 2));
    // The upstream is that of the branch, not of a head that is named.
    let named = range_of(local(&sandbox, &clone, &["--head", &second]));
    assert_eq!((named.1, named.2), (Some(first.clone()), second.clone()));
    let named = range_of(local(&sandbox, &clone, &["--head=main"]));
    assert_eq!((named.1, named.2), (Some(second.clone()), third.clone()));

    sandbox.git(&clone, &["checkout", "--quiet", "--detach"]);
    assert_eq!(range_of(local(&sandbox, &clone, &[])), expected(&second, &third, 1), "detached");
    sandbox.git(&clone, &["checkout", "--quiet", "-b", "without-upstream"]);
    assert_eq!(range_of(local(&sandbox, &clone, &[])), expected(&second, &third, 1));
    sandbox.git(&clone, &["checkout", "--quiet", "main"]);
    sandbox.git(&clone, &["update-ref", "-d", "refs/remotes/origin/main"]);
    assert_eq!(range_of(local(&sandbox, &clone, &[])), expected(&second, &third, 1), "pruned");
}

#[test]
fn a_branch_without_a_commit_is_an_error_that_says_so() {
    let sandbox = Sandbox::new();
    let empty = sandbox.new_repository("empty");
    let done = local(&sandbox, &empty, &[]).expect_code(2);
    assert!(done.stderr.contains("no commit yet"), "{}", done.stderr);
    let done = local(&sandbox, sandbox.path(), &[]).expect_code(2);
    assert!(done.stderr.contains("not in a git repository"), "{}", done.stderr);
    let done = local(&sandbox, sandbox.path(), &["-C", "gone"]).expect_code(2);
    assert!(done.stderr.contains("there is no directory"), "{}", done.stderr);
}

#[test]
fn a_revision_is_whatever_leads_to_a_commit() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &[]);
    let shallow = sandbox.clone(&bare, "shallow", &["--depth=2"]);
    let merge = sandbox.rev(&bare, "step/merge");
    let tag = sandbox.git(&bare, &["rev-parse", "v1.0.0"]);
    assert_ne!(tag, merge, "an annotated tag");
    for revision in ["v1.0.0", "refs/tags/v1.0.0", "origin/release/1.0", &tag, &merge, &merge[..9]]
    {
        let base = range_of(local(&sandbox, &clone, &["--base", revision])).1;
        assert_eq!(base.as_deref(), Some(merge.as_str()), "{revision}");
    }
    let head = range_of(local(&sandbox, &clone, &["--base=HEAD", "--head", &tag])).2;
    assert_eq!(head, merge, "the head is the commit that the tag leads to");
    let base = range_of(local(&sandbox, &shallow, &["--base", &tag])).1;
    assert_eq!(base.as_deref(), Some(merge.as_str()), "and so it is when the tag is fetched");
    for back in ["HEAD~1", "HEAD~2", "HEAD^", "HEAD^^", "HEAD~", "@~2"] {
        let wanted = sandbox.rev(&bare, &back.replace('@', "HEAD"));
        let base = range_of(local(&sandbox, &shallow, &["--base", back])).1;
        assert_eq!(base.as_deref(), Some(wanted.as_str()), "{back} in a clone of depth 2");
    }
}

#[test]
fn a_revision_that_leads_nowhere_is_refused_and_nothing_is_sent() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    let gone = "deadbeef".repeat(5);
    let tree = sandbox.git(&bare, &["rev-parse", "main^{tree}"]);
    let blob = sandbox.git(&bare, &["rev-parse", "main:ecosystem.json"]);
    let touched = sandbox.path().join("touched");
    let inject = format!("--upload-pack=touch {}", touched.display());
    let odd = [
        "nonsense",
        "",
        "-",
        "--all",
        "+main:refs/heads/x",
        "main:",
        "a..b",
        "^main",
        "HEAD~99",
        "main\nx",
        "@{-1}",
    ];
    for revision in odd.into_iter().chain([gone.as_str(), &tree, &blob, &inject]) {
        for flag in ["--base", "--head"] {
            for remote in [None, Some(file_url(&bare))] {
                let api = Loopback::api();
                let mut run = Run::new(&sandbox)
                    .dir(&clone)
                    .env("GITHUB_API_URL", api.url())
                    .env("ECOSYSTEM_PAT", "canary")
                    .args(["dispatch", "--source=acme/monorepo", "--ecosystem"])
                    .arg(everything(&sandbox))
                    .arg(format!("{flag}={revision}"));
                if let Some(url) = &remote {
                    run = run.arg("--remote").arg(url);
                }
                let done = run.run();
                let case = format!("{flag}={revision} {remote:?}: {}", done.stderr);
                assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{case}");
                assert!(done.stderr.contains("help:"), "{case}");
                assert_eq!(api.requests().len(), 0, "{case}");
                assert!(!touched.exists(), "{case}");
            }
        }
    }
}
