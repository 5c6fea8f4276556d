//! What a pull request says of a unit: everything that its text is made of.

use super::Parcel;
use crate::actions;
use crate::cli::sync::course::Course;
use crate::names::{FeaturePath, RepoName};
use crate::sync::dependencies;
use crate::sync::outcome::{Brought, ChangeKind, PullRequest};
use crate::sync::proposal::{ConflictNote, FileChange, FileStatus, Marker, Proposal};

/// Returns the pull request that would be opened.
pub(super) fn preview(
    course: &Course<'_, '_>,
    parcel: &Parcel<'_>,
    brought: &Brought,
) -> PullRequest {
    let written = Written::new(course, parcel, brought);
    let proposal = written.proposal();
    PullRequest {
        number: None,
        url: None,
        draft: parcel.made.conflicts,
        title: proposal.title(),
        body: proposal.body(),
    }
}

/// What a proposal borrows.
pub(super) struct Written<'a> {
    source: &'a RepoName,
    server: &'a str,
    run_url: Option<String>,
    features: Vec<FeaturePath>,
    into: FeaturePath,
    parcel: &'a Parcel<'a>,
    files: Vec<FileChange>,
    conflicts: Vec<ConflictNote>,
    dependencies: Vec<dependencies::Change>,
    /// Sentences of ours for the reader.
    pub(super) notes: Vec<String>,
}

impl<'a> Written<'a> {
    pub(super) fn new(course: &Course<'a, '_>, parcel: &'a Parcel<'a>, brought: &Brought) -> Self {
        let request = course.request;
        let files = brought.changes.iter();
        let files = files.map(|it| FileChange { path: it.path.clone(), status: status(it.kind) });
        let conflicts = brought.conflicts.iter();
        let conflicts =
            conflicts.map(|it| ConflictNote { path: it.path.clone(), what: it.describe() });
        let into = parcel.unit.subscriptions.first();
        let into = into.map(|it| it.into.as_bytes()).unwrap_or_default();
        Self {
            source: &request.source_name,
            server: actions::server_url(request.environment).trim_end_matches('/'),
            run_url: actions::run_url(request.environment),
            features: parcel.unit.features(),
            into: FeaturePath::new(into),
            parcel,
            files: files.collect(),
            conflicts: conflicts.collect(),
            dependencies: brought.dependencies.clone(),
            notes: parcel.made.notes.clone(),
        }
    }

    /// Returns what the text will remember.
    pub(super) fn marker(parcel: &Parcel<'_>) -> Marker {
        Marker::new(&parcel.unit.features(), &parcel.good.record.id, &parcel.made.content)
    }

    pub(super) fn proposal(&self) -> Proposal<'_> {
        let Parcel { unit, good, made } = self.parcel;
        Proposal {
            features: &self.features,
            into: &self.into,
            source: self.source,
            server: self.server,
            previous: made.previous.as_ref(),
            commit: &good.record.id,
            tree: &made.content,
            method: unit.method().as_str(),
            commits: &made.news,
            files: &self.files,
            dependencies: &self.dependencies,
            conflicts: &self.conflicts,
            notes: &self.notes,
            run_url: self.run_url.as_deref(),
        }
    }
}

fn status(kind: ChangeKind) -> FileStatus {
    match kind {
        ChangeKind::Added => FileStatus::Added,
        ChangeKind::Modified => FileStatus::Modified,
        ChangeKind::Deleted => FileStatus::Deleted,
    }
}
