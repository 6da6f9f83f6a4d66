# SPDX-License-Identifier: MIT
"""Sums up Meson's test logs, and shows what failed.

usage: summary.py [--tally FILE] LOG.json...

Prints a line for each suite, the output of each failed test, and `N passed, N failed` at the end; with --tally it adds
"passed failed skipped" to that file instead of printing the end line. Exits with 1 if a test failed or none was run.
"""

import argparse
import collections
import json
import pathlib
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP", "IGNORED"}
SHOWN_LINES = 60  # of a failed test's output


def read(log):
    """The entries of a Meson log (one JSON object a line); none if the file is not there."""
    path = pathlib.Path(log)
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(errors="replace").splitlines() if line.strip()]


def outcome(entry):
    if entry["result"] in PASSED:
        return "passed"
    return "skipped" if entry["result"] in SKIPPED else "failed"


def suite_of(entry):
    """Meson writes `suite+suite / name`; with one project it drops the project's name or puts it first."""
    head, separator, _ = entry["name"].partition(" / ")
    if not separator:
        return "all"
    return head.split(":", 1)[-1]


def show_failure(entry, log):
    print(f"--- {entry['name']}: {entry['result'].lower()} (status {entry.get('returncode')}, {entry['duration']:.1f} s)")
    output = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    lines = output.rstrip().splitlines()
    if len(lines) > SHOWN_LINES:
        print(f"    ... {len(lines) - SHOWN_LINES} lines before these are in {log}")
    for line in lines[-SHOWN_LINES:]:
        print(f"    {line}")


def show_skip(entry):
    output = ((entry.get("stdout") or "") + (entry.get("stderr") or "")).strip().splitlines()
    print(f"    skipped: {entry['name']}" + (f": {output[-1].strip()}" if output else ""))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--tally")
    arguments.add_argument("logs", nargs="+")
    options = arguments.parse_args()

    suites = collections.defaultdict(collections.Counter)
    total = collections.Counter()
    seconds = collections.Counter()
    failed, skipped = [], []
    for log in options.logs:
        for entry in read(log):
            suite, result = suite_of(entry), outcome(entry)
            suites[suite][result] += 1
            seconds[suite] += entry["duration"]
            total[result] += 1
            if result == "failed":
                failed.append((entry, log))
            elif result == "skipped":
                skipped.append(entry)
    if not total:
        print(f"no test was run: no results in {', '.join(options.logs)}")
        total["failed"] = 1

    for suite in sorted(suites):
        count = suites[suite]
        text = ", ".join(f"{count[word]} {word}" for word in ("passed", "failed", "skipped") if count[word])
        print(f"  {suite:<16} {text} ({seconds[suite]:.1f} s)")
    for entry in skipped:
        show_skip(entry)
    for entry, log in failed:
        show_failure(entry, log)
    if options.tally:
        with open(options.tally, "a", encoding="utf-8") as tally:
            tally.write(f"{total['passed']} {total['failed']} {total['skipped']}\n")
    else:
        print(f"{total['passed']} passed, {total['failed']} failed" + (f", {total['skipped']} skipped" if total["skipped"] else ""))
    sys.stdout.flush()
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
