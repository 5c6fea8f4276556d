use pretty_assertions::assert_eq;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn parsed(json: &str) -> Payload {
    Payload::parse("--payload", json.as_bytes()).unwrap_or_else(|bad| panic!("{bad}"))
}

fn refused(json: &[u8]) -> String {
    match Payload::parse("--payload", json) {
        Err(BadPayload::Json(diagnosis)) => diagnosis.to_string(),
        other => panic!("{}: {other:?}", String::from_utf8_lossy(json)),
    }
}

fn field(written: &str) -> Result<String, BadPayload> {
    let mut payload = Payload::default();
    payload.field(written)?;
    Ok(payload.json())
}

#[test]
fn what_goes_out_is_what_was_written_without_the_white_space() {
    for (written, sent) in [
        ("{}", "{}"),
        (" { \"b\" : 1 , \"a\" : [ true , null , { } ] }\n", r#"{"b":1,"a":[true,null,{}]}"#),
        (
            r#"{"n": [1.10, 1E5, -0.0, 9007199254740992]}"#,
            r#"{"n":[1.10,1E5,-0.0,9007199254740992]}"#,
        ),
        (r#"{"\u00e9": "\ud83d\ude00\n\u0000\/"}"#, "{\"é\":\"😀\\n\\u0000/\"}"),
        (r#"{"deep": {"a": {"b": ["x y"]}}}"#, r#"{"deep":{"a":{"b":["x y"]}}}"#),
        (r#"{"": 0}"#, r#"{"":0}"#),
        // The same number, whatever its digits; and a fraction may be rounded.
        ("[1e23, 100000000000000000000000, 1E+5, 0e999, -0, 0.12345678901234567891]", ""),
    ] {
        let (written, sent) = match sent {
            "" => {
                (format!("{{\"a\": {written}}}"), format!("{{\"a\":{}}}", written.replace(' ', "")))
            }
            _ => (written.to_owned(), sent.to_owned()),
        };
        assert_eq!(parsed(&written).json(), sent);
    }
}

#[test]
fn the_body_is_the_event_type_and_the_payload() {
    let event_type = EventType::parse("build \"x\"").unwrap();
    assert_eq!(
        parsed(r#"{"a": 1}"#).body(&event_type),
        r#"{"event_type":"build \"x\"","client_payload":{"a":1}}"#
    );
    let empty = Payload::default().body(&event_type);
    assert_eq!(empty, r#"{"event_type":"build \"x\"","client_payload":{}}"#);
}

#[test]
fn only_an_object_is_a_payload_and_the_place_of_each_fault_is_named() {
    for (written, message, place) in [
        ("null", "a client_payload is a JSON object, and this is null", "--payload:1:1"),
        ("[1]", "this is an array", "--payload:1:1"),
        ("\"{}\"", "this is a string", "--payload:1:1"),
        ("7", "this is a number", "--payload:1:1"),
        ("false", "this is true or false", "--payload:1:1"),
        ("", "the payload is empty", "--payload:1:1"),
        (" \n", "the payload is blank", "--payload:1:1"),
        ("{\"a\": 1,\n \"b\": 2,}", "a comma before } is not JSON", "--payload:2:8"),
        ("{\"a\": 1 // x\n}", "JSON allows no comments", "--payload:1:9"),
        ("{'a': 1}", "JSON has no single quotes", "--payload:1:2"),
        ("{\"a\": 1} {}", "something follows the end of the JSON", "--payload:1:10"),
        ("{\"a\": [1", "the payload ends before the JSON does", "--payload:1:9"),
        ("{\"a\": yes}", "put text between double quotes", "--payload:1:7"),
        ("{\"a\": 1, \"b\": 2, \"a\": 3}", "the key \"a\" is given twice", "--payload:1:18"),
        ("{\"x\": {\"a\": 1, \"\\u0061\": 3}}", "the key \"a\" is given twice", "--payload:1:16"),
        ("{\"a\": 1e400}", "take this number for infinity", "--payload:1:7"),
        ("{\"a\": -1e999}", "take this number for infinity", "--payload:1:7"),
        ("{\"a\": 1e-400}", "take this number for 0", "--payload:1:7"),
        ("{\"a\": 9007199254740993}", "take this number for 9007199254740992", "--payload:1:7"),
        (
            "{\"a\": [123456789012345678901234567890]}",
            "take this number for 123456789012345680000000000000",
            "--payload:1:8",
        ),
        (
            "{\"a\": 12345678901234567890.0}",
            "take this number for 12345678901234567000",
            "--payload:1:7",
        ),
        ("{\"a\": 9007199254740993e0}", "take this number for 9007199254740992", "--payload:1:7"),
        (
            "{\"a\": 1.2345678901234567891e19}",
            "take this number for 12345678901234567000",
            "--payload:1:7",
        ),
        ("{\"a\": 1e-99999999999999999999}", "take this number for 0", "--payload:1:7"),
        ("\u{feff}{}", "byte order mark", "--payload:1:1"),
    ] {
        let said = refused(written.as_bytes());
        assert!(said.contains(message), "{written}: {said}");
        assert!(said.contains(&format!("--> {place}\n")), "{written}: {said}");
    }
    assert!(refused(b"{\"a\": \"\xff\"}").contains("the byte 0xff is not UTF-8"));
    assert!(refused(b"\xff\xfe{\0}\0").contains("byte order mark of UTF-16"));
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(deep.as_bytes()).contains("nest deeper than 64 levels"));
}

#[test]
fn all_faults_are_said_at_once_and_none_shows_a_token() {
    insta::assert_snapshot!(
        refused(b"{\"a\": 1, \"a\": 1e400,\n \"token\": \"ghp_0123456789abcdefghij\", \"token\": []}"),
        @r#"
    error[syntax]: the key "a" is given twice
      --> --payload:1:10
       |
     1 | {"a": 1, "a": 1e400,
       |  --- first here
       |          ^^^
       = help: give each key once: readers would take either of them

    error[syntax]: readers of JSON would take this number for infinity, or refuse it
      --> --payload:1:15
       |
     1 | {"a": 1, "a": 1e400,
       |               ^^^^^
       = help: put it between double quotes: text comes out as it is written

    error[syntax]: the key "token" is given twice
      --> --payload:2:39
       |
     2 |  "token": "ghp_********************", "token": []}
       |  ------- first here
       |                                       ^^^^^^^
       = help: give each key once: readers would take either of them

    --payload: 3 errors
    "#
    );
}

#[test]
fn a_field_is_text_or_json_and_the_first_separator_counts() {
    for (written, sent) in [
        ("a=b", r#"{"a":"b"}"#),
        ("a=", r#"{"a":""}"#),
        ("a=1", r#"{"a":"1"}"#),
        ("a:=1", r#"{"a":1}"#),
        ("a=b:=c", r#"{"a":"b:=c"}"#),
        ("a=b=c", r#"{"a":"b=c"}"#),
        ("a:b=c", r#"{"a:b":"c"}"#),
        ("a:= [1, {\"x\": null}] ", r#"{"a":[1,{"x":null}]}"#),
        ("a=@file", r#"{"a":"@file"}"#),
        ("a=two\nlines \"q\" \u{202e}", "{\"a\":\"two\\nlines \\\"q\\\" \u{202e}\"}"),
        ("é ü=x", r#"{"é ü":"x"}"#),
    ] {
        assert_eq!(field(written).unwrap(), sent, "{written}");
    }
    for bad in ["", "a", "=b", ":=1", "=", "a:"] {
        assert!(matches!(field(bad), Err(BadPayload::NotAField(_))), "{bad}");
    }
    for (bad, place) in
        [("a:=", "--field a:1:1"), ("a:={", "--field a:1:2"), ("a:=x", "--field a:1:1")]
    {
        let said = field(bad).unwrap_err().to_string();
        assert!(said.contains(&format!("--> {place}\n")), "{said}");
    }
}

#[test]
fn a_key_is_given_once_and_the_context_gives_way() {
    let mut payload = parsed(r#"{"a": 1, "commit_sha": "mine"}"#);
    let twice = payload.field("a=2").unwrap_err();
    assert_eq!(twice.to_string(), "the key \"a\" is given twice: by --payload and by --field");
    payload.field("b=2").unwrap();
    let twice = payload.field("b=3").unwrap_err().to_string();
    assert_eq!(twice, "the key \"b\" is given twice: by --field and by --field");
    payload.context("commit_sha", Some("theirs"));
    payload.context("source_ref", Some("refs/heads/\"x\""));
    payload.context("run_url", None);
    assert_eq!(
        payload.json(),
        r#"{"a":1,"commit_sha":"mine","b":"2","source_ref":"refs/heads/\"x\"","run_url":null}"#
    );
}

#[test]
fn ten_keys_and_65_535_characters_are_taken_and_one_more_is_not() {
    let keys = |count: usize| {
        let members: Vec<String> = (0..count).map(|n| format!("\"k{n}\": {n}")).collect();
        parsed(&format!("{{{}}}", members.join(","))).check()
    };
    assert_eq!(keys(10), Ok(()));
    let message = keys(11).unwrap_err().to_string();
    assert!(message.starts_with("the payload has 11 keys, and GitHub takes at most 10: \"k0\", "));
    // 8 characters are around the text, and an é is one character of two bytes.
    let large = |count: usize| parsed(&format!("{{\"a\": \"{}\"}}", "é".repeat(count - 8))).check();
    assert_eq!(large(65_535), Ok(()));
    assert_eq!(large(65_536), Err(BadPayload::TooLarge(65_536)));
    // What is left out does not count.
    let spaced = format!("{{{} \"a\": 1}}", " ".repeat(70_000));
    assert_eq!(parsed(&spaced).check(), Ok(()));
}

#[test]
fn a_dispatch_id_is_text() {
    assert_eq!(parsed(r#"{"dispatch_id": "x"}"#).dispatch_id().as_deref(), Some("x"));
    for none in ["7", "null", r#""""#, r#""  ""#] {
        assert_eq!(parsed(&format!(r#"{{"dispatch_id": {none}}}"#)).dispatch_id(), None, "{none}");
    }
    assert_eq!(parsed("{}").dispatch_id(), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(".{0,6}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_object_comes_out_as_it_went_in(map in prop::collection::hash_map(".{0,6}", any_json(), 0..9)) {
        let value = Value::Object(map.into_iter().collect());
        let payload = parsed(&serde_json::to_string_pretty(&value).unwrap());
        prop_assert_eq!(serde_json::from_str::<Value>(&payload.json()).unwrap(), value);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[{}\\[\\]\",:0-9a\\\\u ]{0,40}") {
        let _ = Payload::parse("x", &bytes);
        if let Ok(payload) = Payload::parse("x", text.as_bytes()) {
            prop_assert!(serde_json::from_str::<Value>(&payload.json()).is_ok_and(|it| it.is_object()));
        }
    }
}
