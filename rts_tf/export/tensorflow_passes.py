"""Computes passes with TensorFlow.

It is the reference for what other formats compute, and what TFLite files are written by.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from rts_tf.export import passes
from rts_tf.export.program import Program
from rts_tf.images.resample import halve_shuffled
from rts_tf.networks.borders import repeat_border


def computed(program: Program, images: tf.Tensor) -> tf.Tensor:
    """Compute a program.

    Args:
        program: The passes.
        images: float32 [batch, H, W, C], nominally in [0, 1].

    Returns:
        float32 [batch, scale * H, scale * W, C], not clipped.
    """
    made = {passes.INPUT: images}
    _, height, width, _ = images.shape
    for each in program.passes:
        inputs = [made[name] for name in each.sources]
        if isinstance(each, passes.Border):
            x = repeat_border(inputs[0], each.pixels)
            below, right = -x.shape[1] % program.multiple, -x.shape[2] % program.multiple
            x = tf.concat([x, *[x[:, -1:]] * below], axis=1)
            made[each.name] = tf.concat([x, *[x[:, :, -1:]] * right], axis=2)
        elif isinstance(each, passes.Cut):
            scale = program.scale if each.name == passes.OUTPUT else 1
            top, bottom, end = (
                each.pixels,
                each.pixels + scale * height,
                each.pixels + scale * width,
            )
            made[each.name] = inputs[0][:, top:bottom, top:end]
        else:
            made[each.name] = computed_pass(each, *inputs)
    return made[passes.OUTPUT]


def computed_pass(each: passes.Pass, *inputs: tf.Tensor) -> tf.Tensor:
    """Compute a pass that needs no size: any but :class:`Border` and :class:`Cut`.

    Args:
        each: The pass.
        inputs: What it reads, float32 [batch, H, W, C] each.
    """
    with tf.name_scope(each.name):
        return _ONE_TO_ONE[type(each)](each, *inputs)


def _convolution(each: passes.Convolution, x: tf.Tensor) -> tf.Tensor:
    y = tf.nn.conv2d(x, each.kernel, strides=1, padding="SAME") + each.bias
    return tf.nn.relu(y) if each.relu else y


def _sum(each: passes.Sum, *inputs: tf.Tensor) -> tf.Tensor:
    y = functools.reduce(tf.add, inputs)  # TFLite adds two at a time
    return tf.nn.relu(y) if each.relu else y


_ONE_TO_ONE: dict[type, Callable[..., tf.Tensor]] = {
    passes.Convolution: _convolution,
    passes.Sum: _sum,
    passes.Join: lambda each, *inputs: tf.concat(inputs, axis=-1),
    passes.PackPixels: lambda each, x: tf.nn.space_to_depth(x, each.block),
    passes.UnpackPixels: lambda each, x: tf.nn.depth_to_space(x, each.block),
    passes.Halve: lambda each, x: halve_shuffled(x),
}
