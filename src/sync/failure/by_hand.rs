//! The commands with which a person finishes by hand what a sync could not: for the log, and for the
//! issue. Names in them were chosen by others, so each is quoted for a shell. Nothing here runs them.

use std::fmt::Write as _;

use crate::names::{CommitSha, FeaturePath, RepoName};

/// The name of the remote that the commands add.
const REMOTE: &str = "ecosystem-upstream";

/// What is to be finished.
#[derive(Debug, Clone, Copy)]
pub struct ByHand<'a> {
    /// The address that the source is cloned from, without credentials.
    pub source_url: &'a str,
    /// The source's trusted branch.
    pub source_branch: &'a str,
    /// The feature.
    pub feature: &'a FeaturePath,
    /// The cousin's directory for it; `.` is its root.
    pub into: &'a FeaturePath,
    /// The upstream commit that was applied before; none the first time, and where the directory is
    /// to become what the feature is (`copy`).
    pub previous: Option<&'a CommitSha>,
    /// The upstream commit that is to be brought.
    pub commit: &'a CommitSha,
    /// The cousin.
    pub cousin: &'a RepoName,
    /// The cousin's branch that is proposed to.
    pub base: &'a str,
    /// The branch for the update.
    pub branch: &'a str,
    /// The commit's subject and the pull request's title.
    pub title: &'a str,
}

/// Returns the commands, in their order, each on one line, for a POSIX shell (a name with control
/// characters or bytes that are not UTF-8 needs bash, zsh or ksh) in the root of a clone of the cousin.
/// Lines that begin with `#` say what only a person can do.
#[must_use]
pub fn commands_by_hand(it: &ByHand<'_>) -> Vec<String> {
    let quoted = |text: &str| shell_quoted(text.as_bytes());
    let (base, branch) = (quoted(it.base), quoted(it.branch));
    let origin = quoted(&format!("origin/{}", it.base));
    let mut all = vec![
        format!("git remote add {REMOTE} {}", quoted(it.source_url)),
        format!("git fetch --no-tags {REMOTE} {}", reference(it.source_branch)),
        format!("git fetch origin {}", reference(it.base)),
        format!("git checkout --no-track -b {branch} {origin}"),
    ];
    let into = it.into.as_bytes();
    let is_root = into == b".";
    let new = tree(it.commit, it.feature);
    match it.previous {
        Some(previous) => {
            let old = tree(previous, it.feature);
            let at = [b"--directory=", into].concat();
            let at = if is_root { String::new() } else { format!(" {}", shell_quoted(&at)) };
            all.push(format!(
                "git diff --binary --full-index --no-ext-diff --no-textconv --src-prefix=a/ \
                 --dst-prefix=b/ {old} {new} | git apply --3way{at}"
            ));
        }
        None if is_root => all.push(format!("git checkout {new} -- .")),
        None => {
            let prefix = shell_quoted(&[b"--prefix=", into, b"/"].concat());
            all.push(format!("git rm -r -q --ignore-unmatch -- {}", literal(into)));
            all.push(format!("git read-tree -u {prefix} {new}"));
            all.push(format!(
                "# what was only here is gone now; git checkout {origin} -- PATH brings back what is \
                 to stay"
            ));
        }
    }
    // The first time there is no lock file, and nothing that it would say.
    all.extend(match it.previous {
        Some(_) => [
            format!(
                "# resolve what is in conflict; in ecosystem.lock.json write {} as the feature's \
                 commit",
                it.commit
            ),
            match is_root {
                true => format!("git add -A -- {}", literal(into)),
                false => format!("git add -A -- {} ':(top)ecosystem.lock.json'", literal(into)),
            },
        ],
        None => {
            ["# resolve what is in conflict".to_owned(), format!("git add -A -- {}", literal(into))]
        }
    });
    all.extend([
        format!("git commit -m {}", quoted(it.title)),
        format!("git push origin {}", quoted(&format!("HEAD:refs/heads/{}", it.branch))),
        format!("gh pr create --repo {} --base {base} --head {branch} --fill", it.cousin),
    ]);
    all
}

/// As [`commands_by_hand`], for a fork of the source that is rebased as a whole.
#[must_use]
pub fn commands_to_rebase(it: &ByHand<'_>) -> Vec<String> {
    let mut all = commands_by_hand(it);
    // What gets the branch, and what publishes it.
    let end = all.split_off(all.len().saturating_sub(3));
    all.truncate(4);
    all.extend([
        format!("git rebase {}", it.commit),
        format!("# where that conflicts: git rebase --abort && git merge --no-ff {}", it.commit),
        format!("# in ecosystem.lock.json write {} as the commit of each feature", it.commit),
        "git add ecosystem.lock.json".to_owned(),
    ]);
    all.extend(end);
    all
}

/// Returns a branch by its whole name, which is no option.
fn reference(branch: &str) -> String {
    shell_quoted(format!("refs/heads/{branch}").as_bytes())
}

/// Returns a feature's tree at a commit as git names it.
fn tree(commit: &CommitSha, feature: &FeaturePath) -> String {
    let path = feature.as_bytes();
    let path = if path == b"." { &[] } else { path };
    shell_quoted(&[commit.as_str().as_bytes(), b":", path].concat())
}

/// Returns a path in which git sees no pattern.
fn literal(path: &[u8]) -> String {
    if path == b"." {
        return ".".to_owned();
    }
    shell_quoted(&[b":(top,literal)", path].concat())
}

/// Returns a word that a shell reads as exactly these bytes, on one line.
///
/// What holds nothing that a shell knows stays as it is; else it stands between single quotes; and
/// what a terminal would obey or not show, and what is not UTF-8, is written as `$'\NNN'`.
#[must_use]
pub fn shell_quoted(word: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(byte);
    let text = std::str::from_utf8(word).ok().filter(|text| crate::text::shown(word) == **text);
    match text {
        Some(text) if !text.is_empty() && word.iter().all(is_plain) => text.to_owned(),
        Some(text) => format!("'{}'", text.replace('\'', r"'\''")),
        None => {
            let mut out = String::from("$'");
            for byte in word {
                match byte {
                    b'\'' | b'\\' => {
                        out.push('\\');
                        out.push(char::from(*byte));
                    }
                    byte if (byte.is_ascii_graphic() && *byte != b'#') || *byte == b' ' => {
                        out.push(char::from(*byte));
                    }
                    // Three digits end the escape, whatever follows; a \x would go on.
                    byte => {
                        let _ = write!(out, "\\{byte:03o}");
                    }
                }
            }
            out + "'"
        }
    }
}
