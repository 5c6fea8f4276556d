//! What the schedule says of how a dispatch ended.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn what_to_do_about_what_has_not_ended_is_said_by_whoever_sends() {
    let settings = Settings { remedies: Remedies::OF_AN_EVENT, ..with_concurrency(2) };
    let stopped = run_until(&jobs(&[0; 3]), &settings, Some(S(3)), |_, _, _| (S(60), status(204)));
    for (job, remedy) in [(0, Remedies::OF_AN_EVENT.unknown), (2, Remedies::OF_AN_EVENT.unsent)] {
        assert!(stopped.error(job).ends_with(remedy), "{}", stopped.error(job));
    }
    let run = run(&jobs(&[0]), &settings, |_, _, _| (S(0), status(503)));
    let end =
        format!("tried 5 times; whether it arrived is unknown: {}", settings.remedies.unknown);
    assert!(run.error(0).ends_with(&end), "{}", run.error(0));
}

#[test]
fn an_interrupted_run_starts_nothing_more_and_gives_what_is_in_flight_ten_seconds() {
    let stop = Some(S(3));
    let run = run_until(&jobs(&[0; 7]), &with_concurrency(5), stop, |job, _, _| match job {
        0 => (S(1), status(503)), // waits for its back-off at 3 s: it ended at 1 s, again at 2 s
        1 => (S(5), status(204)), // within the grace
        2 => (S(5), status(503)), // would be sent again
        3 => (S(5), limited("1")), // would be sent again
        _ => (S(60), status(204)), // hangs
    });
    use Outcome::{Delivered, Exhausted, Skipped};
    let [first, outcomes @ ..] = &run.outcomes()[..] else { panic!() };
    assert_eq!(outcomes, [Delivered, Skipped, Skipped, Exhausted, Exhausted, Skipped]);
    assert_eq!(*first, Skipped);
    assert_eq!(
        run.error(4),
        "interrupted while in flight; whether it arrived is unknown: run again, receivers know a repeat by its dispatch_id"
    );
    assert!(
        run.error(0).starts_with(
            "interrupted before it was sent again; before that: the server failed (503"
        )
    );
    let unsure =
        "; whether it arrived is unknown: run again, receivers know a repeat by its dispatch_id";
    for job in [0, 2] {
        assert!(run.error(job).ends_with(unsure), "{}", run.error(job));
    }
    assert!(run.error(2).starts_with("interrupted before it was sent again"), "{}", run.error(2));
    assert!(run.error(3).ends_with("; run again for the same range"), "{}", run.error(3));
    assert!(run.error(6).starts_with("interrupted before it was sent;"), "{}", run.error(6));
    assert_eq!(run.endings[6].attempts, 0);
    assert_eq!(run.waits.last(), Some(&(S(13), Reason::Stopping)));
}

/// Whoever repeats an event without an id has to know that it may be there already.
#[test]
fn an_attempt_that_may_have_arrived_is_not_forgotten_for_what_came_after_it() {
    let settings = Settings { remedies: Remedies::OF_AN_EVENT, ..settings() };
    let unsent = |kind| {
        let error = TransportError { kind, cause: "why".to_owned(), sent: false };
        Answer { requests: 1, moved: None, result: Err(error) }
    };
    let broken = Answer {
        requests: 1,
        moved: None,
        result: Ok(Reply { status: 422, broken: true, ..Reply::default() }),
    };
    let firsts = [
        ("502", status(502)),
        ("timed out", lost(TransportKind::Timeout)),
        ("reset", lost(TransportKind::Reset)),
        ("422 broken off", broken),
        ("not connected", unsent(TransportKind::Connect)),
        ("429", limited("1")),
    ];
    let lasts = [
        ("204", status(204)),
        ("401", status(401)),
        ("404", status(404)),
        ("429", limited("100000")),
        ("502", status(502)),
        ("not connected", unsent(TransportKind::Connect)),
        ("TLS", unsent(TransportKind::Tls)),
        ("hangs", status(204)),
        ("stopped", status(204)),
    ];
    // A question mark: it may have arrived.
    let mut table = format!("{:<14}", "first, last:");
    table.extend(lasts.iter().map(|(last, _)| format!(" {last:<14}")));
    for (first, answered_first) in &firsts {
        table = format!("{}\n{first:<14}", table.trim_end());
        for (last, answered_last) in &lasts {
            let stop = match *last {
                "stopped" => Some(MS(500)),
                "hangs" => Some(S(5)),
                _ => None,
            };
            let run = run_until(&jobs(&[0]), &settings, stop, |_, attempt, _| match attempt {
                1 => (S(0), answered_first.clone()),
                _ if *last == "hangs" => (S(600), answered_last.clone()),
                _ => (S(0), answered_last.clone()),
            });
            let ending = &run.endings[0];
            let warned = run.error(0).ends_with(Remedies::OF_AN_EVENT.unknown);
            // Whoever may have it is never told just to send it again, and whoever has not is.
            let unwarned = ending.outcome == Outcome::Delivered;
            assert_eq!(ending.may_have_arrived, warned || unwarned, "{first}, {last}");
            assert_eq!(run.error(0).matches("unknown").count() > 0, warned, "{}", run.error(0));
            let outcome = format!("{}{}", ending.outcome, if warned { "?" } else { "" });
            table += &format!(" {outcome:<14}");
        }
    }
    insta::assert_snapshot!(table.trim_end(), @"
    first, last:   204            401            404            429            502            not connected  TLS            hangs          stopped
    502            delivered      failed?        failed?        deferred?      exhausted?     exhausted?     failed?        exhausted?     skipped?
    timed out      delivered      failed?        failed?        deferred?      exhausted?     exhausted?     failed?        exhausted?     skipped?
    reset          delivered      failed?        failed?        deferred?      exhausted?     exhausted?     failed?        exhausted?     skipped?
    422 broken off delivered      failed?        failed?        deferred?      exhausted?     exhausted?     failed?        exhausted?     skipped?
    not connected  delivered      failed         failed         deferred       exhausted?     exhausted      failed         exhausted?     skipped
    429            delivered      failed         failed         deferred       exhausted?     exhausted      failed         exhausted?     skipped
    ");
}

#[test]
fn what_was_answered_before_stands_before_what_is_unknown() {
    let run = run(&jobs(&[0]), &settings(), |_, attempt, _| {
        (S(0), status(if attempt == 1 { 502 } else { 404 }))
    });
    insta::assert_snapshot!(run.error(0), @"not found, or the token cannot see it (404: no message); `GH_TOKEN=\"$PAT\" gh api repos/acme/r0` tells which: an answer means that the token lacks write access, a 404 that the name is wrong or the token was not given this repository; whether it arrived is unknown: run again, receivers know a repeat by its dispatch_id");
}

#[test]
fn an_answer_after_the_end_changes_nothing() {
    let mut schedule = Schedule::new(jobs(&[0]), &settings());
    assert_eq!(schedule.next(S(0)), Step::Start(JobId(0)));
    let wall = Timestamp::UNIX_EPOCH;
    schedule.answered(JobId(0), S(1), wall, status(404), 0.5);
    schedule.answered(JobId(0), S(2), wall, status(204), 0.5);
    schedule.answered(JobId(9), S(2), wall, status(204), 0.5);
    assert_eq!(schedule.take_ended(), [JobId(0)]);
    assert_eq!(schedule.ending(JobId(0)).unwrap().outcome, Outcome::Failed);
    assert_eq!(schedule.next(S(2)), Step::Finished);
}

#[test]
fn a_rename_is_remembered_through_a_retry() {
    let run = run(&jobs(&[0]), &settings(), |_, attempt, _| {
        let moved = (attempt == 1).then_some(Moved::ToId(7));
        let code = if attempt == 1 { 502 } else { 204 };
        (S(0), Answer { requests: 2, moved, ..status(code) })
    });
    assert_eq!(run.endings[0].renamed_to, Some(Moved::ToId(7)));
}
