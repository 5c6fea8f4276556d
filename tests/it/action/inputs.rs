//! What the program is told: each input reaches it as it is, or the run ends before anything is
//! downloaded.

use super::releases::{Releases, args, directory, environment, on_glibc};
use super::runner::{JOB_TOKEN, Job, Outcome};
use crate::support::case;
use crate::support::document::{Document, quoted};
use crate::support::repository::Sandbox;

const COMMIT: &str = "0123456789abcdef0123456789ABCDEF01234567";

/// Runs the recording program with these inputs.
fn record(inputs: &[(&str, &str)]) -> (Sandbox, Outcome) {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let outcome = on_glibc(releases.job(&sandbox)).inputs(inputs).run();
    (sandbox, outcome)
}

/// Fails unless the inputs are refused with these words, before anything is asked for.
#[track_caller]
fn refused(inputs: &[(&str, &str)], said: &[&str]) {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    on_glibc(releases.job(&sandbox)).inputs(inputs).run().expect_refusal(said);
    assert!(releases.asked().is_empty());
}

#[test]
fn each_input_becomes_its_argument_and_free_text_becomes_none() {
    let only = ["--only=acme/a", "--only=acme/b.c", "--only=o_x/d"];
    let names = "acme/b.c,\n  o_x/d\t\n";
    for (inputs, expected) in [
        (vec![], vec!["dispatch"]),
        (vec![("command", "")], vec!["dispatch"]),
        (vec![("command", "validate")], vec!["validate"]),
        (vec![("dry-run", "true")], vec!["dispatch", "--dry-run"]),
        (vec![("dry-run", "false"), ("command", "status")], vec!["status"]),
        (vec![("watermarks", "true")], vec!["dispatch", "--watermarks"]),
        (
            vec![
                ("command", "status"),
                ("repository", "acme/a"),
                ("repositories", names),
                ("args", "--only acme/e --"),
            ],
            [vec!["status"], only.to_vec(), vec!["--only", "acme/e", "--"]].concat(),
        ),
        (
            vec![
                ("command", "send"),
                ("repository", "acme/a"),
                ("dry-run", "true"),
                ("event-type", "--x"),
            ],
            vec!["send", "--dry-run"],
        ),
        (vec![("command", "sync")], vec!["sync"]),
        (
            vec![
                ("command", "sync"),
                ("source", "https://github.com/acme/mono"),
                ("feature", "--x $(id)"),
                ("commit", COMMIT),
                ("conflict", "fail"),
                ("pull", "true"),
                ("allow-workflows", "true"),
                ("dry-run", "true"),
                ("args", "--no-issue --base dev"),
            ],
            vec![
                "sync",
                "--source=https://github.com/acme/mono",
                "--dry-run",
                "--pull",
                "--allow-workflows",
                "--no-issue",
                "--base",
                "dev",
            ],
        ),
    ] {
        let (sandbox, outcome) = record(&inputs);
        outcome.expect_success();
        assert_eq!(args(&sandbox), expected, "{inputs:?}");
    }
}

#[test]
fn what_is_sent_reaches_the_program_as_it_is_and_no_shell() {
    for hostile in [
        "{\"a\": \"$(touch x) `touch x` ${HOME}\"}",
        "{\n  \"a\": [1, 2]\n}\n",
        "::set-output name=x::y\n::error::z\n##[error]w",
        "-n",
        "*",
        "'\"\\ \\\\ %0A €",
        "/c/Users;/tmp",
    ] {
        case(hostile);
        let (sandbox, outcome) = record(&[
            ("command", "send"),
            ("event-type", hostile),
            ("client-payload", hostile),
            ("repositories", "acme/a, acme/b"),
        ]);
        outcome.expect_success();
        let environment = environment(&sandbox);
        assert_eq!(environment["ECOSYSTEM_EVENT_TYPE"], hostile);
        assert_eq!(environment["ECOSYSTEM_PAYLOAD"], hostile);
        assert_eq!(environment["ECOSYSTEM_TO"], "acme/a acme/b");
        assert_eq!(args(&sandbox), ["send"]);
        assert!(!sandbox.path().join("work/monorepo/x").exists(), "a shell has run it");
    }
}

#[test]
fn an_empty_input_leaves_what_the_job_has_set() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let job = on_glibc(releases.job(&sandbox)).input("command", "send");
    let set = [
        ("ECOSYSTEM_PAT", "canary-job-pat"),
        ("GITHUB_TOKEN", "canary-own-token"),
        ("ECOSYSTEM_TO", "acme/x"),
        ("ECOSYSTEM_EVENT_TYPE", "built"),
        ("ECOSYSTEM_PAYLOAD", "{}"),
        ("ECOSYSTEM_CONFIRM", "60"),
    ];
    let job = set.into_iter().fold(job, |job, (name, value)| job.env(name, value));
    job.run().expect_success();
    let found = environment(&sandbox);
    for (name, value) in set {
        assert_eq!(found[name], value, "{name}");
    }
    let job = job.input("token", "canary-input").input("repository", "acme/y");
    job.run().expect_success();
    assert_eq!(environment(&sandbox)["ECOSYSTEM_PAT"], "canary-input");
    assert_eq!(environment(&sandbox)["ECOSYSTEM_TO"], "acme/y");
}

#[test]
fn the_program_gets_the_two_tokens_under_their_names_and_no_variable_of_the_action() {
    let (sandbox, outcome) = record(&[("token", "canary-input"), ("args", "--format json")]);
    let outcome = outcome.expect_success();
    let found = environment(&sandbox);
    assert_eq!(found["ECOSYSTEM_PAT"], "canary-input");
    assert_eq!(found["GITHUB_TOKEN"], JOB_TOKEN);
    let with = |canary: &str| found.values().filter(|value| value.contains(canary)).count();
    assert_eq!((with("canary-input"), with(JOB_TOKEN)), (1, 1));
    let left: Vec<_> = found.keys().filter(|name| name.starts_with("INPUT_")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!found.contains_key("ECOSYSTEM_TO") && !found.contains_key("ECOSYSTEM_PAYLOAD"));
    assert!(!outcome.text().contains("canary"));
    // A variable that is set and empty is an error to the program: none is made.
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    on_glibc(releases.job(&sandbox)).env("GITHUB_TOKEN", "").run().expect_success();
    assert_eq!(environment(&sandbox)["GITHUB_TOKEN"], JOB_TOKEN);
    assert!(!environment(&sandbox).contains_key("ECOSYSTEM_PAT"));
}

#[test]
fn args_are_words_as_a_shell_tells_them_and_nothing_is_expanded() {
    for (text, words) in [
        ("", vec![]),
        (" \t\n ", vec![]),
        ("--all --only acme/a", vec!["--all", "--only", "acme/a"]),
        ("--all\n--base\tHEAD~1\n", vec!["--all", "--base", "HEAD~1"]),
        ("--base 'a b' --head \"c d\"", vec!["--base", "a b", "--head", "c d"]),
        ("--base='a b'\"c\"d", vec!["--base=a bcd"]),
        ("'' \"\"", vec!["", ""]),
        (
            "$(touch x) `touch x` $HOME ${HOME} *  ~ ?",
            vec!["$(touch", "x)", "`touch", "x`", "$HOME", "${HOME}", "*", "~", "?"],
        ),
        ("\"$(touch x)\" '$HOME'", vec!["$(touch x)", "$HOME"]),
        ("a\\ b \\\"c\\\" \\\\d", vec!["a b", "\"c\"", "\\d"]),
        ("\"a\\\"b\\\\c\\d\" 'a\\b'", vec!["a\"b\\c\\d", "a\\b"]),
        (
            "; rm -rf / && echo | x > y # z",
            vec![";", "rm", "-rf", "/", "&&", "echo", "|", "x", ">", "y", "#", "z"],
        ),
        ("{a,b} [x] !! é€😀", vec!["{a,b}", "[x]", "!!", "é€😀"]),
        ("-- -x --", vec!["--", "-x", "--"]),
        ("\"it's\" 'say \"x\"'", vec!["it's", "say \"x\""]),
        ("--field=a:=[1,2]", vec!["--field=a:=[1,2]"]),
    ] {
        let (sandbox, outcome) = record(&[("args", text)]);
        outcome.expect_success();
        assert_eq!(args(&sandbox)[1..], words, "{text:?}");
    }
}

#[test]
fn args_that_cannot_be_split_are_refused() {
    refused(&[("args", "--base 'a")], &["\"args\" has a ' without its second"]);
    refused(&[("args", "--base \"a\\\"")], &["\"args\" has a \" without its second"]);
    refused(&[("args", &"x".repeat(8193))], &["more than 8,192 bytes"]);
    let (sandbox, outcome) = record(&[("args", &"é ".repeat(2730))]);
    outcome.expect_success();
    assert_eq!(args(&sandbox).len(), 2731);
}

#[test]
fn the_readme_says_which_command_takes_which_input() {
    let mut refusals = 0;
    for row in Document::read("README.md").rows("Inputs of the action") {
        let name = quoted(&row[0]).unwrap();
        let sample = match name.as_str() {
            "event-type" | "client-payload" => "{}",
            "dry-run" | "watermarks" | "pull" | "allow-workflows" => "true",
            "commit" => COMMIT,
            "conflict" => "draft",
            "repository" | "repositories" | "source" | "feature" => "acme/a",
            _ => continue,
        };
        for command in ["dispatch", "send", "validate", "status", "sync"] {
            let inputs = [("command", command), (&*name, sample)];
            if row[1].contains(&format!("`{command}`")) {
                record(&inputs).1.expect_success();
            } else {
                refused(&inputs, &["is not for the command", command]);
                refusals += 1;
            }
        }
    }
    assert_eq!(refusals, 40);
}

#[test]
fn a_command_switch_or_name_that_is_none_is_refused() {
    refused(&[("command", "Dispatch")], &["there is no command \"Dispatch\"", "dispatch, send"]);
    refused(&[("command", "x\n::error::y")], &["there is no command \"x\\n::error::y\""]);
    refused(&[("command", "--version")], &["there is no command"]);
    for switch in ["yes", "TRUE", "1", "true\n", " true"] {
        refused(&[("dry-run", switch)], &["the input \"dry-run\" is", "write true or false"]);
    }
    for name in [
        "acme",
        "acme/",
        "/web",
        "acme/web/x",
        "-x/y",
        "acme/$(id)",
        "acme/*",
        "https://github.com/acme/web",
        "acme/we\"b",
        "acme/wéb",
    ] {
        refused(&[("repository", name)], &["is not the name of a repository", "OWNER/NAME"]);
        refused(&[("command", "send"), ("repositories", name)], &["is not the name"]);
    }
}

#[test]
fn what_sync_is_told_is_checked_and_free_text_reaches_it_as_it_is() {
    for hostile in ["a b/c", "$(touch x) `touch x`", "::error::x\n##[error]y", "-n", "*", "é'\"\\"]
    {
        case(hostile);
        let (sandbox, outcome) =
            record(&[("command", "sync"), ("feature", hostile), ("commit", COMMIT)]);
        outcome.expect_success();
        let environment = environment(&sandbox);
        assert_eq!(environment["ECOSYSTEM_FEATURE"], hostile);
        assert_eq!(environment["ECOSYSTEM_COMMIT"], COMMIT);
        assert!(!environment.contains_key("ECOSYSTEM_CONFLICT"));
        assert_eq!(args(&sandbox), ["sync"]);
    }
    for commit in ["HEAD", "0123", "refs/heads/main", &format!("{COMMIT}\n"), &COMMIT[1..]] {
        refused(
            &[("command", "sync"), ("commit", commit)],
            &["the input \"commit\" is", "40 digits"],
        );
    }
    for conflict in ["Draft", "merge", " draft", "true"] {
        refused(
            &[("command", "sync"), ("conflict", conflict)],
            &["\"conflict\" is", "draft or fail"],
        );
    }
    for source in ["a b", "acme/mono\n--pull", "\t", "acme/é"] {
        refused(&[("command", "sync"), ("source", source)], &["the input \"source\" is"]);
    }
    for switch in ["yes", "1", " true"] {
        for input in ["pull", "allow-workflows"] {
            refused(&[("command", "sync"), (input, switch)], &["write true or false"]);
        }
    }
    for (input, value, flag) in [
        ("source", "acme/mono", "--source=x"),
        ("feature", "a", "--feature b"),
        ("commit", COMMIT, "--commit=x"),
        ("conflict", "draft", "--conflict fail"),
    ] {
        let inputs = [("command", "sync"), (input, value), ("args", flag)];
        refused(&inputs, &[&format!("the input \"{input}\" and"), "say the same thing"]);
        record(&[("command", "sync"), ("args", flag)]).1.expect_success();
    }
}

/// It would be an event to this repository, or one to every cousin, that nobody has asked for.
#[test]
fn names_that_are_all_empty_are_refused() {
    for names in [" ", ",", "\n", " , ,\r\n\t,"] {
        for command in ["send", "dispatch"] {
            for input in ["repository", "repositories"] {
                refused(
                    &[("command", command), (input, names), ("event-type", "")],
                    &[&format!("the input \"{input}\" names no repository"), "leave the input out"],
                );
            }
        }
        refused(&[("repository", "acme/a"), ("repositories", names)], &["names no repository"]);
    }
}

#[test]
fn one_repository_is_one() {
    for command in ["send", "dispatch"] {
        let names = [("command", command), ("repository", "acme/a, acme/b")];
        refused(&names, &["\"repository\" has 2 names", "several go into \"repositories\""]);
    }
}

/// A flag wins over what inputs become: the input would silently count for nothing.
#[test]
fn an_input_of_send_and_its_flag_do_not_go_together() {
    let to = ["--to acme/b", "--to=acme/b", "--to-file list", "--to-file=list", "-n --to acme/b"];
    let payload = ["--payload {}", "--payload={}", "--payload-file f", "--payload-file=f"];
    let event_type = ["-e b", "-eb", "-e=b", "-ne b", "-vqneb", "--event-type b", "--event-type=b"];
    for (input, value, flags) in [
        ("repository", "acme/a", &to[..]),
        ("repositories", "acme/a, acme/b", &to[..]),
        ("client-payload", "{}", &payload[..]),
        ("event-type", "a", &event_type[..]),
    ] {
        for flag in flags {
            case(&format!("{input}, {flag}"));
            let name = flag.split(['=', ' ']).find(|word| *word != "-n").unwrap();
            refused(
                &[("command", "send"), (input, value), ("args", flag)],
                &[
                    &format!("the input \"{input}\" and \"{name}\" in \"args\" say the same"),
                    "use one of them",
                ],
            );
        }
    }
    // What adds to an input, what has another's name, and what stands alone.
    for (input, value, flags) in [
        ("client-payload", "{}", "--field a=--payload -fe=1 --field-file x"),
        ("event-type", "a", "--to acme/a -C ended -Ced -nfe=x --field=e=-e"),
        ("repository", "acme/a", "--event-type a --payload {} --token --together"),
        ("event-type", "", "-e b"),
    ] {
        let (_sandbox, outcome) = record(&[("command", "send"), (input, value), ("args", flags)]);
        outcome.expect_success();
    }
}

#[test]
fn what_the_job_has_set_adds_nothing_to_an_input_of_send() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let job = on_glibc(releases.job(&sandbox)).input("command", "send");
    let job = job.env("ECOSYSTEM_TO_FILE", "list").env("ECOSYSTEM_PAYLOAD_FILE", "file");
    job.run().expect_success();
    let of_job = environment(&sandbox);
    assert_eq!(of_job["ECOSYSTEM_TO_FILE"], "list");
    assert_eq!(of_job["ECOSYSTEM_PAYLOAD_FILE"], "file");
    job.input("repositories", "acme/a").input("client-payload", "{}").run().expect_success();
    let of_step = environment(&sandbox);
    assert_eq!((&*of_step["ECOSYSTEM_TO"], &*of_step["ECOSYSTEM_PAYLOAD"]), ("acme/a", "{}"));
    assert!(!of_step.contains_key("ECOSYSTEM_TO_FILE"));
    assert!(!of_step.contains_key("ECOSYSTEM_PAYLOAD_FILE"));
}

#[test]
fn the_program_runs_where_the_monorepo_is() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let workspace = std::fs::canonicalize(sandbox.path()).unwrap().join("work/monorepo");
    let job = |given: &str| on_glibc(releases.job(&sandbox)).input("working-directory", given);
    for name in ["a b", "-", "-x", "$HOME"] {
        std::fs::create_dir_all(workspace.join(name)).unwrap();
        // One of the same name elsewhere is another.
        let elsewhere = sandbox.path().join("elsewhere");
        std::fs::create_dir_all(elsewhere.join(name)).unwrap();
        job(name).env("CDPATH", elsewhere.to_str().unwrap()).run().expect_success();
        assert_eq!(directory(&sandbox), workspace.join(name), "{name}");
    }
    job("").run().expect_success();
    assert_eq!(directory(&sandbox), workspace);
    let outcome = job("not\nthere").run();
    outcome.expect_annotation(&["there is no directory \"not\\nthere\"", "checked out"]);
    assert_eq!(outcome.steps[1].code, Some(2));
}

#[test]
fn the_outputs_are_those_of_the_program_and_its_version() {
    let (_sandbox, outcome) = record(&[("command", "send")]);
    let outputs = outcome.expect_success().outputs;
    let of = |name: &str| outputs.get(name).map(String::as_str);
    assert_eq!(of("dispatched"), Some("true"));
    assert_eq!(of("count"), Some("2"));
    assert_eq!(of("repos"), Some("[\"acme/a\",\n\"acme/b\"]"));
    assert_eq!(of("dispatch-url"), Some("https://api.github.com/x"));
    assert_eq!(of("status"), Some("204"));
    assert_eq!(of("version"), Some(super::runner::VERSION));
    assert_eq!(of("features"), None);
}

#[test]
fn a_signal_reaches_the_program_itself() {
    // The shells give way to the program: it has the process id of the step.
    let sandbox = Sandbox::new();
    let program = sandbox.path().join("parent");
    let version = super::runner::VERSION;
    let script = format!(
        "if [ \"$1\" = --version ]; then echo 'ecosystem {version}'; exit; fi\n\
         kill -9 $$"
    );
    super::runner::write_program(&program, &script);
    let releases = Releases::of_program(&sandbox, version, &program);
    let outcome: Outcome = on_glibc(releases.job(&sandbox)).run();
    assert_eq!(outcome.steps[1].code, None, "the step itself was killed: {outcome:?}");
}

#[test]
fn on_windows_nothing_is_taken_for_a_path_of_git_for_windows() {
    let sandbox = Sandbox::new();
    let releases = Releases::none();
    let target = "x86_64-pc-windows-msvc";
    let version = super::runner::VERSION;
    let program = super::releases::recorder(&sandbox, version);
    releases.add(version, &[(target, super::runner::archive(&sandbox, version, target, &program))]);
    let job = |system| -> Job<'_> { on_glibc(releases.job(&sandbox)).env("RUNNER_OS", system) };
    job("Windows").run().expect_success();
    let found = environment(&sandbox);
    assert_eq!(found["MSYS_NO_PATHCONV"], "1");
    assert_eq!(found["MSYS2_ARG_CONV_EXCL"], "*");
    assert_eq!(found["MSYS2_ENV_CONV_EXCL"], "ECOSYSTEM_");
}
