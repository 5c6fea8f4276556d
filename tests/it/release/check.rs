//! `release-check`: which tags may be released.

use super::repository::{CHANGELOG, Repository, lock, manifest};
use crate::support::case;
use crate::support::ecosystem::Done;
use crate::support::process::Child;

fn check(repository: &Repository, args: &[&str]) -> Done {
    repository.run("release-check", args)
}

#[test]
fn a_tag_whose_version_is_everywhere_and_whose_commit_is_on_main_can_be_released() {
    let repository = Repository::new();
    let done = check(&repository, &["v1.2.3", "main"]).expect_code(0);
    assert_eq!(done.stdout, "v1.2.3 can be released\n");
    repository.write("CHANGELOG.md", &CHANGELOG.replace('\n', "\r\n"));
    check(&repository, &["v1.2.3"]).expect_code(0);
}

#[test]
fn the_notes_are_the_section_of_the_changelog() {
    let repository = Repository::new();
    let done = check(&repository, &["--notes", "v1.2.3"]).expect_code(0);
    assert_eq!(done.stdout, "### Added\n\n- A thing.\n");
}

#[test]
fn a_version_that_disagrees_is_refused_with_its_place() {
    let without = CHANGELOG.replace("[1.2.3] -", "[1.2.30] -");
    let undated = CHANGELOG.replace("[1.2.3] - 2024-11-21", "[1.2.3] - unreleased");
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
        let done = check(&repository, &["v1.2.3"]).expect_code(1);
        assert!(done.stderr.contains(said), "{}", done.stderr);
        assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
        check(&repository, &["--notes", "v1.2.3"]).expect_code(1);
    }
    // Everything that is wrong is said in one go.
    let repository = Repository::new();
    assert_eq!(check(&repository, &["v3.0.0"]).expect_code(1).stderr.lines().count(), 3);
}

#[test]
fn what_the_action_would_not_take_for_a_version_is_no_tag_for_a_release() {
    let repository = Repository::new();
    for tag in
        ["1.2.3", "v1.2", "v1.2.3+x", "v01.2.3", "v1.2.3\n::error::x", "v1.2.3-", "$(id)", "-h"]
    {
        let done = check(&repository, &[tag]).expect_code(1);
        assert!(done.stderr.contains("is no version"), "{tag}: {}", done.stderr);
        assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    }
    repository.write("Cargo.toml", &manifest("1.3.0-rc.1"));
    repository.write("Cargo.lock", &lock("1.3.0-rc.1"));
    repository.write("CHANGELOG.md", &CHANGELOG.replace("1.2.3", "1.3.0-rc.1"));
    check(&repository, &["v1.3.0-rc.1"]).expect_code(0);
}

#[test]
fn a_tag_beside_the_branch_or_another_checkout_is_refused() {
    let repository = Repository::new();
    repository.git(&["checkout", "--quiet", "-b", "aside"]);
    repository.sandbox.commit_all(&repository.root, "aside");
    repository.git(&["tag", "--force", "v1.2.3"]);
    let done = check(&repository, &["v1.2.3", "main"]).expect_code(1);
    assert!(done.stderr.contains("v1.2.3 is not on \"main\""), "{}", done.stderr);
    repository.git(&["tag", "--force", "v1.2.3", "main"]);
    let done = check(&repository, &["v1.2.3", "main"]).expect_code(1);
    assert!(done.stderr.contains("checked out is not that of v1.2.3"), "{}", done.stderr);
    repository.git(&["tag", "--delete", "v1.2.3"]);
    let done = check(&repository, &["v1.2.3", "main"]).expect_code(1);
    assert!(done.stderr.contains("there is no tag v1.2.3 here"), "{}", done.stderr);
}

#[test]
fn a_day_that_no_calendar_has_or_that_is_to_come_is_no_date_of_a_release() {
    // 2026-02-27, 23:00 UTC; in Auckland it is the 28th.
    let now = "1772233200";
    for (date, said) in [
        ("2026-02-27", ""),
        ("2026-02-28", ""),
        ("2024-02-29", ""),
        ("2000-02-29", ""),
        ("2025-12-31", ""),
        ("2026-03-01", "has a date in the future"),
        ("2027-01-01", "has a date in the future"),
        ("2099-12-31", "has a date in the future"),
        ("2026-19-39", "has no date that there is"),
        ("2026-00-10", "has no date that there is"),
        ("2026-01-00", "has no date that there is"),
        ("2025-02-29", "has no date that there is"),
        ("2025-04-31", "has no date that there is"),
        ("2025-08-08 ", "has no date that there is"),
        ("1999-12-31", "has no date that there is"),
    ] {
        case(date);
        let repository = Repository::new();
        repository.program("fakes/date", &format!("[[ $* == '-u +%s' ]] && echo {now}"));
        repository.write("CHANGELOG.md", &CHANGELOG.replace("2024-11-21", date));
        let done = check(&repository, &["v1.2.3"]);
        let done = done.expect_code(i32::from(!said.is_empty()));
        assert!(done.stderr.contains(said), "{}", done.stderr);
        assert_eq!(done.stderr.lines().count(), usize::from(!said.is_empty()), "{}", done.stderr);
    }
}

#[test]
fn a_branch_is_never_taken_for_an_option_or_left_out() {
    for branch in ["", "--all", "-a", "--octopus", "no-such-branch"] {
        case(branch);
        let done = check(&Repository::new(), &["v1.2.3", branch]).expect_code(1);
        assert!(done.stderr.contains(&format!("is not on \"{branch}\"")), "{}", done.stderr);
        assert!(!done.stderr.contains("usage"), "{}", done.stderr);
    }
}

#[test]
fn where_somebody_likes_to_go_changes_neither_what_is_read_nor_what_is_said() {
    let repository = Repository::new();
    let elsewhere = repository.sandbox.path().join("elsewhere");
    std::fs::create_dir_all(elsewhere.join(".ci")).unwrap();
    let script = "CDPATH=$1:. .ci/release-check --notes v1.2.3";
    let mut bash = repository.sandbox.command("bash");
    bash.current_dir(&repository.root).args(["-c", script, "-"]).arg(&elsewhere);
    let done = Done::from(Child::start(&mut bash, b"").wait()).expect_code(0);
    assert_eq!(done.stdout, "### Added\n\n- A thing.\n");
}
