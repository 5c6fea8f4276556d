mod hostile;
mod listening;
mod reading;
mod scripts;

use std::collections::BTreeSet;

use super::*;

fn parse(text: &str) -> Workflow {
    Workflow::parse(text).unwrap_or_else(|bad| panic!("{bad}\n{text}"))
}

/// Returns what is wrong with a file, as `line: message`.
fn refused(text: &str) -> String {
    match Workflow::parse(text) {
        Ok(_) => panic!("was read:\n{text}"),
        Err(bad) => format!("{}: {}", bad.line, bad.message),
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Returns each injection as `line: expression > variable`.
fn injections_with(text: &str, tainted: &[&str]) -> Vec<String> {
    let found = parse(text).injections(&names(tainted));
    found.iter().map(|it| format!("{}: {} > {}", it.line, it.expression, it.variable)).collect()
}

fn injections(text: &str) -> Vec<String> {
    injections_with(text, &[])
}
