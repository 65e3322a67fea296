import functools

import numpy as np
import pytest

from rts_tf.export import HEADS, PRECISIONS, card
from rts_tf.export.calibration import mosaic, sample_crops
from rts_tf.export.heads import head_function
from rts_tf.export.tflite import Converter
from tests.test_inference import random_network

interpreter = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="LiteRT is not installed (the extra 'device')"
)
from rts_tf.export.flatbuffer import operations_and_macs  # noqa: E402

NETWORK, SIZE = random_network("residual1"), (50, 66)
_kernel, _bias = NETWORK.layers[-2].get_weights()
NETWORK.layers[-2].set_weights([_kernel, np.tile(_bias[:3], 4)])  # as in a trained network, nearly
PHOTOGRAPHS = sample_crops()
FRAME = mosaic(PHOTOGRAPHS.validation, *SIZE)


CONVERTER = Converter(NETWORK, [crop[:64, :64] for crop in PHOTOGRAPHS.calibration[:12]])


@functools.cache
def converted(head, precision, size=SIZE):
    return CONVERTER.convert(head, precision, *size)


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
    network = head_function(NETWORK, head)(x)[0].numpy()
    output = output / np.float32(255) if output.dtype == np.uint8 else output
    error = np.mean((np.clip(output, 0, 1) - np.clip(network, 0, 1)) ** 2)
    assert 255 * np.abs(output - network).max() <= card.MAX_LSB.get(precision, np.inf)
    assert -10 * np.log10(error) >= card.MIN_DB.get(precision, 0)


@pytest.mark.parametrize("head", HEADS)
def test_integers_are_pixels(files, head):
    for details in run(files[head, "int8"], head, FRAME)[1]:
        assert details["dtype"] == np.uint8
        assert details["quantization"] == (pytest.approx(1 / 255), 0)


def test_sizes_change_where_they_may(files):
    for head in HEADS:
        for size in ((1, 1), (7, 41)):
            frame = FRAME[: size[0], : size[1]]
            network = head_function(NETWORK, head)(frame[None].astype(np.float32) / 255)[0]
            np.testing.assert_allclose(
                run(files[head, "dynamic"], head, frame)[0], network, atol=1e-5
            )


def test_operations(files):
    integers, _ = operations_and_macs(files["upscale", "int16x8"])
    assert "TRANSPOSE_CONV" in integers and "DEPTH_TO_SPACE" not in integers
    operations, macs = operations_and_macs(files["upscale", "float32"])
    body, edge = (
        ["CONV_2D", "CONV_2D", "ADD", "CONV_2D", "ADD"],
        2 * ["STRIDED_SLICE", "STRIDED_SLICE", "CONCATENATION"],
    )
    assert operations == [*body, *edge, "CONV_2D", "DEPTH_TO_SPACE"]
    assert macs == SIZE[0] * SIZE[1] * sum(
        layer.kernel.numpy().size for layer in NETWORK.layers if hasattr(layer, "kernel")
    )
    whole, mixed = (
        operations_and_macs(files["enhance", p])[0] for p in ("int8", "int8_float_residual")
    )
    assert (
        "DEQUANTIZE" not in whole and whole.count("CONV_2D") == operations.count("CONV_2D") + 2
    )  # two of d()
    assert (
        mixed.count("DEQUANTIZE") == 3
    )  # of the picture, and of both terms of the body's last sum


def test_the_float_residual_is_in_float(files):
    model = interpreter.Interpreter(model_content=files["enhance", "int8_float_residual"])
    narrow = [t for t in model.get_tensor_details() if t["shape"].tolist() == [1, *SIZE, 3]]
    assert {t["dtype"] for t in narrow} == {np.float32, np.int8}
    assert sum(t["dtype"] == np.int8 for t in narrow) == 1  # the picture that goes in
