//! `GET …/contents/{path}`: a file, as a JSON object or as its bytes, or a directory, as an array.
//!
//! Source of shapes and bounds: REST documentation, "Get repository content"; the object's fields
//! and the line breaks in `content` as in the answers recorded in `PyGithub`'s tests. Decided here:
//! `.` and `..` are names like others, which no file has (on github.com they can lead out of the
//! endpoint, which is why google/go-github refuses to send them), and empty parts of a path count
//! as not there, so that `contents/` is the root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Body};
use super::files::{Entry, Tree, cleaned, joined};
use super::query::{decoded, encoded, value};
use super::repository::Repository;

/// The most entries of a directory that are listed.
const LISTED: usize = 1_000;
/// The longest file, in bytes, whose content is in the JSON object.
const INLINE_BYTES: usize = 1024 * 1024;
/// The longest file, in bytes, that is given out at all.
const GIVEN_BYTES: usize = 100 * INLINE_BYTES;
/// Characters on a line of `content`.
const LINE_CHARACTERS: usize = 60;
/// The documentation page of answers about a ref, which is not that of the endpoint.
const REF_DOCS: &str = "https://docs.github.com/v3/repos/contents/";
/// The same for a repository without a commit.
const EMPTY_DOCS: &str = "https://docs.github.com/v3/repos/contents/#get-contents";

/// Where the files are and what they are called there.
struct Place<'a> {
    root: &'a str,
    repository: &'a Repository,
    tree: &'a Tree,
    reference: &'a str,
}

/// Returns what is at `path`, which is as it was sent, in the ref that the query names.
pub(super) fn show(
    root: &str,
    repository: &Repository,
    path: &str,
    query: &str,
    accept: Option<&str>,
    documentation_url: &str,
) -> Answer {
    if repository.branches().next().is_none() {
        return Answer::error(404, "This repository is empty.", EMPTY_DOCS);
    }
    let reference = value(query, "ref")
        .filter(|it| !it.is_empty())
        .unwrap_or_else(|| repository.default_branch.clone());
    let Some(tree) = repository.tree(&reference) else {
        return Answer::error(404, format!("No commit found for the ref {reference}"), REF_DOCS);
    };
    let place = Place { root, repository, tree, reference: &reference };
    let path = decoded(path).map(|path| cleaned(&path));
    let found = path.as_deref().and_then(|path| Some((path, tree.at(path)?)));
    match found {
        None => Answer::not_found(documentation_url),
        Some((_, Entry::File(bytes))) if bytes.len() > GIVEN_BYTES => too_large(documentation_url),
        Some((path, Entry::File(bytes))) => match raw_type(accept) {
            Some(content_type) => raw(content_type, bytes),
            None => Answer::json(200, place.file(path, bytes)),
        },
        Some((path, Entry::Directory)) => Answer::json(200, place.directory(path)),
    }
}

impl Place<'_> {
    fn directory(&self, path: &str) -> Value {
        let entries = self.tree.list(path).into_iter().take(LISTED);
        entries
            .map(|(name, entry)| Value::Object(self.described(&joined(path, name), entry)))
            .collect()
    }

    fn file(&self, path: &str, bytes: &[u8]) -> Value {
        let mut fields = self.described(path, Entry::File(bytes));
        let (encoding, content) = if bytes.len() > INLINE_BYTES {
            ("none", String::new())
        } else {
            ("base64", in_lines(&STANDARD.encode(bytes)))
        };
        fields.insert("encoding".to_owned(), encoding.into());
        fields.insert("content".to_owned(), content.into());
        Value::Object(fields)
    }

    /// Returns what a file and an entry of a directory have in common.
    fn described(&self, path: &str, entry: Entry<'_>) -> Map<String, Value> {
        let full_name = &self.repository.full_name;
        let (kind, size, objects, view) = match entry {
            Entry::File(bytes) => ("file", bytes.len(), "blobs", "blob"),
            Entry::Directory => ("dir", 0, "trees", "tree"),
        };
        let sha = self.tree.id(path, entry);
        let (at, reference) = (encoded(path), encoded(self.reference));
        let url = format!("{}/repos/{full_name}/contents/{at}?ref={reference}", self.root);
        let git_url = format!("{}/repos/{full_name}/git/{objects}/{sha}", self.root);
        let html_url = format!("https://github.com/{full_name}/{view}/{reference}/{at}");
        let download_url = matches!(entry, Entry::File(_))
            .then(|| format!("https://raw.githubusercontent.com/{full_name}/{reference}/{at}"));
        let described = json!({
            "type": kind,
            "size": size,
            "name": path.rsplit('/').next(),
            "path": path,
            "sha": sha,
            "url": url,
            "git_url": git_url,
            "html_url": html_url,
            "download_url": download_url,
            "_links": { "self": url, "git": git_url, "html": html_url },
        });
        match described {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

/// Returns the text with a line break behind each line, the last one too.
fn in_lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / LINE_CHARACTERS + 1);
    for (n, character) in text.chars().enumerate() {
        if n > 0 && n % LINE_CHARACTERS == 0 {
            lines.push('\n');
        }
        lines.push(character);
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}

/// Returns the media type that asks for a file's bytes, if one in the `Accept` header does:
/// `application/vnd.github.raw+json`, `….raw`, and `….v3.raw` of old.
fn raw_type(accept: Option<&str>) -> Option<&str> {
    accept?.split(',').map(|it| it.split(';').next().unwrap_or(it).trim()).find(|it| {
        let it = it.to_ascii_lowercase();
        let parts = it.strip_prefix("application/vnd.github.");
        parts.is_some_and(|it| it.trim_end_matches("+json").split('.').any(|part| part == "raw"))
    })
}

fn raw(content_type: &str, bytes: &[u8]) -> Answer {
    let content_type = format!("{content_type}; charset=utf-8");
    let body = Body::Bytes { content_type, bytes: bytes.to_vec() };
    Answer { status: 200, headers: Vec::new(), body }
        .header("x-github-media-type", "github.v3; param=raw; format=json")
}

/// Returns the answer for a file that no media type gets. The body is that of the bound of 1 MB in
/// former days, as quoted in public code.
fn too_large(documentation_url: &str) -> Answer {
    Answer::json(
        403,
        json!({
            "message": "This API returns blobs up to 100 MB in size. The requested blob is too \
                        large to fetch via the API, but you can always clone the repository via \
                        Git.",
            "errors": [{ "resource": "Blob", "field": "data", "code": "too_large" }],
            "documentation_url": documentation_url,
            "status": "403",
        }),
    )
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn only_githubs_raw_media_types_ask_for_bytes() {
        for (accept, raw) in [
            ("application/vnd.github.raw+json", true),
            ("application/vnd.github.raw", true),
            ("application/vnd.github.v3.raw", true),
            ("application/vnd.github.v3.raw+json", true),
            ("Application/Vnd.GitHub.RAW", true),
            ("text/html, application/vnd.github.raw+json; q=0.5", true),
            ("application/vnd.github+json", false),
            ("application/vnd.github.rawr+json", false),
            ("application/vnd.github.object+json", false),
            ("application/raw", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(raw_type(Some(accept)).is_some(), raw, "{accept}");
        }
        assert_eq!(raw_type(None), None);
    }

    #[test]
    fn content_is_broken_after_every_sixty_characters_and_at_its_end() {
        for (length, lines) in [(0, 0), (1, 1), (59, 1), (60, 1), (61, 2), (120, 2), (121, 3)] {
            let text = "x".repeat(length);
            let broken = in_lines(&text);
            assert_eq!(broken.replace('\n', ""), text);
            assert_eq!(broken.lines().count(), lines, "{length}");
            assert!(broken.lines().all(|line| (1..=60).contains(&line.len())), "{length}");
            assert_eq!(broken.ends_with('\n'), length > 0, "{length}");
        }
    }

    #[test]
    fn a_file_is_given_out_inline_up_to_a_mebibyte_raw_up_to_a_hundred_and_not_beyond() {
        let show = |bytes: usize, accept| {
            let repository = Repository::new("acme/web").file("f", vec![b'x'; bytes]);
            show("", &repository, "f", "", accept, "docs")
        };
        let raw = Some("application/vnd.github.raw+json");
        for (bytes, encoding) in [(INLINE_BYTES, "base64"), (INLINE_BYTES + 1, "none")] {
            let Body::Json(value) = show(bytes, None).body else { panic!("not JSON") };
            assert_eq!((&value["encoding"], &value["size"]), (&json!(encoding), &json!(bytes)));
            assert_eq!(value["content"] == "", encoding == "none");
            let Body::Bytes { bytes: given, .. } = show(bytes, raw).body else { panic!("JSON") };
            assert_eq!(given.len(), bytes);
        }
        let answer = show(GIVEN_BYTES + 1, raw);
        assert_eq!(answer.status, 403);
        assert!(answer.message().unwrap().contains("too large"));
    }
}
