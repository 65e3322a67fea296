"""Measures the paper's 4 x 2 split (section 4.5): what it costs to enhance eighths of an image.

The paper could not hold a whole image in memory with the networks of the literature. So its Table 3
is measured on eighths, each enhanced by itself. This changes the MOS in two ways, which are kept
apart here: VIQET gets a smaller image, which it scales up, and the network gets borders that are
none. Exact tiles (``rts_tf.images.tiling``) need neither.
"""

import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from rts_tf.metrics.parallel import in_parallel

ROWS, COLUMNS = 2, 4
SEAM = 8  # pixels on each side of a cut


def eighths(image: np.ndarray) -> list[np.ndarray]:
    """Cut ``image``, [H, W, C], into ROWS x COLUMNS parts, row by row."""
    return [
        part for row in np.array_split(image, ROWS) for part in np.array_split(row, COLUMNS, axis=1)
    ]


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """Put together what :func:`eighths` has cut."""
    rows = [np.concatenate(parts[i : i + COLUMNS], axis=1) for i in range(0, len(parts), COLUMNS)]
    return np.concatenate(rows)


def beside_cuts(height: int, width: int) -> np.ndarray:
    """Mark the pixels within SEAM pixels of a cut: bool [height, width]."""
    near = [np.zeros(size, bool) for size in (height, width)]
    for marked, count in zip(near, (ROWS, COLUMNS), strict=True):
        for part in np.array_split(np.arange(len(marked)), count)[1:]:
            marked[max(0, part[0] - SEAM) : part[0] + SEAM] = True
    return near[0][:, None] | near[1]


def cost(run: pathlib.Path, stages: int, anchor: str) -> dict[str, Any]:
    """Measure what the split costs in a finished run, on its validation images.

    Args:
        run: The run directory.
        stages: How many stages to measure, from stage 1.
        anchor: That of the run.

    Returns:
        ``hr_0``: the raw MOS of the eighths of the originals. ``stages``: for each stage, the raw
        MOS ``cut`` of the eighths of HR_n that was made whole, the raw MOS ``alone`` of eighths
        that were enhanced each by itself, and how far these two are apart in 8-bit levels:
        ``seam_levels``, the mean |difference| beside a cut, and ``most_levels``, the largest
        anywhere.
    """
    from rts_tf.data.shards import open_set
    from rts_tf.inference import load
    from rts_tf.training.anchors import anchored
    from rts_tf.training.pairs import originals

    images = [hr_0 for _, hr_0 in originals(open_set(run / "source" / "validation"))]
    found: dict[str, Any] = {"hr_0": _mos(eighths(hr_0) for hr_0 in images), "stages": []}
    for stage in range(1, stages + 1):
        model = load(run / f"stage_{stage}" / "model.keras", "auto")

        def enhanced(hr_0: np.ndarray, model=model) -> np.ndarray:
            return anchored(model.enhance(hr_0)[None], hr_0[None], anchor)[0].numpy()

        whole = [enhanced(hr_0) for hr_0 in images]
        alone = [[enhanced(part) for part in eighths(hr_0)] for hr_0 in images]
        apart = [_apart(a, joined(b)) for a, b in zip(whole, alone, strict=True)]
        seams, most = zip(*apart, strict=True)
        mos = {"cut": _mos(map(eighths, whole)), "alone": _mos(alone)}
        levels = {"seam_levels": float(np.mean(seams)), "most_levels": float(max(most))}
        found["stages"].append(mos | levels)
    return found


def _apart(whole: np.ndarray, parts: np.ndarray) -> tuple[float, float]:
    """The mean |difference| beside a cut and the largest one, in levels."""
    levels = 255 * np.abs(whole - parts)
    return float(levels[beside_cuts(*levels.shape[:2])].mean()), float(levels.max())


def _mos(images: Iterable[list[np.ndarray]]) -> float:
    """The mean raw MOS of the parts of all ``images`` (float32 [h, w, 3]), in 8 bits."""
    from rts_tf.images.dtypes import to_uint8
    from rts_tf.metrics import viqet

    parts = (to_uint8(part) for image in images for part in image)
    return float(np.mean(list(in_parallel(lambda part: viqet.measure(part).mos_raw, parts))))
