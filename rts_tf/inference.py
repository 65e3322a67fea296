"""Run a trained network on pictures of any size: SR(x), and the enhancement d(SR(x)), in exact tiles."""

import os
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import RtsError
from rts_tf.imaging.levels import to_float, to_uint8
from rts_tf.imaging.resample import halve, halve_shuffled
from rts_tf.imaging.tiles import tiles
from rts_tf.networks.geometry import geometry_of
from rts_tf.networks.layers import PixelShuffle

TILES_AT_ONCE = 2  # see rts_tf.imaging.tiles
CHANNELS = 64  # values for each pixel of the networks that a tile's size is given for
D_RADIUS = 3  # LR pixels that d() reaches on each side


class Enhancer:
    """A trained network and its two uses.

    Attributes:
        network: the Keras model, SR of the paper: float32 [batch, H, W, 3] -> [batch, 2H, 2W, 3].

    Example::

        model = rts_tf.load("rts_run")
        better = model.enhance(np.asarray(PIL.Image.open("photo.jpg")))
    """

    def __init__(self, network: keras.Model, tile: int = 1280):
        """Raises ValueError if tiles of ``network`` are not exact, or it does not double the size.

        ``tile``: longest side of a tile in pixels; it bounds the memory and does not change the result. It is for networks of
        64 channels, and shorter for those that hold more for each pixel.
        """
        geometry = geometry_of(network)
        if geometry.scale != 2:
            raise ValueError("the network does not double the size")
        signature = [tf.TensorSpec([None, None, None, 3], tf.float32)]
        self.network = network
        self._tile = max(1, int(tile * min(1, CHANNELS / geometry.values) ** 0.5))
        self._radius = geometry.receptive_radius
        self._upscale = tf.function(lambda images: network(images, training=False), signature)
        self._enhance = tf.function(enhancement(network), signature)

    def upscale(self, images: np.ndarray) -> np.ndarray:
        """SR(x): twice the size.

        Args:
            images: [H, W, 3] or [batch, H, W, 3], RGB; uint8 in 0..255 or floating point in [0, 1].

        Returns:
            The same with 2H and 2W. uint8 for uint8 (rounded, clipped), else float32, not clipped.

        Raises:
            ValueError: another shape or type.
        """
        return self._apply(self._upscale, images, scale=2, radius=self._radius)

    def enhance(self, images: np.ndarray) -> np.ndarray:
        """d(SR(x)), the enhanced picture at its own size (section 3.1, Phase B). Arguments as for ``upscale``."""
        return self._apply(self._enhance, images, scale=1, radius=self._radius + D_RADIUS)

    def _apply(self, function, images, scale: int, radius: int) -> np.ndarray:
        images = np.asarray(images)
        if images.ndim not in (3, 4) or images.shape[-1] != 3 or 0 in images.shape:
            raise ValueError(f"expected RGB pictures, [H, W, 3] or [batch, H, W, 3], not an array of shape {images.shape}")
        if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
            raise ValueError(f"expected uint8 in 0..255 or floating point in [0, 1], not {images.dtype}")
        batch = images if images.ndim == 4 else images[None]
        *_, height, width, _ = batch.shape
        result = np.empty((len(batch), scale * height, scale * width, 3), images.dtype if _is_uint8(images) else np.float32)
        for picture, output in zip(batch, result, strict=True):
            windows = tiles(height, width, self._tile, radius)
            for i in range(0, len(windows), TILES_AT_ONCE):
                together = windows[i : i + TILES_AT_ONCE]
                values = function(np.stack([to_float(picture[tile.read]) for tile in together])).numpy()
                for tile, tile_values in zip(together, values, strict=True):
                    inner = tile_values[_scaled(tile.inner, scale)]
                    output[_scaled(tile.write, scale)] = to_uint8(inner) if _is_uint8(images) else inner
        return result if images.ndim == 4 else result[0]


def load(path: str | os.PathLike) -> Enhancer:
    """Load a trained network.

    Args:
        path: a run directory (its selected stage is taken), or a ``.keras`` file.

    Raises:
        RtsError: nothing there, an unfinished run, or a file that is not such a network.
    """
    path = pathlib.Path(path)
    file = path / "final.keras" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise RtsError(f"{path}: has no final.keras; let the run finish, or name one of its stage_N/model.keras")
    if not file.exists():
        raise RtsError(f"{path}: no such file or directory")
    try:
        return Enhancer(keras.models.load_model(file, compile=False))
    except Exception as error:  # Keras raises many types on a file that is not its own
        raise RtsError(f"{file}: is not a network of this package ({str(error).splitlines()[0][:200]})") from None


def enhancement(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """d(SR(x)); without making the doubled picture where the network ends in a pixel shuffle."""
    last = network.layers[-1]
    if isinstance(last, PixelShuffle):
        phases = keras.Model(network.inputs, last.input)
        return lambda images: halve_shuffled(phases(images, training=False))
    return lambda images: halve(network(images, training=False))


def _is_uint8(array: np.ndarray) -> bool:
    return array.dtype == np.uint8


def _scaled(window: tuple[slice, slice], scale: int) -> tuple[slice, slice]:
    return tuple(slice(scale * s.start, scale * s.stop) for s in window)
