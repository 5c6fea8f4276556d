//! The commands with which a person finishes a sync by hand, run by a real shell and a real git.

use ecosystem_dispatcher::names::{CommitSha, FeaturePath, RepoName};
use ecosystem_dispatcher::sync::failure::{ByHand, commands_by_hand};
use pretty_assertions::assert_eq;

use crate::support::process::{Child, Finished};
use crate::support::repository::{Sandbox, file_url};

/// A feature's directory that a shell would trip over.
const FEATURE: &str = "features/it's $(a) `b`";

/// A monorepo with two versions of the feature, and a cousin that has the first.
struct World {
    sandbox: Sandbox,
    source: String,
    commits: [CommitSha; 2],
}

impl World {
    fn new(into: &str) -> Self {
        let sandbox = Sandbox::new();
        let mono = sandbox.new_repository("mono");
        let lines: Vec<String> = (0..20).map(|number| format!("line {number}\n")).collect();
        sandbox.write(&mono, &format!("{FEATURE}/edit.txt"), &lines.concat());
        sandbox.write(&mono, &format!("{FEATURE}/gone.txt"), "gone\n");
        sandbox.write(&mono, "elsewhere.txt", "not this\n");
        let first = sandbox.commit_all(&mono, "first");
        sandbox.write(
            &mono,
            &format!("{FEATURE}/edit.txt"),
            &lines.concat().replace("line 18", "upstream"),
        );
        std::fs::remove_file(mono.join(format!("{FEATURE}/gone.txt"))).unwrap();
        std::fs::write(mono.join(format!("{FEATURE}/new.bin")), b"\0\xff\n").unwrap();
        sandbox.write(&mono, &format!("{FEATURE}/deep/new.txt"), "new\n");
        let second = sandbox.commit_all(&mono, "second");

        let web = sandbox.new_repository("web");
        let at = if into == "." { String::new() } else { format!("{into}/") };
        let local = lines.concat().replace("line 1\n", "local\n");
        sandbox.write(&web, &format!("{at}edit.txt"), &local);
        sandbox.write(&web, &format!("{at}gone.txt"), "gone\n");
        sandbox.write(&web, "own.txt", "the cousin's\n");
        sandbox.write(&web, "ecosystem.lock.json", "{}\n");
        sandbox.commit_all(&web, "own");
        sandbox.git(sandbox.path(), &["clone", "--quiet", "--bare", "web", "web.git"]);
        sandbox.clone(&sandbox.path().join("web.git"), "clone", &[]);
        let source = file_url(&mono);
        let commits = [first, second].map(|sha| CommitSha::parse(&sha).unwrap());
        Self { sandbox, source, commits }
    }

    /// Runs the commands, but for the last, which is GitHub's.
    fn run(&self, into: &str, from: Option<&CommitSha>) -> Finished {
        let mut commands = commands_by_hand(&ByHand {
            source_url: &self.source,
            source_branch: "main",
            feature: &FeaturePath::new(FEATURE.as_bytes()),
            into: &FeaturePath::new(into.as_bytes()),
            previous: from,
            commit: &self.commits[1],
            cousin: &RepoName::parse("acme/web").unwrap(),
            base: "main",
            branch: "update",
            title: "Update `it's` to $HOME",
        });
        assert!(commands.pop().unwrap().starts_with("gh pr create --repo acme/web --base main"));
        let mut shell = self.sandbox.command("sh");
        shell
            .current_dir(self.clone())
            .args(["-e", "-c", &commands.join("\n")])
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Ada")))
            .envs(
                ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "ada@test.example")),
            );
        Child::start(&mut shell, b"").wait()
    }

    fn clone(&self) -> std::path::PathBuf {
        self.sandbox.path().join("clone")
    }

    fn pushed(&self, args: &[&str]) -> String {
        self.sandbox.git(&self.sandbox.path().join("web.git"), args)
    }
}

fn succeeded(finished: &Finished) {
    let shown = String::from_utf8_lossy(&finished.stderr);
    assert!(finished.status.success(), "{shown}");
}

#[test]
fn what_upstream_changed_arrives_and_local_edits_stay() {
    for into in ["src/a b", "."] {
        let world = World::new(into);
        succeeded(&world.run(into, Some(&world.commits[0])));
        let at = if into == "." { String::new() } else { format!("{into}/") };
        let names = ["deep/new.txt", "edit.txt", "new.bin"].map(|name| format!("{at}{name}"));
        let mut names = names.to_vec();
        names.extend(["ecosystem.lock.json", "own.txt"].map(str::to_owned));
        names.sort();
        assert_eq!(world.pushed(&["ls-tree", "-r", "--name-only", "update"]), names.join("\n"));
        let edited = world.pushed(&["show", &format!("update:{at}edit.txt")]);
        assert!(edited.contains("local\n") && edited.contains("upstream\n"), "{edited}");
        assert_eq!(world.pushed(&["log", "-1", "--format=%s", "update"]), "Update `it's` to $HOME");
        assert_eq!(world.pushed(&["log", "--format=%s", "main"]), "own", "the base is left alone");
    }
}

#[test]
fn a_first_time_makes_the_directory_what_the_feature_is() {
    for into in ["src/a b", "-x/[y]", ":z"] {
        let world = World::new(into);
        succeeded(&world.run(into, None));
        let theirs = format!("{}:{FEATURE}", world.commits[1]);
        let mono = world.sandbox.path().join("mono");
        assert_eq!(
            world.pushed(&["rev-parse", &format!("update:{into}")]),
            world.sandbox.git(&mono, &["rev-parse", &theirs]),
            "{into}"
        );
        assert_eq!(world.pushed(&["show", "update:own.txt"]), "the cousin's");
    }
}

#[test]
fn a_first_time_at_the_root_leaves_what_is_the_cousins_own() {
    let world = World::new(".");
    succeeded(&world.run(".", None));
    let names = world.pushed(&["ls-tree", "-r", "--name-only", "update"]);
    assert_eq!(names, "deep/new.txt\necosystem.lock.json\nedit.txt\ngone.txt\nnew.bin\nown.txt");
    let theirs = format!("{}:{FEATURE}/edit.txt", world.commits[1]);
    let mono = world.sandbox.path().join("mono");
    assert_eq!(
        world.pushed(&["rev-parse", "update:edit.txt"]),
        world.sandbox.git(&mono, &["rev-parse", &theirs])
    );
}

#[test]
fn a_conflict_stops_before_anything_is_committed() {
    let world = World::new("src");
    let clone = world.clone();
    let edited = std::fs::read_to_string(clone.join("src/edit.txt")).unwrap();
    world.sandbox.write(&clone, "src/edit.txt", &edited.replace("line 18", "mine"));
    world.sandbox.commit_all(&clone, "conflict");
    world.sandbox.git(&clone, &["push", "--quiet", "origin", "main"]);
    assert!(!world.run("src", Some(&world.commits[0])).status.success());
    let text = std::fs::read_to_string(clone.join("src/edit.txt")).unwrap();
    assert!(text.contains("<<<<<<<") && text.contains("mine\n") && text.contains("upstream\n"));
    assert_eq!(world.pushed(&["branch", "--format=%(refname:short)"]), "main");
}
