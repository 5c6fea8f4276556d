use super::*;
use crate::names::FeaturePath;

mod laws;

fn changed(paths: &[&str]) -> Vec<ChangedPath> {
    let path = |path: &&str| ChangedPath {
        path: path.trim_end_matches('@').as_bytes().to_vec(),
        submodule: path.ends_with('@'),
    };
    let mut paths: Vec<ChangedPath> = paths.iter().map(path).collect();
    paths.sort();
    paths
}

fn file(subscriptions: &[&str]) -> String {
    serde_json::json!([{ "repo": "acme/web", "subscriptions": subscriptions }]).to_string()
}

/// The findings about one cousin's subscriptions: position, severity, code, message, help and the
/// position of the related place, one line each.
fn found(subscriptions: &[&str], paths: &[ChangedPath]) -> Vec<String> {
    let diagnosis = diagnose("ecosystem.json", file(subscriptions).as_bytes(), paths).unwrap();
    let line = |diagnostic: &crate::ecosystem::Diagnostic| {
        let at = diagnostic.pointer.rsplit('/').next().unwrap();
        assert_eq!(diagnostic.repo.as_deref(), Some("acme/web"));
        format!("{at} {} {}", diagnostic.severity.as_str(), diagnostic.code)
    };
    diagnosis.diagnostics().iter().map(line).collect()
}

const HEAD: [&str; 10] = [
    "README.md",
    "caf\u{e9}/menu.txt",
    "docs/drafts/d.md",
    "docs/guide/a.md",
    "docs/index.md",
    "features/pwa/app.js",
    "features/webpush/django/x.py",
    "features/webpush/flask/app.py",
    "src/main.rs",
    "vendor/lib@",
];

#[test]
fn each_pattern_gets_the_gravest_finding_and_no_other() {
    for (subscriptions, expected) in [
        (&["docs", "features/*", "**/*.py", "vendor/lib/"][..], &[][..]),
        (&["docs", "./docs"], &["1 warning duplicate-subscription"]),
        (
            &["docs", "/docs", "docs"],
            &["1 warning duplicate-subscription", "2 warning duplicate-subscription"],
        ),
        (&["docs/*", "docs/**"], &["1 warning duplicate-subscription"]),
        (&["docs/", "docs"], &["0 warning covered-subscription"]),
        (&["docs", "!docs/drafts"], &[]),
        (&["!docs/drafts", "docs"], &["0 warning covered-subscription"]),
        (
            &["docs/drafts", "!docs/drafts", "docs"],
            &["0 warning excluded-subscription", "1 note covered-subscription"],
        ),
        (&["docs", "!docs/drafts", "docs/drafts/d.md"], &[]),
        (&["features/webpush", "features/webpush/flask"], &["1 note covered-subscription"]),
        (&["features/webpush/flask", "features/webpush"], &["0 note covered-subscription"]),
        (&["docs/*", "docs/*.md"], &["1 warning covered-subscription"]),
        (&["docs/*/", "docs/*.md"], &[]),
        (&["docs", "docs/**/*.md"], &["1 note covered-subscription"]),
        (&["docs/**", "docs/guide"], &["1 warning covered-subscription"]),
        (&["docs/**", "docs/index.md"], &["1 note covered-subscription"]),
        (&["docs/**", "docs/guide/"], &["1 warning covered-subscription"]),
        (&["*/guide", "docs/guide/*.md"], &["1 note covered-subscription"]),
        (&["docs/", "docs"], &["0 warning covered-subscription"]),
        (&["src", "docs", "!docs"], &["1 warning excluded-subscription"]),
        (&["src", "docs/g*", "!docs/*"], &["1 warning excluded-subscription"]),
        (&["src", "features/webpush", "!**/*.py"], &["1 warning excluded-subscription"]),
        (
            &[
                "features",
                "features/webpush",
                "!features/webpush/flask",
                "!features/webpush/django",
            ],
            &["1 warning excluded-subscription"],
        ),
        (&["docs", "!docs/drafts", "!docs/drafts/d.md"], &["2 warning covered-subscription"]),
        (
            &["docs", "!docs/drafts", "docs/drafts/d.md", "!docs/drafts/d.md"],
            &["2 warning excluded-subscription"],
        ),
        (&["!docs", "docs"], &["0 warning covered-subscription"]),
        (&["!docs/", "docs/"], &["0 warning covered-subscription"]),
        (&["!docs/", "docs"], &["0 warning covered-subscription"]),
        (&["!docs", "docs/"], &[]),
        (&["!**/x.py", "**/x.py"], &["0 warning covered-subscription"]),
        (&["!docs/**", "docs/*"], &["0 warning covered-subscription"]),
        (
            &["features", "!features/webpush", "features/webpush"],
            &["1 warning covered-subscription"],
        ),
        (&["**/**", "**"], &["1 warning duplicate-subscription"]),
        (&["docs", "nothing/here"], &["1 warning matches-nothing"]),
        (&["docs", "!nothing/here"], &["1 note matches-nothing"]),
        (&["docs", "docs/nothing"], &["1 warning matches-nothing"]),
        (&["docs", "docs/index.md/"], &["1 warning matches-nothing"]),
        (&["docs", "**/*.xyz"], &["1 warning matches-nothing"]),
        (&["docs", "src/*/"], &["1 warning matches-nothing"]),
        (&["vendor/*/", "vendor/lib/x"], &["1 warning matches-nothing"]),
        (&["Docs/Guide"], &["0 warning case-or-unicode-mismatch"]),
        (&["docs", "!DOCS/drafts"], &["1 warning case-or-unicode-mismatch"]),
        (&["cafe\u{301}"], &["0 warning case-or-unicode-mismatch"]),
        (&["**/readme.MD"], &["0 warning case-or-unicode-mismatch"]),
        (&["DOCS/*"], &["0 warning case-or-unicode-mismatch"]),
        (&["docs", "DOCS"], &["1 warning case-or-unicode-mismatch"]),
    ] {
        assert_eq!(found(subscriptions, &changed(&HEAD)), expected, "{subscriptions:?}");
    }
}

#[test]
fn what_is_said_names_the_pattern_and_what_to_write() {
    let subscriptions = [
        "features/webpsh/flask",
        "docs/*.txt",
        "Docs/Guide",
        "cafe\u{301}/menu.txt",
        "features/webpush",
        "features/webpush/django",
        "features/webpush/django/",
        "features/webpush/*",
        "src",
        "./src",
        "features/pwa",
        "!features/pwa/*",
        "docs/guide",
        "!docs/guide/a.md",
        "!src/main.rs",
        "src/*",
        "webpush/flask",
        "!drafts",
        "vendor/lib/src",
        "DOCS/*.md",
    ];
    let diagnosis =
        diagnose("ecosystem.json", file(&subscriptions).as_bytes(), &changed(&HEAD)).unwrap();
    let said: Vec<String> = diagnosis
        .diagnostics()
        .iter()
        .map(|d| {
            let related = d.related.as_ref().map_or("", |(_, label)| label.as_str());
            let related = if related.is_empty() { "" } else { &format!(" ({related})") };
            format!("{}{related}\n  {}", d.message, d.help.as_deref().unwrap_or_default())
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    no path at HEAD matches "features/webpsh/flask": acme/web would not hear of anything by it
      the nearest path at HEAD is "features/webpush/flask"
    no path at HEAD matches "docs/*.txt": acme/web would not hear of anything by it
      at HEAD "docs" holds "docs/drafts", "docs/guide", "docs/index.md"
    "Docs/Guide" matches no path at HEAD: it differs from "docs/guide" only in upper and lower case
      write "docs/guide"
    "café/menu.txt" matches no path at HEAD: it differs from "café/menu.txt" only in upper and lower case or Unicode form (cafe\xcc\x81/menu.txt and caf\xc3\xa9/menu.txt)
      write "café/menu.txt"
    "features/webpush/django" changes nothing: "features/webpush/*" covers all of it (covered here)
      leave it out
    "features/webpush/django/" changes nothing: "features/webpush/django" covers all of it (covered here)
      leave it out
    "features/webpush" covers all of "features/webpush/*": it only makes changes there an event of their own (covered here)
      nothing to do if that is wanted; else leave it out
    "src" selects nothing at HEAD: each path that it matches is taken away by an exclusion behind it (taken away here)
      nothing else is there at HEAD yet: nothing to do if more is to come, else leave it out
    the subscription "./src" means the same as "src", which is listed before it (listed first here)
      leave one of them out
    "features/pwa" selects nothing at HEAD: each path that it matches is taken away by an exclusion behind it (taken away here)
      nothing else is there at HEAD yet: nothing to do if more is to come, else leave it out
    "docs/guide" selects nothing at HEAD: each path that it matches is taken away by an exclusion behind it (taken away here)
      nothing else is there at HEAD yet: nothing to do if more is to come, else leave it out
    "!src/main.rs" takes nothing away: "src/*" behind it includes all of it again, and the last pattern that matches a path decides (included again here)
      move it behind "src/*", or leave it out
    no path at HEAD matches "webpush/flask": acme/web would not hear of anything by it
      a pattern begins at the root of the repository: the nearest path at HEAD is "features/webpush/flask"
    "!drafts" takes nothing away: no path at HEAD matches it
      the nearest path at HEAD is "docs/drafts"
    no path at HEAD matches "vendor/lib/src": acme/web would not hear of anything by it
      "vendor/lib" is a submodule: what is in it is not in this repository, a change of it as a whole is what can be followed
    "DOCS/*.md" matches no path at HEAD: it misses "docs/index.md" only by upper and lower case
      write "docs/*.md"
    "#);
}

/// The message and the help of each finding about one cousin's subscriptions.
fn said(subscriptions: &[&str], head: &[&str]) -> Vec<(String, String)> {
    let diagnosis =
        diagnose("ecosystem.json", file(subscriptions).as_bytes(), &changed(head)).unwrap();
    let said = diagnosis.diagnostics().iter();
    said.map(|d| (d.message.clone(), d.help.clone().unwrap_or_default())).collect()
}

#[test]
fn the_help_is_what_to_write_in_that_very_case() {
    let next = ["app/[slug]/page.tsx", "app/{x}/a", "libs/sub@"];
    let submodule = "\"libs/sub\" is a submodule: what is in it is not in this repository";
    for (subscriptions, head, help) in [
        (&["app/[slug]"][..], &next[..], r#"write "app/\\[slug\\]""#),
        (&["app/[slug]/page.tsx"], &next, r#"write "app/\\[slug\\]/page.tsx""#),
        (&["/app/[slug]/"], &next, r#"write "app/\\[slug\\]/""#),
        (&["app/[slug]/*.tsx"], &next, r#"write "app/\\[slug\\]/*.tsx""#),
        (&["app", "!app/{x}"], &next, r#"write "!app/\\{x\\}""#),
        (&["libs/sub/*"], &next, submodule),
        (&["libs/sub/**"], &next, submodule),
        (&["libs/sub/*/x"], &next, submodule),
        (&["docs", "!docs"], &HEAD, "leave \"!docs\" out, or move \"docs\" behind \"!docs\""),
        (&["src", "docs", "!docs"], &HEAD, "leave it out, or move \"docs\" behind \"!docs\""),
        (&["features", "!features/tests"], &["features/tests/a"], "else narrow the exclusion"),
        (&["x", "features", "!features/tests"], &["features/tests/a", "x"], "else leave it out"),
        (&["a/b"], &["K/x", "L"], "at HEAD the root of the repository holds \"K\", \"L\""),
    ] {
        let said = said(subscriptions, head);
        let [(message, is)] = said.as_slice() else { panic!("{subscriptions:?} {said:?}") };
        assert!(is.contains(help), "{subscriptions:?} {message} {is}");
        assert!(!message.contains("at HEAD: each") || !is.contains("move"), "{is}");
    }
}

#[test]
fn what_differs_in_case_alone_is_not_said_to_differ_in_unicode_form() {
    for (pattern, unicode) in [
        ("CAF\u{c9}", false),
        ("CAF\u{c9}/*.txt", false),
        ("CAFE\u{301}", true),
        ("cafe\u{301}/*", true),
    ] {
        let (message, _) = said(&[pattern], &HEAD).remove(0);
        assert!(message.contains("upper and lower case"), "{message}");
        assert_eq!(message.contains("Unicode form"), unicode, "{message}");
    }
}

#[test]
fn a_cousin_that_is_not_enabled_is_checked_and_named() {
    let file = r#"[{"repo": "acme/web", "subscriptions": ["nope"], "enabled": false}]"#;
    let diagnosis = diagnose("ecosystem.json", file.as_bytes(), &changed(&HEAD)).unwrap();
    let found: Vec<(&str, &str, usize)> = diagnosis
        .diagnostics()
        .iter()
        .map(|d| (d.code.as_str(), d.pointer.as_str(), d.place.column))
        .collect();
    let (nope, enabled) = (file.find("\"nope").unwrap() + 1, file.find("false").unwrap() + 1);
    assert_eq!(
        found,
        [
            ("matches-nothing", "/0/subscriptions/0", nope),
            ("disabled-cousin", "/0/enabled", enabled)
        ]
    );
}

#[test]
fn each_cousin_is_shown_what_it_would_be_told_of() {
    let file = serde_json::json!([
        { "repo": "acme/a", "subscriptions": ["features/*", "!features/pwa"] },
        { "repo": "acme/b", "subscriptions": ["nope"] },
    ])
    .to_string();
    let document = crate::ecosystem::decode("ecosystem.json", file.as_bytes()).unwrap();
    let lines = document.lines();
    let mut findings = Findings::new(&lines);
    let listed = document.cousins(&lines, &mut findings);
    let features = check(&listed, &changed(&HEAD), &mut findings).unwrap();
    assert_eq!(features.features(0), [FeaturePath::new(b"features/webpush")]);
    assert_eq!((features.count(0), features.count(1)), (1, 0));
    assert_eq!(features.features(1), []);
}

#[test]
fn an_empty_tree_matches_nothing_and_says_so() {
    for subscription in ["docs", "docs/*", "**/*.md", "**", "*/"] {
        assert_eq!(found(&[subscription], &[]), ["0 warning matches-nothing"], "{subscription}");
    }
}

#[test]
fn thousands_of_patterns_in_one_cousin_are_judged_in_reasonable_time() {
    let nested = |n: usize| format!("docs/{}/{}/file-{n}.md", n % 7, n % 31);
    let lists: [Vec<String>; 4] = [
        (0..5000).map(nested).collect(),
        (0..5000)
            .map(|n| if n % 2 == 0 { nested(n) } else { format!("!{}", nested(n / 2)) })
            .collect(),
        (0..5000).map(|n| if n % 2 == 0 { nested(n) } else { format!("!**/*.x{n}") }).collect(),
        (0..5000).map(|_| "docs".to_owned()).collect(),
    ];
    for list in lists {
        let texts: Vec<&str> = list.iter().map(String::as_str).collect();
        let started = std::time::Instant::now();
        diagnose("ecosystem.json", file(&texts).as_bytes(), &changed(&HEAD)).unwrap();
        // Without optimization; a quadratic search for covers would take minutes.
        assert!(started.elapsed().as_secs() < 10, "{} took {:?}", texts[1], started.elapsed());
    }
}
