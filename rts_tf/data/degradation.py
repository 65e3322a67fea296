"""HR_0 -> LR (paper, sections 3.1 and 4.1): "adjusted the JPEG compression and down-scaled ... to the half size"."""

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
    """How LR is made of HR_0. The kernel decides how much the stages sharpen: experiments/kernels.py."""

    order: str  # "jpeg,reduce", "reduce,jpeg" or "reduce"
    kernel: str  # of the 2x reduction, antialiased
    jpeg_low: int
    jpeg_high: int
    seed: int
    noise: float = 0.0  # largest deviation of the Gaussian noise on LR, in levels

    @classmethod
    def of(cls, config: Config) -> "Degradation":
        return cls(
            config.degradation,
            config.kernel,
            config.jpeg_low,
            config.jpeg_high,
            config.seed,
            config.noise,
        )

    def quality(self, name: str) -> int:
        """The JPEG quality of picture ``name``: uniform over the range, the same in every run with this seed."""
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return int(random.integers(self.jpeg_low, self.jpeg_high, endpoint=True))

    def __call__(self, picture: np.ndarray, name: str) -> np.ndarray:
        """uint8 HR_0 [H, W, 3] with even sides -> uint8 LR [H/2, W/2, 3]."""
        for step in self.order.split(","):
            picture = (
                jpeg(picture, self.quality(name))
                if step == "jpeg"
                else _reduce(picture, self.kernel)
            )
        return self._with_noise(picture, name) if self.noise else picture

    def _with_noise(self, picture: np.ndarray, name: str) -> np.ndarray:
        """Gaussian noise, the same in every run with this seed, of a deviation drawn uniformly up to ``noise``.

        Near black and white it is cut to what has room on both sides: clipped on one side it would brighten black, and the
        network would learn to darken, which took near-black areas of photographs to 0 (10 % of the samples before, 26 after).
        """
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode()), 1])
        noise = random.normal(0, self.noise * random.random(), picture.shape)
        room = np.minimum(picture, 255 - picture)
        return np.rint(picture + np.clip(noise, -1.0 * room, room)).astype(np.uint8)


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """Through baseline JPEG with 4:2:0 chroma and back; uint8 [H, W, 3]."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def _reduce(picture: np.ndarray, kernel: str) -> np.ndarray:
    half = halve(tf.constant(picture[None], tf.float32), kernel)[0].numpy()
    return np.clip(np.rint(half), 0, 255).astype(np.uint8)
