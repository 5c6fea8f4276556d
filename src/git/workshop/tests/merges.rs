use pretty_assertions::assert_eq;

use super::*;

const LABELS: (&str, &str, &str) = ("ours", "base", "theirs");

#[test]
fn files_are_merged_as_git_merges_them() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let dir = sandbox.path("");
    for (base, ours, theirs) in [
        ("1\n2\n3\n4\n5\n", "0\n1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\n6\n"),
        ("1\n2\n3\n", "1\nours\n3\n", "1\ntheirs\n3\n"),
        ("1\n2\n3\n", "1\nsame\n3\n", "1\nsame\n3\n"),
        ("", "ours\n", "theirs\n"),
        ("1\n2", "1\n2\n3", "0\n1\n2"),
        ("a\r\nb\r\n", "a\r\nx\r\nb\r\n", "a\r\nb\r\ny\r\n"),
        ("a\nb\nc\n", "", "a\nB\nc\n"),
        ("a\nb\nc\n", "a\nB\nc\n", ""),
        ("a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n", ""),
        ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "", "1\nB\n3\n4\n5\n6\n7\nH\n9\n"),
        ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\nB\n3\n4\n5\n6\n7\nH\n9\n", ""),
    ] {
        let write = |content: &str| workshop.write_blob(content.as_bytes()).unwrap();
        let merged = workshop.merge_file(Some(write(base)), write(ours), write(theirs), LABELS);
        for (name, content) in [("base", base), ("ours", ours), ("theirs", theirs)] {
            std::fs::write(dir.join(name), content).unwrap();
        }
        let is_clean =
            sandbox.try_git(&dir, &["merge-file", "ours", "base", "theirs"], b"").is_ok();
        let expected = String::from_utf8(std::fs::read(dir.join("ours")).unwrap()).unwrap();
        let (id, was_clean) = match merged.unwrap() {
            FileMerge::Clean { id } => (id, true),
            FileMerge::Conflict { id } => (id, false),
            FileMerge::Binary => panic!("{base}"),
        };
        let content = String::from_utf8(workshop.blob(id).unwrap()).unwrap();
        assert_eq!((content, was_clean), (expected, is_clean), "{base:?} {ours:?} {theirs:?}");
    }
}

#[test]
fn what_is_no_text_is_not_merged() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let write = |content: &[u8]| workshop.write_blob(content).unwrap();
    let (text, binary) = (write(b"text\n"), write(b"te\0xt\n"));
    let pointer = write(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n");
    for odd in [binary, pointer] {
        for (base, ours, theirs) in [
            (Some(odd), text, text),
            (Some(text), odd, text),
            (Some(text), text, odd),
            (None, odd, text),
        ] {
            let merged = workshop.merge_file(base, ours, theirs, LABELS).unwrap();
            assert_eq!(merged, FileMerge::Binary);
        }
    }
}

#[test]
fn labels_cannot_break_out_of_their_line() {
    let sandbox = Sandbox::new();
    let workshop = empty(&sandbox);
    let write = |content: &str| workshop.write_blob(content.as_bytes()).unwrap();
    let labels = ("o\n=======\n\0", "b", "t\n");
    let merged = workshop.merge_file(None, write("1\n"), write("2\n"), labels).unwrap();
    let FileMerge::Conflict { id } = merged else { panic!("{merged:?}") };
    assert_eq!(String::from_utf8(workshop.blob(id).unwrap()).unwrap().lines().count(), 5);
}
