# SPDX-License-Identifier: MIT
"""ringlet-fetch: the bytes that arrive are the bytes that were sent, however they were sent."""

import hashlib
import os
import random
import time

import harness
from harness import OK, PROTOCOL
from hostile_server import chunked, response

KIB = 1024
MIB = 1024 * KIB


class Content(harness.FetchCase):
    def test_many_files_and_every_sha256_matches(self):
        sizes = [0, 1, 3 * MIB, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1] + [random.randrange(2, 90_000) for _ in range(94)]
        bodies = {f"{i:03}.bin": os.urandom(size) for i, size in enumerate(sizes)}
        urls = [self.serve(f"/site/{name}", response(body)) for name, body in bodies.items()]
        result = self.fetch(*urls)
        self.check(result, OK, bodies, says="100 ok, 0 failed")
        for name, body in bodies.items():
            self.assertEqual(hashlib.sha256((self.out / name).read_bytes()).digest(), hashlib.sha256(body).digest(), name)
        self.assertLessEqual(self.server.connections, 8, "connections are not used again")

    def test_zero_bytes(self):
        self.check(self.fetch(self.serve("/empty", response(b""))), OK, {"empty": b""})

    def test_no_content(self):
        result = self.fetch(self.serve("/none", b"HTTP/1.1 204 No Content\r\n\r\n"))
        self.check(result, PROTOCOL, {}, "the server answered 204 No Content, which is no answer to what was asked")

    def test_chunked(self):
        pieces = [os.urandom(n) for n in (1, 70_000, 3, 128 * KIB, 17)]
        self.check(self.fetch(self.serve("/chunks", chunked(pieces))), OK, {"chunks": b"".join(pieces)})

    def test_chunked_in_many_tiny_chunks_with_trailers(self):
        body = os.urandom(5000)
        raw = chunked([body[i : i + 1] for i in range(len(body))], b"0\r\nChecked: no\r\n\r\n")
        self.check(self.fetch(self.serve("/tiny", raw)), OK, {"tiny": body})

    def test_chunked_and_empty(self):
        self.check(self.fetch(self.serve("/nothing", chunked([]))), OK, {"nothing": b""})

    def test_no_length_the_close_ends_it(self):
        body = os.urandom(300_000)
        self.check(self.fetch(self.serve("/until-close", b"HTTP/1.1 200 OK\r\n\r\n" + body)), OK, {"until-close": body})

    def test_http_1_0(self):
        body = os.urandom(1000)
        self.check(self.fetch(self.serve("/old", b"HTTP/1.0 200 OK\r\n\r\n" + body)), OK, {"old": body})

    def test_no_reason_phrase(self):
        self.check(self.fetch(self.serve("/short", b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi")), OK, {"short": b"hi"})

    def test_interim_responses_are_passed_over(self):
        raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + response(b"final")
        self.check(self.fetch(self.serve("/hints", raw)), OK, {"hints": b"final"})

    def test_head_in_single_bytes(self):
        def drip(client):
            client.send_pieces(response(b"slowly"), 1)
            return True

        self.check(self.fetch(self.serve("/drip", drip)), OK, {"drip": b"slowly"})

    def test_slow_but_steady_goes_on_beyond_the_stall_timeout(self):
        def trickle(client):
            client.send(response(length=40))
            for _ in range(40):
                client.send(b"x")
                time.sleep(0.1)  # the pace itself: 4 s in all, against a limit of 2 s without a byte
            return True

        result = self.fetch("--stall-timeout", "2s", self.serve("/trickle", trickle))
        self.check(result, OK, {"trickle": b"x" * 40})

    def test_bytes_beyond_the_length_belong_to_nobody(self):
        second = self.serve("/second", response(b"second"))
        first = self.serve("/first", response(b"first", length=3) + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        result = self.fetch("-j", 1, first, second)
        self.check(result, OK, {"first": b"fir", "second": b"second"})

    def test_a_kept_connection_that_was_closed_is_replaced(self):
        # The close may be seen before the second request or only after it was sent: both must do.
        def once(client):
            client.send(response(b"once"))
            return client.number == 99

        self.check(self.fetch("-j", 1, self.serve("/a", once), self.serve("/b", once)), OK, {"a": b"once", "b": b"once"})

        def not_twice(client):
            client.send(response(b"again"))
            client.next_request()
            return False

        files = {"a": b"once", "b": b"once", "c": b"again", "d": b"again"}
        self.check(self.fetch("-j", 1, self.serve("/c", not_twice), self.serve("/d", not_twice)), OK, files)

    def test_two_servers_do_not_share_connections(self):
        other = harness.Server()
        self.addCleanup(other.close)
        other.routes["/b"] = response(b"other")
        result = self.fetch("-j", 1, self.serve("/a", response(b"one")), other.url("/b"), self.serve("/c", response(b"three")))
        self.check(result, OK, {"a": b"one", "b": b"other", "c": b"three"})

    def test_standard_output(self):
        body = os.urandom(400_000)
        result = self.fetch("-o", "-", self.serve("/x", response(body)))
        self.check(result, OK, {}, says="1 ok, 0 failed")
        self.assertTrue(result.out == body)

    def test_directory_is_made(self):
        result = self.fetch("-P", "new/deep", self.serve("/x", response(b"x")))
        self.assertEqual(result.status, OK, result.err)
        self.assertEqual((self.out / "new/deep/x").read_bytes(), b"x")

    def test_what_is_asked(self):
        self.fetch(self.serve("/a%20b?q=1", response(b"x")) + "#fragment")
        head = self.server.heads[0].decode()
        self.assertTrue(head.startswith("GET /a%20b?q=1 HTTP/1.1\r\n"), head)
        self.assertIn(f"\r\nHost: 127.0.0.1:{self.server.port}", head)
        self.assertIn("\r\nAccept-Encoding: identity", head)
        self.assertEqual(sorted(self.files()), ["a b"])


harness.main()
