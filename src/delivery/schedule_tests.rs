//! The schedule with invented times: a small world in which servers answer when and what a test
//! says, run through to the end without a clock, a socket or a wait.

use std::collections::{BTreeMap, HashMap};
use std::num::{NonZeroU32, NonZeroUsize};

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::delivery::Body;
use crate::github::{LimitHeaders, Moved, Reply, TransportError, TransportKind};
use crate::names::RepoName;

const MS: fn(u64) -> Duration = Duration::from_millis;
const S: fn(u64) -> Duration = Duration::from_secs;

/// 2026-01-02 03:04:05 UTC, when all of these runs start.
const START: i64 = 1_767_323_045;

/// Returns dispatches, one for each token in the list.
fn jobs(tokens: &[usize]) -> Arc<[Job]> {
    let job = |(at, token): (usize, &usize)| Job {
        repo: RepoName::parse(&format!("acme/r{at}")).unwrap(),
        body: Body::new(|| b"{}".to_vec()),
        token: TokenId(*token),
    };
    tokens.iter().enumerate().map(job).collect()
}

fn settings() -> Settings {
    Settings { tokens: vec!["PAT".to_owned(), "OTHER_PAT".to_owned()], ..Settings::default() }
}

fn with_concurrency(concurrency: usize) -> Settings {
    Settings { concurrency: NonZeroUsize::new(concurrency).unwrap(), ..settings() }
}

fn status(status: u16) -> Answer {
    Answer { requests: 1, moved: None, result: Ok(Reply { status, ..Reply::default() }) }
}

fn limited(retry_after: &str) -> Answer {
    let limits = LimitHeaders { retry_after: Some(retry_after.to_owned()), ..Default::default() };
    Answer {
        requests: 1,
        moved: None,
        result: Ok(Reply { status: 429, limits, ..Reply::default() }),
    }
}

fn lost(kind: TransportKind) -> Answer {
    let error = TransportError { kind, cause: "why".to_owned(), sent: true };
    Answer { requests: 1, moved: None, result: Err(error) }
}

/// One sending: which dispatch, when, and when it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    job: usize,
    at: Duration,
    answered: Duration,
}

/// What came of a run.
struct Run {
    sent: Vec<Sent>,
    waits: Vec<(Duration, Reason)>,
    endings: Vec<Ending>,
    most_in_flight: usize,
}

impl Run {
    /// Returns when a dispatch was sent, in seconds.
    fn times(&self, job: usize) -> Vec<f64> {
        self.sent.iter().filter(|sent| sent.job == job).map(|sent| sent.at.as_secs_f64()).collect()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.endings.iter().map(|ending| ending.outcome).collect()
    }

    fn error(&self, job: usize) -> &str {
        self.endings[job].error.as_deref().unwrap_or_default()
    }
}

/// Runs to the end. `answer` gets the dispatch, how often it was sent and when, and says how long
/// the answer takes and what it is.
fn run(
    jobs: &Arc<[Job]>,
    settings: &Settings,
    answer: impl FnMut(usize, u32, Duration) -> (Duration, Answer),
) -> Run {
    run_until(jobs, settings, None, answer)
}

/// Runs as [`run`] does, and interrupts the run at `stop`.
fn run_until(
    jobs: &Arc<[Job]>,
    settings: &Settings,
    stop: Option<Duration>,
    mut answer: impl FnMut(usize, u32, Duration) -> (Duration, Answer),
) -> Run {
    let mut schedule = Schedule::new(Arc::clone(jobs), settings);
    let mut flying: BTreeMap<(Duration, usize), Answer> = BTreeMap::new();
    let (mut sent, mut waits, mut most_in_flight) = (Vec::new(), Vec::new(), 0);
    let mut stop = stop;
    let mut now = Duration::ZERO;
    for _ in 0..1_000_000 {
        let until = match schedule.next(now) {
            Step::Finished => {
                let endings = schedule.into_endings();
                return Run { sent, waits, endings, most_in_flight };
            }
            Step::Start(JobId(job)) => {
                let (latency, answer) = answer(job, schedule.attempts(JobId(job)), now);
                let answered = now + latency;
                sent.push(Sent { job, at: now, answered });
                let known = flying.insert((answered, job), answer);
                assert!(known.is_none(), "{job} was sent while it was in flight");
                most_in_flight = most_in_flight.max(flying.len());
                continue;
            }
            Step::WaitUntil(until, reason) => {
                assert!(until > now, "a wait that is over: {until:?} at {now:?}, {reason:?}");
                let full = flying.len() >= settings.concurrency.get();
                assert!(!full || reason == Reason::Stopping, "only an answer makes room");
                if waits.last() != Some(&(until, reason)) {
                    waits.push((until, reason));
                }
                Some(until)
            }
            Step::WaitForAnswer => {
                assert!(!flying.is_empty(), "a wait for an answer with nothing in flight");
                None
            }
        };
        let landing = flying.first_key_value().map(|((at, _), _)| *at);
        now = [until, landing, stop].into_iter().flatten().min().unwrap();
        if stop == Some(now) {
            stop = None;
            schedule.interrupt(now);
        } else if landing == Some(now)
            && let Some(((at, job), answer)) = flying.pop_first()
        {
            let wall = Timestamp::from_second(START).unwrap() + at;
            schedule.answered(JobId(job), at, wall, answer, 1.0);
        }
    }
    panic!("the run does not end");
}

#[test]
fn nothing_to_send_is_finished_at_once() {
    let run = run(&jobs(&[]), &settings(), |_, _, _| panic!("nothing is sent"));
    assert_eq!((run.endings.len(), run.waits.len()), (0, 0));
}

#[test]
fn dispatches_start_in_plan_order_and_never_more_than_allowed_at_a_time() {
    let run = run(&jobs(&[0; 40]), &with_concurrency(16), |_, _, _| (MS(100), status(204)));
    let order: Vec<_> = run.sent.iter().map(|sent| sent.job).collect();
    assert_eq!(order, (0..40).collect::<Vec<_>>());
    assert_eq!(run.most_in_flight, 16);
    assert_eq!(run.sent.last().unwrap().answered, MS(300));
    assert_eq!(run.outcomes(), [Outcome::Delivered; 40]);
    assert_eq!(run.waits, [], "sixteen at a time need no clock");
}

#[test]
fn a_server_failure_is_tried_five_times_with_doubling_back_off() {
    let run = run(&jobs(&[0, 0]), &settings(), |job, _, _| {
        (MS(0), status(if job == 0 { 503 } else { 204 }))
    });
    assert_eq!(run.times(0), [0.0, 1.0, 3.0, 7.0, 15.0]);
    assert_eq!(run.times(1), [0.0], "the neighbour neither waits nor hides it");
    assert_eq!(run.outcomes(), [Outcome::Exhausted, Outcome::Delivered]);
    assert_eq!((run.endings[0].attempts, run.endings[0].status), (5, Some(503)));
    let back_offs: Vec<_> = run.waits.iter().map(|(_, reason)| *reason).collect();
    assert_eq!(back_offs, [Reason::Retry; 4]);
}

#[test]
fn a_dispatch_that_recovers_is_delivered_without_an_error() {
    let run = run(&jobs(&[0]), &settings(), |_, attempt, _| {
        let answer = if attempt < 5 { lost(TransportKind::Timeout) } else { status(204) };
        (S(1), answer)
    });
    // Five answers, after a second each, and back-offs of 1, 2, 4 and 8 s.
    let answered_at = Timestamp::from_second(START + 20).ok();
    let delivered = Ending {
        attempts: 5,
        may_have_arrived: true,
        status: Some(204),
        answered_at,
        ..Ending::unsent(Outcome::Delivered)
    };
    assert_eq!(run.endings, [delivered]);
}

#[test]
fn a_refused_token_ends_all_that_use_it_and_nothing_else() {
    let run = run(&jobs(&[0, 1, 0, 1, 0]), &with_concurrency(1), |job, _, _| {
        (S(1), status(if job == 0 { 401 } else { 204 }))
    });
    use Outcome::{Delivered, Failed};
    assert_eq!(run.outcomes(), [Failed, Delivered, Failed, Delivered, Failed]);
    let attempts: Vec<_> = run.endings.iter().map(|ending| ending.attempts).collect();
    assert_eq!(attempts, [1, 1, 0, 1, 0]);
    assert!(run.error(0).starts_with("the token in PAT was refused (401"), "{}", run.error(0));
    assert!(run.error(2).starts_with("not sent, because the token in PAT"), "{}", run.error(2));
    assert_eq!(run.endings[2].status, None);
}

#[test]
fn a_token_that_is_refused_ends_back_offs_and_what_is_in_flight_may_still_succeed() {
    let run = run(&jobs(&[0, 0, 0]), &settings(), |job, _, _| match job {
        0 => (S(0), status(503)),
        1 => (MS(500), status(401)),
        _ => (S(2), status(204)),
    });
    assert_eq!(run.outcomes(), [Outcome::Failed, Outcome::Failed, Outcome::Delivered]);
    assert!(run.error(0).starts_with("not sent again, because"), "{}", run.error(0));
    assert_eq!((run.endings[0].attempts, run.endings[0].status), (1, Some(503)));
}

#[test]
fn one_limit_stops_every_sender_of_the_token_and_no_other() {
    // Four at a time of one token; the first is limited for 30 s. The other token goes on.
    let tokens = [0, 0, 0, 0, 1, 0, 1, 0];
    let run = run(&jobs(&tokens), &with_concurrency(4), |job, attempt, _| {
        (S(1), if job == 0 && attempt == 1 { limited("30") } else { status(204) })
    });
    assert_eq!(run.outcomes(), [Outcome::Delivered; 8]);
    assert_eq!(run.times(0), [0.0, 31.0], "the limited one goes first, at its place in the plan");
    assert_eq!((run.times(4), run.times(6)), (vec![1.0], vec![1.0]));
    assert_eq!((run.times(5), run.times(7)), (vec![32.0], vec![32.0]), "after the probe's answer");
    assert!(run.waits.contains(&(S(31), Reason::Limit)), "{:?}", run.waits);
    assert_eq!(run.endings[0].attempts, 2);
}

#[test]
fn a_hanging_probe_keeps_the_others_back_for_five_seconds() {
    let run = run(&jobs(&[0; 4]), &with_concurrency(2), |job, attempt, _| match (job, attempt) {
        (0, 1) => (S(0), limited("10")),
        (0, 2) => (S(30), status(204)),
        _ => (S(0), status(204)),
    });
    // The second was in flight already when the gate closed.
    assert_eq!((run.times(0), run.times(1)), (vec![0.0, 10.0], vec![0.0]));
    assert_eq!((run.times(2), run.times(3)), (vec![15.0], vec![15.0]));
}

#[test]
fn limits_do_not_use_up_the_attempts() {
    let run = run(&jobs(&[0]), &settings(), |_, attempt, _| {
        (S(0), if attempt <= 8 { limited("2") } else { status(204) })
    });
    assert_eq!((run.outcomes(), run.endings[0].attempts), (vec![Outcome::Delivered], 9));
}

#[test]
fn a_server_that_lies_with_zero_is_not_hammered() {
    let run = run(&jobs(&[0; 30]), &settings(), |_, _, _| (S(0), limited("0")));
    assert_eq!(run.outcomes(), [Outcome::Deferred; 30]);
    // 16 go at once; then one at a time, 1 + 2 + 4 + … + 60 + 60 … = 900 s at most.
    assert!(run.sent.len() < 16 + 25, "{}", run.sent.len());
    for sent in &run.sent[16..] {
        let near = run.sent[16..].iter().filter(|other| other.at == sent.at);
        assert_eq!(near.count(), 1);
    }
}

#[test]
fn another_answer_ends_a_row_of_limits_and_a_lost_one_does_not() {
    let starts = |between: Answer| {
        let run = run(&jobs(&[0]), &with_concurrency(1), |_, attempt, _| {
            (
                S(0),
                match attempt {
                    1 | 2 | 4 => limited("0"),
                    3 => between.clone(),
                    _ => status(204),
                },
            )
        });
        run.times(0)
    };
    // Waits of 1 s and 2 s, a back-off of 1 s, then again 1 s or on to 4 s.
    assert_eq!(starts(status(503)), [0.0, 1.0, 3.0, 4.0, 5.0]);
    assert_eq!(starts(lost(TransportKind::Reset)), [0.0, 1.0, 3.0, 4.0, 8.0]);
}

#[test]
fn a_limit_past_max_wait_defers_all_of_the_token_with_the_time_to_run_again() {
    let run = run(&jobs(&[0, 0, 1]), &with_concurrency(1), |job, _, _| {
        (S(5), if job == 0 { limited("3600") } else { status(204) })
    });
    assert_eq!(run.outcomes(), [Outcome::Deferred, Outcome::Deferred, Outcome::Delivered]);
    assert_eq!(run.sent.len(), 2, "nothing waits for what was deferred");
    // One second on top, because times of day are cut to the second.
    let after = Timestamp::from_second(START + 5 + 3600 + 1).unwrap();
    for job in [0, 1] {
        assert_eq!(run.endings[job].retry_after, Some(after));
        assert!(run.error(job).contains(&after.to_string()), "{}", run.error(job));
        assert!(run.error(job).contains("PAT"), "{}", run.error(job));
    }
    assert_eq!((run.endings[1].attempts, run.endings[1].status), (0, None));
}

#[test]
fn the_waits_for_limits_add_up_and_those_for_the_pace_do_not() {
    // Each dispatch is limited for 400 s once: the third would pass 900 s.
    let run_limited = run(&jobs(&[0, 0, 0, 0]), &with_concurrency(1), |_, attempt, _| {
        (S(0), if attempt == 1 { limited("400") } else { status(204) })
    });
    use Outcome::{Deferred, Delivered};
    assert_eq!(run_limited.outcomes(), [Delivered, Delivered, Deferred, Deferred]);

    let slow = Settings { per_minute: NonZeroU32::MIN, ..settings() };
    let run_paced = run(&jobs(&[0; 40]), &slow, |_, _, _| (S(0), status(204)));
    assert_eq!(run_paced.outcomes(), [Delivered; 40]);
    assert_eq!(run_paced.sent.last().unwrap().at, S(39 * 60));
}

/// The least time in which `total` requests of latency `latency` can be sent and answered when a
/// request holds its place for a minute and an hour after its answer and 16 go at a time: the
/// `number`th is one of a wave of 16, five of which fill a minute; the hour is full after 500.
fn least_time(total: u64, latency: Duration) -> Duration {
    let number = total - 1;
    let (hour, in_hour) = (number / 500, number % 500);
    let (minute, in_minute) = (in_hour / 80, in_hour % 80);
    let times = |each: Duration, count: u64| each * u32::try_from(count).unwrap();
    times(S(3600) + latency, hour)
        + times(S(60) + latency, minute)
        + times(latency, in_minute / 16)
        + latency
}

#[test]
fn a_thousand_dispatches_take_exactly_the_least_time_that_githubs_limits_allow() {
    assert_eq!(least_time(1000, S(0)), S(3600 + 6 * 60));
    for latency in [MS(0), MS(100), MS(850)] {
        let run = run(&jobs(&[0; 1000]), &settings(), |_, _, _| (latency, status(204)));
        assert_eq!(run.outcomes(), [Outcome::Delivered; 1000]);
        let end = run.sent.iter().map(|sent| sent.answered).max().unwrap();
        assert_eq!(end, least_time(1000, latency));
        // Wherever between sending and answer the server counts, no window holds too many.
        for counted in [|sent: &Sent| sent.at, |sent: &Sent| sent.answered] {
            let times: Vec<Duration> = run.sent.iter().map(counted).collect();
            for (limit, length) in [(80, S(60)), (500, S(3600))] {
                for (first, after) in times.iter().zip(&times[limit..]) {
                    assert!(*after - *first >= length, "{first:?} {after:?}");
                }
            }
        }
    }
}

#[test]
fn ten_thousand_tokens_each_have_a_gate_of_their_own() {
    let tokens: Vec<usize> = (0..10_000).collect();
    let run = run(&jobs(&tokens), &settings(), |_, attempt, _| {
        (MS(10), if attempt == 1 { limited("1") } else { status(204) })
    });
    assert_eq!(run.sent.len(), 20_000);
    assert!(run.outcomes().iter().all(|outcome| *outcome == Outcome::Delivered));
}

/// Any answer at all, and how long it takes.
fn any_answer() -> impl Strategy<Value = (Duration, Answer)> {
    let answer = prop_oneof![
        4 => Just(status(204)),
        2 => prop_oneof![Just("0"), Just("1"), Just("70"), Just("soon"), Just("100000")].prop_map(limited),
        1 => prop_oneof![Just(200), Just(403), Just(404), Just(429), Just(500), Just(503)].prop_map(status),
        1 => prop_oneof![Just(TransportKind::Timeout), Just(TransportKind::Tls)].prop_map(lost),
        1 => proptest::num::u16::ANY.prop_map(status),
    ];
    let latency = prop_oneof![Just(0), 0u64..2_000, 0u64..90_000].prop_map(MS);
    (latency, answer, 0u32..5)
        .prop_map(|(latency, answer, requests)| (latency, Answer { requests, ..answer }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_is_answered_every_dispatch_ends_once_and_no_rule_is_broken(
        tokens in proptest::collection::vec(0usize..3, 1..40),
        answers in proptest::collection::vec(any_answer(), 1..60),
        concurrency in 1usize..8,
        per_minute in 1u32..100,
        max_wait in prop_oneof![Just(0u64), 1u64..1_000],
        stop in proptest::option::of((0u64..200_000).prop_map(MS)),
    ) {
        let jobs = jobs(&tokens);
        let settings = Settings {
            per_minute: NonZeroU32::new(per_minute).unwrap(),
            max_wait: S(max_wait),
            ..with_concurrency(concurrency)
        };
        let mut answers = answers.iter().cycle();
        let mut given: HashMap<usize, Vec<(Duration, Answer)>> = HashMap::new();
        let run = run_until(&jobs, &settings, stop, |job, _, at| {
            let (latency, answer) = answers.next().unwrap().clone();
            given.entry(job).or_default().push((at + latency, answer.clone()));
            (latency, answer)
        });
        prop_assert!(run.most_in_flight <= concurrency);
        for (job, ending) in run.endings.iter().enumerate() {
            let sent: Vec<_> = run.sent.iter().filter(|sent| sent.job == job).collect();
            prop_assert_eq!(ending.attempts as usize, sent.len());
            prop_assert!(ending.outcome != Outcome::Planned);
            prop_assert_eq!(ending.outcome == Outcome::Delivered, ending.error.is_none());
            prop_assert_eq!(ending.outcome == Outcome::Deferred, ending.retry_after.is_some());
            prop_assert!(stop.is_some() || ending.outcome != Outcome::Skipped);
            // Delivered is what was answered 204, and nothing is sent after that.
            let all = given.get(&job).map_or(&[][..], Vec::as_slice);
            let accepted = |answer: &Answer| matches!(&answer.result, Ok(reply) if reply.status == 204);
            let first = all.iter().position(|(_, answer)| accepted(answer));
            prop_assert!(first.is_none_or(|at| at + 1 == all.len()));
            prop_assert!(ending.outcome != Outcome::Delivered || first.is_some());
        }
        // Nothing is sent after the stop, with a refused token, or while a limit asks to wait.
        for sent in &run.sent {
            prop_assert!(stop.is_none_or(|stop| sent.at <= stop));
            for (other, answers) in &given {
                for (answered, answer) in answers {
                    let same = tokens[*other] == tokens[sent.job];
                    let Ok(reply) = &answer.result else { continue };
                    if !same || *answered >= sent.at {
                        continue;
                    }
                    prop_assert!(reply.status != 401, "{} sent after a 401", sent.job);
                    let Some(wait) = reply.is_limit().then(|| reply.limits.asked_wait(Timestamp::UNIX_EPOCH)).flatten() else { continue };
                    prop_assert!(sent.at >= *answered + wait.max(S(1)), "{} sent at {:?} during a limit", sent.job, sent.at);
                }
            }
        }
    }
}

#[path = "schedule_tests/endings.rs"]
mod endings;
