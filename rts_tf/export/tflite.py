"""Converts a head to TFLite files, one for each precision, with builtin operations only.

The integers are calibrated with TensorFlow's floating-point results. Other CPU kernels round
those differently, so the bytes of a file may differ from one CPU to another; the limits of the
export card hold on each.
"""

import contextlib
import functools
import io
import pathlib
import tempfile
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import ConfigError
from rts_tf.export import OUTPUT_NAME
from rts_tf.export.archive import archive
from rts_tf.export.body import Body, body_of
from rts_tf.export.calibration import mosaic
from rts_tf.export.flatbuffer import with_radius
from rts_tf.export.heads import head_function, receptive_radius
from rts_tf.export.limits import MIN_DB
from rts_tf.export.quantization import (
    Observed,
    floating_tensors,
    integer_body,
    integer_kernels,
    pins,
)
from rts_tf.export.traced import kernels_of, traced_head
from rts_tf.quiet import quiet_stderr

CALIBRATION_EVERY = 4  # every so many crops, to measure what the rounding of a tensor costs
MARGIN_DB = 0.2  # on crops of other images the PSNR is within .1 dB of that (residual3)

Function = Callable[[tf.Tensor], tf.Tensor]  # a head with the kernels of a file


def converted(
    network: keras.Model,
    signature: str,
    function: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    set_precision: Callable[[tf.lite.TFLiteConverter], None],
) -> bytes:
    """Convert a function to a TFLite file.

    Args:
        network: The model whose variables the function may use.
        signature: The name of its signature in the file.
        function: A tf.function with an input signature.
        set_precision: Called with the converter before it converts.
    """
    with tempfile.TemporaryDirectory() as directory:
        archive(network, {signature: function}, pathlib.Path(directory))
        converter = tf.lite.TFLiteConverter.from_saved_model(directory, signature_keys=[signature])
        set_precision(converter)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), quiet_stderr():
            return converter.convert()


class Converter:
    """Converts the heads of one network.

    Example::

        data = Converter(network, sample_crops().calibration).convert("enhance", "int8", 1080, 1920)
    """

    def __init__(self, network: keras.Model, crops: list[np.ndarray]):
        """Convert ``network``, with integers calibrated on ``crops``, uint8 [H, W, 3]."""
        self.network, self.crops = network, crops

    @functools.cached_property
    def body(self) -> Body:
        """The passes of the network; a :class:`ConfigError` says why there are none."""
        return body_of(self.network)

    @functools.cached_property
    def observed(self) -> Observed:
        """What the integers are calibrated by; computed when first asked for."""
        return Observed(self.body, self.crops)

    def convert(self, head: str, precision: str, height: int, width: int) -> bytes:
        """Convert a head.

        Args:
            head: "enhance" or "upscale"; the signature of the file has that name.
            precision: what the file computes in:

                - "float32";
                - "dynamic": float32, frames of any height and width;
                - "float16": weights of 16 bits, values of 32;
                - "int8": integers throughout;
                - "int8_float_residual": images (the residual sum and the head) and the features
                  that they are computed from stay float32, and other tensors as far as the limit
                  of the export card needs it;
                - "int16x8": values of 16 bits, weights of 8.
            height: of the input, in pixels.
            width: likewise.

        Returns:
            The contents of the file. Its input "image" is [1, height, width, 3], its output
            "enhanced" or "upscaled": float32 in [0, 1], not clipped, except for "int8", which has
            uint8 in 0..255 on both sides. Its metadata has the receptive radius (``with_radius``).
        """
        prepare = {
            "float32": self._floating,
            "float16": self._floating,
            "dynamic": self._dynamic,
            "int8": self._int8,
            "int8_float_residual": self._int8_float_residual,
            "int16x8": self._int16x8,
        }[precision]
        function = prepare(head)
        size = [1, None, None, 3] if precision == "dynamic" else [1, height, width, 3]
        endpoint = tf.function(
            lambda image: {OUTPUT_NAME[head]: function(image)},
            [tf.TensorSpec(size, tf.float32, name="image")],
        )
        data = converted(
            self.network,
            head,
            endpoint,
            lambda converter: self._set_precision(converter, precision, height, width),
        )
        return with_radius(data, receptive_radius(self.network, head))

    def _set_precision(
        self, converter: tf.lite.TFLiteConverter, precision: str, height: int, width: int
    ) -> None:
        if precision not in ("float32", "dynamic"):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision == "int8":
            converter.inference_input_type = converter.inference_output_type = tf.uint8
        if precision == "int16x8":
            kinds = tf.lite.OpsSet
            operations = kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            converter.target_spec.supported_ops = [operations]
            converter.representative_dataset = lambda: self._frames(height, width)

    def _floating(self, head: str) -> Function:
        try:
            body = self.body
        except ConfigError:  # a layer has no pass, or the network ends otherwise
            return self._dynamic(head)
        kernels = kernels_of(body)
        return lambda image: traced_head(body, head, image, kernels, blocked=True)

    def _dynamic(self, head: str) -> Function:
        return head_function(self.network, head)

    def _int8(self, head: str) -> Function:
        body = integer_body(self.body, self.observed, images=True)
        kernels = integer_kernels(self.body, self.observed, segmented=True)
        visit = pins(self.observed)
        return lambda image: traced_head(
            body, head, image, kernels, visit, segmented=True, blocked=True
        )

    def _int8_float_residual(self, head: str) -> Function:
        body = integer_body(self.body, self.observed, images=False)
        kernels, exact = kernels_of(body), head_function(self.network, head)
        wanted, crops = MIN_DB["int8_float_residual"] + MARGIN_DB, self.crops[::CALIBRATION_EVERY]
        floating = floating_tensors(exact, body, self.observed, head, crops, wanted=wanted)
        visit = pins(self.observed, floating)
        return lambda image: traced_head(body, head, image, kernels, visit, blocked=True)

    def _int16x8(self, head: str) -> Function:
        body, transposed = integer_body(self.body, self.observed, images=True), head == "upscale"
        kernels = integer_kernels(self.body, self.observed, segmented=False, transposed=transposed)
        return lambda image: traced_head(
            body, head, image, kernels, transposed=transposed, blocked=True
        )

    def _frames(self, height: int, width: int) -> Iterator[dict[str, np.ndarray]]:
        """One frame of the size of the file, put together from the crops."""
        yield {"image": mosaic(self.crops, height, width)[None].astype(np.float32) / 255}
