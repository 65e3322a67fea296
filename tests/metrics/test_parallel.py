"""Threads that work side by side, in order and without reading ahead too far."""

import threading
import time

import cv2
import pytest

from rts_tf.metrics.parallel import in_parallel


def test_results_come_in_order_from_several_threads():
    met = threading.Barrier(2, timeout=10)  # both workers must wait here at the same time

    def work(number):
        met.wait()
        time.sleep(0.02 * (number % 2))
        return cv2.getNumThreads(), number

    before = cv2.getNumThreads()
    assert list(in_parallel(work, range(6), workers=2)) == [(1, number) for number in range(6)]
    assert cv2.getNumThreads() == before


def test_items_are_not_taken_far_ahead():
    taken = []
    results = in_parallel(str, (taken.append(i) or i for i in range(100)), workers=2)
    assert next(results) == "0" and len(taken) <= 3
    results.close()
    assert len(taken) <= 3


def test_an_error_of_the_function_is_raised():
    def work(number):
        if number == 1:
            raise ValueError("one")
        return number

    with pytest.raises(ValueError, match="one"):
        list(in_parallel(work, range(9), workers=2))
