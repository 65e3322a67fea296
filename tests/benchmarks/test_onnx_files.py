"""The table of ONNX files in docs/onnx.md."""

import importlib.util
import re

import pytest

pytest.importorskip("onnx", reason="the package onnx is not installed")
from benchmarks import onnx_files  # noqa: E402
from rts_tf import pretrained  # noqa: E402
from rts_tf.export.onnx_file import onnx_file  # noqa: E402
from rts_tf.export.program import program_of  # noqa: E402

# They run in processes of their own, and are not imported here.
ENGINES = all(map(importlib.util.find_spec, onnx_files.ENGINES))
ROW = re.compile(r"\| `(\S+)\.onnx` \| (\d+) \| (\d+) \| (\d) \| (\d+) \| ([\d,]+) \|(.*)\|(.*)\|")


def rows(text):
    """Numbers by file, without the distances, and the distances."""
    found = ROW.findall(text)
    return {row[0]: row[1:-2] for row in found}, [float(cell) for row in found for cell in row[-2:]]


def test_the_table_in_the_documentation():
    made, distances = rows(onnx_files.PAGE.read_text(encoding="utf-8"))
    assert {name.rsplit("_", 1)[0] for name in made} == set(pretrained.names())
    assert len(distances) == 2 * len(made) and max(distances) <= 0.01


@pytest.mark.skipif(not ENGINES, reason="onnxruntime or openvino is not installed")
@pytest.mark.parametrize("name", ["luma-small", "residual1"])
def test_a_row_is_as_the_documentation_has_it(name):
    contents = onnx_file(program_of(pretrained.network(name)), {})
    lines = onnx_files.table([(f"{name}_enhance.onnx", contents)], [(2, 13, 10)])
    here, distances = rows(lines)
    page, _ = rows(onnx_files.PAGE.read_text(encoding="utf-8"))
    key = f"{name}_enhance"
    assert here[key][1:] == page[key][1:] and max(distances) <= 0.01
    assert abs(int(here[key][0]) - int(page[key][0])) <= 1  # without metadata
    assert onnx_files.written("a\n" + onnx_files.BEGIN + onnx_files.END + "b\n", lines) == (
        "a\n" + onnx_files.BEGIN + lines + onnx_files.END + "b\n"
    )
