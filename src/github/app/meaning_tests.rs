//! Each answer to an App has one meaning, in words that say what to do.

use pretty_assertions::assert_eq;
use secrecy::ExposeSecret as _;

use super::*;
use crate::github::answer::RefusedRedirect;
use crate::github::rate_limit::LimitHeaders;

fn who() -> Who {
    Who { app: "7".to_owned(), owner: "acme".to_owned() }
}

fn reply(status: u16, text: &str) -> Reply {
    if matches!(status, 200 | 201) {
        Reply { status, body: text.as_bytes().to_vec(), ..Reply::default() }
    } else {
        let message = (!text.is_empty()).then(|| text.to_owned());
        Reply { status, message, ..Reply::default() }
    }
}

#[test]
fn what_passes_goes_on_to_be_judged_and_what_does_not_is_final() {
    let limited = |status| {
        let limits = LimitHeaders { retry_after: Some("9".to_owned()), ..LimitHeaders::default() };
        Reply { limits, ..reply(status, "slow down") }
    };
    let lost = TransportError {
        kind: TransportKind::Timeout,
        cause: "why".to_owned(),
        // The request for a token arrived; the dispatch was never sent.
        sent: true,
    };
    let elsewhere = Reply { refused: Some(RefusedRedirect::OtherOrigin), ..reply(307, "") };
    let mut table = String::new();
    for (what, result) in [
        ("200", Ok(reply(200, "{}"))),
        ("404", Ok(reply(404, "Not Found"))),
        ("422", Ok(reply(422, "M"))),
        ("401", Ok(reply(401, "A JSON web token could not be decoded"))),
        ("404 unknown", Ok(reply(404, "Integration not found"))),
        ("307 elsewhere", Ok(elsewhere)),
        ("403 limit", Ok(limited(403))),
        ("429 limit", Ok(limited(429))),
        ("401 limit", Ok(limited(401))),
        ("503", Ok(reply(503, "Server Error"))),
        ("201 broken off", Ok(Reply { broken: true, ..reply(201, "") })),
        ("timed out", Err(lost)),
    ] {
        let meaning = match settled(Answer { requests: 3, moved: None, result }, &who()) {
            Ok(reply) => format!("settled by {}", reply.status),
            Err(Trouble::Final(refusal)) => refusal.to_string(),
            Err(Trouble::Passing(answer)) => {
                assert_eq!(answer.requests, 0, "an App's requests are not the token's");
                match answer.result {
                    Ok(reply) => format!("passes: {} limit {}", reply.status, reply.is_limit()),
                    Err(error) => format!("passes: {error} (sent: {})", error.sent),
                }
            }
        };
        table += &format!("{what:<16}{meaning}\n");
    }
    insta::assert_snapshot!(table, @r#"
    200             settled by 200
    404             settled by 404
    422             settled by 422
    401             GitHub refuses the App 7 (401: "A JSON web token could not be decoded"): check that ECOSYSTEM_APP_ID and ECOSYSTEM_APP_PRIVATE_KEY (or ECOSYSTEM_APP_PRIVATE_KEY_FILE) belong together, and this machine's clock
    404 unknown     GitHub refuses the App 7 (404: "Integration not found"): check that ECOSYSTEM_APP_ID and ECOSYSTEM_APP_PRIVATE_KEY (or ECOSYSTEM_APP_PRIVATE_KEY_FILE) belong together, and this machine's clock
    307 elsewhere   GitHub gave the App 7 no token for acme (307: redirected to another server, where the token must not go)
    403 limit       passes: 403 limit true
    429 limit       passes: 429 limit true
    401 limit       GitHub refuses the App 7 (401: "slow down"): check that ECOSYSTEM_APP_ID and ECOSYSTEM_APP_PRIVATE_KEY (or ECOSYSTEM_APP_PRIVATE_KEY_FILE) belong together, and this machine's clock
    503             passes: no token yet: asking for a token of the App 7, the server failed (503: "Server Error") (sent: false)
    201 broken off  passes: no token yet: asking for a token of the App 7, the answer broke off (201: no message) (sent: false)
    timed out       passes: timed out: asking for a token of the App 7: why (sent: false)
    "#);
}

#[test]
fn an_installation_is_read_and_what_is_none_says_why() {
    let mut table = String::new();
    for (status, text) in [
        (200, r#"{"id":9,"permissions":{"contents":"write"},"suspended_at":null,"x":[]}"#),
        (200, r#"{"id":9}"#),
        (200, r#"{"id":9,"suspended_at":"2026-01-01T00:00:00Z"}"#),
        (200, r#"{"id":"9"}"#),
        (200, "<html>"),
        (404, "Not Found"),
        (403, "M"),
        (304, ""),
    ] {
        let told = match found(&reply(status, text), &who()) {
            Ok(found) => format!("{} {:?}", found.id, found.permissions),
            Err(refusal) => refusal.to_string(),
        };
        table += &format!("{status} {told}\n");
    }
    insta::assert_snapshot!(table, @r#"
    200 9 {"contents": "write"}
    200 9 {}
    200 the installation of the App 7 for acme is suspended: unsuspend it among the GitHub Apps in the settings of acme
    200 GitHub gave the App 7 no token for acme (200: no message)
    200 GitHub gave the App 7 no token for acme (200: no message)
    404 the App 7 is not installed for acme: install it there with access to the cousins, or give them a token_env
    403 GitHub gave the App 7 no token for acme (403: "M")
    304 GitHub gave the App 7 no token for acme (304: no message)
    "#);
}

#[test]
fn an_answer_to_a_mint_is_a_token_of_any_length_or_says_whose_turn_it_is() {
    let long = format!("ghs_{}", "a".repeat(2_000));
    let end = "2026-01-02T03:04:05Z";
    let body = |token: &str| format!(r#"{{"token":{token:?},"expires_at":"{end}"}}"#);
    let said = "There is at least one repository that does not exist or is not accessible to the \
                parent installation.";
    let mut table = String::new();
    for (what, status, text) in [
        ("short", 201, body("t")),
        ("long", 201, body(&long)),
        ("empty", 201, body("")),
        ("line break", 201, body("a\nb")),
        ("outside ASCII", 201, body("é")),
        ("no end", 201, r#"{"token":"t"}"#.to_owned()),
        ("odd end", 201, r#"{"token":"t","expires_at":"soon"}"#.to_owned()),
        ("no JSON", 201, "t".to_owned()),
        ("repositories", 422, said.to_owned()),
        (
            "permissions",
            422,
            "The permissions requested are not granted to this installation.".to_owned(),
        ),
        ("other", 422, "M".to_owned()),
        ("suspended", 403, "This installation has been suspended".to_owned()),
        ("forbidden", 403, "M".to_owned()),
        ("gone", 404, "Not Found".to_owned()),
        ("OK", 200, body("t")),
    ] {
        let told = match minting(&reply(status, &text), &who()) {
            Minting::Token(secret, until) => {
                assert_eq!(until.to_string(), end);
                format!("a token of {} characters", secret.expose_secret().len())
            }
            Minting::NotThese => "one of them is out of reach".to_owned(),
            Minting::Refused(refusal) => refusal.to_string(),
        };
        table += &format!("{what:<14}{told}\n");
    }
    insta::assert_snapshot!(table, @r#"
    short         a token of 1 characters
    long          a token of 2004 characters
    empty         GitHub gave the App 7 no token for acme (201: no message)
    line break    GitHub gave the App 7 no token for acme (201: no message)
    outside ASCII GitHub gave the App 7 no token for acme (201: no message)
    no end        GitHub gave the App 7 no token for acme (201: no message)
    odd end       GitHub gave the App 7 no token for acme (201: no message)
    no JSON       GitHub gave the App 7 no token for acme (201: no message)
    repositories  one of them is out of reach
    permissions   the App 7 was not granted what is needed for acme: add it in the App's settings, and accept it in those of acme
    other         one of them is out of reach
    suspended     the installation of the App 7 for acme is suspended: unsuspend it among the GitHub Apps in the settings of acme
    forbidden     GitHub gave the App 7 no token for acme (403: "M")
    gone          the App 7 is not installed for acme: install it there with access to the cousins, or give them a token_env
    OK            GitHub gave the App 7 no token for acme (200: no message)
    "#);
}

#[test]
fn a_page_of_repositories_is_read() {
    let page = br#"{"total_count":3,"repositories":[{"full_name":"Acme/Web","id":1}]}"#;
    assert_eq!(listed(page), Some((3, vec!["acme/web".to_owned()])));
    assert_eq!(listed(b"[]"), None);
}

#[test]
fn a_new_token_is_tried_again_and_an_old_one_renewed_once() {
    const NEW: Use = Use {
        age: Duration::from_secs(1),
        taken: false,
        again: 0,
        renewed: false,
        sees_repository: true,
    };
    const OLD: Use = Use { age: LAG, ..NEW };
    const TAKEN: Use = Use { taken: true, ..NEW };
    let again = |millis| Next::Again(Duration::from_millis(millis));
    let integration = "Resource not accessible by integration";
    for (status, message, with, expected) in [
        (204, "", NEW, Next::Keep),
        (422, "M", NEW, Next::Keep),
        (503, "M", NEW, Next::Keep),
        (401, "Bad credentials", NEW, again(500)),
        (401, "Bad credentials", Use { again: 1, ..NEW }, again(1000)),
        (401, "Bad credentials", Use { again: 2, ..NEW }, again(2000)),
        (401, "Bad credentials", Use { again: 3, ..NEW }, Next::Renew),
        (401, "Bad credentials", TAKEN, again(500)),
        (401, "Bad credentials", OLD, Next::Renew),
        (401, "Bad credentials", Use { renewed: true, ..OLD }, Next::Keep),
        (401, "Bad credentials", Use { renewed: true, ..NEW }, again(500)),
        (401, "Bad credentials", Use { renewed: true, again: 3, ..NEW }, Next::Keep),
        (404, "Not Found", NEW, again(500)),
        (404, "Not Found", Use { again: 3, ..NEW }, Next::Keep),
        (404, "Not Found", TAKEN, Next::Keep),
        (404, "Not Found", OLD, Next::Keep),
        (404, "Not Found", Use { sees_repository: false, ..NEW }, Next::Keep),
        (403, integration, NEW, again(500)),
        (403, integration, TAKEN, Next::Keep),
        (403, integration, OLD, Next::Keep),
        (403, "You have exceeded a secondary rate limit", NEW, Next::Keep),
        (403, "Repository was archived so is read-only.", NEW, Next::Keep),
    ] {
        assert_eq!(next(&reply(status, message), with), expected, "{status} {message} {with:?}");
    }
}
