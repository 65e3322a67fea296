"""Runs a trained network on images of any size: SR(x), and the enhancement d(SR(x)), in tiles."""

import dataclasses
import math
import os
import pathlib
import warnings
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from rts_tf import networks, pretrained
from rts_tf.errors import RtsError, first_line
from rts_tf.images.dtypes import LEVELS, checked_images, to_float, to_levels
from rts_tf.images.resample import D_RADIUS, U_RADIUS, double, halve, halve_shuffled
from rts_tf.images.tiling import Tile, tiles
from rts_tf.networks.borders import with_repeated_border
from rts_tf.networks.geometry import geometry_of
from rts_tf.networks.layers import PixelShuffle
from rts_tf.networks.precision import resolve_precision
from rts_tf.networks.registry import registered_name
from rts_tf.pretrained.keras_file import load_keras_file

TILES_AT_ONCE = 2  # see rts_tf.images.tiling
CHANNELS = 64  # values per pixel of the networks that the size of a tile is given for


@dataclasses.dataclass(frozen=True)
class _Operation:
    """A function of image batches, with what it takes to compute it in tiles.

    Attributes:
        function: From float32 [batch, H, W, 3] to float32 [batch, scale * H, scale * W, 3].
        baseline: The same without the network, which strength 0 gives.
        radius: Input pixels on each side on which an output pixel of either depends.
    """

    function: Callable[[tf.Tensor], tf.Tensor]
    baseline: Callable[[tf.Tensor], tf.Tensor]
    scale: int
    radius: int


class Enhancer:
    """A trained network and its two uses, ``enhance`` and ``upscale``.

    Images are processed in overlapping tiles. If the network computes in float32, the result is
    that of the whole image to the last bit. In mixed_bfloat16 it is so where oneDNN's kernels
    compute a pixel alike whatever the size of the image: measured on AVX512_CORE and
    AVX512_CORE_BF16. On CPUs with AMX, floating point results differ by less than .25 / 255 from
    those of the whole image, and 8-bit results by one level at most.

    Attributes:
        network: The Keras model, SR of the paper: float32 [batch, H, W, 3] to float32
            [batch, 2H, 2W, 3], nominally in [0, 1]. Called by itself it pads with zeros, while
            ``enhance`` and ``upscale`` repeat the border of the image.
        kernel: The kernel of d().

    Example::

        model = rts_tf.load("residual3")
        better = model.enhance(np.asarray(PIL.Image.open("image.jpg")))
    """

    def __init__(self, network: keras.Model, tile: int = 1280, kernel: str = "lanczos"):
        """Prepare ``network`` for images of any size.

        Args:
            network: A model that doubles height and width.
            tile: A tile has at most tile x tile pixels. This bounds the memory. It holds for
                networks of 64 channels; a network that keeps more values per pixel gets smaller
                tiles.
            kernel: The kernel of d(): "lanczos" as in the paper, "bicubic" or "bilinear". ``load``
                and exported files always use "lanczos", whatever `target_kernel` a run had.

        Raises:
            ValueError: The network does not double the size, or tiles of it are not exact.
        """
        geometry = geometry_of(network)
        if geometry.scale != 2:
            raise ValueError("the network does not double the size")
        self.network, self.kernel = network, kernel
        self._tile = max(1, int(tile * min(1, CHANNELS / geometry.values) ** 0.5))
        radius = geometry.receptive_radius
        signature = [tf.TensorSpec([None, None, None, 3], tf.float32)]
        upscale = tf.function(with_repeated_border(network), signature, autograph=False)
        enhance = tf.function(enhancement(network, kernel), signature, autograph=False)
        self._upscale = _Operation(upscale, double, scale=2, radius=max(radius, U_RADIUS))
        self._enhance = _Operation(enhance, tf.identity, scale=1, radius=radius + D_RADIUS)

    @property
    def precision(self) -> str:
        """The precision of the convolutions, "float32" or "mixed_bfloat16"."""
        return "mixed_bfloat16" if _computes_in_bfloat16(self.network) else "float32"

    def tiles(self, height: int, width: int, radius: int | None = None) -> list[Tile]:
        """Return tiles of an image of ``height`` x ``width`` on which a function is exact.

        Args:
            height: Rows of the image.
            width: Columns of the image.
            radius: The receptive radius of the function in pixels. The default is that of
                ``enhancement(network)``.
        """
        return tiles(height, width, self._tile, self._enhance.radius if radius is None else radius)

    def upscale(
        self,
        images: np.ndarray,
        strength: float = 1.0,
        on_pixels: Callable[[int], None] = lambda pixels: None,
    ) -> np.ndarray:
        """Return SR(x), the image at twice its size.

        Args:
            images: [H, W, 3] or [batch, H, W, 3], RGB, or grey with a last axis of 1; uint8 in
                0..255, uint16 in 0..65535, or floating point in [0, 1]. A grey image goes through
                the network as three equal channels, and the result is the mean of its three.
            strength: How much of the network's change to take: U(x) + strength * (SR(x) - U(x)),
                where U is Lanczos interpolation. 1 is the network, 0 plain interpolation.
            on_pixels: Is called after every few tiles with the number of pixels of ``images`` that
                were done. It may raise an exception to stop.

        Returns:
            The same shape with 2H and 2W. uint8 and uint16 keep their type (rounded and clipped);
            other types become float32 that is not clipped.

        Raises:
            ValueError: The shape, the type or the strength is none of these, or floating point is
                not finite or far outside of [0, 1], as 0..255 would be.
        """
        return self._apply(self._upscale, images, strength, on_pixels)

    def enhance(
        self,
        images: np.ndarray,
        strength: float = 1.0,
        on_pixels: Callable[[int], None] = lambda pixels: None,
    ) -> np.ndarray:
        """Return d(SR(x)), the enhanced image at its own size (section 3.1, Phase B).

        Args:
            images: See ``upscale``.
            strength: How much of the change to take: x + strength * (d(SR(x)) - x), so 0 returns
                the image itself.
            on_pixels: See ``upscale``.

        Returns:
            The same shape. The type is as in ``upscale``.

        Raises:
            ValueError: See ``upscale``.
        """
        return self._apply(self._enhance, images, strength, on_pixels)

    def _apply(
        self,
        operation: _Operation,
        images: np.ndarray,
        strength: float,
        on_pixels: Callable[[int], None],
    ) -> np.ndarray:
        images = checked_images(images, strength)
        dtype = images.dtype if images.dtype in LEVELS else np.dtype(np.float32)
        batch = images if images.ndim == 4 else images[None]
        _, height, width, channels = batch.shape
        size = operation.scale * height, operation.scale * width
        result = np.empty((len(batch), *size, channels), dtype)
        cut = self.tiles(height, width, operation.radius)
        for image, output in zip(batch, result, strict=True):
            for i in range(0, len(cut), TILES_AT_ONCE):
                together = cut[i : i + TILES_AT_ONCE]
                values = _on_tiles(operation, image, together, strength)
                for tile, of_tile in zip(together, values, strict=True):
                    inner = of_tile[_scaled(tile.inner, operation.scale)]
                    output[_scaled(tile.write, operation.scale)] = (
                        to_levels(inner, dtype) if dtype in LEVELS else inner
                    )
                on_pixels(sum(_pixels(tile) for tile in together))
        return result if images.ndim == 4 else result[0]


def _on_tiles(
    operation: _Operation, image: np.ndarray, together: Sequence[Tile], strength: float
) -> np.ndarray:
    """Apply ``operation`` to equal tiles of ``image`` as a batch: float32 [tiles, H, W, 3 or 1]."""
    parts = [to_float(image[tile.read]) for tile in together]
    colours = np.stack([np.broadcast_to(part, (*part.shape[:2], 3)) for part in parts])
    values = operation.function(colours).numpy()
    if strength != 1:
        baseline = operation.baseline(colours).numpy()
        values = baseline + np.float32(strength) * (values - baseline)
    return values.mean(axis=-1, keepdims=True) if image.shape[-1] == 1 else values


def _scaled(window: tuple[slice, slice], scale: int) -> tuple[slice, slice]:
    rows, columns = window
    return (
        slice(scale * rows.start, scale * rows.stop),
        slice(scale * columns.start, scale * columns.stop),
    )


def _pixels(tile: Tile) -> int:
    return math.prod(side.stop - side.start for side in tile.write)


def enhancement(network: keras.Model, kernel: str = "lanczos") -> Callable[[tf.Tensor], tf.Tensor]:
    """Return d(SR(x)) as a function of float32 [batch, H, W, 3], the same shape out.

    The network sees the border of x repeated (:mod:`rts_tf.networks.borders`). If it ends in a
    pixel shuffle, the image of twice the size is never made.

    Args:
        network: A model that doubles height and width.
        kernel: The kernel of d().
    """
    last = network.layers[-1]
    if isinstance(last, PixelShuffle):
        phases = with_repeated_border(keras.Model(network.inputs, last.input))
        return lambda images: halve_shuffled(phases(images), kernel)
    doubled = with_repeated_border(network)
    return lambda images: halve(doubled(images), kernel)


def load(model: str | os.PathLike, precision: str = "float32", tile: int = 1280) -> Enhancer:
    """Load a trained network.

    Args:
        model: The name of weights that come with the package (:mod:`rts_tf.pretrained`), a run
            directory (its selected stage is loaded), or a ``.keras`` file. If a directory has the
            name of such weights, write ``./name`` for it.
        precision: "float32", "mixed_bfloat16", or "auto": mixed_bfloat16 where the CPU or GPU
            multiplies bfloat16 in hardware. A network that is not of this package stays in the
            precision it was saved with; a warning says so if "mixed_bfloat16" was asked for.
        tile: A tile has at most tile x tile pixels, see :class:`Enhancer`.

    Returns:
        The network, ready for images of any size.

    Raises:
        RtsError: There is no such file, the run is not finished, or the file does not hold a
            network that doubles the size.
    """
    if os.fspath(model) in pretrained.names():
        return Enhancer(pretrained.network(os.fspath(model), resolve_precision(precision)), tile)
    path = pathlib.Path(model).expanduser()
    file = path / "final.keras" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise RtsError(
            f"{path}: has no final.keras; let the run finish, or name one of its"
            " stage_N/model.keras"
        )
    if not file.exists():
        raise RtsError(f"{path}: no such file or directory, and {pretrained.known()}")
    try:
        network = load_keras_file(file)
        enhancer = Enhancer(_in_precision(network, resolve_precision(precision)), tile)
    except Exception as error:  # Keras raises many types on a file that is not its own
        raise RtsError(f"{file}: is not a network of this package ({first_line(error)})") from None
    if precision == "mixed_bfloat16" and enhancer.precision != precision:
        warnings.warn(
            f"{file}: {network.name} is not a network of this package, so it cannot be rebuilt to"
            " compute in mixed_bfloat16; it stays as it was saved",
            stacklevel=3,  # the caller of rts_tf.load
        )
    return enhancer


def _in_precision(network: keras.Model, precision: str) -> keras.Model:
    """Rebuild a float32 network to compute in ``precision``, if it is of this package."""
    name = registered_name(network)
    if precision == "float32" or name is None:
        return network
    built, weights = networks.build(name, precision=precision), network.get_weights()
    if [w.shape for w in built.get_weights()] != [w.shape for w in weights]:
        return network
    built.set_weights(weights)
    return built


def _computes_in_bfloat16(network: keras.Model) -> bool:
    return any(layer.compute_dtype == "bfloat16" for layer in network.layers)
