"""Validate a stage: measure HR_n of the validation images, as the next stage would get it.

All metrics are computed on the anchored HR_n, but for those on compressed crops.
"""

import tensorflow as tf

from rts_tf.data.degradation import Degradation
from rts_tf.data.shards import ShardSet
from rts_tf.storage import read_json, write_json
from rts_tf.training.change_metrics import difference_ratio, measure_change
from rts_tf.training.coded_validation import measure_coded
from rts_tf.training.crops import save_crops
from rts_tf.training.fit_metrics import measure_fit
from rts_tf.training.mos_validation import (
    MEASURES_OF_ORIGINALS,
    images_for_mos,
    means,
    measure_originals,
    measure_stage,
)
from rts_tf.training.phase_b import run_phase_b
from rts_tf.training.progress import MeasureProgress
from rts_tf.training.run import Run
from rts_tf.training.stage import Stage


def validate(run: Run, stage: Stage, history: list[dict]) -> None:
    """Measure the validation images after ``stage``, and close the stage by writing its metrics.

    Every worker must call it. The workers share out the images.

    Args:
        history: The metrics of the stages before.
    """
    previous = run.directory.stage(stage.number - 1)
    is_enhanced = run.config.trains_on_enhanced(stage.number)
    before = run_phase_b(run, previous, "validation") if is_enhanced else None
    images = run_phase_b(run, stage, "validation")
    mos = _measure_mos(run, stage, images) if run.criterion == "mos" else {}
    source, enhancer, workers = run.validation, run.enhancer(stage), run.workers
    ratio_before = history[-1]["difference_ratio_percent"] if history else 0.0
    if before and not history:
        ratio_before = difference_ratio(source, before, workers)
    metrics = measure_change(source, images, before, ratio_before, workers)
    metrics |= measure_fit(enhancer, source, before, workers)
    metrics |= measure_coded(enhancer, source, workers)
    metrics |= mos

    def close() -> None:
        save_crops(stage.crops_file, source, images)
        for name, value in metrics.items():
            if value is not None:
                tf.summary.scalar(f"stages/{name}", value, stage.number)
        stage.write_metrics(metrics)
        if not run.config.keep_targets:
            previous.remove(previous.shards("validation"))

    workers.by_chief(close)


def _measure_mos(run: Run, stage: Stage, images: ShardSet) -> dict:
    """VIQET's measures and the artifacts of HR_n, as means over the validation images."""
    count, file = len(images_for_mos(run.validation)), run.directory.originals_file
    workers = run.workers
    originals = workers.by_chief(lambda: read_json(file))
    if originals is None:
        progress = MeasureProgress(
            run.progress, "LR, HR0", count, MEASURES_OF_ORIGINALS, workers.count
        )
        degradation = Degradation.of(run.config)
        rows = measure_originals(run.validation, degradation, progress, workers)
        workers.by_chief(lambda: write_json(file, rows, sealed=True))
        originals = workers.by_chief(lambda: read_json(file)) or {}
    progress = MeasureProgress(run.progress, f"HR{stage.number}", count, workers=workers.count)
    rows = measure_stage(run.validation, images, originals, progress, workers)
    if workers.is_chief:
        write_json(stage.quality_file, rows)
    return means(rows.values())
