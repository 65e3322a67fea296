"""Sizes on paper: storage, traffic and hours for a large data set, from rates measured here.

    python -m experiments.cluster_sizes            # a minute

Two data sets: DIV2K (800 images, 2.8 megapixels on average), and 1,000 hours of 1080p video at 25
frames a second. A training on the video takes one frame in ten seconds. Two networks: ``residual3``
for everything, and ``fast``, the network for luma, for enhancing.

The rates of the CPU are measured: training steps of the paper's size, enhancing a 1080p frame, and
the luma of a 1080p frame by ``fast``, all of them on all cores. No GPU was measured. Its hours
follow from the dense bfloat16 peak in its data sheet, and from a share of that which is assumed
(``--gpu_share``).
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import flags

from experiments import results, runs

FLAGS = flags.FlagValues()
flags.DEFINE_float("gpu_share", 0.3, "Share of its peak that a GPU reaches.", flag_values=FLAGS)
flags.DEFINE_integer("workers", 16, "Machines to divide the hours by.", flag_values=FLAGS)
flags.DEFINE_string("output", "experiments/results", "Folder for the results.", flag_values=FLAGS)

HOUR, TERA, GIGA = 3600, 1e12, 1e9
MEGAPIXELS = {"DIV2K": 2.8, "video": 1920 * 1080 / 1e6}
IMAGES = {"DIV2K": 800, "video": 1000 * HOUR // 10}
FRAMES = 1000 * HOUR * 25
BYTES = {"source": 3 + 3 / 4, "targets": 6}  # of a pixel: HR_0 and LR in uint8; HR_n in float16
BITRATE = 8e6  # of video, in and out, in bits a second
STAGES, PATCH, BATCH, EPOCHS, PATCHES = 4, 256, 8, 20, 100  # section 4.1
GPUS = {"NVIDIA L4": 121, "NVIDIA A100": 312, "NVIDIA H100 SXM": 989}  # TFLOP/s, bfloat16, dense
REPEATS = 3


def measured() -> dict[str, Any]:
    """Measure the rates of this machine: megapixels of LR, megapixels and frames a second."""
    import tensorflow as tf

    import rts_tf
    from rts_tf import networks
    from rts_tf.config import preset
    from rts_tf.metrics.resources import cores
    from rts_tf.networks.cpu import described
    from rts_tf.networks.precision import resolve_precision
    from rts_tf.training.trainer import Trainer

    precision = resolve_precision("auto")
    trainer = Trainer(preset("paper", network="residual3", batch=BATCH, precision=precision))
    lr = tf.random.uniform([BATCH, PATCH // 2, PATCH // 2, 3])
    target = tf.random.uniform([BATCH, PATCH, PATCH, 3])

    def step() -> float:
        trainer.step(lr, target)
        return float(trainer.running_loss)  # which waits for it

    model, fast = rts_tf.load("residual3", "auto"), rts_tf.load("luma-clean-large")
    frame = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    return {
        "cores": cores(),
        "cpu": described(),
        "precision": precision,
        "macs_per_pixel": networks.macs_per_pixel(trainer.network),
        "steps_per_second": 1 / _seconds(step),
        "frames_per_second": 1 / _seconds(lambda: model.enhance(frame)),
        "fast_frames_per_second": 1 / _seconds(lambda: fast.enhance(frame)),
    }


def _seconds(work: Callable[[], Any]) -> float:
    """The least time that ``work`` takes, after it was traced."""
    work()
    taken = []
    for _ in range(REPEATS):
        began = time.monotonic()
        work()
        taken.append(time.monotonic() - began)
    return min(taken)


def training(rates: dict[str, Any], gpu_share: float, name: str) -> dict[str, Any]:
    """Storage in TB and hours of a training on a data set, on one machine of each kind."""
    pixels = IMAGES[name] * MEGAPIXELS[name] * 1e6
    steps = STAGES * EPOCHS * IMAGES[name] * PATCHES / BATCH
    passes = STAGES - 1  # Phase B of the training images; nothing trains on the last stage's
    flop_a = 3 * 2 * rates["macs_per_pixel"] * (PATCH / 2) ** 2 * BATCH * steps
    flop_b = 2 * rates["macs_per_pixel"] * pixels * passes
    frame = MEGAPIXELS["video"] * 1e6
    hours = {
        "this machine": steps / rates["steps_per_second"] / HOUR
        + passes * pixels / frame / rates["frames_per_second"] / HOUR
    }
    for gpu, peak in GPUS.items():
        hours[gpu] = (flop_a + flop_b) / (peak * TERA * gpu_share) / HOUR
    return {
        "source_tb": pixels * BYTES["source"] / TERA,
        "targets_tb": 2 * pixels * BYTES["targets"] / TERA,  # of two stages at a time
        "traffic_tb": passes * pixels * sum(BYTES.values()) / TERA,
        "hours": hours,
    }


def enhancing(rates: dict[str, Any], gpu_share: float) -> dict[str, Any]:
    """Storage in TB and hours to enhance 1,000 hours of video, on one machine of each kind."""
    flop = 2 * rates["macs_per_pixel"] * MEGAPIXELS["video"] * 1e6 * FRAMES
    large = {"this machine": FRAMES / rates["frames_per_second"] / HOUR}
    large |= {gpu: flop / (peak * TERA * gpu_share) / HOUR for gpu, peak in GPUS.items()}
    fast = {"this machine": FRAMES / rates["fast_frames_per_second"] / HOUR}
    return {
        "video_tb": 2 * BITRATE / 8 * 1000 * HOUR / TERA,
        "traffic_tb": 2 * BITRATE / 8 * 1000 * HOUR / TERA,
        "hours": {"residual3": large, "fast": fast},
    }


def markdown(record: dict[str, Any]) -> str:
    """Return the page of a record."""
    rates, workers = record["rates"], record["workers"]
    machine = f"{rates['cpu']}, {rates['cores']} cores, {rates['precision']}"
    kinds = ["this machine", *GPUS]

    def row(what: str, sizes: list[float], hours: dict[str, float]) -> list[str]:
        found = [_short(hours[kind] / workers) if kind in hours else "" for kind in kinds]
        return [what, *map(_short, sizes), *found]

    rows = [
        row(
            f"training on {name}",
            [sizes["source_tb"], sizes["targets_tb"], sizes["traffic_tb"]],
            sizes["hours"],
        )
        for name, sizes in record["training"].items()
    ]
    sizes = record["enhancing"]
    rows += [
        row(f"enhancing, {network}", [sizes["video_tb"], 0, sizes["traffic_tb"]], hours)
        for network, hours in sizes["hours"].items()
    ]
    header = ["", "source TB", "targets TB", "traffic TB", *(f"{kind}, h" for kind in kinds)]
    return "\n".join(
        (
            f"`{record['command']}`\n",
            f"Rates of the machine that measured, {machine}:"
            f" {rates['steps_per_second']:.2f} training steps of {BATCH} patches of"
            f" {PATCH} x {PATCH}, {rates['frames_per_second']:.2f} frames of 1080p by residual3,"
            f" and {rates['fast_frames_per_second']:.1f} by fast, a second.\n",
            f"Hours on {workers} machines of each kind, if {workers} are {workers} times as fast as"
            f" one. GPUs: {record['gpu_share']:.0%} of the dense bfloat16 peak of the data sheet,"
            " which is an assumption, not a measurement. Training: the preset `paper` with"
            f" {STAGES} stages, on DIV2K or on one frame in ten seconds of 1,000 hours of 1080p"
            " video. Enhancing: all of its frames.\n",
            results.table(header, rows),
            "Traffic is what the shared directory reads and writes in all. What it costs:"
            " hours x machines x the price of a machine's hour, and TB x the price of a month of"
            " storage x months.\n",
        )
    )


def _short(value: float) -> str:
    """Two digits that count."""
    if not value:
        return "0"
    digits = max(0, 1 - math.floor(math.log10(value)))
    rounded = round(value, digits) if digits else round(value, 1 - math.floor(math.log10(value)))
    return f"{rounded:,.{digits}f}"


def experiment() -> None:
    """Measure, compute and write the results."""
    rates = measured()
    record = {
        "command": runs.command(FLAGS, "cluster_sizes"),
        "rates": rates,
        "gpu_share": FLAGS.gpu_share,
        "workers": FLAGS.workers,
        "training": {name: training(rates, FLAGS.gpu_share, name) for name in IMAGES},
        "enhancing": enhancing(rates, FLAGS.gpu_share),
    }
    results.save(FLAGS.output, "cluster_sizes", record, markdown(record))


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
