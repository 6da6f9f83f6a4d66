# SPDX-License-Identifier: MIT
"""ringlet-compare's servers: what each must do alike, and what sets them apart.

usage: servers_test.py PROGRAM [unittest's arguments]
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from kernel import has_io_uring  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1))
HANGS_AFTER = 30
COURSE = ["sequential", "process", "thread", "nonblocking", "epoll", "coroutine"]
EXTRAS = ["threadpool", "uring"]
MODELS = COURSE + EXTRAS
PROGRAMS = {"fetch-sequential": "downloads", "fetch-thread": "downloads", "fetch-coroutine": "downloads", "chat-thread": "chats",
            "chat-coroutine": "chats"}  # and where their sources are


SERVED = [model for model in MODELS if model != "uring" or has_io_uring()]
SAMPLE = b"".join(b"%07d " % i for i in range(128))


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def run(*arguments, **how):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=HANGS_AFTER, **how)


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=HANGS_AFTER)
        self.unread = b""

    def send(self, data):
        self.socket.sendall(data)

    def get(self, path, *fields, method="GET"):
        self.send("\r\n".join([f"{method} {path} HTTP/1.1", "Host: a", *fields, "", ""]).encode())

    def answer(self, bodyless=False):
        """Status, head and body of the next answer."""
        while b"\r\n\r\n" not in self.unread:
            self.more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        length = 0 if bodyless else int(fields["Content-Length"])
        while len(self.unread) < length:
            self.more()
        body, self.unread = self.unread[:length], self.unread[length:]
        return int(head.split()[1]), fields, body

    def more(self):
        part = self.socket.recv(65536)
        if not part:
            raise EOFError(f"ended after {self.unread!r}")
        self.unread += part

    def is_at_its_end(self):
        return self.unread == b"" and self.socket.recv(1) == b""

    def close(self):
        self.socket.close()


class ServerCase(unittest.TestCase):
    def serve(self, model, *arguments):
        process = subprocess.Popen([PROGRAM, "serve", model, "-p", "0", *arguments], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        said = process.stdout.readline()
        self.assertRegex(said, rf"^Serving at http://127\.0\.0\.1:\d+/, model {model}\n$")
        process.port = int(said.split(":")[2].split("/")[0])
        return process

    def client(self, server):
        made = Client(server.port)
        self.addCleanup(made.close)
        return made


def with_each_model(test):
    def run_all(self):
        for model in SERVED:
            with self.subTest(model=model):
                test(self, self.serve(model))

    return run_all


class EveryModel(ServerCase):
    @with_each_model
    def test_keeps_the_connection_and_answers_in_order(self, server):
        one = self.client(server)
        for _ in range(3):
            one.get("/1k")
            status, _, body = one.answer()
            self.assertEqual((status, body), (200, SAMPLE))
        one.get("/1m")
        one.get("/nothing")
        one.get("/1k", method="HEAD")
        one.get("/1k")
        status, _, body = one.answer()
        self.assertEqual((status, len(body), body[:1024]), (200, 1 << 20, SAMPLE))
        self.assertEqual(one.answer()[0], 404)
        self.assertEqual(one.answer(bodyless=True)[1]["Content-Length"], "1024")
        self.assertEqual(one.answer()[2], SAMPLE)

    @with_each_model
    def test_a_request_may_come_a_byte_at_a_time_with_a_body_that_nobody_reads(self, server):
        one = self.client(server)
        one.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /1k HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello":
            one.send(bytes([byte]))
        self.assertEqual(one.answer()[2], SAMPLE)
        one.get("/1k")
        self.assertEqual(one.answer()[2], SAMPLE)

    @with_each_model
    def test_short_connections_end_by_the_word_of_either_side(self, server):
        one = self.client(server)
        one.get("/1k", "Connection: close")
        self.assertEqual(one.answer()[1]["Connection"], "close")
        self.assertTrue(one.is_at_its_end())
        old = self.client(server)
        old.send(b"GET /1k HTTP/1.0\r\n\r\n")
        self.assertEqual(old.answer()[2], SAMPLE)
        self.assertTrue(old.is_at_its_end())
        wrong = self.client(server)
        wrong.send(b"GET /1k HTTP/1.1\r\n\r\n")  # no Host
        self.assertEqual(wrong.answer()[0], 400)
        self.assertTrue(wrong.is_at_its_end())
        other = self.client(server)
        other.get("/1k", method="DELETE")
        self.assertEqual(other.answer()[:2][0], 405)
        self.assertTrue(other.is_at_its_end())

    @with_each_model
    def test_a_slow_handler_is_waited_for_and_what_was_sent_behind_it_comes_after(self, server):
        one = self.client(server)
        one.get("/slow")
        one.get("/1k")
        self.assertEqual(one.answer()[2], b"This took a while.\n")
        self.assertEqual(one.answer()[2], SAMPLE)

    @with_each_model
    def test_ends_at_once_when_told_to_and_leaves_nobody(self, server):
        busy = self.client(server)
        busy.get("/1k")
        busy.answer()
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(HANGS_AFTER), 0)
        self.assertTrue(busy.is_at_its_end())

    @with_each_model
    def test_a_client_that_goes_in_the_middle_hurts_nobody(self, server):
        for sent in (b"GET /1m HTT", b"GET /1m HTTP/1.1\r\nHost: a\r\n\r\n", b""):
            one = Client(server.port)
            one.send(sent)
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            one.close()
        other = self.client(server)
        other.get("/1k")
        self.assertEqual(other.answer()[2], SAMPLE)


class Apart(ServerCase):
    def test_one_silent_connection_holds_up_the_sequential_one_and_no_other(self):
        for model in SERVED:
            with self.subTest(model=model):
                server = self.serve(model)
                silent = self.client(server)
                other = self.client(server)
                other.get("/1k")
                if model == "sequential":
                    other.socket.settimeout(0.2)
                    with self.assertRaises(TimeoutError):
                        other.answer()
                    other.socket.settimeout(HANGS_AFTER)
                    silent.close()
                self.assertEqual(other.answer()[2], SAMPLE)

    def test_a_process_for_each_connection_that_is_gone_with_it(self):
        server = self.serve("process")
        children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children")
        clients = [self.client(server) for _ in range(5)]
        for one in clients:
            one.get("/1k")
            one.answer()
        self.assertEqual(len(children.read_text().split()), 5)
        pids = children.read_text().split()
        for one in clients:
            one.close()
        last = self.client(server)  # the next one that comes makes it look for those that ended
        last.get("/1k")
        last.answer()
        server.terminate()
        server.wait(HANGS_AFTER)
        for pid in pids:  # the kernel ends them with their server, when it gets to it
            until = time.monotonic() + HANGS_AFTER
            while is_running(pid):
                self.assertLess(time.monotonic(), until, f"{pid} outlives its server")
                time.sleep(0.01)

    def test_files_of_a_directory(self):
        home = pathlib.Path(tempfile.mkdtemp(prefix="ringlet-compare-"))
        self.addCleanup(shutil.rmtree, home)
        (home / "sub").mkdir()
        (home / "index.html").write_text("<p>front")
        (home / "sub" / "index.html").write_text("<p>below")
        (home / "sub" / "a b.css").write_text("p {}")
        (home / ".secret").write_text("no")
        (home / "link").symlink_to("/etc/passwd")
        server = self.serve("coroutine", "--root", str(home))
        one = self.client(server)
        wanted = {"/": (200, b"<p>front"), "/index.html": (200, b"<p>front"), "/sub/": (200, b"<p>below"),
                  "/sub/a%20b.css": (200, b"p {}"), "/.secret": (404, None), "/link": (404, None),
                  "/../etc/passwd": (404, None), "/1k": (200, SAMPLE)}
        for path, (status, body) in wanted.items():
            one.get(path)
            got = one.answer()
            self.assertEqual(got[0], status, path)
            if body is not None:
                self.assertEqual(got[2], body)
        one.get("/sub/a%20b.css")
        self.assertEqual(one.answer()[1]["Content-Type"], "text/css; charset=utf-8")
        self.assertEqual(run("serve", "coroutine", "--root", str(home / "absent"), "-p", "0").returncode, 1)


class CommandLine(unittest.TestCase):
    def test_list(self):
        lines = run("--list").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], [*MODELS, *PROGRAMS])
        shown = run("--show", "epoll").stdout.splitlines()
        code = [line for line in shown if line.strip() and not line.strip().startswith("//")]
        self.assertEqual([line.split()[1] for line in lines if line.startswith("epoll ")], [str(len(code))])

    def test_show_gives_the_source(self):
        folder = pathlib.Path(__file__).parents[3] / "apps" / "compare"
        sources = folder / "models"
        shared = dict.fromkeys(["sequential", "process", "thread", "threadpool"], "talk")
        shared |= dict.fromkeys(["nonblocking", "epoll"], "connection")
        for model in MODELS:
            text = (sources / f"{model}.cpp").read_text()
            if model in shared:
                text += "\n" + (sources / f"{shared[model]}.cpp").read_text()
            self.assertEqual(run("--show", model).stdout, text)
        for name, place in PROGRAMS.items():
            text = (folder / place / (name.replace("-", "_") + ".cpp")).read_text()
            if name in ("fetch-sequential", "fetch-thread"):
                text += "\n" + (folder / place / "fetch_waiting.cpp").read_text()
            self.assertEqual(run("--show", name).stdout, text)

    def test_wrong_ones(self):
        for arguments, words in [
            (["--list", "--show", "epoll"], "do not go together"),
            (["serve", "epoll", "run", "epoll"], "unexpected word"),
            (["run", "apache"], "no server is called apache; there are sequential"),
            (["--scenario", "x"], "no scenario is called x; there are silent"),
            (["serve", "gevent"], "no model is called gevent; there are sequential"),
            (["--show", "x"], "no model is called x"),
            (["serve", "chat-thread"], "no model is called chat-thread"),
            (["serve"], "MODEL"),
            (["serve", "epoll", "-p", "70000"], "port"),
        ]:
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stdout, "")

    @unittest.skipIf(has_io_uring(), "io_uring is not denied here")
    def test_where_io_uring_is_denied_the_model_without_coroutines_says_so(self):
        done = run("serve", "uring", "-p", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ringlet-compare: io_uring_setup: ", done.stderr)

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run("serve", "epoll", "-p", str(taken.getsockname()[1]))
        self.assertEqual(done.returncode, 1)
        self.assertIn("is in use already: choose another with --port", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
