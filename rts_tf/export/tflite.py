"""TFLite files of a head, one for each precision; builtin operations only."""

import contextlib
import functools
import io
import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf

from rts_tf.export.archive import archive
from rts_tf.export.calibration import mosaic
from rts_tf.export.flatbuffer import with_radius
from rts_tf.export.heads import (
    OUTPUT,
    can_be_traced,
    head_function,
    kernels_of,
    radius_of,
    traced_head,
)
from rts_tf.export.limits import MIN_DB
from rts_tf.export.quantization import (
    Observed,
    floating_tensors,
    integer_body,
    integer_kernels,
    pins,
)

CALIBRATION_EVERY = 4  # of the crops, to measure what a tensor's rounding costs
MARGIN_DB = 0.2  # crops of other photographs lie within .1 dB of the calibration crops (residual3)


class Converter:
    """Converts the heads of ``network`` for frames of one size, with integers calibrated on ``crops`` (uint8 [H, W, 3])."""

    def __init__(self, network: keras.Model, crops: list[np.ndarray]):
        self.network, self.crops = network, crops

    @functools.cached_property
    def observed(self) -> Observed:
        """What the integers are calibrated by; made when first asked for."""
        return Observed(self.network, self.crops)

    def convert(self, head: str, precision: str, height: int, width: int) -> bytes:
        """A TFLite file whose signature is named like the head.

        Its input ``image`` is [1, height, width, 3], its output ``enhanced`` or ``upscaled``: float32 in [0, 1], not
        clipped, but for "int8": uint8 in 0..255 on both sides. How far it looks is in its metadata (``with_radius``).

        Args:
            precision: "float32"; "dynamic", float32 of any height and width; "float16" weights; "int8", integers
                throughout; "int8_float_residual", where pictures (residual sum and head) and the features they are made of stay
                float32, and what else the limit of the export card asks for; "int16x8", 16-bit values and 8-bit weights.
        """
        network, function = {
            "float32": self._floating,
            "float16": self._floating,
            "dynamic": self._dynamic,
            "int8": self._int8,
            "int8_float_residual": self._int8_float_residual,
            "int16x8": self._int16x8,
        }[precision](head)
        size = [1, None, None, 3] if precision == "dynamic" else [1, height, width, 3]
        endpoint = tf.function(
            lambda image: {OUTPUT[head]: function(image)},
            [tf.TensorSpec(size, tf.float32, name="image")],
        )
        with tempfile.TemporaryDirectory() as directory:
            archive(network, {head: endpoint}, pathlib.Path(directory))
            converter = tf.lite.TFLiteConverter.from_saved_model(directory, signature_keys=[head])
            if precision not in ("float32", "dynamic"):
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if precision == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if precision == "int8":
                converter.inference_input_type = converter.inference_output_type = tf.uint8
            if precision == "int16x8":
                operations = (
                    tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
                )
                converter.target_spec.supported_ops = [operations]
                converter.representative_dataset = lambda: self._frames(height, width)
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                data = converter.convert()
        return with_radius(data, radius_of(network, head))

    def _floating(self, head: str):
        if not can_be_traced(self.network):
            return self._dynamic(head)
        kernels = kernels_of(self.network)
        return self.network, lambda image: traced_head(
            self.network, head, image, kernels, blocked=True
        )

    def _dynamic(self, head: str):
        return self.network, head_function(self.network, head)

    def _int8(self, head: str):
        body, kernels = (
            integer_body(self.network, self.observed, True),
            integer_kernels(self.network, self.observed, True),
        )
        visit = pins(self.observed)
        return body, lambda image: traced_head(
            body, head, image, kernels, visit, segmented=True, blocked=True
        )

    def _int8_float_residual(self, head: str):
        body, kernels = integer_body(self.network, self.observed, False), kernels_of(self.network)
        wanted, crops = MIN_DB["int8_float_residual"] + MARGIN_DB, self.crops[::CALIBRATION_EVERY]
        visit = pins(
            self.observed, floating_tensors(self.network, body, self.observed, head, crops, wanted)
        )
        return body, lambda image: traced_head(body, head, image, kernels, visit, blocked=True)

    def _int16x8(self, head: str):
        body, transposed = integer_body(self.network, self.observed, True), head == "upscale"
        kernels = integer_kernels(
            self.network, self.observed, segmented=False, transposed=transposed
        )
        return body, lambda image: traced_head(
            body, head, image, kernels, transposed=transposed, blocked=True
        )

    def _frames(self, height: int, width: int):
        """One frame of the size of the file, put together from the crops."""
        yield {"image": mosaic(self.crops, height, width)[None].astype(np.float32) / 255}
