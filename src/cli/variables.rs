//! The environment forms of options: `ECOSYSTEM_EVENT_TYPE=build` for `--event-type build`, so that
//! a workflow hands its values over by `env:` and needs no shell to put a command line together.
//!
//! They become arguments before the command line is parsed, so that they pass the same checks. The
//! command line wins, also over what cannot go together with it; what is empty, or false for a flag,
//! counts as not given, as a workflow's unset inputs are.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};

use super::Failure;
use super::sync::SOURCE_TOKEN;
use crate::environment::Environment;
use crate::text;

/// What has no environment form. `--source` has one of its own, `GITHUB_REPOSITORY`, and workflows
/// have named the place that they build this program from `ECOSYSTEM_SOURCE`.
const WITHOUT: [&str; 3] = ["help", "version", "source"];

/// Options that say the same in two ways, and add to each other where both are typed: whoever types
/// one does not mean the environment's other.
const TOGETHER: [[&str; 2]; 1] = [["to", "to-file"]];

/// The option of which each form in the environment is one, whole: `ECOSYSTEM_FIELD`, and whatever
/// begins with it and `_`. A text of several lines would else be several fields, of its author's choice.
const WHOLE: &str = "field";

/// The options of which each line is one value: a pattern may hold commas and spaces.
const BY_LINE: [&str; 1] = ["subscribe"];

/// The arguments of a run with those that the environment adds.
pub(super) struct Arguments {
    pub(super) all: Vec<OsString>,
    /// The variables that have become arguments, and the options that they stand for.
    pub(super) variables: Vec<(String, String)>,
}

impl Arguments {
    /// Returns which of the options that are spoken of in `text` came from the environment.
    pub(super) fn hint(&self, text: &str) -> Option<String> {
        let spoken_of = |option: &str| {
            let flag = format!("--{option}");
            let mut found = text.match_indices(&flag).map(|(at, _)| text.get(at + flag.len()..));
            found.any(|rest| {
                !rest.unwrap_or_default().starts_with(|c: char| c == '-' || c.is_alphanumeric())
            })
        };
        let said = self.variables.iter().filter(|(_, option)| spoken_of(option));
        let said: Vec<String> =
            said.map(|(variable, option)| format!("{variable} stands for --{option}")).collect();
        (!said.is_empty()).then(|| format!("in the environment {}", said.join(", ")))
    }
}

/// Returns the name of an option's environment form.
fn variable(option: &str) -> String {
    format!("ECOSYSTEM_{}", option.to_ascii_uppercase().replace('-', "_"))
}

/// Returns whether a variable may be the form of an option: most runs have none, and need no look.
fn may_be_a_form(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let others: [&[u8]; 4] =
        [b"ECOSYSTEM_APP_", b"ECOSYSTEM_NOTIFY_URL", b"ECOSYSTEM_PAT", SOURCE_TOKEN.as_bytes()];
    name.starts_with(b"ECOSYSTEM_") && !others.iter().any(|it| name.starts_with(it))
}

/// Returns the arguments, with those that the environment adds behind them.
///
/// # Errors
/// A variable of a flag that is neither true nor false, and one whose name is nearly a form: a dry
/// run that is one by a slip of the pen only would send.
pub(super) fn with(
    command: impl FnOnce() -> Command,
    environment: &Environment,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Arguments, Failure> {
    let mut all: Vec<OsString> = args.into_iter().collect();
    let mut variables = Vec::new();
    if !environment.iter().any(|(name, _)| may_be_a_form(name)) {
        return Ok(Arguments { all, variables });
    }
    let mut command = command();
    command.build();
    // What is wrong with the command line is said when it is parsed in earnest.
    let typed = command.clone().ignore_errors(true).try_get_matches_from(&all).ok();
    let named = typed.as_ref().and_then(ArgMatches::subcommand);
    let named = named.and_then(|(name, typed)| Some((command.find_subcommand(name)?, typed)));
    let Some((subcommand, typed)) = named else { return Ok(Arguments { all, variables }) };
    if let Some((name, option)) = slip(&command, subcommand, environment) {
        let message = format!("{} is set, and no option reads it", text::quoted(name));
        let form = variable(option);
        return Err(Failure::new(
            message,
            format!("{form} is the form of --{option}; else unset it here"),
        ));
    }
    for arg in subcommand.get_arguments() {
        let Some(option) = arg.get_long().filter(|option| !WITHOUT.contains(option)) else {
            continue;
        };
        let gives_way = |other: &Arg| is_typed(typed, other) && are_opposed(subcommand, arg, other);
        if subcommand.get_arguments().any(gives_way) {
            continue;
        }
        for (name, value) in forms(environment, option) {
            let added = added(arg, option, &name, value)?;
            if !added.is_empty() {
                all.extend(added);
                variables.push((name, option.to_owned()));
            }
        }
    }
    Ok(Arguments { all, variables })
}

/// Returns a variable whose name is nearly the form of an option of `subcommand`, and that option.
fn slip<'a>(
    command: &Command,
    subcommand: &'a Command,
    environment: &'a Environment,
) -> Option<(&'a str, &'a str)> {
    let is_known = |name: &str| {
        command.get_subcommands().flat_map(options).any(|option| is_form(name, option))
    };
    let all = environment.iter().filter(|(name, value)| may_be_a_form(name) && !value.is_empty());
    let mut unknown = all.filter_map(|(name, _)| name.to_str()).filter(|name| !is_known(name));
    unknown.find_map(|name| {
        let meant = options(subcommand).find(|option| is_slip(name, &variable(option)))?;
        Some((name, meant))
    })
}

/// Returns the options of a command that have an environment form.
fn options(of: &Command) -> impl Iterator<Item = &str> {
    of.get_arguments().filter_map(Arg::get_long).filter(|option| !WITHOUT.contains(option))
}

/// Returns whether a name is another but for its separators and case, or for one letter where
/// there are enough that this is no accident.
fn is_slip(name: &str, form: &str) -> bool {
    let letters = |name: &str| name.replace(['_', '-'], "").to_ascii_uppercase();
    let (name, form) = (letters(name), letters(form));
    name == form || form.len() >= "ECOSYSTEM".len() + 5 && text::edit_distance(&name, &form) == 1
}

fn is_typed(typed: &ArgMatches, arg: &Arg) -> bool {
    typed.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// Returns the variables that stand for an option, with what they hold.
fn forms<'e>(environment: &'e Environment, option: &str) -> Vec<(String, &'e OsStr)> {
    let all = environment.iter().filter(|(_, value)| !value.is_empty());
    let named = all.filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value)));
    named.filter(|(name, _)| is_form(name, option)).collect()
}

/// Returns whether a variable is a form of an option.
fn is_form(name: &str, option: &str) -> bool {
    name.strip_prefix(variable(option).as_str())
        .is_some_and(|rest| rest.is_empty() || option == WHOLE && rest.starts_with('_'))
}

/// Returns whether two arguments are the same, or cannot be given together. Only one of them may
/// say so.
fn are_opposed(command: &Command, one: &Arg, other: &Arg) -> bool {
    let against = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
    };
    let same = TOGETHER.iter().any(|options| {
        [one, other].iter().all(|arg| arg.get_long().is_some_and(|it| options.contains(&it)))
    });
    one.get_id() == other.get_id() || same || against(one, other) || against(other, one)
}

/// Returns the arguments that a variable stands for.
fn added(arg: &Arg, option: &str, variable: &str, value: &OsStr) -> Result<Vec<OsString>, Failure> {
    let flag = || OsString::from(format!("--{option}"));
    let with_value = |value: &OsStr| {
        let mut written = flag();
        written.push("=");
        written.push(value);
        written
    };
    let text = value.to_str();
    let truth = text.and_then(truth);
    Ok(match arg.get_action() {
        ArgAction::SetTrue => match truth {
            Some(true) => vec![flag()],
            Some(false) => Vec::new(),
            None => return Err(neither(variable, value)),
        },
        ArgAction::Count => match (truth, text.and_then(|text| text.parse::<u8>().ok())) {
            (_, Some(count)) => vec![flag(); usize::from(count.min(9))],
            (Some(true), None) => vec![flag()],
            (Some(false), None) => Vec::new(),
            (None, None) => return Err(neither(variable, value)),
        },
        ArgAction::Append => match text {
            // The line break at its end is that of a block in YAML.
            Some(text) if option == WHOLE => {
                let text = text.strip_suffix('\n').unwrap_or(text);
                vec![with_value(text.strip_suffix('\r').unwrap_or(text).as_ref())]
            }
            Some(text) => {
                let by_line = BY_LINE.contains(&option);
                let ends =
                    |c: char| if by_line { c == '\n' } else { c == ',' || c.is_whitespace() };
                let items = text.split(ends).map(str::trim);
                let items: Vec<OsString> = items
                    .filter(|item| !item.is_empty())
                    .map(|item| with_value(item.as_ref()))
                    .collect();
                // White space was given, and names nothing: whoever takes it says so.
                if items.is_empty() { vec![with_value(value)] } else { items }
            }
            None => vec![with_value(value)],
        },
        _ => {
            // Such as --confirm, which may stand alone.
            let alone = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
            let number = text.is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            match truth.filter(|_| alone && !number) {
                Some(true) => vec![flag()],
                Some(false) => Vec::new(),
                None => vec![with_value(value)],
            }
        }
    })
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "y" => Some(true),
        "false" | "no" | "off" | "0" | "n" => Some(false),
        _ => None,
    }
}

fn neither(variable: &str, value: &OsStr) -> Failure {
    let value = text::quoted(&value.to_string_lossy());
    Failure::new(format!("{variable} is {value}"), "it must be true or false, or empty")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn added_to(args: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let environment: Environment = variables.iter().copied().collect();
        let typed: Vec<OsString> = args.split(' ').map(OsString::from).collect();
        let count = typed.len();
        let arguments =
            with(Cli::command, &environment, typed).map_err(|failure| failure.message)?;
        let added = arguments.all.iter().skip(count);
        Ok(added.map(|arg| arg.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn a_variable_is_an_option_unless_the_command_line_says_otherwise() {
        for (args, variables, expected) in [
            (
                "ecosystem send",
                &[("ECOSYSTEM_EVENT_TYPE", "a b"), ("ECOSYSTEM_DRY_RUN", "true")][..],
                &["--event-type=a b", "--dry-run"][..],
            ),
            ("ecosystem send -e x", &[("ECOSYSTEM_EVENT_TYPE", "y")], &[]),
            ("ecosystem send", &[("ECOSYSTEM_EVENT_TYPE", "")], &[]),
            ("ecosystem send", &[("ECOSYSTEM_EVENT_TYPE", "-n")], &["--event-type=-n"]),
            ("ecosystem send -n", &[("ECOSYSTEM_DRY_RUN", "true")], &[]),
            ("ecosystem send", &[("ECOSYSTEM_DRY_RUN", "false")], &[]),
            ("ecosystem send", &[("ECOSYSTEM_DRY_RUN", "0")], &[]),
            ("ecosystem send", &[("ECOSYSTEM_DRY_RUN", " Yes ")], &["--dry-run"]),
            (
                "ecosystem send",
                &[("ECOSYSTEM_TO", "a/b, c/d\n\te/f\n")],
                &["--to=a/b", "--to=c/d", "--to=e/f"],
            ),
            ("ecosystem send --to a/b", &[("ECOSYSTEM_TO", "c/d")], &[]),
            (
                "ecosystem onboard a/b",
                &[("ECOSYSTEM_SUBSCRIBE", "{web,docs}/*\n a b \r\n\n!x"), ("ECOSYSTEM_PROBE", "9")],
                &["--subscribe={web,docs}/*", "--subscribe=a b", "--subscribe=!x", "--probe=9"],
            ),
            ("ecosystem onboard a/b --probe", &[("ECOSYSTEM_PROBE", "9")], &[]),
            ("ecosystem onboard a/b", &[("ECOSYSTEM_PROBE", "yes")], &["--probe"]),
            ("ecosystem send", &[("ECOSYSTEM_TO", " ")], &["--to= "]),
            ("ecosystem send", &[("ECOSYSTEM_TO_FILE", "list")], &["--to-file=list"]),
            ("ecosystem send --to a/b", &[("ECOSYSTEM_TO_FILE", "list")], &[]),
            ("ecosystem send --to-file list", &[("ECOSYSTEM_TO", "a/b")], &[]),
            ("ecosystem send --field a=b", &[("ECOSYSTEM_FIELD_X", "c=d")], &[]),
            (
                "ecosystem send",
                &[("ECOSYSTEM_FIELD", "a=1, 2\nadmin=true"), ("ECOSYSTEM_FIELD_B", "b:=[1]  \r\n")],
                &["--field=a=1, 2\nadmin=true", "--field=b:=[1]  "],
            ),
            // What cannot go together with what was typed is left out.
            ("ecosystem send --payload-file f", &[("ECOSYSTEM_PAYLOAD", "{}")], &[]),
            ("ecosystem send --payload {}", &[("ECOSYSTEM_PAYLOAD_FILE", "f")], &[]),
            ("ecosystem dispatch --base x", &[("ECOSYSTEM_ALL", "true")], &[]),
            ("ecosystem dispatch -q", &[("ECOSYSTEM_VERBOSE", "2")], &[]),
            ("ecosystem dispatch", &[("ECOSYSTEM_VERBOSE", "2")], &["--verbose", "--verbose"]),
            ("ecosystem dispatch", &[("ECOSYSTEM_CONFIRM", "true")], &["--confirm"]),
            ("ecosystem dispatch", &[("ECOSYSTEM_CONFIRM", "Yes")], &["--confirm"]),
            ("ecosystem dispatch", &[("ECOSYSTEM_CONFIRM", "1")], &["--confirm=1"]),
            ("ecosystem dispatch", &[("ECOSYSTEM_CONFIRM", "false")], &[]),
            ("ecosystem dispatch", &[("ECOSYSTEM_CONFIRM", "60")], &["--confirm=60"]),
            ("ecosystem dispatch", &[("ECOSYSTEM_ONLY", "a/b c/d")], &["--only=a/b", "--only=c/d"]),
            ("ecosystem dispatch", &[("ECOSYSTEM_SOURCE", "https://x")], &[]),
            ("ecosystem dispatch", &[("ECOSYSTEM_HELP", "true")], &[]),
            // No such option here.
            ("ecosystem validate", &[("ECOSYSTEM_EVENT_TYPE", "x")], &[]),
            ("ecosystem", &[("ECOSYSTEM_COLOR", "never")], &[]),
        ] {
            assert_eq!(added_to(args, variables).unwrap(), expected, "{args} {variables:?}");
        }
    }

    #[test]
    fn a_flag_is_true_or_false_and_nothing_that_only_looks_like_it() {
        for bad in ["maybe", "truee", "2", " "] {
            let said = added_to("ecosystem send", &[("ECOSYSTEM_DRY_RUN", bad)]).unwrap_err();
            assert_eq!(said, format!("ECOSYSTEM_DRY_RUN is \"{bad}\""));
        }
    }

    #[test]
    fn a_name_that_is_nearly_a_form_is_no_other_variable() {
        for (command, name, meant) in [
            (
                "send",
                "ECOSYSTEM_DRYRUN",
                Some("ECOSYSTEM_DRY_RUN is the form of --dry-run; else unset it here"),
            ),
            (
                "send",
                "ECOSYSTEM_dry-run",
                Some("ECOSYSTEM_DRY_RUN is the form of --dry-run; else unset it here"),
            ),
            (
                "send",
                "ECOSYSTEM_FIELDS",
                Some("ECOSYSTEM_FIELD is the form of --field; else unset it here"),
            ),
            (
                "dispatch",
                "ECOSYSTEM_WATERMARK",
                Some("ECOSYSTEM_WATERMARKS is the form of --watermarks; else unset it here"),
            ),
            (
                "dispatch",
                "ECOSYSTEM_PER_MINUTES",
                Some("ECOSYSTEM_PER_MINUTE is the form of --per-minute; else unset it here"),
            ),
            // Another command's, another program's, and too short to tell.
            ("validate", "ECOSYSTEM_DRYRUN", None),
            ("dispatch", "ECOSYSTEM_TO_FILE", None),
            ("dispatch", "ECOSYSTEM_SOURCE", None),
            ("dispatch", "ECOSYSTEM_SOURCES", None),
            ("dispatch", "ECOSYSTEM_RELEASES_URL", None),
            ("dispatch", "ECOSYSTEM_PAT_WEB", None),
            ("dispatch", "ECOSYSTEM_HEADS", None),
            ("dispatch", "ECOSYSTEM_TOKEN", None),
        ] {
            let environment: Environment = [(name, "x")].into_iter().collect();
            let args = ["ecosystem", command].map(OsString::from);
            let refused = with(Cli::command, &environment, args).err();
            let help = refused.as_ref().and_then(|failure| failure.help.as_deref());
            assert_eq!(help, meant, "{command} {name}");
        }
        let said = added_to("ecosystem send", &[("ECOSYSTEM_DRYRUN", "true")]).unwrap_err();
        assert_eq!(said, "\"ECOSYSTEM_DRYRUN\" is set, and no option reads it");
        assert!(added_to("ecosystem send", &[("ECOSYSTEM_DRYRUN", "")]).unwrap().is_empty());
    }

    #[test]
    fn every_long_option_of_every_command_has_a_form_but_for_those_that_are_named() {
        let mut command = Cli::command();
        command.build();
        let mut forms = 0;
        for subcommand in command.get_subcommands() {
            for arg in subcommand.get_arguments().filter(|arg| arg.get_long().is_some()) {
                let option = arg.get_long().unwrap();
                let value = match arg.get_action() {
                    ArgAction::SetTrue | ArgAction::Count => "true",
                    _ => "x",
                };
                let line = format!("ecosystem {}", subcommand.get_name());
                let added = added_to(&line, &[(variable(option).as_str(), value)]).unwrap();
                assert_eq!(added.is_empty(), WITHOUT.contains(&option), "{line} --{option}");
                forms += added.len();
            }
        }
        assert!(forms > 40, "{forms}");
    }
}
