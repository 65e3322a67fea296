"""Takes the time of a call, by the clock and by processor time.

This module needs the standard library only, so that every peer can load it.
"""

import time
from collections.abc import Callable
from typing import NamedTuple


class Seconds(NamedTuple):
    """What one call took.

    Attributes:
        clock: seconds by the clock.
        processor: seconds of all threads of this process together. Other programs on the machine
            hardly change them.
    """

    clock: float
    processor: float


def now() -> Seconds:
    """Read both clocks. Only differences of two readings mean something."""
    return Seconds(time.perf_counter(), time.process_time())


def since(began: Seconds) -> Seconds:
    """Return what has passed since ``now`` returned ``began``."""
    clock, processor = now()
    return Seconds(clock - began.clock, processor - began.processor)


def seconds_of(function: Callable[[], object]) -> Seconds:
    """Call ``function`` and return what the call took."""
    began = now()
    function()
    return since(began)
