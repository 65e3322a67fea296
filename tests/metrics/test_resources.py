"""The processors and the memory of this process, on this platform and on those without /proc."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from rts_tf.metrics import resources


def test_cores_are_those_of_the_affinity_mask(monkeypatch):
    assert 1 <= resources.cores() <= os.cpu_count()
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert resources.cores() == 3


def test_cores_without_an_affinity_mask(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert resources.cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert resources.cores() == 1


def peak_of_a_child(expression: str) -> float:
    """The peak memory, in 10^6 bytes, of a process that evaluates ``expression``."""
    code = (
        f"import numpy as np; x = {expression}\n"
        "from rts_tf.metrics.resources import peak_memory_mb; print(peak_memory_mb())"
    )
    return float(subprocess.check_output([sys.executable, "-c", code], text=True))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not report the peak memory")
def test_peak_memory_grows_by_what_is_allocated():
    little, much = peak_of_a_child("0"), peak_of_a_child("np.ones(25_000_000)")
    assert 1 < little < 500
    assert much - little == pytest.approx(200, rel=0.1)


@pytest.mark.skipif(not resources._STATUS.exists(), reason="there is no /proc here")
def test_peak_memory_is_that_of_this_process_alone():
    ours = np.ones(50_000_000)  # 400 MB
    assert resources.peak_memory_mb() > ours.nbytes / 1e6
    assert peak_of_a_child("0") < 300


def test_peak_memory_comes_from_getrusage_without_proc(monkeypatch, tmp_path):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resources, "_STATUS", tmp_path / "none")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    monkeypatch.setattr(sys, "platform", "linux")
    assert resources.peak_memory_mb() == pytest.approx(peak, rel=0.1)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert resources.peak_memory_mb() == pytest.approx(peak / 1024, rel=0.1)


def test_peak_memory_is_unknown_without_proc_and_resource(monkeypatch, tmp_path):
    monkeypatch.setattr(resources, "_STATUS", tmp_path / "none")
    monkeypatch.setitem(sys.modules, "resource", None)  # importing it raises ImportError
    assert math.isnan(resources.peak_memory_mb())
