# SPDX-License-Identifier: MIT
"""ringlet-fetch: what may pass is tried again, so often as was asked for, and nothing else is."""

import json
import signal
import socket
import threading
import time
from email.utils import formatdate

import harness
from harness import LOGIN, NETWORK, OK, PROTOCOL, STATUS
from hostile_server import Thing, chunked, response

BODY = bytes(range(256)) * 2000


class Retry(harness.FetchCase):
    tries = 3

    def answers(self, *raws):
        """A URL that gets these answers, one after the other, and then the right one."""
        left = list(raws)

        def route(client):
            answer = left.pop(0) if left else response(BODY)
            if callable(answer):
                return answer(client)
            client.send(answer)
            return b"Content-Length" in answer and b"503" not in answer

        self.server.requests.clear()
        return self.serve("/x", route)

    def tried(self, times, url, *options, status=OK, says=()):
        result = self.fetch("--retry-wait", 0, *options, url)
        self.check(result, status, {"x": BODY} if status == OK else {}, says)
        self.assertEqual(len(self.server.requests), times, result.err)
        (self.out / "x").unlink(missing_ok=True)
        return result

    def test_statuses_that_may_pass(self):
        for status in (408, 429, 500, 502, 503, 504, 522, 524):
            with self.subTest(status=status):
                said = f"the server answered {status} Hm; try 2 of 3 in 0ms"
                self.tried(2, self.answers(response(b"hm", f"{status} Hm")), says=said)

    def test_statuses_that_do_not(self):
        for status in (400, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 418, 421, 423, 425, 426, 428, 431, 451, 499,
                       501, 505, 506, 507, 508, 511, 521, 523, 525, 599):
            with self.subTest(status=status):
                self.tried(1, self.answers(response(b"hm", f"{status} Hm")), status=STATUS, says=f"answered {status} Hm")
        for status in (401, 407):
            self.tried(1, self.answers(response(b"", f"{status} Who")), status=LOGIN)

    def test_not_what_is_no_http(self):
        for raw in (b"nonsense\r\n\r\n", response(b"", "302 Found"), chunked([b"12345"], b"xyz\r\n")):
            self.tried(1, self.answers(raw), status=PROTOCOL)

    def test_broken_connections(self):
        def reset(client):
            client.reset()

        def reset_in_the_body(client):
            client.send(response(BODY[:1000], length=len(BODY)))
            client.reset()

        for raw in (lambda client: False, reset, reset_in_the_body, chunked([BODY[:1000]], b"")):
            self.tried(2, self.answers(raw), says="try 2 of 3")
        self.tried(2, self.answers(lambda client: client.send(response(BODY[:9], length=len(BODY)))), says="truncated after 9 of")

    def test_time_for_which_it_was_stopped_is_no_stall(self):
        body = BODY * 8  # long enough for a pipe
        for raw in (response(body), chunked([body])):
            stopped = threading.Event()

            def halves(client):
                client.send(raw[:300_000])
                stopped.wait()
                client.send(raw[300_000:])
                return True

            process = self.start("-o", "x", "--json", "--tries", 1, "--stall-timeout", 1, self.serve("/x", halves))
            harness.wait_until(lambda: (self.out / "x.part").exists() and (self.out / "x.part").stat().st_size > 0)
            process.send_signal(signal.SIGSTOP)
            stopped.set()
            time.sleep(2)  # longer than the limit
            process.send_signal(signal.SIGCONT)
            self.check(self.ended(process), OK, {"x": body})
            (self.out / "x").unlink()

    def test_stalls(self):
        def stall(client):
            client.send(response(BODY[:1000], length=len(BODY)))
            client.until_gone()

        for raw in (lambda client: client.until_gone(), stall):
            self.tried(2, self.answers(raw), "--stall-timeout", "0.3", says="try 2 of 3")

    def test_refused(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/x"
            result = self.fetch("--retry-wait", 0, url)
        self.check(result, NETWORK, {}, ["Connection refused", "try 2 of 3", "try 3 of 3"])
        self.assertEqual(result.err.count("Connection refused"), 3)

    def test_a_name_that_does_not_exist_is_not_tried_again(self):
        result = self.fetch("--retry-wait", 0, "http://nowhere.invalid/x")
        self.check(result, NETWORK, {}, "could not resolve host: nowhere.invalid")
        self.assertNotIn("try 2", result.err)

    def test_exactly_so_many_tries(self):
        later = response(b"", "503 Later")
        for tries in (1, 2, 5, 20):
            with self.subTest(tries=tries):
                self.tried(tries, self.answers(*[later] * 100), "--tries", tries, status=STATUS, says="503 Later")
                self.tried(tries, self.answers(*[later] * (tries - 1)), "--tries", tries)

    def test_each_item_has_its_own(self):
        bad = self.serve("/bad", response(b"", "503 Later"))
        result = self.fetch("--retry-wait", 0, bad, self.server.url("/404"), self.serve("/x", response(BODY)))
        self.check(result, STATUS, {"x": BODY}, "1 ok, 2 failed")
        self.assertEqual([self.server.requests.count(path) for path in ("/bad", "/404", "/x")], [3, 1, 1])

    def test_the_others_go_on_meanwhile(self):
        # The first is answered a second time when the other has come, which it can only where nobody waits for it.
        later = [response(b"", "503 Later")]

        def first(client):
            if later:
                client.send(later.pop())
                return True
            harness.wait_until(lambda: (self.out / "y").exists())
            client.send(response(BODY))
            return True

        urls = [self.serve("/x", first), self.serve("/y", response(b"y"))]
        self.check(self.fetch("--retry-wait", "10ms", *urls), OK, {"x": BODY, "y": b"y"})

    def test_retry_after(self):
        for after, shown in (("0", "0ms"), (formatdate(time.time() - 100, usegmt=True), "0ms"), ("1", "1s"), (" 0 ", "0ms")):
            with self.subTest(after=after):
                raw = response(b"", "503 Later", Retry_After=after)
                self.tried(2, self.answers(raw), says=f"503 Later; try 2 of 3 in {shown}")

    def test_retry_after_that_is_none(self):
        for after in ("soon", "-5", "1.5", "1 s", "0x10", "", "Someday, 01 Jan 2024 00:00:00 GMT"):
            with self.subTest(after=after):
                self.tried(2, self.answers(response(b"", "429 Less", Retry_After=after)), says="429 Less; try 2 of 3 in 0ms")

    def test_retry_after_that_is_too_long(self):
        for after in ("301", "86400", "9" * 30, formatdate(time.time() + 100_000, usegmt=True)):
            with self.subTest(after=after):
                raw = response(b"", "503 Later", Retry_After=after)
                result = self.tried(1, self.answers(raw), status=STATUS, says="503 Later and wants to be asked again in ")
                self.assertNotIn("try 2", result.err)

    def test_retry_after_of_what_does_not_pass(self):
        self.tried(1, self.answers(response(b"", "404 No", Retry_After="0")), status=STATUS)

    def test_max_time(self):
        url = self.answers(*[response(b"", "503 Later")] * 1000)
        result = self.fetch("--max-time", "0.3", "--retry-wait", "100s", url)
        self.check(result, NETWORK, {}, ["try 2 of 3", "not done within 300ms"])
        thing = Thing(BODY)
        thing.plan, thing.hold = [len(BODY) - 1], True
        self.check(self.fetch("--max-time", "0.5", self.serve("/y", thing)), NETWORK, says="not done within 500ms (after ")
        self.assertEqual(sorted(self.files()), ["y.part", "y.part.state"])
        self.check(self.fetch("--max-time", "100", self.server.url("/y")), OK, {"y": BODY})
        self.assertEqual(thing.ranges()[1], f"bytes={len(BODY) - 1}-")

    def test_max_time_of_one_is_not_that_of_all(self):
        held = self.serve("/held", lambda client: client.until_gone())
        result = self.fetch("-j", 1, "--max-time", "0.3", held, self.serve("/x", response(BODY)))
        self.check(result, NETWORK, {"x": BODY}, "not done within 300ms (after 0 bytes)")

    def test_the_count_of_bytes_after_a_retry(self):
        for etag, bytes_again in (('"1"', 300_000), (None, 0)):
            thing = Thing(BODY, etag)
            thing.plan = [300_000]
            result = self.fetch("--json", "--retry-wait", 0, self.serve("/x", thing))
            self.check(result, OK, {"x": BODY}, "truncated after 300000 of 512000 bytes")
            events = [json.loads(line) for line in result.out.splitlines()]
            (again,) = [event for event in events if event["event"] == "retry"]
            (done,) = [event for event in events if event["event"] == "done"]
            self.assertEqual((again["bytes"], again["try"], again["tries"], again["error"]), (bytes_again, 2, 3, "truncated"))
            self.assertEqual((done["bytes"], done["total"], done["resumed"]), (len(BODY), len(BODY), 0))
            self.assertEqual(events[-1]["bytes"], len(BODY))
            (self.out / "x").unlink()

    def test_a_stale_connection_is_no_try(self):
        def not_twice(client):
            client.send(response(BODY))
            client.next_request()
            return False

        urls = [self.serve(f"/{i}", not_twice) for i in range(3)]
        result = self.fetch("-j", 1, "--tries", 1, *urls)
        self.check(result, OK, {str(i): BODY for i in range(3)})

    def test_what_a_server_says_is_harmless(self):
        evil = b"\x1b[2J\x1b]0;x\x07\xc2\x9b31m\xe2\x80\xae\xff".replace(b"\x1b", b"\xc2\x9b").replace(b"\x07", b"")
        raws = [
            b"HTTP/1.1 503 " + evil + b"\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 302 x\r\nLocation: /x?" + evil + b"\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 503 x\r\nRetry-After: " + evil + b"\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 " + evil + b'\r\nETag: "' + evil + b'"\r\nContent-Disposition: attachment; filename="' + evil
            + b'"\r\nConnection: close\r\n\r\n12',
        ]
        for options in ((), ("-v", "-J")):
            for raw in raws:
                result = self.fetch("--retry-wait", 0, *options, self.answers(raw))
                for bad in (b"\x1b", b"\x07", b"\r", b"\xc2\x9b", b"\xe2\x80\xae", b"\xff"):
                    self.assertNotIn(bad, result.err_bytes)
                for name in self.files():
                    self.assertFalse(any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in name), ascii(name))
                    (self.out / name).unlink()


harness.main()
