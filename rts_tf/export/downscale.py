"""d() over the four phases of a doubled picture, step by step: along each line first, several of its pixels at a time.

Devices multiply channels in groups of 8 or 16 and fill up what is missing: twelve, six and three channels of a pixel leave
most of a group empty, those of a block of four pixels do not. A block is only another shape of the same values, and its
kernels hold the same weights among zeros.
"""

import numpy as np
import tensorflow as tf

from rts_tf.images.resample import border_gain, phase_kernels

RADIUS = 3  # pixels that the kernels reach


def halving_kernels() -> tuple[np.ndarray, np.ndarray]:
    """[1, 7, 12, 6], along lines, from the phases (row, column, colour) to (row, colour); [7, 1, 6, 3], across, to colours."""
    first, second = phase_kernels()  # the other way round
    swapped = np.arange(12).reshape(2, 2, 3).swapaxes(0, 1).ravel()
    return first.swapaxes(0, 1)[:, :, swapped], second.swapaxes(0, 1)


def block_of(width: int) -> int:
    """Pixels of a line that go together: 4, 2 or 1."""
    return next(block for block in (4, 2, 1) if width % block == 0)


def halved(
    phases: tf.Tensor, columns: np.ndarray, rows: np.ndarray, visit, block: int = 1
) -> tf.Tensor:
    """As ``rts_tf.images.resample.halve_shuffled``, of fixed size: [1, H, W, 12] -> [1, H, W, 3].

    Args:
        columns, rows: ``halving_kernels()``, or such rounded ones.
        visit: as in ``rts_tf.export.heads.traced_head``; it sees blocks of ``block`` pixels.
    """
    _, height, width, _ = phases.shape
    convolve = lambda x, kernel: tf.nn.conv2d(x, kernel, strides=1, padding="SAME")  # noqa: E731
    x = tf.reshape(phases, [1, height, width // block, 12 * block])
    x = visit("columns", convolve(x, _along(columns, block)))
    gain = np.repeat(border_gain(width), 6).reshape(1, 1, width // block, 6 * block)
    x = visit("normed_columns", x * visit("gain_of_columns", tf.constant(gain)))
    x = visit("lines", convolve(x, _across(rows, block)))
    x = visit(
        "output", x * visit("gain_of_rows", tf.constant(border_gain(height)[None, :, None, None]))
    )
    return tf.reshape(x, [1, height, width, 3])


def _along(kernel: np.ndarray, block: int) -> np.ndarray:
    """[1, 7, in, out] for single pixels -> [1, 2 * n + 1, block * in, block * out] for blocks, n of them on each side."""
    reach = -(-RADIUS // block)
    _, taps, inputs, outputs = kernel.shape
    blocked = np.zeros((1, 2 * reach + 1, block, inputs, block, outputs), np.float32)
    for pixel in range(block):
        for tap in range(taps):
            source, place = divmod(pixel + tap - RADIUS, block)
            blocked[0, source + reach, place, :, pixel] = kernel[0, tap]
    return blocked.reshape(1, 2 * reach + 1, block * inputs, block * outputs)


def _across(kernel: np.ndarray, block: int) -> np.ndarray:
    """[7, 1, in, out] for single pixels -> [7, 1, block * in, block * out] for blocks."""
    return np.stack([np.kron(np.eye(block, dtype=np.float32), tap) for tap in kernel[:, 0]])[
        :, None
    ]
