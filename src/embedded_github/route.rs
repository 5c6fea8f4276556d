//! The REST endpoints of the model: how a path names a repository, which endpoint it leads to
//! there, and what each endpoint says of itself. Anything else is a 404. What an endpoint does is
//! in `rest`.

use super::issues::Issues;
use super::labels::Labels;
use super::pulls::Pulls;
use super::refs::Refs;

/// A repository as a path names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Name(String),
    Id(u64),
}

/// A path that names a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) repository: Named,
    /// What stands behind the repository, as it was sent: empty, or from its slash on.
    pub(super) below: &'a str,
    /// What stands behind the question mark, as it was sent.
    pub(super) query: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// Returns the address in a path as it was sent, with its query.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let (root, below) = first_part(path.strip_prefix('/').unwrap_or(path));
        let (first, below) = first_part(below.strip_prefix('/')?);
        let (repository, below) = match root {
            "repositories" => (Named::Id(first.parse().ok()?), below),
            "repos" => {
                let (name, below) = first_part(below.strip_prefix('/')?);
                if first.is_empty() || name.is_empty() {
                    return None;
                }
                (Named::Name(format!("{first}/{name}")), below)
            }
            _ => return None,
        };
        Some(Self { repository, below, query })
    }
}

/// Splits before the first slash.
fn first_part(path: &str) -> (&str, &str) {
    path.find('/').map_or((path, ""), |at| path.split_at(at))
}

/// What a repository can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Repository,
    Contents,
    Branches,
    Branch,
    Workflows,
    Runs,
    ActionsPermissions,
    Dispatch,
    Issues(Issues),
    Pulls(Pulls),
    Labels(Labels),
    Refs(Refs),
}

impl Endpoint {
    fn of(method: &str, below: &str) -> Option<Self> {
        let reads = matches!(method, "GET" | "HEAD");
        if let Some(issues) = Issues::of(method, below) {
            return Some(Self::Issues(issues));
        }
        let others = Pulls::of(method, below)
            .map(Self::Pulls)
            .or_else(|| Labels::of(method, below).map(Self::Labels))
            .or_else(|| Refs::of(method, below).map(Self::Refs));
        if others.is_some() {
            return others;
        }
        match below {
            "/dispatches" if method == "POST" => Some(Self::Dispatch),
            _ if !reads => None,
            "" => Some(Self::Repository),
            "/branches" => Some(Self::Branches),
            "/actions/workflows" => Some(Self::Workflows),
            "/actions/runs" => Some(Self::Runs),
            "/actions/permissions" => Some(Self::ActionsPermissions),
            _ if branch_path(below).is_some() => Some(Self::Branch),
            _ => contents_path(below).map(|_| Self::Contents),
        }
    }

    /// Returns whether it changes something.
    pub(super) fn writes(self) -> bool {
        match self {
            Self::Dispatch => true,
            Self::Issues(issues) => issues.writes(),
            Self::Pulls(pulls) => pulls.writes(),
            Self::Labels(labels) => labels.writes(),
            Self::Refs(refs) => refs.writes(),
            _ => false,
        }
    }

    /// Returns the documentation page that GitHub's answers point to.
    pub(super) fn docs(self) -> &'static str {
        match self {
            Self::Repository => "https://docs.github.com/rest/repos/repos#get-a-repository",
            Self::Contents => "https://docs.github.com/rest/repos/contents#get-repository-content",
            Self::Branches => "https://docs.github.com/rest/branches/branches#list-branches",
            Self::Workflows => {
                "https://docs.github.com/rest/actions/workflows#list-repository-workflows"
            }
            Self::Runs => {
                "https://docs.github.com/rest/actions/workflow-runs\
                 #list-workflow-runs-for-a-repository"
            }
            Self::ActionsPermissions => {
                "https://docs.github.com/rest/actions/permissions\
                 #get-github-actions-permissions-for-a-repository"
            }
            Self::Dispatch => super::answer::DISPATCH_DOCS,
            Self::Branch => "https://docs.github.com/rest/branches/branches#get-a-branch",
            Self::Issues(issues) => issues.docs(),
            Self::Pulls(pulls) => pulls.docs(),
            Self::Labels(labels) => labels.docs(),
            Self::Refs(refs) => refs.docs(),
        }
    }

    /// Returns what a token of the newer kinds needs, as `x-accepted-github-permissions` says it.
    /// Source: REST documentation, "Permissions required for fine-grained personal access tokens".
    pub(super) fn permission(self) -> &'static str {
        match self {
            Self::Repository => "metadata=read",
            Self::Contents | Self::Branches | Self::Branch => "contents=read",
            Self::Workflows | Self::Runs => "actions=read",
            Self::ActionsPermissions => "administration=read",
            Self::Dispatch => "contents=write",
            Self::Issues(issues) if issues.writes() => "issues=write",
            Self::Issues(_) => "issues=read",
            Self::Pulls(Pulls::Merge(_)) => "contents=write",
            Self::Pulls(pulls) if pulls.writes() => "pull_requests=write",
            Self::Pulls(_) => "pull_requests=read",
            Self::Labels(labels) if labels.writes() => "issues=write; pull_requests=write",
            Self::Labels(_) => "issues=read; pull_requests=read",
            Self::Refs(refs) if refs.writes() => "contents=write",
            Self::Refs(_) => "contents=read",
        }
    }

    /// Returns the scopes that `x-accepted-oauth-scopes` names to a classic token. For most of the
    /// newer endpoints, dispatches too, that is nothing, whatever they ask for: so in the answers
    /// recorded in `PyGithub`'s tests. Those hold none of the Actions settings, whose documentation
    /// names `repo`.
    pub(super) fn accepted_scopes(self) -> &'static str {
        match self {
            Self::Repository | Self::ActionsPermissions => "repo",
            Self::Contents
            | Self::Branches
            | Self::Branch
            | Self::Workflows
            | Self::Runs
            | Self::Dispatch
            | Self::Issues(_)
            | Self::Pulls(_)
            | Self::Labels(_)
            | Self::Refs(_) => "",
        }
    }
}

/// Returns the path, as it was sent, that a request for contents asks for.
pub(super) fn contents_path(below: &str) -> Option<&str> {
    let path = below.strip_prefix("/contents")?;
    if path.is_empty() { Some(path) } else { path.strip_prefix('/') }
}

/// Returns the branch, as it was sent, that a request asks for.
pub(super) fn branch_path(below: &str) -> Option<&str> {
    below.strip_prefix("/branches/").filter(|it| !it.is_empty())
}

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    To(Endpoint, Address<'a>),
    RateLimit,
    Unknown,
}

impl<'a> Route<'a> {
    /// Returns where a method and a path, as they were sent, lead.
    pub(super) fn of(method: &str, path: &'a str) -> Self {
        let reads = matches!(method, "GET" | "HEAD");
        if reads && matches!(path.split('?').next(), Some("/rate_limit" | "rate_limit")) {
            return Self::RateLimit;
        }
        Address::of(path)
            .and_then(|address| Some(Self::To(Endpoint::of(method, address.below)?, address)))
            .unwrap_or(Self::Unknown)
    }

    /// Returns the endpoint of a repository that it leads to.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        match self {
            Self::To(endpoint, _) => Some(*endpoint),
            Self::RateLimit | Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn each_endpoint_has_its_path_and_methods_and_no_other() {
        use Endpoint::*;
        let table = [
            ("", Repository),
            ("?x=/dispatches", Repository),
            ("/contents", Contents),
            ("/contents/", Contents),
            ("/contents/a/b", Contents),
            ("/contents/branches", Contents),
            ("/contents/dispatches?ref=x", Contents),
            ("/branches", Branches),
            ("/branches?page=2", Branches),
            ("/branches/main", Branch),
            ("/branches/a/b?x", Branch),
            ("/actions/workflows", Workflows),
            ("/actions/runs?event=push", Runs),
            ("/actions/permissions", ActionsPermissions),
        ];
        for repository in ["/repos/acme/web", "/repositories/7", "/repos/repos/contents"] {
            for (below, endpoint) in table {
                let path = format!("{repository}{below}");
                for method in ["GET", "HEAD"] {
                    assert_eq!(Route::of(method, &path).endpoint(), Some(endpoint), "{path}");
                }
                for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", ""] {
                    assert_eq!(Route::of(method, &path), Route::Unknown, "{method} {path}");
                }
            }
            for below in [
                "/",
                "/branches/",
                "/contentsx",
                "/actions",
                "/actions/workflows/1",
                "/actions/runs/1",
            ] {
                let path = format!("{repository}{below}");
                assert_eq!(Route::of("GET", &path), Route::Unknown, "{path}");
            }
            let path = format!("{repository}/dispatches");
            assert_eq!(Route::of("POST", &path).endpoint(), Some(Dispatch));
            assert_eq!(Route::of("GET", &path), Route::Unknown);
        }
    }

    #[test]
    fn an_address_keeps_what_stands_behind_the_repository_as_it_was_sent() {
        let name = |name: &str| Named::Name(name.to_owned());
        for (path, repository, below, query) in [
            ("/repos/a/b", name("a/b"), "", None),
            ("repos/a/b?", name("a/b"), "", Some("")),
            ("/repos/A/b/contents/x%2Fy?ref=z?", name("A/b"), "/contents/x%2Fy", Some("ref=z?")),
            ("/repositories/12/x", Named::Id(12), "/x", None),
        ] {
            assert_eq!(Address::of(path), Some(Address { repository, below, query }), "{path}");
        }
        for path in [
            "",
            "/",
            "/repos",
            "/repos/",
            "/repos/a",
            "/repos/a/",
            "/repos//b",
            "//repos/a/b",
            "/repositories",
            "/repositories/",
            "/repositories/x",
            "/repositories/-1",
            "/other/a/b",
            "/repositories/99999999999999999999",
            "?/repos/a/b",
        ] {
            assert_eq!(Address::of(path), None, "{path}");
        }
    }
}
