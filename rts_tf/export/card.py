"""The export card: what each exported file is, how true to the network, and what it costs; and the limits it must keep."""

import json
import pathlib

from rts_tf.export.heads import OUTPUT
from rts_tf.storage import write_text

_MEANING = """\
- **parity**: the largest difference from the Keras network's output on the frame in 8-bit levels, and the PSNR of the one
  against the other (both clipped to [0, 1]).
- **energy kept**: 1 - |file - network|^2 / |network - x|^2, where x is the frame (`upscale`: the frame interpolated);
  **difference ratio**: mean|output - x| in percent of full scale; **MOS**: VIQET's, unbounded; of the file and of the network.
- **ms** and **memory**: LiteRT's fastest call and its peak, on this machine, with the threads given; the SavedModel with
  TensorFlow's own threads.
- **MACs**: multiplications with a weight for one frame.
"""


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
        name = (
            f"{entry['file']} {entry['signature']}"
            if entry["kind"] == "saved_model"
            else entry["file"]
        )
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
            counts = {
                name: entry["operations"].count(name) for name in dict.fromkeys(entry["operations"])
            }
            lines.append(
                "  " + ", ".join(f"{name} {count}" for name, count in counts.items()) + "."
            )
    return "\n".join(lines) + "\n"


def shapes(kind: str, head: str, height: int, width: int) -> dict[str, str]:
    """What goes in and what comes out, in words; ``height`` x ``width`` of the input."""
    dtype, scale = (
        ("uint8 0..255" if kind in ("int8", "saved_model") else "float32 0..1"),
        2 if head == "upscale" else 1,
    )
    inside, out = f"[1, {height}, {width}, 3]", f"[1, {scale * height}, {scale * width}, 3]"
    if kind in ("saved_model", "dynamic"):
        lead = "batch" if kind == "saved_model" else "1"
        inside, out = f"[{lead}, H, W, 3]", f"[{lead}, {'2H, 2W' if scale == 2 else 'H, W'}, 3]"
    name = "images" if kind == "saved_model" else "image"
    return {"input": f"{name} {dtype} {inside}", "output": f"{OUTPUT[head]} {dtype} {out}"}
