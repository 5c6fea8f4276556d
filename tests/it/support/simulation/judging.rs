//! What came of the runs that were started together, judged by the law.

use std::collections::{BTreeMap, BTreeSet};

use super::{Simulation, Start, concerns};
use crate::support::ecosystem::Done;
use crate::support::oracle::At;

/// Runs that have ended.
pub(super) struct Runs<'r> {
    pub(super) starts: &'r [Start],
    /// The commit of each.
    pub(super) heads: &'r [String],
    /// The newest commit when they started.
    pub(super) tip: &'r str,
    /// None for one that was killed.
    pub(super) ended: &'r [Option<Done>],
}

impl Runs<'_> {
    fn alone(&self) -> bool {
        self.starts.len() == 1
    }

    fn each(&self) -> impl Iterator<Item = (&Start, &String, Option<&Done>)> {
        let starts = self.starts.iter().zip(self.heads);
        starts.zip(self.ended).map(|((start, head), done)| (start, head, done.as_ref()))
    }

    /// Returns what they said, for a failure.
    fn said(&self) -> String {
        let said =
            |done: &Done| format!("\n--- exit {:?}\n{}{}", done.code, done.stdout, done.stderr);
        self.ended.iter().flatten().map(said).collect()
    }
}

impl Simulation<'_> {
    /// Judges runs, and remembers what each cousin has received.
    pub(super) fn judge(&mut self, runs: &Runs<'_>, delivers: Option<&[String]>) {
        let refused = self.refused_since();
        let refs = self.world.refs();
        if !self.begun && refs.keys().any(|name| name.starts_with("watermarks/")) {
            self.begins(runs);
        }
        let told = self.take_events(runs);
        if let Some(delivers) = delivers {
            let mut delivers = delivers.to_vec();
            delivers.sort();
            if told != delivers {
                let why = format!("it delivered {told:?} instead of {delivers:?}");
                self.fail(&format!("{why}{}", runs.said()));
            }
        }
        for (start, head, done) in runs.each() {
            for (name, knows) in &mut self.knows {
                if concerns(start, &self.lists[head], name) {
                    let whole = runs.alone() && done.is_some() && !refused.contains(name);
                    knows.ran(&self.commits, head, runs.tip, whole);
                }
            }
        }
        self.judge_exits(runs, &refused);
        if let [Some(Done { code: Some(0), .. })] = runs.ended
            && runs.heads[0] == runs.tip
        {
            self.all_is_quiet(runs, &refs);
        }
        self.judge_refs(runs, &refs);
    }

    /// Returns the cousins that have refused a request since the last look.
    fn refused_since(&self) -> BTreeSet<String> {
        self.world.t.with(|model| {
            let new = model.requests().iter().skip(self.seen.1);
            let refused = new.filter(|request| request.status == Some(403));
            refused.map(|request| request.path.split('/').nth(3).unwrap().to_owned()).collect()
        })
    }

    /// Something is recorded for the first time: from the base of that run on it is known what each
    /// cousin has received.
    fn begins(&mut self, runs: &Runs<'_>) {
        self.begun = true;
        let before = self.pushed(&runs.starts[0]).map(|pushed| pushed.before.clone());
        let base = before.filter(|before| !before.starts_with("0000"));
        for (name, enabled) in &self.lists[&runs.heads[0]] {
            if *enabled {
                self.knows.get_mut(name).unwrap().begins_at(&base);
            }
        }
    }

    fn judge_exits(&self, runs: &Runs<'_>, refused: &BTreeSet<String>) {
        for (start, head, done) in runs.each() {
            let Some(done) = done else { continue };
            let unknown = start.only.as_ref().is_some_and(|it| !self.lists[head].contains_key(it));
            let ends_well = match done.code {
                Some(0) => !unknown && (refused.is_empty() || !runs.alone()),
                Some(1) => !refused.is_empty(),
                Some(2) => unknown,
                _ => false,
            };
            if !ends_well {
                self.fail(&format!("an exit code is wrong{}", runs.said()));
            }
        }
    }

    fn judge_refs(&self, runs: &Runs<'_>, refs: &BTreeMap<String, String>) {
        for (name, knows) in &self.knows {
            let at: At = refs.get(&format!("watermarks/acme/{name}")).cloned();
            if self.begun && !knows.possible.contains(&at) {
                let possible = &knows.possible;
                let why = format!("{name} has its watermark at {at:?}, not in {possible:?}");
                self.fail(&format!("{why}{}", runs.said()));
            }
        }
    }

    fn all_is_quiet(&mut self, runs: &Runs<'_>, refs: &BTreeMap<String, String>) {
        let mut missed = Vec::new();
        for (name, knows) in &mut self.knows {
            if !concerns(&runs.starts[0], &self.lists[runs.tip], name) {
                continue;
            }
            let rests = knows.rests(&self.commits, runs.tip);
            missed.extend(rests.into_iter().map(|it| format!("{name} {it}")));
            if refs.contains_key(&format!("failing/acme/{name}")) {
                missed.push(format!("{name} is still marked as failing"));
            }
        }
        if !missed.is_empty() {
            self.fail(&format!("{}{}", missed.join("\n"), runs.said()));
        }
    }

    /// Takes what GitHub took since the last look, and judges each event by itself.
    fn take_events(&mut self, runs: &Runs<'_>) -> Vec<String> {
        let t = self.world.t;
        let (events, requests) = t.with(|model| {
            let new: Vec<_> = model.events().iter().skip(self.seen.0).cloned().collect();
            (new, model.requests().len())
        });
        self.seen = (self.seen.0 + events.len(), requests);
        t.delivered();
        t.tried();
        let mut told = Vec::new();
        // What was known before any of them: of two events of a run none calls for the other.
        let knew = self.knows.clone();
        for event in events {
            let text = |key: &str| event.client_payload[key].as_str().unwrap().to_owned();
            let name = event.repository.strip_prefix("acme/").unwrap().to_owned();
            let feature = text("updated_feature").strip_prefix("features/").unwrap().to_owned();
            let (commit, id) = (text("commit_sha"), text("dispatch_id"));
            let shown = format!("{name}:{feature}");
            if !runs.heads.contains(&commit) {
                self.fail(&format!("{shown} was told of {commit}, of which was no run"));
            }
            let knows = &knew[&name];
            let mut bases = knows.clone();
            if !runs.alone() {
                bases.possible.extend(runs.heads.iter().cloned().map(Some));
            }
            if !bases.is_called_for(&self.commits, &commit, runs.tip, &feature) {
                self.fail(&format!("nothing called for {shown} at {commit}, {knows:?}"));
            }
            if runs.alone() && told.contains(&shown) {
                self.fail(&format!("{shown} was told twice by one run"));
            }
            let key = (name.clone(), feature.clone(), commit.clone());
            if self.ids.entry(key).or_insert_with(|| id.clone()) != &id {
                self.fail(&format!("{shown} at {commit} has another id than before"));
            }
            self.knows.get_mut(&name).unwrap().received(&feature, &commit);
            told.push(shown);
        }
        told.sort();
        told
    }
}
