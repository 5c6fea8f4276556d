//! The promises about events: what is right is taken, what is wrong is named, nothing is executed.

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::event::{Context, encode};
use crate::names::RepoName;

const SHA: &str = "8adb1edc35ae0390c8b1ff169bc8d20c649ab9d6";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn read(event: &Value) -> Result<HintOrOther, HintError> {
    Hint::from_event(event.to_string().as_bytes(), &[EventType::default()])
}

fn of(payload: Value) -> Result<Hint, HintError> {
    match read(&json!({ "action": "feature-update", "client_payload": payload }))? {
        HintOrOther::Hint(hint) => Ok(hint),
        HintOrOther::Other { event_type } => panic!("{event_type}"),
    }
}

/// Returns a good payload with one value changed.
fn with(key: &str, value: Value) -> Value {
    let mut payload = json!({
        "updated_feature": "features/webpush", "commit_sha": SHA, "dispatch_id": ID,
        "source_repository": "acme/mono"
    });
    payload[key] = value;
    payload
}

#[test]
fn an_event_of_ours_is_read_as_it_was_meant() {
    let context = Context {
        source: RepoName::parse("acme/mono").unwrap(),
        source_ref: Some("refs/heads/main".to_owned()),
        base: None,
        head: CommitSha::parse(SHA).unwrap(),
        run_url: None,
    };
    let cousin = RepoName::parse("acme/web").unwrap();
    for feature in [&b"features/webpush"[..], b"100%/a", b"a/\xff%41", b"app/[id]", b""] {
        let feature = FeaturePath::new(feature);
        let paths = std::iter::once(&b"x/\xfe"[..]);
        let event = encode(&context, &cousin, &EventType::default(), &feature, paths, 1);
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        assert_eq!(
            of(body["client_payload"].clone()),
            Ok(Hint {
                feature,
                commit: context.head.clone(),
                dispatch_id: Some(event.dispatch_id),
                source: Some("acme/mono".to_owned()),
                warnings: Vec::new(),
            })
        );
    }
}

#[test]
fn the_event_file_of_a_run_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/events/repository-dispatch.json");
    let bytes = std::fs::read(path).unwrap();
    let HintOrOther::Hint(hint) = Hint::from_event(&bytes, &[]).unwrap() else { panic!() };
    assert_eq!((hint.feature.as_bytes(), hint.commit.as_str()), (&b"docs"[..], SHA));
    assert_eq!((hint.dispatch_id, hint.source.as_deref()), (None, Some("acme/handbook")));
}

#[test]
fn what_old_senders_wrote_is_read() {
    let old = json!({ "updated_feature": "/features/webpush/", "commit_sha": SHA.to_uppercase() });
    for payload in [old.clone(), Value::from(old.to_string())] {
        let hint = of(payload).unwrap();
        assert_eq!(
            (hint.feature.as_bytes(), hint.commit.as_str()),
            (&b"features/webpush"[..], SHA)
        );
        assert_eq!((hint.dispatch_id, hint.source, hint.warnings), (None, None, Vec::new()));
    }
}

#[test]
fn an_event_of_another_type_is_not_for_us() {
    let other = json!({ "action": "deploy", "client_payload": 3 });
    assert_eq!(read(&other), Ok(HintOrOther::Other { event_type: "deploy".to_owned() }));
    assert!(Hint::from_event(other.to_string().as_bytes(), &[]).is_err());
}

#[test]
fn an_id_that_is_none_is_passed_over_with_a_warning() {
    assert_eq!(
        of(with("dispatch_id", ID.to_uppercase().into())).unwrap().dispatch_id.as_deref(),
        Some(ID)
    );
    for id in [json!("x"), json!(7), json!(""), json!(format!("{ID}0")), json!("a\n::error::b")] {
        let hint = of(with("dispatch_id", id)).unwrap();
        assert_eq!((hint.dispatch_id, hint.warnings.len()), (None, 1));
        assert!(!hint.warnings[0].contains('\n'));
    }
}

#[test]
fn what_is_missing_or_wrong_is_named_by_its_key() {
    let feature = "client_payload.updated_feature";
    let commit = "client_payload.commit_sha";
    for (key, value, named) in [
        ("updated_feature", json!(null), feature),
        ("updated_feature", json!(["a"]), feature),
        ("updated_feature", json!(""), feature),
        ("updated_feature", json!("../x"), feature),
        ("updated_feature", json!("a//b"), feature),
        ("updated_feature", json!("a\nb"), feature),
        ("updated_feature", json!("a\u{0}"), feature),
        ("updated_feature", json!("x".repeat(5000)), feature),
        ("commit_sha", json!(null), commit),
        ("commit_sha", json!(5), commit),
        ("commit_sha", json!("main"), commit),
        ("commit_sha", json!("--upload-pack=id"), commit),
        ("commit_sha", json!(format!("{SHA}\n")), commit),
        ("commit_sha", json!("0".repeat(40)), commit),
        ("commit_sha", json!(format!("$({SHA})")), commit),
        ("path_encoding", json!("base64"), "client_payload.path_encoding"),
        ("path_encoding", json!(1), "client_payload.path_encoding"),
        ("source_repository", json!(1), "client_payload.source_repository"),
        ("source_repository", json!("a/b\n"), "client_payload.source_repository"),
        ("source_repository", json!("x".repeat(301)), "client_payload.source_repository"),
    ] {
        let error = of(with(key, value.clone())).expect_err(&value.to_string());
        let said = error.to_string();
        assert!(said.contains(named), "{said}");
        assert!(!said.contains('\n') && said.len() < 600 && !error.help().is_empty(), "{said}");
    }
    let mut broken = with("path_encoding", "percent".into());
    broken["updated_feature"] = "100%".into();
    assert!(of(broken).unwrap_err().to_string().contains(feature));
    for (event, said) in [
        (json!({}), "the event has no \"action\""),
        (json!({"action": "feature-update"}), "the event has no \"client_payload\""),
        (json!({"action": 1}), "the event's \"action\" must be a string, not a number"),
        (
            json!({"action": "feature-update", "client_payload": null}),
            "the event's \"client_payload\" must be an object, not null",
        ),
        (
            json!({"action": "feature-update", "client_payload": "\"{}\""}),
            "the event's \"client_payload\" must be an object, not a string",
        ),
        (
            json!({"action": "feature-update", "client_payload": {}}),
            "the event has no \"client_payload.updated_feature\"",
        ),
        (json!([]), "the event cannot be read: it holds no JSON object"),
    ] {
        assert_eq!(read(&event).unwrap_err().to_string(), said);
    }
}

#[test]
fn a_value_that_is_given_twice_is_not_chosen_from() {
    let twice =
        format!(r#"{{"updated_feature": "a", "commit_sha": "{SHA}", "updated_feature": "b"}}"#);
    let as_object = format!(r#"{{"action": "feature-update", "client_payload": {twice}}}"#);
    let as_string = json!({ "action": "feature-update", "client_payload": twice }).to_string();
    for event in [as_object, as_string] {
        let said = Hint::from_event(event.as_bytes(), &[]).unwrap_err().to_string();
        assert!(said.contains("\"updated_feature\" is given twice"), "{said}");
    }
}

#[test]
fn text_that_a_shell_would_run_is_only_a_name() {
    for name in ["$(id)", "`id`", "-rf", "--output=x", "a;b", "${{ secrets.X }}", "a'b\"c"] {
        assert_eq!(
            of(with("updated_feature", name.into())).unwrap().feature.as_bytes(),
            name.as_bytes()
        );
    }
}

#[test]
fn too_much_is_refused_before_it_is_read() {
    assert_eq!(
        Hint::from_event(&vec![b' '; MAX_EVENT + 1], &[]),
        Err(HintError::TooLarge(MAX_EVENT + 1))
    );
    let deep = "[".repeat(1 << 20);
    assert!(Hint::from_event(deep.as_bytes(), &[]).is_err());
    assert!(of(Value::from(deep)).is_err());
}

proptest! {
    #[test]
    fn whatever_the_event_says_there_is_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        key in prop::sample::select(&["updated_feature", "commit_sha", "dispatch_id", "source_repository", "path_encoding"][..]),
        value in "\\PC{0,60}|[%0-9a-f/.]{0,50}", encoded in any::<bool>()
    ) {
        let _ = Hint::from_event(&bytes, &[]);
        let mut payload = with(key, value.into());
        if encoded {
            payload["path_encoding"] = "percent".into();
        }
        match of(payload) {
            Ok(hint) => {
                let path = hint.feature.as_bytes();
                prop_assert!(!path.starts_with(b"/") && !path.ends_with(b"/") && !path.is_empty());
                prop_assert!(path.split(|byte| *byte == b'/').all(|name| name != b".." && !name.is_empty()));
                prop_assert!(hint.dispatch_id.is_none_or(|id| id.len() == 32));
            }
            Err(error) => prop_assert!(error.to_string().starts_with("the event")),
        }
    }
}
