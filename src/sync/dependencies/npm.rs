//! `package.json`, as npm's documentation describes it ("package.json", "dependencies").

use serde_json::{Map, Value};

use super::Kind;

const GROUPS: [(&str, Kind); 4] = [
    ("dependencies", Kind::Normal),
    ("devDependencies", Kind::Dev),
    ("optionalDependencies", Kind::Optional),
    ("peerDependencies", Kind::Peer),
];

/// Returns what the file declares; none when it is no object, or a group of it is not.
pub(super) fn read(text: &str) -> Option<Vec<(Kind, String, String)>> {
    let package: Map<String, Value> = serde_json::from_str(text).ok()?;
    let mut all = Vec::new();
    for (key, kind) in GROUPS {
        match package.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Object(group)) => {
                for (name, version) in group {
                    let version = version.as_str().map_or_else(|| version.to_string(), Into::into);
                    all.push((kind.clone(), name.clone(), version));
                }
            }
            Some(_) => return None,
        }
    }
    Some(all)
}
