"""Ablation: what each part of the recipe is worth, and which recipe is recommended.

The paper says that LR is JPEG-compressed and reduced, and how long it trains. The other parts of
the recipe are our own, or the paper does not describe them. Each of ROWS is a run of three stages
that differs from ``standard`` in one setting. One row combines what helped, and two rows repeat
another row with another seed::

    python -m experiments.ablation --data=../shared/photos/train --validation=../shared/photos/valid

Everything is measured on whole images: the anchored HR_3, which is what the run itself measures,
and the network's own output d(SR_3(HR_0)), which is what users of the network get. MOS is VIQET's
raw score, before it is bounded. The other figures are the artifacts that MOS does not see
(rts_tf.metrics.artifacts); in brackets are those of the unsharp mask with the same MOS. The row
``standard`` has the paper's degradation and the anchor ``low``; the preset of that name has taken
up another recipe since. The runs are short and have the smallest network, see SETTINGS.
``--rows`` takes some of the rows, ``--quick`` trains one stage.

A row costs 8 minutes on one core with other work on the other: 5 minutes for Phases A and B, the
rest for measuring.

What came out:

- What keeps the high-frequency diagonal (the corner of the spectrum) and the flat areas calm costs
  MOS; the rows differ in how much.
- JPEG before the reduction costs next to no MOS (+.405 against +.412) and saves a quarter of the
  added noise.
- Without an anchor the network darkens three times as fast (-.24 levels against -.08).
- Without the warm start it takes half more steps to get the same.
- The band anchor keeps the corner of HR_3 as it was (.2 dB at MOS +.364), but not that of the
  network's output (8.3 dB). It only mends the images that are measured.
- From a random start 1500 steps are too few: the images are blurred (-17 dB) and gain half the MOS.
- A moving average of .999 over 750 steps acts like a shorter training (+.332).
- JPEG after the reduction is the cheapest way to reduce the 9.3 dB at the corner: 2.9 dB at +.327.
  Noise on LR costs more MOS for less (4.6 dB at +.317), but brings the noise of flat areas below
  that of the original (.92).
- With another seed ``standard`` has the same MOS and corner (to .002 and .2 dB). Noise up to 6,
  which the seed draws, has +.301 and 5.2 dB instead of +.317 and 4.6 dB, and half the drift. So
  rows with noise that differ by .02 of MOS or .6 dB are equal.

Recommended: JPEG 85..98 after the reduction; noise up to 6 where flat areas must stay calm.
"""

import pathlib
import tempfile
import time
from typing import Any

from absl import flags

from experiments import results, runs
from experiments.ablation_page import page, trade
from rts_tf.config import Config
from rts_tf.errors import ConfigError

SETTINGS = {
    "network": "residual1",
    "stages": 3,
    "first_steps": 1500,
    "later_steps": 750,
    "stop_early": False,
}
MILD = {"degradation": "reduce,jpeg", "jpeg_low": 85, "jpeg_high": 98}
ROWS: dict[str, dict[str, Any]] = {  # what each run sets, by its name
    "standard": {},
    "random_start": {"identity_start": False},
    "no_warm_start": {"warm_start": False},
    "ema": {"ema": 0.999},
    "no_jpeg": {"degradation": "reduce"},
    "jpeg_after": {"degradation": "reduce,jpeg"},
    "jpeg_after_mild": MILD,
    "noise2": {"noise": 2.0},
    "noise4": {"noise": 4.0},
    "noise6": {"noise": 6.0},
    "noise8": {"noise": 8.0},
    "eight_bit": {"eight_bit_targets": True},
    "anchor_none": {"anchor": "none"},
    "band": {"anchor": "band"},
    "noise4_jpeg_after_mild": MILD | {"noise": 4.0},
    "standard_again": {"seed": 2},
    "noise6_again": {"noise": 6.0, "seed": 2},
}
FIGURES = ("mos_gain", "clipped_percent", "overshoot_levels", "flat_noise_gain", "corner_gain_db")
UNSHARP_FIGURES = tuple(f"unsharp_{key}" for key in FIGURES[1:])
CHANGES = ("difference_ratio_percent", "brightness_drift_levels")

FLAGS = runs.experiment_flags()
flags.DEFINE_list(
    "rows", list(ROWS), f"The rows to run and show, of {', '.join(ROWS)}.", flag_values=FLAGS
)


def measure_output(run: pathlib.Path, config: Config, kept: pathlib.Path) -> dict[str, Any]:
    """Measure d(SR_n(HR_0)) of the last stage, without an anchor.

    Args:
        run: The directory of the finished run.
        config: The settings of the run.
        kept: The file where the result is kept. It is measured once for the same weights.

    Returns:
        Means over the validation images: VIQET's measures, the artifacts, those of the unsharp
        mask with the same MOS, and the change metrics.
    """
    from rts_tf.data.shards import open_set
    from rts_tf.inference import load
    from rts_tf.storage import read_json, write_json
    from rts_tf.training.change_metrics import measure_change
    from rts_tf.training.mos_validation import means, measure_stage
    from rts_tf.training.phase_b import build_targets

    directory = run / f"stage_{config.stages}"
    weights = read_json(directory / "metrics.json")["weights_sha256"]
    found = read_json(kept)
    if found and found["weights_sha256"] == weights:
        return found
    began, source = time.monotonic(), open_set(run / "source" / "validation")
    with tempfile.TemporaryDirectory(dir=run.parent) as folder:
        enhancer = load(directory / "model.keras", "auto")
        shards = pathlib.Path(folder, "output")
        output = build_targets(shards, source, enhancer, anchor="none", weights=weights)
        rows = measure_stage(source, output, read_json(run / "originals.json"), lambda name: None)
        changes = measure_change(source, output, None, 0.0)
        found = means(rows.values()) | changes | {"weights_sha256": weights}
    write_json(kept, found)
    print(f"{run.name}: own output measured in {time.monotonic() - began:.0f} s", flush=True)
    return found


def row(name: str) -> dict[str, Any]:
    """Train the run of one row and return its figures, of ``hr_n`` and of the ``output``."""
    quick = {"stages": 1, "judge": "mos"} if FLAGS.quick else {}
    config = runs.configuration(FLAGS, **(SETTINGS | ROWS[name] | quick))
    run = runs.trained(FLAGS, f"ablation_{name}", config)
    summary = runs.summary(run)
    if summary["judged_by"] != "mos":
        raise ConfigError(
            f"{run}: MOS was not measured; the validation images need a megapixel (--validation)."
        )
    output = measure_output(run, config, run.with_name(f"{run.name}_output.json"))
    last, stages = summary["stages"][-1], summary["stages"]
    shown = (*FIGURES, *UNSHARP_FIGURES, *CHANGES)
    seconds = sum(stage["phase_a_seconds"] + stage["phase_b_seconds"] for stage in stages)
    return {
        "settings": ROWS[name],
        "hr_n": {key: last[key] for key in shown},
        "output": {key: output[key] for key in shown},
        "mos_gain_by_stage": [stage["mos_gain"] for stage in stages],
        "final_loss": last["final_loss"],
        "training_seconds": round(seconds),
        **runs.image_counts(summary),
    }


def experiment() -> None:
    """Train and measure the rows that the flags name, and write the results."""
    unknown = [name for name in FLAGS.rows if name not in ROWS]
    if unknown or not FLAGS.rows:
        raise ConfigError(f"--rows={','.join(FLAGS.rows)}: choose from {', '.join(ROWS)}.")
    began, rows = time.monotonic(), {}
    for name in FLAGS.rows:
        rows[name] = row(name)
        gains = ", ".join(
            f"{which} {rows[name][which]['mos_gain']:+.3f}" for which in ("hr_n", "output")
        )
        print(f"{name}: MOS gain {gains}", flush=True)
    record = {
        "command": runs.command(FLAGS, "ablation"),
        "settings": SETTINGS | ({"stages": 1} if FLAGS.quick else {}),
        "seed": FLAGS.seed,
        **runs.image_counts(rows[FLAGS.rows[0]]),
        "seconds": round(time.monotonic() - began),
        "training_seconds": sum(found["training_seconds"] for found in rows.values()),
        "rows": rows,
    }
    results.save(FLAGS.output, "ablation", record, page(record), {"trade": trade(record)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
