use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Reads a file and asks it everything.
fn exercise(text: &str) -> Result<usize, BadWorkflow> {
    let workflow = Workflow::parse(text)?;
    let inputs = names(&["x"]);
    Ok(workflow.injections(&inputs).len() + workflow.calls(&inputs).len())
}

/// Runs something that must take no longer than a few seconds of an unoptimised build on a busy
/// machine, where without its bound it would take minutes or all memory.
fn soon<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
    result
}

/// Ten lines, of which each stands for ten times the one before.
fn laughs(leaf: &str, lines: usize) -> String {
    let mut text = format!("a0: &a0 {leaf}\n");
    for line in 1..lines {
        let before = vec![format!("*a{}", line - 1); 10].join(", ");
        let _ = writeln!(text, "a{line}: &a{line} [{before}]");
    }
    text
}

#[test]
fn aliases_of_aliases_cost_no_more_than_their_text() {
    for (text, line) in [
        (laughs("lol", 10), 6),
        (laughs("lol", 30), 6),
        (laughs(&"x".repeat(1_000_000), 3), 2),
        (format!("on: push\nenv: &e {{a: b}}\njobs: [{}]", "*e,".repeat(20_000)), 3),
    ] {
        let bad = soon("aliases", || exercise(&text)).unwrap_err();
        assert_eq!(bad.message, "with its aliases written out the file is more than GitHub takes");
        assert_eq!(bad.line, line);
    }
    assert!(exercise(&laughs("lol", 4)).is_ok());
}

#[test]
fn an_alias_inside_of_what_it_stands_for_is_refused() {
    for text in [
        "on: push\njobs: &j [*j]",
        "on: push\njobs: &j {a: *j}",
        "on: push\njobs: &j {a: &k [b, {c: *j}]}",
        "on: push\njobs: &j {*j : a}",
    ] {
        assert_eq!(refused(text), "2: this alias stands inside of what it stands for", "{text}");
    }
    parse("x: &x a\ny: &y [*x, *x]\nz: &x [*y, *y]\non: *x");
}

#[test]
fn depth_is_bounded_also_where_aliases_make_it() {
    let chain = |levels: usize| {
        let mut text = "a0: &a0 x\n".to_owned();
        for level in 1..levels {
            let _ = writeln!(text, "a{level}: &a{level} [*a{}]", level - 1);
        }
        text
    };
    let deep = "more than 100 lists and mappings inside of each other";
    assert!(exercise(&chain(99)).is_ok());
    assert_eq!(refused(&chain(10_000)), format!("100: {deep}"));
    for text in [
        format!("{}x", "- ".repeat(101)),
        format!("{}x", "? ".repeat(500_000)),
        format!("on: {}x", "[".repeat(101)),
        format!("on: {}x", "[a: ".repeat(101)),
        format!("on:{}", " [a,".repeat(150)),
    ] {
        let bad = soon("depth", || exercise(&text)).unwrap_err();
        let deep = bad.message == deep || bad.message.starts_with("this is not YAML");
        assert!(deep, "{bad}");
    }
}

#[test]
fn brackets_without_end_end_soon() {
    for text in [
        "[".repeat(100_000),
        "{".repeat(100_000),
        "[\n".repeat(500_000),
        "{a: [".repeat(100_000),
        "[&a ".repeat(100_000),
        format!("on: {}", "[[],".repeat(100_000)),
        format!("on: push\n{}", "[\"]\", ".repeat(140_000)),
        format!("{}{}", "[".repeat(250), ",".repeat(1_000_000)),
        format!("{}{}", "[".repeat(250), "a,".repeat(500_000)),
        format!("{}{}", "[".repeat(250), "[],".repeat(300_000)),
        format!("{}{}", "[".repeat(250), "a: b,".repeat(200_000)),
    ] {
        let start = text.get(..20).unwrap_or_default();
        soon(start, || exercise(&text)).unwrap_err();
    }
}

#[test]
fn a_large_file_of_an_honest_kind_is_read() {
    let script =
        "        echo \"\u{1b}[31m${{ matrix.name }}\" | sed 's/[[]/{/g' # [{(\n".repeat(3000);
    let text = format!(
        "on: repository_dispatch\njobs:\n  a:\n    steps:\n    - run: |\n{script}\
         \x20   - run: echo ${{{{ github.event.action }}}}\n"
    );
    assert_eq!(soon("one long script", || exercise(&text)), Ok(1));
    let steps = "    - {name: a, run: 'echo ${{ github.event.action }}', env: {A: b, C: [d]}}\n";
    let text = format!("jobs:\n  a:\n    steps:\n{}", steps.repeat(3000));
    assert_eq!(soon("many steps", || exercise(&text)), Ok(3000));
    let jobs: Vec<String> = (0..1000)
        .map(|at| format!(r#""j{at}": {{"steps": [{{"run": "a"}}, {{"run": "b ${{{{ c }}}}"}}]}}"#))
        .collect();
    let text = format!(r#"{{"on": "push", "jobs": {{{}}}}}"#, jobs.join(",\n"));
    assert_eq!(soon("JSON", || exercise(&text)), Ok(0));
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_refused_for_its_size() {
    let fits = format!("on: push\n#{}", "x".repeat(1024 * 1024 - 10));
    assert_eq!(fits.len(), 1024 * 1024);
    assert!(exercise(&fits).is_ok());
    let bad = refused(&format!("{fits}x"));
    assert_eq!(bad, "1: the file has 1048577 bytes, GitHub takes 1048576 at most");
}

#[test]
fn many_expressions_and_many_names_are_gone_through_once() {
    let env: String = (0..8000).fold(String::new(), |mut env, at| {
        let _ = writeln!(env, "  a{at}: ${{{{ github.event.action }}}}");
        env
    });
    let steps = "    - run: ${{ env.b }}\n      env: {b: c}\n".repeat(2500);
    let text = format!("env:\n{env}jobs:\n  a:\n    steps:\n{steps}");
    assert_eq!(soon("names", || exercise(&text)), Ok(0));
    let names: String = (0..15_000).fold(String::new(), |names, at| names + &format!("  a{at}:\n"));
    let text = format!(
        "env:\n{names}jobs: {{a: {{steps: [{{run: '{}'}}]}}}}",
        "${{env.*}}".repeat(80_000)
    );
    assert_eq!(soon("all names", || exercise(&text)), Ok(0));
    let text = format!(
        "jobs: {{a: {{steps: [{{\n{}run: '{}'}}]}}}}",
        " ".repeat(500_000),
        "${{github}}".repeat(40_000)
    );
    assert_eq!(soon("one long line", || exercise(&text)), Ok(40_000));
    let text = format!(
        "jobs:\n  a:\n    steps:\n    - run: &r \"${{{{ github }}}}{}\"\n{}",
        "\\\n        ".repeat(60_000),
        "    - run: *r\n".repeat(10_000),
    );
    let bad = soon("one script of many steps", || exercise(&text)).unwrap_err();
    assert_eq!(bad.message, "with its aliases written out the file is more than GitHub takes");
    let text = format!("jobs: {{a: {{steps: [{{run: '{}'}}]}}}}", "${{ a }}".repeat(120_000));
    assert_eq!(soon("expressions", || exercise(&text)), Ok(0));
    let text = format!("jobs: {{a: {{steps: [{{run: \"{}\"}}]}}}}", "${{ ''a".repeat(120_000));
    assert_eq!(soon("never closed", || exercise(&text)), Ok(0));
    for odd in ["\"\\\n", "&a ", "!a ", "# a\n", "? ", ": ", "- ", "*a ", "%TAG ! a\n", "\r", "|\n"]
    {
        let text = odd.repeat(1_000_000 / odd.len());
        let _ = soon(odd, || exercise(&text));
        let _ = soon(odd, || exercise(&format!("on: [{text}")));
    }
}

/// Pieces that YAML and GitHub's expressions are made of, so that what is put together from them
/// goes deep into both.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "on",
        "jobs",
        "steps",
        "run",
        "env",
        "with",
        "uses",
        "types",
        "repository_dispatch",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "\r\n",
        "\r",
        "\t",
        " ",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&a ",
        "*a",
        "<<",
        "|",
        ">",
        "|+2\n",
        "'",
        "\"",
        "\\",
        "\\x24",
        "''",
        "#",
        " # ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "!!str ",
        "!",
        "~",
        "${{ ",
        " }}",
        "${{",
        "}}",
        "github",
        ".event",
        ".client_payload",
        ".*",
        "['event']",
        "format(",
        ")",
        "(",
        "&&",
        "||",
        "==",
        "!",
        "1",
        "é",
        "\u{feff}",
        "\0",
        "\u{85}",
        "\u{2028}",
        "x",
        "./.github/workflows/x.yml",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_the_text_is_nothing_panics_and_lines_are_in_the_file(
        pieces in prop::collection::vec(piece(), 0..120),
        inside in any::<bool>(),
    ) {
        let mut text = pieces.concat();
        if inside {
            let script = text.replace('\n', "\n        ");
            text = format!("jobs:\n  a:\n    steps:\n    - run: {script}");
        }
        let lines = Source::new(&text).last_line();
        match Workflow::parse(&text) {
            Ok(workflow) => {
                for injection in workflow.injections(&names(&["x"])) {
                    prop_assert!(injection.line >= 1 && injection.line <= lines);
                    prop_assert!(injection.text.chars().count() <= 160);
                    prop_assert!(!injection.text.contains(char::is_control));
                    prop_assert!(!injection.expression.contains(char::is_control));
                }
                let _ = workflow.calls(&names(&["x"]));
            }
            Err(bad) => {
                prop_assert!(bad.line >= 1 && bad.line <= lines, "{bad} of {lines}");
                prop_assert!(!bad.message.contains(char::is_control), "{bad:?}");
            }
        }
    }

    #[test]
    fn random_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = exercise(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn an_injection_is_found_on_its_line_whatever_surrounds_it(
        before in prop::collection::vec("[ -~é]{0,30}", 0..8),
        style in 0..5_usize,
    ) {
        let mut lines: Vec<String> = before;
        lines.push("echo ${{ github.event.action }}".to_owned());
        let lines = lines.iter().map(|line| line.replace('$', "S"));
        let lines: Vec<String> = lines.map(|line| line.replace("S{{ github.event", "${{ github.event")).collect();
        let body = |quote: &dyn Fn(&str) -> String| {
            lines.iter().map(|line| format!("\n          {}", quote(line))).collect::<String>()
        };
        let run = match style {
            0 => format!("|2-{}", body(&str::to_owned)),
            1 => format!(">2+ # ${{{{ github.event }}}}{}", body(&str::to_owned)),
            2 => format!("'{}'", body(&|line| line.replace('\'', "''"))),
            3 => format!("\"{}\"", body(&|line| line.replace('\\', "\\\\").replace('"', "\\\""))),
            _ => format!("\"{}\"", body(&|line| {
                line.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\u0024")
            })),
        };
        let text = format!("jobs:\n  a:\n    steps:\n      - name: b\n        run: {run}\n");
        let found = parse(&text).injections(&BTreeSet::new());
        let expected = text.lines().count();
        prop_assert_eq!(found.iter().map(|it| it.line).collect::<Vec<_>>(), vec![expected], "{}", text);
    }
}
