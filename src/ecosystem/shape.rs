//! From the JSON tree to the raw types: which keys are there, and whether each value is of the type
//! that its key takes. It goes on after each error, and looks into no value's meaning.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged as _;

use super::raw::{COUSIN_KEYS, FILE_KEYS, OBJECT_LIST, RawCousin, RawFile, RawObject};
use crate::document::{Code, Finding, Findings, Reader, opening};

const MINIMAL: &str = r#"write [{"repo": "owner/name", "subscriptions": ["path/to/feature"]}]"#;

/// Returns what could be read of the file; what could not goes to `findings`.
pub(super) fn read<'t>(root: Value<'t>, findings: &mut Findings<'_>) -> RawFile<'t> {
    let mut reader = Reader::new(findings);
    match root {
        Value::Array(array) => RawFile::List(reader.cousins(array.elements)),
        Value::Object(object) => RawFile::Object(reader.file(object)),
        other => {
            reader.wrong_type(&other, reader.at, "the file", "an array of cousins", MINIMAL);
            RawFile::List(Vec::new())
        }
    }
}

/// A list of cousins.
impl<'t> Reader<'t, '_, '_> {
    fn file(&mut self, object: Object<'t>) -> RawObject<'t> {
        let brace = opening(&object);
        if object.get("cousins").is_none() && object.get("repo").is_some() {
            self.error(Code::WrongType, brace, self.at, || {
                Finding::new(
                    "the file is a single cousin, and must be an array of cousins",
                    "put [ before it and ] behind it",
                )
            });
            return RawObject { _schema: None, cousins: Vec::new() };
        }
        let ([schema, cousins], guessed) = self.members(object, FILE_KEYS);
        let _schema = schema.and_then(|value| self.text(value, "$schema"));
        if cousins.is_none() && !guessed.contains(&"cousins") {
            self.missing("cousins", brace, "add \"cousins\": [ … ]");
        }
        let cousins = cousins.and_then(|value| self.array(value, "cousins", "an array of cousins"));
        self.at.list = OBJECT_LIST;
        RawObject {
            _schema,
            cousins: cousins.map_or_else(Vec::new, |array| self.cousins(array.value)),
        }
    }

    fn cousins(&mut self, elements: Vec<Value<'t>>) -> Vec<RawCousin<'t>> {
        let mut cousins = Vec::new();
        let mut unread = 0;
        for (index, element) in elements.into_iter().enumerate() {
            self.at.entry = Some(index);
            self.repo = None;
            self.findings.cousin(element.range().into());
            match element {
                Value::Object(object) => cousins.push(self.cousin(object, index)),
                other => {
                    let help = "write {\"repo\": \"owner/name\", \"subscriptions\": [ … ]}";
                    self.wrong_type(&other, self.at, "a cousin", "an object", help);
                    unread += 1;
                    // As with findings, more of them are of no use to anybody.
                    if unread <= Findings::KEPT {
                        cousins.push(RawCousin { index, ..RawCousin::default() });
                    }
                }
            }
        }
        cousins
    }

    fn cousin(&mut self, object: Object<'t>, index: usize) -> RawCousin<'t> {
        let written = object.get_string("repo");
        self.repo = written.map(|repo| repo.value.clone());
        let named = written.map_or_else(|| opening(&object), |repo| repo.range.into());
        let ([repo, subscriptions, event_type, enabled, token_env, description], guessed) =
            self.members(object, COUSIN_KEYS);
        for (key, absent, help) in [
            ("repo", repo.is_none(), "add \"repo\": \"owner/name\""),
            (
                "subscriptions",
                subscriptions.is_none(),
                "add \"subscriptions\": [\"path/to/feature\"]",
            ),
        ] {
            if absent && !guessed.contains(&key) {
                self.missing(key, named, help);
            }
        }
        RawCousin {
            repo: repo.and_then(|value| self.text(value, "repo")),
            subscriptions: subscriptions.and_then(|value| {
                self.texts(value, "subscriptions", "an array of patterns", "a subscription")
            }),
            event_type: event_type.and_then(|value| self.text(value, "event_type")),
            enabled: enabled.and_then(|value| self.flag(value, "enabled")),
            token_env: token_env.and_then(|value| self.text(value, "token_env")),
            description: description.and_then(|value| self.text(value, "description")),
            index,
        }
    }
}
