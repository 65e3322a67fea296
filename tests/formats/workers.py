"""Checks random files in processes of their own, so that a crash of a library is a finding too."""

import contextlib
import faulthandler
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from typing import NamedTuple

from tests.formats.image_plans import image_plan
from tests.formats.outcome import Outcome
from tests.formats.video_plans import video_plan

LONGEST = 120  # seconds for one file
STARTED = 180  # seconds within which a process has loaded TensorFlow
LONGEST_TEXT = 600  # of what a process printed before it ended
PRINTED = "formats-{}-"  # the start of the name of a file with what a process printed


class Task(NamedTuple):
    """A random file: "video" or "image", and its number."""

    kind: str
    number: int


def check(task: Task, seed: int) -> Outcome:
    """Check one file in this process."""
    if task.kind == "video":
        from tests.formats.video_check import check_video

        return check_video(task.number, seed)
    from tests.formats.image_check import check_image

    return check_image(task.number, seed)


def _serve(pipe: multiprocessing.connection.Connection, seed: int) -> None:
    """Check what comes through the pipe, until None comes."""
    from rts_tf.cli.startup import set_environment

    set_environment()
    stacks = tempfile.NamedTemporaryFile("w", prefix=PRINTED.format(os.getpid()))  # noqa: SIM115
    faulthandler.register(signal.SIGUSR1, stacks, all_threads=False)
    import tests.formats.image_check
    import tests.formats.video_check  # noqa: F401

    pipe.send(None)  # ready
    while (task := pipe.recv()) is not None:
        try:
            pipe.send(check(task, seed))
        except Exception:  # a fault of the check itself, or a file that cannot be read again
            pipe.send(_unread(task, seed))


def _unread(task: Task, seed: int) -> Outcome:
    """What came of a file if the check could not go on, such as where an output cannot be read."""
    kind, error, trace = sys.exc_info()
    last = traceback.extract_tb(trace)[-1]
    detail = f"{kind.__name__ if kind else ''}: {error} ({pathlib.Path(last.filename).name}"
    detail += f", line {last.lineno})"
    return empty(task, seed)._replace(faults=(("the check cannot go on", detail),))


def empty(task: Task, seed: int) -> Outcome:
    """An outcome that says nothing yet."""
    plan = (video_plan if task.kind == "video" else image_plan)(task.number, seed)
    return Outcome(task.number, str(plan), plan.output, "", (), (), ())


class _Worker:
    """A process that checks one file after the other."""

    def __init__(self, seed: int):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, seed), daemon=True)
        self._process.start()
        theirs.close()
        self.task: Task | None = None
        self._deadline = time.monotonic() + STARTED

    def give(self, task: Task) -> None:
        """Begin to check ``task``."""
        self.task, self._deadline = task, time.monotonic() + LONGEST
        self.pipe.send(task)

    def late(self) -> bool:
        """Whether it takes too long."""
        return time.monotonic() > self._deadline

    def end(self) -> str:
        """End the process, and say how it ended and what it printed last."""
        if self._process.is_alive() and self.late():
            os.kill(self._process.pid or 0, signal.SIGUSR1)  # it writes where it is
            time.sleep(1)
            self._process.kill()
            how = f"it took more than {LONGEST} s"
        else:
            self._process.join(5)
            how = f"the process ended with code {self._process.exitcode}"
        self._process.kill()
        self._process.join()
        for path in pathlib.Path(tempfile.gettempdir()).glob(f"{PRINTED}*".format(self.pid)):
            text = path.read_text(errors="replace").strip()
            how += f"; printed: {text[:LONGEST_TEXT]}" if text else ""
            with contextlib.suppress(OSError):
                path.unlink()
        return how

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def dismiss(self) -> None:
        """Ask the process to end."""
        with contextlib.suppress(OSError):
            self.pipe.send(None)
        self._process.join(5)
        self._process.kill()


def outcomes(tasks: list[Task], seed: int, processes: int) -> Iterator[tuple[Task, Outcome]]:
    """Check ``tasks`` side by side, and yield each with what comes of it, in any order.

    Args:
        tasks: What to check.
        seed: Of all plans.
        processes: How many run side by side.
    """
    left = list(reversed(tasks))
    workers = [_Worker(seed) for _ in range(min(processes, len(tasks)))]
    try:
        while workers:
            ready = multiprocessing.connection.wait([w.pipe for w in workers], timeout=1)
            for worker in list(workers):
                if worker.pipe in ready:
                    try:
                        outcome = worker.pipe.recv()
                    except (EOFError, ConnectionError):
                        outcome = None
                        if worker.task is None:
                            raise RuntimeError(f"a process cannot start: {worker.end()}") from None
                    if outcome is None and worker.task is not None:
                        yield from _ended(worker, seed)
                        workers.remove(worker)
                        if left:
                            workers.append(_Worker(seed))
                        continue
                    if outcome is not None:
                        yield worker.task, outcome
                    if left:
                        worker.give(left.pop())
                    else:
                        worker.dismiss()
                        workers.remove(worker)
                elif worker.late():
                    yield from _ended(worker, seed)
                    workers.remove(worker)
                    if left:
                        workers.append(_Worker(seed))
    finally:
        for worker in workers:
            worker.dismiss()


def _ended(worker: _Worker, seed: int) -> Iterator[tuple[Task, Outcome]]:
    how = worker.end()
    if worker.task is not None:
        faults = (("the process ends", how),)
        yield worker.task, empty(worker.task, seed)._replace(faults=faults)
