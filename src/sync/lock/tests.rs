//! The promises of the lock file: what is written is read as it was, and nothing else is guessed.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

fn locked(dispatch_id: Option<&str>) -> Locked {
    Locked {
        source: "acme/monorepo".to_owned(),
        commit: CommitSha::parse(&"c".repeat(40)).unwrap(),
        tree: Some("7".repeat(40)),
        method: Method::Merge,
        into: "src/push".to_owned(),
        dispatch_id: dispatch_id.map(str::to_owned),
        applied_at: "2026-11-21T17:30:49.123456Z".parse().unwrap(),
    }
}

fn feature(path: &str) -> FeaturePath {
    FeaturePath::new(path.as_bytes())
}

fn two() -> Lock {
    let gone = Locked { tree: None, into: ".".to_owned(), method: Method::Copy, ..locked(None) };
    Lock::default()
        .with(&feature("features/webpush/flask"), locked(Some(&"d".repeat(32))))
        .with(&feature("docs"), gone)
}

#[test]
fn a_lock_is_written_sorted_with_one_value_a_line() {
    insta::assert_snapshot!(two().render(), @r#"
    {
      "features": {
        "docs": {
          "applied_at": "2026-11-21T17:30:49Z",
          "commit": "cccccccccccccccccccccccccccccccccccccccc",
          "dispatch_id": null,
          "into": ".",
          "method": "copy",
          "source": "acme/monorepo",
          "tree": null
        },
        "features/webpush/flask": {
          "applied_at": "2026-11-21T17:30:49Z",
          "commit": "cccccccccccccccccccccccccccccccccccccccc",
          "dispatch_id": "dddddddddddddddddddddddddddddddd",
          "into": "src/push",
          "method": "merge",
          "source": "acme/monorepo",
          "tree": "7777777777777777777777777777777777777777"
        }
      },
      "version": 1
    }
    "#);
    assert!(two().render().ends_with("}\n"));
}

#[test]
fn what_is_recorded_of_one_feature_leaves_the_others_alone() {
    let (flask, docs) = (feature("features/webpush/flask"), feature("docs"));
    let lock = two();
    assert_eq!(lock.get(&docs).map(|it| it.method), Some(Method::Copy));
    assert_eq!(lock.get(&feature("features/webpush")), None);
    let later = lock.with(&docs, locked(None));
    assert_eq!(later.get(&docs).map(|it| it.method), Some(Method::Merge));
    assert_eq!(later.get(&flask), lock.get(&flask));
    let without = later.without(&docs);
    let left: Vec<_> = without.features().map(|(path, _)| path).collect();
    assert_eq!(left, [&flask]);
    assert_eq!(without.without(&docs), without);
    assert_eq!(without.without(&flask).render(), "{\n  \"features\": {},\n  \"version\": 1\n}\n");
}

#[test]
fn what_a_newer_program_added_is_written_back() {
    let text = two().render().replace(
        "\"dispatch_id\": null,",
        "\"dispatch_id\": null,\n      \"extra\": {\n        \"a\": [\n          1.5,\n          true\n        ]\n      },",
    );
    let text = text.replace("\"version\": 1", "\"version\": 1,\n  \"written_by\": \"x\"");
    let lock = Lock::parse(text.as_bytes()).unwrap();
    assert_eq!(lock.render(), text);
    let again = lock.with(&feature("docs"), locked(None)).render();
    assert!(again.contains("\"extra\"") && again.contains("\"written_by\": \"x\""), "{again}");
}

#[test]
fn line_ends_of_windows_are_read() {
    assert_eq!(Lock::parse(two().render().replace('\n', "\r\n").as_bytes()), Ok(two()));
}

#[test]
fn an_unresolved_merge_says_what_to_do() {
    let text = two().render();
    for (marker, line) in [("<<<<<<< HEAD\n", 2), ("=======\n", 2), (">>>>>>> x\r\n", 2)] {
        let broken = text.replacen("{\n", &format!("{{\n{marker}"), 1);
        let error = Lock::parse(broken.as_bytes()).unwrap_err();
        assert_eq!(error, LockError::Conflict { line });
        assert_eq!(error.to_string(), "ecosystem.lock.json:2: a merge conflict is not resolved");
        assert!(error.help().contains("take either side"));
    }
}

#[test]
fn what_is_no_lock_file_of_this_version_is_refused_with_the_place() {
    let text = two().render();
    let said = |bytes: &[u8]| {
        let error = Lock::parse(bytes).unwrap_err();
        assert!(!error.help().is_empty());
        error.to_string()
    };
    for (from, to, message) in [
        (
            "\"version\": 1",
            "\"version\": 2",
            "ecosystem.lock.json is of version 2, which a newer program wrote",
        ),
        ("\"version\": 1", "\"version\": 0", "ecosystem.lock.json: \"/version\" must be 1"),
        ("\"version\": 1", "\"version\": 1.0", "ecosystem.lock.json: \"/version\" must be 1"),
        ("\"version\": 1", "\"v\": 1", "ecosystem.lock.json: \"/version\" is missing"),
        ("\"features\"", "\"f\"", "ecosystem.lock.json: \"/features\" is missing"),
        ("\"docs\"", "\"docs/\"", "ecosystem.lock.json: \"/features/docs~1\" is no feature's path"),
        (
            "\"docs\"",
            "\"../docs\"",
            "ecosystem.lock.json: \"/features/..~1docs\" is no feature's path",
        ),
        (
            "\"merge\"",
            "\"mix\"",
            "ecosystem.lock.json: \"/features/features~1webpush~1flask/method\" cannot be \"mix\"",
        ),
        ("\"commit\"", "\"comit\"", "ecosystem.lock.json: \"/features/docs/commit\" is missing"),
        (
            "\"tree\": null",
            "\"tree\": 7",
            "ecosystem.lock.json: \"/features/docs/tree\" cannot be \"7\"",
        ),
        (
            "\"into\": \".\"",
            "\"into\": \"../x\"",
            "ecosystem.lock.json: \"/features/docs/into\" cannot be \"../x\"",
        ),
        (
            "2026-11-21T17:30:49Z",
            "yesterday",
            "ecosystem.lock.json: \"/features/docs/applied_at\" cannot be \"yesterday\"",
        ),
        (
            "\"source\": \"acme/monorepo\"",
            "\"source\": \"\"",
            "ecosystem.lock.json: \"/features/docs/source\" cannot be \"\"",
        ),
        (
            "\"version\": 1",
            "\"version\": 1, \"path_encoding\": \"x\"",
            "ecosystem.lock.json: \"/path_encoding\" must be \"percent\"",
        ),
        (
            "\"dispatch_id\": null",
            "\"commit\": \"x\"",
            "ecosystem.lock.json cannot be read: the key \"commit\" is given twice at line 6 column 19",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let found = said(text.replace(from, to).as_bytes());
        assert!(found.starts_with(message), "{found}");
    }
    for bytes in [&b""[..], b"[]", b"{", b"\xff", b"null", b"{}{}", b"\xef\xbb\xbf{}"] {
        let found = said(bytes);
        assert!(found.contains("cannot be read"), "{found}");
    }
    assert!(said(&vec![b' '; MAX_BYTES + 1]).contains("the limit is"));
    assert!(said("[".repeat(100_000).as_bytes()).contains("recursion"));
}

#[test]
fn a_name_that_is_not_utf8_is_written_as_in_the_reports() {
    let odd = FeaturePath::new(b"a/\xff%");
    let lock = two().with(&odd, locked(None));
    let text = lock.render();
    assert!(text.contains("\"a/%FF%25\": {") && text.contains("\"path_encoding\": \"percent\""));
    assert_eq!(Lock::parse(text.as_bytes()), Ok(lock.clone()));
    assert_eq!(lock.without(&odd), two());
    let twice = text.replace("\"docs\"", "\"a/%ff%25\"");
    assert!(Lock::parse(twice.as_bytes()).unwrap_err().to_string().contains("is given twice"));
}

fn any_locked() -> impl Strategy<Value = Locked> {
    let time = any::<i32>().prop_map(|at| Timestamp::from_second(i64::from(at)).unwrap());
    let parts = (
        "[a-z\"\\\\/]{1,9}",
        "[1-9a-f]{40}",
        prop::option::of("[0-9a-f]{40}"),
        0..5_usize,
        "[a-z]{1,3}(/[a-z]{1,3})?|\\.",
        prop::option::of("[0-9a-f]{32}"),
        time,
    );
    parts.prop_map(|(source, commit, tree, method, into, dispatch_id, applied_at)| Locked {
        source,
        commit: CommitSha::parse(&commit).unwrap(),
        tree,
        method: Method::ALL[method],
        into,
        dispatch_id,
        applied_at,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(
        entries in prop::collection::vec(
            (prop::collection::vec(prop::sample::select(&b"ab%/.\"\\\xff\xc3\xa9"[..]), 1..9), any_locked()), 0..5
        )
    ) {
        let mut lock = Lock::default();
        for (path, locked) in entries {
            if let Ok(feature) = crate::subscriptions::path::told(&path) {
                lock = lock.with(&feature, locked);
            }
        }
        let text = lock.render();
        let read = Lock::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&read, &lock);
        prop_assert_eq!(read.render(), text);
    }

    #[test]
    fn whatever_the_bytes_are_there_is_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(), with in "[\\[\\]{}\",:0-9n<]{0,4}"
    ) {
        let _ = Lock::parse(&bytes);
        let text = two().render();
        let at = at.index(text.len());
        let _ = Lock::parse(format!("{}{with}{}", &text[..at], &text[at..]).as_bytes());
        let _ = Lock::parse(&text.as_bytes()[..at]);
    }
}
