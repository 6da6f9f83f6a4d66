# SPDX-License-Identifier: MIT
"""ringlet-fetch --json: every line of standard output is an event, in order, and the sums are right."""

import fcntl
import json
import os
import resource
import signal
import socket
import threading

import harness
from harness import INTERRUPTED, OK, STATUS
from hostile_server import response


class Events(harness.FetchCase):
    def events(self, result):
        """The events by the line; those of one URL are in order, and the summary is the last."""
        self.assertTrue(result.out.endswith(b"\n"))
        all_of_it = [json.loads(line) for line in result.out.decode().splitlines()]
        self.assertEqual([event["event"] for event in all_of_it].count("summary"), 1)
        self.assertEqual(all_of_it[-1]["event"], "summary")
        for url in {event["url"] for event in all_of_it if "url" in event}:
            kinds = [event["event"] for event in all_of_it if event.get("url") == url]
            self.assertEqual(kinds[0], "start")
            self.assertIn(kinds[-1], ("done", "skipped", "error"))
            self.assertEqual(set(kinds[1:-1]) - {"progress", "retry"}, set())
        return all_of_it

    def last_of(self, events, url):
        return [event for event in events if event.get("url") == url][-1]

    def test_order_and_sums(self):
        urls = [self.serve(f"/{i}", response(b"x" * 1000 * i)) for i in range(20)]
        missing = self.server.url("/missing")
        result = self.fetch("--json", *urls, missing)
        self.assertEqual(result.status, STATUS)
        events = self.events(result)
        for i, url in enumerate(urls):
            last = self.last_of(events, url)
            self.assertEqual(last.pop("seconds") >= 0, True)
            size = 1000 * i
            self.assertEqual(
                last, {"event": "done", "url": url, "file": str(i), "bytes": size, "total": size, "resumed": 0}
            )
        error = self.last_of(events, missing)
        self.assertEqual((error["error"], error["http_status"], error["exit_code"], error["curl_code"]), ("status", 404, STATUS, 22))
        summary = events[-1]
        self.assertEqual((summary["ok"], summary["failed"], summary["skipped"], summary["unfinished"]), (20, 1, 0, 0))
        self.assertEqual(summary["bytes"], sum(event["bytes"] for event in events if event["event"] == "done"))
        self.assertIs(summary["interrupted"], False)
        self.assertIn("ringlet-fetch: 20 ok, 1 failed, ", result.err)  # people are told all the same

    def test_events_that_cannot_be_written(self):
        url = self.serve("/a", response(b"x"))
        with open("/dev/full", "wb") as full:
            result = self.fetch("--json", url, stdout=full)
        self.check(result, harness.FILE, {"a": b"x"}, "write standard output: No space left on device")
        closed = lambda: (signal.signal(signal.SIGINT, signal.default_int_handler), os.close(1))
        for options in (("--json",), ("-o", "-")):
            self.check(self.fetch(*options, url, preexec_fn=closed), harness.USAGE, {"a": b"x"}, "standard output is closed")

    def test_quiet(self):
        result = self.fetch("--json", "-q", self.serve("/a", response(b"x")))
        self.assertEqual([event["event"] for event in self.events(result)], ["start", "done", "summary"])
        self.assertEqual(result.err, "")

    def test_what_could_not_be_written_does_not_count(self):
        url = self.serve("/a", response(b"content"))
        nothing = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        result = self.fetch("--json", url, preexec_fn=nothing)
        self.check(result, harness.FILE, {}, "File too large")
        error = self.last_of(self.events(result), url)
        self.assertEqual((error["error"], error["bytes"], error["total"]), ("file", 0, 7))

    def test_words_for_errors(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # bound, but nobody listens
            cases = {
                f"http://127.0.0.1:{nobody.getsockname()[1]}/x": ("connect", 4, 7),
                "http://nowhere.invalid/x": ("dns", 4, 6),
                self.serve("/short", lambda client: client.send(response(b"x", length=9))): ("truncated", 4, 18),
                self.serve("/silent", lambda client: client.until_gone()): ("timeout", 4, 28),
                self.serve("/nonsense", b"nonsense\r\n\r\n"): ("protocol", 7, 8),
                self.serve("/round", response(b"", "302 Found", Location="/round")): ("protocol", 7, 47),
                self.serve("/login", response(b"", "401 Unauthorized")): ("login", 6, 22),
                self.serve("/500", response(b"", "500 No")): ("status", 8, 22),
            }
            for url, expected in cases.items():
                with self.subTest(url=url):
                    result = self.fetch("--json", "--stall-timeout", "0.3", url)
                    error = self.last_of(self.events(result), url)
                    self.assertEqual((error["error"], error["exit_code"], error["curl_code"]), expected)
                    self.assertEqual(error["event"], "error")
                    self.assertEqual(result.status, expected[1])

    def test_names_from_outside(self):
        name = "%1b%5b2J%e2%80%ae%22quoted%22%0a"
        result = self.fetch("--json", self.serve(f"/{name}", response(b"x")))
        self.assertEqual(result.status, OK)
        self.assertEqual(self.last_of(self.events(result), self.server.url(f"/{name}"))["file"], *self.files())
        self.assertNotIn(b"\x1b", result.out)

    def test_interrupted(self):
        half_way = threading.Event()

        def hold(client):
            client.send(response(b"x" * 300_000, length=600_000))
            half_way.set()
            client.until_gone()

        held, done = self.serve("/held", hold), self.serve("/done", response(b"done"))
        process = self.start("--json", "-j", 1, done, held, self.server.url("/later"))
        self.assertTrue(half_way.wait(harness.HANGS_AFTER))
        process.send_signal(signal.SIGINT)
        result = self.ended(process)
        self.assertEqual(result.status, INTERRUPTED)
        events = self.events(result)
        error = self.last_of(events, held)
        self.assertEqual((error["error"], error["exit_code"]), ("interrupted", INTERRUPTED))
        self.assertEqual((events[-1]["ok"], events[-1]["unfinished"], events[-1]["interrupted"]), (1, 2, True))

    def test_a_reader_that_stalls_loses_no_event(self):
        count = 3000
        urls = [self.serve(f"/{i:0>200}", response(b"")) for i in range(count)]
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        process = self.start("--json", "-q", *urls, stdout=writer)
        os.close(writer)
        harness.wait_until(lambda: sum(not name.endswith(".part") for name in os.listdir(self.out)) == count)
        with os.fdopen(reader, "rb") as stream:
            events = [json.loads(line) for line in stream]
        self.assertEqual(self.ended(process).status, OK)
        kinds = [event["event"] for event in events]
        self.assertEqual((kinds.count("start"), kinds.count("done"), kinds[-1]), (count, count, "summary"))
        self.assertEqual(len(kinds), 2 * count + 1 + kinds.count("progress"))

    def test_a_reader_that_leaves_stops_nothing(self):
        urls = [self.serve(f"/{i}", response(b"x")) for i in range(50)]
        reader, writer = os.pipe()
        os.close(reader)
        process = self.start("--json", *urls, stdout=writer)
        os.close(writer)
        result = self.ended(process)
        self.check(result, OK, {str(i): b"x" for i in range(50)}, "50 ok, 0 failed")


harness.main()
