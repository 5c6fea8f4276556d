//! A YAML file as one JSON value, as far as tests of workflows need it: every scalar is the text
//! that it says, nothing is null, a number or a truth value.

use std::collections::BTreeMap;
use std::path::Path;

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

/// Reads a file of this repository.
pub(crate) fn read(path: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    parse(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the one document of a text.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: BTreeMap<usize, Value> = BTreeMap::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        let done = match event {
            Event::Scalar(text, _, anchor, _) => {
                let value = Value::String(text.into_owned());
                anchors.insert(anchor, value.clone());
                value
            }
            Event::Alias(anchor) => anchors[&anchor].clone(),
            Event::SequenceStart(..) => {
                open.push(Open::Sequence(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(Map::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::Sequence(items)) => Value::Array(items),
                Some(Open::Mapping(entries, None)) => Value::Object(entries),
                _ => return Err("a key has no value".to_owned()),
            },
            _ => continue,
        };
        match open.last_mut() {
            None => return Ok(done),
            Some(Open::Sequence(items)) => items.push(done),
            Some(Open::Mapping(entries, key)) => match key.take() {
                None => *key = Some(done.as_str().ok_or("a key is no text")?.to_owned()),
                Some(name) => {
                    let before = entries.insert(name.clone(), done);
                    if before.is_some() {
                        return Err(format!("the key {name} is there twice"));
                    }
                }
            },
        }
    }
    Err("there is no document".to_owned())
}

enum Open {
    Sequence(Vec<Value>),
    Mapping(Map<String, Value>, Option<String>),
}
