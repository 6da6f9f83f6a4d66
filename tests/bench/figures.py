# SPDX-License-Identifier: MIT
"""Figures: what was measured, what it is compared with, what it should be; and the tables of them."""
import json
import os
import pathlib
import re
import shlex
import statistics
import subprocess
from dataclasses import dataclass


@dataclass
class Figure:
    name: str
    ours: str
    limit: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None  # None: there is nothing to meet, or this run does not judge
    failure: str = ""  # wrong bytes, a crash: not a matter of speed

    def verdict(self):
        if self.failure:
            return "FAILED"
        return {None: "", True: "met", False: "not met"}[self.met]

    def cells(self):
        return [self.name, self.ours, self.limit, self.ratio, self.target, self.verdict()]


HEAD = ["figure", "ours", "limit", "ratio", "target", ""]


def median_and_spread(values, digits=2, unit=""):
    """Never one number: the median, and from where to where."""
    middle = f"{statistics.median(values):.{digits}f}{unit}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def pair_ratios(ours, limit):
    """By pairs: what was measured side by side suffered from the same neighbours."""
    return [a / b for a, b in zip(ours, limit)]


def text_table(figures):
    rows = [HEAD] + [figure.cells() for figure in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def markdown_table(figures):
    rows = [HEAD, ["---"] * len(HEAD)] + [figure.cells() for figure in figures]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def first_match(path, name):
    try:
        for line in pathlib.Path(path).read_text().splitlines():
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown"


def read_json(path, default):
    try:
        return json.loads(pathlib.Path(path).read_text())
    except (OSError, ValueError):
        return default


@dataclass
class Build:
    compiler: str
    flags: str
    is_clang: bool
    is_optimized: bool


def read_build(build_root):
    """The compiler and its flags as they were used, from a compile command of this directory's programs."""
    commands = read_json(pathlib.Path(build_root) / "compile_commands.json", [])
    ours = [entry["command"] for entry in commands if entry["file"].endswith("bench/common/measure.cpp")]
    if not ours:
        return Build("unknown compiler", "unknown", True, False)
    words = shlex.split(ours[0])
    first_flag = next(i for i, word in enumerate(words) if word.startswith("-"))
    flags = [word for word in words if re.match(r"-(O|std=|m|f(?!color-diagnostics|diagnostics|PIC)|DNDEBUG|D_GLIBCXX|g)", word)]
    version = subprocess.run(words[:first_flag] + ["--version"], capture_output=True, text=True)
    compiler = version.stdout.splitlines()[0] if version.returncode == 0 and version.stdout else words[0]
    sanitized = any(word.startswith("-fsanitize") for word in flags)
    return Build(compiler, " ".join(flags), "clang" in compiler, not sanitized and bool({"-O2", "-O3"} & set(flags)))


def surroundings(build):
    kernel = os.uname()
    congestion = "unknown"
    try:
        congestion = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    except OSError:
        pass
    return [f"kernel: {kernel.sysname} {kernel.release} {kernel.machine}",
            f"CPU: {first_match('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} usable",
            f"compiler: {build.compiler}",
            f"flags: {build.flags}",
            f"TCP congestion control, on both sides of each comparison: {congestion}"]
