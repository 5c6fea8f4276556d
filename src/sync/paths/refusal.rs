//! What is refused, and how it is told.

use std::fmt::{self, Display, Formatter};

use crate::text::shown;

/// The most that are shown; all are counted.
const SHOWN: usize = 20;

/// Everything that upstream wants to write and may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refused(pub Vec<Refusal>);

/// A path that is not written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Where, from the cousin's root.
    pub path: Vec<u8>,
    /// Why.
    pub reason: Reason,
}

/// Why a path is not written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A part of it is empty, `.` or `..`.
    Relative,
    /// A part of it is `.git`, or what a file system takes for it.
    DotGit,
    /// It holds a zero byte.
    Zero,
    /// It is `.gitmodules`, or what a file system takes for it, as a symbolic link.
    LinkedGitModules,
    /// Some file systems take it for another path that is there.
    Collision {
        /// The other path.
        with: Vec<u8>,
    },
    /// A symbolic link with a target that leads nowhere: empty, or with a zero byte.
    LinkNowhere,
    /// A symbolic link with an absolute target, or one that Windows reads in another way.
    LinkAbsolute,
    /// A symbolic link that leads out of the feature's directory.
    LinkOutward,
    /// A symbolic link that leads into a git directory.
    LinkIntoGit,
    /// A symbolic link that leads through too many others.
    LinkCircle,
    /// A symbolic link whose target is not known.
    LinkUnread,
    /// A workflow, an action, or who owns the code: what decides over the cousin itself.
    Workflow,
    /// A file of the cousin's root that only the cousin itself or a sync writes.
    OurOwn,
}

impl Refusal {
    /// Returns what to do next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self.reason {
            Reason::Collision { .. } => {
                "rename one of the two, here or upstream: on macOS and Windows they are one file"
            }
            Reason::Workflow => {
                "pass --allow-workflows when upstream may decide what runs here and who reviews it, \
                 or list the path in `preserve`"
            }
            Reason::OurOwn => "list the path in `preserve`, or sync into a directory of its own",
            Reason::LinkNowhere
            | Reason::LinkAbsolute
            | Reason::LinkOutward
            | Reason::LinkIntoGit
            | Reason::LinkCircle
            | Reason::LinkUnread => {
                "replace the link upstream with one that stays inside of the feature, or list the \
                 path in `preserve`"
            }
            Reason::Relative | Reason::DotGit | Reason::Zero | Reason::LinkedGitModules => {
                "such a path can change what git does: find out who added it upstream"
            }
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str("the root: ")?;
        } else {
            write!(f, "{}: ", shown(&self.path))?;
        }
        f.write_str(match &self.reason {
            Reason::Relative => "a part of the path is empty, \".\" or \"..\"",
            Reason::DotGit => "a part of the path is, on some file system, \".git\"",
            Reason::Zero => "the path holds a zero byte",
            Reason::LinkedGitModules => "\".gitmodules\" must not be a symbolic link",
            Reason::Collision { with } => {
                return write!(f, "some file systems take it for {}", shown(with));
            }
            Reason::LinkNowhere => "the symbolic link leads nowhere",
            Reason::LinkAbsolute => {
                "the symbolic link has an absolute target, or a backslash in it"
            }
            Reason::LinkOutward => "the symbolic link leads out of the feature",
            Reason::LinkIntoGit => "the symbolic link leads into a git directory",
            Reason::LinkCircle => "the symbolic link leads through too many others",
            Reason::LinkUnread => "where the symbolic link leads could not be read",
            Reason::Workflow => "it decides what runs in this repository, or who reviews it",
            Reason::OurOwn => "it is never written by what comes from upstream",
        })
    }
}

impl Refused {
    /// Returns what to do next, for each kind of refusal once.
    #[must_use]
    pub fn help(&self) -> String {
        let mut all: Vec<&str> = self.0.iter().map(Refusal::help).collect();
        all.sort_unstable();
        all.dedup();
        all.join("; ")
    }
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("upstream changes a path that may not be written here:")?,
            count => write!(f, "upstream changes {count} paths that may not be written here:")?,
        }
        for refusal in self.0.iter().take(SHOWN) {
            write!(f, "\n  {refusal}")?;
        }
        match self.0.len().checked_sub(SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\n  and {more} more"),
        }
    }
}
