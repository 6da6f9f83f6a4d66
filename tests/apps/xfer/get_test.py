# SPDX-License-Identifier: MIT
"""ringlet-xfer get from ringlet-xfer serve: contents, names, refusals, what is in the way, the log."""

import hashlib
import json
import os
import socket

import harness
from harness import FILE, NETWORK, OK, STATUS

CONTENT = bytes(range(256)) * 16_000  # some frames


class Get(harness.XferCase):
    def test_contents(self):
        for name, content in {"large": CONTENT, "empty": b"", "one": b"1", "sub/inner": b"inner", "ä ö": b"u", "nl\nx": b"n"}.items():
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_bytes(content)
        server = self.serve()
        for name in ("large", "empty", "one", "sub/inner", "ä ö", "nl\nx", "large"):
            with self.subTest(name):
                result = self.get(server.at, name)
                local = name.rpartition("/")[2]
                self.check(result, OK, {local: (self.root / name).read_bytes()})
                self.assertRegex(server.line(), r' received, \d+ of \d+ bytes')
                (self.out / local).unlink()
        _, err = server.stop()
        self.assertIn("7 files on 7 connections, ", err)

    def test_refusals_look_alike_and_leave_nothing(self):
        secret = self.base / "secret"
        secret.write_bytes(b"secret")
        (self.root / "link-out").symlink_to(secret)
        (self.root / "link-to-nothing").symlink_to("nothing")
        (self.root / "link-loop").symlink_to("link-loop")
        (self.root / "fifo").parent.mkdir(exist_ok=True)
        os.mkfifo(self.root / "fifo")
        (self.root / "device").symlink_to("/dev/zero")
        (self.root / "directory").mkdir()
        (self.root / ".hidden").write_bytes(b"h")
        (self.root / "closed").write_bytes(b"c")
        (self.root / "closed").chmod(0)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.root / "socket"))
        server = self.serve()
        names = ["absent", "link-out", "link-to-nothing", "link-loop", "fifo", "device", "directory", "directory/", ".hidden", "socket",
                 "../secret", "directory/../../secret", str(secret), "directory/..", "./absent", "%2e%2e/secret", "..\\secret",
                 "absent/" * 500 + "x", "n" * 4096]
        if os.getuid() != 0:
            names.append("closed")
        answers = set()
        for name in names:
            with self.subTest(name[:40]):
                result = self.get(server.at, name, "-o", "x")
                self.check(result, STATUS, {}, "the server refuses: not found, or not for you")
                answers.add(server.ask(harness.request(name.encode())))
        self.assertEqual(len(answers), 1, answers)
        log, _ = server.stop()
        self.assertEqual(log.count("not_found"), 2 * len([name for name in names if name != "closed"]))
        self.assertIn('"fifo" not_found', log)
        self.assertIn('(a directory)', log)

    def test_a_link_inside_is_followed(self):
        (self.root / "file").write_bytes(b"content")
        (self.root / "link").symlink_to("file")
        self.check(self.get(self.serve().at, "link"), OK, {"link": b"content"})

    def test_what_is_there_is_not_touched(self):
        (self.root / "a").write_bytes(b"new")
        (self.out / "a").write_bytes(b"old")
        server = self.serve()
        self.check(self.get(server.at, "a"), FILE, {"a": b"old"}, "a is there already; --force replaces it")
        self.check(self.get(server.at, "a", "--force"), OK, {"a": b"new"})
        self.check(self.get(server.at, "a", "-o", "b"), OK, {"a": b"new", "b": b"new"})

    def test_special_files_are_not_replaced(self):
        (self.root / "a").write_bytes(b"new")
        target = self.base / "target"
        target.write_bytes(b"kept")
        server = self.serve()
        (self.out / "a").symlink_to(target)
        result = self.get(server.at, "a", "--force")
        self.check(result, FILE, {"a": b"kept"}, "a is there and no regular file")
        (self.out / "a").unlink()
        (self.out / "a.part").symlink_to(target)
        for flags in ((), ("--resume",)):
            result = self.get(server.at, "a", *flags)
            self.assertEqual(result.status, FILE, result.err)
            self.assertEqual(target.read_bytes(), b"kept")
        (self.out / "a.part").unlink()
        os.mkfifo(self.out / "a.part")
        result = self.get(server.at, "a")
        self.assertEqual(result.status, FILE, result.err)
        self.assertIn("in the way", result.err)

    def test_an_empty_name_for_the_output_is_none(self):
        self.check(self.get(self.serve().at, "small", "-o", ""), harness.USAGE, {}, "--output: the value is empty")

    def test_a_directory_that_is_not_there(self):
        (self.root / "a").write_bytes(b"new")
        result = self.get(self.serve().at, "a", "-o", "no/such/b")
        self.check(result, FILE, {}, "No such file or directory")

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.check(self.get(f"127.0.0.1:{port}", "a"), NETWORK, {}, "Connection refused")

    def test_a_limit_on_the_size_of_files(self):
        import resource
        (self.root / "a").write_bytes(CONTENT)
        server = self.serve()

        def limited():
            harness.default_signals()
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        result = self.get(server.at, "a", preexec_fn=limited)
        self.assertEqual(result.status, FILE, result.err)
        self.assertRegex(result.err, rf"File too large; got \d+ of {len(CONTENT)} bytes")
        self.assertFalse((self.out / "a").exists())

    def test_events_and_log_as_json(self):
        (self.root / "a\x1b[2J").write_bytes(CONTENT)
        server = self.serve("--json")
        result = self.get(server.at, "a\x1b[2J", "--json")
        self.assertEqual(result.status, OK, result.err)
        self.assertNotIn("\x1b", result.out + result.err)
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual((events[0]["event"], events[-1]["event"]), ("start", "done"))
        done = events[-1]
        self.assertEqual((done["name"], done["bytes"], done["total"], done["resumed"], done["sha256"]),
                         ("a\x1b[2J", len(CONTENT), len(CONTENT), 0, hashlib.sha256(CONTENT).hexdigest()))
        line = server.line()
        self.assertNotIn("\x1b", line)
        logged = json.loads(line)
        self.assertEqual((logged["name"], logged["result"], logged["bytes"]), ("a\x1b[2J", "received", len(CONTENT)))
        result = self.get(server.at, "absent", "--json")
        error = json.loads(result.out.splitlines()[-1])
        self.assertEqual((error["event"], error["error"], error["exit_code"]), ("error", "refused", STATUS))
        self.assertEqual(json.loads(server.line())["message"], "No such file or directory")

    def test_events_that_cannot_be_written(self):
        (self.root / "a").write_bytes(b"x")
        with open("/dev/full", "wb") as full:
            result = self.get(self.serve().at, "a", "--json", stdout=full)
        self.check(result, FILE, {"a": b"x"}, "write standard output: No space left on device")

    def test_names_reach_no_terminal(self):
        server = self.serve()
        name = "x\x1b]0;t\x07\x1b[2J\u202e\n2026 forged"
        result = self.get(server.at, name)
        self.check(result, STATUS, {}, "x\\x1b]0;t\\x07\\x1b[2J")
        log, _ = server.stop()
        self.assertEqual(log.count("\n"), 1)
        self.assertNotIn("\x1b", log)

    def test_quiet_says_nothing(self):
        (self.root / "a").write_bytes(b"x")
        server = self.serve("-q")
        result = self.get(server.at, "a", "-q")
        self.check(result, OK, {"a": b"x"})
        self.assertEqual(result.err + result.out, "")
        self.assertEqual(server.stop()[0], "")


if __name__ == "__main__":
    harness.main()
