//! What is written for a cousin is what others read: our own reader of workflows, the reader of a
//! cousin's list, YAML.

use std::collections::{BTreeMap, BTreeSet};

use pretty_assertions::assert_eq;

use super::*;
use crate::onboarding::workflow::{Listens, Workflow};

const COMMIT: &str = "acme/ecosystem-dispatcher@1111111111111111111111111111111111111111";

/// Returns the files of `acme/web`, which follows these features.
fn files_of(features: &[&str], into: Option<&str>, method: Option<&str>) -> Vec<CousinFile> {
    let features: Vec<String> = features.iter().map(|it| (*it).to_owned()).collect();
    files(&Following {
        cousin: &RepoName::parse("acme/web").unwrap(),
        source: &RepoName::parse("acme/monorepo").unwrap(),
        branch: "main",
        event_type: &EventType::default(),
        features: &features,
        into,
        method,
        action: &ActionRef::parse(&format!("{COMMIT} # v1.2.3")).unwrap(),
    })
}

fn workflow_for(cousin: &str, event_type: &str) -> String {
    workflow(&Following {
        cousin: &RepoName::parse(cousin).unwrap(),
        source: &RepoName::parse("acme/monorepo").unwrap(),
        branch: "main",
        event_type: &EventType::parse(event_type).unwrap(),
        features: &[],
        into: None,
        method: None,
        action: &ActionRef::unknown(),
    })
}

/// These are the files that the workflow linter looks at, too.
#[test]
fn the_files_are_those_in_the_fixtures() {
    let written = files_of(&["features/pwa/vanilla", "features/webpush/flask"], None, None);
    let paths: Vec<&str> = written.iter().map(|file| file.path).collect();
    assert_eq!(paths, [LIST, WORKFLOW]);
    for file in written {
        let fixture = [env!("CARGO_MANIFEST_DIR"), "fixtures/cousin", file.path];
        let path: std::path::PathBuf = fixture.iter().collect();
        assert_eq!(std::fs::read_to_string(path).unwrap(), file.content, "{}", file.path);
    }
}

#[test]
fn each_feature_goes_to_its_own_place() {
    for (features, into, expected) in [
        (&["a/b"][..], None, &["a/b"][..]),
        (&["a/b"], Some("src/push"), &["src/push"]),
        (&["a/b"], Some("."), &["."]),
        (&["a/b", "a/c/d"], Some("v"), &["v/b", "v/c/d"]),
        (&["a/b", "ab"], Some("v"), &["v/a/b", "v/ab"]),
        (&["a/bc/d", "a/b/d"], Some("v"), &["v/bc/d", "v/b/d"]),
        (&["a", "a/b"], Some("v"), &["v/a", "v/a/b"]),
        (&["x/y/a", "x/y/b"], Some("."), &["a", "b"]),
        (&["x/a/q", "x/b/q", "y"], Some("v"), &["v/x/a/q", "v/x/b/q", "v/y"]),
    ] {
        let list = &files_of(features, into, None)[0].content;
        let list: Value = serde_json::from_str(list).unwrap();
        let found: Vec<&str> = list["subscriptions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["into"].as_str().or(it["feature"].as_str()).or(it.as_str()).unwrap())
            .collect();
        assert_eq!(found, expected, "{features:?} {into:?}");
        let all: BTreeSet<&str> = found.iter().copied().collect();
        assert_eq!(all.len(), features.len(), "two features in one place");
    }
}

#[test]
fn an_entry_says_no_more_than_there_is_to_say() {
    for (into, method, expected) in [
        (None, None, "\n    \"a\\\"b\"\n"),
        (Some("a\"b"), None, "\n    \"a\\\"b\"\n"),
        (Some("x"), None, "\n    { \"feature\": \"a\\\"b\", \"into\": \"x\" }\n"),
        (None, Some("copy"), "\n    { \"feature\": \"a\\\"b\", \"method\": \"copy\" }\n"),
    ] {
        let list = &files_of(&["a\"b"], into, method)[0].content;
        assert!(list.contains(expected), "{list}");
    }
}

#[test]
fn our_own_reader_hears_the_event_type_and_finds_no_script_that_an_event_writes() {
    for event_type in [
        "feature-update",
        "docs_update2",
        "true",
        "Off",
        "1",
        "a, b",
        "a: b # c",
        "]}\"'\\",
        "${{ x }}",
        "- é 😀",
        "*a",
        " ",
    ] {
        let text = workflow_for("acme/web", event_type);
        let workflow = Workflow::parse(&text).unwrap_or_else(|bad| panic!("{bad}\n{text}"));
        assert_eq!(*workflow.dispatches(), Listens::Types(vec![event_type.to_owned()]));
        assert_eq!(workflow.injections(&BTreeSet::new()), []);
        assert_eq!(workflow.calls(&BTreeSet::new()).len(), 0);
    }
}

#[test]
fn the_daily_runs_of_many_cousins_are_spread_and_none_is_at_a_full_hour() {
    let mut at: BTreeMap<(u8, u8), usize> = BTreeMap::new();
    for number in 0..2000 {
        let cousin = RepoName::parse(&format!("acme/web-{number}")).unwrap();
        let (hour, minute) = daily(&cousin);
        assert!(hour < 24 && (1..59).contains(&minute), "{hour}:{minute}");
        *at.entry((hour, minute)).or_default() += 1;
    }
    assert!(at.len() > 700 && at.values().all(|count| *count < 12), "{}", at.len());
    let name = |text| daily(&RepoName::parse(text).unwrap());
    assert_eq!(name("Acme/Web"), name("acme/web"));
}

#[test]
fn an_action_is_named_as_in_uses_and_by_nothing_else() {
    for (text, expected) in [
        (COMMIT, COMMIT),
        ("a/b@v1", "a/b@v1"),
        ("a/b/sub@main #  v1.2 ", "a/b/sub@main # v1.2"),
        ("a/b@v1 # x y", "a/b@v1"),
    ] {
        assert_eq!(ActionRef::parse(text).unwrap().to_string(), expected);
    }
    for bad in [
        "",
        "a",
        "a/b",
        "a@b",
        "./x@v1",
        "a/b@",
        "a/b@v1\nrun: x",
        "a/b@${{ x }}",
        "a/../b@v1",
        "a b/c@v1",
        "docker://x/y@v1",
    ] {
        assert!(ActionRef::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_monorepos_workflows_tell_which_action_is_used() {
    let pinned = format!("{COMMIT} # v0.1.0");
    for (text, found) in [
        (format!("steps:\n  - uses: {pinned}\n"), Some(pinned.as_str())),
        (format!("      uses: x/ecosystem-dispatcher@v1\n      uses: {COMMIT}\n"), Some(COMMIT)),
        ("- uses: x/ecosystem-dispatcher@v1\n".to_owned(), Some("x/ecosystem-dispatcher@v1")),
        ("- uses: x/my-ecosystem-dispatcher@v1\n- uses: ./\n".to_owned(), None),
        ("# uses: x/ecosystem-dispatcher@v1\nrun: uses: x\n".to_owned(), None),
    ] {
        let action = ActionRef::in_workflow(&text);
        assert_eq!(action.map(|it| it.to_string()).as_deref(), found, "{text}");
    }
    let warned = |text: &str| ActionRef::parse(text).unwrap().warning();
    assert_eq!(warned(COMMIT), None);
    assert!(warned("a/b@v1").unwrap().contains("can be moved"));
    assert!(ActionRef::unknown().warning().unwrap().contains("put the owner of the action"));
}
