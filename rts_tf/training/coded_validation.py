"""Measures what a stage does to compressed images, so that sharpness alone does not select it.

Sharpening raises the MOS of clean images and amplifies what a codec left behind in others. So each
stage also enhances crops of the validation images that were compressed at their own scale, as the
images and videos of users are.
"""

import numpy as np

from rts_tf.data.codecs import jpeg
from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_uint8
from rts_tf.inference import Enhancer
from rts_tf.metrics.blocking import GRID, grid_step
from rts_tf.metrics.psnr_ssim import fidelity
from rts_tf.training.crops import most_detailed
from rts_tf.training.pairs import originals
from rts_tf.workers import ALONE, Workers

QUALITY = 50  # of JPEG
SIDE, SMALLEST = 256, 3 * GRID  # pixels a side of a crop, and of an image that has one
LARGEST_PSNR = 99.0  # dB
# At half of its strength a network that removes artifacts comes nearer to the original, and one
# that only sharpens does not.
STRENGTH = 0.5


def measure_coded(
    enhancer: Enhancer, source: ShardSet, workers: Workers = ALONE
) -> dict[str, float]:
    """Measure the network of a stage on JPEG crops of the validation images, as means.

    Args:
        enhancer: The network.
        source: The source shards of the validation images.
        workers: The workers that share out the images. Every one must make this call.

    Returns:
        ``coded_psnr_gain_db``, the PSNR-Y against HR_0 at half strength above that of the crop, and
        ``coded_grid_step_gain``, the factor on the step at the 8x8 grid at full strength. Empty if
        all images are smaller than SMALLEST pixels a side.
    """

    def rows(names: list[str]) -> dict[str, list[float]]:
        found = {}
        for name, hr_0 in originals(source, names):
            # Its corner lies on the 8x8 grid of JPEG, since most_detailed keeps to 16 pixels.
            clean = to_uint8(hr_0[most_detailed(hr_0, SIDE, SIDE)])
            coded = jpeg(clean, QUALITY)
            half, full = (enhancer.enhance(coded, strength) for strength in (STRENGTH, 1.0))
            gain = _psnr(half, clean) - _psnr(coded, clean)
            found[name] = [gain, grid_step(full), grid_step(coded)]
        return found

    large = [name for name, size in source.sizes.items() if min(size) >= SMALLEST]
    measured = workers.rows(large, rows)
    if not measured:
        return {}
    gain, after, before = np.mean(list(measured.values()), axis=0)
    return {
        "coded_psnr_gain_db": float(gain),
        "coded_grid_step_gain": float(after / before) if before > 0 else 1.0,
    }


def _psnr(image: np.ndarray, clean: np.ndarray) -> float:
    """PSNR-Y in dB, at most LARGEST_PSNR: a crop of one colour may survive JPEG as it is."""
    return min(fidelity(image, clean).psnr_y, LARGEST_PSNR)
