"""Shows a line of progress on standard error, since standard output may carry the frames."""

import sys
import time

TERMINAL_EVERY, PLAIN_EVERY = 0.5, 10.0  # seconds between two lines


class Progress:
    """Counts frames or tiles.

    Attributes:
        done: how many were counted.
        began: when the counting began, by ``time.monotonic``.
    """

    def __init__(self, unit: str, total: int | None, quiet: bool = False):
        """Start the clock.

        Args:
            unit: the plural of what is counted.
            total: how many there will be; None if that is unknown.
            quiet: whether to print nothing.
        """
        self._unit, self._total, self.done = unit, total, 0
        self.began = self._last = time.monotonic()
        self._terminal, self._shown = sys.stderr.isatty(), False
        self._quiet = quiet

    def advance(self) -> None:
        """Count one more."""
        self.done += 1
        now = time.monotonic()
        if self._quiet or now - self._last < (TERMINAL_EVERY if self._terminal else PLAIN_EVERY):
            return
        self._last, pace = now, (now - self.began) / self.done
        of = f" of {self._total}" if self._total else ""
        left = f", {_duration((self._total - self.done) * pace)} left" if self._total else ""
        line = f"{self.done}{of} {self._unit}, {1 / pace:.2f} {self._unit}/s{left}"
        if self._terminal:
            print(f"\r{line:<70}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
        self._shown = self._terminal

    def end(self) -> float:
        """Close the line. Returns the seconds since the beginning."""
        if self._shown:
            print(file=sys.stderr)
            self._shown = False
        return time.monotonic() - self.began


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
