//! The `ecosystem` command.

fn main() {}
