# SPDX-License-Identifier: MIT
"""A headless Chromium that does what a test tells it, by the DevTools protocol over two pipes."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

# No answer takes nearly so long: a browser that has not given it by then hangs.
HANGS_AFTER = 30

FOUND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# It shows pages of the test only, so it needs no sandbox, which containers often cannot give it. No name is resolved: nothing but the
# server under test is asked for anything.
ARGUMENTS = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def high_pipe():
    """A pipe whose descriptors are not those that Chromium expects."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high


class Browser:
    """It reads commands from descriptor 3 and writes answers and events to 4, each JSON behind which a zero stands."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="ringlet-chromium-")
        commands_in, self.commands = high_pipe()
        self.answers, answers_out = high_pipe()

        def place():
            os.dup2(commands_in, 3)
            os.dup2(answers_out, 4)

        self.process = subprocess.Popen(
            [FOUND, *ARGUMENTS, f"--user-data-dir={self.profile}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=place,
            close_fds=False,
        )
        os.close(commands_in)
        os.close(answers_out)
        self.unread = bytearray()
        self.events = []
        self.last_id = 0

    def message(self):
        give_up = time.monotonic() + HANGS_AFTER
        while b"\0" not in self.unread:
            if not select.select([self.answers], [], [], max(0, give_up - time.monotonic()))[0]:
                raise AssertionError("the browser does not answer")
            data = os.read(self.answers, 1 << 20)
            if not data:
                raise AssertionError("the browser has ended")
            self.unread += data
        text, _, rest = self.unread.partition(b"\0")
        self.unread = rest
        return json.loads(text)

    def call(self, method, session=None, **parameters):
        self.last_id += 1
        command = {"id": self.last_id, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data) :]
        while (got := self.message()).get("id") != command["id"]:
            self.events.append(got)
        if "error" in got:
            raise AssertionError(f"{method}: {got['error']}")
        return got["result"]

    def wait_event(self, method, session):
        """The oldest event of that name; those before it are kept."""
        seen = 0
        while True:
            for i in range(seen, len(self.events)):
                if self.events[i]["method"] == method and self.events[i].get("sessionId") == session:
                    return self.events.pop(i)["params"]
            seen = len(self.events)
            self.events.append(self.message())

    def page(self, **how):
        return Page(self, **how)

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(timeout=HANGS_AFTER)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.commands)
            os.close(self.answers)
            shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    """A tab of a size, in light or dark. --window-size would not do: a window has a least width, greater than a phone's."""

    def __init__(self, browser, width=1280, height=800, phone=False, dark=False):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def load(self, url):
        """Shows the page, when all that belongs to it has come."""
        went = self.call("Page.navigate", url=url)
        if "errorText" in went:
            raise AssertionError(f"{url}: {went['errorText']}")
        self.wait_loaded()
        return self

    def reload(self):
        self.call("Page.reload")
        self.wait_loaded()

    def wait_loaded(self):
        self.browser.wait_event("Page.loadEventFired", self.session)

    def run(self, script):
        """The value of a script's last expression; of a promise, what it comes to."""
        got = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise AssertionError(got["exceptionDetails"])
        return got["result"].get("value")

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.wait_loaded()

    def screenshot(self):
        """The PNG in base64."""
        return self.call("Page.captureScreenshot", format="png")["data"]

    def complaints(self):
        """What stands in the console, exceptions, and what a policy has refused."""
        self.run("0")  # what was said before this has come
        mine = [e for e in self.browser.events if e.get("sessionId") == self.session]
        return [
            e["params"]
            for e in mine
            if e["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        ]

    def requests(self):
        """The URLs that were asked for since the tab was opened, those that stand in the page itself not among them."""
        self.run("0")
        mine = [e for e in self.browser.events if e.get("sessionId") == self.session]
        asked = [e["params"]["request"]["url"] for e in mine if e["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("data:")]

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
