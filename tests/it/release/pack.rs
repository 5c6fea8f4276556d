//! `release-pack`: what an archive holds, and that it is the same wherever it is packed.

use super::repository::Repository;
use crate::support::ecosystem::Done;
use crate::support::process::Child;

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
    // Of somebody who has wished for other archives, in another time zone.
    let others = [
        ("CDPATH", "."),
        ("GZIP", "--rsyncable"),
        ("TAR_OPTIONS", "--owner=ada --mode=a+w"),
        ("TZ", "Asia/Tokyo"),
    ];
    let pack = |umask: &str, epoch: &str| {
        let repository = Repository::new();
        let program = repository.program("built", PROGRAM);
        let mut bash = repository.sandbox.command("bash");
        bash.current_dir(&repository.root)
            .args(["-c", "umask $1; shift; \"$@\"", "-", umask])
            .arg(".ci/release-pack")
            .arg(&program)
            .args(["x86_64-unknown-linux-gnu", "dist"])
            .env("SOURCE_DATE_EPOCH", epoch)
            .envs(others.into_iter().filter(|_| umask == "077"));
        Done::from(Child::start(&mut bash, b"").wait()).expect_code(0);
        let archive = "dist/ecosystem-1.2.3-x86_64-unknown-linux-gnu.tar.gz";
        std::fs::read(repository.root.join(archive)).unwrap()
    };
    let one = pack("022", "1700000000");
    assert_eq!(one, pack("077", "1700000000"));
    assert_ne!(one, pack("022", "1700000001"), "the time is in it");
}

#[test]
fn the_step_says_which_file_is_to_be_uploaded() {
    let repository = Repository::new();
    let target = "aarch64-pc-windows-msvc";
    let built = format!("repository/target/{target}/release/ecosystem.exe");
    repository
        .program(&built, &format!("echo noise >&2\n{PROGRAM}\n[[ $1 != man ]] || echo noise"));
    let output = repository.sandbox.path().join("output");
    let env = [("TARGET", target), ("GITHUB_OUTPUT", output.to_str().unwrap())];
    repository.step("build", "Pack", &env).expect_code(0);
    let archive = format!("dist/ecosystem-1.2.3-{target}.tar.gz");
    assert!(repository.root.join(&archive).is_file());
    assert_eq!(std::fs::read_to_string(&output).unwrap(), format!("archive={archive}\n"));
    // No archive is none to upload.
    std::fs::remove_file(&output).unwrap();
    repository.program(&built, "exit 7");
    assert_ne!(repository.step("build", "Pack", &env).code, Some(0));
    assert!(!output.exists());
}
