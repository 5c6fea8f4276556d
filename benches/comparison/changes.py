"""(a) Finding what changed, in a repository of 200,000 files."""

import json
import shutil
import subprocess

from .runs import Contender, Unfair, expect, note, take_turns

AREAS, FEATURES, PARTS, FILES = 20, 10, 10, 100  # 200,000 files, 100 in each directory
EVERY = 10  # of the files, one in so many changes in the large change: 20,000
LAYOUT = "3"  # changes whenever the repositories made below do


def paths():
    for area in range(AREAS):
        for feature in range(FEATURES):
            for part in range(PARTS):
                for file in range(FILES):
                    yield f"area-{area:02}/feature-{feature}/part-{part}/file-{file:02}.txt"


def commit(out, ref, parent, changed, text):
    """Writes a commit in git fast-import's format: the files `changed`, each with contents of its own."""
    out.write(f"commit {ref}\nmark :{1 if parent is None else 2}\n".encode())
    out.write(b"committer Nobody <nobody@example.org> 1700000000 +0000\ndata 0\n")
    if parent:
        out.write(f"from {parent}\n".encode())
    for path in changed:
        contents = f"{path} {text}\n"
        out.write(f"M 100644 inline {path}\ndata {len(contents)}\n{contents}\n".encode())


def make_repository(directory, base, changes):
    """Makes a bare, packed repository with the branch `base`, and on it a branch for each change."""
    stamp = directory / "layout"
    if stamp.exists() and stamp.read_text() == LAYOUT:
        return
    if directory.exists():
        shutil.rmtree(directory)
    note(f"making {directory}")
    directory.mkdir(parents=True)
    git = ["git", f"--git-dir={directory}"]
    subprocess.run(["git", "init", "-q", "--bare", str(directory)], check=True)
    importer = subprocess.Popen([*git, "fast-import", "--quiet"], stdin=subprocess.PIPE)
    commit(importer.stdin, "refs/heads/base", None, base, "first")
    for name, changed in changes.items():
        commit(importer.stdin, f"refs/heads/{name}", "refs/heads/base", changed, "second")
    importer.stdin.close()
    if importer.wait() != 0:
        raise Unfair("git fast-import failed")
    subprocess.run([*git, "symbolic-ref", "HEAD", "refs/heads/base"], check=True)
    subprocess.run([*git, "repack", "-a", "-d", "-q"], check=True)
    stamp.write_text(LAYOUT)


def commit_id(repository, name):
    command = ["git", f"--git-dir={repository}", "rev-parse", "--verify", f"refs/heads/{name}"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def write_ecosystem(path, cousins):
    path.write_text(json.dumps(cousins, indent=1))
    return path


def ecosystem_command(options, repository, cousins, head):
    return [
        *[str(options.ecosystem), "dispatch", "-q", "--format", "json", "-C", str(repository)],
        *["--ecosystem", str(cousins), "--source", "acme/monorepo"],
        *["--base", commit_id(repository, "base"), "--head", commit_id(repository, head)],
    ]


def changes_case(options, repository, change, cousins, found, matched):
    """Returns the two contenders for one change and one set of subscriptions."""

    def check_git(printed):
        expect("git diff-tree", "changed paths", printed.count(b"\0") // 2, found)

    def check_ours(printed):
        report = json.loads(printed)
        expect("ecosystem", "complete", report["range"]["complete"], True)
        paths = sum(dispatch["matched_paths"] for dispatch in report["dispatches"])
        expect("ecosystem", "matched paths", paths, matched)

    base, head = commit_id(repository, "base"), commit_id(repository, change)
    git = ["git", f"--git-dir={repository}", "diff-tree", "-r", "-z", "--no-renames", base, head]
    both = [Contender("git diff-tree", git, check_git)]
    if not options.baselines_only:
        ours = [*ecosystem_command(options, repository, cousins, change), "--dry-run"]
        both.append(Contender("ecosystem", ours, check_ours))
    return both


def compare_changes(options, work):
    every = list(paths())
    many = every[::EVERY]
    # Below the first area, so that those who subscribe to a tenth of the tree hear of it.
    changes = {"one": every[:1], "many": many}
    repository = work / "large.git"
    make_repository(repository, every, changes)
    sets = {
        "all of the tree": ["**"],
        "a tenth of it": [f"area-{area:02}" for area in range(AREAS // 10)],
    }
    rows = []
    for change, changed in changes.items():
        for share, subscriptions in sets.items():
            covered = len(changed) if share == "all of the tree" else max(1, len(changed) // 10)
            cousins = write_ecosystem(
                work / f"{change}.json", [{"repo": "acme/web", "subscriptions": subscriptions}]
            )
            name = f"{len(changed):,} of {len(every):,} files changed, subscribed to {share}"
            note(name)
            both = changes_case(options, repository, change, cousins, len(changed), covered)
            take_turns(both, options.rounds, work)
            rows.append((name, both))
    return rows
