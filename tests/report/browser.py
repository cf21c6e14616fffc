"""Headless Chromium, driven over its own protocol on two pipes (--remote-debugging-pipe): what a page does is seen."""

from __future__ import annotations

import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)  # fmt: skip
_SECONDS = 60.0


class Browser:
    """One tab of a running Chromium."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer = b""
        self._ids = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=1200, height=2400, deviceScaleFactor=1, mobile=False)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one command; what happens meanwhile is added to ``events``."""
        return self._call(method, self._session, **parameters)

    def _call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)
            if answer.get("method") == "Page.javascriptDialogOpening":
                # A dialog would hold up all that follows.
                self._write_only("Page.handleJavaScriptDialog", accept=True)

    def _write_only(self, method: str, **parameters: Any) -> None:
        message = {"id": next(self._ids), "method": method, "params": parameters, "sessionId": self._session}
        os.write(self._commands, json.dumps(message).encode() + b"\0")

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(until - time.monotonic(), 0.0))
            assert ready, "Chromium does not answer"
            read = os.read(self._answers, 1 << 20)
            assert read, "Chromium has ended"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def value(self, expression: str) -> Any:
        """What a JavaScript ``expression`` is on the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, path: Path) -> None:
        """Show ``path`` until its picture is drawn, and point at everything in it."""
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        until = time.monotonic() + _SECONDS
        while not self.value("document.readyState === 'complete' && document.querySelector('svg.marks') !== null"):
            assert time.monotonic() < until, "nothing is drawn"
            time.sleep(0.05)
        box = self.value("(b => [b.width, b.height])(document.querySelector('svg.marks').getBoundingClientRect())")
        for x, y in itertools.product(range(20, int(box[0]), 60), range(20, int(box[1]), 60)):
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.value("document.querySelector('summary')?.click()")
        self.value("new Promise(done => setTimeout(done, 50))")

    def requests(self) -> list[str]:
        """What was asked for since the page was opened, itself left out."""
        sent = [e["params"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [own["request"]["url"] for own in sent if own.get("type") != "Document"]

    def complaints(self) -> list[str]:
        """Exceptions, errors in the console, what the policy of the page stopped, and dialogs."""
        seen = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
        return [
            json.dumps(event["params"])
            for event in self.events
            if event["method"] in seen
            or (event["method"] == "Runtime.consoleAPICalled" and event["params"]["type"] in ("error", "assert"))
        ]


@contextmanager
def running(profile: Path) -> Iterator[Browser]:
    """A browser with a ``profile`` folder of its own, ended at the end."""
    assert CHROMIUM is not None
    (read_commands, commands), (answers, write_answers) = os.pipe(), os.pipe()
    # Chromium reads commands from 3 and writes answers to 4.
    shell = f'exec "$0" "$@" 3<&{read_commands} 4>&{write_answers}'
    started = subprocess.Popen(
        ["bash", "-c", shell, CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(read_commands, write_answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(read_commands)
    os.close(write_answers)
    try:
        browser = Browser(commands, answers)
        yield browser
        browser._call("Browser.close")
        started.wait(20)
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()
        os.close(commands)
        os.close(answers)
