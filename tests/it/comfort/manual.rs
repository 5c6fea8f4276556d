//! The manual pages: complete, true, and roff that no text of ours can break.

use std::collections::BTreeSet;
use std::path::Path;

use pretty_assertions::assert_eq;

use super::{installed, long_flags, output, program};
use crate::support::document::Document;
use crate::support::ecosystem::{Done, Run};
use crate::support::repository::Sandbox;

/// Every request that a page is made of. A line that begins with a dot and is none of these is a
/// text that has become a command.
const REQUESTS: [&str; 13] =
    ["TH", "SH", "TP", "PP", "IP", "RS", "RE", "br", "sp", "nf", "fi", "ie", "el"];

fn page(command: Option<&str>) -> String {
    let done = Run::new(&Sandbox::new()).arg("man").args(command).run().expect_code(0);
    assert_eq!(done.stderr, "");
    done.stdout
}

/// Returns the names of all pages, each with its command.
fn pages() -> Vec<(String, Option<String>)> {
    let mut pages = vec![("ecosystem".to_owned(), None)];
    for command in program().get_subcommands() {
        let name = command.get_name();
        pages.push((format!("ecosystem-{name}"), Some(name.to_owned())));
    }
    pages
}

/// Returns the terms of a section's list, in bold: `\fBTERM\fR` after `.TP`.
fn terms(page: &str, section: &str) -> BTreeSet<String> {
    let (_, after) = page.split_once(&format!("\n.SH {section}\n")).unwrap();
    let (section, _) = after.split_once("\n.SH").unwrap();
    let bold = section.lines().filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR"));
    bold.map(str::to_owned).collect()
}

fn files(directory: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn each_command_has_a_page_with_every_flag_and_the_sections_that_people_look_for() {
    for command in program().get_subcommands() {
        let page = page(Some(command.get_name()));
        for flag in long_flags(command) {
            let set = format!("\\fB\\-\\-{}\\fR", flag.replace('-', "\\-"));
            assert!(page.contains(&set), "{}: {flag}", command.get_name());
        }
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "EXAMPLES",
            "\"EXIT STATUS\"",
            "ENVIRONMENT",
            "\"SEE ALSO\"",
        ] {
            let sections = page.matches(&format!("\n.SH {section}\n")).count();
            assert_eq!(sections, 1, "{}: {section}", command.get_name());
        }
    }
}

#[test]
fn the_page_of_the_program_names_every_command() {
    let page = page(None);
    assert!(page.contains(".TH ECOSYSTEM 1 "), "{page}");
    assert!(page.contains("\n.SH \"FIRST STEPS\"\n"), "{page}");
    for (name, _) in pages() {
        assert!(page.contains(&name.replace('-', "\\-")), "{name}");
    }
}

#[test]
fn the_tables_of_the_manual_are_those_of_the_readme() {
    let readme = Document::read("README.md");
    let page = page(None);
    assert_eq!(terms(&page, "ENVIRONMENT"), readme.column("Environment variables", 0));
    assert_eq!(terms(&page, "\"EXIT STATUS\""), readme.column("Exit codes", 0));
}

#[test]
fn a_page_names_the_variables_that_its_command_reads_and_no_others() {
    let of = |command| terms(&page(Some(command)), "ENVIRONMENT");
    let colours: Vec<String> =
        ["CLICOLOR_FORCE", "GITHUB_ACTIONS", "NO_COLOR", "TERM"].map(str::to_owned).into();
    assert_eq!(of("man"), colours.iter().cloned().collect());
    assert_eq!(of("rehearse"), of("man"));
    assert!(of("dispatch").contains("ECOSYSTEM_NOTIFY_URL"));
    let sync = of("sync");
    for name in ["ECOSYSTEM_SOURCE_TOKEN", "GITHUB_EVENT_PATH", "GITHUB_API_URL", "GITHUB_TOKEN"] {
        assert!(sync.contains(name), "{name}");
    }
    assert!(!sync.contains("ECOSYSTEM_APP_ID") && !of("status").contains("ECOSYSTEM_SOURCE_TOKEN"));
    assert!(of("status").contains("GITHUB_TOKEN") && !of("status").contains("GITHUB_API_URL"));
}

#[test]
fn no_text_becomes_a_request_and_every_page_is_ascii() {
    for (name, command) in pages() {
        let page = page(command.as_deref());
        assert!(page.is_ascii(), "{name}");
        for line in page.lines() {
            assert!(!line.starts_with('\'') && !line.is_empty(), "{name}: {line:?}");
            if let Some(request) = line.strip_prefix('.') {
                let request = request.split(' ').next().unwrap();
                assert!(REQUESTS.contains(&request), "{name}: {line:?}");
            }
        }
        assert_eq!(page.matches("\n.nf\n").count(), page.matches("\n.fi\n").count(), "{name}");
    }
}

#[test]
fn formatters_find_nothing_wrong_with_a_page() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path().join("man1");
    Run::new(&sandbox).args(["man", "--dir", "man1"]).run().expect_code(0);
    // Elsewhere it is as old as the system, and warns of what is fine today.
    let level = if cfg!(target_os = "linux") { "warning" } else { "error" };
    for (formatter, args) in [
        ("mandoc", &["-T", "lint", "-W", level][..]),
        ("groff", &["-man", "-ww", "-Tutf8", "-z"][..]),
    ] {
        if !installed(&sandbox, formatter) {
            continue;
        }
        for file in files(&dir) {
            let mut command = sandbox.command(formatter);
            command.args(args).arg(dir.join(&file));
            // A page without a date is one of a build without a commit.
            let dateless = std::fs::read_to_string(dir.join(&file)).unwrap().contains(" 1 \"\" ");
            if !(formatter == "mandoc" && dateless) {
                assert_eq!(output(&mut command), "", "{file}");
            }
        }
    }
}

#[test]
fn all_pages_are_written_to_a_directory_and_are_those_that_are_printed() {
    let sandbox = Sandbox::new();
    sandbox.write(sandbox.path(), "share/man/man1/ecosystem.1", "of another version\n");
    let write = |args: &[&str]| Run::new(&sandbox).args(args).run().expect_code(0);
    // Relative to -C, as everything is; made where it is missing; said on standard error only.
    let done = write(&["-C", "share", "man", "--dir", "man/man1"]);
    assert_eq!(done.stdout, "");
    assert!(done.stderr.starts_with(&format!("wrote {} pages to ", pages().len())));
    assert_eq!(write(&["-q", "man", "--dir", "new/man1"]).stderr, "");
    let names = pages().iter().map(|(name, _)| format!("{name}.1")).collect();
    for dir in ["share/man/man1", "new/man1"] {
        let dir = sandbox.path().join(dir);
        assert_eq!(files(&dir), names);
        for (name, command) in pages() {
            let written = std::fs::read_to_string(dir.join(format!("{name}.1"))).unwrap();
            assert_eq!(written, page(command.as_deref()), "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_page_may_be_read_by_whoever_the_umask_lets_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let asked = format!("umask 022; '{}' man --dir man1", env!("CARGO_BIN_EXE_ecosystem"));
    sandbox.command("sh").args(["-c", &asked]).output().unwrap();
    let page = std::fs::metadata(sandbox.path().join("man1/ecosystem.1")).unwrap();
    assert_eq!(page.permissions().mode() & 0o777, 0o644);
}

fn refused(sandbox: &Sandbox, args: &[&str]) -> Done {
    let done = Run::new(sandbox).args(args).run().expect_code(2);
    assert_eq!(done.stdout, "");
    done
}

#[test]
fn a_page_that_cannot_be_written_is_named_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    sandbox.write(sandbox.path(), "file", "no directory\n");
    for dir in ["file", "file/man1"] {
        let done = refused(&sandbox, &["man", "--dir", dir]);
        assert!(done.stderr.contains("error: cannot write "), "{}", done.stderr);
        assert!(done.stderr.contains(dir), "{}", done.stderr);
    }
    // The last page to be put into its place has a directory there.
    sandbox.write(sandbox.path(), "man1/ecosystem-man.1/in-the-way", "");
    let done = refused(&sandbox, &["man", "--dir", "man1"]);
    assert!(done.stderr.contains("ecosystem-man.1"), "{}", done.stderr);
    let left = files(&sandbox.path().join("man1"));
    assert!(left.iter().all(|name| name.starts_with("ecosystem")), "{left:?}");
}

#[test]
fn a_command_that_does_not_exist_has_no_page() {
    let sandbox = Sandbox::new();
    for (command, shown) in [("dispach", "\"dispach\""), ("a\u{1b}[31m", "\"a\\u{1b}[31m\"")] {
        let done = refused(&sandbox, &["man", command]);
        assert!(done.stderr.contains(shown), "{}", done.stderr);
        assert!(done.stderr.contains("name one of: dispatch, "), "{}", done.stderr);
    }
    refused(&sandbox, &["man", "dispatch", "--dir", "man1"]);
    assert!(!sandbox.path().join("man1").exists());
}
