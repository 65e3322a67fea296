"""Workers in the threads of one process, which agree as real ones do, without TensorFlow."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from rts_tf.workers import Workers

GONE = 20.0  # seconds after which a worker that does not come counts as lost


class ThreadWorker(Workers):
    """One of several workers."""

    def __init__(self, number: int, messages: list[Any], barrier: threading.Barrier):
        self.number, self.count = number, len(messages)
        self._messages, self._barrier = messages, barrier

    def exchange(self, message):
        self._messages[self.number] = message
        self._barrier.wait(GONE)
        found = list(self._messages)
        self._barrier.wait(GONE)
        return found

    def chiefs_arrays(self, arrays):
        return [np.array(array) for array in self.exchange(list(arrays))[0]]


def in_workers(count: int, work: Callable[[Workers], Any]) -> list[Any]:
    """Call ``work`` in ``count`` workers. Returns the result of each, or the error it raised."""
    messages, barrier = [None] * count, threading.Barrier(count)

    def one(number: int) -> Any:
        try:
            return work(ThreadWorker(number, messages, barrier))
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as executor:
        return list(executor.map(one, range(count)))
