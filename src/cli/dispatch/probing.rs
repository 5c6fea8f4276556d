//! One real dispatch to one cousin, whether or not the list has it enabled: the first of all that
//! it would get if every path at HEAD had changed. It takes the same way as those of a push, so
//! that what it shows is what a push would do.

use super::Request;
use super::pipeline::{Rounds, Run, reference};
use crate::actions;
use crate::cli::part::Parts;
use crate::cli::{self, Exit, Failure, Output, listing};
use crate::ecosystem::Cousin;
use crate::git::range::{Base, Comparison, Head, Reason};
use crate::git::source::{Outside, Source};
use crate::names::RepoName;
use crate::report::Report;

/// Sends one dispatch to a cousin, by the request's delivery and confirmation, and returns the
/// report of it. It has none when the cousin follows nothing at HEAD.
///
/// # Errors
/// [`Failure`] when nothing could be sent.
pub(in crate::cli) fn probe(
    request: &Request<'_>,
    cousin: Cousin,
    output: &Output,
) -> Result<(Report, Exit), Failure> {
    let comparison = Comparison {
        head: Head::Revision("HEAD".to_owned()),
        bases: vec![Base::Empty],
        reason: Reason::All,
        sends: true,
    };
    let git = cli::git(request.environment);
    let credentials = listing::git_credentials(request.environment);
    let outside = Outside {
        remote: request.remote.as_deref(),
        server: actions::server_url(request.environment),
        credentials: &credentials,
    };
    let mut source = Source::open(request.dir, &outside, &git)?;
    let head = source.find_head(&comparison.head)?;
    let named = request.source.clone();
    let mut run = Run {
        request,
        comparison: &comparison,
        git: &git,
        repository: named.or_else(|| RepoName::in_address(source.remote_url()?)),
        reference: reference(request, Some(&source)),
        source,
        head,
        cousins: vec![Cousin { enabled: true, ..cousin }],
        chosen: vec![0],
        file_name: listing::FILE.to_owned(),
        warnings: Vec::new(),
    };
    let mut parts = Parts::default();
    let Run { source, chosen, cousins, .. } = &mut run;
    parts.add(cousins, chosen, None, |reach| Ok(source.compare(&comparison, reach)?))?;
    parts.called.truncate(1);
    let (round, exit) = run.send(parts, output, |_, _| {})?;
    Ok(run.report(Rounds { rounds: vec![round], exit, ..Rounds::default() }))
}
