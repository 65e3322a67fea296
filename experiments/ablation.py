"""What each part of the recipe is worth, and which recipe is recommended.

The paper says of its recipe that LR is JPEG-compressed and reduced, and how long it trains; the rest (ROWS) is ours or not
said. Every row is one run of three stages that differs from ``standard`` in one setting; one row combines what helped, and
two have another seed::

    python -m experiments.ablation --data=../shared/photos/train --validation=../shared/photos/valid

Measured on whole photographs: HR_3 as a run judges it, anchor included, and the network's own output d(SR_3(HR_0)), which is
what its users get. MOS is VIQET's, before it is bounded; the rest is what MOS does not see (rts_tf.metrics.artifacts), in
brackets that of the unsharp mask of the same MOS. Shorter than ``standard`` (4000 + 2 x 1500 steps
there) and with the smallest network: see SETTINGS. ``--rows`` takes some of the rows, ``--quick`` one stage.

Costs 8 minutes a row of one core with other work on the other, 5 of them Phases A and B, the rest the judging.

What came out: what keeps the corner of the spectrum and the flat areas calm costs MOS; the question is how much. JPEG before
the reduction costs next to nothing (+.405 against +.412) and spares a quarter of the added noise. Without an anchor the network
darkens three times as fast (-.24 levels against -.08), and without the warm start half more steps bring the same. The
band anchor keeps HR_3 from the corner of the spectrum (.2 dB at MOS +.364), but not the network (8.3 dB): it mends the
pictures that are judged. From a random start 1500 steps are not enough: blurred (-17 dB), half the gain. An average over 0.999
in 750 steps is a shorter training (+.332). JPEG after the reduction is the cheapest way down from 9.3 dB, 2.9 dB at +.327,
where noise on LR pays more MOS for the corner (4.6 dB at +.317) but brings the noise of flat areas below that of the
original (.92). Recommended: JPEG 85..98 after the reduction; where flat areas must stay calm, noise up to 6. With
another seed ``standard`` has the same MOS and corner (.002, .2 dB), but noise up to 6, which is drawn by the seed, +.301 and
5.2 dB instead of +.317 and 4.6 dB, and half the drift: rows with noise that are .02 of MOS or .6 dB apart are equal.
"""

import json
import pathlib
import tempfile
import time

from absl import flags

from experiments import results
from experiments.ablation_figure import trade
from experiments.runs import command, configuration, experiment_flags, start, trained
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
ROWS = {  # the name of the run: what stands in the table, settings
    "standard": ("standard: JPEG 60..95, then reduced; anchor low", {}),
    "random_start": ("a random start, not interpolation", {"identity_start": False}),
    "no_warm_start": ("every stage afresh, 1500 steps each", {"warm_start": False}),
    "ema": ("moving average of the weights, 0.999", {"ema": 0.999}),
    "no_jpeg": ("no JPEG", {"degradation": "reduce"}),
    "jpeg_after": ("JPEG 60..95 after the reduction", {"degradation": "reduce,jpeg"}),
    "jpeg_after_mild": ("JPEG 85..98 after the reduction", MILD),
    "noise2": ("noise up to 2 levels on LR", {"noise": 2.0}),
    "noise4": ("noise up to 4", {"noise": 4.0}),
    "noise6": ("noise up to 6", {"noise": 6.0}),
    "noise8": ("noise up to 8", {"noise": 8.0}),
    "eight_bit": ("targets clipped and rounded to 8 bits", {"eight_bit_targets": True}),
    "anchor_none": ("anchor none", {"anchor": "none"}),
    "band": ("anchor band", {"anchor": "band"}),
    "noise4_jpeg_after_mild": (
        "noise up to 4, JPEG 85..98 after the reduction",
        MILD | {"noise": 4.0},
    ),
    "standard_again": ("standard, another seed", {"seed": 2}),
    "noise6_again": ("noise up to 6, another seed", {"noise": 6.0, "seed": 2}),
}
LIMITS = {
    "mos_gain": (0.30, None),
    "corner_gain_db": (None, 6.0),
    "flat_noise_gain": (None, 1.5),
}  # of a recipe to recommend
FIGURES = ("mos_gain", "clipped_percent", "overshoot_levels", "flat_noise_gain", "corner_gain_db")
CHANGES = ("difference_ratio_percent", "brightness_drift_levels")

FLAGS = experiment_flags()
flags.DEFINE_list(
    "rows", list(ROWS), f"The rows to run and show, of {', '.join(ROWS)}.", flag_values=FLAGS
)


def measured_output(run: pathlib.Path, config: Config, kept: pathlib.Path) -> dict[str, float]:
    """The figures of d(SR_n(HR_0)) of the last stage, without an anchor: means over the validation pictures.

    ``kept``: file where they are looked up, if they are of these weights, and written.
    """
    from rts_tf.data.shards import open_set
    from rts_tf.inference import load
    from rts_tf.storage import read_json, write_json
    from rts_tf.training.mos_validation import means, measure_stage
    from rts_tf.training.phase_b import build_targets
    from rts_tf.training.validation import judge

    directory = run / f"stage_{config.stages}"
    weights = read_json(directory / "metrics.json")["weights_sha256"]
    found = read_json(kept)
    if found and found["weights_sha256"] == weights:
        return found
    began, source = time.monotonic(), open_set(run / "source" / "validation")
    with tempfile.TemporaryDirectory(dir=run.parent) as folder:
        enhancer = load(directory / "model.keras", "auto")
        pictures = build_targets(
            pathlib.Path(folder, "pictures"), source, enhancer, "none", weights
        )
        rows = measure_stage(source, pictures, read_json(run / "originals.json"), lambda name: None)
        found = (
            means(rows.values()) | judge(source, pictures, None, 0.0) | {"weights_sha256": weights}
        )
    write_json(kept, found)
    print(f"{run.name}: own output measured in {time.monotonic() - began:.0f} s", flush=True)
    return found


def row(name: str) -> dict:
    """The figures of one row: of ``hr_n``, and of the network's ``output``."""
    quick = {"stages": 1, "judge": "mos"} if FLAGS.quick else {}
    config = configuration(FLAGS, **(SETTINGS | ROWS[name][1] | quick))
    run = trained(FLAGS, f"ablation_{name}", config)
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    if summary["judged_by"] != "mos":
        raise ConfigError(
            f"{run}: was not judged by MOS; the validation pictures need a megapixel (--validation)."
        )
    output = measured_output(run, config, run.with_name(f"{run.name}_output.json"))
    mask = [f"unsharp_{key}" for key in FIGURES[1:]]
    pick = lambda figures: {key: figures[key] for key in (*FIGURES, *mask, *CHANGES)}  # noqa: E731
    seconds = sum(
        stage["phase_a_seconds"] + stage["phase_b_seconds"] for stage in summary["stages"]
    )
    by_stage = [stage["mos_gain"] for stage in summary["stages"]]
    counts = {key: summary[key] for key in ("training_pictures", "validation_pictures")}
    last = summary["stages"][-1]
    return {
        "settings": ROWS[name][1],
        "hr_n": pick(last),
        "output": pick(output),
        "mos_gain_by_stage": by_stage,
        "final_loss": last["final_loss"],
        "training_seconds": round(seconds),
        **counts,
    }


def meets(figures: dict) -> bool:
    """Whether all LIMITS are kept."""
    return all(
        (low is None or figures[key] >= low) and (high is None or figures[key] <= high)
        for key, (low, high) in LIMITS.items()
    )


def page(record: dict) -> str:
    """One table, and which rows keep the limits of a recipe to recommend."""
    first, lines = next(iter(record["rows"].values()))["output"], []
    for name, found in record["rows"].items():
        hr_n, output = found["hr_n"], found["output"]
        beside = lambda key, decimals, of=output: (
            f"{of[key]:.{decimals}f} ({_mask(of, key, decimals)})"
        )  # noqa: E731
        lines.append(
            [
                ROWS[name][0],
                f"{hr_n['mos_gain']:+.3f}",
                f"{hr_n['corner_gain_db']:.1f}",
                f"{hr_n['flat_noise_gain']:.2f}",
                f"{output['mos_gain']:+.3f}",
                f"{output['mos_gain'] - first['mos_gain']:+.3f}",
                beside("clipped_percent", 2),
                beside("flat_noise_gain", 2),
                beside("corner_gain_db", 1),
                f"{output['brightness_drift_levels']:+.2f}",
            ]
        )
    stage = record["settings"]["stages"]
    header = [
        "",
        f"HR{stage}: MOS gain",
        "corner dB",
        "flat noise",
        "output: MOS gain",
        "against the first row",
        "clipped % (mask)",
        "flat noise (mask)",
        "corner dB (mask)",
        "drift, levels",
    ]
    other = (
        " (2 where another is named)"
        if any("seed" in found["settings"] for found in record["rows"].values())
        else ""
    )
    settings = " ".join(f"--{key}={value}" for key, value in record["settings"].items())
    pictures = f"{record['training_pictures']} photographs for training, {record['validation_pictures']} others measured"
    return (
        f"# What each part of the recipe is worth\n\n{results.table(header, lines)}\n"
        f"HR{stage} is what the run judges, anchor included; output is d(SR{stage}(HR0)), what users of the network get. In"
        " brackets: the unsharp mask of the same MOS. Flat noise: a factor; corner: energy where both |f| are above .45.\n\n"
        "![MOS gain against the gain at the corner of the spectrum](ablation_trade.png)\n\n"
        "A recipe to recommend has a MOS gain of at least .30, at most 6 dB at the corner and at most 1.5 times the flat noise."
        f" As judged: {_names(record, 'hr_n')}. By the network's own output: {_names(record, 'output')}.\n\n"
        f"{pictures}; `--preset=standard {settings}`, seed {record['seed']}{other}. Phases A and B took"
        f" {record['training_seconds'] / 60:.0f} minutes of one core, beside other work on the other: `{record['command']}`\n"
    )


def _mask(figures: dict, key: str, decimals: int) -> str:
    value = figures[f"unsharp_{key}"]
    return "none" if value is None else f"{value:.{decimals}f}"


def _names(record: dict, which: str) -> str:
    """The rows that keep the limits, the one with the best MOS first."""
    kept = [
        (found[which]["mos_gain"], name)
        for name, found in record["rows"].items()
        if meets(found[which])
    ]
    return (
        "; ".join(f"{ROWS[name][0]} ({gain:+.3f})" for gain, name in sorted(kept, reverse=True))
        or "none of them"
    )


def experiment() -> None:
    unknown = [name for name in FLAGS.rows if name not in ROWS]
    if unknown or not FLAGS.rows:
        raise ConfigError(f"--rows={','.join(FLAGS.rows)}: choose of {', '.join(ROWS)}.")
    began, rows = time.monotonic(), {}
    for name in FLAGS.rows:
        rows[name] = row(name)
        gains = ", ".join(
            f"{which} {rows[name][which]['mos_gain']:+.3f}" for which in ("hr_n", "output")
        )
        print(f"{name}: MOS gain {gains}", flush=True)
    some = rows[FLAGS.rows[0]]
    record = {
        "command": command(FLAGS, "ablation"),
        "settings": SETTINGS | ({"stages": 1} if FLAGS.quick else {}),
        "seed": FLAGS.seed,
        "training_pictures": some["training_pictures"],
        "validation_pictures": some["validation_pictures"],
        "seconds": round(time.monotonic() - began),
        "training_seconds": sum(found["training_seconds"] for found in rows.values()),
        "rows": rows,
    }
    results.save(FLAGS.output, "ablation", record, page(record), {"trade": trade(record)})


if __name__ == "__main__":
    start(FLAGS, experiment)
