"""A headless Chromium that tests drive through its DevTools pipe.

The protocol: https://chromedevtools.github.io/devtools-protocol
"""

import base64
import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "--window-size=1000,900",
)
END_TIMEOUT = 60  # seconds


class Tab:
    """One tab with one page.

    Attributes:
        errors: The errors of scripts, and what the security policy of the page forbade.
    """

    def __init__(self, write: int, read: int):
        self._write, self._read, self._buffer, self._number = write, read, b"", 0
        self._session: str | None = None
        self.errors: list[dict] = []

    def open(self, path: pathlib.Path) -> None:
        """Open a file and wait until it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = session["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=path.as_uri())
        while (
            self.evaluate("document.readyState") != "complete"
            or self.evaluate("location.href") == "about:blank"
        ):
            time.sleep(0.02)

    def call(self, method: str, **parameters) -> dict:
        """Send one command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.errors.append(answer["params"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict:
        while b"\0" not in self._buffer:
            part = os.read(self._read, 2**20)
            assert part, "Chromium has gone"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def evaluate(self, script: str):
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def drag(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        """Drag with the left button of the mouse. Points are (x, y) in pixels of the window."""
        button = {"button": "left", "buttons": 1, "clickCount": 1}
        events = ("mousePressed", start), ("mouseMoved", stop), ("mouseReleased", stop)
        for kind, (x, y) in events:
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def press(self, key: str, code: int) -> None:
        """Press a key, given by its name and its virtual key code."""
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, **named)

    def screenshot(self) -> np.ndarray:
        """The window, uint8 [H, W, 3]."""
        file = io.BytesIO(base64.b64decode(self.call("Page.captureScreenshot")["data"]))
        return np.asarray(Image.open(file).convert("RGB"))


@contextlib.contextmanager
def browser(profile: pathlib.Path) -> Iterator[Tab]:
    """A new browser with a profile of its own. Skips the test if Chromium is not installed."""
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    to_read, write = os.pipe()
    read, to_write = os.pipe()

    def connect() -> None:
        """Chromium reads from descriptor 3 and writes to 4."""
        low = os.dup(to_read), os.dup(to_write)
        os.dup2(low[0], 3)
        os.dup2(low[1], 4)

    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        command,
        preexec_fn=connect,
        pass_fds=(3, 4),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read), os.close(to_write)
    try:
        yield Tab(write, read)
    finally:
        process.terminate()
        process.wait(END_TIMEOUT)
        os.close(write), os.close(read)
