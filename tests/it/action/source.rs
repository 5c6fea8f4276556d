//! `version: source`: what the build is asked for, and what it can see.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::releases::recorder;
use super::runner::{Job, VERSION};
use crate::support::repository::Sandbox;

/// Returns a cargo that writes down how it was started, and where it does.
fn cargo(sandbox: &Sandbox) -> (String, PathBuf) {
    let program = recorder(sandbox, VERSION);
    let record = sandbox.path().join("cargo");
    std::fs::create_dir_all(&record).unwrap();
    let script = format!(
        "printf '%s\\n' \"$@\" >'{0}/args'\nenv -0 >'{0}/env'\npwd >'{0}/directory'\n\
         while [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\ncp '{1}' \"$2/bin/ecosystem\"",
        record.display(),
        program.display()
    );
    (script, record)
}

fn read(record: &Path, name: &str) -> String {
    std::fs::read_to_string(record.join(name)).unwrap()
}

#[test]
fn a_build_from_source_takes_the_lockfile_of_the_action() {
    let sandbox = Sandbox::new();
    let (cargo, record) = cargo(&sandbox);
    let job = Job::new(&sandbox).tool("cargo", &cargo).input("version", "source");
    let outcome = job.run().expect_success();
    assert_eq!(outcome.outputs["version"], VERSION);
    let expected = "install\n--path\n.\n--locked\n--no-track\n--force\n--root\n";
    assert!(read(&record, "args").starts_with(expected));
    let directory = std::fs::canonicalize(job.action()).unwrap();
    assert_eq!(std::fs::canonicalize(read(&record, "directory").trim_end()).unwrap(), directory);
}

/// The dependencies' code runs in a build: a secret may have any name, so names are allowed and not
/// forbidden.
#[test]
fn a_build_sees_what_builds_need_and_no_other_variable_of_the_job() {
    let seen = [
        "CARGO_NET_OFFLINE",
        "CARGO_HTTP_TIMEOUT",
        "CARGO_BUILD_JOBS",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
        "RUSTUP_TOOLCHAIN",
        "RUSTFLAGS",
        "CC",
        "CC_x86_64_unknown_linux_gnu",
        "SystemRoot",
        "windir",
        "VS170COMNTOOLS",
        "https_proxy",
        "HTTPS_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "LC_ALL",
    ];
    let hidden = [
        "ECOSYSTEM_PAT",
        "ECOSYSTEM_NOTIFY_URL",
        "GH_TOKEN",
        "GITHUB_TOKEN",
        "PAT",
        "NPM_AUTH",
        "npm-auth",
        "A",
        "PATHS",
        "CARGO_REGISTRY_TOKEN",
        "CARGO_REGISTRIES_ACME_TOKEN",
        "CARGO_NET_TOKEN",
        "RUSTUP_PAT",
        "CC_TEST_REPORTER_ID",
        "VSCE_PAT",
        "VCS_LOGIN",
        "LIB_AUTH",
        "OS_PASSWORD",
        "LC_SECRET",
    ];
    let sandbox = Sandbox::new();
    let (cargo, record) = cargo(&sandbox);
    let job = Job::new(&sandbox)
        .tool("cargo", &cargo)
        .input("version", "source")
        .input("token", "canary-input")
        .input("command", "send")
        .input("client-payload", "{\"canary\":1}")
        .env("LINES_OF_A_KEY", "canary\nPATH=canary\nZXhhbXBsZQ==\n");
    let job = seen.into_iter().fold(job, |job, name| job.env(name, "C"));
    let job = hidden.into_iter().fold(job, |job, name| job.env(name, "canary-job"));
    job.env("ProgramFiles(x86)", "C").run().expect_success();
    let env = read(&record, "env");
    assert!(!env.contains("canary"), "{env}");
    let names: BTreeSet<&str> =
        env.split_terminator('\0').map(|pair| pair.split_once('=').unwrap().0).collect();
    for name in seen {
        assert!(names.contains(name), "{name} is hidden");
    }
    // Compilers are found by it on Windows. The stand-in's own bash may hide it elsewhere.
    assert!(names.contains("ProgramFiles(x86)") || !cfg!(target_os = "linux"), "{env}");
    assert!(names.contains("PATH") && names.contains("HOME"), "{env}");
    assert!(!names.iter().any(|name| name.starts_with("GITHUB_") || name.starts_with("RUNNER_")));
}

#[test]
fn without_cargo_or_awk_or_when_the_build_fails_it_is_said() {
    let sandbox = Sandbox::new();
    let tools = ["bash", "env", "mktemp", "head", "uname"];
    let job =
        Job::new(&sandbox).only_tools(&tools).input("version", "source").env("RUNNER_OS", "macOS");
    job.run().expect_refusal(&["needs cargo", "https://rustup.rs"]);
    let job = job.tool("cargo", "echo 'error: no C compiler' >&2; exit 101");
    job.run().expect_refusal(&["needs awk"]);
    let job = job.tool("awk", "echo PATH");
    job.run().expect_refusal(&["the build from source has failed"]);
}
