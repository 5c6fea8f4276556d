//! From the JSON tree to the raw types: which keys are there, and whether each value is of the type
//! that its key takes. It goes on after each error, and looks into no value's meaning.

use std::borrow::Cow;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;

use super::raw::{COUSIN_KEYS, FILE_KEYS, OBJECT_LIST, RawCousin, RawFile, RawObject, Text};
use crate::document::Findings;
use crate::document::{Code, Finding, Pointer};
use crate::document::{Located, Span};
use crate::text;

/// Longer keys are no slip of the pen, and comparing costs their length.
const MAX_SUGGESTED_KEY: usize = 40;

const MINIMAL: &str = r#"write [{"repo": "owner/name", "subscriptions": ["path/to/feature"]}]"#;
const QUOTES: &str = "write text between double quotes";

/// Returns what could be read of the file; what could not goes to `findings`.
pub(super) fn read<'t>(root: Value<'t>, findings: &mut Findings<'_>) -> RawFile<'t> {
    let mut reader = Reader { findings, at: Pointer::default(), repo: None };
    match root {
        Value::Array(array) => RawFile::List(reader.cousins(array.elements)),
        Value::Object(object) => RawFile::Object(reader.file(object)),
        other => {
            reader.wrong_type(&other, reader.at, "the file", "an array of cousins", MINIMAL);
            RawFile::List(Vec::new())
        }
    }
}

/// Reads values of the wanted type; knows where in the tree it stands.
struct Reader<'t, 'f, 'l> {
    findings: &'f mut Findings<'l>,
    /// The file or the cousin that is being read.
    at: Pointer<'static>,
    /// The `repo` of that cousin, as written.
    repo: Option<Cow<'t, str>>,
}

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
            self.at.cousin = Some(index);
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
            subscriptions: subscriptions.and_then(|value| self.subscriptions(value)),
            event_type: event_type.and_then(|value| self.text(value, "event_type")),
            enabled: enabled.and_then(|value| self.flag(value, "enabled")),
            token_env: token_env.and_then(|value| self.text(value, "token_env")),
            description: description.and_then(|value| self.text(value, "description")),
            index,
        }
    }

    /// Returns the value of each key, and the keys that an unknown one was probably meant to be.
    fn members<const N: usize>(
        &mut self,
        object: Object<'t>,
        keys: [&'static str; N],
    ) -> ([Option<Value<'t>>; N], Vec<&'static str>) {
        let mut values = [const { None }; N];
        let mut places = [Span::at(0); N];
        let mut guessed = Vec::new();
        for ObjectProp { name, value, .. } in object.properties {
            let span = Span::from(name.range());
            let name = name.into_string();
            let value_span = Span::from(value.range());
            let known = keys.iter().position(|key| *key == name);
            let slot = known.and_then(|at| values.get_mut(at).zip(places.get_mut(at)));
            match slot {
                Some((slot @ None, place)) => (*slot, *place) = (Some(value), span),
                Some((Some(_), place)) => {
                    let first = *place;
                    self.hide_if_secret(&name, value_span);
                    self.error(Code::Syntax, span, self.at.key(&name), || {
                        Finding::new(
                            format!("the key \"{name}\" is given more than once in an object"),
                            "keep one of them",
                        )
                        .related(first, "first given here")
                    });
                }
                None => {
                    self.hide_if_secret(&name, value_span);
                    guessed.extend(self.unknown(&name, span, &keys));
                }
            }
        }
        (values, guessed)
    }

    /// Reports a key that is not one of `keys`; returns the one that was probably meant.
    fn unknown(&mut self, name: &str, span: Span, keys: &[&'static str]) -> Option<&'static str> {
        let short = name.len() <= MAX_SUGGESTED_KEY;
        let meant = if short { text::nearest(name, keys.iter().copied()) } else { None };
        self.error(Code::UnknownKey, span, self.at.key(name), || {
            let help = match meant {
                Some(key) => format!("did you mean \"{key}\"?"),
                None if name.eq_ignore_ascii_case("token") => {
                    "name the environment variable that holds the token: \"token_env\"".to_owned()
                }
                None => format!("the keys here are {}", keys.join(", ")),
            };
            Finding::new(format!("the key {} is not known", text::quoted(name)), help)
        });
        meant
    }

    fn subscriptions(&mut self, value: Value<'t>) -> Option<Located<Vec<Option<Text<'t>>>>> {
        let Located { value: elements, span } =
            self.array(value, "subscriptions", "an array of patterns")?;
        let at = self.at.key("subscriptions");
        let patterns = elements.into_iter().enumerate().map(|(item, element)| match element {
            Value::StringLit(text) => Some(Located { span: text.range.into(), value: text.value }),
            other => {
                self.wrong_type(&other, at.item(item), "a subscription", "a string", QUOTES);
                None
            }
        });
        Some(Located { value: patterns.collect(), span })
    }

    fn text(&mut self, value: Value<'t>, key: &'static str) -> Option<Text<'t>> {
        match value {
            Value::StringLit(text) => Some(Located { span: text.range.into(), value: text.value }),
            other => {
                self.wrong_type(
                    &other,
                    self.at.key(key),
                    &format!("\"{key}\""),
                    "a string",
                    QUOTES,
                );
                None
            }
        }
    }

    fn flag(&mut self, value: Value<'t>, key: &'static str) -> Option<Located<bool>> {
        match value {
            Value::BooleanLit(flag) => Some(Located { span: flag.range.into(), value: flag.value }),
            other => {
                let help = "write true or false, without quotes";
                self.wrong_type(
                    &other,
                    self.at.key(key),
                    &format!("\"{key}\""),
                    "true or false",
                    help,
                );
                None
            }
        }
    }

    fn array(
        &mut self,
        value: Value<'t>,
        key: &'static str,
        wanted: &str,
    ) -> Option<Located<Vec<Value<'t>>>> {
        match value {
            Value::Array(array) => {
                Some(Located { span: array.range.into(), value: array.elements })
            }
            other => {
                let help = "put it between [ and ]";
                self.wrong_type(&other, self.at.key(key), &format!("\"{key}\""), wanted, help);
                None
            }
        }
    }

    fn wrong_type(
        &mut self,
        found: &Value<'t>,
        at: Pointer<'_>,
        what: &str,
        wanted: &str,
        help: &str,
    ) {
        let kind = match found {
            Value::StringLit(_) => "a string",
            Value::NumberLit(_) => "a number",
            Value::BooleanLit(flag) if flag.value => "true",
            Value::BooleanLit(_) => "false",
            Value::Object(_) => "an object",
            Value::Array(_) => "an array",
            Value::NullKeyword(_) => "null",
        };
        self.hide_if_secret(at.key.unwrap_or_default(), found.range().into());
        self.error(Code::WrongType, found.range().into(), at, || {
            Finding::new(format!("{what} must be {wanted}, not {kind}"), help)
        });
    }

    /// Keeps a value that is not looked into, but may be a token by its key, out of what is shown.
    fn hide_if_secret(&mut self, key: &str, value: Span) {
        let key = key.to_ascii_lowercase();
        if key == "pat" || ["token", "secret", "password"].iter().any(|word| key.contains(word)) {
            self.findings.hide(value);
        }
    }

    fn missing(&mut self, key: &str, span: Span, help: &str) {
        self.error(Code::MissingKey, span, self.at, || {
            Finding::new(format!("the key \"{key}\" is missing"), help)
        });
    }

    fn error(
        &mut self,
        code: Code,
        span: Span,
        at: Pointer<'_>,
        finding: impl FnOnce() -> Finding,
    ) {
        let repo = self.repo.as_deref();
        self.findings.error(code, span, || finding().pointer(at).repo(repo));
    }
}

fn opening(object: &Object<'_>) -> Span {
    Span { start: object.range.start, end: object.range.start + 1 }
}
