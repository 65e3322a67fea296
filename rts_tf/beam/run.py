"""Runs a job in Beam, and tells its caller of each item as soon as it is done."""

import contextlib
import logging
import math
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, NamedTuple

from rts_tf.beam.options import Options, quiet
from rts_tf.beam.work import Work
from rts_tf.errors import RtsError, first_line
from rts_tf.metrics.resources import cores

_LOOK_EVERY = 0.2, 2.0  # seconds between two looks: on this machine, and elsewhere
# What limits the threads of TensorFlow and of OpenMP
_THREADS = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"


class Done(NamedTuple):
    """An item, or a part of one, that is done.

    Attributes:
        number: That of the item, from 0.
        result: What :class:`rts_tf.beam.work.Work` returned.
        is_part: Whether it is only a part.
    """

    number: int
    result: Any
    is_part: bool = False


def results(
    work: Work,
    items: Sequence[Any],
    options: Options,
    while_waiting: Callable[[], None] = lambda: None,
    *,
    in_parts: bool = False,
) -> Generator[Done, None, None]:
    """Do ``work`` with ``items``, and yield what is done, in the order in which it is.

    If the iterator is closed, or ``while_waiting`` raises, workers end what they have begun, begin
    nothing more, and are waited for.

    Args:
        work: What is done.
        items: What it is done with; pickled.
        options: See :func:`rts_tf.beam.options.parsed`.
        while_waiting: Is called several times a second.
        in_parts: Whether items may be done in parts.

    Raises:
        RtsError: The job could not go on. What was done is kept.
    """
    if not items:
        return
    with quiet():
        from rts_tf.beam.mailbox import Mailbox
        from rts_tf.beam.pipeline import run_pipeline

    if not options.verbose:  # Beam's threads and workers have much to say, after the end too
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL + 1)
    with _folder(options) as folder:
        mailbox = Mailbox(folder)
        mailbox.open()
        seen: set[int] = set()
        with _Job(lambda: run_pipeline(work, items, in_parts, options, mailbox)) as job:
            try:
                with _share_of_threads(options.workers):
                    job.start()
                    ended = False
                    while not ended:
                        ended = job.wait(_LOOK_EVERY[not options.here])
                        while_waiting()
                        yield from _taken(mailbox, seen)
                job.check()
            finally:
                if not job.wait(0):
                    mailbox.stop()
                    job.wait()
                mailbox.close()
        if missing := len(items) - len(seen):
            raise RtsError(
                f"Beam ended without {missing} of {len(items)} items. What was done is kept; run"
                " the command again."
            )


def _taken(mailbox: Any, seen: set[int]) -> Iterator[Done]:
    """What is new in the mailbox. ``seen``: The numbers of the items that are done; extended."""
    fatal = ""
    for message in mailbox.take():
        number = message["number"]
        fatal = fatal or message.get("fatal", "")
        if "part" in message:
            yield Done(number, message["part"], is_part=True)
        elif "result" in message and number not in seen:
            seen.add(number)
            yield Done(number, message["result"])
    if fatal:
        raise RtsError(fatal)


class _Job:
    """A function in a thread of its own, with whatever threads it starts."""

    def __init__(self, run: Callable[[], None]):
        self._run = run
        self._error: BaseException | None = None
        self._lost = ""  # what ended a worker
        self._thread = threading.Thread(target=self._body, name="beam", daemon=True)

    def __enter__(self) -> "_Job":
        # Beam waits for ever for a worker that is lost. A thread that watches it fails, though.
        self._hook, threading.excepthook = threading.excepthook, self._failed
        return self

    def __exit__(self, *_: object) -> None:
        threading.excepthook = self._hook

    def start(self) -> None:
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long; whether it has come."""
        end = time.monotonic() + (math.inf if seconds is None else seconds)
        while self._thread.is_alive() and not self._lost and time.monotonic() < end:
            self._thread.join(min(0.2, end - time.monotonic()))
        return bool(self._lost) or not self._thread.is_alive()

    def check(self) -> None:
        """Raise RtsError if the function raised anything, or a worker was lost."""
        if self._lost:
            raise RtsError(
                f"a worker process was lost ({self._lost}), perhaps for want of memory. What was"
                " done is kept; run the command again."
            )
        if self._error:
            raise RtsError(
                f"Beam ended with an error ({type(self._error).__name__}:"
                f" {first_line(self._error)}). What was done is kept; run the command again."
            ) from self._error

    def _failed(self, what: threading.ExceptHookArgs) -> None:
        if "Worker subprocess" in str(what.exc_value):
            self._lost = self._lost or first_line(what.exc_value or what.exc_type())
        elif not what.exc_type.__module__.startswith("grpc"):  # what follows from that
            self._hook(what)

    def _body(self) -> None:
        try:
            self._run()
        except BaseException as error:
            self._error = error


@contextlib.contextmanager
def _folder(options: Options) -> Iterator[str]:
    """The address of a folder for the results, which is removed again."""
    if options.folder:
        yield f"{options.folder.rstrip('/')}/rts-{time.strftime('%Y%m%d')}-{uuid.uuid4().hex[:12]}"
        return
    folder = tempfile.mkdtemp(prefix="rts-beam-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _share_of_threads(workers: int) -> Iterator[None]:
    """Let each of the worker processes that start in the body use its share of the cores.

    Else each would use all of them, and they would be in each other's way. What the user has set is
    kept.
    """
    share = {name: str(max(1, cores() // workers)) for name in _THREADS} if workers else {}
    added = {name: value for name, value in share.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
