# SPDX-License-Identifier: MIT
"""What every test of ringlet-serve starts from: a directory, the program, and connections that say exactly what they are told.

usage of a test file: FILE_test.py PROGRAM [unittest's arguments]
"""

import ctypes
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

# AddressSanitizer keeps what was freed, which would count as the server's memory.
os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=8"]))
PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "ringlet-serve"

# No step takes nearly so long: who is not done by then hangs.
HANGS_AFTER = 30

BIG_BYTES = 8 * 1024 * 1024  # more than the buffers between the server and a client that does not read


def wait_until(holds):
    """Waits for what no one announces, such as a descriptor that is closed."""
    give_up = time.monotonic() + HANGS_AFTER
    while not holds():
        if time.monotonic() > give_up:
            raise AssertionError("it never came true")
        time.sleep(0.001)


def pattern(size):
    """Bytes that tell where they stand."""
    return b"".join(struct.pack(">I", i) for i in range((size + 3) // 4))[:size]


def get(path="/a.txt", *fields, method="GET", version="1.1"):
    """A request's head, as bytes. Fields are added to Host."""
    target = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
    lines = [b"%s %s HTTP/%s" % (method.encode(), target, version.encode()), b"Host: h"]
    return b"\r\n".join(lines + [f.encode("latin-1") for f in fields]) + b"\r\n\r\n"


def without_privileges():
    """For a program that is to be refused what its permissions refuse, even when root runs the tests."""
    drop, override, read_search = 24, 1, 2  # prctl(2): PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    libc = ctypes.CDLL(None)
    if os.geteuid() == 0 and (libc.prctl(drop, override, 0, 0, 0) or libc.prctl(drop, read_search, 0, 0, 0)):
        raise OSError("prctl")


class Response:
    def __init__(self, status, version, fields, body):
        self.status = status
        self.version = version
        self.fields = fields
        self.body = body

    def __getitem__(self, name):
        return self.fields.get(name.lower())


class Connection:
    """A client's end that reads answers strictly and sends what it is told, byte by byte if need be."""

    def __init__(self, address, receive_buffer=None, tls=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(HANGS_AFTER)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(address)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.unread = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def finish(self):
        """Closes this half only."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        """Closes with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def more(self):
        data = self.socket.recv(1 << 20)
        self.unread += data
        return bool(data)

    def take(self, size):
        while len(self.unread) < size:
            if not self.more():
                raise AssertionError(f"ended after {len(self.unread)} of {size} bytes")
        data = bytes(self.unread[:size])
        del self.unread[:size]
        return data

    def read(self, method="GET"):
        """The next answer; None when the connection has ended instead."""
        while b"\r\n\r\n" not in self.unread:
            if not self.more():
                if self.unread:
                    raise AssertionError(f"a head that is cut: {self.unread!r}")
                return None
        head = self.take(self.unread.index(b"\r\n\r\n") + 4).decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        version, status = first.split(" ")[:2]
        fields = {}
        for line in lines:
            name, value = line.split(": ", 1)
            if name.lower() in fields:
                raise AssertionError(f"twice: {name}")
            fields[name.lower()] = value
        bodiless = method == "HEAD" or status[0] == "1" or status in ("204", "304")
        body = b"" if bodiless else self.take(int(fields["content-length"]))
        return Response(int(status), version, fields, body)

    def ended(self):
        """Whether nothing more comes and the server has closed."""
        try:
            return not self.unread and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


    def ended_at_once(self):
        """Whether the server closes instead of answering."""
        try:
            self.send(get())
            return self.read() is None
        except OSError:
            return True


class Server:
    """The program, serving `root`."""

    def __init__(self, root, *arguments, port=0, files_max=None, privileged=True, **how):
        def prepare():
            if not privileged:
                without_privileges()
            # Whoever runs the tests may have had Ctrl-C ignored.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if files_max:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))

        how.setdefault("stdout", subprocess.PIPE)
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [PROGRAM, str(root), "--port", str(port), *arguments], stdin=subprocess.DEVNULL, stderr=self.errors, preexec_fn=prepare, **how
        )
        self.address = None
        if self.process.stdout:
            self.first_line = self.process.stdout.readline().decode()
            if "://" in self.first_line:
                host, port = self.first_line.strip().removesuffix("/").rsplit("://")[1].rsplit(":", 1)
                self.address = (host.strip("[]"), int(port))

    def connect(self, **how):
        return Connection(self.address, **how)

    def ask(self, request, method="GET"):
        """One answer on a connection of its own."""
        with self.connect() as c:
            return c.send(request).read(method)

    def get(self, path, *fields):
        return self.ask(get(path, *fields))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_bytes(self):
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    def busy_ns(self):
        """What each thread has computed so far, by its id; the loop's has the process's."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return {int(task.name): int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()}

    def wait(self):
        """The exit status, what it printed after its first line, and what it complained of."""
        out = self.process.communicate(timeout=HANGS_AFTER)[0] or b""
        return self.process.returncode, out.decode("utf-8", "replace"), self.complaints()

    def complaints(self):
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.wait()

    def kill(self):
        self.process.kill()
        self.process.communicate()
        self.errors.close()


class ServeCase(unittest.TestCase):
    """`fill` makes the site once for all cases of a class; they share one server, which must end cleanly."""

    arguments = ("-q",)

    @classmethod
    def fill(cls, root):
        (root / "a.txt").write_bytes(b"alpha\n")
        (root / "b.txt").write_bytes(b"beta\n")
        (root / "empty.txt").write_bytes(b"")

    @classmethod
    def setUpClass(cls):
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix="ringlet-serve-"))
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        cls.root = cls.base / "site"
        cls.root.mkdir()
        cls.fill(cls.root)
        cls.server = Server(cls.root, *cls.arguments)
        cls.addClassCleanup(cls.server.kill)

    @classmethod
    def tearDownClass(cls):
        status, _, complaints = cls.server.stop()
        lines = [line for line in complaints.splitlines() if "finishing what is being sent" not in line]
        if status != 0 or lines:
            raise AssertionError(f"exit status {status}: {complaints}")

    def start(self, *arguments, root=None, **how):
        server = Server(root or self.root, *arguments, **how)
        self.addCleanup(server.kill)
        return server

    def check_alive(self, server=None):
        self.assertEqual((server or self.server).get("/a.txt").body, b"alpha\n")


def main():
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
