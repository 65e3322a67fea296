"""Judge a stage on the validation pictures (sections 3.4 and 4.2), and keep the crops that the report shows."""

import pathlib

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.images.resample import double, halve
from rts_tf.metrics.difference import alpha, change_percent, drift_levels
from rts_tf.metrics.unsharp import unsharp_mask
from rts_tf.storage import atomic_path

CROP = 64  # pixels, as in Fig. 5
STRIPS = 6
SLIDER = (720, 960)  # largest height and width of the picture in the before/after slider
UNSHARP_SIDE = 512  # the unsharp mask is judged on the middle of each picture


def judge(
    source: ShardSet, stage: ShardSet, before: ShardSet | None, ratio_before: float
) -> dict[str, float]:
    """Measure HR_n of the validation pictures; means over pictures, each weighing the same.

    Args:
        source: shards with ``hr``, HR_0.
        stage: their HR_n (``target``), ``before``: their HR_{n-1}, None for HR_0.
        ratio_before: the difference ratio of stage n-1 in percent.

    Returns:
        ``difference_ratio_percent``, ``delta_percent``, ``step_difference_percent``, ``alpha_mean``, ``alpha_std``,
        ``brightness_drift_levels`` and ``network_drift_levels`` (before the anchor).
    """
    ratios, steps, alphas, drifts = [], [], [], []
    for k in range(len(source.shards)):
        triples = zip(
            originals(source, k),
            enhanced(stage, source, k),
            enhanced(before, source, k),
            strict=True,
        )
        for (_, hr_0), (_, hr_n), (_, hr_before) in triples:
            blurred = double(halve(hr_0[None]))[0].numpy()
            ratios.append(change_percent(hr_n, hr_0))
            steps.append(change_percent(hr_n, hr_before))
            alphas.append(alpha(hr_n, hr_0, blurred))
            drifts.append(drift_levels(hr_n, hr_0))
    ratio = float(np.mean(ratios))
    return {
        "difference_ratio_percent": ratio,
        "delta_percent": ratio - ratio_before,
        "step_difference_percent": float(np.mean(steps)),
        "alpha_mean": float(np.mean(alphas)),
        "alpha_std": float(np.std(alphas)),
        "brightness_drift_levels": float(np.mean(drifts)),
        "network_drift_levels": float(
            np.mean([note["network_drift_levels"] for note in stage.notes.values()])
        ),
    }


def unsharp_ratios(source: ShardSet, first_percent: float, times: int) -> list[float]:
    """The difference ratio of an unsharp mask (sigma 1) applied once, twice, .. ``times`` times (Fig. 4, green line).

    Its amount is such that the first time changes the pictures by ``first_percent``, as the first stage did.
    """
    pictures = [
        _middle(hr_0) for k in range(len(source.shards)) for _, hr_0 in originals(source, k)
    ]
    detail = np.mean([change_percent(unsharp_mask(y, 1.0), y) for y in pictures])
    amount = first_percent / detail if detail else 0.0
    ratios, sharpened = [], pictures
    for _ in range(times):
        sharpened = [unsharp_mask(x, amount) for x in sharpened]
        ratios.append(
            float(np.mean([change_percent(x, y) for x, y in zip(sharpened, pictures, strict=True)]))
        )
    return ratios


def save_crops(path: pathlib.Path, source: ShardSet, pictures: ShardSet | None) -> None:
    """Write the crops of HR_n (or of HR_0 where ``pictures`` is None) that the report shows, as uint8 in one .npz.

    Keys: "slider" and the names of up to six pictures. The places depend on HR_0 alone, so they match over the stages.
    """
    names = list(source.sizes)
    shown = {names[round(i)] for i in np.linspace(0, len(names) - 1, min(STRIPS, len(names)))}
    crops = {}
    for k in range(len(source.shards)):
        for (name, hr_0), (_, hr_n) in zip(
            originals(source, k), enhanced(pictures, source, k), strict=True
        ):
            if name not in shown:
                continue
            crops[f"strip {name}"] = to_uint8(hr_n[most_detailed(hr_0, CROP, CROP)])
            if "slider" not in crops:
                crops["slider"] = to_uint8(hr_n[most_detailed(hr_0, *SLIDER)])
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **crops)


def originals(source: ShardSet, k: int):
    """(name, HR_0) of shard k, float32 [H, W, 3] in [0, 1]."""
    for record in source.records(k, {"hr": np.uint8}):
        yield record.name, to_float(record.arrays["hr"])


def enhanced(pictures: ShardSet | None, source: ShardSet, k: int):
    """(name, HR_n) of shard k, float32 [H, W, 3]; HR_0 where there are no ``pictures``."""
    if pictures is None:
        yield from originals(source, k)
    else:
        for record in pictures.records(k, {"target": np.float16}):
            yield record.name, to_float(record.arrays["target"])


def most_detailed(picture: np.ndarray, height: int, width: int) -> tuple[slice, slice]:
    """The window of at most ``height`` x ``width`` in which the mean gradient is largest, on a grid of 16 pixels."""
    height, width = min(height, picture.shape[0]), min(width, picture.shape[1])
    grey = picture.mean(axis=2)
    gradient = np.zeros_like(grey, np.float64)
    gradient[:-1] += np.abs(np.diff(grey, axis=0))
    gradient[:, :-1] += np.abs(np.diff(grey, axis=1))
    sums = np.pad(gradient.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows, columns = (
        np.arange(0, grey.shape[0] - height + 1, 16),
        np.arange(0, grey.shape[1] - width + 1, 16),
    )
    ends = sums[np.ix_(rows + height, columns + width)] - sums[np.ix_(rows, columns + width)]
    windows = ends - sums[np.ix_(rows + height, columns)] + sums[np.ix_(rows, columns)]
    i, j = np.unravel_index(np.argmax(windows), windows.shape)
    return slice(rows[i], rows[i] + height), slice(columns[j], columns[j] + width)


def _middle(picture: np.ndarray) -> np.ndarray:
    top, left = (max(0, (size - UNSHARP_SIDE) // 2) for size in picture.shape[:2])
    return picture[top : top + UNSHARP_SIDE, left : left + UNSHARP_SIDE]
