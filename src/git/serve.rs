//! The server's side of git: what the embedded GitHub lets the git program do in a bare repository
//! that it hosts. Reading is git's own `http-backend`, which also inflates what a client has
//! compressed. Of a push only the pack is taken in here; whether refs move is the host's decision,
//! so `receive-pack` never runs with a request of a client.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use tempfile::TempDir;

use super::command::{CommandError, Context, Git, Place};

/// A bare repository and the git program that works on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served<'a> {
    pub(crate) git: &'a Git,
    pub(crate) dir: &'a Path,
}

/// A request as the Common Gateway Interface (RFC 3875) words it.
#[derive(Debug, Default)]
pub(crate) struct Cgi {
    pub(crate) method: String,
    /// `/info/refs` or `/git-upload-pack`.
    pub(crate) path: &'static str,
    pub(crate) query: String,
    pub(crate) content_type: String,
    pub(crate) content_encoding: String,
    pub(crate) content_length: u64,
    /// The `Git-Protocol` header.
    pub(crate) protocol: String,
}

/// What GitHub's servers allow to those who fetch.
const AS_GITHUB: &[&str] = &[
    "uploadpack.allowFilter=true",
    "uploadpack.allowAnySHA1InWant=true",
    // What is pushed is not read by git here, but the advertisement is.
    "http.receivepack=true",
    "receive.hideRefs=refs/pull",
    // Objects that no ref leads to stay, as on GitHub.
    "receive.autogc=false",
];

impl Served<'_> {
    /// Returns the CGI answer to somebody who reads: headers, an empty line, the body.
    pub(crate) fn read(&self, asked: &Cgi, body: Option<File>) -> Result<Vec<u8>, CommandError> {
        let length = asked.content_length.to_string();
        let variables = vec![
            ("GIT_PROJECT_ROOT", self.dir.as_os_str().to_owned()),
            ("GIT_HTTP_EXPORT_ALL", OsString::from("1")),
            ("PATH_INFO", asked.path.into()),
            ("REQUEST_METHOD", (&asked.method).into()),
            ("QUERY_STRING", (&asked.query).into()),
            ("CONTENT_TYPE", (&asked.content_type).into()),
            ("HTTP_CONTENT_ENCODING", (&asked.content_encoding).into()),
            ("CONTENT_LENGTH", length.into()),
            ("GIT_PROTOCOL", (&asked.protocol).into()),
        ];
        let context = Context {
            variables,
            settings: AS_GITHUB,
            // What upload-pack refuses, it has told the client already.
            partial_success: Some(|said| !said.is_empty()),
            ..Context::default()
        };
        self.git.run_with(&context, ["http-backend"], body)
    }

    /// Returns a place where what is pushed waits until it is decided about.
    pub(crate) fn quarantine(&self) -> std::io::Result<TempDir> {
        let objects = self.dir.join("objects");
        let place = tempfile::Builder::new().prefix("incoming-").tempdir_in(objects)?;
        std::fs::create_dir(place.path().join("pack"))?;
        Ok(place)
    }

    /// Takes a pack into a quarantine; its deltas may rest on objects that are here.
    pub(crate) fn index(&self, pack: File, quarantine: &TempDir) -> Result<(), CommandError> {
        let args = ["index-pack", "--stdin", "--fix-thin"];
        self.git.run_with(&self.beside(quarantine), args, Some(pack))?;
        Ok(())
    }

    /// Returns whether all that the objects named in the file, one a line, lead to is here or in
    /// the quarantine.
    pub(crate) fn is_whole(&self, ids: File, quarantine: &TempDir) -> bool {
        let args = ["rev-list", "--objects", "--stdin", "--not", "--all", "--quiet"];
        self.git.run_with(&self.beside(quarantine), args, Some(ids)).is_ok()
    }

    /// Takes what is in a quarantine over into the repository.
    pub(crate) fn accept(&self, quarantine: &TempDir) -> std::io::Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(quarantine.path().join("pack"))? {
            files.push(entry?);
        }
        let packs = self.dir.join("objects/pack");
        std::fs::create_dir_all(&packs)?;
        // Whoever sees the index looks for the pack.
        files.sort_by_key(|it| it.path().extension().is_some_and(|it| it == "idx"));
        for file in files {
            let to = packs.join(file.file_name());
            if !to.exists() {
                std::fs::rename(file.path(), to)?;
            }
        }
        Ok(())
    }

    fn beside(&self, quarantine: &TempDir) -> Context<'_> {
        let variables = vec![
            ("GIT_OBJECT_DIRECTORY", quarantine.path().as_os_str().to_owned()),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.dir.join("objects").into_os_string()),
        ];
        Context { place: Place::Own(self.dir), variables, ..Context::default() }
    }
}
