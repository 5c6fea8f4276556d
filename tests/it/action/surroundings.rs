//! What a runner and its environment can do to the scripts: options that bash, curl and tar take
//! from elsewhere, tools that fail, a program that is gone.

use super::releases::{Releases, on_glibc, started};
use super::runner::{JOB_TOKEN, VERSION, write_program};
use crate::support::case;
use crate::support::repository::Sandbox;

#[test]
fn options_in_the_environment_show_no_token_and_break_nothing() {
    for (name, value) in [
        ("SHELLOPTS", "xtrace:verbose"),
        ("SHELLOPTS", "noclobber"),
        ("TAR_OPTIONS", "--no-such-option"),
        ("GZIP", "--no-such-option"),
        ("CDPATH", "/"),
        ("GREP_OPTIONS", "--no-such-option"),
    ] {
        case(&format!("{name}={value}"));
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let job = on_glibc(releases.job(&sandbox)).env(name, value).env("GH_TOKEN", "canary-gh");
        let outcome = job.input("token", "canary-input").run().expect_success();
        for secret in [JOB_TOKEN, "canary-gh", "canary-input"] {
            assert!(!outcome.text().contains(secret), "{outcome:#?}");
        }
    }
}

#[test]
fn a_curlrc_adds_nothing_to_what_is_asked() {
    for variable in ["HOME", "CURL_HOME"] {
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let home = sandbox.path().join("a-home");
        std::fs::create_dir(&home).unwrap();
        let curlrc = "header = \"Authorization: Bearer canary\"\nuser-agent = canary\n";
        std::fs::write(home.join(".curlrc"), curlrc).unwrap();
        let job = on_glibc(releases.job(&sandbox)).env(variable, home.to_str().unwrap());
        job.run().expect_success();
        assert!(!releases.received().contains("canary"), "{}", releases.received());
    }
}

/// A cancelled job is no failure of the action.
#[test]
fn a_cancelled_step_ends_without_a_word_of_error() {
    for signal in ["TERM", "INT"] {
        case(signal);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let job = on_glibc(releases.job(&sandbox));
        let outcome = job.tool("tar", &format!("kill -{signal} $PPID; kill -{signal} $$")).run();
        assert_eq!(outcome.steps.len(), 1, "{outcome:#?}");
        assert_ne!(outcome.steps[0].code, Some(0), "{outcome:#?}");
        assert!(!outcome.text().contains("::error"), "{outcome:#?}");
        assert_eq!(started(&sandbox), Vec::<String>::new());
    }
}

#[test]
fn an_end_that_nobody_has_foreseen_says_what_was_being_done() {
    let unpacking = "has ended with code 3 while unpacking ecosystem-";
    for (tool, said) in [
        ("mktemp", "cannot make a directory in"),
        ("head", "SHA256SUMS of version"),
        ("curl", "curl has said nothing"),
        ("tar", "tar has said nothing"),
        ("mv", unpacking),
        ("rm", unpacking),
        ("chmod", unpacking),
    ] {
        case(tool);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let outcome = on_glibc(releases.job(&sandbox)).tool(tool, "exit 3").run();
        outcome.expect_refusal(&[said, "help: "]);
        assert_eq!(started(&sandbox), Vec::<String>::new());
    }
}

#[test]
fn a_program_that_can_no_longer_be_started_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    let program = sandbox.path().join("gone");
    let script = format!("case $0 in */tools/*) rm \"$0\" ;; esac; echo 'ecosystem {VERSION}'");
    write_program(&program, &script);
    let releases = Releases::of_program(&sandbox, VERSION, &program);
    let outcome = on_glibc(releases.job(&sandbox)).run();
    assert_eq!(outcome.steps[1].code, Some(2), "{outcome:#?}");
    outcome.expect_annotation(&["cannot be started", &outcome.outputs["binary"]]);
}
