//! From the JSON tree to the raw types: which keys are there, and whether each value is of the type
//! that its key takes. It goes on after each error, and looks into no value's meaning.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged as _;

use super::raw::{
    FILE_KEYS, OBJECT_LIST, RawFile, RawItem, RawObject, RawSubscription, SUBSCRIPTION_KEYS,
};
use crate::document::{Code, Finding, Findings, Located, Reader, opening};

const MINIMAL: &str = "write [\"path/to/feature\"]";

/// Returns what could be read of the file; what could not goes to `findings`.
pub(super) fn read<'t>(root: Value<'t>, findings: &mut Findings<'_>) -> RawFile<'t> {
    let span = root.range().into();
    let mut reader = Reader::new(findings);
    match root {
        Value::Array(array) => {
            RawFile::List(Located { span, value: items(&mut reader, array.elements) })
        }
        Value::Object(object) => RawFile::Object(file(&mut reader, object)),
        other => {
            reader.wrong_type(&other, reader.at, "the file", "an array of subscriptions", MINIMAL);
            RawFile::Object(RawObject::default())
        }
    }
}

fn file<'t>(reader: &mut Reader<'t, '_, '_>, object: Object<'t>) -> RawObject<'t> {
    let brace = opening(&object);
    if object.get("subscriptions").is_none() && object.get("feature").is_some() {
        reader.error(Code::WrongType, brace, reader.at, || {
            Finding::new(
                "the file is a single subscription, and must be an array of subscriptions",
                "put [ before it and ] behind it",
            )
        });
        return RawObject::default();
    }
    let ([schema, source, branch, max_age_days, subscriptions], guessed) =
        reader.members(object, FILE_KEYS);
    if subscriptions.is_none() && !guessed.contains(&"subscriptions") {
        reader.missing("subscriptions", brace, "add \"subscriptions\": [\"path/to/feature\"]");
    }
    let _schema = schema.and_then(|value| reader.text(value, "$schema"));
    let source = source.and_then(|value| reader.text(value, "source"));
    let branch = branch.and_then(|value| reader.text(value, "branch"));
    let max_age_days = max_age_days
        .and_then(|value| reader.number(value, "max_age_days", "a whole number of days"));
    let list = subscriptions
        .and_then(|value| reader.array(value, "subscriptions", "an array of subscriptions"));
    reader.at.list = OBJECT_LIST;
    let subscriptions =
        list.map(|list| Located { span: list.span, value: items(reader, list.value) });
    RawObject { _schema, source, branch, max_age_days, subscriptions }
}

/// Returns the entries in the order of the list; one that cannot be read keeps its position.
fn items<'t>(reader: &mut Reader<'t, '_, '_>, elements: Vec<Value<'t>>) -> Vec<RawItem<'t>> {
    let mut items = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        reader.at.entry = Some(index);
        items.push(match element {
            Value::StringLit(text) => {
                RawItem::Name(Located { span: text.range.into(), value: text.value })
            }
            Value::Object(object) => RawItem::Object(subscription(reader, object)),
            other => {
                let help = "write \"path/to/feature\", or {\"feature\": \"path/to/feature\", … }";
                let wanted = "a string or an object";
                reader.wrong_type(&other, reader.at, "a subscription", wanted, help);
                RawItem::Object(RawSubscription::default())
            }
        });
    }
    items
}

fn subscription<'t>(reader: &mut Reader<'t, '_, '_>, object: Object<'t>) -> RawSubscription<'t> {
    let brace = opening(&object);
    let ([feature, into, method, preserve, pull_request], guessed) =
        reader.members(object, SUBSCRIPTION_KEYS);
    if feature.is_none() && !guessed.contains(&"feature") {
        reader.missing("feature", brace, "add \"feature\": \"path/to/feature\"");
    }
    RawSubscription {
        feature: feature.and_then(|value| reader.text(value, "feature")),
        into: into.and_then(|value| reader.text(value, "into")),
        method: method.and_then(|value| reader.text(value, "method")),
        preserve: preserve
            .and_then(|value| reader.texts(value, "preserve", "an array of patterns", "a pattern")),
        pull_request: pull_request.and_then(|value| reader.text(value, "pull_request")),
        ..RawSubscription::default()
    }
}
