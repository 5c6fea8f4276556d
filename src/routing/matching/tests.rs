use globset::Candidate;
use proptest::prelude::*;

use super::*;
use crate::routing::pattern::compile;

fn patterns(list: &[&str]) -> Vec<Pattern> {
    list.iter().map(|text| Pattern::parse(text).unwrap()).collect()
}

fn changed(paths: &[&str]) -> Vec<ChangedPath> {
    let mut paths: Vec<ChangedPath> = paths
        .iter()
        .map(|path| ChangedPath {
            path: path.trim_end_matches('@').as_bytes().to_vec(),
            submodule: path.ends_with('@'),
        })
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The features of one cousin with how many paths each has, `@` marks a submodule.
fn features(subscriptions: &[&str], paths: &[&str]) -> String {
    let list = patterns(subscriptions);
    let selected = Matcher::new([list.as_slice()]).unwrap().select(&changed(paths));
    let shown: Vec<String> = selected
        .iter()
        .map(|s| format!("{}:{}", String::from_utf8_lossy(s.feature.as_bytes()), s.matched))
        .collect();
    shown.join(" ")
}

#[test]
fn a_pattern_matches_the_path_itself_or_a_directory_above_it() {
    let app = "features/webpush/flask/app.py";
    for (subscriptions, path, expected) in [
        (&["features/webpush/flask"][..], app, "features/webpush/flask:1"),
        (&["./features/webpush/flask/"], app, "features/webpush/flask:1"),
        (&["features/webpush/flask"], "features/webpush/flask-extra/app.py", ""),
        (&["features/webpush/fla"], app, ""),
        (&["Features/webpush"], app, ""),
        (&["features/*/flask"], app, "features/webpush/flask:1"),
        (&["features/**"], app, "features/webpush:1"),
        (&["features/*"], app, "features/webpush:1"),
        (&["features/*"], "features/README.md", "features:1"),
        (&["features/*/"], "features/README.md", ""),
        (&["**/*.md"], "docs/guide/a.md", "docs/guide:1"),
        (&["**/*.md"], "a.md", ".:1"),
        (&["*.md"], "docs/a.md", ""),
        (&["**"], "a/b/c", "a:1"),
        (&["**"], "c", ".:1"),
        (&["**/flask"], app, "features/webpush/flask:1"),
        (&["docs/a.md"], "docs/a.md", "docs/a.md:1"),
        (&["docs/a.md/"], "docs/a.md", ""),
        (&["features/{webpush,pwa}/*"], app, "features/webpush/flask:1"),
        (&["features/webpush", "features/webpush/flask"], app, "features/webpush/flask:1"),
        (&["features/webpush/flask", "features/webpush"], app, "features/webpush/flask:1"),
        (&[".github"], ".github/workflows/ci.yml", ".github:1"),
        (&["*"], ".github/workflows/ci.yml", ".github:1"),
        (&["vendor/*"], "vendor/lib@", "vendor/lib:1"),
        (&["vendor/*/"], "vendor/lib@", "vendor/lib:1"),
        (&["vendor/lib/"], "vendor/lib@", "vendor/lib:1"),
        (&["vendor/lib/"], "vendor/lib", ""),
        (&["vendor/lib/x"], "vendor/lib@", ""),
        (&[r"app/\[id\]"], "app/[id]/page.tsx", "app/[id]:1"),
    ] {
        assert_eq!(features(subscriptions, &[path]), expected, "{subscriptions:?} on {path}");
    }
}

#[test]
fn the_last_pattern_that_matches_decides() {
    for (subscriptions, path, expected) in [
        (&["docs", "!docs/drafts"][..], "docs/drafts/x", ""),
        (&["docs", "!docs/drafts"], "docs/x", "docs:1"),
        (&["!docs/drafts", "docs"], "docs/drafts/x", "docs:1"),
        (&["docs", "!docs/drafts", "docs/drafts/keep"], "docs/drafts/keep/x", "docs/drafts/keep:1"),
        (&["docs", "!**/*.txt"], "docs/a/b.txt", ""),
        (&["docs", "!**/*.txt", "docs/a"], "docs/a/b.txt", "docs/a:1"),
        (&["docs/a/b", "!docs/a", "docs"], "docs/a/b/c", "docs:1"),
        (&["docs", "!docs/*/"], "docs/a", "docs:1"),
        (&["docs", "!docs/*/"], "docs/a/b", ""),
    ] {
        assert_eq!(features(subscriptions, &[path]), expected, "{subscriptions:?} on {path}");
    }
}

#[test]
fn paths_are_counted_for_the_feature_that_they_belong_to() {
    let paths = ["a", "a-b/x", "a/b/c/1", "a/b/c/2", "a/b/x", "a/x", "a/z/1", "b"];
    assert_eq!(features(&["a", "a/b/c", "!a/x"], &paths), "a:3 a/b/c:2");
    assert_eq!(features(&["**"], &paths), ".:2 a:5 a-b:1");
    assert_eq!(features(&["a/*"], &paths), "a:1 a/b:3 a/z:1");
}

#[test]
fn a_name_that_is_not_utf8_is_matched_by_its_bytes() {
    let list = patterns(&["odd/*"]);
    let paths = [ChangedPath { path: b"odd/\xff\n/x".to_vec(), submodule: false }];
    let selected = Matcher::new([list.as_slice()]).unwrap().select(&paths);
    assert_eq!(selected[0].feature.as_bytes(), b"odd/\xff\n");
}

/// The rules of matching said in the plainest way: every pattern against every prefix.
fn one_by_one(list: &[Pattern], changed: &ChangedPath) -> Option<Vec<u8>> {
    let path = &changed.path;
    let ends = (0..path.len()).filter(|at| path[*at] == b'/').chain([path.len()]);
    let prefixes: Vec<&[u8]> = ends.map(|end| &path[..end]).collect();
    let mut best: Option<Vec<u8>> = None;
    for pattern in list {
        let matches = |prefix: &[u8]| match pattern.shape() {
            Shape::Literal(literal) => literal == prefix,
            Shape::Glob { glob, .. } => compile(glob)
                .unwrap()
                .compile_matcher()
                .is_match_candidate(&Candidate::from_bytes(prefix)),
        };
        let hit = prefixes.iter().find(|prefix| {
            let leaf = prefix.len() == path.len() && !changed.submodule;
            matches(prefix) && !(leaf && pattern.is_directory_only())
        });
        let Some(prefix) = hit else { continue };
        let leaf = prefix.len() == path.len() && !changed.submodule;
        let feature = match pattern.shape() {
            Shape::Glob { .. } if leaf => {
                prefix.iter().rposition(|b| *b == b'/').map_or(&b""[..], |at| &prefix[..at])
            }
            _ => prefix,
        };
        if pattern.is_exclusion() {
            best = None;
        } else if best.as_ref().is_none_or(|best| feature.len() > best.len()) {
            best = Some(feature.to_vec());
        }
    }
    best
}

fn a_path() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab]{1,2}|-|a\\.b", 1..5).prop_map(|parts| parts.join("/"))
}

fn a_pattern() -> impl Strategy<Value = String> {
    let part = prop_oneof!["[ab]{1,2}", "a?|\\*|b\\*|\\[!a\\]|\\{a,bb\\}|\\*\\*|\\*\\.b"];
    (prop::bool::weighted(0.3), prop::collection::vec(part, 1..4), prop::bool::weighted(0.2))
        .prop_map(|(not, parts, directory)| {
            format!(
                "{}{}{}",
                if not { "!" } else { "" },
                parts.join("/"),
                if directory { "/" } else { "" }
            )
        })
}

proptest! {
    #[test]
    fn matching_all_together_equals_matching_one_by_one(
        cousins in prop::collection::vec(prop::collection::vec(a_pattern(), 1..5), 1..4),
        paths in prop::collection::vec((a_path(), prop::bool::weighted(0.1)), 0..20),
    ) {
        let cousins: Vec<Vec<Pattern>> = cousins
            .iter()
            .map(|list| list.iter().filter_map(|text| Pattern::parse(text).ok()).collect())
            .collect();
        let mut paths: Vec<ChangedPath> = paths
            .into_iter()
            .map(|(path, submodule)| ChangedPath { path: path.into_bytes(), submodule })
            .collect();
        paths.sort();
        paths.dedup_by(|a, b| a.path == b.path);
        // So many cousins with one exclusion that it is looked up for those that it concerns.
        let known = cousins.iter().flatten().find(|pattern| pattern.is_exclusion());
        let exclusion = known.cloned().unwrap_or_else(|| Pattern::parse("!**/b").unwrap());
        let crowd = vec![Pattern::parse("bb").unwrap(), exclusion];
        let everybody = || cousins.iter().chain(std::iter::repeat_n(&crowd, 40));
        let lists = || everybody().map(Vec::as_slice);
        let selected = Matcher::new(lists()).unwrap().select(&paths);
        let tally = Tally::of(&Matcher::unbuilt(lists()), &paths).unwrap();
        for (cousin, list) in everybody().enumerate().take(cousins.len() + 1) {
            for (at, path) in paths.iter().enumerate() {
                let expected = one_by_one(list, path).map(|feature| FeaturePath::new(&feature));
                let found: Vec<_> = selected
                    .iter()
                    .filter(|s| s.cousin == cousin && s.paths.iter().any(|run| run.contains(&at)))
                    .map(|s| s.feature.clone())
                    .collect();
                prop_assert_eq!(found, Vec::from_iter(expected), "{:?} {:?}", list, path);
            }
            for (position, pattern) in list.iter().enumerate() {
                // Alone and without its `!` it selects whatever it matches.
                let text = pattern.as_str().trim_start_matches('!');
                let alone = vec![Pattern::parse(text).unwrap()];
                let selects = |list: &[Pattern]| {
                    paths.iter().position(|path| one_by_one(list, path).is_some())
                };
                let met = tally.pattern(cousin, position);
                prop_assert_eq!(
                    met.first.map(|first| first as usize), selects(&alone), "{:?} {:?}", pattern, paths
                );
                if !pattern.is_exclusion() {
                    let behind = list[position..].iter().filter(|other| other.is_exclusion());
                    let and_exclusions: Vec<_> = alone.into_iter().chain(behind.cloned()).collect();
                    prop_assert_eq!(met.left, selects(&and_exclusions).is_some(), "{:?} {:?}", list, paths);
                }
            }
            // Where a path stands above another one, as in no tree, it may count twice.
            let above = |path: &ChangedPath| {
                let mut directory = path.path.clone();
                directory.push(b'/');
                paths.iter().any(|other| other.path.starts_with(&directory))
            };
            if !paths.iter().any(above) {
                let features: Vec<_> =
                    selected.iter().filter(|s| s.cousin == cousin).map(|s| s.feature.clone()).collect();
                prop_assert_eq!(tally.count(cousin), features.len(), "{:?} {:?}", list, paths);
                prop_assert_eq!(tally.features(cousin), features);
            }
        }
    }
}
