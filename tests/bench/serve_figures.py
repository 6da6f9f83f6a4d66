# SPDX-License-Identifier: MIT
"""The figures of ringlet-serve beside a server written by hand and, where they are installed, nginx and h2o."""
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from figures import Figure, median_and_spread, pair_ratios
from http_servers import Contestants, cpu_seconds, resident_bytes

HERE = pathlib.Path(__file__).parent
EQUAL = 1.05  # what is nearer than that is noise
COLD_BYTES = 256 << 20


@dataclass
class Row:
    name: str
    bytes: int
    connections: int = 64
    depth: int = 1
    closes: bool = False
    at_most: float = 0  # server CPU per request, as a ratio to the hand-written one; 0: none
    beats_best: bool = False  # as good as the best of all
    beats: tuple = ()


ROWS = [Row("1 KiB, keep-alive", 1024, at_most=1.12, beats=("h2o",)),
        Row("1 KiB, 16 pipelined", 1024, depth=16, at_most=1.5),
        Row("1 KiB, Connection: close", 1024, closes=True, beats_best=True),
        Row("16 KiB, keep-alive", 16 << 10),
        Row("100 KiB, keep-alive", 100 << 10, beats_best=True),
        Row("1 MiB, keep-alive", 1 << 20, connections=16, beats_best=True)]


def content_of(size):
    """The same for everybody, and nowhere the same."""
    return b"".join(b"%07d " % i for i in range(size // 8))


class Site:
    def __enter__(self):
        self.home = tempfile.TemporaryDirectory(prefix="ringlet-site-", dir=os.environ.get("RINGLET_BENCH_DISK"))
        self.root = pathlib.Path(self.home.name)
        self.root.chmod(0o755)
        for size in {row.bytes for row in ROWS}:
            (self.root / str(size)).write_bytes(content_of(size))
        return self

    def __exit__(self, *_):
        self.home.cleanup()


class Client:
    """One connection, read to the byte."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def ask(self, path, fields="", times=1):
        self.socket.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode() * times)

    def answer(self):
        while b"\r\n\r\n" not in self.unread:
            self.more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"answered {head[:60]!r}")
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head).group(1))
        while len(self.unread) < length:
            self.more()
        body, self.unread = self.unread[:length], self.unread[length:]
        return body

    def more(self):
        part = self.socket.recv(1 << 20)
        if not part:
            raise RuntimeError("the connection ended early")
        self.unread += part

    def close(self):
        self.socket.close()


def verify(server, row):
    """Bytes against the file, asked as the load asks."""
    wanted = content_of(row.bytes)
    for _ in range(3):
        client = Client(server.port)
        for _ in range(1 if row.closes else 3):
            client.ask(row.bytes, "Connection: close\r\n" if row.closes else "", row.depth)
            for _ in range(row.depth):
                if client.answer() != wanted:
                    raise RuntimeError(f"wrong bytes in an answer of {row.bytes}")
        if row.closes and client.socket.recv(1) != b"":
            raise RuntimeError("the connection was not closed")
        client.close()


class Comparison:
    def __init__(self, options):
        self.options = options
        self.contestants = Contestants(options)
        self.wrk = shutil.which("wrk")

    def load_once(self, server, row):
        seconds = max(1, round(self.options.seconds))  # wrk knows whole ones only
        command = [self.wrk, "-t1", f"-c{row.connections}", f"-d{seconds}", "-s", str(HERE / "serve_load.lua")]
        if row.closes:
            command += ["-H", "Connection: close"]
        command += [f"http://127.0.0.1:{server.port}/{row.bytes}", "--", str(row.depth)]
        pin = None if self.options.load_core is None else lambda: os.sched_setaffinity(0, {self.options.load_core})
        before = cpu_seconds(server.pid)
        run = subprocess.run(command, capture_output=True, text=True, timeout=60 + seconds, preexec_fn=pin)
        cpu = cpu_seconds(server.pid) - before
        found = re.search(r"^RESULT (.*)$", run.stdout, re.M)
        if run.returncode != 0 or not found:
            raise RuntimeError(f"wrk: {run.stderr.strip() or run.stdout[-300:]}")
        result = json.loads(found.group(1))
        if result["errors"] or not result["requests"]:
            raise RuntimeError(f"wrk counted {result['errors']} errors in {result['requests']} requests")
        return {**result, "requests_per_second": result["requests"] / result["seconds"],
                "cpu_us": cpu * 1e6 / result["requests"]}

    def throw_away_once(self, server, row):
        """The load is cheap, so that the server is the one that is busy."""
        command = [self.options.build / "tests/bench/bench-http-load", str(server.port), str(row.bytes), str(row.connections),
                   str(self.options.seconds)]
        pin = None if self.options.load_core is None else lambda: os.sched_setaffinity(0, {self.options.load_core})
        run = subprocess.run(command, capture_output=True, text=True, timeout=60 + self.options.seconds, preexec_fn=pin)
        if run.returncode != 0:
            raise RuntimeError(run.stderr.strip())
        result = json.loads(run.stdout)
        return {"requests_per_second": result["requests"] / result["seconds"]}

    def measure(self, row, load_once):
        """By contestant: one result of each repetition. All of them in turn, each time another one first."""
        names = list(self.contestants.start)
        results = {name: [] for name in names}
        with Site() as site:
            self.contestants.site = site.root
            for repetition in range(self.options.repetitions):
                for name in names[repetition % len(names):] + names[:repetition % len(names)]:
                    with self.contestants.start[name]() as server:
                        if repetition == 0:
                            verify(server, row)
                        if load_once:
                            results[name].append(load_once(server, row))
        return results


def compare(name, results, key, other, at_most=None, digits=2, at_least=None):
    mine, its = ([result[key] for result in results[who]] for who in ("ours", other))
    ratios = pair_ratios(mine, its)
    target, met = "", None
    if at_most is not None:
        target, met = f"ratio at most {at_most}", statistics.median(ratios) <= at_most
    if at_least is not None:
        target, met = f"ratio at least {at_least}", statistics.median(ratios) >= at_least
    return Figure(f"{name}: {key_names[key]}, beside {other}", median_and_spread(mine, digits),
                  median_and_spread(its, digits), median_and_spread(ratios), target, met)


key_names = {"requests_per_second": "requests/s", "cpu_us": "server CPU us per request", "p50_us": "p50 us",
             "p99_us": "p99 us"}


def skipped(name, why):
    return Figure(name, "-", target=f"skipped: {why}")


def closed_loop(comparison, name, row):
    results = comparison.measure(row, comparison.load_once if comparison.wrk else None)
    if not comparison.wrk:
        return [skipped(name, "wrk is not installed (the bytes are right)")]
    others = [who for who in results if who != "ours"]
    best = min(others, key=lambda who: statistics.median(result["cpu_us"] for result in results[who]))
    figures = []
    for other in others:
        at_most = row.at_most if other == "hand-written" and row.at_most else None
        if row.beats_best and other == best:
            at_most = EQUAL
        if other in row.beats:
            at_most = 1.0
        figures.append(compare(name, results, "cpu_us", other, at_most))
        figures.append(compare(name, results, "requests_per_second", other, digits=0))
        if row.depth > 1:
            continue  # wrk takes the time of whole batches, some of them as nothing
        figures.append(compare(name, results, "p50_us", other, digits=0))
        figures.append(compare(name, results, "p99_us", other, EQUAL if other == "nginx" else None, digits=0))
    return figures + [skipped(f"{name}: beside {who}", why) for who, why in comparison.contestants.missing.items()]


def thrown_away(comparison, name, row):
    """Requests/s where the server is the one that is busy, not the client."""
    results = comparison.measure(row, comparison.throw_away_once)
    return [compare(name, results, "requests_per_second", other, digits=0, at_least=0.95 if row.beats_best else None)
            for other in results if other != "ours"]


def idle_bytes(server, connections):
    def ask(times=1):
        client = Client(server.port)
        for _ in range(times):
            client.ask(1024)
            client.answer()
        return client

    for client in [ask(times=20) for _ in range(100)]:  # all buffers that they share have been used then
        client.close()
    time.sleep(0.2)
    before = resident_bytes(server.pid)
    clients = [ask() for _ in range(connections)]
    time.sleep(0.2)
    each = (resident_bytes(server.pid) - before) / connections
    for client in clients:
        client.close()
    return each


def idle(comparison, name):
    wanted = 500 if comparison.options.short else 10_000
    connections = min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200)
    found = {}
    with Site() as site:
        comparison.contestants.site = site.root
        for who, start in comparison.contestants.start.items():
            with start() as server:
                found[who] = idle_bytes(server, connections)
    judged = connections >= 10_000
    return [Figure(f"{name}, beside {who}" + ("" if judged else f" (only {connections})"), f"{found['ours']:.0f} B",
                   f"{found[who]:.0f} B", target="at most 1024 B each", met=judged and found["ours"] <= 1024)
            for who in found if who != "ours"]


DOWNLOADER = r"""
import os, socket, sys
port, path, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
os.nice(10)
while True:
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET /cold HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    got, part = 0, bytearray(1 << 20)
    while n := s.recv_into(part):
        got += n
    if got < size: sys.exit("cut after %d bytes" % got)
    print(got, flush=True)
"""


def latencies_us(port, seconds):
    client = Client(port)
    all_us = []
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        client.ask(1024)
        client.answer()
        all_us.append((time.perf_counter() - begin) * 1e6)
    client.close()
    return sorted(all_us)


def p99_beside_a_cold_file(options, server, path, size):
    quiet = latencies_us(server.port, options.seconds)
    downloads = subprocess.Popen([sys.executable, "-c", DOWNLOADER, str(server.port), str(path), str(size)],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(0.1)
        busy = latencies_us(server.port, options.seconds * 2)
        if downloads.poll() is not None:
            raise RuntimeError(f"the download: {downloads.stderr.read()[-200:]}")
    finally:
        downloads.kill()
        downloads.communicate()
    p99 = [all_us[len(all_us) * 99 // 100] for all_us in (quiet, busy)]
    return {"quiet": p99[0], "busy": p99[1], "worst": busy[-1]}


def cold_file(comparison, name):
    options = comparison.options
    size = COLD_BYTES // 16 if options.short else COLD_BYTES
    results = {who: [] for who in comparison.contestants.start if who != "hand-written"}
    with Site() as site:
        comparison.contestants.site = site.root
        path = site.root / "cold"
        with path.open("wb") as out:
            for _ in range(size >> 20):
                out.write(content_of(1 << 20))
            out.flush()
            os.fsync(out.fileno())
        if options.load_core is not None:
            os.sched_setaffinity(0, {options.load_core})
        try:
            for _ in range(max(1, options.repetitions // 3)):
                for who in results:
                    with comparison.contestants.start[who]() as server:
                        results[who].append(p99_beside_a_cold_file(options, server, path, size))
        finally:
            if options.load_core is not None:
                os.sched_setaffinity(0, {options.server_core, options.load_core})
    figures = []
    for key, what in [("quiet", "p99 us without it"), ("busy", "p99 us beside it"), ("worst", "the longest, us, beside it")]:
        ours = [each[key] for each in results["ours"]]
        for who in list(results)[1:] or [None]:
            if who is None:
                figures.append(Figure(f"{name}: {what}", median_and_spread(ours, 0)))
                continue
            its = [each[key] for each in results[who]]
            ratios = pair_ratios(ours, its)
            judged = key == "busy" and who == "nginx"
            figures.append(Figure(f"{name}: {what}, beside {who}", median_and_spread(ours, 0), median_and_spread(its, 0),
                                  median_and_spread(ratios), f"ratio at most {EQUAL}" if judged else "",
                                  statistics.median(ratios) <= EQUAL if judged else None))
    return figures


def all_figures(options, build):
    comparison = Comparison(options)
    figures = []
    for row in ROWS:
        name = f"HTTP, {row.name}, {row.connections} connections"
        figures.append((name, lambda name=name, row=row: closed_loop(comparison, name, row)))
        if row.depth == 1 and not row.closes:
            name = f"HTTP, {row.name}, {row.connections} connections, answers thrown away"
            figures.append((name, lambda name=name, row=row: thrown_away(comparison, name, row)))
    quiet, cold = "HTTP, 10,000 idle connections", "HTTP, 1 KiB while a file that is not in memory is sent"
    return figures + [(quiet, lambda: idle(comparison, quiet)), (cold, lambda: cold_file(comparison, cold))]
