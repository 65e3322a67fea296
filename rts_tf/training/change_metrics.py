"""How much a stage changes the validation images (sections 3.2, 3.4 and 4.2)."""

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.images.resample import double, halve
from rts_tf.metrics.difference import alpha, change_percent, drift_levels
from rts_tf.metrics.unsharp import unsharp_mask
from rts_tf.training.pairs import enhanced, originals, pairs
from rts_tf.workers import ALONE, Workers

UNSHARP_SIDE = 512  # pixels; the unsharp mask is applied to the middle of each image


def measure_change(
    source: ShardSet,
    stage: ShardSet,
    before: ShardSet | None,
    ratio_before: float,
    workers: Workers = ALONE,
) -> dict[str, float]:
    """Measure HR_n. Each metric is the mean over the images, which all have the same weight.

    Args:
        source: Shards with ``hr``, HR_0.
        stage: Shards of HR_n.
        before: Shards of HR_{n-1}; None stands for HR_0.
        ratio_before: The difference ratio of stage n-1 in percent.
        workers: The workers that share out the images. Every one must make this call.

    Returns:
        ``difference_ratio_percent``, ``delta_percent``, ``step_difference_percent``,
        ``alpha_mean``, ``alpha_std``, ``brightness_drift_levels`` and ``network_drift_levels``
        (before the anchor).
    """

    def rows(names: list[str]) -> dict[str, list[float]]:
        found = {}
        references = enhanced(before, names) if before else originals(source, names)
        images = zip(pairs(source, stage, names), references, strict=True)
        for (name, hr_0, hr_n), (_, hr_before) in images:
            blurred = double(halve(hr_0[None]))[0].numpy()
            found[name] = [
                change_percent(hr_n, hr_0),
                change_percent(hr_n, hr_before),
                alpha(hr_n, hr_0, blurred),
                drift_levels(hr_n, hr_0),
            ]
        return found

    measured = workers.rows(list(source.sizes), rows)
    ratios, steps, alphas, drifts = zip(*measured.values(), strict=True)
    network_drifts = [note["network_drift_levels"] for note in stage.notes.values()]
    ratio = float(np.mean(ratios))
    return {
        "difference_ratio_percent": ratio,
        "delta_percent": ratio - ratio_before,
        "step_difference_percent": float(np.mean(steps)),
        "alpha_mean": float(np.mean(alphas)),
        "alpha_std": float(np.std(alphas)),
        "brightness_drift_levels": float(np.mean(drifts)),
        "network_drift_levels": float(np.mean(network_drifts)),
    }


def difference_ratio(source: ShardSet, stage: ShardSet, workers: Workers = ALONE) -> float:
    """The difference ratio of a stage in percent (section 4.2), as a mean over the images.

    Every worker must call it.
    """

    def rows(names: list[str]) -> dict[str, float]:
        images = pairs(source, stage, names)
        return {name: change_percent(hr_n, hr_0) for name, hr_0, hr_n in images}

    return float(np.mean(list(workers.rows(list(source.sizes), rows).values())))


def unsharp_ratios(source: ShardSet, first_percent: float, times: int) -> list[float]:
    """The difference ratios of an unsharp mask (sigma 1) that is applied again and again (Fig. 4).

    Args:
        first_percent: The ratio of the first time, which decides the amount of the mask.
        times: How often it is applied.
    """
    images = [_middle(hr_0) for _, hr_0 in originals(source)]
    detail = np.mean([change_percent(unsharp_mask(y, 1.0), y) for y in images])
    amount = first_percent / detail if detail else 0.0
    ratios, sharpened = [], images
    for _ in range(times):
        sharpened = [unsharp_mask(x, amount) for x in sharpened]
        changes = [change_percent(x, y) for x, y in zip(sharpened, images, strict=True)]
        ratios.append(float(np.mean(changes)))
    return ratios


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(0, (size - UNSHARP_SIDE) // 2) for size in image.shape[:2])
    return image[top : top + UNSHARP_SIDE, left : left + UNSHARP_SIDE]
