//! What must hold of the lines of a merged file, whoever merged it.

use std::collections::BTreeMap;

use super::Fault;

/// How often each line is in a file. How it ends does not count.
struct Lines<'a>(BTreeMap<&'a [u8], usize>);

impl<'a> Lines<'a> {
    fn of(content: &'a [u8]) -> Self {
        let mut lines = BTreeMap::new();
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            *lines.entry(line.strip_suffix(b"\r").unwrap_or(line)).or_default() += 1;
        }
        Self(lines)
    }

    fn has(&self, line: &[u8]) -> bool {
        self.0.contains_key(line)
    }

    /// Returns how many lines begin with a conflict marker of each of the three kinds.
    fn markers(&self) -> [usize; 3] {
        [b"<<<<<<<", b"=======", b">>>>>>>"].map(|marker: &[u8; 7]| {
            let is_marker =
                |line: &[u8]| matches!(line.strip_prefix(marker), Some([] | [b' ', ..]));
            self.0.iter().filter(|(line, _)| is_marker(line)).map(|(_, count)| count).sum()
        })
    }
}

/// Returns what is wrong with `merged`, made of the other three, with markers where `marked`.
pub(super) fn check(
    base: &[u8],
    ours: &[u8],
    theirs: &[u8],
    merged: &[u8],
    marked: bool,
) -> Vec<Fault> {
    let [base, ours, theirs, merged] = [base, ours, theirs, merged].map(Lines::of);
    let mut faults = Vec::new();
    let is_added = |line: &[u8]| !base.has(line) && !merged.has(line);
    // A line that the base has twice may be taken away once by each side.
    let is_kept = |(line, count): (&&[u8], &usize)| {
        *count == 1 && ours.has(line) && theirs.has(line) && !merged.has(line)
    };
    if ours.0.keys().chain(theirs.0.keys()).any(|line| is_added(line)) || base.0.iter().any(is_kept)
    {
        faults.push(Fault::LineLost);
    }
    let [of_ours, of_theirs, of_merged] = [&ours, &theirs, &merged].map(Lines::markers);
    let more = of_merged
        .iter()
        .zip(of_ours.iter().zip(of_theirs))
        .all(|(merged, (ours, theirs))| *merged > if marked { 0 } else { ours + theirs });
    match (marked, more) {
        (true, false) => faults.push(Fault::MarkerMissing),
        (false, true) => faults.push(Fault::MarkerLeft),
        _ => {}
    }
    if !marked && merged.0.keys().any(|line| !ours.has(line) && !theirs.has(line)) {
        faults.push(Fault::LineInvented);
    }
    faults
}

/// The longest piece of a line that is compared.
const PIECE: usize = 64;

/// Returns whether one file can have come from the other: whether at least half of the larger one
/// is in both, by lines.
pub(super) fn are_alike(one: &[u8], other: &[u8]) -> bool {
    let (mut left, mut right) = (pieces(one), pieces(other));
    left.sort_unstable();
    right.sort_unstable();
    let weight = |pieces: &[&[u8]]| pieces.iter().map(|piece| piece.len() + 1).sum::<usize>();
    let larger = weight(&left).max(weight(&right));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut common = 0;
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        match one.cmp(other) {
            std::cmp::Ordering::Less => drop(left.next()),
            std::cmp::Ordering::Greater => drop(right.next()),
            std::cmp::Ordering::Equal => {
                common += one.len() + 1;
                left.next();
                right.next();
            }
        }
    }
    common > 0 && common * 2 >= larger
}

fn pieces(content: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => line,
        };
        if line.is_empty() {
            pieces.push(line);
        }
        pieces.extend(line.chunks(PIECE));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merged_file_that_breaks_a_law_of_lines_is_found_out() {
        use Fault::{LineInvented, LineLost, MarkerLeft, MarkerMissing};
        let marks = "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n";
        for (base, ours, theirs, merged, marked, expected) in [
            ("1\n2\n3\n", "0\n1\n2\n3\n", "1\n2\n3\n4\n", "0\n1\n2\n3\n4\n", false, vec![]),
            ("1\n2\n3\n", "0\n1\n2\n3\n", "1\n2\n3\n4\n", "0\n1\n2\n3\n", false, vec![LineLost]),
            ("1\n2\n3\n", "0\n1\n2\n3\n", "1\n2\n3\n4\n", "0\n1\n3\n4\n", false, vec![LineLost]),
            ("1\n", "1\n2\n", "1\n", "1\n2\n3\n", false, vec![LineInvented]),
            ("1\n2\n", "1\n", "2\n", "", false, vec![]),
            ("1\n1\n", "1\n", "1\n", "", false, vec![]),
            ("1\n", "1\r\n2", "1\n", "1\n2\n", false, vec![]),
            ("", "x\n", "y\n", marks, true, vec![]),
            ("", "x\n", "y\n", marks, false, vec![MarkerLeft, LineInvented]),
            ("", "x\n", "y\n", "x\ny\n", true, vec![MarkerMissing]),
            ("", "x\n", "y\n", &marks.replace("x\n", ""), true, vec![LineLost]),
            // One side's own markers, as in a text about merging.
            (marks, marks, &format!("{marks}z\n"), &format!("{marks}z\n"), false, vec![]),
            ("a\n", "a\n=======\n", "a\n", "a\n=======\n", false, vec![]),
        ] {
            let found = check(
                base.as_bytes(),
                ours.as_bytes(),
                theirs.as_bytes(),
                merged.as_bytes(),
                marked,
            );
            assert_eq!(found, expected, "{base:?} {ours:?} {theirs:?} {merged:?}");
        }
    }

    #[test]
    fn files_are_alike_when_half_of_the_larger_one_is_common() {
        for (one, other, expected) in [
            ("a\nb\n", "b\na\n", true),
            ("a\nb\nc\nd\n", "a\nb\nx\ny\n", true),
            ("a\nb\nc\nd\n", "a\nx\ny\nz\n", false),
            ("a\r\n", "a\n", true),
            ("a\n", "b\n", false),
            ("", "", false),
        ] {
            assert_eq!(are_alike(one.as_bytes(), other.as_bytes()), expected, "{one:?} {other:?}");
        }
    }
}
