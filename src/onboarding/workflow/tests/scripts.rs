use super::*;

/// A workflow of one step.
fn step(step: &str) -> String {
    format!("on: repository_dispatch\njobs:\n  a:\n    runs-on: x\n    steps:\n    - {step}\n")
}

/// Returns whether an expression in a script is reported.
fn reported(expression: &str, inputs: &[&str]) -> bool {
    let text = step(&format!("run: |\n        echo ${{{{ {expression} }}}}"));
    !injections_with(&text, inputs).is_empty()
}

#[test]
fn what_the_sender_chooses_is_reported() {
    for expression in [
        "github.event.client_payload.updated_feature",
        "github.event.client_payload",
        "github.event.client_payload.a.b[0].c",
        "github.event.action",
        "github.event",
        "github",
        "toJSON(github)",
        "toJSON(github.event)",
        "GitHub.Event.Client_Payload.x",
        "github['event']['client_payload'].x",
        "github.event['client_payload']",
        "github.event.*",
        "github.*",
        "github.*.client_payload",
        "github.event.*.title",
        "github[env.K].action",
        "github.event[format('{0}', 'client_payload')]",
        "format('{0}', github.event.client_payload.x)",
        "fromJSON(github.event.client_payload.list)[0]",
        "fromJSON(format('{0}', toJSON(github.event))).client_payload",
        "join(github.event.client_payload.tags, ',')",
        "github.event.client_payload.x || 'main'",
        "github.event.action == 'x' && github.event.client_payload.x",
        "case(github.event.action == 'x', github.event.client_payload.x, 'y')",
        "(github.event.client_payload).x",
    ] {
        assert!(reported(expression, &[]), "{expression}");
    }
}

#[test]
fn what_the_sender_cannot_choose_is_not_reported() {
    for expression in [
        "github.event_name",
        "github.event_path",
        "github.sha",
        "github.repository",
        "github.ref_name",
        "github.event.repository.name",
        "github.event.organization.login",
        "github.event.sender.login",
        "github.event.installation.id",
        "github.event.branch",
        "github.event.client_payloads",
        "github.events.client_payload",
        "github.client_payload",
        "event.client_payload",
        "client_payload",
        "'github.event.client_payload'",
        "'}} github.event.client_payload'",
        "format('github.event.client_payload')",
        "github.event.action == 'x'",
        "github.event.client_payload.n > 3",
        "!github.event.client_payload.passed",
        "contains(github.event.client_payload.tags, 'x')",
        "github.event.action == 'x' && 'a' || 'b'",
        "secrets.TOKEN",
        "steps.x.outputs.client_payload",
        "needs.github.outputs.event",
        "env.X",
        "inputs.x",
        "matrix.x",
        "vars.github",
    ] {
        assert!(!reported(expression, &[]), "{expression}");
    }
}

#[test]
fn an_input_carries_event_data_where_a_caller_fills_it_so() {
    for (expression, found) in [
        ("inputs.x", true),
        ("inputs.X", true),
        ("Inputs['X']", true),
        ("inputs.*", true),
        ("toJSON(inputs)", true),
        ("inputs[env.name]", true),
        ("inputs.x.y", true),
        ("inputs.y", false),
        ("inputs.x == 'a'", false),
        ("github.event.inputs.x", false),
    ] {
        assert_eq!(reported(expression, &["x"]), found, "{expression}");
        assert!(!reported(expression, &[]), "{expression}");
    }
}

#[test]
fn a_variable_is_safe_in_the_shell_and_not_in_an_expression() {
    let event = "${{ github.event.client_payload.x }}";
    let text = |workflow: &str, job: &str, own: &str, run: &str| {
        format!(
            "env: {{{workflow}}}\njobs:\n  a:\n    env: {{{job}}}\n    steps:\n    - env: {{{own}}}\n      run: {run}\n"
        )
    };
    let set = format!("Name: 'x {event}'");
    let in_between = "Other: 'a ${{ env.NAME }} b'";
    let hidden = "Name: b";
    let other_case = "NAME: b";
    for (workflow, job, own, run, found) in [
        (set.as_str(), "", "", "echo \"$Name\"", vec![]),
        (&set, "", "", "echo ${{ env.Name }}", vec!["7: env.Name > Name"]),
        ("", set.as_str(), "", "echo ${{ env.name }}", vec!["7: env.name > name"]),
        ("", "", set.as_str(), "echo ${{ env['NAME'] }}", vec!["7: env['NAME'] > NAME"]),
        ("", "", &set, "echo ${{ toJSON(env) }}", vec!["7: toJSON(env) > ENVIRONMENT"]),
        ("", "", &set, "echo ${{ env.* }}", vec!["7: env.* > ENVIRONMENT"]),
        ("", "", &set, "echo ${{ env.Other }}", vec![]),
        (&set, in_between, "", "echo ${{ env.Other }}", vec!["7: env.Other > Other"]),
        (&set, "", in_between, "echo ${{ env.Other }}", vec!["7: env.Other > Other"]),
        (&set, hidden, "", "echo ${{ env.Name }}", vec![]),
        (&set, "", hidden, "echo ${{ env.Name }}", vec![]),
        (&set, "", other_case, "echo ${{ env.Name }}", vec!["7: env.Name > Name"]),
        (hidden, "", &set, "echo ${{ env.Name }}", vec!["7: env.Name > Name"]),
        ("A: \"${{ github.event.action == 'x' }}\"", "", "", "echo ${{ env.A }}", vec![]),
        ("A: '${{ github.sha }}'", "", "", "echo ${{ env.A }}", vec![]),
    ] {
        let text = text(workflow, job, own, run);
        assert_eq!(injections(&text), found, "{text}");
    }
    let own = step(&format!("run: echo ${{{{ env.Name }}}}\n    - env: {{{set}}}\n      run: a"));
    assert_eq!(injections(&own), Vec::<String>::new(), "another step's");
    let whole =
        step("run: echo ${{ env.x }}\n      env: ${{ fromJSON(github.event.client_payload.env) }}");
    assert_eq!(injections(&whole), ["6: env.x > x"]);
    let names = step(
        "run: echo ${{ env.x }}\n      env: {'${{ insert }}': '${{ github.event.client_payload }}'}",
    );
    assert_eq!(injections(&names), ["6: env.x > x"]);
}

#[test]
fn a_matrix_of_event_data_is_event_data() {
    for (matrix, found) in [
        ("${{ fromJSON(github.event.client_payload.matrix) }}", true),
        ("{x: [a, '${{ github.event.action }}']}", true),
        ("{include: [{x: '${{ github.event.client_payload.x }}'}]}", true),
        ("{x: [a, b]}", false),
        ("{x: '${{ fromJSON(needs.a.outputs.x) }}'}", false),
    ] {
        let text = format!(
            "jobs:\n  a:\n    strategy: {{matrix: {matrix}}}\n    steps:\n    - run: ${{{{ matrix.x }}}}\n  \
             b:\n    steps:\n    - run: ${{{{ matrix.x }}}}\n"
        );
        let expected: &[&str] = if found { &["5: matrix.x > X"] } else { &[] };
        let text = text
            .replace("matrix: ${{ from", "matrix: '${{ from")
            .replace("matrix) }}}", "matrix) }}'}");
        assert_eq!(injections(&text), expected, "{text}");
    }
}

#[test]
fn only_what_something_runs_is_a_script() {
    let event = "${{ github.event.action }}";
    for (text, found) in [
        (format!("run: echo {event}"), true),
        (format!("uses: actions/github-script@v7\n      with: {{script: 'a({event})'}}"), true),
        (format!("uses: Actions/GitHub-Script@abc\n      with: {{Script: 'a({event})'}}"), true),
        (
            format!(
                "with:\n        script: |\n          {event}\n      uses: actions/github-script"
            ),
            true,
        ),
        (
            format!("uses: actions/github-script@v7\n      with: {{result-encoding: '{event}'}}"),
            false,
        ),
        (format!("uses: actions/checkout@v4\n      with: {{script: '{event}'}}"), false),
        (format!("uses: other/github-script@v7\n      with: {{script: '{event}'}}"), false),
        (format!("name: {event}\n      run: a"), false),
        (format!("if: {event}\n      run: a"), false),
        (format!("run: a\n      working-directory: {event}"), false),
        (format!("run: a # {event}"), false),
        (format!("run: a\n    # - run: {event}"), false),
        (format!("run: |\n        # {event}"), true),
        ("run: [\"${{ github.event }}\"]".to_owned(), false),
    ] {
        assert_eq!(!injections(&step(&text)).is_empty(), found, "{text}");
    }
    for text in [
        format!("run: {event}"),
        format!("jobs: {{a: {{run: '{event}'}}}}"),
        format!("jobs: {{a: {{steps: {{run: '{event}'}}}}}}"),
        format!("jobs: [{{steps: [{{run: '{event}'}}]}}]"),
        format!("jobs: {{a: {{steps: ['{event}', [{{run: '{event}'}}]]}}}}"),
        "jobs: x".to_owned(),
        "on: push".to_owned(),
    ] {
        assert_eq!(injections(&text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_line_is_that_of_the_expression_in_the_file() {
    for (script, line) in [
        ("run: |\n\n        a\n        b ${{ github.event }}", 9),
        ("run: |2-\n        a\n        b ${{ github.event }}", 8),
        ("run: | # ${{ github.event }}\n        a\n        b ${{ github.event }}", 8),
        ("run: >\n        a\n        b\n\n\n        ${{ github.event }}", 11),
        ("run: \"a\n        \\n \\\n        b ${{ github.event }}\"", 8),
        ("run: \"a\\x20\n        \\x24{{ github.event }}\"", 7),
        ("run: 'a ''${{ 1 }}''\n\n        ${{ github.event }}'", 8),
        ("run: a\n        b ${{ github.sha }}\n        ${{ github.event }}", 8),
        ("{name: b, run: 'a\n        b ${{ github.event }}'}", 7),
        ("run: |\n        ${{ github.event }}", 7),
        ("run: &r | # ${{ 1 }}\n        ${{ 2 }}\n        ${{ github.event }}", 8),
        ("run: ${{ '${{ a }}' }}\n        ${{ github.event }}", 7),
        ("run: |\n        é ü 🚀\n        ${{ github.event }}", 8),
        ("run: &r |\n        a\n        ${{ github.event }}\n    - run: *r\n    - run: *r", 8),
        ("run:\n\n        ${{ github.event }}", 8),
        ("run: !!str |\n        ${{ github.event }}", 7),
        ("run: |\n        ${{ '\n        a' }}${{\n        github.event }}", 8),
    ] {
        let text = step(script);
        for (text, what) in [(text.clone(), "LF"), (text.replace('\n', "\r\n"), "CRLF")] {
            let found: Vec<usize> =
                parse(&text).injections(&BTreeSet::new()).iter().map(|it| it.line).collect();
            assert_eq!(found, [line], "{what}\n{text}");
        }
    }
}

#[test]
fn aliased_steps_and_jobs_are_searched_where_they_stand() {
    let text = "on: repository_dispatch
x-steps: &steps
- run: a ${{ github.event.action }}
- &second
  run: b ${{ env.FEATURE }}
jobs:
  a: &job
    env: &env {FEATURE: '${{ github.event.client_payload.feature }}'}
    steps: *steps
  b: *job
  c:
    steps:
    - *second
    - run: c ${{ env.FEATURE }}
      env: *env
    - run: d ${{ env.FEATURE }}
";
    assert_eq!(
        injections(text),
        [
            "3: github.event.action > EVENT_TYPE",
            "5: env.FEATURE > FEATURE",
            "14: env.FEATURE > FEATURE"
        ]
    );
}

#[test]
fn what_is_shown_is_one_short_line_without_control_characters() {
    let found = parse(&step(&format!(
        "run: \"x\n        \u{202e}a\t${{{{ github.event.client_payload['\u{200b}'] || '{}' }}}}\"",
        "y".repeat(300)
    )))
    .injections(&BTreeSet::new());
    assert_eq!(found.len(), 1);
    assert!(found[0].text.starts_with("\\u{202e}a\\t${{ github.event"), "{found:?}");
    assert!(found[0].expression.starts_with("github.event.client_payload['\\u{200b}']"));
    assert_eq!(found[0].text.chars().count(), 160);
    assert_eq!(found[0].expression.chars().count(), 160);
    assert_eq!(found[0].variable, "EVENT_");
    let several =
        step("run: |\n        ${{\n          toJSON(\n            github.event\n          ) }}");
    assert_eq!(injections(&several), ["7: toJSON( github.event ) > EVENT"]);
}

#[test]
fn a_variable_is_named_after_what_it_holds() {
    for (expression, variable) in [
        ("github.event.client_payload.updated_feature", "UPDATED_FEATURE"),
        ("github.event.client_payload['commit-sha']", "COMMIT_SHA"),
        ("github.event.client_payload.tags[0]", "TAGS"),
        ("github.event.client_payload.action", "ACTION"),
        ("github.event.client_payload.path", "EVENT_PATH"),
        ("toJSON(github.event.client_payload)", "CLIENT_PAYLOAD"),
        ("github.event.action", "EVENT_TYPE"),
        ("github['EVENT'].Action", "EVENT_TYPE"),
        ("github.event", "EVENT"),
        ("toJSON(github)", "EVENT"),
        ("format('{0}-{1}', github.sha, github.event.client_payload.x)", "X"),
    ] {
        let text = step(&format!("run: \"${{{{ {expression} }}}}\""));
        assert_eq!(injections(&text), [format!("6: {expression} > {variable}")]);
    }
}

#[test]
fn a_receiver_that_pastes_the_event_into_its_shell_is_found_out() {
    let text = r#"name: Follow upstream
on:
  repository_dispatch:
    types: [feature-update]
jobs:
  follow:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.event.client_payload.source_ref }}
      - name: Take the feature
        if: github.event.client_payload.updated_feature == 'features/flask'
        run: |
          FEATURE="${{ github.event.client_payload.updated_feature }}"
          git checkout -b "update-${{ github.sha }}-${{github.event.client_payload.commit_sha}}"
          ./update --tags "${{ join(github.event.client_payload.tags, ',') }}"
      - run: git commit -m "Update ${{ github.event.client_payload.title }}"
"#;
    assert_eq!(
        injections(text),
        [
            "15: github.event.client_payload.updated_feature > UPDATED_FEATURE",
            "16: github.event.client_payload.commit_sha > COMMIT_SHA",
            "17: join(github.event.client_payload.tags, ',') > TAGS",
            "18: github.event.client_payload.title > TITLE",
        ]
    );
    let first = parse(text).injections(&BTreeSet::new()).remove(0);
    assert_eq!(first.text, "FEATURE=\"${{ github.event.client_payload.updated_feature }}\"");
    assert!(parse(text).dispatches().hears("feature-update"));
}

#[test]
fn the_receivers_of_the_readme_are_safe_and_listen() {
    let readme = include_str!("../../../../README.md");
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let listening: Vec<Workflow> = blocks
        .filter_map(|block| Workflow::parse(block).ok())
        .filter(|workflow| *workflow.dispatches() != Listens::No)
        .collect();
    assert!(!listening.is_empty(), "the README shows a receiver");
    for workflow in listening {
        assert!(workflow.dispatches().hears("feature-update"));
        assert_eq!(workflow.injections(&BTreeSet::new()), []);
    }
}

#[test]
fn a_call_of_a_workflow_nearby_is_told_with_what_it_is_given() {
    let text = "on: repository_dispatch
env: {FEATURE: '${{ github.event.client_payload.feature }}'}
jobs:
  a:
    uses: ./.github/workflows/apply.yml
    with:
      Feature: ${{ github.event.client_payload.feature }}
      sha: ${{ github.sha }}
      deep: ${{ inputs.Passed }}
      flag: ${{ github.event.action == 'x' }}
    secrets: inherit
  b:
    uses: .github/workflows/not-local.yml
  c:
    uses: acme/other/.github/workflows/x.yml@main
    with: {x: '${{ github.event.action }}'}
  d: {uses: './/.github/./workflows/other.yaml'}
  e: {uses: ./.github/workflows/../x.yml}
  f: {uses: ./.github/workflows/sub/x.yml}
  g: {steps: [{uses: ./.github/workflows/x.yml}]}
  h: {uses: [./.github/workflows/x.yml]}
";
    let call = |path: &str, line, tainted: &[&str]| Call {
        path: format!(".github/workflows/{path}"),
        line,
        tainted: names(tainted),
    };
    let workflow = parse(text);
    assert_eq!(
        workflow.calls(&BTreeSet::new()),
        [call("apply.yml", 5, &["feature"]), call("other.yaml", 17, &[])]
    );
    let calls = workflow.calls(&names(&["passed"]));
    assert_eq!(calls.first(), Some(&call("apply.yml", 5, &["deep", "feature"])));
}
