//! Texts and decisions; what is sent is told in `sending`.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::marker::{END, kept};
use super::*;
use crate::sync::dependencies::{Change, Ecosystem, Kind};
use crate::text::markdown::size;

mod sending;

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f80912345678";
const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// What a proposal borrows.
struct Parts {
    features: Vec<FeaturePath>,
    into: FeaturePath,
    source: RepoName,
    commit: CommitSha,
    commits: Vec<UpstreamCommit>,
    files: Vec<FileChange>,
    dependencies: Vec<Change>,
    conflicts: Vec<ConflictNote>,
    notes: Vec<String>,
}

impl Parts {
    fn new() -> Self {
        Self {
            features: vec![FeaturePath::new(b"features/webpush/flask")],
            into: FeaturePath::new(b"src/push"),
            source: RepoName::parse("acme/monorepo").unwrap(),
            commit: CommitSha::parse(SHA).unwrap(),
            commits: Vec::new(),
            files: vec![FileChange { path: b"src/push/a.py".to_vec(), status: FileStatus::Added }],
            dependencies: Vec::new(),
            conflicts: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&Proposal<'_>) -> T) -> T {
        look(&self.proposal())
    }

    fn proposal(&self) -> Proposal<'_> {
        Proposal {
            features: &self.features,
            into: &self.into,
            source: &self.source,
            server: "https://github.com",
            previous: None,
            commit: &self.commit,
            tree: TREE,
            method: "merge",
            commits: &self.commits,
            files: &self.files,
            dependencies: &self.dependencies,
            conflicts: &self.conflicts,
            notes: &self.notes,
            run_url: Some("https://github.com/acme/web/actions/runs/1"),
        }
    }
}

/// Fills every list with `count` things that are called so.
fn hostile(name: &[u8], count: usize) -> Parts {
    let mut parts = Parts::new();
    let text = String::from_utf8_lossy(name).into_owned();
    parts.features = vec![FeaturePath::new(name); count.max(1)];
    let commit = UpstreamCommit {
        id: CommitSha::parse(SHA).unwrap(),
        author: name.to_vec(),
        subject: name.to_vec(),
    };
    parts.commits = vec![commit; count];
    parts.files = vec![FileChange { path: name.to_vec(), status: FileStatus::Deleted }; count];
    let change = Change {
        manifest: name.to_vec(),
        ecosystem: Ecosystem::Npm,
        name: text.clone(),
        kind: Kind::Group(text.clone()),
        before: Some(text.clone()),
        after: None,
    };
    parts.dependencies = vec![change; count];
    parts.conflicts = vec![ConflictNote { path: name.to_vec(), what: text.clone() }; count];
    parts.notes = vec![text; count];
    parts
}

#[test]
fn a_pull_request_says_what_it_brings_and_what_to_do() {
    let mut parts = Parts::new();
    let commit = |number: usize, subject: &str| UpstreamCommit {
        id: CommitSha::parse(&format!("{number:040x}")).unwrap(),
        author: b"Ada".to_vec(),
        subject: subject.as_bytes().to_vec(),
    };
    parts.commits = vec![commit(1, "Fixes #1: thanks @ada"), commit(2, "use `--x` --> y")];
    parts.files.push(FileChange { path: b"src/push/a\nb".to_vec(), status: FileStatus::Modified });
    parts.conflicts = vec![ConflictNote {
        path: b"src/push/a.py".to_vec(),
        what: "both sides changed the same lines of a_b".to_owned(),
    }];
    let dependency = |name: &str, kind, before: Option<&str>, after: Option<&str>| Change {
        manifest: b"src/push/package.json".to_vec(),
        ecosystem: Ecosystem::Npm,
        name: name.to_owned(),
        kind,
        before: before.map(ToOwned::to_owned),
        after: after.map(ToOwned::to_owned),
    };
    parts.dependencies = vec![
        dependency("flask", Kind::Normal, Some("^1 | ^2"), Some("^3")),
        dependency("left-pad", Kind::Dev, None, Some("1")),
        dependency("", Kind::Unreadable, None, None),
    ];
    parts.notes = vec!["workflow files are left out: @ada <b>".to_owned()];
    let previous = CommitSha::parse(&"b".repeat(40)).unwrap();
    let proposal = Proposal { previous: Some(&previous), ..parts.proposal() };
    assert_eq!(proposal.title(), "Update features/webpush/flask from acme/monorepo@1a2b3c4d5e");
    insta::assert_snapshot!(proposal.body().replace('\u{200b}', "·"), @r#"
    <!-- ecosystem-sync: {"version":1,"feature":"features/webpush/flask","commit":"1a2b3c4d5e6f708192a3b4c5d6e7f80912345678","tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"} -->
    Brings `features/webpush/flask` of [`acme/monorepo`](<https://github.com/acme/monorepo>) up to [`1a2b3c4d5e`](<https://github.com/acme/monorepo/commit/1a2b3c4d5e6f708192a3b4c5d6e7f80912345678>), from [`bbbbbbbbbb`](<https://github.com/acme/monorepo/commit/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb>) ([compare](<https://github.com/acme/monorepo/compare/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...1a2b3c4d5e6f708192a3b4c5d6e7f80912345678>)).

    Applied to `src/push` by `merge`.

    ### Conflicts

    **1 file is in conflict: this pull request is a draft until a person has resolved it.**

    - `src/push/a.py`: both sides changed the same lines of a\_b

    ### Note

    - workflow files are left out: @·ada &lt;b&gt;

    ### Upstream commits (2)

    - [`0000000000`](<https://github.com/acme/monorepo/commit/0000000000000000000000000000000000000002>) ``use `--x` --> y`` by `Ada`
    - [`0000000000`](<https://github.com/acme/monorepo/commit/0000000000000000000000000000000000000001>) `Fixes #1: thanks @ada` by `Ada`

    ### Dependency changes

    | manifest | dependency | before | after |
    | --- | --- | --- | --- |
    | `src/push/package.json` | `flask` | `^1 ¦ ^2` | `^3` |
    | `src/push/package.json` | `left-pad` (`dev`) | – | `1` |
    | `src/push/package.json` | changed, and cannot be read | | |

    ### Files changed (1 added, 1 modified, 0 deleted)

    <details><summary>2 files</summary>

    - `src/push/a.py` added
    - `src/push/a\nb` modified

    </details>

    ### Next steps

    1. Check this branch out and settle what is listed above. Where lines are in conflict, the file holds both sides between `<<<<<<<` and `>>>>>>>`.
    2. Commit and push to this branch: the next sync does not overwrite it.
    3. Mark the pull request ready for review, and merge it.

    ---
    Written by `ecosystem sync` in [this run](<https://github.com/acme/web/actions/runs/1>). The title and everything above this line are written anew by each sync: put notes below it, or into comments.
    <!-- ecosystem-sync: end -->
    "#);
}

#[test]
fn a_first_and_clean_update_of_several_features_has_what_it_needs_and_no_more() {
    let mut parts = Parts::new();
    parts.features.push(FeaturePath::new(b"features/pwa"));
    parts.into = FeaturePath::new(b".");
    let proposal = Proposal { run_url: Some("javascript:x"), server: "x y", ..parts.proposal() };
    assert_eq!(proposal.title(), "Update 2 features from acme/monorepo@1a2b3c4d5e");
    insta::assert_snapshot!(proposal.body(), @r#"
    <!-- ecosystem-sync: {"version":1,"feature":"features/webpush/flask","commit":"1a2b3c4d5e6f708192a3b4c5d6e7f80912345678","tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"} -->
    Brings 2 features of `acme/monorepo` up to `1a2b3c4d5e`, for the first time.

    - `features/webpush/flask`
    - `features/pwa`

    Applied to the same directories here by `merge`.

    ### Files changed (1 added, 0 modified, 0 deleted)

    <details><summary>1 file</summary>

    - `src/push/a.py` added

    </details>

    ### Next steps

    1. Look through the changes, and let your checks run.
    2. Change what does not fit by commits on this branch: they are kept, and the next sync goes on top of them.
    3. Merge it; or close it to say no: it is not opened again before upstream's content is another.

    ---
    The title and everything above this line are written anew by each sync: put notes below it, or into comments.
    <!-- ecosystem-sync: end -->
    "#);
}

#[test]
fn whatever_is_in_it_a_text_fits_and_ends_whole() {
    for (name, count) in [
        (&b"x".repeat(4_000)[..], 10_000),
        (b"`", 10_000),
        (b"-->\n<!-- ecosystem-sync: end -->", 10_000),
        (&"😀".repeat(300).into_bytes(), 1_000),
        (&"a\u{301}\u{302}".repeat(500).into_bytes(), 1),
        (&b"/@a".repeat(500), 1),
        (&b"\x1b\xff".repeat(300), 1_000),
        (b"&<>|\\`*_[]#!~$".repeat(40).as_slice(), 100),
    ] {
        let parts = hostile(name, count);
        let (title, body) = parts.with(|it| (it.title(), it.body()));
        assert!(size(&body) < 60_000, "{}", size(&body));
        assert!(size(&title) <= 256, "{title}");
        let one = [FeaturePath::new(name)];
        for source in ["a/b".to_owned(), format!("{}/{}", "o".repeat(39), "n".repeat(100))] {
            let source = RepoName::parse(&source).unwrap();
            let one = Proposal { features: &one, source: &source, ..parts.proposal() };
            assert!(size(&one.title()) <= 256, "{}", one.title());
        }
        assert!(body.ends_with(&format!("\n{END}\n")));
        assert!(count == 1 || body.contains("\n… and "), "the rest is counted");
        assert_eq!(Marker::read(&body), Some(parts.with(|it| it.marker())));
        assert_eq!(kept(&body), "");
        let small = parts.with(|it| super::body::body(it, 8_000));
        assert!(size(&small) <= 8_000, "{}", size(&small));
    }
}

#[test]
fn what_is_wanted_and_what_stands_decide() {
    let marker = |tree: &str| Marker {
        feature: "a".to_owned(),
        commit: SHA.to_owned(),
        tree: tree.to_owned(),
        closed_by_us: false,
        no_drafts: false,
    };
    let pull = |draft, tree: Option<&str>| {
        Some(Pull {
            number: 7,
            url: String::new(),
            title: String::new(),
            body: String::new(),
            draft,
            labels: Vec::new(),
            marker: tree.map(marker),
            head: String::new(),
            open: true,
            merged: false,
        })
    };
    let none = Standing::default();
    let open = |draft, tree| Standing { open: pull(draft, tree), ..Standing::default() };
    let closed = |tree| Standing { closed: pull(false, tree), ..Standing::default() };
    let (one, other) = (pull(false, Some("t")), pull(false, Some("t")));
    let both = Standing { open: one, closed: other, merged: None };
    let mut table = String::new();
    for (name, standing) in [
        ("nothing", none),
        ("open", open(false, Some("t"))),
        ("open, a person's", open(false, None)),
        ("a draft", open(true, Some("t"))),
        ("closed, the same", closed(Some("t"))),
        ("closed, another", closed(Some("u"))),
        ("closed, a person's", closed(None)),
        ("open and closed", both),
    ] {
        for (conflicts, differs) in [(false, true), (true, true), (false, false), (true, false)] {
            let action = decide(&standing, &Wanted { tree: "t", conflicts, differs });
            let what = format!(
                "{name}, {}{}",
                if differs { "differs" } else { "the same" },
                if conflicts { ", conflicts" } else { "" }
            );
            table += &format!("{what:<42} {action:?}\n");
        }
    }
    insta::assert_snapshot!(table, @r#"
    nothing, differs                           Open { draft: false }
    nothing, differs, conflicts                Open { draft: true }
    nothing, the same                          Nothing
    nothing, the same, conflicts               Nothing
    open, differs                              Update(7)
    open, differs, conflicts                   ReplaceByDraft(7)
    open, the same                             Close(7)
    open, the same, conflicts                  Close(7)
    open, a person's, differs                  Update(7)
    open, a person's, differs, conflicts       ReplaceByDraft(7)
    open, a person's, the same                 Close(7)
    open, a person's, the same, conflicts      Close(7)
    a draft, differs                           Update(7)
    a draft, differs, conflicts                Update(7)
    a draft, the same                          Close(7)
    a draft, the same, conflicts               Close(7)
    closed, the same, differs                  Snoozed(7)
    closed, the same, differs, conflicts       Snoozed(7)
    closed, the same, the same                 Nothing
    closed, the same, the same, conflicts      Nothing
    closed, another, differs                   Open { draft: false }
    closed, another, differs, conflicts        Open { draft: true }
    closed, another, the same                  Nothing
    closed, another, the same, conflicts       Nothing
    closed, a person's, differs                Open { draft: false }
    closed, a person's, differs, conflicts     Open { draft: true }
    closed, a person's, the same               Nothing
    closed, a person's, the same, conflicts    Nothing
    open and closed, differs                   Update(7)
    open and closed, differs, conflicts        ReplaceByDraft(7)
    open and closed, the same                  Close(7)
    open and closed, the same, conflicts       Close(7)
    "#);
}

#[test]
fn what_people_wrote_is_what_is_below_our_end() {
    let parts = Parts::new();
    let ours = parts.with(|it| it.body());
    for (body, rest) in [
        (ours.clone(), ""),
        (format!("{ours}\nmine\n"), "mine"),
        (format!("{ours}mine\n{END}\nmore"), "mine\n<!-- ecosystem-sync: end -->\nmore"),
        ("all mine\n".to_owned(), "all mine"),
        (format!("{END}\nall mine"), "<!-- ecosystem-sync: end -->\nall mine"),
        (String::new(), ""),
    ] {
        assert_eq!(kept(&body), rest, "{body}");
    }
}

#[test]
fn what_is_no_marker_of_ours_remembers_nothing() {
    let line = Parts::new().with(|it| it.marker().line());
    assert!(Marker::read(&line).is_some() && Marker::read(&format!("x\r\n{line}\r\ny")).is_some());
    for text in [
        line.replace("\"version\":1", "\"version\":2"),
        line.replace("\"tree\"", "\"tre\""),
        line.replace(" -->", ""),
        format!("> {line}"),
        "<!-- ecosystem-sync: {} -->".to_owned(),
        END.to_owned(),
        String::new(),
    ] {
        assert_eq!(Marker::read(&text), None, "{text}");
    }
    let closed = Marker::closing(&format!("{line}\ntext {line}\n")).unwrap();
    assert!(Marker::read(&closed).unwrap().closed_by_us);
    assert!(closed.ends_with(&format!("\ntext {line}\n")));
    assert_eq!(Marker::closing("text"), None);
}

/// Words of others that try to be more.
fn others() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "`",
        "``",
        "@ada",
        "#1",
        "-->",
        "<!--",
        "\n",
        "\r",
        "|",
        "<b>",
        "</details>",
        "&",
        "\\",
        "[x](y)",
        "::error::",
        "ecosystem-sync: end",
        "{",
        "}",
        "\"",
        "\u{202e}",
        "😀",
        "a",
        " ",
        "*",
        "_",
        "~~~",
        "GH-1",
        "https://github.com/a/b/issues/1",
        "\u{0}",
        "$x$",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..20).prop_map(|all| all.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..100),
    ]
}

/// Returns the text without code spans and the comments that are ours.
fn outside_code(body: &str) -> String {
    let mut out = String::new();
    for line in body.lines().filter(|line| !line.starts_with("<!-- ecosystem-sync: ")) {
        let mut rest = line;
        while let Some(at) = rest.find('`') {
            let ticks: String = rest[at..].chars().take_while(|c| *c == '`').collect();
            let inner = &rest[at + ticks.len()..];
            // The first run of as many ticks ends it.
            let mut from = 0;
            let end = loop {
                let Some(next) = inner[from..].find('`').map(|it| it + from) else { break None };
                let run = inner[next..].chars().take_while(|c| *c == '`').count();
                if run == ticks.len() {
                    break Some(next);
                }
                from = next + run;
            };
            let is_escaped = rest[..at].ends_with('\\');
            match end.filter(|_| !is_escaped) {
                Some(end) => {
                    out.push_str(&rest[..at]);
                    rest = &inner[end + ticks.len()..];
                }
                None => {
                    out.push_str(&rest[..at + 1]);
                    rest = &rest[at + 1..];
                }
            }
        }
        out.push_str(rest);
        out.push('\n');
    }
    out
}

proptest! {
    #[test]
    fn nobodys_words_leave_their_place(name in others()) {
        let parts = hostile(&name, 2);
        let body = parts.with(|it| it.body());
        let read = Marker::read(&body);
        prop_assert_eq!(read, Some(parts.with(|it| it.marker())));
        prop_assert_eq!(kept(&body), "");
        let outside = outside_code(&body);
        prop_assert!(!outside.contains("<!--"), "{}", outside);
        prop_assert!(!outside.contains("<b>") && !outside.contains("[x](y)"), "{}", outside);
        let others = outside.replace("<https://github.com/acme/", "<");
        prop_assert_eq!(crate::sync::message::defused(&others), others.clone(), "nothing is live");
        prop_assert_eq!(outside.matches("</details>").count(), 1, "{}", outside);
    }

    #[test]
    fn no_text_makes_the_marker_panic(body in ".*", json in "[{}\": a-z0-9,\\\\]{0,60}") {
        let _ = (Marker::read(&body), kept(&body), Marker::closing(&body));
        let _ = Marker::closing(&format!("<!-- ecosystem-sync: {{{json}}} -->"));
    }
}
