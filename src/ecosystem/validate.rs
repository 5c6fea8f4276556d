//! From what stands in `ecosystem.json` to what it means: names, patterns and the rules between
//! cousins. Pure; it goes on after each error, so that one run shows them all, and whoever gets
//! its result must look at the findings first.

use std::collections::HashMap;

use super::raw::{RawCousin, RawFile};
use super::{Cousin, Entry, Listed};
use crate::document::secret;
use crate::document::{Code, Finding, Pointer, Severity, fit};
use crate::document::{Findings, Text, Texts};
use crate::document::{LineIndex, Span};
use crate::names::{EventType, RepoName};
use crate::routing::pattern::Pattern;
use crate::text;

/// Returns the entries of the list in file order, each with the cousin that it is.
pub(super) fn validate(
    file: RawFile<'_>,
    lines: &LineIndex<'_>,
    findings: &mut Findings<'_>,
) -> Vec<(Entry, Option<Listed>)> {
    let (list, cousins) = file.into_cousins();
    let mut first_places = HashMap::with_capacity(cousins.len());
    let mut nameless = 0;
    let entries = cousins.into_iter().filter_map(|raw| {
        let at = Pointer { list, entry: Some(raw.index), key: None, item: None };
        let written = raw.repo.as_ref().map(|repo| repo.value.clone());
        let mut check = Check { findings, at, repo: written.as_deref() };
        let entry = check.cousin(raw, lines, &mut first_places);
        nameless += usize::from(entry.1.is_none());
        // A file of ten megabytes can hold millions of them.
        (entry.1.is_some() || nameless <= Findings::KEPT).then_some(entry)
    });
    entries.collect()
}

/// The subscriptions that could be read.
#[derive(Default)]
struct Subscriptions {
    patterns: Vec<Pattern>,
    spans: Vec<Span>,
    items: Vec<usize>,
    /// Whether these are all, and ask for something.
    whole: bool,
}

/// The checks of one cousin.
struct Check<'c, 'l> {
    findings: &'c mut Findings<'l>,
    at: Pointer<'static>,
    repo: Option<&'c str>,
}

impl Check<'_, '_> {
    /// Returns what could be read of a cousin. Every check runs, whatever the others say.
    fn cousin(
        &mut self,
        raw: RawCousin<'_>,
        lines: &LineIndex<'_>,
        first_places: &mut HashMap<String, Span>,
    ) -> (Entry, Option<Listed>) {
        let named = raw.repo.as_ref().map(|repo| repo.span);
        let list = raw.subscriptions.as_ref().map(|list| list.span);
        let spans = [&raw.event_type, &raw.token_env].map(|text| text.as_ref().map(|it| it.span));
        let enabled = raw.enabled.as_ref().map(|enabled| enabled.span);
        let repo = raw.repo.and_then(|repo| self.repo(&repo, first_places));
        let Subscriptions { patterns, spans: pattern_spans, items, whole } =
            raw.subscriptions.map(|list| self.subscriptions(&list)).unwrap_or_default();
        let event_type = raw.event_type.and_then(|written| self.event_type(&written));
        let token_env = raw.token_env.and_then(|written| self.token_env(&written));
        let entry = Entry {
            index: raw.index,
            repo: self.repo.map(fit),
            enabled: raw.enabled.is_none_or(|enabled| enabled.value),
            subscriptions: patterns.len(),
        };
        let Some((repo, named)) = repo.zip(named) else { return (entry, None) };
        let cousin = Cousin {
            repo,
            subscriptions: patterns,
            event_type: event_type.unwrap_or_default(),
            enabled: entry.enabled,
            token_env,
            description: raw.description.map(|text| text.value.into_owned()),
            line: lines.line(named.start),
        };
        let [event_type, token_env] = spans;
        let listed = Listed {
            cousin,
            sound: self.findings.gravest(raw.index) != Some(Severity::Error),
            whole,
            at: self.at,
            repo: named,
            subscriptions: list.unwrap_or(named),
            patterns: pattern_spans,
            items,
            event_type,
            enabled,
            token_env,
        };
        (entry, Some(listed))
    }

    fn repo(
        &mut self,
        written: &Text<'_>,
        first_places: &mut HashMap<String, Span>,
    ) -> Option<RepoName> {
        match RepoName::parse(&written.value) {
            Err(bad) => {
                self.error(Code::BadRepo, written.span, self.at.key("repo"), || {
                    Finding::new(about(&written.value, bad.message), bad.help)
                });
                None
            }
            Ok(name) => {
                let first = *first_places.entry(name.key()).or_insert(written.span);
                if first == written.span {
                    return Some(name);
                }
                self.error(Code::DuplicateRepo, written.span, self.at.key("repo"), || {
                    Finding::new(
                        format!("the repository \"{name}\" is listed more than once"),
                        "merge the two into one cousin; GitHub takes no account of case in names",
                    )
                    .related(first, "first listed here")
                });
                Some(name)
            }
        }
    }

    fn subscriptions(&mut self, list: &Texts<'_>) -> Subscriptions {
        let at = self.at.key("subscriptions");
        let mut read = Subscriptions::default();
        // A pattern that cannot be read may have been meant to ask for something.
        let mut asks = false;
        for (item, written) in list.value.iter().enumerate() {
            let Some(written) = written else {
                asks = true;
                continue;
            };
            match Pattern::parse(&written.value) {
                Ok(pattern) => {
                    asks |= !pattern.is_exclusion();
                    read.patterns.push(pattern);
                    read.spans.push(written.span);
                    read.items.push(item);
                }
                Err(bad) => {
                    asks |= !written.value.starts_with('!');
                    self.error(Code::BadPattern, written.span, at.item(item), || {
                        Finding::new(about(&written.value, bad.message), bad.help)
                    });
                }
            }
        }
        if !asks {
            self.error(Code::NoPositivePattern, list.span, at, || {
                let message = if list.value.is_empty() {
                    "\"subscriptions\" is empty: the cousin would never hear of anything"
                } else {
                    "\"subscriptions\" only excludes: the cousin would never hear of anything"
                };
                Finding::new(
                    message,
                    "name a directory such as \"features/web\", or \"**\" for everything, before what is excluded",
                )
            });
        }
        read.whole = asks && read.patterns.len() == list.value.len();
        read
    }

    fn event_type(&mut self, written: &Text<'_>) -> Option<EventType> {
        EventType::parse(&written.value)
            .inspect_err(|bad| {
                self.error(Code::BadEventType, written.span, self.at.key("event_type"), || {
                    Finding::new(bad.message.clone(), bad.help.clone())
                });
            })
            .ok()
    }

    /// Returns the name of an environment variable (POSIX, "Environment Variables": letters,
    /// digits and underscore, not beginning with a digit). A value that is none may be a token, so
    /// it is never shown.
    fn token_env(&mut self, written: &Text<'_>) -> Option<String> {
        let value = written.value.as_ref();
        let odd = value.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '_');
        let token = secret::looks_like_token(value);
        let begins_with_digit = value.starts_with(|c: char| c.is_ascii_digit());
        if !token && !value.is_empty() && odd.is_none() && !begins_with_digit {
            return Some(value.to_owned());
        }
        let Span { start, end } = written.span;
        self.findings.hide(Span { start: start + 1, end: end - 1 });
        self.error(Code::BadTokenEnv, written.span, self.at.key("token_env"), || {
            if token {
                return Finding::new(
                    "\"token_env\" holds a token, and must hold the name of an environment variable: this is a secret in a file",
                    "revoke the token now (https://github.com/settings/tokens), put a new one into the environment of the workflow, and write the variable's name here",
                );
            }
            let message = match odd {
                _ if value.is_empty() => "the name of the environment variable is empty".to_owned(),
                Some('$') => "the name of an environment variable is written without $".to_owned(),
                Some(odd) => format!("the name of an environment variable cannot hold {odd:?}"),
                None => "the name of an environment variable cannot begin with a digit".to_owned(),
            };
            Finding::new(message, "write a name such as \"ACME_PAT\": letters, digits and _")
        });
        None
    }

    fn error(
        &mut self,
        code: Code,
        span: Span,
        at: Pointer<'_>,
        finding: impl FnOnce() -> Finding,
    ) {
        let repo = self.repo;
        self.findings.error(code, span, || finding().pointer(at).repo(repo));
    }
}

/// Returns the message with the value before it, unless it is quoted there already.
fn about(value: &str, message: String) -> String {
    let quoted = text::quoted(value);
    if message.contains(&quoted) { message } else { format!("{quoted}: {message}") }
}
