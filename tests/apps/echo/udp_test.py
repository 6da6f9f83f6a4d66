# SPDX-License-Identifier: MIT
"""ringlet-echo over UDP: every datagram comes back to its sender, from where it went; none begins a loop."""

import random
import re
import signal
import socket
import threading
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

    def totals(self, said):
        """What the last line says, without what is 0."""
        last = said.splitlines()[-1]
        found = re.fullmatch(r"(\d+) datagrams echoed, (\d+) bytes, (\d+) not answered, (\d+) failed"
                             r"(?:, (\d+) over the rate of their source)?(?:, (\d+) dropped by the kernel)?", last)
        self.assertTrue(found, said)
        names = ["echoed", "bytes", "not answered", "failed", "over the rate", "dropped"]
        return {name: int(count) for name, count in zip(names, found.groups()) if count and int(count)}

    def assertNothingComes(self, peer):
        """To be asked when a later datagram has been answered: they are answered in order."""
        peer.setblocking(False)
        with self.assertRaises(BlockingIOError):
            peer.recv(100)

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
        self.assertEqual(self.totals(self.stop(signal.SIGINT)), {"echoed": len(sizes), "bytes": sum(sizes)})

    def test_many_at_once(self):
        # More than there are buffers, of sizes that come one after the other; the kernel keeps about 200 KiB of them.
        self.start()
        peers = [self.peer() for _ in range(20)]
        sizes = [0, 1, 64, 1500, 0, 9, 300, 0, 17]
        sent = {peer: [random.Random(number * 100 + i).randbytes(size) for i, size in enumerate(sizes)]
                for number, peer in enumerate(peers)}
        for _ in range(10):
            for i in range(len(sizes)):
                for peer in peers:
                    peer.send(sent[peer][i])
                if i % 3 == 2:
                    for peer in peers:
                        for data in sent[peer][i - 2:i + 1]:
                            self.assertEqual(peer.recv(65536), data)
        self.assertEqual(self.totals(self.stop()), {"echoed": 1800, "bytes": 200 * sum(sizes)})

    def test_the_largest_in_a_row_and_memory_stays_bounded(self):
        self.start()
        peer = self.peer()
        data = random.Random(1).randbytes(65507)
        for _ in range(200):
            self.echoes(peer, data)
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])
        # Without the sanitizers' own: their memory is not ours.
        if not self.is_sanitized():
            self.assertLess(peak, 20_000)

    def is_sanitized(self):
        with open(self.process.args[0], "rb") as program:
            return b"__asan_init" in program.read()

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
            self.assertNothingComes(peer)
            peer.close()
        said = self.stop()
        self.assertEqual(self.totals(said.splitlines()[-1]), {"echoed": asked, "bytes": 4 * asked, "not answered": asked})
        self.assertIn("127.0.0.1:7: 4 bytes: not answered", said)

    def test_the_own_port_gets_no_answer(self):
        # 127.0.0.2 with the same port stands for an echo server elsewhere, or for ourselves by a forged sender.
        self.start()
        twin = self.bind("127.0.0.2", self.port)
        twin.connect(("127.0.0.1", self.port))
        twin.send(b"loop")
        self.echoes(self.peer(), b"fine")
        self.assertNothingComes(twin)
        self.assertEqual(self.totals(self.stop()), {"echoed": 1, "bytes": 4, "not answered": 1})


class Abuse(UdpCase):
    def test_what_was_sent_to_many_gets_no_answer(self):
        # Multicast of IPv4 does not come to a socket of both families.
        cases = [("0.0.0.0", "127.255.255.255"), ("0.0.0.0", "224.0.0.1"), ("::", "127.255.255.255")]
        for bound, many in cases if harness.has_ipv6() else cases[:2]:
            with self.subTest(f"{bound}, {many}"):
                self.start("--bind", bound, "--verbose")
                peer = socket.socket(type=socket.SOCK_DGRAM)
                self.addCleanup(peer.close)
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                peer.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
                peer.bind(("127.0.0.1", 0))
                peer.sendto(b"all of you", (many, self.port))
                self.echoes(self.peer(), b"fine")
                self.assertNothingComes(peer)
                said = self.stop()
                self.assertIn(": 10 bytes: not answered: sent to many\n", said)
                self.assertEqual(self.totals(said), {"echoed": 1, "bytes": 4, "not answered": 1})

    def test_multicast_of_ipv6_gets_no_answer(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        self.start("--bind", "::")
        peer = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.addCleanup(peer.close)
        for name in [name for _, name in socket.if_nameindex()]:
            try:
                peer.sendto(b"all nodes", ("ff02::1", self.port, 0, socket.if_nametoindex(name)))
                break
            except OSError:
                pass
        else:
            self.skipTest("no interface here takes multicast of IPv6")
        self.echoes(self.peer("::1"), b"fine")
        self.assertNothingComes(peer)
        self.assertEqual(self.totals(self.stop()), {"echoed": 1, "bytes": 4, "not answered": 1})

    def test_a_source_that_asks_too_often_is_not_answered(self):
        self.start("--rate-per-source", "1")
        greedy = self.peer()
        for _ in range(100):
            greedy.send(b"more")
        self.echoes(self.peer("127.0.0.2", to="127.0.0.1"), b"fine")  # another source
        said = self.stop()
        self.assertIn("Each source gets at most 1 answers a second (--rate-per-source)\n", said)
        totals = self.totals(said)
        self.assertEqual(totals["echoed"] + totals["over the rate"], 101)
        self.assertGreater(totals["over the rate"], 50)  # it would take a minute to answer so many

    def test_the_cap_is_on_unless_only_this_machine_can_ask(self):
        for arguments, capped in [([], False), (["--bind", "127.0.0.5"], False), (["--bind", "0.0.0.0"], True),
                                  (["--bind", "0.0.0.0", "--rate-per-source", "0"], False)]:
            with self.subTest(arguments):
                self.start(*arguments)
                self.assertEqual("100 answers a second" in self.stop(), capped)

    def test_what_the_kernel_drops_is_told(self):
        self.start()
        peer = self.peer()
        self.echoes(peer, b"runs")
        self.process.send_signal(signal.SIGSTOP)
        for _ in range(1000):
            peer.send(bytes(1000))
        self.process.send_signal(signal.SIGCONT)
        sent = 1001 + self.asks_until_answered(peer, b"fine")
        totals = self.totals(self.stop())
        self.assertGreater(totals["dropped"], 0)
        self.assertEqual(totals["echoed"] + totals["dropped"], sent)

    def asks_until_answered(self, peer, data):
        """What is in front of it may leave no room for it. Gives how often it was sent."""
        peer.settimeout(0.2)
        for count in range(1, 1000):
            peer.send(data)
            try:
                while peer.recv(65536) != data:
                    pass
                return count
            except TimeoutError:
                pass
        self.fail("no answer any more")

    def test_a_signal_ends_it_in_a_flood(self):
        self.start()
        over = threading.Event()

        def flood():
            with socket.socket(type=socket.SOCK_DGRAM) as one:
                while not over.is_set():
                    for size in (0, 1, 64, 9000):
                        one.sendto(bytes(size), ("127.0.0.1", self.port))

        floods = [threading.Thread(target=flood) for _ in range(2)]
        for one in floods:
            one.start()
        try:
            peer = self.peer()
            peer.settimeout(0.1)
            for _ in range(1000):  # some may be lost in the flood
                try:
                    self.echoes(peer, b"among them")
                    break
                except TimeoutError:
                    pass
            else:
                self.fail("nothing comes back in a flood")
            self.assertGreater(self.totals(self.stop())["echoed"], 0)
        finally:
            over.set()
            for one in floods:
                one.join()


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
        self.assertEqual(self.totals(said.splitlines()[-1]), {"echoed": 1000, "bytes": 1000})

    def test_command_lines(self):
        for arguments in [["--bind", "224.0.0.1"], ["--bind", "255.255.255.255"], ["--bind", "ff02::1"], ["--rate-per-source", "x"],
                          ["--rate-per-source", "-1"], ["--rate-per-source", "1000001"], ["--rate-per-source", "1.5"]]:
            with self.subTest(arguments):
                done = harness.run(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stdout, b"")
                self.assertIn(b"Try 'ringlet-echo --help'", done.stderr)

    def test_a_port_in_use_is_said(self):
        with socket.socket(type=socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            port = other.getsockname()[1]
            done = harness.run("-p", str(port))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), rf"^ringlet-echo: UDP port {port} .*in use.*--port 0\n$")


if __name__ == "__main__":
    harness.main()
