# SPDX-License-Identifier: MIT
"""ringlet-compare measures: its clients see every wrong byte, its figures make sense, and nothing is left behind.

usage: comparison_test.py PROGRAM [unittest's arguments]
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from kernel import has_io_uring  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1))
HANGS_AFTER = 100
BODY = bytes(range(33, 97)) * 8


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=HANGS_AFTER)


def plain(body=BODY, status="200 OK", *fields):
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]).encode() + body


class Origin:
    """Answers each request by what `answer(number)` gives: bytes, or None for the end of the connection."""

    def __init__(self, answer):
        self.answer = answer
        self.count = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = "http://127.0.0.1:%d/page" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=[client], daemon=True).start()

    def talk(self, client):
        with client:
            unread = b""
            while True:
                try:
                    got = client.recv(4096)
                    unread += got
                    if not got:
                        return
                    while b"\r\n\r\n" in unread:
                        head, _, unread = unread.partition(b"\r\n\r\n")
                        with self.lock:
                            number = self.count
                            self.count += 1
                        answer = self.answer(number)
                        if answer is None:
                            return
                        client.sendall(answer)
                        if b"Connection: close" in head or b"Connection: close" in answer:
                            return
                except OSError:
                    return

    def close(self):
        self.listener.close()


class Load(unittest.TestCase):
    def load(self, answer, *arguments, lasts="300ms"):
        origin = Origin(answer)
        self.addCleanup(origin.close)
        done = run("load", origin.url, "-c", "4", "-d", lasts, "--json", *arguments)
        return done, json.loads(done.stdout) if done.stdout else None

    def test_right_answers_of_any_form(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (BODY[:16], len(BODY) - 16, BODY[16:])
        by_close = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY
        for name, answer in {
            "length": lambda _: plain(),
            "chunked": lambda _: chunked,
            "to the end": lambda _: by_close,
            "a field that changes": lambda number: plain(BODY, "200 OK", f"Date: {number // 7}"),
            "one form after the other": lambda number: [plain(), chunked][number % 2],
        }.items():
            with self.subTest(name):
                done, found = self.load(answer)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
                self.assertEqual(sum(found["errors"].values()), 0)
                self.assertEqual(found["served"], 4)
                self.assertGreater(found["answered"], 0)
                self.assertTrue(0 < found["p50_ns"] <= found["p99_ns"] <= found["longest_ns"])

    def test_a_planted_wrong_byte_and_all_other_faults_fail(self):
        wrong = bytearray(BODY)
        wrong[300] ^= 1
        for kind, bad in {
            "wrong bytes": plain(bytes(wrong)),
            "wrong status": plain(BODY, "503 Service Unavailable"),
            "no HTTP": b"hello\r\n\r\n",
            "reset": None,
        }.items():
            for at in (1, 40):
                with self.subTest(kind, at=at):
                    done, found = self.load(lambda number, bad=bad, at=at: bad if number >= at and number % 40 == at % 40 else plain())
                    self.assertEqual(done.returncode, 1)
                    self.assertGreater(found["errors"][kind], 0, found)
                    self.assertEqual(sum(found["errors"].values()), found["errors"][kind], found)

    def test_a_body_that_is_too_long_or_too_short(self):
        for body in (BODY + b"x", BODY[:-1]):
            done, found = self.load(lambda number, body=body: plain(body) if number > 20 else plain())
            self.assertEqual(done.returncode, 1)
            self.assertGreater(found["errors"]["wrong bytes"], 0)

    def test_who_is_never_answered_has_waited_all_the_time(self):
        stuck = threading.Event()
        self.addCleanup(stuck.set)
        done, found = self.load(lambda number: plain() if number < 2 or stuck.wait(HANGS_AFTER) else None)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(found["errors"]["timed out"], 4)

    def test_in_open_loop_a_pause_of_the_server_is_waited_for_by_all_that_were_due(self):
        begun = []

        def answer(number):
            if number == 30:
                begun.append(time.monotonic())
            if begun and time.monotonic() < begun[0] + 0.5:
                time.sleep(begun[0] + 0.5 - time.monotonic())
            return plain()

        done, found = self.load(answer, "--rate", "200", lasts="1s")
        self.assertEqual((done.returncode, found["loop"]), (0, "open"), done.stderr)
        self.assertGreater(found["p90_ns"], 100e6)  # half of them were due in the pause
        self.assertAlmostEqual(found["answered"], 200, delta=2)

    def test_a_connection_for_each_request(self):
        done, found = self.load(lambda _: plain(), "--close")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(found["answered"], 0)

    def test_wrong_urls(self):
        for url, words in [("http://192.0.2.1/", "loopback"), ("https://127.0.0.1/", "loopback"), ("ftp://x", "ftp://x")]:
            done = run("load", url)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(words, done.stderr)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        done = run("load", f"http://127.0.0.1:{port}/")
        self.assertEqual(done.returncode, 1)
        self.assertIn("refused", done.stderr)


def processes_of(session):
    found = []
    for each in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = each.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(each.parent.name)
    return found


class Comparison(unittest.TestCase):
    def test_two_servers_and_what_is_found(self):
        page = pathlib.Path(tempfile.mkdtemp(prefix="ringlet-compare-")) / "page.html"
        self.addCleanup(lambda: (page.unlink(missing_ok=True), page.parent.rmdir()))
        done = run("run", "sequential", "coroutine", "--repetitions", "1", "--json", "--html", str(page))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        self.assertEqual([each["name"] for each in found["scenarios"]], ["silent", "keepalive", "slow"])
        self.assertEqual(len(found["findings"]), 3)
        rows = {scenario["name"]: {row["server"]: row for row in scenario["rows"]} for scenario in found["scenarios"]}
        for scenario in rows.values():
            for row in scenario.values():
                self.assertIsNone(row["why_not"])
                self.assertGreater(row["runs"][0]["answered"], 0)
        waited = {name: row["runs"][0]["curve_share_and_ns"][-1][1] for name, row in rows["silent"].items()}
        self.assertGreater(waited["sequential"], 100e6)  # of a second, less what the start of both took
        self.assertLess(waited["coroutine"], waited["sequential"])
        busy = {name: row["runs"][0] for name, row in rows["keepalive"].items()}
        self.assertEqual((busy["sequential"]["served"], busy["coroutine"]["served"]), (1, 64))
        self.assertEqual(busy["sequential"]["errors"]["timed_out"], 63)
        self.assertEqual(sum(busy["coroutine"]["errors"].values()), 0)
        self.assertGreater(busy["coroutine"]["user_ns"] + busy["coroutine"]["system_ns"], 0)
        self.assertGreater(rows["slow"]["coroutine"]["runs"][0]["answered"], 2 * rows["slow"]["sequential"]["runs"][0]["answered"])
        self.assertIn("<svg", page.read_text())

    def test_processes_and_threads_are_seen(self):
        done = run("run", "process", "thread", "--scenario", "keepalive", "--repetitions", "1", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = {row["server"]: row["runs"][0] for row in json.loads(done.stdout)["scenarios"][0]["rows"]}
        self.assertGreater(found["process"]["processes"], 10)  # a slow machine has not made all 65 yet
        self.assertEqual(found["process"]["threads"], found["process"]["processes"])
        self.assertGreater(found["thread"]["threads"], 10)
        self.assertEqual(found["thread"]["processes"], 1)

    def test_a_table(self):
        done = run("run", "epoll", "--scenario", "keepalive", "--repetitions", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^  epoll +[\d,.]+ ")

    def test_nobody_stays_behind_who_ever_ends_it(self):
        for number, status in [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]:
            with self.subTest(number):
                process = subprocess.Popen([PROGRAM, "run", "process", "thread"], stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL, start_new_session=True)
                until = time.monotonic() + HANGS_AFTER
                while len(processes_of(process.pid)) < 20 and time.monotonic() < until:
                    time.sleep(0.005)
                process.send_signal(number)
                self.assertEqual(process.wait(HANGS_AFTER), status)
                while left := processes_of(process.pid):
                    self.assertLess(time.monotonic(), until, f"these stay: {left}")
                    time.sleep(0.01)

    def test_a_wrong_engine_is_told_of(self):
        environment = {**os.environ, "RINGLET_ENGINE": "nosuch"}
        done = subprocess.run([PROGRAM, "run", "epoll", "coroutine", "--scenario", "silent", "--repetitions", "1"],
                              capture_output=True, text=True, timeout=HANGS_AFTER, env=environment)
        self.assertEqual(done.returncode, 2)
        self.assertIn("RINGLET_ENGINE", done.stderr)

    @unittest.skipIf(has_io_uring(), "io_uring is not denied here")
    def test_where_io_uring_is_denied_coroutines_run_on_epoll_and_who_cannot_run_says_why(self):
        done = run("run", "uring", "coroutine", "--scenario", "keepalive", "--repetitions", "1", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        rows = {row["server"]: row for row in found["scenarios"][0]["rows"]}
        self.assertIn("io_uring", rows["uring"]["why_not"])
        self.assertEqual(rows["uring"]["runs"], [])
        self.assertIsNone(rows["coroutine"]["why_not"])
        self.assertGreater(rows["coroutine"]["runs"][0]["answered"], 0)
        self.assertEqual(len([each for each in found["remarks"] if "coroutine runs on epoll" in each]), 1)

    def test_a_page_that_cannot_be_written_is_told_of_at_once(self):
        done = run("--html", "/nosuch/page.html")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("/nosuch/page.html: No such file or directory", done.stderr)

    def test_what_the_figures_mean(self):
        done = run("--explain")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(len(done.stdout.splitlines()), 15)


if __name__ == "__main__":
    unittest.main(verbosity=2)
