"""Measure several images at the same time, each in a thread of its own.

This pays off for functions that spend their time in OpenCV, NumPy and SciPy, which release the GIL.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import cv2

from rts_tf.metrics.resources import cores

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int = 0
) -> Generator[Result, None, None]:
    """Yield ``function(item)`` for each item, in order.

    Each thread works on an image of its own, so OpenCV's internal threads are switched off while
    the iterator is in use.

    Args:
        function: It is called in a worker thread, once for each item.
        items: They are taken one by one, at most ``workers`` items ahead of the results.
        workers: The number of threads; 0 stands for one per processor.

    Raises:
        Exception: Whatever ``function`` raises, in place of that item's result. The items that
            are in progress are finished first, the others are dropped.
    """
    workers = workers or cores()
    opencv_threads = cv2.getNumThreads()
    pending: deque[Future[Result]] = deque()
    cv2.setNumThreads(1)
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(opencv_threads)
