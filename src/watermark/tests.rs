use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

fn repo(name: &str) -> RepoName {
    RepoName::parse(name).unwrap()
}

fn sha(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

fn marks(refs: &[(&str, char)], tip: Option<char>) -> Marks {
    let refs = refs.iter().map(|(name, digit)| ((*name).to_owned(), sha(*digit))).collect();
    let branch = Some("refs/heads/main".to_owned());
    Marks::read(Listing { refs, tip: tip.map(sha), branch, default_branch: None })
}

#[test]
fn a_ref_has_the_repositorys_name_as_far_as_git_allows_it() {
    for (name, expected) in [
        ("acme/web", "watermarks/acme/web"),
        ("Acme/Web.Site", "watermarks/Acme/Web.Site"),
        ("acme/.github", "watermarks/acme/%2Egithub"),
        ("acme/a..b", "watermarks/acme/a.%2Eb"),
        ("acme/a.", "watermarks/acme/a%2E"),
        ("acme/a.lock", "watermarks/acme/a%2Elock"),
        ("acme/a.LOCK", "watermarks/acme/a%2ELOCK"),
        ("acme/...", "watermarks/acme/%2E%2E%2E"),
    ] {
        assert_eq!(name_of(WATERMARKS, &repo(name)), expected);
        assert_eq!(named_by(expected.strip_prefix(WATERMARKS).unwrap()), Some(repo(name)));
    }
    for odd in ["acme", "acme/web/x", "acme/%2E", "acme/a%2Eb", "/", "", "acme/a b"] {
        assert_eq!(named_by(odd), None, "{odd}");
    }
}

proptest! {
    #[test]
    fn every_repository_has_a_ref_of_its_own_that_git_allows(name in "[A-Za-z0-9._-]{1,12}") {
        let Ok(repo) = RepoName::parse(&format!("acme/{name}")) else { return Ok(()) };
        let reference = name_of(WATERMARKS, &repo);
        let full = format!("refs/ecosystem/{reference}");
        prop_assert!(git2::Reference::is_valid_name(&full));
        prop_assert_eq!(named_by(reference.strip_prefix(WATERMARKS).unwrap()), Some(repo));
    }
}

#[test]
fn another_spelling_of_a_cousin_is_the_same_cousin() {
    let marks = marks(&[("watermarks/Acme/Web", 'a')], None);
    let mark = marks.watermark(&repo("acme/web")).unwrap();
    assert_eq!(mark.name, "watermarks/Acme/Web");
    assert_eq!(marks.delivered(&repo("acme/web"), &sha('b'))[0].name, "watermarks/Acme/Web");
    assert_eq!(marks.since(&repo("ACME/WEB"), &sha('a'), &BTreeMap::new()), Since::Head);
}

#[test]
fn what_a_cousin_is_compared_with_depends_on_its_watermark_and_where_the_branch_stands() {
    let web = repo("acme/web");
    let told = |answer: Option<bool>| BTreeMap::from([(sha('a'), answer)]);
    let unasked = BTreeMap::new();
    let old = || Since::Watermark(sha('a'));
    for (mark, tip, is_in, expected) in [
        (None, Some('b'), &unasked, Since::Nothing),
        (None, Some('c'), &unasked, Since::Nothing),
        (Some('b'), Some('b'), &unasked, Since::Head),
        (Some('b'), Some('c'), &unasked, Since::Head),
        // Head is the branch's tip: it is newer, or the branch was set back to it.
        (Some('a'), Some('b'), &unasked, old()),
        (Some('a'), Some('b'), &told(Some(true)), old()),
        // The branch has moved on: an old run, late or repeated, or between the two.
        (Some('a'), Some('c'), &told(Some(true)), Since::Newer(sha('a'))),
        (Some('a'), Some('c'), &told(Some(false)), old()),
        (Some('a'), Some('c'), &told(None), Since::Unclear(sha('a'))),
        (Some('a'), None, &told(Some(true)), Since::Newer(sha('a'))),
        (Some('a'), None, &unasked, Since::Unclear(sha('a'))),
    ] {
        let marks = match mark {
            Some(digit) => marks(&[("watermarks/acme/web", digit)], tip),
            None => marks(&[("watermarks/acme/docs", 'a')], tip),
        };
        assert_eq!(marks.since(&web, &sha('b'), is_in), expected, "{mark:?} {tip:?} {is_in:?}");
        let asked = marks.in_question([&web].into_iter(), &sha('b'));
        let asks = |digit| asked.contains_key(&sha(digit));
        assert_eq!(asks('a'), mark == Some('a') && tip != Some('b'), "{mark:?} {tip:?}");
        assert_eq!(asks('c'), tip == Some('c'), "{mark:?} {tip:?}");
        assert!(!asks('b'));
    }
}

#[test]
fn nobody_hears_of_a_commit_that_the_branch_does_not_hold_any_more() {
    let web = repo("acme/web");
    for (tip, is_in, expected) in [
        ('c', Some(false), Since::Rewritten),
        ('c', Some(true), Since::Watermark(sha('a'))),
        ('c', None, Since::Watermark(sha('a'))),
        ('b', Some(false), Since::Watermark(sha('a'))),
    ] {
        let marks = marks(&[("watermarks/acme/web", 'a')], Some(tip));
        let is_in = BTreeMap::from([(sha('a'), Some(false)), (sha(tip), is_in)]);
        assert_eq!(marks.since(&web, &sha('b'), &is_in), expected, "{tip} {is_in:?}");
        let new = marks.since(&repo("acme/new"), &sha('b'), &is_in);
        assert_eq!(new == Since::Rewritten, expected == Since::Rewritten);
    }
}

#[test]
fn a_watermark_moves_from_where_it_was_read_and_a_failure_is_marked_once() {
    let head = sha('b');
    let update = |name: &str, old: Option<char>, new: Option<char>| Update {
        name: name.to_owned(),
        old: old.map(sha),
        new: new.map(sha),
    };
    let before = marks(
        &[
            ("watermarks/acme/web", 'a'),
            ("watermarks/acme/docs", 'b'),
            ("failing/acme/web", 'a'),
            ("failing/acme/gone", 'a'),
            ("other/acme/web", 'a'),
        ],
        None,
    );
    let delivered = |name| before.delivered(&repo(name), &head);
    assert_eq!(
        delivered("acme/web"),
        [
            update("watermarks/acme/web", Some('a'), Some('b')),
            update("failing/acme/web", Some('a'), None)
        ]
    );
    assert_eq!(delivered("acme/docs"), []);
    assert_eq!(delivered("acme/new"), [update("watermarks/acme/new", None, Some('b'))]);
    assert_eq!(before.failed(&repo("acme/web"), &head), None);
    assert_eq!(
        before.failed(&repo("acme/docs"), &head),
        Some(update("failing/acme/docs", None, Some('b')))
    );
    assert_eq!(
        before.prune(|listed| listed.as_str() != "acme/gone" && listed.as_str() != "acme/docs"),
        [
            update("watermarks/acme/docs", Some('b'), None),
            update("failing/acme/gone", Some('a'), None)
        ]
    );
    let mut after = before.clone();
    delivered("acme/web").iter().for_each(|update| after.wrote(update));
    assert_eq!(after.since(&repo("acme/web"), &head, &BTreeMap::new()), Since::Head);
    assert_eq!(after.failing(&repo("acme/web")), None);
    let enabled = |it: &RepoName| it.as_str() == "acme/web";
    assert_eq!(before.unsent(enabled), [update("failing/acme/gone", Some('a'), None)]);
    let late = marks(&[("watermarks/acme/web", 'a'), ("failing/acme/web", 'c')], Some('c'));
    let moved = update("watermarks/acme/web", Some('a'), Some('b'));
    assert_eq!(late.delivered(&repo("acme/web"), &head), [moved], "the newest may have failed");
}

fn feature(path: &str) -> FeaturePath {
    FeaturePath::new(path.as_bytes())
}

#[test]
fn what_a_cousin_may_have_heard_of_is_known_by_commit_and_by_feature_where_they_are_few() {
    let (web, docs) = (repo("acme/web"), repo("acme/docs"));
    let mut marks =
        marks(&[("watermarks/acme/web", 'a'), ("watermarks/acme/docs", 'b')], Some('d'));
    let few: BTreeSet<FeaturePath> = ["x", "y"].map(feature).into();
    let many: BTreeSet<FeaturePath> = (0..33).map(|n| feature(&format!("f{n}"))).collect();
    assert_eq!(marks.tried(&web, &sha('a'), Some(&few)), [], "it stands there");
    for (repo, at, features, count) in
        [(&web, 'b', Some(&few), 2), (&web, 'c', Some(&many), 1), (&docs, 'c', None, 1)]
    {
        let updates = marks.tried(repo, &sha(at), features);
        assert_eq!(updates.len(), count);
        updates.iter().for_each(|update| marks.wrote(update));
        assert_eq!(marks.tried(repo, &sha(at), features), [], "it is known");
    }
    let sends = marks.sends(&sha('e')).unwrap();
    assert_eq!(sends.name, format!("sending/{}", sha('e')));
    marks.wrote(&sends);
    assert_eq!(marks.sends(&sha('e')), None);

    let only = Extent::Only(few.iter().map(hash_of).collect());
    let expected =
        [(sha('b'), only), (sha('c'), Extent::All), (sha('e'), Extent::All)].into_iter().collect();
    assert_eq!(marks.heard_of(&web, &sha('d')), expected);
    let of_docs: Vec<CommitSha> = marks.heard_of(&docs, &sha('d')).into_keys().collect();
    assert_eq!(of_docs, [sha('c'), sha('e')]);
    assert_eq!(
        marks.heard_of(&web, &sha('f')),
        BTreeMap::new(),
        "an old run leaves that to others"
    );

    // It goes with the success of the newest run, and only then.
    assert_eq!(marks.delivered(&web, &sha('f')).len(), 1);
    let updates = marks.delivered(&web, &sha('d'));
    assert_eq!(updates.len(), 4);
    updates.iter().for_each(|update| marks.wrote(update));
    marks.wrote(&marks.has_sent(&sha('e')).unwrap());
    assert_eq!(marks.heard_of(&web, &sha('d')), BTreeMap::new());
    assert_eq!(marks.heard_of(&docs, &sha('d')).len(), 1);
    let pruned = marks.prune(|listed| listed != &docs);
    assert_eq!(pruned.len(), 2, "{pruned:?}");
}

#[test]
fn refs_survive_being_written_and_read_again_and_garbage_is_nothing() {
    let mut written = marks(&[("watermarks/acme/%2Egithub", 'a'), ("failing/acme/web", 'a')], None);
    written.tried(&repo("acme/a.lock"), &sha('b'), None).iter().for_each(|it| written.wrote(it));
    written.wrote(&written.sends(&sha('c')).unwrap());
    assert!(!written.is_untouched());
    let refs = [
        ("watermarks/acme/%2Egithub".to_owned(), sha('a')),
        ("failing/acme/web".to_owned(), sha('a')),
        (format!("tried/acme/a%2Elock/{}", sha('b')), sha('b')),
        (format!("sending/{}", sha('c')), sha('c')),
    ];
    let branch = Some("refs/heads/main".to_owned());
    let listing = Listing { refs: refs.into(), branch, ..Listing::default() };
    let read = Marks::read(listing);
    assert_eq!(read.heard_of(&repo("acme/a.lock"), &sha('d')).len(), 2);
    assert_eq!(read.failing(&repo("acme/web")).map(|mark| &mark.commit), Some(&sha('a')));
    let garbage = [
        "sending/x",
        "sending/",
        "tried/acme/web",
        "tried/acme/web/x-1",
        "watermarks/acme",
        "watermarks/acme/web/x",
        "x",
    ];
    let garbage: Vec<(&str, char)> = garbage.map(|name| (name, 'a')).into();
    assert!(marks(&garbage, None).is_untouched());
    let commit = sha('a');
    for trace in [
        "watermarks/acme/web".to_owned(),
        "failing/acme/web".to_owned(),
        format!("sending/{commit}"),
        format!("tried/acme/web/{commit}"),
    ] {
        assert!(!marks(&[(&trace, 'a')], None).is_untouched(), "a run has been there: {trace}");
    }
}

#[test]
fn a_cousin_is_settled_by_its_last_dispatch_whatever_the_order() {
    use crate::delivery::Outcome::{Deferred, Delivered, Exhausted, Failed, Skipped};
    let mut ledger = Ledger::new(7, [0, 1, 0, 1, 2, 3, 3, 4, 4, 5].into_iter());
    for (cousin, outcome, expected) in [
        (0, Delivered, None),
        (1, Failed, None),
        (2, Delivered, Some(Settled::Delivered)),
        (1, Delivered, Some(Settled::Failed)),
        (0, Delivered, Some(Settled::Delivered)),
        (3, Skipped, None),
        (3, Delivered, Some(Settled::Unsent)),
        (4, Exhausted, None),
        (4, Skipped, Some(Settled::Failed)),
        (5, Deferred, Some(Settled::Failed)),
        // They have no more, had none, or do not exist.
        (0, Delivered, None),
        (6, Delivered, None),
        (9, Delivered, None),
    ] {
        assert_eq!(ledger.ended(cousin, outcome), expected, "{cousin} {outcome}");
    }
}
