//! What arrived on the embedded GitHub, held against what the plan said: every planned event once,
//! at the right place, with the planned content, and nothing else anywhere.

use std::fmt::Write as _;

use super::casting::Casting;
use crate::delivery::Outcome;
use crate::embedded_github::Event;
use crate::event::PERCENT_ENCODING;
use crate::report::human::counted;
use crate::report::{Dispatch, Report};
use crate::text;
use crate::text::paint::Paint;

/// Returns what differs between plan and arrival, a sentence each; nothing is good.
pub(super) fn compare(
    planned: &Report,
    report: &Report,
    received: &[Event],
    casting: &Casting,
) -> Vec<String> {
    let mut differences = Vec::new();
    let mut expected = 0;
    for (at, dispatch) in planned.dispatches.iter().enumerate() {
        let outcome = report.dispatches.get(at).map(|dispatch| dispatch.outcome);
        let arrived = received.iter().filter(|event| is(event, dispatch, casting)).count();
        let name =
            format!("{} {}", dispatch.repo, text::shown(dispatch.updated_feature.as_bytes()));
        let gone = casting.gone.as_ref() == Some(&dispatch.repo);
        let (count, wanted) = if gone { (0, Outcome::Failed) } else { (1, Outcome::Delivered) };
        expected += count;
        if arrived != count {
            differences.push(format!("{name}: {arrived} events arrived, {count} planned"));
        }
        if outcome != Some(wanted) {
            let outcome = outcome.map_or("not reported", Outcome::as_str);
            differences.push(format!("{name}: {outcome}, but it should be {wanted}"));
        }
    }
    if received.len() > expected {
        let more = received.len() - expected;
        differences.push(format!("{} that nobody planned", counted(more, "event")));
    }
    differences
}

/// Whether the event is what the dispatch was to bring, where it was to bring it.
fn is(event: &Event, dispatch: &Dispatch, casting: &Casting) -> bool {
    let field = |name: &str| event.client_payload.get(name).and_then(|value| value.as_str());
    event.repository == address(dispatch, casting)
        && event.event_type == dispatch.event_type.as_str()
        && feature(event).as_deref() == Some(dispatch.updated_feature.as_bytes())
        && field("commit_sha") == Some(dispatch.commit_sha.as_str())
        && field("dispatch_id") == dispatch.dispatch_id.as_deref()
}

/// Returns the feature that an event names, whose bytes need not be UTF-8.
fn feature(event: &Event) -> Option<Vec<u8>> {
    let field = |name: &str| event.client_payload.get(name).and_then(|value| value.as_str());
    let named = field("updated_feature")?;
    match field("path_encoding") {
        Some(PERCENT_ENCODING) => text::from_percent(named),
        _ => Some(named.as_bytes().to_vec()),
    }
}

/// Returns the name under which the embedded GitHub knows the dispatch's cousin now.
fn address<'a>(dispatch: &'a Dispatch, casting: &'a Casting) -> &'a str {
    match &casting.renamed {
        Some((old, new)) if *old == dispatch.repo => new,
        _ => dispatch.repo.as_str(),
    }
}

/// Returns what each cousin received, and the verdict, for people.
pub(super) fn render(
    planned: &Report,
    received: &[Event],
    casting: &Casting,
    differences: &[String],
    paint: Paint,
) -> String {
    if planned.dispatches.is_empty() && differences.is_empty() {
        return "\nthe last commit concerns no cousin; `ecosystem dispatch --dry-run --all` shows who \
                would be told of everything\n"
            .to_owned();
    }
    let mut out = format!("\n{}\n", paint.bold("What each cousin received"));
    let mut addresses: Vec<&str> =
        planned.dispatches.iter().map(|dispatch| address(dispatch, casting)).collect();
    addresses.dedup();
    let width = addresses.iter().map(|name| name.len()).max().unwrap_or(0);
    for name in addresses {
        let events: Vec<&Event> =
            received.iter().filter(|event| event.repository == name).collect();
        for event in &events {
            let field = |name: &str| event.client_payload.get(name).cloned().unwrap_or_default();
            let feature = feature(event).unwrap_or_default();
            let feature = text::shown(&feature);
            let paths = field("changed_paths_total").as_u64().unwrap_or_default();
            let paths = counted(usize::try_from(paths).unwrap_or(usize::MAX), "path");
            let kind = text::shown(event.event_type.as_bytes());
            let _ = writeln!(out, "{name:<width$}  {kind} {feature} ({paths})");
        }
        if events.is_empty() {
            let _ = writeln!(out, "{name:<width$}  {}", paint.dim("nothing"));
        }
    }
    out.push('\n');
    let told = |name: Option<String>, what: &str| name.map(|name| format!("{name} {what}"));
    let roles = [
        told(casting.limited.as_ref().map(ToString::to_string), "answered 429 at first"),
        casting.renamed.as_ref().map(|(old, new)| format!("{old} was renamed to {new}")),
        told(casting.gone.as_ref().map(ToString::to_string), "is gone, so its failure is right"),
    ];
    let roles: Vec<String> = roles.into_iter().flatten().collect();
    if !roles.is_empty() {
        let _ = writeln!(out, "on purpose: {}", roles.join("; "));
    }
    if differences.is_empty() {
        let _ = writeln!(out, "{}", paint.green("what arrived is what the plan said"));
    }
    for difference in differences {
        let _ = writeln!(out, "{} {difference}", paint.red("differs:"));
    }
    out
}
