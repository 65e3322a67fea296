"""Arrange VIQET's raw features to the 61 numbers that its MOS models take as inputs."""

import math

import numpy as np

from rts_tf.metrics.viqet.features import Features

INPUTS = 61
NOISE_LIMIT = 1.8  # a higher noise signature is reduced to this


def model_inputs(features: Features) -> np.ndarray:
    """Make the inputs of the MOS models, before the logarithm is taken of them.

    Returns:
        float64 [61], all at least 0, in this order: noise signature; activity ratio; divergence of
        the histogram; contrast times exposure; edge strength; length of the contours; nine edge
        energies; warmth; saturation; over-exposed; under-exposed; noise frequency; 24 statistics
        of texture; the nine edge energies damped by noise; eight ratios of texture bands.
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
    """For each statistic, the lowest band over the others, and the middle bands over the highest.

    The statistics come in the order mean absolute value, variance, rho, shape.
    """
    ratios = []
    for first in (18, 12, 6, 0):
        lowest, *_, highest = texture[first : first + 6]
        middle = texture[first + 1 : first + 5].mean()
        # For the shape, VIQET takes the fifth band where the others have the sixth.
        against = texture[4] if first == 0 else highest
        ratios += [lowest / (1 + 0.5 * (middle + against)), middle / (1 + highest)]
    return ratios
