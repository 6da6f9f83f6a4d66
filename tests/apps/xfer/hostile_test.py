# SPDX-License-Identifier: MIT
"""Clients and servers that do not keep to the protocol, are slow, or say nothing."""

import hashlib
import os
import socket
import struct

import harness
from harness import NETWORK, OK, PREAMBLE, PROTOCOL, STATUS, end, frame, hear_request, offer

CONTENT = b"content" * 1000
REFUSED = PREAMBLE + b"R"


class Clients(harness.XferCase):
    def setUp(self):
        super().setUp()
        (self.root / "a").write_bytes(CONTENT)

    def test_one_byte_at_a_time(self):
        server = self.serve()
        peer = server.connect()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in harness.request(b"a"):
            peer.sendall(bytes([byte]))
        heard = b""
        while len(heard) < 10 + 33 + 5 + len(CONTENT) + 39:
            heard += peer.recv(1)
        self.assertEqual(heard[:10], PREAMBLE)
        self.assertEqual(heard[10:20], b"O" + struct.pack(">I", 28) + bytes(5))
        self.assertEqual(heard[43:], frame(b"D", CONTENT) + end(hashlib.sha256(CONTENT).digest()))
        peer.sendall(frame(b"A", b"\0\0"))
        self.assertIn(" received, ", server.line())

    def test_what_is_no_request_is_refused_and_said(self):
        server = self.serve()
        for bytes_, status, word in (
                (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2, "bad_request"),
                (PREAMBLE + frame(b"A", b"\0\0"), 2, "bad_request"),
                (PREAMBLE + b"G" + struct.pack(">I", 1 << 30), 2, "bad_request"),
                (PREAMBLE + b"G" + struct.pack(">I", 40 + 4097), 2, "bad_request"),
                (PREAMBLE + frame(b"G", bytes(40)), 2, "bad_request"),
                (b"RINGXFER\0\2anything", 3, "bad_version"),
                (b"RINGXFER\xff\xff", 3, "bad_version"),
                (harness.request(b"a\0b"), 1, "not_found")):
            with self.subTest(bytes_[:30]):
                answer = server.ask(bytes_)
                self.assertEqual(answer[:11], REFUSED)
                self.assertEqual(struct.unpack(">H", answer[15:17])[0], status)
                self.assertIn(word, server.line())

    def test_an_answer_is_not_lost_to_what_is_still_sent(self):
        answer = self.serve().ask(b"x" * 50_000)
        self.assertEqual(answer[:11], REFUSED)

    def test_a_change_that_met_what_was_under_way_is_no_damage(self):
        server = self.serve()
        for changes, word in ((False, "damaged"), (True, "changed")):
            peer = server.connect()
            peer.sendall(harness.request(b"a"))
            harness.read_all_but(peer, 10 + 33 + 5 + len(CONTENT) + 39, exactly=True)
            if changes:
                (self.root / "a").write_bytes(CONTENT[::-1])
                os.utime(self.root / "a", (1_000_000_000, 1_000_000_000))
            peer.sendall(frame(b"A", struct.pack(">H", 7)))
            self.assertIn(f" {word}, ", server.line())

    def test_a_wrong_offset_gets_all_of_it(self):
        server = self.serve()
        for offset in (1, len(CONTENT), len(CONTENT) + 1, 1 << 63, (1 << 64) - 1):
            answer = server.ask(harness.request(b"a", offset, b"\1" * 32))
            self.assertEqual(answer[10:43][13:21], bytes(8))  # start
            self.assertIn(CONTENT, answer)

    def test_a_client_that_takes_nothing_is_given_up(self):
        with open(self.root / "large", "wb") as file:
            file.truncate(64 << 20)
        server = self.serve("--timeout", "100ms")
        peer = server.connect()
        peer.sendall(harness.request(b"large"))
        self.assertIn(' "large" stalled, ', server.line())

    def test_silent_clients_hold_nobody_up(self):
        server = self.serve()
        silent = [server.connect() for _ in range(20)]
        silent[0].sendall(PREAMBLE[:5])
        self.check(self.get(server.at, "a"), OK, {"a": CONTENT})

    def test_more_than_the_limit_are_told_to_try_later(self):
        server = self.serve("--max-connections", "2")
        first = [server.connect(), server.connect()]
        self.check(self.get(server.at, "a"), STATUS, {}, "the server refuses: too busy, try later")
        self.assertIn(" busy in ", server.line())
        for peer in first:
            peer.close()
        harness.wait_until(lambda: self.get(server.at, "a", "--force").status == OK)


class Servers(harness.XferCase):
    def answered(self, answer, *arguments):
        def handle(connection):
            hear_request(connection)
            connection.sendall(answer)

        return self.get(harness.Peer(self, handle).at, "a", *arguments)

    def test_what_is_no_answer(self):
        for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", PREAMBLE + frame(b"G", bytes(41)), PREAMBLE + frame(b"E", bytes(34)),
                       PREAMBLE + b"O" + struct.pack(">I", 1 << 31), PREAMBLE + offer(5, 6), PREAMBLE + offer(5, 3), PREAMBLE + frame(b"D", b"x"),
                       b"RINGXFER\0\2" + frame(b"W")):
            with self.subTest(answer[:40]):
                result = self.answered(answer)
                self.assertIn(result.status, (PROTOCOL, NETWORK), result.err)
                self.check(result, result.status, {})

    def test_more_data_than_was_announced(self):
        result = self.answered(PREAMBLE + offer(3) + frame(b"D", b"four") + end(hashlib.sha256(b"four").digest()))
        self.check(result, PROTOCOL, {}, "a frame that has no place here")

    def test_less_data_than_was_announced(self):
        result = self.answered(PREAMBLE + offer(5) + frame(b"D", b"four") + end(hashlib.sha256(b"four").digest()))
        self.check(result, NETWORK, {"a.part": b"four"}, "got 4 of 5 bytes")

    def test_an_endless_size(self):
        result = self.answered(PREAMBLE + offer((1 << 64) - 1) + frame(b"D", b"four"))
        self.check(result, PROTOCOL, {}, "more than a file can have")
        (self.out / "a.part").write_bytes(b"worth something")
        (self.out / "a.part").chmod(0o600)
        result = self.answered(PREAMBLE + offer(1 << 63), "--resume")
        self.check(result, PROTOCOL, {"a.part": b"worth something"}, "more than a file can have")

    def test_a_part_that_somebody_took_away_is_not_said_to_be_kept(self):
        def handle(connection):
            hear_request(connection)
            connection.sendall(PREAMBLE + offer(4) + frame(b"D", b"four"))
            part = self.out / "a.part"
            harness.wait_until(lambda: part.exists() and part.read_bytes() == b"four")
            part.unlink()
            connection.sendall(end(hashlib.sha256(b"four").digest()))
            harness.read_all(connection)

        result = self.get(harness.Peer(self, handle).at, "a")
        self.check(result, harness.FILE, {}, "somebody has taken it away")
        self.assertNotIn("is kept", result.err)

    def test_another_version_is_told(self):
        result = self.answered(b"RINGXFER\0\7" + frame(b"R", b"\0\3speak 7"))
        self.check(result, PROTOCOL, {}, "unknown version of the protocol")

    def test_words_of_the_server_reach_no_terminal(self):
        result = self.answered(PREAMBLE + frame(b"R", b"\x03\xe7\x1b[2Jx\nforged\x9b31m"))
        self.check(result, STATUS, {}, "the server refuses: \\x1b[2Jx\\x0aforged")
        self.assertEqual(result.err.count("\n"), 1)

    def test_one_byte_at_a_time(self):
        answer = PREAMBLE + frame(b"W") + offer(4) + frame(b"D", b"fo") + frame(b"W") + frame(b"D", b"ur") + end(hashlib.sha256(b"four").digest())

        def drip(connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            hear_request(connection)
            for byte in answer:
                connection.sendall(bytes([byte]))
            harness.read_all(connection)

        self.check(self.get(harness.Peer(self, drip).at, "a"), OK, {"a": b"four"})

    def test_a_silent_server_is_given_up(self):
        for answer, files in ((b"", {}), (PREAMBLE, {}), (PREAMBLE + offer(9) + frame(b"D", b"four"), {"a.part": b"four"})):
            def stand_still(connection, answer=answer):
                hear_request(connection)
                connection.sendall(answer)
                harness.read_all(connection)

            result = self.get(harness.Peer(self, stand_still).at, "a", "--timeout", "100ms")
            self.check(result, NETWORK, files, "nothing came within the time limit")
            self.assertNotIn(".cpp", result.err)


if __name__ == "__main__":
    harness.main()
