# SPDX-License-Identifier: MIT
"""ringlet-echo over UDP: every datagram comes back to its sender, from where it went; none begins a loop."""

import random
import signal
import socket
import unittest

import harness

LOOPING_PORTS = [7, 9, 13, 17, 19, 37, 53, 69, 123]


class UdpCase(harness.EchoCase):
    def start(self, *arguments, **how):
        return super().start("--port", "0", *arguments, **how)

    def peer(self, host="127.0.0.1", to=None, port=0):
        """A socket that hears only the address that it writes to."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        peer = socket.socket(family, socket.SOCK_DGRAM)
        self.addCleanup(peer.close)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        peer.bind((host, port))
        peer.connect((to or host, self.port))
        peer.settimeout(harness.HANGS_AFTER)
        return peer

    def echoes(self, peer, data):
        peer.send(data)
        self.assertEqual(peer.recv(65536), data)


class Datagrams(UdpCase):
    def test_all_sizes_come_back(self):
        self.assertEqual(self.start(), "127.0.0.1")
        peer = self.peer()
        sizes = [0, 1, 2, 64, 511, 1200, 1472, 1473, 4096, 9000, 16384, 32768, 65506, 65507]
        for size in sizes:
            self.echoes(peer, random.Random(size).randbytes(size))
        self.assertIn(f"{len(sizes)} datagrams echoed, {sum(sizes)} bytes, 0 not answered, 0 failed", self.stop(signal.SIGINT))

    def test_each_sender_gets_its_own(self):
        self.start()
        peers = [self.peer() for _ in range(50)]
        for number, peer in enumerate(peers):
            peer.send(b"%d" % number)
        for number, peer in enumerate(peers):
            self.assertEqual(peer.recv(100), b"%d" % number)

    def test_a_sender_that_has_gone_does_no_harm(self):
        self.start()
        for _ in range(20):
            with socket.socket(type=socket.SOCK_DGRAM) as gone:
                gone.sendto(b"answer me if you can", ("127.0.0.1", self.port))
        self.echoes(self.peer(), b"still there?")
        self.assertEqual(self.stop().count("\n"), 1)

    def test_the_answer_comes_from_the_address_that_was_asked(self):
        self.assertEqual(self.start("--bind", "0.0.0.0"), "0.0.0.0")
        for address in ["127.0.0.1", "127.0.0.2", "127.1.2.3"]:
            self.echoes(self.peer("127.0.0.1", to=address), address.encode())

    def test_ipv6(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        self.assertEqual(self.start("--bind", "::1"), "[::1]")
        self.echoes(self.peer("::1"), b"six")

    def test_every_address_of_both_families(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        self.assertEqual(self.start("--bind", "::"), "[::]")
        self.echoes(self.peer("::1"), b"six")
        self.echoes(self.peer("127.0.0.1", to="127.0.0.2"), b"four")


class Loops(UdpCase):
    def bind(self, host, port):
        try:
            return self.peer(host, port=port)
        except PermissionError:
            self.skipTest(f"port {port} needs a privilege")
        except OSError as error:
            self.skipTest(f"port {port}: {error}")

    def test_ports_that_may_answer_get_no_answer(self):
        self.start("--verbose")
        asked = 0
        for port in LOOPING_PORTS:
            peer = self.bind("127.0.0.1", port)
            peer.send(b"loop")
            asked += 1
            # Answered in order: had there been an answer to the first, it would be there before this one.
            self.echoes(self.peer(), b"fine")
            peer.setblocking(False)
            with self.assertRaises(BlockingIOError):
                peer.recv(100)
            peer.close()
        said = self.stop()
        self.assertIn(f"{asked} datagrams echoed, {4 * asked} bytes, {asked} not answered, 0 failed", said)
        self.assertIn("127.0.0.1:7: 4 bytes: not answered", said)

    def test_the_own_port_gets_no_answer(self):
        # 127.0.0.2 with the same port stands for an echo server elsewhere, or for ourselves by a forged sender.
        self.start()
        twin = self.bind("127.0.0.2", self.port)
        twin.connect(("127.0.0.1", self.port))
        twin.send(b"loop")
        self.echoes(self.peer(), b"fine")
        twin.setblocking(False)
        with self.assertRaises(BlockingIOError):
            twin.recv(100)
        self.assertIn("1 datagrams echoed, 4 bytes, 1 not answered", self.stop())


class Running(UdpCase):
    def test_quiet_and_verbose(self):
        self.start("--quiet")
        self.echoes(self.peer(), b"x")
        self.assertEqual(self.stop(), "")
        self.start("--verbose")
        peer = self.peer()
        name = "{}:{}".format(*peer.getsockname())
        self.echoes(peer, b"\x1b[2J")
        said = self.stop()
        self.assertIn(f"{name}: 4 bytes\n", said)
        self.assertNotIn("\x1b", said)

    def test_what_it_says_may_be_lost(self):
        for name, how in self.stderr_that_takes_nothing().items():
            with self.subTest(name):
                self.start("--verbose", **how)
                for number in range(10):
                    self.echoes(self.peer(), b"%d" % number)
                self.stop()

    def test_a_reader_that_stalls_holds_up_nobody(self):
        self.start("--verbose")
        self.shorten_stderr()
        peer = self.peer()
        for _ in range(1000):
            self.echoes(peer, b"x")
        said = self.stop()  # which reads
        self.assertEqual(said.count(": 1 bytes\n"), 1000)
        self.assertTrue(said.endswith("1000 datagrams echoed, 1000 bytes, 0 not answered, 0 failed\n"), said[-200:])

    def test_a_port_in_use_is_said(self):
        with socket.socket(type=socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            port = other.getsockname()[1]
            done = harness.run("-p", str(port))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), rf"^ringlet-echo: UDP port {port} .*in use.*--port 0\n$")


if __name__ == "__main__":
    harness.main()
