"""Keeps an encoder that root starts from taking the machine for itself.

SVT-AV1 puts its threads and the thread that opens it into the scheduling class SCHED_FIFO with the
highest priority, if the process may do that, as root may. Whatever that thread starts inherits it,
and two threads that spin there leave nothing of two cores to anybody else.
"""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def usual_scheduling() -> Iterator[None]:
    """Put all threads of this process that are in a real-time class after the body back.

    Where the calling thread is in such a class before, or the system has none, nothing is done.
    """
    if not hasattr(os, "sched_getscheduler") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        yield
        return
    try:
        yield
    finally:
        for thread in map(int, os.listdir("/proc/self/task")):
            with contextlib.suppress(OSError):  # it has ended
                if os.sched_getscheduler(thread) in (os.SCHED_FIFO, os.SCHED_RR):
                    os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
