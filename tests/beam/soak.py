"""Enhances thousands of tiny images through Beam, and prints the memory of its workers over time.

    python -m tests.beam.soak --images=3000

The exit code is 1 if an image is missing, or if the memory of a worker grows by more than 5 % from
the first quarter of the job to its end. Needs the extra 'beam', and Linux.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from tests.support.commands import photo

GROWTH = 1.05
EVERY = 2.0  # seconds


def main() -> int:
    """Print a line for each measurement; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=2)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source, target = pathlib.Path(name, "images"), pathlib.Path(name, "enhanced")
        source.mkdir()
        for i in range(flags.images):
            photo(i % 16, 64, 64).save(source / f"{i:05d}.png")
        workers = f"--beam_args=--direct_num_workers={flags.workers}"
        words = ["rts_tf", "enhance", source, f"--output={target}", "--engine=beam", workers]
        with subprocess.Popen([sys.executable, "-m", *words, "--model=residual3"]) as process:
            measured = list(measure(process, target))
    return judge(measured, flags.images, process.returncode)


def measure(process: subprocess.Popen, target: pathlib.Path):
    """Yield the images that are there, and the megabytes of each worker, until the process ends."""
    began = time.monotonic()
    while process.poll() is None:
        time.sleep(EVERY)
        count = len(list(target.glob("*.png"))) if target.is_dir() else 0
        memory = [megabytes(worker) for worker in workers_of(process.pid)]
        if count and all(memory):
            figures = "  ".join(f"{each:7.1f}" for each in memory)
            print(f"{time.monotonic() - began:6.0f} s  {count:6d} images  {figures} MB", flush=True)
        yield count, memory


def workers_of(parent: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for path in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            found += map(int, path.read_text().split())
        except OSError:
            continue
    return sorted(set(found))


def megabytes(process: int) -> float:
    """The resident memory of a process in 10^6 bytes; 0 if it is gone."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmRSS:\s*(\d+) kB", status, re.M)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def judge(measured: list[tuple[int, list[float]]], images: int, code: int) -> int:
    """Print how much memory grew; return the exit code."""
    whole = [(count, sum(memory)) for count, memory in measured if memory and all(memory)]
    first = [memory for count, memory in whole if images / 8 <= count <= images / 4]
    last = [memory for count, memory in whole if images * 7 / 8 <= count]
    if code or not first or not last:
        print(f"the command ended with {code}, or too fast to measure")
        return 1
    growth = (sum(last) / len(last)) / (sum(first) / len(first))
    print(f"memory at the end against that after a quarter: {growth:.3f} (at most {GROWTH})")
    return int(growth > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
