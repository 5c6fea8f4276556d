use super::*;
use crate::git::files::ObjectId;
use crate::git::sandbox::{LIKE_GITHUB, Sandbox, sha};
use crate::git::workshop::Found;

mod features;
mod history;

/// A source with so many commits on `main`, and a cousin that has nothing of it.
fn source(sandbox: &Sandbox, commits: usize) -> (std::path::PathBuf, Vec<ObjectId>) {
    let source = sandbox.bare("source.git");
    let numbers: Vec<String> = (0..commits).map(|number| number.to_string()).collect();
    let states: Vec<[(&str, &str); 2]> =
        numbers.iter().map(|number| [("a/b/x", number.as_str()), ("other/y", "y")]).collect();
    let states: Vec<&[(&str, &str)]> = states.iter().map(|state| &state[..]).collect();
    let ids = sandbox.commits(&source, "main", None, &states);
    (source, ids)
}

fn workshop(sandbox: &Sandbox) -> Workshop {
    let origin = sandbox.bare("origin.git");
    sandbox.commits(&origin, "main", None, &[&[("mine", "mine\n")]]);
    let clone = sandbox.clone(&origin, "cousin", &[]);
    Workshop::new(&sandbox.program(), &clone).unwrap()
}

fn upstream<'w>(
    sandbox: &Sandbox,
    workshop: &'w Workshop,
    source: &std::path::Path,
    branch: Option<&str>,
) -> Result<Upstream<'w>, UpstreamError> {
    Upstream::fetch(workshop, &sandbox.program(), sandbox.remote(source), branch)
}
