//! What an answer means for its dispatch: done, refused for good, to be sent again after a
//! back-off, or a limit to wait for. One pure function of the answer, the attempt and a number
//! between 0 and 1 for the jitter, so that the whole policy is one table in the tests. How a
//! limit's wait is shared is the gate's business.

use std::time::Duration;

use jiff::Timestamp;

use crate::github::error::explain;
use crate::github::{Answer, TransportError, TransportKind};
use crate::names::RepoName;

/// How often a dispatch is sent when the server or the network fails. Limits do not count.
pub const ATTEMPTS: u32 = 5;

/// The longest back-off after the first failed attempt; it doubles with each further one.
const BASE: Duration = Duration::from_secs(1);

/// The longest back-off of all.
const CAP: Duration = Duration::from_secs(60);

/// What to do about a TLS failure, which is not tried a third time.
pub(super) const TLS_REMEDY: &str = "check the server's certificate, this machine's CA certificates and clock (TLS is never turned off)";

/// What to do about a server that cannot be reached.
pub(super) const NETWORK_REMEDY: &str = "check the network and GITHUB_API_URL";

/// What to do with a dispatch after an answer. The texts are for the report: lower case, one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It was delivered.
    Delivered,
    /// It was refused for good.
    Failed(String),
    /// The token was refused: so will everything else be that uses it.
    TokenRefused(String),
    /// A limit, with the wait that was asked for, if one was; the dispatch keeps its attempts.
    Limited(Option<Duration>, String),
    /// It is sent again after this back-off.
    Retry(Duration, String),
    /// The attempts are used up.
    Exhausted(String),
}

/// Returns what to do after `answer`.
///
/// `attempt` counts from 1 and leaves out answers that were limits. `token` names the variable of
/// the token. `wall` is this machine's clock, for limits whose answer has no `date`. `jitter`
/// between 0 and 1 chooses the back-off between none and the longest ("full jitter", from
/// Amazon's "Exponential Backoff And Jitter": it keeps senders that failed together from coming
/// back together).
#[must_use]
pub fn decide(
    answer: &Answer,
    attempt: u32,
    repo: &RepoName,
    token: &str,
    wall: Timestamp,
    jitter: f64,
) -> Decision {
    let again = |error: String| {
        if attempt < ATTEMPTS {
            Decision::Retry(back_off(attempt, jitter), error)
        } else {
            let remedy = match &answer.result {
                Err(TransportError { sent: false, .. }) => format!(", {NETWORK_REMEDY}"),
                _ => String::new(),
            };
            Decision::Exhausted(format!("{error}; tried {attempt} times{remedy}"))
        }
    };
    let reply = match &answer.result {
        Err(error) if error.kind == TransportKind::Tls && attempt > 1 => {
            return Decision::Failed(format!("{error}; {TLS_REMEDY}"));
        }
        Err(error) if error.kind == TransportKind::NoToken => {
            return Decision::Failed(error.to_string());
        }
        Err(error) => return again(error.to_string()),
        Ok(reply) => reply,
    };
    let error = || explain(reply, repo, token);
    match reply.status {
        204 => Decision::Delivered,
        401 => Decision::TokenRefused(error()),
        _ if reply.is_limit() => Decision::Limited(reply.limits.asked_wait(wall), error()),
        500..=599 => again(error()),
        _ if reply.broken => again(format!("{}; the answer broke off", error())),
        _ => Decision::Failed(error()),
    }
}

/// Returns whether the dispatch may have arrived, by this answer: it was taken, or nobody knows.
pub(super) fn may_have_arrived(answer: &Answer) -> bool {
    match &answer.result {
        Ok(reply) if reply.is_limit() || reply.status == 401 => false,
        Ok(reply) => reply.broken || matches!(reply.status, 204 | 500..=599),
        Err(error) => error.sent,
    }
}

/// Returns the back-off after the failed `attempt`: `jitter` × (1 s, 2 s, 4 s … 60 s).
pub(super) fn back_off(attempt: u32, jitter: f64) -> Duration {
    let doubled = 2u32.saturating_pow(attempt.saturating_sub(1));
    let longest = BASE.saturating_mul(doubled).min(CAP);
    // A jitter that is no number counts as the longest wait.
    let jitter = if jitter.is_nan() { 1.0 } else { jitter.clamp(0.0, 1.0) };
    longest.mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;
    use crate::github::{LimitHeaders, RefusedRedirect, Reply};

    fn decided(result: Result<Reply, TransportError>, attempt: u32, jitter: f64) -> Decision {
        let repo = RepoName::parse("acme/web").unwrap();
        let answer = Answer { requests: 1, moved: None, result };
        decide(&answer, attempt, &repo, "PAT", Timestamp::UNIX_EPOCH, jitter)
    }

    fn status(status: u16) -> Result<Reply, TransportError> {
        Ok(Reply { status, message: Some("M".to_owned()), ..Reply::default() })
    }

    fn transport(kind: TransportKind) -> Result<Reply, TransportError> {
        let sent = matches!(kind, TransportKind::Timeout | TransportKind::Reset);
        Err(TransportError { kind, cause: "why".to_owned(), sent })
    }

    #[test]
    fn each_answer_has_one_decision() {
        let limits = |change: &dyn Fn(&mut LimitHeaders), status| {
            let mut limits = LimitHeaders::default();
            change(&mut limits);
            Ok(Reply { status, limits, ..Reply::default() })
        };
        let retry_after = |text: &'static str| {
            move |limits: &mut LimitHeaders| limits.retry_after = Some(text.to_owned())
        };
        let none_left = |limits: &mut LimitHeaders| {
            limits.remaining = Some("0".to_owned());
            limits.reset = Some("10".to_owned());
        };
        let message = |status, text: &str| {
            Ok(Reply { status, message: Some(text.to_owned()), ..Reply::default() })
        };
        let refused = |status| {
            Ok(Reply { status, refused: Some(RefusedRedirect::OtherOrigin), ..Reply::default() })
        };
        let broken = |status| Ok(Reply { status, broken: true, ..Reply::default() });
        let mut table = String::new();
        let mut row = |what: &str, attempt, result| {
            let decision = match decided(result, attempt, 0.5) {
                Decision::Delivered => "delivered".to_owned(),
                Decision::Failed(_) => "failed".to_owned(),
                Decision::TokenRefused(_) => "token refused".to_owned(),
                Decision::Limited(asked, _) => format!("limited, asked for {asked:?}"),
                Decision::Retry(after, _) => format!("again after {after:?}"),
                Decision::Exhausted(_) => "exhausted".to_owned(),
            };
            table += &format!("{what:<24} {attempt}  {decision}\n");
        };
        for code in [200, 201, 202, 204, 205, 300, 304] {
            row(&code.to_string(), 1, status(code));
        }
        row("307 elsewhere", 1, refused(307));
        for code in [400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 429, 451] {
            row(&code.to_string(), 1, status(code));
        }
        row("403 retry-after", 1, limits(&retry_after("30"), 403));
        row("403 retry-after odd", 1, limits(&retry_after("soon"), 403));
        row("403 none remain", 1, limits(&none_left, 403));
        row("403 secondary", 1, message(403, "You have exceeded a secondary rate limit"));
        row("429 retry-after", 9, limits(&retry_after("0"), 429));
        for code in [200, 401, 403, 422] {
            row(&format!("{code} broken off"), 1, broken(code));
        }
        row("422 broken off", 5, broken(422));
        row("404 none remain", 1, limits(&none_left, 404));
        row("503 retry-after", 1, limits(&retry_after("30"), 503));
        for code in [500, 502, 599, 600, 999] {
            row(&code.to_string(), 1, status(code));
        }
        for attempt in 1..=5 {
            row("503", attempt, status(503));
        }
        for kind in [
            TransportKind::Timeout,
            TransportKind::Dns,
            TransportKind::Connect,
            TransportKind::Reset,
            TransportKind::Broken,
            TransportKind::Tls,
            TransportKind::NoToken,
            TransportKind::NoTokenYet,
        ] {
            for attempt in [1, 2, 5] {
                row(&kind.to_string(), attempt, transport(kind));
            }
        }
        insta::assert_snapshot!(table, @r#"
        200                      1  failed
        201                      1  failed
        202                      1  failed
        204                      1  delivered
        205                      1  failed
        300                      1  failed
        304                      1  failed
        307 elsewhere            1  failed
        400                      1  failed
        401                      1  token refused
        403                      1  failed
        404                      1  failed
        408                      1  failed
        409                      1  failed
        410                      1  failed
        413                      1  failed
        415                      1  failed
        422                      1  failed
        429                      1  limited, asked for None
        451                      1  failed
        403 retry-after          1  limited, asked for Some(30s)
        403 retry-after odd      1  limited, asked for None
        403 none remain          1  limited, asked for Some(11s)
        403 secondary            1  limited, asked for None
        429 retry-after          9  limited, asked for Some(0ns)
        200 broken off           1  again after 500ms
        401 broken off           1  token refused
        403 broken off           1  again after 500ms
        422 broken off           1  again after 500ms
        422 broken off           5  exhausted
        404 none remain          1  failed
        503 retry-after          1  again after 500ms
        500                      1  again after 500ms
        502                      1  again after 500ms
        599                      1  again after 500ms
        600                      1  failed
        999                      1  failed
        503                      1  again after 500ms
        503                      2  again after 1s
        503                      3  again after 2s
        503                      4  again after 4s
        503                      5  exhausted
        timed out                1  again after 500ms
        timed out                2  again after 1s
        timed out                5  exhausted
        cannot find the host     1  again after 500ms
        cannot find the host     2  again after 1s
        cannot find the host     5  exhausted
        cannot connect           1  again after 500ms
        cannot connect           2  again after 1s
        cannot connect           5  exhausted
        the connection was lost  1  again after 500ms
        the connection was lost  2  again after 1s
        the connection was lost  5  exhausted
        the answer is broken     1  again after 500ms
        the answer is broken     2  again after 1s
        the answer is broken     5  exhausted
        TLS failed               1  again after 500ms
        TLS failed               2  failed
        TLS failed               5  failed
        no token                 1  failed
        no token                 2  failed
        no token                 5  failed
        no token yet             1  again after 500ms
        no token yet             2  again after 1s
        no token yet             5  exhausted
        "#);
    }

    #[test]
    fn an_end_says_what_is_known_and_what_to_do() {
        let mut texts = String::new();
        for (result, attempt) in [
            (status(503), 5),
            (transport(TransportKind::Timeout), 5),
            (transport(TransportKind::Connect), 5),
            (transport(TransportKind::Tls), 2),
            (status(401), 1),
        ] {
            match decided(result, attempt, 0.0) {
                Decision::Exhausted(text)
                | Decision::Failed(text)
                | Decision::TokenRefused(text) => {
                    texts += &format!("{text}\n");
                }
                other => panic!("{other:?}"),
            }
        }
        insta::assert_snapshot!(texts, @r#"
        the server failed (503: "M"); tried 5 times
        timed out: why; tried 5 times
        cannot connect: why; tried 5 times, check the network and GITHUB_API_URL
        TLS failed: why; check the server's certificate, this machine's CA certificates and clock (TLS is never turned off)
        the token in PAT was refused (401: "M"); it is wrong, expired or revoked: replace it
        "#);
    }

    #[test]
    fn the_back_off_doubles_up_to_a_minute() {
        let seconds = |attempt| back_off(attempt, 1.0).as_secs();
        assert_eq!(
            [1, 2, 3, 4, 6, 7, 8, 40, u32::MAX].map(seconds),
            [1, 2, 4, 8, 32, 60, 60, 60, 60]
        );
        assert_eq!(back_off(4, 0.25), Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn no_jitter_and_no_attempt_waits_past_the_cap(
            jitter in proptest::num::f64::ANY,
            attempt in proptest::num::u32::ANY,
            code in proptest::num::u16::ANY,
        ) {
            prop_assert!(back_off(attempt, jitter) <= CAP);
            let again = matches!(decided(status(code), attempt, jitter), Decision::Retry(..));
            prop_assert_eq!(again, (500..600).contains(&code) && attempt < ATTEMPTS);
        }
    }
}
