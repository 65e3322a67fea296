"""export/settop/NPU.md lists the operations that the files really have."""

import pytest

from rts_tf.export import HEADS, PRECISIONS
from rts_tf.export.flatbuffer import operations_and_macs
from tests.support.paths import ROOT

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed (the extra 'device')")
from tests.support.exported import converted  # noqa: E402

PAGE = ROOT / "export" / "settop" / "NPU.md"


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "precision", [precision for precision in PRECISIONS if precision != "dynamic"]
)
def test_operations(head, precision):
    operations, _ = operations_and_macs(converted(head, precision))
    listed = ", ".join(f"{name} {operations.count(name)}" for name in dict.fromkeys(operations))
    assert f"| {head}_{precision} | {listed} |\n" in PAGE.read_text(encoding="utf-8")
