//! The scripts of the guide, run under bash: ours against the embedded GitHub, and the script that
//! people have today in the situations in which the guide says that it fails.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use serde_json::json;

use super::guide;
use crate::support::ecosystem::Run;
use crate::support::github::{BASE, HEAD, TOKEN, Tester, github_with, run_test_with};
use crate::support::process::{Child, Finished, scrubbed};
use crate::support::repository::Sandbox;
use crate::support::{case, skipped};

/// One run of a script, in the making.
struct Script<'a> {
    sandbox: &'a Sandbox,
    text: String,
    checkout: &'a Path,
    programs: PathBuf,
    variables: Vec<(&'static str, String)>,
    flags: &'a [&'a str],
}

impl<'a> Script<'a> {
    fn new(sandbox: &'a Sandbox, checkout: &'a Path, text: &str, programs: &Path) -> Self {
        let variables = Vec::new();
        let programs = programs.to_owned();
        Self { sandbox, text: text.to_owned(), checkout, programs, variables, flags: &[] }
    }

    fn env(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Runs it and returns the exit code and both outputs.
    fn run(self) -> (Option<i32>, String, String) {
        let file = self.sandbox.path().join("script.sh");
        std::fs::write(&file, &self.text).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(self.programs).chain(std::env::split_paths(&path));
        let mut bash = self.sandbox.command("bash");
        bash.current_dir(self.checkout)
            .args(self.flags)
            .arg(&file)
            .env("PATH", std::env::join_paths(all).unwrap())
            .envs(self.variables);
        let Finished { status, stdout, stderr } = Child::start(&mut bash, b"").wait();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }
}

/// Returns the directory of the built program.
fn ours() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_ecosystem")).parent().unwrap().to_owned()
}

/// Returns the guide's script for `gh api`.
fn before() -> String {
    guide().code("Before: the script", "bash before")
}

/// Runs the script with a gh that takes everything; returns the code, what it printed, and whom
/// it told of what.
fn tell(sandbox: &Sandbox, checkout: &Path) -> (Option<i32>, String, String, BTreeSet<String>) {
    let programs = sandbox.path().join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    let gh = programs.join("gh");
    std::fs::write(&gh, "#!/bin/sh\nexit 0\n").unwrap();
    std::fs::set_permissions(&gh, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, stdout, stderr) = Script::new(sandbox, checkout, &before(), &programs).run();
    let told = stdout.lines().filter_map(|line| line.strip_prefix("told "));
    let told = told.map(str::to_owned).collect();
    (code, stdout, stderr, told)
}

/// Returns the features that a range is about, for one cousin that follows all of them.
fn features(sandbox: &Sandbox, checkout: &Path, base: &str) -> BTreeSet<String> {
    let list = sandbox.path().join("all.json");
    std::fs::write(&list, r#"[{"repo": "acme/web", "subscriptions": ["features/*/*"]}]"#).unwrap();
    let args = ["dispatch", "--dry-run", "--format", "json", "--source", "acme/monorepo"];
    let run = Run::new(sandbox).dir(checkout).args(args).args(["--base", base]);
    let report = run.arg("--ecosystem").arg(&list).run().expect_code(0).json();
    let dispatches = report["dispatches"].as_array().unwrap().iter();
    dispatches.map(|it| it["updated_feature"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn in_a_checkout_of_one_commit_the_script_says_no_changes_and_dispatch_finds_them() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let checkout = sandbox.clone(&bare, "checkout", &["--depth=1"]);
    let (code, stdout, stderr, _) = tell(&sandbox, &checkout);
    assert_eq!((code, stdout.as_str()), (Some(0), "no changes\n"));
    let shown = guide().code("What went wrong in the script", "text");
    assert!(shown.ends_with("\nno changes\n"), "{shown}");
    assert_eq!(shown.lines().next(), stderr.lines().next());
    let base = sandbox.rev(&bare, "step/before-head");
    let found = features(&sandbox, &checkout, &base);
    assert_eq!(found, ["features/pwa/vanilla", "features/webpush/flask"].map(str::to_owned).into());
}

#[test]
fn the_script_loses_what_the_guide_says_and_dispatch_does_not() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let checkout = sandbox.clone(&bare, "checkout", &[]);
    let told_of = |feature: &str| {
        ["acme/flask-push-demo", "acme/pwa-gallery"].map(|repo| format!("{repo} of {feature}"))
    };
    let both = |features: &[&str]| features.iter().flat_map(|it| told_of(it)).collect();

    case("two features: each repository is told of both");
    let last: BTreeSet<String> = both(&["features/pwa/vanilla", "features/webpush/flask"]);
    let (code, _, _, told) = tell(&sandbox, &checkout);
    assert_eq!((code, told.len(), &told), (Some(0), 4, &last));

    case("a push of two commits: the first is lost");
    assert!(features(&sandbox, &checkout, "HEAD~2").contains("features/auth/flask"));
    assert!(!told.iter().any(|line| line.contains("features/auth/flask")), "{told:?}");

    case("a file is moved: who follows the old place is not told");
    sandbox.git(&checkout, &["checkout", "--quiet", &sandbox.rev(&bare, "step/rename")]);
    let (code, _, _, told) = tell(&sandbox, &checkout);
    assert_eq!((code, told), (Some(0), both(&["features/auth/flask"])));
    let found = features(&sandbox, &checkout, "HEAD~1");
    assert_eq!(found, ["features/auth/flask", "features/webpush/flask"].map(str::to_owned).into());

    case("a name that git quotes");
    sandbox.write(&checkout, "features/café/web/app.py", "1\n");
    sandbox.commit_all(&checkout, "a name");
    let (code, stdout, _, _) = tell(&sandbox, &checkout);
    assert_eq!((code, stdout.as_str()), (Some(0), "no changes\n"));
    let found = features(&sandbox, &checkout, "HEAD~1");
    assert_eq!(found, ["features/café/web".to_owned()].into());
}

#[test]
fn with_the_real_gh_a_string_payload_is_refused_and_the_script_says_told() {
    let gh = scrubbed("gh").arg("--version").output();
    if !gh.is_ok_and(|output| output.status.success()) {
        return skipped("gh is not installed: its refusals are not looked at");
    }
    let names = ["acme/flask-push-demo", "acme/pwa-gallery"];
    run_test_with(github_with(names), |tester| {
        for (flags, code, told, tried) in [(&[][..], 0, 4, 2), (&["-e"], 1, 0, 1)] {
            let script = Script::new(&tester.sandbox, &tester.checkout, &before(), &ours())
                // A host of gh's own for tests, by plain http; the proxy is the embedded GitHub.
                .env("GH_HOST", "github.localhost")
                .env("http_proxy", tester.url())
                .env("GH_TOKEN", TOKEN)
                .env("GH_ENTERPRISE_TOKEN", TOKEN);
            let (ended, stdout, _) = Script { flags, ..script }.run();
            assert_eq!((ended, stdout.matches("told ").count()), (Some(code), told), "{stdout}");
            let before = if code == 0 { 0 } else { 2 };
            let statuses = tester.statuses("acme/flask-push-demo");
            if statuses.is_empty() {
                return skipped("this gh does not come to a server on loopback");
            }
            assert_eq!(statuses, vec![Some(422); before + tried]);
        }
        assert_eq!(tester.statuses("acme/pwa-gallery"), [Some(422); 2]);
        assert!(tester.delivered().is_empty());
    });
}

#[test]
fn curl_is_content_with_every_answer() {
    let curl = scrubbed("curl").arg("--version").output();
    if !curl.is_ok_and(|output| output.status.success()) {
        return skipped("curl is not installed: what it makes of answers is not looked at");
    }
    let before = guide().code("Before: curl", "bash before");
    let model = github_with(["acme/web"])
        .repository_with("acme/old-name", |it| it.renamed_to("acme/new-name"));
    run_test_with(model, |tester| {
        let before = before.replace("https://api.github.com", tester.url());
        for (script, repository, payload, status, code) in [
            (before.clone(), "web", "{}", 204, 0),
            (before.clone(), "web", "\"text\"", 422, 0),
            (before.clone(), "gone", "{}", 404, 0),
            (before.replace("-sS", "-sS --fail"), "gone", "{}", 404, 22),
            (before, "old-name", "{}", 307, 0),
        ] {
            case(&format!("{repository} {status}"));
            let run = Script::new(&tester.sandbox, &tester.checkout, &script, &ours());
            let (ended, ..) = run
                .env("OWNER", "acme")
                .env("REPO", repository)
                .env("TOKEN", TOKEN)
                .env("EVENT_TYPE", "deploy")
                .env("PAYLOAD", payload)
                .run();
            assert_eq!(ended, Some(code));
            let statuses = tester.statuses(&format!("acme/{repository}"));
            assert_eq!(statuses.last(), Some(&Some(status)));
        }
        assert_eq!(tester.delivered().len(), 1, "only acme/web was told");
    });
}

/// Runs one of the guide's own scripts where a reader would.
fn try_out(tester: &Tester, script: &str) -> (Option<i32>, String, String) {
    Script::new(&tester.sandbox, &tester.checkout, script, &ours())
        .env("GITHUB_API_URL", tester.url())
        .env("ECOSYSTEM_PAT", TOKEN)
        .env("GITHUB_REPOSITORY", "acme/monorepo")
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_SHA", HEAD)
        .env("BEFORE", BASE)
        .env("AFTER", HEAD)
        .env("MESSAGE", "done\", \"ref\": \"refs/heads/release")
        .run()
}

#[test]
fn every_command_of_the_guide_does_what_the_guide_says() {
    let guide = guide();
    let names = ["flask-push-demo", "pwa-gallery", "deployment", "backend", "frontend", "worker"]
        .map(|name| format!("acme/{name}"));
    run_test_with(github_with(names.iter().map(String::as_str)), |tester| {
        let list = guide.code("After: `ecosystem dispatch`", "json");
        std::fs::write(tester.checkout.join("ecosystem.json"), list).unwrap();
        let mut told = 0;
        for script in guide.codes("sh") {
            case(&script);
            let dry = script.contains("--dry-run") || script.contains("validate");
            let (code, stdout, stderr) = try_out(tester, &script);
            let expected = if script.contains("--online") { 1 } else { 0 };
            assert_eq!(code, Some(expected), "{script}\n{stdout}\n{stderr}");
            let delivered: usize = tester.delivered().values().map(Vec::len).sum();
            assert_eq!(delivered == told, dry, "{script}\n{stdout}");
            told = delivered;
        }
        // dispatch, the same with watermarks, send to one, send to three, dispatch with a report.
        assert_eq!(told, 2 + 2 + 1 + 3 + 2);
        let delivered = tester.delivered();
        let features = delivered["acme/pwa-gallery"].iter().map(|(_, it)| &it["updated_feature"]);
        assert_eq!(features.collect::<Vec<_>>(), ["features/pwa/vanilla"; 3]);
        assert_eq!(
            delivered["acme/deployment"],
            [(
                "deploy".to_owned(),
                json!({
                    "ref": "refs/heads/main",
                    "message": "done\", \"ref\": \"refs/heads/release",
                    "attempt": 1,
                })
            )]
        );
        assert_eq!(delivered["acme/worker"][0].1["source_ref"], "refs/heads/main");
        assert!(!tester.reads().is_empty(), "validate --online asks");
    });
}

#[test]
fn the_script_that_goes_by_the_exit_code_says_when_somebody_was_not_told() {
    let guide = guide();
    let script = guide.code("How it ends", "sh");
    run_test_with(github_with(["acme/flask-push-demo"]), |tester| {
        let list = guide.code("After: `ecosystem dispatch`", "json");
        std::fs::write(tester.checkout.join("ecosystem.json"), list).unwrap();
        let (code, _, stderr) = try_out(tester, &script);
        assert_eq!(code, Some(1));
        assert!(stderr.contains("somebody was not told: see report.json"), "{stderr}");
        assert_eq!(tester.events("acme/flask-push-demo").len(), 1);
        assert_eq!(tester.statuses("acme/pwa-gallery"), [Some(404)]);
        let report = std::fs::read(tester.checkout.join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(report["summary"]["failed"], 1);
    });
}
