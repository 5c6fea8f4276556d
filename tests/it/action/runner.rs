//! A stand-in for GitHub's runner, for composite actions: it reads `action.yml`, evaluates the few
//! expressions that stand there (any other fails the test), sets what the runner sets, and runs
//! each step's script under bash. Downloads come from a release on loopback.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::ecosystem::Done;
use crate::support::process::{Child, scrubbed};
use crate::support::repository::Sandbox;
use crate::support::yaml;

/// The version of the action, and so of the program.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `github.token`: the token that the runner has for each job.
pub(super) const JOB_TOKEN: &str = "canary-job-token-1b7d";

/// A gh that cannot be asked, as if there were none.
const NO_GH: &str = "exit 1";

/// A job in the making whose one step uses the action.
pub(super) struct Job<'s> {
    sandbox: &'s Sandbox,
    inputs: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
    path: Option<String>,
    action: PathBuf,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The steps that ran, in their order.
    pub(super) steps: Vec<Done>,
    /// The outputs of the action, those that are not empty.
    pub(super) outputs: BTreeMap<String, String>,
}

impl<'s> Job<'s> {
    /// Prepares a job on a Linux runner that knows of no repository and no token but its own.
    pub(super) fn new(sandbox: &'s Sandbox) -> Self {
        let root = sandbox.path();
        let action = root.join("work/_actions/acme/ecosystem-dispatcher/v1");
        let temporary = root.join("work/_temp");
        std::fs::create_dir_all(&temporary).unwrap();
        std::fs::create_dir_all(root.join("work/monorepo")).unwrap();
        copy_action(&action);
        let mut job = Self {
            sandbox,
            inputs: BTreeMap::new(),
            env: BTreeMap::new(),
            path: None,
            action: action.clone(),
        };
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "acme/monorepo"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("RUNNER_OS", "Linux"),
            ("RUNNER_ARCH", "X64"),
        ] {
            job = job.env(name, value);
        }
        // The gh of this machine might ask GitHub.
        job = job.tool("gh", NO_GH);
        job.env("RUNNER_TEMP", temporary.to_str().unwrap())
            .env("RUNNER_TOOL_CACHE", root.join("tools").to_str().unwrap())
            .env("GITHUB_WORKSPACE", root.join("work/monorepo").to_str().unwrap())
            .env("GITHUB_ACTION_PATH", action.to_str().unwrap())
    }

    pub(super) fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn inputs(mut self, inputs: &[(&str, &str)]) -> Self {
        self.inputs.extend(inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        self
    }

    /// Sets a variable of the job.
    pub(super) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// Puts a program of the test before those of this machine.
    pub(super) fn tool(self, name: &str, script: &str) -> Self {
        let directory = self.sandbox.path().join("fakes");
        std::fs::create_dir_all(&directory).unwrap();
        write_program(&directory.join(name), script);
        self
    }

    /// Takes every program away but these, and the gh of the test.
    pub(super) fn only_tools(mut self, names: &[&str]) -> Self {
        std::fs::remove_file(self.sandbox.path().join("fakes/gh")).unwrap();
        let directory = self.sandbox.path().join("few-tools");
        std::fs::create_dir_all(&directory).unwrap();
        for name in names {
            let found = which(name).unwrap_or_else(|| panic!("this machine has no {name}"));
            std::os::unix::fs::symlink(found, directory.join(name)).unwrap();
        }
        self.path = Some(directory.to_str().unwrap().to_owned());
        self
    }

    /// Runs the action. A step that fails is the last.
    pub(super) fn run(&self) -> Outcome {
        let action = yaml::read("action.yml");
        let inputs = self.all_inputs(&action);
        let mut outputs: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut steps = Vec::new();
        for step in action["runs"]["steps"].as_array().unwrap() {
            assert_eq!(step["shell"], "bash");
            let evaluate = |text: &str| evaluate(text, &inputs, &outputs);
            let env: BTreeMap<String, String> = step["env"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), evaluate(value.as_str().unwrap())))
                .collect();
            let (done, written) = self.run_step(step["run"].as_str().unwrap(), &env);
            let failed = done.code != Some(0);
            steps.push(done);
            outputs.insert(step["id"].as_str().unwrap().to_owned(), written);
            if failed {
                break;
            }
        }
        let declared = action["outputs"].as_object().unwrap();
        let values = declared.iter().map(|(name, output)| {
            (name.clone(), evaluate(output["value"].as_str().unwrap(), &inputs, &outputs))
        });
        let outputs = values.filter(|(_, value)| !value.is_empty()).collect();
        let outcome = Outcome { steps, outputs };
        outcome.holds_no_foreign_command();
        outcome
    }

    fn all_inputs(&self, action: &Value) -> BTreeMap<String, String> {
        let declared = action["inputs"].as_object().unwrap();
        for name in self.inputs.keys() {
            assert!(declared.contains_key(name), "the action has no input {name}");
        }
        let default = |name: &String, input: &Value| {
            let given = self.inputs.get(name).cloned();
            given.unwrap_or_else(|| input["default"].as_str().unwrap().to_owned())
        };
        declared.iter().map(|(name, input)| (name.clone(), default(name, input))).collect()
    }

    fn run_step(
        &self,
        script: &str,
        env: &BTreeMap<String, String>,
    ) -> (Done, BTreeMap<String, String>) {
        assert!(!script.contains("${{"), "{script}");
        let temporary = self.sandbox.path().join("work/_temp");
        let file = temporary.join("step.sh");
        std::fs::write(&file, script).unwrap();
        let output = temporary.join("output");
        std::fs::write(&output, "").unwrap();
        let mut command = self.sandbox.command("bash");
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let fakes = self.sandbox.path().join("fakes");
        if fakes.is_dir() {
            let rest = self.path.clone().or_else(|| std::env::var("PATH").ok()).unwrap();
            command.env("PATH", format!("{}:{rest}", fakes.display()));
        }
        command
            .current_dir(self.sandbox.path().join("work/monorepo"))
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(&file)
            .envs(&self.env)
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", temporary.join("summary"))
            .envs(env);
        let done = Done::from(Child::start(&mut command, b"").wait());
        (done, read_outputs(&std::fs::read_to_string(&output).unwrap()))
    }

    /// Returns the directory that the action was unpacked into.
    pub(super) fn action(&self) -> &Path {
        &self.action
    }
}

impl Outcome {
    /// Fails unless every step ended with 0 and both ran.
    #[track_caller]
    pub(super) fn expect_success(self) -> Self {
        assert_eq!(self.steps.len(), 2, "{self:#?}");
        assert!(self.steps.iter().all(|step| step.code == Some(0)), "{self:#?}");
        self
    }

    /// Fails unless the first step ended with 2 and said this in its annotation, before the
    /// program ran. The text is read as people see it.
    #[track_caller]
    pub(super) fn expect_refusal(self, said: &[&str]) -> Self {
        assert_eq!(self.steps.len(), 1, "{self:#?}");
        assert_eq!(self.steps[0].code, Some(2), "{self:#?}");
        self.expect_annotation(said);
        assert!(!self.outputs.contains_key("binary"), "{self:#?}");
        self
    }

    /// Fails unless the last step's one annotation says all of this.
    #[track_caller]
    pub(super) fn expect_annotation(&self, said: &[&str]) {
        let last = self.steps.last().unwrap();
        let mut lines = last.stdout.lines().filter(|line| line.starts_with("::error "));
        let (Some(annotation), None) = (lines.next(), lines.next()) else {
            panic!("not one annotation in {self:#?}")
        };
        let (before, _) = last.stdout.split_once("::error ").unwrap();
        let count = |text: &str| before.matches(text).count();
        assert_eq!(count("::group::"), count("::endgroup::"), "a group is open: {self:#?}");
        let annotation = annotation.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
        for text in said {
            assert!(annotation.contains(text), "no {text:?} in {annotation}\n{self:#?}");
        }
    }

    /// Returns all that the steps have printed.
    pub(super) fn text(&self) -> String {
        self.steps.iter().map(|step| format!("{}{}", step.stdout, step.stderr)).collect()
    }

    /// Fails when a line is a command to the runner that is not one of the scripts' own or of the
    /// program.
    fn holds_no_foreign_command(&self) {
        let own = [
            "::error title=ecosystem::",
            "::group::Install ecosystem ",
            "::endgroup::",
            "::add-mask::",
            "::error ",
            "::warning ",
            "::notice ",
        ];
        let text = self.text();
        for line in text.split(['\n', '\r']).map(str::trim_start) {
            let foreign = line.starts_with("::") && !own.iter().any(|own| line.starts_with(own));
            assert!(!foreign && !line.contains("##["), "a command: {line:?}\n{self:#?}");
        }
    }
}

/// Returns what an expression of `action.yml` stands for. Its forms are few, so that they can be
/// known here: one whole expression, or none.
fn evaluate(
    text: &str,
    inputs: &BTreeMap<String, String>,
    steps: &BTreeMap<String, BTreeMap<String, String>>,
) -> String {
    let Some(inner) = text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) else {
        assert!(!text.contains("${{"), "an expression within text: {text}");
        return text.to_owned();
    };
    match inner.split('.').collect::<Vec<_>>()[..] {
        ["github", "token"] => JOB_TOKEN.to_owned(),
        ["inputs", name] => inputs[name].clone(),
        ["steps", id, "outputs", name] => {
            steps.get(id).and_then(|step| step.get(name)).cloned().unwrap_or_default()
        }
        _ => panic!("the stand-in runner does not know {inner}"),
    }
}

/// Returns the outputs in a file, read as the runner reads it.
fn read_outputs(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut outputs = BTreeMap::new();
    while let Some(line) = lines.next() {
        match line.split_once(['=', '<']) {
            Some((name, rest)) if line[name.len()..].starts_with("<<") => {
                let end = rest.trim_start_matches('<');
                let within = lines.by_ref().take_while(|line| *line != end);
                outputs.insert(name.to_owned(), within.collect::<Vec<_>>().join("\n"));
            }
            Some((name, value)) => drop(outputs.insert(name.to_owned(), value.to_owned())),
            None => panic!("the runner does not understand {line:?}"),
        }
    }
    outputs
}

/// Puts what the runner unpacks of the action where it unpacks it.
fn copy_action(to: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(to.join("action")).unwrap();
    std::fs::copy(root.join("Cargo.toml"), to.join("Cargo.toml")).unwrap();
    for entry in std::fs::read_dir(root.join("action")).unwrap() {
        let file = entry.unwrap();
        std::fs::copy(file.path(), to.join("action").join(file.file_name())).unwrap();
    }
}

/// Writes a program for bash.
pub(super) fn write_program(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns where a program of this machine is.
pub(super) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// Returns the bytes of a release's archive with one program in it.
pub(super) fn archive(sandbox: &Sandbox, version: &str, target: &str, program: &Path) -> Vec<u8> {
    let name = format!("ecosystem-{version}-{target}");
    let directory = sandbox.path().join("packing").join(&name);
    std::fs::create_dir_all(&directory).unwrap();
    let executable = if target.contains("windows") { "ecosystem.exe" } else { "ecosystem" };
    std::fs::copy(program, directory.join(executable)).unwrap();
    std::fs::write(directory.join("README.md"), "A program.\n").unwrap();
    let mut tar = scrubbed("tar");
    tar.current_dir(sandbox.path().join("packing")).args(["-cf", "-", &name]);
    let packed = Child::start(&mut tar, b"").wait();
    assert!(packed.status.success());
    // The least effort: a program with its debug information is large.
    let zipped = Child::start(scrubbed("gzip").args(["-1", "-n"]), &packed.stdout).wait();
    assert!(zipped.status.success());
    zipped.stdout
}
