//! `release-assemble`: of what the jobs have uploaded, a release is only what each was to make.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::repository::Repository;
use crate::support::case;
use crate::support::ecosystem::Done;

/// The names of the files that a release has, below the parts that bring them.
fn files() -> Vec<String> {
    let mut files = vec!["part-sbom/ecosystem-1.2.3.cdx.json".to_owned()];
    for target in super::targets() {
        files.push(format!("part-{target}/ecosystem-1.2.3-{target}.tar.gz"));
    }
    files
}

fn built() -> Repository {
    let repository = Repository::new();
    for file in files() {
        repository.write(&format!("parts/{file}"), &file);
    }
    repository
}

fn assemble(repository: &Repository) -> Done {
    repository.step("assemble", "Assemble", &[])
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_each_job_has_made_is_the_release() {
    let repository = built();
    assemble(&repository).expect_code(0);
    let dist = repository.root.join("dist");
    let files = files();
    let expected = files.iter().map(|file| file.rsplit('/').next().unwrap().to_owned());
    assert_eq!(names(&dist), expected.collect());
    for file in &files {
        let content = std::fs::read_to_string(dist.join(file.rsplit('/').next().unwrap())).unwrap();
        assert_eq!(&content, file, "it is from the part of its own job");
    }
}

#[test]
fn a_job_that_brings_more_than_its_own_file_ends_the_release() {
    let musl = "ecosystem-1.2.3-x86_64-unknown-linux-musl.tar.gz";
    for (path, said) in [
        // The archive of another target, from a job that runs programs of others.
        (format!("part-sbom/{musl}"), format!("> ./part-sbom/{musl}")),
        (format!("part-aarch64-apple-darwin/{musl}"), "> ./part-aarch64-apple-darwin/".to_owned()),
        ("part-sbom/SHA256SUMS".to_owned(), "> ./part-sbom/SHA256SUMS".to_owned()),
        ("part-sbom/.hidden".to_owned(), "> ./part-sbom/.hidden".to_owned()),
        ("part-sbom/a/b".to_owned(), "> ./part-sbom/a\n> ./part-sbom/a/b".to_owned()),
        (format!("part-x86_64-unknown-linux-gnu.2/{musl}"), "> ./part-x86_64-".to_owned()),
        (musl.to_owned(), format!("> ./{musl}")),
        ("part-sbom/a\n::error::b".to_owned(), "> ./part-sbom/a\n> ::error::b".to_owned()),
        ("part-sbom/\u{1b}[1m##[error]".to_owned(), "> ./part-sbom/[1m#?[error]".to_owned()),
    ] {
        case(&path);
        let repository = built();
        repository.write(&format!("parts/{path}"), "evil");
        let done = assemble(&repository).expect_code(1);
        assert!(done.stderr.contains(&said), "{}", done.stderr);
        assert!(!done.stderr.lines().any(|line| line.starts_with("::")), "{}", done.stderr);
        assert!(!repository.root.join("dist").exists());
    }
}

#[test]
fn a_file_that_is_missing_or_is_none_or_has_another_version_ends_the_release() {
    let file = "part-aarch64-apple-darwin/ecosystem-1.2.3-aarch64-apple-darwin.tar.gz";
    type Change = fn(&Repository, &Path);
    let changes: [(&str, Change, &str); 5] = [
        (
            "missing",
            |_, path| std::fs::remove_file(path).unwrap(),
            "< ./part-aarch64-apple-darwin/",
        ),
        (
            "symlink",
            |_, path| {
                std::fs::remove_file(path).unwrap();
                symlink("../part-sbom/ecosystem-1.2.3.cdx.json", path).unwrap();
            },
            "is no regular file",
        ),
        (
            "directory",
            |_, path| {
                std::fs::remove_file(path).unwrap();
                std::fs::create_dir(path).unwrap();
            },
            "is no regular file",
        ),
        (
            "the part is a symlink",
            |_, path| {
                let part = path.parent().unwrap();
                std::fs::rename(part, part.with_file_name("../elsewhere")).unwrap();
                symlink("../elsewhere", part).unwrap();
            },
            "< ./part-aarch64-apple-darwin/",
        ),
        (
            "version",
            |repository, _| {
                repository.write("Cargo.toml", &super::repository::manifest("1.2.4"));
            },
            "< ./part-aarch64-apple-darwin/ecosystem-1.2.4-",
        ),
    ];
    for (name, change, said) in changes {
        case(name);
        let repository = built();
        change(&repository, &repository.root.join("parts").join(file));
        let done = assemble(&repository).expect_code(1);
        assert!(done.stderr.contains(said), "{}", done.stderr);
        assert!(!repository.root.join("dist").exists());
    }
}
