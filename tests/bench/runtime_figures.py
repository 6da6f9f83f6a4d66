# SPDX-License-Identifier: MIT
"""The figures of tasks and of the loop: bench-runtime beside the bare coroutines and the bare NOP loop."""
import json
import os
import statistics
import subprocess

from figures import Figure, median_and_spread


class Programs:
    def __init__(self, options):
        self.options = options
        self.directory = options.build / "tests" / "bench"

    def run(self, program, *arguments):
        """The median of each figure that the program prints, by name."""
        core = self.options.server_core
        pin = None if core is None else lambda: os.sched_setaffinity(0, {core})
        result = subprocess.run([self.directory / program, *arguments], capture_output=True, text=True, timeout=300,
                                preexec_fn=pin)
        if result.returncode != 0:
            raise RuntimeError(f"{program} {' '.join(arguments)}: status {result.returncode} {result.stderr.strip()}")
        return {line["name"]: line["median"] for line in map(json.loads, result.stdout.splitlines())}

    def ours(self, name):
        return self.run("bench-runtime", name, *(["--short"] if self.options.short else []))

    def alternate(self, name, limit=None):
        """Fresh processes, in turn; lists of values by figure."""
        measured = {}
        for _ in range(self.options.repetitions):
            for result in [self.ours(name), limit and self.run(limit, *(["--short"] if self.options.short else []))]:
                for key, value in (result or {}).items():
                    measured.setdefault(key, []).append(value)
        return measured


def judge(name, values, at_most, unit, limit=(), digits=1):
    return Figure(name, median_and_spread(values, digits, f" {unit}"),
                  median_and_spread(limit, digits, f" {unit}") if limit else "", "", f"at most {at_most} {unit}",
                  statistics.median(values) <= at_most)


def spawn(programs):
    programs.ours("spawn-million")  # not counted: pages that are new to a virtual machine cost its host's time
    batch = programs.alternate("spawn", "bench-limit-coroutine")
    million = programs.alternate("spawn-million")
    return [judge("spawn + join, batches of 1,000", batch["spawn_join_1000"], 35, "ns", batch["bare_spawn_join_1000"]),
            judge("spawn + join, 1,000,000 alive, pool warm", million["spawn_join_1m_warm"], 120, "ns",
                  batch["bare_spawn_join_1m_warm"]),
            judge("spawn + join, 1,000,000 alive, fresh process", million["spawn_join_1m_fresh"], 160, "ns",
                  batch["bare_spawn_join_1m_fresh"])]


def switch(programs):
    measured = programs.alternate("switch", "bench-limit-coroutine")
    return [judge("switch between two ready tasks", measured["switch"], 6, "ns", measured["bare_switch"])]


def nop(programs):
    measured = programs.alternate("nop")
    figures = []
    for in_flight in (1, 64):
        added = measured[f"nop_{in_flight}_added"]
        figures.append(Figure(f"awaited NOP, {in_flight} in flight",
                              median_and_spread(measured[f"nop_{in_flight}"], 1, " ns"),
                              median_and_spread(measured[f"bare_nop_{in_flight}"], 1, " ns"),
                              f"+{median_and_spread(added, 1, ' ns')}", "adds at most 10 ns",
                              statistics.median(added) <= 10))
    return figures


def cancel(programs):
    measured = programs.alternate("cancel")
    return [judge("cancel through 3 frames + join", measured["cancel_3_frames"], 4000, "ns", digits=0)]


def simulation(programs):
    measured = programs.alternate("simulation")["simulation"]
    return [Figure("operations in the simulated kernel, with faults", median_and_spread(measured, 0, " /s"), "", "",
                   "at least 300,000 /s", statistics.median(measured) >= 300_000)]


def sleepers(programs, bytes_at_most):
    programs.ours("sleepers")  # not counted, as above
    measured = programs.alternate("sleepers", "bench-limit-sleepers")
    block = programs.ours("sizes")["control_block"]
    return [judge("1,000,000 sleepers of 0 to 1 s, resident each", measured["sleepers_resident"], bytes_at_most, "B",
                  measured["bare_sleepers_resident"]),
            judge("1,000,000 sleepers of 0 to 1 s, wall", measured["sleepers_wall"], 1.3, "s",
                  measured["bare_sleepers_wall"], digits=3),
            Figure("control block of a job", f"{block:.0f} B")]


def machine(options):
    """What a system call and a fresh page cost here: fresh processes and sleepers cannot be read without them."""
    try:
        return [f"{name}: {value:.0f} ns" for name, value in Programs(options).run("bench-limit-machine").items()]
    except (OSError, RuntimeError) as error:
        return [f"machine: {error}"]


def all_figures(options, build):
    programs = Programs(options)
    return [("spawn + join", lambda: spawn(programs)),
            ("switch", lambda: switch(programs)),
            ("awaited NOP", lambda: nop(programs)),
            ("cancel", lambda: cancel(programs)),
            ("simulation", lambda: simulation(programs)),
            ("sleepers", lambda: sleepers(programs, 260 if build.is_clang else 290))]
