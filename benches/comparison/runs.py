"""Runs that are measured: what a contender is, how contenders take turns, what a fair run is."""

import os
import subprocess
import sys
import time


class Unfair(Exception):
    """A run that did not do what it is measured for."""


def note(text):
    print(text, file=sys.stderr, flush=True)


def environment(work, added):
    """Returns the variables of a run: nothing of the person who measures but `PATH`."""
    env = {"PATH": os.environ["PATH"], "HOME": str(work / "home"), "LC_ALL": "C"}
    env.update({"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}, **added)
    return env


class Contender:
    """A command that is measured: how it is run, and how a run is checked.

    `check` gets what was printed and raises `Unfair`; it is called in each round, outside the time.
    """

    def __init__(self, name, argv, check, env=None):
        self.name, self.argv, self.check, self.env = name, argv, check, env or {}
        self.wall, self.cpu = [], []

    def run(self, work):
        env = environment(work, self.env)
        # Files, not pipes: nobody reads along while the clock runs.
        with open(work / "stdout", "wb+") as out, open(work / "stderr", "wb+") as err:
            before = time.perf_counter()
            child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=work
            )
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.perf_counter() - before
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            if child.returncode != 0:
                complaint = err.read(2000).decode(errors="replace")
                raise Unfair(f"{self.name}: exit code {child.returncode}\n{complaint}")
            self.check(out.read())
        return wall, usage.ru_utime + usage.ru_stime

    def measure(self, work):
        wall, cpu = self.run(work)
        self.wall.append(wall)
        self.cpu.append(cpu)


def take_turns(contenders, rounds, work):
    """Runs each once unmeasured, then all of them in turn, `rounds` times."""
    for contender in contenders:
        contender.run(work)
    for _ in range(rounds):
        for contender in contenders:
            contender.measure(work)


def expect(name, what, found, expected):
    if found != expected:
        raise Unfair(f"{name}: {what}: {found}, expected {expected}")
