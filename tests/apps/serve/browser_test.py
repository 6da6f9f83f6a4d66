# SPDX-License-Identifier: MIT
"""A browser loads pages and listings: all that belongs to them comes, and people can read and follow what they see.

usage: browser_test.py PROGRAM [unittest's arguments]
       browser_test.py PROGRAM --screenshots DIRECTORY    makes the pictures of docs/serve.md, nothing else
"""

import base64
import os
import pathlib
import struct
import sys
import tempfile
import urllib.parse
import zlib

from harness import Server, ServeCase, get, main

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import devtools  # noqa: E402
from legibility import DESKTOP, EVERY_LOOK, PHONE, contrast, luminance, overlap  # noqa: E402


def png(width, height):
    """A grey picture."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_silence(path, seconds):
    """A sound of two channels of 16 bits, which takes no room on the disk."""
    rate = 48_000
    size = 4 * rate * seconds
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, rate, 4 * rate, 4, 16)
    with open(path, "wb") as sparse:
        sparse.write(b"RIFF" + struct.pack("<I", 36 + size) + b"WAVE" + form + b"data" + struct.pack("<I", size))
        sparse.truncate(44 + size)


def make_page(folder):
    """A page with ten style sheets, ten scripts and ten pictures, from a hundred bytes to half a mebibyte."""
    folder.mkdir()
    html = ["<!doctype html><title>thirty</title><link rel=icon href=data:,><script>loaded = []</script>"]
    for i in range(10):
        filler = "/*" + "x" * (100 << i) + "*/\n"
        (folder / f"{i}.css").write_text(f"{filler}:root {{ --sheet-{i}: {i}; }}\n")
        (folder / f"{i}.js").write_text(f"{filler}loaded.push({i});\n")
        (folder / f"{i}.png").write_bytes(png(10 + i, 400))
        html.append(f"<link rel=stylesheet href={i}.css><script src={i}.js></script><img src={i}.png>")
    (folder / "index.html").write_text("\n".join(html))


WHAT_LOADED = """({
    sheets: [...Array(10).keys()].filter(i => getComputedStyle(document.documentElement).getPropertyValue(`--sheet-${i}`).trim() == i),
    scripts: loaded,
    images: [...document.images].filter(i => i.complete && i.naturalHeight == 400).map(i => i.naturalWidth - 10),
    statuses: performance.getEntriesByType("resource").map(e => e.responseStatus),
})"""


class Pages(ServeCase):
    @classmethod
    def fill(cls, root):
        super().fill(root)
        make_page(root / "thirty")
        write_silence(root / "sound.wav", 10_000)
        (root / "sound.html").write_text("<!doctype html><title>sound</title><link rel=icon href=data:,>")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = devtools.Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.logging = self.start("--json")
        self.url = "http://%s:%d" % self.logging.address

    def test_all_that_belongs_to_a_page_comes(self):
        page = self.browser.page().load(f"{self.url}/thirty/")
        every = list(range(10))
        self.assertEqual(page.run(WHAT_LOADED), {"sheets": every, "scripts": every, "images": every, "statuses": [200] * 30})
        self.assertEqual(page.complaints(), [])

    def test_what_the_browser_has_is_not_sent_again(self):
        page = self.browser.page().load(f"{self.url}/thirty/")
        page.reload()
        self.assertEqual(page.run(WHAT_LOADED)["images"], list(range(10)))
        self.assertEqual(page.complaints(), [])
        _, log, _ = self.logging.stop()
        self.assertEqual(log.count('"status":200'), 31)
        self.assertGreaterEqual(log.count('"status":304'), 1)

    def test_a_sound_is_played_from_its_middle(self):
        page = self.browser.page().load(f"{self.url}/sound.html")
        at = page.run(
            """new Promise((resolve, reject) => {
                const sound = new Audio("sound.wav");
                sound.onerror = () => reject(sound.error.message);
                sound.onloadedmetadata = () => sound.currentTime = 7000;
                sound.onseeked = () => resolve([sound.currentTime, sound.duration]);
            })"""
        )
        self.assertEqual(at, [7000, 10_000])
        self.assertEqual(page.complaints(), [])
        _, log, _ = self.logging.stop()
        self.assertGreaterEqual(log.count('"status":206'), 2)  # its begin, and what is played


ODD_NAMES = ["a b.txt", "100%.txt", "what?#.txt", "java:script.txt", "a&amp;b<i>.txt", "grüß 你好 😀.txt", "-rf", "quote'\".txt"]
LONG_NAMES = ["n" * 255, "a name of many words " * 12, "你" * 85, "x" * 120 + ".tar.gz"]


def lay_out_names(root):
    for name in ODD_NAMES + LONG_NAMES:
        (root / name).write_bytes(b"x" * 1234)
    (root / ("d" * 250)).mkdir()
    for size in (0, 1023, (1 << 20) - 1, (1 << 40) - 1):
        with open(root / f"sized-{size}.bin", "wb") as sparse:
            sparse.truncate(size)


# What people see of a listing, for the checks: where each text stands, what a finger meets, and the colours.
LAYOUT = """(() => {
    const box = r => ({left: r.left, right: r.right, top: r.top, bottom: r.bottom});
    const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgb = colour => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = "Canvas";  // what shows where nothing is painted
    const canvas = rgb(getComputedStyle(probe).color);
    probe.remove();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walk.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walk.currentNode);
        const text = walk.currentNode.data.trim();
        const parent = walk.currentNode.parentElement;
        if (!text) continue;
        texts.push({text, boxes: [...range.getClientRects()].map(box), colour: rgb(getComputedStyle(parent).color)});
    }
    const painted = [...document.body.querySelectorAll("*"), document.body, document.documentElement];
    const cell = c => ({text: c.textContent, shown: c.checkVisibility() && c.getBoundingClientRect().width > 0});
    const finger = link => {
        // How far up and down, left and right of its middle the link is met.
        const r = link.getClientRects()[0];
        link.scrollIntoView({block: "center"});
        const now = link.getClientRects()[0];
        const x = now.left + now.width / 2, y = now.top + now.height / 2;
        const reach = (dx, dy) => {
            let n = 0;
            while (n < 60 && link.contains(document.elementFromPoint(x + n * dx, y + n * dy))) ++n;
            return n;
        };
        return {href: link.getAttribute("href"), height: reach(0, 1) + reach(0, -1) - 1, width: reach(1, 0) + reach(-1, 0) - 1};
    };
    const out = {
        inner: innerWidth,
        scroll: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
        canvas, texts,
        backgrounds: painted.map(e => rgb(getComputedStyle(e).backgroundColor)),
        rows: [...document.querySelectorAll("tbody tr")].map(r => [...r.cells].map(cell)),
        links: [...document.links].map(l => l.href),
        scripts: document.scripts.length,
        handlers: [...document.querySelectorAll("*")].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith("on")).length,
        fingers: [],
    };
    out.fingers = [...document.links].map(finger);
    return out;
})()"""


class Listings(ServeCase):
    @classmethod
    def fill(cls, root):
        super().fill(root)
        cls.deep = "/folder with spaces/" + "long-folder-name-" * 8 + "/"
        deep = root / cls.deep.strip("/")
        deep.mkdir(parents=True)
        lay_out_names(deep)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = "http://%s:%d" % cls.server.address
        cls.browser = devtools.Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.looks = []
        for look in EVERY_LOOK:
            page = cls.listing(**look)
            cls.looks.append((look, page.run(LAYOUT), page.complaints()))
            page.close()

    @classmethod
    def listing(cls, **look):
        return cls.browser.page(**look).load(cls.url + urllib.parse.quote(cls.deep))

    def check_looks(self, check):
        for look, seen, _ in self.looks:
            with self.subTest(**look):
                check(seen)

    def test_nothing_is_said_in_the_console(self):
        self.assertEqual([complaints for _, _, complaints in self.looks], [[]] * len(EVERY_LOOK))

    def test_nothing_stands_out_of_the_window(self):
        def check(seen):
            self.assertLessEqual(seen["scroll"], seen["inner"])
            for text in seen["texts"]:
                for box in text["boxes"]:
                    self.assertGreaterEqual(box["left"], 0, text)
                    self.assertLessEqual(box["right"], seen["inner"], text)

        self.check_looks(check)

    def test_names_sizes_and_times_are_shown(self):
        def check(seen):
            shown = {}
            for name, size, time in seen["rows"][1:]:  # the first leads up
                self.assertTrue(name["shown"] and time["shown"], name)
                self.assertRegex(time["text"], r"^\d{4}-\d\d-\d\d \d\d:\d\d$")
                shown[name["text"]] = size
            self.assertEqual(len(shown), len(ODD_NAMES) + len(LONG_NAMES) + 5)
            for bytes_, text in ((0, "0B"), (1023, "1023B"), ((1 << 20) - 1, "1.0MiB"), ((1 << 40) - 1, "1.0TiB")):
                self.assertEqual(shown[f"sized-{bytes_}.bin"], {"text": text, "shown": True})

        self.check_looks(check)

    def test_no_text_lies_on_another(self):
        def check(seen):
            boxes = sorted(((b["top"], i, b) for i, t in enumerate(seen["texts"]) for b in t["boxes"]), key=lambda e: e[:2])
            for at, (_, one, a) in enumerate(boxes):
                for top, other, b in boxes[at + 1 :]:
                    if top > a["bottom"]:
                        break
                    self.assertFalse(one != other and overlap(a, b), (seen["texts"][one], seen["texts"][other]))

        self.check_looks(check)

    def test_text_can_be_told_from_what_it_stands_on(self):
        def check(seen):
            for background in seen["backgrounds"]:  # all text stands on the window's own colour
                self.assertIn(background, (seen["canvas"], [0, 0, 0, 0]))
            for text in seen["texts"]:
                self.assertGreaterEqual(contrast(text["colour"], seen["canvas"]), 4.5, (text, seen["canvas"]))

        self.check_looks(check)

    def test_light_is_light_and_dark_is_dark(self):
        light, dark = (luminance(seen["canvas"]) for _, seen, _ in self.looks[:2])
        self.assertGreater(light, 0.9)
        self.assertLess(dark, 0.1)

    def test_a_finger_meets_each_link(self):
        look, seen, _ = self.looks[-1]
        self.assertTrue(look["phone"])
        for finger in seen["fingers"]:
            self.assertGreaterEqual(finger["height"], 44, finger)
            self.assertGreaterEqual(finger["width"], 24, finger)

    def test_every_link_leads_to_something(self):
        links = self.looks[0][1]["links"]
        self.assertEqual(len(links), len(ODD_NAMES) + len(LONG_NAMES) + 5 + 4)
        with self.server.connect() as c:
            for link in links:
                self.assertTrue(link.startswith(self.url + "/"), link)
                if "sized-1099511627775" not in link:
                    self.assertEqual(c.send(get(link.removeprefix(self.url))).read().status, 200, link)

    def test_a_click_leads_there_and_back(self):
        page = self.browser.page(**PHONE).load(self.url)
        self.addCleanup(page.close)
        for _ in range(2):
            x, y = page.run("(r => [r.left + r.width / 2, r.top + r.height / 2])(document.querySelector('.d a[href^=\"./\"]').getBoundingClientRect())")
            page.click(x, y)
        self.assertEqual(urllib.parse.unquote(page.run("location.pathname")), self.deep)
        self.assertTrue(page.run("document.querySelector('tbody a').click(), true"))
        page.wait_loaded()
        self.assertEqual(page.run("location.pathname"), "/folder%20with%20spaces/")
        self.assertEqual(page.complaints(), [])

    def test_no_script_is_there_and_none_would_run(self):
        page = self.listing()
        seen = page.run(LAYOUT)
        self.assertEqual((seen["scripts"], seen["handlers"]), (0, 0))
        page.run("ran = false; s = document.createElement('script'); s.textContent = 'ran = true'; document.body.append(s)")
        self.assertFalse(page.run("ran"))
        self.assertIn("Content Security Policy", str(page.complaints()))

    def test_an_empty_folder(self):
        page = self.listing(**PHONE)
        page.load(f"{self.url}{urllib.parse.quote(self.deep)}{'d' * 250}/")
        seen = page.run(LAYOUT)
        self.assertLessEqual(seen["scroll"], seen["inner"])
        self.assertIn("0 directories, 0 files", [t["text"] for t in seen["texts"]])
        self.assertEqual(page.complaints(), [])


def example(root):
    """A folder as people have them."""
    time = 1767225600
    for name, size in {
        "photos/": 0,
        "talks/": 0,
        "CHANGELOG.md": 18_211,
        "a-rather-long-name-of-a-recording-2025-12-31T23-59-59Z.flac": 61_203_554,
        "debian-12.11.0-amd64-netinst.iso": 702_545_920,
        "grüße aus Kyōto.jpg": 2_483_027,
        "index.csv": 512,
        "notes.txt": 3_402,
        "ringlet-0.9.tar.gz": 1_306_220,
    }.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            with open(path, "wb") as sparse:
                sparse.truncate(size)
        time -= 40_000
        os.utime(path, (time, time))


def make_screenshots(directory):
    with tempfile.TemporaryDirectory() as base:
        folder = pathlib.Path(base) / "shared" / "2025"
        folder.mkdir(parents=True)
        example(folder)
        server = Server(base, "-q")
        browser = devtools.Browser()
        try:
            for name, look in {"listing": DESKTOP, "listing-phone-dark": {**PHONE, "dark": True}}.items():
                page = browser.page(**look).load("http://%s:%d/shared/2025/" % server.address)
                (pathlib.Path(directory) / f"{name}.png").write_bytes(base64.b64decode(page.screenshot()))
        finally:
            browser.close()
            server.kill()


if not devtools.FOUND:
    print("skipped: no Chromium is installed")
    sys.exit(77)
if sys.argv[2:3] == ["--screenshots"]:
    make_screenshots(sys.argv[3])
else:
    main()
