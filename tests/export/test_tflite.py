"""The TFLite files of every precision: parity with the network, types, sizes and operations.

What NPU.md and its budget say of the files is tested here too, since making them takes seconds.
"""

import numpy as np
import pytest

from benchmarks import npu_budget
from rts_tf.export import HEADS, PRECISIONS, limits
from rts_tf.export.downscale import _across, _along, block_of, halving_kernels
from rts_tf.export.heads import head_function, macs_of_frame, macs_per_pixel
from rts_tf.networks import receptive_radius

interpreter = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="LiteRT is not installed (the extra 'device')"
)
from rts_tf.export.flatbuffer import operations_and_macs  # noqa: E402
from tests.support.exported import FRAME, NETWORK, SIZE, converted  # noqa: E402
from tests.support.paths import ROOT  # noqa: E402

PAGE = ROOT / "export" / "settop" / "NPU.md"


@pytest.fixture(scope="module")
def files():
    return {
        (head, precision): converted(head, precision) for head in HEADS for precision in PRECISIONS
    }


def run(data, head, frame):
    runner = interpreter.Interpreter(model_content=data).get_signature_runner(head)
    details = runner.get_input_details()["image"], *runner.get_output_details().values()
    image = frame if details[0]["dtype"] == np.uint8 else frame.astype(np.float32) / 255
    (output,) = runner(image=image[None]).values()
    return output[0], details


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("head", HEADS)
def test_parity(files, head, precision):
    output, _ = run(files[head, precision], head, FRAME)
    x = FRAME[None].astype(np.float32) / 255
    expected = head_function(NETWORK, head)(x)[0].numpy()
    output = output / np.float32(255) if output.dtype == np.uint8 else output
    error = np.mean((np.clip(output, 0, 1) - np.clip(expected, 0, 1)) ** 2)
    assert 255 * np.abs(output - expected).max() <= limits.MAX_LSB.get(precision, np.inf)
    assert -10 * np.log10(error) >= limits.MIN_DB.get(precision, 0)


@pytest.mark.parametrize("head", HEADS)
def test_integers_are_pixels(files, head):
    for details in run(files[head, "int8"], head, FRAME)[1]:
        assert details["dtype"] == np.uint8
        assert details["quantization"] == (pytest.approx(1 / 255), 0)


def test_sizes_change_where_they_may(files):
    for head in HEADS:
        for size in ((1, 1), (7, 41)):
            frame = FRAME[: size[0], : size[1]]
            expected = head_function(NETWORK, head)(frame[None].astype(np.float32) / 255)[0]
            output, _ = run(files[head, "dynamic"], head, frame)
            np.testing.assert_allclose(output, expected, atol=1e-5)


def test_operations(files):
    integers, _ = operations_and_macs(files["upscale", "int16x8"])
    assert "TRANSPOSE_CONV" in integers and "DEPTH_TO_SPACE" not in integers
    operations, _ = operations_and_macs(files["upscale", "float32"])
    body = ["CONV_2D", "CONV_2D", "ADD", "CONV_2D", "ADD"]
    edge = 2 * ["STRIDED_SLICE", "STRIDED_SLICE", "CONCATENATION"]
    last = ["CONV_2D", "STRIDED_SLICE", "DEPTH_TO_SPACE"]
    assert operations == [*edge, *body, *edge, *last]
    whole, mixed = (
        operations_and_macs(files["enhance", p])[0] for p in ("int8", "int8_float_residual")
    )
    # Two convolutions more are those of d().
    assert "DEQUANTIZE" not in whole
    assert whole.count("CONV_2D") == operations.count("CONV_2D") + 2
    # The input, and both terms of the last sum of the body.
    assert mixed.count("DEQUANTIZE") == 3


def test_macs_are_those_of_the_file(files):
    pixels, weights = SIZE[0] * SIZE[1], [w.size for w in NETWORK.get_weights() if w.ndim == 4]
    assert macs_per_pixel(NETWORK, "upscale") == sum(weights)
    border = 2 * receptive_radius(NETWORK)
    bordered = (SIZE[0] + border) * (SIZE[1] + border)
    assert operations_and_macs(files["upscale", "float32"])[1] == bordered * sum(weights)
    for segmented, precision in ((False, "float32"), (True, "int8")):
        for head, zeros in (("upscale", 0), ("enhance", zeros_of_blocks())):
            macs = macs_of_frame(NETWORK, head, *SIZE, segmented) + pixels * zeros
            assert operations_and_macs(files[head, precision])[1] == macs


def zeros_of_blocks():
    """What the zeros in the kernels of d() for blocks of pixels add to the MACs for each pixel."""
    block = block_of(SIZE[1])
    columns, rows = halving_kernels()
    whole = _along(columns, block).size + _across(rows, block).size
    return whole // block - columns.size - rows.size


def test_the_float_residual_is_in_float(files):
    model = interpreter.Interpreter(model_content=files["enhance", "int8_float_residual"])
    narrow = [t for t in model.get_tensor_details() if t["shape"].tolist() == [1, *SIZE, 3]]
    assert {t["dtype"] for t in narrow} == {np.float32, np.int8}
    assert sum(t["dtype"] == np.int8 for t in narrow) == 1  # the input


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "precision", [precision for precision in PRECISIONS if precision != "dynamic"]
)
def test_npu_md_lists_the_operations(files, head, precision):
    operations, _ = operations_and_macs(files[head, precision])
    listed = ", ".join(f"{name} {operations.count(name)}" for name in dict.fromkeys(operations))
    assert f"| {head}_{precision} | {listed} |\n" in PAGE.read_text(encoding="utf-8")


def test_the_budget_of_npus_counts_the_work_of_the_file(files):
    border = 2 * receptive_radius(NETWORK)
    height, width = SIZE[0] + border, SIZE[1] + border
    pixels = height * width
    macs, traffic = npu_budget.work(NETWORK, "upscale", *SIZE)
    # What the pieces of the residual add.
    segments, head = 9 * 64 * (12 - 3), 9 * (15 - 3) * 12
    assert macs == pixels * (macs_per_pixel(NETWORK, "upscale") + segments + head)
    halo = 15 * ((height + 2) * (width + 2) - pixels)
    assert traffic == pixels * (3 + 64 + 64 + 64 + 3 * 64 + 64 + 12 + 15 + 12) + halo
    for name in HEADS:
        _, macs = operations_and_macs(files[name, "int8"])
        assert npu_budget.work(NETWORK, name, *SIZE)[0] == macs
