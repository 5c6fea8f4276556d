//! The text of a pull request. Lists are cut line by line with a count of what is left out, so that
//! no construct is ever cut in two and the whole fits, whatever went in.

use super::marker::END;
use super::{FileStatus, Proposal};
use crate::names::{CommitSha, FeaturePath};
use crate::sync::dependencies::{Change, Kind};
use crate::sync::message::defused;
use crate::text::markdown::{address, code, size};
use crate::text::shown;

/// How long a text gets, in characters: GitHub takes 65,536, and people write some below it.
pub(super) const LONGEST: usize = 60_000;

/// What all but the lists may take.
const FIXED: usize = 6_000;

/// How long our own sentences get, in characters: each, and all together.
const LONGEST_NOTE: usize = 300;
const LONGEST_NOTES: usize = 2_500;

/// Returns the text, of at most `room` characters or as short as it can be.
pub(super) fn body(it: &Proposal<'_>, room: usize) -> String {
    let lists = room.saturating_sub(FIXED) / 10;
    let mut text = format!("{}\n{}", it.marker().line(), head(it, lists));
    text += &conflicts(it, lists * 3);
    text += &notes(it.notes);
    text += &commits(it, lists * 2);
    text += &dependencies(it.dependencies, lists * 2);
    text += &files(it, lists * 2);
    text += steps(it);
    text += "\n---\n";
    if let Some(url) = it.run_url.and_then(address) {
        text += &format!("Written by `ecosystem sync` in [this run](<{url}>). ");
    }
    text += "The title and everything above this line are written anew by each sync: put notes \
             below it, or into comments.\n";
    text + END + "\n"
}

/// Returns text of ours, in which names of others may be quoted, as Markdown that is nothing but text.
pub(in crate::sync) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text.as_bytes()).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '!' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // GitHub reads mentions when the escapes are gone already.
    defused(&out)
}

/// Returns a commit of the source as a link.
fn link(it: &Proposal<'_>, commit: &CommitSha) -> String {
    let url = format!("{}/{}/commit/{commit}", it.server.trim_end_matches('/'), it.source);
    linked(&code(commit.short()), &url)
}

pub(super) fn linked(words: &str, url: &str) -> String {
    address(url).map_or_else(|| words.to_owned(), |url| format!("[{words}](<{url}>)"))
}

fn head(it: &Proposal<'_>, room: usize) -> String {
    let server = it.server.trim_end_matches('/');
    let source = linked(&code(it.source.as_str()), &format!("{server}/{}", it.source));
    let since = it.previous.map(|previous| {
        let url = format!("{server}/{}/compare/{previous}...{}", it.source, it.commit);
        format!(", from {} ({})", link(it, previous), linked("compare", &url))
    });
    let since = since.unwrap_or_else(|| ", for the first time".to_owned());
    let what = match it.features {
        [feature] => code_of(feature.as_bytes()),
        features => format!("{} features", features.len()),
    };
    let mut text = format!("Brings {what} of {source} up to {}{since}.\n\n", link(it, it.commit));
    if it.features.len() != 1 {
        let line = |feature: &FeaturePath| format!("- {}\n", code_of(feature.as_bytes()));
        text += &list(it.features.iter().map(line), room);
        text.push('\n');
    }
    let into = match it.into.as_bytes() {
        // What is brought together lies where it lies in the source.
        _ if it.features.len() != 1 => "the same directories here".to_owned(),
        b"" | b"." => "the root of this repository".to_owned(),
        path => code_of(path),
    };
    text + &format!("Applied to {into} by {}.\n", code(it.method))
}

fn conflicts(it: &Proposal<'_>, room: usize) -> String {
    if it.conflicts.is_empty() {
        return String::new();
    }
    let lines = it.conflicts.iter().map(|conflict| {
        format!("- {}: {}\n", code_of(&conflict.path), plain(&cut(&conflict.what)))
    });
    let (count, them) = match lines.len() {
        1 => ("1 file is in conflict".to_owned(), "it"),
        count => (format!("{count} files are in conflict"), "them"),
    };
    format!(
        "\n### Conflicts\n\n**{count}: this pull request is a draft until a person has resolved \
         {them}.**\n\n{}",
        list(lines, room)
    )
}

fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let lines = notes.iter().map(|note| format!("- {}\n", plain(&cut(note))));
    format!("\n### Note\n\n{}", list(lines, LONGEST_NOTES))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_NOTE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn commits(it: &Proposal<'_>, room: usize) -> String {
    if it.commits.is_empty() {
        return String::new();
    }
    // The newest first: what is cut is the oldest.
    let lines = it.commits.iter().rev().map(|commit| {
        let (subject, author) = (code_of(&commit.subject), code_of(&commit.author));
        format!("- {} {subject} by {author}\n", link(it, &commit.id))
    });
    format!("\n### Upstream commits ({})\n\n{}", it.commits.len(), list(lines, room))
}

fn dependencies(changes: &[Change], room: usize) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let row = |change: &Change| {
        let side = |side: &Option<String>| side.as_deref().map_or_else(|| "–".to_owned(), code);
        let manifest = code_of(&change.manifest);
        if change.kind == Kind::Unreadable {
            return format!("| {manifest} | changed, and cannot be read | | |\n");
        }
        let kind = match change.kind.word() {
            "" => String::new(),
            word => format!(" ({})", code(word)),
        };
        let (before, after) = (side(&change.before), side(&change.after));
        format!("| {manifest} | {}{kind} | {before} | {after} |\n", code(&change.name))
    };
    format!(
        "\n### Dependency changes\n\n| manifest | dependency | before | after |\n\
         | --- | --- | --- | --- |\n{}",
        list(changes.iter().map(row), room)
    )
}

fn files(it: &Proposal<'_>, room: usize) -> String {
    let count = |status| it.files.iter().filter(|file| file.status == status).count();
    let counts = [
        (count(FileStatus::Added), "added"),
        (count(FileStatus::Modified), "modified"),
        (count(FileStatus::Deleted), "deleted"),
    ];
    let counts = counts.map(|(count, word)| format!("{count} {word}")).join(", ");
    let lines = it.files.iter().map(|file| {
        let word = match file.status {
            FileStatus::Added => "added",
            FileStatus::Modified => "modified",
            FileStatus::Deleted => "deleted",
        };
        format!("- {} {word}\n", code_of(&file.path))
    });
    let total =
        if lines.len() == 1 { "1 file".to_owned() } else { format!("{} files", lines.len()) };
    format!(
        "\n### Files changed ({counts})\n\n<details><summary>{total}</summary>\n\n{}\n</details>\n",
        list(lines, room)
    )
}

fn steps(it: &Proposal<'_>) -> &'static str {
    if it.conflicts.is_empty() {
        "\n### Next steps\n\n\
         1. Look through the changes, and let your checks run.\n\
         2. Change what does not fit by commits on this branch: they are kept, and the next sync goes \
         on top of them.\n\
         3. Merge it; or close it to say no: it is not opened again before upstream's content is \
         another.\n"
    } else {
        "\n### Next steps\n\n\
         1. Check this branch out and settle what is listed above. Where lines are in conflict, the \
         file holds both sides between `<<<<<<<` and `>>>>>>>`.\n\
         2. Commit and push to this branch: the next sync does not overwrite it.\n\
         3. Mark the pull request ready for review, and merge it.\n"
    }
}

/// Returns as many of the lines as there is room for, and how many more there are. The others are not
/// even made.
pub(super) fn list(lines: impl ExactSizeIterator<Item = String>, room: usize) -> String {
    let mut text = String::new();
    let (mut length, total) = (0, lines.len());
    for (at, line) in lines.enumerate() {
        length += size(&line);
        if length > room {
            return text + &format!("\n… and {} more.\n", total - at);
        }
        text += &line;
    }
    text
}

pub(super) fn code_of(text: &[u8]) -> String {
    code(&shown(text))
}
