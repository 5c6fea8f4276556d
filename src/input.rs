//! Reads a file that somebody named, and never more of it than can be meant. A configuration is a
//! regular file: a FIFO would be waited for, and a device be read without end. What a person names
//! for one run may also be a stream, such as a shell's `<(…)`.

use std::fs::{File, metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Returns the bytes of the regular file at `path`, which may have at most `limit`.
///
/// # Errors
/// What the file system says; [`ErrorKind::FileTooLarge`] above `limit`, and
/// [`ErrorKind::InvalidInput`] for what is no regular file.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let found = metadata(path)?;
    if found.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a directory"));
    }
    if !found.is_file() {
        let message = "it is not a regular file (a pipe or a device is not read)";
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    if found.len() > limit as u64 {
        return Err(too_large(limit));
    }
    // It may grow meanwhile, and the files of /proc do not tell their size.
    read_all(File::open(path)?, limit)
}

/// Returns what the file at `path` holds, or what comes out of the FIFO or device, which may be at
/// most `limit` bytes.
///
/// # Errors
/// What the file system says; [`ErrorKind::FileTooLarge`] above `limit`.
pub(crate) fn read_stream(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let found = metadata(path)?;
    if found.is_dir() || found.is_file() {
        return read(path, limit);
    }
    read_all(File::open(path)?, limit)
}

/// Returns all that comes out of `source`, which may be at most `limit` bytes.
///
/// # Errors
/// What reading says; [`ErrorKind::FileTooLarge`] above `limit`.
pub(crate) fn read_all(source: impl Read, limit: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

fn too_large(limit: usize) -> Error {
    let message = format!("it has more than {} MiB", limit >> 20);
    Error::new(ErrorKind::FileTooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit_and_not_beyond() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, vec![b'x'; 2 << 20]).unwrap();
        assert_eq!(read(&path, 2 << 20).unwrap().len(), 2 << 20);
        let error = read(&path, (2 << 20) - 1).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::FileTooLarge, "it has more than 1 MiB")
        );
        assert_eq!(read(directory.path(), 9).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(
            read(&directory.path().join("none"), 9).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_read() {
        let error = read(Path::new("/dev/zero"), 9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    #[cfg(unix)]
    #[test]
    fn a_stream_is_read_up_to_the_limit_and_not_beyond() {
        let of = |path: &str| read_stream(Path::new(path), 9).map_err(|error| error.kind());
        assert_eq!(of("/dev/null"), Ok(Vec::new()));
        assert_eq!(of("/dev/zero"), Err(ErrorKind::FileTooLarge));
        assert_eq!(of("/"), Err(ErrorKind::IsADirectory));
        assert_eq!(of("/none/such"), Err(ErrorKind::NotFound));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_does_not_tell_its_size_is_read_up_to_the_limit_too() {
        let path = Path::new("/proc/self/maps");
        assert!(!read(path, 64 << 20).unwrap().is_empty());
        assert_eq!(read(path, 9).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
