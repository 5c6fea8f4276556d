//! The subscriptions of `ecosystem.json` against each other and against the paths at HEAD. Pure: it
//! gets the paths and reads no repository.
//!
//! Each pattern gets one finding at most, the gravest: it is listed twice, later exclusions take
//! away all of it, it matches nothing (perhaps only by its spelling), or another pattern decides
//! all that it could. What concerns patterns among themselves (`covering`) is judged by their text,
//! for any tree; what concerns HEAD takes one walk over its paths, whatever the number of cousins.
//! What there is near a path that is missing (`nearest`) is looked up for findings that are kept.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::ecosystem::{self, Code, Diagnosis, Finding, Findings, Listed, Severity};
use crate::routing::matching::{GlobCache, Met, Tally};
use crate::routing::{ChangedPath, Matcher, Pattern, TooComplex};

mod covering;
mod excluded;
mod meaning;
mod misspelled;
mod nearest;
mod tree;
mod wording;

use covering::{Feature as Difference, Flaw, Patterns};
use meaning::{Meaning, Outline};
use tree::Tree;
use wording::Subject;

/// Returns everything that can be said of an `ecosystem.json` without a network, its subscriptions
/// held against the paths at HEAD, which must be sorted by their bytes and distinct. `file_name` is
/// for messages only.
///
/// # Errors
/// [`TooComplex`] when a glob cannot be compiled.
pub fn diagnose(
    file_name: &str,
    bytes: &[u8],
    paths: &[ChangedPath],
) -> Result<Diagnosis, TooComplex> {
    let document = match ecosystem::decode(file_name, bytes) {
        Ok(document) => document,
        Err(diagnosis) => return Ok(diagnosis),
    };
    let lines = document.lines();
    let mut findings = Findings::new(&lines);
    let listed = document.cousins(&lines, &mut findings);
    check(&listed, paths, &mut findings)?;
    Ok(document.diagnosis(findings))
}

/// Compares subscriptions with each other and with the sorted paths at HEAD, and returns what each
/// cousin, in the order of `listed`, would be told of if every path at HEAD had changed.
///
/// # Errors
/// [`TooComplex`] when a glob cannot be compiled.
pub(crate) fn check(
    listed: &[Listed],
    paths: &[ChangedPath],
    findings: &mut Findings<'_>,
) -> Result<Tally, TooComplex> {
    let lists = listed.iter().map(|listed| listed.cousin.subscriptions.as_slice());
    let tally = Tally::of(&Matcher::unbuilt(lists), paths)?;
    let mut judgement = Judgement::new(listed, paths, &tally);
    judgement.by_text()?;
    judgement.by_head()?;
    judgement.report(findings);
    Ok(tally)
}

/// Returns whether a path may be matched by both patterns, as far as their text tells.
pub(crate) fn may_meet(one: &Pattern, other: &Pattern) -> bool {
    let outline = |pattern| Outline::of(Meaning::of(pattern));
    !outline(one).is_disjoint(&outline(other))
}

/// What is found out about the patterns of all cousins, step by step.
struct Judgement<'l> {
    listed: &'l [Listed],
    paths: &'l [ChangedPath],
    tally: &'l Tally,
    /// What is wrong with each pattern of each cousin by their text.
    flaws: Vec<Vec<Option<Flaw>>>,
    /// For globs that match nothing the path that they miss only by its spelling.
    misspelled: HashMap<&'l str, usize>,
    tree: OnceCell<Tree<'l>>,
}

impl<'l> Judgement<'l> {
    fn new(listed: &'l [Listed], paths: &'l [ChangedPath], tally: &'l Tally) -> Self {
        Self {
            listed,
            paths,
            tally,
            flaws: Vec::with_capacity(listed.len()),
            misspelled: HashMap::new(),
            tree: OnceCell::new(),
        }
    }

    /// Judges each cousin's patterns by their text.
    fn by_text(&mut self) -> Result<(), TooComplex> {
        let mut cache = GlobCache::default();
        for listed in self.listed {
            let list = listed.cousin.subscriptions.as_slice();
            let patterns = Patterns::new(list, &mut cache)?;
            self.flaws.push((0..list.len()).map(|position| patterns.flaw(position)).collect());
        }
        Ok(())
    }

    /// Finds out what only HEAD can tell.
    fn by_head(&mut self) -> Result<(), TooComplex> {
        let tally = self.tally;
        let missed = self.listed.iter().enumerate().flat_map(|(cousin, listed)| {
            let patterns = listed.cousin.subscriptions.iter().enumerate();
            patterns.filter(move |(position, _)| tally.pattern(cousin, *position).first.is_none())
        });
        let globs = missed
            .map(|(_, pattern)| pattern)
            .filter(|pattern| matches!(Meaning::of(pattern), Meaning::Glob { .. }));
        self.misspelled = misspelled::globs(globs, self.paths)?;
        Ok(())
    }

    fn tree(&self) -> &Tree<'l> {
        self.tree.get_or_init(|| Tree::new(self.paths))
    }

    fn report(&self, findings: &mut Findings<'_>) {
        for (cousin, (listed, flaws)) in self.listed.iter().zip(&self.flaws).enumerate() {
            let patterns = listed.cousin.subscriptions.iter().zip(flaws).zip(&listed.patterns);
            for (position, ((pattern, flaw), span)) in patterns.enumerate() {
                let Some(cause) = self.cause((cousin, position), pattern, *flaw) else { continue };
                let (severity, code) = cause.weight(pattern);
                let subject = Subject { listed, position, pattern };
                findings.add(severity, code, *span, || self.say(subject, cause));
            }
            if !listed.cousin.enabled {
                disabled(listed, findings);
            }
        }
    }

    /// Returns the gravest that is to be said of a pattern.
    fn cause(
        &self,
        at: (usize, usize),
        pattern: &Pattern,
        flaw: Option<Flaw>,
    ) -> Option<Cause<'_>> {
        let Met { first, left } = self.tally.pattern(at.0, at.1);
        // Of a list that has gaps it cannot be told what the patterns do to each other.
        if self.listed.get(at.0).is_some_and(|listed| !listed.whole) {
            return first.is_none().then(|| self.missed(pattern));
        }
        match (flaw, first.map(|first| first as usize)) {
            (Some(flaw @ (Flaw::Duplicate { .. } | Flaw::Excluded { .. })), _) => {
                Some(Cause::Flaw(flaw))
            }
            (_, Some(first)) if !left && !pattern.is_exclusion() => {
                Some(Cause::NothingLeft { first })
            }
            // What is a directory at HEAD will hardly become a file.
            (Some(Flaw::Covered { by, feature: Difference::LongerForAFile }), Some(first))
                if !self.is_file(pattern, first) =>
            {
                Some(Cause::Flaw(Flaw::Covered { by, feature: Difference::Same }))
            }
            (flaw, Some(_)) => flaw.map(Cause::Flaw),
            (_, None) => Some(self.missed(pattern)),
        }
    }

    /// Returns whether a literal is a file at HEAD; `first` is the first path that it matches.
    fn is_file(&self, pattern: &Pattern, first: usize) -> bool {
        let at_head = self.paths.get(first).filter(|path| !path.submodule);
        matches!((Meaning::of(pattern), at_head), (Meaning::Literal(path), Some(at_head))
            if path == at_head.path)
    }

    /// Returns why a pattern matches nothing at HEAD.
    fn missed(&self, pattern: &Pattern) -> Cause<'_> {
        let misspelled = match Meaning::of(pattern) {
            Meaning::Glob { .. } => {
                let at = self.misspelled.get(pattern.as_str()).and_then(|at| self.paths.get(*at));
                at.map(Cause::MisspelledGlob)
            }
            meaning => misspelled::place(self.tree(), meaning, pattern.is_directory_only())
                .map(|node| Cause::Misspelled(node.path)),
        };
        misspelled.unwrap_or(Cause::MatchesNothing)
    }

    fn say(&self, subject: Subject<'_>, cause: Cause<'_>) -> Finding {
        let Subject { listed, position, pattern } = subject;
        match cause {
            Cause::Flaw(flaw) => subject.flaw(flaw),
            Cause::NothingLeft { first } => {
                let list = &listed.cousin.subscriptions;
                let path = self.paths.get(first);
                let by = path.and_then(|path| excluded::taken_by(list, position, path));
                subject.excluded_at_head(by)
            }
            Cause::Misspelled(part) => subject.misspelled(part),
            Cause::MisspelledGlob(path) => {
                subject.misspelled(misspelled::matched_part(pattern, path))
            }
            Cause::MatchesNothing => subject.matches_nothing(self.tree()),
        }
    }
}

/// Why something is said of a pattern.
#[derive(Debug, Clone, Copy)]
enum Cause<'p> {
    /// By the text of the cousin's other patterns.
    Flaw(Flaw),
    /// Exclusions take each path that it matches; the first of them stands there.
    NothingLeft {
        first: usize,
    },
    /// It would be this path if it were spelled as at HEAD.
    Misspelled(&'p [u8]),
    /// It would match this path, or a directory above it, if it were spelled as at HEAD.
    MisspelledGlob(&'p ChangedPath),
    MatchesNothing,
}

impl Cause<'_> {
    fn weight(self, pattern: &Pattern) -> (Severity, Code) {
        match self {
            Self::Flaw(Flaw::Duplicate { .. }) => (Severity::Warning, Code::DuplicateSubscription),
            Self::Flaw(Flaw::Excluded { .. }) | Self::NothingLeft { .. } => {
                (Severity::Warning, Code::ExcludedSubscription)
            }
            // Whatever leaves it some effect may be wanted.
            Self::Flaw(
                Flaw::Covered { feature: Difference::Same, .. }
                | Flaw::Undone { naming: false, .. },
            ) => (Severity::Warning, Code::CoveredSubscription),
            Self::Flaw(Flaw::Covered { .. } | Flaw::Undone { .. }) => {
                (Severity::Note, Code::CoveredSubscription)
            }
            Self::Misspelled(_) | Self::MisspelledGlob(_) => {
                (Severity::Warning, Code::CaseOrUnicodeMismatch)
            }
            // An exclusion may stand there for what will come.
            Self::MatchesNothing if pattern.is_exclusion() => {
                (Severity::Note, Code::MatchesNothing)
            }
            Self::MatchesNothing => (Severity::Warning, Code::MatchesNothing),
        }
    }
}

fn disabled(listed: &Listed, findings: &mut Findings<'_>) {
    let span = listed.enabled.unwrap_or(listed.repo);
    findings.add(Severity::Note, Code::DisabledCousin, span, || {
        let repo = &listed.cousin.repo;
        Finding::new(
            format!(
                "{repo} is not enabled: it is listed and checked, and nothing is dispatched to it"
            ),
            "set \"enabled\" to true when it is ready",
        )
        .pointer(listed.at.key("enabled"))
        .repo(Some(repo.as_str()))
    });
}

#[cfg(test)]
mod tests;
