# SPDX-License-Identifier: MIT
"""Which state, which form and which part of a file a request gets."""

import email.utils
import gzip
import os
import subprocess
import time

from harness import BIG_BYTES, ServeCase, get, main, pattern, wait_until

OLD = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT


class Selection(ServeCase):
    @classmethod
    def fill(cls, root):
        super().fill(root)
        (root / "big.bin").write_bytes(pattern(BIG_BYTES))
        (root / "digits.txt").write_bytes(b"0123456789")
        (root / "page.html").write_bytes(b"<p>hello</p>" * 100)
        (root / "page.html.gz").write_bytes(gzip.compress(b"<p>hello</p>" * 100))
        (root / "page.html.br").write_bytes(b"not really brotli")
        (root / "stale.css").write_bytes(b"a{}" * 50)
        (root / "stale.css.gz").write_bytes(gzip.compress(b"old{}" * 50))
        (root / "picture.png").write_bytes(b"png")
        (root / "picture.png.gz").write_bytes(b"never sent")
        for path in root.iterdir():
            os.utime(path, (OLD, OLD))
        os.utime(root / "stale.css", (OLD + 1, OLD + 1))

    def test_validators(self):
        first, second = self.server.get("/digits.txt"), self.server.get("/digits.txt")
        self.assertRegex(first["ETag"], r'^"[!-~]+"$')
        self.assertEqual(first["ETag"], second["ETag"])
        self.assertEqual(first["Last-Modified"], "Sun, 06 Nov 1994 08:49:37 GMT")
        self.assertEqual(first["Accept-Ranges"], "bytes")
        self.assertNotEqual(first["ETag"], self.server.get("/a.txt")["ETag"])

    def test_not_modified(self):
        whole = self.server.get("/digits.txt")
        for field in (f"If-None-Match: {whole['ETag']}", "If-None-Match: *", f"If-Modified-Since: {whole['Last-Modified']}"):
            for method in ("GET", "HEAD"):
                answer = self.server.ask(get("/digits.txt", field, "Range: bytes=1-2", method=method), method)
                self.assertEqual(answer.status, 304, field)
                for name in ("ETag", "Last-Modified"):
                    self.assertEqual(answer[name], whole[name])
                for name in ("Content-Type", "Content-Length", "Content-Range"):
                    self.assertIsNone(answer[name])
        other = 'If-None-Match: "other"'
        self.assertEqual(self.server.get("/digits.txt", other, f"If-Modified-Since: {whole['Last-Modified']}").status, 200)

    def test_after_304_the_connection_goes_on(self):
        with self.server.connect() as c:
            c.send(get("/digits.txt", "If-None-Match: *") + get("/digits.txt"))
            self.assertEqual(c.read().status, 304)
            self.assertEqual(c.read().body, b"0123456789")

    def test_precondition_failed(self):
        for field in ('If-Match: "other"', "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"):
            answer = self.server.get("/digits.txt", field)
            self.assertEqual((answer.status, answer.body), (412, b"412 Precondition Failed\n"), field)
        self.assertEqual(self.server.get("/none", "If-None-Match: *").status, 404)

    def test_parts(self):
        for value, part, body in (
            ("bytes=0-0", "0-0", b"0"),
            ("bytes=2-4", "2-4", b"234"),
            ("bytes=7-", "7-9", b"789"),
            ("bytes=7-99999999999999999999999999", "7-9", b"789"),
            ("bytes=-3", "7-9", b"789"),
            ("bytes=-11", "0-9", b"0123456789"),
        ):
            answer = self.server.get("/digits.txt", f"Range: {value}")
            self.assertEqual((answer.status, answer["Content-Range"], answer.body), (206, f"bytes {part}/10", body), value)
            self.assertEqual(answer["Content-Type"], "text/plain; charset=utf-8")

    def test_no_part_is_the_whole(self):
        for value in ("bytes=2-4,6-7", "bytes=4-2", "lines=1-2", "bytes=x"):
            answer = self.server.get("/digits.txt", f"Range: {value}")
            self.assertEqual((answer.status, answer["Content-Range"], answer.body), (200, None, b"0123456789"), value)
        head = self.server.ask(get("/digits.txt", "Range: bytes=1-2", method="HEAD"), "HEAD")
        self.assertEqual((head.status, head["Content-Length"]), (200, "10"))

    def test_not_satisfiable(self):
        for path, value, size in (("/digits.txt", "bytes=10-", 10), ("/digits.txt", "bytes=-0", 10), ("/empty.txt", "bytes=0-", 0)):
            answer = self.server.get(path, f"Range: {value}")
            self.assertEqual((answer.status, answer["Content-Range"]), (416, f"bytes */{size}"), value)
            self.assertEqual(answer.body, b"416 Range Not Satisfiable\n")

    def test_parts_of_a_large_file(self):
        content = pattern(BIG_BYTES)
        with self.server.connect() as c:
            for first, last in ((0, 0), (1, 100_000), (65_535, 3_000_001), (BIG_BYTES - 1, BIG_BYTES - 1), (1, BIG_BYTES - 1)):
                answer = c.send(get("/big.bin", f"Range: bytes={first}-{last}")).read()
                self.assertTrue(answer.status == 206 and answer.body == content[first : last + 1], (first, last))

    def test_if_range(self):
        whole = self.server.get("/digits.txt")
        for value, status in (
            (whole["ETag"], 206),
            (whole["Last-Modified"], 206),
            ('"other"', 200),
            ("W/" + whole["ETag"], 200),
            ("Sun, 06 Nov 1994 08:49:38 GMT", 200),
        ):
            answer = self.server.get("/digits.txt", "Range: bytes=2-4", f"If-Range: {value}")
            self.assertEqual(answer.status, status, value)

    def test_what_lies_compressed_beside_it(self):
        plain = self.server.get("/page.html")
        zipped = self.server.get("/page.html", "Accept-Encoding: gzip")
        self.assertEqual(gzip.decompress(zipped.body), plain.body)
        self.assertEqual((zipped["Content-Encoding"], plain["Content-Encoding"]), ("gzip", None))
        self.assertEqual(zipped["Content-Type"], plain["Content-Type"])
        self.assertNotEqual(zipped["ETag"], plain["ETag"])
        self.assertEqual(self.server.get("/page.html", "Accept-Encoding: gzip, br")["Content-Encoding"], "br")
        for refused in ("identity", "gzip;q=0, br;q=0", "deflate", "gzip;q=0.5, br;q=0.5, identity"):
            self.assertIsNone(self.server.get("/page.html", f"Accept-Encoding: {refused}")["Content-Encoding"], refused)
        for fields in ([], ["Accept-Encoding: gzip"], ["Range: bytes=0-1"], ["If-None-Match: *"]):
            self.assertEqual(self.server.get("/page.html", *fields)["Vary"], "Accept-Encoding", fields)
        self.assertIsNone(self.server.get("/digits.txt", "Accept-Encoding: gzip")["Vary"])

    def test_validators_and_parts_are_those_of_the_form(self):
        zipped = self.server.get("/page.html", "Accept-Encoding: gzip")
        part = self.server.get("/page.html", "Accept-Encoding: gzip", "Range: bytes=3-9", f"If-Range: {zipped['ETag']}")
        self.assertEqual((part.status, part.body, part["Content-Encoding"]), (206, zipped.body[3:10], "gzip"))
        self.assertEqual(self.server.get("/page.html", f"If-None-Match: {zipped['ETag']}").status, 200)
        self.assertEqual(self.server.get("/page.html", "Accept-Encoding: gzip", f"If-None-Match: {zipped['ETag']}").status, 304)

    def test_what_is_older_than_the_file_is_not_sent(self):
        self.assertIsNone(self.server.get("/stale.css", "Accept-Encoding: gzip")["Content-Encoding"])
        self.assertIsNone(self.server.get("/picture.png", "Accept-Encoding: gzip")["Content-Encoding"])

    def test_a_compressed_file_for_itself(self):
        answer = self.server.get("/page.html.gz", "Accept-Encoding: gzip")
        self.assertEqual((answer["Content-Type"], answer["Content-Encoding"]), ("application/gzip", None))

    def test_last_modified_is_never_later_than_now(self):
        path = self.root / "future.txt"
        path.write_bytes(b"from the future")
        os.utime(path, (time.time() + 1e6, time.time() + 1e6))
        answer = self.server.get("/future.txt")
        date, modified = (email.utils.parsedate_to_datetime(answer[n]) for n in ("Date", "Last-Modified"))
        self.assertLessEqual(modified, date)


class Changes(ServeCase):
    """What was asked for once is kept, and a change of it shows."""

    def change(self, name, content):
        (self.root / name).write_bytes(content)
        since = time.monotonic()
        wait_until(lambda: self.server.get("/" + name).body == content)
        return time.monotonic() - since

    def test_a_change_shows_soon(self):
        self.assertEqual(self.server.get("/a.txt").body, b"alpha\n")
        for size in (7, 7, 7, 70_000, 70_000, 3):
            for fill in (b"x", b"y"):
                self.change("changing.txt", fill * size)

    def test_a_file_that_goes_and_comes(self):
        (self.root / "fleeting.txt").write_bytes(b"here")
        self.assertEqual(self.server.get("/fleeting.txt").status, 200)
        (self.root / "fleeting.txt").unlink()
        wait_until(lambda: self.server.get("/fleeting.txt").status == 404)
        self.change("fleeting.txt", b"again")

    def test_a_file_that_becomes_a_directory(self):
        path = self.root / "turning"
        path.write_bytes(b"file")
        self.assertEqual(self.server.get("/turning").status, 200)
        path.unlink()
        path.mkdir()
        wait_until(lambda: self.server.get("/turning").status == 301)
        path.rmdir()
        path.symlink_to("/etc/passwd")
        wait_until(lambda: self.server.get("/turning").status == 404)

    def test_a_compressed_form_that_comes_and_goes(self):
        (self.root / "app.js").write_bytes(b"let a;" * 99)
        coding = lambda: self.server.get("/app.js", "Accept-Encoding: gzip")["Content-Encoding"]
        self.assertIsNone(coding())
        (self.root / "app.js.gz").write_bytes(gzip.compress(b"let a;" * 99))
        wait_until(lambda: coding() == "gzip")
        (self.root / "app.js.gz").unlink()
        wait_until(lambda: coding() is None)

    def test_large_files_do_not_use_up_descriptors(self):
        (self.root / "many").mkdir()
        for i in range(200):
            (self.root / "many" / str(i)).write_bytes(pattern(100_000))
        server = self.start("-q", files_max=64)
        with server.connect() as c:
            for i in range(200):
                self.assertTrue(c.send(get(f"/many/{i}")).read().body == pattern(100_000), i)


class Options(ServeCase):
    @classmethod
    def fill(cls, root):
        super().fill(root)
        (root / "home.htm").write_bytes(b"home")
        (root / "sub").mkdir()

    arguments = ("-q", "--index", "home.htm", "--no-listing", "--header", "Cache-Control: max-age=60", "--header=X-Empty:")

    def test_index_and_no_listing(self):
        self.assertEqual(self.server.get("/").body, b"home")
        self.assertEqual(self.server.get("/sub/").status, 404)
        self.assertEqual(self.server.get("/sub").status, 301)

    def test_fields(self):
        for path, status in (("/a.txt", 200), ("/none", 404), ("/sub", 301)):
            answer = self.server.get(path)
            self.assertEqual((answer.status, answer["Cache-Control"], answer["X-Empty"]), (status, "max-age=60", ""), path)
        self.assertEqual(self.server.get("/a.txt", "If-None-Match: *")["Cache-Control"], "max-age=60")

    def test_wrong_words(self):
        for arguments, complaint in (
            (["--header", "no colon"], "it has the form 'Name: value'"),
            (["--header", "A b: c"], "this is no field name"),
            (["--header", "A: b\nC: d"], "the value holds a control character"),
            (["--header", "content-length: 5"], "the server sets this field itself"),
            (["--index", "../x"], "--index takes a file's name"),
            (["--index", ""], "--index: the value is empty"),
        ):
            server = self.start(*arguments)
            status, _, complaints = server.wait()
            self.assertEqual(status, 2, arguments)
            self.assertIn(complaint, complaints)


if __name__ == "__main__":
    main()
