# SPDX-License-Identifier: MIT
"""The course's downloader and chat in their forms: each does the same, and says the same.

usage: programs_test.py PROGRAM CHAT [unittest's arguments]      CHAT: ringlet-chat
"""

import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

CHAT = os.path.abspath(sys.argv.pop(2))
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "chat"), str(TESTS / "fetch")]
import harness  # noqa: E402  the chat's
from hostile_server import Server, chunked, response  # noqa: E402

PROGRAM, HANGS_AFTER = harness.PROGRAM, harness.HANGS_AFTER
# A model, and the engine that is asked for.
COROUTINES = [("coroutine", None), ("coroutine", "epoll")]
DOWNLOADERS = [("sequential", None), ("thread", None), *COROUTINES]
CHATS = [("thread", None), *COROUTINES]

OK, USAGE, FILE, NETWORK, LOGIN, PROTOCOL, REFUSED, INTERRUPTED = 0, 2, 3, 4, 6, 7, 8, 130


def environment(engine):
    return {name: value for name, value in os.environ.items() if name != "RINGLET_ENGINE"} | ({"RINGLET_ENGINE": engine} if engine else {})


def with_each(forms):
    """Runs a test with each form, in a directory of its own where it is a downloader."""
    def decorate(test):
        def run_all(self):
            for form in forms:
                with self.subTest(form=form):
                    self.begin(form)
                    test(self, form)

        return run_all

    return decorate


def wait_until(holds):
    give_up = time.monotonic() + HANGS_AFTER
    while not holds():
        if time.monotonic() > give_up:
            raise AssertionError("it never came true")
        time.sleep(0.001)


def without_times(text):
    return sorted(re.sub(r" in \d+\.\d{3} s$", "", line) for line in text.splitlines())


class DownloadCase(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="ringlet-compare-"))
        self.addCleanup(shutil.rmtree, self.base)

    def serve(self, path, what):
        self.server.routes[path] = what
        return self.server.url(path)

    def begin(self, form):
        self.out = self.base / "-".join(filter(None, form))
        self.out.mkdir()

    def start(self, form, *arguments, **how):
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("preexec_fn", harness.default_signals)
        return subprocess.Popen([PROGRAM, "fetch", form[0], *map(str, arguments)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                text=True, cwd=self.out, env=environment(form[1]), **how)

    def fetch(self, form, *arguments, **how):
        """Exit status, standard output and standard error."""
        process = self.start(form, *arguments, **how)
        out, err = process.communicate(timeout=HANGS_AFTER)
        self.assertNotIn("\x1b", (out or "") + err)
        return process.returncode, out, err

    def files(self):
        return {path.name: path.read_bytes() for path in self.out.iterdir() if path.is_file() and not path.is_symlink()}


class EveryDownloader(DownloadCase):
    @with_each(DOWNLOADERS)
    def test_brings_the_same_files_and_says_the_same(self, form):
        large = bytes(range(256)) * 1000
        urls = [
            self.serve("/plain.txt", response(b"plain\n")),
            self.serve("/chunked", chunked([b"in ", b"some", b" pieces" * 5000])),
            self.serve("/until-close", b"HTTP/1.0 200 OK\r\n\r\n" + large),
            self.serve("/empty", response()),
            self.serve("/large", response(large)),
            self.serve("/slowly", lambda client: client.send_pieces(response(b"byte by byte", length=12), 1)),
            self.serve("/hints", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + response(b"after them")),
            self.serve("/", response(b"front")),
            self.serve("/other/plain.txt?q", response(b"of the same name")),
            self.server.url("/missing"),
            self.serve("/short", lambda client: client.send(response(b"not all", length=100))),
            self.serve("/cut", chunked([b"half"], end=b"")),
        ]
        wanted = {"plain.txt": b"plain\n", "chunked": b"in some" + b" pieces" * 5000, "until-close": large, "empty": b"",
                  "large": large, "slowly": b"byte by byte", "hints": b"after them", "index.html": b"front",
                  "plain.txt.1": b"of the same name"}
        said = [f"{name}: {len(content)} bytes" for name, content in wanted.items()]
        said.append(f"9 files, {sum(map(len, wanted.values()))} bytes")
        complaints = [f"{urls[9]}: the server answered 404 Not Found", f"{urls[10]}: truncated after 7 of 100 bytes",
                      f"{urls[11]}: truncated after 4 bytes"]
        for jobs in (1, 3, 64):
            status, out, err = self.fetch(form, "-j", jobs, *urls)
            self.assertEqual(without_times(out), sorted(said))
            self.assertRegex(out.splitlines()[-1], r"^9 files, \d+ bytes in \d+\.\d{3} s$")
            self.assertEqual(sorted(err.splitlines()), sorted(complaints))
            self.assertEqual(status, NETWORK)  # the lowest of all
            self.assertEqual(self.files(), wanted)
            self.assertEqual(oct((self.out / "large").stat().st_mode & 0o777), oct(0o666 & ~self.umask()))
            for path in self.out.iterdir():
                path.unlink()

    @staticmethod
    def umask():
        mask = os.umask(0)
        os.umask(mask)
        return mask

    @with_each(DOWNLOADERS)
    def test_says_why_there_is_no_file(self, form):
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            refused = f"http://127.0.0.1:{nobody.getsockname()[1]}/x"
        cases = [
            (self.server.url("/missing"), REFUSED, "the server answered 404 Not Found"),
            (self.serve("/gone", response(b"", "410 \x1b[2JGone")), PROTOCOL, "malformed response: "),
            (self.serve("/named", response(b"", "410 \u202eGone")), REFUSED, "the server answered 410 "),
            (self.serve("/login", response(b"", "401 Unauthorized")), LOGIN, "the server answered 401 Unauthorized"),
            (self.serve("/moved", response(b"", "302 Found", Location="/new")), PROTOCOL,
             "the server answered 302 Found: redirect to /new, which ringlet-fetch follows"),
            (self.serve("/part", response(b"x", "206 Partial Content", Content_Range="bytes 0-0/2")), PROTOCOL,
             "the server answered 206 Partial Content, which is no answer to what was asked"),
            (self.serve("/short", lambda client: client.send(response(b"x", length=2))), NETWORK, "truncated after 1 of 2 bytes"),
            (self.serve("/silent", lambda client: False), NETWORK, "the server closed the connection without an answer"),
            (self.serve("/garbage", b"what?\r\n\r\n"), PROTOCOL, "malformed response: "),
            (self.serve("/lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), PROTOCOL, "malformed response: "),
            (self.serve("/endless", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), PROTOCOL, "interim responses without end"),
            (refused, NETWORK, "Connection refused"),
            ("http://no.such.invalid/", NETWORK, "host not found"),
        ]
        for url, status, words in cases:
            code, out, err = self.fetch(form, url)
            self.assertEqual(code, status, err)
            self.assertTrue(err.startswith(f"{url}: ") and err.endswith("\n") and err.count("\n") == 1, err)
            self.assertIn(words, err)
            self.assertNotIn("\u202e", err)
            self.assertEqual(without_times(out), ["0 files, 0 bytes"])
            self.assertEqual(list(self.out.iterdir()), [])

    @with_each([form for form in DOWNLOADERS if form[0] != "sequential"])
    def test_the_one_that_comes_first_in_the_order_of_asking_has_the_name(self, form):
        ready = threading.Event()

        def first(client):
            if not ready.wait(HANGS_AFTER):
                return False
            client.send(response(b"first"))
            return False

        def second(client):
            client.send(response(b"second"))
            ready.set()
            return False

        urls = [self.serve("/a/name", first), self.serve("/b/name", second)]
        self.assertEqual(self.fetch(form, *urls)[0], OK)
        self.assertEqual(self.files(), {"name": b"first", "name.1": b"second"})

    @with_each(DOWNLOADERS)
    def test_stays_in_its_directory_and_follows_no_link(self, form):
        paths = {"/..%2f..%2fescape": "_.._escape", "/%2e%2e": "index.html", "/.hidden": "hidden", "/a%0ab%1b%5b2J": "a_b_[2J", "/link": "link.1",
                 "/partly": "partly.1"}
        urls = [self.serve(path, response(path.encode())) for path in paths]
        outside = self.base / "outside"
        outside.write_bytes(b"untouched")
        (self.out / "link").symlink_to(outside)
        (self.out / "partly.part").symlink_to(outside)
        folder = self.out / "a" / "b"
        status, out, err = self.fetch(form, "-P", ".", *urls)
        self.assertEqual((status, err), (OK, ""))
        self.assertEqual(self.files(), {name: path.encode() for path, name in paths.items()})
        self.assertEqual(outside.read_bytes(), b"untouched")
        self.assertTrue((self.out / "partly.part").is_symlink())
        self.assertEqual(self.fetch(form, "-P", folder, urls[2])[1].split(":")[0], str(folder / "hidden"))
        self.assertEqual((folder / "hidden").read_bytes(), b"/.hidden")
        self.assertEqual([path.name for path in self.base.iterdir() if not path.is_dir()], ["outside"])

    @with_each(DOWNLOADERS)
    def test_so_many_at_a_time_and_no_more(self, form):
        at_once = 1 if form[0] == "sequential" else 4
        gate = threading.Barrier(at_once)  # opens for so many only
        lock = threading.Lock()
        seen = {"now": 0, "most": 0}

        def route(client):
            with lock:
                seen["now"] += 1
                seen["most"] = max(seen["most"], seen["now"])
            gate.wait(HANGS_AFTER)
            with lock:
                seen["now"] -= 1
            client.send(response(b"x"))
            return False

        urls = [self.serve(f"/{number}", route) for number in range(12)]
        status, out, err = self.fetch(form, "-j", 4, *urls)
        self.assertEqual((status, err), (OK, ""))
        self.assertEqual(without_times(out)[-1], "9: 1 byte")
        self.assertIn("12 files, 12 bytes", without_times(out))
        self.assertEqual(seen["most"], at_once)

    @with_each(DOWNLOADERS)
    def test_ctrl_c_leaves_nothing_under_a_final_name_and_the_next_run_is_not_in_its_way(self, form):
        url = self.serve("/file", lambda client: (client.send(response(b"the beginning", length=100)), client.until_gone())[0])
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start(form, url)
            wait_until((self.out / "file.part").exists)
            process.send_signal(number)
            out, err = process.communicate(timeout=HANGS_AFTER)
            self.assertEqual((process.returncode, out, err), (128 + number, "", ""))
            left = [path.name for path in self.out.iterdir()]
            self.assertEqual(left, [] if form[0] == "coroutine" else ["file.part"])
            if number == signal.SIGINT:
                (self.out / "file.part").unlink(missing_ok=True)
        whole = self.serve("/whole/file", response(b"whole"))
        self.assertEqual(self.fetch(form, whole)[0], OK)
        self.assertEqual(self.files(), {"file": b"whole"})

    @with_each(DOWNLOADERS)
    def test_what_cannot_be_said_is_an_error(self, form):
        url = self.serve("/file", response(b"whole"))
        with open("/dev/full", "w") as full:
            status, _, err = self.fetch(form, url, stdout=full)
        self.assertEqual(status, 1, err)
        self.assertIn("cannot write to standard output", err)
        read_end, write_end = os.pipe()
        os.close(read_end)
        with open(write_end, "w") as nobody:
            status, _, err = self.fetch(form, url, stdout=nobody)
        self.assertEqual((status, err), (128 + signal.SIGPIPE, ""))
        self.assertEqual(self.files(), {"file": b"whole", "file.1": b"whole"})

    @with_each(DOWNLOADERS)
    def test_a_disk_that_takes_no_more(self, form):
        def limited():
            harness.default_signals()
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

        large = self.serve("/large", response(b"x" * 100_000))
        small = self.serve("/small", response(b"small"))
        status, out, err = self.fetch(form, large, small, preexec_fn=limited)
        self.assertEqual((status, err), (FILE, f"{large}: write large.part: File too large\n"))
        self.assertEqual(without_times(out), ["1 file, 5 bytes", "small: 5 bytes"])
        self.assertEqual(self.files(), {"small": b"small"})
        (self.out / "in the way").write_text("no directory")
        status, out, err = self.fetch(form, "-P", "in the way", small)
        self.assertEqual((status, out), (FILE, ""))
        self.assertEqual(err, "ringlet-compare: cannot use directory in the way: Not a directory\n")

    @with_each(DOWNLOADERS)
    def test_two_runs_at_once_do_not_take_each_others_part(self, form):
        going_on = threading.Event()

        def route(client):
            client.send(response(b"", length=5))
            going_on.wait(HANGS_AFTER)
            client.send(b"whole")
            return False

        slow = self.serve("/slow/name", route)
        quick = self.serve("/quick/name", response(b"quick"))
        process = self.start(form, slow)
        wait_until((self.out / "name.part").exists)
        self.assertEqual(self.fetch(form, quick)[0], OK)
        going_on.set()
        out, err = process.communicate(timeout=HANGS_AFTER)
        self.assertEqual((process.returncode, err), (OK, ""), out)
        self.assertEqual(self.files(), {"name": b"whole", "name.1": b"quick"})


class DownloaderCommandLine(DownloadCase):
    def test_wrong_ones(self):
        self.out = self.base
        url = self.serve("/file", response(b"whole"))
        for model, arguments, words in [
            ("gevent", [url], "no downloader is called gevent; there are sequential, thread, coroutine"),
            ("thread", [], "URL"),
            ("thread", ["https://127.0.0.1/x"], "https://127.0.0.1/x: plain http only; ringlet-fetch speaks https"),
            ("thread", ["ftp://127.0.0.1/x"], "ftp://127.0.0.1/x: "),
            ("thread", ["-j", "0", url], "0 (1 to 1000)"),
            ("thread", ["http://a:b@127.0.0.1/x"], "a login in the URL is not supported"),
        ]:
            status, out, err = self.fetch((model, None), *arguments)
            self.assertEqual((status, out), (USAGE, ""))
            self.assertIn(words, err)
        self.assertEqual(self.server.requests, [])


class ChatCase(harness.ChatCase):
    def talk(self, form, *arguments):
        """One form of the chat, on pipes."""
        with unittest.mock.patch.dict(os.environ, environment(form[1]), clear=True):
            return self.chat("chat", form[0], *arguments)

    def run_chat(self, form, *arguments, input_bytes=b""):
        with unittest.mock.patch.dict(os.environ, environment(form[1]), clear=True):
            return harness.run("chat", form[0], *arguments, input_bytes=input_bytes)

    def begin(self, form):
        pass


class EveryChat(ChatCase):
    @with_each(CHATS)
    def test_talks_with_each_other_form(self, one_form):
        for other_form in CHATS:
            port = harness.free_port()
            one = self.talk(one_form, "127.0.0.1", port)
            other = self.talk(other_form, "-p", port, "127.0.0.1", one.port)
            one.say("Hello, ça va? ☕")
            other.out.until(f"127.0.0.1:{one.port}: Hello, ça va? ☕\n".encode())
            other.say("Très bien")
            one.out.until(f"127.0.0.1:{port}: Très bien\n".encode())
            self.assertEqual((one.end_input(), other.end_input()), (0, 0))
            self.assertEqual(one.err.to_end(), f"Talking to 127.0.0.1:{port} from port {one.port}.\n".encode())

    @with_each(CHATS)
    def test_talks_with_ringlet_chat(self, form):
        with unittest.mock.patch.object(harness, "PROGRAM", CHAT):
            full = self.chat("--port", "0")
        one = self.talk(form, "localhost", full.port)
        one.say("from the lesson")
        full.out.until(f":{one.port}: from the lesson\n".encode())
        full.say("from the program")
        one.out.until(b": from the program\n")
        self.assertEqual((one.end_input(), full.end_input()), (0, 0))

    @with_each(CHATS)
    def test_a_line_is_a_datagram_in_parts_where_it_is_too_long(self, form):
        peer = self.peer()
        lines = [b"one", b"", b"/quit is text", "ä".encode() * 1000, b"crlf\r", b"no end"]
        done = self.run_chat(form, "127.0.0.1", peer.getsockname()[1], input_bytes=b"\n".join(lines))
        self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr)
        came = [peer.recv(2000) for _ in range(6)]
        self.assertEqual(came, [b"one", b"/quit is text", "ä".encode() * 600, "ä".encode() * 400, b"crlf", b"no end"])
        peer.setblocking(False)
        with self.assertRaises(BlockingIOError):
            peer.recv(2000)

    @with_each(CHATS)
    def test_a_line_without_end_is_not_sent_and_the_others_are(self, form):
        peer = self.peer()
        done = self.run_chat(form, "127.0.0.1", peer.getsockname()[1], input_bytes=b"x" * 70_000 + b"\nafter it\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"\nA line of more than 65536 bytes was not sent.\n", done.stderr)
        self.assertEqual(peer.recv(2000), b"after it")

    @with_each(CHATS)
    def test_what_comes_is_shown_line_by_line_with_its_sender_and_without_what_a_terminal_obeys(self, form):
        sent = [b"hello\n", b"", "\x1b[2J\x1b]0;title\x07 \u202e gnp.exe\r".encode(), b"two\nlines", b"\xff\xc0\xae", b"y" * 2000]
        peer = self.peer()
        one = self.talk(form, "127.0.0.1", peer.getsockname()[1])
        stranger = self.peer()
        stranger.sendto(b"nobody hears me", ("127.0.0.1", one.port))
        for message in sent:
            peer.sendto(message, ("127.0.0.1", one.port))
        name = self.name_of(peer)
        shown = ["hello", r"\x1b[2J\x1b]0;title\x07  gnp.exe", "two", "lines", "\ufffd\ufffd\ufffd", "y" * 1200 + " [cut: 1200 of 2000 bytes]"]
        self.assertEqual(one.end_input(), 0)  # and what had come is shown
        self.assertEqual(one.out.to_end().decode(), "".join(f"{name}: {line}\n" for line in shown))

    @with_each(CHATS)
    def test_a_peer_that_is_not_there_yet(self, form):
        port = harness.free_port()
        done = self.run_chat(form, "127.0.0.1", port, input_bytes=b"one\ntwo\nthree\n")
        self.assertEqual(done.returncode, 0)
        said = done.stderr.decode().splitlines()[1:]
        self.assertEqual(said, [f"connection refused: nobody listens at 127.0.0.1:{port} yet"])
        one = self.talk(form, "127.0.0.1", port)
        one.say("nobody hears this")
        one.err.until(f"connection refused: nobody listens at 127.0.0.1:{port} yet\n".encode())
        peer = self.peer(port=port)
        one.say("somebody hears this")
        self.assertEqual(peer.recv(2000), b"somebody hears this")
        self.assertEqual(one.end_input(), 0)

    @with_each(CHATS)
    def test_ctrl_c_ends_it_whatever_it_waits_for(self, form):
        for number in (signal.SIGINT, signal.SIGTERM):
            one = self.talk(form, "127.0.0.1", self.peer().getsockname()[1])
            one.process.send_signal(number)
            self.assertEqual(one.status(), 128 + number)

    @with_each(CHATS)
    def test_ends_when_nobody_reads_what_it_hears(self, form):
        peer = self.peer()
        one = self.talk(form, "127.0.0.1", peer.getsockname()[1])
        one.process.stdout.close()
        peer.sendto(b"hello", ("127.0.0.1", one.port))
        self.assertEqual(one.status(), 128 + signal.SIGPIPE)

    @unittest.skipUnless(harness.has_ipv6(), "no IPv6 here")
    @with_each(CHATS)
    def test_over_ipv6(self, form):
        peer = self.peer("::1")
        one = self.talk(form, "::1", peer.getsockname()[1])
        one.say("six")
        self.assertEqual(peer.recvfrom(2000)[0], b"six")
        peer.sendto(b"too", ("::1", one.port))
        one.out.until(f"{self.name_of(peer)}: too\n".encode())
        self.assertEqual(one.end_input(), 0)


class ChatCommandLine(ChatCase):
    def test_wrong_ones(self):
        for arguments, words in [
            (["thread"], b"HOST"),
            (["gevent", "127.0.0.1", "9"], b"no chat is called gevent; there are thread, coroutine"),
            (["thread", "127.0.0.1", "0"], b"PORT is a port from 1 to 65535, not '0'"),
            (["thread", "127.0.0.1", "ten"], b"PORT is a port"),
            (["thread", "", "9"], b"HOST is empty"),
            (["thread", "-p", "70000", "127.0.0.1", "9"], b"not a port"),
        ]:
            done = harness.run("chat", *arguments)
            self.assertEqual((done.returncode, done.stdout), (USAGE, b""))
            self.assertIn(words, done.stderr)

    def test_what_cannot_begin(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("0.0.0.0", 0))
            port = taken.getsockname()[1]
            for form in CHATS:
                done = self.run_chat(form, "-p", port, "127.0.0.1", "9")
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr.decode(), f"ringlet-compare: UDP port {port} is in use already: choose another with --port, "
                                 "or a free one with --port 0\n")
                done = self.run_chat(form, "no.such.invalid", "9")
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr, b"ringlet-compare: could not resolve host: no.such.invalid: host not found\n")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
