"""(b) Delivering 80 events, and the receiver of (b), (c) and (d)."""

import http.server
import json
import re
import shutil
import threading
import time

from .changes import ecosystem_command, make_repository, write_ecosystem
from .runs import Contender, expect, note, take_turns

EVENTS = 80
LATENCY_SECONDS = 0.1
SENDERS = 16  # of xargs; what `ecosystem` has by default


class Receiver(http.server.ThreadingHTTPServer):
    """Takes dispatches on a free loopback port, each in `latency` seconds, and notes who heard of
    it and when each was answered."""

    request_queue_size = 1024
    daemon_threads = True

    def __init__(self, latency):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.lock = threading.Lock()
        self.latency = latency
        self.received, self.answered = set(), []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take_received(self):
        with self.lock:
            received, self.received, self.answered = self.received, set(), []
        return received

    def answers(self):
        """Returns when each event was answered, on the clock `time.perf_counter`."""
        with self.lock:
            return list(self.answered)


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if self.server.latency:
            time.sleep(self.server.latency)
        known = re.fullmatch(r"/repos/acme/(cousin-\d+)/dispatches", self.path)
        good = bool(known) and isinstance(body.get("client_payload"), dict)
        if good:
            with self.server.lock:
                self.server.received.add(known.group(1))
        self.send_response(204 if good else 422)
        self.send_header("Content-Length", "0")
        self.end_headers()
        with self.server.lock:
            self.server.answered.append(time.perf_counter())

    def log_message(self, *_):
        pass


HEADERS = [
    "Accept: application/vnd.github+json",
    "X-GitHub-Api-Version: 2022-11-28",
    "Authorization: Bearer x",
    "Content-Type: application/json",
]


def curl_script(work):
    """Writes the scripts that people have: one request, from a file of addresses, by curl or gh."""
    payload = {
        "updated_feature": "features/web",
        "commit_sha": "0" * 40,
        "source_repository": "acme/monorepo",
        "source_ref": "refs/heads/main",
        "changed_paths": ["features/web/app.py"],
    }
    body = work / "body.json"
    body.write_text(json.dumps({"event_type": "feature-update", "client_payload": payload}))
    headers = " ".join(f"-H '{header}'" for header in HEADERS)
    curl = f"curl -sS --fail -o /dev/null -X POST {headers} --data @{body}"
    gh = f"gh api --silent --method POST --input {body}"
    return {
        "loop of curl": f'set -e; while read -r url; do {curl} "$url"; done <urls',
        f"xargs -P{SENDERS} curl": f"xargs -P{SENDERS} -n1 {curl} <urls",
        "loop of gh api": f'set -e; while read -r url; do {gh} "$url" </dev/null; done <urls',
    }


def compare_delivery(options, work):
    receiver = Receiver(LATENCY_SECONDS)
    names = [f"cousin-{number:02}" for number in range(EVENTS)]
    (work / "urls").write_text(
        "".join(f"{receiver.url}/repos/acme/{name}/dispatches\n" for name in names)
    )

    def check(_):
        received = receiver.take_received()
        expect("the receiver", "cousins that heard of it", len(received), EVENTS)

    contenders = []
    for name, script in curl_script(work).items():
        program = "gh" if "gh api" in name else "curl"
        if shutil.which(program) is None:
            note(f"SKIPPED: {name}: {program} is not installed")
            continue
        env = {"GH_TOKEN": "x"} if program == "gh" else {}
        contenders.append(Contender(name, ["sh", "-c", script], check, env))
    if not options.baselines_only:
        repository = work / "small.git"
        make_repository(repository, ["features/web/app.py"], {"one": ["features/web/app.py"]})
        cousins = write_ecosystem(
            work / "cousins.json",
            [{"repo": f"acme/{name}", "subscriptions": ["features/web"]} for name in names],
        )
        env = {"ECOSYSTEM_PAT": "x", "GITHUB_API_URL": receiver.url}
        ours = ecosystem_command(options, repository, cousins, "one")
        contenders.append(Contender("ecosystem", ours, check, env))
    name = f"{EVENTS} events, {LATENCY_SECONDS * 1000:.0f} ms each"
    note(name)
    take_turns(contenders, options.delivery_rounds, work)
    return [(name, contenders)]
