"""A headless Chromium that is driven through its DevTools pipe.

The protocol: https://chromedevtools.github.io/devtools-protocol
"""

import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from rts_tf.errors import RtsError

NAMES = ("chromium", "chromium-browser", "google-chrome")  # of the program, on the PATH
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL on the processor
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "--window-size=1000,900",
)
STARTS = 3  # At times Chromium hangs while it starts on a busy machine.
START_TIMEOUT = 60  # seconds
ANSWER_TIMEOUT = 120  # seconds
END_TIMEOUT = 20  # seconds
# Chromium reads from descriptor 3 and writes to 4. A process of its own sets them: Python code
# between fork and exec can wait forever for a lock that a thread of TensorFlow held.
ON_DESCRIPTORS = """
import os, sys
read, write, *command = sys.argv[1:]
low = os.dup(int(read)), os.dup(int(write))
os.dup2(low[0], 3), os.dup2(low[1], 4)
os.set_inheritable(3, True), os.set_inheritable(4, True)
os.execv(command[0], command)
"""


class NoAnswer(RtsError):
    """Chromium has ended or hangs."""


def missing() -> str:
    """What is missing here to run a page: empty if nothing is."""
    return "" if _program() else "chromium is not installed"


def _program() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One tab with one page.

    Attributes:
        errors: The errors of scripts, and what the security policy of the page forbade.
        requests: The addresses that the page and its workers asked for, its own included.
    """

    def __init__(self, write: int, read: int):
        self._write, self._read, self._buffer, self._number = write, read, b"", 0
        self._session: str | None = None
        self.errors: list[dict] = []
        self.requests: list[str] = []

    def open(self, path: pathlib.Path) -> None:
        """Open a file and wait until it is loaded.

        Raises:
            NoAnswer: It does not come.
        """
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = session["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        workers: dict[str, Any] = {
            "autoAttach": True,
            "waitForDebuggerOnStart": True,
            "flatten": True,
        }
        self.call("Target.setAutoAttach", **workers)
        self.call("Page.navigate", url=path.as_uri())
        until = time.monotonic() + ANSWER_TIMEOUT
        while (
            self.evaluate("document.readyState") != "complete"
            or self.evaluate("location.href") == "about:blank"
        ):
            if time.monotonic() > until:
                raise NoAnswer(f"Chromium does not load {path}")
            time.sleep(0.02)

    def call(self, method: str, patience: float = ANSWER_TIMEOUT, **parameters: Any) -> dict:
        """Send a command and wait for its answer, at most ``patience`` seconds for each message.

        Raises:
            RtsError: Chromium refuses the command, or does not answer.
        """
        number = self._send(method, parameters, self._session)
        while True:
            answer = self._next(patience)
            self._note(answer)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RtsError(f"Chromium: {method}: {answer['error']['message']}")
                return answer["result"]

    def _send(self, method: str, parameters: dict, session: str | None) -> int:
        """Send a command; returns its number."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        left = memoryview(json.dumps(message).encode() + b"\0")
        while left:  # a pipe takes less than a long message at once
            left = left[os.write(self._write, left) :]
        return self._number

    def _note(self, event: dict) -> None:
        """Note an event, and listen to a worker that the page has started."""
        name, parameters = event.get("method"), event.get("params", {})
        if name in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.errors.append(parameters)
        elif name == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif name == "Target.attachedToTarget" and self._session:
            for command in ("Network.enable", "Runtime.enable", "Runtime.runIfWaitingForDebugger"):
                self._send(command, {}, parameters["sessionId"])

    def _next(self, patience: float) -> dict:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], patience)
            part = os.read(self._read, 2**20) if ready else b""
            if not part:
                raise NoAnswer("Chromium has ended" if ready else "Chromium does not answer")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def evaluate(self, script: str, patience: float = ANSWER_TIMEOUT) -> Any:
        """The value of a JavaScript expression, that of a promise once it is there.

        Raises:
            RtsError: The expression throws an exception.
        """
        settings: dict[str, Any] = {"returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", patience=patience, expression=script, **settings)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RtsError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def drag(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        """Drag with the left button of the mouse. Points are (x, y) in pixels of the window."""
        button: dict[str, Any] = {"button": "left", "buttons": 1, "clickCount": 1}
        events = ("mousePressed", start), ("mouseMoved", stop), ("mouseReleased", stop)
        for kind, (x, y) in events:
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def press(self, key: str, code: int) -> None:
        """Press a key, given by its name and its virtual key code."""
        named: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, **named)

    def screenshot(self) -> bytes:
        """The window as a PNG file."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])


@contextlib.contextmanager
def browser(profile: pathlib.Path, flags: Sequence[str] = ()) -> Iterator[Tab]:
    """A new browser with a profile of its own.

    Args:
        profile: A directory that is not there yet, for what Chromium writes.
        flags: Further flags of Chromium.

    Raises:
        RtsError: Chromium is not installed, or does not start.
    """
    program = _program()
    if not program:
        raise RtsError(missing())
    with contextlib.ExitStack() as running:
        for start in range(STARTS):
            tab = running.enter_context(
                _started(program, profile.with_name(f"{profile.name} {start}"), flags)
            )
            with contextlib.suppress(NoAnswer):
                tab.call("Browser.getVersion", patience=START_TIMEOUT)
                break
            running.close()
        else:
            raise NoAnswer(f"Chromium was started {STARTS} times and did not answer")
        yield tab


@contextlib.contextmanager
def _started(program: str, profile: pathlib.Path, flags: Sequence[str]) -> Iterator[Tab]:
    to_read, write = os.pipe()
    read, to_write = os.pipe()
    ends = to_read, to_write
    command = [sys.executable, "-I", "-S", "-c", ON_DESCRIPTORS, *map(str, ends)]
    process = subprocess.Popen(
        [*command, program, *FLAGS, *flags, f"--user-data-dir={profile}"],
        pass_fds=ends,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in ends:
        os.close(end)
    try:
        yield Tab(write, read)
    finally:
        process.terminate()
        try:
            process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for end in (write, read):
            os.close(end)
