//! The inputs of all other tests are what they claim to be: the sample history is the same on
//! every machine, and the README, the event files and the history agree with each other.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::events::{Base, broken_events, described_cousins, described_refs, events};
use crate::support::fixture;
use crate::support::repository::{IMPORT, Sandbox};

/// The tip of the sample's `main`. When a commit was changed on purpose, the failing test says
/// what to write here.
const HEAD: &str = "d3eb70e1a51d32042dfb601506713bbbfa440b19";

/// The id of a commit that nobody has any more.
const GONE: &str = "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

const ZEROS: &str = "0000000000000000000000000000000000000000";

fn event(file: &str) -> Value {
    let text = std::fs::read_to_string(fixture(&format!("events/{file}"))).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("events/{file}: {error}"))
}

#[test]
fn the_sample_history_has_the_same_ids_wherever_it_is_imported() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    assert_eq!(sandbox.rev(&bare, "main"), HEAD);
    assert_eq!(sandbox.git(&bare, &["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(sandbox.git(&bare, &["remote"]), "");
    let readme = std::fs::read_to_string(fixture("README.md")).unwrap();
    for place in [format!("`main` is `{HEAD}`"), format!("`gh-readonly-queue/main/pr-7-{HEAD}`")] {
        assert!(readme.contains(&place), "the README must say {place}");
    }

    // As git is set up on a system that takes no account of case, and without our settings.
    let folding = sandbox.path().join("folding.git");
    sandbox.git(sandbox.path(), &["init", "--quiet", "--bare", "-b", "main", "folding.git"]);
    sandbox.git(&folding, &["config", "core.ignorecase", "true"]);
    let history = std::fs::read(fixture("monorepo.fast-import")).unwrap();
    sandbox.git_fed(&folding, &["fast-import", "--quiet"], &history);
    assert_eq!(
        sandbox.git(&folding, &["for-each-ref"]),
        sandbox.git(&bare, &["for-each-ref"]),
        "core.ignorecase changes what is imported"
    );
}

#[test]
fn git_finds_nothing_to_complain_of_in_the_sample() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let checked = sandbox.try_git(&bare, &["fsck", "--strict", "--full", "--no-progress"], b"");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
    assert_eq!((said.as_ref(), checked.stdout.as_slice()), ("", b"".as_slice()));
}

#[test]
fn a_history_that_was_cut_short_is_refused() {
    let sandbox = Sandbox::new();
    let bare = sandbox.new_repository("cut");
    let history = std::fs::read_to_string(fixture("monorepo.fast-import")).unwrap();
    let cut = history.strip_suffix("done\n").expect("it ends with done");
    assert!(!sandbox.try_git(&bare, &IMPORT, cut.as_bytes()).status.success());
}

#[test]
fn the_history_is_plain_text_that_no_editor_or_checkout_changes() {
    let history = std::fs::read(fixture("monorepo.fast-import")).unwrap();
    for (number, line) in history.split(|&byte| byte == b'\n').enumerate() {
        let plain = line.iter().all(|&byte| byte == b'\t' || matches!(byte, b' '..=b'~'));
        assert!(plain, "line {}: {}", number + 1, String::from_utf8_lossy(line));
    }
}

#[test]
fn every_ref_is_described_and_every_description_has_its_ref() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let full = |name: &str| {
        sandbox.git(&bare, &["rev-parse", "--verify", "--quiet", "--symbolic-full-name", name])
    };
    let described: BTreeSet<String> = described_refs().iter().map(|name| full(name)).collect();
    let real: BTreeSet<String> = sandbox
        .git(&bare, &["for-each-ref", "--format=%(refname)"])
        .lines()
        .filter(|name| *name != "refs/heads/main")
        .map(str::to_owned)
        .collect();
    assert_eq!(described, real);
}

/// What a step changes, as `git diff-tree` says it: the kinds of change, sorted.
#[test]
fn each_step_shows_what_its_name_says() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    for (range, changes) in [
        ("step/rename~1 step/rename", "A D"),
        ("step/deletion~1 step/deletion", "D"),
        ("step/mode~1 step/mode", "M:100644:100755"),
        ("step/symlink~1 step/symlink", "A"),
        ("step/symlink-edited~1 step/symlink-edited", "M"),
        ("step/file-to-symlink~1 step/file-to-symlink", "A T:100644:120000"),
        ("step/directory-to-file~1 step/directory-to-file", "A D D"),
        ("step/file-to-directory~1 step/file-to-directory", "A D"),
        ("step/case-rename~1 step/case-rename", "A D"),
        ("step/submodule~1 step/submodule", "A A"),
        ("step/submodule-bump~1 step/submodule-bump", "M"),
        ("step/odd-names-edited~1 step/odd-names-edited", "M M M M"),
        ("step/merge^1 step/merge", "M"),
        ("step/merge^2 step/merge", "M"),
        ("step/empty~1 step/empty", ""),
        ("step/before-revert step/after-revert", ""),
        ("step/before-head step/head", "A M M M"),
        ("rewritten-before rewritten-after", "D M"),
    ] {
        let mut args = vec!["diff-tree", "-r", "--no-renames"];
        args.extend(range.split(' '));
        let mut found: Vec<String> = sandbox
            .git(&bare, &args)
            .lines()
            .map(|line| {
                let fields: Vec<&str> = line.split([' ', '\t']).collect();
                let (old, new, kind) = (fields[0].trim_start_matches(':'), fields[1], fields[4]);
                let modes = old != new && matches!(kind, "M" | "T");
                if modes { format!("{kind}:{old}:{new}") } else { kind.to_owned() }
            })
            .collect();
        found.sort();
        assert_eq!(found.join(" "), changes, "{range}");
    }
}

#[test]
fn odd_names_hold_every_kind_of_byte_that_is_easily_lost() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let listed = sandbox.git_bytes(
        &bare,
        &["ls-tree", "-r", "-z", "--name-only", "step/odd-names:features/odd-names"],
    );
    let names: BTreeSet<&[u8]> =
        listed.split(|&byte| byte == 0).filter(|n| !n.is_empty()).collect();
    assert_eq!(names.len(), 30);
    for name in [
        b"with space/file name.txt".as_slice(),
        b"double\"quote.txt",
        b"back\\slash.txt",
        b"tab\there.txt",
        b"new\nline.txt",
        b"-leading-dash.txt",
        b"latin1-caf\xe9.txt",
        "caf\u{e9}.txt".as_bytes(),
        "cafe\u{301}.txt".as_bytes(),
        b"::set-output name=x::y",
        b"percent%0A::warning::x",
    ] {
        assert!(names.contains(name), "{}", String::from_utf8_lossy(name));
    }
    let at_head = sandbox.git(&bare, &["ls-tree", "-r", "--name-only", "main"]);
    assert!(!at_head.contains("odd-names"), "main must be fit to check out everywhere");
}

#[test]
fn the_cousins_of_the_sample_are_those_in_the_readme() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let file: Value =
        serde_json::from_str(&sandbox.git(&bare, &["show", "main:ecosystem.json"])).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cousins: Vec<(String, Vec<String>)> = file
        .as_array()
        .unwrap()
        .iter()
        .map(|cousin| {
            let subscriptions = cousin["subscriptions"].as_array().unwrap();
            (text(&cousin["repo"]), subscriptions.iter().map(text).collect())
        })
        .collect();
    assert_eq!(cousins, described_cousins());
    let versions =
        sandbox.git(&bare, &["rev-list", "--full-history", "main", "--", "ecosystem.json"]);
    assert_eq!(versions, sandbox.rev(&bare, "step/first"), "it is the same in every commit");
}

#[test]
fn every_event_file_is_described_and_every_description_has_its_file() {
    let described: BTreeSet<String> =
        events().into_iter().map(|event| event.file).chain(broken_events()).collect();
    let real: BTreeSet<String> =
        std::fs::read_dir(Path::new(&fixture("README.md")).with_file_name("events"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
    assert_eq!(described, real);
}

#[test]
fn an_event_names_only_objects_of_the_sample() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let mut asked = BTreeSet::new();
    for row in events() {
        let text = event(&row.file).to_string();
        asked.extend(
            text.split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|word| word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit()))
                .filter(|id| ![GONE, ZEROS].contains(id))
                .map(|id| (row.file.clone(), id.to_owned())),
        );
    }
    let ids: String = asked.iter().map(|(_, id)| format!("{id}\n")).collect();
    let told = sandbox.git_fed(&bare, &["cat-file", "--batch-check=%(objecttype)"], ids.as_bytes());
    let told = String::from_utf8(told).unwrap();
    let missing: Vec<_> =
        asked.iter().zip(told.lines()).filter(|(_, kind)| kind.ends_with("missing")).collect();
    assert!(missing.is_empty(), "these ids are of no object: {missing:#?}");
    assert!(asked.len() > 50, "only {} ids were found to ask for", asked.len());
    let gone = sandbox.try_git(&bare, &["cat-file", "-e", GONE], b"");
    assert!(!gone.status.success(), "{GONE} must not exist");
}

#[test]
fn an_event_and_the_readme_name_the_same_range() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let mut wrong = Vec::new();
    for row in events() {
        let payload = event(&row.file);
        let mut must_be = |pointer: &str, revision: &str| {
            let is = payload.pointer(pointer).and_then(Value::as_str).unwrap_or("missing");
            let should = if is == ZEROS && revision == ZEROS {
                ZEROS.to_owned()
            } else {
                sandbox.rev(&bare, revision)
            };
            if is != should {
                wrong.push(format!("{}: {pointer} is {is}; {revision} is {should}", row.file));
            }
        };
        assert_eq!(payload["repository"]["full_name"], "acme/monorepo", "{}", row.file);
        assert_eq!(payload["repository"]["default_branch"], "main", "{}", row.file);
        sandbox.rev(&bare, &row.sha);
        let base = match &row.base {
            Base::Revision(revision) => Some(revision.as_str()),
            Base::Nothing | Base::Flags | Base::NoRange => None,
        };
        match (row.name.as_str(), &row.head) {
            ("push", Some(head)) => {
                assert_eq!(payload["ref"], row.git_ref.as_str(), "{}", row.file);
                must_be("/after", head);
                must_be("/head_commit/id", head);
                match (payload["before"].as_str(), base) {
                    (Some(GONE | ZEROS), _) => {}
                    (_, Some(base)) => must_be("/before", base),
                    other => panic!("{}: {other:?}", row.file),
                }
            }
            ("push", None) if payload["ref"].as_str().unwrap().starts_with("refs/tags/") => {
                must_be("/head_commit/id", &row.sha);
                let tag = sandbox.git(&bare, &["rev-parse", &row.git_ref]);
                assert_eq!(payload["after"], tag.as_str(), "{}", row.file);
            }
            ("push", None) => must_be("/after", ZEROS),
            ("pull_request" | "pull_request_target", _) => {
                must_be("/pull_request/base/sha", "step/before-head");
                must_be("/pull_request/head/sha", &format!("refs/pull/{}/head", payload["number"]));
                if let (Some(head), Some(base)) = (&row.head, base) {
                    assert_eq!(
                        sandbox.rev(&bare, &format!("{head}^1")),
                        sandbox.rev(&bare, base),
                        "{}: the base is the merge commit's first parent",
                        row.file
                    );
                }
            }
            ("merge_group", Some(head)) => {
                must_be("/merge_group/base_sha", base.expect("a merge group has a base"));
                must_be("/merge_group/head_sha", head);
            }
            ("workflow_dispatch" | "schedule" | "repository_dispatch", Some(_)) => {}
            other => panic!("{}: an event that no row of the table is for: {other:?}", row.file),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn where_a_base_is_computed_git_computes_the_one_in_the_readme() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    for (head, base) in [
        ("rewritten-after", "step/rewritten-base"),
        ("rewritten-before", "step/rewritten-base"),
        ("topic/offline", "step/after-revert"),
        ("release/1.0", "step/merge"),
    ] {
        assert_eq!(
            sandbox.git(&bare, &["merge-base", "main", head]),
            sandbox.rev(&bare, base),
            "{head}"
        );
    }
    let unrelated = sandbox.try_git(&bare, &["merge-base", "main", "gh-pages"], b"");
    assert_eq!(unrelated.status.code(), Some(1), "gh-pages shares nothing with main");
}

#[test]
fn a_broken_event_file_is_broken() {
    for file in broken_events() {
        let text = std::fs::read_to_string(fixture(&format!("events/{file}"))).unwrap();
        let whole = serde_json::from_str::<Value>(&text).ok().is_some_and(|event| {
            let id = |key: &str| {
                event[key].as_str().is_some_and(|id| {
                    id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
                })
            };
            id("before") && id("after")
        });
        assert!(!whole, "{file} is a whole push event");
    }
    assert_eq!(broken_events().len(), 7);
}
