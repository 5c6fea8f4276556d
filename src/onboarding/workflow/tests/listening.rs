use super::*;

const DISPATCH: &str = "repository_dispatch";

#[test]
fn every_spelling_of_on_is_heard() {
    for text in [
        "on: repository_dispatch",
        "on: 'repository_dispatch'",
        "\"on\": repository_dispatch",
        "'on': repository_dispatch",
        "on: !!str repository_dispatch",
        "? on\n: repository_dispatch",
        "on: [push, repository_dispatch]",
        "on:\n- push\n- repository_dispatch",
        "on:\n  repository_dispatch:",
        "on:\n  repository_dispatch: null",
        "on:\n  repository_dispatch: ~",
        "on: {repository_dispatch: }",
        "on: {push: {branches: [main]}, repository_dispatch: {}}",
        "On: repository_dispatch",
        "ON: repository_dispatch",
        "true: repository_dispatch",
        "TRUE:\n  repository_dispatch:",
        "{\"on\": {\"repository_dispatch\": null}}",
        "x: &x {repository_dispatch: }\non: *x",
        "x: &x [repository_dispatch]\non: *x",
        "x: &x repository_dispatch\non: *x",
        "x: &x repository_dispatch\non: {*x : }",
        "x: &x on\n*x : repository_dispatch",
    ] {
        assert_eq!(*parse(text).dispatches(), Listens::Every, "{text}");
    }
}

#[test]
fn what_is_not_on_is_not_heard() {
    for text in [
        "name: repository_dispatch",
        "on:",
        "on: push",
        "on: Repository_Dispatch",
        "on: [push, workflow_dispatch]",
        "on: {push: {types: [repository_dispatch]}}",
        "on: {workflow_dispatch: {inputs: {repository_dispatch: }}}",
        "on: [[repository_dispatch]]",
        "on: [{repository_dispatch: }]",
        "yes: repository_dispatch",
        "\"true\": repository_dispatch",
        "jobs: {on: repository_dispatch}",
        "on: push\ntrue: repository_dispatch",
        "x: &x {on: repository_dispatch}\n<<: *x",
        "x: &x {repository_dispatch: }\non:\n  <<: *x\n  push:",
        "# on: repository_dispatch\nname: x",
        "name: |\n  on: repository_dispatch",
    ] {
        assert_eq!(*parse(text).dispatches(), Listens::No, "{text}");
    }
}

#[test]
fn types_limit_what_is_heard() {
    for (types, heard) in [
        ("a", vec!["a"]),
        ("'a b'", vec!["a b"]),
        ("[a, \"b\"]", vec!["a", "b"]),
        ("\n    - a\n    - b # c", vec!["a", "b"]),
        ("\n    - &t a\n    - *t", vec!["a", "a"]),
        ("1", vec!["1"]),
        ("[1, true, 0x1F, 1.50]", vec!["1", "true", "0x1F", "1.50"]),
        (">-\n      a", vec!["a"]),
        ("[feature-update, locize/published]", vec!["feature-update", "locize/published"]),
    ] {
        let text = format!("on:\n  {DISPATCH}:\n    types: {types}");
        let heard: Vec<String> = heard.into_iter().map(str::to_owned).collect();
        assert_eq!(*parse(&text).dispatches(), Listens::Types(heard), "{text}");
    }
    let aliased = "x: &t [a]\non: {repository_dispatch: {types: *t}}";
    assert_eq!(*parse(aliased).dispatches(), Listens::Types(vec!["a".to_owned()]));
}

#[test]
fn types_that_name_nothing_limit_nothing() {
    for settings in ["{types: }", "{types: ~}", "{types: null}", "{types: []}"] {
        let text = format!("on: {{{DISPATCH}: {settings}}}");
        assert_eq!(*parse(&text).dispatches(), Listens::Every, "{text}");
    }
}

#[test]
fn settings_that_github_refuses_are_refused_with_their_line() {
    for (settings, message) in [
        ("[a]", "2: repository_dispatch takes a mapping with `types`, or nothing"),
        ("a", "2: repository_dispatch takes a mapping with `types`, or nothing"),
        ("\n    types: {a: b}", "3: `types` is a list of event types"),
        ("\n    types:\n    - a\n    - [b]", "5: an event type is a name, not a list or a mapping"),
    ] {
        assert_eq!(refused(&format!("on:\n  {DISPATCH}: {settings}")), message);
    }
}

#[test]
fn a_type_is_heard_letter_by_letter() {
    let some = Listens::Types(vec!["feature-update".to_owned(), "x".to_owned()]);
    for (listens, event_type, heard) in [
        (&some, "feature-update", true),
        (&some, "x", true),
        (&some, "Feature-Update", false),
        (&some, "feature", false),
        (&some, "", false),
        (&Listens::Every, "anything", true),
        (&Listens::No, "feature-update", false),
    ] {
        assert_eq!(listens.hears(event_type), heard, "{listens:?} {event_type}");
    }
}
