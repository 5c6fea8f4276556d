//! The action with the built program, in a checkout of the sample monorepo, against the embedded
//! GitHub: what a workflow gets from one `uses:` line.

use std::path::Path;
use std::sync::OnceLock;

use super::releases::{GNU, Releases, on_glibc};
use super::runner::{JOB_TOKEN, Job, Outcome, VERSION, archive};
use crate::support::github::{HEAD, TOKEN, Tester, run_test};
use crate::support::repository::Sandbox;

/// Serves the built program. It is packed once for all tests: with its debug information it is
/// large.
pub(super) fn releases() -> Releases {
    static PACKED: OnceLock<Vec<u8>> = OnceLock::new();
    let pack = || {
        let program = Path::new(env!("CARGO_BIN_EXE_ecosystem"));
        archive(&Sandbox::new(), VERSION, GNU, program)
    };
    let releases = Releases::none();
    releases.add(VERSION, &[(GNU, PACKED.get_or_init(pack).clone())]);
    releases
}

/// Prepares a job after the push of `step/head`, as GitHub Actions starts it.
pub(super) fn job<'t>(t: &'t Tester, releases: &Releases) -> Job<'t> {
    let event = crate::support::fixture("events/push.json");
    on_glibc(releases.job(&t.sandbox))
        .env("GITHUB_API_URL", t.url())
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_EVENT_PATH", event.to_str().unwrap())
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_RUN_ID", "42")
        .input("working-directory", t.checkout.to_str().unwrap())
}

fn output(outcome: &Outcome, name: &str) -> String {
    outcome.outputs.get(name).cloned().unwrap_or_default()
}

#[test]
fn one_uses_line_dispatches_what_a_push_has_changed() {
    run_test(|t| {
        let releases = releases();
        let outcome = job(t, &releases)
            .input("token", TOKEN)
            .input("repositories", "acme/docs-site, acme/push-service")
            .run()
            .expect_success();
        assert_eq!(
            t.delivered().into_keys().collect::<Vec<_>>(),
            ["acme/docs-site", "acme/push-service"]
        );
        for (name, value) in [
            ("dispatched", "true"),
            ("count", "2"),
            ("features", "[\"docs\",\"features/webpush/flask\"]"),
            ("repos", "[\"acme/docs-site\",\"acme/push-service\"]"),
            ("head", HEAD),
            ("complete", "true"),
            ("version", VERSION),
        ] {
            assert_eq!(output(&outcome, name), value, "{name}");
        }
        let report = std::fs::read_to_string(output(&outcome, "report")).unwrap();
        assert!(report.contains("\"delivered\": 2"), "{report}");
        assert!(!outcome.text().replace(&format!("::add-mask::{TOKEN}"), "").contains(TOKEN));
    });
}

#[test]
fn a_dry_run_a_validation_and_a_status_need_no_token_and_send_nothing() {
    run_test(|t| {
        let releases = releases();
        let outcome = job(t, &releases).input("dry-run", "true").run().expect_success();
        assert_eq!(
            (output(&outcome, "dispatched"), output(&outcome, "count")),
            ("false".into(), "7".into())
        );
        let outcome = job(t, &releases).input("command", "validate").run().expect_success();
        assert!(outcome.text().contains("ecosystem.json: "), "{outcome:?}");
        let outcome = job(t, &releases).input("command", "status").run().expect_success();
        assert!(outcome.text().contains("acme/docs-site"), "{outcome:?}");
        t.expect_no_request();
    });
}

#[test]
fn watermarks_are_written_with_the_token_of_the_job() {
    run_test(|t| {
        let releases = releases();
        let job = job(t, &releases).input("token", TOKEN).input("watermarks", "true");
        job.input("args", "--only \"acme/docs-site\"").run().expect_success();
        t.delivered();
        let refs =
            t.sandbox.git(&t.monorepo, &["for-each-ref", "--format=%(refname)", "refs/ecosystem"]);
        assert!(refs.contains("refs/ecosystem/watermarks/acme/docs-site"), "{refs}");
    });
}

#[test]
fn a_failure_of_the_program_is_the_failure_of_the_step() {
    run_test(|t| {
        let releases = releases();
        let outcome =
            job(t, &releases).input("token", TOKEN).input("repository", "acme/gone").run();
        assert_eq!(outcome.steps[1].code, Some(1), "{outcome:?}");
        assert_eq!(output(&outcome, "dispatched"), "false");
        assert_eq!(t.tried().len(), 1);
        // And what the program refuses, it refuses with its own words.
        let outcome = job(t, &releases).input("args", "--no-such-flag").run();
        assert_eq!(outcome.steps[1].code, Some(2));
        assert!(outcome.text().contains("'--no-such-flag'"), "{outcome:?}");
    });
}

#[test]
fn one_uses_line_sends_an_event_of_ones_own() {
    run_test(|t| {
        let releases = releases();
        let payload = "{\n  \"sha\": \"$(touch x)\",\n  \"files\": [\"::error::x\", \"`y`\"]\n}\n";
        let send = job(t, &releases)
            .input("command", "send")
            .input("token", TOKEN)
            .input("event-type", "docker_build")
            .input("client-payload", payload)
            .input("repositories", "acme/docs-site\nacme/push-service");
        let outcome = send.run().expect_success();
        let event = ("docker_build".to_owned(), serde_json::from_str(payload).unwrap());
        let delivered = t.delivered();
        assert_eq!(delivered["acme/docs-site"], std::slice::from_ref(&event));
        assert_eq!(delivered["acme/push-service"], [event]);
        let url = format!("{}/repos/acme/docs-site/dispatches", t.url());
        for (name, value) in [
            ("dispatched", "true"),
            ("count", "2"),
            ("repos", "[\"acme/docs-site\",\"acme/push-service\"]"),
            ("dispatch-url", &url),
            ("status", "204"),
        ] {
            assert_eq!(output(&outcome, name), value, "{name}");
        }
        // What a dry run shows, it does not send.
        let outcome = send.input("dry-run", "true").run().expect_success();
        assert_eq!(output(&outcome, "dispatched"), "false");
        assert_eq!(t.delivered().values().map(Vec::len).sum::<usize>(), 2);
    });
}

#[test]
fn send_without_a_repository_tells_this_one_with_the_token_of_the_job() {
    let model = crate::support::github::github_with(["acme/monorepo"])
        .token(JOB_TOKEN, ecosystem_dispatcher::embedded_github::Token::may_write_all());
    crate::support::github::run_test_with(model, |t| {
        let releases = releases();
        let send = job(t, &releases).input("command", "send").input("event-type", "build");
        let outcome = send.run().expect_success();
        assert_eq!(output(&outcome, "repos"), "[\"acme/monorepo\"]");
        assert_eq!(t.delivered().into_keys().collect::<Vec<_>>(), ["acme/monorepo"]);
        // What is no payload is refused by the program, with its place.
        let outcome = send.input("client-payload", "[1]").run();
        assert_eq!(outcome.steps[1].code, Some(2), "{outcome:?}");
        assert!(outcome.text().contains("object"), "{outcome:?}");
    });
}
