"""The page of experiments.coded: tables for each condition, for whole images and for videos."""

import math
from typing import Any

import numpy as np

from experiments import results

# Field, heading, decimals
CROPS = (
    ("vmaf", "VMAF", 1),
    ("neg", "NEG", 1),
    ("psnr_y", "PSNR-Y", 2),
    ("lpips", "LPIPS", 3),
    ("niqe", "NIQE", 2),
    ("brisque", "BRISQUE", 1),
    ("grid_step", "grid step", 2),
    ("texture_kept", "texture", 2),
    ("seconds_per_megapixel", "s/MP", 2),
)
WHOLE = (
    ("mos_gain", "MOS gain", 3),
    ("overshoot_levels", "overshoot", 2),
    ("unsharp_overshoot_levels", "mask's", 2),
    ("flat_noise_gain", "flat noise", 2),
    ("unsharp_flat_noise_gain", "mask's", 2),
    ("corner_gain_db", "diagonal, dB", 1),
    ("brightness_drift_levels", "drift", 2),
    ("texture_kept", "texture", 2),
)
EXPLAINED = (
    "NEG: VMAF-NEG, which sharpening does not raise; in brackets the images above the input.",
    "Grid step: at the edges of 8x8 blocks, in levels. Texture: the share of the low-contrast"
    " texture of the clean image that is there.",
    "NIQE, BRISQUE and LPIPS: lower is better. s/MP: seconds for a megapixel on this machine.",
)


def markdown(record: dict[str, Any]) -> str:
    """The page of a record of experiments.coded."""
    count = len(record["images"])
    parts = [
        f"# Clean and compressed images\n\n`{record['command']}`\n\n"
        f"Means over {count} images (crops of 512 x 512), on {record['machine']}.\n\n"
        + results.bullets(EXPLAINED)
    ]
    conditions = next(iter(record["crops"].values()))
    for condition in conditions:
        parts.append(f"## {condition}\n\n" + results.table(*_crops(record["crops"], condition)))
    if record["whole"]:
        parts.append(
            "## Whole clean images, beside the unsharp mask of equal MOS\n\n"
            + results.table(*_whole(record["whole"]))
        )
    parts.append(
        "## Moving videos with noise of 3 levels, H.264 CRF 28\n\n"
        "The change over time of aligned frames, over that of the input: per detail gained, and in"
        " flat areas.\n\n" + results.table(*_flicker(record["flicker"]))
    )
    versions = [f"{name}: {version}" for name, version in record["versions"].items() if version]
    parts.append("## Versions\n\n" + results.bullets(versions))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _crops(ways: dict[str, Any], condition: str) -> tuple[list[str], list[list[str]]]:
    rows = []
    before = ways.get("input", {}).get(condition)
    for name, conditions in ways.items():
        figures = conditions[condition]
        cells = [_number(_mean(figures, field), decimals) for field, _, decimals in CROPS]
        if before and name != "input":
            higher = sum(figures[key]["neg"] > before[key]["neg"] for key in figures)
            cells[1] += f" ({higher})"
        rows.append([name, *cells])
    return ["", *(heading for _, heading, _ in CROPS)], rows


def _whole(ways: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    rows = []
    for name, figures in ways.items():
        cells = [_number(_mean(figures, field), decimals) for field, _, decimals in WHOLE]
        values = figures.values()
        gained = sum(value["mos_gain"] > 0 for value in values)
        better = [
            [value[key] <= value[f"unsharp_{key}"] for value in values]
            for key in ("niqe", "brisque")
        ]
        counts = [gained, *map(sum, better), sum(map(all, zip(*better, strict=True)))]
        rows.append([name, *cells, *map(str, counts)])
    header = ["", *(heading for _, heading, _ in WHOLE)]
    return [*header, "images that gain", "NIQE <= mask's", "BRISQUE <= mask's", "both"], rows


def _flicker(ways: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    rows = [
        [name, *(_number(_mean(figures, field), 2) for field in ("rms_per_detail", "flat_rms"))]
        for name, figures in ways.items()
    ]
    return ["", "per detail", "flat areas"], rows


def _mean(figures: dict[str, dict[str, float]], field: str) -> float:
    values = [value[field] for value in figures.values() if math.isfinite(value[field])]
    return float(np.mean(values)) if values else math.nan


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if math.isfinite(value) else "-"
