//! What each kind of manifest declares, and that nothing in one breaks anything.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

/// Returns each change as `kind name: before -> after`.
fn told(path: &str, before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let sides = (path.as_bytes(), before.map(str::as_bytes), after.map(str::as_bytes));
    let tell = |it: &Change| {
        let side = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".to_owned());
        if it.kind == Kind::Unreadable {
            return "unreadable".to_owned();
        }
        format!("{} {}: {} -> {}", it.kind.word(), it.name, side(&it.before), side(&it.after))
            .trim_start()
            .to_owned()
    };
    changes(&[sides]).iter().map(tell).collect()
}

fn added(path: &str, after: &str) -> Vec<String> {
    let mut told = told(path, None, Some(after));
    for line in &mut told {
        *line = line.replace(": - -> ", " ");
    }
    told
}

#[test]
fn a_manifest_is_known_by_its_name() {
    for (path, is) in [
        ("package.json", true),
        ("a/b/Cargo.toml", true),
        ("requirements.txt", true),
        ("x/requirements-dev.txt", true),
        ("go.mod", true),
        ("pyproject.toml", true),
        ("package.json/x", false),
        ("my-requirements.txt", false),
        ("package-lock.json", false),
        ("", false),
    ] {
        assert_eq!(is_manifest(path.as_bytes()), is, "{path}");
    }
    assert_eq!(told("README.md", None, Some("x")), [""; 0]);
}

#[test]
fn what_came_went_and_changed_is_told() {
    let before =
        r#"{"dependencies": {"a": "^1", "b": "1", "same": "1"}, "devDependencies": {"c": "1"}}"#;
    let after = r#"{"dependencies": {"a": "^2", "same": "1", "c": "1"}, "peerDependencies": {"p": ">=1"},
        "optionalDependencies": {"o": {"odd": 1}}, "devDependencies": null}"#;
    assert_eq!(
        told("web/package.json", Some(before), Some(after)),
        [
            "a: ^1 -> ^2",
            "b: 1 -> -",
            "c: - -> 1",
            "dev c: 1 -> -",
            "optional o: - -> {\"odd\":1}",
            "peer p: - -> >=1",
        ]
    );
    assert_eq!(told("package.json", Some(before), Some(before)), [""; 0]);
    assert_eq!(told("package.json", Some("{}"), None), [""; 0]);
    assert_eq!(told("package.json", Some(r#"{"dependencies":{"a":"1"}}"#), None), ["a: 1 -> -"]);
}

#[test]
fn what_cargo_reads_is_read() {
    let manifest = r#"
        [dependencies]
        a = "1"
        b = { version = "2", features = ["x"] }
        c = { git = "https://x/y", rev = "abc" }
        d = { path = "../d" }
        e = { workspace = true }
        f.workspace = true
        [dev-dependencies]
        g = "1"
        [build-dependencies]
        h = "1"
        [target.'cfg(unix)'.dependencies]
        i = "1"
        [target.x86.dev-dependencies]
        j = "1"
        [workspace.dependencies]
        k = "1"
        [patch.crates-io]
        l = { path = "l" }
    "#;
    assert_eq!(
        added("Cargo.toml", manifest),
        [
            "a 1",
            "b 2",
            "c git https://x/y, rev abc",
            "d path ../d",
            "e workspace",
            "f workspace",
            "dev g 1",
            "build h 1",
            "cfg(unix) i 1",
            "dev x86 j 1",
            "workspace k 1",
            "replace l path l"
        ]
    );
}

#[test]
fn what_pip_reads_is_read() {
    let file = "\u{feff}# a comment\n\
        Flask==3.0.0  # another\n\
        Zope.Interface_x>=5,<6 ; python_version < \"3.13\" \\\n\
            --hash=sha256:abc \\\n    --hash=sha256:def\n\
        requests [security] ~= 2.0\n\
        plain\n\
        pip @ https://example.com/pip.whl#sha1=x\n\
        -r other.txt\n--index-url https://x\n-e git+https://x#egg=y\n\
        ./local.whl\nhttps://example.com/a.whl\n\
        a==1; x\na==2; y\n\
        # ends \\\nlast==1\\\n";
    assert_eq!(
        added("requirements-dev.txt", file),
        [
            "a ==1; x | ==2; y",
            "flask ==3.0.0",
            "last ==1",
            "pip @ https://example.com/pip.whl#sha1=x",
            "plain *",
            "requests [security] ~= 2.0",
            "zope-interface-x >=5,<6 ; python_version < \"3.13\"",
        ]
    );
}

#[test]
fn what_pyproject_declares_is_read() {
    let file = r#"
        [build-system]
        requires = ["hatchling"]
        [project]
        dependencies = ["Flask>=3", "not a requirement!", 5]
        [project.optional-dependencies]
        docs = ["sphinx"]
        [dependency-groups]
        test = ["pytest", { include-group = "docs" }]
        [tool.poetry.dependencies]
        python = "^3.12"
        A_b = { version = "1", extras = ["x"] }
        c = [{ version = "1", python = "<3" }, { git = "https://x" }]
        [tool.poetry.dev-dependencies]
        d = "*"
        [tool.poetry.group.dev.dependencies]
        e = "1"
        [tool.poetry.group.lint.dependencies]
        f = {}
    "#;
    assert_eq!(
        added("pyproject.toml", file),
        [
            "a-b 1",
            "c 1 | git https://x",
            "dev d *",
            "dev e 1",
            "lint f *",
            "flask >=3",
            "build hatchling *",
            "test pytest *",
            "python ^3.12",
            "docs sphinx *",
        ]
    );
}

#[test]
fn what_go_reads_is_read() {
    let file = "module x // c\ngo 1.22\nrequire a.b/c v1.0.0\nrequire (\n\td.e/f v2.0.0 // indirect\n\
                \t\"g/h\" v3.0.0 // why\n\n)\nreplace a.b/c => ../c\nreplace(\n  d.e/f v2 => x/y v1\n)\n\
                exclude a v1\nretract (\n v1\n)\n";
    assert_eq!(
        added("go.mod", file),
        [
            "a.b/c v1.0.0",
            "replace a.b/c ../c",
            "indirect d.e/f v2.0.0",
            "replace d.e/f v2 x/y v1",
            "g/h v3.0.0",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_said_to_have_changed_and_no_more() {
    let huge = " ".repeat(LONGEST + 1);
    let many: String = (0..=ENTRIES).map(|number| format!("a{number}\n")).collect();
    for (path, content) in [
        ("package.json", "{"),
        ("package.json", "[]"),
        ("package.json", r#"{"dependencies": ["a"]}"#),
        ("package.json", huge.as_str()),
        ("Cargo.toml", "[dependencies"),
        ("pyproject.toml", "a = "),
        ("requirements.txt", many.as_str()),
    ] {
        assert_eq!(told(path, Some("{}"), Some(content)), ["unreadable"], "{path}");
        assert_eq!(told(path, Some(content), None), ["unreadable"], "{path}");
    }
    let sides = (&b"go.mod"[..], None, Some(&b"\xff"[..]));
    assert_eq!(changes(&[sides])[0].kind, Kind::Unreadable);
    let deep = "[".repeat(100_000);
    assert_eq!(added("package.json", &deep), ["unreadable"]);
    assert_eq!(added("Cargo.toml", &format!("a = {deep}")), ["unreadable"]);
    let long = format!(r#"{{"dependencies": {{"a": "{}"}}}}"#, "1".repeat(5_000));
    assert!(added("package.json", &long)[0].len() < 300);
}

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "=",
        "dependencies",
        "require",
        "(",
        ")",
        "\n",
        " ",
        "\\",
        "#",
        "//",
        "=>",
        "a",
        "1",
        "==",
        "[project]\n",
        "[target.x.dependencies]\n",
        "[dependencies]\n",
        "é",
        "--hash",
        ";",
        "-",
        "\t",
        "[[",
        "workspace",
        ".",
        "'",
        "\u{0}",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..40).prop_map(|all| all.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..100),
    ]
}

proptest! {
    #[test]
    fn no_garbage_panics_and_no_change_is_none(before in garbage(), after in garbage()) {
        for path in ["package.json", "Cargo.toml", "pyproject.toml", "requirements.txt", "go.mod"] {
            let path = path.as_bytes();
            for change in changes(&[(path, Some(&before), Some(&after))]) {
                prop_assert!(change.kind == Kind::Unreadable || change.before != change.after);
            }
            prop_assert!(changes(&[(path, Some(&after), Some(&after))]).is_empty());
        }
    }
}
