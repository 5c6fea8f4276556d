//! What a workflow listens to: the `on` of the file, in all its spellings. Whether a job then runs
//! is up to conditions that only the run knows.

use saphyr_parser::ScalarStyle;

use super::source::Source;
use super::yaml::View;
use super::{BadWorkflow, Listens};

/// The event that this is about.
const DISPATCH: &str = "repository_dispatch";

/// Returns which dispatches start a workflow, by the `on` of its file.
///
/// # Errors
/// A `repository_dispatch` that is neither empty nor a mapping, or `types` that are no names, with
/// the line: GitHub refuses the file.
pub(super) fn dispatches(source: &Source, root: View<'_>) -> Result<Listens, BadWorkflow> {
    let Some(on) = on(root) else { return Ok(Listens::No) };
    if let Some(settings) = on.get(DISPATCH) {
        return types(source, settings);
    }
    let mut names =
        on.scalar().into_iter().chain(on.items().into_iter().flatten().filter_map(View::scalar));
    Ok(if names.any(|name| name.text == DISPATCH) { Listens::Every } else { Listens::No })
}

/// Returns the value of `on`, also where the key is one that YAML 1.1 takes for the same `true`: a
/// tool that goes by 1.1 writes it back as such. `on` itself comes first.
fn on(root: View<'_>) -> Option<View<'_>> {
    root.get("on").or_else(|| {
        let mut entries = root.entries()?;
        entries
            .find(|(key, _)| {
                key.style == ScalarStyle::Plain
                    && matches!(key.text.as_str(), "On" | "ON" | "true" | "True" | "TRUE")
            })
            .map(|(_, value)| value)
    })
}

/// Returns the types that `repository_dispatch` is limited to. See [`Listens::Every`] for those
/// that limit nothing.
fn types(source: &Source, settings: View<'_>) -> Result<Listens, BadWorkflow> {
    let bad = |node: View<'_>, message: &str| BadWorkflow {
        message: message.to_owned(),
        line: source.line(node.start()),
    };
    if settings.is_null() {
        return Ok(Listens::Every);
    }
    if settings.entries().is_none() {
        return Err(bad(settings, "repository_dispatch takes a mapping with `types`, or nothing"));
    }
    let mut keys = settings.entries().into_iter().flatten().map(|(key, _)| key);
    if keys.any(|key| key.text != "types") {
        // Also of a merge key, which GitHub does not know: it refuses the file.
        return Err(bad(settings, "repository_dispatch takes `types` and nothing else"));
    }
    let Some(types) = settings.get("types").filter(|types| !types.is_null()) else {
        return Ok(Listens::Every);
    };
    let names = match (types.scalar(), types.items()) {
        (Some(one), _) => vec![one.text.clone()],
        (None, Some(items)) => items
            .map(|item| match item.scalar() {
                Some(name) => Ok(name.text.clone()),
                None => Err(bad(item, "an event type is a name, not a list or a mapping")),
            })
            .collect::<Result<_, _>>()?,
        (None, None) => return Err(bad(types, "`types` is a list of event types")),
    };
    Ok(if names.is_empty() { Listens::Every } else { Listens::Types(names) })
}
