use pretty_assertions::assert_eq;

use super::*;

#[test]
fn a_listing_is_read_with_the_branch_that_was_asked_for_else_the_default_branch() {
    let id = |digit: char| digit.to_string().repeat(40);
    let output = format!(
        "ref: refs/heads/trunk\tHEAD\n{}\tHEAD\n{}\trefs/ecosystem/watermarks/a/b\n\
         {}\trefs/ecosystem/tag\n{}\trefs/ecosystem/tag^{{}}\n{}\trefs/heads/main\n\
         {}\trefs/remotes/x/HEAD\nodd\n",
        id('a'),
        id('b'),
        id('c'),
        id('d'),
        id('e'),
        id('f')
    );
    let refs: Vec<String> = ["tag", "watermarks/a/b"].map(str::to_owned).into();
    for (asked, branch, tip) in [
        (Some("refs/heads/main"), "refs/heads/main", Some('e')),
        (Some("refs/heads/gone"), "refs/heads/gone", None),
        (None, "refs/heads/trunk", Some('a')),
    ] {
        let listing = read(output.as_bytes(), asked);
        assert_eq!(listing.branch.as_deref(), Some(branch));
        assert_eq!(listing.tip.map(|tip| tip.to_string()), tip.map(id));
        assert_eq!(listing.default_branch.as_deref(), Some("refs/heads/trunk"));
        assert_eq!(listing.refs.keys().cloned().collect::<Vec<_>>(), refs);
        assert_eq!(listing.refs["tag"].as_str(), id('c'), "the very id that the ref holds");
    }
    assert_eq!(read(b"", None), Listing::default());
}

#[test]
fn a_push_that_is_turned_away_is_not_tried_in_another_way() {
    for (message, expected) in [
        ("fatal: unable to access 'x': The requested URL returned error: 403", true),
        (
            "remote: Permission to a/b denied to c.; fatal: unable to access 'x': The requested \
          URL returned error: 403",
            true,
        ),
        ("fatal: Authentication failed for 'x'", true),
        ("fatal: could not read Username for 'x': terminal prompts disabled", true),
        ("fatal: unable to get password from user", true),
        ("fatal: Could not read from remote repository.", true),
        (
            "fatal: could not read Username for 'x': no; with T: fatal: unable to access 'x': \
          The requested URL returned error: 403",
            true,
        ),
        ("fatal: could not read Username for 'x': no; with T: error: failed to push", false),
        ("error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403", false),
        ("fatal: unable to access 'x': The requested URL returned error: 502", false),
        ("fatal: bad object 0123", false),
        ("error: remote unpack failed: unpack-objects abnormal exit", false),
    ] {
        let subcommand = "push".to_owned();
        let error = CommandError::Failed { subcommand, message: message.to_owned() };
        assert_eq!(is_turned_away(&error.into()), expected, "{message}");
    }
    assert!(!is_turned_away(&GitError::Unborn));
}

#[test]
fn what_git_says_of_a_push_is_read_ref_by_ref() {
    let output = b"To /x\n \trefs/new/w/a:refs/ecosystem/w/a\t1..2\n\
        *\trefs/new/w/b:refs/ecosystem/w/b\t[new reference]\n\
        !\trefs/new/w/c:refs/ecosystem/w/c\t[rejected] (stale info)\n\
        =\trefs/new/w/d:refs/ecosystem/w/d\t[up to date]\n\
        -\t:refs/ecosystem/w/e\t[deleted]\nDone\n";
    let told = told(output, PREFIX);
    let ok: Vec<&str> =
        told.iter().filter(|(_, told)| told.is_ok()).map(|(name, _)| name.as_str()).collect();
    assert_eq!(ok, ["w/a", "w/b", "w/d", "w/e"]);
    assert_eq!(told["w/c"], Err("[rejected] (stale info)".to_owned()));
    assert!(tells_of_refs(output));
    assert!(!tells_of_refs(b"fatal: no\n"));
    assert!(!tells_of_refs(b"!\ta:refs/ecosystem/a\t[remote rejected] (unpacker error)\n"));
}
