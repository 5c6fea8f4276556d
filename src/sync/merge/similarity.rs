//! How much of one file is in another: the bytes of the lines that both have, as a share of the
//! larger one, which is how git tells a renamed file from another one.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The most bytes of a file that is compared by content: the time is that of hashing it, and a
/// larger file is seldom one that people edit.
pub(super) const LARGEST: usize = 1 << 20;

/// The most bytes of a line: a file that is not text has pieces too.
const LONGEST_LINE: usize = 64;

/// The lines of a file, by their hashes.
#[derive(Debug)]
pub(super) struct Fingerprint {
    /// How many bytes the lines with one hash have together.
    bytes: HashMap<u64, usize>,
    size: usize,
}

/// Makes fingerprints that can be compared with each other.
#[derive(Debug, Default)]
pub(super) struct Fingerprints(RandomState);

impl Fingerprints {
    /// Returns that of a file; none when it is empty or too large. A carriage return before a line
    /// feed does not count.
    pub(super) fn of(&self, content: &[u8]) -> Option<Fingerprint> {
        if content.is_empty() || content.len() > LARGEST {
            return None;
        }
        let mut bytes = HashMap::new();
        let mut size = 0;
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            let line = match line {
                [text @ .., b'\r', b'\n'] => text,
                [text @ .., b'\n'] => text,
                text => text,
            };
            // An empty line is a line.
            for piece in line.chunks(LONGEST_LINE).chain(line.is_empty().then_some(line)) {
                *bytes.entry(self.0.hash_one(piece)).or_default() += piece.len() + 1;
                size += piece.len() + 1;
            }
        }
        Some(Fingerprint { bytes, size })
    }
}

impl Fingerprint {
    /// Returns how similar two files are, in per cent.
    pub(super) fn similarity(&self, other: &Self) -> usize {
        let larger = self.size.max(other.size);
        // No common line can make up for that.
        if self.size.min(other.size) * 2 < larger {
            return 0;
        }
        let common: usize = self
            .bytes
            .iter()
            .filter_map(|(hash, bytes)| other.bytes.get(hash).map(|theirs| *theirs.min(bytes)))
            .sum();
        common * 100 / larger.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_the_share_of_common_lines_in_the_larger_file() {
        let prints = Fingerprints::default();
        for (one, other, expected) in [
            ("a\nb\n", "a\nb\n", 100),
            ("a\nb\nc\nd\n", "a\nb\nx\ny\n", 50),
            ("a\nb\nc\nd\n", "d\nc\nb\na\n", 100),
            ("a\na\na\na\n", "a\nb\nc\nd\n", 25),
            ("a\r\nb\r\n", "a\nb\n", 100),
            ("a\n", "a\nb\nc\nd\n", 0),
            ("a\n\n\n\n", "\n\n\nb\n", 60),
            ("a\n", "b\n", 0),
        ] {
            let (left, right) = (prints.of(one.as_bytes()), prints.of(other.as_bytes()));
            let (left, right) = (left.unwrap(), right.unwrap());
            assert_eq!(left.similarity(&right), expected, "{one:?} {other:?}");
            assert_eq!(right.similarity(&left), expected, "{other:?} {one:?}");
        }
    }

    #[test]
    fn empty_and_huge_files_are_like_no_other() {
        let prints = Fingerprints::default();
        assert!(prints.of(b"").is_none());
        assert!(prints.of(&vec![b'x'; LARGEST]).is_some());
        assert!(prints.of(&vec![b'x'; LARGEST + 1]).is_none());
    }
}
