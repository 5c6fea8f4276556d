//! Where a token goes when a private monorepo is fetched: to the server it is for, by way of git's
//! environment, and nowhere else.

use std::sync::{Arc, Mutex};

use pretty_assertions::assert_eq;

use crate::ladder::{dry_run, found_by, push};
use crate::support::ecosystem::Run;
use crate::support::loopback::{
    Loopback, Protocol, Response, can_serve_git, git_server, serve_git,
};
use crate::support::repository::Sandbox;

const TOKEN: &str = "canary-7c1f0e9b52";

#[test]
fn a_private_remote_gets_the_token_and_nothing_else_sees_it() {
    if !can_serve_git() {
        return;
    }
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (argv, root) = (Arc::clone(&seen), sandbox.path().to_owned());
    let server = Loopback::start(move |request| {
        // The program and its git are waiting for this answer.
        argv.lock().unwrap().extend(command_lines());
        if request.has_token(TOKEN) {
            serve_git(&root, Protocol::V2, request)
        } else {
            Response::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"git\"")
        }
    });
    let url = format!("{}/monorepo.git", server.url());
    let [base, main] = ["step/before-head", "main"].map(|revision| sandbox.rev(&bare, revision));
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    sandbox.git(&clone, &["remote", "set-url", "origin", &url]);

    for variable in ["GITHUB_TOKEN", "GH_TOKEN", "ECOSYSTEM_PAT"] {
        let remote = Run::new(&sandbox)
            .args(["dispatch", "--dry-run", "--format=json", "--source=acme/monorepo", "-vvv"])
            .args(["--base", &base, "--head", &main, "--remote", &url])
            .env(variable, TOKEN)
            .run();
        let wrong = "GH_TOKEN";
        let mut local = push(&sandbox, &clone, &base, &main).arg("-vvv").env(variable, TOKEN);
        if variable == "ECOSYSTEM_PAT" {
            local = local.env(wrong, "expired");
        }
        for (done, found) in [(remote, "scratch"), (local.run(), "fetched")] {
            assert!(!format!("{}{}", done.stdout, done.stderr).contains(TOKEN), "{}", done.stderr);
            assert!(!done.stderr.contains("eC1hY2Nlc3MtdG9rZW4"), "{}", done.stderr);
            assert_eq!(found_by(done), found, "{variable}");
        }
        // The next round fetches again.
        std::fs::remove_dir_all(&clone).unwrap();
        sandbox.clone(&bare, "clone", &["--depth=1"]);
        sandbox.git(&clone, &["remote", "set-url", "origin", &url]);
    }
    assert!(server.requests().iter().any(|request| request.has_token(TOKEN)));
    assert!(server.requests().iter().all(|request| !request.target.contains(TOKEN)));
    let seen = seen.lock().unwrap();
    if cfg!(target_os = "linux") {
        assert!(seen.iter().any(|line| line.contains("fetch")), "it looked while git ran");
    }
    for line in seen.iter() {
        assert!(!line.contains(TOKEN) && !line.contains("eC1hY2Nlc3MtdG9rZW4"), "{line}");
    }
    let config = std::fs::read_to_string(clone.join(".git/config")).unwrap();
    assert!(!config.contains("extraheader"), "{config}");
}

/// Returns the arguments of every process, where the system shows them as files.
fn command_lines() -> Vec<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let read = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).ok();
    processes
        .flatten()
        .filter_map(read)
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect()
}

#[test]
fn a_token_that_is_refused_is_not_shown_and_the_failure_names_its_variable() {
    if !can_serve_git() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.sample_monorepo();
    let server = git_server(sandbox.path(), Protocol::V2, Some("another"));
    let url = format!("{}/monorepo.git", server.url());
    let done =
        dry_run(&sandbox, sandbox.path(), &["--all", "--head=main", "--remote", &url, "-vvv"])
            .env("GITHUB_TOKEN", TOKEN)
            .run()
            .expect_code(2);
    assert!(!done.stderr.contains(TOKEN), "{}", done.stderr);
    assert!(
        done.stderr.contains("GITHUB_TOKEN") && done.stderr.contains("help:"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_redirect_to_another_server_does_not_take_the_token_along() {
    if !can_serve_git() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.sample_monorepo();
    let other = git_server(sandbox.path(), Protocol::V2, None);
    let target = other.url().replace("127.0.0.1", "localhost");
    let server = Loopback::start(move |request| {
        if request.has_token(TOKEN) {
            let to = format!("Location: {target}{}", request.target);
            Response::status("301 Moved Permanently").header(to)
        } else {
            Response::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"git\"")
        }
    });
    let url = format!("{}/monorepo.git", server.url());
    let done = dry_run(&sandbox, sandbox.path(), &["--all", "--head=main", "--remote", &url])
        .env("GITHUB_TOKEN", TOKEN)
        .run();
    assert!(server.requests().iter().any(|request| request.has_token(TOKEN)));
    let leaked: Vec<_> = other.requests().into_iter().filter(|r| r.has_token(TOKEN)).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    let done = done.expect_code(2);
    assert!(done.stderr.contains("the repository has moved"), "{}", done.stderr);
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn a_server_that_is_not_githubs_gets_no_token() {
    let sandbox = Sandbox::new();
    // A name that resolves to nothing here; what git would send it is seen by a proxy.
    let proxy = Loopback::start(|_| {
        Response::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"git\"")
    });
    for (server, expected) in [("https://github.example", false), ("http://git.example", false)] {
        dry_run(
            &sandbox,
            sandbox.path(),
            &["--all", "--head=main", "--remote=http://git.example/a/b"],
        )
        .env("GITHUB_SERVER_URL", server)
        .env("GITHUB_TOKEN", TOKEN)
        .env("http_proxy", proxy.url())
        .run()
        .expect_code(2);
        assert!(!proxy.requests().is_empty());
        let told = proxy.requests().iter().any(|request| request.header("authorization").is_some());
        assert_eq!(told, expected, "{server}");
    }
}

#[test]
fn credentials_that_the_checkout_left_in_the_clone_are_used_once() {
    if !can_serve_git() {
        return;
    }
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let server = git_server(sandbox.path(), Protocol::V2, Some(TOKEN));
    let url = format!("{}/monorepo.git", server.url());
    let clone = sandbox.clone(&bare, "clone", &["--depth=1"]);
    sandbox.git(&clone, &["remote", "set-url", "origin", &url]);
    // base64 of x-access-token:TOKEN
    let basic = "eC1hY2Nlc3MtdG9rZW46Y2FuYXJ5LTdjMWYwZTliNTI=";
    let key = format!("http.{}/.extraheader", server.url());
    sandbox.git(&clone, &["config", &key, &format!("AUTHORIZATION: basic {basic}")]);
    let [base, main] = ["step/before-head", "main"].map(|revision| sandbox.rev(&bare, revision));
    assert_eq!(found_by(push(&sandbox, &clone, &base, &main).run()), "fetched");
    // Into the scratch repository, too: git does not fetch into this clone.
    sandbox.git(&clone, &["config", "fetch.negotiationAlgorithm", "nonsense"]);
    let base = sandbox.rev(&bare, "step/mode");
    let mine = format!("[http \"{}/\"]\n extraheader = X-Mine: 1\n", server.url());
    sandbox.write(&sandbox.home(), ".gitconfig", &mine);
    assert_eq!(found_by(push(&sandbox, &clone, &base, &main).run()), "scratch");
    for request in server.requests() {
        let count = |name: &str| request.headers.iter().filter(|(n, _)| n == name).count();
        assert!(count("authorization") <= 1 && count("x-mine") <= 1, "{:?}", request.headers);
    }
}

#[test]
fn a_public_repository_that_was_renamed_is_found_at_its_new_address() {
    if !can_serve_git() {
        return;
    }
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let root = sandbox.path().to_owned();
    let server = Loopback::start(move |request| match request.target.strip_prefix("/old.git") {
        Some(rest) => Response::status("301 Moved Permanently")
            .header(format!("Location: /monorepo.git{rest}")),
        None => serve_git(&root, Protocol::V2, request),
    });
    let url = format!("{}/old.git", server.url());
    let base = sandbox.rev(&bare, "step/mode");
    let args = ["--base", &base, "--head=main", "--remote", &url];
    let done = dry_run(&sandbox, sandbox.path(), &args).env("GITHUB_TOKEN", TOKEN).run();
    assert_eq!(found_by(done), "scratch");
}
