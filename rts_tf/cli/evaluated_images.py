"""The images that ``rts evaluate`` measures, and how, in this process or in those of Beam."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rts_tf.cli.measuring import alone, errors_name, failure, measured
from rts_tf.cli.startup import load_tensorflow
from rts_tf.data.datasets import ImageSource, counterpart, read_in
from rts_tf.errors import ImageError
from rts_tf.images.dtypes import to_float
from rts_tf.images.rgb import read_image
from rts_tf.metrics.enhancement import measure_enhancement
from rts_tf.metrics.psnr_ssim import fidelity

if TYPE_CHECKING:
    from rts_tf.inference import Enhancer

SMALLEST_IMAGE = 32  # pixels a side; the artifacts of smaller images mean nothing


class EnhancedImage(NamedTuple):
    """An image and what the network makes of it.

    Attributes:
        file: The path of the image.
        original: HR_0, uint8 [H, W, 3].
        enhanced: d(SR(HR_0)), float32 [H, W, 3], not clipped.
        upscaled: SR(HR_0), uint8 [2H, 2W, 3], if there is a reference.
        reference: uint8 [2H, 2W, 3].
    """

    file: str
    original: np.ndarray
    enhanced: np.ndarray
    upscaled: np.ndarray | None = None
    reference: np.ndarray | None = None


def enhance_images(
    model: Enhancer, source: ImageSource, images: str, reference: str
) -> Iterator[EnhancedImage | ImageError]:
    """Yield every image of ``source``, enhanced, or the error of one that cannot be used.

    Args:
        model: The trained network.
        source: The images.
        images: Their folder, for messages.
        reference: The folder of the references, or "".
    """
    import tensorflow as tf

    for name in source.names:
        file = os.path.join(images, name)
        try:
            original = source.read(name)
            if min(original.shape[:2]) < SMALLEST_IMAGE:
                raise ImageError(f"{file}: is smaller than {SMALLEST_IMAGE} pixels a side")
            image = EnhancedImage(file, original, model.enhance(to_float(original)))
            if reference:
                beside = _read_reference(image, counterpart(reference, name))
                image = image._replace(upscaled=model.upscale(original), reference=beside)
            yield image
        except ImageError as error:
            yield error
        except (MemoryError, tf.errors.ResourceExhaustedError):
            yield ImageError(f"{file}: there is not enough memory for it")


def _read_reference(image: EnhancedImage, path: str) -> np.ndarray:
    reference = read_image(path)
    height, width = (2 * size for size in image.original.shape[:2])
    if reference.shape[:2] != (height, width):
        given = f"{reference.shape[1]}x{reference.shape[0]}"
        raise ImageError(
            f"{image.file}: its reference {path} must be {width}x{height}, twice its size, not"
            f" {given}"
        )
    return reference


def measure_image(image: EnhancedImage | ImageError, mos: bool) -> tuple[str, dict[str, float]]:
    """Return the file and all metrics of an image, those of MOS only if ``mos``.

    Raises:
        ImageError: The image cannot be measured.
    """
    if isinstance(image, ImageError):
        raise image
    with errors_name(image.file):
        metrics = measure_enhancement(image.enhanced, image.original, mos)
    if image.upscaled is not None and image.reference is not None:
        metrics |= fidelity(image.upscaled, image.reference)._asdict()
    return image.file, metrics


@dataclasses.dataclass(frozen=True)
class EvaluateWork:
    """Measures images in worker processes; see :class:`rts_tf.beam.work.Work`.

    Attributes:
        model: The flag ``--model``.
        device: The flag ``--device``.
        images: The folder of the images.
        reference: That of the references, or "".
        mos: Whether to measure MOS.
    """

    model: str
    device: str
    images: str
    reference: str
    mos: bool

    def prepare(self) -> None:
        """Load the network."""
        _loaded(self.model, self.device)

    def do(self, item: str) -> Any:
        """The metrics of the image of a name, or its error; and what computed it."""
        model, line = _loaded(self.model, self.device)
        source = ImageSource((item,), functools.partial(read_in, pathlib.Path(self.images)), "")
        (image,) = enhance_images(model, source, self.images, self.reference)
        result = measured(lambda: measure_image(image, self.mos))
        return result | {"devices": [line]}

    def failed(self, item: str, error: Exception) -> Any:
        """The result of an image that an unforeseen error ended."""
        return failure(os.path.join(self.images, item), error)


@functools.cache  # once a worker process
def _loaded(model: str, device: str) -> tuple[Enhancer, str]:
    """The network, and the line about what computes it."""
    load_tensorflow(device)
    from rts_tf.cli.device_line import line_of
    from rts_tf.inference import load

    alone()
    enhancer = load(model)
    return enhancer, line_of(enhancer)
