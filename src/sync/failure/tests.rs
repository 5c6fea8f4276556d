//! The issue over a repository in memory, and the commands as text; that the commands do what they
//! say is tested with git itself, in `tests/it`.

use jiff::Timestamp;
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sync::scripted::{Fault, Model, Scripted, TOKEN, World};

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f80912345678";

/// What is told, of one feature.
struct Told {
    feature: FeaturePath,
    source: RepoName,
    cousin: RepoName,
    commit: CommitSha,
    commands: Vec<String>,
    error: String,
    run: u32,
    url: String,
}

impl Told {
    fn of(feature: &[u8]) -> Self {
        Self {
            feature: FeaturePath::new(feature),
            source: RepoName::parse("acme/monorepo").unwrap(),
            cousin: RepoName::parse("acme/web").unwrap(),
            commit: CommitSha::parse(SHA).unwrap(),
            commands: vec!["git fetch origin refs/heads/main".to_owned()],
            error: "the commit is not on refs/heads/main (closes #1, @ada)".to_owned(),
            run: 1,
            url: "https://github.com/acme/web/actions/runs/1".to_owned(),
        }
    }

    fn run(mut self, run: u32) -> Self {
        self.run = run;
        self.url = format!("https://github.com/acme/web/actions/runs/{run}");
        self
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            feature: &self.feature,
            source: &self.source,
            cousin: &self.cousin,
            server: "https://github.com",
            run_url: Some(&self.url),
        }
    }

    fn failure(&self) -> Failure<'_> {
        Failure {
            error: &self.error,
            help: Some("look at the branch"),
            commit: Some(&self.commit),
            at: Timestamp::from_second(1_767_323_045 + i64::from(self.run) * 3600).unwrap(),
            commands: &self.commands,
        }
    }

    fn body(&self) -> String {
        let key = Key::of(&self.subject());
        words::body(&self.subject(), &self.failure(), &key, self.failure().at)
    }
}

impl World {
    fn issues(&self) -> FailureIssues<'_, Scripted, crate::delivery::VirtualClock> {
        FailureIssues {
            requests: &self.requests,
            repo: &self.repo,
            token: TOKEN,
            labels: AT_COUSIN,
        }
    }

    async fn fails(&self, told: &Told) -> Vec<String> {
        self.issues().failed(&told.subject(), &told.failure()).await.1
    }

    async fn succeeds(&self, told: &Told) -> Vec<String> {
        let open = self.issues().open().await.unwrap();
        self.issues().succeeded(&told.subject(), &open).await
    }

    /// Returns each issue as `#1 open, 2 comments`.
    fn issues_shown(&self) -> Vec<String> {
        let model = self.model();
        let shown = |it: &Value| {
            let comments = model.comments.get(&it["number"].as_u64().unwrap()).map_or(0, Vec::len);
            format!("#{} {}, {comments} comments", it["number"], it["state"].as_str().unwrap())
        };
        model.issues.iter().map(shown).collect()
    }

    fn body(&self, at: usize) -> String {
        self.model().issues[at]["body"].as_str().unwrap().to_owned()
    }
}

#[test]
fn the_issue_says_what_failed_since_when_and_how_to_finish_by_hand() {
    let mut told = Told::of(b"features/@scope/x y");
    told.commands.push("git commit -m '```'".to_owned());
    assert_eq!(
        words::title(&told.subject()),
        "Sync of features/@\u{200b}scope/x y from acme/monorepo fails in acme/web"
    );
    insta::assert_snapshot!(told.body(), @r##"
    <!-- ecosystem-sync-failure: {"version":1,"source":"acme/monorepo","cousin":"acme/web","feature":"features/\u0040scope/x y","since":1767326645} -->
    **Updates of `features/@scope/x y` from [`acme/monorepo`](<https://github.com/acme/monorepo>) do not arrive in [`acme/web`](<https://github.com/acme/web>)**, since 2026-01-02 04:04 UTC.

    What failed: `the commit is not on refs/heads/main (closes #1, @ada)`

    What to do: look at the branch

    What was to be brought: [`1a2b3c4d5e`](<https://github.com/acme/monorepo/commit/1a2b3c4d5e6f708192a3b4c5d6e7f80912345678>)

    To finish by hand, in a clone of the cousin:

    ````sh
    git fetch origin refs/heads/main
    git commit -m '```'
    ````

    Last tried by [this run](<https://github.com/acme/web/actions/runs/1>).

    This issue is kept up to date by `ecosystem sync`. It closes itself with the first sync of the feature that succeeds, and is opened again when one fails again. Its text is written anew each time: put notes into comments.
    "##);
}

#[tokio::test]
async fn one_issue_opens_follows_closes_and_opens_again() {
    let world = World::new();
    let told = |run| Told::of(b"features/a").run(run);
    assert_eq!(world.succeeds(&told(0)).await, [""; 0]);
    assert_eq!(world.asked(), ["GET issues"], "nothing is written where nothing failed");
    assert_eq!(world.fails(&told(1)).await, [""; 0]);
    assert_eq!(world.issues_shown(), ["#1 open, 0 comments"]);
    let labels = world.model().issues[0]["labels"].clone();
    assert_eq!(labels.as_array().unwrap().len(), AT_COUSIN.len());
    assert!(world.body(0).contains("since 2026-01-02 04:04 UTC"));
    world.asked();
    assert_eq!(world.fails(&told(1)).await, [""; 0]);
    assert_eq!(world.asked(), ["GET issues"], "the same is not written again");
    assert_eq!(world.fails(&told(2)).await, [""; 0]);
    assert_eq!(world.asked(), ["GET issues", "PATCH issues/1"]);
    let body = world.body(0);
    assert!(body.contains("since 2026-01-02 04:04 UTC") && body.contains("runs/2>"), "{body}");
    assert_eq!(world.succeeds(&told(3)).await, [""; 0]);
    assert_eq!(world.issues_shown(), ["#1 closed, 1 comments"]);
    assert_eq!(world.succeeds(&told(4)).await, [""; 0]);
    assert_eq!(world.fails(&told(5)).await, [""; 0]);
    assert_eq!(world.issues_shown(), ["#1 open, 1 comments"]);
    assert!(world.body(0).contains("since 2026-01-02 08:04 UTC"), "it is a new failure");
}

#[tokio::test]
async fn each_feature_source_and_cousin_has_an_issue_of_its_own() {
    let world = World::new();
    let all = [&b"features/a"[..], b"features/b", b"features/\xff", b"features/%FF"];
    for feature in all {
        world.fails(&Told::of(feature)).await;
    }
    let mut other = Told::of(b"features/a");
    other.cousin = RepoName::parse("acme/other").unwrap();
    world.fails(&other).await;
    assert_eq!(world.issues_shown().len(), 5);
    let mut same = Told::of(b"features/a");
    same.cousin = RepoName::parse("Acme/Web").unwrap();
    world.succeeds(&same).await;
    assert_eq!(world.issues_shown()[0], "#1 closed, 1 comments", "case is nothing");
    assert!(world.issues_shown()[1..].iter().all(|it| it.contains("open, 0")));
}

#[tokio::test]
async fn a_strangers_issue_is_not_ours_and_a_lost_label_is_no_loss() {
    let told = Told::of(b"features/a");
    for (association, kind, labelled, headed, is_ours) in [
        ("NONE", "User", false, true, false),
        ("CONTRIBUTOR", "User", false, true, false),
        ("NONE", "User", true, true, true),
        ("MEMBER", "User", false, true, true),
        ("NONE", "Bot", false, true, true),
        ("NONE", "Bot", false, false, false),
    ] {
        let world = World::new();
        let body = if headed { told.body() } else { format!("mallory says:\n{}", told.body()) };
        let labels = if labelled { json!([{ "name": LABEL }]) } else { json!([]) };
        world.model().issues = vec![json!({
            "number": 1, "state": "open", "title": "x", "body": body, "labels": labels,
            "author_association": association, "user": { "type": kind },
        })];
        assert_eq!(world.fails(&Told::of(b"features/a").run(2)).await, [""; 0]);
        assert_eq!(world.issues_shown().len() == 1, is_ours, "{association} {kind} {labelled}");
    }
}

#[tokio::test]
async fn nothing_is_opened_twice() {
    let other = |model: &mut Model| {
        model.issues.push(json!({
            "number": 1, "state": "open", "title": "x", "body": Told::of(b"features/a").body(),
            "labels": [{ "name": LABEL }],
        }));
    };
    for (fault, meanwhile, shown, warnings) in [
        (Some(Fault::After(502)), None, vec!["#1 open, 0 comments"], 0),
        (Some(Fault::Before(502, "x")), None, vec!["#1 open, 0 comments"], 0),
        (
            None,
            Some(other as fn(&mut Model)),
            vec!["#1 open, 0 comments", "#2 closed, 0 comments"],
            0,
        ),
        (Some(Fault::Before(410, "Issues are disabled")), None, vec![], 1),
        (Some(Fault::Before(403, "no")), None, vec![], 1),
    ] {
        let world = World::new();
        world.model().faults.extend(fault.clone().map(|it| ("POST issues", it)));
        world.model().meanwhile = meanwhile.map(|act| ("POST issues", act));
        let said = world.fails(&Told::of(b"features/a").run(2)).await;
        assert_eq!(
            (world.issues_shown(), said.len()),
            (shown.iter().map(ToString::to_string).collect(), warnings),
            "{fault:?} {said:?}"
        );
        assert!(said.iter().all(|it| {
            it.starts_with("the issue about the failed sync in acme/web is not up to date: ")
        }));
    }
    let world = World::new();
    world.model().faults.extend([0, 1].map(|_| ("POST issues", Fault::Before(502, "x"))));
    let said = world.fails(&Told::of(b"features/a")).await;
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn labels_that_github_drops_are_a_warning_when_they_cannot_be_set() {
    let world = World::new();
    world.model().drops_labels = true;
    assert_eq!(world.fails(&Told::of(b"features/a")).await, [""; 0]);
    assert_eq!(world.model().issues[0]["labels"].as_array().unwrap().len(), AT_COUSIN.len());
    let world = World::new();
    world.model().drops_labels = true;
    world.model().faults.push(("POST issues/1/labels", Fault::Before(403, "no")));
    let said = world.fails(&Told::of(b"features/a")).await;
    assert!(said.len() == 1 && said[0].contains("could not be set on #1"), "{said:?}");
    // It is found all the same.
    world.succeeds(&Told::of(b"features/a")).await;
    assert_eq!(world.issues_shown(), ["#1 closed, 1 comments"]);
}

fn by_hand(feature: &[u8], into: &[u8], previous: bool) -> Vec<String> {
    let sha = CommitSha::parse(SHA).unwrap();
    let old = CommitSha::parse(&"b".repeat(40)).unwrap();
    commands_by_hand(&ByHand {
        source_url: "https://github.com/acme/monorepo.git",
        source_branch: "main",
        feature: &FeaturePath::new(feature),
        into: &FeaturePath::new(into),
        previous: previous.then_some(&old),
        commit: &sha,
        cousin: &RepoName::parse("acme/web").unwrap(),
        base: "main",
        branch: "update-from-upstream-a",
        title: "Update it's $(done) from acme/monorepo",
    })
}

#[test]
fn the_commands_can_be_pasted() {
    let all = [
        by_hand(b"features/a", b"src/a b", true),
        by_hand(b"features/a", b"-x", false),
        by_hand(b".", b".", true),
        by_hand(b"f\xff\n`'", b".", false),
    ];
    let text = all.map(|it| it.join("\n")).join("\n\n");
    insta::assert_snapshot!(text, @r##"
    git remote add ecosystem-upstream https://github.com/acme/monorepo.git
    git fetch --no-tags ecosystem-upstream refs/heads/main
    git fetch origin refs/heads/main
    git checkout --no-track -b update-from-upstream-a origin/main
    git diff --binary --full-index --no-ext-diff --no-textconv --src-prefix=a/ --dst-prefix=b/ bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb:features/a 1a2b3c4d5e6f708192a3b4c5d6e7f80912345678:features/a | git apply --3way '--directory=src/a b'
    # resolve what is in conflict; in ecosystem.lock.json write 1a2b3c4d5e6f708192a3b4c5d6e7f80912345678 as the feature's commit
    git add -A -- ':(top,literal)src/a b' ':(top)ecosystem.lock.json'
    git commit -m 'Update it'\''s $(done) from acme/monorepo'
    git push origin HEAD:refs/heads/update-from-upstream-a
    gh pr create --repo acme/web --base main --head update-from-upstream-a --fill

    git remote add ecosystem-upstream https://github.com/acme/monorepo.git
    git fetch --no-tags ecosystem-upstream refs/heads/main
    git fetch origin refs/heads/main
    git checkout --no-track -b update-from-upstream-a origin/main
    git rm -r -q --ignore-unmatch -- ':(top,literal)-x'
    git read-tree -u --prefix=-x/ 1a2b3c4d5e6f708192a3b4c5d6e7f80912345678:features/a
    # what was only here is gone now; git checkout origin/main -- PATH brings back what is to stay
    # resolve what is in conflict
    git add -A -- ':(top,literal)-x'
    git commit -m 'Update it'\''s $(done) from acme/monorepo'
    git push origin HEAD:refs/heads/update-from-upstream-a
    gh pr create --repo acme/web --base main --head update-from-upstream-a --fill

    git remote add ecosystem-upstream https://github.com/acme/monorepo.git
    git fetch --no-tags ecosystem-upstream refs/heads/main
    git fetch origin refs/heads/main
    git checkout --no-track -b update-from-upstream-a origin/main
    git diff --binary --full-index --no-ext-diff --no-textconv --src-prefix=a/ --dst-prefix=b/ bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: 1a2b3c4d5e6f708192a3b4c5d6e7f80912345678: | git apply --3way
    # resolve what is in conflict; in ecosystem.lock.json write 1a2b3c4d5e6f708192a3b4c5d6e7f80912345678 as the feature's commit
    git add -A -- .
    git commit -m 'Update it'\''s $(done) from acme/monorepo'
    git push origin HEAD:refs/heads/update-from-upstream-a
    gh pr create --repo acme/web --base main --head update-from-upstream-a --fill

    git remote add ecosystem-upstream https://github.com/acme/monorepo.git
    git fetch --no-tags ecosystem-upstream refs/heads/main
    git fetch origin refs/heads/main
    git checkout --no-track -b update-from-upstream-a origin/main
    git checkout $'1a2b3c4d5e6f708192a3b4c5d6e7f80912345678:f\377\012`\'' -- .
    # resolve what is in conflict
    git add -A -- .
    git commit -m 'Update it'\''s $(done) from acme/monorepo'
    git push origin HEAD:refs/heads/update-from-upstream-a
    gh pr create --repo acme/web --base main --head update-from-upstream-a --fill
    "##);
}

#[test]
fn a_title_is_one_that_github_takes() {
    for feature in ["/@a".repeat(500), "a\u{301}".repeat(500), "x".repeat(500)] {
        let mut told = Told::of(feature.as_bytes());
        for name in ["a/b".to_owned(), format!("{}/{}", "o".repeat(39), "n".repeat(100))] {
            told.source = RepoName::parse(&name).unwrap();
            told.cousin = told.source.clone();
            let title = words::title(&told.subject());
            assert!(crate::text::markdown::size(&title) <= 256, "{title}");
        }
    }
}

#[test]
fn huge_words_are_a_short_issue() {
    let mut told = Told::of(&b"#".repeat(4_000));
    told.error = "`".repeat(70_000);
    told.commands = vec!["x".repeat(70_000)];
    let body = told.body();
    assert!(body.len() < 65_000 && body.contains("are in the run's log"), "{}", body.len());
    told.commands = vec!["`".repeat(9_000)];
    assert!(crate::text::markdown::size(&told.body()) < 65_000);
}

proptest! {
    #[test]
    fn no_word_leaves_its_quotes(word in prop::collection::vec(any::<u8>(), 0..40)) {
        let quoted = shell_quoted(&word);
        prop_assert!(!quoted.is_empty() && !quoted.contains('\n'));
        prop_assert_eq!(read_back(&quoted), word);
        prop_assert_eq!(crate::text::shown(quoted.as_bytes()), quoted.as_str());
    }

    #[test]
    fn no_word_ends_the_block(word in "[`~\n a-z\\\\]{0,30}") {
        let mut told = Told::of(b"a");
        told.commands = vec![shell_quoted(word.as_bytes()), word];
        let body = told.body();
        let fence = body.lines().find(|line| line.starts_with("```")).unwrap().trim_end_matches("sh");
        prop_assert_eq!(body.lines().filter(|line| *line == fence).count(), 1);
        prop_assert_eq!(body.lines().filter(|line| line.starts_with(fence)).count(), 2);
    }
}

/// Reads a word as a shell does (POSIX, "Quoting", and `$'…'`).
fn read_back(quoted: &str) -> Vec<u8> {
    if let Some(inner) = quoted.strip_prefix("$'") {
        let mut out = Vec::new();
        let mut rest = inner.strip_suffix('\'').unwrap().bytes();
        while let Some(byte) = rest.next() {
            assert_ne!(byte, b'\'');
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            let next = rest.next().unwrap();
            if next.is_ascii_digit() {
                let digits = [next, rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                out.push(u8::from_str_radix(&digits, 8).unwrap());
            } else {
                out.push(next);
            }
        }
        return out;
    }
    let mut out = String::new();
    let mut rest = quoted;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\'' => inside = !inside,
            '\\' if !inside => {
                out.push(rest.chars().next().unwrap());
                rest = &rest[1..];
            }
            c => {
                assert!(inside || c.is_ascii_alphanumeric() || "_./:@%+=,-".contains(c));
                out.push(c);
            }
        }
    }
    assert!(!inside);
    out.into_bytes()
}
