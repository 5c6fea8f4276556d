//! The body of `POST …/dispatches`: what GitHub takes, and in which words it refuses the rest.
//! Pure: bytes in, a dispatch or the refusal out.
//!
//! The words of the 422 answers are those of the JSON Schema checker that GitHub runs ("Invalid
//! request." and then one line a problem), as people quote them in public issues.

use serde_json::{Map, Value};

use super::answer::{Answer, DISPATCH_DOCS};

/// The longest `event_type`, in characters. Source: REST documentation of the endpoint.
const EVENT_TYPE_CHARACTERS: usize = 100;
/// The most keys at the top of `client_payload`. Source: the same.
const PAYLOAD_KEYS: usize = 10;
/// The longest `client_payload`, in characters of compact JSON: "less than 64 KB".
const PAYLOAD_CHARACTERS: usize = 65_535;

/// A body that GitHub takes.
#[derive(Debug, PartialEq)]
pub(super) struct Dispatch {
    pub(super) event_type: String,
    pub(super) client_payload: Value,
}

/// Returns the dispatch in `body`, or the answer that refuses it.
pub(super) fn parse(body: &[u8]) -> Result<Dispatch, Box<Answer>> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(invalid(&["For 'links/0/schema', nil is not an object.".to_owned()]));
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Err(Box::new(Answer::error(400, "Problems parsing JSON", DISPATCH_DOCS)));
    };
    let Value::Object(mut fields) = value else {
        return Err(Box::new(Answer::error(400, "Body should be a JSON object", DISPATCH_DOCS)));
    };
    let problems = problems(&fields);
    if !problems.is_empty() {
        return Err(invalid(&problems));
    }
    let client_payload =
        fields.remove("client_payload").unwrap_or_else(|| Value::Object(Map::new()));
    if client_payload.to_string().chars().count() > PAYLOAD_CHARACTERS {
        return Err(Box::new(Answer::error(422, "client_payload is too large.", DISPATCH_DOCS)));
    }
    match fields.remove("event_type") {
        Some(Value::String(event_type)) => Ok(Dispatch { event_type, client_payload }),
        _ => Err(invalid(&["\"event_type\" wasn't supplied.".to_owned()])),
    }
}

fn invalid(problems: &[String]) -> Box<Answer> {
    let message = format!("Invalid request.\n\n{}", problems.join("\n"));
    Box::new(Answer::error(422, message, DISPATCH_DOCS))
}

/// Returns one line for each rule that the fields break.
fn problems(fields: &Map<String, Value>) -> Vec<String> {
    let mut problems = Vec::new();
    let unknown: Vec<String> = fields
        .keys()
        .filter(|key| !["event_type", "client_payload"].contains(&key.as_str()))
        .map(|key| format!("{key:?}"))
        .collect();
    match unknown.as_slice() {
        [] => {}
        [one] => problems.push(format!("{one} is not a permitted key.")),
        many => problems.push(format!("{} are not permitted keys.", many.join(", "))),
    }
    match fields.get("event_type") {
        None => problems.push("\"event_type\" wasn't supplied.".to_owned()),
        Some(Value::String(text)) => problems.extend(length_problem(text.chars().count())),
        Some(other) => problems
            .push(format!("For 'properties/event_type', {} is not a string.", inspected(other))),
    }
    match fields.get("client_payload") {
        None => {}
        Some(Value::Object(payload)) if payload.len() > PAYLOAD_KEYS => problems.push(format!(
            "No more than {PAYLOAD_KEYS} properties are allowed; {} were supplied.",
            payload.len()
        )),
        Some(Value::Object(_)) => {}
        Some(other) => problems.push(format!(
            "For 'properties/client_payload', {} is not an object.",
            inspected(other)
        )),
    }
    problems
}

/// GitHub's schema asks for 1 to 100 characters.
fn length_problem(characters: usize) -> Option<String> {
    match characters {
        0 => Some("At least 1 character is required; only 0 were supplied.".to_owned()),
        1..=EVENT_TYPE_CHARACTERS => None,
        many => Some(format!(
            "Only {EVENT_TYPE_CHARACTERS} characters are allowed; {many} were supplied."
        )),
    }
}

/// Returns the value as GitHub's messages show it, which is Ruby's way.
fn inspected(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    fn refusal(body: impl AsRef<[u8]>) -> (u16, String) {
        let answer = parse(body.as_ref()).unwrap_err();
        (answer.status, answer.message().unwrap_or_default().to_owned())
    }

    fn payload_of(characters: usize) -> String {
        let overhead = r#"{"a":""}"#.len();
        let text = "é".repeat(characters - overhead);
        json!({"event_type": "e", "client_payload": {"a": text}}).to_string()
    }

    #[test]
    fn what_github_takes_is_taken() {
        let ten: Map<String, Value> = (0..10).map(|n| (format!("k{n}"), json!(n))).collect();
        let longest = "é".repeat(100);
        for (body, event_type, payload) in [
            (json!({"event_type": "e"}), "e", json!({})),
            (json!({"event_type": "e", "client_payload": {"a": [1]}}), "e", json!({"a": [1]})),
            (json!({"event_type": "e", "client_payload": ten}), "e", json!(ten)),
            (json!({"event_type": longest}), longest.as_str(), json!({})),
        ] {
            let dispatch = parse(body.to_string().as_bytes()).unwrap();
            assert_eq!(dispatch.event_type, event_type);
            assert_eq!(dispatch.client_payload, payload);
        }
    }

    #[test]
    fn every_refusal_is_in_githubs_words() {
        let eleven: Map<String, Value> = (0..11).map(|n| (format!("k{n}"), json!(n))).collect();
        let invalid = |line: &str| format!("Invalid request.\n\n{line}");
        for (body, status, message) in [
            (
                json!({"client_payload": {}}).to_string(),
                422,
                invalid("\"event_type\" wasn't supplied."),
            ),
            (
                json!({"event_type": "x".repeat(101)}).to_string(),
                422,
                invalid("Only 100 characters are allowed; 101 were supplied."),
            ),
            (
                json!({"event_type": ""}).to_string(),
                422,
                invalid("At least 1 character is required; only 0 were supplied."),
            ),
            (
                json!({"event_type": 5}).to_string(),
                422,
                invalid("For 'properties/event_type', 5 is not a string."),
            ),
            (
                json!({"event_type": "e", "client_payload": "{\"a\":1}"}).to_string(),
                422,
                invalid("For 'properties/client_payload', \"{\\\"a\\\":1}\" is not an object."),
            ),
            (
                json!({"event_type": "e", "client_payload": null}).to_string(),
                422,
                invalid("For 'properties/client_payload', nil is not an object."),
            ),
            (
                json!({"event_type": "e", "client_payload": eleven}).to_string(),
                422,
                invalid("No more than 10 properties are allowed; 11 were supplied."),
            ),
            (
                json!({"type": "e"}).to_string(),
                422,
                invalid("\"type\" is not a permitted key.\n\"event_type\" wasn't supplied."),
            ),
            (
                json!({"event_type": "e", "b": 1, "a": 2}).to_string(),
                422,
                invalid("\"a\", \"b\" are not permitted keys."),
            ),
            (String::new(), 422, invalid("For 'links/0/schema', nil is not an object.")),
            ("{\"event_type\":".to_owned(), 400, "Problems parsing JSON".to_owned()),
            ("[".repeat(100_000), 400, "Problems parsing JSON".to_owned()),
            ("[]".to_owned(), 400, "Body should be a JSON object".to_owned()),
        ] {
            assert_eq!(refusal(&body), (status, message), "{}", body.get(..40).unwrap_or(&body));
        }
        assert_eq!(refusal(b"{\"event_type\":\"\xff\"}").0, 400);
    }

    #[test]
    fn a_payload_is_too_large_from_65536_characters_on() {
        assert!(parse(payload_of(65_535).as_bytes()).is_ok());
        let refused = refusal(payload_of(65_536));
        assert_eq!(refused, (422, "client_payload is too large.".to_owned()));
    }
}
