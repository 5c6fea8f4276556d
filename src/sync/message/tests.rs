//! What messages say, whoever wrote what of them.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f80912345678";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn tree() -> ObjectId {
    ObjectId::from_str("4b825dc642cb6eb9a060e54bf8d69288fbee4904").unwrap()
}

/// Lends trailers for these features to `look`.
fn with<T>(features: &[&[u8]], id: Option<&str>, look: impl FnOnce(Trailers<'_>) -> T) -> T {
    let features: Vec<FeaturePath> = features.iter().map(|it| FeaturePath::new(it)).collect();
    let source = RepoName::parse("acme/monorepo").unwrap();
    let commit = CommitSha::parse(SHA).unwrap();
    look(Trailers {
        features: &features,
        source: &source,
        commit: &commit,
        dispatch_id: id,
        tree: tree(),
    })
}

fn upstream(number: usize, subject: &[u8]) -> UpstreamCommit {
    UpstreamCommit {
        id: CommitSha::parse(&format!("{:040x}", number + 1)).unwrap(),
        author: b"Ada".to_vec(),
        subject: subject.to_vec(),
    }
}

fn message(features: &[&[u8]], commits: &[UpstreamCommit]) -> String {
    let bytes =
        with(features, Some(ID), |trailers| commit_message(&CommitText { trailers, commits }));
    // As a reader would see it, were it visible.
    String::from_utf8(bytes).unwrap().replace('\u{200b}', "·")
}

fn picked(upstream: &[u8]) -> Vec<u8> {
    with(&[b"features/web"], None, |trailers| picked_message(upstream, &trailers))
}

/// What GitHub reads out of a text, by the forms of its documentation.
fn live(text: &[u8]) -> Option<&[u8]> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (0..text.len()).map(|at| &text[at..]).zip(0..).find_map(|(rest, at): (&[u8], usize)| {
        let before = at.checked_sub(1).map(|at| text[at]);
        let begins = before.is_none_or(|byte| !word(byte));
        let next = rest.get(1).copied().unwrap_or(b' ');
        let lower = rest.to_ascii_lowercase();
        let is_live = begins && rest[0] == b'@' && next.is_ascii_alphanumeric()
            || rest[0] == b'#' && next.is_ascii_digit()
            || begins && lower.starts_with(b"gh-") && rest.get(3).is_some_and(u8::is_ascii_digit)
            || lower.starts_with(b"//github.com/")
            || lower.starts_with(b"//www.github.com/");
        is_live.then_some(rest)
    })
}

#[test]
fn what_github_would_read_out_of_a_text_is_broken() {
    for (text, expected) in [
        ("thanks @ada", "thanks @\u{200b}ada"),
        ("@acme/team: look", "@\u{200b}acme/team: look"),
        ("(@ada) é@ada -@ada", "(@\u{200b}ada) é@\u{200b}ada -@\u{200b}ada"),
        ("mail ada@example.com", "mail ada@example.com"),
        ("a_@b a1@b", "a_@b a1@b"),
        ("@ alone, @-x, x@", "@ alone, @-x, x@"),
        ("Fixes #1, closes acme/web#22", "Fixes #\u{200b}1, closes acme/web#\u{200b}22"),
        ("#x # 1", "#x # 1"),
        ("Resolves GH-7 gh-8 xGH-9 GH-x", "Resolves GH-\u{200b}7 gh-\u{200b}8 xGH-9 GH-x"),
        (
            "closes https://github.com/acme/web/issues/1",
            "closes https://redirect.github.com/acme/web/issues/1",
        ),
        ("http://WWW.GitHub.com/a/b/pull/2", "http://redirect.github.com/a/b/pull/2"),
        ("https://github.com:443/a/b/pull/2", "https://redirect.github.com:443/a/b/pull/2"),
        ("https://u@github.com/a/b/pull/2", "https://u@redirect.github.com/a/b/pull/2"),
        ("www.github.com/a", "redirect.github.com/a"),
        (
            "git@github.com:a/b api.github.com/x mygithub.com/",
            "git@github.com:a/b api.github.com/x mygithub.com/",
        ),
        ("https://example.com/github.com/x", "https://example.com/redirect.github.com/x"),
        ("`code @ada #1`", "`code @\u{200b}ada #\u{200b}1`"),
        (
            "Co-authored-by: d[bot] <49699333+d[bot]@users.noreply.github.com>",
            "Co-authored-by: d[bot] <49699333+d[bot]@users.noreply.github.com>",
        ),
        ("Signed-off-by: @ada #1 <a-@b.c>\n", "Signed-off-by: @\u{200b}ada #\u{200b}1 <a-@b.c>\n"),
        ("Signed-off-by: x <]@team>", "Signed-off-by: x <]@\u{200b}team>"),
        ("Signed-off-by: x <GH-1@b.c>", "Signed-off-by: x <GH-\u{200b}1@b.c>"),
        ("See: x <]@b.c>", "See: x <]@\u{200b}b.c>"),
        ("bump [skip ci]", "bump [\u{200b}skip ci]"),
        ("[CI Skip][no ci]", "[\u{200b}CI Skip][\u{200b}no ci]"),
        ("[skip actions] [actions skip]", "[\u{200b}skip actions] [\u{200b}actions skip]"),
        ("[skip cin] skip ci] [skip", "[skip cin] skip ci] [skip"),
        ("", ""),
    ] {
        assert_eq!(defused(text), expected, "{text}");
        assert_eq!(defused(expected), expected, "twice is as once");
    }
}

#[test]
fn a_message_says_what_it_brings() {
    let commits = [
        upstream(0, b"Fixes #1: thanks @ada"),
        upstream(1, b"colour \x1b[31m and \xff and ::error::x"),
    ];
    insta::assert_snapshot!(message(&[b"features/webpush/flask"], &commits), @r"
    Update features/webpush/flask to acme/monorepo@1a2b3c4d5e

    Upstream commits:
    - 0000000000 colour \u{1b}[31m and \xff and ::error::x
    - 0000000000 Fixes #·1: thanks @·ada

    Ecosystem-Feature: features/webpush/flask
    Ecosystem-Source: acme/monorepo@1a2b3c4d5e6f708192a3b4c5d6e7f80912345678
    Ecosystem-Dispatch-Id: 0123456789abcdef0123456789abcdef
    Ecosystem-Tree: 4b825dc642cb6eb9a060e54bf8d69288fbee4904
    ");
    insta::assert_snapshot!(message(&[b"a\xff%@x", b"b\nEcosystem-Tree: x"], &[]), @r"
    Update 2 features to acme/monorepo@1a2b3c4d5e

    Feature: a\xff%@·x
    Feature: b\nEcosystem-Tree: x
    Source: acme/monorepo at 1a2b3c4d5e6f708192a3b4c5d6e7f80912345678

    Ecosystem-Feature: a%FF%25%40x
    Ecosystem-Feature: b%0AEcosystem-Tree:%20x
    Ecosystem-Source: acme/monorepo@1a2b3c4d5e6f708192a3b4c5d6e7f80912345678
    Ecosystem-Dispatch-Id: 0123456789abcdef0123456789abcdef
    Ecosystem-Tree: 4b825dc642cb6eb9a060e54bf8d69288fbee4904
    ");
}

#[test]
fn a_subject_that_is_too_wide_is_cut_and_the_text_has_all_of_it() {
    let long = format!("features/{}/flask", "x".repeat(90));
    let text = message(&[long.as_bytes()], &[]);
    let subject = text.lines().next().unwrap();
    assert_eq!(subject.width(), SUBJECT);
    assert!(
        subject.starts_with("Update …") && subject.ends_with("/flask to acme/monorepo@1a2b3c4d5e")
    );
    assert!(text.contains(&format!("\nFeature: {long}\n")), "{text}");
    let commits: Vec<_> = (0..1000).map(|number| upstream(number, &[b'y'; 5000])).collect();
    let text = message(&[b"a"], &commits);
    assert!(text.contains("\nand 980 more\n") && text.len() < 5_000, "{}", text.len());
}

#[test]
fn a_picked_message_is_upstreams_own_with_our_trailers_behind_it() {
    let text = |upstream: &str| String::from_utf8(picked(upstream.as_bytes())).unwrap();
    let ours = "Ecosystem-Feature: features/web\n\
                Ecosystem-Source: acme/monorepo@1a2b3c4d5e6f708192a3b4c5d6e7f80912345678\n\
                Ecosystem-Tree: 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
    for (upstream, expected) in [
        ("Add it\r\n\r\nWhy.\n", "Add it\n\nWhy.\n\n"),
        ("Add it", "Add it\n\n"),
        ("fix: look", "fix: look\n\n"),
        ("Add it\n\nFixes #1\n", "Add it\n\nFixes #\u{200b}1\n\n"),
        ("Add it\n\nFixes: #1\n", "Add it\n\nFixes: #\u{200b}1\n"),
        ("Add it\n\nSigned-off-by: Ada <a@b.c>\n\n\n", "Add it\n\nSigned-off-by: Ada <a@b.c>\n"),
        (
            "Add it\n\ntext\nSigned-off-by: Ada <a@b.c>",
            "Add it\n\ntext\nSigned-off-by: Ada <a@b.c>\n",
        ),
        ("Add it\n\nNote: x\n goes on\n", "Add it\n\nNote: x\n goes on\n"),
        (
            "Add it\n\necosystem-TREE : 1\n  Ecosystem-Source: x\n",
            "Add it\n\nUpstream-ecosystem-TREE : 1\nUpstream-Ecosystem-Source: x\n",
        ),
        ("a\0b\x1b[31m\n", "a\\x00b\\x1b[31m\n\n"),
        ("", "Update features/web to acme/monorepo@1a2b3c4d5e\n\n"),
    ] {
        assert_eq!(text(upstream), format!("{expected}{ours}"), "{upstream:?}");
    }
    assert!(picked(b"caf\xe9\n\nx").starts_with(b"caf\xe9\n\nx\n\nEcosystem"), "bytes stay");
}

#[test]
fn a_commit_is_ours_when_its_last_block_names_its_own_tree() {
    let written = message(&[b"a\xff", b"b"], &[]);
    let own = Own::read(written.as_bytes(), tree()).unwrap();
    assert_eq!(own.features, [FeaturePath::new(b"a\xff"), FeaturePath::new(b"b")]);
    assert_eq!((own.source.as_str(), own.commit.as_str()), ("acme/monorepo", SHA));
    assert_eq!(own.dispatch_id.as_deref(), Some(ID));
    let other = ObjectId::from_str(SHA).unwrap();
    assert_eq!(Own::read(written.as_bytes(), other), None, "amended");
    let message = message(&[b"a"], &[]);
    let block = message.split("\n\n").last().unwrap();
    for (text, is_ours) in [
        (message.clone(), true),
        (format!("x\n\n{block}\n\n\n"), true),
        (format!("x\n\n{block}Co-authored-by: Ada <a@b.c>\n"), true),
        (format!("{block}\nSigned-off-by: Ada <a@b.c>\n"), false),
        (format!("x\n\n{block}\nmore text\n"), false),
        (format!("x\n\n{block}more text\n"), false),
        (block.to_owned(), false),
        (message.replace("Ecosystem-Feature", "Feature"), false),
        (message.replace("Ecosystem-Source", "Source"), false),
        (message.replace("acme/monorepo@", "acme@"), false),
        (format!("x\n\n{block}Ecosystem-Tree: {}\n", tree()), false),
        (format!("x\n\n{block}Ecosystem-Source: a/b@{SHA}\n"), false),
        (String::new(), false),
    ] {
        assert_eq!(Own::read(text.as_bytes(), tree()).is_some(), is_ours, "{text}");
    }
}

/// Texts of what GitHub, git and we ourselves would react to.
fn others() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "@",
        "#",
        "1",
        "GH-",
        "gh-2",
        "a",
        "_",
        " ",
        "\n",
        "\n\n",
        "\t",
        "<",
        ">",
        "a@b.c",
        ":",
        "https://github.com/a/b/issues/1",
        "www.github.com/",
        "Signed-off-by: ",
        "x: y\n",
        "é",
        "Ecosystem-Tree: 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n",
        "\u{200b}",
        "\r",
        "\u{202e}",
        "Ecosystem-Source: a/b@1a2b3c4d5e6f708192a3b4c5d6e7f80912345678\n",
        "/",
        "-",
        ".",
        "]",
        "Ecosystem-Feature: a\n",
        "(cherry picked from commit x)\n",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..30).prop_map(|all| all.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..200),
    ]
}

proptest! {
    #[test]
    fn nothing_live_is_left_and_twice_is_as_once(text in others()) {
        let once = defuse(&text);
        prop_assert_eq!(&defuse(&once), &once);
        // A credit keeps its mail address, in which GitHub sees no mention.
        let rest: Vec<&[u8]> = once.split(|byte| *byte == b'\n').collect();
        for line in rest {
            let mail = line.iter().rposition(|byte| *byte == b'<').filter(|_| line.trim_ascii_end().ends_with(b">"));
            let kept = mail.filter(|_| line.to_ascii_lowercase().windows(4).any(|it| it == b"-by:"));
            let line = &line[..kept.unwrap_or(line.len())];
            prop_assert_eq!(live(line), None, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn what_is_not_read_by_github_stays_as_it_is(text in "[a-z .:/\n-]{0,80}") {
        prop_assert_eq!(defused(&text), text);
    }

    #[test]
    fn a_picked_message_is_ours_whatever_upstream_wrote(upstream in others()) {
        let message = picked(&upstream);
        let own = Own::read(&message, tree());
        prop_assert_eq!(own.map(|it| it.commit.to_string()), Some(SHA.to_owned()), "{}", String::from_utf8_lossy(&message));
        prop_assert!(!message.contains(&0));
    }

    #[test]
    fn upstreams_own_message_is_never_ours(upstream in others()) {
        // As a commit of a person who picked it by hand, without our trailers.
        let message = picked(&upstream);
        let cut = message.len() - with(&[b"features/web"], None, |it| written(&it)).len();
        prop_assert_eq!(Own::read(&message[..cut], tree()), None);
    }

    #[test]
    fn every_feature_is_read_as_it_was_written(path in prop::collection::vec(any::<u8>(), 1..40), id in any::<bool>()) {
        let message = with(&[&path], id.then_some(ID), |trailers| {
            commit_message(&CommitText { trailers, commits: &[upstream(1, &path)] })
        });
        let own = Own::read(&message, tree());
        prop_assert_eq!(own.map(|it| it.features), Some(vec![FeaturePath::new(&path)]));
        let subject = subject_of(&message).to_vec();
        prop_assert!(String::from_utf8(subject).unwrap().width() <= SUBJECT);
    }
}
