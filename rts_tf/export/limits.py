"""How true an exported file must be to its network, and how that is measured."""

from typing import Any

import numpy as np

from rts_tf.errors import RtsError
from rts_tf.images.dtypes import to_uint8
from rts_tf.metrics.difference import change_percent
from rts_tf.metrics.viqet import measure

# Limits of the output, clipped to [0, 1], against that of the Keras network, by kind of file.
# The largest difference, in 8-bit levels
MAX_LSB = {"saved_model": 1.0, "float32": 1.0, "dynamic": 1.0}
MAX_LSB |= {"onnx": 0.01, "shader": 1.0, "page": 1.0}
# The mean difference in levels, of luma and of RGB. Shaders keep what is between two passes in 16
# bits. The page has 8 bits, of which one in ten thousand may be the next one.
MAX_MEAN_LSB = {"shader": {1: 0.1, 3: 0.25}, "page": {1: 1e-4, 3: 1e-4}}
MIN_DB = {"float16": 60.0, "int8": 47.0, "int8_float_residual": 55.0, "int16x8": 52.0}  # PSNR
MIN_ENERGY = {"int8": 0.97}  # share of the enhancement's energy, of the head "enhance"
# Of networks for luma. Rounding to levels alone leaves 58.9 dB.
LUMA_MIN_DB = 55.0
LUMA_MOST_BY_PHASE = 0.1  # levels, of the mean error by the place of a pixel: more shows as a grid
PHASES = 4  # pixels a side over which the places repeat


class LimitMissed(RtsError):
    """A file is further from its network than its kind may be. The message gives the figure."""


def compare(output: np.ndarray, expected: np.ndarray, plain: np.ndarray) -> dict[str, float]:
    """Measure the parity and the quality of the output of a file.

    All arrays are [H, W, 3], nominally in [0, 1].

    Args:
        output: that of the file.
        expected: that of the Keras network in floating point.
        plain: the image without the enhancement: the input, or its interpolation for "upscale".

    Returns:
        The figures of the export card by the names in export.json.
    """
    output, expected = np.clip(output, 0, 1), np.clip(expected, 0, 1)
    error = np.mean((output - expected) ** 2, dtype=np.float64)
    energy = np.mean((expected - plain) ** 2, dtype=np.float64)
    return {
        "max_lsb": float(255 * np.abs(output - expected).max()),
        "mean_lsb": float(255 * np.abs(output - expected).mean()),
        "psnr_db": float(-10 * np.log10(max(error, 1e-20))),
        "energy_kept": float(1 - error / energy) if energy else 1.0,
        "difference_ratio_percent": change_percent(output, plain),
        "network_difference_ratio_percent": change_percent(expected, plain),
        "mos": measure(to_uint8(output)).mos_raw,
        "network_mos": measure(to_uint8(expected)).mos_raw,
    }


def check(kind: str, head: str, entry: dict[str, Any]) -> None:
    """Check the figures of a file against the limits of its kind.

    Args:
        kind: a precision of TFLite, or "saved_model".
        head: "enhance" or "upscale".
        entry: figures of ``compare``, and the name of the "file".

    Raises:
        LimitMissed: the message names the limit and by how much it is missed.
    """
    least_energy = MIN_ENERGY.get(kind, -np.inf) if head == "enhance" else -np.inf
    most_levels = MAX_LSB.get(kind, np.inf)
    _check(
        entry,
        [
            ("differs from the network by {} of 255 levels", entry["max_lsb"], most_levels, -1),
            ("has {} dB against the network", entry["psnr_db"], MIN_DB.get(kind, -np.inf), 1),
            ("keeps {} of the enhancement's energy", entry["energy_kept"], least_energy, 1),
        ],
    )


def compare_luma(output: np.ndarray, expected: np.ndarray) -> dict[str, Any]:
    """Measure the parity of the output of a file for luma.

    Both arrays are [H, W], nominally in [0, 1], of at least 4 pixels a side.

    Args:
        output: that of the file.
        expected: that of the Keras network in floating point; it is clipped to [0, 1].

    Returns:
        The figures of the export card by the names in export.json; "phase_means" is the mean of
        output - expected in levels, 4x4, by row and column modulo 4.
    """
    error = output.astype(np.float64) - np.clip(expected, 0, 1)
    rows, columns = (side // PHASES for side in error.shape)
    blocks = error[: PHASES * rows, : PHASES * columns].reshape(rows, PHASES, columns, PHASES)
    return {
        "max_lsb": float(255 * np.abs(error).max()),
        "mean_lsb": float(255 * np.abs(error).mean()),
        "psnr_db": float(-10 * np.log10(max(np.mean(error**2), 1e-20))),
        "phase_means": (255 * blocks.mean((0, 2))).tolist(),
    }


def check_luma(entry: dict[str, Any]) -> None:
    """Check the figures of a file for luma against their limits.

    Args:
        entry: figures of ``compare_luma``, and the name of the "file".

    Raises:
        LimitMissed: the message names the limit and by how much it is missed.
    """
    by_phase = float(np.abs(entry["phase_means"]).max())
    text = "is off the network by {} levels in the mean of one place of a block"
    _check(
        entry,
        [
            ("has {} dB against the network", entry["psnr_db"], LUMA_MIN_DB, 1),
            (text, by_phase, LUMA_MOST_BY_PHASE, -1),
        ],
    )


def check_program(kind: str, channels: int, entry: dict[str, Any]) -> None:
    """Check the figures of a file that is written from passes against the limits of its kind.

    Args:
        kind: one of ``rts_tf.export.program_formats.PROGRAM_FORMATS``.
        channels: of the image: 3, or 1 for luma.
        entry: as for ``check``.

    Raises:
        LimitMissed: the message names the limit and by how much it is missed.
    """
    most_of_mean = MAX_MEAN_LSB.get(kind, {}).get(channels, np.inf)
    _check(
        entry,
        [
            ("differs from the network by {} of 255 levels", entry["max_lsb"], MAX_LSB[kind], -1),
            ("differs by {} levels in the mean", entry["mean_lsb"], most_of_mean, -1),
        ],
    )


def _check(entry: dict[str, Any], limits: list[tuple[str, float, float, int]]) -> None:
    """Raise LimitMissed at the first limit that is missed.

    Args:
        entry: with the name of the "file".
        limits: what to say with the figure in it, the figure, its limit, and 1 if that is a least
            value, -1 if it is a largest one.
    """
    for text, value, limit, sign in limits:
        if sign * value < sign * limit - 1e-3 * min(1, abs(limit)):
            bound = "at least" if sign > 0 else "at most"
            raise LimitMissed(
                f"{entry['file']}: {text.format(f'{value:.4g}')}; the limit is {bound} {limit:g},"
                f" missed by {abs(value - limit):.3g}"
            )
