//! What kind of token a value is, as far as its form tells. Each kind is given its power in another
//! way, so a message about a missing permission can say what to change. The form decides nothing
//! about what is sent, and no part of the secret leaves this file.
//! Source: "Behind GitHub's new authentication token formats" and "About authentication to GitHub".

use secrecy::ExposeSecret as _;

use super::Token;

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenForm {
    /// A classic personal access token (`ghp_`, or 40 hexadecimal digits before 2021): it has
    /// scopes, and reaches all that its owner reaches.
    Classic,
    /// A fine-grained personal access token (`github_pat_`): it has permissions, for repositories
    /// that its owner chose.
    FineGrained,
    /// An App's installation token (`ghs_`), which a job's `GITHUB_TOKEN` is too: it has the App's
    /// permissions, for the repositories of the installation.
    App,
    /// A token that an App got for a person: of an OAuth App (`gho_`), with scopes, or of a GitHub
    /// App (`ghu_`), with the App's permissions.
    OAuth,
    /// Anything else.
    Unknown,
}

impl Token {
    /// Returns the kind of token that the secret's form tells.
    #[must_use]
    pub fn form(&self) -> TokenForm {
        let secret = self.secret.expose_secret();
        let begins = |prefix| secret.starts_with(prefix);
        let old = || secret.len() == 40 && secret.bytes().all(|b| b.is_ascii_hexdigit());
        if begins("ghp_") || old() {
            TokenForm::Classic
        } else if begins("github_pat_") {
            TokenForm::FineGrained
        } else if begins("ghs_") {
            TokenForm::App
        } else if begins("gho_") || begins("ghu_") {
            TokenForm::OAuth
        } else {
            TokenForm::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::github::auth::resolve;

    #[test]
    fn a_tokens_form_tells_its_kind_and_nothing_of_the_secret() {
        let hex = "0123456789abcdefABCDEF0123456789abcdef01";
        for (secret, form) in [
            ("ghp_hunter2", TokenForm::Classic),
            (hex, TokenForm::Classic),
            ("github_pat_11A_hunter2", TokenForm::FineGrained),
            ("ghs_hunter2", TokenForm::App),
            ("gho_hunter2", TokenForm::OAuth),
            ("ghu_hunter2", TokenForm::OAuth),
            ("ghr_hunter2", TokenForm::Unknown),
            ("GHP_hunter2", TokenForm::Unknown),
            ("ghp-hunter2", TokenForm::Unknown),
            ("xghp_hunter2", TokenForm::Unknown),
            (&hex[1..], TokenForm::Unknown),
            (&format!("{hex}0"), TokenForm::Unknown),
            (&hex.replace('a', "g"), TokenForm::Unknown),
            ("hunter2", TokenForm::Unknown),
        ] {
            let found = resolve(None, &|_| Some(secret.into())).unwrap().form();
            assert_eq!(found, form, "{secret}");
            assert!(!format!("{found:?}").contains("hunter2"));
        }
    }
}
