//! The trailer by which commits that end a rebase say which commit of the cousin was rebased.

use super::Trailers;
use super::trailers::{REBASED, split, tail, written};
use crate::names::CommitSha;

/// Returns a message with our trailers, as it stands in a commit that brings the cousin's `head`
/// onto upstream.
#[must_use]
pub fn rebased(message: Vec<u8>, head: &CommitSha) -> Vec<u8> {
    let mut message = message;
    message.extend(format!("{REBASED}: {head}\n").into_bytes());
    message
}

/// Returns the message of a merge of ours below the commit that ends a rebase of the cousin's
/// `head`; subject and text are our own words.
#[must_use]
pub fn joining_message(
    trailers: &Trailers<'_>,
    head: &CommitSha,
    subject: &str,
    text: &str,
) -> Vec<u8> {
    let text = format!("{subject}\n\n{text}\n\n{}", written(trailers));
    rebased(text.into_bytes(), head)
}

/// Returns the commit of the cousin that was rebased; none where the message does not say so, or
/// says it twice.
#[must_use]
pub fn rebased_from(message: &[u8]) -> Option<CommitSha> {
    let lines = tail(message)?;
    let mut found =
        lines.into_iter().filter_map(split).filter(|(key, _)| *key == REBASED.as_bytes());
    let (_, head) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    CommitSha::parse(std::str::from_utf8(head).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn the_trailer_is_read_as_it_was_written_and_from_nowhere_else() {
        let head = CommitSha::parse(HEAD).unwrap();
        let ours = rebased(b"Update\n\nEcosystem-Feature: a\n".to_vec(), &head);
        assert_eq!(rebased_from(&ours), Some(head.clone()));
        let twice = rebased(ours, &head);
        for other in [
            &b"Update\n\nEcosystem-Feature: a\n"[..],
            format!("Ecosystem-Rebased: {HEAD}\n").as_bytes(),
            format!("a\n\nEcosystem-Rebased: {HEAD}\n\nb\n").as_bytes(),
            b"a\n\nEcosystem-Rebased: main\n",
            &twice,
        ] {
            assert_eq!(rebased_from(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}
