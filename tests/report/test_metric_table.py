"""The plain-text table of the metrics of several images."""

import math

from rts_tf.report.columns import Column, beside_unsharp
from rts_tf.report.metric_table import metric, metric_table

COLUMNS = (
    metric("PSNR", "psnr", 2, "likeness"),
    metric("MOS gain", "mos_gain", 3, "gain", sign=True),
    Column("clipped %", beside_unsharp("clipped_percent", 1), short="lost"),
    metric("not measured", "nothing", 1, "nothing"),
)


def test_cells_and_the_mean():
    metrics = [
        {"psnr": 30.0, "mos_gain": 0.5, "clipped_percent": 1.0, "unsharp_clipped_percent": 2.0},
        {"psnr": math.inf, "mos_gain": -0.25, "clipped_percent": 2.0, "unsharp_clipped_percent": 4},
    ]
    lines = metric_table(["a", "b"], metrics, COLUMNS).splitlines()
    assert len(lines) == 5
    assert lines[0].split() == ["image", "PSNR", "MOS", "gain", "clipped", "%"]
    assert lines[1].split() == ["a", "30.00", "+0.500", "1.0", "(2.0)"]
    assert lines[2].split() == ["b", "inf", "-0.250", "2.0", "(4.0)"]
    # The mean is that of the finite values.
    assert lines[3].split()[3:] == ["30.00", "+0.125", "1.5", "(3.0)"]
    assert lines[4] == "PSNR: likeness; MOS gain: gain; clipped %: lost."


def test_without_a_baseline_there_are_no_brackets():
    heading, row, *_ = metric_table(["a"], [{"clipped_percent": 1.0}], COLUMNS).splitlines()
    assert heading.split()[1:] == ["clipped", "%"] and row.split() == ["a", "1.0"]
