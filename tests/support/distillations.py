"""Summaries of distillations, as in summary.json."""

import dataclasses

from rts_tf.distillation.config import DistillationConfig

COST = {
    "unsharp_amount": 3.0,
    "clipped_percent": 100.0,
    "overshoot_levels": 99.99,
    "flat_noise_gain": 99.99,
    "corner_gain_db": -57.0,
    "unsharp_clipped_percent": 100.0,
    "unsharp_overshoot_levels": 99.99,
    "unsharp_flat_noise_gain": 99.99,
    "unsharp_corner_gain_db": -57.0,
}


def distilled() -> dict:
    """A summary with the largest figures that may be."""
    figures = {"energy": -0.1234, "above_linear": -1.234, "grid_step": 99.99, "mos": 3.0}
    names = ("input", "teacher", "linear filter", "lifted", "free", "integers")
    return {
        "network": "luma4-32-32",
        "teacher": "residual3-video",
        "parameters": 12_345,
        "macs_per_pixel": 678,
        "training_seconds": 99.0,
        "inputs": 6,
        "images": 2,
        "rows": [{"name": n, "mos_gain": -1.234, **figures, **COST} for n in names],
        "config": dataclasses.asdict(DistillationConfig(data="/a_long_path" * 20)),
    }
