use super::*;

fn commit(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

fn push(reference: &str, before: Option<char>, after: Option<char>, forced: bool) -> Trigger {
    Trigger::Push(Push {
        reference: reference.to_owned(),
        before: before.map(commit),
        after: after.map(commit),
        forced,
        default_branch: Some("main".to_owned()),
    })
}

fn flags(base: Option<&str>, head: Option<&str>, all: bool) -> Flags {
    Flags { base: base.map(str::to_owned), head: head.map(str::to_owned), all, watermarks: false }
}

/// The decision in one line, as the table of triggers says it.
fn said(trigger: &Trigger, flags: &Flags) -> String {
    let short = |commit: &CommitSha| commit.as_str().chars().take(1).collect::<String>();
    match decide(trigger, flags) {
        Err(error) => format!("error: {error}"),
        Ok(Decision::Nothing { head, .. }) => {
            format!("nothing {}", head.as_ref().map_or("-".to_owned(), short))
        }
        Ok(Decision::Compare(comparison)) => {
            let head = match &comparison.head {
                Head::Commit(commit) => short(commit),
                Head::Revision(revision) => revision.clone(),
                Head::MergeOf(commit) => format!("merge({})", short(commit)),
            };
            let bases: Vec<String> = comparison
                .bases
                .iter()
                .map(|base| match base {
                    Base::Commit(commit) => short(commit),
                    Base::Revision(revision) => format!("named {revision}"),
                    Base::Empty => "nothing".to_owned(),
                    Base::MergeBaseWithBranch(branch) => format!("parted({branch})"),
                    Base::MergeBase(commit) => format!("parted({})", short(commit)),
                    Base::FirstParentOfMerge => "first-of-merge".to_owned(),
                    Base::Upstream => "upstream".to_owned(),
                    Base::FirstParent => "first-parent".to_owned(),
                })
                .collect();
            let sends = if comparison.sends { "sends" } else { "preview" };
            format!("{}..{head} {:?} {sends}", bases.join(" or "), comparison.reason)
        }
    }
}

#[test]
fn each_trigger_gives_the_range_of_its_row() {
    let main = "refs/heads/main";
    let topic = "refs/heads/topic";
    let pull = Trigger::PullRequest { base: commit('b'), head: commit('f') };
    let group = Trigger::MergeGroup { base: commit('b'), head: commit('f') };
    for (trigger, expected) in [
        (push(main, Some('a'), Some('b'), false), "a..b Push sends"),
        (push(topic, Some('a'), Some('b'), false), "a..b Push sends"),
        (push(topic, Some('a'), Some('b'), true), "a or parted(main)..b ForcedPush sends"),
        (push(main, Some('a'), Some('b'), true), "a..b ForcedPush sends"),
        (push(topic, None, Some('b'), false), "parted(main)..b NewBranch sends"),
        (push(topic, None, Some('b'), true), "parted(main)..b NewBranch sends"),
        (push(main, None, Some('b'), false), "nothing..b NewBranch sends"),
        (push(topic, Some('a'), None, false), "nothing -"),
        (push("refs/tags/v1", None, None, false), "nothing -"),
        (push("refs/tags/v1", None, Some('b'), false), "nothing b"),
        (push("refs/tags/main", Some('a'), Some('b'), true), "nothing b"),
        (pull, "first-of-merge or parted(b)..merge(f) PullRequest preview"),
        (group, "b..f MergeGroup preview"),
        (Trigger::PullRequestTarget, "error: refusing to run on pull_request_target"),
        (
            Trigger::Other("schedule".to_owned()),
            "error: the event \"schedule\" does not say which commits to compare",
        ),
        (Trigger::Local, "upstream or first-parent..HEAD Local sends"),
    ] {
        assert_eq!(said(&trigger, &Flags::default()), expected, "{trigger:?}");
    }
}

#[test]
fn without_a_known_default_branch_nothing_is_guessed() {
    for default_branch in [None, Some(String::new())] {
        let event = |before: Option<char>, forced| {
            Trigger::Push(Push {
                reference: "refs/heads/topic".to_owned(),
                before: before.map(commit),
                after: Some(commit('b')),
                forced,
                default_branch: default_branch.clone(),
            })
        };
        assert_eq!(said(&event(None, false), &Flags::default()), "nothing..b NewBranch sends");
        assert_eq!(said(&event(Some('a'), true), &Flags::default()), "a..b ForcedPush sends");
    }
}

#[test]
fn flags_win_over_the_event_but_never_make_a_preview_send() {
    let known = push("refs/heads/main", Some('a'), Some('b'), false);
    let tag = push("refs/tags/v1", None, Some('b'), false);
    let deleted = push("refs/heads/x", Some('a'), None, false);
    let other = Trigger::Other("schedule".to_owned());
    let pull = Trigger::PullRequest { base: commit('b'), head: commit('f') };
    let base = flags(Some("X"), None, false);
    let head = flags(None, Some("Y"), false);
    let both = flags(Some("X"), Some("Y"), false);
    let all = flags(None, None, true);
    for (trigger, flags, expected) in [
        (&known, &base, "named X..b Flags sends"),
        (&known, &head, "a..Y Flags sends"),
        (&known, &both, "named X..Y Flags sends"),
        (&known, &all, "nothing..b All sends"),
        (&tag, &base, "named X..b Flags sends"),
        (&tag, &head, "nothing b"),
        (&tag, &all, "nothing..b All sends"),
        (&deleted, &base, "nothing -"),
        (&deleted, &both, "named X..Y Flags sends"),
        (&other, &base, "named X..HEAD Flags sends"),
        (&other, &both, "named X..Y Flags sends"),
        (&other, &all, "nothing..HEAD All sends"),
        (&other, &head, "error: the event \"schedule\" does not say which commits to compare"),
        (&pull, &base, "named X..merge(f) Flags preview"),
        (&pull, &all, "nothing..merge(f) All preview"),
        (&pull, &head, "first-of-merge or parted(b)..Y Flags preview"),
        (&Trigger::Local, &base, "named X..HEAD Flags sends"),
        (&Trigger::Local, &head, "first-parent..Y Flags sends"),
        (&Trigger::Local, &all, "nothing..HEAD All sends"),
        (&Trigger::PullRequestTarget, &both, "error: refusing to run on pull_request_target"),
        (&Trigger::PullRequestTarget, &all, "error: refusing to run on pull_request_target"),
    ] {
        assert_eq!(said(trigger, flags), expected, "{trigger:?} {flags:?}");
    }
    let contradiction = Flags { base: Some("X".to_owned()), all: true, ..Flags::default() };
    assert_eq!(said(&known, &contradiction), "error: --all and --base exclude each other");
}

#[test]
fn what_was_deleted_is_named() {
    for (reference, says) in
        [("refs/heads/topic", "the branch was deleted"), ("refs/tags/v1", "the tag was deleted")]
    {
        let decision = decide(&push(reference, Some('b'), None, false), &Flags::default());
        let Ok(Decision::Nothing { why, .. }) = decision else { panic!("{decision:?}") };
        assert_eq!(why, says);
    }
}
