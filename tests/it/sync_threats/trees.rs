//! Trees of upstream as no git would write them, and names that a file system takes for others: all
//! is refused before anything is pushed, with the path.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{
    BRANCH, Source, expect_no_command, expect_nothing_left, expect_refused, expect_untouched, step,
    told,
};
use crate::support::case;
use crate::support::circle::{COUSIN, Circle, FEATURE, SOURCE, write};
use crate::support::ecosystem::Done;
use ecosystem_dispatcher::embedded_github::Token;

/// Runs a sync of what upstream's `main` now holds.
fn sync(circle: &Circle, checkout: &std::path::Path, commit: &str) -> Done {
    step(circle, checkout, &told(commit)).args(["-v", "--format", "json"]).run()
}

#[test]
fn a_tree_that_no_git_writes_is_refused_with_the_path() {
    let circle = Circle::by("merge");
    let source = Source(&circle);
    let file = source.write("blob", b"evil\n");
    let link = source.write("blob", b"elsewhere");
    let inner = source.tree(&[("100644", b"f", &file)]);
    let checkout = circle.checkout();
    let cases: [(&str, &str, String); 12] = [
        ("dot dot", "..", source.tree(&[("40000", b"..", &inner)])),
        ("dot", ".", source.tree(&[("40000", b".", &inner)])),
        ("absolute", "/etc/x", source.tree(&[("100644", b"/etc/x", &file)])),
        ("a way out", "a/../../b", source.tree(&[("100644", b"a/../../b", &file)])),
        ("no name", "name", source.tree(&[("100644", b"", &file)])),
        ("twice", "x", source.tree(&[("100644", b"x", &file), ("120000", b"x", &link)])),
        (
            "link and directory",
            "x",
            source.tree(&[("120000", b"x", &link), ("40000", b"x", &inner)]),
        ),
        (
            "link and directory apart",
            "x",
            source.tree(&[
                ("120000", b"x", &link),
                ("100644", b"x-", &file),
                ("40000", b"x", &inner),
            ]),
        ),
        ("out of order", "a", source.tree(&[("100644", b"b", &file), ("100644", b"a", &file)])),
        ("a device", "dev", source.tree(&[("60666", b"dev", &file)])),
        ("no octal mode", "", source.tree(&[("1006x4", b"m", &file)])),
        ("a directory of a blob", "", source.tree(&[("40000", b"d", &file)])),
    ];
    for (what, path, tree) in cases {
        case(what);
        let commit = source.publish(&tree);
        let done = sync(&circle, &checkout, &commit);
        expect_no_command(&done);
        let report = done.expect_code(1).json();
        let error = report["features"][0]["error"].as_str().unwrap_or_default();
        assert!(!error.is_empty() && error.contains(path), "{report:#}");
        assert!(report["features"][0]["made"].is_null(), "{report:#}");
    }
    expect_untouched(&circle);
    expect_nothing_left(&circle);
}

#[test]
fn names_that_a_file_system_takes_for_git_or_for_each_other_are_all_listed() {
    let circle = Circle::by("merge");
    let source = Source(&circle);
    let file = source.write("blob", b"evil\n");
    let inner = source.tree(&[("100644", b"config", &file)]);
    let odd: [&str; 14] = [
        ".git",
        ".GIT",
        ".Git.",
        ".git ",
        ".git...",
        ".git::$INDEX_ALLOCATION",
        ".git::$index_allocation ",
        "git~1",
        "GIT~1",
        ".g\u{200c}it",
        "\u{feff}.git",
        ".gi\u{202e}t",
        "a\\.git\\config",
        "..\\..\\x",
    ];
    let checkout = circle.checkout();
    for method in ["40000", "100644"] {
        for chunk in odd.chunks(7) {
            let mut names: Vec<&str> = chunk.to_vec();
            names.sort_unstable_by_key(|name| match method {
                "40000" => format!("{name}/"),
                _ => (*name).to_owned(),
            });
            let id = if method == "40000" { &inner } else { &file };
            let entries: Vec<_> =
                names.iter().map(|name| (method, name.as_bytes(), id.as_str())).collect();
            let commit = source.publish(&source.tree(&entries));
            case(&format!("{method} {names:?}"));
            let done = sync(&circle, &checkout, &commit);
            expect_no_command(&done);
            let feature = expect_refused(done, "path-refused");
            let error = feature["error"].as_str().unwrap();
            let count = error.lines().filter(|line| line.starts_with("  src/push")).count();
            assert!(count >= names.len(), "{error}");
        }
    }
    let pairs: [(&[u8], &[u8]); 4] = [
        (b"README", b"readme"),
        ("\u{c9}".as_bytes(), "e\u{301}".as_bytes()),
        ("\u{17f}".as_bytes(), b"S"),
        (b"a\xe2\x80\x8db", b"ab"),
    ];
    for (one, other) in pairs {
        let (first, second) = if one < other { (one, other) } else { (other, one) };
        case(&format!("{one:?} {other:?}"));
        let tree = source.tree(&[("100644", first, &file), ("100644", second, &file)]);
        let commit = source.publish(&tree);
        let feature = expect_refused(sync(&circle, &checkout, &commit), "path-refused");
        assert!(feature["error"].as_str().unwrap().contains("take it for"), "{feature:#}");
    }
    expect_untouched(&circle);
}

#[test]
fn a_link_out_of_the_feature_is_refused_by_whatever_way_it_leads() {
    let circle = Circle::by("merge");
    let source = Source(&circle);
    let file = source.write("blob", b"file\n");
    let checkout = circle.checkout();
    let link = |target: &str| source.write("blob", target.as_bytes());
    let at = |name: &str, target: &str| {
        let link = link(target);
        let mut entries = [("100644", &b"a.txt"[..], &*file), ("120000", name.as_bytes(), &link)];
        entries.sort_by_key(|(_, name, _)| *name);
        source.tree(&entries)
    };
    let deep = |target: &str| source.tree(&[("40000", b"d", &at("l", target))]);
    let through = source.tree(&[
        ("40000", b"d", &source.tree(&[("120000", b"up", &link(".."))])),
        ("120000", b"l", &link("d/up/../own.txt")),
    ]);
    let circles = source.tree(&[("120000", b"a", &link("b")), ("120000", b"b", &link("a"))]);
    for (what, tree) in [
        ("absolute", at("l", "/etc/passwd")),
        ("up", at("l", "../own.txt")),
        ("far up", at("l", "../../../../../../etc/passwd")),
        ("up and down again", at("l", "../push/a.txt")),
        ("up from below", deep("../../own.txt")),
        ("into git", at("l", "../../.git/config")),
        ("into git in a spelling", at("l", "d/.GIT/config")),
        ("through another", through),
        ("in circles", circles),
        ("with a backslash", at("l", "..\\..\\own.txt")),
        ("a drive", at("l", "C:/x")),
        ("a NUL", source.tree(&[("120000", b"l", &source.write("blob", b"a\0/../../x"))])),
        ("nowhere", at("l", "")),
        ("very long", at("l", &"a/".repeat(4_000))),
        ("git's own file", at(".gitmodules", "a.txt")),
    ] {
        case(what);
        let commit = source.publish(&tree);
        expect_refused(sync(&circle, &checkout, &commit), "path-refused");
    }
    expect_untouched(&circle);
    // A link that stays inside is a link like any other.
    source.publish(&deep("a.txt"));
    circle.pull();
    assert_eq!(circle.at(BRANCH, "src/push/d/l"), "a.txt");
}

#[test]
fn trees_beyond_all_measure_are_an_error_and_long_names_are_names() {
    let circle = Circle::by("merge");
    let source = Source(&circle);
    let file = source.write("blob", b"file\n");
    let checkout = circle.checkout();
    let long = "n".repeat(4_096);
    let commit = source.publish(&source.tree(&[("100644", long.as_bytes(), &file)]));
    let report = sync(&circle, &checkout, &commit).json();
    assert!(matches!(report["features"][0]["outcome"].as_str(), Some("proposed" | "refused")));

    let deep = |levels: usize| {
        let mut stream = String::from(
            "blob\nmark :1\ndata 5\nfile\n\ncommit refs/heads/deep\n\
             committer E <e@x> 1767000000 +0000\ndata 1\nx\n",
        );
        stream.push_str(&format!("M 100644 :1 features/push/{}f\n", "d/".repeat(levels)));
        let fed = circle.sandbox.try_git(
            &source.dir(),
            &["-c", "core.maxTreeDepth=10000", "fast-import", "--quiet", "--force"],
            stream.as_bytes(),
        );
        assert!(fed.status.success(), "{}", String::from_utf8_lossy(&fed.stderr));
        source.git(&["update-ref", "refs/heads/main", "refs/heads/deep"]);
        source.git(&["rev-parse", "refs/heads/deep"])
    };
    for levels in [1_500, 4_000] {
        case(&format!("{levels} levels"));
        let commit = deep(levels);
        let done = sync(&circle, &checkout, &commit);
        let report = done.expect_code(1).json();
        assert!(report["features"][0]["error"].as_str().is_some(), "{report:#}");
    }
    expect_nothing_left(&circle);
}

#[test]
fn workflows_actions_and_owners_are_refused_before_anything_is_pushed() {
    let circle = Circle::by("merge");
    let source = Source(&circle);
    let file = source.write("blob", b"* @eve\n");
    let link = source.write("blob", b"app.txt");
    let below = |name: &[u8], tree: &str| source.tree(&[("40000", name, tree)]);
    let one = |mode: &str, name: &[u8], id: &str| source.tree(&[(mode, name, id)]);
    let checkout = circle.checkout();
    let github = |inner: &str| below(b".github", inner);
    for (what, tree) in [
        ("a workflow", github(&below(b"workflows", &one("100644", b"x.yml", &file)))),
        (
            "an action",
            github(&below(b"actions", &below(b"a", &one("100644", b"action.yml", &file)))),
        ),
        ("upper case", below(b".GitHub", &below(b"WorkFlows", &one("100644", b"x.yml", &file)))),
        ("owners", one("100644", b"CODEOWNERS", &file)),
        ("owners there", github(&one("100644", b"CODEOWNERS", &file))),
        ("owners in docs", below(b"docs", &one("100644", b"codeowners", &file))),
        ("a link in its place", one("120000", b".github", &link)),
        ("a link to workflows", github(&one("120000", b"workflows", &link))),
        ("a submodule in its place", one("160000", b".github", &"a".repeat(40))),
        ("dots behind", below(b".github.", &below(b"workflows", &one("100644", b"x", &file)))),
    ] {
        case(what);
        let commit = source.publish(&tree);
        let feature = expect_refused(sync(&circle, &checkout, &commit), "path-refused");
        let help = feature["help"].as_str().unwrap();
        assert!(help.contains("--allow-workflows"), "{feature:#}");
    }
    expect_untouched(&circle);
    let pushes = circle.github(|model| {
        model.git_requests().iter().filter(|it| it.path == "/git-receive-pack").count()
    });
    assert_eq!(pushes, 0);
}

#[test]
fn a_workflow_that_is_allowed_here_and_not_by_github_is_told_with_what_is_missing() {
    let at_root = json!({
        "source": SOURCE,
        "subscriptions": [{ "feature": FEATURE, "into": "." , "method": "merge" }],
    });
    for may in [false, true] {
        let circle = Circle::with(
            &at_root,
            |it| it,
            |model| {
                let token = Token::built_in(COUSIN).may_write_pull_requests(COUSIN);
                let token = if may { token.may_write_workflows(COUSIN) } else { token };
                model.token("canary-other-token", token)
            },
        );
        let head = circle.upstream("a workflow", |mono| {
            write(mono, "features/push/.github/workflows/x.yml", "on: push\n");
        });
        let checkout = circle.checkout();
        let run = step(&circle, &checkout, &told(&head)).env("GITHUB_TOKEN", "canary-other-token");
        let done = run.args(["--allow-workflows", "--format", "json"]).run();
        if may {
            done.expect_code(0);
            assert_eq!(
                circle.at("update-from-upstream-features-push", ".github/workflows/x.yml"),
                "on: push"
            );
            continue;
        }
        let done = done.expect_code(1);
        let report = done.json();
        let feature = &report["features"][0];
        assert_eq!(feature["code"], "push-refused", "{report:#}");
        assert!(feature["help"].as_str().unwrap().contains("workflows"), "{report:#}");
        expect_untouched(&circle);
    }
}
