use super::*;

/// Returns the references that an expression can be made of, as people write them.
fn made_of(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = vec![parse(text)?];
    while let Some(expression) = rest.pop() {
        match expression {
            Expression::Constant => {}
            Expression::Of(parts) => rest.extend(parts.into_iter().rev()),
            Expression::Reference(Reference { context, path }) => {
                let steps = path.iter().map(|step| match step {
                    Step::Named(name) => format!(".{name}"),
                    Step::Any => ".*".to_owned(),
                });
                found.push(context + &steps.collect::<String>());
            }
        }
    }
    Some(found)
}

#[test]
fn every_way_to_write_a_reference_is_the_same_reference() {
    for (text, reference) in [
        ("github", "github"),
        ("GitHub.event", "github.event"),
        ("github.event.client_payload.x", "github.event.client_payload.x"),
        ("github['event']['client_payload'].x", "github.event.client_payload.x"),
        ("github . event [ 'x' ]\n.y", "github.event.x.y"),
        ("github['it''s']", "github.it's"),
        ("github.event.*", "github.event.*"),
        ("github.event[*].x", "github.event.*.x"),
        ("github.event.tags[0]", "github.event.tags.*"),
        ("github[env.name].x", "github.*.x"),
        ("github[format('{0}', 'event')]", "github.*"),
        ("(github.event).x", "github.event.x"),
        ("((github))['event']", "github.event"),
        ("a.true.null", "a.true.null"),
        ("a-b.c-d_e1", "a-b.c-d_e1"),
    ] {
        assert_eq!(made_of(text), Some(vec![reference.to_owned()]), "{text}");
    }
}

#[test]
fn a_result_that_shows_nothing_of_its_parts_is_made_of_nothing() {
    for text in [
        "'github.event'",
        "'a''b'",
        "1",
        "-1.5e-3",
        "+0xff",
        ".5",
        "true",
        "false",
        "null",
        "NaN",
        "Infinity",
        "a == 'x'",
        "a != b",
        "a < b && a >= b",
        "a == b == c",
        "!a",
        "!!a.b[0]",
        "!(a || b)",
        "contains(a, b)",
        "startsWith(a.b, 'x')",
        "ENDSWITH(a, b)",
        "hashFiles(a)",
        "success() || failure()",
        "a && 'x' || 'y'",
        "a.b == 'x' && 'x'",
        "'text'.length",
    ] {
        assert_eq!(made_of(text), Some(vec![]), "{text}");
    }
}

#[test]
fn a_result_is_made_of_what_can_come_out() {
    for (text, parts) in [
        ("format('{0} {1}', a.x, b)", vec!["a.x", "b"]),
        ("toJSON(fromJSON(a)).b", vec!["a"]),
        ("(f(a)).b", vec!["a"]),
        ("join(a.*, ',')", vec!["a.*"]),
        ("a || b", vec!["a", "b"]),
        ("a && b", vec!["b"]),
        ("a && b || c", vec!["b", "c"]),
        ("a || b && c", vec!["a", "c"]),
        ("(a == 'x' && b) || 'z'", vec!["b"]),
        ("f(a == 'x', b, !c)", vec!["b"]),
        ("a||(b)", vec!["a", "b"]),
        ("f()", vec![]),
    ] {
        let parts = parts.into_iter().map(str::to_owned).collect();
        assert_eq!(made_of(text), Some(parts), "{text}");
    }
}

#[test]
fn what_github_cannot_read_is_not_read() {
    for text in [
        "",
        " ",
        "a b",
        "a.",
        ".a",
        "a..b",
        "a[",
        "a[]",
        "a]",
        "(a",
        "a)",
        "()",
        "f(a",
        "f(a,)",
        "f(,a)",
        "a ==",
        "== a",
        "a = b",
        "a & b",
        "a | b",
        "a || ",
        "'open",
        "'a''",
        "\"a\"",
        "a + b",
        "a ? b : c",
        "$a",
        "a.'b'",
        "a.1",
        "é",
        "a, b",
        "insert a",
    ] {
        assert_eq!(made_of(text), None, "{text}");
    }
}

#[test]
fn an_expression_deeper_or_longer_than_github_takes_is_not_read() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH - 1)).is_some());
    assert!(parse(&nested(MAX_DEPTH)).is_none());
    assert!(parse(&nested(10_000)).is_none());
    assert!(parse(&"a[".repeat(10_000)).is_none());
    assert!(parse(&"f(".repeat(10_000)).is_none());
    assert!(parse(&format!("{}a", "!".repeat(20_000))).is_some(), "a row of ! is no nesting");
    assert!(parse(&format!("f({})", vec!["(a)"; 1000].join(","))).is_some(), "side by side");
    assert!(parse(&"a".repeat(MAX_LENGTH)).is_some());
    assert!(parse(&"a".repeat(MAX_LENGTH + 1)).is_none());
}

#[test]
fn a_text_is_taken_apart_as_github_does_it() {
    for (text, found) in [
        ("", vec![]),
        ("a ${{ b }} c ${{d}}", vec![("b", 0), ("d", 1)]),
        ("${{ '}}' }} ${{ x }}", vec![("'}}'", 0), ("x", 1)]),
        ("${{ 'it''s }}' }}", vec![("'it''s }}'", 0)]),
        ("${{ '${{ a }}' }}${{ b }}", vec![("'${{ a }}'", 0), ("b", 2)]),
        ("$${{ a }}}", vec![("a", 0)]),
        ("${{}}", vec![("", 0)]),
        ("${{ a }", vec![]),
        ("${{ a ${{ b }}", vec![("a ${{ b", 0)]),
        ("${{ 'a }} ${{ b }}", vec![]),
        ("$ {{ a }} { { } }", vec![]),
        ("${{ é }}é${{ ü }}", vec![("é", 0), ("ü", 1)]),
    ] {
        let got: Vec<_> = fenced(text).into_iter().map(|it| (it.text, it.opening)).collect();
        assert_eq!(got, found, "{text}");
    }
}
