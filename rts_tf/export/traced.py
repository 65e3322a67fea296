"""A pass over a head that shows or replaces every tensor on the way.

It is what the TFLite files are written by: quantization fixes the ranges of tensors in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rts_tf.export import tensors
from rts_tf.export.body import Body
from rts_tf.export.downscale import block_of, halved, halving_kernels
from rts_tf.export.passes import Convolution
from rts_tf.export.program import BORDERED
from rts_tf.export.tensorflow_passes import computed_pass
from rts_tf.networks.borders import repeat_border, without_border

SEGMENTS = 4  # the pieces that the image residual is passed on in, see ``traced_head``
EDGE = 1  # pixels by which what the last convolution reads is enlarged, so that it sees no zeros

# Called with the name and the value of a tensor; returns the value to go on with.
Visit = Callable[[str, tf.Tensor], tf.Tensor]


class Kernels(NamedTuple):
    """The kernels behind the network's body: those of its last convolution and of d()."""

    head: np.ndarray  # [3, 3, C, 12]
    bias: np.ndarray  # [12]
    columns: np.ndarray  # [1, 7, 12, 6]
    rows: np.ndarray  # [7, 1, 6, 3]


def kernels_of(body: Body, segmented: bool = False) -> Kernels:
    """Return the kernels behind a body.

    Args:
        body: that of a network.
        segmented: whether the last convolution reads image and segments instead of their sum (see
            ``traced_head``).
    """
    kernel = body.last.kernel
    if segmented and body.image_residual:
        kernel = np.concatenate([kernel, kernel, -kernel, kernel, -kernel], axis=2)
    return Kernels(kernel, body.last.bias, *halving_kernels())


def _unchanged(name: str, value: tf.Tensor) -> tf.Tensor:
    return value


def traced_head(
    body: Body,
    head: str,
    image: tf.Tensor,
    kernels: Kernels,
    visit: Visit = _unchanged,
    *,
    segmented: bool = False,
    transposed: bool = False,
    blocked: bool = False,
) -> tf.Tensor:
    """Compute the same as ``head_function`` on one image of fixed size, step by step.

    Args:
        body: that of a network (``rts_tf.export.body.body_of``).
        head: "enhance" or "upscale".
        image: float32 [1, H, W, 3].
        kernels: used behind the body; ``kernels_of(body, segmented)`` changes nothing.
        visit: is called with the name (``rts_tf.export.tensors``, or that of the pass) and the
            value of every tensor on the way, and returns the value to go on with.
        segmented: pass the residual of Fig. 3 on beside the image instead of adding it. It is
            split into its positive and its negative part, and each of these into a piece for 0..1
            and one for 1..2, so that integers of the image's own steps hold them. As one number
            of -2..2 it would have steps four times as large, and so would the sum, the sharpest
            of all tensors.
        transposed: enlarge by a transposed convolution, for devices without DEPTH_TO_SPACE. That
            has one bias for each colour, the mean over the four phases; in trained networks they
            differ by a tenth of a level.
        blocked: pass several pixels of a line through d() together; ``visit`` then sees the
            tensors of d() in that shape.

    Returns:
        float32 [1, 2H, 2W, 3] for "upscale", [1, H, W, 3] for "enhance".
    """
    width, border = image.shape[2], body.border
    image = repeat_border(visit(tensors.IMAGE, image), border)
    x = repeat_border(_traced_body(body, image, visit, segmented), EDGE)
    x = visit(tensors.HEAD_INPUT, x)
    if head == "upscale" and transposed:
        enlarged = without_border(_enlarged(x, kernels, visit), 2 * border)
        return visit(tensors.OUTPUT, enlarged)
    phases = tf.nn.conv2d(x, kernels.head, strides=1, padding="VALID") + kernels.bias
    phases = without_border(phases, border)
    if head == "upscale":
        phases = visit(tensors.OUTPUT_PHASES, phases)
        return visit(tensors.OUTPUT, tf.nn.depth_to_space(phases, 2))
    block = block_of(width) if blocked else 1
    return halved(visit(tensors.PHASES, phases), kernels.columns, kernels.rows, visit, block)


def _traced_body(body: Body, image: tf.Tensor, visit: Visit, segmented: bool) -> tf.Tensor:
    """Return what the last convolution reads, pass by pass; the arguments are traced_head's."""
    values = {BORDERED: image}
    source, total = (body.image_residual if segmented else None) or (None, None)
    for each in body.passes:
        inputs = [values[name] for name in each.sources]
        if each is source:
            value = visit(tensors.SEGMENTS, _segments(source, inputs[0]))
        elif each is total:
            value = tf.concat([image, *(x for x in inputs if x is not image)], axis=-1)
        else:
            value = visit(each.name, computed_pass(each, *inputs))
        values[each.name] = value
    return values[body.last.source]


def _segments(source: Convolution, x: tf.Tensor) -> tf.Tensor:
    """Split the output r of the convolution into four pieces of 0..1, [1, H, W, 12].

    They are min(relu(r), 1), min(relu(-r), 1), relu(r - 1) and relu(-r - 1).
    """
    kernel, bias = source.kernel, source.bias
    kernels = np.concatenate([kernel, -kernel] * (SEGMENTS // 2), axis=3)
    biases = np.concatenate([bias, -bias, bias - 1, -bias - 1], axis=0)
    pieces = tf.nn.conv2d(x, kernels, strides=1, padding="SAME") + biases
    return tf.minimum(tf.nn.relu(pieces), 1.0)


def _enlarged(x: tf.Tensor, kernels: Kernels, visit: Visit) -> tf.Tensor:
    """The last convolution and the pixel shuffle as one transposed convolution of stride 2."""
    kernel = np.zeros((6, 6, 3, x.shape[-1]), np.float32)
    for row in range(2):
        for column in range(2):
            phase = kernels.head[..., 3 * (2 * row + column) :][..., :3]
            kernel[row::2, column::2] = phase[::-1, ::-1].swapaxes(2, 3)
    _, height, width, _ = x.shape
    y = tf.nn.conv2d_transpose(x, kernel, [1, 2 * height, 2 * width, 3], strides=2, padding="SAME")
    # The edge that the convolution uses up is two enlarged pixels on every side.
    return visit(tensors.ENLARGED, y)[:, 2:-2, 2:-2] + kernels.bias.reshape(4, 3).mean(0)
