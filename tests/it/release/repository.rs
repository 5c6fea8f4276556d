//! A small repository that is about to be released, the programs that stand in for what is not here,
//! and what of `release.yml` is run in it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::ecosystem::Done;
use crate::support::process::Child;
use crate::support::repository::Sandbox;

pub(super) const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2024-11-21\n\n### Added\n\n\
                         - A thing.\n\n## [1.2.2] - 2024-10-01\n\n- Older.\n\n[1.2.3]: https://x\n";

/// A repository that is about to be released.
pub(super) struct Repository {
    pub(super) sandbox: Sandbox,
    pub(super) root: PathBuf,
}

impl Repository {
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::new();
        let root = sandbox.new_repository("repository");
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::create_dir_all(root.join(".ci")).unwrap();
        for entry in std::fs::read_dir(here.join(".ci")).unwrap() {
            let name = entry.unwrap().file_name();
            if name.to_str().unwrap().starts_with("release-") {
                let path = Path::new(".ci").join(name);
                std::fs::copy(here.join(&path), root.join(&path)).unwrap();
            }
        }
        let repository = Self { sandbox, root };
        repository.write("Cargo.toml", &manifest("1.2.3"));
        repository.write("Cargo.lock", &lock("1.2.3"));
        repository.write("CHANGELOG.md", CHANGELOG);
        for file in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            repository.write(file, "Text.\n");
        }
        repository.sandbox.commit_all(&repository.root, "all");
        repository.git(&["tag", "v1.2.3"]);
        repository
    }

    pub(super) fn write(&self, path: &str, content: &str) {
        self.sandbox.write(&self.root, path, content);
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        self.sandbox.git(&self.root, args)
    }

    pub(super) fn program(&self, path: &str, script: &str) -> PathBuf {
        let path = self.sandbox.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub(super) fn run(&self, script: &str, args: &[&str]) -> Done {
        self.run_with(script, args, &[])
    }

    pub(super) fn run_with(&self, script: &str, args: &[&str], env: &[(&str, &str)]) -> Done {
        self.start(self.root.join(".ci").join(script), args, env)
    }

    /// Runs the script of a step of the workflow, as the runner does.
    pub(super) fn step(&self, job: &str, name: &str, env: &[(&str, &str)]) -> Done {
        let jobs = super::jobs();
        let steps = jobs[job]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name).unwrap();
        let script = step["run"].as_str().unwrap();
        assert!(!script.contains("${{"), "{script}");
        let args = ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script];
        self.start(PathBuf::from("bash"), &args, env)
    }

    fn start(&self, program: PathBuf, args: &[&str], env: &[(&str, &str)]) -> Done {
        let fakes = self.sandbox.path().join("fakes");
        let path = format!("{}:{}", fakes.display(), std::env::var("PATH").unwrap());
        let mut command = self.sandbox.command(program);
        command.current_dir(&self.root).args(args).env("PATH", path);
        command.envs(env.iter().copied());
        Done::from(Child::start(&mut command, b"").wait())
    }
}

pub(super) fn manifest(version: &str) -> String {
    format!(
        "[dependencies.other]\nversion = \"9.9.9\"\n\n[package]\nname = \"ecosystem-dispatcher\"\n\
         version = \"{version}\"\n\n[dependencies]\nversion = \"8.8.8\"\n"
    )
}

pub(super) fn lock(version: &str) -> String {
    format!(
        "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n[[package]]\n\
         name = \"ecosystem-dispatcher\"\nversion = \"{version}\"\n\n[[package]]\nname = \"z\"\n\
         version = \"1.2.3\"\n"
    )
}
