//! What changes, as a table of words: `a!` fails, `a+` has recovered, `run!` is the run's own
//! trouble, `=a,b` lists who is enabled.

use pretty_assertions::assert_eq;

use super::*;

const START: i64 = 1_767_323_045;

fn repo(name: &str) -> RepoName {
    RepoName::parse(&format!("acme/{name}")).unwrap()
}

fn results(words: &str) -> Results {
    let mut results = Results::default();
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let failure = || Failure::new("no", None);
        match (word.strip_suffix('!'), word.strip_suffix('+'), word.strip_prefix('=')) {
            (Some("run"), ..) => results.run = Some(failure()),
            (Some(name), ..) => results.cousins.push((repo(name), Heard::Failed(failure()))),
            (_, Some(name), _) => results.cousins.push((repo(name), Heard::Recovered)),
            (.., Some(names)) => {
                let names = names.split(',').filter(|it| !it.is_empty());
                results.enabled = Some(names.map(repo).collect());
            }
            _ => panic!("{word}"),
        }
    }
    results
}

fn judged(before: &State, words: &str) -> (Change, State) {
    judge(before, &results(words), Timestamp::from_second(START).unwrap(), None)
}

fn failing(words: &str) -> State {
    judged(&State::default(), words).1
}

fn who(who: &Who) -> String {
    let mut all: Vec<String> = who.run.then(|| "run".to_owned()).into_iter().collect();
    all.extend(who.cousins.iter().map(|it| it.as_str().replace("acme/", "")));
    all.extend((who.more > 0).then(|| format!("{} more", who.more)));
    all.join(" ")
}

fn text(change: &Change) -> String {
    match change {
        Change::Nothing => "nothing".to_owned(),
        Change::Still => "still".to_owned(),
        Change::Began(came) => format!("began: {}", who(came)),
        Change::Changed { came, gone, left: nobody } if nobody.is_empty() => {
            format!("came: {}; gone: {}", who(came), who(gone))
        }
        Change::Changed { came, gone, left } => {
            format!("came: {}; gone: {}; left: {}", who(came), who(gone), who(left))
        }
        Change::Ended { gone, left: nobody } if nobody.is_empty() => {
            format!("ended: {}", who(gone))
        }
        Change::Ended { gone, left } => format!("ended: {}; left: {}", who(gone), who(left)),
    }
}

#[test]
fn each_run_changes_what_it_tells_and_nothing_else() {
    for (before, run, change, after) in [
        ("", "", "nothing", ""),
        ("", "a+ b+ =a,b", "nothing", ""),
        ("", "b! a!", "began: a b", "a b"),
        ("", "run!", "began: run", "run"),
        ("", "run! a!", "began: run a", "run a"),
        ("a!", "a!", "still", "a"),
        ("a!", "A!", "still", "A"),
        ("a!", "", "still", "a"),
        ("a!", "b+", "still", "a"),
        ("a!", "a+", "ended: a", ""),
        ("a! b!", "a+", "came: ; gone: a", "b"),
        ("a! b!", "a+ b+", "ended: a b", ""),
        ("a!", "a+ b!", "came: b; gone: a", "b"),
        ("a!", "b! c!", "came: b c; gone: ", "a b c"),
        // Of one that was told of twice, the failure counts.
        ("a!", "a+ a!", "still", "a"),
        ("", "a! a+", "began: a", "a"),
        // Who is disabled or not listed any more fails no longer, and has not recovered.
        ("a! b!", "=b", "came: ; gone: ; left: a", "b"),
        ("a! b!", "=", "ended: ; left: a b", ""),
        ("a! b!", "b+ =b", "ended: b; left: a", ""),
        ("a!", "=B,A", "still", "a"),
        ("a!", "a! =b", "still", "a"),
        ("c! a!", "b! =b", "came: b; gone: ; left: a c", "b"),
        // A run that comes to nothing tells nothing of its cousins.
        ("a!", "run!", "came: run; gone: ", "run a"),
        ("run!", "run!", "still", "run"),
        ("run!", "", "ended: run", ""),
        ("run! a!", "", "came: ; gone: run", "a"),
        ("run!", "a!", "came: a; gone: run", "a"),
        ("run! a!", "a+", "ended: run a", ""),
    ] {
        let (found, state) = judged(&failing(before), run);
        assert_eq!(text(&found), change, "{before:?} then {run:?}");
        let names = Who {
            run: state.run().is_some(),
            cousins: state.cousins().map(|(repo, _)| repo.clone()).collect(),
            more: state.more,
        };
        assert_eq!(who(&names), after, "{before:?} then {run:?}");
        assert_eq!(state.is_empty(), after.is_empty());
    }
}

#[test]
fn since_when_stays_and_why_follows() {
    let at = |seconds| Timestamp::from_millisecond((START + seconds) * 1_000 + 999).unwrap();
    let sha = |digit: &str| CommitSha::parse(&digit.repeat(40)).unwrap();
    let first = results("a! run!");
    let (_, state) = judge(&State::default(), &first, at(0), Some(&sha("1")));
    let mut again = results("run!");
    let failure = Failure::new("other", Some("do this"));
    again.cousins.push((repo("a"), Heard::Failed(failure.clone())));
    let (_, state) = judge(&state, &again, at(60), Some(&sha("2")));
    let trouble = state.of(&repo("A")).unwrap();
    assert_eq!(trouble.failure, failure);
    assert_eq!((trouble.since.as_second(), trouble.since.subsec_nanosecond()), (START, 0));
    assert_eq!(trouble.since_commit, Some(sha("1")));
    assert_eq!(state.run().unwrap().since_commit, Some(sha("1")));
    // A relapse begins anew.
    let (_, state) = judge(&state, &results("a+"), at(90), None);
    let (_, state) = judge(&state, &results("a!"), at(120), Some(&sha("3")));
    assert_eq!(state.of(&repo("a")).unwrap().since_commit, Some(sha("3")));
}

#[test]
fn those_whose_names_were_too_many_are_not_new_when_they_fail_again() {
    let cut = |more| State { more, ..failing("a! b!") };
    for (before, run, change, after) in [
        // Those behind `b` in the order may be the two who are not known by name.
        (cut(2), "c! d!", "still", (4, 0)),
        (cut(2), "c! d! e!", "came: e; gone: ", (5, 0)),
        (cut(2), "aa!", "came: aa; gone: ", (3, 2)),
        (cut(2), "", "still", (2, 2)),
        (cut(2), "c+", "still", (2, 2)),
        // Where all are listed and heard of, nobody is left of whom it is not known.
        (cut(2), "c+ d+ =a,b,c,d", "came: ; gone: 2 more", (2, 0)),
        (cut(2), "c! d+ =a,b,c,d", "came: ; gone: 1 more", (3, 0)),
        (cut(2), "c! =a,b,c,d", "still", (3, 1)),
        (cut(2), "a+ b+ c+ d+ =a,b,c,d", "ended: a b 2 more", (0, 0)),
        (State { more: 1, ..State::default() }, "=", "ended: ; left: 1 more", (0, 0)),
        (cut(2), "a+ b+ c+ =a,b,c", "ended: a b 1 more; left: 1 more", (0, 0)),
    ] {
        let (found, state) = judged(&before, run);
        assert_eq!(text(&found), change, "{run:?}");
        assert_eq!((state.cousins.len(), state.more), after, "{run:?}");
    }
}

#[test]
fn words_are_kept_on_one_line_and_short() {
    let long = Failure::new(&format!(" a\nb{}", "\u{1b}".repeat(1_000)), Some(" \n "));
    assert!(long.error().starts_with("a\\nb\\u{1b}"), "{}", long.error());
    assert_eq!((long.error().chars().count(), long.help()), (301, None));
    let again = Failure::new(long.error(), None);
    assert_eq!(again.error(), long.error(), "what was kept is kept as it is");
}
