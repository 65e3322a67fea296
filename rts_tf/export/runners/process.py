"""Runs an exported file on one frame in a process of its own, and measures it there.

The peak memory of that process is the file's. ``run`` is the side of the export, ``serve`` that
of the process: the modules ``litert`` and ``session`` call it.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rts_tf.errors import RtsError
from rts_tf.metrics.resources import peak_memory_mb

# A file that is open: it maps a frame, uint8 [H, W, 3], to uint8 or float32 [H, W, 3].
Opened = Callable[[np.ndarray], np.ndarray]


class Run(NamedTuple):
    """One file on one frame."""

    output: np.ndarray  # float32 [H, W, 3], nominally in [0, 1]
    milliseconds: float  # of the fastest call
    peak_memory_mb: float  # 10^6 bytes above what the process takes before it opens the file


def run(
    module: str,
    path: pathlib.Path,
    signature: str,
    frame: np.ndarray,
    *,
    seconds: float,
    scratch: pathlib.Path,
) -> Run:
    """Run a file again and again, at least once.

    The process inherits the environment of this one, so TensorFlow computes there with the
    settings that the command has chosen here.

    Args:
        module: the name of the module that runs it: when executed, it calls ``serve``.
        path: the file, or the directory of a SavedModel.
        signature: the signature to run.
        frame: uint8 [H, W, 3].
        seconds: after which no further call begins.
        scratch: a directory for the frame and the output.

    Raises:
        RtsError: if it cannot be run; the message has the last line that the process wrote.
    """
    scratch = scratch.resolve()
    np.save(scratch / "frame.npy", frame)
    arguments = [path.resolve(), signature, scratch / "frame.npy", scratch / "output.npy", seconds]
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=pathlib.Path(__file__).parents[3],  # where -m finds rts_tf, installed or not
        capture_output=True,
        text=True,
        start_new_session=True,  # so that Ctrl-C reaches this process alone
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]
        raise RtsError(f"{path.name}: cannot be run ({reason})")
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    return Run(np.load(scratch / "output.npy"), **figures)


def serve(opened: Callable[[pathlib.Path, str], Opened]) -> None:
    """Be the process of ``run``: take its arguments from the command line and print the figures.

    Args:
        opened: opens the signature of a file.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=pathlib.Path)
    parser.add_argument("signature")
    parser.add_argument("frame", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    frame, before = np.load(arguments.frame), peak_memory_mb()
    function = opened(arguments.path, arguments.signature)
    fastest, end = np.inf, None
    while end is None or time.perf_counter() < end:
        began = time.perf_counter()
        output = function(frame)
        fastest = min(fastest, time.perf_counter() - began)
        end = end or began + arguments.seconds
    figures = {"milliseconds": 1000 * fastest, "peak_memory_mb": peak_memory_mb() - before}
    np.save(arguments.output, output / np.float32(255) if output.dtype == np.uint8 else output)
    print(json.dumps(figures))
