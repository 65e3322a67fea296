"""The MOS models: linear in the logarithms of the model inputs.

mos.json holds the weights and the record of how experiments/fit_viqet_mos.py found them: by least squares from figures that
the reference program gave for a few hundred pictures. They are those of VIQET's first public release. The release that the
paper used has the same measures but other, longer models, so its MOS differs by a few tenths; changes agree.
"""

import functools
import json
import pathlib

import numpy as np

WEIGHTS = pathlib.Path(__file__).with_name("mos.json")
MOS_RANGE = 1.0, 4.5
# VIQET's categories "Outdoor Day - Landscape", "Outdoor Night - Landmark", "Indoor - Arrangements", "Indoor - Wall Hanging",
# and the model of each: the indoor ones have none of their own.
MODELS = {
    "landscape": "landscape",
    "night": "night",
    "arrangements": "landscape",
    "wall": "landscape",
}
CATEGORIES = tuple(MODELS)


def raw_mos(inputs: np.ndarray, category: str = "landscape") -> float:
    """The unbounded MOS of model inputs [61]. Raises ValueError on an unknown category."""
    if category not in MODELS:
        raise ValueError(f"category must be one of {', '.join(CATEGORIES)}, not {category!r}")
    bias, weights = _models()[MODELS[category]]
    return float(bias + (weights * np.log1p(inputs)).sum())


@functools.cache
def _models() -> dict[str, tuple[float, np.ndarray]]:
    """(bias, weights [61]) by model."""
    models = json.loads(WEIGHTS.read_text(encoding="utf-8"))["models"]
    return {name: (model["bias"], np.array(model["weights"])) for name, model in models.items()}
