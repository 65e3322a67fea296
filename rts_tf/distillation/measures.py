"""Measures a student beside its teacher, the best linear filter and an unsharp mask."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from rts_tf.data.datasets import ImageSource
from rts_tf.data.shards import ShardSet
from rts_tf.distillation.config import DistillationConfig
from rts_tf.distillation.linear import filtered, kept_energy
from rts_tf.distillation.shards import OnImage, luma_pairs, taught
from rts_tf.errors import ImageError
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.inference import Enhancer
from rts_tf.luma.enhancer import LumaEnhancer, luma_of
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.baseline import compare_with_unsharp, unsharp_scores
from rts_tf.metrics.blocking import grid_step
from rts_tf.metrics.parallel import in_parallel
from rts_tf.metrics.viqet import is_measurable, measure
from rts_tf.networks import parameters
from rts_tf.networks.luma import shape_of
from rts_tf.training.mos_validation import means

# From uint8 luma [H, W] to float32 luma [H, W]
Way = Callable[[np.ndarray], np.ndarray]
SHOWN = 480  # pixels a side of what the report shows
TEACHER, FILTER = "teacher", "linear filter"


class Student(NamedTuple):
    """What a distillation made.

    Attributes:
        kernel: The best linear filter.
        networks: The networks of the two parts, and "integers", the one with weights on integers.
        integer_file: The file of the last one.
    """

    kernel: np.ndarray
    networks: dict[str, keras.Model]
    integer_file: bytes


def judge(
    config: DistillationConfig,
    student: Student,
    teacher: Enhancer,
    shards: tuple[ShardSet, ShardSet],
    images: ImageSource,
    on_image: OnImage,
) -> tuple[dict, tuple[np.ndarray, np.ndarray]]:
    """Measure everything.

    Args:
        shards: Inputs and targets of the validation images.
        images: The validation images as they are.

    Returns:
        A summary, and what the report shows: luma before and after, uint8 [H, W, 3]. The summary
        has the sizes of the network and ``rows``: for each way its ``name``, the ``energy`` of the
        teacher's change that it keeps, ``above_linear``, the share that it takes of what the linear
        filter leaves, ``grid_step`` on the inputs as they come out of it, and, for images as they
        are, the MOS and the artifacts with those of the unsharp mask of equal MOS
        (:func:`rts_tf.metrics.baseline.compare_with_unsharp`).
    """
    ways = _ways(student)
    energies, steps = _on_inputs(ways, shards)
    rows = [_row(name, energies, step) for name, step in steps.items()]
    if config.judge == "mos":
        all_ways = {TEACHER: lambda luma: taught(teacher, luma)} | ways
        found = _on_images(all_ways, images, on_image)
        for row in rows:
            row.update(found.get(row["name"], {}))
    shape, network = shape_of(config.network), student.networks["integers"]
    summary = {
        "network": config.network,
        "teacher": config.teacher,
        "parameters": parameters(network),
        "macs_per_pixel": shape.macs,
        "inputs": len(shards[0].sizes),
        "images": len(images.names),
        "rows": rows,
    }
    return summary, _shown(shards, ways["integers"])


def _ways(student: Student) -> dict[str, Way]:
    def of_network(name: str) -> Way:
        content = student.integer_file if name == "integers" else None
        enhancer = LumaEnhancer(student.networks[name], content)
        if enhancer.integers:
            return lambda luma: to_float(enhancer.enhance_luma(luma))
        return lambda luma: enhancer.enhance_luma(to_float(luma))

    ways: dict[str, Way] = {FILTER: lambda luma: filtered(to_float(luma), student.kernel)}
    return ways | {name: of_network(name) for name in student.networks}


def _row(name: str, energies: dict[str, float], step: float) -> dict[str, Any]:
    """What is known of a way before images are measured."""
    energy, linear = energies[name], energies[FILTER]
    above = (energy - linear) / (1 - linear)
    return {"name": name, "energy": energy, "above_linear": above, "grid_step": step}


def _on_inputs(
    ways: dict[str, Way], shards: tuple[ShardSet, ShardSet]
) -> tuple[dict[str, float], dict[str, float]]:
    """The energy that each way keeps, and the grid step of the input, the teacher and each way."""
    steps: dict[str, list[float]] = {name: [] for name in ("input", TEACHER, *ways)}

    def energy_of(name: str, way: Way) -> float:
        def compared() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            for _, luma, target in luma_pairs(*shards):
                made = way(to_uint8(luma))
                steps[name].append(_grid_step(made))
                yield luma, target, made

        return kept_energy(compared())

    energies = {name: energy_of(name, way) for name, way in ways.items()}
    for _, luma, target in luma_pairs(*shards):
        steps["input"].append(_grid_step(luma))
        steps[TEACHER].append(_grid_step(target))
    energies |= {"input": 0.0, TEACHER: 1.0}
    return energies, {name: float(np.mean(found)) for name, found in steps.items()}


def _grid_step(luma: np.ndarray) -> float:
    return grid_step(to_uint8(np.repeat(luma[..., None], 3, axis=-1)))


def _on_images(
    ways: dict[str, Way], images: ImageSource, on_image: OnImage
) -> dict[str, dict[str, float | None]]:
    """The mean MOS and artifacts of each way over the images that VIQET can measure."""

    def usable() -> Iterator[tuple[str, np.ndarray, dict[str, np.ndarray]]]:
        for name in images.names:
            try:
                image = images.read(name)
            except ImageError:
                continue  # it was reported when the inputs were made
            if is_measurable(*image.shape[:2]):
                luma = luma_of(image)
                changes = {way: function(luma) - to_float(luma) for way, function in ways.items()}
                yield name, image, changes

    def measured(
        item: tuple[str, np.ndarray, dict[str, np.ndarray]],
    ) -> tuple[str, dict[str, dict[str, float]]]:
        name, image, changes = item
        before = to_float(image)
        scores = unsharp_scores(before, measure(image).mos_raw)
        rows = {"input": {"mos": scores[0], **measure_artifacts(before, before)._asdict()}}
        for way, change in changes.items():
            after = before + change[..., None]
            mos = measure(to_uint8(after)).mos_raw
            rows[way] = {"mos": mos, **compare_with_unsharp(after, before, mos, scores)}
        return name, rows

    found: dict[str, list[dict[str, float]]] = {}
    for name, rows in in_parallel(measured, usable()):
        on_image(name)
        for way, row in rows.items():
            found.setdefault(way, []).append(row)
    return {way: means(rows) for way, rows in found.items()}


def _shown(shards: tuple[ShardSet, ShardSet], way: Way) -> tuple[np.ndarray, np.ndarray]:
    """The middle of the first input and what the student makes of it."""
    _, luma, _ = next(luma_pairs(*shards))
    rows, columns = (slice(max(0, (s - SHOWN) // 2), (s + SHOWN) // 2) for s in luma.shape)
    after = way(to_uint8(luma))
    before, after = (
        to_uint8(np.repeat(each[rows, columns, None], 3, axis=-1)) for each in (luma, after)
    )
    return before, after
