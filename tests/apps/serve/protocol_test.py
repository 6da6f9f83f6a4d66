# SPDX-License-Identifier: MIT
"""HTTP/1.1 as a hostile, a clumsy and an odd client speak it."""

import http.client
import threading

from harness import BIG_BYTES, HANGS_AFTER, ServeCase, get, main, pattern


class Protocol(ServeCase):
    @classmethod
    def fill(cls, root):
        super().fill(root)
        (root / "big.bin").write_bytes(pattern(BIG_BYTES))
        (root / "middle.bin").write_bytes(pattern(64 * 1024))

    def refused(self, request, status):
        """Answered with this status, and the connection closed."""
        with self.server.connect() as c:
            c.send(request)
            answer = c.read()
            self.assertIsNotNone(answer, request[:200])
            self.assertEqual(answer.status, status, request[:200])
            self.assertEqual(answer["Connection"], "close")
            c.finish()
            self.assertTrue(c.ended(), request[:200])

    def test_a_request_split_at_every_byte(self):
        request = get("/a.txt", "X-Some: field") + get("/b.txt")
        with self.server.connect() as c:
            for cut in range(1, len(request)):
                c.send(request[:cut]).send(request[cut:])
                self.assertEqual((c.read().body, c.read().body), (b"alpha\n", b"beta\n"), cut)

    def test_a_request_byte_by_byte(self):
        with self.server.connect() as c:
            for byte in get("/a.txt"):
                c.send(bytes([byte]))
            self.assertEqual(c.read().body, b"alpha\n")

    def test_what_an_answer_holds(self):
        answer = self.server.get("/a.txt")
        self.assertEqual((answer.status, answer.version), (200, "HTTP/1.1"))
        self.assertEqual(answer["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(answer["X-Content-Type-Options"], "nosniff")
        for name in ("Date", "Last-Modified"):
            self.assertRegex(answer[name], r"^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$")

    def test_pipelined_requests_are_answered_in_order(self):
        with self.server.connect() as c:
            c.send((get("/a.txt") + get("/none") + get("/b.txt", method="HEAD") + get("/empty.txt") + get("/")) * 20)
            for _ in range(20):
                self.assertEqual(c.read().body, b"alpha\n")
                self.assertEqual(c.read().status, 404)
                self.assertEqual(c.read("HEAD")["Content-Length"], "5")
                self.assertEqual(c.read().body, b"")
                self.assertIn(b"a.txt", c.read().body)

    def test_pipelined_requests_with_bodies(self):
        with self.server.connect() as c:
            c.send(get("/a.txt", "Content-Length: 5") + b"GET /" + get("/b.txt"))
            c.send(get("/a.txt", "Transfer-Encoding: chunked") + b"3;x=y\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: r\r\n\r\n")
            c.send(get("/b.txt", "Content-Length: 3", method="POST") + b"xyz" + get("/a.txt"))
            self.assertEqual([c.read().body for _ in range(3)], [b"alpha\n", b"beta\n", b"alpha\n"])
            self.assertEqual((c.read().status, c.read().body), (405, b"alpha\n"))

    def test_hundreds_of_pipelined_requests_and_a_reader_that_waits(self):
        # Answers of 128 MiB to a client that sends all before it reads any: what is not read must not pile up here.
        count = 2048
        before = self.server.resident_bytes()
        with self.server.connect(receive_buffer=32768) as c:
            sender = threading.Thread(target=c.send, args=(get("/middle.bin") * count,))
            sender.start()
            expected = pattern(64 * 1024)
            first = c.read()
            self.assertEqual(first.body, expected)
            most = self.server.resident_bytes()
            for _ in range(count - 1):
                self.assertTrue(c.read().body == expected)
            sender.join(HANGS_AFTER)
            self.assertFalse(sender.is_alive())
        # Sanitizers keep what was freed.
        self.assertLess(max(most, self.server.resident_bytes()) - before, 48 << 20)

    def test_many_small_answers_unread(self):
        with self.server.connect(receive_buffer=32768) as c:
            count = 3000
            sender = threading.Thread(target=c.send, args=(get("/a.txt") * count,))
            sender.start()
            for _ in range(count):
                self.assertEqual(c.read().body, b"alpha\n")
            sender.join(HANGS_AFTER)

    def test_head_has_the_length_and_no_body(self):
        with self.server.connect() as c:
            for path in ("/a.txt", "/big.bin", "/none", "/"):
                head = c.send(get(path, method="HEAD")).read("HEAD")
                if path == "/big.bin":
                    self.assertEqual(head["Content-Length"], str(BIG_BYTES))
                    continue
                whole = c.send(get(path)).read()
                head.fields.pop("date"), whole.fields.pop("date")
                self.assertEqual((head.status, head.fields), (whole.status, whole.fields))

    def test_1_1_stays_open_until_told(self):
        with self.server.connect() as c:
            self.assertIsNone(c.send(get()).read()["Connection"])
            self.assertEqual(c.send(get("/a.txt", "Connection: keep-alive, Close")).read()["Connection"], "close")
            self.assertTrue(c.ended())

    def test_1_0_closes_unless_told(self):
        with self.server.connect() as c:
            self.assertEqual(c.send(b"GET /a.txt HTTP/1.0\r\n\r\n").read()["Connection"], "close")
            self.assertTrue(c.ended())
        with self.server.connect() as c:
            answer = c.send(get("/a.txt", "Connection: Keep-Alive", version="1.0")).read()
            self.assertEqual((answer["Connection"], answer.body), ("keep-alive", b"alpha\n"))
            self.assertEqual(c.send(get("/b.txt", version="1.0")).read().body, b"beta\n")
            self.assertTrue(c.ended())

    def test_what_follows_a_close_is_not_answered(self):
        with self.server.connect() as c:
            c.send(get("/a.txt", "Connection: close") + get("/b.txt") * 50)
            self.assertEqual(c.read().body, b"alpha\n")
            self.assertTrue(c.ended())

    def test_expect_is_refused_without_reading_the_body(self):
        # A body that nobody wants is not asked for. Whether it comes all the same cannot be known: the connection ends.
        with self.server.connect() as c:
            answer = c.send(get("/a.txt", "Expect: 100-continue", "Content-Length: 9", method="POST")).read()
            self.assertEqual((answer.status, answer["Connection"]), (405, "close"))
            self.assertTrue(c.ended())
        with self.server.connect() as c:  # without a body it means nothing
            self.assertEqual(c.send(get("/a.txt", "Expect: 100-continue")).read().body, b"alpha\n")
            self.assertEqual(c.send(get("/b.txt")).read().body, b"beta\n")

    def test_a_long_body_that_nobody_wants(self):
        with self.server.connect() as c:
            answer = c.send(get("/a.txt", "Content-Length: 1000000000000", method="PUT")).read()
            self.assertEqual((answer.status, answer["Connection"]), (405, "close"))
        with self.server.connect() as c:
            c.send(get("/a.txt", "Transfer-Encoding: chunked", method="PUT") + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3)
            self.assertEqual(c.read().status, 405)
            self.assertTrue(c.ended())  # more than is worth dropping

    def test_half_close_after_the_requests(self):
        with self.server.connect(receive_buffer=32768) as c:
            c.send(get("/big.bin") + get("/a.txt") + get("/middle.bin")).finish()
            self.assertTrue(c.read().body == pattern(BIG_BYTES))
            self.assertEqual(c.read().body, b"alpha\n")
            self.assertTrue(c.read().body == pattern(64 * 1024))
            self.assertTrue(c.ended())

    def test_what_comes_late_cuts_no_answer(self):
        for request in (get("/big.bin", "Connection: close"), get("/big.bin", version="1.0")):
            with self.server.connect(receive_buffer=4096) as c:
                c.send(request)
                c.unread += c.socket.recv(1000)
                c.send(b"\r\n")
                self.assertTrue(c.read().body == pattern(BIG_BYTES))
        for last in (get("/a.txt", "Connection: close"), get("/a.txt", version="1.0")):
            with self.server.connect(receive_buffer=1000) as c:  # the kernel has all of it, the client not
                c.send(get("/a.txt") * 50 + last)
                c.unread += c.socket.recv(100)
                c.send(b"\r\n")
                self.assertEqual([c.read().body for _ in range(51)], [b"alpha\n"] * 51)

    def test_half_close_in_the_middle(self):
        for cut in (b"G", get()[:-2], get()[:20], get("/a.txt", "Content-Length: 10") + b"123"):
            with self.server.connect() as c:
                self.assertEqual(c.send(cut).finish().read().status, 400)
                self.assertTrue(c.ended())
        with self.server.connect() as c:
            self.assertTrue(c.finish().ended())

    def test_reset_in_mid_body(self):
        for read_some in (False, True):
            c = self.server.connect(receive_buffer=32768)
            c.send(get("/big.bin"))
            if read_some:
                c.take(100_000)
            c.reset()
        self.check_alive()

    def test_methods(self):
        with self.server.connect() as c:
            for method in ("POST", "PUT", "DELETE", "TRACE", "PATCH"):
                answer = c.send(get("/a.txt", method=method)).read()
                self.assertEqual((answer.status, answer["Allow"]), (405, "GET, HEAD, OPTIONS"), method)
        with self.server.connect() as c:
            for target in ("*", "/a.txt", "/none"):
                answer = c.send(get(target, method="OPTIONS")).read()
                self.assertEqual((answer.status, answer["Allow"]), (204, "GET, HEAD, OPTIONS"), target)
        for method in ("BREW", "get", "GETT", "G"):
            self.assertEqual(self.server.ask(get("/a.txt", method=method)).status, 501, method)
        self.refused(get("h:80", method="CONNECT"), 405)

    def test_what_is_too_long(self):
        self.refused(get("/" + "a" * 9000), 414)
        self.refused(get("/a.txt", "X: " + "a" * 9000), 431)
        self.refused(get("/a.txt", *[f"X{i}: y" for i in range(200)]), 431)
        self.refused(get("/a.txt", *["X: " + "a" * 4000] * 10), 431)
        self.refused(get("/" + "a" * 100_000), 414)  # more than is read before the answer

    def test_malformed_heads(self):
        for head in (
            b"GET /a.txt\r\nHost: h\r\n\r\n",
            b"GET  /a.txt HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET /a.txt HTTP/1.1\nHost: h\n\n",
            b"GET /a.txt HTTP/1.1\r\n\r\n",
            b"GET /a.txt HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
            b"GET /a.txt HTTP/1.1\r\nHost: h/x\r\n\r\n",
            b"GET /a.txt HTTP/1.1\r\nHost : h\r\n\r\n",
            b"GET /a.txt HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
            b"GET /a.txt HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n",
            b"GET /a.txt HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
            b"GET a.txt HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET * HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        ):
            self.refused(head, 400)
        self.refused(b"GET /a.txt HTTP/2.0\r\nHost: h\r\n\r\n", 505)

    def test_smuggling(self):
        for fields in (
            ("Content-Length: 3", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: chunked", "Content-Length: 3"),
            ("Content-Length: 3", "Content-Length: 4"),
            ("Content-Length: 3, 3",),
            ("Content-Length: +3",),
            ("Content-Length: 0x3",),
            ("Content-Length: -1",),
            ("Content-Length:",),
            ("Content-Length: 18446744073709551616",),
            ("Content-Length : 3",),
            ("Transfer-Encoding : chunked",),
            ("Transfer-Encoding: chunked, identity",),
            ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: xchunked",),
            ("Transfer-Encoding: \x0bchunked",),
        ):
            self.refused(get("/a.txt", *fields) + b"0\r\n\r\n" + get("/b.txt"), 400)
        self.refused(get("/a.txt", "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n", 501)
        self.refused(get("/a.txt", "Transfer-Encoding: chunked", version="1.0") + b"0\r\n\r\n", 400)

    def test_malformed_bodies_are_refused(self):
        # Nobody wants them, and yet a request is answered with its file only when all of it was well-formed.
        for body in (
            b"3\nabc\n0\n\n",
            b"g\r\n",
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"-1\r\n",
            b"+1\r\na\r\n0\r\n\r\n",
            b" 1\r\na\r\n0\r\n\r\n",
            b"1_0\r\na\r\n0\r\n\r\n",
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b"3;\r\nabc\r\n0\r\n\r\n",
            b"3;a\0\r\nabc\r\n0\r\n\r\n",
            b"3\rabc\r\n0\r\n\r\n",
            b"1" * 20 + b"\r\n",
        ):
            for method in ("GET", "POST"):
                self.refused(get("/a.txt", "Transfer-Encoding: chunked", method=method) + body + get("/b.txt"), 400)

    def test_errors_come_behind_the_answers_before_them(self):
        with self.server.connect() as c:
            c.send(get("/a.txt") * 3 + b"GET / nonsense\r\n\r\n" + get("/b.txt"))
            self.assertEqual([c.read().status for _ in range(4)], [200, 200, 200, 400])
            c.finish()
            self.assertTrue(c.ended())

    def test_python_client(self):
        client = http.client.HTTPConnection(*self.server.address, timeout=HANGS_AFTER)
        for _ in range(3):
            client.request("GET", "/big.bin")
            self.assertTrue(client.getresponse().read() == pattern(BIG_BYTES))
            client.request("POST", "/a.txt", body=b"x" * 1000)
            answer = client.getresponse()
            self.assertEqual((answer.status, answer.read()), (405, b"405 Method Not Allowed\n"))
        client.close()


main()
