# SPDX-License-Identifier: MIT
"""The figures of the echo server: ours and the hand-written one, in turn, under the same load."""
import json
import resource
import statistics
import subprocess

from figures import Figure, median_and_spread, pair_ratios
from server import Server

SPIN_US = 50


class Pair:
    """Our echo server and the limit's, each started afresh for every repetition."""

    def __init__(self, options, limit="bench-limit-echo", ours=("--tcp",)):
        self.options = options
        bench = options.build / "tests" / "bench"
        self.ours = [str(options.echo), *ours, "-p", "0"]
        self.limit = [str(bench / limit)]
        self.load = [str(bench / "bench-echo-load")]

    def load_once(self, server_command, load_arguments, environment=None):
        with Server(server_command, core=self.options.server_core, environment=environment) as server:
            command = self.load + ["--port", str(server.port), "--server-pid", str(server.pid), *load_arguments]
            if self.options.load_core is not None:
                command += ["--core", str(self.options.load_core)]
            result = subprocess.run(command, capture_output=True, text=True, timeout=300)
            if result.returncode != 0:
                raise RuntimeError(f"{server_command[0]}: {result.stderr.strip()}")
            if server.process.poll() is not None:
                raise RuntimeError(f"{server_command[0]} ended with {server.process.returncode}")
            return json.loads(result.stdout)

    def alternate(self, load_arguments, ours=(), limit=(), environment=None):
        timing = ["--duration", str(self.options.seconds), "--warm-up", str(self.options.seconds / 2)]
        results = [], []
        for repetition in range(self.options.repetitions):
            turns = [(self.ours + list(ours), results[0]), (self.limit + list(limit), results[1])]
            for command, into in turns if repetition % 2 == 0 else reversed(turns):
                into.append(self.load_once(command, timing + load_arguments, environment))
        return results


def values(results, key):
    return [result[key] for result in results]


def compare(name, ours, limit, *, at_most=None, at_least=None, digits=2):
    ratios = pair_ratios(ours, limit)
    ratio = statistics.median(ratios)
    target = f"at least {at_least}" if at_least is not None else f"at most {at_most}"
    met = ratio >= at_least if at_least is not None else ratio <= at_most
    return Figure(name, median_and_spread(ours, digits), median_and_spread(limit, digits),
                  median_and_spread(ratios), f"ratio {target}", met)


def closed_loop(pair, name, message_bytes, connections, within=0.05, environment=None):
    buffer_bytes = ["--buffer-bytes", str(max(4096, message_bytes))]
    ours, limit = pair.alternate(["--bytes", str(message_bytes), "--connections", str(connections)],
                                 ours=buffer_bytes if message_bytes > 4096 else [], limit=buffer_bytes,
                                 environment=environment)
    return [compare(f"{name}: requests/s", values(ours, "requests_per_second"), values(limit, "requests_per_second"),
                    at_least=1 - within, digits=0),
            compare(f"{name}: server CPU us per request", values(ours, "server_cpu_us_per_request"),
                    values(limit, "server_cpu_us_per_request"), at_most=1 + within)]


def datagrams(pairs, name, sockets, outstanding):
    """UDP: ours beside both limits, each in its own pairs."""
    figures = []
    load = ["--mode", "datagrams", "--bytes", "64", "--connections", str(sockets), "--outstanding", str(outstanding)]
    for beside, pair, at_least, cpu_at_most in pairs:
        ours, limit = pair.alternate(load)
        figures += [compare(f"{name}, beside {beside}: datagrams/s", values(ours, "requests_per_second"),
                            values(limit, "requests_per_second"), at_least=at_least, digits=0),
                    compare(f"{name}, beside {beside}: server CPU us per datagram",
                            values(ours, "server_cpu_us_per_request"), values(limit, "server_cpu_us_per_request"),
                            at_most=cpu_at_most)]
    return figures


def ping_pong(pair, name):
    spin = ["--spin", str(SPIN_US)]
    ours, limit = pair.alternate(["--mode", "ping-pong", *spin], limit=spin,
                                 environment={"RINGLET_SPIN_US": str(SPIN_US)})
    figures = [compare(f"{name}: p50 us", values(ours, "p50_us"), values(limit, "p50_us"), at_most=1.15)]
    for key, what in [("p99_us", "p99 us"), ("server_cpu_us_per_request", "server CPU us per request")]:
        figures.append(Figure(f"{name}: {what}", median_and_spread(values(ours, key)),
                              median_and_spread(values(limit, key)),
                              median_and_spread(pair_ratios(values(ours, key), values(limit, key)))))
    return figures


def idle(pair, name, at_most, ours=()):
    wanted = 500 if pair.options.short else 10_000
    connections = min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100)
    load = ["--mode", "idle", "--connections", str(connections), "--duration", "0.2"]
    ours = values([pair.load_once(pair.ours + list(ours), load)], "resident_bytes_each")
    limit = values([pair.load_once(pair.limit, load)], "resident_bytes_each")
    if connections < 10_000:
        name += f" (only {connections}: file limit)" if not pair.options.short else f" (only {connections})"
    return [Figure(name, median_and_spread(ours, 0, " B"), median_and_spread(limit, 0, " B"), "",
                   f"at most {at_most} B each", connections >= 10_000 and ours[0] <= at_most)]


def all_figures(options, build):
    pair = Pair(options)
    plain, limited = (500, 600) if build.is_clang else (600, 750)
    rows = [(f"TCP echo, {size}, {connections} connections", message_bytes, connections)
            for size, message_bytes, connections in
            [("64 B", 64, 50), ("64 B", 64, 500), ("64 B", 64, 1000), ("16 KiB", 16384, 50)]]
    figures = [(name, lambda row=(name, size, count): closed_loop(pair, *row)) for name, size, count in rows]
    epoll = Pair(options, "bench-limit-echo-epoll")
    for connections in (50, 500, 1000):
        name = f"TCP echo on the epoll engine, 64 B, {connections} connections"
        figures.append((name, lambda name=name, count=connections: closed_loop(
            epoll, name, 64, count, within=0.1, environment={"RINGLET_ENGINE": "epoll"})))
    udp = [("io_uring", Pair(options, "bench-limit-udp-uring", ours=()), 0.95, 1.05),
           ("recvmmsg", Pair(options, "bench-limit-udp-mmsg", ours=()), 0.91, 1.1)]
    for name, sockets, outstanding in [("UDP echo, 64 B, one socket with 32 under way", 1, 32),
                                       ("UDP echo, 64 B, 50 sockets with 4 under way", 50, 4)]:
        figures.append((name, lambda row=(name, sockets, outstanding): datagrams(udp, *row)))
    spin = f"TCP ping-pong, 64 B, both spin {SPIN_US} us"
    quiet, timed = "10,000 idle connections", "10,000 idle connections, time limit on recv and send"
    return figures + [(spin, lambda: ping_pong(pair, spin)),
                      (quiet, lambda: idle(pair, quiet, plain)),
                      (timed, lambda: idle(pair, timed, limited, ["--time-limit", "60"]))]
