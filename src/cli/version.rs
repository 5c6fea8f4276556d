//! What `--version` says: the version and the commit it was built from, on one line for `-V`, with
//! what else a bug report needs for `--version`. `build.rs` has found it out; where it could not,
//! nothing is said instead of a guess.

use std::sync::LazyLock;

/// The version, and in parentheses the commit and its date as far as they are known.
pub(super) const SHORT: &str = env!("BUILD_VERSION");

/// The commit's date, as `2026-11-20`; empty when it is not known.
pub(super) const DATE: &str = env!("BUILD_DATE");

/// Returns [`SHORT`] and lines with the commit's full id, libgit2's version and the target.
pub(super) fn long() -> &'static str {
    static LONG: LazyLock<String> = LazyLock::new(|| {
        let mut text = SHORT.to_owned();
        if !env!("BUILD_COMMIT").is_empty() {
            text.push_str(concat!("\ncommit: ", env!("BUILD_COMMIT")));
        }
        let (major, minor, patch) = git2::Version::get().libgit2_version();
        text.push_str(&format!("\nlibgit2: {major}.{minor}.{patch}"));
        text.push_str(concat!("\ntarget: ", env!("BUILD_TARGET")));
        text
    });
    &LONG
}
