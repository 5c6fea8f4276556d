//! The promises of the whole path from bytes to a validated value or to every error.

use std::fs;
use std::path::PathBuf;

use pretty_assertions::assert_eq;

use super::{Code, Cousin, Diagnosis, parse};

mod laws;
mod rendering;

fn fixtures(kind: &str) -> Vec<(String, Vec<u8>)> {
    let directory: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "fixtures/ecosystem", kind].iter().collect();
    let files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn good(name: &str) -> Vec<Cousin> {
    let (_, bytes) = fixtures("good").into_iter().find(|(found, _)| found == name).unwrap();
    parse(name, &bytes).unwrap().cousins
}

/// Returns what is wrong with a text that must be refused.
fn refused(text: impl AsRef<[u8]>) -> Diagnosis {
    parse("ecosystem.json", text.as_ref()).unwrap_err()
}

/// Returns `code line:column` of each diagnostic.
fn summary(rejected: &Diagnosis) -> Vec<String> {
    let each = rejected.diagnostics().iter();
    each.map(|one| format!("{} {}:{}", one.code, one.place.line, one.place.column)).collect()
}

const BAD: &[(&str, &str)] = &[
    ("backslash", "syntax 2:52"),
    ("bad-event-type", "bad-event-type 2:74, bad-event-type 3:74, bad-event-type 4:74"),
    (
        "bad-pattern",
        "bad-pattern 5:7, bad-pattern 6:7, bad-pattern 7:7, bad-pattern 8:7, bad-pattern 9:7, \
         bad-pattern 10:7, bad-pattern 11:7, bad-pattern 12:7, bad-pattern 13:7, bad-pattern 14:7",
    ),
    (
        "bad-repo",
        "bad-repo 2:13, bad-repo 3:13, bad-repo 4:13, bad-repo 5:13, bad-repo 6:13, \
         bad-repo 7:13, bad-repo 8:13, bad-repo 9:13, bad-repo 10:13, bad-repo 11:13, \
         bad-repo 12:13, bad-repo 13:13, bad-repo 14:13, bad-repo 15:13, bad-repo 16:13",
    ),
    (
        "bad-token-env",
        "bad-token-env 2:73, bad-token-env 3:73, bad-token-env 4:73, bad-token-env 5:71, \
         bad-token-env 6:73",
    ),
    ("blank", "syntax 1:1"),
    ("bom", "syntax 1:1, bad-repo 2:13"),
    ("comments", "syntax 1:1, syntax 3:3, syntax 5:62, bad-repo 6:13, bad-pattern 6:47"),
    ("conflict", "syntax 2:1"),
    ("deep", "syntax 1:65"),
    ("duplicate-key", "syntax 5:5"),
    ("duplicate-repo", "duplicate-repo 4:13, duplicate-repo 5:13"),
    ("empty", "syntax 1:1"),
    (
        "everything",
        "unknown-key 2:3, syntax 2:38, bad-repo 4:15, syntax 4:78, bad-pattern 5:45, \
         bad-pattern 5:61, wrong-type 5:86, duplicate-repo 6:15, no-positive-pattern 6:44, \
         bad-token-env 6:68, missing-key 7:15, unknown-key 7:27, bad-event-type 7:56, \
         wrong-type 8:5, missing-key 9:5, no-positive-pattern 9:24",
    ),
    ("missing-comma", "syntax 2:60"),
    ("missing-cousins", "missing-key 1:1"),
    ("missing-key", "missing-key 2:3, missing-key 4:13, missing-key 6:3, missing-key 6:3"),
    ("no-break-space", "syntax 2:1, syntax 2:2, syntax 2:45"),
    ("no-positive-pattern", "no-positive-pattern 2:42, no-positive-pattern 3:42"),
    ("non-utf8", "syntax 2:43"),
    ("not-a-list", "wrong-type 1:1"),
    ("single-cousin", "wrong-type 1:1"),
    ("single-quotes", "syntax 1:3"),
    ("trailing-comma", "syntax 4:45, syntax 4:47, syntax 5:4"),
    ("truncated", "syntax 3:58"),
    ("truncated-string", "syntax 2:55"),
    ("two-lists", "syntax 2:1"),
    ("unclosed-string", "syntax 3:13"),
    (
        "unknown-key",
        "unknown-key 2:3, unknown-key 6:7, unknown-key 7:7, unknown-key 8:7, unknown-key 9:7",
    ),
    ("utf-16", "syntax 1:1"),
    (
        "wrong-type",
        "wrong-type 2:14, wrong-type 4:5, wrong-type 5:5, wrong-type 6:15, wrong-type 6:46, \
         wrong-type 7:61, wrong-type 7:64, wrong-type 7:83, wrong-type 8:73, wrong-type 8:96, \
         wrong-type 9:71, wrong-type 9:87",
    ),
];

#[test]
fn each_bad_file_is_refused_with_every_error_and_its_place() {
    let found = fixtures("bad").into_iter().map(|(name, bytes)| {
        let said = summary(&refused(&bytes)).join(", ");
        (name, said)
    });
    let expected = BAD.iter().map(|(name, said)| ((*name).to_owned(), (*said).to_owned()));
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn every_error_has_a_remedy() {
    for (name, bytes) in fixtures("bad") {
        for one in refused(&bytes).diagnostics() {
            assert!(one.help.as_ref().is_some_and(|help| !help.is_empty()), "{name}: {one:?}");
        }
    }
}

#[test]
fn both_forms_are_read_in_file_order() {
    let shown = |cousins: Vec<Cousin>| {
        let each = cousins.iter().map(|c| format!("{} {} {}", c.line, c.repo, c.enabled));
        each.collect::<Vec<_>>()
    };
    assert_eq!(
        shown(good("array")),
        ["3 acme/flask-push true", "7 acme/web-components true", "11 octo-org/docs true"]
    );
    assert_eq!(shown(good("object")), ["4 acme/flask-push true", "5 acme/django-push false"]);
    assert_eq!(shown(good("crlf")), ["3 acme/windows true", "9 acme/linux true"]);
    assert_eq!(shown(good("none")), [""; 0]);
}

#[test]
fn all_keys_arrive_as_they_were_written() {
    let cousins = good("all-keys");
    let [cousin] = cousins.as_slice() else { panic!("{cousins:?}") };
    let patterns: Vec<_> = cousin.subscriptions.iter().map(|pattern| pattern.as_str()).collect();
    assert_eq!(patterns, ["./features/webpush/flask/", "/shared/push", "!**/testdata"]);
    assert_eq!(cousin.event_type.as_str(), "monorepo-update");
    assert!(!cousin.enabled);
    assert_eq!(cousin.token_env.as_deref(), Some("ACME_PAT"));
    assert_eq!(cousin.description.as_deref(), Some("The Flask variant; joins in March"));
}

#[test]
fn what_is_left_out_has_its_default() {
    let cousin = good("array").remove(0);
    assert_eq!(cousin.event_type.as_str(), "feature-update");
    assert!(cousin.enabled);
    assert_eq!((cousin.token_env, cousin.description), (None, None));
}

#[test]
fn escapes_and_other_alphabets_come_through() {
    let cousin = good("unicode").remove(0);
    let patterns: Vec<_> = cousin.subscriptions.iter().map(|pattern| pattern.as_str()).collect();
    assert_eq!(patterns, ["docs/Übersetzungen/日本語", "docs/Übersicht", "docs/🚀"]);
    assert_eq!(cousin.event_type.as_str(), "обновление-🚀");
    assert_eq!(cousin.description.as_deref(), Some("naïve \"quotes\", a tab \t and a 🚀"));
}

#[test]
fn a_pointer_leads_to_the_value_in_either_form() {
    let list = r#"[{"repo": "acme/web", "subscriptions": ["a", "b//c"], "enabled": 1, "x/y": 2}]"#;
    for (text, prefix) in [(list.to_owned(), ""), (format!("{{\"cousins\": {list}}}"), "/cousins")]
    {
        let rejected = refused(text);
        let found: Vec<_> = rejected
            .diagnostics()
            .iter()
            .map(|one| (one.pointer.as_str(), one.repo.as_deref()))
            .collect();
        let expected =
            ["/0/subscriptions/1", "/0/enabled", "/0/x~1y"].map(|end| format!("{prefix}{end}"));
        assert_eq!(found, expected.each_ref().map(|pointer| (pointer.as_str(), Some("acme/web"))));
    }
}

#[test]
fn a_slip_in_a_required_key_is_one_error_and_not_two() {
    let said = summary(&refused(r#"[{"repos": "acme/web", "subscription": ["a"]}]"#));
    assert_eq!(said, ["unknown-key 1:3", "unknown-key 1:24"]);
    assert_eq!(summary(&refused(r#"{"cousin": []}"#)), ["unknown-key 1:2"]);
}

#[test]
fn a_pattern_that_cannot_be_read_is_not_also_a_missing_one() {
    for (subscriptions, codes) in [
        (r#"["a//b"]"#, &[Code::BadPattern][..]),
        ("[7]", &[Code::WrongType]),
        (r#"["!a", "b//c"]"#, &[Code::BadPattern]),
        (r#"["!a//b"]"#, &[Code::NoPositivePattern, Code::BadPattern]),
    ] {
        let rejected = refused(format!(r#"[{{"repo": "a/b", "subscriptions": {subscriptions}}}]"#));
        let found: Vec<_> = rejected.diagnostics().iter().map(|one| one.code).collect();
        assert_eq!(found, codes, "{subscriptions}");
    }
}

#[test]
fn a_duplicate_shows_both_places_whatever_its_case() {
    let rejected = refused(
        "[{\"repo\": \"a/b\", \"subscriptions\": [\"x\"]},\n{\"repo\": \"A/B\", \"subscriptions\": [\"x\"], \"enabled\": false}]",
    );
    let [one] = rejected.diagnostics() else { panic!("{rejected}") };
    let (first, label) = one.related.as_ref().unwrap();
    assert_eq!(
        (one.code, one.place.line, first.line, first.column),
        (Code::DuplicateRepo, 2, 1, 11)
    );
    assert_eq!(label, "first listed here");
}

#[test]
fn nesting_without_end_is_refused_before_anything_recurses() {
    for text in ["[".repeat(100_000), "[{\"a\":".repeat(100_000), "{\"a\":".repeat(1_000_000)] {
        let rejected = refused(text);
        assert_eq!(rejected.counts().errors, 1);
        assert!(rejected.to_string().contains("deeper than 64 levels"), "{rejected}");
    }
    let brackets_in_a_string = "[".repeat(1000);
    let text = format!(
        r#"[{{"repo": "a/b", "subscriptions": ["x"], "description": "\"{brackets_in_a_string}"}}]"#
    );
    assert!(parse("", text.as_bytes()).is_ok());
    let deepest = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert_eq!(summary(&refused(deepest)), ["wrong-type 1:2"]);
}

#[test]
fn a_forgotten_quote_is_reported_where_it_was_forgotten() {
    for (text, place) in [
        ("[{\"repo: \"a/b\"}]", "syntax 1:11"),
        ("[{\"repo\": a/b\",\n\"enabled\": true}]", "syntax 1:11"),
        ("[{\"repo\": ab\",\n\"enabled\": true}]", "syntax 1:11"),
        ("[{\"repo\": \"a/b,\n\"enabled\": true}]", "syntax 1:11"),
        ("[{\"repo\": \"a/b}]", "syntax 1:17"),
        ("[{\"repo\" \"a/b\"},\n\"x\n]", "syntax 1:10"),
    ] {
        assert_eq!(summary(&refused(text)), [place], "{text}");
    }
}

#[test]
fn a_file_over_the_limit_is_refused_with_both_sizes() {
    let limit = 10 * 1024 * 1024;
    let mut text = b"[]".to_vec();
    text.resize(limit, b' ');
    assert!(parse("", &text).is_ok());
    text.push(b' ');
    let rejected = refused(text);
    assert_eq!(
        rejected.diagnostics()[0].message,
        "the file has 10485761 bytes, the limit is 10485760"
    );
}

#[test]
fn ten_thousand_cousins_are_read() {
    let subscriptions: Vec<_> = (0..10).map(|i| format!("\"features/f{i}/*\"")).collect();
    let cousins: Vec<_> = (0..10_000)
        .map(|i| {
            format!(
                "{{\"repo\": \"acme/r{i}\", \"subscriptions\": [{}]}}",
                subscriptions.join(", ")
            )
        })
        .collect();
    for between in [",", ",\n"] {
        let ecosystem = parse("", format!("[{}]", cousins.join(between)).as_bytes()).unwrap();
        assert_eq!(ecosystem.cousins.len(), 10_000);
        let last = ecosystem.cousins.last().unwrap();
        assert_eq!(
            (last.subscriptions.len(), last.line),
            (10, if between == "," { 1 } else { 10_000 })
        );
    }
}

#[test]
fn a_token_in_the_file_is_never_shown() {
    let github = "ghp_CanaryCanaryCanaryCanaryCanaryCanary";
    let hex = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
    for (secret, cousin) in [
        (github, r#""repo": "a/b", "token_env": "SECRET""#),
        (hex, r#""repo": "a/b", "token_env": "SECRET""#),
        ("hunter2 horse", r#""repo": "a/b", "token_env": "SECRET""#),
        ("hunter2-é€😀", r#""repo": "a/b", "token_env": "SECRET""#),
        (github, r#""repo": "https://x:SECRET@github.com/a/b""#),
        (github, r#""repo": "SECRET""#),
        (github, r#""repo": "a/b", "event_type": "SECRET", "enabled": 1"#),
        (github, r#""repo": "a/b", "SECRET": 1"#),
        ("hunter2", r#""repo": "a/b", "token": "SECRET""#),
        ("hunter2", r#""repo": "a/b", "Password": ["SECRET"]"#),
        ("hunter2", r#""repo": "a/b", "token_env": ["SECRET"]"#),
        ("hunter2", r#""repo": "a/b", "token_env": "X", "token_env": "SECRET""#),
        (github, r#""repo": "a/b", "description": "SECRET"#),
    ] {
        let text = format!("[{{\"subscriptions\": [\"x\"], {cousin}}}]").replace("SECRET", secret);
        let rejected = refused(&text);
        for shown in [format!("{rejected}"), format!("{rejected:?}"), rejected.source().to_owned()]
        {
            assert!(!shown.contains(secret), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("Canary"), "{shown}");
        }
    }
}

#[test]
fn a_name_of_an_environment_variable_is_taken_as_it_is() {
    for name in ["ACME_PAT", "_", "a1", "GHP_TOKEN"] {
        let text = format!(r#"[{{"repo": "a/b", "subscriptions": ["x"], "token_env": "{name}"}}]"#);
        let cousins = parse("", text.as_bytes()).unwrap().cousins;
        assert_eq!(cousins[0].token_env.as_deref(), Some(name));
    }
}

#[test]
fn the_committed_schema_is_the_one_that_the_types_give() {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "schema/ecosystem.schema.json"].iter().collect();
    assert_eq!(fs::read_to_string(path).unwrap(), super::schema());
}
