# SPDX-License-Identifier: MIT
"""ringlet-fetch: what was cut short is gone on with: nothing is fetched twice, and never are two versions put together."""

import fcntl
import hashlib
import json
import os
import random
import resource
import signal
import stat
import subprocess

import harness
from harness import FILE, INTERRUPTED, NETWORK, OK, PROTOCOL, STATUS
from hostile_server import Thing, chunked, response

KIB = 1024
MIB = 1024 * KIB
BODY = random.Random(1).randbytes(700 * KIB)
OTHER = random.Random(2).randbytes(700 * KIB)
CUT = 300 * KIB
REST = f"bytes={CUT}-"
MONDAY, TUESDAY = "Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT"


def part_of(body, first, end, total=None, status="206 Partial Content", etag='"1"', **fields):
    """A 206 with these bytes of the body."""
    total = len(body) if total is None else total
    return response(body[first:end], status, Content_Range=f"bytes {first}-{end - 1}/{total}", ETag=etag, **fields)


class ResumeCase(harness.FetchCase):
    PART, STATE = "x.part", "x.part.state"

    def thing(self, *arguments, path="/x", **fields):
        made = Thing(*arguments, **fields)
        made.url = self.serve(path, made)
        return made

    def cut(self, thing, bytes_there=CUT, *options):
        """A run that ends when so many bytes have come."""
        thing.plan = [bytes_there]
        result = self.fetch(*options, thing.url)
        self.check(result, NETWORK, says=f"truncated after {bytes_there} of")
        kept = any(path.name.endswith(".part.state") for path in self.out.rglob("*"))
        self.assertEqual(kept, "kept; resume with the same command" in result.err)
        return result

    def go_on(self, thing, *options, status=OK, says=()):
        """The same again; gives what the server was asked for."""
        thing.asked.clear()
        result = self.fetch(*options, thing.url)
        self.check(result, status, says=says)
        self.result = result
        return thing.asked

    def kept(self, bytes_there=CUT):
        self.assertEqual(sorted(self.files()), [self.PART, self.STATE])
        self.assertEqual((self.out / self.PART).stat().st_size, bytes_there)

    def only(self, body, name="x"):
        here = self.files()
        self.assertEqual(sorted(here), [name])
        self.assertTrue(here[name] == body, "other bytes")


class Continues(ResumeCase):
    def test_the_same_command_asks_for_the_rest(self):
        thing = self.thing(BODY)
        self.cut(thing)
        self.kept()
        self.assertEqual(thing.asked, [(None, None)])
        self.assertEqual(self.go_on(thing, "-v", says="goes on at 300.0KiB"), [(REST, '"1"')])
        self.only(BODY)
        self.assertIn("; 300.0KiB were there", self.result.err)
        self.assertIn("Accept-Encoding: identity", self.server.heads[-1].decode())

    def test_without_a_validator_only_where_the_length_is_trusted(self):
        thing = self.thing(BODY, etag=None)
        for trusted in (False, True):
            self.cut(thing, CUT, *(["--trust-length"] if trusted else []))
            self.assertEqual(sorted(self.files()), [self.PART, self.STATE] if trusted else [])
        self.assertEqual(self.go_on(thing, "--trust-length"), [(REST, None)])
        self.only(BODY)
        (self.out / "x").unlink()
        self.cut(thing, CUT, "--trust-length")
        self.assertEqual(self.go_on(thing), [(None, None)])  # whose word it was is not known
        self.only(BODY)
        (self.out / "x").unlink()
        self.cut(thing, CUT, "--trust-length")
        thing.body = OTHER + b"and more"
        self.assertEqual(self.go_on(thing, "--trust-length", says="starts over: "), [(REST, None), (None, None)])
        self.only(thing.body)

    def test_many_cuts(self):
        thing = self.thing(BODY)
        self.cut(thing, 1)
        there = 1
        while there < 700_000:
            thing.plan = [min(99_999, 700_000 - there)]
            self.go_on(thing, status=NETWORK, says="truncated after ")
            there = (self.out / self.PART).stat().st_size
        self.kept(700_000)
        self.assertEqual(self.go_on(thing), [("bytes=700000-", '"1"')])
        self.only(BODY)

    def test_a_small_one_that_becomes_shorter(self):
        for options in ((), ("-s", 4), ("-o", "x")):
            thing = self.thing(BODY[: 20 * KIB])
            thing.plan = [15 * KIB, response(b"new", ETag='"2"')]
            self.check(self.fetch("--retry-wait", 0, "--tries", 3, *options, thing.url), OK, {"x": b"new"})
            (self.out / "x").unlink()

    def test_a_version_that_is_back_is_not_saved_again(self):
        for options in ((), ("-J",)):
            thing = self.thing(BODY[:1000], Content_Disposition='attachment; filename="x"')
            self.check(self.fetch(*options, thing.url), OK, {"x": BODY[:1000]})
            thing.plan = [response(OTHER[:300], length=1007, ETag='"2"')]
            result = self.fetch("--retry-wait", 0, "--tries", 2, *options, thing.url)
            self.check(result, OK, {"x": BODY[:1000]}, "this version is there already")

    def test_what_goes_on_under_the_name_of_a_file_is_skipped(self):
        for options in (("-J", "--no-clobber"), ("-J",)):
            thing = self.thing(BODY[:1000], Content_Disposition='attachment; filename="y"')
            self.cut(thing, 300, "-J")
            self.check(self.fetch("-J", "-P", "other", thing.url), OK)
            (self.out / "other" / "y").rename(self.out / "y")
            (self.out / "other").rmdir()
            self.go_on(thing, *options, says="skipped")
            self.assertEqual(self.files(), {"y": BODY[:1000]})
            (self.out / "y").unlink()

    def test_what_starts_over_gets_the_servers_name(self):
        thing = self.thing(BODY[:1000], Content_Disposition='attachment; filename="y"')
        self.cut(thing, 300, "-J")
        thing.body, thing.fields["ETag"] = OTHER[:900], '"2"'
        self.assertEqual(self.go_on(thing, "-J"), [("bytes=300-", '"1"')])
        self.check(self.result, OK, {"y": OTHER[:900]}, "starts over")
        self.go_on(thing, "-J", says="this version is there already")

    def test_what_could_not_be_written_is_not_written_later(self):
        def enough(client, first):
            if len(thing.asked) == 2:
                resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        small = BODY[: 20 * KIB]
        for options in (("-s", 4), ("-s", 4, "-o", "x"), ()):
            thing = self.thing(small)
            thing.plan = [10 * KIB]
            thing.before = enough
            limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5 * KIB, resource.RLIM_INFINITY))
            run = self.start("--retry-wait", 0, "--tries", 3, *options, thing.url, preexec_fn=limit)
            self.check(self.ended(run), OK, {"x": small})
            (self.out / "x").unlink()

    def test_in_one_run(self):
        self.tries = 3
        thing = self.thing(BODY)
        thing.plan = [CUT, 100 * KIB]
        result = self.fetch("--retry-wait", 0, thing.url)
        self.check(result, OK, {"x": BODY}, "try 3 of 3")
        self.assertEqual(thing.asked, [(None, None), (REST, '"1"'), (f"bytes={400 * KIB}-", '"1"')])
        self.assertIn("x: 700.0KiB in ", result.err)

    def test_reset_and_stall_keep_what_came(self):
        thing = self.thing(BODY)

        def reset(client):
            client.send(response(BODY[:CUT], length=len(BODY), ETag='"1"'))
            harness.wait_until(lambda: (self.out / self.PART).exists() and (self.out / self.PART).stat().st_size >= 100 * KIB)
            client.reset()

        self.serve("/x", reset)
        self.check(self.fetch(thing.url), NETWORK)
        self.serve("/x", thing)
        (asked,) = self.go_on(thing)
        self.assertRegex(asked[0], r"^bytes=[1-9]\d{5,}-$")
        self.only(BODY)
        (self.out / "x").unlink()
        thing.hold = True
        thing.plan = [CUT]
        self.check(self.fetch("--stall-timeout", "0.3", thing.url), NETWORK, says=f"after {CUT} of")
        self.kept()

    def test_a_redirect_is_asked_again(self):
        thing = self.thing(BODY, path="/there")
        url = self.serve("/x", response(b"", "302 Found", Location="/there"))
        thing.plan = [CUT]
        self.check(self.fetch(url), NETWORK)
        self.check(self.fetch(url), OK, {"x": BODY})
        self.assertEqual(self.server.requests, ["/x", "/there"] * 2)
        self.assertEqual(thing.asked[-1], (REST, '"1"'))

    def test_output_of_another_name(self):
        thing = self.thing(BODY)
        (self.out / "mine").write_bytes(b"old")
        self.cut(thing, CUT, "-o", "mine")
        self.assertEqual(sorted(self.files()), ["mine", "mine.part", "mine.part.state"])
        self.assertEqual(self.go_on(thing, "-o", "mine"), [(REST, '"1"')])
        self.only(BODY, "mine")

    def test_several_cut_at_once(self):
        things = [self.thing(BODY[i:], path=f"/{i}/x") for i in range(4)]
        for thing in things:
            thing.plan = [CUT]
        urls = [thing.url for thing in things]
        self.check(self.fetch(*urls), NETWORK)
        self.assertEqual(len(self.files()), 8)
        result = self.fetch(*urls)
        self.check(result, OK, {name: BODY[i:] for i, name in enumerate(("x", "x.1", "x.2", "x.3"))})
        for thing in things:
            self.assertEqual(thing.ranges(), [None, REST])

    def test_one_of_two_with_one_name_was_complete(self):
        first, second = self.thing(BODY, path="/a/x"), self.thing(OTHER, path="/b/x")
        second.plan = [CUT]
        self.check(self.fetch(first.url, second.url), NETWORK)
        self.assertEqual(sorted(self.files()), ["x", "x.1.part", "x.1.part.state"])
        self.check(self.fetch(first.url, second.url), OK, {"x": BODY, "x.1": OTHER}, "1 ok, 0 failed, 1 skipped")
        self.assertEqual(second.ranges(), [None, REST])

    def test_in_another_order(self):
        first, second = self.thing(BODY, path="/a/x"), self.thing(OTHER, path="/b/x")
        first.plan, second.plan = [CUT], [CUT]
        self.check(self.fetch(first.url, second.url), NETWORK)
        self.check(self.fetch(second.url, first.url), OK, {"x": BODY, "x.1": OTHER})
        self.assertEqual(first.ranges() + second.ranges(), [None, REST] * 2)

    def test_chunked(self):
        thing = self.thing(BODY)
        head = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n'
        thing.plan = [head + b"%x\r\n" % len(BODY) + BODY[:CUT]]
        self.check(self.fetch(thing.url), NETWORK, says=f"truncated after {CUT} bytes")
        self.kept()
        for options in ((), ("-s", 4)):
            with self.subTest(options=options):
                saved = self.files()
                self.assertEqual(self.go_on(thing, *options), [(REST, '"1"')])
                self.only(BODY)
                (self.out / "x").unlink()
                for name, content in saved.items():
                    (self.out / name).write_bytes(content)
                    (self.out / name).chmod(0o600)

    def test_the_rest_in_chunks(self):
        thing = self.thing(BODY)
        self.cut(thing)
        head = f'HTTP/1.1 206 Partial Content\r\nETag: "1"\r\nContent-Range: bytes {CUT}-{len(BODY) - 1}/{len(BODY)}\r\n'
        thing.plan = [head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunked([BODY[CUT:]]).partition(b"\r\n\r\n")[2]]
        self.assertEqual(self.go_on(thing), [(REST, '"1"')])
        self.only(BODY)

    def test_ended_by_the_close(self):
        # Nobody can tell a cut from an end; a reset is one.
        def reset(client):
            client.send(b'HTTP/1.1 200 OK\r\nETag: "1"\r\n\r\n' + BODY[:CUT])
            harness.wait_until(lambda: (self.out / self.PART).exists() and (self.out / self.PART).stat().st_size >= 100 * KIB)
            client.reset()

        url = self.serve("/x", reset)
        self.check(self.fetch(url), NETWORK, says="the connection broke after ")
        there = (self.out / self.PART).stat().st_size
        thing = self.thing(BODY)
        self.assertEqual(self.go_on(thing), [(f"bytes={there}-", '"1"')])
        self.only(BODY)

    def test_checksum_of_both_pieces(self):
        thing = self.thing(BODY)
        self.cut(thing)
        right = "sha256:" + hashlib.sha256(BODY).hexdigest()
        self.assertEqual(self.go_on(thing, "--checksum", right), [(REST, '"1"')])
        self.only(BODY)
        (self.out / "x").unlink()
        self.cut(thing)
        with open(self.out / self.PART, "r+b") as part:
            part.write(b"damage")
        self.go_on(thing, "--checksum", right, status=10, says=(right, "checksum"))
        self.assertEqual(self.files(), {})


class Validators(ResumeCase):
    def test_weak_entity_tags_are_of_no_use(self):
        thing = self.thing(BODY, 'W/"1"', Last_Modified=MONDAY, Date=TUESDAY)
        self.cut(thing)
        self.assertEqual(self.files(), {})
        self.assertEqual(self.go_on(thing), [(None, None)])

    def test_a_date_older_than_the_answer(self):
        thing = self.thing(BODY, None, **{"Last-Modified": MONDAY, "Date": TUESDAY})
        self.cut(thing)
        self.kept()
        self.assertEqual(self.go_on(thing), [(REST, MONDAY)])
        self.only(BODY)

    def test_dates_that_tell_nothing(self):
        for fields in ({}, {"Date": MONDAY}, {"Last-Modified": MONDAY}, {"Last-Modified": MONDAY, "Date": MONDAY},
                       {"Last-Modified": TUESDAY, "Date": MONDAY}, {"Last-Modified": "long ago", "Date": MONDAY}):
            with self.subTest(fields=fields):
                thing = self.thing(BODY, None, **fields)
                self.cut(thing)
                self.assertEqual(self.files(), {})
                self.assertEqual(self.go_on(thing), [(None, None)])
                self.only(BODY)
                (self.out / "x").unlink()

    def test_malformed_entity_tags(self):
        for etag in ("1", '"1', '"1" x', '"a b"', '"1", "2"', "*"):
            with self.subTest(etag=etag):
                thing = self.thing(BODY, etag)
                self.cut(thing)
                self.assertEqual(self.files(), {})

    def test_two_entity_tags(self):
        thing = self.thing(BODY, '"1"', eTag='"2"')
        self.cut(thing)
        self.assertEqual(self.files(), {})


class Lies(ResumeCase):
    """The server answers the question for the rest with something else: all is fetched anew, and said."""

    def starts_over(self, answer, says="starts over: ", asked=(REST, None), etag='"1"', body=BODY):
        thing = self.thing(BODY)
        self.cut(thing)
        thing.body, thing.fields = body, {"ETag": etag}
        thing.plan = [answer]
        ranges = [what for what, _ in self.go_on(thing, says=says)]
        self.assertEqual(ranges, list(asked))
        self.only(body)
        (self.out / "x").unlink()

    def test_206_with_another_range(self):
        for raw in (
            part_of(BODY, CUT + 1, len(BODY)),
            part_of(BODY, CUT - 1, len(BODY)),
            part_of(BODY, 0, len(BODY)),
            part_of(BODY, CUT, len(BODY), total=len(BODY) + 1),
            response(BODY[CUT:], "206 Partial Content", ETag='"1"'),
            response(BODY[CUT:], "206 Partial Content", ETag='"1"', Content_Type="multipart/byteranges; boundary=x"),
        ):
            with self.subTest(head=raw.partition(b"\r\n\r\n")[0]):
                self.starts_over(raw)

    def test_206_with_a_malformed_range(self):
        end, size = len(BODY) - 1, len(BODY)
        for text in (f"bytes {CUT}-{end}", f"bytes {CUT}-{end}/", f"{CUT}-{end}/{size}", f"items {CUT}-{end}/{size}",
                     f"bytes {end}-{CUT}/{size}", f"bytes {CUT}-{size}/{size}", f"bytes */{size}", f"bytes={CUT}-{end}/{size}",
                     f"bytes +{CUT}-{end}/{size}", f"bytes {CUT}-{end}/-1", "", f"bytes {CUT}-99999999999999999999/*"):
            with self.subTest(text=text):
                self.starts_over(response(BODY[CUT:], "206 Partial Content", ETag='"1"', Content_Range=text))

    def test_206_with_two_ranges(self):
        one = f"Content-Range: bytes {CUT}-{len(BODY) - 1}/{len(BODY)}\r\n"
        head = f'HTTP/1.1 206 Partial\r\nETag: "1"\r\nContent-Length: {len(BODY) - CUT}\r\n{one}{one}\r\n'
        self.starts_over(head.encode() + BODY[CUT:])

    def test_206_whose_length_is_not_that_of_its_range(self):
        for body in (BODY[CUT:-1], BODY[CUT:] + b"x"):
            self.starts_over(response(body, "206 Partial", ETag='"1"', Content_Range=f"bytes {CUT}-{len(BODY) - 1}/{len(BODY)}"))

    def test_206_of_another_version(self):
        self.starts_over(part_of(OTHER, CUT, len(OTHER), etag='"2"'), "starts over: it has changed", etag='"2"', body=OTHER)

    def test_206_of_no_version(self):
        raw = response(BODY[CUT:], "206 Partial", Content_Range=f"bytes {CUT}-{len(BODY) - 1}/{len(BODY)}")
        self.starts_over(raw)

    def test_206_in_chunks_longer_than_its_range(self):
        thing = self.thing(BODY)
        self.cut(thing)
        head = f'HTTP/1.1 206 Partial\r\nETag: "1"\r\nContent-Range: bytes {CUT}-{len(BODY) - 1}/{len(BODY)}\r\n'
        thing.plan = [head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunked([BODY[CUT:], b"x"]).partition(b"\r\n\r\n")[2]]
        self.go_on(thing, status=PROTOCOL, says="more than it announced")
        self.go_on(thing)
        self.only(BODY)

    def test_200_to_a_range(self):
        thing = self.thing(BODY)
        self.cut(thing)
        thing.divided = False
        self.assertEqual(self.go_on(thing, says="starts over: the server sends no parts of it"), [(REST, '"1"')])
        self.only(BODY)

    def test_200_because_it_has_changed(self):
        for body in (OTHER, OTHER[:10], b"", OTHER * 3):
            with self.subTest(bytes=len(body)):
                thing = self.thing(BODY)
                self.cut(thing)
                thing.body, thing.fields = body, {"ETag": '"2"'}
                self.assertEqual(self.go_on(thing, says="starts over: it has changed on the server"), [(REST, '"1"')])
                self.only(body)
                (self.out / "x").unlink()

    def test_it_has_changed_and_is_cut_again(self):
        thing = self.thing(BODY)
        self.cut(thing)
        thing.body, thing.fields, thing.plan = OTHER, {"ETag": '"2"'}, [1000]
        self.go_on(thing, status=NETWORK, says=("starts over", "truncated after 1000 of"))
        self.kept(1000)
        self.assertEqual(self.go_on(thing), [("bytes=1000-", '"2"')])
        self.only(OTHER)

    def test_206_that_is_too_short(self):
        thing = self.thing(BODY)
        self.cut(thing)
        thing.plan = [part_of(BODY, CUT, 500 * KIB)]
        self.go_on(thing, status=NETWORK, says="less than was asked for")
        self.kept(500 * KIB)
        self.assertEqual(self.go_on(thing), [(f"bytes={500 * KIB}-", '"1"')])
        self.only(BODY)

    def test_an_error_keeps_what_is_there(self):
        thing = self.thing(BODY)
        self.cut(thing)
        for raw, status in ((response(b"", "404 Not Found"), STATUS), (response(b"", "503 Later"), STATUS), (b"x\r\n\r\n", PROTOCOL)):
            thing.plan = [raw]
            self.go_on(thing, status=status)
            self.kept()
        self.assertEqual(self.go_on(thing), [(REST, '"1"')])
        self.only(BODY)

    # --- 416 ---

    def unbounded(self):
        """All of it has come, but its length was not known, and so nobody knew."""
        thing = self.thing(BODY)
        thing.plan = [b'HTTP/1.1 200 OK\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n' % len(BODY) + BODY]
        self.check(self.fetch(thing.url), NETWORK)
        self.kept(len(BODY))
        return thing

    def test_416_where_all_is_there(self):
        thing = self.unbounded()
        self.assertEqual(self.go_on(thing), [(f"bytes={len(BODY)}-", '"1"')])
        self.only(BODY)

    def test_416_with_another_size_or_version(self):
        refused = "416 Range Not Satisfiable"
        for fields in ({"Content_Range": f"bytes */{len(BODY) - 1}"}, {"Content_Range": "bytes */*"}, {"Content_Range": "nonsense"},
                       {}, {"Content_Range": f"bytes */{len(BODY)}", "ETag": '"2"'}):
            with self.subTest(fields=fields):
                thing = self.unbounded()
                thing.plan = [response(b"", refused, **fields)]
                asked = self.go_on(thing, says="starts over: ")
                self.assertEqual(asked, [(f"bytes={len(BODY)}-", '"1"'), (None, None)])
                self.only(BODY)
                (self.out / "x").unlink()

    def test_416_where_something_is_missing(self):
        thing = self.thing(BODY)
        self.cut(thing)
        thing.plan = [response(b"", "416 Range Not Satisfiable", Content_Range=f"bytes */{CUT}")]
        thing.body, thing.fields = OTHER, {"ETag": '"2"'}
        self.assertEqual(self.go_on(thing, says="starts over: "), [(REST, '"1"'), (None, None)])
        self.only(OTHER)


class State(ResumeCase):
    def setUp(self):
        super().setUp()
        self.it = self.thing(BODY)
        self.cut(self.it)
        self.part, self.state = self.out / self.PART, self.out / self.STATE
        self.text = self.state.read_bytes()

    def put_back(self, part=BODY[:CUT], state=None):
        for path, content in ((self.part, part), (self.state, self.text if state is None else state)):
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)

    def left_alone(self, *further):
        """What is there is not for us: it stays, and another name is taken."""
        before = {name: content for name, content in self.files().items()}
        self.assertEqual(self.go_on(self.it), [(None, None)])
        here = self.files()
        self.assertEqual(here.pop("x.1"), BODY)
        self.assertEqual(here, before)
        (self.out / "x.1").unlink()
        result = self.fetch("-o", "x", self.it.url)
        self.check(result, FILE, before, ["x.part: in the way: ", *further])

    def test_every_byte_matters(self):
        # The program is started for a few of them; the unit test tries all.
        for at in {*range(0, len(self.text), 37), len(self.text) - 1}:
            damaged = bytearray(self.text)
            damaged[at] ^= 1
            self.put_back(state=bytes(damaged))
            self.assertEqual(self.go_on(self.it), [(None, None)], at)
            self.assertEqual(self.files(), {"x.1": BODY, self.PART: BODY[:CUT], self.STATE: bytes(damaged)})
            (self.out / "x.1").unlink()

    def test_truncated_or_longer(self):
        for text in (self.text[:-1], self.text[: len(self.text) // 2], b"\n", self.text + b"\n", self.text * 2):
            self.put_back(state=text)
            self.left_alone("its state is damaged")

    def test_of_another_url(self):
        self.serve("/y/x", self.it)
        self.put_back(state=self.text.replace(b"/x", b"/y"))  # the check does not fit
        self.left_alone("its state is damaged")
        self.put_back()
        thing = self.thing(OTHER, path="/other/x")
        self.check(self.fetch(thing.url), OK, {self.PART: BODY[:CUT], self.STATE: self.text, "x.1": OTHER})
        self.check(self.fetch("-o", "x", thing.url), FILE, says="in the way: of another URL")

    def test_part_longer_than_the_whole(self):
        self.put_back(part=BODY + b"x")
        self.left_alone("its state is damaged")

    def test_shorter_part(self):
        self.put_back(part=BODY[:1000])
        self.assertEqual(self.go_on(self.it), [("bytes=1000-", '"1"')])
        self.only(BODY)

    def test_empty_part(self):
        self.put_back(part=b"")
        self.go_on(self.it)
        self.only(BODY)

    def test_complete_part(self):
        # As after a kill between the last byte and the name.
        for mode in (0o600, 0o644):
            self.put_back(part=BODY)
            self.part.chmod(mode)
            self.assertEqual(self.go_on(self.it), [])
            self.only(BODY)
            self.assertEqual(stat.S_IMODE((self.out / "x").stat().st_mode), 0o644)
            (self.out / "x").unlink()

    def test_state_without_part(self):
        self.part.unlink()
        self.assertEqual(self.go_on(self.it), [(None, None)])
        self.only(BODY)

    def test_a_file_that_is_called_like_a_state(self):
        for text in (b"precious", self.text):
            self.part.unlink(missing_ok=True)
            self.state.write_bytes(text)
            self.state.chmod(0o644)
            self.assertEqual(self.go_on(self.it), [(None, None)])
            self.assertEqual(self.state.read_bytes(), text)
            self.assertEqual(self.files(), {self.STATE: text, "x.1": BODY})
            (self.out / "x.1").unlink()

    def test_part_without_state(self):
        self.state.unlink()
        self.assertEqual(self.go_on(self.it), [(None, None)])
        self.only(BODY)

    def test_locked_by_another_run(self):
        with open(self.part, "rb") as busy:
            fcntl.flock(busy, fcntl.LOCK_EX)
            self.left_alone("in use")
        self.assertEqual(self.go_on(self.it), [(REST, '"1"')])

    def test_other_modes_and_names(self):
        self.part.chmod(0o640)
        self.left_alone("not left behind by a run of this program")
        self.part.chmod(0o600)
        self.state.chmod(0o644)
        self.left_alone()
        self.state.chmod(0o600)
        os.link(self.part, self.base / "second")
        self.left_alone()
        (self.base / "second").unlink()
        self.assertEqual(self.go_on(self.it), [(REST, '"1"')])

    def test_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a file of another user")
        for path in (self.part, self.state):
            os.chown(path, 12345, -1)
            self.left_alone()
            os.chown(path, 0, -1)
        self.assertEqual(self.go_on(self.it), [(REST, '"1"')])

    def test_links(self):
        for path in (self.part, self.state):
            self.put_back()
            content = path.read_bytes()
            away = self.base / path.name
            path.rename(away)
            path.symlink_to(away)
            self.left_alone()
            self.assertEqual(away.read_bytes(), content)
            away.unlink()

    def test_special_files(self):
        for path in (self.part, self.state):
            for make, remove in ((os.mkfifo, path.unlink), (os.mkdir, path.rmdir)):
                self.put_back()
                path.unlink()
                make(path, 0o600)
                self.left_alone()
                remove()


class Stopped(ResumeCase):
    """The run ends in the middle, at a moment of the server's choice."""

    body = random.Random(3).randbytes(5 * MIB)

    def hold(self, thing, there, *options):
        """A run of which so many bytes are on the disk, and the server holds the rest back."""
        thing.hold = True
        process = self.start(*options, thing.url)
        harness.wait_until(lambda: (self.out / self.PART).exists() and (self.out / self.STATE).exists() and there())
        return process

    def interrupt(self, thing, bytes_there, number, *options):
        """A run that is stopped when it has said to have so many bytes, on the disk or not."""
        thing.hold = True
        process = self.start("--json", *options, thing.url)
        for line in process.stdout:
            if json.loads(line).get("bytes") == bytes_there:
                break
        process.send_signal(number)
        return self.ended(process)

    def one(self, bytes_there, number):
        thing = self.thing(self.body)
        thing.plan = [bytes_there]
        part = self.out / self.PART
        if number == signal.SIGKILL:
            process = self.hold(thing, lambda: part.stat().st_size >= bytes_there - 128 * KIB)
            process.kill()
            result = self.ended(process)
        else:
            result = self.interrupt(thing, bytes_there, number)
        there = part.stat().st_size
        (asked,) = self.go_on(thing)
        self.assertEqual(asked, (f"bytes={there}-", '"1"'))
        self.only(self.body)
        (self.out / "x").unlink()
        return result, there

    def test_killed(self):
        for there in (200_000, 1_000_000, 5 * MIB - 1):
            result, _ = self.one(there, signal.SIGKILL)
            self.assertEqual(result.status, -signal.SIGKILL)

    def test_ctrl_c_and_sigterm(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            result, there = self.one(1_000_000, number)
            self.check(result, 128 + number, says=["stopping", "1 unfinished file is kept; resume with the same command"])
            self.assertEqual(there, 1_000_000)

    def test_ctrl_c_where_nothing_can_be_kept(self):
        thing = self.thing(self.body, None)
        thing.plan, thing.hold = [1_000_000], True
        process = self.start(thing.url)
        harness.wait_until(lambda: (self.out / self.PART).exists() and (self.out / self.PART).stat().st_size > 500_000)
        process.send_signal(signal.SIGINT)
        result = self.ended(process)
        self.check(result, INTERRUPTED, {})
        self.assertNotIn("resume", result.err)

    def test_two_are_kept(self):
        things = [self.thing(self.body, path=f"/{name}") for name in "ab"]
        for thing in things:
            thing.plan, thing.hold = [1_000_000], True
        process = self.start(*[thing.url for thing in things])
        for thing in things:
            self.assertTrue(thing.held.acquire(timeout=harness.HANGS_AFTER))
        harness.wait_until(lambda: all((self.out / f"{name}.part.state").exists() for name in "ab"))
        process.send_signal(signal.SIGINT)
        self.check(self.ended(process), INTERRUPTED, says="2 unfinished files are kept; resume with the same command")

    def several(self, number):
        # The first MiB, and four segments of one: each sends 300,000 bytes and holds.
        thing = self.thing(self.body)
        thing.plan = [300_000] * 5
        thing.cuts = {0: None}
        least = 300_000 - 128 * KIB
        if number == signal.SIGKILL:
            process = self.hold(thing, lambda: len(s := self.segments()) == 5 and min(s, key=lambda x: x[2])[2] >= least, "-s", 4)
            process.kill()
            self.ended(process)
            segments = self.segments()
        else:
            result = self.interrupt(thing, MIB + 4 * 300_000, number, "-s", 4)
            segments = self.segments()
            self.assertEqual(sum(done for _, _, done in segments), MIB + 4 * 300_000)
            self.assertIn("resume with the same command", result.err)
        asked = self.go_on(thing, "-s", 4)
        missing = [(f"bytes={b + done}-{e - 1}", '"1"') for b, e, done in segments if b + done < e]
        self.assertEqual(sorted(asked), sorted(missing))
        self.only(self.body)
        (self.out / "x").unlink()

    def segments(self):
        """What the state says: begin, end and done of each."""
        lines = (self.out / self.STATE).read_text().splitlines()
        return [tuple(map(int, line.split()[1:4])) for line in lines if line.startswith("segment ")]

    def test_killed_with_several_segments(self):
        self.several(signal.SIGKILL)

    def test_ctrl_c_with_several_segments(self):
        self.several(signal.SIGINT)


class Again(ResumeCase):
    def test_the_same_version_is_not_fetched_again(self):
        thing = self.thing(BODY)
        self.check(self.fetch(thing.url), OK, {"x": BODY})
        for options in ((), ("-s", 4), ("-o", "x"), ("-J",)):
            self.server.connections = 0
            result = self.fetch(*options, thing.url)
            self.check(result, OK, {"x": BODY}, ["x: skipped: this version is there already", "0 ok, 0 failed, 1 skipped"])

    def test_somebody_elses_file_is_not_ours(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give files away")
        thing = self.thing(BODY)
        self.check(self.fetch(thing.url), OK, {"x": BODY})
        os.chown(self.out / "x", 1, 1)  # its mark is what it was
        self.check(self.fetch(thing.url), OK, {"x": BODY, "x.1": BODY})

    def test_an_end_that_may_be_a_cut_is_not_trusted(self):
        url = self.serve("/x", b'HTTP/1.1 200 OK\r\nETag: "1"\r\n\r\n' + BODY[:CUT])
        self.check(self.fetch(url), OK, {"x": BODY[:CUT]})
        self.serve("/x", b'HTTP/1.1 200 OK\r\nETag: "1"\r\n\r\n' + BODY)
        self.check(self.fetch(url), OK, {"x": BODY[:CUT], "x.1": BODY})

    def test_room_that_was_made_is_given_back(self):
        if subprocess.run(["stat", "-fc", "%T", self.out], capture_output=True, text=True).stdout.strip() != "ext2/ext3":
            self.skipTest("what is reserved can be seen on ext4 only")
        thing = self.thing(bytes(64 * MIB))
        self.cut(thing, CUT)
        self.assertLess((self.out / self.PART).stat().st_blocks * 512, MIB)

    def test_the_same_version_in_chunks(self):
        raw = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n' + chunked([BODY]).partition(b"\r\n\r\n")[2]
        url = self.serve("/x", raw)
        self.check(self.fetch(url), OK, {"x": BODY})
        self.check(self.fetch(url), OK, {"x": BODY}, "x: skipped: this version is there already")

    def test_another_version_gets_a_number(self):
        thing = self.thing(BODY)
        self.check(self.fetch(thing.url), OK, {"x": BODY})
        thing.body, thing.fields = OTHER, {"ETag": '"2"'}
        self.check(self.fetch(thing.url), OK, {"x": BODY, "x.1": OTHER})
        self.check(self.fetch(thing.url), OK, {"x": BODY, "x.1": OTHER}, "x.1: skipped: this version is there already")

    def test_a_file_that_was_changed_is_no_version(self):
        thing = self.thing(BODY)
        self.check(self.fetch(thing.url), OK, {"x": BODY})
        with open(self.out / "x", "r+b") as file:
            file.write(b"mine")
        os.utime(self.out / "x", ns=(0, 12345))
        mine = b"mine" + BODY[4:]
        self.check(self.fetch(thing.url), OK, {"x": mine, "x.1": BODY})

    def test_no_version_is_never_the_same(self):
        for fields in ({}, {"ETag": 'W/"1"'}):
            url = self.serve("/x", response(BODY, **fields))
            self.check(self.fetch(url), OK)
            self.check(self.fetch(url), OK, {"x": BODY, "x.1": BODY})
            for name in ("x", "x.1"):
                (self.out / name).unlink()

    def test_two_urls_of_one_name(self):
        urls = [self.thing(BODY, path="/a/x").url, self.thing(OTHER, path="/b/x").url]
        files = {"x": BODY, "x.1": OTHER}
        self.check(self.fetch(*urls), OK, files)
        self.check(self.fetch(*urls), OK, files, "0 ok, 0 failed, 2 skipped")
        self.check(self.fetch(*reversed(urls)), OK, files, "0 ok, 0 failed, 2 skipped")


class StandardOutput(ResumeCase):
    tries = 3

    def test_a_retry_in_the_middle(self):
        thing = self.thing(BODY)
        thing.plan = [CUT]
        result = self.fetch("--retry-wait", 0, "-o", "-", thing.url)
        self.check(result, OK, {})
        self.assertTrue(result.out == BODY)
        self.assertEqual(thing.asked, [(None, None), (REST, '"1"')])

    def test_no_byte_twice(self):
        for etag, change in ((None, None), ('"1"', '"2"'), ('"1"', "no parts")):
            thing = self.thing(BODY, etag)
            thing.plan = [CUT]

            def changes(client, first, thing=thing, change=change):
                if change != "no parts":
                    thing.fields = {"ETag": change}

            thing.divided = change != "no parts"
            if change:
                thing.before = changes
            result = self.fetch("--retry-wait", 0, "-o", "-", thing.url)
            self.check(result, 1, {}, f"cannot start over: {CUT} bytes are written to standard output already")
            self.assertTrue(result.out == BODY[:CUT])

    def test_nothing_was_written_yet(self):
        thing = self.thing(BODY, None)
        thing.plan = [0]
        result = self.fetch("--retry-wait", 0, "-o", "-", thing.url)
        self.check(result, OK, {})
        self.assertTrue(result.out == BODY)


harness.main()
