//! rehearse
use super::{Exit, Failure, Output};
use crate::environment::Environment;
use std::path::Path;
/// See all of it
#[derive(Debug, clap::Args)]
pub struct Args {}
/// Runs
/// # Errors
/// x
pub fn run(_: &Path, _: &Args, _: &Environment, _: &Output) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
