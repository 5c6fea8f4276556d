//! `release-draft`: when a draft is made, and what it holds.

use std::collections::BTreeMap;

use super::repository::Repository;
use crate::support::case;
use crate::support::ecosystem::Done;

/// A gh that remembers what it was asked, and whether there is a release.
const GH: &str = "printf '%s\\n' \"$*\" >>\"$RECORD\"\n\
                  case \"$*\" in\n\
                  *isDraft*) if [[ -f $RECORD.draft ]]; then cat \"$RECORD.draft\"; exit; fi\n\
                  printf '%s\\n' \"${FAILURE-release not found}\" >&2; exit 1 ;;\n\
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

#[test]
fn where_it_is_not_known_whether_there_is_a_release_none_is_drafted() {
    for failure in [
        "error connecting to api.github.com\ncheck your internet connection",
        "HTTP 502: Server Error (https://api.github.com/repos/a/b/releases/tags/v1.2.3)",
        "To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.",
        "HTTP 403: release not found, or so",
        "",
    ] {
        case(failure);
        let (done, record) = draft(None, &[("FAILURE", failure)], &["SHA256SUMS", "b"]);
        let done = done.expect_code(1);
        assert!(done.stderr.contains("it is not known whether there is a release of v1.2.3"));
        assert!(done.stderr.contains(failure), "{}", done.stderr);
        assert!(!record[""].contains("delete") && !record[""].contains("create"), "{record:?}");
    }
}
