"""Table 2 of a run (section 4.4): VIQET's measures and MOS of LR, HR_0 and HR_n of the validation pictures, and beside them
what MOS cannot see: naturalness, and that of the unsharp mask with the same MOS.

Every picture is judged as people would get it: 8 bits, whole, at full size.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from rts_tf.data.degradation import Degradation, jpeg
from rts_tf.data.shards import ShardSet
from rts_tf.errors import ConfigError, printable
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.images.resample import double
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.baseline import compare_with_unsharp, unsharp_scores
from rts_tf.metrics.parallel import in_parallel
from rts_tf.metrics.unsharp import AMOUNTS
from rts_tf.metrics.viqet import is_measurable, measure
from rts_tf.training.validation import enhanced, originals

LARGE = 1e6  # pixels; VIQET was made for pictures of some megapixels, and scores small ones low
ORIGINALS = ("lr_jpeg", "lr_half", "hr_0")
MEASURES_OF_ORIGINALS = len(ORIGINALS) + len(AMOUNTS)  # a picture, for the progress line


def images_for_mos(source: ShardSet) -> list[str]:
    """The names of the pictures that VIQET can measure: not those that are too long and narrow."""
    return [name for name, size in source.sizes.items() if is_measurable(*size)]


def choose_judge(judge: str, source: ShardSet, say: Callable[[str], None]) -> str:
    """What selects a stage: "mos", or "delta" and why. ``judge``: the setting; what it does not tell goes to ``say``.

    "auto" is "mos" where half of the pictures or more have a megapixel.

    Raises:
        ConfigError: "mos", and VIQET can measure none of the pictures.
    """
    if judge == "delta":
        return "delta, as --judge=delta asks"
    measurable, areas = (
        images_for_mos(source),
        [height * width for height, width in source.sizes.values()],
    )
    if judge == "auto" and (np.median(areas) < LARGE or not measurable):
        reason = "delta, since most validation pictures are below a megapixel, where MOS means little (--judge=mos measures it)"
        say(f"judged by {reason}")
        return reason
    if not measurable:
        raise ConfigError(
            "--judge=mos: every validation picture is too long and narrow for VIQET; use --judge=delta."
        )
    if left_out := sorted(set(source.sizes) - set(measurable)):
        say(printable(f"too long and narrow for VIQET, not judged by MOS: {', '.join(left_out)}"))
    return "mos"


def measure_originals(
    source: ShardSet, degradation: Degradation, on_picture: Callable[[str], None]
) -> dict[str, dict]:
    """Measure what the stages start from, by name of each picture that VIQET can measure.

    Returns:
        For each picture ``hr_0``; ``lr_jpeg``, HR_0 through JPEG at the quality drawn for it (the LR row of the paper's
        Table 2); ``lr_half``, the LR that trains the network, enlarged again by Lanczos; each with VIQET's measures and
        naturalness; and ``unsharp_scores``, the raw MOS of HR_0 and of its unsharp masks of rts_tf.metrics.unsharp.AMOUNTS.
    """

    def rows(picture: tuple[str, np.ndarray, np.ndarray]) -> tuple[str, dict]:
        name, hr_0, lr = picture
        compressed = to_float(jpeg(to_uint8(hr_0), degradation.quality(name)))
        views = {"lr_jpeg": compressed, "lr_half": double(lr[None])[0].numpy(), "hr_0": hr_0}
        found = {
            row: _measures(view) | measure_artifacts(view, hr_0)._asdict()
            for row, view in views.items()
        }
        return name, found | {"unsharp_scores": unsharp_scores(hr_0, found["hr_0"]["mos_raw"])}

    return _by_name(in_parallel(rows, _with_lr(source)), on_picture)


def measure_stage(
    source: ShardSet, stage: ShardSet, before: dict[str, dict], on_picture: Callable[[str], None]
) -> dict[str, dict]:
    """Measure HR_n: for each picture VIQET's measures and :func:`rts_tf.metrics.baseline.compare_with_unsharp`, by its name.

    Args:
        source: shards with ``hr``, HR_0; ``stage``: their HR_n.
        before: what ``measure_originals`` gave.
    """

    def row(picture: tuple[str, np.ndarray, np.ndarray]) -> tuple[str, dict]:
        name, hr_0, hr_n = picture
        found = _measures(hr_n)
        return name, found | compare_with_unsharp(
            hr_n, hr_0, found["mos_raw"], before[name]["unsharp_scores"]
        )

    return _by_name(in_parallel(row, _with_stage(source, stage)), on_picture)


def means(rows: Iterable[dict]) -> dict[str, float | None]:
    """The mean of each figure over the pictures that have it; None where none has."""
    columns: dict[str, list[float]] = {}
    for row in rows:
        for key, value in row.items():
            columns.setdefault(key, []).append(value)
    finite = {
        key: [v for v in values if v is not None and math.isfinite(v)]
        for key, values in columns.items()
    }
    return {key: float(np.mean(values)) if values else None for key, values in finite.items()}


def _measures(picture: np.ndarray) -> dict[str, float]:
    return measure(to_uint8(picture))._asdict()


def _with_lr(source: ShardSet) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for k in range(len(source.shards)):
        for record in source.records(k, {"hr": np.uint8, "lr": np.uint8}):
            if is_measurable(*source.sizes[record.name]):
                yield record.name, to_float(record.arrays["hr"]), to_float(record.arrays["lr"])


def _with_stage(source: ShardSet, stage: ShardSet) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for k in range(len(source.shards)):
        for (name, hr_0), (_, hr_n) in zip(
            originals(source, k), enhanced(stage, source, k), strict=True
        ):
            if is_measurable(*source.sizes[name]):
                yield name, hr_0, hr_n


def _by_name(
    rows: Iterable[tuple[str, dict]], on_picture: Callable[[str], None]
) -> dict[str, dict]:
    found = {}
    for name, row in rows:
        found[name] = row
        on_picture(name)
    return found
