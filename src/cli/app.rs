//! The GitHub App of the environment, for the commands that speak to GitHub.

use std::path::Path;
use std::sync::Arc;

use crate::environment::Environment;
use crate::github::app::{KEY_FILE, LONGEST_KEY};
use crate::github::{App, AppError};
use crate::input;

/// Returns the App that speaks for cousins without a token of their own, when one is set.
pub(super) fn of(environment: &Environment) -> Result<Option<Arc<App>>, AppError> {
    let lookup = |variable: &str| environment.raw(variable).map(ToOwned::to_owned);
    let app = App::resolve(&lookup, &|path| input::read(path, LONGEST_KEY))?;
    Ok(app.map(Arc::new))
}

/// Returns what the file of the App's private key holds, when there is one that can be read.
pub(super) fn key_in_file(environment: &Environment) -> Option<String> {
    let path = environment.raw(KEY_FILE).filter(|path| !path.is_empty())?;
    String::from_utf8(input::read(Path::new(path), LONGEST_KEY).ok()?).ok()
}
