//! How a refused file is shown to people, to the character.

use insta::assert_snapshot;

use super::{fixtures, refused};

fn shown(name: &str) -> String {
    let (_, bytes) = fixtures("bad").into_iter().find(|(found, _)| found == name).unwrap();
    refused(bytes).to_string()
}

#[test]
fn what_does_not_fit_on_a_screen_is_counted() {
    let cousin = r#"{"repo": "acme/web.git", "subscriptions": ["a//b"]}"#;
    let rejected = refused(format!("[{}]", vec![cousin; 600].join(",\n")));
    let shown = rejected.to_string();
    assert_eq!((rejected.counts().errors, rejected.diagnostics().len()), (1200, 1000));
    assert_eq!(shown.matches("error[").count(), 50);
    let end = "\nand 1150 more: `ecosystem validate --format json` shows up to 1,000 of each \
               severity\necosystem.json: 1200 errors";
    assert!(shown.ends_with(end), "{shown}");
}

#[test]
fn marks_stand_under_what_they_mean_where_characters_are_wide() {
    let file = r#"[{"description": "日本語 😀 é", "repo": "日本", "subscriptions": ["x"]}]"#;
    let rejected = refused(file);
    // Columns for programs are characters.
    assert_eq!(rejected.diagnostics()[0].place.column, 37);
    let shown = rejected.to_string();
    let marks = shown.lines().find(|line| line.contains('^')).unwrap();
    // Four wide characters stand before the name, and two are in it.
    let expected = format!("   | {}{}", " ".repeat(36 + 4), "^".repeat(4 + 2));
    assert_eq!(marks, expected, "{shown}");
}

#[test]
fn a_file_of_one_line_is_shown_in_lines_that_fit_a_screen() {
    let cousin = r#"{"repo": "acme/wéb", "subscriptions": ["features/é"]}"#;
    let shown = refused(format!("[{}]", vec![cousin; 5000].join(","))).to_string();
    for line in shown.lines() {
        assert!(line.chars().count() < 180, "{line}");
    }
    for pair in shown.lines().collect::<Vec<_>>().windows(2) {
        if let Some(at) = pair[1].find('^') {
            let marked: String = pair[0].chars().skip(at).take(10).collect();
            assert_eq!(marked, "\"acme/wéb\"");
        }
    }
}

#[test]
fn a_name_of_a_file_cannot_break_a_line() {
    let rejected = crate::ecosystem::parse("a\n::error::b", b"").unwrap_err();
    assert!(!rejected.to_string().contains("\n::"), "{rejected}");
}

#[test]
fn a_duplicate_is_shown_with_both_places() {
    assert_snapshot!(shown("duplicate-repo"), @r#"
    error[duplicate-repo]: the repository "Acme/Web" is listed more than once
      --> ecosystem.json:4:13
       |
     2 |   { "repo": "acme/web", "subscriptions": ["features/web"] },
       |             ---------- first listed here
    ...
     4 |   { "repo": "Acme/Web", "subscriptions": ["features/auth"] },
       |             ^^^^^^^^^^
       = help: merge the two into one cousin; GitHub takes no account of case in names

    error[duplicate-repo]: the repository "acme/web" is listed more than once
      --> ecosystem.json:5:13
       |
     2 |   { "repo": "acme/web", "subscriptions": ["features/web"] },
       |             ---------- first listed here
    ...
     5 |   { "repo": "acme/web", "subscriptions": ["features/chat"] }
       |             ^^^^^^^^^^
       = help: merge the two into one cousin; GitHub takes no account of case in names

    ecosystem.json: 2 errors
    "#);
}

#[test]
fn a_missing_key_points_to_the_cousin() {
    assert_snapshot!(shown("missing-key"), @r#"
    error[missing-key]: the key "repo" is missing
      --> ecosystem.json:2:3
       |
     2 |   { "subscriptions": ["features/web"] },
       |   ^
       = help: add "repo": "owner/name"

    error[missing-key]: the key "subscriptions" is missing
      --> ecosystem.json:4:13
       |
     4 |     "repo": "acme/web"
       |             ^^^^^^^^^^
       = help: add "subscriptions": ["path/to/feature"]

    error[missing-key]: the key "repo" is missing
      --> ecosystem.json:6:3
       |
     6 |   {}
       |   ^
       = help: add "repo": "owner/name"

    error[missing-key]: the key "subscriptions" is missing
      --> ecosystem.json:6:3
       |
     6 |   {}
       |   ^
       = help: add "subscriptions": ["path/to/feature"]

    ecosystem.json: 4 errors
    "#);
}

#[test]
fn an_unknown_key_comes_with_the_nearest_one() {
    assert_snapshot!(shown("unknown-key"), @r#"
    error[unknown-key]: the key "$schem" is not known
      --> ecosystem.json:2:3
       |
     2 |   "$schem": "x",
       |   ^^^^^^^^
       = help: did you mean "$schema"?

    error[unknown-key]: the key "subscription" is not known
      --> ecosystem.json:6:7
       |
     6 |       "subscription": ["features/web"],
       |       ^^^^^^^^^^^^^^
       = help: did you mean "subscriptions"?

    error[unknown-key]: the key "eventType" is not known
      --> ecosystem.json:7:7
       |
     7 |       "eventType": "x",
       |       ^^^^^^^^^^^
       = help: did you mean "event_type"?

    error[unknown-key]: the key "colour" is not known
      --> ecosystem.json:8:7
       |
     8 |       "colour": "blue",
       |       ^^^^^^^^
       = help: the keys here are repo, subscriptions, event_type, enabled, token_env, description

    error[unknown-key]: the key "a/b~c" is not known
      --> ecosystem.json:9:7
       |
     9 |       "a/b~c": 1
       |       ^^^^^^^
       = help: the keys here are repo, subscriptions, event_type, enabled, token_env, description

    ecosystem.json: 5 errors
    "#);
}

#[test]
fn a_secret_is_masked_where_it_stands() {
    assert_snapshot!(shown("bad-token-env"), @r#"
    error[bad-token-env]: "token_env" holds a token, and must hold the name of an environment variable: this is a secret in a file
      --> ecosystem.json:2:73
       |
     2 |   { "repo": "acme/web", "subscriptions": ["features/web"], "token_env": "****************************************" },
       |                                                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: revoke the token now (https://github.com/settings/tokens), put a new one into the environment of the workflow, and write the variable's name here

    error[bad-token-env]: the name of an environment variable cannot hold '-'
      --> ecosystem.json:3:73
       |
     3 |   { "repo": "acme/api", "subscriptions": ["features/api"], "token_env": "********" },
       |                                                                         ^^^^^^^^^^
       = help: write a name such as "ACME_PAT": letters, digits and _

    error[bad-token-env]: the name of an environment variable is written without $
      --> ecosystem.json:4:73
       |
     4 |   { "repo": "acme/ios", "subscriptions": ["features/ios"], "token_env": "*********" },
       |                                                                         ^^^^^^^^^^^
       = help: write a name such as "ACME_PAT": letters, digits and _

    error[bad-token-env]: the name of an environment variable cannot begin with a digit
      --> ecosystem.json:5:71
       |
     5 |   { "repo": "acme/tv", "subscriptions": ["features/tv"], "token_env": "*****" },
       |                                                                       ^^^^^^^
       = help: write a name such as "ACME_PAT": letters, digits and _

    error[bad-token-env]: the name of the environment variable is empty
      --> ecosystem.json:6:73
       |
     6 |   { "repo": "acme/car", "subscriptions": ["features/car"], "token_env": "" }
       |                                                                         ^^
       = help: write a name such as "ACME_PAT": letters, digits and _

    ecosystem.json: 5 errors
    "#);
}

#[test]
fn comments_do_not_hide_the_other_errors() {
    assert_snapshot!(shown("comments"), @r#"
    error[syntax]: JSON allows no comments
      --> ecosystem.json:1:1
       |
     1 | // who follows us
       | ^^^^^^^^^^^^^^^^^
       = help: remove it; a cousin's "description" is the place for remarks

    error[syntax]: JSON allows no comments
      --> ecosystem.json:3:3
       |
     3 |   /* the
       |   ^^^^^^
       = help: remove it; a cousin's "description" is the place for remarks

    error[syntax]: JSON allows no comments
      --> ecosystem.json:5:62
       |
     5 |   { "repo": "acme/web", "subscriptions": ["features/web"] }, // and others
       |                                                              ^^^^^^^^^^^^^
       = help: remove it; a cousin's "description" is the place for remarks

    error[bad-repo]: "acme/web.git": a repository's name does not end in .git
      --> ecosystem.json:6:13
       |
     6 |   { "repo": "acme/web.git", "subscriptions": ["features//web"] }
       |             ^^^^^^^^^^^^^^
       = help: write "acme/web"

    error[bad-pattern]: "features//web": the pattern holds an empty directory name (//)
      --> ecosystem.json:6:47
       |
     6 |   { "repo": "acme/web.git", "subscriptions": ["features//web"] }
       |                                               ^^^^^^^^^^^^^^^
       = help: write one slash

    ecosystem.json: 5 errors
    "#);
}

#[test]
fn a_file_that_is_cut_off_shows_its_end_and_what_is_open() {
    assert_snapshot!(shown("truncated"), @r#"
    error[syntax]: the file ends before the list does
      --> ecosystem.json:3:58
       |
     3 |   { "repo": "acme/api", "subscriptions": ["features/api",
       |                                          - this is never closed
       |                                                          ^
       = help: it looks cut off: restore the rest, or close what is open

    ecosystem.json: 1 error
    "#);
}

#[test]
fn a_string_without_its_quote_is_marked_on_its_own_line() {
    assert_snapshot!(shown("unclosed-string"), @r#"
    error[syntax]: the string is not closed on its line
      --> ecosystem.json:3:13
       |
     3 |     "repo": "acme/web,
       |             ^^^^^^^^^^
       = help: close it with a double quote; a line break inside is written \n

    ecosystem.json: 1 error
    "#);
}

#[test]
fn a_byte_order_mark_is_named() {
    assert_snapshot!(shown("bom"), @r#"
    error[syntax]: the file begins with a byte order mark, which JSON does not allow
      --> ecosystem.json:1:1
       |
     1 | [
       | ^
       = help: save it as UTF-8 without a byte order mark ("BOM")

    error[bad-repo]: "acme/web.git": a repository's name does not end in .git
      --> ecosystem.json:2:13
       |
     2 |   { "repo": "acme/web.git", "subscriptions": ["features/web"] }
       |             ^^^^^^^^^^^^^^
       = help: write "acme/web"

    ecosystem.json: 2 errors
    "#);
}

#[test]
fn a_byte_that_is_not_utf_8_is_named() {
    assert_snapshot!(shown("non-utf8"), @r#"
    error[syntax]: the byte 0xfc is not UTF-8
      --> ecosystem.json:2:43
       |
     2 |   { "repo": "acme/web", "description": "é �ber", "subscriptions": ["features/web"] }
       |                                           ^
       = help: save the file as UTF-8

    ecosystem.json: 1 error
    "#);
}

#[test]
fn an_empty_file_is_answered_with_a_minimal_one() {
    assert_snapshot!(shown("empty"), @r#"
    error[syntax]: the file is empty
      --> ecosystem.json:1:1
       = help: the smallest file is [{"repo": "owner/name", "subscriptions": ["path/to/feature"]}]

    ecosystem.json: 1 error
    "#);
}

#[test]
fn a_long_line_is_cut_around_the_mark() {
    assert_snapshot!(shown("deep"), @r#"
    error[syntax]: arrays and objects nest deeper than 64 levels
      --> ecosystem.json:1:65
       |
     1 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]…
       |                                                              ^
       = help: a list of cousins has three levels: look for a bracket that is not closed

    ecosystem.json: 1 error
    "#);
}

#[test]
fn a_merge_conflict_is_called_one() {
    assert_snapshot!(shown("conflict"), @r#"
    error[syntax]: a merge conflict is not resolved
      --> ecosystem.json:2:1
       |
     2 | <<<<<<< HEAD
       | ^^^^^^^
       = help: keep one side, and remove the lines of <, = and >

    ecosystem.json: 1 error
    "#);
}

#[test]
fn everything_wrong_is_shown_in_one_go() {
    assert_snapshot!(shown("everything"), @r#"
    error[unknown-key]: the key "$shema" is not known
      --> ecosystem.json:2:3
       |
     2 |   "$shema": "ecosystem.schema.json", // for editors
       |   ^^^^^^^^
       = help: did you mean "$schema"?

    error[syntax]: JSON allows no comments
      --> ecosystem.json:2:38
       |
     2 |   "$shema": "ecosystem.schema.json", // for editors
       |                                      ^^^^^^^^^^^^^^
       = help: remove it; a cousin's "description" is the place for remarks

    error[bad-repo]: "https://github.com/acme/web": a repository is named by its owner and name, not by a URL
      --> ecosystem.json:4:15
       |
     4 |     { "repo": "https://github.com/acme/web", "subscriptions": ["features/web",] },
       |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: write "acme/web"

    error[syntax]: a comma before ] is not JSON
      --> ecosystem.json:4:78
       |
     4 |     { "repo": "https://github.com/acme/web", "subscriptions": ["features/web",] },
       |                                                                              ^
       = help: remove this comma

    error[bad-pattern]: "features/a**": ** must stand alone between slashes
      --> ecosystem.json:5:45
       |
     5 |     { "repo": "acme/api", "subscriptions": ["features/a**", "../shared"], "enabled": "yes" },
       |                                             ^^^^^^^^^^^^^^
       = help: write "dir/**/*.js" for files at any depth, "dir/*" for names right in a directory; instead of ** within braces write several patterns

    error[bad-pattern]: "../shared": the pattern holds "..", which no path in a git tree does
      --> ecosystem.json:5:61
       |
     5 |     { "repo": "acme/api", "subscriptions": ["features/a**", "../shared"], "enabled": "yes" },
       |                                                             ^^^^^^^^^^^
       = help: write the path from the root of the repository

    error[wrong-type]: "enabled" must be true or false, not a string
      --> ecosystem.json:5:86
       |
     5 |     { "repo": "acme/api", "subscriptions": ["features/a**", "../shared"], "enabled": "yes" },
       |                                                                                      ^^^^^
       = help: write true or false, without quotes

    error[duplicate-repo]: the repository "ACME/api" is listed more than once
      --> ecosystem.json:6:15
       |
     5 |     { "repo": "acme/api", "subscriptions": ["features/a**", "../shared"], "enabled": "yes" },
       |               ---------- first listed here
     6 |     { "repo": "ACME/api", "subscriptions": ["!docs"], "token_env": "****************************************" },
       |               ^^^^^^^^^^
       = help: merge the two into one cousin; GitHub takes no account of case in names

    error[no-positive-pattern]: "subscriptions" only excludes: the cousin would never hear of anything
      --> ecosystem.json:6:44
       |
     6 |     { "repo": "ACME/api", "subscriptions": ["!docs"], "token_env": "****************************************" },
       |                                            ^^^^^^^^^
       = help: name a directory such as "features/web", or "**" for everything, before what is excluded

    error[bad-token-env]: "token_env" holds a token, and must hold the name of an environment variable: this is a secret in a file
      --> ecosystem.json:6:68
       |
     6 |     { "repo": "ACME/api", "subscriptions": ["!docs"], "token_env": "****************************************" },
       |                                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: revoke the token now (https://github.com/settings/tokens), put a new one into the environment of the workflow, and write the variable's name here

    error[missing-key]: the key "subscriptions" is missing
      --> ecosystem.json:7:15
       |
     7 |     { "repo": "acme/ios", "events": "x", "event_type": "" },
       |               ^^^^^^^^^^
       = help: add "subscriptions": ["path/to/feature"]

    error[unknown-key]: the key "events" is not known
      --> ecosystem.json:7:27
       |
     7 |     { "repo": "acme/ios", "events": "x", "event_type": "" },
       |                           ^^^^^^^^
       = help: the keys here are repo, subscriptions, event_type, enabled, token_env, description

    error[bad-event-type]: an event type has 1 to 100 characters, this one has 0
      --> ecosystem.json:7:56
       |
     7 |     { "repo": "acme/ios", "events": "x", "event_type": "" },
       |                                                        ^^
       = help: shorten it, or leave it out for "feature-update"

    error[wrong-type]: a cousin must be an object, not a string
      --> ecosystem.json:8:5
       |
     8 |     "acme/tv",
       |     ^^^^^^^^^
       = help: write {"repo": "owner/name", "subscriptions": [ … ]}

    error[missing-key]: the key "repo" is missing
      --> ecosystem.json:9:5
       |
     9 |     { "subscriptions": [] }
       |     ^
       = help: add "repo": "owner/name"

    error[no-positive-pattern]: "subscriptions" is empty: the cousin would never hear of anything
      --> ecosystem.json:9:24
       |
     9 |     { "subscriptions": [] }
       |                        ^^
       = help: name a directory such as "features/web", or "**" for everything, before what is excluded

    ecosystem.json: 16 errors
    "#);
}
