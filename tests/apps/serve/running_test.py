# SPDX-License-Identifier: MIT
"""The program around the protocol: how it starts, logs, runs short, and ends."""

import errno
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import unittest

from harness import BIG_BYTES, HANGS_AFTER, PROGRAM, ServeCase, Server, get, main, pattern, wait_until

DRAINING = "finishing what is being sent"


def run(*arguments, **how):
    how.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=HANGS_AFTER, **how)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


class Running(ServeCase):
    @classmethod
    def fill(cls, root):
        super().fill(root)
        (root / "big.bin").write_bytes(pattern(BIG_BYTES))

    def test_says_where(self):
        server = self.start()
        self.assertRegex(server.first_line, rf"^Serving {re.escape(str(self.root))} at http://127\.0\.0\.1:[1-9]\d*/\n$")
        self.check_alive(server)

    def test_a_root_with_an_evil_name_does_not_reach_the_terminal(self):
        evil = self.base / "a\x1b]0;title\x07\u202e\u009b31m\n"
        evil.mkdir()
        shown = r"a\x1b]0;title\x07\u202e\x9b31m\x0a"
        server = self.start(root=evil)
        self.assertRegex(server.first_line, rf"^Serving {re.escape(str(self.base))}/{re.escape(shown)} at http://[\d.:]+/\n$")
        ended = run(evil / "none", "--port", 0)
        self.assertIn(f"{shown}/none", ended.stderr.decode())
        self.assertNotRegex(ended.stderr.decode(), "[\x00-\x09\x0b-\x1f\x80-\x9f\u202e]")

    @unittest.skipUnless(has_ipv6(), "no IPv6 on this machine")
    def test_ipv6(self):
        server = self.start("--bind", "::1")
        self.assertRegex(server.first_line, r"http://\[::1\]:[1-9]\d*/\n$")
        self.check_alive(server)

    def test_every_address(self):
        server = self.start("--bind", "0.0.0.0")
        server.address = ("127.0.0.2", server.address[1])
        self.check_alive(server)

    def test_a_port_in_use(self):
        port = self.server.address[1]
        ended = run(self.root, "--port", port)
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stdout, b"")
        self.assertRegex(ended.stderr.decode(), rf"^ringlet-serve: .*port {port}\b.* in use")
        self.assertIn("--port 0", ended.stderr.decode())

    def test_a_port_left_a_moment_ago(self):
        server = self.start()
        with server.connect() as c:
            c.send(get()).read()
            server.stop()  # the server closes first: its side waits in TIME_WAIT
        again = self.start("-q", port=server.address[1])
        self.assertEqual(again.address, server.address)

    def test_a_root_that_cannot_be_served(self):
        for root in (self.base / "none", self.root / "a.txt"):
            ended = run(root, "--port", 0)
            self.assertEqual(ended.returncode, 1)
            self.assertIn(str(root), ended.stderr.decode())
        if os.geteuid() != 0:
            closed = self.base / "closed"
            closed.mkdir(0)
            self.assertEqual(run(closed, "--port", 0).returncode, 1)

    def test_wrong_words(self):
        for words in (["--port", "65536"], ["--port", "x"], ["--bind", "localhost"], ["--prot", "0"], [self.root, "more"],
                      ["--port", "0x50"], ["--port", ""], ["--bind=", self.root], ["--tls-cert", "", self.root], ["--header=", self.root]):
            ended = run(*words)
            self.assertEqual((ended.returncode, ended.stdout), (2, b""), words)
            self.assertIn("--help", ended.stderr.decode())
        self.assertRegex(run(self.root, "one", "two").stderr, b"unexpected words: one two\n")
        self.assertEqual(run("--help").returncode, 0)
        self.assertEqual(run("--version").returncode, 0)
        with open("/dev/full", "wb") as full:
            for words in ("--help", "--version"):
                ended = run(words, stdout=full)
                self.assertEqual((ended.returncode, ended.stderr), (1, b"ringlet-serve: cannot write to standard output: No space left on device\n"))

    def test_the_log(self):
        server = self.start()
        server.ask(get("/a.txt", "User-Agent: test/1", "Referer: http://r/"))
        line = server.process.stdout.readline().decode()
        self.assertRegex(
            line,
            r'^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /a\.txt HTTP/1\.1" 200 6 "http://r/" "test/1"\n$',
        )
        server.ask(get("/none"))
        self.assertIn(' 404 14 "-" "-"', server.process.stdout.readline().decode())

    def logged(self, server, request):
        """The line for a request that is refused, without its time."""
        with server.connect() as c:
            c.send(request).read()
        return re.sub(r"\[[^]]*\] ", "", server.process.stdout.readline().decode().rstrip("\n"))

    def test_the_log_as_json(self):
        server = self.start("--json")
        evil = 'GET /a.txt HTTP/1.1\r\nHost: h\r\nUser-Agent: "\\ \xc3\xa9 \x9b\r\nReferer: /x\r\n\r\n'
        with server.connect() as c:
            c.send(evil.encode("latin-1")).read()
            c.send(get("/none", version="1.0")).read()
        server.ask(b"GET /x y HTTP/1.1\r\n\r\n")
        status, out, complaints = server.stop()
        self.assertEqual(status, 0, complaints)
        first, second, third = map(json.loads, out.splitlines())
        self.assertRegex(first.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertGreaterEqual(first.pop("seconds"), 0)
        wanted = {"peer": "127.0.0.1", "method": "GET", "target": "/a.txt", "version": "1.1", "status": 200, "bytes": 6}
        self.assertEqual(first, {**wanted, "referer": "/x", "user_agent": '"\\ \xe9 \ufffd'})
        self.assertNotIn("\x9b", out)
        self.assertEqual((second["status"], second["version"], second["referer"]), (404, "1.0", None))
        self.assertEqual((third["status"], third["version"]), (400, None))

    def test_totals_at_the_end(self):
        server = self.start()
        with server.connect() as c:
            for _ in range(3):
                c.send(get()).read()
        server.get("/none")
        self.assertIn("ringlet-serve: 4 requests on 2 connections, 32B sent\n", server.stop()[2])

    def test_connections_at_a_time(self):
        server = self.start("-q", "--max-connections", "2")
        first, second, third = (server.connect() for _ in range(3))
        for c in (first, second, third):
            c.send(get())
        self.assertEqual((first.read().body, second.read().body), (b"alpha\n", b"alpha\n"))
        third.socket.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            third.more()
        first.socket.close()
        third.socket.settimeout(HANGS_AFTER)
        self.assertEqual(third.read().body, b"alpha\n")

    def test_connections_of_an_address(self):
        server = self.start("-q", "--max-per-address", "2")
        clients = [server.connect() for _ in range(2)]
        for c in clients:
            self.assertEqual(c.send(get()).read().body, b"alpha\n")
        self.assertTrue(server.connect().ended())
        with socket.create_connection(server.address, source_address=("127.0.0.2", 0)) as other:
            other.sendall(get())
            self.assertTrue(other.recv(100).startswith(b"HTTP/1.1 200"))
        clients.pop().socket.close()
        wait_until(lambda: not server.connect().ended_at_once())

    def test_refused_requests_are_in_the_log(self):
        server = self.start()
        for request, line, status in (
            (b"\x16\x03\x01\x02\x00", "-", 400),
            (b"GET /a.txt HTTP/1.1\r\n\r\n", "GET /a.txt", 400),
            (b"GET /a.txt HTTP/1.1\r\nUser-Agent: me\r\nHost : h\r\n", "GET /a.txt", 400),
            (b"GET /a b HTTP/1.1\r\n", "GET /a", 400),
            (get("/x", "X: " + "a" * 9000), "GET /x", 431),
            (b"GET /a.txt HTTP/2.0\r\nHost: h\r\n\r\n", "GET /a.txt", 505),
            (get("/a.txt", "Transfer-Encoding: gzip, chunked"), "GET /a.txt", 501),
        ):
            with self.subTest(request=request[:40]):
                agent = "me" if b"User-Agent" in request else "-"
                self.assertRegex(self.logged(server, request), rf'^127\.0\.0\.1 - - "{line}" {status} \d+ "-" "{agent}"$')
        self.assertRegex(self.logged(server, get("/" + "a" * 9000)), r'"GET /a{1000,}…?\S*" 414 \d+ "-" "-"$')
        self.assertRegex(self.logged(server, get("/a.txt", method="BREW")), r'"\S*( /a\.txt)?" 501 \d+ "-" "-"$')

    def test_an_answer_that_broke_off_is_in_the_log(self):
        server = self.start()
        with server.connect(receive_buffer=32768) as c:
            c.send(get("/big.bin"))
            c.take(100_000)
            c.reset()
        found = re.search(r'"GET /big\.bin HTTP/1\.1" 200 (\d+) "-" "-"$', server.process.stdout.readline().decode())
        self.assertTrue(found)
        self.assertGreaterEqual(int(found[1]), 100_000 - 1000)  # the head was among what was read
        self.assertLess(int(found[1]), BIG_BYTES)

    def test_nobody_forges_the_log(self):
        server = self.start()
        agent = 'x" 200 0 "-" "y\\\x1b[2J\x9b31m\u00e9'
        server.ask(get('/a.txt?"%0a%1b', f"User-Agent: {agent}".replace("\x1b", "\x7f")))  # refused: a control character
        server.ask(get("/b.txt", "Referer: x\" 200", "Host: h"))  # refused when the whole head is known
        with server.connect() as c:
            c.send(get("/a.txt?%0a%1b%22", 'User-Agent: x" 200 0 "-" "y\\\x9b31m\xff', "Referer: a\tb")).read()
        status, out, _ = server.stop()
        self.assertEqual(status, 0)
        self.assertEqual(len(out.splitlines()), 3)
        for line in out.splitlines():
            self.assertRegex(line, r"^[ -~]*$")
            self.assertEqual(line.count('"'), 6)

    def test_quiet(self):
        server = self.start("-q")
        self.check_alive(server)
        status, out, _ = server.stop()
        self.assertEqual((status, out), (0, ""))

    def test_a_log_that_nobody_reads(self):
        server = self.start()
        server.process.stdout.close()
        for _ in range(3):
            self.check_alive(server)
        server.process.stdout = None
        status, _, complaints = server.stop()
        self.assertEqual(status, 0, complaints)

    def stall_the_log(self):
        """A server with more to log than it keeps, all of it answered, and how many requests that were."""
        server = self.start()
        requests = 0
        with server.connect() as c:
            while requests < 1600:
                c.send(get("/a.txt", "User-Agent: " + "x" * 1900) * 50)
                for _ in range(50):
                    self.assertEqual(c.read().body, b"alpha\n")
                requests += 50
        return server, requests

    def test_a_log_reader_that_stalls_holds_up_nobody(self):
        server, requests = self.stall_the_log()
        status, out, complaints = server.stop()  # which reads
        self.assertEqual(status, 0, complaints)
        *lines, last = out.splitlines()
        self.assertTrue(all('"GET /a.txt HTTP/1.1" 200 6 "-" "xxx' in line for line in lines))
        self.assertEqual(last, f"ringlet-serve: {requests - len(lines)} lines are missing here: nobody took them")
        self.assertGreater(requests, len(lines))

    def test_a_log_reader_that_stalls_can_be_left(self):
        server, _ = self.stall_the_log()
        server.process.send_signal(signal.SIGINT)
        self.drained(server)
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.process.wait(timeout=HANGS_AFTER), -signal.SIGINT)

    def test_a_connection_that_fails_is_told_after_our_name(self):
        unreadable = pathlib.Path("/sys/devices/virtual/net/lo/speed")  # it has a size, and reading it is an error
        try:
            unreadable.read_bytes()
            self.skipTest(f"{unreadable} can be read")
        except OSError as error:
            if error.errno != errno.EINVAL:
                self.skipTest(str(error))
        server = Server(unreadable.parent, "-q")
        self.addCleanup(server.kill)
        with server.connect() as c:
            c.send(get("/speed"))
            while c.more():
                pass
            host, port = c.socket.getsockname()
        status, _, complaints = server.stop()
        self.assertEqual(status, 0)
        self.assertRegex(complaints, rf"^ringlet-serve: connection from {host}:{port}: .*Invalid argument\n")

    def test_a_full_disk_under_the_log(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        with open("/dev/full", "wb") as full:
            server = self.start(port=port, stdout=full)
        server.address = ("127.0.0.1", port)
        wait_until(lambda: self.listens(server))
        for _ in range(3):
            self.check_alive(server)
        self.assertEqual(server.stop()[0], 0)

    def listens(self, server):
        try:
            server.connect().socket.close()
            return True
        except ConnectionRefusedError:
            return False

    def test_a_silent_connection_holds_up_nobody(self):
        with self.server.connect(), self.server.connect() as half:
            half.send(b"GET / HT")
            self.check_alive()

    def test_500_connections_at_once(self):
        server = self.start("-q")
        self.check_alive(server)
        baseline = server.descriptors()
        clients = [server.connect() for _ in range(500)]
        for c in clients:
            c.send(get() + get("/b.txt"))
        for c in clients:
            self.assertEqual((c.read().body, c.read().body), (b"alpha\n", b"beta\n"))
        for number, c in enumerate(clients):
            c.reset() if number % 2 else c.socket.close()
        wait_until(lambda: server.descriptors() <= baseline)
        self.check_alive(server)

    def test_out_of_descriptors(self):
        server = self.start("-q", files_max=24)
        self.check_alive(server)
        baseline = server.descriptors()
        # More than can be accepted; the kernel holds the rest, and those that say nothing.
        clients = [server.connect().send(get("/b.txt")[:1]) for _ in range(40)]
        wait_until(lambda: server.descriptors() >= 24)
        answer = clients[0].send(get("/b.txt")[1:]).read()
        self.assertEqual((answer.status, answer.body), (503, b"503 Service Unavailable\n"))
        self.assertEqual(clients[0].send(get("/")).read().status, 503)  # no listing in place of an index
        used = sum(os.times()[2:4])
        for c in clients:
            c.socket.close()
        wait_until(lambda: server.descriptors() <= baseline)
        self.check_alive(server)
        status, _, complaints = server.stop()
        self.assertEqual(status, 0, complaints)
        self.assertLess(sum(os.times()[2:4]) - used, 5)

    def drained(self, server):
        wait_until(lambda: DRAINING in server.complaints())

    def test_ctrl_c_ends_idle_connections_at_once(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            server = self.start("-q")
            served, silent = server.connect(), server.connect()
            self.assertEqual(served.send(get()).read().body, b"alpha\n")
            before = time.monotonic()
            server.process.send_signal(number)
            status, _, complaints = server.wait()
            self.assertEqual(status, 0, complaints)
            # Two seconds is what a connection gets whose last answer may still be on its way.
            self.assertLess(time.monotonic() - before, 1.9)
            self.assertTrue(served.ended())
            self.assertTrue(silent.send(get()).ended())  # it was the kernel's still
            served.socket.close(), silent.socket.close()

    def test_ctrl_c_right_after_the_first_line(self):
        for _ in range(10):
            status, _, complaints = self.start("-q").stop()
            self.assertEqual(status, 0, complaints)

    def test_a_download_outlives_ctrl_c(self):
        server = self.start("-q")
        with server.connect(receive_buffer=32768) as c:
            c.send(get("/big.bin"))
            c.more()
            server.process.send_signal(signal.SIGINT)
            self.drained(server)
            wait_until(lambda: not self.listens(server))
            self.assertTrue(c.read().body == pattern(BIG_BYTES))
            self.assertTrue(c.ended())
        self.assertEqual(server.wait()[0], 0)

    def test_a_pipelined_request_behind_a_drained_answer_is_told_close(self):
        server = self.start("-q")
        with server.connect(receive_buffer=32768) as c:
            c.send(get("/big.bin") + get("/a.txt") + get("/b.txt"))
            c.more()
            server.process.send_signal(signal.SIGINT)
            self.drained(server)
            c.read()
            self.assertEqual(c.read()["Connection"], "close")
            self.assertTrue(c.ended())
        self.assertEqual(server.wait()[0], 0)

    def test_a_second_ctrl_c_leaves_at_once(self):
        server = self.start("-q")
        with server.connect(receive_buffer=32768) as c:
            c.send(get("/big.bin"))
            c.take(1)
            server.process.send_signal(signal.SIGINT)
            self.drained(server)
            server.process.send_signal(signal.SIGINT)
            self.assertEqual(server.wait()[0], -signal.SIGINT)


main()
