"""Change the size of images by the factor 2: d() and U of the paper, and d() fused with a network.

``halve`` is d() of section 3.1, which brings SR(HR_0) back to the size of HR_0 in Phase B and makes
LR from HR_0. ``double`` is the plain interpolation U of section 3.2. ``halve_shuffled`` computes
d(SR(x)) from what enters the last layer of a network.
"""

import functools

import numpy as np
import tensorflow as tf

from rts_tf.images.kernels import reduction_taps

# Our names of the kernels, and those of tf.image.resize
KERNELS = {
    "bilinear": "bilinear",
    "lanczos": "lanczos3",
    "bicubic": "bicubic",
    "box": "area",
    "gaussian": "gaussian",
}
# How far d(SR(x)) and U(x) reach on each side of a pixel, in pixels of x (LR pixels)
D_RADIUS = 3
U_RADIUS = 3

_TAPS = 2 * D_RADIUS + 1
# [1, 1, 6, 3]: adds the colours of both column phases, faster than slices and an addition do
_ADD_PHASES = np.vstack([np.eye(3, dtype=np.float32)] * 2)[None, None]


def halve(images: tf.Tensor, kernel: str = "lanczos") -> tf.Tensor:
    """Reduce images to half their size with antialiasing: d() of section 3.1.

    Args:
        images: float32 [batch, H, W, C].
        kernel: "lanczos" (three lobes, the paper's), "bicubic", "bilinear" (a triangle), "box" or
            "gaussian" (a standard deviation of one pixel of ``images``).

    Returns:
        float32 [batch, ceil(H/2), ceil(W/2), C], not clipped.
    """
    size = (tf.shape(images)[1:3] + 1) // 2
    return tf.image.resize(images, size, method=KERNELS[kernel], antialias=True)


def double(images: tf.Tensor) -> tf.Tensor:
    """Enlarge images to twice their size by Lanczos interpolation: U of section 3.2.

    Args:
        images: float32 [batch, H, W, C].

    Returns:
        float32 [batch, 2H, 2W, C], not clipped.
    """
    return tf.image.resize(images, 2 * tf.shape(images)[1:3], method="lanczos3")


@functools.cache
def _phase_taps(kernel: str) -> np.ndarray:
    """The weights of d() along a doubled line, [7, 2].

    The centre of output i lies at 2i + 1/2 on the doubled grid. Tap j of phase p weights the
    doubled sample 2(i + j - 3) + p. The outer taps of kernels shorter than Lanczos are zero.
    """
    offsets = np.arange(_TAPS) - D_RADIUS
    return reduction_taps(kernel, 2 * offsets[:, None] + np.arange(2)[None, :] - 0.5)


def phase_kernels(kernel: str = "lanczos") -> tuple[np.ndarray, np.ndarray]:
    """Make the convolution kernels that apply d() to the four phases of doubled images.

    Args:
        kernel: The kernel of d(): "lanczos", "bicubic" or "bilinear".

    Returns:
        Two float32 kernels. The first, [7, 1, 12, 6], works along the columns, from (row phase,
        column phase, colour) to (column phase, colour). The second, [1, 7, 6, 3], works along the
        rows, from (column phase, colour) to colour.
    """
    taps = _phase_taps(kernel)
    vertical = np.zeros((_TAPS, 1, 12, 6), np.float32)
    horizontal = np.zeros((1, _TAPS, 6, 3), np.float32)
    for phase in range(2):
        for i in range(6):
            vertical[:, 0, 6 * phase + i, i] = taps[:, phase]
        for colour in range(3):
            horizontal[0, :, 3 * phase + colour, colour] = taps[:, phase]
    return vertical, horizontal


def border_gain(size: int | tf.Tensor, kernel: str = "lanczos") -> np.ndarray | tf.Tensor:
    """The factors that make up for the part of d()'s kernel that lies outside the image.

    ``tf.image.resize`` divides by the sum of the weights inside the image, and so do they.

    Args:
        size: The height or width of the image. A Python integer gives a constant, so that a graph
            of fixed size has nothing to compute.
        kernel: The kernel of d().

    Returns:
        float32 [size], one factor for each row or column; 1 in the interior.
    """
    sums = np.concatenate([[0.0], _phase_taps(kernel).sum(1).cumsum()])
    outside = np.arange(D_RADIUS + 1)  # the number of taps outside the image at one end
    # A table by (taps outside before, taps outside after). To compute the sums by a convolution
    # would bring in its rounding.
    gains = (1 / (sums[_TAPS - outside] - sums[outside][:, None])).astype(np.float32)
    if isinstance(size, int):
        index = np.arange(size)
        before, after = (np.maximum(0, D_RADIUS - i) for i in (index, index[::-1]))
        return gains[before, after]
    index = tf.range(size)
    before, after = (tf.maximum(0, D_RADIUS - i) for i in (index, index[::-1]))
    return tf.gather(gains.ravel(), len(outside) * before + after)


def halve_shuffled(phases: tf.Tensor, kernel: str = "lanczos") -> tf.Tensor:
    """Compute d(depth_to_space(phases)) without making the doubled images: the fused enhance head.

    Pixel shuffle and d() are linear and separable. Together they are a 7x1 and a 1x7 convolution
    over the four phases, with a factor at the borders (see :func:`border_gain`).

    Args:
        phases: float32 [batch, H, W, 12], the input of a 2x pixel shuffle to RGB.
        kernel: The kernel of d(): "lanczos", "bicubic" or "bilinear".

    Returns:
        float32 [batch, H, W, 3], which equals ``halve(tf.nn.depth_to_space(phases, 2), kernel)``
        up to float32 rounding.
    """
    vertical, horizontal = phase_kernels(kernel)
    height, width = (phases.shape[axis] or tf.shape(phases)[axis] for axis in (1, 2))
    halved = tf.nn.conv2d(phases, vertical, strides=1, padding="SAME")
    # Depthwise: oneDNN rounds an ordinary convolution along rows differently at some widths, and
    # then tiles would not equal the whole image.
    halved = tf.nn.depthwise_conv2d(
        halved, horizontal.sum(axis=3, keepdims=True), strides=[1, 1, 1, 1], padding="SAME"
    )
    halved = tf.nn.conv2d(halved, _ADD_PHASES, strides=1, padding="SAME")
    # Rows of 3W values: TensorFlow broadcasts slowly over a last axis as short as the colours.
    gain = border_gain(height, kernel)[:, None] * tf.repeat(border_gain(width, kernel), 3)
    return tf.reshape(tf.reshape(halved, [-1, height, 3 * width]) * gain, [-1, height, width, 3])
