//! The rules between subscriptions: each feature once, and no two where one would overwrite what the
//! other has brought. Both places of a fault are shown. Pure.

use std::collections::HashMap;

use crate::document::{Code, Finding, Findings, Located, Pointer};
use crate::names::FeaturePath;
use crate::subscriptions::{Directory, Method};
use crate::text;

/// A subscription whose feature and directory could be read, and where they stand.
pub(super) struct Listed {
    pub(super) at: Pointer<'static>,
    pub(super) feature: Located<FeaturePath>,
    /// The directory, at the feature's place where none is given.
    pub(super) into: Located<Directory>,
    pub(super) method: Method,
}

/// Reports each feature that is listed a second time.
pub(super) fn features_once(listed: &[Listed], findings: &mut Findings<'_>) {
    let mut first_places = HashMap::with_capacity(listed.len());
    for Listed { at, feature, .. } in listed {
        let first = *first_places.entry(&feature.value).or_insert(feature.span);
        if first != feature.span {
            findings.error(Code::DuplicateSubscription, feature.span, || {
                Finding::new(
                    format!("the feature {} is listed more than once", name_of(&feature.value)),
                    "keep one of them; a feature goes to one directory",
                )
                .related(first, "first listed here")
                .pointer(at)
            });
        }
    }
}

/// Reports subscriptions that would write over each other.
pub(super) fn directories_apart(listed: &[Listed], findings: &mut Findings<'_>) {
    let mut sorted: Vec<(usize, &Listed)> = listed.iter().enumerate().collect();
    // By their names, so that what is below a directory comes right behind it.
    sorted.sort_by(|(_, a), (_, b)| {
        a.into.value.as_str().split('/').cmp(b.into.value.as_str().split('/'))
    });
    let mut above: Vec<(usize, &Listed)> = Vec::new();
    for (position, one) in sorted {
        let holds = |(_, above): &(usize, &Listed)| contains(&above.into.value, &one.into.value);
        while above.last().is_some_and(|last| !holds(last)) {
            above.pop();
        }
        if let Some((other_position, other)) = above.last() {
            let (first, second) =
                if *other_position < position { (*other, one) } else { (one, *other) };
            overlap(first, second, findings);
        }
        above.push((position, one));
    }
}

fn overlap(first: &Listed, second: &Listed, findings: &mut Findings<'_>) {
    let together = first.method.keeps_layout() && second.method.keeps_layout();
    if together || first.feature.value == second.feature.value {
        return;
    }
    findings.error(Code::OverlappingInto, second.into.span, || {
        let (one, other) = (&first.into.value, &second.into.value);
        let names = [&first.feature.value, &second.feature.value].map(name_of);
        let [one_name, other_name] = names;
        let message = if one == other {
            format!("{one_name} and {other_name} would both be put into \"{one}\"")
        } else {
            let (inner, outer) = if contains(one, other) { (other, one) } else { (one, other) };
            format!(
                "{one_name} and {other_name} would overwrite each other: \"{inner}\" lies in \
                 \"{outer}\""
            )
        };
        Finding::new(message, "give each its own directory with \"into\"")
            .related(first.into.span, "the other one is put here")
            .pointer(second.at)
    });
}

/// Returns whether the inner directory is the outer one or lies below it.
fn contains(outer: &Directory, inner: &Directory) -> bool {
    let rest = inner.as_str().strip_prefix(outer.as_str());
    outer.is_root() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn name_of(feature: &FeaturePath) -> String {
    text::quoted(&String::from_utf8_lossy(feature.as_bytes()))
}
