#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the runtime's figures beside those of the limit programs, alternating, and says which targets are met.

A missed speed is shown, and fails only with --strict; a wrong byte or a crash always fails.
RINGLET_BENCH_SHORT=1: seconds instead of minutes; checks that everything works and judges no speed.
"""
import argparse
import os
import pathlib
import re
import resource
import sys

import compare_figures
import echo_figures
import fetch_figures
import runtime_figures
import serve_figures
import xfer_figures
from congestion import congestion_control
from figures import Figure, markdown_table, read_build, surroundings, text_table


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build directory")
    parser.add_argument("--echo", type=pathlib.Path, help="the echo server (default: ringlet-echo of the build)")
    parser.add_argument("--serve", type=pathlib.Path, help="the HTTP server (default: ringlet-serve of the build)")
    parser.add_argument("--fetch", type=pathlib.Path, help="the downloader (default: ringlet-fetch of the build)")
    parser.add_argument("--xfer", type=pathlib.Path, help="the file transfer (default: ringlet-xfer of the build)")
    parser.add_argument("--congestion", metavar="NAME",
                        help="TCP congestion control of the whole run, on every side (as root: sets and restores the sysctl)")
    parser.add_argument("--repetitions", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.7, help="measured in each repetition")
    parser.add_argument("--only", default="", help="figures whose name matches this regular expression, in capitals or not")
    parser.add_argument("--strict", action="store_true", help="a missed target fails")
    parser.add_argument("--markdown", type=pathlib.Path, help="also write the table there")
    options = parser.parse_args()
    options.echo = options.echo or options.build / "apps" / "echo" / "ringlet-echo"
    options.serve = options.serve or options.build / "apps" / "serve" / "ringlet-serve"
    options.fetch = options.fetch or options.build / "apps" / "fetch" / "ringlet-fetch"
    options.xfer = options.xfer or options.build / "apps" / "xfer" / "ringlet-xfer"
    options.short = os.environ.get("RINGLET_BENCH_SHORT", "") not in ("", "0")
    if options.short:
        options.repetitions, options.seconds = 1, 0.2
    cores = sorted(os.sched_getaffinity(0))
    options.server_core, options.load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    return options


def measure_all(options, build):
    figures = []
    suites = (echo_figures, serve_figures, fetch_figures, xfer_figures, compare_figures, runtime_figures)
    for name, measure in [figure for suite in suites for figure in suite.all_figures(options, build)]:
        if not re.search(options.only, name, re.IGNORECASE):
            continue
        print(f"... {name}", file=sys.stderr, flush=True)
        try:
            figures += measure()
        except Exception as error:  # one broken program must not hide the other figures
            figures.append(Figure(name, "-", failure=f"{type(error).__name__}: {error}"))
    return figures


def main():
    options = parse_arguments()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    build = read_build(options.build)
    with congestion_control(options.congestion):
        figures = measure_all(options, build)
        remarks = surroundings(build) + runtime_figures.machine(options)
    judging = build.is_optimized and not options.short
    if not judging:
        remarks.append("a short or unoptimized run: no speed was judged")
        for figure in figures:
            figure.met = None
    print("\n".join(remarks), text_table(figures), sep="\n\n")
    if options.markdown:
        listed = "\n".join(f"- {remark}" for remark in remarks)
        options.markdown.write_text(f"{listed}\n\n{markdown_table(figures)}\n")
    missed = [figure.name for figure in figures if figure.met is False]
    failed = [f"{figure.name}: {figure.failure}" for figure in figures if figure.failure]
    print(f"\n{len(figures)} figures, {len(missed)} targets not met, {len(failed)} failed")
    print(*(f"FAILED: {text}" for text in failed), sep="\n", end="\n" if failed else "")
    return 1 if failed or (missed and options.strict) else 0


if __name__ == "__main__":
    sys.exit(main())
