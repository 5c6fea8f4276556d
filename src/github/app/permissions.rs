//! What an App's token may do: as little as the command needs. GitHub refuses a request for one
//! permission too many as a whole, so what is only useful is asked for where it was granted.

use std::collections::BTreeMap;

/// The permissions that a token is asked for, such as `contents: write`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    needed: BTreeMap<&'static str, &'static str>,
    wished: BTreeMap<&'static str, &'static str>,
}

impl Permissions {
    /// Returns what dispatches need.
    #[must_use]
    pub fn to_dispatch() -> Self {
        Self::default().and("contents", "write")
    }

    /// Returns what reading about cousins needs.
    #[must_use]
    pub fn to_read() -> Self {
        Self::default()
            .and("metadata", "read")
            .and("contents", "read")
            .and_if_granted("actions", "read")
    }

    /// Adds a permission without which there is no token.
    #[must_use]
    pub fn and(mut self, name: &'static str, level: &'static str) -> Self {
        self.needed.insert(name, level);
        self
    }

    /// Adds a permission that is asked for when the installation has it.
    #[must_use]
    pub fn and_if_granted(mut self, name: &'static str, level: &'static str) -> Self {
        self.wished.insert(name, level);
        self
    }

    /// Returns what is asked of an installation that was granted this.
    ///
    /// # Errors
    /// What is needed and was not granted, such as `contents: write`.
    pub(in crate::github) fn asked(
        &self,
        granted: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<&'static str, &'static str>, String> {
        let has = |(name, level): &(&&str, &&str)| {
            // Every installation may read metadata.
            **name == "metadata"
                || granted.get(**name).is_some_and(|have| rank(have) >= rank(level))
        };
        let missing: Vec<String> = self
            .needed
            .iter()
            .filter(|permission| !has(permission))
            .map(|(name, level)| format!("{name}: {level}"))
            .collect();
        if !missing.is_empty() {
            return Err(missing.join(" and "));
        }
        let wished = self.wished.iter().filter(has);
        Ok(self.needed.iter().chain(wished).map(|(name, level)| (*name, *level)).collect())
    }
}

/// Returns the order of the levels, in which a higher one includes the lower.
fn rank(level: &str) -> u8 {
    match level {
        "read" => 1,
        "write" => 2,
        "admin" => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn what_is_needed_must_be_granted_and_what_is_wished_may_be() {
        let dispatch = Permissions::to_dispatch().and("actions", "read");
        let read = Permissions::to_read();
        for (permissions, granted, asked) in [
            (
                &dispatch,
                &[("contents", "write"), ("actions", "read")][..],
                "actions:read contents:write",
            ),
            (
                &dispatch,
                &[("contents", "write"), ("actions", "write")],
                "actions:read contents:write",
            ),
            (&dispatch, &[("contents", "read"), ("actions", "read")], "not contents: write"),
            (&dispatch, &[("issues", "write")], "not actions: read and contents: write"),
            (&read, &[("contents", "read")], "contents:read metadata:read"),
            (
                &read,
                &[("contents", "write"), ("actions", "read")],
                "actions:read contents:read metadata:read",
            ),
            (&read, &[("contents", "odd")], "not contents: read"),
            (&read, &[], "not contents: read"),
        ] {
            let all = granted.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned()));
            let found = match permissions.asked(&all.collect()) {
                Ok(asked) => {
                    let each: Vec<_> = asked.iter().map(|(n, l)| format!("{n}:{l}")).collect();
                    each.join(" ")
                }
                Err(missing) => format!("not {missing}"),
            };
            assert_eq!(found, asked, "{granted:?}");
        }
    }
}
