//! `release-check`, `release-pack` and `release-draft`, each in a small repository of its own, with
//! programs that stand in for what is not here.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::case;
use crate::support::ecosystem::Done;
use crate::support::process::Child;
use crate::support::repository::Sandbox;

const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-21\n\n### Added\n\n\
                         - A thing.\n\n## [1.2.2] - 2026-10-01\n\n- Older.\n\n[1.2.3]: https://x\n";

/// A repository that is about to be released.
struct Repository {
    sandbox: Sandbox,
    root: PathBuf,
}

impl Repository {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let root = sandbox.new_repository("repository");
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::create_dir_all(root.join(".ci")).unwrap();
        for script in ["release-check", "release-pack", "release-draft"] {
            let path = format!(".ci/{script}");
            std::fs::copy(here.join(&path), root.join(&path)).unwrap();
        }
        let repository = Self { sandbox, root };
        repository.write("Cargo.toml", &manifest("1.2.3"));
        repository.write("Cargo.lock", &lock("1.2.3"));
        repository.write("CHANGELOG.md", CHANGELOG);
        for file in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            repository.write(file, "Text.\n");
        }
        repository.sandbox.commit_all(&repository.root, "all");
        repository.git(&["tag", "v1.2.3"]);
        repository
    }

    fn write(&self, path: &str, content: &str) {
        self.sandbox.write(&self.root, path, content);
    }

    fn git(&self, args: &[&str]) -> String {
        self.sandbox.git(&self.root, args)
    }

    fn program(&self, path: &str, script: &str) -> PathBuf {
        let path = self.sandbox.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn run(&self, script: &str, args: &[&str]) -> Done {
        self.run_with(script, args, &[])
    }

    fn run_with(&self, script: &str, args: &[&str], env: &[(&str, &str)]) -> Done {
        let fakes = self.sandbox.path().join("fakes");
        let path = format!("{}:{}", fakes.display(), std::env::var("PATH").unwrap());
        let mut command = self.sandbox.command(self.root.join(".ci").join(script));
        command.current_dir(&self.root).args(args).env("PATH", path);
        command.envs(env.iter().copied());
        Done::from(Child::start(&mut command, b"").wait())
    }

    fn check(&self, args: &[&str]) -> Done {
        self.run("release-check", args)
    }
}

fn manifest(version: &str) -> String {
    format!(
        "[dependencies.other]\nversion = \"9.9.9\"\n\n[package]\nname = \"ecosystem-dispatcher\"\n\
         version = \"{version}\"\n\n[dependencies]\nversion = \"8.8.8\"\n"
    )
}

fn lock(version: &str) -> String {
    format!(
        "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n[[package]]\n\
         name = \"ecosystem-dispatcher\"\nversion = \"{version}\"\n\n[[package]]\nname = \"z\"\n\
         version = \"1.2.3\"\n"
    )
}

#[test]
fn a_tag_whose_version_is_everywhere_and_whose_commit_is_on_main_can_be_released() {
    let repository = Repository::new();
    let done = repository.check(&["v1.2.3", "main"]).expect_code(0);
    assert_eq!(done.stdout, "v1.2.3 can be released\n");
    repository.write("CHANGELOG.md", &CHANGELOG.replace('\n', "\r\n"));
    repository.check(&["v1.2.3"]).expect_code(0);
}

#[test]
fn the_notes_are_the_section_of_the_changelog() {
    let repository = Repository::new();
    let done = repository.check(&["--notes", "v1.2.3"]).expect_code(0);
    assert_eq!(done.stdout, "### Added\n\n- A thing.\n");
}

#[test]
fn a_version_that_disagrees_is_refused_with_its_place() {
    let without = CHANGELOG.replace("[1.2.3] -", "[1.2.30] -");
    let undated = CHANGELOG.replace("[1.2.3] - 2026-11-21", "[1.2.3] - unreleased");
    let empty = CHANGELOG.replace("### Added\n\n- A thing.\n\n", "");
    for (file, content, said) in [
        ("Cargo.toml", manifest("1.2.4"), "Cargo.toml has version \"1.2.4\", the tag says 1.2.3"),
        ("Cargo.lock", lock("1.2.2"), "Cargo.lock has version \"1.2.2\""),
        ("CHANGELOG.md", without, "CHANGELOG.md has no section \"## [1.2.3] - YYYY-MM-DD\""),
        ("CHANGELOG.md", undated, "the heading \"## [1.2.3] - unreleased\" in CHANGELOG.md has no"),
        ("CHANGELOG.md", empty, "the section of 1.2.3 in CHANGELOG.md lists nothing"),
    ] {
        case(said);
        let repository = Repository::new();
        repository.write(file, &content);
        let done = repository.check(&["v1.2.3"]).expect_code(1);
        assert!(done.stderr.contains(said), "{}", done.stderr);
        assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
        repository.check(&["--notes", "v1.2.3"]).expect_code(1);
    }
    // Everything that is wrong is said in one go.
    let repository = Repository::new();
    assert_eq!(repository.check(&["v3.0.0"]).expect_code(1).stderr.lines().count(), 3);
}

#[test]
fn what_the_action_would_not_take_for_a_version_is_no_tag_for_a_release() {
    let repository = Repository::new();
    for tag in
        ["1.2.3", "v1.2", "v1.2.3+x", "v01.2.3", "v1.2.3\n::error::x", "v1.2.3-", "$(id)", "-h"]
    {
        let done = repository.check(&[tag]).expect_code(1);
        assert!(done.stderr.contains("is no version"), "{tag}: {}", done.stderr);
        assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    }
    repository.write("Cargo.toml", &manifest("1.3.0-rc.1"));
    repository.write("Cargo.lock", &lock("1.3.0-rc.1"));
    repository.write("CHANGELOG.md", &CHANGELOG.replace("1.2.3", "1.3.0-rc.1"));
    repository.check(&["v1.3.0-rc.1"]).expect_code(0);
}

#[test]
fn a_tag_beside_the_branch_or_another_checkout_is_refused() {
    let repository = Repository::new();
    repository.git(&["checkout", "--quiet", "-b", "aside"]);
    repository.sandbox.commit_all(&repository.root, "aside");
    repository.git(&["tag", "--force", "v1.2.3"]);
    let done = repository.check(&["v1.2.3", "main"]).expect_code(1);
    assert!(done.stderr.contains("v1.2.3 is not on main"), "{}", done.stderr);
    repository.git(&["tag", "--force", "v1.2.3", "main"]);
    let done = repository.check(&["v1.2.3", "main"]).expect_code(1);
    assert!(done.stderr.contains("checked out is not that of v1.2.3"), "{}", done.stderr);
    repository.git(&["tag", "--delete", "v1.2.3"]);
    let done = repository.check(&["v1.2.3", "main"]).expect_code(1);
    assert!(done.stderr.contains("there is no tag v1.2.3 here"), "{}", done.stderr);
}

/// A program that writes completions and man pages as ours does.
const PROGRAM: &str = "case $1 in\n--version) echo 'ecosystem 1.2.3 (0123456789)' ;;\n\
                       completions) echo \"for $2\" ;;\n\
                       man) echo page >\"$3/ecosystem.1\"; echo page >\"$3/ecosystem-send.1\" ;;\nesac";

#[test]
fn an_archive_has_the_program_its_licences_and_its_documents() {
    for (target, executable) in
        [("x86_64-unknown-linux-musl", "ecosystem"), ("aarch64-pc-windows-msvc", "ecosystem.exe")]
    {
        let repository = Repository::new();
        let program = repository.program("built", PROGRAM);
        let done = repository
            .run("release-pack", &[program.to_str().unwrap(), target, "dist"])
            .expect_code(0);
        let name = format!("ecosystem-1.2.3-{target}");
        assert_eq!(done.stdout, format!("dist/{name}.tar.gz\n"));
        let mut tar = repository.sandbox.command("tar");
        tar.current_dir(&repository.root).args(["-tzf", done.stdout.trim_end()]);
        let listed = String::from_utf8(Child::start(&mut tar, b"").wait().stdout).unwrap();
        let files = [
            "",
            "CHANGELOG.md",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "README.md",
            "completions/",
            "completions/_ecosystem",
            "completions/_ecosystem.ps1",
            "completions/ecosystem.bash",
            "completions/ecosystem.elv",
            "completions/ecosystem.fish",
            executable,
            "man/",
            "man/ecosystem-send.1",
            "man/ecosystem.1",
        ];
        let expected: Vec<String> = files.iter().map(|file| format!("{name}/{file}")).collect();
        assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_same_program_gives_the_same_bytes_whoever_packs_it_and_when() {
    let pack = |umask: &str, epoch: &str| {
        let repository = Repository::new();
        let program = repository.program("built", PROGRAM);
        let script = repository.root.join(".ci/release-pack");
        let mut bash = repository.sandbox.command("bash");
        bash.current_dir(&repository.root)
            .args(["-c", "umask $1; shift; \"$@\"", "-", umask])
            .arg(script)
            .arg(&program)
            .args(["x86_64-unknown-linux-gnu", "dist"])
            .env("SOURCE_DATE_EPOCH", epoch)
            .env("TZ", if umask == "077" { "Asia/Tokyo" } else { "UTC" });
        Done::from(Child::start(&mut bash, b"").wait()).expect_code(0);
        let archive = "dist/ecosystem-1.2.3-x86_64-unknown-linux-gnu.tar.gz";
        std::fs::read(repository.root.join(archive)).unwrap()
    };
    let one = pack("022", "1700000000");
    assert_eq!(one, pack("077", "1700000000"));
    assert_ne!(one, pack("022", "1700000001"), "the time is in it");
}

/// A gh that remembers what it was asked, and whether there is a release.
const GH: &str = "printf '%s\\n' \"$*\" >>\"$RECORD\"\n\
                  case \"$*\" in\n\
                  *isDraft*) cat \"$RECORD.draft\" 2>/dev/null || exit 1 ;;\n\
                  *assets*) echo \"${ASSETS:-2}\" ;;\n\
                  'release create'*) while [[ $1 != --notes-file ]]; do shift; done; cp \"$2\" \"$RECORD.notes\" ;;\n\
                  esac";

fn draft(
    draft: Option<&str>,
    env: &[(&str, &str)],
    files: &[&str],
) -> (Done, BTreeMap<String, String>) {
    let repository = Repository::new();
    repository.program("fakes/gh", GH);
    let record = repository.sandbox.path().join("gh");
    let record = record.to_str().unwrap().to_owned();
    if let Some(draft) = draft {
        std::fs::write(format!("{record}.draft"), draft).unwrap();
    }
    for file in files {
        repository.write(&format!("dist/{file}"), "x");
    }
    let env: Vec<(&str, &str)> = env.iter().copied().chain([("RECORD", record.as_str())]).collect();
    let done = repository.run_with("release-draft", &["v1.2.3", "dist"], &env);
    let read = |name: &str| std::fs::read_to_string(format!("{record}{name}")).unwrap_or_default();
    let of = |name: &str| (name.to_owned(), read(name));
    (done, [of(""), of(".notes")].into())
}

#[test]
fn a_draft_has_the_notes_and_every_file_and_takes_the_place_of_an_older_draft() {
    let files = ["SHA256SUMS", "ecosystem-1.2.3.cdx.json"];
    for (before, deleted) in [(None, false), (Some("true\n"), true)] {
        let (done, record) = draft(before, &[], &files);
        done.expect_code(0);
        assert_eq!(record[".notes"], "### Added\n\n- A thing.\n");
        assert_eq!(record[""].contains("release delete v1.2.3 --yes\n"), deleted);
        assert!(record[""].contains("release create v1.2.3 --draft --verify-tag --title v1.2.3 "));
        assert!(record[""].contains(" -- dist/SHA256SUMS dist/ecosystem-1.2.3.cdx.json\n"));
        assert!(!record[""].contains("--prerelease"));
    }
}

#[test]
fn a_published_release_is_not_touched_and_a_partial_upload_is_an_error() {
    let (done, record) = draft(Some("false\n"), &[], &["SHA256SUMS"]);
    assert!(done.expect_code(1).stderr.contains("is published already"));
    assert!(!record[""].contains("delete") && !record[""].contains("create"), "{record:?}");
    let (done, _) = draft(None, &[("ASSETS", "1")], &["SHA256SUMS", "b"]);
    assert!(done.expect_code(1).stderr.contains("1 of 2 files were uploaded"));
    let (done, record) = draft(None, &[], &["b"]);
    assert!(done.expect_code(1).stderr.contains("there is no dist/SHA256SUMS"));
    assert_eq!(record[""], "");
}
