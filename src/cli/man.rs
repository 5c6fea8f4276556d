//! `ecosystem man`: the manual pages, made of the command line itself. `page` puts them together,
//! `facts` holds what a page has and no `--help`; this file prints one or writes all of them. A page
//! is written beside its place and then put there, after all others could be written too, so that
//! no failure leaves half a page or half a set.

mod facts;
mod page;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, ValueHint};
use tempfile::NamedTempFile;

use self::page::Page;
use super::{Cli, Exit, Failure, Output};
use crate::text;

/// Print a manual page, or write all of them
///
/// Without --dir it prints the page of the program, or of COMMAND. With it, the pages of the
/// program and of every command are written to files there, and replace those of another version.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # Read the page of the program, and of a command (macOS, BSD: `| mandoc -a`)
  ecosystem man | man -l -
  ecosystem man dispatch | man -l -

  # Install them all, so that `man ecosystem-dispatch` finds its page
  ecosystem man --dir ~/.local/share/man/man1

  # In a package
  ecosystem man --dir \"$DESTDIR/usr/share/man/man1\"")]
pub struct Args {
    /// The command whose page is printed [default: the program itself]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
    /// Write ecosystem.1 and ecosystem-COMMAND.1 for each command to this directory
    // Under the name `dir` it would be the global `-C`.
    #[arg(long = "dir", value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "command")]
    into: Option<PathBuf>,
}

/// Runs the command; `here` is what `--dir` is relative to.
///
/// # Errors
/// [`Failure`] when there is no such command, or when standard output or a file cannot be written.
pub fn run(here: &Path, args: &Args, output: &Output) -> Result<Exit, Failure> {
    let pages = page::all(Cli::command());
    if let Some(into) = &args.into {
        let dir = here.join(into);
        write(&dir, &pages)?;
        let count = pages.len();
        output.note(&format!("wrote {count} pages to {}", text::shown_path(&dir)));
    } else {
        output.result(&wanted(&pages, args.command.as_deref())?.text)?;
    }
    Ok(Exit::Done)
}

fn wanted<'a>(pages: &'a [Page], command: Option<&str>) -> Result<&'a Page, Failure> {
    pages.iter().find(|page| page.command.as_deref() == command).ok_or_else(|| {
        let commands: Vec<&str> = pages.iter().filter_map(|page| page.command.as_deref()).collect();
        Failure::new(
            format!(
                "there is no command {} and no page of it",
                text::quoted(command.unwrap_or(""))
            ),
            format!("name one of: {}", commands.join(", ")),
        )
    })
}

fn write(dir: &Path, pages: &[Page]) -> Result<(), Failure> {
    let failed = |what: &Path, error: &io::Error| {
        Failure::new(
            format!("cannot write {}: {}", text::shown_path(what), cause(error)),
            "name a directory that you may write to with --dir",
        )
    };
    fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let mut written = Vec::new();
    for page in pages {
        let place = dir.join(format!("{}.1", page.name));
        let file = beside(dir, &page.text).map_err(|error| failed(&place, &error))?;
        written.push((file, place));
    }
    for (file, place) in written {
        file.persist(&place).map_err(|error| failed(&place, &error.error))?;
    }
    Ok(())
}

/// Returns what went wrong, without the made-up name of the file beside the place.
fn cause(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|error| error.source());
    inner.map_or_else(|| error.to_string(), ToString::to_string)
}

/// Returns a new file with this text, which goes away unless it gets a place.
fn beside(dir: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // Everybody may read a manual, as far as the umask of whoever installs it says so.
    #[cfg(unix)]
    let mode: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(mode);
    let mut file = builder.prefix(".ecosystem-man-").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}
