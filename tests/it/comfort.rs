//! Everyday comfort: completion scripts are taken by the shells that they are for, the manual pages
//! say what the program does, and `--version` says what it was built from.

mod commit;
mod manual;

use std::io::Write as _;
use std::process::Command;

use clap::CommandFactory as _;
use ecosystem_dispatcher::cli::Cli;
use pretty_assertions::assert_eq;

use crate::support::ecosystem::Run;
use crate::support::process::Child;
use crate::support::repository::Sandbox;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// Returns the program's own commands, with what is common to all of them.
fn program() -> clap::Command {
    let mut program = Cli::command();
    program.build();
    program
}

/// Returns the long flags of a command, without the dashes.
fn long_flags(command: &clap::Command) -> Vec<String> {
    let visible = command.get_arguments().filter(|argument| !argument.is_hide_set());
    visible.filter_map(|argument| argument.get_long().map(str::to_owned)).collect()
}

fn script(sandbox: &Sandbox, shell: &str) -> String {
    let done = Run::new(sandbox).args(["completions", shell]).run().expect_code(0);
    assert_eq!(done.stderr, "", "{shell}");
    done.stdout
}

/// Returns whether a program is installed, and says so when it is not: what is not tested must be
/// seen in the log.
fn installed(sandbox: &Sandbox, program: &str) -> bool {
    let mut asked = sandbox.command(program);
    // One of those that are asked for knows no such flag, which is an answer too.
    let output = asked.arg("--version").output();
    let found = output.is_ok_and(|output| output.status.success() || program == "mandoc");
    if !found {
        // Not by the macro, whose lines are kept back when a test passes.
        let line =
            format!("SKIPPED: {program} is not installed: what is made for it is not tried\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    found
}

/// Runs a command to its end, which must be a good one, and returns what it printed.
fn output(command: &mut Command) -> String {
    let done = Child::start(command, b"").wait();
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?} ended with {}: {stderr}", done.status);
    assert_eq!(stderr, "", "{command:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn each_script_has_every_command_and_every_flag() {
    let sandbox = Sandbox::new();
    let program = program();
    for shell in SHELLS {
        let script = script(&sandbox, shell);
        for command in program.get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            for flag in long_flags(command) {
                let flag = if shell == "fish" { format!("-l {flag}") } else { format!("--{flag}") };
                assert!(script.contains(&flag), "{shell}: {flag}");
            }
        }
    }
    let flags: usize = program.get_subcommands().map(|command| long_flags(command).len()).sum();
    assert!(flags > 40, "they are read: {flags}");
}

#[test]
fn bash_takes_its_script_and_completes_with_it() {
    let sandbox = Sandbox::new();
    if !installed(&sandbox, "bash") {
        return;
    }
    let file = sandbox.path().join("script");
    std::fs::write(&file, script(&sandbox, "bash")).unwrap();
    for (words, expected) in [
        ("ecosystem va", "validate"),
        ("ecosystem dispatch --dry", "--dry-run"),
        ("ecosystem dispatch --format ''", "human json"),
        ("ecosystem -C /tmp status --pr", "--prune"),
        ("ecosystem --color al", "always"),
        ("ecosystem dispatch --nothing-like-it", ""),
    ] {
        let asked = format!(
            "source '{}'; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _ecosystem ecosystem \"${{COMP_WORDS[COMP_CWORD]}}\" \
             \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
             echo \"${{COMPREPLY[*]}}\"",
            file.display()
        );
        let mut bash = sandbox.command("bash");
        bash.args(["--norc", "--noprofile", "-c", &asked]);
        assert_eq!(output(&mut bash).trim_end(), expected, "{words}");
    }
}

#[test]
fn fish_takes_its_script_and_completes_with_it() {
    let sandbox = Sandbox::new();
    if !installed(&sandbox, "fish") {
        return;
    }
    let file = sandbox.path().join("script");
    std::fs::write(&file, script(&sandbox, "fish")).unwrap();
    for (words, expected) in
        [("ecosystem va", "validate"), ("ecosystem dispatch --dry", "--dry-run")]
    {
        let asked = format!("source '{}'; complete -C '{words}'", file.display());
        let mut fish = sandbox.command("fish");
        let printed = output(fish.args(["--no-config", "-c", &asked]));
        let names: Vec<_> = printed.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(names, [expected], "{words}");
    }
}

#[test]
fn zsh_elvish_and_powershell_take_their_scripts() {
    let sandbox = Sandbox::new();
    // Its completer is set in the editor, which is there on a terminal only.
    let editor = "var edit: = (ns [&completion:=(ns [&arg-completer=[&]])])\n";
    let parse = "$errors = $null; [void][System.Management.Automation.Language.Parser]::ParseFile(\
                 $env:SCRIPT, [ref]$null, [ref]$errors); exit $errors.Count";
    for (shell, program, before, args) in [
        ("zsh", "zsh", "", &["-f", "-n"][..]),
        ("elvish", "elvish", editor, &["-norc", "-compileonly"][..]),
        ("powershell", "pwsh", "", &["-NoProfile", "-NonInteractive", "-Command", parse][..]),
    ] {
        if !installed(&sandbox, program) {
            continue;
        }
        let file = sandbox.path().join("script");
        std::fs::write(&file, format!("{before}{}", script(&sandbox, shell))).unwrap();
        let mut command = sandbox.command(program);
        command.args(args).env("SCRIPT", &file);
        if program != "pwsh" {
            command.arg(&file);
        }
        assert_eq!(output(&mut command), "", "{shell}");
    }
}

#[test]
fn the_help_of_completions_says_for_each_shell_where_the_script_goes() {
    let help = Run::new(&Sandbox::new()).args(["completions", "--help"]).run().expect_code(0);
    let (_, examples) = help.stdout.split_once("Examples:").unwrap();
    for shell in SHELLS {
        assert!(examples.contains(&format!("ecosystem completions {shell}")), "{shell}");
    }
}

#[test]
fn an_unknown_shell_is_a_usage_error_that_names_those_that_are_known() {
    let done = Run::new(&Sandbox::new()).args(["completions", "tcsh"]).run().expect_code(2);
    assert!(done.stderr.contains("bash, elvish, fish, powershell, zsh"), "{}", done.stderr);
    assert_eq!(done.stdout, "");
}

#[test]
fn every_command_has_examples_in_its_help_and_none_in_the_short_one() {
    let sandbox = Sandbox::new();
    for command in program().get_subcommands() {
        let name = command.get_name();
        let long = Run::new(&sandbox).args([name, "--help"]).run().expect_code(0).stdout;
        let (_, examples) = long.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{name}"));
        assert!(examples.contains(&format!("ecosystem {name}")), "{name}");
        let short = Run::new(&sandbox).args([name, "-h"]).run().expect_code(0).stdout;
        assert!(!short.contains("Examples:") && short.len() < long.len(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error_and_a_full_disk_is_one() {
    let sandbox = Sandbox::new();
    let binary = env!("CARGO_BIN_EXE_ecosystem");
    for arguments in ["completions zsh", "man", "man dispatch", "--version", "--help"] {
        let asked = format!("'{binary}' {arguments} | true; echo ${{PIPESTATUS[0]}}");
        assert_eq!(output(sandbox.command("bash").args(["-c", &asked])), "0\n", "{arguments}");
        if std::path::Path::new("/dev/full").exists() {
            let asked = format!("'{binary}' {arguments} 2>&1 >/dev/full; echo $?");
            let said = output(sandbox.command("bash").args(["-c", &asked]));
            assert!(said.starts_with("error: cannot write to standard output"), "{said}");
            assert!(said.ends_with("\n2\n"), "{arguments}: {said}");
        }
    }
}
