"""(c) One event to one repository, as whole processes. (d) 200 events, at GitHub's pace."""

import json
import shutil
import subprocess
import time

from .delivery import HEADERS, LATENCY_SECONDS, Receiver
from .runs import Contender, environment, expect, note, take_turns

REPOSITORY = "cousin-0"
PAYLOAD = {"version": "1.4.0", "artifacts": ["app.tar.gz", "config.json"], "prerelease": False}
MANY, FIRST = 200, 80  # GitHub takes 80 in a minute
PACKAGES = ["@octokit/core", "@octokit/request"]

# What the dispatch actions do inside, in as few lines as it takes. `@octokit/core` is what they
# bundle; `@octokit/request` is the least of it that sends.
SCRIPTS = {
    "@octokit/core": """
import { readFileSync } from "node:fs";
import { Octokit } from "@octokit/core";
const octokit = new Octokit({ auth: process.env.GH_TOKEN, baseUrl: process.env.GITHUB_API_URL });
const event = JSON.parse(readFileSync("event.json", "utf8"));
await octokit.request("POST /repos/{owner}/{repo}/dispatches", { owner: "acme", repo: "cousin-0", ...event });
""",
    "@octokit/request": """
import { readFileSync } from "node:fs";
import { request } from "@octokit/request";
const headers = { authorization: `Bearer ${process.env.GH_TOKEN}` };
const event = JSON.parse(readFileSync("event.json", "utf8"));
await request("POST /repos/{owner}/{repo}/dispatches", { owner: "acme", repo: "cousin-0", baseUrl: process.env.GITHUB_API_URL, headers, ...event });
""",
}


def node_contenders(options, work, check, env):
    """Returns a contender for each package that is there; says loudly which is not."""
    modules = options.node.resolve() / "node_modules" if options.node else None
    contenders = []
    for package in PACKAGES:
        if shutil.which("node") is None:
            note(f"SKIPPED: {package}: node is not installed")
        elif modules is None or not (modules / package).is_dir():
            where = modules or "--node DIR was not given"
            note(f"SKIPPED: {package} is not there ({where}): npm install --prefix DIR {package}")
        else:
            link = work / "node_modules"
            if link.is_symlink():
                link.unlink()
            link.symlink_to(modules)
            script = work / f"{package.rpartition('/')[2]}.mjs"
            script.write_text(SCRIPTS[package])
            contenders.append(Contender(f"node, {package}", ["node", str(script)], check, env))
    return contenders


def compare_sending(options, work):
    """(c): who is first to tell one repository of something, from start to end of the process."""
    receiver = Receiver(0)
    event = work / "event.json"
    event.write_text(json.dumps({"event_type": "release", "client_payload": PAYLOAD}))
    (work / "payload.json").write_text(json.dumps(PAYLOAD))
    env = {"GH_TOKEN": "x", "GITHUB_API_URL": receiver.url}
    url = f"{receiver.url}/repos/acme/{REPOSITORY}/dispatches"

    def check(_):
        expect("the receiver", "who heard of it", receiver.take_received(), {REPOSITORY})

    headers = [word for header in HEADERS for word in ("-H", header)]
    curl = ["curl", "-sS", "--fail", "-X", "POST", *headers, "--data", f"@{event}", url]
    gh = ["gh", "api", "--silent", "--method", "POST", "--input", str(event), url]
    contenders = [Contender("curl", curl, check, env)]
    if shutil.which("gh") is None:
        note("SKIPPED: gh api: gh is not installed")
    else:
        contenders.append(Contender("gh api", gh, check, env))
    contenders += node_contenders(options, work, check, env)
    if not options.baselines_only:
        ours = [str(options.ecosystem), "send", "--to", f"acme/{REPOSITORY}"]
        ours += ["--event-type", "release", "--payload-file", str(work / "payload.json")]
        contenders.append(Contender("ecosystem", ours, check, env))
    name = "1 event, answered at once"
    note(name)
    take_turns(contenders, options.rounds, work)
    return [(name, contenders)]


def first_of_many(options, work, receiver):
    """Starts a sending of `MANY` events, and ends it when the pace has been seen to hold it back.

    Returns how many seconds after the start the last of the first `FIRST` was answered.
    """
    receiver.take_received()
    (work / "repositories.txt").write_text("".join(f"acme/cousin-{n}\n" for n in range(MANY)))
    argv = [str(options.ecosystem), "send", "--to-file", "repositories.txt", "--event-type", "x"]
    env = environment(work, {"GH_TOKEN": "x", "GITHUB_API_URL": receiver.url})
    before = time.perf_counter()
    with subprocess.Popen(
        [*argv, "--format", "json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=env, cwd=work, text=True,
    ) as child:
        while len(receiver.answers()) < FIRST and time.perf_counter() < before + 60:
            time.sleep(0.02)
        # Long enough for a sender that does not keep the pace to send all the others.
        time.sleep(MANY * LATENCY_SECONDS / 16 + 0.5)
        answers = sorted(receiver.answers())
        child.terminate()
        printed, _ = child.communicate(timeout=30)
    expect("ecosystem send", "events within the first minute", len(answers), FIRST)
    expect("ecosystem send", "the exit code when it is ended", child.returncode, 143)
    summary = json.loads(printed)["summary"]
    expect("ecosystem send", "delivered", summary["delivered"], FIRST)
    expect("ecosystem send", "skipped", summary["skipped"], MANY - FIRST)
    return answers[FIRST - 1] - before


def pace_many(options, work):
    """(d): when the first 80 of 200 repositories have heard of it."""
    note(f"{MANY} events, {LATENCY_SECONDS * 1000:.0f} ms each, until GitHub's pace is reached")
    receiver = Receiver(LATENCY_SECONDS)
    return [first_of_many(options, work, receiver) for _ in range(options.delivery_rounds)]
