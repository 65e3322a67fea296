"""d() of section 3.1 as devices compute it best: over the four phases of a doubled image.

d() runs along the lines first, over several pixels of a line at a time. Devices multiply channels
in groups of 8 or 16 and fill up what is missing: the twelve, six and three channels of one pixel
leave most of a group empty, those of a block of four pixels do not. A block is only another shape
of the same values, and its kernels hold the same weights among zeros.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from rts_tf.export import tensors
from rts_tf.images.resample import D_RADIUS, border_gain, phase_kernels


def halving_kernels() -> tuple[np.ndarray, np.ndarray]:
    """Return the kernels of d(), along and across the lines, for single pixels.

    Returns:
        [1, 7, 12, 6], from the phases (row, column, colour) to (row, colour), and [7, 1, 6, 3],
        from these to the colours.
    """
    across, along = phase_kernels()  # it takes the axes in the other order
    swapped = np.arange(12).reshape(2, 2, 3).swapaxes(0, 1).ravel()
    return across.swapaxes(0, 1)[:, :, swapped], along.swapaxes(0, 1)


def block_of(width: int) -> int:
    """Return how many pixels of a line of ``width`` pixels go together: 4, 2 or 1."""
    return next(block for block in (4, 2, 1) if width % block == 0)


def halved(
    phases: tf.Tensor,
    columns: np.ndarray,
    rows: np.ndarray,
    visit: Callable[[str, tf.Tensor], tf.Tensor],
    block: int = 1,
) -> tf.Tensor:
    """Compute d() on phases of fixed size, as ``rts_tf.images.resample.halve_shuffled`` does.

    Args:
        phases: float32 [1, H, W, 12].
        columns: the first of ``halving_kernels()``, or a rounded one.
        rows: likewise the second.
        visit: as in ``rts_tf.export.traced.traced_head``.
        block: pixels of a line that go together; ``visit`` sees tensors of blocks.

    Returns:
        float32 [1, H, W, 3].
    """
    _, height, width, _ = phases.shape
    convolve = lambda x, kernel: tf.nn.conv2d(x, kernel, strides=1, padding="SAME")  # noqa: E731
    x = tf.reshape(phases, [1, height, width // block, 12 * block])
    x = visit(tensors.COLUMNS, convolve(x, _along(columns, block)))
    gain = np.repeat(border_gain(width), 6).reshape(1, 1, width // block, 6 * block)
    x = visit(tensors.NORMED_COLUMNS, x * visit(tensors.GAIN_OF_COLUMNS, tf.constant(gain)))
    x = visit(tensors.LINES, convolve(x, _across(rows, block)))
    gain = border_gain(height)[None, :, None, None]
    x = visit(tensors.OUTPUT, x * visit(tensors.GAIN_OF_ROWS, tf.constant(gain)))
    return tf.reshape(x, [1, height, width, 3])


def _along(kernel: np.ndarray, block: int) -> np.ndarray:
    """Turn the kernel [1, 7, in, out] for single pixels into one for blocks.

    Returns:
        [1, 2 * n + 1, block * in, block * out], for n blocks on each side.
    """
    reach = -(-D_RADIUS // block)
    _, taps, inputs, outputs = kernel.shape
    blocked = np.zeros((1, 2 * reach + 1, block, inputs, block, outputs), np.float32)
    for pixel in range(block):
        for tap in range(taps):
            source, position = divmod(pixel + tap - D_RADIUS, block)
            blocked[0, source + reach, position, :, pixel] = kernel[0, tap]
    return blocked.reshape(1, 2 * reach + 1, block * inputs, block * outputs)


def _across(kernel: np.ndarray, block: int) -> np.ndarray:
    """Turn the kernel [7, 1, in, out] for single pixels into [7, 1, block * in, block * out]."""
    one_for_each = np.eye(block, dtype=np.float32)
    return np.stack([np.kron(one_for_each, tap) for tap in kernel[:, 0]])[:, None]
