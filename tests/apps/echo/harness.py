# SPDX-License-Identifier: MIT
"""What every test of ringlet-echo starts from: the server, started afresh, at a port of its own.

usage of a test file: FILE_test.py PROGRAM [unittest's arguments]
"""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import unittest

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "ringlet-echo"

# No test takes nearly so long: who is not done by then hangs.
HANGS_AFTER = 60


def default_signals():
    """Whoever runs the tests may have had Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class EchoCase(unittest.TestCase):
    arguments = ()

    def start(self, *arguments, **how):
        """Starts the server; waits until it says where it is."""
        how.setdefault("stderr", subprocess.PIPE)
        how.setdefault("preexec_fn", default_signals)
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **how)
        self.addCleanup(self.end_at_all_events)
        self.first_line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"Echoing (TCP|UDP) at (.*):(\d+)\n", self.first_line)
        if not found:
            self.fail(f"said {self.first_line!r}, and then {self.process.communicate(timeout=HANGS_AFTER)}")
        self.port = int(found[3])
        return found[2]

    def end_at_all_events(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def stop(self, number=signal.SIGTERM):
        """Ends the server with a signal; gives what it said on standard error. It must end well."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=HANGS_AFTER)
        self.assertEqual(self.process.returncode, 0, err)
        self.assertEqual(out, b"")
        return err.decode() if err is not None else None

    def stderr_that_takes_nothing(self):
        """Ways to start it so that what it says is lost."""

        def close_stderr():
            default_signals()
            os.close(2)

        reader, nobody = os.pipe()
        os.close(reader)
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, nobody)
        self.addCleanup(os.close, full)
        return {"a full disk": {"stderr": full}, "nobody": {"stderr": nobody},
                "closed": {"stderr": None, "preexec_fn": close_stderr}}

    def shorten_stderr(self):
        """Leaves so little room that a few lines fill it, as long as nobody reads."""
        fcntl.fcntl(self.process.stderr, fcntl.F_SETPIPE_SZ, 4096)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=HANGS_AFTER, check=False,
                          preexec_fn=default_signals)


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
