//! The table of events in `fixtures/README.md`, which says for each event file what a runner sets
//! beside it and which range must come of it. The table is read, not repeated, so that what
//! people read there is what the tests hold the program to.

/// What a range must be compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// The tree of this revision of the sample monorepo.
    Revision(String),
    /// The empty tree: every path at head has changed.
    Nothing,
    /// `--base` or `--all` decides.
    Flags,
    /// There is no range: nothing to do, or the event is refused.
    NoRange,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The file's name in `fixtures/events`.
    pub(crate) file: String,
    /// `GITHUB_EVENT_NAME`.
    pub(crate) name: String,
    /// `GITHUB_REF`.
    pub(crate) git_ref: String,
    /// The revision whose commit is `GITHUB_SHA`, which is also what is checked out.
    pub(crate) sha: String,
    pub(crate) base: Base,
    /// The revision at the head of the range.
    pub(crate) head: Option<String>,
}

/// Returns the rows of the table of events.
pub(crate) fn events() -> Vec<Event> {
    rows()
        .into_iter()
        .filter(|row| row.len() == 7 && row[0].ends_with(".json`"))
        .map(|row| {
            let quoted = |at: usize| {
                unquoted(&row[at]).unwrap_or_else(|| panic!("no `…` in column {at} of {row:?}"))
            };
            Event {
                file: quoted(0),
                name: quoted(2),
                git_ref: quoted(3),
                sha: quoted(4),
                base: match (row[5].as_str(), unquoted(&row[5])) {
                    (_, Some(revision)) => Base::Revision(revision),
                    ("nothing", _) => Base::Nothing,
                    ("flags", _) => Base::Flags,
                    ("–", _) => Base::NoRange,
                    (other, _) => panic!("{other:?} is no base, in {row:?}"),
                },
                head: unquoted(&row[6]),
            }
        })
        .collect()
}

/// Returns the names of the event files that are broken on purpose.
pub(crate) fn broken_events() -> Vec<String> {
    rows()
        .into_iter()
        .filter(|row| row.len() == 2)
        .filter_map(|row| unquoted(&row[0]).filter(|name| name.ends_with(".json")))
        .collect()
}

/// Returns the steps and other refs that the README describes.
pub(crate) fn described_refs() -> Vec<String> {
    rows()
        .into_iter()
        .filter_map(|row| unquoted(&row[0]).filter(|name| !name.ends_with(".json")))
        .collect()
}

/// Returns the cousins that the README describes, each with its subscriptions.
pub(crate) fn described_cousins() -> Vec<(String, Vec<String>)> {
    rows()
        .into_iter()
        .filter(|row| row[0].starts_with("acme/"))
        .map(|row| {
            let name = row[0].split(' ').next().unwrap_or_default().to_owned();
            (name, row[1].split(", ").filter_map(unquoted).collect())
        })
        .collect()
}

/// Returns the cells of every line of a table in the README.
fn rows() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(super::fixture("README.md")).unwrap();
    readme
        .lines()
        .filter_map(|line| line.trim().strip_prefix('|')?.strip_suffix('|'))
        .map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// Returns what stands between back-ticks, when the cell is nothing else.
fn unquoted(cell: &str) -> Option<String> {
    let inner = cell.strip_prefix('`')?.strip_suffix('`')?;
    (!inner.contains('`')).then(|| inner.to_owned())
}
