"""All raw features of a photograph, from which the published measures and the MOS are made."""

from typing import NamedTuple

import numpy as np

from rts_tf.metrics.viqet.edges import Edges, edges
from rts_tf.metrics.viqet.noise import Noise, activity_ratio, noise
from rts_tf.metrics.viqet.preparation import prepare
from rts_tf.metrics.viqet.texture import texture
from rts_tf.metrics.viqet.tone import Tone, tone
from rts_tf.metrics.viqet.warmth import warmth


class Features(NamedTuple):
    """``warmth`` in kelvin, ``texture`` [24]; for the others see where they are made."""

    tone: Tone
    warmth: float
    edges: Edges
    texture: np.ndarray
    noise: Noise
    activity: float


# By field, so that a benchmark can take the time of each.
EXTRACTORS = {
    "tone": tone,
    "warmth": lambda picture: warmth(picture.colour),
    "edges": lambda picture: edges(picture.grey),
    "texture": lambda picture: texture(picture.grey),
    "noise": lambda picture: noise(picture.colour),
    "activity": lambda picture: activity_ratio(picture.colour, picture.grey),
}


def extract(picture: np.ndarray) -> Features:
    """The features of uint8 [H, W, 3] RGB. Raises as :func:`preparation.prepare`."""
    prepared = prepare(picture)
    return Features(**{name: of(prepared) for name, of in EXTRACTORS.items()})
