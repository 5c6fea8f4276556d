//! The circle of a rehearsal: each cousin takes in what it was told of, and a pull request is shown.

use std::path::Path;

use serde_json::Value;

use crate::support::ecosystem::{Done, Run};
use crate::support::repository::Sandbox;

/// The commit that the sample's push brings.
const HEAD: &str = "d3eb70e1a51d32042dfb601506713bbbfa440b19";

fn rehearse(sandbox: &Sandbox, args: &[&str]) -> Run {
    Run::new(sandbox).dir(sandbox.path()).args(args)
}

/// Returns what the run shows of the circle.
fn circle(done: &Done) -> &str {
    let from = done.stdout.find("Each cousin takes it in").expect("the act is there");
    let shown = &done.stdout[from..];
    shown.find("A run is lost").map_or(shown, |to| &shown[..to]).trim_end()
}

/// A monorepo with one cousin, which is told of what is below `features/`; `edit` makes the commit
/// that is pushed.
fn own(sandbox: &Sandbox, begin: impl FnOnce(&Path), edit: impl FnOnce(&Path)) {
    let own = sandbox.new_repository("own");
    let cousins = r#"[{"repo": "me/web", "subscriptions": ["features/*", ".github"]}]"#;
    sandbox.write(&own, "ecosystem.json", cousins);
    begin(&own);
    sandbox.commit_all(&own, "first");
    edit(&own);
    sandbox.commit_all(&own, "second");
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn each_cousin_of_the_sample_takes_the_push_in_by_its_own_way() {
    let sandbox = Sandbox::new();
    let done = rehearse(&sandbox, &["rehearse"]).run().expect_code(0);
    insta::assert_snapshot!(circle(&done), @r#"
    Each cousin takes it in
    runner  `ecosystem sync` on each event, in a checkout of a cousin that begins with what was there before the push
    
    acme/docs-site  docs by copy into handbook
      #1 Update docs from acme/monorepo@d3eb70e1a5
      ecosystem.lock.json  +4 -4
      handbook/push.md     +1 -1
      │ diff --git a/handbook/push.md b/handbook/push.md
      │ @@ -2,2 +2,2 @@
      │
      │ -A browser subscribes, a server sends.
      │ +A browser subscribes, a server sends. A message names the page that a click opens.
    
    acme/flask-push-demo  features/webpush/flask by merge into src/push, where it has edited other lines
      #1 Update features/webpush/flask from acme/monorepo@d3eb70e1a5
      ecosystem.lock.json   +4 -4
      src/push/app.py       +1
      src/push/messages.py  +2
      │ diff --git a/src/push/app.py b/src/push/app.py
      │ @@ -1,2 +1,3 @@
      │  from flask import Flask
      │ +from messages import message
      │
      │ diff --git a/src/push/messages.py b/src/push/messages.py
      │ new file mode 100644
      │ @@ -0,0 +1,2 @@
      │ +def message(title, url):
      │ +    return {"title": title, "data": {"url": url}}
    
    acme/flask-starter  features/webpush/flask by merge into starter, where it has edited the same lines
      #1 Update features/webpush/flask from acme/monorepo@d3eb70e1a5 (draft)
      ecosystem.lock.json  +4 -4
      starter/app.py       +4
      starter/messages.py  +2
      │ diff --git a/starter/app.py b/starter/app.py
      │ @@ -1,3 +1,7 @@
      │  from flask import Flask
      │ +<<<<<<< ours
      │  from settings import KEY
      │ +=======
      │ +from messages import message
      │ +>>>>>>> upstream
      │
      │ diff --git a/starter/messages.py b/starter/messages.py
      │ new file mode 100644
      │ @@ -0,0 +1,2 @@
      │ +def message(title, url):
      │ +    return {"title": title, "data": {"url": url}}
    
    acme/new-name  features/pwa/vanilla by squash
      #1 Update features/pwa/vanilla from acme/monorepo@d3eb70e1a5
      ecosystem.lock.json         +4 -4
      features/pwa/vanilla/sw.js  +3
      │ diff --git a/features/pwa/vanilla/sw.js b/features/pwa/vanilla/sw.js
      │ @@ -1 +1,4 @@
      │  self.addEventListener("fetch", () => {});
      │ +self.addEventListener("notificationclick", (event) => {
      │ +  event.waitUntil(clients.openWindow(event.notification.data.url));
      │ +});
    
    acme/push-service  features/webpush/flask by cherry-pick into service
      #1 Update features/webpush/flask from acme/monorepo@d3eb70e1a5
      ecosystem.lock.json  +4 -4
      service/app.py       +1
      service/messages.py  +2
      │ diff --git a/service/app.py b/service/app.py
      │ @@ -1,2 +1,3 @@
      │  from flask import Flask
      │ +from messages import message
      │
      │ diff --git a/service/messages.py b/service/messages.py
      │ new file mode 100644
      │ @@ -0,0 +1,2 @@
      │ +def message(title, url):
      │ +    return {"title": title, "data": {"url": url}}
    
    acme/pwa-gallery  features/pwa/vanilla by merge
      #1 Update features/pwa/vanilla from acme/monorepo@d3eb70e1a5
      ecosystem.lock.json         +4 -4
      features/pwa/vanilla/sw.js  +3
      │ diff --git a/features/pwa/vanilla/sw.js b/features/pwa/vanilla/sw.js
      │ @@ -1 +1,4 @@
      │  self.addEventListener("fetch", () => {});
      │ +self.addEventListener("notificationclick", (event) => {
      │ +  event.waitUntil(clients.openWindow(event.notification.data.url));
      │ +});
    
    6 events led to 6 pull requests (1 as a draft, for its conflict); each holds what it should, no main was touched, and a second run on each event changed nothing
    "#);
    assert_eq!(std::fs::read_dir(sandbox.temporary()).unwrap().count(), 0, "it clears up");
}

#[test]
fn what_is_kept_says_what_it_is_and_holds_what_was_shown() {
    let sandbox = Sandbox::new();
    rehearse(&sandbox, &["rehearse", "--keep", "kept"]).run().expect_code(0);
    let kept = sandbox.path().join("kept");
    for cousin in ["docs-site", "flask-push-demo", "flask-starter", "new-name", "push-service"] {
        let run = kept.join(format!("runs/acme/{cousin}-1"));
        let event = json(&run.join("event.json"));
        assert_eq!(event["client_payload"]["commit_sha"], HEAD, "{cousin}");
        assert_eq!(json(&run.join("report.json"))["features"][0]["outcome"], "proposed");
        let again = json(&run.join("report-again.json"));
        assert_eq!(again["features"][0]["outcome"], "nothing-to-do", "{cousin}: {again:#}");
        assert!(run.join("checkout/subscriptions.json").is_file(), "{cousin}");
        let bare = kept.join(format!("cousins/acme/{cousin}.git"));
        assert_eq!(sandbox.git(&bare, &["rev-list", "--count", "main"]), "1", "{cousin}");
        sandbox.git(&bare, &["fsck", "--strict"]);
    }
    let cousin = |name: &str, object: &str| {
        let bare = kept.join(format!("cousins/acme/{name}.git"));
        let branches = sandbox.git(&bare, &["for-each-ref", "--format=%(refname)", "refs/heads"]);
        let branch = branches.lines().find(|it| it.contains("/update-from-upstream-")).unwrap();
        sandbox.git(&bare, &["rev-parse", &format!("{branch}{object}")])
    };
    let source = |path: &str| {
        sandbox.git(&kept.join("monorepo.git"), &["rev-parse", &format!("{HEAD}:{path}")])
    };
    assert_eq!(cousin("docs-site", ":handbook"), source("docs"));
    assert_eq!(cousin("new-name", ":features/pwa/vanilla"), source("features/pwa/vanilla"));
    assert_eq!(cousin("push-service", ":service"), source("features/webpush/flask"));
    assert_ne!(cousin("flask-push-demo", ":src/push"), source("features/webpush/flask"));
}

#[test]
fn a_pull_request_in_ones_own_monorepo_shows_the_pushs_change_and_nothing_else() {
    let sandbox = Sandbox::new();
    own(
        &sandbox,
        |own| {
            sandbox.write(own, "features/push/app.txt", "one\ntwo\nthree\nfour\n");
            sandbox.write(own, "features/push/gone.txt", "gone\n");
            sandbox.write(own, "features/push/other.txt", "other\n");
        },
        |own| {
            sandbox.write(own, "features/push/app.txt", "one\nTWO\nthree\nfour\n");
            std::fs::remove_file(own.join("features/push/gone.txt")).unwrap();
            sandbox.write(own, "features/new/x.txt", "x\n");
        },
    );
    let done = rehearse(&sandbox, &["-C", "own", "rehearse"]).run().expect_code(0);
    let head = sandbox.rev(&sandbox.path().join("own"), "HEAD");
    insta::assert_snapshot!(circle(&done).replace(&head[..10], "[head]"), @r"
    Each cousin takes it in
    runner  `ecosystem sync` on each event, in a checkout of a cousin that begins with what was there before the push
    
    me/web  features/new by merge
      #1 Update features/new from you/monorepo@[head]
      ecosystem.lock.json  +9
      features/new/x.txt   +1
      │ diff --git a/features/new/x.txt b/features/new/x.txt
      │ new file mode 100644
      │ @@ -0,0 +1 @@
      │ +x
    
    me/web  features/push by merge
      #2 Update features/push from you/monorepo@[head]
      ecosystem.lock.json     +4 -4
      features/push/app.txt   +1 -1
      features/push/gone.txt  -1
      │ diff --git a/features/push/app.txt b/features/push/app.txt
      │ @@ -1,3 +1,3 @@
      │  one
      │ -two
      │ +TWO
      │  three
      │ diff --git a/features/push/gone.txt b/features/push/gone.txt
      │ deleted file mode 100644
      │ @@ -1 +0,0 @@
      │ -gone
    
    2 events led to 2 pull requests; each holds what it should, no main was touched, and a second run on each event changed nothing
    ");
}

#[test]
fn what_others_wrote_reaches_neither_the_terminal_nor_the_runner_as_a_command() {
    let sandbox = Sandbox::new();
    own(
        &sandbox,
        |own| sandbox.write(own, "features/push/app.txt", "one\n"),
        |own| {
            let text = "one\n\u{1b}[31mred\n::error::no\n ::warning::no\n##[error]no\n";
            sandbox.write(own, "features/push/app.txt", text);
            sandbox.write(own, "features/push/\u{1b}[2J.txt", "x\n");
        },
    );
    for (color, coloured) in [("never", false), ("auto", false), ("always", true)] {
        let args = ["-C", "own", "--color", color, "rehearse"];
        let done = rehearse(&sandbox, &args).run().expect_code(0);
        let shown = circle(&done);
        assert_eq!(shown.contains("\u{1b}[32m+"), coloured, "{color}: {shown}");
        assert_eq!(shown.contains('\u{1b}'), coloured, "{color}: {shown}");
        assert!(shown.contains("\\u{1b}[31mred"), "{color}: {shown}");
        assert!(!shown.contains("\u{1b}[31mred") && !shown.contains("\u{1b}[2J"), "{color}");
        let command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
        assert!(!shown.lines().any(command), "{color}: {shown}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn names_that_no_line_can_hold_are_brought_and_shown_escaped() {
    use std::os::unix::ffi::OsStrExt as _;

    let sandbox = Sandbox::new();
    let odd = |own: &Path, text: &str| {
        let names: [&[u8]; 3] =
            [b"features/odd/a\nb", b"features/odd/\xff.txt", b"features/\xfe/only-bytes"];
        for name in names {
            let file = own.join(std::ffi::OsStr::from_bytes(name));
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        sandbox.write(own, ".github/workflows/x.yml", text);
    };
    own(&sandbox, |own| odd(own, "before\n"), |own| odd(own, "after\n"));
    let done = rehearse(&sandbox, &["-C", "own", "rehearse"]).run().expect_code(0);
    let head = sandbox.rev(&sandbox.path().join("own"), "HEAD");
    insta::assert_snapshot!(circle(&done).replace(&head[..10], "[head]"), @r#"
    Each cousin takes it in
    runner  `ecosystem sync` on each event, in a checkout of a cousin that begins with what was there before the push
    
    me/web  .github by merge
      refused: upstream changes a path that may not be written here:
        .github/workflows/x.yml: it decides what runs in this repository, or who reviews it
    
    me/web  features/odd by merge
      #2 Update features/odd from you/monorepo@[head]
      ecosystem.lock.json    +4 -4
      features/odd/a\nb      +1 -1
      features/odd/\xff.txt  +1 -1
      │ diff --git "a/features/odd/a\nb" "b/features/odd/a\nb"
      │ @@ -1 +1 @@
      │ -before
      │ +after
      │ diff --git "a/features/odd/\377.txt" "b/features/odd/\377.txt"
      │ @@ -1 +1 @@
      │ -before
      │ +after
    
    1 event not taken in: about the root or a name that no subscriptions.json can hold, or for the monorepo itself
    2 events led to 1 pull request, 1 refused as shown; each holds what it should, no main was touched, and a second run on each event changed nothing
    "#);
}

#[test]
fn a_large_plan_is_taken_in_as_far_as_it_stays_short_and_the_rest_is_counted() {
    let sandbox = Sandbox::new();
    let own = sandbox.new_repository("own");
    let cousins: Vec<Value> = (10..22)
        .map(|n| serde_json::json!({ "repo": format!("me/c{n}"), "subscriptions": ["lib"] }))
        .collect();
    sandbox.write(&own, "ecosystem.json", &Value::from(cousins).to_string());
    let files = |text: &str| {
        for n in 10..40 {
            sandbox.write(&own, &format!("lib/{n}.txt"), text);
        }
    };
    files("before\n");
    sandbox.commit_all(&own, "first");
    files("after\n");
    sandbox.commit_all(&own, "second");
    let done = rehearse(&sandbox, &["-C", "own", "rehearse"]).run().expect_code(0);
    let shown = circle(&done);
    assert_eq!(shown.matches("  #1 Update lib").count(), 8, "{shown}");
    assert_eq!(shown.matches("  and 21 more files\n").count(), 6, "{shown}");
    assert_eq!(shown.matches("  │ … 100 more lines\n").count(), 6, "{shown}");
    assert_eq!(shown.matches("  31 files\n").count(), 2, "{shown}");
    assert!(shown.contains("\n3 more events not taken in"), "{shown}");
    assert!(shown.contains("\n8 events led to 8 pull requests; each holds"), "{shown}");
}

#[test]
fn a_partial_clone_is_said_to_lack_what_cousins_begin_with() {
    let sandbox = Sandbox::new();
    own(
        &sandbox,
        |own| sandbox.write(own, "features/push/app.txt", "one\n"),
        |own| sandbox.write(own, "features/push/app.txt", "two\n"),
    );
    let own = sandbox.path().join("own");
    sandbox.git(&own, &["config", "uploadpack.allowFilter", "true"]);
    sandbox.clone(&own, "partial", &["--filter=blob:none"]);
    let done = rehearse(&sandbox, &["-C", "partial", "rehearse"]).run().expect_code(0);
    assert!(circle(&done).contains("not rehearsed: this is a partial clone"), "{}", done.stdout);
}

#[test]
#[cfg(unix)]
fn a_git_that_cannot_serve_is_said_to_with_what_to_install() {
    use std::os::unix::fs::PermissionsExt as _;

    let sandbox = Sandbox::new();
    let found = sandbox.git(sandbox.path(), &["--exec-path"]);
    let git = Path::new(&found).join("git");
    let bin = sandbox.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *http-backend*) exit 1;; esac\nexec {} \"$@\"\n",
        git.display()
    );
    std::fs::write(bin.join("git"), script).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let done = rehearse(&sandbox, &["rehearse"]).env("PATH", path).run().expect_code(2);
    let said = &done.stderr;
    assert!(said.contains("cannot clone acme/") && said.contains("git http-backend"), "{said}");
}
