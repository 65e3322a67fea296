"""The exported enhance head on one 1080p frame: LiteRT, the SavedModel, ONNX Runtime, OpenVINO, and the machine's limits.

    pip install '.[device,benchmark]'
    python -m benchmarks.device                      # about ten minutes on two cores
    python -m benchmarks.device --model=FILE.keras   # a network of your own; default: residual1 and residual3, untrained

For one and for two threads, each in a process of its own that is kept on as many processors: every file and peer in turn,
round after round, the least time of each counts. The limits are products of large matrices in the same rounds: in int8 the
fastest of what ONNX Runtime and LiteRT make of one, in float32 TensorFlow's. Operations are two a multiplication with a weight,
and those with the zeros between the blocks of d() do not count. Time depends on shapes alone, so an untrained network does.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the commands do

import contextlib
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks import peers
from benchmarks.table import Line, seconds_of, show
from rts_tf import networks
from rts_tf.export.calibration import mosaic, sample_crops
from rts_tf.export.heads import body_layers, kernels_of
from rts_tf.export.runners.session import opened
from rts_tf.export.saved_model import write_saved_model
from rts_tf.export.tflite import Converter
from rts_tf.inference import load

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "", "A .keras file; empty: residual1 and residual3, untrained.")
flags.DEFINE_integer("rounds", 3, "Times that everything is measured.")
flags.DEFINE_integer("height", 1080, "Height of the frame.")
flags.DEFINE_integer("width", 1920, "Width of the frame.")
flags.DEFINE_integer("threads", 0, "Threads; 0: one, then two, each in a process of its own.")

PRECISIONS = ("float32", "int8", "int8_float_residual")
PRODUCT = 2048  # rows and columns of the matrices
CROPS = 8  # to calibrate on


def main(_) -> None:
    if not FLAGS.threads:
        for threads in (1, 2):
            subprocess.run(
                [sys.executable, "-m", "benchmarks.device", f"--threads={threads}", *sys.argv[1:]],
                check=True,
            )
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: FLAGS.threads])
    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    for network in (
        [load(FLAGS.model).network] if FLAGS.model else map(untrained, ("residual1", "residual3"))
    ):
        measure(network, FLAGS.threads)


def untrained(name: str) -> keras.Model:
    """A network away from its start, which is full of zeros."""
    network, random = networks.build(name, 1), np.random.default_rng(0)
    network.set_weights(
        [array + random.normal(scale=0.01, size=array.shape) for array in network.get_weights()]
    )
    return network


def measure(network: keras.Model, threads: int) -> None:
    """Run everything in turn, and print the table."""
    photographs = sample_crops()
    frame = mosaic(photographs.validation, FLAGS.height, FLAGS.width)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        runs, macs = exported(network, photographs.calibration[:CROPS], frame, directory, threads)
        image, size = frame[None].astype(np.float32) / 255, frame.shape[:2]
        missing = []
        for peer, arguments in (
            (peers.onnx_runtime, (threads,)),
            (peers.openvino, (threads, size)),
        ):
            place = directory / peer.__name__
            place.mkdir()
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    made = peer(network, photographs.calibration[:CROPS], place, *arguments)
            except ModuleNotFoundError as error:
                missing.append(f"{error.name} is not installed: pip install '.[benchmark]'")
                continue
            runs |= {name: lambda run=run: run(image) for name, run in made.items()}
        runs |= limits(threads)
        times = {name: [] for name in runs}
        for round_ in range(FLAGS.rounds + 1):
            for name, run in runs.items():
                seconds = seconds_of(run).clock
                times[name] += [seconds] if round_ else []
    report(network.name, threads, {name: min(taken) for name, taken in times.items()}, macs)
    print("\n".join(missing))


def exported(
    network, crops, frame, directory, threads
) -> tuple[dict[str, Callable], dict[str, int]]:
    """What runs our files on the frame, by name, and the multiplications with a weight of each."""
    from ai_edge_litert.interpreter import Interpreter

    converter, runs, macs = Converter(network, crops), {}, {}
    for precision in PRECISIONS:
        data = converter.convert("enhance", precision, *frame.shape[:2])
        runner = Interpreter(model_content=data, num_threads=threads).get_signature_runner(
            "enhance"
        )
        image = frame[None] if precision == "int8" else frame[None].astype(np.float32) / 255
        macs[f"LiteRT {precision}"] = (
            multiplications(network, precision == "int8") * frame[..., 0].size
        )
        runs[f"LiteRT {precision}"] = lambda runner=runner, image=image: runner(image=image)
    write_saved_model(network, directory / "saved_model")
    served = opened(directory / "saved_model", "enhance")
    macs["SavedModel"] = macs["LiteRT float32"]
    return runs | {"SavedModel": lambda: served(frame)}, macs


def multiplications(network: keras.Model, segmented: bool) -> int:
    """With a weight, for a pixel; ``segmented`` as in ``rts_tf.export.heads``."""
    kernels = kernels_of(network, segmented)
    *body, residual = (
        int(np.prod(network.get_layer(name).kernel.shape)) for name in body_layers(network)
    )
    pieces = 4 if kernels.head.shape[2] > network.layers[-2].kernel.shape[2] else 1
    return (
        sum(body)
        + pieces * residual
        + sum(kernel.size for kernel in (kernels.head, kernels.columns, kernels.rows))
    )


def limits(threads: int) -> dict[str, Callable]:
    """Products of large matrices."""
    random = np.random.default_rng(0)
    floats = [tf.constant(random.random((PRODUCT, PRODUCT)), tf.float32) for _ in range(2)]
    product = tf.function(lambda: tf.matmul(*floats))
    return {"float product": lambda: product().numpy(), **_integer_products(random, threads)}


def _integer_products(random: np.random.Generator, threads: int) -> dict[str, Callable]:
    from ai_edge_litert.interpreter import Interpreter

    left = random.integers(-127, 128, (PRODUCT, PRODUCT)).astype(np.int8)
    dense = keras.Sequential([keras.Input((PRODUCT,)), keras.layers.Dense(PRODUCT)])
    endpoint = tf.function(
        lambda x: tf.quantization.fake_quant_with_min_max_args(
            tf.matmul(
                tf.quantization.fake_quant_with_min_max_args(x, -1.0, 1.0), dense.layers[0].kernel
            ),
            -8.0,
            8.0,
        ),
        [tf.TensorSpec([PRODUCT, PRODUCT], tf.float32, name="x")],
    )
    with tempfile.TemporaryDirectory() as name:
        peers.archive(dense, {"product": endpoint}, pathlib.Path(name))
        converter = tf.lite.TFLiteConverter.from_saved_model(name, signature_keys=["product"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        runner = Interpreter(
            model_content=converter.convert(), num_threads=threads
        ).get_signature_runner("product")
    runs = {"int8 product (LiteRT)": lambda: runner(x=left)}
    with contextlib.suppress(ModuleNotFoundError):
        import onnx
        import onnxruntime

        helper, kinds = onnx.helper, onnx.TensorProto
        node = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
        infos = [
            helper.make_tensor_value_info(n, t, [PRODUCT] * 2)
            for n, t in (("a", kinds.UINT8), ("c", kinds.INT32))
        ]
        weights = onnx.numpy_helper.from_array(left, "b")
        graph = helper.make_graph([node], "product", infos[:1], infos[1:], [weights])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        right = left.view(np.uint8)
        runs["int8 product (ONNX Runtime)"] = lambda: session.run(None, {"a": right})
    return runs


def report(name: str, threads: int, least: dict[str, float], macs: dict[str, int]) -> None:
    macs = macs | {run: PRODUCT**3 for run in least if "product" in run}
    gops = {run: 2 * macs[run] / least[run] / 1e9 for run in macs}
    peak = max(speed for run, speed in gops.items() if run.startswith("int8 product"))
    lines = []
    for run, limit in (("LiteRT int8", 0.80), ("LiteRT int8_float_residual", 0.0)):
        of = f"{gops[run]:.0f} of {peak:.0f} GOP/s, {1000 * least[run]:.0f} ms"
        lines.append(Line(f"{run} / int8 product", gops[run] / peak, ">=", limit, of))
    for ours, theirs in (("LiteRT float32", "float product"), ("SavedModel", "float product")):
        of = f"{gops[ours]:.0f} of {gops[theirs]:.0f} GFLOP/s, {1000 * least[ours]:.0f} ms"
        lines.append(Line(f"{ours} / float product", gops[ours] / gops[theirs], ">=", 0.0, of))
    for peer in ("ONNX Runtime", "OpenVINO"):
        for kind, ours in (("int8", "LiteRT int8"), ("float", "LiteRT float32")):
            if f"{peer} {kind}" in least:
                theirs = least[f"{peer} {kind}"]
                of = f"{1000 * theirs:.0f} / {1000 * least[ours]:.0f} ms"
                lines.append(
                    Line(
                        f"{peer} {kind}'s time / {ours}'s",
                        theirs / least[ours],
                        ">=",
                        kind == "int8",
                        of,
                    )
                )
    show(
        f"{name}, enhance, {FLAGS.width}x{FLAGS.height}, {threads} thread{'s'[: threads > 1]}",
        lines,
    )
    print(
        "int8 products, GOP/s: "
        + ", ".join(f"{run} {s:.0f}" for run, s in gops.items() if run.startswith("int8 product"))
    )


if __name__ == "__main__":
    app.run(main)
