//! What `release.yml` makes is what the action installs: an archive is packed by its script,
//! listed by its step, served as it is and fetched.

use std::path::Path;

use super::releases::{Releases, args, on_glibc, recorder};
use super::runner::{VERSION, write_program};
use crate::support::ecosystem::Done;
use crate::support::process::Child;
use crate::support::repository::Sandbox;
use crate::support::yaml;

const SYSTEMS: [&str; 4] =
    ["unknown-linux-gnu", "unknown-linux-musl", "apple-darwin", "pc-windows-msvc"];

/// Packs a program for every target with the release's script.
fn pack(sandbox: &Sandbox, directory: &Path) {
    let program = sandbox.path().join("packed");
    let recorder = recorder(sandbox, VERSION);
    // Completions and man pages are those of the built program.
    write_program(
        &program,
        &format!(
            "case ${{1-}} in completions | man) exec '{}' \"$@\" ;; *) exec '{}' \"$@\" ;; esac",
            env!("CARGO_BIN_EXE_ecosystem"),
            recorder.display()
        ),
    );
    for system in SYSTEMS {
        for cpu in ["x86_64", "aarch64"] {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/release-pack");
            let mut command = sandbox.command(script);
            command.arg(&program).arg(format!("{cpu}-{system}")).arg(directory);
            command.env("SOURCE_DATE_EPOCH", "1700000000");
            Done::from(Child::start(&mut command, b"").wait()).expect_code(0);
        }
    }
}

/// Runs the step of the job `assemble` that writes the checksums.
fn checksums(sandbox: &Sandbox, directory: &Path) -> Done {
    let workflow = yaml::read(".github/workflows/release.yml");
    let steps = workflow["jobs"]["assemble"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == "Checksums").unwrap();
    assert_eq!(step["working-directory"], directory.file_name().unwrap().to_str().unwrap());
    let mut bash = sandbox.command("bash");
    bash.current_dir(directory)
        .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c"])
        .arg(step["run"].as_str().unwrap());
    Done::from(Child::start(&mut bash, b"").wait())
}

#[test]
fn what_the_workflow_packs_and_lists_is_what_the_action_installs() {
    if super::runner::which("sha256sum").is_none() {
        crate::support::skipped("there is no sha256sum, which the release's Linux runner has");
        return;
    }
    let sandbox = Sandbox::new();
    let directory = sandbox.path().join("dist");
    std::fs::create_dir(&directory).unwrap();
    pack(&sandbox, &directory);
    std::fs::write(directory.join(format!("ecosystem-{VERSION}.cdx.json")), "{}").unwrap();
    checksums(&sandbox, &directory).expect_code(0);
    let releases = Releases::none();
    for entry in std::fs::read_dir(&directory).unwrap() {
        let file = entry.unwrap();
        let name = file.file_name().into_string().unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        releases.set(&format!("v{VERSION}/{name}"), Some(&bytes));
    }
    for system in ["Linux", "macOS", "Windows"] {
        for machine in ["X64", "ARM64"] {
            let job = on_glibc(releases.job(&sandbox)).env("RUNNER_OS", system);
            let job = job.env("RUNNER_ARCH", machine).input("command", "validate");
            job.run().expect_success();
            assert_eq!(args(&sandbox), ["validate"]);
        }
    }
}
