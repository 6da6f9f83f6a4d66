# SPDX-License-Identifier: MIT
"""The figures of ringlet-xfer beside a bare loop of sendfile(2) and, for the transfer that is checked, openssl dgst."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import time

from figures import Figure, median_and_spread, pair_ratios
from http_servers import cpu_seconds
from server import Server

MIB = 1 << 20
NAME = "file.bin"
SETTLED_AFTER = 4  # seconds: then the server trusts that a change of the file would show


class Files:
    """One file to send, and a place for what comes: in memory where that is possible."""

    def __init__(self, size):
        self.size = size

    def __enter__(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.home = tempfile.TemporaryDirectory(prefix="ringlet-xfer-", dir=os.environ.get("RINGLET_BENCH_DISK", memory))
        home = pathlib.Path(self.home.name)
        self.root, self.out, self.report = home / "root", home / "out", home / "report"
        self.root.mkdir()
        self.file = self.root / NAME
        numbers = random.Random(1)
        with self.file.open("wb") as file:
            for begin in range(0, self.size, MIB):
                file.write(numbers.randbytes(min(MIB, self.size - begin)))
        self.hash = self.hash_of(self.file)
        return self

    def __exit__(self, *_):
        self.home.cleanup()

    @staticmethod
    def hash_of(path):
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class Contest:
    def __init__(self, options, files):
        self.options, self.files = options, files
        self.cost = options.build / "tests" / "bench" / "bench-cost"
        self.limit = options.build / "tests" / "bench" / "bench-limit-xfer"

    def serve(self, *arguments):
        return Server([str(self.options.xfer), "serve", str(self.files.root), "-q", "-p", "0", *arguments])

    def run(self, command, server=None):
        """Wall and CPU seconds, those of the server among them."""
        self.files.out.unlink(missing_ok=True)
        before = cpu_seconds(server.pid) if server else 0
        run = subprocess.run([str(word) for word in (self.cost, self.files.report, *command)], capture_output=True,
                             text=True, errors="replace", timeout=300)
        if run.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with {run.returncode}: {(run.stderr or run.stdout).strip()[-300:]}")
        report = json.loads(self.files.report.read_text())
        cpu = report["cpu"] + (cpu_seconds(server.pid) - before if server else 0)
        return {"wall": report["wall"], "cpu": cpu}

    def get(self, server, *arguments):
        result = self.run([self.options.xfer, "get", "-q", f"127.0.0.1:{server.port}", NAME, "-o", self.files.out, *arguments],
                          server)
        if self.files.hash_of(self.files.out) != self.files.hash:
            raise RuntimeError("other bytes arrived")
        return result

    def bare(self, server):
        return self.run([self.limit, "get", server.port, self.files.out], server)

    def digest(self):
        return self.run(["openssl", "dgst", "-sha256", self.files.file])


def in_turn(repetitions, **runs):
    """By name: one result of each repetition, each time another one first."""
    names = list(runs)
    results = {name: [] for name in names}
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            results[name].append(runs[name]())
    return results


def column(results, name, key):
    return [result[key] for result in results[name]]


def compared(name, ours, limit, at_most=None):
    ratios = pair_ratios(ours, limit)
    target = "" if at_most is None else f"ratio at most {at_most}"
    met = None if at_most is None else statistics.median(ratios) <= at_most
    return Figure(name, median_and_spread(ours, 3), median_and_spread(limit, 3), median_and_spread(ratios), target, met)


def plain(options, name):
    size = 8 * MIB if options.short else 1 << 30
    with Files(size) as files:
        contest = Contest(options, files)
        with contest.serve("--plain") as ours, Server([str(contest.limit), "serve", str(files.file)]) as limit:
            results = in_turn(options.repetitions, ours=lambda: contest.get(ours, "--plain"), bare=lambda: contest.bare(limit))
    return [compared(f"{name}: {what}, beside a loop of sendfile(2)", column(results, "ours", key), column(results, "bare", key), 1.05)
            for key, what in (("wall", "wall s"), ("cpu", "CPU s of both sides"))]


def checked(options, name):
    if not shutil.which("openssl"):
        return [Figure(name, "-", target="skipped: openssl is not installed")]
    size = 8 * MIB if options.short else 1 << 30

    def first(contest):
        with contest.serve() as server:
            return contest.get(server)

    with Files(size) as files:
        time.sleep(0 if options.short else SETTLED_AFTER)
        contest = Contest(options, files)
        with contest.serve() as ours, Server([str(contest.limit), "serve", str(files.file)]) as limit:
            contest.get(ours)  # from now on it knows the digest
            results = in_turn(options.repetitions, ours=lambda: contest.get(ours), first=lambda: first(contest),
                              bare=lambda: contest.bare(limit), openssl=contest.digest)
    slower = [max(pair) for pair in zip(column(results, "bare", "wall"), column(results, "openssl", "wall"))]
    beside = "beside the slower of a loop of sendfile(2) and openssl dgst -sha256"
    return [compared(f"{name}: wall s, {beside}", column(results, "ours", "wall"), slower, 1.1),
            compared(f"{name}, the first of this file: wall s, {beside}", column(results, "first", "wall"), slower),
            compared(f"{name}: CPU s of both sides, beside the sum of those", column(results, "ours", "cpu"),
                     [sum(pair) for pair in zip(column(results, "bare", "cpu"), column(results, "openssl", "cpu"))])]


def all_figures(options, build):
    del build
    names = "xfer, 1 GiB, --plain", "xfer, 1 GiB"
    return [(names[0], lambda: plain(options, names[0])), (names[1], lambda: checked(options, names[1]))]
