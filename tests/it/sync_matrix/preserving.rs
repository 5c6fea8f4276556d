//! What `preserve` names is neither written nor changed nor deleted, by any method.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{BRANCH, FEATURE, METHODS, into};
use crate::support::case;
use crate::support::pair::{Pair, Tree, below, file, inside, link, tree};

fn files(all: &[(&str, &str)]) -> Tree {
    tree(all.iter().map(|(path, content)| (*path, file(format!("{content}\n")))))
}

#[test]
fn what_is_preserved_stays_as_it_is_whatever_upstream_does_there() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[json!({
            "feature": FEATURE, "into": into(method), "method": method,
            "preserve": ["config/**", "!config/shared", "*.local", "kept/"],
        })]);
        let base = files(&[
            ("app", "1"),
            ("config/a", "1"),
            ("config/gone", "1"),
            ("config/shared/s", "1"),
            ("x.local", "1"),
            ("kept/deep/k", "1"),
            ("gone", "1"),
        ]);
        pair.upstream(&below(FEATURE, &base));
        // The cousin has its own, also where upstream will add something.
        let ours = files(&[
            ("config/a", "own"),
            ("config/gone", "own"),
            ("config/new", "own"),
            ("x.local", "own"),
            ("kept/deep/k", "own"),
            ("kept/mine", "own"),
        ]);
        pair.here(&below(into(method), &ours));
        pair.pull();
        let first = inside(into(method), &pair.files(&pair.web, BRANCH));
        let brought = files(&[("app", "1"), ("config/shared/s", "1"), ("gone", "1")]);
        let expected: Tree = ours.clone().into_iter().chain(brought).collect();
        assert_eq!(first, expected, "the first time");
        pair.accept(BRANCH);

        let theirs = files(&[
            ("app", "2"),
            ("config/a", "2"),
            ("config/new", "2"),
            ("config/more/m", "2"),
            ("config/shared/s", "2"),
            ("y.local", "2"),
            ("kept", "a file now"),
        ]);
        pair.upstream(&below(FEATURE, &theirs));
        let report = pair.pull();
        assert_eq!(report["features"][0]["outcome"], "committed", "{report:#}");
        let found = inside(into(method), &pair.files(&pair.web, BRANCH));
        let mut expected = ours.clone();
        expected.extend(files(&[("app", "2"), ("config/shared/s", "2")]));
        // What would be a file where a preserved directory is has no place.
        let beside: Vec<_> = found.keys().filter(|path| !expected.contains_key(*path)).collect();
        assert!(beside.iter().all(|path| path.starts_with(b"kept")), "{beside:?}");
        let kept: Tree =
            found.clone().into_iter().filter(|(path, _)| expected.contains_key(path)).collect();
        assert_eq!(kept, expected, "{report:#}");
        assert_eq!(
            beside.is_empty(),
            report["features"][0]["conflicts"] == json!([]),
            "{report:#}"
        );
    }
}

#[test]
fn where_everything_is_preserved_nothing_is_proposed_but_the_record() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[json!({
            "feature": FEATURE, "into": into(method), "method": method, "preserve": ["**"],
        })]);
        pair.upstream(&below(FEATURE, &files(&[("app", "1")])));
        let ours = files(&[("app", "own")]);
        pair.here(&below(into(method), &ours));
        let report = pair.pull();
        assert_eq!(report["features"][0]["changes"], json!([]));
        pair.accept(BRANCH);
        assert_eq!(inside(into(method), &pair.files(&pair.web, "main")), ours);
        pair.upstream(&below(FEATURE, &files(&[("app", "2"), ("new", "2")])));
        let before = pair.branches();
        let report = pair.pull();
        assert_eq!(report["features"][0]["outcome"], "nothing-to-do", "{report:#}");
        assert_eq!(pair.branches(), before);
    }
}

#[test]
fn a_link_that_is_preserved_is_not_written_through() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[json!({
            "feature": FEATURE, "into": into(method), "method": method, "preserve": ["config"],
        })]);
        pair.upstream(&below(FEATURE, &files(&[("app", "1")])));
        let mut ours = files(&[("app", "1"), ("local/a", "own")]);
        ours.insert(b"config".to_vec(), link("local"));
        pair.here(&below(into(method), &ours));
        pair.pull();
        pair.accept(BRANCH);
        let mut all = pair.files(&pair.web, "main");
        all.extend(below(into(method), &ours));
        pair.here(&all);
        pair.upstream(&below(FEATURE, &files(&[("app", "2"), ("config/a", "2")])));
        pair.pull();
        let found = inside(into(method), &pair.files(&pair.web, BRANCH));
        ours.extend(files(&[("app", "2")]));
        if method == "copy" {
            ours.remove(b"local/a".as_slice());
        }
        assert_eq!(found, ours);
    }
}
