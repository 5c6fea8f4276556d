//! What both sides changed: never a guess, always listed, and only lines get markers.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{BRANCH, FEATURE, METHODS, into, subscription};
use crate::support::case;
use crate::support::circle::lines;
use crate::support::pair::{Pair, Tree, below, file, inside, link, program, submodule, tree};

fn pointer(of: char) -> Vec<u8> {
    let of = of.to_string().repeat(64);
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{of}\nsize 12\n").into_bytes()
}

/// Returns the three sides, each path with whether it is marked: all of them conflict.
fn sides() -> ([Tree; 3], Vec<(&'static str, bool)>) {
    let text = |line: &str| file(lines("app").replace("app 5", line));
    let all = [
        ("binary", false, [file([0, 1]), file([0, 2]), file([0, 3])]),
        ("lfs", false, ['1', '2', '3'].map(|of| file(pointer(of)))),
        ("lines", true, [text("app 5"), text("ours"), text("theirs")]),
        ("link", false, ["app", "ours", "theirs"].map(link)),
        ("submodule", false, ['1', '2', '3'].map(submodule)),
    ];
    let side = |at: usize| tree(all.iter().map(|(path, _, sides)| (*path, sides[at].clone())));
    let mut found = [side(0), side(1), side(2)];
    // What a link names, so that it leads nowhere else.
    for (at, name) in ["app", "ours", "theirs"].into_iter().enumerate() {
        for tree in &mut found {
            tree.insert(name.into(), file(format!("{at}\n")));
        }
    }
    // Deleted on one side and changed on the other, and a mode that is no conflict at all.
    let delete = |tree: &mut Tree, path: &str| tree.remove(path.as_bytes()).unwrap();
    for (path, gone, changed) in [("gone-here", 1, 2), ("gone-upstream", 2, 1)] {
        for tree in &mut found {
            tree.insert(path.into(), file(lines(path)));
        }
        delete(&mut found[gone], path);
        found[changed].insert(path.into(), file(lines(path).replace('5', "five")));
    }
    found[0].insert(b"run".to_vec(), file("run\n"));
    found[1].insert(b"run".to_vec(), program("run\n"));
    found[2].insert(b"run".to_vec(), program("run\n"));
    let mut listed: Vec<(&str, bool)> =
        all.iter().map(|(path, marked, _)| (*path, *marked)).collect();
    listed.extend([("gone-here", false), ("gone-upstream", false)]);
    listed.sort_unstable();
    (found, listed)
}

#[test]
fn a_conflict_is_listed_and_only_in_text_are_there_markers() {
    for method in METHODS {
        case(method);
        let ([base, ours, theirs], listed) = sides();
        let pair = Pair::new(&[subscription(method)]);
        pair.here(&Tree::new());
        pair.upstream(&below(FEATURE, &base));
        pair.pull();
        pair.accept(BRANCH);
        pair.here(&below(into(method), &ours));
        pair.upstream(&below(FEATURE, &theirs));

        // Whoever wants no draft gets nothing.
        let before = pair.branches();
        let args = ["--pull", "--dry-run", "--conflict", "fail", "--format", "json"];
        let done = pair.sync().args(args).run();
        if method == "copy" {
            done.expect_code(0);
            assert_eq!(inside(into(method), &pair.files(&pair.web, BRANCH)), theirs);
            continue;
        }
        let report = done.expect_code(1).json();
        assert_eq!(report["features"][0]["code"], "conflict", "{report:#}");
        assert_eq!(pair.branches(), before);

        let report = pair.pull();
        let told = &report["features"][0];
        let found: Vec<(String, bool)> = told["conflicts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["path"].as_str().unwrap().to_owned(), it["marked"] == true))
            .collect();
        let expected: Vec<(String, bool)> = listed
            .iter()
            .map(|(path, marked)| (format!("{}/{path}", into(method)), *marked))
            .collect();
        assert_eq!(found, expected, "{report:#}");
        assert_eq!(told["pull_request"]["draft"], true);
        let files = inside(into(method), &pair.files(&pair.web, BRANCH));
        for path in ["binary", "lfs", "link", "submodule", "run"] {
            let path = path.as_bytes();
            assert_eq!(files[path], ours[path], "ours stays");
        }
        assert_eq!(files[b"gone-here".as_slice()], theirs[b"gone-here".as_slice()]);
        assert_eq!(files[b"gone-upstream".as_slice()], ours[b"gone-upstream".as_slice()]);
        let text = String::from_utf8(files[b"lines".as_slice()].content.clone()).unwrap();
        for part in ["<<<<<<<", "ours\n", "theirs\n", ">>>>>>>"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(
            json!(text.matches("app ").count()),
            8,
            "the other lines are there once: {text}"
        );
    }
}
