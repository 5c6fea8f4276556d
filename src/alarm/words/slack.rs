//! The webhook's messages, in the text format of Slack, which others read too. Escaped as Slack's
//! "Formatting text for app surfaces" asks (`&`, `<`, `>`), which takes `<!channel>` and links their
//! meaning; and with an `@` that mentions nobody where a plain one would (Mattermost, Discord).

use super::{Subject, counted};
use crate::alarm::state::{Change, Failure, State};
use crate::text::shown;

/// How long a message gets, in characters.
const LONGEST: usize = 3_000;
/// How many cousins are named.
const NAMES: usize = 10;
/// How many characters of an error are shown: ten of them fit.
const LONGEST_ERROR: usize = 120;

/// Returns the message for a failure that begins or ends; for all else there is none.
pub(in crate::alarm) fn message(
    subject: &Subject<'_>,
    change: &Change,
    state: &State,
) -> Option<String> {
    let source = code(subject.source.as_str());
    let (head, lines) = match change {
        Change::Nothing | Change::Still | Change::Changed { .. } => return None,
        Change::Began(_) => {
            let head = match state.failing() {
                0 => format!("The run of {source} fails, and sends nothing:"),
                failing => format!(
                    "{} not getting updates from {source}:",
                    counted(failing, "cousin is", "cousins are")
                ),
            };
            (head, failing(state))
        }
        Change::Ended { left, .. } if left.is_empty() => {
            (format!("All updates from {source} arrive again."), Vec::new())
        }
        Change::Ended { left, .. } => {
            let left = counted(left.count(), "cousin is", "cousins are");
            let head =
                format!("No update from {source} fails any more: {left} disabled or not listed.");
            (head, Vec::new())
        }
    };
    let run = subject.run_url().map(|url| format!("\nRun: {}", escaped(&url)));
    let room = LONGEST.saturating_sub(run.as_deref().map_or(0, length) + 40);
    let mut text = head;
    let all = lines.len() + state.failing().saturating_sub(NAMES);
    let mut left = all;
    for line in lines {
        if length(&text) + length(&line) + 1 > room {
            break;
        }
        text = format!("{text}\n{line}");
        left -= 1;
    }
    if matches!(change, Change::Began(_)) && left > 0 {
        text += &format!("\n… and {left} more");
    }
    text += &run.unwrap_or_default();
    Some(text)
}

fn failing(state: &State) -> Vec<String> {
    let line = |name: String, failure: &Failure| format!("• {name}: {}", code(failure.error()));
    let run = state.run().map(|it| line("the run itself".to_owned(), &it.failure));
    let cousins = state.cousins().take(NAMES);
    run.into_iter()
        .chain(cousins.map(|(repo, trouble)| line(code(repo.as_str()), &trouble.failure)))
        .collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Returns text as code. Slack knows no ticks in it.
fn code(text: &str) -> String {
    let mut text: String = shown(text.trim().as_bytes()).chars().take(LONGEST_ERROR).collect();
    if text.is_empty() {
        return "–".to_owned();
    }
    text = text.replace('`', "'");
    format!("`{}`", escaped(&text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "@\u{200b}")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::alarm::state::{Heard, Results, judge};
    use crate::names::RepoName;

    fn said(failures: &[(String, String)], run: Option<&str>) -> Option<String> {
        let failed = |(repo, error): &(String, String)| {
            (RepoName::parse(repo).unwrap(), Heard::Failed(Failure::new(error, None)))
        };
        let results = Results {
            run: run.map(|error| Failure::new(error, None)),
            cousins: failures.iter().map(failed).collect(),
            enabled: None,
        };
        let (change, state) = judge(&State::default(), &results, Timestamp::UNIX_EPOCH, None);
        let source = RepoName::parse("acme/mono").unwrap();
        let run_url = Some("https://github.com/acme/mono/actions/runs/7?a=1&b=@x");
        message(&Subject { source: &source, run_url }, &change, &state)
    }

    fn one(error: &str) -> Vec<(String, String)> {
        vec![("acme/web".to_owned(), error.to_owned())]
    }

    #[test]
    fn one_message_begins_and_one_ends_and_mentions_nobody() {
        insta::assert_snapshot!(
            said(&one("<!channel> @here `x` & <https://evil|click>\nsecond"), None).unwrap().replace('\u{200b}', "~"),
            @r"
        1 cousin is not getting updates from `acme/mono`:
        • `acme/web`: `&lt;!channel&gt; @~here 'x' &amp; &lt;https://evil|click&gt;\nsecond`
        Run: https://github.com/acme/mono/actions/runs/7?a=1&amp;b=%40x
        "
        );
        insta::assert_snapshot!(said(&[], Some("ecosystem.json is broken")).unwrap().replace('\u{200b}', "~"), @r"
        The run of `acme/mono` fails, and sends nothing:
        • the run itself: `ecosystem.json is broken`
        Run: https://github.com/acme/mono/actions/runs/7?a=1&amp;b=%40x
        ");
        let many: Vec<_> = (0..10_000).map(|n| (format!("acme/c{n}"), "no".to_owned())).collect();
        let text = said(&many, None).unwrap();
        assert!(text.contains("… and 9990 more\nRun: "), "{text}");
        assert_eq!(text.lines().count(), 13);
        assert_eq!(said(&[], None), None);
    }

    proptest! {
        #[test]
        fn whatever_the_texts_are_a_message_is_short_and_has_only_our_markup(
            errors in proptest::collection::vec("[<>&@`!|a]{0,400}|\\PC{0,400}", 1..20),
            run in proptest::option::of("[<>&]{400}|.*"),
        ) {
            let failures: Vec<_> = errors.iter().enumerate()
                .map(|(at, error)| (format!("acme/{at}{}", "x".repeat(90)), error.clone())).collect();
            let text = said(&failures, run.as_deref()).unwrap();
            prop_assert!(text.chars().count() <= LONGEST, "{}", text.len());
            prop_assert!(!text.contains(['<', '>']));
            for (at, _) in text.match_indices('@') {
                prop_assert_eq!(text[at + 1..].chars().next(), Some('\u{200b}'));
            }
            for (at, _) in text.match_indices('&') {
                prop_assert!(["&amp;", "&lt;", "&gt;"].iter().any(|it| text[at..].starts_with(it)));
            }
            for line in text.lines() {
                prop_assert_eq!(line.matches('`').count() % 2, 0, "{}", line);
            }
        }
    }
}
