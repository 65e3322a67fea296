"""Run a trained network on pictures of any size: SR(x), and the enhancement d(SR(x)), in exact tiles."""

import math
import os
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from rts_tf import networks, pretrained
from rts_tf.config import NETWORKS
from rts_tf.errors import RtsError
from rts_tf.images.dtypes import LEVELS, to_float, to_levels
from rts_tf.images.resample import double, halve, halve_shuffled
from rts_tf.images.tiling import Tile, tiles
from rts_tf.networks.geometry import geometry_of
from rts_tf.networks.layers import PixelShuffle
from rts_tf.networks.precision import resolve_precision

TILES_AT_ONCE = 2  # see rts_tf.images.tiling
CHANNELS = 64  # values for each pixel of the networks that a tile's size is given for
D_RADIUS = 3  # LR pixels that d() reaches on each side
U_RADIUS = 3  # and that plain interpolation does


class Enhancer:
    """A trained network and its two uses.

    Attributes:
        network: the Keras model, SR of the paper: float32 [batch, H, W, 3] -> [batch, 2H, 2W, 3].
        kernel: that of d().

    Example::

        model = rts_tf.load("residual3")
        better = model.enhance(np.asarray(PIL.Image.open("photo.jpg")))
    """

    def __init__(self, network: keras.Model, tile: int = 1280, kernel: str = "lanczos"):
        """Raises ValueError if tiles of ``network`` are not exact, or it does not double the size.

        ``tile``: side of a square of the pixels that a tile has at most; it bounds the memory and does not change the result.
        It is for networks of 64 channels, and shorter for those that hold more for each pixel. ``kernel``: "lanczos" as in the
        paper (what ``load`` and the export give, however a run made its targets), "bicubic" or "bilinear": --target_kernel.
        """
        geometry = geometry_of(network)
        if geometry.scale != 2:
            raise ValueError("the network does not double the size")
        signature = [tf.TensorSpec([None, None, None, 3], tf.float32)]
        self.network, self.kernel = network, kernel
        self._tile = max(1, int(tile * min(1, CHANNELS / geometry.values) ** 0.5))
        self._radius = geometry.receptive_radius
        self._upscale = tf.function(lambda images: network(images, training=False), signature)
        self._enhance = tf.function(enhancement(network, kernel), signature)

    def tiles(self, height: int, width: int, radius: int | None = None) -> list[Tile]:
        """Where a function is exact on parts of a picture.

        ``radius``: how far the function looks; that of ``enhancement(network)`` where it is not given.
        """
        return tiles(
            height, width, self._tile, self._radius + D_RADIUS if radius is None else radius
        )

    def upscale(
        self,
        images: np.ndarray,
        strength: float = 1.0,
        on_pixels: Callable[[int], None] = lambda pixels: None,
    ) -> np.ndarray:
        """SR(x): twice the size.

        Args:
            images: [H, W, 3] or [batch, H, W, 3], RGB, or grey with a last axis of 1; uint8 in 0..255, uint16 in 0..65535 or
                floating point in [0, 1]. Grey goes through as three equal colours, of whose results the mean is taken.
            strength: how much of the network's change is taken: U(x) + strength * (SR(x) - U(x)), U being Lanczos
                interpolation; 1 is the network, 0 plain interpolation, above 1 more than the network.
            on_pixels: called after every few tiles with the number of pixels of ``images`` that were done; may raise.

        Returns:
            The same with 2H and 2W. Of the same type for uint8 and uint16 (rounded, clipped), else float32, not clipped.

        Raises:
            ValueError: another shape or type.
        """
        return self._apply(
            self._upscale, double, images, 2, max(self._radius, U_RADIUS), strength, on_pixels
        )

    def enhance(
        self,
        images: np.ndarray,
        strength: float = 1.0,
        on_pixels: Callable[[int], None] = lambda pixels: None,
    ) -> np.ndarray:
        """d(SR(x)), the enhanced picture at its own size (section 3.1, Phase B).

        Arguments as for ``upscale``, but for ``strength``: x + strength * (d(SR(x)) - x), so 0 is the picture itself.
        """
        return self._apply(
            self._enhance, tf.identity, images, 1, self._radius + D_RADIUS, strength, on_pixels
        )

    def _apply(
        self, function, plain, images, scale: int, radius: int, strength: float, on_pixels
    ) -> np.ndarray:
        images = np.asarray(images)
        images = images.astype(images.dtype.newbyteorder("="), copy=False)
        if images.ndim not in (3, 4) or images.shape[-1] not in (1, 3) or 0 in images.shape:
            shape = "[H, W, 3] or [batch, H, W, 3] (grey: 1 instead of 3)"
            raise ValueError(
                f"expected RGB pictures, {shape}, not an array of shape {images.shape}"
            )
        integer = images.dtype in LEVELS
        if not integer and not np.issubdtype(images.dtype, np.floating):
            raise ValueError(
                f"expected uint8 in 0..255, uint16 or floating point in [0, 1], not {images.dtype}"
            )
        if not math.isfinite(strength):
            raise ValueError(f"expected a finite strength, not {strength}")
        batch = images if images.ndim == 4 else images[None]
        _, height, width, channels = batch.shape
        result = np.empty(
            (len(batch), scale * height, scale * width, channels),
            images.dtype if integer else np.float32,
        )
        for picture, output in zip(batch, result, strict=True):
            windows = self.tiles(height, width, radius)
            for i in range(0, len(windows), TILES_AT_ONCE):
                together = windows[i : i + TILES_AT_ONCE]
                read = [to_float(picture[tile.read]) for tile in together]
                colours = np.stack(
                    [np.broadcast_to(values, (*values.shape[:2], 3)) for values in read]
                )
                values = function(colours).numpy()
                if strength != 1:
                    before = plain(colours).numpy()
                    values = before + np.float32(strength) * (values - before)
                if channels == 1:
                    values = values.mean(axis=-1, keepdims=True)
                for tile, tile_values in zip(together, values, strict=True):
                    inner = tile_values[_scaled(tile.inner, scale)]
                    output[_scaled(tile.write, scale)] = (
                        to_levels(inner, images.dtype) if integer else inner
                    )
                on_pixels(
                    sum(
                        math.prod(side.stop - side.start for side in tile.write)
                        for tile in together
                    )
                )
        return result if images.ndim == 4 else result[0]


def load(model: str | os.PathLike, precision: str = "float32", tile: int = 1280) -> Enhancer:
    """Load a trained network.

    Args:
        model: the name of weights that come with the package (:mod:`rts_tf.pretrained`), a run directory (its selected stage
            is taken), or a ``.keras`` file. A name wins over a directory called the same: write ``./name`` for that.
        precision: "float32", "mixed_bfloat16", or "auto": bfloat16 where CPU or GPU multiplies it in hardware.
        tile: side of a square of the pixels that a tile has at most; it bounds the memory and does not change the result.

    Raises:
        RtsError: nothing there, an unfinished run, or a file that is not such a network.
    """
    if os.fspath(model) in pretrained.names():
        return Enhancer(pretrained.network(os.fspath(model), resolve_precision(precision)), tile)
    path = pathlib.Path(model).expanduser()
    file = path / "final.keras" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise RtsError(
            f"{path}: has no final.keras; let the run finish, or name one of its stage_N/model.keras"
        )
    if not file.exists():
        raise RtsError(f"{path}: no such file or directory, and {pretrained.known()}")
    try:
        return Enhancer(
            _in_precision(
                keras.models.load_model(file, compile=False), resolve_precision(precision)
            ),
            tile,
        )
    except Exception as error:  # Keras raises many types on a file that is not its own
        raise RtsError(
            f"{file}: is not a network of this package ({str(error).splitlines()[0][:200]})"
        ) from None


def enhancement(network: keras.Model, kernel: str = "lanczos") -> Callable[[tf.Tensor], tf.Tensor]:
    """d(SR(x)), ``kernel`` being that of d(); without making the doubled picture where the network ends in a pixel shuffle."""
    last = network.layers[-1]
    if isinstance(last, PixelShuffle):
        phases = keras.Model(network.inputs, last.input)
        return lambda images: halve_shuffled(phases(images, training=False), kernel)
    return lambda images: halve(network(images, training=False), kernel)


def _in_precision(network: keras.Model, precision: str) -> keras.Model:
    """``network``, a float32 one, built again to compute in ``precision``; left alone if this package cannot build it."""
    if precision == "float32" or network.name not in NETWORKS:
        return network
    built, weights = networks.build(network.name, precision=precision), network.get_weights()
    if [w.shape for w in built.get_weights()] != [w.shape for w in weights]:
        return network
    built.set_weights(weights)
    return built


def _scaled(window: tuple[slice, slice], scale: int) -> tuple[slice, slice]:
    return tuple(slice(scale * s.start, scale * s.stop) for s in window)
