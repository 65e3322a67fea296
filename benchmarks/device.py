"""The exported enhance head on one 1080p frame, against peers and the limits of the machine.

    pip install '.[device,benchmark]'
    python -m benchmarks.device                      # about ten minutes on two cores
    python -m benchmarks.device --model=FILE.keras   # a network of your own

LiteRT, the SavedModel, ONNX Runtime and OpenVINO run in turn, round after round, and the least time
of each counts. All of that is done with one thread and with two, on as many processors. The peers
run in processes of their own, with another interpreter if ``--peer_python`` names one. The limits
of the machine are products of large matrices in the same rounds: in int8 the faster of ONNX
Runtime's and LiteRT's, in float32 TensorFlow's. One MAC by a weight is two operations; those with
the zeros between the blocks of d() do not count. The time depends on shapes alone, so untrained
networks, residual1 and residual3, are measured by default.
"""

import contextlib
import functools
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags, logging

from benchmarks import peers
from benchmarks.engines import fastest
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, seconds_of
from rts_tf import networks
from rts_tf.export.archive import archive
from rts_tf.export.calibration import mosaic, sample_crops
from rts_tf.export.heads import macs_per_pixel
from rts_tf.export.runners.session import opened
from rts_tf.export.saved_model import write_saved_model
from rts_tf.export.tflite import Converter
from rts_tf.inference import load

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "", "A .keras file; empty: residual1 and residual3, untrained.")
flags.DEFINE_integer("rounds", 3, "How often everything is measured.")
flags.DEFINE_integer("height", 1080, "Height of the frame.")
flags.DEFINE_integer("width", 1920, "Width of the frame.")
flags.DEFINE_integer("threads", 0, "Threads; 0: one, then two, each in a process of its own.")
flags.DEFINE_string(
    "peer_python",
    "",
    "The interpreter that has the peers; empty: the one that runs this benchmark.",
)

PRECISIONS = ("float32", "int8", "int8_float_residual")
PRODUCT = 2048  # rows and columns of the matrices
CROPS = 8  # to calibrate on

Run = Callable[[], object]
Part = Callable[[], Seconds]  # runs once and returns what that took


def main(_: list[str]) -> None:
    """Run the benchmark."""
    logging.set_verbosity(logging.WARNING)
    if not FLAGS.threads:
        for threads in (1, 2):
            command = [sys.executable, "-m", "benchmarks.device", f"--threads={threads}"]
            subprocess.run([*command, *sys.argv[1:]], check=True)
        return
    if hasattr(os, "sched_setaffinity"):  # the peers inherit it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: FLAGS.threads])
    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    if FLAGS.model:
        measure(load(FLAGS.model).network)
    else:
        for name in ("residual1", "residual3"):
            measure(untrained(name))


def untrained(name: str) -> keras.Model:
    """Build a network and add noise to its start, which is full of zeros."""
    network, random = networks.build(name, 1), np.random.default_rng(0)
    weights = network.get_weights()
    network.set_weights([w + random.normal(scale=0.01, size=w.shape) for w in weights])
    return network


def measure(network: keras.Model) -> None:
    """Measure everything in turn, and print the table."""
    crops = sample_crops()
    calibration = crops.calibration[:CROPS]
    frame = mosaic(crops.validation, FLAGS.height, FLAGS.width)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as processes:
        directory = pathlib.Path(name)
        ours = exported(network, calibration, frame, directory)
        peers.write_files(network, calibration, frame, directory)
        parts: dict[str, Part] = {
            run: functools.partial(seconds_of, function)
            for run, function in (ours | products()).items()
        }
        others, missing = peers.start(directory, FLAGS.threads, FLAGS.peer_python, processes)
        parts |= others
        times: dict[str, list[float]] = {run: [] for run in parts}
        for round_ in range(FLAGS.rounds + 1):
            for run, part in parts.items():
                seconds = part().clock
                times[run] += [seconds] if round_ else []  # the first round is slower
    least = {run: min(taken) for run, taken in times.items()}
    report(network.name, least, macs_of(network, least))
    print("\n".join(missing))


def exported(
    network: keras.Model, crops: list[np.ndarray], frame: np.ndarray, directory: pathlib.Path
) -> dict[str, Run]:
    """Export the network.

    Args:
        network: the network.
        crops: uint8 [H, W, 3], to calibrate on.
        frame: uint8 [H, W, 3].
        directory: for the SavedModel.

    Returns:
        By name, what runs a file on the frame.
    """
    from ai_edge_litert.interpreter import Interpreter

    converter = Converter(network, crops)
    runs: dict[str, Run] = {}
    for precision in PRECISIONS:
        data = converter.convert("enhance", precision, *frame.shape[:2])
        interpreter = Interpreter(model_content=data, num_threads=FLAGS.threads)
        image = frame[None] if precision == "int8" else frame[None].astype(np.float32) / 255
        run = interpreter.get_signature_runner("enhance")
        runs[f"LiteRT {precision}"] = functools.partial(run, image=image)
    write_saved_model(network, directory / "served")
    served = opened(directory / "served", "enhance")
    return runs | {"SavedModel": functools.partial(served, frame)}


def products() -> dict[str, Run]:
    """Return products of large matrices, in float32 by TensorFlow and in int8 by LiteRT."""
    random = np.random.default_rng(0)
    floats = [tf.constant(random.random((PRODUCT, PRODUCT)), tf.float32) for _ in range(2)]
    product = tf.function(lambda: tf.matmul(*floats))
    return {
        "float product": lambda: product().numpy(),
        "int8 product (LiteRT)": _integer_product(random),
    }


def _integer_product(random: np.random.Generator) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    left = random.integers(-127, 128, (PRODUCT, PRODUCT)).astype(np.int8)
    dense = keras.Sequential([keras.Input((PRODUCT,)), keras.layers.Dense(PRODUCT)])
    fixed = tf.quantization.fake_quant_with_min_max_args
    endpoint = tf.function(
        lambda x: fixed(tf.matmul(fixed(x, -1.0, 1.0), dense.layers[0].kernel), -8.0, 8.0),
        [tf.TensorSpec([PRODUCT, PRODUCT], tf.float32, name="x")],
    )
    with tempfile.TemporaryDirectory() as name:
        archive(dense, {"product": endpoint}, pathlib.Path(name))
        converter = tf.lite.TFLiteConverter.from_saved_model(name, signature_keys=["product"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        data = converter.convert()
    interpreter = Interpreter(model_content=data, num_threads=FLAGS.threads)
    return functools.partial(interpreter.get_signature_runner("product"), x=left)


def macs_of(network: keras.Model, least: dict[str, float]) -> dict[str, int]:
    """Return the MACs of our files for the frame and of the products, by name."""
    pixels = FLAGS.height * FLAGS.width
    macs = {run: PRODUCT**3 for run in least if "product" in run}
    for run in (*(f"LiteRT {precision}" for precision in PRECISIONS), "SavedModel"):
        macs[run] = pixels * macs_per_pixel(network, "enhance", segmented=run == "LiteRT int8")
    return macs


def report(name: str, least: dict[str, float], macs: dict[str, int]) -> None:
    """Print the ratios.

    Args:
        name: of the network.
        least: the least time of each run, in seconds.
        macs: the result of ``macs_of``.
    """
    gops = {run: 2 * macs[run] / least[run] / 1e9 for run in macs}
    peak = max(speed for run, speed in gops.items() if run.startswith("int8 product"))
    lines = []
    for run, limit in (("LiteRT int8", 0.80), ("LiteRT int8_float_residual", 0.0)):
        of = f"{gops[run]:.0f} of {peak:.0f} GOP/s, {1000 * least[run]:.0f} ms"
        lines.append(Line(f"{run} / int8 product", gops[run] / peak, ">=", limit, of))
    for run in ("LiteRT float32", "SavedModel"):
        product = gops["float product"]
        of = f"{gops[run]:.0f} of {product:.0f} GFLOP/s, {1000 * least[run]:.0f} ms"
        lines.append(Line(f"{run} / float product", gops[run] / product, ">=", 0.0, of))
    for peer in peers.MODULES:
        for kind, run in (("int8", "LiteRT int8"), ("float", "LiteRT float32")):
            if f"{peer} {kind}" in least:
                theirs, ours = least[f"{peer} {kind}"], least[run]
                of = f"{1000 * theirs:.0f} / {1000 * ours:.0f} ms"
                what = f"{peer} {kind}'s time / {run}'s"
                lines.append(Line(what, theirs / ours, ">=", kind == "int8", of))
    threads = f"{FLAGS.threads} thread{'s'[: FLAGS.threads > 1]}"
    show(f"{name}, enhance, {FLAGS.width}x{FLAGS.height}, {threads}", lines)
    for kind, ours in (("int8", "LiteRT int8"), ("float", "LiteRT float32")):
        engines = {"LiteRT": least[ours]}
        engines |= {p: least[f"{p} {kind}"] for p in peers.MODULES if f"{p} {kind}" in least}
        print(fastest(f"{name} in {kind}, {threads}", engines))
    speeds = (f"{run} {gops[run]:.0f}" for run in gops if run.startswith("int8 product"))
    print(f"int8 products, GOP/s: {', '.join(speeds)}")


if __name__ == "__main__":
    app.run(main)
