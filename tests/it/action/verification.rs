//! What is checked before anything is run, and that nothing runs, is kept or gets a token that was
//! not.

use super::releases::{GNU, Releases, args, nothing_was_installed, on_glibc, recorder, sha256};
use super::runner::{JOB_TOKEN, VERSION, archive, which, write_program};
use crate::support::process::Child;
use crate::support::repository::Sandbox;
use crate::support::{case, skipped};

#[test]
fn a_wrong_checksum_is_refused_and_nothing_is_run() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let evil = recorder(&sandbox, "6.6.6");
    let other = archive(&sandbox, VERSION, GNU, &evil);
    releases.set(&format!("v{VERSION}/ecosystem-{VERSION}-{GNU}.tar.gz"), Some(&other));
    let outcome = on_glibc(releases.job(&sandbox)).run();
    let found = sha256(&other);
    outcome.expect_refusal(&[
        "the checksum of ecosystem-",
        "is wrong",
        &found,
        "nothing was installed",
    ]);
    nothing_was_installed(&sandbox);
}

#[test]
fn checksums_that_cannot_be_relied_on_are_refused() {
    let name = format!("ecosystem-{VERSION}-{GNU}.tar.gz");
    let not_listed = "was not released for x86_64-unknown-linux-gnu";
    let unreadable = "cannot be read";
    let zeros = "0".repeat(64);
    for (what, sums, said) in [
        ("empty", String::new(), not_listed),
        ("another file", format!("{zeros}  ecosystem-{VERSION}-{GNU}.tar.gz.sig\n"), not_listed),
        ("only the end of its name", format!("{zeros}  x/{name}\n"), not_listed),
        ("a web page", "<html>Sign in</html>\n".to_owned(), not_listed),
        ("too short", format!("{}  {name}\n", &zeros[1..]), not_listed),
        ("no hexadecimal number", format!("{}  {name}\n", "g".repeat(64)), unreadable),
        ("two of them", format!("{zeros}  {name}\n{zeros}  {name}\n"), unreadable),
        ("endless", format!("{zeros}  {name}\n").repeat(1000), "Maximum file size exceeded"),
    ] {
        case(what);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        releases.change_sums(|_| sums);
        let outcome = on_glibc(releases.job(&sandbox)).run();
        outcome.expect_refusal(&[said]);
        nothing_was_installed(&sandbox);
    }
}

/// Without its length no curl before 8.4 counts.
#[test]
fn checksums_that_are_not_there_or_too_long_for_an_old_curl_are_refused() {
    let real = which("curl").unwrap();
    let old = format!(
        "all=(); while (($#)); do if [ \"$1\" = --max-filesize ]; then shift 2; \
         else all+=(\"$1\"); shift; fi; done; exec '{}' \"${{all[@]}}\"",
        real.display()
    );
    for curl in [&*old, "printf '200 '"] {
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        releases.change_sums(|sums| sums + &"#\n".repeat(32_768));
        let outcome = on_glibc(releases.job(&sandbox)).tool("curl", curl).run();
        outcome.expect_refusal(&["cannot be read, or has more than 65536 bytes"]);
        nothing_was_installed(&sandbox);
    }
}

#[test]
fn checksums_are_read_as_every_system_writes_them() {
    for (what, change) in [
        ("binary mode", (|sums: String| sums.replace("  ", " *")) as fn(String) -> String),
        ("Windows line ends", |sums| sums.replace('\n', "\r\n")),
        ("no last line feed", |sums| sums.trim_end().to_owned()),
    ] {
        case(what);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        releases.change_sums(change);
        on_glibc(releases.job(&sandbox)).run().expect_success();
    }
}

#[test]
fn checksums_are_computed_with_what_there_is() {
    let tools = [
        "bash", "env", "mktemp", "head", "cut", "tar", "gzip", "curl", "mkdir", "uname", "mv",
        "cp", "rm", "chmod", "find", "cat",
    ];
    let certutil = "sum=$(shasum -a 256 \"$2\"); echo \"SHA256 hash of $2:\"; printf '%s\\r\\n' \"${sum%% *}\"; \
                    echo 'CertUtil: -hashfile command completed successfully.'";
    let shasum = format!("{} -a 256", which("shasum").unwrap().display());
    let certutil = certutil.replace("shasum -a 256", &shasum);
    for tool in ["sha256sum", "shasum", "openssl", "certutil"] {
        if tool != "certutil" && which(tool).is_none() {
            skipped(&format!("there is no {tool}"));
            continue;
        }
        case(tool);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let mut job = on_glibc(releases.job(&sandbox)).only_tools(&tools);
        let script = match tool {
            "certutil" => certutil.clone(),
            _ => format!("exec '{}' \"$@\"", which(tool).unwrap().display()),
        };
        job = job.tool(tool, &script);
        job.run().expect_success();
        // And a wrong sum is a wrong sum with each of them.
        releases.change_sums(|sums| sums.replacen(&sums[..4], "0000", 1));
        std::fs::remove_dir_all(sandbox.path().join("tools")).unwrap();
        job.run().expect_refusal(&["is wrong"]);
    }
}

#[test]
fn a_tool_for_checksums_that_fails_gives_way_to_the_next_one() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let mut job = on_glibc(releases.job(&sandbox)).tool("sha256sum", "exit 1");
    job.run().expect_success();
    for tool in ["shasum", "openssl", "certutil"] {
        job = job.tool(tool, "echo broken");
    }
    job.run().expect_refusal(&["nothing on this runner can compute a SHA-256"]);
}

#[test]
fn without_a_way_to_compute_checksums_nothing_is_fetched() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let tools = ["bash", "env", "mktemp", "head", "cut", "tar", "gzip", "curl", "mkdir", "uname"];
    let job = releases.job(&sandbox).env("RUNNER_OS", "macOS").only_tools(&tools);
    job.run().expect_refusal(&["nothing on this runner can compute a SHA-256", "openssl"]);
    assert!(releases.asked().is_empty());
}

#[test]
fn a_program_that_does_not_start_or_is_another_version_is_refused() {
    for (what, script) in [
        ("does not start", "exit 127"),
        ("another version", "echo 'ecosystem 9.9.9'"),
        ("a longer number", &*format!("echo 'ecosystem {VERSION}1'")),
    ] {
        case(what);
        let sandbox = Sandbox::new();
        let program = sandbox.path().join("broken");
        write_program(&program, script);
        let releases = Releases::of_program(&sandbox, VERSION, &program);
        let outcome = on_glibc(releases.job(&sandbox)).run();
        outcome.expect_refusal(&["does not start on this runner", "version: source"]);
        nothing_was_installed(&sandbox);
    }
}

#[test]
fn no_token_is_in_an_argument_an_address_or_the_log() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let log = sandbox.path().join("arguments");
    let mut job = on_glibc(releases.job(&sandbox));
    for tool in ["curl", "tar", "mktemp", "sha256sum", "cp", "mv", "mkdir", "find", "head", "cut"] {
        let Some(real) = which(tool) else { continue };
        let script = format!(
            "printf '{tool} %s\\n' \"$*\" >>'{}'\nexec '{}' \"$@\"",
            log.display(),
            real.display()
        );
        job = job.tool(tool, &script);
    }
    let gh = format!(
        "printf 'gh %s\\n' \"$*\" >>'{}'\necho 'gh version 2.80.0 (2026-01-01)'",
        log.display()
    );
    let outcome = job
        .tool("gh", &gh)
        .input("token", "canary-input")
        .env("GH_TOKEN", "canary-gh")
        .run()
        .expect_success();
    let arguments = std::fs::read_to_string(&log).unwrap();
    assert!(
        arguments.contains("curl ") && arguments.contains("gh attestation verify"),
        "{arguments}"
    );
    for text in [&arguments, &outcome.text(), &releases.received()] {
        for canary in ["canary-input", "canary-gh", JOB_TOKEN] {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
    }
    assert!(!args(&sandbox).join(" ").contains("canary"));
}

/// Whoever opens a pipe waits until somebody writes.
#[test]
fn what_is_no_file_in_the_place_of_the_program_is_refused() {
    for what in ["link", "directory", "pipe", "nothing"] {
        case(what);
        let sandbox = Sandbox::new();
        let name = format!("ecosystem-{VERSION}-{GNU}");
        let place = sandbox.path().join(&name).join("ecosystem");
        std::fs::create_dir(place.parent().unwrap()).unwrap();
        match what {
            "link" => std::os::unix::fs::symlink(recorder(&sandbox, VERSION), place).unwrap(),
            "directory" => std::fs::create_dir(place).unwrap(),
            "pipe" => assert!(sandbox.command("mkfifo").arg(place).status().unwrap().success()),
            _ => (),
        }
        let mut tar = sandbox.command("tar");
        tar.args(["-czf", "-", &name]);
        let packed = Child::start(&mut tar, b"").wait().stdout;
        let releases = Releases::none();
        releases.add(VERSION, &[(GNU, packed)]);
        let outcome = on_glibc(releases.job(&sandbox)).run();
        let why = if what == "nothing" { "tar: " } else { "there is no file" };
        outcome.expect_refusal(&["cannot unpack", why]);
        nothing_was_installed(&sandbox);
    }
}
