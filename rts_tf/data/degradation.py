"""Makes LR from HR_0 (sections 3.1 and 4.1): a codec and reduction to half the size, in any order.

The paper compresses HR_0 as JPEG and reduces it afterwards, so at the scale of the network LR is
nearly clean. With the order "reduce,codec" the network also sees what codecs do to single pixels,
as in the images and videos that people have.
"""

import dataclasses
import zlib
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from rts_tf.config import Config
from rts_tf.data import codecs
from rts_tf.images.resample import halve

FRAMES = (2, 5)  # the length of a coded sequence, of which the last frame is LR: from, to below
MOTION = 4  # LR pixels that a sequence moves from frame to frame, at most
TWO_THIRDS = 2 / 3  # the size at which broadcasters code, e.g. 1280 for 1920
BLUR = (0.4, 0.9)  # sigma in LR pixels
GRAIN = 0.7  # the same, of the noise of cameras
SMALLEST_VIDEO = 64  # pixels a side; SVT-AV1 crashes on smaller frames


@dataclasses.dataclass(frozen=True)
class Degradation:
    """How LR is made from HR_0. Calling it with an image makes one variant of its LR.

    The kernel decides how much the stages sharpen (experiments/kernels.py).

    Attributes:
        order: "jpeg,reduce", "reduce,jpeg", "reduce" or "reduce,codec"; or "codec", which keeps the
            size and is for a network that does the same.
        kernel: The kernel of the 2x reduction, see :func:`rts_tf.images.resample.halve`.
        jpeg_low: The lowest JPEG or WebP quality that is drawn.
        jpeg_high: The highest JPEG or WebP quality that is drawn.
        seed: The seed of everything that is drawn.
        noise: The largest std of the Gaussian noise on LR, in 8-bit levels; 0 adds none.
        noise_low: The smallest.
        grain_share: The share of LR whose noise is that of cameras, see :func:`with_noise`.
        codec: The settings of the order "reduce,codec", else None.
    """

    order: str
    kernel: str
    jpeg_low: int
    jpeg_high: int
    seed: int
    noise: float = 0.0
    noise_low: float = 0.0
    grain_share: float = 0.0
    codec: "CodecSettings | None" = None

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
            noise_low=config.noise_low,
            grain_share=config.grain_share,
            codec=CodecSettings.of(config) if "codec" in config.degradation else None,
        )

    @property
    def variants(self) -> int:
        """How many different LR each image has."""
        return self.codec.variants if self.codec else 1

    def record(self) -> dict[str, Any]:
        """What LR depends on, as JSON types."""
        values = dataclasses.asdict(self)
        for added in ("codec", "noise_low", "grain_share"):  # earlier versions did not record them
            if not values[added]:
                del values[added]
        return values

    def quality(self, name: str) -> int:
        """Draw the JPEG quality of the image ``name`` uniformly from the range.

        It is the same in every run with this seed.
        """
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return int(random.integers(self.jpeg_low, self.jpeg_high, endpoint=True))

    def __call__(self, image: np.ndarray, name: str, variant: int = 0) -> np.ndarray:
        """Make LR.

        Args:
            image: HR_0, uint8 [H, W, 3] with even sides.
            name: The name of the image, which seeds what is drawn at random.
            variant: From 0; only the order "reduce,codec" has several.

        Returns:
            LR, uint8 [H/2, W/2, 3].

        Raises:
            ConfigError: The extra that a codec needs is not installed.
        """
        if self.codec:
            random = np.random.default_rng([self.seed, zlib.crc32(name.encode()), 2, variant])
            return self._variant(image, self.codec, random)
        for step in self.order.split(","):
            if step == "jpeg":
                image = codecs.jpeg(image, self.quality(name))
            else:
                image = _reduce(image, self.kernel)
        if not self.noise:
            return image
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode()), 1])
        return self._with_noise(image, self._std(random), random)

    def _reduced(self, image: np.ndarray, kernel: str) -> np.ndarray:
        return _reduce(image, kernel) if "reduce" in self.order else image

    def _std(self, random: np.random.Generator) -> float:
        """Draw the std of the noise."""
        return self.noise_low + (self.noise - self.noise_low) * random.random()

    def _with_noise(self, image: np.ndarray, std: float, random: np.random.Generator) -> np.ndarray:
        """Add noise to LR, in a share of the cases that of cameras."""
        grain = bool(self.grain_share) and random.random() < self.grain_share
        return with_noise(image, std, random, GRAIN if grain else 0.0)

    def _variant(
        self, image: np.ndarray, settings: "CodecSettings", random: np.random.Generator
    ) -> np.ndarray:
        """Reduce, then add noise; a share then passes a codec, and a share of that is soft."""
        coded = random.random() < settings.share
        std = self._std(random)
        if not coded:
            return self._with_noise(self._reduced(image, self.kernel), std, random)
        lr = self._reduced(image, settings.kernel or self.kernel)
        height, width = lr.shape[:2]
        softness = random.random() / settings.soft_share if settings.soft_share else 1.0
        if softness < 0.5:  # half of the soft ones
            size = max(1, round(width * TWO_THIRDS)), max(1, round(height * TWO_THIRDS))
            lr = cv2.resize(lr, size, interpolation=cv2.INTER_AREA)
        elif softness < 1:
            lr = cv2.GaussianBlur(lr, (0, 0), random.uniform(*BLUR))
        lr = self._coded(lr, std, settings, random)
        if lr.shape[:2] != (height, width):
            lr = cv2.resize(lr, (width, height), interpolation=cv2.INTER_CUBIC)
        return lr

    def _coded(
        self,
        lr: np.ndarray,
        std: float,
        settings: "CodecSettings",
        random: np.random.Generator,
    ) -> np.ndarray:
        """Pass ``lr``, with noise of the std ``std``, through a codec that is drawn."""
        codec = settings.codecs[random.integers(len(settings.codecs))]
        if codec in codecs.VIDEO_CODECS and min(lr.shape[:2]) >= SMALLEST_VIDEO:
            frames = moving(lr, int(random.integers(*FRAMES)), random)
            frames = [self._with_noise(frame, std, random) for frame in frames]
            crf = random.uniform(settings.crf_low, settings.crf_high)
            return codecs.video(frames, codec, crf)[-1]
        quality = int(random.integers(self.jpeg_low, self.jpeg_high, endpoint=True))
        lr = self._with_noise(lr, std, random)
        if codec == "webp":
            return codecs.webp(lr, quality)
        return codecs.jpeg(lr, quality, ("4:2:0", "4:4:4")[random.integers(2)])


@dataclasses.dataclass(frozen=True)
class CodecSettings:
    """The settings of the order "reduce,codec". See the fields of :class:`rts_tf.config.Config`.

    Attributes:
        codecs: Those that are drawn from.
        share: The share of the variants that pass a codec.
        kernel: The kernel of their reduction; empty for that of the others.
        crf_low: The lowest CRF that is drawn for video codecs, on the scale of x264.
        crf_high: The highest one.
        soft_share: The share of the coded variants that are blurred or coded at 2/3 of their size.
        variants: How many LR each image has.
    """

    codecs: tuple[str, ...]
    share: float
    kernel: str
    crf_low: int
    crf_high: int
    soft_share: float
    variants: int

    @classmethod
    def of(cls, config: Config) -> "CodecSettings":
        """The settings of a run."""
        return cls(
            codecs=tuple(config.codecs.split(",")),
            share=config.codec_share,
            kernel=config.codec_kernel,
            crf_low=config.crf_low,
            crf_high=config.crf_high,
            soft_share=config.soft_share,
            variants=config.variants,
        )


def moving(image: np.ndarray, count: int, random: np.random.Generator) -> list[np.ndarray]:
    """Turn an image into a sequence of ``count`` frames in uniform motion, the last one unmoved.

    What comes in from outside the image is its repeated border.

    Args:
        image: uint8 [H, W, 3].
    """
    height, width = image.shape[:2]
    dy, dx = (int(step) for step in random.integers(-MOTION, MOTION, 2, endpoint=True))
    margin = MOTION * (count - 1)
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    starts = ((margin + k * dy, margin + k * dx) for k in range(count - 1, -1, -1))
    return [padded[y : y + height, x : x + width] for y, x in starts]


def with_noise(
    image: np.ndarray, std: float, random: np.random.Generator, grain: float = 0.0
) -> np.ndarray:
    """Add Gaussian noise of the std ``std`` in levels to uint8 [H, W, 3].

    The noise of a camera is alike in neighbouring pixels, since it interpolates their colours. It
    is imitated by blurring the noise with a Gaussian of the sigma ``grain``.

    Near black and white the noise is limited to what has room on both sides. Noise that is clipped
    on one side would brighten black, and the network would learn to darken: 26 % of the samples in
    near-black areas ended at 0, against 10 % before.
    """
    if std == 0:
        return image
    noise = random.normal(0, std, image.shape)
    if grain:
        blurred = np.asarray(cv2.GaussianBlur(noise, (0, 0), grain), np.float64)
        noise = blurred * (std / blurred.std())
    room = np.minimum(image, 255 - image)
    return np.rint(image + np.clip(noise, -1.0 * room, room)).astype(np.uint8)


def _reduce(image: np.ndarray, kernel: str) -> np.ndarray:
    half = halve(tf.constant(image[None], tf.float32), kernel)[0].numpy()
    return np.clip(np.rint(half), 0, 255).astype(np.uint8)
