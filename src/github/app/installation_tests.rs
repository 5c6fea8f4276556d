//! Which token speaks for which repository, and what is remembered of those that have none.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use pretty_assertions::assert_eq;

use super::super::tests::app;
use super::*;

fn name(text: &str) -> RepoName {
    RepoName::parse(text).unwrap()
}

fn installation(names: &[String]) -> Installation {
    let installation = Installation::new(app(), "acme", Permissions::to_dispatch());
    for text in names {
        installation.reach(&name(text));
    }
    installation
}

fn minted(number: u64, at: Instant) -> Minted {
    let life = Duration::from_secs(3600);
    Minted { secret: "hunter22".into(), at, life, number, taken: Arc::new(AtomicBool::new(false)) }
}

/// Returns the number of the token that is there for a repository, or why there is none.
fn known(installation: &Installation, repo: &str, now: Instant) -> Option<Result<u64, String>> {
    let known = installation.known(&name(repo), now)?;
    Some(known.map(|it| it.number).map_err(|refusal| refusal.to_string()))
}

#[test]
fn five_hundred_repositories_share_a_token_and_the_next_ones_another() {
    let names: Vec<String> = (0..1001).map(|n| format!("acme/r{n}")).collect();
    let installation = installation(&names);
    installation.reach(&name("ACME/R7"));
    for (repo, count, first) in [
        ("acme/r0", 500, "acme/r0"),
        ("ACME/r499", 500, "acme/r0"),
        ("acme/r500", 500, "acme/r500"),
        ("acme/r1000", 1, "acme/r1000"),
    ] {
        let together = installation.together_with(&name(repo));
        assert_eq!((together.len(), together[0].as_str()), (count, first), "{repo}");
    }
    let now = Instant::now();
    installation.keep(&name("acme/r3"), minted(1, now));
    installation.keep(&name("acme/r1000"), minted(2, now));
    for (repo, number) in
        [("acme/r0", Some(1)), ("acme/R499", Some(1)), ("acme/r500", None), ("acme/r1000", Some(2))]
    {
        assert_eq!(known(&installation, repo, now), number.map(Ok), "{repo}");
    }
    assert_eq!(installation.label(), "the App 7 (installation of acme)");
}

#[test]
fn a_token_is_used_until_it_is_stale_or_refused() {
    let installation = installation(&["acme/web".to_owned()]);
    let now = Instant::now();
    installation.keep(&name("acme/web"), minted(1, now));
    let later = |minutes: u64| now + Duration::from_secs(60 * minutes);
    assert_eq!(known(&installation, "acme/web", later(54)), Some(Ok(1)));
    assert_eq!(known(&installation, "acme/web", later(55)), None);
    installation.keep(&name("acme/web"), minted(2, now));
    // Whoever sent with the first one hears of its end late.
    installation.forget(&minted(1, now));
    assert_eq!(known(&installation, "acme/web", now), Some(Ok(2)));
    installation.forget(&minted(2, now));
    assert_eq!(known(&installation, "acme/web", now), None);
}

#[test]
fn what_is_out_of_reach_keeps_no_other_back() {
    let names = ["acme/a", "acme/b", "acme/c"].map(ToOwned::to_owned);
    let installation = installation(&names);
    let refusal = Refusal::not_on(&installation.who, &name("acme/b"));
    installation.leave_out(&name("acme/B"), refusal.clone());
    let left: Vec<_> = installation.together_with(&name("acme/a"));
    assert_eq!(left, [name("acme/a"), name("acme/c")]);
    let now = Instant::now();
    installation.keep(&name("acme/a"), minted(1, now));
    assert_eq!(known(&installation, "acme/b", now), Some(Err(refusal.to_string())));
    assert_eq!(known(&installation, "acme/c", now), Some(Ok(1)));
    let never_named = known(&installation, "acme/d", now).unwrap().unwrap_err();
    assert!(never_named.contains("not installed on acme/d"), "{never_named}");
    installation.settle(Err(Refusal::unsigned(&installation.who)));
    let all = known(&installation, "acme/c", now).unwrap().unwrap_err();
    assert_eq!(all, "the key of the App 7 does not sign: replace it");
}

#[test]
fn who_waited_while_another_asked_in_vain_does_not_ask_again() {
    let installation = installation(&[]);
    let before = installation.failures();
    assert_eq!(installation.failed_since(before), None);
    let answer = Answer { requests: 0, moved: None, result: Ok(crate::github::Reply::default()) };
    installation.failed(&answer);
    assert_eq!(installation.failed_since(before), Some(Box::new(answer)));
    assert_eq!(installation.failed_since(installation.failures()), None);
}

#[test]
fn no_debug_form_shows_a_secret() {
    let installation = installation(&["acme/a".to_owned()]);
    installation.keep(&name("acme/a"), minted(1, Instant::now()));
    let shown = format!("{installation:?}");
    assert!(shown.contains("1 repositories, 1 tokens"), "{shown}");
    assert!(!shown.contains("hunter22") && !shown.contains("PRIVATE"), "{shown}");
}
