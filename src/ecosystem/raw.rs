//! The shape of `ecosystem.json`: which keys there are and of which JSON type, with the place of
//! each value. The JSON Schema for editors is derived from these types, so that what an editor
//! accepts is what is read here. Whether a value makes sense is for `validate` to say.

use std::borrow::Cow;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use schemars::JsonSchema;

use super::diagnostic::{Code, Finding, Findings, Pointer};
use super::locate::{Located, Span};
use crate::names::EventType;
use crate::text;

/// The keys of a cousin, in the order in which they are listed to people.
const COUSIN_KEYS: [&str; 6] =
    ["repo", "subscriptions", "event_type", "enabled", "token_env", "description"];

/// The keys of the object form.
const FILE_KEYS: [&str; 2] = ["$schema", "cousins"];

/// Longer keys are no slip of the pen, and comparing costs their length.
const MAX_SUGGESTED_KEY: usize = 40;

/// The JSON pointer of the list in the object form.
const OBJECT_LIST: &str = "/cousins";

const MINIMAL: &str = r#"write [{"repo": "owner/name", "subscriptions": ["path/to/feature"]}]"#;
const QUOTES: &str = "write text between double quotes";

pub(super) type Text<'t> = Located<Cow<'t, str>>;

/// The repositories that follow this monorepo, and what each of them follows.
#[derive(Debug, JsonSchema)]
#[schemars(title = "ecosystem.json", untagged)]
pub(super) enum RawFile<'t> {
    /// The cousins themselves.
    List(Vec<RawCousin<'t>>),
    /// The cousins, with the schema by which editors check them.
    Object(RawObject<'t>),
}

/// The form that editors can check.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "File", deny_unknown_fields)]
pub(super) struct RawObject<'t> {
    /// Where the JSON Schema of this file is. Only editors read it.
    #[schemars(rename = "$schema", with = "String", default)]
    pub(super) _schema: Option<Text<'t>>,
    /// The cousins, each repository once.
    pub(super) cousins: Vec<RawCousin<'t>>,
}

/// A downstream repository, and what it wants to hear of.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Cousin", deny_unknown_fields)]
pub(super) struct RawCousin<'t> {
    /// The repository as `owner/name`. Each is listed once, without regard to case.
    #[schemars(
        with = "String",
        regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]{1,100}$"),
        extend("not" = { "pattern": r"(/\.{1,2}|\.[Gg][Ii][Tt])$" })
    )]
    pub(super) repo: Option<Text<'t>>,
    /// Patterns of what it follows, as `features/*`. `!pattern` excludes; the last match decides.
    #[schemars(with = "Vec<String>", length(min = 1), inner(length(min = 1)))]
    pub(super) subscriptions: Option<Located<Vec<Option<Text<'t>>>>>,
    /// The event type that the repository's workflow lists under `types:`.
    #[schemars(
        with = "String",
        default,
        length(min = 1, max = 100),
        extend("default" = EventType::DEFAULT)
    )]
    pub(super) event_type: Option<Text<'t>>,
    /// False: listed and validated, but nothing is dispatched (for a staged rollout).
    #[schemars(with = "bool", default, extend("default" = true))]
    pub(super) enabled: Option<Located<bool>>,
    /// The name of the environment variable that holds this repository's own token. Never a token.
    #[schemars(with = "String", default, regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub(super) token_env: Option<Text<'t>>,
    /// A remark for people.
    #[schemars(with = "String", default)]
    pub(super) description: Option<Text<'t>>,
    /// Its position in the list, counted with the entries that could not be read.
    #[schemars(skip)]
    pub(super) index: usize,
}

impl<'t> RawFile<'t> {
    /// Returns what could be read of the file; what could not goes to `findings`.
    pub(super) fn read(root: Value<'t>, findings: &mut Findings<'_>) -> Self {
        let mut reader = Reader { findings, at: Pointer::default(), repo: None };
        match root {
            Value::Array(array) => Self::List(reader.cousins(array.elements)),
            Value::Object(object) => Self::Object(reader.file(object)),
            other => {
                reader.wrong_type(&other, reader.at, "the file", "an array of cousins", MINIMAL);
                Self::List(Vec::new())
            }
        }
    }

    /// Returns the JSON pointer of the list of cousins, and the cousins.
    pub(super) fn into_cousins(self) -> (&'static str, Vec<RawCousin<'t>>) {
        match self {
            Self::List(cousins) => ("", cousins),
            Self::Object(object) => (OBJECT_LIST, object.cousins),
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
        for (index, element) in elements.into_iter().enumerate() {
            self.at.cousin = Some(index);
            self.repo = None;
            match element {
                Value::Object(object) => cousins.push(self.cousin(object, index)),
                other => self.wrong_type(
                    &other,
                    self.at,
                    "a cousin",
                    "an object",
                    "write {\"repo\": \"owner/name\", \"subscriptions\": [ … ]}",
                ),
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    #[test]
    fn the_schema_and_the_reader_know_the_same_keys() {
        let schema: serde_json::Value = serde_json::from_str(&crate::ecosystem::schema()).unwrap();
        let keys = |name: &str| {
            let definition = &schema["definitions"][name];
            assert_eq!(definition["additionalProperties"], false);
            let keys = definition["properties"].as_object().unwrap().keys();
            let mut keys: Vec<String> = keys.cloned().collect();
            keys.sort();
            keys
        };
        for (name, known) in [("Cousin", &super::COUSIN_KEYS[..]), ("File", &super::FILE_KEYS)] {
            let mut known = known.to_vec();
            known.sort_unstable();
            assert_eq!(keys(name), known);
        }
        let cousin = &schema["definitions"]["Cousin"];
        assert_eq!(cousin["required"], serde_json::json!(["repo", "subscriptions"]));
    }
}
