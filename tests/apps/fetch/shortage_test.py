# SPDX-License-Identifier: MIT
"""ringlet-fetch where descriptors or memory are short: each download fails by itself, and what is complete is kept."""

import json
import os
import re
import resource
import shutil
import subprocess

import harness
from harness import FILE, OK, PROGRAM
from hostile_server import response

CANNOT_RUN = 1
MIB = 1 << 20


def limited(what, amount):
    return lambda: resource.setrlimit(what, (amount, amount))


class Shortage(harness.FetchCase):
    def fetch_many(self, count, *options, **how):
        """Fetches so many files; checks that each is there, or said not to be, and that nothing else is."""
        body = b"x" * 300_000
        urls = [self.serve(f"/{i}", response(body)) for i in range(count)]
        result = self.fetch(*options, *urls, **how)
        here = self.files()
        unsaid = 0
        for i, url in enumerate(urls):
            file = here.pop(str(i), None)
            self.assertIn(file, (None, body))
            said = f"ringlet-fetch: {url}: " in result.err
            self.assertFalse(said and file, result.err)
            unsaid += not said and not file
        self.assertEqual(here, {}, result.err)
        # Where there is no memory for a line, there is one for how many are missing.
        missing = sum(int(n) for n in re.findall(r"(\d+) lines? (?:is|are) missing here", result.err))
        self.assertLessEqual(unsaid, missing, result.err)
        for name in self.files():
            (self.out / name).unlink()
        return result

    def test_every_number_of_descriptors(self):
        if self.least_memory() is None:
            self.skipTest("a sanitizer needs descriptors of its own, at any time")
        statuses = []
        while not statuses or statuses[-1] != OK:
            limit = 4 + len(statuses)
            url = self.serve("/x", response(b"x" * 1000))
            result = self.fetch("-j", 1, url, preexec_fn=limited(resource.RLIMIT_NOFILE, limit))
            self.assertIn(result.status, (CANNOT_RUN, FILE, OK), result.err)
            self.check(result, result.status, {"x": b"x" * 1000} if result.status == OK else {})
            if result.status == FILE:
                self.assertIn("Too many open files", result.err)
            self.assertNotIn(": write x.part", result.err)  # all had come: nothing may fail any more
            statuses.append(result.status)
        self.assertIn(FILE, statuses)

    def test_fewer_descriptors_than_jobs(self):
        result = self.fetch_many(40, "-j", 40, preexec_fn=limited(resource.RLIMIT_NOFILE, 32))
        self.assertEqual(result.status, OK, result.err)

    # Files are written by threads; where there can be none what the program says still reaches a file.
    def test_no_thread(self):
        nobody = 65534
        program = self.base / "program"
        shutil.copy(PROGRAM, program)
        for place in (self.base, self.out):
            place.chmod(0o777)

        def alone():
            resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
            if os.geteuid() == 0:  # whom that limit does not concern
                os.setgroups([])
                os.setgid(nobody)
                os.setuid(nobody)

        good, bad = self.serve("/x", response(b"x")), self.serve("/bad", response(b"", "404 Not Found"))
        for engine in ("uring", "epoll"):
            with open(self.base / "said", "w+b") as said, open(self.base / "events", "w+b") as events:
                command = [str(program), "--json", "--tries", "1", good, bad]
                environment = {**os.environ, "RINGLET_ENGINE": engine}
                subprocess.run(command, cwd=self.out, env=environment, stdout=events, stderr=said, preexec_fn=alone, timeout=harness.HANGS_AFTER)
                said.seek(0)
                events.seek(0)
                words, lines = said.read().decode(), events.read().decode().splitlines()
            if "io_uring" in words and engine == "uring":
                continue  # there is none here
            self.assertIn(f"ringlet-fetch: {bad}: the server answered 404 Not Found\n", words)
            self.assertIn("failed", words)
            self.assertEqual(json.loads(lines[-1])["event"], "summary")

    def least_memory(self):
        """With how much address space the program starts at all; None under a sanitizer, which needs terabytes."""
        for limit in range(4 * MIB, 64 * MIB, MIB // 2):
            try:
                started = subprocess.run([PROGRAM, "--version"], capture_output=True, preexec_fn=limited(resource.RLIMIT_AS, limit))
            except OSError:  # not even exec
                continue
            if started.returncode == OK:
                return limit
        return None

    def test_little_memory(self):
        least = self.least_memory()
        if least is None:
            self.skipTest("this build needs more memory than there is to limit")
        short = 0
        for extra in range(2, 14):
            result = self.fetch_many(100, "-j", 100, preexec_fn=limited(resource.RLIMIT_AS, least + extra * MIB))
            self.assertIn(result.status, (FILE, OK), result.err)
            said, _, table = result.err.partition("ringlet-fetch: not saved:\n")
            for line in said.splitlines() + table.splitlines()[:-1]:
                self.assertTrue(line.endswith(("out of memory", "Cannot allocate memory", " more", "nobody took them")) or " in " in line, line)
            short += result.status == FILE
        self.assertGreater(short, 0)


harness.main()
