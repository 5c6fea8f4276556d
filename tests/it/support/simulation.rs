//! Plays a [`script`](super::script) in a [`World`] and holds each cousin to the law of
//! [`oracle`](super::oracle). A step that breaks it fails the test with the script so far.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ecosystem_dispatcher::embedded_github::Fault;
use serde_json::{Value, json};

use super::ecosystem::{Done, Run, Running};
use super::github::{Tester, github_with, run_test_without_sample};
use super::oracle::{Commits, Knows};
use super::repository::file_url;
use super::script::{Checkout, Edit, Killed, Listed, Of, Start, Step, parse};
use super::world::{Pushed, World};
use judging::Runs;

mod judging;

/// All cousins that there may be, with what they follow; the first two are listed at first.
pub(crate) const COUSINS: [(&str, &[&str]); 3] =
    [("web", &["a", "b"]), ("docs", &["b", "c"]), ("new", &["a", "c", "d"])];

/// How long a slow run is held up: long enough for another from its start to its end.
const SLOW: Duration = Duration::from_millis(1500);

/// Plays a script from the first commit on, before any run.
pub(crate) fn play(script: &str) {
    play_steps(&parse(script));
}

/// Plays steps and at last a scheduled run, which must leave nothing to do.
pub(crate) fn play_steps(steps: &[Step]) {
    let names = COUSINS.map(|(name, _)| full(name));
    run_test_without_sample(github_with(names.iter().map(String::as_str)), |t| {
        let mut simulation = Simulation::new(t);
        for step in steps {
            simulation.step(step);
        }
        simulation.ends();
    });
}

fn full(name: &str) -> String {
    format!("acme/{name}")
}

/// Which cousins a commit lists, and whether they are enabled.
type List = BTreeMap<String, bool>;

struct Simulation<'t> {
    world: World<'t>,
    commits: Commits<'t>,
    pushes: Vec<Pushed>,
    list: List,
    /// By commit.
    lists: BTreeMap<String, List>,
    knows: BTreeMap<String, Knows>,
    /// Whether the first run has recorded something.
    begun: bool,
    contents: u32,
    refused: BTreeMap<String, u32>,
    /// How many events and requests were looked at.
    seen: (usize, usize),
    /// The id of each event that was ever sent.
    ids: BTreeMap<(String, String, String), String>,
    played: RefCell<Vec<String>>,
}

impl<'t> Simulation<'t> {
    fn new(t: &'t Tester) -> Self {
        let list: List = COUSINS[..2].iter().map(|(name, _)| ((*name).to_owned(), true)).collect();
        let world = World::new(t, &written(&list));
        let tip = world.head();
        let commits = Commits::new(&t.sandbox, world.author.clone());
        let first = Pushed { before: "0".repeat(40), after: tip.clone(), forced: false };
        let all = COUSINS.iter();
        Self {
            commits,
            pushes: vec![first],
            lists: [(tip, list.clone())].into(),
            list,
            knows: all.map(|(name, it)| ((*name).to_owned(), Knows::nothing(it))).collect(),
            begun: false,
            contents: 0,
            refused: BTreeMap::new(),
            seen: (0, 0),
            ids: BTreeMap::new(),
            played: RefCell::default(),
            world,
        }
    }

    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        panic!("{why}\nafter\n{}\n", self.played.borrow().join("\n"));
    }

    fn step(&mut self, step: &Step) {
        self.played.borrow_mut().push(step.to_string());
        match step {
            Step::Push(edits) => self.push(edits),
            Step::Reset(to, edits) => {
                let to = self.pushes[*to].after.clone();
                self.world.reset(&to);
                if edits.is_empty() {
                    self.pushes.push(self.world.publish());
                } else {
                    self.push(edits);
                }
            }
            Step::Unrelated(edits) => {
                let branch = format!("unrelated-{}", self.pushes.len());
                let args = ["checkout", "--quiet", "--orphan", &branch];
                self.world.t.sandbox.git(&self.world.author, &args);
                self.push(edits);
            }
            Step::List(listed, name) => {
                match listed {
                    Listed::Add | Listed::Enable => self.list.insert(name.clone(), true),
                    Listed::Disable => self.list.insert(name.clone(), false),
                    Listed::Remove => self.list.remove(name),
                };
            }
            Step::Refuse(name, taken) => drop(self.refused.insert(name.clone(), *taken)),
            Step::Run(starts, delivers) => self.runs(starts, delivers.as_deref()),
        }
    }

    fn push(&mut self, edits: &[Edit]) {
        for edit in edits {
            let (name, content) = match edit {
                Edit::New(name) => {
                    self.contents += 1;
                    (name, Some(1000 + self.contents))
                }
                Edit::Set(name, content) => (name, Some(*content)),
                Edit::Delete(name) => (name, None),
            };
            let path = format!("features/{name}/file");
            match content {
                Some(it) => {
                    self.world.t.sandbox.write(&self.world.author, &path, &it.to_string());
                }
                None => drop(std::fs::remove_file(self.world.author.join(path))),
            }
        }
        self.world.list(&written(&self.list));
        let pushed = self.world.push(&[]);
        self.lists.insert(pushed.after.clone(), self.list.clone());
        self.pushes.push(pushed);
    }

    /// Starts runs together, sees them end, and judges what came of them.
    fn runs(&mut self, starts: &[Start], delivers: Option<&[String]>) {
        let t = self.world.t;
        let tip = self.world.tip();
        for (name, taken) in std::mem::take(&mut self.refused) {
            if taken > 0 {
                t.fault(&full(&name), Fault::delay(Duration::ZERO).times(taken));
            }
            t.fault(&full(&name), Fault::status(403));
        }
        let heads: Vec<String> = starts.iter().map(|start| self.head(start, &tip)).collect();
        let prepared: Vec<Run> =
            starts.iter().zip(&heads).map(|(it, head)| self.prepare(it, head)).collect();
        let before = t.with(|model| model.requests().len());
        if let [Start { killed: Some(Killed::After(count)), .. }] = starts {
            let last = before + count + 1;
            t.with(|model| model.fault_nth(last, Fault::silence().delivered()));
        }
        let mut running = Vec::new();
        for (run, start) in prepared.into_iter().zip(starts) {
            if start.slow {
                t.with(|model| model.fault_nth(before + 1, Fault::delay(SLOW)));
            }
            let mut run = run.spawn();
            while start.slow && !run.has_ended() && t.with(|it| it.requests().len()) == before {
                std::thread::sleep(Duration::from_millis(1));
            }
            running.push(run);
        }
        let ended: Vec<Option<Done>> = running
            .into_iter()
            .zip(starts)
            .map(|(running, start)| self.ended(running, start, before))
            .collect();
        let deadline = Instant::now() + Duration::from_secs(10);
        while t.with(|model| model.in_flight()) > 0 {
            assert!(Instant::now() < deadline, "a request is in flight for ever");
            std::thread::sleep(Duration::from_millis(2));
        }
        t.with(|model| model.clear_faults());
        self.judge(&Runs { starts, heads: &heads, tip: &tip, ended: &ended }, delivers);
    }

    fn head(&self, start: &Start, tip: &str) -> String {
        match start.of {
            Of::Push(number) => self.pushes[number].after.clone(),
            Of::Newest => self.pushes.last().unwrap().after.clone(),
            Of::Tip => tip.to_owned(),
        }
    }

    fn pushed(&self, start: &Start) -> Option<&Pushed> {
        match start.of {
            Of::Push(number) => self.pushes.get(number),
            Of::Newest => self.pushes.last(),
            Of::Tip => None,
        }
    }

    fn prepare(&self, start: &Start, head: &str) -> Run {
        let world = &self.world;
        let url = file_url(&world.origin);
        let dir: PathBuf = match start.checkout {
            Checkout::Shallow => world.checkout(head),
            Checkout::Full => world.full_clone(&url, head),
            Checkout::Path => world.full_clone(world.origin.to_str().unwrap(), head),
            Checkout::Remote => world.t.sandbox.home(),
        };
        let mut run = match self.pushed(start) {
            Some(pushed) => world.run_in(&dir, pushed),
            None => world.scheduled_in(&dir),
        };
        if start.checkout == Checkout::Remote {
            run = run.args(["--remote", &url]);
            if start.of == Of::Tip {
                run = run.args(["--head", head]);
            }
        }
        if let Some(only) = &start.only {
            run = run.args(["--only", &full(only)]);
        }
        match start.killed {
            Some(Killed::After(_)) => run.args(["--concurrency", "1"]),
            _ => run,
        }
    }

    /// Returns a run that has ended; none when it was killed.
    fn ended(&self, mut running: Running, start: &Start, before: usize) -> Option<Done> {
        let t = self.world.t;
        match start.killed {
            None => Some(running.wait()),
            Some(Killed::After(count)) => loop {
                if t.with(|model| model.requests().len()) > before + count {
                    running.kill();
                    return None;
                }
                if running.has_ended() {
                    return Some(running.wait());
                }
                std::thread::sleep(Duration::from_millis(1));
            },
            Some(Killed::In(time)) => {
                std::thread::sleep(Duration::from_millis(time));
                match running.has_ended() {
                    true => Some(running.wait()),
                    false => {
                        running.kill();
                        None
                    }
                }
            }
        }
    }

    /// All that is left to be told is told by one more run, and nothing by the run after that.
    fn ends(&mut self) {
        self.refused.clear();
        if !self.begun {
            self.step(&parse("run")[0]);
        }
        self.step(&parse("schedule")[0]);
        self.step(&parse("schedule -> nothing")[0]);
    }
}

fn concerns(start: &Start, list: &List, name: &str) -> bool {
    list.get(name) == Some(&true) && start.only.as_ref().is_none_or(|only| only == name)
}

fn written(list: &List) -> Value {
    let cousin = |(name, enabled): (&String, &bool)| {
        let (_, follows) = COUSINS.iter().find(|(it, _)| it == name).unwrap();
        let follows: Vec<String> = follows.iter().map(|it| format!("features/{it}")).collect();
        json!({"repo": full(name), "subscriptions": follows, "enabled": enabled})
    };
    list.iter().map(cousin).collect()
}
