//! From a JSON tree to values of the wanted types: which members an object has, and whether each is
//! of the type that its key takes. What is not goes to the findings, and reading goes on. Which keys
//! there are is known to whoever reads a kind of document; no value's meaning is looked into.

use std::borrow::Cow;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged as _;

use super::diagnostic::{Code, Finding, Pointer};
use super::findings::Findings;
use super::locate::{Located, Span};
use crate::text;

/// Longer keys are no slip of the pen, and comparing costs their length.
const MAX_SUGGESTED_KEY: usize = 40;

/// What to do about text that is none of JSON's strings.
const QUOTES: &str = "write text between double quotes";

/// A string with its place.
pub(crate) type Text<'t> = Located<Cow<'t, str>>;

/// An array of strings; none stands for an element of another type.
pub(crate) type Texts<'t> = Located<Vec<Option<Text<'t>>>>;

/// Reads values of the wanted type; knows where in the tree it stands.
pub(crate) struct Reader<'t, 'f, 'l> {
    pub(crate) findings: &'f mut Findings<'l>,
    /// The file or the entry of its list that is being read.
    pub(crate) at: Pointer<'static>,
    /// The cousin that is being read, as its `repo` is written.
    pub(crate) repo: Option<Cow<'t, str>>,
}

impl<'t, 'f, 'l> Reader<'t, 'f, 'l> {
    /// Returns the reader of a whole file.
    pub(crate) fn new(findings: &'f mut Findings<'l>) -> Self {
        Self { findings, at: Pointer::default(), repo: None }
    }

    /// Returns the value of each key, and the keys that an unknown one was probably meant to be.
    pub(crate) fn members<const N: usize>(
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
                None if name.eq_ignore_ascii_case("token") && keys.contains(&"token_env") => {
                    "name the environment variable that holds the token: \"token_env\"".to_owned()
                }
                None => format!("the keys here are {}", keys.join(", ")),
            };
            Finding::new(format!("the key {} is not known", text::quoted(name)), help)
        });
        meant
    }

    /// Returns a string.
    pub(crate) fn text(&mut self, value: Value<'t>, key: &'static str) -> Option<Text<'t>> {
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

    /// Returns a truth value.
    pub(crate) fn flag(&mut self, value: Value<'t>, key: &'static str) -> Option<Located<bool>> {
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

    /// Returns the elements of an array; `wanted` says of what.
    pub(crate) fn array(
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

    /// Returns the digits of a number.
    pub(crate) fn number(
        &mut self,
        value: Value<'t>,
        key: &'static str,
        wanted: &str,
    ) -> Option<Located<&'t str>> {
        match value {
            Value::NumberLit(number) => {
                Some(Located { span: number.range.into(), value: number.value })
            }
            other => {
                let help = "write a number without quotes";
                self.wrong_type(&other, self.at.key(key), &format!("\"{key}\""), wanted, help);
                None
            }
        }
    }

    /// Returns an array of strings, with gaps for what is none; `wanted` and `each` say of what.
    pub(crate) fn texts(
        &mut self,
        value: Value<'t>,
        key: &'static str,
        wanted: &str,
        each: &str,
    ) -> Option<Texts<'t>> {
        let Located { value: elements, span } = self.array(value, key, wanted)?;
        let at = self.at.key(key);
        let texts = elements.into_iter().enumerate().map(|(item, element)| match element {
            Value::StringLit(text) => Some(Located { span: text.range.into(), value: text.value }),
            other => {
                self.wrong_type(&other, at.item(item), each, "a string", QUOTES);
                None
            }
        });
        Some(Located { value: texts.collect(), span })
    }

    /// Reports a value of another type than the wanted one.
    pub(crate) fn wrong_type(
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

    /// Reports a key that must be there.
    pub(crate) fn missing(&mut self, key: &str, span: Span, help: &str) {
        self.error(Code::MissingKey, span, self.at, || {
            Finding::new(format!("the key \"{key}\" is missing"), help)
        });
    }

    /// Records an error about the entry that is being read.
    pub(crate) fn error(
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

/// Returns the place of the brace that opens an object.
pub(crate) fn opening(object: &Object<'_>) -> Span {
    Span { start: object.range.start, end: object.range.start + 1 }
}
