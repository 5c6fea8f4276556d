//! Who takes in what: from the events that arrived, each cousin with a `subscriptions.json` that
//! names what its events name. In the sample each cousin shows another way to take something in; in a
//! monorepo of one's own each follows its features by a plain merge.

use serde_json::{Value, json};

use crate::embedded_github::Event;
use crate::git::stage::cousin::BRANCH;
use crate::names::{FeaturePath, RepoName};
use crate::subscriptions::path::{self, Directory};
use crate::subscriptions::{self, Method};
use crate::sync::hint::{Hint, HintOrOther};

/// How many events are taken in: with more it would no longer be a matter of seconds.
const MAX_EVENTS: usize = 8;

/// A cousin that was told something.
pub(super) struct Cousin {
    pub(super) name: String,
    pub(super) follows: Vec<Followed>,
}

/// A feature that a cousin was told of, and how it follows that.
pub(super) struct Followed {
    pub(super) feature: FeaturePath,
    /// Its directory for it.
    pub(super) into: String,
    pub(super) method: Method,
    pub(super) edit: Option<Edit>,
    /// What the run of the workflow finds at `GITHUB_EVENT_PATH`.
    pub(super) event: Value,
    pub(super) dispatch_id: Option<String>,
}

/// What a cousin has edited in its copy of a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edit {
    /// The file, from the feature's directory.
    pub(super) file: &'static str,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    /// Whether upstream changes the same lines.
    pub(super) conflicts: bool,
}

impl Edit {
    /// Returns a file's content with the edit; none where there is nothing to edit.
    pub(super) fn apply(&self, content: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(content).ok()?;
        text.contains(self.from).then(|| text.replacen(self.from, self.to, 1).into_bytes())
    }
}

/// Everybody who takes something in, and what is left out.
pub(super) struct Cast {
    pub(super) cousins: Vec<Cousin>,
    /// Events about what no `subscriptions.json` can name (the root, a name that is no plain text),
    /// and those to the monorepo itself.
    pub(super) left_out: usize,
    /// Events beyond those that are taken in.
    pub(super) beyond: usize,
}

/// How the sample's cousins follow what they are told of: repository, directory (none is the
/// feature's own), method, edit.
const SAMPLE: [(&str, Option<&str>, Method, Option<Edit>); 5] = [
    ("acme/docs-site", Some("handbook"), Method::Copy, None),
    ("acme/flask-push-demo", Some("src/push"), Method::Merge, Some(OWN_NAME)),
    ("acme/flask-starter", Some("starter"), Method::Merge, Some(SAME_LINE)),
    ("acme/push-service", Some("service"), Method::CherryPick, None),
    ("acme/new-name", None, Method::Squash, None),
];

/// An edit beside what upstream changes.
const OWN_NAME: Edit = Edit {
    file: "app.py",
    from: "app = Flask(__name__)\n",
    to: "app = Flask(\"push-demo\")\n",
    conflicts: false,
};

/// An edit where upstream changes something, too.
const SAME_LINE: Edit = Edit {
    file: "app.py",
    from: "from flask import Flask\n",
    to: "from flask import Flask\nfrom settings import KEY\n",
    conflicts: true,
};

/// Casts those who received events from `source`.
pub(super) fn cast(received: &[Event], source: &RepoName, sample: bool) -> Cast {
    let mut cast = Cast { cousins: Vec::new(), left_out: 0, beyond: 0 };
    let mut taken = 0;
    // They arrived in any order.
    let mut received: Vec<&Event> = received.iter().collect();
    received.sort_by_key(|event| (event.repository.clone(), feature_of(event)));
    for event in received {
        // A monorepo that is its own cousin does not follow itself.
        if event.repository.eq_ignore_ascii_case(source.as_str()) {
            cast.left_out += 1;
            continue;
        }
        let file = json!({
            "action": event.event_type,
            "branch": BRANCH,
            "client_payload": event.client_payload,
            "repository": { "full_name": event.repository, "default_branch": BRANCH },
        });
        let Some(hint) = hint(&file) else {
            cast.left_out += 1;
            continue;
        };
        if taken == MAX_EVENTS {
            cast.beyond += 1;
            continue;
        }
        taken += 1;
        let known = cast.cousins.iter().position(|it| it.name == event.repository);
        let at = known.unwrap_or_else(|| {
            cast.cousins.push(Cousin { name: event.repository.clone(), follows: Vec::new() });
            cast.cousins.len() - 1
        });
        if let Some(cousin) = cast.cousins.get_mut(at) {
            cousin.follow(hint, file, sample);
        }
    }
    cast
}

fn feature_of(event: &Event) -> String {
    event.client_payload.get("updated_feature").map(Value::to_string).unwrap_or_default()
}

/// Returns what an event names, where a `subscriptions.json` can name it, too.
fn hint(event: &Value) -> Option<Hint> {
    let Ok(HintOrOther::Hint(hint)) = Hint::from_event(event.to_string().as_bytes(), &[]) else {
        return None;
    };
    let text = std::str::from_utf8(hint.feature.as_bytes()).ok()?;
    let named = path::feature(text).ok()?;
    (named == hint.feature).then_some(hint)
}

impl Cousin {
    fn follow(&mut self, hint: Hint, event: Value, sample: bool) {
        let own = String::from_utf8_lossy(hint.feature.as_bytes()).into_owned();
        let role = SAMPLE.iter().find(|it| sample && it.0 == self.name && self.follows.is_empty());
        let (into, method, edit) = match role {
            Some((_, into, method, edit)) => (into.map(str::to_owned), *method, *edit),
            None => (None, Method::Merge, None),
        };
        self.follows.push(Followed {
            into: into.unwrap_or_else(|| self.directory(own)),
            feature: hint.feature,
            method,
            edit,
            event,
            dispatch_id: hint.dispatch_id,
        });
    }

    /// Returns the directory for a feature: its own path, where that is no place that is kept from
    /// upstream and no other feature is in the way.
    fn directory(&self, own: String) -> String {
        let free = |candidate: &str| {
            let is_below = |a: &str, b: &str| a == b || a.starts_with(&format!("{b}/"));
            let candidate = candidate.to_lowercase();
            self.follows.iter().all(|other| {
                let other = other.into.to_lowercase();
                !is_below(&other, &candidate) && !is_below(&candidate, &other)
            })
        };
        if Directory::parse(&own).is_ok_and(|it| it.as_str() == own) && free(&own) {
            return own;
        }
        let mut others = (1_usize..).map(|number| format!("upstream-{number}"));
        others.find(|other| free(other)).unwrap_or(own)
    }

    /// Returns its `subscriptions.json`.
    ///
    /// # Errors
    /// What is wrong with it: a branch of a name that no such file may hold.
    pub(super) fn subscriptions(
        &self,
        source: &RepoName,
        branch: &str,
    ) -> Result<String, crate::document::Diagnosis> {
        let all: Vec<Value> = self.follows.iter().map(Followed::subscription).collect();
        let file = json!({ "source": source.as_str(), "branch": branch, "subscriptions": all });
        let text = format!("{file:#}\n");
        subscriptions::parse("subscriptions.json", text.as_bytes())?;
        Ok(text)
    }
}

impl Followed {
    fn subscription(&self) -> Value {
        let feature = String::from_utf8_lossy(self.feature.as_bytes()).into_owned();
        if self.into == feature && self.method == Method::Merge {
            return feature.into();
        }
        json!({ "feature": feature, "into": self.into, "method": self.method.as_str() })
    }
}
