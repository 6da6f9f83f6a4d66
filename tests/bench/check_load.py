#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The load generator as a witness: it passes an honest echo server and fails one that flips a bit, in every mode."""
import subprocess
import sys

from server import Server

MODES = [
    ["--mode", "closed-loop", "--connections", "5", "--messages", "200"],
    ["--mode", "closed-loop", "--connections", "5", "--warm-up", "0.1", "--duration", "0.2"],
    ["--mode", "closed-loop", "--connections", "3", "--bytes", "100000", "--messages", "20"],
    ["--mode", "ping-pong", "--messages", "200", "--warm-up", "0", "--spin", "20"],
    ["--mode", "idle", "--connections", "150", "--duration", "0"],
]
DATAGRAMS = [
    ["--mode", "datagrams", "--connections", "1", "--outstanding", "32", "--messages", "500"],
    ["--mode", "datagrams", "--connections", "5", "--outstanding", "4", "--warm-up", "0.1", "--duration", "0.2"],
]


def run_load(limit, load, mode, *server_arguments):
    with Server([limit, *server_arguments]) as server:
        return subprocess.run([load, "--port", str(server.port), "--server-pid", str(server.pid), *mode],
                              capture_output=True, text=True, timeout=30)


def main():
    tcp_limit, udp_limit, load = sys.argv[1:4]
    failures = 0
    for limit, mode in [(tcp_limit, mode) for mode in MODES] + [(udp_limit, mode) for mode in DATAGRAMS]:
        honest = run_load(limit, load, mode)
        few_buffers = run_load(limit, load, mode, "--buffers", "2", "--direct")
        liar = run_load(limit, load, mode, "--corrupt-after", "20")
        for name, good, result in [
            ("honest", honest.returncode == 0 and '"errors": 0' in honest.stdout, honest),
            ("two buffers", few_buffers.returncode == 0, few_buffers),
            ("one bit flipped", liar.returncode == 1 and "wrong byte" in liar.stderr, liar),
        ]:
            print(f"{'ok' if good else 'FAILED'}: {name}: {' '.join(mode)}")
            if not good:
                failures += 1
                print(f"  exit status {result.returncode}\n  {result.stdout}  {result.stderr}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
