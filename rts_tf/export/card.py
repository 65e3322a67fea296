"""The export card: what each exported file is, how true to the network, and what it costs.

It is written as export.json for programs and as EXPORT.md for people.
"""

import math
import pathlib
from collections.abc import Iterable
from typing import Any

from rts_tf.export import OUTPUT_NAME, SCALE
from rts_tf.storage import write_json, write_text

_MEANING = """\
- **parity**: the largest difference from the output of the Keras network on the frame, in 8-bit
  levels, and the PSNR of one against the other (both clipped to [0, 1]).
- **energy kept**: 1 - |file - network|^2 / |network - x|^2, where x is the frame (`upscale`: the
  frame interpolated); **difference ratio**: mean|output - x| in percent of full scale; **MOS**:
  that of VIQET, unbounded; of the file and of the network.
- **ms** and **memory**: LiteRT's fastest call and its peak, on this machine, with the number of
  threads given; the SavedModel with TensorFlow's own threads.
- **MACs**: multiply-accumulate operations by weights for one frame.
"""

_MEANING_OF_LUMA = """\
- **parity**: the largest difference from the output of the Keras network in floating point on the
  frame, in 8-bit levels, and the PSNR of one against the other (both clipped to [0, 1]).
- **by place**: the mean of that difference by row and column modulo 4, the largest of the 16 means
  in levels; export.json has all of them.
- **parts**: what LiteRT runs one after the other; 1 is XNNPACK alone.
- **ms** and **memory**: LiteRT's fastest call and its peak, on this machine, with the number of
  threads given.
- **MACs**: multiply-accumulate operations by weights for one frame.
"""

_TILES = """\
This CPU has matrix tiles for 8-bit integers (AMX). On such CPUs another engine can run {} faster
than LiteRT, with which the times above were measured: docs/benchmarks.md has the measured times of
each engine, and `python -m benchmarks.device` measures them on yours."""


def write(directory: pathlib.Path, card: dict[str, Any]) -> None:
    """Write export.json and EXPORT.md, each of them atomically.

    Args:
        directory: that of the export.
        card: "network", "weights_sha256", "source", "software", "machine", whether its CPU
            "has_matrix_tiles" for 8-bit integers, "frame", "calibration", the entries of the
            "files", and the "file" and "reason" of what was "withheld".
    """
    write_text(directory / "EXPORT.md", _readable(card))
    write_json(directory / "export.json", card)


def _readable(card: dict[str, Any]) -> str:
    of_luma = any("phase_means" in entry for entry in card["files"])
    rows = [_cells(entry, of_luma) for entry in card["files"]]
    lines = [
        f"# Export of {card['network']}",
        "",
        f"{card['source']}, weights {card['weights_sha256'][:12]}; {card['software']};"
        f" measured on {card['machine']}.",
        f"The frame: {card['frame']}. Calibration: {card['calibration']}.",
        "",
        _line(rows[0]),
        "|" + "---|" * len(rows[0]),
        *(_line(row.values()) for row in rows),
        "",
        _MEANING_OF_LUMA if of_luma else _MEANING,
        *_other_engines(card),
        *_withheld(card["withheld"]),
        "## Inputs, outputs, operations",
        "",
    ]
    for entry in card["files"]:
        lines.append(
            f"- `{entry['file']}`, signature `{entry['signature']}`: {entry['input']} ->"
            f" {entry['output']}; receptive radius {entry.get('receptive_radius', '?')} pixels."
        )
        operations = entry["operations"]
        if operations:
            counts = {name: operations.count(name) for name in dict.fromkeys(operations)}
            lines.append(f"  {', '.join(f'{name} {n}' for name, n in counts.items())}.")
    return "\n".join(lines) + "\n"


def _other_engines(card: dict[str, Any]) -> list[str]:
    """Say where the times of 8-bit files are not those of the fastest engine there may be."""
    timed = [
        f"`{entry['file']}`"
        for entry in card["files"]
        if entry["kind"].startswith("int8") and "milliseconds" in entry
    ]
    if not timed or not card.get("has_matrix_tiles"):
        return []
    return [_TILES.format(", ".join(timed)), ""]


def _withheld(files: list[dict[str, str]]) -> list[str]:
    if not files:
        return []
    rows = [f"- `{file['file']}` {file['reason']}." for file in files]
    return [
        "## Withheld",
        "",
        "These files miss their limits and were not published.",
        "",
        *rows,
        "",
    ]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(entry: dict[str, Any], of_luma: bool) -> dict[str, str]:
    """The row of a file by the heads of the columns."""
    name, memory = entry["file"], entry.get("peak_memory_mb")
    if entry["kind"] == "saved_model":
        name += f" {entry['signature']}"
    return {
        "file": name,
        "size": f"{entry['bytes'] / 1000:.0f} kB",
        "parity": _parity(entry),
        **_quality(entry, of_luma),
        "MACs": f"{entry['macs'] / 1e9:.1f} G",
        "memory": "?" if memory is None or math.isnan(memory) else f"{memory:.0f} MB",
        "ms": _time(entry),
    }


def _parity(entry: dict[str, Any]) -> str:
    if "max_lsb" not in entry:
        return "not measured"
    digits = 2 if entry["max_lsb"] >= 0.01 else 4
    return f"{entry['max_lsb']:.{digits}f} levels, {entry['psnr_db']:.1f} dB"


def _time(entry: dict[str, Any]) -> str:
    if "milliseconds" not in entry:
        return "–"
    digits = 1 if "phase_means" in entry else 0
    threads = f", {entry['threads']} threads" if "threads" in entry else ""
    return f"{entry['milliseconds']:.{digits}f} ({entry['measured_at']}{threads})"


def _quality(entry: dict[str, Any], of_luma: bool) -> dict[str, str]:
    if of_luma:
        means = [abs(mean) for row in entry.get("phase_means", []) for mean in row]
        largest = f"{max(means):.3f}" if means else "–"
        return {"by place": largest, "parts": str(entry.get("partitions", "–"))}
    if "energy_kept" not in entry:
        return dict.fromkeys(("energy kept", "difference ratio, file / network", "MOS"), "–")
    ratios = (entry["difference_ratio_percent"], entry["network_difference_ratio_percent"])
    return {
        "energy kept": f"{100 * entry['energy_kept']:.2f} %",
        "difference ratio, file / network": f"{ratios[0]:.3f} / {ratios[1]:.3f} %",
        "MOS": f"{entry['mos']:.2f} / {entry['network_mos']:.2f}",
    }


def shapes(kind: str, head: str, height: int, width: int) -> dict[str, str]:
    """Describe the "input" and the "output" of a file in words.

    Args:
        kind: a precision of TFLite, or "saved_model".
        head: "enhance" or "upscale".
        height: of the input of a file of fixed size.
        width: likewise.
    """
    served, scale = kind == "saved_model", SCALE[head]
    dtype = "uint8 0..255" if served or kind == "int8" else "float32 0..1"
    batch = "batch" if served else "1"
    if served or kind == "dynamic":
        before, after = "H, W", "2H, 2W" if scale == 2 else "H, W"
    else:
        before, after = f"{height}, {width}", f"{scale * height}, {scale * width}"
    return {
        "input": f"{'images' if served else 'image'} {dtype} [{batch}, {before}, 3]",
        "output": f"{OUTPUT_NAME[head]} {dtype} [{batch}, {after}, 3]",
    }
