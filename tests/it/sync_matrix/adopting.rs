//! The first sync into a directory that is there already: what people copied by hand before.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{BRANCH, FEATURE, METHODS, into, subscription};
use crate::support::case;
use crate::support::circle::{COUSIN, Circle, lines, write};
use crate::support::pair::{Pair, Tree, below, file, program, tree};

fn feature() -> Tree {
    tree([
        ("app.txt", file(lines("app"))),
        ("run", program("#!/bin/sh\n")),
        ("deep/util.txt", file(lines("util"))),
    ])
}

#[test]
fn what_was_copied_by_hand_gets_a_base_for_the_next_merge() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[subscription(method)]);
        let first = pair.upstream(&below(FEATURE, &feature()));
        pair.here(&below(into(method), &feature()));
        let report = pair.pull();
        let told = &report["features"][0];
        assert_eq!(told["outcome"], "committed", "{report:#}");
        assert_eq!(told["changes"], json!([]));
        let changed = pair.sandbox.git(&pair.web, &["diff", "--name-only", "main", BRANCH]);
        assert_eq!(changed, "ecosystem.lock.json");
        assert_eq!(pair.locked(BRANCH, FEATURE)["commit"], first);
        let body = told["pull_request"]["body"].as_str().unwrap();
        assert!(body.contains("What is here needs no change."), "{body}");
        pair.accept(BRANCH);
        assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");

        // Now a local edit and one of upstream are told apart.
        let mut ours = feature();
        ours.insert(b"app.txt".to_vec(), file(lines("app").replace("app 9", "ours")));
        pair.here(&below(into(method), &ours));
        let mut theirs = feature();
        theirs.insert(b"app.txt".to_vec(), file(lines("app").replace("app 1", "theirs")));
        pair.upstream(&below(FEATURE, &theirs));
        let report = pair.pull();
        assert_eq!(report["features"][0]["conflicts"], json!([]), "{report:#}");
        let text = pair.files(&pair.web, BRANCH)[format!("{}/app.txt", into(method)).as_bytes()]
            .content
            .clone();
        let both = lines("app").replace("app 1", "theirs");
        let both = if method == "copy" { both } else { both.replace("app 9", "ours") };
        assert_eq!(String::from_utf8(text).unwrap(), both);
    }
}

#[test]
fn what_was_copied_by_hand_and_edited_is_no_ones_to_decide_but_a_persons() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[subscription(method)]);
        pair.upstream(&below(FEATURE, &feature()));
        let mut ours = feature();
        ours.insert(b"app.txt".to_vec(), file(lines("app").replace("app 9", "ours")));
        ours.insert(b"own.txt".to_vec(), file("own\n"));
        pair.here(&below(into(method), &ours));
        let report = pair.pull();
        let told = &report["features"][0];
        assert_eq!(told["outcome"], "committed", "{report:#}");
        if method == "copy" {
            assert_eq!(told["conflicts"], json!([]));
            let changes = told["changes"].as_array().unwrap();
            assert_eq!(changes.len(), 2, "{report:#}");
            continue;
        }
        let path = format!("{}/app.txt", into(method));
        assert_eq!(told["conflicts"][0]["path"], path, "{report:#}");
        assert_eq!(told["conflicts"].as_array().unwrap().len(), 1);
        assert_eq!(told["pull_request"]["draft"], true);
        let files = pair.files(&pair.web, BRANCH);
        let text = String::from_utf8(files[path.as_bytes()].content.clone()).unwrap();
        assert!(text.contains("<<<<<<<") && text.contains("ours\n") && text.contains("app 9\n"));
        assert!(files.contains_key(format!("{}/own.txt", into(method)).as_bytes()));
    }
}

#[test]
fn a_pull_request_that_only_records_is_left_alone_once_it_was_closed() {
    let circle = Circle::by("merge");
    circle.here("copied by hand", |web| {
        for (path, content) in [
            ("app.txt", lines("app")),
            ("lib/deep/util.txt", lines("util")),
            ("README.md", "push\n".into()),
        ] {
            write(web, &format!("src/push/{path}"), content);
        }
    });
    let report = circle.pull();
    assert_eq!(report["features"][0]["outcome"], "proposed", "{report:#}");
    assert_eq!(circle.pull()["features"][0]["outcome"], "nothing-to-do");
    assert!(circle.github(|model| model.close_pull_request(COUSIN, 1)));
    assert_eq!(circle.pull()["features"][0]["outcome"], "snoozed");
    assert_eq!(circle.pulls().len(), 1);
}
