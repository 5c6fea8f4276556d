//! What is written to pull requests, and in which words GitHub refuses it.
//!
//! Source: REST documentation, "Create a pull request", "Update a pull request", "Merge a pull
//! request". The refusals as quoted: "A pull request already exists for …" in
//! gm3dmo/the-power#175, "No commits between …" in tgymnich/fork-sync#112, a head that is not there
//! in stackitcloud/cloud-provider-stackit#10, drafts in SWE-agent/SWE-agent#179, that a closed one
//! whose branch was rewritten stays closed in public threads about reopening.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Pulls, shown};
use crate::embedded_github::answer::Answer;
use crate::embedded_github::history::{object, pull_ref};
use crate::embedded_github::issues::{Writer, fields, invalid, text_of};
use crate::embedded_github::model::Model;
use crate::embedded_github::repository::Repository;
use crate::embedded_github::tracker::{Draft, Proposed};
use crate::git::hosted::{Landing, MergeMethod};

type Refused = Box<Answer>;

/// Does a write and returns its answer.
pub(in super::super) fn write(
    root: &str,
    repository: &mut Repository,
    what: Pulls,
    body: &[u8],
    writer: Writer,
    now: Timestamp,
) -> Result<Answer, Refused> {
    let docs = what.docs();
    let number = match what {
        Pulls::Create => create(repository, &fields(body, docs)?, writer, now)?,
        Pulls::Update(number) => {
            update(repository, number, &fields(body, docs)?, now)?;
            number
        }
        Pulls::Merge(number) => return merge_by_request(repository, number, body, now),
        Pulls::List | Pulls::Show(_) => return Err(Box::new(Answer::not_found(docs))),
    };
    let (issue, it) = repository.tracker.pull(number).ok_or_else(|| Answer::not_found(docs))?;
    let shown = shown(root, repository, issue, it, true);
    if what != Pulls::Create {
        return Ok(Answer::json(200, shown));
    }
    let location = format!("{root}/repos/{}/pulls/{number}", repository.full_name);
    Ok(Answer::json(201, shown).header("location", location))
}

fn create(
    repository: &mut Repository,
    fields: &Map<String, Value>,
    writer: Writer,
    now: Timestamp,
) -> Result<u64, Refused> {
    let docs = Pulls::Create.docs();
    let (head, base) = (branch(fields, "head"), branch(fields, "base"));
    let lacks: Vec<&str> = [("\"base\"", &base), ("\"head\"", &head)]
        .into_iter()
        .filter_map(|(name, value)| value.is_none().then_some(name))
        .collect();
    let (Some(head), Some(base)) = (head, base) else {
        let verb = if lacks.len() == 1 { "wasn't" } else { "weren't" };
        let message = format!("Invalid request.\n\n{} {verb} supplied.", lacks.join(", "));
        return Err(Box::new(Answer::error(422, message, docs)));
    };
    let title = text_of(fields, "title", docs)?.filter(|it| !it.trim().is_empty());
    let Some(title) = title else {
        return Err(invalid("Issue", "title", "missing_field", None, docs));
    };
    let text = text_of(fields, "body", docs)?;
    let proposed = proposed(repository, head, base, fields)?;
    let draft = Draft::by(writer.author, &title, text.as_deref().unwrap_or_default());
    let head = object(&proposed.head_sha);
    let number = repository.tracker.propose(draft, proposed, now);
    if let Some(issue) = repository.tracker.get_mut(number) {
        issue.body = text;
    }
    if let (Some(hosted), Some(head)) = (repository.hosted(), head) {
        hosted.force(&pull_ref(number), head);
    }
    Ok(number)
}

fn branch(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

/// Returns what is proposed, if the branches allow it.
fn proposed(
    repository: &Repository,
    head: String,
    base: String,
    fields: &Map<String, Value>,
) -> Result<Proposed, Refused> {
    let docs = Pulls::Create.docs();
    let own = match head.split_once(':') {
        Some((owner, head)) => {
            owner.eq_ignore_ascii_case(repository.owner()).then(|| head.to_owned())
        }
        None => Some(head),
    };
    let at_head = own.and_then(|head| Some((repository.tip(&head)?, head)));
    let at_base = repository.tip(&base);
    let (Some((head_sha, head)), Some(base_sha)) = (&at_head, at_base.clone()) else {
        let gone = [("head", at_head.is_none()), ("base", at_base.is_none())];
        let gone = gone.into_iter().filter(|(_, gone)| *gone);
        return Err(several(gone.map(
            |(field, _)| json!({ "resource": "PullRequest", "field": field, "code": "invalid" }),
        )));
    };
    check_commits(repository, (head, head_sha), (&base, &base_sha))?;
    let taken = repository.tracker.pulls().any(|(issue, it)| {
        issue.open && (it.head.as_str(), it.base.as_str()) == (head.as_str(), base.as_str())
    });
    if taken {
        let owner = repository.owner();
        return Err(custom(format!("A pull request already exists for {owner}:{head}.")));
    }
    let draft = fields.get("draft").and_then(Value::as_bool).unwrap_or_default();
    if draft && repository.no_drafts {
        let message = "Draft pull requests are not supported in this repository.";
        return Err(Box::new(Answer::error(422, message, docs)));
    }
    Ok(Proposed {
        head: head.clone(),
        base,
        head_sha: head_sha.clone(),
        base_sha,
        draft,
        merged_at: None,
        merge_commit_sha: None,
    })
}

/// There must be something to propose.
fn check_commits(
    repository: &Repository,
    (head, head_sha): (&str, &str),
    (base, base_sha): (&str, &str),
) -> Result<(), Refused> {
    let none = || custom(format!("No commits between {base} and {head}"));
    if head_sha == base_sha {
        return Err(none());
    }
    let (Some(hosted), Some(from), Some(to)) =
        (repository.hosted(), object(head_sha), object(base_sha))
    else {
        return Ok(());
    };
    if hosted.is_in(from, to) {
        return Err(none());
    }
    if !hosted.are_related(from, to) {
        return Err(custom(format!("The {head} branch has no history in common with {base}")));
    }
    Ok(())
}

fn update(
    repository: &mut Repository,
    number: u64,
    fields: &Map<String, Value>,
    now: Timestamp,
) -> Result<(), Refused> {
    let docs = Pulls::Update(number).docs();
    let title = text_of(fields, "title", docs)?;
    if title.as_ref().is_some_and(|it| it.trim().is_empty()) {
        return Err(invalid("Issue", "title", "missing_field", None, docs));
    }
    let text = text_of(fields, "body", docs)?;
    let open = match fields.get("state").map(Value::as_str) {
        None => None,
        Some(Some("open")) => Some(true),
        Some(Some("closed")) => Some(false),
        Some(_) => return Err(invalid("PullRequest", "state", "invalid", None, docs)),
    };
    let base = branch(fields, "base");
    if base.as_ref().is_some_and(|base| repository.tip(base).is_none()) {
        return Err(invalid("PullRequest", "base", "invalid", None, docs));
    }
    if open == Some(true) {
        check_reopening(repository, number)?;
    }
    let (issue, it) = repository.tracker.pull_mut(number).ok_or_else(|| Answer::not_found(docs))?;
    issue.title = title.unwrap_or_else(|| issue.title.clone());
    if fields.contains_key("body") {
        issue.body = text;
    }
    issue.open = open.unwrap_or(issue.open);
    it.base = base.unwrap_or_else(|| it.base.clone());
    issue.updated_at = now;
    Ok(())
}

/// A closed pull request is opened again only when its branch is where it was or further on.
fn check_reopening(repository: &Repository, number: u64) -> Result<(), Refused> {
    let docs = Pulls::Update(number).docs();
    let (issue, it) = repository.tracker.pull(number).ok_or_else(|| Answer::not_found(docs))?;
    if issue.open {
        return Ok(());
    }
    let why = match repository.tip(&it.head) {
        _ if it.merged_at.is_some() => "The pull request has been merged.".to_owned(),
        None => format!("The {} branch has been deleted.", it.head),
        Some(now) => {
            let lies_in = |hosted: crate::git::hosted::Hosted| {
                Some(hosted.is_in(object(&it.head_sha)?, object(&now)?))
            };
            if repository.hosted().and_then(lies_in).unwrap_or(now == it.head_sha) {
                return Ok(());
            }
            format!("The {} branch was force-pushed or recreated.", it.head)
        }
    };
    let message = format!("state cannot be changed. {why}");
    Err(invalid("PullRequest", "state", "invalid", Some(message), docs))
}

fn merge_by_request(
    repository: &mut Repository,
    number: u64,
    body: &[u8],
    now: Timestamp,
) -> Result<Answer, Refused> {
    let docs = Pulls::Merge(number).docs();
    let body = if body.is_empty() { b"{}" } else { body };
    let fields = fields(body, docs)?;
    let method = match fields.get("merge_method").and_then(Value::as_str) {
        None | Some("merge") => MergeMethod::Merge,
        Some("squash") => MergeMethod::Squash,
        Some("rebase") => MergeMethod::Rebase,
        Some(_) => return Err(invalid("PullRequest", "merge_method", "invalid", None, docs)),
    };
    let (_, it) = repository.tracker.pull(number).ok_or_else(|| Answer::not_found(docs))?;
    if branch(&fields, "sha").is_some_and(|sha| sha != it.head_sha) {
        let message = "Head branch was modified. Review and try the merge again.";
        return Err(Box::new(Answer::error(409, message, docs)));
    }
    let merged = merge(repository, number, method, now);
    let sha = merged.map_err(|why| Box::new(Answer::error(405, why, docs)))?;
    let message = "Pull Request successfully merged";
    Ok(Answer::json(200, json!({ "sha": sha, "merged": true, "message": message })))
}

/// Merges a pull request and returns the commit that its base branch is at then, or why it is not.
fn merge(
    repository: &mut Repository,
    number: u64,
    method: MergeMethod,
    now: Timestamp,
) -> Result<String, String> {
    let not = || "Pull Request is not mergeable".to_owned();
    let hosted = repository.hosted().ok_or_else(not)?;
    let owner = repository.owner().to_owned();
    let (issue, it) = repository.tracker.pull_mut(number).ok_or_else(not)?;
    if it.draft {
        return Err("Pull Request is still a draft".to_owned());
    }
    let (head, base) = (object(&it.head_sha), object(&it.base_sha));
    let (Some(head), Some(base), true) = (head, base, issue.open) else { return Err(not()) };
    let (title, branch) = (&issue.title, &it.head);
    let message = match method {
        MergeMethod::Merge => {
            format!("Merge pull request #{number} from {owner}/{branch}\n\n{title}\n")
        }
        _ => format!("{title} (#{number})\n"),
    };
    let landing = Landing { base, head, method, message: &message, at: now.as_second() };
    let landed = hosted.land(&landing).ok().flatten().ok_or_else(not)?;
    let reference = format!("refs/heads/{}", it.base);
    hosted.set(&reference, Some(base), Some(landed)).map_err(|_moved| not())?;
    it.base_sha = landed.to_string();
    it.merged_at = Some(now);
    it.merge_commit_sha = Some(landed.to_string());
    issue.open = false;
    issue.updated_at = now;
    Ok(landed.to_string())
}

impl Model {
    /// Merges a pull request as a maintainer would, making real commits in the repository's
    /// history, and returns the commit that the base branch is at then.
    ///
    /// # Errors
    /// Why GitHub would not: there is no such pull request with a history, it is closed or a draft,
    /// or it conflicts.
    pub fn merge_pull_request(
        &mut self,
        full_name: &str,
        number: u64,
        method: MergeMethod,
    ) -> Result<String, String> {
        let now = self.clock_time();
        let id = self.id_of(full_name).ok_or("there is no such repository")?;
        self.follow_heads(id);
        let repository = self.repositories.get_mut(&id).ok_or("there is no such repository")?;
        merge(repository, number, method, now)
    }

    /// Closes a pull request as a maintainer would, without merging it, and returns whether it was
    /// open.
    pub fn close_pull_request(&mut self, full_name: &str, number: u64) -> bool {
        let now = self.clock_time();
        let id = self.id_of(full_name);
        let repository = id.and_then(|id| self.repositories.get_mut(&id));
        let pull = repository.and_then(|it| it.tracker.pull_mut(number));
        let Some((issue, _)) = pull.filter(|(issue, _)| issue.open) else { return false };
        issue.open = false;
        issue.updated_at = now;
        true
    }
}

fn custom(message: String) -> Refused {
    several(std::iter::once(
        json!({ "resource": "PullRequest", "code": "custom", "message": message }),
    ))
}

fn several(errors: impl Iterator<Item = Value>) -> Refused {
    Box::new(Answer::json(
        422,
        json!({
            "message": "Validation Failed",
            "errors": errors.collect::<Vec<_>>(),
            "documentation_url": Pulls::Create.docs(),
            "status": "422",
        }),
    ))
}
