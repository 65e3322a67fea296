"""Low-pass and high-pass filters on batches of images, for the anchors of Phase B.

At the borders the images are mirrored, the outermost pixel included. The Gaussian comes from
tensorflow-addons where that is installed (TensorFlow 2.12 to 2.15) and from Keras elsewhere. Both
give the same values.
"""

import math
import warnings

import tensorflow as tf

try:
    with warnings.catch_warnings():
        # It announces at every import that it has no future, which no user of a command can change.
        warnings.simplefilter("ignore", UserWarning)
        import tensorflow_addons as tfa
except ImportError:
    tfa = None
    import keras


def gaussian(images: tf.Tensor, sigma: float) -> tf.Tensor:
    """Blur with a Gaussian that is cut off at three sigma.

    Args:
        images: float32 [batch, H, W, C].
        sigma: The standard deviation in pixels, above 0.

    Returns:
        float32 [batch, H, W, C].
    """
    radius = math.ceil(3 * sigma)
    size = 2 * radius + 1
    padded = _mirror(_mirror(images, radius, axis=1), radius, axis=2)
    for window in ((size, 1), (1, size)):  # for sigma 4, 25 + 25 taps instead of 625
        padded = _library_gaussian(padded, window, sigma)
    return padded[:, radius:-radius, radius:-radius]


def _library_gaussian(images: tf.Tensor, window: tuple[int, int], sigma: float) -> tf.Tensor:
    if tfa is not None:
        return tfa.image.gaussian_filter2d(images, window, sigma, padding="CONSTANT")
    return keras.ops.image.gaussian_blur(
        images, window, (sigma, sigma), data_format="channels_last"
    )


def _mirror(images: tf.Tensor, radius: int, axis: int) -> tf.Tensor:
    """Extend both ends of ``axis`` by ``radius`` mirrored pixels.

    Unlike ``tf.pad``, this also works if the radius is larger than the image.
    """
    size = tf.shape(images)[axis]
    period = tf.math.floormod(tf.range(-radius, size + radius), 2 * size)
    return tf.gather(images, tf.where(period < size, period, 2 * size - 1 - period), axis=axis)


def wide_gaussian(images: tf.Tensor, sigma: float) -> tf.Tensor:
    """Approximate ``gaussian(images, sigma)`` at a fifth of its cost by blurring at quarter size.

    This is the filter of the low-frequency anchor: HR_n - wide_gaussian(HR_n - HR_0) keeps the
    low frequencies of HR_0, so that the brightness cannot drift from stage to stage. The anchor is
    not in the paper.

    Args:
        images: float32 [batch, H, W, C].
        sigma: The standard deviation in pixels, above 2.

    Returns:
        float32 [batch, H, W, C].
    """
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    # Mirrored pixels fill up the last blocks of 4x4, so that the quarter-size samples lie exactly
    # where the interpolation below expects them.
    whole_height, whole_width = -(-height // 4) * 4, -(-width // 4) * 4
    padded = _mirror(_mirror(images, 4, axis=1), 4, axis=2)
    padded = padded[:, 4 : 4 + whole_height, 4 : 4 + whole_width]
    # Averaging 4x4 pixels (variance 15/12) and interpolating (32/12) blur the image as well.
    small_sigma = math.sqrt(sigma**2 - 47 / 12) / 4
    small = gaussian(tf.nn.avg_pool2d(padded, 4, 4, "VALID"), small_sigma)
    return tf.image.resize(small, 4 * tf.shape(small)[1:3])[:, :height, :width]


def nyquist_component(images: tf.Tensor) -> tf.Tensor:
    """Extract the high-frequency diagonal, that is the corner of the spectrum.

    The kernel is the 3x3 outer product of [-1 2 -1]/4 with itself. Its gain is
    sin^2(pi fx) sin^2(pi fy), with frequencies in cycles per pixel: 1 at the corner
    (|fx| = |fy| = 1/2), 1/4 at |fx| = |fy| = 1/4, and 0 along both axes. The ``band`` anchor of
    Phase B subtracts this component of the change, where the stages would otherwise grow a weave
    at the scale of single pixels. The anchor is not in the paper.

    Args:
        images: float32 [batch, H, W, C].

    Returns:
        float32 [batch, H, W, C].
    """
    x = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="SYMMETRIC")
    x = 0.5 * x[:, 1:-1] - 0.25 * (x[:, :-2] + x[:, 2:])
    return 0.5 * x[:, :, 1:-1] - 0.25 * (x[:, :, :-2] + x[:, :, 2:])
