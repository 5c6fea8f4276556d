//! What an answer means for a read or a write: the caller's, or to be asked for again. One pure
//! function, as [`retry`](crate::delivery::retry) is for dispatches, with the same back-off and
//! number of attempts. It differs in what is final: the caller wants to see a 404 or a refused
//! redirect, and judges it by what was asked for; and what would be there twice is not sent again
//! while nobody knows whether it is there.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::retry::{ATTEMPTS, NETWORK_REMEDY, TLS_REMEDY, back_off};
use crate::github::error::explain;
use crate::github::{Read, Reply, TransportError, TransportKind, Write};
use crate::names::RepoName;

/// What to do with a read after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The reply is the caller's.
    Answered(Box<Reply>),
    /// The token was refused: so will everything else be that uses it.
    TokenRefused(String),
    /// A limit, with the wait that was asked for, if one was; the read keeps its attempts.
    Limited(Option<Duration>, String),
    /// It is sent again after this back-off.
    Retry(Duration),
    /// The attempts are used up.
    Unreachable(String),
    /// There is no token to send the read with.
    NoToken(String),
    /// It may have created what it was to create, and is not sent again.
    Unknown(String),
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked<'a> {
    Read(&'a Read),
    Write(&'a Write),
}

impl Asked<'_> {
    fn repo(&self) -> &RepoName {
        match self {
            Self::Read(read) => read.repo(),
            Self::Write(write) => write.repo(),
        }
    }

    fn creates(&self) -> bool {
        matches!(self, Self::Write(write) if write.creates())
    }
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(read) => read.fmt(f),
            Self::Write(write) => write.fmt(f),
        }
    }
}

/// Returns what to do after `result`. The other arguments are those of
/// [`decide`](crate::delivery::retry::decide).
pub(super) fn judge(
    result: Result<Reply, TransportError>,
    attempt: u32,
    asked: Asked<'_>,
    token: &str,
    wall: Timestamp,
    jitter: f64,
) -> Verdict {
    let again = |error: &dyn Fn() -> String, remedy: &str| {
        if attempt < ATTEMPTS {
            Verdict::Retry(back_off(attempt, jitter))
        } else {
            Verdict::Unreachable(format!("{}; tried {attempt} times, {remedy}", error()))
        }
    };
    // Whoever creates is told at once: a look at what is there tells more than another attempt.
    let unsure = |error: &dyn Fn() -> String| {
        if asked.creates() { Verdict::Unknown(error()) } else { again(error, LATER) }
    };
    let reply = match result {
        Err(error) if error.kind == TransportKind::Tls && attempt > 1 => {
            return Verdict::Unreachable(format!("{error}; {TLS_REMEDY}"));
        }
        Err(error) if error.kind == TransportKind::NoToken => {
            return Verdict::NoToken(error.to_string());
        }
        Err(error) if error.sent => return unsure(&|| error.to_string()),
        Err(error) => return again(&|| error.to_string(), NETWORK_REMEDY),
        Ok(reply) => reply,
    };
    let error = || explain(&reply, asked.repo(), token);
    match reply.status {
        _ if reply.refused.is_some() => Verdict::Answered(Box::new(reply)),
        401 => Verdict::TokenRefused(error()),
        _ if reply.is_limit() => Verdict::Limited(reply.limits.asked_wait(wall), error()),
        500..=599 => unsure(&error),
        status if reply.broken => unsure(&|| format!("the answer to {asked} broke off ({status})")),
        _ => Verdict::Answered(Box::new(reply)),
    }
}

/// What to do about a server that is there and fails.
const LATER: &str = "run again later";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::github::{LimitHeaders, RefusedRedirect};
    use crate::names::RepoName;

    fn judged(result: Result<Reply, TransportError>, attempt: u32, jitter: f64) -> Verdict {
        let read = Read::new(&RepoName::parse("acme/web").unwrap(), &["contents", "a b"], &[]);
        judge(result, attempt, Asked::Read(&read.unwrap()), "PAT", Timestamp::UNIX_EPOCH, jitter)
    }

    fn written(write: &Write, result: Result<Reply, TransportError>) -> Verdict {
        judge(result, 1, Asked::Write(write), "PAT", Timestamp::UNIX_EPOCH, 0.5)
    }

    #[test]
    fn what_creates_is_sent_again_only_when_it_cannot_have_arrived_or_was_limited() {
        let repo = RepoName::parse("acme/mono").unwrap();
        let body = serde_json::json!({});
        let post = Write::post(&repo, &["issues"], &body).unwrap();
        let patch = Write::patch(&repo, &["issues", "1"], &body).unwrap();
        let broken = |status| Ok(Reply { broken: true, ..reply(status) });
        let text = |verdict: Verdict| match verdict {
            Verdict::Answered(_) => "answered".to_owned(),
            Verdict::Limited(..) => "limited".to_owned(),
            Verdict::Retry(_) => "again".to_owned(),
            Verdict::TokenRefused(_) => "token refused".to_owned(),
            Verdict::NoToken(text) | Verdict::Unknown(text) | Verdict::Unreachable(text) => text,
        };
        for (result, created, patched) in [
            (Ok(reply(201)), "answered", "answered"),
            (Ok(reply(200)), "answered", "answered"),
            (Ok(reply(403)), "answered", "answered"),
            (Ok(reply(422)), "answered", "answered"),
            (Ok(reply(401)), "token refused", "token refused"),
            (Ok(reply(429)), "limited", "limited"),
            (Ok(reply(502)), "the server failed (502: \"M\")", "again"),
            (broken(201), "the answer to POST /repos/acme/mono/issues broke off (201)", "again"),
            (transport(TransportKind::Timeout), "timed out: why", "again"),
            (transport(TransportKind::Reset), "the connection was lost: why", "again"),
            (transport(TransportKind::Connect), "again", "again"),
            (transport(TransportKind::Dns), "again", "again"),
            (transport(TransportKind::Tls), "again", "again"),
        ] {
            assert_eq!(text(written(&post, result.clone())), created, "{result:?}");
            assert_eq!(text(written(&patch, result.clone())), patched, "{result:?}");
        }
    }

    fn reply(status: u16) -> Reply {
        Reply { status, message: Some("M".to_owned()), ..Reply::default() }
    }

    fn transport(kind: TransportKind) -> Result<Reply, TransportError> {
        let sent = matches!(kind, TransportKind::Timeout | TransportKind::Reset);
        Err(TransportError { kind, cause: "why".to_owned(), sent })
    }

    #[test]
    fn each_answer_has_one_verdict() {
        let mut table = String::new();
        let mut row = |what: &str, attempt, result: Result<Reply, TransportError>| {
            let verdict = match judged(result, attempt, 0.5) {
                Verdict::Answered(_) => "answered".to_owned(),
                Verdict::TokenRefused(_) => "token refused".to_owned(),
                Verdict::Limited(asked, _) => format!("limited, asked for {asked:?}"),
                Verdict::Retry(after) => format!("again after {after:?}"),
                Verdict::Unreachable(_) => "unreachable".to_owned(),
                Verdict::NoToken(_) => "no token".to_owned(),
                Verdict::Unknown(_) => "unknown".to_owned(),
            };
            table += &format!("{what:<24} {attempt}  {verdict}\n");
        };
        for code in [200, 202, 204, 299, 400, 401, 403, 404, 409, 410, 422, 429, 451, 600] {
            row(&code.to_string(), 1, Ok(reply(code)));
        }
        for code in [300, 303, 304, 307] {
            let refused = Some(RefusedRedirect::NotForGet);
            let broken = code == 307;
            row(&format!("{code} refused"), 1, Ok(Reply { refused, broken, ..reply(code) }));
        }
        row("200 too large", 1, Ok(Reply { too_large: true, ..reply(200) }));
        let limits = |retry_after: Option<&str>, remaining: Option<&str>| LimitHeaders {
            retry_after: retry_after.map(ToOwned::to_owned),
            remaining: remaining.map(ToOwned::to_owned),
            reset: Some("10".to_owned()),
            date: None,
        };
        for (what, code, limits) in [
            ("retry-after", 403, limits(Some("30"), None)),
            ("retry-after odd", 403, limits(Some("soon"), None)),
            ("none remain", 403, limits(None, Some("0"))),
            ("retry-after", 429, limits(Some("0"), None)),
            ("none remain", 200, limits(None, Some("0"))),
            ("none remain", 404, limits(None, Some("0"))),
            ("none remain", 401, limits(None, Some("0"))),
            ("retry-after", 503, limits(Some("30"), None)),
        ] {
            row(&format!("{code} {what}"), 1, Ok(Reply { limits, ..reply(code) }));
        }
        let message = Some("You have exceeded a secondary rate limit".to_owned());
        row("403 secondary", 1, Ok(Reply { message, ..reply(403) }));
        for code in [200, 401, 403, 404] {
            row(&format!("{code} broken off"), 1, Ok(Reply { broken: true, ..reply(code) }));
        }
        row("200 broken off", 5, Ok(Reply { broken: true, ..reply(200) }));
        for attempt in 1..=5 {
            row("503", attempt, Ok(reply(503)));
        }
        insta::assert_snapshot!(table, @"
        200                      1  answered
        202                      1  answered
        204                      1  answered
        299                      1  answered
        400                      1  answered
        401                      1  token refused
        403                      1  answered
        404                      1  answered
        409                      1  answered
        410                      1  answered
        422                      1  answered
        429                      1  limited, asked for None
        451                      1  answered
        600                      1  answered
        300 refused              1  answered
        303 refused              1  answered
        304 refused              1  answered
        307 refused              1  answered
        200 too large            1  answered
        403 retry-after          1  limited, asked for Some(30s)
        403 retry-after odd      1  limited, asked for None
        403 none remain          1  limited, asked for Some(11s)
        429 retry-after          1  limited, asked for Some(0ns)
        200 none remain          1  answered
        404 none remain          1  answered
        401 none remain          1  token refused
        503 retry-after          1  again after 500ms
        403 secondary            1  limited, asked for None
        200 broken off           1  again after 500ms
        401 broken off           1  token refused
        403 broken off           1  again after 500ms
        404 broken off           1  again after 500ms
        200 broken off           5  unreachable
        503                      1  again after 500ms
        503                      2  again after 1s
        503                      3  again after 2s
        503                      4  again after 4s
        503                      5  unreachable
        ");
    }

    #[test]
    fn what_was_not_answered_is_asked_again_unless_that_is_no_use() {
        use TransportKind::{Broken, Connect, Dns, NoToken, NoTokenYet, Reset, Timeout, Tls};
        let asked = |kind, attempt| match judged(transport(kind), attempt, 0.5) {
            Verdict::Retry(after) => format!("{after:?}"),
            Verdict::Unreachable(_) => "unreachable".to_owned(),
            Verdict::NoToken(_) => "no token".to_owned(),
            other => panic!("{other:?}"),
        };
        for (kinds, verdicts) in [
            (
                &[Timeout, Dns, Connect, Reset, Broken, NoTokenYet][..],
                ["500ms", "1s", "2s", "4s", "unreachable"],
            ),
            (&[Tls], ["500ms", "unreachable", "unreachable", "unreachable", "unreachable"]),
            (&[NoToken], ["no token"; 5]),
        ] {
            for kind in kinds {
                assert_eq!(
                    [1, 2, 3, 4, 5].map(|attempt| asked(*kind, attempt)),
                    verdicts,
                    "{kind}"
                );
            }
        }
    }

    #[test]
    fn an_end_says_what_is_known_and_what_to_do() {
        let mut texts = String::new();
        for (result, attempt) in [
            (Ok(reply(503)), 5),
            (Ok(Reply { broken: true, ..reply(200) }), 5),
            (transport(TransportKind::Timeout), 5),
            (transport(TransportKind::Connect), 5),
            (transport(TransportKind::Tls), 2),
            (Ok(reply(401)), 1),
            (Ok(reply(429)), 1),
        ] {
            match judged(result, attempt, 0.0) {
                Verdict::Unreachable(text)
                | Verdict::TokenRefused(text)
                | Verdict::Limited(_, text) => texts += &format!("{text}\n"),
                other => panic!("{other:?}"),
            }
        }
        insta::assert_snapshot!(texts, @r#"
        the server failed (503: "M"); tried 5 times, run again later
        the answer to GET /repos/acme/web/contents/a%20b broke off (200); tried 5 times, run again later
        timed out: why; tried 5 times, run again later
        cannot connect: why; tried 5 times, check the network and GITHUB_API_URL
        TLS failed: why; check the server's certificate, this machine's CA certificates and clock (TLS is never turned off)
        the token in PAT was refused (401: "M"); it is wrong, expired or revoked: replace it
        GitHub's rate limit for the token in PAT (429: "M")
        "#);
    }

    proptest! {
        #[test]
        fn what_is_whole_and_no_failure_of_the_server_is_sent_once(
            code in proptest::num::u16::ANY,
            attempt in 1u32..=5,
            jitter in proptest::num::f64::ANY,
        ) {
            let verdict = judged(Ok(reply(code)), attempt, jitter);
            let again = matches!(verdict, Verdict::Retry(_));
            prop_assert_eq!(again, (500..600).contains(&code) && attempt < ATTEMPTS);
            prop_assert_eq!(matches!(verdict, Verdict::Limited(..)), code == 429);
        }
    }
}
