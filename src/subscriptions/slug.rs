//! What a feature is called in the name of a branch. It is for people to read, so it is the path with
//! hyphens; and it must not change when features are added, as open pull requests hang on it.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::{Method, Subscription, Subscriptions};

/// How long a slug may be, in bytes: a ref is a file's path on a server, with a prefix before it.
const MAX_BYTES: usize = 100;

/// How many hexadecimal digits tell features apart whose slugs are the same.
const DIGITS: usize = 8;

impl Subscriptions {
    /// Returns what the subscription's feature is called in the name of a branch: different from
    /// that of every other feature of the file, also where case is not told apart.
    ///
    /// Of features with the same slug (`a/b` and `a-b`) the first in the order of paths has it, and
    /// the others have some digits of their hash behind it.
    #[must_use]
    pub fn slug(&self, subscription: &Subscription) -> String {
        let mut sorted: Vec<&Subscription> = self.subscriptions.iter().collect();
        sorted.sort_by_key(|one| &one.feature);
        let before = sorted.into_iter().take_while(|one| one.feature < subscription.feature);
        let mut taken = BTreeSet::new();
        for one in before {
            let slug = free_of(one, &taken);
            taken.insert(slug.to_ascii_lowercase());
        }
        free_of(subscription, &taken)
    }

    /// Returns what all features that are brought in one commit by a method are called in the name
    /// of a branch, by the source's name: different from that of every feature of the file and of
    /// the features of another method.
    #[must_use]
    pub fn group_slug(&self, source: &str, method: Method) -> String {
        let end = format!("-{}", method.as_str());
        let start = plain(source.as_bytes(), MAX_BYTES - end.len());
        let name = format!("{}{end}", if start.is_empty() { "source" } else { &start });
        let taken = self.subscriptions.iter().map(|one| self.slug(one).to_ascii_lowercase());
        free(name, source.as_bytes(), &taken.collect())
    }
}

fn free_of(subscription: &Subscription, taken: &BTreeSet<String>) -> String {
    free(subscription.branch_slug(), subscription.feature.as_bytes(), taken)
}

/// Returns the first of something's slugs that nobody has.
fn free(plain: String, of: &[u8], taken: &BTreeSet<String>) -> String {
    let hashed = (DIGITS..=2 * DIGITS).map(|digits| with_hash(&plain, of, digits));
    let mut slugs = std::iter::once(plain.clone()).chain(hashed);
    slugs.find(|slug| !taken.contains(&slug.to_ascii_lowercase())).unwrap_or(plain)
}

impl Subscription {
    /// Returns the feature's path with a hyphen for all but letters, digits, `.`, `_` and `-`, fit
    /// to stand in a ref. Another feature of the file may have the same: see
    /// [`Subscriptions::slug`].
    #[must_use]
    pub fn branch_slug(&self) -> String {
        let (of, slug) = (self.feature.as_bytes(), plain(self.feature.as_bytes(), MAX_BYTES));
        if slug.is_empty() { with_hash("feature", of, DIGITS) } else { slug }
    }
}

/// Returns a name with a hyphen for all that is not kept in a slug, fit to stand in a ref; it may be
/// empty.
fn plain(name: &[u8], bytes: usize) -> String {
    let mut slug = String::new();
    for byte in name {
        let kept = byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        let c = if kept { char::from(*byte) } else { '-' };
        // A ref holds no "..", and runs of hyphens are hard to read.
        if !(matches!(c, '-' | '.') && slug.ends_with(c)) {
            slug.push(c);
        }
    }
    fit(&slug, bytes).to_owned()
}

/// Returns as much of a slug as fits and may stand in a ref.
fn fit(slug: &str, bytes: usize) -> &str {
    let slug = slug.trim_start_matches(['-', '.']);
    let mut slug = slug.get(..bytes).unwrap_or(slug);
    loop {
        let before = slug.len();
        slug = slug.trim_end_matches(['-', '.']);
        if let Some((rest, end)) =
            slug.len().checked_sub(5).and_then(|at| slug.split_at_checked(at))
            && end.eq_ignore_ascii_case(".lock")
        {
            slug = rest;
        }
        if slug.len() == before {
            return slug;
        }
    }
}

fn with_hash(slug: &str, of: &[u8], digits: usize) -> String {
    let hash = Sha256::digest(of);
    let hex = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex = hex.take(digits).filter_map(|digit| char::from_digit(u32::from(digit), 16));
    format!("{}-{}", fit(slug, MAX_BYTES - digits - 1), hex.collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::subscriptions::parse;

    fn of(features: &[&str]) -> Subscriptions {
        let items: Vec<String> = features
            .iter()
            .enumerate()
            .map(|(at, feature)| {
                let feature = serde_json::Value::from(*feature);
                format!("{{\"feature\": {feature}, \"into\": \"d{at}\"}}")
            })
            .collect();
        parse("", format!("[{}]", items.join(",")).as_bytes()).unwrap()
    }

    fn slugs(features: &[&str]) -> Vec<String> {
        let subscriptions = of(features);
        subscriptions.subscriptions.iter().map(|one| subscriptions.slug(one)).collect()
    }

    #[test]
    fn a_slug_is_the_path_with_hyphens_fit_for_a_ref() {
        for (feature, slug) in [
            ("features/webpush/flask", "features-webpush-flask"),
            ("Features/Web_Push", "Features-Web_Push"),
            ("a b/--c", "a-b-c"),
            (".github", "github"),
            ("a/...b", "a-.b"),
            ("a.lock", "a"),
            ("a.lock.LOCK/", "a"),
            ("-rf", "rf"),
            ("$(id)", "id"),
            ("日本", "feature-"),
        ] {
            let found = &slugs(&[feature])[0];
            assert!(found.starts_with(slug), "{feature}: {found}");
            assert!(found == slug || slug == "feature-", "{feature}: {found}");
        }
        assert_eq!(slugs(&[&"a".repeat(300)]), ["a".repeat(100)]);
    }

    #[test]
    fn features_that_read_the_same_have_different_slugs_whatever_their_order() {
        let [dashed, nested] = slugs(&["features/a-b", "features/a/b"]).try_into().unwrap();
        assert_eq!(dashed, "features-a-b");
        assert!(
            nested.starts_with("features-a-b-") && nested.len() == dashed.len() + 9,
            "{nested}"
        );
        assert_eq!(slugs(&["features/a/b", "features/a-b"]), [nested, dashed]);
        let [upper, lower] = slugs(&["A", "a"]).try_into().unwrap();
        assert_eq!((upper.as_str(), lower.len()), ("A", 10));
        // A feature that is called like another one's slug.
        let found = slugs(&["a-b", "a/b", &nested_slug()]);
        assert_eq!((found[0].as_str(), found[1].len(), found[2].len()), ("a-b", 13, 12));
    }

    #[test]
    fn features_that_are_brought_together_have_a_slug_that_is_nobody_elses() {
        let group =
            |features: &[&str], source: &str, method| of(features).group_slug(source, method);
        for (source, slug) in [
            ("monorepo", "monorepo-squash"),
            ("x.lock", "x-squash"),
            ("a..b", "a.b-squash"),
            ("...", "source-squash"),
        ] {
            assert_eq!(group(&["monorepo"], source, Method::Squash), slug);
            assert!(crate::subscriptions::branch(&format!("update-{slug}")).is_ok(), "{slug}");
        }
        assert_eq!(group(&["a"], "monorepo", Method::Rebase), "monorepo-rebase");
        let long = group(&["a"], &"a".repeat(300), Method::Squash);
        assert_eq!((long.len(), long.ends_with("a-squash")), (MAX_BYTES, true));
        let taken = group(&["Monorepo/squash", "b"], "monorepo", Method::Squash);
        assert!(taken.starts_with("monorepo-squash-") && taken.len() == 24, "{taken}");
    }

    fn nested_slug() -> String {
        slugs(&["a-b", "a/b"])[1].clone()
    }

    proptest! {
        #[test]
        fn every_feature_has_a_slug_of_its_own_that_git_takes(
            features in prop::collection::btree_set("[ab./\u{e9} -]{1,9}", 1..9)
        ) {
            let features: std::collections::BTreeSet<_> = features
                .iter()
                .filter_map(|feature| super::super::path::feature(feature).ok())
                .map(|feature| String::from_utf8(feature.as_bytes().to_vec()).unwrap())
                .collect();
            prop_assume!(!features.is_empty());
            let features: Vec<&str> = features.iter().map(String::as_str).collect();
            let found = slugs(&features);
            let different: std::collections::BTreeSet<_> = found.iter().collect();
            prop_assert_eq!(different.len(), found.len());
            for slug in &found {
                prop_assert!(slug.len() <= MAX_BYTES);
                let branch = format!("update-from-upstream-{slug}");
                prop_assert!(crate::subscriptions::branch(&branch).is_ok(), "{}", branch);
            }
        }
    }
}
