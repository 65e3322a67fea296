"""Publishes, verifies and removes sets of shards again and again, and looks for what is left.

    python -m tests.faults.soak --cycles=200

In each cycle two workers (threads of this process) build a set, one of its shards is damaged and
made again, everything is read, and the set is removed. The exit code is 1 if files, threads or open
descriptors are left, or if memory grows by more than 2 % from the first quarter to the end. Linux.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import threading

from rts_tf.data.shard_writer import build
from rts_tf.data.source_shards import DTYPES
from tests.support.damage import flip
from tests.support.shard_sets import SHARDS, everything, make, records
from tests.support.thread_workers import in_workers

GROWTH = 1.02
SHOWN = 10  # lines of the table


def cycle(directory: pathlib.Path) -> None:
    """One life of a set."""

    def work(workers):
        return build(directory, SHARDS, records, DTYPES, {"seed": 1}, workers=workers).fingerprint

    first, second = in_workers(2, work)
    assert first == second
    flip(directory / "00001.tfrecord")
    again, lines = make(directory)
    assert again.fingerprint == first and len(lines) == 1
    assert len(everything(again)) == 2 * SHARDS
    shutil.rmtree(directory)


def held() -> tuple[int, int, float]:
    """Open descriptors, threads, and megabytes of this process."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return len(os.listdir("/proc/self/fd")), threading.active_count(), memory


def main() -> int:
    """Print a line now and then; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=200)
    cycles = parser.parse_args().cycles
    measured = []
    with tempfile.TemporaryDirectory() as name:
        print("cycles  descriptors  threads      MB")
        for number in range(1, cycles + 1):
            cycle(pathlib.Path(name, "set"))
            measured.append(held())
            if number % max(1, cycles // SHOWN) == 0:
                descriptors, threads, memory = measured[-1]
                print(f"{number:6d}  {descriptors:11d}  {threads:7d}  {memory:6.1f}", flush=True)
        left = os.listdir(name)
    quarter, last = measured[cycles // 4], measured[-1]
    growth = last[2] / quarter[2]
    print(f"from a quarter to the end: memory x{growth:.3f}; files left: {len(left)}")
    return int(bool(left) or last[:2] != quarter[:2] or growth > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
