//! What GitHub's answers say about its limits: whether an answer is one, and how long it asks to
//! wait. Headers are kept as they came and read here, by pure functions that take any text without
//! a panic. How waits add up over a run is `delivery`'s business.
//! Source: "Rate limits for the REST API" and "Best practices for using the REST API" in GitHub's
//! documentation.

use std::time::Duration;

use jiff::Timestamp;

/// A wait longer than this is a mistake of the server's, and not taken as understood.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The headers of an answer that speak about limits, as text, not yet understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitHeaders {
    /// `retry-after`: seconds, or an HTTP date.
    pub retry_after: Option<String>,
    /// `x-ratelimit-remaining`: how many requests are left.
    pub remaining: Option<String>,
    /// `x-ratelimit-reset`: when there are more again, in seconds since 1970.
    pub reset: Option<String>,
    /// `date`: the server's clock, in whole seconds, which the others are measured against.
    pub date: Option<String>,
}

impl LimitHeaders {
    /// Returns whether an answer with this status and message is a limit, and not a refusal: any
    /// 429, and a 403 that says so by a header or by its message.
    #[must_use]
    pub fn is_limit(&self, status: u16, message: Option<&str>) -> bool {
        let said = || {
            message.is_some_and(|text| text.to_ascii_lowercase().contains("secondary rate limit"))
        };
        status == 429
            || (status == 403 && (self.retry_after.is_some() || self.none_remain() || said()))
    }

    /// Returns how long the server asks to wait, by the first header that can be understood:
    /// `retry-after`, then `x-ratelimit-reset` and one second when nothing remains. `wall` is this
    /// machine's clock, used when the answer has no `date`.
    ///
    /// A time in the past, a wait of more than a year and anything else that makes no sense is as
    /// if it were not there.
    #[must_use]
    pub fn asked_wait(&self, wall: Timestamp) -> Option<Duration> {
        let now = self.said_at().unwrap_or(wall);
        let until = |then: Timestamp| Duration::try_from(then.duration_since(now)).ok();
        let by_retry_after = || {
            let text = self.retry_after.as_deref()?.trim();
            match digits(text) {
                Some(seconds) => Some(Duration::from_secs(seconds)),
                None => until(http_date(text)?),
            }
        };
        let by_reset = || {
            let seconds = digits(self.reset.as_deref().filter(|_| self.none_remain())?)?;
            let reset = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
            until(reset)?.checked_add(Duration::from_secs(1))
        };
        let sane = |wait: &Duration| *wait <= LONGEST;
        by_retry_after().filter(sane).or_else(|| by_reset().filter(sane))
    }

    /// Returns when the answer was made, by the server's clock.
    #[must_use]
    pub fn said_at(&self) -> Option<Timestamp> {
        self.date.as_deref().and_then(http_date)
    }

    fn none_remain(&self) -> bool {
        self.remaining.as_deref().and_then(digits) == Some(0)
    }
}

/// Returns the number when the text is digits only: no sign, no fraction.
fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text.trim()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    /// 2026-01-02 03:04:05 UTC: the server's clock in these tests. Ours is an hour off.
    const SERVER: i64 = 1_767_323_045;
    const DATE: &str = "Fri, 02 Jan 2026 03:04:05 GMT";

    fn wait(retry_after: &str, remaining: &str, reset: &str, date: &str) -> Option<u64> {
        let some = |text: &str| (text != "-").then(|| text.to_owned());
        let headers = LimitHeaders {
            retry_after: some(retry_after),
            remaining: some(remaining),
            reset: some(reset),
            date: some(date),
        };
        let wall = Timestamp::from_second(SERVER + 3600).unwrap();
        headers.asked_wait(wall).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_first_header_that_can_be_understood_is_taken() {
        let reset = (SERVER + 100).to_string();
        let past = (SERVER - 1).to_string();
        for (retry_after, remaining, reset, date, seconds) in [
            ("30", "-", "-", DATE, Some(30)),
            (" 30 ", "-", "-", "-", Some(30)),
            ("0", "0", &reset, DATE, Some(0)),
            ("30", "0", &reset, DATE, Some(30)),
            ("172800", "-", "-", DATE, Some(172_800)),
            // Dates are measured against the server's clock, in all three forms of RFC 9110.
            ("Fri, 02 Jan 2026 03:05:05 GMT", "-", "-", DATE, Some(60)),
            ("Friday, 02-Jan-26 03:05:05 GMT", "-", "-", DATE, Some(60)),
            ("Fri Jan  2 03:05:05 2026", "-", "-", DATE, Some(60)),
            (DATE, "-", "-", DATE, Some(0)),
            // Without the server's clock ours must do; a date that cannot be read is none.
            ("Fri, 02 Jan 2026 04:05:05 GMT", "-", "-", "-", Some(60)),
            ("Fri, 02 Jan 2026 04:05:05 GMT", "-", "-", "yesterday", Some(60)),
            // What is past or makes no sense falls to the next rule.
            ("Fri, 02 Jan 2026 03:04:04 GMT", "0", &reset, DATE, Some(101)),
            ("soon", "0", &reset, DATE, Some(101)),
            ("-5", "0", &reset, DATE, Some(101)),
            ("+5", "0", &reset, DATE, Some(101)),
            ("1.5", "0", &reset, DATE, Some(101)),
            ("", "0", &reset, DATE, Some(101)),
            ("99999999999", "0", &reset, DATE, Some(101)),
            ("99999999999999999999999", "0", &reset, DATE, Some(101)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", "0", &reset, DATE, Some(101)),
            ("-", "0", &reset, DATE, Some(101)),
            ("-", "0", &SERVER.to_string(), DATE, Some(1)),
            ("-", "0", &past, DATE, None),
            ("-", "0", "0", DATE, None),
            ("-", "0", "-1", DATE, None),
            ("-", "0", "18446744073709551615", DATE, None),
            ("-", "0", "9223372036854775807", DATE, None),
            ("-", "1", &reset, DATE, None),
            ("-", "", &reset, DATE, None),
            ("-", "-", &reset, DATE, None),
            ("-", "-", "-", "-", None),
        ] {
            assert_eq!(
                wait(retry_after, remaining, reset, date),
                seconds,
                "{retry_after:?} {remaining:?} {reset:?} {date:?}"
            );
        }
    }

    #[test]
    fn a_429_is_a_limit_and_a_403_only_when_it_says_so() {
        let none = LimitHeaders::default();
        let retry = LimitHeaders { retry_after: Some("x".to_owned()), ..none.clone() };
        let used_up = LimitHeaders { remaining: Some("0".to_owned()), ..none.clone() };
        let left = LimitHeaders { remaining: Some("10".to_owned()), ..none.clone() };
        let secondary = Some("You have exceeded a Secondary Rate Limit. Please wait");
        for (headers, status, message, limit) in [
            (&none, 429, None, true),
            (&none, 403, None, false),
            (&none, 403, Some("Resource not accessible by personal access token"), false),
            (&none, 403, secondary, true),
            (&retry, 403, None, true),
            (&used_up, 403, None, true),
            (&left, 403, None, false),
            (&used_up, 404, None, false),
            (&retry, 503, secondary, false),
            (&used_up, 401, None, false),
        ] {
            assert_eq!(
                headers.is_limit(status, message),
                limit,
                "{headers:?} {status} {message:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_header_panics_or_asks_for_more_than_a_year(
            headers in proptest::array::uniform4(proptest::option::of(prop_oneof![
                ".*", "[0-9]{1,40}", "-?[0-9]{1,20}", "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT",
                (0u64..300_000_000_000).prop_map(|at| httpdate::fmt_http_date(
                    std::time::UNIX_EPOCH + Duration::from_secs(at % 253_402_300_800))),
            ])),
            wall in proptest::num::i64::ANY,
            status in proptest::num::u16::ANY,
        ) {
            let wall = Timestamp::from_second(wall % 253_402_207_200).unwrap();
            let [retry_after, remaining, reset, date] = headers;
            let headers = LimitHeaders { retry_after, remaining, reset, date };
            prop_assert!(headers.asked_wait(wall).is_none_or(|wait| wait <= LONGEST));
            let _ = headers.is_limit(status, headers.reset.as_deref());
        }
    }
}
