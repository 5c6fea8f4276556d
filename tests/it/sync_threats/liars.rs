//! Servers that lie or break: GitHub's API, and the git server that features come from.

use std::sync::atomic::{AtomicUsize, Ordering};

use ecosystem_dispatcher::embedded_github::{Fault, Received};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{BRANCH, Source, expect_no_command, expect_nothing_left, expect_untouched, step, told};
use crate::support::case;
use crate::support::circle::{Circle, lines};
use crate::support::loopback::{Loopback, Protocol, can_serve_git, serve_git};

/// Returns how many API requests there were.
fn requests(circle: &Circle) -> usize {
    circle.github(|model| model.requests().len())
}

#[test]
fn an_answer_that_is_lost_creates_nothing_twice() {
    let circle = Circle::by("merge");
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let payload = told(&head);
    step(&circle, &circle.checkout(), &payload).run().expect_code(0);
    let is_write = |(_, it): &(usize, &Received)| it.method != "GET";
    let writes: Vec<usize> = circle.github(|model| {
        (1..).zip(model.requests()).filter(is_write).map(|(number, _)| number).collect()
    });
    assert!((2..8).contains(&writes.len()), "{writes:?}");
    for nth in writes {
        case(&format!("request {nth}"));
        let circle = Circle::by("merge");
        let head = circle.sandbox.rev(&circle.mono, "HEAD");
        circle.github(|model| model.fault_nth(nth, Fault::status(500).delivered()));
        let run = || step(&circle, &circle.checkout(), &told(&head)).args(["--max-wait", "0"]);
        run().run();
        run().run().expect_code(0);
        let pulls = circle.pulls();
        assert_eq!(pulls.len(), 1);
        assert_eq!(pulls[0].issue.labels, ["automated", "upstream-sync"]);
        assert_eq!(circle.at(BRANCH, "src/push/app.txt"), lines("app").trim_end());
        assert_eq!(circle.bare(&["rev-list", "--count", &format!("main..{BRANCH}")]), "1");
    }
}

/// Returns a pull request as GitHub lists it, from a repository with that id.
fn listed(number: u64, from: u64, more: &Value) -> Value {
    let mut pull = json!({
        "number": number, "state": "open", "title": "x", "body": "y", "draft": false,
        "html_url": "https://evil.example/)](javascript:alert(1))\n::set-output name=x::y",
        "merged_at": null, "labels": [],
        "head": { "ref": BRANCH, "repo": { "id": from } },
        "base": { "ref": "main", "repo": { "id": 1 } },
    });
    for (key, value) in more.as_object().unwrap() {
        pull[key] = value.clone();
    }
    pull
}

#[test]
fn lies_about_pull_requests_are_neither_believed_nor_shown_as_they_are() {
    let text = |value: &Value| Fault::status(200).text("application/json", &value.to_string());
    let page = |count: u64| json!((0..count).map(|n| listed(n, 7, &json!({}))).collect::<Vec<_>>());
    let huge = "x".repeat(10 << 20);
    let cases: [(&str, Fault, &[i32]); 13] = [
        ("a fork's branch of the same name", text(&page(1)), &[0]),
        ("a thousand of a fork's", text(&page(1_000)), &[0]),
        ("none", text(&json!([])), &[0]),
        ("one that is not there", text(&json!([listed(666, 1, &json!({}))])), &[1]),
        (
            "a head without repository",
            text(&json!([listed(5, 1, &json!({"head": {"ref": BRANCH, "repo": null}}))])),
            &[0],
        ),
        (
            "another base",
            text(&json!([listed(5, 1, &json!({"base": {"ref": "evil", "repo": {"id": 1}}}))])),
            &[0],
        ),
        ("another type", text(&json!({"a": 1})), &[1]),
        ("a number that is none", text(&json!([listed(5, 1, &json!({"number": "5"}))])), &[1]),
        ("a negative number", text(&json!([listed(5, 1, &json!({"number": -5}))])), &[1]),
        ("ten megabytes of title", text(&json!([listed(5, 1, &json!({"title": huge}))])), &[1]),
        ("no JSON", Fault::status(200).text("application/json", "[{"), &[1]),
        ("a page", Fault::html(200), &[1]),
        ("deep", Fault::status(200).text("application/json", &"[".repeat(200_000)), &[1]),
    ];
    let circle = Circle::by("merge");
    for (number, (what, fault, codes)) in cases.into_iter().enumerate() {
        case(what);
        // Each finds something new, and its own answer first.
        let head = circle.upstream(what, |mono| {
            std::fs::write(mono.join("features/push/README.md"), format!("{number}\n")).unwrap();
        });
        let nth = requests(&circle) + 1;
        circle.github(|model| model.fault_nth(nth, fault));
        let run = step(&circle, &circle.checkout(), &told(&head)).args(["--max-wait", "0"]);
        let done = run.arg("-v").run();
        assert!(codes.contains(&done.code.unwrap()), "{done:?}");
        expect_no_command(&done);
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.contains("evil.example") && text.len() < 100_000, "{done:?}");
        }
        let open = circle.pulls().iter().filter(|it| it.issue.open).count();
        assert!(open <= 1, "{open}");
    }
    let summary = std::fs::read_to_string(circle.sandbox.path().join("summary")).unwrap();
    assert!(!summary.contains("evil.example"), "{summary}");
    circle.github(|model| model.clear_faults());
    circle.pull();
    assert_eq!(circle.pulls().iter().filter(|it| it.issue.open).count(), 1);
}

#[test]
fn labels_that_cannot_be_set_are_a_warning() {
    let circle = Circle::by("merge");
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    for nth in 4..=8 {
        circle.github(|model| model.fault_nth(nth, Fault::status(404)));
    }
    let run = step(&circle, &circle.checkout(), &told(&head)).args(["--format", "json"]);
    let report = run.run().expect_code(0).json();
    assert_eq!(report["features"][0]["outcome"], "proposed");
    assert_eq!(report["warnings"][0]["code"], "not-labelled", "{report:#}");
}

/// What a git server says where a pack is expected.
const LIES: [(&str, &[u8]); 6] = [
    ("nothing", b""),
    ("garbage", b"00ff\x01::set-output name=x::y\r\n\xff\xfe"),
    ("a page", b"<html>"),
    ("an error", b"0034ERR \x1b[2J::set-output name=x::y ##[set-env] evil\n"),
    // git waits for what is behind it, and asks for what is lacking meanwhile.
    ("an error of another length", b"0035ERR \x1b[2J::set-output name=x::y ##[set-env] evil\n"),
    ("that there is nothing", b"0011acknowledgments\n0008NAK\n0000"),
];

#[test]
fn a_git_server_that_breaks_off_or_sends_garbage_is_an_error_that_leaves_nothing() {
    if !can_serve_git() {
        return;
    }
    let circle = Circle::by("merge");
    let source = Source(&circle);
    for (key, value) in [("allowFilter", "true"), ("allowAnySHA1InWant", "true")] {
        source.git(&["config", &format!("uploadpack.{key}"), value]);
    }
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let checkout = circle.checkout();
    let objects = || circle.sandbox.git(&checkout, &["count-objects", "-v"]);
    let before = objects();
    let lies = LIES.into_iter().map(|(what, body)| (what, Some(body)));
    for (number, (what, body)) in lies.chain([("half of a pack", None)]).enumerate() {
        // The first answers are true: they say what there is, and bring the commits.
        let from = [4, 6][number % 2];
        case(&format!("{what}, from answer {from}"));
        let (root, count) = (circle.sandbox.path().to_owned(), AtomicUsize::new(0));
        let server = Loopback::start(move |request| {
            let mut response = serve_git(&root, Protocol::V2, request);
            if count.fetch_add(1, Ordering::SeqCst) + 1 >= from {
                match body {
                    Some(body) => response.body = body.to_vec(),
                    None => response.body.truncate(response.body.len() / 2),
                }
            }
            response
        });
        let remote = format!("{}/monorepo.git", server.url());
        let run = step(&circle, &checkout, &told(&head)).args(["--remote", &remote]);
        let done = run.args(["-v", "--format", "json"]).run();
        expect_no_command(&done);
        let report = done.expect_code(1).json();
        let feature = &report["features"][0];
        assert_eq!(feature["outcome"], "failed", "{report:#}");
        assert!(!feature["error"].as_str().unwrap().is_empty());
        assert!(server.requests().len() < 20, "git asks again and again");
        expect_nothing_left(&circle);
    }
    assert_eq!(objects(), before);
    expect_untouched(&circle);
}
