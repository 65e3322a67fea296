"""A peer for the tests of benchmarks.peer_process, which does what its arguments name."""

import os
import signal
import time


def open_peer(arguments: dict) -> dict:
    """Prepare functions that return a value, add, work, sleep, print, raise or crash."""
    print("a library that prints while it loads")
    if arguments.get("needs"):
        __import__(arguments["needs"])
    if arguments.get("crashes"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if arguments.get("raises"):
        raise ValueError(arguments["raises"])
    return {
        "value": lambda: arguments["value"],
        "sum": lambda one, two: one + two,
        "busy": lambda: _busy(0.1),
        "sleep": lambda: time.sleep(0.1),
        "print": lambda: os.write(1, b"a library that prints\n"),
        "raise": lambda: 1 // 0,
        "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "exit": lambda: os._exit(3),
    }


def _busy(seconds: float) -> None:
    began = time.process_time()
    while time.process_time() < began + seconds:
        pass
