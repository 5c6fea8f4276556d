//! The App's endpoints: who is believed to be the App, what it is given, and what that is good for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pretty_assertions::assert_eq;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;

use super::*;

const PEM: &str = include_str!("../../../tests/it/support/keys/test-only-app-key.pem");
const NOT_DECODED: &str = "A JSON web token could not be decoded";
const PAST: &str = "'Expiration time' claim ('exp') must be a numeric value representing the \
                    future time at which the assertion expires";
const TOO_FAR: &str = "'Expiration time' claim ('exp') is too far in the future";
const ISSUED: &str = "'Issued at' claim ('iat') must be an Integer representing the time that the \
                      assertion was issued";

fn jwt(alg: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": alg, "typ": "JWT" })), part(claims));
    let der = PrivatePkcs1KeyDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_der(der.secret_pkcs1_der()).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn good() -> String {
    jwt("RS256", &json!({ "iss": 7, "iat": START - 60, "exp": START + 540 }))
}

fn with_app(describe: impl FnOnce(App) -> App, clock: &VirtualClock) -> Model {
    let app = App::new(7, "Iv23liTest", PEM).installed("Acme", |it| {
        it.on("acme/web").on("acme/secret").on("acme/new").may("contents", "write")
    });
    let app = app.installed("halt", |it| it.suspended().may("contents", "write"));
    model().repository("acme/other").app(describe(app)).clock(clock.now())
}

fn mint(model: &mut Model, installation: u64, body: &Value) -> (u16, Value) {
    let path = format!("/app/installations/{installation}/access_tokens");
    let request = Request { body: body.to_string().into_bytes(), ..post(&path, Some(&good())) };
    match ask(model, &request) {
        Answer { status, body: Body::Json(value), .. } => (status, value),
        other => panic!("{other:?}"),
    }
}

const INSTALLATION: u64 = 60_000_000;

#[test]
fn only_a_jwt_of_the_app_that_holds_now_is_believed() {
    let clock = VirtualClock::default();
    let mut model = with_app(|it| it, &clock);
    let claims = |iss: Value, iat: i64, exp: i64| json!({ "iss": iss, "iat": START + iat, "exp": START + exp });
    let rs256 = |claims: Value| jwt("RS256", &claims);
    let changed = good().replacen('.', ".e", 1);
    for (jwt, status, message) in [
        (good(), 200, ""),
        (rs256(claims(json!("7"), 0, 600)), 200, ""),
        (rs256(claims(json!("Iv23liTest"), -3600, 1)), 200, ""),
        (rs256(claims(json!(8), 0, 600)), 404, "Integration not found"),
        (rs256(json!({ "iat": START, "exp": START + 60 })), 404, "Integration not found"),
        (rs256(claims(json!(7), 0, 601)), 401, TOO_FAR),
        (rs256(claims(json!(7), -60, 0)), 401, PAST),
        (rs256(json!({ "iss": 7, "iat": START })), 401, PAST),
        (rs256(json!({ "iss": 7, "iat": START, "exp": "soon" })), 401, PAST),
        (rs256(claims(json!(7), 1, 600)), 401, ISSUED),
        (rs256(json!({ "iss": 7, "exp": START + 60 })), 401, ISSUED),
        (jwt("none", &claims(json!(7), 0, 600)), 401, NOT_DECODED),
        (jwt("HS256", &claims(json!(7), 0, 600)), 401, NOT_DECODED),
        (changed, 401, NOT_DECODED),
        (good()[..good().len() - 8].to_owned(), 401, NOT_DECODED),
        ("a.b.c".to_owned(), 401, NOT_DECODED),
        (SECRET.to_owned(), 401, NOT_DECODED),
    ] {
        for path in ["/app", "/users/acme/installation", "/repos/acme/web/installation"] {
            let answer = ask(&mut model, &get(path, Some(&jwt)));
            let told = (answer.status, answer.message().unwrap_or_default());
            assert_eq!(told, (status, message), "{path} {jwt}");
        }
    }
    assert_eq!(ask(&mut model, &get("/app", None)).status, 401);
    assert_eq!(ask(&mut model, &get("/repos/acme/web", Some(&good()))).status, 401);
}

#[test]
fn an_installation_is_found_by_owner_and_by_repository() {
    let mut model = with_app(|it| it, &VirtualClock::default());
    let moved = ask(&mut model, &get("/repos/acme/old/installation", Some(&good())));
    let location = moved.header_value("location").unwrap().to_owned();
    let by_id = location.strip_prefix("https://api.github.com").unwrap();
    assert_eq!(moved.status, 301);
    for (path, id) in [
        ("/users/ACME/installation", Some(INSTALLATION)),
        ("/orgs/acme/installation", Some(INSTALLATION)),
        ("/users/halt/installation", Some(INSTALLATION + 1)),
        ("/users/zoo/installation", None),
        ("/repos/acme/Web/installation", Some(INSTALLATION)),
        (by_id, Some(INSTALLATION)),
        ("/repos/acme/other/installation", None),
        ("/repos/acme/nowhere/installation", None),
    ] {
        let (status, body) = json_at(&mut model, path, Some(&good()));
        assert_eq!((status == 200, body["id"].as_u64()), (id.is_some(), id), "{path}: {body}");
        assert_eq!(body["suspended_at"].is_string(), path.contains("halt"), "{path}");
    }
}

#[test]
fn a_token_is_given_for_what_the_installation_has_and_for_nothing_else() {
    let mut model = with_app(|it| it, &VirtualClock::default());
    let repositories = "There is at least one repository that does not exist or is not accessible \
                        to the parent installation.";
    let permissions = "The permissions requested are not granted to this installation.";
    for (body, status, message) in [
        (json!({ "repositories": ["Web"], "permissions": { "contents": "write" } }), 201, ""),
        (
            json!({ "repositories": ["web", "secret"], "permissions": { "metadata": "read" } }),
            201,
            "",
        ),
        (json!({}), 201, ""),
        (json!({ "repositories": ["web", "other"] }), 422, repositories),
        (json!({ "repositories": ["nowhere"] }), 422, repositories),
        (json!({ "repositories": ["old"] }), 422, repositories),
        (json!({ "repositories": [] }), 422, repositories),
        (json!({ "permissions": { "contents": "admin" } }), 422, permissions),
        (json!({ "permissions": { "actions": "read" } }), 422, permissions),
        (json!({ "permissions": { "contents": "all" } }), 422, permissions),
        (json!([1]), 400, "Problems parsing JSON"),
    ] {
        let (found, answer) = mint(&mut model, INSTALLATION, &body);
        let told = (found, answer["message"].as_str().unwrap_or_default());
        assert_eq!(told, (status, message), "{body}");
    }
    let suspended = mint(&mut model, INSTALLATION + 1, &json!({}));
    assert_eq!(
        (suspended.0, &suspended.1["message"]),
        (403, &json!("This installation has been suspended"))
    );
    assert_eq!(mint(&mut model, 1, &json!({})).0, 404);
}

#[test]
fn a_minted_token_reaches_its_repositories_with_its_permissions() {
    let mut model = with_app(|it| it.token_length(300), &VirtualClock::default());
    let mut given =
        |body: Value| mint(&mut model, INSTALLATION, &body).1["token"].as_str().unwrap().to_owned();
    let writes = given(json!({ "repositories": ["web"], "permissions": { "contents": "write" } }));
    let reads = given(json!({ "repositories": ["secret"], "permissions": { "contents": "read" } }));
    let all = given(json!({}));
    assert_eq!((writes.len(), &writes[..4]), (300, "ghs_"));
    for (token, repository, status) in [
        (&writes, "acme/web", 204),
        (&writes, "acme/secret", 404),
        (&writes, "acme/other", 403),
        (&reads, "acme/secret", 403),
        (&all, "acme/secret", 204),
        (&all, "acme/other", 403),
    ] {
        let path = format!("/repos/{repository}/dispatches");
        assert_eq!(ask(&mut model, &post(&path, Some(token))).status, status, "{repository}");
    }
    for (token, names) in [(&writes, 1), (&all, 3)] {
        let (_, listed) = json_at(&mut model, "/installation/repositories?per_page=2", Some(token));
        assert_eq!(listed["total_count"], names);
        assert_eq!(listed["repositories"].as_array().unwrap().len(), names.min(2));
    }
    assert_eq!(ask(&mut model, &get("/installation/repositories", Some(SECRET))).status, 401);
}

#[test]
fn a_minted_token_is_known_late_ends_at_its_time_and_can_be_given_back() {
    let clock = VirtualClock::default();
    let mut model = with_app(|it| it.lag(2), &clock);
    let delete = |token: &str| Request {
        method: "DELETE".to_owned(),
        ..get("/installation/token", Some(token))
    };
    let (_, answer) = mint(&mut model, INSTALLATION, &json!({}));
    assert_eq!(answer["expires_at"], "2027-01-15T09:00:00Z");
    let token = answer["token"].as_str().unwrap();
    let read = get("/repos/acme/secret", Some(token));
    let mut statuses: Vec<u16> = (0..3).map(|_| ask(&mut model, &read).status).collect();
    for second in [3599, 3600] {
        clock.set(second);
        statuses.push(ask(&mut model, &read).status);
    }
    assert_eq!(statuses, [401, 401, 200, 200, 401]);
    clock.set(0);
    assert_eq!(model.alive(), 1);
    assert_eq!(ask(&mut model, &delete(token)).status, 204);
    assert_eq!(model.alive(), 0);
    assert_eq!(ask(&mut model, &read).message(), Some("Bad credentials"));
    assert_eq!(ask(&mut model, &delete(token)).status, 401, "once");
    assert_eq!(ask(&mut model, &delete(SECRET)).status, 403);
}

#[test]
fn a_minted_token_is_good_for_git_and_pull_requests_until_it_ends() {
    use super::super::hosting::Service;

    let clock = VirtualClock::default();
    let root = tempfile::tempdir().unwrap();
    super::git::bare(root.path());
    super::git::commit(root.path(), "main", &[("a", "a")]);
    super::git::commit(root.path(), "apart", &[("b", "b")]);
    let installed = |app: App| {
        app.installed("Acme", |it| {
            it.on("acme/web").may("contents", "write").may("pull_requests", "write")
        })
    };
    let mut model =
        with_app(installed, &clock).repository_with("acme/web", |it| it.git(root.path()));
    let (made, answer) = mint(&mut model, INSTALLATION + 2, &json!({}));
    assert_eq!(made, 201, "{answer}");
    let token = answer["token"].as_str().unwrap().to_owned();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{token}"));
    let header = format!("basic {basic}");
    let status = |model: &mut Model| {
        let admitted = model.admit("acme/web", "", Service::Write, Some(&header));
        admitted.err().map(|answer| answer.status)
    };
    assert_eq!(status(&mut model), None);
    let body = json!({"title": "t", "head": "apart", "base": "main"}).to_string().into_bytes();
    let request = Request { body, ..post("/repos/acme/web/pulls", Some(&token)) };
    let answer = ask(&mut model, &request);
    assert_eq!(answer.message(), Some("Validation Failed"), "permitted, but there is no history");
    clock.set(3_600);
    assert_eq!(status(&mut model), Some(401), "it has ended");
}
