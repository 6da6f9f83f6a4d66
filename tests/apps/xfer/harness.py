# SPDX-License-Identifier: MIT
"""What every test of ringlet-xfer starts from: a directory to serve, an empty one, the programs, and peers that speak the protocol.

usage of a test file: FILE_test.py PROGRAM [unittest's arguments]
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "ringlet-xfer"

# No test takes nearly so long: who is not done by then hangs.
HANGS_AFTER = 60

OK, OTHER, USAGE, FILE, NETWORK, PROTOCOL, STATUS, CHECKSUM, INTERRUPTED = 0, 1, 2, 3, 4, 7, 8, 10, 130
PREAMBLE = b"RINGXFER\0\1"


def frame(kind, payload=b""):
    return kind + struct.pack(">I", len(payload)) + payload


def request(name, offset=0, prefix=bytes(32)):
    return PREAMBLE + frame(b"G", struct.pack(">Q", offset) + prefix + name)


def offer(size, start=0):
    return frame(b"O", struct.pack(">QQqI", size, start, 1_700_000_000, 0))


def end(digest, status=0):
    return frame(b"E", struct.pack(">H", status) + digest)


def default_signals():
    """Whoever runs the tests may have had Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_until(holds):
    """Waits for what no one announces, such as a file that appears."""
    give_up = time.monotonic() + HANGS_AFTER
    while not holds():
        if time.monotonic() > give_up:
            raise AssertionError("it never came true")
        time.sleep(0.001)


def read_all(peer):
    """Everything to the end of the stream."""
    heard = bytearray()
    while piece := peer.recv(1 << 20):
        heard += piece
    return bytes(heard)


def read_all_but(peer, bytes_, exactly=False):
    """What comes until the end frame, which is the last; or exactly so many bytes."""
    heard = bytearray()
    while (len(heard) < bytes_) if exactly else (heard[-39:-32] != b"E\0\0\0\x22\0\0"):
        piece = peer.recv(1 << 20)
        if not piece:
            raise AssertionError(f"the end came after {len(heard)} bytes")
        heard += piece
    return bytes(heard)


class Ended:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")


class Serve:
    """A running server; `log` is what it has said on standard output after its first line."""

    def __init__(self, case, root, *arguments, **how):
        how.setdefault("preexec_fn", default_signals)
        self.process = subprocess.Popen([PROGRAM, "serve", str(root), "-p", "0", *map(str, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
        case.addCleanup(self.end_at_all_events)
        first = self.process.stdout.readline().decode()
        found = re.fullmatch(r"Serving (.*) at (.*):(\d+)\n", first)
        if not found:
            case.fail(f"said {first!r}, and then {self.process.communicate(timeout=HANGS_AFTER)}")
        self.case, self.port = case, int(found[3])
        self.at = f"127.0.0.1:{self.port}"

    def end_at_all_events(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()

    def line(self):
        """The next line of the log."""
        return self.process.stdout.readline().decode()

    def stop(self, number=signal.SIGTERM):
        """Ends it with a signal; gives the rest of the log, and what it said on standard error. It must end well."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=HANGS_AFTER)
        self.case.assertEqual(self.process.returncode, 0, err)
        for line in err.decode().splitlines():
            self.case.assertFalse(line.startswith("=="), err)  # a sanitizer's report
        return out.decode(), err.decode()

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=HANGS_AFTER)
        self.case.addCleanup(peer.close)
        return peer

    def ask(self, bytes_):
        """All that it answers."""
        peer = self.connect()
        peer.sendall(bytes_)
        peer.shutdown(socket.SHUT_WR)
        return read_all(peer)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Peer:
    """A server of ours that does with each connection what `handle(socket)` does."""

    def __init__(self, case, handle):
        self.handle = handle
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.at = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        case.addCleanup(self.close)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            connection.settimeout(HANGS_AFTER)
            try:
                self.handle(connection)
            except OSError:
                pass
            connection.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(HANGS_AFTER)


def hear_request(connection):
    """A whole request; gives name, offset and digest."""
    heard = b""
    while len(heard) < 15 or len(heard) < 15 + struct.unpack(">I", heard[11:15])[0]:
        piece = connection.recv(4096)
        if not piece:
            raise OSError("no request")
        heard += piece
    return heard[55:], struct.unpack(">Q", heard[15:23])[0], heard[23:55]


class XferCase(unittest.TestCase):
    def setUp(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="ringlet-xfer-"))
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.root, self.out = self.base / "root", self.base / "out"
        self.root.mkdir()
        self.out.mkdir()

    def serve(self, *arguments, **how):
        return Serve(self, self.root, *arguments, **how)

    def start(self, at, *arguments, **how):
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("stderr", subprocess.PIPE)
        how.setdefault("cwd", self.out)
        how.setdefault("preexec_fn", default_signals)
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([PROGRAM, "get", at, *map(str, arguments)], **how)

    def ended(self, process):
        try:
            out, err = process.communicate(timeout=HANGS_AFTER)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"hangs; it said: {err!r}")
        return Ended(process.returncode, out or b"", err or b"")

    def get(self, at, *arguments, **how):
        return self.ended(self.start(at, *arguments, **how))

    def files(self):
        return {path.name: path.read_bytes() for path in self.out.iterdir()}

    def check(self, result, status, files, says=()):
        """The exit status, exactly these files, these words on standard error."""
        self.assertEqual(result.status, status, result.err)
        here = self.files()
        self.assertEqual(sorted(here), sorted(files), result.err)
        for name, content in files.items():
            self.assertTrue(here[name] == content, f"{name}: other bytes")
        for words in [says] if isinstance(says, str) else says:
            self.assertIn(words, result.err)
        self.assertNotIn("\x1b", result.err + result.out)
        for line in result.err.splitlines():
            self.assertFalse(line.startswith("=="), result.err)  # a sanitizer's report


def main():
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
