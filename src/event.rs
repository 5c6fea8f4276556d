//! What a cousin is told: the body of one `repository_dispatch` request. Pure, and strict about
//! GitHub's limits, so that nothing is sent that GitHub would refuse: `client_payload` is a JSON
//! object with at most 10 keys at the top and fewer than 65,536 characters. Source: GitHub's REST
//! documentation of "Create a repository dispatch event".

pub mod payload;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::names::{CommitSha, EventType, FeaturePath, RepoName};
use crate::text;

/// The bytes that our payloads stay under: half of what GitHub takes, so that a receiver which
/// wraps it once more (in a `workflow_call`, an output) still fits.
const MAX_PAYLOAD: usize = 32 * 1024;

/// The most characters that GitHub takes as `client_payload`. Source: GitHub's REST documentation
/// of "Create a repository dispatch event".
const MAX_CHARACTERS: usize = 65_535;

/// How paths are written where some are not UTF-8: those bytes and every `%` as `%XX`.
pub const PERCENT_ENCODING: &str = "percent";

/// What all events of one push share.
#[derive(Debug, Clone)]
pub struct Context {
    /// The monorepo.
    pub source: RepoName,
    /// The full name of the ref that was pushed.
    pub source_ref: Option<String>,
    /// The commit before the push; none when there is none, or it cannot be had.
    pub base: Option<CommitSha>,
    /// The commit that cousins are told of.
    pub head: CommitSha,
    /// The workflow run that sends the events.
    pub run_url: Option<String>,
}

/// One event, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// 32 hexadecimal digits: the same for the same news, whenever it is sent again.
    pub dispatch_id: String,
    /// The request's body, JSON.
    pub body: Vec<u8>,
}

impl Event {
    /// Checks that GitHub takes an event of this size. Paths never make one too large, as they are
    /// cut; the name of a feature or a ref can.
    ///
    /// # Errors
    /// Says how large it is, and what makes it so.
    pub fn check(&self) -> Result<(), String> {
        // Bytes are never fewer than characters, and the body never less than the payload in it.
        if self.body.len() > MAX_CHARACTERS {
            return Err(format!(
                "the event has {} bytes, GitHub takes {MAX_CHARACTERS}: the name of the feature or \
                 of the ref is too long",
                self.body.len()
            ));
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    event_type: &'a str,
    client_payload: Payload<'a>,
}

#[derive(Serialize)]
struct Payload<'a> {
    updated_feature: String,
    commit_sha: &'a CommitSha,
    base_sha: Option<&'a CommitSha>,
    source_repository: &'a RepoName,
    source_ref: Option<&'a str>,
    changed_paths: Vec<String>,
    changed_paths_total: usize,
    dispatch_id: &'a str,
    run_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_encoding: Option<&'a str>,
}

/// Returns the id of the news that `cousin` is told of `feature` at `head`: the first 32 hexadecimal
/// digits of the SHA-256 over source, cousin, feature and commit, each ended by a NUL. The names
/// are taken without case, as GitHub takes them.
#[must_use]
pub fn dispatch_id(
    source: &RepoName,
    cousin: &RepoName,
    feature: &FeaturePath,
    head: &CommitSha,
) -> String {
    let mut hash = Sha256::new();
    let (source, cousin) = (source.key(), cousin.key());
    for part in [source.as_bytes(), cousin.as_bytes(), feature.as_bytes(), head.as_str().as_bytes()]
    {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the event that tells `cousin` of `feature`. `paths` are the changed paths that belong
/// to it, in order, of which as many are named as fit; `total` is how many there are.
pub fn encode<'p>(
    context: &Context,
    cousin: &RepoName,
    event_type: &EventType,
    feature: &FeaturePath,
    paths: impl Iterator<Item = &'p [u8]> + Clone,
    total: usize,
) -> Event {
    let dispatch_id = dispatch_id(&context.source, cousin, feature, &context.head);
    // What fits is at most this much, whatever the encoding: no need to look at the rest.
    let mut length = 0;
    let paths = paths.take_while(|path| {
        length += path.len() + 3;
        length <= MAX_PAYLOAD
    });
    let paths: Vec<&[u8]> = paths.collect();
    let utf8 = |path: &[u8]| std::str::from_utf8(path).is_ok();
    let encoded = !(utf8(feature.as_bytes()) && paths.iter().all(|path| utf8(path)));
    let written = |path: &[u8]| {
        if encoded { text::percent(path) } else { String::from_utf8_lossy(path).into_owned() }
    };
    let mut payload = Payload {
        updated_feature: written(feature.as_bytes()),
        commit_sha: &context.head,
        base_sha: context.base.as_ref(),
        source_repository: &context.source,
        source_ref: context.source_ref.as_deref(),
        changed_paths: Vec::new(),
        changed_paths_total: total,
        dispatch_id: &dispatch_id,
        run_url: context.run_url.as_deref(),
        path_encoding: encoded.then_some(PERCENT_ENCODING),
    };
    let mut size = json_length(&payload);
    for path in paths {
        let path = written(path);
        size += json_length(&path) + 1;
        if size >= MAX_PAYLOAD {
            break;
        }
        payload.changed_paths.push(path);
    }
    let body = Body { event_type: event_type.as_str(), client_payload: payload };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    Event { dispatch_id, body }
}

/// Returns the length of a value's JSON, in bytes, which is never less than in characters.
fn json_length(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX / 2, |json| json.len())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::*;

    fn sha(digit: char) -> CommitSha {
        CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn encoded(feature: &[u8], paths: &[&[u8]]) -> Value {
        let cousin = name("acme/web");
        let context = Context {
            source: name("acme/monorepo"),
            source_ref: Some("refs/heads/main".to_owned()),
            base: Some(sha('a')),
            head: sha('b'),
            run_url: None,
        };
        let feature = FeaturePath::new(feature);
        let event_type = EventType::default();
        let event =
            encode(&context, &cousin, &event_type, &feature, paths.iter().copied(), paths.len());
        serde_json::from_slice(&event.body).unwrap()
    }

    fn name(text: &str) -> RepoName {
        RepoName::parse(text).unwrap()
    }

    #[test]
    fn the_body_is_what_the_contract_says() {
        let body = encoded(b"features/webpush/flask", &[b"features/webpush/flask/100%.txt"]);
        assert_eq!(
            body,
            json!({
                "event_type": "feature-update",
                "client_payload": {
                    "updated_feature": "features/webpush/flask",
                    "commit_sha": "b".repeat(40),
                    "base_sha": "a".repeat(40),
                    "source_repository": "acme/monorepo",
                    "source_ref": "refs/heads/main",
                    "changed_paths": ["features/webpush/flask/100%.txt"],
                    "changed_paths_total": 1,
                    "dispatch_id": "5a3167b2e597ae3e8692bf046af0adf3",
                    "run_url": null,
                },
            })
        );
    }

    #[test]
    fn the_same_news_has_the_same_id_whatever_the_case_of_a_name() {
        let feature = FeaturePath::new(b"features/a");
        let id = dispatch_id(&name("Acme/Mono"), &name("ACME/web"), &feature, &sha('1'));
        assert_eq!(id, dispatch_id(&name("acme/mono"), &name("acme/Web"), &feature, &sha('1')));
        assert_ne!(id, dispatch_id(&name("acme/mono"), &name("acme/web"), &feature, &sha('2')));
        assert_ne!(id, dispatch_id(&name("acme/mono"), &name("acme/wea"), &feature, &sha('1')));
        assert_eq!(id.len(), 32);
    }

    #[test]
    fn paths_that_are_not_utf8_make_the_whole_payload_percent_encoded() {
        let body = encoded(b"odd/\xff", &[b"odd/\xff/100%", "odd/\u{e9}".as_bytes()]);
        let payload = &body["client_payload"];
        assert_eq!(payload["path_encoding"], "percent");
        assert_eq!(payload["updated_feature"], "odd/%FF");
        assert_eq!(payload["changed_paths"], json!(["odd/%FF/100%25", "odd/\u{e9}"]));
        assert_eq!(payload.as_object().unwrap().len(), 10);
    }

    #[test]
    fn as_many_paths_are_named_as_keep_the_payload_under_its_limit() {
        let name = |n: usize| format!("features/x/{n}/\u{e9}\n\"{}", "y".repeat(n % 300));
        let names: Vec<String> = (0..2000).map(name).collect();
        let paths: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
        let payload = &encoded(b"features/x", &paths)["client_payload"];
        let size = payload.to_string().len();
        assert!((MAX_PAYLOAD - 400..MAX_PAYLOAD).contains(&size), "{size}");
        assert_eq!(payload["changed_paths_total"], 2000);
        assert_eq!(payload["changed_paths"][0], names[0]);
    }

    #[test]
    fn an_event_that_github_would_refuse_for_its_size_is_told_apart() {
        let (source, cousin, head) = (name("acme/monorepo"), name("acme/web"), sha('b'));
        let context = Context { source, source_ref: None, base: None, head, run_url: None };
        let checked = |length| {
            let feature = FeaturePath::new(&vec![b'x'; length]);
            let paths = std::iter::empty();
            encode(&context, &cousin, &EventType::default(), &feature, paths, 0).check()
        };
        assert_eq!(checked(65_000), Ok(()));
        assert!(checked(65_536).unwrap_err().contains("GitHub takes 65535"));
    }

    #[test]
    fn a_path_longer_than_the_limit_is_left_out() {
        let long = vec![b'x'; 100_000];
        assert_eq!(encoded(b"x", &[&long])["client_payload"]["changed_paths"], json!([]));
    }
}
