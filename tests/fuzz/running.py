"""Runs readers on damaged files in processes that may crash, and keeps what is found."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import NamedTuple

from tests.fuzz.worker import SECONDS

_HANGS = 4 * SECONDS + 60  # seconds without a line after which a process is ended


class Finding(NamedTuple):
    """An input that a reader neither reads nor refuses.

    Attributes:
        target: The name of the reader.
        said: A traceback, or a line.
        input: Where the input is kept.
    """

    target: str
    said: str
    input: str

    @property
    def kind(self) -> str:
        """What findings of one cause have in common: the last place in this package, the error."""
        places = re.findall(r'rts_tf/(\S+\.py)", line (\d+)', self.said)
        place = ":".join(places[-1]) if places else ""
        last = self.said.strip().splitlines()[-1] if self.said.strip() else ""
        return f"{self.target}: {place} {re.sub(r'[0-9]+', 'N', last)[:110]}"


class Outcome(NamedTuple):
    """What came of a batch: how many inputs were read and refused, and the findings."""

    read: int = 0
    refused: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def inputs(self) -> int:
        return self.read + self.refused + len(self.findings)

    def __add__(self, other: "Outcome") -> "Outcome":  # type: ignore[override]
        return Outcome(*(mine + its for mine, its in zip(self, other, strict=True)))


def run_batch(target: str, seed: int, count: int, kept: pathlib.Path, until: float) -> Outcome:
    """Give ``count`` damaged files to a reader, in a process of its own.

    Args:
        target: The name of the reader.
        seed: Of the damage.
        count: How many files.
        kept: The folder in which inputs that are findings are kept.
        until: When to stop, by ``time.monotonic``; what was read until then counts.
    """
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryFile("w+") as errors:
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.worker", target]
        process = subprocess.Popen(
            [*command, str(seed), str(count), scratch],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        watch = _Watch(process, until)
        counts: dict[str, int] = {}
        so_far = {"read": 0, "refused": 0}
        findings: list[Finding] = []
        for line in process.stdout or ():
            watch.seen()
            told = json.loads(line) if line.startswith("{") else {}
            if "said" in told:
                path = pathlib.Path(told["input"])
                name = f"{target}-{seed}-{len(findings)}{''.join(path.suffixes)}"
                shutil.move(path, kept / name)
                findings.append(Finding(target, told["said"], str(kept / name)))
            elif "read" in told:
                counts = told
            so_far = told.get("so_far", so_far)
        watch.end()
        errors.seek(0)
        said = errors.read()[-3000:]
        if counts:
            return Outcome(counts["read"], counts["refused"], tuple(findings))
        if watch.over:
            return Outcome(so_far["read"], so_far["refused"], tuple(findings))
        left = sorted(pathlib.Path(scratch).glob("input*"))
        for path in [p for p in left if p.is_file()]:
            name = f"{target}-{seed}-crash{''.join(path.suffixes)}"
            shutil.copy(path, kept / name)
            ended = f"{said}\nthe process ended with {process.returncode}"
            findings.append(Finding(target, ended, str(kept / name)))
            break
        else:
            raise RuntimeError(f"{target}: the process of the reader does not start:\n{said}")
        return Outcome(so_far["read"], so_far["refused"], tuple(findings))


class _Watch:
    """Ends a process that says nothing for too long, or when the time is over."""

    def __init__(self, process: subprocess.Popen, until: float):
        self._process, self._until, self._last = process, until, time.monotonic()
        self.over = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def seen(self) -> None:
        self._last = time.monotonic()

    def end(self) -> None:
        self._process.wait()
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.5):
            now = time.monotonic()
            if now > self._until:
                self.over = True
            if self.over or now > self._last + _HANGS:
                os.kill(self._process.pid, signal.SIGKILL)
                return
