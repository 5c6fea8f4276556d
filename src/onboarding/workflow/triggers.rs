//! What a workflow listens to: the `on` of the file, in all its spellings. Whether a job then runs
//! is up to conditions that only the run knows.

use saphyr_parser::ScalarStyle;

use super::source::Source;
use super::yaml::View;
use super::{BadWorkflow, Listens};

/// What `on` says of the events that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Triggers {
    pub(super) dispatches: Listens,
    pub(super) scheduled: bool,
    pub(super) reusable: bool,
}

impl Triggers {
    /// Reads the `on` of a file.
    ///
    /// # Errors
    /// A `repository_dispatch` that is neither empty nor a mapping, or `types` that are no names,
    /// with the line: GitHub refuses the file.
    pub(super) fn read(source: &Source, root: View<'_>) -> Result<Self, BadWorkflow> {
        let mut triggers = Self { dispatches: Listens::No, scheduled: false, reusable: false };
        let Some(on) = on(root) else { return Ok(triggers) };
        if let Some(event) = on.scalar() {
            triggers.hear(&event.text, Listens::Every);
        }
        for event in on.items().into_iter().flatten().filter_map(View::scalar) {
            triggers.hear(&event.text, Listens::Every);
        }
        for (event, settings) in on.entries().into_iter().flatten() {
            let types = if event.text == "repository_dispatch" {
                types(source, settings)?
            } else {
                Listens::Every
            };
            triggers.hear(&event.text, types);
        }
        Ok(triggers)
    }

    fn hear(&mut self, event: &str, types: Listens) {
        match event {
            "repository_dispatch" => self.dispatches = types,
            "schedule" => self.scheduled = true,
            "workflow_call" => self.reusable = true,
            _ => {}
        }
    }
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
