//! What is taken of an answer, and what is not.

use std::sync::Mutex;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::*;
use crate::delivery::clock::VirtualClock;
use crate::delivery::requests::RequestSettings;
use crate::github::{Answer, Read, Reply};

/// A server with one answer.
struct Says {
    body: Value,
    reads: Arc<Mutex<Vec<String>>>,
}

impl Get for Says {
    async fn get(&self, read: &Read, _: TokenId) -> Answer {
        self.reads.lock().unwrap().push(read.to_string());
        let body = self.body.to_string().into_bytes();
        Answer {
            requests: 1,
            moved: None,
            result: Ok(Reply { status: 200, body, ..Reply::default() }),
        }
    }

    fn redacted(&self, text: String) -> String {
        text.replace("s3cret", "***")
    }
}

/// Returns what comes of a list for a dispatch that was answered at the start, and the reads.
async fn said(body: Value) -> (Confirmation, Vec<String>) {
    let reads: Arc<Mutex<Vec<String>>> = Arc::default();
    let says = Says { body, reads: Arc::clone(&reads) };
    let settings = RequestSettings::default();
    let requests = Requests::new(Arc::new(says), VirtualClock::new(at(0)), settings, || 1.0);
    let dispatch = Dispatched {
        repo: name("acme/web"),
        moved_to: None,
        token: TokenId(0),
        dispatch_id: id(0xabc),
        answered_at: at(0),
    };
    let mut receipts = Receipts::new(&[dispatch], S(0));
    receipts.look(&Arc::new(requests), |_| {}).await;
    let reads = reads.lock().unwrap().clone();
    (receipts.confirmations().remove(0), reads)
}

/// A run that is ours by its name, with other fields instead.
fn run(other: Value) -> Value {
    let mut run = json!({
        "id": 7, "name": "Follow", "display_title": format!("Update {}", id(0xabc)),
        "workflow_id": 1, "event": "repository_dispatch", "created_at": at(1).to_string(),
        "html_url": "https://github.com/acme/web/actions/runs/7",
    });
    run.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    json!({ "total_count": 1, "workflow_runs": [run] })
}

#[tokio::test]
async fn githubs_search_is_asked_for_runs_of_dispatches_since_the_answer() {
    let (_, reads) = said(run(json!({}))).await;
    assert_eq!(
        reads,
        ["GET /repos/acme/web/actions/runs?event=repository_dispatch\
          &created=%3E%3D2026-01-02T03%3A04%3A03Z&per_page=100"]
    );
}

#[tokio::test]
async fn only_a_run_of_a_dispatch_since_then_counts_and_what_is_missing_is_no_error() {
    for (other, word) in [
        (json!({}), "confirmed"),
        (json!({ "event": "push" }), "unconfirmed"),
        (json!({ "event": null }), "unconfirmed"),
        (json!({ "created_at": at(-3).to_string() }), "unconfirmed"),
        (json!({ "created_at": at(-2).to_string() }), "confirmed"),
        (json!({ "created_at": "2026-01-02T04:04:05+01:00" }), "confirmed"),
        (json!({ "created_at": "yesterday" }), "unconfirmed"),
        (json!({ "created_at": null }), "unconfirmed"),
        (json!({ "display_title": null, "name": null, "workflow_id": null }), "probable"),
        (json!({ "display_title": "x", "name": id(0xabc) }), "confirmed"),
        (json!({ "display_title": format!("0{}", id(0xabc).to_uppercase()) }), "confirmed"),
        (json!({ "display_title": id(0xdef) }), "unconfirmed"),
        (json!({ "id": "7" }), "unconfirmed"),
    ] {
        let (confirmation, _) = said(run(other.clone())).await;
        assert_eq!(confirmation.as_str(), word, "{other}");
    }
    for odd in [json!([]), json!({}), json!({ "workflow_runs": {} }), json!("")] {
        let (confirmation, _) = said(odd.clone()).await;
        let warning = confirmation.warning(&name("acme/web")).unwrap_or_default();
        assert_eq!(
            warning,
            "acme/web: delivered, but not confirmed: GitHub's list of its runs cannot be read: is \
             GITHUB_API_URL right?",
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_link_is_taken_only_where_it_is_harmless_wherever_it_is_shown() {
    let long = format!("https://github.com/{}", "a".repeat(500));
    for (url, taken) in [
        ("https://github.com/acme/web/actions/runs/7", true),
        ("https://ghe.example:8443/a.b/c_d/actions/runs/7?check_suite_focus=true#x", true),
        ("http://127.0.0.1:8080/acme/web/actions/runs/7", true),
        ("http://localhost:8080/x", true),
        ("http://github.com/acme/web/actions/runs/7", false),
        ("http://127.0.0.1.evil.example/", false),
        ("http://localhost.evil.example/", false),
        ("https://user@github.com/x", false),
        ("https://user:pass@github.com/x", false),
        ("https:///x", false),
        ("https://github.com/a/../../x", false),
        ("https://github.com", false),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("ftp://github.com/x", false),
        ("//github.com/x", false),
        ("/acme/web/actions/runs/7", false),
        ("", false),
        ("https://", false),
        ("https://github.com/a b", false),
        ("https://github.com/x\n::error::y", false),
        ("https://github.com/\u{1b}[31m", false),
        ("https://github.com/\u{202e}7", false),
        ("https://github.com/ü", false),
        ("https://github.com/x)[y](z", false),
        ("https://github.com/|<b>`x`", false),
        ("https://github.com/s3cret", false),
        (&long, false),
    ] {
        let (confirmation, _) = said(run(json!({ "html_url": url }))).await;
        assert_eq!(confirmation.as_str(), "confirmed", "{url}");
        assert_eq!(confirmation.url(), taken.then_some(url), "{url}");
        assert_eq!(confirmation.warning(&name("acme/web")), None);
    }
    let (confirmation, _) = said(run(json!({ "html_url": null }))).await;
    assert_eq!(confirmation, Confirmation::Confirmed { url: None });
}
