# SPDX-License-Identifier: MIT
"""What every test of ringlet-fetch starts from: a server, an empty directory, and the program.

usage of a test file: FILE_test.py PROGRAM [unittest's arguments]
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from hostile_server import Server

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "ringlet-fetch"

# No test takes nearly so long: who is not done by then hangs.
HANGS_AFTER = 60
NOT_GATHERED = 32 << 10  # bytes that are written when they come

OK, FILE, NETWORK, TLS, LOGIN, PROTOCOL, STATUS, USAGE, INTERRUPTED = 0, 3, 4, 5, 6, 7, 8, 2, 130


def wait_until(holds):
    """Waits for what no one announces, such as a file that appears."""
    give_up = time.monotonic() + HANGS_AFTER
    while not holds():
        if time.monotonic() > give_up:
            raise AssertionError("it never came true")
        time.sleep(0.001)


class Ended:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err_bytes = err
        self.err = err.decode("utf-8", "replace")


class FetchCase(unittest.TestCase):
    tries = 1  # unless a test is about trying again

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="ringlet-fetch-"))
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.out = self.base / "out"
        self.out.mkdir()

    def serve(self, path, what):
        """Sets what the server answers to a path; gives the URL."""
        self.server.routes[path] = what
        return self.server.url(path)

    def start(self, *arguments, **how):
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("stderr", subprocess.PIPE)
        how.setdefault("cwd", self.out)
        # Whoever runs the tests may have had Ctrl-C ignored.
        how.setdefault("preexec_fn", lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
        how.setdefault("stdin", subprocess.DEVNULL)
        tries = [] if "--tries" in arguments else ["--tries", str(self.tries)]
        return subprocess.Popen([PROGRAM, *tries, *map(str, arguments)], **how)

    def ended(self, process):
        try:
            out, err = process.communicate(timeout=HANGS_AFTER)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"hangs; it said: {err!r}")
        return Ended(process.returncode, out or b"", err or b"")

    def fetch(self, *arguments, **how):
        return self.ended(self.start(*arguments, **how))

    def files(self):
        """What stands in the directory: names, and contents of regular files."""
        return {
            path.name: path.read_bytes() if path.is_file() and not path.is_symlink() else None for path in self.out.iterdir()
        }

    def check(self, result, status, files=None, says=()):
        """The exit status, exactly these files, these words on standard error."""
        self.assertEqual(result.status, status, result.err)
        if files is not None:
            here = self.files()
            self.assertEqual(sorted(here), sorted(files), result.err)
            for name, content in files.items():
                self.assertTrue(here[name] == content, f"{name}: other bytes")
        for words in [says] if isinstance(says, str) else says:
            self.assertIn(words, result.err)
        self.assertNotIn("\x1b", result.err)
        for line in result.err.splitlines():
            self.assertFalse(line.startswith("=="), result.err)  # a sanitizer's report


def main():
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
