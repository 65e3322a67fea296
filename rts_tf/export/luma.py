"""Writes a network for luma as TFLite files of 8-bit integers.

A file for frames of any size leaves the border to its caller
(:class:`rts_tf.luma.engines.LiteRTEngine`). A file for one size repeats it inside, on the plane,
since there a copy takes least, and it takes sides that are no multiples of the packing.

XNNPACK computes the whole of a packed file. A concatenation of more than five tensors would not be
its own, and so a border is put together from fewer at a time. It computes 16 channels at once, so
the last convolution of a network that packs fewer pixels makes those of a larger block, at a
stride. The integers are the same, and ``luma2-16-16`` takes 16 ms instead of 20.8
(``benchmarks.luma_device``).
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from rts_tf.export import OUTPUT_NAME
from rts_tf.export.flatbuffer import with_ends_for_xnnpack, with_nominal_sides, with_radius
from rts_tf.export.luma_integers import (
    CHANGE_RANGE,
    IMAGE_RANGE,
    LumaIntegers,
    convolutions_of,
)
from rts_tf.export.passes import Convolution
from rts_tf.export.tflite import converted

FORMS = ("packed", "strided")
SIGNATURE = "enhance"
INPUT_NAME = "luma"
MOST_JOINED = 4  # tensors that one concatenation joins


def integer_file(
    integers: LumaIntegers,
    height: int | None = None,
    width: int | None = None,
    *,
    form: str = "packed",
) -> bytes:
    """Write a TFLite file.

    Args:
        integers: The network.
        height: Of the frames, in pixels; without it the file takes frames of any size.
        width: Likewise.
        form: "packed", or "strided" for devices that have no SPACE_TO_DEPTH and DEPTH_TO_SPACE.
            That packs by a strided and unpacks by a transposed convolution, and computes in
            integers alone, while a packed file has its uint8 input and output in float32 for a
            moment (:func:`rts_tf.export.flatbuffer.with_ends_for_xnnpack`). Both compute the same
            integers.

    Returns:
        The contents of the file. Its signature "enhance" takes "luma", uint8 [1, H, W, 1], to
        "enhanced" of the same shape and type. Without a size, H and W must be multiples of
        ``block``, and ``margin`` pixels a side are not what they are in the middle of an image.
        With a size, borders are repeated. The metadata has the receptive radius and ``block``
        (:func:`rts_tf.export.flatbuffer.with_radius`).

    Raises:
        ValueError: There is no such form, only one of height and width is given, or a strided file
            is to take frames of any size.
    """
    if form not in FORMS or (height is None) != (width is None):
        raise ValueError(f"expected height and width or neither, and form one of {FORMS}")
    if form == "strided" and height is None:
        raise ValueError("a strided file needs a height and a width")
    enhanced = _function(integers, height, width, form == "strided")
    endpoint = tf.function(
        lambda luma: {OUTPUT_NAME[SIGNATURE]: enhanced(luma)},
        [tf.TensorSpec([1, height, width, 1], tf.float32, name=INPUT_NAME)],
        autograph=False,
    )
    data = converted(integers.network, SIGNATURE, endpoint, _set_integers)
    shape = integers.shape
    if form == "packed":
        data = with_ends_for_xnnpack(data)
    if height is None:
        data = with_nominal_sides(data, shape.block)
    return with_radius(data, shape.margin + shape.pack - 1, shape.block)


def _set_integers(converter: tf.lite.TFLiteConverter) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.uint8


def _function(
    integers: LumaIntegers, height: int | None, width: int | None, strided: bool
) -> Callable[[tf.Tensor], tf.Tensor]:
    """The network, with the range of every tensor, as a function of float32 [1, H, W, 1]."""
    shape = integers.shape
    pack, margin, block = shape.pack, shape.margin, shape.block
    *hidden, last = convolutions_of(integers.network)
    # With a border, no convolution pads, and what they leave is the frame.
    padding, bordered = ("SAME", False) if height is None else ("VALID", True)

    def convolution(each: Convolution, x: tf.Tensor, blocks: int = 1) -> tf.Tensor:
        kernel, bias = _for_blocks(each.kernel, blocks), _for_blocks(each.bias, blocks)
        return tf.nn.conv2d(x, kernel, strides=blocks, padding=padding) + bias

    def enhanced(luma: tf.Tensor) -> tf.Tensor:
        luma = _image(luma)
        if height is not None and width is not None:
            luma = _repeated(luma, margin, margin + -height % block, axis=1)
            luma = _repeated(luma, margin, margin + -width % block, axis=2)
        x = _image(_packed(luma, pack, strided))
        for each, highest in zip(hidden, integers.highest, strict=True):
            x = _pinned(tf.nn.relu(convolution(each, x)), 0.0, highest)
        change = _pinned(convolution(last, x, block // pack), *CHANGE_RANGE)
        change = _pinned(_unpacked(change, block, strided), *CHANGE_RANGE)
        inside = _image(luma[:, margin:-margin, margin:-margin]) if bordered else luma
        output = _image(inside + change)
        if height and width and (height % block or width % block):
            output = _image(output[:, :height, :width])
        return output

    return enhanced


def _for_blocks(weights: np.ndarray, blocks: int) -> np.ndarray:
    """The kernel, or the bias, that computes ``blocks`` x ``blocks`` positions at once.

    Args:
        weights: A kernel [3, 3, inputs, p * p] that makes the pixels of a block, or its bias.
        blocks: How many positions a side.

    Returns:
        The kernel [blocks + 2, blocks + 2, inputs, (blocks * p) ** 2], to be applied at a stride of
        ``blocks``, or the bias. Channels are the pixels of the large block row by row.
    """
    pack = round(weights.shape[-1] ** 0.5)
    if blocks == 1:
        return weights
    if weights.ndim == 1:
        return np.tile(weights.reshape(1, pack, 1, pack), (blocks, 1, blocks, 1)).ravel()
    inputs, side = weights.shape[2], blocks + 2
    wide = np.zeros((side, side, inputs, blocks, pack, blocks, pack), weights.dtype)
    for i in range(blocks):
        for j in range(blocks):
            wide[i : i + 3, j : j + 3, :, i, :, j] = weights.reshape(3, 3, inputs, pack, pack)
    return wide.reshape(side, side, inputs, -1)


def _pinned(x: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Fix the range of a tensor, which the converter heeds."""
    return tf.quantization.fake_quant_with_min_max_args(x, low, high)


def _image(x: tf.Tensor) -> tf.Tensor:
    """Fix the range of a tensor of levels."""
    return _pinned(x, *IMAGE_RANGE)


def _repeated(x: tf.Tensor, before: int, after: int, axis: int) -> tf.Tensor:
    """Repeat the first and the last line along ``axis`` so many times."""
    first, last = (slice(None),) * axis + (slice(0, 1),), (slice(None),) * axis + (slice(-1, None),)
    return tf.concat([_times(x[first], before, axis), x, _times(x[last], after, axis)], axis)


def _times(x: tf.Tensor, count: int, axis: int) -> tf.Tensor:
    """Join ``count`` copies of ``x``, few at a time."""
    if count <= MOST_JOINED:
        return tf.concat([x] * count, axis) if count > 1 else x
    fours, rest = divmod(count, MOST_JOINED)
    parts = [_times(tf.concat([x] * MOST_JOINED, axis), fours, axis)]
    return tf.concat([*parts, *([x] * rest)], axis) if rest else parts[0]


def _packed(luma: tf.Tensor, pack: int, strided: bool) -> tf.Tensor:
    if pack == 1:
        return luma
    if strided:
        return tf.nn.conv2d(luma, _phases(pack), strides=pack, padding="VALID")
    return tf.nn.space_to_depth(luma, pack)


def _unpacked(x: tf.Tensor, pack: int, strided: bool) -> tf.Tensor:
    if pack == 1:
        return x
    if strided:
        size = [1, pack * x.shape[1], pack * x.shape[2], 1]
        return tf.nn.conv2d_transpose(x, _phases(pack), size, strides=pack, padding="VALID")
    return tf.nn.depth_to_space(x, pack)


def _phases(pack: int) -> np.ndarray:
    """The kernel [pack, pack, 1, pack * pack] that takes each pixel of a block to its channel."""
    return np.eye(pack**2, dtype=np.float32).reshape(pack, pack, 1, -1)
