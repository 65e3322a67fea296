"""Workers under bad conditions: the disk, the clock, the network, and each other."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.local_workers import environment_of
from tests.faults.lab import ENDS_WITHIN, LOST, WORKERS, Lab
from tests.support.paths import ROOT

SIZES = 10  # of a disk that is too small


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("conditions"))


def slow():
    from rts_tf.cli.progress import RunProgress

    real = RunProgress.advance

    def advance(*arguments, **settings):
        time.sleep(0.5)
        return real(*arguments, **settings)

    RunProgress.advance = advance


def jumping_clock():
    """A clock that is set a day forward or back whenever it is read."""
    real, reads = time.time, iter(range(10**9))
    time.time = lambda: real() + 86400 * (-1) ** next(reads)


@pytest.mark.faults
@pytest.mark.parametrize("worker", range(WORKERS))
def test_a_slow_worker_is_waited_for(lab, worker):
    run = lab.start(f"slow_{worker}", prepare={worker: (slow,)})
    assert run.finish() == [0] * WORKERS, run.text()
    lab.continues(f"slow_{worker}")  # which only compares


@pytest.mark.faults
def test_a_clock_that_jumps(lab):
    run = lab.start("clock", prepare={k: (jumping_clock,) for k in range(WORKERS)})
    assert run.finish() == [0] * WORKERS, run.text()
    lab.breaks("clock_killed", 1, lab.moment(1, "Phase A", 1, 4), signal.SIGKILL)
    run = lab.start("clock_killed", prepare={k: (jumping_clock,) for k in range(WORKERS)})
    assert run.finish() == [0] * WORKERS, run.text()
    for name in ("clock", "clock_killed"):
        lab.continues(name)


@pytest.mark.faults
def test_two_runs_at_once_on_one_directory(lab):
    both = [lab.start("both", label=f"both_{k}") for k in range(2)]
    codes = sorted(run.finish() for run in both)
    assert codes == [[0] * WORKERS, [1] * WORKERS], [run.text() for run in both]
    refused = next(run for run in both if run.processes[0].exitcode == 1)
    assert "another process is working on this run" in refused.errors(0)[0]
    assert "worker 0 of 2 stopped" in refused.errors(1)[0]
    lab.continues("both")


@contextlib.contextmanager
def small_disk(path, kilobytes):
    """A file system in memory at ``path``, and a function that gives it other options."""
    if os.geteuid():
        pytest.skip("mounting a file system needs root")
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", path], check=True)
    try:
        yield lambda options: subprocess.run(
            ["mount", "-o", f"remount,{options}", path], check=True
        )
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@contextlib.contextmanager
def read_only(path):
    """Nothing can be made, renamed or removed in a directory and those below it."""
    if os.geteuid():
        pytest.skip("making a directory immutable needs root")
    folders = [path, *(folder for folder in path.rglob("*") if folder.is_dir())]
    subprocess.run(["chattr", "+i", *folders], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *folders], check=True)


@pytest.mark.faults
@pytest.mark.parametrize("number", range(SIZES))
def test_a_full_disk(lab, number):
    needed = sum(
        file.stat().st_size for file in (lab.folder / "unbroken").rglob("*") if file.is_file()
    )
    size = needed * (number + 1) // (SIZES + 2) // 1024
    name = f"full_{number}"
    with small_disk(lab.folder / name, size) as remount:
        run = lab.start(name)
        assert run.finish() == [1] * WORKERS, run.text()
        assert "Traceback" not in run.text(), run.text()
        texts = [run.errors(k) for k in range(WORKERS)]
        assert all(len(lines) == 1 for lines in texts), run.text()
        assert any("make room" in line or "No space left" in line for (line,) in texts)
        remount("size=64m")
        lab.continues(name)


@pytest.mark.faults
@pytest.mark.parametrize(
    "seen", ["source/training", "stage_1/checkpoint/*.index", "stage_1/targets*"]
)
def test_a_directory_that_becomes_read_only(lab, seen):
    name = f"read_only_{len(seen)}"
    run = lab.start(name, prepare={k: (slow,) for k in range(WORKERS)})
    run.wait_for(seen)
    with read_only(lab.folder / name):
        assert run.finish() == [1] * WORKERS, run.text()
    assert "Traceback" not in run.text(), run.text()
    lab.continues(name)


@contextlib.contextmanager
def two_networks():
    """Two network namespaces, joined by a cable: (name, address) of each."""
    if os.geteuid():
        pytest.skip("network namespaces need root")
    ends = [("rts_test_0", "10.77.77.1"), ("rts_test_1", "10.77.77.2")]
    try:
        for name, _ in ends:
            subprocess.run(["ip", "netns", "add", name], check=True)
        cable = [
            end for k, (name, _) in enumerate(ends) for end in ("name", f"c{k}", "netns", name)
        ]
        subprocess.run(
            ["ip", "link", "add", *cable[:4], "type", "veth", "peer", *cable[4:]], check=True
        )
        for k, (name, address) in enumerate(ends):
            subprocess.run(
                ["ip", "-n", name, "addr", "add", f"{address}/24", "dev", f"c{k}"], check=True
            )
            for device in ("lo", f"c{k}"):
                subprocess.run(["ip", "-n", name, "link", "set", device, "up"], check=True)
        yield ends
    finally:
        for name, _ in ends:
            subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.mark.faults
def test_a_network_that_is_parted(lab):
    directory = lab.folder / "parted"
    with two_networks() as ends, contextlib.ExitStack() as files:
        addresses = [f"{address}:2222" for _, address in ends]
        workers = []
        for k, (name, _) in enumerate(ends):
            log = files.enter_context(open(lab.folder / f"parted.{k}.log", "w"))
            command = ["ip", "netns", "exec", name, sys.executable, "-m", "rts_tf.main"]
            workers.append(
                subprocess.Popen(
                    [*command, *lab.flags, f"--workdir={directory}", "--first_steps=100000"],
                    env={**os.environ, **environment_of(k, addresses)},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=ROOT,
                )
            )
        until = time.monotonic() + 120
        while not list(directory.glob("stage_1/checkpoint/*.index")):
            assert time.monotonic() < until and all(one.poll() is None for one in workers)
            time.sleep(0.1)
        subprocess.run(["ip", "-n", ends[0][0], "link", "set", "c0", "down"], check=True)
        assert [worker.wait(ENDS_WITHIN) for worker in workers] == [1, 1]
    for k in range(WORKERS):
        text = (lab.folder / f"parted.{k}.log").read_text()
        assert LOST in text and "Traceback" not in text
    assert json.loads((directory / "config.json").read_text())["first_steps"] == 100000
    assert len(list(directory.glob("stage_1/checkpoint/*.index"))) in (1, 2)
