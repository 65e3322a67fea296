"""Table 2 of a run (section 4.4): VIQET's measures of LR, HR_0 and HR_n of the validation images.

Beside them stand the artifacts, which MOS cannot see, and those of the unsharp mask of equal MOS.
Every image is measured as people would get it: in 8 bits, whole, at full size.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np

from rts_tf.data.codecs import jpeg
from rts_tf.data.degradation import Degradation
from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.images.resample import double
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.baseline import compare_with_unsharp, unsharp_scores
from rts_tf.metrics.parallel import in_parallel
from rts_tf.metrics.unsharp import AMOUNTS
from rts_tf.metrics.viqet import is_measurable, measure
from rts_tf.training.pairs import originals, pairs, reduced
from rts_tf.workers import ALONE, Workers

ORIGINALS = ("lr_jpeg", "lr_half", "hr_0")
MEASURES_OF_ORIGINALS = len(ORIGINALS) + len(AMOUNTS)  # for one image

OnImage = Callable[[str], None]  # is called with the name of each image
_Item = tuple[str, np.ndarray, np.ndarray]


def images_for_mos(source: ShardSet) -> list[str]:
    """The names of the images that VIQET can measure; it cannot measure long and narrow ones."""
    return [name for name, size in source.sizes.items() if is_measurable(*size)]


def measure_originals(
    source: ShardSet, degradation: Degradation, on_image: OnImage, workers: Workers = ALONE
) -> dict[str, dict]:
    """Measure what the stages start from.

    Args:
        workers: The workers that share out the images. Every one must make this call.

    Returns:
        A row for each image that VIQET can measure, by its name. ``hr_0`` is HR_0. ``lr_jpeg`` is
        HR_0 through JPEG at the quality drawn for it (the LR row of the paper's Table 2).
        ``lr_half`` is the LR that trains the network, enlarged by Lanczos interpolation. Each holds
        VIQET's measures and the artifacts. ``unsharp_scores`` holds the raw MOS of HR_0 and of HR_0
        behind unsharp masks of :data:`rts_tf.metrics.unsharp.AMOUNTS`.
    """

    def row(item: _Item) -> tuple[str, dict]:
        name, hr_0, lr = item
        compressed = to_float(jpeg(to_uint8(hr_0), degradation.quality(name)))
        enlarged = double(lr[None])[0].numpy()
        views = {"lr_jpeg": compressed, "lr_half": enlarged, "hr_0": hr_0}
        found: dict = {
            row: _measures(view) | measure_artifacts(view, hr_0)._asdict()
            for row, view in views.items()
        }
        found["unsharp_scores"] = unsharp_scores(hr_0, found["hr_0"]["mos_raw"])
        return name, found

    def rows(names: list[str]) -> dict[str, dict]:
        both = zip(originals(source, names), reduced(source, names), strict=True)
        items = ((name, hr_0, lr) for (name, hr_0), (_, lr) in both)
        return _by_name(in_parallel(row, items), on_image)

    return workers.rows(images_for_mos(source), rows)


def measure_stage(
    source: ShardSet,
    stage: ShardSet,
    before: dict[str, dict],
    on_image: OnImage,
    workers: Workers = ALONE,
) -> dict[str, dict]:
    """Measure HR_n.

    Args:
        source: Shards with ``hr``, HR_0.
        stage: Shards of HR_n.
        before: The result of :func:`measure_originals`.
        workers: The workers that share out the images. Every one must make this call.

    Returns:
        For each image, by its name, VIQET's measures and the result of
        :func:`rts_tf.metrics.baseline.compare_with_unsharp`.
    """

    def row(item: _Item) -> tuple[str, dict]:
        name, hr_0, hr_n = item
        found = _measures(hr_n)
        scores = before[name]["unsharp_scores"]
        return name, found | compare_with_unsharp(hr_n, hr_0, found["mos_raw"], scores)

    def rows(names: list[str]) -> dict[str, dict]:
        return _by_name(in_parallel(row, pairs(source, stage, names)), on_image)

    return workers.rows(images_for_mos(source), rows)


def means(rows: Iterable[dict]) -> dict[str, float | None]:
    """The mean of each figure over the rows where it is finite; None where it is finite in none."""
    columns: dict[str, list[float]] = {}
    for row in rows:
        for key, value in row.items():
            column = columns.setdefault(key, [])
            if value is not None and math.isfinite(value):
                column.append(value)
    return {key: float(np.mean(values)) if values else None for key, values in columns.items()}


def _measures(image: np.ndarray) -> dict[str, float]:
    return measure(to_uint8(image))._asdict()


def _by_name(rows: Iterable[tuple[str, dict]], on_image: OnImage) -> dict[str, dict]:
    found = {}
    for name, row in rows:
        found[name] = row
        on_image(name)
    return found
