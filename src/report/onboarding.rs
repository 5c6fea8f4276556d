//! What `onboard` did, as one value with two renderings: text for people, JSON for programs. It
//! decides nothing. The JSON's fields are a contract: fields may be added, none is renamed or
//! removed while `schema` is 1.

use std::fmt::Write as _;

use serde::Serialize;

use super::human::counted;
use super::validation::{Finding, SHOWN};
use super::{Dispatch, Warning, Written};
use crate::ecosystem::Diagnosis;
use crate::names::{CommitSha, RepoName};
use crate::text;
use crate::text::paint::Paint;

/// The version of the JSON document.
const SCHEMA: u32 = 1;

/// What was done to bring a cousin in.
#[derive(Debug)]
pub struct Onboarding {
    /// The cousin.
    pub cousin: RepoName,
    /// The monorepo.
    pub source: RepoName,
    /// Its trusted branch.
    pub branch: String,
    /// HEAD.
    pub commit: CommitSha,
    /// Whether nothing was to be written or sent.
    pub dry_run: bool,
    /// What was done to the list.
    pub list: List,
    /// What it would get if every path at HEAD had changed.
    pub features: Vec<Feature>,
    /// `percent` when some features are not UTF-8.
    pub path_encoding: Option<&'static str>,
    /// The cousin's own files.
    pub files: Vec<File>,
    /// The pull request that brings them to the cousin, where one was asked for.
    pub pull_request: Option<Proposed>,
    /// What was found about its entry.
    pub findings: Diagnosis,
    /// What deserves attention besides.
    pub warnings: Vec<Warning>,
    /// Why nothing was written.
    pub refused: Option<String>,
    /// What became of the probe, where there was one.
    pub probe: Option<Dispatch>,
    /// What a person has to do, in order.
    pub next: Vec<String>,
}

/// What was done to `ecosystem.json`.
#[derive(Debug, Clone, Serialize)]
pub struct List {
    /// Its name.
    pub file: String,
    /// `created`, `added`, `subscribed` or `unchanged`.
    pub change: &'static str,
    /// The subscriptions that were added.
    pub added: Vec<String>,
    /// Whether the cousin is dispatched to.
    pub enabled: bool,
    /// Whether the file was written.
    pub written: bool,
}

/// A feature that the cousin's subscriptions match.
#[derive(Debug, Clone, Serialize)]
pub struct Feature {
    /// Its path.
    #[serde(serialize_with = "super::as_shown")]
    pub feature: Written,
    /// How many paths belong to it.
    pub paths: usize,
}

/// A file for the cousin.
#[derive(Debug, Clone, Serialize)]
pub struct File {
    /// Its path in the cousin.
    pub path: &'static str,
    /// Where it was put, or would be; null where it is only shown.
    pub place: Option<String>,
    /// Whether it was written; not when it was there already.
    pub written: bool,
    /// All of it, where it is shown.
    pub content: Option<String>,
}

/// The pull request with the cousin's files.
#[derive(Debug, Clone, Serialize)]
pub struct Proposed {
    /// `planned`, `opened`, `updated`, `unchanged`, or `not-needed` where the cousin has the files on
    /// its default branch.
    pub state: &'static str,
    /// Its branch.
    pub branch: &'static str,
    /// The branch that it goes into; null where nobody was asked.
    pub base: Option<String>,
    /// Its number; null where there is none.
    pub number: Option<u64>,
    /// Its page.
    pub url: Option<String>,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
}

impl Proposed {
    /// Returns whether nothing can work before it is merged.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        matches!(self.state, "opened" | "updated" | "unchanged")
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    cousin: &'a RepoName,
    source: &'a RepoName,
    branch: &'a str,
    commit: &'a CommitSha,
    dry_run: bool,
    ecosystem: &'a List,
    path_encoding: Option<&'static str>,
    features: &'a [Feature],
    files: &'a [File],
    pull_request: Option<&'a Proposed>,
    findings: Vec<Finding<'a>>,
    warnings: &'a [Warning],
    refused: Option<&'a str>,
    probe: Option<&'a Dispatch>,
    next: &'a [String],
}

impl Onboarding {
    /// Returns one JSON document, indented, with a newline at its end.
    #[must_use]
    pub fn json(&self) -> String {
        super::document(&Document {
            schema: SCHEMA,
            cousin: &self.cousin,
            source: &self.source,
            branch: &self.branch,
            commit: &self.commit,
            dry_run: self.dry_run,
            ecosystem: &self.list,
            path_encoding: self.path_encoding,
            features: &self.features,
            files: &self.files,
            pull_request: self.pull_request.as_ref(),
            findings: self.findings.diagnostics().iter().map(Finding::of).collect(),
            warnings: &self.warnings,
            refused: self.refused.as_deref(),
            probe: self.probe.as_ref(),
            next: &self.next,
        })
    }

    /// Returns text of several lines for people.
    #[must_use]
    pub fn human(&self, paint: Paint) -> String {
        let mut out = String::new();
        // Writing to a string never fails.
        let _ = writeln!(out, "{}", self.listed(paint));
        for pattern in &self.list.added {
            let _ = writeln!(out, "  + {}", text::shown(pattern.as_bytes()));
        }
        self.table(&mut out, paint);
        for file in &self.files {
            self.file(&mut out, file, paint);
        }
        self.proposed(&mut out, paint);
        let _ = writeln!(out, "\n{}", self.findings.render(paint, SHOWN));
        if let Some(probe) = &self.probe {
            let _ = writeln!(out, "{}  {}", paint.dim("probe"), probed(probe, paint));
        }
        if !self.next.is_empty() {
            let _ = writeln!(out, "\n{}", paint.bold("What is left to do"));
            for (at, step) in self.next.iter().enumerate() {
                let _ = writeln!(out, "{}. {}", at + 1, text::shown(step.as_bytes()));
            }
        }
        out
    }

    /// Says what was done to the list.
    fn listed(&self, paint: Paint) -> String {
        let List { file, change, enabled, written, .. } = &self.list;
        let said = match *change {
            "created" => format!("is the first cousin of a new {file}"),
            "added" => format!("is added to {file}"),
            "subscribed" => format!("is in {file} already and follows more now"),
            _ if *written => format!("is enabled in {file} now"),
            _ => format!("is in {file} already, with all of this"),
        };
        let unwritten = match *change {
            "unchanged" => "",
            _ if *written => "",
            _ => " (not written)",
        };
        let disabled = if *enabled { "" } else { ", not enabled" };
        format!("{} {said}{disabled}{unwritten}", paint.bold(self.cousin.as_str()))
    }

    fn table(&self, out: &mut String, paint: Paint) {
        let shown: Vec<String> = self
            .features
            .iter()
            .map(|it| text::shown(it.feature.as_bytes()).into_owned())
            .collect();
        if !shown.is_empty() {
            let width = shown.iter().map(|it| it.chars().count()).max().unwrap_or(0).max(7);
            let _ = writeln!(out, "\n{}", paint.dim(&format!("{:<width$}  paths", "feature")));
            for (name, feature) in shown.iter().zip(&self.features) {
                let _ = writeln!(out, "{name:<width$}  {:>5}", feature.paths);
            }
        }
        let (count, commit) = (counted(self.features.len(), "feature"), self.commit.short());
        let _ = writeln!(out, "\nat HEAD, {commit}, it would get {count} of {}", self.source);
    }

    fn proposed(&self, out: &mut String, paint: Paint) {
        let Some(it) = &self.pull_request else { return };
        let into = it.base.as_ref().map(|base| format!(" into {}", text::shown(base.as_bytes())));
        let number = it.number.map(|number| format!("#{number} ")).unwrap_or_default();
        let said = match it.state {
            "planned" => format!("would be opened at {}, from {}", self.cousin, it.branch),
            "opened" => format!("{number}opened, from {}{}", it.branch, into.unwrap_or_default()),
            "updated" => format!("{number}brought up to date"),
            "not-needed" => format!("none: {} has both files", self.cousin),
            _ => format!("{number}is open already, with all of this"),
        };
        let _ = writeln!(out, "\n{}  {said}", paint.bold("pull request"));
        if let Some(url) = &it.url {
            let _ = writeln!(out, "{}", text::shown(url.as_bytes()));
        }
        if it.state == "planned" {
            let _ = writeln!(out, "{}\n", text::shown(it.title.as_bytes()));
            // The hidden comment is nothing for people here.
            let lines = it.body.lines().filter(|line| !line.starts_with("<!--"));
            for line in lines {
                let _ = writeln!(out, "  {}", text::shown(line.as_bytes()));
            }
        }
    }

    fn file(&self, out: &mut String, file: &File, paint: Paint) {
        let said = match (&file.place, file.written) {
            (Some(place), true) if self.pull_request.is_some() => format!("in {place}"),
            (Some(place), true) => format!("written to {place}"),
            (Some(place), false) if file.content.is_none() => format!("is there already: {place}"),
            (Some(place), false) => format!("would be written to {place}"),
            (None, _) => format!("for {}", self.cousin),
        };
        let _ = writeln!(out, "\n{}  {said}", paint.bold(file.path));
        if let Some(content) = &file.content {
            out.push_str(content);
        }
    }
}

/// Says what became of the probe.
fn probed(probe: &Dispatch, paint: Paint) -> String {
    let what = text::shown(probe.updated_feature.as_bytes()).into_owned();
    let outcome = super::human::painted(paint, probe.outcome);
    let mut said = format!("{what}: {outcome}");
    let more = [probe.confirmation, probe.run_url.as_deref(), probe.error.as_deref()];
    for more in more.into_iter().flatten() {
        let _ = write!(said, ", {}", text::shown(more.as_bytes()));
    }
    said
}
