//! A Markdown document of this repository, read as far as tests need it: the tables and the code
//! below a heading, and the links.

use std::collections::BTreeSet;
use std::path::Path;

/// A document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
}

impl Document {
    /// Reads a document at the root of the repository.
    pub(crate) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read {name}: {error}"));
        Self { text }
    }

    /// Returns what stands between a heading and the next one, of whatever level.
    fn section(&self, heading: &str) -> String {
        let mut lines = Vec::new();
        let (mut inside, mut code) = (false, false);
        for line in self.text.lines() {
            code ^= line.starts_with("```");
            match line.starts_with('#') && !code {
                true => inside = line.trim_start_matches('#').trim() == heading,
                false if inside => lines.push(line),
                false => {}
            }
        }
        assert!(!lines.is_empty(), "there is no heading {heading:?}, or nothing below it");
        lines.join("\n")
    }

    /// Returns the cells of every row of the tables below a heading, without the head rows.
    pub(crate) fn rows(&self, heading: &str) -> Vec<Vec<String>> {
        let section = self.section(heading);
        let lines: Vec<&str> = section.lines().collect();
        let is_rule = |line: &str| line.starts_with("| ---");
        let rows = lines.iter().enumerate().filter(|(at, line)| {
            let head = lines.get(at + 1).is_some_and(|next| is_rule(next));
            line.starts_with('|') && !is_rule(line) && !head
        });
        let rows: Vec<Vec<String>> = rows
            .map(|(_, line)| {
                let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
                inner.split('|').map(|cell| cell.trim().to_owned()).collect()
            })
            .collect();
        assert!(!rows.is_empty(), "there is no table below {heading:?}");
        rows
    }

    /// Returns the cells of one column of the tables below a heading, without their back-ticks.
    /// Nothing stands there twice.
    pub(crate) fn column(&self, heading: &str, column: usize) -> BTreeSet<String> {
        let rows = self.rows(heading);
        let cells: BTreeSet<String> =
            rows.iter().map(|row| row[column].trim_matches('`').to_owned()).collect();
        assert_eq!(cells.len(), rows.len(), "a row below {heading:?} is there twice");
        cells
    }

    /// Returns the first piece of code in a language below a heading.
    pub(crate) fn code(&self, heading: &str, language: &str) -> String {
        codes_in(&self.section(heading), language)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("there is no {language} below {heading:?}"))
    }

    /// Returns every piece of code in a language.
    pub(crate) fn codes(&self, language: &str) -> Vec<String> {
        codes_in(&self.text, language)
    }

    /// Returns the targets of all links that stay in this repository.
    pub(crate) fn links(&self) -> BTreeSet<String> {
        let targets = self.text.split("](").skip(1).filter_map(|after| after.split(')').next());
        targets.filter(|target| !target.contains("://")).map(str::to_owned).collect()
    }

    /// Returns what a link may name in this document: its headings as GitHub writes them.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        headings
            .map(|line| line.trim_start_matches('#').trim().to_lowercase())
            .map(|heading| heading.chars().filter(kept).collect::<String>().replace(' ', "-"))
            .collect()
    }
}

fn codes_in(text: &str, language: &str) -> Vec<String> {
    let mut codes = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info == language, String::new())),
            (Some(_), Some((wanted, code))) => {
                if *wanted {
                    codes.push(std::mem::take(code));
                }
                open = None;
            }
            (None, Some((_, code))) => {
                code.push_str(line);
                code.push('\n');
            }
            (None, None) => {}
        }
    }
    codes
}

/// Returns what stands between the first two back-ticks of a cell.
pub(crate) fn quoted(cell: &str) -> Option<String> {
    Some(cell.split_once('`')?.1.split_once('`')?.0.to_owned())
}
