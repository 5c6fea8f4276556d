//! git over HTTP with the git program on both sides: what is cloned, fetched and pushed. What is
//! refused in GitHub's words is in `refused`.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

use super::*;
use crate::git::command::{Context, Git, Place};

mod refused;

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

#[tokio::test]
async fn large_bodies_pass_chunked_and_compressed() {
    let hub = Hub::start(|it| it).await;
    let files: Vec<String> = (0..1_400).map(|n| format!("few/{n}")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|it| (it.as_str(), it.as_str())).collect();
    commit(&hub.bare(), "main", &files);
    let clone = hub.cloned(SECRET, &[]).await;
    let mut state: u32 = 7;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(5 * 1024 * 1024)
    .collect();
    hub.change(&clone, "noise", &noise).await;
    assert!(hub.push(&clone, &["main"]).await.is_ok());
    // The wants of a checkout without blobs: git compresses what fits into its buffer, of a
    // mebibyte unless said, and what is more it sends in chunks, as it does a pack.
    let buffer = "--config=http.postBuffer=65536";
    for options in [&["--filter=blob:none"][..], &["--filter=blob:none", buffer]] {
        let few = hub.cloned("reader", options).await;
        assert_eq!(std::fs::read(few.join("noise")).unwrap(), noise);
        assert_eq!(std::fs::read(few.join("few/1399")).unwrap(), b"few/1399");
    }
    hub.github.with(|model| {
        let has = |path: &str, least: u64, compressed: bool| {
            model.git_requests().iter().any(|it| {
                it.path == path && it.received_bytes > least && it.compressed == compressed
            })
        };
        assert!(has("/git-receive-pack", 5 << 20, false));
        assert!(has("/git-upload-pack", 65_536, false));
        assert!(has("/git-upload-pack", 20_000, true));
    });
}
