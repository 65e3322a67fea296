"""What became of each file of one command, for --json."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from rts_tf.cli.command import in_flags
from rts_tf.cli.json_output import Report

if TYPE_CHECKING:
    from rts_tf.enhance.jobs import Job


class Outcomes:
    """Collects what is known of files that are enhanced one after the other.

    Attributes:
        model: Returns the weights that the file in work is enhanced by.
    """

    def __init__(self) -> None:
        self.model: Callable[[], str] = lambda: ""
        self._figures: dict[Job, dict[str, Any]] = {}
        self._in_work: tuple[Job, float] | None = None

    def begin(self, job: Job) -> None:
        """Note that the work on a file begins."""
        self.end()
        self._in_work = job, time.monotonic()

    def end(self) -> None:
        """Note that the last file is done."""
        if self._in_work:
            job, began = self._in_work
            seconds = round(time.monotonic() - began, 3)
            self._figures[job] = {"model": self.model(), "seconds": seconds}
            self._in_work = None

    def note(self, job: Job, figures: dict[str, Any]) -> None:
        """Note the ``model`` and the ``seconds`` of a file that another process enhanced."""
        self._figures[job] = figures

    def write(
        self,
        report: Report,
        done: Iterable[Job],
        warnings: list[str],
        errors: list[str],
        shown: Callable[[str], str] = str,
    ) -> None:
        """Print the line of each file.

        Args:
            done: Files that were there already.
            warnings: Lines that begin with the source or the target of a file, as errors do.
            errors: A line that names no file gets an item of its own.
            shown: Returns a path or a line as the user knows it.
        """
        named: set[str] = set()
        for job, figures in self._figures.items():
            found = {"output": shown(os.fspath(job.target)), **figures}
            found["notes"] = [shown(in_flags(line)) for line in warnings if _is_about(line, job)]
            failures = [line for line in errors if _is_about(line, job)]
            if failures:
                found["error"] = shown(in_flags("; ".join(failures)))
                named.update(failures)
            report.item(shown(job.source), found)
        for job in done:
            report.item(job.source, {"output": os.fspath(job.target), "skipped": True})
        for line in errors:
            if line not in named:
                report.error(shown(line))


def _is_about(line: str, job: Job) -> bool:
    return line.startswith((f"{job.source}: ", f"{job.target}: "))
