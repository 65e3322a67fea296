"""The progress line: the time left, the lines without a terminal, and Ctrl-C."""

import io
import os
import signal

import pytest
from absl import flags
from rich.console import Console

from rts_tf.cli import progress
from rts_tf.cli.command import exit_code_of
from rts_tf.cli.progress import RunProgress
from rts_tf.errors import Interrupted


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests move."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


def test_time_left_follows_the_pace_of_each_phase(clock):
    run = RunProgress({"Phase A": 100.0, "Phase B": 50.0}, Console(file=io.StringIO()))
    clock(10)
    run.advance("Phase A", 10, "stage 1/4", 2, "steps")
    # A phase that has not begun is expected to go at the pace of the others.
    assert run.seconds_left() == pytest.approx(90 + 50)
    clock(4)
    run.advance("Phase B", 2, "stage 1/4", 1, "MP")
    assert run.seconds_left() == pytest.approx(90 + 96)


def test_work_of_an_earlier_run_takes_no_time(clock):
    run = RunProgress({"Phase A": 100.0}, Console(file=io.StringIO()))
    clock(60)
    run.skip("Phase A", 50)
    clock(10)
    run.advance("Phase A", 10, "stage 1/4", 1, "steps")
    assert run.seconds_left() == pytest.approx(40)


def test_lines_without_a_terminal(clock):
    file = io.StringIO()
    run = RunProgress({"Phase A": 7300.0}, Console(file=file, width=120))
    for _ in range(100):
        clock(1)
        run.advance("Phase A", 1, "stage 1/4  Phase A  loss 0.5", 3, "steps")
    lines = file.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[-1] == "stage 1/4  Phase A  loss 0.5  3.00 steps/s  2:00:00 left"


def test_lines_name_flags(clock, monkeypatch):
    file = io.StringIO()
    run = RunProgress({"Phase A": 1.0}, Console(file=file, width=120))
    own = flags.FlagValues()
    flags.DEFINE_string("batch", "", "", flag_values=own)
    exit_code_of(lambda: run.say("a lower `batch`"), stopped="", command_flags=own)
    assert file.getvalue() == "a lower --batch\n"


def test_the_first_signal_stops_at_the_next_safe_point():
    run = RunProgress({"Phase A": 10.0}, Console(file=io.StringIO()))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted), run.running():
        os.kill(os.getpid(), signal.SIGINT)
        run.say("still working")
        run.advance("Phase A", 1, "", 1, "steps")
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_signal_stops_at_once():
    run = RunProgress({"Phase A": 10.0}, Console(file=io.StringIO()))
    with pytest.raises(KeyboardInterrupt), run.running():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
