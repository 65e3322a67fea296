"""Changes of size: d() of the paper, the 2x reduction that makes LR, and d() fused with a pixel-shuffle head."""

import functools

import numpy as np
import tensorflow as tf

from rts_tf.images.kernels import reduction_taps

# The names of tf.image.resize
KERNELS = {
    "bilinear": "bilinear",
    "lanczos": "lanczos3",
    "bicubic": "bicubic",
    "box": "area",
    "gaussian": "gaussian",
}


def halve(images: tf.Tensor, kernel: str = "lanczos") -> tf.Tensor:
    """Reduce to half the size (rounded up) with an antialiased kernel; with "lanczos" this is d() of section 3.1.

    Args:
        images: float32 [batch, H, W, C].
        kernel: "lanczos" (three lobes), "bicubic", "bilinear" (a triangle), "box" or "gaussian" (a deviation of one pixel).

    Returns:
        float32 [batch, ceil(H/2), ceil(W/2), C], not clipped.
    """
    size = (tf.shape(images)[1:3] + 1) // 2
    return tf.image.resize(images, size, method=KERNELS[kernel], antialias=True)


def double(images: tf.Tensor) -> tf.Tensor:
    """Enlarge twice by Lanczos interpolation: U of section 3.2. float32 [batch, H, W, C] -> [batch, 2H, 2W, C]."""
    return tf.image.resize(images, 2 * tf.shape(images)[1:3], method="lanczos3")


_BOTH_PHASES = np.vstack([np.eye(3, dtype=np.float32)] * 2)[
    None, None
]  # sums two column phases, faster than slices and +


@functools.cache
def _phase_taps(kernel: str) -> np.ndarray:
    """[7, 2] weights of d() on a doubled line: tap j-3 of phase p weighs the doubled sample 2(i + j - 3) + p.

    The centre of output i lies at 2i + 1/2 on the doubled grid. Kernels shorter than Lanczos leave outer taps at zero.
    """
    return reduction_taps(kernel, 2 * (np.arange(7)[:, None] - 3) + np.arange(2)[None, :] - 0.5)


def phase_kernels(kernel: str = "lanczos") -> tuple[np.ndarray, np.ndarray]:
    """The kernels [7, 1, 12, 6] and [1, 7, 6, 3] that apply d() to the four phases of a doubled picture, one axis each."""
    taps = _phase_taps(kernel)
    rows = np.zeros(
        (7, 1, 12, 6), np.float32
    )  # (row phase, column phase, colour) -> (column phase, colour)
    columns = np.zeros((1, 7, 6, 3), np.float32)
    for p in range(2):
        for q in range(6):
            rows[:, 0, 6 * p + q, q] = taps[:, p]
        for colour in range(3):
            columns[0, :, 3 * p + colour, colour] = taps[:, p]
    return rows, columns


def border_gain(size: int | tf.Tensor, kernel: str = "lanczos") -> np.ndarray | tf.Tensor:
    """[size] factor of each line or column: one over the share of d()'s kernel that falls inside ``size`` pixels.

    A constant where ``size`` is a number, so that a graph of fixed size has nothing to compute.
    """
    sums = np.concatenate([[0.0], _phase_taps(kernel).sum(1).cumsum()])
    cut = np.arange(4)  # taps that stick out of the picture at one end
    gains = (1 / (sums[7 - cut] - sums[cut][:, None])).astype(
        np.float32
    )  # looked up: a convolution rounds as it likes
    if isinstance(size, int):
        before, after = (np.maximum(0, 3 - i) for i in (np.arange(size), np.arange(size)[::-1]))
        return gains[before, after]
    before, after = (tf.maximum(0, 3 - i) for i in (tf.range(size), tf.range(size)[::-1]))
    return tf.gather(gains.ravel(), 4 * before + after)


def halve_shuffled(phases: tf.Tensor, kernel: str = "lanczos") -> tf.Tensor:
    """d(depth_to_space(phases)) without making the doubled image: the fused enhance head.

    Pixel shuffle and d() are linear and separable, so together they are a 7x1 and a 1x7 convolution over the four
    phases, divided by the part of the kernel inside the picture (as ``tf.image.resize`` does at borders).

    Args:
        phases: float32 [batch, H, W, 12], the input of a 2x pixel shuffle to RGB.
        kernel: of d(): "lanczos", "bicubic" or "bilinear".

    Returns:
        float32 [batch, H, W, 3]; equals ``halve(tf.nn.depth_to_space(phases, 2), kernel)`` to float32 rounding.
    """
    rows, columns = phase_kernels(kernel)
    height, width = (phases.shape[axis] or tf.shape(phases)[axis] for axis in (1, 2))
    lines = tf.nn.conv2d(phases, rows, strides=1, padding="SAME")
    # Depthwise, since oneDNN rounds an ordinary convolution along rows differently at some widths: tiles would not be exact.
    halved = tf.nn.depthwise_conv2d(
        lines, columns.sum(axis=3, keepdims=True), strides=[1, 1, 1, 1], padding="SAME"
    )
    halved = tf.nn.conv2d(halved, _BOTH_PHASES, strides=1, padding="SAME")
    # As lines of 3W values: TensorFlow is slow at broadcasting over a last axis as short as the colours.
    gain = border_gain(height, kernel)[:, None] * tf.repeat(border_gain(width, kernel), 3)
    return tf.reshape(tf.reshape(halved, [-1, height, 3 * width]) * gain, [-1, height, width, 3])
