"""A worker that is killed or stopped ends the others, and the same command continues the run."""

import itertools
import signal

import pytest

from tests.faults.lab import PHASES, Lab

MOMENTS = 10
SIGNALS = (signal.SIGKILL, signal.SIGSTOP)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("killed"))


def test_killed_while_training_and_stopped_while_making_targets(lab):
    """The short form: one directory, broken in two ways."""
    lab.breaks("short", 1, lab.moment(1, "Phase A", 2, MOMENTS), signal.SIGKILL)
    lab.breaks("short", 0, lab.moment(0, "Phase B", 5, MOMENTS), signal.SIGSTOP)
    lab.continues("short")


@pytest.mark.faults
@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize(
    "by, worker, phase",
    [*itertools.product(SIGNALS, (0, 1), PHASES), *itertools.product(SIGNALS, (0,), ("finish",))],
)
def test_every_worker_in_every_phase(lab, by, worker, phase, moment):
    name = f"{by.name}_{worker}_{phase}_{moment}"
    lab.breaks(name, worker, lab.moment(worker, phase, moment, MOMENTS), by)
    lab.continues(name)


@pytest.mark.faults
def test_one_worker_continues_for_two(lab):
    lab.breaks("alone", 1, lab.moment(1, "Phase B", 3, MOMENTS), signal.SIGKILL)
    lab.continues("alone", count=1)
