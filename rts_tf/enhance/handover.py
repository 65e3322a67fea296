"""Hand items from one thread to another through a bounded queue; either side may end early."""

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class GivenUp(Exception):
    """The other side of a handover has ended."""


class Handover:
    """A bounded queue from one thread to another."""

    def __init__(self, size: int):
        self._queue: queue.Queue[Any] = queue.Queue(size)
        self._given_up = threading.Event()

    def put(self, item: Any) -> None:
        """Hand over an item. None ends the handover; an exception is raised on the other side.

        Raises:
            GivenUp: The other side has ended.
        """
        while not self._given_up.is_set():
            with contextlib.suppress(queue.Full):
                return self._queue.put(item, timeout=0.1)
        raise GivenUp

    def fill(self, items: Iterable) -> None:
        """Hand over all ``items``, and what is raised while they are made. Stop if given up."""
        try:
            for item in items:
                self.put(item)
            self.put(None)
        except GivenUp:
            pass
        except BaseException as error:
            with contextlib.suppress(GivenUp):
                self.put(error)

    def __iter__(self) -> Iterator[Any]:
        return self.taken()

    def taken(self, while_waiting: Callable[[], None] = lambda: None) -> Iterator[Any]:
        """Yield the items. ``while_waiting`` is called ten times a second while there is none."""
        while True:
            try:
                item = self._queue.get(timeout=0.1)
            except queue.Empty:
                while_waiting()
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def give_up(self) -> None:
        """End the taking side."""
        self._given_up.set()


def read_ahead(items: Iterable, count: int) -> Generator[Any, None, None]:
    """Yield ``items``, which a thread of its own makes, at most ``count`` before they are taken."""
    handover = Handover(count)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(handover.fill, items)
        try:
            yield from handover
        finally:
            handover.give_up()
