# SPDX-License-Identifier: MIT
"""What every test of ringlet-chat starts from: chats on pipes, and plain sockets that talk to them.

usage of a test file: FILE_test.py PROGRAM [unittest's arguments]
"""

import os
import re
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
import unittest

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "ringlet-chat"

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


class Hearing:
    """What a descriptor says, in the order in which it comes; waits for what is expected, never longer."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.bytes = b""

    def more(self, give_up):
        """Reads once; False at the end."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.descriptor, selectors.EVENT_READ)
            if not waiting.select(max(0, give_up - time.monotonic())):
                raise AssertionError(f"only this came: {self.bytes!r}")
        try:
            part = os.read(self.descriptor, 1 << 16)
        except OSError:  # a terminal whose other side has closed
            return False
        self.bytes += part
        return bool(part)

    def listen(self):
        """Reads what is there already."""
        while select.select([self.descriptor], [], [], 0)[0] and self.more(time.monotonic()):
            pass

    def until(self, expected):
        """Waits until `expected` is there; gives all that came."""
        give_up = time.monotonic() + HANGS_AFTER
        while expected not in self.bytes:
            if not self.more(give_up):
                raise AssertionError(f"{expected!r} did not come, but {self.bytes!r}")
        return self.bytes

    def to_end(self):
        give_up = time.monotonic() + HANGS_AFTER
        while self.more(give_up):
            pass
        return self.bytes


class Chat:
    """A chat on pipes."""

    def __init__(self, case, *arguments):
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, preexec_fn=default_signals)
        case.addCleanup(self.end_at_all_events)
        self.out = Hearing(self.process.stdout.fileno())
        self.err = Hearing(self.process.stderr.fileno())
        self.port = int(re.search(rb" port (\d+)", self.err.until(b".\n"))[1])

    def end_at_all_events(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def say(self, line):
        self.process.stdin.write((line if isinstance(line, bytes) else line.encode()) + b"\n")
        self.process.stdin.flush()

    def status(self):
        return self.process.wait(timeout=HANGS_AFTER)

    def end_input(self):
        """Ends the input; gives the exit status and what was said after that."""
        self.process.stdin.close()
        return self.status()


class ChatCase(unittest.TestCase):
    def chat(self, *arguments):
        return Chat(self, *arguments)

    def peer(self, host="127.0.0.1", port=0):
        """A plain socket."""
        peer = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(peer.close)
        peer.bind((host, port))
        peer.settimeout(HANGS_AFTER)
        return peer

    def name_of(self, peer):
        address = peer.getsockname()
        return f"[{address[0]}]:{address[1]}" if peer.family == socket.AF_INET6 else f"{address[0]}:{address[1]}"


def run(*arguments, input_bytes=b""):
    return subprocess.run([PROGRAM, *map(str, arguments)], input=input_bytes, capture_output=True, timeout=HANGS_AFTER, check=False,
                          preexec_fn=default_signals)


def free_port():
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
