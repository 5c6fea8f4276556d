//! What a test of `ecosystem dispatch` is lent: a sandbox, a checkout of the sample monorepo with
//! `step/head` just pushed, and a GitHub on a real socket. When the test is over everything that
//! reached GitHub must have been looked at: a request to a repository that nobody asked for, a
//! request that is no dispatch, and an event that nobody read each fail the test.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ecosystem_dispatcher::embedded_github::Token;
use ecosystem_dispatcher::embedded_github::{
    EmbeddedGitHub, Event, Fault, Limits, Model, Received,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::ecosystem::{Done, Run};
use super::repository::Sandbox;

/// The token in `ECOSYSTEM_PAT`, which no output may hold.
pub(crate) const TOKEN: &str = "canary-pat-4f1c9a7e";

/// The commits of the sample's last push.
pub(crate) const BASE: &str = "8adb1edc35ae0390c8b1ff169bc8d20c649ab9d6";
pub(crate) const HEAD: &str = "d3eb70e1a51d32042dfb601506713bbbfa440b19";

/// A feature that the last push changed.
pub(crate) const FEATURE: &str = "features/webpush/flask";

/// Runs a test against a GitHub that has the cousins of the sample as `fixtures/README.md` tells.
pub(crate) fn run_test(test: impl FnOnce(&Tester)) {
    let names = ["docs-site", "flask-push-demo", "flask-starter", "push-service", "pwa-gallery"];
    let model = names
        .into_iter()
        .chain(["react-components", "portfolio"])
        .fold(Model::new(), |model, name| model.repository(&format!("acme/{name}")))
        .repository_with("acme/old-name", |it| it.renamed_to("acme/new-name"));
    run_test_with(model, test);
}

/// Runs a test against this GitHub, to which a token that may write everything is added.
pub(crate) fn run_test_with(model: Model, test: impl FnOnce(&Tester)) {
    Tester::start(model, true).lend(test);
}

/// As [`run_test_with`], for a test that makes its own monorepo: there is no sample.
pub(crate) fn run_test_without_sample(model: Model, test: impl FnOnce(&Tester)) {
    Tester::start(model, false).lend(test);
}

/// Returns a GitHub without limits that has repositories of these names.
pub(crate) fn github_with<'a>(names: impl IntoIterator<Item = &'a str>) -> Model {
    names.into_iter().fold(Model::new().limits(Limits::none()), Model::repository)
}

/// What a test is lent.
pub(crate) struct Tester {
    pub(crate) sandbox: Sandbox,
    /// The sample monorepo, as GitHub has it.
    pub(crate) monorepo: PathBuf,
    /// A clone of it, `main` checked out.
    pub(crate) checkout: PathBuf,
    server: Server,
    /// The numbers of the requests that the test has looked at.
    seen: RefCell<BTreeSet<usize>>,
    files: Cell<usize>,
}

impl Tester {
    fn start(model: Model, with_sample: bool) -> Self {
        let model = model.token(TOKEN, Token::may_write_all().labelled("pat"));
        let sandbox = Sandbox::new();
        let (monorepo, checkout) = if with_sample {
            let monorepo = sandbox.sample_monorepo();
            let checkout = sandbox.clone(&monorepo, "checkout", &[]);
            (monorepo, checkout)
        } else {
            (sandbox.path().join("no-monorepo"), sandbox.path().join("no-checkout"))
        };
        let server = Server::start(model);
        Self { sandbox, monorepo, checkout, server, seen: RefCell::default(), files: Cell::new(0) }
    }

    fn lend(self, test: impl FnOnce(&Self)) {
        test(&self);
        self.nothing_is_left_over();
    }

    /// Returns GitHub's address.
    pub(crate) fn url(&self) -> &str {
        self.server.github.url()
    }

    /// Looks at GitHub or changes it; nothing counts as looked at by that.
    pub(crate) fn with<R>(&self, use_model: impl FnOnce(&mut Model) -> R) -> R {
        self.server.github.with(use_model)
    }

    /// Lets the next requests to a repository meet a fault.
    pub(crate) fn fault(&self, repository: &str, fault: Fault) {
        self.server.github.fault(repository, fault);
    }

    /// Prepares `ecosystem dispatch` as a workflow's step after the push of `step/head`, with a
    /// token, but outside of GitHub Actions as far as the output goes.
    pub(crate) fn push(&self) -> Run {
        Run::new(&self.sandbox)
            .dir(&self.checkout)
            .event("push", "push.json")
            .env("GITHUB_ACTIONS", "false")
            .env("GITHUB_API_URL", self.url())
            .env("ECOSYSTEM_PAT", TOKEN)
            .arg("dispatch")
    }

    /// Prepares `ecosystem send` with a token, outside of GitHub Actions and of any repository.
    pub(crate) fn sending(&self) -> Run {
        Run::new(&self.sandbox)
            .env("GITHUB_API_URL", self.url())
            .env("ECOSYSTEM_PAT", TOKEN)
            .arg("send")
    }

    /// Prepares the same as [`Tester::push`] as a step of GitHub Actions, with the files that the runner makes.
    pub(crate) fn action(&self) -> Run {
        self.as_a_step(self.push())
    }

    /// Makes a step of GitHub Actions of a run, with the files that the runner makes.
    pub(crate) fn as_a_step(&self, run: Run) -> Run {
        let temporary = self.sandbox.path().join("runner");
        std::fs::create_dir_all(&temporary).unwrap();
        run.env("GITHUB_ACTIONS", "true")
            .env("GITHUB_RUN_ID", "42")
            .env("GITHUB_REF", "refs/heads/main")
            .env("RUNNER_TEMP", &temporary)
            .env("GITHUB_OUTPUT", self.runner_file("output"))
            .env("GITHUB_STEP_SUMMARY", self.runner_file("summary"))
    }

    fn runner_file(&self, name: &str) -> PathBuf {
        let file = self.sandbox.path().join("runner").join(name);
        std::fs::write(&file, "").unwrap();
        file
    }

    /// Returns what the last step wrote to one of the runner's files.
    pub(crate) fn written(&self, name: &str) -> String {
        std::fs::read_to_string(self.sandbox.path().join("runner").join(name)).unwrap()
    }

    /// Returns the outputs of the last step, read as the runner reads them.
    pub(crate) fn outputs(&self) -> BTreeMap<String, String> {
        let text = self.written("output");
        let mut lines = text.split('\n');
        let mut outputs = BTreeMap::new();
        while let Some(line) = lines.next() {
            let at =
                line.find('=').unwrap_or(line.len()).min(line.find("<<").unwrap_or(line.len()));
            let (name, rest) = line.split_at(at);
            let value = match rest.strip_prefix("<<") {
                Some(delimiter) => {
                    let within = lines.by_ref().take_while(|line| *line != delimiter);
                    within.collect::<Vec<_>>().join("\n")
                }
                None => rest.trim_start_matches('=').to_owned(),
            };
            outputs.extend((!name.is_empty()).then(|| (name.to_owned(), value)));
        }
        outputs
    }

    /// Writes a list of cousins that all follow [`FEATURE`], and returns where.
    pub(crate) fn cousins<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> PathBuf {
        let cousin = |name| json!({"repo": name, "subscriptions": [FEATURE]});
        self.file(&Value::Array(names.into_iter().map(cousin).collect()).to_string())
    }

    /// Writes a file outside of the checkout, and returns where.
    pub(crate) fn file(&self, content: &str) -> PathBuf {
        self.files.set(self.files.get() + 1);
        let path = self.sandbox.path().join(format!("file-{}.json", self.files.get()));
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Returns the requests to a repository, which have now been looked at.
    pub(crate) fn requests(&self, repository: &str) -> Vec<Received> {
        let path = format!("/repos/{repository}/dispatches");
        self.look(|request| request.method == "POST" && request.path == path)
    }

    /// Returns the statuses that were answered to the requests to a repository.
    pub(crate) fn statuses(&self, repository: &str) -> Vec<Option<u16>> {
        self.requests(repository).into_iter().map(|request| request.status).collect()
    }

    /// Returns the events of a repository, by its present name, which have now been looked at.
    pub(crate) fn events(&self, repository: &str) -> Vec<Event> {
        self.with(|model| {
            let events: Vec<Event> = model.events_for(repository).into_iter().cloned().collect();
            self.seen.borrow_mut().extend(events.iter().map(|event| event.request));
            events
        })
    }

    /// Returns all that was delivered: of each repository that has any, the event types with their
    /// payloads, in the order of the features.
    pub(crate) fn delivered(&self) -> BTreeMap<String, Vec<(String, Value)>> {
        let mut all: BTreeMap<String, Vec<(String, Value)>> = BTreeMap::new();
        self.with(|model| {
            for event in model.events() {
                self.seen.borrow_mut().insert(event.request);
                let told = (event.event_type.clone(), event.client_payload.clone());
                all.entry(event.repository.clone()).or_default().push(told);
            }
        });
        for events in all.values_mut() {
            events.sort_by_key(|(_, payload)| payload["updated_feature"].to_string());
        }
        all
    }

    /// Returns how many dispatches were tried at each path; all of them have now been looked at.
    pub(crate) fn tried(&self) -> BTreeMap<String, usize> {
        let mut tried = BTreeMap::new();
        for request in self.look(|it| it.method == "POST" && it.path.ends_with("/dispatches")) {
            *tried.entry(request.path).or_default() += 1;
        }
        tried
    }

    /// Returns the paths that were read, in the order in which they were; all of them have now been
    /// looked at.
    pub(crate) fn reads(&self) -> Vec<String> {
        self.look(|it| it.method == "GET").into_iter().map(|it| it.path).collect()
    }

    /// Returns what was asked as an App or given back, each as `METHOD PATH STATUS`; all of it has
    /// now been looked at.
    pub(crate) fn asked_as_app(&self) -> Vec<String> {
        let all = self.look(|it| {
            let path = it.path.split('?').next().unwrap_or_default();
            path.ends_with("/installation")
                || path.starts_with("/app/")
                || path.starts_with("/installation/")
        });
        let told =
            |it: Received| format!("{} {} {}", it.method, it.path, it.status.unwrap_or_default());
        all.into_iter().map(told).collect()
    }

    /// Looks at all requests, for a test that looks at what they have changed instead.
    pub(crate) fn looked_at_all(&self) {
        self.look(|_| true);
    }

    /// Fails unless no request has reached GitHub since the test began.
    #[track_caller]
    pub(crate) fn expect_no_request(&self) {
        let requests = self.with(|it| it.requests().to_vec());
        assert!(requests.is_empty(), "{requests:#?}");
    }

    fn look(&self, wanted: impl Fn(&Received) -> bool) -> Vec<Received> {
        self.with(|model| {
            let found = model.requests().iter().enumerate().filter(|(_, it)| wanted(it));
            let (numbers, found): (Vec<usize>, Vec<Received>) =
                found.map(|(at, it)| (at + 1, it.clone())).unzip();
            self.seen.borrow_mut().extend(numbers);
            found
        })
    }

    fn nothing_is_left_over(&self) {
        let seen = self.seen.borrow();
        self.with(|model| {
            let left: Vec<&Received> = (1..)
                .zip(model.requests())
                .filter(|(number, _)| !seen.contains(number))
                .map(|(_, request)| request)
                .collect();
            assert!(left.is_empty(), "requests that the test did not look at: {left:#?}");
            for event in model.events() {
                assert!(seen.contains(&event.request), "nobody looked at {event:#?}");
            }
        });
        // That a program is gone the server learns from its connection, a moment later.
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.with(|model| model.in_flight()) > 0 {
            assert!(Instant::now() < deadline, "requests that are not finished");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// GitHub on a thread of its own, which ends with the test.
pub(crate) struct Server {
    pub(crate) github: Arc<EmbeddedGitHub>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(model: Model) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (lend, lent) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                lend.send(Arc::new(EmbeddedGitHub::start(model).await.unwrap())).unwrap();
                let _ = stopped.await;
            });
        });
        Self { github: lent.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(ended.is_some_and(|ended| ended.is_ok()), "the server's thread broke down");
        }
    }
}

/// A server that nobody may ever connect to.
pub(crate) struct Bait(TcpListener);

impl Bait {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect_nobody(&self) {
        let came = self.0.accept();
        assert!(
            came.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
            "{came:?}"
        );
    }
}

impl Done {
    /// Returns the one dispatch of the JSON report to `repository`.
    pub(crate) fn dispatch(&self, repository: &str) -> Value {
        let report = self.json();
        let all = report["dispatches"].as_array().expect("a list of dispatches");
        let mut found = all.iter().filter(|dispatch| dispatch["repo"] == repository);
        match (found.next(), found.next()) {
            (Some(one), None) => one.clone(),
            _ => panic!("not exactly one dispatch to {repository} in {report:#}"),
        }
    }

    /// Returns the codes of the JSON report's warnings.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let report = self.json();
        let codes = report["warnings"].as_array().expect("a list of warnings").iter();
        codes.map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
    }

    /// Fails, with both outputs, when one of them holds one of `secrets`.
    #[track_caller]
    pub(crate) fn expect_without(self, secrets: &[&str]) -> Self {
        for secret in secrets {
            assert!(
                !self.stdout.contains(secret) && !self.stderr.contains(secret),
                "holds {secret:?}\n--- stdout\n{}\n--- stderr\n{}",
                self.stdout,
                self.stderr
            );
        }
        self
    }
}
