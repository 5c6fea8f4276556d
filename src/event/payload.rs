//! A `client_payload` of somebody's own, for `ecosystem send`: read strictly, put together of a JSON
//! object, of fields and of what the run's context adds, and held to GitHub's limits before
//! anything is sent. Pure.
//!
//! What goes out is what was written, without the white space: keys keep their order and numbers
//! their digits. What a reader would silently take for something else is an error here: a key given
//! twice, a number that floating point does not hold.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use jsonc_parser::ast::{Object, ObjectProp, ObjectPropName, Value};
use jsonc_parser::common::Ranged as _;

use super::MAX_CHARACTERS;
use crate::document::{Code, Diagnosis, Document, Finding, Findings, LineIndex, Span, Words};
use crate::names::EventType;
use crate::text;

/// The most keys at the top of a `client_payload`. Source: GitHub's REST documentation of "Create a
/// repository dispatch event".
const MAX_KEYS: usize = 10;

/// The words of a payload.
static WORDS: Words = WORDS_OF_ALL;

const WORDS_OF_ALL: Words = Words {
    name: "the payload",
    content: "the JSON",
    minimal: r#"the smallest payload is {}; write {"key": "value"}"#,
    shorten: "GitHub takes 65,535 characters: send a reference (an address, an artifact's name)",
    one_value: "a payload is one value: remove what follows it",
    comment: "remove it: receivers read JSON only",
    number: "a number has digits, and no 0 before them; put text between double quotes",
    deep: "receivers may not read that; look for a bracket that is not closed",
    rest: "mend these, and they are shown",
    backslash: "write a backslash itself as \\\\",
};

/// The words of a field's value.
static FIELD_WORDS: Words = Words {
    name: "the value",
    content: "the JSON",
    minimal: "after := stands JSON: a number, true, null, [ … ], { … }; text comes after = alone",
    one_value: "a field has one value: remove what follows it",
    number: "a number has digits, and no 0 before them; text comes after = alone",
    ..WORDS_OF_ALL
};

/// Why a payload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPayload {
    /// Not the JSON that is needed, each fault with its place.
    #[error("{0}")]
    Json(Box<Diagnosis>),
    /// A field without a key or a value.
    #[error("{} is not a field", text::quoted(.0))]
    NotAField(String),
    /// A key that was given in two places.
    #[error("the key {} is given twice: by {first} and by {second}", text::quoted(.key))]
    Twice {
        /// The key.
        key: String,
        /// Where it was given first.
        first: Origin,
        /// Where it was given again.
        second: Origin,
    },
    /// More keys at the top than GitHub takes.
    #[error("the payload has {} keys, and GitHub takes at most {MAX_KEYS}: {}", .0.len(), named(.0))]
    TooManyKeys(Vec<String>),
    /// More characters than GitHub takes.
    #[error(
        "the payload has {0} characters as compact JSON, and GitHub takes at most {MAX_CHARACTERS}"
    )]
    TooLarge(usize),
}

impl BadPayload {
    /// Returns what to do next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Json(_) => "nothing was sent",
            Self::NotAField(_) => "write key=text, or key:=JSON for a number, a list or an object",
            Self::Twice { .. } => "give each key once",
            Self::TooManyKeys(_) => "put some of them into an object below one key",
            Self::TooLarge(_) => {
                "send a reference (an address, an artifact's name) in place of the content"
            }
        }
    }
}

fn named(keys: &[String]) -> String {
    let keys: Vec<String> = keys.iter().take(20).map(|key| text::quoted(key)).collect();
    keys.join(", ")
}

/// Where a key of the payload was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a JSON object: `--payload`, or the name of a file.
    Document(String),
    /// As a field.
    Field,
    /// By the run's context.
    Context,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(name) => f.write_str(name),
            Self::Field => f.write_str("--field"),
            Self::Context => f.write_str("--with-context"),
        }
    }
}

/// One key at the top with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    key: String,
    /// Compact JSON.
    value: String,
    origin: Origin,
}

/// A `client_payload`: keys with values, in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload {
    members: Vec<Member>,
}

impl Payload {
    /// Returns the payload in a JSON object; `name` says where it comes from, for messages.
    ///
    /// # Errors
    /// [`BadPayload::Json`] with every fault and its place.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, BadPayload> {
        let members = read(&WORDS, name, bytes, |value, reader| match value {
            Value::Object(object) => {
                let members = reader.members(object, |reader, value| reader.compact(value));
                Some(members)
            }
            other => {
                reader.no_object(other);
                None
            }
        })?;
        let origin = Origin::Document(name.to_owned());
        let member = |(key, value)| Member { key, value, origin: origin.clone() };
        Ok(Self { members: members.into_iter().map(member).collect() })
    }

    /// Adds a field as it is written on a command line: `key=text`, or `key:=JSON`. Whichever of the
    /// two comes first in it separates.
    ///
    /// # Errors
    /// No key, no separator, JSON that is none, or a key that is there already.
    pub fn field(&mut self, written: &str) -> Result<(), BadPayload> {
        let not_a_field = || BadPayload::NotAField(written.to_owned());
        let (key, value) = written.split_once('=').ok_or_else(not_a_field)?;
        let (key, value) = match key.strip_suffix(':') {
            None => (key, Ok(string(value))),
            Some(key) => (key, json(key, value)),
        };
        if key.is_empty() {
            return Err(not_a_field());
        }
        let (key, value) = (key.to_owned(), value?);
        match self.member(&key) {
            Some(Member { origin, .. }) => {
                Err(BadPayload::Twice { key, first: origin.clone(), second: Origin::Field })
            }
            None => {
                self.members.push(Member { key, value, origin: Origin::Field });
                Ok(())
            }
        }
    }

    /// Adds what the run's context tells, unless the key is there: what was given is meant.
    pub fn context(&mut self, key: &str, value: Option<&str>) {
        if self.member(key).is_none() {
            let value = value.map_or_else(|| "null".to_owned(), string);
            self.members.push(Member { key: key.to_owned(), value, origin: Origin::Context });
        }
    }

    /// Checks that GitHub takes it: at most 10 keys at the top, fewer than 64 KB. Source: GitHub's
    /// REST documentation of "Create a repository dispatch event".
    ///
    /// # Errors
    /// Says which limit it passes, and by how much.
    pub fn check(&self) -> Result<(), BadPayload> {
        if self.members.len() > MAX_KEYS {
            let keys = self.members.iter().map(|member| member.key.clone()).collect();
            return Err(BadPayload::TooManyKeys(keys));
        }
        let characters = self.json().chars().count();
        if characters > MAX_CHARACTERS {
            return Err(BadPayload::TooLarge(characters));
        }
        Ok(())
    }

    /// Returns it as compact JSON.
    #[must_use]
    pub fn json(&self) -> String {
        object(self.members.iter().map(|member| (member.key.as_str(), member.value.as_str())))
    }

    /// Returns the body of the request that sends it.
    #[must_use]
    pub fn body(&self, event_type: &EventType) -> String {
        let event_type = string(event_type.as_str());
        object([("event_type", event_type.as_str()), ("client_payload", self.json().as_str())])
    }

    /// Returns its `dispatch_id`, where it has one, as text and not empty: by it a receiver knows a
    /// repeat, and a run that names it is known to be the event's.
    #[must_use]
    pub fn dispatch_id(&self) -> Option<String> {
        let id: String = serde_json::from_str(&self.member("dispatch_id")?.value).ok()?;
        (!id.trim().is_empty()).then_some(id)
    }

    fn member(&self, key: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.key == key)
    }
}

fn json(key: &str, value: &str) -> Result<String, BadPayload> {
    let name = format!("--field {key}");
    read(&FIELD_WORDS, &name, value.as_bytes(), |value, reader| Some(reader.compact(value)))
}

/// Reads one JSON text.
fn read<T>(
    words: &'static Words,
    name: &str,
    bytes: &[u8],
    take: impl FnOnce(&Value<'_>, &mut Reader<'_, '_>) -> Option<T>,
) -> Result<T, BadPayload> {
    let refused = |diagnosis| BadPayload::Json(Box::new(diagnosis));
    let document = Document::decode(words, name, bytes).map_err(refused)?;
    let lines: LineIndex<'_> = document.lines();
    let mut findings = Findings::new(&lines);
    let tree = document.tree(&lines, &mut findings);
    let taken = tree.and_then(|tree| take(&tree, &mut Reader { findings: &mut findings }));
    match taken {
        Some(taken) if !findings.any_error() => Ok(taken),
        _ => Err(refused(document.diagnosis(findings))),
    }
}

/// Writes a JSON tree anew, and reports what must not go out.
struct Reader<'f, 'l> {
    findings: &'f mut Findings<'l>,
}

impl Reader<'_, '_> {
    /// Returns a value as compact JSON. How deep it nests was looked at before.
    fn compact(&mut self, value: &Value<'_>) -> String {
        match value {
            Value::StringLit(written) => string(&written.value),
            Value::NumberLit(number) => {
                self.number(number.value, number.range().into());
                number.value.to_owned()
            }
            Value::BooleanLit(written) => written.value.to_string(),
            Value::NullKeyword(_) => "null".to_owned(),
            Value::Array(array) => {
                let items: Vec<String> =
                    array.elements.iter().map(|item| self.compact(item)).collect();
                format!("[{}]", items.join(","))
            }
            Value::Object(written) => {
                let members = self.members(written, |reader, value| reader.compact(value));
                object(members.iter().map(|(key, value)| (key.as_str(), value.as_str())))
            }
        }
    }

    /// Returns the keys of an object with what `take` makes of their values.
    fn members<T>(
        &mut self,
        written: &Object<'_>,
        mut take: impl FnMut(&mut Self, &Value<'_>) -> T,
    ) -> Vec<(String, T)> {
        let mut known = std::collections::HashMap::new();
        let mut members = Vec::with_capacity(written.properties.len());
        for ObjectProp { name, value, .. } in &written.properties {
            let key: Cow<'_, str> = match name {
                ObjectPropName::String(name) => name.value.clone(),
                ObjectPropName::Word(name) => Cow::Borrowed(name.value),
            };
            let span: Span = name.range().into();
            if let Some(first) = known.insert(key.clone(), span) {
                self.findings.error(Code::Syntax, span, || {
                    let message = format!("the key {} is given twice", text::quoted(&key));
                    Finding::new(message, "give each key once: readers would take either of them")
                        .related(first, "first here")
                });
            }
            members.push((key.into_owned(), take(self, value)));
        }
        members
    }

    /// Reports a number that readers would take for another one: nearly all of them, GitHub's
    /// expressions too, count in IEEE 754 double precision (RFC 8259, section 6).
    fn number(&mut self, written: &str, span: Span) {
        let Some(taken_for) = taken_for(written) else { return };
        self.findings.error(Code::Syntax, span, || {
            Finding::new(
                format!("readers of JSON would take this number for {taken_for}"),
                "put it between double quotes: text comes out as it is written",
            )
        });
    }

    fn no_object(&mut self, value: &Value<'_>) {
        let found = match value {
            Value::StringLit(_) => "a string",
            Value::NumberLit(_) => "a number",
            Value::BooleanLit(_) => "true or false",
            Value::NullKeyword(_) => "null",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        let start = value.range().start;
        self.findings.error(Code::WrongType, Span { start, end: start + 1 }, || {
            Finding::new(
                format!("a client_payload is a JSON object, and this is {found}"),
                "put it below a key: {\"key\": …}",
            )
        });
    }
}

/// Returns what a reader in double precision takes a number for, unless it is the same. Of a fraction
/// the last digits may be rounded: nobody counts with them.
fn taken_for(written: &str) -> Option<String> {
    let value: f64 = written.parse().ok()?;
    if value.is_infinite() {
        return Some("infinity, or refuse it".to_owned());
    }
    let meant = Decimal::read(written);
    // The shortest that leads back to the same number, which is what readers write.
    let taken = Decimal::read(&format!("{value:e}"));
    let lost = taken.digits.is_empty() && !meant.digits.is_empty();
    let differs = meant.exponent >= 0 && taken != meant;
    (lost || differs)
        .then(|| if value.abs() < 1e30 { format!("{value}") } else { format!("{value:e}") })
}

/// A decimal number: its digits without zeros at the ends, times ten to the `exponent`.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Returns a number of JSON, or as Rust writes it; its sign is left out.
    fn read(written: &str) -> Self {
        let (mantissa, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
        // What is longer than any number has been found to be infinite, or is nothing.
        let exponent: i64 = exponent.parse().unwrap_or(i64::from(i32::MIN));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
        let significant = digits.trim_end_matches('0');
        let zeros = i64::try_from(digits.len() - significant.len()).unwrap_or_default();
        let behind = i64::try_from(fraction.len()).unwrap_or_default();
        let digits = significant.trim_start_matches('0').to_owned();
        let exponent = if digits.is_empty() { 0 } else { exponent - behind + zeros };
        Self { digits, exponent }
    }
}

/// Returns a string as JSON.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns an object as compact JSON, of keys and of values that are JSON.
fn object<'m>(members: impl IntoIterator<Item = (&'m str, &'m str)>) -> String {
    let mut out = String::from("{");
    for (key, value) in members {
        let comma = if out.len() > 1 { "," } else { "" };
        let _ = write!(out, "{comma}{}:{value}", string(key));
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests;
