# SPDX-License-Identifier: MIT
"""ringlet-xfer get on a terminal: it asks for a name, shows a bar, and leaves the line clean."""

import os
import pty
import signal
import subprocess

import harness
from harness import INTERRUPTED, OK, PREAMBLE, USAGE, frame, hear_request, offer


class Terminal(harness.XferCase):
    def open(self, at, *arguments):
        """The program with a terminal for everything; gives it and our side."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)

        def own_terminal():
            harness.default_signals()
            os.setsid()

        process = subprocess.Popen([harness.PROGRAM, "get", at, *arguments], cwd=self.out, stdin=theirs, stdout=theirs, stderr=theirs,
                                   preexec_fn=own_terminal, env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        os.close(theirs)
        self.seen = b""
        return process, ours

    def until(self, ours, words):
        while words not in self.seen:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side is closed
                piece = b""
            if not piece:
                self.fail(f"{words!r} never came: {self.seen!r}")
            self.seen += piece

    def end(self, process, ours):
        try:
            while piece := os.read(ours, 65536):
                self.seen += piece
        except OSError:
            pass
        return process.wait(harness.HANGS_AFTER)

    def test_it_asks_for_the_name(self):
        (self.root / "a").write_bytes(b"content")
        process, ours = self.open(self.serve().at)
        self.until(ours, b"File name: ")
        os.write(ours, b"a\n")
        self.assertEqual(self.end(process, ours), OK, self.seen)
        self.assertEqual(self.files(), {"a": b"content"})

    def test_nothing_is_no_name(self):
        for said in (b"\n", b"\x04"):
            process, ours = self.open("127.0.0.1:9")
            self.until(ours, b"File name: ")
            os.write(ours, said)
            self.assertEqual(self.end(process, ours), USAGE, self.seen)
            self.assertIn(b"File name: \r\nringlet-xfer: no file name", self.seen)

    def test_ctrl_c_at_the_question(self):
        process, ours = self.open("127.0.0.1:9")
        self.until(ours, b"File name: ")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process, ours), INTERRUPTED, self.seen)
        self.assertIn(b"File name: \r\nringlet-xfer: interrupted\r\n", self.seen)

    def test_without_a_terminal_it_does_not_ask(self):
        result = self.get("127.0.0.1:9")
        self.check(result, USAGE, {}, "NAME is only asked for on a terminal")

    def test_a_bar_that_is_taken_away(self):
        def stand_still(connection):
            hear_request(connection)
            connection.sendall(PREAMBLE + offer(100) + frame(b"D", b"x" * 40))
            harness.read_all(connection)

        process, ours = self.open(harness.Peer(self, stand_still).at, "na\x1b[2Jme", "-o", "x")
        self.until(ours, b" 40%")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process, ours), INTERRUPTED, self.seen)
        self.assertIn(b"interrupted: got 40 of 100 bytes", self.seen)
        self.assertNotIn(b"\x1b[2J", self.seen)
        wiped = self.seen.rindex(b"\x1b[J")
        self.assertGreater(wiped, self.seen.rindex(b"40%"))


if __name__ == "__main__":
    harness.main()
