"""Ctrl-C and SIGTERM: the first stops a command at the next safe point, the second at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from rts_tf.errors import Interrupted

_SIGNALS = ("SIGINT", "SIGTERM")


@contextlib.contextmanager
def stopped_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process at once while the body runs.

    Python handles a signal only between two of its own steps, so a call that waits inside of a
    native library could not be stopped.
    """
    number = getattr(signal, "SIGINT", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL if before is None else before)


class Interrupts:
    """Remembers that the user asked to stop, until the work reaches a safe point.

    Example::

        interrupts = Interrupts(lambda: print("stopping ..."))
        with interrupts.caught():
            for image in images:
                enhance(image)
                interrupts.check()  # every file on disk is whole
    """

    def __init__(self, on_first: Callable[[], None]):
        """``on_first`` is called at the first signal, to tell the user that it was received."""
        self._on_first, self._asked = on_first, False

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals while the body runs.

        Python lets only the main thread handle signals. In another thread, and for a signal that
        the system does not have, everything stays as it is.
        """
        previous = {}
        if threading.current_thread() is threading.main_thread():
            for name in _SIGNALS:
                number = getattr(signal, name, None)
                if number is not None:
                    previous[number] = signal.signal(number, self._handle)
        try:
            yield
        finally:
            for number, handler in previous.items():
                # None: the handler was not installed by Python, which cannot restore it.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def check(self) -> None:
        """Raise Interrupted if there was a signal. Call it where the state on disk is whole."""
        if self._asked:
            raise Interrupted("stopped")

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        # Printing is not reentrant: it fails if the signal came in the middle of a print.
        with contextlib.suppress(RuntimeError):
            self._on_first()
