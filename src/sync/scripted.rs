//! A repository of a GitHub in memory, as far as pull requests, issues and labels go, for tests of
//! what is sent. Written from GitHub's REST documentation ("Pulls", "Issues", "Labels"). It notes what
//! was asked, and can fail before or after it has done what was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::delivery::{Get, Put, RequestSettings, Requests, VirtualClock};
use crate::github::{Answer, Read, Reply, TokenId, Write};
use crate::names::RepoName;

pub(crate) const REPO: &str = "acme/web";
pub(crate) const TOKEN: TokenId = TokenId(0);

/// How a write fails.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing is done.
    Before(u16, &'static str),
    /// It is done, and nobody hears of it.
    After(u16),
}

/// What another run does.
pub(crate) type Meanwhile = fn(&mut Model);

/// What the repository holds.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) pulls: Vec<Value>,
    pub(crate) issues: Vec<Value>,
    pub(crate) comments: BTreeMap<u64, Vec<Value>>,
    pub(crate) labels: Vec<String>,
    /// What was asked, without queries and the repository.
    pub(crate) log: Vec<String>,
    /// By what is asked, what happens to the first that asks it.
    pub(crate) faults: Vec<(&'static str, Fault)>,
    /// What another run does before the first that asks this.
    pub(crate) meanwhile: Option<(&'static str, Meanwhile)>,
    /// Whether labels of new issues are dropped, as for a token that may not set them.
    pub(crate) drops_labels: bool,
    pub(crate) author: Option<Value>,
}

/// The server.
#[derive(Default)]
pub(crate) struct Scripted(Mutex<Model>);

/// A repository and who sends to it.
pub(crate) struct World {
    pub(crate) server: Arc<Scripted>,
    pub(crate) requests: Requests<Scripted, VirtualClock>,
    pub(crate) repo: RepoName,
}

impl World {
    pub(crate) fn new() -> Self {
        let server = Arc::new(Scripted::default());
        let clock = VirtualClock::new(Timestamp::from_second(1_767_323_045).unwrap());
        let settings = RequestSettings { tokens: vec!["PAT".to_owned()], ..Default::default() };
        let requests = Requests::new(Arc::clone(&server), clock, settings, || 0.0);
        Self { server, requests, repo: RepoName::parse(REPO).unwrap() }
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.server.0.lock().unwrap()
    }

    /// Returns what was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.model().log)
    }
}

impl Get for Scripted {
    async fn get(&self, read: &Read, _: TokenId) -> Answer {
        let shown = read.to_string();
        let (path, query) = shown.split_once('?').unwrap_or((&shown, ""));
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut model = self.0.lock().unwrap();
        answer(model.asked(path, |model, path| model.read(path, &query)))
    }
}

impl Put for Scripted {
    async fn put(&self, write: &Write, _: TokenId) -> Answer {
        let body: Value = serde_json::from_slice(write.body()).unwrap();
        let mut model = self.0.lock().unwrap();
        answer(model.asked(&write.to_string(), |model, path| model.write(path, &body)))
    }
}

fn answer(reply: Reply) -> Answer {
    Answer { requests: 1, moved: None, result: Ok(reply) }
}

fn refusal(status: u16, message: &str) -> Reply {
    Reply { status, message: Some(message.to_owned()), ..Reply::default() }
}

fn found(status: u16, body: &Value) -> Reply {
    Reply { status, body: body.to_string().into_bytes(), ..Reply::default() }
}

/// A pull request from `branch` into `main`, of the repository's own.
pub(crate) fn pull(number: u64, branch: &str, body: &str) -> Value {
    let owner = RepoName::parse(REPO).unwrap().owner().to_owned();
    json!({
        "number": number, "html_url": format!("https://github.com/{REPO}/pull/{number}"),
        "state": "open", "title": "T", "body": body, "draft": false, "merged_at": null,
        "labels": [], "head": { "ref": branch, "label": format!("{owner}:{branch}"), "repo": { "id": 7 } },
        "base": { "ref": "main", "repo": { "id": 7 } },
    })
}

impl Model {
    fn asked(&mut self, path: &str, act: impl FnOnce(&mut Self, &str) -> Reply) -> Reply {
        let path = path.replacen(&format!("/repos/{REPO}/"), "", 1);
        if let Some((_, act)) = self.meanwhile.take_if(|(at, _)| path == *at) {
            act(self);
        }
        self.log.push(path.clone());
        let fault = self.faults.iter().position(|(at, _)| path == *at);
        match fault.map(|at| self.faults.remove(at).1) {
            Some(Fault::Before(status, message)) => refusal(status, message),
            Some(Fault::After(status)) => {
                act(self, &path);
                refusal(status, "Server Error")
            }
            None => act(self, &path),
        }
    }

    fn read(&self, path: &str, query: &BTreeMap<String, String>) -> Reply {
        let parts: Vec<&str> = path.trim_start_matches("GET ").split('/').collect();
        let is = |key: &str, value: &str| query.get(key).is_none_or(|it| it == value);
        let state = |it: &Value| query["state"] == "all" || it["state"] == query["state"].as_str();
        let mut all: Vec<Value> = match parts[..] {
            ["pulls"] => {
                let own = |it: &&Value| {
                    is("head", it["head"]["label"].as_str().unwrap())
                        && is("base", it["base"]["ref"].as_str().unwrap())
                        && state(it)
                };
                self.pulls.iter().filter(own).rev().cloned().collect()
            }
            ["issues"] => {
                let label = |it: &Value| {
                    query.get("labels").is_none_or(|label| {
                        it["labels"]
                            .as_array()
                            .unwrap()
                            .iter()
                            .any(|it| it["name"] == label.as_str())
                    })
                };
                self.issues.iter().filter(|it| state(it) && label(it)).rev().cloned().collect()
            }
            ["issues", number, "comments"] => {
                self.comments.get(&number.parse().unwrap()).cloned().unwrap_or_default()
            }
            _ => return refusal(404, "Not Found"),
        };
        let size: usize = query["per_page"].parse().unwrap();
        let from = size * (query["page"].parse::<usize>().unwrap() - 1);
        let mut page = all.split_off(from.min(all.len()));
        let next_page = page.len() > size;
        page.truncate(size);
        Reply { next_page, ..found(200, &Value::Array(page)) }
    }

    fn write(&mut self, path: &str, body: &Value) -> Reply {
        let parts: Vec<&str> = path.split([' ', '/']).collect();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if text("body").chars().count() > 65_536 {
            return refusal(
                422,
                "Validation Failed: body is too long (maximum is 65536 characters)",
            );
        }
        match parts[..] {
            ["POST", "pulls"] => self.new_pull(body),
            ["POST", "issues"] => self.new_issue(body),
            ["POST", "labels"] if self.labels.contains(&text("name")) => {
                refusal(422, "Validation Failed: name already_exists")
            }
            ["POST", "labels"] => {
                self.labels.push(text("name"));
                found(201, body)
            }
            ["POST", "issues", number, "comments"] => {
                let number = number.parse().unwrap();
                let comment = self.authored(json!({ "body": body["body"] }));
                self.comments.entry(number).or_default().push(comment.clone());
                found(201, &comment)
            }
            ["POST", "issues", number, "labels"] => {
                let Some(it) = self.numbered(number) else { return refusal(404, "Not Found") };
                let names = body["labels"].as_array().unwrap().iter();
                it["labels"].as_array_mut().unwrap().extend(names.map(|it| json!({ "name": it })));
                found(200, &it["labels"])
            }
            ["PATCH", "pulls" | "issues", number] => {
                let Some(it) = self.numbered(number) else { return refusal(404, "Not Found") };
                it.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
                found(200, it)
            }
            _ => refusal(404, "Not Found"),
        }
    }

    fn numbered(&mut self, number: &str) -> Option<&mut Value> {
        let number: u64 = number.parse().unwrap();
        self.pulls.iter_mut().chain(&mut self.issues).find(|it| it["number"] == number)
    }

    fn next(&self) -> u64 {
        (self.pulls.len() + self.issues.len() + 1) as u64
    }

    fn authored(&self, value: Value) -> Value {
        let author = self.author.clone();
        let author = author
            .unwrap_or_else(|| json!({ "author_association": "NONE", "user": { "type": "Bot" } }));
        let mut all: Map<String, Value> = value.as_object().unwrap().clone();
        all.extend(author.as_object().unwrap().clone());
        Value::Object(all)
    }

    fn new_pull(&mut self, body: &Value) -> Reply {
        let branch = body["head"].as_str().unwrap();
        let same = |it: &Value| {
            it["state"] == "open" && it["head"]["ref"] == branch && it["head"]["repo"]["id"] == 7
        };
        if self.pulls.iter().any(same) {
            let message =
                format!("Validation Failed: A pull request already exists for acme:{branch}.");
            return refusal(422, &message);
        }
        let mut new = pull(self.next(), branch, "");
        new.as_object_mut()
            .unwrap()
            .extend(["title", "body", "draft"].map(|key| (key.to_owned(), body[key].clone())));
        self.pulls.push(new.clone());
        found(201, &new)
    }

    fn new_issue(&mut self, body: &Value) -> Reply {
        let labels = body["labels"].as_array().cloned().unwrap_or_default();
        let labels = if self.drops_labels { Vec::new() } else { labels };
        let labels: Vec<Value> = labels.iter().map(|name| json!({ "name": name })).collect();
        let new = self.authored(json!({
            "number": self.next(), "state": "open", "title": body["title"], "body": body["body"],
            "labels": labels,
        }));
        self.issues.push(new.clone());
        found(201, &new)
    }
}
