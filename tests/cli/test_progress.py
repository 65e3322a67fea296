"""The progress line: the time left, the lines without a terminal, and Ctrl-C."""

import contextlib
import io
import os
import signal
import subprocess
import sys

import pytest
from absl import flags
from rich.console import Console

from rts_tf.cli import progress
from rts_tf.cli.command import exit_code_of
from rts_tf.cli.progress import RunProgress
from rts_tf.errors import Interrupted
from tests.support.commands import photo

ERASED = "\x1b[1A\x1b[2K"  # one line up, and nothing on it


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


def test_the_bar_is_gone_before_results_are_printed(tmp_path):
    """On a terminal nothing of the bar is left, and the cursor is where the bar was."""
    file = io.StringIO()
    run = RunProgress({"Phase A": 2.0}, Console(file=file, force_terminal=True, width=80))
    with run.running():
        run.advance("Phase A", 1, "stage 1/1  Phase A", 1, "steps")
    *_, last = file.getvalue().splitlines()
    assert last.endswith(ERASED)


def test_what_is_printed_beside_a_bar_on_standard_error_goes_to_standard_output(monkeypatch):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    with RunProgress({"A": 2.0}, Console(stderr=True, force_terminal=True)).running():
        print("a result")
    assert out.getvalue() == "a result\n" and "a result" not in err.getvalue()


@pytest.mark.parametrize("left", [9.0, 86_400.0])
def test_the_time_left_is_whole_on_a_narrow_terminal(clock, left):
    file = io.StringIO()
    run = RunProgress({"A": left + 4}, Console(file=file, force_terminal=True, width=80))
    with run.running():
        for _ in range(4):
            clock(1)
            run.advance("A", 1, "stage 10/10  Phase A  step 2600/12600  loss 0.001234", 1, "steps")
        run._bar.refresh()
    assert ("0:09 left" if left == 9 else "24:00:00 left") in file.getvalue()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals")
def test_on_a_terminal_the_table_is_the_last_thing(tmp_path):
    """The whole command on a pseudo-terminal."""
    photo(0, 80, 90).save(tmp_path / "a.png")
    photo(1, 80, 90).save(tmp_path / "b.png")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "rts_tf.viqet", tmp_path]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        # Linux ends the output of a terminal that nobody writes to any more with an error.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 2**16):
                seen += part
    os.close(ours)
    assert process.returncode == 0
    before, table, after = seen.decode().partition("image ")
    assert "measured 2 of 2 images" in before and before.endswith(ERASED)
    assert "raw MOS" in after and "images/s" not in after and "\x1b" not in after
