//! The shape of `ecosystem.json`: which keys there are and of which JSON type, with the place of
//! each value. The JSON Schema for editors is derived from these types, so that what an editor
//! accepts is what is read here. `shape` fills them; whether a value makes sense is for `validate`
//! to say.

use schemars::JsonSchema;

use crate::document::{Located, Text, Texts};
use crate::names::EventType;

/// The keys of a cousin, in the order in which they are listed to people.
pub(super) const COUSIN_KEYS: [&str; 6] =
    ["repo", "subscriptions", "event_type", "enabled", "token_env", "description"];

/// The keys of the object form.
pub(super) const FILE_KEYS: [&str; 2] = ["$schema", "cousins"];

/// The JSON pointer of the list in the object form.
pub(super) const OBJECT_LIST: &str = "/cousins";

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
#[derive(Debug, Default, JsonSchema)]
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
    pub(super) subscriptions: Option<Texts<'t>>,
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
    /// Returns the JSON pointer of the list of cousins, and the cousins.
    pub(super) fn into_cousins(self) -> (&'static str, Vec<RawCousin<'t>>) {
        match self {
            Self::List(cousins) => ("", cousins),
            Self::Object(object) => (OBJECT_LIST, object.cousins),
        }
    }
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
