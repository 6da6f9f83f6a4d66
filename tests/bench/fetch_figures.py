# SPDX-License-Identifier: MIT
"""The figures of ringlet-fetch beside a splice loop written by hand and, where they are installed, curl, aria2c and wget2."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
from dataclasses import dataclass

from figures import Figure, median_and_spread, pair_ratios
from http_servers import NGINX, ConfiguredServer, find_nginx
from server import Server

CERTIFICATES = pathlib.Path(__file__).parent.parent / "certificates"
MIB = 1 << 20
JOBS = 8  # of every program
PEAK_MIB = {"http": 12, "https": 20}
DELAY_MS = 50  # each way
DELAYED_FILES = 64
DELAYED_BYTES = 100 << 10
PEERS = ("curl", "aria2c", "wget2")
WHAT = {"wall": "wall s", "cpu": "CPU s", "peak": "peak MiB"}


@dataclass
class Row:
    files: int
    bytes: int
    scheme: str = "http"
    at_most: float = 0  # wall, as a ratio to the splice loop; 0: none

    def name(self):
        unit, size = ("GiB", self.bytes >> 30) if self.bytes >= 1 << 30 else \
            ("MiB", self.bytes >> 20) if self.bytes >= MIB else ("KiB", self.bytes >> 10)
        return f"fetch, {self.files:,} x {size} {unit}, {self.scheme}"


ROWS = [Row(64, MIB, at_most=1.6), Row(1, 1 << 30), Row(2000, 4096),
        Row(64, MIB, "https"), Row(1, 1 << 30, "https"), Row(2000, 4096, "https")]
LISTS = [Row(10_000, 1024), Row(10_000, 1024, "https")]  # of these only the memory counts


def hash_of(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


class Site:
    """Files for nginx, no two alike, and an empty place for the downloads: in memory where that is possible."""

    def __init__(self, row):
        self.row = row

    def __enter__(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.home = tempfile.TemporaryDirectory(prefix="ringlet-fetch-", dir=os.environ.get("RINGLET_BENCH_DISK", memory))
        home = pathlib.Path(self.home.name)
        home.chmod(0o755)
        self.root, self.target, self.list, self.report = (home / name for name in ("site", "got", "list", "report"))
        self.root.mkdir()
        numbers = random.Random(1)
        self.hashes = {}
        for i in range(self.row.files):
            path = self.root / f"{i:05}.bin"
            with path.open("wb") as file:
                for begin in range(0, self.row.bytes, MIB):
                    file.write(numbers.randbytes(min(MIB, self.row.bytes - begin)))
            self.hashes[path.name] = hash_of(path)
        return self

    def __exit__(self, *_):
        self.home.cleanup()

    def aim_at(self, port):
        """Writes the list for everybody."""
        self.urls = [f"{self.row.scheme}://127.0.0.1:{port}/{name}" for name in self.hashes]
        self.list.write_text("".join(url + "\n" for url in self.urls))
        self.list.with_suffix(".curl").write_text("".join(f'url = "{url}"\n' for url in self.urls))

    def clear(self):
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir()

    def verify(self, who):
        found = {path.name: hash_of(path) for path in self.target.iterdir()}
        if found != self.hashes:
            wrong = [name for name in self.hashes if found.get(name) != self.hashes[name]]
            raise RuntimeError(f"{who}: {len(wrong)} of {len(self.hashes)} files are wrong or missing, {len(found)} are there")


def server_for(row, site, options):
    certificate = CERTIFICATES / "server" if row.scheme == "https" else None
    return ConfiguredServer(find_nginx(), NGINX, "user root;", site.root, options.server_core, certificate)


class Programs:
    """How each is told to fetch the whole list, JOBS at a time; `missing` says who cannot be compared here."""

    def __init__(self, options):
        self.options = options
        self.missing = [peer for peer in PEERS if not shutil.which(peer)]

    def command(self, who, site):
        return getattr(self, who)(site, CERTIFICATES / "authority.pem")

    def names(self, row):
        splice = ["splice"] if row.scheme == "http" else []
        return ["ours"] + splice + [peer for peer in PEERS if peer not in self.missing]

    def ours(self, site, authority):
        return [self.options.fetch, "-q", "-j", JOBS, "-P", site.target, "--cacert", authority, "-i", site.list]

    def splice(self, site, _):
        return [self.options.build / "tests" / "bench" / "bench-limit-fetch", "-j", JOBS, "-P", site.target, site.list]

    @staticmethod
    def curl(site, authority):
        return ["curl", "-q", "-sSf", "--parallel", "--parallel-max", JOBS, "--cacert", authority, "--remote-name-all",
                "--output-dir", site.target, "-K", site.list.with_suffix(".curl")]

    @staticmethod
    def aria2c(site, authority):
        return ["aria2c", "--no-conf", "-q", "-j", JOBS, "-x1", "-s1", "--file-allocation=none", f"--ca-certificate={authority}",
                "-d", site.target, "-i", site.list]

    @staticmethod
    def wget2(site, authority):
        return ["wget2", "--no-config", "-q", "--no-hsts", "--no-ocsp", "--no-http2", f"--max-threads={JOBS}",
                f"--ca-certificate={authority}", "-P", site.target, "-i", site.list]

    def run(self, who, site):
        """What it cost, once its files are known to be right."""
        site.clear()
        cost = self.options.build / "tests" / "bench" / "bench-cost"
        command = [str(word) for word in (cost, site.report, *self.command(who, site))]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=300)
        if run.returncode != 0:
            raise RuntimeError(f"{who} ended with {run.returncode}: {(run.stderr or run.stdout).strip()[-300:]}")
        site.verify(who)
        report = json.loads(site.report.read_text())
        return {"wall": report["wall"], "cpu": report["cpu"], "peak": report["peak_bytes"] / MIB}

    def run_all(self, names, site, repetitions):
        """By program: one result of each repetition. All of them in turn, each time another one first."""
        results = {who: [] for who in names}
        for repetition in range(repetitions):
            first = repetition % len(names)
            for who in names[first:] + names[:first]:
                results[who].append(self.run(who, site))
        return results


def of(results, who, key):
    return [result[key] for result in results[who]]


def beside(name, results, key, who, at_most=None):
    mine, its = of(results, "ours", key), of(results, who, key)
    ratios = pair_ratios(mine, its)
    digits = 1 if key == "peak" else 3
    target = "" if at_most is None else f"ratio at most {at_most}"
    met = None if at_most is None else statistics.median(ratios) <= at_most
    return Figure(f"{name}: {WHAT[key]}, beside {who}", median_and_spread(mine, digits), median_and_spread(its, digits),
                  median_and_spread(ratios), target, met)


def peak(name, results, row):
    mine = of(results, "ours", "peak")
    others = [statistics.median(of(results, who, "peak")) for who in results if who in PEERS]
    limit = PEAK_MIB[row.scheme]
    return Figure(f"{name}: {WHAT['peak']}", median_and_spread(mine, 1), f"best peer {min(others):.1f}" if others else "",
                  target=f"below {limit}", met=statistics.median(mine) < limit)


def shortened(row, options):
    return Row(min(row.files, 20), min(row.bytes, MIB), row.scheme, row.at_most) if options.short else row


def local(programs, row, name):
    if not find_nginx():
        return [Figure(name, "-", target="skipped: nginx is not installed")]
    row = shortened(row, programs.options)
    with Site(row) as site, server_for(row, site, programs.options) as server:
        site.aim_at(server.port)
        results = programs.run_all(programs.names(row), site, programs.options.repetitions)
    figures = []
    peers = [who for who in results if who in PEERS]
    for key in ("wall", "cpu"):
        best = min(peers, key=lambda who: statistics.median(of(results, who, key)), default=None)
        figures += [beside(name, results, key, who, 1.0 if who == best else None) for who in peers]
        if "splice" in results:
            figures.append(beside(name, results, key, "splice", row.at_most or None if key == "wall" else None))
    figures.append(peak(name, results, row))
    return figures + [Figure(f"{name}: beside {who}", "-", target=f"skipped: {who} is not installed")
                      for who in programs.missing]


def long_list(programs, row, name):
    if not find_nginx():
        return [Figure(name, "-", target="skipped: nginx is not installed")]
    row = shortened(row, programs.options)
    with Site(row) as site, server_for(row, site, programs.options) as server:
        site.aim_at(server.port)
        return [peak(name, programs.run_all(["ours"], site, min(3, programs.options.repetitions)), row)]


def optimum_seconds():
    """What no program can go below that asks for one file after the other on each of JOBS connections.

    Connecting costs nothing, because the proxy's kernel accepts at once. A request takes the delay to get there, its answer
    the same to come back, all of it in one piece as nothing limits the throughput. So each connection needs two delays for
    every file that it brings, and no time else: no copying, no starting of a process.
    """
    rounds = -(-DELAYED_FILES // JOBS)
    return rounds * 2 * DELAY_MS / 1000


def delayed(programs, name):
    if not find_nginx():
        return [Figure(name, "-", target="skipped: nginx is not installed")]
    options = programs.options
    row = Row(DELAYED_FILES, DELAYED_BYTES)
    proxy = [str(options.build / "tests" / "bench" / "bench-delay"), "-d", str(DELAY_MS)]
    with Site(row) as site, server_for(row, site, options) as server, \
            Server([*proxy, str(server.port)], core=options.server_core, errors=subprocess.DEVNULL) as way:
        site.aim_at(way.port)
        results = programs.run_all(programs.names(row), site, options.repetitions)
    optimum = optimum_seconds()
    figures = []
    for who in results:
        wall = of(results, who, "wall")
        ratio = statistics.median(wall) / optimum
        is_ours = who == "ours"
        figures.append(Figure(f"{name}: wall s" + ("" if is_ours else f" of {who}"), median_and_spread(wall, 3),
                              f"optimum {optimum:.1f}", f"{ratio:.2f}", "ratio at most 1.1" if is_ours else "",
                              ratio <= 1.1 if is_ours else None))
    return figures


def all_figures(options, build):
    programs = Programs(options)
    figures = [(row.name(), lambda row=row: local(programs, row, row.name())) for row in ROWS]
    figures += [(row.name(), lambda row=row: long_list(programs, row, row.name())) for row in LISTS]
    far = f"fetch, {DELAYED_FILES} x {DELAYED_BYTES >> 10} KiB, {DELAY_MS} ms away"
    return figures + [(far, lambda: delayed(programs, far))]
