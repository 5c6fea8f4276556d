//! What must hold for every list of patterns and every tree: a pattern that is said to be without
//! effect can be left out.

use globset::Candidate;
use proptest::prelude::*;

use super::*;
use crate::routing::Selected;
use crate::routing::pattern::{Shape, compile};

fn a_path() -> impl Strategy<Value = String> {
    prop::collection::vec("[abA]|ab|a\\.b", 1..4).prop_map(|parts| parts.join("/"))
}

fn a_pattern() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => "[ab]|ab",
        2 => "a?|\\*|b\\*|\\[!a\\]|\\{a,ab\\}|\\*\\*|\\*\\.b|a\\*b|\\{,a\\}",
    ];
    (prop::bool::weighted(0.3), prop::collection::vec(part, 1..4), prop::bool::weighted(0.2))
        .prop_map(|(not, parts, directory)| {
            let (not, slash) = (if not { "!" } else { "" }, if directory { "/" } else { "" });
            format!("{not}{}{slash}", parts.join("/"))
        })
}

/// A list with a positive pattern, so that a file may hold it.
fn a_list() -> impl Strategy<Value = Vec<Pattern>> {
    prop::collection::vec(a_pattern(), 1..7).prop_map(|texts| {
        let mut list: Vec<Pattern> =
            texts.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
        if list.iter().all(Pattern::is_exclusion) {
            list.push(Pattern::parse("a").unwrap());
        }
        list
    })
}

/// Paths of a tree: none of them is a directory above another.
fn a_tree() -> impl Strategy<Value = Vec<ChangedPath>> {
    prop::collection::vec((a_path(), prop::bool::weighted(0.1)), 0..15).prop_map(|paths| {
        let mut paths: Vec<ChangedPath> = paths
            .into_iter()
            .map(|(path, submodule)| ChangedPath { path: path.into_bytes(), submodule })
            .collect();
        paths.sort();
        paths.dedup_by(|a, b| a.path == b.path);
        let all = paths.clone();
        let below = |path: &ChangedPath, other: &ChangedPath| {
            other.path.strip_prefix(path.path.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
        };
        paths.retain(|path| !all.iter().any(|other| below(path, other)));
        paths
    })
}

/// The findings, as position, severity and code.
fn findings(list: &[Pattern], tree: &[ChangedPath]) -> Vec<(usize, Severity, Code)> {
    let texts: Vec<&str> = list.iter().map(Pattern::as_str).collect();
    let diagnosis = diagnose("ecosystem.json", file(&texts).as_bytes(), tree).unwrap();
    let diagnostics = diagnosis.diagnostics().iter();
    diagnostics
        .map(|d| (d.pointer.rsplit('/').next().unwrap().parse().unwrap(), d.severity, d.code))
        .collect()
}

fn select(list: &[Pattern], without: &[usize], tree: &[ChangedPath]) -> Vec<Selected> {
    let kept: Vec<&Pattern> = list
        .iter()
        .enumerate()
        .filter(|(position, _)| !without.contains(position))
        .map(|(_, pattern)| pattern)
        .collect();
    Matcher::new([kept]).unwrap().select(tree)
}

/// The positions of the paths that are selected.
fn paths(selected: &[Selected]) -> Vec<usize> {
    let mut paths: Vec<usize> =
        selected.iter().flat_map(|s| s.paths.iter().cloned().flatten()).collect();
    paths.sort_unstable();
    paths
}

/// Whether the pattern matches any of the paths, said in the plainest way.
fn matches_any(pattern: &Pattern, tree: &[ChangedPath]) -> bool {
    tree.iter().any(|changed| {
        let path = &changed.path;
        let ends = (0..path.len()).filter(|at| path[*at] == b'/').chain([path.len()]);
        ends.into_iter().any(|end| {
            let prefix = &path[..end];
            let leaf = end == path.len() && !changed.submodule;
            !(leaf && pattern.is_directory_only())
                && match pattern.shape() {
                    Shape::Literal(literal) => literal == prefix,
                    Shape::Glob { glob, .. } => compile(glob)
                        .unwrap()
                        .compile_matcher()
                        .is_match_candidate(&Candidate::from_bytes(prefix)),
                }
        })
    })
}

fn is_a_file(pattern: &Pattern, tree: &[ChangedPath]) -> bool {
    let Shape::Literal(literal) = pattern.shape() else { return false };
    tree.iter().any(|changed| !changed.submodule && changed.path == *literal)
}

fn lowered(pattern: &Pattern, tree: &[ChangedPath]) -> bool {
    let mut lowered: Vec<ChangedPath> = tree.to_vec();
    lowered.iter_mut().for_each(|changed| changed.path.make_ascii_lowercase());
    matches_any(pattern, &lowered)
}

proptest! {
    #[test]
    fn a_pattern_said_to_be_without_effect_can_be_left_out(
        list in a_list(), head in a_tree(), tomorrow in a_tree()
    ) {
        let found = findings(&list, &head);
        let mut without_effect = Vec::new();
        for (position, severity, code) in found {
            let out = |tree: &[ChangedPath]| {
                (select(&list, &[], tree), select(&list, &[position], tree))
            };
            match (code, severity) {
                (Code::CoveredSubscription, Severity::Warning) => {
                    without_effect.push(position);
                    for tree in [&head, &tomorrow] {
                        let (with, without) = out(tree);
                        // A literal that is no file at HEAD is not expected to become one.
                        if is_a_file(&list[position], tree) {
                            prop_assert_eq!(paths(&with), paths(&without), "{} {:?} {:?}", position, &list, tree);
                        } else {
                            prop_assert_eq!(with, without, "{} {:?} {:?}", position, &list, tree);
                        }
                    }
                }
                (Code::CoveredSubscription, _) => {
                    for tree in [&head, &tomorrow] {
                        let (with, without) = out(tree);
                        prop_assert_eq!(paths(&with), paths(&without), "{} {:?} {:?}", position, &list, tree);
                    }
                }
                (Code::ExcludedSubscription, _) => {
                    let (with, without) = out(&head);
                    prop_assert_eq!(with, without, "{} {:?} {:?}", position, &list, &head);
                }
                _ => {}
            }
        }
        // And all of them at once.
        for tree in [&head, &tomorrow] {
            let (with, without) = (select(&list, &[], tree), select(&list, &without_effect, tree));
            if without_effect.iter().any(|position| is_a_file(&list[*position], tree)) {
                prop_assert_eq!(paths(&with), paths(&without));
            } else {
                prop_assert_eq!(with, without);
            }
        }
    }

    #[test]
    fn a_pattern_is_said_to_match_nothing_exactly_when_it_does(list in a_list(), head in a_tree()) {
        let found = findings(&list, &head);
        for (position, pattern) in list.iter().enumerate() {
            let about = found.iter().filter(|(at, ..)| *at == position);
            let codes: Vec<Code> = about.map(|(_, _, code)| *code).collect();
            prop_assert!(codes.len() <= 1, "{:?} {:?}", codes, pattern);
            let code = codes.first().copied();
            let graver = matches!(
                code, Some(Code::DuplicateSubscription | Code::ExcludedSubscription)
            );
            let expected = match (matches_any(pattern, &head), lowered(pattern, &head)) {
                (true, _) => None,
                (false, true) => Some(Code::CaseOrUnicodeMismatch),
                (false, false) => Some(Code::MatchesNothing),
            };
            let missing = code.filter(|code| {
                matches!(code, Code::MatchesNothing | Code::CaseOrUnicodeMismatch)
            });
            if !graver {
                prop_assert_eq!(missing, expected, "{:?} {:?}", pattern, &head);
            }
        }
    }

    #[test]
    fn a_pattern_of_which_exclusions_leave_nothing_is_always_found(
        list in a_list(), head in a_tree()
    ) {
        let found = findings(&list, &head);
        for (position, pattern) in list.iter().enumerate() {
            if pattern.is_exclusion() || !matches_any(pattern, &head) {
                continue;
            }
            let behind = list.iter().skip(position + 1).filter(|p| p.is_exclusion()).cloned();
            let alone: Vec<Pattern> = std::iter::once(pattern.clone()).chain(behind).collect();
            let nothing_left = select(&alone, &[], &head).is_empty();
            let about = found.iter().find(|(at, ..)| *at == position).map(|(_, _, code)| *code);
            if about != Some(Code::DuplicateSubscription) {
                let said = about == Some(Code::ExcludedSubscription);
                prop_assert_eq!(said, nothing_left, "{} {:?} {:?}", position, &list, &head);
            }
        }
    }
}
