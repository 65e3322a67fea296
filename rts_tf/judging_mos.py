"""Table 2 of a run (section 4.4): VIQET's measures and MOS of LR, HR_0 and HR_n of the validation pictures, and beside them
what MOS cannot see: naturalness, and that of the unsharp mask with the same MOS.

Every picture is judged as people would get it: 8 bits, whole, at full size.
"""

import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rts_tf.data.degradation import Degradation, jpeg
from rts_tf.data.shards import ShardSet
from rts_tf.imaging.levels import to_float, to_uint8
from rts_tf.imaging.resample import double
from rts_tf.judging import enhanced, originals
from rts_tf.quality.naturalness import Naturalness, naturalness
from rts_tf.quality.unsharp import AMOUNTS, amount_of_score, unsharp_mask
from rts_tf.quality.viqet import measure

LARGE = 1e6  # pixels; VIQET was made for pictures of some megapixels, and scores small ones low
ORIGINALS = ("lr_jpeg", "lr_half", "hr_0")
MEASURES_OF_ORIGINALS = len(ORIGINALS) + len(AMOUNTS)  # a picture, for the progress line


def mos_can_judge(source: ShardSet) -> bool:
    """Whether half of the pictures or more have a megapixel."""
    return float(np.median([height * width for height, width in source.sizes.values()])) >= LARGE


def judge_originals(source: ShardSet, degradation: Degradation, on_picture: Callable[[str], None]) -> dict[str, dict]:
    """Measure what the stages start from, by picture name.

    Returns:
        For each picture ``hr_0``; ``lr_jpeg``, HR_0 through JPEG at the quality drawn for it (the LR row of the paper's
        Table 2); ``lr_half``, the LR that trains the network, enlarged again by Lanczos; each with VIQET's measures and
        naturalness; and ``unsharp_scores``, the raw MOS of HR_0 and of its unsharp masks of rts_tf.quality.unsharp.AMOUNTS.
    """

    def rows(picture: tuple[str, np.ndarray, np.ndarray]) -> tuple[str, dict]:
        name, hr_0, lr = picture
        compressed = to_float(jpeg(to_uint8(hr_0), degradation.quality(name)))
        views = {"lr_jpeg": compressed, "lr_half": double(lr[None])[0].numpy(), "hr_0": hr_0}
        found = {row: _measures(view) | naturalness(view, hr_0)._asdict() for row, view in views.items()}
        scores = [measure(to_uint8(unsharp_mask(hr_0, amount))).mos_raw for amount in AMOUNTS]
        return name, found | {"unsharp_scores": [found["hr_0"]["mos_raw"], *scores]}

    return dict(_in_parallel(rows, _with_lr(source), on_picture))


def judge_stage(
    source: ShardSet, stage: ShardSet, before: dict[str, dict], on_picture: Callable[[str], None]
) -> dict[str, dict]:
    """Measure HR_n, by picture name.

    Args:
        source: shards with ``hr``, HR_0; ``stage``: their HR_n.
        before: what ``judge_originals`` gave.

    Returns:
        For each picture VIQET's measures, ``mos_gain`` (raw MOS over that of HR_0), naturalness, and for the unsharp mask of
        equal raw MOS ``unsharp_amount`` and naturalness with ``unsharp_`` before each name: nan where no mask reaches it.
    """

    def row(picture: tuple[str, np.ndarray, np.ndarray]) -> tuple[str, dict]:
        name, hr_0, hr_n = picture
        scores = before[name]["unsharp_scores"]
        found = _measures(hr_n)
        found |= {"mos_gain": found["mos_raw"] - scores[0], **naturalness(hr_n, hr_0)._asdict()}
        amount = found["unsharp_amount"] = amount_of_score((0.0, *AMOUNTS), scores, found["mos_raw"])
        rival = naturalness(unsharp_mask(hr_0, amount), hr_0) if math.isfinite(amount) else Naturalness(*[math.nan] * 4)
        return name, found | {f"unsharp_{key}": value for key, value in rival._asdict().items()}

    return dict(_in_parallel(row, _with_stage(source, stage), on_picture))


def means(rows: Iterable[dict]) -> dict[str, float | None]:
    """The mean of each figure over the pictures that have it; None where none has."""
    columns: dict[str, list[float]] = {}
    for row in rows:
        for key, value in row.items():
            columns.setdefault(key, []).append(value)
    finite = {key: [v for v in values if v is not None and math.isfinite(v)] for key, values in columns.items()}
    return {key: float(np.mean(values)) if values else None for key, values in finite.items()}


def _measures(picture: np.ndarray) -> dict[str, float]:
    return measure(to_uint8(picture))._asdict()


def _with_lr(source: ShardSet) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for k in range(len(source.shards)):
        for record in source.records(k, {"hr": np.uint8, "lr": np.uint8}):
            yield record.name, to_float(record.arrays["hr"]), to_float(record.arrays["lr"])


def _with_stage(source: ShardSet, stage: ShardSet) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for k in range(len(source.shards)):
        for (name, hr_0), (_, hr_n) in zip(originals(source, k), enhanced(stage, source, k), strict=True):
            yield name, hr_0, hr_n


def _in_parallel(function: Callable, pictures: Iterator, on_picture: Callable[[str], None]) -> Iterator[tuple[str, dict]]:
    """``function`` of each picture, as many at once as there are processors; OpenCV and SciPy let threads run side by side."""
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        while group := list(itertools.islice(pictures, workers)):
            for name, row in pool.map(function, group):
                on_picture(name)
                yield name, row
