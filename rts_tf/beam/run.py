"""Runs a job in Beam, and tells its caller of each item as soon as it is done."""

import contextlib
import os
import shutil
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rts_tf.beam.options import Options
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
) -> Iterator[Done]:
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
    with quiet_imports():
        from rts_tf.beam.mailbox import Mailbox
        from rts_tf.beam.pipeline import run_pipeline

    with _folder(options) as folder:
        mailbox = Mailbox(folder)
        mailbox.open()
        job = _Job(lambda: run_pipeline(work, items, in_parts, options.flags, mailbox))
        seen: set[int] = set()
        try:
            with _share_of_threads(options.workers):
                job.start()
                ends = False
                while not ends:
                    ends = job.wait(_LOOK_EVERY[options.workers == 0])
                    while_waiting()
                    yield from _taken(mailbox, seen)
            job.check()
            if missing := len(items) - len(seen):
                raise RtsError(
                    f"Beam ended without {missing} of {len(items)} items. What was done is kept;"
                    " run the command again."
                )
        finally:
            if not job.wait(0):
                mailbox.stop()
                job.wait(None)
            mailbox.close()


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
    """A function in a thread of its own."""

    def __init__(self, run: Callable[[], None]):
        self._run, self._error = run, None
        self._thread = threading.Thread(target=self._body, name="beam", daemon=True)
        self._error: BaseException | None

    def start(self) -> None:
        self._thread.start()

    def wait(self, seconds: float | None) -> bool:
        """Wait for the end, at most so long; whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def check(self) -> None:
        """Raise RtsError if the function raised anything."""
        if self._error:
            raise RtsError(
                f"Beam ended with an error ({type(self._error).__name__}:"
                f" {first_line(self._error)}). What was done is kept; run the command again."
            ) from self._error

    def _body(self) -> None:
        # Threads and processes that are started from here have these signals blocked too: Ctrl-C
        # reaches all processes of a terminal, and workers are to end what they have begun.
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
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


def quiet_imports() -> contextlib.AbstractContextManager:
    """Beam's import says things on standard error that concern nobody here."""
    from rts_tf.quiet import quiet_stderr

    return quiet_stderr()
