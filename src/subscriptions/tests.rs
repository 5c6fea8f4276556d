//! The promises of the whole path from bytes to validated subscriptions or to every error.

use std::fs;
use std::path::PathBuf;

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

const FULL: &str = r#"{
  "$schema": "https://example.com/subscriptions.schema.json",
  "source": "acme/monorepo", "branch": "refs/heads/main", "max_age_days": 30,
  "subscriptions": [
    "features/pwa/vanilla",
    { "feature": "./features/webpush/flask/", "into": "src/push", "method": "copy",
      "preserve": ["config/**", "!config/shared"], "pull_request": "per-commit" }
  ]
}"#;

fn good(text: &str) -> Subscriptions {
    parse("subscriptions.json", text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}"))
}

fn refused(text: &str) -> Diagnosis {
    parse("subscriptions.json", text.as_bytes()).expect_err(text)
}

/// Returns `code line:column pointer` of each diagnostic.
fn summary(text: &str) -> Vec<String> {
    let refused = refused(text);
    for one in refused.diagnostics() {
        assert!(one.help.as_ref().is_some_and(|help| !help.is_empty()), "{one:?}");
    }
    let each = refused.diagnostics().iter();
    each.map(|one| format!("{} {}:{} {}", one.code, one.place.line, one.place.column, one.pointer))
        .collect()
}

#[test]
fn both_forms_are_read_in_file_order() {
    let full = good(FULL);
    let source = full.source.as_ref().and_then(|source| source.repository.as_ref());
    assert_eq!(source.map(|name| name.as_str()), Some("acme/monorepo"));
    assert_eq!((full.branch.as_deref(), full.max_age_days), (Some("main"), Some(30)));
    let [bare, long] = full.subscriptions.as_slice() else { panic!("{full:?}") };
    assert_eq!(
        (bare.into.as_str(), bare.method, bare.pull_request, bare.preserve.is_empty(), bare.line),
        ("features/pwa/vanilla", Method::Merge, PullRequests::Rolling, true, 5)
    );
    assert_eq!(
        (long.feature.as_bytes(), long.into.as_bytes(), long.method, long.pull_request, long.line),
        (
            &b"features/webpush/flask"[..],
            &b"src/push"[..],
            Method::Copy,
            PullRequests::PerCommit,
            6
        )
    );
    assert!(long.preserve.matches(b"config/a") && !long.preserve.matches(b"config/shared/b"));
    let plain = good(r#"["features/webpush/flask", "docs"]"#);
    assert_eq!(
        (plain.source.as_ref(), plain.branch.as_ref(), plain.max_age_days),
        (None, None, None)
    );
    assert_eq!(plain.subscriptions.len(), 2);
    assert_eq!(plain.find(&FeaturePath::new(b"docs")).map(|one| one.line), Some(1));
    assert_eq!(plain.find(&FeaturePath::new(b"features/webpush")), None);
}

#[test]
fn each_fault_is_reported_with_its_place() {
    for (text, expected) in [
        ("", &["syntax 1:1 "][..]),
        ("{}", &["missing-key 1:1 "]),
        ("[]", &["no-subscription 1:1 "]),
        (r#"{"subscriptions": []}"#, &["no-subscription 1:19 /subscriptions"]),
        (r#"{"feature": "a"}"#, &["wrong-type 1:1 "]),
        ("3", &["wrong-type 1:1 "]),
        (r#"["a", 3, null]"#, &["wrong-type 1:7 /1", "wrong-type 1:10 /2"]),
        (r#"["a", "a/"]"#, &["duplicate-subscription 1:7 /1"]),
        (r#"["a", "a/b"]"#, &["overlapping-into 1:7 /1"]),
        (r#"["features/*"]"#, &["bad-feature 1:2 /0"]),
        (
            r#"["!a", "a\\b", "../a", ""]"#,
            &[
                "bad-feature 1:2 /0",
                "bad-feature 1:8 /1",
                "bad-feature 1:16 /2",
                "bad-feature 1:24 /3",
            ],
        ),
        (r#"[".github/workflows"]"#, &["bad-into 1:2 /0"]),
        (
            r#"[{"feature": ".github/workflows", "into": "w"}, {"into": "x"}]"#,
            &["missing-key 1:49 /1"],
        ),
        (r#"[{"feature": "a", "into": ".git"}]"#, &["bad-into 1:27 /0/into"]),
        (r#"[{"feature": "a", "methd": "copy"}]"#, &["unknown-key 1:19 /0/methd"]),
        (
            r#"[{"feature": "a", "method": "merg", "pull_request": "x"}]"#,
            &["bad-value 1:29 /0/method", "bad-value 1:53 /0/pull_request"],
        ),
        (
            r#"[{"feature": "a", "preserve": ["a**", 1, "b"]}]"#,
            &["bad-pattern 1:32 /0/preserve/0", "wrong-type 1:39 /0/preserve/1"],
        ),
        (r#"[{"feature": "a", "preserve": ["!a"]}]"#, &["no-positive-pattern 1:31 /0/preserve"]),
        (r#"[{"feature": "a", "into": "b", "method": "squash"}]"#, &["contradiction 1:27 /0/into"]),
        (
            r#"[{"feature": "a", "into": "b", "method": "rebase", "preserve": []}]"#,
            &["contradiction 1:27 /0/into", "contradiction 1:64 /0/preserve"],
        ),
        (
            r#"{"source": "x", "branch": "a..b", "max_age_days": 1.5, "subscriptions": ["a"]}"#,
            &["bad-source 1:12 /source", "bad-branch 1:27 /branch", "bad-value 1:51 /max_age_days"],
        ),
        (
            r#"{"max_age_days": "3", "subscriptions": "a"}"#,
            &["wrong-type 1:18 /max_age_days", "wrong-type 1:40 /subscriptions"],
        ),
        (
            r#"{"max_age_days": 36501, "subscriptions": [{"feature": "a", "into": 1}]}"#,
            &["bad-value 1:18 /max_age_days", "wrong-type 1:68 /subscriptions/0/into"],
        ),
        (
            r#"{"max_age_days": -1, "subscription": ["a"]}"#,
            &["bad-value 1:18 /max_age_days", "unknown-key 1:22 /subscription"],
        ),
        ("\u{feff}[\"a\", // x\n]", &["syntax 1:1 ", "syntax 1:5 ", "syntax 1:7 "]),
    ] {
        assert_eq!(summary(text), expected, "{text}");
    }
}

#[test]
fn what_is_at_the_edge_of_the_rules_is_taken() {
    for text in [
        r#"{"max_age_days": 0, "subscriptions": ["a"]}"#,
        r#"{"max_age_days": 36500, "subscriptions": ["a"]}"#,
        r#"[{"feature": "a", "into": "."}]"#,
        r#"[{"feature": "a", "into": "a/", "method": "squash", "preserve": ["x"]}]"#,
        r#"[{"feature": "a", "into": "./a", "method": "rebase"}]"#,
        r#"[{"feature": "a", "preserve": [], "method": "cherry-pick"}]"#,
        r#"["a", "a-b", "a.b", "b/a", "A"]"#,
        r#"[{"feature": "a", "method": "squash"}, {"feature": "a/b", "method": "rebase"}]"#,
        r#"[{"feature": "b", "into": "a"}, {"feature": "a", "into": "b"}]"#,
        r#"[".github"]"#,
    ] {
        good(text);
    }
}

#[test]
fn directories_that_would_overwrite_each_other_show_both_places() {
    let overlaps = |text: &str| -> Vec<String> {
        let refused = refused(text);
        let each = refused.diagnostics().iter().map(|one| {
            assert_eq!(one.code, Code::OverlappingInto);
            let (first, label) = one.related.as_ref().unwrap();
            assert_eq!(label, "the other one is put here");
            assert!(first.column < one.place.column);
            one.message.clone()
        });
        each.collect()
    };
    assert_eq!(
        overlaps(r#"["a/b", "a"]"#),
        [r#""a/b" and "a" would overwrite each other: "a/b" lies in "a""#]
    );
    assert_eq!(
        overlaps(r#"[{"feature": "a", "into": "x"}, {"feature": "b", "into": "x/"}]"#),
        [r#""a" and "b" would both be put into "x""#]
    );
    assert_eq!(
        overlaps(r#"[{"feature": "a", "into": "."}, "b", "c/d"]"#),
        [
            r#""a" and "b" would overwrite each other: "b" lies in ".""#,
            r#""a" and "c/d" would overwrite each other: "c/d" lies in ".""#
        ]
    );
    // What comes between them in the order of bytes hides nothing.
    assert_eq!(overlaps(r#"["a", "a-b", "a.b", "a/b"]"#).len(), 1);
    let mixed = r#"[{"feature": "a", "method": "squash"}, {"feature": "a/b", "method": "merge"}]"#;
    assert_eq!(overlaps(mixed).len(), 1);
}

#[test]
fn a_duplicate_shows_both_places() {
    let refused = refused("[\n  \"a\",\n  {\"feature\": \"./a\", \"into\": \"b\"}\n]");
    insta::assert_snapshot!(refused.to_string(), @r#"
    error[duplicate-subscription]: the feature "a" is listed more than once
      --> subscriptions.json:3:15
       |
     2 |   "a",
       |   --- first listed here
     3 |   {"feature": "./a", "into": "b"}
       |               ^^^^^
       = help: keep one of them; a feature goes to one directory

    subscriptions.json: 1 error
    "#);
}

#[test]
fn errors_are_shown_as_those_of_ecosystem_json_are() {
    let refused = refused(
        r#"{"source": "git@github.com:acme/monorepo.git",
 "subscriptions": ["features/*", {"feature": "a", "metod": "copy"},
  {"feature": "b", "method": "rebase", "preserve": ["x"]}]}"#,
    );
    insta::assert_snapshot!(refused.to_string(), @r#"
    error[bad-source]: the source is an address without a scheme
      --> subscriptions.json:1:12
       |
     1 | {"source": "git@github.com:acme/monorepo.git",
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: write "acme/monorepo", or a URL such as ssh://git@host/acme/monorepo

    error[bad-feature]: "features/*": the path holds *, and globs have no meaning here
      --> subscriptions.json:2:20
       |
     2 |  "subscriptions": ["features/*", {"feature": "a", "metod": "copy"},
       |                    ^^^^^^^^^^^^
       = help: write each feature by its name

    error[unknown-key]: the key "metod" is not known
      --> subscriptions.json:2:51
       |
     2 |  "subscriptions": ["features/*", {"feature": "a", "metod": "copy"},
       |                                                   ^^^^^^^
       = help: did you mean "method"?

    error[contradiction]: rebase takes commits as they are: nothing can be left out of them
      --> subscriptions.json:3:52
       |
     3 |   {"feature": "b", "method": "rebase", "preserve": ["x"]}]}
       |                              -------- the method is chosen here
       |                                                    ^^^^^
       = help: leave "preserve" out, or let "merge" be the method

    subscriptions.json: 4 errors
    "#);
}

#[test]
fn a_secret_in_the_file_is_never_shown() {
    let token = "ghp_CanaryCanaryCanaryCanaryCanaryCanary";
    for (secret, text) in [
        ("hunter2", r#"{"source": "https://x:SECRET@github.com/a/b", "subscriptions": ["a"]}"#),
        ("hunter2", r#"{"source": "https://SECRET@github.com/a/b", "subscriptions": ["a", "*"]}"#),
        ("hunter2", r#"{"source": "https://github.com/a/b?t=SECRET", "subscriptions": ["a"]}"#),
        ("hunter2", r#"{"source": "SECRET@github.com:a/b", "subscriptions": ["a"]}"#),
        ("hunter2", r#"{"token": "SECRET", "subscriptions": ["a"]}"#),
        (token, r#"{"source": "SECRET", "subscriptions": ["a"]}"#),
        (token, r#"["SECRET", "*"]"#),
        (token, r#"[{"feature": "a", "SECRET": 1, "method": "SECRET", "into": "SECRET*"}]"#),
        (token, r#"{"branch": "SECRET..", "subscriptions": ["SECRET*"]}"#),
    ] {
        let refused = refused(&text.replace("SECRET", secret));
        for shown in [format!("{refused}"), format!("{refused:?}"), refused.source().to_owned()] {
            assert!(!shown.contains("hunter2") && !shown.contains("Canary"), "{shown}");
        }
    }
}

#[test]
fn a_long_list_is_read_and_judged_in_time() {
    let nested = format!("\"{}\"", vec!["a"; 2000].join("/"));
    let deep: Vec<_> = (0..2000).map(|_| nested.as_str()).collect();
    assert_eq!(refused(&format!("[{}]", deep.join(","))).counts().errors, 1999);
    let many: Vec<_> = (0..100_000).map(|at| format!("\"features/f{at}\"")).collect();
    assert_eq!(good(&format!("[{}]", many.join(","))).subscriptions.len(), 100_000);
}

#[test]
fn the_committed_schema_is_the_one_that_the_types_give() {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "schema/subscriptions.schema.json"].iter().collect();
    assert_eq!(fs::read_to_string(path).unwrap(), schema());
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys_and_words() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let known = [("Subscription", &raw::SUBSCRIPTION_KEYS), ("File", &raw::FILE_KEYS)];
    for (name, keys) in known {
        let definition = &schema["definitions"][name];
        assert_eq!(definition["additionalProperties"], false);
        let found = definition["properties"].as_object().unwrap();
        let mut found: Vec<&str> = found.keys().map(String::as_str).collect();
        let mut keys = keys.to_vec();
        found.sort_unstable();
        keys.sort_unstable();
        assert_eq!(found, keys);
    }
    let properties = &schema["definitions"]["Subscription"]["properties"];
    let methods = Method::ALL.map(Method::as_str);
    assert_eq!(properties["method"]["enum"], serde_json::json!(methods));
    assert_eq!(properties["method"]["default"], Method::default().as_str());
    let which = PullRequests::ALL.map(PullRequests::as_str);
    assert_eq!(properties["pull_request"]["enum"], serde_json::json!(which));
    assert_eq!(properties["pull_request"]["default"], PullRequests::default().as_str());
    assert_eq!(schema["definitions"]["Subscription"]["required"], serde_json::json!(["feature"]));
    assert_eq!(schema["definitions"]["File"]["required"], serde_json::json!(["subscriptions"]));
}

proptest! {
    #[test]
    fn whatever_the_bytes_are_there_is_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse("x", &bytes);
    }

    #[test]
    fn whatever_is_broken_in_a_good_file_there_is_an_answer(
        at in any::<prop::sample::Index>(), length in 0..20_usize, with in "[\\[\\]{}\",:a/.!*0-9\u{0}\u{e9}\n ]{0,6}"
    ) {
        let ends: Vec<usize> = (0..=FULL.len()).filter(|at| FULL.is_char_boundary(*at)).collect();
        let from = *at.get(&ends);
        let to = ends.iter().copied().find(|end| *end >= from + length).unwrap_or(FULL.len());
        let text = format!("{}{with}{}", &FULL[..from], &FULL[to.max(from)..]);
        match parse("x", text.as_bytes()) {
            Ok(read) => prop_assert!(!read.subscriptions.is_empty()),
            Err(bad) => prop_assert!(bad.counts().errors > 0 && !bad.to_string().is_empty()),
        }
    }
}
