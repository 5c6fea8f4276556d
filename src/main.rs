//! The `ecosystem` command: takes arguments and environment to the library, and its answer to an
//! exit code.

use std::process::ExitCode;

use ecosystem_dispatcher::cli;
use ecosystem_dispatcher::environment::Environment;

fn main() -> ExitCode {
    ExitCode::from(cli::main(&Environment::of_process(), std::env::args_os()))
}
