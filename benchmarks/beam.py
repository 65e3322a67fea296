"""What a second worker process of Beam is worth: enhancing images with one and with two.

    python -m benchmarks.beam --images=40 --repeats=3

Each worker has one thread, as workers have that share two cores. The runs take turns. What a job
costs before its first image is the same for both, so it is measured with one image, and taken off.
Asked for on two cores: at least 1.7 times. Needs the extra 'beam'.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image
from skimage import data

SIDE = 512


def main() -> int:
    """Print the figures; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    flags = parser.parse_args()
    seconds: dict[int, list[float]] = {1: [], 2: []}
    starts: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_images(folder / "many", flags.images)
        write_images(folder / "few", 2)
        for turn in range(flags.repeats):
            for workers in (1, 2):
                starts[workers].append(enhance(folder, "few", workers, turn))
                seconds[workers].append(enhance(folder, "many", workers, turn))
    print(f"{cpu_name()}; {flags.images} images of {SIDE}x{SIDE}, least of {flags.repeats} runs")
    net = {}
    for workers in (1, 2):
        whole, start = min(seconds[workers]), min(starts[workers])
        net[workers] = whole - start
        print(f"{workers} workers of one thread: {whole:.1f} s, of which {start:.1f} s to start")
    whole = min(seconds[1]) / min(seconds[2])
    print(f"ratio {net[1] / net[2]:.2f}; {whole:.2f} with the start (asked for: 1.7)")
    return int(net[1] / net[2] < 1.7)


def cpu_name() -> str:
    """The name of the processor, as Linux has it."""
    found = re.search(r"^model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else "unknown CPU"


def write_images(folder: pathlib.Path, count: int) -> None:
    """Write images that are all different."""
    folder.mkdir()
    image = data.astronaut()
    for i in range(count):
        Image.fromarray(np.roll(image, 7 * i, axis=1)[:SIDE, :SIDE]).save(folder / f"{i}.png")


def enhance(folder: pathlib.Path, name: str, workers: int, turn: int) -> float:
    """Enhance a folder in Beam: the seconds that took."""
    one = dict.fromkeys(
        ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
    )
    words = [
        *(sys.executable, "-m", "rts_tf", "enhance", folder / name, "-q", "--model=residual3"),
        *(f"--output={folder / f'{name}-{workers}-{turn}'}", "--engine=beam"),
        f"--beam_args=--direct_num_workers={workers}",
    ]
    began = time.monotonic()
    subprocess.run(words, check=True, env=os.environ | one)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
