"""What the MOS models take in: 61 numbers made from the raw features."""

import math

import numpy as np

from rts_tf.metrics.viqet.features import Features

INPUTS = 61
NOISE_LIMIT = 1.8  # a noise signature above it counts as this


def model_inputs(features: Features) -> np.ndarray:
    """float64 [61], before the logarithm that each goes through; all at least 0.

    In this order: noise, activity ratio, divergence of the histogram, contrast times exposure, edge strength, length of the
    contours, nine edge energies, warmth, saturation, over- and under-exposed, noise frequency, 24 figures of texture, the edge
    energies muffled by noise, eight ratios of neighbouring texture bands.
    """
    tone, edges, texture = features.tone, features.edges, features.texture
    noise = min(features.noise.signature, NOISE_LIMIT)
    return np.array(
        [
            noise,
            features.activity,
            tone.divergence,
            tone.contrast * tone.exposure,
            edges.strength,
            edges.length,
            *edges.energy,
            features.warmth,
            tone.saturation,
            tone.over_exposed,
            tone.under_exposed,
            features.noise.frequency,
            *texture,
            *edges.energy * math.exp(-noise),
            *_band_ratios(texture),
        ]
    )


def _band_ratios(texture: np.ndarray) -> list[float]:
    """Lowest band over the others, and the middle over the highest; of mean absolute value, variance, rho, shape."""
    ratios = []
    for first in (18, 12, 6, 0):
        lowest, *_, highest = texture[first : first + 6]
        middle = texture[first + 1 : first + 5].mean()
        # of the shapes VIQET takes the fifth band where all others have the sixth
        against = texture[4] if first == 0 else highest
        ratios += [lowest / (1 + 0.5 * (middle + against)), middle / (1 + highest)]
    return ratios
