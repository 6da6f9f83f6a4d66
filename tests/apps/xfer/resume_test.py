# SPDX-License-Identifier: MIT
"""What ringlet-xfer get keeps of a transfer that ended early, and how it goes on."""

import fcntl
import hashlib
import os
import pathlib
import tempfile

import harness
from harness import CHECKSUM, FILE, NETWORK, OK, PREAMBLE, STATUS, end, frame, hear_request, offer

CONTENT = os.urandom(3_000_000)


class Resume(harness.XferCase):
    def test_a_cut_transfer_keeps_what_came_and_goes_on(self):
        (self.root / "a").write_bytes(CONTENT)

        def cut(connection):
            hear_request(connection)
            connection.sendall(PREAMBLE + offer(len(CONTENT)) + frame(b"D", CONTENT[:1 << 20]) + frame(b"D", CONTENT[1 << 20:1_500_000])[:200_005])

        result = self.get(harness.Peer(self, cut).at, "a")
        got = (1 << 20) + 200_000
        self.check(result, NETWORK, {"a.part": CONTENT[:got]}, [f"got {got} of {len(CONTENT)} bytes", "a.part is kept; go on with --resume"])
        self.assertEqual(os.stat(self.out / "a.part").st_mode & 0o777, 0o600)

        server = self.serve()
        result = self.get(server.at, "a", "--resume")
        self.check(result, OK, {"a": CONTENT}, "were there")
        self.assertIn(f"from {got} on", server.line())

    def test_what_is_no_beginning_starts_over(self):
        (self.root / "a").write_bytes(CONTENT)
        server = self.serve()
        for part in (b"x" * 1000, CONTENT[:-1] + b"x", CONTENT + b"more", CONTENT[1:]):
            with self.subTest(len(part)):
                (self.out / "a.part").write_bytes(part)
                (self.out / "a.part").chmod(0o600)
                result = self.get(server.at, "a", "--resume", "--force")
                self.check(result, OK, {"a": CONTENT}, "starts over: what is there is not the beginning of this file")

    def test_a_complete_part_only_gets_its_name(self):
        (self.root / "a").write_bytes(CONTENT)
        (self.out / "a.part").write_bytes(CONTENT)
        (self.out / "a.part").chmod(0o600)
        server = self.serve()
        self.check(self.get(server.at, "a", "--resume"), OK, {"a": CONTENT})
        self.assertIn(" received, 3000000 of 3000000 bytes from 3000000 on", server.line())

    def test_without_resume_a_part_is_written_anew(self):
        (self.root / "a").write_bytes(CONTENT)
        (self.out / "a.part").write_bytes(b"old" * 2_000_000)
        (self.out / "a.part").chmod(0o600)
        self.check(self.get(self.serve().at, "a"), OK, {"a": CONTENT})

    def test_where_there_is_no_room_a_part_stays(self):
        """Neither on a disk, where room is made, nor in memory, where what is free is looked up."""
        def answer(connection):
            hear_request(connection)
            connection.sendall(PREAMBLE + offer(1 << 60))
            harness.read_all(connection)

        at = harness.Peer(self, answer).at
        for flags in ((), ("--resume",)):
            for out in self.places():
                (out / "a.part").write_bytes(b"theirs")
                (out / "a.part").chmod(0o600)
                result = self.get(at, "a", *flags, cwd=out)
                self.assertEqual(result.status, FILE, result.err)
                self.assertRegex(result.err, "write a.part: (No space left on device|File too large)")
                self.assertEqual({path.name: path.read_bytes() for path in out.iterdir()}, {"a.part": b"theirs"})

    def test_in_memory_no_room_is_made(self):
        def answer(connection):
            hear_request(connection)
            connection.sendall(PREAMBLE + offer(64 << 20) + frame(b"D", b"x"))
            harness.read_all(connection)

        out = self.places()[-1]
        if out == self.out:
            self.skipTest("/dev/shm is no memory")
        process = self.start(harness.Peer(self, answer).at, "a", cwd=out)
        harness.wait_until(lambda: (out / "a.part").exists() and (out / "a.part").stat().st_size > 0)
        self.assertLess((out / "a.part").stat().st_blocks * 512, 32 << 20)
        process.terminate()
        self.assertIn("got 1 of 67108864 bytes", self.ended(process).err)

    def places(self):
        """A directory on a disk and, where that can be, one in memory."""
        found = [self.out]
        with open("/proc/mounts", encoding="utf-8") as mounts:
            is_memory = any(line.split()[1:3] == ["/dev/shm", "tmpfs"] for line in mounts)
        if is_memory and os.access("/dev/shm", os.W_OK):
            home = tempfile.TemporaryDirectory(prefix="ringlet-xfer-", dir="/dev/shm")
            self.addCleanup(home.cleanup)
            found.append(pathlib.Path(home.name))
        return found

    def test_a_refusal_takes_nothing_away(self):
        (self.out / "a.part").write_bytes(b"kept")
        (self.out / "a.part").chmod(0o600)
        server = self.serve()
        for flags in ((), ("--resume",)):
            self.check(self.get(server.at, "a", *flags), STATUS, {"a.part": b"kept"})

    def test_a_part_in_use_is_left_alone(self):
        (self.root / "a").write_bytes(CONTENT)
        (self.out / "a.part").write_bytes(b"theirs")
        (self.out / "a.part").chmod(0o600)
        with open(self.out / "a.part", "rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            for flags in ((), ("--resume",)):
                self.check(self.get(self.serve().at, "a", *flags), FILE, {"a.part": b"theirs"}, "in use by another run")

    def test_what_others_may_write_is_left_alone(self):
        (self.root / "a").write_bytes(CONTENT)
        (self.out / "a.part").write_bytes(b"theirs")
        (self.out / "a.part").chmod(0o666)
        self.check(self.get(self.serve().at, "a", "--resume"), FILE, {"a.part": b"theirs"}, "not left behind by a run of this program")

    def test_wrong_bytes_do_not_stay(self):
        said = []

        def lie(connection):
            hear_request(connection)
            connection.sendall(PREAMBLE + offer(4) + frame(b"D", b"evil") + end(hashlib.sha256(b"good").digest()))
            said.append(harness.read_all(connection))

        result = self.get(harness.Peer(self, lie).at, "a")
        self.check(result, CHECKSUM, {}, [f"sha256 {hashlib.sha256(b'good').hexdigest()} was announced", hashlib.sha256(b"evil").hexdigest()])
        harness.wait_until(lambda: said)
        self.assertEqual(said[0], frame(b"A", b"\0\7"))

    def test_the_server_says_that_the_file_changed(self):
        def change(connection):
            hear_request(connection)
            connection.sendall(PREAMBLE + offer(4) + frame(b"D", b"half") + end(bytes(32), 6))

        self.check(self.get(harness.Peer(self, change).at, "a"), STATUS, {"a.part": b"half"}, "the file changed while it was sent")

    def test_a_file_that_changes_while_it_is_sent(self):
        """The server has sent what the sockets hold, and no more, when it happens."""
        for change in ("shorter", "longer", "other"):
            with self.subTest(change):
                (self.root / "a").write_bytes(bytes(32 << 20))
                server = self.serve()
                peer = server.connect()
                peer.sendall(harness.request(b"a"))
                heard = peer.recv(100_000)
                if change == "shorter":
                    os.truncate(self.root / "a", 16 << 20)
                else:
                    with open(self.root / "a", "ab" if change == "longer" else "r+b") as file:
                        file.write(b"x")
                heard += harness.read_all(peer)
                peer.close()
                self.assertEqual(heard[-39:], end(bytes(32), 6))
                self.assertIn(" changed, ", server.line())
                server.stop()

    def test_a_file_beyond_4_GiB(self):
        size = (5 << 30) + 123
        with open(self.root / "a", "wb") as file:
            file.truncate(size)
            file.seek(size - 3)
            file.write(b"end")
        seen = []

        def answer(connection):
            """A real one would have to hash 5 GiB of zeros first."""
            seen.append(hear_request(connection))
            connection.sendall(PREAMBLE + offer(size, 0) + frame(b"D", b"x"))

        result = self.get(harness.Peer(self, answer).at, "a")
        if result.status == FILE:
            self.skipTest(result.err)  # no room
        self.check(result, NETWORK, {"a.part": b"x"}, f"got 1 of {size} bytes")
        server = self.serve("--plain")
        peer = server.connect()
        peer.sendall(b"a\n")
        self.assertEqual(peer.recv(10), bytes(10))
        peer.close()
        self.assertIn(f" of {size} bytes", server.line())


if __name__ == "__main__":
    harness.main()
