# SPDX-License-Identifier: MIT
"""ringlet-fetch: what goes wrong is said with its URL, has the exit status of its kind, and leaves no file."""

import socket
import subprocess

import harness
from harness import LOGIN, NETWORK, OK, PROTOCOL, STATUS, USAGE
from hostile_server import chunked, response


class Errors(harness.FetchCase):
    def refuse(self, raw, status, says=(), *options):
        """The server answers /bad with `raw`: that fails, and a file beside it does not."""
        good, bad = self.serve("/good", response(b"good")), self.serve("/bad", raw)
        result = self.fetch(*options, bad, good)
        self.check(result, status, {"good": b"good"}, [f"ringlet-fetch: {bad}: ", "1 ok, 1 failed"])
        for words in [says] if isinstance(says, str) else says:
            self.assertIn(words, result.err)
        (self.out / "good").unlink()

    # --- status ---

    def test_404_is_an_error_and_not_saved(self):
        self.refuse(response(b"<h1>no</h1>", "404 Not Found"), STATUS, "404 Not Found")

    def test_500_is_an_error_and_not_saved(self):
        self.refuse(response(b"oops" * 100_000, "500 Broken"), STATUS, "500 Broken")

    def test_an_error_without_end_is_not_read(self):
        def endless(client):
            client.send(b"HTTP/1.1 503 Later\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(100):
                client.send(b"10000\r\n" + b"z" * 65536 + b"\r\n")
            client.until_gone()

        self.refuse(endless, STATUS, "503 Later")

    def test_401_and_407_ask_for_a_login(self):
        self.refuse(response(b"", "401 Unauthorized"), LOGIN, "401")
        self.refuse(response(b"", "407 Proxy Authentication Required"), LOGIN, "407")

    def test_206_that_was_not_asked_for(self):
        self.refuse(response(b"part", "206 Partial Content", Content_Range="bytes 0-3/10"), PROTOCOL, "206")

    def test_304_that_was_not_asked_for(self):
        self.refuse(b"HTTP/1.1 304 Not Modified\r\n\r\n", PROTOCOL, "304")

    def test_101_switching_protocols(self):
        self.refuse(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nblah", PROTOCOL)

    # --- names and connections ---

    def test_refused(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # bound, but nobody listens
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/x"
            self.check(self.fetch(url), NETWORK, {}, [url, "Connection refused", "0 ok, 1 failed"])

    def test_name_that_does_not_exist(self):
        result = self.fetch("http://nowhere.invalid/x")
        self.check(result, NETWORK, {}, ["could not resolve host: nowhere.invalid", "host not found"])

    def test_name_servers_that_do_not_answer(self):
        (self.base / "resolv.conf").write_text("nameserver 127.0.0.77\n")
        alone = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(self.base / "resolv.conf")]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            try:
                silent.bind(("127.0.0.77", 53))
                subprocess.run([*alone, "true"], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                self.skipTest(f"only for root: {error}")
            command = [*alone, harness.PROGRAM, "--tries", "1", "--stall-timeout", "0.5", "http://slow.example.org/x"]
            done = subprocess.run(command, cwd=self.out, capture_output=True, text=True, timeout=harness.HANGS_AFTER)
        self.assertEqual(done.returncode, NETWORK, done.stderr)
        self.assertIn("/x: could not resolve host: slow.example.org: no answer for 500ms\n", done.stderr)

    def test_address_that_is_none(self):
        self.check(self.fetch("http://999.1.2.3/x"), NETWORK, {}, "could not resolve host: 999.1.2.3")

    def test_closed_without_an_answer(self):
        self.refuse(lambda client: False, NETWORK, "closed the connection")

    def test_reset_instead_of_an_answer(self):
        self.refuse(lambda client: client.reset(), NETWORK, "Connection reset")

    # --- bodies ---

    def test_truncated(self):
        self.refuse(lambda client: client.send(response(b"x" * 700, length=1000)), NETWORK, "truncated after 700 of 1000 bytes")

    def test_truncated_at_once(self):
        self.refuse(lambda client: client.send(response(length=1000)), NETWORK, "truncated after 0 of 1000 bytes")

    def test_length_beyond_everything(self):
        self.refuse(lambda client: client.send(response(b"tiny", length=2**63)), NETWORK, "truncated after 4 of")

    def test_chunked_and_truncated_in_a_chunk(self):
        self.refuse(chunked([b"12345"], b"10\r\nabc"), NETWORK, "truncated after 8 bytes")

    def test_chunked_and_truncated_between_chunks(self):
        self.refuse(chunked([b"12345"], b""), NETWORK, "truncated after 5 bytes")

    def test_chunked_and_truncated_before_the_last_line(self):
        self.refuse(chunked([b"12345"], b"0\r\n"), NETWORK, "truncated after 5 bytes")

    def test_reset_in_the_body(self):
        def reset(client):
            client.send(response(b"x" * 500, length=1000))
            client.reset()

        self.refuse(reset, NETWORK, "of 1000 bytes")

    def test_bad_chunk_sizes(self):
        for end in (b"xyz\r\n", b"-5\r\nabcde\r\n", b"0x5\r\nabcde\r\n", b"11111111111111111\r\n", b"3\r\nabcdef\r\n0\r\n\r\n"):
            with self.subTest(end=end):
                self.refuse(chunked([b"12345"], end), PROTOCOL, "malformed response")

    # --- heads ---

    def test_bad_heads(self):
        heads = {
            "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
            "no status": b"HTTP/1.1 abc OK\r\n\r\n",
            "other version": b"HTTP/2.0 200 OK\r\n\r\n",
            "no colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
            "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx",
            "folded": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 1\r\n\r\nx",
            "NUL": b"HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 1\r\n\r\nx",
            "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
            "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
            "hexadecimal length": b"HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\nx",
            "length over 64 bits": b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nx",
            "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: zip\r\n\r\nx",
            "head without end": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000,
            "line without end": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1_000_000,
        }
        for name, raw in heads.items():
            with self.subTest(name):
                self.refuse(raw, PROTOCOL, "malformed response")

    # --- redirects ---

    def redirect(self, to, status="302 Found"):
        return response(b"over there", status, Location=to)

    def test_redirect_relative(self):
        self.serve("/new/place", response(b"arrived"))
        for number, to in enumerate(("/new/place", "../new/place", "place", f"//127.0.0.1:{self.server.port}/new/place")):
            path = f"/new/r{number}"
            self.check(self.fetch(self.serve(path, self.redirect(to))), OK, says="1 ok")
            self.assertEqual((self.out / f"r{number}").read_bytes(), b"arrived")

    def test_all_kinds_of_redirects(self):
        self.serve("/there", response(b"arrived"))
        for status in (301, 302, 303, 307, 308):
            self.check(self.fetch(self.serve(f"/{status}", self.redirect("/there", f"{status} Go"))), OK)
            self.assertEqual((self.out / f"{status}").read_bytes(), b"arrived")

    def test_ten_redirects_and_no_more(self):
        for i in range(20):
            self.serve(f"/{i}", self.redirect(f"/{i + 1}"))
        self.serve("/20", response(b"arrived"))
        self.check(self.fetch(self.server.url("/10")), OK, {"10": b"arrived"})
        self.check(self.fetch(self.server.url("/9")), PROTOCOL, {"10": b"arrived"}, "more than 10 redirects")

    def test_redirect_loop(self):
        self.serve("/b", self.redirect("/bad"))
        self.refuse(self.redirect("/b"), PROTOCOL, "more than 10 redirects")

    def test_redirect_without_location(self):
        self.refuse(response(b"", "302 Found"), PROTOCOL, "without a Location")

    def test_redirect_to_where_nobody_goes(self):
        self.refuse(self.redirect("file:///etc/passwd"), PROTOCOL, "redirect to file:///etc/passwd")
        self.refuse(self.redirect("http://[::1/x"), PROTOCOL, "redirect to")

    # --- time limits ---

    def test_silent_server(self):
        self.refuse(lambda client: client.until_gone(), NETWORK, "no response from 127.0.0.1", "--stall-timeout", "0.3")

    def test_head_that_never_ends(self):
        def half_a_head(client):
            client.send(b"HTTP/1.1 200 OK\r\nContent-")
            client.until_gone()

        self.refuse(half_a_head, NETWORK, "no response from 127.0.0.1", "--stall-timeout", "0.3")

    def test_body_that_stalls(self):
        def stall(client):
            client.send(response(b"half", length=8))
            client.until_gone()

        self.refuse(stall, NETWORK, "no progress for 300ms after 4 of 8 bytes", "--stall-timeout", "0.3")

    # --- several at once ---

    def test_lowest_status_wins(self):
        missing = self.server.url("/missing")
        malformed = self.serve("/malformed", b"nonsense\r\n\r\n")
        nowhere = "http://nowhere.invalid/x"
        self.check(self.fetch(missing, malformed), PROTOCOL, {}, "0 ok, 2 failed")
        self.check(self.fetch(malformed, missing, nowhere), NETWORK, {}, "0 ok, 3 failed")
        self.check(self.fetch("-P", "/dev/null/x", missing), harness.FILE, {}, "Not a directory")

    # --- command line ---

    def test_usage(self):
        x = self.serve("/x", response(b"x"))
        for arguments, says in (
            ([], "Give a URL, or a list with -i"),
            (["--jbos", "3", x], "did you mean --jobs?"),
            (["ftp://example.org/x"], "scheme is neither http nor https"),
            (["example.org/x"], "no scheme"),
            (["http://\u00e4.example/x"], "host name is not ASCII: write its xn-- form"),
            (["localhost:4600/x"], "no scheme"),
            ([x, "http://exa mple/"], "ringlet-fetch: http://exa mple/: "),
            ([x, "http://user:secret@example.org/"], "login"),
            (["-j", "0", x], "-j"),
            (["-j", "many", x], "-j"),
            (["-o", "one", x, x], "-o takes one URL only"),
            (["-o", "folder/", x], "-o names a file"),
            (["--stall-timeout", "soon", x], "not a duration"),
            (["--dir=", x, x], "--dir: the value is empty"),
            (["--output=", x], "--output: the value is empty"),
            (["--input-file=", x], "--input-file: the value is empty"),
            (["-i", "", x], "--input-file: the value is empty"),
            (["--cacert", "", x], "--cacert: the value is empty"),
            (["--checksum", "", x], "--checksum: the value is empty"),
            (["--checksum-file", "", x], "--checksum-file: the value is empty"),
            (["-j1", "--jobs=2", x], "--jobs is given twice"),
            (["--insecure=maybe", x], "--insecure takes no value"),
            ([f"[{x},{x}]"], f"[{x},{x}]: "),
            ([x, "-P"], "--dir: the value is missing"),
        ):
            with self.subTest(arguments=arguments):
                result = self.fetch(*arguments)
                self.check(result, USAGE, {}, [says, "Try 'ringlet-fetch --help' for more information."])
                self.assertNotIn("secret", result.err)
        self.assertEqual(self.server.requests, [])

    def test_help_and_version(self):
        result = self.fetch("--help", "--nonsense")
        self.check(result, OK, {})
        self.assertIn(b"Exit status", result.out)
        for status in (0, 1, 2, 3, 4, 5, 6, 7, 8, 130, 141, 143):
            self.assertRegex(result.out.decode(), rf"\b{status}  ")
        self.assertEqual(result.err, "")
        self.assertRegex(self.fetch("-V").out.decode(), r"^ringlet-fetch \d+\.\d+\.\d+\n$")


harness.main()
