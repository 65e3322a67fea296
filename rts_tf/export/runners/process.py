"""Run an exported file on one frame in a process of its own, whose peak memory is then the file's, and measure it there."""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rts_tf.errors import RtsError


class Run(NamedTuple):
    """One file on one frame."""

    output: np.ndarray  # float32 [H, W, 3], nominally in [0, 1]
    milliseconds: float  # the fastest call
    peak_memory_mb: float  # 10^6 bytes, above what the process takes before it opens the file


def run(
    module: str,
    path: pathlib.Path,
    signature: str,
    frame: np.ndarray,
    seconds: float,
    scratch: pathlib.Path,
) -> Run:
    """Run ``path`` on ``frame`` (uint8 [H, W, 3]) until ``seconds`` are over, at least once.

    Args:
        module: what runs it, a module whose ``main`` calls ``measured``.
        scratch: a directory for the frame and the output.

    Raises:
        RtsError: it cannot be run; with the last line that the process said.
    """
    scratch = scratch.resolve()
    np.save(scratch / "frame.npy", frame)
    command = [
        sys.executable,
        "-m",
        module,
        path.resolve(),
        signature,
        scratch / "frame.npy",
        scratch / "output.npy",
        seconds,
    ]
    done = subprocess.run(
        list(map(str, command)),
        cwd=pathlib.Path(__file__).parents[2],  # where -m finds this package, installed or not
        capture_output=True,
        text=True,
        start_new_session=True,  # Ctrl-C is the parent's to hear
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]
        raise RtsError(f"{path.name}: cannot be run ({reason})")
    return Run(np.load(scratch / "output.npy"), **json.loads(done.stdout.strip().splitlines()[-1]))


def measured(opened: Callable[[pathlib.Path, str], Callable[[np.ndarray], np.ndarray]]) -> None:
    """The other side of ``run``: its arguments from the command line, its figures to standard output.

    ``opened`` opens a file and returns what runs it on a frame, uint8 [H, W, 3] to uint8 or float32 [H, W, 3].
    """
    parser = argparse.ArgumentParser()
    for name, kind in {
        "path": pathlib.Path,
        "signature": str,
        "frame": str,
        "output": str,
        "seconds": float,
    }.items():
        parser.add_argument(name, type=kind)
    flags = parser.parse_args()
    frame, before = np.load(flags.frame), _peak_memory_mb()
    function, fastest, until = opened(flags.path, flags.signature), np.inf, None
    while until is None or time.perf_counter() < until:
        began = time.perf_counter()
        output = function(frame)
        fastest = min(fastest, time.perf_counter() - began)
        until = until or began + flags.seconds
    figures = {"milliseconds": 1000 * fastest, "peak_memory_mb": _peak_memory_mb() - before}
    np.save(flags.output, output / np.float32(255) if output.dtype == np.uint8 else output)
    print(json.dumps(figures))


def _peak_memory_mb() -> float:
    """Of this process alone: what ``getrusage`` says begins, on Linux, with the memory of the process that started it."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        * (1 if sys.platform == "darwin" else 1024)
        / 1e6
    )
