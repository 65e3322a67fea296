"""Measures what a stage does to compressed images, so that sharpness alone does not select it.

Sharpening raises the MOS of clean images and amplifies what a codec left behind in others. So each
stage also enhances crops of the validation images that were compressed at their own scale, as the
images and videos of users are.
"""

from collections.abc import Iterator

import numpy as np

from rts_tf.data.codecs import jpeg
from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_float
from rts_tf.inference import Enhancer
from rts_tf.metrics.blocking import GRID, grid_step
from rts_tf.metrics.psnr_ssim import fidelity
from rts_tf.training.crops import most_detailed

QUALITY = 50  # of JPEG
SIDE, SMALLEST = 256, 3 * GRID  # pixels a side of a crop, and of an image that has one
LARGEST_PSNR = 99.0  # dB
# At half of its strength a network that removes artifacts comes nearer to the original, and one
# that only sharpens does not.
STRENGTH = 0.5


def measure_coded(enhancer: Enhancer, source: ShardSet) -> dict[str, float]:
    """Measure the network of a stage on JPEG crops of the validation images, as means.

    Args:
        enhancer: The network.
        source: The source shards of the validation images.

    Returns:
        ``coded_psnr_gain_db``, the PSNR-Y against HR_0 at half strength above that of the crop, and
        ``coded_grid_step_gain``, the factor on the step at the 8x8 grid at full strength. Empty if
        all images are smaller than SMALLEST pixels a side.
    """
    gains, steps = [], []
    for clean in _crops(source):
        coded = jpeg(clean, QUALITY)
        half, full = (enhancer.enhance(coded, strength) for strength in (STRENGTH, 1.0))
        gains.append(_psnr(half, clean) - _psnr(coded, clean))
        steps.append((grid_step(full), grid_step(coded)))
    if not gains:
        return {}
    after, before = np.mean(steps, axis=0)
    return {
        "coded_psnr_gain_db": float(np.mean(gains)),
        "coded_grid_step_gain": float(after / before) if before > 0 else 1.0,
    }


def _psnr(image: np.ndarray, clean: np.ndarray) -> float:
    """PSNR-Y in dB, at most LARGEST_PSNR: a crop of one colour may survive JPEG as it is."""
    return min(fidelity(image, clean).psnr_y, LARGEST_PSNR)


def _crops(source: ShardSet) -> Iterator[np.ndarray]:
    """The most detailed crop of each image, uint8 [H, W, 3], whose corner lies on the 8x8 grid."""
    for k in range(len(source.shards)):
        for record in source.records(k, {"hr": np.uint8}):
            hr_0 = record.arrays["hr"]
            if min(hr_0.shape[:2]) >= SMALLEST:
                yield hr_0[most_detailed(to_float(hr_0), SIDE, SIDE)]
