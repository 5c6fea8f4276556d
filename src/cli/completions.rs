//! `ecosystem completions`: the script with which a shell completes commands, flags and files. It
//! is made of the command line itself, so it knows what this version knows, and it is printed and
//! never installed: where it belongs is the shell's and the person's business, and `--help` says
//! it.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit, Failure, Output};

/// Print a script that completes commands and flags in your shell
///
/// The script knows this version's commands: make it anew after an update, or have the shell ask
/// for it when it starts.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # bash, with bash-completion
  mkdir -p ~/.local/share/bash-completion/completions
  ecosystem completions bash \\
    > ~/.local/share/bash-completion/completions/ecosystem

  # bash without it: at each start, in ~/.bashrc
  eval \"$(ecosystem completions bash)\"

  # zsh, with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  mkdir -p ~/.zfunc
  ecosystem completions zsh > ~/.zfunc/_ecosystem

  # fish
  mkdir -p ~/.config/fish/completions
  ecosystem completions fish > ~/.config/fish/completions/ecosystem.fish

  # PowerShell: at each start, in the file that $PROFILE names
  ecosystem completions powershell | Out-String | Invoke-Expression

  # elvish: at each start, in ~/.config/elvish/rc.elv
  eval (ecosystem completions elvish | slurp)")]
pub struct Args {
    /// Whose script
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when standard output cannot be written.
pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    output.result(&script(args.shell))?;
    Ok(Exit::Done)
}

fn script(shell: Shell) -> String {
    // Into memory first: the generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ecosystem", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use clap::ValueEnum as _;

    use super::super::output::inert;
    use super::*;

    #[test]
    fn no_line_of_a_script_looks_like_a_command_to_the_runner_and_is_changed() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            assert!(script.contains("dry-run"), "{shell}");
            assert!(matches!(inert(&script), Cow::Borrowed(_)), "{shell}");
        }
    }
}
