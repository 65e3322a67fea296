"""Says durations, sizes of files and what is left to do in words, to two digits."""

HOW_TO_STOP = "Ctrl-C stops, and the same command continues"


def about(seconds: float) -> str:
    """A duration, e.g. "40 s", "12 min" or "3.5 h"."""
    if seconds < 90:
        return f"{max(1, _rounded(seconds)):g} s"
    if seconds < 90 * 60:
        return f"{_rounded(seconds / 60):g} min"
    return f"{_rounded(seconds / 3600):g} h"


def size(count: float) -> str:
    """A number of bytes, e.g. "340 MB" or "1.2 GB"."""
    if count >= 1e9:
        return f"{_rounded(count / 1e9):g} GB"
    return f"{max(0.1, _rounded(count / 1e6)):g} MB"


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")
