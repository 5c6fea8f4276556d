//! `pyproject.toml`, as the Python packaging specifications describe it ("pyproject.toml
//! specification", "Dependency Groups"), and Poetry's tables, as Poetry's documentation does.

use toml::{Table, Value};

use super::Kind;
use super::requirements::{normal, requirement};

/// Returns what the file declares; none when it is no TOML.
pub(super) fn read(text: &str) -> Option<Vec<(Kind, String, String)>> {
    let file: Table = text.parse().ok()?;
    let at = |path: &[&str]| {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(file.get(*first)?, |value, key| value.get(*key))
    };
    let mut all = Vec::new();
    listed(at(&["build-system", "requires"]), &Kind::Build, &mut all);
    listed(at(&["project", "dependencies"]), &Kind::Normal, &mut all);
    for path in [&["project", "optional-dependencies"][..], &["dependency-groups"]] {
        for (group, list) in at(path).and_then(Value::as_table).into_iter().flatten() {
            listed(Some(list), &Kind::Group(group.clone()), &mut all);
        }
    }
    poetry(at(&["tool", "poetry", "dependencies"]), &Kind::Normal, &mut all);
    poetry(at(&["tool", "poetry", "dev-dependencies"]), &Kind::Dev, &mut all);
    let groups = at(&["tool", "poetry", "group"]).and_then(Value::as_table);
    for (group, table) in groups.into_iter().flatten() {
        let kind = if group == "dev" { Kind::Dev } else { Kind::Group(group.clone()) };
        poetry(table.get("dependencies"), &kind, &mut all);
    }
    Some(all)
}

fn listed(list: Option<&Value>, kind: &Kind, all: &mut Vec<(Kind, String, String)>) {
    for line in list.and_then(Value::as_array).into_iter().flatten() {
        // A table includes another group, whose own entries are told.
        if let Some((_, name, asked)) = line.as_str().and_then(requirement) {
            all.push((kind.clone(), name, asked));
        }
    }
}

fn poetry(table: Option<&Value>, kind: &Kind, all: &mut Vec<(Kind, String, String)>) {
    for (name, asked) in table.and_then(Value::as_table).into_iter().flatten() {
        let forms = match asked {
            Value::Array(forms) => forms.iter().map(asked_for).collect(),
            form => vec![asked_for(form)],
        };
        all.extend(forms.into_iter().map(|asked| (kind.clone(), normal(name), asked)));
    }
}

fn asked_for(asked: &Value) -> String {
    let Some(table) = asked.as_table() else {
        return asked.as_str().unwrap_or("?").to_owned();
    };
    let mut words = Vec::new();
    for key in ["version", "git", "branch", "tag", "rev", "path", "url"] {
        match table.get(key).and_then(Value::as_str) {
            Some(version) if key == "version" => words.push(version.to_owned()),
            Some(value) => words.push(format!("{key} {value}")),
            None => {}
        }
    }
    if words.is_empty() { "*".to_owned() } else { words.join(", ") }
}
