# SPDX-License-Identifier: MIT
"""What is served, what is not, and what a listing shows."""

import html
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

from harness import BIG_BYTES, HANGS_AFTER, ServeCase, get, main, pattern, wait_until

SECRET = b"outside the root\n"

ODD_NAMES = [
    b'quote".txt',
    b"apostrophe'.txt",
    b"a&b;c.txt",
    b"<script>alert(1)<!--.txt",
    b"line\nbreak.txt",
    b"java:script.txt",
    b"per%41cent.txt",
    b"what?#.txt",
    b"  spaces  .txt",
    b"invalid\xff\xfe.txt",
    b"c1\x9b31m.txt",
    b"escape\x1b[2J.txt",
    "gr\u00fc\u00df \u4f60\u597d \U0001f600.txt".encode(),
    "bidi\u202etxt.exe".encode(),
    b"-rf",
    b"n" * 255,
]


class Files(ServeCase):
    @classmethod
    def fill(cls, root):
        super().fill(root)
        outside = cls.base / "outside"
        outside.mkdir()
        (outside / "secret.txt").write_bytes(SECRET)
        (outside / "index.html").write_bytes(SECRET)
        (cls.base / "site-secret.txt").write_bytes(SECRET)  # shares the root's name as a prefix
        (root / "big.bin").write_bytes(pattern(BIG_BYTES))
        (root / ".hidden").write_bytes(SECRET)
        (root / ".git").mkdir()
        (root / ".git" / "config").write_bytes(SECRET)
        with open(root / "sparse.bin", "wb") as sparse:
            sparse.truncate(5 << 30)
            sparse.write(b"begins")
        os.mkfifo(root / "fifo")
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(root / "socket"))
        listening.close()
        try:
            os.mknod(root / "device", 0o600 | 0o020000, os.makedev(1, 5))
        except PermissionError:
            pass
        for name in ("sub", "indexed", "index-is-directory", "index-leads-outside", "index-is-fifo", "odd", "sub/deep"):
            (root / name).mkdir()
        (root / "sub" / "deep" / "d.txt").write_bytes(b"deep\n")
        (root / "indexed" / "index.html").write_bytes(b"<p>index")
        (root / "index-is-directory" / "index.html").mkdir()
        (root / "index-leads-outside" / "index.html").symlink_to(outside / "index.html")
        os.mkfifo(root / "index-is-fifo" / "index.html")
        (root / "inside-link.txt").symlink_to("a.txt")
        (root / "inside-folder").symlink_to("sub")
        (root / "sub" / "up-link.txt").symlink_to("../a.txt")
        (root / "dangling").symlink_to("nowhere")
        (root / "loop").symlink_to("loop")
        (root / "outside-link.txt").symlink_to("../outside/secret.txt")
        (root / "outside-folder").symlink_to("../outside")
        (root / "absolute-link.txt").symlink_to(outside / "secret.txt")
        (root / "magic").symlink_to("/proc/self/root")
        for name in ODD_NAMES:
            pathlib.Path(os.fsdecode(os.fsencode(root / "odd") + b"/" + name)).write_bytes(name)

    def test_every_size(self):
        with self.server.connect() as c:
            for size in (0, 1, 4095, 4096, 16383, 16384, 16385, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3_000_000):
                (self.root / f"sized-{size}.bin").write_bytes(pattern(size))
                answer = c.send(get(f"/sized-{size}.bin")).read()
                self.assertEqual(answer["Content-Length"], str(size))
                self.assertTrue(answer.body == pattern(size), size)

    def test_a_file_over_4_gib(self):
        head = self.server.ask(get("/sparse.bin", method="HEAD"), "HEAD")
        self.assertEqual(head["Content-Length"], str(5 << 30))
        with self.server.connect() as c:
            c.send(get("/sparse.bin"))
            while b"\r\n\r\n" not in c.unread:
                self.assertTrue(c.more())
            c.take(c.unread.index(b"\r\n\r\n") + 4)
            part = c.take(1 << 20)
            self.assertTrue(part == b"begins" + bytes((1 << 20) - 6))
            c.reset()

    def test_what_is_no_regular_file_is_not_there(self):
        with self.server.connect() as c:
            for path in ("/fifo", "/socket", "/device", "/dangling", "/loop", "/a.txt/", "/a.txt/x", "/nothing", "/sub/none"):
                self.assertEqual(c.send(get(path)).read().status, 404, path)

    def test_links_lead_inside_only(self):
        with self.server.connect() as c:
            for path in ("/inside-link.txt", "/sub/up-link.txt", "/inside-folder/up-link.txt"):
                self.assertEqual(c.send(get(path)).read().body, b"alpha\n", path)
            for path in (
                "/outside-link.txt",
                "/absolute-link.txt",
                "/outside-folder",
                "/outside-folder/",
                "/outside-folder/secret.txt",
                "/magic/etc/passwd",
                "/magic/",
            ):
                self.assertEqual(c.send(get(path)).read().status, 404, path)

    def test_nothing_outside_the_root(self):
        for path in (
            "/../outside/secret.txt",
            "/sub/../../outside/secret.txt",
            "/%2e%2e/outside/secret.txt",
            "/.%2e/outside/secret.txt",
            "/%2E%2E/outside/secret.txt",
            "/..%2foutside/secret.txt",
            "/sub/..%2f..%2foutside/secret.txt",
            "/%252e%252e/outside/secret.txt",
            "/..%252foutside/secret.txt",
            "/..\\outside\\secret.txt",
            "/..%5coutside%5csecret.txt",
            "/....//outside/secret.txt",
            "/.../outside/secret.txt",
            "/%c0%ae%c0%ae/outside/secret.txt",
            "/..%00/outside/secret.txt",
            "/a.txt%00.html",
            "/../site-secret.txt",
            "/-secret.txt",
            "//etc/passwd",
            "/%2fetc/passwd",
            "///etc/passwd",
            "/sub//../../outside/secret.txt",
            "/%",
            "/%4",
            "/%zz",
            "http://h/../outside/secret.txt",
            "http://h/%2e%2e/outside/secret.txt",
            "file:///etc/passwd",
            "ftp://h/a.txt",
            "http:///a.txt",
            "/..",
            "/sub/../..",
            "/.hidden",
            "/%2ehidden",
            "/.git/config",
            "/sub/../.git/config",
        ):
            answer = self.server.get(path)
            self.assertIn(answer.status, (400, 404), path)
            self.assertNotIn(SECRET, answer.body, path)

    def test_paths_that_mean_the_same(self):
        with self.server.connect() as c:
            for path in ("/a.txt?x=1", "/%61.txt", "/sub/../a.txt", "/./a.txt", "/sub/deep/../../a.txt", "http://other.example/a.txt"):
                self.assertEqual(c.send(get(path)).read().body, b"alpha\n", path)

    def test_a_redirect_stays_on_this_host(self):
        with self.server.connect() as c:
            answer = c.send(get("/sub")).read()
            self.assertEqual((answer.status, answer["Location"]), (301, "/sub/"))
            self.assertEqual(c.send(get("/sub?q=//x")).read()["Location"], "/sub/?q=//x")
            self.assertEqual(c.send(get("http://evil.example/sub/deep")).read()["Location"], "/sub/deep/")
            for path in ("//evil.example", "/\\evil.example", "/%5cevil.example", "/%2fevil.example", "/sub/..//evil.example"):
                answer = c.send(get(path)).read()
                self.assertIn(answer.status, (400, 404), path)
                self.assertIsNone(answer["Location"])

    def test_index(self):
        with self.server.connect() as c:
            self.assertEqual(c.send(get("/indexed/")).read().body, b"<p>index")
            for path in ("/index-is-directory/", "/index-leads-outside/", "/index-is-fifo/"):
                answer = c.send(get(path)).read()
                self.assertEqual(answer.status, 200, path)
                self.assertIn(b"<!doctype html>", answer.body)
                self.assertNotIn(SECRET, answer.body)

    def test_an_index_that_may_not_be_read_is_not_replaced_by_a_listing(self):
        closed = self.root / "index-is-closed"
        closed.mkdir()
        (closed / "index.html").write_bytes(SECRET)
        (closed / "index.html").chmod(0)
        try:
            answer = self.start("-q", privileged=False).get("/index-is-closed/")
        finally:
            shutil.rmtree(closed)
        self.assertEqual((answer.status, answer.body), (404, b"404 Not Found\n"))

    def listed(self, path):
        page = self.server.get(path).body.decode("utf-8")
        return page, [(html.unescape(h), t) for h, t in re.findall(r'<td><a href="([^"]*)">([^<]*)</a></td>', page)]

    def test_a_listing_leads_to_every_file(self):
        page, links = self.listed("/odd/")
        self.assertEqual(len(links), len(ODD_NAMES) + 1)
        with self.server.connect() as c:
            found = []
            for href, _ in links[1:]:
                self.assertTrue(href.startswith("./") and re.fullmatch(r"[!-~]+", href), href)
                self.assertNotRegex(urllib.parse.urlsplit(href).path, r"[:<>\"'&]")
                found.append(c.send(get("/odd/" + href)).read().body)
            self.assertEqual(sorted(found), sorted(ODD_NAMES))

    def test_a_listing_cannot_be_broken_out_of(self):
        page, _ = self.listed("/odd/")
        self.assertEqual(page.count("<tr"), len(ODD_NAMES) + 2)
        self.assertNotIn("<script", page)
        self.assertNotRegex(page, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
        self.assertEqual(len(re.findall(r"<[a-z!/]", page)), len(re.findall(r"</?(?:html|head|meta|title|style|body|main|h1|table|thead|tbody|tr|th|td|p|a)\b|<!doc", page)))

    def test_a_listing_shows_what_is_served(self):
        _, links = self.listed("/")
        names = [h for h, _ in links]
        self.assertEqual(names[:3], sorted(names[:3]))
        self.assertTrue(names[0].endswith("/"))  # folders first
        for name in ("./a.txt", "./sub/", "./empty.txt"):
            self.assertIn(name, names)
        for name in ("./.hidden", "./.git/", "./fifo", "./socket", "./device"):
            self.assertNotIn(name, names)

    def test_a_listing_shows_sizes_and_times(self):
        folder = self.root / "told"
        folder.mkdir()
        (folder / "file").write_bytes(bytes(1536))
        (folder / "sub").mkdir()
        for path in folder.iterdir():
            os.utime(path, (784111777, 784111777))
        page, _ = self.listed("/told/")
        time = '<td class="t">1994-11-06 08:49</td>'
        self.assertIn(f'file</a></td><td class="n">1.5KiB</td>{time}', page)
        self.assertIn(f'sub/</a></td><td class="n"></td>{time}', page)
        self.assertIn("<p>1 directory, 1 file</p>", page)
        self.assertIn('<h1><a href="../">/</a><a href="./">told/</a></h1>', page)

    def test_a_listing_shows_links_that_lead_to_something(self):
        names = [h for h, _ in self.listed("/")[1]] + [h for h, _ in self.listed("/sub/")[1]]
        for name in ("./inside-link.txt", "./inside-folder/", "./up-link.txt"):
            self.assertIn(name, names)
        for name in ("dangling", "loop", "outside-link.txt", "outside-folder", "absolute-link.txt", "magic"):
            self.assertFalse({"./" + name, "./" + name + "/"} & set(names), name)
        self.assertEqual(self.listed("/sub/")[1], self.listed("/inside-folder/")[1])

    @unittest.skipUnless(os.path.exists("/proc/self/schedstat"), "this kernel does not count")
    def test_a_long_listing_is_made_beside_the_others(self):
        # Who waits for the loop's thread waits for what that thread does: most is to be done on another.
        many = self.root / "many"
        many.mkdir()
        for number in range(20_000):
            os.close(os.open(many / f"{number:05}{'&' * 200}", os.O_CREAT | os.O_WRONLY))
        server = self.start("-q")
        before = server.busy_ns()
        self.assertEqual(server.get("/many/").body.count(b"<tr"), 20_002)
        busy = {thread: ns - before.get(thread, 0) for thread, ns in server.busy_ns().items()}
        shutil.rmtree(many)
        loop = busy.pop(server.process.pid)
        self.assertLess(loop, sum(busy.values()))

    def test_a_file_that_grows_while_it_is_sent(self):
        path = self.root / "growing.bin"
        path.write_bytes(pattern(BIG_BYTES))
        with self.server.connect(receive_buffer=32768) as c:
            c.send(get("/growing.bin") + get("/b.txt"))
            c.more()
            with open(path, "ab") as more:
                more.write(b"x" * 1_000_000)
            self.assertTrue(c.read().body == pattern(BIG_BYTES))
            self.assertEqual(c.read().body, b"beta\n")

    def test_a_file_that_shrinks_while_it_is_sent(self):
        path = self.root / "shrinking.bin"
        path.write_bytes(pattern(BIG_BYTES))
        with self.server.connect(receive_buffer=32768) as c:
            c.send(get("/shrinking.bin") + get("/b.txt"))
            c.more()
            os.truncate(path, 1000)
            while c.more():
                pass
            self.assertLess(len(c.unread), BIG_BYTES)  # cut, and no other answer in its place
        self.check_alive()

    def test_a_file_that_is_replaced_while_it_is_sent(self):
        path = self.root / "replaced.bin"
        path.write_bytes(pattern(BIG_BYTES))
        other = self.root / "other.bin"
        other.write_bytes(bytes(BIG_BYTES))
        with self.server.connect(receive_buffer=32768) as c:
            c.send(get("/replaced.bin"))
            c.more()
            os.replace(other, path)
            self.assertTrue(c.read().body == pattern(BIG_BYTES))
            wait_until(lambda: c.send(get("/replaced.bin")).read().body == bytes(BIG_BYTES))

    def test_a_link_swapped_again_and_again(self):
        link, spare = self.root / "swapped", self.root / "spare"
        link.symlink_to("a.txt")
        done = threading.Event()

        def swap():
            while not done.is_set():
                for target in ("../outside/secret.txt", "a.txt"):
                    spare.symlink_to(target)
                    os.replace(spare, link)

        swapping = threading.Thread(target=swap)
        swapping.start()
        try:
            with self.server.connect() as c:
                for _ in range(500):
                    answer = c.send(get("/swapped")).read()
                    self.assertIn((answer.status, answer.body), ((200, b"alpha\n"), (404, b"404 Not Found\n")))
        finally:
            done.set()
            swapping.join()

    def test_a_directory_that_is_gone(self):
        (self.root / "passing").mkdir()
        self.assertEqual(self.server.get("/passing/").status, 200)
        shutil.rmtree(self.root / "passing")
        self.assertEqual(self.server.get("/passing/").status, 404)

    def client(self, *command):
        """A real client, which must be content; {} is the site. What it writes stands in a new folder."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.base))
        site = "http://%s:%d" % self.server.address
        arguments = [argument.replace("{}", site) for argument in command]
        subprocess.run(arguments, check=True, cwd=folder, stdin=subprocess.DEVNULL, timeout=HANGS_AFTER)
        return folder

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl(self):
        into = self.client(
            *("curl", "-sSf", "-o", "whole", "{}/big.bin", "--next", "-sSf", "-r", "4096-8191", "-o", "part", "{}/big.bin"),
            *("--next", "-sSfL", "-o", "moved", "{}/sub"),
        )
        self.assertTrue((into / "whole").read_bytes() == pattern(BIG_BYTES))
        self.assertTrue((into / "part").read_bytes() == pattern(BIG_BYTES)[4096:8192])
        self.assertTrue((into / "moved").read_bytes().startswith(b"<!doctype html>"))

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_resumes(self):
        into = self.client("sh", "-c", "curl -s {}/big.bin | head -c 1000000 >big.bin; curl -sSf -C - -O {}/big.bin")
        self.assertTrue((into / "big.bin").read_bytes() == pattern(BIG_BYTES))

    @unittest.skipUnless(shutil.which("wget"), "wget is not installed")
    def test_wget_takes_a_folder(self):
        into = self.client("wget", "-q", "-r", "-np", "-nH", "--reject=index.html*", "{}/odd/")
        found = sorted(path.read_bytes() for path in into.rglob("*") if path.is_file())
        self.assertEqual(found, sorted(ODD_NAMES))

    @unittest.skipUnless(shutil.which("wget"), "wget is not installed")
    def test_wget_resumes_and_asks_only_for_what_is_new(self):
        script = "wget -q -O - {}/big.bin | head -c 1000000 >big.bin; wget -q -c {}/big.bin && wget -q -c {}/big.bin && wget -nv -N {}/big.bin 2>said"
        into = self.client("sh", "-c", script)
        self.assertTrue((into / "big.bin").read_bytes() == pattern(BIG_BYTES))
        self.assertEqual((into / "said").read_bytes(), b"")  # 304: nothing was fetched


main()
