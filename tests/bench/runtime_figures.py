# SPDX-License-Identifier: MIT
"""The figures of tasks and of the loop: bench-runtime beside the bare coroutines and the bare NOP loop."""
import json
import os
import statistics
import subprocess

from figures import Figure, median_and_spread, pair_ratios


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
        short = ["--short"] if self.options.short else []
        return self.in_turn(["bench-runtime", name, *short], *([[limit, *short]] if limit else []))

    def in_turn(self, *commands):
        measured = {}
        for _ in range(self.options.repetitions):
            for command in commands:
                for key, value in self.run(*command).items():
                    measured.setdefault(key, []).append(value)
        return measured


def judge(name, values, at_most, unit, limit=(), digits=1):
    return Figure(name, median_and_spread(values, digits, f" {unit}"),
                  median_and_spread(limit, digits, f" {unit}") if limit else "", "", f"at most {at_most} {unit}",
                  statistics.median(values) <= at_most)


def judge_ratio(name, values, limit, at_most=None):
    """Without `at_most` it is shown, and judged nowhere."""
    ratios = pair_ratios(values, limit)
    return Figure(name, median_and_spread(values, 1, " ns"), median_and_spread(limit, 1, " ns"), median_and_spread(ratios),
                  f"ratio at most {at_most}" if at_most else "",
                  statistics.median(ratios) <= at_most if at_most else None)


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


def sync(programs):
    """A bare await of what is ready: it goes through the ready queue once, as every await of ours may. One that only looks at
    a flag takes a clock cycle; it is shown, and within twice that there is not even time to look whether one is cancelled."""
    mutex = programs.alternate("mutex", "bench-limit-coroutine")
    hop = programs.alternate("hop", "bench-limit-coroutine")
    return [judge_ratio("mutex lock + unlock, uncontended", mutex["mutex"], mutex["bare_turn"], 2),
            judge_ratio("mutex lock + unlock, uncontended, beside a bare look at a flag", mutex["mutex"],
                        mutex["bare_ready_await"]),
            judge_ratio("mutex lock + unlock, uncontended, two jobs in turns", mutex["mutex_in_turns"],
                        mutex["bare_switch"]),
            judge_ratio("queue put + get, from one task to another", hop["queue_hop"], hop["bare_hop"], 2.5),
            judge_ratio("channel send + receive, from one task to another", hop["channel_hop"], hop["bare_hop"], 2.5)]


def generator(programs):
    measured = programs.in_turn(["bench-generator", *(["--short"] if programs.options.short else [])])
    return [judge_ratio("generator step, the words of a text", measured["generator_words"], measured["state_machine_words"],
                        1.5),
            judge_ratio("generator step, nothing but counting", measured["generator_step"], measured["state_machine_call"])]


def eyes(programs):
    short = ["--short"] if programs.options.short else []
    measured = programs.in_turn(["bench-eyes", *short], ["bench-eyes-closed", *short])
    figures = []
    for name, key in [("await of a turn", "eyes_turn"), ("await of a task that ends at once", "eyes_child")]:
        added = [a - b for a, b in zip(measured[key], measured[f"{key}_closed"])]
        figures.append(Figure(f"eyes: {name}, beside the runtime without them", median_and_spread(measured[key], 1, " ns"),
                              median_and_spread(measured[f"{key}_closed"], 1, " ns"),
                              f"{statistics.median(added):+.1f} ns ({min(added):.1f}-{max(added):.1f})", "adds at most 2 ns",
                              statistics.median(added) <= 2))
    return figures


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
            ("mutex, queue, channel", lambda: sync(programs)),
            ("generator", lambda: generator(programs)),
            ("eyes", lambda: eyes(programs)),
            ("awaited NOP", lambda: nop(programs)),
            ("cancel", lambda: cancel(programs)),
            ("simulation", lambda: simulation(programs)),
            ("sleepers", lambda: sleepers(programs, 260 if build.is_clang else 290))]
