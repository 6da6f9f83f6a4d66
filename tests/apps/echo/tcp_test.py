# SPDX-License-Identifier: MIT
"""ringlet-echo --tcp: every byte comes back, and no peer can do anything to the others."""

import random
import selectors
import signal
import socket
import struct
import time
import unittest

import harness


def content(size, seed=1):
    return random.Random(seed).randbytes(size)


def receive(peer, size):
    parts = []
    while size > 0:
        part = peer.recv(min(size, 1 << 16))
        if not part:
            raise AssertionError(f"the connection ended {size} bytes early")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def exchange(peer, data):
    """Sends and receives at the same time, as much of each as goes."""
    peer.setblocking(False)
    sent, got = 0, bytearray()
    with selectors.DefaultSelector() as both:
        both.register(peer, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while len(got) < len(data):
            ready = both.select(harness.HANGS_AFTER)
            if not ready:
                raise AssertionError(f"no byte comes back; {sent} sent, {len(got)} received")
            for _, events in ready:
                if events & selectors.EVENT_WRITE and sent < len(data):
                    sent += peer.send(data[sent:sent + (1 << 16)])
                    if sent == len(data):
                        both.modify(peer, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    part = peer.recv(1 << 16)
                    if not part:
                        raise AssertionError("the connection ended early")
                    got += part
    peer.settimeout(harness.HANGS_AFTER)
    return bytes(got)


class TcpCase(harness.EchoCase):
    def start(self, *arguments, port=0, **how):
        return super().start("--tcp", "--port", str(port), *arguments, **how)

    def connect(self, host="127.0.0.1"):
        peer = socket.create_connection((host, self.port), timeout=harness.HANGS_AFTER)
        self.addCleanup(peer.close)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer

    def still_answers(self):
        peer = self.connect()
        peer.sendall(b"still there?")
        self.assertEqual(receive(peer, 12), b"still there?")
        peer.close()

    def wait_until(self, holds):
        give_up = time.monotonic() + harness.HANGS_AFTER
        while not holds():
            self.assertLess(time.monotonic(), give_up, "it never came true")
            time.sleep(0.001)


class Bytes(TcpCase):
    def test_all_sizes_come_back(self):
        self.assertEqual(self.start(), "127.0.0.1")
        peer = self.connect()
        for size in [1, 2, 63, 64, 1000, 4095, 4096, 4097, 8192, 65535, 65536, 100_000, 1_000_000, 8 << 20]:
            data = content(size, size)
            self.assertEqual(exchange(peer, data), data, size)

    def test_other_buffer_sizes(self):
        for size in ["1", "64", "16k", "1M"]:
            with self.subTest(size):
                self.start("--buffer-bytes", size)
                data = content(50_000)
                self.assertEqual(exchange(self.connect(), data), data)
                self.stop()

    def test_a_message_cut_at_every_byte(self):
        self.start()
        peer = self.connect()
        data = content(48)
        for cut in range(1, len(data)):
            peer.sendall(data[:cut])
            self.assertEqual(receive(peer, cut), data[:cut])
            peer.sendall(data[cut:])
            self.assertEqual(receive(peer, len(data) - cut), data[cut:])

    def test_half_close_ends_after_the_last_byte(self):
        self.start()
        peer = self.connect()
        data = content(300_000)
        self.assertEqual(exchange(peer, data[:200_000]), data[:200_000])
        peer.sendall(data[200_000:])
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(peer, 100_000), data[200_000:])
        self.assertEqual(peer.recv(1), b"")

    def test_nothing_sent_nothing_comes(self):
        self.start()
        peer = self.connect()
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(peer.recv(1), b"")

    def test_ipv6(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        self.assertEqual(self.start("--bind", "::1"), "[::1]")
        peer = self.connect("::1")
        peer.sendall(b"six")
        self.assertEqual(receive(peer, 3), b"six")


class Peers(TcpCase):
    def test_two_hundred_at_once_and_all_files_closed(self):
        self.start()
        before = self.open_files()
        peers = [self.connect() for _ in range(200)]
        for turn in range(3):
            for number, peer in enumerate(peers):
                peer.sendall(content(1000, number * 10 + turn))
            for number, peer in enumerate(peers):
                self.assertEqual(receive(peer, 1000), content(1000, number * 10 + turn))
        for peer in peers:
            peer.close()
        # The listener's accept goes on, so there is one descriptor more than before the first connection at most.
        self.wait_until(lambda: self.open_files() <= before + 1)
        self.assertIn("200 connections, 600000 bytes echoed, 0 connections failed", self.stop())

    def test_a_reset_ends_one_connection_only(self):
        self.start()
        other = self.connect()
        for _ in range(20):
            peer = self.connect()
            peer.sendall(content(10_000))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()  # RST, perhaps in the middle of the answer
        other.sendall(b"well")
        self.assertEqual(receive(other, 4), b"well")
        self.still_answers()
        self.assertIn("22 connections, ", self.stop())

    def test_peers_that_take_nothing_do_not_stop_the_others(self):
        # More of them than there are receive buffers.
        self.start()
        lazy = []
        for _ in range(800):
            peer = socket.socket()
            self.addCleanup(peer.close)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(("127.0.0.1", self.port))
            peer.setblocking(False)
            lazy.append(peer)
        # Until the server has taken no more of any of them for a while: then it waits in as many sends.
        chunk = content(1 << 16)
        last = time.monotonic()
        while time.monotonic() - last < 0.5:
            for peer in lazy:
                try:
                    peer.send(chunk)
                    last = time.monotonic()
                except BlockingIOError:
                    pass
            time.sleep(0.001)
        self.still_answers()
        self.stop()

    def test_a_time_limit_closes_who_says_nothing(self):
        self.start("--time-limit", "300ms")
        silent = self.connect()
        silent.sendall(b"hello")
        self.assertEqual(receive(silent, 5), b"hello")
        self.assertEqual(silent.recv(1), b"")
        self.assertIn("1 connections, 5 bytes echoed, 1 connections failed", self.stop())

    def test_a_time_limit_leaves_who_speaks(self):
        self.start("--time-limit", "60")
        data = content(500_000)
        self.assertEqual(exchange(self.connect(), data), data)


class Running(TcpCase):
    def test_signals_end_it_well_and_soon(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.start()
                peers = [self.connect() for _ in range(20)]
                peers[0].sendall(b"x")
                self.assertEqual(receive(peers[0], 1), b"x")
                begin = time.monotonic()
                self.assertIn(" bytes echoed", self.stop(number))
                self.assertLess(time.monotonic() - begin, 10)
                for peer in peers:
                    try:
                        self.assertEqual(peer.recv(1), b"")
                    except ConnectionResetError:
                        pass

    def test_quiet_says_nothing(self):
        self.start("--quiet")
        self.still_answers()
        self.assertEqual(self.stop(), "")

    def test_verbose_names_each_peer(self):
        self.start("--verbose")
        peer = self.connect()
        name = "{}:{}".format(*peer.getsockname())
        peer.sendall(b"x")
        receive(peer, 1)
        self.assertIn(f"{name}: connected\n", self.stop())

    def test_what_it_says_may_be_lost(self):
        for name, how in self.stderr_that_takes_nothing().items():
            with self.subTest(name):
                self.start("--verbose", **how)
                for _ in range(3):
                    rude = self.connect()
                    rude.sendall(b"x")
                    receive(rude, 1)
                    rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    rude.close()  # resets, which is a failure to be told
                    self.still_answers()
                self.stop()

    def test_a_reader_that_stalls_holds_up_nobody(self):
        self.start("--verbose")
        self.shorten_stderr()
        for _ in range(300):
            self.still_answers()
        said = self.stop()  # which reads
        self.assertEqual(said.count(": connected\n"), 300)
        self.assertTrue(said.endswith("300 connections, 3600 bytes echoed, 0 connections failed\n"), said[-200:])

    def test_a_second_signal_leaves_a_reader_that_stalls(self):
        self.start("--verbose")
        self.shorten_stderr()
        for _ in range(300):
            self.still_answers()
        self.process.send_signal(signal.SIGINT)
        self.wait_until(lambda: not self.listens())
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(timeout=harness.HANGS_AFTER), -signal.SIGINT)

    def listens(self):
        try:
            self.connect().close()
            return True
        except ConnectionRefusedError:
            return False

    def test_a_port_in_use_is_said(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            done = harness.run("--tcp", "-p", str(port))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, b"")
        self.assertRegex(done.stderr.decode(), rf"^ringlet-echo: TCP port {port} .*in use.*--port 0\n$")

    def test_it_gets_its_port_back_at_once(self):
        self.start()
        peer = self.connect()
        peer.sendall(b"x")
        receive(peer, 1)
        port = self.port
        self.stop()  # which closes first, so that the port is in TIME_WAIT
        peer.close()
        self.start(port=port)
        self.still_answers()

    def test_command_lines(self):
        for arguments in [["--bind", "localhost"], ["--port", "65536"], ["--buffer-bytes", "0"], ["--buffer-bytes", "2M"],
                          ["--port", "0x50"], ["--port", ""], ["--bind=", "127.0.0.1"], ["--tcp=maybe"],
                          ["--time-limit", "0"], ["--time-limit", "soon"], ["extra"], ["--tpc"]]:
            with self.subTest(arguments):
                done = harness.run(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stdout, b"")
                self.assertIn(b"Try 'ringlet-echo --help'", done.stderr)
        helped = harness.run("--help")
        self.assertEqual(helped.returncode, 0)
        self.assertIn(b"CVE-2024-2169", helped.stdout)
        self.assertEqual(helped.stderr, b"")


if __name__ == "__main__":
    harness.main()
