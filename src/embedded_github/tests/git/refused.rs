//! What is refused over git: reading, writing, single refs, and what is no push at all.

use pretty_assertions::assert_eq;

use super::*;

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
    let refused = hub.git(Some(&clone), &["rev-parse", "HEAD"]).await.unwrap();
    let refused = git2::Oid::from_str(&refused).unwrap();
    let hosted = git2::Repository::open_bare(hub.bare()).unwrap();
    assert!(hosted.find_commit(refused).is_err(), "what is refused does not stay");
    let left = std::fs::read_dir(hub.bare().join("objects")).unwrap();
    let left = left.flatten().filter(|it| it.file_name().to_string_lossy().contains("incoming"));
    assert_eq!(left.count(), 0);
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
