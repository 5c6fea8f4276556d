//! A tiny language for what happens to a monorepo, one step a line, so that a case of the
//! simulation can be read, and one that a property test has found can be put into the table.
//!
//! ```text
//! push a b=0 -c          changes features (new contents, a given one, deleted) and pushes
//! reset 1 a              goes back to push 1 before that, so that the push is forced
//! unrelated a            begins a history of its own before that
//! add new | remove web | enable web | disable web     in ecosystem.json of the next push
//! refuse web 1           GitHub takes 1 of the next run's requests to it and refuses the next
//! run 2 | run 2 & run 1  the run of push 2 (of the newest without a number); two at once
//! run 2 slow & run 3     the first has read everything and is sending while the other runs
//! kill 2 after 1         that is killed when 1 dispatch is answered and the next has arrived
//! kill 2 in 50           that is killed after 50 ms
//! schedule               a scheduled run at what is the newest commit now
//! ```
//! A run may say `only web`, and where it runs: `full`, `path` (a full clone; of a plain path) or
//! `remote` (no clone), else it has a checkout of depth 1. `-> web:a docs:c` says what it delivers.

use std::fmt::{self, Display};

/// What is done to a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// It gets contents that it never had.
    New(char),
    Set(char, u32),
    Delete(char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    Add,
    Remove,
    Enable,
    Disable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Checkout {
    #[default]
    Shallow,
    Full,
    Path,
    Remote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Killed {
    /// So many dispatches were answered.
    After(usize),
    /// So many milliseconds have passed.
    In(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    Push(usize),
    Newest,
    /// The scheduled run.
    Tip,
}

/// One run of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) of: Of,
    pub(crate) only: Option<String>,
    pub(crate) checkout: Checkout,
    pub(crate) killed: Option<Killed>,
    /// GitHub is slow to answer its first dispatch.
    pub(crate) slow: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Push(Vec<Edit>),
    Reset(usize, Vec<Edit>),
    Unrelated(Vec<Edit>),
    List(Listed, String),
    Refuse(String, u32),
    /// Runs that start together, and what they deliver as far as the script says.
    Run(Vec<Start>, Option<Vec<String>>),
}

/// Reads a script; what begins with `#` is for people.
pub(crate) fn parse(script: &str) -> Vec<Step> {
    let lines = script.lines().map(|line| line.split('#').next().unwrap().trim());
    lines.filter(|line| !line.is_empty()).map(step).collect()
}

fn step(line: &str) -> Step {
    let (what, delivers) = match line.split_once("->") {
        Some((what, delivers)) => (what, Some(delivers)),
        None => (line, None),
    };
    let words: Vec<&str> = what.split_whitespace().collect();
    let number = |word: &str| -> usize {
        word.parse().unwrap_or_else(|_| panic!("{word:?} in {line:?} is no number"))
    };
    let edits = |words: &[&str]| words.iter().map(|word| edit(word)).collect();
    let list = |listed| Step::List(listed, words[1].to_owned());
    match words[0] {
        "push" => Step::Push(edits(&words[1..])),
        "reset" => Step::Reset(number(words[1]), edits(&words[2..])),
        "unrelated" => Step::Unrelated(edits(&words[1..])),
        "add" => list(Listed::Add),
        "remove" => list(Listed::Remove),
        "enable" => list(Listed::Enable),
        "disable" => list(Listed::Disable),
        "refuse" => {
            let taken = words.get(2).map_or(0, |word| number(word));
            Step::Refuse(words[1].to_owned(), u32::try_from(taken).unwrap())
        }
        "run" | "kill" | "schedule" => {
            let runs = words.split(|word| *word == "&").map(|words| start(words, line)).collect();
            let named = |text: &str| -> Vec<String> {
                text.split_whitespace().filter(|it| *it != "nothing").map(str::to_owned).collect()
            };
            Step::Run(runs, delivers.map(named))
        }
        _ => panic!("{line:?} is no step"),
    }
}

fn edit(word: &str) -> Edit {
    let letter = |text: &str| text.chars().next().unwrap();
    match (word.strip_prefix('-'), word.split_once('=')) {
        (Some(name), _) => Edit::Delete(letter(name)),
        (_, Some((name, content))) => Edit::Set(letter(name), content.parse().unwrap()),
        _ => Edit::New(letter(word)),
    }
}

fn start(words: &[&str], line: &str) -> Start {
    let of = if words[0] == "schedule" { Of::Tip } else { Of::Newest };
    let mut start =
        Start { of, only: None, checkout: Checkout::default(), killed: None, slow: false };
    let mut words = words[1..].iter();
    while let Some(word) = words.next() {
        let mut next = || *words.next().unwrap_or_else(|| panic!("{line:?} ends too early"));
        match *word {
            "only" => start.only = Some(next().to_owned()),
            "slow" => start.slow = true,
            "full" => start.checkout = Checkout::Full,
            "path" => start.checkout = Checkout::Path,
            "remote" => start.checkout = Checkout::Remote,
            "after" => start.killed = Some(Killed::After(next().parse().unwrap())),
            "in" => start.killed = Some(Killed::In(next().parse().unwrap())),
            number => {
                let number = number.parse().unwrap_or_else(|_| panic!("{number:?} in {line:?}"));
                start.of = Of::Push(number);
            }
        }
    }
    start
}

impl Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edits = |edits: &[Edit]| -> String {
            let word = |edit: &Edit| match edit {
                Edit::New(name) => format!(" {name}"),
                Edit::Set(name, content) => format!(" {name}={content}"),
                Edit::Delete(name) => format!(" -{name}"),
            };
            edits.iter().map(word).collect()
        };
        match self {
            Self::Push(changes) => write!(f, "push{}", edits(changes)),
            Self::Reset(to, changes) => write!(f, "reset {to}{}", edits(changes)),
            Self::Unrelated(changes) => write!(f, "unrelated{}", edits(changes)),
            Self::List(listed, name) => {
                let verb = match listed {
                    Listed::Add => "add",
                    Listed::Remove => "remove",
                    Listed::Enable => "enable",
                    Listed::Disable => "disable",
                };
                write!(f, "{verb} {name}")
            }
            Self::Refuse(name, taken) => write!(f, "refuse {name} {taken}"),
            Self::Run(runs, delivers) => {
                let runs: Vec<String> = runs.iter().map(ToString::to_string).collect();
                write!(f, "{}", runs.join(" & "))?;
                match delivers.as_deref() {
                    None => Ok(()),
                    Some([]) => write!(f, " -> nothing"),
                    Some(delivers) => write!(f, " -> {}", delivers.join(" ")),
                }
            }
        }
    }
}

impl Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match (&self.of, self.killed) {
            (Of::Tip, _) => "schedule",
            (_, Some(_)) => "kill",
            _ => "run",
        };
        write!(f, "{verb}")?;
        if let Of::Push(number) = self.of {
            write!(f, " {number}")?;
        }
        match self.killed {
            None => {}
            Some(Killed::After(count)) => write!(f, " after {count}")?,
            Some(Killed::In(time)) => write!(f, " in {time}")?,
        }
        if self.slow {
            f.write_str(" slow")?;
        }
        if let Some(only) = &self.only {
            write!(f, " only {only}")?;
        }
        f.write_str(match self.checkout {
            Checkout::Shallow => "",
            Checkout::Full => " full",
            Checkout::Path => " path",
            Checkout::Remote => " remote",
        })
    }
}
