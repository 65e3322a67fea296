"""The progress line of a run: stage, phase, loss, speed, and the time left for all of it. Also where Ctrl-C is heard."""

import contextlib
import signal
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from rts_tf.errors import Interrupted

PLAIN_LINE_EVERY = 10.0  # seconds, where the output is not a terminal


class RunProgress:
    """Counts work in GFLOP, so that training steps and pictures add up, and turns it into time by what was measured."""

    def __init__(self, work: dict[str, float], console: Console | None = None):
        """``work``: GFLOP of the whole run by phase, e.g. {"Phase A": 9000, "Phase B": 400}."""
        self.console = console or Console(highlight=False)
        self._left = dict(work)
        self._total = sum(work.values())
        self._done: dict[str, float] = dict.fromkeys(work, 0.0)
        self._seconds: dict[str, float] = dict.fromkeys(work, 0.0)
        self._clock = self._last_line = time.monotonic()
        self._stop = False
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
        )
        self._task = self._bar.add_task("starting", total=self._total, left="")

    @contextlib.contextmanager
    def running(self) -> Iterator["RunProgress"]:
        """Show the line, and turn the first Ctrl-C (or SIGTERM) into Interrupted at the next safe place."""

        def stop(number, frame):
            if self._stop:
                raise KeyboardInterrupt
            self._stop = True
            with contextlib.suppress(
                RuntimeError
            ):  # the signal came in the middle of a print: printing is not reentrant
                self.say("stopping at the next safe place (once more: at once) ...")

        previous = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            with self._bar if self.console.is_terminal else contextlib.nullcontext():
                yield self
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def say(self, line: str) -> None:
        """One line that stays."""
        self.console.print(line, markup=False, soft_wrap=True)

    def skip(self, phase: str, work: float) -> None:
        """Work that an earlier run of the command did."""
        self._left[phase] -= work
        self._total -= work
        self._clock = time.monotonic()

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        """``work`` of ``phase``, ``count`` of ``unit``, was done since the last call.

        Raises Interrupted if the user asked to stop: call it only where the state on disk is whole.
        """
        now = time.monotonic()
        text += f"  {count / max(1e-9, now - self._clock):.2f} {unit}/s"
        self._seconds[phase] += now - self._clock
        self._clock = now
        self._left[phase] -= work
        self._done[phase] += work
        left = f"{_duration(self.seconds_left())} left"
        if self.console.is_terminal:
            self._bar.update(
                self._task,
                description=text,
                completed=sum(self._done.values()),
                total=self._total,
                left=left,
            )
        elif now - self._last_line >= PLAIN_LINE_EVERY:
            self._last_line = now
            self.say(f"{text}  {left}")
        if self._stop:
            raise Interrupted("stopped")

    def seconds_left(self) -> float:
        """For the whole run, by the speed of each phase so far; a phase not met yet goes at the speed of the others."""
        overall = sum(self._seconds.values()) / max(1e-9, sum(self._done.values()))
        pace = {
            p: self._seconds[p] / self._done[p] if self._done[p] else overall for p in self._left
        }
        return sum(max(0.0, work) * pace[p] for p, work in self._left.items())


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return (
        f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
        if minutes >= 60
        else f"{minutes}:{seconds:02d}"
    )
