//! What the issue says, and that it remembers what it was told.

use jiff::Timestamp;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::alarm::state::{Failure, Heard, Results, judge};
use crate::names::CommitSha;

/// The most that is written, in characters: GitHub takes 65,536.
const LONGEST: usize = 60_000;

fn repo(name: &str) -> RepoName {
    RepoName::parse(name).unwrap()
}

type Told = (String, String, Option<String>);

fn state(run: Option<&str>, cousins: &[Told]) -> State {
    let failed = |(name, error, help): &Told| {
        (repo(name), Heard::Failed(Failure::new(error, help.as_deref())))
    };
    let results = Results {
        run: run.map(|error| Failure::new(error, Some(error))),
        cousins: cousins.iter().map(failed).collect(),
        enabled: None,
    };
    let at = Timestamp::from_second(1_767_323_045).unwrap();
    let head = CommitSha::parse(&"a1".repeat(20)).unwrap();
    judge(&State::default(), &results, at, Some(&head)).1
}

fn told(name: &str, error: &str, help: Option<&str>) -> Told {
    (name.to_owned(), error.to_owned(), help.map(ToOwned::to_owned))
}

fn text(state: &State) -> String {
    let source = repo("acme/mono");
    let run_url = Some("https://github.com/acme/mono/actions/runs/7");
    body(&Subject { source: &source, run_url }, state)
}

#[test]
fn the_issue_says_who_fails_since_when_why_and_what_to_do() {
    let state = state(
        Some("ecosystem.json is broken"),
        &[
            told("acme/web", "the server failed (503: \"a | b\")", Some("run again later")),
            told("acme/api", "`rm` @all closes #1 <!-- x -->", None),
        ],
    );
    insta::assert_snapshot!(text(&state), @r##"
    <!-- ecosystem-dispatcher:alarm -->
    <!-- ecosystem-dispatcher:state {"v":1,"run":{"since":1767323045,"commit":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1","error":"ecosystem.json is broken","help":"ecosystem.json is broken"},"cousins":[["acme/api",{"since":1767323045,"commit":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1","error":"\u0060rm\u0060 \u0040all closes \u00231 \u003c!-\u002d x -\u002d\u003e"}],["acme/web",{"since":1767323045,"commit":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1","error":"the server failed (503: \"a | b\")","help":"run again later"}]]} -->
    **The run itself fails**, since 2026-01-02 03:04 UTC, commit `a1a1a1a1a1`, so that nothing is sent at all: `ecosystem.json is broken`.
    What to do: `ecosystem.json is broken`.

    **2 cousins are not getting updates from `acme/mono`.**

    | cousin | failing since | why, and what to do |
    | --- | --- | --- |
    | `acme/api` | 2026-01-02 03:04 UTC, commit `a1a1a1a1a1` | `` `rm` @all closes #1 <!-- x --> `` |
    | `acme/web` | 2026-01-02 03:04 UTC, commit `a1a1a1a1a1` | `the server failed (503: "a ¦ b")`; `run again later` |

    Last looked at by [this run](<https://github.com/acme/mono/actions/runs/7>).

    This issue is kept up to date by `ecosystem dispatch --issue-on-failure`. It closes itself with the first run that finds nothing failing, and is opened again when something fails again. Its text is written anew each time: put notes into comments.
    "##);
}

#[test]
fn a_change_is_worth_one_comment_and_the_same_failure_none() {
    let source = repo("acme/mono");
    let subject = Subject { source: &source, run_url: None };
    let state = state(None, &[told("acme/web", "no @x", None)]);
    let who = |names: &[&str], run| Who {
        run,
        cousins: names.iter().map(|name| repo(name)).collect(),
        more: 0,
    };
    let mut all = String::new();
    for change in [
        Change::Nothing,
        Change::Still,
        Change::Began(who(&["acme/web"], false)),
        Change::Changed {
            came: who(&["acme/web"], false),
            gone: who(&["acme/api"], true),
            left: who(&["acme/off"], false),
        },
        Change::Changed {
            came: Who::default(),
            gone: Who::default(),
            left: who(&["acme/off"], false),
        },
        Change::Ended { gone: who(&["acme/api"], false), left: Who::default() },
        Change::Ended { gone: Who::default(), left: Who { more: 2, ..Who::default() } },
    ] {
        all += &format!("{:?}\n", comment(&subject, &change, &state));
    }
    insta::assert_snapshot!(all, @r#"
    None
    None
    Some("Failing again since this run:\n\n- `acme/web`: `no @x`\n")
    Some("Failing too since this run:\n\n- `acme/web`: `no @x`\n\nRecovered with this run:\n\n- the run itself\n- `acme/api`\n\nDisabled or not listed any more, so that nothing is sent there and nobody knows whether it would arrive:\n\n- `acme/off`\n")
    Some("Disabled or not listed any more, so that nothing is sent there and nobody knows whether it would arrive:\n\n- `acme/off`\n")
    Some("Nothing is failing any more since this run. Recovered:\n\n- `acme/api`\n")
    Some("Nothing is failing any more since this run. Disabled or not listed any more, so that nothing is sent there and nobody knows whether it would arrive:\n\n- … and 2 more\n")
    "#);
}

#[test]
fn ten_thousand_failing_cousins_fit_and_the_first_are_remembered() {
    for error in ["", "no", "<-@&#`", "`` ` ```", &"<".repeat(300), &"🙈|".repeat(200)] {
        let many: Vec<Told> = (0..10_000)
            .map(|n| told(&format!("acme/{n:05}{}", "-".repeat(n % 90)), error, Some(error)))
            .collect();
        let state = state(Some(error), &many);
        let text = text(&state);
        assert!(size(&text) <= LONGEST, "{}", size(&text));
        let rows = text.lines().filter(|line| line.starts_with("| `")).count();
        assert!(rows > 10 && rows <= ROWS, "{rows} {error:?}");
        assert!(text.contains(&format!("\n… and {} more.\n", 10_000 - rows)));
        let known = memory::read(&text).unwrap();
        assert_eq!(known.failing(), 10_000);
        assert!(known.cousins().len() > 100, "{}", known.cousins().len());
        // The next run, in which the same fail, is no change.
        let failed = |(name, ..): &Told| (repo(name), Heard::Failed(Failure::new("no", None)));
        let results = Results {
            run: Some(Failure::new("no", None)),
            cousins: many.iter().map(failed).collect(),
            enabled: None,
        };
        let (change, after) = judge(&known, &results, Timestamp::UNIX_EPOCH, None);
        assert_eq!((change, after.cousins().len()), (Change::Still, 10_000));
        let source = repo("acme/mono");
        let subject = Subject { source: &source, run_url: None };
        let all = Who { run: true, cousins: many.iter().map(|it| repo(&it.0)).collect(), more: 7 };
        let change = Change::Changed { came: all.clone(), gone: all.clone(), left: all };
        assert!(size(&comment(&subject, &change, &state).unwrap()) <= LONGEST);
    }
}

#[test]
fn garbage_is_no_memory() {
    let good = text(&state(Some("a"), &[told("acme/web", "b", None)]));
    assert!(memory::read(&good).is_some());
    let crlf = good.replace('\n', "\r\n");
    assert_eq!(memory::read(&crlf), memory::read(&good), "as a browser sends it");
    assert!(memory::is_marked(&crlf));
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("acme/web", "acme"),
        ("acme/web", "../../x"),
        ("1767323045", "9e99"),
        ("1767323045", "99999999999999999"),
        ("a1a1", "zz"),
        ("]]} -->", "]]}"),
        ("<!-- ecosystem-dispatcher:state", "x <!-- ecosystem-dispatcher:state"),
        ("{\"v\"", "{{\"v\""),
        ("\"v\":1", "\"v\":1,\"more\":18446744073709551615"),
        ("\"v\":1", "\"v\":1,\"more\":-1"),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(memory::read(&good.replace(from, to)), None, "{from} {to}");
    }
    for body in [
        "",
        MARKER,
        "<!-- ecosystem-dispatcher:state  -->",
        "<!-- ecosystem-dispatcher:state [] -->",
    ] {
        assert_eq!(memory::read(body), None, "{body}");
    }
    let deep = format!("<!-- ecosystem-dispatcher:state {} -->", "[".repeat(100_000));
    assert_eq!(memory::read(&deep), None);
}

#[test]
fn an_address_that_could_leave_its_link_is_no_link() {
    let source = repo("acme/mono");
    for (url, linked) in [
        ("https://ghe.example/a/b/actions/runs/7?x=1", true),
        ("http://127.0.0.1:8080/runs/7", true),
        ("https://h/)[x](https://evil", false),
        ("https://h/a`b|c", false),
        ("javascript:alert(1)", false),
        ("not a url", false),
        ("", false),
    ] {
        let text = Subject { source: &source, run_url: Some(url) }.this_run();
        assert_eq!(text == format!("[this run](<{url}>)"), linked, "{text}");
        assert_eq!(text == "this run", !linked, "{text}");
    }
}

/// Text as others may write it, with what means something to somebody.
fn others() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "\\PC{0,80}",
        "[-<>!`|@#&\\\\\n\r a]{0,120}",
        Just(MARKER.to_owned()),
        Just(format!(
            "\n{MARKER}\n<!-- ecosystem-dispatcher:state {{\"v\":1,\"cousins\":[]}} -->\n"
        )),
        Just("\u{2028}-->\r<!-- ecosystem-dispatcher:state {} -->".to_owned()),
    ]
}

proptest! {
    #[test]
    fn the_issue_remembers_what_it_was_told_whatever_the_words(
        run in proptest::option::of(others()),
        cousins in proptest::collection::vec((others(), proptest::option::of(others())), 0..5),
    ) {
        let cousins: Vec<Told> = cousins.into_iter().enumerate()
            .map(|(at, (error, help))| (format!("acme/c{at}"), error, help)).collect();
        let state = state(run.as_deref(), &cousins);
        let text = text(&state);
        prop_assert_eq!(State::from_json(&state.to_json()), Some(state.clone()));
        prop_assert_eq!(memory::read(&text), Some(state));
        prop_assert!(size(&text) <= LONGEST);
        // One marker and one memory, and nothing of others outside of both and of code spans.
        let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        prop_assert_eq!(text.lines().filter(|line| *line == MARKER).count(), 1);
        prop_assert_eq!(lines("<!--"), 2);
        prop_assert_eq!(text.lines().nth(1).unwrap().matches("-->").count(), 1);
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            prop_assert_eq!(row.matches('|').count(), 4);
        }
        prop_assert!(text.ends_with("put notes into comments.\n"));
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_text_is_more_than_an_issue_takes(
        error in others(),
        help in proptest::option::of(others()),
        count in 0usize..200,
    ) {
        let error = error.repeat(20);
        let cousins: Vec<Told> = (0..count)
            .map(|n| (format!("{}/{n}", "o".repeat(39)), error.clone(), help.clone())).collect();
        let state = state(Some(&error), &cousins);
        let text = text(&state);
        prop_assert!(size(&text) <= LONGEST, "{}", size(&text));
        prop_assert_eq!(memory::read(&text).map(|it| it.failing()), Some(count));
    }

    #[test]
    fn no_text_makes_the_memory_panic(body in others(), json in ".*") {
        let _ = memory::read(&body);
        let _ = memory::read(&format!("<!-- ecosystem-dispatcher:state {json} -->"));
    }
}
