//! Scripted faults: what stands between a client and GitHub and goes wrong, and the answers that
//! are hard to bring about in any other way. A fault is taken from its queue by the request that it
//! meets; when the queue is used up the real behaviour goes on.
//!
//! Unless it is [`Fault::delivered`], a request that meets a fault never reaches the model: it
//! counts for no limit and delivers no event.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::answer::{Answer, Body};
use super::limits::Refusal;

/// How an answer leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ending {
    /// As it should.
    #[default]
    Whole,
    /// Not at all: the connection is reset (TCP RST).
    Reset,
    /// With half of the body that `content-length` promises; then the connection is closed.
    Truncated,
    /// Never: the connection stays open and silent until the client or the server ends it.
    Silence,
}

/// One scripted fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    answer: Option<Answer>,
    /// Seconds from the answer until `x-ratelimit-reset`.
    exhausted_for: Option<i64>,
    pub(super) delay: Duration,
    pub(super) ending: Ending,
    /// Whether the model sees the request.
    pub(super) passes: bool,
    times: Option<u32>,
}

impl Fault {
    fn answering(answer: Option<Answer>, ending: Ending) -> Self {
        Self {
            answer,
            exhausted_for: None,
            delay: Duration::ZERO,
            ending,
            passes: false,
            times: Some(1),
        }
    }

    /// Answers `status` with a JSON body; GitHub's own 5xx say "Server Error".
    #[must_use]
    pub fn status(status: u16) -> Self {
        let message = if status >= 500 { "Server Error" } else { "Scripted answer" };
        Self::answering(Some(Answer::json(status, json!({ "message": message }))), Ending::Whole)
    }

    /// Answers `status` with a page of HTML, as a proxy does.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::status(status).text(
            "text/html; charset=utf-8",
            &format!("<html>\n<body><h1>{status}</h1>\nNo server is available.</body>\n</html>\n"),
        )
    }

    /// Answers with GitHub's secondary limit and `retry-after` in seconds.
    #[must_use]
    pub fn limited(retry_after: u32) -> Self {
        let refusal = Refusal::Secondary { retry_after: i64::from(retry_after) };
        let answer = Answer::limited(403, refusal, "", "0001:SCRIPTED", "1970-01-01 00:00:00");
        Self::answering(Some(answer), Ending::Whole)
    }

    /// Answers that the hour's requests are used up and come back in so many seconds, by the
    /// server's clock.
    #[must_use]
    pub fn exhausted(seconds: u32) -> Self {
        let answer = Answer::limited(
            403,
            Refusal::Primary,
            "user ID 1",
            "0001:SCRIPTED",
            "1970-01-01 00:00:00",
        );
        let mut fault = Self::answering(Some(answer), Ending::Whole);
        fault.exhausted_for = Some(i64::from(seconds));
        fault
    }

    /// Sends the client elsewhere.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::answering(Some(Answer::moved(status, location)), Ending::Whole)
    }

    /// Lets the request through and holds the real answer back for so long.
    #[must_use]
    pub fn delay(delay: Duration) -> Self {
        Self::answering(None, Ending::Whole).after(delay).delivered()
    }

    /// Resets the connection instead of answering.
    #[must_use]
    pub fn reset() -> Self {
        Self::answering(None, Ending::Reset)
    }

    /// Answers `status` (one that may have a body) and breaks off in the middle of the body.
    #[must_use]
    pub fn truncated(status: u16) -> Self {
        let mut fault = Self::status(status);
        fault.ending = Ending::Truncated;
        fault
    }

    /// Never answers.
    #[must_use]
    pub fn silence() -> Self {
        Self::answering(None, Ending::Silence)
    }

    /// Sets or adds a header of the answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.answer = self.answer.map(|it| it.header(&name.to_ascii_lowercase(), value));
        self
    }

    /// Makes the answer's body this text of this type.
    #[must_use]
    pub fn text(mut self, content_type: &str, text: &str) -> Self {
        if let Some(answer) = &mut self.answer {
            let (content_type, text) = (content_type.to_owned(), text.to_owned());
            answer.body = Body::Text { content_type, text };
        }
        self
    }

    /// Lets so much time pass before anything is answered.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Lets the request reach the model: limits count it and its event is delivered, only the
    /// client does not learn of it.
    #[must_use]
    pub fn delivered(mut self) -> Self {
        self.passes = true;
        self
    }

    /// Meets so many requests instead of one; none at all if `times` is 0.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Meets every request until [`super::Model::clear_faults`].
    #[must_use]
    pub fn forever(mut self) -> Self {
        self.times = None;
        self
    }

    /// Returns the answer in place of the model's, if the fault has one.
    pub(super) fn answer_at(&self, now: Timestamp) -> Option<Answer> {
        let answer = self.answer.clone()?;
        let Some(seconds) = self.exhausted_for else {
            return Some(answer);
        };
        let reset = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        Some(
            answer
                .header("x-ratelimit-remaining", "0")
                .header("x-ratelimit-reset", reset.as_second().to_string()),
        )
    }
}

/// What a fault lies in wait for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// Requests to a repository, by the lower-case name that they use.
    Repository(String),
    /// The n-th request since the start, counted from 1.
    Nth(usize),
    /// Whatever comes.
    Any,
}

/// The queues of faults still to come.
#[derive(Debug, Default)]
pub(super) struct Faults(HashMap<Target, VecDeque<Fault>>);

impl Faults {
    pub(super) fn add(&mut self, target: Target, fault: Fault) {
        if fault.times != Some(0) {
            self.0.entry(target).or_default().push_back(fault);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the fault that the `number`-th request meets: its own, else the repository's, else
    /// one that waits for any.
    pub(super) fn take(&mut self, number: usize, repository: Option<String>) -> Option<Fault> {
        let targets =
            [Some(Target::Nth(number)), repository.map(Target::Repository), Some(Target::Any)];
        targets.into_iter().flatten().find_map(|target| {
            let queue = self.0.get_mut(&target)?;
            let fault = queue.front_mut()?;
            match &mut fault.times {
                None => Some(fault.clone()),
                Some(left) if *left > 1 => {
                    *left -= 1;
                    Some(fault.clone())
                }
                Some(_) => queue.pop_front(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(fault: Option<Fault>) -> Option<u16> {
        fault.and_then(|it| it.answer_at(Timestamp::UNIX_EPOCH)).map(|answer| answer.status)
    }

    #[test]
    fn a_queue_is_used_up_in_order_and_the_nearest_target_wins() {
        let mut faults = Faults::default();
        let web = || Some("acme/web".to_owned());
        faults.add(Target::Any, Fault::status(500).forever());
        faults.add(Target::Repository("acme/web".to_owned()), Fault::status(501).times(2));
        faults.add(Target::Repository("acme/web".to_owned()), Fault::status(502));
        faults.add(Target::Nth(2), Fault::status(503));
        faults.add(Target::Nth(3), Fault::status(504).times(0));
        let met: Vec<_> = (1..=6).map(|n| status(faults.take(n, web())).unwrap()).collect();
        assert_eq!(met, [501, 503, 501, 502, 500, 500]);
        assert_eq!(status(faults.take(7, None)), Some(500));
        faults.clear();
        assert_eq!(faults.take(8, web()), None);
    }

    #[test]
    fn a_used_up_hour_comes_back_by_the_servers_clock() {
        let now = Timestamp::from_second(1_000).unwrap();
        let answer = Fault::exhausted(90).answer_at(now).unwrap();
        assert_eq!(answer.header_value("x-ratelimit-remaining"), Some("0"));
        assert_eq!(answer.header_value("x-ratelimit-reset"), Some("1090"));
        assert!(answer.message().unwrap().starts_with("API rate limit exceeded for user ID"));
    }
}
