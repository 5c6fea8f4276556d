//! One manual page of the text that `--help` shows, and of the facts that no `--help` has room for.
//! `clap_mangen` makes roff of what clap knows; the examples, which it would fill into one
//! paragraph, and all sections after them are made here. A page is ASCII, whatever the texts hold,
//! because not every formatter asks for the encoding.

use std::fmt::Write as _;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::super::{EXIT_CODES, version};
use super::facts;

/// A manual page.
#[derive(Debug)]
pub(super) struct Page {
    /// The name of what it is about: `ecosystem-dispatch`. Its file has the suffix `.1`.
    pub(super) name: String,
    /// The command that it is about; none when it is the program.
    pub(super) command: Option<String>,
    /// The page, in roff.
    pub(super) text: String,
}

/// Returns the page of the program and then those of its commands.
pub(super) fn all(mut program: Command) -> Vec<Page> {
    program.build();
    let mut pages = vec![page(&program, None)];
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    pages.extend(commands.map(|command| page(command, Some(command.get_name()))));
    pages
}

fn page(command: &Command, of: Option<&str>) -> Page {
    let name = of.map_or_else(|| "ecosystem".to_owned(), |of| format!("ecosystem-{of}"));
    let mut roff = generated(command.clone(), &name).unwrap_or_default();
    let mut own = Roff::new();
    examples(&mut own, command);
    exit_status(&mut own);
    environment(&mut own, of);
    see_also(&mut own, command, of);
    roff.push_str(&own.render());
    Page { name, command: of.map(ToOwned::to_owned), text: clean(&roff) }
}

/// Returns the sections that clap knows all about.
fn generated(mut command: Command, name: &str) -> Option<String> {
    // Left alone, it would list all flags without their values, which tells nobody how to write them.
    let usage = command.render_usage().to_string();
    let command = command.override_usage(usage.trim_start_matches("Usage: ").to_owned());
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("ecosystem ", env!("CARGO_PKG_VERSION")))
        .manual("Ecosystem Dispatcher")
        // An argument that is left out would put the next ones into its place.
        .date(if version::DATE.is_empty() { "\"\"" } else { version::DATE });
    let mut out = Vec::new();
    man.render_title(&mut out).ok()?;
    man.render_name_section(&mut out).ok()?;
    man.render_synopsis_section(&mut out).ok()?;
    man.render_description_section(&mut out).ok()?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out).ok()?;
    }
    man.render_options_section(&mut out).ok()?;
    String::from_utf8(out).ok()
}

/// Sets the text after the help: a line that ends with a colon is a heading, what is indented below
/// it stays as it is, anything else is a paragraph. The exit codes have a section of their own.
fn examples(roff: &mut Roff, command: &Command) {
    let Some(text) = command.get_after_long_help().or_else(|| command.get_after_help()) else {
        return;
    };
    let text = text.to_string();
    let text = text.trim_end().strip_suffix(EXIT_CODES).unwrap_or(&text);
    let mut literal = false;
    for line in text.trim_end().lines() {
        let indented = line.strip_prefix("  ");
        if literal != (indented.is_some() || (literal && line.is_empty())) {
            literal = !literal;
            roff.control(if literal { "nf" } else { "fi" }, []);
        }
        if let Some(line) = indented {
            roff.text([roman(line)]);
        } else if let Some(heading) = line.strip_suffix(':') {
            roff.control("SH", [heading.to_uppercase().as_str()]);
        } else if line.is_empty() && !literal {
            roff.control("PP", []);
        } else {
            roff.text([roman(line)]);
        }
    }
    if literal {
        roff.control("fi", []);
    }
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in facts::EXIT_STATUS {
        entry(roff, code, meaning);
    }
}

fn environment(roff: &mut Roff, of: Option<&str>) {
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(facts::FORMS)]);
    for variable in facts::VARIABLES {
        let concerns = |command| variable.of.is_empty() || variable.of.contains(&command);
        if of.is_none_or(concerns) {
            entry(roff, variable.name, variable.what);
        }
    }
}

fn see_also(roff: &mut Roff, command: &Command, of: Option<&str>) {
    let mut pages: Vec<String> = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| format!("ecosystem-{}", command.get_name()))
        .collect();
    if of.is_some() {
        pages.push("ecosystem".to_owned());
    }
    pages.push("git".to_owned());
    pages.sort();
    roff.control("SH", ["SEE ALSO"]);
    let last = pages.len() - 1;
    for (at, page) in pages.into_iter().enumerate() {
        let end = if at == last { "(1)" } else { "(1)," };
        roff.text([bold(page), roman(end)]);
    }
}

fn entry(roff: &mut Roff, term: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(meaning)]);
}

/// Returns the page with one preamble instead of one for each section, no blank lines, and escapes
/// for all that formatters would show otherwise than it was written.
fn clean(roff: &str) -> String {
    let preamble = Roff::new().render();
    // Before the values that a flag may have, the generator breaks the line twice over.
    let body = roff.replace(&preamble, "").replace("\n.br\n\n.br\n", "\n\n");
    let mut out = preamble;
    for line in body.lines() {
        if line.is_empty() {
            out.push_str(".sp");
        }
        for c in line.trim_end().chars() {
            match c {
                '`' => out.push_str("\\(ga"),
                '^' => out.push_str("\\(ha"),
                '~' => out.push_str("\\(ti"),
                c if c.is_ascii() => out.push(c),
                c => drop(write!(out, "\\[u{:04X}]", u32::from(c))),
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    #[test]
    fn no_text_becomes_a_request_and_none_is_lost() {
        let hostile = Command::new("ecosystem")
            .about(".so /etc/passwd")
            .long_about("'so first\n.so second\n\n\\!third")
            .arg(Arg::new("flag").long("flag").help(".so help\n'so more\n\n.so last"))
            .after_long_help(
                "Examples:\n  .so example\n\n  'so `other` ~/x^ …\n\n.so text\n\nNote:\n  x",
            );
        let pages = all(hostile);
        let page = &pages[0].text;
        for line in page.lines() {
            assert!(!line.starts_with(".so") && !line.starts_with('\''), "{line:?}");
        }
        let (_, own) = page.split_once(".SH EXAMPLES\n").unwrap();
        let (own, _) = own.split_once(".SH \"EXIT STATUS\"").unwrap();
        let expected = "\
.nf
\\&.so example
.sp
\\*(Aqso \\(gaother\\(ga \\(ti/x\\(ha \\[u2026]
.sp
.fi
\\&.so text
.PP
.SH NOTE
.nf
x
.fi
";
        assert_eq!(own, expected);
        for text in
            ["first", "\\&.so second", "\\\\!third", "\\&.so help", "so more", "\\&.so last"]
        {
            assert!(page.contains(text), "{text}: {page}");
        }
    }

    #[test]
    fn the_exit_codes_of_the_help_are_a_section_and_no_text_of_the_page() {
        let program = Command::new("ecosystem").after_long_help(format!("Text\n\n{EXIT_CODES}"));
        let page = &all(program)[0].text;
        assert!(page.contains("\nText\n.SH \"EXIT STATUS\"\n"), "{page}");
        assert!(!page.contains("Exit codes:"), "{page}");
    }
}
