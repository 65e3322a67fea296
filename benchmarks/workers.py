"""Several workers on one machine: how much faster two of one thread are than one of one thread.

    python -m benchmarks.workers                  # about five minutes on two idle cores
    python -m benchmarks.workers --counts=1,2,4   # on a machine with four cores

residual3 in the precision that ``auto`` gives, on images that come with scikit-image. For each
number of workers the same work is done, by processes that share it out:

- Phase A: training steps on batches of 8 patches of 96 x 96 pixels, or of ``--patch``. Where
  ``auto`` is bfloat16, float32 is measured too: its steps take longer, and the workers exchange as
  much in them;
- Phase B: the targets of eight images, each in a shard of its own.

Every worker measures from a point where all of them have arrived to another, so that starting
processes and tracing count for nothing. The numbers of workers take turns, and the least time
counts. What the machine itself allows is measured beside it ("apart" in the table): as many
processes at once that know nothing of each other, each with all of the work. Two cores that are
threads of one allow less than two.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile

from absl import app, flags

from benchmarks.local_workers import environment_of, free_addresses
from benchmarks.table import Line, show

FLAGS = flags.FLAGS
flags.DEFINE_list("counts", ["1", "2"], "Numbers of workers; the first is compared with.")
flags.DEFINE_integer("rounds", 3, "How often each number of workers takes its turn.")
flags.DEFINE_integer("steps", 60, "Training steps that are measured.")
flags.DEFINE_integer("patch", 96, "The side of the patches in pixels, a multiple of 2.")

LEAST = {"Phase A": 0.75, "Phase B": 0.85}  # of the ratio of the numbers of workers


def main(_: list[str]) -> None:
    """Measure every number of workers, and print the table."""
    first, *others = (int(count) for count in FLAGS.counts)
    seconds: dict[tuple[str, int, bool], float] = {}
    for _round in range(FLAGS.rounds):
        for count, apart in ((first, False), *itertools.product(others, (False, True))):
            for phase, taken in measured(count, apart).items():
                key = phase, count, apart
                seconds[key] = min(seconds.get(key, taken), taken)
    lines = []
    for phase in dict.fromkeys(phase for phase, *_ in seconds):
        least = LEAST[phase.partition(",")[0]]
        for count in others:
            one, more = seconds[phase, first, False], seconds[phase, count, False]
            allowed = one * count / seconds[phase, count, True]
            details = f"{one:.2f} s with {first}, {more:.2f} s; apart {allowed:.2f}"
            what = f"{phase}: {count} workers / {first}"
            lines.append(Line(what, one / more, ">=", least * count / first, details))
    show("workers of one thread each", lines)


def measured(count: int, apart: bool) -> dict[str, float]:
    """Seconds by phase with ``count`` workers: those of the slowest.

    Args:
        apart: Give each worker all of the work, alone.
    """
    numbers = [str(FLAGS.steps), str(FLAGS.patch)]
    addresses = free_addresses(count)
    with tempfile.TemporaryDirectory() as folder:
        processes = []
        for number in range(count):
            own = (0, addresses[number:][:1]) if apart else (number, addresses)
            directory = os.path.join(folder, str(number) if apart else "all")
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.worker", directory, *numbers],
                    env={**os.environ, **environment_of(*own)},
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("a worker failed: its error is above")
    times = [json.loads(output.splitlines()[-1]) for output in outputs]
    return {phase: max(one[phase] for one in times) for phase in times[0]}


if __name__ == "__main__":
    app.run(main)
