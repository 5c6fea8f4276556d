//! From what stands in `subscriptions.json` to what it means: paths, words, patterns, and the rules
//! between subscriptions (`apart`). Pure; it goes on after each error, so that one run shows them all, and
//! whoever gets its result must look at the findings first.

use apart::Listed;

use super::raw::{MAX_AGE_DAYS, RawFile, RawItem, RawObject, RawSubscription};
use super::{
    Directory, Method, Preserve, PullRequests, SourceName, Subscription, Subscriptions, path,
    source,
};
use crate::document::{Code, Finding, Findings, LineIndex, Located, Pointer, Span, Text, Texts};
use crate::names::{BadName, FeaturePath};
use crate::text;

mod apart;

/// How many patterns one subscription may preserve by: each takes part in the judgement of each file.
const MAX_PATTERNS: usize = 1000;

/// Returns what could be read; none where there is no list at all.
pub(super) fn validate(
    file: RawFile<'_>,
    lines: &LineIndex<'_>,
    findings: &mut Findings<'_>,
) -> Option<Subscriptions> {
    let list = match &file {
        RawFile::List(_) => "",
        RawFile::Object(_) => super::raw::OBJECT_LIST,
    };
    let object = match file {
        RawFile::List(subscriptions) => {
            RawObject { subscriptions: Some(subscriptions), ..RawObject::default() }
        }
        RawFile::Object(object) => object,
    };
    let mut check = Check { findings, at: Pointer { list, ..Pointer::default() } };
    let source = object.source.and_then(|written| check.source(&written));
    let branch = object.branch.and_then(|written| {
        check.name(Code::BadBranch, &written, "branch", source::branch(&written.value))
    });
    let max_age_days = object.max_age_days.and_then(|written| check.max_age_days(&written));
    let subscriptions = check.subscriptions(object.subscriptions?, lines);
    Some(Subscriptions { source, branch, max_age_days, subscriptions })
}

struct Check<'c, 'l> {
    findings: &'c mut Findings<'l>,
    at: Pointer<'static>,
}

impl Check<'_, '_> {
    fn source(&mut self, written: &Text<'_>) -> Option<SourceName> {
        let parsed = SourceName::parse(&written.value);
        // What is refused may hold a password, and the line is shown.
        let plain = written.value.strip_prefix("git@").unwrap_or(&written.value);
        if parsed.is_err() && plain.contains(['@', '?', '#']) {
            let Span { start, end } = written.span;
            self.findings.hide(Span { start: start + 1, end: end - 1 });
        }
        self.name(Code::BadSource, written, "source", parsed)
    }

    fn max_age_days(&mut self, written: &Located<&str>) -> Option<u32> {
        let days = written.value.parse().ok().filter(|days| *days <= MAX_AGE_DAYS);
        if days.is_none() {
            self.error(Code::BadValue, written.span, self.at.key("max_age_days"), || {
                let value = text::quoted(written.value);
                Finding::new(
                    format!("\"max_age_days\" is not a number of days: {value}"),
                    format!("write a whole number from 0 (no limit) to {MAX_AGE_DAYS}"),
                )
            });
        }
        days
    }

    fn subscriptions(
        &mut self,
        list: Located<Vec<RawItem<'_>>>,
        lines: &LineIndex<'_>,
    ) -> Vec<Subscription> {
        if list.value.is_empty() {
            let at = if self.at.list.is_empty() { self.at } else { self.at.key("subscriptions") };
            self.error(Code::NoSubscription, list.span, at, || {
                Finding::new(
                    "the list is empty: there is nothing to bring",
                    "name a directory of the source such as \"features/web\"",
                )
            });
        }
        let mut subscriptions = Vec::with_capacity(list.value.len());
        let mut listed = Vec::with_capacity(list.value.len());
        for (index, item) in list.value.into_iter().enumerate() {
            self.at.entry = Some(index);
            if let Some((place, subscription)) = self.subscription(item.into_subscription(), lines)
            {
                listed.push(place);
                subscriptions.push(subscription);
            }
        }
        apart::features_once(&listed, self.findings);
        apart::directories_apart(&listed, self.findings);
        subscriptions
    }

    /// Returns what could be read of a subscription. Every check runs, whatever the others say.
    fn subscription(
        &mut self,
        raw: RawSubscription<'_>,
        lines: &LineIndex<'_>,
    ) -> Option<(Listed, Subscription)> {
        let at = self.at;
        let feature_at = if raw.bare { at } else { at.key("feature") };
        let method = raw.method.as_ref().map(|written| {
            self.word(written, "method", Method::parse, &Method::ALL.map(Method::as_str))
        });
        let words = PullRequests::ALL.map(PullRequests::as_str);
        let pull_request = raw
            .pull_request
            .as_ref()
            .map(|written| self.word(written, "pull_request", PullRequests::parse, &words));
        let preserve = raw.preserve.as_ref().map(|list| self.preserve(list)).unwrap_or_default();
        let feature = raw.feature.as_ref().and_then(|written| {
            let value = path::feature(&written.value);
            let value = self.judged(Code::BadFeature, written, feature_at, value)?;
            Some(Located { value, span: written.span })
        });
        let into = match &raw.into {
            Some(written) => {
                let value = Directory::parse(&written.value);
                self.judged(Code::BadInto, written, at.key("into"), value)
                    .map(|value| Located { value, span: written.span })
            }
            None => feature.as_ref().and_then(|feature| self.own_path(feature, feature_at)),
        };
        // A method that cannot be read may have been meant to be any.
        if let Some(method) = method.unwrap_or(Some(Method::default())) {
            self.contradictions(&raw, method, feature.as_ref(), into.as_ref());
        }
        let (feature, into) = feature.zip(into)?;
        let method = method.flatten().unwrap_or_default();
        let subscription = Subscription {
            feature: feature.value.clone(),
            into: into.value.clone(),
            method,
            preserve,
            pull_request: pull_request.flatten().unwrap_or_default(),
            line: lines.line(feature.span.start),
        };
        Some((Listed { at, feature, into, method }, subscription))
    }

    /// Returns the cousin's directory of the same path as the feature.
    fn own_path(
        &mut self,
        feature: &Located<FeaturePath>,
        at: Pointer<'_>,
    ) -> Option<Located<Directory>> {
        let span = feature.span;
        let parsed = Directory::parse(std::str::from_utf8(feature.value.as_bytes()).ok()?);
        match parsed {
            Ok(value) => Some(Located { value, span }),
            Err(bad) => {
                self.error(Code::BadInto, span, at, || {
                    Finding::new(
                        format!("the feature cannot be put at its own path: {}", bad.message),
                        "give it a directory of its own: \"into\": \"path/in/this/repository\"",
                    )
                });
                None
            }
        }
    }

    /// Returns what one of a few words means.
    fn word<T>(
        &mut self,
        written: &Text<'_>,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
        words: &[&'static str],
    ) -> Option<T> {
        let found = parse(&written.value);
        if found.is_none() {
            self.error(Code::BadValue, written.span, self.at.key(key), || {
                let short = written.value.len() <= 40;
                let meant =
                    if short { text::nearest(&written.value, words.iter().copied()) } else { None };
                Finding::new(
                    format!("{} is no {}", text::quoted(&written.value), key.replace('_', " ")),
                    match meant {
                        Some(word) => format!("did you mean \"{word}\"?"),
                        None => format!("write one of {}", words.join(", ")),
                    },
                )
            });
        }
        found
    }

    fn preserve(&mut self, list: &Texts<'_>) -> Preserve {
        let at = self.at.key("preserve");
        let mut preserve = Preserve::default();
        if list.value.len() > MAX_PATTERNS {
            self.error(Code::BadPattern, list.span, at, || {
                let message =
                    format!("there are {} patterns, the limit is {MAX_PATTERNS}", list.value.len());
                Finding::new(message, "name directories instead of files")
            });
            return preserve;
        }
        let mut whole = true;
        for (item, written) in list.value.iter().enumerate() {
            let Some(written) = written else {
                whole = false;
                continue;
            };
            if let Err(bad) = preserve.add(&written.value) {
                whole = false;
                self.error(Code::BadPattern, written.span, at.item(item), || {
                    Finding::new(about(&written.value, bad.message), bad.help)
                });
            }
        }
        if whole && preserve.only_excludes() {
            self.error(Code::NoPositivePattern, list.span, at, || {
                Finding::new(
                    "\"preserve\" only excludes: nothing is left alone",
                    "name what is left alone, such as \"config/**\", before what is excluded",
                )
            });
        }
        preserve
    }

    /// Reports values that the method leaves no room for.
    fn contradictions(
        &mut self,
        raw: &RawSubscription<'_>,
        method: Method,
        feature: Option<&Located<FeaturePath>>,
        into: Option<&Located<Directory>>,
    ) {
        let Some(named) = raw.method.as_ref().map(|method| method.span) else { return };
        let word = method.as_str();
        let moved = feature.zip(into).filter(|(feature, into)| {
            method.keeps_layout() && feature.value.as_bytes() != into.value.as_bytes()
        });
        if let Some((_, into)) = moved {
            self.error(Code::Contradiction, into.span, self.at.key("into"), || {
                Finding::new(
                    format!("{word} keeps the source's layout: \"into\" is the feature's own path"),
                    "leave \"into\" out, or let \"merge\" be the method",
                )
                .related(named, "the method is chosen here")
            });
        }
        if let (Method::Rebase, Some(preserve)) = (method, &raw.preserve) {
            self.error(Code::Contradiction, preserve.span, self.at.key("preserve"), || {
                Finding::new(
                    "rebase takes commits as they are: nothing can be left out of them",
                    "leave \"preserve\" out, or let \"merge\" be the method",
                )
                .related(named, "the method is chosen here")
            });
        }
    }

    fn name<T>(
        &mut self,
        code: Code,
        written: &Text<'_>,
        key: &str,
        parsed: Result<T, BadName>,
    ) -> Option<T> {
        self.judged(code, written, self.at.key(key), parsed)
    }

    /// Returns what was parsed, or reports why it could not be.
    fn judged<T>(
        &mut self,
        code: Code,
        written: &Text<'_>,
        at: Pointer<'_>,
        parsed: Result<T, BadName>,
    ) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(bad) => {
                self.error(code, written.span, at, || {
                    let secret = code == Code::BadSource;
                    let message =
                        if secret { bad.message } else { about(&written.value, bad.message) };
                    Finding::new(message, bad.help)
                });
                None
            }
        }
    }

    fn error(
        &mut self,
        code: Code,
        span: Span,
        at: Pointer<'_>,
        finding: impl FnOnce() -> Finding,
    ) {
        self.findings.error(code, span, || finding().pointer(at));
    }
}

/// Returns the message with the value before it, unless it is quoted there already.
fn about(value: &str, message: String) -> String {
    let quoted = text::quoted(value);
    if message.contains(&quoted) { message } else { format!("{quoted}: {message}") }
}
