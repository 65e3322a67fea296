"""Enhances luma of any size, and images through their luma, with a network for luma."""

import functools
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import keras
import numpy as np

from rts_tf.images.dtypes import LEVELS, check_range, checked_images, native_samples
from rts_tf.luma.engines import Engine, LiteRTEngine, TensorFlowEngine
from rts_tf.networks.luma import shape_of

STRIP = 1 << 18  # pixels, from which on another core is worth the overlap of two strips
LARGEST_STRIP = 1 << 22  # pixels: what bounds the memory
# The most rows of a strip. LiteRT prepares each size of a plane that it has not seen yet, which
# takes longer than the network itself, and the images of a folder differ.
ROWS = 360
# The shares of red, green and blue in the luma of JPEG and WebP (ITU-R BT.601)
BT601 = (0.299, 0.587, 0.114)


class LumaEnhancer:
    """A network for luma, ready for arrays of any size.

    An array is cut into strips that go through the network side by side. The strips begin where
    blocks of the packing begin and overlap by what a block depends on, so the result is that of
    the whole array: to the last bit in integers, and with TensorFlow where its kernels compute a
    pixel alike whatever the size (as :class:`rts_tf.inference.Enhancer` says). Borders are
    repeated.

    Attributes:
        network: The Keras model, float32 [batch, H, W, 1] to the same shape.
        integers: Whether samples of 8 bits are computed in integers.
        integer_file: The TFLite file that computes them, empty if there is none.
        ranges: What 255 stands for in each hidden layer of that file; empty if that is not known.
        precision: That of all other samples.

    Example::

        model = rts_tf.load("fast")
        better = model.enhance(np.asarray(PIL.Image.open("image.jpg")))
        y = model.enhance_luma(y)  # a plane of a video frame
    """

    precision = "float32"

    def __init__(
        self,
        network: keras.Model,
        integer_file: bytes | None = None,
        ranges: tuple[float, ...] = (),
    ):
        """Prepare the network.

        Args:
            network: Of :func:`rts_tf.networks.luma.build_luma`.
            integer_file: Its TFLite file of 8-bit integers for frames of any size, if there is one.
            ranges: What 255 stands for in each hidden layer of that file.

        Raises:
            ConfigError: It is not a network for luma.
        """
        self.network, self._shape = network, shape_of(network.name)
        self.integer_file, self.ranges = integer_file or b"", tuple(ranges)
        self.integers = bool(integer_file) and LiteRTEngine.is_installed()
        self._floats: Engine = TensorFlowEngine(network)
        self._bytes: Engine = self._floats
        if self.integers:
            self._bytes = LiteRTEngine(self.integer_file)
        self._workers = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._workers)

    def enhance_luma(self, luma: np.ndarray, strength: float = 1.0) -> np.ndarray:
        """Enhance one plane.

        Args:
            luma: uint8, uint16 or floating point [H, W]. White is 255, 65535 or 1. Limited range
                is allowed: the network knows both ranges.
            strength: The share of the network's change that is taken.

        Returns:
            The same shape; uint8 and uint16 keep their type, rounded and clipped, and other types
            become float32 that is not clipped.

        Raises:
            ValueError: The shape or the type is none of these, or floating point is not finite or
                far outside of [0, 1], as 0..255 would be.
        """
        return self._enhanced(luma, strength, side_by_side=True)

    def enhance_planes(self, planes: list[np.ndarray], strength: float = 1.0) -> list[np.ndarray]:
        """Enhance several planes, each on a core of its own. See :meth:`enhance_luma`."""
        alone = functools.partial(self._enhanced, strength=strength, side_by_side=False)
        return list(self._pool.map(alone, planes))

    def _enhanced(self, luma: np.ndarray, strength: float, side_by_side: bool) -> np.ndarray:
        """Enhance one plane, its strips one after the other or side by side."""
        if luma.ndim != 2 or 0 in luma.shape:
            raise ValueError(f"expected luma [H, W], not an array of shape {luma.shape}")
        luma = _single(native_samples(luma))
        check_range(luma)
        if luma.strides[1] != luma.itemsize or luma.strides[0] < luma.shape[1]:
            luma = np.ascontiguousarray(luma)  # OpenCV takes gaps between rows, but nothing else
        engine = self._bytes if luma.dtype == np.uint8 else self._floats
        result = np.empty(luma.shape, luma.dtype)

        def run(rows: tuple[int, int]) -> None:
            strip = result[slice(*rows)]
            strip[...] = self._on_strip(engine, luma, *rows)[: len(strip)]

        height, width = luma.shape
        strips = list(self._strips(height, width, self._workers if side_by_side else 1))
        if side_by_side and len(strips) > 1:
            list(self._pool.map(run, strips))
        else:
            for strip in strips:
                run(strip)
        return result if strength == 1 else _blended(luma, result, strength)

    def enhance(
        self,
        images: np.ndarray,
        strength: float = 1.0,
        on_pixels: Callable[[int], None] = lambda pixels: None,
    ) -> np.ndarray:
        """Enhance the luma of images, and leave their chroma as it is.

        The change of luma (BT.601, as in JPEG) is added to red, green and blue alike.

        Args:
            images: [H, W, 3] or [batch, H, W, 3], RGB, or grey with a last axis of 1; uint8 in
                0..255, uint16 in 0..65535, or floating point in [0, 1].
            strength: See :meth:`enhance_luma`.
            on_pixels: Called after each image with its number of pixels. It may raise an exception
                to stop.

        Returns:
            The same shape. The type is as in :meth:`enhance_luma`.

        Raises:
            ValueError: The shape, the type or the strength is none of these, or floating point is
                not finite or far outside of [0, 1], as 0..255 would be.
        """
        images = np.ascontiguousarray(_single(checked_images(images, strength)))
        batch = images if images.ndim == 4 else images[None]
        result = np.empty(batch.shape, batch.dtype)
        for image, output in zip(batch, result, strict=True):
            if image.shape[-1] == 1:
                output[..., 0] = self.enhance_luma(image[..., 0], strength)
            else:
                luma = luma_of(image)
                _add_change(image, luma, self.enhance_luma(luma, strength), output)
            on_pixels(image.shape[0] * image.shape[1])
        return result if images.ndim == 4 else result[0]

    def _strips(self, height: int, width: int, workers: int) -> Iterator[tuple[int, int]]:
        """First row and end of each strip. All have as many rows, and the last may be too long."""
        pixels = height * width
        wanted = max(math.ceil(height / ROWS), math.ceil(pixels / LARGEST_STRIP))
        if wanted > 1:
            wanted = math.ceil(wanted / workers) * workers  # for each core the same
        wanted = max(wanted, min(workers, pixels // STRIP))
        blocks = math.ceil(height / self._shape.pack / wanted)
        rows = blocks * self._shape.pack
        for first in range(0, height, rows):
            yield first, first + rows

    def _on_strip(self, engine: Engine, luma: np.ndarray, first: int, end: int) -> np.ndarray:
        """The enhanced rows from ``first`` to ``end``, the last one repeated beyond the plane."""
        height, width = luma.shape
        margin, block = self._shape.margin, self._shape.block
        top, bottom = max(0, first - margin), min(height, end + margin)
        above = top - first + margin  # rows to be repeated
        below = -(-(end + margin - first + margin) // block) * block - above - (bottom - top)
        right = -(-(width + 2 * margin) // block) * block - width - margin
        bordered = cv2.copyMakeBorder(
            luma[top:bottom], above, below, margin, right, cv2.BORDER_REPLICATE
        )
        return engine(bordered)[margin : margin + end - first, margin : margin + width]


def luma_of(image: np.ndarray) -> np.ndarray:
    """The luma [H, W] of RGB [H, W, 3] in its own type (BT.601); integers are rounded."""
    if image.dtype == np.uint8:
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # 15-bit shares: at most a level from exact
    luma = image.astype(np.float32) @ np.array(BT601, np.float32)
    return np.rint(luma).astype(image.dtype) if image.dtype in LEVELS else luma


def _add_change(
    image: np.ndarray, before: np.ndarray, after: np.ndarray, output: np.ndarray
) -> None:
    """Write ``image`` plus the change of its luma to ``output``."""
    if image.dtype == np.uint8:
        # OpenCV adds and subtracts 8 bits with clipping and without a wider type.
        brighter, darker = cv2.subtract(after, before), cv2.subtract(before, after)
        cv2.add(image, cv2.merge([brighter] * 3), dst=output)
        cv2.subtract(output, cv2.merge([darker] * 3), dst=output)
        return
    change = (after.astype(np.float32) - before.astype(np.float32))[..., None]
    values = image + change
    if image.dtype in LEVELS:
        values = np.clip(values, 0, np.iinfo(image.dtype).max)
    output[...] = values


def _blended(luma: np.ndarray, enhanced: np.ndarray, strength: float) -> np.ndarray:
    before = luma.astype(np.float32)
    values = before + np.float32(strength) * (enhanced.astype(np.float32) - before)
    if luma.dtype not in LEVELS:
        return values
    return np.clip(np.rint(values), 0, np.iinfo(luma.dtype).max).astype(luma.dtype)


def _single(samples: np.ndarray) -> np.ndarray:
    """Floating point as float32; levels as they are."""
    return samples if samples.dtype in LEVELS else samples.astype(np.float32, copy=False)
