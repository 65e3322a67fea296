"""Phase A: the training step against the machine's limit, the data pipeline, and PyTorch.

    pip install '.[benchmark]'            # PyTorch; without it that comparison is left out
    python -m benchmarks.training         # about four minutes on two cores

residual3, batch 8, LR 128x128 (section 4.1), in the precision that ``auto`` gives on this machine.
Three ratios are measured:

- the operations per second of the step over those of a product of large matrices, which is the
  limit of the machine; also by processor time, the figure to believe when other programs run;
- the time of steps fed by the real pipeline over that of steps on one held batch, in stage 1 (uint8
  targets) and stage 2 (float16 targets). The blocks are longer than what the pipeline has ready, so
  that its work falls into the measured time;
- the time of the step of the same network with the same weights in PyTorch over ours. PyTorch runs
  in a process of its own, with another interpreter if ``--peer_python`` names one.

All measurements alternate and the least time counts, so that another program on the machine does
not decide. An idle machine gives the steadiest figures all the same.
"""

import contextlib
import dataclasses
import functools
import math
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.engines import fastest
from benchmarks.peer_process import started
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, seconds_of
from rts_tf import networks
from rts_tf.config import preset
from rts_tf.data.datasets import SAMPLE_TRAIN, sample
from rts_tf.data.degradation import Degradation
from rts_tf.data.patches import training_batches
from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record
from rts_tf.data.source_shards import build_source
from rts_tf.networks.precision import resolve_precision
from rts_tf.training.phase_b import DTYPES
from rts_tf.training.trainer import Trainer

FLAGS = flags.FLAGS
flags.DEFINE_integer("rounds", 3, "How often everything is measured.")
flags.DEFINE_integer(
    "block", 12, "Steps of a block; above 11, so that each one reads all the images anew."
)
flags.DEFINE_string(
    "peer_python", "", "The interpreter that has PyTorch; empty: the one that runs this benchmark."
)

CONFIG = preset("paper", network="residual3")  # section 4.1
PRODUCT = 2048  # rows and columns of the matrices
TIMES = {"product": 20, "torch": 4}  # after each block

Part = Callable[[], Seconds]  # runs once and returns what that took


def main(_: list[str]) -> None:
    """Measure everything, and print the table."""
    precision = resolve_precision("auto")
    trainer = Trainer(dataclasses.replace(CONFIG, precision=precision))
    network, random = trainer.network, np.random.default_rng(0)
    noise = [random.normal(scale=0.01, size=w.shape).astype("f") for w in network.get_weights()]
    # away from the start, which is full of zeros
    trainer.start([w + n for w, n in zip(network.get_weights(), noise, strict=True)], steps=1)

    def step(lr: tf.Tensor, target: tf.Tensor) -> float:
        trainer.step(lr, target)
        return float(trainer.running_loss)  # which waits for it

    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as processes:
        directory = pathlib.Path(name)
        feeds = {f"stage {k}": iter(batches) for k, batches in pipelines(directory).items()}
        lr, target = next(feeds["stage 1"])
        single: dict[str, Part] = {"product": matrix_product(precision)}
        module, arguments = "benchmarks.torch_peer", torch_arguments(directory, network, lr, target)
        peer, missing = started("PyTorch", module, arguments, FLAGS.peer_python, processes)
        if peer:
            single["torch"] = functools.partial(peer.seconds, "step")
        steps = {"held": lambda: step(lr, target)}
        for stage, feed in feeds.items():
            steps[stage] = lambda feed=feed: step(*next(feed))
        fed = {name: functools.partial(seconds_of, function) for name, function in steps.items()}
        times = measured(single, fed)
    report(times, step_operations(network), precision)
    if missing:
        print(missing)


def torch_arguments(
    directory: pathlib.Path, network: keras.Model, lr: tf.Tensor, target: tf.Tensor
) -> dict[str, Any]:
    """Write the weights of ``network`` and a batch for PyTorch; ``directory`` is for the file."""
    file = directory / "torch_peer.npz"
    weights = {f"weight_{i}": array for i, array in enumerate(network.get_weights())}
    np.savez(file, lr=lr.numpy(), target=target.numpy(), **weights)
    return {
        "file": str(file),
        "learning_rate": CONFIG.learning_rate,
        "precision": resolve_precision("auto"),
        "loss": float(tf.reduce_mean(tf.square(network(lr) - target))),
    }


def measured(single: dict[str, Part], fed: dict[str, Part]) -> dict[str, list[list[Seconds]]]:
    """Measure the parts in turn.

    Args:
        single: parts that are measured some times after each block of another part.
        fed: parts that are measured in blocks.

    Returns:
        For each part what its calls took, block by block.
    """
    for part in (*single.values(), *fed.values()):
        part()
        part()
    times: dict[str, list[list[Seconds]]] = {name: [] for name in (*single, *fed)}
    for _ in range(FLAGS.rounds):
        for name, part in fed.items():
            times[name].append([part() for _ in range(FLAGS.block)])
            for other, once in single.items():
                times[other].append([once() for _ in range(TIMES[other])])
    return times


def report(times: dict[str, list[list[Seconds]]], operations: float, precision: str) -> None:
    """Print the ratios.

    Args:
        times: the result of :func:`measured`.
        operations: of one step.
        precision: of the network.
    """
    # Of single calls the fastest one counts, of blocks the one with the fastest mean.
    call = {name: _least(s for block in blocks for s in block) for name, blocks in times.items()}
    block = {
        name: _least(Seconds(*np.mean(block, axis=0)) for block in blocks)
        for name, blocks in times.items()
    }
    work = {"held": operations / 1e9, "product": 2 * PRODUCT**3 / 1e9}
    lines = []
    speed = {name: work[name] / call[name].clock for name in work}
    of = (
        f"{speed['held']:.1f} of {speed['product']:.1f} GFLOP/s ({call['held'].clock:.3f} s a step)"
    )
    lines.append(Line("step / matrix product", speed["held"] / speed["product"], ">=", 0.70, of))
    speed = {name: work[name] / call[name].processor for name in work}
    of = f"{speed['held']:.1f} of {speed['product']:.1f} GFLOP/s a processor"
    ratio = speed["held"] / speed["product"]
    lines.append(Line("the same by processor time", ratio, ">=", 0.70, of))
    held = block["held"]
    for name in ("stage 1", "stage 2"):
        of = f"{block[name].clock:.3f} / {held.clock:.3f} s a step"
        of += f"; processor time {block[name].processor:.2f} / {held.processor:.2f} s"
        ratio = block[name].clock / held.clock
        lines.append(Line(f"real pipeline, {name} / held batch", ratio, "<=", 1.05, of))
    if "torch" in call:
        theirs, ours = call["torch"].clock, call["held"].clock
        of = f"{theirs:.3f} / {ours:.3f} s a step"
        lines.append(Line("PyTorch's time / ours", theirs / ours, ">=", 1.0, of))
    side = CONFIG.patch // 2
    show(f"Phase A: {CONFIG.network}, batch {CONFIG.batch}, LR {side}x{side}, {precision}", lines)
    engines = {"TensorFlow": call["held"].clock}
    if "torch" in call:
        engines["PyTorch"] = call["torch"].clock
    print(fastest(f"a step in {precision}", engines))


def _least(times: Iterator[Seconds]) -> Seconds:
    """The least of each clock."""
    return Seconds(*np.min(list(times), axis=0))


def pipelines(directory: pathlib.Path) -> dict[int, tf.data.Dataset]:
    """The batches of stages 1 and 2 from the sample images; the targets of stage 2 are HR_0 too."""
    source = build_source(
        directory / "source",
        sample(SAMPLE_TRAIN),
        Degradation.of(CONFIG),
        CONFIG.patch,
        CONFIG.images_per_shard,
    )

    def records(k: int) -> Iterator[Record]:
        for record in source.records(k, {"hr": np.uint8}):
            yield dataclasses.replace(record, arrays={"target": record.arrays["hr"] / 255})

    targets = build(directory / "targets", len(source.shards), records, DTYPES, {})
    settings = {
        "patch": CONFIG.patch,
        "batch": CONFIG.batch,
        "positions": CONFIG.patches_per_image,
        "seed": CONFIG.seed,
    }
    return {
        stage: training_batches(source, made, stage=stage, **settings)
        for stage, made in ((1, None), (2, targets))
    }


def step_operations(network: keras.Model) -> float:
    """Multiplications and additions of the convolutions in a step.

    A step is a forward pass and the gradients of kernel and input.
    """
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    macs = 3 * networks.macs_per_pixel(network)
    macs -= math.prod(first.kernel.shape)  # nobody needs the gradient of the image
    return 2.0 * macs * CONFIG.batch * (CONFIG.patch // 2) ** 2


def matrix_product(precision: str) -> Part:
    """One product of two large matrices in the arithmetic of the convolutions."""
    dtype = tf.bfloat16 if precision == "mixed_bfloat16" else tf.float32
    a, b = (
        tf.cast(tf.random.stateless_normal([PRODUCT, PRODUCT], [0, k]), dtype) for k in range(2)
    )
    product = tf.function(lambda: tf.matmul(a, b))
    return functools.partial(seconds_of, lambda: product()[0, 0].numpy())


if __name__ == "__main__":
    app.run(main)
