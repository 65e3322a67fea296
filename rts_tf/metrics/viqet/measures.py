"""The eleven published measures and the MOS of one photograph."""

import math
from typing import NamedTuple

import numpy as np

from rts_tf.metrics.viqet.features import Features, extract
from rts_tf.metrics.viqet.model import NOISE_LIMIT, model_inputs
from rts_tf.metrics.viqet.mos import MOS_RANGE, raw_mos


class Quality(NamedTuple):
    """The columns of the paper's Table 2, and the MOS before it is bounded.

    All but ``resolution`` (megapixels) and the exposures (percent of the pixels) are scaled so that good photographs have
    100 on average. ``flat_region_index`` is NaN, as in the paper. ``mos`` is from 1 to 4.5, ``mos_raw`` unbounded.
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


def measure(picture: np.ndarray, category: str = "landscape") -> Quality:
    """Measure a photograph as VIQET does.

    Args:
        picture: uint8 [H, W, 3], RGB. Whole pictures of a megapixel or more; smaller ones are scaled up and score low.
        category: one of CATEGORIES; chooses the MOS model ("night" has its own) and changes nothing else.

    Raises:
        ValueError: another dtype, shape or category.
        ImageError: more than about 18 times as wide as high, or 11 times as high as wide.
    """
    return quality(extract(picture), picture.shape[0] * picture.shape[1] / 1e6, category)


def quality(features: Features, megapixels: float, category: str = "landscape") -> Quality:
    """The published measures from the raw features, each over its average for good photographs."""
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
