//! What changed in the dependencies that a feature declares, read from the manifests of both sides:
//! for the text of a pull request. A manifest that cannot be read is said to have changed, no more.
//! Pure: bytes in, changes out; nothing is resolved, fetched or executed, and no garbage panics.

use std::collections::BTreeMap;

mod cargo;
mod go;
mod npm;
mod pyproject;
mod requirements;

/// The longest manifest that is read, in bytes. Those of people are a hundredth of that.
const LONGEST: usize = 1024 * 1024;

/// How many entries of a manifest are read.
const ENTRIES: usize = 10_000;

/// How many characters of a name or a version are kept: a line of a pull request shows no more.
const LONGEST_WORD: usize = 200;

/// A dependency that was added, removed or changed, or a manifest that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The manifest's path, as it was given.
    pub manifest: Vec<u8>,
    /// Whose manifest it is.
    pub ecosystem: Ecosystem,
    /// The dependency's name; empty where the manifest cannot be read.
    pub name: String,
    /// In which of the manifest's groups it stands.
    pub kind: Kind,
    /// What was asked for before; none when the dependency is new.
    pub before: Option<String>,
    /// What is asked for now; none when the dependency is gone.
    pub after: Option<String>,
}

/// Whose manifest it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// `Cargo.toml`.
    Cargo,
    /// `go.mod`.
    Go,
    /// `package.json`.
    Npm,
    /// `pyproject.toml` and `requirements*.txt`.
    Python,
}

impl Ecosystem {
    /// Returns its name, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cargo => "Cargo",
            Self::Go => "Go",
            Self::Npm => "npm",
            Self::Python => "Python",
        }
    }
}

/// What a dependency is for, as far as its manifest tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It is needed to run.
    Normal,
    /// It is needed to develop.
    Dev,
    /// It is needed to build.
    Build,
    /// Whoever uses this brings it along.
    Peer,
    /// It is not needed.
    Optional,
    /// It belongs to a group with this name, or is meant for this target.
    Group(String),
    /// It stands in for another.
    Replace,
    /// The manifest has changed, and cannot be read on one of the sides.
    Unreadable,
}

impl Kind {
    /// Returns the word for people; empty for what needs none.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Normal | Self::Unreadable => "",
            Self::Dev => "dev",
            Self::Build => "build",
            Self::Peer => "peer",
            Self::Optional => "optional",
            Self::Group(name) => name,
            Self::Replace => "replace",
        }
    }
}

/// What a manifest declares: by group and name, what is asked for.
type Declared = BTreeMap<(Kind, String), String>;

/// Reads one kind of manifest; none when it is not what it should be.
type Reader = fn(&str) -> Option<Vec<(Kind, String, String)>>;

/// A file that both sides may have: its path, and its content before and after.
pub type Sides<'a> = (&'a [u8], Option<&'a [u8]>, Option<&'a [u8]>);

/// Returns whether a file with this path is a manifest that [`changes`] reads.
#[must_use]
pub fn is_manifest(path: &[u8]) -> bool {
    reader(path).is_some()
}

/// Returns what changed in the dependencies, in the order of the files, within one by name and group.
/// Files that are no manifests are left out.
#[must_use]
pub fn changes(files: &[Sides<'_>]) -> Vec<Change> {
    files.iter().flat_map(|(path, before, after)| changes_of(path, *before, *after)).collect()
}

fn changes_of(path: &[u8], before: Option<&[u8]>, after: Option<&[u8]>) -> Vec<Change> {
    let Some((ecosystem, reader)) = reader(path) else { return Vec::new() };
    if before == after {
        return Vec::new();
    }
    let manifest = path.to_vec();
    let (Some(mut old), Some(new)) = (declared(before, reader), declared(after, reader)) else {
        let (name, kind) = (String::new(), Kind::Unreadable);
        return vec![Change { manifest, ecosystem, name, kind, before: None, after: None }];
    };
    let mut all = Vec::new();
    for ((kind, name), after) in new {
        let before = old.remove(&(kind.clone(), name.clone()));
        if before.as_ref() != Some(&after) {
            let (manifest, after) = (manifest.clone(), Some(after));
            all.push(Change { manifest, ecosystem, name, kind, before, after });
        }
    }
    all.extend(old.into_iter().map(|((kind, name), before)| {
        let (manifest, before) = (manifest.clone(), Some(before));
        Change { manifest, ecosystem, name, kind, before, after: None }
    }));
    all.sort();
    all
}

/// Returns what one side declares: nothing when the file is not there, none when it cannot be read.
fn declared(content: Option<&[u8]>, reader: Reader) -> Option<Declared> {
    let Some(content) = content else { return Some(Declared::new()) };
    if content.len() > LONGEST {
        return None;
    }
    let text = std::str::from_utf8(content).ok()?;
    let entries = reader(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    if entries.len() > ENTRIES {
        return None;
    }
    let mut declared = Declared::new();
    for (kind, name, version) in entries {
        let kind = match kind {
            Kind::Group(name) => Kind::Group(cut(&name)),
            kind => kind,
        };
        // Twice the same name, for other systems or versions, is one entry with both.
        let all = declared.entry((kind, cut(&name))).or_default();
        if !all.is_empty() {
            all.push_str(" | ");
        }
        all.push_str(&cut(&version));
        *all = cut(all);
    }
    Some(declared)
}

fn cut(word: &str) -> String {
    let word = word.trim();
    match word.char_indices().nth(LONGEST_WORD) {
        Some((at, _)) => format!("{}…", word.get(..at).unwrap_or_default()),
        None => word.to_owned(),
    }
}

fn reader(path: &[u8]) -> Option<(Ecosystem, Reader)> {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let is_requirements = name.starts_with(b"requirements") && name.ends_with(b".txt");
    Some(match name {
        b"Cargo.toml" => (Ecosystem::Cargo, cargo::read),
        b"go.mod" => (Ecosystem::Go, go::read),
        b"package.json" => (Ecosystem::Npm, npm::read),
        b"pyproject.toml" => (Ecosystem::Python, pyproject::read),
        _ if is_requirements => (Ecosystem::Python, requirements::read),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
