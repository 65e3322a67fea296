"""An unbroken run of two workers, and runs that are broken and continued."""

import json
import os
import pathlib
import signal
import time

from tests.crash import FLAGS, Runner, differences, install_faults, outcome, write_images
from tests.support.worker_runs import WorkerRun

WORKERS = 2
ENDS_WITHIN = 90  # seconds until the others have ended; heartbeats take ten on an idle machine
PHASES = ("sources", "Phase A", "Phase B", "validation")
LOST = "was lost or stopped. What was done is kept: start the same command on all hosts again"


class Lab:
    """A folder with images, and with the run "unbroken" of two workers."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.runner = folder, Runner()
        self.flags = [
            *FLAGS,
            "--stages=2",
            "--first_steps=8",
            "--later_steps=6",
            "--images_per_shard=1",
            "--judge=mos",
            "--precision=float32",
            *write_images(folder / "images", count=6, side=64),
        ]
        traces = [folder / f"trace_{k}" for k in range(WORKERS)]
        prepare = {k: (install_faults, str(trace)) for k, trace in enumerate(traces)}
        run = self.start("unbroken", prepare=prepare)
        assert run.finish() == [0] * WORKERS, run.text()
        self.expected = outcome(folder / "unbroken")
        self.points = [
            [json.loads(line) for line in trace.read_text().splitlines()] for trace in traces
        ]

    def start(self, name: str, count: int = WORKERS, **settings) -> WorkerRun:
        """Start workers on the directory ``name``."""
        return WorkerRun(self.runner, self.flags, self.folder / name, count, **settings)

    def moment(self, worker: int, phase: str, number: int, of: int) -> dict:
        """A fault point of a worker: of ``of`` that are spread over a phase, the ``number``-th."""
        points = [point for point in self.points[worker] if point["phase"] == phase]
        point = points[number * (len(points) - 1) // max(1, of - 1)]
        return {**point, "mode": ("before", "after")[number % 2]}

    def breaks(self, name: str, worker: int, fault: dict, by: int) -> None:
        """Send a signal to a worker at a fault point, and check how all of them end."""
        victim = (install_faults, "", {**fault, "signal": by})
        run = self.start(name, prepare={worker: victim})
        victim_ends = run.processes[worker].join if by == signal.SIGKILL else (lambda: None)
        victim_ends()
        other = run.processes[1 - worker]
        began = time.monotonic()
        other.join(ENDS_WITHIN + 60)
        print(f"{name}: the other ended after {time.monotonic() - began:.0f} s")
        assert other.exitcode == 1, (fault, run.text())
        (line,) = run.errors(1 - worker)
        assert LOST in line and "Traceback" not in run.text()
        if by == signal.SIGSTOP:
            os.kill(run.processes[worker].pid, signal.SIGCONT)
            run.processes[worker].join(ENDS_WITHIN)
            assert run.processes[worker].exitcode == 1, (fault, run.text(worker))
            assert LOST in run.errors(worker)[0]
        else:
            assert run.finish(5)[worker] == -by, fault

    def continues(self, name: str, count: int = WORKERS) -> None:
        """Run the command again, and check that it ends as the unbroken run did."""
        run = self.start(name, count)
        assert run.finish() == [0] * count, run.text()
        if count == WORKERS:
            assert not differences(self.expected, outcome(self.folder / name))
