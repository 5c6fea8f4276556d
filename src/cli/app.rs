//! The GitHub App of the environment, for the commands that speak to GitHub.

use std::sync::Arc;

use crate::environment::Environment;
use crate::github::app::LONGEST_KEY;
use crate::github::{App, AppError};
use crate::input;

/// Returns the App that speaks for cousins without a token of their own, when one is set.
pub(super) fn of(environment: &Environment) -> Result<Option<Arc<App>>, AppError> {
    let lookup = |variable: &str| environment.raw(variable).map(ToOwned::to_owned);
    let app = App::resolve(&lookup, &|path| input::read(path, LONGEST_KEY))?;
    Ok(app.map(Arc::new))
}
