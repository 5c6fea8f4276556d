use super::*;

#[test]
fn what_surrounds_the_document_does_not_matter() {
    for text in [
        "on: repository_dispatch",
        "\u{feff}on: repository_dispatch\n",
        "# comment\n\n---\non: repository_dispatch # another\n...\n# the end\n",
        "%YAML 1.2\n---\non: repository_dispatch\n",
        "name: x\r\non:\r\n  repository_dispatch:\r\n    types:   # none\r\njobs: {}\r\n",
        "name: x\ron: repository_dispatch\r",
        "on: \trepository_dispatch\t\n",
        "name: \"ü 🚀\"\non: repository_dispatch\n",
        "--- {on: repository_dispatch}",
    ] {
        assert_eq!(*parse(text).dispatches(), Listens::Every, "{text:?}");
    }
}

#[test]
fn what_is_no_workflow_is_refused_with_its_line() {
    for (text, message) in [
        ("", "1: the file holds no workflow"),
        ("\u{feff}", "1: the file holds no workflow"),
        ("\n\n# only a comment\n", "1: the file holds no workflow"),
        ("---\n", "1: the file holds no workflow"),
        ("null", "1: the file holds no workflow"),
        ("\n[on, push]", "2: a workflow is a mapping with `on` and `jobs`"),
        ("\n\njust text", "3: a workflow is a mapping with `on` and `jobs`"),
        ("on: push\n---\non: push", "2: a second document begins here, GitHub takes one only"),
        ("on: push\n---\n", "2: a second document begins here, GitHub takes one only"),
        ("on: push\njobs:\non: pull", "3: the key \"on\" is here twice"),
        ("jobs:\n  a: 1\n  b: 2\n  A: 3", "4: the key \"A\" is here twice"),
        ("jobs: {é: 1, É: 2}", "1: the key \"É\" is here twice"),
        ("x: &x a\n*x : 1\na: 2", "3: the key \"a\" is here twice"),
        ("on: push\n? [a]\n: b", "2: a key is neither a list nor a mapping"),
        ("x: &x [a]\n*x : b", "2: a key is neither a list nor a mapping"),
    ] {
        assert_eq!(refused(text), message, "{text:?}");
    }
}

#[test]
fn what_is_not_yaml_is_refused_with_its_line_and_without_control_characters() {
    for (text, line) in [
        ("on: [push", 1),
        ("on: push\njobs: {a: [}", 2),
        ("on: push\njobs:\n\ta: x", 3),
        ("on: push\nx: 'y\n\n", 2),
        ("on: push: x", 1),
        ("on: *nowhere", 1),
        ("on: push\n  jobs: x", 2),
        ("on: push\nx: `a`\n", 2),
        ("on: push\n\0jobs: x", 2),
        ("on: push\nx: %\u{1b}[31m", 2),
        ("on: push\n@\u{1b}", 2),
        ("on: push\n\u{feff}x: y", 2),
        ("on: \"\\q\"", 1),
    ] {
        let bad = Workflow::parse(text).unwrap_err();
        assert!(bad.message.starts_with("this is not YAML: "), "{text:?}: {bad}");
        assert_eq!(bad.line, line, "{text:?}: {bad}");
        assert!(!bad.message.contains(char::is_control), "{bad:?}");
    }
    let bad = refused("a\u{1b}[31m: 1\na\u{1b}[31m: 2");
    assert_eq!(bad, "2: the key \"a\\u{1b}[31m\" is here twice");
}

#[test]
fn keys_that_are_yet_to_be_worked_out_are_not_compared() {
    parse("env: {\"${{ insert }}\": 1, \"${{ insert }} \": 2}\non: push");
    parse("env:\n  ${{ insert }}: 1\n  ${{ insert }}: 2");
    parse("a: {x: 1}\nb: {x: 1}");
}

#[test]
fn a_message_reads_well() {
    let bad = Workflow::parse("on: push\non: push").unwrap_err();
    assert_eq!(bad.to_string(), "line 2: the key \"on\" is here twice");
}
