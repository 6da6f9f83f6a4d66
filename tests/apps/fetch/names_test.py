# SPDX-License-Identifier: MIT
"""ringlet-fetch: the names of files. Nothing outside the directory, nothing over an existing file, no link followed."""

import fcntl
import os
import stat
import threading
from unittest import mock
from urllib.parse import quote

import harness
from harness import FILE, OK
from hostile_server import Thing, response


class Names(harness.FetchCase):
    def test_no_name_leaves_the_directory(self):
        # Sent as they stand: the program must not need a server that means well.
        for number, (path, name) in enumerate(
            {
                "/..%2f..%2fetc%2fpasswd": "_.._etc_passwd",
                "/%2e%2e": "index.html",
                "/%2e%2e%2f": "_",
                "/a/..": "index.html",
                "/..%5c..%5cboot.ini": "_.._boot.ini",
                "/%252e%252e%252fx": "%2e%2e%2fx",
                "/%2fetc%2fpasswd": "_etc_passwd",
                "/.bashrc": "bashrc",
                "/%00x": "_x",
                "/a%0ab": "a_b",
                "/%e2%80%aegpj.exe": "_gpj.exe",
                "/a%e2%80%8bb%ef%bb%bf": "a_b_",
                "/%c0%ae%c0%ae%c0%afx": "______x",
                "/dir/": "index.html",
                "/": "index.html",
                "/?q=/../x": "index.html",
                "/x;y=../z": "z",
                "/100%": "100%",
                "/a%zz": "a%zz",
                "/-rf": "-rf",
                "/...": "index.html",
            }.items()
        ):
            with self.subTest(path=path):
                folder = self.out / str(number)
                folder.mkdir()
                route = response(b"content")
                self.server.routes = {p: route for p in (path, path.replace("100%", "100%25").replace("%zz", "%25zz"), "/")}
                result = self.fetch("-P", folder, self.server.url(path))
                self.assertEqual(result.status, OK, result.err)
                self.assertEqual(os.listdir(folder), [name])
        self.assertEqual(sorted(os.listdir(self.base)), ["out"])

    def test_utf8_names(self):
        names = ["grüße.txt", "日本語.html", "emoji 🎈.png", "עברית", "quote's", "a+b&c=d"]
        urls = [self.serve("/f/" + quote(name), response(name.encode())) for name in names]
        self.check(self.fetch(*urls), OK, {name: name.encode() for name in names})

    def test_long_names_are_bounded_and_keep_their_extension(self):
        self.check(self.fetch(self.serve("/" + "n" * 2000 + ".tar.gz", response(b"x"))), OK)
        (name,) = self.files()
        self.assertEqual(name, "n" * 230 + ".gz")
        self.check(self.fetch(self.serve("/" + "%c3%bc" * 1000, response(b"x"))), OK)
        self.assertIn("ü" * 116, self.files())

    def test_existing_file_is_not_touched(self):
        (self.out / "x").write_bytes(b"precious")
        (self.out / "x.1").write_bytes(b"precious too")
        url = self.serve("/x", response(b"new"))
        files = {"x": b"precious", "x.1": b"precious too", "x.2": b"new"}
        self.check(self.fetch(url), OK, files, "x.2: ")

    def test_file_that_appears_meanwhile_is_not_touched(self):
        def late(client):
            client.send(response(b"ne", length=3))
            (self.out / "x").write_bytes(b"precious")
            client.send(b"w")
            return True

        self.check(self.fetch(self.serve("/x", late)), OK, {"x": b"precious", "x.1": b"new"}, "x.1: ")

    def test_urls_with_one_name_are_numbered_in_their_order(self):
        # The first is answered when all have been asked for, and last.
        def first(client):
            harness.wait_until(lambda: (self.out / "x.1").exists() and (self.out / "x.2").exists())
            client.send(response(b"0"))
            return True

        urls = [self.serve("/a/x", first), self.serve("/b/x", response(b"1")), self.serve("/c/x", response(b"2"))]
        self.check(self.fetch(*urls), OK, {"x": b"0", "x.1": b"1", "x.2": b"2"})

    def test_same_url_many_times(self):
        url = self.serve("/x", response(b"same"))
        names = ["x"] + [f"x.{i}" for i in range(1, 30)]
        self.check(self.fetch(*[url] * 30), OK, {name: b"same" for name in names})

    def test_a_redirect_does_not_choose_the_name(self):
        self.serve("/.wgetrc", response(b"content"))
        url = self.serve("/asked", response(b"", "302 Found", Location="/.wgetrc"))
        self.check(self.fetch(url), OK, {"asked": b"content"})

    def test_content_disposition_does_not_choose_the_name(self):
        url = self.serve("/asked", response(b"x", Content_Disposition='attachment; filename="../../.bashrc"'))
        self.check(self.fetch(url), OK, {"asked": b"x"})

    def test_a_name_is_no_part(self):
        (self.out / "x.part").write_bytes(b"precious")
        urls = [self.serve("/x", response(b"x")), self.serve("/y.part", response(b"y"))]
        self.check(self.fetch(*urls), OK, {"x.part": b"precious", "x.1": b"x", "y.part_": b"y"})

    # --- links and special files ---

    def test_links_are_not_followed(self):
        victim = self.base / "victim"
        for link in ("x", "x.1.part", "dangling"):
            victim.write_bytes(b"victim")
            (self.out / link).symlink_to(victim if link != "dangling" else self.base / "nothing")
        result = self.fetch(self.serve("/x", response(b"new")), self.serve("/dangling", response(b"new")))
        self.check(result, OK, {"x": None, "x.1.part": None, "x.2": b"new", "dangling": None, "dangling.1": b"new"})
        self.assertEqual(victim.read_bytes(), b"victim")
        self.assertFalse((self.base / "nothing").exists())

    def test_a_fifo_in_the_way_does_not_block(self):
        os.mkfifo(self.out / "x.part", 0o600)
        self.check(self.fetch(self.serve("/x", response(b"new"))), OK, {"x.part": None, "x.1": b"new"})

    def test_a_second_name_of_a_file_is_not_written_to(self):
        victim = self.base / "victim"
        victim.write_bytes(b"victim")
        victim.chmod(0o600)
        os.link(victim, self.out / "x.part")
        self.check(self.fetch(self.serve("/x", response(b"new"))), OK, {"x.part": b"victim", "x.1": b"new"})

    def test_a_part_left_behind_is_taken_over(self):
        left = self.out / "x.part"
        left.write_bytes(b"half of something much longer")
        left.chmod(0o600)
        self.check(self.fetch(self.serve("/x", response(b"new"))), OK, {"x": b"new"})

    def test_a_part_in_use_is_left_alone(self):
        with open(self.out / "x.part", "wb") as busy:
            os.fchmod(busy.fileno(), 0o600)
            busy.write(b"another run")
            busy.flush()
            fcntl.flock(busy, fcntl.LOCK_EX)
            self.check(self.fetch(self.serve("/x", response(b"new"))), OK, {"x.part": b"another run", "x.1": b"new"})

    def test_two_runs_at_once_do_not_share_a_part(self):
        go_on = threading.Event()

        def hold(client):
            client.send(response(half, length=2 * len(half)))
            go_on.wait(harness.HANGS_AFTER)
            client.send(half)
            return True

        half = b"x" * harness.NOT_GATHERED

        url = self.serve("/x", hold)
        runs = [self.start(url), self.start(url)]
        harness.wait_until(lambda: (self.out / "x.part").exists() and (self.out / "x.1.part").exists())
        go_on.set()
        for run in runs:
            self.assertEqual(self.ended(run).status, OK)
        self.assertEqual(self.files(), {"x": half + half, "x.1": half + half})

    def test_what_comes_at_once_needs_no_part(self):
        (self.out / "x").write_bytes(b"there")
        meanwhile = {}

        def look(client):
            client.send(response(b"1", length=2))
            meanwhile["before"] = self.files()
            client.send(b"2")
            return True

        url = self.serve("/x", look)
        self.check(self.fetch(url, umask=0o027), OK, {"x": b"there", "x.1": b"12"})
        self.assertEqual(meanwhile["before"], {"x": b"there"})
        self.assertEqual(stat.S_IMODE((self.out / "x.1").stat().st_mode), 0o640)


    def test_a_small_file_does_not_stand_beside_another_runs_part(self):
        go_on = threading.Event()
        body = b"x" * 1000
        thing = Thing(body)
        thing.plan = [None, 300]
        thing.before = lambda client, first: len(thing.asked) > 1 or go_on.wait(harness.HANGS_AFTER)
        url = self.serve("/x", thing)
        slow = self.start(url)
        harness.wait_until(lambda: thing.asked)
        cut = {"x.part": body[:300], "x.part.state": mock.ANY}
        self.check(self.fetch(url), harness.NETWORK, cut)
        go_on.set()
        self.check(self.ended(slow), OK, cut | {"x.1": body})
        self.check(self.fetch(url), OK, {"x": body, "x.1": body})

    def test_a_file_that_comes_meanwhile_has_no_part_beside_it(self):
        def appears(client, first):
            (self.out / "x").write_bytes(b"new here")

        for size in (1000, 40_000):
            thing = Thing(b"x" * size)
            thing.plan = [300]
            thing.before = appears
            files = {"x": b"new here", "x.1.part": b"x" * 300, "x.1.part.state": mock.ANY}
            self.check(self.fetch(self.serve("/x", thing)), harness.NETWORK, files)
            for name in files:
                (self.out / name).unlink()

    def test_permissions(self):
        def look(client):
            client.send(response(half, length=2 * len(half)))
            harness.wait_until(lambda: (self.out / "x.part").exists())
            self.during = stat.S_IMODE((self.out / "x.part").stat().st_mode)
            client.send(half)
            return True

        half = b"x" * harness.NOT_GATHERED
        self.check(self.fetch(self.serve("/x", look), umask=0o027), OK, {"x": half + half})
        self.assertEqual(self.during, 0o600)
        self.assertEqual(stat.S_IMODE((self.out / "x").stat().st_mode), 0o640)

    # --- -o ---

    def test_output_replaces_when_complete(self):
        (self.out / "mine").write_bytes(b"old")
        url = self.serve("/x", response(b"new"))
        broken = self.serve("/broken", lambda client: client.send(response(b"ne", length=3)))
        self.check(self.fetch("-o", "mine", broken), harness.NETWORK, {"mine": b"old"})
        self.check(self.fetch("-o", "mine", url), OK, {"mine": b"new"}, "mine: ")
        self.check(self.fetch("-P", self.base, "-o", "sub/other", url), OK)
        self.assertEqual((self.base / "sub/other").read_bytes(), b"new")

    def test_output_name_that_leaves_no_room_for_the_part(self):
        url = self.serve("/x", Thing(b"new"))
        longest = "n" * 240
        for name in (longest + "n", "n" * 255, "n" * 300, "ü" * 121):
            self.check(self.fetch("-o", name, url), FILE, {}, f"cannot write {name[:100]}")
            self.check(self.fetch("-o", name, url), FILE, {}, "more than 240 bytes")
        self.assertEqual(self.server.requests, [])
        self.server.routes["/x"].plan = [1]
        self.check(self.fetch("-o", longest, url), harness.NETWORK, {longest + ".part": b"n", longest + ".part.state": mock.ANY})
        self.check(self.fetch("-o", longest, url), OK, {longest: b"new"})

    def test_output_replaces_files_only(self):
        url = self.serve("/x", response(b"new"))
        (self.out / "folder").mkdir()
        (self.out / "link").symlink_to("target")
        for name in ("folder", "link", "/dev/null"):
            self.check(self.fetch("-o", name, url), FILE, {"folder": None, "link": None}, "not a regular file")
        self.assertEqual(self.server.requests, [])

    # --- what is printed ---

    def test_escape_sequences_do_not_reach_the_terminal(self):
        evil = "\x1b[2J\x1b]0;title\x07\x1b]52;c;aGk=\x07\r\u202e\u009b31m\udc9b\udc9d"
        raw = evil.encode("utf-8", "surrogateescape").replace(b"\r", b"")
        quoted = "".join(f"%{byte:02x}" for byte in evil.encode("utf-8", "surrogateescape"))
        urls = [
            self.serve("/" + quoted, response(b"x")),
            self.serve("/reason", b"HTTP/1.1 404 gone\xc2\x9b31m\xff\xe2\x80\xae\r\nContent-Length: 0\r\n\r\n"),
            self.serve("/location", b"HTTP/1.1 302 x\r\nLocation: data:\xc2\x9b31m\xe2\x80\xae\r\nContent-Length: 0\r\n\r\n"),
            self.serve("/escape", b"HTTP/1.1 404 " + raw + b"\r\nContent-Length: 0\r\n\r\n"),
        ]
        result = self.fetch("-v", *urls)
        for bad in (b"\x1b", b"\x07", b"\r", b"\xc2\x9b", b"\xe2\x80\xae", b"\x9b31m\xff", b"\xff"):
            self.assertNotIn(bad, result.err_bytes)
        self.assertIn("1 ok, 3 failed", result.err)
        (name,) = os.listdir(os.fsencode(self.out))
        self.assertFalse(set(name) & set(range(0x20)), name)


harness.main()
