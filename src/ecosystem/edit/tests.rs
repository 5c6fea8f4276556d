//! What is added, where, and that nothing else is touched.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::ecosystem::Cousin;

fn patterns(subscriptions: &[&str]) -> Vec<Pattern> {
    subscriptions.iter().map(|text| Pattern::parse(text).unwrap()).collect()
}

fn edited(file: Option<&str>, repo: &str, subscriptions: &[&str], enabled: bool) -> Edited {
    let repo = RepoName::parse(repo).unwrap();
    let subscriptions = patterns(subscriptions);
    let wanted = Wanted { repo: &repo, subscriptions: &subscriptions, enabled };
    add("ecosystem.json", file.map(str::as_bytes), &wanted).unwrap()
}

/// Returns the file with `b/new` in it, which follows `x` and `y`.
fn with_new(file: &str) -> String {
    edited(Some(file), "b/new", &["x", "y"], true).text
}

fn cousins(text: &str) -> Vec<Cousin> {
    parse("ecosystem.json", text.as_bytes()).unwrap().cousins
}

#[test]
fn a_new_entry_is_written_as_the_one_before_it() {
    for (file, expected) in [
        // A key a line, with LF, with CRLF, with tabs, in an object.
        (
            "[\n  {\n    \"repo\": \"a/b\",\n    \"subscriptions\": [\"f\"]\n  }\n]\n",
            "[\n  {\n    \"repo\": \"a/b\",\n    \"subscriptions\": [\"f\"]\n  },\n  {\n    \"repo\": \"b/new\",\n    \"subscriptions\": [\"x\", \"y\"]\n  }\n]\n",
        ),
        (
            "[\r\n\t{\r\n\t\t\"repo\" : \"a/b\",\r\n\t\t\"subscriptions\" : [\"f\"]\r\n\t}\r\n]",
            "[\r\n\t{\r\n\t\t\"repo\" : \"a/b\",\r\n\t\t\"subscriptions\" : [\"f\"]\r\n\t},\r\n\t{\r\n\t\t\"repo\" : \"b/new\",\r\n\t\t\"subscriptions\" : [\"x\", \"y\"]\r\n\t}\r\n]",
        ),
        (
            "{\n  \"cousins\": [\n    { \"repo\": \"a/b\", \"subscriptions\": [\"f\"] }\n  ]\n}\n",
            "{\n  \"cousins\": [\n    { \"repo\": \"a/b\", \"subscriptions\": [\"f\"] },\n    { \"repo\": \"b/new\", \"subscriptions\": [\"x\", \"y\"] }\n  ]\n}\n",
        ),
        // Each subscription on its line.
        (
            "[{\n \"repo\": \"a/b\",\n \"subscriptions\": [\n  \"f\"\n ]\n}]",
            "[{\n \"repo\": \"a/b\",\n \"subscriptions\": [\n  \"f\"\n ]\n}, {\n \"repo\": \"b/new\",\n \"subscriptions\": [\n  \"x\",\n  \"y\"\n ]\n}]",
        ),
        // Without any white space, with some, and commas in front.
        (
            r#"[{"repo":"a/b","subscriptions":["f"]}]"#,
            r#"[{"repo":"a/b","subscriptions":["f"]},{"repo":"b/new","subscriptions":["x","y"]}]"#,
        ),
        (
            r#"[ {"repo": "a/b", "subscriptions": ["f"]} ]"#,
            r#"[ {"repo": "a/b", "subscriptions": ["f"]}, {"repo": "b/new", "subscriptions": ["x", "y"]} ]"#,
        ),
        (
            "[ {\"repo\": \"a/b\", \"subscriptions\": [\"f\"]}\n, {\"repo\": \"a/c\", \"subscriptions\": [\"f\"]}\n]\n",
            "[ {\"repo\": \"a/b\", \"subscriptions\": [\"f\"]}\n, {\"repo\": \"a/c\", \"subscriptions\": [\"f\"]}\n, {\"repo\": \"b/new\", \"subscriptions\": [\"x\", \"y\"]}\n]\n",
        ),
        // Other keys of the one before are not taken over.
        (
            "[{\"enabled\": false, \"description\": \"d\", \"subscriptions\": [\"f\"], \"repo\": \"a/b\"}]",
            "[{\"enabled\": false, \"description\": \"d\", \"subscriptions\": [\"f\"], \"repo\": \"a/b\"}, {\"repo\": \"b/new\", \"subscriptions\": [\"x\", \"y\"]}]",
        ),
    ] {
        assert_eq!(with_new(file), expected, "{file:?}");
    }
}

#[test]
fn the_first_entry_of_a_list_has_the_indentation_of_its_file() {
    let entry = "{\n    \"repo\": \"b/new\",\n    \"subscriptions\": [\"x\", \"y\"]\n  }";
    let inline = r#"{"repo": "b/new", "subscriptions": ["x", "y"]}"#;
    for (file, expected) in [
        ("[]", format!("[\n  {entry}\n]")),
        ("[ ]\n", format!("[\n  {entry}\n ]\n")),
        ("[\n]\n", format!("[\n  {entry}\n]\n")),
        ("[\r\n]\r\n", format!("[\r\n  {}\r\n]\r\n", entry.replace('\n', "\r\n"))),
        (r#"{"cousins": []}"#, format!("{{\"cousins\": [{inline}]}}")),
        (r#"{"cousins":[]}"#, format!("{{\"cousins\":[{}]}}", inline.replace(' ', ""))),
        (
            "{\n\t\"cousins\": []\n}\n",
            "{\n\t\"cousins\": [\n\t\t{\n\t\t\t\"repo\": \"b/new\",\n\t\t\t\"subscriptions\": [\"x\", \"y\"]\n\t\t}\n\t]\n}\n".to_owned(),
        ),
    ] {
        assert_eq!(with_new(file), expected, "{file:?}");
    }
    let created = edited(None, "b/new", &["x", "y"], false);
    let expected = "[\n  {\n    \"repo\": \"b/new\",\n    \"subscriptions\": [\"x\", \"y\"],\n    \"enabled\": false\n  }\n]\n";
    assert_eq!((created.text.as_str(), created.change), (expected, Change::Created));
}

#[test]
fn a_listed_cousin_gets_what_it_lacks_and_nothing_twice() {
    let file = |list: &str| format!("[{{\"repo\": \"A/b\", \"subscriptions\": [{list}]}}]\n");
    for (before, wanted, after) in [
        ("\"x\"", &["x"][..], "\"x\""),
        ("\"x\"", &["./x", "y", "/y", "x/"], "\"x\", \"y\", \"x/\""),
        ("\"x\", \"!x/y\"", &["z"], "\"x\", \"!x/y\", \"z\""),
        ("\n \"x\"\n", &["y", "z"], "\n \"x\",\n \"y\",\n \"z\"\n"),
        ("\"x\"\n ,\"w\"", &["y"], "\"x\"\n ,\"w\"\n ,\"y\""),
        (r#""a\u0062""#, &["ab", "b\\*\""], r#""a\u0062", "b\\*\"""#),
        ("\"x\"", &["!x"], "\"x\", \"!x\""),
    ] {
        let found = edited(Some(&file(before)), "a/B", wanted, false);
        assert_eq!(found.text, file(after), "{before} {wanted:?}");
        let change = if before == after { Change::Unchanged } else { Change::Subscribed };
        assert_eq!((found.change, found.index), (change, 0));
        let again = edited(Some(&found.text), "a/b", wanted, true);
        assert_eq!((again.change, again.text), (Change::Unchanged, found.text));
    }
}

#[test]
fn a_file_that_has_a_fault_is_not_changed_and_none_comes_out() {
    let repo = RepoName::parse("b/new").unwrap();
    for (file, said) in [
        ("[{\"repo\": \"a/b\", \"subscriptions\": [\"f\"]},]", "comma"),
        ("// c\n[]", "comment"),
        ("\u{feff}[]", "byte order mark"),
        ("[{\"repo\": \"a/b\"}]", "missing"),
        ("{\"repo\": \"a/b\", \"subscriptions\": [\"f\"]}", "single cousin"),
        ("", "is empty"),
        ("[]\u{0}", ""),
    ] {
        let subscriptions = patterns(&["x"]);
        let wanted = Wanted { repo: &repo, subscriptions: &subscriptions, enabled: true };
        let found = add("list.json", Some(file.as_bytes()), &wanted).unwrap_err().to_string();
        assert!(found.contains(said), "{file:?}: {found}");
        assert!(enable("list.json", file.as_bytes(), &repo).is_err());
    }
    // An entry that asks for nothing is none.
    for subscriptions in [&[][..], &["!x"]] {
        let subscriptions = patterns(subscriptions);
        let wanted = Wanted { repo: &repo, subscriptions: &subscriptions, enabled: true };
        assert!(add("list.json", Some(b"[]"), &wanted).is_err());
        assert!(add("list.json", None, &wanted).is_err());
    }
}

#[test]
fn only_the_flag_of_the_cousin_is_turned_on() {
    let file = "[{\"repo\": \"a/b\", \"subscriptions\": [\"f\"], \"enabled\":  false },\r\n {\"repo\": \"a/c\", \"enabled\": false, \"subscriptions\": [\"f\"]}]";
    let enabled = |file: &str, repo: &str| {
        enable("list.json", file.as_bytes(), &RepoName::parse(repo).unwrap()).unwrap()
    };
    let both = enabled(file, "A/C").unwrap();
    assert_eq!(both, file.replace("\"enabled\": false", "\"enabled\": true"));
    assert_eq!(enabled(&both, "a/c"), None);
    assert_eq!(enabled(&both, "a/d"), None);
    assert_eq!(enabled(&edited(Some("[]"), "b/new", &["x"], true).text, "b/new"), None);
}

/// A list as people write them: any white space between its parts.
fn lists() -> impl Strategy<Value = String> {
    let gap = "[ \t]{0,2}|\n[ \t]{0,6}|\r\n[ ]{0,6}";
    let cousin = (
        proptest::collection::vec(gap, 9..10),
        proptest::collection::vec("[a-zé]{1,6}[*]?", 1..4),
        any::<bool>(),
    );
    (proptest::collection::vec(cousin, 0..4), any::<bool>(), gap).prop_map(
        |(cousins, object, end)| {
            let mut entries = Vec::new();
            for (at, (gaps, subscriptions, first)) in cousins.iter().enumerate() {
                let g = |at: usize| gaps[at].as_str();
                let items: Vec<String> =
                    subscriptions.iter().map(|it| format!("\"{it}\"")).collect();
                let items = items.join(&format!("{},{}", g(0), g(1)));
                let repo = format!("\"repo\"{}:{}\"o/r{at}\"", g(2), g(3));
                let list = format!("\"subscriptions\"{}:{}[{}{items}{}]", g(2), g(3), g(4), g(5));
                let (one, two) = if *first { (repo, list) } else { (list, repo) };
                entries.push(format!("{{{}{one}{},{}{two}{}}}", g(6), g(7), g(8), g(6)));
            }
            let list = format!("[{end}{}{end}]", entries.join(&format!(",{end}")));
            if object {
                format!("{{{end}\"cousins\":{list}}}{end}")
            } else {
                format!("{list}{end}")
            }
        },
    )
}

/// Whether `text` is `other` with something put in at one place.
fn has_an_insertion(text: &str, other: &str) -> bool {
    let (text, other) = (text.as_bytes(), other.as_bytes());
    let same = text.iter().zip(other).take_while(|(a, b)| a == b).count();
    let rest = &other[same..];
    text.len() >= other.len() && text.ends_with(rest)
}

proptest! {
    #[test]
    fn only_what_was_asked_for_is_put_in_and_all_else_stays_as_it_is(
        file in lists(), at in 0..6_usize, wanted in proptest::collection::vec("[a-zé]{1,6}", 1..4),
        enabled: bool,
    ) {
        let repo = format!("O/R{at}");
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let before = cousins(&file);
        let found = edited(Some(&file), &repo, &wanted, enabled);
        prop_assert!(has_an_insertion(&found.text, &file), "{:?} {:?}", file, found.text);
        let after = cousins(&found.text);
        let known = at < before.len();
        prop_assert_eq!(after.len(), before.len() + usize::from(!known));
        for (index, (old, new)) in before.iter().zip(&after).enumerate() {
            if index != at {
                prop_assert_eq!((&old.repo, &old.subscriptions), (&new.repo, &new.subscriptions));
            }
        }
        let cousin = &after[found.index];
        prop_assert_eq!(cousin.repo.key(), repo.to_lowercase());
        prop_assert_eq!(cousin.enabled, known || enabled);
        let count = cousin.subscriptions.len();
        prop_assert_eq!(count, found.before + found.added.len());
        for pattern in patterns(&wanted) {
            let same = |it: &Pattern| it.shape() == pattern.shape();
            prop_assert!(cousin.subscriptions.iter().any(same));
        }
        if known {
            let old = &before[at].subscriptions;
            prop_assert_eq!(&cousin.subscriptions[..old.len()], &old[..]);
        }
        let again = edited(Some(&found.text), &repo, &wanted, enabled);
        prop_assert_eq!(again.change, Change::Unchanged);
        prop_assert_eq!(&again.text, &found.text);
        let on = enable("f", found.text.as_bytes(), &RepoName::parse(&repo).unwrap()).unwrap();
        prop_assert_eq!(on.is_some(), !known && !enabled);
        prop_assert!(on.is_none_or(|on| cousins(&on)[found.index].enabled));
    }
}
