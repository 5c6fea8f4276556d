//! Puts files where they belong: each whole or not at all, and none over something that somebody
//! else has written. Whether all can be put there is found out before the first is.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Request;
use crate::cli::listing::{self, FILE, Listing};
use crate::cli::monorepo::Monorepo;
use crate::cli::{Exit, Failure};
use crate::ecosystem;
use crate::input;
use crate::names::RepoName;
use crate::onboarding::cousin_files::CousinFile;
use crate::report::onboarding::File;
use crate::text;

/// The most bytes of a cousin's file that it is compared with.
const LONGEST: usize = 1 << 20;

/// Where the cousin's files go.
pub(super) enum Place {
    /// To standard output.
    Shown,
    /// To a directory.
    Directory(PathBuf),
    /// Into a pull request at the cousin; `proposing` puts them there.
    PullRequest,
}

impl Place {
    /// Returns where the files go.
    ///
    /// # Errors
    /// [`Failure`] when that is the monorepo itself.
    pub(super) fn find(output: Option<PathBuf>, monorepo: &Monorepo<'_>) -> Result<Self, Failure> {
        let Some(output) = output else { return Ok(Self::Shown) };
        let work_tree = monorepo.source.as_ref().ok().and_then(|source| source.work_tree());
        let work_tree = work_tree.and_then(|work_tree| work_tree.canonicalize().ok());
        if work_tree.is_some() && work_tree == output.canonicalize().ok() {
            return Err(Failure::new(
                "--output is the monorepo itself",
                "name a clone of the cousin, or a new directory",
            ));
        }
        Ok(Self::Directory(output))
    }
}

/// Writes the files, or with `writes` false says what would be written.
///
/// # Errors
/// [`Failure`] when a file is there that says something else, or cannot be written.
pub(super) fn files(
    place: &Place,
    files: &[CousinFile],
    writes: bool,
) -> Result<Vec<File>, Failure> {
    let Place::Directory(dir) = place else {
        let is_shown = matches!(place, Place::Shown) || !writes;
        let shown = |file: &CousinFile| File {
            path: file.path,
            place: matches!(place, Place::PullRequest).then(|| "the pull request".to_owned()),
            written: false,
            content: is_shown.then(|| file.content.clone()),
        };
        return Ok(files.iter().map(shown).collect());
    };
    let mut told = Vec::with_capacity(files.len());
    for file in files {
        let path = dir.join(file.path);
        leads_elsewhere(dir, &path)?;
        let there = is_there(&path, &file.content)?;
        told.push(File {
            path: file.path,
            place: Some(text::shown_path(&path)),
            written: writes && !there,
            content: (!writes && !there).then(|| file.content.clone()),
        });
    }
    for (file, told) in files.iter().zip(&told).filter(|(_, told)| told.written) {
        let path = dir.join(file.path);
        put(&path, &file.content)
            .map_err(|error| unwritable(told.place.as_deref().unwrap_or(file.path), &error))?;
    }
    Ok(told)
}

/// Refuses a path through a link: whoever wrote the repository would choose what is written.
fn leads_elsewhere(dir: &Path, path: &Path) -> Result<(), Failure> {
    let below = path.ancestors().skip(1).take_while(|above| *above != dir);
    let is_link = |path: &&Path| path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    let Some(link) = below.into_iter().find(is_link) else { return Ok(()) };
    Err(Failure {
        exit: Exit::Invalid,
        ..Failure::new(
            format!("{} is a link to somewhere else", text::shown_path(link)),
            "nothing was written; without --output the files are shown",
        )
    })
}

/// Returns whether a file is there with this content.
fn is_there(path: &Path, content: &str) -> Result<bool, Failure> {
    match input::read(path, LONGEST) {
        Ok(bytes) if bytes == content.as_bytes() => Ok(true),
        Ok(_) => Err(Failure {
            exit: Exit::Invalid,
            ..Failure::new(
                format!("{} is there already and says something else", text::shown_path(path)),
                "nothing was written; without --output the files are shown, to be put together by hand",
            )
        }),
        // A link that leads nowhere is something too.
        Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            Ok(false)
        }
        Err(error) => Err(unwritable(&text::shown_path(path), &error)),
    }
}

/// Writes a file that is not there.
fn put(path: &Path, content: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    beside(dir, content, None)?.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

fn unwritable(path: &str, error: &io::Error) -> Failure {
    // Without the made-up name of the file beside the place.
    let cause = error.get_ref().and_then(|error| error.source());
    let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
    Failure::new(format!("cannot write {path}: {cause}"), "see that you may write there")
}

/// Returns a new file with this text, which goes away unless it gets a place.
fn beside(dir: &Path, text: &str, like: Option<&fs::Metadata>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // As any new file: as far as the umask lets others read it.
    #[cfg(unix)]
    let mode: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(mode);
    let mut file = builder.prefix(".ecosystem-onboard-").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    if let Some(like) = like {
        file.as_file().set_permissions(like.permissions())?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

/// The list of cousins that is to be written anew.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// Its name for messages.
    pub(super) name: String,
    /// What it holds; none when there is no file yet.
    pub(super) bytes: Option<Vec<u8>>,
    path: PathBuf,
}

impl Rewrite {
    /// Finds the list: the file that was named, else the work tree's, else a new one there.
    pub(super) fn find(
        request: &Request<'_>,
        monorepo: &mut Monorepo<'_>,
    ) -> Result<Self, Failure> {
        let source = monorepo.source.as_ref().map_err(Failure::clone)?;
        let work_tree = source.work_tree().map(Path::to_owned);
        let named = request.ecosystem.as_deref();
        if let Some(Listing { name, bytes, path: Some(path) }) =
            listing::outside_of_git(named, work_tree.as_deref())?
        {
            return Ok(Self { name, bytes: Some(bytes), path });
        }
        let Some(work_tree) = work_tree else {
            return Err(Failure::new(
                "a bare repository has no work tree to write ecosystem.json in",
                "run it in a clone, or name the file with --ecosystem FILE",
            ));
        };
        monorepo.paths()?;
        let source = monorepo.source.as_ref().map_err(Failure::clone)?;
        if source.file_at_head(FILE, ecosystem::MAX_BYTES)?.is_some() {
            return Err(Failure::new(
                "ecosystem.json is in HEAD and not in the work tree",
                "bring it back with `git checkout HEAD -- ecosystem.json`",
            ));
        }
        Ok(Self { name: FILE.to_owned(), bytes: None, path: work_tree.join(FILE) })
    }

    /// Returns whether a cousin is listed.
    ///
    /// # Errors
    /// Everything that is wrong with the list.
    pub(super) fn lists(&self, cousin: &RepoName) -> Result<bool, Failure> {
        let Some(bytes) = &self.bytes else { return Ok(false) };
        let cousins = ecosystem::parse(&self.name, bytes)?.cousins;
        Ok(cousins.iter().any(|it| it.repo.key() == cousin.key()))
    }

    /// Returns what the list holds now; none when there is no file.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be read.
    pub(super) fn now(&self) -> Result<Option<Vec<u8>>, Failure> {
        match input::read(&self.path, ecosystem::MAX_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unwritable(&text::shown_path(&self.path), &error)),
        }
    }

    /// Writes the list: whole or not at all, with the permissions that it has. A link stays one.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be written, or no longer holds what the change was made to.
    pub(super) fn write(&self, from: Option<&[u8]>, text: &str) -> Result<(), Failure> {
        if self.now()?.as_deref() != from {
            return Err(Failure::new(
                format!("{} has changed meanwhile", text::shown_path(&self.path)),
                "it was not written over; run the command again",
            ));
        }
        let failed = |error: io::Error| unwritable(&text::shown_path(&self.path), &error);
        let path = match self.path.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => self.path.clone(),
            path => path.map_err(failed)?,
        };
        let like = fs::metadata(&path).ok();
        let dir = path.parent().unwrap_or(Path::new("."));
        let file = beside(dir, text, like.as_ref()).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_has_changed_meanwhile_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.json");
        let list = Rewrite { name: "list.json".to_owned(), bytes: None, path: path.clone() };
        list.write(None, "one").unwrap();
        for from in [None, Some(&b"two"[..])] {
            let refused = list.write(from, "three").unwrap_err();
            assert!(refused.message.ends_with("list.json has changed meanwhile"), "{refused:?}");
            assert_eq!(fs::read(&path).unwrap(), b"one");
        }
        list.write(Some(b"one"), "two").unwrap();
        fs::remove_file(&path).unwrap();
        assert!(list.write(Some(b"two"), "three").is_err() && !path.exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "something is left");
    }
}
