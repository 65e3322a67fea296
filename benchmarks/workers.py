"""Several workers on one machine: how much faster two of one thread are than one of one thread.

    python -m benchmarks.workers                  # about six minutes on two idle cores
    python -m benchmarks.workers --counts=1,2,4   # on a machine with four cores

residual3 in the precision that ``auto`` gives, on images that come with scikit-image. For each
number of workers the same work is done, by processes that share it out:

- Phase A: ten training steps on batches of 8 patches of 96 x 96 pixels, or of ``--patch``. Where
  ``auto`` is bfloat16, float32 is measured too: its steps take longer, and the workers exchange as
  much in them;
- Phase B: the targets of eight images, each in a shard of its own.

All processes are started at first, and then the numbers of workers take turns of about a second,
so that starting and tracing count for nothing, and other load of the machine meets all alike. The
medians of the turns are compared, and the fastest turns beside them. What the machine itself allows
is measured too ("apart" in the table): as many processes at once that know nothing of each other,
each with all of the work. Two cores that are threads of one allow less than two.
"""

import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile

from absl import app, flags

from benchmarks.local_workers import environment_of, free_addresses
from benchmarks.table import Line, show

FLAGS = flags.FLAGS
flags.DEFINE_list("counts", ["1", "2"], "Numbers of workers; the first is compared with.")
flags.DEFINE_integer("rounds", 20, "How often each number of workers takes its turn in a phase.")
flags.DEFINE_integer("patch", 96, "The side of the patches in pixels, a multiple of 2.")

LEAST = {"Phase A": 0.75, "Phase B": 0.85}  # of the ratio of the numbers of workers


def main(_: list[str]) -> None:
    """Measure every number of workers, and print the table."""
    first, *others = (int(count) for count in FLAGS.counts)
    keys = [(first, False), *itertools.product(others, (False, True))]
    lines = []
    with contextlib.ExitStack() as stack:
        groups = {key: Group(*key) for key in keys}
        for group in groups.values():
            stack.callback(group.end)
        for phase in [group.phases() for group in groups.values()][0]:
            seconds: dict[tuple[int, bool], list[float]] = {key: [] for key in keys}
            for _round in range(FLAGS.rounds):
                for key, group in groups.items():
                    seconds[key].append(group.turn())
            least = LEAST[phase.partition(",")[0]]
            one, fastest = statistics.median(seconds[first, False]), min(seconds[first, False])
            for count in others:
                more, apart = (statistics.median(seconds[count, alone]) for alone in (False, True))
                details = (
                    f"{one:.2f} s with {first}, {more:.2f} s; of the fastest turns"
                    f" {fastest / min(seconds[count, False]):.2f}; apart {one * count / apart:.2f}"
                )
                what = f"{phase}: {count} workers / {first}"
                lines.append(Line(what, one / more, ">=", least * count / first, details))
    show("workers of one thread each", lines)


class Group:
    """Processes that do the same work in the same turns."""

    def __init__(self, count: int, apart: bool):
        """
        Args:
            count: The number of processes.
            apart: Give each of them all of the work, alone.
        """
        self._folder = tempfile.TemporaryDirectory()
        self._processes = []
        addresses = free_addresses(count)
        for number in range(count):
            own = (0, addresses[number:][:1]) if apart else (number, addresses)
            directory = os.path.join(self._folder.name, str(number) if apart else "all")
            numbers = [str(FLAGS.rounds), str(FLAGS.patch)]
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.worker", directory, *numbers],
                    env={**os.environ, **environment_of(*own)},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )

    def phases(self) -> list[str]:
        """What the processes will measure, one after the other, when they are ready for it."""
        return self._answers()[0]

    def turn(self) -> float:
        """Let the processes do the next piece of work: the seconds of the slowest."""
        for process in self._processes:
            process.stdin.write("\n")
            process.stdin.flush()
        return max(self._answers())

    def end(self) -> None:
        """Stop the processes and remove what they wrote."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._folder.cleanup()

    def _answers(self) -> list:
        answers = [process.stdout.readline() for process in self._processes]
        if not all(answers):
            sys.exit("a worker failed: its error is above")
        return [json.loads(answer) for answer in answers]


if __name__ == "__main__":
    app.run(main)
