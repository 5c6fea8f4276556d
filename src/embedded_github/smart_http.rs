//! git's smart HTTP protocol: which requests belong to it, and their way through the git program
//! and back. The model is asked under its lock who may pass; the git program runs outside of it, on
//! a thread of its own.
//!
//! Source: git's documentation, "gitprotocol-http". Decided here: a push that is compressed as a
//! whole is refused with 415, because no git client sends one.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::pin::Pin;

use axum::body::{Body as HttpBody, HttpBody as _};
use axum::extract::Request as HttpRequest;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use git2::Oid;
use tempfile::TempDir;

use super::hosting::{Admitted, Service, move_refs};
use super::http::{Shared, projected, refused, text};
use super::log::GitRequest;
use super::push::{Commands, Judged};
use crate::git::hosted::Hosted;
use crate::git::serve::{Cgi, Served};

/// The longest body, in bytes: GitHub takes pushes of up to 2 GiB.
const BODY_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// A request of no more than an end mark, by which a client asks whether it may push.
const FLUSH_BYTES: u64 = 4;

/// A path of the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// `owner/name`, without `.git`.
    name: String,
    /// What stands behind it, with the query.
    rest: String,
    path: &'static str,
    service: Service,
}

impl Asked {
    /// Returns what a method and a path with its query ask for over git; nothing for all else.
    pub(super) fn of(method: &str, path: &str) -> Option<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (path, service) = if method == "POST" {
            let read = path.strip_suffix("/git-upload-pack").map(|it| (it, Service::Read));
            read.or_else(|| Some((path.strip_suffix("/git-receive-pack")?, Service::Write)))?
        } else {
            let name = super::query::value(query, "service")?;
            let service = match name.as_str() {
                "git-upload-pack" => Service::Read,
                "git-receive-pack" => Service::Write,
                _ => return None,
            };
            (path.strip_suffix("/info/refs").filter(|_| method == "GET")?, service)
        };
        let (below, rest) = match (method, service) {
            ("POST", Service::Read) => ("/git-upload-pack", "/git-upload-pack".to_owned()),
            ("POST", Service::Write) => ("/git-receive-pack", "/git-receive-pack".to_owned()),
            _ => ("/info/refs", format!("/info/refs?{query}")),
        };
        let (owner, name) = path.strip_prefix('/')?.split_once('/')?;
        let name = name.strip_suffix(".git").unwrap_or(name);
        let is_name = |it: &str| !it.is_empty() && !it.contains('/');
        let api = ["repos", "repositories"].contains(&owner);
        (is_name(owner) && is_name(name) && !api).then(|| Self {
            name: format!("{owner}/{name}"),
            rest,
            path: below,
            service,
        })
    }

    fn is_push(&self) -> bool {
        self.path == "/git-receive-pack"
    }
}

/// What came in, apart from who sent it.
struct Incoming {
    asked: Asked,
    cgi: Cgi,
    body: File,
}

/// Answers a request over git.
pub(super) async fn handle(shared: Shared, asked: Asked, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let authorization = text(&parts.headers, &header::AUTHORIZATION);
    let admitted =
        shared.lock().admit(&asked.name, &asked.rest, asked.service, authorization.as_deref());
    // What is refused is read nevertheless, so that the client gets to read the refusal.
    let received = spooled(body).await;
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err(answer) => return projected(&answer),
    };
    let Some((body, content_length)) = received else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let header = |name: HeaderName| text(&parts.headers, &name).unwrap_or_default();
    let cgi = Cgi {
        method: parts.method.as_str().to_owned(),
        path: asked.path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content_type: header(header::CONTENT_TYPE),
        content_encoding: header(header::CONTENT_ENCODING),
        content_length,
        protocol: header(HeaderName::from_static("git-protocol")),
    };
    if asked.is_push() && !cgi.content_encoding.is_empty() {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let (id, push) = (admitted.id, asked.is_push() && content_length > FLUSH_BYTES);
    let mut served = GitRequest {
        repository: admitted.full_name.clone(),
        path: asked.path.to_owned(),
        token: admitted.token.clone(),
        received_bytes: content_length,
        compressed: !cgi.content_encoding.is_empty(),
        sent_bytes: 0,
    };
    {
        let mut model = shared.lock();
        if push {
            model.run_push_hooks(&served.repository);
        }
        model.follow_heads(id);
    }
    let incoming = Incoming { asked, cgi, body };
    let answered = tokio::task::spawn_blocking(move || answer(&admitted, incoming)).await;
    let response = answered.ok().flatten();
    let response = response.unwrap_or_else(|| refused(StatusCode::INTERNAL_SERVER_ERROR));
    served.sent_bytes = response.body().size_hint().lower();
    let mut model = shared.lock();
    model.follow_heads(id);
    model.git_requests.push(served);
    response
}

/// Writes a body into a file, which git reads it from, and returns that with its length; nothing
/// when it is too long or breaks off.
async fn spooled(mut body: HttpBody) -> Option<(File, u64)> {
    let mut file = tempfile::tempfile().ok()?;
    let mut length = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        length += data.len() as u64;
        if length > BODY_BYTES {
            return None;
        }
        // Into the page cache, a few kilobytes at a time: no disk is waited for.
        file.write_all(&data).ok()?;
    }
    file.rewind().ok()?;
    Some((file, length))
}

fn answer(admitted: &Admitted, incoming: Incoming) -> Option<Response> {
    let served = Served { git: &admitted.git, dir: &admitted.dir };
    if incoming.asked.is_push() {
        let report = push(admitted, served, incoming.body)?;
        let mut response = Response::new(HttpBody::from(report));
        let value = HeaderValue::from_static("application/x-git-receive-pack-result");
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        no_cache(response.headers_mut());
        return Some(response);
    }
    let said = served.read(&incoming.cgi, Some(incoming.body));
    let said = said.inspect_err(|error| tracing::debug!(%error, "serving git"));
    from_cgi(&said.ok()?)
}

/// Takes a push in and returns the report; nothing when it cannot be understood.
fn push(admitted: &Admitted, served: Served<'_>, mut body: File) -> Option<Vec<u8>> {
    let commands = Commands::parse(std::io::BufReader::new(&mut body))?;
    if commands.commands.is_empty() {
        // A client that is about to send much asks first whether it may.
        return Some(Vec::new());
    }
    let quarantine = served.quarantine().ok()?;
    if commands.has_pack() {
        body.seek(SeekFrom::Start(commands.pack_at)).ok()?;
        if let Err(error) = served.index(body, &quarantine) {
            tracing::debug!(%error, "taking in a pack");
            let failed = commands.commands.iter();
            let failed = failed.map(|it| (it.reference.clone(), Err("unpacker error".to_owned())));
            let failed: Vec<_> = failed.collect();
            return Some(commands.report(Err("index-pack failed"), &[], &failed));
        }
    }
    let (judged, said) = judge(admitted, served, &commands, &quarantine)?;
    if judged.iter().any(Result::is_ok) {
        served.accept(&quarantine).ok()?;
    }
    let hosted = Hosted::open(&admitted.dir).ok()?;
    let outcomes = move_refs(&hosted, &commands, judged);
    Some(commands.report(Ok(()), &said, &outcomes))
}

fn judge(
    admitted: &Admitted,
    served: Served<'_>,
    commands: &Commands,
    quarantine: &TempDir,
) -> Option<(Judged, Vec<String>)> {
    let whole = |id: Oid| {
        let lacks = if commands.shallow {
            "shallow update not allowed"
        } else {
            "missing necessary objects"
        };
        if is_whole(served, id, quarantine) { Ok(()) } else { Err(lacks.to_owned()) }
    };
    let hosted = Hosted::open(&admitted.dir).and_then(|it| it.beside(quarantine.path())).ok()?;
    Some(admitted.rules.judge(&hosted, commands, whole))
}

fn is_whole(served: Served<'_>, id: Oid, quarantine: &TempDir) -> bool {
    let ids = tempfile::tempfile().and_then(|mut file| {
        writeln!(file, "{id}")?;
        file.rewind()?;
        Ok(file)
    });
    ids.is_ok_and(|ids| served.is_whole(ids, quarantine))
}

/// Returns the response that a CGI answer is: its headers up to an empty line, then the body.
fn from_cgi(said: &[u8]) -> Option<Response> {
    let end = said.windows(4).position(|it| it == b"\r\n\r\n")?;
    let (head, body) = (said.get(..end)?, said.get(end + 4..)?);
    let mut response = Response::new(HttpBody::from(body.to_vec()));
    for line in std::str::from_utf8(head).ok()?.lines() {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("status") {
            let status = value.trim().split(' ').next().unwrap_or_default();
            *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).ok()?;
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        response.headers_mut().insert(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    Some(response)
}

fn no_cache(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0"));
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_request_over_git_is_told_from_all_others() {
        let refs = "info/refs?service=git";
        for (method, path, name, push) in [
            ("GET", format!("/acme/web/{refs}-upload-pack"), Some("acme/web"), false),
            ("GET", format!("/acme/web.git/{refs}-upload-pack"), Some("acme/web"), false),
            ("GET", format!("/acme/web.git/{refs}-receive-pack"), Some("acme/web"), false),
            ("POST", "/acme/web.git/git-upload-pack".to_owned(), Some("acme/web"), false),
            ("POST", "/acme/web/git-receive-pack".to_owned(), Some("acme/web"), true),
            ("GET", "/acme/web/info/refs".to_owned(), None, false),
            ("GET", format!("/acme/web/{refs}-upload-archive"), None, false),
            ("GET", "/acme/web/git-upload-pack".to_owned(), None, false),
            ("PUT", "/acme/web/git-receive-pack".to_owned(), None, false),
            ("GET", format!("/repos/web/{refs}-upload-pack"), None, false),
            ("POST", "/repos/acme/web/git-upload-pack".to_owned(), None, false),
            ("POST", "/web.git/git-upload-pack".to_owned(), None, false),
            ("POST", "//web.git/git-upload-pack".to_owned(), None, false),
            ("POST", "/a/b/c/git-upload-pack".to_owned(), None, false),
            ("POST", "/acme/.git/git-upload-pack".to_owned(), None, false),
        ] {
            let asked = Asked::of(method, &path);
            assert_eq!(asked.as_ref().map(|it| it.name.as_str()), name, "{method} {path}");
            assert_eq!(asked.is_some_and(|it| it.is_push()), push, "{method} {path}");
        }
    }

    #[test]
    fn the_answer_of_a_program_becomes_a_response() {
        let response =
            from_cgi(b"Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\ngone").unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(from_cgi(b"Expires: x\r\n\r\n").unwrap().status(), 200);
        for said in [&b""[..], b"no end", b"no colon\r\n\r\n", b"Status: 7\r\n\r\n"] {
            assert!(from_cgi(said).is_none(), "{said:?}");
        }
    }
}
