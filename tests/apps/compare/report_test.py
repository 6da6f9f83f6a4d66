# SPDX-License-Identifier: MIT
"""The reports of ringlet-compare, of results that nobody measured: a machine reads one, and people can read the other.

usage: report_test.py SAMPLE_REPORT [unittest's arguments]
       report_test.py SAMPLE_REPORT --screenshots DIRECTORY [PAGE]
                                                 makes the pictures of docs/compare.md, of a page that was measured if it is named
"""

import base64
import functools
import html.parser
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import devtools  # noqa: E402
from legibility import DESKTOP, EVERY_LOOK, PHONE, contrast, luminance, overlap  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
HANGS_AFTER = 30
# What stands in the odd results for every text, as a machine gets it.
EVIL = "</script><b>\"x'&\\\x1b[2J\ufffd\u202e\n"


@functools.cache
def report(form, which):
    made = subprocess.run([PROGRAM, form, which], check=True, stdout=subprocess.PIPE, timeout=HANGS_AFTER)
    return made.stdout.decode("utf-8")


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def parsed(which):
    return json.loads(report("json", which), parse_constant=refuse)


class Json(unittest.TestCase):
    def test_it_is_one_line_and_safe_on_a_terminal(self):
        for which in ("small", "full", "odd", "empty"):
            text = report("json", which)
            self.assertEqual(text.count("\n"), 1)
            self.assertTrue(text.removesuffix("\n").isprintable())

    def test_odd_texts_come_through(self):
        odd = parsed("odd")
        self.assertEqual({odd["version"], odd["began"], *odd["findings"], odd["remarks"][0]}, {EVIL})
        self.assertEqual(odd["surroundings"], [{"what": EVIL, "value": EVIL}, {"what": EVIL, "value": ""}])
        server = {"name": EVIL, "summary": EVIL, "lines": None, "version": EVIL, "extra": False, "peer": True}
        self.assertEqual(odd["servers"], [server])
        first, no_rows = odd["scenarios"]
        self.assertEqual((first["title"], first["question"], first["rows"][2]["why_not"]), (EVIL, EVIL, EVIL))
        self.assertEqual(no_rows["rows"], [])

    def test_what_is_no_number_is_null(self):
        odd = parsed("odd")
        self.assertIsNone(odd["took_seconds"])
        self.assertEqual(odd["seed"], 2**64 - 1)
        rows = odd["scenarios"][0]["rows"]
        self.assertIsNone(rows[0]["runs"][1]["seconds"])
        self.assertEqual(rows[0]["runs"][1]["memory_grown_bytes"], -5000)
        self.assertEqual(set(rows[1]["summary"].values()), {None})
        self.assertEqual(rows[2]["summary"]["calls_per_request"], {"median": None, "lowest": None, "highest": None})

    def test_errors_stand_by_their_kinds(self):
        kinds = ["refused", "reset", "timed_out", "wrong_status", "wrong_bytes", "no_http"]
        run = parsed("odd")["scenarios"][0]["rows"][0]["runs"][1]
        self.assertEqual(run["errors"], dict(zip(kinds, range(1, 7))))

    def test_a_row_sums_up_its_runs(self):
        row = parsed("small")["scenarios"][1]["rows"][5]
        self.assertEqual((row["server"], row["connections"], row["why_not"]), ("coroutine", 64, None))
        rates = sorted(run["answered"] / run["seconds"] for run in row["runs"])
        self.assertEqual(row["summary"]["requests_per_second"], dict(zip(("lowest", "median", "highest"), rates)))
        cpu = sorted((r["user_ns"] + r["system_ns"]) // r["answered_ever"] for r in row["runs"])
        self.assertEqual(row["summary"]["cpu_per_request_ns"], dict(zip(("lowest", "median", "highest"), cpu)))
        self.assertEqual(row["summary"]["calls_per_request"]["median"], 0.19)

    def test_what_few_requests_would_tell_by_chance_is_not_told(self):
        summary = parsed("small")["scenarios"][0]["rows"][0]["summary"]
        self.assertEqual(summary["p50_ns"]["median"], 900_400_000)
        for key in ("requests_per_second", "p99_ns", "cpu_per_request_ns", "memory_per_connection_bytes"):
            self.assertIsNone(summary[key], key)

    def test_a_curve_is_short_and_goes_from_end_to_end(self):
        for row in parsed("full")["scenarios"][1]["rows"]:
            for run in row["runs"]:
                shares, times = zip(*run["curve_share_and_ns"])
                self.assertLessEqual(len(shares), 102)
                self.assertEqual((shares[0], shares[-1]), (0, 1))
                self.assertEqual((list(shares), list(times)), (sorted(set(shares)), sorted(times)))
                self.assertTrue(any(0.9985 < share < 0.9995 for share in shares))

    def test_who_waited_for_whom(self):
        timeline = parsed("small")["scenarios"][0]["rows"][0]["timeline"]
        self.assertEqual([each["what"] for each in timeline], ["silent", "waits", "answered"])
        self.assertEqual(timeline[1], {"who": "the other one", "what": "waits", "from_ns": 10**8, "to_ns": 1_000_400_000})

    def test_the_keys_are_those_that_are_explained(self):
        full = parsed("full")
        explained = [column["key"] for column in full["columns"]]
        self.assertEqual(list(full["scenarios"][0]["rows"][0]["summary"]), [key for key in explained if key != "lines"])
        loops = {s["name"]: (s["loop"], s["sent_per_second"]) for s in full["scenarios"]}
        self.assertEqual((loops["keepalive"], loops["open"]), (("closed", None), ("open", 20_000)))


class Outline(html.parser.HTMLParser):
    """The elements, each within what it stands in; fails where they do not close as they were opened."""

    VOID = {"meta", "link", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def count(self, tag):
        return sum(each[0] == tag for each in self.elements)


class Markup(unittest.TestCase):
    def test_every_element_is_closed(self):
        for which in ("small", "full", "odd", "empty"):
            with self.subTest(which):
                Outline(report("html", which))

    def test_it_needs_nothing_from_elsewhere(self):
        for which in ("small", "full", "odd"):
            outline = Outline(report("html", which))
            self.assertEqual([outline.count(tag) for tag in ("script", "img", "iframe", "object", "b")], [0] * 5)
            for tag, attributes, _ in outline.elements:
                self.assertFalse({"src", "style", "srcset"} & set(attributes), (tag, attributes))
                self.assertFalse([name for name in attributes if name.startswith("on")])
                if "href" in attributes:
                    self.assertTrue(attributes["href"].startswith(("#", "data:,")), attributes)
            for word in ("@import", "url("):
                self.assertNotIn(word, report("html", which))

    def test_tables_and_pictures_have_names(self):
        outline = Outline(report("html", "full"))
        self.assertEqual(outline.count("table"), outline.count("caption"))
        for tag, attributes, _ in outline.elements:
            if tag == "th":
                self.assertIn(attributes.get("scope"), ("col", "row", "colgroup", "rowgroup"))
            if tag == "svg":
                self.assertTrue(attributes.get("role") == "img" or attributes.get("aria-hidden") == "true")
        pictures = outline.count("figure")
        self.assertGreater(pictures, 30)
        self.assertEqual(sum(tag == "desc" for tag, _, _ in outline.elements), pictures)
        self.assertEqual(sum(tag == "title" and "svg" in within for tag, _, within in outline.elements), pictures)

    def test_the_links_lead_to_sections(self):
        outline = Outline(report("html", "full"))
        ids = [attributes["id"] for _, attributes, _ in outline.elements if "id" in attributes]
        self.assertEqual(len(ids), len(set(ids)))
        links = [attributes["href"][1:] for tag, attributes, _ in outline.elements if tag == "a"]
        self.assertEqual(set(links) | {"findings"}, set(ids))

    def test_failures_are_told(self):
        text = " ".join(Outline(report("html", "full")).words)
        for told in (
            "1 of 64",
            "not run: fork: Resource temporarily unavailable",
            "at 10,000, not run: 10,000 would need more processes and threads",
            "served 0 of 64 connections; 1,236 errors: 1,236 timed out",
            "20 errors: 3 reset, 17 timed out",
        ):
            self.assertIn(told, text)

    def test_text_from_outside_stays_text(self):
        shown = "</script><b>\"x'&\\\\x1b[2J\ufffd\\x0a"
        odd = Outline(report("html", "odd"))
        self.assertIn(shown, odd.words)
        self.assertTrue(report("html", "odd").replace("\n", "").isprintable())

    def test_every_figure_is_explained(self):
        words = Outline(report("html", "small")).words
        for column in parsed("small")["columns"]:
            self.assertTrue(column["explanation"].endswith("."), column)
            self.assertIn(column["explanation"], words)


# What people see: where texts stand, on what, and of each picture what belongs to it.
SEEN = """(() => {
    const box = r => ({left: r.left, right: r.right, top: r.top, bottom: r.bottom});
    const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const known = new Map();
    const rgb = colour => {
        if (!known.has(colour)) {
            paint.clearRect(0, 0, 1, 1);
            paint.fillStyle = colour;
            paint.fillRect(0, 0, 1, 1);
            known.set(colour, [...paint.getImageData(0, 0, 1, 1).data]);
        }
        return known.get(colour);
    };
    const behind = e => {
        for (; e; e = e.parentElement) {
            const colour = rgb(getComputedStyle(e).backgroundColor);
            if (colour[3] == 255) return colour;
        }
        return null;
    };
    const texts = [];
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const parent = walk.currentNode.parentElement;
        const text = walk.currentNode.data.trim();
        if (!text || parent.closest("desc, title")) continue;
        const style = getComputedStyle(parent);
        const range = document.createRange();
        range.selectNodeContents(walk.currentNode);
        texts.push({text, colour: rgb(parent.closest("svg") ? style.fill : style.color), on: behind(parent),
                    scrolls: !!parent.closest(".scroll"), boxes: [...range.getClientRects()].map(box)});
    }
    const pictures = [...document.querySelectorAll("figure svg")].map(svg => ({
        section: svg.closest("section").id,
        title: svg.querySelector("title").textContent,
        frame: box(svg.getBoundingClientRect()),
        letters: parseFloat(getComputedStyle(svg).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width,
        texts: [...svg.querySelectorAll("text")].map(t => ({text: t.textContent, ...box(t.getBoundingClientRect())})),
        shapes: [...svg.querySelectorAll(".mark, .bar, .line, rect")].map(s => box(s.getBoundingClientRect())),
        on: behind(svg),
        colours: [...svg.querySelectorAll(".mark, .bar, .line, rect, .range")].map(s => {
            const style = getComputedStyle(s);
            return rgb(s.matches(".line, .range") ? style.stroke : style.fill);
        }),
    }));
    return {
        inner: document.documentElement.clientWidth,
        scroll: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
        canvas: behind(document.body), texts, pictures, bold: document.querySelectorAll("b").length,
        looks: [...document.querySelectorAll("#servers tbody .key")].map(k => {
            const style = getComputedStyle(k);
            return [style.getPropertyValue("--c"), k.firstChild.getAttribute("d")];
        }),
    };
})()"""


@unittest.skipUnless(devtools.FOUND, "no Chromium is installed")
class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="ringlet-report-")
        cls.addClassCleanup(folder.cleanup)
        browser = devtools.Browser()
        cls.addClassCleanup(browser.close)
        cls.seen = []
        for which in ("full", "odd"):
            path = pathlib.Path(folder.name) / f"{which}.html"
            path.write_text(report("html", which), encoding="utf-8")
            for look in EVERY_LOOK:
                page = browser.page(**look).load(path.as_uri())
                cls.seen.append(({"which": which, **look}, page.run(SEEN), page.complaints(), page.requests(), path.as_uri()))
                page.close()

    def check(self, check):
        for look, seen, *_ in self.seen:
            with self.subTest(**look):
                check(seen)

    def test_nothing_is_said_in_the_console(self):
        for look, _, complaints, *_ in self.seen:
            self.assertEqual(complaints, [], look)

    def test_nothing_but_the_page_is_asked_for(self):
        for look, _, _, requests, page in self.seen:
            self.assertEqual(requests, [page], look)

    def test_the_page_does_not_scroll_sideways(self):
        def check(seen):
            self.assertLessEqual(seen["scroll"], seen["inner"])
            for text in seen["texts"]:
                for box in text["boxes"] if not text["scrolls"] else ():
                    self.assertGreaterEqual(box["left"], 0, text)
                    self.assertLessEqual(box["right"], seen["inner"] + 0.5, text)

        self.check(check)

    def test_what_belongs_to_a_picture_stands_in_it(self):
        def check(seen):
            for picture in seen["pictures"]:
                frame = picture["frame"]
                for each in picture["texts"] + picture["shapes"]:
                    self.assertGreaterEqual(each["left"], frame["left"] - 1, (picture["title"], each))
                    self.assertLessEqual(each["right"], frame["right"] + 1, (picture["title"], each))
                    self.assertGreaterEqual(each["top"], frame["top"] - 2, (picture["title"], each))
                    self.assertLessEqual(each["bottom"], frame["bottom"] + 2, (picture["title"], each))

        self.check(check)

    def test_no_label_lies_on_another(self):
        def check(seen):
            for picture in seen["pictures"]:
                texts = picture["texts"]
                for i, one in enumerate(texts):
                    for other in texts[i + 1 :]:
                        self.assertFalse(overlap(one, other), (picture["title"], one, other))

        self.check(check)

    def test_labels_are_large_enough(self):
        def check(seen):
            for picture in seen["pictures"]:
                self.assertGreaterEqual(picture["letters"], 10)

        self.check(check)

    def test_every_server_is_named_in_every_picture(self):
        rows = {s["name"]: {row["server"] for row in s["rows"]} for s in parsed("full")["scenarios"]}

        def check(seen):
            drawn = {}
            for picture in seen["pictures"]:
                drawn[picture["section"]] = drawn.get(picture["section"], 0) + 1
                named = {text["text"].split(" ")[0].strip("()") for text in picture["texts"]}
                self.assertLessEqual(rows[picture["section"]], named, picture["title"])
            self.assertEqual(drawn, {"silent": 3, "keepalive": 7, "slow": 5, "short": 6, "idle": 5, "readers": 4, "open": 4})

        for look, seen, *_ in self.seen:
            if look["which"] == "full":
                with self.subTest(**look):
                    check(seen)

    def test_text_can_be_told_from_what_it_stands_on(self):
        def check(seen):
            for text in seen["texts"]:
                self.assertGreaterEqual(contrast(text["colour"], text["on"]), 4.5, text)

        self.check(check)

    def test_what_is_drawn_can_be_told_from_the_page(self):
        def check(seen):
            for picture in seen["pictures"]:
                for colour in picture["colours"]:
                    self.assertGreaterEqual(contrast(colour, picture["on"]), 3, (picture["title"], colour))

        self.check(check)

    def test_no_two_servers_look_the_same(self):
        for look, seen, *_ in self.seen:
            if look["which"] == "full":
                self.assertEqual(len(seen["looks"]), 11)
                self.assertEqual(len({colour for colour, _ in seen["looks"]}), 11)
                self.assertEqual(len({shape for _, shape in seen["looks"][:6]}), 6)  # the course's, without any colour

    def test_light_is_light_and_dark_is_dark(self):
        for look, seen, *_ in self.seen:
            (self.assertLess if look["dark"] else self.assertGreater)(luminance(seen["canvas"]), 0.1 if look["dark"] else 0.9)


def make_screenshots(directory, measured=None):
    browser = devtools.Browser()
    looks = {"compare": {**DESKTOP, "height": 1880}, "compare-phone-dark": {**PHONE, "height": 1780, "dark": True}}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "page.html"
        path.write_text(pathlib.Path(measured).read_text("utf-8") if measured else report("html", "small"), encoding="utf-8")
        try:
            for name, look in looks.items():
                page = browser.page(**look)
                page.call("Emulation.setScrollbarsHidden", hidden=True)
                page.load(path.as_uri())
                (pathlib.Path(directory) / f"{name}.png").write_bytes(base64.b64decode(page.screenshot()))
        finally:
            browser.close()


if sys.argv[2:3] == ["--screenshots"]:
    make_screenshots(*sys.argv[3:])
else:
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
