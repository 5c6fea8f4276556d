//! `Cargo.toml`, as The Cargo Book describes it ("Specifying Dependencies", "Workspaces").

use toml::{Table, Value};

use super::Kind;

const GROUPS: [(&str, Kind); 6] = [
    ("dependencies", Kind::Normal),
    ("dev-dependencies", Kind::Dev),
    ("dev_dependencies", Kind::Dev),
    ("build-dependencies", Kind::Build),
    ("build_dependencies", Kind::Build),
    ("replace", Kind::Replace),
];

/// Returns what the file declares; none when it is no TOML.
pub(super) fn read(text: &str) -> Option<Vec<(Kind, String, String)>> {
    let manifest: Table = text.parse().ok()?;
    let mut all = Vec::new();
    groups(&manifest, None, &mut all);
    if let Some(workspace) = manifest.get("workspace").and_then(Value::as_table) {
        group(workspace, "dependencies", &Kind::Group("workspace".to_owned()), &mut all);
    }
    for (target, groups_of) in
        manifest.get("target").and_then(Value::as_table).into_iter().flatten()
    {
        if let Some(table) = groups_of.as_table() {
            groups(table, Some(target), &mut all);
        }
    }
    for (_, patched) in manifest.get("patch").and_then(Value::as_table).into_iter().flatten() {
        entries(patched, &Kind::Replace, &mut all);
    }
    Some(all)
}

fn groups(table: &Table, target: Option<&str>, all: &mut Vec<(Kind, String, String)>) {
    for (key, kind) in GROUPS {
        let kind = match target {
            Some(target) if kind == Kind::Normal => Kind::Group(target.to_owned()),
            Some(target) => Kind::Group(format!("{} {target}", kind.word())),
            None => kind,
        };
        group(table, key, &kind, all);
    }
}

fn group(table: &Table, key: &str, kind: &Kind, all: &mut Vec<(Kind, String, String)>) {
    if let Some(group) = table.get(key) {
        entries(group, kind, all);
    }
}

fn entries(group: &Value, kind: &Kind, all: &mut Vec<(Kind, String, String)>) {
    for (name, asked) in group.as_table().into_iter().flatten() {
        all.push((kind.clone(), name.clone(), asked_for(asked)));
    }
}

/// Returns what is asked for: the version, and where it comes from when that is no registry.
fn asked_for(asked: &Value) -> String {
    let Some(table) = asked.as_table() else {
        return asked.as_str().unwrap_or("?").to_owned();
    };
    let mut words = Vec::new();
    if let Some(version) = table.get("version").and_then(Value::as_str) {
        words.push(version.to_owned());
    }
    for key in ["git", "branch", "tag", "rev", "path", "registry", "package"] {
        if let Some(value) = table.get(key).and_then(Value::as_str) {
            words.push(format!("{key} {value}"));
        }
    }
    if table.get("workspace").and_then(Value::as_bool) == Some(true) {
        words.push("workspace".to_owned());
    }
    if words.is_empty() { "*".to_owned() } else { words.join(", ") }
}
