"""The end of a run: select a stage, and write its network, the report and the summary."""

import dataclasses
import math

import numpy as np

from rts_tf.data.arrays import read_arrays
from rts_tf.errors import RtsError
from rts_tf.metrics.resources import peak_memory_mb
from rts_tf.report.run_page import Strip, write_report
from rts_tf.storage import read_json, write_json
from rts_tf.training.change_metrics import unsharp_ratios
from rts_tf.training.crops import save_crops
from rts_tf.training.mos_validation import ORIGINALS, means
from rts_tf.training.phase_b import run_phase_b
from rts_tf.training.run import Run
from rts_tf.training.selection import select
from rts_tf.training.stage import Stage


def finish(run: Run, history: list[dict], stopped_because: str) -> dict:
    """Select a stage, and write ``final.keras``, ``report.html`` and ``summary.json``.

    If the run ended before and was extended, these are replaced. Its summary goes first, so that it
    never stands beside the network of another end.

    Args:
        history: The metrics of all stages.
        stopped_because: Why there is no further stage.

    Returns:
        The contents of ``summary.json``.
    """
    root = run.directory.root
    selected, because = select(history, run.criterion == "mos")
    stage = run.directory.stage(selected)
    _ = stage.weights  # raises RtsError if they are damaged
    summary = {
        "preset": run.config.preset,
        "network": run.config.network,
        "parameters": run.parameters,
        "training_images": len(run.training.sizes),
        "validation_images": len(run.validation.sizes),
        "selected_stage": selected,
        "selected_because": because,
        "stopped_because": stopped_because,
        "judged_by": run.criterion,
        **_stages_and_seconds(run, history),
        "peak_memory_mb": _rounded(peak_memory_mb()),
        "instruction_sets": run.directory.instruction_sets(),
        "weights_sha256": history[selected - 1]["weights_sha256"],
        "config": dataclasses.asdict(run.config),
        "init": read_json(run.directory.init_file),
        "originals": _originals(run),
    }
    if run.directory.summary_file.exists():
        run.directory.summary_file.unlink()
    _write_report(run, summary)
    stage.copy_network(root / "final.keras")
    # Shards go before the summary is written, which ends the run: after a crash in between nobody
    # would remove them.
    for number in range(len(history) + 1):
        over = run.directory.stage(number)
        shards = (
            [] if run.config.keep_targets else [over.shards("training"), over.shards("validation")]
        )
        over.remove(over.checkpoints, *shards)
    write_json(run.directory.summary_file, summary)
    return summary


def _rounded(value: float) -> float:
    """``value`` as an integer; nan, for what the system does not report, stays nan."""
    return round(value) if math.isfinite(value) else value


def _stages_and_seconds(run: Run, history: list[dict]) -> dict:
    """The seconds of the run, and the metrics of the stages with two figures more.

    These are the seconds of Phase B, and the ratio of the repeated unsharp mask (Fig. 4).
    """
    stages = [dict(metrics) for metrics in history]
    first = stages[0]["difference_ratio_percent"]
    unsharp = unsharp_ratios(run.validation, first, len(stages))
    for metrics, ratio in zip(stages, unsharp, strict=True):
        metrics["phase_b_seconds"] = run.directory.stage(metrics["stage"]).phase_b_seconds()
        metrics["unsharp_ratio_percent"] = ratio
    seconds = (metrics["phase_a_seconds"] + metrics["phase_b_seconds"] for metrics in stages)
    return {"seconds": sum(seconds), "stages": stages}


def _originals(run: Run) -> dict[str, dict]:
    """The means of VIQET's measures of LR and HR_0, if they were measured."""
    rows = (read_json(run.directory.originals_file) or {}) if run.criterion == "mos" else {}
    return {name: means(row[name] for row in rows.values()) for name in ORIGINALS if rows}


def _write_report(run: Run, summary: dict) -> None:
    root, selected = run.directory.root, summary["selected_stage"]
    save_crops(root / "originals.npz", run.validation, None)
    crops = [read_arrays(root / "originals.npz")]
    crops += [_crops(run, run.directory.stage(stage["stage"])) for stage in summary["stages"]]
    strips = [
        Strip(key.removeprefix("strip "), tuple(each[key] for each in crops))
        for key in crops[0]
        if key.startswith("strip ")
    ]
    before, after = crops[0]["slider"], crops[selected]["slider"]
    write_report(root / "report.html", summary, strips, before, after)


def _crops(run: Run, stage: Stage) -> dict[str, np.ndarray]:
    """What the report shows of HR_n. It is made again if the file is damaged or missing."""
    try:
        return read_arrays(stage.crops_file)
    except RtsError:
        save_crops(stage.crops_file, run.validation, run_phase_b(run, stage, "validation"))
        return read_arrays(stage.crops_file)
