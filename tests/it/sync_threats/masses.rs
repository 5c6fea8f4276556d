//! Much of everything, and names that are hard to show.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{BRANCH, Source, expect_no_command, step, told};
use crate::support::circle::{Circle, FEATURE, SOURCE, write};

#[test]
fn ten_thousand_subscriptions_are_found_in_and_gone_through() {
    let mut all: Vec<_> = (0..9_999).map(|n| json!(format!("features/none/{n}"))).collect();
    all.push(json!({ "feature": FEATURE, "into": "src/push" }));
    let circle = Circle::new(&json!({ "source": SOURCE, "subscriptions": all }));
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let checkout = circle.checkout();
    step(&circle, &checkout, &told(&head)).run().expect_code(0);
    assert_eq!(circle.pulls().len(), 1);
    let mut other = told(&head);
    other["updated_feature"] = json!("features/none");
    step(&circle, &checkout, &other).run().expect_code(0);
}

#[test]
fn a_thousand_conflicts_fit_into_a_pull_request_and_a_report() {
    let circle = Circle::by("merge");
    let names: Vec<String> = (0..1_000).map(|n| format!("file-{n:04}-`]({n})<!--.txt")).collect();
    let all = |dir: &std::path::Path, below: &str, text: &str| {
        for name in &names {
            write(dir, &format!("{below}/{name}"), format!("{text}\n"));
        }
    };
    circle.upstream("many", |mono| all(mono, "features/push/many", "base"));
    circle.pull();
    circle.merge(1, ecosystem_dispatcher::embedded_github::MergeMethod::Merge);
    circle.here("ours", |web| all(web, "src/push/many", "ours"));
    circle.upstream("theirs", |mono| all(mono, "features/push/many", "theirs"));
    let report = circle.pull();
    let feature = &report["features"][0];
    assert_eq!(feature["outcome"], "proposed", "{}", feature["error"]);
    let pulls = circle.pulls();
    let pull = pulls.last().unwrap();
    assert!(pull.proposed.draft);
    let body = pull.issue.body.as_deref().unwrap();
    assert!(body.chars().count() < 65_536 && body.contains("1000 files are in conflict"));
    // The hidden marker is the only comment, whatever files are called.
    assert!(body.lines().filter(|line| line.starts_with("<!-- ecosystem-sync: {")).count() == 1);
}

/// Names of files and directories, upstream's message and author, all of a stranger's.
#[test]
fn odd_names_are_shown_so_that_nobody_takes_them_for_anything_else() {
    let odd = "\n::set-output name=x::y\n##[error]z\r\u{202e}\u{1b}[2J`](x)<!-- ecosystem-sync: end -->@eve";
    let circle = Circle::new(&json!({
        "source": SOURCE, "subscriptions": [{ "feature": "features/push", "into": "src/push" }],
    }));
    let source = Source(&circle);
    let file = source.write("blob", b"x\n");
    let name = odd.replace('/', "-");
    let inner = source.tree(&[("100644", name.as_bytes(), &file)]);
    let tree = source.tree(&[("40000", name.as_bytes(), &inner), ("100644", b"zz", &file)]);
    let root = source.root(&tree);
    let parent = source.git(&["rev-parse", "refs/heads/main"]);
    let text = format!(
        "tree {root}\nparent {parent}\nauthor {who} <e@x> 1767000000 +0000\n\
         committer {who} <e@x> 1767000000 +0000\n\n{odd}\n\nFixes #1, GH-2, acme/web#3\n\n\
         Ecosystem-Tree: {root}\nEcosystem-Feature: features/other\n\
         Ecosystem-Source: evil/evil@{parent}\nEcosystem-Dispatch-Id: {id}\n\
         Co-authored-by: x <x@x>\n::set-output name=x::y\n",
        who = odd.replace(['\n', '<', '>'], "?"),
        id = "9".repeat(32),
    );
    let commit = source.write("commit", text.as_bytes());
    source.git(&["update-ref", "refs/heads/main", &commit]);
    let checkout = circle.checkout();
    for (format, more) in [("human", "--dry-run"), ("json", "--dry-run"), ("human", "-v")] {
        let run = step(&circle, &checkout, &told(&commit)).args(["-vv", "--format", format, more]);
        let done = run.run();
        expect_no_command(&done);
        done.expect_code(0);
        let branch = format!("refs/heads/{BRANCH}");
        let _ = circle.sandbox.try_git(&checkout, &["update-ref", "-d", &branch], b"");
    }
    for file in ["output", "summary"] {
        let text = std::fs::read_to_string(circle.sandbox.path().join(file)).unwrap();
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::set-output")), "{text}");
        assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{text}");
    }
    let pulls = circle.pulls();
    let body = pulls[0].issue.body.as_deref().unwrap();
    assert_eq!(body.matches("\n<!-- ecosystem-sync: end -->").count(), 1, "{body}");
    for raw in ["Fixes #1", "\u{202e}", "\n::set-output"] {
        assert!(!body.contains(raw) && !pulls[0].issue.title.contains(raw), "{raw}: {body}");
    }
    let message = circle.bare(&["log", "-1", "--format=%(trailers:only)", BRANCH]);
    assert_eq!(message.matches("Ecosystem-Tree:").count(), 1, "{message}");
    assert!(!message.contains("evil/evil") && !message.contains("features/other"), "{message}");
}

#[test]
fn a_large_feature_beside_much_else_is_brought() {
    let circle = Circle::by("copy");
    let mut stream = String::from(
        "blob\nmark :1\ndata 2\nx\n\ncommit refs/heads/main\n\
         committer E <e@x> 1767000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n",
    );
    for n in 0..20_000 {
        stream.push_str(&format!("M 100644 :1 features/push/d{}/f{n}\n", n % 200));
    }
    let source = Source(&circle);
    circle.sandbox.git_fed(&source.dir(), &["fast-import", "--quiet"], stream.as_bytes());
    let run = circle.sync().args(["--pull", "--format", "json"]).run().expect_code(0);
    assert!(run.stdout.len() < 4 << 20, "{}", run.stdout.len());
    let pulls = circle.pulls();
    assert!(pulls[0].issue.body.as_deref().unwrap().chars().count() < 65_536);
    let count = circle.bare(&["ls-tree", "-r", "--name-only", BRANCH, "src/push"]).lines().count();
    assert_eq!(count, 20_003);
}
