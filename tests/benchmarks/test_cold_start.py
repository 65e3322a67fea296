"""Processes are measured, and the limits are those that were set. No TensorFlow is started."""

import subprocess
import sys

import pytest

from benchmarks.cold_start import Cost, cost_of, lines, medians, ways
from tests.support.commands import photo


def test_the_process_is_measured_and_not_this_one():
    cost = cost_of([sys.executable, "-c", "a = bytearray(80_000_000); print(sum(range(10**6)))"])
    assert 0 < cost.processor < 20 and cost.wall > 0
    assert cost.memory > 80


def test_a_command_that_fails_is_named():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        cost_of([sys.executable, "-c", "1 / 0"])


def test_the_peer_writes_an_image(tmp_path):
    photo().save(tmp_path / "image.jpg")
    output = tmp_path / "output.jpg"
    commands = ways(str(tmp_path / "image.jpg"), str(output))
    subprocess.run(commands["unsharp mask in Pillow"], check=True)
    assert output.stat().st_size > 0


def test_medians_and_ratios():
    rounds = [dict.fromkeys(ways("", ""), Cost(wall, 2 * wall, 100)) for wall in (9.0, 1.0, 2.0)]
    costs = medians(rounds)
    assert costs["enhance"] == Cost(2, 4, 100)
    ratios = {line.what: line.ratio for line in lines(costs)}
    assert ratios["enhance 480x270, wall / 5 s"] == pytest.approx(0.4)
    assert ratios["enhance / import tensorflow, processor"] == pytest.approx(1)
    assert ratios["enhance / import tensorflow and the mask, processor"] == pytest.approx(0.5)
