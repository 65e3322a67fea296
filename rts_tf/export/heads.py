"""The two heads that are exported: what they compute, what that costs, what files they have.

"upscale" is SR(x), twice the size of x. "enhance" is d(SR(x)), of the size of x (section 3.1,
Phase B).
"""

from collections.abc import Callable, Iterable

import keras
import tensorflow as tf

from rts_tf import networks
from rts_tf.errors import ConfigError
from rts_tf.export.body import body_of
from rts_tf.export.downscale import halving_kernels
from rts_tf.export.traced import SEGMENTS
from rts_tf.images.resample import D_RADIUS
from rts_tf.inference import enhancement
from rts_tf.networks.borders import with_repeated_border
from rts_tf.networks.layers import PixelShuffle


def head_function(network: keras.Model, head: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return SR(x) ("upscale") or d(SR(x)) ("enhance") as a function.

    Returns:
        A function from float32 [batch, H, W, 3] to float32 [batch, 2H, 2W, 3] or
        [batch, H, W, 3], nominally in [0, 1] and not clipped.
    """
    return enhancement(network) if head == "enhance" else with_repeated_border(network)


def receptive_radius(network: keras.Model, head: str) -> int:
    """Return the input pixels on each side on which an output pixel of ``head`` depends.

    Tiles must overlap by it.
    """
    return networks.receptive_radius(network) + (D_RADIUS if head == "enhance" else 0)


def macs_per_pixel(network: keras.Model, head: str, segmented: bool = False) -> int:
    """Return the MACs by weights of ``head`` for each input pixel.

    Those of d() are the ones of its two convolutions over the four phases (``halving_kernels``).

    Args:
        network: the network, SR of the paper.
        head: "enhance" or "upscale".
        segmented: as for ``rts_tf.export.traced.traced_head``.

    Raises:
        ValueError: if a layer does not tell its size (``rts_tf.networks.geometry``).
    """
    macs = networks.macs_per_pixel(network)
    body = body_of(network) if segmented else None
    if body and body.image_residual:
        macs += (SEGMENTS - 1) * body.image_residual.source.kernel.size
        macs += SEGMENTS * body.last.kernel.size
    if head == "enhance":
        macs += sum(kernel.size for kernel in halving_kernels())
    return macs


def macs_of_frame(
    network: keras.Model, head: str, height: int, width: int, segmented: bool = False
) -> int:
    """Return the MACs by weights of ``head`` on a frame, with those on its repeated border.

    The arguments and errors are those of ``macs_per_pixel``.
    """
    border = networks.receptive_radius(network)
    of_d = sum(kernel.size for kernel in halving_kernels()) if head == "enhance" else 0
    of_network = macs_per_pixel(network, head, segmented) - of_d
    return of_network * (height + 2 * border) * (width + 2 * border) + of_d * height * width


def check_network(network: keras.Model, formats: Iterable[str], precisions: Iterable[str]) -> None:
    """Check that the network has TFLite files of the ``precisions``, if ``formats`` has TFLite.

    Raises:
        ConfigError: if it does not; the message says what to leave out.
    """
    if "tflite" not in formats:
        return
    if not isinstance(network.layers[-1], PixelShuffle):
        raise ConfigError(
            "`formats`=tflite: needs a network that ends in a pixel shuffle, since d() of a doubled"
            f" image is not built into TFLite; export {network.name} with `formats`=saved_model."
        )
    integers = [precision for precision in precisions if precision.startswith("int")]
    if not integers:
        return
    try:
        body_of(network)
    except ConfigError as error:
        raise ConfigError(
            f"`precisions`={','.join(integers)}: integers need a convolution right before the pixel"
            f" shuffle, as in residual1, 3 and 6, and layers that become passes ({error}); export"
            f" {network.name} with `precisions`=float32,dynamic,float16."
        ) from None
