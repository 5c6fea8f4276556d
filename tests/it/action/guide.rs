//! The workflows of `docs/migrating.md`, their steps run as a runner would: what people are told to
//! write in the place of what they have does what they had it for.

use std::collections::BTreeMap;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::run::{job, releases};
use crate::support::document::Document;
use crate::support::github::{HEAD, TOKEN, Tester, github_with, run_test_with};
use crate::support::yaml;

/// A commit message that would be more than text if it were pasted into JSON or into a script.
const MESSAGE: &str =
    "done\", \"ref\": \"refs/heads/release\n$(touch owned) `id` ${{ secrets.PAT }}";

/// Returns the inputs of the step below a heading that uses the action, as the runner hands them
/// over. An expression that is not known here fails the test.
fn inputs(heading: &str) -> Vec<(String, String)> {
    let workflow = yaml::parse(&Document::read("docs/migrating.md").code(heading, "yaml")).unwrap();
    let jobs = workflow["jobs"].as_object().unwrap();
    let mut steps = jobs.values().flat_map(|job| job["steps"].as_array().unwrap());
    let ours = |step: &&Value| step["uses"].as_str().unwrap().contains("/ecosystem-dispatcher@");
    let step = steps.find(ours).expect("a step that uses the action");
    let text = |value: &Value| {
        let pieces = value.as_str().unwrap().split("${{ ").enumerate();
        pieces
            .map(|(at, piece)| if at == 0 { piece.to_owned() } else { evaluated(piece) })
            .collect()
    };
    let with = step["with"].as_object().unwrap().iter();
    with.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Returns a piece of text that begins within an expression, with its value.
fn evaluated(piece: &str) -> String {
    let (expression, rest) = piece.split_once(" }}").expect("the expression ends");
    let value = match expression {
        "secrets.PAT" | "secrets.ECOSYSTEM_PAT" => TOKEN.to_owned(),
        "toJSON(github.ref)" => json!("refs/heads/main").to_string(),
        "toJSON(github.event.head_commit.message)" => json!(MESSAGE).to_string(),
        other => panic!("the guide has an expression that no test knows: {other}"),
    };
    value + rest
}

/// Runs the step below a heading, and returns what was delivered.
fn delivered(t: &Tester, heading: &str) -> BTreeMap<String, Vec<(String, Value)>> {
    let releases = releases();
    let mut job = job(t, &releases).env("GITHUB_SHA", HEAD);
    for (name, value) in inputs(heading) {
        job = job.input(&name, &value);
    }
    job.run().expect_success();
    t.delivered()
}

#[test]
fn in_the_place_of_a_script_each_repository_is_told_of_what_it_follows() {
    run_test_with(github_with(["acme/flask-push-demo", "acme/pwa-gallery"]), |t| {
        let list = Document::read("docs/migrating.md").code("After: `ecosystem dispatch`", "json");
        std::fs::write(t.checkout.join("ecosystem.json"), list).unwrap();
        let told = delivered(t, "After: `ecosystem dispatch`").into_iter().map(|(name, events)| {
            let features = events.into_iter().map(|(_, it)| it["updated_feature"].clone());
            (name, features.collect::<Vec<_>>())
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("acme/flask-push-demo".to_owned(), vec![json!("features/webpush/flask")]),
                ("acme/pwa-gallery".to_owned(), vec![json!("features/pwa/vanilla")]),
            ]
        );
    });
}

#[test]
fn in_the_place_of_a_dispatch_action_a_message_is_text_whatever_it_holds() {
    run_test_with(github_with(["acme/deployment"]), |t| {
        let payload = json!({ "ref": "refs/heads/main", "message": MESSAGE });
        assert_eq!(
            delivered(t, "After: `send`"),
            [("acme/deployment".to_owned(), vec![("deploy".to_owned(), payload)])].into()
        );
    });
}

#[test]
fn in_the_place_of_a_matrix_one_step_tells_every_repository() {
    let names = ["acme/backend", "acme/frontend", "acme/worker"];
    run_test_with(github_with(names), |t| {
        let payload = json!({
            "source_repository": "acme/monorepo",
            "commit_sha": HEAD,
            "source_ref": "refs/heads/main",
            "run_url": "https://github.com/acme/monorepo/actions/runs/42",
        });
        let told = |name: &str| (name.to_owned(), vec![("deploy".to_owned(), payload.clone())]);
        assert_eq!(delivered(t, "After: one step"), names.map(told).into());
    });
}
