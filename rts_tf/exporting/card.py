"""The export card: what each exported file is, how true to the network, and what it costs; and the limits it must keep."""

import json
import pathlib

import numpy as np

from rts_tf.errors import RtsError
from rts_tf.exporting.heads import OUTPUT
from rts_tf.imaging.files import write_text
from rts_tf.imaging.levels import to_uint8
from rts_tf.quality.difference import change_percent
from rts_tf.quality.viqet import measure

# Of the output, clipped to [0, 1], against the Keras network's.
MAX_LSB = {"saved_model": 1.0, "float32": 1.0, "dynamic": 1.0}
MIN_DB = {"float16": 70.0, "int8": 47.0, "int8_float_residual": 55.0, "int16x8": 52.0}
MIN_ENERGY = {"int8": 0.97}  # of the enhancement, where the head is "enhance"

_MEANING = """\
- **parity**: the largest difference from the Keras network's output on the frame in 8-bit levels, and the PSNR of the one
  against the other (both clipped to [0, 1]).
- **energy kept**: 1 - |file - network|^2 / |network - x|^2, where x is the frame (`upscale`: the frame interpolated);
  **difference ratio**: mean|output - x| in percent of full scale; **MOS**: VIQET's, unbounded; of the file and of the network.
- **ms** and **memory**: LiteRT's fastest call and its peak, on this machine, with the threads given; the SavedModel with
  TensorFlow's own threads.
- **MACs**: multiplications with a weight for one frame.
"""


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
        ("differs from the network by {} of 255 levels", entry["max_lsb"], MAX_LSB.get(kind, np.inf), -1),
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


def write(directory: pathlib.Path, card: dict) -> None:
    """Write export.json and EXPORT.md."""
    write_text(directory / "EXPORT.md", _readable(card))
    write_text(directory / "export.json", json.dumps(card, indent=1) + "\n")


def _readable(card: dict) -> str:
    lines = [
        f"# Export of {card['network']}",
        "",
        f"{card['source']}, weights {card['weights_sha256'][:12]}; {card['software']}; measured on {card['machine']}.",
        f"The frame: {card['frame']}. Calibration: {card['calibration']}.",
        "",
        "| file | size | parity | energy kept | difference ratio, file / network | MOS | MACs | memory | ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for entry in card["files"]:
        name = f"{entry['file']} {entry['signature']}" if entry["kind"] == "saved_model" else entry["file"]
        time = f"{entry['milliseconds']:.0f} ({entry['measured_at']}, {entry['threads']} threads)"
        ratios = f"{entry['difference_ratio_percent']:.3f} / {entry['network_difference_ratio_percent']:.3f} %"
        mos = f"{entry['mos']:.2f} / {entry['network_mos']:.2f}"
        lines.append(
            f"| {name} | {entry['bytes'] / 1000:.0f} kB | {entry['max_lsb']:.2f} levels, {entry['psnr_db']:.1f} dB"
            f" | {100 * entry['energy_kept']:.2f} % | {ratios} | {mos} | {entry['macs'] / 1e9:.1f} G"
            f" | {entry['peak_memory_mb']:.0f} MB | {time} |"
        )
    lines += ["", _MEANING, "## Inputs, outputs, operations", ""]
    for entry in card["files"]:
        lines.append(
            f"- `{entry['file']}`, signature `{entry['signature']}`: {entry['input']} -> {entry['output']};"
            f" looks {entry.get('receptive_radius', '?')} pixels far."
        )
        if entry["operations"]:
            counts = {name: entry["operations"].count(name) for name in dict.fromkeys(entry["operations"])}
            lines.append("  " + ", ".join(f"{name} {count}" for name, count in counts.items()) + ".")
    return "\n".join(lines) + "\n"


def shapes(kind: str, head: str, height: int, width: int) -> dict[str, str]:
    """What goes in and what comes out, in words; ``height`` x ``width`` of the input."""
    dtype, scale = ("uint8 0..255" if kind in ("int8", "saved_model") else "float32 0..1"), 2 if head == "upscale" else 1
    inside, out = f"[1, {height}, {width}, 3]", f"[1, {scale * height}, {scale * width}, 3]"
    if kind in ("saved_model", "dynamic"):
        lead = "batch" if kind == "saved_model" else "1"
        inside, out = f"[{lead}, H, W, 3]", f"[{lead}, {'2H, 2W' if scale == 2 else 'H, W'}, 3]"
    name = "images" if kind == "saved_model" else "image"
    return {"input": f"{name} {dtype} {inside}", "output": f"{OUTPUT[head]} {dtype} {out}"}
