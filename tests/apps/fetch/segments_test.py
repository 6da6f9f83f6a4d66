# SPDX-License-Identifier: MIT
"""ringlet-fetch -s: one file in several parts at a time, of one version or not at all.

usage: segments_test.py PROGRAM CERTIFICATES [unittest's arguments]
"""

import functools
import hashlib
import http.server
import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading

CERTIFICATES = os.path.abspath(sys.argv.pop(2))

import harness
from harness import NETWORK, OK, PROTOCOL, STATUS
from hostile_server import Thing, response

MIB = 1024 * 1024
BODY = random.Random(1).randbytes(5 * MIB)
OTHER = random.Random(2).randbytes(5 * MIB)
PARTS = [f"bytes={i * MIB}-{(i + 1) * MIB - 1}" for i in range(5)]


class SegmentsCase(harness.FetchCase):
    def setUp(self):
        super().setUp()
        self.thing = Thing(BODY)
        self.url = self.serve("/x", self.thing)

    def segmented(self, *options, status=OK, body=BODY, says=()):
        segments = () if "-s" in options else ("-s", 4)
        result = self.fetch(*segments, "--retry-wait", 0, *options, self.url)
        self.check(result, status, {"x": body} if status == OK else None, says)
        return result


class Ranges(SegmentsCase):
    def test_which_are_asked_for(self):
        self.segmented()
        self.assertEqual(self.thing.asked[0], (PARTS[0], None))
        self.assertEqual(sorted(self.thing.asked[1:]), [(part, '"1"') for part in PARTS[1:]])

    def test_other_sizes(self):
        for size, segments, expected in (
            (2 * MIB - 1, 4, [(0, MIB), (MIB, 2 * MIB - 1)]),
            (MIB + 1, 4, [(0, MIB), (MIB, MIB + 1)]),
            (5 * MIB, 2, [(0, MIB), (MIB, 3 * MIB), (3 * MIB, 5 * MIB)]),
            (4 * MIB + 5, 3, [(0, MIB), (MIB, 2 * MIB + 1), (2 * MIB + 1, 3 * MIB + 2), (3 * MIB + 2, 4 * MIB + 5)]),
            (3 * MIB, 64, [(0, MIB), (MIB, 2 * MIB), (2 * MIB, 3 * MIB)]),
        ):
            with self.subTest(size=size, segments=segments):
                self.thing.body, self.thing.asked = BODY[:size], []
                self.segmented("-s", segments, "--overwrite", body=BODY[:size])
                self.assertEqual(sorted(self.thing.ranges()), sorted(f"bytes={a}-{b - 1}" for a, b in expected))

    def test_a_small_file_is_not_divided(self):
        for size in (1, 1000, MIB - 1, MIB):
            self.thing.body, self.thing.asked = BODY[:size], []
            self.segmented("--overwrite", body=BODY[:size])
            self.assertEqual(self.thing.asked, [(PARTS[0], None)])

    def test_an_empty_file(self):
        self.thing.body = b""
        self.segmented(body=b"")
        self.assertEqual(self.thing.asked, [(PARTS[0], None), (None, None)])

    def test_one_segment_is_no_range(self):
        self.segmented("-s", 1)
        self.assertEqual(self.thing.asked, [(None, None)])

    def test_standard_output_is_not_divided(self):
        result = self.fetch("-s", 4, "-o", "-", self.url)
        self.check(result, OK, {})
        self.assertTrue(result.out == BODY)
        self.assertEqual(self.thing.asked, [(None, None)])

    def at_once(self, expected, *options):
        """The most requests that the server ever had at a time; nobody is answered before so many have come."""
        state = threading.Condition()
        running, most = 0, 0

        def gate(client):
            nonlocal running, most
            first, _, last = client.field("Range").removeprefix("bytes=").partition("-")
            first, end = int(first), int(last) + 1
            head = response(b"", "206 Part", end - first, ETag='"1"', Content_Range=f"bytes {first}-{end - 1}/{len(BODY)}")
            client.send(head)
            with state:
                running += 1
                most = max(most, running)
                state.notify_all()
                state.wait_for(lambda: most >= expected, timeout=harness.HANGS_AFTER)
                running -= 1
            client.send(BODY[first:end])
            return True

        url = self.serve("/gate", gate)
        segments = () if "-s" in options else ("-s", 4)
        self.check(self.fetch(*segments, *options, url), OK, {"gate": BODY})
        self.assertEqual(most, expected)
        (self.out / "gate").unlink()

    def test_as_many_at_once_as_segments(self):
        self.at_once(4)
        self.at_once(2, "-s", 2)
        self.at_once(4, "-j", 1)

    def test_at_most_so_many_per_host(self):
        self.at_once(2, "--per-host", 2)
        self.at_once(1, "--per-host", 1)
        self.at_once(3, "-j", 1, "--per-host", 3)

    def test_connections_are_used_again(self):
        self.segmented()
        self.assertLessEqual(self.server.connections, 4)

    def test_after_a_redirect(self):
        self.url = self.serve("/r", response(b"", "302 Found", Location="/x"))
        self.check(self.fetch("-s", 4, self.url), OK, {"r": BODY})
        self.assertEqual(sorted(self.thing.ranges()), sorted(PARTS))
        self.assertEqual(self.server.requests.count("/r"), 1)

    def test_checksum(self):
        right = "sha256:" + hashlib.sha256(BODY).hexdigest()
        wrong = "sha256:" + hashlib.sha256(OTHER).hexdigest()
        self.segmented("--checksum", right)
        (self.out / "x").unlink()
        self.segmented("--checksum", wrong, status=10, says=[right, wrong])
        self.assertEqual(self.files(), {})

    def test_many_divided_files(self):
        things = {f"{i}": Thing(BODY[i:]) for i in range(6)}
        urls = [self.serve(f"/{name}", thing) for name, thing in things.items()]
        self.check(self.fetch("-s", 4, *urls), OK, {name: thing.body for name, thing in things.items()})


class NotDivided(SegmentsCase):
    def test_a_server_without_parts(self):
        self.thing.divided = False
        self.segmented("-v", says=f"{self.url}: not divided: the server sends no parts of it")
        self.assertEqual(self.thing.asked, [(PARTS[0], None)])

    def test_a_server_that_names_no_version(self):
        for etag in (None, 'W/"1"'):
            self.thing.fields, self.thing.asked = {"ETag": etag} if etag else {}, []
            self.segmented("-v", "--overwrite", says="not divided: the server does not say which version its parts are of")
            self.assertEqual(self.thing.asked, [(PARTS[0], None), (None, None)])

    def test_a_first_part_that_is_another(self):
        lies = [
            response(BODY[1 : MIB + 1], "206 Part", ETag='"1"', Content_Range=f"bytes 1-{MIB}/{len(BODY)}"),
            response(BODY[: MIB + 1], "206 Part", ETag='"1"', Content_Range=f"bytes 0-{MIB}/{len(BODY)}"),
            response(BODY[:MIB], "206 Part", ETag='"1"', Content_Range=f"bytes 0-{MIB - 1}/*"),
            response(BODY[:MIB], "206 Part", ETag='"1"'),
            response(b"", "416 No", Content_Range="bytes */0"),
        ]
        for raw in lies:
            self.thing.plan, self.thing.asked = [raw], []
            self.segmented("--overwrite")
            self.assertEqual(self.thing.asked, [(PARTS[0], None), (None, None)])

    def test_a_first_part_that_is_shorter(self):
        raw = response(BODY[:1000], "206 Part", ETag='"1"', Content_Range=f"bytes 0-999/{len(BODY)}")
        self.thing.plan = [raw]
        self.segmented()


class Broken(SegmentsCase):
    tries = 2

    def answer(self, part, with_what):
        """What the first request for this part gets."""
        answered = []

        def route(client):
            if client.field("Range") == part and not answered:
                answered.append(part)
                return with_what(client)
            return self.thing(client)

        self.serve("/x", route)

    def lie(self, raw):
        def send(client):
            client.send(raw)
            return False

        self.answer(PARTS[2], send)

    def test_a_server_that_lies_in_one_segment(self):
        two, three, size = 2 * MIB, 3 * MIB, len(BODY)
        here = f"bytes {two}-{three - 1}/{size}"
        for raw in (
            response(BODY[:MIB], "206 Part", ETag='"1"', Content_Range=f"bytes 0-{MIB - 1}/{size}"),
            response(BODY[two:], "206 Part", ETag='"1"', Content_Range=f"bytes {two}-{size - 1}/{size}"),
            response(OTHER[two:three], "206 Part", ETag='"2"', Content_Range=here),
            response(OTHER[two:three], "206 Part", Content_Range=here),
            response(OTHER[two:three], "206 Part", ETag='"1"', Content_Range=f"bytes {two}-{three - 1}/{size + 1}"),
            response(OTHER[two:three], "206 Part", ETag='"1"'),
            response(BODY[two : three - 1], "206 Part", ETag='"1"', Content_Range=here),
            response(BODY[two : three + 1], "206 Part", ETag='"1"', Content_Range=here),
            response(BODY, ETag='"1"'),
            response(OTHER[two:three], ETag='"1"'),
        ):
            with self.subTest(head=raw.partition(b"\r\n\r\n")[0]):
                self.lie(raw)
                self.segmented("--overwrite", says="try 2 of 2")

    def test_a_server_that_always_lies(self):
        raw = response(OTHER[:MIB], "206 Part", ETag='"2"', Content_Range=f"bytes {2 * MIB}-{3 * MIB - 1}/{len(BODY)}")

        def route(client):
            if client.field("Range") == PARTS[2]:
                client.send(raw)
                return True
            return self.thing(client)

        self.serve("/x", route)
        self.segmented(status=PROTOCOL, says="it has changed on the server")
        self.assertNotIn("x", self.files())

    def test_it_changes_midway(self):
        def change(client):
            self.thing.body, self.thing.fields = OTHER, {"ETag": '"2"'}
            return self.thing(client)

        for part in PARTS[1:]:
            with self.subTest(part=part):
                self.thing.body, self.thing.fields = BODY, {"ETag": '"1"'}
                self.answer(part, change)
                self.segmented("--overwrite", body=OTHER, says="it has changed on the server")

    def test_it_changes_between_two_runs(self):
        # Whichever segments were complete: the whole is another.
        for cuts in ({MIB: 10}, {2 * MIB: 10}, {4 * MIB: 10}, {0: 10}, {i * MIB: 10 for i in range(5)}):
            with self.subTest(cuts=cuts):
                self.thing.body, self.thing.fields, self.thing.cuts = BODY, {"ETag": '"1"'}, dict(cuts)
                self.segmented("--tries", 1, status=NETWORK)
                self.thing.body, self.thing.fields, self.thing.asked = OTHER, {"ETag": '"2"'}, []
                self.segmented(body=OTHER, says="starts over: it has changed on the server")
                self.assertEqual(self.thing.asked[0][1], '"1"')
                (self.out / "x").unlink()

    def test_it_is_shorter_than_before(self):
        self.thing.cuts = {4 * MIB: 10}
        self.segmented("--tries", 1, status=NETWORK)
        self.thing.body, self.thing.fields = OTHER[:MIB], {"ETag": '"2"'}
        self.segmented(body=OTHER[:MIB], says="starts over: ")

    def test_one_segment_is_cut_and_tried_again(self):
        self.thing.cuts = {3 * MIB: 300_000}
        self.thing.before = lambda client, first: None
        self.segmented("-s", 4, says="try 2 of 2")
        asked = self.thing.asked
        self.assertEqual(sum(what == f"bytes={3 * MIB}-{4 * MIB - 1}" for what, _ in asked), 1)
        self.assertIn((f"bytes={3 * MIB + 300_000}-{4 * MIB - 1}", '"1"'), asked)

    def test_the_first_is_cut(self):
        self.thing.cuts = {0: 300_000}
        self.segmented()

    def test_every_segment_is_cut(self):
        self.thing.cuts = {i * MIB: 1000 * i for i in range(5)}
        self.segmented("--tries", 20)

    def test_one_segment_gets_an_error(self):
        moved = response(b"", "302 Found", Location="/elsewhere")
        for raw in (response(b"", "503 Later"), response(b"", "429 Less"), moved):
            self.lie(raw)
            self.segmented("--overwrite", says="try 2 of 2")
        self.lie(response(b"", "403 No"))
        self.segmented("--overwrite", status=STATUS, says="403 No")

    def test_going_on_with_another_number(self):
        for first, then in ((4, 1), (4, 8), (2, 4), (1, 4), (64, 2)):
            with self.subTest(first=first, then=then):
                self.thing.cuts = {0: 2 * MIB + 17, MIB: 10, 2 * MIB: 20, 3 * MIB: 30, 4 * MIB: 40}
                self.segmented("--tries", 1, "-s", first, status=NETWORK)
                self.thing.cuts = {}
                self.segmented("-s", then)
                (self.out / "x").unlink()

    def test_what_is_there_is_not_asked_for_again(self):
        self.thing.cuts = {0: 2 * MIB + 17}
        self.segmented("-s", 1, "--tries", 1, status=NETWORK)
        self.thing.asked = []
        self.segmented()
        begins = sorted(int(what.removeprefix("bytes=").partition("-")[0]) for what in self.thing.ranges())
        self.assertEqual(begins, [2 * MIB + 17, 3 * MIB + 17, 3 * MIB + 17 + (2 * MIB - 17 - MIB)][: len(begins)])
        self.assertEqual(self.thing.asked[0], (f"bytes={2 * MIB + 17}-{3 * MIB + 16}", '"1"'))

    def test_in_dribs_and_drabs(self):
        # Pieces so small that they are gathered, and one segment that breaks while the others write.
        def dribble(client):
            first, _, last = client.field("Range").removeprefix("bytes=").partition("-")
            first, end = int(first), int(last) + 1
            head = response(b"", "206 Part", end - first, ETag='"1"', Content_Range=f"bytes {first}-{end - 1}/{len(BODY)}")
            client.send(head)
            with self.count:
                self.requests += 1
                stop = min(end, first + 150_000 * (self.requests % 5 + 1)) if self.requests < 30 else end
            client.send_pieces(BODY[first:stop], 1400)
            return stop == end

        self.count, self.requests = threading.Lock(), 0
        self.serve("/x", dribble)
        self.segmented("--tries", 60)


class RealServers(harness.FetchCase):
    def setUp(self):
        super().setUp()
        self.site = self.base / "site"
        self.site.mkdir()
        (self.site / "x").write_bytes(BODY)
        os.utime(self.site / "x", (1_000_000_000, 1_000_000_000))  # older than any answer

    def whole(self, base, *options, divided=True):
        """Fetched in parts; cut and gone on with; and changed in between."""
        url = f"{base}/x"
        result = self.fetch("-v", "-s", 4, *options, url)
        self.check(result, OK, {"x": BODY})
        self.assertEqual("not divided" in result.err, not divided, result.err)
        self.check(self.fetch("-s", 4, *options, url), OK, {"x": BODY})
        (self.out / "x").unlink(missing_ok=True)
        self.check(self.fetch("-v", "--tries", 1, "--max-size", "1M", *options, url), 1, {}, "larger than")
        if not divided:
            return
        for segments in (1, 4):
            process = self.start("-s", segments, "--limit-rate", "4M", *options, url)
            part = self.out / "x.part"
            harness.wait_until(lambda: part.exists() and (self.out / "x.part.state").exists() and part.stat().st_blocks > 0)
            process.kill()
            self.ended(process)
            result = self.fetch("-v", "-s", 4, *options, url)
            self.check(result, OK, {"x": BODY})
            self.assertNotIn("starts over", result.err)
            (self.out / "x").unlink()
        process = self.start("-s", 4, "--limit-rate", "4M", *options, url)
        harness.wait_until(lambda: (self.out / "x.part.state").exists())
        process.kill()
        self.ended(process)
        (self.site / "x").write_bytes(OTHER)
        self.check(self.fetch("-s", 4, *options, url), OK, {"x": OTHER})

    def test_python(self):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

        servers = [
            http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=self.site)) for _ in range(2)
        ]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{CERTIFICATES}/server.pem", f"{CERTIFICATES}/server.key")
        servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True)
        for server in servers:
            server.handle_error = lambda *_: None  # clients that go before the end
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.both([server.server_port for server in servers], divided=False)

    def program(self, name):
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        if not path:
            self.skipTest(f"{name} is not installed")
        return path

    def run_server(self, command, listeners, environment):
        """Starts a server on sockets that listen already, so that it needs no free port and nobody has to wait for it."""
        log = open(self.base / "log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            command, cwd=self.base, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, **environment}, pass_fds=[s.fileno() for s in listeners])
        self.addCleanup(process.wait, harness.HANGS_AFTER)
        self.addCleanup(process.terminate)

    def listeners(self):
        made = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(2)]
        for one in made:
            self.addCleanup(one.close)
        return made, [one.getsockname()[1] for one in made]

    def both(self, ports, authority="authority", **how):
        """In clear at the first port, with TLS at the second."""
        with self.subTest("in clear"):
            self.whole(f"http://127.0.0.1:{ports[0]}", **how)
        for name in self.files():
            (self.out / name).unlink()
        (self.site / "x").write_bytes(BODY)
        os.utime(self.site / "x", (1_000_000_000, 1_000_000_000))
        with self.subTest("with TLS"):
            self.whole(f"https://127.0.0.1:{ports[1]}", "--cacert", os.path.join(CERTIFICATES, f"{authority}.pem"), **how)

    def test_nginx(self):
        program = self.program("nginx")
        sockets, ports = self.listeners()
        user = "user root;" if os.geteuid() == 0 else ""
        (self.base / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; {user} pid {self.base}/pid; error_log stderr;
            events {{ }}
            http {{
                access_log off; client_body_temp_path {self.base}/1; proxy_temp_path {self.base}/2;
                fastcgi_temp_path {self.base}/3; uwsgi_temp_path {self.base}/4; scgi_temp_path {self.base}/5;
                server {{
                    listen 127.0.0.1:{ports[0]};
                    listen 127.0.0.1:{ports[1]} ssl;
                    ssl_certificate {CERTIFICATES}/server.pem; ssl_certificate_key {CERTIFICATES}/server.key;
                    root {self.site};
                }}
            }}""")
        fds = "".join(f"{s.fileno()};" for s in sockets)
        self.run_server([program, "-p", self.base, "-e", "stderr", "-c", self.base / "nginx.conf"], sockets, {"NGINX": fds})
        self.both(ports)

    def test_h2o(self):
        program = self.program("h2o")
        sockets, ports = self.listeners()
        user = "user: root\n" if os.geteuid() == 0 else ""
        (self.base / "h2o.conf").write_text(
            f"{user}num-threads: 1\n"
            f"listen: {{host: 127.0.0.1, port: {ports[0]}}}\n"
            f"listen:\n"
            f"  host: 127.0.0.1\n"
            f"  port: {ports[1]}\n"
            f"  ssl: {{certificate-file: {CERTIFICATES}/p256.pem, key-file: {CERTIFICATES}/p256.key}}\n"
            f"hosts: {{default: {{paths: {{/: {{file.dir: {self.site}}}}}}}}}\n"
        )
        passed = ";".join(f"127.0.0.1:{port}={one.fileno()}" for one, port in zip(sockets, ports))
        self.run_server([program, "-c", self.base / "h2o.conf"], sockets, {"SERVER_STARTER_PORT": passed})
        self.both(ports, "p256")


if __name__ == "__main__":
    harness.main()
