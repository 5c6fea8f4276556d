//! What those are told who show a person that nothing goes on: how long it takes and what for.

use pretty_assertions::assert_eq;

use super::*;

type Waiting = Option<(Duration, Reason)>;

/// Runs one read for each token, and returns what was told to somebody who looked all the while.
async fn told(
    tokens: &[TokenId],
    react: impl Fn(Sent) -> Reaction + Send + Sync + 'static,
) -> Vec<Waiting> {
    let mut world = World::new(react);
    let mut told = vec![world.requests.waiting()];
    for (number, token) in tokens.iter().enumerate() {
        world.start(number, *token);
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
        let now = world.requests.waiting();
        if told.last() != Some(&now) {
            told.push(now);
        }
    }
    told
}

#[tokio::test]
async fn while_everything_waits_it_is_told_how_long_and_for_what() {
    let limit = |seconds| Some((S(seconds), Reason::Limit));
    let retry = |seconds| Some((S(seconds), Reason::Retry));
    let first = |sent: Sent, reaction| if sent.before == 0 { reaction } else { status(200) };
    assert_eq!(told(&[PAT, OTHER], |_| status(200)).await, [None]);
    assert_eq!(told(&[PAT], move |it| first(it, limited("11"))).await, [None, limit(11), None]);
    assert_eq!(told(&[PAT; 3], move |it| first(it, limited("11"))).await, [None, limit(11), None]);
    assert_eq!(told(&[PAT], move |it| first(it, status(503))).await, [None, retry(1), None]);
    // What is over first, and then what is left of the other.
    let both = move |it: Sent| first(it, limited(if it.token == PAT { "30" } else { "11" }));
    assert_eq!(told(&[PAT, OTHER], both).await, [None, limit(11), None, limit(19), None]);
}

#[tokio::test]
async fn the_pace_is_told_as_what_it_is() {
    let told = told(&[PAT; 901], |_| status(200)).await;
    assert_eq!(told, [None, Some((S(60), Reason::Pace)), None]);
}

#[tokio::test]
async fn while_something_is_in_flight_nobody_is_told_of_a_wait() {
    let told = told(&[PAT, OTHER], |it| if it.token == PAT { limited("11") } else { None }).await;
    assert_eq!(told, [None]);
}
