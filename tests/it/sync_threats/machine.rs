//! Hooks and settings that run programs: in the cousin's clone, in the source's and the cousin's bare
//! repositories, in the user's own settings, in the environment, and in what upstream brings. Each
//! names a canary of its own, which must never have run.
//!
//! What a user has set up to reach a server stays theirs to run, as with every other command:
//! `GIT_SSH_COMMAND`, `core.sshCommand` for a source by ssh, and the home directory's
//! `credential.helper`.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

use super::{BRANCH, Source, expect_nothing_left, step, told};
use crate::support::case;
use crate::support::circle::{Circle, write};
use crate::support::repository::file_url;

/// Settings that name a program, with `CANARY` where it stands.
const SETTINGS: [(&str, &str); 40] = [
    ("core.hooksPath", "HOOKS"),
    ("core.fsmonitor", "CANARY"),
    ("core.pager", "CANARY"),
    ("core.editor", "CANARY"),
    ("core.askPass", "CANARY"),
    ("core.gitProxy", "CANARY"),
    ("core.alternateRefsCommand", "CANARY"),
    ("core.attributesFile", "ATTRIBUTES"),
    ("sequence.editor", "CANARY"),
    ("diff.external", "CANARY"),
    ("diff.evil.command", "CANARY"),
    ("diff.evil.textconv", "CANARY"),
    ("merge.evil.driver", "CANARY"),
    ("merge.default", "evil"),
    ("merge.tool", "evil"),
    ("mergetool.evil.cmd", "CANARY"),
    ("filter.evil.clean", "CANARY"),
    ("filter.evil.smudge", "CANARY"),
    ("filter.evil.process", "CANARY"),
    ("filter.evil.required", "true"),
    ("commit.gpgSign", "true"),
    ("push.gpgSign", "true"),
    ("gpg.program", "CANARY"),
    ("gpg.ssh.program", "CANARY"),
    ("push.recurseSubmodules", "on-demand"),
    ("fetch.recurseSubmodules", "true"),
    ("submodule.recurse", "true"),
    ("submodule.lib.update", "!CANARY"),
    ("protocol.ext.allow", "always"),
    ("protocol.allow", "always"),
    ("remote.origin.uploadpack", "CANARY"),
    ("remote.origin.receivepack", "CANARY"),
    ("remote.origin.vcs", "evil"),
    ("remote.origin.proxy", ""),
    ("uploadpack.packObjectsHook", "CANARY"),
    ("trailer.evil.command", "CANARY"),
    ("alias.fetch", "!CANARY"),
    ("alias.push", "!CANARY"),
    ("gc.auto", "1"),
    ("maintenance.auto", "true"),
];

/// What is set in a repository alone: a user's own settings may say such a thing.
const OF_THE_CLONE: [(&str, &str); 2] =
    [("core.sshCommand", "CANARY"), ("credential.helper", "!CANARY")];

const HOOKS: [&str; 16] = [
    "pre-push",
    "pre-commit",
    "commit-msg",
    "prepare-commit-msg",
    "post-commit",
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "post-index-change",
    "reference-transaction",
    "pre-auto-gc",
    "pre-receive",
    "update",
    "post-update",
    "proc-receive",
    "fsmonitor-watchman",
];

/// Programs that tell that they ran.
struct Canaries {
    dir: PathBuf,
}

impl Canaries {
    fn new(circle: &Circle) -> Self {
        let dir = circle.sandbox.path().join("canaries");
        std::fs::create_dir_all(dir.join("ran")).unwrap();
        Self { dir }
    }

    /// Returns a program, by its path.
    fn program(&self, name: &str) -> String {
        let name = name.replace(['/', ' '], "-");
        let path = self.dir.join(&name);
        let ran = self.dir.join("ran").join(&name);
        self.script(&path, &ran);
        path.to_str().unwrap().to_owned()
    }

    fn script(&self, path: &Path, ran: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(path, format!("#!/bin/sh\n: > '{}'\nexit 1\n", ran.display())).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Fills a directory with hooks.
    fn hooks(&self, dir: &Path, of: &str) {
        std::fs::create_dir_all(dir).unwrap();
        for hook in HOOKS {
            self.script(&dir.join(hook), &self.dir.join("ran").join(format!("{of}-{hook}")));
        }
    }

    /// Returns settings as a file of git's, each with a program of its own.
    fn settings(&self, circle: &Circle, file: &Path, of: &str, more: &[(&str, &str)]) {
        let hooks = self.dir.join(format!("{of}-hooks"));
        self.hooks(&hooks, &format!("{of}-by-path"));
        let attributes = self.dir.join("attributes");
        std::fs::write(&attributes, "* filter=evil merge=evil diff=evil\n").unwrap();
        for (key, value) in SETTINGS.iter().chain(more) {
            let program = self.program(&format!("{of}-{key}"));
            let value = value
                .replace("CANARY", &program)
                .replace("HOOKS", hooks.to_str().unwrap())
                .replace("ATTRIBUTES", attributes.to_str().unwrap());
            let file = file.to_str().unwrap();
            circle.sandbox.git(circle.sandbox.path(), &["config", "-f", file, key, &value]);
        }
    }

    #[track_caller]
    fn expect_none(&self) {
        let ran = std::fs::read_dir(self.dir.join("ran")).unwrap().flatten();
        let ran: Vec<_> = ran.map(|entry| entry.file_name()).collect();
        assert!(ran.is_empty(), "these have run: {ran:?}");
    }
}

#[test]
fn no_hook_and_no_program_that_a_setting_names_is_ever_run() {
    let circle = Circle::by("merge");
    let canaries = Canaries::new(&circle);
    let evil = "* filter=evil merge=evil diff=evil text eol=crlf ident\n";
    circle.here("attributes", |web| write(web, ".gitattributes", evil));
    circle.pull();
    circle.merge(1, ecosystem_dispatcher::embedded_github::MergeMethod::Merge);
    circle.here("ours", |web| {
        crate::support::circle::change(web, "src/push/app.txt", "app 9", "ours");
    });
    let head = circle.upstream("theirs", |mono| {
        crate::support::circle::change(mono, "features/push/app.txt", "app 1\n", "theirs\n");
        write(mono, "features/push/.gitattributes", evil);
        write(mono, "features/push/.lfsconfig", "[lfs]\n\turl = http://127.0.0.1:9/\n");
        write(mono, "features/push/package.json", "{\"scripts\":{\"postinstall\":\"touch /x\"}}\n");
    });
    let checkouts = [
        circle.checkout(),
        circle.checkout_with(&[]),
        circle.checkout_with(&["--filter=blob:none", "--no-checkout"]),
    ];
    for dir in ["monorepo.git", "web.git"] {
        let bare = circle.sandbox.path().join(dir);
        canaries.hooks(&bare.join("hooks"), dir);
        let hook = canaries.program(&format!("{dir}-packObjectsHook"));
        circle.sandbox.git(&bare, &["config", "uploadpack.packObjectsHook", &hook]);
        circle.sandbox.git(&bare, &["config", "core.fsmonitor", &hook]);
        circle.sandbox.git(&bare, &["config", "receive.fsckObjects", "true"]);
    }
    for checkout in &checkouts {
        let config = checkout.join(".git/config");
        let included = checkout.join(".git/more");
        canaries.settings(&circle, &included, "clone", &OF_THE_CLONE);
        circle.sandbox.git(checkout, &["config", "include.path", included.to_str().unwrap()]);
        canaries.settings(&circle, &config, "clone", &OF_THE_CLONE);
        canaries.hooks(&checkout.join(".git/hooks"), "clone");
        std::fs::create_dir_all(checkout.join(".git/info")).unwrap();
        std::fs::write(checkout.join(".git/info/attributes"), evil).unwrap();
    }
    let home = circle.sandbox.home().join(".gitconfig");
    canaries.settings(&circle, &home, "home", &[]);
    // How the refs of a clone that is borrowed from are listed is a user's to say.
    let unset = ["config", "-f", home.to_str().unwrap(), "--unset", "core.alternateRefsCommand"];
    circle.sandbox.git(circle.sandbox.path(), &unset);
    let trace = circle.sandbox.path().join("trace");
    let program = |name: &str| canaries.program(name);
    for (number, checkout) in checkouts.iter().enumerate() {
        let more: &[&str] = match number {
            0 => &[],
            1 => &["--dry-run"],
            _ => &["--dry-run", "--allow-workflows"],
        };
        case(&format!("{number}"));
        let mut run = step(&circle, checkout, &told(&head)).args(more);
        for name in ["GIT_EDITOR", "GIT_PAGER", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_PROXY_COMMAND"] {
            run = run.env(name, program(name));
        }
        run = run
            .env("GIT_EXTERNAL_DIFF", program("GIT_EXTERNAL_DIFF"))
            .env("GIT_SEQUENCE_EDITOR", program("GIT_SEQUENCE_EDITOR"))
            .env("GIT_CONFIG_PARAMETERS", format!("'core.fsmonitor'='{}'", program("PARAMETERS")))
            .env("GIT_DIR", circle.sandbox.path().join("web.git"))
            .env("GIT_WORK_TREE", circle.sandbox.path())
            .env("GIT_INDEX_FILE", circle.sandbox.path().join("odd-index"))
            .env("GIT_OBJECT_DIRECTORY", circle.sandbox.path().join("odd-objects"))
            .env("GIT_TEMPLATE_DIR", &canaries.dir)
            .env("GIT_NAMESPACE", "odd")
            .env("GIT_SHALLOW_FILE", "/dev/null")
            .env("GIT_REPLACE_REF_BASE", "refs/heads/")
            .env("GIT_ALLOW_PROTOCOL", "ext:file")
            .env("GIT_TRACE", &trace)
            .env("GIT_TRACE_CURL", &trace);
        run.run().expect_code(0);
        canaries.expect_none();
    }
    assert!(!trace.exists(), "git was not told to trace");
    assert_eq!(circle.pulls().len(), 2);
    assert!(circle.at(BRANCH, "src/push/app.txt").contains("theirs"));
    assert!(!circle.at(BRANCH, "src/push/app.txt").contains('\r'), "content is as it is stored");
    expect_nothing_left(&circle);
}

#[test]
fn nothing_is_run_for_a_source_that_is_a_directory_nor_for_a_work_tree() {
    let circle = Circle::by("merge");
    let canaries = Canaries::new(&circle);
    let checkout = circle.checkout_with(&[]);
    let bare = circle.sandbox.path().join("monorepo.git");
    circle.upstream("attributes", |mono| {
        write(mono, "features/push/.gitattributes", "* filter=evil merge=evil diff=evil\n");
    });
    canaries.hooks(&bare.join("hooks"), "monorepo");
    canaries.settings(&circle, &bare.join("config"), "monorepo", &OF_THE_CLONE);
    canaries.settings(&circle, &checkout.join(".git/config"), "clone", &OF_THE_CLONE);
    canaries.hooks(&checkout.join(".git/hooks"), "clone");
    let url = file_url(&bare);
    let run = circle.sync_in(&checkout).args(["--pull", "--worktree", "--remote", &url]);
    run.run().expect_code(0);
    canaries.expect_none();
    assert!(checkout.join("src/push/app.txt").is_file());
}

#[test]
fn a_source_or_a_remote_that_names_a_program_is_not_spoken_to() {
    let circle = Circle::by("merge");
    let canaries = Canaries::new(&circle);
    let program = canaries.program("remote");
    let checkout = circle.checkout();
    for url in [
        format!("ext::{program}"),
        format!("ext::sh -c {program}% >&2"),
        format!("--upload-pack={program}"),
        format!("-c{program}"),
        format!("evil::{program}"),
        format!("ssh://-oProxyCommand={program}/x"),
        format!("-oProxyCommand={program}:x"),
        "git://127.0.0.1:9/x".to_owned(),
        "ftp://127.0.0.1:9/x".to_owned(),
        format!("file://\n{program}"),
    ] {
        case(&url);
        let pull = ["--pull", "--no-issue"];
        let by_flag = circle.sync_in(&checkout).args(pull).arg(format!("--remote={url}")).run();
        assert!(matches!(by_flag.code, Some(1 | 2)), "{by_flag:?}");
        let as_source = circle.sync_in(&checkout).args(pull).arg(format!("--source={url}")).run();
        assert!(matches!(as_source.code, Some(1 | 2)), "{as_source:?}");
        circle.sandbox.git(&checkout, &["config", "remote.origin.url", &url]);
        let as_origin = circle.sync_in(&checkout).args(pull).run();
        assert!(matches!(as_origin.code, Some(1 | 2)), "{as_origin:?}");
        let real = format!("{}/acme/web", circle.url());
        circle.sandbox.git(&checkout, &["config", "remote.origin.url", &real]);
        canaries.expect_none();
    }
    super::expect_untouched(&circle);
}

#[test]
fn submodules_stay_links_whatever_their_addresses_say() {
    let circle = Circle::by("copy");
    let canaries = Canaries::new(&circle);
    let source = Source(&circle);
    let program = canaries.program("submodule");
    let modules = format!(
        "[submodule \"lib\"]\n\tpath = lib\n\turl = ext::{program}\n\tupdate = !{program}\n\
         [submodule \"../../x\"]\n\tpath = x\n\turl = --upload-pack={program}\n"
    );
    let modules = source.write("blob", modules.as_bytes());
    let id = "c".repeat(40);
    let commit = source
        .publish(&source.tree(&[("100644", b".gitmodules", &modules), ("160000", b"lib", &id)]));
    let checkout = circle.checkout();
    step(&circle, &checkout, &told(&commit)).run().expect_code(0);
    let shown = circle.bare(&["ls-tree", BRANCH, "src/push/lib"]);
    assert_eq!(shown, format!("160000 commit {id}\tsrc/push/lib"));
    circle.sync_in(&checkout).args(["--pull", "--worktree"]).run().expect_code(0);
    assert!(std::fs::read_dir(checkout.join("src/push/lib")).unwrap().next().is_none());
    canaries.expect_none();
}
