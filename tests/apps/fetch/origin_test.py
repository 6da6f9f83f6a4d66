# SPDX-License-Identifier: MIT
"""ringlet-fetch against a server that lies, over real sockets: the right bytes or an error, whatever it says and whoever
stops it. In the simulator the same server lies with thousands of seeds: tests/sim/programs/lying_test.cpp.

usage: origin_test.py PROGRAM ORIGIN [unittest's arguments]
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys

ORIGIN = os.path.abspath(sys.argv.pop(2))

import harness
from harness import OK

SEEDS = 24
FILES = 6


class Origin:
    """The server, and what it tells those who know that it lies."""

    def __init__(self, seed, beyond_detection):
        more = ["--beyond-detection"] if beyond_detection else []
        self.process = subprocess.Popen(
            [ORIGIN, str(seed), str(FILES), *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return [line.strip() for line in iter(self.process.stdout.readline, ".\n")]

    def versions(self):
        known = [[] for _ in range(FILES)]
        for line in self.ask("versions"):
            number, digest = line.split()
            known[int(number)].append(digest)
        return known

    def close(self):
        self.process.communicate(timeout=harness.HANGS_AFTER)


class Lies(harness.FetchCase):
    def run_once(self, origin, sums, stop_after, *options):
        """A run, which somebody may stop; gives whether all is there."""
        items = [f"{f'sha256:{sums[i]} ' if sums else ''}{origin.url}/f{i}\n" for i in range(FILES)]
        (self.base / "list").write_text("".join(items))
        process = self.start("-i", self.base / "list", "--tries", 4, "--retry-wait", "0.01", "-q", *options)
        if stop_after:
            try:
                process.wait(stop_after[1])
            except subprocess.TimeoutExpired:
                process.send_signal(stop_after[0])
        result = self.ended(process)
        self.check_files(origin, sums, result)
        return result.status == OK

    def check_files(self, origin, sums, result):
        """Nothing but what the server has had stands under a final name, and all of it after a success."""
        known = [[each] for each in sums] if sums else origin.versions()
        there = set()
        for name, content in self.files().items():
            if ".part" in name:
                continue
            number = int(name.removeprefix("f").split(".")[0])
            self.assertIn(hashlib.sha256(content).hexdigest(), known[number], f"{name}: {result.err}")
            there.add(number)
        if result.status == OK:
            self.assertEqual(len(there), FILES, result.err)
        self.assertNotIn("Sanitizer", result.err)

    def tell_story(self, seed):
        """Gives whether it ended well although the server had lied."""
        roll = random.Random(seed)
        beyond_detection = roll.random() < 0.3
        origin = Origin(seed, beyond_detection)
        try:
            sums = [each[0] for each in origin.versions()] if beyond_detection else None
            options = ["-s", roll.randint(1, 4), "-j", roll.randint(1, 5)]
            for _ in range(4):
                stop = roll.choice([None, None, signal.SIGINT, signal.SIGKILL])
                stop_after = stop and (stop, roll.uniform(0, 0.1))
                if self.run_once(origin, sums, stop_after, *options, "--stall-timeout", 0.5, "--max-time", 3):
                    return int(origin.ask("told")[0]) > 0
            origin.ask("truth")
            # Twice where only the checksum tells that a part that was there is wrong.
            honest = any(self.run_once(origin, sums, None, *options) for _ in range(2 if sums else 1))
            self.assertTrue(honest, "an honest server cannot help any more")
            return False
        finally:
            origin.close()

    def test_the_right_bytes_or_an_error(self):
        in_spite = 0
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                in_spite += self.tell_story(seed)
            shutil.rmtree(self.out)
            self.out.mkdir()
        self.assertGreater(in_spite, SEEDS / 4)


if __name__ == "__main__":
    harness.main()
