//! Commits as git stores them, read and written byte for byte: libgit2 would trim messages and
//! take a shallow commit's parents away. Source of the format: git's `commit.c` and `fsck.c`.

use git2::{ErrorCode, ObjectType, Odb, Oid};

use super::ObjectError;
use super::files::ObjectId;
use crate::names::CommitSha;

/// Who wrote or committed something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name; bytes, since old histories are not UTF-8.
    pub name: Vec<u8>,
    /// The e-mail address.
    pub email: Vec<u8>,
    /// Seconds since 1970.
    pub seconds: i64,
    /// The time zone, in minutes east of UTC.
    pub offset_minutes: i32,
}

/// What a commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRecord {
    /// Its id.
    pub id: CommitSha,
    /// Its parents as they stand in it, whether they are here or not.
    pub parents: Vec<ObjectId>,
    /// Who wrote the change, and when.
    pub author: Signature,
    /// When it was committed, in seconds since 1970.
    pub committed: i64,
    /// The message, as it is.
    pub message: Vec<u8>,
    /// Its root tree.
    pub tree: ObjectId,
}

/// A commit to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewCommit<'a> {
    /// Its root tree.
    pub tree: ObjectId,
    /// Its parents.
    pub parents: &'a [ObjectId],
    /// The message, whose bytes are taken as they are but for NUL.
    pub message: &'a [u8],
    /// Who wrote the change.
    pub author: &'a Signature,
    /// Who commits it.
    pub committer: &'a Signature,
}

/// Returns a commit that is here.
pub(super) fn read(odb: &Odb<'_>, id: Oid) -> Result<CommitRecord, ObjectError> {
    let damaged = |why: &str| ObjectError::Damaged { kind: "commit", id, why: why.to_owned() };
    let object = match odb.read(id) {
        Ok(object) if object.kind() == ObjectType::Commit => object,
        Ok(other) => return Err(damaged(&format!("it is a {}", other.kind().str()))),
        Err(error) if error.code() == ErrorCode::NotFound => {
            return Err(ObjectError::Absent { kind: "commit", id });
        }
        Err(error) => return Err(damaged(error.message())),
    };
    let sha = CommitSha::parse(&id.to_string()).map_err(|bad| damaged(&bad.message))?;
    parse(sha, object.data()).ok_or_else(|| damaged("it is malformed"))
}

/// Returns the parents in a commit's bytes.
pub(super) fn parents(data: &[u8]) -> Vec<Oid> {
    header(data).filter_map(|line| oid(line.strip_prefix(b"parent ")?)).collect()
}

fn parse(id: CommitSha, data: &[u8]) -> Option<CommitRecord> {
    let field = |name: &[u8]| header(data).find_map(|line| line.strip_prefix(name));
    let tree = oid(field(b"tree ")?)?;
    let author = signature(field(b"author ")?);
    let committed = signature(field(b"committer ")?).seconds;
    let end = data.windows(2).position(|two| two == b"\n\n");
    let message = end.and_then(|end| data.get(end + 2..)).unwrap_or_default().to_vec();
    Some(CommitRecord { id, parents: parents(data), author, committed, message, tree })
}

fn header(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty())
}

fn oid(hex: &[u8]) -> Option<Oid> {
    let hex = std::str::from_utf8(hex).ok().filter(|hex| hex.len() == 40)?;
    Oid::from_str(hex).ok()
}

/// Reads `NAME <EMAIL> SECONDS +ZONE`; what is odd in it becomes nothing rather than an error, as
/// with git: old histories hold all kinds of it.
fn signature(line: &[u8]) -> Signature {
    let open = line.iter().position(|byte| *byte == b'<').unwrap_or(line.len());
    let close = line.iter().rposition(|byte| *byte == b'>').unwrap_or(line.len());
    let name = line.get(..open).unwrap_or_default().trim_ascii().to_vec();
    let email = line.get(open.saturating_add(1)..close).unwrap_or_default().to_vec();
    let rest = line.get(close.saturating_add(1)..).unwrap_or_default();
    let rest = String::from_utf8_lossy(rest);
    let mut rest = rest.split_ascii_whitespace();
    let seconds = rest.next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    let zone: i32 = rest.next().and_then(|zone| zone.parse().ok()).unwrap_or_default();
    let offset_minutes = zone / 100 * 60 + zone % 100;
    Signature { name, email, seconds, offset_minutes }
}

/// Returns a commit's bytes, such that `git fsck` has nothing to say about them: servers refuse
/// what it would call malformed.
pub(super) fn render(commit: &NewCommit<'_>) -> Vec<u8> {
    let mut out = format!("tree {}\n", commit.tree).into_bytes();
    for parent in commit.parents {
        out.extend_from_slice(format!("parent {parent}\n").as_bytes());
    }
    for (role, who) in [("author", commit.author), ("committer", commit.committer)] {
        out.extend_from_slice(role.as_bytes());
        out.push(b' ');
        let email = clean(&who.email);
        let name = Some(clean(&who.name)).filter(|name| !name.is_empty());
        out.extend_from_slice(&name.unwrap_or_else(|| b"unknown".to_vec()));
        out.extend_from_slice(b" <");
        out.extend_from_slice(&email);
        let zone = who.offset_minutes.clamp(-5999, 5999);
        let sign = if zone < 0 { '-' } else { '+' };
        let (hours, minutes) = (zone.abs() / 60, zone.abs() % 60);
        let when = format!("> {} {sign}{hours:02}{minutes:02}\n", who.seconds.max(0));
        out.extend_from_slice(when.as_bytes());
    }
    out.push(b'\n');
    out.extend(commit.message.iter().filter(|byte| **byte != 0));
    out
}

/// Returns a name or address without what would end it.
fn clean(text: &[u8]) -> Vec<u8> {
    let ends = |byte: &u8| !b"<>\n\r\0".contains(byte);
    text.iter().copied().filter(ends).collect::<Vec<u8>>().trim_ascii().to_vec()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn a_commit_is_read_as_it_was_written() {
        let tree = Oid::from_str(TREE).unwrap();
        let ada = Signature {
            name: b"Ad\xe9 L".to_vec(),
            email: b"ada@test.example".to_vec(),
            seconds: 1_767_000_000,
            offset_minutes: -210,
        };
        let new = NewCommit {
            tree,
            parents: &[tree, tree],
            message: b"\n a\n\nb\n",
            author: &ada,
            committer: &ada,
        };
        let sha = CommitSha::parse(TREE).unwrap();
        let read = parse(sha.clone(), &render(&new)).unwrap();
        let expected = CommitRecord {
            id: sha,
            parents: vec![tree, tree],
            author: ada.clone(),
            committed: ada.seconds,
            message: b"\n a\n\nb\n".to_vec(),
            tree,
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn what_would_end_a_line_or_an_address_is_left_out() {
        let odd = Signature {
            name: b" <\n".to_vec(),
            email: b"a>b\0\n".to_vec(),
            seconds: -5,
            offset_minutes: 1_000_000,
        };
        let tree = Oid::from_str(TREE).unwrap();
        let new = NewCommit { tree, parents: &[], message: b"a\0b", author: &odd, committer: &odd };
        let text = String::from_utf8(render(&new)).unwrap();
        let who = "unknown <ab> 0 +9959";
        assert_eq!(text, format!("tree {TREE}\nauthor {who}\ncommitter {who}\n\nab"));
    }

    #[test]
    fn odd_signatures_are_no_errors() {
        for line in ["", "a", "<", ">", "a <b", "> <", "a <b> x y", "a <b> 99999999999999999999 1"]
        {
            let read = signature(line.as_bytes());
            assert_eq!(read.seconds, 0, "{line}");
        }
    }
}
