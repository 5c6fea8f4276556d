//! `ecosystem onboard` through the binary: what is written and where, what is refused before
//! anything is, and the probe against a cousin that has got the files that were made for it.

mod probe;
mod proposing;

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::ecosystem::{Done, Run};
use crate::support::repository::Sandbox;

/// The files that a cousin gets.
const FILES: [&str; 2] = ["subscriptions.json", ".github/workflows/sync-upstream.yml"];

/// A list of one cousin, as a person may have written it.
const LIST: &str = "[\n  {\n    \"repo\": \"acme/old\",\n    \"subscriptions\": [\"docs\", \"!docs/drafts\"]\n  }\n]\n";

/// Returns a monorepo with some features that knows its origin, and this list in its work tree.
fn monorepo(sandbox: &Sandbox, list: Option<&str>) -> PathBuf {
    let dir = sandbox.new_repository("monorepo");
    for path in [
        "features/webpush/flask/app.py",
        "features/webpush/flask/b.py",
        "features/pwa/vanilla/index.html",
        "docs/guide/a.md",
        "docs/drafts/b.md",
    ] {
        sandbox.write(&dir, path, path);
    }
    sandbox.commit_all(&dir, "first");
    sandbox.git(&dir, &["remote", "add", "origin", "https://github.com/acme/monorepo.git"]);
    if let Some(list) = list {
        sandbox.write(&dir, "ecosystem.json", list);
    }
    dir
}

fn onboard(sandbox: &Sandbox, dir: &Path, args: &[&str]) -> Done {
    Run::new(sandbox).dir(dir).arg("onboard").args(args).run()
}

fn list(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("ecosystem.json")).unwrap()
}

/// Returns everything below a directory but git's own, sorted.
fn tree(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() && entry.file_name().is_some_and(|name| name != ".git") {
                open.push(entry);
            } else if entry.is_file() {
                let name = entry.strip_prefix(dir).unwrap().to_str().unwrap();
                found.push(name.replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_cousin_is_listed_and_its_files_are_written() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    let args = ["acme/web", "--subscribe", "features/webpush/flask", "--output", "../web"];
    let done = onboard(&sandbox, &dir, &args).expect_code(0);
    let entry = "  {\n    \"repo\": \"acme/web\",\n    \"subscriptions\": [\"features/webpush/flask\"]\n  }\n]\n";
    assert_eq!(list(&dir), LIST.replace("  }\n]\n", &format!("  }},\n{entry}")));
    let web = sandbox.path().join("web");
    assert_eq!(tree(&web), [FILES[1], FILES[0]]);
    let read = |name: &str| std::fs::read_to_string(web.join(name)).unwrap();
    let subscriptions: Value = serde_json::from_str(&read(FILES[0])).unwrap();
    let expected = json!({
        "source": "acme/monorepo", "branch": "main", "max_age_days": 30,
        "subscriptions": ["features/webpush/flask"],
    });
    assert_eq!(subscriptions, expected);
    assert!(read(FILES[1]).contains("    types: [feature-update]\n"));
    insta::assert_snapshot!(done.stdout.replace(&sandbox.rev(&dir, "HEAD")[..10], "COMMIT"), @r"
    acme/web is added to ecosystem.json
      + features/webpush/flask
    
    feature                 paths
    features/webpush/flask      2
    
    at HEAD, COMMIT, it would get 1 feature of acme/monorepo
    
    subscriptions.json  written to ../web/subscriptions.json
    
    .github/workflows/sync-upstream.yml  written to ../web/.github/workflows/sync-upstream.yml
    
    ecosystem.json: no findings
    
    What is left to do
    1. acme/web: put both files on its default branch, and let Actions create pull requests (Settings, Actions, General)
    2. acme/monorepo: commit ecosystem.json and push it
    3. then `ecosystem onboard acme/web --probe` shows that it hears
    ");
    insta::assert_snapshot!(done.stderr, @"warning: the workflow uses OWNER/ecosystem-dispatcher@0000000000000000000000000000000000000000: put the owner of the action and the commit of a release there, or name them with --action OWNER/ecosystem-dispatcher@COMMIT");
    // Again there is nothing to do, and nothing is touched.
    let again = onboard(&sandbox, &dir, &[&args[..], &["--format", "json"]].concat());
    let again = again.expect_code(0).json();
    assert_eq!(again["ecosystem"]["change"], "unchanged");
    assert_eq!(again["ecosystem"]["written"], false);
    assert_eq!(again["files"][0]["written"], false);
    assert_eq!(again["files"][1]["written"], false);
}

#[test]
fn a_dry_run_shows_all_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    let before = tree(&dir);
    let args = ["acme/web", "--subscribe", "features/*", "--dry-run", "--probe"];
    let args = [&args[..], &["--output", "../web", "--format", "json", "--into", "v"]].concat();
    let shown = onboard(&sandbox, &dir, &args).expect_code(0).json();
    assert_eq!((list(&dir).as_str(), tree(&dir)), (LIST, before));
    assert!(!sandbox.path().join("web").exists());
    assert_eq!(shown["schema"], 1);
    assert_eq!(shown["dry_run"], true);
    assert_eq!(shown["ecosystem"]["change"], "added");
    assert_eq!(shown["ecosystem"]["written"], false);
    let features = json!([
        { "feature": "features/pwa", "paths": 1 },
        { "feature": "features/webpush", "paths": 2 },
    ]);
    assert_eq!(shown["features"], features);
    assert_eq!(shown["probe"]["outcome"], "planned");
    assert_eq!(shown["probe"]["updated_feature"], "features/pwa");
    let content = |at: usize| shown["files"][at]["content"].as_str().unwrap().to_owned();
    let subscriptions: Value = serde_json::from_str(&content(0)).unwrap();
    let expected = json!([
        { "feature": "features/pwa", "into": "v/pwa" },
        { "feature": "features/webpush", "into": "v/webpush" },
    ]);
    assert_eq!(subscriptions["subscriptions"], expected);
    assert!(content(1).contains("command: sync"));
    assert!(shown["next"][0].as_str().unwrap().contains("one that comes later is added by hand"));
}

#[test]
fn a_subscription_that_matches_nothing_is_refused_with_the_nearest_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    for (patterns, said) in [
        (&["docs", "features/webpush/flsk"][..], "the nearest path at HEAD is"),
        (&["Features/webpush"], "\"features/webpush\""),
        (&["docs", "!docs"], "would get nothing"),
    ] {
        let given = patterns.iter().flat_map(|pattern| ["--subscribe", pattern]);
        let args: Vec<&str> = ["acme/web", "--output", "../web"].into_iter().chain(given).collect();
        let done = onboard(&sandbox, &dir, &args).expect_code(1);
        assert!(done.stderr.starts_with("error: "), "{}", done.stderr);
        assert!(done.stderr.contains(said), "{}", done.stderr);
        assert!(done.stderr.contains("help: nothing was written"), "{}", done.stderr);
        let json = onboard(&sandbox, &dir, &[&args[..], &["--format", "json"]].concat());
        let json = json.expect_code(1).json();
        assert!(json["refused"].as_str().unwrap().contains(said), "{json:#}");
        assert_eq!(list(&dir), LIST);
        assert!(!sandbox.path().join("web").exists());
    }
    // What matched nothing before is somebody else's affair, and an exclusion may be for later.
    let args = ["acme/old", "--subscribe", "features/pwa", "--subscribe", "!features/none"];
    onboard(&sandbox, &dir, &args).expect_code(0);
}

#[test]
fn a_listed_cousin_gets_what_it_lacks_and_a_word_where_that_undoes_an_exclusion() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    let args = [
        "ACME/old",
        "--subscribe",
        "docs/",
        "--subscribe",
        "./docs",
        "--subscribe",
        "features/pwa",
    ];
    let done = onboard(&sandbox, &dir, &args).expect_code(0);
    let expected =
        LIST.replace("\"!docs/drafts\"", "\"!docs/drafts\", \"docs/\", \"features/pwa\"");
    assert_eq!(list(&dir), expected);
    assert!(
        done.stderr
            .contains("\"docs/\" stands behind \"!docs/drafts\", and the last match decides"),
        "{}",
        done.stderr
    );
    assert!(!done.stderr.contains("\"features/pwa\" stands"), "{}", done.stderr);
    // The files name all that it follows now.
    assert!(done.stdout.contains("\"features/pwa\""), "{}", done.stdout);
}

#[test]
fn the_first_cousin_makes_the_list_and_a_staged_one_is_not_enabled() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, None);
    let args =
        ["acme/web", "--subscribe", "docs", "--staged", "--source", "o/mono", "--branch", "dev"];
    let done = onboard(&sandbox, &dir, &args).expect_code(0);
    let expected = "[\n  {\n    \"repo\": \"acme/web\",\n    \"subscriptions\": [\"docs\"],\n    \"enabled\": false\n  }\n]\n";
    assert_eq!(list(&dir), expected);
    assert!(
        done.stdout.contains("\"source\": \"o/mono\",\n  \"branch\": \"dev\""),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("then `ecosystem onboard acme/web --staged --probe` enables it"));
    // A list that is committed and not there is not made anew.
    sandbox.commit_all(&dir, "list");
    std::fs::remove_file(dir.join("ecosystem.json")).unwrap();
    let done = onboard(&sandbox, &dir, &["acme/app", "--subscribe", "docs"]).expect_code(2);
    assert!(done.stderr.contains("is in HEAD and not in the work tree"), "{}", done.stderr);
}

#[test]
fn what_is_there_already_and_says_something_else_is_not_written_over() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    let web = sandbox.path().join("web");
    for (name, content) in [(FILES[0], "[]"), (FILES[1], "on: push\n")] {
        std::fs::create_dir(&web).unwrap();
        sandbox.write(&web, name, content);
        let args = ["acme/web", "--subscribe", "docs", "--output", "../web"];
        let done = onboard(&sandbox, &dir, &args).expect_code(1);
        assert!(
            done.stderr.contains("is there already and says something else"),
            "{}",
            done.stderr
        );
        assert_eq!((list(&dir).as_str(), tree(&web)), (LIST, vec![name.to_owned()]));
        assert_eq!(std::fs::read_to_string(web.join(name)).unwrap(), content);
        std::fs::remove_dir_all(&web).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn the_list_keeps_its_permissions_and_a_link_stays_one() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, None);
    sandbox.write(&dir, "lists/cousins.json", LIST);
    let file = dir.join("lists/cousins.json");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    symlink("lists/cousins.json", dir.join("ecosystem.json")).unwrap();
    onboard(&sandbox, &dir, &["acme/web", "--subscribe", "docs"]).expect_code(0);
    assert!(dir.join("ecosystem.json").symlink_metadata().unwrap().is_symlink());
    assert!(list(&dir).contains("acme/web"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    // A link that leads nowhere is not written through.
    let web = sandbox.path().join("web");
    std::fs::create_dir(&web).unwrap();
    symlink("../elsewhere", web.join(FILES[0])).unwrap();
    let before = list(&dir);
    let args = ["acme/app", "--subscribe", "docs", "--output", "../web"];
    onboard(&sandbox, &dir, &args).expect_code(2);
    assert!(!sandbox.path().join("elsewhere").exists() && list(&dir) == before);
    // Nor is a directory that leads out of the repository.
    std::fs::remove_file(web.join(FILES[0])).unwrap();
    symlink("../monorepo", web.join(".github")).unwrap();
    let done = onboard(&sandbox, &dir, &args).expect_code(1);
    assert!(done.stderr.contains(".github is a link to somewhere else"), "{}", done.stderr);
    assert_eq!((list(&dir), dir.join("workflows").exists()), (before, false));
    // Nothing is left of what was written beside.
    assert!(!tree(&dir).iter().any(|name| name.contains(".ecosystem-onboard-")));
}

#[test]
fn the_action_is_the_one_that_the_monorepo_uses() {
    let commit = "1".repeat(40);
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    let args = ["acme/web", "--subscribe", "docs", "-n"];
    let done = onboard(&sandbox, &dir, &args).expect_code(0);
    assert!(done.stdout.contains("- uses: OWNER/ecosystem-dispatcher@0000000000"));
    assert!(done.stderr.contains("put the owner of the action"), "{}", done.stderr);
    let uses = format!("acme/ecosystem-dispatcher@{commit} # v9.8.7");
    sandbox.write(&dir, ".github/workflows/a.yml", "- uses: acme/ecosystem-dispatcher@v1\n");
    sandbox.write(&dir, ".github/workflows/b.yaml", &format!("jobs:\n      - uses: {uses}\n"));
    let done = onboard(&sandbox, &dir, &args).expect_code(0);
    assert!(done.stdout.contains(&format!("      - uses: {uses}\n")), "{}", done.stdout);
    assert_eq!(done.stderr, "");
    let done = onboard(&sandbox, &dir, &[&args[..], &["--action", "me/fork@v2"]].concat());
    assert!(done.expect_code(0).stdout.contains("      - uses: me/fork@v2\n"));
}

#[test]
fn the_trusted_branch_is_that_of_origin_and_else_the_one_that_is_checked_out() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    let args = ["acme/web", "--subscribe", "docs", "-n", "--format", "json"];
    let branch = || onboard(&sandbox, &dir, &args).expect_code(0).json()["branch"].clone();
    assert_eq!(branch(), "main");
    sandbox.git(&dir, &["checkout", "--quiet", "-b", "topic"]);
    assert_eq!(branch(), "topic");
    sandbox.git(&dir, &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/a/trunk"]);
    assert_eq!(branch(), "a/trunk");
    sandbox.git(&dir, &["symbolic-ref", "--delete", "refs/remotes/origin/HEAD"]);
    sandbox.git(&dir, &["checkout", "--quiet", "--detach"]);
    let done = onboard(&sandbox, &dir, &args).expect_code(2);
    assert!(done.stderr.contains("name it with --branch NAME"), "{}", done.stderr);
    sandbox.git(&dir, &["remote", "remove", "origin"]);
    let done = onboard(&sandbox, &dir, &[&args[..], &["--branch", "main"]].concat()).expect_code(2);
    assert!(done.stderr.contains("--source OWNER/NAME"), "{}", done.stderr);
}

#[test]
fn what_cannot_stand_in_the_cousins_list_is_left_out_or_refused() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    sandbox.write(&dir, "README.md", "x");
    sandbox.write(&dir, "docs/guide/deep/c.md", "x");
    sandbox.commit_all(&dir, "more");
    let run = |pattern: &str| {
        onboard(&sandbox, &dir, &["acme/web", "--subscribe", pattern, "-n", "--format", "json"])
    };
    let codes = |done: &Done| -> Vec<String> {
        let report = done.json();
        let codes = report["warnings"].as_array().unwrap().iter();
        codes.map(|it| it["code"].as_str().unwrap().to_owned()).collect()
    };
    // One feature in another: the cousin's sync would refuse a list with both.
    let done = run("**/*.md").expect_code(1);
    assert!(done.stderr.contains("would overwrite each other"), "{}", done.stderr);
    assert_eq!(codes(&done), ["feature-left-out"]);
    std::fs::remove_dir_all(dir.join("docs/guide/deep")).unwrap();
    // A name that would be a glob in a pattern can be followed by none.
    sandbox.write(&dir, "docs/[x]/d.md", "x");
    sandbox.commit_all(&dir, "no deep, and a bracket");
    let done = run("**/*.md").expect_code(0);
    let all = codes(&done);
    assert_eq!(all, ["feature-left-out", "feature-left-out", "action-not-pinned"]);
    let list: Value =
        serde_json::from_str(done.json()["files"][0]["content"].as_str().unwrap()).unwrap();
    assert_eq!(list["subscriptions"], json!(["docs/drafts", "docs/guide"]));
    let done = run("*.md").expect_code(1);
    assert!(done.stderr.contains("can be named in subscriptions.json"), "{}", done.stderr);
    // What a flag asks for is held against the same rules.
    for args in [
        &["--subscribe", "docs", "--into", "x", "--method", "squash"][..],
        &["--subscribe", "docs/*", "--into", ".", "--method", "rebase"],
    ] {
        let args = [&["acme/web"][..], args].concat();
        let done = onboard(&sandbox, &dir, &args).expect_code(1);
        assert!(done.stderr.contains("could not read the subscriptions.json"), "{}", done.stderr);
        assert_eq!(self::list(&dir), LIST);
    }
}

#[test]
fn what_cannot_be_understood_is_an_error_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let dir = monorepo(&sandbox, Some(LIST));
    let broken = "[{\"repo\": \"acme/old\"}]";
    for (args, file, said) in [
        (&["acme/web"][..], LIST, "not listed yet, and nothing says what it follows"),
        (&["acme/web", "--subscribe", "../x"], LIST, "--subscribe \"../x\""),
        (&["acme/web", "--subscribe", "!docs"], LIST, "no-positive-pattern"),
        (&["acme/web", "--subscribe", "docs", "--into", "../x"], LIST, "--into"),
        (&["acme/web", "--subscribe", "docs", "--action", "x"], LIST, "--action"),
        (&["acme/web", "--subscribe", "docs", "--method", "push"], LIST, "--method"),
        (&["acme/monorepo", "--subscribe", "docs"], LIST, "is the monorepo itself"),
        (&["https://github.com/acme/web", "--subscribe", "docs"], LIST, "acme/web"),
        (&["acme/web", "--subscribe", "docs"], broken, "missing-key"),
        (&["acme/web"], broken, "missing-key"),
        (&["acme/web", "--subscribe", "docs", "--output", "."], LIST, "is the monorepo itself"),
        (
            &["acme/web", "--subscribe", "docs", "--output", "docs/.."],
            LIST,
            "is the monorepo itself",
        ),
    ] {
        sandbox.write(&dir, "ecosystem.json", file);
        let done = onboard(&sandbox, &dir, args).expect_code(2);
        assert!(done.stderr.contains(said), "{args:?}: {}", done.stderr);
        assert_eq!((list(&dir).as_str(), done.stdout.as_str()), (file, ""), "{args:?}");
    }
}
