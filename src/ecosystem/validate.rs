//! From what stands in `ecosystem.json` to what it means: names, patterns and the rules between
//! cousins. Pure; it goes on after each error, so that one run shows them all, and whoever gets
//! its result must look at the findings first.

use std::collections::HashMap;

use super::diagnostic::{Code, Finding, Findings, Pointer};
use super::locate::{LineIndex, Located, Span};
use super::raw::{RawCousin, RawFile, Text};
use super::{Cousin, Ecosystem, secret};
use crate::names::{EventType, RepoName};
use crate::routing::pattern::Pattern;
use crate::text;

/// Returns the cousins that are without fault, in file order.
pub(super) fn validate(
    file: RawFile<'_>,
    lines: &LineIndex<'_>,
    findings: &mut Findings<'_>,
) -> Ecosystem {
    let (list, cousins) = file.into_cousins();
    let mut first_places = HashMap::with_capacity(cousins.len());
    let valid = cousins.into_iter().filter_map(|raw| {
        let at = Pointer { list, cousin: Some(raw.index), ..Pointer::default() };
        let written = raw.repo.as_ref().map(|repo| repo.value.clone());
        let mut check = Check { findings, at, repo: written.as_deref() };
        check.cousin(raw, lines, &mut first_places)
    });
    Ecosystem { cousins: valid.collect() }
}

/// The checks of one cousin.
struct Check<'c, 'l> {
    findings: &'c mut Findings<'l>,
    at: Pointer<'c>,
    repo: Option<&'c str>,
}

impl Check<'_, '_> {
    /// Returns the cousin when nothing is wrong with it. Every check runs, whatever the others say.
    fn cousin(
        &mut self,
        raw: RawCousin<'_>,
        lines: &LineIndex<'_>,
        first_places: &mut HashMap<String, Span>,
    ) -> Option<Cousin> {
        let line = raw.repo.as_ref().map(|repo| lines.line(repo.span.start));
        let repo = raw.repo.and_then(|repo| self.repo(&repo, first_places));
        let subscriptions = raw.subscriptions.and_then(|list| self.subscriptions(&list));
        let event_type = match raw.event_type {
            Some(written) => self.event_type(&written),
            None => Some(EventType::default()),
        };
        let token_env = match raw.token_env {
            Some(written) => self.token_env(&written).map(Some),
            None => Some(None),
        };
        Some(Cousin {
            repo: repo?,
            subscriptions: subscriptions?,
            event_type: event_type?,
            enabled: raw.enabled.is_none_or(|enabled| enabled.value),
            token_env: token_env?,
            description: raw.description.map(|text| text.value.into_owned()),
            line: line?,
        })
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
                None
            }
        }
    }

    fn subscriptions(&mut self, list: &Located<Vec<Option<Text<'_>>>>) -> Option<Vec<Pattern>> {
        let at = self.at.key("subscriptions");
        let mut patterns = Vec::with_capacity(list.value.len());
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
                    patterns.push(pattern);
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
        (asks && patterns.len() == list.value.len()).then_some(patterns)
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
