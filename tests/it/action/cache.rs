//! The runner's tool cache: what is in it is used when it is what was put there, and nothing else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::releases::{GNU, Releases, cache, on_glibc, recorder, sha256, started};
use super::runner::{VERSION, which, write_program};
use crate::support::repository::Sandbox;
use crate::support::{case, skipped};

#[test]
fn a_release_is_fetched_checked_kept_and_run() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let outcome = on_glibc(releases.job(&sandbox)).run().expect_success();
    assert_eq!(outcome.outputs["version"], VERSION);
    assert_eq!(outcome.outputs["dispatched"], "true");
    let binary = PathBuf::from(&outcome.outputs["binary"]);
    assert!(binary.starts_with(sandbox.path().join("tools")), "{binary:?}");
    assert_eq!(started(&sandbox), [VERSION; 3], "its version there and here, then to dispatch");
    let files = cache(&sandbox);
    assert_eq!(files.len(), 2, "the program and its checksum: {files:?}");
    let download = format!("/releases/download/v{VERSION}");
    let archive = format!("{download}/ecosystem-{VERSION}-{GNU}.tar.gz");
    let sums = format!("{download}/SHA256SUMS");
    let moved = |path: &str| format!("{path}?moved");
    let expected = [sums.clone(), moved(&sums), archive.clone(), moved(&archive)];
    assert_eq!(releases.asked(), expected);
}

#[test]
fn a_second_step_takes_the_program_from_the_tool_cache() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let first = on_glibc(releases.job(&sandbox)).run().expect_success();
    let asked = releases.asked();
    let second = on_glibc(releases.job(&sandbox)).run().expect_success();
    assert_eq!(releases.asked(), asked, "nothing was fetched");
    assert_eq!(first.outputs, second.outputs);
    assert!(second.text().contains("is in the tool cache"), "{second:?}");
}

#[test]
fn without_a_tool_cache_the_program_is_used_from_a_temporary_directory() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    // One that cannot be written counts as none.
    std::fs::write(sandbox.path().join("a-file"), "").unwrap();
    let file = sandbox.path().join("a-file/tools").display().to_string();
    for job in [
        releases.job(&sandbox).without("RUNNER_TOOL_CACHE"),
        releases.job(&sandbox).env("RUNNER_TOOL_CACHE", file),
    ] {
        let outcome = on_glibc(job).run().expect_success();
        let temporary = sandbox.path().join("work/_temp");
        assert!(PathBuf::from(&outcome.outputs["binary"]).starts_with(temporary), "{outcome:?}");
    }
}

#[test]
fn a_cached_program_that_is_not_the_one_is_fetched_anew_and_not_run() {
    for what in ["old", "tampered with", "without checksum", "half"] {
        case(what);
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let first = on_glibc(releases.job(&sandbox)).run().expect_success();
        let binary = PathBuf::from(&first.outputs["binary"]);
        let sum = binary.with_file_name("sha256");
        let old = std::fs::read(recorder(&sandbox, "0.0.1")).unwrap();
        let new = std::fs::read(&binary).unwrap();
        std::fs::remove_file(sandbox.path().join("record/started")).unwrap();
        match what {
            "old" => {
                std::fs::write(&binary, &old).unwrap();
                std::fs::write(&sum, format!("{} unattested\n", sha256(&old))).unwrap();
            }
            "tampered with" => std::fs::write(&binary, &old).unwrap(),
            "without checksum" => std::fs::remove_file(&sum).unwrap(),
            _ => std::fs::write(&binary, &new[..new.len() / 2]).unwrap(),
        }
        let second = on_glibc(releases.job(&sandbox)).run().expect_success();
        assert_eq!(second.outputs["binary"], first.outputs["binary"]);
        assert_eq!(std::fs::read(&binary).unwrap(), new, "it was mended");
        // What has the right checksum and the wrong version may say so, and do nothing else.
        let ran = started(&sandbox);
        let mut expected = vec![VERSION; 3];
        if what == "old" {
            expected.insert(0, "0.0.1");
        }
        assert_eq!(ran, expected);
        assert_eq!(releases.asked().len(), 8, "fetched twice");
    }
}

#[test]
fn what_is_no_file_in_the_cache_gives_way_and_is_not_written_through() {
    for (what, file) in [
        ("directory", "ecosystem"),
        ("link", "ecosystem"),
        ("directory", "sha256"),
        ("link", "sha256"),
    ] {
        case(&format!("{what} in the place of {file}"));
        let sandbox = Sandbox::new();
        let releases = Releases::of(&sandbox);
        let first = on_glibc(releases.job(&sandbox)).run().expect_success();
        let place = PathBuf::from(&first.outputs["binary"]).with_file_name(file);
        let outside = sandbox.path().join("outside");
        std::fs::write(&outside, "outside").unwrap();
        std::fs::remove_file(&place).unwrap();
        match what {
            "directory" => std::fs::create_dir_all(place.join("within")).unwrap(),
            _ => std::os::unix::fs::symlink(&outside, &place).unwrap(),
        }
        for _ in 0..2 {
            let again = on_glibc(releases.job(&sandbox)).run().expect_success();
            assert_eq!(again.outputs["binary"], first.outputs["binary"]);
            assert!(place.symlink_metadata().unwrap().is_file());
        }
        assert_eq!(releases.asked().len(), 8, "fetched anew once");
        assert_eq!(std::fs::read(&outside).unwrap(), b"outside");
    }
}

#[test]
fn a_tool_cache_in_which_nothing_runs_counts_as_none() {
    let sandbox = Sandbox::new();
    let program = sandbox.path().join("picky");
    let recorder = recorder(&sandbox, VERSION);
    let script =
        format!("case $0 in */tools/*) exit 126 ;; esac\nexec '{}' \"$@\"", recorder.display());
    write_program(&program, &script);
    let releases = Releases::of_program(&sandbox, VERSION, &program);
    for _ in 0..2 {
        let outcome = on_glibc(releases.job(&sandbox)).run().expect_success();
        let temporary = sandbox.path().join("work/_temp");
        assert!(PathBuf::from(&outcome.outputs["binary"]).starts_with(temporary), "{outcome:?}");
        assert!(outcome.text().contains("could not be kept"), "{outcome:?}");
    }
}

#[test]
fn what_cannot_be_taken_away_in_the_cache_is_not_used() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let first = on_glibc(releases.job(&sandbox)).run().expect_success();
    let binary = PathBuf::from(&first.outputs["binary"]);
    std::fs::remove_file(&binary).unwrap();
    std::fs::create_dir(&binary).unwrap();
    let rm = which("rm").unwrap();
    let stays = format!("case \"$*\" in */tools/*) exit 1 ;; esac\nexec '{}' \"$@\"", rm.display());
    let outcome = on_glibc(releases.job(&sandbox)).tool("rm", &stays).run().expect_success();
    assert_ne!(outcome.outputs["binary"], first.outputs["binary"]);
    assert!(outcome.text().contains("could not be kept"), "{outcome:?}");
}

#[test]
fn a_checksum_that_cannot_be_read_is_none() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let first = on_glibc(releases.job(&sandbox)).run().expect_success();
    let sum = PathBuf::from(&first.outputs["binary"]).with_file_name("sha256");
    std::fs::set_permissions(&sum, std::fs::Permissions::from_mode(0o0)).unwrap();
    if std::fs::read(&sum).is_ok() {
        return skipped("this user reads every file: one that cannot be read is not tried");
    }
    let again = on_glibc(releases.job(&sandbox)).run().expect_success();
    assert_eq!(again.outputs["binary"], first.outputs["binary"]);
    assert_eq!(releases.asked().len(), 8, "fetched anew");
}

#[test]
fn a_directory_of_the_runner_that_is_not_absolute_is_refused() {
    for variable in ["RUNNER_TOOL_CACHE", "RUNNER_TEMP"] {
        for directory in ["tools", "./tools", "C:tools", "~/tools", "/tmp/a\nversion=b", "/tmp/\ra"]
        {
            let sandbox = Sandbox::new();
            let releases = Releases::of(&sandbox);
            let job = on_glibc(releases.job(&sandbox)).env(variable, directory);
            job.run().expect_refusal(&[variable, "must be the absolute path of a directory"]);
            assert!(releases.asked().is_empty());
        }
    }
}

#[test]
fn another_version_and_another_origin_have_a_cache_of_their_own() {
    let sandbox = Sandbox::new();
    let releases = Releases::of(&sandbox);
    let other = Releases::of_program(&sandbox, "7.0.0", &recorder(&sandbox, "7.0.0"));
    let fork = Releases::of(&sandbox);
    on_glibc(releases.job(&sandbox)).run().expect_success();
    let seven = on_glibc(other.job(&sandbox)).input("version", "v7.0.0").run().expect_success();
    assert_eq!(seven.outputs["version"], "7.0.0");
    on_glibc(fork.job(&sandbox)).run().expect_success();
    assert_eq!(fork.asked().len(), 4, "the same version from elsewhere is another program");
    assert_eq!(cache(&sandbox).len(), 6);
}

#[test]
fn an_install_that_is_killed_at_any_point_leaves_nothing_that_is_used() {
    let mut killed = 0;
    for tool in ["cp", "mv", "tar", "chmod", "mkdir", "sha256sum"] {
        for call in 1..=6 {
            let sandbox = Sandbox::new();
            let releases = Releases::of(&sandbox);
            let Some(real) = which(tool) else { break };
            let count = sandbox.path().join("count");
            let fake = format!(
                "n=$(($(cat '{count}' 2>/dev/null || echo 0) + 1))\necho $n >'{count}'\n\
                 if [ $n = {call} ]; then\n\
                 if [ {tool} = cp ]; then head -c 40 <\"${{@: -2:1}}\" >\"${{@: -1}}\"; fi\n\
                 kill -9 $PPID; exit 1; fi\nexec '{}' \"$@\"",
                real.display(),
                count = count.display()
            );
            let first = on_glibc(releases.job(&sandbox)).tool(tool, &fake).run();
            if first.steps.len() == 2 {
                break;
            }
            killed += 1;
            std::fs::remove_file(sandbox.path().join("fakes").join(tool)).unwrap();
            case(&format!("{tool}, call {call}"));
            let second = on_glibc(releases.job(&sandbox)).run().expect_success();
            let whole = std::fs::read(recorder(&sandbox, VERSION)).unwrap();
            assert_eq!(std::fs::read(&second.outputs["binary"]).unwrap(), whole);
            assert!(started(&sandbox).iter().all(|version| version == VERSION));
        }
    }
    assert!(killed >= 7, "the tools are called: {killed}");
}
