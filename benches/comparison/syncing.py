"""(e) Bringing a feature of 10,000 files out of a monorepo of 200,000 into a cousin."""

import json
import shutil
import subprocess

from . import changes
from .runs import Contender, Unfair, environment, expect, note, take_turns

FEATURE = "area-00"  # 10,000 of the files
FILES = 10_000

# Counts what a server sends: git runs it in the place of `git pack-objects`.
HOOK = """#!/bin/sh
sent=$(mktemp) && "$@" > "$sent" && wc -c < "$sent" >> "{log}" && cat "$sent" && rm "$sent"
"""

# What a workflow does today, with the commit at its end that both have.
BY_HAND = """set -e
rm -rf copy && git clone -q --depth 1 --branch base "file://$SOURCE" copy
cp -r "copy/$FEATURE/." cousin/into 2>/dev/null || { mkdir cousin/into && cp -r "copy/$FEATURE/." cousin/into; }
cd cousin && git add -A && git commit -q -m 'Update from upstream'
"""


def git(directory, *arguments, **options):
    command = ["git", "-C", str(directory), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


def make_cousin(directory, source):
    """Makes the cousin anew: nothing of an earlier round is there to be used."""
    shutil.rmtree(directory, ignore_errors=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(directory)], check=True)
    for key, value in {"name": "Nobody", "email": "nobody@example.org"}.items():
        git(directory, "config", f"user.{key}", value)
    subscription = {"feature": FEATURE, "into": "into", "method": "copy"}
    content = {"source": f"file://{source}", "branch": "base", "subscriptions": [subscription]}
    (directory / "subscriptions.json").write_text(json.dumps(content))
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "the beginning")


class Fresh(Contender):
    """A contender that begins each round with a cousin that has nothing yet."""

    def __init__(self, *arguments, source, **options):
        super().__init__(*arguments, **options)
        self.source = source

    def run(self, work):
        make_cousin(work / "cousin", self.source)
        shutil.rmtree(work / "copy", ignore_errors=True)
        return super().run(work)


def contenders(options, work, source):
    def check(branch):
        def check(_):
            tree = git(work / "cousin", "rev-parse", f"{branch}:into")
            expect(branch, "the tree", tree, git(source, "rev-parse", f"base:{FEATURE}"))
        return check

    env = {"SOURCE": str(source), "FEATURE": FEATURE, "TMPDIR": str(work)}
    both = [Fresh("git clone --depth 1, cp, git add, git commit", ["sh", "-c", BY_HAND],
                  check("main"), env, source=source)]
    if not options.baselines_only:
        ours = [str(options.ecosystem), "-q", "-C", str(work / "cousin"), "sync", "--pull",
                "--dry-run", "--format", "json"]
        both.append(Fresh("ecosystem", ours, check(f"update-from-upstream-{FEATURE}"), env,
                          source=source))
    return both


def compare_syncing(options, work):
    source = work / "large.git"
    every = list(changes.paths())
    changes.make_repository(source, every, {"one": every[:1], "many": every[:: changes.EVERY]})
    for key in ("allowFilter", "allowAnySHA1InWant"):
        git(source, "config", f"uploadpack.{key}", "true")
    both = contenders(options, work, source)
    name = f"a feature of {FILES:,} of {len(every):,} files, for the first time"
    note(name)
    take_turns(both, options.delivery_rounds, work)
    return [(name, both)]


def bytes_sent(options, work):
    """Returns how many bytes the source sends to each, and how many all objects of the feature are."""
    source = work / "large.git"
    log, hook = work / "sent", work / "count-sent"
    hook.write_text(HOOK.format(log=log))
    hook.chmod(0o755)
    settings = work / "home" / ".gitconfig"
    settings.write_text(f'[uploadpack]\n\tpackObjectsHook = "{hook}"\n')
    sent = []
    try:
        for contender in contenders(options, work, source):
            log.write_text("")
            contender.run(work)
            sent.append((contender.name, sum(map(int, log.read_text().split()))))
    finally:
        settings.unlink()
    objects = git(source, "rev-list", "--objects", "--no-object-names", f"base:{FEATURE}")
    if len(objects.splitlines()) < FILES:
        raise Unfair("the feature has fewer objects than files")
    env = environment(work, {})
    packed = subprocess.run(
        ["git", f"--git-dir={source}", "pack-objects", "--stdout", "-q"],
        input=objects, check=True, stdout=subprocess.PIPE, env=env,
    ).stdout
    return sent, len(packed)
