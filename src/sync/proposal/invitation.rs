//! The text of the pull request that brings a cousin in: what follows what, what the workflow does
//! and asks for, and how to try it, for a person who may never have heard of any of it.

use super::body::{code_of, linked, list};
use super::marker::END;
use super::{Marker, TITLE, Text};
use crate::names::{CommitSha, RepoName};
use crate::subscriptions::{Subscription, Subscriptions};
use crate::sync::message::defused;
use crate::text::markdown::code;

/// What all but the list may take, in characters.
const FIXED: usize = 6_000;

/// What brings a cousin in. Everything but the names was written by others.
#[derive(Debug, Clone)]
pub struct Invitation<'a> {
    /// The cousin.
    pub cousin: &'a RepoName,
    /// The monorepo.
    pub source: &'a RepoName,
    /// Its trusted branch.
    pub branch: &'a str,
    /// Its commit whose features were looked at.
    pub commit: &'a CommitSha,
    /// What the cousin's own list says.
    pub subscriptions: &'a Subscriptions,
    /// The name of the list.
    pub list: &'a str,
    /// The path of the workflow.
    pub workflow: &'a str,
    /// What the monorepo's events are called.
    pub event_type: &'a str,
    /// The tree, in hexadecimal, of what is proposed.
    pub tree: &'a str,
    /// The page of the server that both are on, such as `https://github.com`.
    pub server: &'a str,
}

impl Text for Invitation<'_> {
    fn title(&self) -> String {
        let title = format!("Follow {} with ecosystem sync", self.source);
        defused(&title).chars().take(TITLE).collect()
    }

    fn within(&self, room: usize) -> String {
        let mut text = format!("{}\n{}", self.marker().line(), self.head());
        let lines = self.subscriptions.subscriptions.iter().map(row);
        text += "\n| feature | comes to | by |\n| --- | --- | --- |\n";
        text += &list(lines, room.saturating_sub(FIXED) / 2);
        text += &self.what_it_does();
        text += ASKS;
        text += &self.steps();
        text += "\n---\nWritten by `ecosystem onboard`. The title and everything above this line are \
                 written anew when it is run again: put notes below it, or into comments.\n";
        text + END + "\n"
    }
}

/// What the workflow may do, and who lets it.
const ASKS: &str = "\n### What it asks for\n\n\
    The job's own token, with these permissions and no others; no secret:\n\n\
    | permission | what for |\n| --- | --- |\n\
    | `contents: write` | the branches of its pull requests |\n\
    | `pull-requests: write` | the pull requests |\n\
    | `issues: write` | their labels, and one issue while a feature cannot be brought in |\n\n\
    And the setting **Allow GitHub Actions to create and approve pull requests** (Settings → Actions → \
    General → Workflow permissions), which an organization may have turned off for all.\n\n\
    Where the monorepo is private, or checks are to run on its pull requests, the job's own token does \
    not do: give `token:` in the workflow one of an App or a person.\n";

impl Invitation<'_> {
    fn marker(&self) -> Marker {
        let first = self.subscriptions.subscriptions.first();
        let features: Vec<_> = first.map(|it| it.feature.clone()).into_iter().collect();
        Marker::new(&features, self.commit, self.tree)
    }

    fn head(&self) -> String {
        let server = self.server.trim_end_matches('/');
        let source =
            linked(&code(self.source.as_str()), &format!("{server}/{}", self.source.as_str()));
        format!(
            "With this, {} follows {source}: what changes there on {} comes here as a pull request, \
             to be looked at and merged like any other.\n",
            code(self.cousin.as_str()),
            code(self.branch),
        )
    }

    fn what_it_does(&self) -> String {
        format!(
            "\n### What it adds\n\n\
             - {}: what is followed, where it goes and how. Change it as you like: what is not in it \
             is not brought in.\n\
             - {}: runs `ecosystem sync` when the monorepo sends {}, once a day, and by hand.\n\n\
             ### What it will do\n\n\
             - Each feature gets one pull request, on a branch `update-from-upstream-…`, which moves on \
             until it is merged or closed. Nothing is ever pushed to another branch.\n\
             - A commit is brought only when it is on {} of the monorepo; the event is no more than a \
             hint.\n\
             - By `merge` what was changed here stays, and a conflict is a draft for a person. A \
             person's commits on such a branch are never overwritten.\n\
             - Nothing that is brought is run, and no workflow file is brought.\n",
            code(self.list),
            code(self.workflow),
            code(self.event_type),
            code(self.branch),
        )
    }

    fn steps(&self) -> String {
        format!(
            "\n### How to try it\n\n\
             1. Before it is merged, in a clone with this branch checked out: `ecosystem sync --pull \
             --dry-run` shows what would come, and pushes nothing.\n\
             2. Merge it: GitHub runs such a workflow on the default branch only.\n\
             3. Actions → Sync upstream → Run workflow brings the first pull requests; or, from the \
             monorepo, `ecosystem onboard {} --probe` sends one event and sees that it arrives.\n",
            self.cousin
        )
    }
}

fn row(it: &Subscription) -> String {
    let into = match it.into.as_bytes() {
        b"" => "the root".to_owned(),
        path => code_of(path),
    };
    format!("| {} | {into} | {} |\n", code_of(it.feature.as_bytes()), code(it.method.as_str()))
}
