# SPDX-License-Identifier: MIT
"""The figures of ringlet-compare: its clients beside wrk, and its servers beside each other."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from figures import Figure, median_and_spread, pair_ratios
from http_servers import free_port
from server import Server

GEVENT = pathlib.Path(__file__).resolve().parents[2] / "apps" / "compare" / "peers" / "gevent_server.py"
UNITS = {"us": 1e3, "ms": 1e6, "s": 1e9}


def program(options):
    return options.build / "apps" / "compare" / "ringlet-compare"


def seconds(options):
    return max(1, round(options.seconds))  # wrk knows whole ones only


def ours(options, port, connections):
    """Requests a second, and the times of shares. It keeps itself to the second core, and sleeps when there is nothing to do, as
    wrk: one that looks for answers meanwhile need not be woken, which makes the server faster."""
    command = [program(options), "load", f"http://127.0.0.1:{port}/1k", "-c", str(connections), "-d", str(seconds(options)), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "RINGLET_SPIN_US": "0"})
    if run.returncode != 0:
        raise RuntimeError(f"ringlet-compare load: {run.stderr.strip() or run.stdout}")
    found = json.loads(run.stdout)
    return {"rate": found["per_second"], **{key: found[f"{key}_ns"] for key in ("p50", "p90", "p99")}}


def wrk(options, port, connections):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds(options)}", "--latency", f"http://127.0.0.1:{port}/1k"]
    if options.load_core is not None:
        command = ["taskset", "-c", str(options.load_core), *command]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    times = {f"p{share}": float(time) * UNITS[unit] for share, time, unit in re.findall(r"^ +(\d+)% +([\d.]+)(\w+)$", text, re.M)}
    return {"rate": float(re.search(r"Requests/sec: +([\d.]+)", text)[1]), **times}


def alternating(options, port, connections):
    runs = {ours: [], wrk: []}
    for repetition in range(options.repetitions):
        for which in (ours, wrk) if repetition % 2 == 0 else (wrk, ours):
            runs[which].append(which(options, port, connections))
    return runs[ours], runs[wrk]


def column(runs, key):
    return [run[key] for run in runs]


def load(options, name):
    """Against the fastest server, where the clients are what is slow."""
    if not shutil.which("wrk"):
        return [Figure(name, "-", target="skipped: wrk is not installed")]
    with Server([program(options), "serve", "epoll", "-p", "0"], core=options.server_core) as server:
        mine, theirs = alternating(options, server.port, 64)
    ratio = statistics.median(pair_ratios(column(mine, "rate"), column(theirs, "rate")))
    return [Figure(f"{name}: requests/s", median_and_spread(column(mine, "rate"), 0), median_and_spread(column(theirs, "rate"), 0),
                   f"{ratio:.2f}", "at least 0.95", ratio >= 0.95)]


def python_with_gevent():
    for each in ("python3", "/usr/bin/python3"):
        if subprocess.run([each, "-c", "import gevent"], stderr=subprocess.DEVNULL).returncode == 0:
            return each
    return None


@contextlib.contextmanager
def gevent_server(options, python):
    port = free_port()
    pin = None if options.server_core is None else lambda: os.sched_setaffinity(0, {options.server_core})
    with tempfile.TemporaryDirectory(prefix="ringlet-bench-") as home:
        (pathlib.Path(home) / "1k").write_bytes(b"x" * 1024)
        process = subprocess.Popen([python, GEVENT, str(port), home], preexec_fn=pin)
        try:
            for _ in range(250):
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.02)
            yield port
        finally:
            process.kill()
            process.wait()


def percentiles(options, name):
    """Against a server that is so slow that the clients have time: what a request waits for wrk to write it, wrk does not count."""
    python = python_with_gevent()
    if not shutil.which("wrk") or python is None:
        return [Figure(name, "-", target="skipped: wrk or gevent is not installed")]
    with gevent_server(options, python) as port:
        mine, theirs = alternating(options, port, 64)
    figures = []
    for key in ("p50", "p90", "p99"):
        ratio = statistics.median(pair_ratios(column(mine, key), column(theirs, key)))
        figures.append(Figure(f"{name}: {key}, us", median_and_spread([each / 1e3 for each in column(mine, key)], 1),
                              median_and_spread([each / 1e3 for each in column(theirs, key)], 1), f"{ratio:.2f}", "0.95 to 1.05",
                              0.95 <= ratio <= 1.05))
    return figures


# Processor time for a request beside coroutine's, as it was measured before there was this program.
BEFORE = {"thread": 2.0, "gevent": 6.0}


def servers(options, name):
    command = [program(options), "run", "thread", "coroutine", "--scenario", "keepalive", "--json",
               "--repetitions", str(max(1, min(options.repetitions, 5)))]
    with_gevent = [*command[:2], "gevent", *command[2:]]
    run = subprocess.run(with_gevent, capture_output=True, text=True, timeout=300)
    if run.returncode != 0:
        run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    rows = {row["server"]: row for row in json.loads(run.stdout)["scenarios"][0]["rows"]}
    cost = {server: row["summary"]["cpu_per_request_ns"]["median"] for server, row in rows.items()}
    figures = []
    for server, before in BEFORE.items():
        if server not in cost:
            figures.append(Figure(f"{name}: {server}", "-", target=f"skipped: {server} is not installed"))
            continue
        ratio = cost[server] / cost["coroutine"]
        figures.append(Figure(f"{name}: CPU us/request, {server} beside coroutine", f"{cost[server] / 1e3:.2f}",
                              f"{cost['coroutine'] / 1e3:.2f}", f"{ratio:.2f}", f"{before:.1f} within 15 %",
                              abs(ratio / before - 1) <= 0.15))
    return figures


def all_figures(options, build):
    del build
    names = {"compare, load beside wrk": load, "compare, percentiles beside wrk": percentiles, "compare, servers": servers}
    return [(name, lambda measure=measure, name=name: measure(options, name)) for name, measure in names.items()]
