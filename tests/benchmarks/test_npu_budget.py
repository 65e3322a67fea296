"""The table in NPU.md is up to date; what it counts is compared with a file in test_tflite.py."""

from benchmarks import npu_budget


def test_the_budget_is_that_of_the_networks():
    page = npu_budget.PAGE.read_text(encoding="utf-8")
    assert npu_budget.written(page) == page, "python -m benchmarks.npu_budget --write"
