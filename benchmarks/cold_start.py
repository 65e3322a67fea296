"""How long a command takes from its start to its end: for one small image, and for a help screen.

    python -m benchmarks.cold_start                # about two minutes on two idle cores
    python -m benchmarks.cold_start --rounds=9

Each way is a process of its own, and the ways take turns. A round before the first one fills the
cache of files. The median of the rounds counts. Beside ``rts_tf.enhance`` stand what it cannot do
without, ``import tensorflow``, and another program for the same purpose: an unsharp mask in Pillow.

Where other programs use the machine too, only the seconds of the processors mean something.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from absl import app, flags
from PIL import Image
from skimage import data

from benchmarks.table import Line, show

FLAGS = flags.FLAGS
flags.DEFINE_integer("rounds", 5, "How often everything is measured.", 1)

SIZE = 480, 270
MOST_SECONDS, MOST_OF_HELP = 5.0, 0.3
UNSHARP = (
    "import sys; from PIL import Image, ImageFilter; Image.open(sys.argv[1]).filter("
    "ImageFilter.UnsharpMask(2, 100, 0)).save(sys.argv[2], quality=92)"
)


class Cost(NamedTuple):
    """What a process took.

    Attributes:
        wall: Seconds by the clock.
        processor: Seconds of all its threads and the system.
        memory: The most memory that it had, in units of 10^6 bytes. It is no less than that of this
            program, since the system counts what a process begins with.
    """

    wall: float
    processor: float
    memory: float


def cost_of(command: list[str]) -> Cost:
    """Run a command, and measure its process.

    Raises:
        RuntimeError: It fails.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {said.decode(errors='replace')[-500:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


def ways(image: str, output: str) -> dict[str, list[str]]:
    """The commands that are measured, by their names."""
    enhance = ["-m", "rts_tf.enhance", image, f"--output={output}", "--overwrite"]
    arguments = {
        "enhance": enhance,
        "enhance --model=fast": [*enhance, "--model=fast"],
        "help": ["-m", "rts_tf", "--help"],
        "import rts_tf": ["-c", "import rts_tf"],
        "import tensorflow": ["-c", "import tensorflow"],
        "unsharp mask in Pillow": ["-c", UNSHARP, image, output],
    }
    return {way: [sys.executable, *each] for way, each in arguments.items()}


def medians(rounds: list[dict[str, Cost]]) -> dict[str, Cost]:
    """The median of each figure of each way over the rounds."""
    return {
        way: Cost(*(statistics.median(figures) for figures in zip(*(each[way] for each in rounds))))
        for way in rounds[0]
    }


def lines(costs: dict[str, Cost]) -> list[Line]:
    """The ratios to the limits and to the peers."""
    enhance, peer, mask = (
        costs[way] for way in ("enhance", "import tensorflow", "unsharp mask in Pillow")
    )
    image = f"{SIZE[0]}x{SIZE[1]}"
    found = [
        Line(
            f"enhance {image}, wall / {MOST_SECONDS:g} s",
            enhance.wall / MOST_SECONDS,
            "<=",
            1,
            f"{enhance.wall:.2f} s",
        ),
        Line(
            f"help, wall / {MOST_OF_HELP:g} s",
            costs["help"].wall / MOST_OF_HELP,
            "<=",
            1,
            f"{costs['help'].wall:.2f} s",
        ),
    ]
    others = {"import tensorflow": peer}
    others["import tensorflow and the mask"] = Cost(*(a + b for a, b in zip(peer, mask)))
    for name, other in others.items():
        found.append(
            Line(
                f"enhance / {name}, processor",
                enhance.processor / other.processor,
                "<=",
                1.2,
                f"{enhance.processor:.2f} of {other.processor:.2f} s",
            )
        )
    return found


def main(_: list[str]) -> None:
    """Measure everything, and print the tables."""
    with tempfile.TemporaryDirectory() as name:
        image, output = (str(pathlib.Path(name, part)) for part in ("image.jpg", "output.jpg"))
        Image.fromarray(data.chelsea()).resize(SIZE).save(image, quality=92)
        commands = ways(image, output)
        rounds = [
            {way: cost_of(command) for way, command in commands.items()}
            for _ in range(FLAGS.rounds + 1)
        ]
    costs = medians(rounds[1:])
    show(f"Cold start, median of {FLAGS.rounds}", lines(costs))
    for way, cost in costs.items():
        print(
            f"{way}: {cost.wall:.2f} s, {cost.processor:.2f} s of processors, {cost.memory:.0f} MB"
        )


if __name__ == "__main__":
    app.run(main)
