"""Compute VIQET's MOS from the inputs of its models, which are linear in their logarithms.

mos.json holds the weights, and the record of how experiments/fit_viqet_mos.py found them: by least
squares from the figures of the reference program for a few hundred images. They are the weights of
VIQET's first public release. The release that the paper used has the same measures, but other and
longer models. So its MOS differs by a few tenths, while changes of the MOS agree.
"""

import functools
import json
import pathlib

import numpy as np

WEIGHTS = pathlib.Path(__file__).with_name("mos.json")
MOS_RANGE = 1.0, 4.5
# The model of each of VIQET's categories "Outdoor Day - Landscape", "Outdoor Night - Landmark",
# "Indoor - Arrangements" and "Indoor - Wall Hanging". The indoor ones have no model of their own.
MODELS = {
    "landscape": "landscape",
    "night": "night",
    "arrangements": "landscape",
    "wall": "landscape",
}
CATEGORIES = tuple(MODELS)


def raw_mos(inputs: np.ndarray, category: str = "landscape") -> float:
    """Compute the unbounded MOS.

    Args:
        inputs: float64 [61], see :func:`rts_tf.metrics.viqet.model.model_inputs`.
        category: One of CATEGORIES.

    Raises:
        ValueError: The category is another one.
    """
    if category not in MODELS:
        raise ValueError(f"category must be one of {', '.join(CATEGORIES)}, not {category!r}")
    bias, weights = _models()[MODELS[category]]
    return float(bias + (weights * np.log1p(inputs)).sum())


@functools.cache
def _models() -> dict[str, tuple[float, np.ndarray]]:
    """The bias and the weights [61] of each model."""
    models = json.loads(WEIGHTS.read_text(encoding="utf-8"))["models"]
    return {name: (model["bias"], np.array(model["weights"])) for name, model in models.items()}
