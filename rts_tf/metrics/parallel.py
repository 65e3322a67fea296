"""Pictures measured side by side, a core each. For functions that spend their time in OpenCV, NumPy and SciPy."""

import collections
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2

Item, Result = TypeVar("Item"), TypeVar("Result")


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parallel(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int = 0
) -> Iterator[Result]:
    """``function`` of each item, in order, in ``workers`` threads (0: one a core); items are taken as their turn nears.

    OpenCV's own threads are off meanwhile: the pictures are the threads' work.
    """
    workers = workers or cores()
    before, waiting = cv2.getNumThreads(), collections.deque()
    cv2.setNumThreads(1)
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)  # what runs ends first: at most a picture a thread
        cv2.setNumThreads(before)
