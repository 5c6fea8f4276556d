//! The pull request of a sync: found, opened, updated, commented on and closed.
