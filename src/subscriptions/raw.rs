//! The shape of `subscriptions.json`: which keys there are and of which JSON type, with the place of
//! each value. The JSON Schema for editors is derived from these types, so that what an editor
//! accepts is what is read here. `shape` fills them; whether a value makes sense is for `validate`
//! to say.

use schemars::JsonSchema;

use crate::document::{Located, Text, Texts};

/// The keys of a subscription, in the order in which they are listed to people.
pub(super) const SUBSCRIPTION_KEYS: [&str; 5] =
    ["feature", "into", "method", "preserve", "pull_request"];

/// The keys of the object form.
pub(super) const FILE_KEYS: [&str; 5] =
    ["$schema", "source", "branch", "max_age_days", "subscriptions"];

/// The JSON pointer of the list in the object form.
pub(super) const OBJECT_LIST: &str = "/subscriptions";

/// The highest `max_age_days`: a hundred years.
pub(super) const MAX_AGE_DAYS: u32 = 36_500;

/// A path without a leading `!`, without globs and backslashes.
const PLAIN_PATH: &str = r"^[^!*?\[\]{}\\][^*?\[\]{}\\]*$";

/// What this repository follows in the monorepo, where it puts it and how.
#[derive(Debug, JsonSchema)]
#[schemars(title = "subscriptions.json", untagged)]
pub(super) enum RawFile<'t> {
    /// The subscriptions themselves; the source is then named by `--source`.
    #[schemars(with = "Vec<RawItem<'static>>", extend("minItems" = 1))]
    List(Located<Vec<RawItem<'t>>>),
    /// The subscriptions, and where they come from.
    Object(RawObject<'t>),
}

/// The form that names the source.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "File", deny_unknown_fields)]
pub(super) struct RawObject<'t> {
    /// Where the JSON Schema of this file is. Only editors read it.
    #[schemars(rename = "$schema", with = "String", default)]
    pub(super) _schema: Option<Text<'t>>,
    /// The monorepo: `owner/name`, a URL (https, ssh, file), or a path (after /, ./ or ../).
    #[schemars(with = "String", default, length(min = 1, max = 2048))]
    pub(super) source: Option<Text<'t>>,
    /// The branch of it that is trusted; left out, its default branch.
    #[schemars(with = "String", default, length(min = 1))]
    pub(super) branch: Option<Text<'t>>,
    /// How old a commit may be that an event names; 0 or left out, any age.
    #[schemars(with = "u32", default, range(max = MAX_AGE_DAYS))]
    pub(super) max_age_days: Option<Located<&'t str>>,
    /// What is followed, each feature once.
    #[schemars(with = "Vec<RawItem<'static>>", length(min = 1))]
    pub(super) subscriptions: Option<Located<Vec<RawItem<'t>>>>,
}

/// A feature, or a feature with what is to be done with it.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Item", untagged)]
pub(super) enum RawItem<'t> {
    /// The feature: a directory of the monorepo, by its path.
    #[schemars(
        with = "String",
        extend("minLength" = 1, "maxLength" = 4096, "pattern" = PLAIN_PATH)
    )]
    Name(Text<'t>),
    /// The feature, with what is to be done with it.
    Object(RawSubscription<'t>),
}

/// A feature, and what this repository does with it.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Subscription", deny_unknown_fields)]
pub(super) struct RawSubscription<'t> {
    /// The feature: a directory of the monorepo, by its path.
    #[schemars(
        with = "String",
        length(min = 1, max = 4096),
        regex(pattern = PLAIN_PATH)
    )]
    pub(super) feature: Option<Text<'t>>,
    /// The directory of this repository for it, `.` for its root; left out, the feature's own path.
    #[schemars(
        with = "String",
        default,
        length(min = 1, max = 4096),
        regex(pattern = PLAIN_PATH)
    )]
    pub(super) into: Option<Text<'t>>,
    /// How changes are brought. squash and rebase are for a repository of the monorepo's layout.
    #[schemars(
        with = "String",
        default,
        extend("enum" = ["merge", "copy", "cherry-pick", "squash", "rebase"], "default" = "merge")
    )]
    pub(super) method: Option<Text<'t>>,
    /// Patterns of what is left alone below `into`. `!pattern` excludes; the last match decides.
    #[schemars(with = "Vec<String>", default, inner(length(min = 1)))]
    pub(super) preserve: Option<Texts<'t>>,
    /// One pull request that moves on as long as it is open, or one for each commit.
    #[schemars(
        with = "String",
        default,
        extend("enum" = ["rolling", "per-commit"], "default" = "rolling")
    )]
    pub(super) pull_request: Option<Text<'t>>,
    /// Whether it is a string in the file: then no key of it has a place.
    #[schemars(skip)]
    pub(super) bare: bool,
}

impl<'t> RawItem<'t> {
    /// Returns the subscription, in its long form.
    pub(super) fn into_subscription(self) -> RawSubscription<'t> {
        match self {
            Self::Name(feature) => {
                RawSubscription { feature: Some(feature), bare: true, ..Default::default() }
            }
            Self::Object(subscription) => subscription,
        }
    }
}
