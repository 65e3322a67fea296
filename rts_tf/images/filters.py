"""Low-pass filters with repeated borders. The Gaussian comes from tensorflow-addons where that is installed
(TensorFlow 2.12-2.15), from Keras elsewhere; both give the same figures."""

import math

import tensorflow as tf

try:
    import tensorflow_addons as tfa
except ImportError:
    tfa = None
    import keras


def gaussian(images: tf.Tensor, sigma: float) -> tf.Tensor:
    """Gaussian blur, cut at three sigma, borders mirrored.

    Args:
        images: float32 [batch, H, W, C].
        sigma: standard deviation in pixels, above 0.
    """
    radius = math.ceil(3 * sigma)
    size = 2 * radius + 1
    padded = _mirror(_mirror(images, radius, axis=1), radius, axis=2)
    for window in (
        (size, 1),
        (1, size),
    ):  # two passes of one dimension: 25 + 25 taps instead of 625
        padded = _library_gaussian(padded, window, sigma)
    return padded[:, radius:-radius, radius:-radius]


def _library_gaussian(images: tf.Tensor, window: tuple[int, int], sigma: float) -> tf.Tensor:
    if tfa is not None:
        return tfa.image.gaussian_filter2d(images, window, sigma, padding="CONSTANT")
    return keras.ops.image.gaussian_blur(
        images, window, (sigma, sigma), data_format="channels_last"
    )


def _mirror(images: tf.Tensor, radius: int, axis: int) -> tf.Tensor:
    """Mirror ``radius`` pixels at both ends; unlike ``tf.pad``, also on pictures smaller than the radius."""
    size = tf.shape(images)[axis]
    period = tf.math.floormod(tf.range(-radius, size + radius), 2 * size)
    return tf.gather(images, tf.where(period < size, period, 2 * size - 1 - period), axis=axis)


def wide_gaussian(images: tf.Tensor, sigma: float) -> tf.Tensor:
    """About ``gaussian(images, sigma)`` for a sigma above 2, at a fifth of its cost: at quarter size.

    float32 [batch, H, W, C] -> the same shape.
    """
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    # Whole blocks of 4x4, the last ones filled by mirroring, so that the quarter-size samples lie where they should.
    x = _mirror(_mirror(images, 4, axis=1), 4, axis=2)[
        :, 4 : 4 + -(-height // 4) * 4, 4 : 4 + -(-width // 4) * 4
    ]
    rest = (
        math.sqrt(sigma**2 - 47 / 12) / 4
    )  # averaging (variance 15/12) and interpolating (32/12) blur too
    small = gaussian(tf.nn.avg_pool2d(x, 4, 4, "VALID"), rest)
    return tf.image.resize(small, 4 * tf.shape(small)[1:3])[:, :height, :width]


def nyquist_share(images: tf.Tensor) -> tf.Tensor:
    """The part of ``images`` near the corner of the spectrum: the 3x3 outer product of [-1 2 -1]/4 with itself.

    float32 [batch, H, W, C] -> the same shape. Gain sin^2(pi fx) sin^2(pi fy): one at the corner, 1/4 where both
    frequencies are 1/4 cycles a pixel, none along the axes. Borders are repeated.
    """
    x = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="SYMMETRIC")
    x = 0.5 * x[:, 1:-1] - 0.25 * (x[:, :-2] + x[:, 2:])
    return 0.5 * x[:, :, 1:-1] - 0.25 * (x[:, :, :-2] + x[:, :, 2:])
