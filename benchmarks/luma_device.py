"""Networks for luma on one 1080p frame in integers, against OpenVINO and the peak of the machine.

    pip install '.[device,benchmark]'
    python -m benchmarks.luma_device                  # about two minutes on two cores

The networks run in LiteRT, and their files in OpenVINO, in turn, a hundred times each, and the
median counts. All of that is done with one thread and with two, on as many processors. The peak is
a product of large matrices in int8 in the same rounds. The limits are 16.7 ms on one core and 10 ms
on two for the network that ``--model=fast`` stands for, and 8 and 33.3 ms on one for the smallest
and the largest one.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

import numpy as np
from absl import app, flags, logging

from benchmarks import device
from benchmarks.engines import fastest
from benchmarks.peer_process import started
from benchmarks.table import Line, show
from benchmarks.timing import seconds_of
from rts_tf import pretrained
from rts_tf.export.calibration import mosaic, sample_crops
from rts_tf.export.luma import integer_file
from rts_tf.export.luma_integers import integers_of
from rts_tf.luma.enhancer import luma_of
from rts_tf.luma.matrix_tiles import without_matrix_tiles
from rts_tf.networks.luma import shape_of
from rts_tf.networks.precision import instruction_set

FLAGS = flags.FLAGS  # threads, height, width and peer_python are those of benchmarks.device
flags.DEFINE_list("networks", [], "Names of weights; empty: all networks for luma.")
flags.DEFINE_integer("times", 100, "How often each runs.")

LIMITS = {  # ms on one core and on two
    "luma-small": (8.0, 8.0),
    "luma-medium": (16.7, 10.0),
    "luma-clean": (16.7, 10.0),
    "luma-large": (16.7, 10.0),
    "luma-clean-large": (16.7, 10.0),
    "luma-xlarge": (33.3, 33.3),
    "luma-clean-xlarge": (33.3, 33.3),
}
PRODUCTS = 10  # of the matrices; they take long


def main(_: list[str]) -> None:
    """Run the benchmark."""
    logging.set_verbosity(logging.WARNING)
    if not FLAGS.threads:
        for threads in (1, 2):
            command = [sys.executable, "-m", "benchmarks.luma_device", f"--threads={threads}"]
            subprocess.run([*command, *sys.argv[1:]], check=True)
        return
    if hasattr(os, "sched_setaffinity"):  # the peer inherits it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: FLAGS.threads])
    names = FLAGS.networks or [name for name in pretrained.names() if name.startswith("luma")]
    _start_xnnpack()
    crops = sample_crops()
    frame = luma_of(mosaic(crops.validation, FLAGS.height, FLAGS.width))[None, ..., None]
    planes = [luma_of(crop) for crop in crops.calibration]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as processes:
        directory = pathlib.Path(folder)
        np.save(directory / "frame.npy", frame)
        runs: dict[str, Callable[[], float]] = {}
        for name in names:
            integers = integers_of(pretrained.network(name), planes)
            content = integer_file(integers, FLAGS.height, FLAGS.width)
            (directory / f"{name}.tflite").write_bytes(content)
            runs[name] = _clock(_litert(content, frame))
        missing = _add_openvino(directory, runs, processes)
        product = _clock(device.products()["int8 product (LiteRT)"])
        times: dict[str, list[float]] = {name: [] for name in (*runs, "product")}
        for run in (*runs.values(), product):
            run()  # warms up
        for turn in range(FLAGS.times):
            for name, run in runs.items():
                times[name].append(run())
            if turn < PRODUCTS:
                times["product"].append(product())
    report(names, {name: float(np.median(taken)) for name, taken in times.items()})
    print(missing)


def _start_xnnpack() -> None:
    """Start XNNPACK as ``rts_tf.enhance`` does, before TensorFlow has the tiles of the CPU."""
    from ai_edge_litert.interpreter import Interpreter

    with without_matrix_tiles():
        Interpreter(model_content=pretrained.integer_file("luma-small")).allocate_tensors()


def _litert(content: bytes, frame: np.ndarray) -> Callable[[], object]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=FLAGS.threads)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], frame)
    return interpreter.invoke


def _clock(function: Callable[[], object]) -> Callable[[], float]:
    return lambda: seconds_of(function).clock


def _add_openvino(
    directory: pathlib.Path, runs: dict[str, Callable[[], float]], processes: contextlib.ExitStack
) -> str:
    """Add what runs the files in OpenVINO. Returns a line if it cannot be compared."""
    arguments = {"directory": str(directory), "threads": FLAGS.threads}
    module = "benchmarks.openvino_luma_peer"
    peer, why_not = started("OpenVINO", module, arguments, FLAGS.peer_python, processes)
    if peer:
        for name in peer.names:
            runs[f"OpenVINO {name}"] = lambda name=name: peer.seconds(name).clock
    return why_not


def report(names: list[str], median: dict[str, float]) -> None:
    """Print the table; times are in seconds."""
    peak = 2 * device.PRODUCT**3 / median["product"] / 1e9
    threads = f"{FLAGS.threads} thread{'s'[: FLAGS.threads > 1]}"
    lines, winners = [], []
    for name in names:
        ours = 1000 * median[name]
        macs = shape_of(pretrained.record(name)["network"]).macs
        speed = 2 * macs * FLAGS.height * FLAGS.width / median[name] / 1e9
        details = f"{ours:.1f} ms; {speed:.0f} of {peak:.0f} GOP/s of the int8 peak"
        limit = LIMITS.get(name, (33.3, 33.3))[FLAGS.threads - 1]
        lines.append(Line(f"{name}: time / {limit:g} ms", ours / limit, "<=", 1.0, details))
        if (peer := f"OpenVINO {name}") in median:
            theirs = f"{1000 * median[peer]:.1f} / {ours:.1f} ms"
            ratio = median[peer] / median[name]
            lines.append(Line(f"{name}: OpenVINO's time / LiteRT's", ratio, ">=", 1.0, theirs))
            engines = {"LiteRT": median[name], "OpenVINO": median[peer]}
            winners.append(fastest(f"{name}, {threads}", engines))
    show(f"{FLAGS.width}x{FLAGS.height} luma, {threads}, {instruction_set()}", lines)
    print("\n".join(winners))


if __name__ == "__main__":
    app.run(main)
