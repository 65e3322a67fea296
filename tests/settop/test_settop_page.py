"""export/settop/NPU.md says what is true."""

import pytest

from export.settop import budget
from rts_tf import networks
from rts_tf.export import HEADS, PRECISIONS
from tests.export.test_tflite import SIZE, converted, operations_and_macs


def test_the_budget_is_that_of_the_networks():
    page = budget.PAGE.read_text()
    assert budget.written(page) == page, "python -m export.settop.budget --write"


def test_work_is_that_of_the_network_and_of_the_file():
    pixels = SIZE[0] * SIZE[1]
    network = networks.build("residual1")
    macs, traffic = budget.work(network, "upscale", *SIZE)
    segments, head = (
        9 * 64 * (12 - 3),
        9 * (15 - 3) * 12,
    )  # that the pieces of the residual take more
    assert macs == pixels * (networks.macs_per_pixel(network) + segments + head)
    halo = 15 * ((SIZE[0] + 2) * (SIZE[1] + 2) - pixels)
    assert traffic == pixels * (3 + 64 + 64 + 64 + 3 * 64 + 64 + 12 + 15 + 12) + halo
    for name in HEADS:
        assert (
            budget.work(network, name, *SIZE)[0] == operations_and_macs(converted(name, "int8"))[1]
        )


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "precision", [precision for precision in PRECISIONS if precision != "dynamic"]
)
def test_operations(head, precision):
    operations, _ = operations_and_macs(converted(head, precision))
    listed = ", ".join(f"{name} {operations.count(name)}" for name in dict.fromkeys(operations))
    assert f"| {head}_{precision} | {listed} |\n" in budget.PAGE.read_text()
