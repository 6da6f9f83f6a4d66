# SPDX-License-Identifier: MIT
"""--plain in both directions, with the course's file client and file server written anew: a name goes, bytes come, and that is all."""

import os
import socket

import harness
from harness import NETWORK, OK, PREAMBLE, PROTOCOL, STATUS, USAGE, frame

CONTENT = os.urandom(2_000_000)


def course_client(port, name, until_close):
    """connect, send(name), recv(1024) once or until the end, close."""
    with socket.socket() as client:
        client.settimeout(harness.HANGS_AFTER)
        client.connect(("127.0.0.1", port))
        client.send(name.encode("utf-8"))
        return harness.read_all(client) if until_close else client.recv(1024)


def course_server(root):
    """recv(1024) is the name; the file is sent if there is one; close."""
    def handle(client):
        name = client.recv(1024).decode("utf-8")
        try:
            with open(root / name, "rb") as file:
                client.send(file.read()) if name == "once" else client.sendall(file.read())
        except OSError:
            pass

    return handle


class Plain(harness.XferCase):
    def setUp(self):
        super().setUp()
        (self.root / "large").write_bytes(CONTENT)
        (self.root / "small").write_bytes(b"small")
        (self.root / "empty").write_bytes(b"")

    def test_the_course_client(self):
        server = self.serve("--plain")
        self.assertEqual(course_client(server.port, "large", True), CONTENT)
        self.assertIn(" sent, 2000000 of 2000000 bytes", server.line())
        self.assertEqual(course_client(server.port, "small", False), b"small")
        self.assertEqual(course_client(server.port, "empty", True), b"")
        self.assertTrue(CONTENT.startswith(course_client(server.port, "large", False)))  # it reads once, and goes
        self.assertEqual(course_client(server.port, "small", True), b"small")

    def test_what_may_not_be_had_is_an_empty_answer(self):
        os.mkfifo(self.root / "fifo")
        server = self.serve("--plain")
        for name in ("absent", "../x", "/etc/passwd", "fifo", ".", "n" * 4000):
            self.assertEqual(course_client(server.port, name, True), b"")
        self.assertEqual(server.ask(b"n" * 6000), b"")
        log, _ = server.stop()
        self.assertEqual(log.count(" not_found "), 6)
        self.assertEqual(log.count(" bad_request "), 1)

    def test_a_name_ends_with_a_line_or_the_stream(self):
        server = self.serve("--plain")
        for ending in (b"\n", b"\r\n", b""):
            peer = server.connect()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"small" + ending:
                peer.sendall(bytes([byte]))
            if not ending:
                peer.shutdown(socket.SHUT_WR)
            self.assertEqual(harness.read_all(peer), b"small")
            peer.close()

    def test_the_course_server(self):
        peer = harness.Peer(self, course_server(self.root))
        self.check(self.get(peer.at, "large", "--plain"), OK, {"large": CONTENT})
        (self.out / "large").unlink()
        for name in ("absent", "empty"):
            self.check(self.get(peer.at, name, "--plain"), STATUS, {}, "the server sent nothing: no such file, or an empty one")

    def test_both_ours(self):
        server = self.serve("--plain")
        self.check(self.get(server.at, "large", "--plain"), OK, {"large": CONTENT})
        self.check(self.get(server.at, "large", "--plain"), harness.FILE, {"large": CONTENT}, "--force replaces it")
        self.check(self.get(server.at, "large", "--plain", "--resume"), USAGE, {"large": CONTENT})

    def test_a_refusal_leaves_the_part_of_an_earlier_run_alone(self):
        (self.out / "absent.part").write_bytes(b"worth something")
        (self.out / "absent.part").chmod(0o600)
        result = self.get(self.serve("--plain").at, "absent", "--plain")
        self.check(result, STATUS, {"absent.part": b"worth something"}, "the server sent nothing")

    def test_a_reset_leaves_no_file(self):
        def reset(client):
            client.recv(1024)
            client.sendall(b"some")
            harness.wait_until(lambda: (self.out / "a.part").exists() and (self.out / "a.part").read_bytes() == b"some")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        result = self.get(harness.Peer(self, reset).at, "a", "--plain")
        self.check(result, NETWORK, {"a.part": b"some"}, "Connection reset")

    def test_the_wrong_protocol_is_told(self):
        result = self.get(self.serve("--plain").at, "small")
        self.assertEqual(result.status, NETWORK, result.err)
        self.assertEqual(self.files(), {})
        self.check(self.get(self.serve().at, "small", "--plain"), PROTOCOL, {}, "the server wants to be asked without --plain")

    def test_a_file_that_looks_like_an_answer(self):
        refusal = PREAMBLE + frame(b"R", b"\0\2malformed request")
        peer = harness.Peer(self, course_server(self.root))
        for number, content in enumerate((refusal[:-1], refusal + b"x", PREAMBLE + b"R", b"R", PREAMBLE + frame(b"D", b"x"))):
            name = f"like{number}"
            (self.root / name).write_bytes(content)
            result = self.get(peer.at, name, "--plain")
            self.assertEqual(result.status, OK, result.err)
            self.assertEqual(self.files()[name], content)

    def test_a_change_in_the_last_moment_is_told(self):
        """The client has all of it and has not gone: what the kernel sent were the pages of the file."""
        server = self.serve("--plain")
        peer = server.connect()
        peer.sendall(b"small\n")
        self.assertEqual(harness.read_all(peer), b"small")
        (self.root / "small").write_bytes(b"other")
        peer.close()
        self.assertIn(" changed, 5 of 5 bytes", server.line())


if __name__ == "__main__":
    harness.main()
