//! Pull requests and labels: what is opened, listed, changed, merged and refused.

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::git::{bare, commit};
use super::*;

const PULLS: &str = "/repos/acme/web/pulls";

/// A model whose `acme/web` has the branches `main` and `topic`, one commit further.
struct Hub {
    model: Model,
    clock: VirtualClock,
    root: tempfile::TempDir,
}

impl Hub {
    fn new(describe: impl FnOnce(Repository) -> Repository) -> Self {
        let root = tempfile::tempdir().unwrap();
        bare(root.path());
        commit(root.path(), "main", &[("a", "1\n")]);
        let clock = VirtualClock::default();
        let dir = root.path().to_owned();
        let model = model()
            .limits(Limits::none())
            .clock(clock.now())
            .token("fine-p", Token::fine_grained().may_write_pull_requests("acme/web"))
            .token("fine-c", Token::fine_grained().may_write("acme/web"))
            .token("fine-i", Token::fine_grained().may_write_issues("acme/web"))
            .token("built-p", Token::built_in("acme/web").may_write_pull_requests("acme/web"))
            .repository_with("acme/web", |it| describe(it.git(&dir)));
        let mut hub = Self { model, clock, root };
        hub.branch("topic", &[("b", "topic\n")]);
        hub
    }

    /// Makes a branch at main and commits on it.
    fn branch(&mut self, name: &str, files: &[(&str, &str)]) -> String {
        let repository = git2::Repository::open_bare(self.root.path()).unwrap();
        let main = repository.refname_to_id("refs/heads/main").unwrap();
        repository.reference(&format!("refs/heads/{name}"), main, true, "").unwrap();
        commit(self.root.path(), name, files)
    }

    fn set(&self, reference: &str, to: &str) {
        let repository = git2::Repository::open_bare(self.root.path()).unwrap();
        let to = repository.revparse_single(to).unwrap().id();
        repository.reference(reference, to, true, "").unwrap();
    }

    fn delete(&self, reference: &str) {
        let repository = git2::Repository::open_bare(self.root.path()).unwrap();
        repository.find_reference(reference).unwrap().delete().unwrap();
    }

    fn at(&self, reference: &str) -> String {
        let repository = git2::Repository::open_bare(self.root.path()).unwrap();
        repository.refname_to_id(reference).map(|it| it.to_string()).unwrap_or_default()
    }

    /// Sends JSON with a token and returns the status and the answer.
    fn send(&mut self, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request { method: method.to_owned(), body, ..post(path, Some(token)) };
        let answer = ask(&mut self.model, &request);
        let value = match answer.body {
            Body::Json(value) => value,
            _ => Value::Null,
        };
        (answer.status, value)
    }

    fn open(&mut self, body: Value) -> (u16, Value) {
        let mut whole = json!({"title": "update", "head": "topic", "base": "main"});
        for (name, value) in body.as_object().unwrap() {
            whole[name] = value.clone();
        }
        self.send("POST", PULLS, SECRET, whole)
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, value) = json_at(&mut self.model, path, Some(SECRET));
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    fn patch(&mut self, number: u64, body: Value) -> (u16, Value) {
        self.send("PATCH", &format!("{PULLS}/{number}"), SECRET, body)
    }

    fn numbers(&mut self, query: &str) -> Vec<u64> {
        let all = self.get(&format!("{PULLS}{query}"));
        all.as_array().unwrap().iter().map(|it| it["number"].as_u64().unwrap()).collect()
    }
}

#[test]
fn a_pull_request_is_shown_as_it_was_opened_and_is_an_issue_too() {
    let mut hub = Hub::new(|it| it);
    let head = hub.at("refs/heads/topic");
    let main = hub.at("refs/heads/main");
    let (status, made) = hub.open(json!({"head": "acme:topic", "body": "text", "draft": true}));
    assert_eq!(status, 201, "{made}");
    let shown = hub.get("/repos/acme/web/pulls/1");
    assert_eq!(made, shown);
    let end = |it: &Value| json!([it["ref"], it["sha"], it["label"], it["repo"]["full_name"]]);
    assert_eq!(end(&shown["head"]), json!(["topic", head, "acme:topic", "acme/web"]));
    assert_eq!(end(&shown["base"]), json!(["main", main, "acme:main", "acme/web"]));
    for (field, value) in [
        ("number", json!(1)),
        ("state", json!("open")),
        ("draft", json!(true)),
        ("title", json!("update")),
        ("body", json!("text")),
        ("merged", json!(false)),
        ("merged_at", Value::Null),
        ("closed_at", Value::Null),
        ("mergeable", Value::Null),
        ("labels", json!([])),
        ("html_url", json!("https://github.com/acme/web/pull/1")),
        ("url", json!("https://api.github.com/repos/acme/web/pulls/1")),
        ("user", json!({"login": "everything", "type": "User"})),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(hub.at("refs/pull/1/head"), head);
    let issue = hub.get("/repos/acme/web/issues/1");
    assert!(issue["pull_request"]["url"].as_str().unwrap().ends_with("/pulls/1"));
    let issue = json!({"title": "an issue"});
    assert_eq!(hub.send("POST", "/repos/acme/web/issues", SECRET, issue).1["number"], 2);
    assert_eq!(hub.get(&format!("{PULLS}?state=all")).as_array().unwrap().len(), 1);
    assert_eq!(json_at(&mut hub.model, &format!("{PULLS}/2"), Some(SECRET)).0, 404);
    assert_eq!(json_at(&mut hub.model, &format!("{PULLS}/9"), Some(SECRET)).0, 404);
}

#[test]
fn what_cannot_be_proposed_is_refused_in_githubs_words() {
    let mut hub = Hub::new(Repository::no_drafts);
    hub.set("refs/heads/same", "main");
    let root = hub.root.path().to_owned();
    commit(&root, "apart", &[("z", "z")]);
    let long = "é".repeat(65_537);
    let field =
        |field: &str| json!([{"resource": "PullRequest", "field": field, "code": "invalid"}]);
    let custom =
        |words: &str| json!([{"resource": "PullRequest", "code": "custom", "message": words}]);
    for (body, errors) in [
        (json!({"head": "gone"}), field("head")),
        (json!({"head": "other:topic"}), field("head")),
        (json!({"base": "gone"}), field("base")),
        (json!({"head": "same"}), custom("No commits between main and same")),
        (json!({"head": "main"}), custom("No commits between main and main")),
        (json!({"head": "main", "base": "topic"}), custom("No commits between topic and main")),
        (json!({"head": "apart"}), custom("The apart branch has no history in common with main")),
        (
            json!({"title": " "}),
            json!([{"resource": "Issue", "code": "missing_field", "field": "title"}]),
        ),
        (
            json!({"body": long}),
            json!([{
                "resource": "Issue", "code": "custom", "field": "body",
                "message": "body is too long (maximum is 65536 characters)",
            }]),
        ),
    ] {
        let (status, answer) = hub.open(body);
        assert_eq!((status, &answer["message"]), (422, &json!("Validation Failed")));
        assert_eq!(answer["errors"], errors);
    }
    for (body, message) in [
        (json!({"draft": true}), "Draft pull requests are not supported in this repository."),
        (json!({"head": null}), "Invalid request.\n\n\"head\" wasn't supplied."),
        (
            json!({"head": null, "base": null}),
            "Invalid request.\n\n\"base\", \"head\" weren't supplied.",
        ),
    ] {
        let (status, answer) = hub.open(body);
        assert_eq!((status, answer["message"].as_str()), (422, Some(message)));
    }
    assert_eq!(hub.open(json!({"body": "é".repeat(65_536)})).0, 201);
    let (status, answer) = hub.open(json!({"title": "again"}));
    let errors = custom("A pull request already exists for acme:topic.");
    assert_eq!((status, &answer["errors"]), (422, &errors));
    hub.branch("release", &[("r", "r")]);
    assert_eq!(hub.open(json!({"base": "release"})).0, 201, "another base is another proposal");
    hub.patch(1, json!({"state": "closed"}));
    assert_eq!(hub.open(json!({})).0, 201, "a closed one is not in the way");
}

#[test]
fn who_may_open_is_told_apart_from_who_may_not() {
    for (token, status, message) in [
        (SECRET, 201, ""),
        ("fine-p", 201, ""),
        ("built-p", 201, ""),
        ("fine-c", 403, "Resource not accessible by personal access token"),
        ("fine-i", 403, "Resource not accessible by personal access token"),
        ("built-in", 403, "Resource not accessible by integration"),
        ("app", 403, "Resource not accessible by integration"),
        ("classic", 404, "Not Found"),
    ] {
        let mut hub = Hub::new(|it| it);
        let body = json!({"title": "t", "head": "topic", "base": "main"});
        let (answered, answer) = hub.send("POST", PULLS, token, body);
        assert_eq!(answered, status, "{token}: {answer}");
        assert_eq!(answer["message"].as_str().unwrap_or_default(), message, "{token}");
    }
    let body = json!({"title": "t", "head": "topic", "base": "main"});
    let mut hub = Hub::new(Repository::actions_may_not_open_pull_requests);
    let (status, answer) = hub.send("POST", PULLS, "built-p", body.clone());
    let message = "GitHub Actions is not permitted to create or approve pull requests.";
    assert_eq!((status, answer["message"].as_str()), (403, Some(message)));
    assert_eq!(hub.send("POST", PULLS, "fine-p", body).0, 201, "a person's token may");
}

#[test]
fn in_a_private_repository_each_permission_shows_its_own() {
    let mut hub = Hub::new(Repository::private);
    hub.open(json!({}));
    hub.send("POST", "/repos/acme/web/issues", SECRET, json!({"title": "an issue"}));
    for (path, tokens) in [
        (PULLS, ["fine-p"].as_slice()),
        ("/repos/acme/web/pulls/1", &["fine-p"]),
        ("/repos/acme/web/issues", &["fine-i"]),
        ("/repos/acme/web/issues/2", &["fine-i"]),
        ("/repos/acme/web/issues/1", &["fine-p", "fine-i"]),
        ("/repos/acme/web/issues/1/comments", &["fine-p", "fine-i"]),
        ("/repos/acme/web/issues/1/labels", &["fine-p", "fine-i"]),
        ("/repos/acme/web/labels", &["fine-p", "fine-i"]),
        ("/repos/acme/web/git/ref/heads/main", &["fine-p", "fine-i", "fine-c"]),
    ] {
        for token in ["fine-p", "fine-i", "fine-c"] {
            let status = if tokens.contains(&token) { 200 } else { 403 };
            assert_eq!(json_at(&mut hub.model, path, Some(token)).0, status, "{path} {token}");
        }
        assert_eq!(json_at(&mut hub.model, path, Some("classic")).0, 404, "{path}");
        assert_eq!(json_at(&mut hub.model, path, None).0, 404, "{path}");
    }
}

#[test]
fn the_list_filters_sorts_and_pages() {
    let mut hub = Hub::new(|it| it);
    for (n, name) in ["one", "two", "three"].into_iter().enumerate() {
        hub.branch(name, &[(name, name)]);
        hub.clock.set(n as i64);
        assert_eq!(hub.open(json!({"head": name, "title": name})).0, 201);
    }
    hub.clock.set(10);
    hub.patch(1, json!({"body": "touched"}));
    hub.patch(2, json!({"state": "closed"}));
    hub.branch("release", &[]);
    for (query, numbers) in [
        ("", vec![3, 1]),
        ("?state=open&direction=asc", vec![1, 3]),
        ("?state=closed", vec![2]),
        ("?state=all", vec![3, 2, 1]),
        ("?state=all&sort=updated", vec![3, 1, 2]),
        ("?state=all&sort=updated&direction=desc", vec![2, 1, 3]),
        ("?state=all&head=acme:two", vec![2]),
        ("?head=acme:two", vec![]),
        ("?head=ACME:three", vec![3]),
        ("?head=other:three", vec![]),
        ("?head=three", vec![3, 1]),
        ("?base=main", vec![3, 1]),
        ("?base=release", vec![]),
        ("?state=all&per_page=2&page=2", vec![1]),
    ] {
        assert_eq!(hub.numbers(query), numbers, "{query}");
    }
    let path = format!("{PULLS}?state=all&per_page=2");
    let answer = ask(&mut hub.model, &get(&path, Some(SECRET)));
    let link = answer.header_value("link").unwrap();
    assert!(link.contains("/pulls?state=all&per_page=2&page=2>; rel=\"next\""), "{link}");
}

#[test]
fn a_pull_request_follows_its_branch_until_that_is_deleted() {
    let mut hub = Hub::new(|it| it);
    hub.open(json!({}));
    let root = hub.root.path().to_owned();
    let next = commit(&root, "topic", &[("c", "c")]);
    assert_eq!(hub.get(&format!("{PULLS}/1"))["head"]["sha"], next);
    assert_eq!(hub.at("refs/pull/1/head"), next);
    hub.delete("refs/heads/topic");
    let shown = hub.get(&format!("{PULLS}/1"));
    assert_eq!((&shown["state"], &shown["merged"]), (&json!("closed"), &json!(false)));
    assert_eq!(shown["head"]["sha"], next, "the last commit is remembered");
    assert_eq!(hub.at("refs/pull/1/head"), next);
    let (status, answer) = hub.patch(1, json!({"state": "open"}));
    let message = "state cannot be changed. The topic branch has been deleted.";
    assert_eq!((status, answer["errors"][0]["message"].as_str()), (422, Some(message)));
}

#[test]
fn a_branch_whose_commits_reach_the_base_is_merged_and_one_that_is_reset_is_closed() {
    let mut hub = Hub::new(|it| it);
    hub.open(json!({}));
    hub.set("refs/heads/main", "topic");
    let shown = hub.get(&format!("{PULLS}/1"));
    assert_eq!((&shown["state"], &shown["merged"]), (&json!("closed"), &json!(true)));

    let mut hub = Hub::new(|it| it);
    hub.open(json!({}));
    hub.set("refs/heads/topic", "main");
    let shown = hub.get(&format!("{PULLS}/1"));
    assert_eq!((&shown["state"], &shown["merged"]), (&json!("closed"), &json!(false)));
}

#[test]
fn a_closed_one_is_opened_again_unless_its_branch_was_rewritten() {
    let mut hub = Hub::new(|it| it);
    hub.open(json!({}));
    let closed = hub.patch(1, json!({"state": "closed", "title": "new", "body": null}));
    assert_eq!((&closed.1["state"], &closed.1["title"]), (&json!("closed"), &json!("new")));
    assert_eq!(closed.1["body"], Value::Null);
    let root = hub.root.path().to_owned();
    commit(&root, "topic", &[("more", "more")]);
    assert_eq!(hub.patch(1, json!({"state": "open"})).1["state"], "open");
    assert!(hub.model.close_pull_request("acme/web", 1));
    assert!(!hub.model.close_pull_request("acme/web", 1), "it is closed once");
    hub.branch("topic", &[("other", "other")]);
    let (status, answer) = hub.patch(1, json!({"state": "open"}));
    let message = "state cannot be changed. The topic branch was force-pushed or recreated.";
    assert_eq!((status, answer["errors"][0]["message"].as_str()), (422, Some(message)));
    for (body, status) in [
        (json!({"state": "merged"}), 422),
        (json!({"base": "gone"}), 422),
        (json!({"title": ""}), 422),
        (json!({"title": "x".repeat(257)}), 422),
    ] {
        assert_eq!(hub.patch(1, body).0, status);
    }
    assert_eq!(hub.patch(7, json!({"title": "x"})).0, 404);
}

#[test]
fn each_way_of_merging_makes_the_commits_that_github_makes() {
    for (method, name, parents, commits, subject) in [
        (MergeMethod::Merge, "merge", 2, 4, "Merge pull request #1 from acme/topic"),
        (MergeMethod::Squash, "squash", 1, 2, "update (#1)"),
        (MergeMethod::Rebase, "rebase", 1, 3, "change 1 files"),
    ] {
        for by_request in [false, true] {
            let mut hub = Hub::new(|it| it);
            let root = hub.root.path().to_owned();
            commit(&root, "topic", &[("c", "c\n")]);
            commit(&root, "main", &[("other", "o\n")]);
            hub.open(json!({}));
            let before = hub.at("refs/heads/main");
            let sha = if by_request {
                let path = format!("{PULLS}/1/merge");
                let (status, answer) =
                    hub.send("PUT", &path, SECRET, json!({"merge_method": name}));
                assert_eq!((status, &answer["merged"]), (200, &json!(true)), "{answer}");
                answer["sha"].as_str().unwrap().to_owned()
            } else {
                hub.model.merge_pull_request("acme/web", 1, method).unwrap()
            };
            let repository = git2::Repository::open_bare(&root).unwrap();
            assert_eq!(hub.at("refs/heads/main"), sha);
            let tip = repository.find_commit(git2::Oid::from_str(&sha).unwrap()).unwrap();
            assert_eq!((tip.parent_count(), tip.summary().unwrap()), (parents, Some(subject)));
            let mut walk = repository.revwalk().unwrap();
            walk.push(tip.id()).unwrap();
            walk.hide(git2::Oid::from_str(&before).unwrap()).unwrap();
            assert_eq!(walk.count(), commits - 1, "{method:?}");
            let tree = tip.tree().unwrap();
            for file in ["a", "b", "c", "other"] {
                assert!(tree.get_name(file).is_some(), "{file}");
            }
            let shown = hub.get(&format!("{PULLS}/1"));
            assert_eq!((&shown["merged"], &shown["state"]), (&json!(true), &json!("closed")));
            assert_eq!(shown["merge_commit_sha"], sha);
            assert!(hub.model.merge_pull_request("acme/web", 1, method).is_err(), "merged once");
        }
    }
}

#[test]
fn what_conflicts_or_is_a_draft_is_not_merged() {
    for method in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        let mut hub = Hub::new(|it| it);
        let root = hub.root.path().to_owned();
        commit(&root, "topic", &[("a", "theirs\n")]);
        let main = commit(&root, "main", &[("a", "ours\n")]);
        hub.open(json!({}));
        let refused = hub.model.merge_pull_request("acme/web", 1, method);
        assert_eq!(refused, Err("Pull Request is not mergeable".to_owned()));
        assert_eq!(hub.at("refs/heads/main"), main);
    }
    let mut hub = Hub::new(|it| it);
    hub.open(json!({"draft": true}));
    let merge = format!("{PULLS}/1/merge");
    let (status, answer) = hub.send("PUT", &merge, SECRET, Value::Null);
    assert_eq!((status, &answer["message"]), (405, &json!("Pull Request is still a draft")));
    let (status, _) = hub.send("PUT", &merge, SECRET, json!({"sha": "0".repeat(40)}));
    assert_eq!(status, 409);
    assert_eq!(hub.send("PUT", &merge, "fine-p", Value::Null).0, 403, "merging writes contents");
}

#[test]
fn labels_are_made_once_and_put_on_and_taken_off() {
    let mut hub = Hub::new(|it| it.label("Automated").issues_disabled());
    hub.open(json!({}));
    let labels = "/repos/acme/web/labels";
    let made =
        hub.send("POST", labels, SECRET, json!({"name": "upstream-sync", "color": "0e8A16"}));
    assert_eq!((made.0, &made.1["color"]), (201, &json!("0e8A16")));
    for (body, code) in [
        (json!({"name": "Upstream-Sync"}), "already_exists"),
        (json!({"name": "automated"}), "already_exists"),
        (json!({"name": ""}), "missing_field"),
        (json!({"color": "ffffff"}), "missing_field"),
        (json!({"name": "x", "color": "#ffffff"}), "invalid"),
    ] {
        let (status, answer) = hub.send("POST", labels, SECRET, body);
        assert_eq!((status, &answer["errors"][0]["code"]), (422, &json!(code)));
    }
    let on = "/repos/acme/web/issues/1/labels";
    let names = |it: &Value| -> Vec<String> {
        it.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    let (status, answer) = hub.send("POST", on, "fine-p", json!(["automated", "upstream-sync"]));
    assert_eq!((status, names(&answer)), (200, vec!["Automated".into(), "upstream-sync".into()]));
    let (_, answer) = hub.send("POST", on, SECRET, json!({"labels": ["automated", "brand new"]}));
    assert_eq!(names(&answer), ["Automated", "upstream-sync", "brand new"]);
    let (status, answer) = hub.send("POST", on, "fine-i", json!(["unheard of"]));
    assert_eq!(
        (status, &answer["message"]),
        (403, &json!("Must have admin rights to Repository."))
    );
    assert_eq!(names(&hub.get(labels)), ["Automated", "brand new", "upstream-sync"]);
    assert_eq!(hub.get(&format!("{labels}/brand%20new"))["name"], "brand new");
    let (status, answer) = hub.send("DELETE", &format!("{on}/brand%20new"), SECRET, Value::Null);
    assert_eq!((status, names(&answer)), (200, vec!["Automated".into(), "upstream-sync".into()]));
    let (status, answer) = hub.send("DELETE", &format!("{on}/brand%20new"), SECRET, Value::Null);
    assert_eq!((status, &answer["message"]), (404, &json!("Label does not exist")));
    assert_eq!(json_at(&mut hub.model, &format!("{labels}/gone"), Some(SECRET)).0, 404);
    assert_eq!(names(&hub.get(&format!("{PULLS}/1"))["labels"]), ["Automated", "upstream-sync"]);
    assert_eq!(hub.send("POST", "/repos/acme/web/issues/9/labels", SECRET, json!(["a"])).0, 404);
    assert_eq!(hub.send("POST", on, "fine-c", json!(["automated"])).0, 403);
    // A comment on a pull request needs either permission, and issues may be turned off.
    let comments = "/repos/acme/web/issues/1/comments";
    assert_eq!(hub.send("POST", comments, "fine-p", json!({"body": "word"})).0, 201);
    assert_eq!(hub.send("POST", comments, "fine-c", json!({"body": "word"})).0, 403);
}
