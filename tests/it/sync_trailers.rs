//! That git itself finds the trailers of our commits' messages, whatever upstream wrote above them.

use ecosystem_dispatcher::git::files::ObjectId;
use ecosystem_dispatcher::names::{CommitSha, FeaturePath, RepoName};
use ecosystem_dispatcher::sync::message::{
    CommitText, Own, Trailers, commit_message, picked_message,
};
use pretty_assertions::assert_eq;

use crate::support::repository::Sandbox;

#[test]
fn git_reads_the_trailers_that_we_write() {
    let sandbox = Sandbox::new();
    let source = RepoName::parse("acme/monorepo").unwrap();
    let commit = CommitSha::parse("1a2b3c4d5e6f708192a3b4c5d6e7f80912345678").unwrap();
    let tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    let features = [FeaturePath::new(b"features/a\n:b")];
    let trailers = Trailers {
        features: &features,
        source: &source,
        commit: &commit,
        dispatch_id: None,
        tree: ObjectId::from_str(tree).unwrap(),
    };
    let ours = [
        "Ecosystem-Feature: features/a%0A:b".to_owned(),
        format!("Ecosystem-Source: acme/monorepo@{commit}"),
        format!("Ecosystem-Tree: {tree}"),
    ];
    let read = |message: &[u8]| {
        assert_eq!(Own::read(message, trailers.tree).unwrap().features, features);
        let args = ["interpret-trailers", "--parse", "--no-divider"];
        String::from_utf8(sandbox.git_fed(sandbox.path(), &args, message)).unwrap()
    };
    let own = commit_message(&CommitText { trailers, commits: &[] });
    assert_eq!(read(&own).lines().collect::<Vec<_>>(), ours);
    for (upstream, theirs) in [
        ("Add it", &[][..]),
        ("Add: it", &[]),
        ("", &[]),
        ("Add it\n\nWhy it is.\nAnd more.", &[]),
        ("Add it\n\nSigned-off-by: Ada <a@b.c>", &["Signed-off-by: Ada <a@b.c>"]),
        ("Add it\n\nwhy\nand\nmore\nSigned-off-by: A <a@b.c>", &["Signed-off-by: A <a@b.c>"]),
        ("Add it\n\nwhy\nand\nmore\nyes\nSigned-off-by: A <a@b.c>", &[]),
        ("Add it\n\nNote: a\n b\nX: y\n\n\n", &["Note: a b", "X: y"]),
        ("Add it\n\n continues: nothing", &[]),
        ("Add it\n\nX: y\n---\nZ: z", &[]),
        (
            "Add it\n\nEcosystem-Tree: x\necosystem-source: y",
            &["Upstream-Ecosystem-Tree: x", "Upstream-ecosystem-source: y"],
        ),
        ("Add it\n\n# a comment\nX: y", &[]),
        ("Add it\n\n(cherry picked from commit abc)\nX: y", &["X: y"]),
    ] {
        let text = read(&picked_message(upstream.as_bytes(), &trailers));
        let expected: Vec<&str> =
            theirs.iter().copied().chain(ours.iter().map(String::as_str)).collect();
        let found: Vec<&str> = text.lines().filter(|line| !line.starts_with("(cherry")).collect();
        assert_eq!(found, expected, "{upstream:?}");
    }
}
