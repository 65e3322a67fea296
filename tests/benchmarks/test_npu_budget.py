"""The frame budget of NPUs: the table in NPU.md is up to date, and its figures are the files'."""

import pytest

from benchmarks import npu_budget
from rts_tf import networks
from rts_tf.export import HEADS
from rts_tf.export.flatbuffer import operations_and_macs

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed (the extra 'device')")
from tests.support.exported import SIZE, converted  # noqa: E402


def test_the_budget_is_that_of_the_networks():
    page = npu_budget.PAGE.read_text(encoding="utf-8")
    assert npu_budget.written(page) == page, "python -m benchmarks.npu_budget --write"


def test_work_is_that_of_the_network_and_of_the_file():
    network = networks.build("residual1")
    border = 2 * networks.receptive_radius(network)
    height, width = SIZE[0] + border, SIZE[1] + border
    pixels = height * width
    macs, traffic = npu_budget.work(network, "upscale", *SIZE)
    # What the pieces of the residual add.
    segments, head = 9 * 64 * (12 - 3), 9 * (15 - 3) * 12
    assert macs == pixels * (networks.macs_per_pixel(network) + segments + head)
    halo = 15 * ((height + 2) * (width + 2) - pixels)
    assert traffic == pixels * (3 + 64 + 64 + 64 + 3 * 64 + 64 + 12 + 15 + 12) + halo
    for name in HEADS:
        _, macs = operations_and_macs(converted(name, "int8"))
        assert npu_budget.work(network, name, *SIZE)[0] == macs
