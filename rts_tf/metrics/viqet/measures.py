"""The eleven published measures of VIQET and the MOS of one image: the columns of Table 2."""

import math
from typing import NamedTuple

import numpy as np

from rts_tf.metrics.viqet.features import Features, extract
from rts_tf.metrics.viqet.model import NOISE_LIMIT, model_inputs
from rts_tf.metrics.viqet.mos import MOS_RANGE, raw_mos


class Quality(NamedTuple):
    """The columns of the paper's Table 2, and the MOS before it is bounded.

    All measures without a unit are scaled so that good images have 100 on average.

    Attributes:
        resolution: In megapixels.
        edge_acutance: The geometric mean of the edge energies.
        noise_signature_index: The noise in the quietest parts, at most 588.
        flat_region_index: Always nan, as in the paper.
        texture_acutance: The mean DCT coefficient of all but the lowest frequency band.
        saturation: The mean HSV saturation.
        color_warmth: The mean colour temperature.
        illumination: Local contrast times brightness.
        dynamic_range: How evenly the histogram is filled.
        over_exposed: In percent of the pixels.
        under_exposed: In percent of the pixels.
        mos: From 1 to 4.5.
        mos_raw: Unbounded.
    """

    resolution: float
    edge_acutance: float
    noise_signature_index: float
    flat_region_index: float
    texture_acutance: float
    saturation: float
    color_warmth: float
    illumination: float
    dynamic_range: float
    over_exposed: float
    under_exposed: float
    mos: float
    mos_raw: float


def measure(image: np.ndarray, category: str = "landscape") -> Quality:
    """Measure an image as VIQET does (section 4.4 of the paper).

    Args:
        image: uint8 [H, W, 3], RGB. It should be a whole image of a megapixel or more; smaller ones
            are scaled up and score low.
        category: One of CATEGORIES. It selects the MOS model ("night" has its own) and changes
            nothing else.

    Raises:
        ValueError: The dtype, the shape or the category is another one.
        ImageError: The image is more than about 18 times as wide as high, or 11 times as high as
            wide.
    """
    return quality(extract(image), image.shape[0] * image.shape[1] / 1e6, category)


def quality(features: Features, megapixels: float, category: str = "landscape") -> Quality:
    """Compute the published measures and the MOS from the raw features.

    Each measure is divided by its average for good images.

    Args:
        features: The features of the image.
        megapixels: The size of the image before it was scaled.
        category: One of CATEGORIES.

    Raises:
        ValueError: The category is another one.
    """
    tone = features.tone
    raw = raw_mos(model_inputs(features), category)
    return Quality(
        resolution=megapixels,
        edge_acutance=_geometric_mean(features.edges.energy) / 10000 * 100 / 67.5,
        noise_signature_index=min(features.noise.signature, NOISE_LIMIT) * 100 / 0.306,
        flat_region_index=math.nan,
        texture_acutance=float(features.texture[19:].mean()) * 100 / 3.83,
        saturation=tone.saturation * 100 / 75,
        color_warmth=features.warmth * 100 / 14586,
        illumination=tone.contrast * tone.exposure * 100 / 18.2,
        dynamic_range=(math.log(256) - tone.divergence) * 100 / (math.log(256) - 0.58),
        over_exposed=tone.over_exposed,
        under_exposed=tone.under_exposed,
        mos=min(max(raw, MOS_RANGE[0]), MOS_RANGE[1]),
        mos_raw=raw,
    )


def _geometric_mean(values: np.ndarray) -> float:
    return float(np.exp(np.log(values).mean())) if values.all() else 0.0
