"""Shows how far a command is: what it does, its loss and speed, and the time left for all of it."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from rts_tf.cli.command import in_flags
from rts_tf.cli.interrupts import Interrupts
from rts_tf.cli.time_left import TimeLeft
from rts_tf.cli.verbosity import is_quiet

PLAIN_LINE_EVERY = 10.0  # seconds, where the output is not a terminal


class RunProgress:
    """The progress line of a command, with a safe point for Ctrl-C in every call of ``advance``.

    Work is counted in one unit, such as GFLOP, so that phases of different kinds add up. The time
    left follows from the speed of each phase so far (:mod:`rts_tf.cli.time_left`).
    """

    def __init__(
        self, work: dict[str, float], console: Console | None = None, is_shown: bool = True
    ):
        """Start the clock.

        Args:
            work: The work of the whole command by phase, e.g. {"Phase A": 9000, "Phase B": 400}.
            console: Where to print; standard output by default.
            is_shown: Whether the line is shown. Lines that stay are printed in any case.
        """
        self.console = console or Console(highlight=False)
        if is_quiet():
            self.console.quiet = True
        self._is_shown = is_shown
        self._time = TimeLeft(work)
        self._total, self._done = sum(work.values()), 0.0
        self._clock = self._last_line = time.monotonic()
        self._interrupts = Interrupts(
            lambda: self.say("stopping at the next safe point (once more: at once) ...")
        )
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            _LeftColumn(self._left),
            console=self.console,
            transient=True,  # results are printed where it was
            # What goes to standard output must not end up on standard error.
            redirect_stdout=not self.console.stderr,
        )
        self._task = self._bar.add_task("starting", total=self._total)

    @contextlib.contextmanager
    def running(self) -> Iterator["RunProgress"]:
        """Show the line and catch Ctrl-C and SIGTERM while the body runs."""
        in_place = self._is_shown and self.console.is_terminal
        bar = self._bar if in_place else contextlib.nullcontext()
        with self._interrupts.caught(), bar:
            yield self

    def say(self, line: str) -> None:
        """Print one line that stays, with flags for the arguments that it names."""
        self.console.print(in_flags(line), markup=False, soft_wrap=True)

    def expect(self, phase: str, trial: Callable[[], float]) -> None:
        """Learn the speed of a phase that has not begun.

        Args:
            phase: A key of the ``work`` that this object was made with.
            trial: Is called once. It returns the seconds that a unit of work takes.
        """
        self._time.expect(phase, trial())
        self._clock = time.monotonic()

    def skip(self, phase: str, work: float) -> None:
        """Take off ``work`` of ``phase`` that needs not be done, e.g. since an earlier call did it.

        The time since the last call counts for no phase.
        """
        self._time.skip(phase, work)
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
        self._time.add(phase, work, now - self._clock)
        self._clock = now
        self._done += work
        self._time.update(now)
        self._show(text, now)
        self._interrupts.check()

    def check(self) -> None:
        """Raise Interrupted if the user asked to stop, where nothing is to be counted."""
        self._interrupts.check()

    def _show(self, text: str, now: float) -> None:
        if not self._is_shown:
            return
        if self.console.is_terminal:
            self._bar.update(self._task, description=text, completed=self._done, total=self._total)
        elif now - self._last_line >= PLAIN_LINE_EVERY:
            self._last_line = now
            self.say(f"{text}  {self._left()}".rstrip())

    def _left(self) -> str:
        """The time left as it is shown now; empty if nothing is known yet."""
        seconds = self._time.shown(time.monotonic())
        return "" if math.isnan(seconds) else f"{_duration(seconds)} left"

    def seconds_left(self) -> float:
        """Estimate the seconds that all phases need, without smoothing."""
        return self._time.estimate()


class _LeftColumn(ProgressColumn):
    """The column with the time left, which runs down between two steps."""

    def __init__(self, left: Callable[[], str]):
        super().__init__(Column(no_wrap=True, min_width=len("00:00:00 left")))
        self._text = left

    def render(self, task: Task) -> Text:
        return Text(self._text(), no_wrap=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
