"""Estimates the time that a command still needs, and shows it so that it does not jump.

Phases differ in speed, and their first steps take longer, since TensorFlow traces functions then.
"""

import collections
import math

MEASURED = 0.5  # seconds; shorter intervals are measured together
KEPT = 200  # intervals of a phase, the last ones
# An interval that took longer than this many times the usual counts as so long: something else was
# done in it, such as tracing.
LONGEST = 2.0
# Of the time left: in which share of it the shown value comes near to a new estimate, and by how
# much it changes at most at once
SETTLING, LARGEST_STEP = 0.1, 0.3
SMALLEST_STEP = 3.0  # seconds, of which nobody minds a jump
OVERDUE = 1 / 3  # of the shown value, where the countdown waits for a step that takes long


class _Phase:
    """The speed of one phase."""

    def __init__(self, work: float):
        self.left, self.trial = work, math.nan
        self.intervals: collections.deque[tuple[float, float]] = collections.deque(maxlen=KEPT)
        self._seconds = self._work = 0.0  # of the interval that is not long enough yet

    def add(self, work: float, seconds: float) -> None:
        self.left -= work
        self._seconds += seconds
        self._work += work
        if self._seconds >= MEASURED and self._work > 0:
            self.intervals.append((self._seconds, self._work))
            self._seconds = self._work = 0.0

    def measured(self) -> tuple[float, float]:
        """Seconds and work so far, without most of what was no work of the phase."""
        paces = [seconds / work for seconds, work in self.intervals]
        if not math.isnan(self.trial):
            paces.append(self.trial)
        usual = sorted(paces)[(len(paces) - 1) // 2] if paces else math.inf
        times = (min(seconds, LONGEST * usual * work) for seconds, work in self.intervals)
        return sum(times) + self._seconds, sum(work for _, work in self.intervals) + self._work

    def pace(self, otherwise: float) -> float:
        """Seconds for a unit of work, as measured, else in a trial, else ``otherwise``."""
        seconds, work = self.measured()
        if work > 0:
            return seconds / work
        return otherwise if math.isnan(self.trial) else self.trial


class TimeLeft:
    """The time left of a command that consists of phases."""

    def __init__(self, work: dict[str, float]):
        """``work``: The work of each phase, in one unit for all."""
        self._phases = {name: _Phase(amount) for name, amount in work.items()}
        self._shown, self._shown_at = math.nan, 0.0

    def expect(self, phase: str, seconds_per_work: float) -> None:
        """Note the speed of ``phase`` in a trial, which counts until it is measured."""
        self._phases[phase].trial = seconds_per_work

    def skip(self, phase: str, work: float) -> None:
        """Take off work that needs not be done."""
        self._phases[phase].left -= work

    def add(self, phase: str, work: float, seconds: float) -> None:
        """Note that ``work`` was done in ``seconds``."""
        self._phases[phase].add(work, seconds)

    def estimate(self) -> float:
        """The seconds that all phases need.

        A phase without a trial that has not begun is expected to go at the mean speed of the
        others.
        """
        phases = self._phases.values()
        seconds, work = (sum(each) for each in zip(*(phase.measured() for phase in phases)))
        overall = seconds / max(1e-9, work)
        return sum(max(0.0, phase.left) * phase.pace(overall) for phase in phases)

    def update(self, now: float) -> None:
        """Bring the shown value nearer to the estimate.

        There is none before a phase was measured twice, since the first time says little.
        """
        if math.isnan(self._shown):
            if any(len(phase.intervals) > 1 for phase in self._phases.values()):
                self._shown, self._shown_at = self.estimate(), now
            return
        expected, estimate = self.shown(now), self.estimate()
        settling = max(SETTLING * estimate, 1e-9)
        step = (estimate - expected) * (1 - math.exp(-(now - self._shown_at) / settling))
        largest = max(LARGEST_STEP * expected, SMALLEST_STEP)
        self._shown = expected + min(max(step, -largest), largest)
        self._shown_at = now

    def shown(self, now: float) -> float:
        """The seconds to show, which run down between updates; nan if nothing is known yet."""
        return max(self._shown - (now - self._shown_at), OVERDUE * self._shown)
