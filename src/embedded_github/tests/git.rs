//! git over HTTP with the git program on both sides: what is cloned, fetched and pushed, and what
//! is refused in GitHub's words.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

use super::*;
use crate::git::command::{Context, Git, Place};

/// A directory, a server with `acme/web` that has a history, and `git` on the client's side.
pub(super) struct Hub {
    pub(super) github: EmbeddedGitHub,
    root: tempfile::TempDir,
}

/// Returns an empty bare repository with the branch `main`.
pub(super) fn bare(dir: &Path) {
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).initial_head("main").external_template(false);
    crate::git::init(dir, &options).unwrap();
}

/// Commits files on top of a branch of a bare repository, as somebody's push would, and returns
/// the commit's id.
pub(super) fn commit(dir: &Path, branch: &str, files: &[(&str, &str)]) -> String {
    let repository = git2::Repository::open_bare(dir).unwrap();
    let reference = format!("refs/heads/{branch}");
    let parent = repository.refname_to_id(&reference).ok();
    let parent = parent.map(|id| repository.find_commit(id).unwrap());
    let mut index = git2::Index::new().unwrap();
    if let Some(parent) = &parent {
        index.read_tree(&parent.tree().unwrap()).unwrap();
    }
    for (path, text) in files {
        let entry = git2::IndexEntry {
            ctime: git2::IndexTime::new(0, 0),
            mtime: git2::IndexTime::new(0, 0),
            dev: 0,
            ino: 0,
            mode: 0o100_644,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: repository.blob(text.as_bytes()).unwrap(),
            flags: 0,
            flags_extended: 0,
            path: path.as_bytes().to_vec(),
        };
        index.add(&entry).unwrap();
    }
    let tree = repository.find_tree(index.write_tree_to(&repository).unwrap()).unwrap();
    let by = git2::Signature::new("t", "t@example.com", &git2::Time::new(START, 0)).unwrap();
    let parents: Vec<_> = parent.iter().collect();
    let message = format!("change {} files", files.len());
    let id = repository.commit(Some(&reference), &by, &by, &message, &tree, &parents).unwrap();
    id.to_string()
}

impl Hub {
    /// Starts a server; `describe` says more of `acme/web`.
    pub(super) async fn start(describe: impl FnOnce(Repository) -> Repository) -> Self {
        let root = tempfile::tempdir().unwrap();
        let web = root.path().join("web.git");
        bare(&web);
        commit(&web, "main", &[("README.md", "web\n"), ("src/a.txt", "a\n")]);
        commit(&web, "main", &[("src/a.txt", "a\nb\n")]);
        let model = model()
            .limits(Limits::none())
            .token("flows", Token::may_write_all().scopes(&["repo", "workflow"]))
            .token("reader", Token::classic().labelled("reader"))
            .token("fine-w", Token::fine_grained().may_write("acme/web"))
            .token(
                "app-w",
                Token::installation().may_write("acme/web").may_write_workflows("acme/web"),
            )
            .repository_with("acme/web", |it| describe(it.git(&web)));
        Self { github: EmbeddedGitHub::start(model).await.unwrap(), root }
    }

    pub(super) fn bare(&self) -> PathBuf {
        self.root.path().join("web.git")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn url(&self, token: &str, name: &str) -> String {
        let at = if token.is_empty() { String::new() } else { format!("x-access-token:{token}@") };
        self.github.url().replace("http://", &format!("http://{at}")) + "/" + name
    }

    /// Runs git and returns its output, or its last words.
    async fn git(&self, place: Option<&Path>, args: &[&str]) -> Result<String, String> {
        let place = place.map(Path::to_owned);
        let args: Vec<String> = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "init.defaultBranch=main",
        ]
        .iter()
        .chain(args)
        .map(|it| (*it).to_owned())
        .collect();
        let run = move || {
            let place = place.as_deref().map_or(Place::Nowhere, Place::Clone);
            let told = |said: &[u8]| said.starts_with(b"To ");
            let context = Context { place, partial_success: Some(told), ..Context::default() };
            Git::new([]).run(&context, args)
        };
        let out = tokio::task::spawn_blocking(run).await.unwrap();
        let out = out.map(|it| String::from_utf8_lossy(&it).trim().to_owned());
        out.map_err(|error| error.to_string())
    }

    /// Clones `acme/web` with a token and returns where to.
    async fn cloned(&self, token: &str, options: &[&str]) -> PathBuf {
        let to = self.path(&format!("clone-{token}-{}", options.join("")));
        let url = self.url(token, "acme/web.git");
        let args = [&["clone", "--quiet"], options, &[&url, to.to_str().unwrap()]].concat();
        self.git(None, &args).await.unwrap();
        to
    }

    async fn change(&self, clone: &Path, path: &str, text: impl AsRef<[u8]>) {
        let file = clone.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self.git(Some(clone), &["add", "--all"]).await.unwrap();
        self.git(Some(clone), &["commit", "--quiet", "--message", path]).await.unwrap();
    }

    /// Pushes and returns the line about the ref, or the refusal.
    async fn push(&self, clone: &Path, args: &[&str]) -> Result<String, String> {
        let args = [&["push", "--porcelain", "origin"], args].concat();
        let said = self.git(Some(clone), &args).await?;
        let mut lines = said.lines().filter(|it| !it.starts_with("To ") && *it != "Done");
        let line = lines.next().unwrap_or_default().to_owned();
        if line.starts_with('!') { Err(line) } else { Ok(line) }
    }

    fn at(&self, reference: &str) -> Option<String> {
        let repository = git2::Repository::open_bare(self.bare()).unwrap();
        repository.refname_to_id(reference).ok().map(|it| it.to_string())
    }
}

#[tokio::test]
async fn a_public_repository_is_cloned_by_anybody_with_and_without_the_suffix() {
    let hub = Hub::start(|it| it).await;
    for (name, to) in [("acme/web", "a"), ("acme/web.git", "b"), ("Acme/WEB.git", "c")] {
        let to = hub.path(to);
        let url = hub.url("", name);
        hub.git(None, &["clone", "--quiet", &url, to.to_str().unwrap()]).await.unwrap();
        assert_eq!(std::fs::read_to_string(to.join("src/a.txt")).unwrap(), "a\nb\n", "{name}");
    }
    hub.github.stop().await;
}

#[tokio::test]
async fn a_push_moves_the_branch_and_is_there_for_the_next_clone() {
    let hub = Hub::start(|it| it).await;
    let clone = hub.cloned(SECRET, &[]).await;
    hub.change(&clone, "src/new.txt", "new\n").await;
    assert!(hub.push(&clone, &["main", "main:refs/heads/topic"]).await.is_ok());
    let head = hub.git(Some(&clone), &["rev-parse", "HEAD"]).await.unwrap();
    assert_eq!(hub.at("refs/heads/main"), Some(head.clone()));
    assert_eq!(hub.at("refs/heads/topic"), Some(head));
    let again = hub.cloned("reader", &[]).await;
    assert_eq!(std::fs::read_to_string(again.join("src/new.txt")).unwrap(), "new\n");
    assert!(hub.push(&clone, &["--delete", "topic"]).await.is_ok());
    assert_eq!(hub.at("refs/heads/topic"), None);
}

#[tokio::test]
async fn who_may_not_read_or_write_is_told_in_githubs_words() {
    let hub = Hub::start(|it| it).await;
    let attic = hub.bare();
    hub.github.with(|model| {
        let taken = std::mem::take(model);
        *model = taken
            .repository_with("acme/secret", |it| it.git(&attic))
            .repository_with("acme/attic", |it| it.git(&attic))
            .repository_with("acme/new", |it| it.git(&attic));
    });
    // git asks for a name and a password when it is sent 401, and there is nobody to ask.
    let nobody = "could not read Username";
    for (token, name, pushes, words) in [
        ("", "acme/gone", false, nobody),
        ("", "acme/secret", false, nobody),
        ("reader", "acme/secret", false, "remote: Repository not found."),
        ("reader", "acme/gone", false, "remote: Repository not found."),
        ("wrong", "acme/secret", false, "remote: Invalid username or token."),
        (SECRET, "acme/secret", false, ""),
        ("fine", "acme/secret", false, ""),
        ("", "acme/web", true, nobody),
        ("reader", "acme/web", true, "remote: Permission to acme/web.git denied to reader."),
        ("fine", "acme/web", true, "remote: Write access to repository not granted."),
        ("app", "acme/web", true, "remote: Write access to repository not granted."),
        ("built-in", "acme/new", true, "Permission to acme/new.git denied to github-actions[bot]."),
        (SECRET, "acme/attic", true, "remote: This repository was archived so it is read-only."),
        (SECRET, "acme/attic", false, ""),
        (SECRET, "acme/blocked", false, "disabled by GitHub staff"),
        (SECRET, "acme/old", false, ""),
    ] {
        let url = hub.url(token, &format!("{name}.git"));
        let here = hub.bare();
        let said = if pushes {
            hub.git(Some(&here), &["push", &url, "main:topic"]).await
        } else {
            hub.git(None, &["ls-remote", &url]).await
        };
        match said {
            Ok(_) => assert_eq!(words, "", "{token} {name}"),
            Err(said) => {
                assert!(!words.is_empty() && said.contains(words), "{token} {name}: {said}");
                assert!(!said.contains(SECRET));
            }
        }
    }
}

#[tokio::test]
async fn a_workflow_is_pushed_only_by_who_may_write_workflows() {
    let hub = Hub::start(|it| it).await;
    let path = ".github/workflows/ci.yml";
    let app = "refusing to allow a GitHub App to create or update workflow \
               `.github/workflows/ci.yml` without `workflows` permission";
    let person = "refusing to allow a Personal Access Token to create or update workflow \
                  `.github/workflows/ci.yml` without `workflow` scope";
    for (token, refusal) in
        [(SECRET, person), ("fine-w", person), ("built-in", app), ("app-w", ""), ("flows", "")]
    {
        let clone = hub.cloned(token, &["--single-branch"]).await;
        hub.change(&clone, path, format!("on: push # {token}\n")).await;
        // The commit that brings it is refused also below one that takes it away again.
        hub.git(Some(&clone), &["rm", "--quiet", path]).await.unwrap();
        hub.git(Some(&clone), &["commit", "--quiet", "--message", "away"]).await.unwrap();
        for what in ["HEAD", "HEAD~"] {
            let to = format!("{what}:refs/heads/by-{token}");
            let said = hub.push(&clone, &[&to]).await;
            let expected = format!("[remote rejected] ({refusal})");
            match said {
                Ok(_) => assert_eq!(refusal, "", "{token} {what}"),
                Err(said) if refusal.is_empty() => {
                    // Only that the branch has moved on is in the way.
                    assert!(said.contains("non-fast-forward"), "{token} {what}: {said}");
                }
                Err(said) => assert!(said.contains(&expected), "{token} {what}: {said}"),
            }
        }
        assert_eq!(hub.at(&format!("refs/heads/by-{token}")).is_some(), refusal.is_empty());
    }
}

#[tokio::test]
async fn a_workflow_that_a_branch_has_already_may_be_pushed_along() {
    let hub = Hub::start(|it| it).await;
    commit(&hub.bare(), "other", &[(".github/workflows/ci.yml", "on: push\n")]);
    let clone = hub.cloned(SECRET, &[]).await;
    hub.change(&clone, ".github/workflows/ci.yml", "on: push\n").await;
    assert!(hub.push(&clone, &["main"]).await.is_ok());
    hub.change(&clone, "src/a.txt", "more\n").await;
    assert!(hub.push(&clone, &["main"]).await.is_ok(), "the workflow is the parent's");
    hub.change(&clone, ".github/workflows/ci.yml", "on: pull_request\n").await;
    assert!(hub.push(&clone, &["main"]).await.unwrap_err().contains("`workflow` scope"));
}

#[tokio::test]
async fn a_protected_branch_goes_forth_and_never_back() {
    let hub = Hub::start(|it| it.protected("main").protected("release")).await;
    let clone = hub.cloned(SECRET, &[]).await;
    hub.change(&clone, "b", "b").await;
    assert!(hub.push(&clone, &["main", "main:release"]).await.is_ok());
    for args in [["--force", "HEAD~:main"], ["--force", "HEAD~:release"], ["--delete", "release"]] {
        let said = hub.push(&clone, &args).await.unwrap_err();
        assert!(said.contains("[remote rejected] (protected branch hook declined)"), "{said}");
    }
    assert!(hub.push(&clone, &["main:topic"]).await.is_ok());
    assert!(hub.push(&clone, &["--force", "HEAD~:topic"]).await.is_ok());
    let said = hub.push(&clone, &["--delete", "main"]).await.unwrap_err();
    assert!(said.contains("refusing to delete the current branch: refs/heads/main"), "{said}");
}

#[tokio::test]
async fn the_refs_of_pull_requests_are_written_by_nobody() {
    let hub = Hub::start(|it| it).await;
    let clone = hub.cloned(SECRET, &[]).await;
    let said = hub.push(&clone, &["HEAD:refs/pull/1/head"]).await.unwrap_err();
    assert!(said.contains("(deny updating a hidden ref)"), "{said}");
    assert_eq!(hub.at("refs/pull/1/head"), None);
}

#[tokio::test]
async fn a_lease_that_is_no_longer_true_is_refused_by_the_server_too() {
    let hub = Hub::start(|it| it).await;
    let clone = hub.cloned(SECRET, &[]).await;
    let was = hub.at("refs/heads/main").unwrap();
    hub.change(&clone, "b", "b").await;
    hub.change(&clone, "c", "c").await;
    assert!(hub.push(&clone, &["main"]).await.is_ok());
    let lease = format!("--force-with-lease=main:{was}");
    let said = hub.push(&clone, &[&lease, "HEAD~:main"]).await.unwrap_err();
    assert!(said.contains("[rejected] (stale info)"), "{said}");

    // Two whose advertisement was the same: the second comes too late.
    let hosted = crate::git::hosted::Hosted::open(&hub.bare()).unwrap();
    let id = |text: &str| git2::Oid::from_str(text).unwrap();
    let now = hub.at("refs/heads/main").unwrap();
    let moved = hosted.set("refs/heads/main", Some(id(&was)), Some(id(&was)));
    assert_eq!(moved, Err(crate::git::hosted::NotMoved::Stale(Some(id(&now)))));
    let body = format!("{was} {was} refs/heads/main\0 report-status\n");
    let body = format!("{:04x}{body}0000", body.len() + 4);
    let url = format!("{}/acme/web.git/git-receive-pack", hub.github.url());
    let pack = std::fs::read(empty_pack(&hub).await).unwrap();
    let sent =
        client().post(url).basic_auth("x", Some(SECRET)).body([body.into_bytes(), pack].concat());
    let report = sent.send().await.unwrap().text().await.unwrap();
    let expected = format!("cannot lock ref 'refs/heads/main': is at {now} but expected {was}");
    assert!(report.contains(&expected), "{report}");
}

async fn empty_pack(hub: &Hub) -> PathBuf {
    let to = hub.path("empty");
    let here = hub.bare();
    let name = hub.git(Some(&here), &["pack-objects", "--quiet", to.to_str().unwrap()]).await;
    hub.path(&format!("empty-{}.pack", name.unwrap()))
}

#[tokio::test]
async fn who_is_overtaken_between_looking_and_pushing_is_refused() {
    let hub = Hub::start(|it| it).await;
    let clone = hub.cloned(SECRET, &[]).await;
    let was = hub.at("refs/heads/main").unwrap();
    hub.change(&clone, "b", "b").await;
    let bare = hub.bare();
    hub.github.with(|model| {
        model.before_push("acme/web", move |_| {
            commit(&bare, "main", &[("faster", "faster")]);
        });
    });
    let said = hub.push(&clone, &["main"]).await.unwrap_err();
    let now = hub.at("refs/heads/main").unwrap();
    let expected = format!("(cannot lock ref 'refs/heads/main': is at {now} but expected {was})");
    assert!(said.contains(&expected), "{said}");
    let said = hub.push(&clone, &["main"]).await.unwrap_err();
    assert!(said.contains("[rejected] (fetch first)"), "{said}");
    assert!(hub.push(&clone, &["--force", "main"]).await.is_ok());
}

#[tokio::test]
async fn a_pull_requests_head_is_fetched_by_its_ref_and_follows_each_push() {
    let hub = Hub::start(|it| it).await;
    let clone = hub.cloned(SECRET, &[]).await;
    hub.change(&clone, "b", "b").await;
    hub.push(&clone, &["main:topic"]).await.unwrap();
    let body = json!({"title": "t", "head": "topic", "base": "main"}).to_string();
    let request =
        Request { body: body.into_bytes(), ..post("/repos/acme/web/pulls", Some(SECRET)) };
    assert_eq!(hub.github.with(|model| ask(model, &request)).status, 201);
    hub.change(&clone, "c", "c").await;
    hub.push(&clone, &["main:topic"]).await.unwrap();
    let head = hub.git(Some(&clone), &["rev-parse", "HEAD"]).await.unwrap();
    let reader = hub.cloned("reader", &["--single-branch"]).await;
    hub.git(Some(&reader), &["fetch", "--quiet", "origin", "refs/pull/1/head"]).await.unwrap();
    let fetched = hub.git(Some(&reader), &["rev-parse", "FETCH_HEAD"]).await.unwrap();
    assert_eq!(fetched, head);
    hub.push(&clone, &["--delete", "topic"]).await.unwrap();
    let pulls = hub.github.with(|model| model.pull_requests_of("acme/web"));
    assert_eq!((pulls.len(), pulls[0].issue.open), (1, false));
    assert_eq!(pulls[0].proposed.head_sha, head);
}

#[tokio::test]
async fn commits_without_their_objects_are_refused() {
    let hub = Hub::start(|it| it).await;
    let clone = hub.cloned(SECRET, &[]).await;
    hub.change(&clone, "b", "b").await;
    let new = hub.git(Some(&clone), &["rev-parse", "HEAD"]).await.unwrap();
    let pack = std::fs::read(empty_pack(&hub).await).unwrap();
    let zero = "0".repeat(40);
    let body = format!("{zero} {new} refs/heads/lost\0 report-status\n");
    let body = format!("{:04x}{body}0000", body.len() + 4);
    let url = format!("{}/acme/web.git/git-receive-pack", hub.github.url());
    let sent = client().post(url).basic_auth("x", Some(SECRET));
    let report = sent.body([body.into_bytes(), pack].concat()).send().await.unwrap();
    let report = report.text().await.unwrap();
    assert!(report.contains("ng refs/heads/lost missing necessary objects"), "{report}");
    assert_eq!(hub.at("refs/heads/lost"), None);
}

#[tokio::test]
async fn all_or_nothing_is_all_or_nothing() {
    let hub = Hub::start(|it| it.protected("main")).await;
    let clone = hub.cloned(SECRET, &[]).await;
    hub.change(&clone, "b", "b").await;
    let refs = ["HEAD:refs/pull/9/head", "HEAD:fresh"];
    assert!(hub.push(&clone, &["--atomic", refs[0], refs[1]]).await.is_err());
    assert_eq!(hub.at("refs/heads/fresh"), None);
    let _one_of_two_is_refused = hub.push(&clone, &refs).await;
    assert!(hub.at("refs/heads/fresh").is_some());
    assert_eq!(hub.at("refs/pull/9/head"), None);
}

#[tokio::test]
async fn a_shallow_clone_pushes_what_it_made() {
    let hub = Hub::start(|it| it).await;
    let clone = hub.cloned(SECRET, &["--depth=1"]).await;
    let count = ["rev-list", "--count", "HEAD"];
    assert_eq!(hub.git(Some(&clone), &count).await.unwrap(), "1");
    hub.change(&clone, "b", "b").await;
    assert!(hub.push(&clone, &["main"]).await.is_ok());
    hub.git(Some(&clone), &["fetch", "--quiet", "--deepen=1"]).await.unwrap();
    assert_eq!(hub.git(Some(&clone), &count).await.unwrap(), "3");
}

#[tokio::test]
async fn a_clone_without_blobs_fetches_single_objects_by_their_id() {
    let hub = Hub::start(|it| it).await;
    let lost = commit(&hub.bare(), "gone", &[("x", "of no branch\n")]);
    let repository = git2::Repository::open_bare(hub.bare()).unwrap();
    repository.find_reference("refs/heads/gone").unwrap().delete().unwrap();
    let clone = hub.cloned("reader", &["--filter=blob:none", "--no-checkout"]).await;
    let missing = ["rev-list", "--objects", "--all", "--missing=print"];
    let listed = hub.git(Some(&clone), &missing).await.unwrap();
    assert_eq!(listed.lines().filter(|it| it.starts_with('?')).count(), 3, "{listed}");
    let shown = hub.git(Some(&clone), &["show", "HEAD:src/a.txt"]).await.unwrap();
    assert_eq!(shown, "a\nb");
    hub.git(Some(&clone), &["fetch", "--quiet", "origin", &lost]).await.unwrap();
    let got = hub.git(Some(&clone), &["cat-file", "-t", &lost]).await.unwrap();
    assert_eq!(got, "commit", "an id that no branch has is given out, as by GitHub");
}

/// Writes so many small files into a directory of a clone.
fn fill(directory: &Path, files: usize) {
    std::fs::create_dir_all(directory).unwrap();
    for n in 0..files {
        std::fs::write(directory.join(n.to_string()), format!("{n} of {files}")).unwrap();
    }
}

#[tokio::test]
async fn large_bodies_pass_chunked_and_compressed() {
    let hub = Hub::start(|it| it).await;
    let clone = hub.cloned(SECRET, &[]).await;
    let mut state: u32 = 7;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(5 * 1024 * 1024)
    .collect();
    fill(&clone.join("few"), 3_000);
    hub.change(&clone, "noise", &noise).await;
    assert!(hub.push(&clone, &["main"]).await.is_ok());
    // The wants of a checkout without blobs: git compresses what fits into its buffer, of a
    // mebibyte unless said, and what is more it sends in chunks, as it does a pack.
    let buffer = "--config=http.postBuffer=65536";
    for options in [&["--filter=blob:none"][..], &["--filter=blob:none", buffer]] {
        let few = hub.cloned("reader", options).await;
        assert_eq!(std::fs::read(few.join("noise")).unwrap(), noise);
        assert_eq!(std::fs::read(few.join("few/2999")).unwrap(), b"2999 of 3000");
    }
    hub.github.with(|model| {
        let has = |path: &str, least: u64, compressed: bool| {
            model.git_requests().iter().any(|it| {
                it.path == path && it.received_bytes > least && it.compressed == compressed
            })
        };
        assert!(has("/git-receive-pack", 5 << 20, false));
        assert!(has("/git-upload-pack", 150_000, false));
        assert!(has("/git-upload-pack", 50_000, true));
    });
}

#[tokio::test]
async fn what_is_no_git_request_is_answered_and_no_more() {
    let hub = Hub::start(|it| it).await;
    let url = |path: &str| format!("{}/acme/web.git{path}", hub.github.url());
    for (method, path, body, status) in [
        ("GET", "/info/refs", "", 401),
        ("GET", "/info/refs?service=git-upload-archive", "", 401),
        ("POST", "/git-upload-pack", "garbage", 415),
        ("POST", "/git-receive-pack", "garbage", 500),
        ("POST", "/git-receive-pack", "", 500),
        ("POST", "/git-receive-pack", "0000", 200),
        ("POST", "/git-receive-pack", "ffffabc", 500),
        ("POST", "/git-receive-pack", "0003", 500),
        ("GET", "/HEAD", "", 401),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let sent = client().request(method, url(path)).basic_auth("x", Some(SECRET)).body(body);
        assert_eq!(sent.send().await.unwrap().status(), status, "{path} {body}");
    }
}
