//! `release-tag` and `release-publish`: what is published is what was built, and it is what people
//! get who name no version only where nothing is newer.

use super::repository::Repository;
use crate::support::case;
use crate::support::ecosystem::Done;

/// A gh whose tag is at `TAGGED`, and which has the releases `RELEASES`.
const GH: &str = r#"echo "$*" >>"$RECORD"
case $* in
'api repos/{owner}/{repo}/commits/tags/'*' --jq .sha') [[ -n ${TAGGED-} ]] && echo "$TAGGED" ;;
'release list --exclude-drafts --exclude-pre-releases --limit 1000 --json tagName --jq .[].tagName')
  [[ $RELEASES != fails ]] && printf "$RELEASES" ;;
'release edit '*) ;;
*) exit 99 ;;
esac"#;

/// What a step says of a tag, and what it has asked gh.
fn step(job: &str, name: &str, tag: &str, tagged: Option<&str>, releases: &str) -> (Done, String) {
    let repository = Repository::new();
    repository.program("fakes/gh", GH);
    let head = repository.git(&["rev-parse", "HEAD"]);
    let record = repository.sandbox.path().join("gh").display().to_string();
    let env = [
        ("TAG", tag),
        ("TAGGED", tagged.unwrap_or(&head)),
        ("RELEASES", releases),
        ("RECORD", &record),
    ];
    let done = repository.step(job, name, &env);
    (done, std::fs::read_to_string(record).unwrap())
}

fn publish(tag: &str, releases: &str) -> (Done, String) {
    step("publish", "Publish the release", tag, None, releases)
}

#[test]
fn the_highest_version_is_the_latest_and_no_other() {
    for (tag, releases, latest) in [
        ("v0.1.0", "", true),
        ("v1.0.5", "v1.0.4\\nv1.0.3\\n", true),
        ("v1.0.10", "v1.0.9\\nv0.20.30\\n", true),
        ("v10.0.0", "v9.999999.999999\\n", true),
        // Run again, after it was published.
        ("v1.0.5", "v1.0.5\\nv1.0.4\\n", true),
        // No release of ours.
        ("v1.0.5", "v2\\nnightly\\nv02.0.0\\nv1.0.4\\nv9.9.9-rc.1\\nx[$(exit 9)]\\n", true),
        ("v1.0.5", "v2.0.0\\nv1.0.4\\n", false),
        ("v1.0.5", "v1.0.4\\nv1.1.0", false),
        ("v1.0.9", "v1.0.10\\n", false),
        ("v9.0.0", "v10.0.0\\n", false),
        ("v2.0.0-rc.1", "v1.0.0\\n", false),
        ("v2.0.0-rc.1", "", false),
    ] {
        case(&format!("{tag} beside {releases}"));
        let (done, record) = publish(tag, releases);
        done.expect_code(0);
        let edit = format!("release edit {tag} --draft=false --latest={latest}\n");
        assert!(record.ends_with(&edit), "{record}");
    }
}

#[test]
fn where_the_other_releases_are_not_known_nothing_is_published() {
    let (done, record) = publish("v1.2.3", "fails");
    assert_ne!(done.code, Some(0));
    assert!(!record.contains("edit"), "{record}");
}

#[test]
fn a_tag_that_was_moved_or_is_gone_stops_what_cannot_be_taken_back() {
    let moved = "0123456789012345678901234567890123456789";
    for (job, name) in [("crate", "The tag is where it was"), ("publish", "Publish the release")] {
        case(job);
        let (done, _) = step(job, name, "v1.2.3", None, "");
        assert!(done.expect_code(0).stdout.starts_with("v1.2.3 is at "));
        let (done, record) = step(job, name, "v1.2.3", Some(moved), "");
        let done = done.expect_code(1);
        assert!(done.stderr.contains(&format!("v1.2.3 was moved: it is at {moved}, and what")));
        assert_eq!(record, "api repos/{owner}/{repo}/commits/tags/v1.2.3 --jq .sha\n");
        let (done, record) = step(job, name, "v1.2.3", Some(""), "");
        assert_ne!(done.code, Some(0));
        assert!(!record.contains("edit"), "{record}");
    }
    // The look at the tag comes before the registry gives a token.
    let jobs = super::jobs();
    let steps = jobs["crate"]["steps"].as_array().unwrap();
    let place = |text: &str| steps.iter().position(|step| step.to_string().contains(text)).unwrap();
    assert!(place(".ci/release-tag") < place("crates-io-auth-action"));
    assert!(place("crates-io-auth-action") < place(".ci/release-crate"));
}
