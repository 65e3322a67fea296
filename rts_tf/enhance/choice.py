"""Chooses the weights for an image or a video where the user names none (``--model=auto``).

What a codec leaves behind must be removed, and what a camera has seen must be kept. No network of
this size does both, so the package has weights for clean images, for JPEG files and for what video
codecs leave, two more that enlarge clean images and compressed ones, and two networks for luma
(``--model=fast``). The file of an image often
tells how it was compressed; where it does not, the pixels show the block edges of JPEG.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rts_tf.images.image_file import ImageFile
from rts_tf.metrics.blocking import GRID, grid_step

if TYPE_CHECKING:  # it imports PyAV, which images do not need
    from rts_tf.video.info import VideoInfo

CLEAN, JPEG, VIDEO = "residual3", "residual3-jpeg", "residual3-video"
LUMA_CLEAN, LUMA_CODED = "luma-clean-large", "luma-large"  # in real time
LARGER, LARGER_JPEG = "residual3-wide", "residual3-wide-jpeg"
# JPEG files from this quality on count as clean, by the scale. Of the two networks that enlarge,
# the one for JPEG is better at 90 and worse at 95 (experiments/results/enlarging.md).
CLEAN_QUALITY = {1: 90, 2: 92}
# Levels at the 8x8 grid. Clean images have less than .15 and JPEG of quality 75 has about 1. Clean
# images of 150 to 250 pixels a side have up to .4, so half a level tells them apart.
VISIBLE_STEP = 0.5
LOOKED_AT = 1024  # pixels a side of the middle of an image in which block edges are looked for
# FFmpeg's names of codecs that lose nothing, or so little that footage is cut in them
CLEAN_VIDEO_CODECS = frozenset(
    (
        *("ffv1", "huffyuv", "ffvhuff", "utvideo", "magicyuv", "rawvideo", "v210", "v410", "r210"),
        *("png", "apng", "qtrle", "gif", "prores", "dnxhd", "cfhd", "vc2", "jpeg2000"),
    )
)


class Choice(NamedTuple):
    """The weights to use, and why.

    Attributes:
        model: The name of weights of the package.
        reason: What the file is, in words, to follow "for".
    """

    model: str
    reason: str


def chosen_line(choices: Sequence[Choice]) -> str:
    """Which weights were chosen for how many files, and why; empty if there are none."""
    counts = collections.Counter(choice.model for choice in choices)
    reasons = {choice.reason for choice in choices}
    if len(reasons) == 1:
        return f"{choices[0].model}, for {choices[0].reason}"
    return ", ".join(f"{name} for {count}" for name, count in counts.most_common())


def for_image(image: ImageFile, scale: int = 1) -> Choice:
    """Choose the weights for ``image`` at its own size, or at twice that if ``scale`` is 2."""
    choice = _for_coding(image, CLEAN_QUALITY[scale])
    if scale == 1:
        return choice
    return choice._replace(model=LARGER if choice.model == CLEAN else LARGER_JPEG)


def in_real_time(choice: Choice) -> Choice:
    """The network for luma that stands for the weights of ``choice``."""
    return choice._replace(model=LUMA_CLEAN if choice.model == CLEAN else LUMA_CODED)


def _for_coding(image: ImageFile, clean_quality: int) -> Choice:
    name, quality = image.coding
    if quality is not None:
        return Choice(CLEAN if quality >= clean_quality else JPEG, f"a {name}")
    if name:
        return Choice(VIDEO, f"a {name}")  # lossy WebP is a frame of a video codec
    if min(image.pixels.shape[:2]) >= 3 * GRID:
        step = grid_step(_middle(image))
        if step > VISIBLE_STEP:
            return Choice(JPEG, f"an image with block edges of {step:.1f} levels")
    return Choice(CLEAN, "an image without signs of compression")


def for_video(info: VideoInfo) -> Choice:
    """Choose the weights that enhance the frames of a video."""
    if info.codec in CLEAN_VIDEO_CODECS:
        return Choice(CLEAN, f"a video in {info.codec}")
    return Choice(VIDEO, f"a video in {info.codec}")


def _middle(image: ImageFile) -> np.ndarray:
    """The middle of the image as uint8 [H, W, 3], cut where blocks of 8x8 pixels begin."""
    starts = [max(0, (size - LOOKED_AT) // 2) // GRID * GRID for size in image.pixels.shape[:2]]
    rows, columns = (slice(start, start + LOOKED_AT) for start in starts)
    alpha = None if image.alpha is None else image.alpha[rows, columns]
    return image._replace(pixels=image.pixels[rows, columns], alpha=alpha).to_rgb8()
