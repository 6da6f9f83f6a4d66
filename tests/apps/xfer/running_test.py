# SPDX-License-Identifier: MIT
"""ringlet-xfer while it runs: signals, kills, many clients, descriptors."""

import os
import select
import signal
import socket

import harness
from harness import INTERRUPTED, NETWORK, OK, PREAMBLE, frame, hear_request, offer

CONTENT = os.urandom(1 << 20)
SPARSE = 256 << 20  # more than sockets hold


class Running(harness.XferCase):
    def stuck_server(self):
        """Sends the beginning of a file, and then stands still."""
        def answer(connection):
            hear_request(connection)
            connection.sendall(PREAMBLE + offer(1000) + frame(b"D", b"beginning"))
            harness.read_all(connection)

        return harness.Peer(self, answer)

    def part(self):
        try:
            return (self.out / "a.part").read_bytes()
        except OSError:
            return b""

    def test_ctrl_c_keeps_the_part(self):
        for number, status in ((signal.SIGINT, INTERRUPTED), (signal.SIGTERM, 143)):
            process = self.start(self.stuck_server().at, "a")
            harness.wait_until(lambda: self.part() == b"beginning")
            process.send_signal(number)
            self.check(self.ended(process), status, {"a.part": b"beginning"}, ["interrupted: got 9 of 1000 bytes", "go on with --resume"])
            (self.out / "a.part").unlink()

    def test_a_killed_client_leaves_only_a_part(self):
        process = self.start(self.stuck_server().at, "a")
        harness.wait_until(lambda: self.part() == b"beginning")
        process.kill()
        self.ended(process)
        self.assertEqual(self.files(), {"a.part": b"beginning"})
        (self.root / "a").write_bytes(b"beginning and end")
        self.check(self.get(self.serve().at, "a", "--resume"), OK, {"a": b"beginning and end"}, "9B were there")

    def test_a_killed_server_leaves_only_a_part(self):
        with open(self.root / "a", "wb") as file:
            file.truncate(SPARSE)
        server = self.serve()
        process = self.start(server.at, "a")
        harness.wait_until(lambda: len(self.part()) > 0)
        process.send_signal(signal.SIGSTOP)
        server.process.kill()
        server.process.wait()
        process.send_signal(signal.SIGCONT)
        result = self.ended(process)
        if result.status == OK:  # it was all in the sockets
            return
        self.assertEqual(result.status, NETWORK, result.err)
        self.assertEqual(list(self.files()), ["a.part"])
        self.assertIn(f" of {SPARSE} bytes", result.err)

    def test_ctrl_c_on_the_server_lets_transfers_end(self):
        with open(self.root / "a", "wb") as file:
            file.truncate(SPARSE)
        server = self.serve()
        peer = server.connect()
        peer.sendall(harness.request(b"a"))
        peer.recv(1)
        idle = server.connect()
        server.process.send_signal(signal.SIGINT)
        self.assertIn(b"finishing what is being sent, for 30s at most", server.process.stderr.readline())
        self.assertEqual(idle.recv(1), b"")  # nothing was asked for
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", server.port)).recv(1)
        self.assertGreater(len(harness.read_all_but(peer, 39)), SPARSE)
        peer.sendall(frame(b"A", b"\0\0"))
        peer.close()
        out, err = server.process.communicate(timeout=harness.HANGS_AFTER)
        self.assertEqual(server.process.returncode, 0, err)
        self.assertIn(b" received, ", out)

    def test_the_timeout_bounds_the_end_of_the_server(self):
        """A client that takes a little now and then keeps its transfer alive, but not the server that was told to end."""
        with open(self.root / "a", "wb") as file:
            file.truncate(SPARSE)
        server = self.serve("--timeout", "500ms")
        peer = server.connect()
        peer.sendall(harness.request(b"a"))
        peer.recv(1)
        server.process.send_signal(signal.SIGTERM)
        peer.settimeout(0.05)
        ended = []

        def is_over():
            try:
                peer.recv(100_000)
            except OSError:
                pass
            ended.append(server.process.poll())
            return ended[-1] is not None

        harness.wait_until(is_over)
        out, _ = server.process.communicate(timeout=harness.HANGS_AFTER)
        self.assertEqual(server.process.returncode, 0)
        self.assertRegex(out.decode(), r"(cut|stalled), ")

    def test_two_hundred_clients_at_once(self):
        (self.root / "a").write_bytes(CONTENT)
        server = self.serve()
        self.assertEqual(self.get(server.at, "a", "-o", "first").status, OK)  # threads and what else comes with the first
        server.line()
        peers = [server.connect() for _ in range(200)]
        harness.wait_until(lambda: server.open_files() >= 200)
        for peer in peers:
            peer.sendall(harness.request(b"a"))
        for peer in peers:
            heard = harness.read_all_but(peer, 10 + 33 + 5 + len(CONTENT) + 39, exactly=True)
            self.assertTrue(heard[48:-39] == CONTENT)
            peer.sendall(frame(b"A", b"\0\0"))
            peer.close()
        for _ in peers:
            self.assertIn(" received, ", server.line())
        idle = server.open_files()
        again = server.connect()
        harness.wait_until(lambda: server.open_files() == idle + 1)
        again.close()
        harness.wait_until(lambda: server.open_files() == idle)
        self.assertLess(idle, 20)

    def test_a_log_that_cannot_be_written_is_told_once(self):
        import subprocess
        with open("/dev/full", "wb") as full:
            process = subprocess.Popen([harness.PROGRAM, "serve", str(self.root), "-p", "0"], stdout=full, stderr=subprocess.PIPE,
                                       preexec_fn=harness.default_signals)
        self.addCleanup(process.kill)
        with process.stderr:
            self.assertTrue(select.select([process.stderr], [], [], harness.HANGS_AFTER)[0], "it says nothing")
            self.assertEqual(process.stderr.readline(), b"ringlet-xfer: write standard output: No space left on device\n")
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
        self.assertEqual(process.wait(harness.HANGS_AFTER), 0, rest)
        self.assertNotIn(b"standard output", rest)

    def test_a_port_in_use(self):
        server = self.serve()
        import subprocess
        run = subprocess.run([harness.PROGRAM, "serve", str(self.root), "-p", str(server.port)], capture_output=True, text=True,
                             timeout=harness.HANGS_AFTER, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn(f"TCP port {server.port} at 127.0.0.1 is in use already", run.stderr)

    def test_a_root_that_is_none(self):
        import subprocess
        run = subprocess.run([harness.PROGRAM, "serve", str(self.base / "no"), "-p", "0"], capture_output=True, text=True,
                             timeout=harness.HANGS_AFTER, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("No such file or directory", run.stderr)


if __name__ == "__main__":
    harness.main()
