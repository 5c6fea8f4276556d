//! A monorepo that lives: a bare `origin`, an author who pushes to it, and runs of the program as
//! GitHub Actions starts them, each in a fresh checkout of depth 1 with the event of its push.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::ecosystem::Run;
use super::github::{TOKEN, Tester};

/// A monorepo with its cousins.
pub(crate) struct World<'t> {
    pub(crate) t: &'t Tester,
    /// The bare repository that is pushed to.
    pub(crate) origin: PathBuf,
    /// Where the author works.
    pub(crate) author: PathBuf,
    runs: std::cell::Cell<usize>,
}

/// Nothing in here lasts, and git's care for what does costs more than the rest.
const QUICK: &str = "[core]\n fsync = none\n[maintenance]\n auto = false\n[gc]\n auto = 0\n\
                     [init]\n templateDir =\n";

/// What a push event says.
#[derive(Debug, Clone)]
pub(crate) struct Pushed {
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) forced: bool,
}

impl<'t> World<'t> {
    /// Returns a monorepo with one commit: `features/a/file` to `features/d/file`, and the list of
    /// cousins.
    pub(crate) fn new(t: &'t Tester, cousins: &Value) -> Self {
        t.sandbox.write(&t.sandbox.home(), ".gitconfig", QUICK);
        let origin = t.sandbox.path().join("world.git");
        let here = t.sandbox.path();
        t.sandbox.git(here, &["init", "--quiet", "--bare", "-b", "main", "world.git"]);
        for setting in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            t.sandbox.git(&origin, &["config", setting, "true"]);
        }
        let author = t.sandbox.new_repository("author");
        t.sandbox.git(&author, &["remote", "add", "origin", origin.to_str().unwrap()]);
        let world = Self { t, origin, author, runs: std::cell::Cell::new(0) };
        world.list(cousins);
        let all = ["a", "b", "c", "d"].map(|name| (name, "0"));
        world.commit(&all);
        world.publish();
        world
    }

    /// Writes the list of cousins, which goes into the next commit.
    pub(crate) fn list(&self, cousins: &Value) {
        self.t.sandbox.write(&self.author, "ecosystem.json", &cousins.to_string());
    }

    /// Commits features with their contents and returns the commit.
    pub(crate) fn commit(&self, features: &[(&str, &str)]) -> String {
        for (name, content) in features {
            self.t.sandbox.write(&self.author, &format!("features/{name}/file"), content);
        }
        self.t.sandbox.commit_all(&self.author, "work")
    }

    /// Sets the author's branch to another commit.
    pub(crate) fn reset(&self, commit: &str) {
        self.t.sandbox.git(&self.author, &["reset", "--quiet", "--hard", commit]);
    }

    /// Returns the author's commit.
    pub(crate) fn head(&self) -> String {
        self.t.sandbox.rev(&self.author, "HEAD")
    }

    /// Pushes the author's branch to `origin`, by force if need be, and returns the event.
    pub(crate) fn publish(&self) -> Pushed {
        let sandbox = &self.t.sandbox;
        let show = ["for-each-ref", "--format=%(objectname)", "refs/heads/main"];
        let before = sandbox.git(&self.origin, &show);
        let before = if before.is_empty() { "0".repeat(40) } else { before };
        let after = self.head();
        let is_ahead = ["merge-base", "--is-ancestor", &before, &after];
        let forced = !before.starts_with("0000")
            && !sandbox.try_git(&self.author, &is_ahead, b"").status.success();
        sandbox.git(&self.author, &["push", "--quiet", "--force", "origin", "HEAD:main"]);
        Pushed { before, after, forced }
    }

    /// Commits features and pushes.
    pub(crate) fn push(&self, features: &[(&str, &str)]) -> Pushed {
        self.commit(features);
        self.publish()
    }

    /// Prepares the workflow run of a push: `ecosystem dispatch --watermarks`.
    pub(crate) fn run(&self, pushed: &Pushed) -> Run {
        self.run_in(&self.checkout(&pushed.after), pushed)
    }

    /// Prepares the same in another directory than a fresh checkout.
    pub(crate) fn run_in(&self, dir: &Path, pushed: &Pushed) -> Run {
        let event = json!({
            "ref": "refs/heads/main",
            "before": pushed.before,
            "after": pushed.after,
            "forced": pushed.forced,
            "repository": {"default_branch": "main"},
        });
        let event = self.t.file(&event.to_string());
        self.start(dir).env("GITHUB_EVENT_NAME", "push").env("GITHUB_EVENT_PATH", event)
    }

    /// Prepares a scheduled run for the commit that `main` stands at now.
    pub(crate) fn scheduled(&self) -> Run {
        self.scheduled_in(&self.checkout(&self.tip()))
    }

    /// Prepares the same in another directory than a fresh checkout.
    pub(crate) fn scheduled_in(&self, dir: &Path) -> Run {
        self.start(dir).env("GITHUB_EVENT_NAME", "schedule")
    }

    /// Returns the commit that `main` stands at now.
    pub(crate) fn tip(&self) -> String {
        self.t.sandbox.rev(&self.origin, "main")
    }

    fn start(&self, dir: &Path) -> Run {
        Run::new(&self.t.sandbox)
            .dir(dir)
            .env("GITHUB_REPOSITORY", "acme/monorepo")
            .env("GITHUB_REF", "refs/heads/main")
            .env("GITHUB_API_URL", self.t.url())
            .env("ECOSYSTEM_PAT", TOKEN)
            .args(["dispatch", "--watermarks", "--format", "json"])
    }

    /// Returns a checkout of depth 1 at a commit, as `actions/checkout` leaves it.
    pub(crate) fn checkout(&self, commit: &str) -> PathBuf {
        let name = format!("run-{}", self.runs.get());
        self.runs.set(self.runs.get() + 1);
        let sandbox = &self.t.sandbox;
        let dir = sandbox.new_repository(&name);
        let url = super::repository::file_url(&self.origin);
        sandbox.git(&dir, &["remote", "add", "origin", &url]);
        sandbox.git(&dir, &["fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit]);
        sandbox.git(&dir, &["checkout", "--quiet", "-B", "main", commit]);
        dir
    }

    /// Returns a clone with its whole history, a commit checked out, whose origin is this address.
    pub(crate) fn full_clone(&self, origin: &str, commit: &str) -> PathBuf {
        let name = format!("run-{}", self.runs.get());
        self.runs.set(self.runs.get() + 1);
        let sandbox = &self.t.sandbox;
        sandbox.git(sandbox.path(), &["clone", "--quiet", "--no-checkout", origin, &name]);
        let dir = sandbox.path().join(name);
        sandbox.git(&dir, &["fetch", "--quiet", "--no-tags", "origin", commit]);
        sandbox.git(&dir, &["checkout", "--quiet", "-B", "main", commit]);
        dir
    }

    /// Makes the bare repository run a shell script when it is pushed to.
    #[cfg(unix)]
    pub(crate) fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.origin.join("hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Returns where the refs of the tool stand, by the rest of their names.
    pub(crate) fn refs(&self) -> BTreeMap<String, String> {
        let format = "--format=%(refname) %(objectname)";
        let all = self.t.sandbox.git(&self.origin, &["for-each-ref", format, "refs/ecosystem"]);
        let line = |line: &str| {
            let (name, id) = line.split_once(' ').unwrap();
            (name.strip_prefix("refs/ecosystem/").unwrap().to_owned(), id.to_owned())
        };
        all.lines().map(line).collect()
    }

    /// Returns what each cousin has received since the last look: feature and commit, sorted.
    pub(crate) fn received(&self, after: usize) -> Vec<(String, String, String)> {
        let all = self.t.with(|model| {
            let text = |event: &ecosystem_dispatcher::embedded_github::Event, key: &str| {
                event.client_payload[key].as_str().unwrap().to_owned()
            };
            let events = model.events().iter().skip(after).map(|event| {
                let feature = text(event, "updated_feature");
                (event.repository.clone(), feature, text(event, "commit_sha"))
            });
            events.collect::<Vec<_>>()
        });
        self.t.delivered();
        self.t.tried();
        let mut all = all;
        all.sort();
        all
    }
}
