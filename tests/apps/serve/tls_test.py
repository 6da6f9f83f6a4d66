# SPDX-License-Identifier: MIT
"""HTTPS: the same answers under TLS, and what goes wrong with certificates, handshakes and plain speakers."""

import os
import signal
import ssl
import subprocess
import sys
import unittest

from harness import BIG_BYTES, HANGS_AFTER, PROGRAM, Connection, ServeCase, get, main, pattern

CERTIFICATES = os.path.abspath(sys.argv.pop(2))


def certificate(name):
    return os.path.join(CERTIFICATES, name)


TLS = ("--tls-cert", certificate("server.pem"), "--tls-key", certificate("server.key"))


def trusting(**how):
    context = ssl.create_default_context(cafile=certificate("authority.pem"))
    for name, value in how.items():
        setattr(context, name, value)
    return context


class Tls(ServeCase):
    arguments = ("-q", *TLS)

    @classmethod
    def fill(cls, root):
        super().fill(root)
        (root / "big.bin").write_bytes(pattern(BIG_BYTES))
        (root / "100k.bin").write_bytes(pattern(100_000))

    def connect(self, context=None, **how):
        return Connection(self.server.address, tls=context or trusting(), **how)

    def check_alive(self, server=None):
        with Connection((server or self.server).address, tls=trusting()) as c:
            self.assertEqual(c.send(get()).read().body, b"alpha\n")

    def test_says_https(self):
        self.assertRegex(self.server.first_line, r" at https://127\.0\.0\.1:[1-9]\d*/\n$")

    def test_many_answers_on_one_connection(self):
        with self.connect() as c:
            for path, size in (("/a.txt", 6), ("/100k.bin", 100_000), ("/empty.txt", 0), ("/big.bin", BIG_BYTES), ("/a.txt", 6)):
                answer = c.send(get(path)).read()
                self.assertEqual((answer.status, len(answer.body)), (200, size))
            self.assertEqual(c.send(get("/big.bin")).read().body, pattern(BIG_BYTES))
            self.assertEqual(c.send(get("/nope")).read().status, 404)

    def test_ranges(self):
        with self.connect() as c:
            answer = c.send(get("/big.bin", "Range: bytes=1000000-1999999")).read()
            self.assertEqual((answer.status, answer.body), (206, pattern(BIG_BYTES)[1_000_000:2_000_000]))

    def test_pipelined(self):
        with self.connect() as c:
            c.send(b"".join(get(path) for path in ("/a.txt", "/100k.bin", "/b.txt") * 5))
            for body in (b"alpha\n", pattern(100_000), b"beta\n") * 5:
                self.assertEqual(c.read().body, body)

    def test_a_request_byte_by_byte(self):
        with self.connect() as c:
            for byte in get():
                c.send(bytes([byte]))  # a record each
            self.assertEqual(c.read().body, b"alpha\n")

    def test_an_upload_in_many_records(self):
        with self.connect() as c:
            c.send(get("/a.txt", "Content-Length: 50000", method="POST"))
            for _ in range(50):
                c.send(b"x" * 1000)
            self.assertEqual(c.read().status, 405)
            self.assertEqual(c.send(get()).read().body, b"alpha\n")

    def test_the_end_is_told(self):
        with self.connect() as c:
            self.assertEqual(c.send(get("/a.txt", "Connection: close")).read().status, 200)
            c.socket.suppress_ragged_eofs = False  # an end without close_notify would be an error
            self.assertEqual(c.socket.recv(1), b"")

    def test_each_version(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.connect(trusting(minimum_version=version, maximum_version=version)) as c:
                self.assertEqual(c.send(get()).read().body, b"alpha\n")

    def test_old_versions_are_refused(self):
        old = subprocess.run(["openssl", "s_client", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", "-connect", "%s:%d" % self.server.address],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=HANGS_AFTER)
        self.assertNotEqual(old.returncode, 0)
        self.assertIn(b"protocol version", old.stderr)
        self.check_alive()

    def test_protocols(self):
        offering = trusting()
        offering.set_alpn_protocols(["h2", "http/1.1"])
        with self.connect(offering) as c:
            self.assertEqual(c.socket.selected_alpn_protocol(), "http/1.1")
        only_two = trusting()
        only_two.set_alpn_protocols(["h2"])
        with self.assertRaises(ssl.SSLError):
            self.connect(only_two)

    def test_sessions_are_resumed(self):
        context = trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
        with self.connect(context) as c:
            c.send(get()).read()
            session = c.socket.session
        import socket
        raw = socket.create_connection(self.server.address)
        with context.wrap_socket(raw, server_hostname="localhost", session=session) as again:
            self.assertTrue(again.session_reused)

    def test_plain_http_is_told(self):
        with Connection(self.server.address) as c:
            answer = c.send(get()).read()
            self.assertEqual(answer.status, 400)
            self.assertIn(b"https", answer.body)
            self.assertTrue(c.ended())

    def test_noise(self):
        for noise in (b"\x16\x03\x01\xff\xff" + b"x" * 1000, b"\x00" * 100, b"SSH-2.0-x\r\n", b"\x16\x03\x01\x00\x01"):
            with Connection(self.server.address) as c:
                c.send(noise).finish()
                self.assertNotIn(b"200 OK", c.socket.recv(1000))
        self.check_alive()

    def test_cut_in_the_middle_of_an_answer(self):
        c = self.connect(receive_buffer=4096)
        c.send(get("/big.bin"))
        c.socket.recv(1000)
        c.reset()
        self.check_alive()

    def test_a_request_before_a_broken_record_is_answered(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with Connection(self.server.address) as c:
            def until_done(step):
                while True:
                    try:
                        return step()
                    except ssl.SSLWantReadError:
                        c.send(outgoing.read())
                        incoming.write(c.socket.recv(65536))

            until_done(session.do_handshake)
            session.write(get("/a.txt"))
            good = outgoing.read()
            session.write(get("/b.txt"))
            c.send(good + outgoing.read()[:-1] + b"\0")
            self.assertIn(b"\r\n\r\nalpha\n", until_done(lambda: session.read(1000)))
            with self.assertRaisesRegex(ssl.SSLError, "(?i)bad record mac"):
                until_done(lambda: session.read(1000))

    def test_what_comes_late_cuts_no_answer(self):
        c = self.connect(receive_buffer=4096)
        with c:
            c.send(get("/big.bin", "Connection: close"))
            c.unread += c.socket.recv(1000)
            c.send(b"\r\n")
            self.assertEqual(c.read().body, pattern(BIG_BYTES))

    def test_curl(self):
        try:
            got = subprocess.run(["curl", "-sS", "--cacert", certificate("authority.pem"), "https://127.0.0.1:%d/big.bin" % self.server.address[1]],
                                 capture_output=True, timeout=HANGS_AFTER)
        except FileNotFoundError:
            self.skipTest("curl is not installed")
        self.assertEqual((got.returncode, got.stderr), (0, b""))
        self.assertEqual(got.stdout, pattern(BIG_BYTES))

    def test_a_drain_lets_the_answer_finish(self):
        server = self.start(*TLS)
        with Connection(server.address, receive_buffer=4096, tls=trusting()) as c:
            c.send(get("/big.bin"))
            c.unread += c.socket.recv(1000)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(c.read().body, pattern(BIG_BYTES))
        status, out, _ = server.wait()
        self.assertEqual(status, 0)
        self.assertIn(f'"GET /big.bin HTTP/1.1" 200 {BIG_BYTES}', out)


class Starting(unittest.TestCase):
    def check(self, status, complaint, *arguments):
        ended = subprocess.run([PROGRAM, "/", "--port", "0", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=HANGS_AFTER)
        self.assertEqual((ended.returncode, ended.stdout), (status, b""))
        self.assertRegex(ended.stderr.decode(), complaint)

    def test_one_without_the_other(self):
        self.check(2, "--tls-cert and --tls-key go together", "--tls-cert", certificate("server.pem"))
        self.check(2, "--tls-cert and --tls-key go together", "--tls-key", certificate("server.key"))

    def test_files_that_are_none(self):
        good = certificate("server.pem")
        self.check(1, "^ringlet-serve: /nowhere: No such file", "--tls-cert", "/nowhere", "--tls-key", certificate("server.key"))
        self.check(1, r"server\.pem: holds no private key", "--tls-cert", good, "--tls-key", good)
        self.check(1, r"lone\.key: is not the key of the certificate in .*server\.pem", "--tls-cert", good, "--tls-key", certificate("lone.key"))


if __name__ == "__main__":
    main()
