"""Shows how far a command is: what it does, its loss and speed, and the time left for all of it."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from rts_tf.cli.command import in_flags
from rts_tf.cli.interrupts import Interrupts
from rts_tf.cli.verbosity import is_quiet

PLAIN_LINE_EVERY = 10.0  # seconds, where the output is not a terminal


class RunProgress:
    """The progress line of a command, with a safe point for Ctrl-C in every call of ``advance``.

    Work is counted in one unit, such as GFLOP, so that phases of different kinds add up. The time
    left follows from the speed of each phase so far.
    """

    def __init__(self, work: dict[str, float], console: Console | None = None):
        """Start the clock.

        Args:
            work: The work of the whole command by phase, e.g. {"Phase A": 9000, "Phase B": 400}.
            console: Where to print; standard output by default.
        """
        self.console = console or Console(highlight=False)
        if is_quiet():
            self.console.quiet = True
        self._left = dict(work)
        self._total = sum(work.values())
        self._done: dict[str, float] = dict.fromkeys(work, 0.0)
        self._seconds: dict[str, float] = dict.fromkeys(work, 0.0)
        self._clock = self._last_line = time.monotonic()
        self._interrupts = Interrupts(
            lambda: self.say("stopping at the next safe point (once more: at once) ...")
        )
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
        )
        self._task = self._bar.add_task("starting", total=self._total, left="")

    @contextlib.contextmanager
    def running(self) -> Iterator["RunProgress"]:
        """Show the line and catch Ctrl-C and SIGTERM while the body runs."""
        bar = self._bar if self.console.is_terminal else contextlib.nullcontext()
        with self._interrupts.caught(), bar:
            yield self

    def say(self, line: str) -> None:
        """Print one line that stays, with flags for the arguments that it names."""
        self.console.print(in_flags(line), markup=False, soft_wrap=True)

    def skip(self, phase: str, work: float) -> None:
        """Take off ``work`` of ``phase`` that needs not be done, e.g. since an earlier call did it.

        The time since the last call counts for no phase.
        """
        self._left[phase] -= work
        self._total -= work
        self._clock = time.monotonic()

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        """Count what was done since the last call. Call it only where the state on disk is whole.

        Args:
            phase: A key of the ``work`` that this object was made with.
            work: The work of ``phase`` that was done, in the same unit.
            text: What to show, e.g. "stage 1/4  Phase A".
            count: How many of ``unit`` were done, for the speed to show.
            unit: The plural, e.g. "steps".

        Raises:
            Interrupted: The user asked to stop.
        """
        now = time.monotonic()
        text += f"  {count / max(1e-9, now - self._clock):.2f} {unit}/s"
        self._seconds[phase] += now - self._clock
        self._clock = now
        self._left[phase] -= work
        self._done[phase] += work
        self._show(text, f"{_duration(self.seconds_left())} left", now)
        self._interrupts.check()

    def _show(self, text: str, left: str, now: float) -> None:
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

    def seconds_left(self) -> float:
        """Estimate the seconds that all phases need.

        A phase that has not begun is expected to go at the mean speed of the others.
        """
        overall = sum(self._seconds.values()) / max(1e-9, sum(self._done.values()))
        pace = {
            phase: self._seconds[phase] / done if done else overall
            for phase, done in self._done.items()
        }
        return sum(max(0.0, work) * pace[phase] for phase, work in self._left.items())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
