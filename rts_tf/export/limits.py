"""How true an exported file must be to its network, and the figures by which that is judged."""

import numpy as np

from rts_tf.errors import RtsError
from rts_tf.images.dtypes import to_uint8
from rts_tf.metrics.difference import change_percent
from rts_tf.metrics.viqet import measure

# Of the output, clipped to [0, 1], against the Keras network's.
MAX_LSB = {"saved_model": 1.0, "float32": 1.0, "dynamic": 1.0}
MIN_DB = {"float16": 70.0, "int8": 47.0, "int8_float_residual": 55.0, "int16x8": 52.0}
MIN_ENERGY = {"int8": 0.97}  # of the enhancement, where the head is "enhance"


def compare(output: np.ndarray, network: np.ndarray, x: np.ndarray) -> dict[str, float]:
    """Parity and quality of a file's ``output`` against the float ``network``'s, [H, W, 3]; ``x``: as above."""
    output, network = np.clip(output, 0, 1), np.clip(network, 0, 1)
    error = np.mean((output - network) ** 2, dtype=np.float64)
    energy = np.mean((network - x) ** 2, dtype=np.float64)
    return {
        "max_lsb": float(255 * np.abs(output - network).max()),
        "psnr_db": float(-10 * np.log10(max(error, 1e-20))),
        "energy_kept": float(1 - error / energy) if energy else 1.0,
        "difference_ratio_percent": change_percent(output, x),
        "network_difference_ratio_percent": change_percent(network, x),
        "mos": measure(to_uint8(output)).mos_raw,
        "network_mos": measure(to_uint8(network)).mos_raw,
    }


def check(kind: str, head: str, entry: dict) -> None:
    """Raise RtsError where the figures of an entry miss a limit of its ``kind``, with the limit and by how much."""
    least_energy = MIN_ENERGY.get(kind, -np.inf) if head == "enhance" else -np.inf
    limits = [
        (
            "differs from the network by {} of 255 levels",
            entry["max_lsb"],
            MAX_LSB.get(kind, np.inf),
            -1,
        ),
        ("has {} dB against the network", entry["psnr_db"], MIN_DB.get(kind, -np.inf), 1),
        ("keeps {} of the enhancement's energy", entry["energy_kept"], least_energy, 1),
    ]
    for text, value, limit, sign in limits:
        if sign * value < sign * limit - 1e-3:
            bound = "at least" if sign > 0 else "at most"
            raise RtsError(
                f"{entry['file']}: {text.format(f'{value:.4g}')}; the limit is {bound} {limit:g}, missed by"
                f" {abs(value - limit):.3g}. Nothing was published; leave that file out (--precisions, --formats)."
            )
