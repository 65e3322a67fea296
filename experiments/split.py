"""The paper's 4 x 2 split (section 4.5): what it costs to enhance and to judge the eighths of a picture alone.

The paper could not hold a whole picture in memory with the networks of the literature, so Table 3 is measured on eighths, each
put through the network by itself. Two things happen to the MOS there, and they are kept apart here: VIQET sees a smaller
picture, which it scales up; and the network sees borders that are none. Exact tiles (``rts_tf.images.tiling``) need neither.
"""

import pathlib
from collections.abc import Iterable

import numpy as np

from rts_tf.metrics.parallel import in_parallel

ROWS, COLUMNS = 2, 4
SEAM = 8  # pixels on each side of a cut


def eighths(picture: np.ndarray) -> list[np.ndarray]:
    """``picture`` [H, W, C] cut into ROWS x COLUMNS parts, row by row."""
    return [
        part
        for row in np.array_split(picture, ROWS)
        for part in np.array_split(row, COLUMNS, axis=1)
    ]


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """The inverse of ``eighths``."""
    rows = [np.concatenate(parts[i : i + COLUMNS], axis=1) for i in range(0, len(parts), COLUMNS)]
    return np.concatenate(rows)


def beside_cuts(height: int, width: int) -> np.ndarray:
    """bool [height, width]: at most SEAM pixels from a cut between two parts."""
    near = [np.zeros(size, bool) for size in (height, width)]
    for mask, count in zip(near, (ROWS, COLUMNS), strict=True):
        for part in np.array_split(np.arange(len(mask)), count)[1:]:
            mask[max(0, part[0] - SEAM) : part[0] + SEAM] = True
    return near[0][:, None] | near[1]


def cost(run: pathlib.Path, stages: int, anchor: str) -> dict:
    """What the split costs in a finished ``run``, on its validation pictures.

    Returns:
        ``hr_0``: raw MOS of the originals' eighths. For each stage in ``stages``: raw MOS ``cut``, of the eighths of HR_n made
        whole, ``alone``, of eighths that were enhanced each by itself, and how far those two are apart in 8-bit levels:
        ``seam_levels``, the mean |difference| beside a cut, and ``most_levels``, the largest anywhere.
    """
    from rts_tf.data.shards import open_set
    from rts_tf.inference import load
    from rts_tf.training.phase_b import anchored
    from rts_tf.training.validation import originals

    source = open_set(run / "source" / "validation")
    pictures = [hr_0 for k in range(len(source.shards)) for _, hr_0 in originals(source, k)]
    found = {"hr_0": _mos(eighths(hr_0) for hr_0 in pictures), "stages": []}
    for stage in range(1, stages + 1):
        model = load(run / f"stage_{stage}" / "model.keras", "auto")

        def enhanced(hr_0: np.ndarray, model=model) -> np.ndarray:
            return anchored(model.enhance(hr_0)[None], hr_0[None], anchor)[0].numpy()

        whole = [enhanced(hr_0) for hr_0 in pictures]
        alone = [[enhanced(part) for part in eighths(hr_0)] for hr_0 in pictures]
        seams, most = zip(
            *(_apart(a, joined(b)) for a, b in zip(whole, alone, strict=True)), strict=True
        )
        mos = {"cut": _mos(map(eighths, whole)), "alone": _mos(alone)}
        found["stages"].append(
            mos | {"seam_levels": float(np.mean(seams)), "most_levels": float(max(most))}
        )
    return found


def _apart(whole: np.ndarray, parts: np.ndarray) -> tuple[float, float]:
    levels = 255 * np.abs(whole - parts)
    return float(levels[beside_cuts(*levels.shape[:2])].mean()), float(levels.max())


def _mos(pictures: Iterable[list[np.ndarray]]) -> float:
    """Mean raw MOS of the parts of all ``pictures`` (float32 [h, w, 3]), in 8 bits."""
    from rts_tf.images.dtypes import to_uint8
    from rts_tf.metrics import viqet

    parts = (to_uint8(part) for picture in pictures for part in picture)
    return float(np.mean(list(in_parallel(lambda part: viqet.measure(part).mos_raw, parts))))
