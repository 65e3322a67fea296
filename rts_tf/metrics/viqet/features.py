"""Compute all of VIQET's raw features of an image.

:mod:`rts_tf.metrics.viqet.measures` makes the published measures and the MOS from them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rts_tf.metrics.viqet.edges import Edges, extract_edges
from rts_tf.metrics.viqet.noise import Noise, activity_ratio, extract_noise
from rts_tf.metrics.viqet.preparation import Prepared, prepare
from rts_tf.metrics.viqet.texture import extract_texture
from rts_tf.metrics.viqet.tone import Tone, extract_tone
from rts_tf.metrics.viqet.warmth import colour_temperature


class Features(NamedTuple):
    """The raw features of an image.

    Attributes:
        tone: The features of brightness and colour.
        warmth: The mean colour temperature in kelvin.
        edges: The features of edges.
        texture: float64 [24], see :func:`rts_tf.metrics.viqet.texture.extract_texture`.
        noise: The features of noise.
        activity: See :func:`rts_tf.metrics.viqet.noise.activity_ratio`.
    """

    tone: Tone
    warmth: float
    edges: Edges
    texture: np.ndarray
    noise: Noise
    activity: float


# By the field of Features, so that a benchmark can time each of them
EXTRACTORS: dict[str, Callable[[Prepared], Any]] = {
    "tone": extract_tone,
    "warmth": lambda prepared: colour_temperature(prepared.colour),
    "edges": lambda prepared: extract_edges(prepared.grey),
    "texture": lambda prepared: extract_texture(prepared.grey),
    "noise": lambda prepared: extract_noise(prepared.colour),
    "activity": lambda prepared: activity_ratio(prepared.colour, prepared.grey),
}


def extract(image: np.ndarray) -> Features:
    """Compute the features of an image.

    Args:
        image: uint8 [H, W, 3], RGB.

    Raises:
        ValueError: See :func:`rts_tf.metrics.viqet.preparation.prepare`.
        ImageError: See :func:`rts_tf.metrics.viqet.preparation.prepare`.
    """
    prepared = prepare(image)
    return Features(**{name: extractor(prepared) for name, extractor in EXTRACTORS.items()})
