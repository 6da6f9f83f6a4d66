# SPDX-License-Identifier: MIT
"""ringlet-fetch: lists, checksums, names from the server, limits and fields: what the options promise."""

import hashlib
import os
import pathlib
import resource
import subprocess
import unittest

import harness
from harness import FILE, OK, USAGE
from hostile_server import Server, Thing, chunked, response

OTHER, CHECKSUM = 1, 10
BODY = bytes(range(256)) * 500
LARGE = bytes(range(256)) * 2500


def digest_of(body, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


class Lists(harness.FetchCase):
    def listed(self, text, *options, status=OK, files=None, says=(), **how):
        path = self.base / "list.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = self.fetch("-i", path, *options, **how)
        self.check(result, status, files, says)
        return result

    def test_urls_comments_names_and_checksums(self):
        a, b, c = (self.serve(f"/{name}", response(name.encode())) for name in "abc")
        text = f"""# what we want
{a}

   {b}\tanother name.txt\t
\t# {self.server.url("/d")}
  {digest_of(b"c").upper().replace("SHA256", "sha256")}   {c}
{digest_of(b"c", "md5")} {c} ../c two
{a}#part
"""
        files = {"a": b"a", "another name.txt": b"b", "c": b"c", "_c two": b"c", "a.1": b"a"}
        self.listed(text, files=files, says="5 ok, 0 failed")
        self.assertNotIn("/d", self.server.requests)

    def test_crlf_and_no_last_newline(self):
        a, b = (self.serve(f"/{name}", response(name.encode())) for name in "ab")
        self.listed(f"{a}\r\n\r\n# x\r\n{b} name\r\n{a}", files={"a": b"a", "name": b"b", "a.1": b"a"})

    def test_standard_input(self):
        url = self.serve("/a", response(b"a"))
        with open(self.base / "list", "w+") as text:
            text.write(url)
            text.seek(0)
            self.check(self.fetch("-i", "-", stdin=text), OK, {"a": b"a"})

    def test_urls_of_the_command_line_come_first(self):
        x, y = self.serve("/1/x", response(b"1")), self.serve("/2/x", response(b"2"))
        self.listed(x, y, files={"x": b"2", "x.1": b"1"})

    def test_names_of_a_list_are_made_safe(self):
        url = self.serve("/a", response(b"a"))
        names = {"/etc/passwd": "_etc_passwd", "..": "a", ".ssh": "ssh", "x.part": "x.part_", "x.part.state": "x.part.state_", "a\x1bb": "a_b"}
        self.listed("\n".join(f"{url} {name}" for name in names))
        self.assertEqual(sorted(self.files()), sorted(names.values()))

    def test_lines_that_are_wrong(self):
        good = self.serve("/a", response(b"a"))
        for line, says in (
            ("nonsense", "neither a URL nor a checksum"),
            ("ftp://x/y", "ftp://x/y: "),
            ("http://", "http://: "),
            (f"sha256:abc {good}", "sha256:abc: neither"),
            (f"sha257:{'0' * 64} {good}", "neither a URL"),
            (f"{'0' * 64} {good}", "neither a URL"),
            (digest_of(b""), "a checksum without a URL"),
            ("http://me:secret@127.0.0.1/x", "a login in the URL is not supported"),
            ("evil\x1b[2J\x07 x", "neither a URL"),
        ):
            with self.subTest(line=line):
                result = self.listed(f"# first\n{good}\n{line}\n{good}\n", status=USAGE, files={}, says=["list.txt, line 3: ", says])
                self.assertNotIn("secret", result.err)
                self.assertNotIn("\x07", result.err)
        self.assertEqual(self.server.requests, [])

    def test_no_list(self):
        self.listed("# nothing\n\n", status=USAGE, says="the list is empty")
        self.check(self.fetch("-i", "nowhere"), USAGE, {}, "cannot read nowhere: No such file")
        self.check(self.fetch("-i", "/"), USAGE, {}, "cannot read /: Is a directory")
        self.check(self.fetch("-i", "-"), USAGE, {}, "the list is empty")
        self.listed("\0\0\n", status=USAGE)

    def test_ten_thousand_lines(self):
        url = self.serve("/a", response(b"a"))
        result = self.listed("".join(f"{url}?{i} {i}\n" for i in range(9_999)) + "nonsense", status=USAGE, says="line 10000: nonsense")
        self.assertEqual(self.server.requests, [])
        self.server.routes = {f"/a?{i}": response(b"%d" % i) for i in range(10_000)}
        result = self.listed("".join(f"{url}?{i} same\n" for i in range(10_000)), says="10000 ok, 0 failed")
        for i in (0, 1, 4_999, 9_999):
            self.assertEqual((self.out / (f"same.{i}" if i else "same")).read_bytes(), b"%d" % i)
        self.assertEqual(len(os.listdir(self.out)), 10_000)
        self.assertLessEqual(self.server.connections, 8)
        self.assertEqual(result.err.count("ringlet-fetch: "), 1 + result.err.count(" files "))

    def test_only_what_is_wrong_fails(self):
        a, b = self.serve("/a", response(b"a")), self.serve("/b", response(b"b"))
        said = self.listed(f"{digest_of(b'x')} {a}\n{digest_of(b'b')} {b}\n", status=CHECKSUM, files={"b": b"b"}, says="1 ok, 1 failed")
        self.assertIn(f"{a}: checksum: {digest_of(b'x')} was announced, {digest_of(b'a')} came", said.err)


class Checksums(harness.FetchCase):
    def test_all_algorithms(self):
        url = self.serve("/x", response(BODY))
        for algorithm in ("sha256", "sha512", "sha1", "md5"):
            right, wrong = digest_of(BODY, algorithm), digest_of(b"", algorithm)
            self.check(self.fetch("--checksum", right, url), OK, {"x": BODY})
            (self.out / "x").unlink()
            self.check(self.fetch("--checksum", right.split(":")[0] + ":" + right.split(":")[1].upper(), url), OK, {"x": BODY})
            (self.out / "x").unlink()
            self.check(self.fetch("--checksum", wrong, url), CHECKSUM, {}, [right, wrong])

    def test_weak_ones_are_told_of(self):
        url = self.serve("/x", response(BODY))
        for algorithm, weak in (("sha256", False), ("sha512", False), ("sha1", True), ("md5", True)):
            result = self.fetch("-o", "x", "--overwrite", "--checksum", digest_of(BODY, algorithm), url)
            self.check(result, OK, {"x": BODY})
            self.assertEqual("MD5 and SHA-1 find damage" in result.err, weak)

    def sums(self, *lines):
        file = self.base / "SHA256SUMS"
        file.write_text("".join(line + "\n" for line in lines))
        return "--checksum-file", file

    def test_a_file_of_checksums(self):
        urls = [self.serve("/x", response(BODY)), self.serve("/y%20z", response(b"y"))]
        x, y = digest_of(BODY).split(":")[1], digest_of(b"y", "sha512").split(":")[1]
        sums = self.sums("# of everything", f"{x.upper()}  ./x", f"{y} *y z", f"{x}  another", "")
        self.check(self.fetch(*sums, *urls), OK, {"x": BODY, "y z": b"y"})
        self.check(self.fetch(*sums, *urls), OK, says="0 ok, 0 failed, 2 skipped")
        self.check(self.fetch(*self.sums(f"{x}  y z"), "-P", "new", urls[1]), CHECKSUM, says=f"sha256:{x} was announced")
        self.assertEqual(os.listdir(self.out / "new"), [])

    def test_a_file_of_checksums_that_is_wrong(self):
        url = self.serve("/x", response(BODY))
        x = digest_of(BODY).split(":")[1]
        for lines, says in (([f"{x}  y"], "it has no checksum of x"), (["nonsense"], "line 1: "), ([f"{x}  y", f"{x[1:]}  x"], "line 2: "),
                            ([f"{x} x"], "line 1: "), ([f"{x}  "], "line 1: ")):
            self.check(self.fetch(*self.sums(*lines), url), harness.USAGE, {}, ["SHA256SUMS", says])
        self.check(self.fetch("--checksum-file", "nowhere", url), harness.USAGE, {}, "cannot read nowhere: No such file")
        self.assertEqual(self.server.requests, [])

    def test_a_wrong_one_is_not_tried_again_and_leaves_nothing(self):
        for thing in (response(BODY), Thing(BODY), chunked([BODY]), response(b"")):
            self.server.requests.clear()
            self.check(self.fetch("--tries", 3, "--checksum", digest_of(b"x"), self.serve("/x", thing)), CHECKSUM, {})
            self.assertEqual(self.server.requests, ["/x"])

    def test_a_file_that_exists_stays_when_the_new_one_is_wrong(self):
        (self.out / "x").write_bytes(b"precious")
        url = self.serve("/x", response(BODY))
        for options in ((), ("-o", "x"), ("--overwrite",)):
            self.check(self.fetch(*options, "--checksum", digest_of(b"y"), url), CHECKSUM, {"x": b"precious"})

    def test_a_file_with_the_right_one_is_not_fetched(self):
        url = self.serve("/x", response(BODY))
        (self.out / "x").write_bytes(b"another")
        (self.out / "x.1").write_bytes(BODY)
        files = {"x": b"another", "x.1": BODY}
        self.check(self.fetch("--checksum", digest_of(BODY), url), OK, files, "x.1: skipped: it has this checksum already")
        self.assertEqual(self.server.requests, [])
        self.check(self.fetch("--checksum", digest_of(BODY), "-o", "x", url), OK, {"x": BODY, "x.1": BODY})
        self.check(self.fetch("--checksum", digest_of(BODY), "-o", "x", url), OK, says="x: skipped: it has this checksum already")
        self.assertEqual(self.server.requests, ["/x"])

    def test_a_wrong_one_for_a_version_that_is_there(self):
        thing = Thing(BODY)
        url = self.serve("/x", thing)
        self.check(self.fetch(url), OK, {"x": BODY})
        self.check(self.fetch("--checksum", digest_of(b"y"), url), CHECKSUM, {"x": BODY}, "was announced")

    def test_no_special_file_is_read(self):
        os.mkfifo(self.out / "x")
        (self.out / "x.1").mkdir()
        (self.out / "x.2").symlink_to("/dev/zero")
        url = self.serve("/x", response(BODY))
        self.check(self.fetch("--checksum", digest_of(BODY), url), OK, {"x": None, "x.1": None, "x.2": None, "x.3": BODY})

    def test_of_standard_output(self):
        url = self.serve("/x", response(BODY))
        result = self.fetch("-o", "-", "--checksum", digest_of(BODY), url)
        self.check(result, OK, {})
        self.assertEqual(result.out, BODY)
        result = self.fetch("-o", "-", "--checksum", digest_of(b"x"), url)
        self.check(result, CHECKSUM, {}, [digest_of(b"x"), digest_of(BODY)])

    def test_limit_rate_of_each(self):
        thing = Thing(os.urandom(300_000))
        urls = [self.serve("/x", thing), self.serve("/y", response(BODY))]
        self.check(self.fetch("--limit-rate-per", "100M", *urls), OK, {"x": thing.body, "y": BODY})
        result = self.fetch("--limit-rate-per", "1k", "--max-time", "0.5", "-o", "z", urls[0])
        self.check(result, harness.NETWORK, says="not done within 500ms")
        self.assertLess((self.out / "z.part").stat().st_size, 10_000)

    def test_usage(self):
        url = self.serve("/x", response(BODY))
        for text in ("sha256", "sha256:", "sha256:zz", "sha256:" + "0" * 63, "sha256:" + "0" * 65, "sha3:" + "0" * 64, "0" * 64, " "):
            self.check(self.fetch("--checksum", text, url), USAGE, {}, "--checksum: ")
        self.check(self.fetch("--checksum", digest_of(BODY), url, url), USAGE, {}, "--checksum is for one URL")
        self.assertEqual(self.server.requests, [])


class Limits(harness.FetchCase):
    def test_max_size_with_a_length(self):
        url = self.serve("/x", lambda client: client.send(response(length=1025)))
        self.check(self.fetch("--max-size", "1k", url), OTHER, {}, f"{url}: larger than 1.0KiB, see --max-size")
        self.check(self.fetch("--max-size", "1k", self.serve("/y", response(b"y" * 1024))), OK, {"y": b"y" * 1024})

    def test_max_size_without_a_length(self):
        url = self.serve("/x", chunked([b"x" * 1000] * 500))
        self.check(self.fetch("--max-size", "100k", url), OTHER, {}, "larger than 100.0KiB")
        self.check(self.fetch("--max-size", "500000", url), OK, {"x": b"x" * 500_000})

    def test_what_is_too_large_is_kept_for_a_larger_limit(self):
        body = b"x" * 500_000
        head, rest = chunked([body[i : i + 10_000] for i in range(0, len(body), 10_000)]).split(b"\r\n", 1)
        url = self.serve("/x", head + b'\r\nETag: "1"\r\n' + rest)
        for _ in range(2):
            result = self.fetch("--max-size", "300k", url)
            self.check(result, OTHER, says=["larger than 300.0KiB", "1 unfinished file is kept; resume with a larger --max-size"])
            self.assertNotIn("the same command", result.err)
        self.check(self.fetch("--max-size", "500k", url), OK, {"x": body})

    def test_max_size_of_parts(self):
        thing = Thing(b"x" * 3_000_000)
        url = self.serve("/x", thing)
        self.check(self.fetch("-s", 4, "--max-size", "2M", url), OTHER, {}, "larger than 2.0MiB")
        thing.plan = [1_000_000]
        self.check(self.fetch(url), harness.NETWORK)
        thing.asked.clear()
        self.check(self.fetch("--max-size", "2M", url), OTHER, says="larger than 2.0MiB")
        self.assertLessEqual(len(thing.asked), 1)

    def test_limit_rate(self):
        thing = Thing(os.urandom(300_000))
        urls = [self.serve("/x", thing), self.serve("/y", response(BODY))]
        self.check(self.fetch("--limit-rate", "100M", *urls), OK, {"x": thing.body, "y": BODY})
        # So slow that it ends by its limit of time, however fast the machine is.
        result = self.fetch("--limit-rate", "1k", "--max-time", "0.5", "-o", "z", urls[0])
        self.check(result, harness.NETWORK, says="not done within 500ms")
        self.assertLess((self.out / "z.part").stat().st_size, 10_000)

    def test_usage(self):
        url = self.serve("/x", response(BODY))
        for option, text in (("--limit-rate", "0"), ("--limit-rate", "fast"), ("--max-size", "-1"), ("--max-time", "0"),
                             ("--stall-timeout", "0"), ("--retry-wait", "-1s"), ("-s", "0"), ("-s", "65"), ("--tries", "0"),
                             ("--per-host", "0"), ("-j", "x")):
            self.check(self.fetch(option, text, url) if option != "--tries" else self.fetch(option, text, url), USAGE, {}, option)
        self.assertEqual(self.server.requests, [])


class Fields(harness.FetchCase):
    def head_of(self, *options, path="/x"):
        self.server.heads.clear()
        self.check(self.fetch("--overwrite", *options, self.serve(path, response(b"x"))), OK)
        return self.server.heads[-1].decode("utf-8", "surrogateescape").split("\r\n")

    def test_they_are_sent(self):
        head = self.head_of("--header", "X-A: 1", "--header", "X-A:2", "--header", "X-Empty:", "--header", "Cookie: a=b; c=d")
        for line in ("X-A: 1", "X-A: 2", "X-Empty: ", "Cookie: a=b; c=d"):
            self.assertIn(line, head)

    def test_they_replace_our_own(self):
        head = self.head_of("--header", "user-agent: me", "--header", "ACCEPT: text/html")
        self.assertEqual([line for line in head if line.lower().startswith(("user-agent", "accept:"))], ["user-agent: me", "ACCEPT: text/html"])

    def test_those_that_are_the_programs_own(self):
        url = self.serve("/x", response(b"x"))
        for name in ("Host", "range", "If-Range", "Accept-Encoding", "EXPECT", "Content-Length", "Connection", "Transfer-Encoding"):
            self.check(self.fetch("--header", f"{name}: x", url), USAGE, {}, f"--header: {name} is for the program to say")

    def test_those_that_are_none(self):
        url = self.serve("/x", response(b"x"))
        for text in ("nonsense", ": x", "A B: x", "A : x", "A: x\r\nB: y", "A: x\ny", "A: \x7f", "", "Ä: x", "A: x\x1b"):
            result = self.fetch("--header", text, url)
            self.check(result, USAGE, {}, "--header")
        self.assertEqual(self.server.requests, [])

    def secrets_at(self, *urls):
        """Redirects from each to the next; which secrets came to the last."""
        names = ("Authorization", "Cookie", "Proxy-Authorization", "X-Other")
        options = [word for name in names for word in ("--header", f"{name}: secret")]
        self.check(self.fetch("--overwrite", *options, urls[0]), OK)
        return [name for name in names if f"{name}: secret".encode() in self.last.heads[-1]]

    def test_secrets_stay_with_their_server(self):
        other = Server()
        self.addCleanup(other.close)
        here = self.serve("/here", response(b"x"))
        other.routes["/there"] = response(b"x")
        go = lambda to: response(b"", "302 Found", Location=to)
        all_of_them = ["Authorization", "Cookie", "Proxy-Authorization", "X-Other"]
        self.last = self.server
        self.assertEqual(self.secrets_at(here), all_of_them)
        self.assertEqual(self.secrets_at(self.serve("/a", go("/here"))), all_of_them)
        other.routes["/back"] = go(here)
        self.assertEqual(self.secrets_at(self.serve("/b", go(other.url("/back")))), all_of_them)
        self.assertNotIn(b"secret", other.heads[-1].replace(b"X-Other: secret", b""))
        self.last = other
        self.assertEqual(self.secrets_at(self.serve("/c", go(other.url("/there")))), ["X-Other"])
        other.routes["/further"] = go("/there")
        self.assertEqual(self.secrets_at(self.serve("/d", go(other.url("/further")))), ["X-Other"])
        localhost = other.url("/there").replace("127.0.0.1", "localhost")
        self.assertEqual(self.secrets_at(self.serve("/e", go(localhost))), ["X-Other"])

    def test_secrets_with_segments(self):
        thing = Thing(os.urandom(3 << 20))
        other = Server()
        self.addCleanup(other.close)
        other.routes["/x"] = thing
        url = self.serve("/x", response(b"", "302 Found", Location=other.url("/x")))
        self.check(self.fetch("-s", 4, "--header", "Authorization: secret", url), OK, {"x": thing.body})
        self.assertEqual(len(thing.asked), 3)
        self.assertNotIn(b"secret", b"".join(other.heads))

    def test_they_are_not_printed(self):
        result = self.fetch("-v", "--header", "Authorization: sesame", self.serve("/x", response(b"", "403 No")))
        self.assertNotIn("sesame", result.err)


class Names(harness.FetchCase):
    def disposed(self, text, name, *options):
        url = self.serve("/x", response(BODY, Content_Disposition=text))
        self.check(self.fetch("-J", *options, url), OK, {name: BODY})
        (self.out / name).unlink()

    def test_the_server_gives_the_name(self):
        self.disposed('attachment; filename="a b.txt"', "a b.txt")
        self.disposed("attachment; filename=a.txt", "a.txt")
        self.disposed("attachment; filename=a.txt; filename*=UTF-8''%e2%82%ac.txt", "€.txt")
        self.disposed('attachment; filename="../../.bashrc"', "bashrc")
        self.disposed("attachment; filename*=UTF-8''..%2f..%2fetc%2fpasswd", "passwd")
        self.disposed("attachment; filename*=UTF-8''x%1b%5b2J%0a", "x_[2J_")
        for text in ("attachment", "inline; filename=", 'attachment; filename=""', 'attachment; filename=".."', "attachment; filename=/", ""):
            self.disposed(text, "x")

    def test_not_without_the_option_and_not_with_a_name(self):
        url = self.serve("/x", response(BODY, Content_Disposition="attachment; filename=y"))
        self.check(self.fetch(url), OK, {"x": BODY})
        self.check(self.fetch("-J", "-o", "z", url), OK, {"x": BODY, "z": BODY})

    def test_a_file_of_that_name_is_not_touched(self):
        (self.out / "y").write_bytes(b"precious")
        url = self.serve("/x", response(BODY, Content_Disposition="attachment; filename=y"))
        self.check(self.fetch("-J", url), OK, {"y": b"precious", "y.1": BODY})
        self.check(self.fetch("-J", "--no-clobber", url), OK, {"y": b"precious", "y.1": BODY}, "y: skipped: there is a file of this name")
        self.check(self.fetch("-J", "--overwrite", url), OK, {"y": BODY, "y.1": BODY})

    def test_a_file_of_that_name_with_the_checksum_is_not_fetched(self):
        (self.out / "y").write_bytes(b"another")
        url = self.serve("/x", response(BODY, Content_Disposition="attachment; filename=y"))
        checked = ("-J", "--checksum", digest_of(BODY))
        files = {"y": b"another", "y.1": BODY}
        self.check(self.fetch(*checked, url), OK, files)
        for options in ((), ("-s", 2)):
            self.check(self.fetch(*checked, *options, url), OK, files, "y.1: skipped: it has this checksum already")
        self.check(self.fetch("--overwrite", *checked, url), OK, {"y": BODY, "y.1": BODY})

    def test_going_on_under_that_name(self):
        thing = Thing(BODY, Content_Disposition="attachment; filename=y")
        thing.plan = [1000]
        url = self.serve("/x", thing)
        self.check(self.fetch("-J", url), harness.NETWORK)
        self.assertEqual(sorted(self.files()), ["x.part", "x.part.state"])
        self.check(self.fetch("-J", url), OK, {"y": BODY})
        self.assertEqual(thing.ranges(), [None, "bytes=1000-"])
        self.check(self.fetch("-J", url), OK, {"y": BODY}, "y: skipped: this version is there already")

    def test_two_with_one_name(self):
        urls = [self.serve(f"/{i}", response(BODY + b"%d" % i, Content_Disposition="attachment; filename=y")) for i in range(3)]
        self.check(self.fetch("-J", "-j", 1, *urls), OK, {"y": BODY + b"0", "y.1": BODY + b"1", "y.2": BODY + b"2"})

    def test_a_name_that_another_will_have(self):
        urls = [self.serve("/x", response(BODY, Content_Disposition="attachment; filename=y")), self.serve("/y", response(b"y"))]
        self.check(self.fetch("-J", "-j", 1, *urls), OK)
        self.assertEqual(sorted(map(len, self.files().values())), [1, len(BODY)])

    def test_overwrite_replaces_files_only(self):
        url = self.serve("/x", response(BODY))
        for make in (os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/null", path)):
            make(self.out / "x")
            self.check(self.fetch("--overwrite", url), FILE, {"x": None}, "cannot write x: not a regular file")
            (self.out / "x").rmdir() if (self.out / "x").is_dir() else (self.out / "x").unlink()
        self.assertEqual(self.server.requests, [])

    def test_overwrite(self):
        (self.out / "x").write_bytes(b"old")
        broken = self.serve("/x", lambda client: client.send(response(b"ne", length=3)))
        self.check(self.fetch("--overwrite", broken), harness.NETWORK, {"x": b"old"})
        self.check(self.fetch("--overwrite", self.serve("/x", response(BODY))), OK, {"x": BODY})
        (self.out / "x").unlink()
        victim = self.base / "victim"
        victim.write_bytes(b"victim")
        (self.out / "x").symlink_to(victim)
        self.fetch("--overwrite", self.server.url("/x"))
        self.assertEqual(victim.read_bytes(), b"victim")
        two = [self.serve("/1/y", response(b"1")), self.serve("/2/y", response(b"2"))]
        (self.out / "y").write_bytes(b"old")
        self.check(self.fetch("--overwrite", *two), OK)
        self.assertEqual((self.files()["y"], self.files()["y.1"]), (b"1", b"2"))

    def test_overwrite_gives_the_same_names_each_time(self):
        urls = [self.serve(f"/{i}/x", response(b"%d" % i)) for i in range(3)]
        for _ in range(3):
            for name in self.files():
                (self.out / name).write_bytes(b"old")
            self.check(self.fetch("--overwrite", *urls), OK, {"x": b"0", "x.1": b"1", "x.2": b"2"})
        (self.out / "x.1").unlink()
        (self.out / "x.1").mkdir()
        files = {"x": b"0", "x.1": None, "x.2": b"2"}
        self.check(self.fetch("--overwrite", *urls), FILE, files, "cannot write x.1: not a regular file")

    def test_overwrite_leaves_the_part_of_another_url_alone(self):
        cut = Thing(BODY)
        cut.plan = [1000]
        other = self.serve("/other/x", cut)
        self.check(self.fetch(other), harness.NETWORK)
        left = self.files()
        url = self.serve("/x", response(b"new"))
        for _ in range(2):
            self.check(self.fetch("--overwrite", url), OK, {**left, "x.1": b"new"})
            (self.out / "x.1").write_bytes(b"old")
        self.check(self.fetch("--overwrite", other), OK, {"x": BODY, "x.1": b"old"})

    def test_no_clobber(self):
        (self.out / "x").write_bytes(b"old")
        urls = [self.serve("/x", response(BODY)), self.serve("/y", response(BODY))]
        self.check(self.fetch("--no-clobber", *urls), OK, {"x": b"old", "y": BODY}, ["x: skipped: there is a file of this name", "1 ok, 0 failed, 1 skipped"])
        self.assertEqual(self.server.requests, ["/y"])
        self.check(self.fetch("--no-clobber", "--overwrite", *urls), USAGE)

    def test_fsync(self):
        urls = [self.serve("/x", response(BODY)), self.serve("/y", Thing(os.urandom(2 << 20)))]
        self.check(self.fetch("--fsync", "-s", 2, *urls), OK, {"x": BODY, "y": self.server.routes["/y"].body})


class Attacks(harness.FetchCase):
    """Somebody else works in the same directory, or there is no room."""

    def during(self, what, status, files=None, says=(), where="."):
        """Something happens when half of x is on the disk."""
        part = self.out / where / "x.part"

        def half(client):
            client.send(response(LARGE[:300_000], length=len(LARGE), ETag='"1"'))
            harness.wait_until(lambda: part.exists() and part.stat().st_size > 0)
            what()
            client.send(LARGE[300_000:])
            return True

        self.check(self.fetch("-P", where, self.serve("/x", half)), status, files, says)

    def test_the_part_is_taken_away(self):
        self.during((self.out / "x.part").unlink, FILE, says="x.part: somebody has taken it away")
        self.assertNotIn("x", self.files())

    def test_the_part_is_another_ones(self):
        def swap():
            (self.out / "x.part").unlink()
            (self.out / "x.part").write_bytes(b"half of something else")

        self.during(swap, FILE, says="x.part: somebody has taken it away")
        self.assertEqual(self.files().get("x.part"), b"half of something else")
        self.assertNotIn("x", self.files())

    def test_the_part_becomes_a_link(self):
        victim = self.base / "victim"
        victim.write_bytes(b"victim")

        def swap():
            (self.out / "x.part").unlink()
            (self.out / "x.part").symlink_to(victim)

        self.during(swap, FILE)
        self.assertEqual(victim.read_bytes(), b"victim")
        self.assertNotIn("x", self.files())

    def test_the_name_becomes_a_link(self):
        victim = self.base / "victim"
        victim.write_bytes(b"victim")
        self.during(lambda: (self.out / "x").symlink_to(victim), OK, {"x": None, "x.1": LARGE})
        self.assertEqual(victim.read_bytes(), b"victim")

    def test_the_name_becomes_a_directory(self):
        self.during((self.out / "x").mkdir, OK, {"x": None, "x.1": LARGE})

    def test_the_directory_is_renamed(self):
        # It is the same directory.
        away = self.base / "away"
        self.during(lambda: self.out.rename(away) and self.out.mkdir(), OK, {})
        self.assertEqual((away / "x").read_bytes(), LARGE)

    def test_the_directory_is_emptied_and_removed(self):
        below = self.out / "below"

        def remove():
            for path in below.iterdir():
                path.unlink()
            below.rmdir()

        self.during(remove, FILE, {}, "below/x", "below")

    def test_two_runs_of_one_url(self):
        thing = Thing(BODY)
        thing.plan = [1000]
        url = self.serve("/x", thing)
        self.check(self.fetch(url), harness.NETWORK)
        runs = [self.start(url) for _ in range(6)]
        for run in runs:
            self.assertEqual(self.ended(run).status, OK)
        for name, content in self.files().items():
            self.assertTrue(content == BODY, name)

    def test_a_file_size_limit_keeps_what_is_there(self):
        thing = Thing(os.urandom(500_000))
        url = self.serve("/x", thing)
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        self.check(self.fetch(url, preexec_fn=limit), FILE, says="x.part: File too large")
        self.assertEqual(sorted(self.files()), ["x.part", "x.part.state"])
        there = (self.out / "x.part").stat().st_size
        self.check(self.fetch(url), OK, {"x": thing.body})
        self.assertEqual(thing.ranges(), [None, f"bytes={there}-"])

    def test_a_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("only root can mount a small disk")
        disk = self.base / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True).returncode != 0:
            self.skipTest("a tmpfs cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], capture_output=True)
        thing = Thing(os.urandom(5 << 20))
        big, small = self.serve("/big", thing), self.serve("/small", response(b"small"))
        for options in ((), ("-s", 4)):
            # Room for it is asked for before the first byte.
            result = self.fetch("-P", disk, "--overwrite", *options, big, small)
            self.check(result, FILE, says=["big.part: No space left on device", "1 ok, 1 failed"])
            self.assertEqual(os.listdir(disk), ["small"])
        head = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n'
        thing.plan = [head + b"%x\r\n" % len(thing.body) + thing.body]
        self.check(self.fetch("-P", disk, big), FILE, says="big.part: No space left on device")
        self.assertEqual(sorted(os.listdir(disk)), ["big.part", "big.part.state", "small"])
        there = (disk / "big.part").stat().st_size
        self.assertEqual((disk / "big.part").read_bytes(), thing.body[:there])
        subprocess.run(["mount", "-o", "remount,size=10m", disk], check=True)
        thing.asked.clear()
        self.check(self.fetch("-P", disk, big), OK)
        self.assertEqual(thing.asked, [(f"bytes={there}-", '"1"')])
        self.assertEqual((disk / "big").read_bytes(), thing.body)

    @unittest.skipIf(b"__ubsan" in pathlib.Path(harness.PROGRAM).read_bytes(), "UBSan itself needs descriptors to check a type")
    def test_no_descriptor_for_the_state(self):
        thing = Thing(os.urandom(300_000))
        url = self.serve("/x", thing)
        for limit in range(8, 24):
            result = self.fetch(url, preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
            self.assertIn(result.status, (1, FILE, OK), result.err)
            for name, content in self.files().items():
                self.assertTrue(name == "x" and content == thing.body or name.startswith("x.part"), name)
            if result.status == OK:
                break
        self.assertEqual(result.status, OK)
        self.assertEqual(self.files(), {"x": thing.body})


harness.main()
