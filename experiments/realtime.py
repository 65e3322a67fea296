"""The frontier: what small networks for luma keep of a large one, against their time for a frame.

    python -m experiments.realtime --images=../shared/photos/valid --teacher=residual3-video \\
        --linear=DISTILLATION/linear.json

A way is the name or path of a network, "linear" (the best linear filter, as a distillation fitted
it), "unsharp:AMOUNT" or "bilateral+unsharp:AMOUNT". Of each, the experiment measures

- the share of the energy of the teacher's change in luma that it keeps, on crops of 512 x 512 in
  the states of experiments/conditions.py, and how much that is of what the linear filter leaves
- the gain in MOS, the noise of flat areas and the overshoot on whole clean images, beside those of
  the unsharp mask of equal MOS, and the step at the 8x8 grid on the coded crops
- the time for the luma of a 1080p frame on one core: of networks in LiteRT's integers, of filters
  in OpenCV. All ways are measured in turn, in a process of their own, and the median counts.

It costs about 12 seconds for each whole image and way, and half a minute for the time of a large
network.
"""

from __future__ import annotations

import functools
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from absl import flags

from experiments import results, runs
from experiments.conditions import CONDITIONS, clean_images
from rts_tf.errors import ConfigError

WAYS = (
    *("linear", "luma-small", "luma-medium", "luma-large", "residual1", "residual3", "residual6"),
    *("unsharp:0.4", "unsharp:0.8", "bilateral+unsharp:1.2"),
)
FLAGS = flags.FlagValues()
flags.DEFINE_string("images", "", "Folder of clean images.", flag_values=FLAGS)
flags.DEFINE_string("teacher", "residual3-video", "What energy refers to.", flag_values=FLAGS)
flags.DEFINE_string("linear", "", "linear.json of a distillation.", flag_values=FLAGS)
flags.DEFINE_list("ways", list(WAYS), "What to measure, see above.", flag_values=FLAGS)
flags.DEFINE_list("conditions", list(CONDITIONS), "States of the crops.", flag_values=FLAGS)
flags.DEFINE_integer("count", 0, "The most images to measure; 0: all.", flag_values=FLAGS)
flags.DEFINE_string("output", "experiments/results", "Folder for the results.", flag_values=FLAGS)

LINEAR = "DISTILLATION/linear.json"  # what the record says, since the folder is the user's own
FRAME = 1080, 1920
REPEATS = 15  # of each way, in turn
CODED = tuple(name for name in CONDITIONS if name != "clean")

Luma = np.ndarray  # uint8 [H, W]
Way = Callable[[Luma], np.ndarray]  # to float32 [H, W] in [0, 1]


def experiment() -> None:
    """Measure everything and write the results."""
    from rts_tf.distillation.linear import kept_energy
    from rts_tf.distillation.shards import taught
    from rts_tf.images.dtypes import to_float, to_uint8
    from rts_tf.inference import load
    from rts_tf.luma.enhancer import luma_of
    from rts_tf.metrics.blocking import grid_step
    from rts_tf.metrics.resources import cores
    from rts_tf.networks.precision import instruction_set

    began = time.monotonic()
    if not FLAGS.linear:
        raise ConfigError("--linear is empty: name the linear.json of a distillation.")
    teacher = load(FLAGS.teacher, "auto")
    kernel = np.array(json.loads(pathlib.Path(FLAGS.linear).read_text())["kernel"])
    ways = {name: way(name, kernel) for name in FLAGS.ways}
    images = list(clean_images(FLAGS.images, FLAGS.count))
    lumas = {
        condition: [luma_of(CONDITIONS[condition](image)) for _, image in images]
        for condition in FLAGS.conditions
    }
    targets = {name: [taught(teacher, luma) for luma in each] for name, each in lumas.items()}
    record: dict[str, Any] = {
        "command": runs.command(FLAGS, "realtime").replace(FLAGS.linear, LINEAR),
        "images": [name for name, _ in images],
        "machine": f"{cores()} cores, {instruction_set()}",
        "ways": {},
    }
    times = milliseconds({name: frame_function(name, kernel) for name in ways})
    for name, function in ways.items():
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        made = {condition: [function(luma) for luma in each] for condition, each in lumas.items()}
        energy = {
            condition: kept_energy(
                (to_float(luma), target, result)
                for luma, target, result in zip(
                    lumas[condition], targets[condition], made[condition], strict=True
                )
            )
            for condition in lumas
        }
        steps = [
            grid_step(to_uint8(np.repeat(result[..., None], 3, -1)))
            for condition in lumas
            if condition in CODED
            for result in made[condition]
        ]
        record["ways"][name] = {
            "milliseconds": times[name],
            "energy": energy,
            "grid_step": float(np.mean(steps)),
            "whole": on_whole_images(function, images),
        }
    record["seconds"] = round(time.monotonic() - began)
    results.save(FLAGS.output, "realtime", record, markdown(record), {"frontier": figure(record)})


def way(name: str, kernel: np.ndarray) -> Way:
    """The function for a way.

    Raises:
        RtsError: There is no such network.
    """
    import rts_tf
    from experiments import baselines
    from rts_tf.distillation.linear import filtered
    from rts_tf.distillation.shards import taught
    from rts_tf.images.dtypes import to_float
    from rts_tf.luma.enhancer import LumaEnhancer

    if name == "linear":
        return lambda luma: filtered(to_float(luma), kernel)
    if ":" in name:
        baseline = baselines.enhancer(name)
        return lambda luma: to_float(baseline.apply(np.repeat(luma[..., None], 3, -1))[..., 0])
    model = rts_tf.load(name, "auto")
    if isinstance(model, LumaEnhancer):
        return lambda luma: to_float(model.enhance_luma(luma))
    return functools.partial(taught, model)


def frame_function(name: str, kernel: np.ndarray) -> Callable[[Luma], object] | bytes:
    """What to time: a function of OpenCV on luma, or a file for LiteRT."""
    import rts_tf
    from experiments.baselines import DIAMETER, SIGMA_COLOUR, SIGMA_SPACE
    from rts_tf.export.calibration import sample_crops
    from rts_tf.export.luma import integer_file
    from rts_tf.export.luma_integers import integers_of
    from rts_tf.export.tflite import Converter
    from rts_tf.luma.enhancer import LumaEnhancer, luma_of

    if name == "linear":
        return lambda luma: cv2.filter2D(luma, cv2.CV_8U, kernel + _unit(kernel))
    if ":" in name:
        amount = float(name.split(":")[1])

        def filters(luma: Luma) -> object:
            if name.startswith("bilateral"):
                luma = cv2.bilateralFilter(luma, DIAMETER, SIGMA_COLOUR, SIGMA_SPACE)
            blurred = cv2.GaussianBlur(luma, (0, 0), 1.0)
            return cv2.addWeighted(luma, 1 + amount, blurred, -amount, 0)

        return filters
    model, crops = rts_tf.load(name), sample_crops().calibration
    if isinstance(model, LumaEnhancer):
        integers = integers_of(model.network, [luma_of(crop) for crop in crops])
        return integer_file(integers, *FRAME)
    return Converter(model.network, crops).convert("enhance", "int8", *FRAME)


def _unit(kernel: np.ndarray) -> np.ndarray:
    unit = np.zeros_like(kernel)
    unit[len(kernel) // 2, len(kernel) // 2] = 1
    return unit


def milliseconds(timed: dict[str, Callable[[Luma], object] | bytes]) -> dict[str, float]:
    """The median time of each way for the luma of a frame, in turn, on one core."""
    from ai_edge_litert.interpreter import Interpreter

    luma = np.random.default_rng(0).integers(0, 256, FRAME, dtype=np.uint8)
    luma = cv2.GaussianBlur(luma, (0, 0), 2)
    runs_of: dict[str, Callable[[], object]] = {}
    for name, made in timed.items():
        if isinstance(made, bytes):
            interpreter = Interpreter(model_content=made, num_threads=1)
            interpreter.allocate_tensors()
            (entry,) = interpreter.get_input_details()
            channels = entry["shape"][-1]
            frame = np.repeat(luma[None, ..., None], channels, -1)
            interpreter.set_tensor(entry["index"], frame)
            runs_of[name] = interpreter.invoke
        else:
            runs_of[name] = functools.partial(made, luma)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        found: dict[str, list[float]] = {name: [] for name in runs_of}
        for _ in range(REPEATS):
            for name, run in runs_of.items():
                began = time.perf_counter()
                run()
                found[name].append(1000 * (time.perf_counter() - began))
    finally:
        cv2.setNumThreads(threads)
    return {name: float(np.median(each)) for name, each in found.items()}


def on_whole_images(function: Way, images: list[tuple[str, np.ndarray]]) -> dict[str, float]:
    """Means of MOS gain and artifacts, beside the unsharp mask of equal MOS."""
    from rts_tf.images.dtypes import to_float, to_uint8
    from rts_tf.luma.enhancer import luma_of
    from rts_tf.metrics.enhancement import measure_enhancement
    from rts_tf.metrics.parallel import in_parallel
    from rts_tf.report.metric_table import means

    def enhanced() -> Any:
        for _, image in images:
            luma = luma_of(image)
            # All ways in 8 bits, as files have them: rounding makes flat areas noisier.
            change = to_float(to_uint8(function(luma))) - to_float(luma)
            yield to_float(image) + change[..., None], image

    return means(list(in_parallel(lambda pair: measure_enhancement(*pair), enhanced())))


def above_linear(record: dict[str, Any], name: str, condition: str) -> float:
    """The share that a way takes of what the linear filter leaves."""
    linear = record["ways"]["linear"]["energy"][condition]
    return (record["ways"][name]["energy"][condition] - linear) / (1 - linear)


def markdown(record: dict[str, Any]) -> str:
    """The page of a record."""
    rows = []
    for name, found in record["ways"].items():
        energies = [
            f"{energy:.3f} ({above_linear(record, name, condition):+.2f})"
            for condition, energy in found["energy"].items()
        ]
        whole = found["whole"]
        rows.append(
            [
                name,
                f"{found['milliseconds']:.1f}",
                *energies,
                f"{found['grid_step']:.2f}",
                f"{whole['mos_gain']:+.3f}",
                f"{whole['flat_noise_gain']:.2f} ({whole['unsharp_flat_noise_gain']:.2f})",
                f"{whole['overshoot_levels']:.2f} ({whole['unsharp_overshoot_levels']:.2f})",
            ]
        )
    conditions = list(record["ways"]["linear"]["energy"])
    header = ["", "ms", *conditions, "grid step", "MOS gain", "flat noise", "overshoot"]
    return (
        f"# Networks for luma beside large ones\n\n`{record['command']}`\n\n"
        "The time is that of the luma of a 1080p frame on one core. Of each condition: the energy"
        " of the teacher's change that is kept, in brackets above the linear filter as a share of"
        " what that leaves. Flat noise and overshoot: in brackets those of the unsharp mask of"
        f" equal MOS. {len(record['images'])} images, on {record['machine']}.\n\n"
        + results.table(header, rows)
        + "\n![the frontier](realtime_frontier.png)\n"
    )


def figure(record: dict[str, Any]) -> Any:
    """Energy above linear and MOS gain against milliseconds."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(9, 4), layout="constrained")
    left, right = drawn.subplots(1, 2)
    conditions = list(record["ways"]["linear"]["energy"])
    for name, found in record["ways"].items():
        above = float(np.mean([above_linear(record, name, each) for each in conditions]))
        if above > -0.5:
            _point(left, found["milliseconds"], above, name)
        _point(right, found["milliseconds"], found["whole"]["mos_gain"], name)
    left.set_ylabel("energy above the linear filter")
    right.set_ylabel("MOS gain on clean images")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel("ms for the luma of a 1080p frame, one core")
        axes.axvline(1000 / 60, color="0.7", linestyle=":")
        axes.grid(alpha=0.2)
        axes.margins(0.25, 0.1)
    return drawn


def _point(axes: Any, x: float, y: float, name: str) -> None:
    colour = "#3b7fe0" if name.startswith("luma") else "#e08a1e" if "residual" in name else "0.4"
    axes.plot([x], [y], "o", color=colour)
    # Names of neighbours would cover each other on one side.
    left = name in ("luma-clean", "luma-small", "residual1", "linear")
    above = left and name != "luma-small" or "xlarge" in name or name == "residual6"
    offset = -4 if left else 4, 4 if above else -10
    place = {
        "xytext": offset,
        "textcoords": "offset points",
        "ha": "right" if left else "left",
    }
    axes.annotate(name, (x, y), fontsize=8, **place)


if __name__ == "__main__":
    runs.start(FLAGS, experiment, "stopped; nothing was written.")
