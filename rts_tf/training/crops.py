"""The crops of the validation images that the report shows (Fig. 5)."""

import pathlib
from typing import Any

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_uint8
from rts_tf.storage import atomic_path
from rts_tf.training.pairs import pairs

CROP = 64  # pixels, as in Fig. 5
STRIPS = 6  # images that are shown through the stages
SLIDER = (720, 960)  # largest height and width of the image in the before/after slider


def save_crops(path: pathlib.Path, source: ShardSet, stage: ShardSet | None) -> None:
    """Write the crops of HR_n, or of HR_0 where ``stage`` is None, as uint8 arrays in one .npz.

    The keys are "slider" and "strip NAME" for up to six images. The positions of the crops depend
    on HR_0 alone, so they are the same in every stage.
    """
    names = list(source.sizes)
    chosen = np.linspace(0, len(names) - 1, min(STRIPS, len(names)))
    shown = {names[round(i)] for i in chosen}
    crops: dict[str, Any] = {}
    for name, hr_0, hr_n in pairs(source, stage):
        if name not in shown:
            continue
        crops[f"strip {name}"] = to_uint8(hr_n[most_detailed(hr_0, CROP, CROP)])
        if "slider" not in crops:
            crops["slider"] = to_uint8(hr_n[most_detailed(hr_0, *SLIDER)])
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **crops)


def most_detailed(image: np.ndarray, height: int, width: int) -> tuple[slice, slice]:
    """The window of an image [H, W, 3] in which the mean gradient is largest.

    The window has at most ``height`` x ``width`` pixels; its corner lies on a grid of 16 pixels.
    """
    height, width = min(height, image.shape[0]), min(width, image.shape[1])
    grey = image.mean(axis=2)
    gradient = np.zeros_like(grey, np.float64)
    gradient[:-1] += np.abs(np.diff(grey, axis=0))
    gradient[:, :-1] += np.abs(np.diff(grey, axis=1))
    sums = np.pad(gradient.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows = np.arange(0, grey.shape[0] - height + 1, 16)
    columns = np.arange(0, grey.shape[1] - width + 1, 16)
    ends = sums[np.ix_(rows + height, columns + width)] - sums[np.ix_(rows, columns + width)]
    windows = ends - sums[np.ix_(rows + height, columns)] + sums[np.ix_(rows, columns)]
    i, j = np.unravel_index(np.argmax(windows), windows.shape)
    return slice(rows[i], rows[i] + height), slice(columns[j], columns[j] + width)
