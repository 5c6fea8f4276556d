//! Commits that the source has and its trusted branch has not: a host shows those of forks and pull
//! requests under the parent's address. None is taken, and none is ever asked for by its id.

use pretty_assertions::assert_eq;

use super::{Source, expect_no_command, expect_refused, expect_untouched, step, told};
use crate::support::case;
use crate::support::circle::{Circle, SOURCE, write};
use crate::support::loopback::{Loopback, Protocol, can_serve_git, serve_git};

/// Returns what is called what, and is not on the trusted branch.
fn impostors(circle: &Circle) -> Vec<(&'static str, String)> {
    let source = Source(circle);
    let evil = source.write("blob", b"evil\n");
    let root = source.root(&source.tree(&[("100644", b"app.txt", &evil)]));
    let commit = |second: u32| source.commit(&root, &format!("{} +0000", 1_767_000_000 + second));
    let all = [1, 2, 3, 4, 5, 6].map(commit);
    let [fork, pull, deleted, tagged, other, annotated] = all.clone();
    source.git(&["update-ref", "refs/pull/7/head", &pull]);
    source.git(&["update-ref", "refs/heads/gone", &deleted]);
    source.git(&["update-ref", "-d", "refs/heads/gone"]);
    source.git(&["update-ref", "refs/tags/v1", &tagged]);
    source.git(&["update-ref", "refs/heads/evil", &other]);
    let tag =
        format!("object {annotated}\ntype commit\ntag v2\ntagger E <e@x> 1767000000 +0000\n\n");
    let tag = source.write("tag", tag.as_bytes());
    source.git(&["update-ref", "refs/tags/v2", &tag]);
    vec![
        ("a fork's", fork),
        ("a pull request's head", pull),
        ("a deleted branch's", deleted),
        ("a tag's", tagged),
        ("another branch's", other),
        ("a tag object", tag),
        ("a tree", root),
        ("a blob", evil),
        ("the trusted branch's tree", source.git(&["rev-parse", "refs/heads/main^{tree}"])),
        ("nobody's", "ab".repeat(20)),
        ("the cousin's own", circle.sandbox.rev(&circle.web, "HEAD")),
    ]
}

#[test]
fn a_commit_that_is_not_on_the_trusted_branch_is_refused_wherever_else_it_is() {
    let circle = Circle::by("merge");
    let all = impostors(&circle);
    for (what, options) in [("shallow", &["--depth=1"][..]), ("whole", &[])] {
        let checkout = circle.checkout_with(options);
        // The clone itself may have the object: that proves nothing.
        let url = circle.sandbox.path().join("monorepo.git");
        let refs = "+refs/*:refs/of-the-source/*";
        circle.sandbox.git(&checkout, &["fetch", "-q", url.to_str().unwrap(), refs]);
        // A whole clone is deepened no more than a shallow one: a few of them will do.
        let skipped = if what == "whole" { 4 } else { 1 };
        for (name, id) in all.iter().step_by(skipped) {
            case(&format!("{what}: {name}"));
            let done = step(&circle, &checkout, &told(id)).args(["--format", "json"]).run();
            expect_no_command(&done);
            let feature = expect_refused(done, "impostor-commit");
            assert!(feature["error"].as_str().unwrap().contains(id.as_str()), "{feature:#}");
        }
    }
    expect_untouched(&circle);
}

#[test]
fn what_is_no_whole_id_is_no_commit() {
    let circle = Circle::by("merge");
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let checkout = circle.checkout();
    let odd = ["main", "HEAD", "refs/heads/main", &head[..12], &format!("{head}~0"), "@{-1}"];
    for text in odd.iter().copied().chain([&*"0".repeat(40), &*format!("{head}{head}")]) {
        case(text);
        let done = step(&circle, &checkout, &told(text)).run();
        assert!(matches!(done.code, Some(1..=2)), "{done:?}");
        let run = circle.sync_in(&checkout).args(["--feature", "features/push", "--commit", text]);
        run.run().expect_code(2);
    }
    expect_untouched(&circle);
    assert!(circle.github(|model| model.git_requests().is_empty()));
}

/// Neither does the source learn which commits the cousin has.
#[test]
fn the_source_is_asked_for_its_branch_and_never_for_the_commit_that_is_claimed() {
    if !can_serve_git() {
        return;
    }
    let circle = Circle::by("merge");
    let all = impostors(&circle);
    let source = Source(&circle);
    for (key, value) in [("allowFilter", "true"), ("allowAnySHA1InWant", "true")] {
        source.git(&["config", &format!("uploadpack.{key}"), value]);
    }
    let root = circle.sandbox.path().to_owned();
    let server = Loopback::start(move |request| serve_git(&root, Protocol::V2, request));
    let url = format!("{}/monorepo.git", server.url());
    let checkout = circle.checkout();
    let own = circle.sandbox.rev(&checkout, "HEAD");
    for (name, id) in all.iter().take(3) {
        case(name);
        let run = step(&circle, &checkout, &told(id)).args(["--remote", &url, "--format", "json"]);
        expect_refused(run.run(), "impostor-commit");
    }
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let done = step(&circle, &checkout, &told(&head)).args(["--remote", &url]).run();
    done.expect_code(0);
    let asked: Vec<String> = server
        .requests()
        .iter()
        .map(|request| {
            assert_eq!(request.header("content-encoding"), None, "it can be read");
            String::from_utf8_lossy(&request.body).into_owned()
        })
        .collect();
    assert!(asked.iter().any(|body| body.contains(&format!("want {head}"))), "{asked:#?}");
    for body in &asked {
        for (name, id) in &all {
            assert!(!body.contains(&format!("want {id}")) || name.contains("trusted"), "{name}");
        }
        assert!(!body.contains(&own), "the source hears of the cousin's commit");
    }
}

#[test]
fn another_source_in_the_event_is_not_asked() {
    let circle = Circle::by("merge");
    let head = circle.upstream("more", |mono| write(mono, "features/push/b", "b\n"));
    let checkout = circle.checkout();
    for source in ["evil/monorepo", "acme/monorepo2", "https://evil.example/acme/monorepo"] {
        case(source);
        let mut payload = told(&head);
        payload["source_repository"] = source.into();
        let done = step(&circle, &checkout, &payload).args(["--format", "json"]).run();
        expect_refused(done, "wrong-source");
    }
    assert!(circle.github(|model| model.git_requests().is_empty()));
    // Names know no case at GitHub.
    let mut payload = told(&head);
    payload["source_repository"] = SOURCE.to_uppercase().into();
    step(&circle, &checkout, &payload).run().expect_code(0);
    assert_eq!(circle.pulls().len(), 1);
}
