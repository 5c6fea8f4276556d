//! A monorepo and a cousin that lives off it, both at an embedded GitHub with real bare
//! repositories: what a test of `ecosystem sync` is lent. The author works in a clone of the
//! monorepo, a person in a clone of the cousin, and each run of the workflow in a checkout of its
//! own.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use ecosystem_dispatcher::embedded_github::{
    Limits, MergeMethod, Model, PullRequest, Repository, Token,
};
use ecosystem_dispatcher::git::command::Git;
use serde_json::{Value, json};

use super::ecosystem::{Done, Run};
use super::github::Server;
use super::repository::Sandbox;

/// The job's token, which no output may hold.
pub(crate) const TOKEN: &str = "canary-job-token-77aa02";

pub(crate) const SOURCE: &str = "acme/monorepo";
pub(crate) const COUSIN: &str = "acme/web";

/// The feature that the cousin follows, if a test says nothing else.
pub(crate) const FEATURE: &str = "features/push";

/// A monorepo, a cousin, and their GitHub.
pub(crate) struct Circle {
    pub(crate) sandbox: Sandbox,
    server: Server,
    /// The author's clone of the monorepo.
    pub(crate) mono: PathBuf,
    /// A person's clone of the cousin.
    pub(crate) web: PathBuf,
    runs: Cell<usize>,
}

impl Circle {
    /// A cousin with this `subscriptions.json`; the monorepo has three files in [`FEATURE`].
    pub(crate) fn new(subscriptions: &Value) -> Self {
        Self::with(subscriptions, |it| it, |it| it)
    }

    /// A cousin that follows [`FEATURE`] by a method, in `src/push`.
    pub(crate) fn by(method: &str) -> Self {
        let into = if matches!(method, "squash" | "rebase") { FEATURE } else { "src/push" };
        let subscription = json!({ "feature": FEATURE, "into": into, "method": method });
        Self::new(&json!({ "source": SOURCE, "subscriptions": [subscription] }))
    }

    /// A cousin that is a fork of the monorepo and follows [`FEATURE`] by `rebase`.
    pub(crate) fn forked() -> Self {
        let subscription = json!({ "feature": FEATURE, "method": "rebase" });
        let subscriptions = json!({ "source": SOURCE, "subscriptions": [subscription] });
        Self::made(&subscriptions, true, |it| it, |it| it)
    }

    /// As [`Circle::new`], with a cousin's repository and a model as they are described.
    pub(crate) fn with(
        subscriptions: &Value,
        describe: impl FnOnce(Repository) -> Repository,
        more: impl FnOnce(Model) -> Model,
    ) -> Self {
        Self::made(subscriptions, false, describe, more)
    }

    fn made(
        subscriptions: &Value,
        is_fork: bool,
        describe: impl FnOnce(Repository) -> Repository,
        more: impl FnOnce(Model) -> Model,
    ) -> Self {
        let sandbox = Sandbox::new();
        let bare = |name: &str| {
            sandbox.git(sandbox.path(), &["init", "-q", "--bare", "-b", "main", name]);
            sandbox.path().join(name)
        };
        let (source, cousin) = (bare("monorepo.git"), bare("web.git"));
        let path = std::env::var_os("PATH").map(|path| ("PATH".into(), path));
        let model = Model::new()
            .limits(Limits::none())
            .git_program(Git::new(path))
            .token(
                TOKEN,
                Token::built_in(COUSIN).may_write_pull_requests(COUSIN).may_write_issues(COUSIN),
            )
            .repository_with(SOURCE, |it| it.git(&source))
            .repository_with(COUSIN, |it| describe(it.git(&cousin)));
        let server = Server::start(more(model));
        let mono = sandbox.clone(&source, "mono", &[]);
        let web = sandbox.clone(&cousin, "web", &[]);
        for dir in [&mono, &web] {
            sandbox.git(dir, &["symbolic-ref", "HEAD", "refs/heads/main"]);
        }
        let circle = Self { sandbox, server, mono, web, runs: Cell::new(0) };
        circle.upstream("the beginning", |mono| {
            write(mono, "features/push/app.txt", lines("app"));
            write(mono, "features/push/lib/deep/util.txt", lines("util"));
            write(mono, "features/push/README.md", "push\n");
            write(mono, "features/other/x.txt", "other\n");
        });
        if is_fork {
            let source = source.to_str().unwrap();
            circle.sandbox.git(&circle.web, &["fetch", "-q", source, "main"]);
            circle.sandbox.git(&circle.web, &["reset", "-q", "--hard", "FETCH_HEAD"]);
            circle.sandbox.git(&circle.web, &["push", "-q", "origin", "HEAD"]);
        }
        circle.here("the cousin's beginning", |web| {
            write(web, "subscriptions.json", format!("{subscriptions:#}\n"));
            write(web, "own.txt", "the cousin's own\n");
        });
        circle
    }

    /// Returns GitHub's address.
    pub(crate) fn url(&self) -> &str {
        self.server.github.url()
    }

    /// Looks at GitHub or changes it.
    pub(crate) fn github<R>(&self, use_model: impl FnOnce(&mut Model) -> R) -> R {
        self.server.github.with(use_model)
    }

    /// Commits what `edit` does to the monorepo's work tree, pushes it, and returns the commit.
    pub(crate) fn upstream(&self, message: &str, edit: impl FnOnce(&Path)) -> String {
        self.push(&self.mono, message, edit)
    }

    /// Commits what a person does to the cousin's `main`, and pushes it.
    pub(crate) fn here(&self, message: &str, edit: impl FnOnce(&Path)) -> String {
        if self
            .sandbox
            .try_git(&self.web, &["rev-parse", "-q", "--verify", "main"], b"")
            .status
            .success()
        {
            self.sandbox.git(&self.web, &["checkout", "-q", "main"]);
            self.sandbox.git(&self.web, &["pull", "-q", "--ff-only", "origin", "main"]);
        }
        self.push(&self.web, message, edit)
    }

    /// Commits what a person does on the branch of a pull request, and pushes it.
    pub(crate) fn on_branch(
        &self,
        branch: &str,
        message: &str,
        edit: impl FnOnce(&Path),
    ) -> String {
        self.sandbox.git(&self.web, &["fetch", "-q", "origin"]);
        self.sandbox.git(&self.web, &["checkout", "-q", "-B", branch, &format!("origin/{branch}")]);
        let commit = self.push(&self.web, message, edit);
        self.sandbox.git(&self.web, &["checkout", "-q", "main"]);
        commit
    }

    fn push(&self, dir: &Path, message: &str, edit: impl FnOnce(&Path)) -> String {
        edit(dir);
        let commit = self.sandbox.commit_all(dir, message);
        self.sandbox.git(dir, &["push", "-q", "origin", "HEAD"]);
        commit
    }

    /// Returns a fresh checkout of the cousin's `main` at depth 1, as `actions/checkout` leaves it,
    /// with its origin at the embedded GitHub.
    pub(crate) fn checkout(&self) -> PathBuf {
        self.checkout_with(&["--depth=1"])
    }

    /// As [`Circle::checkout`], with other options of `git clone`.
    pub(crate) fn checkout_with(&self, options: &[&str]) -> PathBuf {
        self.runs.set(self.runs.get() + 1);
        let name = format!("run-{}", self.runs.get());
        let dir = self.sandbox.clone(&self.sandbox.path().join("web.git"), &name, options);
        let url = format!("{}/{COUSIN}", self.url());
        self.sandbox.git(&dir, &["remote", "set-url", "origin", &url]);
        dir
    }

    /// Prepares `ecosystem sync` in a checkout, with a token, as far as the environment goes.
    pub(crate) fn sync_in(&self, checkout: &Path) -> Run {
        Run::new(&self.sandbox)
            .dir(checkout)
            .env("GITHUB_API_URL", self.url())
            .env("GITHUB_SERVER_URL", self.url())
            .env("GITHUB_REPOSITORY", COUSIN)
            .env("GITHUB_TOKEN", TOKEN)
            .arg("sync")
    }

    /// Prepares `ecosystem sync` in a fresh checkout.
    pub(crate) fn sync(&self) -> Run {
        self.sync_in(&self.checkout())
    }

    /// Runs `ecosystem sync --pull` in a fresh checkout to its end, and returns its report.
    pub(crate) fn pull(&self) -> Value {
        self.sync().args(["--pull", "--format", "json"]).run().expect_code(0).json()
    }

    /// Runs `ecosystem sync` on an event in a fresh checkout.
    pub(crate) fn on_event(&self, payload: &Value) -> Done {
        self.sync()
            .env("GITHUB_EVENT_NAME", "repository_dispatch")
            .env("GITHUB_EVENT_PATH", self.event(payload))
            .args(["--format", "json"])
            .run()
    }

    /// Writes the event's file and returns where.
    pub(crate) fn event(&self, payload: &Value) -> PathBuf {
        self.runs.set(self.runs.get() + 1);
        let path = self.sandbox.path().join(format!("event-{}.json", self.runs.get()));
        let event = json!({ "action": "feature-update", "client_payload": payload });
        std::fs::write(&path, event.to_string()).unwrap();
        path
    }

    /// Returns the cousin's pull requests, oldest first.
    pub(crate) fn pulls(&self) -> Vec<PullRequest> {
        self.github(|model| model.pull_requests_of(COUSIN))
    }

    /// Merges a pull request.
    pub(crate) fn merge(&self, number: u64, method: MergeMethod) {
        self.github(|model| model.merge_pull_request(COUSIN, number, method)).unwrap();
    }

    /// Runs git in the cousin's bare repository.
    pub(crate) fn bare(&self, args: &[&str]) -> String {
        self.sandbox.git(&self.sandbox.path().join("web.git"), args)
    }

    /// Returns the text of a file of the cousin at a revision.
    pub(crate) fn at(&self, revision: &str, path: &str) -> String {
        self.bare(&["cat-file", "blob", &format!("{revision}:{path}")])
    }
}

/// Writes a file and the directories above it.
pub(crate) fn write(dir: &Path, path: &str, content: impl AsRef<[u8]>) {
    let file = dir.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content).unwrap();
}

/// Returns nine lines that belong to something.
pub(crate) fn lines(of: &str) -> String {
    (1..=9).map(|n| format!("{of} {n}\n")).collect()
}

/// Changes one line of a file.
pub(crate) fn change(dir: &Path, path: &str, from: &str, to: &str) {
    let file = dir.join(path);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{path} does not hold {from:?}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}
