//! When gh is asked whose build a release is, what it is asked, and what its answers mean.

use super::releases::{GNU, Releases, args, nothing_was_installed, on_glibc, started};
use super::runner::{JOB_TOKEN, Job, VERSION};
use crate::support::case;
use crate::support::repository::Sandbox;

/// A gh that writes down what it is asked, says this and ends with this code.
fn gh(sandbox: &Sandbox, version: &str, says: &str, code: u8) -> String {
    let record = sandbox.path().join("gh");
    format!(
        "if [ \"$1\" = --version ]; then echo 'gh version {version} (2026-01-01)'; echo https://x; exit; fi\n\
         printf '%s\\n' \"$@\" >'{0}.args'; env >'{0}.env'\nprintf '{says}' >&2\nexit {code}",
        record.display()
    )
}

fn asked(sandbox: &Sandbox) -> Option<String> {
    std::fs::read_to_string(sandbox.path().join("gh.args")).ok()
}

fn job<'s>(sandbox: &'s Sandbox, releases: &Releases) -> Job<'s> {
    on_glibc(releases.job(sandbox))
}

#[test]
fn gh_is_asked_whether_our_release_workflow_has_built_it_from_this_tag() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let gh = gh(&sandbox, "2.68.0", "", 0);
    let job = job(&sandbox, &releases).tool("gh", &gh).env("GH_HOST", "ghes.example");
    let outcome = job.run().expect_success();
    let expected = format!(
        "attestation\nverify\necosystem-{VERSION}-{GNU}.tar.gz\n--hostname\ngithub.com\n\
         --repo\nacme/ecosystem-dispatcher\n\
         --signer-workflow\nacme/ecosystem-dispatcher/.github/workflows/release.yml\n\
         --source-ref\nrefs/tags/v{VERSION}\n--deny-self-hosted-runners\n"
    );
    assert_eq!(asked(&sandbox).unwrap(), expected);
    let env = std::fs::read_to_string(sandbox.path().join("gh.env")).unwrap();
    assert!(env.contains(&format!("\nGH_TOKEN={JOB_TOKEN}\n")), "{env}");
    assert!(!env.contains("GH_HOST"), "{env}");
    let said = format!("acme/ecosystem-dispatcher has built it from v{VERSION}");
    assert!(outcome.text().contains(&said), "{outcome:?}");
}

#[test]
fn gh_is_asked_about_the_server_of_the_workflow() {
    for version in ["2.68.0", "02.080.0", "3.0.0"] {
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let gh = gh(&sandbox, version, "", 0);
        let job = job(&sandbox, &releases).env("GITHUB_SERVER_URL", "https://octo-corp.ghe.com");
        let outcome = job.tool("gh", &gh).run().expect_success();
        let asked = asked(&sandbox).unwrap();
        assert!(asked.contains("\n--hostname\nocto-corp.ghe.com\n"), "{asked}");
        assert_eq!(outcome.steps[0].stderr, "", "{version}");
    }
}

#[test]
fn gh_is_asked_with_a_limit_of_time_where_there_is_one() {
    for (what, timeout, verified) in [
        ("that of the coreutils", "shift\nexec \"$@\"", true),
        ("that of Windows", "echo 'ERROR: Invalid syntax.' >&2\nexit 1", true),
        ("too long", "[ \"$2\" = true ] || exit 124", false),
    ] {
        case(what);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let gh = gh(&sandbox, "2.80.0", "", 0);
        let outcome = job(&sandbox, &releases).tool("gh", &gh).tool("timeout", timeout).run();
        assert_eq!(asked(&sandbox).is_some(), verified);
        if verified {
            outcome.expect_success();
        } else {
            let outcome = outcome.expect_refusal(&["was not verified"]);
            assert!(outcome.text().contains("gh: no answer within 120 seconds"), "{outcome:?}");
        }
    }
}

#[test]
fn an_attestation_that_is_not_there_or_not_ours_stops_the_install() {
    for (what, says) in [
        ("none", "Error: HTTP 404: Not Found (https://api.github.com/x)\\n"),
        ("another workflow", "Error: verifying with issuer failed\\n::error::evil\\n##[error]x\\n"),
        ("silence", ""),
    ] {
        case(what);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let gh = gh(&sandbox, "2.80.1", says, 1);
        let outcome = job(&sandbox, &releases).tool("gh", &gh).run();
        let outcome = outcome.expect_refusal(&["was not verified", "nothing was installed", "off"]);
        assert_eq!(outcome.text().contains("gh: Error: "), !says.is_empty(), "{outcome:?}");
        nothing_was_installed(&sandbox);
    }
}

#[test]
fn where_gh_cannot_check_it_is_said_and_only_required_is_an_error() {
    let current = ("2.80.0", 0);
    for (why, (version, code), server, with_gh) in [
        ("gh 2.67 is older than 2.68", ("2.67.0", 0), "https://github.com", true),
        ("gh 1.99 is older than 2.68", ("1.99.0", 0), "https://github.com", true),
        ("gh does not tell its version", ("x", 0), "https://github.com", true),
        ("gh does not take the token", ("2.80.0", 4), "https://github.com", true),
        ("and this is https://ghes.example", current, "https://ghes.example", true),
        ("and this is https://evil-ghe.com", current, "https://evil-ghe.com", true),
        ("and this is https://evil.example", current, "https://evil.example/x.ghe.com", true),
        ("and this is https://x.ghe.com", current, "https://evil.example@x.ghe.com", true),
        ("and this is https://a.b.ghe.com", current, "https://a.b.ghe.com", true),
        ("gh is not installed", current, "https://github.com", false),
    ] {
        for mode in ["auto", "required"] {
            case(&format!("{why}, {mode}"));
            let sandbox = Sandbox::new();
            let releases = Releases::of(&sandbox);
            let mut job = job(&sandbox, &releases).env("GITHUB_SERVER_URL", server);
            if with_gh {
                job = job.tool("gh", &gh(&sandbox, version, "", code));
            } else {
                job = job.only_tools(&[
                    "bash", "env", "mktemp", "head", "cut", "tar", "gzip", "curl", "mkdir", "mv",
                    "cp", "rm", "chmod", "find", "shasum", "perl",
                ]);
            }
            let outcome = job.input("attestation", mode).run();
            if mode == "auto" {
                let text = outcome.text();
                assert!(text.contains("the build attestation was not checked: "), "{outcome:?}");
                assert!(text.contains(why), "{outcome:?}");
            } else {
                outcome.expect_refusal(&["cannot be checked", why, "attestation: auto"]);
                nothing_was_installed(&sandbox);
            }
            assert_eq!(asked(&sandbox).is_some(), code == 4, "asked where it may be");
        }
    }
}

#[test]
fn off_does_without_and_another_word_is_refused() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let job = job(&sandbox, &releases).tool("gh", &gh(&sandbox, "2.80.0", "", 1));
    let job = job.input("attestation", "off");
    job.run().expect_success();
    assert_eq!(asked(&sandbox), None);
    job.input("attestation", "no").run().expect_refusal(&["auto, required or off"]);
}

#[test]
fn a_cached_program_counts_as_attested_only_where_it_was() {
    for mode in ["required", "auto"] {
        case(mode);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let job = |mode| job(&sandbox, &releases).input("attestation", mode);
        job("off").run().expect_success();
        job("off").run().expect_success();
        // Nobody can check it, and it need not be.
        job("auto").run().expect_success();
        assert_eq!(releases.asked().len(), 4, "fetched once");
        // It is there, and nobody has ever checked whose it is.
        let gh = gh(&sandbox, "2.80.0", "", 0);
        job(mode).tool("gh", &gh).run().expect_success();
        assert_eq!(releases.asked().len(), 8, "fetched anew");
        std::fs::remove_file(sandbox.path().join("gh.args")).unwrap();
        job(mode).tool("gh", &gh).run().expect_success();
        assert_eq!(releases.asked().len(), 8, "it was checked when it was put there");
        assert_eq!(asked(&sandbox), None);
        assert_eq!(args(&sandbox), ["dispatch"]);
        assert!(started(&sandbox).iter().all(|version| version == VERSION));
    }
}
