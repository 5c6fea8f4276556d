//! Files and directories as the model shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pretty_assertions::assert_eq;

use super::*;

const LISTENER: &str = ".github/workflows/update.yml";
const TEXT: &str =
    "name: Listen\non: { repository_dispatch: { types: [feature-update] } }\njobs: {}\n";

/// One repository with all that there is to see, once more as private, under a former name, and
/// one without a file.
fn library() -> Model {
    let describe = |it: Repository| {
        it.file(LISTENER, TEXT)
            .file("docs/a b.md", "1")
            .file("docs/ü.md", "2")
            .file("docs/100%.md", "3")
            .file("docs/a+b.md", "4")
            .file("docs-old", "5")
            .file("docs.md", "6")
            .file("blob", [0, 255, 10])
            .branch("release/1.x")
            .file("later", "7")
            .file_on("side", "only", "8")
    };
    model()
        .repository_with("acme/web", describe)
        .repository_with("acme/secret", |it| describe(it).default_branch("trunk"))
        .repository_with("acme/was", |it| describe(it).renamed_to("acme/is"))
}

fn show(path: &str) -> (u16, serde_json::Value) {
    json_at(&mut library(), &format!("/repos/acme/web/contents/{path}"), Some(SECRET))
}

#[test]
fn a_file_is_shown_with_everything_that_github_says_of_it() {
    let (status, shown) = show(LISTENER);
    assert_eq!(status, 200);
    let content = shown["content"].as_str().unwrap();
    assert_eq!(STANDARD.decode(content.replace('\n', "")).unwrap(), TEXT.as_bytes());
    let sha = git2::Oid::hash_object(git2::ObjectType::Blob, TEXT.as_bytes()).unwrap().to_string();
    let api = "https://api.github.com/repos/acme/web";
    let url = format!("{api}/contents/{LISTENER}?ref=main");
    let git = format!("{api}/git/blobs/{sha}");
    let html = format!("https://github.com/acme/web/blob/main/{LISTENER}");
    assert_eq!(
        shown,
        json!({
            "type": "file",
            "encoding": "base64",
            "size": TEXT.len(),
            "name": "update.yml",
            "path": LISTENER,
            "content": content,
            "sha": sha,
            "url": url,
            "git_url": git,
            "html_url": html,
            "download_url": format!("https://raw.githubusercontent.com/acme/web/main/{LISTENER}"),
            "_links": { "self": url, "git": git, "html": html },
        })
    );
    let first = content.lines().next().unwrap();
    assert_eq!((first.len(), content.ends_with('\n')), (60, true));
}

#[test]
fn a_directory_is_an_array_in_gits_order_without_content() {
    let names = |path| {
        let (status, shown) = show(path);
        assert_eq!(status, 200, "{path}");
        let entries = shown.as_array().unwrap();
        assert!(entries.iter().all(|it| it.get("content").is_none() && it["sha"] != ""));
        let name = |it: &serde_json::Value| format!("{} {}", it["type"], it["name"]);
        entries.iter().map(|it| name(it).replace('"', "")).collect::<Vec<_>>()
    };
    let root =
        ["dir .github", "file blob", "file docs-old", "file docs.md", "dir docs", "file later"];
    for path in ["", "?ref=main", "/", "?ref="] {
        assert_eq!(names(path), root, "{path}");
    }
    assert_eq!(names("?ref=side"), ["file only"], "nothing is inherited from the default branch");
    assert_eq!(names("?ref=release/1.x"), root[..5], "as it was when the branch was made");
    for path in ["docs", "docs/", "/docs", "docs?ref=refs/heads/main", "%64ocs"] {
        let files = ["file 100%.md", "file a b.md", "file a+b.md", "file ü.md"];
        assert_eq!(names(path), files, "{path}");
    }
    let (_, shown) = show("");
    assert_eq!((&shown[0]["size"], &shown[0]["download_url"]), (&json!(0), &json!(null)));
    assert_eq!(shown[0]["html_url"], "https://github.com/acme/web/tree/main/.github");
    let (_, shown) = show("docs");
    assert_eq!(shown[0]["path"], "docs/100%.md");
    assert_eq!(
        shown[1]["url"],
        "https://api.github.com/repos/acme/web/contents/docs/a%20b.md?ref=main"
    );
}

#[test]
fn a_directory_lists_a_thousand_entries_and_no_more() {
    let mut model = Model::new().repository_with("acme/web", |it| {
        (0..1_001).fold(it, |it, n| it.file(&format!("d/{n:04}"), ""))
    });
    let (_, shown) = json_at(&mut model, "/repos/acme/web/contents/d", None);
    let entries = shown.as_array().unwrap();
    assert_eq!((entries.len(), &entries[999]["name"]), (1_000, &json!("0999")));
    assert_eq!(json_at(&mut model, "/repos/acme/web/contents/d/1000", None).0, 200);
}

#[test]
fn a_path_is_found_however_it_is_encoded_and_never_outside() {
    for (path, found) in [
        ("docs/a%20b.md", "docs/a b.md"),
        ("docs%2Fa%20b.md", "docs/a b.md"),
        ("docs%2fa%20b.md", "docs/a b.md"),
        ("docs/%C3%BC.md", "docs/ü.md"),
        ("docs/ü.md", "docs/ü.md"),
        ("docs/100%25.md", "docs/100%.md"),
        ("docs/100%.md", "docs/100%.md"),
        ("docs/a+b.md", "docs/a+b.md"),
        ("docs/a%2Bb.md", "docs/a+b.md"),
        ("/docs//a%20b.md/", "docs/a b.md"),
    ] {
        let (status, shown) = show(path);
        assert_eq!((status, &shown["path"]), (200, &json!(found)), "{path}");
    }
    for path in [
        "missing",
        "DOCS",
        "doc",
        "docs.md/x",
        "docs/a%2520b.md",
        "docs/%FC.md",
        "docs/a%20b.md%00",
        "..",
        "../web",
        "docs/..",
        "docs/../blob",
        "docs/%2e%2E/blob",
        "docs%2F..%2Fblob",
        "./blob",
        "only",
    ] {
        let (status, shown) = show(path);
        assert_eq!((status, &shown["message"]), (404, &json!("Not Found")), "{path}");
        assert_eq!(
            shown["documentation_url"],
            "https://docs.github.com/rest/repos/contents#get-repository-content"
        );
    }
}

#[test]
fn a_ref_is_a_branch_by_its_name_or_its_commit() {
    let (_, branches) = json_at(&mut library(), "/repos/acme/web/branches", None);
    let side = branches[2]["commit"]["sha"].as_str().unwrap().to_owned();
    for reference in
        ["side", "refs/heads/side", "refs%2Fheads%2Fside", "%73ide", &side, "main&ref=side"]
    {
        let (status, shown) = show(&format!("only?ref={reference}"));
        assert_eq!((status, &shown["content"]), (200, &json!("OA==\n")), "{reference}");
    }
    let (_, shown) = show("docs.md?ref=release%2F1.x");
    assert_eq!(shown["html_url"], "https://github.com/acme/web/blob/release/1.x/docs.md");
    for (sent, reference) in [
        ("nowhere", "nowhere"),
        ("Side", "Side"),
        ("refs/tags/side", "refs/tags/side"),
        ("no+%26%20where", "no & where"),
        ("..", ".."),
        ("%FF", "\u{fffd}"),
        (&"0".repeat(40), &"0".repeat(40)),
    ] {
        for path in ["only", "", "missing"] {
            let (status, shown) = show(&format!("{path}?ref={sent}"));
            let message = format!("No commit found for the ref {reference}");
            assert_eq!((status, &shown["message"]), (404, &json!(message)), "{path} {sent}");
        }
    }
}

#[test]
fn a_repository_without_a_file_is_empty_until_it_gets_one() {
    let mut model = model().repository_with("acme/web", |it| it.branch("side"));
    let said = |model: &mut Model, path: &str| {
        let (status, shown) = json_at(model, &format!("/repos/acme/web/contents{path}"), None);
        (status, shown["message"].as_str().unwrap_or_default().to_owned())
    };
    for path in ["", "/", "/x", "/x?ref=main", "/x?ref=nowhere", "?ref=side"] {
        assert_eq!(said(&mut model, path), (404, "This repository is empty.".to_owned()), "{path}");
    }
    model = model.repository_with("acme/web", |it| it.file_on("side", "x", ""));
    assert_eq!(said(&mut model, "/x?ref=side").0, 200);
    let main = (404, "No commit found for the ref main".to_owned());
    assert_eq!(said(&mut model, "/x"), main, "the default branch is still to come");
}

#[test]
fn the_bytes_themselves_are_given_to_who_asks_for_them() {
    let mut model = library();
    let mut raw = |path: &str, accept: &str| {
        let accept = Some(accept.to_owned());
        ask(&mut model, &Request { accept, ..get(path, Some(SECRET)) })
    };
    for accept in ["application/vnd.github.raw+json", "application/vnd.github.v3.raw"] {
        let answer = raw("/repos/acme/web/contents/blob", accept);
        let kind = format!("{accept}; charset=utf-8");
        let media_type = answer.header_value("x-github-media-type");
        assert_eq!(media_type, Some("github.v3; param=raw; format=json"));
        let body = Body::Bytes { content_type: kind, bytes: vec![0, 255, 10] };
        assert_eq!((answer.status, answer.body), (200, body));
        let answer = raw("/repos/acme/web/contents/docs", accept);
        assert!(matches!(answer.body, Body::Json(serde_json::Value::Array(_))), "a directory");
        let answer = raw("/repos/acme/web/contents/missing", accept);
        assert_eq!((answer.status, answer.message()), (404, Some("Not Found")));
    }
    let answer = raw("/repos/acme/web/contents/blob", "application/vnd.github+json");
    assert!(matches!(answer.body, Body::Json(_)));
}

#[test]
fn what_is_said_of_a_repository_later_is_added_to_its_files() {
    let mut model = Model::new()
        .repository_with("acme/web", |it| it.file("a", "1").file("b", "1").default_branch("trunk"))
        .repository_with("ACME/Web", |it| it.file("b", "2").branch("side").file("c", "2"))
        .archived("acme/web")
        .repository_with("acme/before", |it| {
            it.file("b", "3").file("d", "3").renamed_to("acme/web")
        });
    let mut at = |path: &str| {
        let (status, shown) = json_at(&mut model, &format!("/repos/acme/web{path}"), None);
        if status == 200 { shown } else { json!(status) }
    };
    assert_eq!(at("")["default_branch"], "trunk");
    assert_eq!(at("")["archived"], true);
    for (path, content) in [
        ("a", json!("MQ==\n")),
        ("b", json!("Mw==\n")),
        ("c", json!("Mg==\n")),
        ("d", json!("Mw==\n")),
        ("b?ref=side", json!("Mg==\n")),
    ] {
        assert_eq!(at(&format!("/contents/{path}"))["content"], content, "{path}");
    }
    assert_eq!(at("/contents/c?ref=side"), 404);
    assert_eq!(at("/contents/a?ref=main"), 404);
    model.rename("acme/web", "acme/next");
    assert_eq!(json_at(&mut model, "/repos/acme/next/contents/a", None).0, 200);
    assert_eq!(json_at(&mut model, "/repos/acme/before/contents/a", None).0, 301);
    model = model.repository("acme/web");
    assert_eq!(
        json_at(&mut model, "/repos/acme/web/contents/a", None).0,
        404,
        "another repository"
    );
}
