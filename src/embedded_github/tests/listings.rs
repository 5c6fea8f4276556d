//! Branches and workflows as the model lists them, page by page, and the Actions settings.

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::*;

fn names(shown: &Value) -> Vec<&str> {
    shown.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

/// A repository with 65 branches and as many workflows.
fn many() -> Model {
    model().repository_with("acme/web", |it| {
        (0..65).fold(it, |it, n| {
            let text = format!("name: W{n:02}\non: push\n");
            let it = it.file(&format!(".github/workflows/{n:02}.yml"), text);
            it.file_on(&format!("b{n:02}"), "x", "")
        })
    })
}

#[test]
fn branches_are_listed_by_name_with_the_commit_that_they_are_at() {
    let mut model = model().repository_with("acme/web", |it| {
        it.file("a", "1").branch("same").file_on("Zed", "b", "2").branch("feature/ü").file("c", "3")
    });
    let (status, shown) = json_at(&mut model, "/repos/acme/web/branches", None);
    assert_eq!(status, 200);
    assert_eq!(names(&shown), ["Zed", "feature/ü", "main", "same"]);
    let sha = |n: usize| shown[n]["commit"]["sha"].as_str().unwrap();
    assert_eq!(sha(1), sha(3), "the same files are the same commit");
    assert!(sha(0) != sha(1) && sha(1) != sha(2));
    assert!(crate::names::CommitSha::parse(sha(0)).is_ok());
    let commit = format!("https://api.github.com/repos/acme/web/commits/{}", sha(0));
    assert_eq!(
        shown[0],
        json!({ "name": "Zed", "commit": { "sha": sha(0), "url": commit }, "protected": false })
    );
    for repository in ["acme/new", "acme/attic"] {
        let path = format!("/repos/{repository}/branches");
        assert_eq!(json_at(&mut model, &path, None), (200, json!([])), "nothing was pushed there");
    }
}

#[test]
fn every_page_has_what_it_should_and_leads_to_its_neighbours() {
    let mut model = many();
    let id = json_at(&mut model, "/repos/acme/web", None).1["id"].to_string();
    // 66 branches: `main` is the last.
    for (query, first, count, link) in [
        ("", "b00", 30, "2 next, 3 last"),
        ("?page=2", "b30", 30, "1 prev, 3 next, 3 last, 1 first"),
        ("?page=3", "b60", 6, "2 prev, 1 first"),
        ("?page=4", "", 0, "3 prev, 1 first"),
        ("?per_page=100", "b00", 66, ""),
        ("?per_page=1000", "b00", 66, ""),
        ("?per_page=66", "b00", 66, ""),
        ("?per_page=65", "b00", 65, "2 next, 2 last"),
        ("?per_page=65&page=2", "main", 1, "1 prev, 1 first"),
        ("?per_page=abc&page=abc", "b00", 30, "2 next, 3 last"),
        ("?per_page=0&page=0", "b00", 30, "2 next, 3 last"),
        ("?per_page=-5&page=-1", "b00", 30, "2 next, 3 last"),
        ("?page=18446744073709551615", "", 0, "3 prev, 1 first"),
        ("?page=99999999999999999999", "b00", 30, "2 next, 3 last"),
        ("?&=%&%zz", "b00", 30, "2 next, 3 last"),
    ] {
        let answer = ask(&mut model, &get(&format!("/repos/acme/web/branches{query}"), None));
        let Body::Json(shown) = &answer.body else { panic!("{query}") };
        let seen = names(shown);
        assert_eq!(
            (seen.first().copied().unwrap_or_default(), seen.len()),
            (first, count),
            "{query}"
        );
        let header = answer.header_value("link").unwrap_or_default();
        let url = format!("<https://api.github.com/repositories/{id}/branches?");
        let short = header.split(", ").filter(|it| !it.is_empty()).map(|it| {
            let (target, relation) = it.split_once(">; rel=").unwrap();
            let page = target.strip_prefix(&url).unwrap().rsplit("page=").next().unwrap();
            format!("{page} {}", relation.trim_matches('"'))
        });
        assert_eq!(short.collect::<Vec<_>>().join(", "), link, "{query}");
    }
}

#[test]
fn following_next_sees_each_branch_once_under_former_names_too() {
    let mut model = many();
    model.rename("acme/web", "acme/site");
    let moved = ask(&mut model, &get("/repos/acme/web/branches?per_page=7", None));
    let mut next = moved.header_value("location").map(str::to_owned);
    let mut seen = Vec::new();
    while let Some(url) = next {
        let path = url.strip_prefix("https://api.github.com").unwrap().to_owned();
        let answer = ask(&mut model, &get(&path, None));
        let Body::Json(shown) = &answer.body else { panic!("{path}") };
        seen.extend(names(shown).into_iter().map(str::to_owned));
        next = answer.header_value("link").and_then(|link| {
            let to = link.split(", ").find_map(|it| it.strip_suffix(">; rel=\"next\""))?;
            Some(to.trim_start_matches('<').to_owned())
        });
    }
    let expected: Vec<_> = (0..65).map(|n| format!("b{n:02}")).chain(["main".to_owned()]).collect();
    assert_eq!(seen, expected);
    assert_eq!(model.requests().len(), 1 + 10);
}

#[test]
fn workflows_are_the_files_of_the_default_branch_that_github_reads() {
    let mut model = model().repository_with("acme/web", |it| {
        it.file(".github/workflows/update.yml", "name: Listen\non: repository_dispatch\n")
            .file(".github/workflows/b c.yaml", "on: push\n")
            .file(".github/workflows/old.yml", "{")
            .file(".github/workflows/README.md", "")
            .file(".github/workflows/UPPER.YML", "")
            .file(".github/workflows/yml", "")
            .file(".github/workflows/deep/x.yml", "")
            .file(".github/x.yml", "")
            .file_on("side", ".github/workflows/side.yml", "")
            .workflow_state(".github/workflows/old.yml", "disabled_manually")
            .workflow_state("/.github/workflows/b c.yaml", "disabled_inactivity")
            .workflow_state(".github/workflows/not-there.yml", "active")
    });
    let (status, shown) = json_at(&mut model, "/repos/acme/web/actions/workflows", None);
    assert_eq!((status, &shown["total_count"]), (200, &json!(3)));
    let seen: Vec<_> = shown["workflows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| ["path", "name", "state"].map(|key| it[key].as_str().unwrap()))
        .collect();
    let directory = ".github/workflows";
    let (spaced, old) = (format!("{directory}/b c.yaml"), format!("{directory}/old.yml"));
    let update = format!("{directory}/update.yml");
    assert_eq!(
        seen,
        [
            [&*spaced, &*spaced, "disabled_inactivity"],
            [&*old, &*old, "disabled_manually"],
            [&*update, "Listen", "active"],
        ]
    );
    let listener = &shown["workflows"][2];
    let id = listener["id"].as_u64().unwrap();
    assert_eq!(
        listener["url"],
        format!("https://api.github.com/repos/acme/web/actions/workflows/{id}")
    );
    assert_eq!(
        shown["workflows"][0]["html_url"],
        "https://github.com/acme/web/blob/main/.github/workflows/b%20c.yaml"
    );
    model = model.repository_with("acme/web", |it| it.file(".github/workflows/a.yml", ""));
    let (_, later) = json_at(&mut model, "/repos/acme/web/actions/workflows", None);
    assert_eq!(later["workflows"][3]["id"], id, "an id stays");
    let none = json_at(&mut model, "/repos/acme/new/actions/workflows", None);
    assert_eq!(none, (200, json!({ "total_count": 0, "workflows": [] })));
}

#[test]
fn workflows_come_in_pages_and_are_all_counted_on_each() {
    let mut model = many();
    for (query, count, link) in
        [("", 30, true), ("?page=3", 5, true), ("?per_page=100", 65, false), ("?page=9", 0, true)]
    {
        let path = format!("/repos/acme/web/actions/workflows{query}");
        let answer = ask(&mut model, &get(&path, None));
        let Body::Json(shown) = &answer.body else { panic!("{query}") };
        assert_eq!(shown["total_count"], 65);
        assert_eq!(shown["workflows"].as_array().unwrap().len(), count, "{query}");
        let header = answer.header_value("link").unwrap_or_default();
        assert_eq!(header.contains("/actions/workflows?"), link, "{query} {header}");
    }
}

#[test]
fn a_dispatch_is_taken_whether_anything_can_run_or_not() {
    for describe in [
        (|it| it) as fn(Repository) -> Repository,
        Repository::actions_disabled,
        |it| it.file(".github/workflows/update.yml", "on: push").actions_disabled(),
        |it| it.file(".github/workflows/x.yml", "").workflow_state(".github/workflows/x.yml", "?"),
    ] {
        let mut model = model().repository_with("acme/web", describe);
        let answer = ask(&mut model, &post("/repos/acme/web/dispatches", Some(SECRET)));
        assert_eq!((answer.status, model.events().len()), (204, 1));
    }
}
