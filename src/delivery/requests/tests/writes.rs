//! Writes beside reads: the same gate, a pace of their own kind, and nothing created twice.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;

/// Answers each write with the next of its answers, and a read with 200; notes when each came.
struct Writes {
    answers: Mutex<Vec<Reaction>>,
    clock: VirtualClock,
    at: Mutex<Vec<u64>>,
}

impl Get for Writes {
    async fn get(&self, _: &Read, _: TokenId) -> Answer {
        status(200).unwrap()
    }
}

impl Put for Writes {
    async fn put(&self, _: &Write, _: TokenId) -> Answer {
        self.at.lock().unwrap().push(self.clock.now().as_secs());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.is_empty() { status(201) } else { answers.remove(0) };
        answer.unwrap()
    }
}

fn requests(answers: Vec<Reaction>) -> (Requests<Writes, VirtualClock>, Arc<Writes>) {
    let clock = clock();
    let writes =
        Writes { answers: Mutex::new(answers), clock: clock.clone(), at: Mutex::default() };
    let writes = Arc::new(writes);
    let settings = RequestSettings { tokens: vec!["PAT".to_owned()], ..Default::default() };
    (Requests::new(Arc::clone(&writes), clock, settings, || 1.0), writes)
}

fn post() -> Write {
    Write::post(&RepoName::parse("acme/web").unwrap(), &["issues"], &json!({})).unwrap()
}

fn patch() -> Write {
    Write::patch(&RepoName::parse("acme/web").unwrap(), &["issues", "1"], &json!({})).unwrap()
}

#[tokio::test]
async fn what_creates_is_sent_once_unless_it_was_limited_and_what_changes_until_it_is_done() {
    for (write, answers, ended, at) in [
        (post(), vec![status(502)], Err("the server failed (502: no message)"), vec![0]),
        (post(), vec![lost()], Err("the connection was lost: why"), vec![0]),
        (post(), vec![limited("30")], Ok(201), vec![0, 30]),
        (patch(), vec![status(502), lost()], Ok(201), vec![0, 1, 3]),
        (patch(), vec![status(404)], Ok(404), vec![0]),
    ] {
        let (requests, server) = requests(answers);
        let found = requests.write(&write, PAT).await;
        let unknown = matches!(found, Err(Unanswered::Unknown(_)));
        let found = found.map(|reply| reply.status).map_err(|error| error.to_string());
        assert_eq!(found, ended.map_err(ToOwned::to_owned), "{write}");
        assert_eq!((unknown, server.at.lock().unwrap().clone()), (ended.is_err(), at), "{write}");
    }
}

#[tokio::test]
async fn eighty_writes_a_minute_go_and_reads_go_beside_them() {
    let (requests, server) = requests(Vec::new());
    for _ in 0..81 {
        requests.write(&patch(), PAT).await.unwrap();
        requests.get(&read(0), PAT).await.unwrap();
    }
    let at = server.at.lock().unwrap().clone();
    assert_eq!((&at[..80], at[80]), (&[0; 80][..], 60));
    assert_eq!(requests.sent(), 162);
}

#[tokio::test]
async fn a_limit_that_a_write_meets_stops_reads_too() {
    let (requests, _) = requests(vec![limited("3600")]);
    assert!(matches!(requests.write(&post(), PAT).await, Err(Unanswered::Deferred(..))));
    assert!(matches!(requests.get(&read(0), PAT).await, Err(Unanswered::Deferred(..))));
    let (refused, _) = self::requests(vec![status(401)]);
    assert!(matches!(refused.write(&post(), PAT).await, Err(Unanswered::TokenRefused(_))));
    assert!(matches!(refused.get(&read(0), PAT).await, Err(Unanswered::TokenRefused(_))));
}
