"""Find out which resources of the machine this process may use, and how much memory it has used.

Only the standard library is needed, and the module can be imported on every platform.
"""

import math
import os
import pathlib
import re
import sys

_STATUS = pathlib.Path("/proc/self/status")


def cores() -> int:
    """Return the number of processors that this process may use, at least 1.

    Where several processes share a machine, ``TF_NUM_INTRAOP_THREADS``, which limits the threads of
    TensorFlow, limits this number too.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    limit = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return min(count, int(limit)) if limit.isdecimal() and int(limit) else count


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in units of 10^6 bytes.

    Linux reports it as VmHWM in /proc/self/status. The value of ``getrusage`` is a fallback, since
    on Linux it starts with the memory of the process that started this one.

    Returns:
        The peak, or nan where the platform does not report it (Windows).
    """
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(), re.M)
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # macOS counts bytes, others KiB
