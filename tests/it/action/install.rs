//! How the program comes onto a runner: which build of which version, and from where.

use super::releases::{GNU, MUSL, Releases, nothing_was_installed, on_glibc, recorder, with_libc};
use super::runner::{Job, VERSION, archive};
use crate::support::case;
use crate::support::github::Bait;
use crate::support::loopback::{Loopback, Response};
use crate::support::repository::Sandbox;

#[test]
fn each_runner_gets_the_build_that_fits_it() {
    let old = "echo 'glibc 2.34'";
    let ubuntu = "echo 'ldd (Ubuntu GLIBC 2.39-0ubuntu8) 2.39'";
    let no = "exit 1";
    let musl = "echo 'musl libc (x86_64)' >&2; exit 1";
    for (system, machine, uname, getconf, ldd, target) in [
        ("Linux", "X64", no, "echo 'glibc 2.35'", no, GNU),
        ("Linux", "X64", no, "echo 'glibc 3.0'", no, MUSL),
        ("Linux", "X64", no, old, ubuntu, MUSL),
        ("Linux", "X64", no, no, ubuntu, GNU),
        ("Linux", "X64", no, no, "echo 'ldd (GNU libc) 2.28'", MUSL),
        ("Linux", "X64", no, no, musl, MUSL),
        ("Linux", "X64", no, "echo undefined", no, MUSL),
        ("Linux", "ARM64", no, "echo 'glibc 2.41'", no, "aarch64-unknown-linux-gnu"),
        ("Linux", "ARM64", no, no, musl, "aarch64-unknown-linux-musl"),
        ("macOS", "X64", no, no, no, "x86_64-apple-darwin"),
        ("macOS", "ARM64", no, no, no, "aarch64-apple-darwin"),
        ("Windows", "X64", no, no, no, "x86_64-pc-windows-msvc"),
        ("Windows", "ARM64", no, no, no, "aarch64-pc-windows-msvc"),
        (
            "",
            "",
            "if [ $1 = -s ]; then echo Darwin; else echo arm64; fi",
            no,
            no,
            "aarch64-apple-darwin",
        ),
        (
            "",
            "",
            "if [ $1 = -s ]; then echo Linux; else echo aarch64; fi",
            no,
            musl,
            "aarch64-unknown-linux-musl",
        ),
        (
            "",
            "",
            "if [ $1 = -s ]; then echo MINGW64_NT-10.0-26100; else echo x86_64; fi",
            no,
            no,
            "x86_64-pc-windows-msvc",
        ),
    ] {
        case(target);
        let sandbox = Sandbox::new();
        let releases = Releases::none();
        let program = recorder(&sandbox, VERSION);
        releases.add(VERSION, &[(target, archive(&sandbox, VERSION, target, &program))]);
        let job = with_libc(releases.job(&sandbox), getconf, ldd).tool("uname", uname);
        let outcome = job.env("RUNNER_OS", system).env("RUNNER_ARCH", machine).run();
        let outcome = outcome.expect_success();
        let binary = &outcome.outputs["binary"];
        assert!(binary.contains(&format!("/{target}-")), "{binary}");
        assert_eq!(binary.ends_with(".exe"), target.contains("windows"), "{binary}");
    }
}

#[test]
fn what_nobody_builds_for_is_refused_and_cargo_is_named() {
    for (system, machine, shown) in [
        ("Linux", "ARM", "for Linux on ARM"),
        ("Linux", "X86", "for Linux on X86"),
        ("FreeBSD", "X64", "for FreeBSD on X64"),
        ("Linux\n::error::x", "X64", "Linux\\n::error::x on X64"),
    ] {
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let job = releases.job(&sandbox).env("RUNNER_OS", system).env("RUNNER_ARCH", machine);
        job.run().expect_refusal(&["there is no release", shown, "version: source"]);
        assert!(releases.asked().is_empty());
    }
}

#[test]
fn a_release_without_this_target_says_how_to_build() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let job = releases.job(&sandbox).env("RUNNER_OS", "macOS");
    let said = ["was not released for x86_64-apple-darwin", "\"version: source\" builds"];
    job.run().expect_refusal(&said);
    nothing_was_installed(&sandbox);
}

#[test]
fn an_archive_that_is_listed_and_missing_is_an_error_with_its_address() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let path = format!("v{VERSION}/ecosystem-{VERSION}-{GNU}.tar.gz");
    releases.set(&path, None);
    let outcome = on_glibc(releases.job(&sandbox)).run();
    outcome.expect_refusal(&[&format!("{}/download/{path}", releases.url()), "404"]);
    nothing_was_installed(&sandbox);
}

#[test]
fn a_version_that_was_never_released_is_said_to_be_missing() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let outcome = on_glibc(releases.job(&sandbox)).input("version", "99.0.0").run();
    let address = format!("there is no release at {}/download/v99.0.0", releases.url());
    outcome.expect_refusal(&[&address, "private repository", "\"version: source\" builds"]);
    nothing_was_installed(&sandbox);
}

#[test]
fn without_a_network_the_address_and_the_ways_out_are_named() {
    let sandbox = Sandbox::new();
    let closed = {
        let server = Loopback::start(|_| Response::status("200 OK"));
        server.url()
    };
    let job = on_glibc(Job::new(&sandbox)).env("ECOSYSTEM_RELEASES_URL", &closed);
    let address = format!("cannot fetch {closed}/download/v{VERSION}/SHA256SUMS");
    job.run().expect_refusal(&[&address, "https_proxy", "ECOSYSTEM_RELEASES_URL", "source"]);
    nothing_was_installed(&sandbox);
}

#[test]
fn an_answer_that_is_for_now_is_asked_for_again_and_one_for_good_is_not() {
    for (answers, tries) in [
        (vec!["503", "429", "000", "200"], vec!["2", "4", "8"]),
        (vec!["503", "503", "503", "503"], vec!["2", "4", "8"]),
        (vec!["403"], vec![]),
    ] {
        let sandbox = Sandbox::new();
        let waits = sandbox.path().join("waits");
        let count = sandbox.path().join("count");
        let count = count.display();
        let curl = format!(
            "n=$(cat '{count}' 2>/dev/null || echo 0)\necho $((n + 1)) >'{count}'\n\
             all=({})\nprintf '%s ' \"${{all[n]}}\"\necho 'curl: (22) ::error::no' >&2\n\
             [ \"${{all[n]}}\" = 200 ] && : >SHA256SUMS",
            answers.join(" ")
        );
        let job = on_glibc(Job::new(&sandbox)).tool("curl", &curl);
        let sleep = format!("echo \"$1\" >>'{}'", waits.display());
        let outcome = job.tool("sleep", &sleep).run();
        let last = if answers.contains(&"200") { "was not released for" } else { "cannot fetch" };
        outcome.expect_refusal(&[last]);
        let waited = std::fs::read_to_string(&waits).unwrap_or_default();
        assert_eq!(waited.lines().collect::<Vec<_>>(), tries, "{answers:?}");
        let asked = std::fs::read_to_string(sandbox.path().join("count")).unwrap();
        assert_eq!(asked.trim(), answers.len().to_string());
    }
}

/// A server that hangs or trickles holds the job for four minutes a file, whatever is tried.
#[test]
fn all_that_is_tried_for_a_file_has_one_limit_of_time() {
    let sandbox = Sandbox::new();
    let script = "set -euf -o pipefail\n. \"$1/common.sh\"\n. \"$1/fetch.sh\"\n\
                  curl() { echo \"$*\" >>asked; printf '000 '; return 28; }\n\
                  sleep() { SECONDS=239; }\n\
                  request https://mirror.example/SHA256SUMS || echo given up";
    let mut bash = sandbox.command("bash");
    bash.current_dir(sandbox.path());
    bash.args(["-c", script, "bash", concat!(env!("CARGO_MANIFEST_DIR"), "/action")]);
    let said = String::from_utf8(bash.output().unwrap().stdout).unwrap();
    assert!(said.ends_with("given up\n"), "{said}");
    let asked = std::fs::read_to_string(sandbox.path().join("asked")).unwrap();
    let limits: Vec<_> = asked.lines().map(|line| line.split("--max-time ").nth(1)).collect();
    let first = limits[0].unwrap().split(' ').next().unwrap().parse::<u32>().unwrap();
    assert!((230..=240).contains(&first), "{asked}");
    assert_eq!(limits.len(), 2, "{asked}");
    assert!(limits[1].unwrap().starts_with("1 "), "{asked}");
}

#[test]
fn what_is_no_version_reaches_no_address() {
    for version in [
        "../../evil",
        "1.2.3/../..",
        "$(touch x)",
        "`touch x`",
        "1.2",
        "1.2.3.4",
        "v",
        "V1.2.3",
        "01.2.3",
        "1.2.3\n",
        "1.2.3\n::error::x",
        "1.2.3-",
        "1.2.3-a..b",
        "1.2.3-a/b",
        "1.2.3 ",
        " 1.2.3",
        "1.2.3+build",
        "main",
        "LATEST",
        "--help",
        "1.2.3?x",
        "1.2.3#x",
        "1.2.3%2e",
        "１.2.3",
    ] {
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let outcome = on_glibc(releases.job(&sandbox)).input("version", version).run();
        outcome.expect_refusal(&["is no version", "1.2.3, v1.2.3, latest or source"]);
        assert!(releases.asked().is_empty(), "{version:?}");
    }
}

#[test]
fn latest_is_the_version_that_github_leads_to() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let outcome = on_glibc(releases.job(&sandbox)).input("version", "latest").run();
    assert_eq!(outcome.expect_success().outputs["version"], VERSION);
    assert_eq!(releases.asked()[0], "/releases/latest");

    for place in [
        "",
        "https://evil.example/tag/v../../x",
        "https://github.com/login",
        "https://x/tag/vsource",
    ] {
        let server = Loopback::start(move |_| {
            let moved = Response::status("302 Found");
            if place.is_empty() {
                Response::status("200 OK")
            } else {
                moved.header(format!("Location: {place}"))
            }
        });
        let sandbox = Sandbox::new();
        let job = on_glibc(Job::new(&sandbox)).env("ECOSYSTEM_RELEASES_URL", server.url());
        let outcome = job.input("version", "latest").run();
        assert_eq!(outcome.steps[0].code, Some(2), "{place}: {outcome:?}");
        assert_eq!(server.requests().len(), 1, "{place}");
    }
}

#[test]
fn releases_are_those_of_the_repository_that_the_action_is_from() {
    for (path, repository) in [
        ("/opt/runner/_work/_actions/acme/ecosystem-dispatcher/v1", "acme/ecosystem-dispatcher"),
        ("/opt/runner/_work/_actions/a/b/feature/x", "a/b"),
        ("D:\\a\\_actions\\acme\\ecosystem-dispatcher\\v1", "acme/ecosystem-dispatcher"),
        ("/opt/runner/_work/monorepo/monorepo/./", "acme/monorepo"),
    ] {
        let sandbox = Sandbox::new();
        let script = "set -euf -o pipefail\n. ./common.sh\n. ./fetch.sh\nfind_repository\nfind_releases\n\
                      printf '%s %s' \"$repository\" \"$releases\"";
        let mut bash = sandbox.command("bash");
        bash.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/action"))
            .args(["-c", script])
            .env("GITHUB_ACTION_PATH", path)
            .env("GITHUB_REPOSITORY", "acme/monorepo");
        let said = bash.output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        assert_eq!(said, format!("{repository} https://github.com/{repository}/releases"));
    }
    // With the server of an enterprise.
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let server = releases.url().replace("/releases", "");
    let job = on_glibc(Job::new(&sandbox)).env("GITHUB_SERVER_URL", server);
    job.run().expect_success();
    assert!(releases.asked()[0].starts_with("/acme/ecosystem-dispatcher/releases/download/"));
}

#[test]
fn an_address_that_is_not_https_or_has_more_in_it_is_refused() {
    for address in [
        "http://example.com",
        "ftp://example.com",
        "https://canary:canary@example.com",
        "https://user:canary/canary@example.com",
        "https://canary@example.com:443/r",
        "https://example.com/r?token=canary",
        "https://example.com/r?to=a@canary",
        "https://example.com/canary@x/r",
        "canary@example.com",
        "canary",
        "https://",
        "https://example.com/?x",
        "https://example.com/#x",
        "https://example.com/a b",
        "https://example.com\n/x",
        "file:///etc/passwd",
        "https://-oProxy/",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example/",
        "https://example.com/$(id)",
    ] {
        for variable in ["ECOSYSTEM_RELEASES_URL", "GITHUB_SERVER_URL"] {
            let sandbox = Sandbox::new();
            let outcome = on_glibc(Job::new(&sandbox)).env(variable, address).run();
            let outcome = outcome.expect_refusal(&[variable, "https://HOST"]);
            assert!(!outcome.text().contains("canary"), "{outcome:?}");
        }
    }
}

#[test]
fn what_is_asked_over_https_is_never_asked_over_anything_else() {
    let sandbox = Sandbox::new();
    let log = sandbox.path().join("curl");
    let curl = format!("printf '%s\\n' \"$*\" >>'{}'; printf '404 '; exit 22", log.display());
    let job = on_glibc(Job::new(&sandbox)).tool("curl", &curl);
    job.env("ECOSYSTEM_RELEASES_URL", "https://mirror.example/r")
        .run()
        .expect_refusal(&["there is no release at https://mirror.example/r/download/"]);
    let asked = std::fs::read_to_string(&log).unwrap();
    assert!(asked.contains(" --proto =https --proto-redir =https "), "{asked}");
    assert!(asked.contains(" --speed-limit 1024 --speed-time 30 "), "{asked}");
    assert!(asked.trim_end().ends_with("/SHA256SUMS"), "{asked}");
    // A redirect to where else curl would go by itself.
    let bait = Bait::new();
    let to = format!("Location: {}", bait.url().replace("http://", "ftp://"));
    let server = Loopback::start(move |_| Response::status("302 Found").header(to.clone()));
    let sandbox = Sandbox::new();
    let job = on_glibc(Job::new(&sandbox)).env("ECOSYSTEM_RELEASES_URL", server.url());
    job.run().expect_refusal(&["cannot fetch"]);
    bait.expect_nobody();
}
