//! Each kind of change by each method, with and without local edits. All kinds are changed in one
//! upstream commit, each in a directory of its own, and held against a table.

use pretty_assertions::assert_eq;

use super::{BRANCH, FEATURE, METHODS, into, subscription};
use crate::support::case;
use crate::support::pair::{
    Commit, File, Pair, Tree, below, file, inside, link, program, submodule, tree,
};

/// One kind of change: what the cousin last had, what upstream made of it, what the cousin made of
/// it, and what a merge is to make of both.
struct Kind {
    name: &'static str,
    base: Tree,
    theirs: Tree,
    ours: Tree,
    merged: Tree,
}

fn edited(of: &str, lines_of: &[usize]) -> File {
    let line = |n: usize| match lines_of.contains(&n) {
        true => format!("{of} {n}, edited\n"),
        false => format!("{of} {n}\n"),
    };
    file((1..=9).map(line).collect::<String>())
}

fn crlf(file_with: &File) -> File {
    let text = String::from_utf8(file_with.content.clone()).unwrap();
    file(text.replace('\n', "\r\n"))
}

fn pointer(of: char) -> File {
    let of = of.to_string().repeat(64);
    file(format!("version https://git-lfs.github.com/spec/v1\noid sha256:{of}\nsize 12\n"))
}

/// A name that is no UTF-8, in a directory with such a name.
const ODD: &[u8] = b"d\xff\xfe/caf\xe9 \"q\" '$(x)'.txt";

macro_rules! kind {
    ($name:literal, [$($base:expr),*], [$($theirs:expr),*], [$($ours:expr),*], [$($merged:expr),*]) => {
        Kind {
            name: $name,
            base: tree::<&[u8]>([$($base),*]),
            theirs: tree::<&[u8]>([$($theirs),*]),
            ours: tree::<&[u8]>([$($ours),*]),
            merged: tree::<&[u8]>([$($merged),*]),
        }
    };
}

fn at(path: &(impl AsRef<[u8]> + ?Sized), file: File) -> (&[u8], File) {
    (path.as_ref(), file)
}

fn plain_kinds() -> Vec<Kind> {
    let a = |lines: &[usize]| edited("a", lines);
    vec![
        kind!(
            "add",
            [at("x", a(&[]))],
            [at("x", a(&[])), at("new", file("new\n"))],
            [at("x", a(&[])), at("own", file("own\n"))],
            [at("x", a(&[])), at("new", file("new\n")), at("own", file("own\n"))]
        ),
        kind!(
            "edit",
            [at("x", a(&[]))],
            [at("x", a(&[2]))],
            [at("x", a(&[8]))],
            [at("x", a(&[2, 8]))]
        ),
        kind!(
            "the same edit",
            [at("x", a(&[]))],
            [at("x", a(&[2]))],
            [at("x", a(&[2]))],
            [at("x", a(&[2]))]
        ),
        kind!(
            "delete",
            [at("gone", a(&[])), at("x", a(&[]))],
            [at("x", a(&[]))],
            [at("gone", a(&[])), at("x", a(&[8]))],
            [at("x", a(&[8]))]
        ),
        kind!(
            "delete here",
            [at("gone", a(&[])), at("x", a(&[]))],
            [at("gone", a(&[])), at("x", a(&[2]))],
            [at("x", a(&[]))],
            [at("x", a(&[2]))]
        ),
        kind!(
            "rename",
            [at("old", a(&[]))],
            [at("new", a(&[]))],
            [at("old", a(&[8]))],
            [at("new", a(&[8]))]
        ),
        kind!(
            "rename and edit",
            [at("old", a(&[]))],
            [at("to/new", a(&[2]))],
            [at("old", a(&[8]))],
            [at("to/new", a(&[2, 8]))]
        ),
        kind!(
            "rename here",
            [at("old", a(&[]))],
            [at("old", a(&[2]))],
            [at("mine", a(&[]))],
            [at("mine", a(&[2]))]
        ),
        kind!(
            "empty file",
            [at("x", file("")), at("y", file("y\n"))],
            [at("x", file("x\n")), at("y", file("")), at("z", file(""))],
            [at("x", file("")), at("y", file("y\n")), at("own", file(""))],
            [at("x", file("x\n")), at("y", file("")), at("z", file("")), at("own", file(""))]
        ),
        kind!(
            "nested",
            [at("a/b/c/d/x", a(&[])), at("a/b/gone/deep/y", file("y\n"))],
            [at("a/b/c/d/x", a(&[2])), at("a/b/c/e/f/g/new", file("new\n"))],
            [
                at("a/b/c/d/x", a(&[8])),
                at("a/b/gone/deep/y", file("y\n")),
                at("a/b/gone/own", file("o\n"))
            ],
            [
                at("a/b/c/d/x", a(&[2, 8])),
                at("a/b/c/e/f/g/new", file("new\n")),
                at("a/b/gone/own", file("o\n"))
            ]
        ),
    ]
}

fn typed_kinds() -> Vec<Kind> {
    let a = |lines: &[usize]| edited("a", lines);
    let odd = |file| at(ODD, file);
    let bytes = |last: u8| file([0, 159, 146, 150, b'\n', b'\r', 0, last]);
    vec![
        kind!(
            "mode",
            [at("run", a(&[])), at("no", program("no\n"))],
            [at("run", program(a(&[]).content)), at("no", file("no\n"))],
            [at("run", a(&[8])), at("no", program("no\n"))],
            [at("run", program(a(&[8]).content)), at("no", file("no\n"))]
        ),
        kind!(
            "mode here",
            [at("run", a(&[]))],
            [at("run", a(&[2]))],
            [at("run", program(a(&[]).content))],
            [at("run", program(a(&[2]).content))]
        ),
        kind!(
            "binary",
            [at("x.bin", bytes(1))],
            [at("x.bin", bytes(2)), at("new.bin", bytes(3))],
            [at("x.bin", bytes(1)), at("own.bin", bytes(4))],
            [at("x.bin", bytes(2)), at("new.bin", bytes(3)), at("own.bin", bytes(4))]
        ),
        kind!(
            "symlink",
            [at("to", a(&[])), at("link", link("to"))],
            [
                at("to", a(&[])),
                at("two", a(&[2])),
                at("link", link("two")),
                at("dir/up", link("../to"))
            ],
            [at("to", a(&[8])), at("link", link("to"))],
            [
                at("to", a(&[8])),
                at("two", a(&[2])),
                at("link", link("two")),
                at("dir/up", link("../to"))
            ]
        ),
        kind!(
            "symlink becomes a file",
            [at("to", a(&[])), at("link", link("to"))],
            [at("to", a(&[])), at("link", file("a file now\n"))],
            [at("to", a(&[8])), at("link", link("to"))],
            [at("to", a(&[8])), at("link", file("a file now\n"))]
        ),
        kind!(
            "file becomes a symlink",
            [at("to", a(&[])), at("x", file("x\n"))],
            [at("to", a(&[])), at("x", link("to"))],
            [at("to", a(&[8])), at("x", file("x\n"))],
            [at("to", a(&[8])), at("x", link("to"))]
        ),
        kind!(
            "submodule",
            [at("sub", submodule('1')), at("gone", submodule('2'))],
            [at("sub", submodule('3')), at("new", submodule('4'))],
            [at("sub", submodule('1')), at("gone", submodule('2')), at("own", submodule('5'))],
            [at("sub", submodule('3')), at("new", submodule('4')), at("own", submodule('5'))]
        ),
        kind!(
            "submodule becomes a directory",
            [at("sub", submodule('1'))],
            [at("sub/x", file("x\n"))],
            [at("sub", submodule('1')), at("own", file("own\n"))],
            [at("sub/x", file("x\n")), at("own", file("own\n"))]
        ),
        kind!(
            "a directory becomes a file",
            [at("d/a", file("a\n")), at("d/b/c", file("c\n"))],
            [at("d", file("a file now\n"))],
            [at("d/a", file("a\n")), at("d/b/c", file("c\n")), at("own", file("own\n"))],
            [at("d", file("a file now\n")), at("own", file("own\n"))]
        ),
        kind!(
            "a file becomes a directory",
            [at("d", file("d\n"))],
            [at("d/a", file("a\n")), at("d/b/c", file("c\n"))],
            [at("d", file("d\n")), at("own", file("own\n"))],
            [at("d/a", file("a\n")), at("d/b/c", file("c\n")), at("own", file("own\n"))]
        ),
        kind!(
            "crlf",
            [
                at("x", crlf(&a(&[]))),
                at("lf", a(&[])),
                at(".gitattributes", file("* text=auto eol=lf\n"))
            ],
            [
                at("x", crlf(&a(&[2]))),
                at("lf", crlf(&a(&[]))),
                at(".gitattributes", file("* text eol=crlf merge=x filter=y\n"))
            ],
            [
                at("x", crlf(&a(&[8]))),
                at("lf", a(&[])),
                at(".gitattributes", file("* text=auto eol=lf\n"))
            ],
            [
                at("x", crlf(&a(&[2, 8]))),
                at("lf", crlf(&a(&[]))),
                at(".gitattributes", file("* text eol=crlf merge=x filter=y\n"))
            ]
        ),
        kind!(
            "names that are not UTF-8",
            [odd(a(&[])), at(b"\xe9", file("1\n"))],
            [odd(a(&[2])), at(b"\xc3\xa9", file("2\n"))],
            [odd(a(&[8])), at(b"\xe9", file("1\n"))],
            [odd(a(&[2, 8])), at(b"\xc3\xa9", file("2\n"))]
        ),
        kind!(
            "lfs pointers",
            [
                at("x.psd", pointer('1')),
                at(".gitattributes", file("*.psd filter=lfs diff=lfs merge=lfs -text\n"))
            ],
            [
                at("x.psd", pointer('2')),
                at("new.psd", pointer('3')),
                at(".gitattributes", file("*.psd filter=lfs diff=lfs merge=lfs -text\n"))
            ],
            [
                at("x.psd", pointer('1')),
                at("own.psd", pointer('4')),
                at(".gitattributes", file("*.psd filter=lfs diff=lfs merge=lfs -text\n"))
            ],
            [
                at("x.psd", pointer('2')),
                at("new.psd", pointer('3')),
                at("own.psd", pointer('4')),
                at(".gitattributes", file("*.psd filter=lfs diff=lfs merge=lfs -text\n"))
            ]
        ),
    ]
}

/// Returns one side of all kinds, each in a directory of its own and with lines of its own, so that
/// no file could be another one that was renamed.
fn side(kinds: &[Kind], of: impl Fn(&Kind) -> &Tree) -> Tree {
    let one = |kind: &Kind| {
        let mut files = of(kind).clone();
        for file in files.values_mut() {
            if let Some(text) =
                std::str::from_utf8(&file.content).ok().filter(|it| it.starts_with("a 1"))
            {
                file.content = text.replace("a ", &format!("{}: ", kind.name)).into_bytes();
            }
        }
        below(&kind.name.replace(' ', "-"), &files)
    };
    kinds.iter().flat_map(one).collect()
}

/// Returns a method's result kind by kind, so that what is wrong has a name.
fn holds(found: &Tree, expected: &Tree, kinds: &[Kind]) {
    for kind in kinds {
        let name = kind.name.replace(' ', "-");
        assert_eq!(inside(&name, found), inside(&name, expected), "{}", kind.name);
    }
    assert_eq!(found, expected);
}

/// Brings all kinds by a method into a cousin that has edits of its own, or none.
fn bring(method: &str, with_edits: bool) {
    case(&format!("{method}, local edits: {with_edits}"));
    let kinds: Vec<Kind> = plain_kinds().into_iter().chain(typed_kinds()).collect();
    let side = |of: fn(&Kind) -> &Tree| side(&kinds, of);
    let (base, theirs) = (side(|it| &it.base), side(|it| &it.theirs));
    let pair = Pair::new(&[subscription(method)]);
    let above = |files: &Tree| {
        let mut all = below(FEATURE, files);
        all.insert(b"features/other/x".to_vec(), file("not subscribed to\n"));
        all
    };
    pair.upstream(&above(&base));
    pair.here(&Tree::new());

    // The first time it becomes what upstream has.
    let report = pair.pull();
    assert_eq!(report["features"][0]["outcome"], "committed", "{report:#}");
    let found = pair.files(&pair.web, BRANCH);
    holds(&inside(into(method), &found), &base, &kinds);
    pair.accept(BRANCH);
    let ours = match with_edits {
        true => side(|it| &it.ours),
        false => base.clone(),
    };
    pair.here(&below(into(method), &ours));

    // Then what upstream changed comes in.
    let commit = pair.upstream(&above(&theirs));
    let expected = match (method, with_edits) {
        ("copy", _) | (_, false) => theirs.clone(),
        _ => side(|it| &it.merged),
    };
    let report = pair.pull();
    let feature = &report["features"][0];
    assert_eq!(feature["outcome"], "committed", "{report:#}");
    assert_eq!(feature["conflicts"], serde_json::json!([]), "{report:#}");
    assert_eq!(feature["commit"], commit);
    let found = pair.files(&pair.web, BRANCH);
    holds(&inside(into(method), &found), &expected, &kinds);

    // All else is as it was, and what was done is recorded.
    let mut beside = found;
    let prefix = format!("{}/", into(method));
    beside.retain(|path, _| !path.starts_with(prefix.as_bytes()));
    beside.remove(b"ecosystem.lock.json".as_slice()).expect("there is a lock file");
    assert_eq!(beside, pair.own());
    let locked = pair.locked(BRANCH, FEATURE);
    assert_eq!((&locked["commit"], &locked["method"]), (&commit.into(), &method.into()));
    let tree_of = |dir, path: &str| pair.sandbox.git(dir, &["rev-parse", path]);
    let source = tree_of(&pair.mono, &format!("main:{FEATURE}"));
    assert_eq!(locked["tree"], source);
    if expected == theirs {
        assert_eq!(tree_of(&pair.web, &format!("{BRANCH}:{}", into(method))), source);
    } else {
        as_git_merges(&pair, [&base, &ours, &theirs], &expected);
    }

    // The second time nothing happens.
    pair.accept(BRANCH);
    let branches = pair.branches();
    let report = pair.pull();
    assert_eq!(report["features"][0]["outcome"], "nothing-to-do", "{report:#}");
    assert_eq!(pair.branches(), branches);
}

/// Holds the table itself against git's own merge.
fn as_git_merges(pair: &Pair, [base, ours, theirs]: [&Tree; 3], expected: &Tree) {
    let git = pair.sandbox.new_repository("oracle");
    let base = pair.import(&git, "base", &[Commit::new("base", base)]);
    for (branch, files) in [("ours", ours), ("theirs", theirs)] {
        let parents = [base.as_str()];
        let commit = Commit { parents: Some(&parents), ..Commit::new(branch, files) };
        pair.import(&git, branch, &[commit]);
    }
    let args =
        ["-c", "merge.directoryRenames=false", "merge-tree", "--write-tree", "ours", "theirs"];
    let merged = pair.sandbox.git(&git, &args);
    assert_eq!(&pair.files(&git, &merged), expected, "git merges otherwise");
}

#[test]
fn each_kind_of_change_arrives_by_merge() {
    bring("merge", false);
    bring("merge", true);
}

#[test]
fn each_kind_of_change_arrives_by_copy_and_takes_local_edits_back() {
    bring("copy", false);
    bring("copy", true);
}

#[test]
fn each_kind_of_change_arrives_by_cherry_pick() {
    bring("cherry-pick", false);
    bring("cherry-pick", true);
}

#[test]
fn each_kind_of_change_arrives_by_squash() {
    bring("squash", false);
    bring("squash", true);
}

#[test]
fn ten_thousand_files_arrive_by_each_method_in_one_run() {
    let features = METHODS.map(|method| format!("features/{method}"));
    let subscriptions = METHODS.map(
        |method| serde_json::json!({ "feature": format!("features/{method}"), "method": method }),
    );
    let pair = Pair::new(&subscriptions);
    let many = |edited: usize| -> Tree {
        let file = |n: usize| match n % 1_000 == 7 && n < edited {
            true => file(format!("file {n}, edited\n")),
            false => file(format!("file {n}\n")),
        };
        let name = |n: usize| format!("{:02}/{:02}/f{n}", n % 89, n % 97);
        tree((0..10_000).map(|n| (name(n), file(n))))
    };
    let all = |files: &Tree| features.iter().flat_map(|it| below(it, files)).collect::<Tree>();
    let first = many(0);
    pair.upstream(&all(&first));
    pair.here(&Tree::new());
    let report = pair.pull();
    for (feature, method) in features.iter().zip(METHODS) {
        let branch = format!("update-from-upstream-features-{method}");
        let tree_at = |dir, revision: &str| {
            pair.sandbox.git(dir, &["rev-parse", &format!("{revision}:{feature}")])
        };
        assert_eq!(tree_at(&pair.web, &branch), tree_at(&pair.mono, "main"), "{report:#}");
    }
    for feature in report["features"].as_array().unwrap() {
        assert_eq!(
            (&feature["outcome"], &feature["changed_paths"]),
            (&"committed".into(), &10_000.into())
        );
    }
    // All four are merged, and upstream goes on.
    let lock = |method: &str| {
        let branch = format!("update-from-upstream-features-{method}");
        pair.locked(&branch, &format!("features/{method}"))
    };
    let locked = METHODS.map(|method| (format!("features/{method}"), lock(method)));
    let locked =
        serde_json::json!({ "version": 1, "features": serde_json::Map::from_iter(locked) });
    let mut ours = all(&first);
    ours.insert(b"ecosystem.lock.json".to_vec(), file(locked.to_string()));
    pair.here(&ours);
    pair.upstream(&all(&many(10_000)));
    let report = pair.pull();
    for feature in report["features"].as_array().unwrap() {
        let told = (&feature["outcome"], &feature["changed_paths"]);
        assert_eq!(told, (&"committed".into(), &10.into()));
    }
}
