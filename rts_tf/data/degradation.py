"""Makes LR from HR_0 (sections 3.1 and 4.1): JPEG compression and reduction to half the size."""

import dataclasses
import io
import zlib

import numpy as np
import tensorflow as tf
from PIL import Image

from rts_tf.config import Config
from rts_tf.images.resample import halve


@dataclasses.dataclass(frozen=True)
class Degradation:
    """How LR is made from HR_0. Calling it with an image makes the LR of that image.

    The kernel decides how much the stages sharpen (experiments/kernels.py).

    Attributes:
        order: "jpeg,reduce", "reduce,jpeg" or "reduce".
        kernel: The kernel of the 2x reduction, see :func:`rts_tf.images.resample.halve`.
        jpeg_low: The lowest JPEG quality that is drawn.
        jpeg_high: The highest JPEG quality that is drawn.
        seed: The seed of the JPEG quality and the noise.
        noise: The largest std of the Gaussian noise on LR, in 8-bit levels; 0 adds none.
    """

    order: str
    kernel: str
    jpeg_low: int
    jpeg_high: int
    seed: int
    noise: float = 0.0

    @classmethod
    def of(cls, config: Config) -> "Degradation":
        """The degradation that the settings of a run ask for."""
        return cls(
            order=config.degradation,
            kernel=config.kernel,
            jpeg_low=config.jpeg_low,
            jpeg_high=config.jpeg_high,
            seed=config.seed,
            noise=config.noise,
        )

    def quality(self, name: str) -> int:
        """Draw the JPEG quality of the image ``name`` uniformly from the range.

        It is the same in every run with this seed.
        """
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return int(random.integers(self.jpeg_low, self.jpeg_high, endpoint=True))

    def __call__(self, image: np.ndarray, name: str) -> np.ndarray:
        """Make LR.

        Args:
            image: HR_0, uint8 [H, W, 3] with even sides.
            name: The name of the image, which seeds what is drawn at random.

        Returns:
            LR, uint8 [H/2, W/2, 3].
        """
        for step in self.order.split(","):
            if step == "jpeg":
                image = jpeg(image, self.quality(name))
            else:
                image = _reduce(image, self.kernel)
        return self._with_noise(image, name) if self.noise else image

    def _with_noise(self, image: np.ndarray, name: str) -> np.ndarray:
        """Add Gaussian noise whose std is drawn uniformly from 0 to ``noise``.

        It is the same in every run with this seed. Near black and white the noise is limited to
        what has room on both sides. Noise that is clipped on one side would brighten black, and the
        network would learn to darken: 26 % of the samples in near-black areas ended at 0, against
        10 % before.
        """
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode()), 1])
        noise = random.normal(0, self.noise * random.random(), image.shape)
        room = np.minimum(image, 255 - image)
        return np.rint(image + np.clip(noise, -1.0 * room, room)).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Compress and decompress uint8 [H, W, 3] as baseline JPEG with 4:2:0 chroma."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def _reduce(image: np.ndarray, kernel: str) -> np.ndarray:
    half = halve(tf.constant(image[None], tf.float32), kernel)[0].numpy()
    return np.clip(np.rint(half), 0, 255).astype(np.uint8)
