use pretty_assertions::assert_eq;

use super::*;
use crate::actions::MAX_SUMMARY;

const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn commit(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

fn row(repo: &str, state: State) -> Row {
    Row {
        repo: RepoName::parse(repo).unwrap(),
        state,
        enabled: !matches!(state, State::Disabled | State::Removed),
        watermark: Some(commit('a')),
        committed: Timestamp::from_second(NOW - 3 * 86_400).ok(),
        commits_behind: Some(0),
        features_pending: 0,
        features: Vec::new(),
        last_outcome: None,
        failing_since: None,
    }
}

fn status(cousins: Vec<Row>) -> Status {
    Status {
        schema: SCHEMA,
        source: Source {
            repository: RepoName::parse("acme/monorepo").ok(),
            reference: Some("refs/heads/main".to_owned()),
        },
        head: commit('f'),
        path_encoding: None,
        summary: Totals::of(&cousins),
        cousins,
        pruned: Vec::new(),
        notes: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Returns a status with a cousin in each state.
fn all_states() -> Status {
    status(vec![
        Row { last_outcome: Some(Outcome::Delivered), ..row("acme/current", State::Current) },
        Row {
            commits_behind: Some(12),
            features_pending: 2,
            features: vec!["features/a".to_owned(), "features/b".to_owned()],
            last_outcome: Some(Outcome::Failed),
            failing_since: Some(commit('b')),
            ..row("acme/behind-and-failing", State::Behind)
        },
        Row {
            watermark: None,
            committed: None,
            commits_behind: None,
            features_pending: 1,
            features: vec!["docs".to_owned()],
            ..row("acme/new", State::New)
        },
        Row { commits_behind: None, committed: None, ..row("acme/off", State::Disabled) },
        row("acme/gone", State::Removed),
    ])
}

#[test]
fn people_read_a_table_and_what_to_do() {
    let mut status = all_states();
    status.notes.push("origin/main\u{1b} is elsewhere".to_owned());
    let reference = "refs/ecosystem/watermarks/acme/old".to_owned();
    status.pruned.push(Pruned { reference, commit: commit('c') });
    insta::assert_snapshot!(status.human(now(), Paint::default()), @r"
    source  acme/monorepo refs/heads/main
    head    ffffffffff
    note    origin/main\u{1b} is elsewhere
    pruned  refs/ecosystem/watermarks/acme/old, which stood at cccccccccc

    cousin                   state     watermark   age         behind  pending  last outcome
    acme/current             current   aaaaaaaaaa  3 days           0        0  delivered
    acme/behind-and-failing  behind    aaaaaaaaaa  3 days          12        2  failed since bbbbbbbbbb
    acme/new                 new       –           –                –        1  –
    acme/off                 disabled  aaaaaaaaaa  ?                ?        0  –
    acme/gone                removed   aaaaaaaaaa  3 days           0        –  –

    help: `ecosystem dispatch --watermarks` sends what is pending; `ecosystem status --prune` deletes the refs of the removed ones
    4 cousins: 1 current, 1 behind, 1 new, 1 disabled; 1 removed
    ");
    let fine = super::tests::status(vec![row("acme/web", State::Current)]);
    insta::assert_snapshot!(fine.human(now(), Paint::default()), @r"
    source  acme/monorepo refs/heads/main
    head    ffffffffff

    cousin    state     watermark   age         behind  pending  last outcome
    acme/web  current   aaaaaaaaaa  3 days           0        0  –

    1 cousin: 1 current
    ");
    let left = super::tests::status(vec![row("acme/gone", State::Removed)]).summary;
    assert_eq!(left.line(|_, text| text.to_owned()), "0 cousins; 1 removed");
}

#[test]
fn colour_changes_nothing_but_the_look() {
    let plain = all_states().human(now(), Paint::default());
    let mut coloured = all_states().human(now(), Paint { colour: true });
    assert!(coloured.contains("\u{1b}[33mbehind  \u{1b}[0m"), "{coloured}");
    for code in ["0", "1", "2", "31", "32", "33", "36"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(coloured, plain);
}

#[test]
fn programs_read_every_field() {
    let mut status = all_states();
    status.cousins.drain(2..);
    status.cousins.remove(0);
    let reference = "refs/ecosystem/failing/acme/old".to_owned();
    status.pruned.push(Pruned { reference, commit: commit('c') });
    status.notes.push("##[note]".to_owned());
    status.warnings.push(Warning::new("incomplete-range", "a warning".to_owned()));
    insta::assert_snapshot!(status.json(), @r##"
    {
      "schema": 1,
      "source": {
        "repository": "acme/monorepo",
        "ref": "refs/heads/main"
      },
      "head": "ffffffffffffffffffffffffffffffffffffffff",
      "path_encoding": null,
      "cousins": [
        {
          "repo": "acme/behind-and-failing",
          "state": "behind",
          "enabled": true,
          "watermark": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "committed": "2027-01-12T08:00:00Z",
          "commits_behind": 12,
          "features_pending": 2,
          "features": [
            "features/a",
            "features/b"
          ],
          "last_outcome": "failed",
          "failing_since": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        }
      ],
      "summary": {
        "cousins": 4,
        "current": 1,
        "behind": 1,
        "new": 1,
        "disabled": 1,
        "removed": 1
      },
      "pruned": [
        {
          "ref": "refs/ecosystem/failing/acme/old",
          "commit": "cccccccccccccccccccccccccccccccccccccccc"
        }
      ],
      "notes": [
        "#\u0023[note]"
      ],
      "warnings": [
        {
          "code": "incomplete-range",
          "message": "a warning"
        }
      ]
    }
    "##);
}

#[test]
fn the_state_says_first_whether_it_is_enabled_then_whether_it_is_new() {
    for (enabled, has_watermark, pending, state) in [
        (true, true, 0, State::Current),
        (true, true, 1, State::Behind),
        (true, false, 0, State::New),
        (true, false, 1, State::New),
        (false, true, 0, State::Disabled),
        (false, true, 1, State::Disabled),
        (false, false, 1, State::Disabled),
    ] {
        assert_eq!(State::of(enabled, has_watermark, pending), state);
    }
}

#[test]
fn an_age_is_told_in_the_largest_unit_that_there_are_two_of() {
    let (minute, hour, day) = (60, 3600, 86_400);
    for (seconds, expected) in [
        (-5, "0 minutes"),
        (59, "0 minutes"),
        (minute, "1 minute"),
        (2 * hour - 1, "119 minutes"),
        (2 * hour, "2 hours"),
        (2 * day - 1, "47 hours"),
        (3 * day, "3 days"),
        (59 * day, "59 days"),
        (60 * day, "2 months"),
        (729 * day, "24 months"),
        (730 * day, "2 years"),
        (NOW, "57 years"),
    ] {
        let then = Timestamp::from_second(NOW - seconds).unwrap();
        assert_eq!(age(then, now()), expected, "{seconds}");
    }
}

#[test]
fn the_summary_of_a_step_has_the_table_and_obeys_nobody() {
    let mut status = all_states();
    status.notes.push("origin/<b>|x".to_owned());
    status.warnings.push(Warning::new("unclear-watermarks", "![x](y)\n::error::z".to_owned()));
    let reference = "refs/ecosystem/watermarks/acme/<old>".to_owned();
    status.pruned.push(Pruned { reference, commit: commit('c') });
    insta::assert_snapshot!(status.summary(now()), @r"
    ### Ecosystem Dispatcher: status

    **4 cousins: 1 current, 1 behind, 1 new, 1 disabled; 1 removed** at `ffffffffff`

    origin/&lt;b&gt;&#124;x

    pruned <code>refs/ecosystem/watermarks/acme/&lt;old&gt;</code>, which stood at `cccccccccc`

    > ⚠️ &#33;&#91;x&#93;(y)&#92;n&#58;&#58;error&#58;&#58;z

    `ecosystem dispatch --watermarks` sends what is pending; `ecosystem status --prune` deletes the refs of the removed ones

    | cousin | state | watermark | age | commits behind | features pending | last outcome |
    | --- | --- | --- | --- | ---: | ---: | --- |
    | acme/current | ✅ current | aaaaaaaaaa | 3 days | 0 | 0 | delivered |
    | acme/behind-and-failing | ❌ behind | aaaaaaaaaa | 3 days | 12 | 2 | failed since bbbbbbbbbb |
    | acme/new | 🆕 new | – | – | – | 1 | – |
    | acme/off | 💤 disabled | aaaaaaaaaa | ? | ? | 0 | – |
    | acme/gone | 🗑️ removed | aaaaaaaaaa | 3 days | 0 | – | – |
    ");
    assert_eq!(status.annotations(), ["::warning title=unclear-watermarks::![x](y)\\n::error::z"]);
}

#[test]
fn a_summary_that_is_too_long_is_cut_and_says_by_how_much() {
    let many = 20_000;
    let rows = (0..many).map(|n| row(&format!("acme/c{n}"), State::Current)).collect();
    let mut status = status(rows);
    for n in 0..300 {
        status.warnings.push(Warning::new("incomplete-range", format!("warning {n}")));
    }
    let summary = status.summary(now());
    assert!(summary.len() <= MAX_SUMMARY, "{}", summary.len());
    assert!(summary.contains("\nand 200 more lines, which `--format json` has\n"));
    let shown = summary.matches("| acme/c").count();
    let cut = format!("\n… and {} more: the summary is cut here.\n", many - shown);
    assert!(shown > 1000 && summary.ends_with(&cut), "{shown}");
    let annotations = status.annotations();
    assert_eq!(annotations.len(), 10);
    assert_eq!(
        annotations[9],
        "::warning title=warnings::291 more warnings: see the step's summary"
    );
}
