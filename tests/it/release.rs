//! Releases: the scripts below `.ci/` that `release.yml` calls, run as it runs them, and what the
//! workflow itself promises. That what it packs can be installed is tested with the action.

#[cfg(unix)]
mod assemble;
#[cfg(unix)]
mod check;
#[cfg(unix)]
mod draft;
#[cfg(unix)]
mod pack;
#[cfg(unix)]
mod publish;
#[cfg(unix)]
mod registry;
#[cfg(unix)]
mod repository;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::yaml;

fn jobs() -> Value {
    yaml::read(".github/workflows/release.yml")["jobs"].clone()
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    value.as_array().map_or_else(|| vec![text(value)], |all| all.iter().map(text).collect())
}

/// The targets that are built.
fn targets() -> Vec<String> {
    let jobs = jobs();
    let matrix = jobs["build"]["strategy"]["matrix"]["include"].as_array().unwrap();
    matrix.iter().map(|one| texts(&one["target"])[0].clone()).collect()
}

#[test]
fn a_program_is_released_for_each_runner_that_the_action_knows() {
    let matrix = &jobs()["build"]["strategy"]["matrix"]["include"];
    let field = |name: &str| -> Vec<String> {
        matrix.as_array().unwrap().iter().map(|one| texts(&one[name])[0].clone()).collect()
    };
    let targets: BTreeSet<String> = targets().into_iter().collect();
    let mut known = BTreeSet::new();
    for cpu in ["x86_64", "aarch64"] {
        for rest in ["unknown-linux-gnu", "unknown-linux-musl", "apple-darwin", "pc-windows-msvc"] {
            known.insert(format!("{cpu}-{rest}"));
        }
    }
    assert_eq!(targets, known);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = std::fs::read_to_string(root.join("action/target.sh")).unwrap();
    for target in &known {
        let (_, rest) = target.split_once('-').unwrap();
        assert!(script.contains(&format!("target=$cpu-{rest}")), "{target}");
    }
    // What is linked on Ubuntu 22.04 needs glibc 2.35 at most.
    assert!(script.contains("\noldest_glibc_minor=35\n"));
    for (target, runner) in field("target").iter().zip(field("runner")) {
        if target.ends_with("-gnu") {
            assert!(runner.starts_with("ubuntu-22.04"), "{target} on {runner}");
        }
    }
}

#[test]
fn each_job_may_do_what_it_is_for_and_nothing_else() {
    let workflow = yaml::read(".github/workflows/release.yml");
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    let mut granted = Vec::new();
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        let permissions = job["permissions"].as_object().expect("each job says what it may");
        for (what, access) in permissions {
            granted.push(format!("{name}: {what} {}", access.as_str().unwrap()));
        }
        // Nothing that comes from elsewhere is in a release.
        for step in job["steps"].as_array().unwrap() {
            let uses = step["uses"].as_str().unwrap_or_default();
            assert!(!uses.contains("cache"), "{name}: {uses}");
            if uses.starts_with("actions/checkout@") {
                assert_eq!(step["with"]["persist-credentials"], "false", "{name}");
            }
        }
    }
    granted.sort();
    assert_eq!(
        granted,
        [
            "assemble: contents read",
            "attest: attestations write",
            "attest: id-token write",
            "build: contents read",
            "check: contents read",
            "crate: contents read",
            "crate: id-token write",
            "draft: contents write",
            "package: contents read",
            "publish: contents write",
            "sbom: contents read",
        ]
    );
}

#[test]
fn a_dry_run_holds_nothing_to_publish_with() {
    let jobs = jobs();
    let writes = |job: &Value| {
        let permissions = job["permissions"].as_object().unwrap();
        permissions.values().any(|access| access == "write")
    };
    let mut publishing = 0;
    for (name, job) in jobs.as_object().unwrap() {
        let publishes = writes(job);
        assert_eq!(job["if"] == "github.event_name == 'push'", publishes, "{name}");
        publishing += usize::from(publishes);
    }
    assert_eq!(publishing, 4);
}

#[test]
fn nothing_is_published_before_all_is_built_attested_and_in_the_draft() {
    let jobs = jobs();
    let mut order = vec!["publish".to_owned()];
    let mut next = 0;
    while let Some(name) = order.get(next) {
        let needs = jobs[name]["needs"].clone();
        next += 1;
        let new = if needs.is_null() { Vec::new() } else { texts(&needs) };
        order.extend(new);
    }
    let wanted =
        ["publish", "crate", "draft", "attest", "assemble", "build", "sbom", "package", "check"];
    assert_eq!(order[..wanted.len()], wanted.map(str::to_owned));
    assert_eq!(jobs.as_object().unwrap().len(), wanted.len());
}

#[test]
fn one_approval_stands_before_all_that_cannot_be_taken_back() {
    let jobs = jobs();
    let guarded = |(name, job): (&String, &Value)| {
        job.get("environment").map(|environment| (name.clone(), texts(environment)))
    };
    let guards: Vec<_> = jobs.as_object().unwrap().iter().filter_map(guarded).collect();
    assert_eq!(guards, [("crate".to_owned(), vec!["release".to_owned()])]);
    // What was made public before it is a statement that is true, and a draft that is not public.
    assert_eq!(texts(&jobs["publish"]["needs"]), ["crate"]);
}

#[test]
fn a_job_uploads_its_own_file_for_as_long_as_it_can_be_run_again() {
    let jobs = jobs();
    let mut uploads = Vec::new();
    for job in jobs.as_object().unwrap().values() {
        for step in job["steps"].as_array().unwrap() {
            let uses = step["uses"].as_str().unwrap_or_default();
            if uses.starts_with("actions/upload-artifact@") {
                let with = |name: &str| step["with"][name].as_str().unwrap_or_default().to_owned();
                assert_eq!(with("retention-days"), "30");
                assert_eq!(with("if-no-files-found"), "error");
                uploads.push((with("name"), with("path")));
            }
            // Merged, the file of one job would lie on top of that of another.
            assert!(step["with"].get("merge-multiple").is_none(), "{step}");
        }
    }
    uploads.sort();
    let wanted = [
        ("part-${{ matrix.target }}", "${{ steps.pack.outputs.archive }}"),
        ("part-sbom", "${{ steps.sbom.outputs.file }}"),
        ("release", "dist/*"),
    ];
    assert_eq!(uploads, wanted.map(|(name, path)| (name.to_owned(), path.to_owned())));
}
