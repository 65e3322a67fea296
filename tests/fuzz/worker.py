"""A process that gives damaged files to a reader, and prints what came of each.

It prints a line of JSON for each input that is a finding, and one with the counts at the end. The
input that is being read lies in the scratch directory, where the parent finds it after a crash.
"""

import contextlib
import json
import logging
import os
import pathlib
import random
import resource
import signal
import sys
import time
import traceback

from rts_tf.cli.startup import set_environment
from rts_tf.metrics.resources import peak_memory_mb
from tests.fuzz.targets import REFUSALS, TARGETS, Target, file_of

SECONDS = 20  # that an input of a few kilobytes may take, on a busy machine too
MEMORY = 1500  # megabytes that it may take; files that ask for more are refused
_ROOM = 6 * 2**30  # bytes of memory that the process may reserve beyond its own start


class _TooSlow(BaseException):
    """An input took longer than it may."""


def main() -> None:
    name, seed, count, scratch = sys.argv[1:]
    set_environment()
    logging.disable()
    target, folder = TARGETS[name], pathlib.Path(scratch)
    files = [(suffix, one) for suffix, several in target.seeds().items() for one in several]
    for suffix, contents in files:  # what is loaded on the way needs memory too
        with contextlib.suppress(*REFUSALS):
            target.read(file_of(suffix, contents, folder))
    if not target.loads:
        size = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
        most = size * os.sysconf("SC_PAGE_SIZE") + _ROOM
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    signal.signal(signal.SIGALRM, _stop)
    print(json.dumps({"started": True}), flush=True)
    outcomes, said_at = {"read": 0, "refused": 0, "found": 0}, 0.0
    for i in range(int(count)):
        rng = random.Random(f"{name} {seed} {i}")
        suffix, contents = rng.choice(files)
        others = [other for kind, other in files if kind == suffix]
        path = file_of(suffix, target.mutate(contents, others, rng), folder)
        if i + 1 == int(os.environ.get("RTS_FUZZ_CRASH", "0")):  # for the test of a crash
            os.kill(os.getpid(), signal.SIGSEGV)
        outcome, said = _outcome(target, path)
        outcomes[outcome] += 1
        if time.monotonic() > said_at + 5:
            said_at = time.monotonic()
            print(json.dumps({"so_far": outcomes}), flush=True)  # a sign of life, too
        if outcome == "found":
            print(json.dumps({"input": str(path), "said": said}), flush=True)
            _wait_for_parent(path)
    print(json.dumps(outcomes), flush=True)


def _stop(*_: object) -> None:
    raise _TooSlow


def _outcome(target: Target, path: pathlib.Path) -> tuple[str, str]:
    """What becomes of an input, and what there is to say about a finding."""
    before = peak_memory_mb()
    signal.alarm(SECONDS)
    try:
        target.read(path)
        outcome, said = "read", ""
    except REFUSALS as error:
        outcome, said = "refused", ""
        if "\n" in str(error) or len(str(error)) > 2000:
            outcome, said = "found", f"an error of more than a line: {str(error)[:300]!r}"
    except _TooSlow:
        outcome, said = "found", f"takes longer than {SECONDS} s"
    except BaseException:
        outcome, said = "found", traceback.format_exc()
    finally:
        signal.alarm(0)
    grown = peak_memory_mb() - before
    if outcome != "found" and grown > MEMORY:
        outcome, said = "found", f"took {grown:.0f} MB"
    return outcome, said


def _wait_for_parent(path: pathlib.Path) -> None:
    """Wait until the parent has taken the input away."""
    while path.exists():
        time.sleep(0.01)


if __name__ == "__main__":
    main()
