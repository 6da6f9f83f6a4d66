# SPDX-License-Identifier: MIT
"""Several processes behind one port: they answer, are replaced, log and end as one."""

import os
import pathlib
import re
import resource
import signal
import threading
import unittest

from harness import BIG_BYTES, PROGRAM, ServeCase, get, main, pattern, wait_until

N = 3


def children(server):
    pid = server.process.pid
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def listening(pid, port):
    """How many sockets that listen at the port a process has."""
    wanted = {line.split()[9] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
              if line.split()[3] == "0A" and int(line.split()[1].rsplit(":")[-1], 16) == port}
    links = []
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(fd))
        except OSError:
            pass
    return sum(link.removeprefix("socket:[").removesuffix("]") in wanted for link in links)


class Workers(ServeCase):
    arguments = ("-q", "--workers", str(N))

    @classmethod
    def fill(cls, root):
        super().fill(root)
        (root / "big.bin").write_bytes(pattern(BIG_BYTES))

    def begin(self, *arguments, **how):
        server = self.start("--workers", str(N), *arguments, **how)
        wait_until(lambda: len(children(server)) == N)
        return server

    def answering(self, server):
        """The worker of each of some connections."""
        seen = set()
        for _ in range(50):
            with server.connect() as c:
                c.send(get()).read()
                port = c.socket.getsockname()[1]
                seen |= {pid for pid in children(server) if self.has_peer(pid, server.address[1], port)}
        return seen

    @staticmethod
    def has_peer(pid, ours, theirs):
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        inodes = {row[9] for row in rows if int(row[1].rsplit(":")[-1], 16) == ours and int(row[2].rsplit(":")[-1], 16) == theirs}
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                link = os.readlink(fd)
            except OSError:
                continue
            if link.removeprefix("socket:[").removesuffix("]") in inodes:
                return True
        return False

    def test_all_of_them_answer(self):
        self.assertEqual(len(self.answering(self.server)), N)

    def test_each_has_a_socket_of_its_own(self):
        server = self.begin("-q")
        port = server.address[1]
        wait_until(lambda: [listening(pid, port) for pid in children(server)] == [1] * N)
        self.assertEqual(listening(server.process.pid, port), N)  # kept for those that die

    def test_nobody_else_gets_the_port(self):
        for arguments in ((), ("--workers", "2")):
            second = self.start("-q", *arguments, port=self.server.address[1])
            status, _, complaints = second.wait()
            self.assertEqual(status, 1)
            self.assertIn("is in use already", complaints)

    def test_one_that_dies_is_replaced(self):
        server = self.begin("-q")
        before = children(server)
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: before[0] not in children(server))  # what it had accepted has ended with it
        for _ in range(20):
            self.assertEqual(server.get("/a.txt").body, b"alpha\n")  # also those who come in between
        wait_until(lambda: len(children(server)) == N)
        self.assertEqual(len(set(children(server)) & set(before)), N - 1)
        status, _, complaints = server.stop()
        self.assertEqual(status, 0)
        self.assertIn(f"worker {before[0]} was ended by signal 9; starting another", complaints)

    def test_they_drain_together(self):
        server = self.begin()
        reading = [server.connect(receive_buffer=4096).send(get("/big.bin")) for _ in range(2 * N)]
        idle = [server.connect() for _ in range(2 * N)]
        for c in reading:
            c.unread += c.socket.recv(1000)
        for c in idle:
            self.assertEqual(c.send(get()).read().body, b"alpha\n")
        server.process.send_signal(signal.SIGTERM)
        for c in idle:
            self.assertTrue(c.ended())
        for c in reading:
            self.assertEqual(c.read().body, pattern(BIG_BYTES))
            self.assertTrue(c.ended())
        status, out, complaints = server.wait()
        self.assertEqual(status, 0)
        self.assertEqual(len(re.findall(r'"GET \S+ HTTP/1\.1" 200 ', out)), 4 * N)
        self.assertIn(f"{4 * N} requests on {4 * N} connections", complaints)
        self.assertEqual(complaints.count("finishing what is being sent"), 1)

    def test_a_terminal_sends_ctrl_c_to_all(self):
        server = self.begin("-q", start_new_session=True)
        with server.connect(receive_buffer=4096) as c:
            c.send(get("/big.bin"))
            c.unread += c.socket.recv(1000)
            os.killpg(server.process.pid, signal.SIGINT)
            self.assertEqual(c.read().body, pattern(BIG_BYTES))
        status, _, complaints = server.wait()
        self.assertEqual(status, 0)
        self.assertNotIn("starting another", complaints)

    def test_a_service_manager_sends_sigterm_to_all(self):
        server = self.begin("-q", start_new_session=True)
        with server.connect(receive_buffer=4096) as c:
            c.send(get("/big.bin"))
            c.unread += c.socket.recv(1000)
            for worker in children(server):
                os.kill(worker, signal.SIGTERM)
            self.check_alive(server)  # it is for the first process
            os.killpg(server.process.pid, signal.SIGTERM)
            self.assertEqual(c.read().body, pattern(BIG_BYTES))
        status, _, complaints = server.wait()
        self.assertEqual(status, 0)
        self.assertNotIn("starting another", complaints)

    @unittest.skipIf(b"__ubsan" in pathlib.Path(PROGRAM).read_bytes(), "UBSan itself needs descriptors to check a type")
    def test_a_shortage_passes(self):
        server = self.begin("-q")
        victim = children(server)[0]
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: "cannot start a worker" in server.complaints())
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
        wait_until(lambda: len(children(server)) == N)
        self.check_alive(server)
        self.assertEqual(server.stop()[0], 0)

    def test_a_second_signal_leaves_at_once(self):
        server = self.begin("-q")
        workers = children(server)
        with server.connect(receive_buffer=4096) as c:
            c.send(get("/big.bin"))
            c.socket.recv(1000)
            server.process.send_signal(signal.SIGINT)
            wait_until(lambda: "finishing" in server.complaints())
            server.process.send_signal(signal.SIGINT)
            self.assertEqual(server.wait()[0], -signal.SIGINT)
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))

    def test_a_killed_server_leaves_no_worker(self):
        server = self.begin("-q")
        workers = children(server)
        server.process.kill()
        server.wait()
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))

    def test_no_two_lines_are_mixed(self):
        server = self.begin()
        path = "/" + "x" * 3000

        def ask():
            with server.connect() as c:
                for _ in range(50):
                    c.send(get(path)).read()

        clients = [threading.Thread(target=ask) for _ in range(8)]
        for client in clients:
            client.start()
        out = []
        reader = threading.Thread(target=lambda: out.append(server.process.stdout.read()))
        reader.start()
        for client in clients:
            client.join()
        server.process.send_signal(signal.SIGTERM)
        reader.join()
        self.assertEqual(server.process.wait(), 0)
        lines = out[0].decode().splitlines()
        self.assertEqual(len(lines), 400)
        for line in lines:
            self.assertRegex(line, r'^127\.0\.0\.1 - - \[[^]]+\] "GET /x{1000,}\S* HTTP/1\.1" 4\d\d \d+ "-" "-"$')

    def test_connections_are_shared_out(self):
        server = self.begin("-q", "--max-connections", str(N))
        kept = []
        for _ in range(N):  # of those beyond one a worker waits
            c = server.connect()
            c.send(get())
            kept.append(c)
        kept[0].read()
        for c in kept:
            c.socket.close()
        self.check_alive(server)


if __name__ == "__main__":
    main()
