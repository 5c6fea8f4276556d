//! Who sees what: each kind of token at each endpoint, and what the answers say of that.

use pretty_assertions::assert_eq;

use super::*;

const BY_PAT: &str = "Resource not accessible by personal access token";
const BY_APP: &str = "Resource not accessible by integration";
const NOT_FOUND: &str = "Not Found";
const ENDPOINTS: [(&str, &str); 5] = [
    ("", "metadata=read"),
    ("/contents/a", "contents=read"),
    ("/branches", "contents=read"),
    ("/actions/workflows", "actions=read"),
    ("/actions/permissions", "administration=read"),
];

fn granted() -> Model {
    let with_a_file = |it: Repository| it.file("a", "1");
    model()
        .repository_with("acme/web", with_a_file)
        .repository_with("acme/secret", with_a_file)
        .repository_with("acme/off", |it| it.file("a", "1").actions_disabled())
        .token("admin", Token::classic().admin_of("acme/web").admin_of("acme/secret"))
        .token("public", Token::classic().scopes(&["public_repo"]).admin_of("acme/secret"))
        .token("unscoped", Token::may_write_all().scopes(&["gist", "read:org"]))
        .token(
            "sealed",
            Token::fine_grained()
                .may_read("acme/secret")
                .may_not_read_contents("acme/secret")
                .may_not_read_contents("acme/web"),
        )
        .token("fine-admin", Token::fine_grained().admin_of("Acme/Secret").admin_of("acme/off"))
        .token("app-admin", Token::installation().admin_of("acme/secret"))
        .token(
            "app-sealed",
            Token::installation().may_write("acme/secret").may_not_read_contents("acme/secret"),
        )
        .token(
            "sealed-classic",
            Token::classic().may_read("acme/secret").may_not_read_contents("acme/secret"),
        )
        .token("outside", Token::may_write_all().needs_sso("ACME"))
}

#[test]
fn each_kind_of_token_gets_what_its_kind_gets() {
    let must = "Must have admin rights to Repository.";
    let log_in = "Requires authentication";
    // In the order of ENDPOINTS; a number alone is a status without a message.
    for (repository, token, expected) in [
        ("acme/web", None, ["200", "200", "200", "200", log_in]),
        ("acme/web", Some("classic"), ["200", "200", "200", "200", must]),
        ("acme/web", Some(SECRET), ["200", "200", "200", "200", must]),
        ("acme/web", Some("admin"), ["200", "200", "200", "200", "200"]),
        ("acme/web", Some("fine"), ["200", "200", "200", "200", BY_PAT]),
        ("acme/web", Some("app"), ["200", "200", "200", "200", BY_APP]),
        ("acme/web", Some("built-in"), ["200", "200", "200", "200", BY_APP]),
        ("acme/secret", None, [NOT_FOUND; 5]),
        ("acme/secret", Some("classic"), [NOT_FOUND; 5]),
        ("acme/secret", Some("built-in"), [NOT_FOUND; 5]),
        ("acme/secret", Some("unscoped"), [NOT_FOUND; 5]),
        ("acme/secret", Some("public"), [NOT_FOUND; 5]),
        ("acme/secret", Some("admin"), ["200"; 5]),
        ("acme/secret", Some("fine"), ["200", "200", "200", "200", BY_PAT]),
        ("acme/secret", Some("fine-admin"), ["200"; 5]),
        ("acme/secret", Some("app-admin"), ["200"; 5]),
        ("acme/secret", Some("sealed"), ["200", BY_PAT, BY_PAT, "200", BY_PAT]),
        ("acme/secret", Some("app-sealed"), ["200", BY_APP, BY_APP, "200", BY_APP]),
        ("acme/secret", Some("sealed-classic"), ["200", "200", "200", "200", must]),
        ("acme/web", Some("sealed"), ["200", "200", "200", "200", BY_PAT]),
        ("acme/blocked", Some(SECRET), ["Repository access blocked"; 5]),
        ("acme/gone", Some(SECRET), [NOT_FOUND; 5]),
        ("acme/web", Some("wrong"), ["Bad credentials"; 5]),
    ] {
        for ((below, _), expected) in ENDPOINTS.into_iter().zip(expected) {
            let mut model = granted();
            let answer = ask(&mut model, &get(&format!("/repos/{repository}{below}"), token));
            let status = answer.status.to_string();
            let seen = answer.message().unwrap_or(&status);
            assert_eq!(seen, expected, "{repository}{below} {token:?}");
            let refused = match expected {
                "200" => 200,
                "Requires authentication" | "Bad credentials" => 401,
                NOT_FOUND => 404,
                _ => 403,
            };
            assert_eq!(answer.status, refused, "{repository}{below} {token:?}");
        }
    }
}

#[test]
fn every_answer_of_an_endpoint_says_what_a_token_needs_there() {
    let value = |answer: &Answer, name| answer.header_value(name).map(str::to_owned);
    for repository in ["acme/web", "acme/secret", "acme/gone", "acme/old", "acme/blocked"] {
        for (below, permission) in ENDPOINTS {
            let path = format!("/repos/{repository}{below}");
            for token in ["fine", "sealed", "app", "built-in"] {
                let answer = ask(&mut granted(), &get(&path, Some(token)));
                let needed = value(&answer, "x-accepted-github-permissions");
                assert_eq!(needed.as_deref(), Some(permission), "{path} {token}");
                assert_eq!(answer.header_value("x-oauth-scopes"), None, "{path} {token}");
            }
            for (token, scopes) in [
                (SECRET, "repo"),
                ("classic", ""),
                ("admin", "repo"),
                ("public", "public_repo"),
                ("unscoped", "gist, read:org"),
            ] {
                let answer = ask(&mut granted(), &get(&path, Some(token)));
                assert_eq!(value(&answer, "x-oauth-scopes").as_deref(), Some(scopes), "{path}");
                let settings = matches!(below, "" | "/actions/permissions");
                let accepted = value(&answer, "x-accepted-oauth-scopes");
                assert_eq!(accepted.as_deref(), Some(if settings { "repo" } else { "" }), "{path}");
                assert_eq!(answer.header_value("x-accepted-github-permissions"), None);
            }
            for token in [None, Some("wrong")] {
                let answer = ask(&mut granted(), &get(&path, token));
                for name in
                    ["x-oauth-scopes", "x-accepted-oauth-scopes", "x-accepted-github-permissions"]
                {
                    assert_eq!(answer.header_value(name), None, "{path} {name}");
                }
            }
        }
    }
    for (repository, status) in [("acme/new", 204), ("acme/web", 403), ("acme/old", 307)] {
        let path = format!("/repos/{repository}/dispatches");
        let answer = ask(&mut granted(), &post(&path, Some("app")));
        assert_eq!(answer.status, status);
        let needed = answer.header_value("x-accepted-github-permissions");
        assert_eq!(needed, Some("contents=write"));
    }
    for path in ["/rate_limit", "/nowhere"] {
        let answer = ask(&mut granted(), &get(path, Some("fine")));
        assert_eq!(answer.header_value("x-accepted-github-permissions"), None, "{path}");
        let answer = ask(&mut granted(), &get(path, Some(SECRET)));
        assert_eq!(answer.header_value("x-oauth-scopes"), Some("repo"), "{path}");
    }
}

#[test]
fn permissions_show_the_role_and_a_dispatch_asks_for_the_grant_too() {
    for (repository, token, [admin, maintain, push, triage], dispatched) in [
        ("acme/web", SECRET, [false, false, true, true], 204),
        ("acme/web", "classic", [false; 4], 404),
        ("acme/web", "fine", [false; 4], 403),
        ("acme/web", "admin", [true; 4], 204),
        ("acme/secret", "admin", [true; 4], 204),
        ("acme/secret", "fine-admin", [true; 4], 403),
        ("acme/secret", "app-sealed", [false; 4], 403),
        ("acme/web", "unscoped", [false, false, true, true], 404),
        ("acme/web", "built-in", [false; 4], 204),
        ("acme/new", "app", [false; 4], 204),
    ] {
        let mut model = granted();
        let (_, shown) = json_at(&mut model, &format!("/repos/{repository}"), Some(token));
        let permissions = json!({
            "admin": admin, "maintain": maintain, "push": push, "triage": triage, "pull": true,
        });
        assert_eq!(shown["permissions"], permissions, "{repository} {token}");
        let answer =
            ask(&mut model, &post(&format!("/repos/{repository}/dispatches"), Some(token)));
        assert_eq!(answer.status, dispatched, "{repository} {token}");
    }
    let mut model = granted().token("public", Token::may_write_all().scopes(&["public_repo"]));
    let mut dispatch =
        |name| ask(&mut model, &post(&format!("/repos/{name}/dispatches"), Some("public")));
    assert_eq!(dispatch("acme/web").status, 204);
    assert_eq!(dispatch("acme/secret").status, 404);
}

#[test]
fn a_repository_says_whether_it_is_public_and_where_people_see_it() {
    for (name, visibility) in [("acme/web", "public"), ("acme/secret", "private")] {
        let (_, shown) = json_at(&mut granted(), &format!("/repos/{name}"), Some("admin"));
        assert_eq!(shown["visibility"], visibility);
        assert_eq!(shown["html_url"], format!("https://github.com/{name}"));
    }
}

#[test]
fn an_admin_sees_whether_actions_are_turned_on() {
    let mut model = granted();
    for (repository, token, settings) in [
        ("acme/web", "admin", json!({ "enabled": true, "allowed_actions": "all" })),
        ("acme/off", "fine-admin", json!({ "enabled": false })),
    ] {
        let path = format!("/repos/{repository}/actions/permissions");
        assert_eq!(json_at(&mut model, &path, Some(token)), (200, settings));
    }
    let (_, shown) = json_at(&mut model, "/repos/acme/web/actions/permissions", Some("fine"));
    assert_eq!(
        shown["documentation_url"],
        "https://docs.github.com/rest/actions/permissions\
         #get-github-actions-permissions-for-a-repository"
    );
}

#[test]
fn a_token_that_single_sign_on_has_not_passed_is_told_where_to_go() {
    let message = "Resource protected by organization SAML enforcement. You must grant your \
                   Personal Access token access to this organization.";
    let mut model = granted().repository_with("other/web", |it| it.file("a", "1"));
    for repository in ["acme/web", "acme/secret", "acme/old", "acme/blocked", "ACME/web"] {
        for below in ENDPOINTS.map(|(below, _)| below).into_iter().chain(["/dispatches"]) {
            let path = format!("/repos/{repository}{below}");
            let request = if below == "/dispatches" { post } else { get }(&path, Some("outside"));
            let answer = ask(&mut model, &request);
            assert_eq!((answer.status, answer.message()), (403, Some(message)), "{path}");
            let sso = answer.header_value("x-github-sso").unwrap();
            let url = "required; url=https://github.com/orgs/acme/sso?authorization_request=";
            assert!(sso.starts_with(url), "{sso}");
        }
    }
    for (path, status) in [("/repos/other/web/contents/a", 200), ("/repos/acme/gone", 404)] {
        let answer = ask(&mut model, &get(path, Some("outside")));
        assert_eq!((answer.status, answer.header_value("x-github-sso")), (status, None), "{path}");
    }
    let private = Token::fine_grained().needs_sso("acme");
    model = model.token("blind", private);
    let answer = ask(&mut model, &get("/repos/acme/secret", Some("blind")));
    assert_eq!(answer.status, 404, "what it could not see anyway stays hidden");
    assert!(model.events().is_empty());
}

#[test]
fn a_former_name_leads_to_the_id_with_the_rest_of_the_path_and_the_query() {
    let mut model = granted().repository_with("acme/new", |it| it.file("d/a b", "1"));
    let id = json_at(&mut model, "/repos/acme/new", None).1["id"].to_string();
    for (below, status) in [
        ("", 200),
        ("?", 200),
        ("/contents", 200),
        ("/contents/d%2Fa%20b?ref=refs%2Fheads%2Fmain&x=%zz?", 200),
        ("/contents/missing", 404),
        ("/branches?per_page=1&page=2", 200),
        ("/actions/workflows?page=abc", 200),
        ("/actions/permissions", 401),
    ] {
        let answer = ask(&mut model, &get(&format!("/repos/ACME/Old{below}"), None));
        let moved = format!("https://api.github.com/repositories/{id}{below}");
        assert_eq!(
            (answer.status, answer.header_value("location")),
            (301, Some(&*moved)),
            "{below}"
        );
        assert_eq!(answer.message(), Some("Moved Permanently"));
        let answer = ask(&mut model, &get(&format!("/repositories/{id}{below}"), None));
        assert_eq!(answer.status, status, "{below}");
    }
    let answer = ask(&mut model, &get("/repos/acme/old/unknown", None));
    assert_eq!(answer.status, 404, "what does not exist does not move");
}

#[test]
fn reads_cost_one_point_and_meet_the_faults_of_their_repository() {
    let limits =
        Limits { points_per_minute: Some(4), content_per_minute: Some(0), ..Limits::none() };
    let mut model = granted().limits(limits);
    let paths = ENDPOINTS.map(|(below, _)| format!("/repos/acme/web{below}"));
    let statuses: Vec<_> =
        paths.iter().map(|path| ask(&mut model, &get(path, Some("admin"))).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 403], "the fifth point is one too many");

    let mut model = granted();
    let id = json_at(&mut model, "/repos/acme/web", None).1["id"].to_string();
    for (below, _) in ENDPOINTS {
        for at in [format!("/repos/ACME/web{below}"), format!("/repositories/{id}{below}?x=y")] {
            model.fault("acme/web", Fault::status(502));
            assert_eq!(ask(&mut model, &get("/repos/acme/new", Some("admin"))).status, 200);
            let answer = ask(&mut model, &get(&at, Some("fine")));
            assert_eq!(answer.status, 502, "{at}");
            assert_eq!(answer.header_value("x-accepted-github-permissions"), None, "{at}");
            assert_eq!(ask(&mut model, &get(&at, Some("admin"))).status, 200, "{at}");
        }
    }
}
