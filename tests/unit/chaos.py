# SPDX-License-Identifier: MIT
"""Runs a unit test program with chaos before its engines (testing/chaos_engine.hpp), once for each seed.

usage: chaos.py [--seeds N] PROGRAM...

N is 8, or what RINGLET_CHAOS_SEEDS says.

Test cases marked [orderly] are left out: they count on reads that are not short, or on what comes first.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys

HANGS_AFTER = 120
AT_ONCE = 4  # most of what they do is wait


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("RINGLET_CHAOS_SEEDS", "8")))
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    runs = [(seed, program) for seed in range(1, options.seeds + 1) for program in options.programs]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [said for said in pool.map(lambda each: run(*each), runs) if said]
    for said in failures:
        print(said)
    print(f"{options.seeds} seeds, {len(failures)} runs failed")
    return 1 if failures else 0


def run(seed, program):
    """What went wrong, or nothing."""
    try:
        done = subprocess.run([program, "~[orderly]"], env={**os.environ, "RINGLET_CHAOS": str(seed)},
                              capture_output=True, text=True, timeout=HANGS_AFTER)
    except subprocess.TimeoutExpired as hangs:
        return f"RINGLET_CHAOS={seed} {program}: no end after {HANGS_AFTER} s\n{(hangs.stdout or b'').decode()}"
    if done.returncode not in (0, 77):
        return f"RINGLET_CHAOS={seed} {program}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return None


if __name__ == "__main__":
    sys.exit(main())
