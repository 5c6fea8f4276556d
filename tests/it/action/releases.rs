//! A folder of releases on loopback, as GitHub serves one, and a program for it that writes down
//! how it was started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::runner::{Job, VERSION, archive, write_program};
use crate::support::loopback::{Loopback, Request, Response};
use crate::support::repository::Sandbox;

/// The target of [`Job`]'s runner, where its C library is new enough.
pub(super) const GNU: &str = "x86_64-unknown-linux-gnu";
/// Its target else.
pub(super) const MUSL: &str = "x86_64-unknown-linux-musl";

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// The releases of `acme/ecosystem-dispatcher`.
pub(super) struct Releases {
    files: Files,
    server: Loopback,
}

impl Releases {
    /// Serves no release.
    pub(super) fn none() -> Self {
        let files = Files::default();
        let served = Arc::clone(&files);
        let server = Loopback::start(move |request| answer(&served, request));
        Self { files, server }
    }

    /// Serves the present version with a recording program, for all targets of the runner.
    pub(super) fn of(sandbox: &Sandbox) -> Self {
        Self::of_program(sandbox, VERSION, &recorder(sandbox, VERSION))
    }

    /// Serves one version of a program.
    pub(super) fn of_program(sandbox: &Sandbox, version: &str, program: &Path) -> Self {
        let releases = Self::none();
        let packed = archive(sandbox, version, GNU, program);
        // The same bytes under another name would not unpack to the name of the target.
        releases.add(version, &[(GNU, packed), (MUSL, archive(sandbox, version, MUSL, program))]);
        releases
    }

    /// Adds a version: its archives with their checksums.
    pub(super) fn add(&self, version: &str, archives: &[(&str, Vec<u8>)]) {
        let mut sums = String::new();
        for (target, bytes) in archives {
            let name = format!("ecosystem-{version}-{target}.tar.gz");
            sums.push_str(&format!("{}  {name}\n", sha256(bytes)));
            self.set(&format!("v{version}/{name}"), Some(bytes));
        }
        self.set(&format!("v{version}/SHA256SUMS"), Some(sums.as_bytes()));
    }

    /// Replaces a file of a release, or takes it away.
    pub(super) fn set(&self, path: &str, content: Option<&[u8]>) {
        let mut files = self.files.lock().unwrap();
        let path = format!("/releases/download/{path}");
        match content {
            Some(bytes) => drop(files.insert(path, bytes.to_owned())),
            None => assert!(files.remove(&path).is_some(), "there is no {path}"),
        }
    }

    /// Changes the checksums of the present version.
    pub(super) fn change_sums(&self, change: impl FnOnce(String) -> String) {
        let path = format!("v{VERSION}/SHA256SUMS");
        let sums = self.files.lock().unwrap()[&format!("/releases/download/{path}")].clone();
        self.set(&path, Some(change(String::from_utf8(sums).unwrap()).as_bytes()));
    }

    pub(super) fn url(&self) -> String {
        format!("{}/releases", self.server.url())
    }

    /// Returns a job whose action takes its releases from here.
    pub(super) fn job<'s>(&self, sandbox: &'s Sandbox) -> Job<'s> {
        Job::new(sandbox).env("ECOSYSTEM_RELEASES_URL", self.url())
    }

    /// Returns the paths that were asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.server.requests().into_iter().map(|request| request.target).collect()
    }

    /// Returns everything that came in, as text.
    pub(super) fn received(&self) -> String {
        format!("{:?}", self.server.requests())
    }
}

fn answer(files: &Files, request: &Request) -> Response {
    let path = request.target.strip_prefix("/acme/ecosystem-dispatcher").unwrap_or(&request.target);
    if path == "/releases/latest" {
        let to = format!(
            "Location: https://github.com/acme/ecosystem-dispatcher/releases/tag/v{VERSION}"
        );
        return Response::status("302 Found").header(to);
    }
    // As GitHub does: the file itself is elsewhere.
    match (path.split_once('?'), files.lock().unwrap().get(path.trim_end_matches("?moved"))) {
        (_, None) => Response::status("404 Not Found"),
        (None, Some(_)) => Response::status("302 Found").header(format!("Location: {path}?moved")),
        (Some(_), Some(bytes)) => Response { body: bytes.clone(), ..Response::status("200 OK") },
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a program that says a version, and writes down its arguments and environment whenever
/// it is started.
pub(super) fn recorder(sandbox: &Sandbox, version: &str) -> PathBuf {
    let directory = sandbox.path().join(format!("recorder-{version}"));
    std::fs::create_dir_all(&directory).unwrap();
    let program = directory.join("ecosystem");
    let record = record(sandbox);
    let record = record.display();
    write_program(
        &program,
        &format!(
            "mkdir -p '{record}'\n\
             echo '{version}' >>'{record}/started'\n\
             if [ \"$1\" = --version ]; then echo 'ecosystem {version} (0123456789)'; exit; fi\n\
             printf '%s\\0' \"$@\" >'{record}/args'\n\
             env -0 >'{record}/env'\n\
             pwd >'{record}/directory'\n\
             printf 'dispatched=true\\ncount=2\\nrepos<<E\\n[\"acme/a\",\\n\"acme/b\"]\\nE\\n' >>\"$GITHUB_OUTPUT\"\n\
             printf 'dispatch-url=https://api.github.com/x\\nstatus=204\\n' >>\"$GITHUB_OUTPUT\"\n\
             printf 'sent\\n'"
        ),
    );
    program
}

fn record(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("record")
}

/// Returns the versions of the programs that were started, in their order.
pub(super) fn started(sandbox: &Sandbox) -> Vec<String> {
    let text = std::fs::read_to_string(record(sandbox).join("started")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Returns the arguments of the recorder.
pub(super) fn args(sandbox: &Sandbox) -> Vec<String> {
    zeroed(sandbox, "args")
}

/// Returns the environment of the recorder.
pub(super) fn environment(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let split = |pair: String| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    zeroed(sandbox, "env").into_iter().map(split).collect()
}

/// Returns the directory in which the recorder was started, by its own name.
pub(super) fn directory(sandbox: &Sandbox) -> PathBuf {
    let text = std::fs::read_to_string(record(sandbox).join("directory")).unwrap();
    std::fs::canonicalize(text.trim_end()).unwrap()
}

fn zeroed(sandbox: &Sandbox, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(record(sandbox).join(file)).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// Says which C library the runner has.
pub(super) fn with_libc<'s>(job: Job<'s>, getconf: &str, ldd: &str) -> Job<'s> {
    job.tool("getconf", getconf).tool("ldd", ldd)
}

pub(super) fn on_glibc(job: Job<'_>) -> Job<'_> {
    with_libc(job, "echo 'glibc 2.39'", "exit 1")
}

/// Returns the files in the runner's tool cache.
pub(super) fn cache(sandbox: &Sandbox) -> Vec<PathBuf> {
    fn add(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { add(&path, files) } else { files.push(path) }
        }
    }
    let mut files = Vec::new();
    add(&sandbox.path().join("tools"), &mut files);
    files.sort();
    files
}

#[track_caller]
pub(super) fn nothing_was_installed(sandbox: &Sandbox) {
    assert_eq!(started(sandbox), Vec::<String>::new());
    assert_eq!(cache(sandbox), Vec::<PathBuf>::new());
}
