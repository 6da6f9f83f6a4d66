# SPDX-License-Identifier: MIT
"""ringlet-fetch: a disk that takes no more is said in the system's words, with the file's name; other downloads go on."""

import os
import resource
import signal
import subprocess

import harness
from harness import FILE, OK
from hostile_server import chunked, response


class Disk(harness.FetchCase):
    def test_file_too_large(self):
        limit = 100_000
        small = os.urandom(5000)
        urls = [
            self.serve("/large", response(os.urandom(5 * limit))),
            self.serve("/small", response(small)),
            self.serve("/chunks", chunked([b"x" * 1000] * 200)),
        ]
        result = self.fetch(*urls, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.check(result, FILE, {"small": small}, ["large.part: File too large", "chunks.part: File too large", "1 ok, 2 failed"])

    def test_no_space_left(self):
        with open("/dev/full", "wb") as full:
            result = self.fetch("-o", "-", self.serve("/x", response(b"x" * 100_000)), stdout=full)
        self.check(result, FILE, {}, "write standard output: No space left on device")

    def test_nobody_reads_standard_output(self):
        end, start = os.pipe()
        os.close(end)
        with open(start, "wb") as pipe:
            result = self.fetch("-o", "-", self.serve("/x", response(b"x" * 100_000)), stdout=pipe)
        self.check(result, 128 + signal.SIGPIPE, {})
        self.assertEqual(result.err, "")

    def test_a_reader_that_has_enough(self):
        process = self.start("-v", "-o", "-", self.serve("/x", response(b"x" * 3_000_000)))
        self.assertEqual(process.stdout.read(10), b"x" * 10)
        process.stdout.close()
        self.assertRegex(process.stderr.read(), rb"^ringlet-fetch: engine: .*\nhttp:.*: begins\n$")
        self.assertEqual(process.wait(harness.HANGS_AFTER), 128 + signal.SIGPIPE)
        process.stderr.close()

    def test_directory_that_is_none(self):
        (self.out / "file").write_bytes(b"x")
        for where in ("file", "file/below"):
            result = self.fetch("-P", where, self.serve("/x", response(b"x")))
            self.check(result, FILE, {"file": b"x"}, [f"cannot use directory {where}", "Not a directory"])
        self.assertEqual(self.server.requests, [])

    def test_directory_that_goes_away(self):
        gone = self.out / "gone"

        def remove(client):
            gone.rmdir()
            client.send(response(b"x"))
            return True

        result = self.fetch("-P", "gone", self.serve("/x", remove))
        self.check(result, FILE, {}, ["gone/x.part", "No such file or directory"])

    def test_directory_that_takes_nothing(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        self.out.chmod(0o500)
        result = self.fetch(self.serve("/x", response(b"x")))
        self.out.chmod(0o700)
        self.check(result, FILE, {}, ["x.part", "Permission denied"])

    def test_closed_standard_error_does_no_harm(self):
        result = self.fetch(self.serve("/x", response(b"x")), stderr=subprocess.DEVNULL)
        self.check(result, OK, {"x": b"x"})
        with open("/dev/full", "wb") as full:
            self.check(self.fetch("-o", "y", self.server.url("/x"), stderr=full), OK, {"x": b"x", "y": b"x"})


harness.main()
