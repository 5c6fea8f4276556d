//! Which of a cousin's exclusions takes a path away, to be shown beside the pattern that nothing is
//! left of. Asked only for findings that are kept.

use globset::Candidate as GlobCandidate;

use super::meaning::levels;
use crate::routing::pattern::{Shape, compile};
use crate::routing::{ChangedPath, Pattern};

/// Returns the position of the last exclusion behind a pattern that matches the path.
pub(super) fn taken_by(list: &[Pattern], position: usize, path: &ChangedPath) -> Option<usize> {
    let takes = |at: &usize| list.get(*at).is_some_and(|p| p.is_exclusion() && matches(p, path));
    (position + 1..list.len()).rev().find(takes)
}

fn matches(pattern: &Pattern, changed: &ChangedPath) -> bool {
    let whole = changed.path.as_slice();
    let glob = match pattern.shape() {
        Shape::Glob { glob, .. } => compile(glob).ok().map(|glob| glob.compile_matcher()),
        Shape::Literal(_) => None,
    };
    levels(whole).skip(1).filter_map(|length| whole.get(..length)).any(|part| {
        let may_be = part.len() < whole.len() || changed.submodule || !pattern.is_directory_only();
        may_be
            && match (pattern.shape(), &glob) {
                (Shape::Literal(literal), _) => literal == part,
                (_, Some(glob)) => glob.is_match_candidate(&GlobCandidate::from_bytes(part)),
                (_, None) => false,
            }
    })
}
